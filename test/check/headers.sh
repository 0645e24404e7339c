#!/bin/bash
# SPDX-License-Identifier: MIT
# Every header compiles alone, without a warning, with and without exceptions and RTTI, with each compiler there is.
set -u
cd "$(dirname "$0")/../.." || exit 1
for compiler in "g++" "clang++-19" "clang++-19 -stdlib=libc++"; do
  if ! echo '#include <cstddef>' | $compiler -x c++ -fsyntax-only - 2>/dev/null; then
    echo "SKIP headers: no $compiler here"
    continue
  fi
  for without in '' '-fno-exceptions -fno-rtti'; do
    failed=
    for header in include/baresock/*.hpp include/baresock/detail/*.hpp; do
      echo "#include <${header#include/}>" |
        $compiler -std=c++23 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror $without -Iinclude -x c++ \
          -fsyntax-only - || failed+=" $header"
    done
    if [ -z "$failed" ]; then
      echo "PASS headers: $compiler $without"
    else
      echo "FAIL headers: $compiler $without:$failed"
    fi
  done
done
