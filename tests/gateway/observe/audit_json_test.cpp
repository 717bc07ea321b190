#include "gateway/observe/audit_json.h"

#include <algorithm>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>

#include "gateway/observe/denial_fold.h"
#include "tests/gateway/observe/records.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

// 2026-11-22T01:02:03.000004Z
constexpr std::chrono::system_clock::time_point time_of_event(1795309323000004us);

std::string line_of(const AuditEvent& event, std::string_view gateway = "gw-1") {
  std::string line;
  append_json_line(line, event, time_of_event, gateway);
  return line;
}

SessionRecord full_record() {
  SessionRecord record = allowed_record();
  record.session = SessionId{0x0123456789abcdef};
  record.source.network = "factory";
  record.source.subnet = "robots";
  record.source.peer_address = rules::IpAddress::parse("10.0.0.3");
  record.rule = AuditRule{.name = "oslo-office", .file = "rules/orders.yaml", .line = 6};
  record.tls = AuditTls{.version = "TLSv1.3",
                        .cipher = "TLS_AES_256_GCM_SHA384",
                        .sni = "db.example.com",
                        .client_subject = "CN=robot",
                        .resumed = true};
  record.user = "app";
  record.database = "shop";
  record.program = "mysql";
  record.backend = "10.1.0.4:3306";
  record.backend_thread = 42;
  record.backend_local_port = 51234;
  record.bytes_in = 10;
  record.bytes_out = 2000;
  record.duration = 1500ms;
  return record;
}

constexpr std::string_view full_fields =
    R"("session":"0123456789abcdef","listener":"public-mariadb",)"
    R"("server":"orders","source":{"address":"203.0.113.9","port":40213,"network":"factory",)"
    R"("subnet":"robots","peer_address":"10.0.0.3"},"verdict":"allow","reason":"ip_rule",)"
    R"("rule":{"name":"oslo-office","file":"rules/orders.yaml","line":6},"snapshot":3,)"
    R"("tls":{"version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384","sni":"db.example.com",)"
    R"("resumed":true,"client_subject":"CN=robot"},"user":"app","database":"shop",)"
    R"("program":"mysql","backend":"10.1.0.4:3306","backend_thread":42,"backend_local_port":51234)";

TEST_CASE("the ids of a PROXY header are part of the source", "[audit]") {
  SessionRecord record = denied_record();
  record.source.ids.azure_link_id = 305419896;
  record.source.ids.aws_vpce_id = "vpce-\n1";
  record.source.ids.gcp_psc_connection_id = 18446744073709551615U;
  CHECK(line_of(Denied{record}) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"denied","gateway":"gw-1",)"
        R"("session":"00000000000000ab","listener":"public-mariadb","server":"orders",)"
        R"("source":{"address":"198.51.100.7","port":40213,"azure_link_id":305419896,)"
        R"("aws_vpce_id":"vpce-\n1","gcp_psc_connection_id":18446744073709551615},)"
        R"("verdict":"deny","reason":"no_matching_rule","snapshot":3})"
        "\n");
}

TEST_CASE("a sender who is not trusted is closed, not denied, and folded too", "[audit]") {
  SessionRecord record = denied_record();
  record.verdict.reset();
  record.reason.reset();
  record.snapshot = 0;
  record.close_reason = CloseReason::untrusted_sender;
  const std::string line = line_of(Denied{record});
  CHECK(line.find(R"("event":"closed")") != std::string::npos);
  CHECK(line.find(R"("close_reason":"untrusted_sender")") != std::string::npos);
  CHECK(line.find("verdict") == std::string::npos);

  DenialFold fold;
  const DenialFold::Time start(1000h);
  CHECK(fold.is_first(denied_record(), start));
  CHECK(fold.is_first(record, start));
  CHECK_FALSE(fold.is_first(record, start));
  const auto folded = fold.take_all();
  REQUIRE(folded.size() == 1);
  const std::string repeats = line_of(folded.front());
  CHECK(repeats.find(R"("event":"closed")") != std::string::npos);
  CHECK(repeats.ends_with(R"("close_reason":"untrusted_sender","count":1})"
                          "\n"));
}

TEST_CASE("an alert tells of whom and why, not of the rule that let them in", "[audit]") {
  CHECK(line_of(Alert{full_record(), 21}) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"alert","gateway":"gw-1",)"
        R"("session":"0123456789abcdef","listener":"public-mariadb","server":"orders",)"
        R"("source":{"address":"203.0.113.9","port":40213,"network":"factory","subnet":"robots",)"
        R"("peer_address":"10.0.0.3"},"reason":"failed_logins","count":21,"snapshot":3,)"
        R"("user":"app"})"
        "\n");
}

