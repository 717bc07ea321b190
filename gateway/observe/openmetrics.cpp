// Metrics as OpenMetrics 1.0 text: https://prometheus.io/docs/specs/om/open_metrics_spec/
#include <fmt/format.h>

#include "gateway/observe/metrics.h"

namespace gatehouse {
namespace {

// The families in the order of their calls; each begins with its metadata.
class Page {
 public:
  // A unit is the last word of the name. Samples of a counter are named with `_total` besides.
  void family(std::string_view name, std::string_view type, std::string_view unit,
              std::string_view help) {
    name_ = name;
    append("# TYPE {} {}\n", name, type);
    if (!unit.empty()) append("# UNIT {} {}\n", name, unit);
    append("# HELP {} {}\n", name, help);
  }

  template <typename Value>
  void sample(std::string_view suffix, std::string_view labels, Value value) {
    append(labels.empty() ? "{}{}{} {}\n" : "{}{}{{{}}} {}\n", name_, suffix, labels, value);
  }

  void histogram(std::string_view name, std::string_view help, const Histogram& histogram) {
    family(name, "histogram", "seconds", help);
    const Histogram::Reading reading = histogram.read();
    for (std::size_t bucket = 0; bucket < reading.cumulative.size(); ++bucket) {
      // The specification wants a bound that is a float to look like one: 1.0, not 1.
      const std::string bound = bucket < Histogram::bounds_seconds.size()
                                    ? fmt::format("{:#}", Histogram::bounds_seconds[bucket])
                                    : "+Inf";
      sample("_bucket", fmt::format("le=\"{}\"", bound), reading.cumulative[bucket]);
    }
    sample("_count", "", reading.cumulative.back());
    sample("_sum", "", reading.sum_seconds);
  }

  [[nodiscard]] std::string end() && { return std::move(text_) + "# EOF\n"; }

 private:
  template <typename... Arguments>
  void append(fmt::string_view format, const Arguments&... arguments) {
    fmt::vformat_to(std::back_inserter(text_), format, fmt::make_format_args(arguments...));
  }

