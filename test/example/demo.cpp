// SPDX-License-Identifier: MIT
/// A tour of the socket calls over real sockets: each call, and what came back. `make demo` runs it.

#include <baresock/address.hpp>
#include <baresock/buffer.hpp>
#include <baresock/error.hpp>
#include <baresock/option.hpp>
#include <baresock/option_info.hpp>
#include <baresock/socket.hpp>
#include <baresock/standard.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using baresock::Accepted;
using baresock::Bytes;
using baresock::Error;
using baresock::Inet4Address;
using baresock::Inet6Address;
using baresock::Received;
using baresock::ReceivedBytes;
using baresock::Result;
using baresock::Socket;
using baresock::SocketAddress;
using baresock::to_string;
using baresock::UnixAddress;
namespace so = baresock::so;
using namespace std::chrono_literals;

namespace {

// --- what a call returned, as text ----------------------------------------------------------------------

std::string told(const Socket &socket) { return "descriptor " + std::to_string(socket.fd()); }
std::string told(const std::pair<Socket, Socket> &pair) {
  return "descriptors " + std::to_string(pair.first.fd()) + " and " + std::to_string(pair.second.fd());
}
std::string told(const Accepted &peer) { return told(peer.socket) + ", from " + to_string(peer.address); }
std::string told(const SocketAddress &address) { return to_string(address); }
std::string told(const ucred &peer) {
  return "process " + std::to_string(peer.pid) + " of user " + std::to_string(peer.uid);
}
std::string told(bool value) { return value ? "true" : "false"; }
std::string told(baresock::Microseconds time) { return std::to_string(time.count()) + " microseconds"; }
std::string told(const baresock::OptionValue &value) { return to_string(value); }
std::string told(std::size_t size) { return std::to_string(size) + " bytes"; }
std::string told(const Received &received) {
  return told(received.size) + (received.length > received.size ? " of " + std::to_string(received.length) : "");
}
std::string told(const Bytes &bytes) {
  return told(bytes.size()) + (bytes.empty() ? "" : " \"" + std::string(std::string_view(bytes.text())) + "\"");
}
std::string told(const ReceivedBytes &datagram) {
  return told(datagram.data) + " from " + to_string(datagram.address);
}

// --- a line for each call -------------------------------------------------------------------------------

const bool colours = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;

void title(const char *text) { std::printf(colours ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text); }

void line(const std::string &call, const std::string &outcome) {
  std::printf("  %-48s %s\n", call.c_str(), outcome.c_str());
}

/// A call that has to succeed; its value.
template <class T>
T show(const std::string &call, Result<T> result) {
  if (!result) {
    line(call, to_string(result.error()));
    throw std::runtime_error("that should have succeeded");
  }
  if constexpr (std::is_void_v<T>) {
    line(call, "ok");
  } else {
    line(call, told(*result));
    return std::move(*result);
  }
}

/// A call that has to fail, with this error.
template <class T>
void show_failure(const std::string &call, const Result<T> &result, int code) {
  if (result) {
    line(call, "ok");
    throw std::runtime_error("that should have failed");
  }
  Error error = result.error();
  line(call, to_string(error) + " (" + error.name() + ")");
  if (!error.is(code))
    throw std::runtime_error(std::string("that should have been ") + baresock::error_name(code));
}

void expect(bool condition, const char *what) {
  if (!condition)
    throw std::runtime_error(std::string("not so: ") + what);
}

// --- the tour -------------------------------------------------------------------------------------------

/// A server and a client of one connection, in one thread: connect(2) returns when the connection is in the queue
/// of the listener, before accept(2) takes it from there.
void echo_over_stream(const std::string &family, const SocketAddress &address) {
  auto listener =
      show("listener = socket(" + family + ", SOCK_STREAM)", Socket::socket(address.family(), SOCK_STREAM));
  show("listener.bind(" + to_string(address) + ")", listener.bind(address));
  show("listener.listen()", listener.listen());
  auto local = show("listener.getsockname()", listener.getsockname());

  auto client = show("client = socket(" + family + ", SOCK_STREAM)", Socket::socket(local.family(), SOCK_STREAM));
  show("client.connect(" + to_string(local) + ")", client.connect(local));
  auto [server, from] = show("server = listener.accept_from()", listener.accept_from());
  expect(show("client.getpeername()", client.getpeername()) == local, "the client's peer is the listener's address");

  show("client.send(\"Hello, world!\")", client.send("Hello, world!"));
  auto request = show("server.recv(4096)", server.recv(4096));
  show("server.send(the same)", server.send(request));
  auto reply = show("client.recv(4096)", client.recv(4096));
  expect(reply.text() == "Hello, world!", "the echo is what was sent");

  show("client.shutdown(SHUT_WR)", client.shutdown(SHUT_WR));
  auto end = show("server.recv(4096)", server.recv(4096));
  expect(end.empty(), "0 bytes are the end of the stream");
  show("server.close()", server.close());
}

SocketAddress parsed(const std::string &text) {
  return show("SocketAddress::parse(\"" + text + "\")", SocketAddress::parse(text));
}

void tcp_ipv4() {
  title("TCP echo over IPv4");
  echo_over_stream("AF_INET", Inet4Address{INADDR_LOOPBACK, 0}); // port 0: the kernel chooses one
}

void tcp_ipv6() {
  title("TCP echo over IPv6");
  auto probe = Socket::socket(AF_INET6, SOCK_STREAM);
  if (!probe || !probe->bind(Inet6Address{in6addr_loopback})) {
    line("IPv6 is not available here", to_string(baresock::last_error()));
    return;
  }
  echo_over_stream("AF_INET6", Inet6Address{in6addr_loopback});
}

void udp() {
  title("UDP");
  auto alice = show("alice = socket(AF_INET, SOCK_DGRAM)", Socket::socket(AF_INET, SOCK_DGRAM));
  auto bob = show("bob = socket(AF_INET, SOCK_DGRAM)", Socket::socket(AF_INET, SOCK_DGRAM));
  show("bob.bind(127.0.0.1)", bob.bind(Inet4Address{INADDR_LOOPBACK, 0}));
  auto at = show("bob.getsockname()", bob.getsockname());

  show("alice.sendto(\"Hello, Bob!\", " + to_string(at) + ")", alice.sendto("Hello, Bob!", at));
  auto greeting = show("bob.recvfrom(4096)", bob.recvfrom(4096));
  expect(greeting.data.text() == "Hello, Bob!", "Bob hears Alice");

  show("alice.connect(" + to_string(at) + ")", alice.connect(at)); // from now on only Bob is heard
  show("bob.sendto(\"Hello, Alice!\", " + to_string(greeting.address) + ")",
       bob.sendto("Hello, Alice!", greeting.address));
  char five[5];
  auto cut = show("alice.recv(five bytes, MSG_TRUNC)", alice.recv(five, MSG_TRUNC));
  expect(cut.size == 5 && cut.length == 13, "what does not fit is lost, and told by MSG_TRUNC");

  show("bob.sendto(\"\", " + to_string(greeting.address) + ")", bob.sendto("", greeting.address));
  auto empty = show("alice.recv(4096)", alice.recv(4096));
  expect(empty.empty(), "a datagram may be empty");
}

/// A directory of our own, removed with what is in it.
struct Directory {
  std::string path = "/tmp/baresock-XXXXXX";

