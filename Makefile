# evercore: `make help` lists every target with one line of explanation.
# Each part of the house brings its own rules: ext/ext.mk, sql/sql.mk, …

CXX       ?= g++
CC        ?= gcc
AR        ?= ar
STRIP     ?= strip
CXXFLAGS  ?= -O2 -g1
CFLAGS    ?= -O2 -g
PREFIX    ?= /usr/local
DESTDIR   ?=
libdir      ?= $(PREFIX)/lib
includedir  ?= $(PREFIX)/include
bindir      ?= $(PREFIX)/bin
datadir     ?= $(PREFIX)/share
docdir      ?= $(datadir)/doc/evercore
pkgconfigdir ?= $(libdir)/pkgconfig
PKG_CONFIG ?= pkg-config
PG_CONFIG  ?= pg_config
PYTHON     ?= /usr/bin/python3

JOBS     ?= $(shell nproc)
VERSION  := $(shell cat VERSION)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
STD      := -std=c++20

# What only compiles and copies runs on every core, unless -j says otherwise.
BUILDING := all loadable static lib lib-sqlite examples evercoregen install% test-programs lib-test-programs
ifeq ($(filter-out $(BUILDING),$(or $(MAKECMDGOALS),all))$(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(JOBS)
endif

.DEFAULT_GOAL := all
.PHONY: all help deps test check soak fuzz bench demo install install-extension install-docs uninstall clean
.PHONY: dist debug compile_commands.json always

include $(wildcard bench/bench.mk ext/ext.mk sql/sql.mk lib/lib.mk lib/gen/gen.mk packages/release/release.mk tests/tests.mk)

all: loadable static ## build everything

# What was compiled with other flags is compiled anew.
build/flags: always | has-extension-needs
	@mkdir -p $(@D)
	@echo '$(CXX) $(CPPFLAGS) $(CXXFLAGS)' | cmp -s - $@ || echo '$(CXX) $(CPPFLAGS) $(CXXFLAGS)' >$@

debug: ## build everything without optimisation, for a debugger; `make` goes back
	@$(MAKE) --no-print-directory CXXFLAGS='-O0 -g3' all test-programs lib-test-programs

# $(call commands,sources,flags): a line for each source.
commands = $(foreach source,$(1),$(file >>$@,$(comma){"directory": "$(CURDIR)"$(comma) "file": "$(source)"$(comma)\
  "command": "$(CXX) $(subst ",\",$(2) $(STD) $(WARNINGS)) -c $(source)"}))
comma := ,
compile_commands.json: build/gen/migrations.cpp ## write how each source is compiled, for clangd and other tools
	@$(file >$@,[{"directory": "$(CURDIR)"$(comma) "file": "build/gen/migrations.cpp"$(comma) "command": "$(CXX) $(STD) -iquote ext -c build/gen/migrations.cpp"})\
	$(call commands,$(EXT_SOURCES),$(EXT_CPPFLAGS))\
	$(call commands,$(LIB_SOURCES) $(LIB_TESTS),$(LIB_CPPFLAGS))\
	$(call commands,$(wildcard examples/*.cpp),-Ilib/include)\
	$(call commands,$(GEN_SOURCES),$(GEN_CPPFLAGS))\
	$(call commands,$(filter-out tests/library/% tests/gen/%,$(wildcard tests/*.cpp tests/*/*.cpp tests/*/*/*.cpp)),$(TEST_CPPFLAGS))\
	$(call commands,$(filter-out bench/%postgres%.cpp,$(wildcard bench/*.cpp)),-iquote ext -Ilib/include)$(file >>$@,])
	@echo "wrote $@"

help: ## show this list
	@grep -hE '^[a-z][a-z_.-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-22s %s\n", $$1, $$2}'

deps: ## install the Debian packages that building and testing need
	@./tests/deps

demo: ## import this machine's package history and show what SQL can do with it (LOG=FILE)
	@./tests/deps build
	@$(MAKE) --no-print-directory -j$(JOBS) loadable
	@./examples/demo $(LOG)

install: install-extension install-library install-docs ## install the extension, the library, headers, SQL and docs (PREFIX, DESTDIR)

install-extension: loadable ## install the SQLite extension alone, and the SQL for PostgreSQL
	install -d $(DESTDIR)$(libdir) $(DESTDIR)$(datadir)/evercore/sql $(DESTDIR)$(datadir)/evercore/migrations/postgres
	install -m 755 build/evercore.so $(DESTDIR)$(libdir)/evercore.so
	$(STRIP) --strip-unneeded $(DESTDIR)$(libdir)/evercore.so
	install -m 644 VERSION $(DESTDIR)$(datadir)/evercore
	install -m 644 $(filter-out %.mk,$(wildcard sql/*.*)) $(DESTDIR)$(datadir)/evercore/sql
	install -m 755 sql/bundle sql/install $(DESTDIR)$(datadir)/evercore/sql
	install -m 644 migrations/postgres/*.sql $(DESTDIR)$(datadir)/evercore/migrations/postgres
	@echo "load it with:  .load $(libdir)/evercore"
	@echo "install a store in PostgreSQL with:  $(datadir)/evercore/sql/install 'dbname=...'"

install-docs:
	install -d $(DESTDIR)$(docdir)
	install -m 644 README.md CHANGELOG.md LICENSE $(wildcard docs/*.*) $(DESTDIR)$(docdir)

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(libdir)/evercore.so $(DESTDIR)$(bindir)/evercoregen
	rm -f $(DESTDIR)$(libdir)/libevercore.a $(DESTDIR)$(libdir)/libevercore.so*
	rm -f $(DESTDIR)$(libdir)/libevercore-sqlite.a $(DESTDIR)$(libdir)/libevercore-sqlite.so*
	rm -f $(DESTDIR)$(pkgconfigdir)/evercore.pc $(DESTDIR)$(pkgconfigdir)/evercore-sqlite.pc
	rm -rf $(DESTDIR)$(libdir)/cmake/evercore $(DESTDIR)$(includedir)/evercore $(DESTDIR)$(datadir)/evercore $(DESTDIR)$(docdir)

dist: ## pack the sources of this commit into dist/
	@mkdir -p dist
	git archive --prefix=evercore-$(VERSION)/ -o dist/evercore-$(VERSION).tar.gz HEAD
	cd dist && sha256sum evercore-$(VERSION).tar.gz > evercore-$(VERSION).tar.gz.sha256

clean: ## remove everything that was built
	rm -rf build dist
