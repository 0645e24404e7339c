// SPDX-License-Identifier: MIT
/// Runs test/example's forwarder, timeout_server and timeout_client, as a user would.

#include "example.hpp"
#include "waiting.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

using namespace baresock;
using namespace std::chrono_literals;

namespace {

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>(i * 31 % 251);
  return text;
}

/// It has to end as it should.
void stop(Process &process, const std::string &errors = "", int number = SIGTERM) {
  process.signal(number);
  CHECK(process.output() == "stopped\n");
  CHECK(process.wait() == 0);
  CHECK(process.errors() == errors);
}

/// A forwarder, and what it forwards to.
struct Forwarded {
  Listener target;
  Server forwarder;

  Forwarded(const std::string &at, const std::string &to, const std::string &seconds = "50")
      : target(VALUE(listen_on(to))), forwarder("forwarder", {at, to_string(target.address), seconds}) {}

  /// A connection through it.
  struct Through {
    Socket client;
    Socket server;
  };
  [[nodiscard]] Through connect() {
    Socket client = VALUE(connect_to(forwarder.address, {.deadline = hung}));
    return {std::move(client), VALUE(accept_until(target.socket, hung)).socket};
  }
};

void with_each_pair(const std::function<void(Forwarded &)> &body) {
  TemporaryDirectory directory;
  const std::string path = directory / "at", target = directory / "to";
  for (const auto &[at, to] : {std::pair<std::string, std::string>("127.0.0.1:0", "127.0.0.1:0"),
                               {"127.0.0.1:0", target},
                               {path, "127.0.0.1:0"},
                               {path, target}}) {
    INFO(at);
    INFO(to);
    Forwarded forwarded(at, to);
    body(forwarded);
    stop(forwarded.forwarder);
    CHECK_FALSE(std::filesystem::exists(path));
  }
}

std::string receive_exactly(const Socket &socket, std::size_t size) {
  std::string text(size, '\0');
  VALUE(recv_exact(socket, text, hung));
  return text;
}

std::string receive_rest(const Socket &socket) {
  auto received = recv_until_eof(socket, 1 << 26, hung);
  VALUE(std::move(received));
  return std::string(std::string_view(received.data.text()));
}

/// The connection is over: by a reset or, of AF_UNIX, an end.
void check_dropped(const Socket &socket) {
  const auto rest = recv_until_eof(socket, 1 << 20, hung);
  if (socket.getsockname().value().family() == AF_UNIX)
    CHECK((rest || rest.error().is(ECONNRESET)));
  else
    CHECK((!rest && rest.error().is(ECONNRESET)));
}

std::string framed(const std::string &text) {
  return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size())} + text;
}

std::size_t descriptors_of(const Process &process) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto &entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process.pid()) + "/fd"))
    ++count;
  return count;
}

/// On each of which a timeout_server can listen.
std::vector<std::string> addresses(const TemporaryDirectory &directory) {
  std::vector<std::string> all = {"127.0.0.1:0", directory / "server", "unix:"};
  if (has_ipv6())
    all.push_back("[::1]:0");
  return all;
}

} // namespace

TEST_SUITE_BEGIN("example");

TEST_CASE("forwarder: both ways, until either has ended") {
  NoLeak no_leak;
  with_each_pair([](Forwarded &forwarded) {
    // The client ends first, and still gets an answer.
    auto [client, server] = forwarded.connect();
    VALUE(send_all(client, "question", hung));
    CHECK(receive_exactly(server, 8) == "question");
    VALUE(client.shutdown(SHUT_WR));
    CHECK(receive_rest(server).empty());
    VALUE(send_all(server, "answer", hung));
    VALUE(server.close());
    CHECK(receive_rest(client) == "answer");

    // The server does, and is still told.
    auto [teller, listener] = forwarded.connect();
    VALUE(send_all(listener, "hello", hung));
    VALUE(listener.shutdown(SHUT_WR));
    CHECK(receive_rest(teller) == "hello");
    VALUE(send_all(teller, "news", hung));
    CHECK(receive_exactly(listener, 4) == "news");
    VALUE(send_all(teller, ", and more", hung));
    VALUE(teller.close());
    CHECK(receive_rest(listener) == ", and more");
  });
}

