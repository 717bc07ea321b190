// The audit's file: whole lines, appended. Follows its name through log rotation, and recovers from
// write errors without leaving half a line. For one thread; it asks no clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <sys/types.h>

namespace gatehouse {

class AuditFile {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // How often at most the name is looked up to see whether it leads elsewhere.
  static constexpr std::chrono::seconds name_check_interval{1};

  AuditFile() = default;
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;
  ~AuditFile();

  // The next flush() opens it. Lines that are pending go there.
  void set_path(std::filesystem::path path);
  // The next flush() looks the name up, however recently it did.
  void reopen() noexcept { name_checked_.reset(); }

  // Forgets what is pending, and the file. Until set_path(), there is nothing to flush.
  void close() noexcept;

  // Keeps a line for flush(). REQUIRES: it ends in its only newline.
  void append(std::string_view line) { pending_ += line; }
  [[nodiscard]] std::size_t pending_bytes() const noexcept { return pending_.size(); }

  // Opens the file if need be (also with nothing to write) and writes what is pending. On an error
  // what was not written stays pending. A line that was cut short is gone on with where it
  // stopped, or written anew as a whole if the file is another one by then.
  [[nodiscard]] std::error_code flush(Time now);

 private:
  [[nodiscard]] std::error_code follow_name(Time now);
  [[nodiscard]] std::error_code open();
  void resume_cut_line();
  void keep_unwritten();

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::optional<Time> name_checked_;
  std::string pending_;
  // Bytes of pending_ that are in the file already: between calls, the start of one line.
  std::size_t written_ = 0;
  off_t size_when_cut_ = 0;       // of the file, where written_ > 0
  bool after_torn_line_ = false;  // the file does not end in a newline, and it was not us just now
};

}  // namespace gatehouse
