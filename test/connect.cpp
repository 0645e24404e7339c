// SPDX-License-Identifier: MIT
/// connect_to() and connect_until(): over loopback and AF_UNIX, and between two networks of the test's own, with
/// nftables in between.

#include "network.hpp"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <vector>

using namespace baresock;

namespace {

using Addresses = std::vector<SocketAddress>;

const Milliseconds safe(20'000);         // a deadline that fails the test if it runs out
const Milliseconds brief(400);           // one that is meant to pass, after what comes before it is done
const Milliseconds quick(10);            // the least attempt_delay
const Milliseconds endless(100'000'000); // one that is never waited for

/// 127.0.0.n, where port 0 is one of the kernel's choice.
SocketAddress local_host(std::uint32_t n, std::uint16_t port = 0) {
  return Inet4Address{INADDR_LOOPBACK - 1 + n, port};
}

/// Accepts connections.
struct Server {
  Socket socket;
  SocketAddress address;

  explicit Server(const SocketAddress &at, int backlog = 128, int type = SOCK_STREAM)
      : socket(VALUE(Socket::socket(at.family(), type))) {
    VALUE(socket.bind(at));
    VALUE(socket.listen(backlog));
    address = VALUE(socket.getsockname());
  }
  [[nodiscard]] Socket accept() const {
    wait(socket, POLLIN);
    return VALUE(socket.accept());
  }
};

/// Its queue is full: who connects waits until someone accepts, over TCP until a segment is sent again, after 1 s.
struct Full : Server {
  Socket filler;

  explicit Full(const SocketAddress &at, int type = SOCK_STREAM)
      : Server(at, 0, type), filler(VALUE(Socket::socket(at.family(), type))) {
    VALUE(filler.connect(address));
    wait(socket, POLLIN);
  }
  /// Makes room for one.
  void admit() const { (void)accept(); }
};

/// A port of which no one else is, and on which nobody listens.
struct Refusing {
  Socket socket;
  SocketAddress address;

  explicit Refusing(const SocketAddress &at = local_host(1))
      : socket(VALUE(Socket::socket(at.family(), SOCK_STREAM))) {
    VALUE(socket.bind(at));
    address = VALUE(socket.getsockname());
  }
};

/// "connect:ECONNREFUSED", or "ok".
std::string text(Error error) {
  return error ? std::string(operation_name(error.operation())) + ':' + error.name() : "ok";
}

/// What became of each attempt, in order.
std::string outcomes(const ConnectResult &result) {
  std::string all;
  for (const ConnectAttempt &attempt : result.attempts)
    all += (all.empty() ? "" : " ") + text(attempt.error);
  return all;
}

std::string text(const ConnectResult &result) { return result ? "ok" : text(result.error()); }

/// The addresses of the attempts, in order.
std::string tried(const ConnectResult &result) {
  std::string all;
  for (const ConnectAttempt &attempt : result.attempts)
    all += (all.empty() ? "" : " ") + std::string(attempt.address.text().c_str());
  return all;
}

/// `call` returns a ConnectResult. What is so of each of them, whatever came of it.
template <class Call>
ConnectResult checked(Call &&call) {
  const std::size_t before = open_descriptors();
  const Error last = Error(EXFULL, Operation::accept4);
  detail::record(last);
  ConnectResult result = call();
  CHECK(last_error() == (result ? last : result.error()));
  CHECK(open_descriptors() == before + (result ? 1 : 0));
  std::size_t won = 0;
  Nanoseconds latest(0);
  for (const ConnectAttempt &attempt : result.attempts) {
    CHECK(attempt.started >= latest);
    CHECK(attempt.ended >= attempt.started);
    latest = attempt.started;
    won += !attempt.error;
  }
  CHECK(won == (result ? 1 : 0));
  if (result)
    CHECK(VALUE(result->close_on_exec()));
  return result;
}

/// A resolver that finds these, which have to outlive it.
Resolver finds(const Addresses &addresses) {
  return [&addresses](Host, Service, const AddressHints &) -> Result<List<SocketAddress>> {
    List<SocketAddress> list;
    for (const SocketAddress &address : addresses)
      if (auto added = list.append(address); !added)
        return std::unexpected(added.error());
    return list;
  };
}

/// Of a host with these addresses.
ConnectResult race(const Addresses &addresses, ConnectOptions options = {}) {
  if (options.deadline.never())
    options.deadline = Deadline(safe).cancelled_by(options.deadline.cancel_fd());
  options.resolver = finds(addresses);
  return checked([&] { return connect_to("host.test", 1, options); });
}

/// Do the two ends talk to each other?
void check_talk(const Socket &client, const Server &listener) {
  const Socket server = listener.accept();
  VALUE(client.send("ping"));
  char room[8];
  CHECK(VALUE(server.recv(room)).size == 4);
}

/// The attempts of connections that are all refused before anything is done: the candidates, in order.
std::string candidates(const Addresses &addresses, ConnectOptions options = {}) {
  options.blocked = [](const SocketAddress &) { return true; };
  const ConnectResult result = race(addresses, options);
  CHECK_FALSE(result.has_value());
  return tried(result);
}

Addresses all(const std::vector<std::string> &texts) {
  Addresses addresses;
  for (const std::string &each : texts)
    addresses.push_back(at(each));
  return addresses;
}

std::atomic<int> alarms;
std::atomic<int> alarm_fd;
void (*alarm_action)(int);

/// SIGALRM to this thread every 5 ms, which interrupts calls, as long as it lives; at the third, `action(fd)`.
class Alarms {
public:
  explicit Alarms(void (*action)(int) = [](int) {}, int fd = -1) {
    alarms = 0;
    alarm_action = action;
    alarm_fd = fd;
    struct sigaction handler = {};
    handler.sa_handler = [](int) {
      const int error = errno;
      if (++alarms == 3)
        alarm_action(alarm_fd);
      errno = error;
    };
    ::sigaction(SIGALRM, &handler, nullptr);
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGALRM;
    event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
    REQUIRE(::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0);
    const itimerspec every = {{0, 5'000'000}, {0, 5'000'000}};
    REQUIRE(::timer_settime(timer_, 0, &every, nullptr) == 0);
  }
  Alarms(const Alarms &) = delete;
  Alarms &operator=(const Alarms &) = delete;
  ~Alarms() {
    ::timer_delete(timer_); // the handler stays: a last signal may be on its way
    CHECK(alarms >= 3);
  }

private:
  timer_t timer_ = {};
};

/// What a signal can do.
void accept_one(int listener) { ::close(::accept(listener, nullptr, nullptr)); }
void add_one(int eventfd) { ::eventfd_write(eventfd, 1); }

/// An eventfd(2), and a thread that writes to it once `ready` has been written to: what another thread does in the
/// middle of a call.
struct Canceller {
  Socket ready = Socket(::eventfd(0, EFD_CLOEXEC)); // a Socket closes any descriptor
  Socket cancel = Socket(::eventfd(0, EFD_CLOEXEC));
  std::thread thread{[this] {
    eventfd_t value = 0;
    ::eventfd_read(ready.fd(), &value);
    add_one(cancel.fd());
  }};

  Canceller() = default;
  Canceller(const Canceller &) = delete;
  Canceller &operator=(const Canceller &) = delete;
  ~Canceller() {
    add_one(ready.fd());
    thread.join();
  }
  /// Has anything been read from it?
  [[nodiscard]] bool untouched() const {
    eventfd_t value = 0;
    return ::eventfd_read(cancel.fd(), &value) == 0 && value == 1;
  }
};

bool run(const std::string &command) {
  return std::system(("{ PATH=$PATH:/usr/sbin:/sbin; " + command + "; } >/dev/null 2>&1").c_str()) == 0;
}

/// Two networks of a test's own, and a cable between them. This one, in which the test runs, has 10.9.0.1 and
/// fd09::1; the other one 10.9.0.2 to 10.9.0.9 and fd09::2 to fd09::9.
class Networks {
public:
  /// Null, or what is missing here.
  const char *make() {
    if (!unshare(other_) || !unshare(here_))
      return "needs network namespaces";
    const std::string other = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(other_.fd());
    if (!run("ip link add va type veth peer name vb netns " + other +
             " && ip link set lo up && ip link set va up &&"
             "ip addr add 10.9.0.1/24 dev va && ip addr add fd09::1/64 dev va nodad &&"
             "ip addr add fe80::1/64 dev va nodad && ip route add unreachable 10.50.0.0/24 &&"
             "ip route add prohibit 10.51.0.0/24 && ip route add blackhole 10.52.0.0/24 &&"
             "ip route add unreachable fd50::/64 && ip route add prohibit fd51::/64"))
      return "needs ip(8), veth and IPv6";
    bool made = false;
    in_other([&] {
      made = run("ip link set lo up && ip link set vb up && ip addr add fe80::2/64 dev vb nodad &&"
                 "for i in 2 3 4 5 6 7 8 9; do"
                 "  ip addr add 10.9.0.$i/24 dev vb && ip addr add fd09::$i/64 dev vb nodad || exit 1;"
                 "done");
      std::ofstream("/proc/sys/net/ipv4/icmp_ratelimit") << 0;
      std::ofstream("/proc/sys/net/ipv6/icmp/ratelimit") << 0;
    });
    if (!made)
      return "needs ip(8), veth and IPv6";
    return filter("ip daddr 10.9.0.3 drop\n"
                  "ip daddr 10.9.0.4 meta l4proto tcp reject with tcp reset\n"
                  "ip daddr 10.9.0.5 reject with icmpx type host-unreachable\n"
                  "ip daddr 10.9.0.6 reject with icmpx type admin-prohibited\n"
                  "ip6 daddr fd09::3 drop\n"
                  "ip6 daddr fd09::4 meta l4proto tcp reject with tcp reset\n")
               ? nullptr
               : "needs nft(8)";
  }

  /// What the other network does with what comes.
  bool filter(const std::string &rules) const {
    bool done = false;
    in_other([&] {
      done = run("printf '%s\\n' 'table inet t' 'delete table inet t' 'table inet t {' 'chain c {'"
                 " 'type filter hook input priority 0' '" +
                 rules + "' '}' '}' | nft -f -");
    });
    return done;
  }

  void in_other(const std::function<void()> &body) const {
    REQUIRE(::setns(other_.fd(), CLONE_NEWNET) == 0);
    body();
    REQUIRE(::setns(here_.fd(), CLONE_NEWNET) == 0);
  }

  [[nodiscard]] Server listener(const std::string &address) const {
    Server *made = nullptr;
    in_other([&] { made = new Server(at(address)); });
    Server result = std::move(*made);
    delete made;
    return result;
  }

private:
  static bool unshare(Socket &keep) {
    if (::unshare(CLONE_NEWNET) != 0)
      return false;
    keep = Socket(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    return bool(keep);
  }

  Socket here_;
  Socket other_;
};

/// Runs `body` in a thread between two networks: null, or why that cannot be.
const char *between_networks(const std::function<void(Networks &)> &body) {
  const char *missing = nullptr;
  std::thread([&] {
    try {
      Networks networks;
      missing = networks.make();
      if (missing == nullptr)
        body(networks);
    } catch (...) { // what REQUIRE throws, already counted
    }
  }).join();
  return missing;
}

/// Raises the limit of descriptors and takes all below 1100; false if that is not allowed.
struct Descriptors {
  rlimit limit = {};
  std::vector<Socket> taken;

  bool take() {
    ::getrlimit(RLIMIT_NOFILE, &limit);
    rlimit more = limit;
    more.rlim_cur = std::max<rlim_t>(limit.rlim_cur, 1200);
    if (more.rlim_cur > limit.rlim_max || ::setrlimit(RLIMIT_NOFILE, &more) != 0)
      return false;
    while (taken.empty() || taken.back().fd() < 1100) {
      taken.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!taken.back())
        return false;
    }
    return true;
  }
  ~Descriptors() { ::setrlimit(RLIMIT_NOFILE, &limit); }
};

} // namespace

TEST_SUITE_BEGIN("connect");

// --- what is connected to ------------------------------------------------------------------------------------------

TEST_CASE("connect_to: host and service, an address, the text of one") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const std::string path = directory / "listener";
  Addresses listening = {loopback, at(path), VALUE(UnixAddress::abstract(path))};
  if (has_inet6())
    listening.push_back(loopback6);
  for (const SocketAddress &each : listening) {
    const Server listener(each);
    const std::string name = listener.address.text().c_str();
    CAPTURE(name);
    std::vector<ConnectResult> made;
    made.push_back(checked([&] { return connect_to(listener.address); }));
    made.push_back(checked([&] { return connect_to(listener.address, {.deadline = safe}); }));
    made.push_back(checked([&] { return connect_to(name); }));
    made.push_back(checked([&] { return connect_to(TextView(name)); }));
    made.push_back(checked([&] { return connect_to(name.c_str(), {.deadline = safe}); }));
    if (const std::uint16_t port = listener.address.port(); port != 0) {
      const bool six = each.family() == AF_INET6;
      made.push_back(checked([&] { return connect_to(six ? "::1" : "127.0.0.1", port); }));
      made.push_back(checked([&] { return connect_to(six ? "[::1]" : "127.0.0.1", std::to_string(port)); }));
      made.push_back(
          checked([&] { return connect_to(std::string(six ? "::1" : "127.0.0.1"), port, {.deadline = safe}); }));
    }
    for (const ConnectResult &result : made) {
      REQUIRE(text(result) == "ok");
      CHECK(outcomes(result) == "ok");
      CHECK(result.attempts[0].address == listener.address);
      CHECK(VALUE(result->getpeername()) == listener.address);
      CHECK_FALSE(VALUE(result->nonblocking()));
      check_talk(*result, listener);
    }
  }
}

