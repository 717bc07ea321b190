// How targets are written.
#include "bench/tool/target.h"

#include <catch2/catch.hpp>

namespace gatehouse::bench {

TEST_CASE("a target has a scheme, an address and perhaps a name and a user") {
  const auto plain = parse_target("mariadb+plain://127.0.0.1:3306");
  REQUIRE(plain);
  CHECK(plain->name == "127.0.0.1:3306");
  CHECK(plain->protocol == Protocol::mariadb);
  CHECK_FALSE(plain->is_tls);
  CHECK(plain->user.empty());

  const auto whole = parse_target("through=cql://app@orders@[::1]:9042");
  REQUIRE(whole);
  CHECK(whole->name == "through");
  CHECK(whole->protocol == Protocol::cql);
  CHECK(whole->is_tls);
  CHECK(whole->user == "app@orders");
  CHECK(whole->host == "::1");
  CHECK(whole->port == "9042");
}

TEST_CASE("what is no target is none") {
  const auto* const text = GENERATE("", "127.0.0.1:3306", "http://127.0.0.1:80", "mariadb://host",
                                    "mariadb://:3306", "mariadb://host:", "mariadb://host:x",
                                    "=mariadb://host:1", "mariadb://host:1234567");
  CAPTURE(text);
  CHECK_FALSE(parse_target(text));
}

TEST_CASE("processes are given to a target by its name") {
  std::vector<Target> targets{*parse_target("direct=mariadb://host:1"),
                              *parse_target("mariadb://a@b@host:2")};
  CHECK(take_processes("host:2=7", targets) == false);
  CHECK(take_processes("a@b@host:2=7,8,9", targets));
  CHECK(targets[0].processes.empty());
  CHECK(targets[1].processes == std::vector<pid_t>{7, 8, 9});
  const auto* const text = GENERATE("", "direct", "direct=", "direct=x", "direct=1,", "direct=0",
                                    "direct=-1", "direct=1 ");
  CAPTURE(text);
  CHECK_FALSE(take_processes(text, targets));
}

}  // namespace gatehouse::bench
