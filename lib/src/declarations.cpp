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
    if (!row.is_null(0)) fold = row.text(0);
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
  return fold == R"([{"merge":""}])" ? "merge" : fold;
}

bool same_json(std::string_view one, std::string_view other) {
  return one == other || compact(one) == compact(other);
}

// What two declarations say of one part, where both say something and not the same.
bool differ(std::string_view theirs, std::string_view ours) {
  return !theirs.empty() && !ours.empty() && !same_json(theirs, ours);
}

bool is_undeclared(std::string_view theirs, std::string_view ours) {
  return theirs.empty() && !ours.empty();
}

// What the store has in another spelling is not: a schema would count as another.
bool is_to_be_replaced(std::string_view theirs, std::string_view ours) {
  return is_undeclared(theirs, ours) || differ(theirs, ours);
}

std::string difference(std::string_view type, std::string_view name, std::string_view verb,
                       std::string_view theirs, std::string_view ours) {
  std::string text(type);
  text.append(" \"").append(name).append("\" ").append(verb).append(theirs);
  text.append(" in the store, and ").append(verb.starts_with("folds") ? "by " : "");
  return text.append(ours).append(" here");
}

// {"tags":{…},"schema":{…}}, without what is empty; NULL where both are.
Parameter options_of(std::string_view tags, std::string_view schema, Declarations& all) {
  std::string options;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    options.append(options.empty() ? "{\"" : ",\"").append(name).append("\":").append(value);
  };
  add("tags", tags);
  add("schema", schema);
  if (options.empty()) return nullptr;
  return all.texts.emplace_back(options += '}');
}

// What another declares meanwhile stays.
void declare_undeclared(const EventFold& ours, Declarations& all) {
  all.commands.emplace_back(
      statements::declare_undeclared,
      std::initializer_list<Parameter>{ours.event_type, ours.fold, options_of(ours.tags, {}, all),
                                       options_of({}, ours.schema, all),
                                       options_of(ours.tags, ours.schema, all)});
}

void replace_event(const EventFold& ours, const Found& theirs, Declarations& all) {
  const auto changed = [](std::string_view there, std::string_view here) {
    return is_to_be_replaced(there, here) ? here : std::string_view();
  };
  Parameter fold(ours.fold);
  if (fold_of(theirs.fold) == fold_of(ours.fold)) fold = nullptr;
  const Parameter options =
      options_of(changed(theirs.tags, ours.tags), changed(theirs.schema, ours.schema), all);
  if (fold.kind() == Parameter::Kind::null && options.kind() == Parameter::Kind::null) return;
  all.commands.emplace_back(statements::declare_event_type,
                            std::initializer_list<Parameter>{ours.event_type, fold, options});
}

void declare_event(const EventFold& ours, const Found& theirs, Present present, Declarations& all) {
  const auto report = [&](std::string_view verb, std::string_view there, std::string_view here) {
    all.differences.push_back(difference("event type", ours.event_type, verb, there, here));
  };
  if (!theirs.fold.empty() && fold_of(theirs.fold) != fold_of(ours.fold)) {
    report("folds by ", theirs.fold, ours.fold);
  }
  if (differ(theirs.tags, ours.tags)) report("has the tags ", theirs.tags, ours.tags);
  if (differ(theirs.schema, ours.schema)) report("has the schema ", theirs.schema, ours.schema);
  if (present == Present::is_replaced) return replace_event(ours, theirs, all);
  if (theirs.fold.empty() || is_undeclared(theirs.tags, ours.tags) ||
      is_undeclared(theirs.schema, ours.schema)) {
    declare_undeclared(ours, all);
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
  const bool replaces = present == Present::is_replaced;
  if (replaces ? !is_to_be_replaced(theirs, type.schema) : !theirs.empty()) return;
  all.commands.emplace_back(
      replaces ? statements::declare_aggregate_type : statements::declare_undeclared_states,
      std::initializer_list<Parameter>{type.name, options_of({}, type.schema, all)});
}

// Before all that declares what is undeclared. Else a declaration by itself would be no transaction that keeps
// others out from its beginning.
void hold_declarations(const AggregateType& type, const Session& session, Declarations& all) {
  const auto states = type.schema.empty() ? std::nullopt : std::optional(type.name);
  const auto hold = session.hold_declarations(states);
  all.commands.insert(all.commands.begin(), hold ? *hold : Command(statements::version, {}));
}

}  // namespace

Declarations declarations_of(const AggregateType& type, Session& session, Present present) {
  const std::vector<Found> found = read(type, session);
  Declarations all;
  for (std::size_t i = 0; i < found.size(); ++i) {
    declare_event(type.folds[i], found[i], present, all);
  }
  if (!type.schema.empty()) declare_states(type, session, present, all);
  if (present == Present::stays && !all.commands.empty()) hold_declarations(type, session, all);
  return all;
}

}  // namespace evercore::detail
