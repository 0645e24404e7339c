#!/bin/bash
# SPDX-License-Identifier: MIT
# What the kernel sees of each method, by strace: one call, nothing unasked, and the errors that it gives.
# Prints PASS, FAIL and SKIP lines, as test/run counts them.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
work=$build/check
driver=$work/syscalls
log=$work/syscalls.log
mkdir -p "$work"

verdict() { # name, what is wrong (nothing: PASS)
  if [ -z "$2" ]; then
    echo "PASS syscalls: $1"
  else
    printf '%s\n' "$2" | head -n 20
    echo "FAIL syscalls: $1"
  fi
}

if ! command -v strace >/dev/null; then
  echo "SKIP syscalls: no strace"
  exit 0
elif ! strace -o /dev/null true 2>/dev/null; then
  echo "SKIP syscalls: strace may not trace here"
  exit 0
elif ! make -s BUILD="$build" "$build/libbaresock.a" ||
  ! ${CXX:-g++} -std=c++23 ${CXXFLAGS:--O2} -Iinclude test/syscalls/driver.cpp "$build/libbaresock.a" -o "$driver"; then
  echo "FAIL syscalls: test/syscalls/driver.cpp does not build"
  exit 0
fi
export ASAN_OPTIONS=detect_leaks=0 # the leak sanitizer cannot work under another ptrace

# 1. Between its marks each method makes just the calls that the mark says, and no other.
if output=$(strace -qq -s 100 -o "$log" "$driver" count); then
  wrong=$(awk '
    /^write\(-1, "begin / { split($0, text, "\""); split(text[2], mark, " "); open = 1; seen = 0; next }
    /^(mmap|munmap|madvise|futex)\(/ { next } # a sanitizer at work
    /^write\(-1, "end"/ {
      if (seen != mark[4])
        print mark[2] ": " seen " of " mark[4] " calls of " mark[3]
      open = 0
      ++methods
      next
    }
    open && index($0, mark[3] "(") == 1 { ++seen; next }
    open { print mark[2] ": " $0 }
    END { if (methods < 75) print "only " methods + 0 " methods" }' "$log")
else
  wrong="$driver count: $output"
fi
verdict "each method makes its call, once, and no other" "$wrong"

# 2. Close is called once for a descriptor, even if it was interrupted. (strace fails the call before it is made, and
# counts calls since the start: so the first run says which one it is.)
wrong=
for method in close destructor move clear; do
  strace -qq -e trace=close,write -o "$log" "$driver" "$method" >/dev/null
  number=$(awk '/^write\(-1, "begin / { print closes + 1; exit } /^close\(/ { ++closes }' "$log")
  output=$(strace -qq -e trace=close,write -e inject=close:error=EINTR:when="$number+" -o "$log" "$driver" "$method")
  closes=$(awk '/^write\(-1, "begin / { open = 1 } /^write\(-1, "end"/ { open = 0 } open && /^close\(/' "$log")
  [ "$(grep -c 'EINTR' <<<"$closes")" = 1 ] && [ "$(wc -l <<<"$closes")" = 1 ] ||
    wrong+="$method: ${closes:-no close}"$'\n'
  [ "$method" != close ] || [ "$output" = "close EINTR" ] || wrong+="close: reported $output"$'\n'
done
verdict "an interrupted close is not tried again" "$wrong"

# 3. Nothing is set unasked, no signal is touched, every descriptor is close-on-exec, every send is without SIGPIPE.
if output=$(strace -qq -o "$log" "$driver" serve); then
  wrong=$(awk '
    /^setsockopt\(|^ioctl\(|^fcntl\(|SIGPIPE/ { print "unasked: " $0 }
    /^(socket|socketpair|accept4)\(/ { ++made; if (!/SOCK_CLOEXEC/) print "not close-on-exec: " $0 }
    /^accept\(/ { print "not accept4: " $0 }
    /^send/ { ++sent; if (!/MSG_NOSIGNAL/) print "may raise SIGPIPE: " $0 }
    /^recvm/ { ++passed; if (!/[]}], ([0-9]+, )?[A-Z_|]*MSG_CMSG_CLOEXEC/) print "not close-on-exec: " $0 }
    END { if (made < 7 || sent < 5 || passed < 2) print "only " made + 0 "/" sent + 0 "/" passed + 0 " calls" }' "$log")
else
  wrong="$driver serve: $output"
fi
verdict "a server and a client set nothing unasked" "$wrong"

# 4. The error of the kernel is the error that is reported: method, system call, its errors.
wrong=
count=0
while read -r method call errors; do
  for error in $errors; do
    strace -qq -e trace="$call,write" -o "$log" "$driver" "$method" >/dev/null
    number=$(awk -v call="$call(" '/^write\(-1, "begin / { print calls + 1; exit } index($0, call) == 1 { ++calls }' \
      "$log")
    output=$(strace -qq -e trace="$call" -e inject="$call:error=$error:when=$number" -o "$log" "$driver" "$method")
    operation=${method%_size}
    case $method in
    accept | accept_from) operation=accept4 ;;
    dup | *nonblocking | *close_on_exec) operation=fcntl ;;
    bytes_*) operation=ioctl ;;
    sendmsg_* | send_fds | send_segments) operation=sendmsg ;;
    sendmmsg_all) operation=sendmmsg ;;
    zero_copy_send) operation=send ;;
    recvmsg_* | recv_fds | recv_segments | recv_error) operation=recvmsg ;;
    from_fd | getsockopt_*) operation=getsockopt ;;
    setsockopt_*) operation=setsockopt ;;
    esac
    [ "$output" = "$operation $error" ] || wrong+="$method, $error: reported $output"$'\n'
    count=$((count + 1))
  done
