// SPDX-License-Identifier: MIT
/// The echo client of the figures, on the raw calls: ADDRESS PORT TEXT.

#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **arguments) {
  if (count != 4)
    return 2;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(arguments[2])));
  if (::inet_pton(AF_INET, arguments[1], &address.sin_addr) != 1) {
    std::fprintf(stderr, "%s: not an address\n", arguments[1]);
    return 1;
  }
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    std::fprintf(stderr, "socket: %s\n", std::strerror(errno));
    return 1;
  }
  if (::connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) < 0) {
    std::fprintf(stderr, "connect: %s\n", std::strerror(errno));
    return 1;
  }
  if (::send(fd, arguments[3], std::strlen(arguments[3]), MSG_NOSIGNAL) < 0) {
    std::fprintf(stderr, "send: %s\n", std::strerror(errno));
    return 1;
  }
  char buffer[4096];
  ssize_t size = ::recv(fd, buffer, sizeof buffer, 0);
  if (size < 0) {
    std::fprintf(stderr, "recv: %s\n", std::strerror(errno));
    return 1;
  }
  std::fwrite(buffer, 1, static_cast<std::size_t>(size), stdout);
  ::close(fd);
}
