#include "bench/tool/target.h"

#include <algorithm>
#include <charconv>

namespace gatehouse::bench {

namespace {

constexpr std::string_view scheme_end = "://";
constexpr std::string_view plain = "+plain";

bool take_scheme(Target& target, std::string_view scheme) {
  target.is_tls = !scheme.ends_with(plain);
  if (!target.is_tls) scheme.remove_suffix(plain.size());
  target.protocol = scheme == "cql" ? Protocol::cql : Protocol::mariadb;
  return scheme == "cql" || scheme == "mariadb";
}

// An IPv6 address stands in brackets.
bool take_address(Target& target, std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  target.host = host;
  target.port = port;
  const bool is_number = !port.empty() && port.size() <= 5 &&
                         std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  return !host.empty() && is_number;
}

std::optional<std::vector<pid_t>> parse_processes(std::string_view text) {
  std::vector<pid_t> processes;
  for (;;) {
    pid_t process = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, process);
    if (error != std::errc() || process <= 0) return std::nullopt;
    processes.push_back(process);
    if (rest == end) return processes;
    if (*rest != ',') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()) + 1);
  }
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
  Target target;
  const auto scheme = text.find(scheme_end);
  if (scheme == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(scheme + scheme_end.size());
  std::string_view before = text.substr(0, scheme);
  target.name = rest;
  if (const auto equals = before.find('='); equals != std::string_view::npos) {
    target.name = before.substr(0, equals);
    before.remove_prefix(equals + 1);
  }
  if (target.name.empty() || !take_scheme(target, before)) return std::nullopt;
  // A user of a routed listener has one of his own.
  if (const auto sign = rest.rfind('@'); sign != std::string_view::npos) {
    target.user = rest.substr(0, sign);
    rest.remove_prefix(sign + 1);
  }
  if (!take_address(target, rest)) return std::nullopt;
  return target;
}

bool take_processes(std::string_view text, std::vector<Target>& targets) {
  const auto equals = text.rfind('=');
  if (equals == std::string_view::npos) return false;
  const auto processes = parse_processes(text.substr(equals + 1));
  const auto target = std::ranges::find(targets, text.substr(0, equals), &Target::name);
  if (!processes || target == targets.end()) return false;
  target->processes = *processes;
  return true;
}

}  // namespace gatehouse::bench
