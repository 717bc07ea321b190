#include "bench/tool/report.h"

#include <algorithm>
#include <cmath>

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
  if (!report.steps.empty()) return lines;  // steps are not the same thing twice
  for (const Measured& measured : report.targets) {
    // The first is what a person asks about; its parts vary more.
    const bool has_samples = !measured.quantities.empty();
    const std::string& name =
        has_samples ? measured.quantities.front().name : measured.figures.front().name;
    const auto apart = spread(has_samples ? measured.quantities.front().samples.medians()
                                          : measured.figures.front().values);
    if (!apart) {
      lines.push_back(fmt::format("{}: one round tells nothing of noise", measured.target));
    } else if (*apart > noisy_spread) {
      lines.push_back(fmt::format("{}: noisy: the rounds' medians of {} lie {:.0f} % apart",
                                  measured.target, name, *apart * 100));
    }
  }
  return lines;
}

Summary summary(const Figure& figure, const Figure& first) {
  if (figure.values.empty()) return {};
  const auto [least, most] = std::ranges::minmax(figure.values);
  return {.median = median(figure.values),
          .least = least,
          .most = most,
          .ratio = paired_ratio(figure.values, first.values)};
}

std::string in_digits(double value) {
  const double size = std::abs(value);
  const int digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return fmt::format("{:.{}f}", value, digits);
}

}  // namespace gatehouse::bench
