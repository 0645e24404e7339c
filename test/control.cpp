// SPDX-License-Identifier: MIT

#include "network.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fib_rules.h>
#include <linux/if_ether.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <map>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <set>
#include <sstream>
#include <string>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <vector>

namespace {
struct Doubled; // of a user: a number that is stored doubled
}

template <>
struct baresock::Payload<Doubled> {
  using Value = int;
  using Argument = int;
  static constexpr std::size_t size = sizeof(int);

  static bool decode(const ControlMessage &message, int &value) noexcept {
    if (!Payload<int>::decode(message, value))
      return false;
    value /= 2;
    return true;
  }
  static std::size_t length(int) noexcept { return size; }
  static int encode(int value, std::byte *to) noexcept {
    return value > 1000 ? EDOM : Payload<int>::encode(2 * value, to);
  }
};

using namespace baresock;

// --- what is known before anything runs ------------------------------------------------------------------

static_assert(sizeof(Payload<std::uint8_t>::Value) == 1 && Payload<std::uint8_t>::size == 1);
static_assert(std::is_same_v<decltype(cmsg::ip::ttl), const ControlKind<int, Direction::both>>);
static_assert(std::is_same_v<decltype(cmsg::ip::tos), const ControlKind<std::uint8_t, Direction::both>>);
static_assert(std::is_same_v<decltype(cmsg::udp::segment), const ControlKind<std::uint16_t, Direction::send>>);
static_assert(std::is_same_v<decltype(cmsg::udp::gro), const ControlKind<int, Direction::receive>>);
static_assert(cmsg::ip::ttl.level == IPPROTO_IP && cmsg::ip::ttl.type == 2);
static_assert(TextView(cmsg::ip::ttl.name) == "IP_TTL");
static_assert(TextView(cmsg::so::rxq_ovfl.name) == "SO_RXQ_OVFL" && cmsg::so::rxq_ovfl.type == SO_RXQ_OVFL);
static_assert(TextView(cmsg::ipv6::_2292pktinfo.name) == "IPV6_2292PKTINFO");
static_assert(TextView(cmsg::scm::can_raw_errqueue.name) == "SCM_CAN_RAW_ERRQUEUE");
static_assert(TextView(cmsg::ip::scm_security.name) == "SCM_SECURITY" && cmsg::ip::scm_security.level == IPPROTO_IP);
static_assert(TextView(cmsg::scm::security.name) == "SCM_SECURITY" && cmsg::scm::security.level == SOL_SOCKET);
static_assert(cmsg::scm::rights.level == SOL_SOCKET && cmsg::scm::rights.type == SCM_RIGHTS);
static_assert(can_send(Direction::send) && !can_receive(Direction::send));
static_assert(!can_send(Direction::receive) && can_receive(Direction::receive));
static_assert(can_send(Direction::both) && can_receive(Direction::both));

static_assert(control_space(cmsg::ip::tos).size == CMSG_SPACE(1));
static_assert(control_space(cmsg::ip::ttl).size == CMSG_SPACE(sizeof(int)));
static_assert(control_space(cmsg::udp::segment).size == CMSG_SPACE(sizeof(std::uint16_t)));
static_assert(control_space(cmsg::ip::pktinfo).size == CMSG_SPACE(sizeof(in_pktinfo)));
static_assert(control_space(cmsg::ipv6::pktinfo).size == CMSG_SPACE(sizeof(in6_pktinfo)));
static_assert(control_space(cmsg::ip::recverr).size == CMSG_SPACE(16 + sizeof(sockaddr_in)));
static_assert(control_space(cmsg::ipv6::recverr).size == CMSG_SPACE(16 + sizeof(sockaddr_in6)));
static_assert(control_space(cmsg::scm::rights, 0).size == CMSG_SPACE(0));
static_assert(control_space(cmsg::scm::rights, 3).size == CMSG_SPACE(3 * sizeof(int)));
static_assert(control_space(cmsg::scm::pidfd, 1).size == CMSG_SPACE(sizeof(int)));
static_assert(control_space(cmsg::ipv6::hopopts, 5).size == CMSG_SPACE(5));
static_assert(control_space(cmsg::alg::set_iv, 16).size == CMSG_SPACE(4 + 16));
static_assert((control_space(cmsg::ip::ttl) + control_space(cmsg::ip::pktinfo) + control_space(cmsg::scm::rights, 3) +
               7)
                  .size == CMSG_SPACE(4) + CMSG_SPACE(12) + CMSG_SPACE(12) + 7);
static_assert(sizeof(long) != 8 || control_space(cmsg::scm::timestamp).size == CMSG_SPACE(16));
static_assert(control_space(cmsg::so::timestamping_new).size == CMSG_SPACE(48));

namespace {

// --- which kinds were verified, and how -------------------------------------------------------------------

/// The kinds that the test cases of this file claim to send through the kernel, or to receive from it.
std::set<std::string> &claimed() {
  static std::set<std::string> kinds;
  return kinds;
}
/// Those whose test case ran to its end in this process, and did not fail.
std::set<std::string> &round_tripped() {
  static std::set<std::string> kinds;
  return kinds;
}
/// Has the test case come to its end?
bool at_end = false;
void done() { at_end = true; }

std::vector<std::string> words(const char *text) {
  std::istringstream in(text);
  std::vector<std::string> list;
  for (std::string word; in >> word;)
    list.push_back(word);
  return list;
}

struct Claim {
  explicit Claim(const char *kinds) {
    for (const std::string &kind : words(kinds))
      claimed().insert(kind);
  }
};

struct Witness : doctest::IReporter {
  explicit Witness(const doctest::ContextOptions &) {}

  void test_case_start(const doctest::TestCaseData &data) override {
    test = &data;
    at_end = false;
  }
  void test_case_end(const doctest::CurrentTestCaseStats &stats) override {
    if (at_end && stats.failure_flags == 0 && test->m_description != nullptr)
      for (const std::string &kind : words(test->m_description))
        round_tripped().insert(kind);
  }

  void report_query(const doctest::QueryData &) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats &) override {}
  void test_case_reenter(const doctest::TestCaseData &) override {}
  void test_case_exception(const doctest::TestCaseException &) override {}
  void subcase_start(const doctest::SubcaseSignature &) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData &) override {}
  void log_message(const doctest::MessageData &) override {}
  void test_case_skipped(const doctest::TestCaseData &) override {}

  const doctest::TestCaseData *test = nullptr;
};

REGISTER_LISTENER("control", 2, Witness);

/// A test case that ends in done(), after which these kinds have made their round trip.
#define ROUND_TRIP(kinds, name)                                                                                      \
  const Claim DOCTEST_ANONYMOUS(claim_)(kinds);                                                                      \
  TEST_CASE(name *doctest::description(kinds))

// --- values and bytes -------------------------------------------------------------------------------------

std::string text_of(TextView text) { return {text.data(), text.size()}; }

std::string hex(ConstBuffer bytes) {
  std::string text;
  for (std::byte byte : bytes)
    text +=
        {"0123456789abcdef"[static_cast<unsigned>(byte) >> 4], "0123456789abcdef"[static_cast<unsigned>(byte) & 15]};
  return text;
}

/// A payload, written member by member in the byte order of this machine.
struct Wire {
  std::string bytes;

  template <class T>
  Wire &put(T value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
    return *this;
  }
  template <class... T>
  Wire &u8(T... values) {
    (put(static_cast<std::uint8_t>(values)), ...);
    return *this;
  }
  template <class... T>
  Wire &u16(T... values) {
    (put(static_cast<std::uint16_t>(values)), ...);
    return *this;
  }
  template <class... T>
  Wire &u32(T... values) {
    (put(static_cast<std::uint32_t>(values)), ...);
    return *this;
  }
  template <class... T>
  Wire &u64(T... values) {
    (put(static_cast<std::uint64_t>(values)), ...);
    return *this;
  }
  template <class... T>
  Wire &i32(T... values) {
    (put(static_cast<std::int32_t>(values)), ...);
    return *this;
  }
  template <class... T>
  Wire &i64(T... values) {
    (put(static_cast<std::int64_t>(values)), ...);
    return *this;
  }
  Wire &be16(std::uint16_t value) { return put(htons(value)); }
  Wire &be32(std::uint32_t value) { return put(htonl(value)); }
  Wire &raw(std::initializer_list<unsigned char> values) {
    for (unsigned char value : values)
      put(value);
    return *this;
  }
  Wire &zeros(std::size_t count) {
    bytes.append(count, '\0');
    return *this;
  }
};

std::string printed(const OptionValue &value) {
  auto text = value.printed();
  return text ? text_of(text->text()) : "out of memory";
}

template <class T>
std::string shown(const T &value) {
  if constexpr (std::is_integral_v<T>)
    return std::to_string(value);
  else if constexpr (std::is_convertible_v<T, Nanoseconds> || std::is_convertible_v<T, TextView>)
    return printed(value);
  else
    return printed(to_value(value));
}
std::string shown(ConstBuffer value) { return hex(value); }
std::string shown(const ReceivedDescriptors &value) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i)
    text += (i == 0 ? "" : " ") + std::to_string(value[i]);
  return text;
}

using Room = ControlBuffer<1024>;

/// The one message in `control` is of that level and type and has that payload, and zeros up to its end.
void check_message(const Room &control, int level, int type, const std::string &payload) {
  cmsghdr header;
  REQUIRE(control.size() >= sizeof header);
  std::memcpy(&header, control.data(), sizeof header);
  CHECK(header.cmsg_level == level);
  CHECK(header.cmsg_type == type);
  CHECK(header.cmsg_len == CMSG_LEN(payload.size()));
  CHECK(control.size() == CMSG_SPACE(payload.size()));
  const std::byte *at = control.data() + CMSG_LEN(0);
  CHECK(hex({at, payload.size()}) == hex(payload));
  for (std::size_t i = CMSG_LEN(payload.size()); i < control.size(); ++i)
    CHECK(control.data()[i] == std::byte{});
}

/// Bytes that only the encoder would leave as they were.
void soil(Room &control) {
  std::string filled(control.capacity() - CMSG_LEN(0), '\xee');
  VALUE(control.append(0, 0, ConstBuffer(filled)));
  control.clear();
}

/// `value` becomes these bytes.
template <class T, Direction D, class Value>
void sent(const ControlKind<T, D> &kind, const Wire &wire, const Value &value) {
  Room control;
  soil(control);
  VALUE(control.append(kind, value));
  check_message(control, kind.level, kind.type, wire.bytes);
}

/// These bytes become `value`; with a byte less, of a kind with a size, they are none.
template <class T, Direction D>
void received(const ControlKind<T, D> &kind, const Wire &wire, const std::string &value) {
  Room control;
  VALUE(control.append(kind.level, kind.type, ConstBuffer(wire.bytes)));
  CHECK(shown(VALUE(control.get(kind))) == value);
  if constexpr (requires { Payload<T>::size; }) {
    CHECK(wire.bytes.size() == Payload<T>::size);
    control.clear();
    VALUE(control.append(kind.level, kind.type, ConstBuffer(wire.bytes.data(), wire.bytes.size() - 1)));
    auto cut = control.get(kind);
    REQUIRE_FALSE(cut.has_value());
    CHECK(cut.error() == Error(EINVAL, Operation::as));
    control.clear();
    VALUE(control.append(kind.level, kind.type, ConstBuffer(wire.bytes + "more")));
    CHECK(shown(VALUE(control.get(kind))) == value);
  }
}

template <class T, Direction D, class Value>
void both(const ControlKind<T, D> &kind, const Wire &wire, const Value &given, const std::string &value) {
  sent(kind, wire, given);
  received(kind, wire, value);
}

/// A kind whose payload is any bytes.
template <Direction D>
void any_bytes(const ControlKind<ConstBuffer, D> &kind) {
  for (const std::string &payload : {std::string("\0\1\xff,\0", 5), std::string()}) {
    Wire wire;
    wire.bytes = payload;
    if constexpr (can_send(D))
      sent(kind, wire, ConstBuffer(payload));
    if constexpr (can_receive(D))
      received(kind, wire, hex(payload));
  }
}

// --- every kind -------------------------------------------------------------------------------------------

// What a round trip would need that was not at hand.
const char can[] = "CAN", tipc[] = "TIPC", sctp[] = "SCTP", dccp[] = "DCCP", rds[] = "RDS", rxrpc[] = "RxRPC",
           llc[] = "LLC", bluetooth[] = "Bluetooth", iucv[] = "IUCV", wpan[] = "IEEE 802.15.4", isdn[] = "mISDN",
           nic[] = "another network card", peer[] = "a vsock peer", mip6[] = "Mobile IPv6";

struct Row {
  const char *kind; // as in controls.def
  const char *only; // what was not at hand, so that only its bytes are verified; null: a test case claims it
  void (*bytes)();  // compares them with what the kernel's source says
};

const rds_atomic_args atomic{1, 2, 3, 4, 5, 6, 7, 8, 9};
Wire atomic_wire() { return Wire().u64(1, 2, 3, 4, 5, 6, 7, 8, 9); }

Wire error_wire() { return Wire().u32(111).u8(2, 3, 4, 0).u32(5, 6); }
const char error_text[] = "{errno=111, origin=2, type=3, code=4, info=5, data=6}";

