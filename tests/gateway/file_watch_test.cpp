#include "gateway/file_watch.h"

#include <catch2/catch.hpp>

#include "tests/gateway/observe/scratch.h"

namespace gatehouse {
namespace {

namespace fs = std::filesystem;
using Folders = std::set<fs::path>;

struct Fixture {
  ScratchFolder scratch;
  // Where the system keeps temporary files may itself be reached through a link.
  fs::path top = fs::canonical(scratch / "");

  fs::path folder(const std::string& name) const {
    fs::create_directories(top / name);
    return top / name;
  }
  fs::path file(const std::string& name) const {
    write_text(top / name, "text\n");
    return top / name;
  }
  fs::path link(const std::string& name, const fs::path& to) const {
    fs::create_symlink(to, top / name);
    return top / name;
  }
};

TEST_CASE_METHOD(Fixture, "a plain file is reached from its folder", "[watch]") {
  const fs::path rules = folder("rules");
  CHECK(folders_on_the_way(file("rules/orders.yaml")) == Folders{rules});
}

TEST_CASE_METHOD(Fixture, "a folder is reached from itself and the one it is in", "[watch]") {
  const fs::path rules = folder("gateway/rules");
  CHECK(folders_on_the_way(rules) == Folders{rules, rules.parent_path()});
}

TEST_CASE_METHOD(Fixture, "a file behind a link is reached from where both are", "[watch]") {
  const fs::path rules = folder("rules");
  const fs::path elsewhere = folder("elsewhere");
  const fs::path target = file("elsewhere/orders.yaml");
  SECTION("by an absolute link") {
    CHECK(folders_on_the_way(link("rules/orders.yaml", target)) == Folders{rules, elsewhere});
  }
  SECTION("by a relative link") {
    CHECK(folders_on_the_way(link("rules/orders.yaml", "../elsewhere/orders.yaml")) ==
          Folders{rules, elsewhere});
  }
  SECTION("by a link to its folder") {
    CHECK(folders_on_the_way(link("rules/all", "../elsewhere") / "orders.yaml") ==
          Folders{rules, elsewhere});
  }
  SECTION("by a link to a link") {
    const fs::path between = folder("between");
    link("between/orders.yaml", target);
    CHECK(folders_on_the_way(link("rules/orders.yaml", "../between/orders.yaml")) ==
          Folders{rules, between, elsewhere});
  }
}

TEST_CASE_METHOD(Fixture, "a Kubernetes volume is watched where its links are swapped", "[watch]") {
  const fs::path rules = folder("rules");
  const fs::path version = folder("rules/..2026_11_22");
  file("rules/..2026_11_22/orders.yaml");
  link("rules/..data", "..2026_11_22");
  CHECK(folders_on_the_way(link("rules/orders.yaml", "..data/orders.yaml")) ==
        Folders{rules, version});
}

TEST_CASE_METHOD(Fixture, "a file that is missing is awaited in its folder", "[watch]") {
  const fs::path rules = folder("rules");
  CHECK(folders_on_the_way(rules / "orders.yaml") == Folders{rules});
  CHECK(folders_on_the_way(link("rules/broken.yaml", "gone/orders.yaml")) ==
        Folders{rules, rules / "gone"});
}

TEST_CASE_METHOD(Fixture, "a loop of links comes to an end", "[watch]") {
  const fs::path rules = folder("rules");
  const fs::path one = link("rules/one.yaml", "other.yaml");
  link("rules/other.yaml", "one.yaml");
  CHECK(folders_on_the_way(one) == Folders{rules});
  CHECK(folders_on_the_way(link("rules/itself.yaml", "itself.yaml")) == Folders{rules});
}

}  // namespace
}  // namespace gatehouse
