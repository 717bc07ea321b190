// What a node says of nodes, in events and errors, as a client is told it.
#include "gateway/cassandra/conversation.h"
#include "tests/gateway/cassandra/conversed.h"

namespace gatehouse::cassandra {

using test::any_manner;
using test::Buffer;
using test::ClusterOfThree;
using test::Conversed;
using test::copy;
using test::from_hex;
using test::joined;
using test::Manner;
using Frames = std::vector<Buffer>;
using Next = RelayFilter::Next;

namespace {

Event shown_event(Event::Type type, std::string_view change, std::uint32_t port) {
  return {.type = type,
          .change = change,
          .address = ClusterOfThree::address_of_gateway(),
          .port = port};
}

void check_keeps_secrets(Bytes frames) {
  for (std::size_t i = 0; i < test::secret_addresses.size(); ++i) {
    CHECK_FALSE(test::holds(frames, test::secret_addresses.at(i).bytes()));
    CHECK_FALSE(test::holds(frames, bytes_of(test::secret_texts.at(i))));
  }
}

}  // namespace

TEST_CASE("an event tells where the node is through the gateway") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  const auto type = GENERATE(values({Event::Type::status_change, Event::Type::topology_change}));
  const auto at = GENERATE(range<std::size_t>(0, 3));
  Conversed talk(manner);
  talk.node_answers(test::event_frame(
      manner.version,
      {.type = type, .change = "UP", .address = test::secret_addresses.at(at), .port = 9142}));
  const auto port = static_cast<std::uint32_t>(19042 + at);
  CHECK(talk.at_client() ==
        Frames{test::event_frame(manner.version, shown_event(type, "UP", port))});
  check_keeps_secrets(talk.to_client);
}

TEST_CASE("where clients know of no nodes no event of one is told") {
  Conversed talk(any_manner());
  talk.cluster.hides_nodes = true;
  talk.node_answers(talk.status("DOWN", test::secret_addresses[1]));
  CHECK(talk.to_client.empty());
  talk.cluster.hides_nodes = false;
  CHECK(talk.conversation.due().empty());
}

TEST_CASE("an event of a node that is not known yet is told once it is") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed talk(manner);
  talk.cluster.known = 1;
  talk.node_answers(talk.status("UP", test::secret_addresses[1]));
  talk.node_answers(talk.status("DOWN", test::secret_addresses[2]));
  talk.node_answers(talk.status("UP", test::ipv4(10, 0, 0, 99)));
  CHECK(talk.to_client.empty());
  CHECK(talk.conversation.due().empty());
  talk.cluster.known = 2;
  append_bytes(talk.to_client, talk.conversation.due());
  CHECK(talk.conversation.due().empty());
  talk.cluster.known = 3;
  append_bytes(talk.to_client, talk.conversation.due());
  const auto type = Event::Type::status_change;
  CHECK(talk.at_client() ==
        Frames{test::event_frame(manner.version, shown_event(type, "UP", 19043)),
               test::event_frame(manner.version, shown_event(type, "DOWN", 19044))});
}

TEST_CASE("no more events are kept for later than a cluster grows by") {
  Conversed talk({"v4", 4});
  talk.cluster.known = 0;
  for (int i = 0; i < 1000; ++i) talk.node_answers(talk.status("UP", test::secret_addresses[1]));
  talk.cluster.known = 3;
  append_bytes(talk.to_client, talk.conversation.due());
  CHECK(talk.at_client().size() == 64);
}

TEST_CASE("late events wait for the end of a long frame of the node's") {
  Conversed talk({"v4", 4});
  talk.cluster.known = 0;
  talk.node_answers(talk.status("UP", test::secret_addresses[1]));
  talk.cluster.known = 3;
  const Buffer frame = talk.response(1, opcode::result, Buffer(100, 'r'));
  talk.node_says(Bytes(frame).first(50));
  CHECK(talk.conversation.due().empty());
  talk.node_says(Bytes(frame).subspan(50));
  const Frames frames = talk.at_client();
  REQUIRE(frames.size() == 2);
  CHECK(frames[0] == frame);
  CHECK(frames[1] == test::event_frame(4, shown_event(Event::Type::status_change, "UP", 19043)));
}

