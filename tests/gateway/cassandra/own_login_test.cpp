#include "gateway/cassandra/own_login.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "tests/gateway/observe/scratch.h"

namespace gatehouse::cassandra {
namespace {

struct Fixture {
  ScratchFolder folder;
  SecretBytes password{password_size_max + 2};

  std::string read(const std::string& content) {
    write_text(folder / "password", content);
    return read_password(folder / "password", password);
  }
  [[nodiscard]] std::string text() { return std::string(as_text(password.bytes())); }
};

TEST_CASE_METHOD(Fixture, "a password is the first line of its file", "[login]") {
  for (const char* content : {"se cret", "se cret\n", "se cret\r\n", "se cret\nmore\n"}) {
    password.wipe();
    CHECK(read(content).empty());
    CHECK(text() == "se cret");
  }
}

TEST_CASE_METHOD(Fixture, "a password may be as long as it may be, and no longer", "[login]") {
  CHECK(read(std::string(password_size_max, 'x') + "\n").empty());
  CHECK(text().size() == password_size_max);
  password.wipe();
  CHECK(read(std::string(password_size_max + 1, 'x')) == "it is longer than a password");
}

TEST_CASE_METHOD(Fixture, "what is no password is told apart", "[login]") {
  CHECK(read("\n") == "it is empty");
  CHECK(read(std::string("a\0b", 3)) == "it holds a NUL");
  CHECK(read_password(folder / "nothing", password) == "No such file or directory");
  CHECK(read_password(folder / "", password) == "it is no file");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(read_password(folder / "pipe", password) == "it is no file");
}

TEST_CASE("bytes that are wiped are gone, also those beyond what is left of them", "[login]") {
  SecretBytes secret(16);
  secret.bytes() = {1, 2, 3, 4, 5, 6, 7, 8};
  secret.bytes().resize(2);
  const std::uint8_t* const memory = secret.bytes().data();
  secret.wipe();
  CHECK(secret.bytes().empty());
  CHECK(secret.room() == 16);
  for (std::size_t at = 0; at < 16; ++at) CHECK(memory[at] == 0);
}

}  // namespace
}  // namespace gatehouse::cassandra
