#include "gateway/proxy_protocol/received_header.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/crc.hpp>

#include "gateway/bytes.h"
#include "gateway/proxy_protocol/wire.h"

namespace gatehouse::proxy_protocol {

namespace {

using State = ReceivedHeader::State;

ReceivedHeader malformed(std::string_view problem) {
  ReceivedHeader header;
  header.state = State::malformed;
  header.problem = problem;
  return header;
}

constexpr std::string_view nobody = "its source is nobody's address";

bool starts_like(Bytes bytes, Bytes begin) {
  const std::size_t size = std::min(bytes.size(), begin.size());
  return std::equal(begin.begin(), begin.begin() + static_cast<std::ptrdiff_t>(size),
                    bytes.begin());
}

// --- version 1 -----------------------------------------------------------------------------------

constexpr std::string_view v1_begin = "PROXY ";

// Takes the text up to the next blank, and the blank.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::optional<rules::IpAddress> read_address(std::string_view word, bool is_v4) {
  // By its form: an IPv4 address in IPv6 is one of TCP6, though it is unmapped.
  if ((word.find(':') == std::string_view::npos) != is_v4) return std::nullopt;
  return rules::IpAddress::parse(word);
}

std::optional<std::uint16_t> read_port(std::string_view word) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(word.begin(), word.end(), port);
  const bool has_leading_zero = word.size() > 1 && word.front() == '0';
  if (error != std::errc() || end != word.end() || has_leading_zero) return std::nullopt;
  return port;
}

// `line` is what stands between "PROXY " and the line's end.
ReceivedHeader read_v1_line(std::string_view line, std::size_t size) {
  ReceivedHeader header;
  header.size = size;
  const std::string_view family = take_word(line);
  if (family == "UNKNOWN") {
    header.state = State::health_check;
    return header;
  }
  const bool is_v4 = family == "TCP4";
  if (!is_v4 && family != "TCP6") return malformed("its family is none of TCP4, TCP6 and UNKNOWN");
  // A blank behind the port would leave an empty word, which is no port.
  if (std::count(line.begin(), line.end(), ' ') != 3) return malformed("it has not six words");
  const auto source = read_address(take_word(line), is_v4);
  const auto destination = read_address(take_word(line), is_v4);
  if (!source || !destination) return malformed("an address is none of its family");
  const auto source_port = read_port(take_word(line));
  const auto destination_port = read_port(take_word(line));
  if (!source_port || !destination_port) return malformed("a port is no number up to 65535");
  header.state = State::client;
  header.source = {*source, *source_port};
  header.destination = {*destination, *destination_port};
  return source->is_unspecified() ? malformed(nobody) : header;
}

ReceivedHeader read_v1(Bytes bytes) {
  std::string_view text = as_text(bytes.first(std::min(bytes.size(), v1_size_max)));
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return bytes.size() < v1_size_max ? ReceivedHeader{} : malformed("its line does not end");
  }
  text = text.substr(0, end);
  if (text.size() < v1_begin.size() || text.back() != '\r') {
    return malformed("its line ends without a carriage return");
  }
  text.remove_suffix(1);
  return read_v1_line(text.substr(v1_begin.size()), end + 1);
}

// --- version 2 -----------------------------------------------------------------------------------

constexpr std::uint8_t type_crc32c = 0x03;
constexpr std::uint8_t type_gcp = 0xE0;
constexpr std::uint8_t type_aws = 0xEA;
constexpr std::uint8_t type_azure = 0xEE;
// Both clouds number what stands in their field, and have one number so far.
constexpr std::uint8_t endpoint_id = 0x01;

rules::IpAddress read_address(BigEndianReader& reader, bool is_v4) {
  if (is_v4) return rules::IpAddress::v4(reader.u32());
  std::array<std::uint8_t, 16> v6{};
  std::ranges::copy(reader.bytes(v6.size()), v6.begin());
  return rules::IpAddress::v6(v6);
}

// Of the whole header, as if the checksum's own four bytes were zero (section 2.2.4).
bool has_checksum(Bytes header, Bytes checksum) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc32c;
  const std::size_t before = static_cast<std::size_t>(checksum.data() - header.data());
  constexpr std::array<std::uint8_t, 4> zeros{};
  crc32c.process_bytes(header.data(), before);
  crc32c.process_bytes(zeros.data(), zeros.size());
  const Bytes rest = header.subspan(before + zeros.size());
  crc32c.process_bytes(rest.data(), rest.size());
  return crc32c.checksum() == BigEndianReader(checksum).u32();
}

