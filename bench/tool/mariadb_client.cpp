#include "bench/tool/mariadb_client.h"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "bench/tool/stub_answers.h"
#include "gateway/mariadb/capabilities.h"
#include "gateway/mariadb/login.h"
#include "gateway/mariadb/packet.h"
#include "gateway/mariadb/plugins.h"
#include "gateway/mariadb/reply.h"

namespace gatehouse::bench {

namespace {

using mariadb::ReplyKind;

constexpr std::uint64_t capabilities =
    mariadb::capability::mysql | mariadb::capability::protocol_41 |
    mariadb::capability::transactions | mariadb::capability::secure_connection |
    mariadb::capability::plugin_auth;
constexpr mariadb::LoginPrefix prefix{
    .capabilities = capabilities, .max_packet = 1U << 24, .charset = 45};

constexpr std::size_t nonce_size = 20;
constexpr std::uint8_t com_quit = 1;
constexpr std::uint8_t com_query = 3;

using Digest = std::array<std::uint8_t, 20>;

Digest sha1(std::initializer_list<Bytes> parts) {
  Digest digest{};
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha1(), nullptr);
  for (const Bytes part : parts) EVP_DigestUpdate(context, part.data(), part.size());
  EVP_DigestFinal_ex(context, digest.data(), nullptr);
  EVP_MD_CTX_free(context);
  return digest;
}

// Behind the rows, and behind the columns before them.
bool is_end(Bytes payload) {
  return payload.size() < 9 && !payload.empty() && payload.front() == 0xFE;
}

}  // namespace

std::vector<std::uint8_t> native_password_answer(std::string_view password,
                                                 std::string_view nonce) {
  if (password.empty()) return {};
  const Digest once = sha1({bytes_of(password)});
  const Digest twice = sha1({once});
  const Digest mixed = sha1({bytes_of(nonce.substr(0, nonce_size)), twice});
  std::vector<std::uint8_t> answer(once.begin(), once.end());
  for (std::size_t at = 0; at < answer.size(); ++at) answer[at] ^= mixed[at];
  return answer;
}

bool MariadbClient::log_in(const Target& target, const Account& account, SSL_CTX& context,
                           SSL_SESSION* resume, StageTimes& times) {
  if (!read_greeting()) return false;
  times.mark(Stage::greeting);
  if (target.is_tls) {
    std::vector<std::uint8_t> request;
    mariadb::append_ssl_request(request, ++sequence_, prefix);
    if (!channel_.write(request) || !channel_.begin_tls(context, resume)) return false;
    times.mark(Stage::tls);
  }
  if (!say_login(account) || !finish_login(account)) return false;
  times.mark(Stage::login);
  return true;
}

bool MariadbClient::read_greeting() {
  if (!read_packet()) return false;
  auto greeting = mariadb::parse_greeting(payload_);
  if (!greeting) return fail_with_packet();
  greeting_ = std::move(*greeting);
  return true;
}

bool MariadbClient::say_login(const Account& account) {
  // Where another plugin is announced the server asks again.
  const bool is_native = greeting_.plugin.empty() || greeting_.plugin == mariadb::native_password;
  const Buffer answer =
      is_native ? native_password_answer(account.password, greeting_.scramble) : Buffer();
  Buffer payload;
  const bool is_tls = channel_.is_tls();
  mariadb::append_u32(
      payload, static_cast<std::uint32_t>(capabilities | (is_tls ? mariadb::capability::ssl : 0)));
  mariadb::append_u32(payload, prefix.max_packet);
  payload.push_back(prefix.charset);
  payload.resize(mariadb::login_prefix_size);
  mariadb::append_text_and_nul(payload, account.user);
  payload.push_back(static_cast<std::uint8_t>(answer.size()));
  payload.insert(payload.end(), answer.begin(), answer.end());
  mariadb::append_text_and_nul(payload, mariadb::native_password);
  return write_packet(static_cast<std::uint8_t>(sequence_ + 1), payload);
}

bool MariadbClient::finish_login(const Account& account) {
  for (;;) {
    if (!read_packet()) return false;
    const ReplyKind kind = mariadb::classify_reply(payload_);
    if (kind == ReplyKind::ok) return true;
    if (kind != ReplyKind::auth_switch) return fail_with_packet();
    const auto wanted = *mariadb::parse_auth_switch(payload_);
    if (wanted.plugin != mariadb::native_password) {
      return channel_.fail(
          fmt::format("the account wants {}: give it mysql_native_password", wanted.plugin));
    }
    const auto answer = native_password_answer(account.password, as_text(wanted.data));
    if (!write_packet(static_cast<std::uint8_t>(sequence_ + 1), answer)) return false;
  }
}

bool MariadbClient::query() {
  std::size_t size = 0;
  return ask_for_rows("SELECT 1", size);
}

bool MariadbClient::query_bulk() {
  std::size_t size = 0;
  if (!ask_for_rows(fmt::format("SELECT REPEAT('x', {})", bulk_size), size)) return false;
  return size > bulk_size ||
         channel_.fail("it gave less than was asked for\n  hint: max_allowed_packet");
}

bool MariadbClient::ask_for_rows(std::string_view statement, std::size_t& size) {
  Buffer command{com_query};
  mariadb::append_text(command, statement);
  if (!write_packet(0, command)) return false;
  for (int ends = 0; ends < 2;) {
    if (!read_packet()) return false;
    if (mariadb::classify_reply(payload_) == ReplyKind::error) return fail_with_packet();
    if (is_end(payload_)) ++ends;
    if (ends == 1) size += payload_.size();
  }
  return true;
}

void MariadbClient::close() {
  const std::array quit{com_quit};
  static_cast<void>(write_packet(0, quit));
  channel_.close();
}

bool MariadbClient::read_packet() {
  std::array<std::uint8_t, mariadb::header_size> bytes{};
  if (!channel_.read_exactly(bytes)) return false;
  const mariadb::PacketHeader header = mariadb::read_header(bytes);
  sequence_ = header.sequence;
  payload_.resize(header.length);
  return channel_.read_exactly(payload_);
}

bool MariadbClient::write_packet(std::uint8_t sequence, Bytes payload) {
  Buffer packet(mariadb::header_size);
  mariadb::write_header(
      std::span<std::uint8_t, mariadb::header_size>(packet),
      {.length = static_cast<std::uint32_t>(payload.size()), .sequence = sequence});
  packet.insert(packet.end(), payload.begin(), payload.end());
  sequence_ = sequence;
  return channel_.write(packet);
}

bool MariadbClient::fail_with_packet() {
  const auto error = mariadb::parse_error(payload_);
  if (!error) return channel_.fail("it does not speak MariaDB's protocol");
  return channel_.fail(fmt::format("error {}: {}", error->code, error->message));
}

}  // namespace gatehouse::bench
