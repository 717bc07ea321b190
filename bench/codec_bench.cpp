// The codecs alone: what reading and writing each protocol costs a connection or a request, without
// a socket.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "bench/median.h"
#include "bench/processor.h"
#include "bench/stopwatch.h"
#include "gateway/cassandra/conversation.h"
#include "gateway/cassandra/own_requests.h"
#include "gateway/mariadb/bytes.h"
#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/command_filter.h"
#include "gateway/mariadb/greeting.h"
#include "gateway/mariadb/login.h"
#include "gateway/mariadb/own_greeting.h"
#include "gateway/mariadb/packet.h"
#include "gateway/observe/audit_json.h"
#include "gateway/proxy_protocol/header.h"
#include "gateway/proxy_protocol/received_header.h"

namespace gatehouse {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Buffer = std::vector<std::uint8_t>;

constexpr double round_microseconds = 20'000;  // at least
constexpr int turns_max = 1 << 20;             // of a round
// As many commands, or requests under way, as a busy connection pool has in one read.
constexpr int batch = 64;
constexpr std::size_t answer_size = std::size_t{1} << 20;
constexpr std::size_t read_size = std::size_t{64} * 1024;
constexpr std::string_view statement = "SELECT name, address FROM shop.orders WHERE id = 4711";

// One turn handles `items`, of `bytes` in all; false: not as it should.
struct Work {
  const char* name = nullptr;
  int items = 1;
  std::size_t bytes = 0;
  std::function<bool()> turn;
};

std::vector<Work> logins() {
  namespace capability = mariadb::capability;
  constexpr auto capabilities = capability::protocol_41 | capability::secure_connection |
                                capability::plugin_auth | capability::connect_with_db |
                                capability::connect_attributes | capability::transactions;
  mariadb::OwnGreeting greeting{.server_version = "10.11.14-MariaDB-0+deb12u2-log",
                                .capabilities = capabilities,
                                .charset = 45};
  greeting.scramble.fill('s');
  Buffer greeted;
  mariadb::append_own_greeting(greeted, greeting);
  const Buffer greeting_payload(greeted.begin() + mariadb::header_size, greeted.end());

  Buffer login;
  mariadb::append_u32(login, static_cast<std::uint32_t>(capabilities));
  mariadb::append_u32(login, 1U << 24);
  login.push_back(45);
  login.resize(mariadb::login_prefix_size);
  mariadb::append_text_and_nul(login, "orders-service");
  mariadb::append_lenenc_bytes(login, greeting.scramble);
  mariadb::append_text_and_nul(login, "shop");
  mariadb::append_text_and_nul(login, "mysql_native_password");
  Buffer attributes;
  for (const std::string_view text : {"_client_name", "libmariadb", "program_name", "orders"}) {
    mariadb::append_lenenc(attributes, text.size());
    mariadb::append_text(attributes, text);
  }
  mariadb::append_lenenc_bytes(login, attributes);

  const auto size = greeting_payload.size();
  return {
      {"MariaDB: greeting read", 1, size,
       [=] { return mariadb::parse_greeting(greeting_payload).has_value(); }},
      {"MariaDB: own greeting written", 1, greeted.size(),
       [=, out = Buffer()]() mutable {
         out.clear();
         mariadb::append_own_greeting(out, greeting);
         return out.size() == greeted.size();
       }},
      {"MariaDB: login read", 1, login.size(),
       [=] {
         const auto parsed = mariadb::parse_login(login);
         return parsed && parsed->attribute("program_name") == "orders";
       }},
      {"MariaDB: login written for a routed one", 1, login.size(), [=, out = Buffer()]() mutable {
         const auto parsed = mariadb::parse_login(login);
         out.clear();
         mariadb::append_routed_login(out, 1, *parsed, parsed->prefix, "orders-service");
         return !out.empty();
       }}};
}

Work commands() {
  Buffer stream;
  Buffer payload(statement.begin(), statement.end());
  payload.insert(payload.begin(), 3);  // COM_QUERY
  for (int number = 0; number < batch; ++number) mariadb::append_packet(stream, 0, payload);
  mariadb::CommandFilter filter([](std::uint32_t id) { return std::optional(id); });
  return {"MariaDB: command followed, routed", batch, stream.size(), [=, out = Buffer()]() mutable {
            return filter.feed(stream, out).forward.size() == stream.size();
          }};
}

std::vector<Work> proxy_headers() {
  const config::SocketAddress source{rules::IpAddress::v4(0x0A000005), 40000};
  const config::SocketAddress destination{rules::IpAddress::v4(0x0A000001), 3306};
  const Buffer second = proxy_protocol::make_header(source, destination);
  constexpr std::string_view line = "PROXY TCP4 10.0.0.5 10.0.0.1 40000 3306\r\n";
  const Buffer first(line.begin(), line.end());
  const auto is_read = [source](Bytes bytes) {
    const auto header = proxy_protocol::read_header(bytes);
    return header.state == proxy_protocol::ReceivedHeader::State::client &&
           header.source.port == source.port;
  };
  return {{"PROXY: version 1 read", 1, first.size(), [=] { return is_read(first); }},
          {"PROXY: version 2 read", 1, second.size(), [=] { return is_read(second); }},
          {"PROXY: version 2 written", 1, second.size(),
           [=] { return proxy_protocol::make_header(source, destination) == second; }}};
}

// A cluster of one node, of which clients are told nothing.
class OneNode final : public cassandra::ShownCluster {
 public:
  OneNode() {
    ring_.nodes.emplace_back();
    ring_.nodes.front().tokens.assign(16, "-9223372036854775808");
  }
  cassandra::TopologyView view() override {
    return {.ring = &ring_, .local = {.node = &ring_.nodes.front(), .endpoint = {}}, .peers = {}};
  }
  Place place_of(const cassandra::InetAddress& /*address*/, std::uint16_t /*port*/) override {
    return {.kind = Place::Kind::hidden};
  }
  cassandra::InetAddress address_told_for(const cassandra::InetAddress& address) override {
    return address;
  }
  void schema_has_changed() override {}
  bool schema_is_in_doubt() override { return false; }
  cassandra::PreparedStatements& prepared() noexcept override { return prepared_; }

