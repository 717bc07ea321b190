#include "gateway/observe/audit_file.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gatehouse {
namespace {

std::error_code last_error() {
  return {errno, std::generic_category()};
}

// Only a regular file has an end to look at; a pipe or a terminal may be an audit's file too.
bool ends_in_torn_line(int descriptor, const struct stat& status) {
  if (!S_ISREG(status.st_mode) || status.st_size == 0) return false;
  char last = '\n';
  // If it cannot be read, an empty line is the lesser evil.
  return ::pread(descriptor, &last, 1, status.st_size - 1) != 1 || last != '\n';
}

ssize_t write_some(int descriptor, std::string_view text) {
  for (;;) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count >= 0 || errno != EINTR) return count;
  }
}

}  // namespace

AuditFile::~AuditFile() {
  close();
}

void AuditFile::set_path(std::filesystem::path path) {
  path_ = std::move(path);
  name_checked_.reset();
}

void AuditFile::close() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  pending_.clear();
  written_ = 0;
}

std::error_code AuditFile::flush(Time now) {
  if (const std::error_code error = follow_name(now)) return error;
  if (written_ > 0) resume_cut_line();
  if (after_torn_line_ && !pending_.empty()) {
    if (write_some(descriptor_, "\n") < 0) return last_error();
    after_torn_line_ = false;
  }
  while (written_ < pending_.size()) {
    const ssize_t count = write_some(descriptor_, std::string_view(pending_).substr(written_));
    if (count < 0) {
      const std::error_code error = last_error();
      keep_unwritten();
      return error;
    }
    written_ += static_cast<std::size_t>(count);
  }
  pending_.clear();
  written_ = 0;
  return {};
}

std::error_code AuditFile::follow_name(Time now) {
  if (descriptor_ >= 0 && name_checked_ && now - *name_checked_ < name_check_interval) return {};
  struct stat named{};
  struct stat opened{};
  const bool is_open_file = descriptor_ >= 0 && ::fstat(descriptor_, &opened) == 0 &&
                            ::stat(path_.c_str(), &named) == 0 && named.st_dev == opened.st_dev &&
                            named.st_ino == opened.st_ino;
  if (!is_open_file) {
    // name_checked_ stays as it is: until it can be opened, every flush tries.
    name_checked_.reset();
    if (const std::error_code error = open()) return error;
  }
  name_checked_ = now;
  return {};
}

std::error_code AuditFile::open() {
  // O_NONBLOCK: a pipe that nobody reads is an error when it is full, and not a wait without end.
  // For reading too, to see how the file ends.
  const int descriptor =
      ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
  if (descriptor < 0) return last_error();
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) {
    const std::error_code error = last_error();
    ::close(descriptor);
    return error;
  }
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = descriptor;
  after_torn_line_ = ends_in_torn_line(descriptor, status);
  written_ = 0;  // what was cut short stands in the other file
  return {};
}

// Goes on behind the cut only if the file is as it was left: a file that was truncated or written
// to meanwhile gets the whole line.
void AuditFile::resume_cut_line() {
  struct stat status{};
  if (::fstat(descriptor_, &status) == 0 && status.st_size == size_when_cut_) return;
  written_ = 0;
  after_torn_line_ = ends_in_torn_line(descriptor_, status);
}

void AuditFile::keep_unwritten() {
  if (written_ == 0) return;
  const std::size_t newline = pending_.rfind('\n', written_ - 1);
  const std::size_t whole_lines = newline == std::string::npos ? 0 : newline + 1;
  pending_.erase(0, whole_lines);
  written_ -= whole_lines;
  struct stat status{};
  size_when_cut_ = ::fstat(descriptor_, &status) == 0 ? status.st_size : 0;
}

}  // namespace gatehouse
