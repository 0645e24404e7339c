// SPDX-License-Identifier: MIT
/// The calls that the figures count: MODE COUNT. With -DRAW on the raw calls, otherwise on baresock; the other end
/// of each call is a raw one in both.

#ifndef RAW
#include <baresock/control.hpp>
#include <baresock/option.hpp>
#include <baresock/socket.hpp>
#endif

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

char buffer[64];
int other;                                          // the other end
volatile std::size_t run_time_size = sizeof buffer; // lest the checks of sizes be folded away

void fill() { (void)::send(other, buffer, sizeof buffer, MSG_NOSIGNAL); }
void drain() { (void)::recv(other, buffer, sizeof buffer, 0); }

/// What three control messages say.
struct Told {
  in_pktinfo info;
  int ttl;
  std::uint8_t tos;
};

int judge(const Told &told) { return told.info.ipi_ifindex > 0 && told.ttl > 0 && told.tos == 0x10 ? 0 : 1; }

#ifdef RAW

using Socket = int;

[[gnu::always_inline]] inline int send(Socket socket, std::size_t size) {
  ssize_t sent = ::send(socket, buffer, size, MSG_NOSIGNAL);
  return sent < 0 ? errno : 0;
}

[[gnu::always_inline]] inline int sendto(Socket socket, std::size_t size, const sockaddr *address, socklen_t length) {
  ssize_t sent = ::sendto(socket, buffer, size, MSG_NOSIGNAL, address, length);
  return sent < 0 ? errno : 0;
}

[[gnu::always_inline]] inline int sendmsg(Socket socket, std::size_t size) {
  iovec part = {buffer, size};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ssize_t sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  return sent < 0 ? errno : 0;
}

[[gnu::always_inline]] inline int recv(Socket socket, std::size_t size) {
  ssize_t got = ::recv(socket, buffer, size, 0);
  return got < 0 ? errno : 0;
}

[[gnu::always_inline]] inline int recvfrom(Socket socket, std::size_t size) {
  sockaddr_storage address;
  socklen_t length = sizeof address;
  ssize_t got = ::recvfrom(socket, buffer, size, 0, reinterpret_cast<sockaddr *>(&address), &length);
  return got < 0 ? errno : length == 0 ? 1 : 0;
}

[[gnu::always_inline]] inline int recvmsg(Socket socket, std::size_t size) {
  sockaddr_storage address;
  iovec part = {buffer, size};
  msghdr header = {};
  header.msg_name = &address;
  header.msg_namelen = sizeof address;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ssize_t got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  return got < 0 ? errno : (header.msg_flags & MSG_TRUNC) != 0 || header.msg_namelen == 0 ? 1 : 0;
}

// As it is written by hand, with care: lengths are looked at, and MSG_CTRUNC.
[[gnu::always_inline]] inline int recv_control(Socket socket, std::size_t size) {
  sockaddr_storage address;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(1)];
  iovec part = {buffer, size};
  msghdr header = {};
  header.msg_name = &address;
  header.msg_namelen = sizeof address;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  if (got < 0)
    return errno;
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || header.msg_namelen == 0)
    return 1;
  Told told = {};
  for (cmsghdr *each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level != IPPROTO_IP)
      continue;
    if (each->cmsg_type == IP_PKTINFO && each->cmsg_len >= CMSG_LEN(sizeof told.info))
      std::memcpy(&told.info, CMSG_DATA(each), sizeof told.info);
    else if (each->cmsg_type == IP_TTL && each->cmsg_len >= CMSG_LEN(sizeof told.ttl))
      std::memcpy(&told.ttl, CMSG_DATA(each), sizeof told.ttl);
    else if (each->cmsg_type == IP_TOS && each->cmsg_len >= CMSG_LEN(sizeof told.tos))
      std::memcpy(&told.tos, CMSG_DATA(each), sizeof told.tos);
  }
  return judge(told);
}

[[gnu::always_inline]] inline int send_control(Socket socket, std::size_t size) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(1)] = {};
  iovec part = {buffer, size};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const Told told = {{0, {htonl(INADDR_LOOPBACK)}, {}}, static_cast<int>(size), 0x10};
  auto *each = CMSG_FIRSTHDR(&header);
  each->cmsg_level = IPPROTO_IP;
  each->cmsg_type = IP_PKTINFO;
  each->cmsg_len = CMSG_LEN(sizeof told.info);
  std::memcpy(CMSG_DATA(each), &told.info, sizeof told.info);
  each = CMSG_NXTHDR(&header, each);
  each->cmsg_level = IPPROTO_IP;
  each->cmsg_type = IP_TTL;
  each->cmsg_len = CMSG_LEN(sizeof told.ttl);
  std::memcpy(CMSG_DATA(each), &told.ttl, sizeof told.ttl);
  each = CMSG_NXTHDR(&header, each);
  each->cmsg_level = IPPROTO_IP;
  each->cmsg_type = IP_TOS;
  each->cmsg_len = CMSG_LEN(sizeof told.tos);
  std::memcpy(CMSG_DATA(each), &told.tos, sizeof told.tos);
  ssize_t sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  return sent < 0 ? errno : 0;
}

