#include "config/text_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/bounds.h"

namespace gatehouse::config {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

std::string system_words(int error) {
  return std::generic_category().message(error);
}

// Never 0, which stands for "could not be read".
std::size_t content_hash(std::string_view bytes) {
  return std::max<std::size_t>(1, std::hash<std::string_view>{}(bytes));
}

FileText read_whole(const std::filesystem::path& path) {
  // Without O_NONBLOCK, opening a FIFO would wait for a writer.
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) return {{}, system_words(errno)};
  struct stat status{};
  if (::fstat(descriptor.get(), &status) != 0) return {{}, system_words(errno)};
  if (S_ISDIR(status.st_mode)) return {{}, system_words(EISDIR)};
  if (!S_ISREG(status.st_mode)) return {{}, "Not a regular file"};
  const std::string too_large = fmt::format("Larger than {} MiB", file_size_max >> 20);
  if (static_cast<std::uint64_t>(status.st_size) > file_size_max) return {{}, too_large};

  std::string text;
  // One byte more than expected, so that the end is seen without growing.
  text.resize(static_cast<std::size_t>(status.st_size) + 1);
  std::size_t size = 0;
  for (;;) {
    if (size > file_size_max) return {{}, too_large};
    if (size == text.size()) text.resize(text.size() * 2);
    const ::ssize_t got = ::read(descriptor.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {{}, system_words(errno)};
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return {std::move(text), {}};
}

// The length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none
// (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  const unsigned second = byte(1);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF && continues(1)) return 2;
  if (lead >= 0xE0 && lead <= 0xEF && continues(1) && continues(2)) {
    const bool overlong = lead == 0xE0 && second < 0xA0;
    const bool surrogate = lead == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4 && continues(1) && continues(2) && continues(3)) {
    const bool overlong = lead == 0xF0 && second < 0x90;
    const bool too_large = lead == 0xF4 && second > 0x8F;
    return overlong || too_large ? 0 : 4;
  }
  return 0;
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace

FileText InputFiles::read(const std::filesystem::path& path) {
  FileText file = read_whole(path);
  inputs_.push_back({path, false, file.text ? content_hash(*file.text) : 0});
  if (file.text && file.text->starts_with(byte_order_mark)) {
    file.text->erase(0, byte_order_mark.size());
  }
  return file;
}

// Not by std::filesystem's iterator: that of g++ 12 ends the process where memory lacks.
FolderNames InputFiles::list(const std::filesystem::path& path) {
  FolderNames folder;
  std::vector<std::string> names;
  const Directory directory(::opendir(path.c_str()));
  int error = directory == nullptr ? errno : 0;
  while (error == 0) {
    errno = 0;  // it alone tells a failure from the end
    // NOLINTNEXTLINE(concurrency-mt-unsafe): of streams that threads share, and this is one's own
    const dirent* const entry = ::readdir(directory.get());
    if (entry == nullptr) {
      error = errno;
      break;
    }
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (!name.starts_with('.')) names.emplace_back(name);
  }
  if (error != 0) {
    folder.failure = std::generic_category().message(error);
    inputs_.push_back({path, true, 0});
    return folder;
  }
  std::sort(names.begin(), names.end());
  std::string all;
  for (const auto& name : names) all += name + '\0';
  inputs_.push_back({path, true, content_hash(all)});
  folder.names = std::move(names);
  return folder;
}

std::string InputFiles::name_of(const std::filesystem::path& path) const {
  return path.lexically_proximate(folder_).string();
}

std::filesystem::path resolve(const std::filesystem::path& folder, std::string_view written) {
  return (folder / written).lexically_normal();
}

void require_final_newline(std::string_view text, const std::string& file,
                           Diagnostics& diagnostics) {
  if (text.empty() || text.ends_with('\n')) return;
  diagnostics.error(locate(text, text.size(), file),
                    "the last line does not end in a newline: the file may be cut short",
                    "check that the file is whole, and end it with a newline");
}

bool require_utf8(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool control =
        (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    const std::size_t length = sequence_length(text.substr(i, 4));
    if (!control && length > 0) {
      i += length;
      continue;
    }
    diagnostics.error(locate(text, i, file),
                      control ? fmt::format("control character 0x{:02x}", byte)
                              : fmt::format("byte 0x{:02x} is not UTF-8", byte),
                      control ? "" : "save the file as UTF-8");
    return false;
  }
  return true;
}

Location locate(std::string_view text, std::size_t offset, const std::string& file) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto starts_character = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  };
  const std::string_view in_line = before.substr(line_start);
  return {file, 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
          1 + static_cast<int>(std::count_if(in_line.begin(), in_line.end(), starts_character))};
}

}  // namespace gatehouse::config
