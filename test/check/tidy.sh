#!/bin/bash
# SPDX-License-Identifier: MIT
# clang-tidy over the library, with .clang-tidy.
set -u
cd "$(dirname "$0")/../.." || exit 1
tidy=${CLANG_TIDY:-clang-tidy-19}
if ! command -v "$tidy" >/dev/null; then
  echo "SKIP tidy: no $tidy"
elif printf '%s\n' lib/*.cpp test/example/*.cpp |
  xargs -P "$(nproc)" -n 5 sh -c 'exec "$0" --quiet "$@" -- -std=c++23 -Iinclude' "$tidy"; then
  echo "PASS tidy: $tidy finds nothing"
else
  echo "FAIL tidy: $tidy"
fi
