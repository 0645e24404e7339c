// SPDX-License-Identifier: MIT

#include "support.hpp"
#include "waiting.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/un.h>
#include <thread>
#include <vector>

using namespace baresock;

namespace {

const SocketAddress loopback = Inet4Address{INADDR_LOOPBACK, 0};

/// Waits until `events` happen; what happened.
short poll_for(const Socket &socket, short events, int timeout = 60000) {
  pollfd entry = {socket.fd(), events, 0};
  REQUIRE(::poll(&entry, 1, timeout) >= 0);
  return entry.revents;
}

Socket udp_socket(const SocketAddress &at = loopback) {
  Socket socket = VALUE(Socket::socket(at.family(), SOCK_DGRAM));
  VALUE(socket.bind(at));
  return socket;
}

std::pair<Socket, Socket> unix_pair(int type) { return VALUE(Socket::socketpair(AF_UNIX, type)); }

void set_timeout(const Socket &socket, int option, long microseconds) {
  timeval time = {0, microseconds};
  VALUE(socket.setsockopt(SOL_SOCKET, option, {&time, sizeof time}));
}

/// A listening socket whose queue is full: a further connection has to wait.
struct Full {
  TcpListener listener{loopback, 0};
  std::vector<Socket> waiting;

  Full() {
    for (;;) {
      Socket client = VALUE(Socket::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK));
      (void)client.connect(listener.address);
      bool connected = poll_for(client, POLLOUT, 100) != 0;
      waiting.push_back(std::move(client));
      if (!connected)
        return;
      REQUIRE(waiting.size() < 20);
    }
  }
};

} // namespace

TEST_SUITE_BEGIN("socket");

// --- lifetime ------------------------------------------------------------------------------------------

TEST_CASE("Socket is as small as a descriptor, and owns it") {
  static_assert(sizeof(Socket) == sizeof(int));
  static_assert(!std::is_copy_constructible_v<Socket> && !std::is_copy_assignable_v<Socket>);
  static_assert(std::is_nothrow_move_constructible_v<Socket> && std::is_nothrow_move_assignable_v<Socket>);
  NoLeak no_leak;
  Socket empty;
  CHECK(empty.fd() == -1);
  CHECK_FALSE(empty);
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  int fd = socket.fd();
  CHECK(fd >= 0);
  CHECK(socket);
  Socket moved = std::move(socket);
  CHECK(socket.fd() == -1);
  CHECK(moved.fd() == fd);
  Socket other = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  int other_fd = other.fd();
  moved.swap(other);
  CHECK(moved.fd() == other_fd);
  other = std::move(moved); // closes what it held
  CHECK(other.fd() == other_fd);
  CHECK(::fcntl(fd, F_GETFD) == -1);
  Socket &self = other;
  other = std::move(self);
  CHECK(other.fd() == other_fd);
  CHECK(::fcntl(other_fd, F_GETFD) >= 0);
}

TEST_CASE("release and adoption") {
  NoLeak no_leak;
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  int fd = socket.release();
  CHECK(fd >= 0);
  CHECK(socket.fd() == -1);
  CHECK(::fcntl(fd, F_GETFD) >= 0);
  Socket adopted = VALUE(Socket::from_fd(fd));
  CHECK(adopted.fd() == fd);
  Socket unchecked(adopted.release());
  CHECK(unchecked.fd() == fd);
}

TEST_CASE("what is no socket is not adopted, and stays the caller's") {
  NoLeak no_leak;
  CHECK_ERROR(Socket::from_fd(-1), EBADF, getsockopt);
  CHECK_ERROR(Socket::from_fd(-5), EBADF, getsockopt);
  CHECK_ERROR(Socket::from_fd(1 << 20), EBADF, getsockopt);
  int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(file >= 0);
  CHECK_ERROR(Socket::from_fd(file), ENOTSOCK, getsockopt);
  CHECK(::fcntl(file, F_GETFD) >= 0);
  ::close(file);
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  CHECK_ERROR(Socket::from_fd(pipe[0]), ENOTSOCK, getsockopt);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_CASE("close closes once, and the object is empty") {
  NoLeak no_leak;
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  int fd = socket.fd();
  VALUE(socket.close());
  CHECK(socket.fd() == -1);
  CHECK(::fcntl(fd, F_GETFD) == -1);
  CHECK_ERROR(socket.close(), EBADF, close);
  Socket foreign(fd); // closed behind its back
  CHECK_ERROR(foreign.close(), EBADF, close);
  CHECK(foreign.fd() == -1);
}

TEST_CASE("a destructor leaves errno as it is") {
  errno = ENOENT;
  {
    Socket bad(1 << 20);
  }
  CHECK(errno == ENOENT);
}

TEST_CASE("dup makes another descriptor for the same socket") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_STREAM);
  Socket twin = VALUE(a.dup());
  CHECK(twin.fd() != a.fd());
  CHECK(VALUE(twin.close_on_exec()));
  VALUE(a.close());
  CHECK(VALUE(twin.send("x")) == 1);
  CHECK(VALUE(b.recv()).size() == 1);
}

TEST_CASE("SocketRef lends and never closes") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_DGRAM);
  {
    SocketRef ref(a.fd());
    CHECK(VALUE(ref->send("one")) == 3);
    SocketRef copy = ref;
    CHECK(VALUE((*copy).send("two")) == 3);
    SocketRef other(b);
    copy = other;
    CHECK(VALUE(copy->recv()).text() == "one");
    CHECK(ref->fd() == a.fd());
  }
  CHECK(VALUE(b.recv()).text() == "two");
  // Only the const calls can be reached.
  static_assert(std::is_const_v<std::remove_reference_t<decltype(*std::declval<SocketRef &>())>>);
}

