#!/bin/bash
# SPDX-License-Identifier: MIT
# Subjects of commits are "area: Imperative subject", at most 72 columns, without a period.
set -u
cd "$(dirname "$0")/../.." || exit 1
if ! git rev-parse HEAD >/dev/null 2>&1; then
  echo "SKIP commits: not a git checkout"
  exit
fi
bad=$(git log --format=%s | grep -vE '^[a-z][a-z0-9_, -]*: [A-Z].*[^.]$|^Revert "')
long=$(git log --format=%s | awk 'length > 72')
if [ -z "$bad$long" ]; then echo "PASS commits: subjects"; else echo "FAIL commits: $bad $long"; fi
