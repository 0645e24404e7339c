// SPDX-License-Identifier: MIT

#include "network.hpp"
#include "support.hpp"
#include "waiting.hpp"

#include <baresock/listen.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <iterator>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <optional>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <thread>
#include <type_traits>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace baresock;
using namespace std::chrono_literals;

namespace {

constexpr auto soon = 20s; // what has to come; only a test that fails waits so long

/// In a child process, whose status tells: which condition does not hold.
#define IN_CHILD(...)                                                                                                \
  do {                                                                                                               \
    if (!(__VA_ARGS__)) {                                                                                            \
      std::fprintf(stderr, "%s:%d: not so in the child: %s\n", __FILE__, __LINE__, #__VA_ARGS__);                    \
      return 1;                                                                                                      \
    }                                                                                                                \
  } while (false)

constexpr int not_here = 77; // of a child that cannot do what it should

bool skipped(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == not_here; }

Socket connected(const SocketAddress &to, int type = SOCK_STREAM) {
  Socket socket = VALUE(Socket::socket(to.family(), type));
  VALUE(socket.connect(to));
  return socket;
}

/// Does somebody answer there? Over AF_UNIX, a full queue does not.
bool answers(const SocketAddress &at, int type = SOCK_STREAM) {
  auto socket = Socket::socket(at.family(), type | (at.family() == AF_UNIX ? SOCK_NONBLOCK : 0));
  return socket && socket->connect(at);
}

bool is_listening(const Socket &socket) { return VALUE(socket.getsockopt(so::acceptconn)); }

UnixAddress path_at(const std::string &path) { return VALUE(UnixAddress::path(path)); }

/// A socket of that type at the path, which refuses connections unless it listens.
Socket bound_at(const std::string &path, int type, int backlog = -1) {
  Socket socket = VALUE(Socket::socket(AF_UNIX, type));
  VALUE(socket.bind(path_at(path)));
  if (backlog >= 0)
    VALUE(socket.listen(backlog));
  return socket;
}

struct stat status_of(const std::string &path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0)
    status = {};
  return status;
}
ino_t inode_of(const std::string &path) { return status_of(path).st_ino; }
bool exists(const std::string &path) { return inode_of(path) != 0; }
mode_t mode_of(const std::string &path) { return status_of(path).st_mode & 07777; }

/// The umask of this process, as long as it lives.
class Umask {
public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  Umask(const Umask &) = delete;
  Umask &operator=(const Umask &) = delete;
  ~Umask() { ::umask(before_); }

private:
  mode_t before_;
};

/// Blocks SIGALRM in this thread, so that others get it.
class NoAlarms {
public:
  NoAlarms() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGALRM);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  NoAlarms(const NoAlarms &) = delete;
  NoAlarms &operator=(const NoAlarms &) = delete;
  ~NoAlarms() { ::pthread_sigmask(SIG_UNBLOCK, &set_, nullptr); }

private:
  sigset_t set_ = {};
};

