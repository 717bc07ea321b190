#include "gateway/mariadb/server_name.h"

#include <array>

#include <catch2/catch.hpp>

namespace gatehouse::mariadb {

namespace {

using Outcome = MeantServer::Outcome;

constexpr std::array<std::string_view, 3> servers{"orders", "billing", "localhost"};
constexpr std::size_t orders = 0;
constexpr std::size_t billing = 1;
constexpr std::size_t localhost = 2;

// What a client says: its user, the attribute _server_host and the SNI.
struct Says {
  std::string_view user = "alice";
  std::optional<std::string_view> server_host = std::nullopt;
  std::string_view sni = "";
};

MeantServer meant_by(const Says& says) {
  return find_meant_server(says.user, says.server_host, says.sni, servers);
}

}  // namespace

TEST_CASE("a server is named by the user's suffix, by an attribute or by SNI") {
  struct Case {
    std::string_view name;
    Says says;
    std::size_t index;
    std::string_view user;
  };
  const auto c = GENERATE(values<Case>({
      {"a suffix", {.user = "alice@orders"}, orders, "alice"},
      {"a suffix that is a host name", {.user = "alice@billing.example.com"}, billing, "alice"},
      {"a suffix in other letters", {.user = "Alice@ORDERS.Example.COM"}, orders, "Alice"},
      {"a suffix behind another '@'", {.user = "a@b@orders"}, orders, "a@b"},
      {"a suffix behind another server's name", {.user = "a@billing@orders"}, orders, "a@billing"},
      {"a suffix behind nobody", {.user = "@orders"}, orders, ""},
      {"an attribute", {.server_host = "orders"}, orders, "alice"},
      {"an attribute with a host name", {.server_host = "Billing.example.com."}, billing, "alice"},
      {"SNI", {.sni = "billing"}, billing, "alice"},
      {"SNI with a host name", {.sni = "localhost.localdomain"}, localhost, "alice"},
      {"all three", {"alice@orders", "orders.a", "ORDERS.b"}, orders, "alice"},
      {"one, while the others name no server of the list",
       {"alice@orders", "10.0.0.1", "gateway.example.com"},
       orders,
       "alice"},
      {"the last, while the others name no server of the list",
       {"alice@example.com", "gateway", "billing"},
       billing,
       "alice@example.com"},
  }));
  CAPTURE(c.name);
  const MeantServer meant = meant_by(c.says);
  CHECK(meant.outcome == Outcome::named);
  CHECK(meant.index == c.index);
  CHECK(meant.user == c.user);
}

TEST_CASE("what names no server of the list says nothing, and the user stays whole") {
  const auto says = GENERATE(values<Says>({
      {.user = ""},
      {.user = "alice"},
      {.user = "@"},
      {.user = "alice@"},
      {.user = "orders"},
      {.user = "alice@example.com"},
      {.user = "alice@orders@example.com"},
      {.user = "alice@order"},
      {.user = "alice@orders2"},
      {.user = "alice@.orders"},
      {.user = "alice@www.orders"},
      {.user = "alice@ orders"},
      {.server_host = ""},
      {.server_host = "127.0.0.1"},
      {.server_host = "alice@orders"},
      {.sni = ".orders"},
  }));
  CAPTURE(says.user, says.server_host.value_or("-"), says.sni);
  const MeantServer meant = meant_by(says);
  CHECK(meant.outcome == Outcome::unnamed);
  CHECK(meant.user == says.user);
}

TEST_CASE("two names of two servers contradict each other, whichever they are") {
  const auto says = GENERATE(values<Says>({
      {"alice@orders", "billing", ""},
      {"alice@orders", std::nullopt, "billing.example.com"},
      {"alice@orders", "orders", "billing"},
      {"alice@orders", "billing", "orders"},
      {"alice@billing", "orders", "orders"},
      {"alice", "orders", "billing"},
      {"alice", "localhost", "orders"},
  }));
  CAPTURE(says.user, says.server_host.value_or("-"), says.sni);
  CHECK(meant_by(says).outcome == Outcome::contradictory);
}

TEST_CASE("a list of one server is not named by silence") {
  CHECK(find_meant_server("alice", std::nullopt, "", std::array<std::string_view, 1>{"orders"})
            .outcome == Outcome::unnamed);
  CHECK(find_meant_server("alice@orders", "orders", "orders", {}).outcome == Outcome::unnamed);
}

}  // namespace gatehouse::mariadb
