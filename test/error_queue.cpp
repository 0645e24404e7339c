// SPDX-License-Identifier: MIT
/// Every kind of entry of the error queue, made by the kernel where this one can: over loopback, and across a router
/// in a network namespace of the test's own.

#include "network.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/if_link.h>
#include <linux/net_tstamp.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <thread>
#include <vector>

using namespace baresock;

namespace {

/// Waits until there is an entry, and takes it.
QueuedError next(const Socket &socket, MutableBuffer packet = {}) {
  wait(socket);
  return VALUE(recv_error(socket, packet));
}

/// A port of `address` that answers nobody, and stays so: its socket is connected elsewhere.
struct DeafPort {
  Socket socket;
  SocketAddress address;

  explicit DeafPort(const SocketAddress &at) : socket(bound(at)), address(VALUE(socket.getsockname())) {
    VALUE(socket.connect(address.with_port(9)));
  }
};

// --- entries as text: all that is in them, in a line ------------------------------------------------------------

std::string text(const SocketAddress &address) {
  return address.family() == AF_UNSPEC ? "nobody" : std::string(address.text().c_str());
}
std::string text(int error_number) { return error_name(error_number); }
std::string text(const IcmpError &e) {
  return (e.ipv6 ? "icmp6 " : "icmp ") + text(e.error_number) + ' ' + std::to_string(e.type) + '/' +
         std::to_string(e.code) + " info " + std::to_string(e.info) + " from " + text(e.offender) + " of " +
         text(e.destination);
}
std::string text(const LocalError &e) {
  return "local " + text(e.error_number) + " info " + std::to_string(e.info) + " of " + text(e.destination);
}
std::string text(const ZeroCopyCompletion &e) {
  return "zero copy " + std::to_string(e.first) + '-' + std::to_string(e.last) + (e.copied ? " copied" : "");
}
std::string text(const TransmitTimestamp &e) {
  return "timestamp " + std::to_string(static_cast<unsigned>(e.point)) + " id " + std::to_string(e.id) + " at " +
         std::to_string(e.time.software.count()) + ' ' + std::to_string(e.time.transformed.count()) + ' ' +
         std::to_string(e.time.hardware.count());
}
std::string text(const TransmitDrop &e) {
  return "drop " + text(e.error_number) + ' ' + std::to_string(static_cast<int>(e.reason)) + " at " +
         std::to_string(e.txtime.count());
}
std::string text(const OtherEntry &e) {
  return "other " + std::to_string(e.error.ee_origin) + ": " + std::to_string(e.error.ee_errno) + ' ' +
         std::to_string(e.error.ee_type) + ' ' + std::to_string(e.error.ee_code) + ' ' +
         std::to_string(e.error.ee_info) + ' ' + std::to_string(e.error.ee_data) + " from " + text(e.offender) +
         " of " + text(e.destination);
}

/// What get() says if it is a T: nothing otherwise, and the error has to be the right one.
template <class T>
std::string got(const QueuedError &entry) {
  clear_error();
  const auto value = entry.get<T>();
  if (value)
    return text(*value);
  CHECK(value.error() == Error(ENOMSG, Operation::as));
  CHECK(last_error() == Error());
  return "";
}

/// What visit() says, with which exactly one get<>() has to agree.
std::string text(const QueuedError &entry) {
  std::string visited = entry.visit([](const auto &each) { return text(each); });
  CHECK(got<IcmpError>(entry) + got<LocalError>(entry) + got<ZeroCopyCompletion>(entry) +
            got<TransmitTimestamp>(entry) + got<TransmitDrop>(entry) + got<OtherEntry>(entry) ==
        visited);
  return visited;
}

// --- networks -----------------------------------------------------------------------------------------------------

/// A request to the kernel's rtnetlink(7), and its answer.
class Request {
public:
  Request(std::uint16_t type, int flags) : header_{0, type, static_cast<std::uint16_t>(flags | 5), 1, 0} {
    put(header_); // 5: NLM_F_REQUEST | NLM_F_ACK
  }
  template <class T>
  Request &put(const T &object) {
    bytes_.append(reinterpret_cast<const char *>(&object), sizeof object);
    return *this;
  }
  Request &attribute(int type, ConstBuffer value) {
    const std::size_t start = open(type);
    bytes_.append(reinterpret_cast<const char *>(value.data()), value.size());
    close(start);
    return *this;
  }
  template <class T>
    requires std::is_integral_v<T>
  Request &attribute(int type, T value) {
    return attribute(type, ConstBuffer(&value, sizeof value));
  }
  /// An IP address without its port.
  Request &attribute(int type, const SocketAddress &address) {
    if (auto inet = address.get<Inet4Address>())
      return attribute(type, htonl(inet->address));
    const in6_addr inet6 = VALUE(address.get<Inet6Address>()).address;
    return attribute(type, ConstBuffer(&inet6, sizeof inet6));
  }
  std::size_t open(int type) {
    const std::size_t start = bytes_.size();
    put(std::uint16_t{0}).put(static_cast<std::uint16_t>(type));
    return start;
  }
  void close(std::size_t start) {
    const auto length = static_cast<std::uint16_t>(bytes_.size() - start);
    std::memcpy(&bytes_[start], &length, sizeof length);
    bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
  }
  /// In the namespace that the thread is in now. The errno, or 0.
  int send() {
    header_.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &header_, sizeof header_);
    Socket socket = VALUE(Socket::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    VALUE(socket.sendto(bytes_, NetlinkAddress{}));
    struct {
      nlmsghdr header;
      nlmsgerr error;
      char rest[4096];
    } answer = {};
    VALUE(socket.recv({&answer, sizeof answer}));
    REQUIRE(answer.header.nlmsg_type == NLMSG_ERROR);
    return -answer.error.error;
  }

private:
  nlmsghdr header_;
  std::string bytes_;
};

struct LinkName {
  const char *name;
  unsigned mtu;
  int network; // that it is to be in; -1: this one
};

int add_veth(const LinkName &one, const LinkName &other) {
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  const auto link = [&](const LinkName &end) {
    request.put(ifinfomsg{}).attribute(IFLA_IFNAME, ConstBuffer(end.name, std::strlen(end.name) + 1));
    request.attribute(IFLA_MTU, end.mtu);
    if (end.network >= 0)
      request.attribute(IFLA_NET_NS_FD, end.network);
  };
  link(one);
  const std::size_t info = request.open(IFLA_LINKINFO);
  request.attribute(IFLA_INFO_KIND, "veth");
  const std::size_t data = request.open(IFLA_INFO_DATA);
  const std::size_t peer = request.open(VETH_INFO_PEER);
  link(other);
  request.close(peer);
  request.close(data);
  request.close(info);
  return request.send();
}

int set_up(const char *link) {
  ifinfomsg info = {};
  info.ifi_index = static_cast<int>(::if_nametoindex(link));
  info.ifi_flags = info.ifi_change = IFF_UP;
  return Request(RTM_NEWLINK, 0).put(info).send();
}

/// An address with the first 24 bits (of IPv6, 64) as its network, without duplicate address detection, which takes
/// its time.
int add_address(const char *link, const SocketAddress &address) {
  ifaddrmsg message = {};
  const bool inet = address.family() == AF_INET;
  message.ifa_family = static_cast<std::uint8_t>(address.family());
  message.ifa_prefixlen = inet ? 24 : 64;
  message.ifa_flags = IFA_F_NODAD;
  message.ifa_index = ::if_nametoindex(link);
  return Request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL)
      .put(message)
      .attribute(IFA_LOCAL, address)
      .attribute(IFA_ADDRESS, address)
      .send();
}