TEST_CASE("an alert's user cannot forge a line", "[audit]") {
  Alert alert{allowed_record(), 21};
  alert.record.user = "a\"}\n{\"event\":\"closed\"}" + std::string(10'000, 'x');
  const std::string line = line_of(alert);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  CHECK(boost::json::parse(line).at("user").as_string().size() <= max_client_text);
}

TEST_CASE("an opened session tells all that is known of it", "[audit]") {
  CHECK(line_of(Opened{full_record()}) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"opened","gateway":"gw-1",)" +
            std::string(full_fields) + "}\n");
}

TEST_CASE("a closed session adds bytes, seconds and why", "[audit]") {
  CHECK(line_of(Closed{full_record()}) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"closed","gateway":"gw-1",)" +
            std::string(full_fields) +
            R"(,"bytes_in":10,"bytes_out":2000,"close_reason":"client_closed","seconds":1.500000})"
            "\n");
}

TEST_CASE("a session that is open is shown with bytes and seconds so far", "[audit]") {
  CHECK(session_json(full_record()) ==
        "{" + std::string(full_fields) + R"(,"bytes_in":10,"bytes_out":2000,"seconds":1.500000})");
}

TEST_CASE("lines are appended to each other", "[audit]") {
  std::string lines = "{}\n";
  append_json_line(lines, RefusedUnrecorded{5}, time_of_event, "gw-1");
  CHECK(lines == "{}\n" + line_of(RefusedUnrecorded{5}));
}

TEST_CASE("an end tells which bound was reached, and what was wrong", "[audit]") {
  SessionRecord record;
  record.source.address = *rules::IpAddress::parse("2001:db8::1");
  record.close_reason = CloseReason::too_many_sessions;
  record.bound = "limits.sessions";
  record.detail = "the header is too long";
  const std::string start =
      R"({"time":"2026-11-22T01:02:03.000004Z","event":"closed","gateway":"gw-1",)"
      R"("session":"0000000000000000","source":{"address":"2001:db8::1"},)";
  const std::string end = R"("close_reason":"too_many_sessions","bound":"limits.sessions",)"
                          R"("detail":"the header is too long")";
  CHECK(line_of(Closed{record}) ==
        start + R"("bytes_in":0,"bytes_out":0,)" + end + ",\"seconds\":0.000000}\n");
  CHECK(line_of(Denied{record}) == start + end + "}\n");
}

TEST_CASE("seconds have six decimals, rounded", "[audit]") {
  const auto line = [](std::chrono::nanoseconds duration) {
    return line_of(SnapshotLoaded{.generation = 18446744073709551615U, .duration = duration});
  };
  const std::string start =
      R"({"time":"2026-11-22T01:02:03.000004Z","event":"snapshot_loaded","gateway":"gw-1",)"
      R"("snapshot":18446744073709551615,"files":0,"seconds":)";
  CHECK(line(499ns) == start + "0.000000}\n");
  CHECK(line(501ns) == start + "0.000001}\n");
  CHECK(line(1'000h + 1us) == start + "3600000.000001}\n");
}

TEST_CASE("fields that do not apply are absent", "[audit]") {
  SessionRecord record;
  record.source.address = *rules::IpAddress::parse("2001:db8::1");
  CHECK(line_of(Closed{record}, "") ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"closed","session":"0000000000000000",)"
        R"("source":{"address":"2001:db8::1"},"bytes_in":0,"bytes_out":0,)"
        R"("close_reason":"internal_error","seconds":0.000000})"
        "\n");
}

TEST_CASE("a first denial has its session, a folded one a count", "[audit]") {
  CHECK(line_of(Denied{denied_record()}) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"denied","gateway":"gw-1",)"
        R"("session":"00000000000000ab","listener":"public-mariadb","server":"orders",)"
        R"("source":{"address":"198.51.100.7","port":40213},"verdict":"deny",)"
        R"("reason":"no_matching_rule","snapshot":3})"
        "\n");

  FoldedDenials folded;
  folded.listener = "public-mariadb";
  folded.server = "orders";
  folded.source = AuditSource{};
  folded.source->address = *rules::IpAddress::parse("198.51.100.7");
  folded.reason = rules::Reason::denied_by_rule;
  folded.rule = AuditRule{.name = "abuse-feed", .file = "rules/orders.yaml", .line = 30};
  folded.snapshot = 3;
  folded.count = 17;
  CHECK(line_of(folded) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"denied","gateway":"gw-1",)"
        R"("listener":"public-mariadb","server":"orders","source":{"address":"198.51.100.7"},)"
        R"("verdict":"deny","reason":"denied_by_rule",)"
        R"("rule":{"name":"abuse-feed","file":"rules/orders.yaml","line":30},)"
        R"("snapshot":3,"count":17})"
        "\n");

  // Too many sources to tell them apart, and none of them known.
  FoldedDenials strangers;
  strangers.listener = "proxied";
  strangers.close_reason = CloseReason::untrusted_sender;
  strangers.count = 2;
  CHECK(line_of(strangers) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"closed","gateway":"gw-1",)"
        R"("listener":"proxied","close_reason":"untrusted_sender","count":2})"
        "\n");
}

