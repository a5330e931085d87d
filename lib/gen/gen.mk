# evercoregen: build/evercoregen, from lib/gen. Nothing else needs libclang, so `make all` leaves it out.

GEN_SOURCES  := $(wildcard lib/gen/*.cpp)
GEN_OBJECTS  := $(GEN_SOURCES:lib/gen/%.cpp=build/evercoregen.parts/%.o)
# The newest that is installed.
LIBCLANG     ?= $(patsubst %/include/clang-c/Index.h,%,$(shell ls /usr/lib/llvm-*/include/clang-c/Index.h 2>/dev/null | sort -V | tail -n 1))
GEN_CPPFLAGS  = -iquote lib/gen -isystem $(LIBCLANG)/include -DEVERCORE_VERSION='"$(VERSION)"'

.PHONY: evercoregen install-evercoregen examples-generated
evercoregen: build/evercoregen ## build evercoregen, which makes code and views of marked structs (needs libclang-dev)

build/evercoregen.parts/%.o: lib/gen/%.cpp VERSION
	@test -n "$(LIBCLANG)" || { echo "evercoregen needs libclang: apt-get install libclang-dev, or make LIBCLANG=/usr/lib/llvm-N" >&2; exit 1; }
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(GEN_CPPFLAGS) $(CPPFLAGS) $(STD) $(WARNINGS) $(CXXFLAGS) -MMD -MP -c $< -o $@
$(GEN_OBJECTS): build/flags
build/evercoregen: $(GEN_OBJECTS)
	@echo '  LINK $@'
	@$(CXX) $(CXXFLAGS) $(LDFLAGS) $^ -L$(LIBCLANG)/lib -lclang -o $@

lib-test-programs: build/evercoregen

examples-generated: build/evercoregen ## write anew what evercoregen makes of the examples
	build/evercoregen examples/user_events.h -o examples/user_events.gen.h --sql examples/user_events.sql --namespace users -- -Ilib/include

install: install-evercoregen
install-evercoregen:
	@if [ -x build/evercoregen ]; then \
	  install -d $(DESTDIR)$(bindir) && install -m 755 build/evercoregen $(DESTDIR)$(bindir) && $(STRIP) $(DESTDIR)$(bindir)/evercoregen; \
	else echo "evercoregen is not built and not installed (make evercoregen)"; fi

-include $(GEN_OBJECTS:.o=.d)
