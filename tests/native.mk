# The native tests: C++ programs with doctest. Each suite's `run` runs build/tests/<suite>_test.

NATIVE_SUITES   := unit extension concurrency crash faults
NATIVE_PROGRAMS := $(NATIVE_SUITES:%=build/tests/%_test)
TEST_CPPFLAGS    = -iquote ext -iquote tests -DEVERCORE_VERSION='"$(VERSION)"' $(shell $(PKG_CONFIG) --cflags simdjson)
TEST_CXXFLAGS   := $(STD) -Wall -Wextra -Wshadow -Werror
TEST_LDLIBS      = $(shell $(PKG_CONFIG) --libs simdjson) -lsqlite3 -ldl -lpthread

.PHONY: test-programs asan ubsan valgrind fuzz fuzz-files
.SECONDARY:

test-programs: $(NATIVE_PROGRAMS) build/tests/fuzz_driver build/tests/file_driver build/tests/file_and_sql_driver build/tests/simulator simulator-postgres simulator-both ## build the native test programs

build/tests/%.o: tests/%.cpp
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(TEST_CPPFLAGS) $(CPPFLAGS) $(TEST_CXXFLAGS) -O1 -g -MMD -MP -c $< -o $@

# $(1) a suite, $(2) the build directory, $(3) the archive of the extension, $(4) flags
define native_program
$(2)/tests/$(1)_test: $(patsubst tests/%.cpp,$(2)/tests/%.o,$(wildcard tests/$(1)/*.cpp)) $(2)/tests/doctest_main.o $(3)
	@echo '  LINK $$@'
	@$$(CXX) $(4) $$(LDFLAGS) $$(filter %.o,$$^) $(3) $$(TEST_LDLIBS) -o $$@
endef
$(foreach suite,$(NATIVE_SUITES),$(eval $(call native_program,$(suite),build,build/static/libevercore_ext.a,)))

# The same programs under a sanitizer: $(1) its name, $(2) its flags.
define sanitized
build/$(1)/ext/%.o: ext/%.cpp VERSION
	@mkdir -p $$(@D)
	@echo '  CXX $(1) $$<'
	@$$(CXX) $$(EXT_CPPFLAGS) -DSQLITE_CORE $$(CPPFLAGS) $$(STD) -O1 -g $(2) -MMD -MP -c $$< -o $$@
build/$(1)/ext/migrations.o: build/gen/migrations.cpp
	@mkdir -p $$(@D)
	@$$(CXX) $$(EXT_CPPFLAGS) -DSQLITE_CORE $$(CPPFLAGS) $$(STD) -O1 -g $(2) -MMD -MP -c $$< -o $$@
build/$(1)/libevercore_ext.a: $$(EXT_NAMES:%=build/$(1)/ext/%.o)
	@rm -f $$@
	@$$(AR) rcs $$@ $$^
build/$(1)/tests/%.o: tests/%.cpp
	@mkdir -p $$(@D)
	@echo '  CXX $(1) $$<'
	@$$(CXX) $$(TEST_CPPFLAGS) $$(CPPFLAGS) $$(TEST_CXXFLAGS) -O1 -g $(2) -MMD -MP -c $$< -o $$@
$$(foreach suite,unit extension faults,$$(eval $$(call native_program,$$(suite),build/$(1),build/$(1)/libevercore_ext.a,$(2))))
$(1): build/$(1)/tests/unit_test build/$(1)/tests/extension_test build/$(1)/tests/faults_test build/evercore.so ## run the unit, extension and fault tests under this sanitizer
	build/$(1)/tests/unit_test
	build/$(1)/tests/extension_test
	build/$(1)/tests/faults_test
-include $$(wildcard build/$(1)/ext/*.d build/$(1)/tests/*.d build/$(1)/tests/*/*.d)
endef
# gcc 12 warns of std::regex there, and is wrong.
$(eval $(call sanitized,asan,-fsanitize=address -fno-omit-frame-pointer -Wno-maybe-uninitialized))
$(eval $(call sanitized,ubsan,-fsanitize=undefined -fno-sanitize-recover=all -Wno-maybe-uninitialized))

# Damaged store files, in the same two forms: in `make test` by count, and under both sanitizers with `make fuzz-files`.
build/tests/file_driver: build/tests/fuzz/file_driver.o build/tests/fuzz/store.o build/static/libevercore_ext.a
	@echo '  LINK $@'
	@$(CXX) $(LDFLAGS) $(filter %.o,$^) build/static/libevercore_ext.a $(TEST_LDLIBS) -o $@
FUZZ_FILES ?= 2000
fuzz-files: build/gen/migrations.cpp ## damage FUZZ_FILES (2000) store files and call every function on each, under ASan and UBSan (needs clang)
	@$(MAKE) --no-print-directory build/fuzz/file_driver
	build/fuzz/file_driver $(FUZZ_FILES)
build/fuzz/file_driver: tests/fuzz/file_driver.cpp tests/fuzz/store.cpp $(EXT_NAMES:%=build/fuzz/ext/%.o)
	@echo '  LINK $@'
	@clang++ $(TEST_CPPFLAGS) -DSQLITE_CORE=1 $(STD) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all $^ $(TEST_LDLIBS) -o $@

build/tests/fuzz_driver: build/tests/fuzz/fuzz.o build/tests/fuzz/random_driver.o build/static/libevercore_ext.a
	@echo '  LINK $@'
	@$(CXX) $(LDFLAGS) $(filter %.o,$^) build/static/libevercore_ext.a $(TEST_LDLIBS) -o $@

build/tests/file_and_sql_driver: build/tests/fuzz/file_and_sql.o build/tests/fuzz/store.o build/tests/fuzz/random_driver.o build/static/libevercore_ext.a
	@echo '  LINK $@'
	@$(CXX) $(LDFLAGS) $(filter %.o,$^) build/static/libevercore_ext.a $(TEST_LDLIBS) -o $@

FUZZ_SECONDS ?= 60
FUZZ_FLAGS   := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
fuzz: build/gen/migrations.cpp loadable ## fuzz each target for FUZZ_SECONDS (60): with clang's libFuzzer, without clang by random mutation; then both engines beside oracles (SEED)
	@if command -v clang++ >/dev/null; then $(MAKE) --no-print-directory build/fuzz/fuzz build/fuzz/file_and_sql build/tests/fuzz_driver build/tests/file_and_sql_driver && \
	  for target in fuzz file_and_sql; do mkdir -p build/fuzz/corpus/$$target && build/tests/$${target}_driver --seeds build/fuzz/corpus/$$target && \
	  UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1 build/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -rss_limit_mb=4096 -timeout=120 -print_final_stats=1 build/fuzz/corpus/$$target || exit 1; done; \
	else $(MAKE) --no-print-directory build/tests/fuzz_driver build/tests/file_and_sql_driver && build/tests/fuzz_driver $$((10000 * $(FUZZ_SECONDS))) && \
	  build/tests/file_and_sql_driver $$((100 * $(FUZZ_SECONDS))); fi
	tests/differential/run --seconds $(FUZZ_SECONDS)
build/fuzz/ext/%.o: ext/%.cpp VERSION
	@mkdir -p $(@D)
	@echo '  CLANG $<'
	@clang++ $(EXT_CPPFLAGS) -DSQLITE_CORE $(CPPFLAGS) $(STD) -O1 -g $(FUZZ_FLAGS) -MMD -MP -c $< -o $@
build/fuzz/ext/migrations.o: build/gen/migrations.cpp
	@mkdir -p $(@D)
	@clang++ $(EXT_CPPFLAGS) -DSQLITE_CORE $(CPPFLAGS) $(STD) -O1 -g $(FUZZ_FLAGS) -c $< -o $@
build/fuzz/fuzz: tests/fuzz/fuzz.cpp $(EXT_NAMES:%=build/fuzz/ext/%.o)
build/fuzz/file_and_sql: tests/fuzz/file_and_sql.cpp tests/fuzz/store.cpp $(EXT_NAMES:%=build/fuzz/ext/%.o)
build/fuzz/fuzz build/fuzz/file_and_sql:
	@echo '  LINK $@'
	@clang++ $(TEST_CPPFLAGS) -DSQLITE_CORE=1 $(STD) -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $^ $(TEST_LDLIBS) -o $@

soak: build/tests/crash_test build/tests/faults_test build/tests/simulator ## run the crash and fault tests in their long form (SOAK_SECONDS, 300), and ten million steps of the simulator
	EVERCORE_SOAK=$(or $(SOAK_SECONDS),300) build/tests/crash_test
	EVERCORE_SOAK=1 build/tests/faults_test
	build/tests/simulator --steps $(or $(STEPS),10000000)

valgrind: build/tests/unit_test build/tests/extension_test ## run the unit and extension tests under valgrind
	valgrind -q --error-exitcode=1 --leak-check=full --show-leak-kinds=definite,possible build/tests/unit_test
	valgrind -q --error-exitcode=1 --leak-check=full --show-leak-kinds=definite,possible \
	  build/tests/extension_test --test-case-exclude='*random histories*,*10,000*,*shared library*'

-include $(wildcard build/fuzz/ext/*.d build/tests/*.d build/tests/*/*.d build/tests/*/*/*.d)