TEST_CASE("connect_to: no host is this one; an address of it that refuses is no failure of the next one") {
  // ucode: an earlier slot that failed made the connection of a later one a failure, and leaked it.
  NoLeak no_leak;
  const Server listener(loopback);
  for (const char *host : {static_cast<const char *>(nullptr), "localhost"}) {
    const Host here = host == nullptr ? Host(nullptr) : Host(host);
    if (host != nullptr && !getaddrinfo(here, nullptr))
      SKIP("localhost has no address");
    for (int round = 0; round < 5; ++round) {
      const ConnectResult result =
          checked([&] { return connect_to(here, listener.address.port(), {.deadline = safe}); });
      REQUIRE(text(result) == "ok");
      CHECK(VALUE(result->getpeername()) == listener.address);
      check_talk(*result, listener);
    }
  }
}

TEST_CASE("connect_to: what cannot be an address, a host or a service is not tried") {
  NoLeak no_leak;
  for (const char *no_address : {"localhost:80", "", "127.0.0.1:65536", "127.0.0.1 :80", "[::1"}) {
    CAPTURE(no_address);
    const ConnectResult result = checked([&] { return connect_to(no_address); });
    CHECK_ERROR(result, EINVAL, parse);
    CHECK(result.attempts.empty());
  }
  const ConnectResult truncated = connect_to(std::string_view("/tmp/a\0b", 8));
  CHECK_ERROR(truncated, EINVAL, path);
  const ConnectResult long_path = connect_to('/' + std::string(200, 'x'));
  CHECK_ERROR(long_path, ENAMETOOLONG, parse);

  const ConnectResult service = checked([] { return connect_to("127.0.0.1", "65536"); });
  CHECK(text(service) == "getaddrinfo:ERANGE");
  CHECK(service.attempts.empty());
  const ConnectResult number = checked([] { return connect_to("127.0.0.1", 65536); });
  CHECK(text(number) == "getaddrinfo:ERANGE");
  const ConnectResult host = checked([] { return connect_to(std::string_view("127.0.0.1\0.test", 15), 80); });
  CHECK_FALSE(host.has_value());
  CHECK(host.attempts.empty());
  const ConnectResult name = checked([] { return connect_to("localhost", 1, {.flags = AI_NUMERICHOST}); });
  CHECK(text(name) == "getaddrinfo:EAI_NONAME");
  CHECK(name.attempts.empty());
}

TEST_CASE("connect_to: a resolver is told what is wanted, and its error is the result's") {
  NoLeak no_leak;
  struct Asked {
    std::string host, service;
    AddressHints hints;
    int times = 0;
  } asked;
  ConnectOptions options = {
      .family = AF_INET, .type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, .flags = AI_V4MAPPED};
  options.resolver = [&](Host host, Service service, const AddressHints &hints) -> Result<List<SocketAddress>> {
    asked.host.assign(host.text().data(), host.text().size());
    asked.service.assign(service.text().data(), service.text().size());
    asked.hints = hints;
    ++asked.times;
    return std::unexpected(Error::from_gai(EAI_AGAIN, Operation::getaddrinfo, 0));
  };
  const ConnectResult result = checked([&] { return connect_to("host.test", "http", options); });
  CHECK(text(result) == "getaddrinfo:EAI_AGAIN");
  CHECK(result.attempts.empty());
  CHECK(asked.host == "host.test");
  CHECK(asked.service == "http");
  CHECK(asked.hints.family == AF_INET);
  CHECK(asked.hints.type == SOCK_DGRAM);
  CHECK(asked.hints.protocol == 0);
  CHECK(asked.hints.flags == AI_V4MAPPED);
  CHECK(asked.times == 1);
  // An address needs none.
  const Server listener(loopback);
  options.type = SOCK_STREAM;
  CHECK(text(checked([&] { return connect_to(listener.address, options); })) == "ok");
  CHECK(asked.times == 1);
  // Nor does what is refused before.
  options.deadline = Milliseconds(-1);
  CHECK(text(checked([&] { return connect_to("host.test", 1, options); })) == "connect_to:EINVAL");
  options.deadline = safe;
  options.attempt_delay = Milliseconds(-1);
  CHECK(text(checked([&] { return connect_to("host.test", 1, options); })) == "connect_to:EINVAL");
  CHECK(asked.times == 1);
}

