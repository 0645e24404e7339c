#!/bin/bash
# SPDX-License-Identifier: MIT
# clang-tidy over the library, with .clang-tidy.
set -u
cd "$(dirname "$0")/../.." || exit 1
tidy=${CLANG_TIDY:-clang-tidy-19}
if ! command -v "$tidy" >/dev/null; then
  echo "SKIP tidy: no $tidy"
elif "$tidy" --quiet lib/*.cpp test/example/*.cpp -- -std=c++23 -Iinclude; then
  echo "PASS tidy: $tidy finds nothing"
else
  echo "FAIL tidy: $tidy"
fi