TEST_CASE("every call on an empty Socket is EBADF") {
  Socket moved = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  Socket taker = std::move(moved);
  Socket closed = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  VALUE(closed.close());
  Socket empty;
  char room[8];
  int value = 1;
  MutableBuffer parts[] = {room};
  ConstBuffer out[] = {"x"};
  OutgoingMessage messages[] = {OutgoingMessage(out)};
  IncomingBatch<1> batch;
  for (Socket *socket : {&empty, &moved, &closed}) {
    CHECK_ERROR(socket->bind(loopback), EBADF, bind);
    CHECK_ERROR(socket->connect(loopback), EBADF, connect);
    CHECK_ERROR(socket->listen(), EBADF, listen);
    CHECK_ERROR(socket->accept(), EBADF, accept4);
    CHECK_ERROR(socket->accept_from(), EBADF, accept4);
    CHECK_ERROR(socket->getsockname(), EBADF, getsockname);
    CHECK_ERROR(socket->getpeername(), EBADF, getpeername);
    CHECK_ERROR(socket->send("x"), EBADF, send);
    CHECK_ERROR(socket->sendto("x", loopback), EBADF, sendto);
    CHECK_ERROR(socket->sendmsg(messages[0]), EBADF, sendmsg);
    CHECK_ERROR(socket->sendmmsg(messages), EBADF, sendmmsg);
    CHECK_ERROR(socket->recv(room), EBADF, recv);
    CHECK_ERROR(socket->recv(), EBADF, recv);
    CHECK_ERROR(socket->recvfrom(room), EBADF, recvfrom);
    CHECK_ERROR(socket->recvfrom(), EBADF, recvfrom);
    CHECK_ERROR(socket->recvmsg(parts), EBADF, recvmsg);
    CHECK_ERROR(socket->recvmmsg(batch), EBADF, recvmmsg);
    CHECK_ERROR(socket->sendfile(0, 0, 1), EBADF, sendfile);
    CHECK_ERROR(socket->getsockopt(so::type), EBADF, getsockopt);
    CHECK_ERROR(socket->getsockopt(SOL_SOCKET, SO_TYPE, room), EBADF, getsockopt);
    CHECK_ERROR(socket->setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1), EBADF, setsockopt);
    CHECK_ERROR(socket->setsockopt(SOL_SOCKET, SO_KEEPALIVE, true), EBADF, setsockopt);
    CHECK_ERROR(socket->setsockopt(SOL_SOCKET, SO_BINDTODEVICE, "lo"), EBADF, setsockopt);
    CHECK_ERROR(socket->setsockopt(SOL_SOCKET, SO_KEEPALIVE, {&value, sizeof value}), EBADF, setsockopt);
    CHECK_ERROR(socket->shutdown(SHUT_RD), EBADF, shutdown);
    CHECK_ERROR(socket->sockatmark(), EBADF, sockatmark);
    CHECK_ERROR(socket->dup(), EBADF, fcntl);
    CHECK_ERROR(socket->close(), EBADF, close);
    CHECK_ERROR(socket->setsockopt(so::keepalive, true), EBADF, setsockopt);
    CHECK_ERROR(socket->bytes_readable(), EBADF, ioctl);
    CHECK_ERROR(socket->bytes_unsent(), EBADF, ioctl);
    CHECK_ERROR(socket->nonblocking(), EBADF, fcntl);
    CHECK_ERROR(socket->set_nonblocking(true), EBADF, fcntl);
    CHECK_ERROR(socket->close_on_exec(), EBADF, fcntl);
    CHECK_ERROR(socket->set_close_on_exec(false), EBADF, fcntl);
    CHECK(socket->fd() == -1);
    CHECK_FALSE(*socket);
  }
}

// --- creation ------------------------------------------------------------------------------------------

TEST_CASE("socket and socketpair") {
  NoLeak no_leak;
  for (int domain : {AF_INET, AF_INET6, AF_UNIX})
    for (int type : {SOCK_STREAM, SOCK_DGRAM}) {
      Socket socket = VALUE(Socket::socket(domain, type | SOCK_NONBLOCK));
      CHECK(VALUE(socket.getsockopt(so::domain)) == domain);
      CHECK(VALUE(socket.getsockopt(so::type)) == type);
      CHECK(VALUE(socket.nonblocking()));
      CHECK(VALUE(socket.close_on_exec()));
    }
  CHECK(VALUE(VALUE(Socket::socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)).getsockopt(so::protocol)) == IPPROTO_UDP);
  CHECK_ERROR(Socket::socket(AF_INET, 77), EINVAL, socket);
  CHECK_ERROR(Socket::socket(12345, SOCK_STREAM), EAFNOSUPPORT, socket);
  CHECK_ERROR(Socket::socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT, socket);

  for (int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    auto [a, b] = unix_pair(type);
    CHECK(VALUE(a.close_on_exec()));
    CHECK(VALUE(b.close_on_exec()));
    CHECK_FALSE(VALUE(a.nonblocking()));
    CHECK(VALUE(a.send("ab")) == 2);
    CHECK(VALUE(b.recv()).text() == "ab");
  }
  CHECK_ERROR(Socket::socketpair(AF_INET, SOCK_STREAM), EOPNOTSUPP, socketpair);
}

TEST_CASE("descriptors end with exec") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  TcpListener listener;
  Socket client = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(client.connect(listener.address));
  Socket accepted = VALUE(listener.socket.accept());
  Socket twin = VALUE(accepted.dup());
  // The shell sees what a program after exec(3) has open.
  auto open_after_exec = [](const Socket &socket) {
    std::string command = "test -e /proc/$$/fd/" + std::to_string(socket.fd());
    return std::system(command.c_str()) == 0;
  };
  for (const Socket *socket : {&a, &b, &listener.socket, &client, &accepted, &twin})
    CHECK_FALSE(open_after_exec(*socket));
  VALUE(a.set_close_on_exec(false));
  CHECK_FALSE(VALUE(a.close_on_exec()));
  CHECK(open_after_exec(a));
  VALUE(a.set_close_on_exec(true));
  CHECK_FALSE(open_after_exec(a));
}

