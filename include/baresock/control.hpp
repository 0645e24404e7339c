// SPDX-License-Identifier: MIT
/// Control messages: a constant for each kind, which knows the type of its value.
///
///   control.append(cmsg::ip::ttl, 64);                                   Control is in message.hpp
///   if (auto ttl = control.get(cmsg::ip::ttl)) use(*ttl);
///   inline constexpr ControlKind<int> mine{SOL_SOCKET, 99, "SCM_MINE"};  one of your own
///
/// SCM_RIGHTS is cmsg::scm::rights: the constant in lower case, split at its first underscore. Every kind is a row of
/// controls.def and a paragraph of baresock_controls(7). Sending what is only received does not compile, nor the
/// other way round. At run time, by number or name: control_info.hpp.

#pragma once

#include <baresock/duration.hpp>
#include <baresock/message.hpp>
#include <baresock/option.hpp>
#include <baresock/socket.hpp>
#include <baresock/structs.hpp>

#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <type_traits>

namespace baresock {

/// SCM_TIMESTAMPING: when a packet came, or went: since 1970, but the hardware's by its own clock. Zero: not known.
struct Timestamping {
  Nanoseconds software;
  Nanoseconds transformed; // the hardware's, by the system's clock; the kernel gives none any more
  Nanoseconds hardware;

  friend constexpr bool operator==(const Timestamping &, const Timestamping &) noexcept = default;
};

/// IP_RECVERR, IPV6_RECVERR, ip(7): an error, and who reported it, if the kernel says.
struct ReceivedError {
  sock_extended_err error{};
  SocketAddress offender;
};

namespace stored {

struct AlgIv; // af_alg_iv: a length and as many bytes
template <class Sockaddr>
struct AddressIn; // a SocketAddress in a Sockaddr
template <class Sockaddr>
struct ErrorOf; // sock_extended_err, and the offender in a Sockaddr
using Error4 = ErrorOf<sockaddr_in>;
using Error6 = ErrorOf<sockaddr_in6>;
template <class Int>
struct TimespecOf; // a struct of seconds and nanoseconds
using Timespec = TimespecOf<time_t>;
template <class Int>
struct TimespecsOf; // three of them
using Timespecs = TimespecsOf<time_t>;

} // namespace stored

/// How the payload of a ControlKind<T> is stored: Value is what as() gives, Argument what append() takes, which
/// encode() writes into length() bytes, zeros so far; it answers an errno, or 0. A type of your own that is not
/// stored as C++ stores it is one more specialisation, with `size`, or with the size of an `element` if it has any
/// number of them. This one: any object that can be copied as bytes. Of a longer payload the rest is left.
template <class T>
struct Payload {
  static_assert(std::is_trivially_copyable_v<T>);
  using Value = T;
  using Argument = T;
  static constexpr std::size_t size = sizeof(T);

  [[gnu::always_inline]] static bool decode(const ControlMessage &message, T &value) noexcept {
    const ConstBuffer bytes = message.bytes();
    if (bytes.size() < sizeof value) [[unlikely]]
      return false;
    __builtin_memcpy(static_cast<void *>(&value), bytes.data(), sizeof value);
    return true;
  }
  static std::size_t length(const T &) noexcept { return sizeof(T); }
  static int encode(const T &value, std::byte *to) noexcept {
    __builtin_memcpy(to, &value, sizeof value);
    return 0;
  }
};

template <class T>
struct Payload<stored::NetworkOrder<T>> : Payload<T> {
  static bool decode(const ControlMessage &message, T &value) noexcept {
    if (!Payload<T>::decode(message, value))
      return false;
    value = ordered(value);
    return true;
  }
  static int encode(T value, std::byte *to) noexcept { return Payload<T>::encode(ordered(value), to); }

private:
  static constexpr T ordered(T value) noexcept {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    static_assert(sizeof(T) == 4);
    return __builtin_bswap32(value);
#else
    return value;
#endif
  }
};

/// A 64-bit count. EDOM for a negative one.
template <long long PerSecond>
struct Payload<Duration<PerSecond>> {
  using Value = Duration<PerSecond>;
  using Argument = Value;
  static constexpr std::size_t size = sizeof(std::int64_t);

  static bool decode(const ControlMessage &message, Value &value) noexcept {
    std::int64_t count = 0;
    if (!Payload<std::int64_t>::decode(message, count))
      return false;
    value = Value(count);
    return true;
  }
  static std::size_t length(Value) noexcept { return size; }
  static int encode(Value value, std::byte *to) noexcept {
    return value.count() < 0 ? EDOM : Payload<std::int64_t>::encode(value.count(), to);
  }
};

namespace detail {

template <class Int>
struct SecondsAnd {
  Int seconds;
  Int parts;

