// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <cstring>
#include <fstream>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <map>
#include <net/if.h>
#include <set>
#include <sys/un.h>
#include <unordered_set>
#include <vector>

using namespace baresock;

namespace {

/// The address as bytes, from a structure of the kernel's.
template <class Sockaddr>
SocketAddress from(const Sockaddr &raw, std::size_t size = sizeof(Sockaddr)) {
  return VALUE(SocketAddress::from_bytes({&raw, size}));
}

std::vector<std::byte> bytes_of(const SocketAddress &address) {
  return {address.bytes().begin(), address.bytes().end()};
}

template <class Sockaddr>
std::vector<std::byte> bytes_of_raw(const Sockaddr &raw, std::size_t size = sizeof(Sockaddr)) {
  ConstBuffer all(&raw, size);
  return {all.begin(), all.end()};
}

Inet6Address inet6(const char *address, std::uint16_t port = 0, std::uint32_t flowinfo = 0, std::uint32_t scope = 0) {
  Inet6Address result{{}, port, flowinfo, scope};
  REQUIRE(::inet_pton(AF_INET6, address, &result.address) == 1);
  return result;
}

SocketAddress unix_path(TextView path) { return VALUE(UnixAddress::path(path)); }
SocketAddress unix_abstract(TextView name) { return VALUE(UnixAddress::abstract(name)); }

std::string text(const SocketAddress &address) { return address.text().c_str(); }

/// The first network interface, which is loopback.
std::string loopback_name() {
  char name[IF_NAMESIZE] = {};
  REQUIRE(::if_indextoname(1, name) != nullptr);
  return name;
}

} // namespace

TEST_SUITE_BEGIN("address");

TEST_CASE("no address has length 0") {
  SocketAddress none;
  CHECK(none.size() == 0);
  CHECK(none.family() == AF_UNSPEC);
  CHECK(none.bytes().empty());
  CHECK(none.get<NoAddress>().has_value());
  CHECK_FALSE(none.get<OtherAddress>().has_value());
  CHECK(none == SocketAddress(NoAddress()));
  CHECK(none != SocketAddress::unspec());
  CHECK(none.port() == 0);
  CHECK(text(none) == "none");
}

TEST_CASE("AF_UNSPEC is a whole sockaddr") {
  SocketAddress unspec = SocketAddress::unspec();
  CHECK(unspec.size() == sizeof(sockaddr));
  CHECK(unspec.family() == AF_UNSPEC);
  CHECK(std::ranges::all_of(bytes_of(unspec), [](std::byte byte) { return byte == std::byte{0}; }));
}

// The golden bytes: what a C program would give to the kernel, padding included.
TEST_CASE("IPv4 is sockaddr_in, byte for byte") {
  sockaddr_in raw = {};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(8080);
  raw.sin_addr.s_addr = ::inet_addr("192.0.2.1");
  SocketAddress address = Inet4Address{0xc0000201, 8080};
  CHECK(bytes_of(address) == bytes_of_raw(raw));
  CHECK(address.family() == AF_INET);
  CHECK(address.port() == 8080);
  CHECK(VALUE(address.get<Inet4Address>()) == Inet4Address{0xc0000201, 8080});
  CHECK(address.with_port(9) == Inet4Address{0xc0000201, 9});
  CHECK(from(raw) == address);
}

TEST_CASE("IPv6 is sockaddr_in6, byte for byte") {
  sockaddr_in6 raw = {};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(443);
  raw.sin6_flowinfo = htonl(0x0b812345);
  raw.sin6_scope_id = 7;
  ::inet_pton(AF_INET6, "fe80::1", &raw.sin6_addr);
  Inet6Address typed = inet6("fe80::1", 443, 0x0b812345, 7);
  SocketAddress address = typed;
  CHECK(bytes_of(address) == bytes_of_raw(raw));
  CHECK(address.port() == 443);
  CHECK(VALUE(address.get<Inet6Address>()) == typed);
  CHECK(VALUE(address.with_port(1).get<Inet6Address>()) == inet6("fe80::1", 1, 0x0b812345, 7));
}

TEST_CASE("a Unix path is stored with its NUL, of 108 bytes without") {
  for (unsigned length : {1u, 2u, 106u, 107u, 108u}) {
    CAPTURE(length);
    std::string path(length, 'p');
    SocketAddress address = unix_path(path);
    CHECK(address.family() == AF_UNIX);
    CHECK(address.size() == std::min<std::size_t>(2 + length + 1, sizeof(sockaddr_un)));
    UnixAddress typed = VALUE(address.get<UnixAddress>());
    CHECK(typed.kind() == UnixAddress::Kind::path);
    CHECK(typed.name() == path);
    CHECK(bytes_of(typed) == bytes_of(address));
  }
}

TEST_CASE("a Unix path that is no path is refused") {
  CHECK_ERROR(UnixAddress::path(""), EINVAL, path);
  CHECK_ERROR(UnixAddress::path(TextView("a\0b", 3)), EINVAL, path); // the kernel would make a socket "a"
  CHECK_ERROR(UnixAddress::path(TextView("\0b", 2)), EINVAL, path);
  CHECK_ERROR(UnixAddress::path(TextView("b\0", 2)), EINVAL, path);
  CHECK_ERROR(UnixAddress::path(std::string(109, 'p')), ENAMETOOLONG, path);
  CHECK_ERROR(UnixAddress::path(std::string(4096, 'p')), ENAMETOOLONG, path);
}

TEST_CASE("an abstract name has its exact length, NULs and all") {
  for (const std::string &name : {std::string(), std::string("x"), std::string("a\0b", 3), std::string("end\0", 4),
                                  std::string("\0\0\0", 3), std::string(107, 'n')}) {
    CAPTURE(name.size());
    SocketAddress address = unix_abstract(name);
    CHECK(address.size() == 2 + 1 + name.size());
    UnixAddress typed = VALUE(address.get<UnixAddress>());
    CHECK(typed.kind() == UnixAddress::Kind::abstract);
    CHECK(typed.name() == name);
  }
  CHECK_ERROR(UnixAddress::abstract(std::string(108, 'n')), ENAMETOOLONG, abstract);
}

