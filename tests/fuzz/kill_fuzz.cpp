// A statement that may be a KILL.
#include <cstddef>
#include <cstdint>
#include <string>

#include "gateway/mariadb/bytes.h"
#include "gateway/mariadb/kill.h"
#include "tests/fuzz/require.h"

namespace gatehouse::mariadb {

using fuzz::require;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view statement = as_text({data, size});
  const auto target = find_kill_target(statement);
  if (!target) return 0;
  require(target->size > 0 && target->at + target->size <= statement.size(),
          "the number lies within the statement");
  const std::string_view number = statement.substr(target->at, target->size);
  require(number.find_first_not_of("0123456789") == std::string_view::npos, "it is a number");
  require(number.size() >= std::to_string(target->id).size(), "it is that number");

  std::string mapped(statement);
  mapped.replace(target->at, target->size, "42");
  const auto again = find_kill_target(mapped);
  require(again && again->at == target->at && again->size == 2 && again->id == 42,
          "with another number it kills another thread");
  return 0;
}

}  // namespace gatehouse::mariadb
