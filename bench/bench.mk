# The benchmarks: one program per question, each against a baseline in the same run; bench/out/ takes the JSON.

BENCH_SOURCES := harness sqlite_store
BENCH_OBJECTS := $(BENCH_SOURCES:%=build/bench/%.o)

.PHONY: bench-sqlite
bench: bench-sqlite bench-postgres bench-library ## measure everything: tables, bench/out/*.json and plots

bench-sqlite: build/bench/append_sqlite build/bench/read_sqlite ## measure the extension against plain SQLite
	bench/layout
	-build/bench/append_sqlite
	-build/bench/read_sqlite
	@$(PYTHON) bench/plot bench/out/append_sqlite.json bench/out/read_sqlite.json

build/bench/%.o: bench/%.cpp
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) -iquote ext $(CPPFLAGS) $(STD) $(WARNINGS) $(CXXFLAGS) -MMD -MP -c $< -o $@
build/bench/%_sqlite: build/bench/%_sqlite.o $(BENCH_OBJECTS) build/static/libevercore_ext.a
	@$(CXX) $(CXXFLAGS) $(LDFLAGS) $^ -lsqlite3 $(shell $(PKG_CONFIG) --libs simdjson) -o $@

-include $(wildcard build/bench/*.d)
