#include "schema_text.h"

#include <algorithm>

namespace evercore::ext {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '$' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Where a comment that begins at `at` ends; `at` where none does.
std::size_t after_comment(std::string_view sql, std::size_t at) {
  const std::string_view two = sql.substr(at, 2);
  if (two != "--" && two != "/*") return at;
  const std::string_view end = two == "--" ? "\n" : "*/";
  const std::size_t found = sql.find(end, at + 2);
  return found == std::string_view::npos ? sql.size() : found + end.size();
}

/// Where a quoted token that begins at `at` ends; a doubled quote stands for one.
std::size_t after_quoted(std::string_view sql, std::size_t at) {
  const char close = sql[at] == '[' ? ']' : sql[at];
  for (std::size_t i = at + 1; i < sql.size(); ++i) {
    if (sql[i] != close) continue;
    if (close == ']' || i + 1 >= sql.size() || sql[i + 1] != close) return i + 1;
    ++i;
  }
  return sql.size();
}

std::string folded(std::string_view word) {
  std::string text(word);
  std::transform(text.begin(), text.end(), text.begin(), lower);
  return text;
}

SqlToken next_token(std::string_view sql, std::size_t at) {
  const char c = sql[at];
  if (c == '\'' || c == '"' || c == '`' || c == '[') {
    const std::string_view raw = sql.substr(at, after_quoted(sql, at) - at);
    if (c == '\'' || raw.size() < 2) return {std::string(raw), raw};
    return {folded(raw.substr(1, raw.size() - 2)), raw};
  }
  std::size_t end = at + 1;
  if (is_word(c)) {
    while (end < sql.size() && is_word(sql[end])) ++end;
  }
  const std::string_view raw = sql.substr(at, end - at);
  return {folded(raw), raw};
}

bool is_constraint(const std::string& word) {
  return word == "constraint" || word == "primary" || word == "unique" || word == "check" ||
         word == "foreign";
}

std::string joined(const std::vector<SqlToken>& tokens, std::size_t from, std::size_t to) {
  std::string text;
  for (std::size_t i = from; i < to; ++i)
    text.append(text.empty() ? "" : " ").append(tokens[i].text);
  return text;
}

/// The index of the parenthesis that closes the one at `open`; the number of tokens where none does.
std::size_t closing(const std::vector<SqlToken>& tokens, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    if (tokens[i].raw == "(") ++depth;
    if (tokens[i].raw == ")" && --depth == 0) return i;
  }
  return tokens.size();
}

std::size_t opening(const std::vector<SqlToken>& tokens) {
  const auto found =
      std::find_if(tokens.begin(), tokens.end(), [](const SqlToken& t) { return t.raw == "("; });
  return static_cast<std::size_t>(found - tokens.begin());
}

/// What stands between two tokens, as it was written.
std::string_view between(const SqlToken& before, const SqlToken& after) {
  const char* from = before.raw.data() + before.raw.size();
  return {from, static_cast<std::size_t>(after.raw.data() - from)};
}

}  // namespace

std::vector<SqlToken> tokens_of(std::string_view sql) {
  std::vector<SqlToken> tokens;
  for (std::size_t at = 0; at < sql.size();) {
    if (is_blank(sql[at])) {
      ++at;
    } else if (const std::size_t end = after_comment(sql, at); end != at) {
      at = end;
    } else {
      tokens.push_back(next_token(sql, at));
      at += tokens.back().raw.size();
    }
  }
  while (!tokens.empty() && tokens.back().raw == ";") tokens.pop_back();
  return tokens;
}

bool same_sql(std::string_view a, std::string_view b) {
  const auto left = tokens_of(a);
  const auto right = tokens_of(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const SqlToken& l, const SqlToken& r) { return l.text == r.text; });
}

TableText table_text_of(std::string_view create_table) {
  const auto tokens = tokens_of(create_table);
  TableText table;
  const std::size_t open = opening(tokens);
  const std::size_t close = open < tokens.size() ? closing(tokens, open) : open;
  if (close >= tokens.size()) return table;
  table.readable = true;
  table.options = joined(tokens, close + 1, tokens.size());
  std::size_t depth = 0;
  std::size_t begin = open + 1;
  for (std::size_t i = begin; i <= close; ++i) {
    if (tokens[i].raw == "(") ++depth;
    if (tokens[i].raw == ")" && i != close) --depth;
    if (depth > 0 || (i != close && tokens[i].raw != ",")) continue;
    if (i > begin) {
      const std::string& name = tokens[begin].text;
      table.parts.push_back({is_constraint(name) ? "" : name, joined(tokens, begin, i)});
    }
    begin = i + 1;
  }
  return table;
}

IndexText index_text_of(std::string_view create_index) {
  const auto tokens = tokens_of(create_index);
  IndexText index;
  const std::size_t open = opening(tokens);
  const std::size_t close = open < tokens.size() ? closing(tokens, open) : open;
  if (close >= tokens.size()) return index;
  index.columns = between(tokens[open], tokens[close]);
  if (close + 1 < tokens.size() && tokens[close + 1].text == "where") {
    const SqlToken& last = tokens.back();
    const char* from = tokens[close + 1].raw.data() + tokens[close + 1].raw.size();
    index.where = {from, static_cast<std::size_t>(last.raw.data() + last.raw.size() - from)};
  }
  return index;
}

}  // namespace evercore::ext
