// How strong keys and signatures must be, and which kinds of keys there may be, on either side: the
// same with every TLS library.
#include <memory>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>
#include <openssl/err.h>

#include "gateway/net/tls_context.h"
#include "gateway/net/tls_library.h"
#include "gateway/net/tls_tickets.h"
#include "tests/gateway/net/handshake_in_memory.h"
#include "tests/gateway/net/key_files.h"
#include "tests/gateway/observe/scratch.h"

namespace gatehouse {
namespace {

constexpr long days = 90L * 24 * 60 * 60;

TlsPointer<EVP_PKEY> make_ed25519_key() {
  return make_key_of(EVP_PKEY_ED25519, [](EVP_PKEY_CTX*) {});
}

struct Party {
  TlsPointer<EVP_PKEY> key;
  TlsPointer<X509> certificate;
  TlsPointer<X509> issuer = nullptr;  // which it shows too, where it has one
};

Party self_signed(TlsPointer<EVP_PKEY> key) {
  auto certificate = make_certificate(key.get(), days, "DNS:localhost");
  return {.key = std::move(key), .certificate = std::move(certificate)};
}

void sign(const Party& party, const Party& authority, const EVP_MD* digest = EVP_sha256()) {
  X509_set_issuer_name(party.certificate.get(), X509_get_subject_name(authority.certificate.get()));
  REQUIRE(X509_sign(party.certificate.get(), authority.key.get(), digest) > 0);
}

Party make_authority(TlsPointer<EVP_PKEY> key = make_key(),
                     const char* constraints = "critical,CA:TRUE",
                     const std::string& name = "authority") {
  Party made = self_signed(std::move(key));
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, constraints);
  REQUIRE(extension);
  X509_add_ext(made.certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate.get()), "O", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  sign(made, made);
  return made;
}

Party issued_by(const Party& authority, const EVP_MD* digest) {
  Party made = self_signed(make_key());
  sign(made, authority, digest);
  return made;
}

// Signed in another way that RSA has. REQUIRES: the authority's key is of that kind.
Party issued_with_pss(const Party& authority, const EVP_MD* digest) {
  Party made = self_signed(make_key());
  X509_set_issuer_name(made.certificate.get(), X509_get_subject_name(authority.certificate.get()));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> signing(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  EVP_PKEY_CTX* padding = nullptr;
  EVP_DigestSignInit(signing.get(), &padding, digest, nullptr, authority.key.get());
  EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING);
  EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST);
  REQUIRE(X509_sign_ctx(made.certificate.get(), signing.get()) > 0);
  return made;
}

// Somebody who takes whatever is shown, and who shows this.
TlsPointer<SSL_CTX> make_peer(const SSL_METHOD* method, const Party* shown) {
  TlsPointer<SSL_CTX> context(SSL_CTX_new(method));
  // As Python's and Java's: of every kind. OpenSSL's own level would refuse to show what is weak.
  SSL_CTX_set_cipher_list(context.get(), "DEFAULT:@SECLEVEL=0");
  SSL_CTX_set1_groups_list(context.get(), "X25519:P-256:P-384:P-521");
  SSL_CTX_set1_sigalgs_list(context.get(),
                            "ed25519:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:"
                            "RSA+SHA256");
  if (shown != nullptr) {
    REQUIRE(SSL_CTX_use_certificate(context.get(), shown->certificate.get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context.get(), shown->key.get()) == 1);
    if (shown->issuer) REQUIRE(SSL_CTX_add1_chain_cert(context.get(), shown->issuer.get()) == 1);
  }
  return context;
}

struct Fixture {
  ScratchFolder folder;
  TicketKeys tickets;
  config::Diagnostics diagnostics;
  config::Listener listener;

  Fixture() { listener.name = "front"; }
  ~Fixture() { ERR_clear_error(); }

