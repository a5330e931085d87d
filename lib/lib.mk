# The C++ library: build/libevercore.a and build/libevercore.so.<version>, with the SQLite extension inside; and
# libevercore-sqlite, the same without PostgreSQL, which needs no libpq.

LIB_SOURCES  := $(wildcard lib/src/*.cpp)
LIB_HEADERS  := $(wildcard lib/include/evercore/*.h lib/include/evercore/detail/*.h)
LIB_COMMON   := $(patsubst lib/src/%.cpp,build/lib/%.o,$(filter-out lib/src/postgres_%,$(LIB_SOURCES)))
LIB_POSTGRES := $(patsubst lib/src/%.cpp,build/lib/%.o,$(filter lib/src/postgres_%,$(LIB_SOURCES))) build/lib/postgres_bundle.o
LIB_OBJECTS  := $(LIB_COMMON) $(LIB_POSTGRES)
LIB_SQLITE   := $(LIB_COMMON) build/lib/sqlite_only/no_postgres.o
# Only what speaks to PostgreSQL is compiled with its headers.
PG_INCLUDE    = $(addprefix -isystem ,$(shell $(PG_CONFIG) --includedir 2>/dev/null))
LIB_CPPFLAGS  = -I. -Ilib/include -iquote lib/src $(PG_INCLUDE) $(shell $(PKG_CONFIG) --cflags simdjson 2>/dev/null)
LIB_CXXFLAGS := $(STD) $(WARNINGS) -fPIC
LIB_SQLITE_LIBS := -lsqlite3 -lsimdjson -pthread
LIB_LIBS     := $(LIB_SQLITE_LIBS) -lpq
LIB_MAJOR    := $(firstword $(subst ., ,$(VERSION)))
LIB_EXPORTS  := lib/evercore.map

LIB_TESTS    := $(wildcard tests/library/*_test.cpp)
LIB_DISK     := disk vfs
LIB_EXAMPLES := $(patsubst examples/%.cpp,build/examples/%,$(wildcard examples/*.cpp))
LIB_BENCHES  := $(patsubst bench/%.cpp,build/bench/%,$(wildcard bench/library_*.cpp))

.PHONY: lib lib-sqlite has-libpq install-library-sqlite lib-test-programs examples bench-library soak-workers soak-library install-library asan-library ubsan-library tsan-library

all: lib
lib: has-libpq build/libevercore.a build/libevercore.so lib-sqlite ## build the C++ library, static and shared
lib-sqlite: build/libevercore-sqlite.a build/libevercore-sqlite.so ## build the C++ library for SQLite alone, without libpq

# One sentence in place of a compiler's. `make -n` must not ask either.
has-libpq:
	@test -n "$(PG_INCLUDE)" && test -e "$$($(PG_CONFIG) --includedir)/libpq-fe.h" || { \
	  echo "evercore: the C++ library needs libpq, which is not here (Debian: libpq-dev). 'make deps' installs all that is missing;" >&2; \
	  echo "          without PostgreSQL: 'make lib-sqlite' and 'make install-library-sqlite', or 'make install-extension'" >&2; exit 1; }
$(LIB_POSTGRES): | has-libpq

build/gen/postgres_bundle.cpp: lib/embed_bundle VERSION $(wildcard sql/* migrations/postgres/*.sql)
	@mkdir -p $(@D)
	@lib/embed_bundle $(VERSION) > $@
build/lib/postgres_bundle.o: build/gen/postgres_bundle.cpp
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(LIB_CPPFLAGS) $(CPPFLAGS) $(LIB_CXXFLAGS) $(CXXFLAGS) -MMD -MP -c $< -o $@
build/lib/%.o: lib/src/%.cpp
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(LIB_CPPFLAGS) $(CPPFLAGS) $(LIB_CXXFLAGS) $(CXXFLAGS) -MMD -MP -c $< -o $@
$(LIB_OBJECTS) $(LIB_SQLITE): build/flags
# $(call library,name,objects,libraries): an archive takes one member of a name, so no source of ext/ is called as one of lib/src
define library
build/lib$(1).a: $(2) $(EXT_STATIC)
	@echo '  AR $$@'
	@rm -f $$@
	@$(AR) rcs $$@ $$^
build/lib$(1).so.$(VERSION): $(2) $(EXT_STATIC) $(LIB_EXPORTS)
	@echo '  LINK $$@'
	@$(CXX) -shared $(CXXFLAGS) $(LDFLAGS) -Wl,-soname,lib$(1).so.$(LIB_MAJOR) \
	  -Wl,--version-script=$(LIB_EXPORTS) $(2) $(EXT_STATIC) $(3) -o $$@
build/lib$(1).so: build/lib$(1).so.$(VERSION)
	@ln -sf $$(<F) build/lib$(1).so.$(LIB_MAJOR)
	@ln -sf $$(<F) $$@
endef
$(eval $(call library,evercore,$(LIB_OBJECTS),$(LIB_LIBS)))
$(eval $(call library,evercore-sqlite,$(LIB_SQLITE),$(LIB_SQLITE_LIBS)))

# Programs of one source each.
build/examples/%: examples/%.cpp build/libevercore.a
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) -Ilib/include $(CPPFLAGS) $(STD) $(WARNINGS) $(CXXFLAGS) $< build/libevercore.a $(LIB_LIBS) -o $@
build/bench/library_%: bench/library_%.cpp $(BENCH_HARNESS) build/libevercore.a
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(LIB_CPPFLAGS) $(CPPFLAGS) $(STD) $(WARNINGS) $(CXXFLAGS) -MMD -MP $< $(BENCH_HARNESS) build/libevercore.a $(LIB_LIBS) -o $@
build/examples/user: examples/user_events.h examples/user_events.gen.h
examples: $(LIB_EXAMPLES) ## build the C++ examples

# The tests compile without optimisation: they are many, and short.
LIB_TEST_FLAGS := -O0 -g1
build/library-tests/doctest_main.o: tests/doctest_main.cpp
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(STD) $(LIB_TEST_FLAGS) -c $< -o $@
build/library-tests/%.o: tests/library/%.cpp
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(LIB_CPPFLAGS) -Itests $(CPPFLAGS) $(STD) $(WARNINGS) $(LIB_TEST_FLAGS) -MMD -MP -c $< -o $@
build/library-tests/%.o: tests/simulate/%.cpp
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) -Itests $(CPPFLAGS) $(STD) $(WARNINGS) $(LIB_TEST_FLAGS) -MMD -MP -c $< -o $@
build/library-tests/all: $(LIB_TESTS:tests/library/%.cpp=build/library-tests/%.o) $(LIB_DISK:%=build/library-tests/%.o) build/library-tests/doctest_main.o build/libevercore.a
	@echo '  LINK $@'
	@$(CXX) $^ $(LIB_LIBS) -o $@
build/library-tests/workers: build/library-tests/workers.o build/libevercore.a
	@echo '  LINK $@'
	@$(CXX) $^ $(LIB_LIBS) -o $@
lib-test-programs: build/library-tests/all build/library-tests/workers $(LIB_EXAMPLES)

# $(call sanitized,name,flags): the library, the extension and the tests below build/<name>/, and a target that runs them.
# gcc 12 warns of std::variant there, and is wrong.
define sanitized
build/library-$(1)/ext/%.o: ext/%.cpp
	@mkdir -p $$(@D)
	@echo '  CXX $$<'
	@$(CXX) $$(EXT_CPPFLAGS) -DSQLITE_CORE $(EXT_CXXFLAGS) -O1 -g1 $(2) -MMD -MP -c $$< -o $$@
build/library-$(1)/ext/migrations.o: build/gen/migrations.cpp
	@mkdir -p $$(@D)
	@$(CXX) $$(EXT_CPPFLAGS) -DSQLITE_CORE $(EXT_CXXFLAGS) -O1 -g1 $(2) -MMD -MP -c $$< -o $$@
build/library-$(1)/lib/%.o: lib/src/%.cpp
	@mkdir -p $$(@D)
	@echo '  CXX $$<'
	@$(CXX) $$(LIB_CPPFLAGS) $(LIB_CXXFLAGS) -O1 -g1 $(2) -MMD -MP -c $$< -o $$@
build/library-$(1)/lib/postgres_bundle.o: build/gen/postgres_bundle.cpp
	@mkdir -p $$(@D)
	@$(CXX) $$(LIB_CPPFLAGS) $(LIB_CXXFLAGS) $(2) -MMD -MP -c $$< -o $$@
build/library-$(1)/tests/%.o: tests/library/%.cpp
	@mkdir -p $$(@D)
	@echo '  CXX $$<'
	@$(CXX) $$(LIB_CPPFLAGS) -Itests $(STD) $(WARNINGS) -O1 -g1 $(2) -MMD -MP -c $$< -o $$@
build/library-$(1)/tests/%.o: tests/simulate/%.cpp
	@mkdir -p $$(@D)
	@echo '  CXX $$<'
	@$(CXX) -Itests $$(CPPFLAGS) $$(STD) $$(WARNINGS) -O1 -g1 $(2) -MMD -MP -c $$< -o $$@
build/library-$(1)/tests/doctest_main.o: tests/doctest_main.cpp
	@mkdir -p $$(@D)
	@$(CXX) $(STD) $(2) -MMD -MP -c $$< -o $$@
build/library-$(1)/library-tests: $(LIB_TESTS:tests/library/%.cpp=build/library-$(1)/tests/%.o) $(LIB_DISK:%=build/library-$(1)/tests/%.o) build/library-$(1)/tests/doctest_main.o \
    $(EXT_NAMES:%=build/library-$(1)/ext/%.o) $(LIB_OBJECTS:build/%=build/library-$(1)/%)
	@echo '  LINK $$@'
	@$(CXX) $(2) $$^ $(LIB_LIBS) -o $$@
$(1)-library: build/library-$(1)/library-tests ## run the library's tests under $(1)
	@EVERCORE_LIBRARY_TESTS=build/library-$(1)/library-tests tests/library/run
endef
$(eval $(call sanitized,asan,-fsanitize=address -fno-omit-frame-pointer -Wno-maybe-uninitialized))
$(eval $(call sanitized,ubsan,-fsanitize=undefined -fno-sanitize-recover=all -Wno-maybe-uninitialized))
$(eval $(call sanitized,tsan,-fsanitize=thread))

soak: soak-workers soak-library
soak-library: build/library-tests/all ## the library's tests on a disk each of whose writes fails, and on one that loses power at each call
	@EVERCORE_SOAK=1 EVERCORE_LIBRARY_ENGINE=file build/library-tests/all -tc='*on a disk that fails*,*on a machine that dies*'
soak-workers: build/library-tests/workers ## kill workers of a subscription over 200,000 events, on both engines
	@EVERCORE_WORKERS_EVENTS=200000 tests/library/check_workers

bench-library: $(LIB_BENCHES) ## measure the C++ library against raw C, interleaved
	@bench/step library_sqlite build/bench/library_sqlite
	@bench/step subscription_library build/bench/library_subscription
	@EVERCORE_SERVER_OPTIONS=fsync=on bench/step library_postgres tests/postgres/with_server build/bench/library_postgres
	@EVERCORE_SERVER_OPTIONS=fsync=on bench/step subscription_postgres tests/postgres/with_server build/bench/library_subscription
	@$(PYTHON) bench/plot bench/out/library_sqlite.json bench/out/library_postgres.json

# $(call install_library,name,pc): an installed library is stripped of what only debuggers need.
define install_library
	install -m 644 build/lib$(1).a $(DESTDIR)$(libdir)
	$(STRIP) --strip-debug $(DESTDIR)$(libdir)/lib$(1).a
	install -m 755 build/lib$(1).so.$(VERSION) $(DESTDIR)$(libdir)
	$(STRIP) --strip-unneeded $(DESTDIR)$(libdir)/lib$(1).so.$(VERSION)
	ln -sf lib$(1).so.$(VERSION) $(DESTDIR)$(libdir)/lib$(1).so.$(LIB_MAJOR)
	ln -sf lib$(1).so.$(LIB_MAJOR) $(DESTDIR)$(libdir)/lib$(1).so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(libdir)|' -e 's|@INCLUDEDIR@|$(includedir)|' \
	  -e 's|@VERSION@|$(VERSION)|' lib/$(1).pc.in > $(DESTDIR)$(pkgconfigdir)/$(1).pc
endef

install-library: lib install-library-sqlite
	$(call install_library,evercore)
install-library-sqlite: lib-sqlite ## install the C++ library for SQLite alone (PREFIX, DESTDIR)
	install -d $(DESTDIR)$(includedir)/evercore/detail $(DESTDIR)$(libdir)/cmake/evercore $(DESTDIR)$(pkgconfigdir)
	install -m 644 lib/include/evercore/*.h $(DESTDIR)$(includedir)/evercore
	install -m 644 lib/include/evercore/detail/*.h $(DESTDIR)$(includedir)/evercore/detail
	$(call install_library,evercore-sqlite)
	sed -e 's|@VERSION@|$(VERSION)|' lib/evercore-config-version.cmake.in > $(DESTDIR)$(libdir)/cmake/evercore/evercore-config-version.cmake
	install -m 644 lib/evercore-config.cmake $(DESTDIR)$(libdir)/cmake/evercore

-include $(LIB_SQLITE:.o=.d)
-include $(LIB_OBJECTS:.o=.d) $(wildcard build/library-*san/*/*.d build/library-tests/*.d build/bench/library_*.d)
