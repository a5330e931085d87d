#include "declarations.h"

#include "evercore/error.h"
#include "evercore/json.h"
#include "statements.h"

namespace evercore::detail {

namespace {

// What the store declares of an event type; a part is empty where it does not declare it.
struct Found {
  std::string fold;
  std::string tags;
  std::string schema;

  void operator()(const Row& row) {
    fold = row.text(0);
    if (!row.is_null(1)) tags = row.text(1);
    if (!row.is_null(2)) schema = row.text(2);
  }
};

std::vector<Found> read(const AggregateType& type, Session& session) {
  std::vector<Found> found(type.folds.size());
  std::vector<Command> commands;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string_view name = type.folds[i].event_type;
    commands.emplace_back(statements::declare_nothing, std::initializer_list<Parameter>{name});
    commands.emplace_back(statements::declared, std::initializer_list<Parameter>{name}, found[i]);
  }
  if (!commands.empty()) session.run(commands);
  return found;
}

// JSON without blanks; numbers as the library writes them. What is no JSON stays as it is.
std::string compact(std::string_view text) {
  std::string out;
  try {
    json::write_value(out, thread_document().parse(text));
  } catch (const error&) {
    return std::string(text);
  }
  return out;
}

// A fold by its word, or rules. One spelling of merge is a rule.
std::string fold_of(std::string_view text) {
  std::string fold = compact(text);
  return fold.empty() || fold == R"([{"merge":""}])" ? "merge" : fold;
}

bool same_json(std::string_view one, std::string_view other) {
  return one == other || compact(one) == compact(other);
}

// What two declarations say of one part, where both say something and not the same.
bool differ(std::string_view theirs, std::string_view ours) {
  return !theirs.empty() && !ours.empty() && !same_json(theirs, ours);
}

// Whether a part is to be declared. What the store has in another spelling is not: a schema would count
// as another.
bool is_to_be_declared(std::string_view theirs, std::string_view ours, Present present) {
  if (ours.empty()) return false;
  if (theirs.empty() || theirs == ours) return true;
  return present == Present::is_replaced && !same_json(theirs, ours);
}

std::string difference(std::string_view type, std::string_view name, std::string_view verb,
                       std::string_view theirs, std::string_view ours) {
  std::string text(type);
  text.append(" \"").append(name).append("\" ").append(verb).append(theirs);
  text.append(" in the store, and ").append(verb.starts_with("folds") ? "by " : "");
  return text.append(ours).append(" here");
}

void declare_event(const EventFold& ours, const Found& theirs, Present present, Declarations& all) {
  const auto report = [&](std::string_view verb, std::string_view there, std::string_view here) {
    all.differences.push_back(difference("event type", ours.event_type, verb, there, here));
  };
  Parameter fold(ours.fold);
  if (const std::string there = fold_of(theirs.fold);
      there != "merge" && there != fold_of(ours.fold)) {
    report("folds by ", theirs.fold, ours.fold);
    if (present == Present::stays) fold = Parameter();
  }
  if (differ(theirs.tags, ours.tags)) report("has the tags ", theirs.tags, ours.tags);
  if (differ(theirs.schema, ours.schema)) report("has the schema ", theirs.schema, ours.schema);
  std::string options;  // {"tags":{…},"schema":{…}}
  const auto add = [&](std::string_view name, std::string_view there, std::string_view here) {
    if (!is_to_be_declared(there, here, present)) return;
    options.append(options.empty() ? "{\"" : ",\"").append(name).append("\":").append(here);
  };
  add("tags", theirs.tags, ours.tags);
  add("schema", theirs.schema, ours.schema);
  if (!options.empty()) {
    const std::string& kept = all.texts.emplace_back(options += '}');
    all.commands.emplace_back(statements::declare_event_type_with,
                              std::initializer_list<Parameter>{ours.event_type, fold, kept});
  } else if (fold.kind() != Parameter::Kind::null) {
    all.commands.emplace_back(statements::declare_event_type,
                              std::initializer_list<Parameter>{ours.event_type, fold});
  }
}

void declare_states(const AggregateType& type, Session& session, Present present,
                    Declarations& all) {
  std::string theirs;
  auto sink = [&](const Row& row) {
    if (!row.is_null(0)) theirs = row.text(0);
  };
  session.run(Command(statements::declared_states, {type.name}, sink));
  if (differ(theirs, type.schema)) {
    all.differences.push_back(
        difference("aggregate type", type.name, "has the schema ", theirs, type.schema));
  }
  if (!is_to_be_declared(theirs, type.schema, present)) return;
  const std::string& options =
      all.texts.emplace_back("{\"schema\":" + std::string(type.schema) + "}");
  all.commands.emplace_back(statements::declare_aggregate_type,
                            std::initializer_list<Parameter>{type.name, options});
}

}  // namespace

Declarations declarations_of(const AggregateType& type, Session& session, Present present) {
  const std::vector<Found> found = read(type, session);
  Declarations all;
  for (std::size_t i = 0; i < found.size(); ++i) {
    declare_event(type.folds[i], found[i], present, all);
  }
  if (!type.schema.empty()) declare_states(type, session, present, all);
  return all;
}

}  // namespace evercore::detail