Wire in4_wire() { return Wire().put(sa_family_t{AF_INET}).be16(80).raw({192, 0, 2, 1}).zeros(8); }
Wire in6_wire() {
  return Wire()
      .put(sa_family_t{AF_INET6})
      .be16(80)
      .be32(0)
      .raw({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})
      .u32(0);
}
in6_addr doc6() { return VALUE(VALUE(SocketAddress::parse("2001:db8::1")).get<Inet6Address>()).address; }
Wire pktinfo6_wire() { return Wire().put(doc6()).u32(3); }

Wire joined(Wire first, const Wire &second) {
  first.bytes += second.bytes;
  return first;
}

const Row rows[] = {
    {"scm::credentials", nullptr,
     [] { both(cmsg::scm::credentials, Wire().i32(7).u32(8, 9), ucred{7, 8, 9}, "{pid=7, uid=8, gid=9}"); }},
    {"scm::devmem_dmabuf", nic,
     [] {
       received(cmsg::scm::devmem_dmabuf, Wire().u64(1ULL << 40).u32(2, 3, 4, 5),
                "{frag_offset=1099511627776, frag_size=2, frag_token=3, dmabuf_id=4, flags=5}");
     }},
    {"scm::devmem_linear", nic,
     [] {
       received(cmsg::scm::devmem_linear, Wire().u64(1).u32(2, 3, 4, 5),
                "{frag_offset=1, frag_size=2, frag_token=3, dmabuf_id=4, flags=5}");
     }},
    {"scm::inq", nullptr, [] { received(cmsg::scm::inq, Wire().i32(70000), "70000"); }},
    {"scm::pidfd", nullptr, [] { received(cmsg::scm::pidfd, Wire().i32(-3), "-3"); }},
    {"scm::rights", nullptr,
     [] { both(cmsg::scm::rights, Wire().i32(5, 4, 5), std::vector<int>{5, 4, 5}, "5 4 5"); }},
    {"scm::security", nullptr,
     [] {
       Wire label;
       label.bytes = "unconfined";
       received(cmsg::scm::security, label.zeros(1), "\"unconfined\"");
       received(cmsg::scm::security, Wire(), "\"\"");
     }},
    {"scm::timestamp", nullptr,
     [] {
       received(cmsg::scm::timestamp, Wire().put(time_t{1700000000}).put(suseconds_t{999999}), "1700000000999999us");
     }},
    {"scm::timestamping", nullptr,
     [] {
       received(cmsg::scm::timestamping,
                Wire().put(time_t{1}).put(2L).put(time_t{0}).put(0L).put(time_t{3}).put(999999999L),
                "{software=1000000002ns, transformed=0s, hardware=3999999999ns}");
     }},
    {"scm::timestamping_opt_stats", nullptr, [] { any_bytes(cmsg::scm::timestamping_opt_stats); }},
    {"scm::timestamping_pktinfo", nic,
     [] { received(cmsg::scm::timestamping_pktinfo, Wire().u32(2, 60).zeros(8), "{if_index=2, pkt_length=60}"); }},
    {"scm::timestampns", nullptr,
     [] {
       received(cmsg::scm::timestampns, Wire().put(time_t{1700000000}).put(999999999L), "1700000000999999999ns");
     }},
    {"scm::ts_opt_id", nullptr, [] { sent(cmsg::scm::ts_opt_id, Wire().u32(0xfffffffe), 0xfffffffeU); }},
    {"scm::txtime", nullptr,
     [] { sent(cmsg::scm::txtime, Wire().u64(1700000000000000001), Nanoseconds(1700000000000000001)); }},
    {"scm::wifi_status", nic, [] { received(cmsg::scm::wifi_status, Wire().i32(1), "1"); }},
    {"so::devmem_dmabuf", nic, [] { sent(cmsg::so::devmem_dmabuf, Wire().u32(9), 9); }},
    {"so::mark", nullptr, [] { both(cmsg::so::mark, Wire().u32(0xf0000001), 0xf0000001U, "4026531841"); }},
    {"so::priority", nullptr, [] { both(cmsg::so::priority, Wire().u32(5), 5, "5"); }},
    {"so::rxq_ovfl", nullptr, [] { received(cmsg::so::rxq_ovfl, Wire().u32(0xffffffff), "4294967295"); }},
    {"so::timestamping", nullptr, [] { sent(cmsg::so::timestamping, Wire().u32(2), 2); }},
    {"so::timestamping_new", nullptr,
     [] {
       received(cmsg::so::timestamping_new, Wire().i64(1, 2, 0, 0, 3, 4),
                "{software=1000000002ns, transformed=0s, hardware=3000000004ns}");
     }},
    {"so::timestamping_old", nullptr,
     [] {
       received(cmsg::so::timestamping_old, Wire().put(1L).put(2L).put(5L).put(6L).put(3L).put(4L),
                "{software=1000000002ns, transformed=5000000006ns, hardware=3000000004ns}");
     }},
    {"so::timestampns_new", nullptr,
     [] { received(cmsg::so::timestampns_new, Wire().i64(5000000000, 1), "5000000000000000001ns"); }},
    {"so::timestampns_old", nullptr,
     [] { received(cmsg::so::timestampns_old, Wire().put(5L).put(1L), "5000000001ns"); }},
    {"so::timestamp_new", nullptr,
     [] { received(cmsg::so::timestamp_new, Wire().i64(5000000000, 1), "5000000000000001us"); }},
    {"so::timestamp_old", nullptr, [] { received(cmsg::so::timestamp_old, Wire().put(5L).put(1L), "5000001us"); }},

    {"ip::checksum", nullptr, [] { received(cmsg::ip::checksum, Wire().u32(0xdeadbeef), "3735928559"); }},
    {"ip::origdstaddr", nullptr, [] { received(cmsg::ip::origdstaddr, in4_wire(), "192.0.2.1:80"); }},
    {"ip::pktinfo", nullptr,
     [] {
       both(cmsg::ip::pktinfo, Wire().i32(3).raw({192, 0, 2, 1}).raw({192, 0, 2, 2}),
            in_pktinfo{3, {htonl(0xc0000201)}, {htonl(0xc0000202)}},
            "{ifindex=3, spec_dst=192.0.2.1, addr=192.0.2.2}");
     }},
    {"ip::protocol", nullptr, [] { sent(cmsg::ip::protocol, Wire().i32(17), 17); }},
    {"ip::recverr", nullptr,
     [] {
       const std::string error = "{errno=111, origin=2, type=3, code=4, info=5, data=6, offender=";
       received(cmsg::ip::recverr, joined(error_wire(), in4_wire()), error + "192.0.2.1:80}");
       received(cmsg::ip::recverr, error_wire().zeros(16), error + printed(SocketAddress()) + "}");
     }},
    {"ip::recvfragsize", nullptr, [] { received(cmsg::ip::recvfragsize, Wire().i32(1500), "1500"); }},
    {"ip::recvopts", nullptr, [] { any_bytes(cmsg::ip::recvopts); }},
    {"ip::retopts", nullptr, [] { any_bytes(cmsg::ip::retopts); }},
    {"ip::tos", nullptr, [] { both(cmsg::ip::tos, Wire().u8(0xb8), 0xb8, "184"); }},
    {"ip::ttl", nullptr, [] { both(cmsg::ip::ttl, Wire().i32(255), 255, "255"); }},
    {"ip::scm_security", nullptr,
     [] {
       Wire label;
       label.bytes = "a:b";
       received(cmsg::ip::scm_security, label, "\"a:b\"");
     }},

    {"ipv6::_2292dstopts", nullptr, [] { any_bytes(cmsg::ipv6::_2292dstopts); }},
    {"ipv6::_2292hoplimit", nullptr, [] { both(cmsg::ipv6::_2292hoplimit, Wire().i32(-1), -1, "-1"); }},
    {"ipv6::_2292hopopts", nullptr, [] { any_bytes(cmsg::ipv6::_2292hopopts); }},
    {"ipv6::_2292pktinfo", nullptr,
     [] {
       both(cmsg::ipv6::_2292pktinfo, pktinfo6_wire(), in6_pktinfo{doc6(), 3}, "{addr=2001:db8::1, interface=3}");
     }},
    {"ipv6::_2292rthdr", nullptr, [] { any_bytes(cmsg::ipv6::_2292rthdr); }},
    {"ipv6::dontfrag", nullptr, [] { sent(cmsg::ipv6::dontfrag, Wire().i32(1), 1); }},
    {"ipv6::dstopts", nullptr, [] { any_bytes(cmsg::ipv6::dstopts); }},
    {"ipv6::flowinfo", nullptr, [] { both(cmsg::ipv6::flowinfo, Wire().be32(0x0b812345), 0x0b812345, "193012549"); }},
    {"ipv6::hoplimit", nullptr, [] { both(cmsg::ipv6::hoplimit, Wire().i32(255), 255, "255"); }},
    {"ipv6::hopopts", nullptr, [] { any_bytes(cmsg::ipv6::hopopts); }},
    {"ipv6::origdstaddr", nullptr, [] { received(cmsg::ipv6::origdstaddr, in6_wire(), "[2001:db8::1]:80"); }},
    {"ipv6::pathmtu", nullptr,
     [] { received(cmsg::ipv6::pathmtu, in6_wire().u32(1400), "{addr=[2001:db8::1]:80, mtu=1400}"); }},
    {"ipv6::pktinfo", nullptr,
     [] { both(cmsg::ipv6::pktinfo, pktinfo6_wire(), in6_pktinfo{doc6(), 3}, "{addr=2001:db8::1, interface=3}"); }},
    {"ipv6::recverr", nullptr,
     [] {
       const std::string error = "{errno=111, origin=2, type=3, code=4, info=5, data=6, offender=";
       received(cmsg::ipv6::recverr, joined(error_wire(), in6_wire()), error + "[2001:db8::1]:80}");
       received(cmsg::ipv6::recverr, error_wire().zeros(28), error + printed(SocketAddress()) + "}");
     }},
    {"ipv6::recvfragsize", nullptr, [] { received(cmsg::ipv6::recvfragsize, Wire().i32(1280), "1280"); }},
    {"ipv6::rthdr", nullptr, [] { any_bytes(cmsg::ipv6::rthdr); }},
    {"ipv6::rthdrdstopts", mip6, [] { any_bytes(cmsg::ipv6::rthdrdstopts); }},
    {"ipv6::tclass", nullptr, [] { both(cmsg::ipv6::tclass, Wire().i32(0xb8), 0xb8, "184"); }},

    {"tcp::cm_inq", nullptr, [] { received(cmsg::tcp::cm_inq, Wire().i32(6), "6"); }},

    {"udp::gro", nullptr, [] { received(cmsg::udp::gro, Wire().i32(1400), "1400"); }},
    {"udp::segment", nullptr, [] { sent(cmsg::udp::segment, Wire().u16(65000), 65000); }},

    {"tls::get_record_type", nullptr, [] { received(cmsg::tls::get_record_type, Wire().u8(0xff), "255"); }},
    {"tls::set_record_type", nullptr, [] { sent(cmsg::tls::set_record_type, Wire().u8(22), 22); }},

    {"packet::auxdata", nullptr,
     [] {
       received(cmsg::packet::auxdata, Wire().u32(1, 2, 3).u16(4, 5, 6, 7),
                "{status=1, len=2, snaplen=3, mac=4, net=5, vlan_tci=6, vlan_tpid=7}");
     }},
    {"packet::tx_timestamp", nullptr, [] { received(cmsg::packet::tx_timestamp, error_wire(), error_text); }},

    {"netlink::listen_all_nsid", nullptr, [] { received(cmsg::netlink::listen_all_nsid, Wire().i32(7), "7"); }},
    {"netlink::pktinfo", nullptr, [] { received(cmsg::netlink::pktinfo, Wire().u32(3), "{group=3}"); }},

    {"vsock::recverr", peer, [] { received(cmsg::vsock::recverr, error_wire(), error_text); }},

    {"scm::can_raw_errqueue", can, [] { received(cmsg::scm::can_raw_errqueue, error_wire(), error_text); }},

    {"scm::j1939_dest_addr", can, [] { received(cmsg::scm::j1939_dest_addr, Wire().u8(0xfe), "254"); }},
    {"scm::j1939_dest_name", can,
     [] { received(cmsg::scm::j1939_dest_name, Wire().u64(0xfedcba9876543210), "18364758544493064720"); }},
    {"scm::j1939_errqueue", can, [] { received(cmsg::scm::j1939_errqueue, error_wire(), error_text); }},
    {"scm::j1939_prio", can, [] { received(cmsg::scm::j1939_prio, Wire().u8(6), "6"); }},

    {"tipc::destname", tipc,
     [] { received(cmsg::tipc::destname, Wire().u32(1, 2, 3), "{type=1, lower=2, upper=3}"); }},
    {"tipc::errinfo", tipc, [] { received(cmsg::tipc::errinfo, Wire().u32(4, 5), "{error=4, length=5}"); }},
    {"tipc::retdata", tipc, [] { any_bytes(cmsg::tipc::retdata); }},

    {"alg::set_aead_assoclen", nullptr, [] { sent(cmsg::alg::set_aead_assoclen, Wire().u32(20), 20); }},
    {"alg::set_iv", nullptr,
     [] {
       sent(cmsg::alg::set_iv, Wire().u32(3).raw({'i', 'v', '!'}), "iv!");
       sent(cmsg::alg::set_iv, Wire().u32(0), ConstBuffer());
     }},
    {"alg::set_op", nullptr, [] { sent(cmsg::alg::set_op, Wire().u32(1), 1); }},

    {"sctp::authinfo", sctp, [] { sent(cmsg::sctp::authinfo, Wire().u16(1), sctp_authinfo{1}); }},
    {"sctp::dstaddrv4", sctp,
     [] { sent(cmsg::sctp::dstaddrv4, Wire().raw({192, 0, 2, 1}), in_addr{htonl(0xc0000201)}); }},
    {"sctp::dstaddrv6", sctp, [] { sent(cmsg::sctp::dstaddrv6, Wire().put(doc6()), doc6()); }},
    {"sctp::init", sctp, [] { sent(cmsg::sctp::init, Wire().u16(1, 2, 3, 4), sctp_initmsg{1, 2, 3, 4}); }},
    {"sctp::nxtinfo", sctp,
     [] {
       received(cmsg::sctp::nxtinfo, Wire().u16(1, 2).u32(3, 4).i32(5),
                "{sid=1, flags=2, ppid=3, length=4, assoc_id=5}");
     }},
    {"sctp::prinfo", sctp,
     [] {
       static const sctp_prinfo value{1, 2}; // static, so that its padding is zeros
       sent(cmsg::sctp::prinfo, Wire().u16(1).zeros(2).u32(2), value);
     }},
    {"sctp::rcvinfo", sctp,
     [] {
       received(cmsg::sctp::rcvinfo, Wire().u16(1, 2, 3).zeros(2).u32(4, 5, 6, 7).i32(8),
                "{sid=1, ssn=2, flags=3, ppid=4, tsn=5, cumtsn=6, context=7, assoc_id=8}");
     }},
    {"sctp::sndinfo", sctp,
     [] { sent(cmsg::sctp::sndinfo, Wire().u16(1, 2).u32(3, 4).i32(5), sctp_sndinfo{1, 2, 3, 4, 5}); }},
    {"sctp::sndrcv", sctp,
     [] {
       static const sctp_sndrcvinfo value{1, 2, 3, 4, 5, 6000, 7, 8, 9}; // likewise
       both(cmsg::sctp::sndrcv, Wire().u16(1, 2, 3).zeros(2).u32(4, 5, 6000, 7, 8).i32(9), value,
            "{stream=1, ssn=2, flags=3, ppid=4, context=5, timetolive=6s, tsn=7, cumtsn=8, assoc_id=9}");
     }},

    {"dccp::scm_priority", dccp, [] { sent(cmsg::dccp::scm_priority, Wire().u32(1), 1); }},

    {"rds::cmsg_atomic_cswp", rds, [] { sent(cmsg::rds::cmsg_atomic_cswp, atomic_wire(), atomic); }},
    {"rds::cmsg_atomic_fadd", rds, [] { sent(cmsg::rds::cmsg_atomic_fadd, atomic_wire(), atomic); }},
    {"rds::cmsg_cong_update", rds,
     [] { received(cmsg::rds::cmsg_cong_update, Wire().u64(1ULL << 63), "9223372036854775808"); }},
    {"rds::cmsg_masked_atomic_cswp", rds, [] { sent(cmsg::rds::cmsg_masked_atomic_cswp, atomic_wire(), atomic); }},
    {"rds::cmsg_masked_atomic_fadd", rds, [] { sent(cmsg::rds::cmsg_masked_atomic_fadd, atomic_wire(), atomic); }},
    {"rds::cmsg_rdma_args", rds,
     [] { sent(cmsg::rds::cmsg_rdma_args, Wire().u64(1, 2, 3, 4, 5, 6, 7), rds_rdma_args{1, {2, 3}, 4, 5, 6, 7}); }},
    {"rds::cmsg_rdma_dest", rds,
     [] { both(cmsg::rds::cmsg_rdma_dest, Wire().u64(1ULL << 33), 1ULL << 33, "8589934592"); }},
    {"rds::cmsg_rdma_map", rds,
     [] { sent(cmsg::rds::cmsg_rdma_map, Wire().u64(1, 2, 3, 4), rds_get_mr_args{{1, 2}, 3, 4}); }},
    {"rds::cmsg_rdma_status", rds,
     [] { received(cmsg::rds::cmsg_rdma_status, Wire().u64(1).i32(-2).zeros(4), "{user_token=1, status=-2}"); }},
    {"rds::cmsg_rxpath_latency", rds,
     [] {
       received(cmsg::rds::cmsg_rxpath_latency, Wire().u8(2).raw({0, 1, 2}).zeros(4).u64(4, 5, 6),
                "{rx_traces=2, rx_trace_pos=0x000102, rx_trace=[4, 5, 6]}");
     }},
    {"rds::cmsg_zcopy_completion", rds,
     [] {
       received(cmsg::rds::cmsg_zcopy_completion, Wire().u32(2, 1, 2, 3, 4, 5, 6, 7, 8),
                "{num=2, cookies=[1, 2, 3, 4, 5, 6, 7, 8]}");
     }},
    {"rds::cmsg_zcopy_cookie", rds, [] { sent(cmsg::rds::cmsg_zcopy_cookie, Wire().u32(3), 3); }},

    {"rxrpc::abort", rxrpc, [] { both(cmsg::rxrpc::abort, Wire().u32(6), 6, "6"); }},
    {"rxrpc::ack", rxrpc, [] { any_bytes(cmsg::rxrpc::ack); }},
    {"rxrpc::challenged", rxrpc,
     [] {
       received(cmsg::rxrpc::challenged, Wire().u16(1).u8(2, 0).u32(3),
                "{base={service_id=1, security_index=2}, enctype=3}");
     }},
    {"rxrpc::charge_accept", rxrpc, [] { any_bytes(cmsg::rxrpc::charge_accept); }},
    {"rxrpc::exclusive_call", rxrpc, [] { any_bytes(cmsg::rxrpc::exclusive_call); }},
    {"rxrpc::local_error", rxrpc, [] { received(cmsg::rxrpc::local_error, Wire().u32(5), "5"); }},
    {"rxrpc::net_error", rxrpc, [] { received(cmsg::rxrpc::net_error, Wire().u32(5), "5"); }},
    {"rxrpc::oob_id", rxrpc, [] { both(cmsg::rxrpc::oob_id, Wire().u64(1ULL << 34), 1ULL << 34, "17179869184"); }},
    {"rxrpc::respond", rxrpc, [] { any_bytes(cmsg::rxrpc::respond); }},
    {"rxrpc::resp_rxgk_appdata", rxrpc, [] { any_bytes(cmsg::rxrpc::resp_rxgk_appdata); }},
    {"rxrpc::set_call_timeout", rxrpc, [] { any_bytes(cmsg::rxrpc::set_call_timeout); }},
    {"rxrpc::tx_length", rxrpc, [] { sent(cmsg::rxrpc::tx_length, Wire().i64(1LL << 40), 1LL << 40); }},
    {"rxrpc::upgrade_service", rxrpc, [] { any_bytes(cmsg::rxrpc::upgrade_service); }},
    {"rxrpc::user_call_id", rxrpc, [] { both(cmsg::rxrpc::user_call_id, Wire().put(77UL), 77UL, "77"); }},

    {"llc::opt_pktinfo", llc,
     [] {
       received(cmsg::llc::opt_pktinfo, Wire().i32(2).u8(3).raw({1, 2, 3, 4, 5, 6}).zeros(1),
                "{ifindex=2, sap=3, mac=0x010203040506}");
     }},

    {"bt::scm_error", bluetooth, [] { received(cmsg::bt::scm_error, error_wire(), error_text); }},
    {"bt::scm_pkt_seqnum", bluetooth, [] { received(cmsg::bt::scm_pkt_seqnum, Wire().u16(65535), "65535"); }},
    {"bt::scm_pkt_status", bluetooth, [] { received(cmsg::bt::scm_pkt_status, Wire().u8(3), "3"); }},

    {"hci::cmsg_dir", bluetooth, [] { received(cmsg::hci::cmsg_dir, Wire().i32(1), "1"); }},
    {"hci::cmsg_tstamp", bluetooth, [] { received(cmsg::hci::cmsg_tstamp, Wire().put(1L).put(2L), "1000002us"); }},

    {"scm::iucv_trgcls", iucv, [] { both(cmsg::scm::iucv_trgcls, Wire().u32(4), 4, "4"); }},

    {"wpan::wantlqi", wpan, [] { received(cmsg::wpan::wantlqi, Wire().u8(200), "200"); }},

    {"misdn::time_stamp", isdn, [] { received(cmsg::misdn::time_stamp, Wire().put(1L).put(2L), "1000002us"); }},
};

