// SPDX-License-Identifier: MIT
/// What must not compile: test/compile.sh compiles this file once without CASE, which has to work, and once for
/// each case, which must not.

#include <baresock/baresock.hpp>

#include <chrono>
#include <linux/filter.h>
#include <string>
#include <vector>

using namespace baresock;
using namespace std::chrono_literals;

/// Beside each option that is refused below, what it does take.
[[maybe_unused]] static void options(const Socket &socket, const std::string &fixed, const ucred &peer) {
  struct Own {
    int x;
  };
  constexpr Option<Own> own{SOL_SOCKET, 99, "SO_OWN"};
  constexpr Option<Own, Access::get> own_get{SOL_SOCKET, 99, "SO_OWN"};
  const sock_filter program[] = {{}};
  in6_flowlabel_req label = {};
  const in_addr group = {};

  (void)socket.getsockopt(so::error);
  (void)socket.setsockopt(so::error.level, so::error.number, 0); // the kernel may refuse it
  (void)socket.setsockopt(so::attach_filter, program);
  (void)socket.setsockopt(so::detach_filter);
  (void)socket.getsockopt(packet::hdrlen, 2);
  (void)socket.getsockopt(ip::msfilter, {group, group});
  (void)socket.getsockopt(ipv6::flowlabel_mgr, label);
  (void)socket.setsockopt(ipv6::flowlabel_mgr, &label);
  (void)socket.setsockopt(so::rcvtimeo, 5s);
  (void)socket.setsockopt(so::rcvtimeo, Seconds(5));
  (void)socket.setsockopt(so::rcvtimeo, std::chrono::duration<double>(0.5));
  (void)socket.setsockopt(tcp::keepidle, 5min);
  (void)socket.setsockopt(so::reuseaddr, true);
  (void)socket.setsockopt(so::reuseaddr, 1);
  (void)socket.setsockopt(so::rcvbuf, 4096);
  (void)socket.setsockopt(so::rcvbuf, 'x');
  (void)socket.setsockopt(so::linger, Linger::wait(5s));
  (void)socket.setsockopt(so::linger, {true, 5s});
  (void)socket.setsockopt(tcp::congestion, "reno");
  (void)socket.setsockopt(tcp::congestion, fixed);
  (void)socket.setsockopt(ip::options, ConstBuffer(fixed));
  (void)socket.setsockopt(ip::unicast_if, Interface(1));
  (void)socket.setsockopt(ip::unicast_if, 1u);
  (void)socket.setsockopt(ip::add_membership, ip_mreqn{});
  (void)socket.setsockopt(ip::local_port_range, {1, 2});
  (void)socket.setsockopt(alg::set_aead_authsize, 16);
  (void)socket.setsockopt(tipc::group_leave);
  (void)socket.setsockopt(own, Own{1});
  (void)socket.getsockopt(own_get);
  (void)socket.setsockopt(SOL_SOCKET, SO_LINGER, OptionValue::record().set("onoff", true).set("linger", 5s));
  const std::chrono::microseconds time = socket.getsockopt(so::rcvtimeo).value();
  (void)time;
  (void)peer;
}

