#!/bin/bash
# SPDX-License-Identifier: MIT
# clang-format decides layout.
set -u
cd "$(dirname "$0")/../.." || exit 1
format=${CLANG_FORMAT:-clang-format-19}
if ! command -v "$format" >/dev/null; then
  echo "SKIP format: no $format"
elif git ls-files -z '*.cpp' '*.hpp' | xargs -0 "$format" --dry-run -Werror; then
  echo "PASS format: $format has nothing to change"
else
  echo "FAIL format: make format"
fi
