# The benchmarks: one program per question, each against a baseline in the same run; bench/out/ takes the JSON, and
# bench/targets.json says what each row must reach.

BENCH_HARNESS := $(patsubst %,build/bench/%.o,harness processors memory scale)
BENCH_SERVERS := $(patsubst bench/%.cpp,build/bench/%,$(filter-out bench/library_%,$(wildcard bench/*_postgres.cpp)))

# $(1): the parts, which all run; what falls short is named at the end.
measure_parts = mkdir -p bench/out && rm -f bench/out/short; \
	for part in $(1); do \
	  EVERCORE_BENCH_SHORT=$(CURDIR)/bench/out/short $(MAKE) --no-print-directory $$part || exit 1; done; \
	if [ -s bench/out/short ]; then echo "$$(wc -l <bench/out/short) parts fell short:"; cat bench/out/short; exit 1; fi; \
	echo "0 parts fell short"

.PHONY: bench-check bench-agree bench-peers bench-writers bench-sqlite bench-tags-sqlite bench-tags-postgres bench-types-sqlite bench-types-postgres
bench: ## measure everything: tables, bench/out/*.json and plots; says at its end how many parts fell short
	+@$(call measure_parts,bench-sqlite bench-tags-sqlite bench-types-sqlite bench-subscription bench-postgres bench-tags-postgres bench-types-postgres bench-library bench-writers)

bench-check: ## print the rows of the last benchmarks that fall short of bench/targets.json, and those not measured
	@$(PYTHON) bench/check

bench-agree: ## compare the last benchmarks with those in BEFORE, a copy of bench/out: which rows differ by more than 15 %
	@$(PYTHON) bench/agree $(BEFORE)

# fsync on, and every setting else as it comes, but for memory: what a server of this size would have.
BENCH_SERVER := fsync=on shared_buffers=1GB max_wal_size=4GB

bench-sqlite: build/bench/append_sqlite build/bench/read_sqlite ## measure the extension against plain SQLite
	bench/layout
	@bench/step append_sqlite build/bench/append_sqlite
	@bench/step read_sqlite build/bench/read_sqlite
	@$(PYTHON) bench/plot bench/out/append_sqlite.json bench/out/read_sqlite.json

# EVENTS=10000 for a look at the programs; EVERCORE_BENCH_BEFORE=FILE, an older extension for SQLite to be measured against.
bench-tags-sqlite: build/bench/tags_sqlite ## measure tags, queries and conditions on SQLite (EVENTS)
	@bench/step tags_sqlite build/bench/tags_sqlite $(EVENTS)
	@$(PYTHON) bench/plot bench/out/tags_sqlite.json

bench-tags-postgres: build/bench/tags_postgres sql ## measure tags, queries and conditions on PostgreSQL (EVENTS)
	@EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" bench/step tags_postgres tests/postgres/with_server \
	  sh -c 'bench/tags_stores && build/bench/tags_postgres $(EVENTS)'
	@$(PYTHON) bench/plot bench/out/tags_postgres.json

bench-types-sqlite: build/bench/types_sqlite ## measure rules, schemas and upcasts on SQLite
	@bench/step types_sqlite build/bench/types_sqlite
	@$(PYTHON) bench/plot bench/out/types_sqlite.json

bench-types-postgres: build/bench/types_postgres sql ## measure rules, schemas and upcasts on PostgreSQL
	@EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" bench/step types_postgres tests/postgres/with_server \
	  sh -c 'bench/tags_stores && build/bench/types_postgres'
	@$(PYTHON) bench/plot bench/out/types_postgres.json

# PROCESSES=2 WRITES=12000 for others than 8 of 1,500 events each; TIMEOUT=1000 for another busy_timeout than 5,000 ms.
bench-writers: build/bench/library_writers ## measure programs that write to one SQLite file at once (PROCESSES, WRITES, TIMEOUT)
	@bench/step library_writers build/bench/library_writers $(or $(PROCESSES),8) $(or $(WRITES),1500) $(or $(TIMEOUT),5000)

# Not part of `make bench`: three quarters of an hour, and 12 GB below $TMPDIR. EVERCORE_BENCH_EVENTS=200000 for a look at the programs.
.PHONY: bench-scale bench-scale-sqlite bench-scale-postgres
bench-scale: ## measure 10 M events beside tables by hand, and beside 100,000 events (EVERCORE_BENCH_EVENTS)
	+@$(call measure_parts,bench-scale-sqlite bench-scale-postgres)
bench-scale-sqlite: build/bench/scale_sqlite
	@bench/step scale_sqlite build/bench/scale_sqlite
	@$(PYTHON) bench/plot bench/out/scale_sqlite.json
bench-scale-postgres: build/bench/scale_postgres sql
	@EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" bench/step scale_postgres tests/postgres/with_server \
	  sh -c 'for schema in large small; do sql/install "$$EVERCORE_TEST_POSTGRES" $$schema || exit; done; build/bench/scale_postgres'
	@$(PYTHON) bench/plot bench/out/scale_postgres.json

.PHONY: bench-hand
bench-hand: build/bench/hand_sqlite build/bench/hand_postgres loadable sql ## measure evercore beside a table by hand from C, libpq and Python: speed, waits, log, memory
	@bench/step hand_sqlite build/bench/hand_sqlite
	@bench/step python_sqlite $(PYTHON) bench/peers/python.py sqlite $(ROUNDS)
	@EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" bench/step hand_postgres tests/postgres/with_server \
	  sh -c 'for schema in evercore memory; do sql/install "$$EVERCORE_TEST_POSTGRES" $$schema || exit; done; build/bench/hand_postgres'
	@EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" bench/step python_postgres tests/postgres/with_server \
	  sh -c 'sql/install "$$EVERCORE_TEST_POSTGRES" && $(PYTHON) bench/peers/python.py postgres $(ROUNDS)'
	@$(PYTHON) bench/plot bench/out/hand_sqlite.json bench/out/python_sqlite.json bench/out/hand_postgres.json bench/out/python_postgres.json

.PHONY: bench-native
# Not part of `make bench`: it needs postgresql-server-dev.
.PHONY: bench-native-appends bench-native-types
bench-native: ## measure stores on PostgreSQL that have the compiled module
	+@$(call measure_parts,bench-native-appends bench-native-types)
bench-native-appends: build/bench/append_postgres sql native
	@EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" EVERCORE_BENCH_REPORT=native bench/step native tests/native/with_module tests/postgres/with_server \
	  sh -c 'sql/install "$$EVERCORE_TEST_POSTGRES" && $$EVERCORE_AFTER_INSTALL "$$EVERCORE_TEST_POSTGRES" && build/bench/append_postgres $(BENCH_POSTGRES)'
	@$(PYTHON) bench/plot bench/out/native.json
bench-native-types: build/bench/types_postgres sql native
	@EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" EVERCORE_BENCH_REPORT=types_native bench/step types_native tests/native/with_module tests/postgres/with_server \
	  sh -c 'bench/tags_stores && $$EVERCORE_AFTER_INSTALL "$$EVERCORE_TEST_POSTGRES" && build/bench/types_postgres'
	@$(PYTHON) bench/plot bench/out/types_native.json

# Not part of `make bench`: it installs other stores from npm.
# A client that waits for SQLite's lock takes a thread of libuv, and whoever has the lock needs one as well.
.PHONY: bench-workloads
bench-peers: loadable sql ## measure evercore beside emmett, message-db and a table by hand, from Node (ROUNDS=7; needs npm)
	@bench/peers/install
	@node build/peers/sqlite.mjs $(or $(ROUNDS),7)
	@EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" tests/postgres/with_server node build/peers/postgres.mjs $(or $(ROUNDS),7)
	@$(PYTHON) bench/plot bench/out/peers_sqlite.json bench/out/peers_postgres.json
bench-workloads: loadable sql ## the same stores under the workloads of the public event-store benchmark (ROUNDS=7; EVERCORE_BENCH_EVENTS)
	@bench/peers/install
	@UV_THREADPOOL_SIZE=64 node build/peers/sqlite.mjs $(or $(ROUNDS),7) workloads
	@EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" tests/postgres/with_server node build/peers/postgres.mjs $(or $(ROUNDS),7) workloads
	@$(PYTHON) bench/plot bench/out/workloads_sqlite.json bench/out/workloads_postgres.json

build/bench/%.o: bench/%.cpp build/flags
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) -iquote ext $(CPPFLAGS) $(BENCH_CPPFLAGS) $(STD) $(WARNINGS) $(CXXFLAGS) -MMD -MP -c $< -o $@
build/bench/hand.o: BENCH_CPPFLAGS = $(shell $(PKG_CONFIG) --cflags simdjson)
build/bench/hand_sqlite build/bench/hand_postgres: build/bench/hand.o
build/bench/%_sqlite: build/bench/%_sqlite.o build/bench/sqlite_store.o $(BENCH_HARNESS) build/static/libevercore_ext.a
	@$(CXX) $(CXXFLAGS) $(LDFLAGS) $^ -lsqlite3 $(shell $(PKG_CONFIG) --libs simdjson) -o $@

build/bench/hand_postgres: BENCH_LIBS = build/bench/hand.o $(shell $(PKG_CONFIG) --libs simdjson)
$(BENCH_SERVERS): build/bench/%: bench/%.cpp bench/postgres_session.hpp $(BENCH_HARNESS)
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(STD) $(WARNINGS) $(CXXFLAGS) $(CPPFLAGS) $(PG_CPPFLAGS) $(LDFLAGS) -o $@ $< $(BENCH_HARNESS) $(BENCH_LIBS) $(PG_LIBS) -pthread

-include $(wildcard build/bench/*.d)
