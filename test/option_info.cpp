// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <map>
#include <optional>
#include <sched.h>
#include <set>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <vector>

/// Of a user: another struct linger, SO_PRIORITY by halves, and an Option for each.
struct my_linger {
  int onoff;
  int time;
};
struct Halves;

template <>
inline constexpr baresock::Field baresock::fields<my_linger>[] = {
    BARESOCK_FIELD_AS(my_linger, onoff, "is_on", stored::Flag),
    BARESOCK_FIELD_AS(my_linger, time, "time", stored::Count<1>),
};

template <>
struct baresock::Codec<Halves> {
  using Value = int;
  using Argument = int;

  static Result<int> get(const Socket &socket, int level, int number) noexcept {
    auto value = Codec<int>::get(socket, level, number);
    return value ? Result<int>(*value / 2) : value;
  }
  static Result<void> set(const Socket &socket, int level, int number, int value) noexcept {
    return Codec<int>::set(socket, level, number, 2 * value);
  }
};

using namespace baresock;
using namespace baresock::stored; // as the rows of options.def are written

namespace {

constexpr Option<my_linger> mine_linger{SOL_SOCKET, SO_LINGER, "MINE_LINGER"};
constexpr Option<Halves> mine_priority{SOL_SOCKET, SO_PRIORITY, "MINE_PRIORITY"};

using Value = OptionValue;
using Layout = ValueType::Layout;

std::string text_of(TextView text) { return {text.data(), text.size()}; }

std::string printed(const Value &value) {
  auto text = value.printed();
  return text ? text_of(text->text()) : "out of memory";
}

std::string error_of(const Error &error) {
  return std::string(operation_name(error.operation())) + " " + error.name();
}

const OptionInfo &named(const char *name) {
  const OptionInfo *option = find_option(name);
  REQUIRE(option != nullptr);
  return *option;
}

unsigned loopback_index() { return VALUE(Interface::from_name("lo")).index(); }

/// Copies a value: OptionValue itself can only be moved.
Value copy_of(const Value &value) {
  switch (value.kind()) {
  case Value::Kind::none:
  case Value::Kind::descriptor:
    return {};
  case Value::Kind::boolean:
    return *value.boolean();
  case Value::Kind::integer:
    if (value.negative())
      return *value.integer();
    return *value.unsigned_integer();
  case Value::Kind::duration:
    return *value.duration();
  case Value::Kind::text:
    return *value.text();
  case Value::Kind::bytes:
    return Value::bytes(*value.bytes());
  case Value::Kind::address:
    return *value.address();
  case Value::Kind::record:
  case Value::Kind::list:
    break;
  case Value::Kind::failed:
    return Value::failed();
  }
  Value copy = value.kind() == Value::Kind::record ? Value::record() : Value::list();
  for (std::size_t i = 0; i < value.size(); ++i)
    if (value.kind() == Value::Kind::record)
      copy.set(value.name(i), copy_of(value[i]));
    else
      copy.append(copy_of(value[i]));
  return copy;
}

// --- what options.def says, told a second time ----------------------------------------------------------

/// The bytes that the kernel's value has; 0: it depends.
template <class T>
constexpr std::size_t wire = sizeof(T);
template <>
constexpr std::size_t wire<bool> = 4;
template <>
constexpr std::size_t wire<Interface> = 4;
template <class T>
constexpr std::size_t wire<stored::NetworkOrder<T>> = 4;
template <long long PerSecond>
constexpr std::size_t wire<Duration<PerSecond>> = 4;
template <class Int>
constexpr std::size_t wire<stored::TimevalOf<Int>> = 2 * sizeof(Int);
template <>
constexpr std::size_t wire<Linger> = 8;
template <>
constexpr std::size_t wire<PortRange> = 4;
template <>
constexpr std::size_t wire<stored::PeerCredentials> = 12;
template <>
constexpr std::size_t wire<FileDescriptor> = 4;
template <class Get, class Set>
constexpr std::size_t wire<stored::GetSet<Get, Set>> = wire<Get>;
template <>
constexpr std::size_t wire<Bytes> = 0;
template <>
constexpr std::size_t wire<stored::Label> = 0;
template <>
constexpr std::size_t wire<stored::Name> = 0;
template <>
constexpr std::size_t wire<stored::Filter> = 0;
template <>
constexpr std::size_t wire<SocketAddress> = 0;
template <class T>
constexpr std::size_t wire<List<T>> = 0;
template <class T>
constexpr std::size_t wire<Partial<T>> = 0;
template <class T>
constexpr std::size_t wire<stored::Subflows<T>> = 0;
// What cannot be got, or not without a question.
template <>
constexpr std::size_t wire<stored::Program> = 0;
template <>
constexpr std::size_t wire<stored::None> = 0;
template <>
constexpr std::size_t wire<stored::Empty> = 0;
template <>
constexpr std::size_t wire<stored::Size> = 0;
template <>
constexpr std::size_t wire<stored::AoKeys> = 0;
template <>
constexpr std::size_t wire<stored::PeeledOff> = 0;
template <class T>
constexpr std::size_t wire<stored::InOut<T>> = 0;
template <class Address, class Via>
constexpr std::size_t wire<SourceFilter<Address, Via>> = 0;

/// May the fields at the end of what is set be missing?
template <class T>
constexpr bool partial = false;
template <class T>
constexpr bool partial<Partial<T>> = true;

template <class T>
T as(const unsigned char *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// The kernel's bytes as a value, of the simple types; nothing of the others.
template <class T>
struct Decoded {
  static std::optional<Value> from(const unsigned char *bytes) {
    if constexpr (std::is_integral_v<T>)
      return as<T>(bytes);
    else
      return {};
  }
};
template <>
struct Decoded<bool> {
  static std::optional<Value> from(const unsigned char *bytes) { return as<int>(bytes) != 0; }
};
template <>
struct Decoded<Interface> {
  static std::optional<Value> from(const unsigned char *bytes) { return as<unsigned>(bytes); }
};
template <>
struct Decoded<stored::NetworkOrder<Interface>> {
  static std::optional<Value> from(const unsigned char *bytes) {
    return bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
  }
};
template <long long PerSecond>
struct Decoded<Duration<PerSecond>> {
  static std::optional<Value> from(const unsigned char *bytes) {
    return Nanoseconds(as<int>(bytes) * (1'000'000'000 / PerSecond));
  }
};
template <class Int>
struct Decoded<stored::TimevalOf<Int>> {
  static std::optional<Value> from(const unsigned char *bytes) {
    return Nanoseconds(as<Int>(bytes) * 1'000'000'000LL + as<Int>(bytes + sizeof(Int)) * 1000LL);
  }
};
template <>
struct Decoded<Linger> {
  static std::optional<Value> from(const unsigned char *bytes) {
    return Value::record().set("onoff", as<int>(bytes) != 0).set("linger", Seconds(as<int>(bytes + 4)));
  }
};
template <>
struct Decoded<PortRange> {
  static std::optional<Value> from(const unsigned char *bytes) {
    const unsigned both = as<unsigned>(bytes);
    return Value::record().set("lower", both & 0xffff).set("upper", both >> 16);
  }
};
template <>
struct Decoded<stored::PeerCredentials> {
  static std::optional<Value> from(const unsigned char *bytes) {
    return Value::record()
        .set("pid", as<int>(bytes))
        .set("uid", as<unsigned>(bytes + 4))
        .set("gid", as<unsigned>(bytes + 8));
  }
};
template <>
struct Decoded<in_addr> {
  static std::optional<Value> from(const unsigned char *bytes) {
    return SocketAddress(
        Inet4Address{static_cast<std::uint32_t>(bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3])});
  }
};
template <class Get, class Set>
struct Decoded<stored::GetSet<Get, Set>> : Decoded<Get> {};

template <class T>
std::optional<Value> shown(const T &value) {
  if constexpr (std::is_integral_v<T>)
    return value;
  else if constexpr (std::is_convertible_v<T, Nanoseconds>)
    return Nanoseconds(value);
  else if constexpr (std::is_same_v<T, Interface>)
    return value.index();
  else if constexpr (std::is_same_v<T, Text<16>>)
    return TextView(value);
  else if constexpr (std::is_same_v<T, Linger>)
    return Value::record().set("onoff", value.on).set("linger", value.time);
  else if constexpr (std::is_same_v<T, PortRange>)
    return Value::record().set("lower", value.lower).set("upper", value.upper);
  else if constexpr (std::is_same_v<T, ucred>)
    return Value::record().set("pid", value.pid).set("uid", value.uid).set("gid", value.gid);
  else if constexpr (std::is_same_v<T, in_addr>)
    return SocketAddress(Inet4Address{ntohl(value.s_addr)});
  else
    return {};
}

/// What the typed call gives, of the simple types.
template <class T, Access A>
std::optional<Value> typed(const Socket &socket, const Option<T, A> &option) {
  if constexpr (can_get(A)) {
    auto value = socket.getsockopt(option);
    if (value)
      return shown(*value);
  }
  return {};
}

struct Row {
  const char *name;
  const char *level_name;
  int level;
  int number;
  Access access;
  std::size_t wire;
  bool partial;
  std::optional<Value> (*decoded)(const unsigned char *);
  std::optional<Value> (*typed)(const Socket &);
};

const Row rows[] = {
#define OPTION(ns, identifier, level_, constant, number_, access_, sockets, ...)                                     \
  {#constant,                                                                                                        \
   #level_,                                                                                                          \
   detail::level::level_,                                                                                            \
   number_,                                                                                                          \
   Access::access_,                                                                                                  \
   wire<__VA_ARGS__>,                                                                                                \
   partial<__VA_ARGS__>,                                                                                             \
   Decoded<__VA_ARGS__>::from,                                                                                       \
   [](const Socket &socket) { return typed(socket, ns::identifier); }},
#include <baresock/options.def>
};

const Row &row_of(const OptionInfo &option) { return rows[&option - options().data()]; }

/// What can be done without a value of the kernel's: a value that the description of a type promises to accept.
Value zero_of(const ValueType &type) {
  switch (type.kind) {
  case Value::Kind::boolean:
    return false;
  case Value::Kind::integer:
    return 0;
  case Value::Kind::duration:
    return Seconds(0);
  case Value::Kind::text:
    return "";
  case Value::Kind::bytes:
    return Value::bytes({});
  case Value::Kind::address:
    if (type.layout == Layout::in6_addr)
      return SocketAddress(Inet6Address{});
    return SocketAddress(Inet4Address{});
  case Value::Kind::record: {
    Value made = Value::record();
    for (std::uint32_t i = 0; i < type.field_count; ++i)
      made.set(type.fields[i].name, zero_of(type.fields[i].type));
    return made;
  }
  case Value::Kind::list: {
    Value made = Value::list();
    for (std::uint32_t i = 0; type.size != 0 && i < type.size / type.element->size; ++i)
      made.append(zero_of(*type.element));
    return made;
  }
  case Value::Kind::none:
  case Value::Kind::descriptor:
  case Value::Kind::failed:
    break;
  }
  return {};
}

/// One value of each kind that is not of `type`.
std::vector<Value> wrong_for(const ValueType &type) {
  using Kind = Value::Kind;
  std::vector<Value> wrong;
  const auto offer = [&](Value value, std::initializer_list<Kind> accepted) {
    for (Kind kind : accepted)
      if (kind == type.kind)
        return;
    if (!(type.layout == Layout::interface && value.kind() == Kind::text))
      wrong.push_back(std::move(value));
  };
  offer(Value(), {Kind::none});
  offer(true, {Kind::boolean});
  offer(5, {Kind::integer, Kind::boolean});
  offer(Seconds(5), {Kind::duration});
  offer("5", {Kind::text, Kind::bytes, Kind::address});
  offer(Value::bytes("5"), {Kind::bytes});
  offer(SocketAddress(Inet4Address{}), {Kind::address});
  offer(Value::record().set("onoff", 5).set("nothing", 5), {});
  offer(Value::list().append(Value()), {});
  offer(Value(FileDescriptor()), {});
  return wrong;
}

// --- sockets ---------------------------------------------------------------------------------------------

/// A way to make a socket.
struct Kind {
  const char *name;
  int domain;
  int type;
  int protocol = 0;
  bool connected = false; // to a peer
  bool foreign = false;   // no kernel with it was at hand: what it refuses is only counted
  bool generic = true;    // options of SOL_SOCKET, too; closing a packet socket takes the kernel 10 ms
};

struct Family {
  std::string name;
  std::vector<Kind> kinds;
};

const Family families[] = {
    {"TCP",
     {{"TCP", AF_INET, SOCK_STREAM},
      {"TCP over IPv6", AF_INET6, SOCK_STREAM},
      {"connected TCP", AF_INET, SOCK_STREAM, 0, true},
      {"connected TCP over IPv6", AF_INET6, SOCK_STREAM, 0, true}}},
    {"UDP", {{"UDP", AF_INET, SOCK_DGRAM}, {"UDP over IPv6", AF_INET6, SOCK_DGRAM}}},
    {"UDP-Lite",
     {{"UDP-Lite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
      {"UDP-Lite over IPv6", AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE}}},
    {"MPTCP",
     {{"MPTCP", AF_INET, SOCK_STREAM, IPPROTO_MPTCP},
      {"MPTCP over IPv6", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP},
      {"connected MPTCP", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, true},
      {"connected MPTCP over IPv6", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP, true}}},
    {"ping",
     {{"ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP, false, true},
      {"ping over IPv6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, false, true}}},
    {"raw IP",
     {{"raw IP", AF_INET, SOCK_RAW, 253},
      {"raw IPv6", AF_INET6, SOCK_RAW, 253},
      {"bare IP", AF_INET, SOCK_RAW, IPPROTO_RAW},
      {"bare IPv6", AF_INET6, SOCK_RAW, IPPROTO_RAW},
      {"ICMP", AF_INET, SOCK_RAW, IPPROTO_ICMP},
      {"ICMPv6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6}}},
    {"Unix",
     {{"Unix stream", AF_UNIX, SOCK_STREAM},
      {"Unix datagram", AF_UNIX, SOCK_DGRAM},
      {"Unix seqpacket", AF_UNIX, SOCK_SEQPACKET},
      {"Unix stream pair", AF_UNIX, SOCK_STREAM, 0, true},
      {"Unix datagram pair", AF_UNIX, SOCK_DGRAM, 0, true},
      {"Unix seqpacket pair", AF_UNIX, SOCK_SEQPACKET, 0, true}}},
    {"packet",
     {{"raw packet", AF_PACKET, SOCK_RAW},
      {"packet", AF_PACKET, SOCK_DGRAM, 0, false, false, false},
      {"packet of a protocol", AF_PACKET, SOCK_RAW, htons(0x88b5), false, false, false}}}, // ETH_P_802_EX1
    {"netlink", {{"netlink", AF_NETLINK, SOCK_RAW}, {"generic netlink", AF_NETLINK, SOCK_DGRAM, 16}}},
    {"vsock", {{"vsock stream", AF_VSOCK, SOCK_STREAM}, {"vsock seqpacket", AF_VSOCK, SOCK_SEQPACKET}}},
    {"XDP", {{"XDP", AF_XDP, SOCK_RAW}}},
    {"SCTP",
     {{"SCTP", AF_INET, SOCK_STREAM, IPPROTO_SCTP, false, true},
      {"SCTP one to many", AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP, false, true}}},
    {"DCCP", {{"DCCP", AF_INET, SOCK_DCCP, IPPROTO_DCCP, false, true}}},
    {"CAN",
     {{"raw CAN", AF_CAN, SOCK_RAW, 1, false, true},
      {"ISO-TP", AF_CAN, SOCK_DGRAM, 6, false, true},
      {"J1939", AF_CAN, SOCK_DGRAM, 7, false, true}}},
    {"TIPC", {{"TIPC", AF_TIPC, SOCK_STREAM, 0, false, true}}},
    {"ALG", {{"ALG", AF_ALG, SOCK_SEQPACKET, 0, false, true}}},
    {"SMC", {{"SMC", AF_SMC, SOCK_STREAM, 0, false, true}}},
    {"KCM", {{"KCM", AF_KCM, SOCK_DGRAM, 0, false, true}}},
    {"RDS", {{"RDS", AF_RDS, SOCK_SEQPACKET, 0, false, true}}},
    {"MCTP", {{"MCTP", AF_MCTP, SOCK_DGRAM, 0, false, true}}},
    {"RxRPC", {{"RxRPC", AF_RXRPC, SOCK_DGRAM, AF_INET, false, true}}},
    {"LLC", {{"LLC", AF_LLC, SOCK_DGRAM, 0, false, true}}},
    {"PPPoL2TP", {{"PPPoL2TP", AF_PPPOX, SOCK_DGRAM, 1, false, true}}},
    {"Phonet", {{"Phonet pipe", AF_PHONET, SOCK_SEQPACKET, 0, false, true}}},
    {"CAIF", {{"CAIF", AF_CAIF, SOCK_STREAM, 0, false, true}}},
    {"NFC", {{"NFC", AF_NFC, SOCK_STREAM, 1, false, true}}},
    {"AX.25", {{"AX.25", AF_AX25, SOCK_SEQPACKET, 0, false, true}}},
    {"NET/ROM", {{"NET/ROM", AF_NETROM, SOCK_SEQPACKET, 0, false, true}}},
    {"ROSE", {{"ROSE", AF_ROSE, SOCK_SEQPACKET, 0, false, true}}},
    {"X.25", {{"X.25", AF_X25, SOCK_SEQPACKET, 0, false, true}}},
};

struct Made {
  Socket socket;
  Socket peer; // if there is one
};

Result<Made> make(const Kind &kind) {
  if (!kind.connected) {
    auto socket = Socket::socket(kind.domain, kind.type, kind.protocol);
    if (!socket)
      return std::unexpected(socket.error());
    return Made{std::move(*socket), Socket()};
  }
  if (kind.domain == AF_UNIX) {
    auto both = Socket::socketpair(kind.domain, kind.type);
    if (!both)
      return std::unexpected(both.error());
    return Made{std::move(both->first), std::move(both->second)};
  }
  auto listener = Socket::socket(kind.domain, kind.type, kind.protocol);
  auto client = Socket::socket(kind.domain, kind.type, kind.protocol);
  if (!listener || !client)
    return std::unexpected(listener ? client.error() : listener.error());
  const SocketAddress any =
      kind.domain == AF_INET ? SocketAddress(Inet4Address{INADDR_LOOPBACK}) : Inet6Address{in6addr_loopback};
  if (auto bound = listener->bind(any); !bound)
    return std::unexpected(bound.error());
  VALUE(listener->listen());
  VALUE(client->connect(VALUE(listener->getsockname())));
  return Made{std::move(*client), VALUE(listener->accept())};
}

bool kernel_is(int major, int minor) {
  utsname system = {};
  REQUIRE(::uname(&system) == 0);
  int has_major = 0;
  int has_minor = 0;
  REQUIRE(std::sscanf(system.release, "%d.%d", &has_major, &has_minor) == 2);
  return has_major != major ? has_major > major : has_minor >= minor;
}

/// May this process do what needs CAP_NET_ADMIN and CAP_NET_RAW, outside of user namespaces, too?
bool privileged() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t first = 1;
  std::uint64_t outside = 1;
  std::uint64_t count = 0;
  map >> first >> outside >> count;
  if (first != 0 || outside != 0 || count != UINT32_MAX)
    return false;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("CapEff:", 0) == 0) {
      const auto capabilities = std::stoull(line.substr(7), nullptr, 16);
      return (capabilities >> 12 & 3) == 3;
    }
  return false;
}

// --- what this kernel may refuse --------------------------------------------------------------------------

/// Options that came after Linux 5.10.
const std::set<std::string> newer_options = {
    "IPV6_ROUTER_ALERT_ISOLATE",
    "IP_LOCAL_PORT_RANGE",
    "IP_PROTOCOL",
    "IP_ROUTER_ALERT", // to get it
    "MPTCP_FULL_INFO",
    "MPTCP_INFO",
    "MPTCP_SUBFLOW_ADDRS",
    "MPTCP_TCPINFO",
    "PACKET_COPY_THRESH", // to get it
    "PACKET_VNET_HDR_SZ",
    "SO_BUF_LOCK",
    "SO_BUSY_POLL_BUDGET",
    "SO_DEVMEM_DONTNEED",
    "SO_INQ",
    "SO_NETNS_COOKIE",
    "SO_PASSPIDFD",
    "SO_PASSRIGHTS",
    "SO_PEEK_OFF", // of TCP
    "SO_PEERPIDFD",
    "SO_PREFER_BUSY_POLL",
    "SO_RCVMARK",
    "SO_RCVPRIORITY",
    "SO_RESERVE_MEM",
    "SO_TXREHASH",
    "SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW",
    "SO_ZEROCOPY", // of AF_VSOCK
    "TCP_DELACK_MAX_US",
    "TCP_IS_MPTCP",
    "TCP_RTO_MAX_MS",
    "TCP_RTO_MIN_US",
    "XDP_MAX_TX_SKB_BUDGET",
};

/// Options of parts that a kernel can be built without, or loads only when somebody asks for them.
const std::set<std::string> optional_options = {
    "IP6T_SO_ORIGINAL_DST",   // netfilter
    "IPV6_IPSEC_POLICY",      // AF_KEY
    "IPV6_XFRM_POLICY",       // XFRM
    "IP_IPSEC_POLICY",        //
    "IP_XFRM_POLICY",         //
    "SO_BUSY_POLL",           // busy polling
    "SO_BUSY_POLL_BUDGET",    //
    "SO_INCOMING_NAPI_ID",    //
    "SO_ORIGINAL_DST",        // netfilter
    "SO_PEERSEC",             // a security module with labels
    "SO_PREFER_BUSY_POLL",    // busy polling
    "SO_RESERVE_MEM",         // memory cgroups
    "TCP_AO_ADD_KEY",         // TCP-AO
    "TCP_AO_DEL_KEY",         //
    "TCP_AO_GET_KEYS",        //
    "TCP_AO_INFO",            //
    "TCP_AO_REPAIR",          //
    "TCP_MD5SIG",             // MD5 signatures
    "TCP_MD5SIG_EXT",         //
    "TLS_RX",                 // kTLS, and then only after TCP_ULP
    "TLS_RX_EXPECT_NO_PAD",   //
    "TLS_TX",                 //
    "TLS_TX_MAX_PAYLOAD_LEN", //
    "TLS_TX_ZEROCOPY_RO",     //
};

bool anywhere(const Kind &) { return true; }
bool connected(const Kind &kind) { return kind.connected; }
bool unconnected(const Kind &kind) { return !kind.connected; }
bool no_peer(const Kind &kind) { return !(kind.domain == AF_UNIX && kind.connected); }
bool stream(const Kind &kind) { return kind.type == SOCK_STREAM; }
bool no_stream(const Kind &kind) { return kind.type != SOCK_STREAM; }
bool raw(const Kind &kind) { return kind.type == SOCK_RAW; }
bool raw_or_connected(const Kind &kind) { return raw(kind) || connected(kind); }
bool mptcp(const Kind &kind) { return kind.protocol == IPPROTO_MPTCP; }
bool connected_mptcp(const Kind &kind) { return mptcp(kind) && connected(kind); }
bool not_mptcp(const Kind &kind) { return !mptcp(kind); }
bool icmp6(const Kind &kind) { return raw(kind) && kind.protocol == IPPROTO_ICMPV6; }

enum class Step { get, set, differs, stuck, wire, set_of_read_only, get_of_set_only };

struct Refusal {
  Step step;
  const char *option; // of those whose names end in *, all that begin so
  bool (*where)(const Kind &);
  int code;
  const char *reason;
};

const Refusal refusals[] = {
    {Step::get, "IP_MTU", unconnected, ENOTCONN, "known of a route only"},
    {Step::get, "IPV6_MTU", unconnected, ENOTCONN, "known of a route only"},
    {Step::get, "IPV6_PATHMTU", unconnected, ENOTCONN, "known of a route only"},
    {Step::get, "IPV6_ADDRFORM", unconnected, ENOTCONN, "of connections"},
    {Step::get, "IPV6_ADDRFORM", raw, ENOPROTOOPT, "of TCP and UDP only"},
    {Step::get, "IPV6_2292PKTOPTIONS", no_stream, ENOPROTOOPT, "got of streams only"},
    {Step::get, "SO_PEERCRED", no_peer, ENODATA, "without a peer that the kernel knows, our own"},
    {Step::get, "SO_PEERGROUPS", no_peer, ENODATA, "without a peer that the kernel knows"},
    {Step::get, "SO_PEERPIDFD", no_peer, ENODATA, "without a peer that the kernel knows"},
    {Step::get, "SO_PEERPIDFD", connected, ESRCH, "kernels before 6.16, of a peer that is gone"},
    {Step::get, "SO_ORIGINAL_DST", anywhere, ENOENT, "nothing was redirected"},
    {Step::get, "IP6T_SO_ORIGINAL_DST", anywhere, ENOENT, "nothing was redirected"},
    {Step::get, "TCP_QUEUE_SEQ", anywhere, EINVAL, "in repair mode only"},
    {Step::get, "TCP_REPAIR_QUEUE", anywhere, EINVAL, "in repair mode only"},
    {Step::get, "TCP_REPAIR_WINDOW", anywhere, EPERM, "in repair mode only"},
    {Step::get, "TCP_AO_*", anywhere, ENOENT, "no key was added"},
    {Step::get, "TCP_AO_REPAIR", anywhere, EPERM, "in repair mode only"},
    {Step::get, "PACKET_ROLLOVER_STATS", anywhere, EINVAL, "of a fanout group only"},
    {Step::get, "IPV6_FLOWLABEL_MGR", anywhere, ENOENT, "nothing is sent with a label"},

    {Step::set, "IP_MULTICAST_IF", anywhere, EINVAL, "got as in_addr, set as ip_mreqn"},
    {Step::set, "IP_ROUTER_ALERT", anywhere, ENOBUFS, "there was nothing to switch off"},
    {Step::set, "IP_ROUTER_ALERT", raw, EINVAL, "not of IPPROTO_RAW"},
    {Step::set, "IPV6_ROUTER_ALERT", anywhere, EINVAL, "got as bool, set as int"},
    {Step::set, "IPV6_V6ONLY", raw_or_connected, EINVAL, "before bind(2), and not of raw sockets"},
    {Step::set, "IPV6_CHECKSUM", icmp6, EINVAL, "fixed"},
    {Step::set, "IPV6_ADDRFORM", connected, EINVAL, "to AF_INET only"},
    {Step::set, "TCP_FASTOPEN_KEY", anywhere, EINVAL, "there is none, and none cannot be set"},
    {Step::set, "TCP_FASTOPEN", connected, EINVAL, "before the connection"},
    {Step::set, "TCP_FASTOPEN_CONNECT", connected, EINVAL, "before the connection"},
    {Step::set, "TCP_FASTOPEN_NO_COOKIE", connected, EINVAL, "before the connection"},
    {Step::set, "TCP_TIMESTAMP", anywhere, EPERM, "in repair mode only"},
    {Step::set, "TCP_QUEUE_SEQ", connected, EPERM, "before the connection"},
    {Step::set, "TCP_ULP", not_mptcp, EINVAL, "there is none, and none cannot be set"},
    {Step::set, "PACKET_VNET_HDR", no_stream, EINVAL, "of SOCK_RAW only"},
    {Step::set, "PACKET_VNET_HDR_SZ", no_stream, EINVAL, "of SOCK_RAW only"},
    {Step::set, "SO_BINDTO*", connected_mptcp, EINVAL, "before the connection"},
    {Step::set, "SO_REUSE*", connected_mptcp, EINVAL, "before the connection"},
    {Step::set, "IP_*", connected_mptcp, EINVAL, "before the connection"},
    {Step::set, "IPV6_*", connected_mptcp, EINVAL, "before the connection"},

    {Step::set, "SO_ATTACH_BPF", anywhere, EBADF, "no program"},
    {Step::set, "SO_ATTACH_REUSEPORT_EBPF", not_mptcp, EBADF, "no program"},
    {Step::set, "SO_ATTACH_REUSEPORT_*", raw_or_connected, EINVAL, "in no group"},
    {Step::set, "SO_DEVMEM_DONTNEED", anywhere, EBADF, "no device memory"},
    {Step::set, "IP_IPSEC_POLICY", anywhere, EMSGSIZE, "no policy"},
    {Step::set, "IP_XFRM_POLICY", anywhere, EMSGSIZE, "no policy"},
    {Step::set, "IPV6_IPSEC_POLICY", anywhere, EMSGSIZE, "no policy"},
    {Step::set, "IPV6_XFRM_POLICY", anywhere, EMSGSIZE, "no policy"},
    {Step::set, "IPV6_ADD_MEMBERSHIP", stream, EPROTO, "not of streams"},
    {Step::set, "IPV6_JOIN_GROUP", stream, EPROTO, "not of streams"},
    {Step::set, "IPV6_JOIN_ANYCAST", anywhere, EADDRNOTAVAIL, "no router"},
    {Step::set, "IPV6_LEAVE_ANYCAST", anywhere, ENOENT, "was not joined"},
    {Step::set, "TCP_REPAIR_OPTIONS", unconnected, EPERM, "of connections"},
    {Step::set, "TCP_AO_*", anywhere, EINVAL, "zeros are no key"},
    {Step::set, "PACKET_FANOUT*", anywhere, EINVAL, "without a protocol"},
    {Step::set, "XDP_UMEM_REG", anywhere, EINVAL, "addresses cannot be told at run time"},

    {Step::stuck, "SO_BSDCOMPAT", anywhere, 0, "nothing since Linux 2.6"},
    {Step::stuck, "TCP_THIN_DUPACK", anywhere, 0, "nothing since Linux 4.11"},
    {Step::stuck, "SO_*", mptcp, 0, "set of the subflows, got of the connection"},

    {Step::differs, "SO_RCVBUF", anywhere, 0, "doubled"},
    {Step::differs, "SO_SNDBUF", anywhere, 0, "doubled"},

    {Step::wire, "SO_NETNS_COOKIE", anywhere, EINVAL, "wants room for 8 bytes and no more"},
    {Step::wire, "TCP_REPAIR_WINDOW", anywhere, EINVAL, "wants room for 20 bytes and no more"},
    {Step::wire, "TLS_TX_ZEROCOPY_RO", anywhere, EINVAL, "wants room for 4 bytes and no more"},

    {Step::get_of_set_only, "SO_ATTACH_FILTER", anywhere, 0, "the number of SO_GET_FILTER"},
};

bool is_named(const char *pattern, const std::string &name) {
  const std::string wanted = pattern;
  return wanted.back() == '*' ? name.rfind(wanted.substr(0, wanted.size() - 1), 0) == 0 : name == wanted;
}

bool may_be_absent(const OptionInfo &option) {
  return optional_options.contains(option.name) || (newer_options.contains(option.name) && !kernel_is(6, 18));
}

/// Is that known, of these sockets?
bool excused(Step step, const OptionInfo &option, const Kind &kind, int code = 0) {
  if (kind.foreign)
    return true;
  if ((step == Step::get || step == Step::set) && (code == ENOPROTOOPT || code == EOPNOTSUPP) &&
      may_be_absent(option))
    return true;
  if (step == Step::set && (code == EPERM || code == EACCES) && !privileged())
    return true;
  for (const Refusal &refusal : refusals)
    if (refusal.step == step && refusal.code == code && is_named(refusal.option, option.name) && refusal.where(kind))
      return true;
  return false;
}

// --- values for what can only be set, or asked -------------------------------------------------------------

/// A value to set or a question, and what has to be set before. Of an option that can be got, only that.
struct Example {
  Value value;
  std::vector<std::pair<const char *, Value>> before;
};

Value accept_all() {
  return Value::list().append(Value::record().set("code", BPF_RET | BPF_K).set("jt", 0).set("jf", 0).set("k", 65535));
}

/// eBPF, of all sockets that ask for it; -1 if this process may not load any.
const FileDescriptor &bpf_program() {
  static const FileDescriptor program = [] {
    const bpf_insn code[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    const char license[] = "GPL";
    bpf_attr attributes = {};
    attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attributes.insn_cnt = 2;
    attributes.insns = reinterpret_cast<std::uintptr_t>(code);
    attributes.license = reinterpret_cast<std::uintptr_t>(license);
    return FileDescriptor(static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes)));
  }();
  return program;
}

Value group(int level) { return level == IPPROTO_IP ? "239.1.2.3" : "ff02::1:2345"; }
Value source(int level) { return level == IPPROTO_IP ? "127.0.0.1" : "::1"; }
Value group_req_value(int level) {
  return Value::record().set("interface", loopback_index()).set("group", group(level));
}
Value group_source_req_value(int level) { return group_req_value(level).set("source", source(level)); }
Value mreqn() {
  return Value::record().set("multiaddr", "239.1.2.3").set("address", "0.0.0.0").set("ifindex", loopback_index());
}
Value mreq_source() {
  return Value::record().set("multiaddr", "239.1.2.3").set("interface", "127.0.0.1").set("sourceaddr", "127.0.0.1");
}
Value ipv6_mreq_value(const char *group) {
  return Value::record().set("multiaddr", group).set("interface", loopback_index());
}
Value source_filter(const OptionInfo &option) {
  Value interface = loopback_index();
  if (std::string("IP_MSFILTER") == option.name)
    interface = "127.0.0.1";
  return Value::record().set("group", group(option.level)).set("interface", std::move(interface));
}
Value signature(int domain, unsigned flags) {
  return Value::record()
      .set("addr", source(domain == AF_INET ? IPPROTO_IP : IPPROTO_IPV6))
      .set("flags", flags)
      .set("prefixlen", flags == 0 ? 0 : 32)
      .set("keylen", 3)
      .set("ifindex", 0)
      .set("key", "key");
}
Value ring() {
  const long page = ::sysconf(_SC_PAGESIZE);
  return Value::record()
      .set("block_size", page)
      .set("block_nr", 1)
      .set("frame_size", page / 2)
      .set("frame_nr", 2)
      .set("retire_blk_tov", Milliseconds(0))
      .set("sizeof_priv", 0)
      .set("feature_req_word", 0);
}
Value fanout(unsigned mode) { // PACKET_FANOUT_FLAG_UNIQUEID
  return Value::record().set("id", 0).set("type_flags", 0x2000 | mode).set("max_num_members", 0);
}
Value flow_label(unsigned flags) {
  return Value::record()
      .set("dst", "::1")
      .set("label", 0)
      .set("action", 0) // IPV6_FL_A_GET
      .set("share", 1)  // IPV6_FL_S_EXCL
      .set("flags", flags)
      .set("expires", Seconds(0))
      .set("linger", Seconds(0));
}
Value packet_member() {
  return Value::record()
      .set("interface", "lo")
      .set("type", 1) // PACKET_MR_PROMISC
      .set("alen", 0)
      .set("address", Value::bytes({}));
}

using Before = std::pair<const char *, Value>;
template <class... More>
Example example(Value value, More... before) {
  Example made{std::move(value), {}};
  (made.before.emplace_back(std::move(before)), ...);
  return made;
}

std::optional<Example> example_of(const OptionInfo &option, const Kind &kind) {
  const std::string name = option.name;
  const auto join = [&] { return Before("MCAST_JOIN_GROUP", group_req_value(option.level)); };
  const auto join_source = [&] { return Before("MCAST_JOIN_SOURCE_GROUP", group_source_req_value(option.level)); };
  const auto block = [&] { return Before("MCAST_BLOCK_SOURCE", group_source_req_value(option.level)); };
  const auto sharing = [] { return Before("SO_REUSEPORT", true); };
  if (name == "SO_ATTACH_BPF")
    return example(bpf_program().fd());
  if (name == "SO_ATTACH_REUSEPORT_EBPF")
    return example(bpf_program().fd(), sharing());
  if (name == "SO_ATTACH_FILTER")
    return example(accept_all());
  if (name == "SO_DETACH_FILTER" || name == "SO_DETACH_BPF")
    return example({}, Before("SO_ATTACH_FILTER", accept_all()));
  if (name == "SO_ATTACH_REUSEPORT_CBPF")
    return example(accept_all(), sharing());
  if (name == "SO_DETACH_REUSEPORT_BPF")
    return example({}, sharing(), Before("SO_ATTACH_REUSEPORT_CBPF", accept_all()));
  if (name == "SO_BUSY_POLL_BUDGET" || name == "SO_CNX_ADVICE")
    return example(1);
  if (name == "SO_DEVMEM_DONTNEED")
    return example(Value::list().append(Value::record().set("start", 0).set("count", 1)));
  if (name == "SO_INQ")
    return example(true);
  if (name == "SO_RCVBUFFORCE" || name == "SO_SNDBUFFORCE")
    return example(8192);
  if (name == "IP_ADD_MEMBERSHIP")
    return example(mreqn());
  if (name == "IP_DROP_MEMBERSHIP")
    return example(mreqn(), Before("IP_ADD_MEMBERSHIP", mreqn()));
  if (name == "IP_ADD_SOURCE_MEMBERSHIP")
    return example(mreq_source());
  if (name == "IP_DROP_SOURCE_MEMBERSHIP")
    return example(mreq_source(), Before("IP_ADD_SOURCE_MEMBERSHIP", mreq_source()));
  if (name == "IP_BLOCK_SOURCE")
    return example(mreq_source(), join());
  if (name == "IP_UNBLOCK_SOURCE")
    return example(mreq_source(), join(), Before("IP_BLOCK_SOURCE", mreq_source()));
  if (name.ends_with("_IPSEC_POLICY") || name.ends_with("_XFRM_POLICY"))
    return example(Value::bytes({}));
  if (name == "IP_MSFILTER" || name == "MCAST_MSFILTER")
    return example(
        source_filter(option).set("mode", MCAST_EXCLUDE).set("sources", Value::list().append(source(option.level))),
        join());
  if (name == "MCAST_JOIN_GROUP")
    return example(group_req_value(option.level));
  if (name == "MCAST_LEAVE_GROUP")
    return example(group_req_value(option.level), join());
  if (name == "MCAST_JOIN_SOURCE_GROUP")
    return example(group_source_req_value(option.level));
  if (name == "MCAST_LEAVE_SOURCE_GROUP")
    return example(group_source_req_value(option.level), join_source());
  if (name == "MCAST_BLOCK_SOURCE")
    return example(group_source_req_value(option.level), join());
  if (name == "MCAST_UNBLOCK_SOURCE")
    return example(group_source_req_value(option.level), join(), block());
  if (name == "IPV6_JOIN_GROUP" || name == "IPV6_ADD_MEMBERSHIP")
    return example(ipv6_mreq_value("ff02::1:2345"));
  if (name == "IPV6_LEAVE_GROUP" || name == "IPV6_DROP_MEMBERSHIP")
    return example(ipv6_mreq_value("ff02::1:2345"), Before("IPV6_JOIN_GROUP", ipv6_mreq_value("ff02::1:2345")));
  if (name == "IPV6_JOIN_ANYCAST" || name == "IPV6_LEAVE_ANYCAST")
    return example(ipv6_mreq_value("fd00::"));
  if (name == "IPV6_PKTINFO")
    return example(Value::record().set("addr", "::").set("interface", 0));
  if (name == "IPV6_FLOWLABEL_MGR")
    return example(flow_label(1)); // IPV6_FL_F_CREATE
  if (name == "TCP_MD5SIG")
    return example(signature(kind.domain, 0));
  if (name == "TCP_MD5SIG_EXT")
    return example(signature(kind.domain, 1));
  if (name == "TCP_REPAIR_OPTIONS")
    return example(Value::list().append(Value::record().set("code", 2).set("val", 1400)), Before("TCP_REPAIR", 1));
  if (name == "TCP_QUEUE_SEQ") // got
    return example({}, Before("TCP_REPAIR", 1), Before("TCP_REPAIR_QUEUE", 1));
  if (name == "TCP_REPAIR_QUEUE" || name == "TCP_REPAIR_WINDOW")
    return example({}, Before("TCP_REPAIR", 1));
  if (name == "PACKET_ADD_MEMBERSHIP")
    return example(packet_member());
  if (name == "PACKET_DROP_MEMBERSHIP")
    return example(packet_member(), Before("PACKET_ADD_MEMBERSHIP", packet_member()));
  if (name == "PACKET_FANOUT_DATA")
    return example(accept_all(), Before("PACKET_FANOUT", fanout(6))); // PACKET_FANOUT_CBPF
  if (name == "PACKET_ROLLOVER_STATS")                                // got
    return example({}, Before("PACKET_FANOUT", fanout(3)));           // PACKET_FANOUT_ROLLOVER
  if (name == "PACKET_RX_RING" || name == "PACKET_TX_RING")
    return example(ring());
  if (name == "NETLINK_ADD_MEMBERSHIP")
    return example(1);
  if (name == "NETLINK_DROP_MEMBERSHIP")
    return example(1, Before("NETLINK_ADD_MEMBERSHIP", 1));
  if (name == "XDP_MAX_TX_SKB_BUDGET")
    return example(32, Before("XDP_TX_RING", 64));
  if (name.starts_with("XDP_") && name.ends_with("_RING"))
    return example(64); // entries
  if (name == "XDP_UMEM_REG" || name.starts_with("TCP_AO_"))
    return example(zero_of(*option.argument));
  return {};
}

std::optional<Example> question_of(const OptionInfo &option) {
  const std::string name = option.name;
  if (name == "IP_MSFILTER" || name == "MCAST_MSFILTER")
    return example(source_filter(option), Before("MCAST_JOIN_GROUP", group_req_value(option.level)));
  if (name == "PACKET_HDRLEN")
    return example(1);
  if (name == "IPV6_FLOWLABEL_MGR")
    return example(Value::record());
  if (name == "MPTCP_FULL_INFO" || name == "TCP_ZEROCOPY_RECEIVE" || name == "TCP_AO_GET_KEYS")
    return example(Value::record());
  return {};
}

// --- every option of a socket -------------------------------------------------------------------------------

enum class Verdict { no_socket, untried, absent, refused, exercised };

/// What became of the options on one kind of socket.
struct Sweep {
  bool made = false;
  std::string error; // why not
  std::vector<std::string> failures;
  std::map<const OptionInfo *, Verdict> verdicts;
  std::vector<std::string> unforeseen; // got although accepts() says no: the kernel's business
};

/// Looks at one option of one socket of its own.
class Look {
public:
  Look(Sweep &sweep, const OptionInfo &option, const Kind &kind)
      : sweep_(sweep), option_(option), kind_(kind), row_(row_of(option)) {}

  void at_accepting() {
    verdict(Verdict::untried);
    if (!remake())
      return;
    if (can_get(option_.access)) {
      get();
      if (!can_set(option_.access))
        set_read_only();
    } else if (can_query(option_.access)) {
      query();
    } else {
      get_set_only();
    }
    if (can_set(option_.access) && !got_)
      set();
  }

  /// The kernel's answer, whatever it is.
  void at_other(const Socket &socket) {
    unsigned char bytes[4096] = {};
    if (can_get(option_.access)) {
      auto value = socket.getsockopt(option_);
      auto raw = socket.getsockopt(option_.level, option_.number, bytes);
      if (value)
        sweep_.unforeseen.push_back(option_.name);
      else if (!raw && !value.error().is(raw.error().code()) && !value.error().is(ENODATA))
        fail("refused by " + error_of(value.error()) + ", raw " + error_of(raw.error()));
      else if (value.error().operation() != Operation::getsockopt)
        fail("refused by " + error_of(value.error()));
    }
    if (can_set(option_.access))
      if (auto set = socket.setsockopt(option_, zero_of(*option_.argument));
          !set && set.error().operation() != Operation::setsockopt)
        fail("set refused by " + error_of(set.error()));
  }

private:
  [[nodiscard]] const Socket &socket() const { return made_.socket; }

  bool remake() {
    auto made = make(kind_);
    if (!made) {
      fail("no socket: " + error_of(made.error()));
      return false;
    }
    made_ = std::move(*made);
    return true;
  }

  void fail(const std::string &why) {
    sweep_.failures.push_back(std::string(kind_.name) + ", " + option_.name + ": " + why);
  }
  void verdict(Verdict verdict) {
    Verdict &kept = sweep_.verdicts[&option_];
    kept = std::max(kept, verdict);
  }
  [[nodiscard]] bool excused(Step step, int code = 0) const { return ::excused(step, option_, kind_, code); }

  void refused(Step step, const char *what, const Error &error) {
    const bool unknown = error.is(ENOPROTOOPT) || error.is(EOPNOTSUPP);
    verdict(unknown && may_be_absent(option_) ? Verdict::absent : Verdict::refused);
    if (error.operation() != (step == Step::get ? Operation::getsockopt : Operation::setsockopt) &&
        !(step == Step::set && excused(step, error.code())))
      fail(std::string(what) + ": " + error_of(error));
    else if (!excused(step, error.code()))
      fail(std::string(what) + ": " + error_of(error));
  }

  void get() {
    auto value = socket().getsockopt(option_);
    if (!value) {
      refused(Step::get, "get", value.error());
      auto needed = example_of(option_, kind_);
      if (!needed || needed->before.empty() || !prepare(*needed))
        return;
      value = socket().getsockopt(option_);
      if (!value)
        return refused(Step::get, "get, prepared", value.error());
    }
    verdict(Verdict::exercised);
    if (value->kind() != option_.value->kind)
      fail("got " + printed(*value) + ", of another kind than its type");
    compare(*value);
    if (can_set(option_.access)) {
      refuse_wrong(*value);
      set_back(*value);
    }
  }

  /// The same by the raw and by the typed call.
  void compare(const Value &value) {
    // Room for much more than any value, and something in it.
    std::array<unsigned char, 4096> bytes;
    bytes.fill(0xa5);
    auto size = socket().getsockopt(option_.level, option_.number, bytes);
    if (size && row_.wire != 0 && *size != row_.wire)
      fail("has " + std::to_string(*size) + " bytes");
    if (!size && row_.wire != 0) {
      if (!excused(Step::wire, size.error().code()))
        fail("raw: " + error_of(size.error()));
      bytes.fill(0xa5);
      size = socket().getsockopt(option_.level, option_.number, MutableBuffer(bytes.data(), row_.wire));
      if (!size || *size != row_.wire)
        fail("raw, of its size: " + (size ? std::to_string(*size) : error_of(size.error())));
    }
    if (moves())
      return;
    if (auto decoded = row_.wire != 0 ? row_.decoded(bytes.data()) : std::nullopt; decoded && !(*decoded == value))
      fail("got " + printed(value) + ", raw " + printed(*decoded));
    if (auto typed = row_.typed(socket()); typed && !(*typed == value))
      fail("got " + printed(value) + ", typed " + printed(*typed));
  }

  /// Another value at every look.
  [[nodiscard]] bool moves() const {
    const std::string name = option_.name;
    return name == "TCP_TIMESTAMP" || name == "SO_INCOMING_CPU";
  }

  void set_back(const Value &value) {
    got_ = true;
    if (auto set = socket().setsockopt(option_, value); !set)
      return refused(Step::set, ("set to " + printed(value)).c_str(), set.error());
    auto again = socket().getsockopt(option_);
    if (!again)
      fail("set, and then " + error_of(again.error()));
    else if (!(*again == value) && !moves() && !excused(Step::differs))
      fail("set to " + printed(value) + ", got " + printed(*again));
    if (value.kind() != Value::Kind::boolean)
      return;
    const bool other = !VALUE(value.boolean());
    if (auto set = socket().setsockopt(option_, other); !set) {
      if (!excused(Step::stuck, set.error().code()) && !excused(Step::set, set.error().code()))
        fail(std::string("set to ") + (other ? "true: " : "false: ") + error_of(set.error()));
    } else if (again = socket().getsockopt(option_); again && !(*again == Value(other)) && !excused(Step::stuck)) {
      fail(std::string("stays ") + printed(value));
    }
  }

  /// Values of other kinds do not reach the kernel.
  void refuse_wrong(const Value &value) {
    for (const Value &wrong : wrong_for(*option_.argument)) {
      auto set = socket().setsockopt(option_, wrong);
      if (set || set.error().operation() != Operation::option_value || !set.error().is(EINVAL))
        fail("is set to " + printed(wrong) + ": " + (set ? "no error" : error_of(set.error())));
    }
    if (auto again = socket().getsockopt(option_); !again || (!(*again == value) && !moves()))
      fail("was changed by a refused value to " + (again ? printed(*again) : error_of(again.error())));
  }

  void query() {
    if (auto value = socket().getsockopt(option_); value || !value.error().is(EINVAL))
      fail("got without a question");
    auto question = question_of(option_);
    if (!question || !prepare(*question))
      return;
    auto value = socket().getsockopt(option_, question->value);
    if (!value)
      return refused(Step::get, "query", value.error());
    verdict(Verdict::exercised);
    if (value->kind() != option_.value->kind)
      fail("answered " + printed(*value) + ", of another kind than its type");
  }

  bool prepare(const Example &example) {
    for (const auto &[name, value] : example.before) {
      const OptionInfo *before = find_option(option_.level, name);
      auto set = socket().setsockopt(*before, value);
      if (set)
        continue;
      verdict(Verdict::refused);
      if (!::excused(Step::set, *before, kind_, set.error().code()))
        fail(std::string("before it, ") + name + ": " + error_of(set.error()));
      return false;
    }
    return true;
  }

  void set() {
    auto example = example_of(option_, kind_);
    const bool only_before =
        example && example->value.kind() != option_.argument->kind && example->value.kind() == Value::Kind::none;
    if (!example || only_before || (can_query(option_.access) && !remake()) || !prepare(*example))
      return;
    if (auto set = socket().setsockopt(option_, example->value); !set)
      return refused(Step::set, ("set to " + printed(example->value)).c_str(), set.error());
    verdict(Verdict::exercised);
  }

  void set_read_only() {
    unsigned char bytes[256] = {};
    for (std::size_t size : {std::size_t{4}, row_.wire == 0 ? std::size_t{16} : row_.wire})
      if (socket().setsockopt(option_.level, option_.number, ConstBuffer(bytes, size)) &&
          !excused(Step::set_of_read_only))
        fail("can be set, by " + std::to_string(size) + " bytes");
  }

  void get_set_only() {
    unsigned char bytes[4096] = {};
    if (auto size = socket().getsockopt(option_.level, option_.number, bytes);
        size && !excused(Step::get_of_set_only))
      fail("can be got, " + std::to_string(*size) + " bytes");
  }

  Sweep &sweep_;
  const OptionInfo &option_;
  const Kind &kind_;
  const Row &row_;
  Made made_;
  bool got_ = false;
};

/// Once for each kind of socket, whichever test asks first.
const Sweep &swept(const Kind &kind) {
  static std::map<std::string, Sweep> sweeps;
  if (auto found = sweeps.find(kind.name); found != sweeps.end())
    return found->second;
  Sweep &sweep = sweeps[kind.name];
  auto other = make(kind);
  if (!other) {
    sweep.error = error_of(other.error());
    return sweep;
  }
  sweep.made = true;
  for (const OptionInfo &option : options())
    if (option.level == SOL_SOCKET && !kind.generic)
      continue;
    else if (accepts(option.sockets, kind.domain, kind.type, kind.protocol))
      Look(sweep, option, kind).at_accepting();
    else
      Look(sweep, option, kind).at_other(other->socket);
  return sweep;
}

} // namespace

TEST_SUITE_BEGIN("option_info");

// --- the table -----------------------------------------------------------------------------------------

TEST_CASE("options() are the rows of options.def") {
  REQUIRE(options().size() == std::size(rows));
  for (std::size_t i = 0; i < options().size(); ++i) {
    const OptionInfo &option = options()[i];
    CAPTURE(TextView(option.name));
    CHECK(std::string(option.name) == rows[i].name);
    CHECK(option.level == rows[i].level);
    CHECK(option.number == rows[i].number);
    CHECK(option.access == rows[i].access);
    CHECK((option.value != nullptr) == (can_get(option.access) || can_query(option.access)));
    CHECK((option.argument != nullptr) == can_set(option.access));
    CHECK((option.question != nullptr) == can_query(option.access));
  }
}

TEST_CASE("options() are in order: of each level all together, by name, each once") {
  std::set<int> levels;
  const OptionInfo *before = nullptr;
  for (const OptionInfo &option : options()) {
    CAPTURE(TextView(option.name));
    if (before == nullptr || before->level != option.level)
      CHECK(levels.insert(option.level).second);
    else
      CHECK(std::strcmp(before->name, option.name) < 0);
    before = &option;
  }
  CHECK(levels.size() >= 30);
}

TEST_CASE("find_option finds every row, by name, by level and name, by level and number") {
  for (const OptionInfo &option : options()) {
    CAPTURE(TextView(option.name));
    const OptionInfo *by_name = find_option(option.name);
    REQUIRE(by_name != nullptr);
    CHECK(std::string(by_name->name) == option.name);
    if (by_name != &option) { // only these have rows at two levels
      CHECK(std::string(option.name).starts_with("MCAST_"));
      CHECK(by_name->level == IPPROTO_IP);
      CHECK(option.level == IPPROTO_IPV6);
    }
    CHECK(find_option(option.level, option.name) == &option);
    for (Access access : {Access::get, Access::set, Access::query}) {
      const auto offers = [&](const OptionInfo &row) {
        return access == Access::get   ? can_get(row.access)
               : access == Access::set ? can_set(row.access)
                                       : can_query(row.access);
      };
      const OptionInfo *wanted = nullptr;
      for (const OptionInfo &row : options())
        if (row.level == option.level && row.number == option.number &&
            (wanted == nullptr || (offers(row) && !offers(*wanted))))
          wanted = &row;
      CHECK(find_option(option.level, option.number, access) == wanted);
    }
  }
}

TEST_CASE("find_option: of several rows with one number the one that offers the access") {
  const OptionInfo *get = find_option(SOL_SOCKET, SO_GET_FILTER);
  const OptionInfo *set = find_option(SOL_SOCKET, SO_ATTACH_FILTER, Access::set);
  const OptionInfo *detach = find_option(SOL_SOCKET, SO_DETACH_FILTER, Access::set);
  REQUIRE(get != nullptr);
  REQUIRE(set != nullptr);
  REQUIRE(detach != nullptr);
  CHECK(std::string(get->name) == "SO_GET_FILTER");
  CHECK(std::string(set->name) == "SO_ATTACH_FILTER");
  CHECK(get->number == set->number);
  CHECK(std::string(detach->name) == "SO_DETACH_BPF"); // the first, of which SO_DETACH_FILTER is another name
  CHECK(find_option(SOL_SOCKET, SO_DETACH_FILTER) == detach);
  CHECK(find_option(SOL_SOCKET, SO_ERROR, Access::set) == find_option("SO_ERROR")); // nothing offers it
  const OptionInfo *ipv6 = find_option(IPPROTO_IPV6, "MCAST_JOIN_GROUP");
  REQUIRE(ipv6 != nullptr);
  CHECK(ipv6->level == IPPROTO_IPV6);
}

TEST_CASE("find_option does not find what is not there") {
  for (TextView name : {TextView("SO_NOTHING"), TextView(""), TextView("so_linger"), TextView("SO_LINGE"),
                        TextView("SO_LINGER "), TextView("SO_LINGER\0", 10)}) {
    CAPTURE(name);
    CHECK(find_option(name) == nullptr);
    CHECK(find_option(SOL_SOCKET, name) == nullptr);
  }
  CHECK(find_option(IPPROTO_TCP, "SO_LINGER") == nullptr);
  CHECK(find_option(SOL_SOCKET, 99999) == nullptr);
  CHECK(find_option(-1, SO_LINGER) == nullptr);
  CHECK(find_option(IPPROTO_TCP, -1, Access::set) == nullptr);
}

// --- every row, without a socket: whatever is not refused before the kernel is EBADF --------------------------

TEST_CASE("every option accepts a value of the type that it describes") {
  const Socket none;
  for (const OptionInfo &option : options())
    if (can_set(option.access)) {
      CAPTURE(TextView(option.name));
      CHECK_ERROR(none.setsockopt(option, zero_of(*option.argument)), EBADF, setsockopt);
    }
}

TEST_CASE("no option accepts a value of another kind") {
  const Socket none;
  std::size_t refused = 0;
  for (const OptionInfo &option : options())
    if (can_set(option.access)) {
      CAPTURE(TextView(option.name));
      for (const Value &wrong : wrong_for(*option.argument)) {
        CAPTURE(printed(wrong));
        CHECK_ERROR(none.setsockopt(option, wrong), EINVAL, option_value);
        ++refused;
      }
      CHECK_ERROR(none.setsockopt(option, Value::failed()), ENOMEM, option_value);
    }
  CHECK(refused > 6 * 300);
}

TEST_CASE("no option accepts a record that lacks a field or has one too many") {
  const Socket none;
  std::size_t records = 0;
  for (const OptionInfo &option : options())
    if (can_set(option.access) && option.argument->kind == Value::Kind::record) {
      CAPTURE(TextView(option.name));
      ++records;
      const Value whole = zero_of(*option.argument);
      for (std::size_t without = 0; without < whole.size(); ++without) {
        CAPTURE(whole.name(without));
        Value lacking = Value::record();
        for (std::size_t i = 0; i < whole.size(); ++i)
          if (i != without)
            lacking.set(whole.name(i), copy_of(whole[i]));
        if (row_of(option).partial && without + 1 == whole.size())
          CHECK_ERROR(none.setsockopt(option, lacking), EBADF, setsockopt);
        else
          CHECK_ERROR(none.setsockopt(option, lacking), EINVAL, option_value);
        CHECK_ERROR(none.setsockopt(option, lacking.set("other", 0)), EINVAL, option_value);
      }
      CHECK_ERROR(none.setsockopt(option, copy_of(whole).set("other", 0)), EINVAL, option_value);
    }
  CHECK(records >= 40);
}

TEST_CASE("no option does what it does not offer") {
  const Socket none;
  for (const OptionInfo &option : options()) {
    CAPTURE(TextView(option.name));
    if (can_get(option.access))
      CHECK_ERROR(none.getsockopt(option), EBADF, getsockopt);
    else if (can_query(option.access))
      CHECK_ERROR(none.getsockopt(option), EINVAL, getsockopt); // there has to be a question
    else
      CHECK_ERROR(none.getsockopt(option), ENOPROTOOPT, getsockopt);
    if (!can_query(option.access))
      CHECK_ERROR(none.getsockopt(option, Value::record()), EINVAL, getsockopt);
    if (!can_set(option.access))
      CHECK_ERROR(none.setsockopt(option, 0), ENOPROTOOPT, setsockopt);
  }
}

TEST_CASE("every question is looked at before the kernel is asked") {
  const Socket none;
  std::size_t questions = 0;
  for (const OptionInfo &option : options())
    if (can_query(option.access)) {
      CAPTURE(TextView(option.name));
      ++questions;
      CHECK_ERROR(none.getsockopt(option, zero_of(*option.question)), EBADF, getsockopt);
      for (const Value &wrong : wrong_for(*option.question)) {
        CAPTURE(printed(wrong));
        CHECK_ERROR(none.getsockopt(option, wrong), EINVAL, option_value);
      }
      CHECK_ERROR(none.getsockopt(option, Value::failed()), ENOMEM, option_value);
      if (option.question->kind == Value::Kind::record)
        CHECK_ERROR(none.getsockopt(option, zero_of(*option.question).set("other", 0)), EINVAL, option_value);
    }
  CHECK(questions >= 40);
}

// --- every row, on every socket that this kernel makes --------------------------------------------------------

namespace {

void check_every_option(const std::string &name) {
  std::string missing;
  bool made = false;
  for (const Family &family : families)
    if (family.name == name)
      for (const Kind &kind : family.kinds) {
        const Sweep &sweep = swept(kind);
        if (!sweep.made) {
          missing += missing.empty() ? kind.name + std::string(": ") + sweep.error : std::string(", ") + kind.name;
          continue;
        }
        made = true;
        CHECK(sweep.verdicts.size() >= 20); // of packet sockets alone there are 21
        for (const std::string &failure : sweep.failures)
          FAIL_CHECK(failure);
      }
  REQUIRE((made || !missing.empty()));
  if (!missing.empty())
    skip(missing.c_str());
}

} // namespace

#define EVERY_OPTION_OF(family)                                                                                      \
  TEST_CASE("every option of " family " sockets: got, set to that, refused as documented") {                         \
    check_every_option(family);                                                                                      \
  }

EVERY_OPTION_OF("TCP")
EVERY_OPTION_OF("UDP")
EVERY_OPTION_OF("UDP-Lite")
EVERY_OPTION_OF("MPTCP")
EVERY_OPTION_OF("ping")
EVERY_OPTION_OF("raw IP")
EVERY_OPTION_OF("Unix")
EVERY_OPTION_OF("packet")
EVERY_OPTION_OF("netlink")
EVERY_OPTION_OF("vsock")
EVERY_OPTION_OF("XDP")
EVERY_OPTION_OF("SCTP")
EVERY_OPTION_OF("DCCP")
EVERY_OPTION_OF("CAN")
EVERY_OPTION_OF("TIPC")
EVERY_OPTION_OF("ALG")
EVERY_OPTION_OF("SMC")
EVERY_OPTION_OF("KCM")
EVERY_OPTION_OF("RDS")
EVERY_OPTION_OF("MCTP")
EVERY_OPTION_OF("RxRPC")
EVERY_OPTION_OF("LLC")
EVERY_OPTION_OF("PPPoL2TP")
EVERY_OPTION_OF("Phonet")
EVERY_OPTION_OF("CAIF")
EVERY_OPTION_OF("NFC")
EVERY_OPTION_OF("AX.25")
EVERY_OPTION_OF("NET/ROM")
EVERY_OPTION_OF("ROSE")
EVERY_OPTION_OF("X.25")

TEST_CASE("how many options this kernel has") {
  std::map<const OptionInfo *, Verdict> best;
  std::set<const OptionInfo *> known; // to a family that was at hand when this was written
  std::string unforeseen;
  for (const Family &family : families)
    for (const Kind &kind : family.kinds) {
      for (const auto &[option, verdict] : swept(kind).verdicts) {
        best[option] = std::max(best[option], verdict);
        if (!kind.foreign)
          known.insert(option);
      }
      for (const std::string &name : swept(kind).unforeseen)
        if (unforeseen.find(" " + name) == std::string::npos)
          unforeseen += " " + name;
    }

  struct Count {
    const char *level;
    int rows = 0;
    int verdicts[5] = {};
  };
  std::vector<Count> counts;
  Count all{"all"};
  std::map<Verdict, std::string> names;
  for (const OptionInfo &option : options()) {
    const char *level = row_of(option).level_name;
    if (counts.empty() || std::string(counts.back().level) != level)
      counts.push_back({level});
    const Verdict verdict = best[&option];
    for (Count *count : {&counts.back(), &all}) {
      ++count->rows;
      ++count->verdicts[static_cast<int>(verdict)];
    }
    if (verdict != Verdict::untried || known.contains(&option))
      names[verdict] += std::string(" ") + option.name;
  }
  counts.push_back(all);
  std::printf("%-10s %5s %10s %8s %7s %8s %10s\n", "level", "rows", "exercised", "refused", "absent", "untried",
              "no socket");
  for (const Count &count : counts)
    std::printf("%-10s %5d %10d %8d %7d %8d %10d\n", count.level, count.rows, count.verdicts[4], count.verdicts[3],
                count.verdicts[2], count.verdicts[1], count.verdicts[0]);
  std::printf("refused:%s\nabsent:%s\nof sockets that accepts() excludes, got nevertheless:%s\n",
              names[Verdict::refused].c_str(), names[Verdict::absent].c_str(), unforeseen.c_str());
  CHECK(all.rows == static_cast<int>(options().size()));
  CHECK(names[Verdict::untried] == "");
  CHECK(all.verdicts[static_cast<int>(Verdict::exercised)] >= 200); // Linux 5.10, without privileges
}

// --- at run time ----------------------------------------------------------------------------------------------

TEST_CASE("by number, an option of the table has the type that its row says") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  const Value five = Value::record().set("onoff", true).set("linger", Seconds(5));
  VALUE(socket.setsockopt(SOL_SOCKET, SO_LINGER, five));
  CHECK(VALUE(socket.getsockopt(SOL_SOCKET, SO_LINGER)) == five);
  CHECK(VALUE(socket.getsockopt(so::linger)) == Linger::wait(Seconds(5)));
  VALUE(socket.setsockopt(SOL_SOCKET, SO_RCVTIMEO, Value(Milliseconds(1500))));
  CHECK(VALUE(socket.getsockopt(SOL_SOCKET, SO_RCVTIMEO)) == Value(Milliseconds(1500)));
  CHECK(VALUE(socket.getsockopt(SOL_SOCKET, SO_TYPE)) == Value(int{SOCK_STREAM}));
  CHECK_ERROR(socket.setsockopt(SOL_SOCKET, SO_TYPE, Value(int{SOCK_STREAM})), ENOPROTOOPT, setsockopt);
  CHECK_ERROR(socket.getsockopt(SOL_SOCKET, SO_RCVBUFFORCE), ENOPROTOOPT, getsockopt);
  CHECK_ERROR(socket.getsockopt(SOL_SOCKET, SO_PEERCRED), ENODATA, getsockopt); // the kernel: pid 0, uid -1
}

TEST_CASE("what is set at run time, in the bytes of the kernel") {
  const auto number = [](auto value) {
    const auto *bytes = reinterpret_cast<const char *>(&value);
    return std::string(bytes, sizeof value);
  };
  const std::uint32_t lo = loopback_index();
  struct {
    const char *name;
    Value value;
    std::string bytes;
  } cases[] = {
      {"SO_KEEPALIVE", true, number(1)},
      {"SO_PRIORITY", 3, number(3U)},
      {"SO_RCVLOWAT", 77, number(77)},
      {"SO_LINGER", Value::record().set("onoff", true).set("linger", Milliseconds(4001)), number(1) + number(5)},
      {"SO_RCVTIMEO", Milliseconds(1500), number(long{1}) + number(500'000L)},
      {"SO_SNDTIMEO", Seconds(200), number(200L) + number(0L)},
      {"SO_MAX_PACING_RATE", 1 << 20, number(1UL << 20)},
      {"SO_TIMESTAMPING", Value::record().set("flags", 16), number(16) + number(0)},
      {"SO_BINDTODEVICE", "lo", std::string("lo\0", 3)},
      {"IP_TOS", 0xb8, number(0xb8)},
      {"IP_UNICAST_IF", "lo", number(htonl(lo))},
      {"IP_LOCAL_PORT_RANGE", Value::record().set("lower", 40'000).set("upper", 50'000),
       number(50'000U << 16 | 40'000)},
      {"IP_OPTIONS", Value::bytes("\1\1\1"), std::string("\1\1\1\0", 4)},
      {"TCP_KEEPIDLE", Nanoseconds(59'000'000'001), number(60)},
      {"TCP_USER_TIMEOUT", Seconds(2), number(2000)},
      {"TCP_NOTSENT_LOWAT", UINT32_MAX, number(UINT32_MAX)},
      {"TCP_LINGER2", -1, number(-1)},
      {"TCP_CONGESTION", "reno", std::string("reno\0\0\0\0\0\0\0\0\0\0\0", 16)},
  };
  for (const auto &[name, value, wanted] : cases) {
    CAPTURE(TextView(name));
    const OptionInfo &option = named(name);
    Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
    char bytes[64] = {};
    if (auto set = socket.setsockopt(option, value); !set && set.error().is(ENOPROTOOPT) && may_be_absent(option))
      continue;
    else
      VALUE(std::move(set));
    const std::size_t size = VALUE(socket.getsockopt(option.level, option.number, bytes));
    CHECK(std::string(bytes, size) == wanted);
  }
}

TEST_CASE("a value of the wrong kind changes nothing") {
  // Runtimes have turned SO_LINGER 5 into "off", and read a number as the address of a text.
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(socket.setsockopt(so::linger, Linger::wait(Seconds(7))));
  CHECK_ERROR(socket.setsockopt(named("SO_LINGER"), 5), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_LINGER"), true), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_LINGER"), Seconds(5)), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_LINGER"), Value::record().set("onoff", false)), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_LINGER"), Value::record().set("onoff", false).set("linger", 0)), EINVAL,
              option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_LINGER"), Value::record().set("onoff", true).set("linger", Seconds(-1))),
              EDOM, option_value);
  CHECK(VALUE(socket.getsockopt(so::linger)) == Linger::wait(Seconds(7)));

  VALUE(socket.setsockopt(so::bindtodevice, "lo"));
  CHECK_ERROR(socket.setsockopt(named("SO_BINDTODEVICE"), 1), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_BINDTODEVICE"), Value()), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_BINDTODEVICE"), Value::record()), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_BINDTODEVICE"), Value::bytes("")), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_BINDTODEVICE"), TextView("lo\0x", 4)), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(named("SO_BINDTODEVICE"), "0123456789abcdef"), ENAMETOOLONG, setsockopt);
  CHECK(VALUE(socket.getsockopt(named("SO_BINDTODEVICE"))) == Value("lo"));

  VALUE(socket.setsockopt(so::rcvtimeo, Seconds(3)));
  CHECK_ERROR(socket.setsockopt(named("SO_RCVTIMEO"), 5), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_RCVTIMEO"), Seconds(-1)), EDOM, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_RCVTIMEO"), Seconds::max()), EDOM, option_value);
  CHECK(VALUE(socket.getsockopt(so::rcvtimeo)) == Microseconds(Seconds(3)));

  VALUE(socket.setsockopt(so::priority, 3U));
  CHECK_ERROR(socket.setsockopt(named("SO_PRIORITY"), -1), ERANGE, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_PRIORITY"), 1LL << 32), ERANGE, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_PRIORITY"), "4"), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("SO_RCVBUF"), 1LL << 31), ERANGE, option_value);
  CHECK(VALUE(socket.getsockopt(so::priority)) == 3);

  CHECK_ERROR(socket.setsockopt(named("TCP_KEEPIDLE"), 60), EINVAL, option_value);
  VALUE(socket.setsockopt(named("TCP_KEEPIDLE"), Milliseconds(59'001)));
  CHECK(VALUE(socket.getsockopt(named("TCP_KEEPIDLE"))) == Value(Seconds(60)));
  CHECK_ERROR(socket.setsockopt(named("TCP_CONGESTION"), 5), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(named("IP_OPTIONS"), 5), EINVAL, option_value);
}

TEST_CASE("an integer is a boolean, of an option that is one") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(socket.setsockopt(named("SO_KEEPALIVE"), 2));
  CHECK(VALUE(socket.getsockopt(named("SO_KEEPALIVE"))) == Value(true));
  VALUE(socket.setsockopt(named("SO_KEEPALIVE"), 0));
  CHECK(VALUE(socket.getsockopt(named("SO_KEEPALIVE"))) == Value(false));
  // 256 would be zero in a byte, 2^32 in an int.
  VALUE(socket.setsockopt(named("IP_MULTICAST_ALL"), 0));
  VALUE(socket.setsockopt(named("IP_MULTICAST_ALL"), 1LL << 32));
  CHECK(VALUE(socket.getsockopt(named("IP_MULTICAST_ALL"))) == Value(true));
}

TEST_CASE("an option that the table does not have is bytes, and is set from what can be bytes") {
  // UDP_CORK has this number at the level of UDP-Lite, too, and no row there.
  constexpr int level = IPPROTO_UDPLITE;
  constexpr int number = 1;
  REQUIRE(find_option(level, number) == nullptr);
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  if (int value = 0; !socket.setsockopt(level, number, 1) ||
                     !socket.getsockopt(level, number, MutableBuffer(&value, sizeof value)) || value != 1)
    SKIP("UDP does not accept options of UDP-Lite's level");
  const auto is = [&](int wanted) {
    auto value = VALUE(socket.getsockopt(level, number));
    CHECK(value.kind() == Value::Kind::bytes);
    CHECK(value == Value::bytes({&wanted, sizeof wanted}));
  };
  is(1);
  VALUE(socket.setsockopt(level, number, Value(false)));
  is(0);
  VALUE(socket.setsockopt(level, number, Value(true)));
  is(1);
  VALUE(socket.setsockopt(level, number, Value(0)));
  is(0);
  const int one = 1;
  VALUE(socket.setsockopt(level, number, Value::bytes({&one, sizeof one})));
  is(1);
  VALUE(socket.setsockopt(level, number, Value(TextView("\0\0\0\0", 4))));
  is(0);
  for (const Value &wrong : {Value(), Value(Seconds(1)), Value(SocketAddress()), Value::record(), Value::list(),
                             Value(FileDescriptor())}) {
    CAPTURE(printed(wrong));
    CHECK_ERROR(socket.setsockopt(level, number, wrong), EINVAL, option_value);
  }
  CHECK_ERROR(socket.setsockopt(level, number, Value(1LL << 32)), ERANGE, option_value);
  CHECK_ERROR(socket.setsockopt(level, number, Value::failed()), ENOMEM, option_value);
  is(0);
  CHECK_ERROR(socket.getsockopt(SOL_SOCKET, 99999), ENOPROTOOPT, getsockopt);
  CHECK_ERROR(socket.setsockopt(SOL_SOCKET, 99999, Value(1)), ENOPROTOOPT, setsockopt);
}

TEST_CASE("an interface by its name") {
  const unsigned lo = loopback_index();
  Socket udp = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  VALUE(udp.setsockopt(named("IP_UNICAST_IF"), "lo"));
  CHECK(VALUE(udp.getsockopt(ip::unicast_if)) == Interface(lo));
  CHECK(VALUE(udp.getsockopt(named("IP_UNICAST_IF"))) == Value(lo));
  CHECK_ERROR(udp.setsockopt(named("IP_UNICAST_IF"), "nonesuch0"), ENODEV, if_nametoindex);
  CHECK_ERROR(udp.setsockopt(named("IP_UNICAST_IF"), "0123456789abcdef"), ENAMETOOLONG, if_nametoindex);
  CHECK_ERROR(udp.setsockopt(named("IP_UNICAST_IF"), TextView("lo\0", 3)), EINVAL, if_nametoindex);
  CHECK_ERROR(udp.setsockopt(named("IP_UNICAST_IF"), ""), ENODEV, if_nametoindex);
  CHECK(VALUE(udp.getsockopt(ip::unicast_if)) == Interface(lo));
  VALUE(udp.setsockopt(named("IP_UNICAST_IF"), 0));
  CHECK(VALUE(udp.getsockopt(ip::unicast_if)) == Interface());
  // A field of a record.
  VALUE(udp.setsockopt(named("IP_MULTICAST_IF"),
                       Value::record().set("multiaddr", "0.0.0.0").set("address", "127.0.0.1").set("ifindex", "lo")));
  CHECK(VALUE(udp.getsockopt(named("IP_MULTICAST_IF"))) == Value(SocketAddress(Inet4Address{INADDR_LOOPBACK})));
  CHECK_ERROR(udp.setsockopt(
                  named("IP_MULTICAST_IF"),
                  Value::record().set("multiaddr", "0.0.0.0").set("address", "0.0.0.0").set("ifindex", "nonesuch0")),
              ENODEV, if_nametoindex);
  VALUE(udp.setsockopt(named("SO_BINDTODEVICE"), "lo"));
  CHECK(VALUE(udp.getsockopt(named("SO_BINDTODEVICE"))) == Value("lo"));
  CHECK(VALUE(udp.getsockopt(named("SO_BINDTOIFINDEX"))) == Value(lo));
}

TEST_CASE("an interface of IPv6 by its name") {
  auto udp = Socket::socket(AF_INET6, SOCK_DGRAM);
  if (!udp)
    SKIP("no IPv6");
  VALUE(udp->setsockopt(named("IPV6_MULTICAST_IF"), "lo"));
  CHECK(VALUE(udp->getsockopt(ipv6::multicast_if)) == Interface(loopback_index()));
  VALUE(udp->setsockopt(named("IPV6_UNICAST_IF"), "lo"));
  unsigned char raw[4] = {};
  CHECK(VALUE(udp->getsockopt(IPPROTO_IPV6, 76, raw)) == 4);
  CHECK((raw[0] << 24 | raw[1] << 16 | raw[2] << 8 | raw[3]) == static_cast<int>(loopback_index()));
}

TEST_CASE("a filter is a list of instructions, there and back") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
  const auto instruction = [](unsigned code, unsigned jt, unsigned jf, unsigned k) {
    return Value::record().set("code", code).set("jt", jt).set("jf", jf).set("k", k);
  };
  // Of all datagrams those that begin with an a, of these two bytes.
  const Value filter = Value::list()
                           .append(instruction(BPF_LD | BPF_B | BPF_ABS, 0, 0, 0))
                           .append(instruction(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 'a'))
                           .append(instruction(BPF_RET | BPF_K, 0, 0, 2))
                           .append(instruction(BPF_RET | BPF_K, 0, 0, 0));
  CHECK(VALUE(a.getsockopt(named("SO_GET_FILTER"))) == Value::list());
  VALUE(a.setsockopt(named("SO_ATTACH_FILTER"), filter));
  CHECK(VALUE(a.getsockopt(named("SO_GET_FILTER"))) == filter);
  CHECK(VALUE(a.getsockopt(SOL_SOCKET, SO_GET_FILTER)) == filter);
  CHECK(VALUE(b.send("xyz")) == 3);
  CHECK(VALUE(b.send("abc")) == 3);
  char buffer[8];
  CHECK(VALUE(a.recv(buffer)).size == 2);
  CHECK(buffer[0] == 'a');
  // Refused as a whole, and the old one stays.
  CHECK_ERROR(a.setsockopt(named("SO_ATTACH_FILTER"), Value::list().append(instruction(6, 0, 0, 1)).append(5)),
              EINVAL, option_value);
  CHECK_ERROR(a.setsockopt(named("SO_ATTACH_FILTER"), Value::list().append(instruction(6, 256, 0, 1))), ERANGE,
              option_value);
  CHECK_ERROR(a.setsockopt(named("SO_ATTACH_FILTER"), Value::bytes("12345678")), EINVAL, option_value);
  CHECK_ERROR(a.setsockopt(named("SO_ATTACH_FILTER"), Value::list()), EINVAL, setsockopt);
  CHECK(VALUE(a.getsockopt(named("SO_GET_FILTER"))) == filter);
  VALUE(a.setsockopt(SOL_SOCKET, SO_DETACH_FILTER, Value()));
  CHECK(VALUE(a.getsockopt(named("SO_GET_FILTER"))).size() == 0);
  CHECK_ERROR(a.setsockopt(named("SO_DETACH_FILTER"), Value()), ENOENT, setsockopt);
  CHECK_ERROR(a.setsockopt(named("SO_DETACH_FILTER"), 0), EINVAL, option_value);
}

