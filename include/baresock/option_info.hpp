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

/// An object of zeros, its padding, too, which goes to the kernel with it.
template <class T>
void clear(T &object) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  __builtin_memset(static_cast<void *>(&object), 0, sizeof object);
}

/// How the values of Codec<T> become OptionValues, and how OptionValues become its arguments and questions, or what
/// converts to them. This one: where all are objects.
template <class T>
struct Marshal {
  static constexpr ValueType value_type = type_of<typename Codec<T>::Value>;
  static constexpr ValueType argument_type = type_of<typename Codec<T>::Argument>;
  static constexpr ValueType question_type = type_of<typename Codec<T>::Question>;

  template <class Value>
  static OptionValue to_value(const Value &value) noexcept {
    return baresock::to_value(value);
  }
  static auto argument(const OptionValue &value) noexcept {
    Result<typename Codec<T>::Argument> argument(std::in_place); // the one that is returned: a copy may lose padding
    clear(*argument);
    if (auto written = write(argument_type, value, &*argument, false); !written)
      argument = std::unexpected(written.error());
    return argument;
  }
  static auto question(const OptionValue &value) noexcept {
    Result<typename Codec<T>::Question> question(std::in_place);
    clear(*question);
    if (auto written = write(question_type, value, &*question, true); !written)
      question = std::unexpected(written.error());
    return question;
  }
};

template <>
struct Marshal<Bytes> {
  static constexpr ValueType value_type = {.kind = OptionValue::Kind::bytes, .layout = ValueType::Layout::bytes};
  static constexpr ValueType argument_type = value_type;
  static constexpr ValueType question_type = value_type;

  static OptionValue to_value(const Bytes &value) noexcept { return OptionValue::bytes(value); }
  static Result<ConstBuffer> argument(const OptionValue &value) noexcept {
    auto bytes = value.bytes();
    if (bytes && bytes->empty())
      return ConstBuffer(); // a null pointer: to some options it means more than no bytes do
    return bytes;
  }
  static Result<ConstBuffer> question(const OptionValue &value) noexcept { return value.bytes(); }
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
  static Result<TextView> argument(const OptionValue &value) noexcept { return value.text(); }
};

struct MarshalNothing {
  static constexpr ValueType argument_type = {};

  static Result<void> argument(const OptionValue &value) noexcept {
    if (value.kind() != OptionValue::Kind::none)
      return std::unexpected(fail(Operation::option_value, wrong_kind(value)));
    return {};
  }
};
template <>
struct Marshal<stored::None> : MarshalNothing {};
template <>
struct Marshal<stored::Empty> : MarshalNothing {};

template <>
struct Marshal<FileDescriptor> {
  static constexpr ValueType value_type = {.kind = OptionValue::Kind::descriptor,
                                           .layout = ValueType::Layout::descriptor};

  static OptionValue to_value(FileDescriptor &value) noexcept { return OptionValue(std::move(value)); }
};

template <>
struct Marshal<stored::PeeledOff> : Marshal<FileDescriptor> {
  static constexpr ValueType question_type = type_of<std::int32_t>;

  static Result<std::int32_t> question(const OptionValue &value) noexcept {
    return Marshal<std::int32_t>::question(value);
  }
};

template <class T>
struct Marshal<Partial<T>> : Marshal<T> {
  static OptionValue to_value(const Partial<T> &value) noexcept { return read(type_of<T>, &*value, value.size()); }
  static Result<Partial<T>> argument(const OptionValue &value) noexcept {
    T argument;
    clear(argument);
    auto size = write_prefix(type_of<T>, value, &argument);
    if (!size)
      return std::unexpected(size.error());
    return Partial<T>(argument, *size);
  }
};

/// What the kernel writes when the value is set is lost: the value is const.
template <class T>
struct Marshal<stored::InOut<T>> : Marshal<T> {
  struct Held {
    T object;
    operator T *() noexcept { return &object; }
  };
  static Result<Held> argument(const OptionValue &value) noexcept {
    Result<Held> held(std::in_place);
    clear(*held);
    if (auto written = write(type_of<T>, value, &held->object, false); !written)
      held = std::unexpected(written.error());
    return held;
  }
};

/// Elements in a row.
template <class T>
struct Marshal<List<T>> {
  static constexpr ValueType value_type = {
      .kind = OptionValue::Kind::list, .layout = ValueType::Layout::list, .element = &type_of<T>};
  static constexpr ValueType argument_type = value_type;
  static constexpr ValueType question_type = type_of<T>;

