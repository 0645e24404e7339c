// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {
/// Of a user: a struct with fields, and a number that is stored doubled.
struct my_pair {
  std::uint16_t first;
  std::int32_t second;
};
struct Doubled;
} // namespace

template <>
inline constexpr baresock::Field baresock::fields<my_pair>[] = {
    BARESOCK_FIELD(my_pair, first, "first"),
    BARESOCK_FIELD(my_pair, second, "second"),
};

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
  static int encode(int value, std::byte *to) noexcept { return Payload<int>::encode(2 * value, to); }
};

using namespace baresock;

namespace {

using Value = OptionValue;
using Kind = OptionValue::Kind;
using Layout = ValueType::Layout;
using Room = ControlBuffer<1024>;

std::string text_of(TextView text) { return {text.data(), text.size()}; }

std::string printed(const Value &value) {
  auto text = value.printed();
  return text ? text_of(text->text()) : "out of memory";
}

std::string hex(ConstBuffer bytes) {
  std::string text;
  for (std::byte byte : bytes)
    text +=
        {"0123456789abcdef"[static_cast<unsigned>(byte) >> 4], "0123456789abcdef"[static_cast<unsigned>(byte) & 15]};
  return text;
}

/// A kind as controls.def has it.
struct Row {
  const char *name;
  int level;
  int type;
  Direction direction;
  std::size_t size; // of its payload; 0: any
};

template <class T>
constexpr std::size_t payload_size() {
  if constexpr (requires { Payload<T>::size; })
    return Payload<T>::size;
  else
    return 0;
}
template <class T, Direction D>
constexpr std::size_t size_of(const ControlKind<T, D> &) {
  return payload_size<T>();
}

const Row rows[] = {
#define CONTROL(ns, identifier, level_, constant, number, direction, ...)                                            \
  {#constant, detail::level::level_, number, Direction::direction, size_of(cmsg::ns::identifier)},
#include <baresock/controls.def>
};

const ControlInfo &named(const char *name) {
  const ControlInfo *info = find_control(name);
  REQUIRE(info != nullptr);
  return *info;
}

/// A value of that type, whose numbers are all different.
Value made_of(const ValueType &type, int &number) {
  ++number;
  switch (type.kind) {
  case Kind::boolean:
    return true;
  case Kind::integer:
    return type.layout == Layout::pointer ? 0 : number;
  case Kind::duration:
    return Seconds(number);
  case Kind::text:
    return "text";
  case Kind::bytes: {
    std::string bytes(type.size != 0 ? type.size : 5, static_cast<char>(number));
    return Value::bytes(bytes);
  }
  case Kind::address:
    if (type.layout == Layout::in6_addr) {
      Inet6Address address{in6addr_loopback};
      address.address.s6_addr[3] = static_cast<std::uint8_t>(number);
      return SocketAddress(address);
    }
    return SocketAddress(Inet4Address{0xc0000200U + static_cast<unsigned>(number)});
  case Kind::record: {
    Value record = Value::record();
    for (std::uint32_t i = 0; i < type.field_count; ++i)
      record.set(type.fields[i].name, made_of(type.fields[i].type, number));
    return record;
  }
  case Kind::list: {
    Value list = Value::list();
    const std::size_t count = type.size != 0 ? type.size / type.element->size : 3;
    for (std::size_t i = 0; i < count; ++i)
      list.append(made_of(*type.element, number));
    return list;
  }
  case Kind::none:
  case Kind::descriptor:
  case Kind::failed:
    break;
  }
  return {};
}

/// The same with a field of it, or of a record in it, changed by `change`: every way to do that.
using Change = std::function<std::vector<Value>(const ValueType &, const Value &)>;
void altered(const ValueType &type, const Change &change, const std::function<void(Value)> &each) {
  int number = 0;
  const Value good = made_of(type, number);
  for (Value &bad : change(type, good))
    each(std::move(bad));
  if (type.kind != Kind::record)
    return;
  for (std::uint32_t i = 0; i < type.field_count; ++i)
    altered(type.fields[i].type, change, [&](Value bad) {
      number = 0;
      Value record = made_of(type, number);
      record.set(type.fields[i].name, std::move(bad));
      each(std::move(record));
    });
}

/// `value` is refused with `code`, and the buffer, which has a message, stays as it is.
void check_refused(const ControlInfo &info, const Value &value, int code) {
  CAPTURE(TextView(info.name));
  CAPTURE(value);
  Room control;
  VALUE(control.append(1, 2, "before"));
  const std::string before = hex({control.data(), control.size()});
  CHECK_ERROR(info.append(control, value), code, option_value);
  CHECK(hex({control.data(), control.size()}) == before);
}

std::pair<Socket, Socket> unix_pair() { return VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM)); }

Result<std::size_t> send_with(const Socket &socket, const Control &control, const SocketAddress *to = nullptr) {
  const ConstBuffer parts[] = {"data"};
  return socket.sendmsg({parts, to, control});
}

void receive(const Socket &socket, Control &control) {
  char room[16];
  const MutableBuffer parts[] = {room};
  REQUIRE(VALUE(socket.recvmsg(parts, control)).size == 4);
}

} // namespace

