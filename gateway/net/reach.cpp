#include "gateway/net/reach.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "gateway/net/socket_address.h"

namespace gatehouse {

namespace {

using Endpoint = asio::generic::stream_protocol::endpoint;

// Where a backend is without asking anybody; nothing for a host's name.
std::optional<Endpoint> known_endpoint(const config::BackendPlace& place) {
  if (const auto* unix_backend = std::get_if<config::UnixBackend>(&place)) {
    return asio::local::stream_protocol::endpoint(unix_backend->path.string());
  }
  const auto& tcp = std::get<config::TcpBackend>(place);
  const auto address = rules::IpAddress::parse(tcp.host);
  if (!address) return std::nullopt;
  const KernelAddress kernel = to_kernel({*address, tcp.port});
  return Endpoint(kernel.get(), kernel.size, IPPROTO_TCP);
}

// What connect(2) says where this process or machine has run out of something.
bool is_ours(const boost::system::error_code& error) {
  using boost::system::errc::errc_t;
  return error == errc_t::too_many_files_open || error == errc_t::too_many_files_open_in_system ||
         error == errc_t::no_buffer_space || error == errc_t::not_enough_memory ||
         error == errc_t::address_not_available;
}

}  // namespace

Awaitable<std::optional<Unreached>> Reach::run(const config::BackendPlace& place) {
  lookup_.reset();
  std::vector<Endpoint> endpoints;
  if (const auto known = known_endpoint(place)) {
    endpoints.push_back(*known);
  } else {
    const auto& tcp = std::get<config::TcpBackend>(place);
    lookup_.emplace(co_await asio::this_coro::executor);
    for (const auto& found : co_await lookup_->run(tcp.host, std::to_string(tcp.port))) {
      endpoints.emplace_back(found);
    }
    if (endpoints.empty()) {
      co_return Unreached{.why = fmt::format("its name cannot be resolved: {}", lookup_->why())};
    }
  }
  co_return co_await connect_to_first(endpoints);
}

void Reach::stop() noexcept {
  if (lookup_) lookup_->give_up();
  if (slot_) slot_->abort();
}

Awaitable<std::optional<Unreached>> Reach::connect_to_first(
    const std::vector<Endpoint>& endpoints) {
  const Executor executor = co_await asio::this_coro::executor;
  for (const Endpoint& endpoint : endpoints) {
    slot_.emplace(Socket(executor));
    const Io io = co_await slot_->connect(endpoint);
    if (io == Io::aborted) co_return Unreached{.is_aborted = true};
    if (io != Io::ok) continue;
    if (endpoint.protocol().family() != AF_UNIX) {
      boost::system::error_code ignored;
      slot_->socket().set_option(asio::ip::tcp::no_delay(true), ignored);
      slot_->socket().set_option(asio::socket_base::keep_alive(true), ignored);
    }
    co_return std::nullopt;
  }
  const auto& error = slot_->connect_error();
  co_return Unreached{.why = fmt::format("it cannot be connected to: {}", error.message()),
                      .is_ours = is_ours(error)};
}

}  // namespace gatehouse
