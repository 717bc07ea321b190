// Answers to changes of the schema where one node is shown for several.
#include "gateway/cassandra/held_definitions.h"

#include "tests/gateway/cassandra/conversed.h"

namespace gatehouse::cassandra {

using test::Conversed;
using Frames = std::vector<test::Buffer>;

namespace {

// A table is created, and the node says that it was.
struct Created : Conversed {
  explicit Created(const test::Manner& spoken) : Conversed(spoken) {
    cluster.hides_nodes = true;
    client_asks(query(stream, "CREATE TABLE shop.t (a int PRIMARY KEY)"));
  }
  void node_creates() { node_answers(created); }

  static constexpr std::int16_t stream = 3;
  test::Buffer created = response(stream, opcode::result, test::from_hex("00000005"));
};

}  // namespace

TEST_CASE("that a table was created is told once all nodes have heard of it") {
  const test::Manner manner = test::any_manner();
  CAPTURE(manner.name);
  Created talk(manner);
  talk.cluster.is_in_doubt = true;
  talk.node_creates();
  append_bytes(talk.to_client, talk.conversation.due());
  CHECK(talk.to_client.empty());
  const test::Buffer other = talk.response(4, opcode::result, test::from_hex("00000001"));
  talk.node_answers(other);  // passes meanwhile
  talk.cluster.is_in_doubt = false;
  append_bytes(talk.to_client, talk.conversation.due());
  CHECK(talk.at_client() == Frames{other, talk.created});
  CHECK(talk.conversation.due().empty());
}

TEST_CASE("that a table was created is told at once where there is no doubt") {
  Created talk(test::any_manner());
  talk.node_creates();
  CHECK(talk.at_client() == Frames{talk.created});
}

TEST_CASE("no more is held than one who waits for his answers makes") {
  Conversed talk({"v4", 4});
  talk.cluster.is_in_doubt = true;
  const auto create = [&](std::size_t answer_size) {
    talk.client_asks(talk.query(3, "CREATE TABLE shop.t (a int PRIMARY KEY)"));
    test::Buffer answer = test::from_hex("00000005");
    answer.resize(answer_size);
    talk.node_answers(talk.response(3, opcode::result, answer));
    return talk.at_client().size();
  };
  CHECK(create(64UL * 1024) == 1);
  for (int number = 0; number < 64; ++number) CHECK(create(4) == 1);
  CHECK(create(4) == 2);
}

TEST_CASE("what not all nodes hear of is told after two seconds") {
  Created talk({"v4", 4});
  talk.cluster.is_in_doubt = true;
  talk.node_creates();
  CHECK(talk.conversation.due().empty());
  append_bytes(talk.to_client, talk.conversation.due());
  CHECK(talk.at_client() == Frames{talk.created});
}

TEST_CASE("what still waits when the node goes away is told") {
  const test::Manner manner = test::any_manner();
  CAPTURE(manner.name);
  Created talk(manner);
  talk.cluster.is_in_doubt = true;
  talk.node_creates();
  append_bytes(talk.to_client, talk.conversation.rest());
  CHECK(talk.at_client() == Frames{talk.created});
  CHECK(talk.conversation.rest().empty());
}

TEST_CASE("nothing is told into the middle of a long answer whose end does not come") {
  Created talk({"v4", 4});
  talk.cluster.is_in_doubt = true;
  talk.node_creates();
  const test::Buffer answer = talk.response(4, opcode::result, test::Buffer(64UL * 1024));
  talk.node_says(Bytes(answer).first(answer.size() / 2));
  CHECK(talk.conversation.rest().empty());
}

}  // namespace gatehouse::cassandra
