// SPDX-License-Identifier: MIT
/// Runs the programs of test/example, as a user would.

#include "example.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <initializer_list>
#include <linux/filter.h>
#include <list>
#include <map>
#include <memory>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <thread>
#include <time.h>
#include <utility>
#include <vector>

using namespace baresock;

namespace {

/// An echo_server that listens, and where.
struct EchoServer : Server {
  explicit EchoServer(const std::string &at) : Server("echo_server", {at}) {}

  [[nodiscard]] Socket connect() const {
    auto to = VALUE(SocketAddress::parse(address));
    auto socket = VALUE(Socket::socket(to.family(), SOCK_STREAM));
    VALUE(socket.connect(to));
    return socket;
  }

  /// It has to end as it should, without a complaint.
  void stop(int number = SIGTERM) {
    signal(number);
    CHECK(output() == "stopped\n");
    CHECK(wait() == 0);
    CHECK(errors() == "");
  }
};

/// A server of datagrams that has said where it listens.
struct DatagramServer : Server {
  SocketAddress address;

  DatagramServer(const std::string &name, const std::string &at)
      : Server(name, {at}), address(VALUE(SocketAddress::parse(Server::address))) {}
};

/// A path of hosts, each a network namespace: a client, routers, and the last one. Host i is joined to host i + 1 by
/// the networks 10.i.0.0/24 and fd00:i::/64, in which they are 1 and 2.
class Path {
public:
  static constexpr int hosts = 4;

  Path() {
    std::thread([this] { made_ = make(); }).join();
  }
  [[nodiscard]] bool made() const { return made_; }

  /// In a thread that is at that host. What the test starts there stays there.
  void at(int host, const std::function<void()> &body) const {
    std::exception_ptr failed;
    std::thread([&] {
      try {
        REQUIRE(::setns(names_[static_cast<std::size_t>(host)].fd(), CLONE_NEWNET) == 0);
        body();
      } catch (...) {
        failed = std::current_exception();
      }
    }).join();
    if (failed)
      std::rethrow_exception(failed);
  }

  static bool run(const std::string &command) { return std::system((command + " 2>/dev/null").c_str()) == 0; }

private:
  bool make() {
    for (int i = 0; i < hosts; ++i) {
      if (::unshare(CLONE_NEWNET) != 0)
        return false;
      names_.emplace_back(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    }
    for (int i = 0; i + 1 < hosts; ++i) {
      const std::string n = std::to_string(i);
      const std::string next =
          "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(names_[at(i + 1)].fd());
      if (!enter(i) || !run("ip link add right type veth peer name left netns " + next) || !up("right", n, "1"))
        return false;
      if (!enter(i + 1) || !up("left", n, "2"))
        return false;
    }
    for (int i = 0; i < hosts; ++i) {
      const bool router = i > 0 && i + 1 < hosts;
      if (!enter(i) || !run("ip link set lo up") ||
          (router && !run("echo 1 >/proc/sys/net/ipv4/ip_forward && "
                          "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")))
        return false;
      for (int net = 0; net + 1 < hosts; ++net) {
        const std::string n = std::to_string(net);
        if (net > i && !run(route(n, i, "2")))
          return false;
        if (net < i - 1 && !run(route(n, i - 1, "1")))
          return false;
      }
    }
    return enter(0) && run("ip route add 10.9.0.0/24 via 10.0.0.2 && ip route add fd00:9::/64 via fd00:0::2");
  }
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  bool enter(int host) { return ::setns(names_[at(host)].fd(), CLONE_NEWNET) == 0; }
  static bool up(const std::string &device, const std::string &net, const std::string &host) {
    return run("ip addr add 10." + net + ".0." + host + "/24 dev " + device) &&
           run("ip addr add fd00:" + net + "::" + host + "/64 dev " + device + " nodad") &&
           run("ip link set " + device + " up");
  }
  static std::string route(const std::string &net, int over, const std::string &router) {
    const std::string n = std::to_string(over);
    return "ip route add 10." + net + ".0.0/24 via 10." + n + ".0." + router + " && ip route add fd00:" + net +
           "::/64 via fd00:" + n + "::" + router;
  }

  std::vector<File> names_;
  bool made_ = false;
};

/// Several clients at once, and one that stays; then the signal.
void check_echo(const std::string &at, int signal) {
  NoLeak no_leak;
  EchoServer server(at);
  Socket idle = server.connect();
  Socket talking = server.connect();
  VALUE(talking.send("ping"));
  CHECK(receive_until(talking, "ping") == "ping"); // so that it is served when the signal comes

  std::list<Process> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back("echo_client", std::vector<std::string>{server.address, "Hello,", std::to_string(i)});
  int i = 0;
  for (Process &client : clients) {
    CHECK(client.output() == "Hello, " + std::to_string(i++) + "\n");
    CHECK(client.wait() == 0);
    CHECK(client.errors() == "");
  }

  server.stop(signal);
  await(talking);
  auto end = talking.recv();
  CHECK((!end || end->empty()));
}

/// What a server that is no good makes a client say.
struct Answer {
  int status;
  std::string output;
  std::string errors;
};

/// Runs http_get against a server that answers so and closes; its request has to be `request`, if not empty.
Answer http_get(std::string_view answer, const std::string &request = "", const std::string &path = "/",
                const std::vector<std::string> &more = {}) {
  TcpListener listener;
  std::string address = to_string(listener.address);
  std::vector<std::string> arguments = {more.empty() ? "http://" + address + path : address};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Process program("http_get", arguments);
  {
    Socket server = accept_soon(listener.socket);
    std::string got = receive_until(server, "\r\n\r\n");
    if (!request.empty())
      CHECK(got == request);
    while (!answer.empty()) {
      auto sent = server.send(answer);
      if (!sent) // it has seen enough
        break;
      answer.remove_prefix(*sent);
    }
  }
  std::string output = program.output();
  int status = program.wait();
  return {status, output, program.errors()};
}

/// socket_options, to its end.
struct Options {
  int status;
  std::string output;
  std::string errors;
  pid_t pid;

