// What somebody writes to the admin socket of a gateway that runs: the input, as it is.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/parse.hpp>
#include <sys/socket.h>
#include <sys/un.h>

#include "gateway/admin/control_socket.h"
#include "gateway/gateway.h"
#include "tests/fuzz/config_folder.h"
#include "tests/fuzz/identity.h"
#include "tests/fuzz/require.h"

namespace gatehouse::fuzz {

namespace {

constexpr std::string_view gateway_yaml = R"(
listeners:
  - name: public
    protocol: mariadb
    address: "127.0.0.1:0"
    servers: [orders, billing]
    tls: {certificate: gateway.pem, key: gateway.key}
servers:
  - {name: orders, protocol: mariadb, backends: ["127.0.0.1:1"], tls: {mode: "off"}}
  - {name: billing, protocol: mariadb, backends: ["127.0.0.1:1"], tls: {mode: "off"}}
rules: rules/
workers: 1
log: {level: error}
)";

// Signals stay the fuzzer's.
class KeptSignals {
 public:
  KeptSignals() {
    for (std::size_t i = 0; i < signals.size(); ++i) {
      ::sigaction(signals.at(i), nullptr, &before_.at(i));
    }
  }
  void put_back() const {
    for (std::size_t i = 0; i < signals.size(); ++i) {
      ::sigaction(signals.at(i), &before_.at(i), nullptr);
    }
  }

 private:
  static constexpr std::array<int, 3> signals{SIGTERM, SIGINT, SIGHUP};
  std::array<struct sigaction, signals.size()> before_{};
};

class AdminSide {
 public:
  AdminSide() {
    folder_.write("gateway.yaml", gateway_yaml);
    folder_.write("rules/orders.yaml", "server: orders\n");
    write_identity(folder_.path());
    const KeptSignals kept;
    require(gateway_.start([](const std::string&, const std::string&) {}), "the gateway starts");
    kept.put_back();
    require(control_.listen(socket_path()).empty(), "the admin socket listens");
  }

  // What comes back; empty where the connection is closed without a word.
  std::string ask(Bytes request) {
    const Descriptor socket = connect();
    ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
    ::shutdown(socket.get(), SHUT_WR);
    std::string answer;
    std::array<char, 16384> buffer{};
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      gateway_.context().poll();
      const auto size = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size == 0) return answer;
      if (size > 0) {
        answer.append(buffer.data(), static_cast<std::size_t>(size));
        continue;
      }
      require(std::chrono::steady_clock::now() < give_up, "every request has its answer");
      gateway_.context().run_one_for(std::chrono::milliseconds(1));
    }
  }

  // As it was before: what a request has locked down is open again.
  void unlock_all() {
    while (!gateway_.lockdowns().all().empty()) {
      const std::string server = gateway_.lockdowns().all().front().server;
      require(server == "orders" || server == "billing", "what is locked down is a server");
      require(gateway_.unlock(server, 0).error.empty(), "what was locked down can be unlocked");
    }
  }

 private:
  [[nodiscard]] std::filesystem::path socket_path() const { return folder_.path() / "admin.sock"; }

  [[nodiscard]] Descriptor connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path().string().copy(address.sun_path, sizeof address.sun_path - 1);
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    require(
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
        "the admin socket takes connections");
    return socket;
  }

  ConfigFolder folder_;
  Log log_{STDERR_FILENO, {.level = config::LogLevel::error}};
  Gateway gateway_{folder_.gateway_yaml(), log_};
  AdminCommands commands_{gateway_};
  ControlSocket control_{gateway_.standing_work(), commands_};
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static AdminSide admin;
  const Bytes request(data, size);
  const std::string answer = admin.ask(request);
  admin.unlock_all();
  if (std::ranges::find(request, '\n') == request.end()) {
    require(answer.empty(), "what is no whole line is not answered");
    return 0;
  }
  require(answer.ends_with('\n') && std::ranges::count(answer, '\n') == 1, "an answer is a line");
  const auto value = boost::json::parse(answer);
  const bool is_done = value.at("ok").as_bool();
  require(value.as_object().size() == 2 && value.as_object().contains(is_done ? "result" : "error"),
          "an answer is a result or an error");
  require(is_done || !value.at("error").as_string().empty(), "an error says something");
  return 0;
}

}  // namespace gatehouse::fuzz
