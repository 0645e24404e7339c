// SPDX-License-Identifier: MIT
/// What sendmsg(2), sendmmsg(2), recvmsg(2) and recvmmsg(2) take and return, control messages among it.
///
///   ControlBuffer<control_space(cmsg::scm::rights, 3) + control_space(cmsg::scm::credentials)> control;
///   auto got = socket.recvmsg(parts, control);
///   for (ControlMessage each : control)
///     if (auto passed = each.as(cmsg::scm::rights))
///       FileDescriptor file = passed->take(0);
///
///   control.append(cmsg::scm::rights, {fd});
///   socket.sendmsg({parts, nullptr, control});
///
/// The kinds of control messages are in control.hpp.

#pragma once

#include <baresock/address.hpp>
#include <baresock/buffer.hpp>
#include <baresock/descriptor.hpp>
#include <baresock/detail/call.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <sys/socket.h>
#include <type_traits>

namespace baresock {

/// Which way a control message goes.
enum class Direction : std::uint8_t { receive = 1, send = 2, both = 3 };

[[nodiscard]] constexpr bool can_receive(Direction direction) noexcept {
  return (static_cast<unsigned>(direction) & 1) != 0;
}
[[nodiscard]] constexpr bool can_send(Direction direction) noexcept {
  return (static_cast<unsigned>(direction) & 2) != 0;
}

/// A kind of control message, cmsg(3): T says how its payload is stored (Payload), D which way it goes.
template <class T, Direction D = Direction::both>
struct ControlKind {
  int level;
  int type;
  const char *name; // "SCM_RIGHTS"; static
};

// How payloads become values: control.hpp.
template <class T>
struct Payload;
namespace stored {
struct Descriptors;
}

class Control;

namespace detail {

/// Converts, but neither a pointer to bool nor a bool or a fraction to a number.
template <class From, class To>
concept Argument = std::is_convertible_v<const From &, To> &&
                   (std::is_same_v<To, bool> ? std::is_integral_v<From>
                    : std::is_integral_v<To> ? !std::is_same_v<From, bool> && !std::is_floating_point_v<From>
                                             : true);

/// Is it a number that a `To` does not hold?
template <class To, class From>
constexpr bool out_of_range(const From &value) noexcept {
  if constexpr (std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    const auto number = static_cast<To>(value);
    return static_cast<From>(number) != value || (number < To{}) != (value < From{});
  } else {
    return false;
  }
}

// CMSG_ALIGN(3), and what of CMSG_SPACE(3) and CMSG_LEN(3) is not the payload.
constexpr std::size_t control_align(std::size_t size) noexcept {
  return (size + sizeof(std::size_t) - 1) & ~(sizeof(std::size_t) - 1);
}
inline constexpr std::size_t control_header = control_align(sizeof(cmsghdr));

// Of SCM_RIGHTS in a call: the kernel's SCM_MAX_FD.
inline constexpr std::size_t descriptors_max = 253;

// SCM_RIGHTS, SCM_PIDFD (which headers may lack).
constexpr bool carries_descriptors(int level, int type) noexcept {
  return level == SOL_SOCKET && (type == SCM_RIGHTS || type == 4);
}

/// Goes from message to message. A message shorter than its header ends them, one longer than the rest ends with it:
/// whatever the lengths say, nothing beyond the `size` bytes is looked at.
struct ControlCursor {
  std::byte *at;       // the header
  std::ptrdiff_t room; // behind it; negative: there are no more messages
  std::size_t size;    // of the payload

  ControlCursor(std::byte *first, std::size_t size_) noexcept
      : at(first), room(static_cast<std::ptrdiff_t>(size_) - static_cast<std::ptrdiff_t>(control_header)) {
    settle();
  }

  [[nodiscard]] bool at_end() const noexcept { return room < 0; }
  void advance() noexcept {
    const std::size_t step = control_align(control_header + size);
    at += step;
    room -= static_cast<std::ptrdiff_t>(step);
    settle();
  }