// --- sockets ----------------------------------------------------------------------------------------------

/// Two UDP sockets: what `from` sends goes to `to`.
struct Udp {
  Socket from, to;
  SocketAddress at;

  explicit Udp(const SocketAddress &local = Inet4Address{INADDR_LOOPBACK, 0}) {
    from = VALUE(Socket::socket(local.family(), SOCK_DGRAM));
    to = VALUE(Socket::socket(local.family(), SOCK_DGRAM));
    VALUE(to.bind(local));
    at = VALUE(to.getsockname());
    VALUE(to.setsockopt(so::rcvtimeo, Seconds(10))); // rather than hang
  }

  Result<std::size_t> send(const Control &control, ConstBuffer data = "data") const {
    const ConstBuffer parts[] = {data};
    return from.sendmsg({parts, &at, control});
  }
  /// With one control message.
  template <class T, Direction D, class Value>
  Result<std::size_t> send(const ControlKind<T, D> &kind, const Value &value, ConstBuffer data = "data") const {
    Room control;
    VALUE(control.append(kind, value));
    return send(control, data);
  }
  Result<std::size_t> send_raw(int level, int type, ConstBuffer payload) const {
    Room control;
    VALUE(control.append(level, type, payload));
    return send(control);
  }
};

/// A message that came.
struct Got {
  Room control;
  std::array<char, 4096> room{};
  ReceivedMessage message;

  explicit Got(const Socket &socket, int flags = 0) {
    const MutableBuffer parts[] = {room};
    message = VALUE(socket.recvmsg(parts, control, flags));
    CHECK_FALSE(message.control_truncated());
  }
  [[nodiscard]] std::string data() const { return {room.data(), message.size}; }
  template <class T, Direction D>
  [[nodiscard]] auto get(const ControlKind<T, D> &kind) const {
    return VALUE(control.get(kind));
  }
  template <class T, Direction D>
  [[nodiscard]] bool has(const ControlKind<T, D> &kind) const {
    return control.get(kind).has_value();
  }
};

/// Switches an option on; false if this kernel has not got it.
template <class T, Access A>
bool switched_on(const Socket &socket, const Option<T, A> &option) {
  auto set = socket.setsockopt(option, true);
  if (!set && set.error().is(ENOPROTOOPT))
    return false;
  VALUE(std::move(set));
  return true;
}

bool is_unsupported(const Error &error) {
  return error.is(EAFNOSUPPORT) || error.is(EPROTONOSUPPORT) || error.is(ESOCKTNOSUPPORT) || error.is(ENOENT);
}

Nanoseconds now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return Nanoseconds(time.tv_sec * 1'000'000'000LL + time.tv_nsec);
}

/// Waits for an entry in the error queue.
void await_error(const Socket &socket) {
  pollfd waiting{socket.fd(), 0, 0};
  REQUIRE(::poll(&waiting, 1, 10'000) == 1);
  REQUIRE((waiting.revents & POLLERR) != 0);
}

int loopback_index() { return static_cast<int>(VALUE(Interface::from_name("lo")).index()); }

void set_loopback_mtu(int mtu) {
  ifreq request = {};
  request.ifr_mtu = mtu;
  set_loopback(SIOCSIFMTU, request);
}

/// A netlink request; the errno of its answer.
struct Netlink {
  Wire wire;

  Netlink(std::uint16_t type, unsigned flags) {
    wire.put(nlmsghdr{0, type, static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags), 1, 0});
  }
  template <class T>
  Netlink &attribute(std::uint16_t type, T value) {
    static_assert(sizeof value % 4 == 0);
    wire.put(nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + sizeof value), type}).put(value);
    return *this;
  }
  [[nodiscard]] int answer() {
    const auto size = static_cast<std::uint32_t>(wire.bytes.size());
    std::memcpy(wire.bytes.data(), &size, sizeof size);
    Socket socket = VALUE(Socket::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    VALUE(socket.send(wire.bytes));
    Bytes reply = VALUE(socket.recv());
    struct {
      nlmsghdr header;
      nlmsgerr error;
    } message;
    REQUIRE(reply.size() >= sizeof message);
    std::memcpy(&message, reply.data(), sizeof message);
    REQUIRE(message.header.nlmsg_type == NLMSG_ERROR);
    return -message.error.error;
  }
};

/// At once, without looking for another host that has it.
void add_loopback_address(const in6_addr &address) {
  Netlink request(RTM_NEWADDR, NLM_F_CREATE);
  request.wire.put(ifaddrmsg{AF_INET6, 128, IFA_F_NODAD, 0, static_cast<std::uint32_t>(loopback_index())});
  request.attribute(IFA_LOCAL, address);
  CHECK(request.answer() == 0);
}

std::pair<Socket, Socket> unix_pair(int type) { return VALUE(Socket::socketpair(AF_UNIX, type)); }

Result<std::size_t> send_with(const Socket &socket, const Control &control, ConstBuffer data = "data") {
  const ConstBuffer parts[] = {data};
  return socket.sendmsg({parts, nullptr, control});
}

