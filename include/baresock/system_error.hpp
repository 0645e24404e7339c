// SPDX-License-Identifier: MIT
/// The bridge to <system_error>: std::error_code, std::errc and exceptions for those who want them.

#pragma once

#include <baresock/error.hpp>

#include <system_error>
#include <type_traits>
#include <utility>

namespace baresock {

/// The category "getaddrinfo" of EAI_ codes. Its conditions are those of std::errc where one fits (EAI_MEMORY,
/// EAI_AGAIN, EAI_FAMILY …).
[[nodiscard]] const std::error_category &getaddrinfo_category() noexcept;

/// std::system_category() for errno codes, getaddrinfo_category() for EAI_ codes.
[[nodiscard]] std::error_code to_error_code(Error error) noexcept;

[[nodiscard]] inline bool operator==(Error error, std::errc condition) noexcept {
  return to_error_code(error) == condition;
}

#ifdef __cpp_exceptions
/// std::system_error with the error's code and the call's name.
[[noreturn]] void throw_error(Error error);

/// The value; throws the error as std::system_error if there is none.
template <class T>
T or_throw(Result<T> &&result) {
  if (!result)
    throw_error(result.error());
  if constexpr (!std::is_void_v<T>)
    return std::move(*result);
}
template <class T>
T or_throw(const Result<T> &result) {
  return or_throw(Result<T>(result));
}
#endif

} // namespace baresock
