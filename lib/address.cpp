// SPDX-License-Identifier: MIT

#include <baresock/address.hpp>
#include <baresock/detail/call.hpp>

#include <algorithm>
#include <cstring>
#include <linux/can.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <string_view>
#include <sys/un.h>
#include <tuple>

namespace baresock {

namespace {

static_assert(UnixAddress::capacity == sizeof(sockaddr_un::sun_path));

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);
constexpr std::size_t hardware_offset = offsetof(sockaddr_ll, sll_addr);

/// The kernel structure at the start of `bytes`, if they are of its family and at least `least` long;
/// what is missing at the end is zero.
template <class Sockaddr>
bool read(ConstBuffer bytes, int family, Sockaddr &out, std::size_t least = sizeof(Sockaddr)) noexcept {
  sa_family_t found = AF_UNSPEC;
  if (bytes.size() < std::max(least, sizeof found))
    return false;
  std::memcpy(&found, bytes.data(), sizeof found);
  if (found != family)
    return false;
  out = {};
  std::memcpy(&out, bytes.data(), std::min(bytes.size(), sizeof out));
  return true;
}

std::string_view terminated(const char *text, std::size_t room) noexcept { return {text, ::strnlen(text, room)}; }

bool has_nul(std::string_view text) noexcept { return text.find('\0') != text.npos; }

} // namespace

// --- to and from the kernel's structures ---------------------------------------------------------------

UnixAddress::UnixAddress(Kind kind, TextView name) noexcept
    : size_(static_cast<std::uint8_t>(name.size())), kind_(kind) {
  if (!name.empty())
    std::memcpy(name_, name.data(), name.size());
}

Result<UnixAddress> UnixAddress::path(TextView path) noexcept {
  if (path.size() > capacity)
    return std::unexpected(detail::fail(Operation::path, ENAMETOOLONG));
  if (path.empty() || has_nul(path))
    return std::unexpected(detail::fail(Operation::path, EINVAL));
  return UnixAddress(Kind::path, path);
}

Result<UnixAddress> UnixAddress::abstract(TextView name) noexcept {
  if (name.size() > capacity - 1)
    return std::unexpected(detail::fail(Operation::abstract, ENAMETOOLONG));
  return UnixAddress(Kind::abstract, name);
}

Result<AlgAddress> AlgAddress::algorithm(TextView type, TextView name, std::uint32_t feature,
                                         std::uint32_t mask) noexcept {
  if (type.size() >= sizeof(sockaddr_alg::salg_type) || name.size() >= sizeof(sockaddr_alg::salg_name))
    return std::unexpected(detail::fail(Operation::algorithm, ENAMETOOLONG));
  if (has_nul(type) || has_nul(name))
    return std::unexpected(detail::fail(Operation::algorithm, EINVAL));
  AlgAddress address;
  address.type_.append(type);
  address.name_.append(name);
  address.feature_ = feature;
  address.mask_ = mask;
  return address;
}

// Memory checkers read a path up to a NUL, whatever the length that a call is given.
void SocketAddress::clear() noexcept { std::memset(&storage_, 0, sizeof storage_); }

template <class Sockaddr>
void SocketAddress::encode(const Sockaddr &raw, std::size_t size) noexcept {
  clear();
  std::memcpy(&storage_, &raw, size);
  size_ = static_cast<socklen_t>(size);
}

SocketAddress::SocketAddress(const Inet4Address &address) noexcept {
  sockaddr_in raw = {};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(address.port);
  raw.sin_addr.s_addr = htonl(address.address);
  encode(raw);
}

bool SocketAddress::decode(Inet4Address &address) const noexcept {
  sockaddr_in raw;
  if (!read(bytes(), AF_INET, raw))
    return false;
  address = {ntohl(raw.sin_addr.s_addr), ntohs(raw.sin_port)};
  return true;
}

SocketAddress::SocketAddress(const Inet6Address &address) noexcept {
  sockaddr_in6 raw = {};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(address.port);
  raw.sin6_flowinfo = htonl(address.flowinfo);
  raw.sin6_addr = address.address;
  raw.sin6_scope_id = address.scope_id;
  encode(raw);
}

