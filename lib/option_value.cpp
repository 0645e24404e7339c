// SPDX-License-Identifier: MIT

#include <baresock/detail/call.hpp>
#include <baresock/option_value.hpp>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace baresock {

namespace {

constexpr std::size_t longest_name = 47; // longer than any field's

} // namespace

/// A name and a value of a record; of a list, only a value.
struct OptionValue::Entry {
  Text<longest_name + 1> name;
  OptionValue value;
};

namespace {

std::unexpected<Error> refused(int code) noexcept {
  return std::unexpected(detail::fail(Operation::option_value, code));
}

/// Writes what fits and counts all.
class Writer {
public:
  explicit Writer(MutableBuffer out) noexcept : out_(out) {}

  void put(TextView text) noexcept {
    if (size_ + text.size() <= out_.size() && !text.empty())
      std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  template <class Integer>
  void put_number(Integer number, int base = 10) noexcept {
    char digits[24];
    auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    put({digits, static_cast<std::size_t>(end - digits)});
  }
  void put_byte(unsigned byte) noexcept {
    const char digits[] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    put({digits, 2});
  }
  void put_bytes(ConstBuffer bytes) noexcept {
    put("0x");
    for (std::byte byte : bytes)
      put_byte(static_cast<unsigned>(byte));
  }
  /// As in C, since it may contain anything.
  void put_text(TextView text) noexcept {
    put("\"");
    for (char character : text) {
      const auto byte = static_cast<unsigned char>(character);
      if (byte == '"' || byte == '\\') {
        put("\\");
        put({&character, 1});
      } else if (byte < 0x20 || byte >= 0x7f) {
        put("\\x");
        put_byte(byte);
      } else {
        put({&character, 1});
      }
    }
    put("\"");
  }
  /// In the largest unit in which it is whole.
  void put_duration(long long count) noexcept {
    const struct {
      long long size;
      const char *name;
    } units[] = {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1000, "us"}, {1, "ns"}};
    for (const auto &unit : units)
      if (count % unit.size == 0) {
        put_number(count / unit.size);
        return put(unit.name);
      }
  }
  void print(const OptionValue &value) noexcept {
    using Kind = OptionValue::Kind;
    switch (value.kind()) {
    case Kind::none:
      return put("none");
    case Kind::failed:
      return put("out of memory");
    case Kind::boolean:
      return put(*value.boolean() ? "true" : "false");
    case Kind::integer:
      if (value.negative())
        return put_number(*value.integer());
      return put_number(*value.unsigned_integer());
    case Kind::duration:
      return put_duration(value.duration()->count());
    case Kind::text:
      return put_text(*value.text());
    case Kind::bytes:
      return put_bytes(*value.bytes());
    case Kind::address:
      return put(value.address()->text());
    case Kind::descriptor:
      return put("descriptor");
    case Kind::record:
    case Kind::list:
      break;
    }
    const bool record = value.kind() == Kind::record;
    put(record ? "{" : "[");
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0)
        put(", ");
      if (record) {
        put(value.name(i));
        put("=");
      }
      print(value[i]);
    }
    put(record ? "}" : "]");
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
  MutableBuffer out_;
  std::size_t size_ = 0;
};

} // namespace

OptionValue::OptionValue(Kind kind, ConstBuffer bytes) noexcept : OptionValue(Kind::failed) {
  if (bytes.size() >= UINT32_MAX)
    return;
  auto memory = BARESOCK_CALL(void *, malloc, bytes.size() + 1);
  if (!memory)
    return;
  if (!bytes.empty())
    std::memcpy(*memory, bytes.data(), bytes.size());
  static_cast<char *>(*memory)[bytes.size()] = '\0';
  data_ = *memory;
  size_ = static_cast<std::uint32_t>(bytes.size());
  kind_ = kind;
}

OptionValue::OptionValue(const SocketAddress &value) noexcept
    : OptionValue(Kind::address, ConstBuffer(&value, sizeof value)) {}

OptionValue::OptionValue(FileDescriptor value) noexcept
    : number_(static_cast<std::uint64_t>(value.release())), kind_(Kind::descriptor) {}

OptionValue OptionValue::bytes(ConstBuffer value) noexcept { return OptionValue(Kind::bytes, value); }

void OptionValue::swap(OptionValue &other) noexcept {
  // Whatever of the union is in use, these are its bytes.
  static_assert(sizeof number_ >= sizeof data_);
  std::swap(number_, other.number_);
  std::swap(size_, other.size_);
  std::swap(negative_, other.negative_);
  std::swap(kind_, other.kind_);
}

void OptionValue::drop() noexcept {
  switch (kind_) {
  case Kind::text:
  case Kind::bytes:
  case Kind::address:
    return std::free(data_);
  case Kind::descriptor:
    (void)FileDescriptor(static_cast<int>(number_));
    return;
  case Kind::record:
  case Kind::list:
    for (std::size_t i = 0; i < size_; ++i)
      entries()[i].~Entry();
    return std::free(data_);
  default:
    return;
  }
}

Result<bool> OptionValue::boolean() const noexcept {
  if (kind_ != Kind::boolean && kind_ != Kind::integer)
    return refused(kind_ == Kind::failed ? ENOMEM : EINVAL);
  return number_ != 0;
}

Result<std::int64_t> OptionValue::integer() const noexcept {
  if (kind_ != Kind::integer)
    return refused(kind_ == Kind::failed ? ENOMEM : EINVAL);
  if (!negative_ && number_ > INT64_MAX)
    return refused(ERANGE);
  return static_cast<std::int64_t>(number_);
}

