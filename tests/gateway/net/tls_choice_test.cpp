// Handshakes in memory with a listener that has several certificates.
#include <array>
#include <optional>
#include <string>
#include <vector>

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

namespace fs = std::filesystem;

constexpr long day = 24L * 60 * 60;

// What a client asks of a listener.
struct Hello {
  const char* name = nullptr;        // SNI; null: none
  const char* algorithms = nullptr;  // signature algorithms; null: the usual
  const char* ciphers = nullptr;     // of TLS 1.2, to go with them
  int version = TLS1_3_VERSION;
  SSL_SESSION* session = nullptr;  // to be resumed
  EVP_PKEY* key = nullptr;         // with `certificate`: the client's own
  X509* certificate = nullptr;
};

// What it was shown.
struct Shown {
  TlsPointer<X509> certificate;
  TlsPointer<SSL_SESSION> session;  // null: no ticket was given
  bool resumed = false;
};

// The ticket of the last client that was given one, taken over from TLS.
int note_session(SSL* client, SSL_SESSION* session) {
  auto* noted = static_cast<TlsPointer<SSL_SESSION>*>(SSL_get_ex_data(client, 0));
  noted->reset(session);
  return 1;
}

TlsPointer<SSL_SESSION> copy_of(SSL_SESSION* session) {
  std::vector<unsigned char> der(static_cast<std::size_t>(i2d_SSL_SESSION(session, nullptr)));
  unsigned char* to = der.data();
  i2d_SSL_SESSION(session, &to);
  const unsigned char* from = der.data();
  return TlsPointer<SSL_SESSION>(d2i_SSL_SESSION(nullptr, &from, static_cast<long>(der.size())));
}

// Of ticket keys: it stands still until a test moves it.
TicketKeys::Clock::time_point now_of_keys{};
TicketKeys::Clock::time_point read_clock_of_keys() {
  return now_of_keys;
}

struct Fixture {
  ScratchFolder folder;
  config::Listener listener;
  TicketKeys tickets{&read_clock_of_keys};
  config::Diagnostics diagnostics;

  Fixture() { listener.name = "front"; }

  // Another one for the listener, in the order of the calls.
  TlsPointer<X509> add(const char* names, TlsPointer<EVP_PKEY> key = make_key(),
                       long ends = 90 * day) {
    auto certificate = make_certificate(key.get(), ends, names);
    const std::string name = std::to_string(count_++);
    write_text(folder / (name + ".pem"), to_pem(certificate.get()));
    write_text(folder / (name + ".key"), to_pem(key.get()));
    fs::permissions(folder / (name + ".key"), fs::perms::owner_read | fs::perms::owner_write);
    const config::KeyPair pair{{folder / (name + ".pem"), {"gateway.yaml", count_, 1}},
                               {folder / (name + ".key"), {"gateway.yaml", count_, 2}}};
    if (count_ == 1) {
      listener.tls.identity = pair;
    } else {
      listener.tls.more.push_back(pair);
    }
    return certificate;
  }

  std::shared_ptr<const ListenerTls> load() {
    config::InputFiles inputs{folder / ""};
    auto tls = ListenerTls::load(listener, tickets, inputs, diagnostics);
    REQUIRE(tls);
    return tls;
  }

