// SPDX-License-Identifier: MIT
/// Runs the programs of test/example, as a user would.

#include "support.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <initializer_list>
#include <list>
#include <poll.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/resource.h>
#include <utility>
#include <vector>

using namespace baresock;

namespace {

constexpr unsigned deadline = 60; // seconds; only a program that hangs gets there

/// A descriptor that is no socket.
class File {
public:
  explicit File(int fd) : fd_(fd) { REQUIRE(fd >= 0); }
  File(File &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File &operator=(File &&other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

private:
  int fd_;
};

File nothing() { return File(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

/// A file without a name, that holds `content` and is at its beginning.
File file_of(std::string_view content) {
  File file(::memfd_create("test", MFD_CLOEXEC));
  while (!content.empty()) {
    ssize_t size = ::write(file.fd(), content.data(), content.size());
    REQUIRE(size > 0);
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  REQUIRE(::lseek(file.fd(), 0, SEEK_SET) == 0);
  return file;
}

std::pair<File, File> make_pipe() {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  return {File(ends[0]), File(ends[1])};
}

/// To the end of the file, or to and with the end of a line. Ends when the programs that write have.
std::string read_all(const File &file, bool line = false) {
  std::string all;
  char room[65536];
  while (!line || !all.ends_with('\n')) {
    ssize_t size = ::read(file.fd(), room, line ? 1 : sizeof room);
    REQUIRE(size >= 0);
    if (size == 0)
      break;
    all.append(room, static_cast<std::size_t>(size));
  }
  return all;
}

/// Starts a program. The kernel ends it after the deadline: alarm(2) outlives exec(2). So nothing that waits for the
/// program, or for the end of what it writes, waits for ever.
pid_t start(const std::vector<std::string> &arguments, int input, int output, int error) {
  std::vector<char *> argv;
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    for (int signal : {SIGALRM, SIGINT, SIGTERM, SIGPIPE})
      ::signal(signal, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::alarm(deadline);
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); // also what this program was started with
    // None of the three is 0, 1 or 2: those are open in the test.
    if (::dup2(input, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(error, 2) == 2)
      ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  return pid;
}

std::string example(const std::string &name) {
  const char *directory = std::getenv("EXAMPLES");
  return std::string(directory != nullptr ? directory : "build/example") + "/" + name;
}

/// A program of test/example that runs; killed if it still does at the end of the test.
class Program {
public:
  explicit Program(const std::string &name, const std::vector<std::string> &arguments = {}, File input = nothing())
      : error_(file_of("")) {
    std::vector<std::string> command = {example(name)};
    command.insert(command.end(), arguments.begin(), arguments.end());
    auto [ours, theirs] = make_pipe();
    pid_ = start(command, input.fd(), theirs.fd(), error_.fd());
    output_ = std::move(ours);
  }
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;
  ~Program() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      (void)wait();
    }
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const { CHECK(::kill(pid_, number) == 0); }

  /// The next line that it prints, with its end; what there is if the program ends.
  [[nodiscard]] std::string line() const { return read_all(output_, true); }

  /// What else it prints until it closes its output.
  [[nodiscard]] std::string output() const { return read_all(output_); }

  /// Its exit status, or the negative number of the signal that ended it.
  [[nodiscard]] int wait() {
    int status = 0;
    pid_t ended;
    while ((ended = ::waitpid(pid_, &status, 0)) < 0 && errno == EINTR)
      ;
    CHECK(ended == pid_);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// What it wrote to its standard error, once it has ended.
  [[nodiscard]] std::string errors() const {
    REQUIRE(::lseek(error_.fd(), 0, SEEK_SET) == 0);
    return read_all(error_);
  }

private:
  pid_t pid_ = -1;
  File output_ = nothing();
  File error_;
};

/// An echo_server that listens, and where.
struct EchoServer : Program {
  std::string address;

  explicit EchoServer(const std::string &at) : Program("echo_server", {at}) {
    address = line();
    constexpr std::string_view prefix = "listening on ";
    REQUIRE(address.starts_with(prefix));
    REQUIRE(address.ends_with('\n'));
    address = address.substr(prefix.size(), address.size() - prefix.size() - 1);
  }

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

/// A socket without an end of file or data would hang the test: waits until there is one of them.
void await(const Socket &socket) {
  pollfd waiting = {socket.fd(), POLLIN, 0};
  REQUIRE(::poll(&waiting, 1, deadline * 1000) == 1);
}

Socket accept_soon(const Socket &listener) {
  await(listener);
  return VALUE(listener.accept());
}

/// Receives until `end` has come.
std::string receive_until(const Socket &socket, std::string_view end) {
  std::string all;
  while (!all.ends_with(end)) {
    await(socket);
    auto bytes = VALUE(socket.recv());
    REQUIRE_FALSE(bytes.empty());
    all += std::string_view(bytes.text());
  }
  return all;
}

bool has_ipv6() {
  auto socket = Socket::socket(AF_INET6, SOCK_STREAM);
  return socket && socket->bind(Inet6Address{in6addr_loopback});
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// Several clients at once, and one that stays; then the signal.
void check_echo(const std::string &at, int signal) {
  NoLeak no_leak;
  EchoServer server(at);
  Socket idle = server.connect();
  Socket talking = server.connect();
  VALUE(talking.send("ping"));
  CHECK(receive_until(talking, "ping") == "ping"); // so that it is served when the signal comes

  std::list<Program> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back("echo_client", std::vector<std::string>{server.address, "Hello,", std::to_string(i)});
  int i = 0;
  for (Program &client : clients) {
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
  Listener listener;
  std::string address = to_string(listener.address);
  std::vector<std::string> arguments = {more.empty() ? "http://" + address + path : address};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Program program("http_get", arguments);
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

} // namespace

TEST_SUITE_BEGIN("example");

TEST_CASE("demo: everything is as expected") {
  NoLeak no_leak;
  Program demo("demo");
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
    Program client("echo_client", {server.address}, file_of(data));
    CHECK((client.output() == data)); // in parentheses: lest doctest should print both
    CHECK(client.wait() == 0);
    CHECK(client.errors() == "");
    server.stop();
  }
}

TEST_CASE("echo_client: no input at all") {
  EchoServer server("127.0.0.1:0");
  Program client("echo_client", {server.address});
  CHECK(client.output() == "");
  CHECK(client.wait() == 0);
  server.stop();
}

TEST_CASE("echo_client: ends with the server, even while it waits for input") {
  auto [ours, theirs] = make_pipe();
  int input = ::fcntl(ours.fd(), F_DUPFD_CLOEXEC, 3);
  Listener listener;
  Program client("echo_client", {to_string(listener.address)}, File(input));
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
  Program refused("echo_client", {to_string(nobody), "hello"});
  CHECK(refused.wait() == 1);
  CHECK(refused.errors() == "echo_client: " + to_string(nobody) + ": connect: Connection refused\n");

  Program nonsense("echo_client", {"127.0.0.1:port"});
  CHECK(nonsense.wait() == 1);
  CHECK(nonsense.errors() == "echo_client: 127.0.0.1:port: SocketAddress::parse: Invalid argument\n");

  Program usage("echo_client");
  CHECK(usage.wait() == 2);
  CHECK(usage.errors().starts_with("usage: echo_client "));
}

TEST_CASE("echo_server: errors") {
  Program nonsense("echo_server", {"127.0.0.01:0"});
  CHECK(nonsense.wait() == 1);
  CHECK(nonsense.output() == "");
  CHECK(nonsense.errors() == "echo_server: 127.0.0.01:0: SocketAddress::parse: Invalid argument\n");

  Program usage("echo_server");
  CHECK(usage.wait() == 2);
  CHECK(usage.errors().starts_with("usage: echo_server "));

  Listener listener;
  Program in_use("echo_server", {to_string(listener.address)});
  CHECK(in_use.wait() == 1);
  CHECK(in_use.output() == "");
  CHECK(in_use.errors() == "echo_server: " + to_string(listener.address) + ": bind: Address already in use\n");
}

TEST_CASE("echo_server: does not remove another's path") {
  TemporaryDirectory directory;
  std::string path = directory / "echo";
  EchoServer first(path);
  Program second("echo_server", {path});
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
    Listener listener;
    Program get("http_get", {"http://" + to_string(listener.address) + (there ? "/page" : "/none")});
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
  Program name("http_get", {"http://localhost/"}); // no names yet
  CHECK(name.wait() == 1);
  CHECK(contains(name.errors(), "SocketAddress::parse: Invalid argument"));

  Program usage("http_get");
  CHECK(usage.wait() == 2);
  CHECK(usage.errors().starts_with("usage: http_get "));

  Program smuggling("http_get", {"127.0.0.1:80", "host\r\nX: y"});
  CHECK(smuggling.wait() == 1);
  CHECK(contains(smuggling.errors(), "%-encoding"));
}

TEST_SUITE_END();