/// In this process and from now on, those calls are not made: they answer `code`, zero for success; without `code`,
/// `trap` runs in place of each. False if that is not permitted. `family`: only socket(2) of it.
const std::function<void()> *trap = nullptr;
bool intercept(std::initializer_list<long> calls, std::optional<int> code, int family = -1) {
  std::vector<sock_filter> filter = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  const std::uint32_t action =
      code ? SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(*code) : static_cast<std::uint32_t>(SECCOMP_RET_TRAP);
  for (long call : calls) {
    const bool one_family = family >= 0;
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0,
                              static_cast<std::uint8_t>(one_family ? 3 : 1)));
    if (one_family) {
      filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args))); // little-endian
      filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(family), 0, 1));
    }
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, action));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  if (!code) {
    if (std::getenv("WRAP") != nullptr) // valgrind does not take SIGSYS
      return false;
    struct sigaction action_of = {};
    action_of.sa_handler = [](int) { (*trap)(); };
    ::sigaction(SIGSYS, &action_of, nullptr);
  }
  sock_fprog program = {static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#ifdef SYS_unlink
constexpr std::initializer_list<long> unlink_calls = {SYS_unlink, SYS_unlinkat};
constexpr std::initializer_list<long> chmod_calls = {SYS_chmod, SYS_fchmodat};
#else
constexpr std::initializer_list<long> unlink_calls = {SYS_unlinkat};
constexpr std::initializer_list<long> chmod_calls = {SYS_fchmodat};
#endif
constexpr std::initializer_list<long> listen_calls = {SYS_listen};
constexpr std::initializer_list<long> getsockname_calls = {SYS_getsockname};

/// A type of AF_UNIX.
struct Kind {
  const char *name;
  int type;
};
constexpr Kind kinds[] = {{"stream", SOCK_STREAM}, {"seqpacket", SOCK_SEQPACKET}, {"dgram", SOCK_DGRAM}};

std::string abstract_name() {
  static int count = 0;
  return "@baresock-test-listen-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

void write_file(const std::string &path, const std::string &text) { std::ofstream(path) << text; }

} // namespace

TEST_SUITE_BEGIN("listen");

// --- where ---------------------------------------------------------------------------------------------

TEST_CASE("listen_on a port: one socket for IPv6 and IPv4") {
  if (!has_inet6())
    SKIP("no IPv6");
  NoLeak no_leak;
  clear_error();
  auto listener = listen_on(0);
  REQUIRE(listener);
  CHECK(listener.attempts.empty());
  CHECK(last_error() == Error());
  const std::uint16_t port = listener->address.port();
  CHECK(port != 0);
  CHECK(listener->address == SocketAddress(Inet6Address{in6addr_any, port}));
  CHECK(listener->address == VALUE(listener->socket.getsockname()));
  CHECK(is_listening(listener->socket));
  CHECK_FALSE(VALUE(listener->socket.nonblocking()));
  CHECK(VALUE(listener->socket.close_on_exec()));
  CHECK(listener->path.path() == "");
  for (const std::string host : {"127.0.0.1", "[::1]"}) {
    CAPTURE(host);
    Socket client = connected(at(host + ":" + std::to_string(port)));
    Accepted accepted = VALUE(accept_until(listener->socket, soon));
    const SocketAddress peer = VALUE(client.getsockname());
    const std::string expected =
        host == "[::1]" ? peer.text().c_str() : "[::ffff:127.0.0.1]:" + std::to_string(peer.port());
    CHECK(std::string(accepted.address.text().c_str()) == expected);
    CHECK(VALUE(accepted.socket.close_on_exec()));
    VALUE(client.send("x"));
    char byte = 0;
    CHECK(recv_exact(accepted.socket, {&byte, 1}, soon));
    CHECK(byte == 'x');
  }
  VALUE(listener->close());
  CHECK(listener->socket.fd() == -1);
}

TEST_CASE("listen_on a port: every address of IPv4 where there is no IPv6") {
  NoLeak no_leak;
  for (int code : {EAFNOSUPPORT, EADDRNOTAVAIL}) {
    auto no_inet6 = [&](const Socket &, const SocketAddress &address) -> Result<void> {
      return address.family() == AF_INET6 ? Result<void>(std::unexpected(Error(code, Operation::socket)))
                                          : Result<void>();
    };
    if (!has_inet6() && code == EADDRNOTAVAIL)
      continue;
    clear_error();
    auto listener = listen_on(0, {.before_bind = no_inet6});
    REQUIRE(listener);
    CHECK(last_error() == Error()); // it succeeded
    CHECK(listener->address == SocketAddress(Inet4Address{INADDR_ANY, listener->address.port()}));
    CHECK(answers(Inet4Address{INADDR_LOOPBACK, listener->address.port()}));
    REQUIRE(listener.attempts.size() == 1);
    CHECK(listener.attempts[0].address == SocketAddress(Inet6Address{in6addr_any}));
    if (has_inet6())
      CHECK(listener.attempts[0].error == Error(code, Operation::socket));
  }
  // What the system says, and not a function of ours.
  int status = in_child([] {
    if (!intercept({SYS_socket}, EAFNOSUPPORT, AF_INET6))
      return not_here;
    auto listener = listen_on(0);
    IN_CHILD(listener);
    IN_CHILD(listener->address.family() == AF_INET);
    IN_CHILD(listener.attempts.size() == 1);
    IN_CHILD(listener.attempts[0].error == Error(EAFNOSUPPORT, Operation::socket));
    auto by_service = listen_on(nullptr, 0);
    IN_CHILD(by_service);
    IN_CHILD(by_service->address.family() == AF_INET);
    auto only = listen_on(0, {.family = AF_INET6});
    IN_CHILD(!only);
    IN_CHILD(only.error() == Error(EAFNOSUPPORT, Operation::socket));
    auto not_both = listen_on(0, {.ipv6_only = true}); // for which IPv4 is no answer
    IN_CHILD(!not_both && not_both.attempts.size() == 1);
    IN_CHILD(not_both.error() == Error(EAFNOSUPPORT, Operation::socket));
    IN_CHILD(only.attempts.size() == 1);
    return 0;
  });
  if (skipped(status))
    SKIP("no seccomp(2) filter");
  CHECK(status == 0);
}

TEST_CASE("listen_on a port: another failure of IPv6's is not hidden behind IPv4") {
  if (!has_inet6())
    SKIP("no IPv6");
  NoLeak no_leak;
  auto first = listen_on(0, {.ipv6_only = true});
  REQUIRE(first);
  auto second = listen_on(first->address.port()); // IPv4's port would be free
  CHECK_ERROR(second, EADDRINUSE, bind);
  REQUIRE(second.attempts.size() == 1);
  CHECK(second.attempts[0].address == SocketAddress(Inet6Address{in6addr_any, first->address.port()}));
  CHECK(second.attempts[0].error == second.error());
}

TEST_CASE("listen_on: IPv6 alone or with IPv4, whatever net.ipv6.bindv6only says") {
  if (!has_inet6())
    SKIP("no IPv6");
  NoLeak no_leak;
  struct Pair {
    const char *first;
    const char *second;
    bool both;
  };
  constexpr Pair pairs[] = {
      {"dual", "dual", false}, {"dual", "only", false}, {"dual", "IPv4", false},
      {"only", "dual", false}, {"only", "only", false}, {"only", "IPv4", true},
      {"IPv4", "dual", false}, {"IPv4", "only", true},  {"IPv4", "IPv4", false},
  };
  auto listen = [](std::string_view kind, int port) {
    return listen_on(port, {.family = kind == "IPv4" ? AF_INET : AF_INET6, .ipv6_only = kind == "only"});
  };
  const bool permitted = in_own_network([&] {
    for (const char *sysctl : {"0", "1"}) {
      CAPTURE(std::string(sysctl));
      write_file("/proc/sys/net/ipv6/bindv6only", sysctl);
      std::string set;
      std::ifstream("/proc/sys/net/ipv6/bindv6only") >> set;
      REQUIRE(set == sysctl);
      for (const Pair &pair : pairs) {
        const std::string what = std::string(pair.first) + ", " + pair.second;
        CAPTURE(what);
        auto first = listen(pair.first, 0);
        REQUIRE(first);
        const std::uint16_t port = first->address.port();
        if (first->address.family() == AF_INET6)
          CHECK(VALUE(first->socket.getsockopt(ipv6::v6only)) == (std::string_view(pair.first) == "only"));
        CHECK(answers(Inet4Address{INADDR_LOOPBACK, port}) == (std::string_view(pair.first) != "only"));
        CHECK(answers(Inet6Address{in6addr_loopback, port}) == (std::string_view(pair.first) != "IPv4"));
        auto second = listen(pair.second, port);
        CHECK(second.has_value() == pair.both);
        if (!second)
          CHECK_ERROR(second, EADDRINUSE, bind);
      }
      auto by_default = listen_on(0);
      REQUIRE(by_default);
      CHECK_FALSE(VALUE(by_default->socket.getsockopt(ipv6::v6only)));
      CHECK(answers(Inet4Address{INADDR_LOOPBACK, by_default->address.port()}));
    }
  });
  if (!permitted)
    SKIP("no network of one's own");
}

TEST_CASE("listen_on: a family") {
  NoLeak no_leak;
  auto inet = listen_on(0, {.family = AF_INET});
  REQUIRE(inet);
  CHECK(inet->address == SocketAddress(Inet4Address{INADDR_ANY, inet->address.port()}));
  CHECK(inet.attempts.empty());
  for (auto &&refused : {listen_on(at("127.0.0.1:0"), {.family = AF_INET6}), listen_on(0, {.family = AF_UNIX}),
                         listen_on("/nowhere/x", {.family = AF_INET})}) {
    CHECK_FALSE(refused);
    CHECK(refused.error() == Error(EAFNOSUPPORT, Operation::listen_on));
    CHECK(refused.attempts.empty());
  }
  CHECK(last_error() == Error(EAFNOSUPPORT, Operation::listen_on));
  auto by_host = listen_on("127.0.0.1", 0, {.family = AF_INET});
  REQUIRE(by_host);
  CHECK(by_host->address.family() == AF_INET);
  auto none = listen_on("127.0.0.1", 0, {.family = AF_INET6});
  REQUIRE_FALSE(none);
  CHECK(none.error().domain() == ErrorDomain::getaddrinfo);
  CHECK(none.error().operation() == Operation::getaddrinfo);
  CHECK(last_error() == none.error());
  if (!has_inet6())
    SKIP("no IPv6");
  auto inet6 = listen_on(0, {.family = AF_INET6});
  REQUIRE(inet6);
  CHECK(inet6->address.family() == AF_INET6);
}

TEST_CASE("listen_on: a port above 65535 does not wrap, nor does one below 0") {
  NoLeak no_leak;
  for (int port : {-1, 65536, 65536 + 80, 70000, INT_MAX, INT_MIN}) {
    CAPTURE(port);
    auto listener = listen_on(port);
    CHECK_ERROR(listener, ERANGE, listen_on);
    CHECK(listener.attempts.empty());
    auto by_host = listen_on("127.0.0.1", port);
    CHECK_ERROR(by_host, ERANGE, getaddrinfo);
    auto by_service = listen_on(nullptr, port);
    CHECK_ERROR(by_service, ERANGE, getaddrinfo);
  }
  for (const char *service : {"70000", "65536", "4294967376"}) {
    CAPTURE(std::string(service));
    CHECK_ERROR(listen_on("127.0.0.1", service), ERANGE, getaddrinfo);
    CHECK_ERROR(listen_on(nullptr, service), ERANGE, getaddrinfo);
  }
  for (const char *service : {"-1", "+80", " 80", "080", ""}) {
    CAPTURE(std::string(service));
    CHECK_ERROR(listen_on("127.0.0.1", service), EINVAL, getaddrinfo);
  }
  const bool permitted = in_own_network([&] {
    for (int port : {1, 65535}) {
      auto listener = listen_on(port, {.family = AF_INET});
      REQUIRE(listener);
      CHECK(listener->address.port() == port);
      CHECK(answers(Inet4Address{INADDR_LOOPBACK, static_cast<std::uint16_t>(port)}));
    }
  });
  if (!permitted)
    SKIP("65535: no network of one's own");
  CHECK_ERROR(listen_on(4294967376L), ERANGE, listen_on); // whose lower 32 bits are 80
  CHECK_ERROR(listen_on(~0ULL), ERANGE, listen_on);
  CHECK_ERROR(listen_on(short{-1}), ERANGE, listen_on);
}

TEST_CASE("listen_on a host and a service") {
  NoLeak no_leak;
  auto number = listen_on("127.0.0.1", 0);
  REQUIRE(number);
  CHECK(number->address == SocketAddress(Inet4Address{INADDR_LOOPBACK, number->address.port()}));
  auto text = listen_on(std::string("127.0.0.1"), std::string_view("0"));
  REQUIRE(text);
  CHECK(answers(text->address));
  auto none = listen_on(nullptr, 0);
  REQUIRE(none);
  CHECK(none->address.family() == (has_inet6() ? AF_INET6 : AF_INET));
  CHECK(answers(Inet4Address{INADDR_LOOPBACK, none->address.port()}));
  auto neither = listen_on(nullptr, nullptr);
  REQUIRE_FALSE(neither);
  CHECK(std::string(neither.error().name()) == "EAI_NONAME");
  auto service = listen_on("127.0.0.1", "no such service");
  REQUIRE_FALSE(service);
  CHECK(std::string(service.error().name()) == "EAI_SERVICE");
  CHECK(service.attempts.empty());
  CHECK(last_error() == service.error());
  CHECK_ERROR(listen_on(std::string_view("127.0.0.1\0.example", 18), 0), EINVAL, getaddrinfo);
  auto only_numbers = listen_on("localhost", 0, {.flags = AI_NUMERICHOST});
  REQUIRE_FALSE(only_numbers);
  CHECK(std::string(only_numbers.error().name()) == "EAI_NONAME");
  if (has_inet6()) {
    auto brackets = listen_on("[::1]", 0);
    REQUIRE(brackets);
    CHECK(brackets->address == SocketAddress(Inet6Address{in6addr_loopback, brackets->address.port()}));
  }
  if (!getservbyname("http", "tcp"))
    SKIP("a service's name: no services(5)");
  const bool permitted = in_own_network([] {
    for (bool host : {true, false}) {
      auto listener = listen_on(host ? Host("127.0.0.1") : Host(nullptr), "http");
      REQUIRE(listener);
      CHECK(listener->address.port() == 80);
    }
  });
  if (!permitted)
    SKIP("a service's name: no network of one's own");
}

TEST_CASE("listen_on: each address of a host until one can be bound, and every error") {
  NoLeak no_leak;
  // The first unusable, by a function of ours.
  if (has_inet6()) {
    std::vector<SocketAddress> seen;
    auto refuse = [&](const Socket &, const SocketAddress &address) -> Result<void> {
      seen.push_back(address);
      return std::unexpected(Error(EAFNOSUPPORT, Operation::bind));
    };
    auto all = listen_on(0, {.before_bind = refuse});
    CHECK_ERROR(all, EAFNOSUPPORT, bind);
    REQUIRE(all.attempts.size() == 2);
    CHECK(all.attempts[0].address == SocketAddress(Inet6Address{in6addr_any}));
    CHECK(all.attempts[1].address == SocketAddress(Inet4Address{}));
    CHECK(seen == std::vector<SocketAddress>{all.attempts[0].address, all.attempts[1].address});
  }

  // Of a name in a hosts(5) of our own.
  TemporaryDirectory directory;
  const std::string hosts = directory / "hosts";
  const std::string nsswitch = directory / "nsswitch.conf";
  write_file(hosts, "2001:db8::9 some.test\n10.0.0.1 some.test\n2001:db8::9 none.test\n10.0.0.9 none.test\n");
  write_file(nsswitch, "hosts: files\n");
  int status = in_child([&] {
    if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0 ||
        ::mount("none", "/", "none", MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(hosts.c_str(), "/etc/hosts", "none", MS_BIND, nullptr) != 0 ||
        ::mount(nsswitch.c_str(), "/etc/nsswitch.conf", "none", MS_BIND, nullptr) != 0 ||
        std::system(
            "(ip link set lo up && ip link add one type veth peer name two && ip addr add 10.0.0.1/24 dev one &&"
            " ip addr add 2001:db8::1/64 dev one nodad && ip link set one up && ip link set two up) 2>/dev/null") !=
            0)
      return not_here;
    const std::size_t open_before = open_descriptors();
    for (const char *host : {"some.test", "none.test"}) {
      auto found = getaddrinfo(host, 0, {.type = SOCK_STREAM});
      IN_CHILD(found && found->size() == 2);
      auto listener = listen_on(host, 7000);
      std::size_t failed = 0;
      for (const AddressInfo &info : *found) {
        const SocketAddress address = info.address.with_port(7000);
        if (address == SocketAddress(Inet4Address{0x0a000001, 7000}))
          break;
        IN_CHILD(failed < listener.attempts.size());
        IN_CHILD(listener.attempts[failed].address == address);
        IN_CHILD(listener.attempts[failed].error == Error(EADDRNOTAVAIL, Operation::bind));
        ++failed;
      }
      IN_CHILD(failed > 0); // IPv6 comes first
      IN_CHILD(listener.attempts.size() == failed);
      if (host == std::string_view("some.test")) {
        IN_CHILD(listener);
        IN_CHILD(listener->address == SocketAddress(Inet4Address{0x0a000001, 7000}));
        IN_CHILD(answers(listener->address));
        IN_CHILD(open_descriptors() == open_before + 1);
      } else {
        IN_CHILD(!listener);
        IN_CHILD(failed == 2);
        IN_CHILD(listener.error() == Error(EADDRNOTAVAIL, Operation::bind));
        IN_CHILD(last_error() == listener.error());
        IN_CHILD(open_descriptors() == open_before);
      }
    }
    return 0;
  });
  if (skipped(status))
    SKIP("a name with several addresses: no namespaces of one's own");
  CHECK(status == 0);
}

TEST_CASE("listen_on the text of an address") {
  NoLeak no_leak;
  auto inet = listen_on("127.0.0.1:0");
  REQUIRE(inet);
  CHECK(answers(inet->address));
  const std::string name = abstract_name();
  auto abstract = listen_on(name);
  REQUIRE(abstract);
  CHECK(std::string(abstract->address.text().c_str()) == name);
  CHECK(abstract->path.path() == "");
  CHECK(answers(at(name)));
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  auto local = listen_on(std::string_view(path), {.backlog = 5});
  REQUIRE(local);
  CHECK(local->path.path() == path);
  CHECK(std::string(local->address.text().c_str()) == path);
  CHECK(answers(at(path)));
  for (const char *text : {"", "127.0.0.01:80", "localhost:80", "127.0.0.1:65536", "[::1:80"}) {
    CAPTURE(std::string(text));
    auto refused = listen_on(text);
    CHECK_ERROR(refused, EINVAL, parse);
    CHECK(refused.attempts.empty());
  }
  if (!has_inet6())
    SKIP("no IPv6");
  auto inet6 = listen_on("[::1]:0");
  REQUIRE(inet6);
  CHECK(answers(inet6->address));
}

TEST_CASE("listen_on: AF_UNIX by path, by name, or with a name of the kernel's choice; of every type") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  for (const Kind &kind : kinds) {
    CAPTURE(std::string(kind.name));
    const std::string path = directory / kind.name;
    for (const SocketAddress &address :
         {SocketAddress(path_at(path)), at(abstract_name()), SocketAddress(UnixAddress::autobind())}) {
      CAPTURE(address);
      auto listener = listen_on(address, {.type = kind.type});
      REQUIRE(listener);
      CHECK(is_listening(listener->socket) == (kind.type != SOCK_DGRAM)); // SOCK_DGRAM is bound only
      CHECK(listener->address == VALUE(listener->socket.getsockname()));
      CHECK(listener->address.get<UnixAddress>()->kind() != UnixAddress::Kind::unnamed);
      Socket client = connected(listener->address, kind.type);
      VALUE(client.send("x"));
      Accepted accepted;
      if (kind.type != SOCK_DGRAM)
        accepted = VALUE(accept_until(listener->socket, soon));
      char byte = 0;
      const Socket &reader = kind.type == SOCK_DGRAM ? listener->socket : accepted.socket;
      wait(reader, POLLIN);
      CHECK(VALUE(reader.recv({&byte, 1})).size == 1);
      CHECK(byte == 'x');
      CHECK(listener->path.path() == (exists(path) ? path : std::string()));
    }
    CHECK_FALSE(exists(path));
  }
}

