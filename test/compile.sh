#!/bin/bash
# SPDX-License-Identifier: MIT
# test/compile/refused.cpp: the code as it is compiles, no case of it does.
set -u
cd "$(dirname "$0")/.." || exit 1
file=test/compile/refused.cpp
export file
try() { # case
  if ${CXX:-g++} -std=c++23 -Werror=unused-result -Iinclude -fsyntax-only -DCASE="$1" "$file" 2>/dev/null; then
    [ "$1" -eq 0 ] && echo "PASS compile: the code around the cases" || echo "FAIL compile: case $1 of $file compiles"
  else
    [ "$1" -ne 0 ] && echo "PASS compile: case $1 of $file is refused" || echo "FAIL compile: the code around the cases"
  fi
}
export -f try
{
  echo 0
  sed -n 's/^#\(el\)\?if CASE == \([0-9]*\).*/\2/p' "$file"
} | xargs -P "$(nproc)" -I {} bash -c 'try {}'