TEST_SUITE_BEGIN("control_info");

// --- the table --------------------------------------------------------------------------------------------

TEST_CASE("controls(): every row of controls.def, in its order") {
  REQUIRE(controls().size() == std::size(rows));
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const ControlInfo &info = controls()[i];
    CHECK(TextView(info.name) == rows[i].name);
    CHECK(info.level == rows[i].level);
    CHECK(info.type == rows[i].type);
    CHECK(info.direction == rows[i].direction);
    CHECK((info.received != nullptr) == can_receive(rows[i].direction));
    CHECK((info.sent != nullptr) == can_send(rows[i].direction));
  }
}

TEST_CASE("controls(): of each level by constant, and names are unique but for SCM_SECURITY") {
  std::map<std::string, int> names;
  for (std::size_t i = 0; i < controls().size(); ++i)
    ++names[controls()[i].name];
  for (const auto &[name, count] : names) {
    CAPTURE(name);
    CHECK(count == (name == "SCM_SECURITY" ? 2 : 1));
  }
  // Level 0 is of several protocols.
  for (std::size_t i = 1; i < controls().size(); ++i) {
    const ControlInfo &before = controls()[i - 1], &info = controls()[i];
    if (before.level != info.level || TextView(info.name) == "SCM_SECURITY" || info.level == 0)
      continue;
    CAPTURE(TextView(info.name));
    CHECK(std::string(before.name) < info.name);
  }
}

TEST_CASE("the numbers of kinds that this kernel may not have, told a second time") {
  // Of Linux 6.18. Those of the others are right if their round trips are.
  const struct {
    const char *name;
    int level;
    int type;
  } numbers[] = {{"TLS_GET_RECORD_TYPE", 282, 2},
                 {"TLS_SET_RECORD_TYPE", 282, 1},
                 {"VSOCK_RECVERR", 287, 1},
                 {"SCM_CAN_RAW_ERRQUEUE", 101, 1},
                 {"SCM_J1939_DEST_ADDR", 107, 1},
                 {"SCM_J1939_DEST_NAME", 107, 2},
                 {"SCM_J1939_ERRQUEUE", 107, 4},
                 {"SCM_J1939_PRIO", 107, 3},
                 {"TIPC_DESTNAME", 271, 3},
                 {"TIPC_ERRINFO", 271, 1},
                 {"TIPC_RETDATA", 271, 2},
                 {"ALG_SET_AEAD_ASSOCLEN", 279, 4},
                 {"ALG_SET_IV", 279, 2},
                 {"ALG_SET_OP", 279, 3},
                 {"SCTP_AUTHINFO", 132, 6},
                 {"SCTP_DSTADDRV4", 132, 7},
                 {"SCTP_DSTADDRV6", 132, 8},
                 {"SCTP_INIT", 132, 0},
                 {"SCTP_NXTINFO", 132, 4},
                 {"SCTP_PRINFO", 132, 5},
                 {"SCTP_RCVINFO", 132, 3},
                 {"SCTP_SNDINFO", 132, 2},
                 {"SCTP_SNDRCV", 132, 1},
                 {"DCCP_SCM_PRIORITY", 269, 1},
                 {"RDS_CMSG_ATOMIC_CSWP", 276, 7},
                 {"RDS_CMSG_ATOMIC_FADD", 276, 6},
                 {"RDS_CMSG_CONG_UPDATE", 276, 5},
                 {"RDS_CMSG_MASKED_ATOMIC_CSWP", 276, 9},
                 {"RDS_CMSG_MASKED_ATOMIC_FADD", 276, 8},
                 {"RDS_CMSG_RDMA_ARGS", 276, 1},
                 {"RDS_CMSG_RDMA_DEST", 276, 2},
                 {"RDS_CMSG_RDMA_MAP", 276, 3},
                 {"RDS_CMSG_RDMA_STATUS", 276, 4},
                 {"RDS_CMSG_RXPATH_LATENCY", 276, 11},
                 {"RDS_CMSG_ZCOPY_COMPLETION", 276, 13},
                 {"RDS_CMSG_ZCOPY_COOKIE", 276, 12},
                 {"RXRPC_ABORT", 272, 2},
                 {"RXRPC_ACK", 272, 3},
                 {"RXRPC_CHALLENGED", 272, 16},
                 {"RXRPC_CHARGE_ACCEPT", 272, 14},
                 {"RXRPC_EXCLUSIVE_CALL", 272, 10},
                 {"RXRPC_LOCAL_ERROR", 272, 7},
                 {"RXRPC_NET_ERROR", 272, 5},
                 {"RXRPC_OOB_ID", 272, 15},
                 {"RXRPC_RESPOND", 272, 17},
                 {"RXRPC_RESP_RXGK_APPDATA", 272, 19},
                 {"RXRPC_SET_CALL_TIMEOUT", 272, 13},
                 {"RXRPC_TX_LENGTH", 272, 12},
                 {"RXRPC_UPGRADE_SERVICE", 272, 11},
                 {"RXRPC_USER_CALL_ID", 272, 1},
                 {"LLC_OPT_PKTINFO", 268, 9},
                 {"BT_SCM_ERROR", 274, 4},
                 {"BT_SCM_PKT_SEQNUM", 274, 5},
                 {"BT_SCM_PKT_STATUS", 274, 3},
                 {"HCI_CMSG_DIR", 0, 1},
                 {"HCI_CMSG_TSTAMP", 0, 2},
                 {"SCM_IUCV_TRGCLS", 277, 1},
                 {"WPAN_WANTLQI", 0, 3},
                 {"MISDN_TIME_STAMP", 0, 1},
                 {"IPV6_RTHDRDSTOPTS", 41, 55}};
  for (const auto &number : numbers) {
    CAPTURE(TextView(number.name));
    CHECK(named(number.name).level == number.level);
    CHECK(named(number.name).type == number.type);
  }
  if (detail::newer(1, 2, 3) != 1)
    return;
  CHECK(named("SCM_SECURITY").type == 3);
  CHECK(named("SCM_WIFI_STATUS").type == 41);
  CHECK(named("SCM_TIMESTAMPING_PKTINFO").type == 58);
  CHECK(named("SCM_DEVMEM_LINEAR").type == 78);
  CHECK(named("SCM_DEVMEM_DMABUF").type == 79);
  CHECK(named("SO_DEVMEM_DMABUF").type == 79);
}