TEST_CASE("listen_on: AF_VSOCK") {
  if (!Socket::socket(AF_VSOCK, SOCK_STREAM))
    SKIP("no AF_VSOCK");
  NoLeak no_leak;
  auto listener = listen_on(SocketAddress(VsockAddress{}));
  REQUIRE(listener);
  CHECK(is_listening(listener->socket));
  CHECK(listener->address.get<VsockAddress>()->port != VsockAddress{}.port);
  CHECK(listener->path.path() == "");
}

// --- options -------------------------------------------------------------------------------------------

TEST_CASE("listen_on: reuse_address, but of AF_UNIX") {
  NoLeak no_leak;
  for (bool on : {true, false}) {
    auto listener = listen_on("127.0.0.1:0", {.reuse_address = on});
    REQUIRE(listener);
    CHECK(VALUE(listener->socket.getsockopt(so::reuseaddr)) == on);
    // Its port, once its connections were closed from here, is free at once, or not.
    Socket client = connected(listener->address);
    VALUE(accept_until(listener->socket, soon)).socket = Socket(); // this end first: TIME_WAIT
    wait(client, POLLIN);
    VALUE(client.close());
    const SocketAddress address = listener->address;
    VALUE(listener->close());
    auto again = listen_on(address, {.reuse_address = on});
    CHECK(again.has_value() == on);
    if (!on)
      CHECK_ERROR(again, EADDRINUSE, bind);
  }
  auto local = listen_on(abstract_name(), {.reuse_address = true});
  REQUIRE(local);
  CHECK_FALSE(VALUE(local->socket.getsockopt(so::reuseaddr)));
}

TEST_CASE("listen_on: reuse_port, several listeners on one port; an error of AF_UNIX, not silence") {
  NoLeak no_leak;
  auto first = listen_on("127.0.0.1:0", {.reuse_port = true});
  REQUIRE(first);
  CHECK(VALUE(first->socket.getsockopt(so::reuseport)));
  auto second = listen_on(first->address, {.reuse_port = true});
  REQUIRE(second);
  CHECK(second->address == first->address);
  CHECK_ERROR(listen_on(first->address), EADDRINUSE, bind);
  auto without = listen_on("127.0.0.1:0");
  REQUIRE(without);
  CHECK_FALSE(VALUE(without->socket.getsockopt(so::reuseport)));
  CHECK_ERROR(listen_on(without->address, {.reuse_port = true}), EADDRINUSE, bind);

  Socket local = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM));
  if (local.setsockopt(so::reuseport, true))
    SKIP("AF_UNIX: this kernel takes SO_REUSEPORT, and does nothing");
  auto refused = listen_on(abstract_name(), {.reuse_port = true});
  CHECK_ERROR(refused, EOPNOTSUPP, setsockopt);
  CHECK(refused.attempts.size() == 1);
}

TEST_CASE("listen_on: the backlog is the length of the queue") {
  NoLeak no_leak;
  for (int backlog : {0, 1, 3}) {
    CAPTURE(backlog);
    auto listener = listen_on(abstract_name(), {.backlog = backlog});
    REQUIRE(listener);
    std::vector<Socket> waiting;
    for (;;) {
      Socket client = VALUE(Socket::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK));
      auto made = client.connect(listener->address);
      if (!made) {
        CHECK(made.error().would_block());
        break;
      }
      waiting.push_back(std::move(client));
      REQUIRE(waiting.size() < 10);
    }
    CHECK(waiting.size() == static_cast<std::size_t>(backlog) + 1);
    auto tcp_listener = listen_on("127.0.0.1:0", {.backlog = backlog});
    REQUIRE(tcp_listener);
    CHECK(VALUE(tcp_listener->socket.getsockopt(tcp::info))->tcpi_sacked == static_cast<unsigned>(backlog));
  }
  auto by_default = listen_on("127.0.0.1:0");
  REQUIRE(by_default);
  CHECK(VALUE(by_default->socket.getsockopt(tcp::info))->tcpi_sacked == 128);
}

TEST_CASE("listen_on: an interface") {
  NoLeak no_leak;
  CHECK_ERROR(listen_on("127.0.0.1:0", {.interface = "no-such"}), ENODEV, setsockopt);
  CHECK_ERROR(listen_on("127.0.0.1:0", {.interface = "longer than 15 bytes"}), ENAMETOOLONG, setsockopt);
  auto without = listen_on("127.0.0.1:0");
  REQUIRE(without);
  CHECK(VALUE(without->socket.getsockopt(so::bindtodevice)) == "");
  auto listener = listen_on("127.0.0.1:0", {.interface = "lo"});
  if (!listener && listener.error().is(EPERM))
    SKIP("SO_BINDTODEVICE is not permitted");
  REQUIRE(listener);
  CHECK(VALUE(listener->socket.getsockopt(so::bindtodevice)) == "lo");
  CHECK(answers(listener->address));
}

TEST_CASE("listen_on: fast_open takes data with the request to connect") {
  NoLeak no_leak;
  auto without = listen_on("127.0.0.1:0");
  REQUIRE(without);
  CHECK(VALUE(without->socket.getsockopt(tcp::fastopen)) == 0);
  auto with = listen_on("127.0.0.1:0", {.fast_open = 7});
  REQUIRE(with);
  CHECK(VALUE(with->socket.getsockopt(tcp::fastopen)) == 7);
  auto negative = listen_on("127.0.0.1:0", {.fast_open = -1});
  CHECK_ERROR(negative, EINVAL, setsockopt);
  CHECK_FALSE(listen_on(abstract_name(), {.fast_open = 7}));

  bool can = false;
  const bool permitted = in_own_network([&] {
    write_file("/proc/sys/net/ipv4/tcp_fastopen", "3");
    std::string set;
    std::ifstream("/proc/sys/net/ipv4/tcp_fastopen") >> set;
    can = set == "3";
    for (bool on : {true, false}) {
      CAPTURE(on);
      auto listener = listen_on("127.0.0.1:0", {.fast_open = on ? 5 : 0});
      REQUIRE(listener);
      for (bool has_cookie : {false, true}) { // the first connection asks for a cookie
        Socket client = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
        CHECK(VALUE(client.sendto("hello", listener->address, MSG_FASTOPEN)) == 5);
        Accepted accepted = VALUE(accept_until(listener->socket, soon));
        char data[5];
        CHECK(recv_exact(accepted.socket, data, soon));
        CHECK(std::string_view(data, 5) == "hello");
        const bool in_syn = (VALUE(client.getsockopt(tcp::info))->tcpi_options & TCPI_OPT_SYN_DATA) != 0;
        CHECK(in_syn == (can && on && has_cookie));
      }
    }
  });
  if (!permitted || !can)
    SKIP("end to end: no network of one's own with tcp_fastopen");
}

TEST_CASE("listen_on: defer_accept keeps a connection back until there is data") {
  NoLeak no_leak;
  auto without = listen_on("127.0.0.1:0");
  REQUIRE(without);
  CHECK(VALUE(without->socket.getsockopt(tcp::defer_accept)).count() == 0);
  auto listener = listen_on("127.0.0.1:0", {.defer_accept = 30s});
  REQUIRE(listener);
  CHECK(VALUE(listener->socket.getsockopt(tcp::defer_accept)).count() >= 30); // rounded to what it can
  Socket client = connected(listener->address);
  CHECK_ERROR(accept_until(listener->socket, 50ms), ETIMEDOUT, accept_until);
  VALUE(client.send("x"));
  Accepted accepted = VALUE(accept_until(listener->socket, soon));
  CHECK(VALUE(accepted.socket.recv(10, MSG_DONTWAIT)).text() == "x");
  CHECK_FALSE(listen_on("127.0.0.1:0", {.defer_accept = -1s}));
}

TEST_CASE("listen_on: before_bind runs before bind(2), with each address; its error is the address's") {
  NoLeak no_leak;
  std::vector<SocketAddress> seen;
  bool was_bound = true;
  auto prepare = [&](const Socket &socket, const SocketAddress &address) -> Result<void> {
    seen.push_back(address);
    was_bound = VALUE(socket.getsockname()).port() != 0;
    CHECK(VALUE(socket.getsockopt(so::reuseaddr))); // what is asked for is set already
    return socket.setsockopt(so::rcvlowat, 7);
  };
  auto listener = listen_on(loopback, {.before_bind = prepare});
  REQUIRE(listener);
  CHECK((seen == std::vector<SocketAddress>{loopback}));
  CHECK_FALSE(was_bound);
  CHECK(VALUE(listener->socket.getsockopt(so::rcvlowat)) == 7);

  TemporaryDirectory directory;
  const std::string path = directory / "x";
  auto refuse = [](const Socket &socket, const SocketAddress &) -> Result<void> {
    return socket.setsockopt(tcp::nodelay, true); // not of AF_UNIX
  };
  auto refused = listen_on(path, {.before_bind = refuse});
  CHECK_ERROR(refused, EOPNOTSUPP, setsockopt);
  REQUIRE(refused.attempts.size() == 1);
  CHECK(refused.attempts[0].error == refused.error());
  CHECK(refused.attempts[0].address == at(path));
  CHECK_FALSE(exists(path));
}