  [[nodiscard]] int level() const noexcept { return load<int>(offsetof(cmsghdr, cmsg_level)); }
  [[nodiscard]] int type() const noexcept { return load<int>(offsetof(cmsghdr, cmsg_type)); }
  [[nodiscard]] bool is(int level, int type) const noexcept { // one comparison where both are constants
    return load<Kind>(offsetof(cmsghdr, cmsg_level)) == __builtin_bit_cast(Kind, Pair{level, type});
  }

private:
  using Kind = std::uint64_t;
  struct Pair {
    int level;
    int type;
  };
  static_assert(offsetof(cmsghdr, cmsg_type) == offsetof(cmsghdr, cmsg_level) + sizeof(int));

  template <class T>
  [[nodiscard]] T load(std::size_t offset) const noexcept {
    T value;
    __builtin_memcpy(&value, at + offset, sizeof value);
    return value;
  }
  void settle() noexcept {
    size = 0;
    if (at_end())
      return;
    const auto told = load<decltype(cmsghdr::cmsg_len)>(offsetof(cmsghdr, cmsg_len));
    size = told - control_header;
    if (size > static_cast<std::size_t>(room)) [[unlikely]] {
      if (told < control_header)
        room = -1;
      size = static_cast<std::size_t>(room);
    }
  }
};

} // namespace detail

/// Room for control messages: what control_space() says of a kind, and sums of it. It also names those kinds, beside
/// SCM_RIGHTS and SCM_PIDFD, whose payload is descriptors, so that a buffer closes them.
struct ControlSpace {
  struct Kind {
    int level = 0;
    int type = 0;
  };

  std::size_t size = 0; // in bytes
  Kind descriptors[4];
  std::size_t descriptor_kinds = 0; // of four

  /// Bytes, where the kinds are not known.
  constexpr ControlSpace(std::size_t bytes) noexcept : size(bytes), descriptors{} {}

  friend constexpr ControlSpace operator+(ControlSpace a, const ControlSpace &b) noexcept {
    a.size += b.size;
    for (std::size_t i = 0; i < b.descriptor_kinds; ++i) // of a fifth, a sum that is a constant does not compile
      a.descriptors[a.descriptor_kinds < 4 ? a.descriptor_kinds++ : (__builtin_trap(), 0)] = b.descriptors[i];
    return a;
  }
};

/// A received control message, or one to be sent: a view, valid as long as its buffer is not changed or used again.
class ControlMessage {
public:
  [[nodiscard]] int level() const noexcept { return cursor_.level(); }
  [[nodiscard]] int type() const noexcept { return cursor_.type(); }

  /// The payload, as far as the buffer had room for it.
  [[nodiscard]] ConstBuffer bytes() const noexcept { return {cursor_.at + detail::control_header, cursor_.size}; }

  [[nodiscard]] bool is(int level, int type) const noexcept { return cursor_.is(level, type); }
  template <class T, Direction D>
  [[nodiscard]] bool is(const ControlKind<T, D> &kind) const noexcept {
    return is(kind.level, kind.type);
  }

  /// The value, if the message is of that kind. ENOMSG if it is of another one; of a payload too short for the kind,
  /// ENOBUFS if the control data was truncated, or EINVAL. last_error() does not see these.
#ifndef __clang__ // g++ -O1 believes that a value is used where there is none
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
  template <class T, Direction D>
    requires(can_receive(D))
  [[nodiscard, gnu::always_inline]] Result<typename Payload<T>::Value>
  as(const ControlKind<T, D> &kind) const noexcept {
    Result<typename Payload<T>::Value> result(std::in_place); // first: compilers make less of the other order
    if (!is(kind))
      result = std::unexpected(Error(ENOMSG, Operation::as));
    else if (!Payload<T>::decode(*this, *result)) [[unlikely]]
      result = std::unexpected(Error(truncated_ ? ENOBUFS : EINVAL, Operation::as));
    return result;
  }
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

  /// Was the control data of the message truncated? Then the last of its control messages may be cut.
  [[nodiscard]] bool truncated() const noexcept { return truncated_; }

private:
  friend class Control;
  friend class ReceivedDescriptors;
  ControlMessage(const detail::ControlCursor &cursor, bool received, bool truncated) noexcept
      : cursor_(cursor), received_(received), truncated_(truncated) {}