 private:
  cassandra::Ring ring_;
  cassandra::PreparedStatements prepared_;
};

// An established session, and both sides' bytes for it.
struct Session {
  explicit Session(std::uint8_t spoken) : version(spoken) {
    if (in_segments()) conversation.begin_segments(cassandra::SegmentForm::plain);
    conversation.begin({.version = version, .hides_system_tables = false});
  }

  [[nodiscard]] bool in_segments() const { return version >= cassandra::first_with_segments; }

  void append(Buffer& out, cassandra::FrameHeader header, Bytes body) const {
    header.version = version;
    Buffer frame;
    cassandra::append_frame(frame, header, body);
    if (in_segments()) {
      cassandra::append_in_segments(out, cassandra::SegmentForm::plain, frame);
    } else {
      out.insert(out.end(), frame.begin(), frame.end());
    }
  }
  void append_request(Buffer& out, std::int16_t stream, std::string_view text) const {
    Buffer body;
    cassandra::append_query(body, version, text);
    append(out, {.stream = stream, .opcode = cassandra::opcode::query}, body);
  }
  void append_answer(Buffer& out, std::int16_t stream, std::size_t size) const {
    Buffer body;
    cassandra::append_u32(body, 2);  // rows
    body.resize(size);
    append(
        out,
        {.sender = cassandra::Sender::node, .stream = stream, .opcode = cassandra::opcode::result},
        body);
  }

