// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <linux/filter.h>
#include <random>
#include <set>
#include <typeinfo>
#include <vector>

using namespace baresock;

template <class... T>
struct Structs {};
/// Every struct that has fields.
using EveryStruct =
    Structs<Linger, PortRange, sock_filter, dmabuf_cmsg, dmabuf_token, group_req, group_source_req, icmp_filter,
            in_pktinfo, ip_mreq_source, ip_mreqn, scm_ts_pktinfo, sk_meminfo, so_timestamping, sock_extended_err,
            sock_txtime, ucred, ipv6_mreq, in6_pktinfo, ip6_mtuinfo, in6_flowlabel_req, icmp6_filter, tcp_info,
            tcp_md5sig, tcp_repair_opt, tcp_repair_window, tcp_zerocopy_receive, tcp_ao_add, tcp_ao_del,
            tcp_ao_info_opt, tcp_ao_getsockopt, tcp_ao_repair, mptcp_info, mptcp_subflow_data, mptcp_subflow_addrs,
            mptcp_subflow_info, mptcp_full_info, tls_crypto_info, can_filter, can_isotp_fc_options,
            can_isotp_ll_options, can_isotp_options, can_raw_vcid_options, fanout_args, j1939_filter, llc_pktinfo,
            nl_pktinfo, packet_mreq, rds_iovec, rds_atomic_args, rds_cmsg_rx_trace, rds_free_mr_args, rds_get_mr_args,
            rds_get_mr_for_dest_args, rds_rdma_args, rds_rdma_notify, rds_rx_trace_so, rds_zcopy_cookies,
            rxrpc_challenge, rxgk_challenge, sctp_add_streams, sctp_assoc_stats, sctp_assoc_value, sctp_assocparams,
            sctp_authchunk, sctp_authinfo, sctp_authkeyid, sctp_default_prinfo, sctp_event, sctp_event_subscribe,
            sctp_getaddrs_old, sctp_initmsg, sctp_nxtinfo, sctp_paddrinfo, sctp_paddrparams, sctp_paddrthlds,
            sctp_paddrthlds_v2, sctp_prim, sctp_prinfo, sctp_probeinterval, sctp_prstatus, sctp_rcvinfo, sctp_rtoinfo,
            sctp_sack_info, sctp_setadaptation, sctp_setpeerprim, sctp_sndinfo, sctp_sndrcvinfo, sctp_status,
            sctp_stream_value, sctp_udpencaps, tfrc_rx_info, tfrc_tx_info, tipc_errinfo, tipc_group_req,
            tipc_service_range, tpacket_auxdata, tpacket_req3, tpacket_rollover_stats, tpacket_stats_v3,
            xdp_ring_offset, xdp_mmap_offsets, xdp_options, xdp_statistics, xdp_umem_reg>;

/// A struct of the test's own, with a field of every kind.
struct Everything {
  std::uint8_t flag;
  std::int8_t i8;
  std::int16_t i16;
  std::int32_t i32;
  std::int64_t i64;
  std::uint8_t u8;
  std::uint16_t u16;
  std::uint32_t u32;
  std::uint64_t u64;
  std::uint16_t network16;
  std::uint32_t network32;
  std::uint64_t network64;
  std::uint32_t milliseconds;
  std::int32_t seconds;
  std::uint8_t bits;
  unsigned interface;
  std::uint64_t pointer;
  in_addr v4;
  in6_addr v6;
  sockaddr_in sin;
  sockaddr_in6 sin6;
  sockaddr_storage storage;
  SocketAddress address;
  Seconds duration;
  bool boolean;
  char text[8];
  unsigned char bytes[4];
  std::uint16_t numbers[3];
  linger inner;
  linger pair[2];
  int unnamed; // not a field
};

template <>
inline constexpr Field baresock::fields<linger>[] = {
    BARESOCK_FIELD_AS(linger, l_onoff, "onoff", stored::Flag),
    BARESOCK_FIELD(linger, l_linger, "linger"),
};

template <>
inline constexpr Field baresock::fields<Everything>[] = {
    BARESOCK_FIELD_AS(Everything, flag, "flag", stored::Flag),
    BARESOCK_FIELD(Everything, i8, "i8"),
    BARESOCK_FIELD(Everything, i16, "i16"),
    BARESOCK_FIELD(Everything, i32, "i32"),
    BARESOCK_FIELD(Everything, i64, "i64"),
    BARESOCK_FIELD(Everything, u8, "u8"),
    BARESOCK_FIELD(Everything, u16, "u16"),
    BARESOCK_FIELD(Everything, u32, "u32"),
    BARESOCK_FIELD(Everything, u64, "u64"),
    BARESOCK_FIELD_AS(Everything, network16, "network16", stored::NetworkOrder<std::uint16_t>),
    BARESOCK_FIELD_AS(Everything, network32, "network32", stored::NetworkOrder<std::uint32_t>),
    BARESOCK_FIELD_AS(Everything, network64, "network64", stored::NetworkOrder<std::uint64_t>),
    BARESOCK_FIELD_AS(Everything, milliseconds, "milliseconds", stored::Count<1000>),
    BARESOCK_FIELD_AS(Everything, seconds, "seconds", stored::Count<1>),
    BARESOCK_BITS("low", offsetof(Everything, bits), 0, 3),
    BARESOCK_BITS("high", offsetof(Everything, bits), 4, 4),
    BARESOCK_FIELD_AS(Everything, interface, "interface", Interface),
    BARESOCK_FIELD_AS(Everything, pointer, "pointer", stored::Pointer),
    BARESOCK_FIELD(Everything, v4, "v4"),
    BARESOCK_FIELD(Everything, v6, "v6"),
    BARESOCK_FIELD(Everything, sin, "sin"),
    BARESOCK_FIELD(Everything, sin6, "sin6"),
    BARESOCK_FIELD(Everything, storage, "storage"),
    BARESOCK_FIELD(Everything, address, "address"),
    BARESOCK_FIELD(Everything, duration, "duration"),
    BARESOCK_FIELD(Everything, boolean, "boolean"),
    BARESOCK_FIELD(Everything, text, "text"),
    BARESOCK_FIELD(Everything, bytes, "bytes"),
    BARESOCK_FIELD(Everything, numbers, "numbers"),
    BARESOCK_FIELD(Everything, inner, "inner"),
    BARESOCK_FIELD(Everything, pair, "pair"),
};

