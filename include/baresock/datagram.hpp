// SPDX-License-Identifier: MIT
/// What servers of datagrams need beside the calls: the answer from the address that was asked, segments
/// (UDP_SEGMENT, UDP_GRO), and batches sent to their end.
///
///   receive_packet_info(socket);                             then bind()
///   ControlBuffer<packet_info_space> control;
///   auto asked = socket.recvmsg(parts, control);
///   auto info = packet_info(control);                        info->local: where it was sent to
///   append(control, info->reply());                          the answer comes from there
///   socket.sendmsg({parts, &asked->address, control});

#pragma once

#include <baresock/control.hpp>

#include <cstddef>
#include <cstdint>

namespace baresock {

/// IP_PKTINFO, IP_TOS and IP_TTL, ip(7); IPV6_PKTINFO, IPV6_TCLASS and IPV6_HOPLIMIT, ipv6(7): how a packet came, or
/// is to go. The same for IPv4, IPv6 and IPv4 by a socket of AF_INET6.
struct PacketInfo {
  /// This host's, without a port: where the packet was sent to, or what it is to be sent from. Of a packet that was
  /// sent to a group, the address for answers; of IPv6, ::, "choose one". An IPv4 packet's is an Inet4Address,
  /// whatever the socket.
  SocketAddress local;
  Interface interface;    // zero: not known, or any
  int traffic_class = -1; // with the two bits of ECN; -1: not known, or the socket's own
  int hop_limit = -1;     // likewise

  /// For an answer: without the hop limit, which says how far the packet came, and without its ECN.
  [[nodiscard]] PacketInfo reply() const noexcept;
};

/// Room for the control messages of a PacketInfo, received or to be sent.
inline constexpr ControlSpace packet_info_space =
    control_space(cmsg::ip::pktinfo) + control_space(cmsg::ip::tos) + control_space(cmsg::ip::ttl) +
    control_space(cmsg::ipv6::pktinfo) + control_space(cmsg::ipv6::tclass) + control_space(cmsg::ipv6::hoplimit);

/// Sets the options by which a socket of AF_INET or AF_INET6 receives what is in a PacketInfo; of AF_INET6, too,
/// those by which it does so of IPv4 packets. Not one call: three options, or six. EAFNOSUPPORT for other families.
[[nodiscard]] Result<void> receive_packet_info(const Socket &socket) noexcept;

/// What control messages say. ENOMSG if they do not tell the local address; ENOBUFS if they were truncated.
[[nodiscard]] Result<PacketInfo> packet_info(const Control &control) noexcept;

/// Adds the messages that send a packet so. EAFNOSUPPORT if the local address is neither IPv4 nor IPv6 (INADDR_ANY
/// and in6addr_any: any), ERANGE; otherwise as Control::append(), and then some of them may be there.
[[nodiscard]] Result<void> append(Control &control, const PacketInfo &info) noexcept;

/// A buffer as segments of one size, the last of which may be shorter: datagrams that travel together.
class Segments {
public:
  class Iterator {
  public:
    [[nodiscard]] ConstBuffer operator*() const noexcept { return (*segments_)[index_]; }
    Iterator &operator++() noexcept {
      ++index_;
      return *this;
    }
    [[nodiscard]] bool operator==(const Iterator &other) const noexcept { return index_ == other.index_; }

  private:
    friend class Segments;
    Iterator(const Segments &segments, std::size_t index) noexcept : segments_(&segments), index_(index) {}

    const Segments *segments_;
    std::size_t index_;
  };

  Segments() noexcept = default;
  /// Of `segment_size` zero, one segment.
  Segments(ConstBuffer data, std::size_t segment_size) noexcept : data_(data), segment_size_(segment_size) {}

  /// How many; of no bytes one, which is empty, as a datagram may be.
  [[nodiscard]] std::size_t size() const noexcept {
    return segment_size_ == 0 || data_.empty() ? 1 : (data_.size() - 1) / segment_size_ + 1;
  }
  /// `index` < size().
  [[nodiscard]] ConstBuffer operator[](std::size_t index) const noexcept {
    const std::size_t at = index * segment_size_;
    const std::size_t rest = data_.size() - at;
    return {data_.data() + at, segment_size_ == 0 || rest < segment_size_ ? rest : segment_size_};
  }
  [[nodiscard]] Iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] Iterator end() const noexcept { return {*this, size()}; }

private:
  ConstBuffer data_;
  std::size_t segment_size_ = 0;
};

/// UDP_SEGMENT, udp(7): sends `data` as datagrams of `segment_size` bytes, the last of which may be shorter; without
/// an address to the connected peer. One sendmsg(2). EINVAL for a size that is 0 or over 65535. The kernel takes 64
/// segments (128 since Linux 6.9), and 65507 bytes (IPv4) in all.
[[nodiscard]] Result<std::size_t> send_segments(const Socket &socket, ConstBuffer data, std::size_t segment_size,
                                                const SocketAddress *address = nullptr, int flags = 0) noexcept;

/// Datagrams of one sender, received together.
struct ReceivedSegments : ReceivedFrom {
  Segments segments;      // of the buffer
  bool truncated = false; // MSG_TRUNC: the buffer was too short for all; the last one here is incomplete
};

/// UDP_GRO, udp(7): receives what arrived together, at most 65535 bytes; udp::gro has to be on, or it is one
/// datagram. One recvmsg(2).
[[nodiscard]] Result<ReceivedSegments> recv_segments(const Socket &socket, MutableBuffer buffer,
                                                     int flags = 0) noexcept;

/// How many messages sendmmsg_all() sent, and why it did not send the next.
struct SentMessages {
  std::size_t count = 0;
  Result<void> result; // of the message after those
};

/// sendmmsg(2) until all are sent or one fails: not one call. sendmmsg alone stops at the same message, but does not
/// say why; if a signal stopped it, this goes on. Of a stream, a message that was sent in part is the one that
/// failed, with EAGAIN; its sent() says how much went.
[[nodiscard]] SentMessages sendmmsg_all(const Socket &socket, Span<OutgoingMessage> messages, int flags = 0) noexcept;

} // namespace baresock
