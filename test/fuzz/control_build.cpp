// SPDX-License-Identifier: MIT
/// Any sequence of messages into a buffer of any size, raw, by kind and at run time: what was appended is what is
/// there, what was not leaves the buffer as it was, padding is zero, and the C library's CMSG_ macros find the same
/// messages. Nothing of it is ever closed.

#include "fuzz.hpp"

#include <baresock/baresock.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

using namespace baresock;

namespace {

bool closes_nothing = false;

} // namespace

extern "C" int close(int fd) {
  require(!closes_nothing);
  return static_cast<int>(::syscall(SYS_close, fd));
}

namespace {

/// The input, in pieces; zeros when it is at its end.
class Input {
public:
  Input(const unsigned char *data, std::size_t size) : data_(data), size_(size) {}

  void copy(void *to, std::size_t size) {
    const std::size_t count = std::min(size, size_);
    if (size != 0)
      std::memset(to, 0, size);
    if (count != 0)
      std::memcpy(to, data_, count);
    data_ += count;
    size_ -= count;
  }
  template <class T>
  T take() {
    T value{};
    copy(&value, sizeof value);
    return value;
  }
  std::string bytes() {
    std::string bytes(take<unsigned char>(), '\0');
    copy(bytes.data(), bytes.size());
    return bytes;
  }
  [[nodiscard]] bool done() const { return size_ == 0; }

private:
  const unsigned char *data_;
  std::size_t size_;
};

struct Memory {
  Memory(std::size_t size, std::size_t offset)
      : space(size), bytes(std::make_unique<std::byte[]>(size + offset)), start(bytes.get() + offset) {}

  ControlSpace space;
  std::unique_ptr<std::byte[]> bytes; // not one more: the sanitizer sees what is beyond
  std::byte *start;
};

class Room : private Memory, public Control {
public:
  Room(std::size_t size, std::size_t offset) : Memory(size, offset), Control(start, space) {}
  ~Room() { clear(); }
};

/// What the buffer has to have in it.
struct Model {
  std::string bytes;
  std::size_t messages = 0;
  std::size_t descriptors = 0;
};

void check(const Room &control, const Model &model) {
  require(control.size() == model.bytes.size() && control.size() <= control.capacity());
  require(control.empty() || std::memcmp(control.data(), model.bytes.data(), control.size()) == 0);
  // Whole, for glibc does not see a last message whose padding does not fit.
  std::string whole = model.bytes;
  whole.resize(CMSG_ALIGN(whole.size()));
  msghdr header = {};
  header.msg_control = whole.data();
  header.msg_controllen = whole.size();
  cmsghdr *found = CMSG_FIRSTHDR(&header);
  std::size_t messages = 0;
  for (ControlMessage message : control) {
    require(found != nullptr);
    cmsghdr same;
    std::memcpy(&same, found, sizeof same);
    require(message.level() == same.cmsg_level && message.type() == same.cmsg_type);
    require(CMSG_LEN(message.bytes().size()) == same.cmsg_len);
    require(message.bytes().empty() ||
            std::memcmp(message.bytes().data(), CMSG_DATA(found), message.bytes().size()) == 0);
    found = CMSG_NXTHDR(&header, found);
    ++messages;
  }
  require(found == nullptr && messages == model.messages);
}

/// A message was appended, or refused: as it has to be of that payload?
void account(const Room &control, Model &model, const Result<void> &added, int level, int type,
             std::string_view payload) {
  const std::size_t fds = level == SOL_SOCKET && type == SCM_RIGHTS ? payload.size() / sizeof(int) : 0;
  const bool too_many = fds != 0 && model.descriptors + fds > 253;
  const bool fits = model.bytes.size() + CMSG_LEN(payload.size()) <= control.capacity();
  require(added.has_value() == (!too_many && fits));
  if (!added) {
    require(added.error() == Error(too_many ? EINVAL : ENOBUFS, Operation::append));
    require(last_error() == added.error());
    return;
  }
  cmsghdr header = {};
  header.cmsg_len = CMSG_LEN(payload.size());
  header.cmsg_level = level;
  header.cmsg_type = type;
  model.bytes.append(reinterpret_cast<const char *>(&header), sizeof header);
  model.bytes.append(payload);
  model.bytes.resize(std::min<std::size_t>(CMSG_ALIGN(model.bytes.size()), control.capacity()));
  ++model.messages;
  model.descriptors += fds;
}

/// How the argument of a kind is made of the input, and the payload that it has to become: as they are.
template <class T>
struct Maker {
  T value;
  explicit Maker(Input &in) : value(in.take<T>()) {}
  [[nodiscard]] const T &argument() const { return value; }
  [[nodiscard]] std::string payload() const { return {reinterpret_cast<const char *>(&value), sizeof value}; }
};

template <>
struct Maker<stored::NetworkOrder<std::uint32_t>> : Maker<std::uint32_t> {
  using Maker<std::uint32_t>::Maker;
  [[nodiscard]] std::string payload() const {
    return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
            static_cast<char>(value)};
  }
};

