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

// One event type: what is to be declared of it, and what differs.
class Declaring {
 public:
  Declaring(const EventFold& ours, const Found& theirs, Present present)
      : ours_(ours), theirs_(theirs), replaces_(present == Present::is_replaced) {}

  void add_to(Declarations& all) {
    Parameter fold(ours_.fold);
    if (const std::string theirs = fold_of(theirs_.fold);
        theirs != "merge" && theirs != fold_of(ours_.fold)) {
      differ(all, "folds by ", theirs_.fold, ours_.fold);
      if (!replaces_) fold = Parameter();
    }
    if (differs(theirs_.tags, ours_.tags)) differ(all, "has the tags ", theirs_.tags, ours_.tags);
    if (differs(theirs_.schema, ours_.schema)) {
      differ(all, "has the schema ", theirs_.schema, ours_.schema);
    }
    const std::string options = options_text();
    if (!options.empty()) {
      const std::string& kept = all.texts.emplace_back(options);
      all.commands.emplace_back(statements::declare_event_type_with,
                                std::initializer_list<Parameter>{ours_.event_type, fold, kept});
    } else if (fold.kind() != Parameter::Kind::null) {
      all.commands.emplace_back(statements::declare_event_type,
                                std::initializer_list<Parameter>{ours_.event_type, fold});
    }
  }

 private:
  static bool differs(std::string_view theirs, std::string_view ours) {
    return !theirs.empty() && !ours.empty() && !same_json(theirs, ours);
  }

  void differ(Declarations& all, std::string_view verb, std::string_view theirs,
              std::string_view ours) const {
    std::string& text = all.differences.emplace_back("event type \"");
    text.append(ours_.event_type).append("\" ").append(verb).append(theirs);
    text.append(" in the store, and ").append(verb.starts_with("folds") ? "by " : "");
    text.append(ours).append(" here");
  }

  // {"tags":{…},"schema":{…}}, without what is not to be declared. What the store has in another spelling
  // is left out as well: a schema would count as another.
  std::string options_text() const {
    std::string text;
    const auto add = [&](std::string_view name, std::string_view ours, std::string_view theirs) {
      if (ours.empty()) return;
      if (!theirs.empty() && (same_json(theirs, ours) ? theirs != ours : !replaces_)) return;
      text.append(text.empty() ? "{\"" : ",\"").append(name).append("\":").append(ours);
    };
    add("tags", ours_.tags, theirs_.tags);
    add("schema", ours_.schema, theirs_.schema);
    if (!text.empty()) text += '}';
    return text;
  }

  const EventFold& ours_;
  const Found& theirs_;
  bool replaces_;
};

}  // namespace

Declarations declarations_of(const AggregateType& type, Session& session, Present present) {
  const std::vector<Found> found = read(type, session);
  Declarations all;
  for (std::size_t i = 0; i < found.size(); ++i) {
    Declaring(type.folds[i], found[i], present).add_to(all);
  }
  return all;
}

}  // namespace evercore::detail
