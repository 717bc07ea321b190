// A client and its node, once frames pass. The input: two bytes that say how they speak and how
// their bytes are cut, and then steps, each of a kind, a length and that many bytes.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/cassandra/conversation.h"
#include "gateway/cassandra/error.h"
#include "tests/fuzz/require.h"
#include "tests/gateway/cassandra/cluster_of_three.h"
#include "tests/gateway/cassandra/requests.h"

namespace gatehouse::cassandra {

using fuzz::require;
using test::Buffer;
using Next = RelayFilter::Next;

namespace {

struct Manner {
  std::uint8_t version = 4;
  Compression compression = Compression::none;  // of bodies
  std::optional<SegmentForm> form{};
};
constexpr std::array<Manner, 8> manners{{{3},
                                         {4},
                                         {3, Compression::lz4},
                                         {4, Compression::lz4},
                                         {3, Compression::snappy},
                                         {4, Compression::snappy},
                                         {5, Compression::none, SegmentForm::plain},
                                         {5, Compression::none, SegmentForm::lz4}}};

enum class Kind : std::uint8_t {
  client_bytes,    // as they are
  client_frame,    // opcode, flags, stream, body
  client_query,    // stream, text
  client_prepare,  // likewise
  client_execute,  // stream, id
  node_bytes,      // as they are; from then on it tells no secret, as that might be in a RESULT
  node_frame,      // opcode, flags, stream, body
  node_event,      // which node, kind of event, change
  node_error,      // stream, code, which node, where its address stands, text
  node_keyspace,   // stream, keyspace
  node_prepared,   // stream, id
  cluster,         // what is known of it now
};
constexpr std::uint8_t kinds = 12;

std::uint8_t take(Bytes& bytes) {
  if (bytes.empty()) return 0;
  const std::uint8_t first = bytes.front();
  bytes = bytes.subspan(1);
  return first;
}

// What goes to one of the two, without segments; bodies may be compressed.
Buffer without_segments(const Manner& manner, const Buffer& wire) {
  if (!manner.form) return wire;
  SegmentReader reader(*manner.form);
  reader.append(wire);
  Buffer frames;
  auto outcome = reader.next();
  for (; outcome == SegmentReader::Outcome::segment; outcome = reader.next()) {
    append_bytes(frames, reader.payload());
  }
  const bool is_all = outcome == SegmentReader::Outcome::need_more;
  require(is_all, "what goes out in segments can be read");
  return frames;
}

bool holds(Bytes bytes, Bytes part) {
  return !std::ranges::search(bytes, part).empty();
}

void check_keeps_secrets(Bytes frame, Bytes input) {
  const auto check = [&](Bytes secret) {
    // A client's own words are told to it again, in errors and in names of columns.
    require(!holds(frame, secret) || holds(input, secret.subspan(1)), "no client learns of nodes");
  };
  for (std::size_t i = 0; i < test::secret_addresses.size(); ++i) {
    check(test::secret_addresses.at(i).bytes());
    check(bytes_of(test::secret_texts.at(i)));
  }
}

class Talk {
 public:
  Talk(const Manner& manner, bool hides, std::size_t chunk) : manner_(manner), chunk_(chunk) {
    if (manner.form) conversation_.begin_segments(*manner.form);
    conversation_.begin({.version = manner.version,
                         .compression = manner.compression,
                         .hides_system_tables = hides});
  }

  void take_steps(Bytes input) {
    while (!input.empty() && !has_ended_) {
      const auto kind = Kind{static_cast<std::uint8_t>(take(input) % kinds)};
      const std::size_t size = std::min<std::size_t>(take(input), input.size());
      const Bytes content = input.first(size);
      input = input.subspan(size);
      if (kind <= Kind::client_execute) {
        client_step(kind, content);
      } else {
        node_step(kind, content);
      }
    }
  }

  // What went to both, without segments.
  [[nodiscard]] Buffer to_client() const { return without_segments(manner_, to_client_); }
  [[nodiscard]] Buffer to_node() const { return without_segments(manner_, to_node_); }
  [[nodiscard]] bool had_to_wait() const { return had_to_wait_; }
  [[nodiscard]] bool has_node_lied() const { return has_node_lied_; }
  [[nodiscard]] std::size_t taken() const { return taken_; }
  [[nodiscard]] std::size_t said() const { return said_; }

