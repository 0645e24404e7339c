// SPDX-License-Identifier: MIT
/// Any bytes as the control data of a message: the messages are within them, every kind is read as its type and as an
/// OptionValue or refused, nothing depends on bytes beyond, and every descriptor is closed once.
/// The program's own recvmsg and close stand in for the C library's.

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

/// What recvmsg() gives, and what close() was given.
struct System {
  bool on = false;
  std::string_view control;
  std::byte beyond{}; // in the buffer after it
  int flags = 0;
  sa_family_t family = AF_UNSPEC;
  std::vector<int> closed;
} fake;

} // namespace

extern "C" ssize_t recvmsg(int fd, msghdr *header, int flags) {
  if (!fake.on)
    return ::syscall(SYS_recvmsg, fd, header, flags);
  require(header->msg_controllen >= fake.control.size());
  std::memset(header->msg_control, static_cast<int>(fake.beyond), header->msg_controllen);
  std::copy(fake.control.begin(), fake.control.end(), static_cast<char *>(header->msg_control));
  header->msg_controllen = fake.control.size();
  header->msg_flags = fake.flags;
  std::memcpy(header->msg_name, &fake.family, sizeof fake.family);
  header->msg_namelen = fake.family == AF_UNSPEC ? 0 : sizeof(sockaddr_storage);
  return 1;
}

extern "C" int close(int fd) {
  if (!fake.on)
    return static_cast<int>(::syscall(SYS_close, fd));
  fake.closed.push_back(fd);
  return 0;
}

namespace {

struct Memory {
  Memory(std::size_t size, std::size_t offset, ControlSpace kinds)
      : space(kinds), bytes(std::make_unique<std::byte[]>(size + offset)), start(bytes.get() + offset) {
    space.size = size;
  }

  ControlSpace space;
  std::unique_ptr<std::byte[]> bytes; // not one more: the sanitizer sees what is beyond
  std::byte *start;
};

class Room : private Memory, public Control {
public:
  Room(std::size_t size, std::size_t offset, const ControlSpace &kinds)
      : Memory(size, offset, kinds), Control(start, space) {}
  ~Room() { clear(); }
};

constexpr ControlKind<stored::Descriptors, Direction::receive> own{SOL_SOCKET, 99, "SCM_OWN"};

/// A message as the rules of cmsg(3) have it, found without the library.
struct Message {
  int level, type;
  std::string_view payload;

