// SPDX-License-Identifier: MIT
/// Any value, of any shape, for any option on any socket: a value of the wrong kind never reaches the kernel, nothing
/// is read or written beyond its end, and a struct is the same after it was a record.
/// The bytes choose: what is tried, then a socket, an option, and the values.

#include "fuzz.hpp"

#include <baresock/baresock.hpp>

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

using namespace baresock;

namespace {

using Kind = OptionValue::Kind;

/// The input, in pieces; zeros when it is at its end.
class Input {
public:
  Input(const unsigned char *data, std::size_t size) : data_(data), size_(size) {}

  template <class T>
  T take() {
    if constexpr (std::is_same_v<T, bool>)
      return (take<unsigned char>() & 1) != 0;
    T value{};
    const std::size_t count = std::min(sizeof value, size_);
    if (count > 0)
      std::memcpy(&value, data_, count);
    data_ += count;
    size_ -= count;
    return value;
  }
  std::string_view bytes() {
    const std::size_t count = std::min<std::size_t>(take<unsigned char>(), size_);
    std::string_view bytes(reinterpret_cast<const char *>(data_), count);
    data_ += count;
    size_ -= count;
    return bytes;
  }
  [[nodiscard]] bool done() const { return size_ == 0; }

private:
  const unsigned char *data_;
  std::size_t size_;
};

constexpr int deepest = 6;

OptionValue address_of(Input &in) {
  auto address = SocketAddress::from_bytes(in.bytes());
  return address ? *address : SocketAddress();
}

/// Anything.
OptionValue any_value(Input &in, int depth) {
  switch (in.take<unsigned char>() % 12) {
  case 0:
    return {};
  case 1:
    return (in.take<unsigned char>() & 1) != 0;
  case 2:
    return in.take<std::int64_t>();
  case 3:
    return in.take<std::uint64_t>();
  case 4:
    return in.take<signed char>();
  case 5:
    return Nanoseconds(in.take<std::int64_t>());
  case 6:
    return in.bytes();
  case 7:
    return OptionValue::bytes(in.bytes());
  case 8:
    return address_of(in);
  case 9:
    return OptionValue(FileDescriptor(::fcntl(2, F_DUPFD_CLOEXEC, 0)));
  case 10: {
    OptionValue record = OptionValue::record();
    for (unsigned i = in.take<unsigned char>() % 8; i > 0 && depth < deepest; --i)
      record.set(in.bytes(), any_value(in, depth + 1));
    return record;
  }
  default: {
    OptionValue list = OptionValue::list();
    for (unsigned i = in.take<unsigned char>() % 8; i > 0 && depth < deepest; --i)
      list.append(any_value(in, depth + 1));
    return list;
  }
  }
}

/// What that type wants, mostly.
OptionValue value_of(const ValueType &type, Input &in, int depth) {
  if (in.take<unsigned char>() >= 0xf0 || depth > deepest)
    return any_value(in, depth);
  switch (type.kind) {
  case Kind::none:
  case Kind::descriptor:
  case Kind::failed:
    return {};
  case Kind::boolean:
    return (in.take<unsigned char>() & 1) != 0;
  case Kind::integer:
    if (type.is_signed)
      return in.take<std::int64_t>() >> (64 - 8 * std::clamp(type.size, 1u, 8u));
    return in.take<std::uint64_t>() >> (64 - (type.width != 0 ? type.width : 8 * std::clamp(type.size, 1u, 8u)));
  case Kind::duration:
    return Nanoseconds(in.take<std::int64_t>() >> in.take<unsigned char>() % 64);
  case Kind::text:
    return in.bytes();
  case Kind::bytes: {
    std::string bytes(in.bytes());
    if (type.size != 0)
      bytes.resize(type.size);
    return OptionValue::bytes(bytes);
  }
  case Kind::address:
    switch (in.take<unsigned char>() % 4) {
    case 0:
      return SocketAddress(Inet4Address{in.take<std::uint32_t>(), 0});
    case 1:
      return SocketAddress(Inet6Address{in.take<in6_addr>()});
    case 2:
      return "::1";
    default:
      return address_of(in);
    }
  case Kind::record: {
    OptionValue record = OptionValue::record();
    for (std::uint32_t i = 0; i < type.field_count; ++i)
      record.set(type.fields[i].name, value_of(type.fields[i].type, in, depth + 1));
    return record;
  }
  case Kind::list: {
    const std::size_t count = type.size != 0 ? type.size / type.element->size : in.take<unsigned char>() % 40;
    OptionValue list = OptionValue::list();
    for (std::size_t i = 0; i < count && !in.done(); ++i)
      list.append(value_of(*type.element, in, depth + 1));
    return list;
  }
  }
  return {};
}

/// Which fields a record may lack.
enum class Lacks { nothing, last_ones, anything };

/// Is a value of the kind that the type wants, and all that is in it?
bool is_right(const ValueType &type, const OptionValue &value, Lacks lacks) {
  const Kind kind = value.kind();
  switch (type.kind) {
  case Kind::boolean:
    return kind == Kind::boolean || kind == Kind::integer;
  case Kind::integer:
    return kind == Kind::integer || (type.layout == ValueType::Layout::interface && kind == Kind::text);
  case Kind::bytes:
    return (kind == Kind::bytes || kind == Kind::text) && (type.size == 0 || value.bytes()->size() <= type.size);
  case Kind::address:
    return kind == Kind::address || kind == Kind::text;
  case Kind::record: {
    if (kind != Kind::record)
      return false;
    std::size_t named = 0;
    for (std::uint32_t i = 0; i < type.field_count; ++i)
      if (const OptionValue *field = value.find(type.fields[i].name)) {
        const Lacks inner = lacks == Lacks::anything ? lacks : Lacks::nothing;
        if (!is_right(type.fields[i].type, *field, inner) || (lacks == Lacks::last_ones && named != i))
          return false;
        ++named;
      } else if (lacks == Lacks::nothing) {
        return false;
      }
    return named == value.size();
  }
  case Kind::list:
    if (kind != Kind::list || (type.size != 0 && value.size() != type.size / type.element->size))
      return false;
    for (std::size_t i = 0; i < value.size(); ++i)
      if (!is_right(*type.element, value[i], lacks == Lacks::anything ? lacks : Lacks::nothing))
        return false;
    return true;
  case Kind::descriptor:
  case Kind::failed:
    return false;
  default:
    return kind == type.kind;
  }
}

/// Was it refused before the kernel saw it: here, or because a text is no address, or no interface?
bool is_ours(Error error) {
  return error.operation() != Operation::setsockopt && error.operation() != Operation::getsockopt;
}

/// Is a value that was stored still the same number, time or IPv4 address, and all that is in it?
bool is_kept(const OptionValue &given, const OptionValue &got) {
  if (given.kind() == Kind::duration)
    return *got.duration() >= *given.duration(); // rounded up
  if (given.kind() == Kind::integer && got.kind() == Kind::integer)
    return given == got;
  if (given.kind() == Kind::address && given.address()->get<Inet4Address>())
    return given == got;
  for (std::size_t i = 0; i < given.size(); ++i)
    if (!is_kept(given[i], given.kind() == Kind::record ? *got.find(given.name(i)) : got[i]))
      return false;
  return true;
}

bool is_comparable(const OptionValue &value) {
  if (value.kind() == Kind::descriptor || value.kind() == Kind::failed)
    return false;
  for (std::size_t i = 0; i < value.size(); ++i)
    if (!is_comparable(value[i]))
      return false;
  return true;
}

/// Prints in as much room as it takes, and not in less.
void print(const OptionValue &value) {
  auto text = value.printed();
  require(text.has_value());
  std::vector<char> room(text->size());
  auto size = value.to_chars(room);
  require(size.has_value() && *size == room.size());
  require(std::string_view(room.data(), room.size()) == std::string_view(text->text()));
  if (!room.empty()) {
    room.pop_back();
    room.shrink_to_fit();
    require(!value.to_chars(room).has_value());
  }
  require((value == value) == is_comparable(value));
}

/// A socket of one kind; those that are dear to close are kept for a while.
const Socket &socket_of(unsigned char choice) {
  static const struct {
    int domain, type, protocol;
  } kinds[] = {{AF_INET, SOCK_STREAM, 0}, {AF_INET, SOCK_DGRAM, 0},    {AF_INET6, SOCK_STREAM, 0},
               {AF_INET6, SOCK_DGRAM, 0}, {AF_UNIX, SOCK_STREAM, 0},   {AF_UNIX, SOCK_DGRAM, 0},
               {AF_NETLINK, SOCK_RAW, 0}, {AF_INET, SOCK_STREAM, 262}, {AF_INET, SOCK_RAW, IPPROTO_ICMP},
               {AF_INET6, SOCK_RAW, 58},  {AF_PACKET, SOCK_RAW, 0},    {AF_VSOCK, SOCK_STREAM, 0},
               {AF_INET6, SOCK_RAW, 255}, {AF_INET, SOCK_DGRAM, 136}};
  static struct {
    Socket socket, peer;
    int uses = 0;
  } sockets[std::size(kinds)];
  const std::size_t i = choice % std::size(kinds);
  auto &entry = sockets[i];
  if (entry.uses++ % (kinds[i].domain == AF_PACKET || kinds[i].domain == AF_NETLINK ? 1000 : 10) == 0) {
    entry.socket = Socket();
    entry.peer = Socket();
    if (kinds[i].domain == AF_UNIX) {
      auto pair = Socket::socketpair(AF_UNIX, kinds[i].type);
      require(pair.has_value());
      std::tie(entry.socket, entry.peer) = std::move(*pair);
    } else if (auto made = Socket::socket(kinds[i].domain, kinds[i].type | SOCK_NONBLOCK, kinds[i].protocol)) {
      entry.socket = std::move(*made);
    }
  }
  return entry.socket; // of what this system lacks, none: EBADF
}

/// Takes memory by the gigabyte.
bool is_greedy(const OptionInfo &option) {
  const std::string_view name = option.name;
  return name == "PACKET_RX_RING" || name == "PACKET_TX_RING";
}

/// By its name, which stays what it is when rows are added, or any.
const OptionInfo &option_of(Input &in) {
  if (const OptionInfo *named = find_option(in.bytes()))
    return *named;
  return options()[in.take<std::uint16_t>() % options().size()];
}

void try_option(Input &in) {
  const Socket &socket = socket_of(in.take<unsigned char>());
  const OptionInfo &option = option_of(in);
  const auto way = in.take<unsigned char>();
  if (auto value = socket.getsockopt(option)) {
    require(option.value != nullptr && value->kind() == option.value->kind);
    print(*value);
  }
  if (option.argument != nullptr && !is_greedy(option)) {
    const OptionValue value = (way & 1) != 0 ? any_value(in, 0) : value_of(*option.argument, in, 0);
    print(value);
    auto set =
        (way & 2) != 0 ? socket.setsockopt(option, value) : socket.setsockopt(option.level, option.number, value);
    // Of a struct that grew, the last fields may be missing.
    if (!is_right(*option.argument, value, Lacks::last_ones))
      require(!set && is_ours(set.error()));
  }
  if (option.question != nullptr) {
    const OptionValue question = (way & 4) != 0 ? any_value(in, 0) : value_of(*option.question, in, 0);
    auto answer = socket.getsockopt(option, question);
    if (answer) {
      require(answer->kind() == option.value->kind);
      print(*answer);
    }
    if (!is_right(*option.question, question, Lacks::anything))
      require(!answer && is_ours(answer.error()));
  }
  // What was set is still a value.
  if (auto value = socket.getsockopt(option))
    print(*value);
}

void try_number(Input &in) {
  const Socket &socket = socket_of(in.take<unsigned char>());
  const int levels[] = {SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP, 263, 270, 284, AF_VSOCK};
  const int level = levels[in.take<unsigned char>() % std::size(levels)];
  const int number = in.take<unsigned char>();
  const OptionInfo *option = find_option(level, number, Access::set);
  if (auto value = socket.getsockopt(level, number))
    print(*value);
  const OptionValue value = any_value(in, 0);
  if (option == nullptr || !is_greedy(*option))
    (void)socket.setsockopt(level, number, value);
}

/// A struct of the input's bytes, as a record and back; and of any value.
template <class T>
void try_struct(Input &in) {
  const ValueType &type = detail::type_of<T>;
  const auto object = in.take<T>();
  const OptionValue value = to_value(object);
  require(value.kind() == type.kind && is_right(type, value, Lacks::nothing));
  print(value);
  T copy{};
  const T before = copy;
  if (from_value(value, copy)) {
    require(to_value(copy) == value);
  } else {
    require(std::memcmp(&copy, &before, sizeof copy) == 0);
  }
  const OptionValue other = (in.take<unsigned char>() & 1) != 0 ? any_value(in, 0) : value_of(type, in, 0);
  print(other);
  copy = T{};
  auto written = from_value(other, copy);
  if (!is_right(type, other, Lacks::nothing))
    require(!written && is_ours(written.error()));
  if (!written) {
    require(std::memcmp(&copy, &before, sizeof copy) == 0);
    return;
  }
  const OptionValue again = to_value(copy);
  require(is_kept(other, again));
  T third{};
  require(from_value(again, third).has_value() && to_value(third) == again);
}

template <class... T>
void try_one_of(Input &in) {
  void (*const all[])(Input &) = {try_struct<T>...};
  all[in.take<unsigned char>() % sizeof...(T)](in);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
  static const bool alone = ::unshare(CLONE_NEWNET) == 0; // joins and promiscuity are nobody else's
  (void)alone;
  Input in(data, size);
  switch (in.take<unsigned char>() % 8) {
  case 0:
    try_number(in);
    break;
  case 1:
  case 2:
    try_one_of<int, bool, std::uint16_t, std::int64_t, Seconds, Interface, in_addr, in6_addr, sockaddr_in,
               sockaddr_storage, Linger, ip_mreqn, group_req, group_source_req, ipv6_mreq, in6_flowlabel_req,
               sock_filter, baresock::tcp_info, tcp_ao_add, tcp_ao_info_opt, tcp_ao_getsockopt, tcp_md5sig,
               mptcp_info, mptcp_full_info, mptcp_subflow_info, tcp_zerocopy_receive, sctp_status, sctp_paddrparams,
               can_filter, packet_mreq, xdp_mmap_offsets, ucred, ip6_mtuinfo, baresock::icmp6_filter>(in);
    break;
  default:
    try_option(in);
  }
  return 0;
}
