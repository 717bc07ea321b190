// Folds repeated denials, so that a scanner cannot fill the disk: the first denial of a (source,
// server, reason) is written at once, repeats become one record a minute with their number. Pure:
// no clock, no thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/observe/audit_event.h"

namespace gatehouse {

class DenialFold {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes period{1};

  // Beyond `max_keys` open keys, new ones are folded by server and reason alone.
  explicit DenialFold(std::size_t max_keys = 10'000) : max_keys_(max_keys) {}

  // True: the caller writes the denial itself. False: it was counted.
  // REQUIRES: record.reason is set if its close_reason is `denied`.
  [[nodiscard]] bool is_first(const SessionRecord& record, Time now);
  // Counts a denial that could be written now but for the file.
  void count(const SessionRecord& record, Time now);

  // Folds whose minute is over. Keys without repeats are forgotten: their next denial is a first.
  [[nodiscard]] std::vector<FoldedDenials> take_due(Time now);
  // All folds, for the end of the process.
  [[nodiscard]] std::vector<FoldedDenials> take_all();

 private:
  // Two networks may use the same addresses, so the network is part of who the source is.
  struct Key {
    std::optional<rules::IpAddress> address;  // unset: all sources beyond max_keys
    std::string network;
    std::string server;
    CloseReason close_reason{};
    std::optional<rules::Reason> reason;
    // So that each id that no network names is seen, though their sources share an address.
    rules::HeaderIds ids;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Fold {
    Time due;
    FoldedDenials last;  // its count: since the last record
  };

  // The fold of the record's key, and whether it was opened just now.
  std::pair<Fold&, bool> find_or_open(const SessionRecord& record, Time now);

  std::size_t max_keys_;
  std::map<Key, Fold> folds_;
  Time next_due_ = Time::max();  // of all folds; they are not walked before
};

}  // namespace gatehouse
