#include "gateway/surroundings.h"

#include <algorithm>

#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace gatehouse {

namespace {

// A session has two sockets; the rest is files, listening sockets, the admin side.
constexpr rlim_t descriptors_of_our_own = 256;

}  // namespace

std::string name_of_own_user() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing else asks for accounts; it takes any length
  const passwd* account = ::getpwuid(::geteuid());
  return account != nullptr ? account->pw_name : "";
}

// MariaDB is installed with accounts of these names that a unix socket opens without a password.
void warn_of_own_user(const config::Configuration& configuration, const std::string& own_user,
                      Log& log) {
  if (own_user != "root" && own_user != "mysql") return;
  for (const config::Server& server : configuration.servers) {
    const bool local = std::any_of(
        server.backends.begin(), server.backends.end(), [](const config::Backend& backend) {
          return std::holds_alternative<config::UnixBackend>(backend.where);
        });
    if (!local) continue;
    log.warning(
        "server {}: its database takes this process for its own user {}: run the gateway under an "
        "account that no database user is named after",
        server.name, own_user);
  }
}

void warn_of_settings_to_restart_for(const config::Configuration& now,
                                     const config::Configuration& next, Log& log) {
  const auto warn = [&](std::string_view setting, bool changed) {
    if (changed) log.warning("a change of `{}` takes effect after a restart", setting);
  };
  warn("workers", now.workers != next.workers);
  warn("state", now.state != next.state);
  warn("admin", now.admin.socket != next.admin.socket || now.admin.http != next.admin.http);
}

void raise_descriptor_limit(const config::Limits& limits, Log& log) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t needed = rlim_t{limits.sessions} * 2 + descriptors_of_our_own;
  if (limit.rlim_cur < needed) {
    log.warning(
        "this process may open {} files, but limits.sessions ({}) can need {}: raise the one "
        "(LimitNOFILE, ulimit -n) or lower the other",
        limit.rlim_cur, limits.sessions, needed);
  }
}

}  // namespace gatehouse
