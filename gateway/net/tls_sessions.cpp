#include "gateway/net/tls_sessions.h"

#include <algorithm>
#include <utility>

#include <openssl/ssl.h>

namespace gatehouse {

void FreeSslSession::operator()(ssl_session_st* session) const noexcept {
  SSL_SESSION_free(session);
}

void TlsSessions::keep(const std::string& peer, SslSessionPointer session) {
  if (kept_.size() >= size_max_ && !kept_.contains(peer)) {
    kept_.erase(std::min_element(
        kept_.begin(), kept_.end(),
        [](const auto& one, const auto& other) { return one.second.turn < other.second.turn; }));
  }
  kept_[peer] = {.session = std::move(session), .turn = ++turns_};
}

SslSessionPointer TlsSessions::find(const std::string& peer) const noexcept {
  const auto found = kept_.find(peer);
  if (found == kept_.end()) return nullptr;
  SSL_SESSION_up_ref(found->second.session.get());
  return SslSessionPointer(found->second.session.get());
}

}  // namespace gatehouse
