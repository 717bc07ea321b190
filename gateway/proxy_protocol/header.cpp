#include "gateway/proxy_protocol/header.h"

#include "gateway/proxy_protocol/wire.h"

namespace gatehouse::proxy_protocol {

namespace {

void append_u16(std::vector<std::uint8_t>& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value & 0xFF));
}

void append_v4(std::vector<std::uint8_t>& out, const rules::IpAddress& address) {
  append_u16(out, static_cast<std::uint16_t>(address.v4_value() >> 16));
  append_u16(out, static_cast<std::uint16_t>(address.v4_value() & 0xFFFF));
}

void append_as_v6(std::vector<std::uint8_t>& out, const rules::IpAddress& address) {
  if (address.is_v4()) {
    out.insert(out.end(), 10, 0);
    append_u16(out, 0xFFFF);
    append_v4(out, address);
  } else {
    const auto bytes = address.v6_bytes();
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
}

}  // namespace

std::vector<std::uint8_t> make_header(const config::SocketAddress& source,
                                      const config::SocketAddress& destination) {
  const bool v4 = source.ip.is_v4() && destination.ip.is_v4();
  std::vector<std::uint8_t> out(signature.begin(), signature.end());
  out.push_back(command_proxy);
  out.push_back(v4 ? family_tcp4 : family_tcp6);
  append_u16(out, v4 ? addresses_size_v4 : addresses_size_v6);
  const auto append = v4 ? append_v4 : append_as_v6;
  append(out, source.ip);
  append(out, destination.ip);
  append_u16(out, source.port);
  append_u16(out, destination.port);
  return out;
}

}  // namespace gatehouse::proxy_protocol