TEST_CASE("no descriptors left: EMFILE from every call that makes one, and nothing is lost") {
  if (std::getenv("WRAP") != nullptr)
    SKIP("valgrind keeps the limit of descriptors itself, and not in every call");
  int status = in_child([] {
    ::close_range(3, ~0U, 0); // other tests' descriptors may be in the way of the limit
    TcpListener listener;
    Socket client = *Socket::socket(AF_INET, SOCK_STREAM);
    (void)client.connect(listener.address);
    rlimit limit;
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(client.fd() + 1);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
      return 1;
    auto is_emfile = [](const auto &result, Operation operation) {
      return !result && result.error() == Error(EMFILE, operation) && result.error().exhausted();
    };
    if (!is_emfile(Socket::socket(AF_INET, SOCK_STREAM), Operation::socket) ||
        !is_emfile(Socket::socketpair(AF_UNIX, SOCK_STREAM), Operation::socketpair) ||
        !is_emfile(listener.socket.accept(), Operation::accept4) ||
        !is_emfile(listener.socket.accept_from(), Operation::accept4) || !is_emfile(client.dup(), Operation::fcntl))
      return 2;
    limit.rlim_cur = static_cast<rlim_t>(client.fd() + 2); // one is free, two are not
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (!is_emfile(Socket::socketpair(AF_UNIX, SOCK_STREAM), Operation::socketpair))
      return 3;
    // The connection is still in the queue, and the free descriptor still free.
    return listener.socket.accept().has_value() ? 0 : 4;
  });
  CHECK(status == 0);
}

TEST_CASE("descriptors over 1023") {
  // Where FD_SET would write past its array.
  rlimit limit;
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  if (limit.rlim_max < 1600)
    SKIP("RLIMIT_NOFILE allows no descriptor over 1023");
  int status = in_child([&] {
    rlimit more = {1600, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &more) != 0)
      return 1;
    auto [a, b] = *Socket::socketpair(AF_UNIX, SOCK_STREAM);
    int high = ::fcntl(a.fd(), F_DUPFD_CLOEXEC, 1500);
    if (high < 1500)
      return 2;
    Socket socket(high);
    timeval time = {0, 1000};
    char room[8];
    if (!socket.setsockopt(SOL_SOCKET, SO_RCVTIMEO, {&time, sizeof time}) || socket.recv(room).has_value() ||
        !last_error().would_block())
      return 3;
    return socket.send("x").value_or(0) == 1 && b.recv(room)->size == 1 ? 0 : 4;
  });
  CHECK(status == 0);
}

// --- connections ---------------------------------------------------------------------------------------

TEST_CASE("TCP over IPv4 and IPv6: bind, listen, connect, accept, names") {
  for (SocketAddress at : {loopback, SocketAddress(Inet6Address{in6addr_loopback, 0, 0, 0})}) {
    NoLeak no_leak;
    auto probe = Socket::socket(at.family(), SOCK_STREAM);
    if (!probe || !probe->bind(at))
      SKIP("no IPv6 loopback here");
    TcpListener listener(at);
    CHECK(listener.address.port() != 0);
    CHECK(VALUE(listener.socket.getsockopt(so::acceptconn)));
    Socket client = VALUE(Socket::socket(at.family(), SOCK_STREAM));
    VALUE(client.connect(listener.address));
    Accepted accepted = VALUE(listener.socket.accept_from());
    CHECK(accepted.address == VALUE(client.getsockname()));
    CHECK(VALUE(accepted.socket.getpeername()) == accepted.address);
    CHECK(VALUE(client.getpeername()) == listener.address);
    CHECK(VALUE(accepted.socket.close_on_exec()));
    CHECK(VALUE(client.send("over")) == 4);
    CHECK(VALUE(accepted.socket.recv()).text() == "over");
    VALUE(client.shutdown(SHUT_WR));
    CHECK(VALUE(accepted.socket.recv()).empty());
    CHECK(VALUE(accepted.socket.send("back")) == 4);
    CHECK(VALUE(client.recv()).text() == "back");
  }
}

TEST_CASE("the calls' own failures") {
  TcpListener listener;
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  CHECK_ERROR(socket.bind(listener.address), EADDRINUSE, bind);
  CHECK_ERROR(socket.bind(Inet6Address{in6addr_loopback, 0, 0, 0}), EAFNOSUPPORT, bind);
  CHECK_ERROR(socket.bind(Inet4Address{0xc0000201, 0}), EADDRNOTAVAIL, bind);
  CHECK_ERROR(socket.bind(SocketAddress()), EINVAL, bind);
  CHECK_ERROR(socket.getpeername(), ENOTCONN, getpeername);
  CHECK_ERROR(VALUE(Socket::socket(AF_INET, SOCK_STREAM)).shutdown(SHUT_RD), ENOTCONN, shutdown);
  CHECK_ERROR(socket.accept(), EINVAL, accept4);
  CHECK_ERROR(socket.send("x"), EPIPE, send);
  char room[8];
  CHECK_ERROR(socket.recv(room), ENOTCONN, recv);
  CHECK_ERROR(socket.connect(SocketAddress()), EINVAL, connect);
  CHECK_ERROR(VALUE(Socket::socket(AF_INET, SOCK_DGRAM)).listen(), EOPNOTSUPP, listen);
  CHECK_ERROR(VALUE(Socket::socket(AF_INET, SOCK_DGRAM)).accept(), EOPNOTSUPP, accept4);
  CHECK_ERROR(listener.socket.accept(SOCK_STREAM), EINVAL, accept4); // a flag that accept4 does not know
  CHECK_ERROR(listener.socket.accept_from(0x10), EINVAL, accept4);
  Connection connection;
  CHECK_ERROR(connection.client.shutdown(77), EINVAL, shutdown);
  CHECK_ERROR(connection.client.connect(listener.address), EISCONN, connect);
}

TEST_CASE("connect to a port where nobody listens") {
  SocketAddress nobody;
  {
    TcpListener listener;
    nobody = listener.address;
  }
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  auto result = socket.connect(nobody);
  CHECK_ERROR(result, ECONNREFUSED, connect);
  CHECK(result.error().refused());
  CHECK(result.error().describe() == "connect: Connection refused");
  CHECK_ERROR(VALUE(Socket::socket(AF_UNIX, SOCK_STREAM)).connect(VALUE(UnixAddress::path("/nonexistent/socket"))),
              ENOENT, connect);
}

