// SPDX-License-Identifier: MIT
/// Control messages at run time: found by name or number, read and appended as OptionValue.
///
///   for (ControlMessage each : control) {
///     const ControlInfo kind = control_info(each.level(), each.type());  bytes, if nobody knows it
///     auto value = kind.value(each);                                     {ifindex=1, spec_dst=127.0.0.1, …}
///   }
///   find_control("IP_TTL")->append(control, 64);
///
/// A ControlKind of your own becomes a ControlInfo by itself: ControlInfo(mine). See baresock_control(3).

#pragma once

#include <baresock/control.hpp>
#include <baresock/fields.hpp>
#include <baresock/option_info.hpp>
#include <baresock/option_value.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace baresock {

/// A kind of control message at run time: what ControlKind knows, and how its value becomes an OptionValue. Made of
/// any ControlKind.
struct ControlInfo {
  template <class T, Direction D>
  constexpr explicit ControlInfo(const ControlKind<T, D> &kind) noexcept;

  const char *name; // "IP_TTL"; static
  int level;
  int type;
  Direction direction;
  const ValueType *received = nullptr; // the type of value(); null if the kind is only sent
  const ValueType *sent = nullptr;     // what append() takes; null if it is only received

  /// The value of a message of this kind; ENOMSG if it is of another one, otherwise as ControlMessage::as().
  /// Descriptors become a list of them, taken from the buffer. Allocates; ENOMEM.
  [[nodiscard]] Result<OptionValue> value(const ControlMessage &message) const noexcept;

  /// Adds such a message. Of a value of the wrong kind, an Error of Operation::option_value: EINVAL, ERANGE …;
  /// otherwise as Control::append(). Descriptors are a list of integers; they stay the caller's. EINVAL for a kind
  /// that is only received.
  [[nodiscard]] Result<void> append(Control &control, const OptionValue &value) const noexcept;

private:
  using Value = Result<OptionValue>(const ControlMessage &message, int level, int type) noexcept;
  using Append = Result<void>(Control &control, int level, int type, const OptionValue &value) noexcept;

  Value *value_ = nullptr;
  Append *append_ = nullptr;
};

/// Every kind of controls.def, by level, and of each level by constant. Static.
[[nodiscard]] Span<const ControlInfo> controls() noexcept;

/// The kind of that name, or null. SCM_SECURITY has rows at two levels: this gives the one at SOL_SOCKET.
[[nodiscard]] const ControlInfo *find_control(TextView name) noexcept;

/// The kind of that level and number, or null. Of several (levels 0 are IPPROTO_IP and others) the first that goes
/// that way.
[[nodiscard]] const ControlInfo *find_control(int level, int type, Direction direction = Direction::receive) noexcept;

/// The same; of a kind that is not there, one whose value is bytes.
[[nodiscard]] ControlInfo control_info(int level, int type, Direction direction = Direction::receive) noexcept;

template <>
inline constexpr Field fields<Timestamping>[] = {
    BARESOCK_FIELD(Timestamping, software, "software"),
    BARESOCK_FIELD(Timestamping, transformed, "transformed"),
    BARESOCK_FIELD(Timestamping, hardware, "hardware"),
};

template <>
inline constexpr Field fields<ReceivedError>[] = {
    {"errno", offsetof(ReceivedError, error.ee_errno), detail::type<std::uint32_t>()},
    {"origin", offsetof(ReceivedError, error.ee_origin), detail::type<std::uint8_t>()},
    {"type", offsetof(ReceivedError, error.ee_type), detail::type<std::uint8_t>()},
    {"code", offsetof(ReceivedError, error.ee_code), detail::type<std::uint8_t>()},
    {"info", offsetof(ReceivedError, error.ee_info), detail::type<std::uint32_t>()},
    {"data", offsetof(ReceivedError, error.ee_data), detail::type<std::uint32_t>()},
    BARESOCK_FIELD(ReceivedError, offender, "offender"),
};