/// Do both descriptors mean the same open file?
bool same_file(int a, int b) {
  struct stat first{}, second{};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

/// The Internet checksum's sum, of words of this machine's byte order.
std::uint32_t folded(std::uint64_t sum) {
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint32_t>(sum % 0xffff);
}
std::uint64_t sum_of(const std::string &bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, bytes.data() + i, std::min<std::size_t>(2, bytes.size() - i));
    sum += word;
  }
  return sum;
}

/// A UDP packet, checksum and all, as a raw socket sends it.
Wire udp_packet(const SocketAddress &from, const SocketAddress &to, const std::string &data) {
  const auto length = static_cast<std::uint16_t>(8 + data.size());
  Wire pseudo;
  std::uint16_t port = 0;
  if (to.family() == AF_INET) {
    pseudo.be32(VALUE(from.get<Inet4Address>()).address).be32(VALUE(to.get<Inet4Address>()).address);
    port = VALUE(to.get<Inet4Address>()).port;
  } else {
    pseudo.put(VALUE(from.get<Inet6Address>()).address).put(VALUE(to.get<Inet6Address>()).address);
    port = VALUE(to.get<Inet6Address>()).port;
  }
  pseudo.be16(IPPROTO_UDP).be16(length);
  Wire packet;
  packet.be16(9).be16(port).be16(length).be16(0);
  packet.bytes += data;
  const auto sum = static_cast<std::uint16_t>(~folded(sum_of(pseudo.bytes) + sum_of(packet.bytes)));
  std::memcpy(packet.bytes.data() + 6, &sum, sizeof sum);
  return packet;
}

const char not_permitted[] = "a network of its own is not permitted";
const char no_inet6[] = "no IPv6";

} // namespace

TEST_SUITE_BEGIN("control");

TEST_CASE("every kind of controls.def has its line in the table of this test, and only those") {
  const char *const kinds[] = {
#define CONTROL(ns, identifier, ...) #ns "::" #identifier,
#include <baresock/controls.def>
  };
  REQUIRE(std::size(rows) == std::size(kinds));
  for (std::size_t i = 0; i < std::size(kinds); ++i) {
    CAPTURE(i);
    CHECK(TextView(rows[i].kind) == kinds[i]);
  }
  // What has no reason for being left alone is claimed by a test case, and nothing else is.
  for (const Row &row : rows) {
    CAPTURE(TextView(row.kind));
    CHECK((row.only == nullptr) == claimed().contains(row.kind));
  }
  std::set<std::string> unknown = claimed();
  for (const Row &row : rows)
    unknown.erase(row.kind);
  CHECK(unknown.empty());
}

TEST_CASE("every kind: its bytes are those of the kernel's source") {
  for (const Row &row : rows) {
    CAPTURE(TextView(row.kind));
    row.bytes();
  }
}

// --- IPv4 -------------------------------------------------------------------------------------------------

ROUND_TRIP("ip::tos ip::ttl", "IP_TOS is one byte, which has no sign, and IP_TTL an int (seed bug: -72)") {
  Udp udp;
  VALUE(udp.to.setsockopt(ip::recvtos, true));
  VALUE(udp.to.setsockopt(ip::recvttl, true));
  Room control;
  VALUE(control.append(cmsg::ip::tos, 0xb8));
  VALUE(control.append(cmsg::ip::ttl, 42));
  CHECK(VALUE(udp.send(control)) == 4);
  Got got(udp.to);
  CHECK(got.data() == "data");
  CHECK(got.get(cmsg::ip::tos) == 184);
  CHECK(got.get(cmsg::ip::ttl) == 42);
  for (ControlMessage message : got.control)
    CHECK(message.bytes().size() == (message.is(cmsg::ip::tos) ? 1 : 4));
  // Without: the socket's own.
  CHECK(VALUE(udp.from.sendto("plain", udp.at)) == 5);
  Got plain(udp.to);
  CHECK(plain.get(cmsg::ip::tos) == 0);
  CHECK(plain.get(cmsg::ip::ttl) == VALUE(udp.from.getsockopt(ip::ttl)));
  for (int value : {0, 256, -1}) {
    CAPTURE(value);
    CHECK_ERROR(udp.send(cmsg::ip::ttl, value), EINVAL, sendmsg);
    if (value != 0)
      CHECK_ERROR(control.append(cmsg::ip::tos, value), ERANGE, append);
  }
  done();
}

TEST_CASE("trap 58: the kernel wants its own size: IP_TTL of one byte and UDP_SEGMENT of four are refused") {
  Udp udp;
  VALUE(udp.to.setsockopt(ip::recvtos, true));
  const std::uint8_t byte = 42;
  const std::uint16_t half = 100;
  const int four = 0x48;
  CHECK_ERROR(udp.send_raw(IPPROTO_IP, IP_TTL, {&byte, sizeof byte}), EINVAL, sendmsg);
  CHECK_ERROR(udp.send_raw(IPPROTO_UDP, 103, {&four, sizeof four}), EINVAL, sendmsg);
  CHECK(VALUE(udp.send_raw(IPPROTO_UDP, 103, {&half, sizeof half})) == 4);
  CHECK(Got(udp.to).data() == "data");
  // IP_TOS alone may have both; what comes back has one byte.
  CHECK(VALUE(udp.send_raw(IPPROTO_IP, IP_TOS, {&four, sizeof four})) == 4);
  CHECK(Got(udp.to).get(cmsg::ip::tos) == 0x48);
  CHECK_ERROR(udp.send_raw(IPPROTO_IP, IP_TOS, {&half, sizeof half}), EINVAL, sendmsg);
}

TEST_CASE("trap 59: a control message of another level is ignored, of an unknown type refused") {
  auto [a, b] = unix_pair(SOCK_DGRAM);
  Udp udp;
  Room control;
  VALUE(control.append(cmsg::ip::ttl, 42));
  CHECK(VALUE(send_with(a, control)) == 4);
  CHECK(VALUE(b.recv()).text() == "data");
  VALUE(control.append(IPPROTO_IP, 200, "?"));
  CHECK_ERROR(udp.send(control), EINVAL, sendmsg);
  control.clear();
  VALUE(control.append(SOL_SOCKET, 200, "?"));
  CHECK_ERROR(udp.send(control), EINVAL, sendmsg);
  CHECK_ERROR(send_with(a, control), EINVAL, sendmsg);
  control.clear();
  VALUE(control.append(IPPROTO_TCP, 200, "?"));
  CHECK(VALUE(udp.send(control)) == 4); // of neither IP, UDP nor the socket
}

ROUND_TRIP("ip::pktinfo", "trap 60: IP_PKTINFO says where to, and spec_dst chooses where from") {
  Udp udp(Inet4Address{INADDR_ANY, 0});
  const Inet4Address to{INADDR_LOOPBACK + 4, VALUE(udp.at.get<Inet4Address>()).port};
  udp.at = to;
  VALUE(udp.to.setsockopt(ip::pktinfo, true));
  const auto lo = loopback_index();
  in_pktinfo info{lo, {htonl(INADDR_LOOPBACK + 1)}, {}};
  CHECK(VALUE(udp.send(cmsg::ip::pktinfo, info)) == 4);
  Got got(udp.to);
  const auto come = got.get(cmsg::ip::pktinfo);
  CHECK(come.ipi_ifindex == lo);
  CHECK(ntohl(come.ipi_addr.s_addr) == to.address);
  CHECK(ntohl(come.ipi_spec_dst.s_addr) == to.address);
  CHECK(VALUE(got.message.address.get<Inet4Address>()).address == INADDR_LOOPBACK + 1);
  // ipi_addr is not it.
  info = {lo, {}, {htonl(INADDR_LOOPBACK + 1)}};
  CHECK(VALUE(udp.send(cmsg::ip::pktinfo, info)) == 4);
  CHECK(VALUE(Got(udp.to).message.address.get<Inet4Address>()).address != INADDR_LOOPBACK + 1);
  // Not this host's; no such interface.
  info = {0, {htonl(0xc0000201)}, {}};
  auto foreign = udp.send(cmsg::ip::pktinfo, info);
  REQUIRE_FALSE(foreign.has_value());
  CHECK((foreign.error().is(EINVAL) || foreign.error().is(ENETUNREACH))); // as the kernel is old or new
  info = {0x7fffffff, {}, {}};
  CHECK_ERROR(udp.send(cmsg::ip::pktinfo, info), ENODEV, sendmsg);
  done();
}

