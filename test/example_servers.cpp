// SPDX-License-Identifier: MIT
/// Runs the servers of test/example that listen with listen_on(), as a user would.

#include "example.hpp"

#include <filesystem>
#include <set>
#include <sys/resource.h>

using namespace baresock;

namespace {

/// A client of that server.
Socket connect_to(const Server &server) {
  auto to = VALUE(SocketAddress::parse(server.address));
  auto socket = VALUE(Socket::socket(to.family(), SOCK_STREAM));
  VALUE(socket.connect(to));
  return socket;
}

/// The one that serves this client, as a preforked_server tells.
pid_t process_of(const Socket &client) {
  const std::string greeting = receive_until(client, "\n");
  REQUIRE(greeting.starts_with("process "));
  return static_cast<pid_t>(std::stol(greeting.substr(8)));
}

/// All processes of a server of that many, each of which serves a client until that leaves.
std::set<pid_t> processes_of(const Server &server, std::size_t count) {
  std::vector<Socket> clients;
  std::set<pid_t> processes;
  while (clients.size() < count) {
    clients.push_back(connect_to(server));
    processes.insert(process_of(clients.back()));
  }
  return processes;
}

void stop(Server &server, int number = SIGTERM) {
  server.signal(number);
  CHECK(server.output() == "stopped\n");
  CHECK(server.wait() == 0);
  CHECK(server.errors() == "");
}

std::string text_of(const Socket &client) { return VALUE(client.getsockname()).text().c_str(); }

/// Sends that, and gets it back.
bool echoes(const Socket &client, const std::string &data) {
  VALUE(client.send(data));
  return receive_until(client, data) == data;
}

} // namespace

TEST_SUITE_BEGIN("example");

TEST_CASE("preforked_server: several processes accept from one listener") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  for (const std::string &address : {std::string("127.0.0.1:0"), directory / "who"}) {
    CAPTURE(address);
    Server server("preforked_server", {address, "3"});
    const std::set<pid_t> processes = processes_of(server, 3);
    CHECK(processes.size() == 3);
    CHECK_FALSE(processes.contains(server.pid()));
    CHECK(processes_of(server, 3) == processes);
    // One after the other, whoever is there.
    for (int i = 0; i < 30; ++i)
      CHECK(processes.contains(process_of(connect_to(server))));
    stop(server, address == "127.0.0.1:0" ? SIGTERM : SIGINT);
    for (pid_t process : processes) { // no child is left
      CHECK(::kill(process, 0) == -1);
      CHECK(errno == ESRCH);
    }
  }
  CHECK_FALSE(std::filesystem::exists(directory / "who")); // nor a path
}

TEST_CASE("preforked_server: one that is killed is replaced") {
  Server server("preforked_server", {"127.0.0.1:0", "2"});
  std::set<pid_t> processes = processes_of(server, 2);
  REQUIRE(processes.size() == 2);
  const pid_t killed = *processes.begin();
  const pid_t other = *processes.rbegin();
  REQUIRE(::kill(killed, SIGKILL) == 0);
  CHECK(server.line() == "process " + std::to_string(killed) + ": Killed; another is started\n");
  processes = processes_of(server, 2);
  CHECK(processes.size() == 2);
  CHECK_FALSE(processes.contains(killed));
  CHECK(processes.contains(other));
  stop(server);
}

TEST_CASE("preforked_server: what has begun is brought to its end") {
  Server server("preforked_server", {"127.0.0.1:0", "1"});
  Socket client = connect_to(server);
  (void)process_of(client);
  server.signal(SIGTERM);
  VALUE(client.send("which the server reads to its end"));
  VALUE(client.close());
  CHECK(server.output() == "stopped\n");
  CHECK(server.wait() == 0);
}

