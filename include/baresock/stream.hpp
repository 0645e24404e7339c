// SPDX-License-Identifier: MIT
/// What programs do with a stream, beyond the single call. None of it is one call, each says which it makes.
///
///   auto sent = send_all(socket, request, 5s);             all of it, or sent.error() and sent.size
///   auto head = recv_exact(socket, header, 5s);
///   auto rest = recv_until_eof(socket, 1 << 20, 5s);       rest.data, whatever happened
///   auto done = finish(socket, "bye\r\n", 5s);             sends, shuts down, reads to the end, closes
///
/// They go on after a signal. A deadline is for the whole: what would wait after it fails, what goes at once goes. So
/// is a cancellation, looked at before every call that sends or receives. They pass MSG_DONTWAIT and wait with
/// ppoll(2): O_NONBLOCK does not matter and stays as it is, and SO_RCVTIMEO and SO_SNDTIMEO do not count. Errors of
/// their own: ETIMEDOUT, ECANCELED, EINVAL for a deadline below zero.

#pragma once

#include <baresock/deadline.hpp>
#include <baresock/socket.hpp>

#include <cstddef>
#include <cstdint>

namespace baresock {

/// Whether a transfer came to its end, or why not; in either case how many bytes went.
struct Transferred : Result<void> {
  std::size_t size = 0;
};

/// The same with the bytes, which are there in either case.
struct ReceivedData : Result<void> {
  Bytes data;
};

/// sendmsg(2) until all of `data` is sent. `flags`: MSG_MORE …
[[nodiscard]] Transferred send_all(const Socket &socket, ConstBuffer data, const Deadline &deadline = {},
                                   int flags = 0) noexcept;

/// The same of several parts, one after the other.
[[nodiscard]] Transferred send_all(const Socket &socket, Span<const ConstBuffer> parts, const Deadline &deadline = {},
                                   int flags = 0) noexcept;

/// recv(2) until `buffer` is full. ENODATA if the stream ends before.
[[nodiscard]] Transferred recv_exact(const Socket &socket, MutableBuffer buffer,
                                     const Deadline &deadline = {}) noexcept;

/// recv(2) until the stream ends. EMSGSIZE if there is more than fits into `buffer`; it is not taken from the socket.
[[nodiscard]] Transferred recv_until_eof(const Socket &socket, MutableBuffer buffer,
                                         const Deadline &deadline = {}) noexcept;

/// The same into at most `limit` bytes that it allocates as they come; ENOMEM.
[[nodiscard]] ReceivedData recv_until_eof(const Socket &socket, std::size_t limit,
                                          const Deadline &deadline = {}) noexcept;

/// Ends a connection in order: send_all(), shutdown(2) of writing, recv(2) of whatever still comes, which is dropped,
/// to the end, close(2). The socket is closed in any case. Without a deadline a peer that never ends is waited for.
[[nodiscard]] Transferred finish(Socket &socket, ConstBuffer data = {}, const Deadline &deadline = {}) noexcept;

/// Ends a TCP connection at once, dropping what was not sent: SO_LINGER with no time, and close(2), which sends a
/// reset. EOPNOTSUPP for a socket of another protocol, which stays open.
[[nodiscard]] Result<void> reset_and_close(Socket &socket) noexcept;

/// Probes of a silent TCP peer. Zero: as the system has it.
struct KeepAlive {
  bool on = true;
  Seconds idle = Seconds(0);     // TCP_KEEPIDLE: before the first probe; at most 32767
  Seconds interval = Seconds(0); // TCP_KEEPINTVL: between probes; at most 32767
  int count = 0;                 // TCP_KEEPCNT: of probes without an answer; at most 127
};

/// SO_KEEPALIVE and, before it, what is not zero of the three. EINVAL for what they do not hold, before any is set.
[[nodiscard]] Result<void> set_keepalive(const Socket &socket, const KeepAlive &keep_alive) noexcept;

/// SO_RCVTIMEO and SO_SNDTIMEO; zero: no limit. EINVAL, before any is set, as those options have it.
[[nodiscard]] Result<void> set_timeouts(const Socket &socket, Microseconds receive, Microseconds send) noexcept;

/// IP_TOS of AF_INET. Of AF_INET6, IPV6_TCLASS and, for what it exchanges with IPv4 peers, IP_TOS. 0 to 255, or
/// ERANGE; EAFNOSUPPORT for other families. Linux ignores the two lowest bits, ECN's, on TCP.
[[nodiscard]] Result<void> set_traffic_class(const Socket &socket, int traffic_class) noexcept;
/// IP_TOS or IPV6_TCLASS, by family.
[[nodiscard]] Result<int> traffic_class(const Socket &socket) noexcept;

/// How many bytes of data a TCP connection has carried.
struct TcpBytes {
  std::uint64_t sent = 0; // once each, however often they were sent again
  std::uint64_t received = 0;
};

/// TCP_INFO, tcp(7), Linux 4.19. EOPNOTSUPP if the kernel does not say. Once both sides have ended (TCP_CLOSE), the
/// end that the peer sent may be counted as one byte more.
[[nodiscard]] Result<TcpBytes> tcp_bytes(const Socket &socket) noexcept;

/// TCP_INFO's tcpi_state: TCP_ESTABLISHED, TCP_LISTEN … (constant_name("TCP_", state)).
[[nodiscard]] Result<int> tcp_state(const Socket &socket) noexcept;

} // namespace baresock