TEST_CASE("connect_to: an empty list of addresses is a failure") {
  for (const Addresses &none : {Addresses{}, Addresses{loopback}}) {
    const ConnectResult result = race(none, {.family = AF_INET6});
    CHECK(text(result) == "connect_to:EAFNOSUPPORT");
    CHECK(result.attempts.empty());
  }
}

TEST_CASE("connect_to: families alternate, beginning with the first address's; each address once") {
  struct Case {
    std::vector<std::string> found;
    const char *tried;
  };
  const Case cases[] = {
      {{"1.0.0.1:1", "1.0.0.2:1", "1.0.0.3:1", "[1::1]:1", "[1::2]:1"},
       "1.0.0.1:1 [1::1]:1 1.0.0.2:1 [1::2]:1 1.0.0.3:1"},
      {{"[1::1]:1", "[1::2]:1", "[1::3]:1", "1.0.0.1:1"}, "[1::1]:1 1.0.0.1:1 [1::2]:1 [1::3]:1"},
      {{"[1::1]:1", "1.0.0.1:1", "[1::2]:1", "1.0.0.2:1"}, "[1::1]:1 1.0.0.1:1 [1::2]:1 1.0.0.2:1"},
      {{"1.0.0.1:1", "[1::1]:1", "[1::2]:1"}, "1.0.0.1:1 [1::1]:1 [1::2]:1"},
      {{"1.0.0.1:1"}, "1.0.0.1:1"},
      // once each; another port, or scope, is another address
      {{"1.0.0.1:1", "1.0.0.1:1", "1.0.0.2:1", "1.0.0.1:1", "1.0.0.1:2"}, "1.0.0.1:1 1.0.0.2:1 1.0.0.1:2"},
      {{"[1::1]:1", "[1::1]:1", "1.0.0.1:1", "[1::1]:1", "1.0.0.1:1", "1.0.0.2:1"}, "[1::1]:1 1.0.0.1:1 1.0.0.2:1"},
      {{"[fe80::1%7]:1", "[fe80::1%8]:1", "[fe80::1%7]:1"}, "[fe80::1%7]:1 [fe80::1%8]:1"},
      // all others take turns with the first's
      {{"1.0.0.1:1", "1.0.0.2:1", "/x", "[1::1]:1"}, "1.0.0.1:1 /x 1.0.0.2:1 [1::1]:1"},
  };
  for (const Case &each : cases)
    CHECK(candidates(all(each.found)) == each.tried);
}

TEST_CASE("connect_to: only addresses of the family that is asked for, and of the local address's") {
  const Addresses found = all({"1.0.0.1:1", "[1::1]:1", "1.0.0.2:1", "[1::2]:1", "/x"});
  CHECK(candidates(found, {.family = AF_INET}) == "1.0.0.1:1 1.0.0.2:1");
  CHECK(candidates(found, {.family = AF_INET6}) == "[1::1]:1 [1::2]:1");
  CHECK(candidates(found, {.family = AF_UNIX}) == "/x");
  CHECK(candidates(found, {.local = local_host(1)}) == "1.0.0.1:1 1.0.0.2:1");
  CHECK(candidates(found, {.local = loopback6}) == "[1::1]:1 [1::2]:1");
  CHECK(candidates(found, {.family = AF_INET6, .local = loopback6}) == "[1::1]:1 [1::2]:1");
  for (const ConnectOptions &none : {ConnectOptions{.family = AF_PACKET}, ConnectOptions{.local = PacketAddress{}},
                                     ConnectOptions{.family = AF_INET, .local = loopback6}}) {
    const ConnectResult result = race(found, none);
    CHECK(text(result) == "connect_to:EAFNOSUPPORT");
    CHECK(result.attempts.empty());
  }
  const ConnectResult one = checked([] { return connect_to(loopback, {.family = AF_INET6}); });
  CHECK(text(one) == "connect_to:EAFNOSUPPORT");
}

TEST_CASE("connect_to: failures at once keep their own codes") {
  // ucode: EAI_NONAME for all of them.
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Server stream(at(directory / "stream"));
  const Refusing refusing;
  struct Case {
    SocketAddress address;
    ConnectOptions options;
    const char *error;
  };
  const Case cases[] = {
      {at(directory / "missing"), {}, "connect:ENOENT"},
      {at(directory / "stream/x"), {}, "connect:ENOTDIR"},
      {stream.address, {.type = SOCK_DGRAM}, "connect:EPROTOTYPE"},
      {stream.address, {.type = SOCK_SEQPACKET}, "connect:EPROTOTYPE"},
      {stream.address, {.type = 77}, "socket:EINVAL"},
      {refusing.address, {}, "connect:ECONNREFUSED"},
      {refusing.address, {.protocol = IPPROTO_UDP}, "socket:EPROTONOSUPPORT"},
      {UnixAddress(), {}, "connect:EINVAL"},
      {SocketAddress(), {}, "socket:EAFNOSUPPORT"},
      {SocketAddress::unspec(), {}, "socket:EAFNOSUPPORT"},
      {refusing.address, {.local = at("192.0.2.1:0")}, "bind:EADDRNOTAVAIL"},
      {refusing.address, {.interface = "nosuch"}, "setsockopt:ENODEV"},
      {refusing.address, {.interface = "averylongnameofaninterface"}, "setsockopt:ENAMETOOLONG"},
      {refusing.address, {.keep_alive = {.idle = Seconds(40000)}}, "set_keepalive:EINVAL"},
      {refusing.address, {.type = SOCK_DGRAM, .no_delay = true}, "setsockopt:ENOPROTOOPT"},
  };
  for (const Case &each : cases) {
    CAPTURE(std::string(each.error));
    const ConnectResult result = checked([&] { return connect_to(each.address, each.options); });
    CHECK(text(result) == each.error);
    CHECK(outcomes(result) == each.error);
    REQUIRE(result.attempts.size() == 1);
    CHECK(result.attempts[0].address == each.address);
  }
}

TEST_CASE("connect_to: a network that cannot be reached, at once") {
  const bool permitted = in_own_network([] {
    NoLeak no_leak;
    CHECK(outcomes(race(all({"10.1.2.3:80"}))) == "connect:ENETUNREACH");
    const Server listener(loopback);
    const ConnectResult result =
        race({at("10.1.2.3:80"), at("[fd01::1]:80"), listener.address}, {.attempt_delay = endless});
    CHECK(text(result) == "ok");
    CHECK(result.attempts.size() == 3);
    CHECK(text(result.attempts[0].error) == "connect:ENETUNREACH");
  });
  if (!permitted)
    SKIP("needs network namespaces");
}

// --- races
// -----------------------------------------------------------------------------------------------------------

TEST_CASE("connect_to: an address that does not answer gets the next beside it, and what it came to is closed") {
  NoLeak no_leak;
  const Full silent(local_host(2));
  const Server listener(local_host(3));
  struct Case {
    Milliseconds asked;
    Milliseconds least;
  };
  for (const auto &[asked, least] :
       {Case{Milliseconds(250), Milliseconds(250)}, Case{Milliseconds(30), Milliseconds(30)},
        Case{Milliseconds(3), quick}, Case{Milliseconds(0), quick}}) {
    const ConnectResult result = asked == Milliseconds(250)
                                     ? race({silent.address, listener.address})
                                     : race({silent.address, listener.address}, {.attempt_delay = asked});
    REQUIRE(text(result) == "ok");
    CHECK(outcomes(result) == "connect_to:ECANCELED ok");
    CHECK(tried(result) == std::string(silent.address.text().c_str()) + ' ' + listener.address.text().c_str());
    CHECK(result.attempts[1].started.count() - result.attempts[0].started.count() >= Nanoseconds(least).count());
    CHECK(result.attempts[0].ended >= result.attempts[1].ended);
    CHECK(VALUE(result->getpeername()) == listener.address);
    check_talk(*result, listener);
  }
}

TEST_CASE("connect_to: an address that is slow is not given up, and can still win") {
  // Node: nodejs/node issue 54359. Each attempt was aborted after 250 ms.
  NoLeak no_leak;
  const TemporaryDirectory directory;
  for (const auto &[first, second] :
       {std::pair{local_host(2), local_host(3)}, std::pair{at(directory / "a"), at(directory / "b")}}) {
    const Full slow(first);
    const Full silent(second);
    auto before = [&](const Socket &, const SocketAddress &address) -> Result<void> {
      if (address == silent.address)
        slow.admit();
      return {};
    };
    const ConnectResult result =
        race({slow.address, silent.address}, {.attempt_delay = quick, .before_connect = before});
    REQUIRE(text(result) == "ok");
    CHECK(outcomes(result) == "ok connect_to:ECANCELED");
    CHECK(VALUE(result->getpeername()) == slow.address);
    CHECK(result.attempts[0].ended >= result.attempts[1].started);
    CHECK_FALSE(VALUE(result->nonblocking()));
    check_talk(*result, slow);
  }
}

