// SPDX-License-Identifier: MIT
/// Error, Result and the error-query facility.
///
///   auto sent = socket.send("hello");     Result<std::size_t>
///   if (!sent)                            always
///     log(sent.error().describe());       only if there is no value: "send: Broken pipe"
///   else
///     count += *sent;                     only if there is one
///
/// See baresock_Error(3).

#pragma once

#include <baresock/view.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <expected>

namespace baresock {

/// What failed: the function of the system, or one of ours that refused its input.
enum class Operation : std::uint8_t {
  none,
#define OPERATION(token) token,
#define BARESOCK_OPERATION(token, name) token,
#include <baresock/operations.def>
};

/// "connect"; the empty text for none. Static, NUL-terminated.
[[nodiscard]] const char *operation_name(Operation operation) noexcept;

/// Which table an error code belongs to: errno(3) or the EAI_ codes of getaddrinfo(3).
enum class ErrorDomain : std::uint8_t { system, getaddrinfo };

/// Why a call failed: a code, its domain and the call. Eight bytes, passed in registers.
/// Only the default-constructed Error has code 0, and it means "no error".
/// A value: safe in any thread.
class Error {
public:
  constexpr Error() noexcept = default;

  /// An errno code. Zero, which cannot name a failure, becomes EIO.
  constexpr Error(int code, Operation operation) noexcept : code_(code != 0 ? code : EIO), operation_(operation) {}

  /// An EAI_ code of getaddrinfo(3) or getnameinfo(3). EAI_SYSTEM becomes `system_code`, the errno it
  /// stands for; zero becomes EAI_FAIL.
  [[nodiscard]] static Error from_gai(int code, Operation operation, int system_code) noexcept;

  [[nodiscard]] constexpr int code() const noexcept { return code_; }
  [[nodiscard]] constexpr ErrorDomain domain() const noexcept { return domain_; }
  [[nodiscard]] constexpr Operation operation() const noexcept { return operation_; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return code_ != 0; }

  /// One number for both domains: errno codes positive, EAI_ codes negative, on every platform.
  [[nodiscard]] constexpr int numeric() const noexcept {
    return domain_ == ErrorDomain::getaddrinfo && code_ > 0 ? -code_ : code_;
  }

  /// "ECONNREFUSED", "EAI_NONAME"; of two names for one number the canonical one (EAGAIN, EOPNOTSUPP,
  /// EDEADLK). The empty text for a number without a name. Static, NUL-terminated.
  [[nodiscard]] const char *name() const noexcept;

  /// "Connection refused": strerror() or gai_strerror() of the code. Static, NUL-terminated.
  [[nodiscard]] const char *message() const noexcept;

  /// "connect: Connection refused".
  [[nodiscard]] Text<96> describe() const noexcept;

  /// Is it this errno code?
  [[nodiscard]] constexpr bool is(int code) const noexcept { return domain_ == ErrorDomain::system && code_ == code; }
  /// EAGAIN, EWOULDBLOCK: nothing to do now; also what a passed SO_RCVTIMEO or SO_SNDTIMEO says.
  [[nodiscard]] constexpr bool would_block() const noexcept { return is(EAGAIN) || is(EWOULDBLOCK); }
  /// EINTR: a signal came first and nothing was transferred: call again, but not close, nor connect over TCP.
  [[nodiscard]] constexpr bool interrupted() const noexcept { return is(EINTR); }
  /// EINPROGRESS, EALREADY: the connection is being made; wait until writable, then ask SO_ERROR.
  [[nodiscard]] constexpr bool in_progress() const noexcept { return is(EINPROGRESS) || is(EALREADY); }
  /// ETIMEDOUT: the peer did not answer.
  [[nodiscard]] constexpr bool timed_out() const noexcept { return is(ETIMEDOUT); }
  /// ECONNREFUSED: nobody listens there.
  [[nodiscard]] constexpr bool refused() const noexcept { return is(ECONNREFUSED); }
  /// ECONNRESET, ECONNABORTED, EPIPE: the connection is gone.
  [[nodiscard]] constexpr bool disconnected() const noexcept {
    return is(ECONNRESET) || is(ECONNABORTED) || is(EPIPE);
  }
  /// EMFILE, ENFILE, ENOBUFS, ENOMEM: the process or the system has run out of something.
  [[nodiscard]] constexpr bool exhausted() const noexcept {
    return is(EMFILE) || is(ENFILE) || is(ENOBUFS) || is(ENOMEM);
  }

  friend constexpr bool operator==(const Error &, const Error &) noexcept = default;

private:
  int code_ = 0;
  ErrorDomain domain_ = ErrorDomain::system;
  Operation operation_ = Operation::none;
  std::uint16_t unused_ = 0; // no padding: an Error is copied as one word
};

/// The value, or why there is none.
template <class T>
using Result = std::expected<T, Error>;

/// The last failure of a baresock function in this thread; no error if there was none since
/// clear_error(). Success and destructors leave it as it is.
[[nodiscard]] Error last_error() noexcept;
void clear_error() noexcept;

/// strerror(3), but English in every locale and "Unknown error" for a number without a text. Static,
/// NUL-terminated.
[[nodiscard]] const char *strerror(int code) noexcept;

/// gai_strerror(3), in the language of the locale. Static, NUL-terminated.
[[nodiscard]] const char *gai_strerror(int code) noexcept;

/// The canonical name of a number as Error::numeric() gives it; the empty text if it has none.
[[nodiscard]] const char *error_name(int number) noexcept;

/// The number, as Error::numeric() gives it, of "ECONNREFUSED", "EWOULDBLOCK" or "EAI_NONAME"; 0 if
/// there is no such name.
[[nodiscard]] int error_number(TextView name) noexcept;

/// A row of the table behind both.
struct ErrorName {
  const char *name;
  int number;     // as Error::numeric()
  bool canonical; // false for the second name of a number
};

/// Every errno and EAI_ code of the platform, sorted by name. Static.
[[nodiscard]] Span<const ErrorName> error_names() noexcept;

} // namespace baresock
