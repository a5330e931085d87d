# How the sources look: clang-format, clang-tidy, the length of lines of SQL, shellcheck. `make test` has it as the suite lint.

FORMATTED  = $(shell git ls-files '*.h' '*.cpp' '*.c' ':!tests/gen/wrong' 2>/dev/null)
TIDY_FILES := $(patsubst %.cpp,build/tidy/%.ok,$(wildcard ext/*.cpp lib/src/*.cpp lib/src/sqlite_only/*.cpp))

.PHONY: lint format tidy

lint: ## look at the sources: format, clang-tidy, length of SQL lines, shellcheck
	@tests/run lint

format: ## format the C++ sources
	clang-format -i $(FORMATTED)

tidy: $(TIDY_FILES) ## look at the extension and the library with clang-tidy

build/tidy/ext/%.ok: TIDY_CPPFLAGS = $(EXT_CPPFLAGS) -DSQLITE_CORE
build/tidy/lib/%.ok: TIDY_CPPFLAGS = $(LIB_CPPFLAGS) $(EXT_CPPFLAGS)
build/tidy/%.ok: %.cpp .clang-tidy $(wildcard ext/*.h lib/src/*.h lib/include/evercore/*.h lib/include/evercore/detail/*.h)
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(TIDY_CPPFLAGS) $(STD) >$(@:.ok=.log) 2>&1 || { grep -v ' warnings\? ' $(@:.ok=.log); exit 1; }
	@touch $@
