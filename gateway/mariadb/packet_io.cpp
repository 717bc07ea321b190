#include "gateway/mariadb/packet_io.h"

namespace gatehouse::mariadb {

namespace {

PacketIo from(Io io) noexcept {
  switch (io) {
    case Io::ok:
      return PacketIo::ok;
    case Io::end:
      return PacketIo::end;
    case Io::failed:
      return PacketIo::failed;
    case Io::aborted:
      return PacketIo::aborted;
  }
  return PacketIo::failed;
}

}  // namespace

void Packet::set_payload(Bytes payload) {
  const std::uint8_t kept = sequence();
  bytes_.clear();
  append_packet(bytes_, kept, payload);
}

Awaitable<PacketIo> read_packet(Stream& stream, std::uint8_t sequence, std::uint32_t size_max,
                                Packet& into) {
  into.bytes_.resize(header_size);
  const Io header_read = co_await stream.read_exactly(into.bytes_);
  if (header_read != Io::ok) co_return from(header_read);
  const auto header = read_header(std::span<const std::uint8_t, header_size>(into.bytes_));
  if (header.sequence != sequence || header.length > size_max) co_return PacketIo::malformed;
  into.bytes_.resize(header_size + header.length);
  co_return from(co_await stream.read_exactly(into.payload()));
}

}  // namespace gatehouse::mariadb
