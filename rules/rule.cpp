#include "rules/rule.h"

namespace gatehouse::rules {

const Addresses* addresses_of(const Rule& rule) noexcept {
  if (const auto* ip = std::get_if<IpRule>(&rule.what)) return &ip->addresses;
  if (const auto* deny = std::get_if<DenyRule>(&rule.what)) return &deny->addresses;
  return nullptr;
}

}  // namespace gatehouse::rules
