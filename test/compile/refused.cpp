// SPDX-License-Identifier: MIT
/// What must not compile: test/compile.sh compiles this file once without CASE, which has to work, and once for
/// each case, which must not.

#include <baresock/baresock.hpp>

#include <chrono>
#include <functional>
#include <linux/filter.h>
#include <memory>
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

/// Beside each control message that is refused below, what is taken.
[[maybe_unused]] static void controls(const Socket &socket, Control &control, const SocketAddress &address) {
  static constexpr ControlKind<stored::Descriptors> own{SOL_SOCKET, 99, "SCM_OWN"};
  constexpr ControlSpace one = control_space(own, 1);
  const std::string text = "text";
  const int fds[] = {1, 2};
  const ConstBuffer out[] = {"x"};
  char room[8];
  const MutableBuffer in[] = {room};
  ControlBuffer<control_space(cmsg::ip::ttl) + control_space(cmsg::scm::rights, 3) + 8> buffer;
  ControlBuffer<one + one + one + one> four;
  IncomingBatch<2, control_space(cmsg::ip::ttl)> batch;

  (void)control.append(cmsg::ip::ttl, 64);
  (void)control.append(cmsg::ip::tos, 'x');
  (void)control.append(cmsg::ip::pktinfo, {});
  (void)control.append(cmsg::scm::rights, {1, 2});
  (void)control.append(cmsg::scm::rights, fds);
  (void)control.append(cmsg::scm::rights, std::vector<int>{1, 2});
  (void)control.append(cmsg::scm::txtime, 5s);
  (void)control.append(cmsg::scm::txtime, Nanoseconds(5));
  (void)control.append(cmsg::ipv6::hopopts, text);
  (void)control.append(cmsg::alg::set_iv, text);
  (void)control.append(1, 2, text);
  (void)control.get(cmsg::ip::recverr);
  (void)socket.recvmsg(in, control);
  (void)socket.recvmsg(in, buffer, MSG_PEEK);
  (void)socket.recvmsg(in, MSG_PEEK);
  (void)socket.recvmmsg(batch, MSG_WAITFORONE);
  (void)socket.sendmsg({out, &address, control});
  (void)socket.sendmsg({out, nullptr, ConstBuffer(text)});
  for (ControlMessage message : control) {
    (void)message.as(cmsg::ip::recverr);
    if (auto passed = message.as(cmsg::scm::rights))
      FileDescriptor descriptor = passed->take(0);
  }
}

/// Beside what the functions above the calls refuse below, what they take.
[[maybe_unused]] static void above(const Socket &socket, const std::string &fixed, pollfd &item) {
  int count = 0;
  const auto large = [fixed](const Socket &, const SocketAddress &) -> Result<void> { return {}; };
  ConnectOptions options;
  options.before_connect = [&](const Socket &, const SocketAddress &) -> Result<void> {
    ++count;
    return {};
  };
  options.before_connect = std::ref(large);
  options.before_connect = nullptr;
  options.blocked = [](const SocketAddress &address) { return address.family() == AF_INET; };
  options.deadline = 5s;
  (void)connect_to("localhost", "http", {.deadline = 5s, .local_port = 80});
  (void)connect_to("localhost", 80);
  (void)connect_to("localhost", nullptr);
  (void)connect_to(nullptr, 80);
  (void)connect_to(fixed, fixed);
  (void)connect_to("127.0.0.1:80", options);
  (void)getaddrinfo("localhost", std::uint16_t{80});
  (void)listen_on(80, {.backlog = 5});
  (void)listen_on("localhost", 80);
  (void)listen_on("127.0.0.1:80");
  for ([[maybe_unused]] auto &accepted : accept_each(socket, 5s))
    ;
  (void)poll({&item, 1}, 5s);
  (void)wait_for(socket, POLLIN, Seconds(5));
  (void)send_all(socket, "text", std::chrono::steady_clock::now() + 5s, MSG_MORE);
  (void)set_timeouts(socket, 5s, 5ms);
  List<int> list, moved(std::move(list));
  (void)moved.append(1);
  List<int> of_bytes{Bytes()};
}

