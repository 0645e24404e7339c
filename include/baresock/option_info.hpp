// SPDX-License-Identifier: MIT
/// Options at run time: found by name or number, got and set as OptionValue.
///
///   const OptionInfo *option = find_option("SO_RCVTIMEO");
///   auto value = socket.getsockopt(*option);                            250ms
///   socket.setsockopt(*option, Seconds(1));
///   for (const OptionInfo &each : options()) …
///
/// An Option of your own becomes an OptionInfo by itself: OptionInfo(mine). See baresock_getsockopt(3).

#pragma once

#include <baresock/fields.hpp>
#include <baresock/option.hpp>
#include <baresock/option_value.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace baresock {

/// An option at run time: what Option knows, and how its value becomes an OptionValue. Made of any Option.
struct OptionInfo {
  template <class T, Access A>
  constexpr explicit OptionInfo(const Option<T, A> &option) noexcept;

  const char *name; // "SO_LINGER"; static
  int level;
  int number;
  Access access;
  Sockets sockets;
  const ValueType *value = nullptr;    // what getsockopt gives; null if it cannot be got
  const ValueType *argument = nullptr; // what setsockopt takes; null if it cannot be set
  const ValueType *question = nullptr; // what a query has to ask; null if it is none

private:
  friend class Socket;
  using Get = Result<OptionValue>(const Socket &socket, int level, int number) noexcept;
  using Query = Result<OptionValue>(const Socket &socket, int level, int number,
                                    const OptionValue &question) noexcept;
  using Set = Result<void>(const Socket &socket, int level, int number, const OptionValue &value) noexcept;

  Get *get_ = nullptr; // null: not offered
  Query *query_ = nullptr;
  Set *set_ = nullptr;
};

/// Every option of options.def, by level, and of each level by name. Static.
[[nodiscard]] Span<const OptionInfo> options() noexcept;

/// The option of that name, or null. MCAST_ options have rows at two levels: this gives the one at IPPROTO_IP.
[[nodiscard]] const OptionInfo *find_option(TextView name) noexcept;

/// The option of that level and name or number, or null. Of several with one number (SO_ATTACH_FILTER, SO_GET_FILTER)
/// the first that offers the access, or else the first.
[[nodiscard]] const OptionInfo *find_option(int level, TextView name) noexcept;
[[nodiscard]] const OptionInfo *find_option(int level, int number, Access access = Access::get) noexcept;

namespace detail {

/// Why a value is not of the kind that is wanted.
inline int wrong_kind(const OptionValue &value) noexcept {
  return value.kind() == OptionValue::Kind::failed ? ENOMEM : EINVAL;
}

/// A value that could be allocated.
inline Result<OptionValue> allocated(OptionValue value) noexcept {
  if (value.kind() == OptionValue::Kind::failed)
    return std::unexpected(fail(Operation::option_value, ENOMEM));
  return value;
}

/// How the values of Codec<T> become OptionValues, and how OptionValues become its arguments. This one: where both
/// are objects.
template <class T>
struct Marshal {
  static constexpr ValueType value_type = type_of<typename Codec<T>::Value>;
  static constexpr ValueType argument_type = type_of<typename Codec<T>::Argument>;
  static constexpr ValueType question_type = type_of<typename Codec<T>::Question>;

  template <class Value>
  static OptionValue to_value(const Value &value) noexcept {
    return baresock::to_value(value);
  }
  static Result<OptionValue> query(const Socket &socket, int level, int number,
                                   const OptionValue &question) noexcept {
    typename Codec<T>::Question asked{};
    if (auto written = write(type_of<typename Codec<T>::Question>, question, &asked, true); !written)
      return std::unexpected(written.error());
    auto value = Codec<T>::query(socket, level, number, asked);
    if (!value)
      return std::unexpected(value.error());
    return allocated(Marshal<T>::to_value(*value));
  }
  static Result<void> set(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
    typename Codec<T>::Argument argument{};
    if (auto written = from_value(value, argument); !written)
      return written;
    return Codec<T>::set(socket, level, number, argument);
  }
};

template <>
struct Marshal<Bytes> {
  static constexpr ValueType value_type = {.kind = OptionValue::Kind::bytes, .layout = ValueType::Layout::bytes};
  static constexpr ValueType argument_type = value_type;
  static constexpr ValueType question_type = value_type;

