// SPDX-License-Identifier: MIT

#include <baresock/socket.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <unistd.h>

namespace baresock {

namespace {

// Every text option of Linux has a value of 16 bytes with its NUL: IFNAMSIZ, TCP_CA_NAME_MAX, TCP_ULP_NAME_MAX.
constexpr std::size_t text_option_max = 15;

// How many messages the kernel takes in a call: its UIO_MAXIOV.
constexpr std::size_t batch_max = 1024;

Result<bool> flag(int fd, int get, int bit) noexcept {
  auto flags = BARESOCK_CALL(int, fcntl, fd, get, 0);
  if (!flags)
    return std::unexpected(flags.error());
  return (*flags & bit) != 0;
}

Result<void> set_flag(int fd, int get, int set, int bit, bool on) noexcept {
  auto flags = BARESOCK_CALL(int, fcntl, fd, get, 0);
  if (!flags)
    return std::unexpected(flags.error());
  return BARESOCK_CALL(void, fcntl, fd, set, on ? *flags | bit : *flags & ~bit);
}

Result<std::size_t> count(int fd, unsigned long request) noexcept {
  int bytes = 0;
  if (auto answer = BARESOCK_CALL(void, ioctl, fd, request, &bytes); !answer)
    return std::unexpected(answer.error());
  return static_cast<std::size_t>(bytes);
}

} // namespace

Result<Socket> Socket::socket(int domain, int type, int protocol) noexcept {
  return BARESOCK_CALL(Socket, socket, domain, type | SOCK_CLOEXEC, protocol);
}

Result<std::pair<Socket, Socket>> Socket::socketpair(int domain, int type, int protocol) noexcept {
  int fds[2];
  if (auto made = BARESOCK_CALL(void, socketpair, domain, type | SOCK_CLOEXEC, protocol, fds); !made)
    return std::unexpected(made.error());
  return std::pair(Socket(fds[0]), Socket(fds[1]));
}

Result<Socket> Socket::from_fd(int fd) noexcept {
  int type = 0;
  if (auto asked = SocketRef(fd)->getsockopt(SOL_SOCKET, SO_TYPE, {&type, sizeof type}); !asked)
    return std::unexpected(asked.error());
  return Socket(fd);
}

Result<Socket> Socket::dup() const noexcept { return BARESOCK_CALL(Socket, fcntl, fd(), F_DUPFD_CLOEXEC, 0); }

Result<void> Socket::bind(const SocketAddress &address) const noexcept {
  return BARESOCK_CALL(void, bind, fd(), address.data(), address.size());
}

Result<void> Socket::connect(const SocketAddress &address) const noexcept {
  return BARESOCK_CALL(void, connect, fd(), address.data(), address.size());
}

Result<void> Socket::listen(int backlog) const noexcept { return BARESOCK_CALL(void, listen, fd(), backlog); }

Result<Socket> Socket::accept(int flags) const noexcept {
  return BARESOCK_CALL(Socket, accept4, fd(), nullptr, nullptr, flags | SOCK_CLOEXEC);
}

Result<Accepted> Socket::accept_from(int flags) const noexcept {
  Result<Accepted> result(std::in_place);
  socklen_t length = SocketAddress::capacity;
  auto fd = BARESOCK_CALL(int, accept4, this->fd(), result->address.data(), &length, flags | SOCK_CLOEXEC);
  if (fd) {
    result->socket = Socket(*fd);
    result->address.resize(length);
  } else {
    result = std::unexpected(fd.error());
  }
  return result;
}

Result<SocketAddress> Socket::getsockname() const noexcept {
  SocketAddress address;
  socklen_t length = SocketAddress::capacity;
  if (auto asked = BARESOCK_CALL(void, getsockname, fd(), address.data(), &length); !asked)
    return std::unexpected(asked.error());
  address.resize(length);
  return address;
}

Result<SocketAddress> Socket::getpeername() const noexcept {
  SocketAddress address;
  socklen_t length = SocketAddress::capacity;
  if (auto asked = BARESOCK_CALL(void, getpeername, fd(), address.data(), &length); !asked)
    return std::unexpected(asked.error());
  address.resize(length);
  return address;
}

Result<std::size_t> Socket::sendmmsg(Span<OutgoingMessage> messages, int flags) const noexcept {
  if (!sendable(0, flags) || messages.size() > UINT_MAX)
    return std::unexpected(detail::fail(Operation::sendmmsg, EINVAL));
  const std::size_t taken = messages.size() < batch_max ? messages.size() : batch_max;
  for (OutgoingMessage &message : Span<OutgoingMessage>(messages.data(), taken)) {
    message.header_.msg_len = 0;
    if (message.strands_descriptors(fd()))
      return std::unexpected(detail::fail(Operation::sendmmsg, EINVAL));
  }
  return BARESOCK_CALL(std::size_t, sendmmsg, fd(), reinterpret_cast<mmsghdr *>(messages.data()),
                       static_cast<unsigned>(messages.size()), flags | MSG_NOSIGNAL);
}

Result<Bytes> Socket::recv(std::size_t size, int flags) const noexcept {
  if (!receivable(size, flags))
    return std::unexpected(detail::fail(Operation::recv, EINVAL));
  auto bytes = Bytes::allocate(size, (flags & MSG_TRUNC) != 0);
  if (!bytes)
    return bytes;
  auto got = recv({bytes->data(), size}, flags);
  if (!got)
    return std::unexpected(got.error());
  bytes->received(got->size, got->length);
  return bytes;
}

Result<ReceivedBytes> Socket::recvfrom(std::size_t size, int flags) const noexcept {
  if (!receivable(size, flags))
    return std::unexpected(detail::fail(Operation::recvfrom, EINVAL));
  auto bytes = Bytes::allocate(size, (flags & MSG_TRUNC) != 0);
  if (!bytes)
    return std::unexpected(bytes.error());
  auto got = recvfrom({bytes->data(), size}, flags);
  if (!got)
    return std::unexpected(got.error());
  bytes->received(got->size, got->length);
  return ReceivedBytes{std::move(*bytes), got->address};
}

Result<std::size_t> Socket::recvmmsg(IncomingMessages &messages, int flags) const noexcept {
  messages.prepare(flags);
  if (!receivable(0, flags))
    return std::unexpected(detail::fail(Operation::recvmmsg, EINVAL));
  const auto capacity = static_cast<unsigned>(messages.capacity_);
  int received = BARESOCK_SYSTEM::recvmmsg(fd(), messages.headers_, capacity, flags | MSG_CMSG_CLOEXEC, nullptr);
  if (received == -1 && refuses_cloexec(fd()))
    received = BARESOCK_SYSTEM::recvmmsg(fd(), messages.headers_, capacity, flags, nullptr);
  auto size = detail::checked<std::size_t>(Operation::recvmmsg, received);
  messages.finish(size.value_or(0));
  return size;
}

bool Socket::refuses_cloexec(int fd) noexcept {
  if (errno != EINVAL)
    return false;
  int domain = AF_UNIX;
  socklen_t length = sizeof domain;
  (void)BARESOCK_SYSTEM::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
  errno = EINVAL;
  return domain != AF_UNIX;
}

ssize_t Socket::recvmsg_failed(Receiving &call, Control *control, int flags) noexcept {
  const bool plain = control != nullptr && refuses_cloexec(call.fd);
  const ssize_t again = plain ? BARESOCK_SYSTEM::recvmsg(call.fd, &call.header, flags) : -1;
  if (!detail::checked<std::size_t>(Operation::recvmsg, again) && control != nullptr)
    control->recover();
  return again;
}

Error Socket::recvmsg_refused(Control *control) noexcept {
  if (control != nullptr)
    control->clear();
  return detail::fail(Operation::recvmsg, EINVAL);
}

Result<ReceivedMessage> Socket::receive_anew(Span<const MutableBuffer> parts, Control &control,
                                             int flags) const noexcept {
  control.clear();
  return receive(parts, &control, flags);
}

Result<std::size_t> Socket::sendfile(int fd, off_t offset, std::size_t count) const noexcept {
  return BARESOCK_CALL(std::size_t, sendfile, this->fd(), fd, &offset, count);
}

Result<std::size_t> Socket::getsockopt(int level, int name, MutableBuffer value) const noexcept {
  if (value.size() > INT_MAX)
    return std::unexpected(detail::fail(Operation::getsockopt, EINVAL));
  // SO_GET_FILTER counts instructions: given a number of bytes, the kernel would write past them.
  const std::size_t unit = level == SOL_SOCKET && name == SO_GET_FILTER ? sizeof(sock_filter) : 1;
  auto length = static_cast<socklen_t>(value.size() / unit);
  if (auto asked = BARESOCK_CALL(void, getsockopt, fd(), level, name, value.data(), &length); !asked)
    return std::unexpected(asked.error());
  return length * unit;
}

Result<void> Socket::setsockopt(int level, int name, int value) const noexcept {
  return BARESOCK_CALL(void, setsockopt, fd(), level, name, &value, sizeof value);
}

Result<void> Socket::set_text(int level, int name, TextView value) const noexcept {
  if (value.size() > text_option_max)
    return std::unexpected(detail::fail(Operation::setsockopt, ENAMETOOLONG));
  if (!value.empty() && std::memchr(value.data(), '\0', value.size()) != nullptr)
    return std::unexpected(detail::fail(Operation::setsockopt, EINVAL));
  return BARESOCK_CALL(void, setsockopt, fd(), level, name, value.data(), static_cast<socklen_t>(value.size()));
}

Result<void> Socket::setsockopt(int level, int name, ConstBuffer value) const noexcept {
  if (value.size() > INT_MAX)
    return std::unexpected(detail::fail(Operation::setsockopt, EINVAL));
  return BARESOCK_CALL(void, setsockopt, fd(), level, name, value.data(), static_cast<socklen_t>(value.size()));
}

Result<void> Socket::shutdown(int how) const noexcept { return BARESOCK_CALL(void, shutdown, fd(), how); }

Result<bool> Socket::sockatmark() const noexcept { return BARESOCK_CALL(bool, sockatmark, fd()); }

Result<std::size_t> Socket::bytes_readable() const noexcept { return count(fd(), FIONREAD); }

Result<std::size_t> Socket::bytes_unsent() const noexcept { return count(fd(), SIOCOUTQ); }

Result<bool> Socket::nonblocking() const noexcept { return flag(fd(), F_GETFL, O_NONBLOCK); }

Result<void> Socket::set_nonblocking(bool on) const noexcept {
  return set_flag(fd(), F_GETFL, F_SETFL, O_NONBLOCK, on);
}

Result<bool> Socket::close_on_exec() const noexcept { return flag(fd(), F_GETFD, FD_CLOEXEC); }

Result<void> Socket::set_close_on_exec(bool on) const noexcept {
  return set_flag(fd(), F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

} // namespace baresock
