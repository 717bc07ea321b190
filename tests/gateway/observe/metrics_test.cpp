#include "gateway/observe/metrics.h"

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include <catch2/catch.hpp>

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

bool has_line(const std::string& page, std::string_view line) {
  return page.find("\n" + std::string(line) + "\n") != std::string::npos ||
         page.starts_with(std::string(line) + "\n");
}

// The rules of OpenMetrics 1.0 that a careless writer breaks: metadata before samples and once,
// families in one piece, suffixes by type, units as the end of names, no sample twice, buckets that
// only grow and end in +Inf, and the end mark. The first breach, or nothing.
class Checker {
 public:
  std::optional<std::string> check(const std::string& page) {
    if (!page.ends_with("\n# EOF\n")) return "does not end in # EOF";
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
      if (line == "# EOF") {
        return lines.peek() == EOF ? end_family() : std::optional<std::string>("text after # EOF");
      }
      const auto breach = line.starts_with("# ") ? metadata(line) : sample(line);
      if (breach) return *breach + ": " + line;
    }
    return "no end";
  }

 private:
  std::optional<std::string> metadata(const std::string& line) {
    std::istringstream words(line.substr(2));
    std::string keyword;
    std::string name;
    std::string rest;
    words >> keyword >> name;
    std::getline(words >> std::ws, rest);
    if (name != family_) {
      if (const auto breach = end_family()) return breach;
      if (!families_.insert(name).second) return "a family in two pieces";
      family_ = name;
      type_.clear();
      has_samples_ = false;
    }
    if (has_samples_) return "metadata after samples";
    if (keyword == "TYPE") type_ = rest;
    if (keyword == "UNIT" && !name.ends_with("_" + rest)) return "the unit is not in the name";
    if (type_ == "counter" && name.ends_with("_total")) return "_total in a family's name";
    if (keyword == "HELP" && rest.empty()) return "no help";
    return std::nullopt;
  }

  std::optional<std::string> sample(const std::string& line) {
    const std::size_t brace = line.find('{');
    const std::size_t space = line.rfind(' ');
    const std::size_t name_end = std::min(brace, space);
    const std::string name = line.substr(0, name_end);
    if (!name.starts_with(family_)) return "a sample outside its family";
    const std::string suffix = name.substr(family_.size());
    static const std::set<std::string> allowed{"gauge",           "counter_total",
                                               "info_info",       "histogram_bucket",
                                               "histogram_count", "histogram_sum"};
    if (!allowed.contains(type_ + suffix)) return "a suffix its type does not have";
    if (!samples_.insert(line.substr(0, space)).second) return "a sample twice";
    has_samples_ = true;
    std::size_t used = 0;
    const double value = std::stod(line.substr(space + 1), &used);
    if (used != line.size() - space - 1) return "a value that is no number";
    if (type_ == "counter" && value < 0) return "a counter below zero";
    return suffix == "_bucket" ? bucket(line, value) : std::nullopt;
  }

  std::optional<std::string> bucket(const std::string& line, double value) {
    if (value < last_bucket_) return "a bucket smaller than the one before";
    last_bucket_ = value;
    ends_in_infinity_ = line.find("le=\"+Inf\"") != std::string::npos;
    return std::nullopt;
  }

  std::optional<std::string> end_family() {
    if (type_ == "histogram" && !ends_in_infinity_) return "a histogram without +Inf";
    last_bucket_ = 0;
    ends_in_infinity_ = false;
    return std::nullopt;
  }

  std::string family_;
  std::string type_;
  bool has_samples_ = false;
  double last_bucket_ = 0;
  bool ends_in_infinity_ = false;
  std::set<std::string> families_;
  std::set<std::string> samples_;
};

MetricsSample full_sample() {
  MetricsSample sample;
  sample.snapshot_generation = 4;
  sample.snapshot_age = 1500ms;
  sample.snapshot_last_load_failed = true;
  sample.audit_queue = 7;
  sample.audit_events_lost = 2;
  sample.blocked_sources = 3;
  sample.certificate_expiry = {{"public-mariadb", std::chrono::sys_seconds(1795309323s)}};
  sample.backend_up = {{{"orders", "10.1.0.4:3306"}, true}, {{"orders", "10.1.0.5:3306"}, false}};
  sample.version = "0.1.0";
  return sample;
}