[[gnu::always_inline]] inline int fail(Socket socket, std::size_t size) {
  return ::recv(socket, buffer, size, MSG_DONTWAIT) < 0 && errno == EAGAIN ? 0 : 1;
}

[[gnu::always_inline]] inline int option(Socket socket, bool on) {
  int value = on;
  if (::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value) < 0)
    return errno;
  socklen_t length = sizeof value;
  if (::getsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &value, &length) < 0)
    return errno;
  return (value != 0) == on ? 0 : 1;
}

#else

using baresock::Socket;

[[gnu::always_inline]] inline int send(const Socket &socket, std::size_t size) {
  auto sent = socket.send({buffer, size});
  return sent ? 0 : sent.error().code();
}

[[gnu::always_inline]] inline int sendto(const Socket &socket, std::size_t size,
                                         const baresock::SocketAddress &address) {
  auto sent = socket.sendto({buffer, size}, address);
  return sent ? 0 : sent.error().code();
}

[[gnu::always_inline]] inline int sendmsg(const Socket &socket, std::size_t size) {
  baresock::ConstBuffer part(buffer, size);
  auto sent = socket.sendmsg({{&part, 1}});
  return sent ? 0 : sent.error().code();
}

[[gnu::always_inline]] inline int recv(const Socket &socket, std::size_t size) {
  auto got = socket.recv({buffer, size});
  return got ? 0 : got.error().code();
}

[[gnu::always_inline]] inline int recvfrom(const Socket &socket, std::size_t size) {
  auto got = socket.recvfrom({buffer, size});
  return !got ? got.error().code() : got->address.size() == 0 ? 1 : 0;
}

[[gnu::always_inline]] inline int recvmsg(const Socket &socket, std::size_t size) {
  baresock::MutableBuffer part(buffer, size);
  auto got = socket.recvmsg({&part, 1});
  return !got ? got.error().code() : got->truncated() || got->address.size() == 0 ? 1 : 0;
}

constexpr auto control_room = baresock::control_space(baresock::cmsg::ip::pktinfo) +
                              baresock::control_space(baresock::cmsg::ip::ttl) +
                              baresock::control_space(baresock::cmsg::ip::tos);

baresock::ControlBuffer<control_room> control; // kept from call to call, as a server does

[[gnu::always_inline]] inline int recv_control(const Socket &socket, std::size_t size) {
  namespace cmsg = baresock::cmsg;
  baresock::MutableBuffer part(buffer, size);
  auto got = socket.recvmsg({&part, 1}, control);
  if (!got)
    return got.error().code();
  if (got->truncated() || got->control_truncated() || got->address.size() == 0)
    return 1;
  Told told = {};
  for (auto each : control) {
    if (auto info = each.as(cmsg::ip::pktinfo))
      told.info = *info;
    else if (auto ttl = each.as(cmsg::ip::ttl))
      told.ttl = *ttl;
    else if (auto tos = each.as(cmsg::ip::tos))
      told.tos = *tos;
  }
  return judge(told);
}

[[gnu::always_inline]] inline int send_control(const Socket &socket, std::size_t size) {
  namespace cmsg = baresock::cmsg;
  baresock::ConstBuffer part(buffer, size);
  baresock::ControlBuffer<control_room> control;
  if (auto added = control.append(cmsg::ip::pktinfo, {0, {htonl(INADDR_LOOPBACK)}, {}}); !added)
    return added.error().code();
  if (auto added = control.append(cmsg::ip::ttl, size); !added)
    return added.error().code();
  if (auto added = control.append(cmsg::ip::tos, 0x10); !added)
    return added.error().code();
  auto sent = socket.sendmsg({{&part, 1}, nullptr, control});
  return sent ? 0 : sent.error().code();
}

[[gnu::always_inline]] inline int fail(const Socket &socket, std::size_t size) {
  auto got = socket.recv({buffer, size}, MSG_DONTWAIT);
  return !got && got.error().code() == EAGAIN ? 0 : 1;
}

