// SPDX-License-Identifier: MIT
/// What test/syscalls.sh watches under strace.
///   syscalls count      every method, often; between marks that say what the kernel is to see
///   syscalls serve      a server and a client, on every kind of socket
///   syscalls METHOD     one method, once; prints its error
///   syscalls helpers    every helper, once; between marks that say which calls it makes, in order
///   syscalls helper H   one of them; prints what came of it

#include <baresock/baresock.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace baresock;

namespace {

constexpr int rounds = 20;

void need(bool ok, const char *what) {
  if (!ok) {
    std::printf("%s: %s\n", what, last_error().describe().c_str());
    std::exit(1);
  }
}

template <class T>
T value(Result<T> result) {
  need(result.has_value(), "setup");
  if constexpr (!std::is_void_v<T>)
    return std::move(*result);
}

/// A line in strace's log.
void mark(const std::string &text) { (void)!::write(-1, text.data(), text.size()); }

Error error;

template <class T>
bool note(const Result<T> &result) {
  error = result ? Error() : result.error();
  return result.has_value();
}

SocketAddress any() { return Inet4Address{INADDR_LOOPBACK, 0}; }

/// A method: its name, the system call it is, how often, and how to call it.
struct Method {
  const char *name;
  const char *call;
  int times;
  std::function<bool()> run;
  std::function<void()> before = nullptr;
};

/// What the methods are called on. Everything is made beforehand with the raw calls, so that an injected error meets
/// the method and not its preparation.
struct Scene {
  Socket udp{::socket(AF_INET, SOCK_DGRAM, 0)};
  Socket peer{::socket(AF_INET, SOCK_DGRAM, 0)};
  Socket tcp{::socket(AF_INET, SOCK_STREAM, 0)};
  Socket file{::memfd_create("baresock", 0)};
  SocketAddress address; // of peer
  Socket local;          // connected with other
  Socket other;
  Socket filtered{::socket(AF_INET, SOCK_DGRAM, 0)};
  Socket zero{::socket(AF_INET, SOCK_DGRAM, 0)};
  std::vector<Socket> many;
  std::vector<Socket> clients;
};

const sock_filter program[] = {{BPF_RET | BPF_K, 0, 0, 0xffffffff}};

// --- helpers ----------------------------------------------------------------------------------------------

/// A helper, and the calls that it makes, as an extended regular expression: options are told after a colon. What it
/// returns is destroyed after the mark.
struct Helper {
  const char *name;
  const char *calls;
  std::function<std::string()> run;
};

template <class T>
std::string told(const Result<T> &result) {
  if (result)
    return "ok";
  return std::string(operation_name(result.error().operation())) + ' ' + result.error().name();
}

/// A path, and what is bound there but not listening, which is stale, removed with the object.
struct Path {
  SocketAddress address;
  std::string text;