  // Unset: there was no handshake.
  static std::optional<Shown> connect(const ListenerTls& tls, Hello hello) {
    const TlsPointer<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
    const auto version = static_cast<std::uint16_t>(hello.version);
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    if (hello.algorithms != nullptr) SSL_CTX_set1_sigalgs_list(context.get(), hello.algorithms);
    if (hello.ciphers != nullptr) SSL_CTX_set_cipher_list(context.get(), hello.ciphers);
    if (hello.key != nullptr) {
      SSL_CTX_use_certificate(context.get(), hello.certificate);
      SSL_CTX_use_PrivateKey(context.get(), hello.key);
    }
    TlsPointer<SSL_SESSION> session;
    SSL_CTX_set_session_cache_mode(context.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context.get(), &note_session);
    const SslPointer client(SSL_new(context.get()));
    SSL_set_ex_data(client.get(), 0, &session);
    const SslPointer server = tls.accept();
    if (hello.name != nullptr) REQUIRE(tls_library::ask_for(client.get(), hello.name));
    if (hello.session != nullptr) {
      // A copy: OpenSSL takes a session of TLS 1.3 for used up when it was resumed once.
      const TlsPointer<SSL_SESSION> copy = copy_of(hello.session);
      SSL_set_session(client.get(), copy.get());
    }
    SSL_set_connect_state(client.get());
    const HandshakeInMemory done = shake_hands(client.get(), server.get());
    if (!done.client_is_done || !done.server_is_done) return std::nullopt;
    std::array<char, 1> nothing{};
    // Tickets may come with the first bytes only.
    SSL_write(server.get(), "", 1);
    SSL_read(client.get(), nothing.data(), 1);  // takes the ticket
    SSL_shutdown(client.get());                 // a session that was broken off is not resumed
    // OpenSSL does not tell of a ticket that comes when TLS 1.2 is resumed.
    if (!session) session.reset(SSL_get1_session(client.get()));
    return Shown{.certificate = TlsPointer<X509>(SSL_get1_peer_certificate(client.get())),
                 .session = std::move(session),
                 .resumed = SSL_session_reused(client.get()) == 1};
  }

  bool shows(const ListenerTls& tls, const TlsPointer<X509>& certificate, Hello hello) {
    const auto shown = connect(tls, hello);
    return shown && X509_cmp(shown->certificate.get(), certificate.get()) == 0;
  }

 private:
  int count_ = 0;
};

TEST_CASE_METHOD(Fixture, "a client is shown the certificate of the name it asks for", "[tls]") {
  const auto first = add("DNS:first.test");
  const auto wild = add("DNS:*.wild.test");
  const auto exact = add("DNS:exact.wild.test,DNS:more.test");
  const auto wild_too = add("DNS:*.wild.test,DNS:late.test,DNS:first.test");
  const auto tls = load();
  CHECK(diagnostics.all().empty());
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto shown_is = [&](const char* name, const TlsPointer<X509>& certificate) {
    return shows(*tls, certificate, {.name = name, .version = version});
  };
  CHECK(shown_is("first.test", first));
  CHECK(shown_is("more.test", exact));
  CHECK(shown_is("MORE.test", exact));
  CHECK(shown_is("late.test", wild_too));
  CHECK(shown_is("any.wild.test", wild));
  CHECK(shown_is("exact.wild.test", exact));
  CHECK(shown_is(nullptr, first));
  CHECK(shown_is("nobody.test", first));
  CHECK(shown_is(".wild.test", first));
  CHECK(shown_is("two.labels.wild.test", first));
}

TEST_CASE_METHOD(Fixture, "of certificates for the same names a client is shown one it can use",
                 "[tls]") {
  const auto first = add("DNS:a.test,DNS:b.test");
  const auto first_rsa = add("DNS:b.test,DNS:a.test", make_rsa_key());
  const auto other_rsa = add("DNS:c.test", make_rsa_key());
  const auto other = add("DNS:c.test");
  const auto tls = load();
  CHECK(diagnostics.all().empty());
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto shown_is = [&](const char* name, const char* algorithms,
                            const TlsPointer<X509>& certificate) {
    const bool is_rsa = std::string_view(algorithms).starts_with("RSA");
    return shows(*tls, certificate,
                 {.name = name,
                  .algorithms = algorithms,
                  .ciphers = is_rsa ? "ECDHE+aRSA" : "ECDHE+aECDSA",
                  .version = version});
  };
  for (const char* name : {"a.test", "b.test", static_cast<const char*>(nullptr)}) {
    CHECK(shown_is(name, "ECDSA+SHA256", first));
    CHECK(shown_is(name, "RSA-PSS+SHA256", first_rsa));
  }
  CHECK(shown_is("c.test", "ECDSA+SHA256", other));
  CHECK(shown_is("c.test", "RSA-PSS+SHA256", other_rsa));
}