  /// Of the time since 1970; the greatest if it is more than that.
  template <long long PerSecond>
  void read(Duration<PerSecond> &time) const noexcept {
    long long count = 0;
    const bool too_long =
        __builtin_mul_overflow(seconds, PerSecond, &count) || __builtin_add_overflow(count, parts, &count);
    time = too_long ? Duration<PerSecond>::max() : Duration<PerSecond>(count);
  }
};

template <class Int, long long PerSecond>
struct TimePayload {
  using Value = Duration<PerSecond>;
  static constexpr std::size_t size = sizeof(SecondsAnd<Int>);

  static bool decode(const ControlMessage &message, Value &value) noexcept {
    SecondsAnd<Int> time;
    if (!Payload<SecondsAnd<Int>>::decode(message, time))
      return false;
    time.read(value);
    return true;
  }
};

} // namespace detail

/// Since 1970.
template <class Int>
struct Payload<stored::TimevalOf<Int>> : detail::TimePayload<Int, 1'000'000> {};
template <class Int>
struct Payload<stored::TimespecOf<Int>> : detail::TimePayload<Int, 1'000'000'000> {};

template <class Int>
struct Payload<stored::TimespecsOf<Int>> {
  using Value = Timestamping;
  using Times = detail::SecondsAnd<Int>[3];
  static constexpr std::size_t size = sizeof(Times);

  static bool decode(const ControlMessage &message, Timestamping &value) noexcept {
    struct {
      Times times;
    } raw;
    if (!Payload<decltype(raw)>::decode(message, raw))
      return false;
    raw.times[0].read(value.software);
    raw.times[1].read(value.transformed);
    raw.times[2].read(value.hardware);
    return true;
  }
};

/// Some sockets tell of no offender, not even that there is none.
template <class Sockaddr>
struct Payload<stored::ErrorOf<Sockaddr>> {
  using Value = ReceivedError;
  static constexpr std::size_t size = sizeof(sock_extended_err) + sizeof(Sockaddr);

  static bool decode(const ControlMessage &message, ReceivedError &value) noexcept;
};

/// EINVAL for an address that is longer.
template <class Sockaddr>
struct Payload<stored::AddressIn<Sockaddr>> {
  using Value = SocketAddress;
  using Argument = SocketAddress;
  static constexpr std::size_t size = sizeof(Sockaddr);

  static bool decode(const ControlMessage &message, SocketAddress &value) noexcept;
  static std::size_t length(const SocketAddress &) noexcept { return size; }
  static int encode(const SocketAddress &value, std::byte *to) noexcept {
    if (value.size() > size)
      return EINVAL;
    __builtin_memcpy(to, value.data(), value.size());
    return 0;
  }
};

/// A view of the bytes in the control buffer.
template <>
struct Payload<ConstBuffer> {
  using Value = ConstBuffer;
  using Argument = ConstBuffer;
  static constexpr std::size_t element = 1;

  static bool decode(const ControlMessage &message, ConstBuffer &value) noexcept {
    value = message.bytes();
    return true;
  }
  static std::size_t length(ConstBuffer value) noexcept { return value.size(); }
  static int encode(ConstBuffer value, std::byte *to) noexcept {
    if (!value.empty())
      __builtin_memcpy(to, value.data(), value.size());
    return 0;
  }
};

/// The same without the NULs at its end.
template <>
struct Payload<stored::Label> {
  using Value = TextView;
  static constexpr std::size_t element = 1;

  static bool decode(const ControlMessage &message, TextView &value) noexcept;
};

/// EINVAL for more than 253.
template <>
struct Payload<stored::Descriptors> {
  using Value = ReceivedDescriptors;
  using Argument = Span<const int>;
  static constexpr std::size_t element = sizeof(int);

  static bool decode(const ControlMessage &message, ReceivedDescriptors &value) noexcept {
    value = ReceivedDescriptors(message);
    return true;
  }
  static std::size_t length(Span<const int> fds) noexcept { // of too many, too much
    return (fds.size() > detail::descriptors_max ? detail::descriptors_max + 1 : fds.size()) * sizeof(int);
  }
  static int encode(Span<const int> fds, std::byte *to) noexcept {
    if (!fds.empty())
      __builtin_memcpy(to, fds.data(), fds.size() * sizeof(int));
    return 0;
  }
};

/// EINVAL for more bytes than an int counts.
template <>
struct Payload<stored::AlgIv> {
  using Argument = ConstBuffer;
  static constexpr std::size_t element = 1;
  static constexpr std::size_t size_of_length = sizeof(std::uint32_t);

