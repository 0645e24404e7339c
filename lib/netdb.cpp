// SPDX-License-Identifier: MIT

#include <baresock/detail/call.hpp>
#include <baresock/netdb.hpp>
#include <baresock/option.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string_view>
#include <sys/socket.h>

namespace baresock {

namespace {

Error fail_gai(Operation operation, int code, int system_code) noexcept {
  const Error error = Error::from_gai(code, operation, system_code);
  detail::record(error);
  return error;
}

/// A text for the C library, with its NUL. Zero, or why there is none.
template <std::size_t N>
int terminate(std::string_view text, char (&out)[N]) noexcept {
  if (text.size() >= N)
    return ENAMETOOLONG;
  if (text.find('\0') != text.npos)
    return EINVAL;
  text.copy(out, text.size());
  out[text.size()] = '\0';
  return 0;
}

/// The host for the resolver. Zero, or why it is refused.
template <std::size_t N>
int prepare(Host host, char (&out)[N]) noexcept {
  std::string_view text = host.text();
  if (text == "*") // which to the C library is none
    return EINVAL;
  if (text.starts_with('[')) {
    if (!text.ends_with(']'))
      return EINVAL;
    text = text.substr(1, text.size() - 2);
    if (!is_ipv6(text.substr(0, text.find('%')))) // of the zone the resolver says what it thinks
      return EINVAL;
  }
  return terminate(text, out);
}

/// The same of a service, of which the C library would make something else: to it all that strtoul() reads to the
/// end is a number, of which 16 bits are the port, and "*" is none.
template <std::size_t N>
int prepare(Service service, char (&out)[N]) noexcept {
  if (service.numeric()) {
    *std::to_chars(out, out + N - 1, service.port()).ptr = '\0';
    return service.port() < 0 ? ERANGE : 0;
  }
  const std::string_view text = service.text();
  if (!service.present())
    return 0;
  if (text.empty() || text == "*" || std::string_view("+- \t\n\v\f\r").find(text[0]) != text.npos)
    return EINVAL;
  if (text.find_first_not_of("0123456789") == text.npos) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || port > UINT16_MAX)
      return ERANGE;
    if (text[0] == '0' && text.size() > 1)
      return EINVAL;
  }
  return terminate(text, out);
}

/// That of sockaddr_ll, or more if the hardware address is longer than its last member.
std::size_t link_size(const sockaddr *address) noexcept {
  sockaddr_ll link;
  std::memcpy(&link, address, sizeof link);
  const std::size_t length = link.sll_family == AF_PACKET ? link.sll_halen : 0;
  return std::max(sizeof link, offsetof(sockaddr_ll, sll_addr) + length);
}

/// sockaddr to SocketAddress; none if it is null.
SocketAddress address_of(const sockaddr *address) noexcept {
  if (address == nullptr)
    return {};
  const std::size_t size = address->sa_family == AF_INET    ? sizeof(sockaddr_in)
                           : address->sa_family == AF_INET6 ? sizeof(sockaddr_in6)
                                                            : link_size(address);
  return *SocketAddress::from_bytes({address, size});
}

/// The name, if it fits.
template <std::size_t N>
bool copy(const char *name, Text<N> &out) noexcept {
  out.append(name);
  return out.size() == std::strlen(name);
}

constexpr std::size_t entry_room = 8192; // for a line of services(5) or protocols(5)

/// What a function of the family getservbyname_r(3) found: it returns an errno.
template <class Entry, class Read>
auto found(Operation operation, int code, const Entry *entry, Read read) noexcept
    -> Result<decltype(read(*entry).first)> {
  if (code == 0 && entry == nullptr)
    code = ENOENT;
  if (code != 0)
    return std::unexpected(detail::fail(operation, code));
  auto [value, whole] = read(*entry);
  if (!whole)
    return std::unexpected(detail::fail(operation, EOVERFLOW));
  return value;
}

auto read_service(const servent &entry) noexcept {
  ServiceEntry value;
  value.port = ntohs(static_cast<std::uint16_t>(entry.s_port));
  const bool whole = copy(entry.s_name, value.name) && copy(entry.s_proto, value.protocol);
  return std::pair(value, whole);
}

auto read_protocol(const protoent &entry) noexcept {
  ProtocolEntry value;
  value.number = entry.p_proto;
  const bool whole = copy(entry.p_name, value.name);
  return std::pair(value, whole);
}

} // namespace

namespace detail {

addrinfo *next(addrinfo *node) noexcept { return node->ai_next; }
ifaddrs *next(ifaddrs *node) noexcept { return node->ifa_next; }
NameIndex *next(NameIndex *node) noexcept { return node[1].if_index != 0 ? node + 1 : nullptr; }

void read(const addrinfo &node, AddressInfo &value) noexcept {
  value.family = node.ai_family;
  value.type = node.ai_socktype;
  value.protocol = node.ai_protocol;
  if (auto address = SocketAddress::from_bytes({node.ai_addr, node.ai_addrlen}))
    value.address = *address;
  if (node.ai_canonname != nullptr)
    value.canonical_name = node.ai_canonname;
}

void read(const ifaddrs &node, InterfaceAddress &value) noexcept {
  value.name = node.ifa_name;
  value.flags = node.ifa_flags;
  value.address = address_of(node.ifa_addr);
  value.netmask = address_of(node.ifa_netmask);
  if ((node.ifa_flags & IFF_BROADCAST) != 0)
    value.broadcast = address_of(node.ifa_broadaddr);
  else if ((node.ifa_flags & IFF_POINTOPOINT) != 0)
    value.destination = address_of(node.ifa_dstaddr);
}

void read(const NameIndex &node, InterfaceName &value) noexcept {
  value.index = node.if_index;
  value.name = node.if_name;
}

void free(addrinfo *first) noexcept { ::freeaddrinfo(first); }
void free(ifaddrs *first) noexcept { ::freeifaddrs(first); }
void free(NameIndex *first) noexcept { ::if_freenameindex(first); }

} // namespace detail

