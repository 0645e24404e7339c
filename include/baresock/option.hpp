// SPDX-License-Identifier: MIT
/// Socket options: a constant for each, which knows the type of its value.
///
///   socket.setsockopt(so::reuseaddr, true);
///   socket.setsockopt(so::linger, Linger::wait(5s));
///   auto idle = socket.getsockopt(tcp::keepidle);                       Result<Seconds>
///   inline constexpr Option<int> mine{SOL_SOCKET, 99, "SO_MINE"};       one of your own
///
/// SO_REUSEADDR is so::reuseaddr: the constant in lower case, split at its first underscore. Every option is a row
/// of options.def and a paragraph of baresock_options(7). What an option does not offer (setting SO_ERROR) does not
/// compile. At run time, by number or name: option_info.hpp.

#pragma once

#include <baresock/buffer.hpp>
#include <baresock/descriptor.hpp>
#include <baresock/duration.hpp>
#include <baresock/list.hpp>
#include <baresock/socket.hpp>
#include <baresock/structs.hpp>
#include <baresock/view.hpp>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <type_traits>

struct sock_filter; // linux/filter.h

namespace baresock {

/// Which sockets accept an option, as far as the family, type and protocol decide it.
enum class Sockets : std::uint8_t {
  any,
  not_mptcp, // any but MPTCP
  inet_any,  // AF_INET and AF_INET6; without _mptcp: but not MPTCP
  inet_any_mptcp,
  inet, // both, but of AF_INET6 not SOCK_RAW
  inet_mptcp,
  inet_dgram, // the same without SOCK_STREAM
  inet4,      // AF_INET
  inet6,      // AF_INET6
  inet6_mptcp,
  inet6_dgram, // the same without SOCK_STREAM
  ip_raw,      // SOCK_RAW of AF_INET
  ip6_raw,     // SOCK_RAW of AF_INET6
  icmp,        // SOCK_RAW of AF_INET, IPPROTO_ICMP
  icmp6,       // SOCK_RAW of AF_INET6, IPPROTO_ICMPV6
  tcp,
  tcp6,      // of AF_INET6
  tcp_mptcp, // and MPTCP
  udp,       // and UDP-Lite
  udplite,
  mptcp,
  sctp,
  dccp,
  zerocopy,    // tcp, udp, vsock
  scm,         // AF_UNIX, AF_NETLINK, AF_BLUETOOTH
  peek,        // tcp, udp, AF_UNIX
  unix_,       // unix is a macro
  unix_stream, // SOCK_STREAM of AF_UNIX
  packet,
  netlink,
  vsock,
  can_raw,
  can_isotp,
  can_j1939,
  tipc,
  alg,
  xdp,
  smc,
  kcm,
  rds,
  mctp,
  rxrpc,
  llc,
  pppol2tp,
  pnpipe,
  caif,
  nfc,
  ax25,
  netrom,
  rose,
  x25,
};

/// Does a socket of that family, type and protocol accept such an option? Protocol 0: the family's own for the type.
[[nodiscard]] bool accepts(Sockets sockets, int domain, int type, int protocol = 0) noexcept;

/// An option: T says how its value is stored (Codec), A what can be done with it.
template <class T, Access A = Access::both>
struct Option {
  int level;
  int number;
  const char *name; // "SO_REUSEADDR"; static
  Sockets sockets = Sockets::any;
};

/// An interface, by its index; 0 is none, or any.
class Interface {
public:
  constexpr Interface() noexcept = default;
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  constexpr Interface(T index) noexcept : index_(static_cast<unsigned>(index)) {}

  /// if_nametoindex(3). EINVAL if there is a NUL in the name, ENAMETOOLONG over 15 bytes.
  [[nodiscard]] static Result<Interface> from_name(TextView name) noexcept;

  /// if_indextoname(3).
  [[nodiscard]] Result<Text<IF_NAMESIZE>> name() const noexcept;

  [[nodiscard]] constexpr unsigned index() const noexcept { return index_; }