[[maybe_unused]] static Result<void> cases(Socket &socket, const std::string &fixed, long number, Control &control,
                                           const SocketAddress &address) {
  const MutableBuffer in[] = {MutableBuffer()};
  const ConstBuffer out[] = {ConstBuffer()};
  [[maybe_unused]] static constexpr ControlKind<stored::Descriptors> own{SOL_SOCKET, 99, "SCM_OWN"};
  char room[8];
  (void)socket.recv(room);
  (void)socket.recvmsg(in, control);
  (void)socket.sendmsg({out, &address, control});
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
#elif CASE == 75 // a control message that is only received
  (void)control.append(cmsg::ip::recverr, ReceivedError{});
#elif CASE == 76
  (void)control.append(cmsg::scm::pidfd, {1});
#elif CASE == 77
  (void)control.append(cmsg::udp::gro, 100);
#elif CASE == 78 // one that is only sent
  (void)control.get(cmsg::udp::segment);
#elif CASE == 79
  (void)(*control.begin()).as(cmsg::udp::segment);
#elif CASE == 80
  (void)control.get(cmsg::alg::set_iv);
#elif CASE == 81 // neither a bool nor a fraction is a number
  (void)control.append(cmsg::ip::ttl, true);
#elif CASE == 82
  (void)control.append(cmsg::ip::ttl, 64.0);
#elif CASE == 83
  (void)control.append(cmsg::ip::ttl, "64");
#elif CASE == 84 // nor a pointer
  (void)control.append(cmsg::ip::ttl, &number);
#elif CASE == 85
  (void)control.append(cmsg::ip::ttl, nullptr);
#elif CASE == 86
  (void)control.append(cmsg::ip::ttl, 5s);
#elif CASE == 87 // five what?
  (void)control.append(cmsg::scm::txtime, 5);
#elif CASE == 88 // another struct
  (void)control.append(cmsg::ip::pktinfo, in6_pktinfo{});
#elif CASE == 89 // a number, which would be a struct of zeros
  (void)control.append(cmsg::ip::pktinfo, 1);
#elif CASE == 90 // one descriptor is a list of one
  (void)control.append(cmsg::scm::rights, 3);
#elif CASE == 91
  (void)control.append(cmsg::scm::rights, socket);
#elif CASE == 92 // descriptors are of int
  (void)control.append(cmsg::scm::rights, std::vector<long>{3});
#elif CASE == 93 // objects are not bytes
  (void)control.append(1, 2, 64);
#elif CASE == 94
  (void)control.append(1, 2, nullptr);
#elif CASE == 95
  (void)control.append(cmsg::ipv6::hopopts, std::vector<int>{1, 2});
#elif CASE == 96 // an unlooked-at result
  control.append(cmsg::ip::ttl, 64);
#elif CASE == 97
  control.get(cmsg::ip::ttl);
#elif CASE == 98
  socket.recvmsg(in, control);
#elif CASE == 99 // descriptors that are received have an owner: not just any bytes
  char raw[64];
  (void)socket.recvmsg(in, raw);
#elif CASE == 100
  char raw[64];
  (void)socket.recvmsg(in, MutableBuffer(raw));
#elif CASE == 101 // which is one
  ControlBuffer<64> buffer, copy(buffer);
#elif CASE == 102
  ControlBuffer<64> buffer, moved(std::move(buffer));
#elif CASE == 103
  ControlBuffer<64> buffer, other;
  buffer = other;
#elif CASE == 104
  ControlBuffer<64> buffer, other;
  buffer = std::move(other);
#elif CASE == 105
  control = std::move(control);
#elif CASE == 106 // and has room
  Control none;
#elif CASE == 107 // of a size that is known
  ControlBuffer<-1> buffer;
#elif CASE == 108
  ControlBuffer<control_space(cmsg::scm::rights)> buffer;
#elif CASE == 109
  ControlBuffer<control_space(cmsg::scm::rights, -1)> buffer;
#elif CASE == 110
  ControlBuffer<control_space(cmsg::ip::ttl, 2)> buffer;
#elif CASE == 111 // it names four kinds of one's own that carry descriptors
  constexpr ControlSpace one = control_space(own, 1);
  ControlBuffer<one + one + one + one + one> buffer;
#elif CASE == 112 // a message is a view of a buffer
  ControlMessage message;
#elif CASE == 113 // what is to be taken is not unasked a number, nor a socket
  int fd = control.get(cmsg::scm::rights)->take(0);
#elif CASE == 114
  Socket taken = control.get(cmsg::scm::rights)->take(0);
#elif CASE == 115 // only one of a message's parts owns it
  auto taken = control.get(cmsg::scm::rights)->take(0), copy = taken;
#elif CASE == 116 // recvmmsg(2) has a timeout that the kernel forgets: poll(2), SO_RCVTIMEO
  IncomingBatch<2> batch;
  (void)socket.recvmmsg(batch, MSG_WAITFORONE, Seconds(5));
#elif CASE == 117
  IncomingBatch<2> batch;
  timespec time = {};
  (void)socket.recvmmsg(batch, MSG_WAITFORONE, &time);
#elif CASE == 118
  IncomingBatch<2> batch;
  (void)socket.recvmmsg(batch, 5s);
#elif CASE == 119 // the control data of a batch is its own
  IncomingBatch<2> batch;
  batch.assign(0, in, control);
#elif CASE == 120
  IncomingBatch<2> batch;
  batch[0].control.clear();
#elif CASE == 121
  IncomingBatch<2, 64> batch, moved(std::move(batch));
#elif CASE == 122 // an address that lasts
  (void)socket.sendmsg({out, Inet4Address{INADDR_LOOPBACK, 9}});
#elif CASE == 123
  (void)socket.sendmsg({out, address, control});
#elif CASE == 124 // receiving into what may not be written
  (void)socket.recvmsg(out, control);
#elif CASE == 125 // a constant buffer
  const Control &constant = control;
  (void)socket.recvmsg(in, constant);
#elif CASE == 126
  const Control &constant = control;
  (void)constant.append(cmsg::ip::ttl, 64);
#elif CASE == 127 // what holds a pointer is not copied as bytes
  (void)control.append(ControlKind<std::string>{1, 2, ""}, fixed);
#elif CASE == 128 // a kind is not a number, and a number not a kind
  (void)control.get(IP_TTL);
#elif CASE == 129 // a Function holds what is as large as four pointers
  Function<int()> function = [a = 1L, b = 2L, c = 3L, d = 4L, e = 5L] { return static_cast<int>(a + b + c + d + e); };
#elif CASE == 130 // and needs no destructor
  Function<int()> function = [fixed] { return static_cast<int>(fixed.size()); };
#elif CASE == 131
  Function<int()> function = [owner = std::make_unique<int>(1)] { return *owner; };
#elif CASE == 132 // nor more alignment
  struct alignas(32) Aligned {
    char room[32];
  };
  Function<int()> function = [aligned = Aligned()] { return static_cast<int>(aligned.room[0]); };
#elif CASE == 133 // of the signature that is asked for
  ConnectOptions options;
  options.before_connect = [](const Socket &) -> Result<void> { return {}; };
#elif CASE == 134
  ConnectOptions options;
  options.before_connect = [](const Socket &, const SocketAddress &) { return "no result"; };
#elif CASE == 135
  ConnectOptions options;
  options.before_connect = [](Socket &, const SocketAddress &) -> Result<void> { return {}; };
#elif CASE == 136
  ConnectOptions options;
  options.blocked = [](const SocketAddress &) {};
#elif CASE == 137 // another Function does not fit into one
  Function<int()> function = [] { return 1; };
  Function<long()> other = function;
#elif CASE == 138 // text is not a deadline, nor is a number: five what?
  (void)send_all(socket, "text", 5);
#elif CASE == 139
  (void)send_all(socket, "text", 0.5);
#elif CASE == 140
  (void)wait_for(socket, 0, nullptr);
#elif CASE == 141
  Deadline deadline = true;
#elif CASE == 142
  (void)connect_to("127.0.0.1:80", {.deadline = 5});
#elif CASE == 143 // flags are not a deadline
  (void)send_all(socket, "text", MSG_MORE);
#elif CASE == 144 // a range over a listener that is gone
  for ([[maybe_unused]] auto &accepted : accept_each(Socket(number)))
    ;
#elif CASE == 145
  (void)accept_each(std::move(socket), 5s);
#elif CASE == 146
  (void)accept_each(*Socket::socket(AF_INET, SOCK_STREAM));
#elif CASE == 147 // what is no port
  Service service = true;
#elif CASE == 148
  Service service = 'h';
#elif CASE == 149
  Service service = 80.0;
#elif CASE == 150
  Service service = &number;
#elif CASE == 151
  (void)connect_to("localhost", false);
#elif CASE == 152
  (void)getaddrinfo("localhost", '8');
#elif CASE == 153 // nor host
  Host host = true;
#elif CASE == 154
  Host host = 127;
#elif CASE == 155
  Host host = 'h';
#elif CASE == 156
  (void)getaddrinfo(0.5, "http");
#elif CASE == 157 // ports are 16 bits
  (void)connect_to("127.0.0.1:80", {.local_port = 70000});
#elif CASE == 158 // nor address
  (void)connect_to(nullptr);
#elif CASE == 159
  (void)connect_to(80);
#elif CASE == 160
  (void)listen_on(nullptr);
#elif CASE == 161 // a socket that was made is taken
  connect_to("127.0.0.1:80");
#elif CASE == 162 // an unlooked-at result
  send_all(socket, "text");
#elif CASE == 163
  recv_exact(socket, room);
#elif CASE == 164
  recv_until_eof(socket, 10);
#elif CASE == 165
  finish(socket);
#elif CASE == 166
  reset_and_close(socket);
#elif CASE == 167
  poll({});
#elif CASE == 168
  listen_on(80);
#elif CASE == 169 // a socket that is lent is not closed
  (void)finish(*SocketRef(socket), "bye");
#elif CASE == 170
  (void)reset_and_close(*SocketRef(socket));
#elif CASE == 171 // nor one that nobody has
  (void)finish(Socket(number));
#elif CASE == 172 // receiving into what may not be written
  (void)recv_exact(socket, fixed);
#elif CASE == 173 // poll(2) writes into its items
  const pollfd items[] = {{0, POLLIN, 0}};
  (void)poll(items);
#elif CASE == 174 // milliseconds, as poll(2) has them
  pollfd items[] = {{0, POLLIN, 0}};
  (void)poll(items, 500);
#elif CASE == 175 // five what?
  (void)set_timeouts(socket, 5, 5);
#elif CASE == 176
  (void)set_keepalive(socket, {.idle = 5});
#elif CASE == 177 // a List has one owner
  List<int> list, copy(list);
#elif CASE == 178
  List<int> list, copy;
  copy = list;
#elif CASE == 179 // bytes are not objects with constructors
  List<std::string> list{Bytes()};
#elif CASE == 180 // nor unasked any objects
  List<int> list = Bytes();
#elif CASE == 181 // malloc(3) aligns no further
  struct alignas(64) Aligned {
    char room[64];
  };
  List<Aligned> list;
#elif CASE == 182 // an unlooked-at result
  List<int> list;
  list.append(1);
#elif CASE == 183
  Bytes bytes;
  bytes.resize(1);
#elif CASE == 184 // what the C library made has one owner
  AddressInfoList list, copy(list);
#elif CASE == 185
  Listener listener, copy(listener);
#elif CASE == 186 // a path is removed once
  BoundPath path, copy(path);
#elif CASE == 187 // no port
  (void)listen_on(true);
#elif CASE == 188
  (void)listen_on('8');
#elif CASE == 189
  (void)listen_on(80.5);
#endif
  return socket.setsockopt(SOL_SOCKET, SO_RCVBUF, static_cast<int>(number + static_cast<long>(fixed.size())));
}
