#!/bin/bash
# SPDX-License-Identifier: MIT
# Every public name of the headers is an alias of man/install --links, and every alias is a public name: clang says
# what is declared. That the pages say something of each alias is pages.sh's.
set -u
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C
clang=${CLANG:-clang++-19}
what="names: man/links, options.def and controls.def have every public name and no other"

if ! command -v "$clang" >/dev/null; then
  echo "SKIP $what: no $clang"
  exit 0
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Lines of the tree: a prefix of two characters a level, then the kind, and the name after the position. Members
# of baresock and of its classes that are public, classes that are only declared too; not constructors, operators,
# enumerators, specialisations or what is in the namespaces detail and kernel (the kernel's structs). Any other
# namespace is of the options or, in cmsg, of the control messages.
public_names() {
  awk '
    {
      match($0, /^[|` -]*/)
      depth = RLENGTH / 2
      line = substr($0, RLENGTH + 1)
      kind = line
      sub(/ .*/, "", kind)
      for (level in scope)
        if (level + 0 >= depth)
          delete scope[level]
    }
    kind == "NamespaceDecl" {
      sub(/ (nested|inline)$/, "", line)
      sub(/.* /, "", line)
      if (line == "baresock")
        scope[depth] = line
      else if ((depth - 1) in scope && line !~ /^(detail|kernel)$/)
        scope[depth] = scope[depth - 1] "::" line
      next
    }
    !((depth - 1) in scope) || line ~ / implicit | parent 0x| operator/ { next }
    { outer = scope[depth - 1] }
    kind == "AccessSpecDecl" { hidden[outer] = line !~ / public$/; next }
    hidden[outer] { next }
    kind == "ClassTemplateDecl" { scope[depth] = outer; next } # its class is a level below
    kind ~ /^(CXXRecord|FunctionTemplate|TypeAliasTemplate|VarTemplate|Concept)Decl$/ { name = line }
    kind ~ /^(Enum|Function|CXXMethod|Field|Var|TypeAlias|Typedef)Decl$/ {
      name = line
      sub(/ \047.*/, "", name) # the type
    }
    kind == "CXXRecordDecl" { defined = sub(/ definition$/, "", name) }
    {
      sub(/.* /, "", name)
      if (name == "")
        next
      inner = outer
      sub(/.*::/, "", inner)
      if (name == inner || index(name, inner "<") == 1) # a constructor
        next
      print outer "::" name
    }
    kind == "CXXRecordDecl" && defined {
      scope[depth] = outer "::" name
      hidden[scope[depth]] = line ~ / class /
    }
    { name = "" }
  ' | sort -u
}

echo '#include <baresock/baresock.hpp>' >"$work/all.cpp"
if ! "$clang" -std=c++23 -Iinclude -fsyntax-only -fno-color-diagnostics -Xclang -ast-dump \
  -Xclang -ast-dump-filter=baresock "$work/all.cpp" >"$work/tree" 2>"$work/errors"; then
  cat "$work/errors"
  echo "FAIL $what: $clang does not compile baresock.hpp"
  exit 0
fi
# baresock::Class::member, and the same without the namespace; macros.
{
  public_names <"$work/tree" | sed -n 'p; s/^baresock::\(.*::\)/\1/p'
  "$clang" -std=c++23 -Iinclude -dM -E "$work/all.cpp" | sed -n 's/^#define \(BARESOCK_[A-Z_]*\).*/\1/p' |
    while read -r macro; do
      grep -q "^#define $macro\>" include/baresock/*.hpp && echo "$macro"
    done
} | sort -u >"$work/declared"
man/install --links | cut -d ' ' -f 1 | sort >"$work/linked"

if [ "$(wc -l <"$work/declared")" -lt 100 ]; then
  echo "FAIL $what: found next to nothing in the tree of $clang"
elif cmp -s "$work/declared" "$work/linked"; then
  echo "PASS $what"
else
  comm -23 "$work/declared" "$work/linked" | sed 's/^/declared, but no alias: /'
  comm -13 "$work/declared" "$work/linked" | sed 's/^/an alias, but not declared (or twice): /'
  echo "FAIL $what"
fi
