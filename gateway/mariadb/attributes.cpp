#include "gateway/mariadb/attributes.h"

namespace gatehouse::mariadb {

std::optional<std::string_view> find_attribute(Bytes attributes, std::string_view key) noexcept {
  ByteReader reader(attributes);
  while (!reader.at_end()) {
    const std::string_view candidate = as_text(reader.lenenc_bytes());
    const std::string_view value = as_text(reader.lenenc_bytes());
    if (reader.ok() && candidate == key) return value;
  }
  return std::nullopt;
}

}  // namespace gatehouse::mariadb
