// What the audit records: one plain struct an event. Field names are those of the JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/diagnostics.h"
#include "gateway/close_reason.h"
#include "rules/ip_address.h"
#include "rules/networks.h"
#include "rules/policy.h"

namespace gatehouse {

// Unique among the sessions of a gateway, over restarts too. Also the reference a client reads in
// an error, so it says nothing about anything.
enum class SessionId : std::uint64_t {};
// 16 lower-case hex digits.
[[nodiscard]] std::string to_string(SessionId id);
// Unset unless the text is exactly what to_string gives.
[[nodiscard]] std::optional<SessionId> parse_session_id(std::string_view text) noexcept;

struct AuditSource {
  rules::IpAddress address;
  std::uint16_t port = 0;
  std::string network;  // empty: none
  std::string subnet;   // empty: none
  // The sender of a PROXY header, where that is who told us the address, and the header's ids.
  std::optional<rules::IpAddress> peer_address;
  rules::HeaderIds ids;
};

// A copy: the policy that owns the rule may be gone when the line is written.
struct AuditRule {
  std::string name;
  std::string file;
  int line = 0;
};

struct AuditTls {
  std::string_view version;    // a constant of the TLS library's
  std::string_view cipher;     // likewise
  std::string sni;             // client-chosen
  std::string client_subject;  // client-chosen, though signed by a CA
  bool resumed = false;
};

// What is known of a session: filled as stages learn it, and written by `opened`, `closed` and
// `denied`. Empty text and unset values are left out of the line. It holds copies, so that a long
// session does not keep an old snapshot alive.
struct SessionRecord {
  SessionId session{};
  std::string listener;
  std::string server;
  AuditSource source;
  std::optional<rules::Verdict> verdict;
  std::optional<rules::Reason> reason;
  std::optional<AuditRule> rule;
  std::uint64_t snapshot = 0;  // the generation that decided; 0: none has
  std::optional<AuditTls> tls;
  std::string user;      // client-chosen; as the backend sees it
  std::string database;  // client-chosen
  std::string program;   // client-chosen
  std::string backend;   // as the configuration writes it
  std::optional<std::uint64_t> backend_thread;
  // The gateway's port on its connection to a backend over TCP: what the backend's own log has for
  // the client's where it is not told who is calling.
  std::optional<std::uint16_t> backend_local_port;
  // Written by `closed` only. Bytes are plaintext, relayed after the login; `in` is from the
  // client.
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::chrono::nanoseconds duration{};  // since accept; `seconds` in the line
  CloseReason close_reason = CloseReason::internal_error;
  std::string_view bound;   // a constant: the cap that was reached, by its name in gateway.yaml
  std::string_view detail;  // a constant: what was wrong with a PROXY header

  // Copies verdict, reason and rule. A later decision replaces an earlier one.
  void set_decision(const rules::Decision& decision, std::uint64_t generation);
};

struct Opened {
  SessionRecord record;
};
struct Closed {
  SessionRecord record;
};
// What anybody can cause as often as they like: a denial, or an end before it is known who that is.
struct Denied {
  SessionRecord record;
};

// Repeats of a denial: `count` connections since the last record of this source, server and reason.
// What ends before it is known whose connection it is, such as that of a sender whom a PROXY
// listener does not trust, is folded in the same way: anybody can cause it as often.
struct FoldedDenials {
  std::string server;
  std::string listener;               // of the last one
  std::optional<AuditSource> source;  // unset: several, there were too many to tell them apart
  CloseReason close_reason = CloseReason::denied;
  std::optional<rules::Reason> reason;  // set where close_reason is `denied`
  std::optional<AuditRule> rule;        // of the last one
  std::uint64_t snapshot = 0;           // of the last one
  std::uint64_t count = 0;
};

// Backends have refused more logins of a source in a minute than `limits.failed_logins` lets pass.
struct Alert {
  SessionRecord record;  // of the session whose login was one too many
  std::uint32_t count = 0;
};

// Sessions that were refused, and closed with `audit_unwritable`, while there was no room for a
// record of each: one `closed` for all, written when writing works again.
struct RefusedUnrecorded {
  std::uint64_t count = 0;
};

struct SnapshotLoaded {
  std::uint64_t generation = 0;  // `snapshot` in the line
  std::size_t files = 0;
  std::chrono::nanoseconds duration{};  // of the load; `seconds` in the line
};

struct SnapshotRejected {
  std::uint64_t generation = 0;  // the one that stays in force; 0: none
  std::size_t files = 0;
  std::chrono::nanoseconds duration{};
  std::vector<config::Diagnostic> diagnostics;
};

// A command that changes something, given over the admin socket.
struct AdminCommand {
  std::string command;    // with its arguments
  std::uint32_t uid = 0;  // of the peer, by the kernel
  std::int32_t pid = 0;
  std::string result;
};

using AuditEvent = std::variant<Opened, Closed, Denied, FoldedDenials, Alert, RefusedUnrecorded,
                                SnapshotLoaded, SnapshotRejected, AdminCommand>;

}  // namespace gatehouse
