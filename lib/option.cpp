// SPDX-License-Identifier: MIT

#include <baresock/option.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <limits>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>

namespace baresock {

namespace {

// Most values of variable length fit at once; of what says how much it needs, the largest known is SO_PEERGROUPS:
// 65,536 groups. A kernel that always wants more is not followed further.
constexpr std::size_t first_room = 4096;
constexpr std::size_t last_room = 1 << 20;

// Every text option of Linux has a value of 16 bytes with its NUL: IFNAMSIZ, TCP_CA_NAME_MAX, TCP_ULP_NAME_MAX.
constexpr std::size_t name_room = 16;

} // namespace

bool accepts(Sockets sockets, int domain, int type, int protocol) noexcept {
  type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  const bool raw = type == SOCK_RAW;
  const bool inet = domain == AF_INET || domain == AF_INET6;
  const bool ip = domain == AF_INET || (domain == AF_INET6 && !raw);
  const auto speaks = [&](int wanted, int own_type) {
    return inet && (protocol == wanted || (protocol == 0 && type == own_type));
  };
  const bool mptcp = inet && protocol == IPPROTO_MPTCP;
  const bool tcp = !raw && speaks(IPPROTO_TCP, SOCK_STREAM);
  const bool udplite = !raw && inet && protocol == IPPROTO_UDPLITE;
  const bool udp = !raw && (speaks(IPPROTO_UDP, SOCK_DGRAM) || udplite);
  switch (sockets) {
  case Sockets::any:
    return true;
  case Sockets::not_mptcp:
    return !mptcp;
  case Sockets::inet_any:
    return inet && !mptcp;
  case Sockets::inet_any_mptcp:
    return inet;
  case Sockets::inet:
    return ip && !mptcp;
  case Sockets::inet_mptcp:
    return ip;
  case Sockets::inet_dgram:
    return ip && type != SOCK_STREAM;
  case Sockets::inet4:
    return domain == AF_INET && !mptcp;
  case Sockets::inet6:
    return domain == AF_INET6 && !mptcp;
  case Sockets::inet6_mptcp:
    return domain == AF_INET6;
  case Sockets::inet6_dgram:
    return domain == AF_INET6 && type != SOCK_STREAM;
  case Sockets::ip_raw:
    return domain == AF_INET && raw;
  case Sockets::ip6_raw:
    return domain == AF_INET6 && raw;
  case Sockets::icmp:
    return domain == AF_INET && raw && protocol == IPPROTO_ICMP;
  case Sockets::icmp6:
    return domain == AF_INET6 && raw && protocol == IPPROTO_ICMPV6;
  case Sockets::tcp:
    return tcp;
  case Sockets::tcp6:
    return tcp && domain == AF_INET6;
  case Sockets::tcp_mptcp:
    return tcp || mptcp;
  case Sockets::udp:
    return udp;
  case Sockets::udplite:
    return udplite;
  case Sockets::mptcp:
    return mptcp;
  case Sockets::sctp:
    return inet && (protocol == IPPROTO_SCTP || type == SOCK_SEQPACKET);
  case Sockets::dccp:
    return inet && type == SOCK_DCCP;
  case Sockets::zerocopy:
    return tcp || (udp && !udplite) || domain == AF_VSOCK;
  case Sockets::scm:
    return domain == AF_UNIX || domain == AF_NETLINK || domain == AF_BLUETOOTH;
  case Sockets::peek:
    return domain == AF_UNIX || tcp || udp;
  case Sockets::unix_:
    return domain == AF_UNIX;
  case Sockets::unix_stream:
    return domain == AF_UNIX && type == SOCK_STREAM;
  case Sockets::packet:
    return domain == AF_PACKET;
  case Sockets::netlink:
    return domain == AF_NETLINK;
  case Sockets::vsock:
    return domain == AF_VSOCK;
  case Sockets::can_raw:
    return domain == AF_CAN && raw;
  case Sockets::can_isotp:
    return domain == AF_CAN && type == SOCK_DGRAM && protocol == 6;
  case Sockets::can_j1939:
    return domain == AF_CAN && type == SOCK_DGRAM && protocol == 7;
  case Sockets::tipc:
    return domain == AF_TIPC;
  case Sockets::alg:
    return domain == AF_ALG;
  case Sockets::xdp:
    return domain == AF_XDP;
  case Sockets::smc:
    return domain == AF_SMC;
  case Sockets::kcm:
    return domain == AF_KCM;
  case Sockets::rds:
    return domain == AF_RDS;
  case Sockets::mctp:
    return domain == AF_MCTP;
  case Sockets::rxrpc:
    return domain == AF_RXRPC;
  case Sockets::llc:
    return domain == AF_LLC;
  case Sockets::pppol2tp:
    return domain == AF_PPPOX;
  case Sockets::pnpipe:
    return domain == AF_PHONET;
  case Sockets::caif:
    return domain == AF_CAIF;
  case Sockets::nfc:
    return domain == AF_NFC;
  case Sockets::ax25:
    return domain == AF_AX25;
  case Sockets::netrom:
    return domain == AF_NETROM;
  case Sockets::rose:
    return domain == AF_ROSE;
  case Sockets::x25:
    return domain == AF_X25;
  }
  return false;
}

Result<Interface> Interface::from_name(TextView name) noexcept {
  if (name.size() >= IF_NAMESIZE)
    return std::unexpected(detail::fail(Operation::if_nametoindex, ENAMETOOLONG));
  Text<IF_NAMESIZE> terminated;
  terminated.append(name);
  if (std::strlen(terminated.c_str()) != name.size())
    return std::unexpected(detail::fail(Operation::if_nametoindex, EINVAL));
  return BARESOCK_CALL(unsigned, if_nametoindex, terminated.c_str());
}

Result<Text<IF_NAMESIZE>> Interface::name() const noexcept {
  char name[IF_NAMESIZE];
  if (auto asked = BARESOCK_CALL(const char *, if_indextoname, index_, name); !asked)
    return std::unexpected(asked.error());
  return Text<IF_NAMESIZE>().append({name, detail::length(name, sizeof name)});
}

Result<Interface> Codec<Interface>::get(const Socket &socket, int level, int number) noexcept {
  return Codec<unsigned>::get(socket, level, number);
}

Result<void> Codec<Interface>::set(const Socket &socket, int level, int number, Interface value) noexcept {
  return Codec<unsigned>::set(socket, level, number, value.index());
}

Result<Interface> Codec<stored::NetworkOrder<Interface>>::get(const Socket &socket, int level, int number) noexcept {
  auto index = Codec<std::uint32_t>::get(socket, level, number);
  if (!index)
    return std::unexpected(index.error());
  return Interface(ntohl(*index));
}

Result<void> Codec<stored::NetworkOrder<Interface>>::set(const Socket &socket, int level, int number,
                                                         Interface value) noexcept {
  return Codec<std::uint32_t>::set(socket, level, number, htonl(value.index()));
}

namespace {

template <class Int>
struct RawTimeval {
  Int seconds;
  Int microseconds;
};

} // namespace

template <class Int>
Result<Microseconds> Codec<stored::TimevalOf<Int>>::get(const Socket &socket, int level, int number) noexcept {
  RawTimeval<Int> time;
  if (auto got = Codec<RawTimeval<Int>>::get(socket, level, number); got)
    time = *got;
  else
    return std::unexpected(got.error());
  long long count = 0;
  if (__builtin_mul_overflow(time.seconds, 1'000'000LL, &count) ||
      __builtin_add_overflow(count, time.microseconds, &count))
    return Microseconds::max();
  return Microseconds(count);
}

template <class Int>
Result<void> Codec<stored::TimevalOf<Int>>::set(const Socket &socket, int level, int number,
                                                Microseconds value) noexcept {
  const long long seconds = value.count() / 1'000'000;
  if (value.count() < 0 || value == Microseconds::max() || seconds > std::numeric_limits<Int>::max())
    return std::unexpected(detail::fail(Operation::setsockopt, EDOM));
  return Codec<RawTimeval<Int>>::set(socket, level, number,
                                     {static_cast<Int>(seconds), static_cast<Int>(value.count() % 1'000'000)});
}

// All that time_t, long and std::int64_t can be.
template struct Codec<stored::TimevalOf<int>>;
template struct Codec<stored::TimevalOf<long>>;
template struct Codec<stored::TimevalOf<long long>>;

Result<Linger> Codec<Linger>::get(const Socket &socket, int level, int number) noexcept {
  auto value = Codec<linger>::get(socket, level, number);
  if (!value)
    return std::unexpected(value.error());
  return Linger(value->l_onoff != 0, Seconds(value->l_linger));
}

Result<void> Codec<Linger>::set(const Socket &socket, int level, int number, const Linger &value) noexcept {
  const long long count = value.time.count();
  if (count < 0 || count > INT_MAX)
    return std::unexpected(detail::fail(Operation::setsockopt, EDOM));
  return Codec<linger>::set(socket, level, number, {value.on ? 1 : 0, static_cast<int>(count)});
}

Result<PortRange> Codec<PortRange>::get(const Socket &socket, int level, int number) noexcept {
  auto range = Codec<std::uint32_t>::get(socket, level, number);
  if (!range)
    return std::unexpected(range.error());
  return PortRange{static_cast<std::uint16_t>(*range), static_cast<std::uint16_t>(*range >> 16)};
}

Result<void> Codec<PortRange>::set(const Socket &socket, int level, int number, PortRange value) noexcept {
  return Codec<std::uint32_t>::set(socket, level, number, std::uint32_t{value.upper} << 16 | value.lower);
}

Result<ucred> Codec<stored::PeerCredentials>::get(const Socket &socket, int level, int number) noexcept {
  auto peer = Codec<ucred>::get(socket, level, number);
  if (peer && peer->pid == 0 && peer->uid == static_cast<uid_t>(-1))
    return std::unexpected(detail::fail(Operation::getsockopt, ENODATA));
  return peer;
}

Result<Text<16>> Codec<stored::Name>::get(const Socket &socket, int level, int number) noexcept {
  char name[name_room] = {};
  auto length = socket.getsockopt(level, number, MutableBuffer(name));
  if (!length)
    return std::unexpected(length.error());
  return Text<16>().append({name, detail::length(name, std::min(*length, sizeof name))});
}

Result<void> Codec<stored::Name>::set(const Socket &socket, int level, int number, TextView value) noexcept {
  return socket.setsockopt(level, number, value);
}

Result<Bytes> Codec<Bytes>::query(const Socket &socket, int level, int number, ConstBuffer question) noexcept {
  std::size_t room = first_room + question.size();
  for (;;) {
    auto bytes = Bytes::allocate(room, false);
    if (!bytes)
      return bytes;
    if (!question.empty())
      std::memcpy(bytes->data(), question.data(), question.size());
    auto length = static_cast<socklen_t>(room);
    auto asked = BARESOCK_CALL(void, getsockopt, socket.fd(), level, number, bytes->data(), &length);
    // Too long a value is cut to the room, or its length is told, with an error (SO_PEERGROUPS: ERANGE,
    // TCP_SAVED_SYN: EINVAL) or without (NETLINK_LIST_MEMBERSHIPS).
    if (asked && length < room) {
      bytes->received(length, length);
      return bytes;
    }
    if (!asked && length <= room)
      return std::unexpected(asked.error());
    room = std::max<std::size_t>(length + 1, room * 2);
    if (room > last_room)
      return std::unexpected(asked ? detail::fail(Operation::getsockopt, EOVERFLOW) : asked.error());
  }
}

Result<Bytes> Codec<stored::Label>::get(const Socket &socket, int level, int number) noexcept {
  auto bytes = Codec<Bytes>::get(socket, level, number);
  if (bytes) {
    std::size_t size = bytes->size();
    while (size > 0 && bytes->data()[size - 1] == std::byte{})
      --size;
    bytes->received(size, size);
  }
  return bytes;
}

Result<List<sock_filter>> Codec<stored::Filter>::get(const Socket &socket, int level, int number) noexcept {
  auto size = socket.getsockopt(level, number, MutableBuffer());
  if (!size)
    return std::unexpected(size.error());
  if (*size == 0) // without room, the kernel would count what was attached meanwhile
    return {};
  auto bytes = Bytes::zeros(*size); // valgrind takes the kernel's count of instructions for one of bytes
  if (!bytes)
    return std::unexpected(bytes.error());
  auto length = socket.getsockopt(level, number, MutableBuffer(*bytes));
  if (!length)
    return std::unexpected(length.error());
  bytes->received(*length, *length);
  return List<sock_filter>(std::move(*bytes));
}

Result<void> Codec<stored::Program>::set(const Socket &socket, int level, int number,
                                         Span<const sock_filter> value) noexcept {
  if (value.size() > USHRT_MAX)
    return std::unexpected(detail::fail(Operation::setsockopt, EINVAL));
  sock_fprog program;
  std::memset(&program, 0, sizeof program); // its padding, too
  program.len = static_cast<unsigned short>(value.size());
  program.filter = const_cast<sock_filter *>(value.data()); // only read
  return Codec<sock_fprog>::set(socket, level, number, program);
}

Result<FileDescriptor> Codec<FileDescriptor>::get(const Socket &socket, int level, int number) noexcept {
  auto fd = Codec<int>::get(socket, level, number);
  if (!fd)
    return std::unexpected(fd.error());
  return FileDescriptor(*fd);
}

Result<FileDescriptor> Codec<stored::PeeledOff>::query(const Socket &socket, int level, int number,
                                                       std::int32_t association) noexcept {
  struct Argument {
    std::int32_t association;
    int fd;
    unsigned flags;
  };
  auto argument = Codec<Argument>::query(socket, level, number, {association, -1, SOCK_CLOEXEC});
  if (!argument)
    return std::unexpected(argument.error());
  return FileDescriptor(argument->fd);
}

Result<SocketAddress> Codec<SocketAddress>::query(const Socket &socket, int level, int number,
                                                  const SocketAddress &question) noexcept {
  sockaddr_storage storage = question.storage();
  // SO_ORIGINAL_DST leaves the length as it is.
  auto length = socket.getsockopt(level, number, MutableBuffer(&storage, sizeof storage));
  if (!length)
    return std::unexpected(length.error());
  return SocketAddress::from_bytes({&storage, *length});
}

Result<void> Codec<SocketAddress>::set(const Socket &socket, int level, int number,
                                       const SocketAddress &value) noexcept {
  return socket.setsockopt(level, number, value.bytes());
}

Result<List<tcp_ao_getsockopt>> Codec<stored::AoKeys>::query(const Socket &socket, int level, int number,
                                                             const Question &question) noexcept {
  std::size_t room = 16;
  for (;;) {
    auto bytes = Bytes::zeros(room * sizeof(Question));
    if (!bytes)
      return std::unexpected(bytes.error());
    Question asked = question;
    asked.nkeys = static_cast<std::uint32_t>(room);
    std::memcpy(bytes->data(), &asked, sizeof asked);
    // The length is that of one, however many there is room for.
    if (auto length = socket.getsockopt(level, number, MutableBuffer(bytes->data(), sizeof asked)); !length)
      return std::unexpected(length.error());
    std::memcpy(&asked, bytes->data(), sizeof asked);
    if (asked.nkeys <= room) {
      const std::size_t size = asked.nkeys * sizeof asked;
      bytes->received(size, size);
      return List<tcp_ao_getsockopt>(std::move(*bytes));
    }
    if (asked.nkeys > last_room / sizeof asked)
      return std::unexpected(detail::fail(Operation::getsockopt, EOVERFLOW));
    room = asked.nkeys;
  }
}

Result<Bytes> detail::get_subflows(const Socket &socket, int level, int number, std::size_t size) noexcept {
  std::size_t room = 8;
  for (;;) {
    mptcp_subflow_data header = {sizeof header, 0, 0, static_cast<std::uint32_t>(size)};
    auto bytes = Bytes::zeros(sizeof header + room * size);
    if (!bytes)
      return bytes;
    std::memcpy(bytes->data(), &header, sizeof header);
    if (auto asked = socket.getsockopt(level, number, MutableBuffer(*bytes)); !asked)
      return std::unexpected(asked.error());
    std::memcpy(&header, bytes->data(), sizeof header);
    if (header.num_subflows <= room) {
      auto subflows = Bytes::zeros(header.num_subflows * size);
      if (subflows && !subflows->empty())
        std::memcpy(subflows->data(), bytes->data() + sizeof header, subflows->size());
      return subflows;
    }
    if (header.num_subflows > last_room / size)
      return std::unexpected(fail(Operation::getsockopt, EOVERFLOW));
    room = header.num_subflows;
  }
}

namespace {

// How the kernel's two filters store what ours have in common.
template <class T>
struct Stored;

template <>
struct Stored<SourceFilter<SocketAddress, Interface>> {
  using Header = group_filter;
  using Element = sockaddr_storage;
  static constexpr std::size_t header_size = offsetof(group_filter, gf_slist);