TEST_CASE("unnamed and autobind are the family alone") {
  SocketAddress address = UnixAddress();
  CHECK(address.size() == sizeof(sa_family_t));
  CHECK(VALUE(address.get<UnixAddress>()).kind() == UnixAddress::Kind::unnamed);
  CHECK(VALUE(address.get<UnixAddress>()).name() == "");
  CHECK(SocketAddress(UnixAddress::autobind()) == address);
}

TEST_CASE("packet addresses keep hardware addresses of every length") {
  PacketAddress typed;
  typed.protocol = 0x0800;
  typed.interface_index = 3;
  typed.hardware_type = 1;
  typed.packet_type = PACKET_OUTGOING;
  typed.length = 6;
  std::memcpy(typed.address, "\xaa\xbb\xcc\xdd\xee\xff", 6);
  SocketAddress address = typed;
  CHECK(address.size() == sizeof(sockaddr_ll));
  sockaddr_ll raw = {};
  raw.sll_family = AF_PACKET;
  raw.sll_protocol = htons(0x0800);
  raw.sll_ifindex = 3;
  raw.sll_hatype = 1;
  raw.sll_pkttype = PACKET_OUTGOING;
  raw.sll_halen = 6;
  std::memcpy(raw.sll_addr, "\xaa\xbb\xcc\xdd\xee\xff", 6);
  CHECK(bytes_of(address) == bytes_of_raw(raw));
  CHECK(VALUE(address.get<PacketAddress>()) == typed);
  // getsockname(2) of an Ethernet socket answers 18 bytes: the same address.
  CHECK(from(raw, 18).size() == 18);
  CHECK(from(raw, 18) == address);
  CHECK(from(raw, 18).hash() == address.hash());
  // InfiniBand's are 20 bytes long, which is more than sockaddr_ll has room for.
  typed.length = 20;
  for (std::uint8_t i = 0; i < 20; ++i)
    typed.address[i] = i;
  CHECK(SocketAddress(typed).size() == 12 + 20);
  CHECK(VALUE(SocketAddress(typed).get<PacketAddress>()) == typed);
  typed.length = 200; // no hardware address is that long
  CHECK(SocketAddress(typed).size() == 12 + 32);
  CHECK(VALUE(SocketAddress(typed).get<PacketAddress>()).length == 32);
  // A length that claims more than is there.
  raw.sll_halen = 255;
  CHECK(VALUE(from(raw, 14).get<PacketAddress>()).length == 2);
}

TEST_CASE("netlink and vsock addresses, byte for byte") {
  sockaddr_nl netlink = {};
  netlink.nl_family = AF_NETLINK;
  netlink.nl_pid = 1234;
  netlink.nl_groups = 0x80000001;
  CHECK(bytes_of(NetlinkAddress{1234, 0x80000001}) == bytes_of_raw(netlink));
  CHECK(VALUE(from(netlink).get<NetlinkAddress>()) == NetlinkAddress{1234, 0x80000001});

  sockaddr_vm vsock = {};
  vsock.svm_family = AF_VSOCK;
  vsock.svm_cid = VMADDR_CID_HOST;
  vsock.svm_port = 80;
  vsock.svm_flags = 1;
  CHECK(bytes_of(VsockAddress{VMADDR_CID_HOST, 80, 1}) == bytes_of_raw(vsock));
  CHECK(VALUE(from(vsock).get<VsockAddress>()) == VsockAddress{VMADDR_CID_HOST, 80, 1});
  CHECK(VsockAddress().cid == VMADDR_CID_ANY);
  CHECK(VsockAddress().port == VMADDR_PORT_ANY);
}

TEST_CASE("the families this kernel may lack") {
  CHECK(VALUE(SocketAddress(CanAddress{2, 0x123, 0x80000456}).get<CanAddress>()) == CanAddress{2, 0x123, 0x80000456});
  CanJ1939Address j1939{2, 0x1122334455667788, 0x12300, 0x20};
  CHECK(VALUE(SocketAddress(j1939).get<CanJ1939Address>()) == j1939);
  CHECK(SocketAddress(j1939).family() == AF_CAN);
  CHECK(SocketAddress(j1939) == SocketAddress(j1939));
  CHECK(SocketAddress(j1939) != SocketAddress(CanJ1939Address{2, 0x1122334455667788, 0x12300, 0x21}));
  CHECK(VALUE(SocketAddress(TipcAddress{2, 3, 18888, 17, 0}).get<TipcAddress>()) == TipcAddress{2, 3, 18888, 17, 0});
  CHECK(VALUE(SocketAddress(XdpAddress{1, 2, 3, 4}).get<XdpAddress>()) == XdpAddress{1, 2, 3, 4});
  CHECK(VALUE(SocketAddress(QrtrAddress{1, 2}).get<QrtrAddress>()) == QrtrAddress{1, 2});

  AlgAddress alg = VALUE(AlgAddress::algorithm("hash", "sha256", 1, 2));
  AlgAddress back = VALUE(SocketAddress(alg).get<AlgAddress>());
  CHECK(back.type() == "hash");
  CHECK(back.name() == "sha256");
  CHECK(back.feature() == 1);
  CHECK(back.mask() == 2);
  CHECK(SocketAddress(alg).size() == 88);
  CHECK(AlgAddress().type() == "");
  VALUE(AlgAddress::algorithm(std::string(13, 't'), std::string(63, 'n')));
  CHECK_ERROR(AlgAddress::algorithm(std::string(14, 't'), "n"), ENAMETOOLONG, algorithm);
  CHECK_ERROR(AlgAddress::algorithm("t", std::string(64, 'n')), ENAMETOOLONG, algorithm);
  CHECK_ERROR(AlgAddress::algorithm(TextView("t\0u", 3), "n"), EINVAL, algorithm);
  CHECK_ERROR(AlgAddress::algorithm("t", TextView("n\0u", 3)), EINVAL, algorithm);
  // An algorithm's name that fills its field has no AlgAddress, but keeps its bytes.
  std::vector<std::byte> full = bytes_of(alg);
  std::ranges::fill(full.begin() + 24, full.end(), std::byte{'x'});
  SocketAddress other = VALUE(SocketAddress::from_bytes(full));
  CHECK_FALSE(other.get<AlgAddress>().has_value());
  CHECK(bytes_of(other) == full);
}

