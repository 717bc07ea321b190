#include "gateway/observe/log.h"

#include <cstdlib>
#include <exception>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "config/printable.h"
#include "gateway/observe/text.h"

namespace gatehouse {
namespace {

using config::LogLevel;

constexpr std::size_t max_message = std::size_t{16} * 1024;

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

// sd-daemon(3): syslog's severities.
int journal_priority(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return 7;
    case LogLevel::info:
      return 6;
    case LogLevel::warning:
      return 4;
    case LogLevel::error:
      return 3;
  }
  return 3;
}

// systemd.exec(5): JOURNAL_STREAM holds the device and inode of the journal's stream. A child that
// was given another stderr inherits the variable too, hence the comparison.
bool is_journal(int descriptor) {
  const char* stream = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe): at start
  struct stat status{};
  if (stream == nullptr || ::fstat(descriptor, &status) != 0) return false;
  return stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

}  // namespace

std::string format_log_line(LogShape shape, LogLevel level,
                            std::chrono::system_clock::time_point time, std::string_view message) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  std::string text = valid_utf8(message, max_message);
  switch (shape) {
    case LogShape::text:
      return fmt::format("{} {} {}", rfc3339(second), to_string(level), config::printable(text));
    case LogShape::journal:
      return fmt::format("<{}>{}", journal_priority(level), config::printable(text));
    case LogShape::json:
      return printable_json(boost::json::serialize(boost::json::object{
          {"time", rfc3339(second)}, {"level", to_string(level)}, {"message", text}}));
  }
  return text;
}

Log::Log(int descriptor, config::Log settings)
    : descriptor_(descriptor),
      journal_(is_journal(descriptor)),
      level_(settings.level),
      format_(settings.format) {}

void Log::configure(config::Log settings) noexcept {
  level_ = settings.level;
  format_ = settings.format;
}

void Log::write(LogLevel level, fmt::string_view text, fmt::format_args arguments) noexcept {
  if (level < level_.load(std::memory_order_relaxed)) return;
  try {
    const bool is_json = format_.load(std::memory_order_relaxed) == config::LogFormat::json;
    const LogShape shape = is_json ? LogShape::json : journal_ ? LogShape::journal : LogShape::text;
    const std::string line = format_log_line(shape, level, std::chrono::system_clock::now(),
                                             fmt::vformat(text, arguments)) +
                             '\n';
    // A log that cannot be written is nobody's reason to stop.
    [[maybe_unused]] const ssize_t count = ::write(descriptor_, line.data(), line.size());
  } catch (const std::exception&) {
    return;  // no memory for a log line: go on without it
  }
}

}  // namespace gatehouse
