#include "gateway/proxy_protocol/header.h"

#include "gateway/bytes.h"
#include "gateway/proxy_protocol/wire.h"

namespace gatehouse::proxy_protocol {

namespace {

void append_v4(std::vector<std::uint8_t>& out, const rules::IpAddress& address) {
  append_big_endian(out, address.v4_value(), 4);
}

void append_as_v6(std::vector<std::uint8_t>& out, const rules::IpAddress& address) {
  if (address.is_v4()) {
    out.insert(out.end(), 10, 0);
    append_big_endian(out, 0xFFFF, 2);
    append_v4(out, address);
  } else {
    append_bytes(out, address.v6_bytes());
  }
}

}  // namespace

std::vector<std::uint8_t> make_header(const config::SocketAddress& source,
                                      const config::SocketAddress& destination) {
  const bool v4 = source.ip.is_v4() && destination.ip.is_v4();
  std::vector<std::uint8_t> out(signature.begin(), signature.end());
  out.push_back(command_proxy);
  out.push_back(v4 ? family_tcp4 : family_tcp6);
  append_big_endian(out, v4 ? addresses_size_v4 : addresses_size_v6, 2);
  const auto append = v4 ? append_v4 : append_as_v6;
  append(out, source.ip);
  append(out, destination.ip);
  append_big_endian(out, source.port, 2);
  append_big_endian(out, destination.port, 2);
  return out;
}

}  // namespace gatehouse::proxy_protocol
