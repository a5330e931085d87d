#include "payload.h"

#include <string>

#include "../../ext/payload.h"

namespace evercore::native {

ext::Payload& session_payload() {
  static ext::Payload payload;
  return payload;
}

bool is_payload(std::string_view document) noexcept {
  std::string_view word;
  return payload_fault(document, word) && word.empty();
}

bool payload_fault(std::string_view document, std::string_view& word) noexcept try {
  static std::string kept;
  kept = session_payload().verdict(document);
  word = kept;
  return true;
} catch (...) {
  return false;
}

}  // namespace evercore::native