ROUND_TRIP("ip::protocol", "IP_PROTOCOL: a rule about the protocol sees it") {
  bool known = true;
  const bool permitted = in_own_network([&] {
    Socket raw = VALUE(Socket::socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
    Wire packet; // IPv4 of protocol 253, to nobody
    packet.raw({0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1});
    const SocketAddress to = Inet4Address{INADDR_LOOPBACK, 0};
    const ConstBuffer parts[] = {packet.bytes};
    const auto send = [&](int protocol) {
      Room control;
      VALUE(control.append(cmsg::ip::protocol, protocol));
      return raw.sendmsg({parts, &to, control});
    };
    if (auto first = send(77); !first && first.error().is(EINVAL)) {
      known = false;
      return;
    }
    Netlink rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
    rule.wire.put(fib_rule_hdr{AF_INET, 0, 0, 0, 0, 0, 0, FR_ACT_PROHIBIT, 0});
    rule.wire.put(nlattr{5, FRA_IP_PROTO}).u8(77).zeros(3);
    rule.attribute(FRA_PRIORITY, std::uint32_t{0});
    CHECK(rule.answer() == 0);
    // The rule of priority 0 that leads to lo comes first.
    Netlink local(RTM_DELRULE, 0);
    local.wire.put(fib_rule_hdr{AF_INET, 0, 0, 0, RT_TABLE_LOCAL, 0, 0, FR_ACT_TO_TBL, 0});
    local.attribute(FRA_PRIORITY, std::uint32_t{0});
    CHECK(local.answer() == 0);
    Netlink again(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
    again.wire.put(fib_rule_hdr{AF_INET, 0, 0, 0, RT_TABLE_LOCAL, 0, 0, FR_ACT_TO_TBL, 0});
    again.attribute(FRA_PRIORITY, std::uint32_t{1});
    CHECK(again.answer() == 0);
    CHECK_ERROR(send(77), EACCES, sendmsg);
    CHECK(VALUE(send(78)) == 20);
    CHECK_ERROR(send(0), EINVAL, sendmsg);
    CHECK_ERROR(send(256), EINVAL, sendmsg);
  });
  if (!permitted)
    SKIP(not_permitted);
  if (!known)
    SKIP("IP_PROTOCOL needs Linux 6.4");
  done();
}

ROUND_TRIP("ip::checksum", "IP_CHECKSUM is the sum of the data") {
  auto raw = Socket::socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
  if (!raw)
    SKIP("a raw socket is not permitted");
  Udp udp;
  VALUE(udp.to.setsockopt(ip::checksum, true));
  const std::string data = "\1\2some\xff\xfe odd";
  Wire packet = udp_packet(Inet4Address{INADDR_LOOPBACK, 0}, udp.at, data);
  CHECK(VALUE(raw->sendto(packet.bytes, Inet4Address{INADDR_LOOPBACK, 0})) == packet.bytes.size());
  Got got(udp.to);
  CHECK(got.data() == data);
  CHECK(folded(got.get(cmsg::ip::checksum)) == folded(sum_of(data)));
  done();
}

ROUND_TRIP("ip::origdstaddr", "IP_ORIGDSTADDR: address and port, in a sockaddr_in") {
  Udp udp(Inet4Address{INADDR_ANY, 0});
  udp.at = Inet4Address{INADDR_LOOPBACK + 8, VALUE(udp.at.get<Inet4Address>()).port};
  VALUE(udp.to.setsockopt(ip::recvorigdstaddr, true));
  CHECK(VALUE(udp.from.sendto("data", udp.at)) == 4);
  CHECK(Got(udp.to).get(cmsg::ip::origdstaddr) == udp.at);
  done();
}

ROUND_TRIP("ip::recvopts ip::retopts", "IP_RETOPTS sends options, IP_RECVOPTS has them, IP_RETOPTS turned round") {
  Udp udp;
  VALUE(udp.to.setsockopt(ip::recvopts, true));
  VALUE(udp.to.setsockopt(ip::recvretopts, true));
  Wire record; // IPOPT_RR with room for one address, and the address that the sender puts there
  record.raw({7, 7, 4, 0, 0, 0, 0});
  CHECK(VALUE(udp.send(cmsg::ip::retopts, ConstBuffer(record.bytes))) == 4);
  Got got(udp.to);
  CHECK(hex(got.get(cmsg::ip::recvopts)) == "0707087f00000100");
  CHECK(hex(got.get(cmsg::ip::retopts)) == "0707087f00000100");
  Wire alert; // IPOPT_RA is not for the way back
  alert.raw({148, 4, 0, 0});
  CHECK(VALUE(udp.send(cmsg::ip::retopts, ConstBuffer(alert.bytes))) == 4);
  Got alerted(udp.to);
  CHECK(hex(alerted.get(cmsg::ip::recvopts)) == "94040000");
  Wire broken;
  broken.raw({7, 2, 4, 0});
  CHECK_ERROR(udp.send(cmsg::ip::retopts, ConstBuffer(broken.bytes)), EINVAL, sendmsg);
  done();
}

/// A port on loopback where nobody is.
SocketAddress nobody(const SocketAddress &local) {
  Socket socket = VALUE(Socket::socket(local.family(), SOCK_DGRAM));
  VALUE(socket.bind(local));
  return VALUE(socket.getsockname());
}

template <class T, class Recverr>
void check_recverr(const SocketAddress &local, const ControlKind<T, Direction::receive> &kind, const Recverr &option,
                   std::uint8_t origin, std::uint8_t type, std::uint8_t code) {
  Socket socket = VALUE(Socket::socket(local.family(), SOCK_DGRAM));
  VALUE(socket.setsockopt(option, true));
  const SocketAddress closed = nobody(local);
  VALUE(socket.sendto("lost", closed));
  await_error(socket);
  Got got(socket, MSG_ERRQUEUE);
  CHECK(got.message.error_queue());
  CHECK(got.data() == "lost");
  CHECK(got.message.address == closed);
  const ReceivedError received = got.get(kind);
  CHECK(received.error.ee_errno == ECONNREFUSED);
  CHECK(received.error.ee_origin == origin);
  CHECK(received.error.ee_type == type);
  CHECK(received.error.ee_code == code);
  CHECK(received.offender == local);
}

ROUND_TRIP("ip::recverr", "IP_RECVERR: the error and its offender (seed bug: never decoded)") {
  check_recverr(Inet4Address{INADDR_LOOPBACK, 0}, cmsg::ip::recverr, ip::recverr, 2, 3, 3);
  done();
}

ROUND_TRIP("ip::recvfragsize", "IP_RECVFRAGSIZE of a datagram in fragments") {
  if (!in_own_network([] {
        set_loopback_mtu(1500);
        Udp udp;
        VALUE(udp.to.setsockopt(ip::recvfragsize, true));
        CHECK(VALUE(udp.from.sendto(std::string(3000, 'x'), udp.at)) == 3000);
        Got got(udp.to);
        CHECK(got.message.size == 3000);
        CHECK(got.get(cmsg::ip::recvfragsize) == 1500);
        CHECK(VALUE(udp.from.sendto("whole", udp.at)) == 5);
        CHECK_FALSE(Got(udp.to).has(cmsg::ip::recvfragsize));
      }))
    SKIP(not_permitted);
  done();
}

ROUND_TRIP("ip::scm_security", "SCM_SECURITY of IP, of labelled peers") {
  Udp udp;
  VALUE(udp.to.setsockopt(ip::passsec, true));
  CHECK(VALUE(udp.from.sendto("data", udp.at)) == 4);
  Got got(udp.to);
  if (got.control.empty())
    SKIP("no security module labels this peer");
  CHECK_FALSE(got.get(cmsg::ip::scm_security).empty());
  done();
}

// --- IPv6 -------------------------------------------------------------------------------------------------

ROUND_TRIP("ipv6::tclass ipv6::hoplimit ipv6::flowinfo",
           "IPV6_TCLASS, IPV6_HOPLIMIT, IPV6_FLOWINFO in host order (seed bug: not swapped)") {
  if (!has_inet6())
    SKIP(no_inet6);
  // Of its own, because labels that another program has leased for itself cannot be sent.
  const bool permitted = in_own_network([] {
    Udp udp(loopback6);
    VALUE(udp.to.setsockopt(ipv6::recvtclass, true));
    VALUE(udp.to.setsockopt(ipv6::recvhoplimit, true));
    VALUE(udp.to.setsockopt(ipv6::flowinfo, true));
    Room control;
    VALUE(control.append(cmsg::ipv6::tclass, 0xb8));
    VALUE(control.append(cmsg::ipv6::hoplimit, 43));
    VALUE(control.append(cmsg::ipv6::flowinfo, 0x12345));
    CHECK(VALUE(udp.send(control)) == 4);
    Got got(udp.to);
    CHECK(got.get(cmsg::ipv6::tclass) == 0xb8);
    CHECK(got.get(cmsg::ipv6::hoplimit) == 43);
    CHECK(got.get(cmsg::ipv6::flowinfo) == 0x0b812345);
    CHECK_ERROR(udp.send(cmsg::ipv6::hoplimit, 256), EINVAL, sendmsg);
    CHECK_ERROR(udp.send(cmsg::ipv6::tclass, 256), EINVAL, sendmsg);
    const std::uint8_t byte = 1;
    CHECK_ERROR(udp.send_raw(IPPROTO_IPV6, 67, {&byte, 1}), EINVAL, sendmsg);
  });
  if (!permitted)
    SKIP(not_permitted);
  done();
}

template <class Recv>
void check_pktinfo6(const ControlKind<in6_pktinfo, Direction::both> &kind, const Recv &option) {
  const in6_addr source = VALUE(VALUE(SocketAddress::parse("fd00::7")).get<Inet6Address>()).address;
  add_loopback_address(source);
  Udp udp(loopback6);
  VALUE(udp.to.setsockopt(option, true));
  const auto lo = static_cast<unsigned>(loopback_index());
  CHECK(VALUE(udp.send(kind, in6_pktinfo{source, lo})) == 4);
  Got got(udp.to);
  const auto info = got.get(kind);
  CHECK(info.ipi6_ifindex == lo);
  CHECK(IN6_ARE_ADDR_EQUAL(&info.ipi6_addr, &in6addr_loopback));
  const auto from = VALUE(got.message.address.get<Inet6Address>()).address;
  CHECK(IN6_ARE_ADDR_EQUAL(&from, &source));
  CHECK_ERROR(udp.send(kind, in6_pktinfo{doc6(), 0}), EINVAL, sendmsg);
  CHECK_ERROR(udp.send(kind, in6_pktinfo{source, 0x7ffffff0}), ENODEV, sendmsg);
}

ROUND_TRIP("ipv6::pktinfo ipv6::_2292pktinfo", "IPV6_PKTINFO and its older number: where to, and where from") {
  if (!has_inet6())
    SKIP(no_inet6);
  if (!in_own_network([] { check_pktinfo6(cmsg::ipv6::pktinfo, ipv6::recvpktinfo); }) ||
      !in_own_network([] { check_pktinfo6(cmsg::ipv6::_2292pktinfo, ipv6::_2292pktinfo); }))
    SKIP(not_permitted);
  done();
}

TEST_CASE("trap 47: a payload that was truncated inside is ENOBUFS, 16 of 20 bytes of an in6_pktinfo") {
  if (!has_inet6())
    SKIP(no_inet6);
  Udp udp(loopback6);
  VALUE(udp.to.setsockopt(ipv6::recvpktinfo, true));
  CHECK(VALUE(udp.from.sendto("data", udp.at)) == 4);
  ControlBuffer<CMSG_LEN(16)> control;
  char room[8];
  const MutableBuffer parts[] = {room};
  ReceivedMessage message = VALUE(udp.to.recvmsg(parts, control));
  CHECK(message.control_truncated());
  CHECK(control.truncated());
  REQUIRE(control.begin() != control.end());
  ControlMessage cut = *control.begin();
  CHECK(cut.is(cmsg::ipv6::pktinfo));
  CHECK(cut.bytes().size() == 16);
  clear_error();
  auto info = cut.as(cmsg::ipv6::pktinfo);
  REQUIRE_FALSE(info.has_value());
  CHECK(info.error() == Error(ENOBUFS, Operation::as));
  CHECK(control.get(cmsg::ipv6::pktinfo).error() == Error(ENOBUFS, Operation::as));
  // One that is not there may have been.
  CHECK(control.get(cmsg::ipv6::hoplimit).error() == Error(ENOBUFS, Operation::as));
  CHECK_FALSE(last_error());
}

ROUND_TRIP("ipv6::_2292hoplimit", "IPV6_2292HOPLIMIT") {
  if (!has_inet6())
    SKIP(no_inet6);
  Udp udp(loopback6);
  VALUE(udp.to.setsockopt(ipv6::_2292hoplimit, true));
  CHECK(VALUE(udp.send(cmsg::ipv6::_2292hoplimit, 44)) == 4);
  CHECK(Got(udp.to).get(cmsg::ipv6::_2292hoplimit) == 44);
  done();
}

/// Options of experimental type 0x1e, to be skipped by who does not know it.
template <class Recv>
bool check_extension(const ControlKind<ConstBuffer, Direction::both> &kind, const Recv &option) {
  Udp udp(loopback6);
  VALUE(udp.to.setsockopt(option, true));
  Wire header;
  header.raw({0, 1, 0x1e, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  auto sent = udp.send(kind, ConstBuffer(header.bytes));
  if (!sent && sent.error().is(EPERM))
    return false;
  CHECK(VALUE(std::move(sent)) == 4);
  Got got(udp.to);
  CHECK(got.data() == "data");
  // The kernel says what follows: UDP.
  CHECK(hex(got.get(kind)) == "11011e0c0102030405060708090a0b0c");
  header.bytes[1] = 2;
  CHECK_ERROR(udp.send(kind, ConstBuffer(header.bytes)), EINVAL, sendmsg);
  return true;
}

ROUND_TRIP("ipv6::hopopts ipv6::dstopts ipv6::_2292hopopts ipv6::_2292dstopts", "IPv6 options, byte for byte") {
  if (!has_inet6())
    SKIP(no_inet6);
  if (!check_extension(cmsg::ipv6::hopopts, ipv6::recvhopopts) ||
      !check_extension(cmsg::ipv6::dstopts, ipv6::recvdstopts) ||
      !check_extension(cmsg::ipv6::_2292hopopts, ipv6::_2292hopopts) ||
      !check_extension(cmsg::ipv6::_2292dstopts, ipv6::_2292dstopts))
    SKIP("IPv6 options are not permitted");
  done();
}

template <class Recv>
void check_rthdr(const Socket &raw, const ControlKind<ConstBuffer, Direction::both> &kind, const Recv &option) {
  Udp udp(loopback6);
  VALUE(udp.to.setsockopt(option, true));
  Wire header;
  header.raw({IPPROTO_UDP, 0, 253, 0, 1, 2, 3, 4}); // of an experimental type, with nowhere left to go
  Wire packet = joined(header, udp_packet(loopback6, udp.at, "data"));
  CHECK(VALUE(raw.sendto(packet.bytes, loopback6)) == packet.bytes.size());
  Got got(udp.to);
  CHECK(got.data() == "data");
  CHECK(hex(got.get(kind)) == hex(header.bytes));
  // Of those to be sent the kernel takes type 2, of Mobile IPv6.
  CHECK_ERROR(udp.send(kind, ConstBuffer(header.bytes)), EINVAL, sendmsg);
}

ROUND_TRIP("ipv6::rthdr ipv6::_2292rthdr", "IPV6_RTHDR, as a raw socket sends one") {
  if (!has_inet6())
    SKIP(no_inet6);
  auto raw = Socket::socket(AF_INET6, SOCK_RAW, IPPROTO_ROUTING);
  if (!raw)
    SKIP("a raw socket is not permitted");
  check_rthdr(*raw, cmsg::ipv6::rthdr, ipv6::recvrthdr);
  check_rthdr(*raw, cmsg::ipv6::_2292rthdr, ipv6::_2292rthdr);
  done();
}

TEST_CASE("IPV6_RTHDRDSTOPTS: taken, if its length is that of the options") {
  if (!has_inet6())
    SKIP(no_inet6);
  Udp udp(loopback6);
  Wire header;
  header.raw({0, 0, 1, 4, 0, 0, 0, 0});
  auto sent = udp.send(cmsg::ipv6::rthdrdstopts, ConstBuffer(header.bytes));
  if (!sent && sent.error().is(EPERM))
    SKIP("IPv6 options are not permitted");
  CHECK(VALUE(std::move(sent)) == 4);
  CHECK(Got(udp.to).data() == "data");
  header.bytes[1] = 1;
  CHECK_ERROR(udp.send(cmsg::ipv6::rthdrdstopts, ConstBuffer(header.bytes)), EINVAL, sendmsg);
}

ROUND_TRIP("ipv6::origdstaddr", "IPV6_ORIGDSTADDR: address and port, in a sockaddr_in6") {
  if (!has_inet6())
    SKIP(no_inet6);
  Udp udp(loopback6);
  VALUE(udp.to.setsockopt(ipv6::recvorigdstaddr, true));
  CHECK(VALUE(udp.from.sendto("data", udp.at)) == 4);
  CHECK(Got(udp.to).get(cmsg::ipv6::origdstaddr) == udp.at);
  done();
}

ROUND_TRIP("ipv6::recverr", "IPV6_RECVERR: the error and its offender") {
  if (!has_inet6())
    SKIP(no_inet6);
  check_recverr(loopback6, cmsg::ipv6::recverr, ipv6::recverr, 3, 1, 4);
  done();
}

ROUND_TRIP("ipv6::dontfrag ipv6::pathmtu ipv6::recvfragsize",
           "IPV6_DONTFRAG refuses what IPV6_RECVFRAGSIZE sees in fragments, and IPV6_PATHMTU says why") {
  if (!has_inet6())
    SKIP(no_inet6);
  if (!in_own_network([] {
        set_loopback_mtu(1500);
        Udp udp(loopback6);
        VALUE(udp.to.setsockopt(ipv6::recvfragsize, true));
        VALUE(udp.from.setsockopt(ipv6::recvpathmtu, true));
        const std::string large(3000, 'x');
        CHECK(VALUE(udp.send(cmsg::ipv6::dontfrag, 0, large)) == 3000);
        Got got(udp.to);
        CHECK(got.message.size == 3000);
        CHECK(got.get(cmsg::ipv6::recvfragsize) == 1496); // 8 more, and it would not fit
        CHECK_ERROR(udp.send(cmsg::ipv6::dontfrag, 1, large), EMSGSIZE, sendmsg);
        Got told(udp.from);
        CHECK(told.message.size == 0);
        const ip6_mtuinfo info = told.get(cmsg::ipv6::pathmtu);
        CHECK(info.ip6m_mtu == 1500);
        CHECK(info.ip6m_addr.sin6_family == AF_INET6);
        CHECK(IN6_ARE_ADDR_EQUAL(&info.ip6m_addr.sin6_addr, &in6addr_loopback));
        CHECK_ERROR(udp.send(cmsg::ipv6::dontfrag, 2), EINVAL, sendmsg);
      }))
    SKIP(not_permitted);
  done();
}

// --- SOL_SOCKET -------------------------------------------------------------------------------------------

ROUND_TRIP("so::mark", "SO_MARK goes with the packet, over loopback") {
  Udp udp;
  if (!switched_on(udp.to, so::rcvmark))
    SKIP("SO_RCVMARK needs Linux 5.19");
  auto sent = udp.send(cmsg::so::mark, 0xfedcba98U);
  if (!sent && sent.error().is(EPERM))
    SKIP("SO_MARK is not permitted");
  CHECK(VALUE(std::move(sent)) == 4);
  CHECK(Got(udp.to).get(cmsg::so::mark) == 0xfedcba98U);
  const std::uint16_t half = 1;
  CHECK_ERROR(udp.send_raw(SOL_SOCKET, SO_MARK, {&half, sizeof half}), EINVAL, sendmsg);
  done();
}

ROUND_TRIP("so::priority", "SO_PRIORITY goes with the packet, over loopback") {
  Udp udp;
  if (!switched_on(udp.to, so::rcvpriority))
    SKIP("SO_PRIORITY as a control message needs Linux 6.14");
  CHECK(VALUE(udp.send(cmsg::so::priority, 5)) == 4);
  CHECK(Got(udp.to).get(cmsg::so::priority) == 5);
  done();
}

ROUND_TRIP("so::rxq_ovfl", "SO_RXQ_OVFL counts what had no room") {
  Udp udp;
  VALUE(udp.to.setsockopt(so::rcvbuf, 0)); // the least
  VALUE(udp.to.setsockopt(so::rxq_ovfl, true));
  const std::string data(500, 'x');
  for (int i = 0; i < 100; ++i)
    VALUE(udp.from.sendto(data, udp.at));
  std::uint32_t kept = 0;
  while (udp.to.recv(data.size(), MSG_DONTWAIT))
    ++kept;
  REQUIRE(kept < 100);
  VALUE(udp.from.sendto("after", udp.at));
  CHECK(Got(udp.to).get(cmsg::so::rxq_ovfl) == 100 - kept);
  done();
}

/// The packet's time lies between two looks at the clock, as far as the unit tells.
template <class T, Access A>
void check_stamp(const Option<bool, A> &option, const ControlKind<T, Direction::receive> &kind, Nanoseconds unit) {
  CAPTURE(TextView(kind.name));
  Udp udp;
  VALUE(udp.to.setsockopt(option, true));
  const Nanoseconds before = now();
  VALUE(udp.from.sendto("data", udp.at));
  Got got(udp.to);
  const Nanoseconds time = got.get(kind);
  CHECK(time.count() > before.count() - unit.count());
  CHECK(time <= now());
  ControlMessage message = *got.control.begin();
  CHECK(message.bytes().size() == Payload<T>::size);
}

ROUND_TRIP("scm::timestamp scm::timestampns so::timestamp_old so::timestamp_new so::timestampns_old "
           "so::timestampns_new",
           "timestamps, the old and the new form") {
  const Nanoseconds microsecond(1000), nanosecond(1);
  check_stamp(so::timestamp, cmsg::scm::timestamp, microsecond);
  check_stamp(so::timestamp_old, cmsg::so::timestamp_old, microsecond);
  check_stamp(so::timestamp_new, cmsg::so::timestamp_new, microsecond);
  check_stamp(so::timestampns, cmsg::scm::timestampns, nanosecond);
  check_stamp(so::timestampns_old, cmsg::so::timestampns_old, nanosecond);
  check_stamp(so::timestampns_new, cmsg::so::timestampns_new, nanosecond);
  done();
}

// SOF_TIMESTAMPING_ of linux/net_tstamp.h, whose structs are in structs.hpp.
enum : std::uint32_t {
  tx_software = 1 << 1,
  rx_software = 1 << 3,
  software = 1 << 4,
  opt_id = 1 << 7,
  tx_sched = 1 << 8,
  tx_ack = 1 << 9,
  opt_tsonly = 1 << 11,
  opt_stats = 1 << 12,
};

Partial<so_timestamping> stamps(std::uint32_t flags) {
  so_timestamping value{};
  value.flags = static_cast<decltype(value.flags)>(flags);
  return {value, offsetof(so_timestamping, bind_phc)};
}

template <class T, class O>
void check_timestamping(const O &option, const ControlKind<T, Direction::receive> &kind) {
  CAPTURE(TextView(kind.name));
  Udp udp;
  VALUE(udp.to.setsockopt(option, stamps(rx_software | software)));
  // The kernel begins to take the time a little after it was told to.
  const Nanoseconds deadline(now().count() + 10'000'000'000);
  for (;;) {
    const Nanoseconds before = now();
    VALUE(udp.from.sendto("data", udp.at));
    Got got(udp.to);
    if (!got.has(kind) && now() < deadline)
      continue;
    const Timestamping time = got.get(kind);
    CHECK(time.software >= before);
    CHECK(time.software <= now());
    CHECK(time.transformed == Nanoseconds(0));
    CHECK(time.hardware == Nanoseconds(0));
    return;
  }
}

ROUND_TRIP("scm::timestamping so::timestamping_old so::timestamping_new", "three times, the old and the new form") {
  check_timestamping(so::timestamping, cmsg::scm::timestamping);
  check_timestamping(so::timestamping_old, cmsg::so::timestamping_old);
  check_timestamping(so::timestamping_new, cmsg::so::timestamping_new);
  done();
}

ROUND_TRIP("so::timestamping", "SO_TIMESTAMPING, sent: of this packet alone the time is wanted") {
  Udp udp;
  VALUE(udp.from.setsockopt(so::timestamping, stamps(software | opt_tsonly)));
  VALUE(udp.from.sendto("without", udp.at));
  char room[8];
  CHECK_ERROR(udp.from.recv(room, MSG_ERRQUEUE), EAGAIN, recv);
  const Nanoseconds before = now();
  CHECK(VALUE(udp.send(cmsg::so::timestamping, +tx_sched)) == 4);
  await_error(udp.from);
  Got got(udp.from, MSG_ERRQUEUE);
  CHECK(got.get(cmsg::ip::recverr).error.ee_info == 1); // SCM_TSTAMP_SCHED
  CHECK(got.get(cmsg::ip::recverr).error.ee_origin == 4);
  CHECK(got.get(cmsg::scm::timestamping).software >= before);
  CHECK(got.get(cmsg::scm::timestamping).software <= now());
  CHECK_ERROR(udp.from.recv(room, MSG_ERRQUEUE), EAGAIN, recv);
  CHECK_ERROR(udp.send(cmsg::so::timestamping, 0x80000000U), EINVAL, sendmsg);
  done();
}

ROUND_TRIP("scm::ts_opt_id", "SCM_TS_OPT_ID: the packet's number, in its transmit timestamp") {
  Udp udp;
  const unsigned flags = software | tx_software | opt_tsonly | opt_id;
  CHECK_ERROR(udp.send(cmsg::scm::ts_opt_id, 1), EINVAL, sendmsg); // without SOF_TIMESTAMPING_OPT_ID
  VALUE(udp.from.setsockopt(so::timestamping, stamps(flags)));
  auto sent = udp.send(cmsg::scm::ts_opt_id, 0xfffffffeU);
  if (!sent && sent.error().is(EINVAL))
    SKIP("SCM_TS_OPT_ID needs Linux 6.13");
  CHECK(VALUE(std::move(sent)) == 4);
  await_error(udp.from);
  CHECK(Got(udp.from, MSG_ERRQUEUE).get(cmsg::ip::recverr).error.ee_data == 0xfffffffeU);
  done();
}

ROUND_TRIP("scm::timestamping_opt_stats", "SCM_TIMESTAMPING_OPT_STATS: netlink attributes of the connection") {
  Connection connection;
  const unsigned flags = software | tx_ack | opt_tsonly | opt_id | opt_stats;
  VALUE(connection.client.setsockopt(so::timestamping, stamps(flags)));
  VALUE(connection.client.send("data"));
  CHECK(VALUE(connection.server.recv()).text() == "data");
  await_error(connection.client);
  Got got(connection.client, MSG_ERRQUEUE);
  const ConstBuffer stats = got.get(cmsg::scm::timestamping_opt_stats);
  std::size_t at = 0;
  bool counted = false;
  while (at + sizeof(nlattr) <= stats.size()) {
    nlattr attribute;
    std::memcpy(&attribute, stats.data() + at, sizeof attribute);
    REQUIRE(attribute.nla_len >= sizeof attribute);
    if (attribute.nla_type == 4) { // TCP_NLA_DATA_SEGS_OUT
      std::uint64_t segments = 0;
      std::memcpy(&segments, stats.data() + at + sizeof attribute, sizeof segments);
      CHECK(segments == 1);
      counted = true;
    }
    at += NLA_ALIGN(attribute.nla_len);
  }
  CHECK(at == stats.size());
  CHECK(counted);
  done();
}

/// Has lo let only packets out whose time is this? As a program for its way out.
bool pass_only(Nanoseconds time) {
  const auto number = static_cast<std::uint64_t>(time.count());
  const bpf_insn program[] = {
      {BPF_LDX | BPF_MEM | BPF_DW, 2, 1, offsetof(__sk_buff, tstamp), 0},
      {BPF_LD | BPF_DW | BPF_IMM, 3, 0, 0, static_cast<std::int32_t>(number)},
      {0, 0, 0, 0, static_cast<std::int32_t>(number >> 32)},
      {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, // TCX_PASS
      {BPF_JMP | BPF_JEQ | BPF_X, 2, 3, 1, 0},
      {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 2}, // TCX_DROP
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  struct {
    std::uint32_t type, count;
    std::uint64_t instructions, license;
    std::uint8_t rest[104];
  } load{};
  load.type = BPF_PROG_TYPE_SCHED_CLS;
  load.count = std::size(program);
  load.instructions = reinterpret_cast<std::uintptr_t>(program);
  load.license = reinterpret_cast<std::uintptr_t>("MIT");
  FileDescriptor loaded(static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load)));
  if (!loaded)
    return false;
  struct {
    std::uint32_t target, program, type, flags, replaced, relative;
    std::uint64_t revision;
  } attach{};
  attach.target = static_cast<std::uint32_t>(loopback_index());
  attach.program = static_cast<std::uint32_t>(loaded.fd());
  attach.type = 47; // BPF_TCX_EGRESS
  return ::syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) == 0;
}

ROUND_TRIP("scm::txtime", "SCM_TXTIME: the time that the packet has on its way out") {
  bool attached = false;
  if (!in_own_network([&] {
        Udp udp;
        const Nanoseconds time(now().count() + 123'456'789);
        CHECK_ERROR(udp.send(cmsg::scm::txtime, time), EINVAL, sendmsg); // without SO_TXTIME
        VALUE(udp.from.setsockopt(so::txtime, sock_txtime{CLOCK_REALTIME, 0}));
        attached = pass_only(time);
        if (!attached)
          return;
        CHECK(VALUE(udp.send(cmsg::scm::txtime, Nanoseconds(time.count() + 1), "late")) == 4);
        CHECK(VALUE(udp.send(cmsg::scm::txtime, time, "just")) == 4);
        CHECK(Got(udp.to).data() == "just");
        CHECK_ERROR(udp.to.recv(4, MSG_DONTWAIT), EAGAIN, recv);
        Room control;
        CHECK_ERROR(control.append(cmsg::scm::txtime, Nanoseconds(-1)), EDOM, append);
        CHECK(control.empty());
      }))
    SKIP(not_permitted);
  if (!attached)
    SKIP("BPF_TCX_EGRESS needs Linux 6.6 and CAP_BPF");
  done();
}

// --- AF_UNIX ----------------------------------------------------------------------------------------------

ROUND_TRIP("scm::credentials",
           "SCM_CREDENTIALS: one's own, given by the kernel or named; another's not without right") {
  auto [a, b] = unix_pair(SOCK_DGRAM);
  VALUE(b.setsockopt(so::passcred, true));
  VALUE(a.send("data"));
  Got given(b);
  CHECK(given.get(cmsg::scm::credentials).pid == ::getpid());
  CHECK(given.get(cmsg::scm::credentials).uid == ::getuid());
  CHECK(given.get(cmsg::scm::credentials).gid == ::getgid());
  ucred named{::getpid(), ::getuid(), ::getgid()};
  const bool root = ::geteuid() == 0;
  if (root)
    named = {::getpid(), 12345, 54321};
  Room control;
  VALUE(control.append(cmsg::scm::credentials, named));
  auto sent = send_with(a, control);
  if (root && !sent && sent.error().is(EINVAL)) { // a user namespace without those numbers
    named = {::getpid(), ::getuid(), ::getgid()};
    control.clear();
    VALUE(control.append(cmsg::scm::credentials, named));
    sent = send_with(a, control);
  }
  CHECK(VALUE(std::move(sent)) == 4);
  Got got(b);
  CHECK(got.get(cmsg::scm::credentials).pid == named.pid);
  CHECK(got.get(cmsg::scm::credentials).uid == named.uid);
  CHECK(got.get(cmsg::scm::credentials).gid == named.gid);
  if (!root) {
    control.clear();
    VALUE(control.append(cmsg::scm::credentials, ucred{::getpid(), ::getuid() + 1, ::getgid()}));
    CHECK_ERROR(send_with(a, control), EPERM, sendmsg);
  }
  done();
}

ROUND_TRIP("scm::rights", "SCM_RIGHTS: descriptors of the same files, in their order, close-on-exec") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_DGRAM);
  Room control;
  VALUE(control.append(cmsg::scm::rights, {a.fd(), b.fd()}));
  VALUE(control.append(cmsg::scm::rights, {0})); // the kernel makes one of them
  CHECK(VALUE(send_with(a, control)) == 4);
  control.clear(); // closes nothing that was only sent
  Got got(b);
  ReceivedDescriptors passed = got.get(cmsg::scm::rights);
  REQUIRE(passed.size() == 3);
  CHECK(same_file(passed[0], a.fd()));
  CHECK(same_file(passed[1], b.fd()));
  CHECK(same_file(passed[2], 0));
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(::fcntl(passed[i], F_GETFD) == FD_CLOEXEC);
  FileDescriptor taken = passed.take(1);
  CHECK(same_file(taken.fd(), b.fd()));
  CHECK(passed[1] == -1);
  CHECK_FALSE(passed.take(1));
  // What was received makes room for what is to be sent: those that nobody took are closed.
  const std::size_t before = open_descriptors();
  VALUE(got.control.append(cmsg::scm::rights, {0}));
  CHECK(open_descriptors() == before - 2);
  CHECK(got.control.size() == CMSG_SPACE(sizeof(int)));
  done();
}

ROUND_TRIP("scm::pidfd", "SCM_PIDFD: a descriptor of the sender, owned like any other") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_DGRAM);
  if (!switched_on(b, so::passpidfd))
    SKIP("SO_PASSPIDFD needs Linux 6.5");
  VALUE(a.send("data"));
  VALUE(a.send("more"));
  {
    Got got(b);
    ReceivedDescriptors passed = got.get(cmsg::scm::pidfd);
    REQUIRE(passed.size() == 1);
    FileDescriptor pidfd = passed.take(0);
    const std::string path = "/proc/self/fdinfo/" + std::to_string(pidfd.fd());
    FileDescriptor info(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char text[1024];
    const auto size = ::read(info.fd(), text, sizeof text);
    REQUIRE(size > 0);
    const std::string wanted = "Pid:\t" + std::to_string(::getpid()) + "\n";
    CHECK(std::string(text, static_cast<std::size_t>(size)).find(wanted) != std::string::npos);
  }
  Got not_taken(b);
  CHECK(not_taken.get(cmsg::scm::pidfd).size() == 1);
  done();
}

ROUND_TRIP("scm::security", "SCM_SECURITY: the sender's label") {
  auto [a, b] = unix_pair(SOCK_DGRAM);
  VALUE(b.setsockopt(so::passsec, true));
  VALUE(a.send("data"));
  Got got(b);
  if (got.control.empty())
    SKIP("no security module with labels");
  const std::string label = text_of(got.get(cmsg::scm::security));
  CHECK_FALSE(label.empty());
  CHECK(label.find('\0') == std::string::npos);
  done();
}

ROUND_TRIP("scm::inq", "SCM_INQ: what is left to be received") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  if (!switched_on(b, so::inq))
    SKIP("SO_INQ of AF_UNIX needs Linux 6.17");
  VALUE(a.send("0123456789"));
  char room[4];
  const MutableBuffer parts[] = {room};
  Room control;
  CHECK(VALUE(b.recvmsg(parts, control)).size == 4);
  CHECK(VALUE(control.get(cmsg::scm::inq)) == 6);
  done();
}

