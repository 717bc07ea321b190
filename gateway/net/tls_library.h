// What OpenSSL and AWS-LC do not do alike, each in a file of its own, of which GATEHOUSE_TLS has
// one built: tls_library_openssl.cpp, tls_library_aws_lc.cpp. Everything else is the same code with
// both.
#pragma once

#include <cstdint>
#include <span>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#ifdef OPENSSL_IS_AWSLC
#include <openssl/hmac.h>
#endif

namespace gatehouse::tls_library {

#ifdef OPENSSL_IS_AWSLC
using TicketMac = HMAC_CTX;
// Of its allocator, which secrets rely on; OpenSSL asks for that where it matters.
inline constexpr bool wipes_what_it_frees = true;
inline constexpr bool nothing_is_null = false;  // what an allocation of no bytes gives
#else
using TicketMac = EVP_MAC_CTX;
inline constexpr bool wipes_what_it_frees = false;
inline constexpr bool nothing_is_null = true;
#endif

// Which library this is, with its version.
[[nodiscard]] const char* version() noexcept;

// As OpenSSL's SSL_CTX_set_tlsext_ticket_key_evp_cb has it.
using TicketCallback = int(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                           TicketMac* mac, int sealing);
void set_ticket_callback(SSL_CTX* context, TicketCallback* callback) noexcept;
// Seals with HMAC of SHA-256.
[[nodiscard]] bool set_mac_key(TicketMac* mac, std::span<const std::uint8_t> key) noexcept;

// Makes a new context as careful as Debian's OpenSSL is by default (its security level 2): of
// peers' chains, their lengths included, and signatures. A verification of one's own that is set
// afterwards takes the place of the chain's.
void demand_strength(SSL_CTX* context) noexcept;
// Whether a certificate of our own is as strong, and of a kind that the library can show.
[[nodiscard]] bool may_be_shown(X509* certificate) noexcept;

// Frees, once its handshake is done, what a connection needs for that alone.
void slim_after_handshake(SSL* ssl) noexcept;

// Whether all that a server writes before its handshake is done is tickets, which nobody waits for.
[[nodiscard]] bool has_only_tickets_to_say(const SSL* ssl) noexcept;

// The certificates behind the leaf; the context's own.
[[nodiscard]] STACK_OF(X509) * chain_of(SSL_CTX* context) noexcept;
// The name that a client asks a server for (SNI).
[[nodiscard]] bool ask_for(SSL* ssl, const char* name) noexcept;

// What was wrong with the peer's certificate; X509_V_OK where nothing was, or it showed none.
[[nodiscard]] long verification_of(const SSL* ssl) noexcept;
// The same in words.
[[nodiscard]] const char* text_of(long verification) noexcept;

// Of a key that could not be read, by the errors that this left: whether it is one, of a kind that
// the library does not have.
[[nodiscard]] bool is_of_unknown_kind() noexcept;
// For operators: what a certificate that is refused may lack.
[[nodiscard]] const char* what_keys_may_be() noexcept;

}  // namespace gatehouse::tls_library
