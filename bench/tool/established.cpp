#include "bench/tool/established.h"

#include <utility>

namespace gatehouse::bench {

std::unique_ptr<Client> establish(const Target& target, const Account& account, SSL_CTX& context,
                                  StageTimes& times, std::string& why) {
  auto client = make_client(target.protocol);
  if (client->connect(target, {}, times) &&
      client->log_in(target, account, context, nullptr, times) && client->query()) {
    return client;
  }
  why = client->why();
  return nullptr;
}

bool establish(const Subjects& subjects, const Target& target, std::size_t count, Clients& clients,
               std::string& why) {
  const TlsContext context = client_context();
  const Account account = subjects.account_of(target);
  while (clients.size() < count) {
    StageTimes times;
    auto client = establish(target, account, *context, times, why);
    if (client == nullptr) return false;
    clients.push_back(std::move(client));
  }
  return true;
}

}  // namespace gatehouse::bench