TEST_CASE("connecting to AF_UNSPEC dissolves the association") {
  Socket a = udp_socket(), b = udp_socket();
  VALUE(a.connect(VALUE(b.getsockname())));
  CHECK(VALUE(a.getpeername()) == VALUE(b.getsockname()));
  VALUE(a.connect(SocketAddress::unspec()));
  CHECK_ERROR(a.getpeername(), ENOTCONN, getpeername);
  Connection connection;
  VALUE(connection.client.connect(SocketAddress::unspec()));
  CHECK_ERROR(connection.client.getpeername(), ENOTCONN, getpeername);
  auto after = connection.server.recv();
  CHECK_ERROR(after, ECONNRESET, recv);
  CHECK(after.error().disconnected());
}

TEST_CASE("an interrupted connect goes on in the kernel") {
  Full full;
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  {
    Alarms alarms;
    auto first = socket.connect(full.listener.address);
    CHECK_ERROR(first, EINTR, connect);
    CHECK(first.error().interrupted());
    // Calling it again is not the way: the connection is being made.
    VALUE(socket.set_nonblocking(true));
    auto second = socket.connect(full.listener.address);
    CHECK_ERROR(second, EALREADY, connect);
    CHECK(second.error().in_progress());
  }
  std::vector<Socket> accepted;
  for (int i = 0; i < 2; ++i)
    accepted.push_back(VALUE(full.listener.socket.accept()));
  CHECK((poll_for(socket, POLLOUT) & POLLOUT) != 0);
  CHECK(VALUE(socket.getsockopt(so::error)) == 0);
  VALUE(socket.connect(full.listener.address)); // says that it is connected, once
  CHECK_ERROR(socket.connect(full.listener.address), EISCONN, connect);
  CHECK(VALUE(socket.nonblocking())); // as it was set
}

TEST_CASE("SO_SNDTIMEO on connect is EINPROGRESS, then EALREADY") {
  Full full;
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  set_timeout(socket, SO_SNDTIMEO, 20000);
  auto first = socket.connect(full.listener.address);
  CHECK_ERROR(first, EINPROGRESS, connect);
  CHECK(first.error().in_progress());
  CHECK_ERROR(socket.connect(full.listener.address), EALREADY, connect);
  CHECK_FALSE(VALUE(socket.nonblocking()));
}

TEST_CASE("a full Unix listener is EAGAIN, which is not \"in progress\"") {
  Socket listener = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  VALUE(listener.bind(UnixAddress::autobind()));
  VALUE(listener.listen(0));
  SocketAddress name = VALUE(listener.getsockname());
  Socket first = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  VALUE(first.connect(name));
  Socket second = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK));
  auto full = second.connect(name);
  CHECK_ERROR(full, EAGAIN, connect);
  CHECK(full.error().would_block());
  CHECK_FALSE(full.error().in_progress());
  // What misleads those who wait for it: writable, and no error.
  CHECK((poll_for(second, POLLOUT, 0) & (POLLOUT | POLLHUP)) == (POLLOUT | POLLHUP));
  CHECK(VALUE(second.getsockopt(so::error)) == 0);
  CHECK_ERROR(second.getpeername(), ENOTCONN, getpeername);
  // Once there is room, the same call on the same socket does it.
  (void)VALUE(listener.accept());
  VALUE(second.connect(name));
}

TEST_CASE("what an accepted socket inherits") {
  TcpListener listener;
  set_timeout(listener.socket, SO_RCVTIMEO, 20000);
  auto none = listener.socket.accept();
  CHECK_ERROR(none, EAGAIN, accept4);
  CHECK(none.error().would_block());
  VALUE(listener.socket.set_nonblocking(true));
  CHECK_ERROR(listener.socket.accept_from(), EAGAIN, accept4);
  Socket client = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(client.connect(listener.address));
  Socket accepted = VALUE(listener.socket.accept());
  CHECK_FALSE(VALUE(accepted.nonblocking()));
  CHECK_ERROR(accepted.recv(), EAGAIN, recv); // it has the timeout
  Socket again = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(again.connect(listener.address));
  CHECK(VALUE(VALUE(listener.socket.accept(SOCK_NONBLOCK)).nonblocking()));
  VALUE(listener.socket.set_nonblocking(false));
  VALUE(listener.socket.shutdown(SHUT_RD));
  CHECK_ERROR(listener.socket.accept(), EINVAL, accept4);
}

TEST_CASE("accept_from of a Unix socket: the client has no name, or has one") {
  Socket listener = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  VALUE(listener.bind(UnixAddress::autobind()));
  VALUE(listener.listen());
  SocketAddress name = VALUE(listener.getsockname());
  Socket unnamed = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  VALUE(unnamed.connect(name));
  CHECK(VALUE(listener.accept_from()).address == SocketAddress(UnixAddress()));
  Socket named = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  VALUE(named.bind(UnixAddress::autobind()));
  VALUE(named.connect(name));
  CHECK(VALUE(listener.accept_from()).address == VALUE(named.getsockname()));
}

TEST_CASE("nothing is set unasked") {
  TcpListener listener;
  Connection connection;
  for (const Socket *socket : {&listener.socket, &connection.client, &connection.server}) {
    CHECK_FALSE(VALUE(socket->getsockopt(so::reuseaddr)));
    CHECK_FALSE(VALUE(socket->getsockopt(so::reuseport)));
    CHECK_FALSE(VALUE(socket->getsockopt(so::keepalive)));
    CHECK_FALSE(VALUE(socket->getsockopt(tcp::nodelay)));
    CHECK_FALSE(VALUE(socket->nonblocking()));
  }
}

// --- sending and receiving -----------------------------------------------------------------------------