Result<AddressInfoList> getaddrinfo(Host host, Service service, const AddressHints &hints) noexcept {
  char host_text[NI_MAXHOST];
  char service_text[NI_MAXHOST];
  if (int refused = prepare(host, host_text); refused != 0)
    return std::unexpected(detail::fail(Operation::getaddrinfo, refused));
  if (int refused = prepare(service, service_text); refused != 0)
    return std::unexpected(detail::fail(Operation::getaddrinfo, refused));

  addrinfo wanted = {};
  wanted.ai_flags = hints.flags;
  wanted.ai_family = hints.family;
  wanted.ai_socktype = hints.type;
  wanted.ai_protocol = hints.protocol;
  addrinfo *first = nullptr;
  errno = 0;
  if (int failed = BARESOCK_SYSTEM::getaddrinfo(host.present() ? host_text : nullptr,
                                                service.present() ? service_text : nullptr, &wanted, &first);
      failed != 0)
    return std::unexpected(fail_gai(Operation::getaddrinfo, failed, errno));
  return AddressInfoList(first);
}

Result<NameInfo> getnameinfo(const SocketAddress &address, int flags) noexcept {
  Result<NameInfo> info(std::in_place);
  char host[NI_MAXHOST];
  char service[NI_MAXSERV];
  errno = 0;
  if (int failed = BARESOCK_SYSTEM::getnameinfo(address.data(), address.size(), host, sizeof host, service,
                                                sizeof service, flags);
      failed != 0) {
    info = std::unexpected(fail_gai(Operation::getnameinfo, failed, errno));
    return info;
  }
  info->host.append(host);
  info->service.append(service);
  return info;
}

Result<ServiceEntry> getservbyname(TextView name, TextView protocol) noexcept {
  char name_text[256];
  char protocol_text[256];
  for (int refused : {terminate(name, name_text), terminate(protocol, protocol_text)})
    if (refused != 0)
      return std::unexpected(detail::fail(Operation::getservbyname_r, refused));
  char room[entry_room];
  servent storage;
  servent *entry = nullptr;
  const int code = BARESOCK_SYSTEM::getservbyname_r(name_text, protocol.empty() ? nullptr : protocol_text, &storage,
                                                    room, sizeof room, &entry);
  return found(Operation::getservbyname_r, code, entry, read_service);
}

Result<ServiceEntry> getservbyport(int port, TextView protocol) noexcept {
  char protocol_text[256];
  if (int refused = terminate(protocol, protocol_text); refused != 0)
    return std::unexpected(detail::fail(Operation::getservbyport_r, refused));
  if (port < 0 || port > UINT16_MAX)
    return std::unexpected(detail::fail(Operation::getservbyport_r, ERANGE));
  char room[entry_room];
  servent storage;
  servent *entry = nullptr;
  const int code = BARESOCK_SYSTEM::getservbyport_r(htons(static_cast<std::uint16_t>(port)),
                                                    protocol.empty() ? nullptr : protocol_text, &storage, room,
                                                    sizeof room, &entry);
  return found(Operation::getservbyport_r, code, entry, read_service);
}

Result<ProtocolEntry> getprotobyname(TextView name) noexcept {
  char name_text[256];
  if (int refused = terminate(name, name_text); refused != 0)
    return std::unexpected(detail::fail(Operation::getprotobyname_r, refused));
  char room[entry_room];
  protoent storage;
  protoent *entry = nullptr;
  const int code = BARESOCK_SYSTEM::getprotobyname_r(name_text, &storage, room, sizeof room, &entry);
  return found(Operation::getprotobyname_r, code, entry, read_protocol);
}

Result<ProtocolEntry> getprotobynumber(int number) noexcept {
  char room[entry_room];
  protoent storage;
  protoent *entry = nullptr;
  const int code = BARESOCK_SYSTEM::getprotobynumber_r(number, &storage, room, sizeof room, &entry);
  return found(Operation::getprotobynumber_r, code, entry, read_protocol);
}

Result<unsigned> if_nametoindex(TextView name) noexcept {
  auto interface = Interface::from_name(name);
  if (!interface)
    return std::unexpected(interface.error());
  return interface->index();
}

Result<Text<IF_NAMESIZE>> if_indextoname(unsigned index) noexcept { return Interface(index).name(); }

Result<InterfaceNameList> if_nameindex() noexcept {
  detail::NameIndex *first = BARESOCK_SYSTEM::if_nameindex();
  if (first == nullptr)
    return std::unexpected(detail::fail(Operation::if_nameindex, errno));
  if (first->if_index == 0) { // none at all, which an empty list is, too
    detail::free(first);
    first = nullptr;
  }
  return InterfaceNameList(first);
}

Result<InterfaceAddressList> getifaddrs() noexcept {
  ifaddrs *first = nullptr;
  if (auto made = BARESOCK_CALL(void, getifaddrs, &first); !made)
    return std::unexpected(made.error());
  return InterfaceAddressList(first);
}

} // namespace baresock