TEST_CASE("listen_on: a type, a protocol") {
  NoLeak no_leak;
  auto nonblocking = listen_on("127.0.0.1:0", {.type = SOCK_STREAM | SOCK_NONBLOCK});
  REQUIRE(nonblocking);
  CHECK(VALUE(nonblocking->socket.nonblocking()));
  CHECK(is_listening(nonblocking->socket));
  for (int flags : {0, static_cast<int>(SOCK_NONBLOCK), static_cast<int>(SOCK_NONBLOCK | SOCK_CLOEXEC)}) {
    auto datagrams = listen_on("127.0.0.1", 0, {.type = SOCK_DGRAM | flags});
    REQUIRE(datagrams);
    CHECK(VALUE(datagrams->socket.getsockopt(so::type)) == SOCK_DGRAM);
    CHECK_FALSE(is_listening(datagrams->socket));
    Socket client = connected(datagrams->address, SOCK_DGRAM);
    VALUE(client.send("x"));
    wait(datagrams->socket, POLLIN);
    CHECK(VALUE(datagrams->socket.recv()).text() == "x");
  }
  CHECK_ERROR(listen_on("127.0.0.1:0", {.protocol = IPPROTO_UDP}), EPROTONOSUPPORT, socket);
  constexpr int mptcp = 262;
  if (!Socket::socket(AF_INET, SOCK_STREAM, mptcp))
    SKIP("a protocol: no MPTCP");
  auto multipath = listen_on("127.0.0.1:0", {.protocol = mptcp});
  REQUIRE(multipath);
  CHECK(VALUE(multipath->socket.getsockopt(so::protocol)) == mptcp);
  CHECK(answers(multipath->address));
}

TEST_CASE("listen_on: the mode of a path, whatever the umask; never more than that in between") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  for (mode_t mask : {0U, 002U, 022U, 077U, 0777U}) {
    CAPTURE(mask);
    Umask umask(mask);
    for (int mode : {0600, 0660, 0666, 0777, 0}) {
      CAPTURE(mode);
      for (const Kind &kind : kinds) {
        auto listener = listen_on(path, {.type = kind.type, .mode = mode});
        REQUIRE(listener);
        CHECK(mode_of(path) == static_cast<mode_t>(mode));
      }
    }
    auto by_umask = listen_on(path);
    REQUIRE(by_umask);
    CHECK(mode_of(path) == (0777 & ~mask));
  }
  if (::geteuid() != 0) { // who may not write may not connect
    auto listener = listen_on(path, {.mode = 0400});
    REQUIRE(listener);
    CHECK_FALSE(answers(at(path)));
  }

  // What bind(2) made, as chmod(2) finds it.
  int status = in_child([&] {
    mode_t found = 0;
    int calls = 0;
    bool listening = true;
    int fd = -1;
    const std::function<void()> look = [&] {
      ++calls;
      found = mode_of(path);
      int value = 0;
      socklen_t size = sizeof value;
      listening = ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) != 0 || value != 0;
    };
    trap = &look;
    auto get_fd = [&](const Socket &socket, const SocketAddress &) -> Result<void> {
      fd = socket.fd();
      return {};
    };
    if (!intercept(chmod_calls, std::nullopt))
      return not_here;
    for (mode_t mask : {0U, 022U, 0777U})
      for (int mode : {0600, 0660, 0666, 0}) {
        Umask umask(mask);
        calls = 0;
        auto listener = listen_on(path, {.mode = mode, .before_bind = get_fd});
        IN_CHILD(listener);
        IN_CHILD(calls <= 1);
        IN_CHILD(calls == 0 || (found & ~static_cast<mode_t>(mode)) == 0);
        IN_CHILD(calls == 0 || !listening); // nobody can connect before
        IN_CHILD((mode_of(path) & ~static_cast<mode_t>(mode)) == 0);
      }
    return 0;
  });
  if (skipped(status))
    SKIP("in between: no seccomp(2) filter");
  CHECK(status == 0);
}

TEST_CASE("listen_on: a mode that is none, or not of a path") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  for (int mode : {01000, 01777, 04755, 010600, -2, INT_MIN, INT_MAX}) {
    CAPTURE(mode);
    auto refused = listen_on(path, {.mode = mode});
    CHECK_ERROR(refused, EINVAL, listen_on);
    CHECK(refused.attempts.size() == 1);
    CHECK_FALSE(exists(path));
  }
  CHECK_ERROR(listen_on(abstract_name(), {.mode = 0600}), EINVAL, listen_on);
  CHECK_ERROR(listen_on("127.0.0.1:0", {.mode = 0600}), EINVAL, listen_on);
  CHECK_ERROR(listen_on(UnixAddress::autobind(), {.mode = 0600}), EINVAL, listen_on);
}

TEST_CASE("listen_on: what fails after bind(2) leaves neither path nor descriptor") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  for (bool replace : {false, true})
    for (bool unlink : {false, true}) {
      CHECK_ERROR(listen_on(path, {.type = SOCK_RAW, .replace_stale = replace, .unlink = unlink}), EOPNOTSUPP,
                  listen); // bound as SOCK_DGRAM is
      CHECK_FALSE(exists(path));
    }
  struct Call {
    std::initializer_list<long> numbers;
    Operation operation;
  };
  for (const Call &call : {Call{chmod_calls, Operation::chmod}, Call{listen_calls, Operation::listen},
                           Call{getsockname_calls, Operation::getsockname}}) {
    int status = in_child([&] {
      if (!intercept(call.numbers, EIO))
        return not_here;
      const std::size_t open_before = open_descriptors();
      auto refused = listen_on(path, {.mode = 0600, .unlink = false});
      IN_CHILD(!refused);
      IN_CHILD(refused.error() == Error(EIO, call.operation));
      IN_CHILD(refused.attempts.size() == 1);
      IN_CHILD(last_error() == refused.error());
      IN_CHILD(!exists(path));
      IN_CHILD(open_descriptors() == open_before);
      return 0;
    });
    if (skipped(status))
      SKIP("chmod(2), listen(2), getsockname(2): no seccomp(2) filter");
    CHECK(status == 0);
  }
}

// --- stale paths ---------------------------------------------------------------------------------------

TEST_CASE("listen_on: a path that nobody holds any more is replaced, if asked for") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  for (const Kind &dead : kinds)
    for (const Kind &now : kinds) {
      const std::string what = std::string(dead.name) + ", now " + now.name;
      CAPTURE(what);
      const std::string path = directory / what;
      (void)bound_at(path, dead.type, dead.type == SOCK_DGRAM ? -1 : 5);
      const ino_t before = inode_of(path);
      REQUIRE(before != 0);
      auto refused = listen_on(path, {.type = now.type});
      CHECK_ERROR(refused, EADDRINUSE, bind);
      CHECK(inode_of(path) == before);
      clear_error();
      auto listener = listen_on(path, {.type = now.type, .replace_stale = true});
      REQUIRE(listener);
      CHECK(last_error() == Error());
      CHECK(answers(at(path), now.type));
      VALUE(listener->close());
      CHECK_FALSE(exists(path));
    }
  // Nothing is there: as without.
  auto listener = listen_on(directory / "new", {.mode = 0600, .replace_stale = true});
  REQUIRE(listener);
  CHECK(mode_of(directory / "new") == 0600);
  CHECK(answers(listener->address));
}

TEST_CASE("listen_on: a path on which somebody answers is never replaced") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  for (const Kind &live : kinds)
    for (bool full : {false, true}) {
      if (full && live.type == SOCK_DGRAM)
        continue;
      const std::string path = directory / (std::string(live.name) + (full ? " full" : ""));
      Socket holder = bound_at(path, live.type, live.type == SOCK_DGRAM ? -1 : full ? 0 : 100);
      std::vector<Socket> queued;
      if (full)
        for (;;) {
          Socket client = VALUE(Socket::socket(AF_UNIX, live.type | SOCK_NONBLOCK));
          if (!client.connect(path_at(path)))
            break;
          queued.push_back(std::move(client));
          REQUIRE(queued.size() < 10);
        }
      const ino_t before = inode_of(path);
      for (const Kind &now : kinds) {
        const std::string what = std::string(live.name) + (full ? " with a full queue, now " : ", now ") + now.name;
        CAPTURE(what);
        CHECK_ERROR(listen_on(path, {.type = now.type, .replace_stale = true}), EADDRINUSE, bind);
        CHECK(inode_of(path) == before);
      }
      if (full)
        VALUE(accept_until(holder, soon));
      CHECK(answers(at(path), live.type));
    }

  // A datagram socket that talks only to its peer refuses in another way.
  const std::string path = directory / "connected";
  Socket other = bound_at(directory / "other", SOCK_DGRAM);
  Socket holder = bound_at(path, SOCK_DGRAM);
  VALUE(holder.connect(path_at(directory / "other")));
  const ino_t before = inode_of(path);
  CHECK_ERROR(listen_on(path, {.type = SOCK_DGRAM, .replace_stale = true}), EADDRINUSE, bind);
  CHECK(inode_of(path) == before);
}

TEST_CASE("listen_on: what is no socket is never removed from a path") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string file = directory / "file";
  write_file(file, "content");
  const std::string folder = directory / "folder";
  REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
  const std::string fifo = directory / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const std::string dead = directory / "dead";
  (void)bound_at(dead, SOCK_STREAM);
  const std::string live = directory / "live";
  Socket holder = bound_at(live, SOCK_STREAM, 5);
  std::vector<std::string> paths = {file, folder, fifo};
  for (const std::string &target : {file, dead, live, std::string("nowhere")}) {
    paths.push_back(directory / ("link" + std::to_string(paths.size())));
    REQUIRE(::symlink(target.c_str(), paths.back().c_str()) == 0);
  }
  for (const std::string &path : paths) {
    CAPTURE(path);
    const struct stat before = status_of(path);
    CHECK_ERROR(listen_on(path, {.replace_stale = true}), EADDRINUSE, bind);
    CHECK(status_of(path).st_ino == before.st_ino);
    CHECK(status_of(path).st_mode == before.st_mode);
  }
  CHECK(exists(dead));
  std::string content;
  std::ifstream(file) >> content;
  CHECK(content == "content");
}

TEST_CASE("listen_on: paths in no directory, or one that is not ours") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  CHECK_ERROR(listen_on(directory / "no/x"), ENOENT, bind);
  CHECK_ERROR(listen_on(directory / "no/x", {.replace_stale = true}), ENOENT, open);
  write_file(directory / "file", "");
  CHECK_ERROR(listen_on(directory / "file/x", {.replace_stale = true}), ENOTDIR, open);
  if (::geteuid() == 0)
    SKIP("a directory that is not ours: all are root's");
  REQUIRE(::mkdir((directory / "locked").c_str(), 0500) == 0);
  for (bool replace : {true, false})
    CHECK_ERROR(listen_on(directory / "locked/x", {.replace_stale = replace}), EACCES, bind);
}

TEST_CASE("listen_on: a path that fills sun_path") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  std::string path = directory / "";
  path.append(UnixAddress::capacity - path.size(), 'x');
  for (bool stale : {false, true}) {
    if (stale)
      (void)bound_at(path, SOCK_STREAM);
    auto listener = listen_on(path_at(path), {.mode = 0600, .replace_stale = stale});
    REQUIRE(listener);
    CHECK(exists(path));
    CHECK(mode_of(path) == 0600);
    CHECK(listener->path.path() == path);
    CHECK(listener->address.get<UnixAddress>()->name() == path);
    CHECK(answers(path_at(path)));
    CHECK_ERROR(listen_on(path_at(path), {.replace_stale = true}), EADDRINUSE, bind);
    VALUE(listener->close());
    CHECK_FALSE(exists(path));
  }
  CHECK_ERROR(listen_on(path + "x"), ENAMETOOLONG, parse);
}