done <<'END'
socket socket EMFILE EACCES
socketpair socketpair ENFILE
bind bind EADDRINUSE
connect connect EINTR EINPROGRESS ECONNREFUSED
listen listen EADDRINUSE
accept accept4 ECONNABORTED EMFILE
accept_from accept4 EPROTO ENETDOWN
dup fcntl EMFILE
getsockname getsockname ENOBUFS
getpeername getpeername ENOTCONN
send sendto EPIPE EINTR
sendto sendto EMSGSIZE
sendmsg sendmsg ETOOMANYREFS
sendmsg_control sendmsg EINVAL
sendmsg_descriptors sendmsg EBADF
send_fds sendmsg EAGAIN
send_segments sendmsg EIO
sendmmsg sendmmsg ENOBUFS
sendmmsg_all sendmmsg EINTR
zero_copy_send sendto ENOBUFS
recv recvfrom EINTR ECONNRESET
recv_size recvfrom EAGAIN
recvfrom recvfrom EINTR
recvfrom_size recvfrom ENOMEM
recvmsg recvmsg EINTR
recvmsg_control recvmsg EAGAIN
recvmsg_descriptors recvmsg EINTR
recv_fds recvmsg ECONNRESET
recv_segments recvmsg ENOMEM
recv_error recvmsg EINTR
recvmmsg recvmmsg ECONNREFUSED
sendfile sendfile EIO
getsockopt getsockopt ENOPROTOOPT
getsockopt_timeval getsockopt EINVAL
getsockopt_grown getsockopt EOPNOTSUPP
getsockopt_filter getsockopt EACCES
getsockopt_peercred getsockopt ENODATA
getsockopt_row getsockopt ENOPROTOOPT
setsockopt setsockopt EDOM
setsockopt_linger setsockopt EINVAL
setsockopt_filter setsockopt ENOMEM
setsockopt_none setsockopt EPERM
setsockopt_row setsockopt EACCES
from_fd getsockopt ENOTSOCK
sockatmark ioctl EINVAL
bytes_readable ioctl ENOTTY
bytes_unsent ioctl EFAULT
nonblocking fcntl EBADF
set_nonblocking fcntl EPERM
set_close_on_exec fcntl EINVAL
shutdown shutdown ENOTCONN
END
verdict "the kernel's error is the one reported, $count times" "$wrong"

