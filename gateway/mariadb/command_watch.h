// What passes between a routed client and its backend that must not pass as it is: another login,
// and thread ids that are the gateway's own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/mariadb/command_filter.h"
#include "gateway/relay_filter.h"
#include "gateway/thread_ids.h"

namespace gatehouse::mariadb {

class CommandWatch : public RelayFilter {
 public:
  // `ids` must outlive this; those of other backends than this one mean nothing here.
  CommandWatch(const ThreadIds& ids, std::string backend);

  // Stops at a COM_CHANGE_USER, and where the client breaks the protocol.
  Result from_client(std::span<const std::uint8_t> chunk) override;

  // After it stopped: the COM_CHANGE_USER, without its header; unset: the client broke the
  // protocol. Once; then commands are followed again.
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> take_change_user();

 private:
  CommandFilter filter_;
  std::vector<std::uint8_t> rewritten_;
  std::optional<std::vector<std::uint8_t>> change_user_;
};

}  // namespace gatehouse::mariadb