  Directory() {
    if (::mkdtemp(path.data()) == nullptr)
      throw std::runtime_error("cannot make a directory in /tmp");
  }
  Directory(const Directory &) = delete;
  Directory &operator=(const Directory &) = delete;
  ~Directory() { std::filesystem::remove_all(path); }
};

void unix_stream() {
  title("Unix stream");
  Directory directory;
  echo_over_stream("AF_UNIX", parsed(directory.path + "/echo"));
}

void unix_datagram() {
  title("Unix datagram");
  Directory directory;
  // Unlike UDP, an unbound socket has no address to be answered at: Alice needs one too.
  auto alice_at = show("alice_at = UnixAddress::path(.../alice)", UnixAddress::path(directory.path + "/alice"));
  auto bob_at = show("bob_at = UnixAddress::path(.../bob)", UnixAddress::path(directory.path + "/bob"));
  auto alice = show("alice = socket(AF_UNIX, SOCK_DGRAM)", Socket::socket(AF_UNIX, SOCK_DGRAM));
  auto bob = show("bob = socket(AF_UNIX, SOCK_DGRAM)", Socket::socket(AF_UNIX, SOCK_DGRAM));
  show("alice.bind(alice_at)", alice.bind(alice_at));
  show("bob.bind(bob_at)", bob.bind(bob_at));

  show("alice.sendto(\"Hello, Bob!\", bob_at)", alice.sendto("Hello, Bob!", bob_at));
  auto greeting = show("bob.recvfrom(4096)", bob.recvfrom(4096));
  expect(greeting.address == alice_at, "the sender is Alice");
  show("bob.sendto(\"Hello, Alice!\", the sender)", bob.sendto("Hello, Alice!", greeting.address));
  auto answer = show("alice.recv(4096)", alice.recv(4096));
  expect(answer.text() == "Hello, Alice!", "Alice hears Bob");
}

void unix_abstract() {
  title("Unix names without a file: abstract, autobind");
  echo_over_stream("AF_UNIX", parsed("@baresock-demo-" + std::to_string(::getpid())));

  auto anyone = show("anyone = socket(AF_UNIX, SOCK_STREAM)", Socket::socket(AF_UNIX, SOCK_STREAM));
  show("anyone.bind(UnixAddress::autobind())", anyone.bind(UnixAddress::autobind()));
  auto chosen = show("anyone.getsockname()", anyone.getsockname());
  expect(chosen.get<UnixAddress>()->kind() == UnixAddress::Kind::abstract, "the kernel has chosen an abstract name");
}

void pair_and_fork() {
  title("socketpair across fork(2)");
  auto [parent, child] = show("socketpair(AF_UNIX, SOCK_STREAM)", Socket::socketpair(AF_UNIX, SOCK_STREAM));
  std::fflush(stdout); // what is buffered now would be printed by both
  pid_t pid = ::fork();
  if (pid < 0)
    throw std::runtime_error("cannot fork");
  if (pid == 0) {
    // Each process closes the end that it does not use, or nobody would ever see the end of the stream.
    bool sent = parent.close() && child.send("Hello from the child!");
    ::_exit(sent ? 0 : 1); // without the destructors of the parent's objects, Directory's for one
  }
  show("child.close()", child.close());
  auto greeting = show("parent.recv(4096)", parent.recv(4096));
  expect(greeting.text() == "Hello from the child!", "the parent hears the child");
  auto end = show("parent.recv(4096)", parent.recv(4096));
  expect(end.empty(), "the child's exit ends the stream");
  auto made_by = show("parent.getsockopt(so::peercred)", parent.getsockopt(so::peercred));
  expect(made_by.pid == ::getpid(), "this process made the pair");
  int status = 0;
  expect(::waitpid(pid, &status, 0) == pid && status == 0, "the child succeeded");
}

void options() {
  title("Options");
  auto tcp = show("tcp = socket(AF_INET, SOCK_STREAM)", Socket::socket(AF_INET, SOCK_STREAM));
  show("tcp.setsockopt(tcp::nodelay, true)", tcp.setsockopt(baresock::tcp::nodelay, true));
  auto nodelay = show("tcp.getsockopt(tcp::nodelay)", tcp.getsockopt(baresock::tcp::nodelay));
  expect(nodelay, "the option is set");
  show("tcp.setsockopt(so::rcvtimeo, 250ms)", tcp.setsockopt(so::rcvtimeo, 250ms));
  auto timeout = show("tcp.getsockopt(so::rcvtimeo)", tcp.getsockopt(so::rcvtimeo));
  expect(timeout >= baresock::Microseconds(250ms), "the timeout is no shorter than asked for");
  auto linger = show("tcp.getsockopt(SOL_SOCKET, SO_LINGER)", tcp.getsockopt(SOL_SOCKET, SO_LINGER));
  expect(linger.find("onoff") != nullptr, "at run time a struct is a record");
  auto inherited = show("tcp.close_on_exec()", tcp.close_on_exec());
  expect(inherited, "no descriptor leaks into other programs");
}

void errors() {
  title("Errors: a call that fails says which call, and why");

  // A port that is bound, so that nobody else can listen there, but not listened on.
  auto nobody = show("nobody = socket(AF_INET, SOCK_STREAM)", Socket::socket(AF_INET, SOCK_STREAM));
  show("nobody.bind(127.0.0.1)", nobody.bind(Inet4Address{INADDR_LOOPBACK, 0}));
  auto at = show("nobody.getsockname()", nobody.getsockname());
  auto client = show("client = socket(AF_INET, SOCK_STREAM)", Socket::socket(AF_INET, SOCK_STREAM));
  show_failure("client.bind(" + to_string(at) + ")", client.bind(at), EADDRINUSE);
  show_failure("client.recv(4096)", client.recv(4096), ENOTCONN);
  show_failure("client.connect(" + to_string(at) + ")", client.connect(at), ECONNREFUSED);
  show_failure("client.getpeername()", client.getpeername(), ENOTCONN);
  show_failure("client.getsockopt(SOL_SOCKET, 9999)", client.getsockopt(SOL_SOCKET, 9999), ENOPROTOOPT);
  show_failure("client.recv(4096, 0x10000000)", client.recv(4096, 0x10000000), EINVAL); // no flag that recv knows

  show_failure("SocketAddress::parse(\"127.0.0.1:65536\")", SocketAddress::parse("127.0.0.1:65536"), EINVAL);
  show_failure("SocketAddress::parse(\"127.0.0.01\")", SocketAddress::parse("127.0.0.01"), EINVAL);
  show_failure("UnixAddress::path(109 characters)", UnixAddress::path(std::string(109, 'x')), ENAMETOOLONG);

  auto [left, right] = show("left, right = socketpair(...)", Socket::socketpair(AF_UNIX, SOCK_STREAM));
  show("right.close()", right.close());
  show_failure("left.send(\"Anyone?\")", left.send("Anyone?"), EPIPE); // and no SIGPIPE
  show_failure("right.send(\"Anyone?\")", right.send("Anyone?"), EBADF);

  Error last = baresock::last_error();
  line("last_error()", to_string(last) + " (" + last.name() + ")");
  expect(last.is(EBADF), "last_error() is the last failure of this thread");
}

} // namespace

int main() {
  try {
    std::puts("baresock: the socket calls, and what came back");
    tcp_ipv4();
    tcp_ipv6();
    udp();
    unix_stream();
    unix_datagram();
    unix_abstract();
    pair_and_fork();
    options();
    errors();
    std::puts("\nAll as expected.");
  } catch (const std::exception &error) {
    std::fflush(stdout);
    std::fprintf(stderr, "demo: %s\n", error.what());
    return 1;
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
