#include "gateway/lockdowns.h"

#include <csignal>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/gateway/state_fixture.h"

namespace gatehouse {
namespace {

namespace fs = std::filesystem;

const Lockdown orders{.server = "orders", .since = rules::Time{std::chrono::seconds{1}}, .uid = 0};
const Lockdown billing{
    .server = "billing", .since = rules::Time{std::chrono::seconds{2}}, .uid = 4'294'967'295};
constexpr const char* billing_and_orders =
    R"({"version":1,"lockdowns":[)"
    R"({"server":"billing","since":"1970-01-01T00:00:02Z","uid":4294967295},)"
    R"({"server":"orders","since":"1970-01-01T00:00:01Z","uid":0}]})"
    "\n";

struct Fixture : StateFixture<Lockdowns> {
  Fixture() : StateFixture("lockdowns.json") {}

  // What a restart would know.
  [[nodiscard]] std::vector<Lockdown> on_disk() const { return start().all(); }
};

TEST_CASE_METHOD(Fixture, "without a folder or a file nothing is locked down", "[lockdowns]") {
  CHECK(on_disk().empty());
  CHECK(start().are_stored());
  CHECK_FALSE(fs::exists(state));
  fs::create_directory(state);
  CHECK(on_disk().empty());
}

TEST_CASE_METHOD(Fixture, "a lockdown counts at once and survives once it is stored",
                 "[lockdowns]") {
  Lockdowns lockdowns = start();
  CHECK(lockdowns.find("orders") == nullptr);
  lockdowns.add(orders);
  REQUIRE(lockdowns.find("orders") != nullptr);
  CHECK(*lockdowns.find("orders") == orders);
  CHECK_FALSE(lockdowns.are_stored());
  CHECK(on_disk().empty());

  CHECK(lockdowns.store().empty());
  CHECK(lockdowns.are_stored());
  CHECK(on_disk() == std::vector{orders});
  lockdowns.add(billing);
  CHECK(lockdowns.store().empty());
  CHECK(on_disk() == std::vector{billing, orders});
  CHECK(text_of(file) == billing_and_orders);
}

TEST_CASE_METHOD(Fixture, "one that is lifted is gone from the disk too", "[lockdowns]") {
  write(billing_and_orders);
  Lockdowns lockdowns = start();
  CHECK(lockdowns.remove("orders").empty());
  CHECK(lockdowns.find("orders") == nullptr);
  CHECK(on_disk() == std::vector{billing});
  CHECK(lockdowns.remove("billing").empty());
  CHECK(on_disk().empty());
  CHECK(lockdowns.are_stored());
}

TEST_CASE_METHOD(Fixture, "nobody but the owner may look into the folder that is made",
                 "[lockdowns]") {
  Lockdowns lockdowns = start();
  lockdowns.add(orders);
  REQUIRE(lockdowns.store().empty());
  struct stat status{};
  REQUIRE(::stat(state.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0700U);
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
}

TEST_CASE_METHOD(Fixture, "what a crash left of a new file is no hindrance", "[lockdowns]") {
  write(billing_and_orders);
  write_text(state / "lockdowns.json.new", R"({"version":1,"lock)");
  Lockdowns lockdowns = start();
  CHECK(lockdowns.all().size() == 2);
  CHECK(lockdowns.remove("orders").empty());
  CHECK_FALSE(fs::exists(state / "lockdowns.json.new"));
  CHECK(on_disk() == std::vector{billing});
}

TEST_CASE_METHOD(Fixture, "a file that is not exactly one of ours is an error, not nothing",
                 "[lockdowns]") {
  const auto of = [](std::string_view entry) {
    return R"({"version":1,"lockdowns":[)" + std::string(entry) + "]}\n";
  };
  const std::string good = R"({"server":"orders","since":"1970-01-01T00:00:01Z","uid":0})";
  write(of(good));
  REQUIRE(on_disk() == std::vector{orders});
  const std::vector<std::string> bad{
      "",
      "\n",
      "null",
      "[]",
      "{}",
      R"({"version":1})",
      R"({"lockdowns":[]})",
      R"({"version":2,"lockdowns":[]})",
      R"({"version":"1","lockdowns":[]})",
      R"({"version":1.5,"lockdowns":[]})",
      R"({"version":1,"lockdowns":{}})",
      R"({"version":1,"lockdowns":null})",
      R"({"version":1,"lockdowns":[],"more":1})",
      R"({"version":1,"lockdowns":[]} {})",
      R"({"version":1,"lockdowns":[],})",
      of(good).substr(0, 40),
      of("null"),
      of(R"("orders")"),
      of(good + "," + good),
      of(good + ",{}"),
      of(R"({"server":"orders","since":"1970-01-01T00:00:01Z"})"),
      of(R"({"since":"1970-01-01T00:00:01Z","uid":0})"),
      of(R"({"server":"orders","uid":0})"),
      of(R"({"server":"orders","since":"1970-01-01T00:00:01Z","uid":0,"more":1})"),
      of(R"({"server":1,"since":"1970-01-01T00:00:01Z","uid":0})"),
      of(R"({"server":"","since":"1970-01-01T00:00:01Z","uid":0})"),
      of(R"({"server":"or\nders","since":"1970-01-01T00:00:01Z","uid":0})"),
      of(R"({"server":"orders","since":1,"uid":0})"),
      of(R"({"server":"orders","since":"yesterday","uid":0})"),
      of(R"({"server":"orders","since":"1970-01-01T00:00:01Z","uid":"0"})"),
      of(R"({"server":"orders","since":"1970-01-01T00:00:01Z","uid":-1})"),
      of(R"({"server":"orders","since":"1970-01-01T00:00:01Z","uid":4294967296})"),
      std::string(100000, '['),
      of(good) + std::string(1 << 20, '\n'),
  };
  for (const std::string& text : bad) {
    INFO(text.substr(0, 100));
    write(text);
    const Found found = restart();
    CHECK_FALSE(found.stored);
    CHECK_THAT(found.complaint, Catch::StartsWith("state/lockdowns.json:1:1: error: cannot tell "
                                                  "which servers are locked down by command: "));
    CHECK_THAT(found.complaint, Catch::Contains("\n  hint: "));
  }
}

TEST_CASE_METHOD(Fixture, "what is there and cannot be read is an error", "[lockdowns]") {
  const auto complaint = [this] {
    const Found found = restart();
    CHECK_FALSE(found.stored);
    return found.complaint;
  };
  SECTION("a file in place of the folder") {
    write_text(state, "");
    CHECK_THAT(complaint(), Catch::Contains("Not a directory"));
  }
  SECTION("a folder in place of the file") {
    fs::create_directories(file);
    CHECK_THAT(complaint(), Catch::Contains("Is a directory"));
  }
  SECTION("a pipe in place of the file") {
    fs::create_directory(state);
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    CHECK_THAT(complaint(), Catch::Contains("Not a regular file"));
  }
  SECTION("a link for the folder that leads nowhere") {
    fs::create_symlink("gone", state);
    CHECK_THAT(complaint(), Catch::Contains("No such file or directory"));
  }
  SECTION("a link for the file that leads nowhere") {
    fs::create_directory(state);
    fs::create_symlink("gone", file);
    CHECK_THAT(complaint(), Catch::Contains("No such file or directory"));
  }
}

// As on a disk that is full from this byte on.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE_METHOD(Fixture, "what the disk refuses is said, and tried again", "[lockdowns]") {
  Lockdowns lockdowns = start();
  lockdowns.add(orders);
  std::string why;
  SECTION("a file in place of the folder") {
    write_text(state, "");
    why = lockdowns.store();
    fs::remove(state);
    CHECK_THAT(why, Catch::EndsWith("state/lockdowns.json.new: Not a directory"));
  }
  SECTION("nothing where the folder is to be made") {
    const fs::path away = scratch / "";
    fs::rename(away.parent_path(), away.parent_path().string() + ".away");
    why = lockdowns.store();
    fs::rename(away.parent_path().string() + ".away", away.parent_path());
    CHECK_THAT(why, Catch::EndsWith("state: No such file or directory"));
  }
  SECTION("a folder in place of the new file") {
    fs::create_directories(state / "lockdowns.json.new");
    why = lockdowns.store();
    fs::remove(state / "lockdowns.json.new");
    CHECK_THAT(why, Catch::EndsWith("lockdowns.json.new: Is a directory"));
  }
  SECTION("a link in place of the new file, which is not followed") {
    fs::create_directories(state);
    write_text(scratch / "another", "precious");
    fs::create_symlink(scratch / "another", state / "lockdowns.json.new");
    why = lockdowns.store();
    fs::remove(state / "lockdowns.json.new");
    CHECK_FALSE(why.empty());
    CHECK(text_of(scratch / "another") == "precious");
  }
  SECTION("a folder in place of the file") {
    fs::create_directories(file);
    why = lockdowns.store();
    fs::remove(file);
    CHECK_THAT(why, Catch::EndsWith("lockdowns.json: Is a directory"));
  }
  SECTION("no room for all of it") {
    {
      const FileSizeLimit full(10);
      why = lockdowns.store();
    }
    CHECK_THAT(why, Catch::EndsWith("lockdowns.json.new: File too large"));
    CHECK_FALSE(fs::exists(state / "lockdowns.json.new"));
  }
  CHECK_FALSE(why.empty());
  CHECK_FALSE(lockdowns.are_stored());
  CHECK(lockdowns.find("orders") != nullptr);

  CHECK(lockdowns.store().empty());
  CHECK(lockdowns.are_stored());
  CHECK(on_disk() == std::vector{orders});
}

TEST_CASE_METHOD(Fixture, "what cannot be lifted on disk is not lifted", "[lockdowns]") {
  write(billing_and_orders);
  Lockdowns lockdowns = start();
  {
    const FileSizeLimit full(10);
    CHECK_THAT(lockdowns.remove("orders"), Catch::EndsWith("File too large"));
  }
  CHECK(lockdowns.find("orders") != nullptr);
  CHECK(on_disk() == std::vector{billing, orders});
  CHECK(lockdowns.are_stored());
  CHECK(lockdowns.remove("orders").empty());
  CHECK(lockdowns.find("orders") == nullptr);
}

TEST_CASE_METHOD(Fixture, "more lockdowns than can be read again are not stored", "[lockdowns]") {
  Lockdowns lockdowns = start();
  for (int number = 0; number < 20000; ++number) {
    lockdowns.add({.server = "server-" + std::to_string(number), .since = {}, .uid = 0});
  }
  CHECK_THAT(lockdowns.store(), Catch::Contains("over 1048576 bytes"));
  CHECK_FALSE(fs::exists(file));
}

}  // namespace
}  // namespace gatehouse
