// SPDX-License-Identifier: MIT

#include <baresock/constant.hpp>
#include <baresock/option.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstddef>
#include <iterator>
#include <net/ethernet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

// After the C library's, which the kernel's yield to.
#include <linux/can.h>
#include <linux/can/bcm.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>
#include <linux/errqueue.h>
#include <linux/if_alg.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/mctp.h>
#include <linux/net_tstamp.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/rds.h>
#include <linux/rtnetlink.h>
#include <linux/sctp.h>
#include <linux/sock_diag.h>
#include <linux/tipc.h>
#include <linux/tls.h>
#include <linux/vm_sockets.h>

namespace baresock {

namespace {

using detail::newer;

enum class Kind : unsigned char { first, second, lone, option };

struct Row {
  const char *name;
  long long value;
  Kind kind = Kind::first;
  std::string_view level = "none"; // of an option
};

constexpr Row listed[] = {
#define GROUP(prefix, level)
#define CONSTANT(name) {#name, name},
#define NUMBER(name, number) {#name, number},
#define ALIAS(name, first) {#name, first, Kind::second},
#define LONE(name, number) {#name, number, Kind::lone},
#include "constants.def"
};
constexpr std::string_view name_of(const Row &row) { return row.name; }
static_assert(std::ranges::is_sorted(listed, {}, name_of));

constexpr Row collected[] = {
#define ERRNO(name) {#name, name},
#define ALIAS(name, canonical) {#name, name, name == (canonical) ? Kind::second : Kind::first},
#define GAI(name) {#name, name},
#include "errors.def"
#define OPTION(ns, identifier, level, constant, number, ...) {#constant, number, Kind::option, #level},
#include <baresock/options.def>
#undef OPTION
};

// An option is of a group only at the group's level: SO_ORIGINAL_DST, an option of IPPROTO_IP, is not of "SO_".
struct Group {
  const char *prefix;
  std::string_view level;
};
constexpr Group groups[] = {
#define GROUP(prefix, level) {#prefix, #level},
#define CONSTANT(name)
#define NUMBER(name, number)
#define ALIAS(name, first)
#define LONE(name, number)
#include "constants.def"
};
constexpr std::string_view prefix_of(const Group &group) { return group.prefix; }
static_assert(std::ranges::is_sorted(groups, {}, prefix_of)); // the longer prefix wins: it comes later

// What follows is written so that compilers do not give up on it: they count the steps of what they evaluate.
constexpr auto sorted = [] {
  constexpr std::size_t size = std::size(listed) + std::size(collected);
  std::array<const Row *, size> from{};
  std::array<const Row *, size> to{};
  for (std::size_t i = 0; i < size; ++i)
    from[i] = i < std::size(listed) ? &listed[i] : &collected[i - std::size(listed)];

  auto before = [](const Row *a, const Row *b) {
    const int order = __builtin_strcmp(a->name, b->name);
    return order != 0 ? order < 0 : a->level < b->level;
  };
  auto end_of_run = [&](std::size_t i) {
    for (i += i < size; i < size && !before(from[i], from[i - 1]);)
      ++i;
    return i;
  };
  // Pairs of runs that are in order are merged until there is one.
  for (bool done = false; !done; from = to)
    for (std::size_t begin = 0, end = 0; begin < size; begin = end) {
      const std::size_t middle = end_of_run(begin);
      end = end_of_run(middle);
      for (std::size_t a = begin, b = middle, i = begin; i < end; ++i)
        to[i] = a == middle || (b < end && before(from[b], from[a])) ? from[b++] : from[a++];
      done = begin == 0 && end == size;
    }
  return from;
}();

// An option can exist at two levels: MCAST_JOIN_GROUP, of which the first is taken. No other name may come twice.
constexpr bool same_name(const Row *a, const Row *b) { return __builtin_strcmp(a->name, b->name) == 0; }
static_assert(std::ranges::adjacent_find(sorted,
                                         [](const Row *a, const Row *b) {
                                           return same_name(a, b) &&
                                                  (a->kind != Kind::option || b->kind != Kind::option ||
                                                   a->level == b->level || a->value != b->value);
                                         }) == sorted.end(),
              "a constant is in constants.def and options.def, or in one of them twice");

constexpr auto table = [] {
  constexpr auto rows = [] {
    constexpr std::size_t size = [] {
      std::size_t count = 1;
      for (std::size_t i = 1; i < sorted.size(); ++i)
        count += !same_name(sorted[i - 1], sorted[i]);
      return count;
    }();
    std::array<const Row *, size> distinct{};
    std::ranges::unique_copy(sorted, distinct.begin(), same_name);
    return distinct;
  }();
  std::array<Constant, rows.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = {rows[i]->name, rows[i]->value, 0, rows[i]->kind != Kind::second};
  std::size_t first = 0;
  for (const Group &group : groups) {
    while (first < all.size() && __builtin_strcmp(all[first].name, group.prefix) < 0)
      ++first;
    const std::size_t length = prefix_of(group).size();
    for (std::size_t i = first; i < all.size() && __builtin_strncmp(all[i].name, group.prefix, length) == 0; ++i) {
      const bool option = rows[i]->kind == Kind::option;
      if (rows[i]->kind == Kind::lone || (option && rows[i]->level != group.level))
        continue;
      all[i].group_length = static_cast<unsigned char>(length);
      for (std::size_t other = first; option && other < i; ++other)
        if (rows[other]->kind == Kind::option && all[other].value == all[i].value &&
            all[other].group_length == length)
          all[i].canonical = false;
    }
  }
  return all;
}();

constexpr AddressConstant addresses[] = {
    {"IN6ADDR_ANY", IN6ADDR_ANY_INIT},
    {"IN6ADDR_LOOPBACK", IN6ADDR_LOOPBACK_INIT},
};

bool names_of(const Constant &constant, TextView group) noexcept {
  return constant.canonical && constant.group_length != 0 && constant.group() == group;
}

} // namespace

Span<const Constant> constants() noexcept { return table; }

Span<const Constant> constants(TextView prefix) noexcept {
  auto text = std::string_view(prefix);
  auto head = [&](const Constant &constant) { return std::string_view(constant.name).substr(0, text.size()); };
  auto found = std::ranges::equal_range(table, text, {}, head);
  return {found.data(), found.size()};
}

const Constant *find_constant(TextView name) noexcept {
  const auto found = constants(name); // the shortest is first
  return !found.empty() && name == found[0].name ? found.data() : nullptr;
}

const char *constant_name(TextView group, long long value) noexcept {
  for (const Constant &constant : constants(group))
    if (constant.value == value && names_of(constant, group))
      return constant.name;
  return "";
}

Text<640> flag_names(TextView group, long long value) noexcept {
  const auto members = constants(group);
  auto rest = static_cast<unsigned long long>(value);
  if (value < 0 && value >= INT_MIN)
    rest = static_cast<unsigned>(value); // an int
  unsigned long long unnamed = 0;
  Text<640> text;
  auto append = [&](TextView name) { text.append(text.size() != 0 ? "|" : "").append(name); };
  while (rest != 0) {
    // The lowest bit, and those that share a constant with it.
    unsigned long long field = rest & -rest;
    for (unsigned long long before = 0; before != field;) {
      before = field;
      for (const Constant &constant : members)
        if (names_of(constant, group) && (static_cast<unsigned long long>(constant.value) & field) != 0)
          field |= static_cast<unsigned long long>(constant.value);
    }
    const char *name = constant_name(group, static_cast<long long>(rest & field));
    if (*name != '\0')
      append(name);
    else
      unnamed |= rest & field;
    rest &= ~field;
  }
  if (unnamed != 0) {
    char digits[16];
    const char *end = std::to_chars(digits, std::end(digits), unnamed, 16).ptr;
    append("0x");
    text.append({digits, static_cast<std::size_t>(end - digits)});
  }
  return text.size() != 0 ? text : text.append("0");
}

Span<const AddressConstant> address_constants() noexcept { return addresses; }

} // namespace baresock
