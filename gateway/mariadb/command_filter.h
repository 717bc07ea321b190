// Follows what a client sends in an established session and finds the few commands in it that may
// not pass as they are where the gateway has chosen the server: COM_CHANGE_USER names the server
// again, and a KILL names a thread by the gateway's number. Everything else passes unread, most of
// it uncopied. Only for sessions without compression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "gateway/mariadb/bytes.h"
#include "gateway/mariadb/packet.h"

namespace gatehouse::mariadb {

class CommandFilter {
 public:
  // Longer packets are not searched for a KILL.
  static constexpr std::uint32_t kill_size_max = 1024;

  // The backend's number of the thread that clients know by the given one of the gateway's
  // (own_thread_id_min and up). No value: there is none.
  using FindThread = std::function<std::optional<std::uint32_t>(std::uint32_t)>;

  explicit CommandFilter(FindThread find_thread);

  enum class Found : std::uint8_t {
    nothing,
    change_user,  // taken out of the stream, which goes on behind it
    malformed,    // not to be followed any further: feed no more
  };
  struct Step {
    Found found = Found::nothing;
    std::size_t consumed = 0;               // of the chunk; all, if nothing was found
    Bytes forward;                          // what the backend gets
    std::vector<std::uint8_t> change_user;  // the payload of what was found
  };

  // Takes the next bytes of the client. `forward` shows the chunk itself, or a part of it, unless
  // something was held back before it or had to be rewritten: then it shows `out`, whose former
  // bytes are lost either way. Held back is at most the beginning of one packet: a header, a
  // COM_CHANGE_USER or a packet that may be a KILL.
  Step feed(Bytes chunk, std::vector<std::uint8_t>& out);

  // Whether the last command was COM_QUIT.
  [[nodiscard]] bool has_quit() const noexcept;

 private:
  class Outflow;

  [[nodiscard]] bool is_command(PacketHeader header) const noexcept;
  [[nodiscard]] std::size_t head_size(Bytes seen) const noexcept;
  Bytes take_head(Bytes& rest);
  bool follow(PacketHeader header) noexcept;
  void begin_packet(Bytes head, Outflow& outflow, Step& step);
  [[nodiscard]] std::vector<std::uint8_t> with_backends_thread(Bytes payload) const;
  [[nodiscard]] std::optional<std::uint32_t> backends_thread(std::uint64_t id) const;

  FindThread find_thread_;
  std::vector<std::uint8_t> held_;  // the packet that has begun, while too little of it is there
  std::uint32_t passing_ = 0;       // what is still to come of the packet before
  std::uint8_t sequence_ = 0;       // of the packet before
  bool continues_ = false;          // which goes on in the next packet
  bool in_file_ = false;            // LOCAL INFILE: what comes is data, until an empty packet
  std::uint8_t last_command_ = 0;
};

}  // namespace gatehouse::mariadb