  detail::ControlCursor cursor_;
  bool received_;
  bool truncated_; // the control data
};

/// Descriptors in a received message: a view likewise. The buffer owns each until it is taken.
class ReceivedDescriptors {
public:
  ReceivedDescriptors() noexcept = default;
  explicit ReceivedDescriptors(const ControlMessage &message) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// The descriptor (`index` < size()), still the buffer's; -1 if it was taken. A negative one is what the kernel put
  /// in its place, as SCM_PIDFD does if it could make none.
  [[nodiscard]] int operator[](std::size_t index) const noexcept {
    int fd;
    __builtin_memcpy(&fd, at(index), sizeof fd);
    return fd;
  }

  /// Gives the descriptor up to the caller. Empty if it was taken before, and if the message is one to be sent.
  [[nodiscard]] FileDescriptor take(std::size_t index) const noexcept;

private:
  [[nodiscard]] std::byte *at(std::size_t index) const noexcept { return payload_ + index * sizeof(int); }

  std::byte *payload_ = nullptr;
  std::size_t size_ = 0;
  bool received_ = false;
};

/// A buffer of control messages, cmsg(3): to be sent, as append() lays them out, or as a call received them. A base
/// class without room of its own: see ControlBuffer.
///
/// It owns the descriptors it received: those that nobody took are closed by clear(), by the next call that receives
/// into it, and with it. Those to be sent stay the caller's. For one thread at a time.
class Control {
public:
  class End {};
  class Iterator {
  public:
    [[nodiscard]] ControlMessage operator*() const noexcept {
      return {cursor_, control_->received(), control_->truncated()};
    }
    Iterator &operator++() noexcept {
      cursor_.advance();
      return *this;
    }
    [[nodiscard]] bool operator==(End) const noexcept { return cursor_.at_end(); }

  private:
    friend class Control;
    explicit Iterator(const Control &control) noexcept : control_(&control), cursor_(control.data_, control.size_) {}

    const Control *control_;
    detail::ControlCursor cursor_;
  };

  Control(const Control &) = delete;
  Control &operator=(const Control &) = delete;

  /// Adds a message of that kind. ENOBUFS without room for it, ERANGE for a number that the kind's does not hold,
  /// EINVAL for more than 253 descriptors (SCM_MAX_FD) in all. What was received before is dropped, as by clear().
  template <class T, Direction D, class Value = typename Payload<T>::Argument>
    requires(can_send(D) && detail::Argument<Value, typename Payload<T>::Argument>)
  [[nodiscard]] Result<void> append(const ControlKind<T, D> &kind, const Value &value) noexcept {
    using Argument = typename Payload<T>::Argument;
    if (detail::out_of_range<Argument>(value)) [[unlikely]]
      return std::unexpected(detail::fail(Operation::append, ERANGE));
    if constexpr (std::is_integral_v<Argument>)
      return append_payload<T>(kind.level, kind.type, static_cast<Argument>(value));
    else
      return append_payload<T>(kind.level, kind.type, value);
  }
  /// Descriptors in a list.
  template <Direction D>
    requires(can_send(D))
  [[nodiscard]] Result<void> append(const ControlKind<stored::Descriptors, D> &kind,
                                    std::initializer_list<int> fds) noexcept {
    return append(kind, Span<const int>(fds.begin(), fds.size()));
  }
  /// Any message, raw.
  [[nodiscard]] Result<void> append(int level, int type, ConstBuffer payload) noexcept;

  /// Drops all messages, and closes the descriptors that were received and not taken.
  void clear() noexcept;

  [[nodiscard]] Iterator begin() const noexcept { return Iterator(*this); }
  [[nodiscard]] End end() const noexcept { return {}; }

  /// The value of the first message of that kind. ENOMSG if there is none, but ENOBUFS if the control data was
  /// truncated, so that it may be missing; otherwise as ControlMessage::as().
  template <class T, Direction D>
    requires(can_receive(D))
  [[nodiscard]] Result<typename Payload<T>::Value> get(const ControlKind<T, D> &kind) const noexcept {
    for (ControlMessage message : *this)
      if (message.is(kind))
        return message.as(kind);
    return std::unexpected(Error(truncated() ? ENOBUFS : ENOMSG, Operation::as));
  }

