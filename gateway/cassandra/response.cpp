#include "gateway/cassandra/response.h"

#include "gateway/cassandra/frame.h"

namespace gatehouse::cassandra {

std::optional<ResponseBody> split_response(std::uint8_t flags, Bytes body) noexcept {
  constexpr std::size_t uuid_size = 16;
  ByteReader reader(body);
  if ((flags & frame_flag::tracing) != 0) reader.bytes(uuid_size);
  if ((flags & frame_flag::warnings) != 0) reader.skip_string_list();
  if ((flags & frame_flag::custom_payload) != 0) reader.skip_bytes_map();
  if (!reader.ok()) return std::nullopt;
  const Bytes content = reader.rest();
  return ResponseBody{body.first(body.size() - content.size()), content};
}

}  // namespace gatehouse::cassandra