namespace detail {

/// How the values of Payload<T> become OptionValues, and how OptionValues become its arguments. This one: where both
/// are objects.
template <class T>
struct ControlMarshal {
  template <class P>
  static constexpr ValueType received = type_of<typename P::Value>;
  template <class P>
  static constexpr ValueType sent = type_of<typename P::Argument>;

  template <class Value>
  static OptionValue to_value(const Value &value) noexcept {
    return baresock::to_value(value);
  }
  template <class P>
  static auto argument(const OptionValue &value) noexcept {
    using Argument = typename P::Argument;
    Result<Argument> argument(std::in_place); // the one that is returned: a copy may lose padding
    clear(*argument);
    if (auto written = write(sent<P>, value, &*argument, false); !written)
      argument = std::unexpected(written.error());
    return argument;
  }
};

struct ControlMarshalBytes {
  template <class P>
  static constexpr ValueType received = {.kind = OptionValue::Kind::bytes, .layout = ValueType::Layout::bytes};
  template <class P>
  static constexpr ValueType sent = received<P>;

  static OptionValue to_value(ConstBuffer value) noexcept { return OptionValue::bytes(value); }
  template <class P>
  static Result<ConstBuffer> argument(const OptionValue &value) noexcept {
    return value.bytes();
  }
};
template <>
struct ControlMarshal<ConstBuffer> : ControlMarshalBytes {};
template <>
struct ControlMarshal<stored::AlgIv> : ControlMarshalBytes {};

template <>
struct ControlMarshal<stored::Label> {
  template <class P>
  static constexpr ValueType received = {.kind = OptionValue::Kind::text, .layout = ValueType::Layout::text};

  static OptionValue to_value(TextView value) noexcept { return value; }
};

template <>
struct ControlMarshal<stored::Descriptors> {
  static constexpr ValueType descriptor = {.kind = OptionValue::Kind::descriptor,
                                           .layout = ValueType::Layout::descriptor};
  template <class P>
  static constexpr ValueType received = {
      .kind = OptionValue::Kind::list, .layout = ValueType::Layout::list, .element = &descriptor};
  template <class P>
  static constexpr ValueType sent = {
      .kind = OptionValue::Kind::list, .layout = ValueType::Layout::list, .element = &type_of<int>};

  static OptionValue to_value(const ReceivedDescriptors &value) noexcept;

  struct Held {
    Bytes bytes;
    operator Span<const int>() const noexcept {
      return {reinterpret_cast<const int *>(bytes.data()), bytes.size() / sizeof(int)};
    }
  };
  template <class P>
  static Result<Held> argument(const OptionValue &value) noexcept {
    auto bytes = write_list(type_of<int>, value);
    if (!bytes)
      return std::unexpected(bytes.error());
    return Held{std::move(*bytes)};
  }
};

template <class T>
Result<OptionValue> control_value(const ControlMessage &message, int level, int type) noexcept {
  auto value = message.as(ControlKind<T>{level, type, ""});
  if (!value)
    return std::unexpected(value.error());
  OptionValue marshalled = ControlMarshal<T>::to_value(*value);
  if (marshalled.kind() == OptionValue::Kind::failed)
    return std::unexpected(fail(Operation::option_value, ENOMEM));
  return marshalled;
}

template <class T>
Result<void> append_value(Control &control, int level, int type, const OptionValue &value) noexcept {
  auto argument = ControlMarshal<T>::template argument<Payload<T>>(value);
  if (!argument)
    return std::unexpected(argument.error());
  return control.append(ControlKind<T>{level, type, ""}, static_cast<typename Payload<T>::Argument>(*argument));
}

} // namespace detail

template <class T, Direction D>
constexpr ControlInfo::ControlInfo(const ControlKind<T, D> &kind) noexcept
    : name(kind.name), level(kind.level), type(kind.type), direction(D) {
  if constexpr (can_receive(D)) {
    received = &detail::ControlMarshal<T>::template received<Payload<T>>;
    value_ = detail::control_value<T>;
  }
  if constexpr (can_send(D)) {
    sent = &detail::ControlMarshal<T>::template sent<Payload<T>>;
    append_ = detail::append_value<T>;
  }
}

} // namespace baresock