TEST_CASE("a fresh gateway exports every series, at zero", "[metrics]") {
  Metrics metrics;
  metrics.server("orders");
  const std::string page = to_openmetrics(metrics, {});
  CHECK(Checker().check(page) == std::nullopt);
  CHECK(has_line(page, "gatehouse_sessions_open 0"));
  CHECK(has_line(page, "gatehouse_sessions_opened_total 0"));
  CHECK(has_line(page, R"(gatehouse_denied_total{server="orders",reason="no_matching_rule"} 0)"));
  CHECK(has_line(page, R"(gatehouse_sessions_closed_total{reason="client_closed"} 0)"));
  CHECK(has_line(page, R"(gatehouse_bytes_total{direction="in"} 0)"));
  CHECK(has_line(page, "gatehouse_audit_events_lost_total 0"));
  CHECK(has_line(page, R"(gatehouse_tls_handshake_seconds_bucket{le="+Inf"} 0)"));
  CHECK(has_line(page, "gatehouse_snapshot_last_load_failed 0"));
  CHECK(has_line(page, R"(gatehouse_denied_total{server="orders",reason="blocked"} 0)"));
  CHECK(has_line(page, R"(gatehouse_failed_logins_total{server="orders"} 0)"));
  CHECK(has_line(page, R"(gatehouse_alerts_total{server="orders",reason="failed_logins"} 0)"));
}

TEST_CASE("the reasons of a label are those that can be", "[metrics]") {
  Metrics metrics;
  metrics.server("orders");
  const std::string page = to_openmetrics(metrics, {});
  CHECK(page.find("reason=\"ip_rule\"") == std::string::npos);
  CHECK(page.find("reason=\"undecided\"") == std::string::npos);
  CHECK(page.find("reason=\"denied\"") == std::string::npos);
  CHECK(page.find("reason=\"internal_error\"") != std::string::npos);
}

