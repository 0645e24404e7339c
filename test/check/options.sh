#!/bin/bash
# SPDX-License-Identifier: MIT
# options.def against the installed headers: that every constant of theirs which is named as an option is a row, or
# on options.excluded; that rows have the headers' numbers, levels and names by the rule; that the structs of
# structs.hpp are those of the headers.
set -u
table=options
. "$(dirname "$0")/table"

# --- the rows -------------------------------------------------------------------------------------------

# One row a line: namespace, identifier, level, constant.
{ tr '\n' ' ' <"$rows"; echo; } | sed 's/OPTION(/\n&/g' |
  sed -n 's/^OPTION(\([a-z0-9_]*\), *\([a-z0-9_]*\), *\([a-z0-9_]*\), *\([A-Z0-9_]*\), .*/\1 \2 \3 \4/p' >"$work/rows"

check_rows
read_numbers OPTION

# --- the headers ----------------------------------------------------------------------------------------

find_headers asm asm-generic bits linux net netax25 netinet netpacket netrom netrose sys

# Every macro (m) and enumerator (e), and its header.
sed 's/ /\//' "$work/headers" | xargs awk '
  function found(kind, name) {
    header = FILENAME
    match(header, /\/(asm|asm-generic|bits|linux|net|netax25|netinet|netpacket|netrom|netrose|sys)\//)
    print name, kind, substr(header, RSTART + 1)
  }
  FNR == 1 { comment = pending = inside = 0 }
  {
    rest = $0
    line = ""
    for (;;) {
      if (comment) {
        if (!(end = index(rest, "*/")))
          break
        rest = substr(rest, end + 2)
        comment = 0
      }
      begin = index(rest, "/*")
      short = index(rest, "//")
      if (short && (!begin || short < begin)) {
        line = line substr(rest, 1, short - 1)
        break
      }
      if (!begin) {
        line = line rest
        break
      }
      line = line substr(rest, 1, begin - 1) " "
      rest = substr(rest, begin + 2)
      comment = 1
    }
  }
  line ~ /^[ \t]*#/ {
    if (sub(/^[ \t]*#[ \t]*define[ \t]+/, "", line) && match(line, /^[A-Za-z_0-9]+/))
      found("m", substr(line, 1, RLENGTH))
    next
  }
  !inside && line ~ /(^|[^A-Za-z_0-9])enum([^A-Za-z_0-9]|$)/ { pending = 1 }
  pending && (begin = index(line, "{")) {
    line = substr(line, begin + 1)
    inside = next_is_name = 1
    pending = 0
  }
  pending && line ~ /;/ { pending = 0 }
  inside {
    if (end = index(line, "}")) {
      line = substr(line, 1, end - 1)
      inside = 0
    }
    count = split(line, parts, ",")
    for (i = 1; i <= count; ++i) {
      if (i > 1)
        next_is_name = 1
      if (next_is_name && match(parts[i], /[A-Za-z_0-9]+/)) {
        found("e", substr(parts[i], RSTART, RLENGTH))
        next_is_name = 0
      }
    }
  }' | sort -u >"$work/all"

# How the names of options begin, and at which level they are; of two the longer.
cat >"$work/prefixes" <<'PREFIXES'
ALG_SET_ alg
AX25_ ax25
CAIFSO_ caif
CAN_ISOTP_ can_isotp
CAN_RAW_ can_raw
DCCP_SOCKOPT_ dccp
ICMP6_FILTER icmpv6
ICMPV6_FILTER icmpv6
ICMP_FILTER raw
IP6T_SO_ ipv6
IPT_SO_ ip
IPV6_ ipv6
IP_ ip
KCM_ kcm
LLC_OPT_ llc
MCAST_ ip
MCTP_OPT_ mctp
MPTCP_ mptcp
MRT6_ ipv6
MRT_ ip
NETLINK_ netlink
NETROM_ netrom
NFC_LLCP_ nfc
PACKET_ packet
PNPIPE_ pnpipe
PPPOL2TP_SO_ pppol2tp
RDS6_ rds
RDS_ rds
ROSE_ rose
RXRPC_ rxrpc
SCTP_ sctp
SMC_ smc
SO_ socket
SO_J1939_ can_j1939
SO_RDS_ rds
SO_VM_SOCKETS_ vsock
TCP_ tcp
TIPC_ tipc
TLS_ tls
UDPLITE_ udplite
UDP_ udp
X25_ x25
XDP_ xdp
PREFIXES
awk '
  NR == FNR { level[$1] = $2; next }
  {
    best = ""
    for (prefix in level)
      if (index($1, prefix) == 1 && length(prefix) > length(best))
        best = prefix
    if (best != "")
      print $1, $2, $3, level[best]
  }' "$work/prefixes" "$work/all" >"$work/constants"

# --- every constant is a row or excluded ----------------------------------------------------------------

check_exclusions

awk -v level_of="$work/level" '
  FILENAME ~ /rows$/ { row[$4] = 1; next }
  FILENAME ~ /excluded$/ {
    sub(/^[?]/, "", $1)
    if (sub(/[*]$/, "", $1))
      beginning[$1] = 1
    else
      excluded[$1] = 1
    next
  }
  seen[$1]++ { next }
  $1 in row { print $1, "row", $4 >level_of; next }
  $1 in excluded { print $1, "excluded", $4 >level_of; next }
  {
    for (some in beginning)
      if (index($1, some) == 1) {
        print $1, "excluded", $4 >level_of
        next
      }
    print $1, "unknown", $4 >level_of
    print $1 " of <" $3 "> is neither a row nor excluded"
  }' "$work/rows" "$excluded" "$work/constants" >"$work/unknown"
verdict "every constant of the headers is a row or excluded" "$work/unknown"

# Of an exclusion of what headers lack altogether (of musl, of other systems) nothing is expected.
version=$(echo '#include <linux/version.h>
LINUX_VERSION_CODE' | $cxx -E -P -x c++ - 2>/dev/null | tail -1)
awk -v old=$((${version:-0} < 393472)) '
  FILENAME ~ /rows$/ { row[$4] = 1; next }
  FILENAME ~ /constants$/ {
    constant[$1] = 1
    family[substr($1, 1, index($1, "_"))] = 1
    next
  }
  {
    newer = sub(/^[?]/, "", $1)
    beginning = $1
    many = sub(/[*]$/, "", beginning)
    matches = 0
    for (name in constant)
      if (many ? index(name, beginning) == 1 : name == beginning) {
        ++matches
        if (name in row && !many)
          print $1 " is excluded, and a row"
      }
    for (name in row)
      if (many && index(name, beginning) == 1)
        print $1 " excludes the row " name
    if (!matches && !newer && !old && substr(beginning, 1, index(beginning, "_")) in family)
      print $1 " excludes nothing"
  }' "$work/rows" "$work/constants" "$excluded" >"$work/idle"
verdict "every exclusion excludes something, and no row" "$work/idle"

# --- numbers --------------------------------------------------------------------------------------------

# One program for each header, as they cannot all be included together. Those that must not be included
# themselves come with others; asm-generic is not of every machine.
awk '
  NR == FNR { number[$1] = $2; next }
  !($1 in number) || $3 ~ /^asm-generic\// { next }
  $3 ~ /^bits\/in/ { $3 = "netinet/in.h" }
  $3 ~ /^(asm|bits)\// { $3 = "sys/socket.h" }
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
verdict "rows have the headers' numbers ($(cut -d' ' -f3 "$work/compared" | sort -u | wc -l) of them)" "$work/different"

{
  for header in sys/socket.h netinet/in.h linux/can/isotp.h linux/can/j1939.h linux/can/raw.h netax25/ax25.h \
    netrom/netrom.h netrose/rose.h; do
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
    upper=${level^^}
    echo "#ifdef SOL_$upper"
    echo "  compare(\"SOL_$upper\", SOL_$upper, level::$level);"
    echo '#endif'
  done
  for level in icmpv6 ip ipv6 raw sctp tcp udp udplite; do # protocols, of MPTCP and DCCP not
    echo "  compare(\"IPPROTO_${level^^}\", IPPROTO_${level^^}, level::$level);"
  done
  echo '  compare("AF_VSOCK", AF_VSOCK, level::vsock);'
  echo '  if (compared < 20) std::printf("compared only %d levels\n", compared);'
  echo '}'
} >"$work/levels.cpp"
if ! compile "$work/levels.cpp" -o "$work/print-levels" || ! ${WRAP-} "$work/print-levels"; then
  echo "no program"
fi >"$work/levels"
verdict "levels have the headers' numbers" "$work/levels"

# --- structs --------------------------------------------------------------------------------------------

# Struct and members, without bit-fields.
awk '
  /^struct .*\{$/ { name = $(NF - 1); next }
  /^\}/ { name = ""; next }
  name == "" || / : [0-9]/ || /^#/ { next }
  {
    sub(/ *\/\/.*/, "")
    if (sub(/(\[[0-9]*\])?;$/, ""))
      if (!seen[name, $NF]++) {
        sub(/^[*]/, "", $NF)
        print name, $NF
      }
  }' include/baresock/structs.hpp >"$work/members"

# Which header has it.
cut -d' ' -f1 "$work/members" | uniq >"$work/structs"
sed -n 's/ \(linux\/\)/\/\1/p' "$work/headers" | xargs grep -E '^struct [a-z0-9_]+ *\{' |
  sed 's,^.*/\(linux/[^:]*\):struct \([a-z0-9_]*\).*,\2 \1,' | sort -u |
  awk 'NR == FNR { ours[$1] = 1; next } $1 in ours { print $2, $1 }' "$work/structs" - | sort >"$work/where"

# Members that have another name in the kernel.
cat >"$work/renamed" <<'RENAMED'
icmp6_filter icmp6_filt data
in6_flowlabel_req flr_pad __flr_pad
rds_atomic_args compare m_cswp.compare
rds_atomic_args compare_mask m_cswp.compare_mask
rds_atomic_args swap m_cswp.swap
rds_atomic_args swap_mask m_cswp.swap_mask
RENAMED
: >"$work/unlike"
for header in $(cut -d' ' -f1 "$work/where" | uniq); do
  structs=$(awk -v header="$header" '$1 == header { print $2 }' "$work/where")
  {
    echo '#include <cstddef>'
    echo '#include <cstdio>'
    echo '#include <netinet/in.h>'
    echo '#include <sys/socket.h>'
    echo '#define iovec kernel_iovec' # linux/uio.h defines it again
    echo "#include <$header>"
    echo '#undef iovec'
    echo '#include <baresock/structs.hpp>'
    echo 'void compare(const char *name, unsigned long kernels, unsigned long ours) {'
    echo '  if (kernels != ours) std::printf("%s: %lu in the header, here %lu\n", name, kernels, ours);'
    echo '}'
    for name in $structs; do
      echo "template <class K, class O> void compare_$name() {"
      echo '  bool newer = false;'
      echo '  unsigned long end = 0;' # of the members that the header has
      awk -v name="$name" '
        FILENAME ~ /renamed$/ { renamed[$1, $2] = $3; next }
        $1 == name {
          other = ($1, $2) in renamed ? renamed[$1, $2] : $2
          print "  if constexpr (requires { sizeof(K::" other "); }) {"
          print "    compare(\"offset of " $1 "::" $2 "\", offsetof(K, " other "), offsetof(O, " $2 "));"
          print "    compare(\"size of " $1 "::" $2 "\", sizeof(K::" other "), sizeof(O::" $2 "));"
          print "    end = offsetof(K, " other ") + sizeof(K::" other ");"
          print "  } else {"
          print "    newer = true;"
          print "    if (offsetof(O, " $2 ") < end)"
          print "      std::printf(\"" $1 "::" $2 " is not in the header\\n\");"
          print "  }"
        }' "$work/renamed" "$work/members"
      echo "  if (!newer || sizeof(K) > sizeof(O)) compare(\"size of $name\", sizeof(K), sizeof(O));"
      echo "  if (end + alignof(K) <= sizeof(K)) std::printf(\"$name: the header has another member at %lu\\n\", end);"
      echo '}'
    done
    echo 'int main() {'
    for name in $structs; do
      echo "  compare_$name<::$name, baresock::$name>();"
    done
    echo '}'
  } >"$work/struct.cpp"
  if ! compile -Wno-invalid-offsetof "$work/struct.cpp" -o "$work/print-struct" >"$work/said" 2>&1; then
    echo "<$header>:"
    grep error "$work/said" | head -5
  else
    ${WRAP-} "$work/print-struct"
  fi >>"$work/unlike"
done
verdict "structs are those of the headers ($(wc -l <"$work/where") of $(wc -l <"$work/structs"))" "$work/unlike"

grep -o 'fields<[A-Za-z0-9_]*>\[\]' include/baresock/detail/struct_fields.hpp | sed 's/fields<\(.*\)>.*/\1/' | sort \
  >"$work/with-fields"
tr '\n' ' ' <test/fields.cpp | sed 's/.*using EveryStruct = *Structs<\([^>]*\)>.*/\1/' | grep -o '[A-Za-z0-9_]*' | sort \
  >"$work/tested"
diff "$work/with-fields" "$work/tested" >"$work/untested"
verdict "test/fields.cpp has every struct that has fields" "$work/untested"

# --- how many -------------------------------------------------------------------------------------------

echo "level       rows  in headers  excluded"
awk '
  FILENAME ~ /numbers$/ {
    if (!rows[$3]++)
      order[++levels] = $3
    next
  }
  $2 == "row" { ++found[$3] }
  $2 == "excluded" { ++excluded[$3] }
  END {
    for (i = 1; i <= levels; ++i) {
      level = order[i]
      printf "%-10s %5d %11d %9d\n", level, rows[level], found[level], excluded[level]
      all += rows[level]
      in_headers += found[level]
      without += excluded[level]
    }
    printf "%-10s %5d %11d %9d\n", "all", all, in_headers, without
  }' "$work/numbers" "$work/level"