TEST_CASE("find_control by name") {
  for (const ControlInfo &info : controls()) {
    const ControlInfo *found = find_control(info.name);
    REQUIRE(found != nullptr);
    CHECK(TextView(found->name) == info.name);
    CHECK((found == &info || TextView(info.name) == "SCM_SECURITY"));
  }
  CHECK(named("SCM_SECURITY").level == SOL_SOCKET);
  CHECK(find_control("IP_TT") == nullptr);
  CHECK(find_control("IP_TTL ") == nullptr);
  CHECK(find_control("ip_ttl") == nullptr);
  CHECK(find_control("") == nullptr);
  CHECK(find_control(TextView("IP_TTL\0", 7)) == nullptr);
  CHECK(find_control(std::string("IP_TTLS").substr(0, 6)) == &named("IP_TTL"));
}

TEST_CASE("find_control by level, number and direction: the first row that goes that way") {
  for (Direction direction : {Direction::receive, Direction::send, Direction::both})
    for (const ControlInfo &info : controls()) {
      const ControlInfo *first = nullptr;
      for (const ControlInfo &other : controls())
        if (first == nullptr && other.level == info.level && other.type == info.type &&
            ((can_receive(direction) && can_receive(other.direction)) ||
             (can_send(direction) && can_send(other.direction))))
          first = &other;
      CAPTURE(TextView(info.name));
      CHECK(find_control(info.level, info.type, direction) == first);
    }
  CHECK(find_control(IPPROTO_IP, IP_TTL) == &named("IP_TTL"));
  CHECK(find_control(SOL_SOCKET, SCM_TIMESTAMP) == &named("SCM_TIMESTAMP"));
  CHECK(find_control(SOL_SOCKET, SO_TIMESTAMPING) == &named("SCM_TIMESTAMPING"));
  CHECK(find_control(SOL_SOCKET, SO_TIMESTAMPING, Direction::send) == &named("SO_TIMESTAMPING"));
  CHECK(find_control(SOL_SOCKET, named("SO_DEVMEM_DMABUF").type) == &named("SCM_DEVMEM_DMABUF"));
  CHECK(find_control(SOL_SOCKET, named("SO_DEVMEM_DMABUF").type, Direction::send) == &named("SO_DEVMEM_DMABUF"));
  CHECK(find_control(IPPROTO_UDP, 103) == nullptr); // UDP_SEGMENT is only sent
  CHECK(find_control(IPPROTO_UDP, 103, Direction::send) == &named("UDP_SEGMENT"));
  CHECK(find_control(IPPROTO_UDP, 104, Direction::send) == nullptr);
  CHECK(find_control(SOL_SOCKET, 9999) == nullptr);
  CHECK(find_control(9999, SCM_RIGHTS) == nullptr);
}

TEST_CASE("control_info of what nobody knows: bytes") {
  const ControlInfo unknown = control_info(9999, 77);
  CHECK(TextView(unknown.name) == "");
  CHECK(unknown.level == 9999);
  CHECK(unknown.type == 77);
  REQUIRE(unknown.received != nullptr);
  REQUIRE(unknown.sent != nullptr);
  CHECK(unknown.received->kind == Kind::bytes);
  CHECK(unknown.sent->kind == Kind::bytes);
  Room control;
  VALUE(unknown.append(control, Value::bytes("\1\2\3")));
  ControlMessage message = *control.begin();
  CHECK(message.is(9999, 77));
  CHECK(hex(message.bytes()) == "010203");
  CHECK(VALUE(unknown.value(message)) == Value::bytes("\1\2\3"));
  VALUE(unknown.append(control, "text"));
  check_refused(unknown, 5, EINVAL);
  // What is known is as in the table.
  CHECK(TextView(control_info(IPPROTO_IP, IP_TTL).name) == "IP_TTL");
  CHECK(TextView(control_info(IPPROTO_UDP, 103).name) == "");
  CHECK(TextView(control_info(IPPROTO_UDP, 103, Direction::send).name) == "UDP_SEGMENT");
}

