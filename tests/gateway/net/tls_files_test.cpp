#include "gateway/net/tls_files.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "gateway/net/tls_context.h"
#include "gateway/net/tls_tickets.h"
#include "tests/gateway/net/key_files.h"
#include "tests/gateway/observe/scratch.h"

namespace gatehouse {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

constexpr long day = 24L * 60 * 60;

// A listener whose files are good, for tests to make one of them bad.
struct Fixture {
  ScratchFolder folder;
  TlsPointer<EVP_PKEY> key = make_key();
  TlsPointer<X509> certificate = make_certificate(key.get(), 90 * day);
  config::Listener listener;
  TicketKeys tickets;
  config::InputFiles inputs{folder / ""};

  Fixture() {
    listener.name = "front";
    listener.tls.identity = {refer("server.pem", 4, 20), refer("server.key", 5, 12)};
    write_text(folder / "server.pem", to_pem(certificate.get()));
    write_key(to_pem(key.get()));
  }

  config::FileReference refer(std::string_view name, int line, int column) const {
    return {folder / name, {"gateway.yaml", line, column}};
  }
  void write_key(std::string_view text) const {
    write_text(folder / "server.key", text);
    fs::permissions(folder / "server.key", fs::perms::owner_read | fs::perms::owner_write);
  }

