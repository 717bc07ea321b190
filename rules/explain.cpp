#include "rules/explain.h"

#include <cstdint>
#include <string_view>

namespace gatehouse::rules {
namespace {

// Unset: the range is of the other family.
std::optional<Bits128> distance(const IpRange& range, const IpAddress& address) {
  if (range.first.is_v4() != address.is_v4()) return std::nullopt;
  if (address < range.first) return range.first.bits() - address.bits();
  if (range.last < address) return address.bits() - range.last.bits();
  return Bits128{};
}

// The range of a rule that lies nearest to the address, if the rule may judge such a source.
std::optional<IpRange> nearest_range(const Rule& rule, const Arrival& arrival,
                                     const IpAddress& address) {
  if (arrival.way == Arrival::Way::network) {
    const auto* vnet = std::get_if<VnetRule>(&rule.what);
    if (vnet == nullptr || vnet->network != arrival.network || !vnet->subnet) return std::nullopt;
    return vnet->subnet->range;
  }
  const auto* ip = std::get_if<IpRule>(&rule.what);
  if (ip == nullptr) return std::nullopt;
  if (const auto* range = std::get_if<IpRange>(&ip->addresses)) return *range;
  const auto* list = std::get_if<std::shared_ptr<const RangeSet>>(&ip->addresses);
  return list != nullptr && *list != nullptr ? (*list)->nearest(address) : std::nullopt;
}

std::optional<NearestMiss> find_nearest(const Policy& policy, const Arrival& arrival,
                                        const IpAddress& address) {
  std::optional<NearestMiss> nearest;
  Bits128 least;
  for (const Rule& rule : policy.rules()) {
    const auto range = nearest_range(rule, arrival, address);
    const auto away = range ? distance(*range, address) : std::nullopt;
    if (!away || (nearest && *away >= least)) continue;
    least = *away;
    nearest = NearestMiss{.rule = &rule, .why = NearestMiss::Why::address_outside, .range = range};
  }
  return nearest;
}

std::optional<NearestMiss> find_miss(const Policy& policy, const Facts& facts,
                                     const Decision& decision) {
  using Why = NearestMiss::Why;
  const auto because = [&](Why why) -> std::optional<NearestMiss> {
    if (decision.rule == nullptr) return std::nullopt;
    return NearestMiss{.rule = decision.rule, .why = why, .range = std::nullopt};
  };
  switch (decision.reason) {
    case Reason::rule_expired:
      return because(Why::expired);
    case Reason::rule_not_yet_valid:
      return because(Why::not_yet_valid);
    case Reason::endpoint_not_approved:
      return because(Why::not_approved);
    case Reason::no_matching_rule:
      if (!facts.arrival || !facts.address) return std::nullopt;
      return find_nearest(policy, *facts.arrival, *facts.address);
    case Reason::ip_rule:
    case Reason::vnet_rule:
    case Reason::private_endpoint:
    case Reason::unknown_network:
    case Reason::ambiguous_network:
    case Reason::locked_down:
    case Reason::denied_by_rule:
    case Reason::public_access_disabled:
    case Reason::blocked:
    case Reason::unknown_server:
    case Reason::undecided:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string count_of_addresses(Bits128 count) {
  if (count == Bits128{0, 1}) return "1 address";
  if (count.high == 0) return std::to_string(count.low) + " addresses";
  // Nobody counts these; the order of magnitude is what tells a typing error from another network.
  return "about 2^" + std::to_string(count.width() - 1) + " addresses";
}

std::string describe_outside(const IpRange& range, const IpAddress& address) {
  const Bits128 away = distance(range, address).value_or(Bits128{});
  const bool is_later = address < range.first;
  const std::string_view verb = range.first == range.last ? " is "
                                : is_later                ? " starts "
                                                          : " ends ";
  std::string text = range.to_string();
  text += verb;
  text += count_of_addresses(away);
  text += is_later ? " later" : " earlier";
  return text;
}

void append_padded(std::string& text, std::uint64_t number, std::size_t digits) {
  const std::string plain = std::to_string(number);
  if (plain.size() < digits) text.append(digits - plain.size(), '0');
  text += plain;
}

}  // namespace

Explanation explain(const PolicyInForce& policy, const Facts& facts) {
  const Decision decision = policy.decide(facts);
  return {.decision = decision, .nearest_miss = find_miss(*policy.written, facts, decision)};
}

std::string describe(const NearestMiss& miss, const IpAddress& address) {
  const Window& window = miss.rule->window;
  switch (miss.why) {
    case NearestMiss::Why::expired:
      return "expired at " + to_string(window.expires.value_or(Time{}));
    case NearestMiss::Why::not_yet_valid:
      return "not in force before " + to_string(window.not_before.value_or(Time{}));
    case NearestMiss::Why::not_approved: {
      const auto* endpoint = std::get_if<PrivateEndpoint>(&miss.rule->what);
      const bool is_rejected = endpoint != nullptr && endpoint->state == EndpointState::rejected;
      return is_rejected ? "rejected" : "waits for approval";
    }
    case NearestMiss::Why::address_outside:
      return miss.range ? describe_outside(*miss.range, address) : "does not contain the address";
  }
  return {};
}

std::string to_string(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  const auto year = static_cast<int>(date.year());
  std::string text = year < 0 ? "-" : "";
  append_padded(text, static_cast<std::uint64_t>(year < 0 ? -year : year), 4);
  text += '-';
  append_padded(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  append_padded(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  append_padded(text, static_cast<std::uint64_t>(clock.hours().count()), 2);
  text += ':';
  append_padded(text, static_cast<std::uint64_t>(clock.minutes().count()), 2);
  text += ':';
  append_padded(text, static_cast<std::uint64_t>(clock.seconds().count()), 2);
  text += 'Z';
  return text;
}

}  // namespace gatehouse::rules