[[maybe_unused]] static Result<void> cases(Socket &socket, const std::string &fixed, long number) {
  char room[8];
  (void)socket.recv(room);
#if CASE == 1 // a descriptor has one owner
  Socket copy(socket);
#elif CASE == 2 // an int is not a socket unasked
  Socket implicit = 3;
#elif CASE == 3 // a lent descriptor is not closed
  (void)SocketRef(socket)->close();
#elif CASE == 4 // nor released
  (void)SocketRef(socket)->release();
#elif CASE == 5 // an option of 8 bytes where the kernel takes 4
  (void)socket.setsockopt(SOL_SOCKET, SO_RCVBUF, number);
#elif CASE == 6
  (void)socket.setsockopt(SOL_SOCKET, SO_RCVTIMEO, 0.5);
#elif CASE == 7 // receiving into what may not be written
  (void)socket.recv(fixed);
#elif CASE == 8
  (void)socket.recv("literal");
#elif CASE == 9  // sending no bytes
  (void)socket.send(nullptr);
#elif CASE == 10 // objects are not bytes
  (void)socket.send(std::vector<int>{1, 2});
#elif CASE == 11 // ports are 16 bits
  (void)socket.bind(Inet4Address{INADDR_LOOPBACK, 70000});
#elif CASE == 12 // a result is looked at
  socket.listen();
#elif CASE == 13
  socket.send("x");
#elif CASE == 14 // the kernel takes at most 1024 messages
  IncomingBatch<1025> batch;
#elif CASE == 15
  IncomingBatch<0> batch;
#elif CASE == 16 // headers point into the object
  IncomingBatch<2> batch, copy(batch);
#elif CASE == 17
  (void)SocketAddress::parse(nullptr);
#elif CASE == 18 // received bytes have one owner
  Bytes bytes, copy(bytes);
#elif CASE == 19 // an Error is not a number, nor compared with one
  (void)(last_error() == 5);
#elif CASE == 20 // text is not an address
  (void)socket.connect("127.0.0.1:80");
#elif CASE == 21 // an option that is only read
  (void)socket.setsockopt(so::error, 0);
#elif CASE == 22
  (void)socket.setsockopt(so::peercred, ucred{});
#elif CASE == 23 // one that is only set
  (void)socket.getsockopt(so::attach_filter);
#elif CASE == 24
  (void)socket.getsockopt(so::detach_filter);
#elif CASE == 25 // one that wants a question
  (void)socket.getsockopt(packet::hdrlen);
#elif CASE == 26
  (void)socket.getsockopt(ip::msfilter);
#elif CASE == 27 // one that wants none
  (void)socket.getsockopt(so::error, 0);
#elif CASE == 28 // five what?
  (void)socket.setsockopt(so::rcvtimeo, 5);
#elif CASE == 29
  (void)socket.setsockopt(so::rcvtimeo, 0.5);
#elif CASE == 30
  (void)socket.setsockopt(tcp::keepidle, 5);
#elif CASE == 31 // neither a pointer nor text is a bool
  (void)socket.setsockopt(so::reuseaddr, &socket);
#elif CASE == 32
  (void)socket.setsockopt(so::reuseaddr, "off");
#elif CASE == 33
  (void)socket.setsockopt(so::reuseaddr, fixed);
#elif CASE == 34
  (void)socket.setsockopt(so::reuseaddr, 1.0);
#elif CASE == 35
  (void)socket.setsockopt(so::reuseaddr, nullptr);
#elif CASE == 36 // neither a bool nor a fraction is a number
  (void)socket.setsockopt(so::rcvbuf, true);
#elif CASE == 37
  (void)socket.setsockopt(so::rcvbuf, 4096.0);
#elif CASE == 38
  (void)socket.setsockopt(so::rcvbuf, "4096");
#elif CASE == 39
  (void)socket.setsockopt(so::rcvbuf, 5s);
#elif CASE == 40
  (void)socket.setsockopt(so::rcvbuf, Seconds(5));
#elif CASE == 41 // a number, which would be a struct of zeros
  (void)socket.setsockopt(so::linger, 5);
#elif CASE == 42 // on, or off?
  (void)socket.setsockopt(so::linger, Seconds(5));
#elif CASE == 43 // five what?
  (void)socket.setsockopt(so::linger, {true, 5});
#elif CASE == 44
  (void)Linger::wait(5);
#elif CASE == 45 // a number is not text
  (void)socket.setsockopt(tcp::congestion, 5);
#elif CASE == 46
  (void)socket.setsockopt(so::bindtodevice, nullptr);
#elif CASE == 47
  (void)socket.setsockopt(so::bindtodevice, Interface(1));
#elif CASE == 48 // nor bytes
  (void)socket.setsockopt(ip::options, 5);
#elif CASE == 49
  (void)socket.setsockopt(ip::options, nullptr);
#elif CASE == 50 // text is not an interface: Interface::from_name
  (void)socket.setsockopt(ip::unicast_if, "lo");
#elif CASE == 51 // another struct
  (void)socket.setsockopt(ip::add_membership, ipv6_mreq{});
#elif CASE == 52 // IP_MULTICAST_IF: got as this, set as ip_mreqn
  (void)socket.setsockopt(ip::multicast_if, in_addr{});
#elif CASE == 53 // no value
  (void)socket.setsockopt(so::reuseaddr);
#elif CASE == 54
  (void)socket.setsockopt(so::detach_filter, 0);
#elif CASE == 55
  (void)socket.setsockopt(tipc::group_leave, true);
#elif CASE == 56 // bytes are not a program
  (void)socket.setsockopt(so::attach_reuseport_cbpf, fixed);
#elif CASE == 57 // into which the kernel writes
  const in6_flowlabel_req label = {};
  (void)socket.setsockopt(ipv6::flowlabel_mgr, &label);
#elif CASE == 58
  (void)socket.setsockopt(ipv6::flowlabel_mgr, in6_flowlabel_req{});
#elif CASE == 59 // what the kernel gives has one owner
  auto pidfd = *socket.getsockopt(so::peerpidfd), copy = pidfd;
#elif CASE == 60
  auto groups = *socket.getsockopt(so::peergroups), copy = groups;
#elif CASE == 61
  OptionValue value, copy(value);
#elif CASE == 62 // whole seconds would cut a timeout
  std::chrono::seconds time = *socket.getsockopt(so::rcvtimeo);
#elif CASE == 63 // a time is not a number
  long time = *socket.getsockopt(so::rcvtimeo);
#elif CASE == 64 // nor a number a time
  Seconds time = 5;
#elif CASE == 65 // what holds a pointer is not copied as bytes
  (void)socket.getsockopt(Option<std::string>{1, 2, ""});
#elif CASE == 66 // a pointer is not a value at run time either
  (void)socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, &socket);
#elif CASE == 67
  OptionValue value = nullptr;
#elif CASE == 68
  OptionValue value = 0.5;
#elif CASE == 69 // an unlooked-at result
  socket.setsockopt(so::reuseaddr, true);
#elif CASE == 70
  socket.getsockopt(so::error);
#elif CASE == 71 // a descriptor has one owner
  FileDescriptor descriptor(3), copy(descriptor);
#elif CASE == 72
  FileDescriptor descriptor = 3;
#elif CASE == 73 // half an interface
  (void)socket.setsockopt(ip::unicast_if, 0.5);
#elif CASE == 74
  (void)socket.setsockopt(ip::unicast_if, true);
#endif
  return socket.setsockopt(SOL_SOCKET, SO_RCVBUF, static_cast<int>(number + static_cast<long>(fixed.size())));
}
