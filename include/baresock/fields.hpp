// SPDX-License-Identifier: MIT
/// The named fields of structs: a table for each, which makes a record of it, and it of a record.
///
///   OptionValue record = to_value(mreqn);                                {multiaddr=224.0.0.1, …, ifindex=2}
///   for (const Field &field : fields<ip_mreqn>) …                        names, offsets, types
///
/// For the authors of language runtimes: one loop over a record makes a dictionary of any option or control message.
/// See baresock_fields(3).

#pragma once

#include <baresock/address.hpp>
#include <baresock/buffer.hpp>
#include <baresock/duration.hpp>
#include <baresock/option.hpp>
#include <baresock/option_value.hpp>
#include <baresock/structs.hpp>

#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>
#include <type_traits>

namespace baresock {

struct Field;

/// How an object is stored, and what kind of value it is: of an option, a field or an element.
struct ValueType {
  enum class Layout : std::uint8_t {
    boolean,
    integer,
    bits,  // of a byte
    count, // an integer that counts parts of a second
    interface,
    pointer,
    in_addr,
    in6_addr,
    sockaddr, // in a sockaddr_in, sockaddr_in6 or sockaddr_storage
    socket_address,
    text, // characters up to a NUL
    bytes,
    record,
    list,
    descriptor,
    none,
  };

