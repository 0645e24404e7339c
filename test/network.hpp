// SPDX-License-Identifier: MIT
/// Loopback sockets, and networks of a test's own.

#pragma once

#include "support.hpp"

#include <baresock/baresock.hpp>

#include <cstring>
#include <functional>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <thread>

inline const baresock::SocketAddress loopback = baresock::Inet4Address{INADDR_LOOPBACK, 0};
inline const baresock::SocketAddress loopback6 = baresock::Inet6Address{in6addr_loopback};

inline baresock::SocketAddress at(const std::string &text) { return VALUE(baresock::SocketAddress::parse(text)); }

/// Can IPv6 be used here?
inline bool has_inet6() {
  auto socket = baresock::Socket::socket(AF_INET6, SOCK_DGRAM);
  return socket && socket->bind(loopback6).has_value();
}

inline baresock::Socket dgram(int family) { return VALUE(baresock::Socket::socket(family, SOCK_DGRAM)); }

/// A socket of SOCK_DGRAM at that address.
inline baresock::Socket bound(const baresock::SocketAddress &address) {
  baresock::Socket socket = dgram(address.family());
  VALUE(socket.bind(address));
  return socket;
}

constexpr int long_time = 20'000; // milliseconds; of a poll(2) that fails the test if it runs out

/// Waits until poll(2) says one of `events`, or an error; fails after a long time.
inline void wait(const baresock::Socket &socket, short events = 0) {
  pollfd waiting{socket.fd(), events, 0};
  REQUIRE(::poll(&waiting, 1, long_time) == 1);
}

/// Sets what `request` says of lo: netdevice(7).
inline void set_loopback(unsigned long call, ifreq request) {
  const baresock::Socket socket = dgram(AF_INET);
  std::strcpy(request.ifr_name, "lo");
  CHECK(::ioctl(socket.fd(), call, &request) == 0);
}

inline void set_loopback_up(short flags = 0) {
  ifreq request = {};
  request.ifr_flags = static_cast<short>(IFF_UP | IFF_RUNNING | flags);
  set_loopback(SIOCSIFFLAGS, request);
}

/// Runs `body` in a thread with a network of its own, in which only lo is, and up. False if that is not permitted.
inline bool in_own_network(const std::function<void()> &body, short flags = 0) {
  bool permitted = false;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0)
      return;
    permitted = true;
    set_loopback_up(flags);
    try {
      body();
    } catch (...) { // what REQUIRE throws, already counted
    }
  }).join();
  return permitted;
}
