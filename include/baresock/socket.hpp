// SPDX-License-Identifier: MIT
/// Socket: the socket calls as methods.
///
///   auto socket = Socket::socket(AF_INET, SOCK_STREAM);
///   if (!socket) ...
///   if (auto ok = socket->connect(*SocketAddress::parse("127.0.0.1:7")); !ok) ...
///   char buffer[512];
///   auto got = socket->recv(buffer);            got->size; 0 is the end of the stream
///
/// A method with a POSIX name makes that one call: EINTR, EAGAIN, EINPROGRESS and short counts come back to
/// the caller. Three departures, all in baresock(7): descriptors are close-on-exec, sends carry MSG_NOSIGNAL,
/// in-out fields are reset before reuse.

#pragma once

#include <baresock/address.hpp>
#include <baresock/buffer.hpp>
#include <baresock/descriptor.hpp>
#include <baresock/detail/call.hpp>
#include <baresock/error.hpp>
#include <baresock/message.hpp>

#include <climits>
#include <cstddef>
#include <sys/types.h>
#include <type_traits>
#include <utility>

namespace baresock {

struct Accepted;
struct ReceivedBytes;

// Options and their values: option.hpp, option_info.hpp.
template <class T>
struct Codec;
namespace stored {
struct None;
}
struct OptionInfo;
class OptionValue;

/// What can be done with an option. A query is a get whose buffer carries a question to the kernel.
enum class Access : std::uint8_t { get = 1, set = 2, both = 3, query = 4, query_set = 6 };

[[nodiscard]] constexpr bool can_get(Access access) noexcept { return (static_cast<unsigned>(access) & 1) != 0; }
[[nodiscard]] constexpr bool can_set(Access access) noexcept { return (static_cast<unsigned>(access) & 2) != 0; }
[[nodiscard]] constexpr bool can_query(Access access) noexcept { return (static_cast<unsigned>(access) & 4) != 0; }

template <class T, Access A>
struct Option;

/// A socket descriptor, owned: closed by the destructor. Move-only; empty (descriptor -1) when default-constructed,
/// moved from, released or closed, and then every call answers EBADF.
/// const means "still the same descriptor", not "the same state". As safe from several threads as the kernel's
/// socket: any calls at once, but close(), release() and moves only when no other thread uses this object.
class Socket {
public:
  constexpr Socket() noexcept = default;

  /// Takes over `fd`, unchecked.
  constexpr explicit Socket(int fd) noexcept : descriptor_(fd) {}
  /// Likewise, as of a descriptor that was received.
  explicit Socket(FileDescriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {}

  void swap(Socket &other) noexcept { descriptor_.swap(other.descriptor_); }

  /// socket(2), with SOCK_CLOEXEC. `type` may carry SOCK_NONBLOCK.
  [[nodiscard]] static Result<Socket> socket(int domain, int type, int protocol = 0) noexcept;

  /// socketpair(2), with SOCK_CLOEXEC.
  [[nodiscard]] static Result<std::pair<Socket, Socket>> socketpair(int domain, int type, int protocol = 0) noexcept;

  /// Takes over `fd` if it is a socket (asks SO_TYPE, socket(7)). Otherwise EBADF or ENOTSOCK, and `fd` stays
  /// the caller's.
  [[nodiscard]] static Result<Socket> from_fd(int fd) noexcept;

  /// The descriptor; -1 if there is none. Still owned by this object.
  [[nodiscard]] constexpr int fd() const noexcept { return descriptor_.fd(); }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return fd() >= 0; }

  /// Gives the descriptor up to the caller, who closes it.
  [[nodiscard]] int release() noexcept { return descriptor_.release(); }

  /// fcntl(2), F_DUPFD_CLOEXEC: another descriptor for the same socket.
  [[nodiscard]] Result<Socket> dup() const noexcept;

  /// close(2), once: whatever it answers, EINTR included, the descriptor is gone.
  [[nodiscard]] Result<void> close() noexcept { return descriptor_.close(); }

  /// bind(2).
  [[nodiscard]] Result<void> bind(const SocketAddress &address) const noexcept;

  /// connect(2). To SocketAddress::unspec(): dissolves the association.
  [[nodiscard]] Result<void> connect(const SocketAddress &address) const noexcept;

  /// listen(2). The kernel caps the backlog at net.core.somaxconn.
  [[nodiscard]] Result<void> listen(int backlog = 128) const noexcept;

