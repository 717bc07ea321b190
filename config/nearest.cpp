#include "config/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gatehouse::config {
namespace {

// Characters to insert, delete, replace or swap with their neighbour.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row(b.size() + 1);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = std::move(last);
    last = std::move(row);
  }
  return last.back();
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
  // Longer words are not worth the square of their length.
  constexpr std::size_t length_max = 128;
  if (word.size() > length_max) return {};
  std::string_view best;
  std::size_t fewest = std::max<std::size_t>(1, std::min<std::size_t>(3, word.size() / 3)) + 1;
  for (const auto candidate : known) {
    const std::size_t edits = edits_between(word, candidate);
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

std::string suggest(std::string_view word, const std::vector<std::string_view>& known) {
  constexpr std::size_t listed_max = 24;
  if (const auto best = nearest(word, known); !best.empty()) {
    return fmt::format("did you mean '{}'?", best);
  }
  std::vector<std::string_view> once;
  for (const auto name : known) {
    if (once.size() > listed_max) return {};
    if (std::find(once.begin(), once.end(), name) == once.end()) once.push_back(name);
  }
  if (once.empty()) return {};
  return fmt::format("known here: {}", fmt::join(once, ", "));
}

}  // namespace gatehouse::config
