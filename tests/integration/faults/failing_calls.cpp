// Preloaded into a gateway under test: fails the Nth call of one kind, counted from when it is told
// to, as if the system had said no. What to fail stands in a file that the test maps too, named by
// GATEHOUSE_FAILING_CALLS (support/failing_calls.py); without it every call is the system's own.
//
// Nothing in here allocates: it stands in front of malloc.
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// Where glibc's own allocator is found without a look-up, which would itself allocate.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): they are glibc's names
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace {

enum class Kind : std::int32_t {
  none,
  accept,
  receive,
  send,
  connect,
  socket,
  options,
  watch,
  resolve,
  tls,
  memory,
  write_file
};

constexpr std::size_t thread_name_size = 16;  // prctl(2)

// As support/failing_calls.py writes and reads it. `kind` is written last.
struct Order {
  std::atomic<Kind> kind;
  std::atomic<std::int32_t> calls_left;  // the call that takes it to zero fails
  std::atomic<std::int32_t> error;
  std::atomic<std::int32_t> failed;
  std::array<char, thread_name_size> thread;  // whose calls count; empty: everybody's
};
static_assert(sizeof(Order) == 32);

Order* order = nullptr;

__attribute__((constructor)) void map_order() {
  const char* path = std::getenv("GATEHOUSE_FAILING_CALLS");  // NOLINT(concurrency-mt-unsafe)
  if (path == nullptr) return;
  const int descriptor = ::open(path, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) std::abort();
  void* mapped = ::mmap(nullptr, sizeof(Order), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED) std::abort();
  ::close(descriptor);
  order = static_cast<Order*>(mapped);
}

bool is_of_this_thread() {
  const std::string_view wanted(order->thread.data());
  if (wanted.empty()) return true;
  std::array<char, thread_name_size> name{};
  ::prctl(PR_GET_NAME, name.data());
  return wanted == name.data();
}

// Whether this call is the one; errno is then what the test chose.
bool fails(Kind kind) {
  if (order == nullptr || order->kind.load() != kind) return false;
  const int before = errno;
  const bool is_the_one = is_of_this_thread() && order->calls_left.fetch_sub(1) == 1;
  if (is_the_one) order->failed.fetch_add(1);
  errno = is_the_one ? order->error.load() : before;
  return is_the_one;
}

bool is_type(int descriptor, mode_t type) {
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 && (status.st_mode & S_IFMT) == type;
}

// read(2) and write(2) are for everything: of interest are sockets, and the audit's file. What
// wakes a thread up cannot fail.
bool fails_to_read(int descriptor) {
  if (order == nullptr || order->kind.load() != Kind::receive) return false;
  return is_type(descriptor, S_IFSOCK) && fails(Kind::receive);
}

bool fails_to_write(int descriptor) {
  if (order == nullptr) return false;
  const Kind kind = order->kind.load();
  if (kind == Kind::send) return is_type(descriptor, S_IFSOCK) && fails(kind);
  return kind == Kind::write_file && is_type(descriptor, S_IFREG) && fails(kind);
}

#ifndef OPENSSL_IS_AWSLC  // that is a part of the program: nothing can stand in front of it
bool tls_fails() {
  if (!fails(Kind::tls)) return false;
  ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
  return true;
}
#endif

// The function of this name that would have been called without us.
template <typename Function>
Function* next(const char* name) {
  void* found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

}  // namespace

// Calls `name` itself with the arguments given, once looked up.
#define CALL(name, ...)                                     \
  [&] {                                                     \
    static const auto call = next<decltype(::name)>(#name); \
    return call(__VA_ARGS__);                               \
  }()

// NOLINTBEGIN(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)
extern "C" {

int accept4(int descriptor, sockaddr* address, socklen_t* size, int flags) {
  return fails(Kind::accept) ? -1 : CALL(accept4, descriptor, address, size, flags);
}

int accept(int descriptor, sockaddr* address, socklen_t* size) {
  return fails(Kind::accept) ? -1 : CALL(accept, descriptor, address, size);
}

ssize_t read(int descriptor, void* into, std::size_t size) {
  return fails_to_read(descriptor) ? -1 : CALL(read, descriptor, into, size);
}

ssize_t recv(int descriptor, void* into, std::size_t size, int flags) {
  return fails(Kind::receive) ? -1 : CALL(recv, descriptor, into, size, flags);
}

ssize_t recvmsg(int descriptor, msghdr* message, int flags) {
  return fails(Kind::receive) ? -1 : CALL(recvmsg, descriptor, message, flags);
}

ssize_t readv(int descriptor, const iovec* into, int count) {
  return fails_to_read(descriptor) ? -1 : CALL(readv, descriptor, into, count);
}

ssize_t write(int descriptor, const void* from, std::size_t size) {
  return fails_to_write(descriptor) ? -1 : CALL(write, descriptor, from, size);
}

ssize_t send(int descriptor, const void* from, std::size_t size, int flags) {
  return fails(Kind::send) ? -1 : CALL(send, descriptor, from, size, flags);
}

ssize_t sendmsg(int descriptor, const msghdr* message, int flags) {
  return fails(Kind::send) ? -1 : CALL(sendmsg, descriptor, message, flags);
}

ssize_t writev(int descriptor, const iovec* from, int count) {
  return fails_to_write(descriptor) ? -1 : CALL(writev, descriptor, from, count);
}

int connect(int descriptor, const sockaddr* address, socklen_t size) {
  return fails(Kind::connect) ? -1 : CALL(connect, descriptor, address, size);
}

int socket(int domain, int type, int protocol) noexcept {
  return fails(Kind::socket) ? -1 : CALL(socket, domain, type, protocol);
}

int setsockopt(int descriptor, int level, int name, const void* value, socklen_t size) noexcept {
  return fails(Kind::options) ? -1 : CALL(setsockopt, descriptor, level, name, value, size);
}

int getsockopt(int descriptor, int level, int name, void* value, socklen_t* size) noexcept {
  return fails(Kind::options) ? -1 : CALL(getsockopt, descriptor, level, name, value, size);
}

int getsockname(int descriptor, sockaddr* address, socklen_t* size) noexcept {
  return fails(Kind::options) ? -1 : CALL(getsockname, descriptor, address, size);
}

int ioctl(int descriptor, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return fails(Kind::options) ? -1 : CALL(ioctl, descriptor, request, argument);
}

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  // What is taken out fails for nobody: it is known to be there.
  const bool is_failing = operation != EPOLL_CTL_DEL && fails(Kind::watch);
  return is_failing ? -1 : CALL(epoll_ctl, epoll, operation, descriptor, event);
}

int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  return fails(Kind::resolve) ? EAI_AGAIN : CALL(getaddrinfo, host, service, hints, found);
}

#ifndef OPENSSL_IS_AWSLC
SSL* SSL_new(SSL_CTX* context) {
  return tls_fails() ? nullptr : CALL(SSL_new, context);
}

BIO* BIO_new(const BIO_METHOD* method) {
  return tls_fails() ? nullptr : CALL(BIO_new, method);
}

int SSL_set1_host(SSL* ssl, const char* host) {
  return tls_fails() ? 0 : CALL(SSL_set1_host, ssl, host);
}

int SSL_set_ex_data(SSL* ssl, int index, void* data) {
  return tls_fails() ? 0 : CALL(SSL_set_ex_data, ssl, index, data);
}

int SSL_set_session(SSL* ssl, SSL_SESSION* session) {
  return tls_fails() ? 0 : CALL(SSL_set_session, ssl, session);
}

int SSL_set_session_id_context(SSL* ssl, const unsigned char* id, unsigned int size) {
  return tls_fails() ? 0 : CALL(SSL_set_session_id_context, ssl, id, size);
}

int SSL_do_handshake(SSL* ssl) {
  return tls_fails() ? -1 : CALL(SSL_do_handshake, ssl);
}

int SSL_read_ex(SSL* ssl, void* into, std::size_t size, std::size_t* count) {
  return tls_fails() ? 0 : CALL(SSL_read_ex, ssl, into, size, count);
}

int SSL_write_ex(SSL* ssl, const void* from, std::size_t size, std::size_t* count) {
  return tls_fails() ? 0 : CALL(SSL_write_ex, ssl, from, size, count);
}
#endif

void* malloc(std::size_t size) noexcept {
  return fails(Kind::memory) ? nullptr : __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  return fails(Kind::memory) ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* memory, std::size_t size) noexcept {
  return fails(Kind::memory) ? nullptr : __libc_realloc(memory, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return fails(Kind::memory) ? nullptr : __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  if (fails(Kind::memory)) return ENOMEM;
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)