  std::shared_ptr<const ListenerTls> load(config::Diagnostics& diagnostics) {
    return ListenerTls::load(listener, tickets, inputs, diagnostics);
  }
  // As an operator sees it, without the folder that this test happens to have.
  Lines said(const config::Diagnostics& diagnostics) const {
    const std::string prefix = folder / "";
    Lines lines;
    for (const auto& diagnostic : diagnostics.all()) {
      std::string line = to_string(diagnostic);
      for (auto at = line.find(prefix); at != std::string::npos; at = line.find(prefix)) {
        line.erase(at, prefix.size());
      }
      lines.push_back(std::move(line));
    }
    return lines;
  }
  // What there is to say of a listener that cannot be used.
  Lines refusal() {
    config::Diagnostics diagnostics;
    CHECK(load(diagnostics) == nullptr);
    CHECK(diagnostics.has_errors());
    return said(diagnostics);
  }
  // What there is to say of one that can.
  Lines warnings() {
    config::Diagnostics diagnostics;
    CHECK(load(diagnostics) != nullptr);
    CHECK_FALSE(diagnostics.has_errors());
    return said(diagnostics);
  }
};

TEST_CASE_METHOD(Fixture, "good files are taken without a word", "[tls]") {
  config::Diagnostics diagnostics;
  const auto tls = load(diagnostics);
  REQUIRE(tls);
  CHECK(said(diagnostics).empty());
  CHECK(tls->accept() != nullptr);
  const auto left = tls->expires() - std::chrono::system_clock::now();
  CHECK(left > std::chrono::days(89));
  CHECK(left <= std::chrono::days(90));
}

TEST_CASE_METHOD(Fixture, "a missing file is named where it is referred to", "[tls]") {
  SECTION("a certificate") {
    fs::remove(folder / "server.pem");
    CHECK(refusal() ==
          Lines{"gateway.yaml:4:20: error: server.pem cannot be read: No such file or directory"});
  }
  SECTION("a key") {
    fs::remove(folder / "server.key");
    CHECK(refusal() ==
          Lines{"gateway.yaml:5:12: error: server.key cannot be read: No such file or directory"});
  }
  SECTION("both, in one run") {
    fs::remove(folder / "server.pem");
    fs::remove(folder / "server.key");
    CHECK(refusal() ==
          Lines{"gateway.yaml:4:20: error: server.pem cannot be read: No such file or directory",
                "gateway.yaml:5:12: error: server.key cannot be read: No such file or directory"});
  }
  // A file that comes later is a change: it is watched although it is not there.
  REQUIRE(inputs.inputs().size() == 2);
  CHECK(inputs.inputs()[0].path == folder / "server.pem");
  CHECK(inputs.inputs()[1].path == folder / "server.key");
}

TEST_CASE_METHOD(Fixture, "a file that is not PEM is refused", "[tls]") {
  const auto garbage = GENERATE(as<std::string>{}, "", "neither\n",
                                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                                "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n");
  CAPTURE(garbage);
  SECTION("as a certificate") {
    write_text(folder / "server.pem", garbage);
    CHECK(refusal() ==
          Lines{"gateway.yaml:4:20: error: server.pem holds no certificate in PEM form"});
  }
  SECTION("as a key") {
    write_key(garbage);
    CHECK(refusal() ==
          Lines{"gateway.yaml:5:12: error: server.key holds no private key in PEM form\n"
                "  hint: a key behind a pass phrase cannot be used"});
  }
  SECTION("as both, in one run") {
    write_text(folder / "server.pem", garbage);
    write_key(garbage);
    CHECK(refusal().size() == 2);
  }
}

// A file that would be taken as far as it can be read means less than its author wrote.
TEST_CASE_METHOD(Fixture, "a file that is damaged behind its first part is refused", "[tls]") {
  const std::string good = to_pem(certificate.get());
  const std::string cut_short = good + good.substr(0, good.size() / 2);
  listener.tls.client_ca = refer("clients.pem", 6, 16);
  write_text(folder / "clients.pem", good);

  SECTION("a chain") {
    write_text(folder / "server.pem", cut_short);
    CHECK(refusal() == Lines{"gateway.yaml:4:20: error: server.pem holds a damaged certificate "
                             "behind the first"});
  }
  SECTION("a CA file") {
    write_text(folder / "clients.pem", cut_short);
    CHECK(refusal() == Lines{"gateway.yaml:6:16: error: clients.pem holds a damaged certificate"});
  }
  SECTION("a list of revocations") {
    const std::string list = make_revocations(certificate.get(), key.get());
    listener.tls.client_crl = refer("clients.crl", 7, 17);
    write_text(folder / "clients.crl", list + list.substr(0, list.size() / 2));
    CHECK(refusal() == Lines{"gateway.yaml:7:17: error: clients.crl holds a damaged certificate "
                             "revocation list"});
  }
}

TEST_CASE_METHOD(Fixture, "the key of another certificate is refused", "[tls]") {
  write_key(to_pem(make_key().get()));
  CHECK(refusal() == Lines{"gateway.yaml:5:12: error: server.key is not the key of the certificate "
                           "that stands beside it"});
}

TEST_CASE_METHOD(Fixture, "what a backend is verified with, and shown, has to be there", "[tls]") {
  config::Server server;
  server.tls.ca = refer("ca.pem", 9, 30);
  write_text(folder / "ca.pem", to_pem(certificate.get()));
  server.tls.identity = {refer("server.pem", 10, 20), refer("server.key", 11, 12)};
  config::Diagnostics diagnostics;
  const auto is_loaded = [&] { return BackendTls::load(server, inputs, diagnostics) != nullptr; };

  SECTION("good files") {
    CHECK(is_loaded());
    CHECK(said(diagnostics).empty());
  }
  SECTION("no CA file") {
    fs::remove(folder / "ca.pem");
    CHECK_FALSE(is_loaded());
    CHECK(said(diagnostics) ==
          Lines{"gateway.yaml:9:30: error: ca.pem cannot be read: No such file or directory"});
  }
  SECTION("a CA file without certificates") {
    write_text(folder / "ca.pem", "# none yet\n");
    CHECK_FALSE(is_loaded());
    CHECK(said(diagnostics) ==
          Lines{"gateway.yaml:9:30: error: ca.pem holds no certificate in PEM form"});
  }
  SECTION("a key of another certificate") {
    write_key(to_pem(make_key().get()));
    CHECK_FALSE(is_loaded());
    CHECK(said(diagnostics) ==
          Lines{"gateway.yaml:11:12: error: server.key is not the key of the certificate that "
                "stands beside it"});
  }
  SECTION("a key that everybody can read") {
    fs::permissions(folder / "server.key", fs::perms::others_read, fs::perm_options::add);
    CHECK(is_loaded());
    CHECK(said(diagnostics) ==
          Lines{"gateway.yaml:11:12: warning: private key server.key can be read by every user\n"
                "  hint: chmod 600 server.key"});
  }
}

TEST_CASE_METHOD(Fixture, "a key behind a pass phrase is refused", "[tls]") {
  write_key(to_pem_behind_pass_phrase(key.get()));
  CHECK(refusal() == Lines{"gateway.yaml:5:12: error: server.key holds no private key in PEM form\n"
                           "  hint: a key behind a pass phrase cannot be used"});
}

TEST_CASE_METHOD(Fixture, "a key that everybody can read is a warning", "[tls]") {
  fs::permissions(folder / "server.key", fs::perms::others_read, fs::perm_options::add);
  CHECK(warnings() ==
        Lines{"gateway.yaml:5:12: warning: private key server.key can be read by every user\n"
              "  hint: chmod 600 server.key"});
}

TEST_CASE_METHOD(Fixture, "a certificate that has expired, or soon will, is a warning", "[tls]") {
  const auto write = [this](long ends) {
    write_text(folder / "server.pem", to_pem(make_certificate(key.get(), ends).get()));
  };
  SECTION("expired") {
    write(-1);
    const Lines lines = warnings();
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], Catch::StartsWith(
                             "gateway.yaml:4:20: warning: certificate server.pem expired at 20") &&
                             Catch::EndsWith("\n  hint: clients that verify it refuse to connect"));
  }
  SECTION("within two weeks") {
    write(13 * day);
    const Lines lines = warnings();
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], Catch::StartsWith(
                             "gateway.yaml:4:20: warning: certificate server.pem expires at 20"));
  }
  SECTION("later") {
    write(15 * day);
    CHECK(warnings().empty());
  }
}