  static void store(const SocketAddress &address, sockaddr_storage &to) noexcept { to = address.storage(); }
  static SocketAddress load(const sockaddr_storage &from) noexcept {
    return *SocketAddress::from_bytes({&from, sizeof from});
  }
  static void store(const SourceFilter<SocketAddress, Interface> &filter, std::uint32_t count, Header &to) noexcept {
    to = {};
    to.gf_interface = filter.interface.index();
    store(filter.group, to.gf_group);
    to.gf_fmode = filter.mode;
    to.gf_numsrc = count;
  }
  static std::uint32_t mode(const Header &header) noexcept { return header.gf_fmode; }
  static std::uint32_t count(const Header &header) noexcept { return header.gf_numsrc; }
};

template <>
struct Stored<SourceFilter<in_addr, in_addr>> {
  using Header = ip_msfilter;
  using Element = in_addr;
  static constexpr std::size_t header_size = offsetof(ip_msfilter, imsf_slist);

  static void store(in_addr address, in_addr &to) noexcept { to = address; }
  static in_addr load(in_addr from) noexcept { return from; }
  static void store(const SourceFilter<in_addr, in_addr> &filter, std::uint32_t count, Header &to) noexcept {
    to.imsf_multiaddr = filter.group;
    to.imsf_interface = filter.interface;
    to.imsf_fmode = filter.mode;
    to.imsf_numsrc = count;
  }
  static std::uint32_t mode(const Header &header) noexcept { return header.imsf_fmode; }
  static std::uint32_t count(const Header &header) noexcept { return header.imsf_numsrc; }
};

} // namespace

template <class Address, class Via>
Result<void> Codec<SourceFilter<Address, Via>>::set(const Socket &socket, int level, int number,
                                                    const Argument &value) noexcept {
  using Raw = Stored<Argument>;
  const std::size_t count = value.sources.size();
  if (count > (INT_MAX - sizeof(typename Raw::Header)) / sizeof(typename Raw::Element))
    return std::unexpected(detail::fail(Operation::setsockopt, EINVAL));
  auto bytes = Bytes::zeros(Raw::header_size + count * sizeof(typename Raw::Element));
  if (!bytes)
    return std::unexpected(bytes.error());
  typename Raw::Header header;
  Raw::store(value, static_cast<std::uint32_t>(count), header);
  std::memcpy(bytes->data(), &header, Raw::header_size);
  for (std::size_t i = 0; i < count; ++i) {
    typename Raw::Element element;
    Raw::store(value.sources[i], element);
    std::memcpy(bytes->data() + Raw::header_size + i * sizeof element, &element, sizeof element);
  }
  return socket.setsockopt(level, number, ConstBuffer(*bytes));
}

template <class Address, class Via>
Result<Sources<Address>> Codec<SourceFilter<Address, Via>>::query(const Socket &socket, int level, int number,
                                                                  const Question &question) noexcept {
  using Raw = Stored<Question>;
  std::uint32_t room = 16;
  for (;;) {
    auto bytes = Bytes::zeros(Raw::header_size + room * sizeof(typename Raw::Element));
    if (!bytes)
      return std::unexpected(bytes.error());
    typename Raw::Header header;
    Raw::store(question, room, header);
    std::memcpy(bytes->data(), &header, Raw::header_size);
    if (auto asked = socket.getsockopt(level, number, MutableBuffer(*bytes)); !asked)
      return std::unexpected(asked.error());
    std::memcpy(&header, bytes->data(), Raw::header_size);
    const std::uint32_t count = Raw::count(header); // all there are, not all that fitted
    if (count > room) {
      if (count > last_room / sizeof(typename Raw::Element))
        return std::unexpected(detail::fail(Operation::getsockopt, EOVERFLOW));
      room = count;
      continue;
    }
    auto sources = Bytes::zeros(count * sizeof(Address));
    if (!sources)
      return std::unexpected(sources.error());
    for (std::uint32_t i = 0; i < count; ++i) {
      typename Raw::Element element;
      std::memcpy(&element, bytes->data() + Raw::header_size + i * sizeof element, sizeof element);
      new (sources->data() + i * sizeof(Address)) Address(Raw::load(element));
    }
    return Sources<Address>{Raw::mode(header), List<Address>(std::move(*sources))};
  }
}

template struct Codec<SourceFilter<SocketAddress, Interface>>;
template struct Codec<SourceFilter<in_addr, in_addr>>;

} // namespace baresock