bool SocketAddress::decode(Inet6Address &address) const noexcept {
  sockaddr_in6 raw;
  if (!read(bytes(), AF_INET6, raw))
    return false;
  address = {raw.sin6_addr, ntohs(raw.sin6_port), ntohl(raw.sin6_flowinfo), raw.sin6_scope_id};
  return true;
}

SocketAddress::SocketAddress(const UnixAddress &address) noexcept {
  sockaddr_un raw = {};
  raw.sun_family = AF_UNIX;
  TextView name = address.name();
  std::size_t size = path_offset;
  switch (address.kind()) {
  case UnixAddress::Kind::unnamed:
    break;
  case UnixAddress::Kind::path: // with its terminating NUL, if there is room
    std::memcpy(raw.sun_path, name.data(), name.size());
    size += std::min(name.size() + 1, sizeof raw.sun_path);
    break;
  case UnixAddress::Kind::abstract:
    std::memcpy(raw.sun_path + 1, name.data(), name.size());
    size += 1 + name.size();
    break;
  }
  encode(raw, size);
}

bool SocketAddress::decode(UnixAddress &address) const noexcept {
  sockaddr_un raw;
  if (!read(bytes(), AF_UNIX, raw, path_offset))
    return false;
  std::size_t size = size_ - path_offset;
  if (size == 0)
    address = UnixAddress();
  else if (raw.sun_path[0] == '\0')
    address = UnixAddress(UnixAddress::Kind::abstract, {raw.sun_path + 1, size - 1});
  else
    address = UnixAddress(UnixAddress::Kind::path, terminated(raw.sun_path, size));
  return true;
}

namespace {

/// sockaddr_ll with room for the longest hardware address (MAX_ADDR_LEN), as the kernel gives it.
struct LongSockaddrLl {
  sockaddr_ll head;
  std::uint8_t more[32 - sizeof(sockaddr_ll::sll_addr)];
};
static_assert(sizeof(LongSockaddrLl) == hardware_offset + sizeof(PacketAddress::address));

} // namespace

SocketAddress::SocketAddress(const PacketAddress &address) noexcept {
  LongSockaddrLl raw = {};
  auto length = std::min<std::size_t>(address.length, sizeof address.address);
  raw.head.sll_family = AF_PACKET;
  raw.head.sll_protocol = htons(address.protocol);
  raw.head.sll_ifindex = address.interface_index;
  raw.head.sll_hatype = address.hardware_type;
  raw.head.sll_pkttype = address.packet_type;
  raw.head.sll_halen = static_cast<unsigned char>(length);
  std::memcpy(reinterpret_cast<std::byte *>(&raw) + hardware_offset, address.address, length);
  // bind(2) wants a whole sockaddr_ll.
  encode(raw, std::max(sizeof(sockaddr_ll), hardware_offset + length));
}

bool SocketAddress::decode(PacketAddress &address) const noexcept {
  LongSockaddrLl raw;
  if (!read(bytes(), AF_PACKET, raw, hardware_offset))
    return false;
  address = {};
  address.protocol = ntohs(raw.head.sll_protocol);
  address.interface_index = raw.head.sll_ifindex;
  address.hardware_type = raw.head.sll_hatype;
  address.packet_type = raw.head.sll_pkttype;
  address.length = static_cast<std::uint8_t>(
      std::min({std::size_t{raw.head.sll_halen}, sizeof address.address, size_ - hardware_offset}));
  std::memcpy(address.address, reinterpret_cast<const std::byte *>(&raw) + hardware_offset, address.length);
  return true;
}

SocketAddress::SocketAddress(const NetlinkAddress &address) noexcept {
  sockaddr_nl raw = {};
  raw.nl_family = AF_NETLINK;
  raw.nl_pid = address.port_id;
  raw.nl_groups = address.groups;
  encode(raw);
}

bool SocketAddress::decode(NetlinkAddress &address) const noexcept {
  sockaddr_nl raw;
  if (!read(bytes(), AF_NETLINK, raw))
    return false;
  address = {raw.nl_pid, raw.nl_groups};
  return true;
}

