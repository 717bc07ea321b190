// The process log: what an operator reads on stderr or in the journal. One write(2) a line.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/configuration.h"

namespace gatehouse {

// Any thread may call anything. Never throws and never fails: there is nowhere to say so.
class Log {
 public:
  // Lines go to `descriptor`, which is not closed and must stay open.
  Log(int descriptor, config::Log settings);

  void configure(config::Log settings) noexcept;

  template <typename... Arguments>
  void debug(fmt::format_string<Arguments...> text, Arguments&&... arguments) noexcept {
    write(config::LogLevel::debug, text, fmt::make_format_args(arguments...));
  }
  template <typename... Arguments>
  void info(fmt::format_string<Arguments...> text, Arguments&&... arguments) noexcept {
    write(config::LogLevel::info, text, fmt::make_format_args(arguments...));
  }
  template <typename... Arguments>
  void warning(fmt::format_string<Arguments...> text, Arguments&&... arguments) noexcept {
    write(config::LogLevel::warning, text, fmt::make_format_args(arguments...));
  }
  template <typename... Arguments>
  void error(fmt::format_string<Arguments...> text, Arguments&&... arguments) noexcept {
    write(config::LogLevel::error, text, fmt::make_format_args(arguments...));
  }

 private:
  void write(config::LogLevel level, fmt::string_view text, fmt::format_args arguments) noexcept;

  int descriptor_;
  bool journal_;  // the journal has its own time and levels
  std::atomic<config::LogLevel> level_;
  std::atomic<config::LogFormat> format_;
};

enum class LogShape { text, json, journal };
// Without its newline. Control characters are escaped, so that one message is one line.
[[nodiscard]] std::string format_log_line(LogShape shape, config::LogLevel level,
                                          std::chrono::system_clock::time_point time,
                                          std::string_view message);

}  // namespace gatehouse
