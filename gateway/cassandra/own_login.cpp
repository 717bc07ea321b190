#include "gateway/cassandra/own_login.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/assert.h"
#include "gateway/net/descriptor.h"

namespace gatehouse::cassandra {

void SecretBytes::wipe() noexcept {
  GATEHOUSE_ASSERT(bytes_.capacity() == capacity_);
  bytes_.resize(capacity_);
  ::explicit_bzero(bytes_.data(), bytes_.size());
  bytes_.clear();
}

std::string read_password(const std::filesystem::path& path, SecretBytes& password) {
  const auto failure = [] { return std::system_category().message(errno); };
  // A pipe without a writer would otherwise keep this thread for good.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return failure();
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return failure();
  if (!S_ISREG(status.st_mode)) return "it is no file";
  std::vector<std::uint8_t>& bytes = password.bytes();
  bytes.resize(std::min(password.room(), password_size_max + 2));
  std::size_t size = 0;
  while (size < bytes.size()) {
    const auto count = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure();
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(size);
  bytes.erase(std::find_if(bytes.begin(), bytes.end(),
                           [](std::uint8_t byte) { return byte == '\n' || byte == '\r'; }),
              bytes.end());
  if (bytes.empty()) return "it is empty";
  if (bytes.size() > password_size_max) return "it is longer than a password";
  if (std::find(bytes.begin(), bytes.end(), 0) != bytes.end()) return "it holds a NUL";
  return {};
}

}  // namespace gatehouse::cassandra