TEST_CASE("what a kind does not do is refused: EINVAL") {
  Room control;
  CHECK_ERROR(named("UDP_GRO").append(control, 5), EINVAL, append);
  CHECK(control.empty());
  const int number = 5;
  VALUE(control.append(IPPROTO_UDP, 103, {&number, sizeof number}));
  CHECK_ERROR(named("UDP_SEGMENT").value(*control.begin()), EINVAL, as);
}

// --- every kind -------------------------------------------------------------------------------------------

TEST_CASE("every kind that is sent: append() of a value, and the value of those bytes is the same again") {
  for (std::size_t i = 0; i < controls().size(); ++i) {
    const ControlInfo &info = controls()[i];
    if (info.sent == nullptr)
      continue;
    CAPTURE(TextView(info.name));
    int number = 0;
    const Value value = made_of(*info.sent, number);
    CHECK(value.kind() == info.sent->kind);
    Room control;
    VALUE(info.append(control, value));
    ControlMessage message = *control.begin();
    CHECK(message.is(info.level, info.type));
    if (rows[i].size != 0)
      CHECK(message.bytes().size() == rows[i].size);
    // Descriptors were not received, and so are not taken: two of a kind.
    if (info.received == nullptr) {
      if (info.sent->size != 0)
        CHECK(detail::read(*info.sent, message.bytes().data(), message.bytes().size()) == value);
    } else if (info.received->kind != Kind::list) {
      CHECK(VALUE(info.value(message)) == value);
    }
  }
}

TEST_CASE("every kind that is received: its value is of the kind that it says, and the same bytes come of it") {
  for (std::size_t i = 0; i < controls().size(); ++i) {
    const ControlInfo &info = controls()[i];
    if (info.received == nullptr)
      continue;
    CAPTURE(TextView(info.name));
    const std::size_t size = rows[i].size != 0 ? rows[i].size : 8;
    // All zeros, and then one in each of the bytes: it shows, but in padding.
    std::string bytes(size, '\0');
    std::set<std::string> values;
    std::size_t hidden = 0;
    for (std::size_t at = 0; at <= size; ++at) {
      if (at > 0)
        bytes[at - 1] = 1;
      Room control;
      VALUE(control.append(info.level, info.type, ConstBuffer(bytes)));
      const Value value = VALUE(info.value(*control.begin()));
      CHECK(value.kind() == info.received->kind);
      const bool shows = values.insert(printed(value)).second;
      // Seconds beyond what nanoseconds count are all the greatest time.
      hidden += !shows && printed(value).find(printed(Nanoseconds::max())) == std::string::npos;
      if (info.sent != nullptr && info.sent->kind == value.kind() && shows && value.kind() != Kind::list) {
        Room again;
        VALUE(info.append(again, value));
        CHECK(hex((*again.begin()).bytes()) == hex(bytes));
      }
      if (at > 0)
        bytes[at - 1] = 0;
    }
    const bool address = info.received->kind == Kind::address || std::strstr(info.name, "RECVERR") != nullptr ||
                         TextView(info.name) == "IPV6_PATHMTU";
    const bool list = info.received->kind == Kind::list;
    static const std::map<std::string, std::size_t> padding = {{"SCM_TIMESTAMPING_PKTINFO", 8},
                                                               {"LLC_OPT_PKTINFO", 1},
                                                               {"RXRPC_CHALLENGED", 1},
                                                               {"SCTP_RCVINFO", 2},
                                                               {"SCTP_SNDRCV", 2},
                                                               {"RDS_CMSG_RDMA_STATUS", 4},
                                                               {"RDS_CMSG_RXPATH_LATENCY", 4}};
    const auto known = padding.find(info.name);
    // Of an address of no family nothing shows, nor of descriptors, nor does ee_pad.
    if (!address && !list)
      CHECK(hidden == (known != padding.end()                               ? known->second
                       : info.received->fields == fields<sock_extended_err> ? 1
                                                                            : 0));
  }
}

