// SPDX-License-Identifier: MIT
/// SocketAddress, and the addresses it can be.
///
///   SocketAddress a = Inet4Address{INADDR_LOOPBACK, 8080};     typed in
///   auto b = SocketAddress::parse("[2001:db8::1]:80");         text in: Result<SocketAddress>
///   if (auto v6 = b->get<Inet6Address>()) use(v6->port);       typed out: Result<Inet6Address>
///   std::puts(b->text().c_str());                              text out
///
/// The text forms are listed in baresock_SocketAddress(3).

#pragma once

#include <baresock/buffer.hpp>
#include <baresock/error.hpp>
#include <baresock/view.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>

namespace baresock {

class SocketAddress;

namespace detail {

/// Says that an object is about to be written, and need not be zeroed first.
struct Unset {};

} // namespace detail

/// sockaddr_in, ip(7).
struct Inet4Address {
  std::uint32_t address = INADDR_ANY; // host byte order, as the INADDR_ constants
  std::uint16_t port = 0;             // zero: any

  friend auto operator<=>(const Inet4Address &, const Inet4Address &) = default;
};

/// sockaddr_in6, ipv6(7).
struct Inet6Address {
  in6_addr address = {};      // in6addr_any, in6addr_loopback
  std::uint16_t port = 0;     // zero: any
  std::uint32_t flowinfo = 0; // host byte order: 8 bits traffic class, 20 bits flow label
  std::uint32_t scope_id = 0; // an interface index; zero: none. link-local addresses need one

  friend std::strong_ordering operator<=>(const Inet6Address &a, const Inet6Address &b) noexcept;
  friend bool operator==(const Inet6Address &a, const Inet6Address &b) noexcept { return (a <=> b) == 0; }
};

/// sockaddr_un, unix(7): a path, an abstract name, or nothing.
class UnixAddress {
public:
  enum class Kind : std::uint8_t { unnamed, path, abstract };
  static constexpr std::size_t capacity = 108; // of sun_path

  /// The address of a socket that was never bound.
  constexpr UnixAddress() noexcept = default;

  /// For bind(2): the kernel chooses an abstract name. The same address as unnamed.
  [[nodiscard]] static constexpr UnixAddress autobind() noexcept { return {}; }

  /// 1 to 108 bytes; of 108 the kernel stores no terminating NUL. EINVAL if empty or if there is a NUL in
  /// it (the kernel would take the part before), ENAMETOOLONG.
  [[nodiscard]] static Result<UnixAddress> path(TextView path) noexcept;

  /// 0 to 107 bytes, NULs included, without the leading NUL. ENAMETOOLONG.
  [[nodiscard]] static Result<UnixAddress> abstract(TextView name) noexcept;

  [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }

  /// The path or abstract name, valid as long as this object; not NUL-terminated.
  [[nodiscard]] constexpr TextView name() const noexcept { return {name_, size_}; }

  friend std::strong_ordering operator<=>(const UnixAddress &a, const UnixAddress &b) noexcept;
  friend bool operator==(const UnixAddress &a, const UnixAddress &b) noexcept { return (a <=> b) == 0; }

private:
  friend class SocketAddress;
  UnixAddress(Kind kind, TextView name) noexcept;

  char name_[capacity] = {};
  std::uint8_t size_ = 0;
  Kind kind_ = Kind::unnamed;
};

/// sockaddr_ll, packet(7).
struct PacketAddress {
  std::uint16_t protocol = 0;      // ETH_P_, host byte order; zero: nothing is received
  int interface_index = 0;         // zero: every interface
  std::uint16_t hardware_type = 0; // ARPHRD_
  std::uint8_t packet_type = 0;    // PACKET_HOST …
  std::uint8_t length = 0;         // of the hardware address; at most 32 (MAX_ADDR_LEN)
  std::uint8_t address[32] = {};

  friend auto operator<=>(const PacketAddress &, const PacketAddress &) = default;
};

/// sockaddr_nl, netlink(7).
struct NetlinkAddress {
  std::uint32_t port_id = 0; // zero: the kernel; to bind(2), "choose one"
  std::uint32_t groups = 0;  // multicast groups, a bit each

