// evercoregen: reads C++ headers with marked structs, writes the C++ and the SQL that follow from
// them. `evercoregen --help` says how.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "options.h"
#include "pins.h"
#include "reader.h"
#include "writers.h"

namespace evercore::gen {

namespace {

namespace fs = std::filesystem;

// A header as a file in the output's directory includes it: the same wherever the tool was called.
std::vector<std::string> sources_of(const std::vector<std::string>& headers,
                                    const std::string& output) {
  const fs::path home = fs::weakly_canonical(fs::absolute(output)).parent_path();
  std::vector<std::string> sources;
  for (const std::string& header : headers) {
    sources.push_back(fs::weakly_canonical(header).lexically_relative(home).generic_string());
  }
  return sources;
}

std::string guard_of(const std::string& name_space, const std::string& output) {
  std::string guard = "EVERCOREGEN_" + name_space + "_" + fs::path(output).filename().string();
  for (char& c : guard) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) c = '_';
  }
  for (std::size_t at; (at = guard.find("__")) != guard.npos;) guard.erase(at, 1);
  return guard;
}

struct Output {
  std::string path;
  std::string text;
};

std::vector<Output> make_outputs(const Options& options, const Model& model) {
  std::vector<Output> outputs;
  if (const std::string& path = options.header_output; !path.empty()) {
    outputs.push_back({path, write_header(model, sources_of(options.headers, path),
                                          options.name_space, guard_of(options.name_space, path))});
  }
  if (const std::string& path = options.sql_output; !path.empty()) {
    outputs.push_back({path, write_sql(model, sources_of(options.headers, path), options.dialect,
                                       options.shape)});
  }
  return outputs;
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool is_fresh(const Output& output) {
  const auto there = read_file(output.path);
  if (there == output.text) return true;
  std::fprintf(stderr, "evercoregen: %s %s\n", output.path.c_str(),
               there ? "is stale; run evercoregen again" : "is not there; run evercoregen");
  return false;
}

bool write_file(const Output& output) {
  std::ofstream out(output.path, std::ios::binary | std::ios::trunc);
  out << output.text;
  out.close();
  if (!out) std::fprintf(stderr, "evercoregen: %s cannot be written\n", output.path.c_str());
  return static_cast<bool>(out);
}

int run(const Options& options) {
  if (options.help) return std::fputs(help_text, stdout), 0;
  if (options.version) return std::puts("evercoregen " EVERCORE_VERSION), 0;
  for (const std::string& header : options.headers) {
    if (!read_file(header)) {
      std::fprintf(stderr, "evercoregen: %s cannot be read\n", header.c_str());
      return 1;
    }
  }
  std::vector<Fault> faults;
  const Model model = read_headers(options.headers, options.flags, faults);
  if (const auto written = read_file(options.header_output); faults.empty() && written) {
    faults = lost_names(options.header_output, *written, model);
  }
  for (const Fault& fault : faults) {
    std::fprintf(stderr, "%s:%u:%u: %s\n", fault.where.file.c_str(), fault.where.line,
                 fault.where.column, fault.sentence.c_str());
  }
  if (!faults.empty()) return 1;
  bool good = true;
  for (const Output& output : make_outputs(options, model)) {
    good = (options.check ? is_fresh(output) : write_file(output)) && good;
  }
  return good ? 0 : 1;
}

}  // namespace

}  // namespace evercore::gen

int main(int argc, char** argv) try {
  return evercore::gen::run(
      evercore::gen::read_options({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)}));
} catch (const evercore::gen::usage_fault& fault) {
  std::fprintf(stderr, "evercoregen: %s\nTry evercoregen --help.\n", fault.what());
  return 2;
} catch (const std::exception& fault) {
  std::fprintf(stderr, "evercoregen: %s\n", fault.what());
  return 1;
}
