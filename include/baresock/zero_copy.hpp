// SPDX-License-Identifier: MIT
/// MSG_ZEROCOPY, send(2): sends out of the caller's buffers, and tells when each is free again.
///
///   socket.setsockopt(so::zerocopy, true);
///   ZeroCopyTracker<64> tracker;
///   auto sent = tracker.send(socket, buffer);                sent->id; buffer must stay as it is
///   while (tracker.in_flight(sent->id))
///     tracker.receive(socket);                               EAGAIN: poll(2) for POLLERR

#pragma once

#include <baresock/error_queue.hpp>

#include <cstddef>
#include <cstdint>

namespace baresock {

/// What a send took, and its number.
struct ZeroCopySent {
  std::size_t size = 0; // bytes
  std::uint32_t id = 0;
};

/// The sends with MSG_ZEROCOPY of a socket whose buffers the kernel still uses. The kernel counts them as this does,
/// so all of a socket have to be made, or told, here. A base class without room of its own: see ZeroCopyTracker. For
/// one thread at a time.
class ZeroCopySends {
public:
  ZeroCopySends(const ZeroCopySends &) = delete;
  ZeroCopySends &operator=(const ZeroCopySends &) = delete;

  /// send(2) with MSG_ZEROCOPY. The first asks SO_ZEROCOPY before: EINVAL if that is off, for then the kernel copies
  /// and does not say so; and for no bytes. ENOBUFS if as many sends as there is room for are in flight.
  [[nodiscard]] Result<ZeroCopySent> send(const Socket &socket, ConstBuffer data, int flags = 0) noexcept;
  /// sendmsg(2) likewise.
  [[nodiscard]] Result<ZeroCopySent> sendmsg(const Socket &socket, const OutgoingMessage &message,
                                             int flags = 0) noexcept;

  /// recv_error(), and completed() if that is what the entry says.
  Result<QueuedError> receive(const Socket &socket) noexcept;

  /// A send that was made elsewhere: its number. ENOBUFS likewise; ask full() before the send.
  [[nodiscard]] Result<std::uint32_t> sent() noexcept;
  /// Completions may come in any order. Numbers that are not in flight are of sends that failed, when the packet was
  /// made: the next send has the number after them. So after a datagram that could not be sent, call receive() until
  /// EAGAIN before the next send.
  void completed(const ZeroCopyCompletion &completion) noexcept;

  /// Is the buffer of that send in use? How many are?
  [[nodiscard]] bool in_flight(std::uint32_t id) const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return pending_; }
  /// How many sends there is room for, counted from the oldest in flight, and whether there are as many.
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool full() const noexcept { return next_ - first_ >= capacity_; }

protected:
  /// `next`: the number of the socket's next send.
  ZeroCopySends(bool *done, std::size_t capacity, std::uint32_t next) noexcept
      : done_(done), capacity_(capacity), first_(next), next_(next) {}
  ~ZeroCopySends() = default;

private:
  [[nodiscard]] Result<void> ready(const Socket &socket, Operation operation, bool empty) noexcept;
  [[nodiscard]] Result<ZeroCopySent> count(Result<std::size_t> size) noexcept;
  [[nodiscard]] bool &done(std::uint32_t id) const noexcept {
    const std::size_t at = head_ + (id - first_);
    return done_[at < capacity_ ? at : at - capacity_];
  }

  bool *done_; // of the sends first_ to next_ - 1, a ring that begins at head_
  std::size_t capacity_;
  std::size_t head_ = 0;
  std::size_t pending_ = 0;
  std::uint32_t first_; // the oldest in flight
  std::uint32_t next_;
  bool asked_ = false; // SO_ZEROCOPY is on
};

/// Room for N sends in flight, in the object itself. Not movable.
template <std::size_t N>
class ZeroCopyTracker : public ZeroCopySends {
  static_assert(N > 0 && N <= 1U << 30);

public:
  /// Of a socket on which sends with MSG_ZEROCOPY were made before, `next` is how many.
  explicit ZeroCopyTracker(std::uint32_t next = 0) noexcept : ZeroCopySends(done_, N, next) {}

private:
  bool done_[N] = {};
};

} // namespace baresock