TEST_CASE("get of another type is EAFNOSUPPORT") {
  SocketAddress address = Inet4Address{INADDR_LOOPBACK, 80};
  CHECK(address.get<Inet6Address>().error() == Error(EAFNOSUPPORT, Operation::get));
  CHECK_FALSE(address.get<UnixAddress>().has_value());
  CHECK_FALSE(address.get<NoAddress>().has_value());
  CHECK_FALSE(SocketAddress(UnixAddress()).get<Inet4Address>().has_value());
}

TEST_CASE("visit calls with the type of the address, of every family") {
  auto name = [](const SocketAddress &address) {
    return address.visit([]<class A>(const A &) -> std::string {
      if constexpr (std::is_same_v<A, NoAddress>)
        return "none";
      else if constexpr (std::is_same_v<A, Inet4Address>)
        return "inet4";
      else if constexpr (std::is_same_v<A, Inet6Address>)
        return "inet6";
      else if constexpr (std::is_same_v<A, UnixAddress>)
        return "unix";
      else if constexpr (std::is_same_v<A, PacketAddress>)
        return "packet";
      else if constexpr (std::is_same_v<A, NetlinkAddress>)
        return "netlink";
      else if constexpr (std::is_same_v<A, VsockAddress>)
        return "vsock";
      else if constexpr (std::is_same_v<A, CanAddress>)
        return "can";
      else if constexpr (std::is_same_v<A, AlgAddress>)
        return "alg";
      else if constexpr (std::is_same_v<A, TipcAddress>)
        return "tipc";
      else if constexpr (std::is_same_v<A, XdpAddress>)
        return "xdp";
      else if constexpr (std::is_same_v<A, QrtrAddress>)
        return "qrtr";
      else
        return "other";
    });
  };
  CHECK(name(SocketAddress()) == "none");
  CHECK(name(Inet4Address()) == "inet4");
  CHECK(name(Inet6Address()) == "inet6");
  CHECK(name(UnixAddress()) == "unix");
  CHECK(name(PacketAddress()) == "packet");
  CHECK(name(NetlinkAddress()) == "netlink");
  CHECK(name(VsockAddress()) == "vsock");
  CHECK(name(CanAddress()) == "can");
  CHECK(name(CanJ1939Address()) == "can");
  CHECK(name(AlgAddress()) == "alg");
  CHECK(name(TipcAddress()) == "tipc");
  CHECK(name(XdpAddress()) == "xdp");
  CHECK(name(QrtrAddress()) == "qrtr");
  CHECK(name(SocketAddress::unspec()) == "other");
}

TEST_CASE("an unknown family keeps its bytes") {
  unsigned char raw[20] = {};
  sa_family_t family = 200;
  std::memcpy(raw, &family, sizeof family);
  for (unsigned char i = 2; i < 20; ++i)
    raw[i] = i;
  SocketAddress address = VALUE(SocketAddress::from_bytes(raw));
  CHECK(address.family() == 200);
  CHECK(address.size() == 20);
  OtherAddress other = VALUE(address.get<OtherAddress>());
  CHECK(other.family == 200);
  CHECK(other.bytes.size() == 18);
  CHECK(std::memcmp(other.bytes.data(), raw + 2, 18) == 0);
  CHECK(text(address) == "family:200:02030405060708090a0b0c0d0e0f10111213");
}

TEST_CASE("from_bytes takes exactly what can be an address") {
  CHECK(VALUE(SocketAddress::from_bytes({})).size() == 0);
  unsigned char raw[4096] = {};
  CHECK_ERROR(SocketAddress::from_bytes({raw, 1}), EINVAL, from_bytes);
  CHECK_ERROR(SocketAddress::from_bytes({raw, 129}), EINVAL, from_bytes);
  CHECK_ERROR(SocketAddress::from_bytes(raw), EINVAL, from_bytes);
  CHECK(VALUE(SocketAddress::from_bytes({raw, 128})).size() == 128);

  sa_family_t family = AF_INET;
  std::memcpy(raw, &family, sizeof family);
  CHECK_ERROR(SocketAddress::from_bytes({raw, 8}), EINVAL, from_bytes);
  CHECK_ERROR(SocketAddress::from_bytes({raw, 15}), EINVAL, from_bytes);
  CHECK(VALUE(SocketAddress::from_bytes({raw, 128})).size() == sizeof(sockaddr_in)); // as bind(2) takes it
  family = AF_INET6;
  std::memcpy(raw, &family, sizeof family);
  CHECK_ERROR(SocketAddress::from_bytes({raw, 24}), EINVAL, from_bytes);
  CHECK(VALUE(SocketAddress::from_bytes({raw, 128})).size() == sizeof(sockaddr_in6));
}

TEST_CASE("a raw path ends at its NUL or at the end of sun_path") {
  struct {
    char raw[128];
  } room = {};
  sa_family_t family = AF_UNIX;
  std::memcpy(room.raw, &family, sizeof family);
  std::memset(room.raw + 2, 'p', 108);
  room.raw[110] = 'X'; // past the end of sockaddr_un
  // getsockname(2) answers 111 for a path that fills sun_path.
  SocketAddress full = from(room, 111);
  CHECK(full.size() == 110);
  CHECK(VALUE(full.get<UnixAddress>()).name() == std::string(108, 'p'));
  CHECK(full == unix_path(std::string(108, 'p')));
  CHECK(full.hash() == unix_path(std::string(108, 'p')).hash());
  CHECK(text(full) == "unix:" + std::string(108, 'p'));

  std::memcpy(room.raw + 2, "ab\0cd", 5);
  CHECK(VALUE(from(room, 7).get<UnixAddress>()).name() == "ab"); // as the kernel reads it
  CHECK(from(room, 4) == from(room, 5));                         // with or without the NUL
  CHECK(from(room, 4).hash() == from(room, 5).hash());
  CHECK(from(room, 4) == unix_path("ab"));
}

