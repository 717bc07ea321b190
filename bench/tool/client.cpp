#include "bench/tool/client.h"

#include "bench/tool/cql_client.h"
#include "bench/tool/mariadb_client.h"

namespace gatehouse::bench {

bool Client::connect(const Target& target, const std::string& source, StageTimes& times) {
  times.begin();
  if (!channel_.connect(target, source)) return false;
  times.mark(Stage::tcp);
  return true;
}

std::unique_ptr<Client> make_client(Protocol protocol) {
  if (protocol == Protocol::cql) return std::make_unique<CqlClient>();
  return std::make_unique<MariadbClient>();
}

}  // namespace gatehouse::bench
