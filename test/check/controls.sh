#!/bin/bash
# SPDX-License-Identifier: MIT
# controls.def against the installed headers: that every constant of theirs which is named as a kind of control
# message is a row, or on controls.excluded; that rows have the headers' numbers, levels and names by the rule. And
# baresock_controls(7) against controls.def. Structs are compared by options.sh.
set -u
table=controls
. "$(dirname "$0")/table"
page=man/baresock_controls.7

# --- the rows -------------------------------------------------------------------------------------------

# One row a line: namespace, identifier, level, constant, direction, type.
word='\([A-Za-z0-9_]*\)'
sed -z 's/,\n */, /g' "$rows" |
  sed -n "s/^CONTROL($word, $word, $word, $word, .*, \(receive\|send\|both\), \(.*\))$/\1 \2 \3 \4 \5 \6/p" \
    >"$work/rows"
check_rows
read_numbers CONTROL

# --- the page -------------------------------------------------------------------------------------------

# The paragraphs of baresock_controls(7) are the rows, in order and below their levels, each with its type and
# direction. Members that are listed are those that fields<> of the type names, and every struct that has fields<> and
# is a kind's is listed.
awk '
  BEGIN {
    direction["received."] = "receive"
    direction["sent."] = "send"
    direction["received and sent."] = "both"
  }
  /^\.Ss (SOL|IPPROTO)_/ {
    level = tolower($2)
    sub(/^[a-z]*_/, "", level)
    if (level == "vsock") # that of options is AF_VSOCK
      level = "sol_vsock"
  }
  /^\.S[hs] [^SI]/ { level = "" }
  /^\.It Dv [A-Z0-9_]+ Pq Va cmsg::/ && level != "" {
    name = $6
    sub(/^cmsg::/, "", name)
    sub(/::/, " ", name)
    constant = $3
    line = NR
    next
  }
  constant != "" && NR == line + 1 { sub(/^\.Vt /, ""); gsub(/"| ,$/, ""); type = $0 }
  constant != "" && NR == line + 2 {
    print name, level, constant, $0 in direction ? direction[$0] : "(" $0 ")", type
    constant = ""
  }
' "$page" >"$work/paragraphs"
{
  diff "$work/rows" "$work/paragraphs" | sed -n "s,^<,in $rows: ,p; s/^>/in baresock_controls(7): /p"
  [ -s "$work/paragraphs" ] || echo "no paragraphs"
} >"$work/differ"
verdict "baresock_controls(7) has every kind, its direction and type" "$work/differ"

# Struct and field, of all headers.
awk '
  /fields<[A-Za-z0-9_]+>\[\]/ { match($0, /fields<[^>]*/); name = substr($0, RSTART + 7, RLENGTH - 7) }
  /^};/ { name = "" }
  name != "" {
    while (match($0, /"[a-z0-9_]+"/)) {
      print name, substr($0, RSTART + 1, RLENGTH - 2)
      $0 = substr($0, RSTART + RLENGTH)
    }
  }
' include/baresock/*.hpp include/baresock/detail/struct_fields.hpp >"$work/fields"
awk '
  FILENAME ~ /fields$/ { fields[$1] = fields[$1] " " $2; next }
  FILENAME ~ /rows$/ {
    kind = $6
    if (kind ~ /^Error[46]$/)
      kind = "ReceivedError"
    if (kind ~ /^Timespecs/)
      kind = "Timestamping"
    if (kind in fields)
      struct[$4] = kind
    next
  }
  /^\.It Dv [A-Z0-9_]+ Pq Va / { constant = $3; next }
  /^Members?:$/ {
    if (!(constant in struct))
      print FILENAME ":" FNR ": " constant " has no members"
    expected = fields[struct[constant]]
    listed[struct[constant]] = 1
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
        print FILENAME ":" FNR ": members of " constant ":" names "; not" expected
    }
  }
  END {
    for (constant in struct)
      if (!listed[struct[constant]]++)
        print "the members of " struct[constant] " are in no paragraph"
  }
' "$work/fields" "$work/rows" "$page" >"$work/members"
grep -q '^Timestamping ' "$work/fields" && grep -q '^ReceivedError ' "$work/fields" ||
  echo "fields<> are not read" >>"$work/members"