  static OptionValue to_value(const Bytes &value) noexcept { return OptionValue::bytes(value); }
  static Result<OptionValue> query(const Socket &socket, int level, int number,
                                   const OptionValue &question) noexcept {
    auto asked = question.bytes();
    if (!asked)
      return std::unexpected(asked.error());
    auto value = Codec<Bytes>::query(socket, level, number, *asked);
    if (!value)
      return std::unexpected(value.error());
    return allocated(to_value(*value));
  }
  static Result<void> set(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
    auto bytes = value.bytes();
    if (!bytes)
      return std::unexpected(bytes.error());
    // A null pointer: to some options it means more than no bytes do.
    return Codec<Bytes>::set(socket, level, number, bytes->empty() ? ConstBuffer() : *bytes);
  }
};

template <>
struct Marshal<stored::Label> {
  static constexpr ValueType value_type = {.kind = OptionValue::Kind::text, .layout = ValueType::Layout::text};

  static OptionValue to_value(const Bytes &value) noexcept { return value.text(); }
};

template <>
struct Marshal<stored::Name> {
  static constexpr ValueType value_type = type_of<char[16]>;
  static constexpr ValueType argument_type = value_type;

  static OptionValue to_value(const Text<16> &value) noexcept { return value; }
  static Result<void> set(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
    auto text = value.text();
    if (!text)
      return std::unexpected(text.error());
    return Codec<stored::Name>::set(socket, level, number, *text);
  }
};

template <class T>
struct MarshalNothing {
  static constexpr ValueType argument_type = {};

  static Result<void> set(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
    if (value.kind() != OptionValue::Kind::none)
      return std::unexpected(fail(Operation::option_value, wrong_kind(value)));
    return Codec<T>::set(socket, level, number);
  }
};
template <>
struct Marshal<stored::None> : MarshalNothing<stored::None> {};
template <>
struct Marshal<stored::Empty> : MarshalNothing<stored::Empty> {};

template <>
struct Marshal<FileDescriptor> {
  static constexpr ValueType value_type = {.kind = OptionValue::Kind::descriptor,
                                           .layout = ValueType::Layout::descriptor};

  static OptionValue to_value(FileDescriptor &value) noexcept { return OptionValue(std::move(value)); }
};

template <>
struct Marshal<stored::PeeledOff> : Marshal<FileDescriptor> {
  static constexpr ValueType question_type = type_of<std::int32_t>;

  static Result<OptionValue> query(const Socket &socket, int level, int number,
                                   const OptionValue &question) noexcept {
    std::int32_t association = 0;
    if (auto written = from_value(question, association); !written)
      return std::unexpected(written.error());
    auto fd = Codec<stored::PeeledOff>::query(socket, level, number, association);
    if (!fd)
      return std::unexpected(fd.error());
    return OptionValue(std::move(*fd));
  }
};

template <class T>
struct Marshal<Partial<T>> {
  static constexpr ValueType value_type = type_of<T>;
  static constexpr ValueType argument_type = type_of<T>;
  static constexpr ValueType question_type = type_of<T>;

  static OptionValue to_value(const Partial<T> &value) noexcept { return read(type_of<T>, &*value, value.size()); }
  static Result<OptionValue> query(const Socket &socket, int level, int number,
                                   const OptionValue &question) noexcept {
    T asked{};
    if (auto written = write(type_of<T>, question, &asked, true); !written)
      return std::unexpected(written.error());
    auto value = Codec<Partial<T>>::query(socket, level, number, asked);
    if (!value)
      return std::unexpected(value.error());
    return allocated(to_value(*value));
  }
  static Result<void> set(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
    T argument{};
    auto size = write_prefix(type_of<T>, value, &argument);
    if (!size)
      return std::unexpected(size.error());
    return Codec<Partial<T>>::set(socket, level, number, Partial<T>(argument, *size));
  }
};

/// What the kernel writes when the value is set is lost: the value is const.
template <class T>
struct Marshal<stored::InOut<T>> : Marshal<T> {
  static Result<void> set(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
    T argument{};
    if (auto written = from_value(value, argument); !written)
      return written;
    return Codec<stored::InOut<T>>::set(socket, level, number, &argument);
  }
};

/// Elements in a row; the kernel's codec `Of` takes them as a span of T.
template <class T, class Of>
struct MarshalList {
  static constexpr ValueType value_type = {
      .kind = OptionValue::Kind::list, .layout = ValueType::Layout::list, .element = &type_of<T>};
  static constexpr ValueType argument_type = value_type;
  static constexpr ValueType question_type = type_of<T>;

