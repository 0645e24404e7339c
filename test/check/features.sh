#!/bin/bash
# SPDX-License-Identifier: MIT
# The table of features: that every name of the documents this library answers to has a row, and every row a form here
# that is an alias of man/install --links and a TEST_CASE that is there, or a reason why there is none. And
# baresock_coming_from(7) against the table. names.sh compares the aliases with the headers.
set -u
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C
table=test/check/features
page=man/baresock_coming_from.7
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

verdict() { # NAME FILE: fails if there is something in FILE
  if [ -s "$2" ]; then
    cat "$2"
    echo "FAIL features: $1"
  else
    echo "PASS features: $1"
  fi
}

# system | name | here | test case
grep -Ev '^(#|=|$)' "$table" >"$work/rows"

{
  awk -F ' \\| ' '
    { row = $1 " | " $2 }
    NF != 4 || $1 !~ /^(ucode|sjs|node|ruff)$/ || $2 == "" { print "no row: " $0; next }
    seen[row]++ { print "twice: " row }
    $4 ~ /^[ ?]*$/ { print ($3 == "-" ? "no reason: " : "no test case: ") row }
  ' "$work/rows"
  [ "$(wc -l <"$work/rows")" -gt 200 ] || echo "$table has next to no rows"
} >"$work/malformed"
verdict "every row says where, and by which test case or why not" "$work/malformed"

# "a" "b" on two lines is one name; \" in it is ".
cat test/*.cpp | sed -z 's/"\n *"//g' | grep -Eo 'TEST_CASE(_FIXTURE\([A-Za-z]+, |\()"([^"\]|\\.)*"' |
  sed 's/^[^"]*"//; s/"$//; s/\\\(.\)/\1/g' | sort -u >"$work/cases"
awk -F ' \\| ' '
  FILENAME ~ /cases$/ { known[$0]; next }
  $3 != "-" && !($4 in known) { print $1 " | " $2 ": there is no TEST_CASE(\"" $4 "\")" }
' "$work/cases" "$work/rows" >"$work/untested"
[ -s "$work/cases" ] || echo "no test cases" >>"$work/untested"
verdict "every test case is there" "$work/untested"

man/install --links | cut -d ' ' -f 1 >"$work/aliases"
awk -F ' \\| ' '
  FILENAME ~ /aliases$/ { known[$0]; next }
  $3 != "-" {
    count = split($3, names, ", ")
    for (i = 1; i <= count; ++i)
      if (!(names[i] in known))
        print $1 " | " $2 ": " names[i] " is no alias of a page"
    if (count == 0)
      print $1 " | " $2 ": no name"
  }
' "$work/aliases" "$work/rows" >"$work/unnamed"
[ -s "$work/aliases" ] || echo "no aliases" >>"$work/unnamed"
verdict "what takes their place are aliases of man/links" "$work/unnamed"

awk -F ' \\| ' '
  FILENAME ~ /rows$/ { rows[$1 " " $2]; next }
  /^= / {
    split($0, words, " ")
    names = substr($0, length(words[2]) + 4)
    count = split(names, each, "; ?")
    for (i = 1; i <= count; ++i)
      if (each[i] != "") {
        ++listed[words[2]]
        if (!((words[2] " " each[i]) in rows))
          print words[2] " | " each[i] ": no row"
      }
  }
  END {
    count = split("ucode sjs node ruff", systems, " ")
    for (i = 1; i <= count; ++i)
      if (listed[systems[i]] < 40)
        print "next to no names of " systems[i]
  }
' "$work/rows" "$table" >"$work/missing"
verdict "every name of their documents has a row" "$work/missing"

# The page: of each section "FROM system" and each .It, what stands in it (.Fn f a b is f(a, b)), and the names of the
# .Xr lines that follow, or - after "None:".
awk '
  function words(text, to,    count, word) { # of a macro line; "a b" is one
    count = 0
    while (match(text, /^ *("[^"]*"|[^ ]+)/)) {
      word = substr(text, RSTART, RLENGTH)
      text = substr(text, RLENGTH + 1)
      sub(/^ */, "", word)
      if (word ~ /^"/)
        word = substr(word, 2, length(word) - 2)
      to[++count] = word
    }
    return count
  }
  function finish() {
    for (i = 1; i <= entries; ++i)
      print of " | " entry[i] " | " here
    entries = 0
  }
  function add(name, arguments) { # of .Fn: with how many arguments
    if (name != "")
      entry[++entries] = arguments < 0 ? name : name ")"
  }
  /^\.(Sh|It|El|Ss)/ { finish() }
  /^\.Sh/ { of = $2 == "FROM" ? tolower($3) : ""; next }
  /^\.It / && of ~ /^(ucode|sjs|node)$/ {
    count = words(substr($0, 5), word)
    name = ""
    here = ""
    arguments = -1
    for (at = 1; at <= count; ++at) {
      if (word[at] == ",") {
        add(name, arguments)
        name = ""
        arguments = -1
      } else if (name == "" && word[at] ~ /^(Dv|Fn|Va|Vt)$/) {
        if (word[at] == "Fn")
          arguments = 0
        name = word[++at] (arguments == 0 ? "(" : "")
      } else {
        name = name (arguments > 0 ? ", " : "") word[at]
        ++arguments
      }
    }
    add(name, arguments)
    reading = 1
    next
  }
  reading && /^None:/ { here = "-" }
  reading && /^\.Xr / { here = here (here == "" ? "" : ", ") $2 }
  { reading = reading && /^\.Xr .* ,$/ }
  END { finish() }
' "$page" | sort >"$work/page"
{
  grep -v '^ruff ' "$work/rows" | cut -d '|' -f 1-3 | sed 's/ $//' | sort >"$work/wanted"
  comm -23 "$work/wanted" "$work/page" | sed 's/$/: not in the page/'
  comm -13 "$work/wanted" "$work/page" | sed "s,\$,: in the page\, but no row of $table,"
  grep '^ruff ' "$work/rows" | cut -d '|' -f 1-3 | sed 's/ $//; s/^ruff/node/' | sort | comm -23 - "$work/page" |
    sed "s/$/: of Ruff, but not in the page/"
} >"$work/differ"
verdict "baresock_coming_from(7) has every row and no other" "$work/differ"