  friend constexpr bool operator==(Interface, Interface) noexcept = default;

private:
  unsigned index_ = 0;
};

/// linger, socket(7): what close(2) does with data that was not sent.
struct Linger {
  bool on = false;
  Seconds time;

  /// close returns at once, the data is sent later: how a socket starts.
  [[nodiscard]] static constexpr Linger off() noexcept { return {}; }
  /// close drops the data and resets the connection.
  [[nodiscard]] static constexpr Linger abort() noexcept { return wait(Seconds(0)); }
  /// close waits for the data to be sent, so long at most. Whole seconds, rounded up; of zero it is abort().
  [[nodiscard]] static constexpr Linger wait(Seconds time) noexcept { return {true, time}; }

  friend constexpr bool operator==(const Linger &, const Linger &) noexcept = default;
};

/// IP_LOCAL_PORT_RANGE, ip(7): the first and the last port that bind(2) chooses from; zeros: the system's.
struct PortRange {
  std::uint16_t lower = 0;
  std::uint16_t upper = 0;

  friend constexpr bool operator==(PortRange, PortRange) noexcept = default;
};

/// A struct that grows from kernel to kernel, and how much of it counts: what this kernel filled in (the rest is
/// zero), or what it is to be given.
template <class T>
class Partial {
public:
  constexpr Partial() noexcept : value_{} {}
  constexpr Partial(const T &value, std::size_t size = sizeof(T)) noexcept
      : value_(value), size_(size < sizeof(T) ? size : sizeof(T)) {}

  [[nodiscard]] constexpr const T &operator*() const noexcept { return value_; }
  [[nodiscard]] constexpr const T *operator->() const noexcept { return &value_; }

  /// In bytes.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

  /// Did the kernel fill that member in: info.has(&tcp_info::tcpi_min_rtt)?
  template <class Member>
  [[nodiscard]] bool has(Member T::*member) const noexcept {
    return reinterpret_cast<const char *>(&(value_.*member) + 1) <= reinterpret_cast<const char *>(&value_) + size_;
  }

private:
  T value_;
  std::size_t size_ = 0;
};

/// IP_MSFILTER and MCAST_MSFILTER, ip(7), RFC 3678: of whom a socket receives what is sent to a group. The first says
/// the interface by its address, and IPv4 addresses; the second by its index, and addresses of both families.
template <class Address, class Via>
struct SourceFilter {
  Address group;
  Via interface;
  std::uint32_t mode = 1; // MCAST_INCLUDE: only of these sources; MCAST_EXCLUDE, 0: of all but these
  Span<const Address> sources = {};
};

/// What a query of them answers, of the group and interface asked for.
template <class Address>
struct Sources {
  std::uint32_t mode = 0;
  List<Address> sources;
};

/// Types that say how a value is stored, where that is not how C++ stores it: for Option and for BARESOCK_FIELD_AS.
/// Apart, because their names are short.
namespace stored {

struct AoKeys;          // the keys of TCP_AO_GET_KEYS that match a question
struct Empty;           // no value, and no room for one
struct Filter;          // the instructions of SO_GET_FILTER, which the kernel counts
struct Label;           // text of any length
struct Name;            // text of at most 15 bytes, in 16
struct None;            // no value, but room for one
struct PeeledOff;       // a new socket, from an association of an SCTP socket
struct PeerCredentials; // ucred, which the kernel may not know
struct Program;         // sock_fprog: the address and the number of instructions
struct Size;            // no value, only its length
template <class Int>
struct TimevalOf;                  // a struct of seconds and microseconds
using Timeval = TimevalOf<time_t>; // timeval(3type)
template <class T>
struct NetworkOrder; // T in network byte order
template <class T>
struct InOut; // a T into which the kernel writes when it is set
template <class T>
struct Subflows; // a T for each subflow of an MPTCP connection
template <class Get, class Set>
struct GetSet;  // one type when got, another one when set
struct Flag;    // of a field: an integer that is a boolean
struct Pointer; // of a field: an address in the caller's memory, which at run time can only be read, or be zero
template <long long PerSecond>
struct Count; // of a field: an integer that counts parts of a second

} // namespace stored

namespace detail {

[[nodiscard]] Result<Bytes> get_subflows(const Socket &socket, int level, int number, std::size_t size) noexcept;

} // namespace detail

/// How the kernel stores the value of an Option<T>: Value is what getsockopt gives, Argument what setsockopt takes,
/// Question what a query needs besides. A type of your own that is not stored as C++ stores it is one more
/// specialisation. This one: any object that can be copied as bytes, in exactly its size.
template <class T>
struct Codec {
  static_assert(std::is_trivially_copyable_v<T>);
  using Value = T;
  using Argument = T;
  using Question = T;