  explicit Options(const std::vector<std::string> &arguments, File input = nothing()) {
    Process program("socket_options", arguments, std::move(input));
    pid = program.pid();
    output = program.output();
    status = program.wait();
    errors = program.errors();
  }
};

/// Of this socket, with these letters.
Options options_of(const Socket &socket, const std::string &letters = "-i") {
  return Options({letters}, File(::fcntl(socket.fd(), F_DUPFD_CLOEXEC, 3)));
}

/// What stands after this option on its line of the text; empty if it is not there.
std::string value_in(const std::string &text, const std::string &name) {
  auto at = text.find(' ' + name + ' ');
  if (at == text.npos)
    return "";
  at = text.find_first_not_of(' ', at + 1 + name.size());
  return text.substr(at, text.find('\n', at) - at);
}

/// The row of that option in the JSON.
const Json &row_of(const Json &json, const std::string &name) {
  for (const Json &row : json["options"].elements)
    if (row["name"].text == name)
      return row;
  throw std::runtime_error("no row " + name);
}

void set_raw(const Socket &socket, int level, int number, int value) {
  REQUIRE(::setsockopt(socket.fd(), level, number, &value, sizeof value) == 0);
}

/// Has the value the form, the fields and their order that its type promises?
bool fits(const Json &value, const ValueType &type) {
  using Kind = OptionValue::Kind;
  auto digits = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789", text[0] == '-') == text.npos;
  };
  switch (type.kind) {
  case Kind::boolean:
    return value.kind == Json::Kind::boolean;
  case Kind::integer: {
    const bool exact = digits(value.text) && value.text.size() <= 20 &&
                       std::abs(std::stold(value.text)) <= static_cast<long double>(INT64_C(1) << 53);
    return value.kind == (exact ? Json::Kind::number : Json::Kind::string) && digits(value.text);
  }
  case Kind::duration: {
    auto unit = value.text.find_first_not_of("-0123456789");
    return value.kind == Json::Kind::string && digits(value.text.substr(0, unit)) &&
           contains(" s ms us ns ", " " + value.text.substr(unit) + " ");
  }
  case Kind::bytes:
    return value.kind == Json::Kind::string && value.text.starts_with("0x") && value.text.size() % 2 == 0 &&
           value.text.find_first_not_of("0123456789abcdef", 2) == value.text.npos;
  case Kind::record: // the last fields may be unknown to the kernel
    if (value.kind != Json::Kind::object || value.elements.empty() || value.elements.size() > type.field_count)
      return false;
    for (std::size_t i = 0; i < value.elements.size(); ++i)
      if (value.names[i] != type.fields[i].name || !fits(value.elements[i], type.fields[i].type))
        return false;
    return true;
  case Kind::list:
    return value.kind == Json::Kind::array &&
           std::all_of(value.elements.begin(), value.elements.end(),
                       [&type](const Json &element) { return fits(element, *type.element); });
  default:
    return value.kind == Json::Kind::string;
  }
}

/// Rows, in order and once, of all options or of those that such a socket accepts; each as its OptionInfo says.
void check_rows(const Json &json, bool all, int family, int type, int protocol) {
  const std::vector<Json> &rows = json["options"].elements;
  std::size_t at = 0;
  for (const OptionInfo &option : options()) {
    const bool accepted = accepts(option.sockets, family, type, protocol);
    if (!accepted && !all)
      continue;
    INFO(std::string(option.name));
    REQUIRE(at < rows.size());
    const Json &row = rows[at++];
    REQUIRE(row["name"].text == option.name);
    CHECK(row["number"].kind == Json::Kind::number);
    CHECK(row["number"].text == std::to_string(option.number));
    CHECK(row["accepts"].text == (accepted ? "true" : "false"));
    std::string access;
    for (const Json &way : row["access"].elements)
      access += way.text + " ";
    CHECK(access == std::string(can_get(option.access) ? "get " : "") + (can_set(option.access) ? "set " : "") +
                        (can_query(option.access) ? "query " : ""));
    const Json *value = row.find("value");
    const Json *error = row.find("error");
    CHECK((value != nullptr) + (error != nullptr) == can_get(option.access));
    if (value != nullptr)
      CHECK(fits(*value, *option.value));
    if (error != nullptr)
      CHECK(error_number(error->text) > 0);
  }
  CHECK(at == rows.size());
}

/// What a plain number or a duration of whole units is in the kernel's bytes, as the JSON should have it; empty if it
/// is neither, or no value.
std::string raw_value(const Socket &socket, const OptionInfo &option) {
  using Layout = ValueType::Layout;
  const ValueType &type = *option.value;
  const bool counts = type.layout == Layout::count;
  if (!counts && type.layout != Layout::boolean && (type.layout != Layout::integer || type.network_order))
    return "";
  unsigned char bytes[8] = {};
  socklen_t length = sizeof bytes;
  if (::getsockopt(socket.fd(), option.level, option.number, bytes, &length) != 0 || (counts && length != 4))
    return "";
  std::uint64_t number = 0;
  std::memcpy(&number, bytes, length); // little-endian, as who calls makes sure
  if (type.layout == Layout::boolean)
    return number != 0 ? "true" : "false";
  if (type.is_signed && length == 4)
    return std::to_string(static_cast<std::int32_t>(number));
  return std::to_string(number);
}

} // namespace

TEST_SUITE_BEGIN("example");

TEST_CASE("demo: everything is as expected") {
  NoLeak no_leak;
  Process demo("demo");
  std::string output = demo.output();
  CHECK(demo.wait() == 0);
  CHECK(demo.errors() == "");
  for (std::string part :
       {"\nTCP echo over IPv4\n", "\nTCP echo over IPv6\n", "\nUDP\n", "\nUnix stream\n", "\nUnix datagram\n",
        "\nUnix names without a file: abstract, autobind\n", "\nsocketpair across fork(2)\n", "\nErrors",
        " connect: Connection refused (ECONNREFUSED)\n", " recv: Transport endpoint is not connected (ENOTCONN)\n",
        " SocketAddress::parse: Invalid argument (EINVAL)\n", " getsockopt: Protocol not available (ENOPROTOOPT)\n",
        " send: Broken pipe (EPIPE)\n", " 13 bytes \"Hello, world!\"\n", " 5 bytes of 13\n",
        "\nAll as expected.\n"}) {
    INFO(part);
    CHECK(contains(output, part));
  }
  CHECK(contains(output, "[::1]:") == has_ipv6());
  CHECK_FALSE(contains(output, "\033")); // no colours into a pipe
  // What it made in /tmp is gone.
  auto directory = output.find("/tmp/baresock-");
  REQUIRE(directory != output.npos);
  CHECK_FALSE(std::filesystem::exists(output.substr(directory, std::strlen("/tmp/baresock-XXXXXX"))));
}

