#include "gateway/mariadb/kill.h"

#include <string>

#include <catch2/catch.hpp>

namespace gatehouse::mariadb {

using namespace std::string_view_literals;

TEST_CASE("a KILL of a thread by its number says where the number is") {
  const auto statement = GENERATE(values<std::string_view>({
      "KILL 2147483661",
      "kill 2147483661",
      "KiLl\t2147483661",
      "KILL HARD 2147483661",
      "KILL SOFT 2147483661",
      "KILL QUERY 2147483661",
      "KILL CONNECTION 2147483661",
      "kill hard connection 2147483661",
      "KILL Soft Query\r\n 2147483661",
      "  \v\fKILL 2147483661 \n",
      "KILL 2147483661;",
      "KILL 2147483661 ;; ",
      "KILL/**/2147483661",
      "/* who? */ KILL /* why? */ QUERY /***/ 2147483661 /* ; */ ; /* 5 */",
      "/*/ */KILL 2147483661",
      "# first\nKILL # then\n2147483661 # last",
      "-- first\nKILL --\tthen\n2147483661-- last",
      "KILL 2147483661 --",
      "/*+ a hint is a comment, too */ KILL 2147483661",
  }));
  CAPTURE(statement);
  const auto target = find_kill_target(statement);
  REQUIRE(target);
  CHECK(target->id == 2147483661);
  CHECK(statement.substr(target->at, target->size) == "2147483661");
}

TEST_CASE("the number of a KILL may be any that fits 64 bits") {
  CHECK(find_kill_target("KILL 0")->id == 0);
  CHECK(find_kill_target("KILL 18446744073709551615")->id == 0xFFFFFFFFFFFFFFFF);
  CHECK_FALSE(find_kill_target("KILL 18446744073709551616"));
  const auto padded = find_kill_target("KILL 0002147483661");
  REQUIRE(padded);
  CHECK(padded->id == 2147483661);
  CHECK(padded->size == 13);
}

TEST_CASE("what is no KILL of a thread by its number is left alone") {
  const auto statement = GENERATE(values<std::string_view>({
      "",
      " ",
      ";",
      "SELECT 5",
      "5",
      "KILL",
      "KILL ",
      "KILL;",
      "KILL5",
      "KILLS 5",
      "KILLQUERY 5",
      "KILL HARDQUERY 5",
      "KILL_ 5",
      "KILL$ 5",
      "KILL\xC3\xA4 5",
      "KIL 5",
      "KILL HARD5",
      "KILL HARD SOFT 5",
      "KILL QUERY CONNECTION 5",
      "KILL QUERY HARD 5",
      "KILL QUERY ID 5",
      "KILL SOFT QUERY ID 5",
      "KILL USER alice",
      "KILL USER 5",
      "KILL -5",
      "KILL +5",
      "KILL 5a",
      "KILL 5.0",
      "KILL 5e1",
      "KILL 0x80000005",
      "KILL 5 + 1",
      "KILL 5--1",
      "KILL 5 /* no end",
      "KILL (5)",
      "KILL '5'",
      "KILL @thread",
      "KILL ?",
      "KILL CONNECTION_ID()",
      "KILL 5 6",
      "KILL 5; SELECT 1",
      "SELECT 1; KILL 5",
      "KILL 5 /*! + 1 */",
      "KILL 5 /*M! + 1 */",
      "KILL /*!50000 SOFT */ 5",
      "/*!50000 KILL 5 */",
      "/*M!100100 KILL 5 */",
      "/* KILL 5 */",
      "/*/ KILL 5",
      "# KILL 5",
      "-- KILL 5",
      "--KILL 5",
      "- KILL 5",
      "KILL 5\0"sv,
  }));
  CAPTURE(statement);
  CHECK_FALSE(find_kill_target(statement));
}

TEST_CASE("no prefix of a KILL reaches beyond itself") {
  const std::string statement = "/* a */ KILL -- b\n SOFT QUERY 21 ; # c";
  for (std::size_t size = 0; size < statement.size(); ++size) {
    const std::string prefix = statement.substr(0, size);
    const auto target = find_kill_target(prefix);
    const std::size_t number = statement.find("21");
    CHECK(target.has_value() == (size > number));
    if (target) CHECK(target->at + target->size <= size);
  }
}

}  // namespace gatehouse::mariadb