  /// EINVAL if the kernel's value is shorter; a longer one it cuts.
  [[gnu::always_inline]] static Result<T> get(const Socket &socket, int level, int number) noexcept {
    T value;
    socklen_t length = sizeof value;
    if (auto asked = BARESOCK_CALL(void, getsockopt, socket.fd(), level, number, &value, &length); !asked)
        [[unlikely]]
      return std::unexpected(asked.error());
    if (length != sizeof value) [[unlikely]]
      return std::unexpected(detail::fail(Operation::getsockopt, EINVAL));
    return value;
  }
  static Result<T> query(const Socket &socket, int level, int number, const Question &question) noexcept {
    T value = question;
    socklen_t length = sizeof value;
    if (auto asked = BARESOCK_CALL(void, getsockopt, socket.fd(), level, number, &value, &length); !asked)
      return std::unexpected(asked.error());
    if (length != sizeof value)
      return std::unexpected(detail::fail(Operation::getsockopt, EINVAL));
    return value;
  }
  [[gnu::always_inline]] static Result<void> set(const Socket &socket, int level, int number,
                                                 const T &value) noexcept {
    return BARESOCK_CALL(void, setsockopt, socket.fd(), level, number, &value, sizeof value);
  }
};

template <>
struct Codec<bool> {
  using Value = bool;
  using Argument = bool;

  [[gnu::always_inline]] static Result<bool> get(const Socket &socket, int level, int number) noexcept {
    auto value = Codec<int>::get(socket, level, number);
    if (value) [[likely]] // first: compilers make less of the other order
      return *value != 0;
    return std::unexpected(value.error());
  }
  [[gnu::always_inline]] static Result<void> set(const Socket &socket, int level, int number, bool value) noexcept {
    return Codec<int>::set(socket, level, number, value);
  }
};

template <>
struct Codec<Interface> {
  using Value = Interface;
  using Argument = Interface;

  static Result<Interface> get(const Socket &socket, int level, int number) noexcept;
  static Result<void> set(const Socket &socket, int level, int number, Interface value) noexcept;
};

template <>
struct Codec<stored::NetworkOrder<Interface>> {
  using Value = Interface;
  using Argument = Interface;

  static Result<Interface> get(const Socket &socket, int level, int number) noexcept;
  static Result<void> set(const Socket &socket, int level, int number, Interface value) noexcept;
};

/// An int counts them. EDOM if that cannot be, negative durations included.
template <long long PerSecond>
struct Codec<Duration<PerSecond>> {
  using Value = Duration<PerSecond>;
  using Argument = Duration<PerSecond>;

  static Result<Value> get(const Socket &socket, int level, int number) noexcept {
    auto count = Codec<int>::get(socket, level, number);
    if (!count)
      return std::unexpected(count.error());
    return Value(*count);
  }
  static Result<void> set(const Socket &socket, int level, int number, Value value) noexcept {
    if (value.count() < 0 || value.count() > INT_MAX)
      return std::unexpected(detail::fail(Operation::setsockopt, EDOM));
    return Codec<int>::set(socket, level, number, static_cast<int>(value.count()));
  }
};

/// EDOM for a negative duration, and for more seconds than the struct counts.
template <class Int>
struct Codec<stored::TimevalOf<Int>> {
  using Value = Microseconds;
  using Argument = Microseconds;

