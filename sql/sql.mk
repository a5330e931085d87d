# The PostgreSQL mirror: plain scripts, installed by psql into a schema or as an extension.

DATABASE ?=
SCHEMA   ?= evercore
PG_EXTENSION_DIR = $(shell $(PG_CONFIG) --sharedir)/extension
PG_BUNDLE_PARTS  = $(wildcard sql/*.sql migrations/postgres/*.sql) sql/retired.txt sql/macros.txt sql/expand.awk sql/bundle VERSION
# Versions that ALTER EXTENSION evercore UPDATE leads on from: the releases before this one.
PG_UPGRADES_FROM ?= $(filter-out $(VERSION),$(patsubst sql/signatures/%.txt,%,$(wildcard sql/signatures/*.txt)))

.PHONY: sql sql-install pg-install pg-uninstall installcheck test-postgres-versions bench-postgres soak-postgres

.DELETE_ON_ERROR:  # what sql/bundle could not finish

all: sql
sql: build/evercore.sql build/pg/evercore--$(VERSION).sql build/pg/evercore.control ## write the scripts for PostgreSQL to build/

build/evercore.sql: $(PG_BUNDLE_PARTS)
	@mkdir -p $(@D)
	sql/bundle store >$@

build/pg/evercore--$(VERSION).sql: $(PG_BUNDLE_PARTS)
	@mkdir -p $(@D)
	sql/bundle extension >$@
	for from in $(PG_UPGRADES_FROM); do sql/bundle upgrade >build/pg/evercore--$$from--$(VERSION).sql || exit 1; done

build/pg/evercore.control: sql/evercore.control VERSION
	@mkdir -p $(@D)
	sed "s/^default_version = .*/default_version = '$(VERSION)'/" sql/evercore.control >$@

sql-install: ## install and migrate a store: DATABASE='<conninfo>' [SCHEMA=evercore]; needs psql alone
	@sql/install '$(DATABASE)' '$(SCHEMA)'

pg-install: sql ## install the files for CREATE EXTENSION evercore (PG_CONFIG, DESTDIR)
	install -d '$(DESTDIR)$(PG_EXTENSION_DIR)'
	install -m 644 build/pg/evercore.control build/pg/evercore--*.sql '$(DESTDIR)$(PG_EXTENSION_DIR)/'

pg-uninstall: ## remove the files of CREATE EXTENSION evercore
	rm -f '$(DESTDIR)$(PG_EXTENSION_DIR)'/evercore.control '$(DESTDIR)$(PG_EXTENSION_DIR)'/evercore--*.sql

PG_CPPFLAGS ?= $(shell $(PKG_CONFIG) --cflags libpq)
PG_LIBS     ?= $(shell $(PKG_CONFIG) --libs libpq)

bench-postgres: build/bench/append_postgres sql ## measure the PostgreSQL mirror against the same work by hand
	@mkdir -p bench/out
	EVERCORE_SERVER_OPTIONS="$(BENCH_SERVER)" bench/step postgres tests/postgres/with_server \
	  sh -c 'sql/install "$$EVERCORE_TEST_POSTGRES" && build/bench/append_postgres $(BENCH_POSTGRES)'
	@$(PYTHON) bench/plot bench/out/postgres.json

installcheck: sql ## PGXS convention: test the installed extension in the server of PGHOST, PGPORT …
	@tests/postgres/installcheck

test-postgres-versions: sql ## run the PostgreSQL suites on 14, 16 and 18 from npm (VERSIONS="16 18"); says which tests need programs that are not there
	@tests/postgres/versions $(VERSIONS)

soak-postgres: sql ## the order test and the storm of PostgreSQL at full length: 16 x 5,000 events, 8 x 10,000 calls
	EVERCORE_ORDER_EVENTS=5000 EVERCORE_ORDER_HOLD=0.2 tests/postgres/run test_order.test_followers
	EVERCORE_STORM_CALLS=10000 tests/postgres/run test_storm

include sql/native/native.mk
