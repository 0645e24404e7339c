// SPDX-License-Identifier: MIT
/// What those have in common that make several calls: waiting by a deadline, and one error in the end.

#pragma once

#include <baresock/deadline.hpp>
#include <baresock/detail/call.hpp>
#include <baresock/error.hpp>
#include <baresock/poll.hpp>
#include <baresock/view.hpp>

#include <cstddef>
#include <utility>

namespace baresock::detail {

/// Success leaves last_error() as it was, though calls within may have failed; a failure is the one that is returned.
class Report {
public:
  Report() noexcept : last_(last_error()) {}
  Report(const Report &) = delete;
  Report &operator=(const Report &) = delete;
  ~Report() { record(last_); }

  std::unexpected<Error> operator()(Error error) noexcept {
    last_ = error;
    return std::unexpected(error);
  }
  std::unexpected<Error> operator()(Operation operation, int code) noexcept {
    return (*this)(Error(code, operation));
  }

  /// What that failed with, if it did.
  template <class T>
  Result<T> operator()(Result<T> &&result) noexcept {
    if (!result)
      last_ = result.error();
    return std::move(result);
  }

private:
  Error last_;
};

/// ppoll(2) until that time of now(), past signals: how many of `items` are ready, 0 when the time has come.
[[nodiscard]] Result<std::size_t> wait_until(Span<pollfd> items, long long time) noexcept;

/// When to stop, in the time of now().
[[nodiscard]] long long end_of(const Deadline &deadline) noexcept;

/// ECANCELED if the descriptor that cancels is readable, EBADF if it is none.
[[nodiscard]] Result<void> check_cancel(const pollfd &cancel, Operation operation) noexcept;

/// Before a call: EINVAL for a deadline below zero, ECANCELED. That it has passed, only what would wait is told.
[[nodiscard]] Result<void> go_on(const Deadline &deadline, Operation operation) noexcept;

/// Waits for `events` of a descriptor: the revents; ETIMEDOUT, ECANCELED, EBADF.
[[nodiscard]] Result<short> wait_for(int fd, short events, const Deadline &deadline, Operation operation) noexcept;

} // namespace baresock::detail
