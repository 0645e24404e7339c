// SPDX-License-Identifier: MIT
/// The answer from the address that was asked, segments, and batches sent to their end, against the kernel.

#include "network.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <thread>
#include <vector>

using namespace baresock;

namespace {

const SocketAddress any = Inet4Address{INADDR_ANY, 0};
const SocketAddress any6 = Inet6Address{in6addr_any};

Interface lo() { return VALUE(Interface::from_name("lo")); }

/// With multicast, too.
bool in_network(const std::function<void()> &body) { return in_own_network(body, IFF_MULTICAST); }

/// Gives an interface of this network another address: netdevice(7), ipv6(7). It can be used when it is known that
/// nobody else has it, which the kernel finds out by and by: it tells by rtnetlink(7).
void add_address(const char *text, const char *interface = "lo") {
  const unsigned index = VALUE(Interface::from_name(interface)).index();
  Inet6Address address = VALUE(at(text).get<Inet6Address>());
  struct {
    in6_addr address;
    std::uint32_t prefix;
    int index;
    char rest[sizeof(ifreq)]; // which valgrind takes it for
  } request = {address.address, 128, static_cast<int>(index), {}};
  const Socket news = VALUE(Socket::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
  VALUE(news.bind(NetlinkAddress{0, RTMGRP_IPV6_IFADDR}));
  REQUIRE(::ioctl(dgram(AF_INET6).fd(), SIOCSIFADDR, &request) == 0);
  address.scope_id = index;
  while (!dgram(AF_INET6).bind(address)) {
    wait(news, POLLIN);
    VALUE(news.recv());
  }
}

/// An interface of this network whose other end is a file of ours; false if there cannot be any.
class Tun {
public:
  explicit Tun(const char *name) : file_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)) {
    std::strcpy(request_.ifr_name, name);
    request_.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (file_.fd() < 0 || ::ioctl(file_.fd(), TUNSETIFF, &request_) != 0)
      file_ = FileDescriptor();
    else
      set(SIOCSIFFLAGS, [](ifreq &request) { request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_MULTICAST | IFF_NOARP; });
  }
  explicit operator bool() const { return file_.fd() >= 0; }

  /// In a network of 24 bits.
  void set_address(const char *address) const {
    set(SIOCSIFADDR, [&](ifreq &request) { std::memcpy(&request.ifr_addr, at(address).data(), 16); });
    set(SIOCSIFNETMASK, [&](ifreq &request) { std::memcpy(&request.ifr_addr, at("255.255.255.0").data(), 16); });
  }

  /// Sends this host a datagram with TTL 33 and TOS 0x2b.
  void inject(const SocketAddress &from, const SocketAddress &to) const {
    std::uint16_t packet[15] = {};
    const auto word = [&](std::size_t index, unsigned value) {
      packet[index] = htons(static_cast<std::uint16_t>(value));
    };
    const std::uint32_t source = VALUE(from.get<Inet4Address>()).address;
    const std::uint32_t destination = VALUE(to.get<Inet4Address>()).address;
    word(0, 0x452b);
    word(1, sizeof packet);
    word(4, 33 << 8 | IPPROTO_UDP);
    word(6, source >> 16);
    word(7, source);
    word(8, destination >> 16);
    word(9, destination);
    unsigned sum = 0;
    for (std::size_t i = 0; i < 10; ++i)
      sum += ntohs(packet[i]);
    word(5, ~((sum & 0xffff) + (sum >> 16)));
    word(10, from.port());
    word(11, to.port());
    word(12, 10); // without a checksum
    std::memcpy(&packet[14], "hi", 2);
    REQUIRE(::write(file_.fd(), packet, sizeof packet) == sizeof packet);
  }

  /// The next IPv4 packet that this host sends over it.
  [[nodiscard]] std::string read() const {
    for (;;) {
      pollfd waiting{file_.fd(), POLLIN, 0};
      REQUIRE(::poll(&waiting, 1, long_time) == 1);
      unsigned char packet[2000];
      const ssize_t size = ::read(file_.fd(), packet, sizeof packet);
      REQUIRE(size > 0);
      if (packet[0] != 0x45) // what IPv6 says of its own accord
        continue;
      const auto address = [&](std::size_t offset) {
        std::uint32_t inet = 0;
        std::memcpy(&inet, packet + offset, sizeof inet);
        return std::string(SocketAddress(Inet4Address{ntohl(inet), 0}).text().c_str());
      };
      return address(12) + " > " + address(16) + " class " + std::to_string(packet[1]) + ": " +
             std::string(packet + 28, packet + size);
    }
  }

private:
  void set(unsigned long what, const std::function<void(ifreq &)> &fill) const {
    ifreq request = {};
    std::strcpy(request.ifr_name, request_.ifr_name);
    fill(request);
    REQUIRE(::ioctl(dgram(AF_INET).fd(), what, &request) == 0);
  }

  FileDescriptor file_;
  ifreq request_ = {};
};

/// A server of datagrams that is bound to any address, and what it was asked.
struct Server {
  Socket socket;
  std::uint16_t port;

  struct Asked {
    PacketInfo info;
    SocketAddress by;
    std::string text;
  };