  static Result<Microseconds> get(const Socket &socket, int level, int number) noexcept;
  static Result<void> set(const Socket &socket, int level, int number, Microseconds value) noexcept;
};

/// EDOM if the time is negative, or more seconds than an int counts.
template <>
struct Codec<Linger> {
  using Value = Linger;
  using Argument = Linger;

  static Result<Linger> get(const Socket &socket, int level, int number) noexcept;
  static Result<void> set(const Socket &socket, int level, int number, const Linger &value) noexcept;
};

template <>
struct Codec<PortRange> {
  using Value = PortRange;
  using Argument = PortRange;

  static Result<PortRange> get(const Socket &socket, int level, int number) noexcept;
  static Result<void> set(const Socket &socket, int level, int number, PortRange value) noexcept;
};

/// ENODATA if the kernel does not know the peer, as of a socket that is not connected or not of AF_UNIX.
template <>
struct Codec<stored::PeerCredentials> {
  using Value = ucred;

  static Result<ucred> get(const Socket &socket, int level, int number) noexcept;
};

/// EINVAL for a NUL in the text, ENAMETOOLONG over 15 bytes; the kernel would take the part before.
template <>
struct Codec<stored::Name> {
  using Value = Text<16>;
  using Argument = TextView;

  static Result<Text<16>> get(const Socket &socket, int level, int number) noexcept;
  static Result<void> set(const Socket &socket, int level, int number, TextView value) noexcept;
};

/// Asks again with more room until the value fits: not one call. Allocates; ENOMEM. EOVERFLOW if a mebibyte is not
/// enough.
template <>
struct Codec<Bytes> {
  using Value = Bytes;
  using Argument = ConstBuffer;
  using Question = ConstBuffer;

  static Result<Bytes> get(const Socket &socket, int level, int number) noexcept {
    return query(socket, level, number, {});
  }
  static Result<Bytes> query(const Socket &socket, int level, int number, ConstBuffer question) noexcept;
  static Result<void> set(const Socket &socket, int level, int number, ConstBuffer value) noexcept {
    return socket.setsockopt(level, number, value);
  }
};

/// As Bytes, without the NULs at its end.
template <>
struct Codec<stored::Label> {
  using Value = Bytes;

  static Result<Bytes> get(const Socket &socket, int level, int number) noexcept;
};

/// As Bytes.
template <class T>
struct Codec<List<T>> {
  using Value = List<T>;
  using Argument = Span<const T>;
  using Question = T; // in the place of the first

  static Result<List<T>> get(const Socket &socket, int level, int number) noexcept {
    return listed(Codec<Bytes>::get(socket, level, number));
  }
  static Result<List<T>> query(const Socket &socket, int level, int number, const T &question) noexcept {
    return listed(Codec<Bytes>::query(socket, level, number, ConstBuffer(&question, sizeof question)));
  }
  static Result<void> set(const Socket &socket, int level, int number, Span<const T> value) noexcept {
    if (value.size() > INT_MAX / sizeof(T))
      return std::unexpected(detail::fail(Operation::setsockopt, EINVAL));
    return socket.setsockopt(level, number, ConstBuffer(value.data(), value.size() * sizeof(T)));
  }

private:
  static Result<List<T>> listed(Result<Bytes> bytes) noexcept {
    if (!bytes)
      return std::unexpected(bytes.error());
    return List<T>(std::move(*bytes));
  }
};

/// Asks how many there are, then for them: two calls. Allocates; ENOMEM.
template <>
struct Codec<stored::Filter> {
  using Value = List<sock_filter>;

  static Result<List<sock_filter>> get(const Socket &socket, int level, int number) noexcept;
};

/// EINVAL for more instructions than sock_fprog counts, 65535.
template <>
struct Codec<stored::Program> {
  using Argument = Span<const sock_filter>;

  static Result<void> set(const Socket &socket, int level, int number, Span<const sock_filter> value) noexcept;
};

template <>
struct Codec<stored::Empty> {
  using Argument = stored::None;

  static Result<void> set(const Socket &socket, int level, int number) noexcept {
    return socket.setsockopt(level, number, ConstBuffer());
  }
};

template <>
struct Codec<stored::None> {
  using Argument = stored::None;