// --- TCP, UDP, TLS ----------------------------------------------------------------------------------------

ROUND_TRIP("tcp::cm_inq", "TCP_CM_INQ: what is left to be received") {
  Connection connection;
  VALUE(connection.server.setsockopt(tcp::inq, true));
  VALUE(connection.client.send("0123456789"));
  char room[4];
  const MutableBuffer parts[] = {room};
  Room control;
  CHECK(VALUE(connection.server.recvmsg(parts, control)).size == 4);
  CHECK(VALUE(control.get(cmsg::tcp::cm_inq)) == 6);
  done();
}

ROUND_TRIP("udp::segment udp::gro", "UDP_SEGMENT splits, UDP_GRO says how it was split") {
  Udp udp;
  CHECK(VALUE(udp.send(cmsg::udp::segment, 100, std::string(250, 'x'))) == 250);
  for (std::size_t size : std::initializer_list<std::size_t>{100, 100, 50})
    CHECK(Got(udp.to).message.size == size);
  CHECK_ERROR(udp.to.recv(4, MSG_DONTWAIT), EAGAIN, recv);
  VALUE(udp.to.setsockopt(udp::gro, true));
  CHECK(VALUE(udp.send(cmsg::udp::segment, 100, std::string(250, 'x'))) == 250);
  Got got(udp.to);
  CHECK(got.message.size == 250);
  CHECK(got.get(cmsg::udp::gro) == 100);
  Room control;
  CHECK_ERROR(control.append(cmsg::udp::segment, 65536), ERANGE, append);
  done();
}

