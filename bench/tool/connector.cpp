#include "bench/tool/connector.h"

#include <utility>

namespace gatehouse::bench {

namespace {

// OpenSSL takes a session of TLS 1.3 for used up when it was resumed once, which it need not be.
TlsSession copy_of(SSL_SESSION* session) {
  const int size = i2d_SSL_SESSION(session, nullptr);
  if (size <= 0) return nullptr;
  std::vector<unsigned char> der(static_cast<std::size_t>(size));
  unsigned char* to = der.data();
  i2d_SSL_SESSION(session, &to);
  const unsigned char* from = der.data();
  return TlsSession(d2i_SSL_SESSION(nullptr, &from, size));
}

bool fail(std::string& why, std::string with) {
  why = std::move(with);
  return false;
}

}  // namespace

Connector::Connector(const Subjects& subjects, const Target& target, std::string source,
                     bool is_resumed)
    : target_(target),
      account_(subjects.account_of(target)),
      source_(std::move(source)),
      is_resumed_(is_resumed && target.is_tls),
      context_(client_context()) {}

bool Connector::prepare(std::string& why) {
  StageTimes ignored;
  return !is_resumed_ || connect(ignored, why);
}

bool Connector::connect(StageTimes& times, std::string& why) {
  const auto client = make_client(target_.protocol);
  // For the next connection where this one is given no ticket; before anything is timed.
  TlsSession spare = ticket_ != nullptr ? copy_of(ticket_.get()) : nullptr;
  if (!client->connect(target_, source_, times) ||
      !client->log_in(target_, account_, *context_, ticket_.get(), times) || !client->query()) {
    return fail(why, client->why());
  }
  times.mark(Stage::query);
  if (ticket_ != nullptr && !client->channel().was_resumed()) {
    return fail(why, "it did not resume TLS by the ticket that it gave");
  }
  if (is_resumed_) {
    ticket_ = client->channel().take_session();
    if (ticket_ == nullptr) ticket_ = std::move(spare);
    if (ticket_ == nullptr) return fail(why, "it gives no ticket to resume TLS by");
  }
  client->close();
  times.mark(Stage::close);
  return true;
}

}  // namespace gatehouse::bench