TEST_CASE("records have the fields of the kernel's structs") {
  const std::map<std::string, std::string> wanted = {
      {"SCM_CREDENTIALS", "pid uid gid"},
      {"SCM_DEVMEM_DMABUF", "frag_offset frag_size frag_token dmabuf_id flags"},
      {"SCM_DEVMEM_LINEAR", "frag_offset frag_size frag_token dmabuf_id flags"},
      {"SCM_TIMESTAMPING", "software transformed hardware"},
      {"SO_TIMESTAMPING_OLD", "software transformed hardware"},
      {"SO_TIMESTAMPING_NEW", "software transformed hardware"},
      {"SCM_TIMESTAMPING_PKTINFO", "if_index pkt_length"},
      {"IP_PKTINFO", "ifindex spec_dst addr"},
      {"IP_RECVERR", "errno origin type code info data offender"},
      {"IPV6_RECVERR", "errno origin type code info data offender"},
      {"IPV6_PKTINFO", "addr interface"},
      {"IPV6_2292PKTINFO", "addr interface"},
      {"IPV6_PATHMTU", "addr mtu"},
      {"PACKET_AUXDATA", "status len snaplen mac net vlan_tci vlan_tpid"},
      {"PACKET_TX_TIMESTAMP", "errno origin type code info data"},
      {"NETLINK_PKTINFO", "group"},
      {"VSOCK_RECVERR", "errno origin type code info data"},
      {"SCM_CAN_RAW_ERRQUEUE", "errno origin type code info data"},
      {"SCM_J1939_ERRQUEUE", "errno origin type code info data"},
      {"TIPC_DESTNAME", "type lower upper"},
      {"TIPC_ERRINFO", "error length"},
      {"SCTP_AUTHINFO", "keynumber"},
      {"SCTP_INIT", "num_ostreams max_instreams max_attempts max_init_timeo"},
      {"SCTP_NXTINFO", "sid flags ppid length assoc_id"},
      {"SCTP_PRINFO", "policy value"},
      {"SCTP_RCVINFO", "sid ssn flags ppid tsn cumtsn context assoc_id"},
      {"SCTP_SNDINFO", "sid flags ppid context assoc_id"},
      {"SCTP_SNDRCV", "stream ssn flags ppid context timetolive tsn cumtsn assoc_id"},
      {"RDS_CMSG_ATOMIC_CSWP", "cookie local_addr remote_addr compare swap compare_mask swap_mask flags user_token"},
      {"RDS_CMSG_ATOMIC_FADD", "cookie local_addr remote_addr compare swap compare_mask swap_mask flags user_token"},
      {"RDS_CMSG_MASKED_ATOMIC_CSWP",
       "cookie local_addr remote_addr compare swap compare_mask swap_mask flags user_token"},
      {"RDS_CMSG_MASKED_ATOMIC_FADD",
       "cookie local_addr remote_addr compare swap compare_mask swap_mask flags user_token"},
      {"RDS_CMSG_RDMA_ARGS", "cookie remote_vec local_vec_addr nr_local flags user_token"},
      {"RDS_CMSG_RDMA_MAP", "vec cookie_addr flags"},
      {"RDS_CMSG_RDMA_STATUS", "user_token status"},
      {"RDS_CMSG_RXPATH_LATENCY", "rx_traces rx_trace_pos rx_trace"},
      {"RDS_CMSG_ZCOPY_COMPLETION", "num cookies"},
      {"RXRPC_CHALLENGED", "base enctype"},
      {"LLC_OPT_PKTINFO", "ifindex sap mac"},
      {"BT_SCM_ERROR", "errno origin type code info data"},
  };
  std::size_t records = 0;
  for (const ControlInfo &info : controls())
    for (const ValueType *type : {info.received, info.sent}) {
      if (type == nullptr || type->kind != Kind::record)
        continue;
      CAPTURE(TextView(info.name));
      std::string names;
      for (std::uint32_t i = 0; i < type->field_count; ++i)
        names += (i == 0 ? "" : " ") + std::string(type->fields[i].name);
      REQUIRE(wanted.contains(info.name));
      CHECK(names == wanted.at(info.name));
      records += type == info.received || info.received == nullptr;
    }
  CHECK(records == wanted.size());
}

TEST_CASE("which fields are interfaces, and which are addresses in the caller's memory") {
  std::set<std::string> interfaces, pointers;
  const std::function<void(const std::string &, const ValueType &)> visit = [&](const std::string &name,
                                                                                const ValueType &type) {
    if (type.layout == Layout::interface)
      interfaces.insert(name);
    if (type.layout == Layout::pointer)
      pointers.insert(name);
    for (std::uint32_t i = 0; i < type.field_count; ++i)
      visit(name + "." + type.fields[i].name, type.fields[i].type);
  };
  for (const ControlInfo &info : controls())
    for (const ValueType *type : {info.received, info.sent})
      if (type != nullptr)
        visit(info.name, *type);
  CHECK(interfaces == std::set<std::string>{"SCM_TIMESTAMPING_PKTINFO.if_index", "IP_PKTINFO.ifindex",
                                            "IPV6_PKTINFO.interface", "IPV6_2292PKTINFO.interface",
                                            "LLC_OPT_PKTINFO.ifindex"});
  CHECK(pointers == std::set<std::string>{"RDS_CMSG_ATOMIC_CSWP.local_addr", "RDS_CMSG_ATOMIC_FADD.local_addr",
                                          "RDS_CMSG_MASKED_ATOMIC_CSWP.local_addr",
                                          "RDS_CMSG_MASKED_ATOMIC_FADD.local_addr",
                                          "RDS_CMSG_RDMA_ARGS.local_vec_addr", "RDS_CMSG_RDMA_ARGS.remote_vec.addr",
                                          "RDS_CMSG_RDMA_MAP.vec.addr", "RDS_CMSG_RDMA_MAP.cookie_addr"});
}

