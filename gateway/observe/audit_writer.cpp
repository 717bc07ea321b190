#include "gateway/observe/audit_writer.h"

#include <new>
#include <utility>
#include <vector>

#include "gateway/observe/audit_json.h"

namespace gatehouse {
namespace {

// One write(2) takes about this much.
constexpr std::size_t batch_bytes = std::size_t{64} * 1024;

std::size_t& count_of(AuditShareCounts& counts, const AuditEvent& event) {
  return counts[static_cast<std::size_t>(share_of(event))];
}

void add_counts(AuditShareCounts& counts, AuditShareCounts& moved) {
  for (std::size_t share = 0; share < counts.size(); ++share) {
    counts[share] += std::exchange(moved[share], 0);
  }
}

}  // namespace

void AuditWriter::set_target(std::optional<std::filesystem::path> path, std::string gateway) {
  if (path && path != path_) file_.set_path(*path);
  path_ = std::move(path);
  gateway_ = std::move(gateway);
}

bool AuditWriter::add(QueuedEvent&& event, const Now& now) noexcept {
  try {
    const auto* denied = std::get_if<Denied>(&event.event);
    bool is_kept = path_.has_value();
    if (is_kept && denied != nullptr) {
      is_kept = writable_ && fold_.is_first(denied->record, now.steady);
      if (!writable_) fold_.count(denied->record, now.steady);
    }
    if (is_kept) {
      pending_.push_back(std::move(event));
    } else {
      ++count_of(done_, event.event);
    }
    return true;
  } catch (const std::bad_alloc&) {
    ++count_of(done_, event.event);
    return false;
  }
}

std::error_code AuditWriter::write(const Now& now) noexcept {
  try {
    if (!path_) {
      drop_all();
      return {};
    }
    if (const std::error_code error = write_pending(now)) return error;
    add_folds(fold_.take_due(now.steady), now);
    return write_pending(now);
  } catch (const std::bad_alloc&) {
    return std::make_error_code(std::errc::not_enough_memory);
  }
}

std::error_code AuditWriter::write_all(const Now& now) noexcept {
  try {
    if (path_) add_folds(fold_.take_all(), now);
  } catch (const std::bad_alloc&) {
    return std::make_error_code(std::errc::not_enough_memory);
  }
  return write(now);
}

AuditShareCounts AuditWriter::take_done() noexcept {
  return std::exchange(done_, {});
}

AuditShareCounts AuditWriter::remaining() const noexcept {
  AuditShareCounts counts = batch_;
  for (const QueuedEvent& queued : pending_) ++count_of(counts, queued.event);
  return counts;
}

void AuditWriter::drop_all() noexcept {
  for (const QueuedEvent& queued : pending_) ++count_of(done_, queued.event);
  pending_.clear();
  add_counts(done_, batch_);
  file_.close();
  writable_ = true;
}

void AuditWriter::add_folds(std::vector<FoldedDenials> folds, const Now& now) {
  for (FoldedDenials& fold : folds) pending_.push_back({now.wall, std::move(fold)});
}

std::error_code AuditWriter::write_pending(const Now& now) {
  do {
    // A batch that could not be written goes first, and alone: memory stays bounded.
    while (!pending_.empty() && file_.pending_bytes() < batch_bytes && writable_) {
      const QueuedEvent& next = pending_.front();
      line_.clear();
      append_json_line(line_, next.event, next.time, gateway_);
      file_.append(line_);
      ++count_of(batch_, next.event);
      pending_.pop_front();
    }
    const std::error_code error = file_.flush(now.steady);
    writable_ = !error;
    if (error) return error;
    add_counts(done_, batch_);
  } while (!pending_.empty());
  return {};
}

}  // namespace gatehouse
