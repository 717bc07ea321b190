// A node of Cassandra that is never what is waited for: for measuring what stands in front of it.
#pragma once

#include <cstdint>
#include <string>

namespace gatehouse::bench {

// On 127.0.0.1, in one thread; says where on stdout once it listens, and serves until SIGTERM or
// SIGINT. False: it could not, and `why` says so.
[[nodiscard]] bool run_stub(std::uint16_t port, std::string& why);

}  // namespace gatehouse::bench
