// SPDX-License-Identifier: MIT
/// trace_path ADDRESS: the routers on the way to a host.
///
///   trace_path 192.0.2.1        trace_path 2001:db8::1
///
/// A packet that may pass n - 1 routers ends at the nth, which says so. That takes no privilege: the kernel puts what
/// is said of packets into the error queue of the socket that sent them.

#include <baresock/address.hpp>
#include <baresock/error.hpp>
#include <baresock/error_queue.hpp>
#include <baresock/socket.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>

using baresock::Error;
using baresock::IcmpError;
using baresock::Operation;
using baresock::Result;
using baresock::Socket;
using baresock::SocketAddress;

namespace {

constexpr int max_hops = 30;
constexpr int tries = 3;
constexpr int patience = 1000;              // milliseconds
constexpr std::uint16_t first_port = 33434; // and a port for each hop, at which nobody should listen

bool is_inet6(const SocketAddress &address) { return address.family() == AF_INET6; }

Result<Socket> tracer(const SocketAddress &host) {
  auto socket = Socket::socket(host.family(), SOCK_DGRAM);
  if (!socket)
    return socket;
  auto set = is_inet6(host) ? socket->setsockopt(baresock::ipv6::recverr, true)
                            : socket->setsockopt(baresock::ip::recverr, true);
  if (set && is_inet6(host)) // to an IPv4 address in one of IPv6 other options would apply
    set = socket->setsockopt(baresock::ipv6::v6only, true);
  if (!set)
    return std::unexpected(set.error());
  return socket;
}

Result<void> set_hop_limit(const Socket &socket, const SocketAddress &host, int hops) {
  return is_inet6(host) ? socket.setsockopt(baresock::ipv6::unicast_hops, hops)
                        : socket.setsockopt(baresock::ip::ttl, hops);
}

/// What is said of packets to that address; ETIMEDOUT if nothing is. No error number: it was received.
Result<IcmpError> await(const Socket &socket, const SocketAddress &to) {
  pollfd waiting = {socket.fd(), POLLIN, 0}; // and POLLERR, always
  while (::poll(&waiting, 1, patience) > 0) {
    char answer[1];
    if (auto entry = recv_error(socket)) {
      auto error = entry->get<IcmpError>();
      if (error && error->destination == to) // not late news of another packet
        return *error;
    } else if (auto got = socket.recvfrom(answer, MSG_DONTWAIT); got && got->address == to) {
      Result<IcmpError> arrived(std::in_place);
      arrived->offender = to;
      return arrived;
    }
  }
  return std::unexpected(Error(ETIMEDOUT, Operation::recvmsg));
}

Result<IcmpError> probe(const Socket &socket, const SocketAddress &to) {
  Result<IcmpError> answer;
  for (int i = 0; i < tries; ++i) {
    auto sent = socket.sendto("", to);
    if (sent)
      answer = await(socket, to);
    else // perhaps because of what was said, late, of another packet
      answer = std::unexpected(sent.error());
    if (answer)
      break;
  }
  return answer;
}

bool expired(const IcmpError &error) {
  return error.error_number != 0 && error.type == (error.ipv6 ? ICMP6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED);
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fputs("usage: trace_path ADDRESS\n", stderr);
    return 2;
  }
  auto complain = [argv](Error error) {
    std::fprintf(stderr, "trace_path: %s: %s\n", argv[1], error.describe().c_str());
    return 1;
  };
  auto host = SocketAddress::parse(argv[1]);
  if (!host)
    return complain(host.error());
  if (host->family() != AF_INET && host->family() != AF_INET6)
    return complain(Error(EAFNOSUPPORT, Operation::socket));
  auto socket = tracer(*host);
  if (!socket)
    return complain(socket.error());

  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  for (int hops = 1; hops <= max_hops; ++hops) {
    if (auto set = set_hop_limit(*socket, *host, hops); !set)
      return complain(set.error());
    auto answer = probe(*socket, host->with_port(static_cast<std::uint16_t>(first_port + hops)));
    if (!answer && !answer.error().timed_out())
      return complain(answer.error());
    std::printf("%d %s\n", hops, answer ? answer->offender.with_port(0).text().c_str() : "*");
    if (!answer || expired(*answer))
      continue;
    if (answer->error_number == 0 || answer->error_number == ECONNREFUSED) {
      std::puts("reached");
      return 0;
    }
    std::puts(baresock::strerror(answer->error_number));
    return 1;
  }
  std::puts("not reached");
  return 1;
}