TEST_CASE("listen_on: a relative path, which is another one in another directory") {
  TemporaryDirectory directory;
  REQUIRE(::mkdir((directory / "a").c_str(), 0700) == 0);
  REQUIRE(::mkdir((directory / "b").c_str(), 0700) == 0);
  int status = in_child([&] {
    IN_CHILD(::chdir((directory / "a").c_str()) == 0);
    for (const char *path : {"x", "./x", "../a/x"}) {
      const UnixAddress address = *UnixAddress::path(path);
      (void)bound_at("x", SOCK_STREAM);
      {
        auto listener = listen_on(address, {.mode = 0600, .replace_stale = true});
        IN_CHILD(listener);
        IN_CHILD(listener->path.path() == path);
        IN_CHILD(answers(address));
        IN_CHILD(mode_of("x") == 0600);
      }
      IN_CHILD(!exists("x"));
    }
    auto listener = listen_on(*UnixAddress::path("x"));
    IN_CHILD(listener);
    IN_CHILD(::chdir((directory / "b").c_str()) == 0);
    Socket other = bound_at("x", SOCK_STREAM);
    IN_CHILD(listener->close());
    IN_CHILD(exists("x"));
    IN_CHILD(exists(directory / "a/x"));
    return 0;
  });
  CHECK(status == 0);
}

TEST_CASE("listen_on: a stale path in the root directory, and in one with a long name") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string folder = directory / std::string(60, 'd');
  REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
  (void)bound_at(folder + "/x", SOCK_STREAM);
  auto listener = listen_on(folder + "/x", {.replace_stale = true});
  REQUIRE(listener);
  CHECK(answers(listener->address));
  int status = in_child([&] {
    if (::chroot((directory / "").c_str()) != 0)
      return not_here;
    (void)bound_at("/x", SOCK_STREAM);
    auto root = listen_on("/x", {.replace_stale = true});
    IN_CHILD(root);
    IN_CHILD(answers(root->address));
    return 0;
  });
  if (skipped(status))
    SKIP("the root directory: not permitted to make one");
  CHECK(status == 0);
}

TEST_CASE("listen_on: of two processes that replace a stale path one wins, every time") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  const int rounds = memory_is_checked() ? 10 : 100;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    if (round % 2 == 0) // else there is nothing at first
      (void)bound_at(path, SOCK_STREAM);
    auto [go, gone] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM)); // its end: go
    auto [end, ended] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
    auto [said, say] = VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
    pid_t children[2];
    for (pid_t &child : children) {
      child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        (void)gone.close();
        (void)ended.close();
        (void)said.close();
        {
          char byte;
          (void)go.recv({&byte, 1});
          auto listener = listen_on(path, {.replace_stale = true});
          const char verdict = listener ? 'y' : listener.error() == Error(EADDRINUSE, Operation::bind) ? 'n' : '?';
          (void)say.send({&verdict, 1});
          (void)end.recv({&byte, 1});
        }
        ::_exit(0);
      }
    }
    VALUE(go.close());
    VALUE(gone.close());
    std::string verdicts;
    for (int i = 0; i < 2; ++i) {
      wait(said, POLLIN);
      verdicts += std::string_view(VALUE(said.recv()).text());
    }
    std::sort(verdicts.begin(), verdicts.end());
    CHECK(verdicts == "ny");
    CHECK(answers(at(path)));
    VALUE(end.close());
    VALUE(ended.close());
    for (pid_t child : children) {
      int status = -1;
      CHECK(::waitpid(child, &status, 0) == child);
      CHECK(status == 0);
    }
    CHECK_FALSE(exists(path));
  }
}

TEST_CASE("listen_on: who is about to listen is not stale while it holds the directory's lock") {
  std::ifstream locks("/proc/locks");
  if (!locks)
    SKIP("no /proc/locks");
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  const int lock = ::open((directory / "").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(lock >= 0);
  REQUIRE(::flock(lock, LOCK_EX) == 0);
  Socket first = bound_at(path, SOCK_STREAM); // which refuses connections so far
  const ino_t before = inode_of(path);
  std::atomic<bool> returned = false;
  ListenResult second;
  std::thread other([&] {
    second = listen_on(path, {.replace_stale = true});
    returned = true;
  });
  {
    // "1: -> FLOCK ADVISORY WRITE 123 …" is one who waits.
    const std::string waiter = "WRITE " + std::to_string(::getpid()) + " ";
    NoAlarms not_here_but_there;
    Alarms alarms;
    for (bool waits = false; !waits && !returned;) {
      locks.clear();
      locks.seekg(0);
      for (std::string line; std::getline(locks, line);)
        waits = waits || (line.find("-> FLOCK") != line.npos && line.find(waiter) != line.npos);
    }
    CHECK_FALSE(returned);
    (void)::poll(nullptr, 0, 50); // some ten signals, after which it goes on waiting
    CHECK_FALSE(returned);
  }
  VALUE(first.listen());
  ::close(lock);
  other.join();
  CHECK_FALSE(second);
  CHECK(second.error() == Error(EADDRINUSE, Operation::bind));
  CHECK(inode_of(path) == before);
  CHECK(answers(at(path)));
}

TEST_CASE("listen_on: the directory stays locked from the look at a stale path until it listens") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string folder = directory / ""; // made here: a signal handler may not
  for (const auto &calls : {unlink_calls, listen_calls}) {
    int status = in_child([&] {
      int count = 0;
      bool locked = false;
      const std::function<void()> look = [&] {
        ++count;
        const int again = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        locked = ::flock(again, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK;
        ::close(again);
      };
      (void)bound_at(directory / "stale", SOCK_STREAM);
      trap = &look;
      if (!intercept(calls, std::nullopt))
        return not_here;
      (void)listen_on(directory / "stale", {.replace_stale = true, .unlink = false});
      IN_CHILD(count == 1);
      IN_CHILD(locked);
      const int after = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      IN_CHILD(::flock(after, LOCK_EX | LOCK_NB) == 0);
      return 0;
    });
    if (skipped(status))
      SKIP("no seccomp(2) filter");
    CHECK(status == 0);
    ::unlink((directory / "stale").c_str());
  }
}

// --- paths that are removed ----------------------------------------------------------------------------

TEST_CASE("Listener: its path goes with it, once") {
  static_assert(!std::is_copy_constructible_v<Listener> && std::is_nothrow_move_constructible_v<Listener> &&
                std::is_nothrow_move_assignable_v<Listener>);
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  {
    auto listener = listen_on(path);
    REQUIRE(listener);
    CHECK(exists(path));
    errno = EXDEV;
    clear_error();
  }
  CHECK(errno == EXDEV); // the destructor's business is its own
  CHECK_FALSE(exists(path));
  CHECK(last_error() == Error());

  auto listener = listen_on(path);
  REQUIRE(listener);
  CHECK(listener->path.path() == path);
  VALUE(listener->path.remove());
  CHECK_FALSE(exists(path));
  CHECK(listener->path.path() == "");
  write_file(path, "");
  VALUE(listener->path.remove());
  CHECK(exists(path));
  VALUE(listener->close());
  CHECK(exists(path));
  CHECK_ERROR(listener->close(), EBADF, close);
}

TEST_CASE("Listener: unlink = false, and release(), leave the path") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  {
    auto listener = listen_on(path, {.unlink = false});
    REQUIRE(listener);
    CHECK(listener->path.path() == "");
    CHECK(answers(at(path)));
    VALUE(listener->close());
  }
  CHECK(exists(path));
  {
    auto listener = listen_on(path, {.replace_stale = true});
    REQUIRE(listener);
    listener->path.release();
    CHECK(listener->path.path() == "");
  }
  CHECK(exists(path));
}

TEST_CASE("Listener: a server that took over the path keeps it (Node #19729)") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  for (bool close : {false, true}) {
    std::optional<ListenResult> old = listen_on(path);
    REQUIRE(*old);
    REQUIRE(::unlink(path.c_str()) == 0);
    auto young = listen_on(path);
    REQUIRE(young);
    if (close)
      VALUE((*old)->close());
    old.reset();
    CHECK(exists(path));
    CHECK(answers(at(path)));
  }
  CHECK_FALSE(exists(path));
}

TEST_CASE("Listener: nobody gets the inode number of a path that was removed while it is open") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  auto listener = listen_on(path);
  REQUIRE(listener);
  const ino_t ours = inode_of(path);
  REQUIRE(::unlink(path.c_str()) == 0);
  for (int i = 0; i < 50; ++i) {
    auto other = listen_on(path);
    REQUIRE(other);
    CHECK(inode_of(path) != ours);
  }
  Socket other = bound_at(path, SOCK_STREAM, 5);
  VALUE(listener->path.remove()); // with the socket open
  CHECK(exists(path));
}

TEST_CASE("Listener: a path that is gone, or has another name, is no error") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  auto removed = listen_on(path);
  REQUIRE(removed);
  REQUIRE(::unlink(path.c_str()) == 0);
  VALUE(removed->close());

  auto renamed = listen_on(path);
  REQUIRE(renamed);
  REQUIRE(::rename(path.c_str(), (directory / "y").c_str()) == 0);
  write_file(path, "");
  VALUE(renamed->close());
  CHECK(exists(path));
  CHECK(exists(directory / "y"));
  REQUIRE(::unlink(path.c_str()) == 0);

  const std::string folder = directory / "folder";
  REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
  auto within = listen_on(folder + "/x");
  REQUIRE(within);
  std::filesystem::remove_all(folder);
  VALUE(within->close());
  CHECK(within->socket.fd() == -1);
}

TEST_CASE("Listener: a path that cannot be removed is close()'s error, and the socket is closed") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  int status = in_child([&] {
    constexpr uid_t nobody = 65534; // root may remove what it wants
    if (::geteuid() == 0 &&
        (::chown((directory / "").c_str(), nobody, nobody) != 0 || ::setresuid(nobody, nobody, nobody) != 0))
      return not_here;
    const std::size_t open_before = open_descriptors();
    auto listener = listen_on(path);
    IN_CHILD(listener);
    IN_CHILD(::chmod((directory / "").c_str(), 0500) == 0);
    auto closed = listener->close();
    ::chmod((directory / "").c_str(), 0700);
    IN_CHILD(!closed);
    IN_CHILD(last_error() == Error(EACCES, Operation::unlink));
    IN_CHILD(std::string(closed.error().describe().c_str()) == last_error().describe().c_str());
    IN_CHILD(listener->socket.fd() == -1);
    IN_CHILD(listener->path.path() == "");
    IN_CHILD(open_descriptors() == open_before);
    IN_CHILD(exists(path));

    // The first of two errors.
    auto both = listen_on(path, {.replace_stale = true});
    IN_CHILD(both);
    IN_CHILD(::chmod((directory / "").c_str(), 0500) == 0);
    (void)both->socket.close();
    closed = both->close();
    ::chmod((directory / "").c_str(), 0700);
    IN_CHILD(!closed);
    IN_CHILD(last_error() == Error(EACCES, Operation::unlink));
    IN_CHILD(std::string(closed.error().describe().c_str()) == last_error().describe().c_str());
    return 0;
  });
  if (skipped(status))
    SKIP("root, who cannot be another");
  CHECK(status == 0);
}

