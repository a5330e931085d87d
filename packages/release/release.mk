# The extension as one file that runs elsewhere: simdjson, libstdc++ and libgcc inside, no glibc symbol newer than 2.28.
# build/release/evercore.so, and dist/evercore-<version>-linux-<machine>.tar.gz with its licences.

SIMDJSON_PACKAGE := @nozbe/simdjson@3.9.4
SIMDJSON_SHA256  := aae6a647bfeaf5591a3c6c601be0318e17d26f471ec245a585f21f0d6aaeb84b
SIMDJSON_SOURCE  := build/release/simdjson

# What each append runs through is compiled for speed, the rest for size: appends are as fast as in the normal build, reads
# take 7 % more instructions.
RELEASE_FAST     := append append_table append_request payload transaction value
RELEASE_OBJECTS  := $(EXT_NAMES:%=build/release/%.o) build/release/runtime.o build/release/simdjson.o
RELEASE_CPPFLAGS  = -iquote ext -Ipackages/release/include -isystem $(SIMDJSON_SOURCE) -DEVERCORE_VERSION='"$(VERSION)"' -DNDEBUG
RELEASE_CXXFLAGS := $(STD) -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -ffunction-sections -fdata-sections -fno-rtti
RELEASE_LDFLAGS  := -static-libstdc++ -static-libgcc -Wl,--exclude-libs,ALL -Wl,--version-script=ext/evercore.map \
                    -Wl,--gc-sections -Wl,-O1 -Wl,--as-needed -Wl,-z,noseparate-code
RELEASE_ARCHIVE   = dist/evercore-$(VERSION)-linux-$(shell uname -m).tar.gz

.PHONY: release test-release test-chroots

release: $(SIMDJSON_SOURCE)/simdjson.cpp ## build the extension as one file for other machines (needs npm), and pack it into dist/
	@$(MAKE) --no-print-directory build/release/evercore.so
	@mkdir -p dist
	@cp LICENSE build/release/LICENSE
	@tar -czf $(RELEASE_ARCHIVE) --owner=0 --group=0 -C build/release evercore.so LICENSE LICENSE.simdjson
	@cd dist && sha256sum $(notdir $(RELEASE_ARCHIVE)) > $(notdir $(RELEASE_ARCHIVE)).sha256
	@ls -l build/release/evercore.so $(RELEASE_ARCHIVE)

test-release: release loadable ## build the release, read what it needs, and run the surface suite on it
	@packages/release/check
test-chroots: release ## load the release in Debian 11 to 13 and Ubuntu, made by debootstrap below build/chroots (as root)
	@packages/release/check chroots

# Debian has simdjson as a shared library only; npm carries its two source files.
$(SIMDJSON_SOURCE)/simdjson.cpp:
	@packages/release/fetch_simdjson '$(SIMDJSON_PACKAGE)' $(SIMDJSON_SHA256) $(SIMDJSON_SOURCE)

build/release/%.o: ext/%.cpp VERSION packages/release/release.mk
	@mkdir -p $(@D)
	@echo '  CXX release $<'
	@$(CXX) -flto $(if $(filter $*,$(RELEASE_FAST)),-O2,-Os) $(RELEASE_CPPFLAGS) $(RELEASE_CXXFLAGS) -MMD -MP -c $< -o $@
build/release/migrations.o: build/gen/migrations.cpp
	@mkdir -p $(@D)
	@$(CXX) -flto -Os $(RELEASE_CPPFLAGS) $(RELEASE_CXXFLAGS) -c $< -o $@
build/release/runtime.o: packages/release/runtime.cpp
	@mkdir -p $(@D)
	@$(CXX) -Os $(WARNINGS) $(RELEASE_CXXFLAGS) -c $< -o $@
# Of simdjson's kernels two: for processors with AVX2, and for all others.
build/release/simdjson.o: $(SIMDJSON_SOURCE)/simdjson.cpp
	@echo '  CXX release simdjson'
	@$(CXX) -O2 -w $(RELEASE_CPPFLAGS) $(RELEASE_CXXFLAGS) -DSIMDJSON_IMPLEMENTATION_ICELAKE=0 \
	  -DSIMDJSON_IMPLEMENTATION_WESTMERE=0 -c $< -o $@

build/release/evercore.so: $(RELEASE_OBJECTS) ext/evercore.map
	@echo '  LINK $@'
	@$(CXX) -shared -flto=2 $(RELEASE_LDFLAGS) $(RELEASE_OBJECTS) -o $@
	@$(STRIP) $@

-include $(wildcard build/release/*.d)