TEST_CASE("echo_server, echo_client: IPv4") { check_echo("127.0.0.1:0", SIGTERM); }

TEST_CASE("echo_server, echo_client: IPv6") {
  if (!has_ipv6())
    SKIP("no IPv6");
  check_echo("[::1]:0", SIGINT);
}

TEST_CASE("echo_server, echo_client: Unix path, which is gone afterwards") {
  TemporaryDirectory directory;
  std::string path = directory / "echo";
  check_echo(path, SIGINT);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("echo_server, echo_client: abstract name") {
  check_echo("@baresock-test-example-" + std::to_string(::getpid()), SIGTERM);
}

TEST_CASE("echo_server: a name of the kernel's choice") { check_echo("unix:", SIGTERM); }

TEST_CASE("echo_client: 5 MB both ways at once") {
  NoLeak no_leak;
  std::string data(5'000'000, '\0');
  unsigned random = 1;
  for (char &c : data)
    c = static_cast<char>((random = random * 1103515245 + 12345) >> 24);
  TemporaryDirectory directory;
  // A Unix socket has little room: who sends all before it receives hangs. TCP's might hold it all.
  for (const std::string &at : {directory / "echo", std::string("127.0.0.1:0")}) {
    EchoServer server(at);
    Process client("echo_client", {server.address}, file_of(data));
    CHECK((client.output() == data)); // in parentheses: lest doctest should print both
    CHECK(client.wait() == 0);
    CHECK(client.errors() == "");
    server.stop();
  }
}

TEST_CASE("echo_client: no input at all") {
  EchoServer server("127.0.0.1:0");
  Process client("echo_client", {server.address});
  CHECK(client.output() == "");
  CHECK(client.wait() == 0);
  server.stop();
}

TEST_CASE("echo_client: ends with the server, even while it waits for input") {
  auto [ours, theirs] = make_pipe();
  int input = ::fcntl(ours.fd(), F_DUPFD_CLOEXEC, 3);
  TcpListener listener;
  Process client("echo_client", {to_string(listener.address)}, File(input));
  VALUE(accept_soon(listener.socket).close());
  CHECK(client.output() == "");
  CHECK(client.wait() == 1);
  CHECK(contains(client.errors(), "closed by the server"));
}

TEST_CASE("echo_client: errors") {
  SocketAddress nobody;
  Socket bound = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(bound.bind(Inet4Address{INADDR_LOOPBACK, 0}));
  nobody = VALUE(bound.getsockname());
  Process refused("echo_client", {to_string(nobody), "hello"});
  CHECK(refused.wait() == 1);
  CHECK(refused.errors() == "echo_client: " + to_string(nobody) + ": connect: Connection refused\n");

  Process nonsense("echo_client", {"127.0.0.1:port"});
  CHECK(nonsense.wait() == 1);
  CHECK(nonsense.errors() == "echo_client: 127.0.0.1:port: SocketAddress::parse: Invalid argument\n");

  Process usage("echo_client");
  CHECK(usage.wait() == 2);
  CHECK(usage.errors().starts_with("usage: echo_client "));
}

TEST_CASE("echo_server: errors") {
  Process nonsense("echo_server", {"127.0.0.01:0"});
  CHECK(nonsense.wait() == 1);
  CHECK(nonsense.output() == "");
  CHECK(nonsense.errors() == "echo_server: 127.0.0.01:0: SocketAddress::parse: Invalid argument\n");

  Process usage("echo_server");
  CHECK(usage.wait() == 2);
  CHECK(usage.errors().starts_with("usage: echo_server "));

  TcpListener listener;
  Process in_use("echo_server", {to_string(listener.address)});
  CHECK(in_use.wait() == 1);
  CHECK(in_use.output() == "");
  CHECK(in_use.errors() == "echo_server: " + to_string(listener.address) + ": bind: Address already in use\n");
}

TEST_CASE("echo_server: does not remove another's path") {
  TemporaryDirectory directory;
  std::string path = directory / "echo";
  EchoServer first(path);
  Process second("echo_server", {path});
  CHECK(second.wait() == 1);
  CHECK(contains(second.errors(), "bind: Address already in use"));
  CHECK(std::filesystem::exists(path));
  first.stop();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("echo_server: stops while it cannot send") {
  EchoServer server("127.0.0.1:0");
  Socket deaf = server.connect();
  std::string data(65536, 'x');
  int pauses = 0; // it has taken all that it will take when there is no more room twice in 50 ms
  for (;;) {
    auto sent = deaf.send(data, MSG_DONTWAIT);
    if (sent) {
      pauses = 0;
      continue;
    }
    REQUIRE(sent.error().would_block());
    if (++pauses == 2)
      break;
    pollfd room = {deaf.fd(), POLLOUT, 0};
    (void)::poll(&room, 1, 50);
  }
  server.signal(SIGTERM);
  CHECK(server.output() == "stopped\n");
  CHECK(server.wait() == 0);
}

TEST_CASE("echo_server: a peer that resets harms only itself") {
  EchoServer server("127.0.0.1:0");
  Socket rude = server.connect();
  Socket polite = server.connect();
  VALUE(rude.send("ping"));
  await(rude);
  linger now = {1, 0};
  VALUE(rude.setsockopt(SOL_SOCKET, SO_LINGER, {&now, sizeof now}));
  VALUE(rude.close()); // with the echo unread
  VALUE(polite.send("ping"));
  CHECK(receive_until(polite, "ping") == "ping");
  server.signal(SIGTERM);
  CHECK(server.output() == "stopped\n");
  CHECK(server.wait() == 0);
  std::string errors = server.errors();
  CHECK((errors == "" || contains(errors, "Connection reset by peer"))); // as the reset comes late or soon
}

TEST_CASE("echo_server: out of descriptors, the next one waits for a place") {
  EchoServer server("127.0.0.1:0");
  // One comes and goes first, and its thread is joined when the next one comes: a sanitizer wants descriptors of its
  // own to look into a thread that ends, but only once.
  Socket before = server.connect();
  VALUE(before.shutdown(SHUT_WR));
  await(before);
  CHECK(VALUE(before.recv()).empty());
  Socket first = server.connect();
  VALUE(first.send("first"));
  CHECK(receive_until(first, "first") == "first");

  // No higher descriptors than those it has. The accept(2) in which it waits may have one more in hand already, so
  // the second peer may still be served, but not the third. (Over 100 there are valgrind's own.)
  std::string descriptors = "/proc/" + std::to_string(server.pid()) + "/fd/";
  rlim_t end = 100;
  while (!std::filesystem::is_symlink(descriptors + std::to_string(end - 1)))
    --end;
  rlimit limit = {};
  REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, nullptr, &limit) == 0);
  rlimit tight = {end, limit.rlim_max};
  REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &tight, nullptr) == 0);

  Socket second = server.connect();
  Socket third = server.connect();
  VALUE(third.send("third"));
  pollfd early = {third.fd(), POLLIN, 0};
  CHECK(::poll(&early, 1, 100) == 0);
  VALUE(second.close());
  VALUE(first.close());
  CHECK(receive_until(third, "third") == "third");
  REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &limit, nullptr) == 0);
  server.stop();
}

