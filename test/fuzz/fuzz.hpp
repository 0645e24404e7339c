// SPDX-License-Identifier: MIT
/// What the fuzzers share.

#pragma once

#include <baresock/standard.hpp>

#include <cstdlib>

inline void require(bool condition) {
  if (!condition)
    std::abort();
}

/// The address that its text is read back as: an IPv6 address has no flow information there.
inline baresock::SocketAddress as_text(const baresock::SocketAddress &address) {
  auto inet6 = address.get<baresock::Inet6Address>();
  if (!inet6)
    return address;
  inet6->flowinfo = 0;
  return *inet6;
}