SocketAddress::SocketAddress(const VsockAddress &address) noexcept {
  sockaddr_vm raw = {};
  raw.svm_family = AF_VSOCK;
  raw.svm_port = address.port;
  raw.svm_cid = address.cid;
  raw.svm_flags = address.flags;
  encode(raw);
}

bool SocketAddress::decode(VsockAddress &address) const noexcept {
  sockaddr_vm raw;
  if (!read(bytes(), AF_VSOCK, raw))
    return false;
  address = {raw.svm_cid, raw.svm_port, raw.svm_flags};
  return true;
}

SocketAddress::SocketAddress(const CanAddress &address) noexcept {
  sockaddr_can raw = {};
  raw.can_family = AF_CAN;
  raw.can_ifindex = address.interface_index;
  raw.can_addr.tp = {address.rx_id, address.tx_id};
  encode(raw);
}

bool SocketAddress::decode(CanAddress &address) const noexcept {
  sockaddr_can raw;
  // A raw socket's address may end before the identifiers.
  if (!read(bytes(), AF_CAN, raw, offsetof(sockaddr_can, can_addr)))
    return false;
  address = {raw.can_ifindex, raw.can_addr.tp.rx_id, raw.can_addr.tp.tx_id};
  return true;
}

SocketAddress::SocketAddress(const CanJ1939Address &address) noexcept {
  sockaddr_can raw = {};
  raw.can_family = AF_CAN;
  raw.can_ifindex = address.interface_index;
  raw.can_addr.j1939.name = address.name;
  raw.can_addr.j1939.pgn = address.pgn;
  raw.can_addr.j1939.addr = address.address;
  encode(raw);
}

bool SocketAddress::decode(CanJ1939Address &address) const noexcept {
  sockaddr_can raw;
  if (!read(bytes(), AF_CAN, raw))
    return false;
  address = {raw.can_ifindex, raw.can_addr.j1939.name, raw.can_addr.j1939.pgn, raw.can_addr.j1939.addr};
  return true;
}

SocketAddress::SocketAddress(const AlgAddress &address) noexcept {
  sockaddr_alg raw = {};
  raw.salg_family = AF_ALG;
  std::memcpy(raw.salg_type, address.type().data(), address.type().size());
  std::memcpy(raw.salg_name, address.name().data(), address.name().size());
  raw.salg_feat = address.feature();
  raw.salg_mask = address.mask();
  encode(raw);
}

bool SocketAddress::decode(AlgAddress &address) const noexcept {
  sockaddr_alg raw;
  if (!read(bytes(), AF_ALG, raw))
    return false;
  auto type = terminated(reinterpret_cast<const char *>(raw.salg_type), sizeof raw.salg_type);
  auto name = terminated(reinterpret_cast<const char *>(raw.salg_name), sizeof raw.salg_name);
  if (type.size() == sizeof raw.salg_type || name.size() == sizeof raw.salg_name)
    return false; // longer than AlgAddress holds
  address = {};
  address.type_.append(type);
  address.name_.append(name);
  address.feature_ = raw.salg_feat;
  address.mask_ = raw.salg_mask;
  return true;
}

SocketAddress::SocketAddress(const TipcAddress &address) noexcept {
  sockaddr_tipc raw = {};
  raw.family = AF_TIPC;
  raw.addrtype = address.kind;
  raw.scope = address.scope;
  // Of each form the numbers, at most three, are in the same place.
  raw.addr.nameseq = {address.type, address.lower, address.upper};
  encode(raw);
}

bool SocketAddress::decode(TipcAddress &address) const noexcept {
  sockaddr_tipc raw;
  if (!read(bytes(), AF_TIPC, raw))
    return false;
  address = {raw.addrtype, raw.scope, raw.addr.nameseq.type, raw.addr.nameseq.lower, raw.addr.nameseq.upper};
  return true;
}

SocketAddress::SocketAddress(const XdpAddress &address) noexcept {
  sockaddr_xdp raw = {};
  raw.sxdp_family = AF_XDP;
  raw.sxdp_flags = address.flags;
  raw.sxdp_ifindex = address.interface_index;
  raw.sxdp_queue_id = address.queue_id;
  raw.sxdp_shared_umem_fd = address.shared_umem_fd;
  encode(raw);
}