TEST_CASE_METHOD(Fixture, "what clients are verified with has to be there", "[tls]") {
  listener.tls.client_ca = refer("clients.pem", 6, 16);
  write_text(folder / "clients.pem", to_pem(certificate.get()));

  SECTION("good files") {
    listener.tls.client_crl = refer("clients.crl", 7, 17);
    write_text(folder / "clients.crl", make_revocations(certificate.get(), key.get()));
    CHECK(warnings().empty());
    CHECK(inputs.inputs().size() == 4);
  }
  SECTION("a CA file without certificates") {
    write_text(folder / "clients.pem", "# none yet\n");
    CHECK(refusal() ==
          Lines{"gateway.yaml:6:16: error: clients.pem holds no certificate in PEM form"});
  }
  SECTION("a CA file that holds a key") {
    write_text(folder / "clients.pem", to_pem(key.get()));
    CHECK(refusal() ==
          Lines{"gateway.yaml:6:16: error: clients.pem holds no certificate in PEM form"});
  }
  SECTION("a missing CA file") {
    fs::remove(folder / "clients.pem");
    CHECK(refusal() ==
          Lines{"gateway.yaml:6:16: error: clients.pem cannot be read: No such file or directory"});
  }
  SECTION("a list of revocations that is none") {
    listener.tls.client_crl = refer("clients.crl", 7, 17);
    write_text(folder / "clients.crl", to_pem(certificate.get()));
    CHECK(refusal() ==
          Lines{"gateway.yaml:7:17: error: clients.crl holds no certificate revocation list in PEM "
                "form"});
  }
  SECTION("every problem in one run") {
    listener.tls.client_crl = refer("clients.crl", 7, 17);
    fs::remove(folder / "server.key");
    write_text(folder / "clients.pem", "");
    write_text(folder / "clients.crl", "");
    CHECK(refusal().size() == 3);
  }
}

}  // namespace
}  // namespace gatehouse