namespace {

using Value = OptionValue;
using Layout = ValueType::Layout;

/// Sets every byte, and the pointers to zero.
Everything everything() {
  Everything object;
  std::memset(static_cast<void *>(&object), 0x11, sizeof object);
  object.flag = 1;
  object.i8 = -8;
  object.i16 = -1616;
  object.i32 = -32'32'32'32;
  object.i64 = -64'64'64'64'64'64;
  object.u8 = 200;
  object.u16 = 60'000;
  object.u32 = 4'000'000'000;
  object.u64 = 0xfedcba9876543210;
  object.network16 = htons(0x1234);
  object.network32 = htonl(0x12345678);
  object.network64 = std::uint64_t{htonl(0x89abcdef)} << 32 | htonl(0x01234567);
  if (htonl(1) == 1)
    object.network64 = 0x0123456789abcdef;
  object.milliseconds = 1500;
  object.seconds = 7;
  object.bits = htonl(1) == 1 ? 0b1011'0110 : 0b1101'0101;
  object.interface = 77;
  object.pointer = 0;
  object.v4.s_addr = htonl(0xc0000201);
  object.v6 = in6addr_loopback;
  std::memcpy(&object.sin, SocketAddress(Inet4Address{INADDR_LOOPBACK, 80}).data(), sizeof object.sin);
  std::memcpy(&object.sin6, SocketAddress(Inet6Address{in6addr_loopback, 443}).data(), sizeof object.sin6);
  std::memcpy(&object.storage, SocketAddress(Inet4Address{INADDR_ANY, 22}).data(), sizeof(sockaddr_in));
  object.address = SocketAddress(NetlinkAddress{5, 6});
  object.duration = Seconds(9);
  object.boolean = true;
  std::memcpy(object.text, "text\0xx", 8);
  std::memcpy(object.bytes, "\0\1\2\3", 4);
  object.numbers[0] = 1;
  object.numbers[1] = 2;
  object.numbers[2] = 65535;
  object.inner = {1, -5};
  object.pair[0] = {0, 6};
  object.pair[1] = {1, 7};
  object.unnamed = 4711;
  return object;
}

Value field(const char *name) {
  const Value record = to_value(everything());
  const Value *found = record.find(name);
  REQUIRE(found != nullptr);
  Value copy = Value::list(); // the value itself can only be moved
  if (found->kind() == Value::Kind::integer)
    return found->negative() ? Value(*found->integer()) : Value(*found->unsigned_integer());
  if (found->kind() == Value::Kind::boolean)
    return *found->boolean();
  if (found->kind() == Value::Kind::duration)
    return *found->duration();
  if (found->kind() == Value::Kind::text)
    return *found->text();
  if (found->kind() == Value::Kind::bytes)
    return Value::bytes(*found->bytes());
  if (found->kind() == Value::Kind::address)
    return *found->address();
  FAIL("no simple value");
  return copy;
}

bool same_bytes(const void *a, const void *b, std::size_t size) { return std::memcmp(a, b, size) == 0; }

/// from_value into an object of T that has to stay as it is.
template <class T>
Result<void> refused(const Value &value, T object) {
  T before;
  std::memcpy(static_cast<void *>(&before), static_cast<const void *>(&object), sizeof before);
  auto result = from_value(value, object);
  CHECK(same_bytes(&before, &object, sizeof before));
  return result;
}

template <class T>
T written(const Value &value, T object = {}) {
  VALUE(from_value(value, object));
  return object;
}

} // namespace

TEST_SUITE_BEGIN("fields");

// --- simple objects -------------------------------------------------------------------------------------

TEST_CASE("booleans") {
  CHECK(to_value(true) == Value(true));
  CHECK(to_value(false) == Value(false));
  CHECK(written<bool>(true));
  CHECK_FALSE(written<bool>(Value(false), true));
  CHECK(written<bool>(256)); // an integer, too: is it not zero?
  CHECK_FALSE(written<bool>(Value(0), true));
  CHECK_ERROR(refused(Value("true"), false), EINVAL, option_value);
  CHECK_ERROR(refused(Value(), false), EINVAL, option_value);
}