TEST_CASE("forwarder: 3 MB both ways at once") {
  const std::string there = pattern(3'000'000), back = pattern(3'000'001);
  with_each_pair([&](Forwarded &forwarded) {
    auto [client, server] = forwarded.connect();
    Transferred asked, answered;
    Aside sender([&, &from = client] {
      asked = send_all(from, there, hung);
      (void)from.shutdown(SHUT_WR);
    });
    Aside other([&, &from = server] {
      answered = send_all(from, back, hung);
      (void)from.shutdown(SHUT_WR);
    });
    std::string got_back;
    Aside reader([&, &to = client] {
      got_back.resize(back.size());
      (void)recv_exact(to, got_back, hung);
    });
    CHECK((receive_rest(server) == there));
    for (Aside *each : {&sender, &other, &reader})
      each->join();
    CHECK((got_back == back));
    CHECK(receive_rest(client).empty());
    CHECK((asked && answered));
  });
}

TEST_CASE("forwarder: a peer that does not receive is not sent more than there is room for") {
  Forwarded forwarded("127.0.0.1:0", "127.0.0.1:0");
  auto [client, server] = forwarded.connect();
  auto [client2, server2] = forwarded.connect();
  const std::string much(64 << 20, 'x');
  const auto sent = send_all(client, much, 300ms);
  CHECK((!sent && sent.error().is(ETIMEDOUT))); // it does not keep all that in its memory
  // and others go on meanwhile
  VALUE(send_all(client2, "x", hung));
  CHECK(receive_exactly(server2, 1) == "x");
  CHECK(receive_exactly(server, sent.size) == much.substr(0, sent.size));
  VALUE(client.close());
  VALUE(server.close());
  VALUE(client2.close());
  VALUE(server2.close());
  stop(forwarded.forwarder);
}

TEST_CASE("forwarder: many at once, and nothing is left of them") {
  with_each_pair([](Forwarded &forwarded) {
    const std::size_t before = descriptors_of(forwarded.forwarder);
    {
      std::vector<Forwarded::Through> all;
      for (int i = 0; i < 20; ++i)
        all.push_back(forwarded.connect());
      for (std::size_t i = 0; i < all.size(); ++i) {
        VALUE(send_all(all[i].client, std::to_string(1000 + i), hung));
        VALUE(send_all(all[i].server, std::to_string(2000 + i), hung));
      }
      for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK(receive_exactly(all[i].server, 4) == std::to_string(1000 + i));
        CHECK(receive_exactly(all[i].client, 4) == std::to_string(2000 + i));
        VALUE(all[i].client.shutdown(SHUT_WR));
        VALUE(all[i].server.shutdown(SHUT_WR));
        CHECK(receive_rest(all[i].client).empty());
        CHECK(receive_rest(all[i].server).empty());
      }
    }
    CHECK(until([&] { return descriptors_of(forwarded.forwarder) <= before; }));
  });
}

TEST_CASE("forwarder: a reset is passed on as one") {
  for (bool by_client : {true, false}) {
    Forwarded forwarded("127.0.0.1:0", "127.0.0.1:0");
    auto [client, server] = forwarded.connect();
    const std::string name = to_string(VALUE(client.getsockname()));
    VALUE(send_all(client, "x", hung)); // it is at work
    CHECK(receive_exactly(server, 1) == "x");
    VALUE(reset_and_close(by_client ? client : server));
    check_dropped(by_client ? server : client);
    stop(forwarded.forwarder, "forwarder: " + name + ": recv: Connection reset by peer\n");
  }
}

