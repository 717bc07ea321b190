// "did you mean …?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::config {

// For the words known: what `named` things are called. They must outlive the result.
template <typename Named>
std::vector<std::string_view> names_of(const std::vector<Named>& named) {
  std::vector<std::string_view> names;
  names.reserve(named.size());
  for (const Named& one : named) names.emplace_back(one.name);
  return names;
}

// The known word that `word` is most likely a slip of the finger for; empty if none is close.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       const std::vector<std::string_view>& known);

// A hint for a word that is not among `known`: the nearest one, else all of them
// unless they are many.
[[nodiscard]] std::string suggest(std::string_view word,
                                  const std::vector<std::string_view>& known);

}  // namespace gatehouse::config