  explicit Server(const SocketAddress &address) : socket(bound(address)), port(VALUE(socket.getsockname()).port()) {
    VALUE(receive_packet_info(socket));
  }

  [[nodiscard]] Asked receive() const {
    wait(socket, POLLIN);
    ControlBuffer<packet_info_space> control;
    char room[64];
    const MutableBuffer parts[] = {room};
    const ReceivedMessage message = VALUE(socket.recvmsg(parts, control));
    return {VALUE(packet_info(control)), message.address, {room, message.size}};
  }
  void answer(const Asked &asked, const PacketInfo &info) const {
    ControlBuffer<packet_info_space> control;
    VALUE(append(control, info));
    const ConstBuffer parts[] = {"answer"};
    CHECK(VALUE(socket.sendmsg({parts, &asked.by, control})) == 6);
  }
};

/// Asks at `to`: the answer has to come from `from`, and what is known of the question to be so.
void check_exchange(const Server &server, const Server &client, const SocketAddress &to, const SocketAddress &from,
                    const SocketAddress &local) {
  CAPTURE(to);
  VALUE(client.socket.sendto("question", to.with_port(server.port)));
  const Server::Asked asked = server.receive();
  CHECK(asked.text == "question");
  CHECK(asked.info.local == local);
  CHECK(asked.info.interface == lo());
  CHECK(asked.info.traffic_class == 0xb9);
  CHECK(asked.info.hop_limit == 77);
  const PacketInfo reply = asked.info.reply();
  CHECK(reply.local == local);
  CHECK(reply.interface == lo());
  CHECK(reply.traffic_class == 0xb8); // without its ECN
  CHECK(reply.hop_limit == -1);
  server.answer(asked, reply);
  Server::Asked answered = client.receive();
  CHECK(answered.by == from.with_port(server.port));
  CHECK(answered.info.traffic_class == 0xb8);
  CHECK(answered.info.hop_limit != 77);
  // As asked, whatever the socket's own are.
  PacketInfo chosen = reply;
  chosen.traffic_class = 0x21;
  chosen.hop_limit = 5;
  server.answer(asked, chosen);
  answered = client.receive();
  CHECK(answered.by == from.with_port(server.port));
  CHECK(answered.info.traffic_class == 0x21);
  CHECK(answered.info.hop_limit == 5);
  chosen.traffic_class = -1;
  chosen.hop_limit = -1;
  server.answer(asked, chosen);
  answered = client.receive();
  CHECK(answered.info.traffic_class == 0);
  CHECK(answered.info.hop_limit != 5);
}

/// A client whose packets have a traffic class of 0xb9 (EF, and one bit of ECN) and a hop limit of 77.
Server client(int family) {
  Server client(family == AF_INET ? any : any6);
  VALUE(client.socket.setsockopt(ip::tos, 0xb9));
  VALUE(client.socket.setsockopt(ip::ttl, 77));
  VALUE(client.socket.setsockopt(ip::multicast_ttl, 77));
  if (family == AF_INET6) {
    VALUE(client.socket.setsockopt(ipv6::tclass, 0xb9));
    VALUE(client.socket.setsockopt(ipv6::unicast_hops, 77));
    VALUE(client.socket.setsockopt(ipv6::multicast_hops, 77));
  }
  return client;
}

SocketAddress mapped(const SocketAddress &inet) { return at(std::string("::ffff:") + inet.text().c_str()); }

/// What a server of that address received of one packet, if it had so much room for control messages.
template <std::size_t Room>
Result<PacketInfo> info_in(const Server &server, const SocketAddress &to, bool &truncated) {
  VALUE(server.socket.sendto("x", to));
  wait(server.socket, POLLIN);
  ControlBuffer<Room> control;
  char room[4];
  const MutableBuffer parts[] = {room};
  truncated = VALUE(server.socket.recvmsg(parts, control)).control_truncated();
  CHECK(control.truncated() == truncated);
  return packet_info(control);
}

constexpr std::size_t full = packet_info_space.size;

/// Calls `body` with every capacity of a control buffer that may make a difference.
template <class Body>
void for_each_capacity(const Body &body) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (body(std::integral_constant<std::size_t, I * 4>()), ...);
  }(std::make_index_sequence<full / 4 + 1>());
}

std::vector<std::string> strings(const Segments &segments) {
  std::vector<std::string> all;
  for (const ConstBuffer &each : segments)
    all.emplace_back(reinterpret_cast<const char *>(each.data()), each.size());
  return all;
}

/// Text in which no two places look alike.
std::string pattern(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i)
    text += std::to_string(i) + ',';
  text.resize(size);
  return text;
}

using Strings = std::vector<std::string>;

Strings cut(const std::string &text, std::size_t size) {
  Strings pieces;
  for (std::size_t i = 0; i < text.size(); i += size)
    pieces.push_back(text.substr(i, size));
  return pieces;
}

/// A sender and a receiver of segments over loopback.
struct Pair {
  Socket sender;
  Socket receiver;
  SocketAddress address; // the receiver's