TEST_CASE("forwarder: nobody is there") {
  const SocketAddress nobody = VALUE(listen_on("127.0.0.1:0")).address;
  Server forwarder("forwarder", {"127.0.0.1:0", to_string(nobody)});
  for (int i = 0; i < 2; ++i) {
    Socket client = VALUE(connect_to(forwarder.address, {.deadline = hung}));
    check_dropped(client);
  }
  const std::string error = "forwarder: " + to_string(nobody) + ": connect: Connection refused\n";
  stop(forwarder, error + error);
}

TEST_CASE("forwarder: a connection on which nothing moves is dropped, and no other") {
  Forwarded forwarded("127.0.0.1:0", "127.0.0.1:0", "0.3");
  Watch watch;
  auto [idle, idle_server] = forwarded.connect();
  auto [busy, busy_server] = forwarded.connect();
  const std::string name = to_string(VALUE(idle.getsockname()));
  std::atomic<bool> over = false;
  Aside talker([&, &from = busy, &to = busy_server] {
    char room[1];
    while (!over && send_all(from, "x", hung) && recv_exact(to, room, hung))
      std::this_thread::sleep_for(5ms);
  });
  check_dropped(idle);
  check_dropped(idle_server);
  CHECK(watch.passed() >= 300ms);
  std::this_thread::sleep_for(100ms); // so that the busy one is surely older than that
  over = true;
  talker.join();
  VALUE(send_all(busy, "y", hung));
  CHECK(receive_exactly(busy_server, 1) == "y");
  VALUE(busy.shutdown(SHUT_WR));
  CHECK(receive_rest(busy_server).empty());
  VALUE(busy_server.shutdown(SHUT_WR));
  CHECK(receive_rest(busy).empty());
  stop(forwarded.forwarder, "forwarder: " + name + ": poll: Connection timed out\n");
}

TEST_CASE("forwarder: stops while connections are open") {
  for (int number : {SIGINT, SIGTERM}) {
    Forwarded forwarded("127.0.0.1:0", "127.0.0.1:0");
    auto [client, server] = forwarded.connect();
    VALUE(send_all(client, "x", hung));
    CHECK(receive_exactly(server, 1) == "x");
    stop(forwarded.forwarder, "", number);
    check_dropped(client);
    check_dropped(server);
  }
}

TEST_CASE("forwarder: errors") {
  for (const std::vector<std::string> &arguments : {std::vector<std::string>{},
                                                    {"127.0.0.1:0"},
                                                    {"a", "b", "c", "d"},
                                                    {"127.0.0.1:0", "127.0.0.1:1", "x"},
                                                    {"127.0.0.1:0", "127.0.0.1:1", "-1"},
                                                    {"127.0.0.1:0", "127.0.0.1:1", "0"}}) {
    const Said said("forwarder", arguments);
    CHECK(said.status == 2);
    CHECK(said.errors == "usage: forwarder LISTEN TO [SECONDS]\n");
  }
  Said said("forwarder", {"127.0.0.1:0", "nonsense:x"});
  CHECK(said.status == 1);
  CHECK(said.errors == "forwarder: nonsense:x: SocketAddress::parse: Invalid argument\n");
  const Listener taken = VALUE(listen_on("127.0.0.1:0"));
  const std::string at = to_string(taken.address);
  said = Said("forwarder", {at, "127.0.0.1:1"});
  CHECK(said.status == 1);
  CHECK(said.output == "");
  CHECK(said.errors == "forwarder: " + at + ": bind: Address already in use\n");
}

TEST_CASE("timeout_server, timeout_client: questions and answers") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  for (const std::string &at : addresses(directory)) {
    INFO(at);
    Server server("timeout_server", {at, "50"});
    const Said said("timeout_client", {server.address, "50", "hello", "", "wide world", std::string(65535, 'x')});
    CHECK(said.status == 0);
    CHECK((said.output == "HELLO\n\nWIDE WORLD\n" + std::string(65535, 'X') + "\n"));
    CHECK(said.errors == "");
    const Said too_long("timeout_client", {server.address, "50", std::string(65536, 'x')});
    CHECK(too_long.status == 1);
    CHECK(too_long.errors == "timeout_client: " + server.address + ": send_all: Message too long\n");
    stop(server);
    CHECK_FALSE(std::filesystem::exists(directory / "server"));
  }
}

