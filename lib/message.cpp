// SPDX-License-Identifier: MIT

#include <baresock/detail/call.hpp>
#include <baresock/message.hpp>

#include <cerrno>
#include <cstring>
#include <type_traits>

namespace baresock {

// The kernel reads arrays of iovec and mmsghdr; ours are arrays of these.
static_assert(sizeof(ConstBuffer) == sizeof(iovec) && std::is_standard_layout_v<ConstBuffer>);
static_assert(sizeof(MutableBuffer) == sizeof(iovec) && std::is_standard_layout_v<MutableBuffer>);
static_assert(sizeof(OutgoingMessage) == sizeof(mmsghdr) && std::is_standard_layout_v<OutgoingMessage>);

static_assert(detail::control_align(1) == CMSG_ALIGN(1) && detail::control_header == CMSG_LEN(0));

namespace {

std::size_t aligned(std::size_t size, std::size_t room) noexcept {
  const std::size_t space = detail::control_align(size);
  return space < room ? space : room;
}

} // namespace

ReceivedDescriptors::ReceivedDescriptors(const ControlMessage &message) noexcept
    : payload_(message.cursor_.at + detail::control_header), size_(message.bytes().size() / sizeof(int)),
      received_(message.received_) {}

FileDescriptor ReceivedDescriptors::take(std::size_t index) const noexcept {
  const int fd = (*this)[index];
  if (!received_ || fd < 0)
    return {};
  const int none = -1;
  std::memcpy(at(index), &none, sizeof none);
  return FileDescriptor(fd);
}

Result<std::byte *> Control::begin_message(int level, int type, std::size_t size) noexcept {
  if (received())
    clear();
  if (level == SOL_SOCKET && type == SCM_RIGHTS) {
    std::size_t count = size / sizeof(int);
    for (ControlMessage message : *this)
      if (message.is(level, type))
        count += message.bytes().size() / sizeof(int);
    if (count > detail::descriptors_max)
      return std::unexpected(detail::fail(Operation::append, EINVAL));
  }
  const std::size_t room = capacity() - size_;
  if (room < detail::control_header || size > room - detail::control_header)
    return std::unexpected(detail::fail(Operation::append, ENOBUFS));
  write_header(level, type, detail::control_header + size);
  return data_ + size_ + detail::control_header;
}

void Control::end_message(std::size_t size, bool done) noexcept {
  const std::size_t space = aligned(detail::control_header + size, capacity() - size_);
  if (done) {
    size_ += space;
    family_ = AF_UNSPEC | outgoing;
  } else {
    std::memset(data_ + size_, 0, space);
  }
}

Result<void> Control::append(int level, int type, ConstBuffer payload) noexcept {
  auto to = begin_message(level, type, payload.size());
  if (!to)
    return std::unexpected(to.error());
  if (!payload.empty())
    std::memcpy(*to, payload.data(), payload.size());
  end_message(payload.size(), true);
  return {};
}

void Control::close_descriptors() noexcept {
  if (!received())
    return;
  for (ControlMessage message : *this) {
    bool carries = detail::carries_descriptors(message.level(), message.type());
    for (std::size_t i = 0; i < space_->descriptor_kinds; ++i)
      carries = carries || message.is(space_->descriptors[i].level, space_->descriptors[i].type);
    if (!carries)
      continue;
    const ReceivedDescriptors descriptors(message);
    for (std::size_t i = 0; i < descriptors.size(); ++i)
      (void)descriptors.take(i);
  }
}

void Control::clear() noexcept {
  if (family_ == clean)
    return;
  drop();
  std::memset(data_, 0, capacity());
  size_ = 0;
  family_ = clean;
}

void Control::recover() noexcept {
  if (family_ == clean) { // what is there now, the call has put there
    size_ = capacity();
    family_ = AF_UNSPEC;
  }
  clear();
}

MutableBuffer MessageInfo::part(std::size_t index) const noexcept {
  std::size_t before = 0;
  for (std::size_t i = 0; i < index; ++i)
    before += parts[i].size();
  const std::size_t rest = before < size ? size - before : 0;
  return {parts[index].data(), rest < parts[index].size() ? rest : parts[index].size()};
}

bool detail::strands_descriptors(int fd, const msghdr &header) noexcept {
  if (stored(header, 1) != 0)
    return false;
  bool carries = false;
  for (ControlCursor cursor(static_cast<std::byte *>(header.msg_control), header.msg_controllen); !cursor.at_end();
       cursor.advance())
    carries = carries || cursor.is(SOL_SOCKET, SCM_RIGHTS);
  int type = 0;
  socklen_t length = sizeof type;
  return carries && BARESOCK_SYSTEM::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

std::size_t detail::stored(const msghdr &header, std::size_t length) noexcept {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < header.msg_iovlen && sum < length; ++i)
    sum += header.msg_iov[i].iov_len;
  return sum < length ? sum : length;
}

void IncomingMessages::prepare(int flags) noexcept {
  size_ = 0;
  flags_ = flags;
  for (std::size_t i = 0; i < capacity_; ++i) {
    msghdr &header = headers_[i].msg_hdr;
    header.msg_name = addresses_[i].data();
    header.msg_namelen = SocketAddress::capacity;
    if (control(i).may_own())
      control(i).clear();
    header.msg_control = control(i).data_;
    header.msg_controllen = control(i).capacity();
    header.msg_flags = 0;
  }
}

void IncomingMessages::finish(std::size_t size) noexcept {
  size_ = size;
  for (std::size_t i = 0; i < size; ++i) {
    addresses_[i].resize(headers_[i].msg_hdr.msg_namelen);
    control(i).finish(headers_[i].msg_hdr, addresses_[i].family());
  }
  if (size < capacity_) // the message at which the call stopped
    control(size).recover();
}

} // namespace baresock