TEST_CASE_TEMPLATE("integers up to their limits", T, std::int8_t, std::int16_t, std::int32_t, std::int64_t,
                   std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, long long, unsigned long long) {
  using Limits = std::numeric_limits<T>;
  constexpr T some = 101;
  for (T number : {Limits::min(), Limits::max(), T{0}, T{1}, some}) {
    CAPTURE(number);
    CHECK(to_value(number) == Value(number));
    CHECK(written<T>(Value(number)) == number);
  }
  if constexpr (sizeof(T) < 8) {
    CHECK_ERROR(refused(Value(std::int64_t{Limits::max()} + 1), some), ERANGE, option_value);
    CHECK_ERROR(refused(Value(std::int64_t{Limits::min()} - 1), some), ERANGE, option_value);
    CHECK_ERROR(refused(Value(INT64_MAX), some), ERANGE, option_value);
    CHECK_ERROR(refused(Value(INT64_MIN), some), ERANGE, option_value);
  } else if constexpr (std::is_signed_v<T>) {
    CHECK_ERROR(refused(Value(std::uint64_t{INT64_MAX} + 1), some), ERANGE, option_value);
  } else {
    CHECK_ERROR(refused(Value(-1), some), ERANGE, option_value);
  }
  CHECK_ERROR(refused(Value(true), some), EINVAL, option_value);
  CHECK_ERROR(refused(Value(Seconds(1)), some), EINVAL, option_value);
  CHECK_ERROR(refused(Value("1"), some), EINVAL, option_value);
  CHECK_ERROR(refused(Value(), some), EINVAL, option_value);
  CHECK_ERROR(refused(Value::failed(), some), ENOMEM, option_value);
}

TEST_CASE("durations") {
  CHECK(to_value(Seconds(5)) == Value(Seconds(5)));
  CHECK(to_value(Milliseconds(5)) == Value(Milliseconds(5)));
  CHECK(to_value(Microseconds(5)) == Value(Microseconds(5)));
  CHECK(to_value(Seconds(-5)) == Value(Seconds(-5)));
  CHECK(written<Seconds>(Seconds(5)) == Seconds(5));
  CHECK(written<Seconds>(Nanoseconds(1)) == Seconds(1));
  CHECK(written<Milliseconds>(Nanoseconds(2'000'001)) == Milliseconds(3));
  CHECK(written<Nanoseconds>(Nanoseconds(1)) == Nanoseconds(1));
  CHECK(written<Seconds>(Value(Seconds(0)), Seconds(3)) == Seconds(0));
  CHECK_ERROR(refused(Value(Seconds(-1)), Seconds(3)), EDOM, option_value);
  CHECK_ERROR(refused(Value(Nanoseconds(-1)), Seconds(3)), EDOM, option_value);
  CHECK_ERROR(refused(Value(Nanoseconds::max()), Seconds(3)), EDOM, option_value);
  CHECK_ERROR(refused(Value(5), Seconds(3)), EINVAL, option_value);
}

