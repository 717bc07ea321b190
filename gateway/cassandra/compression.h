// LZ4 and Snappy, as the protocol uses them: whole bodies of v3 and v4 (section 5), and the blocks
// of v5's segments. The one codec that sees the two libraries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/cassandra/bytes.h"

namespace gatehouse::cassandra {

enum class Compression { none, lz4, snappy };

// Of STARTUP's COMPRESSION, in which case counts for nothing. No value: another algorithm.
[[nodiscard]] std::optional<Compression> compression_named(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(Compression compression) noexcept;

// The body of a v3 or v4 frame with the compressed flag. No value: it is not what it claims to be,
// or would be longer than `limit` bytes: that is found out before memory is taken. REQUIRES:
// `compression` is not none.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> decompress_body(Compression compression,
                                                                       Bytes body,
                                                                       std::uint32_t limit);
// The body of a frame as it is to be read: itself, or decompressed into `memory`, of which the
// result is then a view. No value: as above, or compressed where that was not agreed on. `flags`:
// the frame's.
[[nodiscard]] std::optional<Bytes> plain_body(Compression compression, std::uint8_t flags,
                                              Bytes body, std::uint32_t limit,
                                              std::vector<std::uint8_t>& memory);
// The other way. No value: a body that the library cannot take, of more than 2 GiB.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> compress_body(Compression compression,
                                                                     Bytes body);

// A raw LZ4 block, whose length is said elsewhere. No value: not one, or not of that length.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> decompress_lz4_block(Bytes block,
                                                                            std::size_t length);
[[nodiscard]] std::optional<std::vector<std::uint8_t>> compress_lz4_block(Bytes plain);

}  // namespace gatehouse::cassandra