TEST_CASE_METHOD(Fixture, "no certificate stands in for another name's, however able", "[tls]") {
  add("DNS:a.test", make_rsa_key());
  add("DNS:b.test");
  const auto tls = load();
  CHECK_FALSE(connect(*tls, {.name = "b.test", .algorithms = "RSA-PSS+SHA256"}));
  CHECK_FALSE(connect(*tls, {.name = "a.test", .algorithms = "ECDSA+SHA256"}));
}

TEST_CASE_METHOD(Fixture, "a certificate that no client will be shown is a warning", "[tls]") {
  const auto first = add("DNS:a.test");
  SECTION("another before it has the same names and type of key") {
    add("DNS:a.test");
    const auto tls = load();
    CHECK(shows(*tls, first, {.name = "a.test"}));
  }
  SECTION("it has no name to be asked for by") {
    add("IP:127.0.0.1");
    const auto tls = load();
    CHECK(shows(*tls, first, {.name = "127.0.0.1"}));
  }
  REQUIRE(diagnostics.all().size() == 1);
  const config::Diagnostic& warning = diagnostics.all()[0];
  CHECK(warning.severity == config::Severity::warning);
  CHECK(warning.at.line == 2);
  CHECK(warning.message == "certificate " + (folder / "1.pem").string() + " is never shown");
}

TEST_CASE_METHOD(Fixture, "a ticket is worth nothing under another name, or at another listener",
                 "[tls]") {
  add("DNS:a.test,DNS:too.test");
  add("DNS:b.test");
  const auto tls = load();
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto first = connect(*tls, {.name = "a.test", .version = version});
  REQUIRE(first);
  const auto resumes = [&](const ListenerTls& at, const char* name) {
    const auto again =
        connect(at, {.name = name, .version = version, .session = first->session.get()});
    REQUIRE(again);  // what is worth nothing stops nobody
    return again->resumed;
  };
  CHECK(resumes(*tls, "a.test"));
  CHECK_FALSE(resumes(*tls, "b.test"));
  CHECK_FALSE(resumes(*tls, "too.test"));
  CHECK_FALSE(resumes(*tls, nullptr));
  CHECK(resumes(*load(), "a.test"));  // a reload
  listener.name = "other";
  CHECK_FALSE(resumes(*load(), "a.test"));
}

TEST_CASE_METHOD(Fixture,
                 "a ticket of the key before is good for another, one of an older key is not",
                 "[tls]") {
  add("DNS:a.test");
  const auto tls = load();
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto come_again = [&](const std::optional<Shown>& before) {
    return connect(*tls, {.version = version, .session = before->session.get()});
  };
  const auto first = connect(*tls, {.version = version});
  REQUIRE(first);
  now_of_keys += TicketKeys::rotate_every;
  const auto second = come_again(first);
  REQUIRE(second);
  CHECK(second->resumed);
  now_of_keys += TicketKeys::rotate_every;
  const auto third = come_again(second);
  REQUIRE(third);
  CHECK(third->resumed);
  const auto late = come_again(first);
  REQUIRE(late);  // in full
  CHECK_FALSE(late->resumed);
}

TEST_CASE_METHOD(Fixture, "what a listener demands of clients holds under every name", "[tls]") {
  const auto key = make_key();
  const auto trusted = make_certificate(key.get(), day);
  add("DNS:a.test");
  const auto second = add("DNS:b.test");
  const char* name = GENERATE("a.test", "b.test");
  CAPTURE(name);

  SECTION("the minimum version") {
    listener.tls.minimum_version = config::TlsVersion::v1_3;
    const auto tls = load();
    CHECK(connect(*tls, {.name = name}));
    CHECK_FALSE(connect(*tls, {.name = name, .version = TLS1_2_VERSION}));
  }
  SECTION("a client certificate, and no ticket to do without one") {
    write_text(folder / "clients.pem", to_pem(trusted.get()));
    listener.tls.client_ca = config::FileReference{folder / "clients.pem", {}};
    const auto tls = load();
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    const auto stranger = make_key();
    const auto strange = make_certificate(stranger.get(), day, "DNS:stranger.test");
    CHECK_FALSE(connect(*tls, {.name = name, .version = version}));
    CHECK_FALSE(connect(
        *tls,
        {.name = name, .version = version, .key = stranger.get(), .certificate = strange.get()}));
    const auto shown = connect(
        *tls, {.name = name, .version = version, .key = key.get(), .certificate = trusted.get()});
    REQUIRE(shown);
    CHECK((!shown->session || SSL_SESSION_has_ticket(shown->session.get()) == 0));
  }
  SECTION("and that it is not revoked") {
    write_text(folder / "clients.pem", to_pem(trusted.get()));
    write_text(folder / "clients.crl",
               make_revocations(trusted.get(), key.get(), X509_get0_serialNumber(trusted.get())));
    listener.tls.client_ca = config::FileReference{folder / "clients.pem", {}};
    listener.tls.client_crl = config::FileReference{folder / "clients.crl", {}};
    const auto tls = load();
    CHECK_FALSE(connect(*tls, {.name = name, .key = key.get(), .certificate = trusted.get()}));
  }
}

