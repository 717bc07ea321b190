#!/usr/bin/env bash
# Every C++ source is formatted as .clang-format says. To put a file right: clang-format-19 -i FILE.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! command -v clang-format-19 >/dev/null; then
  echo "SKIPPED format: clang-format-19 is not installed"
  exit 77
fi

# A check that cannot fail proves nothing.
if echo 'int  x ;' | clang-format-19 --dry-run -Werror --assume-filename=rules/planted.cpp 2>/dev/null; then
  echo "error: clang-format-19 passes a badly formatted line; is .clang-format there?"
  exit 1
fi

git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cpp' |
  xargs --null clang-format-19 --dry-run -Werror