TEST_CASE("connect_to: an address that refuses at once does not end the wait for another") {
  // ucode: ECONNREFUSED of 127.0.0.1 after 0 ms, where 127.0.0.2 answers after a second.
  NoLeak no_leak;
  const Refusing refusing;
  const Full slow(local_host(2));
  const TemporaryDirectory directory;
  auto before = [&](const Socket &, const SocketAddress &address) -> Result<void> {
    if (address.family() == AF_UNIX)
      slow.admit();
    return {};
  };
  const ConnectResult result = race({refusing.address, slow.address, at(directory / "missing")},
                                    {.attempt_delay = quick, .before_connect = before});
  REQUIRE(text(result) == "ok");
  // of another family, the third takes its turn before
  CHECK(outcomes(result) == "connect:ECONNREFUSED connect:ENOENT ok");
  check_talk(*result, slow);

  const Full late(local_host(3));
  auto last = [&](const Socket &, const SocketAddress &address) -> Result<void> {
    if (address == refusing.address)
      late.admit();
    return {};
  };
  const ConnectResult other =
      race({late.address, refusing.address}, {.attempt_delay = quick, .before_connect = last});
  REQUIRE(text(other) == "ok");
  CHECK(outcomes(other) == "ok connect:ECONNREFUSED");
}

TEST_CASE("connect_to: after a failure the next starts at once, however long the delay") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Refusing refusing;
  const Server listener(local_host(3));
  for (const Milliseconds delay : {endless, Milliseconds::max()}) {
    const ConnectResult result =
        race({refusing.address, at(directory / "missing"), listener.address}, {.attempt_delay = delay});
    REQUIRE(text(result) == "ok");
    CHECK(outcomes(result) == "connect:ECONNREFUSED connect:ENOENT ok");
    check_talk(*result, listener);
  }
}

TEST_CASE("connect_to: a delay beyond all time lets the first alone") {
  const TemporaryDirectory directory;
  const Full silent(at(directory / "silent"));
  const Server listener(at(directory / "listener"));
  for (const Milliseconds delay : {endless, Milliseconds::max()}) {
    const ConnectResult result =
        race({silent.address, listener.address}, {.deadline = Milliseconds(50), .attempt_delay = delay});
    CHECK(text(result) == "connect_to:ETIMEDOUT");
    CHECK(outcomes(result) == "connect_to:ETIMEDOUT");
  }
}

TEST_CASE("connect_to: if all fail, each has its error, and the result that of the last to fail") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Refusing refusing;
  const ConnectResult two = race({refusing.address, at(directory / "missing")});
  CHECK(text(two) == "connect:ENOENT");
  CHECK(outcomes(two) == "connect:ECONNREFUSED connect:ENOENT");
  CHECK(two.attempts[0].address == refusing.address);
  CHECK(two.attempts[1].address == at(directory / "missing"));

  // The first is the last to fail: its listener goes when the second is tried.
  Full gone(at(directory / "gone"));
  auto before = [&](const Socket &, const SocketAddress &address) -> Result<void> {
    return address == gone.address ? Result<void>() : gone.socket.shutdown(SHUT_RDWR);
  };
  const ConnectResult late =
      race({gone.address, at(directory / "missing")}, {.attempt_delay = quick, .before_connect = before});
  CHECK(outcomes(late) == "connect:ECONNREFUSED connect:ENOENT");
  CHECK(text(late) == "connect:ECONNREFUSED");
}

TEST_CASE("connect_to: the deadline, in the middle of all of it") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Full tcp(local_host(2));
  const Full tcp_too(local_host(3));
  const Full local(at(directory / "full"));
  const Refusing refusing;
  const SocketAddress missing = at(directory / "missing");
  struct Case {
    Addresses found;
    const char *outcomes;
    Milliseconds delay = quick;
  };
  const Case cases[] = {
      {{tcp.address}, "connect_to:ETIMEDOUT"},
      {{local.address}, "connect_to:ETIMEDOUT"},
      {{tcp.address, tcp_too.address, local.address},
       "connect_to:ETIMEDOUT connect_to:ETIMEDOUT connect_to:ETIMEDOUT"},
      {{refusing.address, tcp.address}, "connect:ECONNREFUSED connect_to:ETIMEDOUT", endless},
      {{tcp.address, refusing.address}, "connect_to:ETIMEDOUT connect:ECONNREFUSED"},
      {{missing, tcp.address, local.address}, "connect:ENOENT connect_to:ETIMEDOUT connect_to:ETIMEDOUT"},
      {{tcp.address, refusing.address}, "connect_to:ETIMEDOUT", endless}, // before the second is tried
  };
  for (const Case &each : cases) {
    const ConnectResult result = race(each.found, {.deadline = brief, .attempt_delay = each.delay});
    CHECK(text(result) == "connect_to:ETIMEDOUT");
    CHECK(outcomes(result) == each.outcomes);
    for (const ConnectAttempt &attempt : result.attempts)
      if (attempt.error.is(ETIMEDOUT))
        CHECK(attempt.ended > Milliseconds(300)); // the deadline is older than the call
  }
}

TEST_CASE("connect_to: a deadline of no time takes what is there") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Server local(at(directory / "local"));
  CHECK(outcomes(race({local.address}, {.deadline = Milliseconds(0)})) == "ok");
  CHECK(outcomes(race({at(directory / "missing")}, {.deadline = Milliseconds(0)})) == "connect:ENOENT");
  const Full full(at(directory / "full"));
  CHECK(text(race({full.address}, {.deadline = Milliseconds(0)})) == "connect_to:ETIMEDOUT");
  CHECK(text(race({full.address, local.address}, {.deadline = Milliseconds(0)})) == "connect_to:ETIMEDOUT");
  const ConnectResult late = race({at(directory / "missing"), local.address}, {.deadline = Milliseconds(0)});
  CHECK(text(late) == "connect_to:ETIMEDOUT");
  CHECK(outcomes(late) == "connect:ENOENT");
  // What has failed has not timed out.
  const Refusing refusing;
  const ConnectResult refused = race({refusing.address}, {.deadline = Milliseconds(0)});
  CHECK(text(refused) == outcomes(refused));
  // Over loopback the answer is there when connect(2) returns, unless the machine is busy.
  const Server tcp(loopback);
  bool connected = false;
  for (int round = 0; round < 100 && !connected; ++round) {
    const ConnectResult result = race({tcp.address}, {.deadline = Milliseconds(0)});
    connected = result.has_value();
    if (!connected)
      CHECK(outcomes(result) == "connect_to:ETIMEDOUT");
    else
      check_talk(*result, tcp);
  }
  CHECK(connected);
}

TEST_CASE("connect_to: the socket is blocking, unless it was asked for another") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Server tcp(loopback);
  const Server local(at(directory / "local"));
  const Full silent(local_host(2));
  for (const SocketAddress &address : {tcp.address, local.address})
    for (const int flag : {0, int(SOCK_NONBLOCK), int(SOCK_CLOEXEC), SOCK_NONBLOCK | SOCK_CLOEXEC}) {
      const ConnectResult result =
          race({silent.address, address}, {.type = SOCK_STREAM | flag, .attempt_delay = quick});
      REQUIRE(text(result) == "ok");
      CHECK(VALUE(result->nonblocking()) == ((flag & SOCK_NONBLOCK) != 0));
      CHECK(VALUE(result->getsockopt(so::type)) == SOCK_STREAM);
    }
}

TEST_CASE("connect_to: no descriptor to be had is each attempt's failure") {
  const Server listener(loopback);
  const Addresses two = {listener.address, local_host(2, 1)};
  const int status = in_child([&] {
    ConnectOptions options;
    options.resolver = finds(two);
    rlimit none = {0, 0};
    ::getrlimit(RLIMIT_NOFILE, &none);
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
    const ConnectResult result = connect_to("host.test", 1, options);
    return text(result) == "socket:EMFILE" && outcomes(result) == "socket:EMFILE socket:EMFILE" ? 0 : 1;
  });
  CHECK(status == 0);
}

// --- races between networks ----------------------------------------------------------------------------------------

