#include "gateway/net/tls_tickets.h"

#include <algorithm>
#include <new>

#include <openssl/evp.h>
#include <openssl/rand.h>

namespace gatehouse {

namespace {

int place_of_keys() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

constexpr int iv_size = 16;  // of AES in CBC mode

}  // namespace

TicketKeys::TicketKeys(Clock::time_point (*now)()) : now_(now), rotate_at_(now() + rotate_every) {
  const auto current = make_key();
  const auto previous = make_key();
  // Without keys nothing may be sealed at all.
  if (!current || !previous) throw std::bad_alloc();
  pair_ = {*current, *previous};
}

void TicketKeys::attach(SSL_CTX* context) {
  if (SSL_CTX_set_ex_data(context, place_of_keys(), this) != 1) throw std::bad_alloc();
  tls_library::set_ticket_callback(context, &TicketKeys::callback);
}

std::optional<TicketKeys::Key> TicketKeys::make_key() noexcept {
  Key key;
  const bool made = RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1 &&
                    RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1 &&
                    RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1;
  return made ? std::optional(key) : std::nullopt;
}

TicketKeys::Pair TicketKeys::keys() {
  const std::lock_guard lock(mutex_);
  const auto now = now_();
  if (now >= rotate_at_) {
    // What there is goes on where there is no other: the next handshake tries again.
    if (const auto next = make_key()) {
      pair_ = {.current = *next, .previous = pair_.current};
      rotate_at_ = now + rotate_every;
    }
  }
  return pair_;
}

// Returns as OpenSSL asks (SSL_CTX_set_tlsext_ticket_key_evp_cb): 1 good, 2 good but renew, 0
// unknown (a full handshake follows), -1 fatal.
int TicketKeys::callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         tls_library::TicketMac* mac, int sealing) {
  auto* self = static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), place_of_keys()));
  const Pair pair = self->keys();
  if (sealing == 1) {
    const Key& key = pair.current;
    std::copy(key.name.begin(), key.name.end(), name);
    if (RAND_bytes(iv, iv_size) != 1) return -1;
    if (EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) != 1)
      return -1;
    return tls_library::set_mac_key(mac, key.mac) ? 1 : -1;
  }
  const auto is_named = [name](const Key& key) {
    return std::equal(key.name.begin(), key.name.end(), name);
  };
  const bool current = is_named(pair.current);
  if (!current && !is_named(pair.previous)) return 0;
  const Key& key = current ? pair.current : pair.previous;
  if (!tls_library::set_mac_key(mac, key.mac)) return -1;
  if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) != 1) return -1;
  return current ? 1 : 2;
}

}  // namespace gatehouse
