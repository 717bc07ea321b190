#include "gateway/admin/control_socket.h"

#include <memory>
#include <new>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "gateway/admin/accept_loop.h"
#include "gateway/net/deadline.h"

namespace gatehouse {

namespace {

using Protocol = asio::local::stream_protocol;
using Connection = asio::basic_stream_socket<Protocol, Executor>;
constexpr auto as_result = asio::as_tuple(use_awaitable);

constexpr std::size_t request_size_max = 65536;
constexpr auto request_timeout = std::chrono::seconds(5);
// Many files may have to be loaded for it, and its reader may have a pager.
constexpr auto answer_timeout = std::chrono::seconds(60);
constexpr auto reading_timeout = std::chrono::seconds(60);

AdminPeer peer_of(Connection& connection) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(connection.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return {};
  return {.uid = credentials.uid, .pid = credentials.pid};
}

struct Answer {
  explicit Answer(const Executor& executor) : waiting(executor, answer_timeout) {}

  Timer waiting;  // cancelled when it is over
  std::string text;
  bool is_given = false;
};

// Held by whoever is to answer. Where that is let go of first, for want of memory, nobody waits for
// it any longer; by any thread.
class AnswerPromise {
 public:
  explicit AnswerPromise(std::shared_ptr<Answer> answer) : answer_(std::move(answer)) {}
  AnswerPromise(const AnswerPromise&) = delete;
  AnswerPromise& operator=(const AnswerPromise&) = delete;
  ~AnswerPromise() {
    if (answer_->is_given) return;
    try {
      asio::post(answer_->waiting.get_executor(), [answer = answer_] { answer->waiting.cancel(); });
    } catch (const std::bad_alloc&) {
      return;  // then the wait ends by itself
    }
  }

  void give(std::string text) {
    answer_->text = std::move(text);
    answer_->is_given = true;
    answer_->waiting.cancel();
  }

 private:
  std::shared_ptr<Answer> answer_;
};

// Empty: there is none.
Awaitable<std::string> ask(Executor executor, AdminCommands& commands, std::string line,
                           AdminPeer peer) {
  auto answer = std::make_shared<Answer>(executor);
  auto promise = std::make_shared<AnswerPromise>(answer);
  commands.run(line, peer, [promise = std::move(promise)](std::string text) {
    promise->give(std::move(text));
  });
  if (!answer->is_given) co_await answer->waiting.async_wait(as_result);
  co_return std::move(answer->text);
}

Awaitable<void> converse(Connection connection, AdminCommands& commands) {
  const auto close = [&] { connection.close(); };
  std::optional<Deadline> deadline(std::in_place, connection.get_executor(), request_timeout,
                                   close);
  std::string buffer;
  auto [error, size] = co_await asio::async_read_until(
      connection, asio::dynamic_buffer(buffer, request_size_max), '\n', as_result);
  if (error) co_return;
  deadline.reset();
  std::string answer = co_await ask(connection.get_executor(), commands, buffer.substr(0, size),
                                    peer_of(connection));
  if (answer.empty()) co_return;
  answer += '\n';
  deadline.emplace(connection.get_executor(), reading_timeout, close);
  co_await asio::async_write(connection, asio::buffer(answer), as_result);
}

bool somebody_listens(const std::filesystem::path& path) {
  asio::io_context context;
  Protocol::socket probe(context);
  boost::system::error_code error;
  probe.connect(Protocol::endpoint(path.string()), error);
  return !error;
}

}  // namespace

ControlSocket::~ControlSocket() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

std::string ControlSocket::listen(const std::filesystem::path& path) {
  if (path.string().size() >= sizeof(sockaddr_un{}.sun_path)) {
    return fmt::format("{}: a socket's path has at most {} characters", path.string(),
                       sizeof(sockaddr_un{}.sun_path) - 1);
  }
  std::error_code failure;
  if (std::filesystem::is_socket(path, failure)) {
    if (somebody_listens(path))
      return fmt::format("{}: another gateway is using it", path.string());
    std::filesystem::remove(path, failure);
  }
  boost::system::error_code error;
  acceptor_.open(Protocol(), error);
  // Before it has a name: there is no moment at which others could connect.
  if (!error && ::fchmod(acceptor_.native_handle(), S_IRUSR | S_IWUSR) != 0) {
    return fmt::format("{}: its mode cannot be set", path.string());
  }
  if (!error) acceptor_.bind(Protocol::endpoint(path.string()), error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fmt::format("{}: {}", path.string(), error.message());
  path_ = path;
  work_.keep("the admin socket", [this] {
    return accept_loop(acceptor_, [this](Connection connection) {
      return converse(std::move(connection), commands_);
    });
  });
  return {};
}

}  // namespace gatehouse
