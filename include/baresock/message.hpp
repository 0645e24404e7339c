// SPDX-License-Identifier: MIT
/// What sendmsg(2), sendmmsg(2), recvmsg(2) and recvmmsg(2) take and return.

#pragma once

#include <baresock/address.hpp>
#include <baresock/buffer.hpp>

#include <cstddef>
#include <sys/socket.h>

namespace baresock {

/// What a receiving call returned; usable as the number of bytes now in the buffer.
/// Zero is the end of a stream, or a datagram without bytes: POSIX does not tell them apart.
struct Received {
  std::size_t size = 0;   // bytes in the buffer
  std::size_t length = 0; // what the kernel counted: more than size for a datagram cut short under MSG_TRUNC

  constexpr operator std::size_t() const noexcept { return size; }
};

/// And where it came from: no address if the kernel gave none, as for a connected stream.
struct ReceivedFrom : Received {
  SocketAddress address;

  ReceivedFrom() noexcept {} // lest one in a Result be zeroed, address and all
};

/// What recvmsg(2) says of a message beside its address.
struct MessageInfo : Received {
  int flags = 0;         // MSG_ flags of the message
  MutableBuffer control; // the part of the control buffer that was filled

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
};

namespace detail {

/// The sum of the parts' sizes, but at most `length`.
[[nodiscard]] std::size_t stored(const msghdr &header, std::size_t length) noexcept;

/// Writes down what a received header says. Only under MSG_TRUNC does the kernel count bytes that it did not store.
[[gnu::always_inline]] inline void read(const msghdr &header, std::size_t length, int flags,
                                        MessageInfo &info) noexcept {
  info.size = (flags & MSG_TRUNC) != 0 ? stored(header, length) : length;
  info.length = length;
  info.flags = header.msg_flags;
  info.control = {header.msg_control, header.msg_controllen};
}

} // namespace detail

/// msghdr: what sendmsg(2) sends. Views its parts, address and control data: they are the caller's and
/// have to last until the call returns. Reusable; for one thread at a time, as sendmmsg writes into it.
class OutgoingMessage {
public:
  OutgoingMessage() noexcept = default;

  /// At most IOV_MAX (1024) parts. Without an address the message goes to the connected peer. `control`
  /// holds control messages as cmsg(3) lays them out.
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

  /// After sendmmsg(2): how many bytes of this message were sent.
  [[nodiscard]] std::size_t sent() const noexcept { return header_.msg_len; }

private:
  friend class Socket;
  mmsghdr header_ = {};
};

/// The messages of recvmmsg(2): headers, addresses and the results of the last call. A base class without
/// room of its own: see IncomingBatch. For one thread at a time.
class IncomingMessages {
public:
  /// A message of the last call; `address` is valid until the next one.
  struct Message : MessageInfo {
    const SocketAddress &address;
  };

  IncomingMessages(const IncomingMessages &) = delete;
  IncomingMessages &operator=(const IncomingMessages &) = delete;

  /// How many messages there is room for.
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Where message `index` (less than capacity) goes: at most IOV_MAX parts, and a buffer for control
  /// messages. Both are the caller's and have to last as long as this object is used. Until then the
  /// message has no room.
  void assign(std::size_t index, Span<const MutableBuffer> parts, MutableBuffer control = {}) noexcept {
    msghdr &header = headers_[index].msg_hdr;
    // The kernel only reads the array of parts.
    header.msg_iov = reinterpret_cast<iovec *>(const_cast<MutableBuffer *>(parts.data()));
    header.msg_iovlen = parts.size();
    controls_[index] = control;
  }

  /// How many messages the last call received, and each of them (index less than size).
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Message operator[](std::size_t index) const noexcept {
    Message message{{}, addresses_[index]};
    detail::read(headers_[index].msg_hdr, headers_[index].msg_len, flags_, message);
    return message;
  }

protected:
  IncomingMessages(mmsghdr *headers, SocketAddress *addresses, MutableBuffer *controls, std::size_t capacity) noexcept
      : headers_(headers), addresses_(addresses), controls_(controls), capacity_(capacity) {}
  ~IncomingMessages() = default;

private:
  friend class Socket;
  void prepare(int flags) noexcept;
  void finish(std::size_t size) noexcept;

  mmsghdr *headers_;
  SocketAddress *addresses_;
  MutableBuffer *controls_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  int flags_ = 0; // of the last call
};

/// Room for N messages of recvmmsg(2), in the object itself; reusable. Not movable: the headers point into it.
template <std::size_t N>
class IncomingBatch : public IncomingMessages {
  static_assert(N > 0 && N <= 1024, "the kernel takes at most 1024 messages (UIO_MAXIOV) in a call");

public:
  IncomingBatch() noexcept : IncomingMessages(headers_, addresses_, controls_, N) {}

private:
  mmsghdr headers_[N] = {};
  SocketAddress addresses_[N];
  MutableBuffer controls_[N];
};

} // namespace baresock
