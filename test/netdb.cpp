// SPDX-License-Identifier: MIT

#include "dns.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <ifaddrs.h>
#include <iterator>
#include <limits>
#include <linux/if_tun.h>
#include <memory>
#include <net/if.h>
#include <net/if_arp.h>
#include <netdb.h>
#include <netpacket/packet.h>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/un.h>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace baresock;

using Texts = std::vector<std::string>;

namespace doctest {
template <>
struct StringMaker<Texts> {
  static String convert(const Texts &texts) {
    std::string all;
    for (const std::string &text : texts)
      all += "\"" + text + "\" ";
    return all.c_str();
  }
};
} // namespace doctest

namespace {

/// An entry of a list, with a canonical name of its own.
struct Entry {
  int family;
  int type;
  int protocol;
  SocketAddress address;
  std::string canonical_name;

  friend bool operator==(const Entry &, const Entry &) = default;
};

std::vector<Entry> entries(const AddressInfoList &list) {
  std::vector<Entry> result;
  for (const AddressInfo &info : list)
    result.push_back({info.family, info.type, info.protocol, info.address, std::string(info.canonical_name)});
  return result;
}

/// What the C library says; of `code`, what it returned.
std::vector<Entry> raw(const char *host, const char *service, const AddressHints &hints = {}, int *code = nullptr) {
  addrinfo wanted = {};
  wanted.ai_flags = hints.flags;
  wanted.ai_family = hints.family;
  wanted.ai_socktype = hints.type;
  wanted.ai_protocol = hints.protocol;
  addrinfo *first = nullptr;
  const int failed = ::getaddrinfo(host, service, &wanted, &first);
  if (code != nullptr)
    *code = failed;
  std::vector<Entry> result;
  if (failed != 0)
    return result;
  for (const addrinfo *node = first; node != nullptr; node = node->ai_next)
    result.push_back({node->ai_family, node->ai_socktype, node->ai_protocol,
                      VALUE(SocketAddress::from_bytes({node->ai_addr, node->ai_addrlen})),
                      node->ai_canonname != nullptr ? node->ai_canonname : ""});
  ::freeaddrinfo(first);
  return result;
}

/// The addresses, with their ports, in the resolver's order.
Texts texts(const AddressInfoList &list) {
  Texts result;
  for (const AddressInfo &info : list)
    result.emplace_back(info.address.text().c_str());
  return result;
}

Texts sorted(Texts texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

/// The addresses of a host, in alphabetical order: a name server changes theirs.
Texts resolve(TextView host, const AddressHints &hints) { return sorted(texts(VALUE(getaddrinfo(host, 80, hints)))); }

/// The name of the error; empty if there is none, which fails the test.
std::string error_of(TextView host, const AddressHints &hints = {.type = SOCK_STREAM}) {
  auto found = getaddrinfo(host, 80, hints);
  CHECK_FALSE(found.has_value());
  if (found)
    return "";
  CHECK(last_error() == found.error());
  CHECK(found.error().operation() == Operation::getaddrinfo);
  return found.error().name();
}

/// Asks run_ip(8), in the network of the thread.
bool run_ip(const std::string &arguments) { return std::system(("ip " + arguments + " 2>/dev/null").c_str()) == 0; }

const std::string &loopback_name() {
  static const std::string name = [] {
    char room[IF_NAMESIZE] = {};
    REQUIRE(::if_indextoname(1, room) != nullptr);
    return std::string(room);
  }();
  return name;
}

constexpr AddressHints numeric = {.flags = AI_NUMERICHOST, .type = SOCK_STREAM};

} // namespace

TEST_SUITE_BEGIN("netdb");

// The C library has functions of the same names, which the best of overloads may be: hence "baresock::".

// --- what is asked for ----------------------------------------------------------------------------------

TEST_CASE("Host, Service: what they are made of") {
  constexpr Host none = nullptr;
  static_assert(!none.present() && none.text().empty());
  constexpr Host name = "example.org";
  static_assert(name.present() && name.text() == "example.org");
  static_assert(Host("").present()); // which is not the same as none
  CHECK(Host(std::string("a")).text() == "a");
  CHECK(Host(std::string_view("b\0c", 3)).text() == TextView("b\0c", 3));
  CHECK(Host(Text<8>().append("d")).text() == "d");
  static_assert(!std::is_constructible_v<Host, int> && !std::is_constructible_v<Host, bool>);

  constexpr Service no_service = nullptr;
  static_assert(!no_service.present() && !no_service.numeric());
  static_assert(Service("http").present() && !Service("http").numeric() && Service("http").text() == "http");
  static_assert(Service("").present());
  static_assert(Service(80).present() && Service(80).numeric() && Service(80).port() == 80);
  static_assert(Service(0).numeric() && Service(0).port() == 0); // and no null pointer
  static_assert(!std::is_constructible_v<Service, bool> && !std::is_constructible_v<Service, char>);
  static_assert(!std::is_constructible_v<Service, double>);
}

namespace {

/// The ends of a type of integers, as services.
template <class... T>
std::vector<std::pair<Service, long long>> ends_of_types() {
  return {std::pair(Service(std::numeric_limits<T>::min()), static_cast<long long>(std::numeric_limits<T>::min()))...,
          std::pair(Service(std::numeric_limits<T>::max()), static_cast<long long>(std::numeric_limits<T>::max()))...,
          std::pair(Service(static_cast<T>(-1)), static_cast<long long>(static_cast<T>(-1)))...};
}

} // namespace

TEST_CASE("getaddrinfo: a port of any integer type is that port, or no port") {
  auto ports = ends_of_types<signed char, unsigned char, short, unsigned short, int, unsigned, long, long long>();
  for (unsigned long long wide : {0ULL, 80ULL, 65535ULL, 65536ULL, 65616ULL, 4294967376ULL, 1ULL << 63, ~0ULL})
    ports.emplace_back(Service(wide), wide > 65535 ? -1 : static_cast<long long>(wide));
  for (long long wide : {-1LL, -65456LL, 65616LL, 4294967376LL, -4294967216LL})
    ports.emplace_back(Service(wide), wide);
  ports.emplace_back(Service(~static_cast<unsigned long>(0)), -1);
  for (auto [service, number] : ports) {
    INFO(number);
    auto found = getaddrinfo("127.0.0.1", service, numeric);
    if (number < 0 || number > 65535) {
      CHECK(service.port() == -1);
      CHECK_ERROR(found, ERANGE, getaddrinfo);
    } else {
      CHECK(service.port() == number);
      REQUIRE(found.has_value()); // sjs: the number of a service is not ignored
      CHECK((*found->begin()).address == at("127.0.0.1:" + std::to_string(number)));
    }
  }
}

TEST_CASE("getaddrinfo: a service of digits is a port from 0 to 65535, nothing else") {
  for (auto [text, port] : {std::pair("0", 0), {"1", 1}, {"80", 80}, {"8080", 8080}, {"65535", 65535}})
    CHECK((*VALUE(getaddrinfo("127.0.0.1", text, numeric)).begin()).address ==
          at("127.0.0.1:" + std::to_string(port)));
  // All of these are ports to the C library, or to others.
  for (const char *wrong : {"65536", "65616", "70000", "99999", "4294967295", "4294967296", "4294967376",
                            "18446744073709551616", "18446744073709551696", "99999999999999999999999999999999"}) {
    INFO(std::string(wrong));
    CHECK_ERROR(getaddrinfo("127.0.0.1", wrong, numeric), ERANGE, getaddrinfo);
  }
  for (const char *wrong : {"",     "*", "+80", "-1",  "-0",   "-80",    " 80", "\t80", "\n80",   "\v80", "\f80",
                            "\r80", " ", "00",  "080", "0080", "065535", "+",   "-",    "-65456", " +80"}) {
    INFO(std::string(wrong));
    CHECK_ERROR(getaddrinfo("127.0.0.1", wrong, numeric), EINVAL, getaddrinfo);
  }
  // What the C library refuses itself.
  for (const char *wrong : {"80 ", "80x", "0x50", "8 0", "80,81", "http:", "no-such-service", "**"}) {
    INFO(std::string(wrong));
    AddressHints hints = numeric;
    CHECK_ERROR(getaddrinfo("127.0.0.1", wrong, hints), EAI_SERVICE, getaddrinfo);
    hints.flags |= AI_NUMERICSERV;
    CHECK_ERROR(getaddrinfo("127.0.0.1", wrong, hints), EAI_NONAME, getaddrinfo);
  }
}

TEST_CASE("getaddrinfo: a NUL in a name is refused, and not its end") {
  const std::string names[] = {
      std::string("127.0.0.1\0.evil", 15),    std::string("127.0.0.1\0", 10), std::string("\0", 1),
      std::string("\0localhost", 10),         std::string("[::1\0]", 6),      std::string("[::1%lo\0]", 9),
      std::string("localhost\0localhost", 19)};
  for (const std::string &name : names) {
    INFO(name.c_str());
    CHECK_ERROR(getaddrinfo(name, 80), EINVAL, getaddrinfo);
  }
  for (const std::string &service : {std::string("80\0", 3), std::string("80\0x", 4), std::string("http\0", 5),
                                     std::string("\0", 1), std::string("\0 80", 4)}) {
    INFO(service.c_str());
    CHECK_ERROR(getaddrinfo("127.0.0.1", service), EINVAL, getaddrinfo);
  }
}

TEST_CASE("getaddrinfo: a long name is never cut, least of all to an address") {
  for (std::size_t cut : {11U, 63U, 64U, 127U, 128U, 253U, 254U, 255U, 256U, 511U, 512U, 1023U, 1024U}) {
    // An address of that many characters, and a name that only begins with it.
    const std::string address = "0x" + std::string(cut - 10, '0') + "7f000001";
    REQUIRE(address.size() == cut);
    CHECK(texts(VALUE(getaddrinfo(address, 80, numeric))) == Texts{"127.0.0.1:80"});
    for (std::size_t more : {1U, 2U, 13U, 256U, 768U, 1024U, 65536U, 100'000U}) {
      const std::string name = address + std::string(more - 1, '.') + "x";
      INFO(name.size());
      const int code = name.size() > 1024 ? ENAMETOOLONG : EAI_NONAME;
      CHECK_ERROR(getaddrinfo(name, 80, numeric), code, getaddrinfo);
    }
  }
  for (std::size_t size : {255U, 256U, 512U, 1024U})
    CHECK_ERROR(getaddrinfo("127.0.0.1", std::string(size, 'x'), numeric), EAI_SERVICE, getaddrinfo);
  for (std::size_t size : {1025U, 65536U, 100'000U})
    CHECK_ERROR(getaddrinfo("127.0.0.1", std::string(size, 'x'), numeric), ENAMETOOLONG, getaddrinfo);
}

TEST_CASE("getaddrinfo: names of 255 to 1024 bytes reach the resolver whole") {
  std::string hosts;
  std::vector<std::pair<std::string, std::string>> names;
  for (std::size_t size : {255U, 256U, 257U, 512U, 1023U, 1024U})
    for (int last : {1, 2}) {
      const std::string address = "192.0.2." + std::to_string(names.size() + 1);
      names.emplace_back(std::string(size - 1, 'n') + std::to_string(last), address + ":80");
      hosts += address + " " + names.back().first + "\n";
    }
  OWN_ETC_OR_SKIP(
      [&names] {
        for (const auto &[name, address] : names) {
          INFO(name.size());
          CHECK(resolve(name, {.family = AF_INET, .type = SOCK_STREAM}) == Texts{address});
        }
      },
      {{"hosts", hosts}, {"nsswitch.conf", "hosts: files\n"}});
}

TEST_CASE("getaddrinfo: '*' is no host") {
  CHECK_FALSE(raw("*", "80").empty()); // to the C library it is none, which is loopback
  CHECK_ERROR(getaddrinfo("*", 80), EINVAL, getaddrinfo);
  CHECK_ERROR(getaddrinfo("*", 80, {.flags = AI_PASSIVE}), EINVAL, getaddrinfo);
  CHECK_ERROR(getaddrinfo("**", 80, numeric), EAI_NONAME, getaddrinfo);
  CHECK_ERROR(getaddrinfo("", 80, numeric), EAI_NONAME, getaddrinfo);
}

TEST_CASE("getaddrinfo: brackets around an IPv6 address, and nothing else") {
  for (auto [host, text] : {std::pair("[::1]", "[::1]:80"),
                            {"::1", "[::1]:80"},
                            {"[::]", "[::]:80"},
                            {"[2001:DB8::0:1]", "[2001:db8::1]:80"},
                            {"[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]:80"}})
    CHECK(texts(VALUE(getaddrinfo(host, 80, numeric))) == Texts{text});
  const std::string zone = "%" + loopback_name();
  CHECK(texts(VALUE(getaddrinfo("[fe80::1" + zone + "]", 80, numeric))) == Texts{"[fe80::1" + zone + "]:80"});
  // Some versions of the C library want no zone here: brackets change nothing.
  for (const std::string &address : {"::1" + zone, std::string("::1%"), std::string("fe80::1%"),
                                     std::string("fe80::1%no-such-zone"), std::string("fe80::1%a%b")}) {
    INFO(address);
    int code = 0;
    const auto expected = raw(address.c_str(), "80", numeric, &code);
    auto found = getaddrinfo("[" + address + "]", 80, numeric);
    if (code != 0)
      CHECK_ERROR(found, code, getaddrinfo);
    else
      CHECK((entries(VALUE(std::move(found))) == expected));
  }
  for (const char *wrong : {"[", "[]", "[[]]", "[[::1]]", "[127.0.0.1]", "[localhost]", "[::1", "[::1]:80", "[::1] ",
                            "[ ::1]", "[::1]x", "[*]", "[%lo]", "[:1]", "[::1/64]", "[127.1]"}) {
    INFO(std::string(wrong));
    CHECK_ERROR(getaddrinfo(wrong, 80, numeric), EINVAL, getaddrinfo);
  }
  for (const char *wrong : {"::1]", "]", "::1[]"}) {
    INFO(std::string(wrong));
    CHECK_ERROR(getaddrinfo(wrong, 80, numeric), EAI_NONAME, getaddrinfo);
  }
}

// --- facts of the resolver ------------------------------------------------------------------------------

TEST_CASE("getaddrinfo: without a type there are three entries of an address") {
  const auto list = entries(VALUE(getaddrinfo("127.0.0.1", 80)));
  REQUIRE(list.size() == 3);
  const std::pair<int, int> kinds[] = {{SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, IPPROTO_UDP}, {SOCK_RAW, 0}};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(list[i].family == AF_INET);
    CHECK(list[i].type == kinds[i].first);
    CHECK(list[i].protocol == kinds[i].second);
    CHECK(list[i].address == at("127.0.0.1:80"));
  }
}

TEST_CASE("getaddrinfo: without a host, loopback; to bind, any address; IPv6 is first of one, last of the other") {
  const bool permitted = in_own_network([] {
    if (!has_inet6())
      SKIP("no IPv6");
    const AddressHints stream = {.type = SOCK_STREAM};
    CHECK(texts(VALUE(getaddrinfo(nullptr, 80, stream))) == Texts{"[::1]:80", "127.0.0.1:80"});
    CHECK(texts(VALUE(getaddrinfo(nullptr, "80", {.flags = AI_PASSIVE, .type = SOCK_STREAM}))) ==
          Texts{"0.0.0.0:80", "[::]:80"});
    CHECK((entries(VALUE(getaddrinfo(nullptr, 80))) == raw(nullptr, "80")));
  });
  if (!permitted)
    SKIP("no network can be made here");
}

TEST_CASE("getaddrinfo: without a service, port 0") {
  CHECK(texts(VALUE(getaddrinfo("127.0.0.1", nullptr, numeric))) == Texts{"127.0.0.1"});
  CHECK(texts(VALUE(getaddrinfo("[::1]", nullptr, numeric))) == Texts{"::1"});
  CHECK((entries(VALUE(getaddrinfo("127.0.0.1"))) == raw("127.0.0.1", nullptr)));
}

TEST_CASE("getaddrinfo: errors of the resolver, by what is asked") {
  struct {
    Host host;
    Service service;
    AddressHints hints;
    int code;
  } const rows[] = {
      {nullptr, nullptr, {}, EAI_NONAME},
      {nullptr, nullptr, {.flags = AI_PASSIVE}, EAI_NONAME},
      {"127.0.0.1", 80, {.family = AF_UNIX}, EAI_FAMILY},
      {"127.0.0.1", 80, {.family = 9999}, EAI_FAMILY},
      {"127.0.0.1", 80, {.flags = 0x10000000}, EAI_BADFLAGS},
      {nullptr, 80, {.flags = AI_CANONNAME}, EAI_BADFLAGS},
      {"127.0.0.1", 80, {.type = 77}, EAI_SOCKTYPE},
      {"127.0.0.1", 80, {.type = SOCK_STREAM, .protocol = IPPROTO_UDP}, EAI_SOCKTYPE},
      {"127.0.0.1", 80, {.family = AF_INET6}, EAI_ADDRFAMILY},
      {"::1", 80, {.family = AF_INET}, EAI_ADDRFAMILY},
      {"[::1]", 80, {.family = AF_INET}, EAI_ADDRFAMILY},
      {"127.0.0.1 x", 80, {.flags = AI_NUMERICHOST}, EAI_NONAME},
      {"127.0.0.1\n", 80, {.flags = AI_NUMERICHOST}, EAI_NONAME},
      {"localhost", 80, {.flags = AI_NUMERICHOST}, EAI_NONAME},
  };
  for (const auto &row : rows) {
    INFO(row.code);
    INFO(row.hints.type);
    auto found = getaddrinfo(row.host, row.service, row.hints);
    CHECK_ERROR(found, row.code, getaddrinfo);
    CHECK(found.error().domain() == ErrorDomain::getaddrinfo);
    CHECK(found.error().numeric() < 0);
  }
}

TEST_CASE("getaddrinfo: old forms of IPv4 addresses, which are none to SocketAddress::parse and is_ip") {
  for (auto [text, address] : {std::pair("127.1", "127.0.0.1"),
                               {"1", "0.0.0.1"},
                               {"0x7f.1", "127.0.0.1"},
                               {"0x7f000001", "127.0.0.1"},
                               {"2130706433", "127.0.0.1"},
                               {"010.0.0.1", "8.0.0.1"},
                               {"0177.0.0.1", "127.0.0.1"},
                               {"127.0.0.01", "127.0.0.1"},
                               {"127.0.1", "127.0.0.1"}}) {
    INFO(std::string(text));
    CHECK(texts(VALUE(getaddrinfo(text, nullptr, numeric))) == Texts{address});
    CHECK_ERROR(SocketAddress::parse(text), EINVAL, parse);
    CHECK_FALSE(is_ipv4(text));
    CHECK(is_ip(text) == 0);
  }
}

TEST_CASE("getaddrinfo: each of the hints reaches the resolver") {
  auto own = [] {
    for (int family : {AF_UNSPEC, AF_INET, AF_INET6})
      for (int type : {0, static_cast<int>(SOCK_STREAM), static_cast<int>(SOCK_DGRAM), static_cast<int>(SOCK_RAW)})
        for (int protocol : {0, static_cast<int>(IPPROTO_TCP), static_cast<int>(IPPROTO_UDP)})
          for (int flags : {0, AI_PASSIVE, AI_CANONNAME, AI_NUMERICSERV, AI_V4MAPPED | AI_ALL})
            for (const char *host : {"host.test", static_cast<const char *>(nullptr)}) {
              const AddressHints hints = {flags, family, type, protocol};
              int code = 0;
              const auto expected = raw(host, "80", hints, &code);
              auto found = getaddrinfo(host != nullptr ? Host(host) : Host(nullptr), 80, hints);
              INFO(family, " ", type, " ", protocol, " ", flags);
              if (code != 0)
                CHECK_ERROR(found, code, getaddrinfo);
              else
                CHECK((entries(VALUE(std::move(found))) == expected));
            }
    CHECK(resolve("host.test", {.family = AF_INET, .type = SOCK_STREAM}) == Texts{"192.0.2.1:80"});
    CHECK(resolve("host.test", {.family = AF_INET6, .type = SOCK_STREAM}) == Texts{"[2001:db8::1]:80"});
    for (const AddressInfo &info : VALUE(getaddrinfo("host.test", 80, {.protocol = IPPROTO_UDP})))
      CHECK(info.protocol == IPPROTO_UDP);
    CHECK(resolve("only4.test", {.flags = AI_V4MAPPED, .family = AF_INET6, .type = SOCK_STREAM}) ==
          Texts{"[::ffff:192.0.2.2]:80"});
  };
  OWN_ETC_OR_SKIP(own, {{"hosts", "192.0.2.1 host.test\n2001:db8::1 host.test\n192.0.2.2 only4.test\n"},
                        {"nsswitch.conf", "hosts: files\n"}});
}

TEST_CASE("getaddrinfo: names of services") {
  auto own = [] {
    const auto one = [](TextView service, const AddressHints &hints = {}) {
      return entries(VALUE(getaddrinfo("127.0.0.1", service, hints)));
    };
    CHECK((one("web", {.type = SOCK_STREAM}) ==
           std::vector<Entry>{{AF_INET, SOCK_STREAM, IPPROTO_TCP, at("127.0.0.1:8000"), ""}}));
    CHECK(one("www").at(0).address.port() == 8000); // an alias
    const auto both = one("shared");
    REQUIRE(both.size() == 2);
    CHECK(both[0].type == SOCK_STREAM);
    CHECK(both[0].address.port() == 512);
    CHECK(both[1].type == SOCK_DGRAM);
    CHECK(both[1].address.port() == 513);
    CHECK(one("shared", {.protocol = IPPROTO_UDP}).size() == 1);
    CHECK_ERROR(getaddrinfo("127.0.0.1", "web", {.type = SOCK_DGRAM}), EAI_SERVICE, getaddrinfo);
    CHECK_ERROR(getaddrinfo("127.0.0.1", "web", {.flags = AI_NUMERICSERV}), EAI_NONAME, getaddrinfo);
  };
  OWN_ETC_OR_SKIP(own, {{"services", "web 8000/tcp www\nshared 512/tcp\nshared 513/udp\n"}});
}

TEST_CASE("getaddrinfo: the scope of a link-local address is kept, there and back") {
  const std::string name = loopback_name();
  const SocketAddress scoped = Inet6Address{VALUE(at("[fe80::1]:0").get<Inet6Address>()).address, 80, 0, 1};
  for (const std::string &host : {"fe80::1%" + name, std::string("fe80::1%1"), "[fe80::1%" + name + "]"}) {
    INFO(std::string(host));
    const auto list = entries(VALUE(getaddrinfo(host, 80, numeric)));
    REQUIRE(list.size() == 1);
    CHECK(list[0].address == scoped);
    CHECK(VALUE(list[0].address.get<Inet6Address>()).scope_id == 1);
    CHECK(list[0].address.text() == "[fe80::1%" + name + "]:80");
    const NameInfo back = VALUE(getnameinfo(list[0].address, NI_NUMERICHOST | NI_NUMERICSERV));
    CHECK(back.host == "fe80::1%" + name);
    CHECK(back.service == "80");
    CHECK((*VALUE(getaddrinfo(back.host, back.service, numeric)).begin()).address == scoped);
  }
  CHECK_ERROR(getaddrinfo("fe80::1%no-such-zone", 80, numeric), EAI_NONAME, getaddrinfo);
  // An interface that is not there has its number.
  CHECK(VALUE(getnameinfo(Inet6Address{VALUE(scoped.get<Inet6Address>()).address, 80, 0, 999'999}, NI_NUMERICHOST))
            .host == "fe80::1%999999");
}

TEST_CASE("getaddrinfo: the scope of a link-local address is good to bind, connect and be told") {
  bool made = false;
  const bool permitted = in_own_network([&made] {
    if (!has_inet6() || !run_ip("link add here type veth peer name there") || !run_ip("link set here up") ||
        !run_ip("link set there up") || !run_ip("addr add fe80::1/64 dev here nodad"))
      return;
    made = true;
    const SocketAddress local = (*VALUE(getaddrinfo("fe80::1%here", 0, numeric)).begin()).address;
    const TcpListener listener(local);
    const std::string service = std::to_string(listener.address.port());
    const SocketAddress remote = (*VALUE(getaddrinfo("[fe80::1%here]", service, numeric)).begin()).address;
    CHECK(remote == listener.address);
    const Socket client = VALUE(Socket::socket(AF_INET6, SOCK_STREAM));
    VALUE(client.connect(remote));
    CHECK(VALUE(client.getpeername()) == remote);
    const SocketAddress name = VALUE(client.getsockname());
    CHECK(VALUE(name.get<Inet6Address>()).scope_id == ::if_nametoindex("here"));
    const Accepted accepted = VALUE(listener.socket.accept_from());
    CHECK(accepted.address == name);
    const NameInfo peer = VALUE(getnameinfo(accepted.address, NI_NUMERICHOST | NI_NUMERICSERV));
    CHECK(peer.host == "fe80::1%here");
    CHECK(peer.service == std::to_string(name.port()));
    const auto connected = connect_to("fe80::1%here", service);
    REQUIRE(connected.has_value());
    CHECK(VALUE(connected->getpeername()) == remote);
  });
  if (!permitted)
    SKIP("no network can be made here");
  if (!made)
    SKIP("no veth with IPv6 can be made here");
}

// --- lists ----------------------------------------------------------------------------------------------

namespace {

/// What all lists can: `list` has several elements, and `key` tells one from the other.
template <class List, class Key>
void check_list(Result<List> made, Key key) {
  static_assert(std::ranges::forward_range<List> && std::ranges::forward_range<const List>);
  static_assert(std::is_nothrow_move_constructible_v<List> && std::is_nothrow_move_assignable_v<List>);
  static_assert(!std::is_copy_constructible_v<List> && !std::is_copy_assignable_v<List>);
  static_assert(sizeof(List) == sizeof(void *));
  auto keys = [&key](const List &list) {
    std::vector<decltype(key(*list.begin()))> result;
    for (const auto &each : list)
      result.push_back(key(each));
    return result;
  };
  List list = VALUE(std::move(made));
  const auto expected = keys(list);
  REQUIRE(expected.size() > 0);
  CHECK(list.size() == expected.size());
  CHECK_FALSE(list.empty());

  List moved = std::move(list);
  CHECK(list.empty());
  CHECK(list.size() == 0);
  CHECK((list.begin() == list.end()));
  CHECK((keys(moved) == expected));

  List assigned;
  CHECK(assigned.empty());
  assigned = std::move(moved);
  CHECK(moved.empty());
  CHECK((keys(assigned) == expected));
  List &same = assigned;
  assigned = std::move(same);
  CHECK((keys(assigned) == expected));
  moved = std::move(assigned); // to one that was moved from
  CHECK((keys(moved) == expected));

  auto each = moved.begin();
  CHECK((key(*each) == expected[0]));
  CHECK((each++ == moved.begin()));
  CHECK((++moved.begin() == each));
  CHECK((each == moved.end()) == (expected.size() == 1));
  moved = List(); // what it had is freed
  CHECK(moved.empty());
}

} // namespace

TEST_CASE("AddressInfoList, InterfaceNameList, InterfaceAddressList: owned, moved, walked") {
  check_list(getaddrinfo("127.0.0.1", 80),
             [](const AddressInfo &info) { return std::pair(info.type, info.address); });
  check_list(baresock::if_nameindex(),
             [](const InterfaceName &name) { return std::pair(name.index, std::string(name.name)); });
  check_list(baresock::getifaddrs(), [](const InterfaceAddress &interface) {
    return std::pair(std::string(interface.name), interface.address);
  });
}

TEST_CASE("getaddrinfo: its list outlives what was asked with, and the list's addresses the list") {
  auto host = std::make_unique<std::string>("[2001:db8::5]");
  auto service = std::make_unique<std::string>("443");
  auto hints = std::make_unique<AddressHints>();
  *hints = {.flags = AI_NUMERICHOST | AI_CANONNAME, .type = SOCK_STREAM};
  auto list = VALUE(getaddrinfo(*host, *service, *hints));
  host.reset();
  service.reset();
  hints.reset();
  const auto all = entries(list);
  REQUIRE(all.size() == 1);
  CHECK(all[0].canonical_name == "2001:db8::5");
  const AddressInfo info = *list.begin();
  list = {};
  CHECK(info.address == at("[2001:db8::5]:443"));
}

// --- a real name server ---------------------------------------------------------------------------------

#define DNSMASQ_OR_SKIP()                                                                                            \
  do {                                                                                                               \
    if (!Dnsmasq::installed())                                                                                       \
      SKIP("no dnsmasq");                                                                                            \
  } while (false)

TEST_CASE("getaddrinfo over DNS: several addresses of one family or both") {
  DNSMASQ_OR_SKIP();
  OWN_ETC_OR_SKIP([] {
    const Dnsmasq server("host-record=one.test,192.0.2.1\nhost-record=six.test,2001:db8::6\n"
                         "host-record=both.test,192.0.2.2,2001:db8::2\n"
                         "host-record=multi.test,192.0.2.11\nhost-record=multi.test,192.0.2.12\n"
                         "host-record=multi.test,192.0.2.13\nhost-record=multi.test,2001:db8::11\n"
                         "host-record=multi.test,2001:db8::12\n");
    const AddressHints stream = {.type = SOCK_STREAM};
    CHECK(resolve("one.test", stream) == Texts{"192.0.2.1:80"});
    CHECK(resolve("ONE.Test.", stream) == Texts{"192.0.2.1:80"});
    CHECK(resolve("six.test", stream) == Texts{"[2001:db8::6]:80"});
    CHECK(resolve("both.test", stream) == Texts{"192.0.2.2:80", "[2001:db8::2]:80"});
    CHECK(resolve("both.test", {.family = AF_INET, .type = SOCK_STREAM}) == Texts{"192.0.2.2:80"});
    CHECK(resolve("both.test", {.family = AF_INET6, .type = SOCK_STREAM}) == Texts{"[2001:db8::2]:80"});
    CHECK(resolve("multi.test", stream) ==
          Texts{"192.0.2.11:80", "192.0.2.12:80", "192.0.2.13:80", "[2001:db8::11]:80", "[2001:db8::12]:80"});
    CHECK(VALUE(getaddrinfo("multi.test", 80)).size() == 15); // three types of each

    CHECK(resolve("one.test", {.flags = AI_V4MAPPED, .family = AF_INET6, .type = SOCK_STREAM}) ==
          Texts{"[::ffff:192.0.2.1]:80"});
    CHECK(resolve("both.test", {.flags = AI_V4MAPPED, .family = AF_INET6, .type = SOCK_STREAM}) ==
          Texts{"[2001:db8::2]:80"});
    CHECK(resolve("both.test", {.flags = AI_V4MAPPED | AI_ALL, .family = AF_INET6, .type = SOCK_STREAM}) ==
          Texts{"[2001:db8::2]:80", "[::ffff:192.0.2.2]:80"});

    CHECK(error_of("none.test") == "EAI_NONAME");
    CHECK(error_of("one.test", {.family = AF_INET6, .type = SOCK_STREAM}) == "EAI_NODATA");
    CHECK(error_of("six.test", {.family = AF_INET, .type = SOCK_STREAM}) == "EAI_NODATA");
    CHECK(error_of("elsewhere.example") == "EAI_AGAIN"); // refused
    CHECK(error_of("one.test x") == "EAI_NONAME");
  });
}

TEST_CASE("getaddrinfo over DNS: a name with other records than addresses has EAI_NODATA") {
  DNSMASQ_OR_SKIP();
  OWN_ETC_OR_SKIP([] {
    const Dnsmasq server("txt-record=text.test,words\n");
    auto found = getaddrinfo("text.test", 80);
    CHECK_ERROR(found, EAI_NODATA, getaddrinfo);
    CHECK(found.error().numeric() == -5);
  });
}

TEST_CASE("getaddrinfo over DNS: the canonical name of the first") {
  DNSMASQ_OR_SKIP();
  OWN_ETC_OR_SKIP([] {
    const Dnsmasq server("host-record=both.test,192.0.2.2,2001:db8::2\ncname=alias.test,both.test\n"
                         "cname=second.test,alias.test\n");
    for (const char *host : {"both.test", "alias.test", "second.test"})
      for (int flags : {0, AI_CANONNAME}) {
        INFO(std::string(host));
        const auto list = entries(VALUE(getaddrinfo(host, 80, {.flags = flags, .type = SOCK_STREAM})));
        REQUIRE(list.size() == 2);
        CHECK(list[0].canonical_name == (flags != 0 ? "both.test" : ""));
        CHECK(list[1].canonical_name == "");
      }
  });
}

TEST_CASE("getaddrinfo over DNS: names are searched for as resolv.conf says") {
  DNSMASQ_OR_SKIP();
  OWN_ETC_OR_SKIP(
      [] {
        const Dnsmasq server("host-record=host.second.test,192.0.2.2\nhost-record=host.first.test,192.0.2.1\n"
                             "host-record=other.second.test,192.0.2.3\nhost-record=bare.test,192.0.2.4\n");
        const AddressHints hints = {.flags = AI_CANONNAME, .family = AF_INET, .type = SOCK_STREAM};
        CHECK(resolve("host", hints) == Texts{"192.0.2.1:80"});
        CHECK(entries(VALUE(getaddrinfo("host", 80, hints))).at(0).canonical_name == "host.first.test");
        CHECK(resolve("other", hints) == Texts{"192.0.2.3:80"});
        CHECK(resolve("bare.test", hints) == Texts{"192.0.2.4:80"});
        CHECK(error_of("nowhere") != "");
      },
      {{"resolv.conf", "nameserver 127.0.0.1\nsearch first.test second.test\noptions timeout:1 attempts:1\n"}});
}

TEST_CASE("getaddrinfo over DNS: 200 addresses, which come over TCP") {
  DNSMASQ_OR_SKIP();
  OWN_ETC_OR_SKIP([] {
    std::string configuration;
    Texts expected;
    for (int i = 1; i <= 200; ++i) {
      configuration += "host-record=many.test,192.0.2." + std::to_string(i) + "\n";
      expected.push_back("192.0.2." + std::to_string(i) + ":80");
    }
    const Dnsmasq server(configuration);
    const auto list = VALUE(getaddrinfo("many.test", 80, {.family = AF_INET, .type = SOCK_STREAM}));
    CHECK(list.size() == 200);
    CHECK(sorted(texts(list)) == sorted(expected));
  });
}

TEST_CASE("getaddrinfo over DNS: AI_ADDRCONFIG wants no addresses of a family that no interface has") {
  DNSMASQ_OR_SKIP();
  bool made = false;
  OWN_ETC_OR_SKIP([&made] {
    made = run_ip("link add here type veth peer name there") && run_ip("addr add 10.0.0.1/24 dev here") &&
           run_ip("link set here up"); // without its peer it has no link-local address
    if (!made)
      return;
    const Dnsmasq server("host-record=both.test,192.0.2.2,2001:db8::2\n");
    CHECK(resolve("both.test", {.flags = AI_ADDRCONFIG, .type = SOCK_STREAM}) == Texts{"192.0.2.2:80"});
    CHECK(resolve("both.test", {.type = SOCK_STREAM}) == Texts{"192.0.2.2:80", "[2001:db8::2]:80"});
  });
  if (!made)
    SKIP("no veth can be made here");
}

TEST_CASE("getnameinfo over DNS: names of addresses") {
  DNSMASQ_OR_SKIP();
  OWN_ETC_OR_SKIP([] {
    const Dnsmasq server("host-record=both.test,192.0.2.2,2001:db8::2\n"
                         "ptr-record=9.2.0.192.in-addr.arpa,pointed.example\n");
    for (const char *address : {"192.0.2.2:80", "[2001:db8::2]:80"}) {
      CHECK(VALUE(getnameinfo(at(address))).host == "both.test");
      CHECK(VALUE(getnameinfo(at(address), NI_NAMEREQD)).host == "both.test");
    }
    CHECK(VALUE(getnameinfo(at("192.0.2.9:80"), NI_NAMEREQD | NI_NUMERICSERV)).host == "pointed.example");
    CHECK(VALUE(getnameinfo(at("192.0.2.2:80"), NI_NUMERICHOST)).host == "192.0.2.2");
    CHECK(VALUE(getnameinfo(at("192.0.2.77:80"))).host == "192.0.2.77");
    CHECK_ERROR(getnameinfo(at("192.0.2.77:80"), NI_NAMEREQD), EAI_NONAME, getnameinfo);
  });
}

TEST_CASE("connect_to over DNS: by name, to the address that listens; a name that fails is never a connection") {
  DNSMASQ_OR_SKIP();
  OWN_ETC_OR_SKIP([] {
    const Dnsmasq server("host-record=server.test,127.0.0.1,::1\nhost-record=six.test,2001:db8::6\n"
                         "host-record=four.test,127.0.0.1\n");
    NoLeak no_leak;
    const TcpListener listener; // IPv4 only
    const std::uint16_t port = listener.address.port();
    for (const char *host : {"server.test", "four.test"}) {
      const ConnectResult connected = connect_to(host, port, {.deadline = Milliseconds(long_time)});
      REQUIRE(connected.has_value());
      CHECK(VALUE(connected->getpeername()) == listener.address);
      REQUIRE_FALSE(connected.attempts.empty());
      CHECK(connected.attempts[connected.attempts.size() - 1].address == listener.address);
    }
    struct {
      const char *host;
      int family;
      int code;
    } const rows[] = {{"none.test", AF_UNSPEC, EAI_NONAME},
                      {"four.test", AF_INET6, EAI_NODATA},
                      {"elsewhere.example", AF_UNSPEC, EAI_AGAIN}};
    for (const auto &row : rows) {
      INFO(std::string(row.host));
      const ConnectResult failed = connect_to(row.host, port, {.family = row.family});
      CHECK_ERROR(failed, row.code, getaddrinfo);
      CHECK(failed.attempts.empty());
    }
  });
}

// --- name servers that are no good ----------------------------------------------------------------------

TEST_CASE("getaddrinfo over DNS: what a server says instead of an answer") {
  OWN_ETC_OR_SKIP([] {
    NameServer server([](const NameServer::Question &question) -> std::string {
      if (question.name == "good.test")
        return question.type == NameServer::a
                   ? NameServer::reply(question, 0, {{NameServer::a, std::string("\xc0\0\2\1", 4)}})
                   : NameServer::reply(question, 0);
      if (question.name == "empty.test")
        return NameServer::reply(question, 0);
      if (question.name == "short.test")
        return NameServer::reply(question, 0, {{question.type, std::string(3, '\1')}});
      if (question.name == "loop.test")
        return NameServer::reply(question, 0, {{NameServer::cname, NameServer::encoded("loop.test")}});
      if (question.name == "truncated.test") { // and nobody listens for TCP
        std::string packet = NameServer::reply(question, 0);
        packet[2] |= 2;
        return packet;
      }
      return NameServer::reply(question, std::stoi(question.name)); // "5.test"
    });
    CHECK(resolve("good.test", {.type = SOCK_STREAM}) == Texts{"192.0.2.1:80"});
    CHECK(error_of("2.test") == "EAI_AGAIN");  // SERVFAIL
    CHECK(error_of("5.test") == "EAI_AGAIN");  // REFUSED
    CHECK(error_of("3.test") == "EAI_NONAME"); // NXDOMAIN
    CHECK(error_of("empty.test") == "EAI_NODATA");
    CHECK(error_of("truncated.test") == "EAI_AGAIN");
    // Of what is no answer at all, whatever the C library says.
    for (const char *host : {"1.test", "4.test", "6.test", "9.test", "15.test", "short.test", "loop.test"}) {
      INFO(std::string(host));
      int code = 0;
      raw(host, "80", {.type = SOCK_STREAM}, &code);
      CHECK(code < 0);
      CHECK(error_of(host) == error_name(code));
    }
    CHECK(resolve("good.test", {.type = SOCK_STREAM}) == Texts{"192.0.2.1:80"});
  });
}

TEST_CASE("getaddrinfo over DNS: a server that is silent, answers nonsense or is not there: EAI_AGAIN") {
  OWN_ETC_OR_SKIP([] {
    {
      NameServer server([](const NameServer::Question &question) -> std::string {
        if (question.name == "nonsense.test")
          return "nonsense";
        if (question.name != "other.test")
          return "";
        std::string packet = NameServer::reply(question, 0, {{NameServer::a, std::string(4, '\1')}});
        packet[0] = static_cast<char>(packet[0] ^ 1); // the answer to another question
        return packet;
      });
      const AddressHints hints = {.family = AF_INET, .type = SOCK_STREAM};
      CHECK(error_of("silent.test", hints) == "EAI_AGAIN");
      CHECK(error_of("nonsense.test", hints) == "EAI_AGAIN");
      CHECK(error_of("other.test", hints) == "EAI_AGAIN");
      CHECK_ERROR(getnameinfo(at("192.0.2.1:80"), NI_NAMEREQD), EAI_AGAIN, getnameinfo);
    }
    CHECK(error_of("nobody.test") == "EAI_AGAIN");
    auto connected = connect_to("nobody.test", 80);
    CHECK_ERROR(connected, EAI_AGAIN, getaddrinfo); // and no list without addresses
    CHECK(connected.attempts.empty());
    CHECK(texts(VALUE(getaddrinfo("localhost", 80, {.family = AF_INET, .type = SOCK_STREAM}))) ==
          Texts{"127.0.0.1:80"});
  });
}

TEST_CASE("getaddrinfo over DNS: what reaches the server") {
  OWN_ETC_OR_SKIP(
      [] {
        NameServer server([](const NameServer::Question &question) { return NameServer::reply(question, 3); });
        auto asked = [&server](Host host, const AddressHints &hints) {
          CHECK_FALSE(getaddrinfo(host, 80, hints).has_value());
          return sorted(server.asked());
        };
        CHECK(asked("x.test.", {}) == Texts{"x.test 1", "x.test 28"});
        CHECK(asked("x.test.", {.family = AF_INET}) == Texts{"x.test 1"});
        CHECK(asked("x.test.", {.family = AF_INET6}) == Texts{"x.test 28"});
        CHECK(asked("x", {.family = AF_INET}) == Texts{"x 1", "x.first.test 1", "x.second.test 1"});
        CHECK(asked("x.test", {.flags = AI_NUMERICHOST}).empty());
        // Nobody is asked about what is refused.
        CHECK(asked(std::string_view("x.test\0.evil", 12), {}).empty());
        CHECK(asked("[x.test]", {}).empty());
        CHECK(asked("127.1", {.family = AF_INET6}).empty());
        CHECK_FALSE(getaddrinfo("x.test.", "65536").has_value());
        CHECK(server.asked().empty());
        CHECK(VALUE(getnameinfo(at("192.0.2.1:80"))).host == "192.0.2.1");
        CHECK(server.asked() == Texts{"1.2.0.192.in-addr.arpa 12"});
      },
      {{"resolv.conf", "nameserver 127.0.0.1\nsearch first.test second.test\noptions timeout:1 attempts:1\n"}});
}

// --- EAI_SYSTEM, threads --------------------------------------------------------------------------------

namespace {

/// As long as it lives, nobody gets a new descriptor.
class NoDescriptors {
public:
  NoDescriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit none = {3, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  NoDescriptors(const NoDescriptors &) = delete;
  NoDescriptors &operator=(const NoDescriptors &) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
  rlimit before_ = {};
};

} // namespace

TEST_CASE("getaddrinfo, connect_to: EAI_SYSTEM is the errno that it stands for") {
  bool system = false;
  OWN_ETC_OR_SKIP([&system] {
    const NameServer server([](const NameServer::Question &question) { return NameServer::reply(question, 3); });
    CHECK(error_of("none.test") == "EAI_NONAME"); // what the resolver opens once, it has opened
    const NoDescriptors none;
    int code = 0;
    raw("none.test", "80", {}, &code);
    system = code == EAI_SYSTEM;
    if (!system)
      return;
    clear_error();
    CHECK_ERROR(getaddrinfo("none.test", 80), EMFILE, getaddrinfo);
    const ConnectResult connected = connect_to("none.test", 80);
    CHECK_ERROR(connected, EMFILE, getaddrinfo);
    CHECK(connected.attempts.empty());
  });
  if (!system)
    SKIP("the C library says something else than EAI_SYSTEM when it has no descriptors");
}

TEST_CASE("getaddrinfo, getnameinfo: in several threads at once") {
  DNSMASQ_OR_SKIP();
  OWN_ETC_OR_SKIP(
      [] {
        std::string configuration;
        for (int i = 1; i <= 8; ++i)
          configuration += "host-record=h" + std::to_string(i) + ".test,192.0.2." + std::to_string(i) + "\n";
        const Dnsmasq server(configuration);
        std::atomic<int> right = 0;
        std::vector<std::thread> threads;
        for (int i = 1; i <= 8; ++i)
          threads.emplace_back([&right, i] { // which is in the same network
            const std::string name = "h" + std::to_string(i) + ".test";
            const std::string address = "192.0.2." + std::to_string(i);
            const AddressHints hints = {.family = AF_INET, .type = SOCK_STREAM};
            for (int round = 0; round < 10; ++round) {
              auto found = getaddrinfo(name, i, hints);
              right += found && texts(*found) == Texts{address + ":" + std::to_string(i)};
              auto back = getnameinfo(Inet4Address{0xc0000200 + static_cast<std::uint32_t>(i), 0});
              right += back && back->host == name;
              auto file = getaddrinfo("localhost", i, hints);
              right += file && texts(*file) == Texts{"127.0.0.1:" + std::to_string(i)};
              auto none = getaddrinfo("none" + std::to_string(round) + ".test", i, hints);
              right += !none && none.error().numeric() == EAI_NONAME && last_error() == none.error();
              auto service = baresock::getservbyport(1000 + i);
              right += service && service->name == "s" + std::to_string(i);
            }
          });
        for (std::thread &thread : threads)
          thread.join();
        CHECK(right == 8 * 10 * 5);
      },
      {{"services", "s1 1001/tcp\ns2 1002/tcp\ns3 1003/tcp\ns4 1004/tcp\ns5 1005/tcp\ns6 1006/tcp\ns7 1007/tcp\n"
                    "s8 1008/tcp\n"}});
}

// --- getnameinfo ----------------------------------------------------------------------------------------

TEST_CASE("getnameinfo: each of its flags, and its errors") {
  auto own = [] {
    const SocketAddress address = at("192.0.2.1:512");
    NameInfo info = VALUE(getnameinfo(address));
    CHECK(info.host == "host.test");
    CHECK(info.service == "of-tcp");
    info = VALUE(getnameinfo(address, NI_DGRAM));
    CHECK(info.host == "host.test");
    CHECK(info.service == "of-udp");
    info = VALUE(getnameinfo(address, NI_NUMERICHOST));
    CHECK(info.host == "192.0.2.1");
    CHECK(info.service == "of-tcp");
    info = VALUE(getnameinfo(address, NI_NUMERICSERV));
    CHECK(info.host == "host.test");
    CHECK(info.service == "512");
    info = VALUE(getnameinfo(at("[2001:db8::1]:513"), NI_NAMEREQD));
    CHECK(info.host == "host.test");
    CHECK(info.service == "513"); // no name
    info = VALUE(getnameinfo(at("192.0.2.77:0")));
    CHECK(info.host == "192.0.2.77");
    CHECK(info.service == "0");
    CHECK_ERROR(getnameinfo(at("192.0.2.77:0"), NI_NAMEREQD), EAI_NONAME, getnameinfo);
    CHECK_ERROR(getnameinfo(at("[2001:db8::77]:0"), NI_NAMEREQD), EAI_NONAME, getnameinfo);
    CHECK(VALUE(getnameinfo(at("192.0.2.2:0"))).host == std::string(1024, 'n')); // NI_MAXHOST, with its NUL
    CHECK_ERROR(getnameinfo(at("192.0.2.3:0")), EAI_OVERFLOW, getnameinfo);
    CHECK(VALUE(getnameinfo(at("192.0.2.1:600"))).service == std::string(31, 's')); // NI_MAXSERV
    CHECK_ERROR(getnameinfo(at("192.0.2.1:601")), EAI_OVERFLOW, getnameinfo);
  };
  OWN_ETC_OR_SKIP(own, {{"hosts", "192.0.2.1 host.test\n2001:db8::1 host.test\n192.0.2.2 " + std::string(1024, 'n') +
                                      "\n192.0.2.3 " + std::string(1025, 'n') + "\n"},
                        {"services", "of-tcp 512/tcp\nof-udp 512/udp\n" + std::string(31, 's') + " 600/tcp\n" +
                                         std::string(32, 's') + " 601/tcp\n"},
                        {"nsswitch.conf", "hosts: files\nservices: files\n"}});
}

TEST_CASE("getnameinfo: numeric, anywhere") {
  constexpr int flags = NI_NUMERICHOST | NI_NUMERICSERV;
  for (auto [address, host, service] : {std::array{"127.0.0.1:80", "127.0.0.1", "80"},
                                        {"0.0.0.0:0", "0.0.0.0", "0"},
                                        {"255.255.255.255:65535", "255.255.255.255", "65535"},
                                        {"[::1]:443", "::1", "443"},
                                        {"[2001:db8::1:0:0:1]:1", "2001:db8::1:0:0:1", "1"},
                                        {"[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1", "1"}}) {
    const NameInfo info = VALUE(getnameinfo(at(address), flags));
    CHECK(info.host == host);
    CHECK(info.service == service);
    CHECK(info.host.size() == std::strlen(host));
  }
}

TEST_CASE("getnameinfo: of addresses of other families") {
  CHECK(VALUE(getnameinfo(at("/run/x.sock"))).service == "/run/x.sock");
  CHECK_ERROR(getnameinfo(at("/" + std::string(31, 'x'))), EAI_OVERFLOW, getnameinfo);
  CHECK_ERROR(getnameinfo(at("/" + std::string(107, 'x'))), EAI_OVERFLOW, getnameinfo); // without a NUL of its own
  CHECK_ERROR(getnameinfo(SocketAddress()), EAI_FAMILY, getnameinfo);
  CHECK_ERROR(getnameinfo(SocketAddress::unspec()), EAI_FAMILY, getnameinfo);
  CHECK_ERROR(getnameinfo(NetlinkAddress{}), EAI_FAMILY, getnameinfo);
  CHECK_ERROR(getnameinfo(VsockAddress{}), EAI_FAMILY, getnameinfo);
  CHECK_ERROR(getnameinfo(at("127.0.0.1:80"), 0x10000000), EAI_BADFLAGS, getnameinfo);
}

// --- services and protocols -----------------------------------------------------------------------------

TEST_CASE("getservbyname, getservbyport: everything in /etc/services") {
  struct Row {
    std::string name;
    int port;
    std::string protocol;
    std::vector<std::string> aliases;
  };
  std::vector<Row> rows;
  ::setservent(1);
  while (const servent *entry = ::getservent()) {
    rows.push_back({entry->s_name, ntohs(static_cast<std::uint16_t>(entry->s_port)), entry->s_proto, {}});
    for (char **alias = entry->s_aliases; *alias != nullptr; ++alias)
      rows.back().aliases.emplace_back(*alias);
  }
  ::endservent();
  if (rows.empty())
    SKIP("no /etc/services");
  auto same = [](const Result<ServiceEntry> &found, const servent *expected) {
    REQUIRE(expected != nullptr);
    REQUIRE(found.has_value());
    CHECK(found->name == expected->s_name);
    CHECK(found->port == ntohs(static_cast<std::uint16_t>(expected->s_port)));
    CHECK(found->protocol == expected->s_proto);
  };
  for (const Row &row : rows) {
    INFO(row.name);
    for (const char *protocol : {row.protocol.c_str(), static_cast<const char *>(nullptr)}) {
      const TextView ours = protocol != nullptr ? TextView(protocol) : TextView();
      same(baresock::getservbyname(row.name, ours), ::getservbyname(row.name.c_str(), protocol));
      same(baresock::getservbyport(row.port, ours),
           ::getservbyport(htons(static_cast<std::uint16_t>(row.port)), protocol));
      for (const std::string &alias : row.aliases)
        same(baresock::getservbyname(alias, ours), ::getservbyname(alias.c_str(), protocol));
    }
  }
}

TEST_CASE("getprotobyname, getprotobynumber: everything in /etc/protocols") {
  std::vector<std::pair<std::string, int>> rows; // aliases too
  ::setprotoent(1);
  while (const protoent *entry = ::getprotoent()) {
    rows.emplace_back(entry->p_name, entry->p_proto);
    for (char **alias = entry->p_aliases; *alias != nullptr; ++alias)
      rows.emplace_back(*alias, entry->p_proto);
  }
  ::endprotoent();
  if (rows.empty())
    SKIP("no /etc/protocols");
  for (const auto &[name, number] : rows) {
    INFO(name);
    const protoent *expected = ::getprotobyname(name.c_str());
    REQUIRE(expected != nullptr);
    auto found = baresock::getprotobyname(name);
    REQUIRE(found.has_value());
    CHECK(found->name == expected->p_name);
    CHECK(found->number == number);
    expected = ::getprotobynumber(number);
    REQUIRE(expected != nullptr);
    found = baresock::getprotobynumber(number);
    REQUIRE(found.has_value());
    CHECK(found->name == expected->p_name);
    CHECK(found->number == number);
  }
}

TEST_CASE("getservbyname, getservbyport: of a services(5) of the test's own") {
  const std::string name63(63, 'n');
  const std::string name64(64, 'm');
  const std::string protocol31(31, 'p');
  const std::string protocol32(32, 'q');
  auto own = [&] {
    auto check = [](Result<ServiceEntry> found, TextView name, int port, TextView protocol) {
      const ServiceEntry entry = VALUE(std::move(found));
      CHECK(entry.name == name);
      CHECK(entry.port == port);
      CHECK(entry.protocol == protocol);
    };
    check(baresock::getservbyname("web"), "web", 8000, "tcp");
    check(baresock::getservbyname("www"), "web", 8000, "tcp");
    check(baresock::getservbyname("web", "tcp"), "web", 8000, "tcp");
    check(baresock::getservbyport(8000), "web", 8000, "tcp");
    check(baresock::getservbyname("shared"), "shared", 512, "tcp");
    check(baresock::getservbyname("shared", "udp"), "shared", 513, "udp");
    check(baresock::getservbyport(514, "udp"), "of-udp", 514, "udp");
    check(baresock::getservbyport(514, "tcp"), "of-tcp", 514, "tcp");
    check(baresock::getservbyport(65535), "last", 65535, "tcp");
    check(baresock::getservbyname(name63), name63, 1001, "tcp");
    check(baresock::getservbyname("p31"), "p31", 1003, protocol31);

    CHECK_ERROR(baresock::getservbyname("none"), ENOENT, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname(""), ENOENT, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname("8000"), ENOENT, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname("web", "udp"), ENOENT, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname("web", "none"), ENOENT, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname(name64), EOVERFLOW, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname("p32"), EOVERFLOW, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname(TextView("web\0", 4)), EINVAL, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname("web", TextView("tcp\0x", 5)), EINVAL, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname(std::string(255, 'x')), ENOENT, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname(std::string(256, 'x')), ENAMETOOLONG, getservbyname_r);
    CHECK_ERROR(baresock::getservbyname("web", std::string(256, 'x')), ENAMETOOLONG, getservbyname_r);

    CHECK_ERROR(baresock::getservbyport(1), ENOENT, getservbyport_r);
    CHECK_ERROR(baresock::getservbyport(8000, "udp"), ENOENT, getservbyport_r);
    CHECK_ERROR(baresock::getservbyport(1002), EOVERFLOW, getservbyport_r);
    CHECK_ERROR(baresock::getservbyport(1004), EOVERFLOW, getservbyport_r);
    CHECK_ERROR(baresock::getservbyport(-1), ERANGE, getservbyport_r);
    CHECK_ERROR(baresock::getservbyport(65536), ERANGE, getservbyport_r);
    CHECK_ERROR(baresock::getservbyport(65536 + 8000), ERANGE, getservbyport_r);
    CHECK_ERROR(baresock::getservbyport(8000 - 65536), ERANGE, getservbyport_r);
    CHECK_ERROR(baresock::getservbyport(8000, TextView("tcp\0", 4)), EINVAL, getservbyport_r);
    CHECK_ERROR(baresock::getservbyport(8000, std::string(256, 'x')), ENAMETOOLONG, getservbyport_r);
  };
  OWN_ETC_OR_SKIP(own, {{"services", "web 8000/tcp www\nshared 512/tcp\nshared 513/udp\nof-tcp 514/tcp\n"
                                     "of-udp 514/udp\nlast 65535/tcp\n" +
                                         name63 + " 1001/tcp\n" + name64 + " 1002/tcp\np31 1003/" + protocol31 +
                                         "\np32 1004/" + protocol32 + "\n"}});
}

TEST_CASE("getprotobyname, getprotobynumber: of a protocols(5) of the test's own") {
  const std::string name63(63, 'n');
  const std::string name64(64, 'm');
  auto own = [&] {
    auto check = [](Result<ProtocolEntry> found, TextView name, int number) {
      const ProtocolEntry entry = VALUE(std::move(found));
      CHECK(entry.name == name);
      CHECK(entry.number == number);
    };
    check(baresock::getprotobyname("tcp"), "tcp", IPPROTO_TCP);
    check(baresock::getprotobyname("TCP"), "tcp", IPPROTO_TCP);
    check(baresock::getprotobynumber(IPPROTO_TCP), "tcp", IPPROTO_TCP);
    check(baresock::getprotobynumber(0), "ip", 0);
    check(baresock::getprotobyname("mptcp"), "mptcp", 262);
    check(baresock::getprotobynumber(262), "mptcp", 262);
    check(baresock::getprotobyname(name63), name63, 201);
    CHECK_ERROR(baresock::getprotobyname("none"), ENOENT, getprotobyname_r);
    CHECK_ERROR(baresock::getprotobyname(""), ENOENT, getprotobyname_r);
    CHECK_ERROR(baresock::getprotobyname("6"), ENOENT, getprotobyname_r);
    CHECK_ERROR(baresock::getprotobyname(name64), EOVERFLOW, getprotobyname_r);
    CHECK_ERROR(baresock::getprotobyname(TextView("tcp\0", 4)), EINVAL, getprotobyname_r);
    CHECK_ERROR(baresock::getprotobyname(std::string(256, 'x')), ENAMETOOLONG, getprotobyname_r);
    CHECK_ERROR(baresock::getprotobynumber(7), ENOENT, getprotobynumber_r);
    CHECK_ERROR(baresock::getprotobynumber(-1), ENOENT, getprotobynumber_r);
    CHECK_ERROR(baresock::getprotobynumber(202), EOVERFLOW, getprotobynumber_r);
  };
  OWN_ETC_OR_SKIP(own, {{"protocols", "ip 0 IP\ntcp 6 TCP\nmptcp 262\n" + name63 + " 201\n" + name64 + " 202\n"}});
}

TEST_CASE("getservbyname, getprotobyname: an entry of more than 8 KiB is ERANGE, and so is what stands after it") {
  std::string aliases;
  while (aliases.size() < 16'000)
    aliases += " alias" + std::to_string(aliases.size());
  auto own = [] {
    CHECK(VALUE(baresock::getservbyname("before")).port == 1);
    CHECK(VALUE(baresock::getprotobyname("before")).number == 1);
    for (const char *name : {"many", "after"}) {
      CHECK_ERROR(baresock::getservbyname(name, {}), ERANGE, getservbyname_r);
      CHECK_ERROR(baresock::getprotobyname(name), ERANGE, getprotobyname_r);
    }
    CHECK_ERROR(baresock::getservbyport(2, {}), ERANGE, getservbyport_r);
    CHECK_ERROR(baresock::getprotobynumber(2), ERANGE, getprotobynumber_r);
  };
  OWN_ETC_OR_SKIP(own, {{"services", "before 1/tcp\nmany 2/tcp" + aliases + "\nafter 3/tcp\n"},
                        {"protocols", "before 1\nmany 2" + aliases + "\nafter 3\n"}});
}

// --- interfaces -----------------------------------------------------------------------------------------

TEST_CASE("if_nametoindex, if_indextoname: as the C library says, and there and back") {
  const std::string name = loopback_name();
  CHECK(VALUE(baresock::if_nametoindex(name)) == 1);
  CHECK(VALUE(baresock::if_indextoname(1)) == name);
  CHECK_ERROR(baresock::if_nametoindex("no-such-one"), ENODEV, if_nametoindex);
  CHECK_ERROR(baresock::if_nametoindex(""), ENODEV, if_nametoindex);
  CHECK_ERROR(baresock::if_nametoindex(TextView("lo\0", 3)), EINVAL, if_nametoindex);
  CHECK_ERROR(baresock::if_nametoindex(TextView("lo\0junk", 7)), EINVAL, if_nametoindex);
  CHECK_ERROR(baresock::if_nametoindex("a-name-of-15-ch"), ENODEV, if_nametoindex);
  CHECK_ERROR(baresock::if_nametoindex("a-name-of-16-cha"), ENAMETOOLONG, if_nametoindex); // the kernel would cut it
  CHECK_ERROR(baresock::if_indextoname(0), ENXIO, if_indextoname);
  CHECK_ERROR(baresock::if_indextoname(~0U), ENXIO, if_indextoname);
}

TEST_CASE("if_nameindex: as the C library says") {
  struct ::if_nameindex *expected = ::if_nameindex();
  REQUIRE(expected != nullptr);
  std::size_t count = 0;
  const auto list = VALUE(baresock::if_nameindex());
  for (const InterfaceName &each : list) {
    REQUIRE(expected[count].if_index != 0);
    CHECK(each.index == expected[count].if_index);
    CHECK(each.name == expected[count].if_name);
    CHECK(VALUE(baresock::if_nametoindex(each.name)) == each.index);
    CHECK(VALUE(baresock::if_indextoname(each.index)) == each.name);
    ++count;
  }
  CHECK(expected[count].if_index == 0);
  CHECK(list.size() == count);
  ::if_freenameindex(expected);
}

TEST_CASE("if_nameindex: in a network of its own, only lo; then what is added") {
  bool made = false;
  const bool permitted = in_own_network([&made] {
    auto names = [] {
      Texts result;
      for (const InterfaceName &each : VALUE(baresock::if_nameindex()))
        result.push_back(std::to_string(each.index) + " " + std::string(each.name));
      return result;
    };
    CHECK(names() == Texts{"1 lo"});
    made = run_ip("link add name a-name-of-15-ch index 7 type veth peer name b index 9");
    if (!made)
      return;
    CHECK(sorted(names()) == Texts{"1 lo", "7 a-name-of-15-ch", "9 b"});
    CHECK(VALUE(baresock::if_nametoindex("a-name-of-15-ch")) == 7);
    CHECK(VALUE(baresock::if_indextoname(7)) == "a-name-of-15-ch");
  });
  if (!permitted)
    SKIP("no network can be made here");
  if (!made)
    SKIP("no veth can be made here");
}

namespace {

/// An address that the C library returned, whose length only its family tells.
SocketAddress address_of(const sockaddr *raw) {
  if (raw == nullptr)
    return {};
  std::size_t size = raw->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (raw->sa_family == AF_PACKET) {
    const auto *link = reinterpret_cast<const sockaddr_ll *>(raw);
    size = std::max(sizeof *link, offsetof(sockaddr_ll, sll_addr) + link->sll_halen);
  }
  return VALUE(SocketAddress::from_bytes({raw, size}));
}

/// The list is what getifaddrs(3) says, in its order. That of this moment: nothing else may change interfaces.
void check_interfaces(const InterfaceAddressList &list) {
  ifaddrs *first = nullptr;
  REQUIRE(::getifaddrs(&first) == 0);
  const ifaddrs *expected = first;
  for (const InterfaceAddress &each : list) {
    REQUIRE(expected != nullptr);
    INFO(std::string(expected->ifa_name));
    CHECK(each.name == expected->ifa_name);
    CHECK(each.flags == expected->ifa_flags);
    CHECK(each.address == address_of(expected->ifa_addr));
    CHECK(each.netmask == address_of(expected->ifa_netmask));
    const bool broadcast = (expected->ifa_flags & IFF_BROADCAST) != 0;
    const bool point_to_point = !broadcast && (expected->ifa_flags & IFF_POINTOPOINT) != 0;
    CHECK(each.broadcast == (broadcast ? address_of(expected->ifa_broadaddr) : SocketAddress()));
    CHECK(each.destination == (point_to_point ? address_of(expected->ifa_dstaddr) : SocketAddress()));
    expected = expected->ifa_next;
  }
  CHECK(expected == nullptr);
  ::freeifaddrs(first);
}

/// The elements of that name and family, as "address netmask broadcast destination", without ports.
Texts of_interface(TextView name, int family) {
  Texts result;
  for (const InterfaceAddress &each : VALUE(baresock::getifaddrs()))
    if (each.name == name && each.address.family() == family) {
      std::string text;
      for (const SocketAddress &address : {each.address, each.netmask, each.broadcast, each.destination})
        text += (text.empty() ? "" : " ") +
                (address.size() != 0 ? std::string(VALUE(getnameinfo(address, NI_NUMERICHOST)).host) : "-");
      result.push_back(text);
    }
  return result;
}

} // namespace

TEST_CASE("getifaddrs: as the C library says") {
  const auto list = VALUE(baresock::getifaddrs());
  CHECK_FALSE(list.empty());
  check_interfaces(list);
}

TEST_CASE("getifaddrs: in a network of its own; netmask, broadcast, IPv6 and its scope, the link") {
  bool made = false;
  const bool permitted = in_own_network([&made] {
    check_interfaces(VALUE(baresock::getifaddrs()));
    CHECK(of_interface("lo", AF_INET) == Texts{"127.0.0.1 255.0.0.0 - -"});
    if (!run_ip("link add here address 02:00:00:00:00:01 type veth peer name there") ||
        !run_ip("addr add 10.1.2.3/20 broadcast 10.1.15.255 dev here") || !run_ip("addr add 10.2.0.1/32 dev here") ||
        !run_ip("link set here up"))
      return;
    made = true;
    check_interfaces(VALUE(baresock::getifaddrs()));
    CHECK(of_interface("here", AF_INET) ==
          Texts{"10.1.2.3 255.255.240.0 10.1.15.255 -", "10.2.0.1 255.255.255.255 10.2.0.1 -"});
    std::size_t links = 0;
    for (const InterfaceAddress &each : VALUE(baresock::getifaddrs())) {
      if (each.name != "here")
        continue;
      CHECK((each.flags & (IFF_UP | IFF_BROADCAST)) == (IFF_UP | IFF_BROADCAST));
      if (each.address.family() != AF_PACKET)
        continue;
      ++links;
      const PacketAddress link = VALUE(each.address.get<PacketAddress>());
      CHECK(link.interface_index == ::if_nametoindex("here"));
      CHECK(link.hardware_type == ARPHRD_ETHER);
      CHECK(VALUE(each.broadcast.get<PacketAddress>()).interface_index == link.interface_index);
      CHECK(each.netmask.size() == 0);
    }
    CHECK(links == 1);
    if (has_inet6() && run_ip("addr add 2001:db8::1/56 dev here nodad") &&
        run_ip("addr add fe80::1/64 dev here nodad")) {
      check_interfaces(VALUE(baresock::getifaddrs()));
      CHECK(sorted(of_interface("here", AF_INET6)) ==
            Texts{"2001:db8::1 ffff:ffff:ffff:ff00:: - -", "fe80::1%here ffff:ffff:ffff:ffff:: - -"});
    }
  });
  if (!permitted)
    SKIP("no network can be made here");
  if (!made)
    SKIP("no veth can be made here");
}

namespace {

/// A tun device; its descriptor, -1 if there is none.
int make_tun(const char *name) {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  ifreq request = {};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strcpy(request.ifr_name, name);
  if (fd >= 0 && ::ioctl(fd, TUNSETIFF, &request) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

} // namespace

TEST_CASE("getifaddrs: the other end of a link between two, and a device without an address") {
  bool made = false;
  const bool permitted = in_own_network([&made] {
    const int fd = make_tun("tun9");
    if (fd < 0 || !run_ip("addr add 10.0.0.1 peer 10.0.0.2 dev tun9"))
      return;
    made = true;
    check_interfaces(VALUE(baresock::getifaddrs()));
    CHECK(of_interface("tun9", AF_INET) == Texts{"10.0.0.1 255.255.255.255 - 10.0.0.2"});
    ::close(fd);
  });
  if (!permitted)
    SKIP("no network can be made here");
  if (!made)
    SKIP("no tun can be made here");
}

TEST_CASE("getifaddrs: a hardware address longer than that of sockaddr_ll is not cut") {
  bool made = false;
  const bool permitted = in_own_network([&made] {
    const int fd = make_tun("tun9");
    if (fd < 0 || ::ioctl(fd, TUNSETLINK, ARPHRD_TUNNEL6) != 0)
      return;
    ifaddrs *first = nullptr;
    REQUIRE(::getifaddrs(&first) == 0);
    for (const ifaddrs *raw = first; raw != nullptr; raw = raw->ifa_next)
      made = made || (std::string_view(raw->ifa_name) == "tun9" && address_of(raw->ifa_addr).size() > 20);
    ::freeifaddrs(first);
    const auto list = VALUE(baresock::getifaddrs());
    check_interfaces(list);
    for (const InterfaceAddress &each : list)
      if (made && each.name == "tun9")
        CHECK(VALUE(each.address.get<PacketAddress>()).length == 16);
    ::close(fd);
  });
  if (!permitted)
    SKIP("no network can be made here");
  if (!made)
    SKIP("no device with such an address can be made here");
}

TEST_SUITE_END();