TEST_CASE("snapshots and commands are recorded", "[audit]") {
  CHECK(line_of(SnapshotLoaded{.generation = 4, .files = 7, .duration = 12345us}) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"snapshot_loaded","gateway":"gw-1",)"
        R"("snapshot":4,"files":7,"seconds":0.012345})"
        "\n");

  SnapshotRejected rejected{.generation = 4, .files = 7, .duration = 1ms, .diagnostics = {}};
  rejected.diagnostics.push_back({{"rules/orders.yaml", 4, 5},
                                  config::Severity::error,
                                  "unknown key 'form'",
                                  "did you mean 'from'?"});
  rejected.diagnostics.push_back(
      {{"gateway.yaml", 1, 1}, config::Severity::warning, "expires soon", ""});
  CHECK(line_of(rejected) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"snapshot_rejected","gateway":"gw-1",)"
        R"("snapshot":4,"files":7,"diagnostics":[)"
        R"({"file":"rules/orders.yaml","line":4,"column":5,"severity":"error",)"
        R"("message":"unknown key 'form'","hint":"did you mean 'from'?"},)"
        R"({"file":"gateway.yaml","line":1,"column":1,"severity":"warning",)"
        R"("message":"expires soon","hint":null}],"seconds":0.001000})"
        "\n");

  CHECK(line_of(AdminCommand{
            .command = "close 00ab", .uid = 1000, .pid = 77, .result = "1 session closed"}) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"admin","gateway":"gw-1",)"
        R"("command":"close 00ab","by":{"uid":1000,"pid":77},"result":"1 session closed"})"
        "\n");
}

TEST_CASE("sessions refused without a record are told by number", "[audit]") {
  CHECK(line_of(RefusedUnrecorded{5}) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"closed","gateway":"gw-1",)"
        R"("close_reason":"audit_unwritable","count":5})"
        "\n");
}

TEST_CASE("diagnostics beyond the bound are counted", "[audit]") {
  SnapshotRejected rejected;
  for (int line = 1; line <= 150; ++line) {
    rejected.diagnostics.push_back({{"a.netset", line, 1}, config::Severity::error, "bad", "why"});
  }
  const auto value = boost::json::parse(line_of(rejected));
  const auto& diagnostics = value.at("diagnostics").as_array();
  REQUIRE(diagnostics.size() == 101);
  CHECK(diagnostics.back().at("message").as_string() == "and 50 more");
  CHECK(diagnostics.back().at("line").as_int64() == 101);
}

TEST_CASE("text is escaped where JSON, a reader or a terminal could take it for more", "[audit]") {
  struct Case {
    std::string_view name;
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"plain text stays", " !#09:@AZ[]az{}~/'", " !#09:@AZ[]az{}~/'"},
      {"a quotation mark", "\"", R"(\")"},
      {"a backslash", "\\", R"(\\)"},
      {"controls with a letter", "\b\f\n\r\t", R"(\b\f\n\r\t)"},
      {"other controls", std::string("\0\x01\x1B\x1F", 4), R"(\u0000\u0001\u001b\u001f)"},
      {"DEL", "\x7F", R"(\u007f)"},
      {"C1", "\xC2\x80\xC2\x85\xC2\x9F", R"(\u0080\u0085\u009f)"},
      {"what ends a line", "\xE2\x80\xA8\xE2\x80\xA9", R"(\u2028\u2029)"},
      {"what turns text around", "\xE2\x80\xAE\xE2\x81\xA6", R"(\u202e\u2066)"},
      {"others beyond ASCII stay", "\xC2\xA0\xC3\xB8\xE2\x80\xAF\xF0\x9F\x90\x98",
       "\xC2\xA0\xC3\xB8\xE2\x80\xAF\xF0\x9F\x90\x98"},
      {"no character", "\xC2(\xFF", "\xEF\xBF\xBD(\xEF\xBF\xBD"},
      {"as long as may be", std::string(256, 'u'), std::string(256, 'u')},
      {"longer", std::string(257, 'u'), std::string(256, 'u')},
      {"cut between characters", std::string(255, 'u') + "\xE2\x82\xAC", std::string(255, 'u')},
      {"an escape counts as what it stands for", std::string(255, 'u') + "\x7Fz",
       std::string(255, 'u') + R"(\u007f)"},
  }));
  CAPTURE(c.name);
  SessionRecord record = denied_record();
  record.tls = AuditTls{};
  record.tls->sni = record.tls->client_subject = c.text;
  record.user = record.database = record.program = c.text;
  record.source.ids.aws_vpce_id = c.text;
  CHECK(line_of(Opened{record}) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"opened","gateway":"gw-1",)"
        R"("session":"00000000000000ab","listener":"public-mariadb","server":"orders",)"
        R"("source":{"address":"198.51.100.7","port":40213,"aws_vpce_id":")" +
            c.want + R"("},"verdict":"deny","reason":"no_matching_rule","snapshot":3,)" +
            R"("tls":{"sni":")" + c.want + R"(","resumed":false,"client_subject":")" + c.want +
            R"("},"user":")" + c.want + R"(","database":")" + c.want + R"(","program":")" + c.want +
            "\"}\n");
}