TEST_CASE("SO_PEERPIDFD gives a descriptor, owned by the value") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  NoLeak no_leak;
  auto got = a.getsockopt(named("SO_PEERPIDFD"));
  if (!got && got.error().is(ENOPROTOOPT))
    SKIP("no SO_PEERPIDFD before Linux 6.5");
  Value value = VALUE(std::move(got));
  REQUIRE(value.kind() == Value::Kind::descriptor);
  const std::size_t open = open_descriptors();
  FileDescriptor taken = VALUE(value.take_descriptor());
  CHECK(value.kind() == Value::Kind::none);
  CHECK(open_descriptors() == open);
  CHECK(::fcntl(taken.fd(), F_GETFD) == FD_CLOEXEC);
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(taken.fd()));
  std::string pid;
  for (std::string line; std::getline(info, line);)
    if (line.rfind("Pid:", 0) == 0)
      pid = line.substr(5);
  info.close();
  CHECK(pid == std::to_string(::getpid()));
  {
    Value dropped = VALUE(a.getsockopt(named("SO_PEERPIDFD")));
  }
  Value replaced = VALUE(a.getsockopt(named("SO_PEERPIDFD")));
  replaced = Value();
}

// --- questions ------------------------------------------------------------------------------------------------

TEST_CASE("a question at run time: PACKET_HDRLEN") {
  auto socket = Socket::socket(AF_PACKET, SOCK_RAW);
  if (!socket)
    SKIP("no AF_PACKET, or not permitted");
  for (int version : {0, 1, 2}) { // TPACKET_V1 …
    int raw = version;
    CHECK(VALUE(socket->getsockopt(263, 11, MutableBuffer(&raw, sizeof raw))) == sizeof raw);
    CHECK(VALUE(socket->getsockopt(named("PACKET_HDRLEN"), version)) == Value(raw));
    CHECK(raw >= 24);
  }
  CHECK_ERROR(socket->getsockopt(named("PACKET_HDRLEN"), 99), EINVAL, getsockopt);
  CHECK_ERROR(socket->getsockopt(named("PACKET_HDRLEN"), true), EINVAL, option_value);
  CHECK_ERROR(socket->getsockopt(named("PACKET_HDRLEN"), 1LL << 31), ERANGE, option_value);
  CHECK_ERROR(socket->getsockopt(named("PACKET_HDRLEN")), EINVAL, getsockopt);
  CHECK_ERROR(socket->getsockopt(263, 11), EINVAL, getsockopt);
}

