// SPDX-License-Identifier: MIT

#include "wait.hpp"

#include <baresock/poll.hpp>
#include <baresock/socket.hpp>

#include <cerrno>
#include <climits>
#include <ctime>

namespace baresock {

namespace {

constexpr long long second = 1'000'000'000;

/// What is left until that time of now(), as ppoll(2) has it: nullptr for ever.
const timespec *left(long long end, timespec &storage) noexcept {
  if (end == detail::duration_max)
    return nullptr;
  long long rest = end - detail::now();
  if (rest < 0)
    rest = 0;
  storage.tv_sec = static_cast<time_t>(rest / second);
  storage.tv_nsec = static_cast<long>(rest % second);
  return &storage;
}

void clear(Span<pollfd> items) noexcept { // which a call that fails leaves as they are
  for (pollfd &item : items)
    item.revents = 0;
}

Result<std::size_t> poll_once(Span<pollfd> items, long long end) noexcept {
  clear(items);
  timespec storage;
  const timespec *timeout = left(end, storage);
  return BARESOCK_CALL(std::size_t, ppoll, items.data(), nfds_t{items.size()}, timeout,
                       static_cast<const sigset_t *>(nullptr));
}

} // namespace

namespace detail {

long long now() noexcept {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time); // which cannot fail
  return time.tv_sec * second + time.tv_nsec;
}

long long end_of(const Deadline &deadline) noexcept {
  if (deadline.never())
    return duration_max;
  return now() + deadline.remaining().count();
}

Result<std::size_t> wait_until(Span<pollfd> items, long long time) noexcept {
  for (;;) {
    auto ready = poll_once(items, time);
    if (ready || !ready.error().interrupted())
      return ready;
  }
}

Result<void> check_cancel(const pollfd &cancel, Operation operation) noexcept {
  if (cancel.revents == 0)
    return {};
  return std::unexpected(fail(operation, (cancel.revents & POLLNVAL) != 0 ? EBADF : ECANCELED));
}

Result<void> go_on(const Deadline &deadline, Operation operation) noexcept {
  if (!deadline.valid())
    return std::unexpected(fail(operation, EINVAL));
  if (deadline.cancel_fd() >= 0) {
    pollfd cancel = {deadline.cancel_fd(), POLLIN, 0};
    if (auto looked = wait_until({&cancel, 1}, 0); !looked)
      return std::unexpected(looked.error());
    if (auto checked = check_cancel(cancel, operation); !checked)
      return checked;
  }
  return {};
}

Result<short> wait_for(int fd, short events, const Deadline &deadline, Operation operation) noexcept {
  if (!deadline.valid())
    return std::unexpected(fail(operation, EINVAL));
  if (fd < 0) // which ppoll would wait for in vain
    return std::unexpected(fail(operation, EBADF));
  pollfd items[] = {{fd, events, 0}, {deadline.cancel_fd(), POLLIN, 0}};
  auto ready = wait_until(items, end_of(deadline));
  if (!ready)
    return std::unexpected(ready.error());
  if (auto checked = check_cancel(items[1], operation); !checked)
    return std::unexpected(checked.error());
  if (*ready == 0)
    return std::unexpected(fail(operation, ETIMEDOUT));
  if ((items[0].revents & POLLNVAL) != 0)
    return std::unexpected(fail(operation, EBADF));
  return items[0].revents;
}

} // namespace detail

Deadline::Deadline(Nanoseconds duration) noexcept {
  if (duration.count() < 0)
    end_ = -1;
  else if (__builtin_add_overflow(detail::now(), duration.count(), &end_))
    end_ = detail::duration_max;
}

Deadline::Deadline(detail::Point point) noexcept {
  const long long now = detail::now();
  long long left = 0;
  if (point.time == detail::duration_max || __builtin_sub_overflow(point.time, point.now, &left))
    left = point.time < 0 ? 0 : detail::duration_max;
  if (left <= 0)
    end_ = now;
  else if (__builtin_add_overflow(now, left, &end_))
    end_ = detail::duration_max;
}

Nanoseconds Deadline::remaining() const noexcept {
  if (never())
    return Nanoseconds::max();
  const long long left = end_ - detail::now();
  return Nanoseconds(left > 0 ? left : 0);
}

Result<std::size_t> poll(Span<pollfd> items, const Deadline &deadline) noexcept {
  if (!deadline.valid() || deadline.cancel_fd() >= 0) {
    clear(items);
    return std::unexpected(detail::fail(Operation::poll, EINVAL));
  }
  return poll_once(items, detail::end_of(deadline));
}

Result<short> wait_for(const Socket &socket, short events, const Deadline &deadline) noexcept {
  detail::Report report;
  return report(detail::wait_for(socket.fd(), events, deadline, Operation::wait_for));
}

} // namespace baresock
