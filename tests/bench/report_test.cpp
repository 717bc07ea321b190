// What is shown of a run, and what is said of its noise.
#include "bench/tool/report.h"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

namespace gatehouse::bench {

namespace {

using Catch::Contains;

Measured measured(const char* target, std::vector<double> cpu) {
  Measured made{.target = target, .quantities = {{"ready", {}}}, .figures = {}, .by_step = {}};
  for (const double base : {100, 110}) {
    std::vector<double> round;
    for (int sample = 0; sample < 20; ++sample) round.push_back(base + sample);
    made.quantities.front().samples.add_round(round);
  }
  made.figures.push_back({"cpu", "us a connection", std::move(cpu)});
  return made;
}

Report report(std::vector<Measured> targets) {
  return {.command = "connect",
          .machine = {},
          .targets = std::move(targets),
          .step_unit = {},
          .steps = {}};
}

}  // namespace

TEST_CASE("a figure has a median, a range and a ratio, where it is known") {
  const Figure first{"cpu", "us", {10, 20, 40}};
  const Summary other = summary({"cpu", "us", {30, 20, 120}}, first);
  CHECK(other.median == 30);
  CHECK(other.least == 20);
  CHECK(other.most == 120);
  CHECK(other.ratio == 3);
  CHECK_FALSE(summary({"cpu", "us", {}}, first).median);
  CHECK_FALSE(summary(first, {"cpu", "us", {}}).ratio);
}

TEST_CASE("a table shows quantities by their percentiles and figures by their range") {
  const std::string table =
      as_table(report({measured("direct", {}), measured("door", {12.34, 15})}));
  CHECK_THAT(table, Contains("ready, us       p50      p90      p99"));
  CHECK_THAT(table,
             Contains("cpu, us a connection\n             median    least     most    ratio"));
  CHECK_THAT(table, Contains("direct          -        -        -"));
  CHECK_THAT(table, Contains("door         12.3     12.3     15.0        -"));
}

TEST_CASE("programs are given every round of a figure") {
  const auto json =
      boost::json::parse(as_json(report({measured("a", {10, 20}), measured("b", {5, 8})})));
  const auto& cpu = json.at_pointer("/targets/1/figures/cpu");
  CHECK(cpu.at("unit").as_string() == "us a connection");
  CHECK(cpu.at("median").as_double() == 5);
  CHECK(cpu.at("ratio").as_double() == 0.4);
  CHECK(cpu.at("rounds").as_array().size() == 2);
  CHECK(json.at_pointer("/targets/0/microseconds/ready/samples").as_int64() == 40);
}

TEST_CASE("noise is told of what a report shows first") {
  Measured only_figures = measured("door", {100, 130});
  CHECK(doubts(report({only_figures})).empty());
  only_figures.quantities.clear();
  REQUIRE(doubts(report({only_figures})).size() == 1);
  CHECK_THAT(doubts(report({only_figures})).front(), Contains("noisy") && Contains("cpu lie 30 %"));
  only_figures.figures.front().values = {100};
  CHECK_THAT(doubts(report({only_figures})).front(), Contains("one round"));
}

TEST_CASE("what was looked at in steps is shown step by step") {
  Measured grown = measured("door", {1});
  grown.by_step.push_back({"memory", "KiB a session", {14.25, 13.5}});
  Report steps = report({grown});
  steps.step_unit = "sessions";
  steps.steps = {500, 1000};
  CHECK_THAT(as_table(steps), Contains("memory, KiB a session, by sessions\n") &&
                                  Contains("500     1000\n  door         14.2     13.5"));
  CHECK_THAT(as_html(steps),
             Contains("memory, KiB a session, by sessions</h2>") && Contains(">1000</text>"));
  CHECK(boost::json::parse(as_json(steps))
            .at_pointer("/targets/0/by_step/memory/steps/1")
            .as_double() == 13.5);
}

TEST_CASE("figures have as many digits as a measurement") {
  CHECK(in_digits(0.1234) == "0.123");
  CHECK(in_digits(1.234) == "1.23");
  CHECK(in_digits(12.34) == "12.3");
  CHECK(in_digits(1234.5) == "1234");
}

}  // namespace gatehouse::bench
