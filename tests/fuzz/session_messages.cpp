#include "tests/fuzz/session_messages.h"

#include <string>
#include <string_view>

#include "gateway/cassandra/own_requests.h"
#include "gateway/cassandra/rows.h"
#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/packet.h"
#include "tests/gateway/cassandra/requests.h"
#include "tests/gateway/cassandra/topology.h"
#include "tests/gateway/mariadb/packets.h"

namespace gatehouse::fuzz {

namespace {

using test::Buffer;
using test::from_hex;

// --- what may stand before either protocol
// ---------------------------------------------------------------------------------------

void add_proxy_headers(Messages& messages) {
  const auto add_text = [&](std::string_view text) {
    messages.emplace_back(text.begin(), text.end());
  };
  add_text("PROXY TCP4 192.0.2.7 198.51.100.9 4711 3306\r\n");
  add_text("PROXY TCP4 203.0.113.7 198.51.100.9 4711 3306\r\n");
  add_text("PROXY UNKNOWN\r\n");
  // Version 2: LOCAL, and TCP over IPv4 with the id of a private link.
  messages.push_back(from_hex("0d0a0d0a000d0a515549540a 20000000"));
  messages.push_back(
      from_hex("0d0a0d0a000d0a515549540a 21110014 c0000207 c6336409 1267 0cea ee0005 01 78563412"));
}

// --- MariaDB
// ---------------------------------------------------------------------------------------

Buffer packet(std::uint8_t sequence, Bytes payload) {
  Buffer bytes;
  mariadb::append_packet(bytes, sequence, payload);
  return bytes;
}
Buffer packet(std::uint8_t sequence, std::string_view hex) {
  return packet(sequence, from_hex(hex));
}

// With a password, a database and a plugin. An SSLRequest before announces attributes, too, of
// which there are none.
Buffer login_as(std::string_view user, bool is_behind_request = false) {
  Buffer payload = from_hex("8ca2af00 00000010 21 00000000000000000000000000000000000000 1d000000");
  append_bytes(payload, bytes_of(user));
  append_bytes(payload, from_hex("00 14 c4cdda810ea2012cb49e53290cc9f1a00c6a94f1 73686f7000"
                                 "6d7973716c5f6e61746976655f70617373776f726400"));
  if (is_behind_request) payload.push_back(0);
  return packet(is_behind_request ? 2 : 1, payload);
}

Buffer command(std::uint8_t code, std::string_view text) {
  Buffer payload{code};
  append_bytes(payload, bytes_of(text));
  return packet(0, payload);
}

Buffer auth_switch(std::uint8_t sequence, std::string_view plugin) {
  Buffer payload{0xFE};
  append_bytes(payload, bytes_of(plugin));
  append_bytes(payload, from_hex("00 616263646566676869303132333435363738393a00"));
  return packet(sequence, payload);
}

Buffer refusal(std::uint8_t sequence, std::uint16_t code, std::string_view state_and_text) {
  Buffer payload{0xFF, static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(code >> 8), '#'};
  append_bytes(payload, bytes_of(state_and_text));
  return packet(sequence, payload);
}

Messages mariadb_client() {
  constexpr std::uint8_t com_query = 3;
  constexpr std::uint8_t com_quit = 1;
  Messages messages{packet(1, mariadb::test::client_ssl_request()),
                    packet(1, mariadb::test::client_login()),
                    login_as("alice@orders"),
                    login_as("alice@billing"),
                    login_as("alice@hidden"),
                    login_as("alice"),
                    packet(3, "c4cdda810ea2012cb49e53290cc9f1a00c6a94f1"),
                    packet(0, mariadb::test::change_user()),
                    packet(2, "c4cdda810ea2012cb49e53290cc9f1a00c6a94f1"),
                    command(com_query, "SELECT 1"),
                    command(com_query, "KILL 2147483648"),
                    command(com_quit, ""),
                    login_as("alice@orders", true),
                    login_as("alice@billing", true)};
  add_proxy_headers(messages);
  return messages;
}

Messages mariadb_backend() {
  constexpr std::string_view native = "mysql_native_password";
  const std::string_view ok = "00 00 00 0200 0000";
  return {packet(0, mariadb::test::mariadb_greeting()), packet(2, ok), auth_switch(2, native),
          packet(4, ok), refusal(2, 1045, "28000Access denied"),
          refusal(0, 1040, "08004Too many connections"),
          refusal(0, 1130, "HY000Host '10.1.0.9' is not allowed"), packet(2, "01 03"),
          auth_switch(2, "mysql_clear_password"), auth_switch(2, "dialog"),
          // With the state of a session: a redirect, which no client may see.
          packet(2,
                 "00 00 00 0240 0000 00 1b 00 19 0c 72656469726563745f75726c 0b "
                 "6d7973716c3a2f2f782f7a"),
          packet(1, ok), auth_switch(1, native), packet(3, ok),
          // A request for a file of the client's.
          packet(1, "fb 2f6574632f706173737764"), packet(1, "01 02 03")};
}

// --- Cassandra
// ---------------------------------------------------------------------------------------

namespace cql = cassandra;
using cql::test::request_frame;
using cql::test::response_frame;

Buffer in_segment(const Buffer& frame) {
  Buffer bytes;
  cql::append_in_segments(bytes, cql::SegmentForm::plain, frame);
  return bytes;
}

Buffer token(std::string_view text) {
  Buffer body;
  cql::append_long_bytes(body, bytes_of(text));
  return body;
}

// In each version as it goes in a login, and for version 5 also as it goes behind one.
template <typename Frame>
void add_in_all_versions(Messages& messages, Frame frame_in) {
  messages.push_back(frame_in(std::uint8_t{4}));
  messages.push_back(frame_in(std::uint8_t{5}));
  messages.push_back(in_segment(messages.back()));
}

Messages cassandra_client() {
  using namespace std::string_view_literals;
  const Buffer startup = cql::test::string_map(
      {{"CQL_VERSION", "3.0.0"}, {"DRIVER_NAME", "Python Driver"}, {"DRIVER_VERSION", "3.29.2"}});
  const Buffer packed = cql::test::string_map({{"CQL_VERSION", "3.0.0"}, {"COMPRESSION", "lz4"}});
  Messages messages;
  const auto add = [&](std::uint8_t opcode, const auto& body_in) {
    add_in_all_versions(messages, [&](std::uint8_t version) {
      return request_frame(version, 1, opcode, body_in(version));
    });
  };
  const auto add_query = [&](std::string_view text) {
    add(cql::opcode::query,
        [&](std::uint8_t version) { return cql::test::query_body(version, text); });
  };
  add(cql::opcode::options, [](std::uint8_t) { return Buffer(); });
  add(cql::opcode::startup, [&](std::uint8_t) { return startup; });
  add(cql::opcode::startup, [&](std::uint8_t) { return packed; });
  add(cql::opcode::auth_response, [](std::uint8_t) { return token("\0alice\0secret"sv); });
  add(cql::opcode::register_events, [](std::uint8_t) {
    return cql::test::string_list({"TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"});
  });
  add_query("SELECT * FROM system.local WHERE key='local'");
  add_query("SELECT * FROM system.peers");
  add_query("SELECT * FROM shop.orders");
  add_query("USE shop");
  add(cql::opcode::prepare, [](std::uint8_t version) {
    return cql::test::prepare_body(version, "SELECT * FROM system.peers WHERE peer = ?");
  });
  add(cql::opcode::execute,
      [](std::uint8_t version) { return cql::test::execute_body(version, bytes_of("statement")); });
  add_proxy_headers(messages);
  return messages;
}

// All of system.local, as a lone node describes itself.
Buffer local_rows() {
  using cql::type_id::inet;
  using cql::type_id::int32;
  using cql::type_id::set;
  using cql::type_id::text;
  using cql::type_id::uuid;
  const std::vector<cql::Column> columns{{"key", {.id = text}},
                                         {"cluster_name", {.id = text}},
                                         {"cql_version", {.id = text}},
                                         {"data_center", {.id = text}},
                                         {"host_id", {.id = uuid}},
                                         {"native_protocol_version", {.id = text}},
                                         {"partitioner", {.id = text}},
                                         {"rack", {.id = text}},
                                         {"release_version", {.id = text}},
                                         {"rpc_address", {.id = inet}},
                                         {"rpc_port", {.id = int32}},
                                         {"schema_version", {.id = uuid}},
                                         {"tokens", {.id = set, .first = text}}};
  Buffer content;
  cql::RowsWriter writer(content, {"system", "local", columns}, false);
  for (const std::string_view value : {"local", "Events", "3.4.7", "dc1"}) {
    writer.append(bytes_of(value));
  }
  writer.append(cql::test::uuid_of(0));
  for (const std::string_view value : {"5", "Murmur3Partitioner", "rack1", "5.0.9"}) {
    writer.append(bytes_of(value));
  }
  writer.append(from_hex("7f000001"));
  writer.append(from_hex("00002352"));
  writer.append(cql::test::uuid_of(0x77));
  writer.append(from_hex("00000001 00000002 2d35"));
  writer.end(1);
  return content;
}

Messages cassandra_backend() {
  constexpr std::uint32_t bad_credentials = 0x0100;
  Messages messages;
  const auto add = [&](std::int16_t stream, std::uint8_t opcode, const Buffer& body) {
    add_in_all_versions(messages, [&](std::uint8_t version) {
      return response_frame(version, stream, opcode, body);
    });
  };
  Buffer supported;
  cql::append_u16(supported, 1);
  cql::append_string(supported, "COMPRESSION");
  append_bytes(supported, cql::test::string_list({"lz4", "snappy"}));
  Buffer authenticator;
  cql::append_string(authenticator, "org.apache.cassandra.auth.PasswordAuthenticator");
  add(1, cql::opcode::supported, supported);
  add(1, cql::opcode::ready, {});
  add(1, cql::opcode::authenticate, authenticator);
  add(1, cql::opcode::auth_success, token(""));
  add(1, cql::opcode::error, cql::test::error_content(bad_credentials, "Provided username alice"));
  add(0, cql::opcode::result, local_rows());
  add(1, cql::opcode::result, local_rows());
  add(1, cql::opcode::result, from_hex("00000001"));  // nothing to return
  add(1, cql::opcode::result, cql::test::set_keyspace_content("shop"));
  add_in_all_versions(messages, [](std::uint8_t version) {
    return response_frame(version, 1, cql::opcode::result,
                          cql::test::prepared_content(version, bytes_of("statement")));
  });
  add_in_all_versions(messages, [](std::uint8_t version) {
    return cql::test::event_frame(version, {.type = cql::Event::Type::status_change,
                                            .change = "DOWN",
                                            .address = cql::test::ipv4(127, 0, 0, 1),
                                            .port = 9042});
  });
  return messages;
}

}  // namespace

const Messages& client_messages(config::Protocol protocol) {
  static const Messages mariadb = mariadb_client();
  static const Messages cassandra = cassandra_client();
  return protocol == config::Protocol::mariadb ? mariadb : cassandra;
}

const Messages& backend_messages(config::Protocol protocol) {
  static const Messages mariadb = mariadb_backend();
  static const Messages cassandra = cassandra_backend();
  return protocol == config::Protocol::mariadb ? mariadb : cassandra;
}

}  // namespace gatehouse::fuzz
