// What comes back from an admin socket to a command of ours: there may be anybody. The input: a
// byte that says which command, and the answer.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <thread>

#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/cli/commands.h"
#include "gateway/net/descriptor.h"
#include "tests/fuzz/config_folder.h"
#include "tests/fuzz/require.h"
#include "tests/gateway/buffers.h"

namespace gatehouse::fuzz {

namespace {

using cli::Format;
using cli::GatewayAddress;

const std::array<std::function<int(const GatewayAddress&, Format)>, 8> commands{
    cli::status,
    cli::rules,
    cli::reload,
    [](const GatewayAddress& at, Format format) { return cli::sessions(at, {}, format); },
    [](const GatewayAddress& at, Format format) {
      cli::SessionOptions one;
      one.session = "0123456789abcdef";
      return cli::close(at, one, format);
    },
    [](const GatewayAddress& at, Format format) { return cli::lock_down(at, "orders", format); },
    [](const GatewayAddress& at, Format format) { return cli::unlock(at, "orders", format); },
    [](const GatewayAddress& at, Format format) {
      return cli::unblock(at, {.source = "192.0.2.7", .server = {}}, format);
    }};

// Listens in place of a gateway, and gives each connection one answer.
class Impostor {
 public:
  Impostor() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    at().socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
    require(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
            "the fuzzer can listen");
    require(::listen(socket_.get(), 8) == 0, "the fuzzer can listen");
  }

  [[nodiscard]] GatewayAddress at() const {
    return {.config = {}, .socket = folder_.path() / "admin.sock"};
  }
  void answer(Bytes bytes) const {
    const Descriptor connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, 4096> request{};
    require(::recv(connection.get(), request.data(), request.size(), 0) > 0, "a command asks");
    ::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

 private:
  ConfigFolder folder_;
  Descriptor socket_;
};

// What a command prints, to be read again. A sanitizer still has where to write.
class Printed {
 public:
  Printed() : memory_(::memfd_create("printed", MFD_CLOEXEC)), stderr_(::dup(STDERR_FILENO)) {
    require(memory_ && stderr_ && ::dup2(memory_.get(), STDOUT_FILENO) >= 0, "output can be kept");
    __sanitizer_set_report_fd(reinterpret_cast<void*>(std::intptr_t{stderr_.get()}));
  }

  void begin() const { ::dup2(memory_.get(), STDERR_FILENO); }
  [[nodiscard]] std::string end() const {
    static_cast<void>(std::fflush(stdout));
    ::dup2(stderr_.get(), STDERR_FILENO);
    std::string text(static_cast<std::size_t>(::lseek(memory_.get(), 0, SEEK_CUR)), '\0');
    require(
        ::pread(memory_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
        "what was printed can be read");
    ::lseek(memory_.get(), 0, SEEK_SET);
    return text;
  }

 private:
  Descriptor memory_;
  Descriptor stderr_;
};

void check_printable(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    require((byte >= ' ' && byte != 0x7F) || byte == '\n', "no terminal is told what to do");
    if (byte != 0xC2 || i + 1 == text.size()) continue;
    require(static_cast<std::uint8_t>(text[i + 1]) >= 0xA0, "nor in one character of two bytes");
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  static const Impostor impostor;
  static const Printed printed;
  const Format format = (data[0] & 8) == 0 ? Format::text : Format::json;
  std::string thrown;
  int code = cli::failed;
  printed.begin();
  {
    const std::jthread gateway([&] { impostor.answer(Bytes(data + 1, size - 1)); });
    try {
      code = commands.at(data[0] % commands.size())(impostor.at(), format);
    } catch (const std::exception& error) {
      thrown = error.what();  // which the program prints
    }
  }
  check_printable(printed.end());
  check_printable(thrown);
  require(code >= cli::done && code <= cli::usage, "a command says how it went");
  return 0;
}

}  // namespace gatehouse::fuzz