  static Result<void> set(const Socket &socket, int level, int number) noexcept {
    return Codec<int>::set(socket, level, number, 0);
  }
};

/// EINVAL over INT_MAX.
template <>
struct Codec<stored::Size> {
  using Argument = std::size_t;

  static Result<void> set(const Socket &socket, int level, int number, std::size_t value) noexcept {
    return socket.setsockopt(level, number, ConstBuffer(nullptr, value));
  }
};

/// A descriptor that the call makes.
template <>
struct Codec<FileDescriptor> {
  using Value = FileDescriptor;

  static Result<FileDescriptor> get(const Socket &socket, int level, int number) noexcept;
};

/// The question is the association; the socket is close-on-exec.
template <>
struct Codec<stored::PeeledOff> {
  using Value = FileDescriptor;
  using Question = std::int32_t;

  static Result<FileDescriptor> query(const Socket &socket, int level, int number, std::int32_t association) noexcept;
};

/// A sockaddr of any family. Without an address nothing is set: EINVAL.
template <>
struct Codec<SocketAddress> {
  using Value = SocketAddress;
  using Argument = SocketAddress;
  using Question = SocketAddress;

  static Result<SocketAddress> get(const Socket &socket, int level, int number) noexcept {
    return query(socket, level, number, {});
  }
  static Result<SocketAddress> query(const Socket &socket, int level, int number,
                                     const SocketAddress &question) noexcept;
  static Result<void> set(const Socket &socket, int level, int number, const SocketAddress &value) noexcept;
};

/// EINVAL for more sources than an int counts. Allocates; ENOMEM. A query is as Bytes.
template <class Address, class Via>
struct Codec<SourceFilter<Address, Via>> {
  using Value = Sources<Address>;
  using Argument = SourceFilter<Address, Via>;
  using Question = SourceFilter<Address, Via>;

  static Result<Value> query(const Socket &socket, int level, int number, const Question &question) noexcept;
  static Result<void> set(const Socket &socket, int level, int number, const Argument &value) noexcept;
};

template <class T>
struct Codec<Partial<T>> {
  using Value = Partial<T>;
  using Argument = Partial<T>;
  using Question = T;

  static Result<Partial<T>> get(const Socket &socket, int level, int number) noexcept {
    return query(socket, level, number, T{});
  }
  static Result<Partial<T>> query(const Socket &socket, int level, int number, const T &question) noexcept {
    T value = question;
    auto length = socket.getsockopt(level, number, MutableBuffer(&value, sizeof value));
    if (!length)
      return std::unexpected(length.error());
    return Partial<T>(value, *length);
  }
  static Result<void> set(const Socket &socket, int level, int number, const Partial<T> &value) noexcept {
    return socket.setsockopt(level, number, ConstBuffer(&*value, value.size()));
  }
};

/// setsockopt takes the address of a T; what the kernel chose is then in it.
template <class T>
struct Codec<stored::InOut<T>> {
  using Value = T;
  using Argument = T *;
  using Question = T;

  static Result<T> query(const Socket &socket, int level, int number, const T &question) noexcept {
    return Codec<T>::query(socket, level, number, question);
  }
  static Result<void> set(const Socket &socket, int level, int number, T *value) noexcept {
    return BARESOCK_CALL(void, setsockopt, socket.fd(), level, number, value, sizeof *value);
  }
};

/// As Bytes; nkeys of the question does not count.
template <>
struct Codec<stored::AoKeys> {
  using Value = List<tcp_ao_getsockopt>;
  using Question = tcp_ao_getsockopt;

  static Result<Value> query(const Socket &socket, int level, int number, const Question &question) noexcept;
};

/// As Bytes.
template <class T>
struct Codec<stored::Subflows<T>> {
  using Value = List<T>;

  static Result<List<T>> get(const Socket &socket, int level, int number) noexcept {
    auto bytes = detail::get_subflows(socket, level, number, sizeof(T));
    if (!bytes)
      return std::unexpected(bytes.error());
    return List<T>(std::move(*bytes));
  }
};

template <class Get, class Set>
struct Codec<stored::GetSet<Get, Set>> {
  using Value = typename Codec<Get>::Value;
  using Argument = typename Codec<Set>::Argument;