  /// accept4(2) without an address, with SOCK_CLOEXEC. `flags`: SOCK_NONBLOCK.
  [[nodiscard]] Result<Socket> accept(int flags = 0) const noexcept;

  /// accept4(2) with the peer's address.
  [[nodiscard]] Result<Accepted> accept_from(int flags = 0) const noexcept;

  /// getsockname(2).
  [[nodiscard]] Result<SocketAddress> getsockname() const noexcept;

  /// getpeername(2).
  [[nodiscard]] Result<SocketAddress> getpeername() const noexcept;

  /// send(2), with MSG_NOSIGNAL: the number of bytes taken. EINVAL for flags send does not know.
  [[nodiscard, gnu::always_inline]] Result<std::size_t> send(ConstBuffer data, int flags = 0) const noexcept {
    if (!sendable(data.size(), flags)) [[unlikely]]
      return std::unexpected(detail::fail(Operation::send, EINVAL));
    return BARESOCK_CALL(std::size_t, send, fd(), data.data(), data.size(), flags | MSG_NOSIGNAL);
  }

  /// sendto(2), with MSG_NOSIGNAL.
  [[nodiscard, gnu::always_inline]] Result<std::size_t> sendto(ConstBuffer data, const SocketAddress &address,
                                                               int flags = 0) const noexcept {
    if (!sendable(data.size(), flags)) [[unlikely]]
      return std::unexpected(detail::fail(Operation::sendto, EINVAL));
    return BARESOCK_CALL(std::size_t, sendto, fd(), data.data(), data.size(), flags | MSG_NOSIGNAL, address.data(),
                         address.size());
  }

  /// sendmsg(2), with MSG_NOSIGNAL. EINVAL for descriptors without a byte of data on a stream, which would lose them;
  /// of such a message, and of no other, SO_TYPE is asked first.
  [[nodiscard, gnu::always_inline]] Result<std::size_t> sendmsg(const OutgoingMessage &message,
                                                                int flags = 0) const noexcept {
    if (!sendable(0, flags) || message.strands_descriptors(fd())) [[unlikely]]
      return std::unexpected(detail::fail(Operation::sendmsg, EINVAL));
    return BARESOCK_CALL(std::size_t, sendmsg, fd(), &message.header_.msg_hdr, flags | MSG_NOSIGNAL);
  }

  /// sendmmsg(2), with MSG_NOSIGNAL: how many messages were sent, the bytes of each in its sent(). A short count
  /// means that the next message failed; its error is lost, and sending it again tells (as does sendmmsg_all() of
  /// datagram.hpp). None is sent if sendmsg() would refuse one of them.
  [[nodiscard]] Result<std::size_t> sendmmsg(Span<OutgoingMessage> messages, int flags = 0) const noexcept;

  /// recv(2). EINVAL for flags recv does not know.
  [[nodiscard, gnu::always_inline]] Result<Received> recv(MutableBuffer buffer, int flags = 0) const noexcept {
    if (!receivable(buffer.size(), flags)) [[unlikely]]
      return std::unexpected(detail::fail(Operation::recv, EINVAL));
    auto length = BARESOCK_CALL(std::size_t, recv, fd(), buffer.data(), buffer.size(), flags);
    if (!length) [[unlikely]]
      return std::unexpected(length.error());
    return received(*length, buffer.size(), flags);
  }

  /// recv(2) into at most `size` bytes that it allocates; ENOMEM.
  [[nodiscard]] Result<Bytes> recv(std::size_t size = 4096, int flags = 0) const noexcept;

  /// recvfrom(2).
  [[nodiscard, gnu::always_inline]] Result<ReceivedFrom> recvfrom(MutableBuffer buffer,
                                                                  int flags = 0) const noexcept {
    Result<ReceivedFrom> result(
        std::in_place, detail::Unset()); // the one that is returned: the kernel writes the address where it stays
    if (!receivable(buffer.size(), flags)) [[unlikely]] {
      result = std::unexpected(detail::fail(Operation::recvfrom, EINVAL));
      return result;
    }
    socklen_t address_length = SocketAddress::capacity;
    auto length = BARESOCK_CALL(std::size_t, recvfrom, fd(), buffer.data(), buffer.size(), flags,
                                result->address.data(), &address_length);
    if (length) [[likely]] {
      static_cast<Received &>(*result) = received(*length, buffer.size(), flags);
      result->address.resize(address_length);
    } else {
      result = std::unexpected(length.error());
    }
    return result;
  }

