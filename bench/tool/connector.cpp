#include "bench/tool/connector.h"

#include <utility>

namespace gatehouse::bench {

namespace {

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
    if (ticket_ == nullptr) return fail(why, "it gives no ticket to resume TLS by");
  }
  client->close();
  times.mark(Stage::close);
  return true;
}

}  // namespace gatehouse::bench
