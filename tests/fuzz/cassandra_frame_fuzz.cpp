// One direction of a connection: frames, bare or in segments, however they arrive.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "gateway/cassandra/frame_reader.h"
#include "tests/fuzz/require.h"

namespace gatehouse::cassandra {

using fuzz::require;
using Buffer = std::vector<std::uint8_t>;
using Outcome = FrameReader::Outcome;

namespace {

constexpr std::uint32_t limit = 512;

struct Setting {
  Sender sender = Sender::client;
  std::optional<SegmentForm> form;  // unset: bare
  bool wants_all = true;
};

struct Read {
  Buffer bytes;  // of frames and parts
  Outcome last = Outcome::need_more;
  FrameHeader header;  // of the failure, where it is one

  bool operator==(const Read&) const = default;
};

Read read_in_chunks(const Setting& setting, Bytes wire, std::size_t chunk) {
  FrameReader reader(setting.sender, limit, [&setting](const FrameHeader& header) {
    return setting.wants_all || header.opcode % 2 == 0;
  });
  if (setting.form) reader.begin_segments(*setting.form);
  Read read;
  while (!wire.empty()) {
    const Bytes part = wire.first(std::min(chunk, wire.size()));
    wire = wire.subspan(part.size());
    reader.append(part);
    for (;;) {
      read.last = reader.next();
      if (read.last != Outcome::frame && read.last != Outcome::part) break;
      if (read.last == Outcome::frame) {
        require(reader.body().size() <= limit, "a wanted frame is within the limit");
        require(reader.header().length == reader.body().size(), "a frame is whole");
      }
      append_bytes(read.bytes, reader.part());
    }
    if (read.last != Outcome::need_more) break;
  }
  if (read.last == Outcome::unsupported || read.last == Outcome::too_long) {
    read.header = reader.header();
  }
  return read;
}

// What was read goes through segments again and comes out as it was.
void check_writing(const Setting& setting, SegmentForm form, const Buffer& frames) {
  Buffer wire;
  for (Bytes rest = frames; !rest.empty();) {
    const HeaderRead read = read_header(rest, setting.sender);
    if (read.outcome != HeaderRead::Outcome::header) return;  // a part of an unwanted one
    const std::size_t size = header_size + read.header.length;
    if (size > rest.size()) return;
    append_in_segments(wire, form, rest.first(size));
    rest = rest.subspan(size);
  }
  const Read again = read_in_chunks({setting.sender, form, setting.wants_all}, wire, 1000);
  require(again.bytes == frames, "frames pass through segments unchanged");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t choice = data[0];
  Setting setting;
  setting.sender = (choice & 1) == 0 ? Sender::client : Sender::node;
  setting.wants_all = (choice & 2) == 0;
  if ((choice & 4) != 0) setting.form = SegmentForm::plain;
  if ((choice & 8) != 0) setting.form = SegmentForm::lz4;
  const Bytes wire(data + 1, size - 1);
  const Read at_once = read_in_chunks(setting, wire, wire.size() + 1);
  require(at_once == read_in_chunks(setting, wire, 1 + (choice >> 4)),
          "how bytes arrive changes nothing");
  if (!setting.form) require(at_once.bytes.size() <= wire.size(), "nothing is invented");
  check_writing(setting, SegmentForm::plain, at_once.bytes);
  check_writing(setting, SegmentForm::lz4, at_once.bytes);
  return 0;
}

}  // namespace gatehouse::cassandra
