// What stands before the content of a node's answers (section 2.2 of the native protocol): the id
// of a trace, warnings and a payload, each where the frame's flags say so.
#pragma once

#include <optional>

#include "gateway/cassandra/bytes.h"

namespace gatehouse::cassandra {

struct ResponseBody {
  Bytes prefix;   // trace, warnings and payload
  Bytes content;  // from where the message itself begins
};
// Of a whole body, decompressed. No value: a prefix that does not fit.
[[nodiscard]] std::optional<ResponseBody> split_response(std::uint8_t flags, Bytes body) noexcept;

}  // namespace gatehouse::cassandra
