// That a view into a packet leads nowhere else.
#pragma once

#include <string_view>

#include "gateway/mariadb/bytes.h"

namespace gatehouse::mariadb {

inline bool lies_within(std::string_view part, Bytes whole) {
  const std::string_view text = as_text(whole);
  return part.empty() ||
         (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
}

}  // namespace gatehouse::mariadb
