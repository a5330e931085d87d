#include "memory.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace bench {

double megabytes(const std::string& process, const std::string& name) {
  std::ifstream file("/proc/" + process + "/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind(name + ":", 0) != 0) continue;
    double kilobytes = 0;
    std::istringstream(line.substr(name.size() + 1)) >> kilobytes;
    return kilobytes / 1024;
  }
  return 0;
}

double told_by(const std::string& command) {
  FILE* output = popen(command.c_str(), "r");
  double number = 0;
  const bool told = output != nullptr && std::fscanf(output, "%lf", &number) == 1;
  if (output == nullptr || pclose(output) != 0 || !told) throw std::runtime_error(command);
  return number;
}

OwnMemory::OwnMemory(std::string process)
    : process_(std::move(process)), looking_([this] {
        while (!stop_) {
          most_ = std::max(most_, megabytes(process_, "RssAnon"));
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
      }) {}

OwnMemory::~OwnMemory() {
  most();
}

double OwnMemory::most() {
  stop_ = true;
  if (looking_.joinable()) looking_.join();
  return most_;
}

}  // namespace bench
