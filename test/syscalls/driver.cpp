// SPDX-License-Identifier: MIT
/// What test/syscalls.sh watches under strace.
///   syscalls count      every method, often; between marks that say what the kernel is to see
///   syscalls serve      a server and a client, on every kind of socket
///   syscalls METHOD     one method, once; prints its error

#include <baresock/baresock.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <linux/filter.h>
#include <string>
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

} // namespace

int main(int argc, char **argv) {
  const std::string mode = argc > 1 ? argv[1] : "";

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