TEST_CASE("http_get: a page of a real server, and one that it lacks") {
  File sink = file_of("");
  int status = 0;
  pid_t help = start({"busybox", "httpd", "--help"}, sink.fd(), sink.fd(), sink.fd());
  REQUIRE(::waitpid(help, &status, 0) == help);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 127)
    SKIP("no busybox");

  NoLeak no_leak;
  TemporaryDirectory directory;
  std::string page(100'000, '\0');
  for (std::size_t i = 0; i < page.size(); ++i)
    page[i] = static_cast<char>(i * i >> 3);
  std::ofstream(directory / "page") << page;

  for (bool there : {true, false}) {
    TcpListener listener;
    Process get("http_get", {"http://" + to_string(listener.address) + (there ? "/page" : "/none")});
    Socket connection = accept_soon(listener.socket);
    pid_t httpd =
        start({"busybox", "httpd", "-i", "-h", directory / ""}, connection.fd(), connection.fd(), sink.fd());
    VALUE(connection.close()); // the server has its own; while ours was open the client would wait for the end
    std::string body = get.output();
    CHECK(get.wait() == (there ? 0 : 1));
    CHECK(contains(get.errors(), there ? " 200 OK\r\n" : " 404 Not Found\r\n"));
    CHECK((body == page) == there);
    CHECK(::waitpid(httpd, nullptr, 0) == httpd);
  }
}

TEST_CASE("http_get: what it asks") {
  auto good = http_get("HTTP/1.1 204 No Content\r\n\r\n", "", "/a?b=c#d");
  CHECK(good.status == 0);
  CHECK(good.output == "");
  CHECK(good.errors == "HTTP/1.1 204 No Content\r\n");

  good = http_get("HTTP/1.0 200 OK\r\nA: b\r\n\r\nbody\r\n\r\nmore", // the header ends only once
                  "GET /x?y HTTP/1.0\r\nHost: example.org\r\nConnection: close\r\n\r\n", "", {"example.org", "/x?y"});
  CHECK(good.status == 0);
  CHECK(good.output == "body\r\n\r\nmore");
  CHECK(good.errors == "HTTP/1.0 200 OK\r\nA: b\r\n");
}

TEST_CASE("http_get: no success") {
  auto answer = http_get("HTTP/1.0 302 Found\r\nLocation: /\r\n\r\nthere");
  CHECK(answer.status == 1);
  CHECK(answer.output == "there");

  answer = http_get("SSH-2.0-OpenSSH_9.2p1\r\n\r\n");
  CHECK(answer.status == 1);
  CHECK(contains(answer.errors, "not an HTTP answer"));

  answer = http_get("HTTP/1.0 200 OK\r\nA: b\r\n");
  CHECK(answer.status == 1);
  CHECK(contains(answer.errors, "the connection ended before the header did"));

  answer = http_get("");
  CHECK(answer.status == 1);
  CHECK(contains(answer.errors, "the connection ended before the header did"));

  answer = http_get("HTTP/1.0 200 OK\r\nA: " + std::string(1'000'000, 'b') + "\r\n\r\n");
  CHECK(answer.status == 1);
  CHECK(contains(answer.errors, "the header is too long"));
}

TEST_CASE("http_get: errors") {
  Process name("http_get", {"http://localhost/"}); // no names yet
  CHECK(name.wait() == 1);
  CHECK(contains(name.errors(), "SocketAddress::parse: Invalid argument"));

  Process usage("http_get");
  CHECK(usage.wait() == 2);
  CHECK(usage.errors().starts_with("usage: http_get "));

  Process smuggling("http_get", {"127.0.0.1:80", "host\r\nX: y"});
  CHECK(smuggling.wait() == 1);
  CHECK(contains(smuggling.errors(), "%-encoding"));
}

TEST_CASE("socket_options: TCP, as text") {
  NoLeak no_leak;
  Options tcp({});
  CHECK(tcp.status == 0);
  CHECK(tcp.errors == "");
  CHECK(tcp.output.starts_with("AF_INET SOCK_STREAM IPPROTO_TCP, Linux "));
  CHECK(value_in(tcp.output, "SO_LINGER") == "{onoff=false, linger=0s}");
  CHECK(value_in(tcp.output, "SO_TYPE") == std::to_string(SOCK_STREAM));
  CHECK(contains(tcp.output, "\n  TCP_INFO\n    state=7\n    ca_state=0\n")); // too long for a line
  CHECK(value_in(tcp.output, "SO_PEERCRED") == "ENODATA");
  CHECK(value_in(tcp.output, "SO_ATTACH_FILTER") == "set");
  CHECK(value_in(tcp.output, "IP_MSFILTER") == "set, query");
  CHECK_FALSE(contains(tcp.output, "!"));
  CHECK_FALSE(contains(tcp.output, "IPV6_"));
  CHECK_FALSE(contains(tcp.output, " \n"));

  // Each option once, under its level; and the sum at the end.
  std::size_t count = 0;
  std::size_t silent = 0;
  for (const OptionInfo &option : options())
    if (accepts(option.sockets, AF_INET, SOCK_STREAM, IPPROTO_TCP)) {
      INFO(std::string(option.name));
      ++count;
      silent += !can_get(option.access);
      int lines = 0;
      for (const char *end : {" ", "\n"}) // the latter if its value is below
        for (auto at = tcp.output.find(std::string("  ") + option.name + end); at != tcp.output.npos;
             at = tcp.output.find(std::string("  ") + option.name + end, at + 1))
          ++lines;
      CHECK(lines == 1);
    }
  std::string sum = tcp.output.substr(tcp.output.rfind('\n', tcp.output.size() - 2) + 1);
  unsigned long all = 0, told = 0, refused = 0, rest = 0;
  REQUIRE(std::sscanf(sum.c_str(), "%lu options: %lu with a value, %lu refused, %lu only", &all, &told, &refused,
                      &rest) == 4);
  CHECK(all == count);
  CHECK(told + refused + rest == all);
  CHECK(rest == silent);
  const std::size_t levels[] = {tcp.output.find("\nSOL_SOCKET\n  SO_ACCEPTCONN "), tcp.output.find("\nSOL_IP\n  IP_"),
                                tcp.output.find("\nSOL_TCP\n  TCP_"), tcp.output.find("\nrefused\n  SOL_SOCKET "),
                                tcp.output.find("\nonly to be set, or with a question\n  SOL_SOCKET ")};
  CHECK(std::is_sorted(std::begin(levels), std::end(levels)));
  CHECK(levels[4] != tcp.output.npos);
}

