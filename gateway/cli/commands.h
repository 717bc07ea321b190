// What each subcommand does. Results go to stdout, diagnostics to stderr (those of `check` are its
// result).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace gatehouse::cli {

enum ExitCode : int { done = 0, failed = 1, usage = 2, denied = 3 };

// What was asked for cannot be: a name that does not exist, a range that is none.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Format { text, json };

struct RunOptions {
  std::filesystem::path config;
};
int run(const RunOptions& options);

struct CheckOptions {
  std::filesystem::path config;
  bool connect = false;
  Format format = Format::text;
};
int check(const CheckOptions& options);

struct ExplainOptions {
  std::filesystem::path config;
  std::string server;
  std::string from;
  std::optional<std::string> listener;
  std::optional<std::uint32_t> azure_link_id;
  std::optional<std::string> aws_vpce_id;
  std::optional<std::uint64_t> gcp_psc_connection_id;
  std::optional<std::string> at;
  Format format = Format::text;
};
int explain(const ExplainOptions& options);

struct DiffOptions {
  std::filesystem::path before;
  std::filesystem::path after;
  Format format = Format::text;
};
int diff(const DiffOptions& options);

struct ImportOptions {
  std::filesystem::path file;         // "-": standard input
  std::optional<std::string> server;  // unset: the one that the file names
};
int import_azure(const ImportOptions& options);

// Where the running gateway is found: by its configuration's admin socket, or directly.
struct GatewayAddress {
  std::filesystem::path config;
  std::filesystem::path socket;
};
// Which sessions are meant; all parts that are given must match.
struct SessionOptions {
  std::string session;
  std::string server;
  std::string from;
  std::string user;
  std::string rule;
};
int status(const GatewayAddress& gateway, Format format);
int rules(const GatewayAddress& gateway, Format format);
int reload(const GatewayAddress& gateway, Format format);
int sessions(const GatewayAddress& gateway, const SessionOptions& options, Format format);
int close(const GatewayAddress& gateway, const SessionOptions& options, Format format);

int lock_down(const GatewayAddress& gateway, const std::string& server, Format format);
int unlock(const GatewayAddress& gateway, const std::string& server, Format format);

// Whose blocks are lifted: those of an address, block or range.
struct UnblockOptions {
  std::string source;
  std::optional<std::string> server;  // unset: all
};
int unblock(const GatewayAddress& gateway, const UnblockOptions& options, Format format);

}  // namespace gatehouse::cli