  [[nodiscard]] bool is(int of_level, int of_type) const { return level == of_level && type == of_type; }
};

std::vector<Message> messages_in(std::string_view control) {
  std::vector<Message> messages;
  while (control.size() >= sizeof(cmsghdr)) {
    cmsghdr header;
    std::memcpy(&header, control.data(), sizeof header);
    if (header.cmsg_len < sizeof header)
      break;
    const std::size_t length = std::min<std::size_t>(header.cmsg_len, control.size());
    messages.push_back({header.cmsg_level, header.cmsg_type, control.substr(sizeof header, length - sizeof header)});
    if (control.size() - length < CMSG_ALIGN(length) - length)
      break;
    control.remove_prefix(CMSG_ALIGN(length));
  }
  return messages;
}

/// Those that the buffer has to close.
std::vector<int> descriptors_in(const std::vector<Message> &messages, bool own_kind) {
  std::vector<int> fds;
  for (const Message &message : messages) {
    if (!message.is(SOL_SOCKET, SCM_RIGHTS) && !message.is(SOL_SOCKET, cmsg::scm::pidfd.type) &&
        !(own_kind && message.is(own.level, own.type)))
      continue;
    for (std::size_t i = 0; i + sizeof(int) <= message.payload.size(); i += sizeof(int)) {
      int fd;
      std::memcpy(&fd, message.payload.data() + i, sizeof fd);
      if (fd >= 0)
        fds.push_back(fd);
    }
  }
  return fds;
}

bool within(const Room &control, ConstBuffer bytes) {
  return bytes.data() >= control.data() && bytes.data() + bytes.size() <= control.data() + control.size();
}

/// What a value looks like, to be compared; also that of an error.
template <class T>
std::string seen(const Result<T> &value, const Room &control) {
  if (!value) {
    require(value.error().operation() == Operation::as);
    return value.error().name();
  }
  if constexpr (std::is_same_v<T, ReceivedDescriptors>) {
    std::string text;
    for (std::size_t i = 0; i < value->size(); ++i)
      text += std::to_string((*value)[i]) + ' ';
    return text;
  } else if constexpr (std::is_same_v<T, ConstBuffer>) {
    require(within(control, *value));
    return {reinterpret_cast<const char *>(value->data()), value->size()};
  } else if constexpr (std::is_same_v<T, TextView>) {
    require(within(control, {value->data(), value->size()}));
    require(value->empty() || value->data()[value->size() - 1] != '\0');
    return {value->data(), value->size()};
  } else {
    return to_string(to_value(*value)).c_str();
  }
}

/// Is that a payload that the kind takes?
template <class T>
bool is_enough(std::size_t size, bool truncated) {
  if constexpr (std::is_same_v<T, stored::Error4> || std::is_same_v<T, stored::Error6>)
    return size >= Payload<T>::size || (size == sizeof(sock_extended_err) && !truncated); // without offender
  else if constexpr (requires { Payload<T>::size; })
    return size >= Payload<T>::size;
  else
    return true;
}

template <class T, Direction D>
void read(const ControlKind<T, D> &kind, const ControlMessage &message, const Room &control, std::string &text) {
  if constexpr (can_receive(D)) {
    auto value = message.as(kind);
    if (!message.is(kind)) {
      require(!value && value.error().code() == ENOMSG);
      return;
    }
    require(value.has_value() == is_enough<T>(message.bytes().size(), control.truncated()));
    require(value || value.error().code() == (control.truncated() ? ENOBUFS : EINVAL));
    text += std::string(kind.name) + ": " + seen(value, control) + '\n';
    text += seen(control.get(kind), control) + '\n';
  }
}

/// Everything that can be read.
std::string read_all(Room &control, const std::vector<Message> &expected) {
  std::string text;
  std::size_t count = 0;
  for (ControlMessage message : control) {
    require(count < expected.size());
    const Message &same = expected[count++];
    require(message.level() == same.level && message.type() == same.type);
    require(within(control, message.bytes()));
    require(message.bytes().size() == same.payload.size());
    require(
        std::equal(same.payload.begin(), same.payload.end(), reinterpret_cast<const char *>(message.bytes().data())));
#define CONTROL(ns, identifier, ...) read(cmsg::ns::identifier, message, control, text);
#include <baresock/controls.def>
    read(own, message, control, text);
  }
  require(count == expected.size());
  return text;
}

/// The same at run time, which takes the descriptors. Those that it took stay in `values`.
std::string read_values(Room &control, std::vector<OptionValue> &values) {
  std::string text;
  for (ControlMessage message : control) {
    const ControlInfo kind = control_info(message.level(), message.type());
    auto value = kind.value(message);
    if (!value) {
      require(value.error().code() == (control.truncated() ? ENOBUFS : EINVAL));
      text += value.error().name();
      continue;
    }
    require(kind.received != nullptr && value->kind() == kind.received->kind);
    text += to_string(*value).c_str();
    text += '\n';
    values.push_back(std::move(*value));
  }
  return text;
}

struct Case {
  std::string_view control;
  std::size_t capacity;
  std::size_t offset;
  bool own_kind;
};

void receive(Room &control, const Case &each, std::byte beyond) {
  fake.control = each.control;
  fake.beyond = beyond;
  char room[8];
  const MutableBuffer in[] = {room};
  auto got = SocketRef(0)->recvmsg(in, control);
  require(got.has_value() && got->control_truncated() == control.truncated());
  require(control.size() == each.control.size());
}

void sort(std::vector<int> &fds) { std::sort(fds.begin(), fds.end()); }

void try_case(const Case &each) {
  const std::vector<Message> expected = messages_in(each.control);
  std::vector<int> fds = descriptors_in(expected, each.own_kind);
  const bool owns = (fake.family != AF_INET && fake.family != AF_INET6) || each.own_kind;
  ControlSpace kinds = 0;
  if (each.own_kind)
    kinds = control_space(own, 1);
  sort(fds);
  std::string texts[2];
  for (const std::byte beyond : {std::byte{0x00}, std::byte{0xff}}) {
    std::string &text = texts[beyond != std::byte{}];
    {
      Room control(each.capacity, each.offset, kinds);
      // Read, and closed by the buffer alone.
      receive(control, each, beyond);
      text = read_all(control, expected);
      require(fake.closed.empty());
      control.clear();
      require(control.empty() && control.begin() == control.end());
      std::vector<int> closed = std::move(fake.closed);
      fake.closed.clear();
      sort(closed);
      require(closed == (owns ? fds : std::vector<int>()));
      // Taken, some by the kinds that the rows know and some by the buffer's: each once.
      receive(control, each, beyond);
      std::vector<OptionValue> values;
      text += read_values(control, values);
      (void)read_all(control, messages_in({reinterpret_cast<const char *>(control.data()), control.size()}));
      require(fake.closed.empty());
    }
    std::vector<int> closed = std::move(fake.closed);
    fake.closed.clear();
    sort(closed);
    if (owns)
      require(closed == fds);
    else // what was taken was taken
      require(std::includes(fds.begin(), fds.end(), closed.begin(), closed.end()));
  }
  require(texts[0] == texts[1]);
}

} // namespace

/// A byte each: flags and family; alignment and kind of one's own; room beyond. Then the control data.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
  if (size < 3)
    return 0;
  Case each;
  fake.flags = (data[0] & 1) != 0 ? MSG_CTRUNC : 0;
  const sa_family_t families[] = {AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6};
  fake.family = families[data[0] >> 1 & 3];
  each.offset = data[1] & 7;
  each.own_kind = (data[1] & 8) != 0;
  each.capacity = size - 3 + data[2];
  each.control = {reinterpret_cast<const char *>(data + 3), size - 3};
  fake.on = true;
  try_case(each);
  fake.on = false;
  return 0;
}
