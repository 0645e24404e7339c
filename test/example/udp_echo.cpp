// SPDX-License-Identifier: MIT
/// udp_echo ADDRESS: sends datagrams back to where they came from, until a signal ends it.
///
///   udp_echo 0.0.0.0:7000       udp_echo [::]:7000       IPv6 and IPv4
///
/// A host has more than one address, and a client takes an answer only from the one that it asked. So each answer
/// says where it is to come from, and over which interface it is to go.

#include <baresock/address.hpp>
#include <baresock/datagram.hpp>
#include <baresock/error.hpp>
#include <baresock/socket.hpp>

#include <cstdio>

using baresock::ConstBuffer;
using baresock::ControlBuffer;
using baresock::Error;
using baresock::MutableBuffer;
using baresock::Result;
using baresock::Socket;
using baresock::SocketAddress;

namespace {

Result<Socket> bound(const SocketAddress &address) {
  auto socket = Socket::socket(address.family(), SOCK_DGRAM);
  if (!socket)
    return socket;
  if (address.family() == AF_INET6) // [::] is all addresses of IPv4, too, whatever the system's default
    if (auto set = socket->setsockopt(baresock::ipv6::v6only, false); !set)
      return std::unexpected(set.error());
  if (auto set = receive_packet_info(*socket); !set)
    return std::unexpected(set.error());
  if (auto bound = socket->bind(address); !bound)
    return std::unexpected(bound.error());
  return socket;
}

/// Receives a datagram and answers.
Result<void> echo(const Socket &socket) {
  char buffer[65536];
  const MutableBuffer parts[] = {buffer};
  ControlBuffer<baresock::packet_info_space> control;
  auto asked = socket.recvmsg(parts, control);
  if (!asked)
    return std::unexpected(asked.error());
  auto info = packet_info(control);
  if (!info)
    return std::unexpected(info.error());
  std::printf("%s asked %s: %zu bytes\n", asked->address.text().c_str(), info->local.text().c_str(), asked->size);

  control.clear();
  if (auto added = append(control, info->reply()); !added)
    return added;
  const ConstBuffer answer[] = {asked->part(0)};
  if (auto sent = socket.sendmsg({answer, &asked->address, control}); !sent)
    return std::unexpected(sent.error());
  return {};
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fputs("usage: udp_echo ADDRESS\n", stderr);
    return 2;
  }
  auto complain = [argv](Error error) {
    std::fprintf(stderr, "udp_echo: %s: %s\n", argv[1], error.describe().c_str());
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
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  std::printf("listening on %s\n", local->text().c_str());
  for (;;)
    if (auto echoed = echo(*socket); !echoed) // one client's trouble, a route that is gone for instance
      complain(echoed.error());
}