TEST_CASE("connect_to between networks: dropped, reset, rejected, unreachable; IPv6 that is broken") {
  const char *missing = between_networks([](Networks &networks) {
    NoLeak no_leak;
    const Server four = networks.listener("0.0.0.0:80");
    const Server six = networks.listener("[fd09::2]:80");
    struct Case {
      std::vector<std::string> found;
      const char *outcomes;
      Milliseconds delay = endless; // so a failure alone starts the next
      std::string peer = "10.9.0.2:80";
    };
    const std::string answers = "10.9.0.2:80";
    const Case cases[] = {
        {{"10.9.0.3:80", answers}, "connect_to:ECANCELED ok", quick}, // dropped
        {{"10.9.0.4:80", answers}, "connect:ECONNREFUSED ok"},        // reset
        {{"10.9.0.5:80", answers}, "connect:EHOSTUNREACH ok"},        // rejected
        {{"10.9.0.6:80", answers}, "connect:EHOSTUNREACH ok"},
        {{"10.50.0.1:80", answers}, "connect:EHOSTUNREACH ok"}, // by the route
        {{"10.51.0.1:80", answers}, "connect:EACCES ok"},
        {{"10.52.0.1:80", answers}, "connect:EINVAL ok"},
        {{"10.53.0.1:80", answers}, "connect:ENETUNREACH ok"},
        {{"[fd50::1]:80", answers}, "connect:EHOSTUNREACH ok"}, // IPv6 is there, and broken
        {{"[fd51::1]:80", answers}, "connect:EACCES ok"},
        {{"[fd09::4]:80", answers}, "connect:ECONNREFUSED ok"},
        {{"[fd09::3]:80", answers}, "connect_to:ECANCELED ok", quick},
        {{"[fd50::1]:80", "[fd51::1]:80", "[fd09::3]:80", "10.9.0.3:80", answers},
         "connect:EHOSTUNREACH connect_to:ECANCELED connect:EACCES ok",
         quick},
        {{"10.9.0.3:80", "[fd09::3]:80", "[fd09::2]:80"},
         "connect_to:ECANCELED connect_to:ECANCELED ok",
         quick,
         "[fd09::2]:80"},
        // all fail
        {{"10.9.0.4:80", "[fd09::4]:80", "10.50.0.1:80"},
         "connect:ECONNREFUSED connect:ECONNREFUSED connect:EHOSTUNREACH",
         endless,
         ""},
        {{"[fd50::1]:80", "10.53.0.1:80", "[fd51::1]:80"},
         "connect:EHOSTUNREACH connect:ENETUNREACH connect:EACCES",
         endless,
         ""},
    };
    for (const Case &each : cases) {
      CAPTURE(each.found[0]);
      const ConnectResult result = race(all(each.found), {.attempt_delay = each.delay});
      CHECK(outcomes(result) == each.outcomes);
      CHECK(result.has_value() == !each.peer.empty());
      if (result)
        CHECK(VALUE(result->getpeername()) == at(each.peer));
      else
        CHECK(result.error() == result.attempts[result.attempts.size() - 1].error);
    }
  });
  if (missing != nullptr)
    SKIP(missing);
}

TEST_CASE("connect_to between networks: the deadline in the middle of each") {
  const char *missing = between_networks([](Networks &networks) {
    NoLeak no_leak;
    const Server listener = networks.listener("0.0.0.0:80");
    struct Case {
      std::vector<std::string> found;
      const char *outcomes;
    };
    const Case cases[] = {
        {{"10.9.0.3:80"}, "connect_to:ETIMEDOUT"},
        {{"[fd09::3]:80", "10.9.0.3:80"}, "connect_to:ETIMEDOUT connect_to:ETIMEDOUT"},
        {{"10.9.0.4:80", "10.9.0.3:80"}, "connect:ECONNREFUSED connect_to:ETIMEDOUT"},
        {{"10.9.0.3:80", "10.9.0.4:80"}, "connect_to:ETIMEDOUT connect:ECONNREFUSED"},
        {{"10.50.0.1:80", "10.51.0.1:80", "10.9.0.3:80"}, "connect:EHOSTUNREACH connect:EACCES connect_to:ETIMEDOUT"},
        {{"[fd50::1]:80", "10.9.0.3:80"}, "connect:EHOSTUNREACH connect_to:ETIMEDOUT"},
        {{"10.9.0.99:80"}, "connect_to:ETIMEDOUT"}, // nobody has that address
    };
    for (const Case &each : cases) {
      CAPTURE(each.found[0]);
      const ConnectResult result = race(all(each.found), {.deadline = brief, .attempt_delay = quick});
      CHECK(text(result) == "connect_to:ETIMEDOUT");
      CHECK(outcomes(result) == each.outcomes);
    }
  });
  if (missing != nullptr)
    SKIP(missing);
}

TEST_CASE("connect_to between networks: what was dropped at first can still win") {
  const char *missing = between_networks([](Networks &networks) {
    NoLeak no_leak;
    const Server listener = networks.listener("0.0.0.0:80");
    bool open = false;
    auto before = [&](const Socket &, const SocketAddress &address) -> Result<void> {
      if (address == at("[fd09::3]:80"))
        open = networks.filter("ip6 daddr fd09::3 drop");
      return {};
    };
    const ConnectResult result =
        race(all({"10.9.0.3:80", "[fd09::3]:80"}), {.attempt_delay = quick, .before_connect = before});
    REQUIRE(open);
    CHECK(outcomes(result) == "ok connect_to:ECANCELED");
    check_talk(*result, listener);
  });
  if (missing != nullptr)
    SKIP(missing);
}

TEST_CASE("connect_until between networks: interrupted, over and over, while it takes long") {
  // A connect(2) that a signal interrupted goes on; calling it again is an error.
  const char *missing = between_networks([](Networks &networks) {
    NoLeak no_leak;
    const Server listener = networks.listener("0.0.0.0:80");
    const SocketAddress slow = at("10.9.0.3:80");
    const Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
    VALUE(socket.setsockopt(so::sndtimeo, Milliseconds(10))); // which would end a connect(2) that blocks
    Canceller opener;
    bool open = false;
    std::thread other([&] {
      pollfd third = {opener.cancel.fd(), POLLIN, 0};
      ::poll(&third, 1, long_time);
      try {
        open = networks.filter("");
      } catch (...) { // what REQUIRE throws, already counted
      }
    });
    Result<void> connected;
    {
      Alarms every(add_one, opener.ready.fd());
      connected = connect_until(socket, slow, safe);
    }
    other.join();
    REQUIRE(open);
    VALUE(std::move(connected));
    CHECK(VALUE(socket.getsockopt(so::error)) == 0);
    CHECK(VALUE(socket.getpeername()) == slow);
    CHECK_FALSE(VALUE(socket.nonblocking()));
    CHECK(VALUE(socket.getsockopt(so::sndtimeo)) >= Milliseconds(10));
    check_talk(socket, listener);
  });
  if (missing != nullptr)
    SKIP(missing);
}

TEST_CASE("connect_to between networks: the scope of a link-local address") {
  const char *missing = between_networks([](Networks &networks) {
    NoLeak no_leak;
    const Server listener = networks.listener("[::]:80");
    const unsigned index = VALUE(baresock::if_nametoindex("va"));
    const std::string number = std::to_string(index);
    std::vector<ConnectResult> made;
    made.push_back(checked([] { return connect_to("[fe80::2%va]:80", {.deadline = safe}); }));
    made.push_back(checked([] { return connect_to("fe80::2%va", 80, {.deadline = safe}); }));
    made.push_back(checked([&] { return connect_to("[fe80::2%" + number + "]", 80, {.deadline = safe}); }));
    made.push_back(checked([] {
      return connect_to("[fe80::2%va]:80", {.deadline = safe, .local = at("[fe80::1%va]:0"), .interface = "va"});
    }));
    // without a scope, but with an interface
    made.push_back(checked([] { return connect_to("[fe80::2]:80", {.deadline = safe, .interface = "va"}); }));
    for (const ConnectResult &result : made) {
      REQUIRE(text(result) == "ok");
      for (const SocketAddress &end : {VALUE(result->getsockname()), VALUE(result->getpeername())})
        CHECK(VALUE(end.get<Inet6Address>()).scope_id == index);
      check_talk(*result, listener);
    }
    CHECK(outcomes(checked([] { return connect_to("[fe80::2]:80", {.deadline = safe}); })) == "connect:EINVAL");
  });
  if (missing != nullptr)
    SKIP(missing);
}

TEST_CASE("connect_to between networks: by the interface that was named, and no other") {
  const char *missing = between_networks([](Networks &networks) {
    NoLeak no_leak;
    const Server listener = networks.listener("0.0.0.0:80");
    const ConnectResult cable = race(all({"10.9.0.2:80"}), {.interface = "va"});
    REQUIRE(text(cable) == "ok");
    CHECK(VALUE(cable->getsockopt(so::bindtodevice)) == "va");
    const ConnectResult other = race(all({"10.9.0.2:80"}), {.deadline = brief, .interface = "lo"});
    CHECK_FALSE(other.has_value());
  });
  if (missing != nullptr)
    SKIP(missing);
}

// --- options
// ---------------------------------------------------------------------------------------------------------

TEST_CASE("connect_to: sockets of other types") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Server packets(at(directory / "packets"), 128, SOCK_SEQPACKET);
  const ConnectResult seqpacket = checked([&] { return connect_to(packets.address, {.type = SOCK_SEQPACKET}); });
  REQUIRE(text(seqpacket) == "ok");
  check_talk(*seqpacket, packets);

  for (const SocketAddress &address : {at(directory / "datagrams"), loopback}) {
    const Socket receiver = bound(address);
    const SocketAddress to = VALUE(receiver.getsockname());
    const ConnectResult result = checked([&] { return connect_to(to, {.type = SOCK_DGRAM}); });
    REQUIRE(text(result) == "ok");
    CHECK(VALUE(result->getsockopt(so::type)) == SOCK_DGRAM);
    VALUE(result->send("x"));
    wait(receiver, POLLIN);
    char room[8];
    CHECK(VALUE(receiver.recv(room)).size == 1);
  }
}