  static OptionValue to_value(const List<T> &value) noexcept {
    return read_list(type_of<T>, ConstBuffer(value.data(), value.size() * sizeof(T)));
  }
  static Result<List<T>> argument(const OptionValue &value) noexcept {
    auto bytes = write_list(type_of<T>, value);
    if (!bytes)
      return std::unexpected(bytes.error());
    return List<T>(std::move(*bytes));
  }
  static Result<T> question(const OptionValue &value) noexcept { return Marshal<T>::question(value); }
};
template <>
struct Marshal<stored::AoKeys> : Marshal<List<tcp_ao_getsockopt>> {};
template <class T>
struct Marshal<stored::Subflows<T>> : Marshal<List<T>> {};
template <>
struct Marshal<stored::Filter> : Marshal<List<sock_filter>> {};
template <>
struct Marshal<stored::Program> : Marshal<List<sock_filter>> {};

/// A record of the four members, of which a question has the first two and an answer the others.
template <class Address, class Via>
struct Marshal<SourceFilter<Address, Via>> {
  using Filter = SourceFilter<Address, Via>;
  struct Held {
    Filter filter{};
    List<Address> sources; // to which the filter refers
    operator const Filter &() const noexcept { return filter; }
  };

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

  static OptionValue to_value(const Sources<Address> &value) noexcept {
    return OptionValue::record()
        .set("mode", value.mode)
        .set("sources", Marshal<List<Address>>::to_value(value.sources));
  }
  static Result<Held> argument(const OptionValue &value) noexcept {
    auto filter = filter_of(value, argument_type);
    if (!filter)
      return std::unexpected(filter.error());
    if (auto written = from_value(*value.find("mode"), filter->mode); !written)
      return std::unexpected(written.error());
    auto sources = Marshal<List<Address>>::argument(*value.find("sources"));
    if (!sources)
      return std::unexpected(sources.error());
    filter->sources = *sources;
    return Held{*filter, std::move(*sources)};
  }
  static Result<Filter> question(const OptionValue &value) noexcept { return filter_of(value, question_type); }

private:
  static Result<Filter> filter_of(const OptionValue &value, const ValueType &type) noexcept {
    bool named = value.size() == type.field_count;
    for (std::uint32_t i = 0; i < type.field_count; ++i)
      named = named && value.find(type.fields[i].name) != nullptr;
    if (!named)
      return std::unexpected(fail(Operation::option_value, wrong_kind(value)));
    Filter filter{};
    if (auto written = from_value(*value.find("group"), filter.group); !written)
      return std::unexpected(written.error());
    if (auto written = from_value(*value.find("interface"), filter.interface); !written)
      return std::unexpected(written.error());
    return filter;
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
  static auto argument(const OptionValue &value) noexcept { return Marshal<Given>::argument(value); }
};

template <class T, class Value>
Result<OptionValue> marshalled(Result<Value> value) noexcept {
  if (!value)
    return std::unexpected(value.error());
  OptionValue marshalled = Marshal<T>::to_value(*value);
  if (marshalled.kind() == OptionValue::Kind::failed)
    return std::unexpected(fail(Operation::option_value, ENOMEM));
  return marshalled;
}

template <class T>
Result<OptionValue> get_value(const Socket &socket, int level, int number) noexcept {
  return marshalled<T>(Codec<T>::get(socket, level, number));
}

template <class T>
Result<OptionValue> query_value(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
  auto question = Marshal<T>::question(value);
  if (!question)
    return std::unexpected(question.error());
  return marshalled<T>(Codec<T>::query(socket, level, number, *question));
}

template <class T>
Result<void> set_value(const Socket &socket, int level, int number, const OptionValue &value) noexcept {
  auto argument = Marshal<T>::argument(value);
  if (!argument)
    return std::unexpected(argument.error());
  if constexpr (std::is_void_v<typename decltype(argument)::value_type>)
    return Codec<T>::set(socket, level, number);
  else
    return Codec<T>::set(socket, level, number, *argument);
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
    query_ = detail::query_value<T>;
  }
  if constexpr (can_set(A)) {
    argument = &detail::Marshal<T>::argument_type;
    set_ = detail::set_value<T>;
  }
}

} // namespace baresock
