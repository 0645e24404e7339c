// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <climits>
#include <cstring>
#include <netinet/ip.h>
#include <vector>

using namespace baresock;

namespace {

/// A connected pair of UDP sockets on loopback.
struct Udp {
  Socket a = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  Socket b = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  SocketAddress a_name, b_name;

  Udp() {
    VALUE(a.bind(Inet4Address{INADDR_LOOPBACK, 0}));
    VALUE(b.bind(Inet4Address{INADDR_LOOPBACK, 0}));
    a_name = VALUE(a.getsockname());
    b_name = VALUE(b.getsockname());
  }
};

std::pair<Socket, Socket> unix_pair(int type) { return VALUE(Socket::socketpair(AF_UNIX, type)); }

/// One control message, as cmsg(3) lays it out.
template <class T>
std::vector<std::byte> control_message(int level, int type, const T &value) {
  std::vector<std::byte> room(CMSG_SPACE(sizeof value));
  msghdr header = {};
  header.msg_control = room.data();
  header.msg_controllen = room.size();
  cmsghdr *message = CMSG_FIRSTHDR(&header);
  message->cmsg_level = level;
  message->cmsg_type = type;
  message->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(message), &value, sizeof value);
  return room;
}

/// The int in the first control message.
int control_int(MutableBuffer control) {
  REQUIRE(control.size() >= CMSG_LEN(sizeof(int)));
  int value;
  std::memcpy(&value, control.data() + CMSG_LEN(0), sizeof value);
  return value;
}

} // namespace

TEST_SUITE_BEGIN("message");

TEST_CASE("gather and scatter") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  std::string dog = "dog";
  ConstBuffer out[] = {"the ", std::string_view("lazy "), dog, ConstBuffer()};
  CHECK(VALUE(a.sendmsg({out})) == 12);
  char first[6], second[20];
  MutableBuffer in[] = {first, MutableBuffer(), second};
  ReceivedMessage got = VALUE(b.recvmsg(in));
  CHECK(got.size == 12);
  CHECK(got.length == 12);
  CHECK(got.flags == MSG_CMSG_CLOEXEC); // which Linux gives back
  CHECK(std::string(first, 6) == "the la");
  CHECK(std::string(second, 6) == "zy dog");
  CHECK(got.address == SocketAddress());
  CHECK(got.control.empty());
  // A message is reusable, and a vector as good as an array.
  std::vector<ConstBuffer> parts(3, "ab");
  OutgoingMessage message(parts);
  CHECK(VALUE(a.sendmsg(message)) == 6);
  CHECK(VALUE(a.sendmsg(message, MSG_DONTWAIT)) == 6);
  CHECK(VALUE(b.recv()).text() == "abababababab");
  CHECK(VALUE(a.sendmsg(OutgoingMessage())) == 0);
}

TEST_CASE("a message with an address, and where one came from") {
  Udp udp;
  ConstBuffer out[] = {"to ", "b"};
  CHECK(VALUE(udp.a.sendmsg({out, &udp.b_name})) == 4);
  char room[16];
  MutableBuffer in[] = {room};
  ReceivedMessage got = VALUE(udp.b.recvmsg(in));
  CHECK(std::string(room, got) == "to b");
  CHECK(got.address == udp.a_name);
  CHECK_ERROR(udp.a.sendmsg({out}), EDESTADDRREQ, sendmsg);
}

TEST_CASE("what the kernel says of a message") {
  auto [a, b] = unix_pair(SOCK_SEQPACKET);
  char room[4];
  MutableBuffer in[] = {room};
  CHECK(VALUE(a.send("whole", MSG_EOR)) == 5);
  ReceivedMessage got = VALUE(b.recvmsg(in));
  CHECK(got.truncated());
  CHECK(got.size == 4);
  CHECK(got.length == 4); // MSG_TRUNC was not asked
  CHECK(VALUE(a.send("part")) == 4);
  got = VALUE(b.recvmsg(in));
  CHECK_FALSE(got.truncated());
  CHECK_FALSE(got.out_of_band());
  CHECK_FALSE(got.error_queue());
  CHECK_FALSE(got.control_truncated());

  MessageInfo info;
  CHECK_FALSE(info.end_of_record());
  info.flags = MSG_EOR;
  CHECK(info.end_of_record());
  info.flags = MSG_OOB;
  CHECK(info.out_of_band());
  info.flags = MSG_ERRQUEUE;
  CHECK(info.error_queue());
}

