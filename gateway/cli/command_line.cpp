#include "gateway/cli/command_line.h"

#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "gateway/cli/commands.h"
#include "gateway/net/tls_library.h"

namespace gatehouse::cli {

namespace {

constexpr const char* description =
    "Gatehouse: a security-policy gateway in front of databases.\n"
    "It denies everything that no rule allows.\n";

constexpr const char* exit_codes =
    "\nExit codes: 0 done or allowed, 1 failed, 2 wrong usage, 3 denied.\n"
    "Files: see config/examples in the source, or the README.\n";

using Action = std::function<int()>;

void add_config(CLI::App& command, std::filesystem::path& path) {
  command.add_option("--config", path, "The configuration file (gateway.yaml)")
      ->required()
      ->type_name("FILE");
}

void add_format(CLI::App& command, Format& format) {
  static const std::map<std::string, Format> formats{{"text", Format::text},
                                                     {"json", Format::json}};
  command.add_option("--format", format, "text for people (default), json for programs")
      ->type_name("text|json")
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case).description(""));
}

void add_gateway(CLI::App& command, GatewayAddress& gateway) {
  auto* config =
      command
          .add_option("--config", gateway.config, "Find the gateway by this file's admin.socket")
          ->type_name("FILE");
  auto* socket =
      command.add_option("--socket", gateway.socket, "The gateway's admin socket itself")
          ->type_name("PATH");
  config->excludes(socket);
  command.callback([&command, config, socket] {
    if (config->empty() && socket->empty()) {
      throw CLI::RequiredError(command.get_name() + ": --config or --socket");
    }
  });
}

void add_session_filter(CLI::App& command, SessionOptions& options) {
  command.add_option("--server", options.server, "Sessions of this server")->type_name("NAME");
  command
      .add_option("--from", options.from,
                  "Sessions whose source is in this address, block or range")
      ->type_name("RANGE");
  command.add_option("--user", options.user, "Sessions of this database user")->type_name("NAME");
  command.add_option("--rule", options.rule, "Sessions let in by this rule")->type_name("NAME");
}

Action add_run(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  auto* command =
      app.add_subcommand("run", "Serve until SIGTERM. SIGHUP reloads and reopens the audit file");
  add_config(*command, options->config);
  return [=] { return run(*options); };
}

Action add_check(CLI::App& app) {
  auto options = std::make_shared<CheckOptions>();
  auto* command = app.add_subcommand(
      "check", "Load everything and print every problem and every doubtful rule");
  add_config(*command, options->config);
  command->add_flag("--connect", options->connect,
                    "Also try each backend: address, PROXY header, greeting, TLS");
  add_format(*command, options->format);
  return [=] { return check(*options); };
}

Action add_explain(CLI::App& app) {
  auto options = std::make_shared<ExplainOptions>();
  auto* command = app.add_subcommand(
      "explain", "Would this source reach that server? By which rule, or why not?");
  add_config(*command, options->config);
  command->add_option("--server", options->server, "The server meant")
      ->required()
      ->type_name("NAME");
  command->add_option("--from", options->from, "The source's address")->required()->type_name("IP");
  command
      ->add_option("--listener", options->listener,
                   "The listener it arrives at (default: one of no network)")
      ->type_name("NAME");
  command
      ->add_option("--azure-link-id", options->azure_link_id, "Azure's link id in its PROXY header")
      ->type_name("N");
  command
      ->add_option("--aws-vpce-id", options->aws_vpce_id, "AWS's endpoint id in its PROXY header")
      ->type_name("vpce-…");
  command
      ->add_option("--gcp-psc-connection-id", options->gcp_psc_connection_id,
                   "Google's connection id in its PROXY header")
      ->type_name("N");
  command
      ->add_option("--at", options->at,
                   "Decide as of this time, such as 2026-12-31T17:00:00Z (default: now)")
      ->type_name("TIME");
  add_format(*command, options->format);
  return [=] { return explain(*options); };
}

Action add_diff(CLI::App& app) {
  auto options = std::make_shared<DiffOptions>();
  auto* command = app.add_subcommand(
      "diff", "Which sources gain or lose which server between two configurations");
  command->add_option("--config", options->before, "The configuration as it is")
      ->required()
      ->type_name("OLD");
  command->add_option("NEW", options->after, "The configuration as it would be")->required();
  add_format(*command, options->format);
  return [=] { return diff(*options); };
}