  static OptionValue to_value(const List<T> &value) noexcept {
    return read_list(type_of<T>, ConstBuffer(value.data(), value.size() * sizeof(T)));
  }
  static Result<OptionValue> query(const Socket &socket, int level, int number,
                                   const OptionValue &question) noexcept {
    T asked{};
    if (auto written = write(type_of<T>, question, &asked, true); !written)
      return std::unexpected(written.error());
    auto value = Codec<Of>::query(socket, level, number, asked);
    if (!value)
      return std::unexpected(value.error());
    return allocated(to_value(*value));
  }
  static Result<void> set(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
    auto bytes = write_list(type_of<T>, value);
    if (!bytes)
      return std::unexpected(bytes.error());
    return Codec<Of>::set(socket, level, number, List<T>(std::move(*bytes)));
  }
};
template <>
struct Marshal<stored::AoKeys> : MarshalList<tcp_ao_getsockopt, stored::AoKeys> {};
template <class T>
struct Marshal<stored::Subflows<T>> : MarshalList<T, stored::Subflows<T>> {};
template <class T>
struct Marshal<List<T>> : MarshalList<T, List<T>> {};
template <>
struct Marshal<stored::Filter> : MarshalList<sock_filter, stored::Filter> {};
template <>
struct Marshal<stored::Program> : MarshalList<sock_filter, stored::Program> {};

/// A record of the four members, of which a question has the first two and an answer the others.
template <class Address, class Via>
struct Marshal<SourceFilter<Address, Via>> {
  using Asked = SourceFilter<Address, Via>;

  static constexpr Field fields[4] = {
      {"group", 0, type_of<Address>},
      {"interface", 0, type_of<Via>},
      {"mode", 0, type_of<std::uint32_t>},
      {"sources", 0, Marshal<List<Address>>::value_type},
  };
  static constexpr ValueType record(const Field *first, std::uint32_t count) noexcept {
    return {.kind = OptionValue::Kind::record,
            .layout = ValueType::Layout::none, // not one object
            .fields = first,
            .field_count = count};
  }
  static constexpr ValueType value_type = record(fields + 2, 2);
  static constexpr ValueType argument_type = record(fields, 4);
  static constexpr ValueType question_type = record(fields, 2);

  static Result<OptionValue> query(const Socket &socket, int level, int number,
                                   const OptionValue &question) noexcept {
    Asked asked;
    if (auto written = read_filter(question, asked, question_type); !written)
      return std::unexpected(written.error());
    auto value = Codec<Asked>::query(socket, level, number, asked);
    if (!value)
      return std::unexpected(value.error());
    return allocated(OptionValue::record()
                         .set("mode", value->mode)
                         .set("sources", Marshal<List<Address>>::to_value(value->sources)));
  }
  static Result<void> set(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
    Asked filter;
    if (auto written = read_filter(value, filter, argument_type); !written)
      return written;
    auto bytes = write_list(type_of<Address>, *value.find("sources"));
    if (!bytes)
      return std::unexpected(bytes.error());
    const List<Address> sources(std::move(*bytes));
    filter.sources = sources;
    return Codec<Asked>::set(socket, level, number, filter);
  }

private:
  static Result<void> read_filter(const OptionValue &value, Asked &filter, const ValueType &type) noexcept {
    bool named = value.size() == type.field_count;
    for (std::uint32_t i = 0; i < type.field_count; ++i)
      named = named && value.find(type.fields[i].name) != nullptr;
    if (!named)
      return std::unexpected(fail(Operation::option_value, wrong_kind(value)));
    if (auto written = from_value(*value.find("group"), filter.group); !written)
      return written;
    if (auto written = from_value(*value.find("interface"), filter.interface); !written)
      return written;
    const OptionValue *mode = value.find("mode");
    return mode != nullptr ? from_value(*mode, filter.mode) : Result<void>();
  }
};

template <class Got, class Given>
struct Marshal<stored::GetSet<Got, Given>> {
  static constexpr ValueType value_type = Marshal<Got>::value_type;
  static constexpr ValueType argument_type = Marshal<Given>::argument_type;

  template <class Value>
  static OptionValue to_value(Value &value) noexcept {
    return Marshal<Got>::to_value(value);
  }
  static Result<void> set(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
    return Marshal<Given>::set(socket, level, number, value);
  }
};

template <class T>
Result<OptionValue> get_value(const Socket &socket, int level, int number) noexcept {
  auto value = Codec<T>::get(socket, level, number);
  if (!value)
    return std::unexpected(value.error());
  return allocated(Marshal<T>::to_value(*value));
}

} // namespace detail

template <class T, Access A>
constexpr OptionInfo::OptionInfo(const Option<T, A> &option) noexcept
    : name(option.name), level(option.level), number(option.number), access(A), sockets(option.sockets) {
  if constexpr (can_get(A)) {
    value = &detail::Marshal<T>::value_type;
    get_ = detail::get_value<T>;
  }
  if constexpr (can_query(A)) {
    value = &detail::Marshal<T>::value_type;
    question = &detail::Marshal<T>::question_type;
    query_ = detail::Marshal<T>::query;
  }
  if constexpr (can_set(A)) {
    argument = &detail::Marshal<T>::argument_type;
    set_ = detail::Marshal<T>::set;
  }
}

} // namespace baresock