TEST_CASE("interfaces, by index and by name") {
  const unsigned lo = VALUE(Interface::from_name("lo")).index();
  CHECK(to_value(Interface(7)) == Value(7));
  CHECK(to_value(Interface(4'000'000'000)) == Value(4'000'000'000));
  CHECK(written<Interface>(7) == Interface(7));
  CHECK(written<Interface>("lo") == Interface(lo));
  CHECK_ERROR(refused(Value("nonesuch0"), Interface(3)), ENODEV, if_nametoindex);
  CHECK_ERROR(refused(Value("0123456789abcdef"), Interface(3)), ENAMETOOLONG, if_nametoindex);
  CHECK_ERROR(refused(Value(TextView("lo\0", 3)), Interface(3)), EINVAL, if_nametoindex);
  CHECK_ERROR(refused(Value(-1), Interface(3)), ERANGE, option_value);
  CHECK_ERROR(refused(Value(1LL << 32), Interface(3)), ERANGE, option_value);
  CHECK_ERROR(refused(Value(true), Interface(3)), EINVAL, option_value);
  CHECK_ERROR(refused(Value::bytes("lo"), Interface(3)), EINVAL, option_value);
}

TEST_CASE("addresses") {
  const in_addr v4 = {htonl(0xc0000201)};
  CHECK(to_value(v4) == Value(SocketAddress(Inet4Address{0xc0000201})));
  CHECK(written<in_addr>("192.0.2.1").s_addr == v4.s_addr);
  CHECK(written<in_addr>(SocketAddress(Inet4Address{0xc0000201})).s_addr == v4.s_addr);
  CHECK_ERROR(refused(Value("192.0.2.1:80"), v4), EINVAL, option_value); // there is no room for a port
  CHECK_ERROR(refused(Value("::1"), v4), EINVAL, option_value);
  CHECK_ERROR(refused(Value(SocketAddress()), v4), EINVAL, option_value);
  CHECK_ERROR(refused(Value("nonsense"), v4), EINVAL, parse);
  CHECK_ERROR(refused(Value(0x7f000001), v4), EINVAL, option_value);
  CHECK_ERROR(refused(Value::bytes("\x7f\0\0\1"), v4), EINVAL, option_value);

  CHECK(to_value(in6addr_loopback) == Value(SocketAddress(Inet6Address{in6addr_loopback})));
  in6_addr v6 = written<in6_addr>("2001:db8::1");
  CHECK(to_value(v6) == Value(VALUE(SocketAddress::parse("2001:db8::1"))));
  CHECK_ERROR(refused(Value("[2001:db8::2]:80"), v6), EINVAL, option_value);
  CHECK_ERROR(refused(Value("fe80::1%lo"), v6), EINVAL, option_value); // nor for a scope
  CHECK_ERROR(refused(Value("192.0.2.1"), v6), EINVAL, option_value);

  sockaddr_in sin = written<sockaddr_in>("192.0.2.1:80");
  CHECK(sin.sin_family == AF_INET);
  CHECK(sin.sin_port == htons(80));
  CHECK(sin.sin_addr.s_addr == v4.s_addr);
  CHECK(to_value(sin) == Value(VALUE(SocketAddress::parse("192.0.2.1:80"))));
  CHECK_ERROR(refused(Value("[2001:db8::1]:80"), sin), EINVAL, option_value); // longer
  CHECK_ERROR(refused(Value("/a/path/of/a/unix/socket"), sin), EINVAL, option_value);

  sockaddr_in6 sin6 = written<sockaddr_in6>("[2001:db8::1]:80");
  CHECK(sin6.sin6_family == AF_INET6);
  CHECK(sin6.sin6_port == htons(80));
  CHECK(to_value(sin6) == Value(VALUE(SocketAddress::parse("[2001:db8::1]:80"))));
  CHECK(to_value(written<sockaddr_in6>(Value("192.0.2.1:80"), sin6)) ==
        Value(VALUE(SocketAddress::parse("192.0.2.1:80")))); // shorter

  sockaddr_storage storage;
  std::memset(&storage, 0xff, sizeof storage);
  storage = written(Value("192.0.2.1:80"), storage);
  CHECK(same_bytes(&storage, &sin, sizeof sin));
  const std::array<char, sizeof storage - sizeof sin> zeros = {};
  CHECK(same_bytes(reinterpret_cast<char *>(&storage) + sizeof sin, zeros.data(), zeros.size()));
  CHECK(to_value(storage) == Value(VALUE(SocketAddress::parse("192.0.2.1:80"))));
  storage = written(Value("/a/path"), storage);
  CHECK(to_value(storage) == Value(VALUE(SocketAddress::parse("/a/path"))));
  storage = written(Value(SocketAddress()), storage); // none: all zeros
  CHECK(same_bytes(&storage, zeros.data(), zeros.size()));
  CHECK(to_value(storage) == Value(SocketAddress()));
  CHECK_ERROR(refused(Value(5), storage), EINVAL, option_value);

  CHECK(to_value(SocketAddress(NetlinkAddress{1, 2})) == Value(SocketAddress(NetlinkAddress{1, 2})));
  CHECK(written<SocketAddress>("@abstract") == VALUE(SocketAddress::parse("@abstract")));
  CHECK_ERROR(from_value(Value(5), sin), EINVAL, option_value);
}

TEST_CASE("texts and bytes") {
  struct {
    char text[8];
  } before = {"1234567"};
  auto &text = before.text;
  CHECK(to_value(text) == Value("1234567"));
  VALUE(detail::write(detail::type_of<char[8]>, Value("abc"), text, false));
  CHECK(same_bytes(text, "abc\0\0\0\0", 8)); // nothing stays of what was longer
  CHECK(to_value(text) == Value("abc"));
  VALUE(detail::write(detail::type_of<char[8]>, Value(""), text, false));
  CHECK(to_value(text) == Value(""));
  CHECK_ERROR(detail::write(detail::type_of<char[8]>, Value("12345678"), text, false), ENAMETOOLONG, option_value);
  CHECK_ERROR(detail::write(detail::type_of<char[8]>, Value(TextView("a\0b", 3)), text, false), EINVAL, option_value);
  CHECK_ERROR(detail::write(detail::type_of<char[8]>, Value::bytes("abc"), text, false), EINVAL, option_value);
  CHECK_ERROR(detail::write(detail::type_of<char[8]>, Value(5), text, false), EINVAL, option_value);
  std::memcpy(text, "12345678", 8); // of the kernel, without a NUL
  CHECK(to_value(text) == Value("12345678"));

  unsigned char bytes[4] = {0, 1, 2, 255};
  CHECK(to_value(bytes) == Value::bytes(bytes));
  VALUE(detail::write(detail::type_of<unsigned char[4]>, Value::bytes("ab"), bytes, false));
  CHECK(same_bytes(bytes, "ab\0", 4));
  VALUE(detail::write(detail::type_of<unsigned char[4]>, Value("text"), bytes, false));
  CHECK(same_bytes(bytes, "text", 4));
  CHECK_ERROR(detail::write(detail::type_of<unsigned char[4]>, Value("12345"), bytes, false), ENAMETOOLONG,
              option_value);
  CHECK_ERROR(detail::write(detail::type_of<unsigned char[4]>, Value(5), bytes, false), EINVAL, option_value);
  CHECK(same_bytes(bytes, "text", 4));
  VALUE(detail::write(detail::type_of<unsigned char[4]>, Value::bytes({}), bytes, false));
  CHECK(same_bytes(bytes, "\0\0\0", 4));

  // What has no fields is its bytes.
  struct Unknown {
    int a;
    int b;
  } unknown = {1, 2};
  CHECK(to_value(unknown) == Value::bytes({&unknown, sizeof unknown}));
  Unknown other = written(Value::bytes({&unknown, sizeof unknown}), Unknown());
  CHECK(other.b == 2);
}

// --- a struct of our own ----------------------------------------------------------------------------------

TEST_CASE("a record of every kind of field") {
  CHECK(field("flag") == Value(true));
  CHECK(field("i8") == Value(-8));
  CHECK(field("i16") == Value(-1616));
  CHECK(field("i32") == Value(-32'32'32'32));
  CHECK(field("i64") == Value(-64'64'64'64'64'64));
  CHECK(field("u8") == Value(200));
  CHECK(field("u16") == Value(60'000));
  CHECK(field("u32") == Value(4'000'000'000));
  CHECK(field("u64") == Value(0xfedcba9876543210));
  CHECK(field("network16") == Value(0x1234));
  CHECK(field("network32") == Value(0x12345678));
  CHECK(field("network64") == Value(0x0123456789abcdef));
  CHECK(field("milliseconds") == Value(Milliseconds(1500)));
  CHECK(field("seconds") == Value(Seconds(7)));
  CHECK(field("low") == Value(5));
  CHECK(field("high") == Value(htonl(1) == 1 ? 6 : 13));
  CHECK(field("interface") == Value(77));
  CHECK(field("pointer") == Value(0));
  CHECK(field("v4") == Value(SocketAddress(Inet4Address{0xc0000201})));
  CHECK(field("v6") == Value(SocketAddress(Inet6Address{in6addr_loopback})));
  CHECK(field("sin") == Value(SocketAddress(Inet4Address{INADDR_LOOPBACK, 80})));
  CHECK(field("sin6") == Value(SocketAddress(Inet6Address{in6addr_loopback, 443})));
  CHECK(field("storage") == Value(SocketAddress(Inet4Address{INADDR_ANY, 22})));
  CHECK(field("address") == Value(SocketAddress(NetlinkAddress{5, 6})));
  CHECK(field("duration") == Value(Seconds(9)));
  CHECK(field("boolean") == Value(true));
  CHECK(field("text") == Value("text"));
  CHECK(field("bytes") == Value::bytes({"\0\1\2\3", 4}));
  const Value record = to_value(everything());
  CHECK(*record.find("numbers") == Value::list().append(1).append(2).append(65535));
  const auto inner = [](bool onoff, int seconds) {
    return Value::record().set("onoff", onoff).set("linger", seconds);
  };
  CHECK(*record.find("inner") == inner(true, -5));
  CHECK(*record.find("pair") == Value::list().append(inner(false, 6)).append(inner(true, 7)));
  CHECK(record.find("unnamed") == nullptr);
  REQUIRE(record.size() == std::size(fields<Everything>));
  for (std::size_t i = 0; i < record.size(); ++i)
    CHECK(record.name(i) == fields<Everything>[i].name);
}

TEST_CASE("a record back into the struct, and what is not named stays") {
  const Everything original = everything();
  const Value record = to_value(original);
  Everything object;
  std::memset(static_cast<void *>(&object), 0x77, sizeof object);
  object.unnamed = 42;
  VALUE(from_value(record, object));
  CHECK(object.unnamed == 42);
  CHECK((object.bits & (htonl(1) == 1 ? 0x10 : 0x08)) == (0x77 & (htonl(1) == 1 ? 0x10 : 0x08)));
  CHECK(to_value(object) == record);
  CHECK(object.i16 == -1616);
  CHECK(object.u64 == original.u64);
  CHECK(object.network16 == original.network16);
  CHECK(object.network64 == original.network64);
  CHECK(object.milliseconds == 1500);
  CHECK(object.pair[1].l_linger == 7);
  CHECK(same_bytes(&object.sin6, &original.sin6, sizeof object.sin6));
}

TEST_CASE("the order of a record's fields is free") {
  PortRange range;
  VALUE(from_value(Value::record().set("upper", 2).set("lower", 1), range));
  CHECK(range == PortRange{1, 2});
}

TEST_CASE("fields that do not fit are refused, and the whole struct stays") {
  const auto with = [](const char *name, Value value) {
    Value record = to_value(everything());
    record.set(name, std::move(value));
    return record;
  };
  const auto changed = [&](const char *name, Value value) {
    return refused(with(name, std::move(value)), everything());
  };
  CHECK_ERROR(changed("i8", 128), ERANGE, option_value);
  CHECK_ERROR(changed("u8", 256), ERANGE, option_value);
  CHECK_ERROR(changed("u16", -1), ERANGE, option_value);
  CHECK_ERROR(changed("network16", 0x10000), ERANGE, option_value);
  CHECK_ERROR(changed("network16", -1), ERANGE, option_value);
  CHECK_ERROR(changed("low", 8), ERANGE, option_value);
  CHECK_ERROR(changed("high", 16), ERANGE, option_value);
  CHECK_ERROR(changed("high", -1), ERANGE, option_value);
  CHECK_ERROR(changed("milliseconds", Milliseconds(1LL << 32)), EDOM, option_value);
  CHECK_ERROR(changed("milliseconds", Milliseconds(-1)), EDOM, option_value);
  CHECK_ERROR(changed("milliseconds", 1500), EINVAL, option_value);
  CHECK_ERROR(changed("seconds", Seconds(1LL << 31)), EDOM, option_value); // a sign takes a bit
  CHECK_ERROR(changed("pointer", 1), EINVAL, option_value);
  CHECK_ERROR(changed("pointer", -1), EINVAL, option_value);
  CHECK_ERROR(changed("pointer", false), EINVAL, option_value);
  CHECK_ERROR(changed("text", "12345678"), ENAMETOOLONG, option_value);
  CHECK_ERROR(changed("bytes", "12345"), ENAMETOOLONG, option_value);
  CHECK_ERROR(changed("numbers", Value::list().append(1).append(2)), EINVAL, option_value);
  CHECK_ERROR(changed("numbers", Value::list().append(1).append(2).append(3).append(4)), EINVAL, option_value);
  CHECK_ERROR(changed("numbers", Value::list().append(1).append(2).append(65536)), ERANGE, option_value);
  CHECK_ERROR(changed("numbers", 5), EINVAL, option_value);
  CHECK_ERROR(changed("inner", Value::record().set("onoff", true)), EINVAL, option_value);
  CHECK_ERROR(changed("inner", Value::list()), EINVAL, option_value);
  CHECK_ERROR(changed("pair", Value::list().append(Value::record()).append(Value::record())), EINVAL, option_value);
  CHECK_ERROR(changed("interface", "nonesuch0"), ENODEV, if_nametoindex);
  CHECK_ERROR(changed("other", 1), EINVAL, option_value);
  CHECK_ERROR(refused(Value(5), everything()), EINVAL, option_value);
  CHECK_ERROR(refused(Value::list(), everything()), EINVAL, option_value);
  CHECK_ERROR(refused(Value::record(), everything()), EINVAL, option_value);
  CHECK_ERROR(refused(Value::failed(), everything()), ENOMEM, option_value);
  const auto fits = [&](const char *name, Value value) {
    Everything object = everything();
    VALUE(from_value(with(name, std::move(value)), object));
    return object;
  };
  CHECK(fits("i8", -128).i8 == -128);
  CHECK(fits("network16", 0xff00).network16 == htons(0xff00));
  CHECK(fits("milliseconds", Nanoseconds(1)).milliseconds == 1); // rounded up
  CHECK(fits("milliseconds", Milliseconds(UINT32_MAX)).milliseconds == UINT32_MAX);
  CHECK(fits("seconds", Milliseconds(2'147'483'646'001)).seconds == INT32_MAX);
  CHECK(fits("interface", "lo").interface == VALUE(Interface::from_name("lo")).index());
  CHECK(to_value(fits("low", 0)).find("high")->unsigned_integer() == field("high").unsigned_integer());
}

TEST_CASE("counts that no duration holds are the longest") {
  Everything object = everything();
  object.seconds = -7;
  CHECK(*to_value(object).find("seconds") == Value(Seconds(-7)));
  tcp_info info = {};
  info.tcpi_busy_time = UINT64_MAX / 1000; // microseconds
  CHECK(*to_value(info).find("busy_time") == Value(Nanoseconds::max()));
  info.tcpi_busy_time = UINT64_MAX;
  CHECK(*to_value(info).find("busy_time") == Value(Nanoseconds::max()));
  info.tcpi_busy_time = INT64_MAX / 1000;
  CHECK(*to_value(info).find("busy_time") == Value(Microseconds(INT64_MAX / 1000)));
}

TEST_CASE("of a struct that is not whole, the fields that are") {
  const tcp_repair_window window = {1, 2, 3, 4, 5};
  const ValueType &type = detail::type_of<tcp_repair_window>;
  for (std::size_t size = 0; size <= sizeof window; ++size) {
    CAPTURE(size);
    const Value record = detail::read(type, &window, size);
    REQUIRE(record.kind() == Value::Kind::record);
    CHECK(record.size() == size / 4);
    for (std::size_t i = 0; i < record.size(); ++i)
      CHECK(record[i] == Value(i + 1));
  }
}

TEST_CASE("a record of the first fields, as older kernels have them") {
  tcp_repair_window window = {};
  const ValueType &type = detail::type_of<tcp_repair_window>;
  const char *names[] = {"snd_wl1", "snd_wnd", "max_window", "rcv_wnd", "rcv_wup"};
  Value record = Value::record();
  CHECK_ERROR(detail::write_prefix(type, record, &window), EINVAL, option_value);
  for (unsigned i = 1; i <= 5; ++i) {
    record.set(names[i - 1], i);
    CHECK(VALUE(detail::write_prefix(type, record, &window)) == 4 * i);
  }
  CHECK(window.rcv_wup == 5);
  CHECK_ERROR(detail::write_prefix(type, Value::record().set("snd_wl1", 1).set("max_window", 2), &window), EINVAL,
              option_value); // the second is missing
  CHECK_ERROR(detail::write_prefix(type, Value::record().set("other", 1), &window), EINVAL, option_value);
  CHECK_ERROR(detail::write_prefix(type, Value(1), &window), EINVAL, option_value);
  CHECK_ERROR(detail::write_prefix(type, Value::failed(), &window), ENOMEM, option_value);
}

TEST_CASE("a type that is no object has no value") {
  int object = 7;
  CHECK(detail::read(ValueType(), &object, sizeof object).kind() == Value::Kind::none);
  CHECK_ERROR(detail::write(ValueType(), Value(1), &object, false), EINVAL, option_value);
  CHECK(object == 7);
}

TEST_CASE("a list of as many elements as there are whole") {
  const std::uint16_t numbers[] = {1, 2, 3};
  const ValueType &type = detail::type_of<std::uint16_t>;
  for (std::size_t size = 0; size <= sizeof numbers; ++size) {
    CAPTURE(size);
    const Value list = detail::read_list(type, {numbers, size});
    REQUIRE(list.kind() == Value::Kind::list);
    CHECK(list.size() == size / 2);
    for (std::size_t i = 0; i < list.size(); ++i)
      CHECK(list[i] == Value(i + 1));
  }
  const Bytes row = VALUE(detail::write_list(type, Value::list().append(1).append(2).append(3)));
  REQUIRE(row.size() == sizeof numbers);
  CHECK(same_bytes(row.data(), numbers, sizeof numbers));
  CHECK(VALUE(detail::write_list(type, Value::list())).size() == 0);
  CHECK_ERROR(detail::write_list(type, Value::list().append(65536)), ERANGE, option_value);
  CHECK_ERROR(detail::write_list(type, Value::list().append("1")), EINVAL, option_value);
  CHECK_ERROR(detail::write_list(type, Value(1)), EINVAL, option_value);
  CHECK_ERROR(detail::write_list(type, Value::failed()), ENOMEM, option_value);
}

// --- every struct -------------------------------------------------------------------------------------------

namespace {

/// Random bytes, where any will do.
class Random {
public:
  void fill(void *at, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      static_cast<unsigned char *>(at)[i] = static_cast<unsigned char>(generator_());
  }
  std::uint32_t operator()() { return static_cast<std::uint32_t>(generator_()); }

private:
  std::mt19937 generator_{20'240'229};
};

/// Makes of random bytes what from_value accepts again.
void tame(const ValueType &type, unsigned char *at, Random &random) {
  switch (type.layout) {
  case Layout::pointer:
    std::memset(at, 0, type.size);
    break;
  case Layout::text:
    at[type.size - 1] = '\0';
    break;
  case Layout::count: // below 2^31 of whatever it counts
    std::memset(at, 0, type.size);
    if (const std::uint32_t count = random() >> 1; type.size == 2)
      std::memcpy(at, &count, 2);
    else if (type.size == 4)
      std::memcpy(at, &count, 4);
    else {
      const std::uint64_t wide = count;
      std::memcpy(at, &wide, 8);
    }
    break;
  case Layout::sockaddr: {
    const sa_family_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_UNSPEC, 4711};
    std::memcpy(at, &families[random() % std::size(families)], sizeof families[0]);
    break;
  }
  case Layout::record:
    for (std::uint32_t i = 0; i < type.field_count; ++i)
      tame(type.fields[i].type, at + type.fields[i].offset, random);
    break;
  case Layout::list:
    for (std::uint32_t i = 0; i < type.size / type.element->size; ++i)
      tame(*type.element, at + i * type.element->size, random);
    break;
  default:
    break;
  }
}

/// Which bits of a struct are a field's, and whether these are kept as they are: those of a boolean are normal
/// afterwards, those of an address without what follows its end.
void cover(const ValueType &type, std::size_t offset, std::vector<int> &bits) {
  const bool exact = type.layout != Layout::boolean && type.layout != Layout::sockaddr && type.layout != Layout::text;
  if (type.layout == Layout::record) {
    for (std::uint32_t i = 0; i < type.field_count; ++i)
      cover(type.fields[i].type, offset + type.fields[i].offset, bits);
  } else if (type.layout == Layout::bits) {
    const unsigned from = htonl(1) == 1 ? 8U - type.shift - type.width : type.shift;
    for (unsigned i = 0; i < type.width; ++i) {
      CHECK(bits[offset * 8 + from + i] == 0);
      bits[offset * 8 + from + i] = 2;
    }
  } else {
    for (std::size_t i = offset * 8; i < (offset + type.size) * 8; ++i) {
      CHECK(bits[i] == 0);
      bits[i] = exact ? 2 : 1;
    }
  }
}

constexpr std::size_t largest = 1024; // bytes that a struct has

/// A struct without its type, lest the checks should be compiled for each.
struct Struct {
  const char *name;
  std::size_t size;
  const ValueType *type;
  Value (*to)(const void *object);
  Result<void> (*from)(const Value &value, void *object);
};

template <class T>
Struct struct_of() {
  static_assert(sizeof(T) <= largest && alignof(T) <= alignof(std::max_align_t));
  static_assert(std::size(fields<T>) > 0);
  return {typeid(T).name(), sizeof(T), &detail::type_of<T>,
          [](const void *object) { return to_value(*static_cast<const T *>(object)); },
          [](const Value &value, void *object) { return from_value(value, *static_cast<T *>(object)); }};
}

void check_struct(const Struct &of) {
  CAPTURE(TextView(of.name));
  const Span<const Field> fields(of.type->fields, of.type->field_count);
  std::set<std::string> names;
  std::vector<int> bits(of.size * 8);
  for (const Field &each : fields) {
    const std::string name = each.name;
    CAPTURE(name);
    CHECK(names.insert(name).second);
    CHECK_FALSE(name.empty());
    CHECK(name.size() < 48);
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos);
    REQUIRE(each.offset + each.type.size <= of.size);
    REQUIRE(each.type.size > 0);
    CHECK(each.type.kind != Value::Kind::none);
    cover(each.type, each.offset, bits);
  }

  Random random;
  for (int round = 0; round < 50; ++round) {
    alignas(std::max_align_t) unsigned char a[largest];
    random.fill(a, of.size);
    tame(*of.type, a, random);
    const Value value = of.to(a);
    REQUIRE(value.kind() == Value::Kind::record);
    REQUIRE(value.size() == fields.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      CHECK(value.name(i) == fields[i].name);
      CHECK(value[i].kind() == fields[i].type.kind);
    }

    unsigned char before[largest];
    random.fill(before, of.size);
    alignas(std::max_align_t) unsigned char b[largest];
    std::memcpy(b, before, of.size);
    VALUE(of.from(value, b));
    CHECK(of.to(b) == value);
    bool as_it_was = true;
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const unsigned char *expected = bits[i] == 2 ? a : before;
      if (bits[i] != 1 && ((b[i / 8] ^ expected[i / 8]) >> i % 8 & 1) != 0)
        as_it_was = false;
    }
    CHECK(as_it_was);
  }

  // Without one, with another, of another kind.
  alignas(std::max_align_t) unsigned char zeros[largest] = {};
  for (std::size_t without = 0; without < fields.size(); ++without) {
    const Value whole = of.to(zeros);
    Value lacking = Value::record();
    Value wrong = Value::record();
    for (std::size_t i = 0; i < whole.size(); ++i) {
      Value one = detail::read(fields[i].type, zeros + fields[i].offset, fields[i].type.size);
      if (i != without)
        lacking.set(whole.name(i), std::move(one));
      if (i != without)
        wrong.set(whole.name(i), detail::read(fields[i].type, zeros + fields[i].offset, fields[i].type.size));
      else
        wrong.set(whole.name(i), Value());
    }
    unsigned char kept[largest];
    random.fill(kept, of.size);
    alignas(std::max_align_t) unsigned char target[largest];
    std::memcpy(target, kept, of.size);
    CHECK_ERROR(of.from(lacking, target), EINVAL, option_value);
    CHECK_ERROR(of.from(lacking.set("no_such_field", 0), target), EINVAL, option_value);
    CHECK_ERROR(of.from(wrong, target), EINVAL, option_value);
    CHECK_ERROR(of.from(Value(0), target), EINVAL, option_value);
    CHECK(same_bytes(target, kept, of.size));
  }
  Value more = of.to(zeros);
  CHECK_ERROR(of.from(more.set("no_such_field", 0), zeros), EINVAL, option_value);
}

} // namespace

TEST_CASE("every struct: fields inside it, side by side, each once; there and back; all or nothing") {
  []<class... T>(Structs<T...>) { (check_struct(struct_of<T>()), ...); }(EveryStruct());
  check_struct(struct_of<linger>());
}

TEST_CASE("bit-fields are those of the compiler") {
  const auto is = [](const auto &object, const char *name, unsigned value) {
    const Value record = to_value(object);
    for (std::size_t i = 0; i < record.size(); ++i) {
      CAPTURE(record.name(i));
      if (record.name(i) == name)
        CHECK(record[i] == Value(value));
      else if (record[i].kind() == Value::Kind::integer)
        CHECK(record[i] == Value(0));
    }
    CHECK(record.find(name) != nullptr);
  };
#define BIT(T, member, name, value)                                                                                  \
  {                                                                                                                  \
    T object = {};                                                                                                   \
    object.member = value;                                                                                           \
    is(object, name, value);                                                                                         \
    T back = {};                                                                                                     \
    VALUE(from_value(to_value(object), back));                                                                       \
    CHECK(unsigned{back.member} == value);                                                                           \
  }
  BIT(tcp_info, tcpi_snd_wscale, "snd_wscale", 13)
  BIT(tcp_info, tcpi_rcv_wscale, "rcv_wscale", 9)
  BIT(tcp_info, tcpi_delivery_rate_app_limited, "delivery_rate_app_limited", 1)
  BIT(tcp_info, tcpi_fastopen_client_fail, "fastopen_client_fail", 2)
  BIT(tcp_ao_add, set_current, "set_current", 1)
  BIT(tcp_ao_add, set_rnext, "set_rnext", 1)
  BIT(tcp_ao_del, set_current, "set_current", 1)
  BIT(tcp_ao_del, set_rnext, "set_rnext", 1)
  BIT(tcp_ao_del, del_async, "del_async", 1)
  BIT(tcp_ao_info_opt, set_current, "set_current", 1)
  BIT(tcp_ao_info_opt, set_rnext, "set_rnext", 1)
  BIT(tcp_ao_info_opt, ao_required, "ao_required", 1)
  BIT(tcp_ao_info_opt, set_counters, "set_counters", 1)
  BIT(tcp_ao_info_opt, accept_icmps, "accept_icmps", 1)
  BIT(tcp_ao_getsockopt, is_current, "is_current", 1)
  BIT(tcp_ao_getsockopt, is_rnext, "is_rnext", 1)
  BIT(tcp_ao_getsockopt, get_all, "get_all", 1)
}

TEST_SUITE_END();