  friend auto operator<=>(const NetlinkAddress &, const NetlinkAddress &) = default;
};

/// sockaddr_vm, vsock(7).
struct VsockAddress {
  std::uint32_t cid = 0xffffffff;  // VMADDR_CID_ANY
  std::uint32_t port = 0xffffffff; // VMADDR_PORT_ANY
  std::uint8_t flags = 0;          // VMADDR_FLAG_

  friend auto operator<=>(const VsockAddress &, const VsockAddress &) = default;
};

/// sockaddr_can, linux/can.h: for raw, broadcast-manager and ISO-TP sockets.
struct CanAddress {
  int interface_index = 0; // zero: every interface
  std::uint32_t rx_id = 0; // ISO-TP only
  std::uint32_t tx_id = 0;

  friend auto operator<=>(const CanAddress &, const CanAddress &) = default;
};

/// sockaddr_can, linux/can.h: for J1939 sockets. The family does not tell it from CanAddress; the
/// protocol of the socket does.
struct CanJ1939Address {
  int interface_index = 0;
  std::uint64_t name = 0;      // zero: J1939_NO_NAME
  std::uint32_t pgn = 0x40000; // J1939_NO_PGN
  std::uint8_t address = 0xff; // J1939_NO_ADDR

  friend auto operator<=>(const CanJ1939Address &, const CanJ1939Address &) = default;
};

/// sockaddr_alg, linux/if_alg.h.
class AlgAddress {
public:
  constexpr AlgAddress() noexcept = default;

  /// "hash", "sha256". EINVAL if there is a NUL in them, ENAMETOOLONG over 13 and 63 bytes.
  [[nodiscard]] static Result<AlgAddress> algorithm(TextView type, TextView name, std::uint32_t feature = 0,
                                                    std::uint32_t mask = 0) noexcept;

  [[nodiscard]] constexpr TextView type() const noexcept { return type_; }
  [[nodiscard]] constexpr TextView name() const noexcept { return name_; }
  [[nodiscard]] constexpr std::uint32_t feature() const noexcept { return feature_; }
  [[nodiscard]] constexpr std::uint32_t mask() const noexcept { return mask_; }

private:
  friend class SocketAddress;

  Text<14> type_;
  Text<64> name_;
  std::uint32_t feature_ = 0;
  std::uint32_t mask_ = 0;
};

/// sockaddr_tipc, linux/tipc.h. Which fields mean what depends on `kind`.
struct TipcAddress {
  std::uint8_t kind = 0;   // TIPC_SERVICE_RANGE 1, TIPC_SERVICE_ADDR 2, TIPC_SOCKET_ADDR 3
  std::int8_t scope = 0;   // TIPC_CLUSTER_SCOPE 2, TIPC_NODE_SCOPE 3
  std::uint32_t type = 0;  // service type; of a socket address, the reference
  std::uint32_t lower = 0; // lower bound or instance; of a socket address, the node
  std::uint32_t upper = 0; // upper bound or lookup domain

  friend auto operator<=>(const TipcAddress &, const TipcAddress &) = default;
};

/// sockaddr_xdp, linux/if_xdp.h.
struct XdpAddress {
  std::uint16_t flags = 0; // XDP_SHARED_UMEM …
  std::uint32_t interface_index = 0;
  std::uint32_t queue_id = 0;
  std::uint32_t shared_umem_fd = 0;

  friend auto operator<=>(const XdpAddress &, const XdpAddress &) = default;
};

/// sockaddr_qrtr, linux/qrtr.h.
struct QrtrAddress {
  std::uint32_t node = 0;
  std::uint32_t port = 0;

  friend auto operator<=>(const QrtrAddress &, const QrtrAddress &) = default;
};

/// No address: the kernel gave none, or none was set.
struct NoAddress {
  friend auto operator<=>(const NoAddress &, const NoAddress &) = default;
};

/// An address of a family without a type here, or one too short for its type.
struct OtherAddress {
  int family = AF_UNSPEC;
  ConstBuffer bytes; // what follows the family; valid as long as the SocketAddress
};

/// sockaddr_storage with its exact length: any address of any family, as the kernel stores it. A value;
/// safe in any thread as an int is.
class SocketAddress {
public:
  static constexpr socklen_t capacity = sizeof(sockaddr_storage);

