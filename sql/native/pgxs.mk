# The module of evercore_native, by the server's own rules (PGXS); sql/native/native.mk calls it in a folder below build/.
EVERCORE_VERSION := $(shell cat $(ROOT)/VERSION)
MODULE_big  = evercore_native-$(EVERCORE_VERSION)
EXTENSION   = evercore_native
DATA_built  = evercore_native--$(EVERCORE_VERSION).sql
OBJS        = module.o store.o append.o append_many.o appends.o payload.o schema.o \
              ext_payload.o ext_json.o ext_json_fault.o ext_error.o ext_append_json.o ext_append_request.o ext_tag.o ext_value.o ext_time.o ext_decimal.o \
              ext_json_tree.o ext_data_schema_read.o ext_data_schema_graph.o ext_data_schema_places.o ext_data_schema_evaluation.o \
              ext_data_schema_fault.o ext_data_schema_format.o
PG_CPPFLAGS = -MMD -MP -DEVERCORE_VERSION='"$(EVERCORE_VERSION)"' -DSQLITE_CORE -iquote $(ROOT)/ext $(shell pkg-config --cflags simdjson)
PG_CXXFLAGS = -std=c++20 -Wall -Wextra -Wshadow -Wconversion -Werror -Wno-error=pedantic -ffunction-sections -fdata-sections
SHLIB_LINK  = -Wl,--version-script=$(ROOT)/sql/native/evercore_native.map -Wl,--gc-sections $(shell pkg-config --libs simdjson) -lstdc++
with_llvm   = no
PGXS       := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

ext_%.o: $(ROOT)/ext/%.cpp
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) -c $< -o $@
%.o: $(ROOT)/sql/native/%.cpp
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) -c $< -o $@

-include $(OBJS:.o=.d)