TEST_CASE("MSG_TRUNC tells the length of a message in several parts") {
  Udp udp;
  std::string datagram(5000, 'd');
  char first[6], second[4];
  MutableBuffer in[] = {first, second};
  CHECK(VALUE(udp.a.sendto(datagram, udp.b_name)) == 5000);
  ReceivedMessage got = VALUE(udp.b.recvmsg(in, {}, MSG_TRUNC));
  CHECK(got.size == 10);
  CHECK(got.length == 5000);
  CHECK(got.truncated());
  CHECK(VALUE(udp.a.sendto("tiny", udp.b_name)) == 4);
  got = VALUE(udp.b.recvmsg(in, {}, MSG_TRUNC));
  CHECK(got.size == 4);
  CHECK(got.length == 4);
  CHECK_FALSE(got.truncated());
}

TEST_CASE("raw control data, out and in") {
  Udp udp;
  VALUE(udp.b.setsockopt(IPPROTO_IP, IP_RECVTTL, true));
  ConstBuffer out[] = {"x"};
  CHECK(VALUE(udp.a.sendmsg({out, &udp.b_name, control_message(IPPROTO_IP, IP_TTL, 33)})) == 1);
  char room[8];
  MutableBuffer in[] = {room};
  alignas(cmsghdr) std::byte control[64];
  ReceivedMessage got = VALUE(udp.b.recvmsg(in, control));
  CHECK(got.control.data() == control);
  CHECK(got.control.size() == CMSG_SPACE(sizeof(int)));
  CHECK(control_int(got.control) == 33);
  CHECK_FALSE(got.control_truncated());
  // Too little room is told.
  CHECK(VALUE(udp.a.sendto("y", udp.b_name)) == 1);
  got = VALUE(udp.b.recvmsg(in, {control, sizeof(cmsghdr)}));
  CHECK(got.control_truncated());
}

TEST_CASE("descriptors are received close-on-exec, and dropped where there is no room") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_STREAM);
  ConstBuffer out[] = {"x"};
  char room[8];
  MutableBuffer in[] = {room};
  alignas(cmsghdr) std::byte control[64];
  CHECK(VALUE(a.sendmsg({out, nullptr, control_message(SOL_SOCKET, SCM_RIGHTS, a.fd())})) == 1);
  ReceivedMessage got = VALUE(b.recvmsg(in, control));
  CHECK(got.size == 1);
  Socket received(control_int(got.control));
  CHECK(VALUE(received.close_on_exec()));

  CHECK(VALUE(a.sendmsg({out, nullptr, control_message(SOL_SOCKET, SCM_RIGHTS, a.fd())})) == 1);
  got = VALUE(b.recvmsg(in));
  CHECK(got.size == 1);
  CHECK(got.control_truncated());
}

TEST_CASE("how many parts there can be") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  std::vector<ConstBuffer> out(1025, "x");
  CHECK(VALUE(a.sendmsg({Span<const ConstBuffer>(out.data(), 0)})) == 0);
  CHECK(VALUE(a.sendmsg({Span<const ConstBuffer>(out.data(), 1)})) == 1);
  CHECK(VALUE(a.sendmsg({Span<const ConstBuffer>(out.data(), IOV_MAX)})) == IOV_MAX);
  CHECK_ERROR(a.sendmsg({out}), EMSGSIZE, sendmsg);
  std::vector<char> room(1025);
  std::vector<MutableBuffer> in;
  for (char &c : room)
    in.emplace_back(&c, 1);
  CHECK_ERROR(b.recvmsg(in), EMSGSIZE, recvmsg);
  CHECK(VALUE(b.recvmsg({in.data(), IOV_MAX})).size == IOV_MAX);
  CHECK(VALUE(b.recvmsg({in.data(), 1})).size == 1);
  CHECK_ERROR(b.recv(room, MSG_DONTWAIT), EAGAIN, recv); // and nothing more was sent
}

