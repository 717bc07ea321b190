// A state folder, and what a restart finds in one of its files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "config/configuration.h"
#include "config/diagnostics.h"
#include "tests/gateway/observe/scratch.h"

namespace gatehouse {

// `Stored`: what is kept in the file.
template <typename Stored>
struct StateFixture {
  ScratchFolder scratch;
  config::Configuration configuration;
  std::filesystem::path state = scratch / "state";
  std::filesystem::path file;

  explicit StateFixture(std::string_view name) : file(state / name) {
    configuration.folder = scratch / "";
    configuration.state = scratch / "state/";  // with the slash, as it stands in examples
  }
  void write(std::string_view text) const {
    std::filesystem::create_directory(state);
    write_text(file, text);
  }
  // As a restart finds it; the complaint, if there is one.
  struct Found {
    std::optional<Stored> stored;
    std::string complaint;
  };
  [[nodiscard]] Found restart() const {
    config::Diagnostics diagnostics;
    Found found{.stored = Stored::read(configuration, diagnostics), .complaint = {}};
    CHECK(diagnostics.has_errors() == !found.stored.has_value());
    if (diagnostics.has_errors()) found.complaint = to_string(diagnostics.all().front());
    return found;
  }
  [[nodiscard]] Stored start() const {
    auto found = restart();
    INFO(found.complaint);
    REQUIRE(found.stored);
    return *found.stored;
  }
};

}  // namespace gatehouse