ROUND_TRIP("tls::set_record_type tls::get_record_type", "TLS records of another type than data") {
  Connection connection;
  auto set = connection.client.setsockopt(tcp::ulp, "tls");
  if (!set && is_unsupported(set.error()))
    SKIP("no TLS in the kernel");
  VALUE(std::move(set));
  VALUE(connection.server.setsockopt(tcp::ulp, "tls"));
  Wire keys; // tls12_crypto_info_aes_gcm_128: TLS 1.2, the cipher, and an iv, key, salt and number of zeros
  keys.u16(0x0303, 51).zeros(8 + 16 + 4 + 8);
  VALUE(connection.client.setsockopt(282, 1, ConstBuffer(keys.bytes))); // SOL_TLS, TLS_TX
  VALUE(connection.server.setsockopt(282, 2, ConstBuffer(keys.bytes))); // TLS_RX
  Room control;
  VALUE(control.append(cmsg::tls::set_record_type, 22));
  CHECK(VALUE(send_with(connection.client, control, "handshake")) == 9);
  Got got(connection.server);
  CHECK(got.data() == "handshake");
  CHECK(got.get(cmsg::tls::get_record_type) == 22);
  done();
}

// --- packets, netlink, algorithms ---------------------------------------------------------------------------

ROUND_TRIP("packet::auxdata", "PACKET_AUXDATA of a packet on loopback") {
  if (!in_own_network([] {
        Socket sniffer = VALUE(Socket::socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)));
        VALUE(sniffer.setsockopt(packet::auxdata, true));
        VALUE(sniffer.setsockopt(so::rcvtimeo, Seconds(10)));
        Udp udp;
        VALUE(udp.from.sendto("data", udp.at));
        Got got(sniffer);
        const tpacket_auxdata aux = got.get(cmsg::packet::auxdata);
        CHECK(got.message.size == 20 + 8 + 4);
        CHECK(aux.tp_len == 20 + 8 + 4);
        CHECK(aux.tp_snaplen == aux.tp_len);
        CHECK(aux.tp_net == aux.tp_mac);
        CHECK((aux.tp_status & 1) != 0);  // TP_STATUS_USER
        CHECK((aux.tp_status & 16) == 0); // TP_STATUS_VLAN_VALID
        CHECK(aux.tp_vlan_tci == 0);
      }))
    SKIP(not_permitted);
  done();
}

ROUND_TRIP("packet::tx_timestamp", "PACKET_TX_TIMESTAMP: the error queue of a packet socket") {
  if (!in_own_network([] {
        Socket socket = VALUE(Socket::socket(AF_PACKET, SOCK_DGRAM, 0));
        VALUE(socket.setsockopt(so::timestamping, stamps(software | tx_software | opt_id)));
        PacketAddress to;
        to.protocol = ETH_P_LOOPBACK;
        to.interface_index = loopback_index();
        to.length = 6;
        VALUE(socket.sendto("first", to));
        VALUE(socket.sendto("second", to));
        await_error(socket);
        for (std::uint32_t number : {0U, 1U}) {
          Got got(socket, MSG_ERRQUEUE);
          const sock_extended_err error = got.get(cmsg::packet::tx_timestamp);
          CHECK(error.ee_errno == ENOMSG);
          CHECK(error.ee_origin == 4); // SO_EE_ORIGIN_TIMESTAMPING
          CHECK(error.ee_info == 0);   // SCM_TSTAMP_SND
          CHECK(error.ee_data == number);
          CHECK(got.has(cmsg::scm::timestamping));
        }
      }))
    SKIP(not_permitted);
  done();
}

ROUND_TRIP("netlink::pktinfo", "NETLINK_PKTINFO: the group that a message was for") {
  Socket to = VALUE(Socket::socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK));
  Socket from = VALUE(Socket::socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK));
  if (auto bound = to.bind(NetlinkAddress{0, 1U << 4}); !bound)
    SKIP("a netlink group is not permitted");
  VALUE(to.setsockopt(so::rcvtimeo, Seconds(10)));
  VALUE(to.setsockopt(netlink::pktinfo, true));
  auto sent = from.sendto("group", NetlinkAddress{0, 1U << 4});
  // Multicast to nobody else is refused after it was delivered.
  CHECK((sent || sent.error().is(ECONNREFUSED)));
  Got got(to);
  CHECK(got.data() == "group");
  CHECK(got.get(cmsg::netlink::pktinfo).group == 5);
  const auto port = VALUE(VALUE(to.getsockname()).get<NetlinkAddress>()).port_id;
  VALUE(from.sendto("alone", NetlinkAddress{port, 0}));
  CHECK(Got(to).get(cmsg::netlink::pktinfo).group == 0);
  done();
}