TEST_CASE("an address that is too short for its type is another one") {
  for (int family :
       {AF_INET, AF_INET6, AF_PACKET, AF_NETLINK, AF_VSOCK, AF_CAN, AF_ALG, AF_TIPC, AF_XDP, AF_QIPCRTR}) {
    CAPTURE(family);
    sockaddr_storage room = {};
    room.ss_family = static_cast<sa_family_t>(family);
    SocketAddress address = from(room);
    address.resize(4);
    CHECK(address.family() == family);
    CHECK_FALSE(address.get<Inet4Address>().has_value());
    CHECK_FALSE(address.get<Inet6Address>().has_value());
    CHECK_FALSE(address.get<PacketAddress>().has_value());
    CHECK_FALSE(address.get<NetlinkAddress>().has_value());
    CHECK_FALSE(address.get<VsockAddress>().has_value());
    CHECK_FALSE(address.get<CanAddress>().has_value());
    CHECK_FALSE(address.get<CanJ1939Address>().has_value());
    CHECK_FALSE(address.get<AlgAddress>().has_value());
    CHECK_FALSE(address.get<TipcAddress>().has_value());
    CHECK_FALSE(address.get<XdpAddress>().has_value());
    CHECK_FALSE(address.get<QrtrAddress>().has_value());
    CHECK(VALUE(address.get<OtherAddress>()).bytes.size() == 2);
    CHECK(address == address);
    CHECK(address.port() == 0);
    CHECK(text(address) == "family:" + std::to_string(family) + ":0000");
  }
}

TEST_CASE("resize keeps to the room there is") {
  SocketAddress address = Inet4Address{INADDR_LOOPBACK, 80};
  SocketAddress raised = address;
  raised.resize(4096);
  CHECK(raised.size() == SocketAddress::capacity);
  address.resize(0);
  CHECK(address == SocketAddress());
  CHECK(address.family() == AF_UNSPEC);
  SocketAddress path = unix_path("/p");
  path.resize(111);
  CHECK(path.size() == 110);
}

TEST_CASE("the kernel's lies in padding do not make addresses different") {
  sockaddr_in raw = {};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(80);
  SocketAddress clean = from(raw);
  std::memset(raw.sin_zero, 0xff, sizeof raw.sin_zero);
  CHECK(from(raw) == clean);
  CHECK(from(raw).hash() == clean.hash());
}

TEST_CASE("comparison and hash") {
  const SocketAddress all[] = {
      SocketAddress(),      SocketAddress::unspec(), UnixAddress(),        unix_path("/a"),
      unix_path("/b"),      unix_abstract(""),       unix_abstract("/a"),  unix_abstract(TextView("/a\0", 3)),
      Inet4Address{1, 2},   Inet4Address{1, 0x0100}, Inet4Address{2, 1},   Inet4Address{0x01000000, 1},
      inet6("::1"),         inet6("::1", 1),         inet6("::1", 0, 1),   inet6("::1", 0, 0, 1),
      inet6("::2"),         NetlinkAddress{1, 0},    NetlinkAddress{1, 1}, VsockAddress{1, 2, 0},
      VsockAddress{1, 2, 1}};
  std::set<SocketAddress> ordered;
  std::unordered_set<SocketAddress> hashed;
  std::set<std::size_t> hashes;
  for (const SocketAddress &a : all) {
    ordered.insert(a);
    hashed.insert(a);
    hashes.insert(a.hash());
    for (const SocketAddress &b : all) {
      CHECK((a == b) == (&a == &b));
      CHECK((a < b) == (b > a));
      if (a == b)
        CHECK(a.hash() == b.hash());
    }
  }
  CHECK(ordered.size() == std::size(all));
  CHECK(hashed.size() == std::size(all));
  CHECK(hashes.size() == std::size(all));
  // IPv4 addresses in the order of their numbers, whatever the byte order of the machine.
  CHECK(SocketAddress(Inet4Address{1, 2}) < SocketAddress(Inet4Address{1, 0x0100}));
  CHECK(SocketAddress(Inet4Address{1, 0x0100}) < SocketAddress(Inet4Address{2, 1}));
  CHECK(SocketAddress(Inet4Address{2, 1}) < SocketAddress(Inet4Address{0x01000000, 1}));
  CHECK(inet6("::1", 5) < inet6("::1", 6));
  CHECK(VALUE(UnixAddress::path("/a")) < VALUE(UnixAddress::path("/b")));
  CHECK(UnixAddress() < VALUE(UnixAddress::path("/b")));
}

// --- text ----------------------------------------------------------------------------------------------

