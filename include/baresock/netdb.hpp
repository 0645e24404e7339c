// SPDX-License-Identifier: MIT
/// Names: of hosts, services, protocols and interfaces.
///
///   auto found = getaddrinfo("example.org", "https", {.type = SOCK_STREAM});
///   for (AddressInfo info : *found)                  in the resolver's order
///     try_it(info.address);
///   auto name = getnameinfo(address);                name->host, name->service
///   auto lo = baresock::if_nametoindex("lo");
///
/// The resolver blocks as long as resolv.conf(5) says: no deadline reaches it. Its functions, but not if_ ones, may
/// be called by several threads as the C library's may.

#pragma once

#include <baresock/address.hpp>
#include <baresock/error.hpp>
#include <baresock/view.hpp>

#include <cstddef>
#include <cstdint>
#include <netdb.h>
#include <type_traits>
#include <utility>

struct ifaddrs;
struct if_nameindex;

namespace baresock {

/// A host's name, or its address as text; nullptr: none.
class Host {
public:
  constexpr Host(std::nullptr_t) noexcept {}
  template <class T>
    requires std::is_convertible_v<const T &, TextView>
  constexpr Host(const T &text) noexcept : text_(text), present_(true) {}

  [[nodiscard]] constexpr bool present() const noexcept { return present_; }
  [[nodiscard]] constexpr TextView text() const noexcept { return text_; }

private:
  TextView text_;
  bool present_ = false;
};

/// A service's name, or a port as text or as a number; nullptr: none, which is port 0.
class Service {
public:
  constexpr Service(std::nullptr_t) noexcept {}
  template <class T>
    requires std::is_convertible_v<const T &, TextView>
  constexpr Service(const T &text) noexcept : text_(text), kind_(Kind::text) {}
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>)
  constexpr Service(T port) noexcept
      : port_(std::in_range<std::uint16_t>(port) ? static_cast<int>(port) : -1), kind_(Kind::number) {}

  [[nodiscard]] constexpr bool present() const noexcept { return kind_ != Kind::none; }
  [[nodiscard]] constexpr bool numeric() const noexcept { return kind_ == Kind::number; }
  [[nodiscard]] constexpr TextView text() const noexcept { return text_; }
  /// Of a number; -1 if that is no port.
  [[nodiscard]] constexpr int port() const noexcept { return port_; }

private:
  enum class Kind : std::uint8_t { none, text, number };
  TextView text_;
  int port_ = 0;
  Kind kind_ = Kind::none;
};

/// addrinfo, getaddrinfo(3): what is asked for.
struct AddressHints {
  int flags = 0;          // AI_
  int family = AF_UNSPEC; // zero: any, here and below
  int type = 0;
  int protocol = 0;
};

/// addrinfo, getaddrinfo(3): what is found.
struct AddressInfo {
  int family = AF_UNSPEC;
  int type = 0;
  int protocol = 0;
  SocketAddress address;
  TextView canonical_name; // of the first with AI_CANONNAME; valid as long as the list
};

/// getifaddrs(3): an address of an interface, or one without.
struct InterfaceAddress {
  TextView name;             // valid as long as the list
  unsigned flags = 0;        // IFF_, netdevice(7)
  SocketAddress address;     // AF_PACKET: of the link
  SocketAddress netmask;     // none if there is none, here and below
  SocketAddress broadcast;   // if IFF_BROADCAST
  SocketAddress destination; // if IFF_POINTOPOINT
};

/// if_nameindex(3).
struct InterfaceName {
  unsigned index = 0;
  TextView name; // valid as long as the list
};

namespace detail {

using NameIndex = struct ::if_nameindex; // a name that its function hides

/// Of the nodes in which the C library returns things: the next, nullptr after the last, and the thing.
addrinfo *next(addrinfo *node) noexcept;
ifaddrs *next(ifaddrs *node) noexcept;
NameIndex *next(NameIndex *node) noexcept;
void read(const addrinfo &node, AddressInfo &value) noexcept;
void read(const ifaddrs &node, InterfaceAddress &value) noexcept;
void read(const NameIndex &node, InterfaceName &value) noexcept;
void free(addrinfo *first) noexcept;
void free(ifaddrs *first) noexcept;
void free(NameIndex *first) noexcept;

/// A list that the C library made, owned. Move-only; moved-from is empty. Several threads may read.
template <class Value, class Node>
class Found {
public:
  class Iterator {
  public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    constexpr Iterator() noexcept = default;
    constexpr explicit Iterator(Node *node) noexcept : node_(node) {}
    [[nodiscard]] Value operator*() const noexcept {
      Value value;
      read(*node_, value);
      return value;
    }
    Iterator &operator++() noexcept {
      node_ = next(node_);
      return *this;
    }
    Iterator operator++(int) noexcept {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend constexpr bool operator==(Iterator, Iterator) noexcept = default;

  private:
    Node *node_ = nullptr;
  };

