// SPDX-License-Identifier: MIT
/// Typed options against the kernel. "Trap" counts those that other wrappers fell into: what the kernel does is asked
/// with the raw call, beside what ours makes of it.

#include "network.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <limits>
#include <linux/filter.h>
#include <net/ethernet.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <thread>
#include <vector>

using namespace baresock;
using namespace std::chrono_literals;

namespace {

using Octets = std::vector<unsigned char>;

/// What getsockopt(2) answers, given so much room.
template <class T, Access A>
Octets raw(const Socket &socket, const Option<T, A> &option, std::size_t room = 4096) {
  Octets bytes(room, 0xee);
  auto length = static_cast<socklen_t>(room);
  CAPTURE(std::string(option.name));
  REQUIRE(::getsockopt(socket.fd(), option.level, option.number, bytes.data(), &length) == 0);
  REQUIRE(length <= room);
  bytes.resize(length);
  return bytes;
}

/// The same as a T, in exactly its room.
template <class R, class T, Access A>
R raw_as(const Socket &socket, const Option<T, A> &option) {
  Octets bytes = raw(socket, option, sizeof(R));
  REQUIRE(bytes.size() == sizeof(R));
  R value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

template <class T>
Octets octets(const T &object) {
  Octets bytes(sizeof object);
  std::memcpy(bytes.data(), &object, sizeof object);
  return bytes;
}

Octets octets(const Bytes &bytes) {
  Octets copy(bytes.size());
  if (!copy.empty())
    std::memcpy(copy.data(), bytes.data(), copy.size());
  return copy;
}

template <class T>
Octets octets(const List<T> &list) {
  Octets copy(list.size() * sizeof(T));
  if (!copy.empty())
    std::memcpy(copy.data(), list.data(), copy.size());
  return copy;
}

Socket tcp4() { return VALUE(Socket::socket(AF_INET, SOCK_STREAM)); }
Socket udp4() { return VALUE(Socket::socket(AF_INET, SOCK_DGRAM)); }

in_addr inet(const char *text) {
  return {htonl(VALUE(VALUE(SocketAddress::parse(text)).get<Inet4Address>()).address)};
}
in6_addr inet6(const char *text) { return VALUE(VALUE(SocketAddress::parse(text)).get<Inet6Address>()).address; }

bool operator==(in_addr a, in_addr b) { return a.s_addr == b.s_addr; }

/// Was a call refused because this kernel, or this user, may not?
template <class T>
bool refused(const Result<T> &result, std::initializer_list<int> codes = {ENOPROTOOPT, EOPNOTSUPP, EPERM, EACCES}) {
  return !result && std::ranges::any_of(codes, [&](int code) { return result.error().is(code); });
}

/// A filter of so many instructions that lets `bytes` of a packet pass.
std::vector<sock_filter> filter_of(std::size_t instructions, unsigned bytes) {
  std::vector<sock_filter> code;
  for (std::size_t i = 0; i + 1 < instructions; ++i)
    code.push_back({BPF_LD | BPF_IMM, 0, 0, static_cast<unsigned>(i)});
  code.push_back({BPF_RET | BPF_K, 0, 0, bytes});
  return code;
}

} // namespace

TEST_SUITE_BEGIN("option");

// --- times ---------------------------------------------------------------------------------------------

TEST_CASE("timeouts: rounded up with carry, never to 0 (trap 21, defect 35)") {
  using Fraction = std::chrono::duration<double>;
  struct {
    Microseconds given;
    long long least; // microseconds; the kernel rounds up to its ticks
  } const cases[] = {
      {1ns, 1},
      {999ns, 1},
      {1us, 1},
      {1001ns, 2},
      {250ms, 250'000},
      {999'999'500ns, 1'000'000}, // not {0, 1000000}, which is EDOM
      {1'999'999'001ns, 2'000'000},
      {1s, 1'000'000},
      {1min, 60'000'000},
      {24h, 86'400'000'000},
      {Fraction(0.25), 250'000},
      {Fraction(1e-12), 1},
      {std::chrono::duration<float, std::milli>(0.5f), 500},
      {std::chrono::duration<int, std::ratio<1, 3>>(1), 333'334},
      {Nanoseconds(1), 1},
      {Milliseconds(3), 3000},
      {Seconds(7), 7'000'000},
  };
  Socket socket = tcp4();
  for (const auto &option : {so::rcvtimeo, so::sndtimeo})
    for (const auto &row : cases) {
      CAPTURE(std::string(option.name));
      CAPTURE(row.least);
      VALUE(socket.setsockopt(option, row.given));
      const auto time = raw_as<timeval>(socket, option);
      const long long count = time.tv_sec * 1'000'000LL + time.tv_usec;
      CHECK(count >= row.least);
      CHECK(count <= row.least + 20'000); // at 100 ticks a second and more
      CHECK(VALUE(socket.getsockopt(option)) == Microseconds(count));
    }
  // Whole ticks of any clock are exact.
  VALUE(socket.setsockopt(so::rcvtimeo, 999'999'500ns));
  CHECK(VALUE(socket.getsockopt(so::rcvtimeo)) == 1s);
}

TEST_CASE("timeouts: what cannot be is EDOM, and the old one is kept (trap 21)") {
  using Fraction = std::chrono::duration<double>;
  const Microseconds cases[] = {
      -1ns * 1000,
      -1s,
      std::chrono::hours::min(),
      std::chrono::hours::max(), // overflows in microseconds
      Microseconds::max(),
      std::chrono::microseconds::min(),
      std::chrono::seconds::max(),
      Fraction(std::numeric_limits<double>::quiet_NaN()),
      Fraction(std::numeric_limits<double>::infinity()),
      Fraction(-std::numeric_limits<double>::infinity()),
      Fraction(1e30),
      Fraction(-0.5),
  };
  Socket socket = tcp4();
  for (const auto &option : {so::rcvtimeo, so::sndtimeo}) {
    VALUE(socket.setsockopt(option, 3s));
    for (Microseconds given : cases) {
      CAPTURE(given.count());
      CHECK_ERROR(socket.setsockopt(option, given), EDOM, setsockopt);
      CHECK(VALUE(socket.getsockopt(option)) == 3s);
    }
    // The raw call takes a negative time, and then waits for ever or not at all: that is why.
    const timeval negative = {-1, 0};
    VALUE(socket.setsockopt(option.level, option.number, ConstBuffer(&negative, sizeof negative)));
    CHECK(VALUE(socket.getsockopt(option)) == 0s);
  }
  // The longest there is, and back.
  VALUE(socket.setsockopt(so::rcvtimeo, Microseconds(Microseconds::max().count() - 1'000'000)));
  CHECK(VALUE(socket.getsockopt(so::rcvtimeo)).count() >= Microseconds::max().count() - 1'000'000);
  VALUE(socket.setsockopt(so::rcvtimeo, 0s)); // asked for: no timeout
  CHECK(VALUE(socket.getsockopt(so::rcvtimeo)) == 0s);
}

TEST_CASE("a timeout ends a receive") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
  VALUE(a.setsockopt(so::rcvtimeo, 1ns));
  char byte;
  CHECK_ERROR(a.recv({&byte, 1}), EAGAIN, recv);
}

TEST_CASE("the old and the new form of a timeout are the same time") {
  Socket socket = tcp4();
  VALUE(socket.setsockopt(so::rcvtimeo_old, 2s));
  CHECK(VALUE(socket.getsockopt(so::rcvtimeo)) == 2s);
  auto set = socket.setsockopt(so::rcvtimeo_new, 3500ms);
  if (refused(set))
    SKIP("SO_RCVTIMEO_NEW is of Linux 5.1");
  CHECK(VALUE(socket.getsockopt(so::rcvtimeo_old)) == 3500ms);
  CHECK(raw_as<std::array<std::int64_t, 2>>(socket, so::rcvtimeo_new) == std::array<std::int64_t, 2>{3, 500'000});
  CHECK(VALUE(socket.getsockopt(so::rcvtimeo_new)) == 3500ms);
}

TEST_CASE("linger: whole seconds, rounded up; 200 stays 200 (trap 22)") {
  Socket socket = tcp4();
  CHECK(VALUE(socket.getsockopt(so::linger)) == Linger::off());
  struct {
    Linger given;
    int onoff, seconds;
  } const cases[] = {
      {Linger::wait(200s), 1, 200}, // 0xc8, which is no text in UTF-8
      {Linger::wait(500ms), 1, 1},  {Linger::wait(1ns), 1, 1},
      {Linger::wait(1001ms), 1, 2}, {Linger::wait(Seconds(INT_MAX)), 1, INT_MAX},
      {Linger::wait(0s), 1, 0},     {Linger::abort(), 1, 0},
      {{true, 5s}, 1, 5},
  };
  for (const auto &row : cases) {
    CAPTURE(row.seconds);
    VALUE(socket.setsockopt(so::linger, row.given));
    const auto value = raw_as<linger>(socket, so::linger);
    CHECK(value.l_onoff == row.onoff);
    CHECK(value.l_linger == row.seconds);
    CHECK(VALUE(socket.getsockopt(so::linger)) == row.given);
  }
  VALUE(socket.setsockopt(so::linger, Linger::off()));
  CHECK(raw_as<linger>(socket, so::linger).l_onoff == 0);
  CHECK_FALSE(VALUE(socket.getsockopt(so::linger)).on);
}

TEST_CASE("linger: what cannot be is EDOM, and the old one is kept (trap 22)") {
  Socket socket = tcp4();
  VALUE(socket.setsockopt(so::linger, Linger::wait(9s)));
  for (Seconds given : {Seconds(-1), Seconds(std::chrono::hours::max()), Seconds::max(), Seconds(INT_MAX + 1LL),
                        Seconds(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()))}) {
    CAPTURE(given.count());
    CHECK_ERROR(socket.setsockopt(so::linger, Linger::wait(given)), EDOM, setsockopt);
    CHECK_ERROR(socket.setsockopt(so::linger, Linger{false, given}), EDOM, setsockopt);
    CHECK(VALUE(socket.getsockopt(so::linger)) == Linger::wait(9s));
  }
}

TEST_CASE("Linger::abort() is a reset for the peer, off() an end (trap 22)") {
  char byte;
  {
    Connection connection;
    VALUE(connection.client.setsockopt(so::linger, Linger::abort()));
    VALUE(connection.client.close());
    CHECK_ERROR(connection.server.recv({&byte, 1}), ECONNRESET, recv);
  }
  {
    Connection connection;
    VALUE(connection.client.setsockopt(so::linger, Linger::abort()));
    VALUE(connection.client.setsockopt(so::linger, Linger::off()));
    VALUE(connection.client.close());
    CHECK(VALUE(connection.server.recv({&byte, 1})).size == 0);
  }
}

TEST_CASE("keepalive: 0 and over 32767 s are refused, and nothing is changed (trap 23)") {
  Socket socket = tcp4();
  VALUE(socket.setsockopt(so::keepalive, true));
  for (const auto &option : {tcp::keepidle, tcp::keepintvl}) {
    CAPTURE(std::string(option.name));
    VALUE(socket.setsockopt(option, 77s));
    CHECK_ERROR(socket.setsockopt(option, 0s), EINVAL, setsockopt); // the kernel's
    CHECK_ERROR(socket.setsockopt(option, 32768s), EINVAL, setsockopt);
    CHECK_ERROR(socket.setsockopt(option, -1s), EDOM, setsockopt); // ours
    CHECK_ERROR(socket.setsockopt(option, std::chrono::hours::max()), EDOM, setsockopt);
    CHECK_ERROR(socket.setsockopt(option, Seconds(INT_MAX + 1LL)), EDOM, setsockopt);
    CHECK(VALUE(socket.getsockopt(option)) == 77s);
    CHECK(VALUE(socket.getsockopt(so::keepalive)));
    VALUE(socket.setsockopt(option, 32767s));
    CHECK(raw_as<int>(socket, option) == 32767);
    VALUE(socket.setsockopt(option, 1ms)); // "short" is not "none"
    CHECK(raw_as<int>(socket, option) == 1);
    VALUE(socket.setsockopt(option, 5min));
    CHECK(raw_as<int>(socket, option) == 300);
  }
}

TEST_CASE("times that an int counts: milliseconds, microseconds") {
  Socket socket = tcp4();
  VALUE(socket.setsockopt(tcp::user_timeout, 1us));
  CHECK(raw_as<int>(socket, tcp::user_timeout) == 1);
  VALUE(socket.setsockopt(tcp::user_timeout, 90s));
  CHECK(raw_as<int>(socket, tcp::user_timeout) == 90'000);
  CHECK(VALUE(socket.getsockopt(tcp::user_timeout)) == 90s);
  CHECK_ERROR(socket.setsockopt(tcp::user_timeout, -1us * 1000), EDOM, setsockopt);
  CHECK_ERROR(socket.setsockopt(tcp::user_timeout, Milliseconds(INT_MAX + 1LL)), EDOM, setsockopt);
  CHECK(VALUE(socket.getsockopt(tcp::user_timeout)) == 90s);
  VALUE(socket.setsockopt(tcp::defer_accept, 0s));
  CHECK(VALUE(socket.getsockopt(tcp::defer_accept)) == 0s);
  auto set = socket.setsockopt(so::busy_poll, 50us);
  if (refused(set))
    SKIP("SO_BUSY_POLL wants CAP_NET_ADMIN before Linux 6.x, and a kernel with it");
  CHECK(raw_as<int>(socket, so::busy_poll) == 50);
  CHECK(VALUE(socket.getsockopt(so::busy_poll)) == 50us);
}

// --- numbers -------------------------------------------------------------------------------------------

TEST_CASE("buffers: the kernel doubles, and keeps to a least size (trap 24)") {
  for (int family : {AF_INET, AF_UNIX}) {
    Socket socket = VALUE(Socket::socket(family, SOCK_DGRAM));
    VALUE(socket.setsockopt(so::rcvbuf, 4096));
    CHECK(VALUE(socket.getsockopt(so::rcvbuf)) == 8192);
    VALUE(socket.setsockopt(so::sndbuf, 8192));
    CHECK(VALUE(socket.getsockopt(so::sndbuf)) == 16384);
    VALUE(socket.setsockopt(so::rcvbuf, 1));
    VALUE(socket.setsockopt(so::sndbuf, 1));
    CHECK(VALUE(socket.getsockopt(so::rcvbuf)) > 1024);
    CHECK(VALUE(socket.getsockopt(so::sndbuf)) > 2048);
    CHECK(VALUE(socket.getsockopt(so::rcvbuf)) == raw_as<int>(socket, so::rcvbuf));
  }
}

TEST_CASE(
    "bytes and ints: the kernel answers in one byte if there is room for no more (trap 25, trap 26, defect 42)") {
  Socket socket = udp4();
  const auto check = [&](const Option<int> &option, int value) {
    CAPTURE(std::string(option.name));
    VALUE(socket.setsockopt(option, value));
    CHECK(VALUE(socket.getsockopt(option)) == value);
    CHECK(raw(socket, option, 1) == Octets{static_cast<unsigned char>(value)});
    CHECK(raw(socket, option, 3).size() == 1);
    CHECK(raw(socket, option, 8) == octets(value)); // of more, it uses four
  };
  check(ip::ttl, 200);
  check(ip::tos, 0xb8); // as a signed char, -72
  check(ip::multicast_ttl, 255);
  CHECK(VALUE(socket.getsockopt(ip::tos)) == 184);
  VALUE(socket.setsockopt(ip::multicast_loop, false));
  CHECK_FALSE(VALUE(socket.getsockopt(ip::multicast_loop)));
  CHECK(raw(socket, ip::multicast_loop, 1) == Octets{0});
  VALUE(socket.setsockopt(ip::multicast_loop, true));
  CHECK(VALUE(socket.getsockopt(ip::multicast_loop)));
  CHECK_ERROR(socket.setsockopt(ip::ttl, 256), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(ip::ttl, -2), EINVAL, setsockopt);
  CHECK(VALUE(socket.getsockopt(ip::ttl)) == 200);
  // At SOL_SOCKET four bytes are wanted; one gives a byte of the four.
  const int type = SOCK_DGRAM;
  CHECK(raw(socket, so::type, 1) == Octets{octets(type)[0]});
  CHECK(VALUE(socket.getsockopt(so::type)) == type);
}

TEST_CASE("an answer shorter than the type is EINVAL, no number of stale bytes (defect 42)") {
  Socket socket = udp4();
  const Option<std::uint64_t> wide{SOL_SOCKET, SO_TYPE, "SO_TYPE"};
  CHECK_ERROR(socket.getsockopt(wide), EINVAL, getsockopt);
  struct Wide {
    int type, more;
  };
  const Option<Wide> record{SOL_SOCKET, SO_TYPE, "SO_TYPE"};
  CHECK_ERROR(socket.getsockopt(record), EINVAL, getsockopt);
}

TEST_CASE("numbers of 8 bytes (defect 42)") {
  Socket socket = tcp4();
  CHECK(VALUE(socket.getsockopt(so::cookie)) == raw_as<std::uint64_t>(socket, so::cookie));
  Socket twin = VALUE(socket.dup());
  CHECK(VALUE(twin.getsockopt(so::cookie)) == VALUE(socket.getsockopt(so::cookie)));
  CHECK(VALUE(tcp4().getsockopt(so::cookie)) != VALUE(socket.getsockopt(so::cookie)));
  const unsigned long rate = ULONG_MAX > UINT_MAX ? 0x123456789UL & ULONG_MAX : 0x12345678UL;
  VALUE(socket.setsockopt(so::max_pacing_rate, rate));
  CHECK(raw(socket, so::max_pacing_rate) == octets(rate));
  CHECK(VALUE(socket.getsockopt(so::max_pacing_rate)) == rate);
  auto cookie = socket.getsockopt(so::netns_cookie); // wants exactly 8
  if (refused(cookie))
    SKIP("SO_NETNS_COOKIE is of Linux 5.14");
  CHECK(VALUE(std::move(cookie)) == raw_as<std::uint64_t>(socket, so::netns_cookie));
}

TEST_CASE("unsigned numbers are not negative") {
  Socket socket = tcp4();
  VALUE(socket.setsockopt(tcp::notsent_lowat, 0xffffffffu));
  CHECK(VALUE(socket.getsockopt(tcp::notsent_lowat)) == 0xffffffffu);
  auto set = socket.setsockopt(so::mark, 0x80010002u);
  if (refused(set))
    SKIP("SO_MARK wants CAP_NET_ADMIN");
  CHECK(VALUE(socket.getsockopt(so::mark)) == 0x80010002u);
  VALUE(socket.setsockopt(so::priority, 0x80010002u));
  CHECK(VALUE(socket.getsockopt(so::priority)) == 0x80010002u);
  VALUE(socket.setsockopt(tcp::linger2, -1)); // a value of an int
  CHECK(VALUE(socket.getsockopt(tcp::linger2)) == -1);
}

TEST_CASE("bools: any integer is 0 or 1 for the kernel") {
  Socket socket = udp4();
  VALUE(socket.setsockopt(ip::multicast_all, 2)); // EINVAL, were it passed on
  CHECK(VALUE(socket.getsockopt(ip::multicast_all)));
  CHECK(raw_as<int>(socket, ip::multicast_all) == 1);
  VALUE(socket.setsockopt(ip::multicast_all, 0u));
  CHECK_FALSE(VALUE(socket.getsockopt(ip::multicast_all)));
  const int two = 2;
  CHECK_ERROR(socket.setsockopt(ip::multicast_all.level, ip::multicast_all.number, ConstBuffer(&two, sizeof two)),
              EINVAL, setsockopt);
}

TEST_CASE("what a socket is: SO_DOMAIN, SO_TYPE, SO_PROTOCOL, SO_ACCEPTCONN, SO_ERROR") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  CHECK(VALUE(socket.getsockopt(so::domain)) == AF_INET);
  CHECK(VALUE(socket.getsockopt(so::type)) == SOCK_STREAM);
  CHECK(VALUE(socket.getsockopt(so::protocol)) == IPPROTO_TCP);
  CHECK_FALSE(VALUE(socket.getsockopt(so::acceptconn)));
  VALUE(socket.bind(loopback));
  VALUE(socket.listen());
  CHECK(VALUE(socket.getsockopt(so::acceptconn)));
  CHECK(VALUE(socket.getsockopt(so::error)) == 0);

  // A refused datagram: the error is there once.
  Socket sender = udp4();
  {
    Socket nobody = udp4();
    VALUE(nobody.bind(loopback));
    VALUE(sender.connect(VALUE(nobody.getsockname())));
  }
  VALUE(sender.send("x"));
  CHECK(VALUE(sender.getsockopt(so::error)) == ECONNREFUSED);
  CHECK(VALUE(sender.getsockopt(so::error)) == 0);
}

TEST_CASE("SO_TIMESTAMP and SO_TIMESTAMPNS exclude each other (trap 33)") {
  Socket socket = udp4();
  VALUE(socket.setsockopt(so::timestamp, true));
  CHECK(VALUE(socket.getsockopt(so::timestamp)));
  CHECK_FALSE(VALUE(socket.getsockopt(so::timestampns)));
  VALUE(socket.setsockopt(so::timestampns, true));
  CHECK(VALUE(socket.getsockopt(so::timestampns)));
  CHECK_FALSE(VALUE(socket.getsockopt(so::timestamp)));
}

TEST_CASE("SO_REUSEPORT is not for AF_UNIX (trap 34)") {
  CHECK_FALSE(accepts(so::reuseport.sockets, AF_UNIX, SOCK_STREAM));
  CHECK(accepts(so::reuseport.sockets, AF_INET, SOCK_STREAM));
  Socket local = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  auto set = local.setsockopt(so::reuseport, true);
  if (!set) // since Linux 6.12.9; before, it is without effect
    CHECK_ERROR(set, EOPNOTSUPP, setsockopt);
  CHECK(VALUE(local.getsockopt(so::reuseport)) == set.has_value());
  Socket socket = tcp4();
  VALUE(socket.setsockopt(so::reuseport, true));
  CHECK(VALUE(socket.getsockopt(so::reuseport)));
}

TEST_CASE("what the kernel refuses stays its error") {
  Socket socket = udp4();
  CHECK_ERROR(socket.getsockopt(tcp::nodelay), EOPNOTSUPP, getsockopt);
  CHECK_ERROR(socket.setsockopt(tcp::nodelay, true), ENOPROTOOPT, setsockopt);
}

// --- texts ---------------------------------------------------------------------------------------------

TEST_CASE("the congestion control is its name, without padding (trap 27)") {
  Socket socket = tcp4();
  VALUE(socket.setsockopt(tcp::congestion, "reno"));
  CHECK(raw(socket, tcp::congestion).size() == 16); // NULs and all
  auto name = VALUE(socket.getsockopt(tcp::congestion));
  CHECK(name.size() == 4);
  CHECK(name == "reno");
  // The kernel would take what stands before the NUL.
  CHECK_ERROR(socket.setsockopt(tcp::congestion, std::string("cubic\0x", 7)), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(tcp::congestion, TextView("reno\0", 5)), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(tcp::congestion, "sixteen-letters-"), ENAMETOOLONG, setsockopt);
  CHECK_ERROR(socket.setsockopt(tcp::congestion, "no-such-thing"), ENOENT, setsockopt);
  CHECK(VALUE(socket.getsockopt(tcp::congestion)) == "reno");
  CHECK(VALUE(socket.getsockopt(tcp::ulp)).size() == 0);
}

TEST_CASE("the device is its name, or none (trap 28)") {
  Socket socket = udp4();
  CHECK(VALUE(socket.getsockopt(so::bindtodevice)).size() == 0);
  auto bound = socket.setsockopt(so::bindtodevice, "lo");
  if (refused(bound))
    SKIP("binding to a device wants CAP_NET_RAW");
  CHECK(raw(socket, so::bindtodevice, 16) == Octets{'l', 'o', 0});
  auto name = VALUE(socket.getsockopt(so::bindtodevice));
  CHECK(name.size() == 2);
  CHECK(name == "lo");
  CHECK_ERROR(socket.setsockopt(so::bindtodevice, std::string_view("lo\0junk", 7)), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(so::bindtodevice, std::string_view("\0", 1)), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(so::bindtodevice, "0123456789abcdef"), ENAMETOOLONG, setsockopt);
  CHECK_ERROR(socket.setsockopt(so::bindtodevice, std::string(100'000, 'x')), ENAMETOOLONG, setsockopt);
  CHECK_ERROR(socket.setsockopt(so::bindtodevice, "0123456789abcde"), ENODEV, setsockopt);
  CHECK(VALUE(socket.getsockopt(so::bindtodevice)) == "lo");
  const Interface lo = VALUE(Interface::from_name("lo"));
  CHECK(VALUE(socket.getsockopt(so::bindtoifindex)) == lo);
  auto unbound = socket.setsockopt(so::bindtodevice, "");
  if (refused(unbound))
    SKIP("binding to another device wants CAP_NET_RAW");
  CHECK(VALUE(socket.getsockopt(so::bindtodevice)).size() == 0);
  VALUE(socket.setsockopt(so::bindtoifindex, lo));
  CHECK(VALUE(socket.getsockopt(so::bindtodevice)) == "lo");
  VALUE(socket.setsockopt(so::bindtoifindex, Interface()));
  CHECK(VALUE(socket.getsockopt(so::bindtoifindex)).index() == 0);
}

TEST_CASE("SO_PEERSEC: a label, or the kernel's error") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  auto label = a.getsockopt(so::peersec);
  if (refused(label))
    SKIP("no security module labels sockets here");
  CHECK(label->text() == std::string(label->text()).c_str()); // no NUL in it
}

TEST_CASE("Interface: by name and back") {
  const Interface lo = VALUE(Interface::from_name("lo"));
  CHECK(lo.index() == ::if_nametoindex("lo"));
  CHECK(VALUE(lo.name()) == "lo");
  CHECK(VALUE(lo.name()).size() == 2);
  CHECK(VALUE(Interface::from_name(std::string("lo"))) == lo);
  CHECK(Interface() == Interface(0));
  CHECK_ERROR(Interface::from_name(""), ENODEV, if_nametoindex);
  CHECK_ERROR(Interface::from_name("no-such-thing"), ENODEV, if_nametoindex);
  CHECK_ERROR(Interface::from_name("0123456789abcde"), ENODEV, if_nametoindex);
  CHECK_ERROR(Interface::from_name("0123456789abcdef"), ENAMETOOLONG, if_nametoindex);
  CHECK_ERROR(Interface::from_name(std::string(4096, 'x')), ENAMETOOLONG, if_nametoindex);
  // if_nametoindex(3) would find lo.
  CHECK_ERROR(Interface::from_name(std::string_view("lo\0", 3)), EINVAL, if_nametoindex);
  CHECK_ERROR(Interface::from_name(std::string_view("lo\0junk", 7)), EINVAL, if_nametoindex);
  CHECK_ERROR(Interface::from_name(std::string_view("\0", 1)), EINVAL, if_nametoindex);
  CHECK_ERROR(Interface().name(), ENXIO, if_indextoname);
  CHECK_ERROR(Interface(0x7ffffff0).name(), ENXIO, if_indextoname);
}

// --- interfaces and network byte order -----------------------------------------------------------------

TEST_CASE("IP_UNICAST_IF and IPV6_UNICAST_IF count in network byte order, Interface does not") {
  const Interface lo = VALUE(Interface::from_name("lo"));
  Octets wire = {static_cast<unsigned char>(lo.index() >> 24), static_cast<unsigned char>(lo.index() >> 16),
                 static_cast<unsigned char>(lo.index() >> 8), static_cast<unsigned char>(lo.index())};
  Socket socket = udp4();
  VALUE(socket.setsockopt(ip::unicast_if, lo));
  CHECK(raw(socket, ip::unicast_if, 4) == wire);
  CHECK(VALUE(socket.getsockopt(ip::unicast_if)) == lo);
  // What was "always EADDRNOTAVAIL".
  const unsigned host_order = lo.index();
  if (std::endian::native == std::endian::little)
    CHECK_ERROR(socket.setsockopt(IPPROTO_IP, IP_UNICAST_IF, ConstBuffer(&host_order, sizeof host_order)),
                EADDRNOTAVAIL, setsockopt);
  VALUE(socket.setsockopt(ip::unicast_if, Interface()));
  CHECK(VALUE(socket.getsockopt(ip::unicast_if)).index() == 0);
  if (!has_inet6())
    SKIP("no IPv6");
  Socket socket6 = VALUE(Socket::socket(AF_INET6, SOCK_DGRAM));
  VALUE(socket6.setsockopt(ipv6::unicast_if, lo));
  CHECK(raw(socket6, ipv6::unicast_if, 4) == wire);
  CHECK(VALUE(socket6.getsockopt(ipv6::unicast_if)) == lo);
  VALUE(socket6.setsockopt(ipv6::multicast_if, lo)); // which is in the host's
  CHECK(raw_as<unsigned>(socket6, ipv6::multicast_if) == lo.index());
  CHECK(VALUE(socket6.getsockopt(ipv6::multicast_if)) == lo);
  CHECK_ERROR(socket6.setsockopt(ipv6::multicast_if, Interface(0x7ffffff0)), ENODEV, setsockopt);
}

TEST_CASE("IP_MULTICAST_IF is set as one type and got as another") {
  Socket socket = udp4();
  ip_mreqn lo = {};
  lo.imr_ifindex = static_cast<int>(VALUE(Interface::from_name("lo")).index());
  lo.imr_address = inet("127.0.0.1");
  VALUE(socket.setsockopt(ip::multicast_if, lo));
  CHECK(raw(socket, ip::multicast_if) == octets(lo.imr_address)); // 4 bytes of whatever room
  CHECK(VALUE(socket.getsockopt(ip::multicast_if)) == lo.imr_address);
  VALUE(socket.setsockopt(ip::multicast_if, ip_mreqn{}));
  CHECK(VALUE(socket.getsockopt(ip::multicast_if)) == in_addr{});
}

// --- structs -------------------------------------------------------------------------------------------

TEST_CASE("TCP_INFO: as much as this kernel knows (trap 31)") {
  Connection connection;
  const Octets whole = raw(connection.client, tcp::info);
  auto info = VALUE(connection.client.getsockopt(tcp::info));
  CHECK(info.size() == std::min(whole.size(), sizeof(tcp_info)));
  CHECK(raw(connection.client, tcp::info, 8).size() == 8); // of less room it fills that
  CHECK(info->tcpi_state == 1);                            // TCP_ESTABLISHED
  CHECK(info->tcpi_state == whole[0]);
  CHECK(info.has(&tcp_info::tcpi_state));
  CHECK(info.has(&tcp_info::tcpi_total_retrans)); // of Linux 2.6
  CHECK(info->tcpi_snd_mss > 0);
  CHECK(info->tcpi_pmtu > 0);
  std::uint32_t mss = 0;
  std::memcpy(&mss, whole.data() + offsetof(tcp_info, tcpi_snd_mss), sizeof mss);
  CHECK(mss == info->tcpi_snd_mss);
  CHECK(info.has(&tcp_info::tcpi_accecn_opt_seen) == (whole.size() >= sizeof(tcp_info)));
  CHECK(info.has(&tcp_info::tcpi_min_rtt) ==
        (whole.size() >= offsetof(tcp_info, tcpi_min_rtt) + sizeof info->tcpi_min_rtt));

  VALUE(connection.client.send("hello"));
  char room[8];
  CHECK(VALUE(connection.server.recv(room, MSG_WAITALL | MSG_PEEK | MSG_DONTWAIT)).size == 5);
  info = VALUE(connection.server.getsockopt(tcp::info));
  if (info.has(&tcp_info::tcpi_bytes_received))
    CHECK(info->tcpi_bytes_received == 5);
  CHECK_ERROR(udp4().getsockopt(tcp::info), EOPNOTSUPP, getsockopt);
}

TEST_CASE("Partial: which members there are") {
  struct Growing {
    std::uint32_t a;
    std::uint16_t b;
    std::uint64_t c;
  };
  Growing value = {1, 2, 3};
  const std::size_t ends[] = {sizeof value.a, offsetof(Growing, b) + sizeof value.b, sizeof value};
  for (std::size_t size = 0; size <= sizeof value; ++size) {
    CAPTURE(size);
    const Partial<Growing> partial(value, size);
    CHECK(partial.size() == size);
    CHECK(partial.has(&Growing::a) == (size >= ends[0]));
    CHECK(partial.has(&Growing::b) == (size >= ends[1]));
    CHECK(partial.has(&Growing::c) == (size >= ends[2]));
    CHECK((*partial).a == 1);
    CHECK(partial->c == 3);
  }
  CHECK(Partial<Growing>(value).size() == sizeof value);
  CHECK(Partial<Growing>().size() == 0);
  CHECK(Partial<Growing>()->c == 0);
}

TEST_CASE("SO_MEMINFO, SO_TIMESTAMPING, SO_TXTIME") {
  Socket socket = udp4();
  auto memory = VALUE(socket.getsockopt(so::meminfo));
  const Octets whole = raw(socket, so::meminfo);
  CHECK(memory.size() == std::min(whole.size(), sizeof(sk_meminfo)));
  CHECK(std::memcmp(&*memory, whole.data(), memory.size()) == 0);
  CHECK(memory->rcvbuf == static_cast<unsigned>(VALUE(socket.getsockopt(so::rcvbuf))));

  const so_timestamping stamps = {1 << 3 | 1 << 4, 0}; // SOF_TIMESTAMPING_RX_SOFTWARE, _SOFTWARE
  VALUE(socket.setsockopt(so::timestamping, stamps));
  auto got = VALUE(socket.getsockopt(so::timestamping));
  CHECK(got->flags == stamps.flags);
  CHECK(got.size() == raw(socket, so::timestamping).size());

  const sock_txtime txtime = {CLOCK_MONOTONIC, 1}; // SOF_TXTIME_DEADLINE_MODE
  VALUE(socket.setsockopt(so::txtime, txtime));
  CHECK(VALUE(socket.getsockopt(so::txtime)).clockid == CLOCK_MONOTONIC);
  CHECK(raw(socket, so::txtime, sizeof txtime) == octets(txtime));
}

TEST_CASE("IP_LOCAL_PORT_RANGE holds for bind, and stands in 32 bits") {
  Socket socket = udp4();
  auto got = socket.getsockopt(ip::local_port_range);
  if (refused(got))
    SKIP("IP_LOCAL_PORT_RANGE is of Linux 6.3");
  CHECK(VALUE(std::move(got)) == PortRange());
  const PortRange range = {40000, 40063};
  VALUE(socket.setsockopt(ip::local_port_range, range));
  CHECK(raw_as<std::uint32_t>(socket, ip::local_port_range) == (40063u << 16 | 40000u));
  CHECK(VALUE(socket.getsockopt(ip::local_port_range)) == range);
  CHECK_ERROR(socket.setsockopt(ip::local_port_range, PortRange{2, 1}), EINVAL, setsockopt);
  CHECK(VALUE(socket.getsockopt(ip::local_port_range)) == range);
  VALUE(socket.setsockopt(ip::local_port_range, PortRange{40000, 65535})); // the sign bit of an int
  CHECK(VALUE(socket.getsockopt(ip::local_port_range)) == PortRange{40000, 65535});
  VALUE(socket.setsockopt(ip::local_port_range, range));
  VALUE(socket.bind(loopback));
  const std::uint16_t port = VALUE(socket.getsockname()).port();
  CHECK(port >= range.lower);
  CHECK(port <= range.upper);
}

TEST_CASE("ICMP filters") {
  auto socket = Socket::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  if (refused(socket))
    SKIP("raw sockets want CAP_NET_RAW");
  VALUE(socket->setsockopt(icmp::filter, icmp_filter{1u << 8}));
  CHECK(VALUE(socket->getsockopt(icmp::filter)).data == 1u << 8);
  CHECK(raw_as<unsigned>(*socket, icmp::filter) == 1u << 8);
  auto socket6 = Socket::socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
  if (refused(socket6, {EAFNOSUPPORT}))
    SKIP("no IPv6");
  icmp6_filter block = {};
  block.icmp6_filt[4] = 0x80000001;
  VALUE(socket6->setsockopt(icmp6::filter, block));
  CHECK(raw(*socket6, icmp6::filter) == octets(block));
  CHECK(VALUE(socket6->getsockopt(icmpv6::filter)).icmp6_filt[4] == 0x80000001);
}

TEST_CASE("TCP_MD5SIG: both ends know the key, and talk") {
  tcp_md5sig key = {};
  const sockaddr_in peer = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
  std::memcpy(&key.tcpm_addr, &peer, sizeof peer);
  key.tcpm_keylen = 6;
  std::memcpy(key.tcpm_key, "secret", 6);
  Socket listener = tcp4();
  auto set = listener.setsockopt(tcp::md5sig, key);
  if (refused(set))
    SKIP("TCP_MD5SIG is not in this kernel");
  VALUE(std::move(set));
  VALUE(listener.bind(loopback));
  VALUE(listener.listen());
  Socket client = tcp4();
  VALUE(client.setsockopt(tcp::md5sig, key));
  VALUE(client.connect(VALUE(listener.getsockname())));
  Socket server = VALUE(listener.accept());
  VALUE(client.send("hello"));
  char room[8];
  CHECK(VALUE(server.recv(room)).size == 5);
  key.tcpm_keylen = 81;
  CHECK_ERROR(client.setsockopt(tcp::md5sig, key), EINVAL, setsockopt);
}

TEST_CASE("TCP_REPAIR: the window, and the sequence numbers") {
  Connection connection;
  const Socket &socket = connection.client;
  auto set = socket.setsockopt(tcp::repair, 1);
  if (refused(set))
    SKIP("TCP_REPAIR wants CAP_NET_ADMIN");
  VALUE(std::move(set));
  CHECK(VALUE(socket.getsockopt(tcp::repair)) == 1);
  const auto window = VALUE(socket.getsockopt(tcp::repair_window));
  CHECK(raw(socket, tcp::repair_window, sizeof window) == octets(window));
  CHECK(window.snd_wnd > 0);
  VALUE(socket.setsockopt(tcp::repair_window, window));
  VALUE(socket.setsockopt(tcp::repair_queue, 2)); // TCP_SEND_QUEUE
  CHECK(VALUE(socket.getsockopt(tcp::repair_queue)) == 2);
  CHECK(VALUE(socket.getsockopt(tcp::queue_seq)) == raw_as<unsigned>(socket, tcp::queue_seq));
  const tcp_repair_opt options[] = {{3, 7u << 16 | 7}, {4, 0}}; // TCPOPT_WINDOW, TCPOPT_SACK_PERMITTED
  VALUE(socket.setsockopt(tcp::repair_options, options));
  VALUE(socket.setsockopt(tcp::repair, -1)); // off, without a probe
  CHECK(VALUE(socket.getsockopt(tcp::repair)) == 0);
}

// --- bytes of any length -------------------------------------------------------------------------------

TEST_CASE("IP_OPTIONS: set, got, and taken away") {
  Socket socket = udp4();
  CHECK(VALUE(socket.getsockopt(ip::options)).empty());
  const Octets nops(8, 1);
  VALUE(socket.setsockopt(ip::options, nops));
  CHECK(octets(VALUE(socket.getsockopt(ip::options))) == raw(socket, ip::options));
  CHECK(octets(VALUE(socket.getsockopt(ip::options))) == nops);
  CHECK_ERROR(socket.setsockopt(ip::options, Octets(41, 1)), EINVAL, setsockopt);
  CHECK(VALUE(socket.getsockopt(ip::options)).size() == 8);
  const Octets most(40, 1);
  VALUE(socket.setsockopt(ip::options, most));
  CHECK(octets(VALUE(socket.getsockopt(ip::options))) == most);
  VALUE(socket.setsockopt(ip::options, ConstBuffer()));
  CHECK(VALUE(socket.getsockopt(ip::options)).empty());
}

TEST_CASE("extension headers: of any length, whole") {
  if (!has_inet6())
    SKIP("no IPv6");
  Socket socket = VALUE(Socket::socket(AF_INET6, SOCK_DGRAM));
  CHECK(VALUE(socket.getsockopt(ipv6::dstopts)).empty());
  for (std::size_t units : {1u, 2u, 100u, 255u}) {
    CAPTURE(units);
    Octets header(8 * units, 0); // Pad1 and PadN of zeros
    header[1] = static_cast<unsigned char>(units - 1);
    for (std::size_t at = 2; at < header.size();) {
      const std::size_t rest = std::min<std::size_t>(header.size() - at, 6);
      header[at] = rest == 1 ? 0 : 1;
      if (rest > 1)
        header[at + 1] = static_cast<unsigned char>(rest - 2);
      at += rest;
    }
    auto set = socket.setsockopt(ipv6::dstopts, header);
    if (refused(set))
      SKIP("IPV6_DSTOPTS wants CAP_NET_RAW");
    VALUE(std::move(set));
    CHECK(octets(VALUE(socket.getsockopt(ipv6::dstopts))) == header);
    CHECK(raw(socket, ipv6::dstopts, 4).size() == 4); // cut without a word, given less room
  }
  VALUE(socket.setsockopt(ipv6::dstopts, ConstBuffer()));
  CHECK(VALUE(socket.getsockopt(ipv6::dstopts)).empty());
}

TEST_CASE("TCP_SAVED_SYN: read once, whole") {
  TcpListener listener;
  VALUE(listener.socket.setsockopt(tcp::save_syn, 1));
  CHECK(VALUE(listener.socket.getsockopt(tcp::save_syn)) == 1);
  Socket client = tcp4();
  VALUE(client.connect(listener.address));
  Socket server = VALUE(listener.socket.accept());
  // Too little room is EINVAL and the length, and keeps the bytes.
  unsigned char little[8];
  socklen_t length = sizeof little;
  CHECK(::getsockopt(server.fd(), IPPROTO_TCP, tcp::saved_syn.number, little, &length) == -1);
  CHECK(errno == EINVAL);
  Bytes syn = VALUE(server.getsockopt(tcp::saved_syn));
  CHECK(syn.size() == length);
  REQUIRE(syn.size() >= 40);
  CHECK(octets(syn)[0] == 0x45);
  CHECK((octets(syn)[33] & 0x12) == 0x02); // SYN, not ACK
  CHECK(VALUE(server.getsockopt(tcp::saved_syn)).empty());
}

TEST_CASE("TCP_FASTOPEN_KEY: one key or two") {
  Socket socket = tcp4();
  Octets keys(16);
  for (std::size_t i = 0; i < keys.size(); ++i)
    keys[i] = static_cast<unsigned char>(0xf0 + i);
  VALUE(socket.setsockopt(tcp::fastopen_key, keys));
  CHECK(octets(VALUE(socket.getsockopt(tcp::fastopen_key))) == keys);
  CHECK_ERROR(socket.setsockopt(tcp::fastopen_key, Octets(15)), EINVAL, setsockopt);
  keys.resize(32, 7);
  VALUE(socket.setsockopt(tcp::fastopen_key, keys));
  CHECK(octets(VALUE(socket.getsockopt(tcp::fastopen_key))) == keys);
}

TEST_CASE("TCP_CC_INFO: bytes of a kind that the name tells") {
  Connection connection;
  VALUE(connection.client.setsockopt(tcp::congestion, "reno"));
  CHECK(VALUE(connection.client.getsockopt(tcp::cc_info)).empty());
  if (refused(connection.client.setsockopt(tcp::congestion, "bbr"), {ENOENT, EPERM}))
    SKIP("no bbr here");
  CHECK(octets(VALUE(connection.client.getsockopt(tcp::cc_info))).size() == 20);
}

// --- classic BPF ---------------------------------------------------------------------------------------

TEST_CASE("a filter of any length is read back as it was (no heap overflow)") {
  Socket socket = udp4();
  CHECK(VALUE(socket.getsockopt(so::get_filter)).empty());
  for (std::size_t size : {1u, 2u, 5u, 16u, 17u, 1000u, 4096u}) {
    CAPTURE(size);
    const auto code = filter_of(size, UINT_MAX);
    auto set = socket.setsockopt(so::attach_filter, code);
    if (!set && set.error().is(ENOMEM))
      SKIP("net.core.optmem_max");
    VALUE(std::move(set));
    const auto got = VALUE(socket.getsockopt(so::get_filter));
    REQUIRE(got.size() == size);
    CHECK(std::memcmp(got.data(), code.data(), size * sizeof(sock_filter)) == 0);
    CHECK(got[size - 1].k == UINT_MAX);
  }
  // What the kernel refuses, and what sock_fprog cannot count.
  CHECK_ERROR(socket.setsockopt(so::attach_filter, Span<const sock_filter>()), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(so::attach_filter, filter_of(4097, 0)), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(so::attach_filter, filter_of(65536, 0)), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(so::attach_filter, filter_of(65537, 0)), EINVAL, setsockopt); // 1, were it cut
  CHECK(VALUE(socket.getsockopt(so::get_filter)).size() == 4096);
}

TEST_CASE("a filter works, is detached, and locked") {
  Socket receiver = udp4();
  VALUE(receiver.bind(loopback));
  Socket sender = udp4();
  VALUE(sender.connect(VALUE(receiver.getsockname())));
  char room[16];
  const sock_filter drop[] = {{BPF_RET | BPF_K, 0, 0, 0}};
  VALUE(receiver.setsockopt(so::attach_filter, drop));
  VALUE(sender.send("dropped"));
  CHECK_ERROR(receiver.recv(room, MSG_DONTWAIT), EAGAIN, recv);
  const auto cut = filter_of(2, 8 + 3); // UDP's header counts
  VALUE(receiver.setsockopt(so::attach_filter, cut));
  VALUE(sender.send("received"));
  CHECK(VALUE(receiver.recv(room, MSG_DONTWAIT)).size == 3);

  VALUE(receiver.setsockopt(so::detach_filter)); // the kernel wants an int that means nothing
  VALUE(sender.send("received"));
  CHECK(VALUE(receiver.recv(room, MSG_DONTWAIT)).size == 8);
  CHECK_ERROR(receiver.setsockopt(so::detach_filter), ENOENT, setsockopt);
  CHECK_ERROR(receiver.setsockopt(so::detach_bpf), ENOENT, setsockopt);

  VALUE(receiver.setsockopt(so::attach_filter, cut));
  VALUE(receiver.setsockopt(so::lock_filter, true));
  CHECK_ERROR(receiver.setsockopt(so::detach_filter), EPERM, setsockopt);
  CHECK(VALUE(receiver.getsockopt(so::lock_filter)));
}

TEST_CASE("SO_ATTACH_REUSEPORT_CBPF chooses the socket of a group") {
  Socket group[2];
  SocketAddress address = loopback;
  for (Socket &socket : group) {
    socket = udp4();
    VALUE(socket.setsockopt(so::reuseport, true));
    VALUE(socket.bind(address));
    address = VALUE(socket.getsockname());
  }
  Socket sender = udp4();
  VALUE(sender.connect(address));
  char room[16];
  for (unsigned chosen : {1u, 0u}) {
    CAPTURE(chosen);
    VALUE(group[0].setsockopt(so::attach_reuseport_cbpf, filter_of(1, chosen)));
    for (int i = 0; i < 8; ++i)
      VALUE(sender.send("x"));
    for (int i = 0; i < 8; ++i)
      CHECK(VALUE(group[chosen].recv(room, MSG_DONTWAIT)).size == 1);
    CHECK_ERROR(group[1 - chosen].recv(room, MSG_DONTWAIT), EAGAIN, recv);
  }
  VALUE(group[0].setsockopt(so::detach_reuseport_bpf));
  CHECK_ERROR(group[0].setsockopt(so::detach_reuseport_bpf), ENOENT, setsockopt);
}

// --- peers ---------------------------------------------------------------------------------------------

TEST_CASE("SO_PEERCRED: who it is, or ENODATA (trap 29)") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  const ucred peer = VALUE(a.getsockopt(so::peercred));
  CHECK(peer.pid == ::getpid());
  CHECK(peer.uid == ::getuid());
  CHECK(peer.gid == ::getgid());
  CHECK(raw(a, so::peercred, sizeof peer) == octets(peer));
  // The kernel says pid 0, uid -1, and no error.
  Socket unconnected = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  CHECK(raw_as<ucred>(unconnected, so::peercred).pid == 0);
  CHECK_ERROR(unconnected.getsockopt(so::peercred), ENODATA, getsockopt);
  Connection connection;
  CHECK_ERROR(connection.client.getsockopt(so::peercred), ENODATA, getsockopt);
  CHECK_ERROR(udp4().getsockopt(so::peercred), ENODATA, getsockopt);
}

TEST_CASE("SO_PEERGROUPS: however many (trap 30)") {
  {
    auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
    const auto groups = VALUE(a.getsockopt(so::peergroups));
    std::vector<gid_t> own(static_cast<std::size_t>(::getgroups(0, nullptr)));
    REQUIRE(::getgroups(static_cast<int>(own.size()), own.data()) == static_cast<int>(own.size()));
    CHECK(std::vector<gid_t>(groups.begin(), groups.end()) == own);
    CHECK(groups.empty() == own.empty());
  }
  Socket listener = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  VALUE(listener.bind(UnixAddress::autobind()));
  VALUE(listener.listen());
  const SocketAddress address = VALUE(listener.getsockname());
  // 1024 fill the room that is tried first; 65536 is all there can be.
  for (std::size_t count : {0u, 1u, 1023u, 1024u, 1025u, 5000u, 65536u}) {
    CAPTURE(count);
    const int status = in_child([&] {
      std::vector<gid_t> groups(count);
      for (std::size_t i = 0; i < count; ++i)
        groups[i] = static_cast<gid_t>(100'000 + i);
      if (::setgroups(count, groups.data()) != 0)
        return 77;
      Socket socket(::socket(AF_UNIX, SOCK_STREAM, 0));
      return ::connect(socket.fd(), address.data(), address.size()) == 0 ? 0 : 1;
    });
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
      SKIP("setgroups wants CAP_SETGID");
    REQUIRE(status == 0);
    Socket server = VALUE(listener.accept());
    const auto groups = VALUE(server.getsockopt(so::peergroups));
    REQUIRE(groups.size() == count);
    for (std::size_t i = 0; i < count; ++i)
      if (groups[i] != 100'000 + i) // a CHECK each would take its time
        FAIL_CHECK(i);
  }
}

TEST_CASE("SO_PEERPIDFD: owned, close-on-exec, closed") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  const NoLeak no_leak;
  auto pidfd = a.getsockopt(so::peerpidfd);
  if (refused(pidfd))
    SKIP("SO_PEERPIDFD is of Linux 6.5");
  CHECK(pidfd->fd() >= 0);
  CHECK((::fcntl(pidfd->fd(), F_GETFD) & FD_CLOEXEC) != 0);
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(pidfd->fd()));
  std::string word;
  int pid = 0;
  while (info >> word)
    if (word == "Pid:")
      info >> pid;
  CHECK(pid == ::getpid());
  FileDescriptor other = VALUE(a.getsockopt(so::peerpidfd));
  CHECK(other.fd() != pidfd->fd());
  CHECK(VALUE(a.getsockopt(so::peerpidfd))); // a temporary: closed at once
  CHECK_ERROR(udp4().getsockopt(so::peerpidfd), ENODATA, getsockopt);
}

// --- multicast -----------------------------------------------------------------------------------------

namespace {

constexpr std::uint32_t include = 1, exclude = 0; // MCAST_INCLUDE, MCAST_EXCLUDE

/// Allows more sources than the ten of a new namespace.
void allow_sources() { std::ofstream("/proc/sys/net/ipv4/igmp_max_msf") << 100; }

} // namespace

TEST_CASE("IPv4 multicast: joined on an interface, received, left") {
  if (!in_own_network([] {
        const Interface lo = VALUE(Interface::from_name("lo"));
        Socket receiver = udp4();
        VALUE(receiver.bind(Inet4Address{INADDR_ANY, 0}));
        Socket sender = udp4();
        ip_mreqn via = {inet("239.1.2.3"), inet("127.0.0.1"), static_cast<int>(lo.index())};
        VALUE(sender.setsockopt(ip::multicast_if, via));
        VALUE(sender.bind(loopback)); // there is no route to take an address from
        const SocketAddress group =
            Inet4Address{ntohl(via.imr_multiaddr.s_addr), VALUE(receiver.getsockname()).port()};
        char room[8];
        auto arrives = [&] {
          VALUE(sender.sendto("x", group));
          return receiver.recv(room, MSG_DONTWAIT).has_value();
        };
        VALUE(receiver.setsockopt(ip::multicast_all, false));
        CHECK_FALSE(arrives());

        VALUE(receiver.setsockopt(ip::add_membership, via));
        CHECK(arrives());
        CHECK_ERROR(receiver.setsockopt(ip::add_membership, via), EADDRINUSE, setsockopt);
        VALUE(receiver.setsockopt(ip::drop_membership, via));
        CHECK_FALSE(arrives());
        CHECK_ERROR(receiver.setsockopt(ip::drop_membership, via), EADDRNOTAVAIL, setsockopt);

        group_req any = {lo.index(), {}};
        std::memcpy(&any.gr_group, group.data(), group.size());
        VALUE(receiver.setsockopt(ip::mcast_join_group, any));
        CHECK(arrives());
        // Of some sources only.
        const ip_mreq_source source = {via.imr_multiaddr, inet("127.0.0.1"), inet("127.0.0.1")};
        VALUE(receiver.setsockopt(ip::block_source, source));
        CHECK_FALSE(arrives());
        VALUE(receiver.setsockopt(ip::unblock_source, source));
        CHECK(arrives());
        VALUE(receiver.setsockopt(ip::mcast_leave_group, any));
        CHECK_FALSE(arrives());

        VALUE(receiver.setsockopt(ip::add_source_membership, source));
        CHECK(arrives());
        VALUE(receiver.setsockopt(ip::drop_source_membership, source));
        CHECK_FALSE(arrives());

        group_source_req one = {lo.index(), any.gr_group, {}};
        std::memcpy(&one.gsr_source, loopback.data(), loopback.size());
        VALUE(receiver.setsockopt(ip::mcast_join_source_group, one));
        CHECK(arrives());
        VALUE(receiver.setsockopt(ip::mcast_leave_source_group, one));
        CHECK_FALSE(arrives());
      }))
    SKIP("a network namespace wants CAP_SYS_ADMIN");
}

TEST_CASE("IPv6 multicast: joined on an interface, left") {
  if (!has_inet6())
    SKIP("no IPv6");
  if (!in_own_network([] { // whose lo has no route to groups
        const Interface lo = VALUE(Interface::from_name("lo"));
        Socket socket = VALUE(Socket::socket(AF_INET6, SOCK_DGRAM));
        const ipv6_mreq via = {inet6("ff02::4711"), lo.index()};
        auto joined = [] {
          std::ifstream file("/proc/thread-self/net/igmp6");
          std::string word;
          while (file >> word)
            if (word == "ff020000000000000000000000004711")
              return true;
          return false;
        };
        CHECK_FALSE(joined());
        VALUE(socket.setsockopt(ipv6::add_membership, via));
        CHECK(joined());
        CHECK_ERROR(socket.setsockopt(ipv6::add_membership, via), EADDRINUSE, setsockopt);
        VALUE(socket.setsockopt(ipv6::drop_membership, via));
        CHECK_FALSE(joined());
        CHECK_ERROR(socket.setsockopt(ipv6::drop_membership, via), EADDRNOTAVAIL, setsockopt);
        VALUE(socket.setsockopt(ipv6::join_group, via));
        CHECK(joined());
        VALUE(socket.setsockopt(ipv6::leave_group, via));
        CHECK_FALSE(joined());

        const SocketAddress group = Inet6Address{via.ipv6mr_multiaddr};
        const SocketAddress source = Inet6Address{inet6("2001:db8::1")};
        group_req any = {lo.index(), {}};
        std::memcpy(&any.gr_group, group.data(), group.size());
        group_source_req one = {lo.index(), any.gr_group, {}};
        std::memcpy(&one.gsr_source, source.data(), source.size());
        auto filter = [&] { return VALUE(socket.getsockopt(ipv6::mcast_msfilter, {group, lo})); };
        VALUE(socket.setsockopt(ipv6::mcast_join_group, any));
        CHECK(joined());
        CHECK(filter().sources.empty());
        VALUE(socket.setsockopt(ipv6::mcast_block_source, one));
        CHECK(filter().mode == exclude);
        REQUIRE(filter().sources.size() == 1);
        CHECK(filter().sources[0] == source);
        VALUE(socket.setsockopt(ipv6::mcast_unblock_source, one));
        CHECK(filter().sources.empty());
        VALUE(socket.setsockopt(ipv6::mcast_leave_group, any));
        CHECK_FALSE(joined());
        VALUE(socket.setsockopt(ipv6::mcast_join_source_group, one));
        CHECK(joined());
        CHECK(filter().mode == include);
        CHECK(filter().sources.size() == 1);
        VALUE(socket.setsockopt(ipv6::mcast_leave_source_group, one));
        CHECK_FALSE(joined());
      }))
    SKIP("a network namespace wants CAP_SYS_ADMIN");
}

TEST_CASE("IP_MSFILTER: 0, 1 and 40 sources, set and asked for") {
  if (!in_own_network([] {
        allow_sources();
        Socket socket = udp4();
        const in_addr group = inet("239.1.2.3");
        const ip_mreqn via = {group, inet("127.0.0.1"), 0};
        const SourceFilter<in_addr, in_addr> question = {group, via.imr_address};
        CHECK_ERROR(socket.getsockopt(ip::msfilter, question), EADDRNOTAVAIL, getsockopt);
        VALUE(socket.setsockopt(ip::add_membership, via));
        auto all = VALUE(socket.getsockopt(ip::msfilter, question));
        CHECK(all.mode == exclude); // nobody
        CHECK(all.sources.empty());
        // 16 fill the room that is tried first.
        for (std::size_t count : {0u, 1u, 15u, 16u, 17u, 40u})
          for (std::uint32_t mode : {exclude, include}) {
            if (mode == include && count == 0)
              continue; // that is to leave the group
            CAPTURE(count);
            CAPTURE(mode);
            std::vector<in_addr> sources;
            for (std::size_t i = 0; i < count; ++i)
              sources.push_back({htonl(0x0a000001 + static_cast<unsigned>(i))});
            VALUE(socket.setsockopt(ip::msfilter, {group, via.imr_address, mode, sources}));
            auto got = VALUE(socket.getsockopt(ip::msfilter, question));
            CHECK(got.mode == mode);
            CHECK(std::ranges::equal(got.sources, sources, {}, &in_addr::s_addr, &in_addr::s_addr));
          }
        VALUE(socket.setsockopt(ip::msfilter, {group, via.imr_address, include}));
        CHECK_ERROR(socket.getsockopt(ip::msfilter, question), EADDRNOTAVAIL, getsockopt);
      }))
    SKIP("a network namespace wants CAP_SYS_ADMIN");
}

TEST_CASE("MCAST_MSFILTER: 0, 1 and 40 sources of both families, set and asked for") {
  if (!in_own_network([] {
        allow_sources();
        const Interface lo = VALUE(Interface::from_name("lo"));
        auto check = [&](const Socket &socket, const auto &join, const auto &option, const SocketAddress &group,
                         auto source_of) {
          const SourceFilter<SocketAddress, Interface> question = {group, lo};
          CHECK_ERROR(socket.getsockopt(option, question), EADDRNOTAVAIL, getsockopt);
          group_req any = {lo.index(), {}};
          std::memcpy(&any.gr_group, group.data(), group.size());
          VALUE(socket.setsockopt(join, any));
          CHECK(VALUE(socket.getsockopt(option, question)).mode == exclude);
          for (std::size_t count : {0u, 1u, 15u, 16u, 17u, 40u})
            for (std::uint32_t mode : {exclude, include}) {
              if (mode == include && count == 0)
                continue;
              CAPTURE(group);
              CAPTURE(count);
              CAPTURE(mode);
              std::vector<SocketAddress> sources;
              for (std::size_t i = 0; i < count; ++i)
                sources.push_back(source_of(static_cast<unsigned>(i)));
              VALUE(socket.setsockopt(option, {group, lo, mode, sources}));
              auto got = VALUE(socket.getsockopt(option, question));
              CHECK(got.mode == mode);
              REQUIRE(got.sources.size() == count);
              for (std::size_t i = 0; i < count; ++i)
                CHECK(got.sources[i] == sources[i]);
            }
        };
        check(udp4(), ip::mcast_join_group, ip::mcast_msfilter, Inet4Address{0xef010203, 0},
              [](unsigned i) { return SocketAddress(Inet4Address{0x0a000001 + i, 0}); });
        auto socket6 = Socket::socket(AF_INET6, SOCK_DGRAM);
        if (!socket6)
          return;
        check(*socket6, ipv6::mcast_join_group, ipv6::mcast_msfilter, Inet6Address{inet6("ff02::4711")},
              [](unsigned i) {
                in6_addr address = inet6("2001:db8::");
                address.s6_addr[15] = static_cast<unsigned char>(i);
                return SocketAddress(Inet6Address{address});
              });
      }))
    SKIP("a network namespace wants CAP_SYS_ADMIN");
}

TEST_CASE("IPV6_FLOWLABEL_MGR: the kernel chooses a label, and tells it") {
  if (!has_inet6())
    SKIP("no IPv6");
  Socket receiver = VALUE(Socket::socket(AF_INET6, SOCK_DGRAM));
  VALUE(receiver.bind(loopback6));
  Socket socket = VALUE(Socket::socket(AF_INET6, SOCK_DGRAM));
  in6_flowlabel_req request = {};
  request.flr_dst = in6addr_loopback;
  request.flr_share = 1;                                                            // IPV6_FL_S_EXCL
  request.flr_flags = 1;                                                            // IPV6_FL_F_CREATE
  CHECK_ERROR(socket.getsockopt(ipv6::flowlabel_mgr, request), ENOENT, getsockopt); // it has none
  VALUE(socket.setsockopt(ipv6::flowlabel_mgr, &request));
  REQUIRE(request.flr_label != 0);
  CHECK((ntohl(request.flr_label) & ~0xfffffu) == 0);

  VALUE(socket.setsockopt(ipv6::flowinfo_send, true));
  auto to = VALUE(VALUE(receiver.getsockname()).get<Inet6Address>());
  to.flowinfo = ntohl(request.flr_label);
  VALUE(socket.connect(to));
  const auto got = VALUE(socket.getsockopt(ipv6::flowlabel_mgr, in6_flowlabel_req{}));
  CHECK(got.flr_label == request.flr_label);
  CHECK(got.flr_share == 1);

  request.flr_action = 1; // IPV6_FL_A_PUT
  VALUE(socket.setsockopt(ipv6::flowlabel_mgr, &request));
  CHECK_ERROR(socket.setsockopt(ipv6::flowlabel_mgr, &request), ESRCH, setsockopt);
}

TEST_CASE("IPV6_MTU, IPV6_PATHMTU: of a connected socket") {
  if (!has_inet6())
    SKIP("no IPv6");
  Socket receiver = VALUE(Socket::socket(AF_INET6, SOCK_DGRAM));
  VALUE(receiver.bind(loopback6));
  Socket socket = VALUE(Socket::socket(AF_INET6, SOCK_DGRAM));
  CHECK_ERROR(socket.getsockopt(ipv6::pathmtu), ENOTCONN, getsockopt);
  VALUE(socket.connect(VALUE(receiver.getsockname())));
  const int mtu = VALUE(socket.getsockopt(ipv6::mtu));
  CHECK(mtu >= 1280);
  CHECK(VALUE(socket.getsockopt(ipv6::pathmtu)).ip6m_mtu == static_cast<unsigned>(mtu));
  CHECK(VALUE(socket.getsockopt(ipv6::v6only)) == (raw_as<int>(socket, ipv6::v6only) != 0));
  VALUE(socket.setsockopt(ipv6::tclass, 0xb8));
  CHECK(VALUE(socket.getsockopt(ipv6::tclass)) == 0xb8);
  VALUE(socket.setsockopt(ipv6::unicast_hops, 255));
  CHECK(VALUE(socket.getsockopt(ipv6::unicast_hops)) == 255);
  VALUE(socket.setsockopt(ipv6::unicast_hops, -1)); // the system's
  CHECK(VALUE(socket.getsockopt(ipv6::unicast_hops)) > 0);
}

// --- other families ------------------------------------------------------------------------------------

TEST_CASE("packet sockets: memberships, statistics") {
  auto made = Socket::socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
  if (refused(made, {EPERM, EAFNOSUPPORT}))
    SKIP("packet sockets want CAP_NET_RAW");
  Socket socket = VALUE(std::move(made));
  const Interface lo = VALUE(Interface::from_name("lo"));
  packet_mreq group = {static_cast<int>(lo.index()), 0, 6, {1, 0, 0x5e, 0x47, 0x11, 0xaa}}; // PACKET_MR_MULTICAST
  auto joined = [] {
    std::ifstream file("/proc/net/dev_mcast");
    std::string word;
    while (file >> word)
      if (word == "01005e4711aa")
        return true;
    return false;
  };
  CHECK_FALSE(joined());
  VALUE(socket.setsockopt(packet::add_membership, group));
  CHECK(joined());
  VALUE(socket.setsockopt(packet::drop_membership, group));
  CHECK_FALSE(joined());
  group.mr_ifindex = 0x7ffffff0;
  CHECK_ERROR(socket.setsockopt(packet::add_membership, group), ENODEV, setsockopt);

  VALUE(socket.getsockopt(packet::statistics)); // which starts them anew
  Socket sender = udp4();
  VALUE(sender.bind(loopback));
  VALUE(sender.sendto("x", VALUE(sender.getsockname())));
  const auto counts = VALUE(socket.getsockopt(packet::statistics));
  CHECK(counts->tp_packets >= 1);
  CHECK(counts.size() == 2 * sizeof(unsigned)); // of TPACKET_V1
  CHECK_FALSE(counts.has(&tpacket_stats_v3::tp_freeze_q_cnt));
  CHECK(counts->tp_freeze_q_cnt == 0);
  VALUE(socket.setsockopt(packet::version, 2)); // TPACKET_V3
  CHECK(VALUE(socket.getsockopt(packet::statistics)).has(&tpacket_stats_v3::tp_freeze_q_cnt));

  // A question: how long is the header of that version?
  CHECK(VALUE(socket.getsockopt(packet::hdrlen, 0)) < VALUE(socket.getsockopt(packet::hdrlen, 2)));
  CHECK_ERROR(socket.getsockopt(packet::hdrlen, 4711), EINVAL, getsockopt);
}

TEST_CASE("PACKET_FANOUT: set with eight bytes, got with four") {
  auto made = Socket::socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
  if (refused(made, {EPERM, EAFNOSUPPORT}))
    SKIP("packet sockets want CAP_NET_RAW");
  Socket socket = VALUE(std::move(made));
  CHECK(VALUE(socket.getsockopt(packet::fanout))->id == 0);
  const fanout_args group = {static_cast<std::uint16_t>(::getpid()), 1, 2}; // PACKET_FANOUT_LB
  auto set = socket.setsockopt(packet::fanout, group);
  if (!set && set.error().is(EINVAL))
    SKIP("fanout_args has 8 bytes since Linux 5.11");
  VALUE(std::move(set));
  const auto got = VALUE(socket.getsockopt(packet::fanout));
  CHECK(got->id == group.id);
  CHECK(got->type_flags == 1);
  CHECK(got.size() == raw(socket, packet::fanout).size());
  CHECK(got.has(&fanout_args::max_num_members) == (got.size() == sizeof group));
}

TEST_CASE("netlink: memberships, of any number of groups") {
  Socket socket = VALUE(Socket::socket(AF_NETLINK, SOCK_RAW, 0));
  CHECK(octets(VALUE(socket.getsockopt(netlink::list_memberships))) == raw(socket, netlink::list_memberships));
  VALUE(socket.setsockopt(netlink::add_membership, 1u));
  VALUE(socket.setsockopt(netlink::add_membership, 5u));
  const auto words = VALUE(socket.getsockopt(netlink::list_memberships));
  REQUIRE_FALSE(words.empty());
  CHECK(words[0] == (1u | 1u << 4));
  CHECK(octets(words) == raw(socket, netlink::list_memberships));
  VALUE(socket.setsockopt(netlink::add_membership, 33u));
  CHECK(VALUE(socket.getsockopt(netlink::list_memberships))[1] == 1);
  VALUE(socket.setsockopt(netlink::drop_membership, 1u));
  CHECK(VALUE(socket.getsockopt(netlink::list_memberships))[0] == 1u << 4);
  CHECK_ERROR(socket.setsockopt(netlink::add_membership, 100'000u), EINVAL, setsockopt);
  VALUE(socket.setsockopt(netlink::ext_ack, true));
  CHECK(VALUE(socket.getsockopt(netlink::ext_ack)));
}

TEST_CASE("vsock: sizes of 8 bytes, and a timeout") {
  auto made = Socket::socket(AF_VSOCK, SOCK_STREAM);
  if (!made)
    SKIP("no AF_VSOCK");
  Socket socket = VALUE(std::move(made));
  VALUE(socket.setsockopt(so::vm_sockets_buffer_max_size, std::uint64_t{1} << 33));
  CHECK(VALUE(socket.getsockopt(so::vm_sockets_buffer_max_size)) == std::uint64_t{1} << 33);
  VALUE(socket.setsockopt(so::vm_sockets_buffer_size, 300'000u));
  CHECK(raw_as<std::uint64_t>(socket, so::vm_sockets_buffer_size) == 300'000);
  CHECK(VALUE(socket.getsockopt(so::vm_sockets_buffer_size)) == 300'000);
  VALUE(socket.setsockopt(so::vm_sockets_connect_timeout, 1500ms));
  CHECK(VALUE(socket.getsockopt(so::vm_sockets_connect_timeout)) == 1500ms);
  CHECK_ERROR(socket.setsockopt(so::vm_sockets_connect_timeout, -1s), EDOM, setsockopt);
  CHECK(VALUE(socket.getsockopt(so::vm_sockets_connect_timeout)) == 1500ms);
}

TEST_CASE("MPTCP: information on the connection and each subflow") {
  auto made = Socket::socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
  if (!made)
    SKIP("no MPTCP");
  Socket listener = VALUE(std::move(made));
  VALUE(listener.bind(loopback));
  VALUE(listener.listen());
  Socket client = VALUE(Socket::socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
  auto none = client.getsockopt(mptcp::tcpinfo);
  if (refused(none))
    SKIP("MPTCP_TCPINFO is of Linux 5.16");
  VALUE(client.connect(VALUE(listener.getsockname())));
  Socket server = VALUE(listener.accept());
  VALUE(client.send("hello"));
  char room[8];
  CHECK(VALUE(server.recv(room)).size == 5);

  auto info = VALUE(client.getsockopt(mptcp::info));
  CHECK(info.size() == std::min(raw(client, mptcp::info).size(), sizeof(mptcp_info)));
  CHECK(info->mptcpi_token != 0);
  if (info.has(&mptcp_info::mptcpi_bytes_sent))
    CHECK(info->mptcpi_bytes_sent == 5);

  const auto subflows = VALUE(client.getsockopt(mptcp::tcpinfo));
  REQUIRE(subflows.size() == 1);
  CHECK(subflows[0].tcpi_state == 1);
  CHECK(subflows[0].tcpi_snd_mss > 0);
  const auto addresses = VALUE(client.getsockopt(mptcp::subflow_addrs));
  REQUIRE(addresses.size() == 1);
  const auto address_of = [](const sockaddr_storage &storage) {
    return VALUE(SocketAddress::from_bytes({&storage, sizeof storage}));
  };
  CHECK(address_of(addresses[0].ss_local) == VALUE(client.getsockname()));
  CHECK(address_of(addresses[0].ss_remote) == VALUE(client.getpeername()));

  // A question with addresses of our own.
  mptcp_subflow_info flows[4] = {};
  tcp_info infos[4] = {};
  mptcp_full_info question = {};
  question.size_tcpinfo_user = sizeof infos[0];
  question.size_sfinfo_user = sizeof flows[0];
  question.size_arrays_user = 4;
  question.subflow_info = reinterpret_cast<std::uintptr_t>(flows);
  question.tcp_info = reinterpret_cast<std::uintptr_t>(infos);
  auto full = client.getsockopt(mptcp::full_info, question);
  if (refused(full))
    SKIP("MPTCP_FULL_INFO is of Linux 6.6");
  CHECK(VALUE(std::move(full))->num_subflows == 1);
  CHECK(infos[0].tcpi_state == 1);
  CHECK(address_of(flows[0].addrs.ss_local) == VALUE(client.getsockname()));

  // Of plain TCP the kernel knows none.
  CHECK_ERROR(tcp4().getsockopt(mptcp::tcpinfo), EOPNOTSUPP, getsockopt);
}

TEST_CASE("UDP: segments, cork, no checksums") {
  Socket socket = udp4();
  VALUE(socket.setsockopt(udp::segment, 1200));
  CHECK(VALUE(socket.getsockopt(udp::segment)) == 1200);
  CHECK_ERROR(socket.setsockopt(udp::segment, 65536), EINVAL, setsockopt);
  VALUE(socket.setsockopt(udp::gro, true));
  CHECK(VALUE(socket.getsockopt(udp::gro)));
  VALUE(socket.setsockopt(udp::cork, true));
  CHECK(VALUE(socket.getsockopt(udp::cork)));
}

TEST_CASE("options that could not be switched on elsewhere") {
  Socket stream = tcp4();
  VALUE(stream.setsockopt(tcp::inq, true));
  CHECK(VALUE(stream.getsockopt(tcp::inq)));
  Socket socket = udp4();
  for (const auto &option : {ip::checksum, ip::recvfragsize, ip::recvttl, ip::pktinfo}) {
    CAPTURE(std::string(option.name));
    CHECK_FALSE(VALUE(socket.getsockopt(option)));
    VALUE(socket.setsockopt(option, true));
    CHECK(VALUE(socket.getsockopt(option)));
    CHECK(raw_as<int>(socket, option) == 1);
  }
}

TEST_CASE("ALG_SET_AEAD_AUTHSIZE: the length is the value (trap 32)") {
  auto made = Socket::socket(AF_ALG, SOCK_SEQPACKET);
  if (!made)
    SKIP("no AF_ALG"); // fault.cpp sees the arguments
  VALUE(made->bind(VALUE(AlgAddress::algorithm("aead", "gcm(aes)"))));
  VALUE(made->setsockopt(alg::set_key, Octets(16)));
  VALUE(made->setsockopt(alg::set_aead_authsize, 12u));
  CHECK_ERROR(made->setsockopt(alg::set_aead_authsize, 17u), EINVAL, setsockopt);
}

// --- which sockets -------------------------------------------------------------------------------------

namespace {

struct Kind {
  int domain, type, protocol;
  std::vector<Sockets> accepted; // besides any, and what follows from these
};

bool expected(const Kind &kind, Sockets sockets) {
  const auto accepted = [&](Sockets other) { return std::ranges::count(kind.accepted, other) != 0; };
  switch (sockets) {
  case Sockets::any:
    return true;
  case Sockets::not_mptcp:
    return !accepted(Sockets::mptcp);
  case Sockets::inet_any_mptcp:
    return accepted(sockets) || accepted(Sockets::inet_any);
  case Sockets::inet_mptcp:
    return accepted(sockets) || accepted(Sockets::inet);
  case Sockets::inet6_mptcp:
    return accepted(sockets) || accepted(Sockets::inet6);
  case Sockets::tcp_mptcp:
    return accepted(sockets) || accepted(Sockets::tcp);
  default:
    return accepted(sockets);
  }
}

constexpr int dccp_type = 6; // SOCK_DCCP

const Kind kinds[] = {
    {AF_INET,
     SOCK_STREAM,
     0,
     {Sockets::inet_any, Sockets::inet, Sockets::inet4, Sockets::tcp, Sockets::zerocopy, Sockets::peek}},
    {AF_INET,
     SOCK_STREAM,
     IPPROTO_TCP,
     {Sockets::inet_any, Sockets::inet, Sockets::inet4, Sockets::tcp, Sockets::zerocopy, Sockets::peek}},
    {AF_INET6,
     SOCK_STREAM,
     0,
     {Sockets::inet_any, Sockets::inet, Sockets::inet6, Sockets::tcp, Sockets::tcp6, Sockets::zerocopy,
      Sockets::peek}},
    {AF_INET,
     SOCK_DGRAM,
     0,
     {Sockets::inet_any, Sockets::inet, Sockets::inet_dgram, Sockets::inet4, Sockets::udp, Sockets::zerocopy,
      Sockets::peek}},
    {AF_INET6,
     SOCK_DGRAM,
     IPPROTO_UDP,
     {Sockets::inet_any, Sockets::inet, Sockets::inet_dgram, Sockets::inet6, Sockets::inet6_dgram, Sockets::udp,
      Sockets::zerocopy, Sockets::peek}},
    {AF_INET,
     SOCK_DGRAM,
     IPPROTO_UDPLITE,
     {Sockets::inet_any, Sockets::inet, Sockets::inet_dgram, Sockets::inet4, Sockets::udp, Sockets::udplite,
      Sockets::peek}},
    {AF_INET, SOCK_DGRAM, IPPROTO_ICMP, {Sockets::inet_any, Sockets::inet, Sockets::inet_dgram, Sockets::inet4}},
    {AF_INET,
     SOCK_RAW,
     IPPROTO_ICMP,
     {Sockets::inet_any, Sockets::inet, Sockets::inet_dgram, Sockets::inet4, Sockets::ip_raw, Sockets::icmp}},
    {AF_INET,
     SOCK_RAW,
     IPPROTO_UDP,
     {Sockets::inet_any, Sockets::inet, Sockets::inet_dgram, Sockets::inet4, Sockets::ip_raw}},
    {AF_INET6,
     SOCK_RAW,
     IPPROTO_ICMPV6,
     {Sockets::inet_any, Sockets::inet6, Sockets::inet6_dgram, Sockets::ip6_raw, Sockets::icmp6}},
    {AF_INET6, SOCK_RAW, IPPROTO_TCP, {Sockets::inet_any, Sockets::inet6, Sockets::inet6_dgram, Sockets::ip6_raw}},
    {AF_INET,
     SOCK_STREAM,
     IPPROTO_MPTCP,
     {Sockets::inet_any_mptcp, Sockets::inet_mptcp, Sockets::tcp_mptcp, Sockets::mptcp}},
    {AF_INET6,
     SOCK_STREAM,
     IPPROTO_MPTCP,
     {Sockets::inet_any_mptcp, Sockets::inet_mptcp, Sockets::inet6_mptcp, Sockets::tcp_mptcp, Sockets::mptcp}},
    {AF_INET, SOCK_STREAM, IPPROTO_SCTP, {Sockets::inet_any, Sockets::inet, Sockets::inet4, Sockets::sctp}},
    {AF_INET,
     SOCK_SEQPACKET,
     0,
     {Sockets::inet_any, Sockets::inet, Sockets::inet_dgram, Sockets::inet4, Sockets::sctp}},
    {AF_INET, dccp_type, 0, {Sockets::inet_any, Sockets::inet, Sockets::inet_dgram, Sockets::inet4, Sockets::dccp}},
    {AF_UNIX, SOCK_STREAM, 0, {Sockets::unix_, Sockets::unix_stream, Sockets::scm, Sockets::peek}},
    {AF_UNIX, SOCK_DGRAM, 0, {Sockets::unix_, Sockets::scm, Sockets::peek}},
    {AF_UNIX, SOCK_SEQPACKET, 0, {Sockets::unix_, Sockets::scm, Sockets::peek}},
    {AF_PACKET, SOCK_RAW, 0, {Sockets::packet}},
    {AF_NETLINK, SOCK_RAW, 0, {Sockets::netlink, Sockets::scm}},
    {AF_BLUETOOTH, SOCK_SEQPACKET, 0, {Sockets::scm}},
    {AF_VSOCK, SOCK_STREAM, 0, {Sockets::vsock, Sockets::zerocopy}},
    {AF_CAN, SOCK_RAW, 1, {Sockets::can_raw}},
    {AF_CAN, SOCK_DGRAM, 2, {}}, // CAN_BCM
    {AF_CAN, SOCK_DGRAM, 6, {Sockets::can_isotp}},
    {AF_CAN, SOCK_DGRAM, 7, {Sockets::can_j1939}},
    {AF_TIPC, SOCK_RDM, 0, {Sockets::tipc}},
    {AF_ALG, SOCK_SEQPACKET, 0, {Sockets::alg}},
    {AF_XDP, SOCK_RAW, 0, {Sockets::xdp}},
    {AF_SMC, SOCK_STREAM, 0, {Sockets::smc}},
    {AF_KCM, SOCK_DGRAM, 0, {Sockets::kcm}},
    {AF_RDS, SOCK_SEQPACKET, 0, {Sockets::rds}},
    {45, SOCK_DGRAM, 0, {Sockets::mctp}},
    {AF_RXRPC, SOCK_DGRAM, 0, {Sockets::rxrpc}},
    {AF_LLC, SOCK_STREAM, 0, {Sockets::llc}},
    {AF_PPPOX, SOCK_DGRAM, 1, {Sockets::pppol2tp}},
    {AF_PHONET, SOCK_SEQPACKET, 0, {Sockets::pnpipe}},
    {AF_CAIF, SOCK_STREAM, 0, {Sockets::caif}},
    {AF_NFC, SOCK_STREAM, 1, {Sockets::nfc}},
    {AF_AX25, SOCK_SEQPACKET, 0, {Sockets::ax25}},
    {AF_NETROM, SOCK_SEQPACKET, 0, {Sockets::netrom}},
    {AF_ROSE, SOCK_SEQPACKET, 0, {Sockets::rose}},
    {AF_X25, SOCK_SEQPACKET, 0, {Sockets::x25}},
    {AF_UNSPEC, SOCK_STREAM, IPPROTO_TCP, {}},
    {4711, SOCK_STREAM, 0, {}},
};

constexpr auto last = Sockets::x25;

} // namespace

TEST_CASE("accepts: each kind of socket, each kind of option") {
  std::vector<int> seen(static_cast<std::size_t>(last) + 1);
  for (const Kind &kind : kinds)
    for (int i = 0; i <= static_cast<int>(last); ++i) {
      const auto sockets = static_cast<Sockets>(i);
      CAPTURE(kind.domain);
      CAPTURE(kind.type);
      CAPTURE(kind.protocol);
      CAPTURE(i);
      const bool wanted = expected(kind, sockets);
      CHECK(accepts(sockets, kind.domain, kind.type, kind.protocol) == wanted);
      CHECK(accepts(sockets, kind.domain, kind.type | SOCK_NONBLOCK | SOCK_CLOEXEC, kind.protocol) == wanted);
      seen[static_cast<std::size_t>(i)] |= wanted ? 1 : 2;
    }
  for (std::size_t i = 1; i < seen.size(); ++i) {
    CAPTURE(i);
    CHECK(seen[i] == 3); // some accept it, some do not
  }
  CHECK_FALSE(accepts(static_cast<Sockets>(static_cast<int>(last) + 1), AF_INET, SOCK_STREAM));
}

// --- of one's own --------------------------------------------------------------------------------------

namespace {

inline constexpr Option<int> own_number{SOL_SOCKET, SO_RCVLOWAT, "OWN_NUMBER"};
inline constexpr Option<int, Access::get> own_type{SOL_SOCKET, SO_TYPE, "OWN_TYPE", Sockets::inet};

struct OwnLinger {
  int onoff, seconds;
};
inline constexpr Option<OwnLinger> own_struct{SOL_SOCKET, SO_LINGER, "OWN_STRUCT"};

struct Kibibytes {
  int count;
};

} // namespace

template <>
struct baresock::Codec<Kibibytes> {
  using Value = Kibibytes;
  using Argument = Kibibytes;

  static Result<Kibibytes> get(const Socket &socket, int level, int number) noexcept {
    auto bytes = Codec<int>::get(socket, level, number);
    if (!bytes)
      return std::unexpected(bytes.error());
    return Kibibytes{*bytes / 2048};
  }
  static Result<void> set(const Socket &socket, int level, int number, Kibibytes value) noexcept {
    return Codec<int>::set(socket, level, number, value.count * 1024);
  }
};

namespace {

inline constexpr Option<Kibibytes> own_codec{SOL_SOCKET, SO_RCVBUF, "OWN_CODEC"};

} // namespace

TEST_CASE("an option of one's own, of a struct, with a codec") {
  Socket socket = tcp4();
  VALUE(socket.setsockopt(own_number, 17));
  CHECK(VALUE(socket.getsockopt(own_number)) == 17);
  CHECK(VALUE(socket.getsockopt(so::rcvlowat)) == 17);
  CHECK(VALUE(socket.getsockopt(own_type)) == SOCK_STREAM);
  VALUE(socket.setsockopt(own_struct, OwnLinger{1, 30}));
  CHECK(VALUE(socket.getsockopt(own_struct)).seconds == 30);
  CHECK(VALUE(socket.getsockopt(so::linger)) == Linger::wait(30s));
  VALUE(socket.setsockopt(own_codec, Kibibytes{64}));
  CHECK(VALUE(socket.getsockopt(own_codec)).count == 64);
  CHECK(VALUE(socket.getsockopt(so::rcvbuf)) == 2 * 65536);
}

TEST_CASE("List: what is left over does not count; moved, it is empty") {
  Bytes bytes = VALUE(Bytes::zeros(11));
  bytes.data()[4] = std::byte{7};
  List<std::uint32_t> list(std::move(bytes));
  CHECK(list.size() == 2);
  CHECK_FALSE(list.empty());
  CHECK(list.end() - list.begin() == 2);
  List<std::uint32_t> moved(std::move(list));
  CHECK(octets(moved)[4] == 7);
  CHECK(List<std::uint32_t>().empty());
  CHECK(List<std::uint32_t>().begin() == List<std::uint32_t>().end());
  CHECK(List<std::uint64_t>(VALUE(Bytes::zeros(7))).empty());
}

TEST_SUITE_END();