  std::uint8_t version;
  OneNode cluster;
  cassandra::ConversationBuffers buffers;
  cassandra::Conversation conversation{cluster, buffers};
};

std::vector<Work> conversations(std::uint8_t version, std::array<const char*, 3> names) {
  const auto session = std::make_shared<Session>(version);
  Buffer requests;
  Buffer answers;
  for (std::int16_t stream = 0; stream < batch; ++stream) {
    session->append_request(requests, stream, statement);
    session->append_answer(answers, stream, 200);
  }
  Buffer topology;
  session->append_request(topology, 0, cassandra::select_local);
  Buffer request;
  session->append_request(request, 0, statement);
  Buffer answer;
  session->append_answer(answer, 0, answer_size);
  const auto all = requests.size() + answers.size();
  return {{names[0], batch, all,
           [=] {
             auto& passing = session->conversation;
             return passing.from_client(requests).to_backend.size() == requests.size() &&
                    passing.from_backend(answers).to_client.size() == answers.size();
           }},
          {names[1], 1, answer.size(),
           [=] {
             session->conversation.from_client(request);
             std::size_t passed = 0;
             for (Bytes rest = answer; !rest.empty();) {
               const Bytes chunk = rest.first(std::min(rest.size(), read_size));
               passed += session->conversation.from_backend(chunk).to_client.size();
               rest = rest.subspan(chunk.size());
             }
             return passed == answer.size();
           }},
          {names[2], 1, topology.size(), [=] {
             const auto result = session->conversation.from_client(topology);
             return result.to_backend.empty() && !result.to_client.empty();
           }}};
}

std::vector<Work> audit_lines() {
  SessionRecord record;
  record.session = SessionId{0x0123456789ABCDEF};
  record.listener = "public";
  record.server = "orders";
  record.source.address = rules::IpAddress::v4(0x0A000005);
  record.source.port = 40000;
  record.verdict = rules::Verdict::allow;
  record.reason = rules::Reason::ip_rule;
  record.rule = AuditRule{.name = "office", .file = "/etc/gatehouse/rules/orders.yaml", .line = 7};
  record.snapshot = 3;
  record.tls.emplace();
  record.tls->version = "TLSv1.3";
  record.tls->cipher = "TLS_AES_128_GCM_SHA256";
  record.user = "orders-service";
  record.database = "shop";
  record.backend = "10.0.0.4:3306";
  record.duration = std::chrono::milliseconds(4711);
  const auto line_of = [](const char* name, const AuditEvent& event) {
    std::string line;
    append_json_line(line, event, {}, "gateway-1");
    return Work{name, 1, line.size(), [=, out = std::string()]() mutable {
                  out.clear();
                  append_json_line(out, event, {}, "gateway-1");
                  return out.size() == line.size();
                }};
  };
  return {line_of("audit: opened, as a line", Opened{record}),
          line_of("audit: closed, as a line", Closed{record})};
}

// Microseconds a turn, the median. No value: something was not read as it should be.
std::optional<double> measure(const Work& work) {
  bool is_good = true;
  const double microseconds = bench::median([&] {
    Stopwatch watch;
    int turns = 0;
    // More and more at once, so that looking at the clock costs little.
    for (int at_once = 1; turns < turns_max && watch.microseconds() < round_microseconds;
         at_once *= 2) {
      watch.run([&] {
        for (int turn = 0; turn < at_once; ++turn) is_good = work.turn() && is_good;
      });
      turns += at_once;
    }
    return watch.microseconds() / turns;
  });
  return is_good ? std::optional(microseconds) : std::nullopt;
}

bool print_all(const std::vector<Work>& all) {
  for (const Work& work : all) {
    const auto microseconds = measure(work);
    if (!microseconds) {
      fmt::print(stderr, "error: {}: not read as it should be\n", work.name);
      return false;
    }
    std::printf("| %-40s | %12.1f | %8.0f |\n", work.name, *microseconds * 1e3 / work.items,
                static_cast<double>(work.bytes) / *microseconds);
  }
  return true;
}

bool run() {
  std::printf("%s, medians of %d rounds\n\n", bench::processor().c_str(), bench::rounds);
  std::puts("|                                          | ns each      | MB/s     |");
  std::puts("|:-----------------------------------------|-------------:|---------:|");
  return print_all(logins()) && print_all({commands()}) && print_all(proxy_headers()) &&
         print_all(conversations(4, {"CQL v4: request and its answer", "CQL v4: answer of 1 MiB",
                                     "CQL v4: system.local answered"})) &&
         print_all(conversations(5, {"CQL v5: request and its answer", "CQL v5: answer of 1 MiB",
                                     "CQL v5: system.local answered"})) &&
         print_all(audit_lines());
}

}  // namespace
}  // namespace gatehouse

int main() {
  return gatehouse::run() ? 0 : 1;
}
