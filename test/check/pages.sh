#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual pages: that they are well formed, agree with man/links, operations.def, options.def and structs.hpp,
# and that their examples compile. names.sh compares man/links with the headers.
set -u
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C
cxx=${CXX:-g++}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

verdict() { # NAME FILE: fails if there is something in FILE
  if [ -s "$2" ]; then
    cat "$2"
    echo "FAIL pages: $1"
  else
    echo "PASS pages: $1"
  fi
}

stage=$work/man
MANDIR=$stage man/install man/*.3 man/*.7

# --- well formed ---------------------------------------------------------------------------------------

# Cross references resolve to our pages and aliases, and to the system's pages, of which those that ours name are
# put beside them: mandoc looks into one indexed tree only. Where there are no such pages, as in a container
# without manpages-dev, references to them are not looked at.
lint() {
  local section name found
  sed -n 's/^\.\(It \)\{0,1\}Xr \([^ ]*\) \([0-9]\).*/\3 \2/p' man/*.3 man/*.7 | sort -u |
    while read -r section name; do
      [ -e "$stage/man$section/$name.$section" ] && continue
      found=/usr/share/man/man$section/$name.$section
      mkdir -p "$stage/man$section"
      if [ -e "$found.gz" ]; then
        gzip -dc "$found.gz" >"$stage/man$section/$name.$section"
      elif [ -e "$found" ]; then
        cp "$found" "$stage/man$section"
      fi
    done
  makewhatis "$stage" 2>/dev/null
  for page in man/*.3 man/*.7; do
    MANPATH=$stage mandoc -Tlint -Wstyle "$page"
  done >"$work/lint" 2>&1
  if [ -e /usr/share/man/man2/bind.2.gz ] || [ -e /usr/share/man/man2/bind.2 ]; then
    cat "$work/lint"
  else
    grep -Ev 'referenced manual not found: Xr [a-z0-9_]+ [2-8]' "$work/lint"
  fi
}
if command -v mandoc >/dev/null && command -v makewhatis >/dev/null; then
  lint >"$work/lint-verdict"
  verdict "mandoc finds nothing to say, and every reference resolves" "$work/lint-verdict"
else
  echo "SKIP pages: mandoc finds nothing to say, and every reference resolves: no mandoc"
fi

# Errors are listed in alphabetical order; mandoc looks at that only for NetBSD.
awk '
  /^\.Bl/ { list[++depth] = "" }
  /^\.El/ { --depth }
  /^\.It (Bq )?Er / {
    code = $2 == "Bq" ? $4 : $3
    if (list[depth] != "" && code <= list[depth])
      print FILENAME ":" FNR ": " code " after " list[depth]
    list[depth] = code
  }
' man/*.3 man/*.7 >"$work/order"
verdict "lists of errors are in order" "$work/order"

# --- names ---------------------------------------------------------------------------------------------

# What a page documents: "head NAME" for the names of NAME; "name NAME" for the functions, variables and types
# declared in its SYNOPSIS by macros, and the classes, enumerations, aliases and macros in literal blocks anywhere
# but in EXAMPLES; "member NAME" for the members in those blocks.
documented() {
  awk '
    function last(text) { # the identifier that a declaration ends with
      sub(/ = .*|\[.*|;.*/, "", text)
      sub(/.*[ *&]/, "", text)
      return text
    }
    /^\.Sh / { section = $2; block = 0; next }
    section == "NAME" && $1 == ".Nm" && FILENAME !~ "/" $2 "[.]" { print "head", $2 } # not a page of no name
    section == "EXAMPLES" { next }
    section == "SYNOPSIS" && /^\.(Fn|Fo|Vt|Va) / && match($0, /baresock::[A-Za-z0-9_:]+/) {
      print "name", substr($0, RSTART, RLENGTH)
    }
    /^\.Bd -literal/ { block = 1; next }
    /^\.Ed/ { block = 0; class = ""; next }
    !block { next }
    { sub(/ *\/\/.*/, "") }
    /^namespace [a-z]+ \{$/ { space = $2 "::"; next }
    /^\}$/ { space = ""; next }
    /^(template <.*> )?using / { sub(/.*using /, ""); sub(/ .*/, ""); print "name", "baresock::" space $0; next }
    /^(template <.*> )?struct [A-Za-z]+;/ {
      sub(/.*struct /, "")
      sub(/;/, "")
      print "name", "baresock::" space $0
      next
    }
    /^#define / { sub(/\(.*/, ""); print "name", $2; next }
    /^enum class / { print "name", "baresock::" $3; next }
    /^(class|struct) .*\{$/ { class = $2; sub(/<.*/, "", class); print "name", "baresock::" class; next }
    /^};/ { class = ""; next }
    class == "" || !/^  [^ ]/ || /operator|~/ { next }
    /^  enum class / { print "member", "baresock::" class "::" $3; next }
    { while (sub(/<[^<>]*>/, "")) } # in which there may be parentheses
    /\(/ {
      sub(/\(.*/, "")
      if (last($0) != class) # a constructor
        print "member", "baresock::" class "::" last($0)
      next
    }
    /;/ { print "member", "baresock::" class "::" last($0) }
  ' "$1"
}
for page in man/*.3 man/*.7; do
  file=${page##*/}
  documented "$page" | sort -u >"$work/documented"
  # A declared name heads its page: a member function as Class::function, anything else with its namespace.
  sed -n 's/^head //p' "$work/documented" | sort >"$work/head"
  sed -n 's/^name //p' "$work/documented" | sed 's/^baresock::\(.*::\)/\1/' | sort -u >"$work/declared"
  comm -23 "$work/head" "$work/declared" | sed "s|^|$page: in NAME only: |"
  comm -13 "$work/head" "$work/declared" | sed "s|^|$page: declared, but not in NAME: |"
  sed -n 's/^\(name\|member\) //p' "$work/documented" | sed -n 'p; s/^baresock::\(.*::\)/\1/p' | sort -u |
    sed "s/$/ $file/"
