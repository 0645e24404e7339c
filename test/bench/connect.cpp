// SPDX-License-Identifier: MIT
/// The time to connect. MODE [COUNT]:
///   race                   to a host whose first address drops what comes, in a network of its own: connect_to()
///                          against one address after the other; the median of some turns
///   loopback               to 127.0.0.1: connect_to() against socket(2) and connect(2); in turns, the best counts
///   raw, address, host     COUNT connections to 127.0.0.1, for their system calls to be counted: of socket(2) and
///                          connect(2), of connect_to() an address, or a host and a service
/// Ends with status 2 and the reason if it cannot run here.

#include <baresock/connect.hpp>
#include <baresock/option.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

using namespace baresock;

namespace {

using Clock = std::chrono::steady_clock;

constexpr int races = 7;
constexpr int serial_timeout = 1000; // milliseconds an address
constexpr int turns = 15;
constexpr int connections = 200; // a turn

[[noreturn]] void end(int status, const char *reason) {
  std::printf("%s\n", reason);
  std::exit(status);
}

template <class T>
T must(Result<T> result) {
  if (!result)
    end(1, result.error().describe().c_str());
  if constexpr (!std::is_void_v<T>)
    return std::move(*result);
}

SocketAddress local_host(std::uint32_t n, std::uint16_t port) { return Inet4Address{INADDR_LOOPBACK - 1 + n, port}; }

struct Target {
  Socket socket = must(Socket::socket(AF_INET, SOCK_STREAM));
  SocketAddress address;

  explicit Target(const SocketAddress &at) {
    must(socket.bind(at));
    must(socket.listen());
    address = must(socket.getsockname());
  }
  /// Ends the connection with a reset, which leaves no port occupied.
  void drop() const {
    const Socket server = must(socket.accept());
    must(server.setsockopt(so::linger, {true, Seconds(0)}));
  }
};

double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

/// One address after the other, each with a time-out, as is usual.
int serial(const Span<const SocketAddress> addresses) {
  for (const SocketAddress &address : addresses) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (::connect(fd, address.data(), address.size()) == 0)
      return fd;
    pollfd item = {fd, POLLOUT, 0};
    int error = 0;
    socklen_t length = sizeof error;
    if (errno == EINPROGRESS && ::poll(&item, 1, serial_timeout) == 1 &&
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0)
      return fd;
    ::close(fd);
  }
  return -1;
}

template <class Connect>
double median_of_races(const Target &listener, Connect &&connect) {
  double times[races];
  for (double &time : times) {
    const auto begin = Clock::now();
    const Socket socket = connect();
    time = milliseconds(Clock::now() - begin);
    listener.drop();
  }
  std::ranges::sort(times);
  return times[races / 2];
}

void race() {
  if (::unshare(CLONE_NEWNET) != 0)
    end(2, "no network of its own is permitted");
  if (std::system("PATH=$PATH:/usr/sbin:/sbin; exec >/dev/null 2>&1; ip link set lo up && nft 'table inet t {"
                  " chain c { type filter hook input priority 0; ip daddr 127.0.0.2 drop; }; }'") != 0)
    end(2, "needs ip(8) and nft(8)");
  const Target listener(local_host(3, 0));
  const SocketAddress addresses[] = {local_host(2, 80), listener.address};
  ConnectOptions options;
  options.resolver = [&](Host, Service, const AddressHints &) -> Result<List<SocketAddress>> {
    List<SocketAddress> list;
    for (const SocketAddress &address : addresses)
      must(list.append(address));
    return list;
  };
  auto ours = [&] { return must<Socket>(connect_to("host.test", 80, options)); };
  const double usual = median_of_races(listener, ours);
  options.attempt_delay = Milliseconds(10);
  const double quick = median_of_races(listener, ours);
  const double after = median_of_races(listener, [&] { return Socket(serial(addresses)); });
  std::printf("connecting past an address that does not answer: connect_to %.0f ms, with attempt_delay 10 ms %.0f ms,"
              " serially with a time-out of %d ms %.0f ms (median of %d)\n",
              usual, quick, serial_timeout, after, races);
}

Socket raw(const Target &listener) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, listener.address.data(), listener.address.size()) != 0)
    end(1, "connect");
  return Socket(fd);
}
Socket to_address(const Target &listener) { return must<Socket>(connect_to(listener.address)); }
Socket to_host(const Target &listener) { return must<Socket>(connect_to("127.0.0.1", listener.address.port())); }

using Way = Socket(const Target &listener);

/// Microseconds that a connection takes.
double turn(const Target &listener, Way *way) {
  double all = 0;
  for (int i = 0; i < connections; ++i) {
    const auto begin = Clock::now();
    const Socket socket = way(listener);
    all += milliseconds(Clock::now() - begin);
    listener.drop();
  }
  return all * 1000 / connections;
}

void loopback() {
  const Target listener(local_host(1, 0));
  Way *const ways[] = {raw, to_address, to_host};
  double best[std::size(ways)] = {1e9, 1e9, 1e9};
  for (int i = 0; i < turns; ++i)
    for (std::size_t way = 0; way < std::size(ways); ++way)
      best[way] = std::min(best[way], turn(listener, ways[way]));
  std::printf(
      "connecting to 127.0.0.1: connect_to %.1f us, of a host and a service %.1f us, socket and connect %.1f us;"
      " %.2f and %.2f times as long\n",
      best[1], best[2], best[0], best[1] / best[0], best[2] / best[0]);
}

} // namespace

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  const int count = argc > 2 ? std::atoi(argv[2]) : 0;
  const std::pair<const char *, Way *> ways[] = {{"raw", raw}, {"address", to_address}, {"host", to_host}};
  for (const auto &[name, way] : ways)
    if (std::strcmp(mode, name) == 0) {
      const Target listener(local_host(1, 0));
      for (int i = 0; i < count; ++i) {
        const Socket socket = way(listener);
        listener.drop();
      }
      return 0;
    }
  if (std::strcmp(mode, "race") == 0)
    race();
  else if (std::strcmp(mode, "loopback") == 0)
    loopback();
  else
    end(1, "usage: connect race | loopback | raw COUNT | address COUNT | host COUNT");
  return 0;
}
