// SPDX-License-Identifier: MIT

#include <baresock/detail/call.hpp>
#include <baresock/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <netdb.h>
#include <string_view>

namespace baresock {

namespace {

// Initial-exec: a failing call must not pay for finding its thread's error.
[[gnu::tls_model("initial-exec")]] constinit thread_local Error last;

constexpr const char *operation_names[] = {
    "",
#define OPERATION(token) #token,
#define BARESOCK_OPERATION(token, name) name,
#include <baresock/operations.def>
};

constexpr int gai_number(int code) { return code < 0 ? code : -code; }

constexpr ErrorName names[] = {
#define ERRNO(name) {#name, name, true},
#define ALIAS(name, canonical) {#name, name, name != canonical},
#define GAI(name) {#name, gai_number(name), true},
#include "errors.def"
};

constexpr std::string_view name_of(const ErrorName &row) { return row.name; }
static_assert(std::ranges::is_sorted(names, {}, name_of));

} // namespace

const char *operation_name(Operation operation) noexcept {
  auto index = static_cast<std::size_t>(operation);
  return index < std::size(operation_names) ? operation_names[index] : "";
}

Error Error::from_gai(int code, Operation operation, int system_code) noexcept {
  if (code == EAI_SYSTEM)
    return Error(system_code, operation);
  Error error;
  error.code_ = code != 0 ? code : EAI_FAIL;
  error.domain_ = ErrorDomain::getaddrinfo;
  error.operation_ = operation;
  return error;
}

const char *Error::name() const noexcept { return error_name(numeric()); }

const char *Error::message() const noexcept {
  return domain_ == ErrorDomain::getaddrinfo ? gai_strerror(code_) : strerror(code_);
}

Text<96> Error::describe() const noexcept {
  Text<96> text;
  if (operation_ != Operation::none)
    text.append(operation_name(operation_)).append(": ");
  return text.append(message());
}

Error last_error() noexcept { return last; }

void clear_error() noexcept { last = Error(); }

const char *strerror(int code) noexcept {
  // Unlike strerror(3): neither translated nor, for an unknown number, allocated.
  const char *text = ::strerrordesc_np(code);
  return text != nullptr ? text : "Unknown error";
}

const char *gai_strerror(int code) noexcept { return ::gai_strerror(code); }

const char *error_name(int number) noexcept {
  for (const ErrorName &row : names)
    if (row.number == number && row.canonical)
      return row.name;
  return "";
}

int error_number(TextView name) noexcept {
  auto row = std::ranges::lower_bound(names, std::string_view(name), {}, name_of);
  return row != std::end(names) && name == row->name ? row->number : 0;
}

Span<const ErrorName> error_names() noexcept { return names; }

namespace detail {

Error fail(Operation operation, int code) noexcept {
  const Error error(code, operation);
  last = error; // not record(), which a shared library would call through its table
  return error;
}

void record(Error error) noexcept { last = error; }

} // namespace detail

} // namespace baresock
