// SPDX-License-Identifier: MIT
/// getaddrinfo with texts of any bytes, a host and, after a newline, a service, of numbers alone: it takes no port
/// but the one that the digits say, and no NUL. is_ip(), SocketAddress::parse() and inet_pton(3) are of one mind.

#include "fuzz.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <baresock/netdb.hpp>
#include <string>
#include <string_view>

using namespace baresock;

namespace {

/// What inet_pton says of a text without NUL.
bool libc_reads(int family, const std::string &text, in6_addr &raw) {
  return text.find('\0') == std::string::npos && ::inet_pton(family, text.c_str(), &raw) == 1;
}

/// The port, if it is written as one is: digits without zeros before them. -1: it is not.
int port_of(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] == '0' && text.size() > 1))
    return -1;
  int port = 0;
  for (char c : text) {
    if (c < '0' || c > '9')
      return -1;
    port = port * 10 + (c - '0');
  }
  return port <= 65535 ? port : -1;
}

void check_is_ip(const std::string &text) {
  const bool inet4 = is_ipv4(text), inet6 = is_ipv6(text);
  require(is_ip(text) == (inet4 ? 4 : inet6 ? 6 : 0) && !(inet4 && inet6));
  in6_addr raw;
  require(inet4 == libc_reads(AF_INET, text, raw));
  const std::size_t zone = text.find('%');
  if (zone == std::string::npos)
    require(inet6 == libc_reads(AF_INET6, text, raw));
  else if (inet6)
    require(libc_reads(AF_INET6, text.substr(0, zone), raw) && text.size() > zone + 1);

  // What is an address, is parsed as that address. A zone may be that of no interface.
  const auto address = SocketAddress::parse(text);
  if (inet4)
    require(address && address->family() == AF_INET && address->port() == 0);
  if (inet6 && zone == std::string::npos)
    require(address && address->family() == AF_INET6 && address->port() == 0);
  if (address && address->family() == AF_INET && text.find(':') == std::string::npos)
    require(inet4);
}

void check_list(const std::string &host, const std::string &service, const Result<AddressInfoList> &found) {
  require(!found->empty() && found->size() < 100);
  require((host + service).find('\0') == std::string::npos);
  require(port_of(service) >= 0);
  for (const AddressInfo &info : *found) {
    require(info.address.family() == info.family && (info.family == AF_INET || info.family == AF_INET6));
    require(info.address.port() == port_of(service));
  }
  // What we take for an address, is the one. Of other texts ("127.1") inet_aton(3) has to make one, too.
  const bool bracketed = host.starts_with('[');
  const std::string text = bracketed ? host.substr(1, host.size() - 2) : host;
  require(!bracketed || (host.ends_with(']') && is_ipv6(text.substr(0, text.find('%')))));
  in_addr raw;
  if (is_ip(text) == 0)
    require(text.find('%') != std::string::npos || ::inet_aton(text.c_str(), &raw) != 0);
  else if (text.find('%') == std::string::npos)
    require((*found->begin()).address == SocketAddress::parse(text)->with_port((*found->begin()).address.port()));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
  const std::string all(reinterpret_cast<const char *>(data), size);
  check_is_ip(all);
  const std::size_t middle = std::min(all.find('\n'), all.size());
  const std::string host = all.substr(0, middle);
  const std::string service = middle < all.size() ? all.substr(middle + 1) : "80";
  check_is_ip(host);

  clear_error();
  const auto found =
      baresock::getaddrinfo(host, service, {.flags = AI_NUMERICHOST | AI_NUMERICSERV, .type = SOCK_STREAM});
  if (!found) {
    require(found.error().code() != 0 && found.error() == last_error());
    require(found.error().operation() == Operation::getaddrinfo);
    // What is one address and one port is never refused.
    require(is_ip(host) == 0 || host.find('%') != std::string::npos || port_of(service) < 0);
    return 0;
  }
  require(last_error() == Error());
  check_list(host, service, found);
  return 0;
}