bool SocketAddress::decode(XdpAddress &address) const noexcept {
  sockaddr_xdp raw;
  if (!read(bytes(), AF_XDP, raw))
    return false;
  address = {raw.sxdp_flags, raw.sxdp_ifindex, raw.sxdp_queue_id, raw.sxdp_shared_umem_fd};
  return true;
}

SocketAddress::SocketAddress(const QrtrAddress &address) noexcept {
  sockaddr_qrtr raw = {};
  raw.sq_family = AF_QIPCRTR;
  raw.sq_node = address.node;
  raw.sq_port = address.port;
  encode(raw);
}

bool SocketAddress::decode(QrtrAddress &address) const noexcept {
  sockaddr_qrtr raw;
  if (!read(bytes(), AF_QIPCRTR, raw))
    return false;
  address = {raw.sq_node, raw.sq_port};
  return true;
}

bool SocketAddress::decode(NoAddress &) const noexcept { return size_ < sizeof(sa_family_t); }

bool SocketAddress::decode(OtherAddress &address) const noexcept {
  if (size_ < sizeof(sa_family_t))
    return false;
  address = {family(), {bytes().data() + sizeof(sa_family_t), size_ - sizeof(sa_family_t)}};
  return true;
}

SocketAddress SocketAddress::unspec() noexcept {
  SocketAddress address;
  sockaddr raw = {};
  raw.sa_family = AF_UNSPEC;
  address.encode(raw);
  return address;
}

Result<SocketAddress> SocketAddress::from_bytes(ConstBuffer bytes) noexcept {
  SocketAddress address;
  if (bytes.empty())
    return address;
  if (bytes.size() < sizeof(sa_family_t) || bytes.size() > capacity)
    return std::unexpected(detail::fail(Operation::from_bytes, EINVAL));
  address.clear();
  std::memcpy(&address.storage_, bytes.data(), bytes.size());
  address.resize(static_cast<socklen_t>(bytes.size()));
  std::size_t exact = address.family() == AF_INET    ? sizeof(sockaddr_in)
                      : address.family() == AF_INET6 ? sizeof(sockaddr_in6)
                                                     : address.size_;
  if (address.size_ < exact)
    return std::unexpected(detail::fail(Operation::from_bytes, EINVAL));
  address.size_ = static_cast<socklen_t>(exact);
  return address;
}

sockaddr_storage SocketAddress::storage() const noexcept {
  sockaddr_storage storage = {};
  std::memcpy(&storage, &storage_, size_);
  return storage;
}

void SocketAddress::clamp() noexcept {
  if (family() == AF_UNIX)
    size_ = sizeof(sockaddr_un);
  size_ = std::min(size_, capacity);
}

int SocketAddress::unusual(socklen_t length) noexcept {
  resize(length);
  return family();
}

std::uint16_t SocketAddress::port() const noexcept {
  if (auto address = get<Inet4Address>())
    return address->port;
  if (auto address = get<Inet6Address>())
    return address->port;
  return 0;
}

SocketAddress SocketAddress::with_port(std::uint16_t port) const noexcept {
  if (auto address = get<Inet4Address>())
    return Inet4Address{address->address, port};
  if (auto address = get<Inet6Address>())
    return Inet6Address{address->address, port, address->flowinfo, address->scope_id};
  return *this;
}

// --- comparison ----------------------------------------------------------------------------------------

std::strong_ordering operator<=>(const Inet6Address &a, const Inet6Address &b) noexcept {
  if (int order = std::memcmp(&a.address, &b.address, sizeof a.address); order != 0)
    return order <=> 0;
  return std::tie(a.port, a.flowinfo, a.scope_id) <=> std::tie(b.port, b.flowinfo, b.scope_id);
}

std::strong_ordering operator<=>(const UnixAddress &a, const UnixAddress &b) noexcept {
  if (auto order = a.kind_ <=> b.kind_; order != 0)
    return order;
  return std::string_view(a.name()) <=> std::string_view(b.name());
}

SocketAddress SocketAddress::canonical() const noexcept {
  return visit([this]<class A>(const A &address) -> SocketAddress {
    if constexpr (std::is_same_v<A, OtherAddress> ||
                  std::is_same_v<A, CanAddress>) // which is not all of sockaddr_can
      return *this;
    else
      return address;
  });
}

