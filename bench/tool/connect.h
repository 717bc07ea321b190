// How long it takes to be let in: whole connections, one after the other or several at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/tool/client.h"
#include "bench/tool/report.h"

namespace gatehouse::bench {

struct ConnectOptions {
  std::vector<Target> targets;
  Account account;
  std::size_t rounds = 10;
  std::size_t connections = 200;  // of each target in each round
  std::size_t at_once = 1;
  bool is_resumed = false;  // TLS; the ticket of the connection before
};

// What is under way, for a person to see.
using Progress = std::function<void(std::size_t round, const std::string& target)>;

// No value: a connection failed, and `why` says at which target and how. Targets are taken in turn,
// round by round, each round beginning with another.
[[nodiscard]] std::optional<std::vector<Measured>> measure_connect(const ConnectOptions& options,
                                                                   const Progress& progress,
                                                                   std::string& why);

}  // namespace gatehouse::bench
