// SPDX-License-Identifier: MIT
/// The calls that the figures count: MODE COUNT. With -DRAW on the raw calls, otherwise on baresock; the other end
/// of each call is a raw one in both.

#ifdef RAW
#include <cerrno>
#include <sys/socket.h>
#else
#include <baresock/socket.hpp>
#endif

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

namespace {

char buffer[64];
int fds[2];
volatile std::size_t run_time_size = sizeof buffer; // lest the checks of sizes be folded away

} // namespace

int main(int, char **arguments) {
  const char *mode = arguments[1];
  long count = std::atol(arguments[2]);
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds) != 0)
    return 1;
  long done = 0;
  std::size_t size = run_time_size;
#ifdef RAW
  int socket = fds[0];
#else
  baresock::Socket socket(fds[0]);
#endif
  if (std::strcmp(mode, "send") == 0) {
    for (; done < count; ++done) {
#ifdef RAW
      ssize_t sent = ::send(socket, buffer, size, MSG_NOSIGNAL);
      if (sent < 0)
        return errno;
#else
      auto sent = socket.send({buffer, size});
      if (!sent)
        return sent.error().code();
#endif
      (void)::recv(fds[1], buffer, size, 0);
    }
  } else if (std::strcmp(mode, "recv") == 0) {
    for (; done < count; ++done) {
      (void)::send(fds[1], buffer, size, 0);
#ifdef RAW
      ssize_t got = ::recv(socket, buffer, size, 0);
      if (got < 0)
        return errno;
#else
      auto got = socket.recv({buffer, size});
      if (!got)
        return got.error().code();
#endif
    }
  } else if (std::strcmp(mode, "fail") == 0) {
    for (; done < count; ++done) {
#ifdef RAW
      if (::recv(socket, buffer, size, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
        return 1;
#else
      auto got = socket.recv({buffer, size}, MSG_DONTWAIT);
      if (got || got.error().code() != EAGAIN)
        return 1;
#endif
    }
  }
  return done == count ? 0 : 1;
}
