// One rule file, in a configuration with two servers and two networks.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rules/policy.h"
#include "tests/fuzz/config_folder.h"
#include "tests/fuzz/require.h"

using gatehouse::fuzz::require;

namespace {

constexpr std::string_view gateway_yaml = R"(
listeners:
  - name: public
    protocol: mariadb
    address: "127.0.0.1:0"
    servers: [orders, billing]
    tls: {certificate: gateway.pem, key: gateway.key}
servers:
  - {name: orders, protocol: mariadb, backends: ["10.1.0.4:3306"]}
  - {name: billing, protocol: mariadb, backends: ["10.1.0.5:3306"]}
networks:
  - name: factory
    matched_by: [{listener: public, azure_link_id: 1}]
    subnets: [{name: robots, range: 10.20.1.0/24}]
  - name: analytics
    matched_by: [{aws_vpce_id: vpce-08d2bf15fac5001c9}]
rules: rules/
)";

const gatehouse::fuzz::ConfigFolder& folder() {
  static const gatehouse::fuzz::ConfigFolder instance;
  static const bool written = [] {
    instance.write("gateway.yaml", gateway_yaml);
    instance.write("rules/fuzz.yaml", "");
    instance.write("list.netset", "192.0.2.0/24\n2001:db8::1-2001:db8::9\n");
    require(instance.load().configuration != nullptr, "the fuzzer's own gateway.yaml is right");
    return true;
  }();
  static_cast<void>(written);
  return instance;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  folder().write("rules/fuzz.yaml", {reinterpret_cast<const char*>(data), size});
  const auto loaded = folder().load();
  if (!loaded.configuration) return 0;
  for (const auto& policy : loaded.configuration->policies) {
    const auto decision = policy->decide({});
    require(decision.verdict != gatehouse::rules::Verdict::allow,
            "nobody is let in of whom nothing is known");
  }
  return 0;
}
