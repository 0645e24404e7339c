// SPDX-License-Identifier: MIT
/// batch_receiver ADDRESS: receives datagrams, many with each call, and prints when each came, from whom, and its
/// size; until a signal ends it.
///
///   batch_receiver 127.0.0.1:7000
///
/// recvmmsg(2) takes what has arrived, at most 32 messages; UDP_GRO makes one message of many datagrams in a row.

#include <baresock/address.hpp>
#include <baresock/datagram.hpp>
#include <baresock/error.hpp>
#include <baresock/socket.hpp>

#include <cstddef>
#include <cstdio>

using namespace baresock;

namespace {

constexpr std::size_t messages = 32;
constexpr std::size_t message_max = 65536;
using Batch = IncomingBatch<messages, control_space(cmsg::udp::gro) + control_space(cmsg::scm::timestampns)>;

Result<Socket> bound(const SocketAddress &address) {
  auto socket = Socket::socket(address.family(), SOCK_DGRAM);
  if (!socket)
    return socket;
  if (auto set = socket->setsockopt(udp::gro, true); !set)
    return std::unexpected(set.error());
  if (auto set = socket->setsockopt(so::timestampns, true); !set)
    return std::unexpected(set.error());
  if (auto bound = socket->bind(address); !bound)
    return std::unexpected(bound.error());
  return socket;
}

void print(const IncomingMessages::Message &message) {
  // Without UDP_GRO's size it is a single datagram; an older kernel tells no time of one that was sent to itself.
  const auto size = message.control.get(cmsg::udp::gro);
  const auto time = message.control.get(cmsg::scm::timestampns).value_or(Nanoseconds());
  for (ConstBuffer datagram : Segments(message.part(0), size ? static_cast<std::size_t>(*size) : 0))
    std::printf("%lld.%09lld %s %zu bytes\n", time.count() / 1'000'000'000, time.count() % 1'000'000'000,
                message.address.text().c_str(), datagram.size());
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fputs("usage: batch_receiver ADDRESS\n", stderr);
    return 2;
  }
  auto complain = [argv](Error error) {
    std::fprintf(stderr, "batch_receiver: %s: %s\n", argv[1], error.describe().c_str());
    return 1;
  };
  auto address = SocketAddress::parse(argv[1]);
  if (!address)
    return complain(address.error());
  auto socket = bound(*address);
  if (!socket)
    return complain(socket.error());
  auto local = socket->getsockname(); // with the port that the kernel chose for port 0
  if (!local)
    return complain(local.error());
  std::printf("listening on %s\n", local->text().c_str());
  std::fflush(stdout);

  static char data[messages][message_max];
  static MutableBuffer parts[messages];
  Batch batch;
  for (std::size_t i = 0; i < messages; ++i) {
    parts[i] = data[i];
    batch.assign(i, {&parts[i], 1});
  }
  for (;;) {
    auto count = socket->recvmmsg(batch, MSG_WAITFORONE); // waits for the first one only
    if (!count) {
      if (count.error().interrupted())
        continue;
      return complain(count.error());
    }
    for (std::size_t i = 0; i < *count; ++i)
      print(batch[i]);
    std::printf("%zu messages in one call\n", *count);
    std::fflush(stdout);
  }
}
