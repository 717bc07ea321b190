#include "gateway/observe/audit_file.h"

#include <csignal>

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/gateway/observe/scratch.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr AuditFile::Time start(1000h);

// Makes files of this process end at `bytes`: a disk that fills up in the middle of a line.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    static_cast<void>(std::signal(SIGXFSZ, handler_));
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_CASE("lines are appended, and others may not read them", "[file]") {
  const ScratchFolder folder;
  const auto path = folder / "audit.jsonl";
  write_text(path, "old\n");
  AuditFile file;
  file.set_path(path);
  file.append("one\n");
  file.append("two\n");
  CHECK_FALSE(file.flush(start));
  file.append("three\n");
  CHECK_FALSE(file.flush(start));
  CHECK(text_of(path) == "old\none\ntwo\nthree\n");

  AuditFile fresh;
  fresh.set_path(folder / "fresh.jsonl");
  CHECK_FALSE(fresh.flush(start));
  struct stat status{};
  REQUIRE(::stat((folder / "fresh.jsonl").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U & ~0640U) == 0);
}

TEST_CASE("a line torn by a crash stays alone", "[file]") {
  const ScratchFolder folder;
  const auto path = folder / "audit.jsonl";
  write_text(path, "whole\n{\"torn\":");
  AuditFile file;
  file.set_path(path);
  CHECK_FALSE(file.flush(start));
  CHECK(text_of(path) == "whole\n{\"torn\":");
  file.append("next\n");
  CHECK_FALSE(file.flush(start));
  CHECK(text_of(path) == "whole\n{\"torn\":\nnext\n");
}

TEST_CASE("a renamed file is followed by a new one within a second", "[file]") {
  const ScratchFolder folder;
  const auto path = folder / "audit.jsonl";
  AuditFile file;
  file.set_path(path);
  file.append("one\n");
  CHECK_FALSE(file.flush(start));
  std::filesystem::rename(path, folder / "audit.jsonl.1");

  file.append("two\n");
  CHECK_FALSE(file.flush(start + 999ms));
  CHECK(text_of(folder / "audit.jsonl.1") == "one\ntwo\n");

  SECTION("when the next line is written") {
    file.append("three\n");
    CHECK_FALSE(file.flush(start + 1s));
    CHECK(text_of(path) == "three\n");
  }
  SECTION("while nothing is written") {
    CHECK_FALSE(file.flush(start + 1s));
    CHECK(std::filesystem::exists(path));
  }
  SECTION("at once when it is told to") {
    file.reopen();
    CHECK_FALSE(file.flush(start + 999ms));
    CHECK(std::filesystem::exists(path));
  }
  CHECK(text_of(folder / "audit.jsonl.1") == "one\ntwo\n");
}

TEST_CASE("a file that cannot be opened keeps its lines until it can", "[file]") {
  const ScratchFolder folder;
  const auto path = folder / "audit.jsonl";
  std::filesystem::create_directory(path);
  AuditFile file;
  file.set_path(path);
  file.append("one\n");
  CHECK(file.flush(start) == std::errc::is_a_directory);
  CHECK(file.pending_bytes() == 4);
  std::filesystem::remove(path);
  CHECK_FALSE(file.flush(start));
  CHECK(text_of(path) == "one\n");
}

TEST_CASE("a full disk keeps the lines for another file", "[file]") {
  const ScratchFolder folder;
  AuditFile file;
  file.set_path("/dev/full");
  CHECK_FALSE(file.flush(start));
  file.append("one\n");
  CHECK(file.flush(start) == std::errc::no_space_on_device);
  file.set_path(folder / "audit.jsonl");
  CHECK_FALSE(file.flush(start));
  CHECK(text_of(folder / "audit.jsonl") == "one\n");
}

TEST_CASE("a line that was cut short", "[file]") {
  const ScratchFolder folder;
  const auto path = folder / "audit.jsonl";
  AuditFile file;
  file.set_path(path);
  file.append("first\n");
  file.append("second\n");
  file.append("third\n");
  {
    const FileSizeLimit limit(9);
    CHECK(file.flush(start) == std::errc::file_too_large);
    CHECK(file.flush(start) == std::errc::file_too_large);
  }
  REQUIRE(text_of(path) == "first\nsec");

  SECTION("is gone on with where it stopped") {
    CHECK_FALSE(file.flush(start));
    CHECK(text_of(path) == "first\nsecond\nthird\n");
  }
  SECTION("is written anew into another file") {
    std::filesystem::rename(path, folder / "audit.jsonl.1");
    CHECK_FALSE(file.flush(start + 1s));
    CHECK(text_of(path) == "second\nthird\n");
  }
  SECTION("is written anew when the file was emptied") {
    write_text(path, "");
    CHECK_FALSE(file.flush(start));
    CHECK(text_of(path) == "second\nthird\n");
  }
  SECTION("is written anew when somebody else wrote behind it") {
    write_text(path, "first\nsecret\nand mo");
    CHECK_FALSE(file.flush(start));
    CHECK(text_of(path) == "first\nsecret\nand mo\nsecond\nthird\n");
  }
}

}  // namespace
}  // namespace gatehouse
