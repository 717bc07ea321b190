#include "gateway/net/tls_names.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <openssl/x509v3.h>

namespace gatehouse {

namespace {

std::size_t big_endian(std::span<const std::uint8_t, 2> bytes) noexcept {
  return static_cast<std::size_t>(bytes[0]) << 8 | bytes[1];
}

}  // namespace

std::set<std::string> names_of(const X509* certificate) {
  std::set<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  const auto count = sk_GENERAL_NAME_num(all.get());
  for (auto index = decltype(count){0}; index < count; ++index) {
    unsigned char* der = nullptr;
    const int size = i2d_GENERAL_NAME(sk_GENERAL_NAME_value(all.get(), index), &der);
    if (size > 0) names.emplace(reinterpret_cast<const char*>(der), size);
    OPENSSL_free(der);
  }
  return names;
}

bool holds_host_name(const std::set<std::string>& names) noexcept {
  constexpr char dns_name = static_cast<char>(0x80 | GEN_DNS);  // its tag in DER
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name.front() == dns_name; });
}

NameMatch match(X509* certificate, std::string_view name) noexcept {
  // A leading dot would mean "any name below" to OpenSSL.
  if (name.empty() || name.front() == '.') return NameMatch::none;
  constexpr unsigned int flags =
      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  const auto fits = [&](unsigned int more) {
    return X509_check_host(certificate, name.data(), name.size(), flags | more, nullptr) == 1;
  };
  if (fits(X509_CHECK_FLAG_NO_WILDCARDS)) return NameMatch::exact;
  return fits(0) ? NameMatch::wildcard : NameMatch::none;
}

std::string_view requested_name(SSL* ssl) noexcept {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) != 1) return {};
  // RFC 6066, section 3: the list's length, and one entry of a type, a length and a name.
  constexpr std::size_t head = 5;
  const std::span<const std::uint8_t> bytes(data, size);
  if (size <= head || size > head + TLSEXT_MAXLEN_host_name) return {};
  if (big_endian(bytes.first<2>()) != size - 2) return {};
  if (bytes[2] != TLSEXT_NAMETYPE_host_name) return {};
  if (big_endian(bytes.subspan<3, 2>()) != size - head) return {};
  return {reinterpret_cast<const char*>(data) + head, size - head};
}

}  // namespace gatehouse