TEST_CASE("socket_options -i: the values that were set") {
  NoLeak no_leak;
  Connection connection;
  const Socket &socket = connection.client;
  const linger lingering = {1, 5};
  const timeval timeout = {1, 500'000}; // whole ticks of any kernel's clock
  const unsigned char nothing_done[] = {1, 1, 1, 0};
  REQUIRE(::setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &lingering, sizeof lingering) == 0);
  REQUIRE(::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0);
  REQUIRE(::setsockopt(socket.fd(), IPPROTO_IP, IP_OPTIONS, nothing_done, sizeof nothing_done) == 0);
  set_raw(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_raw(socket, SOL_SOCKET, SO_SNDBUF, 50'000);
  set_raw(socket, IPPROTO_TCP, TCP_KEEPIDLE, 33);
  set_raw(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 1234);
  set_raw(socket, IPPROTO_TCP, TCP_LINGER2, -1);
  const struct {
    const char *name;
    const char *text;
    const char *json;
  } expected[] = {
      {"SO_LINGER", "{onoff=true, linger=5s}", R"("value": {"onoff": true, "linger": "5s"}})"},
      {"SO_RCVTIMEO", "1500ms", R"("value": "1500ms"})"},
      {"IP_OPTIONS", "0x01010100", R"("value": "0x01010100"})"},
      {"SO_KEEPALIVE", "true", R"("value": true})"},
      {"SO_SNDBUF", "100000", R"("value": 100000})"},
      {"TCP_KEEPIDLE", "33s", R"("value": "33s"})"},
      {"TCP_USER_TIMEOUT", "1234ms", R"("value": "1234ms"})"},
      {"TCP_LINGER2", "-1", R"("value": -1})"},
  };
  Options text = options_of(socket);
  CHECK(text.status == 0);
  CHECK(text.errors == "");
  CHECK(contains(text.output, "\n  TCP_INFO\n    state=1\n"));
  Options json = options_of(socket, "-ij");
  CHECK(json.status == 0);
  CHECK(json.errors == "");
  for (const auto &row : expected) {
    INFO(std::string(row.name));
    CHECK(value_in(text.output, row.name) == row.text);
    auto at = json.output.find("\"name\": \"" + std::string(row.name) + "\"");
    REQUIRE(at != json.output.npos);
    at = json.output.find("\"value\"", at);
    CHECK(json.output.substr(at, json.output.find('\n', at) - at) == row.json + std::string(","));
  }
  Json parsed = Json::parse(json.output);
  CHECK(row_of(parsed, "TCP_INFO")["value"]["state"].text == "1");
}

TEST_CASE("socket_options -i: a list of records") {
  Connection connection;
  sock_filter accept_all[] = {{BPF_RET | BPF_K, 0, 0, 0x40000}};
  const sock_fprog filter = {1, accept_all};
  if (::setsockopt(connection.client.fd(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0)
    SKIP("no socket filters, or not for this user");
  Options text = options_of(connection.client);
  CHECK(value_in(text.output, "SO_GET_FILTER") == "[{code=6, jt=0, jf=0, k=262144}]");
  Options json = options_of(connection.client, "-ij");
  CHECK(contains(json.output, R"("SO_GET_FILTER", "number": 26, "access": ["get"], "accepts": true, )"
                              R"("value": [{"code": 6, "jt": 0, "jf": 0, "k": 262144}]},)"));
}

TEST_CASE("socket_options -ij: every plain number and duration is the kernel's") {
  if (std::endian::native != std::endian::little)
    SKIP("the test reads little-endian numbers");
  for (int family : {AF_INET, AF_INET6}) {
    int compared = 0;
    if (family == AF_INET6 && !has_ipv6())
      continue;
    SocketAddress loopback = Inet4Address{INADDR_LOOPBACK};
    if (family == AF_INET6)
      loopback = Inet6Address{in6addr_loopback};
    Connection connection(loopback);
    Json json = Json::parse(options_of(connection.client, "-aij").output);
    check_rows(json, true, family, SOCK_STREAM, IPPROTO_TCP);
    std::size_t at = 0;
    for (const OptionInfo &option : options()) {
      const Json *value = json["options"].elements[at++].find("value");
      if (value == nullptr || option.name == std::string("TCP_TIMESTAMP")) // a clock
        continue;
      std::string raw = raw_value(connection.client, option);
      if (raw.empty())
        continue;
      INFO(std::string(option.name));
      ++compared;
      if (option.value->layout != ValueType::Layout::count) {
        CHECK(value->text == raw);
        continue;
      }
      const std::map<std::string, long double> units = {{"s", 1}, {"ms", 1e-3L}, {"us", 1e-6L}, {"ns", 1e-9L}};
      std::string unit = value->text.substr(value->text.find_first_not_of("0123456789"));
      REQUIRE(units.contains(unit));
      CHECK(std::llround(std::stold(value->text) * units.at(unit) *
                         static_cast<long double>(option.value->per_second)) == std::stoll(raw));
    }
    CHECK(compared > 60);
  }
}

TEST_CASE("socket_options: sockets of every kind, with -a too") {
  const struct {
    std::vector<std::string> words;
    int family, type, protocol;
    const char *head; // what the kernel says that it is
  } kinds[] = {
      {{"inet"}, AF_INET, SOCK_STREAM, 0, "AF_INET SOCK_STREAM IPPROTO_TCP"},
      {{"inet", "dgram"}, AF_INET, SOCK_DGRAM, 0, "AF_INET SOCK_DGRAM IPPROTO_UDP"},
      {{"inet", "raw", "icmp"}, AF_INET, SOCK_RAW, IPPROTO_ICMP, "AF_INET SOCK_RAW IPPROTO_ICMP"},
      {{"inet", "stream", "mptcp"}, AF_INET, SOCK_STREAM, 262, "AF_INET SOCK_STREAM IPPROTO_MPTCP"},
      {{"inet6", "stream"}, AF_INET6, SOCK_STREAM, 0, "AF_INET6 SOCK_STREAM IPPROTO_TCP"},
      {{"inet6", "dgram", "136"}, AF_INET6, SOCK_DGRAM, 136, "AF_INET6 SOCK_DGRAM IPPROTO_UDPLITE"},
      {{"inet6", "raw", "ICMPV6"}, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, "AF_INET6 SOCK_RAW IPPROTO_ICMPV6"},
      {{"unix"}, AF_UNIX, SOCK_STREAM, 0, "AF_UNIX SOCK_STREAM 0"},
      {{"unix", "dgram"}, AF_UNIX, SOCK_DGRAM, 0, "AF_UNIX SOCK_DGRAM 0"},
      {{"local", "seqpacket"}, AF_UNIX, SOCK_SEQPACKET, 0, "AF_UNIX SOCK_SEQPACKET 0"},
      {{"netlink"}, AF_NETLINK, SOCK_DGRAM, 0, "AF_NETLINK SOCK_DGRAM NETLINK_ROUTE"},
      {{"netlink", "raw", "generic"}, AF_NETLINK, SOCK_RAW, 16, "AF_NETLINK SOCK_RAW NETLINK_GENERIC"},
      {{"packet", "raw"}, AF_PACKET, SOCK_RAW, 0, "AF_PACKET SOCK_RAW 0"},
      {{"vsock"}, AF_VSOCK, SOCK_STREAM, 0, "AF_VSOCK SOCK_STREAM 0"},
      {{"xdp"}, AF_XDP, SOCK_RAW, 0, "AF_XDP SOCK_RAW 0"},
      {{"can", "raw", "raw"}, AF_CAN, SOCK_RAW, 1, "AF_CAN SOCK_RAW CAN_RAW"},
      {{"255"}, 255, SOCK_STREAM, 0, ""}, // which no kernel has
  };
  NoLeak no_leak;
  int made = 0;
  for (const auto &kind : kinds) {
    INFO(std::string(kind.head));
    auto ours = Socket::socket(kind.family, kind.type, kind.protocol);
    for (std::string letters : {"-a", "-j", "-aj"}) {
      INFO(letters);
      std::vector<std::string> arguments = {letters};
      arguments.insert(arguments.end(), kind.words.begin(), kind.words.end());
      Options answer(arguments);
      if (!ours) {
        CHECK(answer.status == 1);
        CHECK(answer.output == "");
        CHECK(answer.errors == "socket_options: " + to_string(ours.error()) + "\n");
        continue;
      }
      ++made;
      CHECK(answer.status == 0);
      CHECK(answer.errors == "");
      const bool all = contains(letters, "a");
      std::size_t strange = 0;
      if (contains(letters, "j")) {
        Json json = Json::parse(answer.output);
        CHECK(json["family"].text + " " + json["type"].text + " " + json["protocol"].text == kind.head);
        CHECK(json["kernel"].text.starts_with("Linux "));
        CHECK(json.elements.size() == 5);
        check_rows(json, all, kind.family, kind.type, VALUE(ours->getsockopt(so::protocol)));
      } else {
        CHECK(answer.output.starts_with(kind.head + std::string(", Linux ")));
        CHECK(contains(answer.output, "\n" + std::to_string(options().size()) + " options: "));
        for (auto at = answer.output.find("\n! "); at != answer.output.npos; at = answer.output.find("\n! ", at + 1))
          ++strange;
        CHECK(contains(answer.output, std::to_string(strange) + " with a value belong to other sockets: !\n") ==
              (strange > 0));
      }
    }
  }
  CHECK(made > 0);
}

TEST_CASE("socket_options -a: marks what a socket answers that belongs to others") {
  // SO_REUSEPORT can be got from any socket, and set on those of two families.
  Options all({"-a", "unix"});
  CHECK(contains(all.output, "\n! SO_REUSEPORT "));
  CHECK(contains(all.output, "\n  SO_REUSEADDR "));
  CHECK(contains(all.output, "belong to other sockets: !\n"));
  Json json = Json::parse(Options({"-aj", "unix"}).output);
  CHECK(row_of(json, "SO_REUSEPORT")["accepts"].text == "false");
  CHECK(row_of(json, "SO_REUSEPORT")["value"].text == "false");
  CHECK(row_of(json, "TCP_NODELAY")["accepts"].text == "false");
  CHECK(row_of(json, "TCP_NODELAY")["error"].text == "EOPNOTSUPP");
}

TEST_CASE("socket_options: numbers that a double has not") {
  Json json = Json::parse(Options({"-j"}).output);
  const Json &rate = row_of(json, "SO_MAX_PACING_RATE")["value"];
  if (rate.text.size() < 16)
    SKIP("a long has 32 bits");
  CHECK(rate.kind == Json::Kind::string);
  CHECK(rate.text == "18446744073709551615");
  CHECK(value_in(Options({}).output, "SO_MAX_PACING_RATE") == rate.text);
}

TEST_CASE("socket_options: a Unix socket has a peer") {
  Options pair({"unix"});
  CHECK(value_in(pair.output, "SO_PEERCRED") == "{pid=" + std::to_string(pair.pid) +
                                                    ", uid=" + std::to_string(::getuid()) +
                                                    ", gid=" + std::to_string(::getgid()) + "}");
}

TEST_CASE("socket_options -c: connected") {
  Options connected({"-c"});
  CHECK(contains(connected.output, "\n  TCP_INFO\n    state=1\n"));
  CHECK(std::atoi(value_in(connected.output, "IP_MTU").c_str()) > 1000);
  Options datagrams({"-c", "inet", "dgram"});
  CHECK(std::atoi(value_in(datagrams.output, "IP_MTU").c_str()) > 1000);
  CHECK(value_in(Options({"inet", "dgram"}).output, "IP_MTU") == "ENOTCONN");
  if (!has_ipv6())
    SKIP("no IPv6");
  Options inet6({"inet6", "-c"});
  CHECK(inet6.output.starts_with("AF_INET6 "));
  CHECK(contains(inet6.output, "\n  TCP_INFO\n    state=1\n"));
}

TEST_CASE("socket_options: names of constants") {
  const std::string udp = "AF_INET SOCK_DGRAM IPPROTO_UDP,";
  for (std::string family : {"inet", "Inet", "AF_INET", "af_inet", "2"})
    CHECK(Options({family, "dgram", "udp"}).output.starts_with(udp));
  for (std::string type :
       {std::string("dgram"), std::string("DGRAM"), std::string("sock_Dgram"), std::to_string(SOCK_DGRAM)})
    CHECK(Options({"inet", type, "udp"}).output.starts_with(udp));
  for (std::string protocol : {"udp", "UDP", "IPPROTO_UDP", "ipproto_udp", "17", "0"})
    CHECK(Options({"inet", "dgram", protocol}).output.starts_with(udp));
}

TEST_CASE("socket_options: text of any bytes") {
  // A device may have almost any name. The namespace is that of the thread, and of its socket.
  const char name[IFNAMSIZ] = "a\"\\\xff\xc3\xa9\x1b[1m\x7f";
  Socket socket;
  std::string refused;
  std::thread([&] {
    ifreq request = {};
    std::memcpy(request.ifr_name, "lo", sizeof "lo");
    std::memcpy(request.ifr_newname, name, sizeof name);
    if (::unshare(CLONE_NEWNET) != 0)
      refused = "unshare";
    else if (auto made = Socket::socket(AF_INET, SOCK_DGRAM); !made)
      refused = "socket";
    else if (::ioctl(made->fd(), SIOCSIFNAME, &request) != 0)
      refused = "SIOCSIFNAME";
    else if (::setsockopt(made->fd(), SOL_SOCKET, SO_BINDTODEVICE, name, sizeof name) != 0)
      refused = "SO_BINDTODEVICE";
    else
      socket = std::move(*made);
  }).join();
  if (refused == "unshare")
    SKIP("no network namespaces");
  REQUIRE(refused == "");
  Options text = options_of(socket);
  CHECK(value_in(text.output, "SO_BINDTODEVICE") == R"("a\"\\\u00ff\u00c3\u00a9\u001b[1m\u007f")");
  Json json = Json::parse(options_of(socket, "-ij").output);
  CHECK(row_of(json, "SO_BINDTODEVICE")["value"].text == name);
}

TEST_CASE("socket_options: wrong arguments") {
  const std::vector<std::string> wrong[] = {
      {"nonsense"},
      {"inet", "nonsense"},
      {"inet", "stream", "nonsense"},
      {"unix", "stream", "tcp"},
      {""},
      {"SOCK_DGRAM"},
      {"inet", "AF_INET"},
      {"-x"},
      {"--nonsense"},
      {"inet", "1x"},
      {"-i", "inet"},
      {"-ci"},
      {"-c", "unix"},
      {"99999999999999999999"},
      {"inet", "stream", "tcp", "4"},
  };
  for (const auto &arguments : wrong) {
    INFO(arguments.back());
    Options answer(arguments);
    CHECK(answer.status == 2);
    CHECK(answer.output == "");
    CHECK(contains(answer.errors, "usage: socket_options [-acj] [FAMILY [TYPE [PROTOCOL]]]\n"));
  }
  CHECK(Options({"nonsense"}).errors.starts_with("socket_options: nonsense: unknown\n"));
}

TEST_CASE("socket_options: no such socket") {
  Options type({"inet", "9"});
  CHECK(type.status == 1);
  CHECK(type.errors == "socket_options: socket: Socket type not supported\n");
  Options protocol({"inet", "stream", "udp"});
  CHECK(protocol.status == 1);
  CHECK(protocol.errors == "socket_options: socket: Protocol not supported\n");
  Options pair({"unix", "stream", "1000"});
  CHECK(pair.status == 1);
  CHECK(pair.errors == "socket_options: socketpair: Protocol not supported\n");
  Options input({"-i"});
  CHECK(input.status == 1);
  CHECK(input.errors == "socket_options: getsockopt: Socket operation on non-socket\n");
}

TEST_CASE("socket_options --help") {
  Options help({"--help"});
  CHECK(help.status == 0);
  CHECK(help.errors == "");
  CHECK(help.output.starts_with("usage: socket_options "));
  for (std::string letter : {"\n  -a ", "\n  -c ", "\n  -i ", "\n  -j "})
    CHECK(contains(help.output, letter));
}

TEST_CASE("pass_fds: two descriptors are used, any other number is refused") {
  NoLeak no_leak;
  Said said("pass_fds");
  CHECK(said.output == "2 descriptors: copied 14 bytes\n"
                       "0 descriptors: refused: 0, not 2\n"
                       "1 descriptors: refused: 1, not 2\n"
                       "3 descriptors: refused: more than 2\n"
                       "2 descriptors: copied 14 bytes\n"
                       "Hello, world!\nHello, world!\n");
  CHECK(said.errors == "");
  CHECK(said.status == 0);
  Said wrong("pass_fds", {"x"});
  CHECK(wrong.status == 2);
  CHECK(wrong.errors == "usage: pass_fds\n");
}

TEST_CASE("udp_echo: the answer comes from the address that was asked") {
  NoLeak no_leak;
  std::vector<std::string> hosts = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
  std::string at = "0.0.0.0:0";
  SUBCASE("IPv4") {}
  SUBCASE("IPv6, and IPv4 beside it") {
    if (!has_ipv6())
      SKIP("no IPv6");
    hosts.emplace_back("::1");
    at = "[::]:0";
  }
  DatagramServer server("udp_echo", at);
  for (const std::string &host : hosts) {
    CAPTURE(host);
    const SocketAddress asked = VALUE(SocketAddress::parse(host)).with_port(server.address.port());
    Socket client = VALUE(Socket::socket(asked.family(), SOCK_DGRAM));
    for (std::string text : {"hello", "", "again"}) {
      VALUE(client.sendto(text, asked));
      char buffer[64];
      await(client);
      auto answer = VALUE(client.recvfrom(buffer));
      CHECK(answer.address == asked);
      CHECK(std::string_view(buffer, answer) == text);
      const std::string line = server.line();
      CHECK(contains(line, " asked " + host + ": " + std::to_string(text.size()) + " bytes\n"));
    }
  }
  server.signal(SIGTERM);
  CHECK(server.wait() == -SIGTERM);
  CHECK(server.errors() == "");
}

TEST_CASE("udp_echo, batch_receiver: errors") {
  for (std::string name : {"udp_echo", "batch_receiver"}) {
    CAPTURE(name);
    for (const std::vector<std::string> &arguments : {std::vector<std::string>{}, {"127.0.0.1:0", "x"}}) {
      Said said(name, arguments);
      CHECK(said.status == 2);
      CHECK(said.errors == "usage: " + name + " ADDRESS\n");
    }
    Said text(name, {"127.0.0.1:x"});
    CHECK(text.status == 1);
    CHECK(text.errors == name + ": 127.0.0.1:x: SocketAddress::parse: Invalid argument\n");

    Socket taken = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
    VALUE(taken.bind(Inet4Address{INADDR_LOOPBACK}));
    const std::string address = to_string(VALUE(taken.getsockname()));
    Said in_use(name, {address});
    CHECK(in_use.status == 1);
    CHECK(in_use.output == "");
    CHECK(in_use.errors == name + ": " + address + ": bind: Address already in use\n");
  }
  Said family("udp_echo", {"@name"});
  CHECK(family.status == 1);
  CHECK(contains(family.errors, "Address family not supported by protocol"));
}

TEST_CASE("trace_path: two routers, and the host; or why it ends before") {
  Path path;
  if (!path.made())
    SKIP("no network namespaces with routers can be made here");
  auto start_trace = [&](const std::string &host) {
    std::unique_ptr<Process> program;
    path.at(0, [&] { program = std::make_unique<Process>("trace_path", std::vector<std::string>{host}); });
    return program;
  };
  auto trace = [&](const std::string &host) {
    Said said(std::move(*start_trace(host)));
    CHECK(said.errors == "");
    return said;
  };

  Said inet = trace("10.2.0.2");
  CHECK(inet.output == "1 10.0.0.2\n2 10.1.0.2\n3 10.2.0.2\nreached\n");
  CHECK(inet.status == 0);
  Said inet6 = trace("fd00:2::2");
  CHECK(inet6.output == "1 fd00::2\n2 fd00:1::2\n3 fd00:2::2\nreached\n");
  CHECK(inet6.status == 0);

  // The first router knows no way.
  Said nowhere = trace("10.9.0.1");
  CHECK(nowhere.output == "1 10.0.0.2\nNetwork is unreachable\n");
  CHECK(nowhere.status == 1);
  Said nowhere6 = trace("fd00:9::1");
  CHECK(nowhere6.output == "1 fd00::2\nNetwork is unreachable\n");
  CHECK(nowhere6.status == 1);

  // Somebody listens where nobody should, and answers.
  Socket listener;
  path.at(Path::hosts - 1, [&] {
    listener = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
    VALUE(listener.bind(Inet4Address{INADDR_ANY, 33437}));
  });
  auto program = start_trace("10.2.0.2");
  await(listener);
  char buffer[8];
  auto asked = VALUE(listener.recvfrom(buffer));
  CHECK(asked.size == 0);
  VALUE(listener.sendto("yes", asked.address));
  Said answered(std::move(*program));
  VALUE(listener.close());
  CHECK(answered.output == inet.output);
  CHECK(answered.status == 0);

  // A router that says nothing itself: what it sends, and only that, comes from lo.
  bool silenced = false;
  path.at(1, [&] { silenced = Path::run("ip rule add iif lo to 10.0.0.1 blackhole"); });
  if (!silenced)
    SKIP("a router that says nothing: no routing rules");
  Said silent = trace("10.2.0.2");
  CHECK(silent.output == "1 *\n2 10.1.0.2\n3 10.2.0.2\nreached\n");
  CHECK(silent.status == 0);
}

TEST_CASE("trace_path: errors") {
  Said usage("trace_path");
  CHECK(usage.status == 2);
  CHECK(usage.errors == "usage: trace_path ADDRESS\n");
  Said text("trace_path", {"example"});
  CHECK(text.status == 1);
  CHECK(text.errors == "trace_path: example: SocketAddress::parse: Invalid argument\n");
  Said family("trace_path", {"@name"});
  CHECK(family.status == 1);
  CHECK(family.errors == "trace_path: @name: socket: Address family not supported by protocol\n");
  if (!has_ipv6())
    SKIP("no IPv6");
  Said mapped("trace_path", {"::ffff:127.0.0.1"});
  CHECK(mapped.status == 1);
  CHECK(mapped.errors == "trace_path: ::ffff:127.0.0.1: sendto: Network is unreachable\n");
}

TEST_CASE("batch_receiver: every datagram, with its time, sender and size") {
  NoLeak no_leak;
  DatagramServer server("batch_receiver", "127.0.0.1:0");
  Socket client = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  VALUE(client.connect(server.address));
  const std::string sender = to_string(VALUE(client.getsockname()));

  // They come while it is stopped, so as many calls receive them as there must be.
  server.signal(SIGSTOP);
  int status = 0;
  REQUIRE(::waitpid(server.pid(), &status, WUNTRACED) == server.pid());
  REQUIRE(WIFSTOPPED(status));
  timespec before = {};
  ::clock_gettime(CLOCK_REALTIME, &before);
  std::vector<std::size_t> sizes;
  const std::string data(4096, 'x');
  for (std::size_t i = 0; i < 40; ++i) {
    sizes.push_back(i * 10);
    VALUE(client.send({data.data(), i * 10}));
  }
  const bool segments = send_segments(client, {data.data(), 2500}, 1000).has_value();
  if (segments)
    sizes.insert(sizes.end(), {1000, 1000, 500});
  server.signal(SIGCONT);

  std::size_t next = 0;
  std::vector<std::string> calls;
  while (calls.size() < 2) {
    const std::string line = server.line();
    INFO(line);
    if (contains(line, "in one call")) {
      calls.push_back(line);
      continue;
    }
    REQUIRE(next < sizes.size());
    REQUIRE(line.find('.') + 10 == line.find(' ')); // nanoseconds
    CHECK(line.substr(line.find(' ')) == " " + sender + " " + std::to_string(sizes[next++]) + " bytes\n");
    CHECK(std::stod(line) >= static_cast<double>(before.tv_sec));
    CHECK(std::stod(line) <= static_cast<double>(::time(nullptr) + 1));
  }
  CHECK(calls[0] == "32 messages in one call\n");
  CHECK(calls[1] == (segments ? "9" : "8") + std::string(" messages in one call\n"));
  CHECK(next == sizes.size());
  server.signal(SIGTERM);
  CHECK(server.wait() == -SIGTERM);
  CHECK(server.errors() == "");
}

TEST_SUITE_END();
