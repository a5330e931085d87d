# How the sources look: clang-format, clang-tidy, the length of lines of SQL, shellcheck. `make test` has it as the suite lint.

FORMATTED  = $(shell git ls-files '*.h' '*.cpp' '*.c' ':!tests/gen/wrong' 2>/dev/null)
TIDY_SOURCES := $(wildcard ext/*.cpp lib/src/*.cpp lib/src/sqlite_only/*.cpp)
TIDY_HEADERS := $(wildcard ext/*.h lib/src/*.h lib/include/evercore/*.h lib/include/evercore/detail/*.h)

.PHONY: lint format tidy analyze

lint: ## look at the sources: format, clang-tidy, length of SQL lines, shellcheck, clang's analyzer
	@tests/lint/run format sql shell names tidy analyze

format: ## format the C++ sources
	clang-format -i $(FORMATTED)

tidy: $(TIDY_SOURCES:%.cpp=build/tidy/%.ok) ## look at the extension and the library with clang-tidy
analyze: $(TIDY_SOURCES:%.cpp=build/analyze/%.ok) ## follow every path of the extension and the library with clang's analyzer

# $(1): the target; $(2): the checks that are added to those of .clang-tidy, or taken from them.
define tidied
build/$(1)/ext/%.ok: TIDY_CPPFLAGS = $(EXT_CPPFLAGS) -DSQLITE_CORE
build/$(1)/lib/%.ok: TIDY_CPPFLAGS = $(LIB_CPPFLAGS) $(EXT_CPPFLAGS)
build/$(1)/%.ok: %.cpp .clang-tidy $(TIDY_HEADERS)
	@mkdir -p $$(@D)
	@clang-tidy --quiet --checks='$(2)' $$< -- $$(TIDY_CPPFLAGS) $(STD) >$$(@:.ok=.log) 2>&1 || \
	  { grep -v ' warnings\? ' $$(@:.ok=.log); exit 1; }
	@touch $$@
endef
ANALYZER := -*,clang-analyzer-*,-clang-analyzer-cplusplus.NewDeleteLeaks
$(eval $(call tidied,tidy,))
$(eval $(call tidied,analyze,$(ANALYZER)))
