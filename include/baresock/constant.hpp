// SPDX-License-Identifier: MIT
/// The constants of the socket headers as data, for programs that offer them by name: language runtimes, tracers.
///
///   for (const Constant &constant : constants())
///     module.set(constant.name, constant.value);
///   constant_name("AF_", address.family());                              "AF_INET6"
///   flag_names("MSG_", flags);                                           "MSG_PEEK|MSG_DONTWAIT"
///
/// Everything is static and NUL-terminated, and safe in any thread. See baresock_constants(7).

#pragma once

#include <baresock/view.hpp>

#include <netinet/in.h>

namespace baresock {

/// A constant of the headers, an option, an errno or an EAI_ code.
struct Constant {
  const char *name;
  long long value;
  unsigned char group_length; // of the name, how much is its group; 0: in none
  bool canonical;             // false for a second name of a number in its group: AF_LOCAL of AF_UNIX

  /// The prefix that names of values for the same thing have, "AF_", "SO_EE_ORIGIN_": of those that
  /// baresock_constants(7) lists the longest. Empty for limits and masks, for options of another level
  /// (SO_ORIGINAL_DST), and for options whose prefix values of another kind have (TCP_NODELAY: "TCP_" is the states).
  [[nodiscard]] constexpr TextView group() const noexcept { return {name, group_length}; }
};

/// All, sorted by name.
[[nodiscard]] Span<const Constant> constants() noexcept;

/// Those whose names begin with that, whatever their group.
[[nodiscard]] Span<const Constant> constants(TextView prefix) noexcept;

/// The constant of that name, or nullptr.
[[nodiscard]] const Constant *find_constant(TextView name) noexcept;

/// The canonical name of a number in exactly that group; the empty text if it has none. "AF_", AF_LOCAL: "AF_UNIX".
[[nodiscard]] const char *constant_name(TextView group, long long value) noexcept;

/// The names of the flags of that group in `value`, from the lowest bit up, and in the end what has none:
/// "MSG_PEEK|MSG_DONTWAIT|0x800000"; "0" for zero. Bits that the group's constants share are one number:
/// "SOCK_RAW|SOCK_CLOEXEC".
[[nodiscard]] Text<640> flag_names(TextView group, long long value) noexcept;

/// A constant that is an address, and no number.
struct AddressConstant {
  const char *name;
  in6_addr value;
};

/// IN6ADDR_ANY and IN6ADDR_LOOPBACK.
[[nodiscard]] Span<const AddressConstant> address_constants() noexcept;

} // namespace baresock
