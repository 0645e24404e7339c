// SPDX-License-Identifier: MIT
/// SocketAddress::parse: whatever it takes, it prints, and reads back as the same address; and it takes nothing
/// that inet_pton(3) refuses.

#include "fuzz.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <string>

using namespace baresock;

namespace {

/// An address without port, zone or brackets, as inet_pton reads it.
template <class Raw>
bool libc_reads(int family, const std::string &text, Raw &raw) {
  return text.find('\0') == std::string::npos && ::inet_pton(family, text.c_str(), &raw) == 1;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  auto address = SocketAddress::parse(text);
  in_addr inet4;
  in6_addr inet6;
  if (!address) {
    require(address.error().code() != 0 && address.error() == last_error());
    // Of bare addresses the C library takes exactly what we take.
    require(!libc_reads(AF_INET, text, inet4) && !libc_reads(AF_INET6, text, inet6));
    return 0;
  }
  std::string printed = to_string(*address);
  auto again = SocketAddress::parse(printed);
  require(again.has_value() && *again == as_text(*address) && again->hash() == as_text(*address).hash());
  require(to_string(*again) == printed);

  if (auto typed = address->get<Inet4Address>(); typed && text.find(':') == std::string::npos)
    require(libc_reads(AF_INET, text, inet4) && ntohl(inet4.s_addr) == typed->address);
  if (auto typed = address->get<Inet6Address>();
      typed && text.find_first_of("[%") == std::string::npos && !text.starts_with("family:"))
    require(libc_reads(AF_INET6, text, inet6) && std::memcmp(&inet6, &typed->address, sizeof inet6) == 0);
  return 0;
}