TEST_CASE("a change of definitions passes as it is, and events of unknown kinds do not") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed talk(manner);
  const auto event = [&](std::string_view type) {
    Buffer content;
    append_string(content, type);
    append_string(content, "CREATED");
    append_string(content, "TABLE");
    append_bytes(content, test::secret_addresses[0].bytes());
    return talk.response(-1, opcode::event, content);
  };
  talk.node_answers(event("CLIENT_ROUTES_CHANGE"));
  CHECK(talk.to_client.empty());
  talk.node_answers(event("SCHEMA_CHANGE"));
  CHECK(talk.at_client() == Frames{event("SCHEMA_CHANGE")});
  CHECK(talk.node_next == Next::on_bytes);
}

TEST_CASE("an error says nothing of nodes but that there are some") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  Conversed talk(manner);
  talk.node_answers(
      talk.response(7, opcode::error,
                    test::error_content(error_code::unavailable,
                                        "No answer of /10.66.77.2:9142, 2001:db8:6677::3",
                                        from_hex("0001 00000002 00000001"))));
  CHECK(talk.at_client() ==
        Frames{talk.response(7, opcode::error,
                             test::error_content(error_code::unavailable, "No answer of node, node",
                                                 from_hex("0001 00000002 00000001")))});
}

TEST_CASE("who failed to read or write is one of the gateway's addresses") {
  const Manner manner = any_manner();
  CAPTURE(manner.name);
  const auto code = GENERATE(values({error_code::read_failure, error_code::write_failure}));
  Conversed talk(manner);
  const auto content = [&](const InetAddress& first, const InetAddress& second) {
    Buffer details = from_hex("0006 00000001 00000003");
    append_u32(details, 2);
    if (manner.version >= 5) {
      for (const InetAddress& node : {first, second}) {
        append_inet_address(details, node);
        append_u16(details, 1);
      }
    }
    append_u8(details, 1);
    return test::error_content(code, "Failed.", details);
  };
  talk.node_answers(talk.response(7, opcode::error,
                                  content(test::secret_addresses[1], test::secret_addresses[2])));
  const InetAddress gateway = ClusterOfThree::address_of_gateway();
  CHECK(talk.at_client() == Frames{talk.response(7, opcode::error, content(gateway, gateway))});
  check_keeps_secrets(talk.to_client);
}

TEST_CASE("an error keeps what stands before it, and is not compressed") {
  Conversed talk({"v4 with lz4", 4, Compression::lz4});
  const std::uint8_t flags = frame_flag::tracing | frame_flag::warnings;
  const Buffer prefix = joined({Buffer(16, 't'), from_hex("0001 0004 77617266")});
  const auto frame = [&](std::string_view message) {
    return test::frame_of({.sender = Sender::node,
                           .version = 4,
                           .flags = flags,
                           .stream = 7,
                           .opcode = opcode::error},
                          joined({prefix, test::error_content(error_code::server, message)}));
  };
  talk.node_answers(frame("At 10.66.77.1:9142."));
  CHECK(talk.to_client == frame("At node."));
}

TEST_CASE("an error that cannot be read is told as one of the gateway's") {
  Conversed talk(any_manner());
  const Buffer content = GENERATE(
      values<Buffer>({from_hex("0000 0000 00ff"), test::error_content(0x9999, "10.66.77.1")}));
  talk.node_answers(talk.response(7, opcode::error, content));
  REQUIRE(talk.at_client().size() == 1);
  const Buffer frame = talk.at_client()[0];
  CHECK(read_header(frame, Sender::node).header.stream == 7);
  const auto error = parse_error(test::content_of(frame, opcode::error));
  REQUIRE(error);
  CHECK(error->code == error_code::server);
  CHECK(error->message == "The node answered with an error that this gateway cannot read.");
}

TEST_CASE("an error to what is awaited is told, and ends the waiting") {
  Conversed talk(any_manner());
  talk.client_asks(talk.query(2, "USE system"));
  talk.client_asks(talk.query(3, "SELECT * FROM peers"));
  REQUIRE(talk.at_client().size() == 1);
  CHECK(talk.at_node().size() == 1);
  talk.node_answers(
      talk.response(2, opcode::error, test::error_content(error_code::invalid, "No such.")));
  talk.client_asks(talk.query(3, "SELECT * FROM peers"));
  CHECK(talk.at_node().size() == 2);
  CHECK(talk.at_client().size() == 2);
}

}  // namespace gatehouse::cassandra
