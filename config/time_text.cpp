#include "config/time_text.h"

#include <charconv>
#include <cstdint>

namespace gatehouse::config {
namespace {

using std::chrono::milliseconds;

std::optional<std::int64_t> milliseconds_in(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1000;
  if (unit == "m") return 60 * 1000;
  if (unit == "h") return 60 * 60 * 1000;
  return std::nullopt;
}

// Takes fixed fields off the front of a text; once one does not fit, all that follow fail too.
class FieldScanner {
 public:
  explicit FieldScanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = take();
      if (c < '0' || c > '9') ok_ = false;
      number = number * 10 + (c - '0');
    }
    return number;
  }
  void literal(char expected) {
    if (take() != expected) ok_ = false;
  }
  char take() {
    if (rest_.empty()) {
      ok_ = false;
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  [[nodiscard]] bool complete() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) noexcept {
  constexpr std::int64_t longest = 1000LL * 24 * 60 * 60 * 1000;
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [after, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc()) return std::nullopt;
  const auto unit = milliseconds_in({after, static_cast<std::size_t>(end - after)});
  if (!unit) return std::nullopt;
  const std::int64_t duration = number * *unit;  // below 2^54
  if (duration > longest) return std::nullopt;
  return milliseconds(duration);
}

std::optional<rules::Time> parse_time(std::string_view text) noexcept {
  using namespace std::chrono;
  FieldScanner scan(text);
  const int year_number = scan.digits(4);
  scan.literal('-');
  const int month_number = scan.digits(2);
  scan.literal('-');
  const int day_number = scan.digits(2);
  scan.literal('T');
  const int hour = scan.digits(2);
  scan.literal(':');
  const int minute = scan.digits(2);
  scan.literal(':');
  const int second = scan.digits(2);
  minutes offset{0};
  if (const char zone = scan.take(); zone == '+' || zone == '-') {
    const int offset_hours = scan.digits(2);
    scan.literal(':');
    const int offset_minutes = scan.digits(2);
    if (offset_hours > 23 || offset_minutes > 59) return std::nullopt;
    offset = hours(offset_hours) + minutes(offset_minutes);
    if (zone == '-') offset = -offset;
  } else if (zone != 'Z') {
    return std::nullopt;
  }
  if (!scan.complete() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const year_month_day date(year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number)));
  if (!date.ok()) return std::nullopt;
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(second) - offset;
}

}  // namespace gatehouse::config
