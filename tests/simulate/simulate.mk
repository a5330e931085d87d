# The simulator: see tests/simulate/main.cpp. Its clock takes the place of the extension's when it is linked.

SIMULATE_OBJECTS := $(patsubst tests/%.cpp,build/tests/%.o,$(wildcard tests/simulate/*.cpp))

.PHONY: simulate
simulate: build/tests/simulator ## random calls and faults on a simulated machine, beside a model (SEED, STEPS)
	build/tests/simulator --seed $(or $(SEED),1) --steps $(or $(STEPS),60000)

build/tests/simulator: $(SIMULATE_OBJECTS) build/static/libevercore_ext.a
	@echo '  LINK $@'
	@$(CXX) $(LDFLAGS) -Wl,--wrap=_ZN8evercore3ext3nowEv $^ $(TEST_LDLIBS) -o $@

# The one of PostgreSQL shares the calls and the model.
SIMULATE_MODEL := $(filter-out $(addprefix build/tests/simulate/,aftermath.o disk.o dump.o main.o step.o turn.o vfs.o world.o clock.o),$(SIMULATE_OBJECTS))
SIMULATE_POSTGRES := $(patsubst tests/%.cpp,build/tests/%.o,$(filter-out %/clock.cpp,$(wildcard tests/simulate/postgres/*.cpp)))

.PHONY: simulate-postgres simulator-postgres
simulator-postgres: build/tests/simulator_postgres build/tests/simulate_clock.so
simulate-postgres: simulator-postgres ## the same on a PostgreSQL server (SEED, STEPS)
	tests/simulate/postgres/run --seed $(or $(SEED),1) --steps $(or $(STEPS),5000)

build/tests/simulator_postgres: $(SIMULATE_MODEL) $(SIMULATE_POSTGRES)
	@echo '  LINK $@'
	@$(CXX) $(LDFLAGS) $^ $(TEST_LDLIBS) -lpq -o $@

# And that of both engines beside each other.
SIMULATE_BOTH := $(patsubst tests/%.cpp,build/tests/%.o,$(wildcard tests/simulate/both/*.cpp) \
  $(addprefix tests/simulate/,clock.cpp postgres/server.cpp postgres/session.cpp))

.PHONY: simulate-both simulator-both
simulator-both: build/tests/simulator_both build/tests/simulate_clock.so
simulate-both: simulator-both ## the same steps on SQLite and PostgreSQL, beside the model (SEED, STEPS)
	EVERCORE_SIMULATOR=build/tests/simulator_both tests/simulate/postgres/run --seed $(or $(SEED),1) --steps $(or $(STEPS),5000)

build/tests/simulator_both: $(SIMULATE_MODEL) $(SIMULATE_BOTH) build/static/libevercore_ext.a
	@echo '  LINK $@'
	@$(CXX) $(LDFLAGS) -Wl,--wrap=_ZN8evercore3ext3nowEv $^ $(TEST_LDLIBS) -lpq -o $@

build/tests/simulate_clock.so: tests/simulate/postgres/clock.cpp
	@echo '  LINK $@'
	@$(CXX) $(CXXFLAGS) -shared -fPIC $< -ldl -o $@

build/tests/simulate/postgres/%.o build/tests/simulate/both/%.o: TEST_CPPFLAGS += $(PG_INCLUDE)