  /// MSG_CTRUNC of the last call that received into it: messages or descriptors are missing.
  [[nodiscard]] bool truncated() const noexcept { return received() && (flags_ & MSG_CTRUNC) != 0; }

  /// The messages, as the kernel lays them out; how many bytes, and for how many there is room.
  [[nodiscard]] const std::byte *data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

protected:
  /// Room for `space`, zeros.
  Control(std::byte *data, const ControlSpace &space) noexcept
      : data_(data), capacity_(space.size), space_(&space), mask_(space.descriptor_kinds == 0 ? 8 | outgoing : -1) {}
  ~Control() = default;
  void drop() noexcept { // while the buffer is still there
    if (may_own()) [[unlikely]]
      close_descriptors();
  }

private:
  friend class IncomingMessages;
  friend class Socket;

  // family_: that of the address from which a message was received; or one of these, if none was.
  static constexpr int outgoing = 1 << 16;         // what is in the buffer is to be sent, the rest of it is zero
  static constexpr int clean = AF_INET | outgoing; // all of it is zero
  [[nodiscard]] bool received() const noexcept { return (family_ & outgoing) == 0; }

  // What a call received, of a message from an address of that family.
  void finish(const msghdr &header, int family) noexcept {
    size_ = header.msg_controllen;
    flags_ = header.msg_flags;
    family_ = family;
  }
  // An internet address says that the socket is not of AF_UNIX, the only family whose sockets pass descriptors; not
  // so of kinds of the caller's own.
  [[nodiscard]] bool may_own() const noexcept {
    static_assert((AF_INET | 8) == AF_INET6);
    return (family_ | mask_) != (AF_INET6 | outgoing); // nor if it is clean
  }

  template <class T>
  [[gnu::always_inline]] Result<void> append_payload(int level, int type,
                                                     const typename Payload<T>::Argument &value) noexcept {
    int code = 0;
    if constexpr (requires { Payload<T>::size; }) {
      constexpr std::size_t length = detail::control_header + Payload<T>::size;
      constexpr std::size_t space = detail::control_align(length);
      if (!received() && capacity_ - size_ >= space) [[likely]] {
        write_header(level, type, length);
        code = Payload<T>::encode(value, data_ + size_ + detail::control_header);
        if (code == 0) [[likely]] {
          size_ += space;
          family_ = AF_UNSPEC | outgoing;
          return {};
        }
        end_message(Payload<T>::size, false);
        return std::unexpected(detail::fail(Operation::append, code));
      }
    }
    const std::size_t size = Payload<T>::length(value);
    auto payload = begin_message(level, type, size);
    if (!payload) [[unlikely]]
      return std::unexpected(payload.error());
    code = Payload<T>::encode(value, *payload);
    end_message(size, code == 0);
    if (code != 0) [[unlikely]]
      return std::unexpected(detail::fail(Operation::append, code));
    return {};
  }
  void write_header(int level, int type, std::size_t length) noexcept {
    cmsghdr header = {};
    header.cmsg_len = static_cast<decltype(header.cmsg_len)>(length);
    header.cmsg_level = level;
    header.cmsg_type = type;
    __builtin_memcpy(data_ + size_, &header, sizeof header);
  }
  // Where the payload goes; then end_message(), with which the message is one of the buffer's, or is undone.
  [[nodiscard]] Result<std::byte *> begin_message(int level, int type, std::size_t size) noexcept;
  void end_message(std::size_t size, bool done) noexcept;
  void close_descriptors() noexcept;
  // After a call that failed: a stream of AF_UNIX may have received descriptors before, which nobody tells.
  void recover() noexcept;

  std::byte *data_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  const ControlSpace *space_;
  int mask_;
  int family_ = clean;
  int flags_; // of the received message, if there is one
};

/// Room for control messages in the object itself, aligned as they have to be:
///   ControlBuffer<control_space(cmsg::ip::ttl) + control_space(cmsg::ip::pktinfo)>
/// Not movable: its descriptors have one place.
template <ControlSpace Space>
class ControlBuffer : public Control {
public:
  ControlBuffer() noexcept : Control(bytes_, Space) {}
  ~ControlBuffer() { drop(); }

private:
  alignas(cmsghdr) std::byte bytes_[Space.size == 0 ? 1 : Space.size] = {};
};

/// What a receiving call returned; usable as the number of bytes now in the buffer.
/// Zero is the end of a stream, or a datagram without bytes: POSIX does not tell them apart.
struct Received {
  std::size_t size;   // bytes in the buffer
  std::size_t length; // what the kernel counted: more than size for a datagram cut short under MSG_TRUNC

