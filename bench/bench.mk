# The benchmarks: one program per question, each against a baseline in the same run; bench/out/ takes the JSON.

BENCH_SOURCES := harness sqlite_store
BENCH_OBJECTS := $(BENCH_SOURCES:%=build/bench/%.o)

.PHONY: bench-sqlite bench-tags-sqlite bench-tags-postgres
bench: ## measure everything: tables, bench/out/*.json and plots; says at its end how many parts fell short
	@mkdir -p bench/out && rm -f bench/out/short
	@for part in bench-sqlite bench-tags-sqlite bench-subscription bench-postgres bench-tags-postgres bench-library; do \
	  EVERCORE_BENCH_SHORT=$(CURDIR)/bench/out/short bench/step $(MAKE) --no-print-directory $$part; done
	@if [ -s bench/out/short ]; then echo "$$(wc -l <bench/out/short) parts fell short:"; cat bench/out/short; exit 1; fi
	@echo "0 parts fell short"

# fsync on, and every setting else as it comes, but for memory: what a server of this size would have.
BENCH_SERVER := fsync=on shared_buffers=1GB max_wal_size=4GB

bench-sqlite: build/bench/append_sqlite build/bench/read_sqlite ## measure the extension against plain SQLite
	bench/layout
	@bench/step build/bench/append_sqlite
	@bench/step build/bench/read_sqlite
	@$(PYTHON) bench/plot bench/out/append_sqlite.json bench/out/read_sqlite.json

# EVENTS=10000 for a look at the programs; EVERCORE_BENCH_BEFORE=FILE, an older extension for SQLite to be measured against.
bench-tags-sqlite: build/bench/tags_sqlite ## measure tags, queries and conditions on SQLite (EVENTS)
	@bench/step build/bench/tags_sqlite $(EVENTS)
	@$(PYTHON) bench/plot bench/out/tags_sqlite.json

bench-tags-postgres: build/bench/tags_postgres sql ## measure tags, queries and conditions on PostgreSQL (EVENTS)
	@EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" bench/step tests/postgres/with_server \
	  sh -c 'bench/tags_stores && build/bench/tags_postgres $(EVENTS)'
	@$(PYTHON) bench/plot bench/out/tags_postgres.json

build/bench/%.o: bench/%.cpp build/flags
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) -iquote ext $(CPPFLAGS) $(STD) $(WARNINGS) $(CXXFLAGS) -MMD -MP -c $< -o $@
build/bench/%_sqlite: build/bench/%_sqlite.o $(BENCH_OBJECTS) build/static/libevercore_ext.a
	@$(CXX) $(CXXFLAGS) $(LDFLAGS) $^ -lsqlite3 $(shell $(PKG_CONFIG) --libs simdjson) -o $@

build/bench/%_postgres: bench/%_postgres.cpp bench/postgres_session.hpp build/bench/harness.o
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(STD) $(WARNINGS) $(CXXFLAGS) $(CPPFLAGS) $(PG_CPPFLAGS) $(LDFLAGS) -o $@ $< build/bench/harness.o $(PG_LIBS) -pthread

-include $(wildcard build/bench/*.d)
