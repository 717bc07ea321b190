// A client of a database that does what every driver does, a stage at a time, and nothing else.
#pragma once

#include <memory>
#include <string>

#include "bench/tool/channel.h"
#include "bench/tool/stages.h"
#include "bench/tool/target.h"

namespace gatehouse::bench {

struct Account {
  std::string user;
  std::string password;
};

// One thread at a time. Calls return false where they failed; why() says how.
class Client {
 public:
  Client() = default;
  virtual ~Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // TCP. `source`: an address to connect from; empty: whichever.
  [[nodiscard]] bool connect(const Target& target, const std::string& source, StageTimes& times);
  // All behind it, until the login is accepted; marks each stage. `resume` may be null. REQUIRES:
  // connect() to this target.
  [[nodiscard]] virtual bool log_in(const Target& target, const Account& account, SSL_CTX& context,
                                    SSL_SESSION* resume, StageTimes& times) = 0;
  // The least that a server answers: one row.
  [[nodiscard]] virtual bool query() = 0;
  // A row of bulk_size bytes (stub_answers.h).
  [[nodiscard]] virtual bool query_bulk() = 0;
  // In order, as drivers end a connection.
  virtual void close() = 0;

  [[nodiscard]] Channel& channel() noexcept { return channel_; }
  [[nodiscard]] const std::string& why() const noexcept { return channel_.why(); }

 protected:
  Channel channel_;  // NOLINT(*-non-private-member-variables-in-classes): what every client has
};

[[nodiscard]] std::unique_ptr<Client> make_client(Protocol protocol);

}  // namespace gatehouse::bench