TEST_CASE("text that operators chose is escaped too, and may be longer", "[audit]") {
  const std::string text = "\"\x7F\xFF" + std::string(5'000, 'x');
  const std::string want = R"("\"\u007f)"
                           "\xEF\xBF\xBD" +
                           std::string(4'096 - 5, 'x') + '"';
  CHECK(line_of(AdminCommand{.command = text, .result = ""}) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"admin","gateway":"gw-1","command":)" +
            want + R"(,"by":{"uid":0,"pid":0},"result":""})" + "\n");

  SnapshotRejected rejected;
  rejected.diagnostics.push_back({{text, 1, 2}, config::Severity::error, text, text});
  CHECK(line_of(rejected) ==
        R"({"time":"2026-11-22T01:02:03.000004Z","event":"snapshot_rejected","gateway":"gw-1",)"
        R"("files":0,"diagnostics":[{"file":)" +
            want + R"(,"line":1,"column":2,"severity":"error","message":)" + want + R"(,"hint":)" +
            want + "}],\"seconds\":0.000000}\n");
}

TEST_CASE("text that a client chose cannot forge a line", "[audit]") {
  const auto user = GENERATE(values<std::string>({
      "x\"}\n{\"event\":\"opened\",\"user\":\"root\"}",
      std::string("\r\n\0\x1b[2J", 7),
      "quotes \" and \\ backslashes",
      "\x7F and C1 \xC2\x9B and NEL \xC2\x85",
      "separators \xE2\x80\xA8 and \xE2\x80\xA9",
      "quotation marks next to them stay: \xE2\x80\x9C\xE2\x80\x9D",
  }));
  SessionRecord record = allowed_record();
  record.user = record.database = record.program = user;
  record.tls = AuditTls{};
  record.tls->sni = record.tls->client_subject = user;
  const std::string line = line_of(Opened{record});

  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  CHECK(line.back() == '\n');
  CHECK(std::none_of(line.begin(), line.end() - 1,
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; }));
  CHECK(line.find("\xC2\x85") == std::string::npos);
  CHECK(line.find("\xC2\x9B") == std::string::npos);
  CHECK(line.find("\xE2\x80\xA8") == std::string::npos);
  // Nothing was lost by escaping.
  const auto value = boost::json::parse(line);
  CHECK(value.at("event").as_string() == "opened");
  CHECK(value.at("user").as_string() == user);
  CHECK(value.at("tls").at("sni").as_string() == user);
}

TEST_CASE("a session's id reads back as what was written", "[audit]") {
  CHECK(to_string(SessionId{0xab}) == "00000000000000ab");
  CHECK(parse_session_id("ffffffffffffffff") == SessionId{0xffffffffffffffff});
  CHECK(parse_session_id("00000000000000ab") == SessionId{0xab});
  CHECK_FALSE(parse_session_id("ab"));
  CHECK_FALSE(parse_session_id("00000000000000AB"));
  CHECK_FALSE(parse_session_id("-0000000000000ab"));
  CHECK_FALSE(parse_session_id(""));
}

TEST_CASE("a record copies the decision, and a later decision replaces it", "[audit]") {
  rules::Rule rule;
  rule.name = "oslo-office";
  rule.origin = {.file = "rules/orders.yaml", .line = 6};
  SessionRecord record;
  record.set_decision({rules::Verdict::allow, rules::Reason::ip_rule, &rule}, 1);
  REQUIRE(record.rule);
  CHECK(record.rule->name == "oslo-office");
  CHECK(record.rule->line == 6);

  record.set_decision({rules::Verdict::deny, rules::Reason::no_matching_rule, nullptr}, 2);
  CHECK(record.verdict == rules::Verdict::deny);
  CHECK(record.reason == rules::Reason::no_matching_rule);
  CHECK_FALSE(record.rule);
  CHECK(record.snapshot == 2);
}

}  // namespace
}  // namespace gatehouse
