#include "bench/tool/stub.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "bench/tool/descriptors.h"
#include "bench/tool/stub_answers.h"
#include "gateway/net/descriptor.h"

namespace gatehouse::bench {

namespace {

using Outcome = cassandra::FrameSplitter::Outcome;

constexpr std::uint32_t request_size_max = 1024 * 1024;
constexpr std::size_t scratch_size = std::size_t{64} * 1024;

// What is read and written at a time, by all of them in turn.
struct Scratch {
  std::array<std::uint8_t, scratch_size> in{};
  std::array<std::uint8_t, 4 * scratch_size> filler{};
};

// One client. Its next request is not looked at before the last one's answer has been written.
class Connection {
 public:
  Connection(int socket, const StubAnswers& answers, Scratch& scratch)
      : socket_(socket), answers_(answers), scratch_(scratch) {}

  [[nodiscard]] bool wants_to_write() const noexcept { return !out_.empty() || filler_left_ > 0; }

  // Each: false once the connection is to be closed.
  [[nodiscard]] bool read() {
    const ssize_t got = ::recv(socket_.get(), scratch_.in.data(), scratch_.in.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    requests_.append(Bytes(scratch_.in).first(static_cast<std::size_t>(got)));
    return go_on();
  }
  // Answers what has arrived, as far as the client reads.
  [[nodiscard]] bool go_on() {
    for (;;) {
      if (!write()) return false;
      if (wants_to_write()) return true;
      if (is_last_) return false;
      const Outcome outcome = requests_.next();
      if (outcome == Outcome::need_more) return true;
      if (outcome != Outcome::frame && outcome != Outcome::unsupported) return false;
      const Bytes body = outcome == Outcome::frame ? requests_.body() : Bytes();
      const auto answer = answers_.answer(requests_.header(), body, out_);
      filler_left_ = answer.filler;
      is_last_ = answer.is_last;
    }
  }

 private:
  bool write() {
    while (wants_to_write()) {
      const bool is_filler = out_.empty();
      const Bytes next =
          is_filler ? Bytes(scratch_.filler).first(std::min(filler_left_, scratch_.filler.size()))
                    : Bytes(out_);
      const int more = !is_filler && filler_left_ > 0 ? MSG_MORE : 0;
      const ssize_t written = ::send(socket_.get(), next.data(), next.size(), MSG_NOSIGNAL | more);
      if (written < 0) return errno == EAGAIN || errno == EINTR;
      if (is_filler) {
        filler_left_ -= static_cast<std::size_t>(written);
      } else {
        out_.erase(out_.begin(), out_.begin() + written);
      }
    }
    return true;
  }

  Descriptor socket_;
  const StubAnswers& answers_;
  Scratch& scratch_;
  cassandra::FrameSplitter requests_{cassandra::Sender::client, request_size_max};
  std::vector<std::uint8_t> out_;
  std::size_t filler_left_ = 0;  // behind what is in out_
  bool is_last_ = false;
};

// Those that end it, from now on to be read.
Descriptor take_signals() {
  sigset_t ends{};
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  return Descriptor(::signalfd(-1, &ends, SFD_CLOEXEC));
}

bool fail(std::string& why, const char* what) {
  why = fmt::format("{}: {}", what, std::generic_category().message(errno));
  return false;
}

class Stub {
 public:
  bool listen(std::uint16_t port, std::string& why) {
    listener_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!listener_) return fail(why, "it cannot listen");
    const int on = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // inherited
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    auto* const bound = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), bound, size) != 0 || ::listen(listener_.get(), SOMAXCONN) != 0 ||
        ::getsockname(listener_.get(), bound, &size) != 0) {
      return fail(why, "it cannot listen");
    }
    answers_ = std::make_unique<const StubAnswers>(ntohs(address.sin_port));
    fmt::print("listening 127.0.0.1:{}\n", ntohs(address.sin_port));
    static_cast<void>(std::fflush(stdout));
    return true;
  }

  // Until one of `signals` is there to be read.
  bool serve(const Descriptor& signals, std::string& why) {
    events_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
    if (!signals || !events_ || !watch(signals.get()) || !watch(listener_.get())) {
      return fail(why, "it cannot wait for connections");
    }
    std::array<epoll_event, 256> ready{};
    for (;;) {
      const int count = ::epoll_wait(events_.get(), ready.data(), ready.size(), -1);
      for (int at = 0; at < count; ++at) {
        const epoll_event& event = ready[static_cast<std::size_t>(at)];
        if (event.data.fd == signals.get()) return true;
        if (event.data.fd != listener_.get()) {
          take_turn(event);
        } else if (!accept()) {
          return fail(why, "it cannot take another connection");
        }
      }
    }
  }

 private:
  bool watch(int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    return ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
  }

  bool accept() {
    for (;;) {
      const int socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
      const auto at = static_cast<std::size_t>(socket);
      if (connections_.size() <= at) connections_.resize(at + 1);
      connections_[at] = std::make_unique<Connection>(socket, *answers_, scratch_);
      if (!watch(socket)) return false;
    }
  }

  void take_turn(const epoll_event& event) {
    auto& connection = connections_[static_cast<std::size_t>(event.data.fd)];
    const bool wanted_to_write = connection->wants_to_write();
    if (!(wanted_to_write ? connection->go_on() : connection->read())) {
      connection.reset();
      return;
    }
    if (connection->wants_to_write() == wanted_to_write) return;
    epoll_event other = event;
    other.events = wanted_to_write ? EPOLLIN : EPOLLOUT;
    ::epoll_ctl(events_.get(), EPOLL_CTL_MOD, event.data.fd, &other);
  }

  Descriptor listener_;
  Descriptor events_;
  std::unique_ptr<const StubAnswers> answers_;
  Scratch scratch_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by their descriptors
};

}  // namespace

bool run_stub(std::uint16_t port, std::string& why) {
  allow_descriptors();
  const auto stub = std::make_unique<Stub>();  // too large for a stack
  const Descriptor signals = take_signals();   // before anybody is told that there is a stub
  return stub->listen(port, why) && stub->serve(signals, why);
}

}  // namespace gatehouse::bench
