// From the rules of an Azure database server to a rule file. Pure: texts in, texts out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::cli {

struct Imported {
  // Empty exactly if there are errors. The loader takes it as it stands, and it lets in nobody whom
  // the list did not.
  std::string rule_file;
  std::string server;
  std::vector<std::string> errors;
  std::vector<std::string> remarks;  // what an operator should know of the rule file
  std::size_t rules = 0;             // in force in it
  std::size_t comments = 0;          // in it as comments only
};

// `json`: what read_azure_list() takes. `server`: whose rule file it becomes; unset: the server
// that the rules' ids name. Where they name several, `server` chooses among them; if it is none of
// them, it gets the rules of all.
// REQUIRES: config::is_server_name(*server), if set.
[[nodiscard]] Imported import_azure(std::string_view json,
                                    const std::optional<std::string>& server);

}  // namespace gatehouse::cli