TEST_CASE("parts that are no memory are the kernel's to refuse") {
  if (memory_is_checked())
    SKIP("a memory checker reports what this passes");
  auto [a, b] = unix_pair(SOCK_STREAM);
  char room[8];
  // Parts that together are more than the kernel can count.
  ConstBuffer huge[] = {{room, SIZE_MAX}, {room, 1}};
  CHECK_ERROR(a.sendmsg({huge}), EINVAL, sendmsg);
  MutableBuffer vast[] = {{room, SIZE_MAX}, {room, 1}};
  CHECK_ERROR(b.recvmsg(vast), EINVAL, recvmsg);
  // A null array that claims to have parts.
  CHECK_ERROR(a.sendmsg({Span<const ConstBuffer>(nullptr, 1)}), EFAULT, sendmsg);
  CHECK_ERROR(b.recvmsg({nullptr, 1}), EFAULT, recvmsg);
  CHECK_ERROR(b.recv(room, MSG_DONTWAIT), EAGAIN, recv); // and nothing was sent
}

TEST_CASE("sendmmsg sends each message whole, to its own address") {
  Udp udp;
  ConstBuffer one[] = {"one"}, two[] = {"tw", "o!"};
  std::vector<std::byte> ttl = control_message(IPPROTO_IP, IP_TTL, 9);
  OutgoingMessage messages[] = {{one, &udp.b_name}, {two, &udp.b_name, ttl}, {one, &udp.a_name}};
  CHECK(VALUE(udp.a.sendmmsg(messages)) == 3);
  CHECK(messages[0].sent() == 3);
  CHECK(messages[1].sent() == 4);
  CHECK(messages[2].sent() == 3);
  CHECK(VALUE(udp.b.recv()).text() == "one");
  CHECK(VALUE(udp.b.recv()).text() == "two!");
  CHECK(VALUE(udp.a.recv()).text() == "one");
  CHECK(VALUE(udp.a.sendmmsg({})) == 0);
}

TEST_CASE("a short sendmmsg: the next message failed, and says so when it is sent again") {
  Udp udp;
  ConstBuffer part[] = {"x"};
  SocketAddress broadcast = Inet4Address{INADDR_BROADCAST, 9};
  OutgoingMessage messages[] = {{part, &udp.b_name}, {part, &broadcast}, {part, &udp.b_name}};
  clear_error();
  CHECK(VALUE(udp.a.sendmmsg(messages)) == 1);
  CHECK(last_error() == Error()); // a success
  CHECK_ERROR(udp.a.sendmmsg({messages + 1, 2}), EACCES, sendmmsg);
  CHECK(VALUE(udp.a.sendmmsg({messages + 2, 1})) == 1);
}