TEST_CASE("a question at run time: source filters") {
  for (int level : {IPPROTO_IP, IPPROTO_IPV6}) {
    CAPTURE(level);
    auto socket = Socket::socket(level == IPPROTO_IP ? AF_INET : AF_INET6, SOCK_DGRAM);
    if (!socket)
      SKIP("no IPv6");
    const OptionInfo *option = find_option(level, "MCAST_MSFILTER");
    REQUIRE(option != nullptr);
    const auto question = [&] { return Value::record().set("group", group(level)).set("interface", "lo"); };
    const auto list = [&](std::size_t count) {
      Value sources = Value::list();
      for (std::size_t i = 1; i <= count; ++i)
        sources.append(
            VALUE(SocketAddress::parse((level == IPPROTO_IP ? "192.0.2." : "2001:db8::") + std::to_string(i))));
      return sources;
    };
    CHECK_ERROR(socket->getsockopt(*option, question()), EADDRNOTAVAIL, getsockopt);
    VALUE(socket->setsockopt(*find_option(level, "MCAST_JOIN_GROUP"), group_req_value(level)));
    CHECK(VALUE(socket->getsockopt(*option, question())) ==
          Value::record().set("mode", 0).set("sources", Value::list()));
    for (std::size_t count : {std::size_t{2}, std::size_t{9}, std::size_t{0}}) {
      VALUE(socket->setsockopt(*option, question().set("mode", 0).set("sources", list(count))));
      const Value answer = VALUE(socket->getsockopt(*option, question()));
      CHECK(answer == Value::record().set("mode", 0).set("sources", list(count)));
    }
    VALUE(socket->setsockopt(*option, question().set("mode", 1).set("sources", list(3))));
    // Of wrong questions and values nothing remains.
    CHECK_ERROR(socket->getsockopt(*option, Value::record().set("group", group(level))), EINVAL, option_value);
    CHECK_ERROR(socket->getsockopt(*option, question().set("mode", 0)), EINVAL, option_value);
    CHECK_ERROR(socket->setsockopt(*option, question()), EINVAL, option_value);
    CHECK_ERROR(socket->setsockopt(*option, question().set("mode", 0).set("sources", 5)), EINVAL, option_value);
    CHECK_ERROR(socket->setsockopt(*option, question().set("mode", 0).set("sources", Value::list().append(5))),
                EINVAL, option_value);
    CHECK_ERROR(socket->setsockopt(*option, question().set("mode", -1).set("sources", list(1))), ERANGE,
                option_value);
    CHECK(VALUE(socket->getsockopt(*option, question())) == Value::record().set("mode", 1).set("sources", list(3)));
  }
}

