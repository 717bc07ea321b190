#include "bench/tool/report.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench/processor.h"

namespace gatehouse::bench {

namespace {

// On a quiet machine the rounds' medians are within a tenth of each other.
constexpr double noisy_spread = 0.25;

}  // namespace

std::vector<std::string> this_machine() {
  utsname kernel{};
  ::uname(&kernel);
  return {
      fmt::format("{} x {}", ::sysconf(_SC_NPROCESSORS_ONLN), processor()),
      fmt::format("{} {}", kernel.sysname, kernel.release),
      fmt::format("gatehouse-bench {}, {}", GATEHOUSE_VERSION, OpenSSL_version(OPENSSL_VERSION))};
}

std::vector<std::string> doubts(const Report& report) {
  std::vector<std::string> lines;
  for (const Measured& measured : report.targets) {
    // The first is what a person asks about; its parts vary more.
    const Quantity& quantity = measured.quantities.front();
    const auto spread = quantity.samples.spread();
    if (!spread) {
      lines.push_back(fmt::format("{}: one round tells nothing of noise", measured.target));
    } else if (*spread > noisy_spread) {
      lines.push_back(fmt::format("{}: noisy: the rounds' medians of {} lie {:.0f} % apart",
                                  measured.target, quantity.name, *spread * 100));
    }
  }
  return lines;
}

}  // namespace gatehouse::bench
