// Which keyspace a connection is in, seen from outside: between a USE and its answer it may be in
// either of two.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::cassandra {

class Keyspaces {
 public:
  // All that a name without a keyspace may mean now: one, or two. Empty: none is in use.
  [[nodiscard]] std::vector<std::string_view> possible() const;

  // The request on `stream` asks for another one. False: so does another that is not answered yet,
  // and nodes may take the two in either order.
  [[nodiscard]] bool begin(std::int16_t stream, std::string keyspace);
  // The answer on `stream`, if it is one to that request: the keyspace now in use, or nothing where
  // it was refused.
  void end(std::int16_t stream, std::optional<std::string_view> keyspace);

 private:
  struct Use {
    std::int16_t stream = 0;
    std::string keyspace;
  };
  std::string current_;
  std::optional<Use> under_way_;
};

}  // namespace gatehouse::cassandra