TEST_CASE("Listener: a forked child does not remove its parent's path") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  auto listener = listen_on(path);
  REQUIRE(listener);
  int status = in_child([&] {
    Listener inherited = std::move(*listener);
    IN_CHILD(inherited.path.path() == path);
    Listener moved = std::move(inherited);
    IN_CHILD(moved.close());
    return 0;
  });
  CHECK(status == 0);
  status = in_child([&] { return listener->path.remove() ? 0 : 1; });
  CHECK(status == 0);
  CHECK(exists(path));
  CHECK(answers(at(path)));
  VALUE(listener->close());
  CHECK_FALSE(exists(path));

  // What the child made itself it removes.
  status = in_child([&] {
    auto own = listen_on(path);
    return own && exists(path) ? 0 : 1;
  });
  CHECK(status == 0);
  CHECK_FALSE(exists(path));
}

TEST_CASE("Listener: moved, it takes the path along; what it is assigned over removes its own") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string a = directory / "a";
  const std::string b = directory / "b";
  Listener kept;
  CHECK(kept.path.path() == "");
  CHECK_ERROR(kept.close(), EBADF, close);
  {
    auto listener = listen_on(a);
    REQUIRE(listener);
    kept = std::move(*listener);
    CHECK(listener->path.path() == "");
    VALUE(listener->path.remove());
  }
  CHECK(exists(a));
  CHECK(answers(at(a)));
  CHECK(kept.path.path() == a);
  {
    Listener other = VALUE(listen_on(b));
    clear_error();
    kept = std::move(other);
    CHECK(last_error() == Error());
    CHECK_FALSE(exists(a));
    CHECK(exists(b));
  }
  CHECK(answers(at(b)));
  Listener &self = kept;
  kept = std::move(self);
  CHECK(exists(b));
  CHECK(kept.path.path() == b);
  {
    Listener moved(std::move(kept));
    CHECK(kept.path.path() == "");
    CHECK(moved.path.path() == b);
  }
  CHECK_FALSE(exists(b));
}

TEST_CASE("Listener: the path goes before the socket is closed, by close(), destruction and assignment") {
  TemporaryDirectory directory;
  const char *const ways[] = {"close", "destruction", "assignment"};
  for (const char *way : ways) {
    CAPTURE(std::string(way));
    int status = in_child([&] {
      int fd = -1;
      int calls = 0;
      bool open = false;
      const std::function<void()> look = [&] {
        ++calls;
        open = ::fcntl(fd, F_GETFD) >= 0;
      };
      trap = &look;
      if (!intercept(unlink_calls, std::nullopt))
        return not_here;
      {
        Listener listener = VALUE(listen_on(directory / way));
        fd = listener.socket.fd();
        if (way == ways[0])
          (void)listener.close();
        else if (way == ways[2])
          listener = Listener();
      }
      IN_CHILD(calls == 1);
      IN_CHILD(open);
      return 0;
    });
    if (skipped(status))
      SKIP("no seccomp(2) filter");
    CHECK(status == 0);
  }
}

TEST_CASE("BoundPath: of a socket of one's own") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  const std::string path = directory / "x";
  Socket socket = bound_at(path, SOCK_STREAM);
  {
    BoundPath bound = VALUE(BoundPath::of(path_at(path)));
    CHECK(bound.path() == path);
    CHECK(exists(path));
  }
  CHECK_FALSE(exists(path));
  CHECK_ERROR(BoundPath::of(path_at(path)), ENOENT, lstat);
  for (const SocketAddress &address : {at("@name"), SocketAddress(UnixAddress::autobind()), at("127.0.0.1:1"),
                                       SocketAddress(), SocketAddress::unspec()})
    CHECK(VALUE(BoundPath::of(address)).path() == "");
}

// --- inherited sockets ---------------------------------------------------------------------------------

namespace {

/// What a service manager would have set; empty: not set.
struct Environment {
  std::string pid;
  std::string count;
  std::optional<std::string> names;
};

/// In a child, with no descriptor from 3 on but the sockets that `prepare` makes, in order.
int with_inherited(const Environment &environment, const std::function<void()> &prepare,
                   const std::function<int()> &body) {
  return in_child([&] {
    ::close_range(3, ~0U, 0);
    prepare();
    for (const char *name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
      ::unsetenv(name);
    if (!environment.pid.empty())
      ::setenv("LISTEN_PID", environment.pid == "own" ? std::to_string(::getpid()).c_str() : environment.pid.c_str(),
               1);
    if (!environment.count.empty())
      ::setenv("LISTEN_FDS", environment.count.c_str(), 1);
    if (environment.names)
      ::setenv("LISTEN_FDNAMES", environment.names->c_str(), 1);
    return body();
  });
}

int raw_socket(int family, int type) { return ::socket(family, type, 0); }

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
bool is_close_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

/// A TCP listener, a UDP socket, and one of AF_UNIX: 3, 4 and 5.
void three_sockets() {
  sockaddr_in loopback_address = {};
  loopback_address.sin_family = AF_INET;
  loopback_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = raw_socket(AF_INET, SOCK_STREAM);
  ::bind(fd, reinterpret_cast<sockaddr *>(&loopback_address), sizeof loopback_address);
  ::listen(fd, 5);
  raw_socket(AF_INET, SOCK_DGRAM);
  raw_socket(AF_UNIX, SOCK_STREAM);
}

constexpr const char *variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"};

int variables_set() {
  return static_cast<int>(
      std::count_if(std::begin(variables), std::end(variables), [](const char *name) { return std::getenv(name); }));
}

} // namespace

TEST_CASE("inherited_sockets: from 3 on, with names; close-on-exec, and told of once") {
  int status = with_inherited({"own", "3", "http:dns:control"}, three_sockets, [] {
    const std::size_t open_before = open_descriptors();
    IN_CHILD(is_open(3) && is_open(4) && is_open(5) && !is_open(6));
    IN_CHILD(!is_close_on_exec(3));
    clear_error();
    auto sockets = inherited_sockets();
    IN_CHILD(sockets);
    IN_CHILD(last_error() == Error());
    IN_CHILD(sockets->size() == 3);
    const char *names[] = {"http", "dns", "control"};
    for (int i = 0; i < 3; ++i) {
      const InheritedSocket &each = (*sockets)[static_cast<std::size_t>(i)];
      IN_CHILD(each.socket.fd() == 3 + i);
      IN_CHILD(each.name == names[i]);
      IN_CHILD(each.listening == (i == 0));
      IN_CHILD(is_close_on_exec(3 + i));
    }
    IN_CHILD(variables_set() == 0);
    auto again = inherited_sockets();
    IN_CHILD(again && again->empty());
    auto client = connect_to(*(*sockets)[0].socket.getsockname());
    IN_CHILD(client);
    IN_CHILD(accept_until((*sockets)[0].socket, soon));
    client->close().value();
    sockets->swap(*again);
    IN_CHILD(open_descriptors() == open_before); // they are owned
    *again = {};
    IN_CHILD(!is_open(3) && !is_open(4) && !is_open(5));
    return 0;
  });
  CHECK(status == 0);
}

TEST_CASE("inherited_sockets: names that are fewer, more, empty, long or none") {
  struct Row {
    std::optional<std::string> names;
    std::array<std::string, 3> expected;
  };
  const std::string long_name(300, 'n');
  const Row rows[] = {
      {std::nullopt, {"unknown", "unknown", "unknown"}},
      {"", {"", "", ""}},
      {"a", {"a", "", ""}},
      {"a:b", {"a", "b", ""}},
      {"a:b:", {"a", "b", ""}},
      {":b:c", {"", "b", "c"}},
      {"::", {"", "", ""}},
      {"a::c", {"a", "", "c"}},
      {"a:b:c:d:e", {"a", "b", "c"}},
      {long_name + ":b:c", {long_name.substr(0, 255), "b", "c"}},
  };
  for (const Row &row : rows) {
    CAPTURE(row.names.value_or("none"));
    int status = with_inherited({"own", "3", row.names}, three_sockets, [&] {
      auto sockets = inherited_sockets();
      IN_CHILD(sockets && sockets->size() == 3);
      for (std::size_t i = 0; i < 3; ++i)
        IN_CHILD((*sockets)[i].name == row.expected[i]);
      return 0;
    });
    CHECK(status == 0);
  }
}

TEST_CASE("inherited_sockets: none, or not for this process") {
  const Environment none[] = {{"", "", {}},        {"own", "", {}},         {"", "3", {}},
                              {"1", "3", "a:b:c"}, {"2147483647", "3", {}}, {"own", "0", "x"}};
  for (const Environment &environment : none) {
    const std::string what = environment.pid + " " + environment.count;
    CAPTURE(what);
    int status = with_inherited(environment, three_sockets, [&] {
      const int set = variables_set();
      clear_error();
      {
        auto sockets = inherited_sockets();
        IN_CHILD(sockets && sockets->empty());
      }
      IN_CHILD(last_error() == Error());
      IN_CHILD(is_open(3) && is_open(4) && is_open(5));
      IN_CHILD(!is_close_on_exec(3));
      IN_CHILD(variables_set() == (environment.count == "0" ? 0 : set)); // another process's stay
      return 0;
    });
    CHECK(status == 0);
  }
}

TEST_CASE("inherited_sockets: what is no number, no descriptor or no socket takes none, and the variables stay") {
  struct Row {
    Environment environment;
    int code;
    Operation operation;
  };
  const Row rows[] = {
      {{"own", "x", "a"}, EINVAL, Operation::inherited_sockets},
      {{"own", "-1", "a"}, EINVAL, Operation::inherited_sockets},
      {{"own", "3x", "a"}, EINVAL, Operation::inherited_sockets},
      {{"own", " 3", "a"}, EINVAL, Operation::inherited_sockets},
      {{"own", "+3", "a"}, EINVAL, Operation::inherited_sockets},
      {{"own", "3 ", "a"}, EINVAL, Operation::inherited_sockets},
      {{"own", "4294967299", "a"}, EINVAL, Operation::inherited_sockets},
      {{"own", "2147483647", "a"}, EINVAL, Operation::inherited_sockets},
      {{"x", "3", "a"}, EINVAL, Operation::inherited_sockets},
      {{"-5", "3", "a"}, EINVAL, Operation::inherited_sockets},
      {{"0", "3", "a"}, EINVAL, Operation::inherited_sockets},
      {{"99999999999", "3", "a"}, EINVAL, Operation::inherited_sockets},
      {{"own", "5", "a"}, EBADF, Operation::getsockopt},    // 6 is no socket, either: but it comes first
      {{"own", "4", "a"}, ENOTSOCK, Operation::getsockopt}, // 6 is a file
      {{"own", "2147483644", "a"}, EBADF, Operation::getsockopt},
  };
  for (const Row &row : rows) {
    const std::string what = row.environment.pid + " " + row.environment.count;
    CAPTURE(what);
    const bool file = row.code == ENOTSOCK;
    int status = with_inherited(
        row.environment,
        [&] {
          three_sockets();
          if (file)
            (void)::open("/dev/null", O_RDONLY);
        },
        [&] {
          auto refused = inherited_sockets();
          IN_CHILD(!refused);
          IN_CHILD(refused.error() == Error(row.code, row.operation));
          IN_CHILD(last_error() == refused.error());
          for (int fd : {3, 4, 5}) {
            IN_CHILD(is_open(fd));
            IN_CHILD(!is_close_on_exec(fd));
          }
          IN_CHILD(is_open(6) == file);
          IN_CHILD(variables_set() == 3);
          return 0;
        });
    CHECK(status == 0);
  }
}

TEST_CASE("inherited_sockets: more than a few, of AF_UNIX and all types") {
  int status = with_inherited(
      {"own", "20", {}},
      [] {
        for (int i = 0; i < 20; ++i)
          raw_socket(AF_UNIX, kinds[i % 3].type);
      },
      [] {
        auto sockets = inherited_sockets();
        IN_CHILD(sockets && sockets->size() == 20);
        for (std::size_t i = 0; i < 20; ++i) {
          IN_CHILD((*sockets)[i].socket.fd() == static_cast<int>(3 + i));
          IN_CHILD(!(*sockets)[i].listening);
          auto type = (*sockets)[i].socket.getsockopt(so::type);
          IN_CHILD(type && *type == kinds[i % 3].type);
        }
        return 0;
      });
  CHECK(status == 0);
}

// --- accepting -----------------------------------------------------------------------------------------

TEST_CASE("accept_failure: the peer's, to be tried later, or the listener's own") {
  const std::vector<int> peer = {ECONNABORTED, EPROTO, EPERM,        ENETDOWN,   ENOPROTOOPT,
                                 EHOSTDOWN,    ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH};
  const std::vector<int> later = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN, EWOULDBLOCK, EINTR};
  auto has = [](const std::vector<int> &codes, int code) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
  };
  std::size_t seen = 0;
  for (const ErrorName &name : error_names()) {
    CAPTURE(std::string(name.name));
    if (name.number < 0) { // of the resolver's
      CHECK(accept_failure(Error::from_gai(name.number, Operation::accept4, EIO)) == AcceptFailure::listener);
      continue;
    }
    const AcceptFailure expected = has(peer, name.number)    ? AcceptFailure::peer
                                   : has(later, name.number) ? AcceptFailure::later
                                                             : AcceptFailure::listener;
    CHECK(accept_failure(Error(name.number, Operation::accept4)) == expected);
    seen += expected != AcceptFailure::listener;
  }
  CHECK(seen >= peer.size() + later.size() - 1);
}