ROUND_TRIP("netlink::listen_all_nsid", "NETLINK_LISTEN_ALL_NSID: which network a message is of") {
  if (!in_own_network([] {
        Socket listener = VALUE(Socket::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
        VALUE(listener.bind(NetlinkAddress{0, RTMGRP_LINK}));
        VALUE(listener.setsockopt(so::rcvtimeo, Seconds(10)));
        VALUE(listener.setsockopt(netlink::listen_all_nsid, true));
        FileDescriptor here(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        REQUIRE(here);
        REQUIRE(::unshare(CLONE_NEWNET) == 0);
        FileDescriptor there(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        REQUIRE(there);
        REQUIRE(::setns(here.fd(), CLONE_NEWNET) == 0);
        Netlink request(RTM_NEWNSID, 0);
        request.wire.put(rtgenmsg{AF_UNSPEC}).zeros(3);
        request.attribute(NETNSA_NSID, std::int32_t{77}).attribute(NETNSA_FD, std::uint32_t(there.fd()));
        CHECK(request.answer() == 0);
        REQUIRE(::setns(there.fd(), CLONE_NEWNET) == 0);
        set_loopback_up();
        Got got(listener);
        CHECK(got.get(cmsg::netlink::listen_all_nsid) == 77);
        REQUIRE(::setns(here.fd(), CLONE_NEWNET) == 0);
      }))
    SKIP(not_permitted);
  done();
}

/// A socket for one operation of this algorithm, with a key of 16 bytes; empty if the kernel has not got it.
Socket algorithm(const char *type, const char *name, const std::string &key) {
  auto socket = Socket::socket(AF_ALG, SOCK_SEQPACKET);
  if (!socket)
    return {};
  struct {
    std::uint16_t family;
    char type[14];
    std::uint32_t feature, mask;
    char name[64];
  } address{AF_ALG, {}, 0, 0, {}};
  std::strcpy(address.type, type);
  std::strcpy(address.name, name);
  if (!socket->bind(VALUE(SocketAddress::from_bytes({&address, sizeof address}))))
    return {};
  VALUE(socket->setsockopt(279, 1, ConstBuffer(key))); // SOL_ALG, ALG_SET_KEY
  return VALUE(socket->accept());
}

ROUND_TRIP("alg::set_op alg::set_iv", "ALG_SET_OP, ALG_SET_IV: AES-CBC of SP 800-38A") {
  Wire key, text, iv;
  key.raw({0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c});
  text.raw({0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a});
  iv.raw({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
  Socket socket = algorithm("skcipher", "cbc(aes)", key.bytes);
  if (!socket)
    SKIP("no AF_ALG with cbc(aes) in the kernel");
  Room control;
  VALUE(control.append(cmsg::alg::set_op, 1)); // ALG_OP_ENCRYPT
  VALUE(control.append(cmsg::alg::set_iv, ConstBuffer(iv.bytes)));
  VALUE(send_with(socket, control, text.bytes));
  char room[16];
  CHECK(VALUE(socket.recv(room)) == 16);
  CHECK(hex(ConstBuffer(room, sizeof room)) == "7649abac8119b246cee98e9b12e9197d");
  done();
}

ROUND_TRIP("alg::set_aead_assoclen", "ALG_SET_AEAD_ASSOCLEN: so much is not encrypted") {
  Socket socket = algorithm("aead", "gcm(aes)", std::string(16, '\0'));
  if (!socket)
    SKIP("no AF_ALG with gcm(aes) in the kernel");
  Room control;
  VALUE(control.append(cmsg::alg::set_op, 1)); // ALG_OP_ENCRYPT
  VALUE(control.append(cmsg::alg::set_iv, ConstBuffer(std::string(12, '\0'))));
  VALUE(control.append(cmsg::alg::set_aead_assoclen, 8));
  VALUE(send_with(socket, control, "in clearin cipher"));
  char room[64];
  const std::string out(room, VALUE(socket.recv(room)));
  CHECK(out.substr(0, 8) == "in clear");
  CHECK(out.find("cipher") == std::string::npos);
  done();
}

// --- descriptors ------------------------------------------------------------------------------------------

TEST_CASE("send_fds and recv_fds: none, one and all that the kernel takes, one more is refused") {
  NoLeak no_leak;
  for (int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    CAPTURE(type);
    auto [a, b] = unix_pair(type);
    for (std::size_t count : std::initializer_list<std::size_t>{0, 1, 253}) {
      CAPTURE(count);
      const std::vector<int> fds(count, a.fd());
      CHECK(VALUE(send_fds(a, "data", fds)) == 4);
      std::vector<FileDescriptor> received(253);
      char room[8];
      ReceivedFds got = VALUE(recv_fds(b, room, received));
      CHECK(std::string(room, got) == "data");
      CHECK(got.fds == count);
      CHECK_FALSE(got.control_truncated);
      for (std::size_t i = 0; i < received.size(); ++i) {
        REQUIRE(static_cast<bool>(received[i]) == (i < count));
        if (i < count)
          REQUIRE(same_file(received[i].fd(), a.fd()));
      }
    }
    CHECK_ERROR(send_fds(a, "data", std::vector<int>(254, a.fd())), EINVAL, append);
    CHECK_ERROR(send_fds(a, "data", {a.fd(), -1}), EBADF, sendmsg);
    char room[8];
    CHECK_ERROR(b.recv(room, MSG_DONTWAIT), EAGAIN, recv);
  }
}

TEST_CASE("three descriptors into room for one: one comes, the others are closed, and it says so") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_STREAM);
  CHECK(VALUE(send_fds(a, "data", {a.fd(), b.fd(), 0})) == 4);
  const std::size_t before = open_descriptors();
  FileDescriptor fds[1];
  char room[8];
  ReceivedFds got = VALUE(recv_fds(b, room, fds));
  CHECK(got.size == 4);
  CHECK(got.fds == 1);
  CHECK(got.control_truncated);
  CHECK(same_file(fds[0].fd(), a.fd()));
  CHECK(open_descriptors() == before + 1);
  // And into none.
  CHECK(VALUE(send_fds(a, "data", {a.fd()})) == 4);
  got = VALUE(recv_fds(b, room, {}));
  CHECK(got.fds == 0);
  CHECK(got.control_truncated);
  CHECK(open_descriptors() == before + 1);
}

TEST_CASE("recv_fds closes what the span held before, also if it fails") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_STREAM);
  char room[8];
  FileDescriptor fds[2];
  fds[0] = FileDescriptor(::fcntl(a.fd(), F_DUPFD_CLOEXEC, 0));
  fds[1] = FileDescriptor(::fcntl(b.fd(), F_DUPFD_CLOEXEC, 0));
  const int old[] = {fds[0].fd(), fds[1].fd()};
  REQUIRE(old[1] >= 0);
  CHECK_ERROR(recv_fds(b, room, fds, MSG_DONTWAIT), EAGAIN, recvmsg);
  for (int i : {0, 1}) {
    CHECK_FALSE(fds[i]);
    CHECK(::fcntl(old[i], F_GETFD) == -1);
  }
  fds[0] = FileDescriptor(::fcntl(a.fd(), F_DUPFD_CLOEXEC, 0));
  fds[1] = FileDescriptor(::fcntl(a.fd(), F_DUPFD_CLOEXEC, 0));
  const std::size_t before = open_descriptors();
  CHECK(VALUE(send_fds(a, "data", {b.fd()})) == 4);
  ReceivedFds got = VALUE(recv_fds(b, room, fds));
  CHECK(got.fds == 1);
  CHECK(same_file(fds[0].fd(), b.fd()));
  CHECK_FALSE(fds[1]);
  CHECK(open_descriptors() == before - 1);
}

TEST_CASE("trap 53: descriptors without a byte are refused on a stream, where they would vanish") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  CHECK_ERROR(send_fds(a, "", {a.fd()}), EINVAL, sendmsg);
  CHECK(VALUE(send_fds(a, "", {})) == 0); // none that could
  Room control;
  VALUE(control.append(cmsg::scm::credentials, ucred{::getpid(), ::getuid(), ::getgid()}));
  CHECK(VALUE(send_with(a, control, "")) == 0);
  NoLeak no_leak;
  auto [c, d] = unix_pair(SOCK_DGRAM);
  CHECK(VALUE(send_fds(c, "", {c.fd()})) == 0);
  FileDescriptor fds[1];
  char room[8];
  ReceivedFds got = VALUE(recv_fds(d, room, fds));
  CHECK(got.size == 0);
  CHECK(got.fds == 1);
  CHECK(same_file(fds[0].fd(), c.fd()));
}

TEST_CASE("recv_fds with credentials, a label, a pidfd and a time beside the descriptors") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_STREAM);
  VALUE(b.setsockopt(so::passcred, true));
  VALUE(b.setsockopt(so::passsec, true));
  VALUE(b.setsockopt(so::timestampns, true));
  (void)switched_on(b, so::passpidfd);
  (void)switched_on(b, so::inq);
  const std::vector<int> all(253, a.fd());
  CHECK(VALUE(send_fds(a, "data", all)) == 4);
  const std::size_t before = open_descriptors();
  std::vector<FileDescriptor> fds(253);
  char room[8];
  ReceivedFds got = VALUE(recv_fds(b, room, fds));
  CHECK(got.fds == 253);
  CHECK_FALSE(got.control_truncated);
  CHECK(same_file(fds[252].fd(), a.fd()));
  CHECK(open_descriptors() == before + 253); // the pidfd is closed
  // Nor does a message without descriptors leave one behind.
  CHECK(VALUE(a.send("data")) == 4);
  got = VALUE(recv_fds(b, room, fds));
  CHECK(got.fds == 0);
  CHECK(open_descriptors() == before);
}

TEST_CASE("trap 43: as many descriptors as may be opened come, and control_truncated says there were more") {
  if (std::getenv("WRAP") != nullptr)
    SKIP("valgrind keeps the limit to itself");
  auto pair = unix_pair(SOCK_STREAM);
  const int status = in_child([&pair] {
    (void)send_fds(pair.first, "data", {0, 0, 0, 0, 0});
    const auto before = open_descriptors() - 1; // without the directory that it reads
    const int next = FileDescriptor(::fcntl(0, F_DUPFD, 0)).fd();
    const rlimit limit{static_cast<rlim_t>(next + 2), static_cast<rlim_t>(next + 2)};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    FileDescriptor fds[8];
    char room[8];
    auto got = recv_fds(pair.second, room, fds);
    if (!got || got->size != 4)
      return 1;
    if (got->fds != 2 || !got->control_truncated)
      return 2;
    for (std::size_t i = 0; i < 8; ++i)
      if (static_cast<bool>(fds[i]) != (i < 2))
        return 3;
    fds[0] = {};
    return open_descriptors() - 1 == before + 1 ? 0 : 4;
  });
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("recv_fds on a socket that passes no descriptors") {
  Udp udp;
  VALUE(udp.from.sendto("data", udp.at));
  FileDescriptor fds[2];
  char room[8];
  ReceivedFds got = VALUE(recv_fds(udp.to, room, fds));
  CHECK(got.size == 4);
  CHECK(got.fds == 0);
  CHECK_FALSE(got.control_truncated);
}

// --- kinds of one's own -----------------------------------------------------------------------------------

namespace {
constexpr ControlKind<int> mine{IPPROTO_IP, IP_TTL, "MY_TTL"};
constexpr ControlKind<Doubled> mine_doubled{IPPROTO_IP, IP_TTL, "MY_TTL"};
constexpr ControlKind<std::array<std::uint8_t, 4>, Direction::receive> mine_bytes{IPPROTO_IP, IP_TTL, "MY_TTL"};
static_assert(control_space(mine).size == CMSG_SPACE(sizeof(int)));
static_assert(control_space(mine_doubled).size == CMSG_SPACE(sizeof(int)));
} // namespace

TEST_CASE("a kind of one's own is one line, and one more specialisation if it is stored otherwise") {
  Udp udp;
  VALUE(udp.to.setsockopt(ip::recvttl, true));
  CHECK(VALUE(udp.send(mine, 10)) == 4);
  CHECK(Got(udp.to).get(mine) == 10);
  CHECK(VALUE(udp.send(mine_doubled, 20)) == 4);
  Got got(udp.to);
  CHECK(got.get(cmsg::ip::ttl) == 40);
  CHECK(got.get(mine_doubled) == 20);
  const int forty = 40;
  std::array<std::uint8_t, 4> bytes{};
  std::memcpy(bytes.data(), &forty, sizeof forty);
  CHECK(got.get(mine_bytes) == bytes);
  // What encode() answers is the error, and the message is not there.
  Room control;
  VALUE(control.append(mine, 1));
  const std::size_t size = control.size();
  CHECK_ERROR(control.append(mine_doubled, 1001), EDOM, append);
  CHECK(control.size() == size);
  CHECK(std::all_of(control.data() + size, control.data() + control.capacity(),
                    [](std::byte each) { return each == std::byte{}; }));
  CHECK_ERROR(control.append(mine_doubled, 1LL << 32), ERANGE, append);
  CHECK(control.size() == size);
}

TEST_CASE("a count and an address, both ways, in kinds of one's own") {
  constexpr ControlKind<Nanoseconds> count{SOL_SOCKET, 99, "MY_COUNT"};
  constexpr ControlKind<stored::AddressIn<sockaddr_in>> address{SOL_SOCKET, 98, "MY_ADDRESS"};
  Room control;
  VALUE(control.append(count, Microseconds(3)));
  CHECK(VALUE(control.get(count)) == Nanoseconds(3000));
  CHECK_ERROR(control.append(count, Nanoseconds(-1)), EDOM, append);
  VALUE(control.append(address, at("127.0.0.2:3")));
  CHECK(VALUE(control.get(address)) == at("127.0.0.2:3"));
  const std::size_t size = control.size();
  CHECK_ERROR(control.append(address, loopback6), EINVAL, append);
  CHECK(control.size() == size);
  ControlBuffer<1> small;
  CHECK_ERROR(small.append(count, Nanoseconds(1)), ENOBUFS, append);
  CHECK_ERROR(small.append(address, loopback), ENOBUFS, append);
  control.clear();
  VALUE(control.append(count.level, count.type, "1234567"));
  CHECK(control.get(count).error() == Error(EINVAL, Operation::as));
}

TEST_CASE("a sum of rooms names all kinds whose payload is descriptors") {
  constexpr ControlKind<stored::Descriptors> first{SOL_SOCKET, 98, "MY_FILES"}, second{SOL_IP, 99, "MY_OTHERS"};
  const volatile std::size_t count = 1; // so that none of it is a constant
  const ControlSpace sum =
      control_space(first, count) + control_space(cmsg::scm::rights, count) + control_space(second, 2 * count);
  CHECK(sum.size == CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(2 * sizeof(int)));
  REQUIRE(sum.descriptor_kinds == 2);
  CHECK(sum.descriptors[0].level == SOL_SOCKET);
  CHECK(sum.descriptors[0].type == 98);
  CHECK(sum.descriptors[1].level == SOL_IP);
  CHECK(sum.descriptors[1].type == 99);
}

TEST_CASE("room for more elements than there can be is more than there can be") {
  for (const std::size_t elements : {SIZE_MAX, SIZE_MAX / 4, static_cast<std::size_t>(PTRDIFF_MAX)}) {
    CHECK(control_space(cmsg::scm::rights, elements).size > PTRDIFF_MAX);
    CHECK((control_space(cmsg::scm::rights, elements) + control_space(cmsg::ip::ttl)).size > PTRDIFF_MAX);
  }
}

// --- the count --------------------------------------------------------------------------------------------

TEST_CASE("control messages: what was verified, and how") {
  std::map<std::string, int> reasons;
  std::string skipped;
  std::size_t here = 0;
  for (const Row &row : rows) {
    if (round_tripped().contains(row.kind))
      ++here;
    else if (row.only != nullptr)
      ++reasons[row.only];
    else
      skipped += std::string(" ") + row.kind;
  }
  std::string why = "not at hand:";
  for (const auto &[reason, count] : reasons)
    why += (why.ends_with(':') ? " " : ", ") + reason + " (" + std::to_string(count) + ")";
  if (!skipped.empty())
    why += "; no round trip in this run:" + skipped;
  MESSAGE("control messages: ", std::size(rows), " kinds, ", here, " round-tripped on this kernel, ",
          std::size(rows) - here, " encode/decode only (", why, ")");
  CHECK(here <= claimed().size());
}

TEST_SUITE_END();
