# The SQLite extension: build/evercore.so to load, build/static/libevercore_ext.a to link.

EXT_SOURCES    := $(wildcard ext/*.cpp)
EXT_MIGRATIONS := $(sort $(wildcard migrations/sqlite/*.sql))
EXT_CPPFLAGS    = -iquote ext -DEVERCORE_VERSION='"$(VERSION)"' $(shell $(PKG_CONFIG) --cflags simdjson)
EXT_CXXFLAGS   := $(STD) $(WARNINGS) -fPIC -fvisibility=hidden -fvisibility-inlines-hidden
EXT_NAMES      := $(EXT_SOURCES:ext/%.cpp=%) migrations
EXT_OBJECTS    := $(EXT_NAMES:%=build/ext/%.o)
EXT_STATIC     := $(EXT_NAMES:%=build/static/%.o)

.PHONY: loadable static

loadable: build/evercore.so ## build the loadable extension
static: build/static/libevercore_ext.a ## build the extension for static linking

build/gen/migrations.cpp: ext/embed_migrations $(EXT_MIGRATIONS)
	@mkdir -p $(@D)
	ext/embed_migrations $(EXT_MIGRATIONS) > $@

build/ext/%.o: ext/%.cpp VERSION
	@mkdir -p $(@D)
	@echo '  CXX $<'
	@$(CXX) $(EXT_CPPFLAGS) $(CPPFLAGS) $(EXT_CXXFLAGS) $(CXXFLAGS) -MMD -MP -c $< -o $@
build/ext/migrations.o: build/gen/migrations.cpp
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

# Never linked with -lsqlite3: the host brings its own.
build/evercore.so: $(EXT_OBJECTS) ext/evercore.map
	@echo '  LINK $@'
	@$(CXX) -shared $(CXXFLAGS) $(LDFLAGS) -Wl,--version-script=ext/evercore.map -Wl,--as-needed \
	  $(EXT_OBJECTS) $(shell $(PKG_CONFIG) --libs simdjson) -o $@
build/static/libevercore_ext.a: $(EXT_STATIC)
	@echo '  AR $@'
	@rm -f $@
	@$(AR) rcs $@ $(EXT_STATIC)

-include $(EXT_OBJECTS:.o=.d) $(EXT_STATIC:.o=.d)

-include ext/subscription.mk