std::strong_ordering operator<=>(const SocketAddress &a, const SocketAddress &b) noexcept {
  if (auto order = a.family() <=> b.family(); order != 0)
    return order;
  if (Inet4Address x, y; a.decode(x) && b.decode(y))
    return x <=> y;
  if (Inet6Address x, y; a.decode(x) && b.decode(y))
    return x <=> y;
  // Bytes may differ although the addresses are the same: by a NUL, padding, or an end that is zero.
  SocketAddress x = a.canonical(), y = b.canonical();
  if (int order = std::memcmp(&x.storage_, &y.storage_, std::min(x.size_, y.size_)); order != 0)
    return order <=> 0;
  return x.size_ <=> y.size_;
}

std::size_t SocketAddress::hash() const noexcept {
  std::uint64_t hash = 0xcbf29ce484222325; // FNV-1a
  SocketAddress address = canonical();
  for (std::byte byte : address.bytes())
    hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  return static_cast<std::size_t>(hash ^ hash >> 32);
}

// --- printing ------------------------------------------------------------------------------------------

namespace {

/// Writes into a span and remembers whether everything fitted.
class Writer {
public:
  explicit Writer(MutableBuffer out) noexcept
      : at_(reinterpret_cast<char *>(out.data())), end_(at_ + out.size()), begin_(at_) {}

  Writer &put(char c) noexcept {
    if (at_ == end_)
      overflow_ = true;
    else
      *at_++ = c;
    return *this;
  }
  Writer &put(std::string_view text) noexcept {
    for (char c : text)
      put(c);
    return *this;
  }
  Writer &decimal(std::uint64_t number) noexcept {
    char digits[20];
    char *first = std::end(digits);
    do
      *--first = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    return put({first, std::end(digits)});
  }
  /// Lower case, at least `width` digits.
  Writer &hex(std::uint32_t number, int width = 1) noexcept {
    for (int shift = 28; shift >= 0; shift -= 4)
      if (shift < 4 * width || number >> shift != 0)
        put("0123456789abcdef"[number >> shift & 15]);
    return *this;
  }

  [[nodiscard]] bool overflow() const noexcept { return overflow_; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - begin_); }

private:
  char *at_;
  char *end_;
  char *begin_;
  bool overflow_ = false;
};

void print_dotted(Writer &out, std::uint32_t address) noexcept {
  out.decimal(address >> 24).put('.').decimal(address >> 16 & 255).put('.');
  out.decimal(address >> 8 & 255).put('.').decimal(address & 255);
}

/// RFC 5952.
void print_groups(Writer &out, const in6_addr &address) noexcept {
  const std::uint8_t *byte = address.s6_addr;
  std::uint32_t group[8];
  for (int i = 0; i < 8; ++i)
    group[i] = static_cast<std::uint32_t>(byte[2 * i] << 8 | byte[2 * i + 1]);
  // Section 5: IPv4-mapped addresses keep their dots.
  if (std::all_of(group, group + 5, [](std::uint32_t g) { return g == 0; }) && group[5] == 0xffff) {
    out.put("::ffff:");
    return print_dotted(out, group[6] << 16 | group[7]);
  }
  // Section 4.2: "::" stands for the longest run of zero groups, the first of equals, but not for one group.
  int begin = 8, length = 1;
  for (int i = 0; i < 8; ++i) {
    int j = i;
    while (j < 8 && group[j] == 0)
      ++j;
    if (j - i > length) {
      begin = i;
      length = j - i;
    }
    i = std::max(i, j - 1);
  }
  for (int i = 0; i < 8; ++i) {
    if (i == begin) {
      out.put("::");
      i += length - 1;
    } else {
      if (i != 0 && i != begin + length)
        out.put(':');
      out.hex(group[i]);
    }
  }
}

/// May a zone be written as this interface name? It must not look like a number, or end the brackets.
bool is_plain(std::string_view name) noexcept {
  auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_';
  };
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && std::ranges::all_of(name, plain) && !std::ranges::all_of(name, digit);
}