  config::FileReference write(const char* name, const std::string& text, int line) const {
    write_text(folder / name, text);
    std::filesystem::permissions(
        folder / name, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return {folder / name, {"gateway.yaml", line, 7}};
  }

  std::shared_ptr<const ListenerTls> load(const Party& own) {
    listener.tls.identity = {write("own.pem", to_pem(own.certificate.get()), 1),
                             write("own.key", to_pem(own.key.get()), 2)};
    config::InputFiles inputs{folder / ""};
    return ListenerTls::load(listener, tickets, inputs, diagnostics);
  }

  // Whether the listener lets a client in that shows this, or nothing.
  static bool lets_in(const ListenerTls& tls, int version, const Party* shown = nullptr) {
    const auto context = make_peer(TLS_client_method(), shown);
    SSL_CTX_set_min_proto_version(context.get(), static_cast<std::uint16_t>(version));
    SSL_CTX_set_max_proto_version(context.get(), static_cast<std::uint16_t>(version));
    const SslPointer client(SSL_new(context.get()));
    SSL_set_connect_state(client.get());
    const SslPointer server = tls.accept();
    const HandshakeInMemory done = shake_hands(client.get(), server.get());
    return done.client_is_done && done.server_is_done;
  }

  // Whether a backend that shows this is believed to be localhost, where this one is trusted.
  bool believes(const Party& shown, const Party& trusted, int version) const {
    config::Server server;
    server.tls.ca = write("ca.pem", to_pem(trusted.certificate.get()), 3);
    server.tls.name = "localhost";
    config::InputFiles inputs{folder / ""};
    config::Diagnostics ignored;
    const auto tls = BackendTls::load(server, inputs, ignored);
    REQUIRE(tls);
    const auto context = make_peer(TLS_server_method(), &shown);
    SSL_CTX_set_max_proto_version(context.get(), static_cast<std::uint16_t>(version));
    const SslPointer client =
        tls->connect(server, config::TcpBackend{.host = "10.2.0.4", .port = 3306});
    const SslPointer far(SSL_new(context.get()));
    SSL_set_accept_state(far.get());
    return shake_hands(client.get(), far.get()).client_is_done;
  }

  void trust_clients_of(const Party& authority) {
    listener.tls.client_ca = write("clients.pem", to_pem(authority.certificate.get()), 4);
  }
};

TEST_CASE_METHOD(Fixture, "every usual kind of key is good on every side", "[tls]") {
  const auto [name, make] = GENERATE(table<const char*, TlsPointer<EVP_PKEY> (*)()>({
      {"P-256", [] { return make_key(); }},
      {"P-384", [] { return make_key(NID_secp384r1); }},
      {"P-521", [] { return make_key(NID_secp521r1); }},
      {"RSA", [] { return make_rsa_key(); }},
      {"Ed25519", [] { return make_ed25519_key(); }},
  }));
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  CAPTURE(name, version);
  const Party party = self_signed(make());
  trust_clients_of(party);
  const auto tls = load(party);
  REQUIRE(tls);
  CHECK(diagnostics.all().empty());
  // In TLS 1.2 a client's key must be on a curve that the listener has among its groups.
  const std::string_view curve = name;
  const bool is_of_other_curve = curve == "P-384" || curve == "P-521";
  if (version == TLS1_3_VERSION || !is_of_other_curve) CHECK(lets_in(*tls, version, &party));
  CHECK_FALSE(lets_in(*tls, version));
  CHECK(believes(party, party, version));
}

TEST_CASE_METHOD(Fixture, "a key that is too small is good on no side", "[tls]") {
  const Party weak = self_signed(make_rsa_key(1024));
  SECTION("the listener's") {
    CHECK(load(weak) == nullptr);
    REQUIRE(diagnostics.all().size() == 1);
    CHECK(diagnostics.all()[0].at.line == 1);
    CHECK(diagnostics.all()[0].message ==
          (folder / "own.pem").string() + " holds a certificate that cannot be used");
    CHECK(diagnostics.all()[0].hint == tls_library::what_keys_may_be());
  }
  SECTION("a client's") {
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    trust_clients_of(weak);
    const auto tls = load(self_signed(make_key()));
    REQUIRE(tls);
    CHECK_FALSE(lets_in(*tls, version, &weak));
  }
  SECTION("a backend's") {
    CHECK_FALSE(believes(weak, weak, GENERATE(TLS1_2_VERSION, TLS1_3_VERSION)));
  }
  SECTION("an authority's") {
    const Party authority = make_authority(make_rsa_key(1024));
    CHECK_FALSE(believes(issued_by(authority, EVP_sha256()), authority, TLS1_3_VERSION));
  }
}

TEST_CASE_METHOD(Fixture, "a certificate that is signed with SHA-1 is good on no side", "[tls]") {
  const Party authority = make_authority();
  const Party strong = issued_by(authority, EVP_sha256());
  const Party weak = issued_by(authority, EVP_sha1());
  SECTION("the listener's") {
    CHECK(load(strong));
    CHECK(load(weak) == nullptr);
  }
  SECTION("a client's") {
    trust_clients_of(authority);
    const auto tls = load(self_signed(make_key()));
    REQUIRE(tls);
    CHECK(lets_in(*tls, TLS1_3_VERSION, &strong));
    CHECK_FALSE(lets_in(*tls, TLS1_3_VERSION, &weak));
  }
  SECTION("a backend's") {
    CHECK(believes(strong, authority, TLS1_3_VERSION));
    CHECK_FALSE(believes(weak, authority, TLS1_3_VERSION));
  }
}

TEST_CASE_METHOD(Fixture, "so it is where RSA signs with PSS", "[tls]") {
  const Party authority = make_authority(make_rsa_key());
  const Party strong = issued_with_pss(authority, EVP_sha256());
  const Party weak = issued_with_pss(authority, EVP_sha1());
  CHECK(load(strong));
  CHECK(load(weak) == nullptr);
  CHECK(believes(strong, authority, TLS1_3_VERSION));
  CHECK_FALSE(believes(weak, authority, TLS1_3_VERSION));
}

TEST_CASE_METHOD(Fixture, "no more authorities may stand below a root than it says", "[tls]") {
  const auto [constraints, is_believed] = GENERATE(table<const char*, bool>({
      {"critical,CA:TRUE", true},
      {"critical,CA:TRUE,pathlen:1", true},
      {"critical,CA:TRUE,pathlen:0", false},
  }));
  CAPTURE(constraints);
  const Party root = make_authority(make_key(), constraints, "root");
  Party between = make_authority();
  sign(between, root);
  Party leaf = issued_by(between, EVP_sha256());
  leaf.issuer = std::move(between.certificate);
  CHECK(believes(leaf, root, TLS1_3_VERSION) == is_believed);
}

TEST_CASE("operators read why a chain is too weak", "[tls]") {
  const auto [why, text] = GENERATE(table<long, std::string>({
      {X509_V_ERR_EE_KEY_TOO_SMALL, "EE certificate key too weak"},
      {X509_V_ERR_CA_KEY_TOO_SMALL, "CA certificate key too weak"},
      {X509_V_ERR_CA_MD_TOO_WEAK, "CA signature digest algorithm too weak"},
      {X509_V_ERR_CERT_HAS_EXPIRED, "certificate has expired"},
  }));
  CHECK(tls_library::text_of(why) == text);
}

}  // namespace
}  // namespace gatehouse
