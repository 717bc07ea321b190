// The command line: subcommands, their options and help, and nothing of what they do.
#pragma once

namespace gatehouse::cli {

// The process's exit code.
int run_command_line(int argc, char** argv);

}  // namespace gatehouse::cli