TEST_CASE_METHOD(Fixture, "the certificate that ends first is the one that counts", "[tls]") {
  add("DNS:a.test", make_key(), 60 * day);
  add("DNS:b.test", make_key(), 30 * day);
  add("DNS:a.test", make_rsa_key(), 90 * day);
  const auto left = load()->expires() - std::chrono::system_clock::now();
  CHECK(left > std::chrono::days(29));
  CHECK(left <= std::chrono::days(30));
  CHECK(diagnostics.all().empty());

  add("DNS:c.test", make_key(), 5 * day);
  load();
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].at.line == 4);
  CHECK(diagnostics.all()[0].message.find("3.pem expires at 20") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a mistake in any of several certificates is told where it is", "[tls]") {
  add("DNS:a.test");
  add("DNS:b.test");
  add("DNS:c.test");
  fs::remove(folder / "0.key");
  write_text(folder / "2.pem", "none\n");
  config::InputFiles inputs{folder / ""};
  CHECK(ListenerTls::load(listener, tickets, inputs, diagnostics) == nullptr);
  REQUIRE(diagnostics.all().size() == 2);
  CHECK(diagnostics.all()[0].at.line == 1);
  CHECK(diagnostics.all()[1].at.line == 3);
  CHECK(inputs.inputs().size() == 6);  // each is watched
}

// The first thing a client sends, up to its first byte of the server_name extension, and the rest.
std::string hello_asking_for(const char* name) {
  const TlsPointer<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  const SslPointer client(SSL_new(context.get()));
  REQUIRE(tls_library::ask_for(client.get(), name));
  SSL_set_connect_state(client.get());
  BIO* sent = BIO_new(BIO_s_mem());
  SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), sent);
  SSL_do_handshake(client.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(sent, &data);
  return {data, static_cast<std::size_t>(size)};
}

// Whether the listener goes on after these bytes. They are a stranger's.
bool is_answered(const ListenerTls& tls, const std::string& bytes) {
  const SslPointer server = tls.accept();
  BIO* answer = BIO_new(BIO_s_mem());
  SSL_set_bio(server.get(), BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())), answer);
  SSL_do_handshake(server.get());
  ERR_clear_error();
  constexpr int longer_than_an_alert = 100;
  return BIO_pending(answer) > longer_than_an_alert;
}

TEST_CASE_METHOD(Fixture, "a ClientHello's name is read safely, whatever its bytes", "[tls]") {
  add("DNS:a.test");
  add("DNS:b.test");
  const auto tls = load();
  const std::string good = hello_asking_for("b.test");
  REQUIRE(is_answered(*tls, good));
  const std::size_t name = good.find("b.test");
  REQUIRE(name != std::string::npos);

  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(is_answered(*tls, good.substr(0, size)));
  }
  // The list's length, the type and the name's length: OpenSSL takes no other.
  for (std::size_t at = name - 5; at < name; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string bent = good;
      bent[at] = static_cast<char>(byte);
      CHECK(is_answered(*tls, bent) == (bent == good));
    }
  }
  // And the name may be any text but one with a NUL.
  for (int byte = 0; byte < 256; ++byte) {
    std::string bent = good;
    bent[name] = static_cast<char>(byte);
    CHECK(is_answered(*tls, bent) == (byte != 0));
  }
}

}  // namespace
}  // namespace gatehouse