  constexpr Found() noexcept = default;
  /// Takes over what the C library returned.
  constexpr explicit Found(Node *first) noexcept : first_(first) {}
  Found(Found &&other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
  Found &operator=(Found &&other) noexcept {
    Found taken(std::move(other));
    std::swap(first_, taken.first_);
    return *this;
  }
  ~Found() {
    if (first_ != nullptr)
      free(first_);
  }

  [[nodiscard]] Iterator begin() const noexcept { return Iterator(first_); }
  [[nodiscard]] Iterator end() const noexcept { return Iterator(); }
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t count = 0;
    for (Iterator each = begin(); each != end(); ++each)
      ++count;
    return count;
  }

private:
  Node *first_ = nullptr;
};

} // namespace detail

/// Forward ranges of values, with begin(), end(), empty() and size(). Own what the C library returned.
using AddressInfoList = detail::Found<AddressInfo, addrinfo>;
using InterfaceAddressList = detail::Found<InterfaceAddress, ifaddrs>;
using InterfaceNameList = detail::Found<InterfaceName, detail::NameIndex>;

/// getaddrinfo(3): all that the resolver gives, in its order. An IPv6 address may stand in brackets. EAI_ codes, for
/// EAI_SYSTEM its errno; before the resolver is asked: EINVAL for a NUL in a name, for other text in brackets, for
/// a service that is empty or a number with sign, spaces or leading zeros; ERANGE for a port above 65535 or below 0;
/// ENAMETOOLONG over 1024 bytes. What else the C library takes for numeric ("127.1", "010.0.0.1"), it takes:
/// SocketAddress::parse() does not.
[[nodiscard]] Result<AddressInfoList> getaddrinfo(Host host, Service service = nullptr,
                                                  const AddressHints &hints = {}) noexcept;

/// Host and service as text.
struct NameInfo {
  Text<NI_MAXHOST> host;
  Text<NI_MAXSERV> service;
};

/// getnameinfo(3). `flags`: NI_. EAI_ codes, for EAI_SYSTEM its errno.
[[nodiscard]] Result<NameInfo> getnameinfo(const SocketAddress &address, int flags = 0) noexcept;

/// A service, services(5), without its aliases.
struct ServiceEntry {
  Text<64> name;
  std::uint16_t port = 0;
  Text<32> protocol; // "tcp"
};

/// A protocol, protocols(5), without its aliases.
struct ProtocolEntry {
  Text<64> name;
  int number = 0; // IPPROTO_
};

/// getservbyname(3), getservbyport(3), getprotobyname(3), getprotobynumber(3), in their _r forms. An empty
/// `protocol`: any. ENOENT if there is none; EINVAL for a NUL in a name, ENAMETOOLONG over 255 bytes, ERANGE for a
/// port above 65535 or below 0, and for lines of over 8 KiB; EOVERFLOW if an answer does not fit.
[[nodiscard]] Result<ServiceEntry> getservbyname(TextView name, TextView protocol = {}) noexcept;
[[nodiscard]] Result<ServiceEntry> getservbyport(int port, TextView protocol = {}) noexcept;
[[nodiscard]] Result<ProtocolEntry> getprotobyname(TextView name) noexcept;
[[nodiscard]] Result<ProtocolEntry> getprotobynumber(int number) noexcept;

/// if_nametoindex(3). EINVAL for a NUL in it, ENAMETOOLONG over 15 bytes.
[[nodiscard]] Result<unsigned> if_nametoindex(TextView name) noexcept;
/// if_indextoname(3).
[[nodiscard]] Result<Text<16>> if_indextoname(unsigned index) noexcept;
/// if_nameindex(3): every interface.
[[nodiscard]] Result<InterfaceNameList> if_nameindex() noexcept;

/// getifaddrs(3): every address of every interface.
[[nodiscard]] Result<InterfaceAddressList> getifaddrs() noexcept;

} // namespace baresock
