// TLS between two sides of a test's own, without a socket.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

namespace gatehouse {

// Whether each side came to its end.
struct HandshakeInMemory {
  bool client_is_done = false;
  bool server_is_done = false;
};
// Connects the two, which stay connected. REQUIRES: each has its part (client, server).
inline HandshakeInMemory shake_hands(SSL* client, SSL* server) {
  BIO* one = nullptr;
  BIO* other = nullptr;
  BIO_new_bio_pair(&one, 0, &other, 0);
  SSL_set_bio(client, one, one);
  SSL_set_bio(server, other, other);
  HandshakeInMemory done;
  for (int turn = 0; turn < 10; ++turn) {
    done.client_is_done = SSL_do_handshake(client) == 1;
    done.server_is_done = SSL_do_handshake(server) == 1;
  }
  return done;
}

}  // namespace gatehouse