TEST_CASE("recvmmsg fills a batch, again and again") {
  Udp udp;
  VALUE(udp.b.setsockopt(IPPROTO_IP, IP_RECVTTL, true));
  char rooms[4][8];
  alignas(cmsghdr) std::byte controls[4][64];
  MutableBuffer parts[4] = {rooms[0], rooms[1], rooms[2], rooms[3]};
  IncomingBatch<4> batch;
  CHECK(batch.capacity() == 4);
  CHECK(batch.size() == 0);
  for (std::size_t i = 0; i < 4; ++i)
    batch.assign(i, {&parts[i], 1}, controls[i]);

  // The first round has no TTL messages for the second to inherit a length from; the third has them again.
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    VALUE(udp.b.setsockopt(IPPROTO_IP, IP_RECVTTL, round != 1));
    VALUE(udp.a.setsockopt(IPPROTO_IP, IP_TTL, 10 + round));
    CHECK(VALUE(udp.a.sendto("a", udp.b_name)) == 1);
    CHECK(VALUE(udp.a.sendto("bc", udp.b_name)) == 2);
    CHECK(VALUE(udp.b.recvmmsg(batch, MSG_WAITFORONE)) == 2);
    CHECK(batch.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      IncomingMessages::Message message = batch[i];
      CHECK(message.size == i + 1);
      CHECK(message.length == i + 1);
      CHECK(message.address == udp.a_name);
      CHECK_FALSE(message.truncated());
      CHECK_FALSE(message.control_truncated());
      if (round == 1)
        CHECK(message.control.empty());
      else
        CHECK(control_int(message.control) == 10 + round);
    }
    CHECK(std::string(rooms[1], 2) == "bc");
  }
  CHECK_ERROR(udp.b.recvmmsg(batch, MSG_DONTWAIT), EAGAIN, recvmmsg);
  CHECK(batch.size() == 0);
}

TEST_CASE("recvmmsg: the real lengths, no room, no address") {
  Udp udp;
  char room[4];
  MutableBuffer part[] = {room};
  IncomingBatch<2> batch;
  batch.assign(0, part); // the second has no room
  CHECK(VALUE(udp.a.sendto("longer", udp.b_name)) == 6);
  CHECK(VALUE(udp.a.sendto("dropped", udp.b_name)) == 7);
  CHECK(VALUE(udp.b.recvmmsg(batch, MSG_TRUNC)) == 2);
  CHECK(batch[0].size == 4);
  CHECK(batch[0].length == 6);
  CHECK(batch[0].truncated());
  CHECK(batch[1].size == 0);
  CHECK(batch[1].length == 7);
  CHECK(batch[1].truncated());
  // Addresses of the call before do not shine through.
  auto [a, b] = unix_pair(SOCK_STREAM);
  CHECK(VALUE(a.send("x")) == 1);
  CHECK(VALUE(b.recvmmsg(batch, MSG_WAITFORONE)) == 1);
  CHECK(batch[0].address.family() == AF_UNSPEC);
}

TEST_CASE("recvmmsg has no timeout of its own, SO_RCVTIMEO ends it") {
  Udp udp;
  timeval time = {0, 20000};
  VALUE(udp.b.setsockopt(SOL_SOCKET, SO_RCVTIMEO, {&time, sizeof time}));
  char rooms[2][8];
  MutableBuffer parts[] = {rooms[0], rooms[1]};
  IncomingBatch<2> batch;
  batch.assign(0, {&parts[0], 1});
  batch.assign(1, {&parts[1], 1});
  CHECK_ERROR(udp.b.recvmmsg(batch), EAGAIN, recvmmsg);
  CHECK(VALUE(udp.a.sendto("x", udp.b_name)) == 1);
  CHECK(VALUE(udp.b.recvmmsg(batch)) == 1); // it waited for the second in vain
}

TEST_CASE("the error queue") {
  Udp udp;
  VALUE(udp.a.setsockopt(IPPROTO_IP, IP_RECVERR, true));
  SocketAddress nobody;
  {
    Udp gone;
    nobody = gone.b_name;
  }
  CHECK(VALUE(udp.a.sendto("lost", nobody)) == 4);
  char room[16];
  MutableBuffer in[] = {room};
  alignas(cmsghdr) std::byte control[256];
  ReceivedMessage got = VALUE(udp.a.recvmsg(in, control, MSG_ERRQUEUE));
  CHECK(got.error_queue());
  CHECK(got.address == nobody); // where it was sent to
  CHECK(std::string(room, got) == "lost");
  CHECK_FALSE(got.control.empty());
  CHECK_ERROR(udp.a.recvmsg(in, control, MSG_ERRQUEUE), EAGAIN, recvmsg);
}

TEST_SUITE_END();
