// Which port or address of a listener stands for which node of a ring. A driver takes what it was
// told for that node, for as long as it lives: a place is never given to another node while anybody
// may still know it. No sockets, no files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include "config/configuration.h"
#include "gateway/cassandra/ring.h"
#include "rules/ip_address.h"
#include "rules/rule.h"

namespace gatehouse {

// A port on the listener's addresses, or an address with the listener's port.
using GivenPlace = std::variant<std::uint16_t, rules::IpAddress>;

struct GivenNode {
  GivenPlace place;
  std::optional<rules::Time> left;  // when the node was first missed; unset: it is in the ring

  bool operator==(const GivenNode&) const = default;
};
// No two have the same place.
using GivenNodes = std::map<cassandra::Uuid, GivenNode>;

// What the listener does not have any more, because an operator changed it, is nobody's place.
void keep_to(GivenNodes& given, const config::Nodes& nodes);
// Notes who left and who is back.
void follow_ring(GivenNodes& given, const cassandra::Ring& ring, rules::Time now);

struct Offer {
  GivenPlace place;                       // port 0: any free one that no other node has
  std::optional<cassandra::Uuid> former;  // whose it was
};
// For a node that has no place: one that was never given; else that of the node that left first,
// if that was limits::node_place_kept ago. Unset: there is none. `avoided` are not offered.
[[nodiscard]] std::optional<Offer> offer_for_new(const GivenNodes& given,
                                                 const config::Nodes& nodes,
                                                 const std::set<GivenPlace>& avoided,
                                                 rules::Time now);

[[nodiscard]] bool has_place(const GivenNodes& given, const GivenPlace& place);

}  // namespace gatehouse
