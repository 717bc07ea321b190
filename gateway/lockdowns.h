// The servers that are locked down by command, and the file that keeps them over a restart. A
// gateway that forgot one would open what was shut in an emergency: what cannot be read is never
// taken for nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/configuration.h"
#include "config/diagnostics.h"
#include "gateway/state_file.h"
#include "rules/rule.h"

namespace gatehouse {

struct Lockdown {
  std::string server;
  rules::Time since;
  std::uint32_t uid = 0;  // of who asked for it
  friend bool operator==(const Lockdown&, const Lockdown&) = default;
};

// On the control thread. Writing waits for the disk.
class Lockdowns {
 public:
  // From the configuration's state folder; none where there is no folder or no file yet. Unset,
  // after a complaint: there is something that cannot be read.
  [[nodiscard]] static std::optional<Lockdowns> read(const config::Configuration& configuration,
                                                     config::Diagnostics& diagnostics);

  // Sorted by server.
  [[nodiscard]] const std::vector<Lockdown>& all() const noexcept { return all_; }
  // Null if the server is not locked down.
  [[nodiscard]] const Lockdown* find(std::string_view server) const noexcept;
  // Whether the file says what all() says.
  [[nodiscard]] bool are_stored() const noexcept { return stored_; }

  // A lockdown counts at once and is stored afterwards: no disk keeps a server open. REQUIRES: the
  // server is not locked down.
  void add(Lockdown lockdown);
  // Empty: all are on disk. Else why not, in words.
  [[nodiscard]] std::string store();
  // First on disk: what comes back after a restart is not lifted. Empty: done. Else why not.
  [[nodiscard]] std::string remove(std::string_view server);

 private:
  explicit Lockdowns(const std::filesystem::path& folder);

  [[nodiscard]] std::string write(const std::vector<Lockdown>& lockdowns);

  StateFile file_;
  std::vector<Lockdown> all_;
  bool stored_ = true;
};

}  // namespace gatehouse