TEST_CASE("what was counted is exported", "[metrics]") {
  Metrics metrics;
  metrics.sessions_open.add(3);
  metrics.sessions_open.subtract();
  metrics.handshakes.add();
  metrics.sessions_opened.add();
  metrics.sessions_closed(CloseReason::revoked).add(2);
  metrics.bytes(Direction::in).add(100);
  metrics.bytes(Direction::out).add(5'000'000'000);
  ServerMetrics& orders = metrics.server("orders");
  orders.denied[static_cast<std::size_t>(rules::Reason::locked_down)].add(9);
  orders.backend_dials.add(5);
  orders.backend_dial_failures.add();
  orders.failed_logins.add(42);
  orders.failed_login_alerts.add(2);
  const std::string page = to_openmetrics(metrics, full_sample());

  CHECK(Checker().check(page) == std::nullopt);
  for (
      const std::string_view line : {
          "gatehouse_sessions_open 2",
          "gatehouse_handshakes 1",
          "gatehouse_sessions_opened_total 1",
          R"(gatehouse_sessions_closed_total{reason="revoked"} 2)",
          R"(gatehouse_bytes_total{direction="in"} 100)",
          R"(gatehouse_bytes_total{direction="out"} 5000000000)",
          R"(gatehouse_denied_total{server="orders",reason="locked_down"} 9)",
          R"(gatehouse_backend_dials_total{server="orders"} 5)",
          R"(gatehouse_backend_dial_failures_total{server="orders"} 1)",
          R"(gatehouse_failed_logins_total{server="orders"} 42)",
          R"(gatehouse_alerts_total{server="orders",reason="failed_logins"} 2)",
          "gatehouse_blocked_sources 3",
          "gatehouse_snapshot_generation 4",
          "gatehouse_snapshot_age_seconds 1.5",
          "gatehouse_snapshot_last_load_failed 1",
          R"(gatehouse_certificate_expiry_timestamp_seconds{listener="public-mariadb"} 1795309323)",
          R"(gatehouse_backend_up{server="orders",backend="10.1.0.4:3306"} 1)",
          R"(gatehouse_backend_up{server="orders",backend="10.1.0.5:3306"} 0)",
          "gatehouse_audit_writable 1",
          "gatehouse_audit_queue 7",
          "gatehouse_audit_events_lost_total 2",
          R"(gatehouse_build_info{version="0.1.0"} 1)",
          "# TYPE gatehouse_sessions_opened counter",
          "# UNIT gatehouse_bytes bytes",
          "# UNIT gatehouse_tls_handshake_seconds seconds",
      }) {
    CAPTURE(line);
    CHECK(has_line(page, line));
  }
}

TEST_CASE("a latency falls into the first bucket that is not smaller", "[metrics]") {
  Metrics metrics;
  metrics.tls_handshake.observe(0ms);
  metrics.tls_handshake.observe(1ms);
  metrics.tls_handshake.observe(1ms + 1ns);
  metrics.tls_handshake.observe(1s);
  metrics.tls_handshake.observe(1min);
  metrics.tls_handshake.observe(-1s);  // a clock of the caller's own that went back
  const std::string page = to_openmetrics(metrics, {});
  CHECK(Checker().check(page) == std::nullopt);
  for (const std::string_view line : {
           R"(gatehouse_tls_handshake_seconds_bucket{le="0.0005"} 2)",
           R"(gatehouse_tls_handshake_seconds_bucket{le="0.001"} 3)",
           R"(gatehouse_tls_handshake_seconds_bucket{le="0.0025"} 4)",
           R"(gatehouse_tls_handshake_seconds_bucket{le="1.0"} 5)",
           R"(gatehouse_tls_handshake_seconds_bucket{le="10.0"} 5)",
           R"(gatehouse_tls_handshake_seconds_bucket{le="+Inf"} 6)",
           "gatehouse_tls_handshake_seconds_count 6",
       }) {
    CAPTURE(line);
    CHECK(has_line(page, line));
  }
}

TEST_CASE("a label's value is escaped", "[metrics]") {
  const Metrics metrics;
  MetricsSample sample;
  sample.version = "a\"b\\c\nd";
  const std::string page = to_openmetrics(metrics, sample);
  CHECK(has_line(page, R"(gatehouse_build_info{version="a\"b\\c\nd"} 1)"));
  CHECK(Checker().check(page) == std::nullopt);
}

TEST_CASE("a server's counters stay where they are", "[metrics]") {
  Metrics metrics;
  ServerMetrics& orders = metrics.server("orders");
  for (int server = 0; server < 100; ++server) metrics.server("server-" + std::to_string(server));
  CHECK(&metrics.server("orders") == &orders);
}

TEST_CASE("counting and scraping at once adds up", "[metrics]") {
  Metrics metrics;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&metrics] {
      ServerMetrics& orders = metrics.server("orders");
      for (int round = 0; round < 5000; ++round) {
        orders.backend_dials.add();
        metrics.establishment.observe(1ms);
      }
    });
  }
  for (int scrape = 0; scrape < 20; ++scrape) {
    CHECK(Checker().check(to_openmetrics(metrics, full_sample())) == std::nullopt);
  }
  for (std::thread& thread : threads) thread.join();
  const std::string page = to_openmetrics(metrics, full_sample());
  CHECK(has_line(page, R"(gatehouse_backend_dials_total{server="orders"} 20000)"));
  CHECK(has_line(page, "gatehouse_establishment_seconds_count 20000"));
}

TEST_CASE("the checker finds what it is there for", "[metrics]") {
  const auto page = GENERATE(values<std::string>({
      "# TYPE a gauge\n# HELP a x\na 1\n",
      "# TYPE a counter\n# HELP a x\na 1\n# EOF\n",
      "# TYPE a_total counter\n# HELP a_total x\na_total 1\n# EOF\n",
      "# TYPE a gauge\n# UNIT a seconds\n# HELP a x\na 1\n# EOF\n",
      "# TYPE a gauge\n# HELP a x\na 1\na 2\n# EOF\n",
      "# TYPE a gauge\n# HELP a x\na one\n# EOF\n",
      "# TYPE a gauge\n# HELP a x\na 1\n# TYPE b gauge\n# HELP b x\nb 1\n# TYPE a gauge\n# EOF\n",
      "# TYPE a histogram\n# HELP a x\na_bucket{le=\"1.0\"} 1\n# EOF\n",
      "# TYPE a histogram\n# HELP a x\na_bucket{le=\"1.0\"} 2\na_bucket{le=\"+Inf\"} 1\n# EOF\n",
  }));
  CAPTURE(page);
  std::optional<std::string> breach;
  try {
    breach = Checker().check(page);
  } catch (const std::invalid_argument&) {
    breach = "no number";
  }
  CHECK(breach);
}

}  // namespace
}  // namespace gatehouse
