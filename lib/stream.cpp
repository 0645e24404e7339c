// SPDX-License-Identifier: MIT

#include "wait.hpp"

#include <baresock/option.hpp>
#include <baresock/stream.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <utility>

namespace baresock {

namespace {

/// Makes calls that transfer some bytes, or would block, until `done` or an error. `events` says what to wait for.
template <class Done, class Call>
Result<void> transfer(const Socket &socket, short events, const Deadline &deadline, Operation operation, Done &&done,
                      Call &&call) noexcept {
  while (!done()) {
    if (auto going = detail::go_on(deadline, operation); !going)
      return going;
    Result<void> made = call();
    if (made || made.error().interrupted())
      continue;
    if (!made.error().would_block())
      return made;
    if (auto ready = detail::wait_for(socket.fd(), events, deadline, operation); !ready)
      return std::unexpected(ready.error());
  }
  // A deadline that makes no sense is told of even if there was nothing to do.
  return deadline.valid() ? Result<void>() : std::unexpected(detail::fail(operation, EINVAL));
}

/// recv(2) into what is left of `buffer`. `end` is set at the end of the stream.
Result<void> receive_more(const Socket &socket, MutableBuffer buffer, std::size_t &size, bool &end) noexcept {
  auto received = socket.recv({buffer.data() + size, buffer.size() - size}, MSG_DONTWAIT);
  if (!received)
    return std::unexpected(received.error());
  size += received->size;
  end = received->size == 0;
  return {};
}

/// Is there nothing after what fits? EMSGSIZE if there is something.
Result<void> expect_end(const Socket &socket, bool &end) noexcept {
  char byte;
  auto received = socket.recv({&byte, 1}, MSG_DONTWAIT | MSG_PEEK);
  if (!received)
    return std::unexpected(received.error());
  end = received->size == 0;
  return end ? Result<void>() : std::unexpected(detail::fail(Operation::recv_until_eof, EMSGSIZE));
}

Result<void> drain(const Socket &socket, const Deadline &deadline) noexcept {
  char dropped[16384];
  bool first = true, end = false;
  return transfer(
      socket, POLLIN, deadline, Operation::finish, [&] { return end; },
      [&]() -> Result<void> {
        if (!std::exchange(first, false) && deadline.passed()) // which a peer that never waits would not let it see
          return std::unexpected(detail::fail(Operation::finish, ETIMEDOUT));
        std::size_t size = 0;
        return receive_more(socket, dropped, size, end);
      });
}

Result<void> send_parts(const Socket &socket, Span<const ConstBuffer> parts, const Deadline &deadline, int flags,
                        Operation operation, std::size_t &size) noexcept {
  std::array<ConstBuffer, 64> window; // what is next to be sent of so many parts
  std::size_t next = 0;               // of `parts`, the first that is not in the window
  std::size_t first = 0, last = 0;    // of `window`, those with something left
  return transfer(
      socket, POLLOUT, deadline, operation,
      [&] {
        if (first == last) {
          first = last = 0;
          for (; next < parts.size() && last < window.size(); ++next)
            if (!parts[next].empty())
              window[last++] = parts[next];
        }
        return first == last;
      },
      [&]() -> Result<void> {
        auto sent = socket.sendmsg(OutgoingMessage({window.data() + first, last - first}), flags | MSG_DONTWAIT);
        if (!sent)
          return std::unexpected(sent.error());
        size += *sent;
        for (std::size_t left = *sent; left != 0;) {
          ConstBuffer &part = window[first];
          const std::size_t taken = std::min(left, part.size());
          part = {part.data() + taken, part.size() - taken};
          left -= taken;
          first += part.empty();
        }
        return {};
      });
}

bool is_tcp(int protocol) noexcept { return protocol == IPPROTO_TCP || protocol == 262; } // IPPROTO_MPTCP

/// Seconds that the kernel takes for an option of TCP's keep-alive; zero: as it is.
bool holds(Seconds time) noexcept { return time.count() >= 0 && time.count() <= 32767; }

} // namespace

Transferred send_all(const Socket &socket, Span<const ConstBuffer> parts, const Deadline &deadline,
                     int flags) noexcept {
  detail::Report report;
  Transferred sent;
  static_cast<Result<void> &>(sent) =
      report(send_parts(socket, parts, deadline, flags, Operation::send_all, sent.size));
  return sent;
}

Transferred send_all(const Socket &socket, ConstBuffer data, const Deadline &deadline, int flags) noexcept {
  return send_all(socket, Span<const ConstBuffer>(&data, 1), deadline, flags);
}

Transferred recv_exact(const Socket &socket, MutableBuffer buffer, const Deadline &deadline) noexcept {
  detail::Report report;
  Transferred received;
  bool end = false;
  static_cast<Result<void> &>(received) = report(transfer(
      socket, POLLIN, deadline, Operation::recv_exact, [&] { return received.size == buffer.size(); },
      [&]() -> Result<void> {
        auto more = receive_more(socket, buffer, received.size, end);
        return more && end ? std::unexpected(detail::fail(Operation::recv_exact, ENODATA)) : more;
      }));
  return received;
}

Transferred recv_until_eof(const Socket &socket, MutableBuffer buffer, const Deadline &deadline) noexcept {
  detail::Report report;
  Transferred received;
  bool end = false;
  static_cast<Result<void> &>(received) = report(transfer(
      socket, POLLIN, deadline, Operation::recv_until_eof, [&] { return end; },
      [&] {
        return received.size < buffer.size() ? receive_more(socket, buffer, received.size, end)
                                             : expect_end(socket, end);
      }));
  return received;
}

ReceivedData recv_until_eof(const Socket &socket, std::size_t limit, const Deadline &deadline) noexcept {
  constexpr std::size_t least = 4096;
  detail::Report report;
  ReceivedData received;
  std::size_t size = 0; // of received.data, which is as large as there is room for
  bool end = false;
  static_cast<Result<void> &>(received) = report(transfer(
      socket, POLLIN, deadline, Operation::recv_until_eof, [&] { return end; },
      [&]() -> Result<void> {
        if (size == limit)
          return expect_end(socket, end);
        if (size == received.data.size())
          if (auto grown =
                  received.data.resize(size < limit / 2 ? std::max(2 * size, std::min(least, limit)) : limit);
              !grown)
            return grown;
        return receive_more(socket, received.data, size, end);
      }));
  (void)received.data.resize(size); // not larger
  return received;
}

Transferred finish(Socket &socket, ConstBuffer data, const Deadline &deadline) noexcept {
  detail::Report report;
  Transferred sent;
  Result<void> &result = sent;
  result = send_parts(socket, {&data, 1}, deadline, 0, Operation::finish, sent.size);
  if (result) {
    result = socket.shutdown(SHUT_WR);
    // Of a connection that has come to its end that is told, in which order ever it came.
    if (!result && result.error().is(ENOTCONN))
      if (auto why = socket.getsockopt(so::error); why)
        result = *why == 0 ? Result<void>() : std::unexpected(Error(*why, Operation::shutdown));
    if (result)
      result = drain(socket, deadline);
  }
  auto closed = socket.close();
  result = report(result ? std::move(closed) : std::move(result));
  return sent;
}

Result<void> reset_and_close(Socket &socket) noexcept {
  auto protocol = socket.getsockopt(so::protocol);
  if (!protocol)
    return std::unexpected(protocol.error());
  if (!is_tcp(*protocol))
    return std::unexpected(detail::fail(Operation::reset_and_close, EOPNOTSUPP));
  if (auto set = socket.setsockopt(so::linger, Linger::abort()); !set)
    return set;
  return socket.close();
}

Result<void> set_keepalive(const Socket &socket, const KeepAlive &keep_alive) noexcept {
  if (!holds(keep_alive.idle) || !holds(keep_alive.interval) || keep_alive.count < 0 || keep_alive.count > 127)
    return std::unexpected(detail::fail(Operation::set_keepalive, EINVAL));
  const std::pair<Option<Seconds>, Seconds> times[] = {{tcp::keepidle, keep_alive.idle},
                                                       {tcp::keepintvl, keep_alive.interval}};
  for (const auto &[option, time] : times)
    if (time.count() != 0)
      if (auto set = socket.setsockopt(option, time); !set)
        return set;
  if (keep_alive.count != 0)
    if (auto set = socket.setsockopt(tcp::keepcnt, keep_alive.count); !set)
      return set;
  return socket.setsockopt(so::keepalive, keep_alive.on);
}

Result<void> set_timeouts(const Socket &socket, Microseconds receive, Microseconds send) noexcept {
  for (Microseconds time : {receive, send})
    if (time.count() < 0 || time == Microseconds::max())
      return std::unexpected(detail::fail(Operation::set_timeouts, EINVAL));
  if (auto set = socket.setsockopt(so::rcvtimeo, receive); !set)
    return set;
  return socket.setsockopt(so::sndtimeo, send);
}

Result<void> set_traffic_class(const Socket &socket, int traffic_class) noexcept {
  if (traffic_class < 0 || traffic_class > 255) // of which the kernel would take a part, or -1 as "as it was"
    return std::unexpected(detail::fail(Operation::set_traffic_class, ERANGE));
  auto domain = socket.getsockopt(so::domain);
  if (!domain)
    return std::unexpected(domain.error());
  if (*domain != AF_INET && *domain != AF_INET6)
    return std::unexpected(detail::fail(Operation::set_traffic_class, EAFNOSUPPORT));
  if (*domain == AF_INET6) {
    if (auto set = socket.setsockopt(ipv6::tclass, traffic_class); !set)
      return set;
    auto type = socket.getsockopt(so::type);
    if (!type)
      return std::unexpected(type.error());
    if (*type == SOCK_RAW) // which has no IPv4 peers
      return {};
  }
  return socket.setsockopt(ip::tos, traffic_class);
}

Result<int> traffic_class(const Socket &socket) noexcept {
  auto domain = socket.getsockopt(so::domain);
  if (!domain)
    return std::unexpected(domain.error());
  if (*domain == AF_INET)
    return socket.getsockopt(ip::tos);
  if (*domain == AF_INET6)
    return socket.getsockopt(ipv6::tclass);
  return std::unexpected(detail::fail(Operation::traffic_class, EAFNOSUPPORT));
}

Result<TcpBytes> tcp_bytes(const Socket &socket) noexcept {
  auto info = socket.getsockopt(tcp::info);
  if (!info)
    return std::unexpected(info.error());
  if (!info->has(&tcp_info::tcpi_bytes_retrans))
    return std::unexpected(detail::fail(Operation::tcp_bytes, EOPNOTSUPP));
  const int state = (*info)->tcpi_state;
  const bool ended = state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK || state == TCP_CLOSING;
  const std::uint64_t received = (*info)->tcpi_bytes_received;
  return TcpBytes{(*info)->tcpi_bytes_sent - (*info)->tcpi_bytes_retrans,
                  ended && received != 0 ? received - 1 : received}; // the peer's FIN counts as a byte
}

Result<int> tcp_state(const Socket &socket) noexcept {
  auto info = socket.getsockopt(tcp::info);
  if (!info)
    return std::unexpected(info.error());
  return (*info)->tcpi_state;
}

} // namespace baresock
