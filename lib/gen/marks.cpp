#include "marks.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <string_view>

namespace evercore::gen {

namespace {

constexpr std::string_view prefix = "evercore:";

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// What a comment says that is a mark or was meant to be one.
std::optional<std::string_view> said_by(std::string_view comment) {
  comment.remove_prefix(2);  // the two slashes, or a slash and a star
  while (!comment.empty() && (comment.front() == '/' || comment.front() == '*')) {
    comment.remove_prefix(1);
  }
  comment = trim(comment);
  if (!comment.starts_with(prefix)) return std::nullopt;
  return comment.substr(prefix.size());
}

// The regions that the preprocessor left out, as pairs of offsets.
std::vector<std::pair<unsigned, unsigned>> skipped_regions(const Unit& unit, CXFile file) {
  std::vector<std::pair<unsigned, unsigned>> regions;
  CXSourceRangeList* list = clang_getSkippedRanges(unit.get(), file);
  for (unsigned i = 0; i < list->count; ++i) {
    regions.emplace_back(spot_of(clang_getRangeStart(list->ranges[i])).offset,
                         spot_of(clang_getRangeEnd(list->ranges[i])).offset);
  }
  clang_disposeSourceRangeList(list);
  return regions;
}

// A token with what is asked of it again and again.
struct Token {
  Spot begin;
  Spot end;
  bool comment;
  std::string text;  // of comments only
};

std::vector<Token> read_tokens(const Unit& unit, std::size_t header) {
  const Tokens tokens(unit, header);
  const auto skipped = skipped_regions(unit, unit.file(header));
  std::vector<Token> read;
  for (const CXToken& token : tokens.all()) {
    const CXSourceRange extent = clang_getTokenExtent(unit.get(), token);
    const Spot begin = spot_of(clang_getRangeStart(extent));
    const auto holds = [&](const auto& region) {
      return region.first <= begin.offset && begin.offset < region.second;
    };
    if (std::any_of(skipped.begin(), skipped.end(), holds)) continue;
    const bool comment = clang_getTokenKind(token) == CXToken_Comment;
    read.push_back({begin, spot_of(clang_getRangeEnd(extent)), comment,
                    comment ? text_of(clang_getTokenSpelling(unit.get(), token)) : std::string()});
  }
  return read;
}

// The words after the prefix: what kind of mark it is, then names. The sentence says what is wrong.
std::optional<std::string> read_words(std::string_view words, Mark& mark) {
  std::istringstream in{std::string(words)};
  std::string kind;
  in >> kind;
  if (kind == "aggregate") {
    mark.kind = MarkKind::aggregate;
  } else if (kind == "state-event") {
    mark.kind = MarkKind::state_event;
  } else if (kind == "event") {
    mark.kind = MarkKind::event;
  } else {
    return "there is no mark evercore:" + kind +
           "; a mark is evercore:aggregate, evercore:state-event or evercore:event";
  }
  for (std::string name; in >> name;) mark.aggregates.push_back(name);
  if (mark.kind == MarkKind::aggregate && !mark.aggregates.empty()) {
    return "nothing may follow evercore:aggregate; it is the events that name their aggregates";
  }
  return std::nullopt;
}

// The first token after `at` that is no comment; a sentence where an empty line parts them.
std::optional<std::string> find_target(const std::vector<Token>& tokens, std::size_t at,
                                       Mark& mark) {
  if (at > 0 && tokens[at - 1].end.line == tokens[at].begin.line) {
    return "a mark stands on a line of its own, before its struct";
  }
  for (; at < tokens.size(); ++at) {
    if (!tokens[at].comment) {
      mark.target = tokens[at].begin.offset;
      return std::nullopt;
    }
    if (at + 1 < tokens.size() && tokens[at + 1].begin.line > tokens[at].end.line + 1) {
      return "an empty line parts the mark from what follows; put the mark directly before its "
             "struct";
    }
  }
  return "nothing follows the mark";
}

}  // namespace

std::vector<Mark> find_marks(const Unit& unit, std::size_t header, std::vector<Fault>& faults) {
  const std::vector<Token> tokens = read_tokens(unit, header);
  std::vector<Mark> marks;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].comment) continue;
    const auto said = said_by(tokens[i].text);
    if (!said) continue;
    Mark mark;
    mark.where = {unit.headers()[header], tokens[i].begin.line, tokens[i].begin.column};
    mark.header = header;
    std::optional<std::string> wrong;
    if (tokens[i].text.starts_with("/*")) wrong = "a mark is a // comment";
    if (!wrong) wrong = read_words(*said, mark);
    if (!wrong) wrong = find_target(tokens, i, mark);
    if (wrong) {
      faults.push_back({mark.where, *wrong});
    } else {
      marks.push_back(std::move(mark));
    }
  }
  return marks;
}

}  // namespace evercore::gen