TEST_CASE("accept_until: the connection, and who made it") {
  NoLeak no_leak;
  for (bool nonblocking_listener : {false, true})
    for (int flags : {0, static_cast<int>(SOCK_NONBLOCK)}) {
      auto listener = listen_on("127.0.0.1:0", {.type = SOCK_STREAM | (nonblocking_listener ? SOCK_NONBLOCK : 0)});
      REQUIRE(listener);
      for (const Deadline &deadline : {Deadline(), Deadline(soon), Deadline(0s)}) {
        Socket client = connected(listener->address);
        wait(listener->socket, POLLIN);
        clear_error();
        Accepted accepted = VALUE(accept_until(listener->socket, deadline, flags));
        CHECK(last_error() == Error());
        CHECK(accepted.address == VALUE(client.getsockname()));
        CHECK(VALUE(accepted.socket.close_on_exec()));
        CHECK(VALUE(accepted.socket.nonblocking()) == (flags != 0)); // whatever the listener's is
        CHECK(VALUE(listener->socket.nonblocking()) == nonblocking_listener);
      }
    }
  auto listener = listen_on("127.0.0.1:0");
  REQUIRE(listener);
  Socket client = connected(listener->address);
  CHECK_ERROR(accept_until(listener->socket, soon, MSG_DONTWAIT), EINVAL, accept4);
  VALUE(accept_until(listener->socket, soon));
}

TEST_CASE("accept_until: not longer than the deadline, and not shorter") {
  NoLeak no_leak;
  for (const std::string &address : {std::string("127.0.0.1:0"), abstract_name()})
    for (int flags : {0, static_cast<int>(SOCK_NONBLOCK)}) {
      auto listener = listen_on(address, {.type = SOCK_STREAM | flags});
      REQUIRE(listener);
      CHECK_ERROR(accept_until(listener->socket, 0s), ETIMEDOUT, accept_until);
      auto before = std::chrono::steady_clock::now();
      CHECK_ERROR(accept_until(listener->socket, 30ms), ETIMEDOUT, accept_until);
      CHECK(std::chrono::steady_clock::now() - before >= 30ms);
      CHECK_ERROR(accept_until(listener->socket, before), ETIMEDOUT, accept_until);
      Socket client = connected(listener->address);
      CHECK_ERROR(accept_until(listener->socket, -1s), EINVAL, accept_until);
      VALUE(accept_until(listener->socket, before)); // what is there is taken
    }
}

TEST_CASE("accept_until: SIGALRM every 5 ms neither ends it nor makes it longer") {
  NoLeak no_leak;
  auto listener = listen_on("127.0.0.1:0");
  REQUIRE(listener);
  {
    const Alarms alarms;
    const auto before = std::chrono::steady_clock::now();
    CHECK_ERROR(accept_until(listener->socket, 100ms), ETIMEDOUT, accept_until);
    CHECK(std::chrono::steady_clock::now() - before >= 100ms);
    CHECK(alarms.came() > 0);
  }
  // With no deadline it waits in accept(2) itself, with others in ppoll(2).
  for (const Deadline &deadline : {Deadline(), Deadline(soon)}) {
    Socket client = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
    std::thread later;
    {
      NoAlarms only_here;
      later = std::thread([&] {
        Alarms::wait(5);
        VALUE(client.connect(listener->address));
      });
    }
    Result<Accepted> accepted = std::unexpected(Error());
    {
      Alarms alarms;
      accepted = accept_until(listener->socket, deadline);
      later.join();
    }
    CHECK(accepted);
  }
}

TEST_CASE("accept_until: cancelled, before and by another thread") {
  NoLeak no_leak;
  for (int flags : {0, static_cast<int>(SOCK_NONBLOCK)})
    for (const Deadline &deadline : {Deadline(), Deadline(soon)}) {
      Event event;
      auto listener = listen_on("127.0.0.1:0", {.type = SOCK_STREAM | flags});
      REQUIRE(listener);
      std::atomic<bool> started = false;
      std::thread other([&] {
        while (!started)
          std::this_thread::yield();
        event.set();
      });
      started = true;
      const auto before = std::chrono::steady_clock::now();
      CHECK_ERROR(accept_until(listener->socket, deadline.cancelled_by(event.fd())), ECANCELED, accept_until);
      CHECK(std::chrono::steady_clock::now() - before < soon);
      other.join();
      Socket client = connected(listener->address); // even though there is one to accept, which stays
      wait(listener->socket, POLLIN);
      CHECK_ERROR(accept_until(listener->socket, deadline.cancelled_by(event.fd())), ECANCELED, accept_until);
      VALUE(accept_until(listener->socket, deadline));
    }
  auto listener = listen_on("127.0.0.1:0");
  REQUIRE(listener);
  Socket closed = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  const int fd = closed.fd();
  VALUE(closed.close());
  CHECK_ERROR(accept_until(listener->socket, Deadline(soon).cancelled_by(fd)), EBADF, accept_until);
}

TEST_CASE("accept_until: without a deadline, too, a nonblocking listener is waited for asleep") {
  NoLeak no_leak;
  auto listener = listen_on("127.0.0.1:0", {.type = SOCK_STREAM | SOCK_NONBLOCK});
  REQUIRE(listener);
  std::atomic<long> id = 0;
  Result<Accepted> accepted = std::unexpected(Error());
  std::thread waiter([&] {
    id = ::syscall(SYS_gettid);
    accepted = accept_until(listener->socket);
  });
  while (id == 0)
    std::this_thread::yield();
  const std::string path = "/proc/self/task/" + std::to_string(id) + "/stat";
  bool asleep = false;
  for (const Deadline until = soon; !asleep && !until.passed();) {
    std::ifstream file(path);
    std::string number, name, state;
    file >> number >> name >> state;
    asleep = state == "S";
  }
  CHECK(asleep);
  {
    Socket client = connected(listener->address);
    waiter.join();
  }
  CHECK(accepted);
}

TEST_CASE("accept_until: threads that share a nonblocking listener get each connection once") {
  NoLeak no_leak;
  constexpr int threads = 4;
  constexpr int connections = 100;
  for (const std::string &address : {std::string("127.0.0.1:0"), abstract_name()}) {
    auto listener = listen_on(address, {.type = SOCK_STREAM | SOCK_NONBLOCK});
    REQUIRE(listener);
    Event over;
    std::atomic<int> taken = 0;
    std::atomic<int> cancelled = 0;
    std::vector<std::thread> all;
    for (int i = 0; i < threads; ++i)
      all.emplace_back([&] {
        for (;;) {
          auto accepted = accept_until(listener->socket, Deadline(soon).cancelled_by(over.fd()));
          if (!accepted) {
            cancelled += accepted.error().is(ECANCELED);
            return;
          }
          char byte = 0;
          if (recv_exact(accepted->socket, {&byte, 1}, soon) && send_all(accepted->socket, {&byte, 1}, soon))
            ++taken;
        }
      });
    for (int i = 0; i < connections; ++i) {
      Socket client = connected(listener->address);
      VALUE(client.send("x"));
      char byte = 0;
      CHECK(recv_exact(client, {&byte, 1}, soon)); // whoever took it
    }
    over.set();
    for (std::thread &each : all)
      each.join();
    CHECK(taken == connections);
    CHECK(cancelled == threads);
  }
}

TEST_CASE("accept_until: processes that share a nonblocking listener") {
  NoLeak no_leak;
  auto listener = listen_on("127.0.0.1:0", {.type = SOCK_STREAM | SOCK_NONBLOCK});
  REQUIRE(listener);
  pid_t children[3];
  auto [said, say] = VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
  Event over;
  for (pid_t &child : children) {
    child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      for (;;) {
        auto accepted = accept_until(listener->socket, Deadline(soon).cancelled_by(over.fd()));
        if (!accepted)
          ::_exit(accepted.error().is(ECANCELED) ? 0 : 1);
        (void)say.send("x");
      }
    }
  }
  for (int i = 0; i < 30; ++i) {
    Socket client = connected(listener->address);
    wait(said, POLLIN);
    CHECK(VALUE(said.recv()).text() == "x");
    wait(client, POLLIN);
    CHECK(VALUE(client.recv()).empty());
  }
  over.set();
  for (pid_t child : children) {
    int status = -1;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
}

