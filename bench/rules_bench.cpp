// The rule engine alone: what a list costs to load and to hold, what a look-up and a decision cost.
// Targets: a million IPv4 blocks from text to ready in 150 ms and 12 MB, with a peak of 40 MB above
// the text; 60 ns a cold look-up.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <malloc.h>

#include "bench/median.h"
#include "bench/processor.h"
#include "config/address_list.h"
#include "rules/policy.h"

namespace gatehouse {
namespace {

using Clock = std::chrono::steady_clock;
// So many different addresses that neither they nor what they lead to stay in a cache.
constexpr std::size_t cold_lookups = 1'000'000;
constexpr std::size_t hot_addresses = 64;

std::mt19937_64& random_engine() {
  static std::mt19937_64 engine(20261121);  // NOLINT(cert-msc51-cpp): the same list every time
  return engine;
}

template <typename Work>
double seconds(const Work& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Blocks of /24 to /32 anywhere, few of which overlap.
std::string random_list(std::size_t blocks) {
  std::string text;
  text.reserve(blocks * 19);
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::uint64_t bits = random_engine()();
    const unsigned prefix = 24 + static_cast<unsigned>(bits >> 32) % 9;
    const std::uint32_t host = prefix == 32 ? 0 : ~std::uint32_t{0} >> prefix;
    const auto first = (static_cast<std::uint32_t>(bits) & ~host) | 0x01000000;
    text += rules::IpAddress::v4(first).to_string() + '/' + std::to_string(prefix) + '\n';
  }
  return text;
}

// What is asked for.
struct Samples {
  std::vector<rules::IpAddress> cold;
  std::vector<rules::IpAddress> hot;
};

std::vector<rules::IpAddress> random_addresses(std::size_t count) {
  std::vector<rules::IpAddress> addresses(count);
  for (auto& address : addresses) {
    address = rules::IpAddress::v4(static_cast<std::uint32_t>(random_engine()()));
  }
  return addresses;
}

// Back to back, the processor works on several look-ups at a time; one by one, each has to wait for
// the answer of the one before it.
enum class Pace { back_to_back, one_by_one };

// Nanoseconds for each of `addresses`, asked `repeats` times. REQUIRES: an even number of
// addresses.
template <Pace pace, typename Ask>
double nanoseconds_each(const std::vector<rules::IpAddress>& addresses, std::size_t repeats,
                        const Ask& ask) {
  std::size_t hits = 0;
  const double elapsed = seconds([&] {
    for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
      std::size_t previous = 0;
      for (std::size_t i = 0; i < addresses.size(); ++i) {
        const std::size_t place = pace == Pace::one_by_one ? i ^ previous : i;
        previous = ask(addresses[place]) ? 1 : 0;
        hits += previous;
      }
    }
  });
  // Keeps the answers, and with them the work, from being optimised away.
  [[maybe_unused]] static volatile std::size_t kept;
  kept = hits;
  return elapsed * 1e9 / static_cast<double>(addresses.size() * repeats);
}

// Prints the last columns of a row: cold, cold one by one, hot.
template <typename Ask>
void print_lookups(const Samples& samples, const Ask& ask) {
  const double cold =
      bench::median([&] { return nanoseconds_each<Pace::back_to_back>(samples.cold, 1, ask); });
  const double one_by_one =
      bench::median([&] { return nanoseconds_each<Pace::one_by_one>(samples.cold, 1, ask); });
  const double hot =
      bench::median([&] { return nanoseconds_each<Pace::back_to_back>(samples.hot, 10'000, ask); });
  std::printf(" %8.1f | %15.1f | %8.1f |\n", cold, one_by_one, hot);
}

// What this process holds of memory, in bytes, as /proc/self/status has it under `name`.
double resident(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kibibytes = 0;
    if (word == name && status >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

// What `work` needs at its peak of memory, in bytes, beyond what is there before it.
template <typename Work>
double peak_bytes(const Work& work) {
  static_cast<void>(::malloc_trim(0));          // nothing that was freed before stands in for it
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
  const double before = resident("VmRSS:");
  work();
  return resident("VmHWM:") - before;
}

void measure_list(std::size_t blocks, const Samples& samples) {
  const std::string text = random_list(blocks);
  rules::RangeSet set;
  const auto read = [&] {
    config::Diagnostics diagnostics;
    set = config::read_address_list(text, "bench.netset", diagnostics);
    if (diagnostics.has_errors()) std::puts("the list has errors");
  };
  const double peak = peak_bytes(read);
  const double load = bench::median([&] {
    set = {};
    return seconds(read);
  });
  std::printf("| %9zu | %9zu | %8.1f | %8.2f | %8.1f |", blocks, set.size(), load * 1e3,
              static_cast<double>(set.bytes()) / 1e6, peak / 1e6);
  print_lookups(samples, [&](const rules::IpAddress& address) { return set.contains(address); });
}

rules::Rule random_rule(std::size_t number) {
  const auto first = static_cast<std::uint32_t>(random_engine()()) & ~std::uint32_t{0xff};
  rules::Rule rule;
  rule.name = "rule-" + std::to_string(number);
  rule.what = rules::IpRule{
      rules::IpRange{rules::IpAddress::v4(first), rules::IpAddress::v4(first + 0xff)}};
  return rule;
}

void measure_policy(std::size_t rule_count, const Samples& samples) {
  rules::PolicySpec spec;
  spec.server = "orders";
  for (std::size_t i = 0; i < rule_count; ++i) spec.rules.push_back(random_rule(i));
  const auto start = Clock::now();
  const rules::Policy policy(std::move(spec));
  const std::chrono::duration<double, std::milli> build = Clock::now() - start;
  const auto is_allowed = [&](const rules::IpAddress& address) {
    const rules::Facts facts{
        .address = address,
        .arrival = rules::Arrival{.way = rules::Arrival::Way::public_address, .network = {}},
        .now = {}};
    return policy.decide(facts).verdict == rules::Verdict::allow;
  };
  std::printf("| %9zu | %8.2f |", rule_count, build.count());
  print_lookups(samples, is_allowed);
}

}  // namespace
}  // namespace gatehouse

int main() {
  std::printf("%s, %s build, medians of %d rounds\n\n", gatehouse::bench::processor().c_str(),
              GATEHOUSE_BUILD_TYPE, gatehouse::bench::rounds);
  const gatehouse::Samples samples{.cold = gatehouse::random_addresses(gatehouse::cold_lookups),
                                   .hot = gatehouse::random_addresses(gatehouse::hot_addresses)};
  std::puts(
      "|    blocks |      held |  load ms |       MB |  peak MB |  cold ns | cold one by one |"
      "   hot ns |");
  std::puts(
      "|----------:|----------:|---------:|---------:|---------:|---------:|----------------:"
      "|---------:|");
  for (const std::size_t blocks : {10'000U, 100'000U, 1'000'000U}) {
    gatehouse::measure_list(blocks, samples);
  }
  std::puts("\n|  IP rules | build ms |  cold ns | cold one by one |   hot ns |");
  std::puts("|----------:|---------:|---------:|----------------:|---------:|");
  for (const std::size_t rules : {10U, 10'000U}) gatehouse::measure_policy(rules, samples);
  return 0;
}
