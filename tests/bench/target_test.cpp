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

}  // namespace gatehouse::bench
