#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include "config/load.h"
#include "gateway/admin/commands.h"
#include "gateway/admin/control_socket.h"
#include "gateway/admin/http_server.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/output.h"
#include "gateway/gateway.h"
#include "gateway/net/tls_memory.h"

namespace gatehouse::cli {

namespace {

constexpr int large_block = 1024 * 1024;

void print_listening(const std::string& name, const std::string& address) {
  fmt::print("listening {} {}\n", name, address);
  static_cast<void>(std::fflush(stdout));
}

}  // namespace

int run(const RunOptions& options) {
  // What a load needs for a moment goes back to the system. By default the allocator learns from
  // the first large block to keep those that come after it.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet
  static_cast<void>(::mallopt(M_MMAP_THRESHOLD, large_block));
  // A peer that has gone is an error of the write, not of the process.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  // Likewise an audit file that has come to its size limit (RLIMIT_FSIZE).
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
  watch_tls_memory();  // before anything uses the library
  Log log(STDERR_FILENO, {});
  Gateway gateway(options.config, log);
  AdminCommands commands(gateway);
  ControlSocket control(gateway.standing_work(), commands);
  HttpServer http(gateway);

  // The admin socket first: where another gateway answers on it, this one must not touch the audit.
  // Questions are answered once the gateway runs.
  if (const auto socket = config::find_admin_socket(options.config)) {
    if (const std::string error = control.listen(*socket); !error.empty()) {
      fmt::print(stderr, "gatehouse: admin socket {}\n", error);
      return ExitCode::failed;
    }
  }
  if (!gateway.start(print_listening)) {
    if (const auto& error = gateway.last_error()) print_diagnostics(error->diagnostics);
    return ExitCode::failed;
  }
  const config::Admin admin = gateway.snapshot()->configuration->admin;
  if (admin.http) {
    if (const std::string error = http.listen(*admin.http); !error.empty()) {
      print_diagnostics(
          {{.at = admin.http_at,
            .severity = config::Severity::error,
            .message = fmt::format("cannot listen on {}: {}", to_string(*admin.http), error),
            .hint = {}}});
      return ExitCode::failed;
    }
    print_listening("admin", to_string(http.address()));
  }
  fmt::print("ready\n");
  static_cast<void>(std::fflush(stdout));
  gateway.run();
  return ExitCode::done;
}

}  // namespace gatehouse::cli