  explicit Pair(const SocketAddress &at = loopback)
      : sender(bound(at)), receiver(bound(at)), address(VALUE(receiver.getsockname())) {}
};

/// Switches UDP_GRO on, and tries whether two segments come together.
bool has_gro(const Pair &pair) {
  if (!pair.receiver.setsockopt(udp::gro, true))
    return false;
  VALUE(send_segments(pair.sender, "ab", 1, &pair.address));
  wait(pair.receiver, POLLIN);
  char room[4];
  return ::recv(pair.receiver.fd(), room, sizeof room, 0) == 2;
}
constexpr const char *no_gro = "loopback keeps segments together since Linux 5.11";

/// Everything that waits, datagram by datagram.
Strings drain(const Socket &socket) {
  Strings all;
  std::string room(65'536, '\0');
  while (auto got = socket.recv(room, MSG_DONTWAIT))
    all.push_back(room.substr(0, *got));
  return all;
}

/// Messages of one part each.
struct Batch {
  std::vector<std::string> texts;
  std::vector<ConstBuffer> parts;
  std::vector<OutgoingMessage> messages;

  Batch(std::size_t count, std::size_t size, const SocketAddress *address = nullptr) {
    for (std::size_t i = 0; i < count; ++i) {
      texts.push_back(std::to_string(i));
      texts.back().resize(std::max(size, texts.back().size()), '.');
    }
    for (const std::string &text : texts)
      parts.emplace_back(text);
    for (ConstBuffer &part : parts)
      messages.emplace_back(Span<const ConstBuffer>(&part, 1), address);
  }
};

} // namespace

TEST_SUITE_BEGIN("datagram");

// --- the answer from the address that was asked -------------------------------------------------------------------