TEST_CASE("text that is an address") {
  struct {
    const char *text;
    SocketAddress want;
    const char *canonical;
  } rows[] = {
      {"192.0.2.1", Inet4Address{0xc0000201, 0}, nullptr},
      {"192.0.2.1:80", Inet4Address{0xc0000201, 80}, nullptr},
      {"0.0.0.0", Inet4Address{}, nullptr},
      {"255.255.255.255:65535", Inet4Address{0xffffffff, 65535}, nullptr},
      {"1.2.3.4:0", Inet4Address{0x01020304, 0}, "1.2.3.4"},
      {"::", Inet6Address{}, nullptr},
      {"::1", inet6("::1"), nullptr},
      {"[::1]", inet6("::1"), "::1"},
      {"[::1]:80", inet6("::1", 80), nullptr},
      {"[::1]:0", inet6("::1"), "::1"},
      {"1::2:80", inet6("1::2:80"), nullptr}, // all address, no port
      {"2001:DB8:0000::0001", inet6("2001:db8::1"), "2001:db8::1"},
      {"1:2:3:4:5:6:7:8", inet6("1:2:3:4:5:6:7:8"), nullptr},
      {"1:2:3:4:5:6:7::", inet6("1:2:3:4:5:6:7:0"), "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", inet6("0:2:3:4:5:6:7:8"), "0:2:3:4:5:6:7:8"},
      {"1:0:0:4::8", inet6("1:0:0:4::8"), "1:0:0:4::8"},
      {"1:0:0:4:5:0:0:8", inet6("1::4:5:0:0:8"), "1::4:5:0:0:8"}, // the first of equal runs
      {"1:0:0:4:0:0:0:8", inet6("1:0:0:4::8"), "1:0:0:4::8"},     // the longest run
      {"1:0:3:4:5:6:7:8", inet6("1:0:3:4:5:6:7:8"), nullptr},     // a single group is no run
      {"0:0:1::", inet6("0:0:1::"), "0:0:1::"},
      {"::ffff:192.0.2.1", inet6("::ffff:192.0.2.1"), nullptr},
      {"::ffff:c000:201", inet6("::ffff:192.0.2.1"), "::ffff:192.0.2.1"},
      {"[::ffff:192.0.2.1]:80", inet6("::ffff:192.0.2.1", 80), nullptr},
      {"::1.2.3.4", inet6("::1.2.3.4"), "::102:304"}, // RFC 5952 writes dots only where it knows them
      {"1:2:3:4:5:6:1.2.3.4", inet6("1:2:3:4:5:6:102:304"), "1:2:3:4:5:6:102:304"},
      {"64:ff9b::192.0.2.33", inet6("64:ff9b::c000:221"), "64:ff9b::c000:221"},
      {"fe80::1%1", inet6("fe80::1", 0, 0, 1), ""},
      {"fe80::1%4294967295", inet6("fe80::1", 0, 0, 0xffffffff), nullptr},
      {"[fe80::1%4294967295]:80", inet6("fe80::1", 80, 0, 0xffffffff), nullptr},
      {"/run/x.sock", unix_path("/run/x.sock"), nullptr},
      {"/", unix_path("/"), nullptr},
      {"/a:80", unix_path("/a:80"), nullptr},
      {"/with space~", unix_path("/with space~"), nullptr},
      {"unix:relative", unix_path("relative"), nullptr},
      {"unix:/absolute", unix_path("/absolute"), "/absolute"},
      {"unix:@name", unix_path("@name"), nullptr},
      {"unix:127.0.0.1:80", unix_path("127.0.0.1:80"), nullptr},
      {"unix:", UnixAddress(), nullptr},
      {"@abstract", unix_abstract("abstract"), nullptr},
      {"@", unix_abstract(""), nullptr},
      {"@a\\x00b\\x5cc\\x0a", unix_abstract(TextView("a\0b\\c\n", 6)), nullptr},
      {"/tab\\x09", unix_path("/tab\t"), nullptr},
      {"/caf\xc3\xa9", unix_path("/caf\xc3\xa9"), nullptr},
      {"vsock:2:1024", VsockAddress{2, 1024, 0}, nullptr},
      {"vsock:4294967295:0:1", VsockAddress{0xffffffff, 0, 1}, nullptr},
      {"netlink:0", NetlinkAddress{0, 0}, nullptr},
      {"netlink:1234:0x80000001", NetlinkAddress{1234, 0x80000001}, nullptr},
      {"family:200:0102", VALUE(SocketAddress::from_bytes({"\xc8\0\x01\x02", 4})), nullptr},
      {"none", SocketAddress(), nullptr},
  };
  for (const auto &row : rows) {
    CAPTURE(row.text);
    SocketAddress address = VALUE(SocketAddress::parse(row.text));
    CHECK(address == row.want);
    std::string canonical = row.canonical == nullptr ? row.text : row.canonical;
    if (!canonical.empty())
      CHECK(text(address) == canonical);
    CHECK(VALUE(SocketAddress::parse(address.text())) == address);
    CHECK(to_string(address) == text(address));
  }
}

TEST_CASE("text that is no address") {
  const char *rows[] = {"",
                        " ",
                        "1",
                        "127.1",
                        "1.2.3",
                        "1.2.3.4.5",
                        "256.1.1.1",
                        "1.2.3.256",
                        "01.2.3.4",
                        "1.2.3.04",
                        "127.0.0.01",
                        "0x7f.0.0.1",
                        "0177.0.0.1",
                        "2130706433",
                        "1.2.3.4 ",
                        " 1.2.3.4",
                        "1.2.3.4\n",
                        "1.2.3.4\t",
                        "127.0.0.1 x",
                        "1.2.3.4x",
                        "1.2.3.",
                        ".1.2.3",
                        "1..2.3",
                        "-1.2.3.4",
                        "+1.2.3.4",
                        "1.2.3.4:",
                        "1.2.3.4:-1",
                        "1.2.3.4:+80",
                        "1.2.3.4: 80",
                        "1.2.3.4:80 ",
                        "1.2.3.4:080",
                        "1.2.3.4:00080",
                        "1.2.3.4:65536",
                        "1.2.3.4:70000",
                        "1.2.3.4:99999",
                        "1.2.3.4:4294967296",
                        "1.2.3.4:18446744073709551696",
                        "1.2.3.4:0x50",
                        "1.2.3.4:80:80",
                        "1.2.3.4%lo",
                        "1.2.3.4/24",
                        "host",
                        "host:80",
                        "localhost",
                        "[1.2.3.4]",
                        "[1.2.3.4]:80",
                        ":",
                        ":::",
                        ":1",
                        "1:",
                        "1:2",
                        "1:2:3:4:5:6:7",
                        "1:2:3:4:5:6:7:8:9",
                        "1:2:3:4:5:6:7:8::",
                        "::1:2:3:4:5:6:7:8",
                        "1::2::3",
                        "::1::2",
                        "::1::",
                        ":::1",
                        "1:::2",
                        "12345::",
                        "::g",
                        "::1 ",
                        " ::1",
                        "::1/64",
                        "::1.2.3",
                        "::1.2.3.4.5",
                        "::01.2.3.4",
                        "::1.2.3.256",
                        "1:2:3:4:5:6:7:1.2.3.4",
                        "::1.2.3.4:5",
                        "::-1",
                        "::0x1",
                        "[]",
                        "[]:80",
                        "[",
                        "[::1",
                        "::1]",
                        "[::1]junk",
                        "[::1]80",
                        "[::1]:",
                        "[::1]:65536",
                        "[::1]: 80",
                        "[[::1]]",
                        "[::1]:80x",
                        "fe80::1%",
                        "fe80::1%0",
                        "fe80::1%01",
                        "fe80::1%4294967296",
                        "fe80::1%99999999999999999999",
                        "fe80::1%-1",
                        "fe80::1%a b",
                        "fe80::1%waytoolonginterfacename",
                        "[fe80::1%]:80",
                        "[fe80::1%lo",
                        "%lo",
                        "fe80::1%lo%lo",
                        "zz::%1",
                        "/bad\\escape",
                        "/bad\\x",
                        "/bad\\x4",
                        "/bad\\xzz",
                        "/nul\\x00",
                        "unix:a\\x00b",
                        "vsock:",
                        "vsock:1",
                        "vsock:1:",
                        "vsock:1:2:",
                        "vsock:1:2:256",
                        "vsock:4294967296:1",
                        "vsock:1:2x",
                        "vsock::1",
                        "netlink:",
                        "netlink:x",
                        "netlink:1:",
                        "netlink:1:2",
                        "netlink:1:0x",
                        "netlink:1:0x100000000",
                        "netlink:01",
                        "family:",
                        "family:1",
                        "family:65536:",
                        "family:x:",
                        "family:200:1",
                        "family:200:xy",
                        "family:2:00",
                        "NONE",
                        "none ",
                        "@bad\\"};
  for (const char *row : rows) {
    CAPTURE(row);
    auto address = SocketAddress::parse(row);
    CHECK_FALSE(address.has_value());
    CHECK(last_error().code() != 0);
    CHECK(last_error() == address.error());
  }
  // A NUL is a character like any other: what is behind it counts.
  CHECK_ERROR(SocketAddress::parse(TextView("127.0.0.1\0.evil", 15)), EINVAL, parse);
  CHECK_ERROR(SocketAddress::parse(TextView("::1\0", 4)), EINVAL, parse);
  CHECK_ERROR(SocketAddress::parse(TextView("/tmp/a\0b", 8)), EINVAL, path);
  CHECK_ERROR(SocketAddress::parse("/" + std::string(108, 'p')), ENAMETOOLONG, parse);
  CHECK_ERROR(SocketAddress::parse("unix:" + std::string(109, 'p')), ENAMETOOLONG, parse);
  CHECK_ERROR(SocketAddress::parse("@" + std::string(108, 'n')), ENAMETOOLONG, abstract);
  CHECK_ERROR(SocketAddress::parse("family:200:" + std::string(2 * 127, '0')), EINVAL, parse);
  VALUE(SocketAddress::parse("family:200:" + std::string(2 * 126, '0')));
}

