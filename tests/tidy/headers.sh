#!/usr/bin/env bash
# Every header compiles alone. Those with a .cpp of the same name are proven by the ordinary build,
# because tidy.py makes that file include its header first; the others are compiled here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export compiler=${1:-g++}

compiles_alone() {
  echo "#include \"$1\"" | "$compiler" -std=c++20 -Wall -Werror -fsyntax-only -I . -x c++ - || {
    echo "$1:1: error: does not compile alone"
    return 1
  }
}
export -f compiles_alone

planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
echo 'inline std::string planted() { return {}; }' >"$planted/planted.h"
if compiles_alone "$planted/planted.h" >/dev/null 2>&1; then
  echo "error: a header that lacks an include passes for one that compiles alone"
  exit 1
fi

# shellcheck disable=SC2016 # $0 is for the inner shell.
git ls-files --cached --others --exclude-standard -- '*.h' |
  while IFS= read -r header; do
    if [[ ! -f ${header%.h}.cpp ]]; then echo "$header"; fi
  done |
  xargs --max-args=1 --max-procs="$(nproc)" bash -c 'compiles_alone "$0"'