  /// recvfrom(2) into at most `size` bytes that it allocates; ENOMEM.
  [[nodiscard]] Result<ReceivedBytes> recvfrom(std::size_t size = 4096, int flags = 0) const noexcept;

  /// recvmsg(2), with MSG_CMSG_CLOEXEC, into at most IOV_MAX parts. `control` owns the descriptors received; without
  /// room for them the kernel closes them and says MSG_CTRUNC. Sockets of AF_PACKET and a few others answer EINVAL to
  /// that flag: of such, once SO_DOMAIN says that it is not of AF_UNIX, a second call is made without.
  [[nodiscard, gnu::always_inline]] Result<ReceivedMessage> recvmsg(Span<const MutableBuffer> parts, Control &control,
                                                                    int flags = 0) const noexcept {
    if (control.may_own()) [[unlikely]]
      return receive_anew(parts, control, flags);
    return receive(parts, &control, flags);
  }

  /// The same without control messages, and without the flag.
  [[nodiscard, gnu::always_inline]] Result<ReceivedMessage> recvmsg(Span<const MutableBuffer> parts,
                                                                    int flags = 0) const noexcept {
    return receive(parts, nullptr, flags);
  }

  /// recvmmsg(2), with MSG_CMSG_CLOEXEC as recvmsg(): how many messages were received, each in `messages`. Waits for
  /// all of them unless `flags` has MSG_WAITFORONE or MSG_DONTWAIT. The kernel's timeout, which it looks at only when
  /// a message arrives, is not offered: use poll(2) or SO_RCVTIMEO.
  [[nodiscard]] Result<std::size_t> recvmmsg(IncomingMessages &messages, int flags = 0) const noexcept;

  /// sendfile(2): bytes of the file `fd` from `offset` on, whose own offset stays. Has no MSG_NOSIGNAL: a closed
  /// peer means SIGPIPE, which only the program can ignore.
  [[nodiscard]] Result<std::size_t> sendfile(int fd, off_t offset, std::size_t count) const noexcept;

  /// getsockopt(2) of an option of option.hpp, or of your own: its value in the type that it has.
  template <class T, Access A>
    requires(can_get(A))
  [[nodiscard, gnu::always_inline]] Result<typename Codec<T>::Value>
  getsockopt(const Option<T, A> &option) const noexcept {
    return Codec<T>::get(*this, option.level, option.number);
  }

  /// The same of an option whose value answers a question.
  template <class T, Access A>
    requires(can_query(A))
  [[nodiscard]] Result<typename Codec<T>::Value>
  getsockopt(const Option<T, A> &option, const typename Codec<T>::Question &question) const noexcept {
    return Codec<T>::query(*this, option.level, option.number, question);
  }

  /// setsockopt(2) of an option of option.hpp, or of your own. ERANGE for a number that the option's does not hold.
  template <class T, Access A, class Value = typename Codec<T>::Argument>
    requires(can_set(A) && detail::Argument<Value, typename Codec<T>::Argument>)
  [[nodiscard, gnu::always_inline]] Result<void> setsockopt(const Option<T, A> &option,
                                                            const Value &value) const noexcept {
    using Argument = typename Codec<T>::Argument;
    if (detail::out_of_range<Argument>(value)) [[unlikely]]
      return std::unexpected(detail::fail(Operation::setsockopt, ERANGE));
    if constexpr (std::is_integral_v<Argument>)
      return Codec<T>::set(*this, option.level, option.number, static_cast<Argument>(value));
    else
      return Codec<T>::set(*this, option.level, option.number, value);
  }

  /// The same of an option without a value: SO_DETACH_FILTER.
  template <class T, Access A>
    requires(can_set(A) && std::is_same_v<typename Codec<T>::Argument, stored::None>)
  [[nodiscard]] Result<void> setsockopt(const Option<T, A> &option) const noexcept {
    return Codec<T>::set(*this, option.level, option.number);
  }

