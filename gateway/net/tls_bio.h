// How TLS reads and writes a socket. Unlike the libraries' own it makes no other system call, and
// may say that more follows, so that what is written at once leaves at once.
#pragma once

struct ssl_st;

namespace gatehouse {

struct TlsBio {
  int socket = -1;
  // What is written goes out with what is written next, which must come at once, or with the FIN
  // (MSG_MORE, send(2)): each record is a write of its own.
  bool more_follows = false;
  bool has_ended = false;  // nothing more is to be read

  // `ssl` reads and writes this socket from now on; this must outlive it. Throws std::bad_alloc.
  void attach(ssl_st* ssl);
};

}  // namespace gatehouse
