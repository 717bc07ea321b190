#include "gateway/observe/json_writer.h"

#include <algorithm>

#include <boost/json/serialize.hpp>

#include "gateway/observe/text.h"

namespace gatehouse {
namespace {

// Nearly all text is: JSON has it as it is.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char character) {
    return character >= ' ' && character < '\x7F' && character != '"' && character != '\\';
  });
}

}  // namespace

void JsonWriter::add_text(std::string_view key, std::string_view text, std::size_t max_bytes) {
  add_key(key);
  if (text.size() <= max_bytes && is_plain(text)) {
    out_ += '"';
    out_ += text;
    out_ += '"';
  } else {
    const std::string valid = valid_utf8(text, max_bytes);
    out_ += printable_json(boost::json::serialize(boost::json::string_view(valid)));
  }
}

void JsonWriter::add_key(std::string_view key) {
  if (out_.back() != '{') out_ += ',';
  out_ += '"';
  out_ += key;
  out_ += "\":";
}

}  // namespace gatehouse
