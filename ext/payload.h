// The payload profile: the only place that knows what a legal document is.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace evercore::ext {

inline constexpr std::size_t max_payload_bytes = 16u << 20;  ///< of data and metadata together

/// Checks documents with simdjson's DOM, and keeps its parser. Only one thread may use it at a time.
class Payload {
 public:
  Payload();
  ~Payload();

  /// Throws EV004 with the fault's word and byte unless `document` is within the profile.
  /// `argument` names it in the text: data, metadata, state.
  void check(std::string_view argument, std::string_view document);

  /// The same for an argument that may be anything at its root.
  void check_value(std::string_view argument, std::string_view document);

  /// EV004's word for `document`, empty where it is within the profile.
  [[nodiscard]] std::string verdict(std::string_view document);

  /// Throws EV004 for a document that was refused.
  [[noreturn]] static void refuse(std::string_view argument, std::string_view document);

  /// The parsers. Callers that need parsed elements include payload_dom.h; they are not in this header,
  /// which every file includes, since simdjson's header is large.
  struct Dom;
  [[nodiscard]] Dom& dom() { return *dom_; }

 private:
  bool is_legal(std::string_view document);

  std::unique_ptr<Dom> dom_;
};

}  // namespace evercore::ext