TEST_CASE("UDP: sendto, recvfrom and the address it came from") {
  for (SocketAddress at : {loopback, SocketAddress(Inet6Address{in6addr_loopback, 0, 0, 0})}) {
    auto probe = Socket::socket(at.family(), SOCK_DGRAM);
    if (!probe || !probe->bind(at))
      SKIP("no IPv6 loopback here");
    Socket a = udp_socket(at), b = udp_socket(at);
    CHECK(VALUE(a.sendto("hello", VALUE(b.getsockname()))) == 5);
    char room[64];
    ReceivedFrom got = VALUE(b.recvfrom(room));
    CHECK(got.size == 5);
    CHECK(got.length == 5);
    CHECK(std::string(room, got) == "hello");
    CHECK(got.address == VALUE(a.getsockname()));
    CHECK(VALUE(b.sendto("reply", got.address)) == 5);
    ReceivedBytes bytes = VALUE(a.recvfrom());
    CHECK(bytes.data.text() == "reply");
    CHECK(bytes.address == VALUE(b.getsockname()));
    // Without an address there is nowhere to send it.
    CHECK_ERROR(a.sendto("x", SocketAddress()), EINVAL, sendto);
  }
}

TEST_CASE("a stream gives no address") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  char room[8];
  CHECK(VALUE(a.send("x")) == 1);
  CHECK(VALUE(b.recvfrom(room)).address.family() == AF_UNSPEC);
  Connection tcp;
  CHECK(VALUE(tcp.client.send("xy")) == 2);
  ReceivedFrom got = VALUE(tcp.server.recvfrom(room));
  CHECK(got.size == 2);
  CHECK(got.address == SocketAddress()); // not what was there before
  CHECK(VALUE(tcp.client.send("z")) == 1);
  CHECK(VALUE(tcp.server.recvfrom()).address == SocketAddress());
}

TEST_CASE("a datagram without bytes is not the end") {
  auto [a, b] = unix_pair(SOCK_DGRAM);
  CHECK(VALUE(a.send("")) == 0);
  CHECK(VALUE(a.send(ConstBuffer())) == 0);
  CHECK(VALUE(a.send("after")) == 5);
  char room[8];
  CHECK(VALUE(b.recv(room)).size == 0);
  CHECK(VALUE(b.recv()).size() == 0);
  CHECK(VALUE(b.recv(room)).size == 5);
  Socket from = udp_socket(), to = udp_socket();
  CHECK(VALUE(from.sendto("", VALUE(to.getsockname()))) == 0);
  ReceivedFrom got = VALUE(to.recvfrom(room));
  CHECK(got.size == 0);
  CHECK(got.address == VALUE(from.getsockname()));
}

TEST_CASE("recv allocates as much as it is asked for") {
  auto [a, b] = unix_pair(SOCK_DGRAM);
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{4096}, std::size_t{5000}}) {
    CAPTURE(size);
    std::string datagram(5000, 'd');
    CHECK(VALUE(a.send(datagram)) == 5000);
    CHECK(VALUE(a.send(datagram)) == 5000);
    CHECK(VALUE(b.recv(size)).text() == datagram.substr(0, size));
    CHECK(VALUE(b.recvfrom(size)).data.text() == datagram.substr(0, size));
  }
}

TEST_CASE("recv never writes past its buffer") {
  auto [a, b] = unix_pair(SOCK_DGRAM);
  char room[16];
  std::memset(room, '#', sizeof room);
  CHECK(VALUE(a.send("0123456789")) == 10);
  Received got = VALUE(b.recv({room, 4}));
  CHECK(got.size == 4);
  CHECK(got.length == 4); // the rest is gone, and not counted
  CHECK(std::string(room, 5) == "0123#");
  CHECK(VALUE(a.send("0123456789")) == 10);
  CHECK(VALUE(b.recv(MutableBuffer())).size == 0);
}

TEST_CASE("MSG_TRUNC tells a datagram's length, and no more bytes than there are") {
  std::string datagram(5000, 'd');
  Socket a = udp_socket(), b = udp_socket();
  SocketAddress to = VALUE(b.getsockname());
  auto [c, d] = unix_pair(SOCK_DGRAM);
  char room[10];
  for (int round = 0; round < 2; ++round) {
    auto send = [&] {
      CHECK((round == 0 ? VALUE(a.sendto(datagram, to)) : VALUE(c.send(datagram))) == datagram.size());
    };
    const Socket &receiver = round == 0 ? b : d;
    send();
    // Asking for the size: nothing is taken.
    Bytes probe = VALUE(receiver.recv(0, MSG_PEEK | MSG_TRUNC));
    CHECK(probe.size() == 0);
    CHECK(probe.length() == 5000);
    Received got = VALUE(receiver.recv(room, MSG_TRUNC));
    CHECK(got.size == 10);
    CHECK(got.length == 5000);
    CHECK(std::string(room, got) == "dddddddddd");
    send();
    ReceivedFrom from = VALUE(receiver.recvfrom(room, MSG_TRUNC));
    CHECK(from.size == 10);
    CHECK(from.length == 5000);
    send();
    Bytes bytes = VALUE(receiver.recv(10, MSG_TRUNC));
    CHECK(bytes.size() == 10);
    CHECK(bytes.length() == 5000);
    send();
    ReceivedBytes both = VALUE(receiver.recvfrom(10, MSG_TRUNC));
    CHECK(both.data.size() == 10);
    CHECK(both.data.length() == 5000);
  }
}

TEST_CASE("MSG_TRUNC on TCP throws bytes away and leaves the buffer as it was") {
  Connection connection;
  CHECK(VALUE(connection.client.send("discarded")) == 9);
  char room[16];
  std::memset(room, '#', sizeof room);
  CHECK(VALUE(connection.server.recv({room, 9}, MSG_TRUNC | MSG_WAITALL)).length == 9);
  CHECK(std::string(room, 9) == "#########");
  CHECK(VALUE(connection.client.send("discarded")) == 9);
  // Bytes that we allocate are zero then, and not what the heap held.
  Bytes bytes = VALUE(connection.server.recv(9, MSG_TRUNC | MSG_WAITALL));
  CHECK(bytes.text() == TextView("\0\0\0\0\0\0\0\0\0", 9));
  CHECK(VALUE(connection.client.send("kept")) == 4);
  CHECK(VALUE(connection.server.recv()).text() == "kept");
  // A Unix stream ignores the flag.
  auto [a, b] = unix_pair(SOCK_STREAM);
  CHECK(VALUE(a.send("kept")) == 4);
  CHECK(VALUE(b.recv(room, MSG_TRUNC)).size == 4);
  CHECK(std::string(room, 4) == "kept");
}

