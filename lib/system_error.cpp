// SPDX-License-Identifier: MIT

#include <baresock/system_error.hpp>

#include <netdb.h>
#include <string>

namespace baresock {

namespace {

class GetaddrinfoCategory : public std::error_category {
public:
  const char *name() const noexcept override { return "getaddrinfo"; }

  std::string message(int code) const override { return baresock::gai_strerror(code); }

  std::error_condition default_error_condition(int code) const noexcept override {
    switch (code) {
    case EAI_AGAIN:
      return std::errc::resource_unavailable_try_again;
    case EAI_BADFLAGS:
      return std::errc::invalid_argument;
    case EAI_FAMILY:
      return std::errc::address_family_not_supported;
    case EAI_MEMORY:
      return std::errc::not_enough_memory;
    case EAI_SOCKTYPE:
      return std::errc::wrong_protocol_type;
    default:
      return {code, *this};
    }
  }
};

} // namespace

const std::error_category &getaddrinfo_category() noexcept {
  static const GetaddrinfoCategory category;
  return category;
}

std::error_code to_error_code(Error error) noexcept {
  return {error.code(), error.domain() == ErrorDomain::getaddrinfo ? getaddrinfo_category() : std::system_category()};
}

#ifdef __cpp_exceptions
void throw_error(Error error) {
  const char *call = operation_name(error.operation());
  throw *call != '\0' ? std::system_error(to_error_code(error), call) : std::system_error(to_error_code(error));
}
#endif

} // namespace baresock