TEST_CASE("zones by name and by number") {
  std::string lo = loopback_name();
  SocketAddress by_name = VALUE(SocketAddress::parse("fe80::1%" + lo));
  CHECK(VALUE(by_name.get<Inet6Address>()).scope_id == 1);
  CHECK(by_name == VALUE(SocketAddress::parse("fe80::1%1")));
  CHECK(text(by_name) == "fe80::1%" + lo);
  CHECK(text(by_name.with_port(80)) == "[fe80::1%" + lo + "]:80");
  CHECK(VALUE(SocketAddress::parse("[fe80::1%" + lo + "]:80")) == by_name.with_port(80));
  CHECK_ERROR(SocketAddress::parse("fe80::1%nosuch"), ENODEV, if_nametoindex);
}

TEST_CASE("IPv6 text agrees with the C library's") {
  // Every pattern of zero groups, printed and read back.
  for (unsigned pattern = 0; pattern < 256; ++pattern) {
    in6_addr raw = {};
    for (int group = 0; group < 8; ++group)
      if ((pattern >> group & 1) != 0)
        raw.s6_addr[2 * group + 1] = static_cast<std::uint8_t>(group + 1);
    char libc[INET6_ADDRSTRLEN];
    REQUIRE(::inet_ntop(AF_INET6, &raw, libc, sizeof libc) != nullptr);
    CAPTURE(libc);
    SocketAddress address = Inet6Address{raw, 0, 0, 0};
    if (std::strchr(libc, '.') == nullptr)
      CHECK(text(address) == libc);
    CHECK(VALUE(SocketAddress::parse(libc)) == address);
  }
}

TEST_CASE("to_chars writes what fits, and says when nothing does") {
  SocketAddress address = VALUE(SocketAddress::parse("[2001:db8::1]:80"));
  char room[16];
  CHECK(VALUE(address.to_chars(room)) == 16);
  CHECK(std::string(room, 16) == "[2001:db8::1]:80");
  for (std::size_t size = 0; size < 16; ++size)
    CHECK_ERROR(address.to_chars({room, size}), EOVERFLOW, to_chars);
}

TEST_CASE("the longest text fits") {
  std::string worst(108, '\n');
  CHECK(text(unix_path(worst)).size() == 5 + 4 * 108);
  CHECK(VALUE(SocketAddress::parse(unix_path(worst).text())) == unix_path(worst));
  unsigned char raw[128];
  std::memset(raw, 0xff, sizeof raw);
  CHECK(text(VALUE(SocketAddress::from_bytes(raw))).size() == std::strlen("family:65535:") + 2 * 126);
}

// --- the kernel writes addresses in place ----------------------------------------------------------------

TEST_CASE("a path of 108 bytes comes back whole") {
  TemporaryDirectory directory;
  std::string base = directory / "";
  std::string path = base + std::string(108 - base.size(), 'p');
  Socket socket = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  VALUE(socket.bind(unix_path(path)));
  VALUE(socket.listen());
  SocketAddress name = VALUE(socket.getsockname());
  CHECK(name.size() == 110); // the kernel says 111
  CHECK(VALUE(name.get<UnixAddress>()).name() == path);
  CHECK(name == unix_path(path));
  CHECK(std::filesystem::exists(path));
  // And it is accepted again: by connect, and as a peer's name.
  Socket client = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  VALUE(client.connect(name));
  CHECK(VALUE(client.getpeername()) == name);
  Accepted accepted = VALUE(socket.accept_from());
  CHECK(VALUE(accepted.address.get<UnixAddress>()).kind() == UnixAddress::Kind::unnamed);

  // As the sender of a datagram.
  std::string other = path;
  other.back() = 'q';
  Socket sender = VALUE(Socket::socket(AF_UNIX, SOCK_DGRAM));
  Socket receiver = VALUE(Socket::socket(AF_UNIX, SOCK_DGRAM));
  VALUE(sender.bind(unix_path(other)));
  VALUE(receiver.bind(UnixAddress::autobind()));
  CHECK(VALUE(sender.sendto("x", VALUE(receiver.getsockname()))) == 1);
  char buffer[8];
  ReceivedFrom got = VALUE(receiver.recvfrom(buffer));
  CHECK(got.address.size() == 110);
  CHECK(got.address == unix_path(other));
  CHECK(VALUE(receiver.sendto("y", got.address)) == 1);
}