TEST_CASE("preforked_server: killed, it leaves no process, and a path that the next one takes") {
  TemporaryDirectory directory;
  const std::string path = directory / "who";
  {
    Server server("preforked_server", {path, "2"});
    REQUIRE(processes_of(server, 2).size() == 2);
    server.signal(SIGKILL);
    CHECK(server.output() == ""); // ends when all that have it do
    CHECK(server.wait() == -SIGKILL);
  }
  CHECK(std::filesystem::exists(path));
  Server server("preforked_server", {path, "1"});
  CHECK(processes_of(server, 1).size() == 1);
  Said second("preforked_server", {path, "1"});
  CHECK(second.status == 1);
  CHECK(second.output == "");
  CHECK(second.errors == "preforked_server: " + path + ": bind: Address already in use\n");
  CHECK(processes_of(server, 1).size() == 1);
  server.signal(SIGTERM);
  CHECK(server.output() == "stopped\n");
  CHECK(server.wait() == 0); // and may complain of the connection by which the second saw that somebody answers
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("preforked_server, limited_server: errors") {
  const std::vector<std::vector<std::string>> usages[] = {
      {{}, {"127.0.0.1:0", "0"}, {"127.0.0.1:0", "1001"}, {"127.0.0.1:0", "2x"}, {"127.0.0.1:0", "2", "3"}},
      {{}, {"127.0.0.1:0"}, {"127.0.0.1:0", "-1"}, {"127.0.0.1:0", "2x"}, {"127.0.0.1:0", "2", "3"}}};
  const std::string names[] = {"preforked_server", "limited_server"};
  TcpListener listener;
  const std::string taken = listener.address.text().c_str();
  for (int i : {0, 1}) {
    CAPTURE(names[i]);
    for (const std::vector<std::string> &arguments : usages[i]) {
      Said said(names[i], arguments);
      CHECK(said.status == 2);
      CHECK(said.output == "");
      CHECK(said.errors.starts_with("usage: " + names[i] + " ADDRESS "));
    }
    Said in_use(names[i], {taken, "1"});
    CHECK(in_use.status == 1);
    CHECK(in_use.output == "");
    CHECK(in_use.errors == names[i] + ": " + taken + ": bind: Address already in use\n");
    Said text(names[i], {"127.0.0.1:x", "1"});
    CHECK(text.status == 1);
    CHECK(text.errors == names[i] + ": 127.0.0.1:x: SocketAddress::parse: Invalid argument\n");
  }
}

TEST_CASE("limited_server: who is over the limit is reset, and told of") {
  NoLeak no_leak;
  Server server("limited_server", {"127.0.0.1:0", "2"});
  Socket first = connect_to(server);
  CHECK(server.line() == "serving " + text_of(first) + ", 1 of 2\n");
  Socket second = connect_to(server);
  CHECK(server.line() == "serving " + text_of(second) + ", 2 of 2\n");
  for (int i = 0; i < 3; ++i) {
    Socket third = connect_to(server);
    CHECK(server.line() == "dropped " + text_of(third) + ", 2 of 2\n");
    await(third);
    auto end = third.recv();
    REQUIRE_FALSE(end);
    CHECK(std::string(end.error().name()) == "ECONNRESET"); // and not the end of a stream
  }
  CHECK(echoes(first, "hello")); // the others notice nothing
  CHECK(echoes(second, std::string(100'000, 'x')));
  const std::string left = text_of(first);
  VALUE(first.close());
  CHECK(server.line() == "left " + left + ", 2 of 2\n");
  Socket third = connect_to(server);
  CHECK(server.line() == "serving " + text_of(third) + ", 2 of 2\n");
  CHECK(echoes(third, "hello"));
  CHECK(echoes(second, "hello"));
  stop(server);
}

TEST_CASE("limited_server: over AF_UNIX the connection ends; nobody at all") {
  TemporaryDirectory directory;
  const std::string path = directory / "limited";
  Server server("limited_server", {path, "0"});
  Socket client = connect_to(server);
  CHECK(server.line() == "dropped unix:, 0 of 0\n");
  await(client);
  CHECK(VALUE(client.recv()).empty());
  stop(server, SIGINT);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("limited_server: out of descriptors, the next one waits for a place") {
  Server server("limited_server", {"127.0.0.1:0", "100"});
  Socket first = connect_to(server);
  CHECK(server.line() == "serving " + text_of(first) + ", 1 of 100\n");
  const std::string left = text_of(first);
  // No higher descriptors than those it has; over 100 there are valgrind's own.
  const std::string descriptors = "/proc/" + std::to_string(server.pid()) + "/fd/";
  rlim_t end = 100;
  while (!std::filesystem::is_symlink(descriptors + std::to_string(end - 1)))
    --end;
  rlimit limit = {};
  REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, nullptr, &limit) == 0);
  limit.rlim_cur = end;
  REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &limit, nullptr) == 0);

  Socket second = connect_to(server);
  VALUE(second.send("hello"));
  CHECK(echoes(first, "the first is still served"));
  VALUE(first.close());
  CHECK(server.line() == "left " + left + ", 1 of 100\n");
  CHECK(server.line() == "serving " + text_of(second) + ", 1 of 100\n");
  CHECK(receive_until(second, "hello") == "hello");
  stop(server);
}

TEST_SUITE_END();
