// Logs in to Cassandra by its native protocol, in version 4, and asks for one row.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/tool/client.h"
#include "gateway/cassandra/frame.h"

namespace gatehouse::bench {

class CqlClient final : public Client {
 public:
  bool log_in(const Target& target, const Account& account, SSL_CTX& context, SSL_SESSION* resume,
              StageTimes& times) override;
  bool query() override;
  bool query_bulk() override;
  void close() override { channel_.close(); }

 private:
  // One request, and its answer.
  [[nodiscard]] bool ask(std::uint8_t opcode, Bytes body);
  [[nodiscard]] bool ask_for_rows(std::string_view statement);
  bool fail_with_answer(const char* request);

  cassandra::FrameHeader answer_;
  std::vector<std::uint8_t> body_;
};

}  // namespace gatehouse::bench
