// The standard headers that most of the extension includes, compiled once for the loadable extension. No source
// relies on it: the static library is compiled without, so a missing include fails there.
#include <sqlite3ext.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>