/// A route to a network of as many bits, or to everything by way of `gateway`.
int add_route(std::uint8_t type, const SocketAddress &to) {
  rtmsg message = {};
  const bool inet = to.family() == AF_INET;
  message.rtm_family = static_cast<std::uint8_t>(to.family());
  message.rtm_table = RT_TABLE_MAIN;
  message.rtm_protocol = RTPROT_BOOT;
  message.rtm_type = type;
  if (type == RTN_UNICAST)
    return Request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL).put(message).attribute(RTA_GATEWAY, to).send();
  message.rtm_dst_len = inet ? 24 : 64;
  return Request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL).put(message).attribute(RTA_DST, to).send();
}

bool write(const char *path, const char *value) {
  return static_cast<bool>(std::ofstream(path) << value << std::flush);
}

FileDescriptor this_network() {
  FileDescriptor network(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  REQUIRE(network.fd() >= 0);
  return network;
}

SocketAddress host_address(int number) { return at("10.1.0." + std::to_string(number)); }

/// Runs `body` on a host (10.1.0.2 to 10.1.0.19, fd01::2) whose only way out is a router (10.1.0.1, fd01::1) that
/// forwards to 10.2.0.0/24 and fd02::/64, over a link with an MTU of 1300, refuses 10.4.0.0/24 and fd04::/64, has
/// nobody at 10.3.0.0/24, and knows no other networks. The reason if that cannot be had here.
const char *behind_router(const std::function<void()> &body) {
  const char *reason = nullptr;
  const auto connected = [&] {
    const FileDescriptor host = this_network();
    REQUIRE(::unshare(CLONE_NEWNET) == 0);
    const FileDescriptor router = this_network(); // lasts as long as this
    if (add_veth({"near", 1500, -1}, {"up", 1500, host.fd()}) != 0) {
      reason = "there is no veth here";
      return;
    }
    REQUIRE(add_veth({"far", 1300, -1}, {"further", 1300, -1}) == 0);
    if (!write("/proc/sys/net/ipv4/ip_forward", "1")) {
      reason = "forwarding cannot be switched on";
      return;
    }
    const bool inet6 = write("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    // It answers one host so often only, and counts twice what is an error of a route.
    (void)write("/proc/sys/net/ipv4/icmp_ratelimit", "0");
    (void)write("/proc/sys/net/ipv6/icmp/ratelimit", "0");
    for (const char *link : {"near", "far", "further"})
      REQUIRE(set_up(link) == 0);
    REQUIRE(add_address("near", at("10.1.0.1")) == 0);
    REQUIRE(add_address("far", at("10.2.0.1")) == 0);
    REQUIRE(add_route(RTN_UNREACHABLE, at("10.3.0.0")) == 0);
    REQUIRE(add_route(RTN_PROHIBIT, at("10.4.0.0")) == 0);
    if (inet6) {
      REQUIRE(add_address("near", at("fd01::1")) == 0);
      REQUIRE(add_address("far", at("fd02::1")) == 0);
      REQUIRE(add_route(RTN_PROHIBIT, at("fd04::")) == 0);
    }
    REQUIRE(::setns(host.fd(), CLONE_NEWNET) == 0);
    REQUIRE(set_up("up") == 0);
    for (int host_number = 2; host_number < 20; ++host_number)
      REQUIRE(add_address("up", host_address(host_number)) == 0);
    REQUIRE(add_route(RTN_UNICAST, at("10.1.0.1")) == 0);
    if (inet6) {
      REQUIRE(add_address("up", at("fd01::2")) == 0);
      REQUIRE(add_route(RTN_UNICAST, at("fd01::1")) == 0);
    }
    body();
  };
  return in_own_network(connected) ? reason : "a network of one's own wants CAP_SYS_ADMIN";
}

/// Sends until there is an entry: links that have just come up lose packets.
QueuedError send_for_error(const Socket &socket, const SocketAddress &to, ConstBuffer data,
                           MutableBuffer packet = {}) {
  for (int i = 0; i < 100; ++i) {
    (void)socket.sendto(data, to); // fails if an error came meanwhile
    pollfd waiting{socket.fd(), 0, 0};
    if (::poll(&waiting, 1, 100) == 1)
      return VALUE(recv_error(socket, packet));
  }
  FAIL("no answer");
  return {};
}

std::string bytes(const char *buffer, const QueuedError &entry) { return {buffer, entry.packet().size}; }

// --- built by hand ------------------------------------------------------------------------------------------------

constexpr std::uint8_t origin_timestamping = 4, origin_txtime = 6; // SO_EE_ORIGIN_

struct Received4 {
  kernel::sock_extended_err error;
  sockaddr_in offender;
};

/// An entry as the kernel would give it.
Result<QueuedError> built(const kernel::sock_extended_err &error, const SocketAddress &destination = {},
                          const SocketAddress &offender = {}) {
  ControlBuffer<error_queue_space> control;
  Received4 raw{error, {}};
  std::memcpy(&raw.offender, offender.data(), std::min<std::size_t>(offender.size(), sizeof raw.offender));
  VALUE(control.append(IPPROTO_IP, IP_RECVERR, {&raw, sizeof raw}));
  ReceivedMessage message;
  message.address = destination;
  return queued_error(message, control);
}

// --- timestamps ---------------------------------------------------------------------------------------------------

constexpr unsigned stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_SOFTWARE |
                            SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;

void stamp(const Socket &socket, unsigned flags) {
  VALUE(socket.setsockopt(so::timestamping, kernel::so_timestamping{static_cast<std::int32_t>(flags), 0}));
}

Nanoseconds now() {
  timespec time = {};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return Nanoseconds(time.tv_sec * 1'000'000'000LL + time.tv_nsec);
}

/// "sent 0", and the time has to be this day's.
std::string point(const TransmitTimestamp &stamp) {
  constexpr const char *names[] = {"sent", "scheduled", "acknowledged", "completed"};
  const long long age = now().count() - stamp.time.software.count();
  CHECK(age >= 0);
  CHECK(age < 24 * 3600 * 1'000'000'000LL);
  CHECK(stamp.time.transformed == Nanoseconds(0));
  CHECK(stamp.time.hardware == Nanoseconds(0));
  REQUIRE(static_cast<std::size_t>(stamp.point) < std::size(names));
  return std::string(names[static_cast<std::size_t>(stamp.point)]) + ' ' + std::to_string(stamp.id);
}

/// So many timestamps, sorted.
std::vector<std::string> points(const Socket &socket, std::size_t count) {
  std::vector<std::string> found;
  while (found.size() < count) {
    const QueuedError entry = next(socket);
    CHECK(text(entry).starts_with("timestamp "));
    found.push_back(point(VALUE(entry.get<TransmitTimestamp>())));
  }
  std::ranges::sort(found);
  return found;
}

using Strings = std::vector<std::string>;

} // namespace

TEST_SUITE_BEGIN("error_queue");

// --- ICMP -------------------------------------------------------------------------------------------------------

TEST_CASE("port unreachable: who said so, of which packet, and what of it came back") {
  struct Case {
    const char *name;
    int family;
    const char *to;
    const char *entry; // between "icmp" and " of "
  };
  for (const Case &each : {
           Case{"IPv4", AF_INET, "127.0.0.3:0", "icmp ECONNREFUSED 3/3 info 0 from 127.0.0.3"},
           Case{"IPv6", AF_INET6, "[::1]:0", "icmp6 ECONNREFUSED 1/4 info 0 from ::1"},
           Case{"IPv4 by a socket of AF_INET6", AF_INET6, "[::ffff:127.0.0.3]:0",
                "icmp ECONNREFUSED 3/3 info 0 from ::ffff:127.0.0.3"},
       })
    for (const bool connected : {false, true}) {
      if (each.family == AF_INET6 && !has_inet6())
        SKIP("there is no IPv6 here");
      CAPTURE(std::string(each.name));
      CAPTURE(connected);
      const DeafPort deaf(at(each.to));
      const Socket socket = dgram(each.family);
      VALUE(socket.setsockopt(ip::recverr, true));
      if (each.family == AF_INET6)
        VALUE(socket.setsockopt(ipv6::recverr, true));
      if (connected) {
        VALUE(socket.connect(deaf.address));
        VALUE(socket.send("hello"));
      } else {
        VALUE(socket.sendto("hello", deaf.address));
      }
      char room[32] = {};
      const QueuedError entry = next(socket, room);
      CHECK(text(entry) == each.entry + (" of " + text(deaf.address)));
      CHECK(VALUE(entry.get<IcmpError>()).destination.port() == deaf.address.port());
      CHECK(bytes(room, entry) == "hello");
      CHECK(entry.packet().length == 5);
      CHECK_FALSE(entry.truncated());
      CHECK(entry.raw().ee_errno == ECONNREFUSED);
      CHECK(entry.raw().ee_origin == (each.to[1] == ':' && each.to[2] == ':' && each.to[3] == '1' ? 3 : 2));
      CHECK_ERROR(recv_error(socket), EAGAIN, recvmsg);
    }
}

TEST_CASE("trap 62: an error of an IPv4 peer of an AF_INET6 socket is lost without IP_RECVERR") {
  if (!has_inet6())
    SKIP("there is no IPv6 here");
  const DeafPort first(at("[::ffff:127.0.0.1]:0")), second(at("[::ffff:127.0.0.1]:0"));
  const Socket socket = dgram(AF_INET6);
  VALUE(socket.setsockopt(ipv6::recverr, true));
  VALUE(socket.sendto("lost", first.address));
  VALUE(socket.setsockopt(ip::recverr, true));
  VALUE(socket.sendto("kept", second.address));
  char room[8];
  const QueuedError entry = next(socket, room);
  CHECK(bytes(room, entry) == "kept");
  const IcmpError icmp = VALUE(entry.get<IcmpError>());
  CHECK_FALSE(icmp.ipv6);
  CHECK(icmp.offender == at("::ffff:127.0.0.1"));
  CHECK(icmp.destination == second.address);
  CHECK_ERROR(recv_error(socket), EAGAIN, recvmsg);
  // The message is one of IPPROTO_IPV6.
  VALUE(socket.sendto("once more", second.address));
  wait(socket);
  ControlBuffer<error_queue_space> control;
  const MutableBuffer parts[] = {room};
  VALUE(socket.recvmsg(parts, control, MSG_ERRQUEUE));
  CHECK(VALUE(control.get(cmsg::ipv6::recverr)).offender == at("::ffff:127.0.0.1"));
  CHECK(control.get(cmsg::ip::recverr).error().is(ENOMSG));
}

TEST_CASE("a router's answers: time exceeded, unreachable, prohibited, too big") {
  struct Case {
    const char *to;
    const char *entry;
    int hop_limit = 64;
    std::size_t size = 5;
  };
  constexpr Case cases[] = {
      {"10.2.0.2:7", "icmp EHOSTUNREACH 11/0 info 0 from 10.1.0.1", 1},
      {"10.3.0.2:7", "icmp EHOSTUNREACH 3/1 info 0 from 10.1.0.1"},
      {"10.4.0.2:7", "icmp EHOSTUNREACH 3/13 info 0 from 10.1.0.1"},
      {"10.5.0.2:7", "icmp ENETUNREACH 3/0 info 0 from 10.1.0.1"},
      {"10.2.0.2:7", "icmp EMSGSIZE 3/4 info 1300 from 10.1.0.1", 64, 1400},
      {"[fd02::2]:7", "icmp6 EHOSTUNREACH 3/0 info 0 from fd01::1", 1},
      {"[fd04::2]:7", "icmp6 EACCES 1/1 info 0 from fd01::1"},
      {"[fd05::2]:7", "icmp6 ENETUNREACH 1/0 info 0 from fd01::1"},
      {"[fd02::2]:7", "icmp6 EMSGSIZE 2/0 info 1300 from fd01::1", 64, 1400},
      {"[::ffff:10.2.0.2]:7", "icmp EHOSTUNREACH 11/0 info 0 from ::ffff:10.1.0.1", 1},
      {"[::ffff:10.5.0.2]:7", "icmp ENETUNREACH 3/0 info 0 from ::ffff:10.1.0.1"},
      {"[::ffff:10.2.0.3]:7", "icmp EMSGSIZE 3/4 info 1300 from ::ffff:10.1.0.1", 64, 1400},
  };
  const char *reason = behind_router([&] {
    int host_number = 2; // the router takes each case for another host's
    for (const Case &each : cases) {
      const SocketAddress to = at(each.to);
      if (to.family() == AF_INET6 && !has_inet6())
        continue;
      CAPTURE(std::string(each.to));
      CAPTURE(std::string(each.entry));
      const Socket socket = dgram(to.family());
      VALUE(socket.setsockopt(ip::recverr, true));
      VALUE(socket.setsockopt(ip::mtu_discover, IP_PMTUDISC_DO));
      VALUE(socket.setsockopt(ip::ttl, each.hop_limit));
      if (to.family() == AF_INET6) {
        VALUE(socket.setsockopt(ipv6::recverr, true));
        VALUE(socket.setsockopt(ipv6::mtu_discover, IPV6_PMTUDISC_DO));
        VALUE(socket.setsockopt(ipv6::unicast_hops, each.hop_limit));
      }
      if (to.family() == AF_INET)
        VALUE(socket.bind(host_address(host_number++)));
      else if (each.to[1] == ':')
        VALUE(socket.bind(at(std::string("::ffff:") + host_address(host_number++).text().c_str())));
      const std::string data(each.size, 'd');
      std::string room(2000, '\0');
      const QueuedError entry = send_for_error(socket, to, data, room);
      CHECK(text(entry) == each.entry + (" of " + text(to)));
      // Of a long packet a router sends back the beginning.
      const std::size_t size = entry.packet().size;
      CHECK(size >= 5);
      CHECK(room.substr(0, size) == data.substr(0, size));
      CHECK_FALSE(entry.truncated());
      if (each.size > 1300) { // now this host knows it
        CHECK_ERROR(socket.sendto(data, to), EMSGSIZE, sendto);
        LocalError local = VALUE(next(socket).get<LocalError>());
        local.destination = local.destination.with_port(0); // which IPv4 tells only of connected sockets
        CHECK(text(local) == "local EMSGSIZE info 1300 of " + text(to.with_port(0)));
      }
    }
  });
  if (reason != nullptr)
    SKIP(reason);
}

TEST_CASE("the packet: into the buffer as far as there is room, and whether there was") {
  const DeafPort deaf(loopback);
  const Socket socket = dgram(AF_INET);
  VALUE(socket.setsockopt(ip::recverr, true));
  const std::string data = "0123456789";
  for (std::size_t room = 0; room <= data.size() + 1; ++room) {
    CAPTURE(room);
    VALUE(socket.sendto(data, deaf.address));
    std::string buffer(16, '-');
    const QueuedError entry = next(socket, {buffer.data(), room});
    const std::size_t size = std::min(room, data.size());
    CHECK(entry.packet().size == size);
    CHECK(static_cast<std::size_t>(entry.packet()) == size);
    CHECK(entry.truncated() == (room < data.size()));
    CHECK(buffer == data.substr(0, size) + std::string(16 - size, '-'));
  }
  VALUE(socket.sendto(std::string(3000, 'x'), deaf.address));
  std::string buffer(4000, '-');
  const QueuedError entry = next(socket, buffer);
  CHECK(entry.packet().size > 0);
  CHECK(entry.packet().size < 3000); // ICMP brings 576 bytes back, headers and all
  CHECK_FALSE(entry.truncated());
  CHECK(buffer.find('-') == entry.packet().size);
}

// --- this host --------------------------------------------------------------------------------------------------

TEST_CASE("a datagram that is too long for its route: EMSGSIZE of this host") {
  const Socket sink = bound(loopback);
  const SocketAddress to = VALUE(sink.getsockname());
  for (const bool connected : {false, true}) {
    CAPTURE(connected);
    const Socket socket = dgram(AF_INET);
    VALUE(socket.setsockopt(ip::recverr, true));
    if (connected)
      VALUE(socket.connect(to));
    CHECK_ERROR(socket.sendto(std::string(65'520, 'x'), to), EMSGSIZE, sendto);
    const QueuedError entry = next(socket);
    const LocalError local = VALUE(entry.get<LocalError>());
    CHECK(local.error_number == EMSGSIZE);
    CHECK(local.info >= 1000); // lo's MTU, which is usually 65536
    CHECK(local.destination == to.with_port(connected ? to.port() : 0));
    CHECK(text(entry) == text(local));
    CHECK(entry.packet().size == 0);
  }
}

TEST_CASE("IP_PMTUDISC_DO: the MTU of this host's link") {
  const bool permitted = in_own_network([&] {
    Socket control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request = {};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_mtu = 1400;
    REQUIRE(::ioctl(control.fd(), SIOCSIFMTU, &request) == 0);
    for (const char *address : {"127.0.0.1", "::1", "::ffff:127.0.0.1"}) {
      CAPTURE(std::string(address));
      if (address[0] == ':' && !has_inet6())
        continue;
      const SocketAddress to = at(address).with_port(9);
      const Socket socket = dgram(to.family());
      VALUE(socket.setsockopt(ip::recverr, true));
      VALUE(socket.setsockopt(ip::mtu_discover, IP_PMTUDISC_DO));
      if (to.family() == AF_INET6) {
        VALUE(socket.setsockopt(ipv6::recverr, true));
        VALUE(socket.setsockopt(ipv6::mtu_discover, IPV6_PMTUDISC_DO));
      }
      VALUE(socket.connect(to));
      CHECK_ERROR(socket.send(std::string(1500, 'x')), EMSGSIZE, send);
      CHECK(text(next(socket)) == "local EMSGSIZE info 1400 of " + text(to));
    }
  });
  if (!permitted)
    SKIP("a network of one's own wants CAP_SYS_ADMIN");
}

// --- an empty queue, and what is no entry -------------------------------------------------------------------------

TEST_CASE("trap 63: a socket that blocks does not wait for an entry") {
  for (const int family : {AF_INET, AF_INET6}) {
    auto socket = Socket::socket(family, SOCK_DGRAM);
    if (!socket)
      continue;
    VALUE(socket->setsockopt(IPPROTO_IP, IP_RECVERR, true));
    CHECK_ERROR(recv_error(*socket), EAGAIN, recvmsg);
  }
  const Connection tcp;
  CHECK_ERROR(recv_error(tcp.client), EAGAIN, recvmsg);
  // Data is no entry, and stays.
  VALUE(tcp.server.send("data"));
  wait(tcp.client, POLLIN);
  char room[8];
  CHECK_ERROR(recv_error(tcp.client, room), EAGAIN, recvmsg);
  CHECK(VALUE(tcp.client.recv(room)) == 4);
  CHECK_ERROR(recv_error(Socket()), EBADF, recvmsg);
  CHECK_ERROR(recv_error(tcp.client, room, MSG_CONFIRM), EINVAL, recvmsg);
}

TEST_CASE("of a family without an error queue, too, recv_error does not wait") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
  const int status = in_child([&receiver = b] {
    ::alarm(3);
    const auto entry = recv_error(receiver);
    return !entry && entry.error() == Error(EAGAIN, Operation::recvmsg) ? 0 : 1;
  });
  CHECK(status == 0); // SIGALRM: it waited
}

TEST_CASE("a message without an entry: ENOMSG; one whose entry was cut off: ENOBUFS") {
  const Socket socket = bound(loopback);
  VALUE(socket.setsockopt(ip::recverr, true));
  VALUE(socket.setsockopt(ip::recvttl, true));
  VALUE(socket.sendto("no error", VALUE(socket.getsockname())));
  char room[16];
  const MutableBuffer parts[] = {room};
  {
    ControlBuffer<error_queue_space> control;
    CHECK_ERROR(queued_error(ReceivedMessage(), control), ENOMSG, as);
    const ReceivedMessage message = VALUE(socket.recvmsg(parts, control));
    CHECK(VALUE(control.get(cmsg::ip::ttl)) > 0);
    CHECK_ERROR(queued_error(message, control), ENOMSG, as);
  }
  const DeafPort deaf(loopback);
  const auto cut = [&]<std::size_t Room>(std::integral_constant<std::size_t, Room>) {
    CAPTURE(Room);
    VALUE(socket.sendto("error", deaf.address));
    wait(socket);
    ControlBuffer<Room> control;
    const ReceivedMessage message = VALUE(socket.recvmsg(parts, control, MSG_ERRQUEUE));
    CHECK(message.control_truncated());
    CHECK_ERROR(queued_error(message, control), ENOBUFS, as);
  };
  // The TTL comes first (24 bytes), then the entry: 48 without its padding.
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (cut(std::integral_constant<std::size_t, I * 6>()), ...);
  }(std::make_index_sequence<12>());
  VALUE(socket.sendto("error", deaf.address));
  wait(socket);
  ControlBuffer<72> control;
  const ReceivedMessage message = VALUE(socket.recvmsg(parts, control, MSG_ERRQUEUE));
  CHECK(text(VALUE(queued_error(message, control))).starts_with("icmp ECONNREFUSED 3/3 "));
}

TEST_CASE("entries in a batch of recvmmsg") {
  const Socket socket = dgram(AF_INET);
  VALUE(socket.setsockopt(ip::recverr, true));
  const DeafPort first(at("127.0.0.2:0")), second(at("127.0.0.3:0")), third(at("127.0.0.4:0"));
  const DeafPort *ports[] = {&first, &second, &third};
  for (const DeafPort *each : ports) {
    // The error that is pending, sendto reports instead of sending.
    if (auto sent = socket.sendto("packet", each->address); !sent)
      VALUE(socket.sendto("packet", each->address));
  }
  IncomingBatch<5, error_queue_space> batch;
  char rooms[5][16];
  MutableBuffer parts[5];
  for (std::size_t i = 0; i < 5; ++i) {
    parts[i] = rooms[i];
    batch.assign(i, {&parts[i], 1});
  }
  std::size_t seen = 0;
  while (seen < 3) {
    wait(socket);
    const std::size_t count = VALUE(socket.recvmmsg(batch, MSG_ERRQUEUE));
    REQUIRE(count + seen <= 3);
    for (std::size_t i = 0; i < count; ++i, ++seen) {
      const auto each = batch[i];
      ReceivedMessage message;
      static_cast<MessageInfo &>(message) = each;
      message.address = each.address;
      const QueuedError entry = VALUE(queued_error(message, each.control));
      CHECK(text(entry) == "icmp ECONNREFUSED 3/3 info 0 from " + text(ports[seen]->address.with_port(0)) + " of " +
                               text(ports[seen]->address));
      CHECK(entry.packet().size == 6);
    }
  }
}

// --- timestamps of transmission -----------------------------------------------------------------------------------

TEST_CASE("trap 63: timestamps of what UDP sent, with their numbers, without IP_RECVERR") {
  for (const SocketAddress &address : {loopback, loopback6}) {
    if (address.family() == AF_INET6 && !has_inet6())
      SKIP("there is no IPv6 here");
    CAPTURE(text(address));
    const Socket sink = bound(address);
    const Socket socket = dgram(address.family());
    stamp(socket, stamps);
    for (int i = 0; i < 3; ++i)
      VALUE(socket.sendto("stamped", VALUE(sink.getsockname())));
    CHECK(points(socket, 6) == Strings{"scheduled 0", "scheduled 1", "scheduled 2", "sent 0", "sent 1", "sent 2"});
    CHECK_ERROR(recv_error(socket), EAGAIN, recvmsg);
  }
}

TEST_CASE("timestamps of what TCP sent are numbered by the last byte") {
  const Connection tcp;
  stamp(tcp.client, stamps | SOF_TIMESTAMPING_TX_ACK);
  char room[16];
  VALUE(tcp.client.send("0123456789"));
  CHECK(VALUE(tcp.server.recv(room)) == 10);
  CHECK(points(tcp.client, 3) == Strings{"acknowledged 9", "scheduled 9", "sent 9"});
  VALUE(tcp.client.send("abcde"));
  CHECK(VALUE(tcp.server.recv(room)) == 5);
  CHECK(points(tcp.client, 3) == Strings{"acknowledged 14", "scheduled 14", "sent 14"});
  CHECK_ERROR(recv_error(tcp.client), EAGAIN, recvmsg);
}

TEST_CASE("without SOF_TIMESTAMPING_OPT_TSONLY the packet comes back, headers and all") {
  const Socket sink = bound(loopback);
  const Socket socket = dgram(AF_INET);
  stamp(socket, SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
  VALUE(socket.sendto("stamped", VALUE(sink.getsockname())));
  std::string room(200, '\0');
  const QueuedError entry = next(socket, room);
  const std::size_t size = entry.packet().size;
  CHECK(size > 28); // of IP and UDP
  CHECK(room.substr(0, size).ends_with("stamped"));
  CHECK_FALSE(entry.truncated());
  CHECK(point(VALUE(entry.get<TransmitTimestamp>())) == "sent 0");
  VALUE(socket.sendto("stamped", VALUE(sink.getsockname())));
  CHECK(next(socket).truncated());
}

TEST_CASE("whatever else a socket is set to receive, there is room for the entry") {
  const Connection tcp;
  // SOF_TIMESTAMPING_OPT_STATS: some thirty figures.
  stamp(tcp.client, stamps | SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_OPT_STATS | SOF_TIMESTAMPING_OPT_CMSG);
  VALUE(tcp.client.setsockopt(so::rxq_ovfl, true));
  char room[16];
  VALUE(tcp.client.send("0123456789"));
  CHECK(VALUE(tcp.server.recv(room)) == 10);
  CHECK(points(tcp.client, 3) == Strings{"acknowledged 9", "scheduled 9", "sent 9"});

  for (const SocketAddress &address : {loopback, loopback6}) {
    if (address.family() == AF_INET6 && !has_inet6())
      SKIP("there is no IPv6 here");
    CAPTURE(text(address));
    const DeafPort deaf(address);
    const Socket socket = dgram(address.family());
    stamp(socket, stamps | SOF_TIMESTAMPING_OPT_CMSG | SOF_TIMESTAMPING_OPT_PKTINFO);
    VALUE(socket.setsockopt(so::rxq_ovfl, true));
    for (const auto &option :
         {ip::recverr, ip::pktinfo, ip::recvtos, ip::recvttl, ip::recvopts, ip::retopts, ip::recvorigdstaddr})
      VALUE(socket.setsockopt(option, true));
    if (address.family() == AF_INET6)
      for (const auto &option : {ipv6::recverr, ipv6::recvpktinfo, ipv6::recvtclass, ipv6::recvhoplimit,
                                 ipv6::recvhopopts, ipv6::recvdstopts, ipv6::recvrthdr, ipv6::recvorigdstaddr})
        VALUE(socket.setsockopt(option, true));
    VALUE(socket.sendto("stamped", deaf.address));
    Strings found;
    for (int i = 0; i < 3; ++i) {
      const QueuedError entry = next(socket);
      const auto stamped = entry.get<TransmitTimestamp>();
      found.push_back(stamped ? point(*stamped) : text(entry).substr(0, text(entry).find(' ')));
    }
    std::ranges::sort(found);
    CHECK(found == Strings{address.family() == AF_INET ? "icmp" : "icmp6", "scheduled 0", "sent 0"});
  }
}

TEST_CASE("timestamps of what a packet socket sent") {
  auto socket = Socket::socket(AF_PACKET, SOCK_DGRAM);
  if (!socket && (socket.error().is(EPERM) || socket.error().is(EAFNOSUPPORT)))
    SKIP("a packet socket wants CAP_NET_RAW");
  REQUIRE(socket.has_value());
  stamp(*socket, stamps);
  PacketAddress to;
  to.protocol = 0x88b5; // for experiments: nobody receives it
  to.interface_index = static_cast<int>(::if_nametoindex("lo"));
  for (int i = 0; i < 2; ++i)
    VALUE(socket->sendto("stamped", to));
  CHECK(points(*socket, 4) == Strings{"scheduled 0", "scheduled 1", "sent 0", "sent 1"});
  CHECK_ERROR(recv_error(*socket), EAGAIN, recvmsg);
}

// --- buffers that are free again
// ------------------------------------------------------------------------------------

TEST_CASE("the completions of sends without a copy come as one range") {
  const Socket sink = bound(loopback);
  const Socket socket = dgram(AF_INET);
  VALUE(socket.connect(VALUE(sink.getsockname())));
  if (auto on = socket.setsockopt(so::zerocopy, true); !on)
    SKIP("UDP sends without a copy since Linux 5.0");
  const std::string data(1000, 'z');
  char room[1000];
  const auto exchange = [&](int count) {
    for (int i = 0; i < count; ++i)
      CHECK(VALUE(socket.send(data, MSG_ZEROCOPY)) == 1000);
    for (int i = 0; i < count; ++i) // to loopback the kernel copies before it delivers
      CHECK(VALUE(sink.recv(room)) == 1000);
  };
  exchange(4);
  CHECK(text(next(socket)) == "zero copy 0-3 copied");
  exchange(1);
  exchange(2);
  CHECK(text(next(socket)) == "zero copy 4-6 copied");
  CHECK_ERROR(recv_error(socket), EAGAIN, recvmsg);
}

TEST_CASE("timestamps and completions share a queue, and nothing is lost") {
  const Connection tcp;
  VALUE(tcp.client.setsockopt(so::zerocopy, true));
  stamp(tcp.client, stamps | SOF_TIMESTAMPING_TX_ACK);
  const std::string data(5000, 'z');
  std::string room(5000, '\0');
  for (int i = 0; i < 4; ++i) {
    REQUIRE(VALUE(tcp.client.send(data, MSG_ZEROCOPY)) == data.size());
    for (std::size_t got = 0; got < data.size();)
      got += VALUE(tcp.server.recv({room.data() + got, room.size() - got}));
    CHECK(room == data);
  }
  std::vector<int> completed(4);
  Strings found;
  while (found.size() < 4 * 3 || std::ranges::count(completed, 1) < 4) {
    const QueuedError entry = next(tcp.client);
    if (const auto completion = entry.get<ZeroCopyCompletion>()) {
      CHECK(completion->copied);
      REQUIRE(completion->last < 4);
      for (std::uint32_t id = completion->first; id <= completion->last; ++id)
        ++completed[id];
    } else {
      found.push_back(point(VALUE(entry.get<TransmitTimestamp>())));
    }
  }
  CHECK(completed == std::vector<int>{1, 1, 1, 1});
  std::ranges::sort(found);
  CHECK(found == Strings{"acknowledged 14999", "acknowledged 19999", "acknowledged 4999", "acknowledged 9999",
                         "scheduled 14999", "scheduled 19999", "scheduled 4999", "scheduled 9999", "sent 14999",
                         "sent 19999", "sent 4999", "sent 9999"});
  CHECK_ERROR(recv_error(tcp.client), EAGAIN, recvmsg);
}

// --- what this kernel does not make --------------------------------------------------------------------------------

// SO_TXTIME drops need the etf qdisc and a clock to miss: the entries are built as net/sched/sch_etf.c does.
TEST_CASE("a packet dropped because of its time") {
  const SocketAddress to = at("192.0.2.1:9");
  constexpr std::uint64_t time = 1'700'000'000'123'456'789;
  kernel::sock_extended_err error = {};
  error.ee_origin = origin_txtime;
  error.ee_info = static_cast<std::uint32_t>(time);
  error.ee_data = static_cast<std::uint32_t>(time >> 32);
  error.ee_errno = EINVAL;
  error.ee_code = 1;
  CHECK(text(VALUE(built(error, to))) == "drop EINVAL 1 at 1700000000123456789");
  error.ee_errno = ECANCELED;
  error.ee_code = 2;
  const TransmitDrop drop = VALUE(VALUE(built(error, to)).get<TransmitDrop>());
  CHECK(drop.reason == TransmitDrop::Reason::missed);
  CHECK(drop.error_number == ECANCELED);
  CHECK(drop.txtime == Nanoseconds(static_cast<long long>(time)));
  // The halves of the time: neither borrows from the other.
  error.ee_info = 0xffffffff;
  error.ee_data = 0;
  CHECK(VALUE(VALUE(built(error)).get<TransmitDrop>()).txtime == Nanoseconds(0xffffffff));
}

TEST_CASE("an entry of an origin that is not known keeps everything") {
  for (const int origin : {0, 7, 255}) {
    kernel::sock_extended_err error = {};
    error.ee_origin = static_cast<std::uint8_t>(origin);
    error.ee_errno = 1;
    error.ee_type = 2;
    error.ee_code = 3;
    error.ee_info = 4;
    error.ee_data = 5;
    const QueuedError entry = VALUE(built(error, at("192.0.2.1:9"), at("192.0.2.2")));
    CHECK(text(entry) == "other " + std::to_string(origin) + ": 1 2 3 4 5 from 192.0.2.2 of 192.0.2.1:9");
    CHECK(std::memcmp(&entry.raw(), &error, sizeof error) == 0);
  }
  CHECK(text(QueuedError()) == "other 0: 0 0 0 0 0 from nobody of nobody");
}

TEST_CASE("SO_EE_ORIGIN_TXSTATUS, which is the number of timestamps: what a wireless link says is none") {
  ControlBuffer<error_queue_space> control;
  kernel::sock_extended_err error = {};
  error.ee_errno = ENOMSG;
  error.ee_origin = origin_timestamping;
  const int acknowledged = 1;
  VALUE(control.append(cmsg::scm::wifi_status.level, cmsg::scm::wifi_status.type,
                       {&acknowledged, sizeof acknowledged}));
  VALUE(control.append(cmsg::packet::tx_timestamp.level, cmsg::packet::tx_timestamp.type, {&error, sizeof error}));
  CHECK(text(VALUE(queued_error(ReceivedMessage(), control))).starts_with("other 4: "));
}

TEST_CASE("the time of SO_TIMESTAMPING_NEW, which comes as another kind where time_t was short") {
  ControlBuffer<error_queue_space> control;
  kernel::sock_extended_err error = {};
  error.ee_errno = ENOMSG;
  error.ee_origin = origin_timestamping;
  const std::int64_t times[6] = {1, 5, 0, 0, 2, 6};
  VALUE(control.append(cmsg::so::timestamping_new.level, cmsg::so::timestamping_new.type, {times, sizeof times}));
  VALUE(control.append(cmsg::packet::tx_timestamp.level, cmsg::packet::tx_timestamp.type, {&error, sizeof error}));
  CHECK(text(VALUE(queued_error(ReceivedMessage(), control))) == "timestamp 0 id 0 at 1000000005 0 2000000006");
}

TEST_CASE("all points and flags that sock_extended_err can say") {
  kernel::sock_extended_err error = {};
  error.ee_errno = ENOMSG;
  error.ee_origin = origin_timestamping;
  error.ee_info = 3;
  error.ee_data = 0xffffffff;
  CHECK(text(VALUE(built(error))) == "timestamp 3 id 4294967295 at 0 0 0");
  error = {};
  error.ee_origin = 5;
  error.ee_info = 0xfffffffe;
  error.ee_data = 1;
  CHECK(text(VALUE(built(error))) == "zero copy 4294967294-1");
  error.ee_code = 0xfe; // other flags
  CHECK_FALSE(VALUE(VALUE(built(error)).get<ZeroCopyCompletion>()).copied);
  error.ee_code = 0xff;
  CHECK(VALUE(VALUE(built(error)).get<ZeroCopyCompletion>()).copied);
}

// Neither VSOCK, which has no loopback here, nor CAN, J1939 and Bluetooth are there to make them.
TEST_CASE("entries of families that name no offender") {
  for (const auto &kind : {cmsg::packet::tx_timestamp, cmsg::vsock::recverr, cmsg::scm::can_raw_errqueue,
                           cmsg::scm::j1939_errqueue, cmsg::bt::scm_error}) {
    CAPTURE(std::string(kind.name));
    ControlBuffer<error_queue_space> control;
    kernel::sock_extended_err error = {};
    error.ee_origin = 5;
    error.ee_info = 2;
    error.ee_data = 3;
    error.ee_code = 1;
    VALUE(control.append(kind.level, kind.type, {&error, sizeof error}));
    CHECK(text(VALUE(queued_error(ReceivedMessage(), control))) == "zero copy 2-3 copied");
  }
}

TEST_SUITE_END();