  constexpr Received() noexcept : Received(0, 0) {}
  constexpr Received(std::size_t size_, std::size_t length_) noexcept : size(size_), length(length_) {}
  explicit Received(detail::Unset) noexcept {}

  constexpr operator std::size_t() const noexcept { return size; }
};

/// And where it came from: no address if the kernel gave none, as for a connected stream.
struct ReceivedFrom : Received {
  SocketAddress address;

  ReceivedFrom() noexcept {} // lest the address in one be zeroed
  explicit ReceivedFrom(detail::Unset unset) noexcept : Received(unset), address(unset) {}
};

/// What recvmsg(2) says of a message beside its address.
struct MessageInfo : Received {
  int flags;                       // MSG_ flags of the message
  Span<const MutableBuffer> parts; // where it was to go: the caller's array

  MessageInfo() noexcept : flags(0) {}
  MessageInfo(detail::Unset unset, Span<const MutableBuffer> parts_) noexcept : Received(unset), parts(parts_) {}

  /// The bytes that part `index` (less than parts.size()) now has.
  [[nodiscard]] MutableBuffer part(std::size_t index) const noexcept;

  /// MSG_TRUNC: the datagram was longer than the buffers.
  [[nodiscard]] bool truncated() const noexcept { return (flags & MSG_TRUNC) != 0; }
  /// MSG_CTRUNC: the control data was longer than its buffer, or descriptors in it could not be installed.
  [[nodiscard]] bool control_truncated() const noexcept { return (flags & MSG_CTRUNC) != 0; }
  /// MSG_EOR: the message ends a record.
  [[nodiscard]] bool end_of_record() const noexcept { return (flags & MSG_EOR) != 0; }
  /// MSG_OOB: out-of-band data.
  [[nodiscard]] bool out_of_band() const noexcept { return (flags & MSG_OOB) != 0; }
  /// MSG_ERRQUEUE: from the error queue.
  [[nodiscard]] bool error_queue() const noexcept { return (flags & MSG_ERRQUEUE) != 0; }
};

struct ReceivedMessage : MessageInfo {
  SocketAddress address;

  ReceivedMessage() noexcept {} // likewise
  ReceivedMessage(detail::Unset unset, Span<const MutableBuffer> parts_) noexcept
      : MessageInfo(unset, parts_), address(unset) {}
};

namespace detail {

/// The sum of the parts' sizes, but at most `length`.
[[nodiscard]] std::size_t stored(const msghdr &header, std::size_t length) noexcept;

/// Writes down what a received header says, but for the parts. Only under MSG_TRUNC does the kernel count bytes that
/// it did not store.
[[gnu::always_inline]] inline void read(const msghdr &header, std::size_t length, int flags,
                                        MessageInfo &info) noexcept {
  info.size = (flags & MSG_TRUNC) != 0 ? stored(header, length) : length;
  info.length = length;
  info.flags = header.msg_flags;
}

/// Would descriptors that this message carries be lost, because it is for a stream and has no bytes?
[[nodiscard]] bool strands_descriptors(int fd, const msghdr &header) noexcept;

} // namespace detail

/// msghdr: what sendmsg(2) sends. Views its parts, address and control data: they are the caller's and
/// have to last until the call returns. Reusable; for one thread at a time, as sendmmsg writes into it.
class OutgoingMessage {
public:
  OutgoingMessage() noexcept = default;

