// SPDX-License-Identifier: MIT

#include <baresock/datagram.hpp>

#include <arpa/inet.h>
#include <cstring>
#include <utility>

namespace baresock {

namespace {

constexpr int ecn_mask = 3; // RFC 3168

Inet4Address unmapped(const in6_addr &address) noexcept {
  std::uint32_t inet = 0;
  std::memcpy(&inet, &address.s6_addr[12], sizeof inet);
  return {ntohl(inet)};
}

// Of a packet that came before IP_PKTINFO was set, the kernel knows only where it was sent to.
std::uint32_t answering(const in_pktinfo &info) noexcept {
  const std::uint32_t destination = ntohl(info.ipi_addr.s_addr);
  if (info.ipi_spec_dst.s_addr != INADDR_ANY)
    return ntohl(info.ipi_spec_dst.s_addr);
  return IN_MULTICAST(destination) || destination == INADDR_BROADCAST ? INADDR_ANY : destination;
}

bool is_any(const in6_addr &address) noexcept { return IN6_IS_ADDR_UNSPECIFIED(&address); }

Result<void> append_inet4(Control &control, std::uint32_t local, const PacketInfo &info) noexcept {
  in_pktinfo source = {};
  source.ipi_ifindex = static_cast<int>(info.interface.index());
  source.ipi_spec_dst.s_addr = htonl(local); // of ipi_addr the kernel takes no notice
  if (local != INADDR_ANY || info.interface.index() != 0)
    if (auto added = control.append(cmsg::ip::pktinfo, source); !added)
      return added;
  if (info.traffic_class != -1)
    if (auto added = control.append(cmsg::ip::tos, info.traffic_class); !added)
      return added;
  if (info.hop_limit != -1)
    return control.append(cmsg::ip::ttl, info.hop_limit);
  return {};
}

Result<void> append_inet6(Control &control, const Inet6Address &local, const PacketInfo &info) noexcept {
  in6_pktinfo source = {};
  source.ipi6_ifindex = info.interface.index() != 0 ? info.interface.index() : local.scope_id;
  source.ipi6_addr = local.address;
  if (!is_any(local.address) || source.ipi6_ifindex != 0)
    if (auto added = control.append(cmsg::ipv6::pktinfo, source); !added)
      return added;
  if (info.traffic_class != -1)
    if (auto added = control.append(cmsg::ipv6::tclass, info.traffic_class); !added)
      return added;
  if (info.hop_limit != -1)
    return control.append(cmsg::ipv6::hoplimit, info.hop_limit);
  return {};
}

} // namespace

PacketInfo PacketInfo::reply() const noexcept {
  PacketInfo answer = *this;
  answer.hop_limit = -1;
  if (answer.traffic_class != -1)
    answer.traffic_class &= ~ecn_mask;
  return answer;
}

Result<void> receive_packet_info(const Socket &socket) noexcept {
  auto domain = socket.getsockopt(so::domain);
  if (!domain)
    return std::unexpected(domain.error());
  if (*domain != AF_INET && *domain != AF_INET6)
    return std::unexpected(detail::fail(Operation::setsockopt, EAFNOSUPPORT));
  bool inet = true;
  if (*domain == AF_INET6) {
    for (const auto &option : {ipv6::recvpktinfo, ipv6::recvtclass, ipv6::recvhoplimit})
      if (auto set = socket.setsockopt(option, true); !set)
        return set;
    auto type = socket.getsockopt(so::type);
    if (!type)
      return std::unexpected(type.error());
    inet = *type != SOCK_RAW; // which receives no IPv4
  }
  if (inet)
    for (const auto &option : {ip::pktinfo, ip::recvtos, ip::recvttl})
      if (auto set = socket.setsockopt(option, true); !set)
        return set;
  return {};
}

Result<PacketInfo> packet_info(const Control &control) noexcept {
  PacketInfo info;
  for (ControlMessage each : control) {
    if (auto inet = each.as(cmsg::ip::pktinfo)) {
      info.local = Inet4Address{answering(*inet)};
      info.interface = inet->ipi_ifindex;
    } else if (auto inet6 = each.as(cmsg::ipv6::pktinfo)) {
      info.interface = inet6->ipi6_ifindex;
      if (!IN6_IS_ADDR_V4MAPPED(&inet6->ipi6_addr))
        info.local = Inet6Address{IN6_IS_ADDR_MULTICAST(&inet6->ipi6_addr) ? in6_addr{} : inet6->ipi6_addr};
      else if (info.local.family() == AF_UNSPEC) // IP_PKTINFO knows better where to answer from
        info.local = unmapped(inet6->ipi6_addr);
    } else if (auto tos = each.as(cmsg::ip::tos)) {
      info.traffic_class = *tos;
    } else if (auto tclass = each.as(cmsg::ipv6::tclass)) {
      info.traffic_class = *tclass;
    } else if (auto ttl = each.as(cmsg::ip::ttl)) {
      info.hop_limit = *ttl;
    } else if (auto hop_limit = each.as(cmsg::ipv6::hoplimit)) {
      info.hop_limit = *hop_limit;
    }
  }
  if (control.truncated())
    return std::unexpected(detail::fail(Operation::as, ENOBUFS));
  if (info.local.family() == AF_UNSPEC)
    return std::unexpected(detail::fail(Operation::as, ENOMSG));
  return info;
}

Result<void> append(Control &control, const PacketInfo &info) noexcept {
  for (int value : {info.traffic_class, info.hop_limit})
    if (value < -1 || value > UINT8_MAX) // of which the kernel would take a part
      return std::unexpected(detail::fail(Operation::append, ERANGE));
  if (auto inet = info.local.get<Inet4Address>())
    return append_inet4(control, inet->address, info);
  auto inet6 = info.local.get<Inet6Address>();
  if (!inet6)
    return std::unexpected(detail::fail(Operation::append, EAFNOSUPPORT));
  if (IN6_IS_ADDR_V4MAPPED(&inet6->address))
    return append_inet4(control, unmapped(inet6->address).address, info);
  return append_inet6(control, *inet6, info);
}

Result<std::size_t> send_segments(const Socket &socket, ConstBuffer data, std::size_t segment_size,
                                  const SocketAddress *address, int flags) noexcept {
  if (segment_size == 0 || segment_size > UINT16_MAX)
    return std::unexpected(detail::fail(Operation::sendmsg, EINVAL));
  ControlBuffer<control_space(cmsg::udp::segment)> control;
  (void)control.append(cmsg::udp::segment, segment_size); // it fits
  const ConstBuffer parts[] = {data};
  return socket.sendmsg({parts, address, control}, flags);
}

Result<ReceivedSegments> recv_segments(const Socket &socket, MutableBuffer buffer, int flags) noexcept {
  ControlBuffer<control_space(cmsg::udp::gro) + 512> control; // and whatever else the socket is set to receive
  const MutableBuffer parts[] = {buffer};
  auto message = socket.recvmsg(parts, control, flags);
  if (!message)
    return std::unexpected(message.error());
  auto size = control.get(cmsg::udp::gro);
  if (!size && size.error().code() == ENOBUFS)
    return std::unexpected(detail::fail(Operation::as, ENOBUFS));
  Result<ReceivedSegments> received(std::in_place);
  static_cast<Received &>(*received) = *message;
  received->address = message->address;
  received->segments = {{buffer.data(), message->size}, size && *size > 0 ? static_cast<std::size_t>(*size) : 0};
  received->truncated = message->truncated();
  return received;
}

SentMessages sendmmsg_all(const Socket &socket, Span<OutgoingMessage> messages, int flags) noexcept {
  SentMessages sent;
  while (sent.count < messages.size()) {
    auto more = socket.sendmmsg({messages.data() + sent.count, messages.size() - sent.count}, flags);
    if (!more) {
      sent.result = std::unexpected(more.error());
      break;
    }
    sent.count += *more;
    if (const OutgoingMessage &last = messages[sent.count - 1]; last.sent() < last.size()) { // of a stream
      --sent.count;
      sent.result = std::unexpected(detail::fail(Operation::sendmmsg, EAGAIN));
      break;
    }
  }
  return sent;
}

} // namespace baresock
