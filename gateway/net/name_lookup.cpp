#include "gateway/net/name_lookup.h"

#include <new>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/basic_resolver.hpp>

namespace gatehouse {

using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;

struct NameLookup::Pending {
  explicit Pending(const Executor& executor)
      : resolver(executor), over(executor, Timer::time_point::max()) {}

  Resolver resolver;
  Timer over;  // never fires: cancelled by whatever ends the wait
  bool is_over = false;
  boost::system::error_code error = asio::error::operation_aborted;
  std::vector<asio::ip::tcp::endpoint> endpoints;

  void end() noexcept {
    is_over = true;
    over.cancel();
  }
};

NameLookup::NameLookup(const Executor& executor) : pending_(std::make_shared<Pending>(executor)) {}

NameLookup::~NameLookup() {
  give_up();
}

Awaitable<std::vector<asio::ip::tcp::endpoint>> NameLookup::run(std::string host,
                                                                std::string port) {
  const std::shared_ptr<Pending> pending = pending_;
  pending->resolver.async_resolve(
      host, port,
      [pending](const boost::system::error_code& error, const Resolver::results_type& results) {
        if (pending->is_over) return;
        pending->error = error;
        for (const auto& result : results) pending->endpoints.push_back(result.endpoint());
        pending->end();
      });
  while (!pending->is_over) co_await pending->over.async_wait(asio::as_tuple(use_awaitable));
  co_return std::move(pending->endpoints);
}

void NameLookup::give_up() noexcept {
  try {
    if (!pending_->is_over) pending_->resolver.cancel();
  } catch (const std::bad_alloc&) {
    pending_->is_over = true;  // it takes memory to cancel: the answer comes, and is not heard
  }
  pending_->endpoints.clear();  // an answer that came, and that run() has not seen yet
  pending_->end();
}

std::string NameLookup::why() const {
  return pending_->error.message();
}

}  // namespace gatehouse
