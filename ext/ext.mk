# The SQLite extension: build/evercore.so to load, build/static/libevercore_ext.a to link.

EXT_SOURCES    := $(wildcard ext/*.cpp)
EXT_MIGRATIONS := $(sort $(wildcard migrations/sqlite/*.sql))
EXT_CPPFLAGS    = -iquote ext -DEVERCORE_VERSION='"$(VERSION)"' $(shell $(PKG_CONFIG) --cflags simdjson 2>/dev/null)
EXT_CXXFLAGS   := $(STD) $(WARNINGS) -fPIC -fvisibility=hidden -fvisibility-inlines-hidden
EXT_NAMES      := $(EXT_SOURCES:ext/%.cpp=%) migrations
EXT_OBJECTS    := $(EXT_NAMES:%=build/ext/%.o)
EXT_STATIC     := $(EXT_NAMES:%=build/static/%.o)

.PHONY: loadable static has-extension-needs

loadable: build/evercore.so ## build the loadable extension
static: build/static/libevercore_ext.a ## build the extension for static linking

build/gen/migrations.cpp: ext/embed_migrations $(EXT_MIGRATIONS) | has-extension-needs
	@mkdir -p $(@D)
	ext/embed_migrations $(EXT_MIGRATIONS) > $@

# One sentence in place of a compiler's.
has-extension-needs:
	@command -v $(CXX) >/dev/null || { echo "evercore: there is no $(CXX) here; 'make deps' installs all that is missing" >&2; exit 1; }
	@said=$$($(CXX) $(CPPFLAGS) $(EXT_CPPFLAGS) $(STD) -E -x c++ ext/has_headers.h 2>&1 >/dev/null) || { \
	  why=$$(echo "$$said" | sed -n 's/.*error: [# a-z]*"\(.*\)".*/\1/p' | head -n 1); \
	  echo "evercore: $${why:-$$(echo "$$said" | head -n 1)}; 'make deps' installs all that is missing" >&2; exit 1; }
$(EXT_OBJECTS) $(EXT_STATIC) build/ext/common.h.gch: | has-extension-needs

# The loadable extension is what a newcomer waits for: reading the standard headers once halves its time.
build/ext/common.h.gch: ext/common.h VERSION
	@mkdir -p $(@D)
	@cp $< build/ext/common.h
	@$(CXX) $(EXT_CPPFLAGS) $(CPPFLAGS) $(EXT_CXXFLAGS) $(CXXFLAGS) -MD -MP -x c++-header $< -o $@
build/ext/%.o: ext/%.cpp build/ext/common.h.gch VERSION
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(EXT_CPPFLAGS) $(CPPFLAGS) $(EXT_CXXFLAGS) $(CXXFLAGS) -include build/ext/common.h -MMD -MP -c $< -o $@
build/ext/migrations.o: build/gen/migrations.cpp | has-extension-needs
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(EXT_CPPFLAGS) $(CPPFLAGS) $(EXT_CXXFLAGS) $(CXXFLAGS) -MMD -MP -c $< -o $@
build/static/%.o: ext/%.cpp VERSION
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(EXT_CPPFLAGS) -DSQLITE_CORE $(CPPFLAGS) $(EXT_CXXFLAGS) $(CXXFLAGS) -MMD -MP -c $< -o $@
build/static/migrations.o: build/gen/migrations.cpp
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(EXT_CPPFLAGS) -DSQLITE_CORE $(CPPFLAGS) $(EXT_CXXFLAGS) $(CXXFLAGS) -MMD -MP -c $< -o $@

$(EXT_OBJECTS) $(EXT_STATIC) build/ext/common.h.gch: build/flags

# Never linked with -lsqlite3: the host brings its own.
build/evercore.so: $(EXT_OBJECTS) ext/evercore.map
	@echo '  LINK $@'
	@$(CXX) -shared $(CXXFLAGS) $(LDFLAGS) -Wl,--version-script=ext/evercore.map -Wl,--as-needed \
	  $(EXT_OBJECTS) $(shell $(PKG_CONFIG) --libs simdjson 2>/dev/null || echo -lsimdjson) -o $@
build/static/libevercore_ext.a: $(EXT_STATIC)
	@echo '  AR $@'
	@rm -f $@
	@$(AR) rcs $@ $(EXT_STATIC)

-include $(EXT_OBJECTS:.o=.d) $(EXT_STATIC:.o=.d) build/ext/common.h.d

-include ext/subscription.mk