TEST_CASE("the same value as the typed one") {
  Room control;
  VALUE(control.append(cmsg::ip::tos, 0xb8));
  VALUE(control.append(cmsg::ip::pktinfo, in_pktinfo{3, {htonl(0xc0000201)}, {}}));
  VALUE(control.append(cmsg::ipv6::flowinfo, 0x12345));
  VALUE(control.append(cmsg::ipv6::hopopts, "\1\2"));
  VALUE(control.append(SOL_SOCKET, SCM_TIMESTAMP, std::string(16, '\0')));
  VALUE(control.append(SOL_SOCKET, 3, "label"));
  std::string values;
  for (ControlMessage message : control)
    values += printed(VALUE(control_info(message.level(), message.type()).value(message))) + " ";
  CHECK(values == "184 {ifindex=3, spec_dst=192.0.2.1, addr=0.0.0.0} 74565 0x0102 0s \"label\" ");
}

// --- what is refused --------------------------------------------------------------------------------------

TEST_CASE("a record that lacks a field or has one too many is refused, and the buffer stays as it is") {
  const Change lacking = [](const ValueType &type, const Value &) {
    std::vector<Value> bad;
    for (std::uint32_t left_out = 0; type.kind == Kind::record && left_out < type.field_count; ++left_out) {
      Value record = Value::record();
      int number = 0;
      for (std::uint32_t i = 0; i < type.field_count; ++i)
        if (i != left_out)
          record.set(type.fields[i].name, made_of(type.fields[i].type, number));
      bad.push_back(std::move(record));
    }
    if (type.kind == Kind::record) {
      int number = 0;
      bad.push_back(made_of(type, number).set("one too many", 1));
    }
    return bad;
  };
  std::size_t count = 0;
  for (const ControlInfo &info : controls())
    if (info.sent != nullptr)
      altered(*info.sent, lacking, [&](Value bad) {
        check_refused(info, bad, EINVAL);
        ++count;
      });
  CHECK(count > 80);
}

TEST_CASE("a number out of range is refused, in every field, and the buffer stays as it is") {
  const Change beyond = [](const ValueType &type, const Value &) {
    std::vector<Value> bad;
    if (type.kind != Kind::integer || type.layout == Layout::pointer)
      return bad;
    const unsigned bits = 8 * type.size;
    if (type.is_signed) {
      if (bits < 64) {
        bad.emplace_back(std::int64_t{1} << (bits - 1));
        bad.emplace_back(-(std::int64_t{1} << (bits - 1)) - 1);
      }
      bad.emplace_back(UINT64_MAX);
    } else {
      if (bits < 64)
        bad.emplace_back(std::uint64_t{1} << bits);
      bad.emplace_back(-1);
      bad.emplace_back(INT64_MIN);
    }
    return bad;
  };
  std::size_t count = 0;
  for (const ControlInfo &info : controls())
    if (info.sent != nullptr)
      altered(*info.sent, beyond, [&](Value bad) {
        check_refused(info, bad, ERANGE);
        ++count;
      });
  CHECK(count > 150);
}

TEST_CASE("a value of the wrong kind is refused, in every field, and the buffer stays as it is") {
  const Change wrong = [](const ValueType &type, const Value &) {
    std::vector<Value> bad;
    const auto offer = [&](Value value, std::initializer_list<Kind> accepted) {
      for (Kind kind : accepted)
        if (kind == type.kind)
          return;
      if (type.layout != Layout::interface || value.kind() != Kind::text)
        bad.push_back(std::move(value));
    };
    offer(Value(), {});
    offer(true, {Kind::boolean});
    offer(5, {Kind::integer, Kind::boolean});
    offer(Seconds(5), {Kind::duration});
    offer("192.0.2.1", {Kind::text, Kind::bytes, Kind::address});
    offer(Value::bytes("5"), {Kind::bytes});
    offer(SocketAddress(Inet4Address{}), {Kind::address});
    offer(Value::record().set("nothing", 5), {});
    offer(Value::list().append("5"), {});
    offer(Value(FileDescriptor()), {});
    return bad;
  };
  std::size_t count = 0;
  for (const ControlInfo &info : controls())
    if (info.sent != nullptr)
      altered(*info.sent, wrong, [&](Value bad) {
        check_refused(info, bad, EINVAL);
        ++count;
      });
  CHECK(count > 500);
}

TEST_CASE("what is no number but does not fit either") {
  check_refused(named("SCM_TXTIME"), Nanoseconds(-1), EDOM);
  check_refused(
      named("SCTP_SNDRCV"),
      [] {
        int number = 0;
        return made_of(*named("SCTP_SNDRCV").sent, number).set("timetolive", Seconds(5'000'000));
      }(),
      EDOM);
  check_refused(named("IP_PKTINFO"), Value::record().set("ifindex", 1).set("spec_dst", "::1").set("addr", "::"),
                EINVAL);
  check_refused(
      named("RDS_CMSG_RDMA_MAP"),
      [] {
        int number = 0;
        return made_of(*named("RDS_CMSG_RDMA_MAP").sent, number).set("cookie_addr", 4096);
      }(),
      EINVAL); // an address in this process
  Room control;
  VALUE(
      named("IP_PKTINFO")
          .append(control, Value::record().set("ifindex", "lo").set("spec_dst", "192.0.2.1").set("addr", "0.0.0.0")));
  const in_pktinfo info = VALUE(control.get(cmsg::ip::pktinfo));
  CHECK(info.ipi_ifindex == static_cast<int>(VALUE(Interface::from_name("lo")).index()));
  CHECK(ntohl(info.ipi_spec_dst.s_addr) == 0xc0000201);
}