void print_interface(Writer &out, std::uint32_t index) noexcept {
  char name[IF_NAMESIZE];
  if (BARESOCK_SYSTEM::if_indextoname(index, name) != nullptr && is_plain(name))
    out.put(name);
  else
    out.decimal(index);
}

/// A name on one printable line: control characters and the backslash as \xHH.
void print_escaped(Writer &out, std::string_view name) noexcept {
  for (char c : name) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '\\')
      out.put("\\x").hex(byte, 2);
    else
      out.put(c);
  }
}

void print_port(Writer &out, std::uint16_t port) noexcept {
  if (port != 0)
    out.put(':').decimal(port);
}

void print(Writer &out, const NoAddress &) noexcept { out.put("none"); }

void print(Writer &out, const Inet4Address &address) noexcept {
  print_dotted(out, address.address);
  print_port(out, address.port);
}

void print(Writer &out, const Inet6Address &address) noexcept {
  if (address.port != 0)
    out.put('[');
  print_groups(out, address.address);
  if (address.scope_id != 0) {
    out.put('%');
    print_interface(out, address.scope_id);
  }
  if (address.port != 0)
    out.put(']');
  print_port(out, address.port);
}

void print(Writer &out, const UnixAddress &address) noexcept {
  std::string_view name = address.name();
  if (address.kind() == UnixAddress::Kind::abstract)
    out.put('@');
  else if (!name.starts_with('/'))
    out.put("unix:");
  print_escaped(out, name);
}

void print(Writer &out, const VsockAddress &address) noexcept {
  out.put("vsock:").decimal(address.cid).put(':').decimal(address.port);
  if (address.flags != 0)
    out.put(':').decimal(address.flags);
}

void print(Writer &out, const NetlinkAddress &address) noexcept {
  out.put("netlink:").decimal(address.port_id);
  if (address.groups != 0)
    out.put(":0x").hex(address.groups);
}

/// The family's number and the bytes after it: for the families without a text of their own.
void print(Writer &out, const OtherAddress &address) noexcept {
  out.put("family:").decimal(static_cast<std::uint32_t>(address.family)).put(':');
  for (std::byte byte : address.bytes)
    out.hex(static_cast<std::uint8_t>(byte), 2);
}

template <class A>
concept Printable = requires(Writer &out, const A &address) { print(out, address); };

} // namespace

Result<std::size_t> SocketAddress::to_chars(MutableBuffer text) const noexcept {
  Writer out(text);
  visit([&out, this]<class A>(const A &address) {
    OtherAddress other;
    if constexpr (Printable<A>)
      print(out, address);
    else if (decode(other))
      print(out, other);
  });
  if (out.overflow())
    return std::unexpected(detail::fail(Operation::to_chars, EOVERFLOW));
  return out.size();
}

Text<448> SocketAddress::text() const noexcept {
  char room[448]; // the longest: "unix:" and 108 bytes of four characters each
  auto size = to_chars(room);
  return Text<448>().append({room, size.value_or(0)});
}

// --- parsing -------------------------------------------------------------------------------------------

namespace {

/// Takes a text apart from the left. A taker that does not find what it wants leaves the text as it is.
class Reader {
public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}

  [[nodiscard]] bool done() const noexcept { return text_.empty(); }
  [[nodiscard]] std::string_view rest() const noexcept { return text_; }

