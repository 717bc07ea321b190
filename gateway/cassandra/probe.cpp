#include "gateway/cassandra/probe.h"

#include <optional>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <unistd.h>

#include "gateway/cassandra/dial.h"
#include "gateway/cassandra/frame_io.h"
#include "gateway/net/deadline.h"
#include "gateway/net/run_alone.h"

namespace gatehouse::cassandra {

namespace {

constexpr std::uint32_t answer_size_max = 16 * 1024;

// With whatever, as long as it is a node that says it: an old one may not speak the version.
Awaitable<bool> says_something(Stream& stream) {
  std::vector<std::uint8_t> frame;
  append_frame(frame, {.version = version_max, .opcode = opcode::options}, {});
  const Io written = co_await write_frame(stream, std::nullopt, frame);
  if (written != Io::ok) co_return false;
  FrameReader reader(Sender::node, answer_size_max);
  const FrameIo answered = co_await read_frame(stream, reader);
  co_return answered == FrameIo::ok;
}

}  // namespace

Awaitable<std::string> probe(const ServerState& state, const Candidate& candidate, Log& log) {
  std::optional<Stream> stream;
  Dial dial(state, stream, log);
  Dialed dialed = co_await dial.run_only(candidate);
  if (dialed.outcome != DialOutcome::connected) co_return std::move(dialed.why);
  const Deadline deadline(co_await asio::this_coro::executor, state.server->dial_timeout,
                          [&] { stream->abort(); });
  const bool answers = co_await says_something(*stream);
  stream->close();
  remember(state, candidate, answers);
  co_return answers ? std::string() : std::string("it does not answer");
}

std::string probe_now(const ServerState& state, std::size_t backend) {
  Log silent(STDERR_FILENO, {.level = config::LogLevel::error, .format = config::LogFormat::text});
  const Candidate candidate = candidate_of(state.server->backends[backend]);
  return run_alone(probe(state, candidate, silent)).value_or("out of memory");
}

}  // namespace gatehouse::cassandra