TEST_CASE("the kernel's own length of a path counts its NUL") {
  TemporaryDirectory directory;
  std::string path = directory / "s";
  sockaddr_un raw = {};
  raw.sun_family = AF_UNIX;
  path.copy(raw.sun_path, path.size());
  Socket socket = VALUE(Socket::socket(AF_UNIX, SOCK_DGRAM));
  VALUE(socket.bind(from(raw, 2 + path.size()))); // without the NUL
  CHECK(VALUE(socket.getsockname()).size() == 2 + path.size() + 1);
  CHECK(VALUE(socket.getsockname()) == unix_path(path));
}

TEST_CASE("abstract names reach the kernel with their exact length") {
  std::string unique = "baresock-test-" + std::to_string(::getpid());
  for (const std::string &name : {unique, unique + std::string("\0middle", 7), unique + std::string("\0", 1),
                                  unique + std::string(107 - unique.size(), 'n')}) {
    CAPTURE(name.size());
    Socket socket = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
    VALUE(socket.bind(unix_abstract(name)));
    CHECK(VALUE(socket.getsockname()) == unix_abstract(name));
    // The kernel lists each NUL of a name, the leading one included, as '@'.
    std::string want = "@" + name;
    std::ranges::replace(want, '\0', '@');
    std::ifstream list("/proc/net/unix");
    bool found = false;
    for (std::string line; std::getline(list, line);)
      found = found || line.ends_with(" " + want);
    CHECK(found);
  }
  // One byte long: the leading NUL alone, which is a name and not autobind.
  Socket shortest = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  VALUE(shortest.bind(unix_abstract("")));
  CHECK(VALUE(shortest.getsockname()).size() == 3);
}

TEST_CASE("autobind gives five hexadecimal digits") {
  Socket socket = VALUE(Socket::socket(AF_UNIX, SOCK_DGRAM));
  CHECK(VALUE(VALUE(socket.getsockname()).get<UnixAddress>()).kind() == UnixAddress::Kind::unnamed);
  CHECK(VALUE(socket.getsockname()).size() == 2);
  VALUE(socket.bind(UnixAddress::autobind()));
  SocketAddress name = VALUE(socket.getsockname());
  CHECK(name.size() == 8);
  UnixAddress typed = VALUE(name.get<UnixAddress>());
  CHECK(typed.kind() == UnixAddress::Kind::abstract);
  CHECK(typed.name().size() == 5);
  for (char c : typed.name())
    CHECK(std::string_view("0123456789abcdef").find(c) != std::string_view::npos);
}

TEST_CASE("a datagram sender that passes credentials is bound by sending") {
  Socket sender = VALUE(Socket::socket(AF_UNIX, SOCK_DGRAM));
  Socket receiver = VALUE(Socket::socket(AF_UNIX, SOCK_DGRAM));
  VALUE(receiver.bind(UnixAddress::autobind()));
  VALUE(sender.setsockopt(SOL_SOCKET, SO_PASSCRED, true));
  CHECK(VALUE(sender.getsockname()).size() == 2);
  CHECK(VALUE(sender.sendto("x", VALUE(receiver.getsockname()))) == 1);
  CHECK(VALUE(sender.getsockname()).size() == 8);
}

