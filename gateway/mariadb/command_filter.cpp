#include "gateway/mariadb/command_filter.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "gateway/mariadb/commands.h"
#include "gateway/mariadb/kill.h"
#include "gateway/mariadb/own_greeting.h"

namespace gatehouse::mariadb {

namespace {

// A COM_CHANGE_USER holds what a login does.
constexpr std::uint32_t change_user_size_max = login_size_max;
constexpr std::uint32_t process_kill_size = 5;

Bytes take(Bytes& rest, std::size_t size) noexcept {
  const Bytes taken = rest.first(std::min(size, rest.size()));
  rest = rest.subspan(taken.size());
  return taken;
}

}  // namespace

// What goes to the backend: one run of the chunk's bytes, while that is all there is, and from then
// on a copy.
class CommandFilter::Outflow {
 public:
  explicit Outflow(std::vector<std::uint8_t>& copy) noexcept : copy_(copy) { copy_.clear(); }

  // REQUIRES: bytes of the chunk, right behind those that passed since the last insertion.
  void pass(Bytes bytes) noexcept {
    run_ = run_.empty() ? bytes : Bytes(run_.data(), run_.size() + bytes.size());
  }

  void insert(Bytes bytes) {
    copy_run();
    append_bytes(copy_, bytes);
  }

  Bytes all() {
    if (copy_.empty()) return run_;
    copy_run();
    return copy_;
  }

 private:
  void copy_run() {
    append_bytes(copy_, run_);
    run_ = {};
  }

  std::vector<std::uint8_t>& copy_;
  Bytes run_;
};

CommandFilter::CommandFilter(FindThread find_thread) : find_thread_(std::move(find_thread)) {}

bool CommandFilter::has_quit() const noexcept {
  return last_command_ == command::quit;
}

CommandFilter::Step CommandFilter::feed(Bytes chunk, std::vector<std::uint8_t>& out) {
  Outflow outflow(out);
  Step step;
  Bytes rest = chunk;
  while (!rest.empty() && step.found == Found::nothing) {
    if (passing_ > 0) {
      const Bytes part = take(rest, passing_);
      passing_ -= static_cast<std::uint32_t>(part.size());
      outflow.pass(part);
    } else if (const Bytes head = take_head(rest); !head.empty()) {
      begin_packet(head, outflow, step);
    }
  }
  step.consumed = chunk.size() - rest.size();
  step.forward = outflow.all();
  return step;
}

// The beginning of a packet, as much of it as its judgement takes: of the chunk, or of what is held
// back and completed from it. Empty: not all of that is there yet.
Bytes CommandFilter::take_head(Bytes& rest) {
  if (held_.empty()) {
    const std::size_t size = head_size(rest);
    if (size <= rest.size()) return take(rest, size);
  }
  for (;;) {
    const std::size_t size = head_size(held_);
    if (size == held_.size()) return held_;
    if (rest.empty()) return {};
    append_bytes(held_, take(rest, size - held_.size()));
  }
}

// How much of a packet its judgement takes, by what was seen of it: the header, of a command its
// first byte, and all of it where it may have to be changed. An answer beyond what was seen may
// grow with what comes.
std::size_t CommandFilter::head_size(Bytes seen) const noexcept {
  if (seen.size() < header_size) return header_size;
  const PacketHeader header = read_header(seen.first<header_size>());
  if (!is_command(header) || header.length == 0) return header_size;
  if (seen.size() == header_size) return header_size + 1;
  const auto whole_if = [header](bool wanted) {
    return header_size + (wanted ? header.length : 1);
  };
  switch (seen[header_size]) {
    case command::change_user:
      return whole_if(header.length <= change_user_size_max);
    case command::query:
    case command::prepare:
      return whole_if(header.length <= kill_size_max);
    case command::process_kill:
      return whole_if(header.length == process_kill_size);
    default:
      return header_size + 1;
  }
}

// Sequence 0 alone does not tell: the data of a file pass through it every 256 packets.
bool CommandFilter::is_command(PacketHeader header) const noexcept {
  return !continues_ && !in_file_ && header.sequence == 0;
}

// Goes on to the next packet. False: it is none that could be next.
bool CommandFilter::follow(PacketHeader header) noexcept {
  const bool in_order = header.sequence == static_cast<std::uint8_t>(sequence_ + 1);
  if ((continues_ || in_file_) && !in_order) return false;
  // What is no command and continues nothing begins a file that the server asked for. With which
  // number, depends on the packets of results before, which are not seen here. With 0, it is read
  // as a command, to the harm of a file that begins like one.
  if (!continues_) in_file_ = header.length > 0 && (in_file_ || header.sequence != 0);
  continues_ = header.length == payload_size_max;
  sequence_ = header.sequence;
  return true;
}

void CommandFilter::begin_packet(Bytes head, Outflow& outflow, Step& step) {
  const PacketHeader header = read_header(head.first<header_size>());
  const Bytes payload = head.subspan(header_size);
  const bool begins_command = is_command(header);
  if (!follow(header)) {
    step.found = Found::malformed;
    return;
  }
  passing_ = header.length - static_cast<std::uint32_t>(payload.size());
  const bool whole = passing_ == 0;
  std::vector<std::uint8_t> rewritten;
  if (begins_command) {
    last_command_ = payload.empty() ? 0 : payload.front();
    if (last_command_ == command::change_user) {
      step.found = whole ? Found::change_user : Found::malformed;
      if (whole) step.change_user.assign(payload.begin(), payload.end());
    } else if (whole) {
      rewritten = with_backends_thread(payload);
    }
  }
  if (!rewritten.empty()) {
    outflow.insert(rewritten);
  } else if (step.found == Found::nothing) {
    held_.empty() ? outflow.pass(head) : outflow.insert(head);
  }
  held_ = std::vector<std::uint8_t>();  // its memory goes, too
}

// A packet to send instead. Empty: the command kills no thread that has a number of the gateway's.
std::vector<std::uint8_t> CommandFilter::with_backends_thread(Bytes payload) const {
  std::vector<std::uint8_t> packet;
  if (last_command_ == command::process_kill) {
    ByteReader reader(payload.subspan(1));  // reads 0 where there is too little
    if (const auto thread = backends_thread(reader.u32())) {
      std::vector<std::uint8_t> changed{command::process_kill};
      append_u32(changed, *thread);
      append_packet(packet, 0, changed);
    }
  } else if (last_command_ == command::query || last_command_ == command::prepare) {
    const auto target = find_kill_target(as_text(payload.subspan(1)));
    const auto thread = target ? backends_thread(target->id) : std::nullopt;
    if (thread) {
      std::string text(as_text(payload));
      text.replace(1 + target->at, target->size, std::to_string(*thread));
      append_packet(packet, 0, bytes_of(text));
    }
  }
  return packet;
}

std::optional<std::uint32_t> CommandFilter::backends_thread(std::uint64_t id) const {
  if (id < own_thread_id_min || id > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return find_thread_(static_cast<std::uint32_t>(id));
}

}  // namespace gatehouse::mariadb