TEST_CASE("MSG_WAITALL with SO_RCVTIMEO returns what there is") {
  Connection connection;
  set_timeout(connection.server, SO_RCVTIMEO, 20000);
  CHECK(VALUE(connection.client.send("part")) == 4);
  char room[16];
  CHECK(VALUE(connection.server.recv(room, MSG_WAITALL)).size == 4);
  auto nothing = connection.server.recv(room, MSG_WAITALL);
  CHECK_ERROR(nothing, EAGAIN, recv);
  CHECK_FALSE(nothing.error().timed_out());
}

TEST_CASE("EINTR and EAGAIN come back to the caller") {
  auto [a, b] = unix_pair(SOCK_DGRAM);
  char room[8];
  CHECK_ERROR(b.recv(room, MSG_DONTWAIT), EAGAIN, recv);
  {
    Alarms alarms;
    CHECK_ERROR(b.recv(room), EINTR, recv);
    CHECK_ERROR(b.recvfrom(room), EINTR, recvfrom);
    CHECK_ERROR(b.recv(), EINTR, recv);
    TcpListener listener;
    CHECK_ERROR(listener.socket.accept(), EINTR, accept4);
  }
  VALUE(a.set_nonblocking(true));
  std::string datagram(1000, 'x');
  while (a.send(datagram))
    ;
  CHECK(last_error() == Error(EAGAIN, Operation::send));
}

TEST_CASE("out-of-band data, and the mark") {
  Connection connection;
  CHECK_FALSE(VALUE(connection.server.sockatmark()));
  CHECK(VALUE(connection.client.send("ab")) == 2);
  CHECK(VALUE(connection.client.send("!", MSG_OOB)) == 1);
  CHECK(VALUE(connection.client.send("cd")) == 2);
  CHECK((poll_for(connection.server, POLLPRI) & POLLPRI) != 0);
  char room[16];
  while (VALUE(connection.server.bytes_readable()) < 2)
    ;
  CHECK(VALUE(connection.server.recv(room)).size == 2); // stops at the mark
  CHECK(VALUE(connection.server.sockatmark()));
  CHECK(VALUE(connection.server.recv(room, MSG_OOB)).size == 1);
  CHECK(room[0] == '!');
  CHECK(VALUE(connection.server.recv(room)).size == 2);
  CHECK(std::string(room, 2) == "cd");
  CHECK_FALSE(VALUE(connection.server.sockatmark()));
  CHECK_ERROR(connection.server.recv(room, MSG_OOB), EINVAL, recv);
  CHECK_ERROR(VALUE(Socket::socket(AF_UNIX, SOCK_DGRAM)).sockatmark(), EOPNOTSUPP, sockatmark);
}

TEST_CASE("a refused datagram is told by a later call") {
  SocketAddress nobody = VALUE(udp_socket().getsockname());
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  VALUE(socket.connect(nobody));
  CHECK(VALUE(socket.send("x")) == 1);
  CHECK((poll_for(socket, POLLIN) & POLLERR) != 0);
  CHECK_ERROR(socket.send("y"), ECONNREFUSED, send);
  CHECK(VALUE(socket.send("z")) == 1); // told once
}

TEST_CASE("flags that a call does not know are refused, and nothing is sent") {
  auto [a, b] = unix_pair(SOCK_DGRAM);
  ConstBuffer parts[] = {"x"};
  OutgoingMessage messages[] = {OutgoingMessage(parts)};
  char room[8];
  MutableBuffer into[] = {room};
  IncomingBatch<1> batch;
  ControlBuffer<64> control;
  for (int flags : std::array{int{MSG_PEEK}, int{MSG_CTRUNC}, 0x08000000, -1, int{SOCK_CLOEXEC}}) {
    CAPTURE(flags);
    CHECK_ERROR(a.send("x", flags), EINVAL, send);
    CHECK_ERROR(a.sendto("x", SocketAddress(), flags), EINVAL, sendto);
    CHECK_ERROR(a.sendmsg(messages[0], flags), EINVAL, sendmsg);
    CHECK_ERROR(a.sendmmsg(messages, flags), EINVAL, sendmmsg);
  }
  CHECK_ERROR(b.recv(room, MSG_DONTWAIT), EAGAIN, recv);
  CHECK(VALUE(a.send("kept")) == 4);
  for (int flags : std::array{int{MSG_DONTROUTE}, int{MSG_EOR}, int{MSG_MORE}, 0x08000000, -1}) {
    CAPTURE(flags);
    CHECK_ERROR(b.recv(room, flags), EINVAL, recv);
    CHECK_ERROR(b.recv(4, flags), EINVAL, recv);
    CHECK_ERROR(b.recvfrom(room, flags), EINVAL, recvfrom);
    CHECK_ERROR(b.recvfrom(4, flags), EINVAL, recvfrom);
    CHECK_ERROR(b.recvmsg(into, flags), EINVAL, recvmsg);
    CHECK_ERROR(b.recvmsg(into, control, flags), EINVAL, recvmsg);
    CHECK_ERROR(b.recvmmsg(batch, flags), EINVAL, recvmmsg);
  }
  CHECK(VALUE(b.recv(room)).size == 4);
}

TEST_CASE("null with a size is the kernel's to refuse") {
  if (memory_is_checked())
    SKIP("a memory checker reports what this passes");
  auto [a, b] = unix_pair(SOCK_STREAM);
  CHECK_ERROR(a.send({static_cast<const void *>(nullptr), 4}), EFAULT, send);
  CHECK(VALUE(b.send("full")) == 4);
  CHECK_ERROR(a.recv({static_cast<void *>(nullptr), 4}), EFAULT, recv);
}

