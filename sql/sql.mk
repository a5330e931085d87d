# The PostgreSQL mirror: plain scripts, installed by psql into a schema or as an extension.

DATABASE ?=
SCHEMA   ?= evercore
PG_EXTENSION_DIR = $(shell $(PG_CONFIG) --sharedir)/extension
PG_BUNDLE_PARTS  = $(wildcard sql/*.sql migrations/postgres/*.sql) sql/bundle VERSION
# Versions that ALTER EXTENSION evercore UPDATE leads on from.
PG_UPGRADES_FROM ?=

.PHONY: sql sql-install pg-install pg-uninstall installcheck bench-postgres

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