done >"$work/names"
grep '^man/' "$work/names" >"$work/links-verdict"
grep -v '^man/' "$work/names" | sort >"$work/pages"
comm -23 "$work/pages" man/links | sed 's/^/documented, but not in man\/links: /' >>"$work/links-verdict"
comm -13 "$work/pages" man/links | sed 's/^/in man\/links, but not documented in that page: /' >>"$work/links-verdict"
sort -c man/links 2>>"$work/links-verdict"
cut -d ' ' -f 2 man/links | sort -u | while read -r file; do
  [ -f "man/$file" ] || echo "man/links: there is no man/$file"
done >>"$work/links-verdict"
verdict "man/links is sorted and says what the pages document" "$work/links-verdict"

# The operations of operations.def are the rows of a table of baresock_Error(3), with their names.
sed -n 's/^OPERATION(\(.*\))$/\1 \1/p; s/^BARESOCK_OPERATION(\(.*\), "\(.*\)")$/\1 \2/p' include/baresock/operations.def |
  sort >"$work/operations"
sed -n '/^\.Ss Operations/,/^\.Ss The/s/^\.It Dv \([^ ]*\) Ta \([^ ]*\)$/\1 \2/p' man/baresock_Error.3 >"$work/rows"
{
  sort -c "$work/rows" 2>&1
  sort "$work/rows" | comm -3 "$work/operations" - | sed 's/^\t/only in baresock_Error(3): /'
  [ -s "$work/operations" ] || echo "no operations"
} >"$work/operations-verdict"
verdict "baresock_Error(3) has every operation" "$work/operations-verdict"

# --- options -------------------------------------------------------------------------------------------

# baresock_options(7) has the rows of options.def, in order and below their levels, each with its type and access.
# A paragraph whose Members are listed has those that fields<> of the type names (the last type of several that has
# any), and every structure that has fields<> and is an option's is listed.
word='\([^,]*\)'
access='\(get\|set\|both\|query\|query_set\)'
sed -z 's/,\n */, /g' include/baresock/options.def |
  sed -n "s/^OPTION($word, $word, $word, $word, .*, $access, $word, \(.*\))$/\3 \4 \1::\2 \5 \7/p" \
    >"$work/options"