  /// No address, length 0.
  SocketAddress() noexcept : size_(0) {} // the storage stays as it is: only size_ bytes of it are ever looked at

  explicit SocketAddress(detail::Unset) noexcept {}

  SocketAddress(const NoAddress &) noexcept : SocketAddress() {}
  SocketAddress(const Inet4Address &address) noexcept;
  SocketAddress(const Inet6Address &address) noexcept;
  SocketAddress(const UnixAddress &address) noexcept;
  SocketAddress(const PacketAddress &address) noexcept;
  SocketAddress(const NetlinkAddress &address) noexcept;
  SocketAddress(const VsockAddress &address) noexcept;
  SocketAddress(const CanAddress &address) noexcept;
  SocketAddress(const CanJ1939Address &address) noexcept;
  SocketAddress(const AlgAddress &address) noexcept;
  SocketAddress(const TipcAddress &address) noexcept;
  SocketAddress(const XdpAddress &address) noexcept;
  SocketAddress(const QrtrAddress &address) noexcept;

  /// AF_UNSPEC: connecting to it dissolves the association of a socket.
  [[nodiscard]] static SocketAddress unspec() noexcept;

  /// A sockaddr of any family. EINVAL if it is longer than sockaddr_storage or too short for its family
  /// to be told, or for AF_INET or AF_INET6. What follows the end of those two and of AF_UNIX is dropped.
  [[nodiscard]] static Result<SocketAddress> from_bytes(ConstBuffer bytes) noexcept;

  /// "192.0.2.1:80", "[fe80::1%eth0]:80", "/run/x.sock", "@abstract" …: strict, no name is resolved but
  /// that of a zone. EINVAL, ENAMETOOLONG; an unknown zone gives if_nametoindex's error.
  [[nodiscard]] static Result<SocketAddress> parse(TextView text) noexcept;

  /// sa_family; AF_UNSPEC without an address.
  [[nodiscard]] int family() const noexcept { return size_ < sizeof(sa_family_t) ? AF_UNSPEC : storage_.ss_family; }

  /// The address as a type above; EAFNOSUPPORT (which last_error() does not see) if it is of another one.
  template <class A>
  [[nodiscard]] Result<A> get() const noexcept {
    A address;
    if (!decode(address))
      return std::unexpected(Error(EAFNOSUPPORT, Operation::get));
    return address;
  }

  /// Calls `visitor` with the type above that this address has; CanAddress for AF_CAN.
  template <class Visitor>
  decltype(auto) visit(Visitor &&visitor) const;

  /// The port of an IPv4 or IPv6 address in host byte order; zero for other families.
  [[nodiscard]] std::uint16_t port() const noexcept;

  /// The same address with another port; the same address for families without ports.
  [[nodiscard]] SocketAddress with_port(std::uint16_t port) const noexcept;

  /// For system calls: the address, its length, and both as bytes.
  [[nodiscard]] const sockaddr *data() const noexcept { return reinterpret_cast<const sockaddr *>(&storage_); }
  [[nodiscard]] socklen_t size() const noexcept { return size_; }
  [[nodiscard]] ConstBuffer bytes() const noexcept { return {&storage_, size_}; }

  /// The address followed by zeros: for group_req and other structs that contain one.
  [[nodiscard]] sockaddr_storage storage() const noexcept;

  /// For system calls that return an address: give them data() and capacity, then resize() to the length
  /// they report. A length over capacity counts as capacity; AF_UNIX's 111, which says that a path fills
  /// sun_path, becomes 110, which connect(2) accepts.
  [[nodiscard]] sockaddr *data() noexcept { return reinterpret_cast<sockaddr *>(&storage_); }
  void resize(socklen_t length) noexcept {
    size_ = length;
    if (length > sizeof(sa_family_t) + UnixAddress::capacity) [[unlikely]]
      clamp();
  }

