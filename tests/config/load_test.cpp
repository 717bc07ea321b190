#include "config/load.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <variant>

#include <catch2/catch.hpp>

#include "tests/config/temporary_folder.h"

namespace gatehouse::config {
namespace {

using namespace std::chrono_literals;
using test::TemporaryFolder;

constexpr std::string_view gateway_yaml = R"(listeners:
  - name: public
    protocol: mariadb
    address: "127.0.0.1:0"
    servers: [orders]
    tls: {certificate: tls/gateway.pem, key: /etc/gateway.key}
servers:
  - name: orders
    protocol: mariadb
    backends: ["unix:mariadb/mysqld.sock"]
rules: rules/
admin: {socket: run/admin.sock}
)";

std::shared_ptr<const Configuration> loaded(const std::filesystem::path& file) {
  const Loaded result = load(file);
  for (const auto& diagnostic : result.diagnostics.all()) UNSCOPED_INFO(to_string(diagnostic));
  REQUIRE(result.configuration);
  return result.configuration;
}

const Input& input(const Loaded& loaded, const std::filesystem::path& path) {
  const auto found = std::find_if(loaded.inputs.begin(), loaded.inputs.end(),
                                  [&](const Input& other) { return other.path == path; });
  REQUIRE(found != loaded.inputs.end());
  return *found;
}

TEST_CASE("what a file leaves out has its default", "[config]") {
  const TemporaryFolder folder;
  folder.write("rules/orders.yaml", "");
  const auto configuration = loaded(folder.write("gateway.yaml", gateway_yaml));
  const Listener& listener = configuration->listeners.at(0);
  CHECK(listener.login == LoginMode::transparent);
  CHECK(listener.tls.minimum_version == TlsVersion::v1_2);
  CHECK(listener.tls.required);
  CHECK(listener.on_deny == OnDeny::message);
  CHECK_FALSE(listener.nodes);
  const Server& server = configuration->servers.at(0);
  CHECK(server.tls.mode == BackendTlsMode::off);  // a unix socket
  CHECK_FALSE(server.send_proxy_protocol);
  CHECK(server.dial_timeout == 3s);
  CHECK(server.max_sessions == 0);
  const Limits& limits = configuration->limits;
  CHECK(limits.sessions == 10000);
  CHECK(limits.sessions_per_source == 200);
  CHECK(limits.handshakes == 10000);
  CHECK(limits.refusals == 64);
  CHECK(limits.handshake_timeout == 10s);
  CHECK(limits.idle_timeout == 8h);
  CHECK(limits.drain_timeout == 30s);
  CHECK(limits.failed_logins.per_minute == 20);
  CHECK_FALSE(limits.failed_logins.block);
  CHECK_FALSE(configuration->audit.file);
  CHECK(configuration->audit.when_unwritable == WhenUnwritable::refuse);
  CHECK(configuration->log.level == LogLevel::info);
  CHECK(configuration->workers == 0);
  CHECK(configuration->state == folder.path() / "state");
}

TEST_CASE("paths are relative to the file that names them", "[config]") {
  const TemporaryFolder folder;
  folder.write("rules/orders.yaml",
               "server: orders\nip_rules:\n  - {name: office, list: lists/office.netset}\n");
  folder.write("rules/lists/office.netset", "203.0.113.7\n");
  const auto configuration = loaded(folder.write("gateway.yaml", gateway_yaml));
  const auto& identity = configuration->listeners.at(0).tls.identity;
  CHECK(identity.certificate.path == folder.path() / "tls/gateway.pem");
  CHECK(identity.certificate.at == Location{"gateway.yaml", 6, 24});
  CHECK(identity.key.path == "/etc/gateway.key");
  const auto& backend = configuration->servers.at(0).backends.at(0);
  CHECK(std::get<UnixBackend>(backend.where).path == folder.path() / "mariadb/mysqld.sock");
  CHECK(backend.text == "unix:mariadb/mysqld.sock");
  CHECK(configuration->admin.socket == folder.path() / "run/admin.sock");
}

TEST_CASE("a server over TCP is verified unless it says otherwise", "[config]") {
  const TemporaryFolder folder;
  folder.write("rules/orders.yaml", "");
  std::string text(gateway_yaml);
  text.replace(text.find("\"unix:mariadb/mysqld.sock\""), 26,
               "\"unix:mariadb/mysqld.sock\", \"[::1]:3306\"");
  const auto configuration = loaded(folder.write("gateway.yaml", text));
  const Server& server = configuration->servers.at(0);
  CHECK(server.tls.mode == BackendTlsMode::verify);
  CHECK_FALSE(server.tls.ca);
  CHECK(std::get<TcpBackend>(server.backends.at(1).where).host == "::1");
}

TEST_CASE("every server has a policy, in order, and rules know where they stand", "[config]") {
  const auto configuration =
      loaded(std::filesystem::path(EXAMPLES_FOLDER) / "complete" / "gateway.yaml");
  REQUIRE(configuration->policies.size() == configuration->servers.size());
  for (std::size_t i = 0; i < configuration->servers.size(); ++i) {
    CHECK(configuration->policies[i]->server() == configuration->servers[i].name);
  }
  const rules::Policy* orders = configuration->find_policy("orders");
  REQUIRE(orders);
  REQUIRE(orders->rules().size() == 5);
  CHECK(orders->rules()[2].name == "oslo-office");
  CHECK(orders->rules()[2].origin == rules::Origin{"rules/orders.yaml", 12});
  CHECK(configuration->find_policy("archive")->rules().empty());
  CHECK(configuration->find_policy("nobody") == nullptr);
  CHECK(configuration->find_server("events")->protocol == Protocol::cassandra);
  CHECK(configuration->find_server("nobody") == nullptr);
}

TEST_CASE("a list that several rules name is read once and shared", "[config]") {
  const TemporaryFolder folder;
  folder.write("rules/a.yaml", R"(server: orders
ip_rules:
  - {name: office, list: office.netset}
deny_rules:
  - {name: not-office, list: ../rules/office.netset}
)");
  folder.write("rules/office.netset", "203.0.113.7\n");
  const auto file = folder.write("gateway.yaml", gateway_yaml);
  const auto configuration = loaded(file);
  const auto& rules_of_orders = configuration->policies.at(0)->rules();
  using List = std::shared_ptr<const rules::RangeSet>;
  const auto& deny = std::get<rules::DenyRule>(rules_of_orders.at(0).what).addresses;
  const auto& allow = std::get<rules::IpRule>(rules_of_orders.at(1).what).addresses;
  CHECK(std::get<List>(deny) == std::get<List>(allow));
  CHECK(load(file).inputs.size() == 4);
}

TEST_CASE("inputs are all that the outcome depends on, and change with it", "[config]") {
  const TemporaryFolder folder;
  const std::string rule_file = "server: orders\nip_rules:\n  - {name: a, list: a.netset}\n";
  folder.write("rules/orders.yaml", rule_file);
  const auto file = folder.write("gateway.yaml", gateway_yaml);

  const Loaded missing = load(file);
  CHECK(missing.inputs.size() == 4);
  CHECK(input(missing, file).content != 0);
  CHECK(input(missing, folder.path() / "rules" / "").is_folder);
  CHECK(input(missing, folder.path() / "rules/orders.yaml").content != 0);
  CHECK(input(missing, folder.path() / "rules/a.netset").content == 0);

  folder.write("rules/a.netset", "203.0.113.7\n");
  folder.write("rules/orders.yaml", rule_file + "# more\n");
  const Loaded present = load(file);
  CHECK(present.configuration);
  const auto content = [&](const Loaded& when, const char* name) {
    return input(when, folder.path() / name).content;
  };
  CHECK(content(present, "gateway.yaml") == content(missing, "gateway.yaml"));
  CHECK(content(present, "rules/a.netset") != 0);
  CHECK(content(present, "rules/orders.yaml") != content(missing, "rules/orders.yaml"));

  const auto folder_before = content(present, "rules/");
  folder.write("rules/billing.yaml", "");
  CHECK(content(load(file), "rules/") != folder_before);
}

TEST_CASE("only files in the rules folder itself that end in .yaml are rule files", "[config]") {
  const TemporaryFolder folder;
  const std::string unreadable = "server: [\n";
  folder.write("rules/.orders.yaml", unreadable);
  folder.write("rules/orders.yaml~", unreadable);
  folder.write("rules/README", unreadable);
  folder.write("rules/old/orders.yaml", unreadable);
  folder.write("elsewhere.yaml", "server: orders\nip_rules:\n  - {name: a, range: 203.0.113.7}\n");
  std::filesystem::create_symlink("../elsewhere.yaml", folder.path() / "rules/linked.yaml");
  const auto configuration = loaded(folder.write("gateway.yaml", gateway_yaml));
  REQUIRE(configuration->policies.at(0)->rules().size() == 1);
  CHECK(configuration->policies.at(0)->rules()[0].origin.file == "rules/linked.yaml");
}

TEST_CASE("a file that is no file is an error, not a wait", "[config]") {
  const Loaded device = load("/dev/zero");
  REQUIRE(device.diagnostics.all().size() == 1);
  CHECK(device.diagnostics.all()[0].message == "cannot read the file: Not a regular file");
  const Loaded absent = load("/nowhere/gateway.yaml");
  REQUIRE(absent.diagnostics.all().size() == 1);
  CHECK(to_string(absent.diagnostics.all()[0]) ==
        "gateway.yaml:1:1: error: cannot read the file: No such file or directory");
}

TEST_CASE("the admin socket is found even in a file that does not load", "[config]") {
  const TemporaryFolder folder;
  const auto file = folder.write("gateway.yaml", "nonsense: 1\nadmin: {socket: a.sock, http: 7}");
  CHECK(load(file).diagnostics.has_errors());
  CHECK(find_admin_socket(file) == folder.path() / "a.sock");
  CHECK_FALSE(find_admin_socket(folder.write("none.yaml", "admin: {}\n")));
  CHECK_FALSE(find_admin_socket(folder.write("list.yaml", "- admin\n")));
  CHECK_FALSE(find_admin_socket(folder.write("broken.yaml", "admin: [\n")));
  CHECK_FALSE(find_admin_socket(folder.path() / "absent.yaml"));
}

}  // namespace
}  // namespace gatehouse::config