[[gnu::always_inline]] inline int option(const Socket &socket, bool on) {
  if (auto set = socket.setsockopt(baresock::so::keepalive, on); !set)
    return set.error().code();
  auto got = socket.getsockopt(baresock::so::keepalive);
  if (!got)
    return got.error().code();
  return *got == on ? 0 : 1;
}

#endif

/// Not in main, which the compiler takes for code that runs once and makes small instead of fast.
template <class Operation>
[[gnu::noinline]] int repeat(long count, void (*before)(), Operation operation, void (*after)()) {
  for (; count > 0; --count) {
    before();
    if (int error = operation(); error != 0)
      return error;
    after();
  }
  return 0;
}

void nothing() {}

/// Two datagram sockets with names, connected to each other.
bool connect_unix(int (&fds)[2], sockaddr_un (&names)[2], socklen_t (&lengths)[2], bool both) {
  for (int i = 0; i < 2; ++i) {
    fds[i] = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    names[i].sun_family = AF_UNIX;
    lengths[i] = sizeof names[i];
    if (::bind(fds[i], reinterpret_cast<sockaddr *>(&names[i]), sizeof(sa_family_t)) != 0 ||
        ::getsockname(fds[i], reinterpret_cast<sockaddr *>(&names[i]), &lengths[i]) != 0)
      return false;
  }
  return ::connect(fds[1], reinterpret_cast<sockaddr *>(&names[0]), lengths[0]) == 0 &&
         (!both || ::connect(fds[0], reinterpret_cast<sockaddr *>(&names[1]), lengths[1]) == 0);
}

/// Two of UDP, connected likewise; the first receives three control messages with each datagram.
bool connect_udp(int (&fds)[2]) {
  sockaddr_in names[2];
  for (int i = 0; i < 2; ++i) {
    fds[i] = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    names[i] = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
    socklen_t length = sizeof names[i];
    if (::bind(fds[i], reinterpret_cast<sockaddr *>(&names[i]), length) != 0 ||
        ::getsockname(fds[i], reinterpret_cast<sockaddr *>(&names[i]), &length) != 0)
      return false;
  }
  const int on = 1;
  const int tos = 0x10;
  for (int option : {IP_PKTINFO, IP_RECVTTL, IP_RECVTOS})
    if (::setsockopt(fds[0], IPPROTO_IP, option, &on, sizeof on) != 0)
      return false;
  return ::setsockopt(fds[1], IPPROTO_IP, IP_TOS, &tos, sizeof tos) == 0 &&
         ::connect(fds[1], reinterpret_cast<sockaddr *>(&names[0]), sizeof names[0]) == 0 &&
         ::connect(fds[0], reinterpret_cast<sockaddr *>(&names[1]), sizeof names[1]) == 0;
}

} // namespace

int main(int, char **arguments) {
  std::string_view mode = arguments[1];
  long count = std::atol(arguments[2]);
  std::size_t size = run_time_size;

  const bool udp = mode == "recv_control" || mode == "send_control";
  int fds[2];
  sockaddr_un names[2];
  socklen_t lengths[2];
  if (udp ? !connect_udp(fds) : !connect_unix(fds, names, lengths, mode != "sendto"))
    return 1;
  other = fds[1];
  Socket socket(fds[0]);

  if (mode == "send")
    return repeat(count, nothing, [&] { return send(socket, size); }, drain);
  if (mode == "sendto") {
#ifdef RAW
    auto *address = reinterpret_cast<sockaddr *>(&names[1]);
    return repeat(count, nothing, [&] { return sendto(socket, size, address, lengths[1]); }, drain);
#else
    auto address = *baresock::SocketAddress::from_bytes({&names[1], lengths[1]});
    return repeat(count, nothing, [&] { return sendto(socket, size, address); }, drain);
#endif
  }
  if (mode == "sendmsg")
    return repeat(count, nothing, [&] { return sendmsg(socket, size); }, drain);
  if (mode == "recv")
    return repeat(count, fill, [&] { return recv(socket, size); }, nothing);
  if (mode == "recvfrom")
    return repeat(count, fill, [&] { return recvfrom(socket, size); }, nothing);
  if (mode == "recvmsg")
    return repeat(count, fill, [&] { return recvmsg(socket, size); }, nothing);
  if (mode == "recv_control")
    return repeat(count, fill, [&] { return recv_control(socket, size); }, nothing);
  if (mode == "send_control")
    return repeat(count, nothing, [&] { return send_control(socket, size); }, drain);
  if (mode == "option") // inline, as the raw one is by itself
    return repeat(count, nothing, [&] [[gnu::always_inline]] () { return option(socket, size != 0); }, nothing);
  return repeat(count, nothing, [&] { return fail(socket, size); }, nothing);
}
