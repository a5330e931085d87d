// A store file with something of everything, values that nobody would write, and the calls that are made of both.
#pragma once

#include <sqlite3.h>

#include <string>
#include <vector>

namespace evercore::fuzz {

/// The bytes of a store with something of everything.
const std::string& whole_store();
std::string image_of(sqlite3* db);
/// The connection goes on with these bytes as its file.
void open_image(sqlite3* db, const std::string& image);

/// As SQL.
const std::vector<std::string>& hostile_values();
/// Every function of the surface, with arguments that fit whole_store.
const std::vector<std::string>& calls();

}  // namespace evercore::fuzz
