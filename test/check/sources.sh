#!/bin/bash
# SPDX-License-Identifier: MIT
# The Makefile takes what is there; meson.build has to list the same sources, headers, tests and examples, and the
# same version.
set -u
cd "$(dirname "$0")/../.." || exit 1
same() { # name, what is there, what meson.build lists
  if difference=$(diff <(echo "$2" | sort) <(echo "$3" | sort)); then
    echo "PASS sources: $1"
  else
    echo "FAIL sources: $1 (<: there, >: in meson.build):" $difference
  fi
}
listed() { grep -o "'$1[a-z0-9_/]*\.\(cpp\|hpp\|def\)'" meson.build | tr -d "'"; }
same 'library' "$(ls lib/*.cpp)" "$(listed lib/)"
same 'headers' "$(ls include/baresock/*.hpp include/baresock/*.def include/baresock/detail/*)" "$(listed include/)"
same 'tests' "$(ls test/*.cpp | grep -v fault.cpp)" "$(listed test/)"
same 'examples' "$(basename -s .cpp test/example/*.cpp)" \
  "$(tr -d "\n' " <meson.build | sed 's/.*foreachname:\[\([^]]*\)\].*/\1/' | tr ',' '\n')"
same 'version' "$(sed -n 's/^VERSION = //p' Makefile)" "$(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)"
same 'all of it in baresock.hpp' "$(cd include && ls baresock/*.hpp | grep -v /baresock.hpp)" \
  "$(sed -n 's/#include <\(.*\)>/\1/p' include/baresock/baresock.hpp)"
