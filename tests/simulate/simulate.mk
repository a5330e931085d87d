# The simulator: see tests/simulate/main.cpp. Its clock takes the place of the extension's when it is linked.

SIMULATE_OBJECTS := $(patsubst tests/%.cpp,build/tests/%.o,$(wildcard tests/simulate/*.cpp))

.PHONY: simulate
simulate: build/tests/simulator ## random calls and faults on a simulated machine, beside a model (SEED, STEPS)
	build/tests/simulator --seed $(or $(SEED),1) --steps $(or $(STEPS),60000)

build/tests/simulator: $(SIMULATE_OBJECTS) build/static/libevercore_ext.a
	@echo '  LINK $@'
	@$(CXX) $(LDFLAGS) -Wl,--wrap=_ZN8evercore3ext3nowEv $^ $(TEST_LDLIBS) -o $@