  static Result<Value> get(const Socket &socket, int level, int number) noexcept {
    return Codec<Get>::get(socket, level, number);
  }
  static Result<void> set(const Socket &socket, int level, int number, const Argument &value) noexcept {
    return Codec<Set>::set(socket, level, number, value);
  }
};

namespace detail {

/// Numbers of SOL_SOCKET's options that headers may lack; two architectures count in their own way.
constexpr int newer([[maybe_unused]] int generic, [[maybe_unused]] int parisc, [[maybe_unused]] int sparc) noexcept {
#if defined(__hppa__)
  return parisc;
#elif defined(__sparc__)
  return sparc;
#else
  return generic;
#endif
}

/// Levels as options.def and controls.def name them: headers lack many.
namespace level {
inline constexpr int socket = SOL_SOCKET;
inline constexpr int ip = IPPROTO_IP;
inline constexpr int ipv6 = IPPROTO_IPV6;
inline constexpr int tcp = IPPROTO_TCP;
inline constexpr int udp = IPPROTO_UDP;
inline constexpr int udplite = 136;
inline constexpr int raw = IPPROTO_RAW;
inline constexpr int icmpv6 = IPPROTO_ICMPV6;
inline constexpr int packet = 263;  // SOL_PACKET
inline constexpr int netlink = 270; // SOL_NETLINK
inline constexpr int vsock = AF_VSOCK;
inline constexpr int can_raw = 101;   // SOL_CAN_RAW
inline constexpr int can_isotp = 106; // SOL_CAN_ISOTP
inline constexpr int can_j1939 = 107; // SOL_CAN_J1939
inline constexpr int tipc = 271;      // SOL_TIPC
inline constexpr int alg = 279;       // SOL_ALG
inline constexpr int tls = 282;       // SOL_TLS
inline constexpr int xdp = 283;       // SOL_XDP
inline constexpr int mptcp = 284;     // SOL_MPTCP
inline constexpr int sctp = 132;      // IPPROTO_SCTP
inline constexpr int dccp = 269;      // SOL_DCCP
inline constexpr int smc = 286;       // SOL_SMC
inline constexpr int kcm = 281;       // SOL_KCM
inline constexpr int rds = 276;       // SOL_RDS
inline constexpr int mctp = 285;      // SOL_MCTP
inline constexpr int rxrpc = 272;     // SOL_RXRPC
inline constexpr int llc = 268;       // SOL_LLC
inline constexpr int pppol2tp = 273;  // SOL_PPPOL2TP
inline constexpr int pnpipe = 275;    // SOL_PNPIPE
inline constexpr int caif = 278;      // SOL_CAIF
inline constexpr int nfc = 280;       // SOL_NFC
inline constexpr int ax25 = 257;      // SOL_AX25
inline constexpr int netrom = 259;    // SOL_NETROM
inline constexpr int rose = 260;      // SOL_ROSE
inline constexpr int x25 = 262;       // SOL_X25
// Of control messages only.
inline constexpr int sol_vsock = 287; // SOL_VSOCK
inline constexpr int bluetooth = 274; // SOL_BLUETOOTH
inline constexpr int hci = 0;         // SOL_HCI
inline constexpr int iucv = 277;      // SOL_IUCV
inline constexpr int ieee802154 = 0;  // SOL_IEEE802154
inline constexpr int misdn = 0;       // SOL_MISDN
} // namespace level

} // namespace detail

// namespace so { inline constexpr Option<bool, Access::both> reuseaddr{SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR"}; } …
using detail::newer;
#define OPTION(ns, identifier, level_, constant, number, access, sockets, ...)                                       \
  namespace ns {                                                                                                     \
  using namespace ::baresock::stored;                                                                                \
  inline constexpr Option<__VA_ARGS__, Access::access> identifier{::baresock::detail::level::level_, number,         \
                                                                  #constant, Sockets::sockets};                      \
  }
#include <baresock/options.def>

} // namespace baresock