verdict "baresock_controls(7) lists the members of every struct" "$work/members"

# What it names as an option or a kind is one.
{
  sed -n 's/^OPTION(\([^,]*\), \([^,]*\),.*/\1::\2/p' include/baresock/options.def
  awk '{ print "cmsg::" $1 "::" $2 }' "$work/rows"
} | sort >"$work/names"
grep -oE '^\.(It Dv .* Pq Va|Xr|Va) [a-z0-9_]+(::[a-z0-9_]+)+' "$page" | sed 's/.* //' | grep -v '^baresock::' |
  sort -u | comm -23 - "$work/names" | sed 's/$/ is neither an option nor a kind/' >"$work/nameless"
verdict "baresock_controls(7) refers to options and kinds that there are" "$work/nameless"

# --- the headers ----------------------------------------------------------------------------------------

find_headers asm asm-generic bits bluetooth linux net netinet netpacket sys

# How the names of kinds look.
cat >"$work/patterns" <<'PATTERNS'
^ALG_SET_
^[A-Z0-9]+_SCM_
^HCI_CMSG_
^IPV6_2292
^RDS_CMSG_
^RXRPC_[A-Z_]*$
^SCM_
^SCTP_DSTADDR
^SCTP_[A-Z]*INFO$
^SO_DEVMEM_
^SO_TIMESTAMP
^TCP_CM_
^TIPC_(DESTNAME|ERRINFO|RETDATA)$
AUXDATA$
ORIGDSTADDR$
RECVERR$
_ERRQUEUE$
_PKTINFO$
_RECORD_TYPE$
PATTERNS

