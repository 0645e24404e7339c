// SPDX-License-Identifier: MIT
/// The one way from a system call to a Result. Not part of the interface.

#pragma once

#include <baresock/error.hpp>

#include <cerrno>
#include <type_traits>

/// BARESOCK_CALL(T, send, fd, …) makes the call ::send and gives Result<T>, with Operation::send in the
/// error. The tests name a namespace of fakes in BARESOCK_SYSTEM.
#ifndef BARESOCK_SYSTEM
#define BARESOCK_SYSTEM
#endif
#define BARESOCK_CALL(T, call, ...)                                                                                  \
  ::baresock::detail::checked<T>(::baresock::Operation::call, BARESOCK_SYSTEM::call(__VA_ARGS__))

namespace baresock::detail {

/// Records the error for last_error(), and returns it.
[[nodiscard, gnu::cold]] Error fail(Operation operation, int code) noexcept;

/// The same of an error that there is already.
void record(Error error) noexcept;

/// What a call returns when it fails: -1, or zero or null where the type has no -1.
template <class R>
inline constexpr R failure = R{};
template <class R>
  requires std::is_signed_v<R>
inline constexpr R failure<R> = -1;

template <class T, class R>
[[nodiscard, gnu::always_inline]] inline Result<T> checked(Operation operation, R result) noexcept {
  if (result == failure<R>) [[unlikely]]
    return std::unexpected(fail(operation, errno));
  if constexpr (std::is_void_v<T>)
    return {};
  else
    return static_cast<T>(result);
}

} // namespace baresock::detail
