# What the tests reach of ext/ and lib/src: both compiled for gcov, under tests that are compiled as ever.

COVERAGE         := build/coverage
COVERAGE_FLAGS   := -O0 -g1 -fPIC --coverage -fprofile-update=atomic
COVERAGE_EXT     := $(EXT_NAMES:%=$(COVERAGE)/ext/%.o)
COVERAGE_LIB     := $(patsubst build/%,$(COVERAGE)/%,$(LIB_COMMON) $(LIB_POSTGRES))
COVERAGE_TESTS   := $(addprefix $(COVERAGE)/,evercore.so unit extension faults simulator library)

.PHONY: coverage coverage-programs coverage-sql
coverage: sql build/evercore.so ## count the lines and branches of ext/ and lib/src that tests reach (SUITES, STEPS; see tests/coverage/check)
	@$(MAKE) --no-print-directory -j$(JOBS) coverage-programs
	@tests/coverage/check
coverage-programs: $(COVERAGE_TESTS)

coverage-sql: sql ## count the statements of PL/pgSQL that tests reach (WORDS=surface for some; needs Debian's postgresql-15-plpgsql-check)
	@tests/coverage/sql $(WORDS)

$(COVERAGE)/ext/%.o: ext/%.cpp VERSION
	@mkdir -p $(@D)
	@echo '  CXX coverage $<'
	@$(CXX) $(EXT_CPPFLAGS) -DSQLITE_CORE $(STD) $(COVERAGE_FLAGS) -MMD -MP -c $< -o $@
$(COVERAGE)/ext/migrations.o: build/static/migrations.o
	@mkdir -p $(@D)
	@cp $< $@
# Bound to the machine's SQLite, which its shell and Python have as well: the suites of scripts load it by EVERCORE_EXTENSION.
$(COVERAGE)/evercore.so: $(COVERAGE_EXT)
	@echo '  LINK $@'
	@$(CXX) -shared --coverage $^ $(TEST_LDLIBS) -o $@
$(COVERAGE)/lib/%.o: lib/src/%.cpp
	@mkdir -p $(@D)
	@echo '  CXX coverage $<'
	@$(CXX) $(LIB_CPPFLAGS) $(STD) $(COVERAGE_FLAGS) -MMD -MP -c $< -o $@
$(COVERAGE)/lib/postgres_bundle.o: build/lib/postgres_bundle.o
	@mkdir -p $(@D)
	@cp $< $@

# $(1) the program, $(2) the objects of its tests, $(3) more to link
define covered
$(COVERAGE)/$(1): $(2) $(COVERAGE_EXT) $(3)
	@echo '  LINK $$@'
	@$$(CXX) --coverage $$(filter %.o,$$^) $(4) -o $$@
endef
$(foreach suite,unit extension faults,$(eval $(call covered,$(suite),\
  $(patsubst tests/%.cpp,build/tests/%.o,$(wildcard tests/$(suite)/*.cpp)) build/tests/doctest_main.o,,$$(TEST_LDLIBS))))
$(eval $(call covered,simulator,$(SIMULATE_OBJECTS),,-Wl$$(comma)--wrap=_ZN8evercore3ext3nowEv $$(TEST_LDLIBS)))
$(eval $(call covered,library,$(LIB_TESTS:tests/library/%.cpp=build/library-tests/%.o) $(LIB_DISK:%=build/library-tests/%.o) build/library-tests/doctest_main.o,$(COVERAGE_LIB),$$(LIB_LIBS)))

-include $(COVERAGE_EXT:.o=.d) $(COVERAGE_LIB:.o=.d)
