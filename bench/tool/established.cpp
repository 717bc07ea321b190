#include "bench/tool/established.h"

#include <utility>

namespace gatehouse::bench {

bool establish(const Subjects& subjects, const Target& target, std::size_t count, Clients& clients,
               std::string& why) {
  const TlsContext context = client_context();
  const Account account = subjects.account_of(target);
  if (context == nullptr) {
    why = "no memory";
    return false;
  }
  while (clients.size() < count) {
    auto client = make_client(target.protocol);
    StageTimes times;
    if (!client->log_in(target, account, {}, *context, nullptr, times) || !client->query()) {
      why = client->why();
      return false;
    }
    clients.push_back(std::move(client));
  }
  return true;
}

}  // namespace gatehouse::bench