  /// At most IOV_MAX (1024) parts. Without an address the message goes to the connected peer. `control`: a Control
  /// with the messages that it has by now, or bytes as cmsg(3) lays them out.
  OutgoingMessage(Span<const ConstBuffer> parts, const SocketAddress *address = nullptr,
                  ConstBuffer control = {}) noexcept {
    msghdr &header = header_.msg_hdr;
    // The kernel only reads through these pointers.
    header.msg_iov = reinterpret_cast<iovec *>(const_cast<ConstBuffer *>(parts.data()));
    header.msg_iovlen = parts.size();
    if (address != nullptr) {
      header.msg_name = const_cast<sockaddr *>(address->data());
      header.msg_namelen = address->size();
    }
    header.msg_control = const_cast<std::byte *>(control.data());
    header.msg_controllen = control.size();
  }

  /// The bytes in its parts.
  [[nodiscard]] std::size_t size() const noexcept { return detail::stored(header_.msg_hdr, SIZE_MAX); }

  /// After sendmmsg(2): how many bytes of this message were sent.
  [[nodiscard]] std::size_t sent() const noexcept { return header_.msg_len; }

private:
  friend class Socket;
  [[nodiscard]] bool strands_descriptors(int fd) const noexcept {
    const msghdr &header = header_.msg_hdr;
    return header.msg_controllen != 0 && (header.msg_iovlen == 0 || header.msg_iov[0].iov_len == 0) &&
           detail::strands_descriptors(fd, header);
  }

  mmsghdr header_ = {};
};

/// The messages of recvmmsg(2): headers, addresses, control data and the results of the last call. A base class
/// without room of its own: see IncomingBatch. For one thread at a time.
class IncomingMessages {
public:
  /// A message of the last call; `address` and `control` are valid until the next one.
  struct Message : MessageInfo {
    const SocketAddress &address;
    const Control &control;
  };

  IncomingMessages(const IncomingMessages &) = delete;
  IncomingMessages &operator=(const IncomingMessages &) = delete;

  /// How many messages there is room for.
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Where message `index` (less than capacity) goes: at most IOV_MAX parts. They, and the array of them, are the
  /// caller's and have to last as long as this object is used. Until then the message has no room.
  void assign(std::size_t index, Span<const MutableBuffer> parts) noexcept {
    msghdr &header = headers_[index].msg_hdr;
    // The kernel only reads the array of parts.
    header.msg_iov = reinterpret_cast<iovec *>(const_cast<MutableBuffer *>(parts.data()));
    header.msg_iovlen = parts.size();
  }

  /// How many messages the last call received, and each of them (index less than size).
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Message operator[](std::size_t index) const noexcept {
    Message message{{}, addresses_[index], control(index)};
    const msghdr &header = headers_[index].msg_hdr;
    message.parts = {reinterpret_cast<const MutableBuffer *>(header.msg_iov), header.msg_iovlen};
    detail::read(header, headers_[index].msg_len, flags_, message);
    return message;
  }

protected:
  IncomingMessages(mmsghdr *headers, SocketAddress *addresses, void *controls, std::size_t control_size,
                   std::size_t capacity) noexcept
      : headers_(headers), addresses_(addresses), controls_(static_cast<std::byte *>(controls)),
        control_size_(control_size), capacity_(capacity) {}
  ~IncomingMessages() = default;

private:
  friend class Socket;
  // They are of a class derived from Control, whose size is known only to IncomingBatch.
  [[nodiscard]] Control &control(std::size_t index) const noexcept {
    return *reinterpret_cast<Control *>(controls_ + index * control_size_);
  }
  void prepare(int flags) noexcept;
  void finish(std::size_t size) noexcept;

  mmsghdr *headers_;
  SocketAddress *addresses_;
  std::byte *controls_;
  std::size_t control_size_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  int flags_ = 0; // of the last call
};

/// Room for N messages of recvmmsg(2), each with an address and control data of that space, in the object itself;
/// reusable. Not movable: the headers point into it.
template <std::size_t N, ControlSpace Space = 0>
class IncomingBatch : public IncomingMessages {
  static_assert(N > 0 && N <= 1024, "the kernel takes at most 1024 messages (UIO_MAXIOV) in a call");

public:
  IncomingBatch() noexcept : IncomingMessages(headers_, addresses_, controls_, sizeof *controls_, N) {}

private:
  mmsghdr headers_[N] = {};
  SocketAddress addresses_[N];
  ControlBuffer<Space> controls_[N];
};

} // namespace baresock