TEST_CASE("connect_to: another protocol") {
  const Server listener(loopback);
  constexpr int mptcp = 262;
  const ConnectResult result = race({listener.address}, {.protocol = mptcp});
  if (!result && result.error().operation() == Operation::socket)
    SKIP("there is no MPTCP here");
  REQUIRE(text(result) == "ok");
  CHECK(VALUE(result->getsockopt(so::protocol)) == mptcp);
  check_talk(*result, listener);
}

TEST_CASE("connect_to: from a local address") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Server listener(loopback);
  const SocketAddress here = local_host(9);
  const ConnectResult result = checked([&] { return connect_to(listener.address, {.local = here}); });
  REQUIRE(text(result) == "ok");
  CHECK(VALUE(result->getsockname()).with_port(0) == here);
  CHECK(VALUE(result->getsockopt(ip::bind_address_no_port)));
  CHECK_FALSE(VALUE(result->getsockopt(so::reuseaddr)));
  check_talk(*result, listener);
  if (has_inet6()) {
    const Server six(loopback6);
    const ConnectResult other = checked([&] { return connect_to(six.address, {.local = loopback6}); });
    REQUIRE(text(other) == "ok");
    CHECK(VALUE(other->getsockopt(ip::bind_address_no_port)));
  }

  const Server local(at(directory / "local"));
  const SocketAddress mine = at(directory / "mine");
  // a port does not matter, nor does it get into the path
  const ConnectResult path = checked([&] { return connect_to(local.address, {.local = mine, .local_port = 80}); });
  REQUIRE(text(path) == "ok");
  CHECK(VALUE(path->getsockname()) == mine);
  CHECK(text(checked([&] { return connect_to(local.address, {.local = mine}); })) == "bind:EADDRINUSE");
  const ConnectResult unnamed = checked([&] { return connect_to(local.address, {.local_port = 80}); });
  REQUIRE(text(unnamed) == "ok");
  CHECK(VALUE(unnamed->getsockname()) == UnixAddress());
}

TEST_CASE("connect_to: from a local port, which every attempt is bound to") {
  NoLeak no_leak;
  // Keeps the port for this test, at every address, but not from who says SO_REUSEADDR.
  const Socket holder = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(holder.setsockopt(so::reuseaddr, true));
  VALUE(holder.bind(Inet4Address{}));
  const std::uint16_t port = VALUE(holder.getsockname()).port();
  const Full first(local_host(2));
  const Full second(local_host(3));
  const Server listener(local_host(4));
  for (const SocketAddress &here : {SocketAddress(), local_host(8), local_host(8, port)}) {
    const std::uint16_t asked = here.port() == 0 ? port : std::uint16_t(0);
    const ConnectResult result = race({first.address, second.address, listener.address},
                                      {.attempt_delay = quick, .local = here, .local_port = asked});
    REQUIRE(text(result) == "ok");
    CHECK(outcomes(result) == "connect_to:ECANCELED connect_to:ECANCELED ok");
    CHECK(VALUE(result->getsockname()) == (here.size() == 0 ? local_host(1, port) : here.with_port(port)));
    CHECK(VALUE(result->getsockopt(so::reuseaddr)));
    check_talk(*result, listener);
    // The end that closes first keeps the port for a minute: not this one, which the next round needs.
    VALUE(result->setsockopt(so::linger, {true, Seconds(0)}));
  }
  // `local_port` is the one that counts
  const ConnectResult both = race({listener.address}, {.local = local_host(8, 1), .local_port = port});
  REQUIRE(text(both) == "ok");
  CHECK(VALUE(both->getsockname()) == local_host(8, port));
  if (has_inet6()) {
    const Server six(loopback6);
    const ConnectResult result = race({six.address}, {.local_port = port});
    CHECK_MESSAGE((result || result.error().is(EADDRINUSE)), text(result));
    if (result)
      CHECK(VALUE(result->getsockname()).port() == port);
  }
}

TEST_CASE("connect_to: from a local address, more often than there are ports") {
  const bool permitted = in_own_network([] {
    NoLeak no_leak;
    std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << "40000 40003";
    const Server first(local_host(2, 5000));
    const Server second(local_host(3, 5000));
    std::vector<ConnectResult> made;
    std::set<std::string> names;
    for (int round = 0; round < 4; ++round)
      for (const Server *each : {&first, &second}) {
        made.push_back(race({each->address}, {.local = local_host(9)}));
        REQUIRE(text(made.back()) == "ok");
        const SocketAddress name = VALUE(made.back()->getsockname());
        CHECK(name.with_port(0) == local_host(9));
        names.insert(name.text().c_str());
      }
    CHECK(names.size() <= 4); // of eight connections
    CHECK(outcomes(race({first.address}, {.local = local_host(9)})) == "connect:EADDRNOTAVAIL");
  });
  if (!permitted)
    SKIP("needs network namespaces");
}

TEST_CASE("connect_to: through an interface") {
  const Server listener(loopback);
  const ConnectResult result = race({listener.address}, {.interface = "lo"});
  if (!result && result.error().is(EPERM))
    SKIP("SO_BINDTODEVICE is not permitted");
  REQUIRE(text(result) == "ok");
  CHECK(VALUE(result->getsockopt(so::bindtodevice)) == "lo");
  check_talk(*result, listener);
}

TEST_CASE("connect_to: before_connect sees each socket before it is bound, and can fail it") {
  NoLeak no_leak;
  const Full silent(local_host(2));
  const Server listener(local_host(3));
  struct Seen {
    std::vector<SocketAddress> addresses;
    std::vector<SocketAddress> names;
    std::vector<std::string> peers;
    std::set<int> descriptors;
  } seen;
  auto before = [&](const Socket &socket, const SocketAddress &address) -> Result<void> {
    seen.addresses.push_back(address);
    seen.names.push_back(VALUE(socket.getsockname()));
    auto peer = socket.getpeername();
    seen.peers.push_back(peer ? "" : peer.error().name());
    seen.descriptors.insert(socket.fd());
    return socket.setsockopt(ip::tos, 0x10);
  };
  const ConnectResult result = race({silent.address, listener.address},
                                    {.attempt_delay = quick, .local = local_host(9), .before_connect = before});
  REQUIRE(text(result) == "ok");
  CHECK(VALUE(result->getsockopt(ip::tos)) == 0x10);
  CHECK(VALUE(result->getsockname()).with_port(0) == local_host(9));
  CHECK(seen.addresses == Addresses{silent.address, listener.address});
  CHECK(seen.names == Addresses{at("0.0.0.0:0"), at("0.0.0.0:0")});
  CHECK(seen.peers == std::vector<std::string>{"ENOTCONN", "ENOTCONN"});
  CHECK(seen.descriptors.size() == 2);
  CHECK(seen.descriptors.contains(result->fd()));

  // Its error is the attempt's; the next starts at once.
  auto refuse = [&](const Socket &, const SocketAddress &address) -> Result<void> {
    if (address == silent.address)
      return std::unexpected(Error(EDOM, Operation::sendto));
    return {};
  };
  const ConnectResult other =
      race({silent.address, listener.address}, {.attempt_delay = endless, .before_connect = refuse});
  CHECK(outcomes(other) == "sendto:EDOM ok");
  const ConnectResult alone = race({silent.address}, {.before_connect = refuse});
  CHECK(text(alone) == "sendto:EDOM");
}

TEST_CASE("connect_to: keep-alive and no delay") {
  NoLeak no_leak;
  const Server listener(loopback);
  const ConnectResult plain = race({listener.address});
  const ConnectResult set =
      race({listener.address},
           {.keep_alive = {.idle = Seconds(70), .interval = Seconds(7), .count = 3}, .no_delay = true});
  const ConnectResult on = race({listener.address}, {.keep_alive = {}});
  for (const ConnectResult *each : {&plain, &set, &on})
    REQUIRE(text(*each) == "ok");
  CHECK_FALSE(VALUE(plain->getsockopt(so::keepalive)));
  CHECK_FALSE(VALUE(plain->getsockopt(tcp::nodelay)));
  CHECK(VALUE(set->getsockopt(so::keepalive)));
  CHECK(VALUE(set->getsockopt(tcp::keepidle)) == Seconds(70));
  CHECK(VALUE(set->getsockopt(tcp::keepintvl)) == Seconds(7));
  CHECK(VALUE(set->getsockopt(tcp::keepcnt)) == 3);
  CHECK(VALUE(set->getsockopt(tcp::nodelay)));
  CHECK(VALUE(on->getsockopt(so::keepalive)));
  CHECK(VALUE(on->getsockopt(tcp::keepidle)) == VALUE(plain->getsockopt(tcp::keepidle)));
  CHECK_FALSE(VALUE(on->getsockopt(tcp::nodelay)));

  // The same options serve addresses of families that know nothing of them.
  TemporaryDirectory directory;
  const Server local(at(directory / "server"));
  const ConnectResult unmoved = race({local.address}, {.keep_alive = {.idle = Seconds(70)}, .no_delay = true});
  REQUIRE(text(unmoved) == "ok");
  CHECK_FALSE(VALUE(unmoved->getsockopt(so::keepalive)));
}