  /// The text that parse() reads; of `out`, the number of characters written. EOVERFLOW if it is too short.
  [[nodiscard]] Result<std::size_t> to_chars(MutableBuffer out) const noexcept;
  [[nodiscard]] Text<448> text() const noexcept;

  [[nodiscard]] std::size_t hash() const noexcept;

  /// Equal if they name the same thing: padding and a path's terminating NUL do not count.
  friend bool operator==(const SocketAddress &a, const SocketAddress &b) noexcept { return (a <=> b) == 0; }
  friend std::strong_ordering operator<=>(const SocketAddress &a, const SocketAddress &b) noexcept;

private:
  friend class Socket;

  // resize(), and then family().
  int received(socklen_t length) noexcept {
    size_ = length;
    if (length - sizeof(sa_family_t) <= UnixAddress::capacity) [[likely]]
      return storage_.ss_family;
    return unusual(length); // too long, or none
  }

  bool decode(NoAddress &) const noexcept;
  bool decode(Inet4Address &) const noexcept;
  bool decode(Inet6Address &) const noexcept;
  bool decode(UnixAddress &) const noexcept;
  bool decode(PacketAddress &) const noexcept;
  bool decode(NetlinkAddress &) const noexcept;
  bool decode(VsockAddress &) const noexcept;
  bool decode(CanAddress &) const noexcept;
  bool decode(CanJ1939Address &) const noexcept;
  bool decode(AlgAddress &) const noexcept;
  bool decode(TipcAddress &) const noexcept;
  bool decode(XdpAddress &) const noexcept;
  bool decode(QrtrAddress &) const noexcept;
  bool decode(OtherAddress &) const noexcept;
  template <class Sockaddr>
  void encode(const Sockaddr &raw, std::size_t size = sizeof(Sockaddr)) noexcept;
  SocketAddress canonical() const noexcept;
  void clear() noexcept;
  void clamp() noexcept;
  [[gnu::cold]] int unusual(socklen_t length) noexcept;

  sockaddr_storage storage_;
  socklen_t size_;
};

/// Is the text an address of IPv4, or of IPv6? As Node's net.isIP(): no leading zeros, no port, no brackets, no
/// space; a zone of an IPv6 address may be any letters, digits, dots, colons and hyphens.
[[nodiscard]] bool is_ipv4(TextView text) noexcept;
[[nodiscard]] bool is_ipv6(TextView text) noexcept;
/// 4, 6, or 0 for neither.
[[nodiscard]] int is_ip(TextView text) noexcept;

template <class Visitor>
decltype(auto) SocketAddress::visit(Visitor &&visitor) const {
  if (NoAddress address; decode(address))
    return visitor(static_cast<const NoAddress &>(address));
  if (Inet4Address address; decode(address))
    return visitor(static_cast<const Inet4Address &>(address));
  if (Inet6Address address; decode(address))
    return visitor(static_cast<const Inet6Address &>(address));
  if (UnixAddress address; decode(address))
    return visitor(static_cast<const UnixAddress &>(address));
  if (PacketAddress address; decode(address))
    return visitor(static_cast<const PacketAddress &>(address));
  if (NetlinkAddress address; decode(address))
    return visitor(static_cast<const NetlinkAddress &>(address));
  if (VsockAddress address; decode(address))
    return visitor(static_cast<const VsockAddress &>(address));
  if (CanAddress address; decode(address))
    return visitor(static_cast<const CanAddress &>(address));
  if (AlgAddress address; decode(address))
    return visitor(static_cast<const AlgAddress &>(address));
  if (TipcAddress address; decode(address))
    return visitor(static_cast<const TipcAddress &>(address));
  if (XdpAddress address; decode(address))
    return visitor(static_cast<const XdpAddress &>(address));
  if (QrtrAddress address; decode(address))
    return visitor(static_cast<const QrtrAddress &>(address));
  OtherAddress other;
  (void)decode(other);
  return visitor(static_cast<const OtherAddress &>(other));
}

} // namespace baresock
