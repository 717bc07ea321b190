#include "bench/tool/stub_answers.h"

#include <array>
#include <span>

#include <fmt/format.h>

#include "gateway/cassandra/cell.h"
#include "gateway/cassandra/error.h"
#include "gateway/cassandra/handshake.h"
#include "gateway/cassandra/own_requests.h"
#include "gateway/cassandra/query.h"
#include "gateway/cassandra/rows.h"

namespace gatehouse::bench {

namespace {

namespace opcode = cassandra::opcode;
namespace type_id = cassandra::type_id;
using cassandra::Column;
using cassandra::ColumnType;
using cassandra::FrameHeader;

constexpr std::uint8_t version = 4;
constexpr std::size_t stream_at = 2;  // in a header
constexpr std::array<std::uint8_t, 4> address{127, 0, 0, 1};

std::vector<std::uint8_t> frame(std::uint8_t code, Bytes body) {
  std::vector<std::uint8_t> made;
  cassandra::append_frame(
      made, {.sender = cassandra::Sender::node, .version = version, .stream = 0, .opcode = code},
      body);
  return made;
}

struct Cell {
  Column column;
  std::vector<std::uint8_t> bytes;
};

Cell cell(std::string_view name, std::string_view text) {
  return {{name, {.id = type_id::text}}, {text.begin(), text.end()}};
}

Cell cell(std::string_view name, std::uint16_t type, Bytes bytes) {
  return {{name, {.id = type}}, {bytes.begin(), bytes.end()}};
}

std::vector<std::uint8_t> rows(std::string_view keyspace, std::string_view table,
                               std::span<const Cell> row, std::uint32_t count) {
  std::vector<Column> columns;
  for (const Cell& each : row) columns.push_back(each.column);
  std::vector<std::uint8_t> content;
  cassandra::RowsWriter writer(content, {keyspace, table, columns}, false);
  for (std::uint32_t written = 0; written < count; ++written) {
    for (const Cell& each : row) writer.append(each.bytes);
  }
  writer.end(count);
  return frame(opcode::result, content);
}

// All that the gateway reads of a node.
std::vector<Cell> node(std::uint16_t port) {
  std::array<std::uint8_t, 16> id{};
  id.back() = 1;
  std::vector<std::uint8_t> tokens;
  cassandra::append_texts(tokens, {"0"});
  const std::array<std::uint8_t, 4> wide_port{0, 0, static_cast<std::uint8_t>(port >> 8),
                                              static_cast<std::uint8_t>(port & 0xFF)};
  return {cell("key", "local"),
          cell("cluster_name", "gatehouse-bench"),
          cell("partitioner", "org.apache.cassandra.dht.Murmur3Partitioner"),
          cell("cql_version", "3.4.5"),
          cell("native_protocol_version", "4"),
          cell("data_center", "dc1"),
          cell("rack", "rack1"),
          cell("release_version", "4.0.0"),
          cell("host_id", type_id::uuid, id),
          cell("schema_version", type_id::uuid, id),
          cell("rpc_address", type_id::inet, address),
          cell("rpc_port", type_id::int32, wide_port),
          {{"tokens", ColumnType{.id = type_id::set, .first = type_id::text}}, tokens}};
}

std::vector<std::uint8_t> supported() {
  std::vector<std::uint8_t> body;
  cassandra::append_supported(
      body, {.protocol_versions = {"4/v4"}, .compression = {}, .cql_versions = {"3.4.5"}});
  return frame(opcode::supported, body);
}

std::vector<std::uint8_t> bulk() {
  const Cell large = cell("bytes", type_id::blob, std::vector<std::uint8_t>(bulk_size));
  auto made = rows("gatehouse_bench", "bulk", std::span(&large, 1), 1);
  made.resize(made.size() - bulk_size);
  return made;
}

}  // namespace

StubAnswers::StubAnswers(std::uint16_t port)
    : supported_(supported()), ready_(frame(opcode::ready, {})), bulk_(bulk()) {
  const std::vector<Cell> local = node(port);
  const Cell keyspace = cell("keyspace_name", "gatehouse_bench");
  local_ = rows("system", "local", local, 1);
  peers_ = rows("system", "peers", std::span(local).subspan(5), 0);
  small_ = rows("system_schema", "keyspaces", std::span(&keyspace, 1), 1);
}

StubAnswers::Answer StubAnswers::answer(const FrameHeader& request, Bytes body,
                                        std::vector<std::uint8_t>& out) const {
  const cassandra::Answering answering{version, request.stream};
  if (request.version != version) {
    cassandra::append_error(
        out, answering, cassandra::error_code::protocol,
        fmt::format("Invalid or unsupported protocol version ({}); supported versions are (4/v4)",
                    request.version));
    return {.is_last = true};
  }
  const Frame* const found = find(request.opcode, body);
  if (found == nullptr) {
    cassandra::append_error(out, answering, cassandra::error_code::invalid,
                            "This is no database, but what gatehouse-bench measures with.");
    return {};
  }
  const std::size_t at = out.size();
  append_bytes(out, *found);
  out[at + stream_at] = static_cast<std::uint8_t>(request.stream >> 8);
  out[at + stream_at + 1] = static_cast<std::uint8_t>(request.stream & 0xFF);
  return {.filler = found == &bulk_ ? bulk_size : 0};
}

const StubAnswers::Frame* StubAnswers::find(std::uint8_t code, Bytes body) const {
  if (code == opcode::options) return &supported_;
  if (code == opcode::startup || code == opcode::register_events) return &ready_;
  if (code != opcode::query) return nullptr;
  const auto query = cassandra::parse_query(version, body);
  if (!query) return nullptr;
  if (query->text == small_statement) return &small_;
  if (query->text == bulk_statement) return &bulk_;
  if (query->text == cassandra::select_local) return &local_;
  // A gateway that finds no peers_v2 asks for these.
  if (query->text == "SELECT * FROM system.peers") return &peers_;
  return nullptr;
}

}  // namespace gatehouse::bench