  OptionValue::Kind kind = OptionValue::Kind::none;
  Layout layout = Layout::none;
  bool is_signed = false;
  bool network_order = false;
  std::uint8_t shift = 0;        // of bits
  std::uint8_t width = 0;        // of bits
  std::uint32_t size = 0;        // in bytes; 0: any
  long long per_second = 0;      // of count
  const Field *fields = nullptr; // of a record
  std::uint32_t field_count = 0;
  const ValueType *element = nullptr; // of a list
};

/// A member of a struct.
struct Field {
  const char *name;
  std::uint32_t offset;
  ValueType type;
};

/// The fields of a struct: an array of Field, for a struct of your own made of
///   template <> inline constexpr Field baresock::fields<mine>[] = {BARESOCK_FIELD(mine, x, "x"), …};
template <class T>
inline constexpr std::nullptr_t fields = nullptr;

/// A member whose C++ type says what it is.
#define BARESOCK_FIELD(struct_, member, name)                                                                        \
  ::baresock::Field { name, offsetof(struct_, member), ::baresock::detail::type<decltype(struct_::member)>() }
/// A member which is more than its C++ type says: Interface,
/// stored::Flag, stored::Pointer, stored::Count<1000>, stored::NetworkOrder<std::uint16_t>.
#define BARESOCK_FIELD_AS(struct_, member, name, ...)                                                                \
  ::baresock::Field {                                                                                                \
    name, offsetof(struct_, member), ::baresock::detail::type<decltype(struct_::member), __VA_ARGS__>()              \
  }
/// A bit-field: `width` bits after `shift` others, in the byte `offset` bytes after the beginning of the struct.
#define BARESOCK_BITS(name, offset, shift, width)                                                                    \
  ::baresock::Field { name, offset, ::baresock::detail::bits(shift, width) }

namespace detail {

template <class T>
inline constexpr bool is_duration = false;
template <long long PerSecond>
inline constexpr bool is_duration<Duration<PerSecond>> = true;
template <class T>
inline constexpr long long per_second = 0;
template <long long PerSecond>
inline constexpr long long per_second<Duration<PerSecond>> = PerSecond;
template <long long PerSecond>
inline constexpr long long per_second<stored::Count<PerSecond>> = PerSecond;
template <class T>
inline constexpr bool is_network_order = false;
template <class T>
inline constexpr bool is_network_order<stored::NetworkOrder<T>> = true;

template <class T, class As = T>
consteval ValueType type();

template <class T>
inline constexpr ValueType type_of = type<T>();

consteval ValueType bits(unsigned shift, unsigned width) {
  return {.kind = OptionValue::Kind::integer,
          .layout = ValueType::Layout::bits,
          .shift = static_cast<std::uint8_t>(shift),
          .width = static_cast<std::uint8_t>(width),
          .size = 1};
}

template <class T, class As>
consteval ValueType type() {
  using Kind = OptionValue::Kind;
  using Layout = ValueType::Layout;
  static_assert(std::is_trivially_copyable_v<T>, "its bytes are not its value");
  ValueType type{.kind = Kind::bytes, .layout = Layout::bytes, .size = sizeof(T)};
  if constexpr (std::is_same_v<As, bool> || std::is_same_v<As, stored::Flag>) {
    type.kind = Kind::boolean;
    type.layout = Layout::boolean;
  } else if constexpr (per_second<As> != 0) {
    type.kind = Kind::duration;
    type.layout = Layout::count;
    type.is_signed = is_duration<As> || std::is_signed_v<T>;
    type.per_second = per_second<As>;
  } else if constexpr (std::is_same_v<As, Interface>) {
    type.kind = Kind::integer;
    type.layout = Layout::interface;
  } else if constexpr (std::is_same_v<As, stored::Pointer>) {
    type.kind = Kind::integer;
    type.layout = Layout::pointer;
  } else if constexpr (is_network_order<As>) {
    type.kind = Kind::integer;
    type.layout = Layout::integer;
    type.network_order = true;
  } else if constexpr (std::is_integral_v<T>) {
    type.kind = Kind::integer;
    type.layout = Layout::integer;
    type.is_signed = std::is_signed_v<T>;
  } else if constexpr (std::is_same_v<T, ::in_addr>) {
    type.kind = Kind::address;
    type.layout = Layout::in_addr;
  } else if constexpr (std::is_same_v<T, ::in6_addr>) {
    type.kind = Kind::address;
    type.layout = Layout::in6_addr;
  } else if constexpr (std::is_same_v<T, ::sockaddr_storage> || std::is_same_v<T, ::sockaddr_in> ||
                       std::is_same_v<T, ::sockaddr_in6>) {
    type.kind = Kind::address;
    type.layout = Layout::sockaddr;
  } else if constexpr (std::is_same_v<T, SocketAddress>) {
    type.kind = Kind::address;
    type.layout = Layout::socket_address;
  } else if constexpr (std::is_array_v<T>) {
    using Element = std::remove_extent_t<T>;
    if constexpr (std::is_same_v<Element, char>) {
      type.kind = Kind::text;
      type.layout = Layout::text;
    } else if constexpr (!is_byte<Element>) {
      type.kind = Kind::list;
      type.layout = Layout::list;
      type.element = &type_of<Element>;
    }
  } else if constexpr (!std::is_null_pointer_v<std::remove_cv_t<decltype(fields<T>)>>) {
    type.kind = Kind::record;
    type.layout = Layout::record;
    type.fields = fields<T>;
    type.field_count = sizeof fields<T> / sizeof(Field);
  }
  return type;
}

/// The object at `object`, of which only the first `size` bytes count: fields that end beyond are left out.
[[nodiscard]] OptionValue read(const ValueType &type, const void *object, std::size_t size) noexcept;
/// A list of what `bytes` has room for.
[[nodiscard]] OptionValue read_list(const ValueType &element, ConstBuffer bytes) noexcept;

/// Every field has to be named, unless `partial`: the others stay as they are.
[[nodiscard]] Result<void> write(const ValueType &type, const OptionValue &value, void *object,
                                 bool partial) noexcept;
/// The fields of a record up to one from which on they are missing: how many bytes that is.
[[nodiscard]] Result<std::size_t> write_prefix(const ValueType &type, const OptionValue &value,
                                               void *object) noexcept;
/// The elements of a list in a row.
[[nodiscard]] Result<Bytes> write_list(const ValueType &element, const OptionValue &value) noexcept;

} // namespace detail

/// An object as a value: a number, an address, a record of any struct that has fields<>, otherwise its bytes.
template <class T>
[[nodiscard]] OptionValue to_value(const T &object) noexcept {
  return detail::read(detail::type_of<T>, &object, sizeof object);
}

/// And back. EINVAL for a value of the wrong kind, and if a record lacks a field or has one too many; ERANGE for a
/// number that does not fit; ENAMETOOLONG. An interface may be told by its name: if_nametoindex(3). Then `object` is
/// as before.
template <class T>
[[nodiscard]] Result<void> from_value(const OptionValue &value, T &object) noexcept {
  T copy = object;
  auto written = detail::write(detail::type_of<T>, value, &copy, false);
  if (written)
    object = copy;
  return written;
}

} // namespace baresock

#include <baresock/detail/struct_fields.hpp>