// What is wrong with the id, if anything.
std::string_view read_id(std::uint8_t type, Bytes value, rules::HeaderIds& ids) {
  if (type == type_gcp) {
    if (value.size() != 8) return "its Google connection id has not eight bytes";
    ids.repeated |= ids.gcp_psc_connection_id.has_value();
    ids.gcp_psc_connection_id = BigEndianReader(value).u64();
    return {};
  }
  if (value.empty() || value.front() != endpoint_id) {
    return "its cloud endpoint has a form that is not known";
  }
  value = value.subspan(1);
  if (type == type_aws) {
    if (value.empty() || value.size() > rules::HeaderIds::aws_vpce_id_max) {
      return "its AWS endpoint id is empty or too long";
    }
    ids.repeated |= ids.aws_vpce_id.has_value();
    ids.aws_vpce_id = as_text(value);
    return {};
  }
  if (value.size() != 4) return "its Azure link id has not four bytes";
  ids.repeated |= ids.azure_link_id.has_value();
  // The only number of the protocol that is little-endian.
  ids.azure_link_id =
      static_cast<std::uint32_t>(value[0]) | static_cast<std::uint32_t>(value[1]) << 8 |
      static_cast<std::uint32_t>(value[2]) << 16 | static_cast<std::uint32_t>(value[3]) << 24;
  return {};
}

// The type-length-values that `header` ends with. What is wrong with them, if anything.
std::string_view read_values(Bytes header, BigEndianReader& reader, rules::HeaderIds& ids) {
  bool is_checked = false;
  while (!reader.at_end()) {
    const std::uint8_t type = reader.u8();
    const std::uint16_t length = reader.u16();
    if (!reader.ok()) return "a value of it is cut short";
    const Bytes value = reader.bytes(length);
    if (!reader.ok()) return "a value of it is longer than the header";
    if (type == type_crc32c) {
      if (is_checked || length != 4) return "its checksum is repeated or has not four bytes";
      if (!has_checksum(header, value)) return "its checksum is another";
      is_checked = true;
    } else if (type == type_gcp || type == type_aws || type == type_azure) {
      if (const auto problem = read_id(type, value, ids); !problem.empty()) return problem;
    }
  }
  return {};
}

ReceivedHeader read_v2(Bytes bytes) {
  constexpr std::size_t fixed_size = 16;
  if (bytes.size() <= signature.size()) return {};
  const std::uint8_t command = bytes[signature.size()];
  if (command != command_proxy && command != command_local) {
    return malformed("it is of another version, or its command is not known");
  }
  if (bytes.size() < fixed_size) return {};
  const std::uint8_t family = bytes[signature.size() + 1];
  const std::size_t size = fixed_size + BigEndianReader(bytes.subspan(signature.size() + 2)).u16();
  if (size > v2_size_max) return malformed("it is longer than 4096 bytes");

  // What there is to say against it is said before the rest is waited for.
  const bool is_about_client = command == command_proxy && family != family_unspecified;
  const bool is_v4 = family == family_tcp4;
  if (is_about_client) {
    if (!is_v4 && family != family_tcp6) return malformed("its family is not TCP over IP");
    if (size < fixed_size + (is_v4 ? addresses_size_v4 : addresses_size_v6)) {
      return malformed("it is too short for its addresses");
    }
  }
  if (bytes.size() < size) return {};

  const Bytes whole = bytes.first(size);
  ReceivedHeader header;
  header.size = size;
  header.state = State::health_check;
  if (!is_about_client) return header;
  BigEndianReader reader(whole.subspan(fixed_size));
  header.state = State::client;
  header.source.ip = read_address(reader, is_v4);
  header.destination.ip = read_address(reader, is_v4);
  header.source.port = reader.u16();
  header.destination.port = reader.u16();
  if (header.source.ip.is_unspecified()) return malformed(nobody);
  const std::string_view problem = read_values(whole, reader, header.ids);
  return problem.empty() ? header : malformed(problem);
}

}  // namespace

ReceivedHeader read_header(Bytes bytes) {
  if (bytes.empty()) return {};
  if (starts_like(bytes, signature)) return read_v2(bytes);
  if (starts_like(bytes, bytes_of(v1_begin))) return read_v1(bytes);
  return malformed("it begins as no PROXY header does");
}

}  // namespace gatehouse::proxy_protocol
