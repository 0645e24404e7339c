// SPDX-License-Identifier: MIT
/// MSG_ZEROCOPY and the tracker of its completions: against the kernel over loopback, and against a simple model.

#include "network.hpp"

#include <algorithm>
#include <cstring>
#include <linux/net_tstamp.h>
#include <optional>
#include <poll.h>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace baresock;

namespace {

constexpr const char *no_udp = "UDP sends without a copy since Linux 5.0";

/// Two UDP sockets over loopback; the first may send without a copy, and is connected if `connected`.
struct Udp {
  Socket sender;
  Socket receiver;
  SocketAddress address; // the receiver's
  bool zero_copy;

  explicit Udp(bool connected = true, const SocketAddress &at = loopback)
      : sender(VALUE(Socket::socket(at.family(), SOCK_DGRAM))),
        receiver(VALUE(Socket::socket(at.family(), SOCK_DGRAM))) {
    VALUE(receiver.bind(at));
    address = VALUE(receiver.getsockname());
    if (connected)
      VALUE(sender.connect(address));
    zero_copy = sender.setsockopt(so::zerocopy, true).has_value();
  }
  /// How many datagrams wait at the receiver. When they have come, the kernel has copied them, and their buffers are
  /// free.
  [[nodiscard]] std::size_t drain() const {
    std::size_t count = 0;
    char room[4];
    while (receiver.recv(room, MSG_DONTWAIT))
      ++count;
    return count;
  }
};

/// Receives what waits in the queue, at least one entry, all of which have to be completions: "0-3 5-5".
std::string completions(ZeroCopySends &tracker, const Socket &socket) {
  wait(socket);
  std::string all;
  while (auto entry = tracker.receive(socket)) {
    const auto completion = VALUE(entry->get<ZeroCopyCompletion>());
    all += (all.empty() ? "" : " ") + std::to_string(completion.first) + '-' + std::to_string(completion.last);
  }
  return all;
}

std::string completions_of_nothing(ZeroCopySends &tracker, const Socket &socket) {
  CHECK_ERROR(tracker.receive(socket), EAGAIN, recvmsg);
  return "";
}

/// Everything the peer has, and every completion, until nothing is in flight. The numbers of the completions, in the
/// order in which they came.
std::vector<std::uint32_t> finish(ZeroCopySends &tracker, const Socket &sender, const Socket &receiver) {
  std::vector<std::uint32_t> ids;
  std::string room(100'000, '\0');
  while (tracker.in_flight() > 0) {
    pollfd waiting[] = {{sender.fd(), 0, 0}, {receiver.fd(), POLLIN, 0}};
    REQUIRE(::poll(waiting, 2, long_time) > 0);
    (void)receiver.recv(room, MSG_DONTWAIT);
    while (auto entry = tracker.receive(sender)) {
      const auto completion = VALUE(entry->get<ZeroCopyCompletion>());
      for (std::uint32_t id = completion.first; id != completion.last + 1; ++id)
        ids.push_back(id);
    }
  }
  return ids;
}

std::vector<std::uint32_t> numbers(std::uint32_t count) {
  std::vector<std::uint32_t> all(count);
  for (std::uint32_t i = 0; i < count; ++i)
    all[i] = i;
  return all;
}

std::vector<std::uint32_t> sorted(std::vector<std::uint32_t> ids) {
  std::ranges::sort(ids);
  return ids;
}

using Numbers = std::vector<std::uint32_t>;

} // namespace

TEST_SUITE_BEGIN("zero_copy");

// --- against the kernel
// ---------------------------------------------------------------------------------------------

TEST_CASE("UDP: numbered as the kernel does, in flight until the completion is received") {
  for (const SocketAddress &address : {loopback, loopback6}) {
    if (address.family() == AF_INET6 && !has_inet6())
      SKIP("there is no IPv6 here");
    const Udp udp(true, address);
    if (!udp.zero_copy)
      SKIP(no_udp);
    ZeroCopyTracker<4> tracker;
    CHECK(tracker.capacity() == 4);
    CHECK(tracker.in_flight() == 0);
    CHECK_FALSE(tracker.in_flight(0));
    const std::string data(1000, 'z');
    for (std::uint32_t round = 0; round < 6; ++round) {
      const ZeroCopySent sent = VALUE(tracker.send(udp.sender, data));
      CHECK(sent.size == 1000);
      CHECK(sent.id == round);
      std::string room(2000, '\0');
      CHECK(VALUE(udp.receiver.recv(room)) == 1000);
      CHECK(room.substr(0, 1000) == data);
      CHECK(tracker.in_flight(round));
      CHECK(tracker.in_flight() == 1);
      const std::string number = std::to_string(round);
      CHECK(completions(tracker, udp.sender) == number + '-' + number);
      CHECK_FALSE(tracker.in_flight(round));
      CHECK(tracker.in_flight() == 0);
      completions_of_nothing(tracker, udp.sender);
    }
  }
}

TEST_CASE("completions that the kernel merged") {
  const Udp udp;
  if (!udp.zero_copy)
    SKIP(no_udp);
  ZeroCopyTracker<8> tracker;
  const std::string data(500, 'z');
  for (int i = 0; i < 5; ++i)
    VALUE(tracker.send(udp.sender, data));
  CHECK(udp.drain() == 5);
  CHECK(tracker.in_flight() == 5);
  CHECK(completions(tracker, udp.sender) == "0-4");
  CHECK(tracker.in_flight() == 0);
  // More than there is room for, over time.
  for (int i = 0; i < 7; ++i)
    VALUE(tracker.send(udp.sender, data));
  CHECK(udp.drain() == 7);
  CHECK(completions(tracker, udp.sender) == "5-11");
  CHECK(tracker.in_flight() == 0);
}

TEST_CASE("TCP: every buffer comes back once, whatever the sizes") {
  const Connection tcp;
  VALUE(tcp.client.setsockopt(so::zerocopy, true));
  ZeroCopyTracker<16> tracker;
  const std::string data(9000, 'z');
  Numbers ids;
  for (int round = 0; round < 10; ++round) {
    for (const std::size_t size : {1u, 100u, 4096u, 9000u}) {
      const ZeroCopySent sent = VALUE(tracker.send(tcp.client, {data.data(), size}));
      CHECK(sent.size == size);
      CHECK(sent.id == ids.size() + tracker.in_flight() - 1);
    }
    CHECK(tracker.in_flight() == 4);
    const Numbers found = finish(tracker, tcp.client, tcp.server);
    ids.insert(ids.end(), found.begin(), found.end());
  }
  CHECK(sorted(ids) == numbers(40));
  completions_of_nothing(tracker, tcp.client);
}

TEST_CASE("a socket that sent so before: the tracker is told how many") {
  const Udp udp;
  if (!udp.zero_copy)
    SKIP(no_udp);
  const std::string data(500, 'z');
  for (int i = 0; i < 3; ++i)
    VALUE(udp.sender.send(data, MSG_ZEROCOPY));
  CHECK(udp.drain() == 3);
  ZeroCopyTracker<2> tracker(3);
  CHECK(VALUE(tracker.send(udp.sender, data)).id == 3);
  // One made elsewhere, and one without MSG_ZEROCOPY, which has no number.
  VALUE(udp.sender.send(data, MSG_ZEROCOPY));
  CHECK(VALUE(tracker.sent()) == 4);
  VALUE(udp.sender.send(data));
  CHECK(udp.drain() == 3);
  CHECK(tracker.in_flight() == 2);
  CHECK(completions(tracker, udp.sender) == "0-4"); // what is not in flight is left out
  CHECK(tracker.in_flight() == 0);
  CHECK(VALUE(tracker.send(udp.sender, data)).id == 5);
  CHECK(udp.drain() == 1);
  CHECK(completions(tracker, udp.sender) == "5-5");
}

TEST_CASE("without room for another: ENOBUFS before anything is sent") {
  const Udp udp;
  if (!udp.zero_copy)
    SKIP(no_udp);
  ZeroCopyTracker<3> tracker;
  const std::string data(500, 'z');
  const ConstBuffer parts[] = {data};
  for (int i = 0; i < 3; ++i)
    VALUE(tracker.send(udp.sender, data));
  CHECK(tracker.full());
  CHECK_ERROR(tracker.send(udp.sender, data), ENOBUFS, send);
  CHECK_ERROR(tracker.sendmsg(udp.sender, {parts}), ENOBUFS, sendmsg);
  CHECK_ERROR(tracker.sent(), ENOBUFS, sendmsg);
  CHECK(udp.drain() == 3);
  CHECK(tracker.in_flight() == 3);
  CHECK(completions(tracker, udp.sender) == "0-2");
  CHECK(VALUE(tracker.sendmsg(udp.sender, {parts})).id == 3);
  CHECK(udp.drain() == 1);
  CHECK(completions(tracker, udp.sender) == "3-3");
}

TEST_CASE("sends that fail take no number: UDP") {
  const Udp udp(false);
  if (!udp.zero_copy)
    SKIP(no_udp);
  ZeroCopyTracker<8> tracker;
  const std::string data(500, 'z'), too_long(65'508, 'z');
  const ConstBuffer parts[] = {data}, long_parts[] = {too_long};
  const auto send = [&](const SocketAddress &to) { return tracker.sendmsg(udp.sender, {parts, &to}); };
  const SocketAddress nobody = Inet4Address{INADDR_BROADCAST, 9};

  CHECK_ERROR(tracker.send(udp.sender, data), EDESTADDRREQ, send);
  CHECK(VALUE(send(udp.address)).id == 0);
  CHECK_ERROR(send(nobody), EACCES, sendmsg);
  CHECK_ERROR(tracker.sendmsg(udp.sender, {long_parts, &udp.address}), EMSGSIZE, sendmsg);
  CHECK_ERROR(tracker.sendmsg(udp.sender, {parts, &udp.address}, 1 << 30), EINVAL, sendmsg);
  CHECK(VALUE(send(udp.address)).id == 1);
  CHECK(tracker.in_flight() == 2);
  CHECK(udp.drain() == 2);
  CHECK(completions(tracker, udp.sender) == "0-1");
  CHECK(tracker.in_flight() == 0);
}

TEST_CASE("sends that fail take no number: an ICMP error that is pending") {
  const Udp udp;
  if (!udp.zero_copy)
    SKIP(no_udp);
  VALUE(udp.sender.connect(SocketAddress::unspec()));
  VALUE(udp.sender.bind(loopback));
  const std::string data(500, 'z');
  ZeroCopyTracker<8> tracker;
  {
    // A port that is taken, but not for us.
    const Udp deaf;
    VALUE(deaf.receiver.connect(loopback.with_port(9)));
    VALUE(udp.sender.connect(deaf.address));
    CHECK(VALUE(tracker.send(udp.sender, data)).id == 0);
    wait(udp.sender);
    // Where it was pending: of the socket, or of the queue's first entry.
    CHECK_ERROR(tracker.send(udp.sender, data), ECONNREFUSED, send);
  }
  VALUE(udp.sender.connect(udp.address));
  CHECK(VALUE(tracker.send(udp.sender, data)).id == 1);
  CHECK(udp.drain() == 1);
  CHECK(completions(tracker, udp.sender) == "0-1");
}

TEST_CASE("a send that fails after the kernel gave it a number does not shift those that follow") {
  const Udp udp(false);
  if (!udp.zero_copy)
    SKIP(no_udp);
  ZeroCopyTracker<8> tracker;
  const std::string data(500, 'z');
  const ConstBuffer parts[] = {data};
  CHECK(VALUE(tracker.sendmsg(udp.sender, {parts, &udp.address})).id == 0);
  CHECK(udp.drain() == 1);
  CHECK(completions(tracker, udp.sender) == "0-0");
  // More segments than the kernel takes: it says so when the packet is made, with its number.
  ControlBuffer<control_space(cmsg::udp::segment)> control;
  VALUE(control.append(cmsg::udp::segment, 1));
  CHECK_ERROR(tracker.sendmsg(udp.sender, {parts, &udp.address, control}), EINVAL, sendmsg);
  CHECK(udp.drain() == 0);
  while (tracker.receive(udp.sender)) // what comes of that one
    continue;
  const ZeroCopySent sent = VALUE(tracker.sendmsg(udp.sender, {parts, &udp.address}));
  CHECK(tracker.in_flight(sent.id));
  CHECK(udp.drain() == 1);
  wait(udp.sender);
  const QueuedError entry = VALUE(tracker.receive(udp.sender));
  CHECK(VALUE(entry.get<ZeroCopyCompletion>()).last == sent.id);
  CHECK_FALSE(tracker.in_flight(sent.id));
}

TEST_CASE("sends that fail take no number: TCP, full and closed; one in part is one") {
  const Connection tcp;
  VALUE(tcp.client.setsockopt(so::zerocopy, true));
  VALUE(tcp.client.setsockopt(so::sndbuf, 4096));
  VALUE(tcp.client.set_nonblocking(true));
  ZeroCopyTracker<64> tracker;
  const std::string data(40'000, 'z');
  std::uint32_t count = 0;
  bool in_part = false;
  for (int round = 0; round < 3; ++round) {
    for (;;) {
      const auto sent = tracker.send(tcp.client, data);
      if (!sent) {
        CHECK_ERROR(sent, EAGAIN, send);
        break;
      }
      CHECK(sent->id == count++);
      CHECK(sent->size > 0);
      in_part = in_part || sent->size < data.size();
      REQUIRE(count < 60 * (static_cast<unsigned>(round) + 1));
    }
    CHECK_ERROR(tracker.send(tcp.client, data), EAGAIN, send);
    (void)finish(tracker, tcp.client, tcp.server);
  }
  CHECK(in_part);
  CHECK(VALUE(tracker.send(tcp.client, "last")).id == count);
  CHECK(finish(tracker, tcp.client, tcp.server) == Numbers{count});
  VALUE(tcp.client.shutdown(SHUT_WR));
  CHECK_ERROR(tracker.send(tcp.client, data), EPIPE, send);
  CHECK(tracker.in_flight() == 0);
  completions_of_nothing(tracker, tcp.client);
}

TEST_CASE("no bytes: EINVAL; SO_ZEROCOPY off: EINVAL, and nothing is sent") {
  const Udp udp;
  if (!udp.zero_copy)
    SKIP(no_udp);
  ZeroCopyTracker<2> tracker;
  const ConstBuffer parts[] = {"data"}, empty[] = {ConstBuffer(), ""};
  CHECK_ERROR(tracker.send(udp.sender, ""), EINVAL, send);
  CHECK_ERROR(tracker.send(udp.sender, {}), EINVAL, send);
  CHECK_ERROR(tracker.sendmsg(udp.sender, {empty}), EINVAL, sendmsg);
  CHECK_ERROR(tracker.sendmsg(udp.sender, OutgoingMessage()), EINVAL, sendmsg);
  VALUE(udp.sender.setsockopt(so::zerocopy, false));
  CHECK_ERROR(tracker.send(udp.sender, "data"), EINVAL, send);
  CHECK_ERROR(tracker.sendmsg(udp.sender, {parts}), EINVAL, sendmsg);
  CHECK(udp.drain() == 0);
  CHECK(tracker.in_flight() == 0);
  // Switched on, it is asked again.
  VALUE(udp.sender.setsockopt(so::zerocopy, true));
  CHECK(VALUE(tracker.send(udp.sender, "data")).id == 0);
  CHECK(udp.drain() == 1);
  CHECK(completions(tracker, udp.sender) == "0-0");
}

TEST_CASE("AF_UNIX, and no socket at all") {
  ZeroCopyTracker<2> tracker;
  const auto pair = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  CHECK_ERROR(tracker.send(pair.first, "data"), EINVAL, send);
  char room[8];
  CHECK_ERROR(pair.second.recv(room, MSG_DONTWAIT), EAGAIN, recv);
  CHECK_ERROR(tracker.send(Socket(), "data"), EBADF, getsockopt);
  CHECK_ERROR(tracker.receive(Socket()), EBADF, recvmsg);
}

TEST_CASE("a message in parts, to an address") {
  const Udp udp(false);
  if (!udp.zero_copy)
    SKIP(no_udp);
  ZeroCopyTracker<2> tracker;
  const std::string first(100, 'a'), second(200, 'b');
  const ConstBuffer parts[] = {first, ConstBuffer(), second};
  const ZeroCopySent sent = VALUE(tracker.sendmsg(udp.sender, {parts, &udp.address}));
  CHECK(sent.size == 300);
  CHECK(sent.id == 0);
  std::string room(1000, '\0');
  CHECK(VALUE(udp.receiver.recv(room)) == 300);
  CHECK(room.substr(0, 300) == first + second);
  CHECK(completions(tracker, udp.sender) == "0-0");
}

TEST_CASE("entries of other kinds come out of receive(), between the completions") {
  const Udp udp;
  if (!udp.zero_copy)
    SKIP(no_udp);
  constexpr unsigned flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
                             SOF_TIMESTAMPING_OPT_TSONLY;
  VALUE(udp.sender.setsockopt(so::timestamping, kernel::so_timestamping{static_cast<std::int32_t>(flags), 0}));
  ZeroCopyTracker<4> tracker;
  const std::string data(1000, 'z');
  for (std::uint32_t i = 0; i < 4; ++i) {
    CHECK(VALUE(tracker.send(udp.sender, data)).id == i);
    CHECK(udp.drain() == 1);
  }
  std::set<std::uint32_t> stamps;
  while (stamps.size() < 4 || tracker.in_flight() > 0) {
    wait(udp.sender);
    const QueuedError entry = VALUE(tracker.receive(udp.sender));
    if (const auto stamp = entry.get<TransmitTimestamp>())
      CHECK(stamps.insert(stamp->id).second);
    else
      CHECK(entry.get<ZeroCopyCompletion>().has_value());
  }
  CHECK(stamps == std::set<std::uint32_t>{0, 1, 2, 3});
  completions_of_nothing(tracker, udp.sender);
}

// --- by hand
// ----------------------------------------------------------------------------------------------------------

TEST_CASE("completions in any order: room is made by the oldest") {
  ZeroCopyTracker<4> tracker;
  for (std::uint32_t id = 0; id < 4; ++id)
    CHECK(VALUE(tracker.sent()) == id);
  tracker.completed({2, 3});
  CHECK(tracker.in_flight() == 2);
  CHECK_FALSE(tracker.in_flight(2));
  CHECK_FALSE(tracker.in_flight(3));
  CHECK_ERROR(tracker.sent(), ENOBUFS, sendmsg);
  tracker.completed({2, 2}); // twice: once
  CHECK(tracker.in_flight() == 2);
  tracker.completed({0, 0});
  CHECK(tracker.in_flight() == 1);
  CHECK(tracker.in_flight(1));
  CHECK(VALUE(tracker.sent()) == 4);
  CHECK_ERROR(tracker.sent(), ENOBUFS, sendmsg);
  CHECK(tracker.in_flight(4));
  tracker.completed({1, 1});
  CHECK(tracker.in_flight() == 1);
  for (const std::uint32_t id : {5u, 6u, 7u})
    CHECK(VALUE(tracker.sent()) == id);
  CHECK_ERROR(tracker.sent(), ENOBUFS, sendmsg);
  CHECK_FALSE(tracker.in_flight(8));
  CHECK_FALSE(tracker.in_flight(0));
  tracker.completed({8, 100}); // of sends that failed
  CHECK(tracker.in_flight() == 4);
  tracker.completed({0, 100});
  CHECK(tracker.in_flight() == 0);
}

TEST_CASE("after number 2^32-1 comes 0") {
  ZeroCopyTracker<6> tracker(0xfffffffe);
  const Numbers ids = {0xfffffffe, 0xffffffff, 0, 1, 2, 3};
  CHECK_FALSE(tracker.in_flight(0xfffffffe));
  for (const std::uint32_t id : ids)
    CHECK(VALUE(tracker.sent()) == id);
  CHECK_ERROR(tracker.sent(), ENOBUFS, sendmsg);
  for (const std::uint32_t id : ids)
    CHECK(tracker.in_flight(id));
  CHECK_FALSE(tracker.in_flight(0xfffffffd));
  CHECK_FALSE(tracker.in_flight(4));
  tracker.completed({0xffffffff, 1}); // a range across the end
  CHECK(tracker.in_flight() == 3);
  for (const std::uint32_t id : ids)
    CHECK(tracker.in_flight(id) == (id == 0xfffffffe || id == 2 || id == 3));
  tracker.completed({0xfffffff0, 0xfffffffe});
  CHECK(tracker.in_flight() == 2);
  CHECK(VALUE(tracker.sent()) == 4);
  tracker.completed({0, 0xffffffff}); // all there are
  CHECK(tracker.in_flight() == 0);
  CHECK(VALUE(tracker.sent()) == 5);
}

namespace {

/// What a tracker is to do, slowly.
struct Model {
  std::set<std::uint64_t> in_flight; // numbers that do not wrap
  std::uint64_t next;
  std::size_t capacity;

  [[nodiscard]] bool full() const { return !in_flight.empty() && next - *in_flight.begin() >= capacity; }
  void completed(std::uint64_t first, std::uint64_t last) {
    in_flight.erase(in_flight.lower_bound(first), in_flight.upper_bound(last));
    if (last >= next) // of sends that failed
      next = last + 1;
  }
};

/// The same random things done to both; false at the first difference.
bool agree(ZeroCopySends &tracker, std::uint32_t start, unsigned seed) {
  std::mt19937 random(seed);
  Model model{{}, (std::uint64_t{1} << 32) + start, tracker.capacity()};
  const auto low = [](std::uint64_t id) { return static_cast<std::uint32_t>(id); };
  for (int step = 0; step < 3000; ++step) {
    if (random() % 3 != 0) {
      const auto sent = tracker.sent();
      if (sent.has_value() == model.full() || (sent && *sent != low(model.next)))
        return false;
      if (sent)
        model.in_flight.insert(model.next++);
    } else {
      // Around those in flight, mostly short, now and then of a number that no send got.
      const std::uint64_t first = model.next - model.capacity - 2 + random() % (model.capacity + 4);
      const std::uint64_t last = first + (random() % 4 == 0 ? random() % (2 * model.capacity) : random() % 3);
      tracker.completed({low(first), low(last)});
      model.completed(first, last);
    }
    if (tracker.in_flight() != model.in_flight.size() || tracker.full() != model.full())
      return false;
    for (std::uint64_t id = model.next - model.capacity - 3; id != model.next + 3; ++id)
      if (tracker.in_flight(low(id)) != model.in_flight.contains(id))
        return false;
  }
  return true;
}

template <std::size_t N>
void check_model() {
  CAPTURE(N);
  for (const std::uint32_t start : {0u, 1u, 0x7ffffff0u, 0xfffffff0u, 0xffffffffu}) {
    CAPTURE(start);
    ZeroCopyTracker<N> tracker(start);
    CHECK(agree(tracker, start, start + N));
  }
}

} // namespace

TEST_CASE("random sends and completions, against a set of numbers") {
  check_model<1>();
  check_model<2>();
  check_model<3>();
  check_model<8>();
  check_model<61>();
}

TEST_SUITE_END();