# Every macro (m) and enumerator (e) that is a row or looks like a kind, and its header: enumerators by how the lines
# begin.
sed 's/ /\//' "$work/headers" | xargs awk -v patterns="$work/patterns" -v numbers="$work/numbers" '
  BEGIN {
    while ((getline line <patterns) > 0)
      pattern = pattern (pattern == "" ? "" : "|") line
    while ((getline line <numbers) > 0) {
      sub(/ .*/, "", line)
      row[line] = 1
    }
  }
  !/^[ \t]*(#[ \t]*define[ \t]+)?[A-Z][A-Z0-9_]+/ { next }
  {
    kind = sub(/^[ \t]*#[ \t]*define[ \t]+/, "") ? "m" : "e"
    sub(/^[ \t]+/, "")
    match($0, /^[A-Za-z0-9_]+/)
    name = substr($0, 1, RLENGTH)
    rest = substr($0, RLENGTH + 1)
    if (kind == "e" ? rest !~ /^[ \t]*(=|,|$|\/\*)/ : rest ~ /^\(/)
      next
    if (!(name in row) && name !~ pattern)
      next
    header = FILENAME
    match(header, /\/(asm|asm-generic|bits|bluetooth|linux|net|netinet|netpacket|sys)\//)
    print name, kind, substr(header, RSTART + 1)
  }' | sort -u >"$work/constants"

check_exclusions

awk '
  FILENAME ~ /rows$/ { row[$4] = 1; next }
  FILENAME ~ /excluded$/ {
    sub(/^[?]/, "", $1)
    if (sub(/[*]$/, "", $1))
      beginning[$1] = 1
    else
      excluded[$1] = 1
    next
  }
  $1 in row || $1 in excluded || seen[$1]++ { next }
  {
    for (some in beginning)
      if (index($1, some) == 1)
        next
    print $1 " of <" $3 "> is neither a row nor excluded"
  }' "$work/rows" "$excluded" "$work/constants" >"$work/unknown"
verdict "every constant of the headers is a row or excluded" "$work/unknown"

version=$(echo '#include <linux/version.h>
LINUX_VERSION_CODE' | $cxx -E -P -x c++ - 2>/dev/null | tail -1)
awk -v old=$((${version:-0} < 393472)) '
  FILENAME ~ /rows$/ { row[$4] = 1; next }
  FILENAME ~ /constants$/ { constant[$1] = 1; next }
  {
    newer = sub(/^[?]/, "", $1)
    beginning = $1
    many = sub(/[*]$/, "", beginning)
    matches = 0
    for (name in constant)
      if (many ? index(name, beginning) == 1 : name == beginning)
        ++matches
    for (name in row)
      if (many ? index(name, beginning) == 1 : name == beginning)
        print $1 " excludes the row " name
    if (!matches && !newer && !old)
      print $1 " excludes nothing"
  }' "$work/rows" "$work/constants" "$excluded" >"$work/idle"
verdict "every exclusion excludes something, and no row" "$work/idle"

# --- numbers --------------------------------------------------------------------------------------------

# One program for each header, as they cannot all be included together. Those that must not be included themselves
# come with others; what of asm-generic this machine has comes with its own.
awk '
  NR == FNR { number[$1] = $2; next }
  !($1 in number) { next }
  $3 ~ /^bits\/in/ { $3 = "netinet/in.h" }
  $3 ~ /^(asm|asm-generic|bits)\// { $3 = "sys/socket.h" }
  { print $3, $2, $1, number[$1] }' "$work/numbers" "$work/constants" | sort -u >"$work/compared"
: >"$work/different"
for header in $(cut -d' ' -f1 "$work/compared" | sort -u); do
  {
    # What some need and do not include.
    echo '#include <netinet/in.h>'
    echo '#include <sys/socket.h>'
    echo "#include <$header>"
    awk -v header="$header" '
      $1 == header && $2 == "m" { print "#ifdef " $3 }
      $1 == header { print "static_assert(int(" $3 ") == " $4 ", \"" $3 "\");" }
      $1 == header && $2 == "m" { print "#endif" }' "$work/compared"
  } >"$work/compared.cpp"
  compile -fsyntax-only "$work/compared.cpp" >"$work/said" 2>&1 || {
    echo "<$header>:"
    grep -E 'error' "$work/said"
  } >>"$work/different"
done
count=$(cut -d' ' -f3 "$work/compared" | sort -u | wc -l)
verdict "rows have the headers' numbers ($count of them)" "$work/different"

{
  for header in sys/socket.h netinet/in.h linux/can/j1939.h linux/can/raw.h linux/vm_sockets.h; do
    echo "#if __has_include(<$header>)"
    echo "#include <$header>"
    echo '#endif'
  done
  echo '#include <baresock/option.hpp>'
  echo '#include <cstdio>'
  echo 'using namespace baresock::detail;'
  echo 'int compared = 0;'
  echo 'void compare(const char *name, int header, int ours) {'
  echo '  ++compared;'
  echo '  if (header != ours) std::printf("%s is %d, not %d\n", name, header, ours);'
  echo '}'
  echo 'int main() {'
  cut -d' ' -f3 "$work/numbers" | uniq | while read -r level; do
    upper=${level#sol_}
    upper=${upper^^}
    echo "#ifdef SOL_$upper"
    echo "  compare(\"SOL_$upper\", SOL_$upper, level::$level);"
    echo '#endif'
  done
  for level in ip ipv6 sctp tcp udp; do
    echo "  compare(\"IPPROTO_${level^^}\", IPPROTO_${level^^}, level::$level);"
  done
  echo '  if (compared < 15) std::printf("compared only %d levels\n", compared);'
  echo '}'
} >"$work/levels.cpp"
if ! compile "$work/levels.cpp" -o "$work/print-levels" || ! ${WRAP-} "$work/print-levels"; then
  echo "no program"
fi >"$work/levels"
verdict "levels have the headers' numbers" "$work/levels"

# --- how many -------------------------------------------------------------------------------------------

echo "level       rows  received  sent"
awk '
  !rows[$3]++ { order[++levels] = $3 }
  $5 != "send" { ++received[$3] }
  $5 != "receive" { ++sent[$3] }
  END {
    for (i = 1; i <= levels; ++i) {
      level = order[i]
      printf "%-10s %5d %9d %5d\n", level, rows[level], received[level], sent[level]
      all += rows[level]
      all_received += received[level]
      all_sent += sent[level]
    }
    printf "%-10s %5d %9d %5d\n", "all", all, all_received, all_sent
  }' "$work/rows"
