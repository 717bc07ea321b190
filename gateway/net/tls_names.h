// The names that certificates are for, and the one that a client asks for.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

namespace gatehouse {

// Every subject alternative name, of whatever kind, as DER: for telling whether two certificates
// are for the same.
[[nodiscard]] std::set<std::string> names_of(const X509* certificate);
[[nodiscard]] bool holds_host_name(const std::set<std::string>& names) noexcept;

// How well a certificate fits the name that a client asks for: by a DNS name among its subject
// alternative names. The subject itself counts for nothing, as with clients.
enum class NameMatch { none, wildcard, exact };
[[nodiscard]] NameMatch match(X509* certificate, std::string_view name) noexcept;

// What a ClientHello's server_name extension says; empty where there is none, or none that OpenSSL
// will accept. To be asked in the ClientHello callback; a view into the ClientHello.
[[nodiscard]] std::string_view requested_name(SSL* ssl) noexcept;

}  // namespace gatehouse
