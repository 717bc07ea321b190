// JSON written straight into a string. Lines of the audit are asked for by the thousand: building
// objects of Boost.JSON and serializing them costs six times as much.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace gatehouse {

// Keys are written as they are. Nothing is checked: what is opened is to be closed.
class JsonWriter {
 public:
  // Appends to `out`, which must outlive this.
  explicit JsonWriter(std::string& out) : out_(out) {}

  void open() { out_ += '{'; }
  void open(std::string_view key) {
    add_key(key);
    open();
  }
  void close() { out_ += '}'; }

  // As valid UTF-8 of at most `max_bytes`, and printable.
  void add_text(std::string_view key, std::string_view text, std::size_t max_bytes);
  void add_number(std::string_view key, std::integral auto number) {
    const fmt::format_int digits(number);
    add_json(key, {digits.data(), digits.size()});
  }
  void add_json(std::string_view key, std::string_view json) {
    add_key(key);
    out_ += json;
  }

 private:
  void add_key(std::string_view key);

  std::string& out_;
};

}  // namespace gatehouse
