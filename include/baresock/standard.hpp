// SPDX-License-Identifier: MIT
/// std::string, std::hash and, where the library has it, std::format for addresses, errors and values of options.

#pragma once

#include <baresock/address.hpp>
#include <baresock/error.hpp>
#include <baresock/option_value.hpp>

#include <string>
#include <string_view>
#include <version>
#ifdef __cpp_lib_format
#include <format>
#endif

namespace baresock {

/// The texts of SocketAddress::text(), Error::describe() and OptionValue::printed().
[[nodiscard]] inline std::string to_string(const SocketAddress &address) {
  return std::string(address.text().c_str());
}
[[nodiscard]] inline std::string to_string(Error error) { return std::string(error.describe().c_str()); }
[[nodiscard]] inline std::string to_string(const OptionValue &value) {
  auto text = value.printed();
  return text ? std::string(text->text().data(), text->size()) : std::string("out of memory");
}

} // namespace baresock

template <>
struct std::hash<baresock::SocketAddress> {
  std::size_t operator()(const baresock::SocketAddress &address) const noexcept { return address.hash(); }
};

#ifdef __cpp_lib_format
/// With the format specifications of a string.
template <>
struct std::formatter<baresock::SocketAddress> : std::formatter<std::string_view> {
  auto format(const baresock::SocketAddress &address, auto &context) const {
    return std::formatter<std::string_view>::format(address.text(), context);
  }
};
template <>
struct std::formatter<baresock::Error> : std::formatter<std::string_view> {
  auto format(baresock::Error error, auto &context) const {
    return std::formatter<std::string_view>::format(error.describe(), context);
  }
};
template <>
struct std::formatter<baresock::OptionValue> : std::formatter<std::string_view> {
  auto format(const baresock::OptionValue &value, auto &context) const {
    return std::formatter<std::string_view>::format(baresock::to_string(value), context);
  }
};
#endif
