// The little of TLS's outside that is read and written without a library.
#pragma once

#include <array>
#include <cstdint>

namespace gatehouse::tls_record {

inline constexpr std::uint8_t handshake = 0x16;  // the type of the first one (RFC 8446 5.1)
// An alert as a record of its own (RFC 8446 6): fatal, access_denied.
inline constexpr std::array<std::uint8_t, 7> access_denied{0x15, 3, 3, 0, 2, 2, 49};

}  // namespace gatehouse::tls_record
