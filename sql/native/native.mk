# The optional compiled module for PostgreSQL: CREATE EXTENSION evercore_native. Needs postgresql-server-dev.

NATIVE_MAKE = $(MAKE) --no-print-directory -C build/native ROOT='$(CURDIR)' PG_CONFIG='$(PG_CONFIG)' with_llvm=no

.PHONY: native pg-install-native pg-uninstall-native

native: build/native/Makefile build/native/evercore_native--$(VERSION).sql build/native/evercore_native.control ## build the compiled module for PostgreSQL (PG_CONFIG)
	@+$(NATIVE_MAKE) all

# PGXS takes the folder of its Makefile for that of the sources.
build/native/Makefile: sql/native/pgxs.mk
	@mkdir -p $(@D)
	@cp $< $@

build/native/evercore_native--$(VERSION).sql: $(PG_BUNDLE_PARTS) sql/native/evercore_native.sql
	@mkdir -p $(@D)
	sql/bundle native >$@

build/native/evercore_native.control: sql/native/evercore_native.control.in VERSION
	@mkdir -p $(@D)
	sed 's/@version@/$(VERSION)/' $< >$@

pg-install-native: native ## install the files for CREATE EXTENSION evercore_native (PG_CONFIG, DESTDIR)
	@+$(NATIVE_MAKE) install

pg-uninstall-native: native ## remove the files of CREATE EXTENSION evercore_native
	@+$(NATIVE_MAKE) uninstall