awk '
  /fields<[A-Za-z0-9_]+>\[\]/ { match($0, /fields<[^>]*/); name = substr($0, RSTART + 7, RLENGTH - 7) }
  {
    while (match($0, /BARESOCK_(FIELD|FIELD_AS|BITS)\([^"]*"[^"]*"/)) {
      field = substr($0, RSTART, RLENGTH - 1)
      sub(/.*"/, "", field)
      print name, field
      $0 = substr($0, RSTART + RLENGTH)
    }
  }
' include/baresock/detail/struct_fields.hpp >"$work/fields"
awk '
  BEGIN {
    access["get."] = "get"
    access["set."] = "set"
    access["get and set."] = "both"
    access["get with a question."] = "query"
    access["get with a question, and set."] = "query_set"
  }
  /^\.Ss (SOL|IPPROTO|AF)_/ { level = tolower($2); sub(/^[a-z]*_/, "", level) }
  /^\.It Dv [A-Z0-9_]+ Pq Va / && level != "" { row = level " " $3 " " $6; line = NR; next }
  row != "" && NR == line + 1 { sub(/^\.Vt /, ""); sub(/ ,$/, ""); type = $0 }
  row != "" && NR == line + 2 { print row, $0 in access ? access[$0] : "(" $0 ")", type; row = "" }
' man/baresock_options.7 >"$work/paragraphs"
awk '
  FILENAME ~ /fields$/ { fields[$1] = fields[$1] " " $2; next }
  FILENAME ~ /options$/ {
    kind = $0
    sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /, "", kind)
    if (kind == "AoKeys")
      kind = "tcp_ao_getsockopt"
    if (kind == "PeerCredentials")
      kind = "ucred"
    count = split(kind, words, /[^A-Za-z0-9_]+/)
    for (i = 1; i <= count; ++i)
      if (words[i] in fields && words[i] !~ /^[A-Z]/)
        struct[$3] = words[i]
    next
  }
  /^\.It Dv [A-Z0-9_]+ Pq Va / { option = $6; next }
  /^Members? of$/ { within = 1; next }
  within && /^\.Vt / { expected = fields[$2]; listed[$2] = 1; within = 0; reading = 1; names = ""; next }
  /^Members?( of each| to set| to get)?:$/ {
    expected = fields[struct[option]]
    listed[struct[option]] = 1
    reading = 1
    names = ""
    next
  }
  reading && /^\.Va / {
    text = $0
    sub(/^\.Va /, "", text)
    gsub(/ [,.]/, "", text)
    names = names " " text
    if (/ \.$/) {
      reading = 0
      if (names != expected)
        print FILENAME ":" FNR ": members of " option ":" names "; not" expected
    }
  }
  END {
    for (option in struct)
      if (!listed[struct[option]])
        print "the members of " struct[option] " are in no paragraph"
  }
' "$work/fields" "$work/options" man/baresock_options.7 >"$work/members"
{
  diff "$work/options" "$work/paragraphs" | sed -n 's/^</in options.def: /p; s/^>/in baresock_options(7): /p'
  cat "$work/members"
  [ "$(grep -c '^OPTION(' include/baresock/options.def)" = "$(wc -l <"$work/options")" ] || echo "rows are not read"
  [ -s "$work/options" ] && [ -s "$work/fields" ] || echo "no options, or no fields"
} >"$work/options-verdict"
verdict "baresock_options(7) has every option, its type and access" "$work/options-verdict"

# The structures of structs.hpp are no names of ours, but each is in the list of baresock_fields(3), once.
sed -n 's/^struct \(\[\[.*\]\] \|alignas([0-9]*) \)\{0,1\}\([a-z0-9_]*\) {$/\2/p' include/baresock/structs.hpp |
  sort >"$work/structs"
{
  sed -n '/^\.Ss Structures of the kernel/,/^\.Sh/s/^\.It Vt \([^ ]*\)$/\1/p' man/baresock_fields.3 | sort |
    comm -3 "$work/structs" - | sed 's/^\t\(.*\)/only in baresock_fields(3): \1/; t; s/^/not in baresock_fields(3): /'
  [ -s "$work/structs" ] || echo "no structures"
} >"$work/structs-verdict"
verdict "baresock_fields(3) has every structure" "$work/structs-verdict"

# --- examples ------------------------------------------------------------------------------------------

# Each literal block of EXAMPLES is a program, if there is an int main in it; a function, if it begins with one's
# head; or else the body of a function that has a socket and an address. All but programs are compiled together.
# #line leads errors to the page.
examples() {
  awk -v work="$work" '
    /^\.Sh / { section = $2 }
    section == "EXAMPLES" && /^\.Bd -literal/ {
      file = work "/example" ++count ".part"
      print FILENAME, FNR + 1 >file
      next
    }
    /^\.Ed/ && file != "" { close(file); file = "" }
    file != "" { print >file }
  ' man/*.3 man/*.7
  local part text page line head count=0
  {
    for header in array atomic cerrno chrono csignal cstddef cstdio cstring functional string string_view thread \
      vector fcntl.h net/if.h netdb.h netinet/in.h netinet/tcp.h poll.h sys/eventfd.h sys/socket.h sys/wait.h \
      time.h type_traits unistd.h; do
      echo "#include <$header>"
    done
    echo "#include <baresock/baresock.hpp>"
    echo "using namespace baresock;"
  } >"$work/all.cpp"
  for part in "$work"/example*.part; do
    text=${part%.part}.cpp
    count=$((count + 1))
    read -r page line <"$part"
    {
      echo "#line $line \"$page\""
      sed -e 1d -e 's/^\\&//' -e 's/\\e/\\/g' -e 's/\\(dq/"/g' -e "s/\\\\(aq/'/g" -e 's/\\-/-/g' "$part"
    } >"$text"
    if grep -q 'int main(' "$text"; then
      compile "$text"
      continue
    fi
    head=$(sed -n 2p "$text")
    if [[ $head =~ ^[A-Za-z][A-Za-z0-9_:\<\>]*\ [a-z_]+\(.*\{$ ]]; then
      echo "namespace {"
      echo "[[maybe_unused]]"
      cat "$text"
      echo "}"
    else
      echo "[[maybe_unused]] static Result<void> example$count([[maybe_unused]] Socket &socket,"
      echo "    [[maybe_unused]] const SocketAddress &address) {"
      cat "$text"
      echo "return {};"
      echo "}"
    fi >>"$work/all.cpp"
  done
  compile "$work/all.cpp"
  [ "$count" -ge 20 ] || echo "only $count examples"
}
compile() {
  "$cxx" -std=c++23 -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Iinclude "$1" 2>&1
}
if command -v "$cxx" >/dev/null; then
  examples >"$work/examples-verdict"
  verdict "examples compile" "$work/examples-verdict"
else
  echo "SKIP pages: examples compile: no $cxx"
fi

# --- installed -----------------------------------------------------------------------------------------

# Every alias is found where man/install puts it, and is the page that man/links says; and --remove leaves nothing.
installed() {
  local fresh=$work/fresh alias file
  MANDIR=$fresh man/install man/*.3 man/*.7
  man/install --links >"$work/links"
  while read -r alias file; do
    [ "$(readlink -f "$fresh/man${file##*.}/$alias.${file##*.}")" -ef "man/$file" ] ||
      cmp -s "$fresh/man${file##*.}/$alias.${file##*.}" "man/$file" || echo "$alias is not $file"
  done <"$work/links"
  for alias in Socket::bind baresock::Socket::bind baresock::Inet6Address::scope_id so::linger \
    baresock::ipv6::_2292pktinfo cmsg::ip::ttl baresock::cmsg::ipv6::_2292pktinfo baresock_Error; do
    man -w -M "$fresh" "$alias" >/dev/null 2>&1 || echo "man does not find $alias"
  done
  man -w -M "$fresh" Socket::no_such >/dev/null 2>&1 && echo "man finds Socket::no_such"
  MANDIR=$fresh man/install --remove man/*.3 man/*.7
  find "$fresh" ! -type d
}
if command -v man >/dev/null && man -w -M "$stage" baresock_Error >/dev/null 2>&1; then
  installed >"$work/installed-verdict"
  verdict "man finds installed pages by their aliases" "$work/installed-verdict"
else
  echo "SKIP pages: man finds installed pages by their aliases: no man that works"
fi
