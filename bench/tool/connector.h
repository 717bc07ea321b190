// Makes whole connections, one after the other.
#pragma once

#include <string>

#include "bench/tool/client.h"
#include "bench/tool/rounds.h"

namespace gatehouse::bench {

// For one thread.
class Connector {
 public:
  // Both must outlive it. `source`: an address to connect from; empty: whichever. `is_resumed`: TLS
  // is, by the ticket of the connection before.
  Connector(const Subjects& subjects, const Target& target, std::string source, bool is_resumed);

  // Makes the connection whose ticket the first one that counts resumes by, if any does.
  [[nodiscard]] bool prepare(std::string& why);
  // From the first packet to the last, with one query.
  [[nodiscard]] bool connect(StageTimes& times, std::string& why);

 private:
  const Target& target_;
  Account account_;
  std::string source_;
  bool is_resumed_;
  TlsContext context_;
  TlsSession ticket_;
};

}  // namespace gatehouse::bench