TEST_CASE("connect_to: an address that is blocked is not connected to, and does not hinder the next") {
  NoLeak no_leak;
  const Server forbidden(local_host(2));
  const Server listener(local_host(3));
  struct Calls {
    int blocked = 0, before = 0;
  } calls;
  const SocketAddress no = forbidden.address;
  ConnectOptions options = {.attempt_delay = endless};
  options.blocked = [&](const SocketAddress &address) { return ++calls.blocked, address == no; };
  options.before_connect = [&](const Socket &, const SocketAddress &) { return ++calls.before, Result<void>(); };
  const ConnectResult result = race({no, listener.address}, options);
  REQUIRE(text(result) == "ok");
  CHECK(outcomes(result) == "connect_to:EPERM ok");
  CHECK(calls.blocked == 2);
  CHECK(calls.before == 1);
  options.deadline = safe;
  const ConnectResult alone = checked([&] { return connect_to(no, options); });
  CHECK(text(alone) == "connect_to:EPERM");
  CHECK(outcomes(alone) == "connect_to:EPERM");
  VALUE(forbidden.socket.set_nonblocking(true));
  CHECK_ERROR(forbidden.socket.accept(), EAGAIN, accept4);
}

TEST_CASE("connect_to: sets nothing unasked") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  // Those that tell of the connection or of the moment; IP_PROTOCOL of TCP is the port.
  const std::set<std::string> of_the_moment = {
      "IP_PROTOCOL",  "SO_COOKIE", "SO_INCOMING_CPU", "SO_INCOMING_NAPI_ID", "SO_MEMINFO",
      "SO_PEERPIDFD", "TCP_INFO",  "TCP_CC_INFO",     "TCP_TIMESTAMP"};
  for (const SocketAddress &address : {loopback, at(directory / "local")}) {
    const Server listener(address);
    const Socket raw = VALUE(Socket::socket(address.family(), SOCK_STREAM));
    VALUE(raw.connect(listener.address));
    const ConnectResult ours = checked([&] { return connect_to(listener.address); });
    REQUIRE(text(ours) == "ok");
    int compared = 0;
    for (const OptionInfo &option : options()) {
      if (!can_get(option.access) || can_query(option.access) || of_the_moment.contains(option.name))
        continue;
      auto expected = raw.getsockopt(option);
      auto value = ours->getsockopt(option);
      CAPTURE(std::string(option.name));
      REQUIRE(value.has_value() == expected.has_value());
      if (!value || value->kind() == OptionValue::Kind::descriptor)
        continue;
      ++compared;
      CHECK(*value == *expected);
    }
    CHECK(compared > 20);
    CHECK(::fcntl(ours->fd(), F_GETFL) == ::fcntl(raw.fd(), F_GETFL));
    CHECK(::fcntl(ours->fd(), F_GETFD) == ::fcntl(raw.fd(), F_GETFD));
  }
}

// --- a full backlog of AF_UNIX -----------------------------------------------------------------------------------

TEST_CASE("connect_to, connect_until: a full backlog of AF_UNIX is waited for, past signals") {
  // connect(2) says EAGAIN, poll(2) that the socket is ready, and SO_ERROR that nothing is wrong.
  NoLeak no_leak;
  const TemporaryDirectory directory;
  for (const int type : {int(SOCK_STREAM), int(SOCK_SEQPACKET)}) {
    const Full full(at(directory / std::to_string(type)), type);
    {
      ConnectResult result;
      {
        Alarms every(accept_one, full.socket.fd());
        result = connect_to(full.address, {.deadline = safe, .type = type});
      }
      REQUIRE(text(result) == "ok");
      CHECK(VALUE(result->getpeername()) == full.address);
      check_talk(*result, full); // and the queue is empty
    }
    const Socket other = VALUE(Socket::socket(AF_UNIX, type));
    VALUE(other.connect(full.address)); // full again
    for (const bool nonblocking : {false, true}) {
      const Socket socket = VALUE(Socket::socket(AF_UNIX, type));
      VALUE(socket.set_nonblocking(nonblocking));
      VALUE(socket.setsockopt(so::sndtimeo, Milliseconds(1))); // which is for connect(2)
      Result<void> connected;
      {
        Alarms every(accept_one, full.socket.fd());
        connected = connect_until(socket, full.address, safe);
      }
      VALUE(std::move(connected));
      CHECK(VALUE(socket.getpeername()) == full.address);
      CHECK(VALUE(socket.nonblocking()) == nonblocking);
    }
  }
}

TEST_CASE("connect_to, connect_until: a full backlog of AF_UNIX is not waited for busily") {
  // A socket that is not connected is always ready, poll(2) says.
  const TemporaryDirectory directory;
  const Full full(at(directory / "full"));
  const Socket socket = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  auto sleeps = [] {
    rusage usage = {};
    ::getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
  };
  for (const bool to : {false, true}) {
    const long before = sleeps();
    if (to)
      CHECK(text(connect_to(full.address, {.deadline = Milliseconds(100)})) == "connect_to:ETIMEDOUT");
    else
      CHECK_ERROR(connect_until(socket, full.address, Milliseconds(100)), ETIMEDOUT, connect_until);
    const long slept = sleeps() - before;
    CHECK(slept >= 3); // 1, 2, 4 … 16 ms
    if (!memory_is_checked())
      CHECK(slept < 100);
  }
}

TEST_CASE("connect_to, connect_until: a backlog of AF_UNIX that stays full, until the deadline") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Full full(at(directory / "full"));
  for (const bool signals : {false, true}) {
    std::optional<Alarms> every;
    if (signals)
      every.emplace();
    const ConnectResult result = checked([&] { return connect_to(full.address, {.deadline = Milliseconds(60)}); });
    CHECK(text(result) == "connect_to:ETIMEDOUT");
    CHECK(outcomes(result) == "connect_to:ETIMEDOUT");
    for (const bool nonblocking : {false, true}) {
      const Socket socket = VALUE(Socket::socket(AF_UNIX, nonblocking ? SOCK_STREAM | SOCK_NONBLOCK : SOCK_STREAM));
      CHECK_ERROR(connect_until(socket, full.address, Milliseconds(60)), ETIMEDOUT, connect_until);
      CHECK_ERROR(socket.getpeername(), ENOTCONN, getpeername);
      CHECK(VALUE(socket.nonblocking()) == nonblocking);
      // nor with no time at all
      CHECK_ERROR(connect_until(socket, full.address, Milliseconds(0)), ETIMEDOUT, connect_until);
    }
  }
}

// --- signals, cancellation, threads, descriptors
// ---------------------------------------------------------------------

TEST_CASE("connect_to: signals all the while do not matter") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Full silent(local_host(2));
  const Full slow(local_host(3));
  const Refusing refusing;
  {
    // There is room once the third is tried; TCP asks again after a second.
    auto before = [&](const Socket &, const SocketAddress &address) -> Result<void> {
      if (address == refusing.address)
        accept_one(slow.socket.fd());
      return {};
    };
    ConnectResult result;
    {
      Alarms every;
      result =
          race({silent.address, slow.address, refusing.address}, {.attempt_delay = quick, .before_connect = before});
    }
    REQUIRE(text(result) == "ok");
    CHECK(outcomes(result) == "connect_to:ECANCELED ok connect:ECONNREFUSED");
    check_talk(*result, slow);
  }
  {
    Alarms every;
    const ConnectResult result =
        race({refusing.address, silent.address}, {.deadline = Milliseconds(100), .attempt_delay = quick});
    CHECK(text(result) == "connect_to:ETIMEDOUT");
    CHECK(outcomes(result) == "connect:ECONNREFUSED connect_to:ETIMEDOUT");
  }
  // In the midst of many that succeed at once, and fail.
  const Server listener(loopback);
  const Server local(at(directory / "local"));
  Alarms every;
  while (alarms < 20) {
    CHECK(outcomes(race({refusing.address, listener.address})) == "connect:ECONNREFUSED ok");
    CHECK(outcomes(race({local.address})) == "ok");
    accept_one(listener.socket.fd());
    accept_one(local.socket.fd());
  }
}

TEST_CASE("connect_to, connect_until: cancelled from another thread, in the middle") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Full tcp(local_host(2));
  const Full local(at(directory / "full"));
  const Refusing refusing;
  for (const Full *each : {&tcp, &local})
    for (const bool limited : {false, true}) {
      const Deadline until = limited ? Deadline(safe) : Deadline();
      {
        Canceller canceller;
        ConnectResult result;
        {
          std::optional<Alarms> every; // from when the second is tried
          auto before = [&](const Socket &, const SocketAddress &address) -> Result<void> {
            if (address == each->address)
              every.emplace(add_one, canceller.ready.fd());
            return {};
          };
          result = race({refusing.address, each->address}, {.deadline = until.cancelled_by(canceller.cancel.fd()),
                                                            .attempt_delay = endless,
                                                            .before_connect = before});
        }
        CHECK(text(result) == "connect_to:ECANCELED");
        CHECK(outcomes(result) == "connect:ECONNREFUSED connect_to:ECANCELED");
        CHECK(canceller.untouched());
      }
      for (const bool nonblocking : {false, true}) {
        Canceller canceller;
        const Socket socket = VALUE(Socket::socket(each->address.family(), SOCK_STREAM));
        VALUE(socket.set_nonblocking(nonblocking));
        Result<void> result;
        {
          Alarms every(add_one, canceller.ready.fd());
          result = connect_until(socket, each->address, until.cancelled_by(canceller.cancel.fd()));
        }
        CHECK_ERROR(result, ECANCELED, connect_until);
        CHECK(canceller.untouched());
        CHECK(VALUE(socket.nonblocking()) == nonblocking);
      }
    }
}

