// Names that must be used once only.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/values.h"

namespace gatehouse::config {

class NamesInUse {
 public:
  // Complains if `name`, which stands at `value`, is in use. `scope`: where it must be the only
  // one, as in " for server 'orders'"; empty: everywhere in its section.
  void add(const Value& value, const std::string& name, std::string_view scope = {}) {
    const auto [first, is_new] = first_.try_emplace(name, value.at());
    if (is_new) return;
    value.error(in_quotes(name) + " is used twice" + std::string(scope), first_at(first->second));
  }

 private:
  std::map<std::string, Location> first_;
};

// `read`, and then a complaint if the name is in use.
template <typename Read>
auto unique_in(NamesInUse& names, Read read) {
  return [&names, read](const Value& value) {
    auto name = read(value);
    if (name) names.add(value, *name);
    return name;
  };
}

}  // namespace gatehouse::config
