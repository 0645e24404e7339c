// SPDX-License-Identifier: MIT

#include <baresock/control.hpp>

#include <cstring>
#include <utility>

namespace baresock {

namespace {

// An address in a sockaddr of fixed size; AF_UNSPEC is none.
SocketAddress address_at(const std::byte *sockaddr, std::size_t size) noexcept {
  SocketAddress address;
  std::memcpy(address.data(), sockaddr, size);
  address.resize(static_cast<socklen_t>(size));
  return address.family() != AF_UNSPEC ? address : SocketAddress();
}

} // namespace

template <class Sockaddr>
bool Payload<stored::ErrorOf<Sockaddr>>::decode(const ControlMessage &message, ReceivedError &value) noexcept {
  const ConstBuffer bytes = message.bytes();
  const bool alone = bytes.size() == sizeof value.error && !message.truncated();
  if (bytes.size() < size && !alone)
    return false;
  std::memcpy(&value.error, bytes.data(), sizeof value.error);
  value.offender = alone ? SocketAddress() : address_at(bytes.data() + sizeof value.error, sizeof(Sockaddr));
  return true;
}

template <class Sockaddr>
bool Payload<stored::AddressIn<Sockaddr>>::decode(const ControlMessage &message, SocketAddress &value) noexcept {
  const ConstBuffer bytes = message.bytes();
  if (bytes.size() < size)
    return false;
  value = address_at(bytes.data(), sizeof(Sockaddr));
  return true;
}

template struct Payload<stored::Error4>;
template struct Payload<stored::Error6>;
template struct Payload<stored::AddressIn<sockaddr_in>>;
template struct Payload<stored::AddressIn<sockaddr_in6>>;

bool Payload<stored::Label>::decode(const ControlMessage &message, TextView &value) noexcept {
  const ConstBuffer bytes = message.bytes();
  std::size_t size = bytes.size();
  while (size != 0 && bytes.data()[size - 1] == std::byte{})
    --size;
  value = {reinterpret_cast<const char *>(bytes.data()), size};
  return true;
}

Result<std::size_t> send_fds(const Socket &socket, ConstBuffer data, Span<const int> fds, int flags) noexcept {
  ControlBuffer<control_space(cmsg::scm::rights, detail::descriptors_max)> control;
  if (!fds.empty())
    if (auto appended = control.append(cmsg::scm::rights, fds); !appended)
      return std::unexpected(appended.error());
  const ConstBuffer parts[] = {data};
  return socket.sendmsg({parts, nullptr, control}, flags);
}

Result<ReceivedFds> recv_fds(const Socket &socket, MutableBuffer data, Span<FileDescriptor> fds, int flags) noexcept {
  for (FileDescriptor &fd : fds)
    fd = {};
  // Room for what else the socket may be set to receive: credentials, a label, a pidfd, a timestamp.
  ControlBuffer<control_space(cmsg::scm::rights, detail::descriptors_max) + 512> control;
  const MutableBuffer parts[] = {data};
  auto message = socket.recvmsg(parts, control, flags);
  if (!message)
    return std::unexpected(message.error());
  ReceivedFds received{*message};
  received.control_truncated = message->control_truncated();
  auto passed = control.get(cmsg::scm::rights);
  const std::size_t count = passed ? passed->size() : 0;
  for (; received.fds < count && received.fds < fds.size(); ++received.fds)
    fds[received.fds] = passed->take(received.fds);
  received.control_truncated = received.control_truncated || received.fds < count;
  return received;
}

} // namespace baresock
