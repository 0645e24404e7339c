// SPDX-License-Identifier: MIT
/// The echo client of the figures: ADDRESS:PORT TEXT.

#include <baresock/socket.hpp>

#include <cstdio>

using namespace baresock;

int main(int count, char **arguments) {
  if (count != 3)
    return 2;
  auto address = SocketAddress::parse(arguments[1]);
  if (!address) {
    std::fprintf(stderr, "%s: not an address\n", arguments[1]);
    return 1;
  }
  auto socket = Socket::socket(address->family(), SOCK_STREAM);
  if (!socket) {
    std::fprintf(stderr, "%s\n", socket.error().describe().c_str());
    return 1;
  }
  if (auto connected = socket->connect(*address); !connected) {
    std::fprintf(stderr, "%s\n", connected.error().describe().c_str());
    return 1;
  }
  if (auto sent = socket->send(arguments[2]); !sent) {
    std::fprintf(stderr, "%s\n", sent.error().describe().c_str());
    return 1;
  }
  char buffer[4096];
  auto got = socket->recv(buffer);
  if (!got) {
    std::fprintf(stderr, "%s\n", got.error().describe().c_str());
    return 1;
  }
  std::fwrite(buffer, 1, *got, stdout);
}