# 5. A helper makes the calls that its comment says, in that order, sets no option but those that it says, and every
# descriptor is close-on-exec. getpid belongs to the removal of a path.
calls='
  /^write\(-1, "begin / {
    match($0, /"begin [^"]*/)
    mark = substr($0, RSTART + 7, RLENGTH - 7)
    open = 1
    seen = ""
    next
  }
  /^write\(-1, "end"/ { over(mark, seen); open = 0; next }
  /^(mmap|munmap|madvise|brk|futex|getpid|clock_gettime|clock_gettime64)\(/ || !open { next }
  {
    call = $0
    sub(/\(.*/, "", call)
    sub(/^(newfstatat|fstatat64|lstat64)$/, "lstat", call)
    sub(/^openat$/, "open", call)
    sub(/^fchmodat2?$/, "chmod", call)
    sub(/^unlinkat$/, "unlink", call)
    sub(/^fcntl64$/, "fcntl", call)
    sub(/^ppoll_time(32|64)$/, "ppoll", call)
    if (match($0, /^[gs]etsockopt\([0-9]+, [A-Z0-9_]+, [A-Z0-9_]+/)) {
      option = substr($0, RSTART, RLENGTH)
      sub(/.* /, "", option)
      call = call ":" option
    } else if (match($0, /^fcntl[0-9]*\([0-9]+, [A-Z_]+/)) {
      option = substr($0, RSTART, RLENGTH)
      sub(/.* /, "", option)
      call = call ":" option
    }
    seen = seen (seen == "" ? "" : " ") call
    if (/^(socket|accept4|openat|open)\(/ && !/[A-Z]_CLOEXEC/)
      print "not close-on-exec: " $0
    if (/^accept\(|^dup|SIGPIPE/ || (/^send/ && !/MSG_NOSIGNAL/))
      print "unasked: " $0
  }'
if output=$(strace -qq -s 500 -o "$log" "$driver" helpers); then
  wrong=$(awk '
    function over(mark, seen) {
      ++helpers
      expected = substr(mark, index(mark, "/") + 1)
      if (seen !~ "^(" expected ")$")
        print mark ": " seen
    }
    END { if (helpers < 33) print "only " helpers + 0 " helpers" }'"$calls" "$log")
else
  wrong="$driver helpers: $output"
fi
verdict "helpers make the calls that they say, in order, and set nothing unasked" "$wrong"

# 6. Errors on the way: helper, system call, error, how many times, what comes of it.
wrong=
count=0
while read -r helper call error times expected; do
  strace -qq -e trace="$call,write" -o "$log" "$driver" helper "$helper" >/dev/null
  number=$(awk -v call="$call(" '/^write\(-1, "begin / { print calls + 1; exit } index($0, call) == 1 { ++calls }' \
    "$log")
  inject=$call:error=$error:when=$number..$((number + times - 1))
  output=$(timeout 60 strace -qq -e trace="$call" -e inject="$inject" -o "$log" "$driver" helper "$helper")
  injected=$(grep -c 'INJECTED' "$log")
  [ "$output" = "$expected" ] && [ "$injected" = "$times" ] ||
    wrong+="$helper, $times of $error: said $output, after $injected"$'\n'
  count=$((count + 1))
done <<'END'
poll ppoll EINTR 1 ppoll EINTR
wait_for ppoll EINTR 3 ok
wait_for ppoll ENOMEM 1 ppoll ENOMEM
send_all sendmsg EINTR 3 ok
send_all sendmsg EAGAIN 3 ok
send_all sendmsg EPIPE 1 sendmsg EPIPE
send_all_cancellable ppoll EINTR 3 ok
recv_exact recvfrom EINTR 3 ok
recv_exact recvfrom EAGAIN 3 ok
recv_exact recvfrom ECONNRESET 1 recv ECONNRESET
recv_until_eof recvfrom EINTR 3 ok
recv_until_eof_limit recvfrom EINTR 3 ok
recv_until_eof_limit recvfrom ETIMEDOUT 1 recv ETIMEDOUT
finish sendmsg EINTR 3 ok
finish recvfrom EINTR 3 ok
finish recvfrom EAGAIN 2 ok
finish recvfrom ECONNRESET 1 recv ECONNRESET
finish shutdown EBADF 1 shutdown EBADF
connect_to ppoll EINTR 3 ok
connect_to socket EMFILE 1 socket EMFILE
connect_to connect ENETUNREACH 1 connect ENETUNREACH
connect_to fcntl EPERM 1 fcntl EPERM
connect_to_path connect EINTR 3 ok
connect_to_path connect EAGAIN 3 ok
connect_to_options bind EADDRINUSE 1 bind EADDRINUSE
connect_until ppoll EINTR 3 ok
connect_until getsockopt ENOBUFS 1 getsockopt ENOBUFS
listen_on listen EADDRINUSE 1 listen EADDRINUSE
listen_on bind EACCES 1 bind EACCES
listen_on_path_options flock EINTR 3 ok
listen_on_path_options flock ENOLCK 1 flock ENOLCK
listen_on_path_options fchmod EPERM 1 fchmod EPERM
accept_until accept4 EINTR 3 ok
accept_until accept4 EAGAIN 3 ok
accept_until accept4 ECONNABORTED 1 accept4 ECONNABORTED
accept_until_deadline ppoll EINTR 3 ok
accept_each accept4 ECONNABORTED 1 ECONNABORTED ok ok
accept_each accept4 EPROTO 3 EPROTO EPROTO EPROTO ok ok
accept_each accept4 EMFILE 2 EMFILE EMFILE ok ok
accept_each accept4 EINTR 3 ok ok
accept_each accept4 EINVAL 1 EINVAL
END
verdict "helpers go on, or say the kernel's error, $count times" "$wrong"
exit 0