TEST_CASE("a question at run time: the flow label") {
  auto socket = Socket::socket(AF_INET6, SOCK_DGRAM);
  if (!socket)
    SKIP("no IPv6");
  const OptionInfo &option = named("IPV6_FLOWLABEL_MGR");
  CHECK_ERROR(socket->getsockopt(option, Value::record()), ENOENT, getsockopt);
  CHECK_ERROR(socket->getsockopt(option, Value::record().set("label", true)), EINVAL, option_value);
  // The typed call tells the label that the kernel chose.
  in6_flowlabel_req request = {};
  request.flr_dst = in6addr_loopback;
  request.flr_share = 1; // IPV6_FL_S_EXCL
  request.flr_flags = 1; // IPV6_FL_F_CREATE
  if (auto made = socket->setsockopt(ipv6::flowlabel_mgr, &request); !made && made.error().is(EPERM))
    SKIP("no flow labels here");
  REQUIRE(request.flr_label != 0);
  VALUE(socket->setsockopt(ipv6::flowinfo_send, true));
  if (auto to = socket->connect(Inet6Address{in6addr_loopback, 9, ntohl(request.flr_label)}); !to)
    SKIP("no IPv6 on the loopback interface");
  const Value answer = VALUE(socket->getsockopt(option, Value::record()));
  REQUIRE(answer.find("label") != nullptr);
  CHECK(*answer.find("label") == Value(ntohl(request.flr_label)));
  CHECK(*answer.find("dst") == Value(SocketAddress(Inet6Address{in6addr_loopback})));
}

