// Logs in to MariaDB with mysql_native_password and asks for one row.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/tool/client.h"
#include "gateway/mariadb/greeting.h"

namespace gatehouse::bench {

class MariadbClient final : public Client {
 public:
  bool log_in(const Target& target, const Account& account, SSL_CTX& context, SSL_SESSION* resume,
              StageTimes& times) override;
  bool query() override;
  bool query_bulk() override;
  void close() override;

 private:
  using Buffer = std::vector<std::uint8_t>;

  [[nodiscard]] bool read_packet();
  [[nodiscard]] bool write_packet(std::uint8_t sequence, Bytes payload);
  [[nodiscard]] bool read_greeting();
  [[nodiscard]] bool say_login(const Account& account);
  [[nodiscard]] bool finish_login(const Account& account);
  // `size`: of the rows' packets together.
  [[nodiscard]] bool ask_for_rows(std::string_view statement, std::size_t& size);
  bool fail_with_packet();

  mariadb::Greeting greeting_;
  std::uint8_t sequence_ = 0;  // of the last packet that was read or written
  Buffer payload_;             // of the last packet that was read
};

// What mysql_native_password answers to a nonce: SHA1(password) XOR SHA1(nonce +
// SHA1(SHA1(password))); nothing where there is no password.
[[nodiscard]] std::vector<std::uint8_t> native_password_answer(std::string_view password,
                                                               std::string_view nonce);

}  // namespace gatehouse::bench
