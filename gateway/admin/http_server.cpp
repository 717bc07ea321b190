#include "gateway/admin/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "gateway/admin/accept_loop.h"
#include "gateway/gateway.h"
#include "gateway/net/socket_address.h"

namespace gatehouse {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;
using HttpStream = beast::basic_stream<Tcp, Executor>;
constexpr auto as_result = asio::as_tuple(use_awaitable);

constexpr auto request_timeout = std::chrono::seconds(5);
constexpr std::size_t header_size_max = 8192;

http::response<http::string_body> answer(const Gateway& gateway,
                                         const http::request<http::string_body>& request) {
  http::response<http::string_body> response(http::status::ok, request.version());
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  const auto target = request.target();
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    response.result(http::status::method_not_allowed);
    response.set(http::field::allow, "GET, HEAD");
    response.body() = "this address serves reading only\n";
  } else if (target == "/metrics") {
    response.set(http::field::content_type, std::string(openmetrics_content_type));
    response.body() = gateway.metrics_text();
  } else if (target == "/healthz") {
    response.body() = "alive\n";
  } else if (target == "/readyz") {
    if (!gateway.is_ready()) response.result(http::status::service_unavailable);
    response.body() = gateway.is_ready() ? "ready\n" : "not ready\n";
  } else {
    response.result(http::status::not_found);
    response.body() = "there is /metrics, /healthz and /readyz\n";
  }
  response.keep_alive(request.keep_alive());
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

Awaitable<void> converse(HttpStream stream, const Gateway& gateway) {
  beast::flat_buffer buffer;
  for (;;) {
    stream.expires_after(request_timeout);
    http::request_parser<http::string_body> parser;
    parser.header_limit(header_size_max);
    parser.body_limit(0);
    auto [read_error, read] = co_await http::async_read(stream, buffer, parser, as_result);
    if (read_error) co_return;
    const auto response = answer(gateway, parser.get());
    auto [write_error, written] = co_await http::async_write(stream, response, as_result);
    if (write_error || !response.keep_alive()) co_return;
  }
}

}  // namespace

HttpServer::HttpServer(Gateway& gateway) : gateway_(gateway), acceptor_(gateway.context()) {}

std::string HttpServer::listen(const config::SocketAddress& address) {
  const KernelAddress kernel = to_kernel(address);
  Tcp::endpoint endpoint;
  endpoint.resize(kernel.size);
  std::memcpy(endpoint.data(), kernel.get(), kernel.size);
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return error.message();
  using Connection = Tcp::socket::rebind_executor<Executor>::other;
  gateway_.standing_work().keep("the HTTP address", [this] {
    return accept_loop(acceptor_, [this](Connection connection) {
      return converse(HttpStream(std::move(connection)), gateway_);
    });
  });
  return {};
}

config::SocketAddress HttpServer::address() {
  return local_address(acceptor_.native_handle()).value_or(config::SocketAddress{});
}

}  // namespace gatehouse
