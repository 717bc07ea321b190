// What a client waits for from the first packet to the last, and how long each took.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace gatehouse::bench {

// In the order in which they come with MariaDB; in CQL TLS is before the greeting, which there is
// the answer to STARTUP.
enum class Stage { tcp, greeting, tls, login, query, close };
inline constexpr std::size_t stage_count = 6;
inline constexpr std::array<std::string_view, stage_count> stage_names{
    "tcp", "greeting", "tls", "login", "query", "close"};

using Clock = std::chrono::steady_clock;

// In microseconds.
class StageTimes {
 public:
  // From here on time counts for the stage that is marked next.
  void begin() noexcept { last_ = Clock::now(); }
  void mark(Stage stage) noexcept {
    const auto now = Clock::now();
    times_[static_cast<std::size_t>(stage)] +=
        std::chrono::duration<double, std::micro>(now - last_).count();
    last_ = now;
  }
  [[nodiscard]] double of(Stage stage) const noexcept {
    return times_[static_cast<std::size_t>(stage)];
  }
  // Until the login was accepted.
  [[nodiscard]] double ready() const noexcept {
    return of(Stage::tcp) + of(Stage::greeting) + of(Stage::tls) + of(Stage::login);
  }
  [[nodiscard]] double total() const noexcept {
    return ready() + of(Stage::query) + of(Stage::close);
  }

 private:
  std::array<double, stage_count> times_{};
  Clock::time_point last_;
};

}  // namespace gatehouse::bench