  bool take(char c) noexcept {
    if (!text_.starts_with(c))
      return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view prefix) noexcept {
    if (!text_.starts_with(prefix))
      return false;
    text_.remove_prefix(prefix.size());
    return true;
  }
  /// Digits of `base` without leading zeros, at most `most`.
  bool number(std::uint64_t &out, std::uint64_t most, unsigned base = 10) noexcept {
    std::size_t size = 0;
    std::uint64_t value = 0;
    for (unsigned digit; size < text_.size() && (digit = value_of(text_[size])) < base; ++size) {
      value = value * base + digit;
      if (value > most || (size > 0 && text_[0] == '0'))
        return false;
    }
    if (size == 0)
      return false;
    out = value;
    text_.remove_prefix(size);
    return true;
  }
  /// Exactly `width` hexadecimal digits, zeros and all.
  bool hex(std::uint8_t &out) noexcept {
    if (text_.size() < 2 || value_of(text_[0]) > 15 || value_of(text_[1]) > 15)
      return false;
    out = static_cast<std::uint8_t>(value_of(text_[0]) << 4 | value_of(text_[1]));
    text_.remove_prefix(2);
    return true;
  }
  /// A group of an IPv6 address: one to four hexadecimal digits.
  bool group(std::uint32_t &out) noexcept {
    std::size_t size = 0;
    out = 0;
    for (unsigned digit; size < text_.size() && (digit = value_of(text_[size])) < 16; ++size) {
      if (size == 4)
        return false;
      out = out << 4 | digit;
    }
    text_.remove_prefix(size);
    return size != 0;
  }

private:
  static constexpr unsigned value_of(char c) noexcept {
    if (c >= '0' && c <= '9')
      return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f')
      return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
      return static_cast<unsigned>(c - 'A' + 10);
    return 255;
  }

  std::string_view text_;
};

bool parse_dotted(Reader &in, std::uint32_t &address) noexcept {
  address = 0;
  for (int i = 0; i < 4; ++i) {
    std::uint64_t octet;
    if ((i != 0 && !in.take('.')) || !in.number(octet, 255))
      return false;
    address = address << 8 | static_cast<std::uint32_t>(octet);
  }
  return true;
}

/// RFC 4291, section 2.2.
bool parse_groups(Reader &in, in6_addr &address) noexcept {
  std::uint32_t group[8] = {};
  int count = 0, gap = -1;
  if (in.take("::"))
    gap = 0;
  while (count < 8) {
    Reader before = in;
    std::uint32_t dotted;
    if (count <= 6 && parse_dotted(in, dotted)) {
      group[count++] = dotted >> 16;
      group[count++] = dotted & 0xffff;
      break;
    }
    in = before;
    if (!in.group(group[count])) {
      if (gap == count) // "::" is the end
        break;
      return false;
    }
    if (++count == 8)
      break;
    if (gap < 0 && in.take("::"))
      gap = count;
    else if (!in.take(':'))
      break;
    else if (in.done()) // a single colon is not
      return false;
  }
  if (gap < 0 ? count != 8 : count == 8)
    return false;
  if (gap >= 0) {
    std::copy_backward(group + gap, group + count, group + 8);
    std::fill(group + gap, group + gap + 8 - count, 0u);
  }
  for (int i = 0; i < 8; ++i) {
    address.s6_addr[2 * i] = static_cast<std::uint8_t>(group[i] >> 8);
    address.s6_addr[2 * i + 1] = static_cast<std::uint8_t>(group[i]);
  }
  return true;
}

/// ":80" or nothing.
bool parse_port(Reader &in, std::uint16_t &port) noexcept {
  std::uint64_t number = 0;
  if (in.take(':') && !in.number(number, 65535))
    return false;
  port = static_cast<std::uint16_t>(number);
  return in.done();
}

Error invalid() noexcept { return detail::fail(Operation::parse, EINVAL); }

/// An interface's index, from that or from its name.
Result<std::uint32_t> parse_interface(std::string_view zone) noexcept {
  Reader in(zone);
  std::uint64_t number;
  if (in.number(number, 0xffffffff) && in.done()) {
    if (number == 0)
      return std::unexpected(invalid());
    return static_cast<std::uint32_t>(number);
  }
  char name[IF_NAMESIZE] = {};
  if (zone.size() >= sizeof name || !is_plain(zone))
    return std::unexpected(invalid());
  zone.copy(name, zone.size());
  return BARESOCK_CALL(std::uint32_t, if_nametoindex, name);
}

Result<SocketAddress> parse_inet6(std::string_view text) noexcept {
  Inet6Address address;
  Reader in(text);
  bool brackets = in.take('[');
  if (!parse_groups(in, address.address))
    return std::unexpected(invalid());
  if (in.take('%')) {
    std::size_t end = brackets ? in.rest().find(']') : in.rest().size();
    auto scope = parse_interface(in.rest().substr(0, end));
    if (!scope)
      return std::unexpected(scope.error());
    address.scope_id = *scope;
    in.take(in.rest().substr(0, end));
  }
  if (brackets ? !in.take(']') || !parse_port(in, address.port) : !in.done())
    return std::unexpected(invalid());
  return address;
}