  /// getsockopt(2) of an option that is known only at run time, by its number or its row: option_info.hpp.
  [[nodiscard]] Result<OptionValue> getsockopt(int level, int name) const noexcept;
  [[nodiscard]] Result<OptionValue> getsockopt(const OptionInfo &option) const noexcept;
  [[nodiscard]] Result<OptionValue> getsockopt(const OptionInfo &option, const OptionValue &question) const noexcept;

  /// setsockopt(2) likewise. Of a value of the wrong kind, an Error of Operation::option_value: EINVAL, ERANGE …
  [[nodiscard]] Result<void> setsockopt(int level, int name, const OptionValue &value) const noexcept;
  [[nodiscard]] Result<void> setsockopt(const OptionInfo &option, const OptionValue &value) const noexcept;

  /// getsockopt(2), raw: the length in bytes of the value now in `value`. Of SO_GET_FILTER, too, whose length the
  /// kernel counts in instructions; without room for one, the room that it wants.
  [[nodiscard]] Result<std::size_t> getsockopt(int level, int name, MutableBuffer value) const noexcept;

  /// setsockopt(2), raw, of an int or bool option. Other numbers do not compile.
  [[nodiscard]] Result<void> setsockopt(int level, int name, int value) const noexcept;
  template <class T>
    requires std::is_same_v<T, bool> // a template, lest a pointer should become a bool
  [[nodiscard]] Result<void> setsockopt(int level, int name, T value) const noexcept {
    return setsockopt(level, name, static_cast<int>(value));
  }
  template <class T>
    requires std::is_arithmetic_v<T> && (!std::is_same_v<T, bool> && !std::is_same_v<T, int>)
  Result<void> setsockopt(int level, int name, T value) const noexcept = delete;

  /// setsockopt(2), raw, of a text option (whatever the option is): SO_BINDTODEVICE, TCP_CONGESTION, TCP_ULP. Of each
  /// the kernel would take the first 15 bytes up to a NUL: EINVAL for a NUL, ENAMETOOLONG.
  template <class T>
    requires std::is_convertible_v<const T &, TextView>
  [[nodiscard]] Result<void> setsockopt(int level, int name, const T &value) const noexcept {
    return set_text(level, name, value);
  }

  /// setsockopt(2), raw, from bytes: {&value, sizeof value}.
  [[nodiscard]] Result<void> setsockopt(int level, int name, ConstBuffer value) const noexcept;

  /// shutdown(2): SHUT_RD, SHUT_WR, SHUT_RDWR.
  [[nodiscard]] Result<void> shutdown(int how) const noexcept;

  /// sockatmark(3): is the out-of-band mark next?
  [[nodiscard]] Result<bool> sockatmark() const noexcept;

  // Below: no POSIX name of their own.

  /// FIONREAD, ioctl(2): bytes that can be received now; of a datagram socket, the size of the next datagram.
  [[nodiscard]] Result<std::size_t> bytes_readable() const noexcept;

  /// SIOCOUTQ, tcp(7): bytes that the peer has not acknowledged; of AF_UNIX, memory that it has yet to free.
  [[nodiscard]] Result<std::size_t> bytes_unsent() const noexcept;

  /// O_NONBLOCK, fcntl(2). Setting reads and writes the flags: two calls, not atomic.
  [[nodiscard]] Result<bool> nonblocking() const noexcept;
  [[nodiscard]] Result<void> set_nonblocking(bool on) const noexcept;

