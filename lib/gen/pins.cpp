#include "pins.h"

#include <algorithm>
#include <set>

#include "names.h"

namespace evercore::gen {

namespace {

using Names = std::set<std::string>;  // as C++ spells them

Names aggregate_names(const Model& model) {
  Names names;
  for (const Aggregate& aggregate : model.aggregates) names.insert(cpp_text(aggregate.stored));
  return names;
}

Names event_names(const Model& model) {
  Names names;
  for (const Event& event : model.events) {
    names.insert(cpp_text(event.stored));
    for (const std::string& alias : event.aliases) names.insert(cpp_text(alias));
    for (const std::string& older : event.older) names.insert(cpp_text(older));
  }
  return names;
}

}  // namespace

std::vector<Fault> lost_names(const std::string& path, std::string_view written,
                              const Model& model) {
  const Names aggregates = aggregate_names(model), events = event_names(model);
  std::vector<Fault> faults;
  const Names* list = nullptr;  // that of the lines being read
  unsigned number = 0;
  while (!written.empty()) {
    const std::string_view line = written.substr(0, written.find('\n'));
    written.remove_prefix(std::min(line.size() + 1, written.size()));
    ++number;
    if (line.ends_with(" aggregate_types{")) list = &aggregates;
    if (line.ends_with(" event_types{")) list = &events;
    const std::size_t quote = line.find('"');
    if (list == nullptr || quote == line.npos) continue;
    const std::string name(line.substr(quote, line.rfind('"') - quote + 1));
    if (!list->contains(name)) {
      const bool event = list == &events;
      faults.push_back({{path, number, static_cast<unsigned>(quote + 1)},
                        std::string(event ? "events" : "aggregates") + " were stored as " + name +
                            ", and no marked struct bears that name any more; give one of them " +
                            (event ? "event_type or aliases" : "aggregate_type") +
                            " of that name, or delete this line to let it go"});
    }
    if (line.ends_with("};")) list = nullptr;
  }
  return faults;
}

}  // namespace evercore::gen
