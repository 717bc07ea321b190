// Numbers of the PROXY protocol, version 2, that both directions know (haproxy
// doc/proxy-protocol.txt, section 2.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gatehouse::proxy_protocol {

inline constexpr std::array<std::uint8_t, 12> signature{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D,
                                                        0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};

// The version in the high four bits, the command in the low ones.
inline constexpr std::uint8_t command_local = 0x20;
inline constexpr std::uint8_t command_proxy = 0x21;

// The address family in the high four bits, the transport in the low ones.
inline constexpr std::uint8_t family_unspecified = 0x00;
inline constexpr std::uint8_t family_tcp4 = 0x11;
inline constexpr std::uint8_t family_tcp6 = 0x21;

// Two addresses and two ports.
inline constexpr std::size_t addresses_size_v4 = 12;
inline constexpr std::size_t addresses_size_v6 = 36;

}  // namespace gatehouse::proxy_protocol
