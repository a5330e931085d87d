// What a fuzz target begins with, where random_driver.cpp mutates in libFuzzer's place.
#pragma once

#include <string>
#include <vector>

namespace evercore::fuzz {

std::vector<std::string> seeds();

}  // namespace evercore::fuzz
