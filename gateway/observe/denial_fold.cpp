#include "gateway/observe/denial_fold.h"

#include <algorithm>

#include "gateway/assert.h"

namespace gatehouse {

auto DenialFold::find_or_open(const SessionRecord& record, Time now) -> std::pair<Fold&, bool> {
  GATEHOUSE_ASSERT(record.reason.has_value() || record.close_reason != CloseReason::denied);
  Key key{.address = record.source.address,
          .network = record.source.network,
          .server = record.server,
          .close_reason = record.close_reason,
          .reason = record.reason,
          .ids = record.source.ids};
  auto found = folds_.find(key);
  if (found == folds_.end() && folds_.size() >= max_keys_) {
    // The keys without a source stand beside max_keys_: servers times reasons bounds them.
    key.address.reset();
    key.network.clear();
    key.ids = {};
    found = folds_.find(key);
  }
  const bool opened = found == folds_.end();
  if (opened) {
    found = folds_.emplace(std::move(key), Fold{.due = now + period, .last = {}}).first;
    next_due_ = std::min(next_due_, now + period);
  }

  FoldedDenials& last = found->second.last;
  last.server = record.server;
  last.listener = record.listener;
  if (found->first.address) {
    last.source = record.source;
    last.source->port = 0;  // each connection has its own
  }
  last.close_reason = record.close_reason;
  last.reason = record.reason;
  last.rule = record.rule;
  last.snapshot = record.snapshot;
  return {found->second, opened};
}

bool DenialFold::is_first(const SessionRecord& record, Time now) {
  auto [fold, opened] = find_or_open(record, now);
  if (!opened) ++fold.last.count;
  return opened;
}

void DenialFold::count(const SessionRecord& record, Time now) {
  auto [fold, opened] = find_or_open(record, now);
  if (opened) fold.due = next_due_ = now;
  ++fold.last.count;
}

std::vector<FoldedDenials> DenialFold::take_due(Time now) {
  std::vector<FoldedDenials> due;
  if (now < next_due_) return due;
  next_due_ = Time::max();
  for (auto at = folds_.begin(); at != folds_.end();) {
    Fold& fold = at->second;
    if (fold.due <= now && fold.last.count == 0) {
      at = folds_.erase(at);
      continue;
    }
    if (fold.due <= now) {
      due.push_back(fold.last);
      fold.last.count = 0;
      fold.due = now + period;
    }
    next_due_ = std::min(next_due_, fold.due);
    ++at;
  }
  return due;
}

std::vector<FoldedDenials> DenialFold::take_all() {
  std::vector<FoldedDenials> all;
  for (auto& [key, fold] : folds_) {
    if (fold.last.count > 0) all.push_back(std::move(fold.last));
  }
  folds_.clear();
  next_due_ = Time::max();
  return all;
}

}  // namespace gatehouse