TEST_CASE("a question at run time: MPTCP_FULL_INFO") {
  auto made = make({"", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, true});
  if (!made)
    SKIP("no MPTCP");
  auto answer = made->socket.getsockopt(named("MPTCP_FULL_INFO"), Value::record());
  if (!answer && (answer.error().is(EOPNOTSUPP) || answer.error().is(ENOPROTOOPT)))
    SKIP("no MPTCP_FULL_INFO before Linux 6.5");
  const Value info = VALUE(std::move(answer));
  REQUIRE(info.find("num_subflows") != nullptr);
  CHECK(*info.find("num_subflows") == Value(1));
  REQUIRE(info.find("mptcp_info") != nullptr);
  CHECK(info.find("mptcp_info")->kind() == Value::Kind::record);
  CHECK(*info.find("mptcp_info")->find("token") == Value(VALUE(made->socket.getsockopt(mptcp::info))->mptcpi_token));
  // Where to the kernel writes is nothing that a runtime may choose.
  CHECK_ERROR(made->socket.getsockopt(named("MPTCP_FULL_INFO"), Value::record().set("tcp_info", 4096)), EINVAL,
              option_value);
  CHECK_ERROR(made->socket.getsockopt(named("MPTCP_FULL_INFO"),
                                      Value::record().set("subflow_info", 4096).set("size_arrays_user", 1)),
              EINVAL, option_value);
}

