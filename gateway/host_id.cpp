#include "gateway/host_id.h"

#include <algorithm>
#include <stdexcept>

#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace gatehouse {

std::string host_id_text(const cassandra::Uuid& host_id) {
  boost::uuids::uuid uuid{};
  std::copy(host_id.begin(), host_id.end(), uuid.begin());
  return boost::uuids::to_string(uuid);
}

std::optional<cassandra::Uuid> host_id_in(std::string_view text) {
  cassandra::Uuid host_id{};
  try {
    const boost::uuids::uuid uuid = boost::uuids::string_generator()(text.begin(), text.end());
    std::copy(uuid.begin(), uuid.end(), host_id.begin());
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
  // It reads other ways to write one, too.
  if (host_id_text(host_id) != text) return std::nullopt;
  return host_id;
}

}  // namespace gatehouse