Result<std::uint64_t> OptionValue::unsigned_integer() const noexcept {
  if (kind_ != Kind::integer)
    return refused(kind_ == Kind::failed ? ENOMEM : EINVAL);
  if (negative_)
    return refused(ERANGE);
  return number_;
}

Result<Nanoseconds> OptionValue::duration() const noexcept {
  if (kind_ != Kind::duration)
    return refused(kind_ == Kind::failed ? ENOMEM : EINVAL);
  return Nanoseconds(static_cast<long long>(number_));
}

Result<TextView> OptionValue::text() const noexcept {
  if (kind_ != Kind::text)
    return refused(kind_ == Kind::failed ? ENOMEM : EINVAL);
  return TextView(static_cast<const char *>(data_), size_);
}

Result<ConstBuffer> OptionValue::bytes() const noexcept {
  if (kind_ != Kind::text && kind_ != Kind::bytes)
    return refused(kind_ == Kind::failed ? ENOMEM : EINVAL);
  return ConstBuffer(data_, size_);
}

Result<SocketAddress> OptionValue::address() const noexcept {
  if (kind_ == Kind::text)
    return SocketAddress::parse(*text());
  if (kind_ != Kind::address)
    return refused(kind_ == Kind::failed ? ENOMEM : EINVAL);
  SocketAddress address;
  std::memcpy(static_cast<void *>(&address), data_, sizeof address);
  return address;
}

Result<FileDescriptor> OptionValue::take_descriptor() noexcept {
  if (kind_ != Kind::descriptor)
    return refused(kind_ == Kind::failed ? ENOMEM : EINVAL);
  kind_ = Kind::none;
  return FileDescriptor(static_cast<int>(number_));
}

OptionValue::Entry *OptionValue::entries() const noexcept { return static_cast<Entry *>(data_); }

std::size_t OptionValue::size() const noexcept { return kind_ == Kind::record || kind_ == Kind::list ? size_ : 0; }

const OptionValue &OptionValue::operator[](std::size_t index) const noexcept { return entries()[index].value; }

TextView OptionValue::name(std::size_t index) const noexcept { return entries()[index].name; }

const OptionValue *OptionValue::find(TextView name) const noexcept {
  if (kind_ == Kind::record)
    for (std::size_t i = 0; i < size_; ++i)
      if (entries()[i].name == name)
        return &entries()[i].value;
  return nullptr;
}

OptionValue::Entry *OptionValue::grow() noexcept {
  // In powers of two: when that many are there, there is no room for one more.
  if ((size_ & (size_ - 1)) == 0) {
    auto memory = BARESOCK_CALL(void *, malloc, (size_ == 0 ? 1 : std::size_t{size_} * 2) * sizeof(Entry));
    if (!memory) {
      *this = failed();
      return nullptr;
    }
    auto *moved = static_cast<Entry *>(*memory);
    for (std::size_t i = 0; i < size_; ++i) {
      new (moved + i) Entry(std::move(entries()[i]));
      entries()[i].~Entry();
    }
    std::free(data_);
    data_ = moved;
  }
  return new (entries() + size_++) Entry();
}

OptionValue &OptionValue::set(TextView name, OptionValue value) & noexcept {
  if (value.kind_ == Kind::failed || kind_ == Kind::failed) {
    *this = failed();
  } else if (kind_ != Kind::record || name.size() > longest_name) {
    *this = OptionValue();
  } else if (const OptionValue *present = find(name)) {
    *const_cast<OptionValue *>(present) = std::move(value); // ours, and we are not const
  } else if (Entry *entry = grow()) {
    entry->name.append(name);
    entry->value = std::move(value);
  }
  return *this;
}

OptionValue &OptionValue::append(OptionValue value) & noexcept {
  if (value.kind_ == Kind::failed || kind_ == Kind::failed)
    *this = failed();
  else if (kind_ != Kind::list)
    *this = OptionValue();
  else if (Entry *entry = grow())
    entry->value = std::move(value);
  return *this;
}

Result<std::size_t> OptionValue::to_chars(MutableBuffer out) const noexcept {
  Writer writer(out);
  writer.print(*this);
  if (writer.size() > out.size())
    return refused(EOVERFLOW);
  return writer.size();
}

Result<Bytes> OptionValue::printed() const noexcept {
  Writer counter({});
  counter.print(*this);
  auto bytes = Bytes::allocate(counter.size(), false);
  if (!bytes)
    return bytes;
  Writer writer(MutableBuffer(bytes->data(), counter.size()));
  writer.print(*this);
  bytes->received(writer.size(), writer.size());
  return bytes;
}

bool operator==(const OptionValue &a, const OptionValue &b) noexcept {
  using Kind = OptionValue::Kind;
  if (a.kind_ != b.kind_)
    return false;
  switch (a.kind_) {
  case Kind::none:
    return true;
  case Kind::boolean:
  case Kind::integer:
  case Kind::duration:
    return a.number_ == b.number_ && a.negative_ == b.negative_;
  case Kind::text:
  case Kind::bytes:
    return a.size_ == b.size_ && std::memcmp(a.data_, b.data_, a.size_) == 0;
  case Kind::address:
    return *a.address() == *b.address();
  case Kind::record:
  case Kind::list:
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
      if (!(a.name(i) == b.name(i)) || !(a[i] == b[i]))
        return false;
    return a.size_ == b.size_;
  case Kind::descriptor:
  case Kind::failed:
    break;
  }
  return false;
}

} // namespace baresock
