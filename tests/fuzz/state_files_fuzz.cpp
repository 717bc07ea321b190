// A file of the state folder: the first byte says which, the rest is the file. An operator may have
// edited it, or a disk may have lost a part of it.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>

#include "config/name_text.h"
#include "gateway/given_places.h"
#include "gateway/lockdowns.h"
#include "tests/fuzz/config_folder.h"
#include "tests/fuzz/diagnostics_check.h"
#include "tests/fuzz/require.h"

namespace gatehouse::fuzz {

namespace {

template <typename Stored>
std::optional<Stored> read(const config::Configuration& configuration) {
  config::Diagnostics diagnostics;
  auto stored = Stored::read(configuration, diagnostics);
  check(diagnostics);
  require(stored.has_value() != diagnostics.has_errors(),
          "what cannot be read is complained of, and never taken for nothing");
  return stored;
}

void check_lockdowns(const config::Configuration& configuration) {
  auto lockdowns = read<Lockdowns>(configuration);
  if (!lockdowns) return;
  std::set<std::string> servers;
  for (const Lockdown& lockdown : lockdowns->all()) {
    require(config::is_server_name(lockdown.server), "what is locked down may be a server's name");
    require(servers.insert(lockdown.server).second, "nothing is locked down twice");
  }
  // Written anew with one more, which is then the only difference.
  const std::string added = "a-server-of-the-fuzzers-own";
  if (lockdowns->find(added) != nullptr) return;
  const auto before = lockdowns->all();
  lockdowns->add({.server = added, .since = {}, .uid = 1});
  require(lockdowns->store().empty(), "what was read can be written");
  auto again = read<Lockdowns>(configuration);
  require(again && again->all() == lockdowns->all(), "what is written reads the same");
  require(again->remove(added).empty(), "what is locked down can be unlocked");
  again = read<Lockdowns>(configuration);
  require(again && again->all() == before, "the others stay locked down");
}

void check_places(const config::Configuration& configuration) {
  auto places = read<GivenPlaces>(configuration);
  if (!places) return;
  const GivenNodes before = places->of("contact");
  std::set<GivenPlace> all;
  for (const auto& [host_id, node] : before) {
    require(all.insert(node.place).second, "no two nodes have one place");
    require(node.place != GivenPlace(std::uint16_t{0}), "no node is at port 0");
  }
  places->of("own")[{1}] = {.place = std::uint16_t{19042}, .left = std::nullopt};
  require(places->store().empty(), "what was read can be written");
  auto again = read<GivenPlaces>(configuration);
  require(again && again->of("contact") == before, "what is written reads the same");
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  static const ConfigFolder folder;
  static const config::Configuration configuration = [] {
    config::Configuration made;
    made.folder = folder.path();
    made.state = folder.path() / "state";
    return made;
  }();
  const bool is_lockdowns = data[0] % 2 == 0;
  folder.write(is_lockdowns ? "state/lockdowns.json" : "state/node-places.json",
               {reinterpret_cast<const char*>(data + 1), size - 1});
  if (is_lockdowns) {
    check_lockdowns(configuration);
  } else {
    check_places(configuration);
  }
  return 0;
}

}  // namespace gatehouse::fuzz