TEST_CASE("a value for which there was no memory: ENOMEM") {
  for (const ControlInfo &info : controls())
    if (info.sent != nullptr)
      check_refused(info, Value::failed(), ENOMEM);
  int number = 0;
  check_refused(named("SCTP_SNDINFO"), made_of(*named("SCTP_SNDINFO").sent, number).set("sid", Value::failed()),
                ENOMEM);
  check_refused(named("SCM_RIGHTS"), Value::list().append(Value::failed()), ENOMEM);
}

TEST_CASE("without room a message is not there at all: ENOBUFS") {
  ControlBuffer<control_space(cmsg::ip::ttl)> control;
  CHECK_ERROR(named("IP_PKTINFO")
                  .append(control,
                          [] {
                            int number = 0;
                            return made_of(*named("IP_PKTINFO").sent, number);
                          }()),
              ENOBUFS, append);
  CHECK(control.empty());
  VALUE(named("IP_TTL").append(control, 64));
  CHECK_ERROR(named("IP_TTL").append(control, 64), ENOBUFS, append);
  CHECK(control.size() == CMSG_SPACE(sizeof(int)));
}

TEST_CASE("value() of a message of another kind is ENOMSG, of one that is too short EINVAL or ENOBUFS") {
  Room control;
  VALUE(control.append(cmsg::ip::ttl, 64));
  clear_error();
  for (const ControlInfo &info : controls()) {
    if (info.received == nullptr || (info.level == IPPROTO_IP && info.type == IP_TTL))
      continue;
    CAPTURE(TextView(info.name));
    auto value = info.value(*control.begin());
    REQUIRE_FALSE(value.has_value());
    CHECK(value.error() == Error(ENOMSG, Operation::as));
  }
  for (std::size_t i = 0; i < controls().size(); ++i) {
    const ControlInfo &info = controls()[i];
    if (info.received == nullptr || rows[i].size == 0)
      continue;
    CAPTURE(TextView(info.name));
    control.clear();
    VALUE(control.append(info.level, info.type, std::string(rows[i].size - 1, '\0')));
    auto value = info.value(*control.begin());
    REQUIRE_FALSE(value.has_value());
    CHECK(value.error() == Error(EINVAL, Operation::as));
  }
  CHECK_FALSE(last_error());
  // Truncated by the kernel.
  Socket from = VALUE(Socket::socket(AF_INET, SOCK_DGRAM)), to = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  VALUE(to.bind(Inet4Address{INADDR_LOOPBACK, 0}));
  VALUE(to.setsockopt(ip::pktinfo, true));
  VALUE(from.sendto("data", VALUE(to.getsockname())));
  ControlBuffer<CMSG_LEN(8)> little;
  receive(to, little);
  auto cut = named("IP_PKTINFO").value(*little.begin());
  REQUIRE_FALSE(cut.has_value());
  CHECK(cut.error() == Error(ENOBUFS, Operation::as));
}

// --- the kernel -------------------------------------------------------------------------------------------

TEST_CASE("sent and received through the kernel, by names alone") {
  Socket from = VALUE(Socket::socket(AF_INET, SOCK_DGRAM)), to = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  VALUE(to.bind(Inet4Address{INADDR_LOOPBACK, 0}));
  VALUE(to.setsockopt(ip::recvtos, true));
  VALUE(to.setsockopt(ip::recvttl, true));
  VALUE(to.setsockopt(ip::pktinfo, true));
  const SocketAddress at = VALUE(to.getsockname());
  Room control;
  VALUE(named("IP_TTL").append(control, 42));
  VALUE(named("IP_TOS").append(control, 0xb8));
  CHECK(VALUE(send_with(from, control, &at)) == 4);
  receive(to, control);
  std::map<std::string, std::string> values;
  for (ControlMessage message : control) {
    const ControlInfo info = control_info(message.level(), message.type());
    values[info.name] = printed(VALUE(info.value(message)));
  }
  const std::string lo = std::to_string(VALUE(Interface::from_name("lo")).index());
  CHECK(values == std::map<std::string, std::string>{
                      {"IP_TOS", "184"},
                      {"IP_TTL", "42"},
                      {"IP_PKTINFO", "{ifindex=" + lo + ", spec_dst=127.0.0.1, addr=127.0.0.1}"}});
}

