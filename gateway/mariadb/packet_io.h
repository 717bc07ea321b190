// Whole packets of a login, read from and written to a stream. Reads exactly one packet and nothing
// behind it: what follows may belong to TLS.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gateway/mariadb/packet.h"
#include "gateway/net/tls_stream.h"

namespace gatehouse::mariadb {

enum class PacketIo { ok, malformed, end, failed, aborted };

// Header and payload as they came, so that it can be passed on with another sequence number.
class Packet {
 public:
  Packet() = default;
  // A packet of our own making, header included.
  explicit Packet(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] std::uint8_t sequence() const noexcept { return bytes_[header_size - 1]; }
  void set_sequence(std::uint8_t sequence) noexcept { bytes_[header_size - 1] = sequence; }
  [[nodiscard]] std::span<std::uint8_t> payload() noexcept {
    return std::span(bytes_).subspan(header_size);
  }
  [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }
  void set_payload(Bytes payload);

 private:
  friend Awaitable<PacketIo> read_packet(Stream& stream, std::uint8_t sequence,
                                         std::uint32_t size_max, Packet& into);
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(header_size);
};

// `malformed`: the header has another sequence number than the one due, or announces more than
// `size_max`; the payload is then not read.
Awaitable<PacketIo> read_packet(Stream& stream, std::uint8_t sequence, std::uint32_t size_max,
                                Packet& into);

}  // namespace gatehouse::mariadb
