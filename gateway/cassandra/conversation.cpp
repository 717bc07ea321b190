#include "gateway/cassandra/conversation.h"

#include <algorithm>
#include <utility>

#include "gateway/cassandra/error.h"
#include "gateway/cassandra/handshake.h"
#include "gateway/cassandra/response.h"

namespace gatehouse::cassandra {

namespace {

// Answers of the gateway's own that are made before the client must take them.
constexpr std::size_t answers_at_a_time = std::size_t{64} * 1024;

void append_own_error(std::vector<std::uint8_t>& frame, FrameReader::Outcome outcome,
                      const FrameHeader& header) {
  if (outcome == FrameReader::Outcome::unsupported) {
    append_unsupported_version(frame, answering(header), header.version);
  } else if (outcome == FrameReader::Outcome::too_long) {
    append_error(frame, answering(header), error_code::invalid,
                 "This request is longer than the 16 MiB that pass this gateway.");
  } else {
    append_error(frame, answering(header), error_code::protocol, "This is not a frame of CQL.");
  }
}

}  // namespace

Conversation::Conversation(ShownCluster& cluster, ConversationBuffers& buffers)
    : cluster_(cluster),
      buffers_(buffers),
      requests_(Sender::client, handshake_limit),
      responses_(Sender::node, frame_limit,
                 [this](const FrameHeader& header) { return is_looked_at(header); }),
      late_events_(cluster),
      definitions_(cluster) {}

void Conversation::begin_segments(SegmentForm form) {
  segments_ = form;
  requests_.begin_segments(form);
  responses_.begin_segments(form);
}

void Conversation::begin(const Terms& terms) {
  version_ = terms.version;
  compression_ = terms.compression;
  filter_.emplace(cluster_, terms.hides_system_tables);
  requests_.set_limit(frame_limit);
}

bool Conversation::is_looked_at(const FrameHeader& header) {
  if (filter_) filter_->answer_begins(header.stream);
  switch (header.opcode) {
    case opcode::event:
    case opcode::error:
    case opcode::supported:
      return true;
    default:
      return !filter_ || filter_->awaits(header.stream);
  }
}

RelayFilter::Result Conversation::from_client(std::span<const std::uint8_t> chunk) {
  Buffer& to_node = buffers_.to_node;
  Buffer& answers = buffers_.to_client;
  to_node.clear();
  answers.clear();
  if (!chunk.empty()) requests_.append(chunk);
  Next next = Next::on_bytes;
  while (next == Next::on_bytes) {
    if (answers.size() + held_.size() >= answers_at_a_time) {
      next = responses_.is_in_part() ? Next::after_other : Next::again;
      break;
    }
    const auto outcome = requests_.next();
    if (outcome == FrameReader::Outcome::need_more) break;
    if (outcome == FrameReader::Outcome::frame) {
      if (!take_request(to_node, answers)) next = Next::stop;
    } else {
      Buffer error;
      append_own_error(error, outcome, requests_.header());
      append_frame(answers, error);
      next = Next::stop;
    }
  }
  if (responses_.is_in_part()) {
    append_bytes(held_, answers);
    answers.clear();
  }
  return {.to_backend = to_node, .to_client = answers, .next = next};
}

bool Conversation::take_request(Buffer& to_node, Buffer& answers) {
  const FrameHeader& header = requests_.header();
  Buffer memory;
  Buffer answer;
  auto verdict = RequestFilter::Verdict::broken;
  const auto body = plain_body(compression_, header.flags, requests_.body(), frame_limit, memory);
  if (body && header.version == version_) {
    verdict = filter_->judge(header, *body, answer);
  } else {
    append_own_error(answer, FrameReader::Outcome::malformed, header);
  }
  if (verdict == RequestFilter::Verdict::pass && body->data() == requests_.body().data()) {
    append_frame(to_node, requests_.frame());
  } else if (verdict == RequestFilter::Verdict::pass) {
    // What was read, and not what another library might make of the same bytes.
    FrameHeader plain = header;
    plain.flags &= static_cast<std::uint8_t>(~frame_flag::compressed);
    cassandra::append_frame(to_node, plain, *body);
  } else {
    append_frame(answers, answer);
  }
  return verdict != RequestFilter::Verdict::broken;
}

RelayFilter::Result Conversation::from_backend(std::span<const std::uint8_t> chunk) {
  // Most of a large result, which is worth not copying twice.
  if (responses_.let_through(chunk)) return {.to_client = chunk};
  Buffer& to_client = buffers_.to_client;
  to_client.clear();
  if (!chunk.empty()) responses_.append(chunk);
  for (;;) {
    const auto outcome = responses_.next();
    if (outcome == FrameReader::Outcome::need_more) return {.to_client = to_client};
    if (outcome == FrameReader::Outcome::part) {
      append_part(to_client);
    } else if (outcome != FrameReader::Outcome::frame || !take_response(to_client)) {
      node_is_to_blame_ = true;
      return {.to_client = to_client, .next = Next::stop};
    }
    release_held(to_client);
  }
}

void Conversation::release_held(Buffer& to_client) {
  if (held_.empty() || responses_.is_in_part()) return;
  append_bytes(to_client, std::exchange(held_, {}));
}

// Of v5: in the portions in which it came, as far as a segment of its own has room for one: where
// a header came in pieces there is more.
void Conversation::append_part(Buffer& to_client) const {
  // Its checksum was verified: what is all the same need not be made anew.
  if (!responses_.segment().empty()) {
    append_bytes(to_client, responses_.segment());
    return;
  }
  Bytes part = responses_.part();
  const bool is_whole = part.size() == header_size + responses_.header().length;
  if (!segments_ || is_whole) {
    append_frame(to_client, part);
    return;
  }
  while (!part.empty()) {
    const Bytes payload = part.first(std::min(part.size(), segment_payload_max));
    append_segment(to_client, *segments_, payload, false);
    part = part.subspan(payload.size());
  }
}

bool Conversation::take_response(Buffer& to_client) {
  const FrameHeader& header = responses_.header();
  Buffer memory;
  const auto body = plain_body(compression_, header.flags, responses_.body(), frame_limit, memory);
  const auto parts = body ? split_response(header.flags, *body) : std::nullopt;
  // Of another version an error has other fields, which might pass unseen.
  if (!parts || header.version != version_) return false;
  switch (header.opcode) {
    case opcode::event:
      return take_event(to_client, parts->content);
    case opcode::error:
      filter_->answered(header, parts->content);
      append_error(to_client, parts->prefix, parts->content);
      return true;
    case opcode::supported: {
      Buffer frame;
      if (!append_supported_here(frame, answering(header), parts->content)) return false;
      append_frame(to_client, frame);
      return true;
    }
    default: {
      const bool changes_schema = filter_->answered(header, parts->content);
      if (changes_schema && definitions_.holds(responses_.frame())) return true;
      append_frame(to_client, responses_.frame());
      return true;
    }
  }
}

bool Conversation::take_event(Buffer& to_client, Bytes content) {
  const auto event = parse_event(content);
  if (!event) return false;
  if (event->type == Event::Type::schema_change) {
    append_frame(to_client, responses_.frame());
  } else if (event->type != Event::Type::unknown) {
    for (const Buffer& frame : late_events_.take(version_, content)) append_frame(to_client, frame);
  }
  return true;
}

Bytes Conversation::due() {
  Buffer& to_client = buffers_.to_client;
  to_client.clear();
  for (const Buffer& frame : definitions_.due()) append_frame(to_client, frame);
  for (const Buffer& frame : late_events_.due(version_)) append_frame(to_client, frame);
  if (!responses_.is_in_part()) return to_client;
  append_bytes(held_, to_client);
  return {};
}

std::vector<std::uint8_t> Conversation::rest() {
  Buffer to_client;
  if (responses_.is_in_part()) return to_client;
  for (const Buffer& frame : definitions_.rest()) append_frame(to_client, frame);
  return to_client;
}

void Conversation::append_error(Buffer& to_client, Bytes prefix, Bytes content) const {
  const FrameHeader& header = responses_.header();
  const auto error = parse_error(content);
  const auto told = [this](const InetAddress& node) { return cluster_.address_told_for(node); };
  const auto shown = error ? without_nodes(header.version, *error, told) : std::nullopt;
  Buffer frame;
  if (shown) {
    FrameHeader changed = header;
    changed.flags &= static_cast<std::uint8_t>(~frame_flag::compressed);
    FrameWriter writer(frame, changed);
    append_bytes(frame, prefix);
    append_bytes(frame, *shown);
    writer.end();
  } else {
    cassandra::append_error(frame, answering(header), error_code::server,
                            "The node answered with an error that this gateway cannot read.");
  }
  append_frame(to_client, frame);
}

void Conversation::append_frame(Buffer& out, Bytes frame) const {
  if (segments_) {
    append_in_segments(out, *segments_, frame);
  } else {
    append_bytes(out, frame);
  }
}

}  // namespace gatehouse::cassandra
