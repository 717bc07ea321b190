#include "gateway/cassandra/keyspaces.h"

#include <utility>

namespace gatehouse::cassandra {

std::vector<std::string_view> Keyspaces::possible() const {
  std::vector<std::string_view> keyspaces{current_};
  if (under_way_ && under_way_->keyspace != current_) keyspaces.emplace_back(under_way_->keyspace);
  return keyspaces;
}

bool Keyspaces::begin(std::int16_t stream, std::string keyspace) {
  if (under_way_) return false;
  under_way_ = {stream, std::move(keyspace)};
  return true;
}

void Keyspaces::end(std::int16_t stream, std::optional<std::string_view> keyspace) {
  if (!under_way_ || under_way_->stream != stream) return;
  if (keyspace) current_ = *keyspace;
  under_way_.reset();
}

}  // namespace gatehouse::cassandra