Result<SocketAddress> parse_unix(UnixAddress::Kind kind, std::string_view text) noexcept {
  char name[UnixAddress::capacity];
  std::size_t size = 0;
  for (Reader in(text); !in.done(); ++size) {
    std::uint8_t byte = 0;
    char c = in.rest().front();
    if (in.take('\\')) {
      if (!in.take('x') || !in.hex(byte))
        return std::unexpected(invalid());
      c = static_cast<char>(byte);
    } else {
      in.take(c);
    }
    if (size == sizeof name)
      return std::unexpected(detail::fail(Operation::parse, ENAMETOOLONG));
    name[size] = c;
  }
  auto address =
      kind == UnixAddress::Kind::abstract ? UnixAddress::abstract({name, size}) : UnixAddress::path({name, size});
  if (!address)
    return std::unexpected(address.error());
  return *address;
}

Result<SocketAddress> parse_vsock(Reader in) noexcept {
  std::uint64_t cid, port, flags = 0;
  if (!in.number(cid, 0xffffffff) || !in.take(':') || !in.number(port, 0xffffffff) ||
      (in.take(':') && !in.number(flags, 255)) || !in.done())
    return std::unexpected(invalid());
  return VsockAddress{static_cast<std::uint32_t>(cid), static_cast<std::uint32_t>(port),
                      static_cast<std::uint8_t>(flags)};
}

Result<SocketAddress> parse_netlink(Reader in) noexcept {
  std::uint64_t port_id, groups = 0;
  if (!in.number(port_id, 0xffffffff) || (in.take(":0x") && !in.number(groups, 0xffffffff, 16)) || !in.done())
    return std::unexpected(invalid());
  return NetlinkAddress{static_cast<std::uint32_t>(port_id), static_cast<std::uint32_t>(groups)};
}

Result<SocketAddress> parse_other(Reader in) noexcept {
  std::uint64_t family;
  std::uint8_t bytes[sizeof(sockaddr_storage)];
  if (!in.number(family, 0xffff) || !in.take(':'))
    return std::unexpected(invalid());
  auto number = static_cast<sa_family_t>(family);
  std::memcpy(bytes, &number, sizeof number);
  std::size_t size = sizeof number;
  for (; !in.done(); ++size)
    if (size == sizeof bytes || !in.hex(bytes[size]))
      return std::unexpected(invalid());
  return SocketAddress::from_bytes({bytes, size});
}

} // namespace

Result<SocketAddress> SocketAddress::parse(TextView view) noexcept {
  std::string_view text = view;
  Reader in(text);
  if (text.starts_with('/'))
    return parse_unix(UnixAddress::Kind::path, text);
  if (in.take('@'))
    return parse_unix(UnixAddress::Kind::abstract, in.rest());
  if (in.take("unix:"))
    return in.done() ? Result<SocketAddress>(UnixAddress()) : parse_unix(UnixAddress::Kind::path, in.rest());
  if (in.take("vsock:"))
    return parse_vsock(in);
  if (in.take("netlink:"))
    return parse_netlink(in);
  if (in.take("family:"))
    return parse_other(in);
  if (text == "none")
    return SocketAddress();
  Inet4Address inet4;
  if (parse_dotted(in, inet4.address)) {
    if (!parse_port(in, inet4.port))
      return std::unexpected(invalid());
    return inet4;
  }
  return parse_inet6(text);
}

bool is_ipv4(TextView text) noexcept {
  Reader in(text);
  std::uint32_t address;
  return parse_dotted(in, address) && in.done();
}

bool is_ipv6(TextView text) noexcept {
  Reader in(text);
  in6_addr address;
  if (!parse_groups(in, address))
    return false;
  return in.done() || (in.take('%') && !in.done() && std::ranges::all_of(in.rest(), [](char c) {
                         return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                                c == '-' || c == '.' || c == ':';
                       }));
}

int is_ip(TextView text) noexcept { return is_ipv4(text) ? 4 : is_ipv6(text) ? 6 : 0; }

} // namespace baresock