  std::string name_;
  std::string text_;
};

std::string label(std::string_view name, std::string_view value) {
  std::string escaped;
  for (const char character : value) {
    if (character == '\\' || character == '"') escaped += '\\';
    escaped += character == '\n' ? std::string_view("\\n") : std::string_view(&character, 1);
  }
  return fmt::format("{}=\"{}\"", name, escaped);
}

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

bool is_denial(rules::Reason reason) {
  switch (reason) {
    case rules::Reason::ip_rule:
    case rules::Reason::vnet_rule:
    case rules::Reason::private_endpoint:
    case rules::Reason::undecided:
      return false;
    case rules::Reason::unknown_network:
    case rules::Reason::ambiguous_network:
    case rules::Reason::locked_down:
    case rules::Reason::denied_by_rule:
    case rules::Reason::endpoint_not_approved:
    case rules::Reason::public_access_disabled:
    case rules::Reason::rule_expired:
    case rules::Reason::rule_not_yet_valid:
    case rules::Reason::no_matching_rule:
    case rules::Reason::blocked:
    case rules::Reason::unknown_server:
      return true;
  }
  return false;
}

using Servers = std::map<std::string, ServerMetrics, std::less<>>;

void add_denials(Page& page, std::string_view server, const Denials& denials) {
  for (std::size_t reason = 0; reason < rules::reason_count; ++reason) {
    const auto value = static_cast<rules::Reason>(reason);
    if (!is_denial(value)) continue;
    page.sample("_total",
                fmt::format("{},{}", label("server", server), label("reason", to_string(value))),
                denials[reason].value());
  }
}

void add_servers(Page& page, const Servers& servers, const Denials& denied_by_all) {
  page.family("gatehouse_denied", "counter", "",
              "Connections the policy refused, by reason; without a server: before it was named.");
  for (const auto& [name, server] : servers) add_denials(page, name, server.denied);
  add_denials(page, "", denied_by_all);
  page.family("gatehouse_backend_dials", "counter", "", "Attempts of sessions to reach a backend.");
  for (const auto& [name, server] : servers) {
    page.sample("_total", label("server", name), server.backend_dials.value());
  }
  page.family("gatehouse_backend_dial_failures", "counter", "",
              "Attempts of sessions to reach a backend that failed, TLS and greeting included.");
  for (const auto& [name, server] : servers) {
    page.sample("_total", label("server", name), server.backend_dial_failures.value());
  }
}

void add_failed_logins(Page& page, const Servers& servers) {
  page.family("gatehouse_failed_logins", "counter", "", "Logins that a backend refused.");
  for (const auto& [name, server] : servers) {
    page.sample("_total", label("server", name), server.failed_logins.value());
  }
  page.family("gatehouse_alerts", "counter", "",
              "Times that a source did what it should not, such as failing too many logins.");
  for (const auto& [name, server] : servers) {
    page.sample("_total",
                fmt::format("{},{}", label("server", name), label("reason", "failed_logins")),
                server.failed_login_alerts.value());
  }
}

void add_sampled(Page& page, const MetricsSample& sample) {
  page.family("gatehouse_snapshot_generation", "gauge", "", "Number of the snapshot in force.");
  page.sample("", "", sample.snapshot_generation);
  page.family("gatehouse_snapshot_age_seconds", "gauge", "seconds",
              "Time since the snapshot in force was loaded.");
  page.sample("", "", seconds(sample.snapshot_age));
  page.family("gatehouse_snapshot_last_load_failed", "gauge", "",
              "1 while what is on disk was rejected and an older snapshot stays in force.");
  page.sample("", "", sample.snapshot_last_load_failed ? 1 : 0);
  page.family("gatehouse_certificate_expiry_timestamp_seconds", "gauge", "seconds",
              "When the first of a listener's certificates expires, in Unix time.");
  for (const auto& [listener, expiry] : sample.certificate_expiry) {
    page.sample("", label("listener", listener), expiry.time_since_epoch().count());
  }
  page.family("gatehouse_backend_up", "gauge", "",
              "0 while the last attempt to reach a backend is one that failed.");
  for (const auto& [names, is_up] : sample.backend_up) {
    const auto& [server, backend] = names;
    page.sample("", fmt::format("{},{}", label("server", server), label("backend", backend)),
                is_up ? 1 : 0);
  }
  page.family("gatehouse_audit_writable", "gauge", "", "0 while the audit cannot be written.");
  page.sample("", "", sample.audit_writable ? 1 : 0);
  page.family("gatehouse_audit_queue", "gauge", "", "Audit events that are not in the file yet.");
  page.sample("", "", sample.audit_queue);
  page.family("gatehouse_audit_events_lost", "counter", "",
              "Audit events that could not be written and are gone.");
  page.sample("_total", "", sample.audit_events_lost);
  page.family("gatehouse_blocked_sources", "gauge", "",
              "Sources refused on a server for their failed logins.");
  page.sample("", "", sample.blocked_sources);
  page.family("gatehouse_build", "info", "", "What is running.");
  page.sample("_info", label("version", sample.version), 1);
}

}  // namespace

std::string to_openmetrics(const Metrics& metrics, const MetricsSample& sample) {
  Page page;
  page.family("gatehouse_sessions_open", "gauge", "", "Established sessions.");
  page.sample("", "", metrics.sessions_open.value());
  page.family("gatehouse_handshakes", "gauge", "", "Sessions that are not established yet.");
  page.sample("", "", metrics.handshakes.value());
  page.family("gatehouse_sessions_opened", "counter", "", "Sessions established.");
  page.sample("_total", "", metrics.sessions_opened.value());
  page.family("gatehouse_health_checks", "counter", "",
              "Connections of load balancers that were about no client.");
  page.sample("_total", "", metrics.health_checks.value());
  page.family("gatehouse_sessions_closed", "counter", "", "Sessions ended, by what ended them.");
  for (std::size_t reason = 0; reason < close_reason_count; ++reason) {
    page.sample("_total", label("reason", to_string(static_cast<CloseReason>(reason))),
                metrics.sessions_closed_[reason].value());
  }
  page.family("gatehouse_bytes", "counter", "bytes",
              "Plaintext relayed after the login; in is from clients.");
  page.sample("_total", label("direction", "in"), metrics.bytes_[0].value());
  page.sample("_total", label("direction", "out"), metrics.bytes_[1].value());
  page.histogram("gatehouse_tls_handshake_seconds", "Duration of TLS handshakes with clients.",
                 metrics.tls_handshake);
  page.histogram("gatehouse_establishment_seconds",
                 "Time from accept until the backend had accepted the login.",
                 metrics.establishment);
  {
    const std::lock_guard lock(metrics.mutex_);
    add_servers(page, metrics.servers_, metrics.denied_by_all);
    add_failed_logins(page, metrics.servers_);
  }
  add_sampled(page, sample);
  return std::move(page).end();
}

}  // namespace gatehouse
