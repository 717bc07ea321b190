#include "gateway/cli/command_line.h"

int main(int argc, char** argv) {
  return gatehouse::cli::run_command_line(argc, argv);
}