TEST_CASE("sizes over SSIZE_MAX are refused, and nothing is sent") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  char room[8] = {};
  std::size_t too_much = static_cast<std::size_t>(SSIZE_MAX) + 1;
  CHECK_ERROR(a.send({room, too_much}), EINVAL, send);
  CHECK_ERROR(a.send({room, SIZE_MAX}), EINVAL, send);
  CHECK_ERROR(a.sendto({room, too_much}, SocketAddress()), EINVAL, sendto);
  CHECK_ERROR(a.recv({room, too_much}), EINVAL, recv);
  CHECK_ERROR(a.recvfrom({room, too_much}), EINVAL, recvfrom);
  CHECK_ERROR(a.recv(too_much), EINVAL, recv);
  CHECK_ERROR(a.recvfrom(too_much), EINVAL, recvfrom);
  CHECK_ERROR(a.recv(SSIZE_MAX), ENOMEM, malloc);
  CHECK_ERROR(a.recv(SSIZE_MAX, MSG_TRUNC), ENOMEM, calloc);
  CHECK_ERROR(a.recvfrom(SSIZE_MAX), ENOMEM, malloc);
  CHECK_ERROR(a.getsockopt(SOL_SOCKET, SO_TYPE, {room, SIZE_MAX}), EINVAL, getsockopt);
  CHECK_ERROR(a.setsockopt(SOL_SOCKET, SO_TYPE, {room, SIZE_MAX}), EINVAL, setsockopt);
  CHECK_ERROR(b.recv(room, MSG_DONTWAIT), EAGAIN, recv);
}

TEST_CASE("no send raises SIGPIPE") {
  int status = in_child([] {
    std::signal(SIGPIPE, SIG_DFL);
    ConstBuffer parts[] = {"x"};
    OutgoingMessage messages[] = {OutgoingMessage(parts)};
    for (int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
      auto [a, b] = *Socket::socketpair(AF_UNIX, type);
      (void)b.close();
      if (a.send("x").has_value() || !last_error().is(EPIPE) || !last_error().disconnected())
        return 1;
      if (a.sendto("x", SocketAddress()).has_value() || a.sendmsg(messages[0]).has_value() ||
          a.sendmmsg(messages).has_value())
        return 2;
      if (a.send("x", MSG_DONTWAIT).has_value())
        return 3;
    }
    Connection tcp;
    (void)tcp.client.shutdown(SHUT_WR);
    return tcp.client.send("x").has_value() ? 4 : 0;
  });
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("sendfile sends a part of a file, and its SIGPIPE is the program's") {
  TemporaryDirectory directory;
  std::ofstream(directory / "file") << "0123456789";
  int file = ::open((directory / "file").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(file >= 0);
  Connection connection;
  CHECK(VALUE(connection.client.sendfile(file, 2, 5)) == 5);
  CHECK(VALUE(connection.server.recv()).text() == "23456");
  CHECK(::lseek(file, 0, SEEK_CUR) == 0);
  CHECK(VALUE(connection.client.sendfile(file, 8, 100)) == 2);
  CHECK(VALUE(connection.client.sendfile(file, 10, 100)) == 0); // the file's end
  CHECK_ERROR(connection.client.sendfile(file, -1, 1), EINVAL, sendfile);
  CHECK_ERROR(connection.client.sendfile(-1, 0, 1), EBADF, sendfile);
  auto send_to_nobody = [&] {
    auto [a, b] = *Socket::socketpair(AF_UNIX, SOCK_STREAM);
    (void)b.close();
    return a.sendfile(file, 0, 5).has_value() ? 1 : last_error().is(EPIPE) ? 0 : 2;
  };
  int killed = in_child([&] {
    std::signal(SIGPIPE, SIG_DFL);
    return send_to_nobody();
  });
  CHECK(WIFSIGNALED(killed));
  CHECK(WTERMSIG(killed) == SIGPIPE);
  CHECK(in_child([&] {
          std::signal(SIGPIPE, SIG_IGN);
          return send_to_nobody();
        }) == 0);
  ::close(file);
}

TEST_CASE("bytes that wait") {
  Connection connection;
  CHECK(VALUE(connection.server.bytes_readable()) == 0);
  CHECK(VALUE(connection.client.send("12345")) == 5);
  (void)poll_for(connection.server, POLLIN);
  CHECK(VALUE(connection.server.bytes_readable()) == 5);
  auto [a, b] = unix_pair(SOCK_STREAM);
  CHECK(VALUE(a.bytes_unsent()) == 0);
  CHECK(VALUE(a.send("123")) == 3);
  CHECK(VALUE(a.bytes_unsent()) > 0);
  CHECK(VALUE(b.recv()).size() == 3);
  CHECK(VALUE(a.bytes_unsent()) == 0);
  Socket from = udp_socket(), to = udp_socket();
  CHECK(VALUE(from.sendto("four", VALUE(to.getsockname()))) == 4);
  CHECK(VALUE(from.sendto("sixsix", VALUE(to.getsockname()))) == 6);
  CHECK(VALUE(to.bytes_readable()) == 4); // of the next one
  CHECK_ERROR(VALUE(Socket::socket(AF_NETLINK, SOCK_RAW)).bytes_readable(), ENOTTY, ioctl);
}

TEST_CASE("two threads on one socket, and a third ends it") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  constexpr std::size_t total = 1 << 20;
  std::size_t sent = 0, received = 0;
  {
    std::jthread echo([&peer = b] {
      char room[4096];
      for (;;) {
        auto got = peer.recv(room);
        if (!got || got->size == 0)
          return;
        for (std::size_t done = 0; done < got->size;) {
          auto part = peer.send({room + done, got->size - done});
          if (!part)
            return;
          done += *part;
        }
      }
    });
    std::jthread sender([&socket = a, &sent] {
      char room[1000] = {};
      while (sent < total) {
        auto part = socket.send({room, std::min(sizeof room, total - sent)});
        if (!part)
          return;
        sent += *part;
      }
      (void)socket.shutdown(SHUT_WR);
    });
    char room[4096];
    for (;;) {
      auto got = a.recv(room);
      if (!got || got->size == 0)
        break;
      received += got->size;
      if (received == total)
        break;
    }
  }
  CHECK(sent == total);
  CHECK(received == total);

  // shutdown wakes a receiver that waits.
  auto [c, d] = unix_pair(SOCK_STREAM);
  Result<Received> got = Received{1, 1};
  {
    std::jthread waiting([&socket = c, &got] {
      char room[8];
      got = socket.recv(room);
    });
    VALUE(c.shutdown(SHUT_RDWR));
  }
  CHECK(VALUE(std::move(got)).size == 0);
}

// --- options -------------------------------------------------------------------------------------------

TEST_CASE("raw options: int and bool") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  CHECK_FALSE(VALUE(socket.getsockopt(so::keepalive)));
  VALUE(socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, true));
  CHECK(VALUE(socket.getsockopt(so::keepalive)));
  VALUE(socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, false));
  CHECK_FALSE(VALUE(socket.getsockopt(so::keepalive)));
  VALUE(socket.setsockopt(IPPROTO_IP, IP_TTL, 77));
  CHECK(VALUE(socket.getsockopt(ip::ttl)) == 77);
  CHECK_ERROR(socket.setsockopt(IPPROTO_IP, IP_TTL, 256), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT, setsockopt);
  int unknown = 0;
  CHECK_ERROR(socket.getsockopt(SOL_SOCKET, 9999, {&unknown, sizeof unknown}), ENOPROTOOPT, getsockopt);
}