TEST_CASE("descriptors: sent from a list of integers, received as a list that owns them") {
  NoLeak no_leak;
  auto [a, b] = unix_pair();
  const ControlInfo &rights = named("SCM_RIGHTS");
  CHECK(rights.sent->element->kind == Kind::integer);
  CHECK(rights.received->element->kind == Kind::descriptor);
  Room control;
  VALUE(rights.append(control, Value::list().append(a.fd()).append(b.fd()).append(a.fd())));
  CHECK(VALUE(send_with(a, control)) == 4);
  const std::size_t before = open_descriptors();
  receive(b, control);
  CHECK(open_descriptors() == before + 3);
  Value list = VALUE(rights.value(*control.begin()));
  REQUIRE(list.kind() == Kind::list);
  REQUIRE(list.size() == 3);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(list[i].kind() == Kind::descriptor);
  // They are the value's now, and no longer the buffer's.
  control.clear();
  CHECK(open_descriptors() == before + 3);
  list = Value();
  CHECK(open_descriptors() == before);
  // A second value of one message has none left.
  VALUE(rights.append(control, Value::list().append(a.fd())));
  CHECK(VALUE(send_with(a, control)) == 4);
  receive(b, control);
  Value first = VALUE(rights.value(*control.begin()));
  Value second = VALUE(rights.value(*control.begin()));
  CHECK(open_descriptors() == before + 1);
  REQUIRE(second.size() == 1);
  auto none = Value(std::move(second)).size();
  CHECK(none == 1);
  // Those of a message to be sent stay the caller's.
  control.clear();
  VALUE(rights.append(control, Value::list().append(a.fd())));
  Value own = VALUE(rights.value(*control.begin()));
  own = Value();
  CHECK(::fcntl(a.fd(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("descriptors that are none, or too many") {
  auto [a, b] = unix_pair();
  const ControlInfo &rights = named("SCM_RIGHTS");
  check_refused(rights, Value::list().append(1LL << 31), ERANGE);
  check_refused(rights, Value::list().append("1"), EINVAL);
  check_refused(rights, 1, EINVAL);
  NoLeak no_leak;
  check_refused(rights, Value::list().append(Value(FileDescriptor(::fcntl(a.fd(), F_DUPFD_CLOEXEC, 0)))), EINVAL);
  Value many = Value::list();
  for (int i = 0; i < 254; ++i)
    many.append(a.fd());
  ControlBuffer<control_space(cmsg::scm::rights, 300)> control;
  CHECK_ERROR(rights.append(control, many), EINVAL, append);
  CHECK(control.empty());
  VALUE(rights.append(control, Value::list()));
  CHECK(control.size() == CMSG_SPACE(0));
}

// --- kinds of one's own -----------------------------------------------------------------------------------

namespace {
constexpr ControlKind<my_pair> mine{1000, 1, "MY_PAIR"};
constexpr ControlKind<Doubled> doubled{1000, 2, "MY_DOUBLED"};
constexpr ControlKind<int, Direction::receive> only_received{1000, 3, "MY_RECEIVED"};
constexpr ControlKind<int, Direction::send> only_sent{1000, 4, "MY_SENT"};
constexpr ControlKind<std::array<std::byte, 3>> opaque{1000, 5, "MY_BYTES"};
constexpr ControlKind<stored::Descriptors> passed{1000, 6, "MY_DESCRIPTORS"};
constexpr ControlInfo mine_info(mine);
} // namespace

TEST_CASE("a ControlKind of one's own becomes a ControlInfo") {
  CHECK(TextView(mine_info.name) == "MY_PAIR");
  CHECK(mine_info.level == 1000);
  CHECK(mine_info.type == 1);
  CHECK(mine_info.direction == Direction::both);
  Room control;
  VALUE(mine_info.append(control, Value::record().set("first", 65535).set("second", -1)));
  CHECK(VALUE(control.get(mine)).first == 65535);
  CHECK(VALUE(control.get(mine)).second == -1);
  CHECK(hex((*control.begin()).bytes()) == "ffff0000ffffffff"); // zeros in the padding
  CHECK(printed(VALUE(mine_info.value(*control.begin()))) == "{first=65535, second=-1}");
  check_refused(mine_info, Value::record().set("first", 65536).set("second", -1), ERANGE);
  check_refused(mine_info, Value::record().set("first", 1), EINVAL);

  control.clear();
  const ControlInfo doubled_info(doubled);
  VALUE(doubled_info.append(control, 21));
  const int twice = 42;
  CHECK(hex((*control.begin()).bytes()) == hex({&twice, sizeof twice}));
  CHECK(VALUE(doubled_info.value(*control.begin())) == Value(21));

  const ControlInfo received_info(only_received), sent_info(only_sent);
  CHECK(received_info.sent == nullptr);
  CHECK(sent_info.received == nullptr);
  CHECK_ERROR(received_info.append(control, 1), EINVAL, append);
  control.clear();
  VALUE(sent_info.append(control, 1));
  CHECK_ERROR(sent_info.value(*control.begin()), EINVAL, as);

  const ControlInfo opaque_info(opaque);
  CHECK(opaque_info.sent->kind == Kind::bytes);
  control.clear();
  VALUE(opaque_info.append(control, Value::bytes("abc")));
  CHECK(VALUE(opaque_info.value(*control.begin())) == Value::bytes("abc"));
  check_refused(opaque_info, Value::bytes("abcd"), ENAMETOOLONG);

  const ControlInfo passed_info(passed);
  CHECK(passed_info.received->kind == Kind::list);
  control.clear();
  VALUE(passed_info.append(control, Value::list().append(7)));
  CHECK(VALUE(control.get(passed))[0] == 7);
}

TEST_CASE("the constant of every kind is known by name") {
  for (const ControlInfo &kind : controls()) {
    CAPTURE(kind.name);
    const Constant *constant = find_constant(kind.name);
    REQUIRE(constant != nullptr);
    CHECK(constant->value == kind.type);
  }
}

TEST_SUITE_END();