// --- of a user --------------------------------------------------------------------------------------------------

TEST_CASE("an option, a struct and a codec of a user") {
  static constexpr OptionInfo linger_info(mine_linger);
  static constexpr OptionInfo priority_info(mine_priority);
  CHECK(std::string(linger_info.name) == "MINE_LINGER");
  CHECK(linger_info.access == Access::both);
  CHECK(linger_info.sockets == Sockets::any);
  REQUIRE(linger_info.value != nullptr);
  CHECK(linger_info.value->field_count == 2);
  CHECK(priority_info.argument->kind == Value::Kind::integer);

  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(socket.setsockopt(linger_info, Value::record().set("time", Milliseconds(1)).set("is_on", 1)));
  CHECK(VALUE(socket.getsockopt(linger_info)) == Value::record().set("is_on", true).set("time", Seconds(1)));
  CHECK(VALUE(socket.getsockopt(so::linger)) == Linger::wait(Seconds(1)));
  CHECK_ERROR(socket.setsockopt(linger_info, Value::record().set("is_on", true)), EINVAL, option_value);
  CHECK_ERROR(socket.setsockopt(linger_info, 5), EINVAL, option_value);

  VALUE(socket.setsockopt(priority_info, 2));
  CHECK(VALUE(socket.getsockopt(so::priority)) == 4);
  CHECK(VALUE(socket.getsockopt(priority_info)) == Value(2));
  CHECK_ERROR(socket.setsockopt(priority_info, Seconds(2)), EINVAL, option_value);

  const OptionInfo read_only(Option<int, Access::get>{SOL_SOCKET, SO_TYPE, "MINE_TYPE"});
  CHECK(read_only.argument == nullptr);
  CHECK(VALUE(socket.getsockopt(read_only)) == Value(int{SOCK_STREAM}));
  CHECK_ERROR(socket.setsockopt(read_only, 1), ENOPROTOOPT, setsockopt);
  const OptionInfo write_only(Option<bool, Access::set>{SOL_SOCKET, SO_KEEPALIVE, "MINE_KEEPALIVE"});
  CHECK(write_only.value == nullptr);
  VALUE(socket.setsockopt(write_only, true));
  CHECK(VALUE(socket.getsockopt(so::keepalive)));
  CHECK_ERROR(socket.getsockopt(write_only), ENOPROTOOPT, getsockopt);
}

TEST_SUITE_END();