  explicit Path(bool stale = false) {
    char directory[] = "/tmp/baresock-XXXXXX";
    need(::mkdtemp(directory) != nullptr, "mkdtemp");
    directory_ = directory;
    text = directory_ + "/x.sock";
    address = value(UnixAddress::path(text));
    if (stale) {
      const Socket socket(::socket(AF_UNIX, SOCK_STREAM, 0));
      need(::bind(socket.fd(), address.data(), address.size()) == 0, "bind");
    }
  }
  Path(const Path &) = delete;
  Path &operator=(const Path &) = delete;
  ~Path() {
    ::unlink(text.c_str());
    ::rmdir(directory_.c_str());
  }

private:
  std::string directory_;
};

Socket listening(const SocketAddress &address, SocketAddress &at) {
  Socket socket(::socket(address.family(), SOCK_STREAM, 0));
  socklen_t length = SocketAddress::capacity;
  at = address; // as long as what follows
  need(::bind(socket.fd(), address.data(), address.size()) == 0, "bind");
  need(::listen(socket.fd(), 16) == 0, "listen");
  need(::getsockname(socket.fd(), at.data(), &length) == 0, "getsockname");
  return socket;
}

int helpers(const std::string &only) {
  SocketAddress address, unused;
  const Path served;
  const Path fresh, with_mode, stale(true);
  const Socket listener = listening(any(), address);
  const Socket local = listening(served.address, unused);
  Socket pair[2], ended[2], finishing[2], closing, mine(::socket(AF_INET, SOCK_STREAM, 0));
  for (Socket *each : {pair, ended, finishing}) {
    int fds[2];
    need(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
    each[0] = Socket(fds[0]);
    each[1] = Socket(fds[1]);
    need(::write(fds[1], "hello", 5) == 5, "write");
    need(each == pair || ::shutdown(fds[1], SHUT_WR) == 0, "shutdown");
  }
  closing = Socket(::socket(AF_INET, SOCK_STREAM, 0));
  const Socket tcp(::socket(AF_INET, SOCK_STREAM, 0));
  const Socket idle(::eventfd(0, 0));
  std::vector<Socket> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    need(::connect(clients.back().fd(), address.data(), address.size()) == 0, "connect");
  }
  char buffer[64];
  const ConstBuffer parts[] = {"hel", "", "lo"};
  const bool inet6 = Socket(::socket(AF_INET6, SOCK_STREAM, 0)).fd() >= 0;

  std::vector<ConnectResult> connected;
  std::vector<ListenResult> listeners;
  std::vector<Result<Accepted>> accepted;
  connected.reserve(10);
  listeners.reserve(10);
  accepted.reserve(10);
  auto connect = [&](ConnectResult result) {
    connected.push_back(std::move(result));
    return told(connected.back());
  };
  auto listen = [&](ListenResult result) {
    listeners.push_back(std::move(result));
    return told(listeners.back());
  };
  auto accept = [&](Result<Accepted> result) {
    accepted.push_back(std::move(result));
    return told(accepted.back());
  };
  ConnectOptions connect_options;
  connect_options.deadline = Seconds(20);
  connect_options.local = Inet4Address{INADDR_LOOPBACK, 0};
  connect_options.keep_alive = {.idle = Seconds(5), .interval = Seconds(6), .count = 7};
  connect_options.no_delay = true;
  ConnectOptions nonblocking;
  nonblocking.type = SOCK_STREAM | SOCK_NONBLOCK;
  ListenOptions listen_options;
  listen_options.reuse_port = true;
  listen_options.fast_open = 5;
  listen_options.defer_accept = Seconds(6);
  ListenOptions path_options;
  path_options.mode = 0600;
  path_options.replace_stale = true;
  ListenOptions stale_options;
  stale_options.replace_stale = true;
  pollfd items[] = {{pair[0].fd(), POLLIN | POLLOUT, 0}};

  const Helper all[] = {
      {"poll", "ppoll", [&] { return told(baresock::poll(items, Seconds(20))); }},
      {"wait_for", "ppoll", [&] { return told(wait_for(pair[0], POLLOUT, Seconds(20))); }},
      {"send_all", "sendmsg", [&] { return told(send_all(pair[0], "hello", Seconds(20))); }},
      {"send_all_parts", "sendmsg", [&] { return told(send_all(pair[0], parts)); }},
      {"send_all_cancellable", "ppoll sendmsg",
       [&] { return told(send_all(pair[0], "hello", Deadline().cancelled_by(idle.fd()))); }},
      {"recv_exact", "recvfrom", [&] { return told(recv_exact(pair[0], {buffer, 5})); }},
      {"recv_until_eof", "recvfrom recvfrom", [&] { return told(recv_until_eof(ended[0], buffer)); }},
      {"recv_until_eof_limit", "recvfrom", [&] { return told(recv_until_eof(ended[0], 5, Seconds(20))); }},
      {"finish", "sendmsg shutdown recvfrom recvfrom close", [&] { return told(finish(finishing[0], "bye")); }},
      {"reset_and_close", "getsockopt:SO_PROTOCOL setsockopt:SO_LINGER close",
       [&] { return told(reset_and_close(closing)); }},
      {"set_keepalive",
       "setsockopt:TCP_KEEPIDLE setsockopt:TCP_KEEPINTVL setsockopt:TCP_KEEPCNT setsockopt:SO_KEEPALIVE",
       [&] { return told(set_keepalive(tcp, connect_options.keep_alive)); }},
      {"set_timeouts", "setsockopt:SO_RCVTIMEO[A-Z_]* setsockopt:SO_SNDTIMEO[A-Z_]*",
       [&] { return told(set_timeouts(tcp, Seconds(5), Seconds(5))); }},
      {"set_traffic_class", "getsockopt:SO_DOMAIN setsockopt:IP_TOS",
       [&] { return told(set_traffic_class(tcp, 0x10)); }},
      {"traffic_class", "getsockopt:SO_DOMAIN getsockopt:IP_TOS", [&] { return told(traffic_class(tcp)); }},
      {"tcp_bytes", "getsockopt:TCP_INFO", [&] { return told(tcp_bytes(clients[0])); }},
      {"tcp_state", "getsockopt:TCP_INFO", [&] { return told(tcp_state(clients[0])); }},

      {"connect_to", "socket connect( ppoll getsockopt:SO_ERROR)? fcntl:F_GETFL fcntl:F_SETFL",
       [&] { return connect(connect_to(address)); }},
      {"connect_to_nonblocking", "socket connect( ppoll getsockopt:SO_ERROR)?",
       [&] { return connect(connect_to(address, nonblocking)); }},
      {"connect_to_path", "socket connect fcntl:F_GETFL fcntl:F_SETFL",
       [&] { return connect(connect_to(served.text)); }},
      {"connect_to_options",
       "socket setsockopt:TCP_KEEPIDLE setsockopt:TCP_KEEPINTVL setsockopt:TCP_KEEPCNT setsockopt:SO_KEEPALIVE "
       "setsockopt:TCP_NODELAY setsockopt:IP_BIND_ADDRESS_NO_PORT bind connect( ppoll getsockopt:SO_ERROR)? "
       "fcntl:F_GETFL fcntl:F_SETFL",
       [&] { return connect(connect_to(address, connect_options)); }},
      {"connect_until",
       "fcntl:F_GETFL fcntl:F_GETFL fcntl:F_SETFL connect( ppoll getsockopt:SO_ERROR)? fcntl:F_GETFL fcntl:F_SETFL",
       [&] { return told(connect_until(mine, address, Seconds(20))); }},

      {"listen_on", "socket setsockopt:SO_REUSEADDR bind listen getsockname",
       [&] { return listen(listen_on(any())); }},
      {"listen_on_inet6", "socket setsockopt:SO_REUSEADDR setsockopt:IPV6_V6ONLY bind listen getsockname",
       [&] { return inet6 ? listen(listen_on(SocketAddress(Inet6Address{in6addr_any}))) : "ok"; }},
      {"listen_on_port",
       "(socket setsockopt:SO_REUSEADDR setsockopt:IPV6_V6ONLY bind|"
       "((socket|socket setsockopt:SO_REUSEADDR setsockopt:IPV6_V6ONLY bind close) )?"
       "socket setsockopt:SO_REUSEADDR bind) listen getsockname",
       [&] { return listen(listen_on(0)); }},
      {"listen_on_options",
       "socket setsockopt:SO_REUSEADDR setsockopt:SO_REUSEPORT setsockopt:TCP_FASTOPEN "
       "setsockopt:TCP_DEFER_ACCEPT bind listen getsockname",
       [&] { return listen(listen_on(any(), listen_options)); }},
      {"listen_on_path", "socket bind lstat listen getsockname", [&] { return listen(listen_on(fresh.text)); }},
      {"close_listener", "lstat unlink close",
       [&] {
         for (ListenResult &each : listeners)
           if (each && !each->path.path().empty())
             return told(each->close());
         return std::string("none");
       }},
      {"listen_on_path_options", "socket fchmod open flock bind lstat chmod listen getsockname close",
       [&] { return listen(listen_on(with_mode.text, path_options)); }},
      {"listen_on_stale_path",
       "socket open flock bind lstat socket connect close unlink bind lstat listen getsockname close",
       [&] { return listen(listen_on(stale.text, stale_options)); }},

      {"accept_until", "accept4", [&] { return accept(accept_until(listener)); }},
      {"accept_until_deadline", "getsockopt:SO_ACCEPTCONN ppoll accept4",
       [&] { return accept(accept_until(listener, Seconds(20))); }},
      {"accept_each", "accept4 accept4",
       [&] {
         std::string seen;
         for (auto &each : accept_each(listener)) {
           seen += (seen.empty() ? "" : " ") + std::string(each ? "ok" : each.error().name());
           if (each)
             accepted.push_back(std::move(each));
           if (accepted.size() >= (only.empty() ? 4 : 2))
             break;
         }
         return only.empty() ? "ok" : seen;
       }},
      {"inherited_sockets", "", [&] { return told(inherited_sockets()); }},
  };

  for (const Helper &helper : all) {
    const bool alone = only == helper.name;
    if (!alone && !only.empty())
      continue;
    if (only.empty() && !inet6 && std::strstr(helper.name, "inet6") != nullptr)
      continue;
    mark(std::string("begin ") + helper.name + '/' + helper.calls);
    const std::string result = helper.run();
    mark("end");
    if (alone)
      std::printf("%s\n", result.c_str());
    else
      need(result == "ok", (std::string(helper.name) + ": " + result).c_str());
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  const std::string mode = argc > 1 ? argv[1] : "";

  if (mode == "helpers" || mode == "helper")
    return helpers(argc > 2 ? argv[2] : "");

  if (mode == "serve") {
    const SocketAddress addresses[] = {any(), Inet6Address{in6addr_loopback}, UnixAddress::autobind()};
    for (const SocketAddress &address : addresses) {
      auto listener = value(Socket::socket(address.family(), SOCK_STREAM));
      if (auto bound = listener.bind(address); !bound && bound.error().is(EADDRNOTAVAIL))
        continue; // no IPv6
      value(listener.listen());
      auto client = value(Socket::socket(address.family(), SOCK_STREAM));
      value(client.connect(value(listener.getsockname())));
      auto server = value(listener.accept_from()).socket;
      value(client.send("hello"));
      need(value(server.recv()).text() == "hello", "serve");
      value(client.shutdown(SHUT_WR));
      value(client.close());
    }
    auto pair = value(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
    value(pair.first.send("hello"));
    need(value(pair.second.recvfrom()).data.text() == "hello", "serve");
    char room[8];
    const MutableBuffer in[] = {room};
    ControlBuffer<control_space(cmsg::scm::rights, 1)> control;
    IncomingBatch<1, control_space(cmsg::scm::rights, 1)> batch;
    batch.assign(0, in);
    value(send_fds(pair.first, "hello", {pair.first.fd()}));
    value(pair.second.recvmsg(in, control));
    value(send_fds(pair.first, "hello", {pair.first.fd()}));
    value(pair.second.recvmmsg(batch));
    for (const Control *each : {static_cast<const Control *>(&control), &batch[0].control})
      need(static_cast<bool>(value(each->get(cmsg::scm::rights)).take(0)), "serve");
    return 0;
  }

  Scene s;
  char buffer[64];
  MutableBuffer in[] = {buffer};
  ConstBuffer out[] = {"hello"};
  OutgoingMessage messages[] = {OutgoingMessage(out), OutgoingMessage(out)};
  IncomingBatch<2> batch;
  batch.assign(0, in);
  batch.assign(1, in);
  ControlBuffer<control_space(cmsg::ip::ttl)> ttl;
  ControlBuffer<control_space(cmsg::scm::rights, 1)> rights;
  ControlBuffer<control_space(cmsg::scm::rights, 1)> passed[rounds]; // descriptors are closed when it is used again
  FileDescriptor received[rounds];
  value(ttl.append(cmsg::ip::ttl, 64));
  value(rights.append(cmsg::scm::rights, {s.file.fd()}));
  ZeroCopyTracker<64> tracker;
  linger option = {};
  const OptionInfo *linger_row = find_option("SO_LINGER");
  const OptionValue linger_value = OptionValue::record().set("onoff", false).set("linger", Seconds(0));
  const bool once = mode != "count";

  auto make_many = [&] {
    s.many.clear();
    for (int i = 0; i < rounds; ++i)
      s.many.emplace_back(::socket(AF_INET, SOCK_DGRAM, 0));
  };
  auto make_clients = [&] {
    s.clients.clear();
    for (int i = 0; i < rounds; ++i) {
      s.clients.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
      SocketAddress address = value(s.tcp.getsockname());
      need(::connect(s.clients.back().fd(), address.data(), address.size()) == 0, "connect");
    }
  };
  auto fill = [&] { // so that there is something to receive, whatever the errors
    SocketAddress address = any();
    socklen_t length = SocketAddress::capacity;
    need(::getsockname(s.udp.fd(), address.data(), &length) == 0, "getsockname");
    for (int i = 0; i < rounds; ++i)
      need(::sendto(s.peer.fd(), "hello", 5, 0, address.data(), length) == 5, "sendto");
  };
  std::size_t next = 0;
  auto pass = [&] { // a descriptor, with each byte
    for (auto &each : passed)
      each.clear();
    for (auto &each : received)
      each = {};
    msghdr header = {};
    iovec part = {buffer, 1};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = const_cast<std::byte *>(rights.data());
    header.msg_controllen = rights.size();
    while (::recv(s.other.fd(), buffer, sizeof buffer, MSG_DONTWAIT) > 0)
      ;
    for (int i = 0; i < rounds; ++i)
      need(::sendmsg(s.local.fd(), &header, 0) == 1, "sendmsg");
  };
  auto receive = [&] {
    pass();
    for (auto &each : passed)
      need(note(s.other.recvmsg(in, each)), "recvmsg");
  };

  const Method methods[] = {
      {"socket", "socket", 1,
       [&] {
         auto made = Socket::socket(AF_INET, SOCK_DGRAM);
         bool ok = note(made);
         if (ok)
           s.many.push_back(std::move(*made));
         return ok;
       }},
      {"socketpair", "socketpair", 1,
       [&] {
         auto made = Socket::socketpair(AF_UNIX, SOCK_DGRAM);
         bool ok = note(made);
         if (ok) {
           s.many.push_back(std::move(made->first));
           s.many.push_back(std::move(made->second));
         }
         return ok;
       }},
      {"bind", "bind", 1, [&] { return note(s.many[next++].bind(any())); }, make_many},
      {"close", "close", 1, [&] { return note(s.many[next++].close()); }, make_many},
      {"destructor", "close", 1,
       [&] {
         s.many.pop_back();
         return true;
       },
       make_many},
      {"move", "close", 1,
       [&] {
         s.many[next++] = Socket();
         return true;
       },
       make_many},
      {"from_fd", "getsockopt", 1,
       [&] {
         auto taken = Socket::from_fd(s.udp.fd());
         bool ok = note(taken);
         if (ok)
           (void)taken->release();
         return ok;
       }},
      {"connect", "connect", 1, [&] { return note(s.udp.connect(s.address)); }},
      {"listen", "listen", 1, [&] { return note(s.tcp.listen()); }},
      {"accept", "accept4", 1,
       [&] {
         auto made = s.tcp.accept();
         bool ok = note(made);
         if (ok)
           s.many.push_back(std::move(*made));
         return ok;
       },
       make_clients},
      {"accept_from", "accept4", 1,
       [&] {
         auto made = s.tcp.accept_from();
         bool ok = note(made);
         if (ok)
           s.many.push_back(std::move(made->socket));
         return ok;
       },
       make_clients},
      {"dup", "fcntl", 1,
       [&] {
         auto made = s.udp.dup();
         bool ok = note(made);
         if (ok)
           s.many.push_back(std::move(*made));
         return ok;
       }},
      {"getsockname", "getsockname", 1, [&] { return note(s.udp.getsockname()); }},
      {"getpeername", "getpeername", 1, [&] { return note(s.udp.getpeername()); }},
      {"send", "sendto", 1, [&] { return note(s.udp.send("hello")); }},
      {"sendto", "sendto", 1, [&] { return note(s.udp.sendto("hello", s.address)); }},
      {"sendmsg", "sendmsg", 1, [&] { return note(s.udp.sendmsg(messages[0])); }},
      {"sendmsg_huge", "sendmsg", 1,
       [&] {
         // A sum of sizes that the kernel cannot count. It does not look at the bytes.
         const ConstBuffer huge[] = {{buffer, 1}, {buffer, SIZE_MAX}};
         return !note(s.udp.sendmsg(OutgoingMessage(huge))) && error.is(EINVAL);
       }},
      {"sendmsg_control", "sendmsg", 1, [&] { return note(s.udp.sendmsg({out, nullptr, ttl})); }},
      {"sendmsg_descriptors", "sendmsg", 1, [&] { return note(s.local.sendmsg({out, nullptr, rights})); }},
      {"sendmsg_stranded", "getsockopt", 1, // descriptors without a byte: asks what kind of socket it is
       [&] { return !note(s.local.sendmsg({{}, nullptr, rights})) && error.is(EINVAL); }},
      {"send_fds", "sendmsg", 1, [&] { return note(send_fds(s.local, "hello", {s.file.fd()})); }},
      {"send_segments", "sendmsg", 1, [&] { return note(send_segments(s.udp, "hello", 5)); }},
      {"sendmmsg", "sendmmsg", 1, [&] { return note(s.udp.sendmmsg(messages)); }},
      {"sendmmsg_all", "sendmmsg", 1, [&] { return note(sendmmsg_all(s.udp, messages).result); }},
      {"zero_copy_send", "sendto", 1, [&] { return note(tracker.send(s.zero, "hello")); },
       [&] { (void)tracker.send(s.zero, "hello"); }}, // the first asks SO_ZEROCOPY
      {"recv", "recvfrom", 1, [&] { return note(s.udp.recv(buffer)); }, fill},
      {"recv_size", "recvfrom", 1, [&] { return note(s.udp.recv(64)); }, fill},
      {"recv_nothing", "recvfrom", 1, [&] { return !note(s.udp.recv(buffer, MSG_DONTWAIT)); }},
      {"recvfrom", "recvfrom", 1, [&] { return note(s.udp.recvfrom(buffer)); }, fill},
      {"recvfrom_size", "recvfrom", 1, [&] { return note(s.udp.recvfrom(64)); }, fill},
      {"recvmsg", "recvmsg", 1, [&] { return note(s.udp.recvmsg(in)); }, fill},
      {"recvmsg_control", "recvmsg", 1, [&] { return note(s.udp.recvmsg(in, ttl)); }, fill},
      {"recvmsg_descriptors", "recvmsg", 1, [&] { return note(s.other.recvmsg(in, passed[next++])); }, pass},
      {"recv_fds", "recvmsg", 1, [&] { return note(recv_fds(s.other, buffer, {&received[next++], 1})); }, pass},
      {"recv_segments", "recvmsg", 1, [&] { return note(recv_segments(s.udp, buffer)); }, fill},
      {"recv_error", "recvmsg", 1, [&] { return !note(recv_error(s.udp)); }}, // there is none
      {"clear", "close", 1,
       [&] {
         passed[next++].clear();
         return true;
       },
       receive},
      {"take", "close", 0,
       [&] {
         received[next] = passed[next].get(cmsg::scm::rights)->take(0);
         return received[next++].fd() >= 0;
       },
       receive},
      {"append", "sendmsg", 0,
       [&] {
         ttl.clear();
         return note(ttl.append(cmsg::ip::ttl, 64)) && note(ttl.get(cmsg::ip::ttl));
       }},
      {"recvmmsg", "recvmmsg", 1, [&] { return note(s.udp.recvmmsg(batch, MSG_PEEK | MSG_WAITFORONE)); }, fill},
      {"sendfile", "sendfile", 1, [&] { return note(s.udp.sendfile(s.file.fd(), 0, 5)); }},
      {"getsockopt", "getsockopt", 1, [&] { return note(s.udp.getsockopt(so::type)); }},
      {"getsockopt_bool", "getsockopt", 1, [&] { return note(s.udp.getsockopt(so::reuseaddr)); }},
      {"getsockopt_interface", "getsockopt", 1, [&] { return note(s.udp.getsockopt(ip::unicast_if)); }},
      {"getsockopt_duration", "getsockopt", 1, [&] { return note(s.tcp.getsockopt(tcp::keepidle)); }},
      {"getsockopt_timeval", "getsockopt", 1, [&] { return note(s.udp.getsockopt(so::rcvtimeo)); }},
      {"getsockopt_linger", "getsockopt", 1, [&] { return note(s.udp.getsockopt(so::linger)); }},
      {"getsockopt_name", "getsockopt", 1, [&] { return note(s.tcp.getsockopt(tcp::congestion)); }},
      {"getsockopt_partial", "getsockopt", 1, [&] { return note(s.tcp.getsockopt(tcp::info)); }},
      {"getsockopt_struct", "getsockopt", 1, [&] { return note(s.udp.getsockopt(ip::multicast_if)); }},
      {"getsockopt_grown", "getsockopt", 1, [&] { return note(s.udp.getsockopt(ip::options)); }}, // fits at once
      {"getsockopt_list", "getsockopt", 1, [&] { return note(s.local.getsockopt(so::peergroups)); }},
      {"getsockopt_peercred", "getsockopt", 1, [&] { return note(s.local.getsockopt(so::peercred)); }},
      {"getsockopt_filter", "getsockopt", 2, [&] { return note(s.filtered.getsockopt(so::get_filter)); }},
      {"getsockopt_number", "getsockopt", 1, [&] { return note(s.udp.getsockopt(SOL_SOCKET, SO_LINGER)); }},
      {"getsockopt_row", "getsockopt", 1, [&] { return note(s.udp.getsockopt(*linger_row)); }},
      {"getsockopt_bytes", "getsockopt", 1,
       [&] { return note(s.udp.getsockopt(SOL_SOCKET, SO_LINGER, {&option, sizeof option})); }},
      {"setsockopt", "setsockopt", 1, [&] { return note(s.udp.setsockopt(ip::ttl, 64)); }},
      {"setsockopt_bool", "setsockopt", 1, [&] { return note(s.udp.setsockopt(so::reuseaddr, true)); }},
      {"setsockopt_interface", "setsockopt", 1, [&] { return note(s.udp.setsockopt(ip::unicast_if, Interface())); }},
      {"setsockopt_duration", "setsockopt", 1, [&] { return note(s.tcp.setsockopt(tcp::keepidle, Seconds(5))); }},
      {"setsockopt_timeval", "setsockopt", 1, [&] { return note(s.udp.setsockopt(so::sndtimeo, Seconds(5))); }},
      {"setsockopt_linger", "setsockopt", 1, [&] { return note(s.udp.setsockopt(so::linger, Linger::off())); }},
      {"setsockopt_name", "setsockopt", 1, [&] { return note(s.tcp.setsockopt(tcp::congestion, "reno")); }},
      {"setsockopt_struct", "setsockopt", 1, [&] { return note(s.udp.setsockopt(ip::multicast_if, ip_mreqn{})); }},
      {"setsockopt_options", "setsockopt", 1, [&] { return note(s.udp.setsockopt(ip::options, ConstBuffer())); }},
      {"setsockopt_filter", "setsockopt", 1, [&] { return note(s.filtered.setsockopt(so::attach_filter, program)); }},
      {"setsockopt_none", "setsockopt", 1, [&] { return !note(s.udp.setsockopt(so::detach_filter)); }}, // ENOENT
      {"setsockopt_number", "setsockopt", 1,
       [&] { return note(s.udp.setsockopt(SOL_SOCKET, SO_RCVTIMEO, OptionValue(Seconds(5)))); }},
      {"setsockopt_row", "setsockopt", 1, [&] { return note(s.udp.setsockopt(*linger_row, linger_value)); }},
      {"setsockopt_refused", "setsockopt", 0,
       [&] {
         return !note(s.udp.setsockopt(so::rcvtimeo, Seconds(-1))) && error.is(EDOM) &&
                !note(s.udp.setsockopt(*linger_row, OptionValue(5))) && error.is(EINVAL);
       }},
      {"setsockopt_raw", "setsockopt", 1, [&] { return note(s.udp.setsockopt(SOL_SOCKET, SO_REUSEADDR, true)); }},
      {"setsockopt_text", "setsockopt", 1,
       [&] { return note(s.tcp.setsockopt(IPPROTO_TCP, tcp::congestion.number, "reno")); }},
      {"setsockopt_bytes", "setsockopt", 1,
       [&] { return note(s.udp.setsockopt(SOL_SOCKET, SO_LINGER, ConstBuffer(&option, sizeof option))); }},
      {"sockatmark", "ioctl", 1, [&] { return note(s.tcp.sockatmark()); }},
      {"bytes_readable", "ioctl", 1, [&] { return note(s.udp.bytes_readable()); }},
      {"bytes_unsent", "ioctl", 1, [&] { return note(s.udp.bytes_unsent()); }},
      {"nonblocking", "fcntl", 1, [&] { return note(s.udp.nonblocking()); }},
      {"set_nonblocking", "fcntl", 2, [&] { return note(s.udp.set_nonblocking(false)); }},
      {"close_on_exec", "fcntl", 1, [&] { return note(s.udp.close_on_exec()); }},
      {"set_close_on_exec", "fcntl", 2, [&] { return note(s.udp.set_close_on_exec(true)); }},
      {"shutdown", "shutdown", 1, [&] { return note(s.udp.shutdown(SHUT_WR)); }},
  };

  // The peer's port, and a listener.
  const SocketAddress loopback = any();
  s.address = loopback;
  socklen_t length = SocketAddress::capacity;
  need(::bind(s.peer.fd(), loopback.data(), loopback.size()) == 0, "bind");
  need(::bind(s.udp.fd(), loopback.data(), loopback.size()) == 0, "bind");
  need(::bind(s.tcp.fd(), loopback.data(), loopback.size()) == 0, "bind");
  need(::getsockname(s.peer.fd(), s.address.data(), &length) == 0, "getsockname");
  need(::connect(s.udp.fd(), s.address.data(), s.address.size()) == 0, "connect");
  const int on = 1;
  need(::connect(s.zero.fd(), s.address.data(), s.address.size()) == 0, "connect");
  need(::setsockopt(s.zero.fd(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0, "setsockopt");
  need(::listen(s.tcp.fd(), 128) == 0, "listen");
  need(::write(s.file.fd(), "hello", 5) == 5, "write");
  int pair[2];
  need(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
  s.local = Socket(pair[0]);
  s.other = Socket(pair[1]);
  const sock_fprog filter = {1, const_cast<sock_filter *>(program)};
  need(::setsockopt(s.filtered.fd(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0, "setsockopt");
  s.many.reserve(1000); // a growing vector's system calls are not the method's
  s.clients.reserve(1000);

  for (const Method &method : methods) {
    if (once && mode != method.name)
      continue;
    next = 0;
    mark("prepare");
    if (method.before)
      method.before();
    const int times = once ? 1 : rounds;
    mark(std::string("begin ") + method.name + ' ' + method.call + ' ' + std::to_string(times * method.times));
    bool ok = true;
    for (int i = 0; i < times; ++i)
      ok = method.run() && ok;
    mark("end");
    if (once) {
      std::printf("%s %s\n", operation_name(error.operation()), error.name());
      std::fflush(stdout);
      // Descriptors whose close was injected away stay open: that is the point.
      std::_Exit(0);
    }
    need(ok, method.name);
    // What was sent between the two is not the next method's.
    while (::recv(s.udp.fd(), buffer, sizeof buffer, MSG_DONTWAIT) >= 0)
      ;
    while (::recv(s.peer.fd(), buffer, sizeof buffer, MSG_DONTWAIT) >= 0)
      ;
    s.many.clear();
    s.clients.clear();
  }
  return 0;
}