TEST_CASE("connect_to, connect_until: cancelled before, or by what is no descriptor") {
  NoLeak no_leak;
  const Server listener(loopback);
  const Socket cancelled(::eventfd(1, EFD_CLOEXEC));
  const Socket quiet(::eventfd(0, EFD_CLOEXEC));
  auto [ended, peer] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  VALUE(peer.close());
  int calls = 0;
  ConnectOptions options;
  options.resolver = [&](Host, Service, const AddressHints &) -> Result<List<SocketAddress>> {
    ++calls;
    return List<SocketAddress>();
  };
  constexpr int no_descriptor = 1'000'000'000;
  for (const auto &[fd, error] : {std::pair{cancelled.fd(), "ECANCELED"}, std::pair{ended.fd(), "ECANCELED"},
                                  std::pair{no_descriptor, "EBADF"}}) {
    const std::string expected = error;
    options.deadline = Deadline(safe).cancelled_by(fd);
    const ConnectResult result = checked([&] { return connect_to("host.test", 1, options); });
    CHECK(text(result) == "connect_to:" + expected);
    CHECK(result.attempts.empty());
    CHECK(calls == 0);
    const ConnectResult address =
        checked([&] { return connect_to(listener.address, {.deadline = Deadline().cancelled_by(fd)}); });
    CHECK(text(address) == "connect_to:" + expected);
    const Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
    const auto until = connect_until(socket, listener.address, Deadline().cancelled_by(fd));
    REQUIRE_FALSE(until.has_value());
    CHECK(text(until.error()) == "connect_until:" + expected);
    CHECK(last_error() == until.error());
    CHECK_ERROR(socket.getpeername(), ENOTCONN, getpeername);
  }
  // One that says nothing does not matter; nor does -1.
  for (const int fd : {quiet.fd(), -1}) {
    CHECK(text(race({listener.address}, {.deadline = Deadline().cancelled_by(fd)})) == "ok");
    const Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
    VALUE(connect_until(socket, listener.address, Deadline(safe).cancelled_by(fd)));
  }
}

TEST_CASE("connect_to: cancelled by what it calls itself: no other address is tried") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Server listener(at(directory / "listener"));
  const Socket cancel(::eventfd(0, EFD_CLOEXEC));
  const int fd = cancel.fd();
  const ConnectResult result = race({at(directory / "missing"), listener.address},
                                    {.deadline = Deadline().cancelled_by(fd),
                                     .before_connect = [fd](const Socket &, const SocketAddress &) -> Result<void> {
                                       add_one(fd);
                                       return {};
                                     }});
  CHECK(text(result) == "connect_to:ECANCELED");
  CHECK(outcomes(result) == "connect:ENOENT");
}

TEST_CASE("connect_to: two hundred at once, in as many threads") {
  NoLeak no_leak;
  constexpr std::size_t count = 200;
  const Server listener(loopback, 256);
  const Refusing refusing;
  const Addresses both = {refusing.address, listener.address};
  std::vector<std::string> results(count);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      ConnectOptions options = {.deadline = Seconds(120)};
      if (i % 2 == 0)
        options.resolver = finds(both);
      const ConnectResult result = connect_to("127.0.0.1", listener.address.port(), options);
      results[i] = outcomes(result);
      if (result && !result->send("x"))
        results[i] += " send";
    });
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Socket server = listener.accept();
    char room[2];
    bytes += VALUE(server.recv(room)).size;
  }
  for (std::thread &thread : threads)
    thread.join();
  CHECK(bytes == count);
  for (std::size_t i = 0; i < count; ++i)
    CHECK(results[i] == (i % 2 == 0 ? "connect:ECONNREFUSED ok" : "ok"));
}

TEST_CASE("connect_to, connect_until: descriptors beyond 1024") {
  NoLeak no_leak;
  Descriptors descriptors;
  if (!descriptors.take())
    SKIP("no more than 1024 descriptors are allowed");
  const Full silent(local_host(2));
  const Server listener(local_host(3));
  const Socket cancel(::eventfd(0, EFD_CLOEXEC));
  const Deadline until = Deadline(safe).cancelled_by(cancel.fd());
  const ConnectResult result = race({silent.address, listener.address}, {.deadline = until, .attempt_delay = quick});
  REQUIRE(text(result) == "ok");
  CHECK(result->fd() > 1024);
  check_talk(*result, listener);
  const Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  CHECK(socket.fd() > 1024);
  VALUE(connect_until(socket, listener.address, until));
  check_talk(socket, listener);
}

// --- connect_until
// ---------------------------------------------------------------------------------------------------

TEST_CASE("connect_until: leaves O_NONBLOCK as it found it, whatever comes of it") {
  NoLeak no_leak;
  const TemporaryDirectory directory;
  const Server listener(loopback);
  const Server local(at(directory / "local"));
  const Refusing refusing;
  const Full tcp(local_host(2));
  const Full full(at(directory / "full"));
  const Socket cancelled(::eventfd(1, EFD_CLOEXEC));
  struct Case {
    SocketAddress address;
    Deadline deadline;
    const char *error;
    int type = SOCK_STREAM;
  };
  const Case cases[] = {
      {listener.address, {}, "ok"},
      {listener.address, safe, "ok"},
      {local.address, {}, "ok"},
      {listener.address, safe, "ok", SOCK_DGRAM},
      {refusing.address, safe, "connect:ECONNREFUSED"},
      {refusing.address, {}, "connect:ECONNREFUSED"},
      {at(directory / "missing"), safe, "connect:ENOENT"},
      {local.address, safe, "connect:EPROTOTYPE", SOCK_SEQPACKET},
      {tcp.address, Milliseconds(40), "connect_until:ETIMEDOUT"},
      {tcp.address, Milliseconds(0), "connect_until:ETIMEDOUT"},
      {full.address, Milliseconds(40), "connect_until:ETIMEDOUT"},
      {listener.address, Milliseconds(-1), "connect_until:EINVAL"},
      {listener.address, Deadline(safe).cancelled_by(cancelled.fd()), "connect_until:ECANCELED"},
      {SocketAddress(), safe, "connect:EINVAL"},
  };
  for (const Case &each : cases)
    for (const bool nonblocking : {false, true}) {
      CAPTURE(std::string(each.error));
      CAPTURE(nonblocking);
      const int family = each.address.size() == 0 ? AF_INET : each.address.family();
      const Socket socket = VALUE(Socket::socket(family, each.type));
      VALUE(socket.set_nonblocking(nonblocking));
      const Error last = Error(EXFULL, Operation::accept4);
      detail::record(last);
      const auto result = connect_until(socket, each.address, each.deadline);
      CHECK(text(result ? Error() : result.error()) == each.error);
      CHECK(last_error() == (result ? last : result.error()));
      CHECK(VALUE(socket.nonblocking()) == nonblocking);
      CHECK(socket.getpeername().has_value() == result.has_value());
    }
}

TEST_CASE("connect_until: after the deadline the attempt goes on, and can be waited for again") {
  NoLeak no_leak;
  const Full full(local_host(2));
  const Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  CHECK_ERROR(connect_until(socket, full.address, Milliseconds(30)), ETIMEDOUT, connect_until);
  CHECK_ERROR(connect_until(socket, full.address, Milliseconds(30)), ETIMEDOUT, connect_until);
  full.admit();
  VALUE(connect_until(socket, full.address, safe));
  CHECK(VALUE(socket.getpeername()) == full.address);
  check_talk(socket, full);
  VALUE(connect_until(socket, full.address, safe)); // connect(2) says so once
  CHECK_ERROR(connect_until(socket, full.address, safe), EISCONN, connect);
}

TEST_CASE("connect_until: SO_SNDTIMEO does not end it, nor do signals") {
  // A connect(2) that blocks would say EINPROGRESS, or EINTR and then EALREADY.
  NoLeak no_leak;
  const Full full(local_host(2));
  const Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(socket.setsockopt(so::sndtimeo, Milliseconds(1)));
  Result<void> result;
  {
    Alarms every(accept_one, full.socket.fd());
    result = connect_until(socket, full.address, safe);
  }
  VALUE(std::move(result));
  check_talk(socket, full);

  const ConnectResult other = race({full.address}, {.before_connect = [](const Socket &each, const SocketAddress &) {
                                     return each.setsockopt(so::sndtimeo, Milliseconds(1));
                                   }});
  CHECK(text(other) == "ok");
}

TEST_CASE("connect_until: of no socket") { CHECK_ERROR(connect_until(Socket(), loopback, safe), EBADF, fcntl); }

TEST_SUITE_END();