  /// FD_CLOEXEC, fcntl(2), of this descriptor: on unless switched off here. Two calls likewise.
  [[nodiscard]] Result<bool> close_on_exec() const noexcept;
  [[nodiscard]] Result<void> set_close_on_exec(bool on) const noexcept;

private:
  // What recvmsg_failed() needs is kept in memory, where it costs less than in registers that others would have to
  // save.
  struct Receiving {
    msghdr header;
    int fd;
  };
  [[nodiscard, gnu::always_inline]] Result<ReceivedMessage> receive(Span<const MutableBuffer> parts, Control *control,
                                                                    int flags) const noexcept {
    Result<ReceivedMessage> result(std::in_place, detail::Unset(), parts); // the one that is returned
    if (receivable(0, flags)) [[likely]] {
      Receiving call;
      if constexpr (sizeof call.header.msg_iovlen != sizeof(std::size_t)) // musl's padding has to be zero
        __builtin_memset(&call.header, 0, sizeof call.header);
      call.header.msg_name = result->address.data();
      call.header.msg_namelen = SocketAddress::capacity;
      call.header.msg_iov = reinterpret_cast<iovec *>(const_cast<MutableBuffer *>(parts.data())); // only read
      call.header.msg_iovlen = parts.size();
      call.header.msg_control = control != nullptr ? control->data_ : nullptr;
      call.header.msg_controllen = control != nullptr ? control->capacity() : 0;
      call.header.msg_flags = 0;
      call.fd = fd();
      ssize_t length =
          BARESOCK_SYSTEM::recvmsg(fd(), &call.header, control != nullptr ? flags | MSG_CMSG_CLOEXEC : flags);
      if (length == -1) [[unlikely]]
        length = recvmsg_failed(call, control, flags);
      if (length != -1) [[likely]] {
        detail::read(call.header, static_cast<std::size_t>(length), flags, *result);
        const int family = result->address.received(call.header.msg_namelen);
        if (control != nullptr)
          control->finish(call.header, family);
      } else {
        result = std::unexpected(last_error());
      }
    } else {
      result = std::unexpected(recvmsg_refused(control));
    }
    return result;
  }
  // Tries again without MSG_CMSG_CLOEXEC, if the socket may be one that refuses it. Or else clears, and tells.
  [[gnu::cold]] static ssize_t recvmsg_failed(Receiving &call, Control *control, int flags) noexcept;
  [[gnu::cold]] static Error recvmsg_refused(Control *control) noexcept;
  // May EINVAL mean that the socket, which passes no descriptors, does not know MSG_CMSG_CLOEXEC? Leaves errno.
  [[nodiscard]] static bool refuses_cloexec(int fd) noexcept;
  // The same with a buffer that may still own descriptors. (Out of line: a call here would cost all others
  // registers.)
  [[nodiscard]] Result<ReceivedMessage> receive_anew(Span<const MutableBuffer> parts, Control &control,
                                                     int flags) const noexcept;

  // What the calls know of; the kernel would ignore anything else. 0x40000: MSG_BATCH, 0x2000000: MSG_SOCK_DEVMEM,
  // which the C library's headers lack.
  static constexpr int send_flags = MSG_OOB | MSG_DONTROUTE | MSG_PROXY | MSG_DONTWAIT | MSG_EOR | MSG_CONFIRM |
                                    MSG_NOSIGNAL | MSG_MORE | MSG_ZEROCOPY | MSG_FASTOPEN | 0x40000;
  static constexpr int recv_flags = MSG_OOB | MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_WAITALL | MSG_ERRQUEUE |
                                    MSG_NOSIGNAL | MSG_WAITFORONE | MSG_CMSG_CLOEXEC | 0x2000000;

  // Sizes over SSIZE_MAX are a caller's mistake, which the kernel cuts to 2 GiB without a word when it receives.
  static constexpr bool sendable(std::size_t size, int flags) noexcept {
    return size <= SSIZE_MAX && (flags & ~send_flags) == 0;
  }
  static constexpr bool receivable(std::size_t size, int flags) noexcept {
    return size <= SSIZE_MAX && (flags & ~recv_flags) == 0;
  }

  static constexpr Received received(std::size_t length, std::size_t room, int flags) noexcept {
    return {(flags & MSG_TRUNC) != 0 && length > room ? room : length, length};
  }

  Result<void> set_text(int level, int name, TextView value) const noexcept;

  FileDescriptor descriptor_;
};

/// A foreign descriptor, lent to Socket's const methods: SocketRef(fd)->send("…"). Never closes it.
class SocketRef {
public:
  explicit SocketRef(int fd) noexcept : socket_(fd) {}
  SocketRef(const Socket &socket) noexcept : socket_(socket.fd()) {}
  SocketRef(const SocketRef &other) noexcept : socket_(other.socket_.fd()) {}
  SocketRef &operator=(SocketRef other) noexcept {
    socket_.swap(other.socket_);
    return *this;
  }
  ~SocketRef() { (void)socket_.release(); }

  [[nodiscard]] const Socket &operator*() const noexcept { return socket_; }
  [[nodiscard]] const Socket *operator->() const noexcept { return &socket_; }

private:
  Socket socket_;
};

/// A connection and who made it.
struct Accepted {
  Socket socket;
  SocketAddress address;
};

/// A datagram and who sent it.
struct ReceivedBytes {
  Bytes data;
  SocketAddress address;
};

} // namespace baresock
