// SPDX-License-Identifier: MIT
/// Connecting: by name, to the first of several addresses that answers, within a time.
///
///   auto socket = connect_to("example.org", "https", {.deadline = 5s});   a Result<Socket>
///   if (!socket)
///     for (const ConnectAttempt &attempt : socket.attempts)               each with its address, error and time
///       …
///   auto other = connect_to("/run/x.sock");                               the text of an address
///
/// None of it is one call. Sockets that come to nothing are closed; what was started and not needed, too.

#pragma once

#include <baresock/deadline.hpp>
#include <baresock/function.hpp>
#include <baresock/list.hpp>
#include <baresock/netdb.hpp>
#include <baresock/socket.hpp>
#include <baresock/stream.hpp>

#include <cstdint>

namespace baresock {

/// In place of getaddrinfo(3): the addresses of a host, in the order in which they are to be tried.
using Resolver = Function<Result<List<SocketAddress>>(Host host, Service service, const AddressHints &hints)>;

/// How to connect. A plain struct: name what differs.
struct ConnectOptions {
  Deadline deadline = {};                                    // for all of it; but the resolver is not interrupted
  int family = AF_UNSPEC;                                    // AF_INET, AF_INET6: only addresses of it
  int type = SOCK_STREAM;                                    // with SOCK_NONBLOCK, the socket is left nonblocking
  int protocol = 0;                                          // IPPROTO_MPTCP …
  int flags = 0;                                             // AI_, to the resolver
  Resolver resolver = {};                                    // in place of getaddrinfo(3)
  Milliseconds attempt_delay = Milliseconds(250);            // before the next address is tried beside; at least 10
  SocketAddress local = {};                                  // to bind; only addresses of its family are tried
  std::uint16_t local_port = 0;                              // of `local`, or of any address
  TextView interface = {};                                   // SO_BINDTODEVICE
  KeepAlive keep_alive = {.on = false};                      // set_keepalive(), if on; of AF_INET and AF_INET6
  bool no_delay = false;                                     // TCP_NODELAY; likewise
  Function<bool(const SocketAddress &address)> blocked = {}; // such addresses are not connected to: EPERM
  /// Run on each socket before it is bound and connected; its error is the attempt's.
  Function<Result<void>(const Socket &socket, const SocketAddress &address)> before_connect = {};
};

/// What became of an address.
struct ConnectAttempt {
  SocketAddress address;
  Error error; // none: this is the connection. ECANCELED: another one was, before this, or the deadline was cancelled
  Nanoseconds started; // since the call
  Nanoseconds ended;
};

/// The connection, or the error of the attempt that failed last: ETIMEDOUT of connect_to once the deadline has
/// passed.
struct ConnectResult : Result<Socket> {
  List<ConnectAttempt> attempts; // those that were started, in order
};

/// RFC 8305: asks the resolver, and connects to its addresses, of alternating families, in a race. An attempt that
/// fails starts the next at once, one that takes longer than `attempt_delay` gets it beside; none is given up before
/// the deadline. The first that stands wins. Sets O_NONBLOCK on each socket meanwhile, IP_BIND_ADDRESS_NO_PORT to
/// bind without a port and SO_REUSEADDR to bind with one; nothing else unasked. A full backlog of AF_UNIX is waited
/// for. EAFNOSUPPORT if there is no address of the family; EINVAL for a time below zero.
[[nodiscard]] ConnectResult connect_to(Host host, Service service, const ConnectOptions &options = {}) noexcept;

/// The same, to one address.
[[nodiscard]] ConnectResult connect_to(const SocketAddress &address, const ConnectOptions &options = {}) noexcept;

/// The same, to one address as SocketAddress::parse() reads it: "127.0.0.1:80", "[::1]:80", "/run/x.sock",
/// "@abstract".
template <class T>
  requires std::is_convertible_v<const T &, TextView>
[[nodiscard]] ConnectResult connect_to(const T &text, const ConnectOptions &options = {}) noexcept {
  auto address = SocketAddress::parse(text);
  if (!address)
    return {Result<Socket>(std::unexpected(address.error())), {}};
  return connect_to(*address, options);
}

/// connect(2) of a socket of one's own, past signals, with a deadline. Sets O_NONBLOCK meanwhile if it is not set.
/// After ETIMEDOUT or ECANCELED the attempt goes on: close the socket, or call again.
[[nodiscard]] Result<void> connect_until(const Socket &socket, const SocketAddress &address,
                                         const Deadline &deadline = {}) noexcept;

} // namespace baresock