  static std::size_t length(ConstBuffer value) noexcept { return size_of_length + value.size(); }
  static int encode(ConstBuffer value, std::byte *to) noexcept {
    if (value.size() > INT_MAX)
      return EINVAL;
    Payload<std::uint32_t>::encode(static_cast<std::uint32_t>(value.size()), to);
    return Payload<ConstBuffer>::encode(value, to + size_of_length);
  }
};

namespace detail {

template <class T>
concept FixedPayload = requires { Payload<T>::size; };

// Where time_t has 64 bits but long 32, the C library adds a second message to one of the kernel's old timestamps.
template <class T>
inline constexpr std::size_t copies = 1;
template <class Int>
inline constexpr std::size_t copies<stored::TimevalOf<Int>> = sizeof(long) < sizeof(time_t) ? 2 : 1;
template <class Int>
inline constexpr std::size_t copies<stored::TimespecOf<Int>> = sizeof(long) < sizeof(time_t) ? 2 : 1;
template <class Int>
inline constexpr std::size_t copies<stored::TimespecsOf<Int>> = sizeof(long) < sizeof(time_t) ? 2 : 1;

template <class T>
inline constexpr std::size_t prefix = 0;
template <>
inline constexpr std::size_t prefix<stored::AlgIv> = Payload<stored::AlgIv>::size_of_length;

} // namespace detail

/// CMSG_SPACE(3): the room that a message of that kind takes. An argument of ControlBuffer.
template <class T, Direction D>
  requires detail::FixedPayload<T>
[[nodiscard]] constexpr ControlSpace control_space(const ControlKind<T, D> &) noexcept {
  return detail::copies<T> * (detail::control_header + detail::control_align(Payload<T>::size));
}

/// The same of a kind with any number of elements: descriptors, bytes. The kernel fills what there is: in the room
/// for one descriptor it may put two.
template <class T, Direction D>
  requires(!detail::FixedPayload<T>)
[[nodiscard]] constexpr ControlSpace control_space(const ControlKind<T, D> &kind, std::size_t count) noexcept {
  // A count that was negative: no array is so large, so that it does not compile.
  if (count > PTRDIFF_MAX / Payload<T>::element)
    return SIZE_MAX / 4 * 3;
  ControlSpace space =
      detail::control_align(detail::control_header + detail::prefix<T> + count * Payload<T>::element);
  if (std::is_same_v<T, stored::Descriptors> && !detail::carries_descriptors(kind.level, kind.type)) {
    space.descriptors[0] = {kind.level, kind.type};
    space.descriptor_kinds = 1;
  }
  return space;
}

// namespace cmsg::ip { inline constexpr ControlKind<int, Direction::both> ttl{IPPROTO_IP, IP_TTL, "IP_TTL"}; } …
#define CONTROL(ns, identifier, level_, constant, number, direction, ...)                                            \
  namespace cmsg::ns {                                                                                               \
  using namespace ::baresock::stored;                                                                                \
  inline constexpr ControlKind<__VA_ARGS__, Direction::direction> identifier{::baresock::detail::level::level_,      \
                                                                             number, #constant};                     \
  }
#include <baresock/controls.def>

/// SCM_RIGHTS, unix(7): sends `data` and with its first byte the descriptors, which stay the caller's; how much of
/// the data was taken. One sendmsg(2). EINVAL for more than 253 descriptors, and on a stream for descriptors without
/// data. A stream does not keep the bytes of two sends apart, so the receiver has to know what descriptors to expect
/// with what.
[[nodiscard]] Result<std::size_t> send_fds(const Socket &socket, ConstBuffer data, Span<const int> fds,
                                           int flags = 0) noexcept;
[[nodiscard]] inline Result<std::size_t> send_fds(const Socket &socket, ConstBuffer data,
                                                  std::initializer_list<int> fds, int flags = 0) noexcept {
  return send_fds(socket, data, Span<const int>(fds.begin(), fds.size()), flags);
}

/// What recv_fds() received.
struct ReceivedFds : Received {
  std::size_t fds = 0;            // how many descriptors
  bool control_truncated = false; // there were more, or some could not be installed: they are closed
};

/// Receives at most `data` and `fds` into both. One recvmsg(2). What `fds` held before is closed.
[[nodiscard]] Result<ReceivedFds> recv_fds(const Socket &socket, MutableBuffer data, Span<FileDescriptor> fds,
                                           int flags = 0) noexcept;

} // namespace baresock
