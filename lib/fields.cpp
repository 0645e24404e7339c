// SPDX-License-Identifier: MIT

#include <baresock/detail/call.hpp>
#include <baresock/fields.hpp>

#include <arpa/inet.h>
#include <bit>
#include <cstring>
#include <limits>

namespace baresock::detail {

namespace {

using Kind = OptionValue::Kind;
using Layout = ValueType::Layout;

std::unexpected<Error> refused(int code) noexcept { return std::unexpected(fail(Operation::option_value, code)); }

template <class T>
T load(const void *from) noexcept {
  T value;
  std::memcpy(static_cast<void *>(&value), from, sizeof value);
  return value;
}

template <class T>
void store(void *to, const T &value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

std::uint64_t swapped(std::uint64_t number, std::size_t size) noexcept {
  return __builtin_bswap64(number) >> (64 - 8 * size);
}

bool swaps(const ValueType &type) noexcept {
  return type.network_order && std::endian::native == std::endian::little;
}

std::uint64_t load_number(const ValueType &type, const void *from) noexcept {
  std::uint64_t number = 0;
  switch (type.size) {
  case 1:
    number = load<std::uint8_t>(from);
    break;
  case 2:
    number = load<std::uint16_t>(from);
    break;
  case 4:
    number = load<std::uint32_t>(from);
    break;
  default:
    number = load<std::uint64_t>(from);
    break;
  }
  return swaps(type) ? swapped(number, type.size) : number;
}

void store_number(const ValueType &type, std::uint64_t number, void *to) noexcept {
  if (swaps(type))
    number = swapped(number, type.size);
  switch (type.size) {
  case 1:
    return store(to, static_cast<std::uint8_t>(number));
  case 2:
    return store(to, static_cast<std::uint16_t>(number));
  case 4:
    return store(to, static_cast<std::uint32_t>(number));
  default:
    return store(to, number);
  }
}

long long extended(const ValueType &type, std::uint64_t number) noexcept {
  const unsigned unused = 64 - 8 * type.size;
  return static_cast<long long>(number << unused) >> unused;
}

// A bit-field's position, which compilers count from the other end where the other end of a number comes first.
unsigned shift_of(const ValueType &type) noexcept {
  return std::endian::native == std::endian::little ? type.shift : 8U - type.shift - type.width;
}

Result<void> store_integer(const ValueType &type, const OptionValue &value, void *to) noexcept {
  const unsigned bits = type.layout == Layout::bits ? type.width : 8 * type.size;
  std::uint64_t number = 0;
  if (type.is_signed) {
    auto integer = value.integer();
    if (!integer)
      return std::unexpected(integer.error());
    const long long limit = std::numeric_limits<long long>::max() >> (64 - bits);
    if (*integer > limit || *integer < -limit - 1)
      return refused(ERANGE);
    number = static_cast<std::uint64_t>(*integer);
  } else {
    auto integer = value.unsigned_integer();
    if (!integer)
      return std::unexpected(integer.error());
    if (*integer > UINT64_MAX >> (64 - bits))
      return refused(ERANGE);
    number = *integer;
  }
  if (type.layout == Layout::bits) {
    const std::uint64_t mask = (UINT64_C(1) << bits) - 1;
    number = (load_number(type, to) & ~(mask << shift_of(type))) | number << shift_of(type);
  }
  store_number(type, number, to);
  return {};
}

Result<void> store_count(const ValueType &type, const OptionValue &value, void *to) noexcept {
  auto duration = value.duration();
  if (!duration)
    return std::unexpected(duration.error());
  const long long nanoseconds = duration->count();
  const long long unit = 1'000'000'000 / type.per_second;
  const long long count = nanoseconds / unit + (nanoseconds % unit > 0);
  // One bit less where the number has a sign; a negative duration is none.
  const unsigned bits = 8 * type.size - (type.is_signed ? 1 : 0);
  if (nanoseconds < 0 || *duration == Nanoseconds::max() ||
      (bits < 64 && static_cast<std::uint64_t>(count) >> bits != 0))
    return refused(EDOM);
  store_number(type, static_cast<std::uint64_t>(count), to);
  return {};
}

Result<void> store_text(const ValueType &type, const OptionValue &value, void *to) noexcept {
  auto text = value.text();
  if (!text)
    return std::unexpected(text.error());
  if (length(text->data(), text->size()) != text->size())
    return refused(EINVAL);
  if (text->size() >= type.size)
    return refused(ENAMETOOLONG);
  std::memset(to, 0, type.size);
  std::memcpy(to, text->data(), text->size());
  return {};
}

Result<void> store_bytes(const ValueType &type, const OptionValue &value, void *to) noexcept {
  auto bytes = value.bytes();
  if (!bytes)
    return std::unexpected(bytes.error());
  if (bytes->size() > type.size)
    return refused(ENAMETOOLONG);
  std::memset(to, 0, type.size);
  if (!bytes->empty())
    std::memcpy(to, bytes->data(), bytes->size());
  return {};
}

Result<void> store_interface(const ValueType &type, const OptionValue &value, void *to) noexcept {
  if (value.kind() != Kind::text)
    return store_integer(type, value, to);
  auto interface = Interface::from_name(*value.text());
  if (!interface)
    return std::unexpected(interface.error());
  store_number(type, interface->index(), to);
  return {};
}

Result<void> store_address(const ValueType &type, const OptionValue &value, void *to) noexcept {
  auto address = value.address();
  if (!address)
    return std::unexpected(address.error());
  if (type.layout == Layout::socket_address) {
    store(to, *address);
  } else if (type.layout == Layout::sockaddr) {
    if (address->size() > type.size)
      return refused(EINVAL);
    std::memset(to, 0, type.size);
    std::memcpy(to, address->data(), address->size());
  } else if (type.layout == Layout::in_addr) {
    auto inet = address->get<Inet4Address>();
    if (!inet || inet->port != 0)
      return refused(EINVAL);
    store(to, in_addr{htonl(inet->address)});
  } else {
    auto inet = address->get<Inet6Address>();
    if (!inet || inet->port != 0 || inet->scope_id != 0)
      return refused(EINVAL);
    store(to, inet->address);
  }
  return {};
}

Result<void> store_record(const ValueType &type, const OptionValue &value, void *to, bool partial) noexcept {
  if (value.kind() != Kind::record)
    return refused(value.kind() == Kind::failed ? ENOMEM : EINVAL);
  std::size_t named = 0;
  for (std::uint32_t i = 0; i < type.field_count; ++i) {
    const Field &field = type.fields[i];
    const OptionValue *given = value.find(field.name);
    if (given == nullptr) {
      if (partial)
        continue;
      return refused(EINVAL);
    }
    ++named;
    if (auto written = write(field.type, *given, static_cast<char *>(to) + field.offset, partial); !written)
      return written;
  }
  return named == value.size() ? Result<void>() : refused(EINVAL);
}

Result<void> store_list(const ValueType &type, const OptionValue &value, void *to, bool partial) noexcept {
  const std::size_t count = type.size / type.element->size;
  if (value.kind() != Kind::list || value.size() != count)
    return refused(value.kind() == Kind::failed ? ENOMEM : EINVAL);
  for (std::size_t i = 0; i < count; ++i)
    if (auto written = write(*type.element, value[i], static_cast<char *>(to) + i * type.element->size, partial);
        !written)
      return written;
  return {};
}

OptionValue read_count(const ValueType &type, const void *object) noexcept {
  const std::uint64_t number = load_number(type, object);
  const long long unit = 1'000'000'000 / type.per_second;
  long long count = type.is_signed ? extended(type, number) : static_cast<long long>(number);
  if ((!type.is_signed && count < 0) || __builtin_mul_overflow(count, unit, &count))
    return Nanoseconds::max();
  return Nanoseconds(count);
}

} // namespace

OptionValue read(const ValueType &type, const void *object, std::size_t size) noexcept {
  switch (type.layout) {
  case Layout::boolean:
    return load_number(type, object) != 0;
  case Layout::integer:
    if (type.is_signed)
      return extended(type, load_number(type, object));
    return load_number(type, object);
  case Layout::bits:
    return load_number(type, object) >> shift_of(type) & ((1U << type.width) - 1);
  case Layout::count:
    return read_count(type, object);
  case Layout::interface:
  case Layout::pointer:
    return load_number(type, object);
  case Layout::in_addr:
    return SocketAddress(Inet4Address{ntohl(load<in_addr>(object).s_addr)});
  case Layout::in6_addr:
    return SocketAddress(Inet6Address{load<in6_addr>(object)});
  case Layout::sockaddr: {
    auto address = SocketAddress::from_bytes({object, type.size});
    return address && address->family() != AF_UNSPEC ? *address : SocketAddress();
  }
  case Layout::socket_address:
    return load<SocketAddress>(object);
  case Layout::text: {
    const auto *text = static_cast<const char *>(object);
    return TextView(text, length(text, type.size));
  }
  case Layout::bytes:
    return OptionValue::bytes({object, type.size});
  case Layout::record: {
    OptionValue record = OptionValue::record();
    for (std::uint32_t i = 0; i < type.field_count; ++i) {
      const Field &field = type.fields[i];
      if (field.offset + field.type.size <= size)
        record.set(field.name, read(field.type, static_cast<const char *>(object) + field.offset, field.type.size));
    }
    return record;
  }
  case Layout::list:
    return read_list(*type.element, {object, size < type.size ? size : type.size});
  case Layout::descriptor:
  case Layout::none:
    break;
  }
  return {};
}

OptionValue read_list(const ValueType &element, ConstBuffer bytes) noexcept {
  OptionValue list = OptionValue::list();
  for (std::size_t at = 0; at + element.size <= bytes.size(); at += element.size)
    list.append(read(element, bytes.data() + at, element.size));
  return list;
}

Result<void> write(const ValueType &type, const OptionValue &value, void *object, bool partial) noexcept {
  switch (type.layout) {
  case Layout::boolean: {
    auto boolean = value.boolean();
    if (!boolean)
      return std::unexpected(boolean.error());
    store_number(type, *boolean, object);
    return {};
  }
  case Layout::integer:
  case Layout::bits:
    return store_integer(type, value, object);
  case Layout::count:
    return store_count(type, value, object);
  case Layout::interface:
    return store_interface(type, value, object);
  case Layout::pointer:
    return value == OptionValue(0) ? store_integer(type, value, object) : refused(EINVAL);
  case Layout::in_addr:
  case Layout::in6_addr:
  case Layout::sockaddr:
  case Layout::socket_address:
    return store_address(type, value, object);
  case Layout::text:
    return store_text(type, value, object);
  case Layout::bytes:
    return store_bytes(type, value, object);
  case Layout::record:
    return store_record(type, value, object, partial);
  case Layout::list:
    return store_list(type, value, object, partial);
  case Layout::descriptor:
  case Layout::none:
    break;
  }
  return refused(EINVAL);
}

Result<std::size_t> write_prefix(const ValueType &type, const OptionValue &value, void *object) noexcept {
  std::uint32_t given = 0;
  while (given < type.field_count && value.find(type.fields[given].name) != nullptr)
    ++given;
  if (given == 0)
    return refused(value.kind() == Kind::failed ? ENOMEM : EINVAL);
  ValueType prefix = type;
  prefix.field_count = given;
  if (auto written = write(prefix, value, object, false); !written)
    return std::unexpected(written.error());
  return given < type.field_count ? type.fields[given].offset : type.size;
}

Result<Bytes> write_list(const ValueType &element, const OptionValue &value) noexcept {
  if (value.kind() != Kind::list)
    return refused(value.kind() == Kind::failed ? ENOMEM : EINVAL);
  auto bytes = Bytes::zeros(value.size() * element.size);
  if (!bytes)
    return bytes;
  for (std::size_t i = 0; i < value.size(); ++i)
    if (auto written = write(element, value[i], bytes->data() + i * element.size, false); !written)
      return std::unexpected(written.error());
  return bytes;
}

} // namespace baresock::detail
