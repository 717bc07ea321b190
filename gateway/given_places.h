// The places that nodes have on all listeners, and the file that keeps them over a restart: a
// gateway that forgot them would give a node's port to another, and drivers would take the one node
// for the other.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/configuration.h"
#include "config/diagnostics.h"
#include "gateway/given_nodes.h"
#include "gateway/state_file.h"

namespace gatehouse {

// On the control thread. Writing waits for the disk.
class GivenPlaces {
 public:
  // From the configuration's state folder; none where there is no folder or no file yet. Unset,
  // after a complaint: there is something that cannot be read.
  [[nodiscard]] static std::optional<GivenPlaces> read(const config::Configuration& configuration,
                                                       config::Diagnostics& diagnostics);

  [[nodiscard]] GivenNodes& of(const std::string& listener) { return all_[listener]; }
  // Empty: all are on disk. Else why not, in words.
  [[nodiscard]] std::string store();

 private:
  explicit GivenPlaces(const config::Configuration& configuration);

  StateFile file_;
  std::map<std::string, GivenNodes> all_;  // by the listener's name, also of those that are gone
  // What the file says. Unset: it is not certain.
  std::optional<std::map<std::string, GivenNodes>> stored_;
};

}  // namespace gatehouse
