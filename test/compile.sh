#!/bin/bash
# SPDX-License-Identifier: MIT
# test/compile/refused.cpp: the code as it is compiles, no case of it does.
set -u
cd "$(dirname "$0")/.." || exit 1
file=test/compile/refused.cpp
compile() {
  ${CXX:-g++} -std=c++23 -Werror=unused-result -Iinclude -fsyntax-only "$@" "$file" 2>/dev/null
}

if compile -DCASE=0; then echo "PASS compile: the code around the cases"; else echo "FAIL compile: the code around the cases"; fi
for case in $(sed -n 's/^#\(el\)\?if CASE == \([0-9]*\).*/\2/p' "$file"); do
  if compile -DCASE="$case"; then
    echo "FAIL compile: case $case of $file compiles"
  else
    echo "PASS compile: case $case of $file is refused"
  fi
done
