// SPDX-License-Identifier: MIT
/// Datagrams a second over loopback, sent and received by one thread: a call for each, batches, segments. In turns,
/// so that what else the machine does harms all alike; of each the best turn counts.

#include <baresock/datagram.hpp>
#include <baresock/socket.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

using namespace baresock;

namespace {

constexpr std::size_t burst = 32;
constexpr std::size_t size = 1200;
constexpr int turns = 15;
constexpr std::chrono::milliseconds turn(40);

char out[burst * size];
char in[65536];

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "packets: %s\n", result.error().describe().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>)
    return std::move(*result);
}

struct Pair {
  Socket sender = must(Socket::socket(AF_INET, SOCK_DGRAM));
  Socket receiver = must(Socket::socket(AF_INET, SOCK_DGRAM));

  Pair() {
    must(receiver.setsockopt(so::rcvtimeo, Seconds(5))); // if one is lost
    must(receiver.bind(Inet4Address{INADDR_LOOPBACK}));
    must(sender.connect(must(receiver.getsockname())));
  }
};

/// A call for each.
void singles(const Pair &pair) {
  for (std::size_t i = 0; i < burst; ++i)
    must(pair.sender.send({out + i * size, size}));
  for (std::size_t i = 0; i < burst; ++i)
    must(pair.receiver.recv({in, size}));
}

void batches(const Pair &pair) {
  static ConstBuffer data[burst];
  static OutgoingMessage outgoing[burst];
  static MutableBuffer parts[burst];
  static IncomingBatch<burst> incoming;
  for (std::size_t i = 0; i < burst; ++i) {
    data[i] = {out + i * size, size};
    outgoing[i] = OutgoingMessage({&data[i], 1});
    parts[i] = {in + i * size, size};
    incoming.assign(i, {&parts[i], 1});
  }
  if (must(pair.sender.sendmmsg(outgoing)) != burst || must(pair.receiver.recvmmsg(incoming)) != burst)
    std::exit(1);
}

void segments(const Pair &pair) {
  must(send_segments(pair.sender, {out, sizeof out}, size));
  for (std::size_t count = 0; count < burst;)
    count += must(recv_segments(pair.receiver, in)).segments.size();
}

/// Datagrams a second of one turn.
double rate(void (*run)(const Pair &), const Pair &pair) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  auto end = begin;
  std::size_t count = 0;
  for (; end - begin < turn; end = Clock::now(), count += burst)
    run(pair);
  return static_cast<double>(count) / std::chrono::duration<double>(end - begin).count();
}

} // namespace

int main() {
  const Pair plain;
  const Pair gro;
  must(gro.receiver.setsockopt(udp::gro, true));
  double best[3] = {};
  for (int i = 0; i < turns; ++i) {
    best[0] = std::max(best[0], rate(singles, plain));
    best[1] = std::max(best[1], rate(batches, plain));
    best[2] = std::max(best[2], rate(segments, gro));
  }
  std::printf(
      "datagrams of %zu bytes over loopback: %.0f a second with a call for each; sendmmsg and recvmmsg of %zu "
      "%.2f times that, UDP_SEGMENT and UDP_GRO %.2f times\n",
      size, best[0], burst, best[1] / best[0], best[2] / best[0]);
}
