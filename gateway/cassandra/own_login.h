// The gateway's own account for learning a ring, in the words of a login. Its password is read when
// one is due, and wiped behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/bytes.h"

namespace gatehouse::cassandra {

// Bytes that leave nothing behind in memory. Holds `capacity` and never more: growing would leave a
// copy.
class SecretBytes {
 public:
  explicit SecretBytes(std::size_t capacity) : capacity_(capacity) { bytes_.reserve(capacity); }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { wipe(); }

  void wipe() noexcept;
  // REQUIRES: whoever appends keeps within room().
  [[nodiscard]] std::vector<std::uint8_t>& bytes() noexcept { return bytes_; }
  [[nodiscard]] std::size_t room() const noexcept { return capacity_ - bytes_.size(); }

 private:
  std::size_t capacity_;
  std::vector<std::uint8_t> bytes_;
};

inline constexpr std::size_t password_size_max = 4096;

// Appends the first line of a file, without its end. Empty, or why it could not.
[[nodiscard]] std::string read_password(const std::filesystem::path& path, SecretBytes& password);

}  // namespace gatehouse::cassandra