template <>
struct Maker<Nanoseconds> {
  std::int64_t count;
  explicit Maker(Input &in) : count(in.take<std::int64_t>() & INT64_MAX) {}
  [[nodiscard]] Nanoseconds argument() const { return Nanoseconds(count); }
  [[nodiscard]] std::string payload() const { return {reinterpret_cast<const char *>(&count), sizeof count}; }
};

template <>
struct Maker<ConstBuffer> {
  std::string value;
  explicit Maker(Input &in) : value(in.bytes()) {}
  [[nodiscard]] ConstBuffer argument() const { return value; }
  [[nodiscard]] std::string payload() const { return value; }
};

template <>
struct Maker<stored::AlgIv> : Maker<ConstBuffer> {
  using Maker<ConstBuffer>::Maker;
  [[nodiscard]] std::string payload() const {
    const auto length = static_cast<std::uint32_t>(value.size());
    return std::string(reinterpret_cast<const char *>(&length), sizeof length) + value;
  }
};

template <>
struct Maker<stored::Descriptors> {
  std::vector<int> fds;
  explicit Maker(Input &in) : fds(in.take<unsigned char>()) { in.copy(fds.data(), fds.size() * sizeof(int)); }
  [[nodiscard]] Span<const int> argument() const { return fds; }
  [[nodiscard]] std::string payload() const {
    return {reinterpret_cast<const char *>(fds.data()), fds.size() * sizeof(int)};
  }
};

using Append = void (*)(Room &control, Model &model, Input &in);

template <const auto &kind>
struct Typed;
template <class T, Direction D, const ControlKind<T, D> &kind>
struct Typed<kind> {
  static void append(Room &control, Model &model, Input &in) {
    const Maker<T> maker(in);
    const std::string payload = maker.payload();
    auto added = control.append(kind, maker.argument());
    account(control, model, added, kind.level, kind.type, payload);
    if constexpr (D == Direction::both)
      if (added)
        read_back(control, model, payload);
  }

  /// The last one, appended again, is what it was.
  static void read_back(const Room &control, const Model &model, const std::string &payload) {
    std::size_t number = 0;
    for (ControlMessage message : control) {
      if (++number != model.messages)
        continue;
      auto value = message.as(kind);
      require(value.has_value());
      Room other(CMSG_SPACE(payload.size()), 0);
      if constexpr (std::is_same_v<T, stored::Descriptors>) {
        require(value->size() == payload.size() / sizeof(int));
        for (std::size_t i = 0; i < value->size(); ++i)
          require(!value->take(i)); // it is to be sent
        std::vector<int> fds;
        for (std::size_t i = 0; i < value->size(); ++i)
          fds.push_back((*value)[i]);
        require(other.append(kind, fds).has_value());
      } else {
        require(other.append(kind, *value).has_value());
      }
      require(std::equal(other.data() + CMSG_LEN(0), other.data() + CMSG_LEN(payload.size()),
                         reinterpret_cast<const std::byte *>(payload.data())));
    }
  }
};

template <const auto &kind>
constexpr Append append_of() {
  if constexpr (can_send(ControlInfo(kind).direction))
    return Typed<kind>::append;
  else
    return nullptr;
}

