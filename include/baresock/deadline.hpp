// SPDX-License-Identifier: MIT
/// Deadline: when to give up waiting.
///
///   send_all(socket, data, 5s);                                         five seconds from now
///   send_all(socket, data, std::chrono::steady_clock::now() + 5s);      a point in time, of any clock
///   send_all(socket, data);                                             never
///   send_all(socket, data, Deadline(5s).cancelled_by(event.fd()));      or when another thread says so
///
/// One deadline serves any number of calls: what is left is computed anew for each wait.

#pragma once

#include <baresock/duration.hpp>

namespace baresock {

namespace detail {

/// std::chrono::time_point, told without its header.
template <class T>
concept ChronoTimePoint = requires(const T &point) {
  T::clock::now();
  point.time_since_epoch();
};

/// A point in time, and what the same clock says now: nanoseconds since its epoch.
struct Point {
  long long time;
  long long now;
};

/// CLOCK_MONOTONIC, clock_gettime(2), in nanoseconds.
[[nodiscard]] long long now() noexcept;

} // namespace detail

/// A value; as safe in several threads as an int.
class Deadline {
public:
  /// Never.
  constexpr Deadline() noexcept = default;

  /// So long from now; zero: at once, which still takes what is there. A duration that does not fit in 292 years is
  /// never; one below zero gives EINVAL of whatever it is handed to.
  template <long long PerSecond>
  Deadline(Duration<PerSecond> duration) noexcept : Deadline(Nanoseconds(duration)) {}
  Deadline(Nanoseconds duration) noexcept;
  template <detail::ChronoDuration D>
  Deadline(const D &duration) noexcept : Deadline(Nanoseconds(duration)) {}

  /// Then; if that is past, at once. A clock that is set later does not move it.
  template <detail::ChronoTimePoint T>
  Deadline(const T &point) noexcept
      : Deadline(detail::Point{Nanoseconds(point.time_since_epoch()).count(),
                               Nanoseconds(T::clock::now().time_since_epoch()).count()}) {}

  /// The same, or before that as soon as `fd` is readable: an eventfd, a pipe, a socket … Then the error is
  /// ECANCELED. The descriptor is the caller's, and nothing is read from it: whoever waits for it gives up. -1: none.
  [[nodiscard]] constexpr Deadline cancelled_by(int fd) const noexcept {
    Deadline deadline = *this;
    deadline.cancel_fd_ = fd;
    return deadline;
  }
  [[nodiscard]] constexpr int cancel_fd() const noexcept { return cancel_fd_; }

  /// What is left: zero if it has passed, max() if it never will.
  [[nodiscard]] Nanoseconds remaining() const noexcept;
  [[nodiscard]] bool passed() const noexcept { return remaining().count() == 0; }
  [[nodiscard]] constexpr bool never() const noexcept { return end_ == detail::duration_max; }
  /// False if it was made of a duration below zero.
  [[nodiscard]] constexpr bool valid() const noexcept { return end_ >= 0; }

private:
  explicit Deadline(detail::Point point) noexcept;

  long long end_ = detail::duration_max; // CLOCK_MONOTONIC
  int cancel_fd_ = -1;
};

} // namespace baresock