Action add_import(CLI::App& app) {
  auto options = std::make_shared<ImportOptions>();
  auto* command = app.add_subcommand("import", "Make a rule file of another product's rules");
  command->require_subcommand(1);
  auto* azure = command->add_subcommand(
      "azure",
      "Of what `az mariadb|mysql|postgres|sql server firewall-rule list -o json` or `… vnet-rule "
      "list -o json` printed. The rule file goes to stdout, remarks to stderr");
  azure->add_option("FILE", options->file, "What it printed; - for standard input")->required();
  azure
      ->add_option("--server", options->server,
                   "Whose rules they become (default: the server that FILE names)")
      ->type_name("NAME");
  return [=] { return import_azure(*options); };
}

template <typename Command>
Action add_question(CLI::App& app, const char* name, const char* help, Command ask) {
  auto gateway = std::make_shared<GatewayAddress>();
  auto format = std::make_shared<Format>(Format::text);
  auto* command = app.add_subcommand(name, help);
  add_gateway(*command, *gateway);
  add_format(*command, *format);
  return [=] { return ask(*gateway, *format); };
}

template <typename Command>
Action add_session_command(CLI::App& app, const char* name, const char* help, bool takes_session,
                           Command ask) {
  auto gateway = std::make_shared<GatewayAddress>();
  auto options = std::make_shared<SessionOptions>();
  auto format = std::make_shared<Format>(Format::text);
  auto* command = app.add_subcommand(name, help);
  if (takes_session)
    command->add_option("SESSION", options->session, "The session's id, as the audit has it");
  add_session_filter(*command, *options);
  add_gateway(*command, *gateway);
  add_format(*command, *format);
  return [=] { return ask(*gateway, *options, *format); };
}

template <typename Command>
Action add_server_command(CLI::App& app, const char* name, const char* help, Command ask) {
  auto gateway = std::make_shared<GatewayAddress>();
  auto server = std::make_shared<std::string>();
  auto format = std::make_shared<Format>(Format::text);
  auto* command = app.add_subcommand(name, help);
  command->add_option("SERVER", *server, "The server meant")->required();
  add_gateway(*command, *gateway);
  add_format(*command, *format);
  return [=] { return ask(*gateway, *server, *format); };
}

Action add_unblock(CLI::App& app) {
  auto gateway = std::make_shared<GatewayAddress>();
  auto options = std::make_shared<UnblockOptions>();
  auto format = std::make_shared<Format>(Format::text);
  auto* command =
      app.add_subcommand("unblock", "Let sources in again that are blocked for failed logins");
  command->add_option("SOURCE", options->source, "Their address, block or range")->required();
  command->add_option("--server", options->server, "Only on this server (default: on all)")
      ->type_name("NAME");
  add_gateway(*command, *gateway);
  add_format(*command, *format);
  return [=] { return unblock(*gateway, *options, *format); };
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app(description, "gatehouse");
  app.footer(exit_codes);
  // Of a library that is a part of the program nothing else tells which one it is.
  app.set_version_flag("--version",
                       fmt::format("gatehouse {}, {}", GATEHOUSE_VERSION, tls_library::version()));
  app.require_subcommand(1);
  const std::map<std::string, Action> actions{
      {"run", add_run(app)},
      {"check", add_check(app)},
      {"explain", add_explain(app)},
      {"diff", add_diff(app)},
      {"import", add_import(app)},
      {"rules", add_question(app, "rules",
                             "The rules in force, with hits and last use, to prune by", rules)},
      {"status", add_question(app, "status", "How the running gateway is", status)},
      {"sessions",
       add_session_command(app, "sessions", "Its established sessions", false, sessions)},
      {"close", add_session_command(app, "close", "End sessions", true, close)},
      {"lockdown",
       add_server_command(app, "lockdown", "Let nobody reach a server, and end its sessions",
                          lock_down)},
      {"unlock", add_server_command(app, "unlock", "Lift such a lockdown", unlock)},
      {"unblock", add_unblock(app)},
      {"reload", add_question(app, "reload", "Load the files now", reload)},
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitCode::done : ExitCode::usage;
  }
  try {
    return actions.at(app.get_subcommands().front()->get_name())();
  } catch (const UsageError& error) {
    fmt::print(stderr, "gatehouse: {}\n", error.what());
    return ExitCode::usage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gatehouse: {}\n", error.what());
    return ExitCode::failed;
  }
}

}  // namespace gatehouse::cli