TEST_CASE("timeout_server: who asks nothing, or all too slowly, is dropped") {
  TemporaryDirectory directory;
  for (const std::string &at : addresses(directory)) {
    INFO(at);
    Server server("timeout_server", {at, "0.2"});
    auto connect = [&] { return VALUE(connect_to(server.address, {.deadline = hung})); };
    auto ended = [&](const Socket &peer) {
      auto rest = recv_until_eof(peer, 100, hung);
      CHECK((rest || rest.error().is(ECONNRESET)));
      return std::string(std::string_view(rest.data.text()));
    };
    Watch watch;
    Socket silent = connect();
    CHECK(ended(silent) == "");
    CHECK(watch.passed() >= 200ms);

    Socket once = connect(); // asked once, and then no more
    VALUE(send_all(once, framed("a"), hung));
    CHECK(ended(once) == framed("A"));

    Socket slow = connect(); // a byte now and then, of a request that is long
    std::atomic<bool> over = false;
    Aside trickle([&] {
      std::string request = framed(std::string(10'000, 'x'));
      for (std::size_t i = 0; i < request.size() && !over; ++i, std::this_thread::sleep_for(10ms))
        if (!send_all(slow, {&request[i], 1}, hung))
          break;
    });
    CHECK(ended(slow) == "");
    over = true;
    trickle.join();

    server.signal(SIGTERM);
    CHECK(server.output() == "stopped\n");
    CHECK(server.wait() == 0);
    const std::string errors = server.errors();
    CHECK(contains(errors, ": wait_for: Connection timed out\n"));
    CHECK(contains(errors, ": recv_exact: Connection timed out\n"));
  }
}

TEST_CASE("timeout_server: who does not take its answers is dropped") {
  TemporaryDirectory directory;
  Server server("timeout_server", {directory / "server", "0.3"});
  Socket peer = VALUE(connect_to(server.address, {.deadline = hung}));
  const std::string request = framed(std::string(60'000, 'x'));
  Transferred sent;
  do // until the server waits with an answer, and goes
    sent = send_all(peer, request, hung);
  while (sent);
  CHECK(sent.error().disconnected());
  server.signal(SIGTERM);
  CHECK(server.output() == "stopped\n");
  CHECK(server.wait() == 0);
  CHECK(contains(server.errors(), ": send_all: Connection timed out\n"));
}

TEST_CASE("timeout_server: a peer that idles is in nobody's way") {
  Server server("timeout_server", {"127.0.0.1:0", "50"});
  std::vector<Socket> idle;
  for (int i = 0; i < 20; ++i)
    idle.push_back(VALUE(connect_to(server.address, {.deadline = hung})));
  VALUE(send_all(idle[0], "\1", hung)); // in the middle of a request
  CHECK(Said("timeout_client", {server.address, "50", "hello"}).output == "HELLO\n");
  stop(server); // they do not keep it
  for (const Socket &each : idle)
    CHECK(recv_until_eof(each, 100, hung).data.empty());
}

TEST_CASE("timeout_client: a server that does not answer in time") {
  TemporaryDirectory directory;
  for (const std::string &at : addresses(directory)) {
    INFO(at);
    Listener listener = VALUE(listen_on(at));
    const std::string name = to_string(listener.address);
    { // says nothing
      Watch watch;
      const Said said("timeout_client", {name, "0.2", "hello"});
      CHECK(watch.passed() >= 200ms);
      CHECK(said.status == 1);
      CHECK(said.output == "");
      CHECK(said.errors == "timeout_client: " + name + ": recv_exact: Connection timed out\n");
      CHECK(receive_rest(VALUE(accept_until(listener.socket, hung)).socket) == framed("hello"));
    }
    { // begins to, and goes on and on
      Process client("timeout_client", {name, "0.2", "hello"});
      Socket peer = VALUE(accept_until(listener.socket, hung)).socket;
      CHECK(receive_exactly(peer, 7) == framed("hello"));
      const std::string answer = framed(std::string(10'000, 'x'));
      for (std::size_t i = 0; i < answer.size(); ++i, std::this_thread::sleep_for(10ms))
        if (!send_all(peer, {&answer[i], 1}, hung))
          break;
      CHECK(client.output() == "");
      CHECK(client.wait() == 1);
      CHECK(client.errors() == "timeout_client: " + name + ": recv_exact: Connection timed out\n");
    }
    { // ends in the middle
      Process client("timeout_client", {name, "50", "hello"});
      Socket peer = VALUE(accept_until(listener.socket, hung)).socket;
      CHECK(receive_exactly(peer, 7) == framed("hello"));
      VALUE(send_all(peer, framed("HELLO").substr(0, 4), hung));
      VALUE(peer.close());
      CHECK(client.wait() == 1);
      CHECK(client.errors() == "timeout_client: " + name + ": recv_exact: No data available\n");
    }
  }
}

TEST_CASE("timeout_client: each exchange has its own time") {
  Listener listener = VALUE(listen_on("127.0.0.1:0"));
  Process client("timeout_client", {to_string(listener.address), "2", "a", "b", "c", "d"});
  Socket peer = VALUE(accept_until(listener.socket, hung)).socket;
  for (const char *text : {"A", "B", "C", "D"}) { // longer together than each may take
    CHECK(receive_exactly(peer, 3).substr(0, 2) == framed("x").substr(0, 2));
    std::this_thread::sleep_for(600ms);
    VALUE(send_all(peer, framed(text), hung));
  }
  VALUE(finish(peer, {}, hung));
  CHECK(client.output() == "A\nB\nC\nD\n");
  CHECK(client.wait() == 0);
}

TEST_CASE("timeout_client: a signal cancels") {
  for (int number : {SIGINT, SIGTERM}) {
    Listener listener = VALUE(listen_on("127.0.0.1:0"));
    const std::string name = to_string(listener.address);
    Process client("timeout_client", {name, "50", "hello"});
    Socket peer = VALUE(accept_until(listener.socket, hung)).socket;
    CHECK(receive_exactly(peer, 7) == framed("hello"));
    client.signal(number);
    CHECK(client.wait() == 1);
    CHECK(client.errors() == "timeout_client: " + name + ": recv_exact: Operation canceled\n");
  }
}

TEST_CASE("timeout_server, timeout_client: errors") {
  for (const char *name : {"timeout_server", "timeout_client"}) {
    for (const std::vector<std::string> &arguments : {std::vector<std::string>{},
                                                      {"127.0.0.1:0"},
                                                      {"127.0.0.1:0", "x"},
                                                      {"127.0.0.1:0", "0"},
                                                      {"127.0.0.1:0", "-1", "hello"},
                                                      {"127.0.0.1:0", "nan", "hello"}}) {
      const Said said(name, arguments);
      CHECK(said.status == 2);
      CHECK(said.errors.starts_with("usage: " + std::string(name) + " ADDRESS SECONDS"));
    }
  }
  const Listener taken = VALUE(listen_on("127.0.0.1:0"));
  const std::string at = to_string(taken.address);
  const Said in_use("timeout_server", {at, "1"});
  CHECK(in_use.status == 1);
  CHECK(in_use.errors == "timeout_server: " + at + ": bind: Address already in use\n");
  const std::string nobody = to_string(VALUE(listen_on("127.0.0.1:0")).address);
  const Said refused("timeout_client", {nobody, "1", "hello"});
  CHECK(refused.status == 1);
  CHECK(refused.errors == "timeout_client: " + nobody + ": connect: Connection refused\n");
}

TEST_SUITE_END();