TEST_CASE("raw options: bytes") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  linger wait = {1, 30};
  VALUE(socket.setsockopt(SOL_SOCKET, SO_LINGER, {&wait, sizeof wait}));
  linger back = {};
  CHECK(VALUE(socket.getsockopt(SOL_SOCKET, SO_LINGER, {&back, sizeof back})) == sizeof back);
  CHECK(back.l_onoff == 1);
  CHECK(back.l_linger == 30);
  unsigned char byte = 0xee;
  CHECK(VALUE(socket.getsockopt(IPPROTO_IP, IP_TTL, {&byte, 1})) == 1); // the kernel answers in one byte
  CHECK(byte == 64);
  CHECK_ERROR(socket.setsockopt(SOL_SOCKET, SO_LINGER, {&wait, 4}), EINVAL, setsockopt);
}

TEST_CASE("SO_GET_FILTER counts instructions, and getsockopt bytes") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  sock_filter code[5] = {{BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
                         {BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
                         {BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
                         {BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
                         {BPF_RET | BPF_K, 0, 0, 0xffffffff}};
  sock_fprog program = {5, code};
  VALUE(socket.setsockopt(SOL_SOCKET, SO_ATTACH_FILTER, {&program, sizeof program}));
  CHECK(VALUE(socket.getsockopt(SOL_SOCKET, SO_GET_FILTER, MutableBuffer())) == sizeof code);
  // Taken as 16 instructions, 16 bytes would be written past.
  sock_filter back[6];
  std::memset(back, '#', sizeof back);
  CHECK_ERROR(socket.getsockopt(SOL_SOCKET, SO_GET_FILTER, {back, 16}), EINVAL, getsockopt);
  CHECK(reinterpret_cast<const char *>(back)[16] == '#');
  CHECK(VALUE(socket.getsockopt(SOL_SOCKET, SO_GET_FILTER, {back, sizeof back})) == sizeof code);
  CHECK(std::memcmp(back, code, sizeof code) == 0);
  CHECK(reinterpret_cast<const char *>(back)[sizeof code] == '#');
}

TEST_CASE("text options: the device") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  char device[16] = "###############";
  CHECK(VALUE(socket.getsockopt(SOL_SOCKET, SO_BINDTODEVICE, device)) == 0); // unset
  auto bound = socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, "lo");
  if (!bound && bound.error().is(EPERM))
    SKIP("binding to a device wants CAP_NET_RAW");
  CHECK(VALUE(socket.getsockopt(SOL_SOCKET, SO_BINDTODEVICE, device)) == 3); // with its NUL
  CHECK(std::string(device) == "lo");
  CHECK_ERROR(socket.getsockopt(SOL_SOCKET, SO_BINDTODEVICE, {device, 15}), EINVAL, getsockopt);
  // The kernel would bind to "lo", and would cut a long name to one that may exist.
  CHECK_ERROR(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, TextView("lo\0junk", 7)), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, std::string("lo\0", 3)), EINVAL, setsockopt);
  CHECK_ERROR(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, "sixteen-letters-"), ENAMETOOLONG, setsockopt);
  CHECK_ERROR(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, "nosuch"), ENODEV, setsockopt);
  CHECK(VALUE(socket.getsockopt(SOL_SOCKET, SO_BINDTODEVICE, device)) == 3); // the old value is still there
  VALUE(socket.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, ""));
  CHECK(VALUE(socket.getsockopt(SOL_SOCKET, SO_BINDTODEVICE, device)) == 0);
}

TEST_CASE("text options: the congestion control") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(socket.setsockopt(IPPROTO_TCP, TCP_CONGESTION, std::string("reno")));
  char name[16];
  CHECK(VALUE(socket.getsockopt(IPPROTO_TCP, TCP_CONGESTION, name)) == 16);
  CHECK(std::string(name) == "reno");
  CHECK_ERROR(socket.setsockopt(IPPROTO_TCP, TCP_CONGESTION, TextView("reno\0x", 6)), EINVAL, setsockopt);
}

TEST_CASE("non-blocking is set and unset, and nothing else with it") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  REQUIRE(::fcntl(socket.fd(), F_SETFL, O_ASYNC) == 0);
  CHECK_FALSE(VALUE(socket.nonblocking()));
  VALUE(socket.set_nonblocking(true));
  CHECK(VALUE(socket.nonblocking()));
  CHECK((::fcntl(socket.fd(), F_GETFL) & O_ASYNC) != 0);
  VALUE(socket.set_nonblocking(false));
  CHECK_FALSE(VALUE(socket.nonblocking()));
  CHECK((::fcntl(socket.fd(), F_GETFL) & O_ASYNC) != 0);
}

TEST_SUITE_END();