TEST_CASE("trap 60: an IPv4 server bound to any answers from the address that was asked") {
  const Server server(any), asking = client(AF_INET);
  for (const char *address : {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.9.8.7"})
    check_exchange(server, asking, at(address), at(address), at(address));
}

TEST_CASE("trap 61: so does one of AF_INET6, of IPv4 clients, and knows the same of their packets") {
  if (!has_inet6())
    SKIP("there is no IPv6 here");
  const Server server(any6), asking = client(AF_INET), asking6 = client(AF_INET6);
  for (const char *address : {"127.0.0.1", "127.0.0.2", "127.9.8.7"}) {
    check_exchange(server, asking, at(address), at(address), at(address));
    check_exchange(server, asking6, mapped(at(address)), mapped(at(address)), at(address));
  }
  check_exchange(server, asking6, loopback6, loopback6, loopback6);
}

TEST_CASE("an IPv6 server bound to any: of several addresses, link-local ones among them") {
  if (!has_inet6())
    SKIP("there is no IPv6 here");
  const bool permitted = in_network([] {
    for (const char *address : {"fd00::1", "fd00::2", "fd00::3", "fe80::1", "fe80::2"})
      add_address(address);
    for (const bool only : {false, true}) {
      CAPTURE(only);
      Server server(any6);
      if (only) {
        server.socket = dgram(AF_INET6);
        VALUE(server.socket.setsockopt(ipv6::v6only, true));
        VALUE(server.socket.bind(any6));
        VALUE(receive_packet_info(server.socket));
        server.port = VALUE(server.socket.getsockname()).port();
      }
      const Server asking = client(AF_INET6);
      for (const char *address : {"::1", "fd00::1", "fd00::2", "fd00::3"})
        check_exchange(server, asking, at(address), at(address), at(address));
      for (const char *address : {"fe80::1", "fe80::2"})
        check_exchange(server, asking, at(address + std::string("%lo")), at(address + std::string("%lo")),
                       at(address));
    }
  });
  if (!permitted)
    SKIP("a network of one's own wants CAP_SYS_ADMIN");
}

TEST_CASE("of a multicast or a broadcast packet, local is an address to answer from") {
  const bool permitted = in_network([] {
    const Server server(any), server6(has_inet6() ? any6 : any), asking = client(AF_INET);
    const in_addr group = {htonl(0xef010203)}; // 239.1.2.3
    const ip_mreqn membership = {group, {htonl(INADDR_LOOPBACK)}, static_cast<int>(lo().index())};
    for (const Server *each : {&server, &server6})
      VALUE(each->socket.setsockopt(ip::add_membership, membership));
    VALUE(asking.socket.setsockopt(ip::multicast_if, membership));
    VALUE(asking.socket.setsockopt(so::broadcast, true));
    for (const Server *each : {&server, &server6})
      for (const char *to : {"239.1.2.3", "127.255.255.255"})
        check_exchange(*each, asking, at(to), at("127.0.0.1"), at("127.0.0.1"));
  });
  if (!permitted)
    SKIP("a network of one's own wants CAP_SYS_ADMIN");
}

TEST_CASE("of an IPv6 multicast packet, local is \"choose one\", and the interface says where") {
  if (!has_inet6())
    SKIP("there is no IPv6 here");
  bool has_tun = false;
  const bool permitted = in_network([&] {
    const Tun tun("tun0");
    has_tun = static_cast<bool>(tun);
    if (!has_tun)
      return;
    add_address("fe80::5", "tun0");
    const Interface link = VALUE(Interface::from_name("tun0"));
    const Server server(any6), asking = client(AF_INET6);
    const ipv6_mreq membership = {VALUE(at("ff02::1234").get<Inet6Address>()).address, link.index()};
    VALUE(server.socket.setsockopt(ipv6::join_group, membership));
    VALUE(asking.socket.sendto("question", at("ff02::1234%tun0").with_port(server.port)));
    const Server::Asked asked = server.receive();
    CHECK(asked.info.local == any6);
    CHECK(asked.info.interface == link);
    CHECK(asked.info.hop_limit == 77);
    CHECK(asked.info.traffic_class == 0xb9);
    server.answer(asked, asked.info.reply());
    const Server::Asked answered = asking.receive();
    CHECK(answered.by.port() == server.port);
    const in6_addr from = VALUE(answered.by.get<Inet6Address>()).address;
    CHECK_FALSE(IN6_IS_ADDR_MULTICAST(&from));
    CHECK(IN6_IS_ADDR_LINKLOCAL(&from));
    CHECK(answered.info.traffic_class == 0xb8);
  });
  if (!permitted)
    SKIP("a network of one's own wants CAP_SYS_ADMIN");
  if (!has_tun)
    SKIP("there is no tun device here");
}

TEST_CASE("the answer goes over the interface of the question, whatever the routes say") {
  bool has_tun = false;
  const bool permitted = in_network([&] {
    const Tun asked_by("tun0"), routed_by("tun1");
    has_tun = asked_by && routed_by;
    if (!has_tun)
      return;
    for (const char *name : {"all", "tun0", "tun1"})
      std::ofstream(std::string("/proc/sys/net/ipv4/conf/") + name + "/rp_filter") << 0;
    asked_by.set_address("10.1.0.1");
    routed_by.set_address("10.2.0.1");
    const Server server(any);
    asked_by.inject(at("10.2.0.9:7"), at("10.1.0.1").with_port(server.port));
    const Server::Asked asked = server.receive();
    CHECK(asked.by == at("10.2.0.9:7"));
    CHECK(asked.info.local == at("10.1.0.1"));
    CHECK(asked.info.interface == VALUE(Interface::from_name("tun0")));
    CHECK(asked.info.hop_limit == 33);
    CHECK(asked.info.traffic_class == 0x2b);
    server.answer(asked, asked.info.reply());
    CHECK(asked_by.read() == "10.1.0.1 > 10.2.0.9 class 40: answer");
    // As the routes say.
    PacketInfo reply = asked.info.reply();
    reply.interface = {};
    server.answer(asked, reply);
    CHECK(routed_by.read() == "10.1.0.1 > 10.2.0.9 class 40: answer");
  });
  if (!permitted)
    SKIP("a network of one's own wants CAP_SYS_ADMIN");
  if (!has_tun)
    SKIP("there is no tun device here");
}

TEST_CASE("a packet that came before it was to be told of: local is where it was sent to") {
  const Socket server = bound(any);
  const SocketAddress to = at("127.0.0.7").with_port(VALUE(server.getsockname()).port());
  VALUE(server.sendto("early", to));
  wait(server, POLLIN);
  VALUE(receive_packet_info(server));
  ControlBuffer<packet_info_space> control;
  char room[8];
  const MutableBuffer parts[] = {room};
  VALUE(server.recvmsg(parts, control));
  CHECK(VALUE(packet_info(control)).local == to.with_port(0));
}

TEST_CASE("raw sockets") {
  for (const SocketAddress &address : {loopback, loopback6}) {
    if (address.family() == AF_INET6 && !has_inet6())
      SKIP("there is no IPv6 here");
    CAPTURE(address);
    auto socket = Socket::socket(address.family(), SOCK_RAW, 253); // for experiments
    if (!socket && (socket.error().is(EPERM) || socket.error().is(EACCES)))
      SKIP("a raw socket wants CAP_NET_RAW");
    REQUIRE(socket.has_value());
    VALUE(receive_packet_info(*socket));
    VALUE(socket->sendto("raw", address));
    wait(*socket, POLLIN);
    ControlBuffer<packet_info_space> control;
    char room[64];
    const MutableBuffer parts[] = {room};
    VALUE(socket->recvmsg(parts, control));
    const PacketInfo info = VALUE(packet_info(control));
    CHECK(info.local == address);
    CHECK(info.interface == lo());
    CHECK(info.traffic_class == 0);
    CHECK(info.hop_limit > 0);
  }
}

TEST_CASE("families without it: EAFNOSUPPORT") {
  const auto pair = VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
  CHECK_ERROR(receive_packet_info(pair.first), EAFNOSUPPORT, setsockopt);
  CHECK_ERROR(receive_packet_info(Socket()), EBADF, getsockopt);
  ControlBuffer<packet_info_space> control;
  for (const SocketAddress &address : {SocketAddress(), SocketAddress::unspec(), at("/tmp/x"), at("@x")}) {
    PacketInfo info;
    info.local = address;
    info.traffic_class = 8;
    CHECK_ERROR(append(control, info), EAFNOSUPPORT, append);
    CHECK(control.empty());
  }
}

TEST_CASE("control messages that do not tell the address: ENOMSG; truncated ones: ENOBUFS at every capacity") {
  ControlBuffer<packet_info_space> none;
  CHECK_ERROR(packet_info(none), ENOMSG, as);
  const Socket plain = bound(loopback);
  VALUE(plain.setsockopt(ip::recvttl, true));
  VALUE(plain.sendto("x", VALUE(plain.getsockname())));
  char room[4];
  const MutableBuffer parts[] = {room};
  VALUE(plain.recvmsg(parts, none));
  CHECK(VALUE(none.get(cmsg::ip::ttl)) > 0);
  CHECK_ERROR(packet_info(none), ENOMSG, as);

  for (const SocketAddress &address : {any, any6}) {
    if (address.family() == AF_INET6 && !has_inet6())
      SKIP("there is no IPv6 here");
    const Server server(address);
    for (const SocketAddress &asked : {at("127.0.0.7"), loopback6}) {
      if (asked.family() == AF_INET6 && address.family() == AF_INET)
        continue;
      const SocketAddress to = (asked.family() == address.family() ? asked : mapped(asked)).with_port(server.port);
      CAPTURE(to);
      std::size_t enough = 0;
      std::size_t too_little = 0;
      for_each_capacity([&]<std::size_t Room>(std::integral_constant<std::size_t, Room>) {
        CAPTURE(Room);
        bool truncated = false;
        const auto info = info_in<Room>(server, to, truncated);
        CHECK(info.has_value() == !truncated);
        if (truncated) {
          CHECK_ERROR(info, ENOBUFS, as);
          ++too_little;
        } else {
          CHECK(info->local == asked);
          CHECK(info->interface == lo());
          CHECK(info->traffic_class == 0);
          CHECK(info->hop_limit > 0);
          ++enough;
        }
      });
      CHECK(too_little >= 73 / 4); // a pktinfo, an int and a byte
      CHECK(enough >= 1);
    }
  }
}

TEST_CASE("append: room for all or ENOBUFS, at every capacity") {
  PacketInfo info, info6;
  info.local = at("192.0.2.1");
  info6.local = at("2001:db8::1");
  info.interface = info6.interface = 3;
  info.traffic_class = info6.traffic_class = 8;
  info.hop_limit = info6.hop_limit = 9;
  for (const PacketInfo *each : {&info, &info6})
    for_each_capacity([&]<std::size_t Room>(std::integral_constant<std::size_t, Room>) {
      CAPTURE(Room);
      ControlBuffer<Room> control;
      const auto appended = append(control, *each);
      const std::size_t pktinfo = each == &info ? CMSG_SPACE(12) : CMSG_SPACE(20);
      const std::size_t needed = pktinfo + CMSG_SPACE(4) + CMSG_LEN(4); // the last may lack its padding
      CHECK(appended.has_value() == (Room >= needed));
      if (!appended) {
        CHECK_ERROR(appended, ENOBUFS, append);
      } else {
        CHECK(control.size() <= Room);
        CHECK(VALUE(packet_info(control)).local == each->local);
      }
    });
}

TEST_CASE("append: what it says to the kernel") {
  PacketInfo info;
  info.local = any;
  ControlBuffer<packet_info_space> control;
  VALUE(append(control, info)); // nothing
  CHECK(control.empty());
  info.local = any6;
  VALUE(append(control, info));
  CHECK(control.empty());

  info.local = at("192.0.2.1:7");
  VALUE(append(control, info));
  in_pktinfo inet = VALUE(control.get(cmsg::ip::pktinfo));
  CHECK(inet.ipi_spec_dst.s_addr == htonl(0xc0000201));
  CHECK(inet.ipi_ifindex == 0);
  CHECK(control.get(cmsg::ip::tos).error().is(ENOMSG));
  CHECK(control.get(cmsg::ip::ttl).error().is(ENOMSG));

  control.clear();
  info.local = any;
  info.interface = 5;
  info.traffic_class = 255;
  info.hop_limit = 255;
  VALUE(append(control, info));
  inet = VALUE(control.get(cmsg::ip::pktinfo));
  CHECK(inet.ipi_spec_dst.s_addr == 0);
  CHECK(inet.ipi_ifindex == 5);
  CHECK(VALUE(control.get(cmsg::ip::tos)) == 255);
  CHECK(VALUE(control.get(cmsg::ip::ttl)) == 255);

  control.clear();
  info.local = at("::ffff:192.0.2.9");
  VALUE(append(control, info));
  CHECK(VALUE(control.get(cmsg::ip::pktinfo)).ipi_spec_dst.s_addr == htonl(0xc0000209));
  CHECK(control.get(cmsg::ipv6::pktinfo).error().is(ENOMSG));

  control.clear();
  Inet6Address scoped = VALUE(at("fe80::9").get<Inet6Address>());
  scoped.scope_id = 6;
  info = {};
  info.local = scoped;
  info.traffic_class = 0;
  info.hop_limit = 0;
  VALUE(append(control, info));
  in6_pktinfo inet6 = VALUE(control.get(cmsg::ipv6::pktinfo));
  CHECK(IN6_ARE_ADDR_EQUAL(&inet6.ipi6_addr, &scoped.address));
  CHECK(inet6.ipi6_ifindex == 6); // of its zone
  CHECK(VALUE(control.get(cmsg::ipv6::tclass)) == 0);
  CHECK(VALUE(control.get(cmsg::ipv6::hoplimit)) == 0);
  control.clear();
  info.interface = 7;
  VALUE(append(control, info));
  inet6 = VALUE(control.get(cmsg::ipv6::pktinfo));
  CHECK(inet6.ipi6_ifindex == 7);

  control.clear();
  info.local = any6;
  VALUE(append(control, info));
  inet6 = VALUE(control.get(cmsg::ipv6::pktinfo));
  CHECK(IN6_IS_ADDR_UNSPECIFIED(&inet6.ipi6_addr));
  CHECK(inet6.ipi6_ifindex == 7);
}

TEST_CASE("values out of range: refused, by us or by the kernel, and not cut to a byte") {
  for (const SocketAddress &address : {loopback, loopback6}) {
    if (address.family() == AF_INET6 && !has_inet6())
      SKIP("there is no IPv6 here");
    const Socket socket = bound(address);
    const SocketAddress to = VALUE(socket.getsockname());
    for (const int value : {-1000, -2, 256, 512, 0x10040, INT_MAX})
      for (const bool is_class : {true, false}) {
        CAPTURE(address);
        CAPTURE(value);
        CAPTURE(is_class);
        PacketInfo info;
        info.local = address;
        (is_class ? info.traffic_class : info.hop_limit) = value;
        ControlBuffer<packet_info_space> control;
        const auto appended = append(control, info);
        if (!appended) {
          CHECK_ERROR(appended, ERANGE, append);
          continue;
        }
        const ConstBuffer parts[] = {"x"};
        CHECK_ERROR(socket.sendmsg({parts, &to, control}), EINVAL, sendmsg);
      }
  }
}

TEST_CASE("what reply() leaves as it is") {
  PacketInfo info;
  info.local = at("192.0.2.1");
  info.interface = 4;
  CHECK(info.reply().traffic_class == -1);
  CHECK(info.reply().hop_limit == -1);
  CHECK(info.reply().local == info.local);
  CHECK(info.reply().interface == Interface(4));
  for (int traffic_class = 0; traffic_class < 256; ++traffic_class) {
    info.traffic_class = traffic_class;
    info.hop_limit = traffic_class;
    const PacketInfo reply = info.reply();
    if (reply.traffic_class != traffic_class / 4 * 4 || reply.hop_limit != -1)
      FAIL_CHECK(traffic_class);
  }
}

// --- segments -----------------------------------------------------------------------------------------------------

TEST_CASE("segments of a buffer") {
  for (std::size_t length = 0; length < 30; ++length)
    for (std::size_t size = 0; size < 32; ++size) {
      const std::string data = pattern(length);
      const Segments segments(data, size);
      const Strings expected = size == 0 || length == 0 ? Strings{data} : cut(data, size);
      if (strings(segments) != expected || segments.size() != expected.size()) {
        CAPTURE(length);
        CAPTURE(size);
        FAIL_CHECK("other segments");
      }
      for (std::size_t i = 0; i < segments.size(); ++i)
        CHECK(std::string(reinterpret_cast<const char *>(segments[i].data()), segments[i].size()) == expected[i]);
    }
  CHECK(strings(Segments()) == Strings{""});
  const std::string all = pattern(10);
  CHECK(strings({all, SIZE_MAX}) == Strings{all});
}

TEST_CASE("send_segments and recv_segments, with UDP_GRO and without") {
  struct Case {
    std::size_t length;
    std::size_t size;
  };
  for (const SocketAddress &address : {loopback, loopback6}) {
    if (address.family() == AF_INET6 && !has_inet6())
      SKIP("there is no IPv6 here");
    for (const Case &each : {Case{500, 100},
                             {501, 100},
                             {450, 100},
                             {100, 100},
                             {99, 100},
                             {1, 100},
                             {64, 1},
                             {3, 1},
                             {64'000, 1000},
                             {64 * 900, 900},
                             {65'000, 32'000},
                             {65'507, 32'000},
                             {65'000, 65'535}}) {
      CAPTURE(address);
      CAPTURE(each.length);
      CAPTURE(each.size);
      const Pair pair(address);
      const std::string data = pattern(each.length);
      const Strings expected = cut(data, each.size);
      std::string room(65'535, '\0');
      CHECK(VALUE(send_segments(pair.sender, data, each.size, &pair.address)) == each.length);
      // Without, it is one datagram after the other.
      for (const std::string &segment : expected) {
        const ReceivedSegments got = VALUE(recv_segments(pair.receiver, room, MSG_DONTWAIT));
        CHECK(strings(got.segments) == Strings{segment});
        CHECK(got.size == segment.size());
        CHECK(got.address == VALUE(pair.sender.getsockname()));
        CHECK_FALSE(got.truncated);
      }
      CHECK_ERROR(recv_segments(pair.receiver, room, MSG_DONTWAIT), EAGAIN, recvmsg);
      if (!has_gro(pair))
        SKIP(no_gro);
      // With, the segments are the same, and fewer calls get them.
      VALUE(pair.sender.connect(pair.address));
      CHECK(VALUE(send_segments(pair.sender, data, each.size)) == each.length);
      Strings found;
      std::size_t calls = 0;
      for (; found.size() < expected.size(); ++calls) {
        const ReceivedSegments got = VALUE(recv_segments(pair.receiver, room, MSG_DONTWAIT));
        CHECK(got.address == VALUE(pair.sender.getsockname()));
        CHECK_FALSE(got.truncated);
        CHECK(got.length == got.size);
        for (const std::string &segment : strings(got.segments))
          found.push_back(segment);
      }
      CHECK(found == expected);
      if (each.length <= 65'000) // with headers as long as a device takes at once: Linux cuts longer ones itself
        CHECK(calls == 1);
      CHECK_ERROR(recv_segments(pair.receiver, room, MSG_DONTWAIT), EAGAIN, recvmsg);
    }
  }
}

TEST_CASE("trap 64: as many segments as the kernel takes, and no more") {
  const Pair pair;
  CHECK(VALUE(send_segments(pair.sender, std::string(64, 'x'), 1, &pair.address)) == 64);
  CHECK(drain(pair.receiver).size() == 64);
  CHECK_ERROR(send_segments(pair.sender, std::string(129, 'x'), 1, &pair.address), EINVAL, sendmsg);
  CHECK(drain(pair.receiver).empty());
}

TEST_CASE("segment sizes that no kernel takes, and too many bytes") {
  const Pair pair;
  const std::string data(100, 'x');
  CHECK_ERROR(send_segments(pair.sender, data, 0, &pair.address), EINVAL, sendmsg);
  CHECK_ERROR(send_segments(pair.sender, data, 65'536, &pair.address), EINVAL, sendmsg);
  CHECK_ERROR(send_segments(pair.sender, data, 65'536 + 50, &pair.address), EINVAL, sendmsg); // not 50
  CHECK_ERROR(send_segments(pair.sender, data, SIZE_MAX, &pair.address), EINVAL, sendmsg);
  CHECK_ERROR(send_segments(pair.sender, std::string(65'508, 'x'), 32'000, &pair.address), EMSGSIZE, sendmsg);
  CHECK_ERROR(send_segments(pair.sender, data, 50), EDESTADDRREQ, sendmsg);
  CHECK_ERROR(send_segments(pair.sender, data, 50, &pair.address, 1 << 30), EINVAL, sendmsg);
  CHECK(drain(pair.receiver).empty());
}

TEST_CASE("a segment may be empty: a datagram without bytes") {
  for (const bool gro : {false, true}) {
    const Pair pair;
    if (gro && !has_gro(pair))
      SKIP(no_gro);
    CHECK(VALUE(send_segments(pair.sender, {}, 100, &pair.address)) == 0);
    wait(pair.receiver, POLLIN);
    std::string room(100, '\0');
    const ReceivedSegments got = VALUE(recv_segments(pair.receiver, room));
    CHECK(strings(got.segments) == Strings{""});
    CHECK(got.size == 0);
    CHECK(got.address.port() != 0);
    CHECK_FALSE(got.truncated);
  }
}

TEST_CASE("a buffer too short for all segments: truncated, the last one incomplete") {
  const Pair pair;
  if (!has_gro(pair))
    SKIP(no_gro);
  const std::string data = pattern(500);
  for (const std::size_t room : {std::size_t{0}, std::size_t{1}, std::size_t{99}, std::size_t{100}, std::size_t{101},
                                 std::size_t{250}, std::size_t{499}, std::size_t{500}, std::size_t{501}})
    for (const int flags : {0, static_cast<int>(MSG_TRUNC)}) {
      CAPTURE(room);
      CAPTURE(flags);
      VALUE(send_segments(pair.sender, data, 100, &pair.address));
      wait(pair.receiver, POLLIN);
      std::string buffer(room, '\0');
      const ReceivedSegments got = VALUE(recv_segments(pair.receiver, buffer, flags));
      const std::size_t size = std::min<std::size_t>(room, 500);
      CHECK(got.size == size);
      CHECK(got.length == (flags != 0 ? 500 : size));
      CHECK(got.truncated == (room < 500));
      CHECK(strings(got.segments) == (size == 0 ? Strings{""} : cut(data.substr(0, size), 100)));
    }
  CHECK(drain(pair.receiver).empty());
}

TEST_CASE("whatever else a socket is set to receive, the size of the segments comes through") {
  const Pair pair;
  if (!has_gro(pair))
    SKIP(no_gro);
  VALUE(receive_packet_info(pair.receiver));
  VALUE(pair.receiver.setsockopt(so::timestampns, true));
  VALUE(pair.receiver.setsockopt(so::rxq_ovfl, true));
  for (const auto &option : {ip::recvopts, ip::retopts, ip::recvorigdstaddr, ip::checksum})
    VALUE(pair.receiver.setsockopt(option, true));
  const std::string data = pattern(250);
  VALUE(send_segments(pair.sender, data, 100, &pair.address));
  wait(pair.receiver, POLLIN);
  std::string room(500, '\0');
  CHECK(strings(VALUE(recv_segments(pair.receiver, room)).segments) == cut(data, 100));
}

TEST_CASE("recv_segments: the errors of recvmsg") {
  std::string room(10, '\0');
  CHECK_ERROR(recv_segments(Socket(), room), EBADF, recvmsg);
  CHECK_ERROR(recv_segments(bound(loopback), room, MSG_DONTWAIT), EAGAIN, recvmsg);
  CHECK_ERROR(recv_segments(bound(loopback), room, MSG_CONFIRM), EINVAL, recvmsg);
}

// --- sendmmsg to its end -------------------------------------------------------------------------------------------

TEST_CASE("sendmmsg_all: all, in order, also of more messages than one call takes") {
  for (const std::size_t count : {1u, 2u, 1023u, 1024u, 1025u, 3000u}) {
    CAPTURE(count);
    const Connection tcp;
    Batch batch(count, 4);
    const SentMessages sent = sendmmsg_all(tcp.client, batch.messages);
    CHECK(sent.count == count);
    CHECK(sent.result.has_value());
    std::string expected, got;
    for (std::size_t i = 0; i < count; ++i) {
      expected += batch.texts[i];
      CHECK(batch.messages[i].sent() == batch.texts[i].size());
    }
    std::string room(4096, '\0');
    while (got.size() < expected.size())
      got += room.substr(0, VALUE(tcp.server.recv(room)));
    CHECK(got == expected);
  }
}

TEST_CASE("sendmmsg_all of nothing") {
  const SentMessages none = sendmmsg_all(Socket(), {});
  CHECK(none.count == 0);
  CHECK(none.result.has_value());
  Batch batch(2, 1);
  const SentMessages failed = sendmmsg_all(Socket(), batch.messages);
  CHECK(failed.count == 0);
  CHECK_ERROR(failed.result, EBADF, sendmmsg);
}

TEST_CASE("trap 65: why the one in the middle failed, and how many went before it") {
  const Socket receiver = bound(loopback), sender = dgram(AF_INET);
  const SocketAddress good = VALUE(receiver.getsockname());
  struct Case {
    const char *name;
    SocketAddress address;
    int code;
  };
  for (const Case &each : {Case{"a broadcast that is not permitted", at("255.255.255.255:9"), EACCES},
                           Case{"an address of another family", loopback6.with_port(9), EAFNOSUPPORT},
                           Case{"no port", at("127.0.0.1"), EINVAL}})
    for (std::size_t bad = 0; bad < 4; ++bad) {
      CAPTURE(std::string(each.name));
      CAPTURE(bad);
      Batch batch(4, 3, &good);
      batch.messages[bad] = OutgoingMessage({&batch.parts[bad], 1}, &each.address);
      const SentMessages sent = sendmmsg_all(sender, batch.messages);
      CHECK(sent.count == bad);
      CHECK_ERROR(sent.result, each.code, sendmmsg);
      CHECK(drain(receiver) == Strings(batch.texts.begin(), batch.texts.begin() + static_cast<std::ptrdiff_t>(bad)));
      // And on from there.
      batch.messages[bad] = OutgoingMessage({&batch.parts[bad], 1}, &good);
      const SentMessages rest = sendmmsg_all(sender, {batch.messages.data() + bad, 4 - bad});
      CHECK(rest.count == 4 - bad);
      CHECK(rest.result.has_value());
      CHECK(drain(receiver).size() == 4 - bad);
    }
}

TEST_CASE("sendmmsg_all on a socket that is full: EAGAIN, and how many fitted") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
  Batch batch(5000, 1000);
  const SentMessages sent = sendmmsg_all(a, batch.messages, MSG_DONTWAIT);
  CHECK(sent.count > 0);
  CHECK(sent.count < 5000);
  CHECK_ERROR(sent.result, EAGAIN, sendmmsg);
  const Strings got = drain(b);
  CHECK(got == Strings(batch.texts.begin(), batch.texts.begin() + static_cast<std::ptrdiff_t>(sent.count)));
  const SentMessages more = sendmmsg_all(a, {batch.messages.data() + sent.count, 1}, MSG_DONTWAIT);
  CHECK(more.count == 1);
  CHECK(drain(b) == Strings{batch.texts[sent.count]});
}

TEST_CASE("of a stream, a message that was sent in part is not all sent, and nothing follows it") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  const std::string large(8 << 20, 'x');
  const ConstBuffer first[] = {large}, nothing[] = {ConstBuffer()};
  OutgoingMessage messages[] = {OutgoingMessage(first), OutgoingMessage(nothing)};
  const SentMessages sent = sendmmsg_all(a, messages, MSG_DONTWAIT);
  CHECK(messages[0].sent() > 0);
  CHECK(messages[0].sent() < large.size());
  CHECK(sent.count == 0);
  CHECK_ERROR(sent.result, EAGAIN, sendmmsg);
}

TEST_SUITE_END();