 private:
  void client_step(Kind kind, Bytes content) {
    if (kind == Kind::client_bytes) {
      client_says(content);
      return;
    }
    std::uint8_t opcode = opcode::query;
    std::uint8_t flags = 0;
    if (kind == Kind::client_frame) {
      opcode = take(content);
      flags = take(content);
    }
    const std::uint8_t stream = take(content);
    const std::uint8_t version = manner_.version;
    Buffer body(content.begin(), content.end());
    if (kind == Kind::client_query) body = test::query_body(version, as_text(content));
    if (kind == Kind::client_prepare) {
      opcode = opcode::prepare;
      body = test::prepare_body(version, as_text(content));
    }
    if (kind == Kind::client_execute) {
      opcode = opcode::execute;
      body = test::execute_body(version, content);
    }
    client_says(
        wire({.version = version, .flags = flags, .stream = stream, .opcode = opcode}, body));
  }

  void node_step(Kind kind, Bytes content) {
    if (kind == Kind::node_event) return node_event(content);
    if (kind == Kind::node_error) return node_error(content);
    if (kind == Kind::cluster) return change_cluster(take(content));
    if (kind == Kind::node_bytes) {
      has_node_lied_ = true;
      return node_says(content);
    }
    std::uint8_t opcode = opcode::result;
    std::uint8_t flags = 0;
    if (kind == Kind::node_frame) {
      opcode = take(content);
      flags = take(content);
    }
    const std::uint8_t stream = take(content);
    Buffer body(content.begin(), content.end());
    if (kind == Kind::node_keyspace) body = test::set_keyspace_content(as_text(content));
    if (kind == Kind::node_prepared) body = test::prepared_content(manner_.version, content);
    node_frame(opcode, flags, stream, body);
  }

  void node_event(Bytes content) {
    if (has_node_lied_) return;
    const std::uint8_t which = take(content);
    const auto type = (which & 4) == 0 ? Event::Type::status_change : Event::Type::topology_change;
    const Event event{.type = type,
                      .change = as_text(content),
                      .address = test::secret_addresses.at(which % 3),
                      .port = 9142U + (which >> 7)};
    const Buffer frame = test::event_frame(manner_.version, event);
    node_frame(opcode::event, 0, event_stream, Bytes(frame).subspan(header_size));
  }

  void node_error(Bytes content) {
    if (has_node_lied_) return;
    const std::uint8_t stream = take(content);
    const auto code = static_cast<std::uint32_t>(take(content) << 8);
    const std::size_t which = take(content) % 3U;
    const std::size_t at = std::min<std::size_t>(take(content), content.size());
    std::string message(as_text(content));
    message.insert(at, test::secret_texts.at(which));
    Buffer details;
    if (code == error_code::read_failure || code == error_code::write_failure) {
      details = test::from_hex("0006 00000001 00000003");
      append_u32(details, 1);
      if (manner_.version >= first_with_segments) {
        append_inet_address(details, test::secret_addresses.at(which));
        append_u16(details, 1);
      }
      append_u8(details, 1);
    }
    node_frame(opcode::error, 0, stream, test::error_content(code, message, details));
  }

  void change_cluster(std::uint8_t how) {
    cluster_.known = how & 3;
    cluster_.hides_nodes = (how & 4) != 0;
    append_bytes(to_client_, conversation_.due());
  }

  void node_frame(std::uint8_t opcode, std::uint8_t flags, std::int16_t stream, Bytes body) {
    node_says(wire({.sender = Sender::node,
                    .version = manner_.version,
                    .flags = flags,
                    .stream = stream,
                    .opcode = opcode},
                   body));
  }

  // Compressed where it is agreed on and can be; one that says so itself is left as it is.
  [[nodiscard]] Buffer wire(FrameHeader header, Bytes body) const {
    Buffer frame;
    const bool is_packed = (header.flags & frame_flag::compressed) != 0;
    if (!is_packed && manner_.compression != Compression::none && header.stream % 2 != 0) {
      header.flags |= frame_flag::compressed;
      append_frame(frame, header, *compress_body(manner_.compression, body));
    } else {
      append_frame(frame, header, body);
    }
    if (!manner_.form) return frame;
    Buffer out;
    if (header.stream % 4 != 3) {
      append_in_segments(out, *manner_.form, frame);
    } else {
      // Three, so that one of them has neither the beginning of the frame nor its end.
      const std::size_t part = frame.size() / 3;
      append_segment(out, *manner_.form, Bytes(frame).first(part), false);
      append_segment(out, *manner_.form, Bytes(frame).subspan(part, part), false);
      append_segment(out, *manner_.form, Bytes(frame).subspan(2 * part), false);
    }
    return out;
  }

