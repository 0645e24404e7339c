// SPDX-License-Identifier: MIT
/// The error queue of a socket: what was said of packets that it sent, MSG_ERRQUEUE, ip(7), recv(2).
///
///   socket.setsockopt(ip::recverr, true);
///   auto entry = recv_error(socket);                         EAGAIN: the queue is empty; it never waits
///   if (auto icmp = entry->get<IcmpError>()) …               icmp->offender, icmp->destination
///   entry->visit([](const auto &each) { … });

#pragma once

#include <baresock/control.hpp>

#include <cstdint>

namespace baresock {

/// SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, ip(7), ipv6(7): a router or the peer answered a packet with an error.
struct IcmpError {
  int error_number = 0;      // an errno: EHOSTUNREACH, ECONNREFUSED …
  std::uint8_t type = 0;     // of the ICMP or ICMPv6 message
  std::uint8_t code = 0;     // likewise
  std::uint32_t info = 0;    // of a packet that was too long, the MTU of the next hop
  bool ipv6 = false;         // ICMPv6
  SocketAddress offender;    // who sent the error; no address if the kernel does not know
  SocketAddress destination; // of the packet
};

/// SO_EE_ORIGIN_LOCAL, ip(7): this host could not send a packet.
struct LocalError {
  int error_number = 0;      // an errno: EMSGSIZE …
  std::uint32_t info = 0;    // of EMSGSIZE, the MTU of the path
  SocketAddress destination; // of the packet; IPv4 tells no port of an unconnected socket
};

/// SO_EE_ORIGIN_ZEROCOPY, MSG_ZEROCOPY: the buffers of these sends are free again. The first send of a socket has
/// number 0; after 2^32-1 comes 0.
struct ZeroCopyCompletion {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  bool copied = false; // the kernel did copy, as it always does over loopback
};

/// SO_EE_ORIGIN_TIMESTAMPING: SO_TIMESTAMPING of a packet that was sent.
struct TransmitTimestamp {
  /// SCM_TSTAMP_: which of its ways the time is of.
  enum class Point : std::uint32_t { sent, scheduled, acknowledged, completed };

  Point point = Point::sent;
  std::uint32_t id = 0; // SOF_TIMESTAMPING_OPT_ID: of the packet; of a stream, the number of its last byte
  Timestamping time;
};

/// SO_EE_ORIGIN_TXTIME, SO_TXTIME: a packet was dropped because of its time.
struct TransmitDrop {
  enum class Reason : std::uint8_t { invalid = 1, missed = 2 }; // SO_EE_CODE_TXTIME_

  int error_number = 0; // EINVAL, ECANCELED
  Reason reason = Reason::missed;
  Nanoseconds txtime; // SCM_TXTIME of the packet
};

/// Anything else.
struct OtherEntry {
  sock_extended_err error{};
  SocketAddress offender;
  SocketAddress destination;
};

/// An entry of the error queue: one of the structs above. A value.
class QueuedError {
public:
  QueuedError() noexcept = default;

  /// The entry as one of the structs above; ENOMSG (which last_error() does not see) if it is another one.
  template <class T>
  [[nodiscard]] Result<T> get() const noexcept {
    T entry;
    if (!decode(entry))
      return std::unexpected(Error(ENOMSG, Operation::as));
    return entry;
  }

  /// Calls `visitor` with the struct above that this entry is.
  template <class Visitor>
  decltype(auto) visit(Visitor &&visitor) const {
    if (IcmpError entry; decode(entry))
      return visitor(static_cast<const IcmpError &>(entry));
    if (LocalError entry; decode(entry))
      return visitor(static_cast<const LocalError &>(entry));
    if (ZeroCopyCompletion entry; decode(entry))
      return visitor(static_cast<const ZeroCopyCompletion &>(entry));
    if (TransmitTimestamp entry; decode(entry))
      return visitor(static_cast<const TransmitTimestamp &>(entry));
    if (TransmitDrop entry; decode(entry))
      return visitor(static_cast<const TransmitDrop &>(entry));
    OtherEntry other;
    (void)decode(other);
    return visitor(static_cast<const OtherEntry &>(other));
  }

  /// sock_extended_err as the kernel gave it.
  [[nodiscard]] const sock_extended_err &raw() const noexcept { return received_.error; }

  /// The bytes of the packet that now are in the buffer given to recv_error(). Of an ICMP error, what followed the
  /// UDP header, or as much of it as came back.
  [[nodiscard]] Received packet() const noexcept { return packet_; }
  /// MSG_TRUNC: the buffer was too short for them.
  [[nodiscard]] bool truncated() const noexcept { return truncated_; }

private:
  friend Result<QueuedError> queued_error(const MessageInfo &message, const SocketAddress &address,
                                          const Control &control) noexcept;

  bool decode(IcmpError &) const noexcept;
  bool decode(LocalError &) const noexcept;
  bool decode(ZeroCopyCompletion &) const noexcept;
  bool decode(TransmitTimestamp &) const noexcept;
  bool decode(TransmitDrop &) const noexcept;
  bool decode(OtherEntry &) const noexcept;

  ReceivedError received_;
  SocketAddress destination_;
  Timestamping time_;
  bool wireless_ = false; // SO_EE_ORIGIN_TXSTATUS, whose number is that of SO_EE_ORIGIN_TIMESTAMPING
  Received packet_;
  bool truncated_ = false;
};

/// Room for the control messages of an entry.
inline constexpr ControlSpace error_queue_space =
    control_space(cmsg::ipv6::recverr) + control_space(cmsg::scm::timestamping) +
    control_space(cmsg::scm::timestamping_pktinfo) + control_space(cmsg::ipv6::pktinfo) + 512;

/// Takes the first entry of the queue, and into `packet` what came back of the packet. One recvmsg(2) with
/// MSG_ERRQUEUE; it does not wait: EAGAIN if there is none. A socket of a family without such a queue, as AF_UNIX,
/// gives up a message instead: ENOMSG.
[[nodiscard]] Result<QueuedError> recv_error(const Socket &socket, MutableBuffer packet = {}, int flags = 0) noexcept;

/// The same of a message that was received with MSG_ERRQUEUE, by recvmsg or recvmmsg: for its other control messages.
/// ENOMSG if it has no entry, ENOBUFS if that was truncated.
[[nodiscard]] Result<QueuedError> queued_error(const MessageInfo &message, const SocketAddress &address,
                                               const Control &control) noexcept;
[[nodiscard]] inline Result<QueuedError> queued_error(const ReceivedMessage &message,
                                                      const Control &control) noexcept {
  return queued_error(message, message.address, control);
}

} // namespace baresock
