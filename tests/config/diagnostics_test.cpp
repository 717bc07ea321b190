#include "config/diagnostics.h"

#include <string>

#include <catch2/catch.hpp>

namespace gatehouse::config {
namespace {

std::string shown(std::string message) {
  return to_string(Diagnostic{{"gateway.yaml", 3, 7}, Severity::error, std::move(message), ""});
}

TEST_CASE("a diagnostic says where, how bad, what, and what to do", "[config]") {
  CHECK(shown("missing key 'rules'") == "gateway.yaml:3:7: error: missing key 'rules'");
  CHECK(to_string(Diagnostic{{"rules/a.yaml", 1, 1}, Severity::warning, "odd", "look"}) ==
        "rules/a.yaml:1:1: warning: odd\n  hint: look");
}

TEST_CASE("what an operator wrote cannot forge a line or move a terminal's cursor", "[config]") {
  CHECK(shown("'a\nb'") == "gateway.yaml:3:7: error: 'a\\x0ab'");
  CHECK(shown("\x1b[2J\x7f") == "gateway.yaml:3:7: error: \\x1b[2J\\x7f");
  CHECK(shown("\xc2\x9b"
              "2J") == "gateway.yaml:3:7: error: \\u009b2J");
  CHECK(to_string(Diagnostic{{"a\nb.yaml", 1, 1}, Severity::error, "m", "h\ri"}) ==
        "a\\x0ab.yaml:1:1: error: m\n  hint: h\\x0di");
}

TEST_CASE("letters beyond ASCII pass unchanged", "[config]") {
  CHECK(shown("'Tromsø \xc2\xa0'") == "gateway.yaml:3:7: error: 'Tromsø \xc2\xa0'");
  CHECK(shown("\xc2") == "gateway.yaml:3:7: error: \xc2");
}

TEST_CASE("sorting goes by place and keeps the order of what stands at one", "[config]") {
  Diagnostics diagnostics;
  diagnostics.error({"b.yaml", 1, 1}, "last");
  diagnostics.error({"a.yaml", 10, 1}, "fourth");
  diagnostics.warning({"a.yaml", 2, 5}, "second");
  diagnostics.error({"a.yaml", 2, 5}, "a third");
  diagnostics.error({"a.yaml", 2, 1}, "first");
  diagnostics.sort();
  std::string order;
  for (const auto& diagnostic : diagnostics.all()) order += diagnostic.message + ' ';
  CHECK(order == "first second a third fourth last ");
}

TEST_CASE("the same words at the same place are kept once", "[config]") {
  Diagnostics diagnostics;
  diagnostics.error({"a.yaml", 1, 1}, "one", "hint");
  diagnostics.error({"a.yaml", 1, 1}, "one");
  diagnostics.error({"a.yaml", 1, 1}, "one");
  diagnostics.sort();
  CHECK(diagnostics.all().size() == 2);
  CHECK(diagnostics.has_errors());
}

TEST_CASE("warnings are no errors", "[config]") {
  Diagnostics diagnostics;
  diagnostics.warning({"a.yaml", 1, 1}, "odd");
  CHECK_FALSE(diagnostics.has_errors());
  diagnostics.error({"a.yaml", 1, 1}, "wrong");
  CHECK(diagnostics.has_errors());
}

}  // namespace
}  // namespace gatehouse::config