constexpr Append all[] = {
#define CONTROL(ns, identifier, ...) append_of<cmsg::ns::identifier>(),
#include <baresock/controls.def>
};

/// A value for that type, or some other one.
OptionValue value_of(const ValueType &type, Input &in, int depth) {
  using Kind = OptionValue::Kind;
  const auto choice = in.take<unsigned char>();
  switch (choice < 0xf0 ? type.kind : static_cast<Kind>(choice % 9)) {
  case Kind::boolean:
    return (choice & 1) != 0;
  case Kind::integer:
    return in.take<std::int64_t>() >> (choice % 64);
  case Kind::duration:
    return Nanoseconds(in.take<std::int64_t>() >> (choice % 64));
  case Kind::text:
    return in.bytes();
  case Kind::bytes:
    return OptionValue::bytes(in.bytes());
  case Kind::address:
    return SocketAddress(Inet4Address{in.take<std::uint32_t>(), in.take<std::uint16_t>()});
  case Kind::record: {
    OptionValue record = OptionValue::record();
    for (std::uint32_t i = 0; i < type.field_count && depth < 4; ++i)
      record.set(type.fields[i].name, value_of(type.fields[i].type, in, depth + 1));
    return record;
  }
  case Kind::list: {
    OptionValue list = OptionValue::list();
    const ValueType element = type.element != nullptr ? *type.element : ValueType{.kind = Kind::integer};
    const std::size_t count =
        type.size != 0 && type.element != nullptr ? type.size / element.size : in.take<unsigned char>();
    for (std::size_t i = 0; i < count && depth < 4; ++i)
      list.append(value_of(element, in, depth + 1));
    return list;
  }
  default:
    return {};
  }
}

/// At run time: the same as the value says when it is read again, or refused without a trace.
void append_value(Room &control, Model &model, Input &in) {
  const ControlInfo &kind = controls()[in.take<unsigned char>() % controls().size()];
  if (kind.sent == nullptr) {
    auto refused = kind.append(control, 1);
    require(!refused && refused.error() == Error(EINVAL, Operation::append));
    return;
  }
  const OptionValue value = value_of(*kind.sent, in, 0);
  auto added = kind.append(control, value);
  if (!added) {
    require(control.size() == model.bytes.size());
    // That it does not fit is so.
    if (added.error() == Error(ENOBUFS, Operation::append)) {
      Room large(1 << 12, 0);
      require(kind.append(large, value).has_value() && large.size() > control.capacity() - control.size());
    }
    return;
  }
  Room alone(control.capacity(), 0);
  require(kind.append(alone, value).has_value());
  const ControlMessage message = *alone.begin();
  account(control, model, added, kind.level, kind.type,
          {reinterpret_cast<const char *>(message.bytes().data()), message.bytes().size()});
  if (kind.received == nullptr || kind.sent->kind == OptionValue::Kind::list)
    return;
  auto again = kind.value(message);
  require(again.has_value() && again->kind() == kind.received->kind);
  Room third(control.capacity(), 0);
  require(kind.append(third, *again).has_value() && third.size() == alone.size());
  require(std::equal(third.data(), third.data() + third.size(), alone.data()));
}

} // namespace

/// Two bytes of capacity, one of alignment. Then messages: a byte that says how.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
  closes_nothing = true;
  Input in(data, size);
  const std::size_t capacity = in.take<std::uint16_t>() % 2100;
  Room control(capacity, in.take<unsigned char>() % 8);
  Model model;
  while (!in.done()) {
    switch (in.take<unsigned char>() % 8) {
    case 0:
      control.clear();
      model = {};
      break;
    case 1:
    case 2: {
      const int level = in.take<signed char>();
      const int type = in.take<signed char>();
      const std::string payload = in.bytes();
      account(control, model, control.append(level, type, payload), level, type, payload);
      break;
    }
    case 3:
    case 4:
      append_value(control, model, in);
      break;
    default:
      if (const Append append = all[in.take<unsigned char>() % std::size(all)])
        append(control, model, in);
    }
    check(control, model);
  }
  closes_nothing = false;
  return 0;
}