  void client_says(Bytes bytes) {
    append_bytes(from_client_, bytes);
    taken_ += bytes.size();
    go_on_with_client();
  }

  // As a relay does: no bytes while there is more to be made of what came before.
  void go_on_with_client() {
    while (!has_ended_) {
      Bytes chunk;
      if (client_next_ == Next::on_bytes) {
        if (from_client_.empty()) return;
        chunk = Bytes(from_client_).first(std::min(chunk_, from_client_.size()));
      }
      const Buffer own(chunk.begin(), chunk.end());
      from_client_.erase(from_client_.begin(),
                         from_client_.begin() + static_cast<std::ptrdiff_t>(own.size()));
      client_next_ = keep(conversation_.from_client(own));
      if (client_next_ == Next::after_other) {
        had_to_wait_ = true;
        return;
      }
    }
  }

  void node_says(Bytes bytes) {
    said_ += bytes.size();
    while (!bytes.empty() && !has_ended_) {
      const Bytes chunk = bytes.first(std::min(chunk_, bytes.size()));
      bytes = bytes.subspan(chunk.size());
      const Buffer own(chunk.begin(), chunk.end());
      const Next next = keep(conversation_.from_backend(own));
      require(next == Next::on_bytes || next == Next::stop, "a node's bytes are taken at once");
      require((next == Next::stop) == conversation_.node_is_to_blame(), "who ended it is known");
      go_on_with_client();
    }
  }

  Next keep(const RelayFilter::Result& result) {
    append_bytes(to_node_, result.to_backend);
    append_bytes(to_client_, result.to_client);
    has_ended_ = result.next == Next::stop;
    return result.next;
  }

  Manner manner_;
  std::size_t chunk_;
  test::ClusterOfThree cluster_;
  ConversationBuffers buffers_;
  Conversation conversation_{cluster_, buffers_};
  Next client_next_ = Next::on_bytes;
  Buffer from_client_;
  Buffer to_node_;
  Buffer to_client_;
  std::size_t taken_ = 0;  // of the client, in bytes
  std::size_t said_ = 0;   // by the node
  bool has_ended_ = false;
  bool had_to_wait_ = false;
  bool has_node_lied_ = false;
};

// Frames, one behind the other; what the node left in the middle may have no end.
void check_frames(const Manner& manner, Bytes frames, Sender sender, bool may_break_off,
                  Bytes input) {
  while (!frames.empty()) {
    const HeaderRead read = read_header(frames, sender);
    const bool is_read = read.outcome == HeaderRead::Outcome::header;
    require(is_read || (may_break_off && read.outcome != HeaderRead::Outcome::malformed),
            "what goes out begins with a header");
    if (!is_read) return;
    const std::size_t size = header_size + read.header.length;
    require(size <= frames.size() || may_break_off, "what goes out are whole frames");
    if (size > frames.size()) return;
    const Bytes body = frames.subspan(header_size, read.header.length);
    frames = frames.subspan(size);
    if (sender == Sender::client) continue;
    check_keeps_secrets(body, input);
    if ((read.header.flags & frame_flag::compressed) == 0) continue;
    if (manner.compression == Compression::none) continue;
    const auto plain = decompress_body(manner.compression, body, Conversation::frame_limit);
    if (plain) check_keeps_secrets(*plain, input);
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Manner& manner = manners.at(data[0] & 7);
  const bool hides = (data[0] & 8) == 0;
  const Bytes input(data + 2, size - 2);
  constexpr std::size_t all = std::size_t{1} << 20;
  Talk talk(manner, hides, all);
  talk.take_steps(input);
  const Buffer to_client = talk.to_client();
  const Buffer to_node = talk.to_node();
  check_frames(manner, to_client, Sender::node, talk.has_node_lied(), input);
  check_frames(manner, to_node, Sender::client, false, input);
  // LZ4 makes 255 bytes of one, and a short question has a long answer.
  constexpr std::size_t growth = 1000;
  require(to_node.size() <= growth * talk.taken(), "no more is asked than the client asks");
  require(to_client.size() <= growth * (talk.taken() + talk.said()), "no answer is without bounds");

  Talk in_chunks(manner, hides, 1 + std::size_t{data[1]});
  in_chunks.take_steps(input);
  if (talk.had_to_wait() || in_chunks.had_to_wait()) return 0;
  require(in_chunks.to_client() == to_client, "how bytes arrive changes nothing for the client");
  require(in_chunks.to_node() == to_node, "how bytes arrive changes nothing for the node");
  return 0;
}

}  // namespace gatehouse::cassandra
