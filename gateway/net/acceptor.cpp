#include "gateway/net/acceptor.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include "gateway/limits.h"
#include "gateway/net/socket_address.h"
#include "gateway/worker.h"

namespace gatehouse {

Acceptor::Acceptor(Worker& worker, std::string key, LeadsTo leads_to, Descriptor& descriptor)
    : worker_(worker),
      key_(std::move(key)),
      leads_to_(std::move(leads_to)),
      socket_(worker.executor()),
      timer_(worker.executor()) {
  socket_.assign(descriptor.get());
  static_cast<void>(descriptor.release());
}

void Acceptor::close() {
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
}

void Acceptor::wait() {
  if (closed_) return;
  socket_.async_wait(asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](boost::system::error_code) {
                       self->waits_ = false;
                       if (self->closed_) return;
                       const int error = self->accept_some();
                       if (error == 0) {
                         self->starved_ = false;
                         self->wait();
                       } else {
                         self->back_off(error);
                       }
                     });
  waits_ = true;
}

void Acceptor::back_off(int error) {
  if (!std::exchange(starved_, true)) {
    worker_.services().log.error("listener {}: cannot take connections: {}", leads_to_.listener,
                                 std::generic_category().message(error));
  }
  timer_.expires_after(limits::accept_back_off);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code) {
    self->waits_ = false;
    self->wait();
  });
  waits_ = true;
}

int Acceptor::accept_some() {
  for (int count = 0; count < limits::accepts_per_turn; ++count) {
    KernelAddress address;
    address.size = sizeof address.storage;
    Descriptor descriptor(::accept4(socket_.native_handle(), address.get(), &address.size,
                                    SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!descriptor) {
      switch (errno) {
        case EAGAIN:
          return 0;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
          return errno;
        default:
          continue;  // that connection failed before it was taken (accept(2)): the next may be good
      }
    }
    const auto peer = from_kernel(address);
    if (!peer) continue;
    if (!worker_.serve_connection(std::move(descriptor), *peer, leads_to_)) return ENOMEM;
  }
  return 0;
}

}  // namespace gatehouse