TEST_CASE("accept_until: the SO_RCVTIMEO of the listener does not count") {
  NoLeak no_leak;
  auto listener = listen_on("127.0.0.1:0");
  REQUIRE(listener);
  VALUE(listener->socket.setsockopt(so::rcvtimeo, 1ms));
  REQUIRE(listener->socket.accept().error().would_block()); // accept(2) itself
  const auto before = std::chrono::steady_clock::now();
  CHECK_ERROR(accept_until(listener->socket, 50ms), ETIMEDOUT, accept_until);
  CHECK(std::chrono::steady_clock::now() - before >= 50ms);
  Socket client = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  std::thread later([&] {
    (void)::poll(nullptr, 0, 50); // longer than that time
    VALUE(client.connect(listener->address));
  });
  auto accepted = accept_until(listener->socket);
  later.join();
  CHECK(accepted);
}

TEST_CASE("accept_until: shutdown(2) of the listener ends it, also from another thread") {
  NoLeak no_leak;
  const Socket alarm(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)); // cancels what would go on for ever
  const itimerspec when = {{}, {long_time / 1000, 0}};
  REQUIRE(::timerfd_settime(alarm.fd(), 0, &when, nullptr) == 0);
  for (const Deadline &deadline :
       {Deadline(), Deadline().cancelled_by(alarm.fd()), Deadline(soon).cancelled_by(alarm.fd())})
    for (const std::string &address : {std::string("127.0.0.1:0"), abstract_name()})
      for (int flags : {0, static_cast<int>(SOCK_NONBLOCK)})
        for (int how : {SHUT_RDWR, SHUT_RD}) {
          if (flags != 0 && deadline.never() && deadline.cancel_fd() < 0)
            continue;
          const std::string what =
              address + (flags != 0 ? ", nonblocking" : "") + (how == SHUT_RD ? ", reading only" : "");
          CAPTURE(what);
          auto listener = listen_on(address, {.type = SOCK_STREAM | flags});
          REQUIRE(listener);
          std::atomic<bool> started = false;
          std::thread other([&] {
            while (!started)
              std::this_thread::yield();
            VALUE(listener->socket.shutdown(how));
          });
          started = true;
          auto accepted = accept_until(listener->socket, deadline);
          other.join();
          REQUIRE_FALSE(accepted);
          REQUIRE(std::string(accepted.error().name()) == "EINVAL");
          CHECK(accept_failure(accepted.error()) == AcceptFailure::listener);
          auto again = accept_until(listener->socket, deadline);
          REQUIRE_FALSE(again);
          CHECK(std::string(again.error().name()) == "EINVAL");
        }
}

TEST_CASE("accept_until: EINVAL for a socket that does not listen, of any type") {
  NoLeak no_leak;
  TemporaryDirectory directory;
  Connection connection;
  std::vector<std::pair<std::string, Socket>> sockets;
  sockets.emplace_back("TCP", VALUE(Socket::socket(AF_INET, SOCK_STREAM)));
  sockets.emplace_back("TCP, bound", VALUE(Socket::socket(AF_INET, SOCK_STREAM)));
  VALUE(sockets.back().second.bind(loopback));
  sockets.emplace_back("TCP, connected", std::move(connection.client));
  sockets.emplace_back("UDP", VALUE(Socket::socket(AF_INET, SOCK_DGRAM)));
  sockets.emplace_back("UDP, bound", bound(loopback));
  for (const Kind &kind : kinds) {
    sockets.emplace_back(std::string("AF_UNIX ") + kind.name, VALUE(Socket::socket(AF_UNIX, kind.type)));
    sockets.emplace_back(std::string("AF_UNIX, bound ") + kind.name, bound_at(directory / kind.name, kind.type));
  }
  Event never;
  for (const Deadline &deadline :
       {Deadline(), Deadline(0s), Deadline(100ms), Deadline(100ms).cancelled_by(never.fd())})
    for (const auto &[name, socket] : sockets) {
      const std::string what = name + (deadline.never() ? "" : ", with a deadline");
      CAPTURE(what);
      auto refused = accept_until(socket, deadline);
      REQUIRE_FALSE(refused);
      CHECK(std::string(refused.error().name()) == "EINVAL");
      CHECK(last_error() == refused.error());
    }
  for (const Deadline &deadline : {Deadline(), Deadline(soon)}) {
    auto empty = accept_until(Socket(), deadline);
    REQUIRE_FALSE(empty);
    CHECK(empty.error().is(EBADF));
    CHECK(last_error() == empty.error());
  }
}

TEST_CASE("accept_until: out of descriptors, the peer stays in the queue until there is room") {
  if (std::getenv("WRAP") != nullptr)
    SKIP("valgrind keeps the limit itself, and closes what is over it");
  for (const std::string &address : {std::string("127.0.0.1:0"), abstract_name()})
    for (const Deadline &deadline : {Deadline(), Deadline(soon)}) {
      int status = in_child([&] {
        auto listener = listen_on(address);
        IN_CHILD(listener);
        auto client = connect_to(listener->address);
        IN_CHILD(client);
        IN_CHILD(client->send("x"));
        rlimit before = {};
        ::getrlimit(RLIMIT_NOFILE, &before);
        std::vector<Socket> all; // the lowest free number is the limit
        for (;;) {
          auto socket = Socket::socket(AF_UNIX, SOCK_STREAM);
          IN_CHILD(socket);
          const int fd = socket->fd();
          all.push_back(std::move(*socket));
          if (fd > listener->socket.fd() && fd > client->fd()) {
            rlimit limit = {static_cast<rlim_t>(fd + 1), before.rlim_max};
            IN_CHILD(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
            break;
          }
        }
        for (int i = 0; i < 3; ++i) {
          auto refused = accept_until(listener->socket, deadline);
          IN_CHILD(!refused);
          IN_CHILD(refused.error() == Error(EMFILE, Operation::accept4));
          IN_CHILD(last_error() == refused.error());
          IN_CHILD(accept_failure(refused.error()) == AcceptFailure::later);
        }
        // A loop over it does not end, either.
        int failures = 0;
        bool served = false;
        for (auto &accepted : accept_each(listener->socket, deadline)) {
          if (!accepted) {
            IN_CHILD(accepted.error().is(EMFILE));
            if (++failures == 3)
              all.clear();
            continue;
          }
          char byte = 0;
          IN_CHILD(recv_exact(accepted->socket, {&byte, 1}, soon));
          served = byte == 'x';
          break;
        }
        IN_CHILD(failures == 3);
        IN_CHILD(served);
        return 0;
      });
      CHECK(status == 0);
    }
}

TEST_CASE("accept_each: connections, and then what ended it") {
  static_assert(std::input_iterator<AcceptRange::Iterator> &&
                std::sentinel_for<AcceptRange::End, AcceptRange::Iterator>);
  NoLeak no_leak;
  auto listener = listen_on("127.0.0.1:0");
  REQUIRE(listener);
  std::vector<Socket> clients;
  for (int i = 0; i < 3; ++i)
    clients.push_back(connected(listener->address));

  int count = 0;
  for (auto &accepted : accept_each(listener->socket, {}, SOCK_NONBLOCK)) {
    REQUIRE(accepted);
    CHECK(accepted->address == VALUE(clients[static_cast<std::size_t>(count)].getsockname()));
    CHECK(VALUE(accepted->socket.nonblocking()));
    Socket taken = std::move(accepted->socket); // it may be taken out of it
    if (++count == 2)
      break;
  }
  CHECK(count == 2);
  // Only so many as asked for: the third is still there.
  std::vector<std::string> results;
  auto take = [&](const Deadline &deadline) {
    results.clear();
    for (auto &accepted : accept_each(listener->socket, deadline))
      results.emplace_back(accepted ? "connection" : accepted.error().name());
  };
  using Results = std::vector<std::string>;
  const auto before = std::chrono::steady_clock::now();
  take(50ms);
  CHECK(results == Results{"connection", "ETIMEDOUT"});
  CHECK(std::chrono::steady_clock::now() - before >= 50ms);
  CHECK(last_error() == Error(ETIMEDOUT, Operation::accept_until));
  take(0s);
  CHECK(results == Results{"ETIMEDOUT"});
  take(-1s);
  CHECK(results == Results{"EINVAL"});
  Event event;
  event.set();
  take(Deadline().cancelled_by(event.fd()));
  CHECK(results == Results{"ECANCELED"});

  clients.push_back(connected(listener->address));
  AcceptRange range = accept_each(listener->socket, 0s);
  auto each = range.begin();
  REQUIRE(each != range.end());
  CHECK(*each);
  each++;
  REQUIRE(each != range.end());
  CHECK((*each).error().is(ETIMEDOUT));
  ++each;
  CHECK(each == range.end());
  CHECK((each == AcceptRange::End()));

  VALUE(listener->socket.shutdown(SHUT_RDWR));
  take({});
  CHECK(results == Results{"EINVAL"});
  VALUE(listener->close());
  take({});
  CHECK(results == Results{"EBADF"});
}

TEST_CASE("accept_each: the deadline is for the whole") {
  NoLeak no_leak;
  auto listener = listen_on("127.0.0.1:0");
  REQUIRE(listener);
  // Each connection makes the next, so that a deadline for each would never end.
  std::vector<Socket> clients;
  clients.push_back(connected(listener->address));
  const auto before = std::chrono::steady_clock::now();
  bool ended = false;
  for (auto &accepted : accept_each(listener->socket, 100ms)) {
    if (!accepted) {
      ended = accepted.error().is(ETIMEDOUT);
      continue;
    }
    (void)::poll(nullptr, 0, 5);
    if (std::chrono::steady_clock::now() - before > soon)
      break;
    if (std::chrono::steady_clock::now() - before < 1s)
      clients.push_back(connected(listener->address));
  }
  CHECK(ended);
  CHECK(std::chrono::steady_clock::now() - before >= 100ms);
}

TEST_CASE("accept_each: what the loop leaves of a connection is closed before it waits for the next") {
  NoLeak no_leak;
  Event event;
  auto listener = listen_on("127.0.0.1:0");
  REQUIRE(listener);
  std::thread server([&] {
    for (auto &accepted : accept_each(listener->socket, Deadline(soon).cancelled_by(event.fd())))
      if (!accepted)
        CHECK(accepted.error().is(ECANCELED));
  });
  Socket client = connected(listener->address);
  auto ended = wait_for(client, POLLIN, 10s);
  CHECK(ended);
  event.set();
  server.join();
}

TEST_CASE("accept_each: another thread ends it") {
  NoLeak no_leak;
  for (bool cancel : {true, false}) {
    Event event;
    auto listener = listen_on("127.0.0.1:0", {.type = SOCK_STREAM | SOCK_NONBLOCK});
    REQUIRE(listener);
    std::atomic<int> count = 0;
    std::string last;
    std::thread server([&] {
      for (auto &accepted : accept_each(listener->socket, Deadline(soon).cancelled_by(event.fd())))
        if (accepted) {
          ++count;
          VALUE(accepted->socket.close());
        } else {
          last = accepted.error().name();
        }
    });
    for (int i = 0; i < 5; ++i) {
      Socket client = connected(listener->address);
      wait(client, POLLIN);
    }
    if (cancel)
      event.set();
    else
      VALUE(listener->socket.shutdown(SHUT_RDWR));
    server.join();
    CHECK(count == 5);
    CHECK(last == (cancel ? "ECANCELED" : "EINVAL"));
  }
}

TEST_SUITE_END();
