#include "gateway/net/tls_names.h"

#include <catch2/catch.hpp>

#include "tests/gateway/net/key_files.h"

namespace gatehouse {
namespace {

constexpr long day = 24L * 60 * 60;

TlsPointer<X509> certificate_for(const char* names) {
  return make_certificate(make_key().get(), day, names);
}

TEST_CASE("a certificate fits the names it is for, exactly or by a wildcard", "[tls]") {
  const auto certificate = certificate_for("DNS:a.test,DNS:*.b.test,DNS:x.b.test,IP:127.0.0.1");
  const auto fits = [&](std::string_view name) { return match(certificate.get(), name); };
  CHECK(fits("a.test") == NameMatch::exact);
  CHECK(fits("A.TEST") == NameMatch::exact);
  CHECK(fits("y.b.test") == NameMatch::wildcard);
  CHECK(fits("x.b.test") == NameMatch::exact);
  CHECK(fits("b.test") == NameMatch::none);
  CHECK(fits("z.y.b.test") == NameMatch::none);
  CHECK(fits("c.test") == NameMatch::none);
  CHECK(fits("127.0.0.1") == NameMatch::none);
}

TEST_CASE("what no client would take for a match is none", "[tls]") {
  CHECK(match(certificate_for(nullptr).get(), "localhost") == NameMatch::none);  // its subject
  CHECK(match(certificate_for("DNS:a*.b.test").get(), "ax.b.test") == NameMatch::none);
  CHECK(match(certificate_for("DNS:*").get(), "test") == NameMatch::none);
}

TEST_CASE("a name that is none fits nothing", "[tls]") {
  const auto certificate = certificate_for("DNS:a.test,DNS:*.b.test");
  const auto name = GENERATE(as<std::string>{}, "", ".", ".test", ".b.test", "*.b.test.", "a.test ",
                             std::string("a.test\0.b.test", 14), "\xff\xfe", std::string(255, 'a'),
                             std::string(65535, '.'));
  CAPTURE(name);
  CHECK(match(certificate.get(), name) == NameMatch::none);
}

TEST_CASE("certificates are for the same where all their names are, in whatever order", "[tls]") {
  const auto names = [](const char* text) { return names_of(certificate_for(text).get()); };
  CHECK(names("DNS:a.test,DNS:b.test,IP:127.0.0.1") == names("IP:127.0.0.1,DNS:b.test,DNS:a.test"));
  CHECK(names("DNS:a.test") != names("DNS:a.test,DNS:b.test"));
  CHECK(names("IP:127.0.0.1") != names("IP:127.0.0.2"));
  CHECK(names("DNS:a.test") != names("email:a.test"));
  CHECK(names(nullptr).empty());

  CHECK(holds_host_name(names("IP:127.0.0.1,DNS:a.test")));
  CHECK_FALSE(holds_host_name(names("IP:127.0.0.1,email:a.test")));
  CHECK_FALSE(holds_host_name(names(nullptr)));
}

}  // namespace
}  // namespace gatehouse
