// The payload profile, from ext/payload.h, for functions that the server may leave by longjmp.
#pragma once

#include <string_view>

namespace evercore::native {

/// Whether a document is within the profile.
bool is_payload(std::string_view document) noexcept;

/// EV004's word, empty where the document is within the profile; valid until the next call. False where
/// there is no memory.
bool payload_fault(std::string_view document, std::string_view& word) noexcept;

}  // namespace evercore::native