TEST_CASE("a family that is not ours answers with its bytes") {
  Socket socket = VALUE(Socket::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
  VALUE(socket.bind(NetlinkAddress{}));
  NetlinkAddress name = VALUE(VALUE(socket.getsockname()).get<NetlinkAddress>());
  CHECK(name.port_id != 0);
  CHECK(name.groups == 0);
}

TEST_CASE("a packet socket answers less than sockaddr_ll") {
  auto socket = Socket::socket(AF_PACKET, SOCK_DGRAM);
  if (!socket && socket.error().is(EPERM))
    SKIP("packet sockets want CAP_NET_RAW");
  PacketAddress loopback;
  loopback.interface_index = 1;
  VALUE(VALUE(std::move(socket)).bind(loopback));
  Socket again = VALUE(Socket::socket(AF_PACKET, SOCK_DGRAM));
  VALUE(again.bind(loopback));
  SocketAddress name = VALUE(again.getsockname());
  CHECK(name.size() == 18);
  PacketAddress typed = VALUE(name.get<PacketAddress>());
  CHECK(typed.interface_index == 1);
  CHECK(typed.hardware_type == 772); // ARPHRD_LOOPBACK
  CHECK(typed.length == 6);
}

TEST_CASE("a vsock address goes in and comes out") {
  auto socket = Socket::socket(AF_VSOCK, SOCK_STREAM);
  if (!socket)
    SKIP("this kernel has no vsock");
  VALUE(socket->bind(VsockAddress{}));
  VsockAddress name = VALUE(VALUE(socket->getsockname()).get<VsockAddress>());
  CHECK(name.cid == VMADDR_CID_ANY);
  CHECK(name.port != VMADDR_PORT_ANY);
}

TEST_CASE("a long sockaddr is taken, a short one refused") {
  sockaddr_storage room = {};
  room.ss_family = AF_INET;
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  VALUE(socket.bind(from(room)));
  SocketAddress cut = Inet4Address{INADDR_LOOPBACK, 0};
  cut.resize(8);
  Socket other = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  CHECK_ERROR(other.bind(cut), EINVAL, bind);
}

TEST_CASE("a link-local address keeps its zone in every call") {
  // In a network namespace of its own: an interface with a link-local address.
  int status = in_child([] {
    if (::unshare(CLONE_NEWNET) != 0)
      return 77;
    if (std::system("ip link add ll0 type veth peer name ll1 2>/dev/null && ip addr add fe80::1/64 dev ll0 nodad && "
                    "ip link set ll0 up && ip link set ll1 up && ip link set lo up") != 0)
      return 77;
    unsigned index = ::if_nametoindex("ll0");
    auto address = SocketAddress::parse("[fe80::1%ll0]:0");
    auto server = Socket::socket(AF_INET6, SOCK_DGRAM);
    auto client = Socket::socket(AF_INET6, SOCK_DGRAM);
    if (!address || !server || !client || index == 0)
      return 1;
    if (Socket strayed = *Socket::socket(AF_INET6, SOCK_DGRAM); strayed.connect(inet6("fe80::1", 9)).has_value())
      return 2; // without a zone: EINVAL
    if (!server->bind(*address))
      return 3;
    auto name = server->getsockname();
    if (!name || name->get<Inet6Address>()->scope_id != index)
      return 4;
    if (!client->connect(*name) || client->getpeername() != name)
      return 5;
    char buffer[8];
    if (!client->send("x"))
      return 6;
    auto got = server->recvfrom(buffer);
    if (!got || got->address.get<Inet6Address>()->scope_id != index || got->address != *client->getsockname())
      return 7;
    if (text(*name) != "[fe80::1%ll0]:" + std::to_string(name->port()))
      return 8;
    return 0;
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
    SKIP("no network namespace with a veth device can be made here");
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("an interface name that looks like a number or ends brackets is written as its number") {
  int status = in_child([] {
    if (::unshare(CLONE_NEWNET) != 0 || std::system("ip link add 77 type veth peer name 'a]b' 2>/dev/null") != 0)
      return 77;
    for (const char *name : {"77", "a]b"}) {
      unsigned index = ::if_nametoindex(name);
      SocketAddress address = Inet6Address{in6addr_loopback, 80, 0, index};
      if (index == 0 || text(address) != "[::1%" + std::to_string(index) + "]:80" ||
          SocketAddress::parse(address.text()) != address)
        return 1;
    }
    return 0;
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
    SKIP("no network namespace with a veth device can be made here");
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("is_ip, is_ipv4, is_ipv6: as Node's net.isIP") {
  struct {
    int expected;
    std::vector<TextView> texts;
  } tables[] = {
      {4,
       {"0.0.0.0", "1.2.3.4", "8.8.8.8", "10.0.0.1", "127.0.0.1", "192.0.2.1", "199.99.199.100", "249.250.251.252",
        "255.255.255.255"}},
      {6,
       {"::",
        "::1",
        "1::",
        "::1:2",
        "1:2:3:4:5:6:7:8",
        "1::8",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "2001:db8::1",
        "2001:DB8::A",
        "2001:0db8:0000:0000:0000:0000:0000:0001",
        "::ffff:127.0.0.1",
        "::1.2.3.4",
        "64:ff9b::255.255.255.255",
        "1:2:3:4:5:6:1.2.3.4",
        "0:0::0:0",
        "fe80::1%eth0",
        "::%eth0",
        "::1%lo",
        "fe80::1%1",
        "fe80::1%there.is-no:such-zone",
        "fe80::1%0",
        "::ffff:1.2.3.4%lo"}},
      {0,
       {"", " ", ".", ":", ":::", "localhost", "example.org",
        // IPv4 forms that inet_aton(3) takes, and ones near to an address
        "127.1", "1", "1.2.3", "1.2.3.4.5", "0x7f.0.0.1", "0x7f.1", "0177.0.0.1", "01.2.3.4", "1.2.3.04",
        "127.0.0.01", "00.0.0.0", "256.0.0.1", "1.2.3.256", "1.2.3.1000", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.-4",
        "+1.2.3.4", "1,2,3,4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.4\t", "1.2.3.4 x", "1.2.3.4:80",
        "1.2.3.4/32", "1.2.3.4%eth0", "[1.2.3.4]", "１.2.3.4",
        // the same of IPv6
        "[::1]", "[::1]:80", "::1/64", "::1 ", " ::1", "::1\n", "::01.2.3.4", "::1.2.3", "::1.2.3.4.5", "::1.2.3.256",
        "1.2.3.4::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7",
        "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:1.2.3.4", "12345::", "::g", "::0x1", "fe80::1%", "fe80::1%a b",
        "fe80::1%a%b", "fe80::1%eth_0", "fe80::1%\u00e9", "%eth0", "fe80%eth0::1", "2001:db8:::1"}},
  };
  for (const auto &[expected, texts] : tables)
    for (TextView text : texts) {
      INFO(std::string(text));
      CHECK(is_ip(text) == expected);
      CHECK(is_ipv4(text) == (expected == 4));
      CHECK(is_ipv6(text) == (expected == 6));
    }
}

TEST_CASE("is_ip: a NUL ends no address") {
  for (TextView text : {TextView("127.0.0.1\0", 10), TextView("127.0.0.1\0.evil", 15), TextView("\0", 1),
                        TextView("::1\0", 4), TextView("fe80::1%lo\0", 11), TextView("\0::1", 4)})
    CHECK(is_ip(text) == 0);
}

TEST_CASE("is_ip: without a zone, what inet_pton(3) takes") {
  const char letters[] = "0123456789abcdef::::::....";
  unsigned random = 1;
  auto next = [&random](unsigned limit) {
    random = random * 1103515245 + 12345;
    return (random >> 16) % limit;
  };
  int found[2] = {};
  for (int i = 0; i < 100'000; ++i) {
    char text[16] = {};
    const bool digits = i % 2 != 0;
    for (unsigned j = 0, size = next(15); j < size; ++j)
      text[j] = digits ? "0123...."[next(8)] : letters[next(sizeof letters - 1)];
    unsigned char address[16];
    const bool inet = ::inet_pton(AF_INET, text, address) == 1;
    const bool inet6 = ::inet_pton(AF_INET6, text, address) == 1;
    found[0] += inet;
    found[1] += inet6;
    INFO(text);
    REQUIRE(is_ip(text) == (inet ? 4 : inet6 ? 6 : 0));
  }
  CHECK(found[0] > 100);
  CHECK(found[1] > 100);
}

TEST_CASE("is_ip: a zone is of letters, digits, dots, colons and hyphens") {
  for (int c = 0; c < 256; ++c) {
    const std::string text = std::string("fe80::1%z") + static_cast<char>(c);
    INFO(c);
    CHECK(is_ipv6(text) == (c < 128 && (std::isalnum(c) != 0 || c == '.' || c == ':' || c == '-')));
  }
}

TEST_SUITE_END();
