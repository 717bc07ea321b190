// Everything the YAML files say, checked: what the gateway runs on. Plain values, no YAML behind
// them. Paths are absolute; names are those of design words (listener, server, backend, network).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/diagnostics.h"
#include "rules/networks.h"
#include "rules/policy.h"

namespace gatehouse::config {

// A file that the configuration names and the gateway reads; `at` is where it is named, for errors.
struct FileReference {
  std::filesystem::path path;
  Location at;
};

enum class Protocol { mariadb, cassandra };
enum class LoginMode { transparent, routed };
enum class TlsVersion { v1_2, v1_3 };
enum class OnDeny { message, reset };

// An address and port to bind; port 0 asks the system for a free one.
struct SocketAddress {
  rules::IpAddress ip;
  std::uint16_t port = 0;
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};
// 192.0.2.1:3306 or [2001:db8::1]:3306
[[nodiscard]] std::string to_string(const SocketAddress& address);

struct KeyPair {
  FileReference certificate;  // a PEM chain, leaf first
  FileReference key;
};

struct ListenerTls {
  KeyPair identity;
  std::vector<KeyPair> more;  // chosen by SNI
  TlsVersion minimum_version = TlsVersion::v1_2;
  bool required = true;
  std::optional<FileReference> client_ca;  // set: a client certificate is required
  std::optional<FileReference> client_crl;
};

struct ProxyProtocol {
  std::vector<rules::IpRange> from;  // trusted senders; a header is required from them

  [[nodiscard]] bool trusts(const rules::IpAddress& sender) const noexcept;
};

enum class NodesMode { port_per_node, address_per_node, single };
// How a Cassandra listener shows the cluster's nodes.
struct Nodes {
  NodesMode mode = NodesMode::port_per_node;
  std::uint16_t first_port = 0;  // first and last 0: any free ports
  std::uint16_t last_port = 0;
  std::vector<rules::IpAddress> addresses;
  std::optional<rules::IpAddress> public_address;
};

struct Listener {
  std::string name;
  Location at;
  Protocol protocol = Protocol::mariadb;
  std::vector<SocketAddress> addresses;  // at least one
  std::vector<Location> addresses_at;    // where each is written, for a bind that fails
  std::vector<std::string> servers;      // at least one, each exists and speaks `protocol`
  LoginMode login = LoginMode::transparent;
  ListenerTls tls;
  OnDeny on_deny = OnDeny::message;
  std::optional<ProxyProtocol> proxy_protocol;
  std::optional<std::string> device;
  std::optional<Nodes> nodes;  // Cassandra only; always set there
};

struct TcpBackend {
  std::string host;  // an address or a name to resolve
  std::uint16_t port = 0;
};
struct UnixBackend {
  std::filesystem::path path;
};
using BackendPlace = std::variant<TcpBackend, UnixBackend>;
struct Backend {
  BackendPlace where;
  std::string text;  // as written: what logs and the audit call it
  Location at;
};

enum class BackendTlsMode { verify, pin, off };
struct BackendTls {
  BackendTlsMode mode = BackendTlsMode::verify;
  std::optional<FileReference> ca;  // unset: the system's CAs
  std::string name;                 // empty: the backend's own host or IP
  std::string sha256;               // pin: 64 lower-case hex digits
  std::optional<KeyPair> identity;  // the gateway's own client certificate
};

// The gateway's own account for learning a Cassandra ring.
struct Topology {
  std::string user;
  FileReference password_file;
};

struct Server {
  std::string name;
  Location at;
  Protocol protocol = Protocol::mariadb;
  std::vector<Backend> backends;  // at least one, tried in order
  BackendTls tls;                 // off where absent and every backend is a unix socket
  bool send_proxy_protocol = false;
  std::chrono::milliseconds dial_timeout{3000};
  std::uint32_t max_sessions = 0;  // 0: only the limits of all servers
  std::optional<Topology> topology;
  bool hide_system_tables = true;
};

enum class WhenUnwritable { refuse, carry_on };
struct Audit {
  std::optional<std::filesystem::path> file;  // unset: no audit file
  WhenUnwritable when_unwritable = WhenUnwritable::refuse;
};

struct Admin {
  std::optional<std::filesystem::path> socket;
  std::optional<SocketAddress> http;
  Location http_at;
};

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };
struct Log {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

struct FailedLogins {
  std::uint32_t per_minute = 20;
  std::optional<std::chrono::milliseconds> block;  // unset: off
};

struct Limits {
  std::uint32_t sessions = 10000;
  std::uint32_t sessions_per_source = 200;
  std::uint32_t handshakes = 10000;
  std::uint32_t refusals = 64;
  std::chrono::milliseconds handshake_timeout{10000};
  std::chrono::milliseconds idle_timeout{std::chrono::hours(8)};
  std::chrono::milliseconds drain_timeout{30000};
  FailedLogins failed_logins;
};

struct Configuration {
  std::filesystem::path file;    // gateway.yaml, absolute
  std::filesystem::path folder;  // of gateway.yaml: what diagnostics' paths are seen from
  std::string name;              // may be empty
  std::vector<Listener> listeners;
  std::vector<Server> servers;
  rules::NetworkMap networks;
  // One for each server, in the order of `servers`; those without a rule file have no rules.
  std::vector<std::shared_ptr<const rules::Policy>> policies;
  std::filesystem::path state;
  Audit audit;
  Admin admin;
  Log log;
  Limits limits;
  std::uint32_t workers = 0;  // 0: one for each processor

  // Null if there is none of that name.
  [[nodiscard]] const Server* find_server(std::string_view server) const noexcept;
  [[nodiscard]] const rules::Policy* find_policy(std::string_view server) const noexcept;
};

}  // namespace gatehouse::config
