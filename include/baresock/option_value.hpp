// SPDX-License-Identifier: MIT
/// OptionValue: a value whose type is known only at run time.
///
///   auto value = socket.getsockopt(SOL_SOCKET, SO_LINGER);              {onoff=true, linger=5s}
///   bool on = *value->find("onoff")->boolean();
///   socket.setsockopt(SOL_SOCKET, SO_LINGER, OptionValue::record().set("onoff", true).set("linger", Seconds(5)));
///
/// See baresock_OptionValue(3).

#pragma once

#include <baresock/address.hpp>
#include <baresock/buffer.hpp>
#include <baresock/descriptor.hpp>
#include <baresock/duration.hpp>
#include <baresock/view.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace baresock {

/// A value of an option, of a field or of an element. Move-only. A text, bytes, address, record or list is allocated;
/// where that fails the value is of the kind failed, and whoever is given it answers ENOMEM. Several threads may
/// read, or one write.
class OptionValue {
public:
  enum class Kind : std::uint8_t {
    none,
    boolean,
    integer,
    duration,
    text,
    bytes,
    address,    // a SocketAddress; an address without a port has port 0
    descriptor, // owned
    record,     // named values
    list,
    failed, // there was no memory for it
  };

  constexpr OptionValue() noexcept : number_(0) {}
  template <class T>
    requires std::is_same_v<T, bool> // lest a pointer should become a bool
  constexpr OptionValue(T value) noexcept : number_(value), kind_(Kind::boolean) {}
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  constexpr OptionValue(T value) noexcept
      : number_(static_cast<std::uint64_t>(value)), negative_(value < T{}), kind_(Kind::integer) {}
  /// To the nanosecond, up to 292 years; rounded up.
  template <class T>
    requires(std::is_convertible_v<const T &, Nanoseconds> && !std::is_arithmetic_v<T>)
  constexpr OptionValue(const T &value) noexcept : OptionValue(static_cast<Nanoseconds>(value).count()) {
    kind_ = Kind::duration;
  }
  /// Copies the text.
  template <class T>
    requires std::is_convertible_v<const T &, TextView>
  OptionValue(const T &value) noexcept : OptionValue(Kind::text, static_cast<TextView>(value)) {}
  OptionValue(const SocketAddress &value) noexcept;
  explicit OptionValue(FileDescriptor value) noexcept;

  /// Copies the bytes.
  [[nodiscard]] static OptionValue bytes(ConstBuffer value) noexcept;
  /// Without fields, without elements: set() and append() add them.
  [[nodiscard]] static OptionValue record() noexcept { return OptionValue(Kind::record); }
  [[nodiscard]] static OptionValue list() noexcept { return OptionValue(Kind::list); }
  [[nodiscard]] static OptionValue failed() noexcept { return OptionValue(Kind::failed); }

  OptionValue(OptionValue &&other) noexcept : OptionValue() { swap(other); }
  OptionValue &operator=(OptionValue &&other) noexcept {
    OptionValue(std::move(other)).swap(*this);
    return *this;
  }
  ~OptionValue() {
    if (kind_ >= Kind::text)
      drop();
  }
  void swap(OptionValue &other) noexcept;

  [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }
  /// Of an integer or a duration: is it less than zero?
  [[nodiscard]] constexpr bool negative() const noexcept { return negative_ != 0; }

  // The value, of the kind that the name says; EINVAL if it is of another one, of a number ERANGE if it does not fit.

  /// Of an integer, too: is it not zero?
  [[nodiscard]] Result<bool> boolean() const noexcept;
  [[nodiscard]] Result<std::int64_t> integer() const noexcept;
  [[nodiscard]] Result<std::uint64_t> unsigned_integer() const noexcept;
  [[nodiscard]] Result<Nanoseconds> duration() const noexcept;
  /// Valid as long as this value. NUL-terminated.
  [[nodiscard]] Result<TextView> text() const noexcept;
  /// Of a text, too. Valid as long as this value.
  [[nodiscard]] Result<ConstBuffer> bytes() const noexcept;
  /// Of a text, too: SocketAddress::parse().
  [[nodiscard]] Result<SocketAddress> address() const noexcept;
  /// Gives the descriptor up; the value becomes none.
  [[nodiscard]] Result<FileDescriptor> take_descriptor() noexcept;

  /// Of a record or a list, how many values there are in it; otherwise 0.
  [[nodiscard]] std::size_t size() const noexcept;
  /// The values of a record or list, in order. `index` < size().
  [[nodiscard]] const OptionValue &operator[](std::size_t index) const noexcept;
  /// The names of a record's values, in the same order. NUL-terminated, valid as long as this value.
  [[nodiscard]] TextView name(std::size_t index) const noexcept;
  /// The value of that name in a record, or null.
  [[nodiscard]] const OptionValue *find(TextView name) const noexcept;

  /// Adds a value to a record, or replaces the one of that name; to a list. What is neither, and what is given a name
  /// of over 47 bytes, becomes none; what is given a failed value, failed.
  OptionValue &set(TextView name, OptionValue value) & noexcept;
  OptionValue &append(OptionValue value) & noexcept;
  OptionValue set(TextView name, OptionValue value) && noexcept { return std::move(set(name, std::move(value))); }
  OptionValue append(OptionValue value) && noexcept { return std::move(append(std::move(value))); }

  /// "{onoff=true, linger=5s}": for people. Of `out`, the number of characters written; EOVERFLOW if it is too short.
  [[nodiscard]] Result<std::size_t> to_chars(MutableBuffer out) const noexcept;
  /// The same, allocated; ENOMEM.
  [[nodiscard]] Result<Bytes> printed() const noexcept;

  /// Of the same kind, with the same values and names in the same order. Descriptors are never equal.
  friend bool operator==(const OptionValue &a, const OptionValue &b) noexcept;

private:
  struct Entry;

  constexpr explicit OptionValue(Kind kind) noexcept : number_(0), kind_(kind) {}
  OptionValue(Kind kind, ConstBuffer bytes) noexcept;
  OptionValue(Kind kind, TextView text) noexcept : OptionValue(kind, ConstBuffer(text.data(), text.size())) {}
  [[nodiscard]] Entry *entries() const noexcept;
  Entry *grow() noexcept;
  void drop() noexcept;

  union {
    std::uint64_t number_; // boolean, integer, duration, descriptor
    void *data_;           // text, bytes, address, record, list
  };
  std::uint32_t size_ = 0;
  bool negative_ = false; // of an integer or duration: number_ is two's complement
  Kind kind_ = Kind::none;
};

} // namespace baresock
