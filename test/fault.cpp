// SPDX-License-Identifier: MIT
/// What the library makes of every answer that the system can give: see fault.hpp.

#include "support.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <linux/filter.h>
#include <set>
#include <string_view>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <thread>

using namespace baresock;
using namespace std::chrono_literals;

namespace {

/// A test begins and ends with nothing planned, called or recorded.
struct Fresh {
  Fresh() {
    fake::reset();
    clear_error();
  }
  ~Fresh() { fake::reset(); }
};

template <class T>
Error error_of(const Result<T> &result) {
  return result ? Error() : result.error();
}

// --- what each method is tried on ------------------------------------------------------------------------

struct Scene {
  Socket socket; // on which the method is called
  Socket peer;
  SocketAddress address; // of peer
  Socket file;           // any descriptor will do
};

Scene nothing() { return {}; }

Scene unbound() {
  Scene scene;
  scene.socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  return scene;
}

/// Connected to each other; peer has sent "hello".
Scene datagrams() {
  Scene scene;
  SocketAddress any = Inet4Address{INADDR_LOOPBACK, 0};
  for (Socket *socket : {&scene.socket, &scene.peer}) {
    *socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
    VALUE(socket->bind(any));
  }
  scene.address = VALUE(scene.peer.getsockname());
  VALUE(scene.socket.connect(scene.address));
  VALUE(scene.peer.connect(VALUE(scene.socket.getsockname())));
  VALUE(scene.peer.send("hello"));
  return scene;
}

Scene file() {
  Scene scene = datagrams();
  scene.file = Socket(::memfd_create("baresock", MFD_CLOEXEC));
  REQUIRE(::write(scene.file.fd(), "hello", 5) == 5);
  return scene;
}

Scene connection() {
  Connection connection;
  Scene scene;
  scene.socket = std::move(connection.client);
  scene.peer = std::move(connection.server);
  return scene;
}

/// peer waits to be accepted.
Scene listening() {
  TcpListener listener;
  Scene scene;
  scene.peer = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(scene.peer.connect(listener.address));
  scene.socket = std::move(listener.socket);
  return scene;
}

Scene pair() {
  Scene scene;
  std::tie(scene.socket, scene.peer) = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  return scene;
}

/// peer has passed two descriptors.
Scene passing() {
  Scene scene = pair();
  VALUE(send_fds(scene.peer, "x", {scene.socket.fd(), scene.peer.fd()}));
  VALUE(send_fds(scene.peer, "x", {scene.socket.fd(), scene.peer.fd()}));
  fake::reset();
  return scene;
}

/// Of UDP: no completion ever waits for a peer.
Scene zero_copy() {
  Scene scene = datagrams();
  VALUE(scene.socket.setsockopt(so::zerocopy, true));
  return scene;
}

// --- every call, every error that its manual page names --------------------------------------------------

using Errors = std::vector<int>;

Errors operator+(Errors a, const Errors &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// A call that a method makes and how it can fail.
struct Step {
  fake::Any *call;
  Errors errors;
};

struct Row {
  std::string method;
  Scene (*scene)();
  Error (*run)(Scene &);
  std::vector<Step> steps; // in order
};

// Section 2 for each call; beside it unix(7), ip(7), ipv6(7), tcp(7), udp(7), packet(7) and vsock(7).
const Errors of_socket = {EACCES,  EAFNOSUPPORT, EINVAL,          EMFILE,          ENFILE,
                          ENOBUFS, ENOMEM,       EPROTONOSUPPORT, ESOCKTNOSUPPORT, EPERM};
const Errors of_socketpair = {EAFNOSUPPORT, EFAULT, EMFILE, ENFILE, EOPNOTSUPP, EPROTONOSUPPORT, ESOCKTNOSUPPORT};
const Errors of_bind = {EACCES, EADDRINUSE,   EBADF,  EINVAL, ENOTSOCK, EADDRNOTAVAIL, EFAULT, ELOOP, ENAMETOOLONG,
                        ENOENT, EAFNOSUPPORT, ENOMEM, EPERM,  ENODEV,   ENOTDIR,       EROFS,  ENXIO};
const Errors of_connect = {EACCES, EPERM,      EADDRINUSE,   EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN,      EALREADY,
                           EBADF,  ECONNRESET, ECONNREFUSED, EFAULT,        EINPROGRESS,  EINTR,       EISCONN,
                           ENOENT, EINVAL,     EHOSTUNREACH, ENETDOWN,      ENOBUFS,      ENETUNREACH, ENOTSOCK,
                           ENODEV, EOPNOTSUPP, EPROTOTYPE,   ETIMEDOUT,     EPROTO};
const Errors of_listen = {EADDRINUSE, EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP};
const Errors of_accept4 = {EAGAIN,      EWOULDBLOCK, EBADF,        ECONNABORTED,    EFAULT,
                           EINTR,       EINVAL,      EMFILE,       ENFILE,          ENOMEM,
                           ENOBUFS,     ENOTSOCK,    EOPNOTSUPP,   EPERM,           EPROTO,
                           ENOSR,       ENONET,      ETIMEDOUT,    EPROTONOSUPPORT, ENETDOWN,
                           ENOPROTOOPT, ENETUNREACH, EHOSTUNREACH, EHOSTDOWN,       ESOCKTNOSUPPORT};
const Errors of_getsockname = {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTSOCK};
const Errors of_getpeername = {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK};
const Errors of_send = {EACCES,  EAGAIN,       EWOULDBLOCK,  EALREADY,    EBADF,    ECONNRESET, ETIMEDOUT,
                        EFAULT,  EINTR,        EDESTADDRREQ, EINVAL,      EISCONN,  EMSGSIZE,   ENXIO,
                        ENOBUFS, ENOMEM,       ENOTCONN,     ENOTSOCK,    EPERM,    EOPNOTSUPP, EPIPE,
                        ENODEV,  ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EPROTOTYPE, EAFNOSUPPORT};
const Errors of_sendmsg = of_send + Errors{ETOOMANYREFS, ESRCH, ENOENT};
const Errors of_recv = {EAGAIN,     EWOULDBLOCK, EBADF,  ECONNREFUSED, EFAULT, EINTR,     EINVAL,
                        ECONNRESET, ENOTCONN,    ENOMEM, ENOTSOCK,     EPIPE,  ETIMEDOUT, EOPNOTSUPP};
Errors without(Errors errors, int code) {
  std::erase(errors, code);
  return errors;
}
// With MSG_CMSG_CLOEXEC, of which EINVAL may mean something else: a test case of its own.
const Errors of_recv_cloexec = without(of_recv, EINVAL);
const Errors of_getsockopt = {EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK, EOPNOTSUPP, ENODATA, ERANGE};
const Errors of_setsockopt = {EBADF, EFAULT,     EINVAL, ENOPROTOOPT, ENOTSOCK, EACCES, EADDRINUSE, EADDRNOTAVAIL,
                              EDOM,  EOPNOTSUPP, EPERM,  ENODEV,      ENOBUFS,  ENOMEM, ENOENT,     EISCONN};
const Errors of_shutdown = {EBADF, EINVAL, ENOTCONN, ENOTSOCK};
const Errors of_close = {EBADF, EINTR, EIO, ENOSPC, EDQUOT};
const Errors of_fcntl = {EACCES, EAGAIN, EBADF,  EBUSY,  EDEADLK, EFAULT,
                         EINTR,  EINVAL, EMFILE, ENOLCK, ENOTDIR, EPERM};
const Errors of_ioctl = {EBADF, EFAULT, EINVAL, ENOTTY};
const Errors of_sendfile = {EAGAIN, EBADF, EFAULT, EINVAL, EIO, ENOMEM, EOVERFLOW, ESPIPE, EPIPE, EINTR};
const Errors of_malloc = {ENOMEM};
const Errors of_ppoll = {EFAULT, EINVAL, ENOMEM};
const Errors of_lstat = {EACCES, EBADF, EFAULT, EINVAL, ELOOP, ENOENT, ENAMETOOLONG, ENOMEM, ENOTDIR, EOVERFLOW};
const Errors of_chmod = {EACCES,       EBADF,  EFAULT, EINVAL,  EIO,     ELOOP, ENOENT,
                         ENAMETOOLONG, ENOMEM, EPERM,  ENOTDIR, ENOTSUP, EROFS};
const Errors of_unlink = {EACCES, EBADF,  EBUSY, EFAULT,       EINVAL, EIO,     EISDIR,
                          ELOOP,  ENOENT, EPERM, ENAMETOOLONG, ENOMEM, ENOTDIR, EROFS};
const Errors of_open = {EACCES, EBADF,  EINTR,  EMFILE, ENAMETOOLONG, ENFILE,    ENODEV, ENOENT,
                        ENOMEM, EFAULT, EINVAL, ELOOP,  ENOTDIR,      EOVERFLOW, EPERM,  ENXIO};
const Errors of_flock = {EBADF, EINVAL, ENOLCK, EWOULDBLOCK};
const Errors of_entries = {ENOENT, ERANGE, ENOMEM, EMFILE, EINTR, EIO};
const Errors of_interfaces = of_socket + Errors{ENOBUFS, EINTR, ECONNREFUSED, ENODEV};

// Methods that take more than an expression.

Error from_fd(Scene &s) {
  auto taken = Socket::from_fd(s.socket.fd());
  if (taken)
    CHECK(taken->release() == s.socket.fd()); // which still owns it
  return error_of(taken);
}

Result<std::size_t> send_message(const Socket &socket) {
  ConstBuffer parts[] = {"hel", "lo"};
  return socket.sendmsg(OutgoingMessage(parts));
}

Result<std::size_t> send_messages(const Socket &socket) {
  ConstBuffer parts[] = {"hel", "lo"};
  OutgoingMessage messages[] = {OutgoingMessage(parts), OutgoingMessage(parts)};
  return socket.sendmmsg(messages);
}

Result<Received> receive(const Socket &socket) {
  char buffer[16];
  return socket.recv(buffer);
}

Result<ReceivedFrom> receive_from(const Socket &socket) {
  char buffer[16];
  return socket.recvfrom(buffer);
}

Result<ReceivedMessage> receive_message(const Socket &socket) {
  char buffer[16];
  MutableBuffer parts[] = {buffer};
  return socket.recvmsg(parts);
}

Result<std::size_t> receive_messages(const Socket &socket) {
  char buffer[16];
  MutableBuffer parts[] = {buffer};
  IncomingBatch<2> batch;
  batch.assign(0, parts);
  return socket.recvmmsg(batch, MSG_WAITFORONE);
}

// With control messages.

Result<std::size_t> send_control(const Socket &socket) {
  ControlBuffer<control_space(cmsg::ip::ttl)> control;
  VALUE(control.append(cmsg::ip::ttl, 64));
  ConstBuffer parts[] = {"hello"};
  return socket.sendmsg({parts, nullptr, control});
}

Result<std::size_t> send_controls(const Socket &socket) {
  ControlBuffer<control_space(cmsg::ip::ttl)> control;
  VALUE(control.append(cmsg::ip::ttl, 64));
  ConstBuffer parts[] = {"hello"};
  OutgoingMessage messages[] = {{parts, nullptr, control}, {parts, nullptr, control}};
  return socket.sendmmsg(messages);
}

Result<ReceivedMessage> receive_control(const Socket &socket) {
  char buffer[16];
  MutableBuffer parts[] = {buffer};
  ControlBuffer<control_space(cmsg::scm::rights, 4)> control;
  return socket.recvmsg(parts, control);
}

Result<std::size_t> receive_controls(const Socket &socket) {
  char buffer[16];
  MutableBuffer parts[] = {buffer};
  IncomingBatch<2, control_space(cmsg::scm::rights, 4)> batch;
  batch.assign(0, parts);
  return socket.recvmmsg(batch, MSG_WAITFORONE);
}

Result<ReceivedFds> receive_fds(const Socket &socket) {
  char buffer[16];
  FileDescriptor fds[2];
  return recv_fds(socket, buffer, fds);
}

Result<ReceivedSegments> receive_segments(const Socket &socket) {
  char buffer[16];
  return recv_segments(socket, buffer);
}

/// A control message with its padding, zeros, as the kernel lays it out; unless `told`, the length in its header, is
/// another.
std::string control_message(int level, int type, std::string_view payload, std::size_t told = 0, bool lie = false) {
  cmsghdr header = {};
  header.cmsg_len = lie ? told : CMSG_LEN(payload.size());
  header.cmsg_level = level;
  header.cmsg_type = type;
  std::string message(CMSG_SPACE(payload.size()), '\0');
  std::memcpy(message.data(), &header, sizeof header);
  message.replace(CMSG_LEN(0), payload.size(), payload);
  return message;
}

template <class T>
std::string bytes_of(const T &value) {
  return {reinterpret_cast<const char *>(&value), sizeof value};
}

/// What a kernel says of a message.
struct Message {
  std::string control;
  int flags = 0;
  sa_family_t family = AF_UNSPEC; // of its address; AF_UNSPEC: none

  void write(msghdr &header) const {
    header.msg_namelen = family != AF_UNSPEC ? sizeof family : 0;
    std::memcpy(header.msg_name, &family, header.msg_namelen);
    REQUIRE(control.size() <= header.msg_controllen);
    std::memcpy(header.msg_control, control.data(), control.size());
    header.msg_controllen = control.size();
    header.msg_flags = flags;
  }
};

/// recvmsg and recvmmsg: each message is this one. Of an empty Socket it is EBADF.
void answer(const Message &message) {
  fake::recvmsg.instead = [=](int fd, msghdr *header, int) -> ssize_t {
    if (fd < 0) {
      errno = EBADF;
      return -1;
    }
    message.write(*header);
    return 0;
  };
  fake::recvmmsg.instead = [=](int, mmsghdr *headers, unsigned count, int, timespec *) {
    for (unsigned i = 0; i < count; ++i) {
      message.write(headers[i].msg_hdr);
      headers[i].msg_len = 0;
    }
    return static_cast<int>(count);
  };
}

/// A kernel with an entry in the error queue.
void answer_entry() {
  baresock::sock_extended_err error = {};
  error.ee_errno = ECONNREFUSED;
  error.ee_origin = 2; // SO_EE_ORIGIN_ICMP
  const std::string payload = bytes_of(error) + bytes_of(sockaddr_in{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}});
  answer(Message{control_message(IPPROTO_IP, ip::recverr.number, payload), MSG_ERRQUEUE, AF_INET});
}

Error send_all(const Socket &socket) {
  ConstBuffer parts[] = {"hel", "lo"};
  OutgoingMessage messages[] = {OutgoingMessage(parts), OutgoingMessage(parts)};
  const SentMessages sent = sendmmsg_all(socket, messages);
  CHECK(sent.count == (sent.result ? 2 : 0));
  return sent.result ? Error() : sent.result.error();
}

Result<ZeroCopySent> zero_copy_send(const Socket &socket) {
  static const char data[] = "hello";
  ZeroCopyTracker<4> tracker;
  auto sent = tracker.send(socket, data);
  CHECK(tracker.in_flight() == (sent ? 1 : 0));
  return sent;
}

Result<ZeroCopySent> zero_copy_sendmsg(const Socket &socket) {
  static const char data[] = "hello";
  static const ConstBuffer parts[] = {data};
  ZeroCopyTracker<4> tracker;
  auto sent = tracker.sendmsg(socket, OutgoingMessage(parts));
  CHECK(tracker.in_flight() == (sent ? 1 : 0));
  return sent;
}

Result<QueuedError> zero_copy_receive(const Socket &socket) {
  answer_entry();
  ZeroCopyTracker<4> tracker;
  VALUE(tracker.sent());
  auto entry = tracker.receive(socket);
  CHECK(tracker.in_flight() == 1); // that entry is of no completion
  return entry;
}

Result<std::size_t> get_bytes(const Socket &socket) {
  linger value;
  return socket.getsockopt(SOL_SOCKET, SO_LINGER, {&value, sizeof value});
}

Result<void> set_bytes(const Socket &socket) {
  const linger value = {};
  return socket.setsockopt(SOL_SOCKET, SO_LINGER, {&value, sizeof value});
}

Error error_of(Error error) { return error; }

// What the kernel answers to options that it may not know.

/// A socket of AF_INET6 and that type; of an empty Socket it is EBADF.
void answer_inet6(int type) {
  fake::getsockopt.instead = [=](int fd, int, int name, void *value, socklen_t *length) {
    const int number = name == SO_DOMAIN ? AF_INET6 : type;
    std::memcpy(value, &number, sizeof number);
    *length = sizeof number;
    if (fd < 0)
      errno = EBADF;
    return fd < 0 ? -1 : 0;
  };
}

/// Fills the value in, and gives its length.
using Fill = std::function<socklen_t(void *value, socklen_t room)>;

/// A row's own getsockopt; of an empty Socket it is EBADF.
void answer(const Fill &fill) {
  fake::getsockopt.instead = [fill](int fd, int, int, void *value, socklen_t *length) {
    if (fd < 0) {
      errno = EBADF;
      return -1;
    }
    *length = fill(value, *length);
    return 0;
  };
}

Fill answer_zeros(socklen_t length) {
  return [=](void *value, socklen_t room) {
    std::memset(value, 0, std::min(room, length));
    return length;
  };
}

/// A new descriptor, so many bytes from the beginning.
Fill answer_descriptor(std::size_t offset) {
  return [=](void *value, socklen_t room) {
    const int fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
    std::memcpy(static_cast<char *>(value) + offset, &fd, sizeof fd);
    return room;
  };
}

Fill answer_address() {
  return [](void *value, socklen_t room) {
    const sockaddr_in address = {AF_INET, htons(4711), {htonl(INADDR_LOOPBACK)}, {}};
    std::memcpy(value, &address, sizeof address);
    return room; // SO_ORIGINAL_DST does not tell its length
  };
}

/// So many subflows: as many as there is room for, numbered by their state.
Fill answer_subflows(std::uint32_t count) {
  return [=](void *value, socklen_t room) {
    mptcp_subflow_data header;
    std::memcpy(&header, value, sizeof header);
    CHECK(header.size_subflow_data == sizeof header);
    CHECK(header.num_subflows == 0);
    CHECK(header.size_kernel == 0);
    CHECK(header.size_user == sizeof(baresock::tcp_info));
    const std::size_t fit = (room - sizeof header) / header.size_user;
    for (std::size_t i = 0; i < std::min<std::size_t>(fit, count); ++i)
      static_cast<unsigned char *>(value)[sizeof header + i * header.size_user] = static_cast<unsigned char>(i + 1);
    header.num_subflows = count;
    std::memcpy(value, &header, sizeof header);
    return room;
  };
}

/// So many keys likewise, numbered by their identifier.
Fill answer_keys(std::uint32_t count) {
  return [=](void *value, socklen_t room) {
    tcp_ao_getsockopt key;
    CHECK(room == sizeof key); // of one, whatever room there is
    std::memcpy(&key, value, sizeof key);
    const std::uint32_t fit = key.nkeys;
    for (std::uint32_t i = 0; i < std::min(fit, count); ++i) {
      key = {};
      key.nkeys = count;
      key.sndid = static_cast<std::uint8_t>(i + 1);
      std::memcpy(static_cast<char *>(value) + i * sizeof key, &key, sizeof key);
    }
    if (count == 0) {
      key.nkeys = 0;
      std::memcpy(value, &key, sizeof key);
    }
    return room;
  };
}

/// So many sources likewise, numbered by their address.
template <class Header>
Fill answer_sources(std::uint32_t count) {
  return [=](void *value, socklen_t room) {
    if constexpr (std::is_same_v<Header, group_filter>) {
      constexpr std::size_t start = offsetof(group_filter, gf_slist);
      std::uint32_t fit;
      std::memcpy(&fit, static_cast<char *>(value) + offsetof(group_filter, gf_numsrc), sizeof fit);
      CHECK(room == start + fit * sizeof(sockaddr_storage));
      for (std::uint32_t i = 0; i < std::min(fit, count); ++i) {
        const sockaddr_in address = {AF_INET, 0, {htonl(i + 1)}, {}};
        std::memcpy(static_cast<char *>(value) + start + i * sizeof(sockaddr_storage), &address, sizeof address);
      }
      std::memcpy(static_cast<char *>(value) + offsetof(group_filter, gf_numsrc), &count, sizeof count);
    } else {
      constexpr std::size_t start = offsetof(ip_msfilter, imsf_slist);
      std::uint32_t fit;
      std::memcpy(&fit, static_cast<char *>(value) + offsetof(ip_msfilter, imsf_numsrc), sizeof fit);
      CHECK(room == start + fit * sizeof(in_addr));
      for (std::uint32_t i = 0; i < std::min(fit, count); ++i) {
        const in_addr address = {htonl(i + 1)};
        std::memcpy(static_cast<char *>(value) + start + i * sizeof address, &address, sizeof address);
      }
      std::memcpy(static_cast<char *>(value) + offsetof(ip_msfilter, imsf_numsrc), &count, sizeof count);
    }
    return room;
  };
}

/// A setsockopt that takes everything; of an empty Socket it is EBADF.
void accept_set() {
  fake::setsockopt.instead = [](int fd, int, int, const void *, socklen_t) {
    if (fd < 0)
      errno = EBADF;
    return fd < 0 ? -1 : 0;
  };
}

/// services(5) and protocols(5) of one line, with that name.
void answer_entries(const char *name, const char *protocol = "tcp") {
  const auto service = [=](servent *entry, servent **result) {
    *entry = {};
    entry->s_name = const_cast<char *>(name);
    entry->s_port = htons(4711);
    entry->s_proto = const_cast<char *>(protocol);
    *result = entry;
    return 0;
  };
  fake::getservbyname_r.instead = [=](const char *, const char *, servent *entry, char *, std::size_t,
                                      servent **out) { return service(entry, out); };
  fake::getservbyport_r.instead = [=](int, const char *, servent *entry, char *, std::size_t, servent **out) {
    return service(entry, out);
  };
  const auto number = [=](protoent *entry, protoent **result) {
    *entry = {};
    entry->p_name = const_cast<char *>(name);
    entry->p_proto = 132;
    *result = entry;
    return 0;
  };
  fake::getprotobyname_r.instead = [=](const char *, protoent *entry, char *, std::size_t, protoent **out) {
    return number(entry, out);
  };
  fake::getprotobynumber_r.instead = [=](int, protoent *entry, char *, std::size_t, protoent **out) {
    return number(entry, out);
  };
}

const sock_filter program[] = {{BPF_RET | BPF_K, 0, 0, UINT_MAX}};

/// Has a filter.
Scene filtered() {
  Scene scene = unbound();
  VALUE(scene.socket.setsockopt(so::attach_filter, program));
  return scene;
}

Result<void> set_label(const Socket &socket) {
  in6_flowlabel_req label = {};
  return socket.setsockopt(ipv6::flowlabel_mgr, &label);
}

/// A method, the scene it is tried on, how it is called; and the calls it makes when it succeeds, and their errors.
#define ROW(method, scene, expression, ...)                                                                          \
  Row(method, scene, []([[maybe_unused]] Scene &s) { return error_of(expression); }, {__VA_ARGS__})

std::vector<Row> rows() {
  return {
      ROW("Socket::socket", nothing, Socket::socket(AF_INET, SOCK_STREAM), {&fake::socket, of_socket}),
      ROW("Socket::socketpair", nothing, Socket::socketpair(AF_UNIX, SOCK_DGRAM), {&fake::socketpair, of_socketpair}),
      ROW("Socket::from_fd", unbound, from_fd(s), {&fake::getsockopt, of_getsockopt}),
      ROW("dup", unbound, s.socket.dup(), {&fake::fcntl, of_fcntl}),
      ROW("bind", unbound, s.socket.bind(Inet4Address{INADDR_LOOPBACK, 0}), {&fake::bind, of_bind}),
      ROW("connect", datagrams, s.socket.connect(s.address), {&fake::connect, of_connect}),
      ROW("listen", listening, s.socket.listen(), {&fake::listen, of_listen}),
      ROW("accept", listening, s.socket.accept(), {&fake::accept4, of_accept4}),
      ROW("accept_from", listening, s.socket.accept_from(), {&fake::accept4, of_accept4}),
      ROW("getsockname", datagrams, s.socket.getsockname(), {&fake::getsockname, of_getsockname}),
      ROW("getpeername", datagrams, s.socket.getpeername(), {&fake::getpeername, of_getpeername}),
      ROW("send", datagrams, s.socket.send("hello"), {&fake::send, of_send}),
      ROW("sendto", datagrams, s.socket.sendto("hello", s.address), {&fake::sendto, of_send}),
      ROW("sendmsg", datagrams, send_message(s.socket), {&fake::sendmsg, of_sendmsg}),
      ROW("sendmmsg", datagrams, send_messages(s.socket), {&fake::sendmmsg, of_sendmsg}),
      ROW("recv", datagrams, receive(s.socket), {&fake::recv, of_recv}),
      ROW("recv(size)", datagrams, s.socket.recv(16), {&fake::malloc, of_malloc}, {&fake::recv, of_recv}),
      ROW("recv(size, MSG_TRUNC)", datagrams, s.socket.recv(16, MSG_TRUNC), {&fake::calloc, of_malloc},
          {&fake::recv, of_recv}),
      ROW("recvfrom", datagrams, receive_from(s.socket), {&fake::recvfrom, of_recv}),
      ROW("recvfrom(size)", datagrams, s.socket.recvfrom(16), {&fake::malloc, of_malloc}, {&fake::recvfrom, of_recv}),
      ROW("recvfrom(size, MSG_TRUNC)", datagrams, s.socket.recvfrom(16, MSG_TRUNC), {&fake::calloc, of_malloc},
          {&fake::recvfrom, of_recv}),
      ROW("recvmsg", datagrams, receive_message(s.socket), {&fake::recvmsg, of_recv}),
      ROW("recvmmsg", datagrams, receive_messages(s.socket), {&fake::recvmmsg, of_recv_cloexec}),
      ROW("sendfile", file, s.socket.sendfile(s.file.fd(), 0, 5), {&fake::sendfile, of_sendfile}),
      ROW("getsockopt(bytes)", unbound, get_bytes(s.socket), {&fake::getsockopt, of_getsockopt}),
      ROW("setsockopt(int)", unbound, s.socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1),
          {&fake::setsockopt, of_setsockopt}),
      ROW("setsockopt(bool)", unbound, s.socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, true),
          {&fake::setsockopt, of_setsockopt}),
      ROW("setsockopt(text)", connection, s.socket.setsockopt(IPPROTO_TCP, tcp::congestion.number, "reno"),
          {&fake::setsockopt, of_setsockopt}),
      ROW("setsockopt(bytes)", unbound, set_bytes(s.socket), {&fake::setsockopt, of_setsockopt}),
      ROW("shutdown", datagrams, s.socket.shutdown(SHUT_WR), {&fake::shutdown, of_shutdown}),
      ROW("sockatmark", connection, s.socket.sockatmark(), {&fake::sockatmark, of_ioctl}),
      ROW("bytes_readable", datagrams, s.socket.bytes_readable(), {&fake::ioctl, of_ioctl}),
      ROW("bytes_unsent", datagrams, s.socket.bytes_unsent(), {&fake::ioctl, of_ioctl}),
      ROW("nonblocking", unbound, s.socket.nonblocking(), {&fake::fcntl, of_fcntl}),
      ROW("set_nonblocking", unbound, s.socket.set_nonblocking(true), {&fake::fcntl, of_fcntl},
          {&fake::fcntl, of_fcntl}),
      ROW("close_on_exec", unbound, s.socket.close_on_exec(), {&fake::fcntl, of_fcntl}),
      ROW("set_close_on_exec", unbound, s.socket.set_close_on_exec(true), {&fake::fcntl, of_fcntl},
          {&fake::fcntl, of_fcntl}),
      ROW("SocketAddress::parse", nothing, SocketAddress::parse("fe80::1%lo"),
          {&fake::if_nametoindex, Errors{ENODEV} + of_socket + of_ioctl}),
      ROW("Interface::from_name", nothing, Interface::from_name("lo"),
          {&fake::if_nametoindex, Errors{ENODEV} + of_socket + of_ioctl}),
      ROW("Interface::name", nothing, Interface(1).name(), {&fake::if_indextoname, Errors{ENXIO} + of_socket}),

      ROW("if_nametoindex", nothing, baresock::if_nametoindex("lo"),
          {&fake::if_nametoindex, Errors{ENODEV} + of_socket + of_ioctl}),
      ROW("if_indextoname", nothing, baresock::if_indextoname(1), {&fake::if_indextoname, Errors{ENXIO} + of_socket}),
      ROW("if_nameindex", nothing, baresock::if_nameindex(), {&fake::if_nameindex, of_interfaces}),
      ROW("getifaddrs", nothing, baresock::getifaddrs(), {&fake::getifaddrs, of_interfaces}),
      ROW("getservbyname", nothing, (answer_entries("a"), baresock::getservbyname("a", "tcp")),
          {&fake::getservbyname_r, of_entries}),
      ROW("getservbyport", nothing, (answer_entries("a"), baresock::getservbyport(80)),
          {&fake::getservbyport_r, of_entries}),
      ROW("getprotobyname", nothing, (answer_entries("a"), baresock::getprotobyname("a")),
          {&fake::getprotobyname_r, of_entries}),
      ROW("getprotobynumber", nothing, (answer_entries("a"), baresock::getprotobynumber(6)),
          {&fake::getprotobynumber_r, of_entries}),
      ROW("poll", nothing, (fake::ppoll.answer(0), baresock::poll({}, 0s)), {&fake::ppoll, of_ppoll + Errors{EINTR}}),

      // Control messages, and what is above them.
      ROW("sendmsg with control", datagrams, send_control(s.socket), {&fake::sendmsg, of_sendmsg}),
      ROW("sendmmsg with control", datagrams, send_controls(s.socket), {&fake::sendmmsg, of_sendmsg}),
      ROW("recvmsg with control", passing, receive_control(s.socket), {&fake::recvmsg, of_recv_cloexec}),
      ROW("recvmmsg with control", passing, receive_controls(s.socket), {&fake::recvmmsg, of_recv_cloexec}),
      ROW("send_fds", pair, send_fds(s.socket, "x", {s.peer.fd(), s.peer.fd()}), {&fake::sendmsg, of_sendmsg}),
      ROW("recv_fds", passing, receive_fds(s.socket), {&fake::recvmsg, of_recv_cloexec}),
      ROW("recv_error", unbound, (answer_entry(), recv_error(s.socket)), {&fake::recvmsg, of_recv_cloexec}),
      ROW("receive_packet_info", unbound, receive_packet_info(s.socket), {&fake::getsockopt, of_getsockopt},
          {&fake::setsockopt, of_setsockopt}, {&fake::setsockopt, of_setsockopt}, {&fake::setsockopt, of_setsockopt}),
      ROW("receive_packet_info, IPv6", unbound,
          (answer_inet6(SOCK_DGRAM), accept_set(), receive_packet_info(s.socket)), {&fake::getsockopt, of_getsockopt},
          {&fake::setsockopt, of_setsockopt}, {&fake::setsockopt, of_setsockopt}, {&fake::setsockopt, of_setsockopt},
          {&fake::getsockopt, of_getsockopt}, {&fake::setsockopt, of_setsockopt}, {&fake::setsockopt, of_setsockopt},
          {&fake::setsockopt, of_setsockopt}),
      ROW("send_segments", datagrams, send_segments(s.socket, "hello", 5), {&fake::sendmsg, of_sendmsg}),
      ROW("recv_segments", datagrams, receive_segments(s.socket), {&fake::recvmsg, of_recv_cloexec}),
      ROW("sendmmsg_all", datagrams, send_all(s.socket), {&fake::sendmmsg, of_sendmsg}),
      ROW("ZeroCopyTracker::send", zero_copy, zero_copy_send(s.socket), {&fake::getsockopt, of_getsockopt},
          {&fake::send, of_send}),
      ROW("ZeroCopyTracker::sendmsg", zero_copy, zero_copy_sendmsg(s.socket), {&fake::getsockopt, of_getsockopt},
          {&fake::sendmsg, of_sendmsg}),
      ROW("ZeroCopyTracker::receive", unbound, zero_copy_receive(s.socket), {&fake::recvmsg, of_recv_cloexec}),

      // A row for each codec. What this kernel may lack is answered by a fake.
      ROW("get int", unbound, s.socket.getsockopt(so::type), {&fake::getsockopt, of_getsockopt}),
      ROW("get bool", unbound, s.socket.getsockopt(so::reuseaddr), {&fake::getsockopt, of_getsockopt}),
      ROW("get uint64", unbound, s.socket.getsockopt(so::cookie), {&fake::getsockopt, of_getsockopt}),
      ROW("get a struct", unbound, s.socket.getsockopt(so::txtime), {&fake::getsockopt, of_getsockopt}),
      ROW("get Interface", unbound, s.socket.getsockopt(ip::unicast_if), {&fake::getsockopt, of_getsockopt}),
      ROW("get Seconds", connection, s.socket.getsockopt(tcp::keepidle), {&fake::getsockopt, of_getsockopt}),
      ROW("get Timeval", unbound, s.socket.getsockopt(so::rcvtimeo), {&fake::getsockopt, of_getsockopt}),
      ROW("get Linger", unbound, s.socket.getsockopt(so::linger), {&fake::getsockopt, of_getsockopt}),
      ROW("get PortRange", unbound, (answer(answer_zeros(4)), s.socket.getsockopt(ip::local_port_range)),
          {&fake::getsockopt, of_getsockopt}),
      ROW("get PeerCredentials", pair, s.socket.getsockopt(so::peercred), {&fake::getsockopt, of_getsockopt}),
      ROW("get Name", connection, s.socket.getsockopt(tcp::congestion), {&fake::getsockopt, of_getsockopt}),
      ROW("get Bytes", unbound, s.socket.getsockopt(ip::options), {&fake::malloc, of_malloc},
          {&fake::getsockopt, of_getsockopt}),
      ROW("get Label", pair, (answer(answer_zeros(7)), s.socket.getsockopt(so::peersec)), {&fake::malloc, of_malloc},
          {&fake::getsockopt, of_getsockopt}),
      ROW("get List", pair, s.socket.getsockopt(so::peergroups), {&fake::malloc, of_malloc},
          {&fake::getsockopt, of_getsockopt}),
      ROW("get Filter", filtered, s.socket.getsockopt(so::get_filter), {&fake::getsockopt, of_getsockopt},
          {&fake::calloc, of_malloc}, {&fake::getsockopt, of_getsockopt}),
      ROW("get FileDescriptor", pair, (answer(answer_descriptor(0)), s.socket.getsockopt(so::peerpidfd)),
          {&fake::getsockopt, of_getsockopt}),
      ROW("get SocketAddress", pair, (answer(answer_address()), s.socket.getsockopt(so::original_dst)),
          {&fake::getsockopt, of_getsockopt}),
      ROW("get Partial", connection, s.socket.getsockopt(tcp::info), {&fake::getsockopt, of_getsockopt}),
      ROW("get GetSet", unbound, s.socket.getsockopt(ip::multicast_if), {&fake::getsockopt, of_getsockopt}),
      ROW("get Subflows", pair, (answer(answer_subflows(1)), s.socket.getsockopt(mptcp::tcpinfo)),
          {&fake::calloc, of_malloc}, {&fake::getsockopt, of_getsockopt}, {&fake::calloc, of_malloc}),

      ROW("query int", pair, (answer(answer_zeros(4)), s.socket.getsockopt(packet::hdrlen, 2)),
          {&fake::getsockopt, of_getsockopt}),
      ROW("query Bytes", pair, (answer(answer_zeros(7)), s.socket.getsockopt(sctp::get_peer_addrs, "12345678")),
          {&fake::malloc, of_malloc}, {&fake::getsockopt, of_getsockopt}),
      ROW("query Partial", pair, (answer(answer_zeros(4)), s.socket.getsockopt(tcp::zerocopy_receive, {})),
          {&fake::getsockopt, of_getsockopt}),
      ROW("query InOut", pair,
          (answer(answer_zeros(sizeof(in6_flowlabel_req))), s.socket.getsockopt(ipv6::flowlabel_mgr, {})),
          {&fake::getsockopt, of_getsockopt}),
      ROW("query PeeledOff", pair,
          (answer(answer_descriptor(4)), s.socket.getsockopt(sctp::sockopt_peeloff_flags, 1)),
          {&fake::getsockopt, of_getsockopt}),
      ROW("query AoKeys", pair, (answer(answer_keys(1)), s.socket.getsockopt(tcp::ao_get_keys, {})),
          {&fake::calloc, of_malloc}, {&fake::getsockopt, of_getsockopt}),
      ROW("query SourceFilter, IPv4", pair,
          (answer(answer_sources<ip_msfilter>(1)), s.socket.getsockopt(ip::msfilter, {})), {&fake::calloc, of_malloc},
          {&fake::getsockopt, of_getsockopt}, {&fake::calloc, of_malloc}),
      ROW("query SourceFilter", pair,
          (answer(answer_sources<group_filter>(1)), s.socket.getsockopt(ip::mcast_msfilter, {})),
          {&fake::calloc, of_malloc}, {&fake::getsockopt, of_getsockopt}, {&fake::calloc, of_malloc}),

      ROW("set int", unbound, s.socket.setsockopt(ip::ttl, 64), {&fake::setsockopt, of_setsockopt}),
      ROW("set bool", unbound, s.socket.setsockopt(so::reuseaddr, true), {&fake::setsockopt, of_setsockopt}),
      ROW("set a struct", unbound, s.socket.setsockopt(ip::multicast_if, ip_mreqn{}),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set Interface", unbound, s.socket.setsockopt(ip::unicast_if, Interface()),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set Seconds", connection, s.socket.setsockopt(tcp::keepidle, Seconds(5)),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set Timeval", unbound, s.socket.setsockopt(so::rcvtimeo, Seconds(5)), {&fake::setsockopt, of_setsockopt}),
      ROW("set Linger", unbound, s.socket.setsockopt(so::linger, Linger::abort()),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set PortRange", unbound, (accept_set(), s.socket.setsockopt(ip::local_port_range, {1, 2})),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set Name", connection, s.socket.setsockopt(tcp::congestion, "reno"), {&fake::setsockopt, of_setsockopt}),
      ROW("set Bytes", unbound, s.socket.setsockopt(ip::options, "\1\1\1\1"), {&fake::setsockopt, of_setsockopt}),
      ROW("set List", pair, (accept_set(), s.socket.setsockopt(can::raw_filter, Span<const can_filter>())),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set Program", unbound, s.socket.setsockopt(so::attach_filter, program),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set None", pair, (accept_set(), s.socket.setsockopt(so::detach_filter)),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set Empty", pair, (accept_set(), s.socket.setsockopt(tipc::group_leave)),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set Size", pair, (accept_set(), s.socket.setsockopt(alg::set_aead_authsize, 16u)),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set SocketAddress", pair,
          (accept_set(), s.socket.setsockopt(rds::cancel_sent_to, SocketAddress::unspec())),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set InOut", pair, (accept_set(), set_label(s.socket)), {&fake::setsockopt, of_setsockopt}),
      ROW("set SourceFilter, IPv4", pair, (accept_set(), s.socket.setsockopt(ip::msfilter, {})),
          {&fake::calloc, of_malloc}, {&fake::setsockopt, of_setsockopt}),
      ROW("set SourceFilter", pair, (accept_set(), s.socket.setsockopt(ipv6::mcast_msfilter, {})),
          {&fake::calloc, of_malloc}, {&fake::setsockopt, of_setsockopt}),

      // The same at run time.
      ROW("get by number", unbound, s.socket.getsockopt(SOL_SOCKET, SO_TYPE), {&fake::getsockopt, of_getsockopt}),
      ROW("get by row", unbound, s.socket.getsockopt(*find_option("SO_TYPE")), {&fake::getsockopt, of_getsockopt}),
      ROW("query by row", pair,
          (answer(answer_zeros(4)), s.socket.getsockopt(*find_option("PACKET_HDRLEN"), OptionValue(2))),
          {&fake::getsockopt, of_getsockopt}),
      ROW("set by number", unbound, s.socket.setsockopt(SOL_SOCKET, SO_RCVBUF, OptionValue(5)),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set by row", unbound, s.socket.setsockopt(*find_option("SO_RCVBUF"), OptionValue(5)),
          {&fake::setsockopt, of_setsockopt}),
      ROW("set by an unknown number", unbound, (accept_set(), s.socket.setsockopt(SOL_SOCKET, 4711, OptionValue(5))),
          {&fake::setsockopt, of_setsockopt}),
  };
}
#undef ROW

std::vector<std::string> names(const Row &row, std::size_t count) {
  std::vector<std::string> names;
  names.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    names.emplace_back(row.steps[i].call->name());
  return names;
}

/// What was called since reset(), but for the close of the descriptors that a success returned.
std::vector<std::string> called() {
  std::vector<std::string> calls = fake::journal().calls;
  while (!calls.empty() && calls.back() == "close")
    calls.pop_back();
  return calls;
}

/// The method's step `failing` fails with `code`; then the method succeeds.
void check_failure(const Row &row, std::size_t failing, int code) {
  CAPTURE(row.method);
  CAPTURE(failing);
  CAPTURE(code);
  Scene scene = row.scene();
  const int fd = scene.socket.fd();
  const NoLeak no_leak;
  const Fresh fresh;

  fake::Any &call = *row.steps[failing].call;
  auto same = [&](const Step &step) { return step.call == &call; };
  call.fail(code, static_cast<std::size_t>(std::count_if(
                      row.steps.begin(), row.steps.begin() + static_cast<std::ptrdiff_t>(failing), same)));
  const Error error = row.run(scene);
  const int errno_after = errno;

  const int expected = code != 0 ? code : EIO;
  CHECK(error.code() == expected);
  CHECK(error.domain() == ErrorDomain::system);
  CHECK(std::string(operation_name(error.operation())) == call.name());
  CHECK(std::string(error.describe()) == std::string(call.name()) + ": " + std::strerror(expected));
  CHECK(last_error() == error);
  CHECK((errno_after == code || call.returns_code()));
  CHECK(fake::journal().calls == names(row, failing + 1));
  CHECK(scene.socket.fd() == fd);

  fake::reset();
  CHECK(row.run(scene) == Error());
  CHECK(called() == names(row, row.steps.size()));
  CHECK(last_error() == error); // success does not clear it
  CHECK(scene.socket.fd() == fd);
}

} // namespace

TEST_SUITE_BEGIN("fault");

TEST_CASE("every call fails with every error of its manual page") {
  for (const Row &row : rows())
    for (std::size_t i = 0; i < row.steps.size(); ++i)
      for (int code : row.steps[i].errors)
        check_failure(row, i, code);
}

TEST_CASE("a failure without errno is EIO, never 0") {
  for (const Row &row : rows())
    for (std::size_t i = 0; i < row.steps.size(); ++i)
      if (!row.steps[i].call->returns_code()) // whose 0 is a success
        check_failure(row, i, 0);
}

TEST_CASE("an errno that nobody knows is kept") {
  for (const Row &row : rows())
    for (std::size_t i = 0; i < row.steps.size(); ++i)
      for (int code : {512, 524, 4095}) { // ERESTARTSYS, ENOTSUPP: kernel bugs let them out
        Scene scene = row.scene();
        const Fresh fresh;
        row.steps[i].call->fail(code, 0, SIZE_MAX);
        Error error = row.run(scene);
        CHECK(error.code() == code);
        CHECK(std::string(error.describe()) == row.steps[i].call->name() + std::string(": Unknown error"));
      }
}

TEST_CASE("an empty Socket answers EBADF") {
  for (const Row &row : rows()) {
    if (row.scene == nothing)
      continue;
    CAPTURE(row.method);
    Scene scene = row.scene();
    scene.socket = Socket();
    const Fresh fresh;
    Error error = row.run(scene);
    CHECK(error.code() == EBADF);
    CHECK(std::string(operation_name(error.operation())) == fake::journal().calls.back());
  }
  Socket none;
  CHECK_ERROR(none.close(), EBADF, close);
}

TEST_CASE("a descriptor over FD_SETSIZE is as good as another") {
  rlimit old = {};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &old) == 0);
  constexpr int high = 1500;
  if (old.rlim_max <= high + 10)
    SKIP("RLIMIT_NOFILE");
  const rlimit raised = {std::max<rlim_t>(old.rlim_cur, high + 10), old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &raised) == 0);
  for (const Row &row : rows()) {
    if (row.scene == nothing)
      continue;
    CAPTURE(row.method);
    Scene scene = row.scene();
    const Fresh fresh;
    scene.socket = Socket(::fcntl(scene.socket.fd(), F_DUPFD_CLOEXEC, high));
    REQUIRE(scene.socket.fd() >= high);
    CHECK(row.run(scene) == Error());
  }
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &old) == 0);
}

TEST_CASE("what a failing connect means") {
  // One call only, and the caller decides: a connect that was interrupted goes on by itself, one of AF_UNIX that
  // would block does not.
  struct {
    int code;
    bool in_progress, would_block, interrupted;
  } const cases[] = {{EINPROGRESS, true, false, false},
                     {EALREADY, true, false, false},
                     {EAGAIN, false, true, false},
                     {EINTR, false, false, true},
                     {EISCONN, false, false, false}};
  for (const auto &row : cases) {
    CAPTURE(row.code);
    const Fresh fresh;
    fake::connect.fail(row.code);
    auto connected = SocketRef(77)->connect(SocketAddress::unspec());
    REQUIRE_FALSE(connected.has_value());
    CHECK(fake::connect.calls.size() == 1);
    CHECK(connected.error().in_progress() == row.in_progress);
    CHECK(connected.error().would_block() == row.would_block);
    CHECK(connected.error().interrupted() == row.interrupted);
  }
}

TEST_CASE("if_indextoname failing: the text has the number, and no error is recorded") {
  const Fresh fresh;
  Inet6Address address{in6addr_loopback, 0, 0, 4711};
  SUBCASE("no such interface") { fake::if_indextoname.fail(ENXIO); }
  SUBCASE("the system is short of memory") { fake::if_indextoname.fail(ENOMEM); }
  CHECK(SocketAddress(address).text() == "::1%4711");
  CHECK(fake::journal().calls == std::vector<std::string>{"if_indextoname"});
  CHECK(last_error() == Error());
}

// --- close, and who calls it -----------------------------------------------------------------------------

TEST_CASE("close is called once, whatever it answers") {
  for (int code : of_close + Errors{0}) {
    CAPTURE(code);
    const Fresh fresh;
    Socket socket(77);
    fake::close.fail(code, 0, SIZE_MAX);
    auto closed = socket.close();
    CHECK(errno == code);
    CHECK_ERROR(closed, code != 0 ? code : EIO, close);
    CHECK(fake::close.called_with(77));
    CHECK(socket.fd() == -1);
    CHECK_FALSE(socket);
    fake::reset();
    socket = Socket();
    CHECK(fake::journal().calls.empty());
  }
}

TEST_CASE("a descriptor is closed once, silently, by what owned it") {
  const Error before(ETIMEDOUT, Operation::connect);
  for (int code : of_close + Errors{-1}) { // -1: it succeeds
    CAPTURE(code);
    const Fresh fresh;
    fake::connect.fail(before.code());
    CHECK_FALSE(SocketRef(77)->connect(SocketAddress::unspec()).has_value());
    REQUIRE(last_error() == before);
    fake::reset();
    if (code == -1)
      fake::close.instead = [](int) { return errno = 0; }; // a success that changes errno
    else
      fake::close.fail(code, 0, SIZE_MAX);
    errno = ENOTTY;

    SUBCASE("the destructor") { Socket socket(77); }
    SUBCASE("move assignment") {
      Socket socket(77);
      Socket other(78);
      socket = std::move(other);
      CHECK(fake::close.called_with(77));
      CHECK(socket.release() == 78);
    }
    SUBCASE("assignment of an empty one") {
      Socket socket(77);
      socket = Socket();
      CHECK(socket.fd() == -1);
    }
    SUBCASE("a Result") { Result<Socket> socket(77); }
    SUBCASE("Accepted") { Accepted accepted{Socket(77), {}}; }

    CHECK(fake::close.called_with(77));
    CHECK(errno == ENOTTY);
    CHECK(last_error() == before);
  }
}

TEST_CASE("descriptor 0 is a descriptor") {
  const Fresh fresh;
  fake::close.answer(0);
  fake::socket.answer(0);
  {
    auto socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
    CHECK(socket.fd() == 0);
    CHECK(socket);
    CHECK(fake::close.calls.empty());
  }
  CHECK(fake::close.calls == std::vector<std::tuple<int>>{0});
}

TEST_CASE("what has no descriptor closes none") {
  const Fresh fresh;
  fake::close.answer(0);
  {
    Socket empty;
    Socket from(77);
    Socket moved(std::move(from));
    Socket &self = moved;
    moved = std::move(self);
    CHECK(moved.fd() == 77);
    Socket swapped;
    swapped.swap(moved);
    swapped.swap(swapped);
    CHECK(swapped.fd() == 77);
    CHECK(swapped.release() == 77);
    CHECK(swapped.release() == -1);
    SocketRef lent(77);
    SocketRef other(swapped);
    other = lent;
    const SocketRef &same = lent;
    lent = same;
    CHECK(other->fd() == 77);
    CHECK(lent->fd() == 77);
  }
  CHECK(fake::journal().calls.empty());
}

TEST_CASE("dup: two descriptors, each closed once") {
  const Fresh fresh;
  fake::close.answer(0);
  fake::fcntl.answer(78);
  {
    Socket socket(77);
    Socket twin = VALUE(socket.dup());
    CHECK(socket.fd() == 77);
    CHECK(twin.fd() == 78);
  }
  CHECK(fake::fcntl.calls == std::vector<std::tuple<int, int, int>>{{77, F_DUPFD_CLOEXEC, 0}});
  CHECK(fake::close.calls == std::vector<std::tuple<int>>{78, 77});
}

TEST_CASE("from_fd leaves what it does not take") {
  const Fresh fresh;
  fake::close.answer(0);
  fake::getsockopt.fail(ENOTSOCK);
  CHECK_ERROR(Socket::from_fd(77), ENOTSOCK, getsockopt);
  CHECK(fake::close.calls.empty());
  fake::getsockopt.answer(0);
  CHECK(VALUE(Socket::from_fd(77)).fd() == 77);
  CHECK(fake::close.calls == std::vector<std::tuple<int>>{77});
}

// --- addresses from the kernel ---------------------------------------------------------------------------

namespace {

constexpr std::size_t room = SocketAddress::capacity;

/// The kernel's part: an address of `family` in all of the room, and the length that it reports.
template <class Length>
void write_address(void *where, Length &length, int family, socklen_t reported) {
  CHECK(length == room); // what it may write
  std::memset(where, 'p', room);
  auto stored = static_cast<sa_family_t>(family);
  std::memcpy(where, &stored, sizeof stored);
  length = reported;
}

struct AddressSource {
  std::string method;
  SocketAddress (*get)(int family, socklen_t reported);
};

const AddressSource address_sources[] = {
    {"accept_from",
     [](int family, socklen_t reported) {
       fake::close.answer(0);
       fake::accept4.instead = [=](int, sockaddr *address, socklen_t *length, int) {
         write_address(address, *length, family, reported);
         return 78;
       };
       return VALUE(SocketRef(77)->accept_from()).address;
     }},
    {"getsockname",
     [](int family, socklen_t reported) {
       fake::getsockname.instead = [=](int, sockaddr *address, socklen_t *length) {
         write_address(address, *length, family, reported);
         return 0;
       };
       return VALUE(SocketRef(77)->getsockname());
     }},
    {"getpeername",
     [](int family, socklen_t reported) {
       fake::getpeername.instead = [=](int, sockaddr *address, socklen_t *length) {
         write_address(address, *length, family, reported);
         return 0;
       };
       return VALUE(SocketRef(77)->getpeername());
     }},
    {"recvfrom",
     [](int family, socklen_t reported) {
       fake::recvfrom.instead = [=](int, void *, std::size_t, int, sockaddr *address, socklen_t *length) {
         write_address(address, *length, family, reported);
         return ssize_t{0};
       };
       char buffer[16];
       return VALUE(SocketRef(77)->recvfrom(buffer)).address;
     }},
    {"recvfrom(size)",
     [](int family, socklen_t reported) {
       fake::recvfrom.instead = [=](int, void *, std::size_t, int, sockaddr *address, socklen_t *length) {
         write_address(address, *length, family, reported);
         return ssize_t{0};
       };
       return VALUE(SocketRef(77)->recvfrom(16)).address;
     }},
    {"recvmsg",
     [](int family, socklen_t reported) {
       fake::recvmsg.instead = [=](int, msghdr *header, int) {
         write_address(header->msg_name, header->msg_namelen, family, reported);
         return ssize_t{0};
       };
       return VALUE(SocketRef(77)->recvmsg({})).address;
     }},
    {"recvmmsg",
     [](int family, socklen_t reported) {
       fake::recvmmsg.instead = [=](int, mmsghdr *headers, unsigned, int, timespec *) {
         write_address(headers[0].msg_hdr.msg_name, headers[0].msg_hdr.msg_namelen, family, reported);
         return 1;
       };
       IncomingBatch<1> batch;
       CHECK(VALUE(SocketRef(77)->recvmmsg(batch)) == 1);
       return batch[0].address;
     }},
};

} // namespace

TEST_CASE("an address of any reported length fits") {
  for (const AddressSource &source : address_sources)
    for (int family : {AF_UNIX, AF_INET, AF_INET6, AF_PACKET, 45})
      for (socklen_t reported : {0u, 1u, 2u, 4u, 16u, 28u, 109u, 110u, 111u, 112u, 127u, 128u, 129u, 4096u,
                                 static_cast<socklen_t>(INT_MAX), UINT_MAX}) {
        CAPTURE(source.method);
        CAPTURE(family);
        CAPTURE(reported);
        const Fresh fresh;
        SocketAddress address = source.get(family, reported);
        socklen_t most = family == AF_UNIX ? sizeof(sockaddr_un) : SocketAddress::capacity;
        CHECK(address.size() == std::min(reported, most));
        CHECK(address.bytes().size() == address.size());
        CHECK(address.family() == (reported < sizeof(sa_family_t) ? AF_UNSPEC : family));
        CHECK(address.get<NoAddress>().has_value() == (reported < sizeof(sa_family_t)));
        // Under a sanitizer: nothing reads past the end.
        CHECK(address.text().size() < sizeof address.text());
        CHECK(address == SocketAddress(address));
        (void)address.hash();
      }
}

TEST_CASE("a path of 108 bytes, reported as 111, is all there") {
  for (const AddressSource &source : address_sources) {
    CAPTURE(source.method);
    const Fresh fresh;
    SocketAddress address = source.get(AF_UNIX, 111);
    UnixAddress path = VALUE(address.get<UnixAddress>());
    CHECK(path.kind() == UnixAddress::Kind::path);
    CHECK(path.name() == std::string(108, 'p'));
    fake::reset();
    fake::connect.answer(0);
    CHECK(SocketRef(77)->connect(address).has_value());
    CHECK(std::get<2>(fake::connect.calls[0]) == 110); // what connect(2) takes
  }
}

TEST_CASE("the scope of a link-local address passes both ways") {
  const Fresh fresh;
  Inet6Address local{in6addr_loopback, 4711, 0xabcde, 7};
  fake::getpeername.instead = [](int, sockaddr *address, socklen_t *length) {
    sockaddr_in6 raw = {};
    raw.sin6_family = AF_INET6;
    raw.sin6_port = htons(4711);
    raw.sin6_flowinfo = htonl(0xabcde);
    raw.sin6_addr = in6addr_loopback;
    raw.sin6_scope_id = 7;
    std::memcpy(address, &raw, sizeof raw);
    *length = sizeof raw;
    return 0;
  };
  SocketAddress address = VALUE(SocketRef(77)->getpeername());
  CHECK((VALUE(address.get<Inet6Address>()) == local));
  sockaddr_in6 seen = {};
  fake::connect.instead = [&](int, const sockaddr *raw, socklen_t length) {
    CHECK(length == sizeof seen);
    std::memcpy(&seen, raw, sizeof seen);
    return 0;
  };
  CHECK(SocketRef(77)->connect(local).has_value());
  CHECK(seen.sin6_scope_id == 7);
  CHECK(seen.sin6_flowinfo == htonl(0xabcde));
  CHECK(seen.sin6_port == htons(4711));
}

// --- one call, with the caller's arguments ---------------------------------------------------------------

TEST_CASE("descriptors are made close-on-exec") {
  const Fresh fresh;
  fake::close.answer(0);
  SUBCASE("socket") {
    fake::socket.answer(78);
    CHECK(VALUE(Socket::socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMPV6)).release() == 78);
    CHECK(fake::socket.called_with(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6));
  }
  SUBCASE("socketpair") {
    fake::socketpair.instead = [](int domain, int type, int protocol, int *fds) {
      CHECK(domain == AF_UNIX);
      CHECK(type == (SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC));
      CHECK(protocol == 5);
      fds[0] = 78;
      fds[1] = 79;
      return 0;
    };
    auto made = VALUE(Socket::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 5));
    CHECK(fake::journal().calls == std::vector<std::string>{"socketpair"});
    CHECK(made.first.release() == 78);
    CHECK(made.second.release() == 79);
  }
  SUBCASE("accept") {
    fake::accept4.answer(78);
    CHECK(VALUE(SocketRef(77)->accept()).release() == 78);
    CHECK(fake::accept4.called_with(77, nullptr, nullptr, SOCK_CLOEXEC));
  }
  SUBCASE("accept with flags") {
    fake::accept4.answer(78);
    CHECK(VALUE(SocketRef(77)->accept(SOCK_NONBLOCK | 1)).release() == 78);
    CHECK(fake::accept4.called_with(77, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC | 1));
  }
  SUBCASE("accept_from") {
    fake::accept4.instead = [](int fd, sockaddr *address, socklen_t *length, int flags) {
      CHECK(fd == 77);
      CHECK(flags == (SOCK_NONBLOCK | SOCK_CLOEXEC));
      CHECK(*length == room);
      sockaddr_in raw = {};
      raw.sin_family = AF_INET;
      raw.sin_port = htons(4711);
      std::memcpy(address, &raw, *length = sizeof raw);
      return 78;
    };
    auto accepted = VALUE(SocketRef(77)->accept_from(SOCK_NONBLOCK));
    CHECK(fake::journal().calls == std::vector<std::string>{"accept4"});
    CHECK(accepted.socket.release() == 78);
    CHECK(accepted.address == SocketAddress(Inet4Address{INADDR_ANY, 4711}));
  }
  SUBCASE("dup") {
    fake::fcntl.answer(78);
    CHECK(VALUE(SocketRef(77)->dup()).release() == 78);
    CHECK(fake::fcntl.called_with(77, F_DUPFD_CLOEXEC, 0));
  }
}

TEST_CASE("bind, connect, listen, shutdown, sockatmark: one call each") {
  const Fresh fresh;
  const SocketRef socket(77);
  const SocketAddress address = Inet4Address{INADDR_LOOPBACK, 4711};
  SUBCASE("bind") {
    fake::bind.answer(0);
    CHECK(socket->bind(address).has_value());
    CHECK(fake::bind.called_with(77, address.data(), sizeof(sockaddr_in)));
  }
  SUBCASE("connect") {
    fake::connect.answer(0);
    CHECK(socket->connect(address).has_value());
    CHECK(fake::connect.called_with(77, address.data(), sizeof(sockaddr_in)));
  }
  SUBCASE("listen") {
    fake::listen.answer(0);
    CHECK(socket->listen(-3).has_value());
    CHECK(fake::listen.called_with(77, -3));
  }
  SUBCASE("shutdown") {
    fake::shutdown.answer(0);
    CHECK(socket->shutdown(4711).has_value());
    CHECK(fake::shutdown.called_with(77, 4711));
  }
  SUBCASE("sockatmark") {
    fake::sockatmark.answer(1);
    CHECK(VALUE(socket->sockatmark()));
    CHECK(fake::sockatmark.called_with(77));
    fake::sockatmark.answer(0);
    CHECK_FALSE(VALUE(socket->sockatmark()));
  }
  SUBCASE("sendfile") {
    fake::sendfile.instead = [](int, int, off_t *offset, std::size_t) {
      CHECK(*offset == 0x123456789);
      *offset += 5;
      return ssize_t{5};
    };
    CHECK(VALUE(socket->sendfile(78, 0x123456789, 0x1000000000)) == 5);
    REQUIRE(fake::sendfile.calls.size() == 1);
    CHECK(fake::sendfile.called_with(77, 78, std::get<2>(fake::sendfile.calls[0]), 0x1000000000));
  }
}

TEST_CASE("sends carry MSG_NOSIGNAL, and what they were given") {
  const Fresh fresh;
  const SocketRef socket(77);
  const SocketAddress address = Inet4Address{INADDR_LOOPBACK, 4711};
  const char data[] = "0123456789";
  SUBCASE("send") {
    fake::send.answer(3);
    CHECK(VALUE(socket->send({data, 10}, MSG_DONTWAIT | MSG_MORE)) == 3);
    CHECK(fake::send.called_with(77, data, 10, MSG_DONTWAIT | MSG_MORE | MSG_NOSIGNAL));
  }
  SUBCASE("send, no flags") {
    fake::send.answer(0);
    CHECK(VALUE(socket->send({nullptr, 0})) == 0);
    CHECK(fake::send.called_with(77, nullptr, 0, MSG_NOSIGNAL));
  }
  SUBCASE("sendto") {
    fake::sendto.answer(3);
    CHECK(VALUE(socket->sendto({data, 10}, address, MSG_CONFIRM)) == 3);
    CHECK(fake::sendto.called_with(77, data, 10, MSG_CONFIRM | MSG_NOSIGNAL, address.data(), sizeof(sockaddr_in)));
  }
  SUBCASE("sendto, no flags") {
    fake::sendto.answer(3);
    CHECK(VALUE(socket->sendto({data, 10}, NoAddress())) == 3);
    CHECK(std::get<3>(fake::sendto.calls[0]) == MSG_NOSIGNAL);
    CHECK(std::get<5>(fake::sendto.calls[0]) == 0);
  }

  const ConstBuffer parts[] = {{data, 3}, {data + 3, 4}};
  const ConstBuffer control(data, 7);
  auto check_header = [&](const msghdr &header, bool full) {
    CHECK(header.msg_iovlen == 2);
    CHECK(static_cast<const void *>(header.msg_iov) == parts);
    CHECK(header.msg_iov[0].iov_base == data);
    CHECK(header.msg_iov[1].iov_len == 4);
    CHECK(header.msg_name == (full ? address.data() : nullptr));
    CHECK(header.msg_namelen == (full ? sizeof(sockaddr_in) : 0));
    CHECK(header.msg_control == (full ? data : nullptr));
    CHECK(header.msg_controllen == (full ? 7 : 0));
    CHECK(header.msg_flags == 0);
  };
  SUBCASE("sendmsg") {
    for (int flags : {0, MSG_DONTROUTE | MSG_EOR})
      for (bool full : {false, true}) {
        fake::reset();
        const OutgoingMessage message = full ? OutgoingMessage(parts, &address, control) : OutgoingMessage(parts);
        fake::sendmsg.instead = [&](int, const msghdr *header, int) {
          check_header(*header, full);
          return ssize_t{6};
        };
        CHECK(VALUE(socket->sendmsg(message, flags)) == 6);
        REQUIRE(fake::sendmsg.calls.size() == 1);
        CHECK(fake::sendmsg.called_with(77, std::get<1>(fake::sendmsg.calls[0]), flags | MSG_NOSIGNAL));
      }
  }
  SUBCASE("sendmmsg") {
    for (int flags : {0, MSG_OOB | MSG_ZEROCOPY}) {
      fake::reset();
      OutgoingMessage messages[] = {OutgoingMessage(parts, &address, control), OutgoingMessage(parts),
                                    OutgoingMessage()};
      fake::sendmmsg.instead = [&](int, mmsghdr *headers, unsigned, int) {
        check_header(headers[0].msg_hdr, true);
        check_header(headers[1].msg_hdr, false);
        headers[0].msg_len = 7;
        headers[1].msg_len = 6;
        return 2;
      };
      CHECK(VALUE(socket->sendmmsg(messages, flags)) == 2);
      CHECK(fake::sendmmsg.called_with(77, reinterpret_cast<mmsghdr *>(messages), 3, flags | MSG_NOSIGNAL));
      CHECK(messages[0].sent() == 7);
      CHECK(messages[1].sent() == 6);
      CHECK(messages[2].sent() == 0);
    }
  }
  SUBCASE("sendmmsg of nothing") {
    fake::sendmmsg.answer(0);
    CHECK(VALUE(socket->sendmmsg({})) == 0);
    CHECK(fake::sendmmsg.called_with(77, nullptr, 0, MSG_NOSIGNAL));
  }
}

TEST_CASE("a closed peer is EPIPE, not SIGPIPE") {
  auto [socket, peer] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  VALUE(peer.close());
  Error (*const sends[])(const Socket &) = {
      [](const Socket &s) { return error_of(s.send("x")); },
      [](const Socket &s) { return error_of(s.sendto("x", NoAddress())); },
      [](const Socket &s) {
        ConstBuffer part[] = {"x"};
        return error_of(s.sendmsg(OutgoingMessage(part)));
      },
      [](const Socket &s) {
        ConstBuffer part[] = {"x"};
        OutgoingMessage messages[] = {OutgoingMessage(part)};
        return error_of(s.sendmmsg(messages));
      },
  };
  int status = in_child([&, &s = socket] {
    (void)::signal(SIGPIPE, SIG_DFL);
    for (auto send : sends)
      if (!send(s).is(EPIPE))
        return 1;
    return 0;
  });
  CHECK(status == 0);

  // sendfile has no such flag, and the signal's disposition is the program's.
  status = in_child([&s = socket] {
    (void)::signal(SIGPIPE, SIG_DFL);
    Socket file(::memfd_create("baresock", MFD_CLOEXEC));
    if (::write(file.fd(), "x", 1) != 1)
      return 1;
    return s.sendfile(file.fd(), 0, 1).has_value() ? 2 : 3;
  });
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGPIPE);
}

TEST_CASE("receives make one call with what they were given") {
  const Fresh fresh;
  const SocketRef socket(77);
  char buffer[16];
  SUBCASE("recv") {
    fake::recv.answer(3);
    auto got = VALUE(socket->recv({buffer, 10}, MSG_PEEK | MSG_DONTWAIT));
    CHECK(fake::recv.called_with(77, buffer, 10, MSG_PEEK | MSG_DONTWAIT));
    CHECK(got.size == 3);
    CHECK(got.length == 3);
  }
  SUBCASE("recv, no flags") {
    fake::recv.answer(0);
    CHECK(VALUE(socket->recv({nullptr, 0})).size == 0);
    CHECK(fake::recv.called_with(77, nullptr, 0, 0));
  }
  SUBCASE("recv(size)") {
    fake::recv.instead = [](int, void *where, std::size_t, int) {
      std::memcpy(where, "abc", 3);
      return ssize_t{3};
    };
    Bytes bytes = VALUE(socket->recv(10, MSG_PEEK));
    CHECK(fake::journal().calls == std::vector<std::string>{"malloc", "recv"});
    CHECK(fake::malloc.calls[0] == std::tuple(10));
    CHECK(fake::recv.calls[0] == std::tuple(77, bytes.data(), 10, MSG_PEEK));
    CHECK(bytes.text() == "abc");
    CHECK(bytes.length() == 3);
  }
  SUBCASE("recv(0): no memory") {
    fake::recv.answer(0);
    CHECK(VALUE(socket->recv(0)).empty());
    CHECK(fake::recv.called_with(77, nullptr, 0, 0));
  }
  SUBCASE("recv(size), as it is by default") {
    fake::recv.answer(0);
    CHECK(VALUE(socket->recv()).empty());
    CHECK(std::get<2>(fake::recv.calls[0]) == 4096);
    CHECK(std::get<3>(fake::recv.calls[0]) == 0);
  }
  SUBCASE("recvfrom") {
    fake::recvfrom.instead = [](int, void *, std::size_t, int, sockaddr *, socklen_t *length) {
      CHECK(*length == room);
      *length = 0;
      return ssize_t{3};
    };
    auto got = VALUE(socket->recvfrom({buffer, 10}, MSG_OOB));
    REQUIRE(fake::recvfrom.calls.size() == 1);
    auto &call = fake::recvfrom.calls[0];
    CHECK(std::get<4>(call) != nullptr);
    CHECK(fake::recvfrom.called_with(77, buffer, 10, MSG_OOB, std::get<4>(call), std::get<5>(call)));
    CHECK(got.size == 3);
    CHECK(got.length == 3);
  }
  SUBCASE("recvfrom(size)") {
    fake::recvfrom.instead = [](int, void *where, std::size_t size, int flags, sockaddr *, socklen_t *length) {
      CHECK(size == 10);
      CHECK(flags == MSG_WAITALL);
      std::memcpy(where, "abc", 3);
      *length = 0;
      return ssize_t{3};
    };
    auto got = VALUE(socket->recvfrom(10, MSG_WAITALL));
    CHECK(fake::journal().calls == std::vector<std::string>{"malloc", "recvfrom"});
    CHECK(got.data.text() == "abc");
  }

  MutableBuffer parts[] = {{buffer, 3}, {buffer + 3, 4}};
  SUBCASE("recvmsg") {
    ControlBuffer<ControlSpace(21)> control;
    for (int flags : {0, MSG_PEEK | MSG_ERRQUEUE}) {
      fake::reset();
      fake::recvmsg.instead = [&](int fd, msghdr *header, int given) {
        CHECK(fd == 77);
        CHECK(given == (flags | MSG_CMSG_CLOEXEC));
        CHECK(header->msg_namelen == room);
        CHECK(static_cast<void *>(header->msg_iov) == parts);
        CHECK(header->msg_iovlen == 2);
        CHECK(header->msg_control == control.data());
        CHECK(header->msg_controllen == 21);
        CHECK(header->msg_flags == 0);
        header->msg_namelen = 0;
        header->msg_controllen = 2;
        header->msg_flags = MSG_EOR | MSG_CTRUNC | MSG_CMSG_CLOEXEC;
        return ssize_t{4};
      };
      auto got = VALUE(socket->recvmsg(parts, control, flags));
      CHECK(fake::journal().calls == std::vector<std::string>{"recvmsg"});
      CHECK(got.size == 4);
      CHECK(got.length == 4);
      CHECK(got.flags == (MSG_EOR | MSG_CTRUNC | MSG_CMSG_CLOEXEC));
      CHECK(got.end_of_record());
      CHECK(got.control_truncated());
      CHECK_FALSE(got.truncated());
      CHECK_FALSE(got.out_of_band());
      CHECK_FALSE(got.error_queue());
      CHECK(control.truncated());
      CHECK(control.size() == 2);
      CHECK(control.begin() == control.end()); // too short for a message
    }
  }
  SUBCASE("recvmsg without control messages") {
    fake::recvmsg.instead = [&](int, msghdr *header, int given) {
      CHECK(given == MSG_OOB); // no descriptor can come
      CHECK(header->msg_controllen == 0);
      header->msg_namelen = 0;
      header->msg_flags = MSG_CTRUNC;
      return ssize_t{4};
    };
    CHECK(VALUE(socket->recvmsg(parts, MSG_OOB)).control_truncated());
    CHECK(fake::journal().calls == std::vector<std::string>{"recvmsg"});
  }
  SUBCASE("recvmmsg") {
    for (int flags : {0, MSG_WAITFORONE | MSG_DONTWAIT}) {
      fake::reset();
      IncomingBatch<3, ControlSpace(24)> batch;
      batch.assign(0, parts);
      batch.assign(1, parts);
      fake::recvmmsg.instead = [&](int, mmsghdr *headers, unsigned, int, timespec *) {
        for (std::size_t i = 0; i < 3; ++i) {
          CHECK(headers[i].msg_hdr.msg_controllen == 24);
          CHECK(reinterpret_cast<std::uintptr_t>(headers[i].msg_hdr.msg_control) % alignof(cmsghdr) == 0);
        }
        CHECK(headers[0].msg_hdr.msg_control != headers[1].msg_hdr.msg_control);
        CHECK(static_cast<void *>(headers[1].msg_hdr.msg_iov) == parts);
        CHECK(headers[1].msg_hdr.msg_iovlen == 2);
        CHECK(headers[2].msg_hdr.msg_iovlen == 0);
        CHECK(headers[0].msg_hdr.msg_name != headers[1].msg_hdr.msg_name);
        return 0;
      };
      CHECK(VALUE(socket->recvmmsg(batch, flags)) == 0);
      REQUIRE(fake::recvmmsg.calls.size() == 1);
      CHECK(
          fake::recvmmsg.called_with(77, std::get<1>(fake::recvmmsg.calls[0]), 3, flags | MSG_CMSG_CLOEXEC, nullptr));
      CHECK(batch.size() == 0);
    }
  }
}

TEST_CASE("options, flags and counts make one call with what they were given") {
  const Fresh fresh;
  const SocketRef socket(77);
  auto check_set = [](const auto &value) {
    return [value](int fd, int level, int name, const void *given, socklen_t size) {
      CHECK(fd == 77);
      CHECK(level == 4711);
      CHECK(name == -12);
      CHECK(size == value.size());
      CHECK(std::string_view(static_cast<const char *>(given), size) == value);
      return 0;
    };
  };
  SUBCASE("setsockopt(int)") {
    fake::setsockopt.instead = check_set(bytes_of(-4));
    CHECK(socket->setsockopt(4711, -12, -4).has_value());
  }
  SUBCASE("setsockopt(bool)") {
    fake::setsockopt.instead = check_set(bytes_of(1));
    CHECK(socket->setsockopt(4711, -12, true).has_value());
  }
  SUBCASE("setsockopt(text)") {
    fake::setsockopt.instead = check_set(std::string("reno"));
    CHECK(socket->setsockopt(4711, -12, "reno").has_value());
  }
  SUBCASE("setsockopt(no text)") {
    // SO_BINDTODEVICE: to no device.
    fake::setsockopt.instead = [](int, int, int, const void *, socklen_t size) {
      CHECK(size == 0);
      return 0;
    };
    CHECK(socket->setsockopt(4711, -12, "").has_value());
    fake::reset();
    fake::setsockopt.answer(0);
    CHECK(socket->setsockopt(4711, -12, std::string_view()).has_value());
  }
  SUBCASE("setsockopt(bytes)") {
    const std::string value(300, '\0');
    fake::setsockopt.answer(0);
    CHECK(socket->setsockopt(4711, -12, ConstBuffer(value)).has_value());
    CHECK(fake::setsockopt.called_with(77, 4711, -12, value.data(), 300));
  }
  SUBCASE("setsockopt(no bytes)") { // ALG_SET_AEAD_AUTHSIZE: the length is the value
    fake::setsockopt.answer(0);
    CHECK(socket->setsockopt(4711, -12, ConstBuffer(nullptr, 16)).has_value());
    CHECK(fake::setsockopt.called_with(77, 4711, -12, nullptr, 16));
  }
  SUBCASE("getsockopt(bytes)") {
    char value[16];
    fake::getsockopt.instead = [&](int fd, int level, int name, void *given, socklen_t *size) {
      CHECK(fd == 77);
      CHECK(level == 4711);
      CHECK(name == -12);
      CHECK(given == value);
      CHECK(*size == 16);
      *size = 7;
      return 0;
    };
    CHECK(VALUE(socket->getsockopt(4711, -12, value)) == 7);
  }
  SUBCASE("from_fd") {
    fake::getsockopt.instead = [](int fd, int level, int name, void *, socklen_t *size) {
      CHECK(fd == 77);
      CHECK(level == SOL_SOCKET);
      CHECK(name == SO_TYPE);
      CHECK(*size == sizeof(int));
      return 0;
    };
    CHECK(VALUE(Socket::from_fd(77)).release() == 77);
  }
  SUBCASE("bytes_readable") {
    fake::ioctl.instead = [](int fd, unsigned long request, void *value) {
      CHECK(fd == 77);
      CHECK(request == FIONREAD);
      const int bytes = INT_MAX;
      std::memcpy(value, &bytes, sizeof bytes);
      return 0;
    };
    CHECK(VALUE(socket->bytes_readable()) == INT_MAX);
  }
  SUBCASE("bytes_unsent") {
    fake::ioctl.instead = [](int fd, unsigned long request, void *value) {
      CHECK(fd == 77);
      CHECK(request == TIOCOUTQ); // SIOCOUTQ's other name
      const int bytes = 12;
      std::memcpy(value, &bytes, sizeof bytes);
      return 0;
    };
    CHECK(VALUE(socket->bytes_unsent()) == 12);
  }
  SUBCASE("if_nametoindex") {
    fake::if_nametoindex.instead = [](const char *name) {
      CHECK(std::string(name) == "wlan0");
      return 4711u;
    };
    SocketAddress address = VALUE(SocketAddress::parse("fe80::1%wlan0"));
    CHECK(VALUE(address.get<Inet6Address>()).scope_id == 4711);
  }
  SUBCASE("if_indextoname") {
    fake::if_indextoname.instead = [](unsigned index, char *name) {
      CHECK(index == 4711);
      return std::strcpy(name, "wlan0");
    };
    CHECK(SocketAddress(Inet6Address{in6addr_loopback, 0, 0, 4711}).text() == "::1%wlan0");
  }
  CHECK(fake::journal().calls.size() == 1);
}

TEST_CASE("descriptor flags: only the one changes") {
  struct {
    Result<bool> (*get)(const Socket &);
    Result<void> (*set)(const Socket &, bool);
    int get_command, set_command, bit;
  } const cases[] = {
      {[](const Socket &s) { return s.nonblocking(); },
       [](const Socket &s, bool on) { return s.set_nonblocking(on); }, F_GETFL, F_SETFL, O_NONBLOCK},
      {[](const Socket &s) { return s.close_on_exec(); },
       [](const Socket &s, bool on) { return s.set_close_on_exec(on); }, F_GETFD, F_SETFD, FD_CLOEXEC},
  };
  using Calls = std::vector<std::tuple<int, int, int>>;
  const SocketRef socket(77);
  for (const auto &row : cases)
    for (int others : {0, O_RDWR | O_APPEND, 0x7fffffff & ~O_NONBLOCK & ~FD_CLOEXEC})
      for (bool before : {false, true})
        for (bool on : {false, true}) {
          const Fresh fresh;
          const int flags = others | (before ? row.bit : 0);
          fake::fcntl.instead = [&](int, int command, int) { return command == row.get_command ? flags : 0; };
          CHECK(VALUE(row.get(*socket)) == before);
          CHECK(fake::fcntl.calls == Calls{{77, row.get_command, 0}});
          fake::fcntl.calls.clear();
          CHECK(row.set(*socket, on).has_value());
          CHECK(fake::fcntl.calls ==
                Calls{{77, row.get_command, 0}, {77, row.set_command, others | (on ? row.bit : 0)}});
        }
}

// --- in-out fields ---------------------------------------------------------------------------------------

TEST_CASE("recvmmsg: a batch is as new for every call") {
  const Fresh fresh;
  const SocketRef socket(77);
  constexpr std::size_t messages = 3;
  IncomingBatch<messages, ControlSpace(24)> batch;
  char data[messages][8];
  const void *control[messages] = {}; // where each was the first time
  std::array<MutableBuffer, 1> parts[messages];
  for (std::size_t i = 0; i < messages; ++i) {
    parts[i][0] = data[i];
    batch.assign(i, parts[i]);
  }
  int answer = 0;
  fake::recvmmsg.instead = [&](int, mmsghdr *headers, unsigned count, int, timespec *) {
    CHECK(count == messages);
    for (std::size_t i = 0; i < count; ++i) {
      CAPTURE(i);
      msghdr &header = headers[i].msg_hdr;
      CHECK(header.msg_namelen == room);
      if (control[i] == nullptr)
        control[i] = header.msg_control;
      CHECK(header.msg_control == control[i]);
      CHECK(header.msg_controllen == 24);
      CHECK(header.msg_flags == 0);
      CHECK(static_cast<void *>(header.msg_iov) == parts[i].data());
      CHECK(header.msg_iovlen == 1);
      const sockaddr_in raw = {AF_INET, htons(4711), {}, {}};
      std::memcpy(header.msg_name, &raw, sizeof raw);
      header.msg_namelen = sizeof raw;
      header.msg_controllen = i;
      header.msg_flags = MSG_TRUNC | MSG_CTRUNC;
      header.msg_control = nullptr; // for good measure
      headers[i].msg_len = 5;
    }
    if (answer == -1)
      errno = EINTR;
    return answer;
  };
  for (int next : {3, 1, -1, 0, 3}) {
    CAPTURE(next);
    answer = next;
    auto got = socket->recvmmsg(batch, MSG_WAITFORONE);
    CHECK(got.has_value() == (next >= 0));
    CHECK(batch.size() == static_cast<std::size_t>(std::max(next, 0)));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      CHECK(batch[i].address.port() == 4711);
      CHECK(batch[i].size == 5);
      CHECK(batch[i].truncated());
      CHECK(batch[i].control_truncated());
      CHECK(batch[i].control.truncated());
      CHECK(batch[i].control.size() == i);
      CHECK(batch[i].control.data() == control[i]);
    }
  }

  // An address of the last call is not one of this.
  fake::recvmmsg.instead = [](int, mmsghdr *headers, unsigned, int, timespec *) {
    for (std::size_t i = 0; i < messages; ++i)
      headers[i].msg_hdr.msg_controllen = headers[i].msg_hdr.msg_namelen = 0;
    return int{messages};
  };
  CHECK(VALUE(socket->recvmmsg(batch)) == messages);
  for (std::size_t i = 0; i < messages; ++i) {
    CHECK(batch[i].address.size() == 0);
    CHECK(batch[i].address.get<NoAddress>().has_value());
    CHECK(batch[i].flags == 0);
    CHECK(batch[i].control.empty());
    CHECK_FALSE(batch[i].control.truncated());
  }

  // Nor is a message, after a call that was refused.
  CHECK_ERROR(socket->recvmmsg(batch, MSG_EOR), EINVAL, recvmmsg);
  CHECK(batch.size() == 0);
}

TEST_CASE("sendmsg and sendmmsg: a message can be sent again") {
  const Fresh fresh;
  const ConstBuffer parts[] = {"hello"};
  OutgoingMessage messages[] = {OutgoingMessage(parts)};
  fake::sendmmsg.instead = [&](int, mmsghdr *headers, unsigned, int) {
    CHECK(static_cast<const void *>(headers[0].msg_hdr.msg_iov) == parts);
    CHECK(headers[0].msg_hdr.msg_iovlen == 1);
    headers[0].msg_len = 5;
    return 1;
  };
  for (int i = 0; i < 3; ++i) {
    CHECK(VALUE(SocketRef(77)->sendmmsg(messages)) == 1);
    CHECK(messages[0].sent() == 5);
  }
}

// --- what is refused before the kernel sees it -----------------------------------------------------------

namespace {

/// A method with flags; every one of them.
struct FlagRow {
  std::string method; // the operation's name
  Error (*run)(int flags);
};

const FlagRow sends[] = {
    {"send", [](int flags) { return error_of(SocketRef(77)->send("x", flags)); }},
    {"sendto", [](int flags) { return error_of(SocketRef(77)->sendto("x", SocketAddress::unspec(), flags)); }},
    {"sendmsg", [](int flags) { return error_of(SocketRef(77)->sendmsg(OutgoingMessage(), flags)); }},
    {"sendmmsg",
     [](int flags) {
       OutgoingMessage messages[1];
       return error_of(SocketRef(77)->sendmmsg(messages, flags));
     }},
};

const FlagRow receives[] = {
    {"recv",
     [](int flags) {
       char buffer[1];
       return error_of(SocketRef(77)->recv(buffer, flags));
     }},
    {"recv", [](int flags) { return error_of(SocketRef(77)->recv(0, flags)); }},
    {"recvfrom",
     [](int flags) {
       char buffer[1];
       return error_of(SocketRef(77)->recvfrom(buffer, flags));
     }},
    {"recvfrom", [](int flags) { return error_of(SocketRef(77)->recvfrom(0, flags)); }},
    {"recvmsg", [](int flags) { return error_of(SocketRef(77)->recvmsg({}, flags)); }},
    {"recvmsg",
     [](int flags) {
       ControlBuffer<ControlSpace(24)> control;
       return error_of(SocketRef(77)->recvmsg({}, control, flags));
     }},
    {"recvmmsg",
     [](int flags) {
       IncomingBatch<1> batch;
       return error_of(SocketRef(77)->recvmmsg(batch, flags));
     }},
};

/// Every bit there is: those of `known` reach the kernel, the others do not.
void check_flags(Span<const FlagRow> rows, unsigned known) {
  for (const FlagRow &row : rows)
    for (unsigned bit = 0; bit < 32; ++bit) {
      const unsigned flag = 1u << bit;
      CAPTURE(row.method);
      CAPTURE(flag);
      const Fresh fresh;
      fake::send.answer(0);
      fake::sendto.answer(0);
      fake::sendmsg.answer(0);
      fake::sendmmsg.answer(0);
      fake::recv.answer(0);
      fake::recvfrom.instead = [](int, void *, std::size_t, int, sockaddr *, socklen_t *length) -> ssize_t {
        *length = 0; // as the kernel always sets it
        return 0;
      };
      fake::recvmsg.instead = [](int, msghdr *header, int) -> ssize_t {
        header->msg_namelen = 0;
        header->msg_controllen = 0;
        return 0;
      };
      fake::recvmmsg.answer(0);
      Error error = row.run(static_cast<int>(flag));
      if ((known & flag) != 0) {
        CHECK(error == Error());
        CHECK(fake::journal().calls == std::vector<std::string>{row.method});
      } else {
        CHECK(error.is(EINVAL));
        CHECK(std::string(operation_name(error.operation())) == row.method);
        CHECK(last_error() == error);
        CHECK(fake::journal().calls.empty());
      }
    }
}

template <class T>
void check_refused(const Result<T> &result, const char *operation, int code = EINVAL) {
  CAPTURE(operation);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().is(code));
  CHECK(std::string(operation_name(result.error().operation())) == operation);
  CHECK(last_error() == result.error());
  CHECK(fake::journal().calls.empty());
}

} // namespace

TEST_CASE("flags that a send does not know are EINVAL") {
  // send(2), tcp(7), MSG_PROXY, and MSG_BATCH of linux/socket.h.
  check_flags(sends, MSG_CONFIRM | MSG_DONTROUTE | MSG_DONTWAIT | MSG_EOR | MSG_MORE | MSG_NOSIGNAL | MSG_OOB |
                         MSG_FASTOPEN | MSG_ZEROCOPY | MSG_PROXY | 0x40000);
}

TEST_CASE("flags that a receive does not know are EINVAL") {
  // recv(2), recvmmsg(2), MSG_NOSIGNAL, and MSG_SOCK_DEVMEM of linux/socket.h.
  check_flags(receives, MSG_CMSG_CLOEXEC | MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB | MSG_PEEK | MSG_TRUNC |
                            MSG_WAITALL | MSG_WAITFORONE | MSG_NOSIGNAL | 0x2000000);
}

TEST_CASE("recv(size) with unknown flags allocates nothing") {
  const Fresh fresh;
  CHECK_ERROR(SocketRef(77)->recv(16, MSG_EOR), EINVAL, recv);
  CHECK_ERROR(SocketRef(77)->recvfrom(16, MSG_EOR), EINVAL, recvfrom);
  CHECK(fake::journal().calls.empty());
}

TEST_CASE("sizes that the kernel would misread are EINVAL") {
  const Fresh fresh;
  const SocketRef socket(77);
  char byte = 0;
  constexpr auto most = static_cast<std::size_t>(SSIZE_MAX);
  for (std::size_t size : {most + 1, std::numeric_limits<std::size_t>::max()}) {
    check_refused(socket->send({&byte, size}), "send");
    check_refused(socket->sendto({&byte, size}, SocketAddress::unspec()), "sendto");
    check_refused(socket->recv(MutableBuffer(&byte, size)), "recv");
    check_refused(socket->recvfrom(MutableBuffer(&byte, size)), "recvfrom");
    check_refused(socket->recv(size), "recv");
    check_refused(socket->recvfrom(size), "recvfrom");
  }
  constexpr std::size_t int_most = INT_MAX;
  for (std::size_t size : {int_most + 1, std::size_t{UINT_MAX} + 1, std::numeric_limits<std::size_t>::max()}) {
    check_refused(socket->setsockopt(1, 2, ConstBuffer(&byte, size)), "setsockopt");
    check_refused(socket->getsockopt(1, 2, MutableBuffer(&byte, size)), "getsockopt");
  }
  OutgoingMessage message;
  for (std::size_t size : {std::size_t{UINT_MAX} + 1, std::numeric_limits<std::size_t>::max()})
    check_refused(socket->sendmmsg({&message, size}), "sendmmsg");

  // The largest that it would not.
  fake::send.answer(0);
  CHECK(socket->send({&byte, most}).has_value());
  CHECK(fake::send.called_with(77, &byte, most, MSG_NOSIGNAL));
  fake::reset();
  fake::recv.answer(0);
  CHECK(socket->recv(MutableBuffer(&byte, most)).has_value());
  CHECK(fake::recv.called_with(77, &byte, most, 0));
  fake::reset();
  fake::setsockopt.answer(0);
  CHECK(socket->setsockopt(1, 2, ConstBuffer(&byte, int_most)).has_value());
  CHECK(fake::setsockopt.called_with(77, 1, 2, &byte, INT_MAX));
  fake::reset();
  std::vector<OutgoingMessage> many(5000); // of which the kernel takes 1024
  fake::sendmmsg.answer(1024);
  CHECK(VALUE(socket->sendmmsg(many)) == 1024);
  CHECK(std::get<2>(fake::sendmmsg.calls[0]) == 5000);
}

TEST_CASE("more memory than there is: ENOMEM, and no receive") {
  const Fresh fresh;
  constexpr auto huge = static_cast<std::size_t>(SSIZE_MAX);
  fake::malloc.fail(ENOMEM, 0, SIZE_MAX);
  fake::calloc.fail(ENOMEM, 0, SIZE_MAX);
  CHECK_ERROR(SocketRef(77)->recv(huge), ENOMEM, malloc);
  CHECK_ERROR(SocketRef(77)->recvfrom(huge), ENOMEM, malloc);
  CHECK_ERROR(SocketRef(77)->recv(huge, MSG_TRUNC), ENOMEM, calloc);
  CHECK_ERROR(SocketRef(77)->recvfrom(huge, MSG_TRUNC), ENOMEM, calloc);
  CHECK(fake::journal().calls == std::vector<std::string>{"malloc", "malloc", "calloc", "calloc"});
  CHECK(fake::calloc.calls[0] == std::tuple(huge, 1));
}

TEST_CASE("texts that the kernel would cut are refused") {
  const Fresh fresh;
  const SocketRef socket(77);
  using namespace std::string_view_literals;
  check_refused(socket->setsockopt(SOL_SOCKET, SO_BINDTODEVICE, "lo\0junk"sv), "setsockopt");
  check_refused(socket->setsockopt(SOL_SOCKET, SO_BINDTODEVICE, "\0"sv), "setsockopt");
  check_refused(socket->setsockopt(SOL_SOCKET, SO_BINDTODEVICE, "0123456789abcdef"), "setsockopt", ENAMETOOLONG);
  fake::setsockopt.answer(0);
  CHECK(socket->setsockopt(SOL_SOCKET, SO_BINDTODEVICE, "0123456789abcde").has_value());
  CHECK(fake::setsockopt.calls.size() == 1);
}

TEST_CASE("numbers of parts") {
  // The kernel's own limit.
  auto [socket, peer] = VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
  const std::vector<ConstBuffer> out(1025, ConstBuffer("x"));
  char byte[1025];
  std::vector<MutableBuffer> in;
  for (char &c : byte)
    in.emplace_back(&c, 1);
  for (std::size_t count : {0u, 1u, 1024u}) {
    CAPTURE(count);
    CHECK(VALUE(socket.sendmsg(OutgoingMessage({out.data(), count}))) == count);
    CHECK(VALUE(peer.recvmsg({in.data(), 1024})).size == count);
  }
  CHECK_ERROR(socket.sendmsg(OutgoingMessage(out)), EMSGSIZE, sendmsg);
  CHECK_ERROR(peer.recvmsg({in.data(), 1025}, MSG_DONTWAIT), EMSGSIZE, recvmsg);
}

// --- control messages ------------------------------------------------------------------------------------

namespace {

/// A kind of descriptors that the library does not know, as a user makes one.
constexpr ControlKind<stored::Descriptors, Direction::receive> own_kind{SOL_SOCKET, 4711, "SCM_OWN"};
constexpr ControlSpace own_space = control_space(own_kind, 4) + ControlSpace(256);
constexpr ControlSpace plain_space = ControlSpace(own_space.size);

/// Real descriptors, and control messages with them as a kernel might forge them.
struct Forged {
  Message message;
  std::vector<std::size_t> payloads; // of the messages that can be seen
  std::vector<int> owned;            // descriptors that have to be closed, once
  std::vector<int> strange;          // and those that must not

  int fd(bool own = true) {
    const int made = ::fcntl(0, F_DUPFD_CLOEXEC, 500);
    REQUIRE(made >= 500);
    (own ? owned : strange).push_back(made);
    return made;
  }
  std::string fds(std::size_t count, bool own = true) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
      all += bytes_of(fd(own));
    return all;
  }
  void add(int level, int type, const std::string &payload) {
    message.control += control_message(level, type, payload);
    payloads.push_back(payload.size());
  }
  /// With another length in the header; what can be seen is said apart.
  void add_lie(int level, int type, const std::string &payload, std::size_t told) {
    message.control += control_message(level, type, payload, told, true);
  }

  ~Forged() {
    for (int made : strange)
      ::close(made);
  }

  /// Every descriptor that came was closed, once, and no other.
  void check_closed() const {
    std::vector<int> closed;
    for (const auto &[fd] : fake::close.calls)
      closed.push_back(fd);
    std::ranges::sort(closed);
    CHECK(closed == owned); // which only grew
  }
};

struct Forgery {
  std::string name;
  void (*forge)(Forged &);
};

constexpr std::size_t header_size = CMSG_LEN(0);

const Forgery forgeries[] = {
    {"nothing", [](Forged &) {}},
    {"descriptors", [](Forged &f) { f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(3)); }},
    {"one descriptor", [](Forged &f) { f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(1)); }},
    {"no descriptors", [](Forged &f) { f.add(SOL_SOCKET, SCM_RIGHTS, ""); }},
    {"twice, with others between",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_CREDENTIALS, std::string(sizeof(ucred), 'c'));
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(1));
       f.add(SOL_SOCKET, 4, f.fds(1)); // SCM_PIDFD
       f.add(IPPROTO_IP, 4711, "?");
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(2));
     }},
    {"truncated",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(2));
       f.message.flags = MSG_CTRUNC;
     }},
    {"truncated to nothing", [](Forged &f) { f.message.flags = MSG_CTRUNC; }},
    {"SCM_PIDFD, negative",
     [](Forged &f) {
       f.add(SOL_SOCKET, 4, bytes_of(-ESRCH));
       f.add(SOL_SOCKET, 4, f.fds(1));
     }},
    {"SCM_RIGHTS, -1", [](Forged &f) { f.add(SOL_SOCKET, SCM_RIGHTS, bytes_of(-1) + f.fds(1) + bytes_of(INT_MIN)); }},
    {"six bytes of descriptors", [](Forged &f) { f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(1) + "xy"); }},
    {"three bytes of descriptors", [](Forged &f) { f.add(SOL_SOCKET, SCM_RIGHTS, "xyz"); }},
    {"numbers at other levels are no descriptors",
     [](Forged &f) {
       f.add(IPPROTO_IP, SCM_RIGHTS, f.fds(1, false));
       f.add(IPPROTO_IPV6, 4, f.fds(1, false));
       f.add(SOL_SOCKET, SCM_CREDENTIALS, f.fds(3, false));
     }},
    {"a length of zero",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(1));
       f.add_lie(SOL_SOCKET, SCM_RIGHTS, f.fds(2, false), 0);
       f.add_lie(SOL_SOCKET, SCM_RIGHTS, f.fds(2, false), header_size + 8);
     }},
    {"a length of one",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(1));
       f.add_lie(SOL_SOCKET, SCM_RIGHTS, f.fds(2, false), 1);
     }},
    {"a length below the header's",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(2));
       f.add_lie(SOL_SOCKET, SCM_RIGHTS, f.fds(2, false), header_size - 1);
     }},
    {"the header's length, and nothing more",
     [](Forged &f) {
       f.add_lie(SOL_SOCKET, SCM_RIGHTS, "", header_size);
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(1));
       f.payloads = {0, 4};
     }},
    {"a length beyond the end",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(2));
       f.add_lie(SOL_SOCKET, SCM_RIGHTS, f.fds(2), header_size + 9);
       f.payloads = {8, 8};
     }},
    {"a length far beyond the end",
     [](Forged &f) {
       f.add_lie(SOL_SOCKET, SCM_RIGHTS, f.fds(2), 1 << 20);
       f.payloads = {8};
     }},
    {"the greatest length",
     [](Forged &f) {
       f.add_lie(SOL_SOCKET, SCM_RIGHTS, f.fds(2), SIZE_MAX);
       f.payloads = {8};
     }},
    {"a length that wraps when it is rounded up",
     [](Forged &f) {
       f.add_lie(SOL_SOCKET, SCM_RIGHTS, f.fds(4), SIZE_MAX - 6);
       f.payloads = {16};
     }},
    {"an end without padding",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(1));
       f.message.control.resize(header_size + 4);
     }},
    {"an end within a descriptor",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(1) + bytes_of(f.fd(false)));
       f.message.control.resize(header_size + 7);
       f.payloads = {7};
     }},
    {"an end within a header",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(2));
       f.add_lie(SOL_SOCKET, SCM_RIGHTS, "", header_size);
       f.message.control.resize(f.message.control.size() - 1);
     }},
    {"an end after a header",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(2));
       f.add(SOL_SOCKET, SCM_RIGHTS, "");
     }},
    {"less than a header",
     [](Forged &f) { f.message.control = control_message(SOL_SOCKET, SCM_RIGHTS, "").substr(0, header_size - 1); }},
    {"zeros after the end",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(2));
       f.message.control.resize(own_space.size);
     }},
    {"junk after the end",
     [](Forged &f) {
       f.add(SOL_SOCKET, SCM_RIGHTS, f.fds(2));
       f.message.control.resize(own_space.size, '\1');
       f.payloads.push_back(own_space.size - 2 * header_size - 8);
     }},
};

/// What becomes of what was received into it.
struct Fate {
  std::string name;
  void (*run)(const Socket &socket, Control &control);
};

void receive_nothing() { answer(Message()); }

const Fate fates[] = {
    {"the destructor", [](const Socket &, Control &) {}},
    {"clear()",
     [](const Socket &, Control &control) {
       control.clear();
       CHECK(control.empty());
     }},
    {"clear(), twice",
     [](const Socket &, Control &control) {
       control.clear();
       control.clear();
     }},
    {"the next call",
     [](const Socket &socket, Control &control) {
       receive_nothing();
       VALUE(socket.recvmsg({}, control));
       CHECK(control.empty());
     }},
    {"the next call, which is interrupted",
     [](const Socket &socket, Control &control) {
       fake::recvmsg.fail(EINTR);
       CHECK_FALSE(socket.recvmsg({}, control));
       CHECK(control.empty());
     }},
    {"the next call, which is refused",
     [](const Socket &socket, Control &control) {
       CHECK_FALSE(socket.recvmsg({}, control, MSG_EOR));
       CHECK(control.empty());
     }},
    {"append()",
     [](const Socket &, Control &control) {
       VALUE(control.append(cmsg::ip::ttl, 64));
       CHECK(control.size() == CMSG_SPACE(sizeof(int)));
     }},
    {"all taken",
     [](const Socket &, Control &control) {
       for (ControlMessage message : control)
         for (int type : {int{SCM_RIGHTS}, 4}) {
           auto all = message.as(ControlKind<stored::Descriptors>{SOL_SOCKET, type, ""});
           for (std::size_t i = 0; all && i < all->size(); ++i) {
             const int fd = (*all)[i];
             const std::size_t closed = fake::close.calls.size();
             CHECK(all->take(i).fd() == (fd >= 0 ? fd : -1));
             CHECK(fake::close.calls.size() == closed + (fd >= 0 ? 1 : 0));
             CHECK_FALSE(all->take(i)); // it has an owner
           }
         }
     }},
};

/// Received, that fate, and gone: all closed once.
template <ControlSpace Space>
void check_fate(const Forgery &forgery, const Fate &fate, int family) {
  CAPTURE(forgery.name);
  CAPTURE(fate.name);
  const NoLeak no_leak;
  const Fresh fresh;
  const SocketRef socket(77);
  Forged forged;
  forgery.forge(forged);
  forged.message.family = static_cast<sa_family_t>(family);
  answer(forged.message);
  {
    ControlBuffer<Space> control;
    auto got = VALUE(socket->recvmsg({}, control));
    CHECK(got.control_truncated() == (forged.message.flags == MSG_CTRUNC));
    CHECK(control.truncated() == got.control_truncated());
    CHECK(control.size() == forged.message.control.size());
    std::vector<std::size_t> payloads;
    for (ControlMessage message : control) {
      const ConstBuffer bytes = message.bytes();
      CHECK(bytes.begin() >= control.data() + header_size);
      CHECK(bytes.end() <= control.data() + control.size());
      payloads.push_back(bytes.size());
    }
    CHECK(payloads == forged.payloads);
    CHECK(fake::close.calls.empty());
    fate.run(*socket, control);
  }
  forged.check_closed();
  CHECK(last_error().operation() != Operation::close);
}

/// The next call of a batch.
struct BatchFate {
  std::string name;
  void (*run)(const Socket &socket, IncomingMessages &batch);
};

const BatchFate batch_fates[] = {
    {"the destructor", [](const Socket &, IncomingMessages &) {}},
    {"the next call",
     [](const Socket &socket, IncomingMessages &batch) {
       receive_nothing();
       VALUE(socket.recvmmsg(batch));
     }},
    {"the next call, which receives one message",
     [](const Socket &socket, IncomingMessages &batch) {
       fake::recvmmsg.instead = [](int, mmsghdr *headers, unsigned, int, timespec *) {
         Message().write(headers[0].msg_hdr);
         return 1;
       };
       VALUE(socket.recvmmsg(batch));
     }},
    {"the next call, which is interrupted",
     [](const Socket &socket, IncomingMessages &batch) {
       fake::recvmmsg.fail(EINTR);
       CHECK_FALSE(socket.recvmmsg(batch));
       CHECK(batch.size() == 0);
     }},
    {"all taken",
     [](const Socket &, IncomingMessages &batch) {
       for (std::size_t i = 0; i < batch.size(); ++i)
         for (ControlMessage message : batch[i].control)
           for (int type : {int{SCM_RIGHTS}, 4})
             if (auto all = message.as(ControlKind<stored::Descriptors>{SOL_SOCKET, type, ""}))
               for (std::size_t fd = 0; fd < all->size(); ++fd)
                 (void)all->take(fd);
     }},
};

} // namespace

TEST_CASE("forged control messages: nothing beyond their end is looked at, every descriptor is closed once") {
  for (const Forgery &forgery : forgeries)
    for (const Fate &fate : fates)
      for (int family : {AF_UNSPEC, AF_UNIX}) {
        check_fate<plain_space>(forgery, fate, family);
        check_fate<own_space>(forgery, fate, family);
      }
}

TEST_CASE("a batch of forged control messages: every descriptor of every message is closed once") {
  for (const Forgery &forgery : forgeries)
    for (const BatchFate &fate : batch_fates) {
      CAPTURE(forgery.name);
      CAPTURE(fate.name);
      const NoLeak no_leak;
      const Fresh fresh;
      const SocketRef socket(77);
      constexpr std::size_t count = 3;
      std::array<Forged, count> forged;
      fake::recvmmsg.instead = [&](int, mmsghdr *headers, unsigned, int, timespec *) {
        for (std::size_t i = 0; i < count; ++i) {
          forgery.forge(forged[i]);
          forged[i].message.write(headers[i].msg_hdr);
        }
        return int{count};
      };
      {
        IncomingBatch<count, own_space> batch;
        REQUIRE(VALUE(socket->recvmmsg(batch)) == count);
        for (std::size_t i = 0; i < count; ++i) {
          std::vector<std::size_t> payloads;
          for (ControlMessage message : batch[i].control)
            payloads.push_back(message.bytes().size());
          CHECK(payloads == forged[i].payloads);
          CHECK(batch[i].control_truncated() == (forged[i].message.flags == MSG_CTRUNC));
        }
        CHECK(fake::close.calls.empty());
        fate.run(*socket, batch);
      }
      Forged all;
      for (const Forged &each : forged)
        all.owned.insert(all.owned.end(), each.owned.begin(), each.owned.end());
      all.check_closed();
    }
}

TEST_CASE("forged control messages: recv_fds, recv_error and recv_segments lose no descriptor") {
  for (const Forgery &forgery : forgeries)
    for (std::size_t places : {0u, 1u, 2u, 8u}) {
      CAPTURE(forgery.name);
      CAPTURE(places);
      const NoLeak no_leak;
      const Fresh fresh;
      const SocketRef socket(77);
      Forged forged;
      forgery.forge(forged);
      answer(forged.message);
      {
        std::array<FileDescriptor, 8> fds;
        auto got = VALUE(recv_fds(*socket, {}, {fds.data(), places}));
        CHECK(got.fds <= places);
        for (std::size_t i = got.fds; i < fds.size(); ++i)
          CHECK_FALSE(fds[i]);
        CHECK(got.control_truncated >= (forged.message.flags == MSG_CTRUNC));
      }
      forged.check_closed();
      if (places != 0)
        continue;

      for (bool segments : {false, true}) {
        fake::close.calls.clear();
        Forged other;
        forgery.forge(other);
        answer(other.message);
        char buffer[8];
        if (segments)
          CHECK(recv_segments(*socket, buffer).has_value() == (other.message.flags == 0));
        else
          CHECK_ERROR(recv_error(*socket), other.message.flags == 0 ? ENOMSG : ENOBUFS, as);
        other.check_closed();
      }
    }
}

TEST_CASE("recv_fds: what there is no room for is closed, and told") {
  const NoLeak no_leak;
  const Fresh fresh;
  for (std::size_t came : {0u, 1u, 2u, 3u, 5u})
    for (std::size_t places : {0u, 1u, 2u, 3u, 8u})
      for (int flags : {0, int{MSG_CTRUNC}}) {
        CAPTURE(came);
        CAPTURE(places);
        fake::reset();
        Forged forged;
        if (came != 0)
          forged.add(SOL_SOCKET, SCM_RIGHTS, forged.fds(came));
        forged.message.flags = flags;
        answer(forged.message);
        {
          std::array<FileDescriptor, 8> fds;
          auto got = VALUE(recv_fds(*SocketRef(77), {}, {fds.data(), places}));
          CHECK(got.fds == std::min(came, places));
          CHECK(got.control_truncated == (flags != 0 || came > places));
          for (std::size_t i = 0; i < fds.size(); ++i)
            CHECK(fds[i].fd() == (i < got.fds ? forged.owned[i] : -1));
          CHECK(fake::close.calls.size() == came - got.fds);
        }
        forged.check_closed();
      }
}

TEST_CASE("recv_fds: what was in the array is closed first, whatever comes of the call") {
  const NoLeak no_leak;
  for (int code : {0, EINTR}) {
    const Fresh fresh;
    Forged forged;
    FileDescriptor fds[2];
    for (FileDescriptor &fd : fds)
      fd = FileDescriptor(forged.fd());
    receive_nothing();
    if (code != 0)
      fake::recvmsg.fail(code);
    auto got = recv_fds(*SocketRef(77), {}, fds);
    CHECK(got.has_value() == (code == 0));
    CHECK(fake::journal().calls == std::vector<std::string>{"close", "close", "recvmsg"});
    for (const FileDescriptor &fd : fds)
      CHECK_FALSE(fd);
    forged.check_closed();
  }
}

TEST_CASE("descriptors of a kind of one's own: closed if the buffer's space names it, otherwise to be taken") {
  const NoLeak no_leak;
  for (const Fate &fate : fates)
    for (int family : {AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6}) // it is not for AF_UNIX alone
      for (bool named : {true, false}) {
        CAPTURE(fate.name);
        CAPTURE(family);
        CAPTURE(named);
        if (fate.name == "all taken")
          continue;
        Forgery own = {"own", [](Forged &f) {
                         f.add(own_kind.level, own_kind.type, f.fds(3));
                         f.add(own_kind.level, own_kind.type, f.fds(1));
                       }};
        Forgery foreign = {"foreign", [](Forged &f) { f.add(own_kind.level, own_kind.type, f.fds(3, false)); }};
        if (named)
          check_fate<own_space>(own, fate, family);
        else
          check_fate<plain_space>(foreign, fate, family);
      }

  // By hand.
  const Fresh fresh;
  Forged forged;
  forged.add(own_kind.level, own_kind.type, forged.fds(2));
  answer(forged.message);
  {
    ControlBuffer<plain_space> control;
    VALUE(SocketRef(77)->recvmsg({}, control));
    auto all = VALUE(control.get(own_kind));
    REQUIRE(all.size() == 2);
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(all.take(i).fd() == forged.owned[i]);
  }
  forged.check_closed();
}

TEST_CASE("four kinds of descriptors of one's own in one space") {
  const NoLeak no_leak;
  const Fresh fresh;
  static constexpr ControlKind<stored::Descriptors> a{1, 101, "A"}, b{2, 102, "B"}, c{3, 103, "C"}, d{4, 104, "D"};
  constexpr ControlSpace space = control_space(a, 1) + control_space(b, 1) + control_space(c, 1) +
                                 control_space(d, 1) + control_space(cmsg::scm::rights, 1);
  Forged forged;
  for (const auto &kind : {a, b, c, d})
    forged.add(kind.level, kind.type, forged.fds(1));
  forged.add(SOL_SOCKET, SCM_RIGHTS, forged.fds(1));
  answer(forged.message);
  {
    ControlBuffer<space> control;
    VALUE(SocketRef(77)->recvmsg({}, control));
    CHECK(control.size() == control.capacity());
  }
  forged.check_closed();
}

TEST_CASE("a call that fails leaves no control messages, nor descriptors that it received before") {
  const NoLeak no_leak;
  for (int code : of_recv + Errors{0, 512})
    for (bool batch : {false, true})
      for (bool before : {false, true}) {
        CAPTURE(code);
        CAPTURE(batch);
        CAPTURE(before);
        const Fresh fresh;
        const SocketRef socket(77);
        ControlBuffer<own_space> control;
        IncomingBatch<2, own_space> messages;
        Forged forged;
        if (before) {
          forged.add(SOL_SOCKET, SCM_RIGHTS, forged.fds(2));
          forged.message.flags = MSG_CTRUNC;
          answer(forged.message);
          VALUE(socket->recvmsg({}, control));
          CHECK(control.truncated());
        }
        // A stream of AF_UNIX: descriptors are installed, then the next of its packets cannot be copied.
        Forged late;
        late.add(SOL_SOCKET, SCM_CREDENTIALS, std::string(sizeof(ucred), 'c'));
        auto write = [&](msghdr &header) {
          late.add(SOL_SOCKET, SCM_RIGHTS, late.fds(2));
          late.message.write(header);
          errno = code;
          return -1;
        };
        fake::recvmsg.instead = [&](int, msghdr *header, int) -> ssize_t { return write(*header); };
        fake::recvmmsg.instead = [&](int, mmsghdr *headers, unsigned, int, timespec *) {
          return write(headers[0].msg_hdr);
        };
        if (batch) {
          CHECK_FALSE(socket->recvmmsg(messages));
          CHECK(messages.size() == 0);
          control.clear();
        } else {
          CHECK_FALSE(socket->recvmsg({}, control));
        }
        CHECK(control.empty());
        CHECK_FALSE(control.truncated());
        CHECK(control.begin() == control.end());
        CHECK_FALSE(control.get(cmsg::scm::rights));
        std::vector<int> closed;
        for (const auto &[fd] : fake::close.calls)
          closed.push_back(fd);
        // Those of before are closed first, but by the batch, of which they are none.
        forged.owned.insert(batch ? forged.owned.begin() : forged.owned.end(), late.owned.begin(), late.owned.end());
        CHECK(closed == forged.owned);
      }
}

TEST_CASE("EINVAL: again without MSG_CMSG_CLOEXEC, but of AF_UNIX, whose descriptors need it") {
  struct {
    std::string name;
    Error (*run)();
  } const methods[] = {
      {"recvmsg",
       [] {
         ControlBuffer<own_space> control;
         Error error = error_of(SocketRef(77)->recvmsg({}, control, MSG_DONTWAIT));
         CHECK(control.empty() == (error != Error()));
         return error;
       }},
      {"recvmmsg",
       [] {
         IncomingBatch<1, own_space> batch;
         Error error = error_of(SocketRef(77)->recvmmsg(batch, MSG_DONTWAIT));
         CHECK(batch.size() == (error != Error() ? 0 : 1));
         return error;
       }},
  };
  Message message;
  message.control = control_message(IPPROTO_IP, IP_TTL, bytes_of(64));
  for (const auto &method : methods)
    for (int domain : {AF_INET, AF_UNIX, -1}) // -1: it cannot be asked
      for (int code : {EINVAL, EINTR, EOPNOTSUPP, 0})
        for (std::size_t times : {1u, 2u}) {
          CAPTURE(method.name);
          CAPTURE(domain);
          CAPTURE(code);
          CAPTURE(times);
          const Fresh fresh;
          answer(message);
          fake::recvmsg.fail(code, 0, times);
          fake::recvmmsg.fail(code, 0, times);
          fake::getsockopt.instead = [&](int fd, int level, int name, void *value, socklen_t *length) {
            CHECK(fd == 77);
            CHECK(level == SOL_SOCKET);
            CHECK(name == SO_DOMAIN);
            CHECK(*length == sizeof domain);
            errno = ENOTSOCK;
            if (domain == -1)
              return -1;
            std::memcpy(value, &domain, sizeof domain);
            return 0;
          };
          const bool again = code == EINVAL && domain == AF_INET;
          const Error error = method.run();
          std::vector<std::string> calls = {method.name};
          if (code == EINVAL)
            calls.emplace_back("getsockopt");
          if (again)
            calls.emplace_back(method.name);
          CHECK(fake::journal().calls == calls);
          std::vector<int> flags;
          for (const auto &call : fake::recvmsg.calls)
            flags.push_back(std::get<2>(call));
          for (const auto &call : fake::recvmmsg.calls)
            flags.push_back(std::get<3>(call));
          std::vector<int> expected = {MSG_DONTWAIT | MSG_CMSG_CLOEXEC};
          if (again)
            expected.push_back(MSG_DONTWAIT);
          CHECK(flags == expected);
          const Operation operation = method.name == "recvmsg" ? Operation::recvmsg : Operation::recvmmsg;
          CHECK(error == (again && times == 1 ? Error() : Error(code, operation)));
          CHECK(last_error() == error); // not getsockopt's
        }
}

TEST_CASE("descriptors to be sent stay the caller's") {
  const NoLeak no_leak;
  const Fresh fresh;
  Forged forged;
  const int fd = forged.fd(false);
  fake::sendmsg.answer(1);
  {
    ControlBuffer<own_space> control;
    VALUE(control.append(cmsg::scm::rights, {fd, fd}));
    auto view = VALUE(control.get(cmsg::scm::rights));
    CHECK(view.size() == 2);
    CHECK(view[0] == fd);
    CHECK_FALSE(view.take(0));
    CHECK(view[0] == fd);
    ConstBuffer parts[] = {"x"};
    VALUE(SocketRef(77)->sendmsg({parts, nullptr, control}));
    control.clear();
    VALUE(control.append(cmsg::scm::rights, {fd}));
    receive_nothing();
    VALUE(SocketRef(77)->recvmsg({}, control));
    VALUE(control.append(cmsg::scm::rights, {fd}));
  }
  VALUE(send_fds(*SocketRef(77), "x", {fd}));
  forged.check_closed();
}

TEST_CASE("recvmsg and what is above it: every call gets a header as new") {
  const NoLeak no_leak;
  const Fresh fresh;
  const SocketRef socket(77);
  ControlBuffer<own_space> control;
  char buffer[8];
  MutableBuffer parts[] = {buffer};
  FileDescriptor fds[1];
  ZeroCopyTracker<2> tracker;
  VALUE(tracker.sent());
  struct {
    std::string name;
    std::function<Error()> run;
    int flags;
    std::size_t control;
  } const calls[] = {
      {"recvmsg", [&] { return error_of(socket->recvmsg(parts, control)); }, 0, own_space.size},
      {"recv_fds", [&] { return error_of(recv_fds(*socket, buffer, fds, MSG_PEEK)); }, MSG_PEEK,
       control_space(cmsg::scm::rights, 253).size + 512},
      {"recv_error", [&] { return error_of(recv_error(*socket, buffer)); }, MSG_ERRQUEUE | MSG_DONTWAIT,
       error_queue_space.size},
      {"recv_segments", [&] { return error_of(recv_segments(*socket, buffer)); }, 0,
       control_space(cmsg::udp::gro).size + 512},
      {"ZeroCopyTracker::receive", [&] { return error_of(tracker.receive(*socket)); }, MSG_ERRQUEUE | MSG_DONTWAIT,
       error_queue_space.size},
  };
  for (const auto &call : calls)
    for (int use : {1, 2, 3}) {
      CAPTURE(call.name);
      CAPTURE(use);
      answer_entry();
      const auto entry = fake::recvmsg.instead;
      fake::recvmsg.instead = [&](int fd, msghdr *header, int flags) {
        CHECK(flags == (call.flags | MSG_CMSG_CLOEXEC));
        CHECK(header->msg_name != nullptr);
        CHECK(header->msg_namelen == room);
        CHECK(header->msg_control != nullptr);
        CHECK(header->msg_controllen == call.control);
        CHECK(header->msg_iovlen == 1);
        CHECK(header->msg_flags == 0);
        if ((flags & MSG_ERRQUEUE) != 0)
          return entry(fd, header, flags);
        std::memset(header->msg_name, 'n', room);
        std::memset(header->msg_control, 'c', header->msg_controllen);
        header->msg_namelen = 1;
        header->msg_controllen = 3;
        header->msg_flags = MSG_TRUNC;
        header->msg_iov = nullptr; // for good measure
        header->msg_iovlen = 0;
        return ssize_t{0};
      };
      CHECK(call.run() == Error());
    }
}

TEST_CASE("sendmsg with control messages: what the kernel is given, every time") {
  const Fresh fresh;
  const SocketAddress address = Inet4Address{INADDR_LOOPBACK, 4711};
  ControlBuffer<control_space(cmsg::ip::ttl) + control_space(cmsg::ip::tos)> control;
  VALUE(control.append(cmsg::ip::ttl, 64));
  VALUE(control.append(cmsg::ip::tos, 16));
  const std::string expected =
      control_message(IPPROTO_IP, IP_TTL, bytes_of(64)) + control_message(IPPROTO_IP, IP_TOS, "\x10");
  const ConstBuffer parts[] = {"hello"};
  const OutgoingMessage message(parts, &address, control);
  OutgoingMessage messages[] = {message, {parts, &address, {}}};
  auto check = [&](const msghdr &header, bool full) {
    CHECK(std::string(static_cast<const char *>(header.msg_control), header.msg_controllen) ==
          (full ? expected : ""));
    CHECK(header.msg_name == address.data());
    CHECK(header.msg_namelen == address.size());
    CHECK(header.msg_flags == 0);
  };
  fake::sendmsg.instead = [&](int, const msghdr *header, int) {
    check(*header, true);
    return ssize_t{5};
  };
  fake::sendmmsg.instead = [&](int, mmsghdr *headers, unsigned, int) {
    check(headers[0].msg_hdr, true);
    check(headers[1].msg_hdr, false);
    return 2;
  };
  for (int i = 0; i < 3; ++i) {
    VALUE(SocketRef(77)->sendmsg(message));
    VALUE(SocketRef(77)->sendmmsg(messages));
  }
}

TEST_CASE("descriptors without a byte of data: SO_TYPE is asked, and of a stream they are refused") {
  ControlBuffer<control_space(cmsg::scm::rights, 1) + control_space(cmsg::scm::credentials)> rights;
  VALUE(rights.append(cmsg::scm::credentials, ucred{}));
  VALUE(rights.append(cmsg::scm::rights, {0}));
  ControlBuffer<control_space(cmsg::scm::credentials)> others;
  VALUE(others.append(cmsg::scm::credentials, ucred{}));
  const std::string raw = control_message(SOL_SOCKET, SCM_RIGHTS, bytes_of(0));
  const std::string endless = control_message(SOL_SOCKET, SCM_CREDENTIALS, "", 0, true) + raw;

  const ConstBuffer none[] = {{}, {}};
  const ConstBuffer late[] = {{}, "x"};
  const ConstBuffer some[] = {"x", {}};
  struct {
    std::string name;
    Span<const ConstBuffer> parts;
    ConstBuffer control;
    bool asked;
  } const cases[] = {
      {"no parts", {}, rights, true},
      {"empty parts", none, rights, true},
      {"raw bytes", none, raw, true},
      {"data in the first part", some, rights, false},
      {"data in the second part", late, rights, false},
      {"no descriptors", none, others, false},
      {"no control messages", none, {}, false},
      {"behind the end of the control messages", none, endless, false},
  };
  const SocketRef socket(77);
  for (const auto &row : cases)
    for (int type : {int{SOCK_STREAM}, int{SOCK_DGRAM}, int{SOCK_SEQPACKET}, -1}) // -1: it cannot be asked
      for (bool batch : {false, true}) {
        CAPTURE(row.name);
        CAPTURE(type);
        CAPTURE(batch);
        const Fresh fresh;
        fake::getsockopt.instead = [&](int fd, int level, int name, void *value, socklen_t *length) {
          CHECK(fd == 77);
          CHECK(level == SOL_SOCKET);
          CHECK(name == SO_TYPE);
          CHECK(*length == sizeof type);
          const int told = type == -1 ? int{SOCK_STREAM} : type;
          std::memcpy(value, &told, sizeof told);
          errno = ENOTSOCK;
          return type == -1 ? -1 : 0;
        };
        fake::sendmsg.answer(0);
        fake::sendmmsg.answer(2);
        const OutgoingMessage message(row.parts, nullptr, row.control);
        OutgoingMessage messages[] = {OutgoingMessage(some), message};
        const bool refused = row.asked && type == SOCK_STREAM;
        auto sent = batch ? socket->sendmmsg(messages) : socket->sendmsg(message);
        std::vector<std::string> calls;
        if (row.asked)
          calls.emplace_back("getsockopt");
        if (!refused)
          calls.emplace_back(batch ? "sendmmsg" : "sendmsg");
        CHECK(fake::journal().calls == calls);
        CHECK(sent.has_value() == !refused);
        if (refused)
          CHECK(sent.error() == Error(EINVAL, batch ? Operation::sendmmsg : Operation::sendmsg));
        CHECK(last_error() == (refused ? sent.error() : Error())); // not getsockopt's
      }

  const Fresh fresh;
  answer([](void *value, socklen_t length) {
    const int type = SOCK_STREAM;
    std::memcpy(value, &type, sizeof type);
    return length;
  });
  CHECK_ERROR(send_fds(*socket, {}, {0}), EINVAL, sendmsg);
  CHECK(fake::journal().calls == std::vector<std::string>{"getsockopt"});
}

TEST_CASE("send_fds and send_segments: what is refused makes no call") {
  const Fresh fresh;
  const std::vector<int> many(254, 0);
  check_refused(send_fds(*SocketRef(77), "x", many), "Control::append");
  check_refused(send_segments(*SocketRef(77), "x", 0), "sendmsg");
  check_refused(send_segments(*SocketRef(77), "x", 65536), "sendmsg");
  check_refused(send_segments(*SocketRef(77), "x", SIZE_MAX), "sendmsg");
  check_refused(send_segments(*SocketRef(77), "x", 1, nullptr, MSG_PEEK), "sendmsg");
}

TEST_CASE("send_fds and send_segments: what the kernel is given") {
  const Fresh fresh;
  const SocketAddress address = Inet4Address{INADDR_LOOPBACK, 4711};
  std::string control;
  const SocketAddress *to = nullptr;
  fake::sendmsg.instead = [&](int fd, const msghdr *header, int flags) {
    CHECK(fd == 77);
    CHECK(flags == (MSG_DONTWAIT | MSG_NOSIGNAL));
    CHECK(std::string(static_cast<const char *>(header->msg_control), header->msg_controllen) == control);
    CHECK(header->msg_name == (to != nullptr ? to->data() : nullptr));
    CHECK(header->msg_namelen == (to != nullptr ? to->size() : 0));
    CHECK(header->msg_iovlen == 1);
    CHECK(header->msg_iov[0].iov_len == 5);
    return ssize_t{3};
  };
  for (std::size_t count : {0u, 1u, 2u, 253u}) {
    std::vector<int> fds(count);
    std::string payload;
    for (std::size_t i = 0; i < count; ++i)
      payload += bytes_of(fds[i] = static_cast<int>(i));
    control = count != 0 ? control_message(SOL_SOCKET, SCM_RIGHTS, payload) : "";
    CHECK(VALUE(send_fds(*SocketRef(77), "hello", fds, MSG_DONTWAIT)) == 3);
  }
  for (std::size_t size : {1u, 1400u, 65535u}) {
    control = control_message(IPPROTO_UDP, udp::segment.number, bytes_of(static_cast<std::uint16_t>(size)));
    to = nullptr;
    CHECK(VALUE(send_segments(*SocketRef(77), "hello", size, nullptr, MSG_DONTWAIT)) == 3);
    to = &address;
    CHECK(VALUE(send_segments(*SocketRef(77), "hello", size, to, MSG_DONTWAIT)) == 3);
  }
}

TEST_CASE("receive_packet_info: which options are set, in which order") {
  const Fresh fresh;
  auto set = [] {
    std::vector<std::pair<int, int>> options;
    for (const auto &[fd, level, name, value, size] : fake::setsockopt.calls)
      options.emplace_back(level, name);
    return options;
  };
  const std::vector<std::pair<int, int>> inet = {
      {IPPROTO_IP, IP_PKTINFO}, {IPPROTO_IP, IP_RECVTOS}, {IPPROTO_IP, IP_RECVTTL}};
  std::vector<std::pair<int, int>> inet6 = {
      {IPPROTO_IPV6, IPV6_RECVPKTINFO}, {IPPROTO_IPV6, IPV6_RECVTCLASS}, {IPPROTO_IPV6, IPV6_RECVHOPLIMIT}};
  int family = AF_INET;
  accept_set();
  SUBCASE("IPv6, raw: it receives no IPv4") {
    answer_inet6(SOCK_RAW);
    VALUE(receive_packet_info(*SocketRef(77)));
    CHECK(set() == inet6);
  }
  SUBCASE("IPv6, and IPv4 with it") {
    answer_inet6(SOCK_DGRAM);
    VALUE(receive_packet_info(*SocketRef(77)));
    inet6.insert(inet6.end(), inet.begin(), inet.end());
    CHECK(set() == inet6);
  }
  SUBCASE("others") {
    answer([&](void *value, socklen_t length) {
      std::memcpy(value, &family, sizeof family);
      return length;
    });
    VALUE(receive_packet_info(*SocketRef(77)));
    CHECK(set() == inet);
    for (int other : {AF_UNIX, AF_UNSPEC, AF_NETLINK}) {
      family = other;
      CHECK_ERROR(receive_packet_info(*SocketRef(77)), EAFNOSUPPORT, setsockopt);
    }
    CHECK(set() == inet); // nothing more
  }
}

TEST_CASE("sendmmsg_all: goes on after a short count, and says why it stopped") {
  const Fresh fresh;
  OutgoingMessage messages[5];
  std::vector<int> answers;
  std::vector<std::size_t> offered;
  fake::sendmmsg.instead = [&](int, mmsghdr *headers, unsigned count, int flags) {
    CHECK(flags == (MSG_DONTWAIT | MSG_NOSIGNAL));
    CHECK(static_cast<void *>(headers) == messages + (5 - count));
    offered.push_back(count);
    const int next = answers.front();
    answers.erase(answers.begin());
    if (next < 0)
      errno = -next;
    return next < 0 ? -1 : next;
  };
  answers = {2, 1, 2};
  SentMessages sent = sendmmsg_all(*SocketRef(77), messages, MSG_DONTWAIT);
  CHECK(sent.count == 5);
  CHECK(sent.result.has_value());
  CHECK(offered == std::vector<std::size_t>{5, 3, 2});
  CHECK(last_error() == Error());

  for (int code : of_sendmsg) {
    answers = {3, -code};
    sent = sendmmsg_all(*SocketRef(77), messages, MSG_DONTWAIT);
    CHECK(sent.count == 3);
    CHECK_ERROR(sent.result, code, sendmmsg);
    CHECK(answers.empty());
  }
  fake::sendmmsg.calls.clear();
  sent = sendmmsg_all(*SocketRef(77), {}, MSG_DONTWAIT);
  CHECK(sent.count == 0);
  CHECK(sent.result.has_value());
  CHECK(fake::sendmmsg.calls.empty());
}

TEST_CASE("MSG_ZEROCOPY: SO_ZEROCOPY is asked once; a send that fails is not counted") {
  const Fresh fresh;
  const SocketRef socket(77);
  int on = 0;
  fake::getsockopt.instead = [&](int, int level, int name, void *value, socklen_t *) {
    CHECK(level == SOL_SOCKET);
    CHECK(name == SO_ZEROCOPY);
    std::memcpy(value, &on, sizeof on);
    return 0;
  };
  fake::send.instead = [](int, const void *, std::size_t, int flags) {
    CHECK(flags == (MSG_DONTWAIT | MSG_ZEROCOPY | MSG_NOSIGNAL));
    return ssize_t{3};
  };
  ZeroCopyTracker<2> tracker(UINT32_MAX);
  CHECK_ERROR(tracker.send(*socket, "hello", MSG_DONTWAIT), EINVAL, send);
  on = 1;
  CHECK_ERROR(tracker.send(*socket, {}, MSG_DONTWAIT), EINVAL, send);
  CHECK(fake::journal().calls == std::vector<std::string>{"getsockopt"}); // which was off
  fake::journal().calls.clear();
  fake::send.fail(EAGAIN);
  CHECK_ERROR(tracker.send(*socket, "hello", MSG_DONTWAIT), EAGAIN, send);
  CHECK(tracker.in_flight() == 0);
  auto first = VALUE(tracker.send(*socket, "hello", MSG_DONTWAIT));
  CHECK(first.id == UINT32_MAX);
  CHECK(first.size == 3);
  CHECK(VALUE(tracker.send(*socket, "hello", MSG_DONTWAIT)).id == 0);
  // Both places are taken: refused before the kernel would count it.
  CHECK_ERROR(tracker.send(*socket, "hello", MSG_DONTWAIT), ENOBUFS, send);
  CHECK(fake::journal().calls == std::vector<std::string>{"getsockopt", "send", "send", "send"});
  CHECK(tracker.in_flight() == 2);

  // Completions of what is not in flight change nothing.
  for (ZeroCopyCompletion strange : {ZeroCopyCompletion{1, 5, false}, {2, UINT32_MAX - 1, false}})
    tracker.completed(strange);
  CHECK(tracker.in_flight() == 2);
  tracker.completed({UINT32_MAX, 0, false});
  CHECK(tracker.in_flight() == 0);
  CHECK(tracker.capacity() == 2);
}

TEST_CASE("received descriptors as a list at run time: no memory, and all are closed once") {
  const NoLeak no_leak;
  for (std::size_t failing = 0; failing < 8; ++failing) {
    CAPTURE(failing);
    const Fresh fresh;
    Forged forged;
    forged.add(SOL_SOCKET, SCM_RIGHTS, forged.fds(3));
    answer(forged.message);
    {
      ControlBuffer<own_space> control;
      VALUE(SocketRef(77)->recvmsg({}, control));
      fake::malloc.fail(ENOMEM, failing);
      fake::calloc.fail(ENOMEM, failing);
      auto value = find_control("SCM_RIGHTS")->value(*control.begin());
      if (value)
        CHECK(((*value)[0].kind() == OptionValue::Kind::descriptor && value->size() == 3));
      else
        CHECK(value.error().is(ENOMEM));
      CHECK((failing != 0 || !value));
    }
    forged.check_closed();
  }
}

// --- what the kernel answered ----------------------------------------------------------------------------

// --- options: what the kernel is given, and what it answers ----------------------------------------------

namespace {

/// A typed setsockopt, and what the kernel has to be given.
struct SetRow {
  const char *name;
  Result<void> (*set)(const Socket &);
  std::string bytes;
};

const can_filter can_filters[] = {{1, 2}, {3, 4}};

const SetRow set_rows[] = {
    {"IP_TTL", [](const Socket &s) { return s.setsockopt(ip::ttl, -4); }, bytes_of(-4)},
    {"SO_PRIORITY", [](const Socket &s) { return s.setsockopt(so::priority, 0x80010002u); }, bytes_of(0x80010002u)},
    {"SO_VM_SOCKETS_BUFFER_SIZE",
     [](const Socket &s) { return s.setsockopt(so::vm_sockets_buffer_size, UINT64_MAX); }, bytes_of(UINT64_MAX)},
    {"TLS_TX_MAX_PAYLOAD_LEN",
     [](const Socket &s) { return s.setsockopt(tls::tx_max_payload_len, std::uint16_t{0x1234}); },
     bytes_of(std::uint16_t{0x1234})},
    {"SO_REUSEADDR", [](const Socket &s) { return s.setsockopt(so::reuseaddr, true); }, bytes_of(1)},
    {"SO_REUSEADDR", [](const Socket &s) { return s.setsockopt(so::reuseaddr, 0x100); }, bytes_of(1)},
    {"SO_REUSEADDR", [](const Socket &s) { return s.setsockopt(so::reuseaddr, false); }, bytes_of(0)},
    {"SO_BINDTOIFINDEX", [](const Socket &s) { return s.setsockopt(so::bindtoifindex, Interface(0x01020304)); },
     bytes_of(0x01020304)},
    {"IP_UNICAST_IF", [](const Socket &s) { return s.setsockopt(ip::unicast_if, Interface(0x01020304)); },
     "\1\2\3\4"},
    {"IPV6_UNICAST_IF", [](const Socket &s) { return s.setsockopt(ipv6::unicast_if, Interface(0x01020304)); },
     "\1\2\3\4"},
    {"TCP_KEEPIDLE", [](const Socket &s) { return s.setsockopt(tcp::keepidle, Seconds(7)); }, bytes_of(7)},
    {"TCP_KEEPIDLE", [](const Socket &s) { return s.setsockopt(tcp::keepidle, Nanoseconds(1)); }, bytes_of(1)},
    {"TCP_KEEPIDLE", [](const Socket &s) { return s.setsockopt(tcp::keepidle, Seconds(INT_MAX)); },
     bytes_of(INT_MAX)},
    {"TCP_USER_TIMEOUT", [](const Socket &s) { return s.setsockopt(tcp::user_timeout, Microseconds(1001)); },
     bytes_of(2)},
    {"SO_RCVTIMEO", [](const Socket &s) { return s.setsockopt(so::rcvtimeo, Nanoseconds(999'999'500)); },
     bytes_of(timeval{1, 0})},
    {"SO_RCVTIMEO", [](const Socket &s) { return s.setsockopt(so::rcvtimeo, Nanoseconds(1)); },
     bytes_of(timeval{0, 1})},
    {"SO_SNDTIMEO", [](const Socket &s) { return s.setsockopt(so::sndtimeo, Milliseconds(1'999)); },
     bytes_of(timeval{1, 999'000})},
    {"SO_SNDTIMEO_NEW", [](const Socket &s) { return s.setsockopt(so::sndtimeo_new, Milliseconds(1'999)); },
     bytes_of(std::array<std::int64_t, 2>{1, 999'000})},
    {"SO_LINGER", [](const Socket &s) { return s.setsockopt(so::linger, Linger::wait(Milliseconds(1))); },
     bytes_of(linger{1, 1})},
    {"SO_LINGER", [](const Socket &s) { return s.setsockopt(so::linger, Linger::abort()); }, bytes_of(linger{1, 0})},
    {"SO_LINGER", [](const Socket &s) { return s.setsockopt(so::linger, Linger::off()); }, bytes_of(linger{0, 0})},
    {"IP_LOCAL_PORT_RANGE", [](const Socket &s) { return s.setsockopt(ip::local_port_range, {0x0102, 0x8304}); },
     bytes_of(0x83040102u)},
    {"TCP_CONGESTION", [](const Socket &s) { return s.setsockopt(tcp::congestion, "0123456789abcde"); },
     "0123456789abcde"},
    {"SO_BINDTODEVICE", [](const Socket &s) { return s.setsockopt(so::bindtodevice, ""); }, ""},
    {"SO_BINDTODEVICE", [](const Socket &s) { return s.setsockopt(so::bindtodevice, TextView()); }, ""},
    {"IP_OPTIONS", [](const Socket &s) { return s.setsockopt(ip::options, std::string(300, '\0')); },
     std::string(300, '\0')},
    {"IP_OPTIONS", [](const Socket &s) { return s.setsockopt(ip::options, ConstBuffer()); }, ""},
    {"CAN_RAW_FILTER", [](const Socket &s) { return s.setsockopt(can::raw_filter, can_filters); },
     bytes_of(can_filters)},
    {"CAN_RAW_FILTER", [](const Socket &s) { return s.setsockopt(can::raw_filter, Span<const can_filter>()); }, ""},
    {"SO_DETACH_FILTER", [](const Socket &s) { return s.setsockopt(so::detach_filter); }, bytes_of(0)},
    {"TIPC_GROUP_LEAVE", [](const Socket &s) { return s.setsockopt(tipc::group_leave); }, ""},
    {"RDS_CANCEL_SENT_TO",
     [](const Socket &s) { return s.setsockopt(rds::cancel_sent_to, Inet4Address{INADDR_LOOPBACK, 0x1234}); },
     bytes_of(sockaddr_in{AF_INET, htons(0x1234), {htonl(INADDR_LOOPBACK)}, {}})},
    {"IP_MULTICAST_IF", [](const Socket &s) { return s.setsockopt(ip::multicast_if, ip_mreqn{{1}, {2}, 3}); },
     bytes_of(ip_mreqn{{1}, {2}, 3})},
    {"IP_MSFILTER",
     [](const Socket &s) {
       const in_addr sources[] = {{7}, {8}};
       return s.setsockopt(ip::msfilter, {{1}, {2}, 0, sources});
     },
     bytes_of(std::array<std::uint32_t, 6>{1, 2, 0, 2, 7, 8})},
    {"IP_MSFILTER", [](const Socket &s) { return s.setsockopt(ip::msfilter, {{1}, {2}}); },
     bytes_of(std::array<std::uint32_t, 4>{1, 2, 1, 0})}, // MCAST_INCLUDE, nothing
};

/// What one setsockopt was given: the bytes, or a null pointer and a size.
std::string given_to_setsockopt(const SetRow &row) {
  std::string given = "not called";
  const OptionInfo *option = find_option(row.name);
  REQUIRE(option != nullptr);
  fake::setsockopt.instead = [&](int fd, int level, int number, const void *value, socklen_t size) {
    CHECK(fd == 77);
    CHECK(level == option->level);
    CHECK(number == option->number);
    given.assign(size == 0 ? "" : static_cast<const char *>(value), size);
    return 0;
  };
  CHECK(row.set(*SocketRef(77)).has_value());
  CHECK(fake::setsockopt.calls.size() == 1);
  return given;
}

} // namespace

TEST_CASE("options: what setsockopt is given, to the byte") {
  for (const SetRow &row : set_rows) {
    CAPTURE(std::string(row.name));
    const Fresh fresh;
    CHECK(given_to_setsockopt(row) == row.bytes);
  }
}

TEST_CASE("options: a program is its address and its length") {
  const Fresh fresh;
  fake::setsockopt.instead = [](int, int, int, const void *value, socklen_t size) {
    sock_fprog given;
    CHECK(size == sizeof given);
    std::memcpy(&given, value, sizeof given);
    CHECK(given.len == 1);
    CHECK(given.filter == program);
    return 0;
  };
  CHECK(SocketRef(77)->setsockopt(so::attach_filter, program).has_value());
  CHECK(SocketRef(77)->setsockopt(so::attach_reuseport_cbpf, program).has_value());
  CHECK(fake::setsockopt.calls.size() == 2);
}

TEST_CASE("options: the length is the value (trap 32)") {
  const Fresh fresh;
  fake::setsockopt.answer(0);
  CHECK(SocketRef(77)->setsockopt(alg::set_aead_authsize, std::size_t{16}).has_value());
  CHECK(fake::setsockopt.called_with(77, 279, 5, nullptr, 16));
}

TEST_CASE("options: into which the kernel writes when they are set") {
  const Fresh fresh;
  in6_flowlabel_req label = {};
  label.flr_expires = 6;
  fake::setsockopt.instead = [&](int, int, int, const void *value, socklen_t size) {
    CHECK(value == &label);
    CHECK(size == sizeof label);
    label.flr_label = htonl(0x12345);
    return 0;
  };
  CHECK(SocketRef(77)->setsockopt(ipv6::flowlabel_mgr, &label).has_value());
  CHECK(label.flr_label == htonl(0x12345));
  CHECK(label.flr_expires == 6);
}

TEST_CASE("options: a setsockopt that answers a positive number succeeded") {
  // SO_DEVMEM_DONTNEED, SO_J1939_PROMISC.
  const Fresh fresh;
  fake::setsockopt.answer(5);
  CHECK(SocketRef(77)->setsockopt(so::j1939_promisc, true).has_value());
  const dmabuf_token tokens[] = {{1, 2}};
  CHECK(SocketRef(77)->setsockopt(so::devmem_dontneed, tokens).has_value());
  fake::setsockopt.answer(-1);
  CHECK_FALSE(SocketRef(77)->setsockopt(so::j1939_promisc, true).has_value());
}

TEST_CASE("options: a filter of sources of both families, to the byte") {
  const Fresh fresh;
  const SocketAddress sources[] = {Inet4Address{0x0a000001, 0}, Inet6Address{in6addr_loopback}};
  const Inet6Address group = {in6addr_loopback, 0, 0, 7};
  std::string given;
  fake::setsockopt.instead = [&](int, int, int, const void *value, socklen_t size) {
    given.assign(static_cast<const char *>(value), size);
    return 0;
  };
  CHECK(SocketRef(77)->setsockopt(ipv6::mcast_msfilter, {group, Interface(7), 0, sources}).has_value());
  CHECK(fake::journal().calls == std::vector<std::string>{"calloc", "setsockopt"});
  std::string wanted(offsetof(group_filter, gf_slist) + 2 * sizeof(sockaddr_storage), '\0');
  const auto put = [&](std::size_t at, const auto &object, std::size_t size) {
    std::memcpy(&wanted[at], &object, size);
  };
  const std::uint32_t interface = 7, count = 2;
  put(offsetof(group_filter, gf_interface), interface, 4);
  put(offsetof(group_filter, gf_group), *SocketAddress(group).data(), sizeof(sockaddr_in6));
  put(offsetof(group_filter, gf_numsrc), count, 4);
  put(offsetof(group_filter, gf_slist), *sources[0].data(), sizeof(sockaddr_in));
  put(offsetof(group_filter, gf_slist) + sizeof(sockaddr_storage), *sources[1].data(), sizeof(sockaddr_in6));
  CHECK(given == wanted); // padding is zero
}

TEST_CASE("options: what cannot be is refused, and no call made") {
  const Fresh fresh;
  fake::setsockopt.answer(0);
  const SocketRef socket(77);
  using namespace std::string_view_literals;
  constexpr auto too_many = static_cast<std::size_t>(INT_MAX) + 1;
  for (long long count : {-1LL, LLONG_MIN, LLONG_MAX, INT_MAX + 1LL}) {
    CAPTURE(count);
    check_refused(socket->setsockopt(tcp::keepidle, Seconds(count)), "setsockopt", EDOM);
    check_refused(socket->setsockopt(tcp::user_timeout, Milliseconds(count)), "setsockopt", EDOM);
    check_refused(socket->setsockopt(so::busy_poll, Microseconds(count)), "setsockopt", EDOM);
    check_refused(socket->setsockopt(so::linger, Linger::wait(Seconds(count))), "setsockopt", EDOM);
    check_refused(socket->setsockopt(so::linger, {false, Seconds(count)}), "setsockopt", EDOM);
  }
  for (Microseconds time : {Microseconds(-1), Microseconds::max(), Microseconds(LLONG_MIN)}) {
    check_refused(socket->setsockopt(so::rcvtimeo, time), "setsockopt", EDOM);
    check_refused(socket->setsockopt(so::rcvtimeo_old, time), "setsockopt", EDOM);
    check_refused(socket->setsockopt(so::rcvtimeo_new, time), "setsockopt", EDOM);
    check_refused(Codec<stored::TimevalOf<int>>::set(*socket, 1, 2, time), "setsockopt", EDOM);
  }
  check_refused(Codec<stored::TimevalOf<int>>::set(*socket, 1, 2, Seconds(INT_MAX + 1LL)), "setsockopt", EDOM);
  check_refused(socket->setsockopt(tcp::congestion, "re\0no"sv), "setsockopt");
  check_refused(socket->setsockopt(tcp::congestion, "0123456789abcdef"), "setsockopt", ENAMETOOLONG);
  check_refused(socket->setsockopt(tcp::congestion, "0123456789abcdef\0"sv), "setsockopt", ENAMETOOLONG);
  check_refused(socket->setsockopt(ip::options, ConstBuffer(program, too_many)), "setsockopt");
  check_refused(socket->setsockopt(can::raw_filter, Span<const can_filter>(can_filters, too_many / 8)), "setsockopt");
  check_refused(socket->setsockopt(can::raw_filter, Span<const can_filter>(can_filters, SIZE_MAX / 8 + 2)),
                "setsockopt"); // whose size in bytes is 8
  check_refused(socket->setsockopt(so::attach_filter, Span<const sock_filter>(program, 65536)), "setsockopt");
  check_refused(socket->setsockopt(so::attach_filter, Span<const sock_filter>(program, SIZE_MAX)), "setsockopt");
  check_refused(socket->setsockopt(alg::set_aead_authsize, too_many), "setsockopt");
  const in_addr source = {};
  for (std::size_t count : {too_many / 4, SIZE_MAX / 4, SIZE_MAX}) {
    check_refused(socket->setsockopt(ip::msfilter, {{}, {}, 0, {&source, count}}), "setsockopt");
    const SocketAddress address;
    check_refused(socket->setsockopt(ip::mcast_msfilter, {{}, {}, 0, {&address, count}}), "setsockopt");
  }
  CHECK(fake::journal().calls.empty());

  // The largest that are none of it.
  CHECK(socket->setsockopt(so::attach_filter, Span<const sock_filter>(program, 65535)).has_value());
  CHECK(socket->setsockopt(ip::options, ConstBuffer(program, INT_MAX)).has_value());
  CHECK(socket->setsockopt(alg::set_aead_authsize, std::size_t{INT_MAX}).has_value());
  CHECK(Codec<stored::TimevalOf<int>>::set(*socket, 1, 2, Seconds(INT_MAX)).has_value());
  CHECK(socket->setsockopt(so::rcvtimeo, Microseconds(LLONG_MAX - 1)).has_value());
  CHECK(fake::setsockopt.calls.size() == 5);
}

TEST_CASE("options: a number that is none of the option's type is refused, not cut") {
  const Fresh fresh;
  fake::setsockopt.answer(0);
  const SocketRef socket(77);
  check_refused(socket->setsockopt(so::rcvbuf, 0x100001000L), "setsockopt", ERANGE);
  check_refused(socket->setsockopt(so::rcvbuf, INT_MAX + 1LL), "setsockopt", ERANGE);
  check_refused(socket->setsockopt(so::rcvbuf, INT_MIN - 1LL), "setsockopt", ERANGE);
  check_refused(socket->setsockopt(so::rcvbuf, SIZE_MAX), "setsockopt", ERANGE);
  check_refused(socket->setsockopt(so::rcvbuf, 0x80000000u), "setsockopt", ERANGE);
  check_refused(socket->setsockopt(so::priority, -1), "setsockopt", ERANGE);
  check_refused(socket->setsockopt(so::priority, UINT_MAX + 1LL), "setsockopt", ERANGE);
  check_refused(socket->setsockopt(tls::tx_max_payload_len, 65536), "setsockopt", ERANGE);
  CHECK(socket->setsockopt(so::rcvbuf, static_cast<long>(INT_MAX)).has_value());
  CHECK(socket->setsockopt(so::rcvbuf, static_cast<long>(INT_MIN)).has_value());
  CHECK(socket->setsockopt(so::priority, static_cast<long>(UINT_MAX)).has_value());
  CHECK(fake::setsockopt.calls.size() == 3);
}

namespace {

/// A typed getsockopt of a value of one size, and what `bytes` of that size are to it.
struct GetRow {
  const char *name;
  std::string bytes;
  Result<bool> (*get)(const Socket &); // is it the right value?
};

template <class T, class Right>
Result<bool> compared(const Result<T> &result, const Right &right) {
  if (!result)
    return std::unexpected(result.error());
  return right(*result);
}
#define GET(option, right)                                                                                           \
  [](const Socket &s) { return compared(s.getsockopt(option), []([[maybe_unused]] const auto &v) { return right; }); }
#define QUERY(option, question, right)                                                                               \
  [](const Socket &s) { return compared(s.getsockopt(option, question), [](const auto &v) { return right; }); }

const GetRow get_rows[] = {
    {"SO_TYPE", bytes_of(-5), GET(so::type, v == -5)},
    {"SO_MARK", bytes_of(0x80000001u), GET(so::mark, v == 0x80000001u)},
    {"SO_COOKIE", bytes_of(UINT64_MAX - 1), GET(so::cookie, v == UINT64_MAX - 1)},
    {"TLS_TX_MAX_PAYLOAD_LEN", bytes_of(std::uint16_t{0x1234}), GET(tls::tx_max_payload_len, v == 0x1234)},
    {"SO_REUSEADDR", bytes_of(0x100), GET(so::reuseaddr, v)},
    {"SO_REUSEADDR", bytes_of(0), GET(so::reuseaddr, !v)},
    {"SO_BINDTOIFINDEX", bytes_of(0x01020304), GET(so::bindtoifindex, v.index() == 0x01020304)},
    {"IP_UNICAST_IF", "\1\2\3\4", GET(ip::unicast_if, v.index() == 0x01020304)},
    {"TCP_KEEPIDLE", bytes_of(7200), GET(tcp::keepidle, v == Seconds(7200))},
    {"TCP_USER_TIMEOUT", bytes_of(INT_MAX), GET(tcp::user_timeout, v == Milliseconds(INT_MAX))},
    {"SO_RCVTIMEO", bytes_of(timeval{1, 500'000}), GET(so::rcvtimeo, v == Microseconds(1'500'000))},
    {"SO_RCVTIMEO", bytes_of(timeval{LONG_MAX, 999'999}), GET(so::rcvtimeo, v == Microseconds::max())},
    {"SO_RCVTIMEO", bytes_of(timeval{9223372036854, 775'807}), GET(so::rcvtimeo, v.count() == LLONG_MAX)},
    {"SO_RCVTIMEO", bytes_of(timeval{9223372036854, 775'808}), GET(so::rcvtimeo, v == Microseconds::max())},
    {"SO_RCVTIMEO_NEW", bytes_of(std::array<std::int64_t, 2>{2, 3}), GET(so::rcvtimeo_new, v.count() == 2'000'003)},
    {"SO_LINGER", bytes_of(linger{1, 200}), GET(so::linger, v == Linger::wait(Seconds(200)))},
    {"SO_LINGER", bytes_of(linger{0x100, 0}), GET(so::linger, v == Linger::abort())},
    {"SO_LINGER", bytes_of(linger{0, 9}), GET(so::linger, !v.on && v.time == Seconds(9))},
    {"IP_LOCAL_PORT_RANGE", bytes_of(0x83040102u), GET(ip::local_port_range, (v == PortRange{0x0102, 0x8304}))},
    {"SO_PEERCRED", bytes_of(ucred{4711, 12, 13}), GET(so::peercred, v.pid == 4711 && v.uid == 12 && v.gid == 13)},
    {"SO_PEERCRED", bytes_of(ucred{0, 12, 13}), GET(so::peercred, v.pid == 0 && v.uid == 12)}, // of another namespace
    {"IP_MULTICAST_IF", bytes_of(in_addr{4711}), GET(ip::multicast_if, v.s_addr == 4711)},
    {"IPV6_PATHMTU", bytes_of(ip6_mtuinfo{{}, 1280}), GET(ipv6::pathmtu, v.ip6m_mtu == 1280)},
    {"PACKET_HDRLEN", bytes_of(48), QUERY(packet::hdrlen, 2, v == 48)},
    {"SCTP_STATUS", std::string(sizeof(sctp_status), 'x'), QUERY(sctp::status, {}, v.sstat_state == 0x78787878)},
    {"IPV6_FLOWLABEL_MGR", std::string(sizeof(in6_flowlabel_req), 'x'),
     QUERY(ipv6::flowlabel_mgr, {}, v.flr_linger == 0x7878)},
};

/// getsockopt answers with these bytes, and says that they are so many.
void answer_bytes(const std::string &bytes, std::size_t length) {
  fake::getsockopt.instead = [=](int fd, int, int, void *value, socklen_t *size) {
    CHECK(fd == 77);
    std::memcpy(value, bytes.data(), std::min<std::size_t>({bytes.size(), *size, length}));
    *size = static_cast<socklen_t>(length);
    return 0;
  };
}

} // namespace

TEST_CASE("options: what getsockopt answers, in exactly its size") {
  for (const GetRow &row : get_rows) {
    CAPTURE(std::string(row.name));
    const Fresh fresh;
    const OptionInfo *option = find_option(row.name);
    REQUIRE(option != nullptr);
    answer_bytes(row.bytes, row.bytes.size());
    CHECK(VALUE(row.get(*SocketRef(77))));
    CHECK(fake::journal().calls == std::vector<std::string>{"getsockopt"});
    REQUIRE(fake::getsockopt.calls.size() == 1);
    CHECK(std::get<1>(fake::getsockopt.calls[0]) == option->level);
    CHECK(std::get<2>(fake::getsockopt.calls[0]) == option->number);
    // Shorter: EINVAL, whatever was there before.
    for (std::size_t length = 0; length < row.bytes.size(); ++length) {
      CAPTURE(length);
      answer_bytes(row.bytes, length);
      CHECK_ERROR(row.get(*SocketRef(77)), EINVAL, getsockopt);
    }
    answer_bytes(row.bytes, row.bytes.size() + 1);
    CHECK_ERROR(row.get(*SocketRef(77)), EINVAL, getsockopt);
  }
}

TEST_CASE("options: the room that getsockopt is given, and the question in it") {
  const Fresh fresh;
  const SocketRef socket(77);
  fake::getsockopt.instead = [](int, int, int, void *value, socklen_t *length) {
    CHECK(*length == 4);
    int question;
    std::memcpy(&question, value, sizeof question);
    CHECK(question == 2);
    question = 48;
    std::memcpy(value, &question, sizeof question);
    return 0;
  };
  CHECK(VALUE(socket->getsockopt(packet::hdrlen, 2)) == 48);
  fake::getsockopt.instead = [](int, int, int, void *value, socklen_t *length) {
    CHECK(*length == sizeof(tcp_zerocopy_receive));
    tcp_zerocopy_receive question;
    std::memcpy(&question, value, sizeof question);
    CHECK(question.address == 4711);
    *length = 20; // an older kernel's
    return 0;
  };
  tcp_zerocopy_receive question = {};
  question.address = 4711;
  const auto got = VALUE(socket->getsockopt(tcp::zerocopy_receive, question));
  CHECK(got->address == 4711);
  CHECK(got.size() == 20);
  CHECK(got.has(&tcp_zerocopy_receive::recv_skip_hint));
  CHECK_FALSE(got.has(&tcp_zerocopy_receive::err));
}

TEST_CASE("options: who the peer is, or ENODATA (trap 29)") {
  const Fresh fresh;
  answer_bytes(bytes_of(ucred{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)}), sizeof(ucred));
  CHECK_ERROR(SocketRef(77)->getsockopt(so::peercred), ENODATA, getsockopt);
}

TEST_CASE("options: a struct of an older or a newer kernel (trap 31)") {
  for (socklen_t length : {0u, 1u, 8u, 104u, 192u, static_cast<socklen_t>(sizeof(baresock::tcp_info))}) {
    CAPTURE(length);
    const Fresh fresh;
    fake::getsockopt.instead = [&](int, int, int, void *value, socklen_t *size) {
      CHECK(*size == sizeof(baresock::tcp_info));
      std::memset(value, 0xee, length);
      *size = length;
      return 0;
    };
    const auto info = VALUE(SocketRef(77)->getsockopt(tcp::info));
    CHECK(info.size() == length);
    CHECK(info.has(&baresock::tcp_info::tcpi_state) == (length >= 1));
    CHECK(info.has(&baresock::tcp_info::tcpi_total_retrans) == (length >= 104));
    CHECK(info.has(&baresock::tcp_info::tcpi_accecn_opt_seen) == (length == sizeof *info));
    // What it did not fill in is zero.
    CHECK(info->tcpi_state == (length >= 1 ? 0xee : 0));
    CHECK(info->tcpi_accecn_opt_seen == (length == sizeof *info ? 0xeeee : 0));
    // At run time those fields are missing.
    const auto record = VALUE(SocketRef(77)->getsockopt(*find_option("TCP_INFO")));
    CHECK((record.find("total_retrans") != nullptr) == (length >= 104));
    CHECK((record.find("state") != nullptr) == (length >= 1));
  }
}

TEST_CASE("options: text ends at its NUL, or with its length (trap 27)") {
  const Fresh fresh;
  const SocketRef socket(77);
  const auto answered = [&](const std::string &bytes, std::size_t length) {
    answer_bytes(bytes, length);
    return std::string(VALUE(socket->getsockopt(tcp::congestion)).c_str());
  };
  CHECK(answered(std::string("reno") + std::string(12, '\0'), 16) == "reno");
  CHECK(answered("reno", 4) == "reno");
  CHECK(answered("reno", 2) == "re");
  CHECK(answered("", 0).empty());
  CHECK(answered(std::string("lo\0junk", 7), 7) == "lo");
  CHECK(answered(std::string(16, 'x'), 16) == std::string(15, 'x'));
  CHECK(answered(std::string(16, 'x'), 4096) == std::string(15, 'x'));

  const auto label = [&](const std::string &bytes) {
    answer_bytes(bytes, bytes.size());
    return std::string(VALUE(socket->getsockopt(so::peersec)).text());
  };
  CHECK(label(std::string("unconfined\0", 11)) == "unconfined");
  CHECK(label("unconfined") == "unconfined");
  CHECK(label(std::string(3, '\0')).empty());
  CHECK(label("").empty());

  answer_bytes(std::string("unconfined\0", 11), 11);
  const OptionValue value = VALUE(socket->getsockopt(*find_option("SO_PEERSEC")));
  CHECK(VALUE(value.text()) == "unconfined");
}

TEST_CASE("options: a descriptor is owned, or there is none") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  const NoLeak no_leak;
  const Fresh fresh;
  answer(answer_descriptor(0));
  {
    FileDescriptor pidfd = VALUE(a.getsockopt(so::peerpidfd));
    CHECK(pidfd.fd() >= 0);
    const auto value = VALUE(a.getsockopt(*find_option("SO_PEERPIDFD")));
    CHECK(value.kind() == OptionValue::Kind::descriptor);
  }
  CHECK(fake::close.calls.size() == 2);
  // Peeled off: the association asked for, SOCK_CLOEXEC, the descriptor in the middle.
  fake::reset();
  int made = -1;
  fake::getsockopt.instead = [&](int, int level, int number, void *value, socklen_t *length) {
    CHECK(level == 132);
    CHECK(number == 122);
    CHECK(*length == 12);
    int argument[3];
    std::memcpy(argument, value, sizeof argument);
    CHECK(argument[0] == 4711);
    CHECK(argument[2] == SOCK_CLOEXEC);
    argument[1] = made = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
    std::memcpy(value, argument, sizeof argument);
    return 0;
  };
  {
    FileDescriptor peeled = VALUE(a.getsockopt(sctp::sockopt_peeloff_flags, 4711));
    CHECK(peeled.fd() == made);
  }
  CHECK(fake::close.calls == std::vector<std::tuple<int>>{made});
  // An answer without one.
  for (std::size_t length : {0u, 3u}) {
    CAPTURE(length);
    fake::reset();
    fake::getsockopt.instead = [&](int, int, int, void *, socklen_t *size) {
      *size = static_cast<socklen_t>(length);
      return 0;
    };
    CHECK_ERROR(a.getsockopt(so::peerpidfd), EINVAL, getsockopt);
    CHECK_ERROR(a.getsockopt(sctp::sockopt_peeloff_flags, 4711), EINVAL, getsockopt);
    CHECK(fake::close.calls.empty());
  }
}

TEST_CASE("options: an address, whatever its length") {
  const Fresh fresh;
  const SocketRef socket(77);
  answer(answer_address());
  CHECK(VALUE(socket->getsockopt(so::original_dst)) == SocketAddress(Inet4Address{INADDR_LOOPBACK, 4711}));
  answer_bytes(bytes_of(sockaddr_in{AF_INET, htons(4711), {}, {}}), sizeof(sockaddr_in));
  CHECK(VALUE(socket->getsockopt(so::original_dst)) == SocketAddress(Inet4Address{INADDR_ANY, 4711}));
  answer_bytes(bytes_of(sockaddr_in{AF_INET, htons(4711), {}, {}}), sizeof(sockaddr_in) - 1);
  CHECK_FALSE(socket->getsockopt(so::original_dst).has_value());
  answer_bytes("", 0);
  CHECK(VALUE(socket->getsockopt(so::original_dst)) == SocketAddress());
  answer_bytes(std::string(128, 'x'), 4096);
  CHECK_FALSE(socket->getsockopt(so::original_dst).has_value());
}

// --- options that grow -----------------------------------------------------------------------------------

namespace {

constexpr std::size_t first_room = 4096;

/// How a kernel says that a value is longer than the room.
enum class Tells { cuts, error, length };

/// A value of so many bytes.
void answer_long(std::size_t size, Tells tells, int code = ERANGE) {
  fake::getsockopt.instead = [=](int, int, int, void *value, socklen_t *length) {
    std::memset(value, 'v', std::min<std::size_t>(size, *length));
    if (size > *length && tells == Tells::cuts)
      return 0; // and the length is the room
    const bool fits = size <= *length;
    *length = static_cast<socklen_t>(size);
    if (!fits && tells == Tells::error) {
      errno = code;
      return -1;
    }
    return 0;
  };
}

} // namespace

TEST_CASE("bytes of any length are whole, however the kernel says that there are more") {
  const SocketRef socket(77);
  for (Tells tells : {Tells::cuts, Tells::error, Tells::length})
    for (std::size_t size :
         {std::size_t{0}, std::size_t{1}, first_room - 1, first_room, first_room + 1, 2 * first_room - 1,
          2 * first_room, 65536 * sizeof(gid_t), (std::size_t{1} << 20) - first_room}) {
      CAPTURE(static_cast<int>(tells));
      CAPTURE(size);
      const Fresh fresh;
      answer_long(size, tells);
      Bytes bytes = VALUE(socket->getsockopt(ip::options));
      CHECK(bytes.size() == size);
      CHECK(std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{'v'}; }));
      CHECK(last_error().code() == (tells == Tells::error && size > first_room ? ERANGE : 0));
      // That the length is the room may mean more: of a value that tells, one call more at most.
      if (size < first_room)
        CHECK(fake::getsockopt.calls.size() == 1);
      else if (tells != Tells::cuts)
        CHECK(fake::getsockopt.calls.size() <= 2 + (size % first_room == 0 ? 1 : 0));
      CHECK(fake::malloc.calls.size() == fake::getsockopt.calls.size());
      CHECK(VALUE(socket->getsockopt(so::peergroups)).size() == size / sizeof(gid_t));
      const auto value = VALUE(socket->getsockopt(SOL_SOCKET, 4711)); // of no option that is known
      CHECK(VALUE(value.bytes()).size() == size);
    }
}

TEST_CASE("bytes without end: EOVERFLOW, or the kernel's error") {
  const SocketRef socket(77);
  for (Tells tells : {Tells::cuts, Tells::error, Tells::length})
    for (std::size_t size : {(std::size_t{1} << 20) + 1, std::size_t{INT_MAX}, std::size_t{UINT_MAX}}) {
      CAPTURE(static_cast<int>(tells));
      CAPTURE(size);
      const Fresh fresh;
      answer_long(size, tells);
      CHECK_ERROR(socket->getsockopt(ip::options), tells == Tells::error ? ERANGE : EOVERFLOW, getsockopt);
      for (const auto &call : fake::malloc.calls)
        CHECK(std::get<0>(call) <= std::size_t{1} << 20);
    }
  // A value that always is one byte longer.
  const Fresh fresh;
  fake::getsockopt.instead = [](int, int, int, void *, socklen_t *length) {
    ++*length;
    errno = EINVAL;
    return -1;
  };
  CHECK_ERROR(socket->getsockopt(ip::options), EINVAL, getsockopt);
  CHECK(fake::getsockopt.calls.size() <= 256);
}

TEST_CASE("bytes: an error that tells no length is not asked again") {
  const Fresh fresh;
  for (socklen_t length : {0u, 4096u}) {
    fake::reset();
    fake::getsockopt.instead = [&](int, int, int, void *, socklen_t *size) {
      *size = length;
      errno = ERANGE;
      return -1;
    };
    CHECK_ERROR(SocketRef(77)->getsockopt(ip::options), ERANGE, getsockopt);
    CHECK(fake::getsockopt.calls.size() == 1);
  }
}

TEST_CASE("bytes: a question is asked anew with each room") {
  const Fresh fresh;
  std::size_t asked = 0;
  fake::getsockopt.instead = [&](int, int, int, void *value, socklen_t *length) {
    CHECK(std::string(static_cast<const char *>(value), 8) == "question");
    std::memset(value, 'v', *length);
    if (++asked == 3)
      *length = 7;
    return 0;
  };
  CHECK(VALUE(SocketRef(77)->getsockopt(sctp::get_local_addrs, "question")).size() == 7);
  CHECK(asked == 3);
}

TEST_CASE("bytes: no memory for the larger room") {
  const Fresh fresh;
  answer_long(10'000, Tells::error);
  fake::malloc.fail(ENOMEM, 1);
  CHECK_ERROR(SocketRef(77)->getsockopt(ip::options), ENOMEM, malloc);
  CHECK(fake::getsockopt.calls.size() == 1);
}

TEST_CASE("a filter that changes between the two calls") {
  const SocketRef socket(77);
  const auto answers = [](socklen_t first, socklen_t second) {
    fake::getsockopt.instead = [=](int, int, int, void *value, socklen_t *length) {
      const bool again = fake::getsockopt.calls.size() > 1;
      const socklen_t there = again ? second : first;
      if (*length != 0 && there > *length) {
        errno = EINVAL; // too little room
        return -1;
      }
      if (*length != 0) // without room it only counts
        std::memset(value, 'v', there * sizeof(sock_filter));
      *length = there;
      return 0;
    };
  };
  const Fresh fresh;
  answers(5, 5);
  CHECK(VALUE(socket->getsockopt(so::get_filter)).size() == 5);
  fake::reset();
  answers(5, 3); // shorter
  CHECK(VALUE(socket->getsockopt(so::get_filter)).size() == 3);
  fake::reset();
  answers(5, 6); // longer
  CHECK_ERROR(socket->getsockopt(so::get_filter), EINVAL, getsockopt);
  fake::reset();
  answers(0, 5); // attached in between: nothing was allocated to hold it
  CHECK(VALUE(socket->getsockopt(so::get_filter)).empty());
}

TEST_CASE("subflows and keys: all, however many") {
  const SocketRef socket(77);
  for (std::uint32_t count : {0u, 1u, 7u, 8u, 9u, 15u, 16u, 17u, 100u}) {
    CAPTURE(count);
    const Fresh fresh;
    answer(answer_subflows(count));
    const auto subflows = VALUE(socket->getsockopt(mptcp::tcpinfo));
    REQUIRE(subflows.size() == count);
    for (std::uint32_t i = 0; i < count; ++i)
      CHECK(subflows[i].tcpi_state == i + 1);
    CHECK(fake::getsockopt.calls.size() <= 2);

    fake::reset();
    answer(answer_keys(count));
    tcp_ao_getsockopt question = {};
    question.nkeys = 12345; // does not count: the kernel would write so many
    const auto keys = VALUE(socket->getsockopt(tcp::ao_get_keys, question));
    REQUIRE(keys.size() == count);
    for (std::uint32_t i = 0; i < count; ++i)
      CHECK(keys[i].sndid == i + 1);
    CHECK(fake::getsockopt.calls.size() <= 2);
  }
}

TEST_CASE("sources: all, however many") {
  const SocketRef socket(77);
  for (std::uint32_t count : {0u, 1u, 15u, 16u, 17u, 1000u}) {
    CAPTURE(count);
    const Fresh fresh;
    answer(answer_sources<ip_msfilter>(count));
    const auto four = VALUE(socket->getsockopt(ip::msfilter, {{1}, {2}}));
    REQUIRE(four.sources.size() == count);
    for (std::uint32_t i = 0; i < count; ++i)
      CHECK(four.sources[i].s_addr == htonl(i + 1));
    CHECK(fake::getsockopt.calls.size() == (count > 16 ? 2 : 1));

    fake::reset();
    answer(answer_sources<group_filter>(count));
    const auto any = VALUE(socket->getsockopt(ip::mcast_msfilter, {Inet4Address{1, 0}, 2}));
    REQUIRE(any.sources.size() == count);
    for (std::uint32_t i = 0; i < count; ++i)
      CHECK(any.sources[i] == SocketAddress(Inet4Address{i + 1, 0}));
    CHECK(fake::getsockopt.calls.size() == (count > 16 ? 2 : 1));
  }
}

TEST_CASE("subflows, keys, sources without end: EOVERFLOW; with a number that grows: asked again") {
  const SocketRef socket(77);
  for (std::uint32_t count : {0x10000000u, UINT_MAX}) {
    CAPTURE(count);
    const Fresh fresh;
    answer(answer_subflows(count));
    CHECK_ERROR(socket->getsockopt(mptcp::tcpinfo), EOVERFLOW, getsockopt);
    answer(answer_keys(count));
    CHECK_ERROR(socket->getsockopt(tcp::ao_get_keys, {}), EOVERFLOW, getsockopt);
    answer(answer_sources<ip_msfilter>(count));
    CHECK_ERROR(socket->getsockopt(ip::msfilter, {}), EOVERFLOW, getsockopt);
    answer(answer_sources<group_filter>(count));
    CHECK_ERROR(socket->getsockopt(ip::mcast_msfilter, {}), EOVERFLOW, getsockopt);
    CHECK(fake::getsockopt.calls.size() == 4);
  }
  // Each time it asks, there are more; until there are not.
  const Fresh fresh;
  const auto growing = [](auto answer_with, std::uint32_t first, std::uint32_t second) {
    return [=](void *value, socklen_t size) {
      return answer_with(fake::getsockopt.calls.size() == 1 ? first : second)(value, size);
    };
  };
  answer(growing(answer_subflows, 9, 12));
  CHECK(VALUE(socket->getsockopt(mptcp::tcpinfo)).size() == 12);
  CHECK(fake::getsockopt.calls.size() == 3);
  fake::reset();
  answer(growing(answer_keys, 17, 40));
  CHECK(VALUE(socket->getsockopt(tcp::ao_get_keys, {})).size() == 40);
  fake::reset();
  answer(growing(answer_sources<ip_msfilter>, 17, 3)); // or fewer
  CHECK(VALUE(socket->getsockopt(ip::msfilter, {})).sources.size() == 3);
  fake::reset();
  answer(growing(answer_sources<group_filter>, 17, 18));
  CHECK(VALUE(socket->getsockopt(ip::mcast_msfilter, {})).sources.size() == 18);
}

// --- options at run time, short of memory ----------------------------------------------------------------

namespace {

/// Lets the first, second, … allocation fail, alone or with all after it, until there are no more; how often that
/// was.
template <class Run>
int each_allocation(const Run &run, bool and_all_after = false) {
  for (int failing = 0;; ++failing) {
    CAPTURE(failing);
    const Fresh fresh;
    const NoLeak no_leak;
    std::size_t allocations = 0;
    const auto fails = [&](auto real) {
      return [&, real](auto... size) -> void * {
        const std::size_t number = allocations++;
        const auto first = static_cast<std::size_t>(failing);
        if (number == first || (and_all_after && number > first)) {
          errno = ENOMEM;
          return nullptr;
        }
        return real(size...);
      };
    };
    fake::malloc.instead = fails(&::malloc);
    fake::calloc.instead = fails(&::calloc);
    const Error error = run();
    if (allocations <= static_cast<std::size_t>(failing)) {
      CHECK(error == Error());
      return failing;
    }
    CHECK(error.is(ENOMEM));
    CHECK(last_error() == error);
    REQUIRE(failing < 1000);
  }
}

} // namespace

TEST_CASE("no memory for a value: ENOMEM, and nothing is lost") {
  auto [a, b] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  const Socket &socket = a;
  const auto get = [&](const char *name) { return error_of(socket.getsockopt(*find_option(name))); };
  CHECK(each_allocation([&] { return get("SO_TYPE"); }) == 0);
  CHECK(each_allocation([&] { return get("SO_RCVTIMEO"); }) == 0);
  CHECK(each_allocation([&] { return get("SO_LINGER"); }) >= 2); // a record
  CHECK(each_allocation([&] { return get("SO_PEERCRED"); }) >= 2);
  CHECK(each_allocation([&] { return get("SO_BINDTODEVICE"); }) >= 1); // a text
  CHECK(each_allocation([&] { return get("SO_PEERGROUPS"); }) >= 1);   // a list
  CHECK(each_allocation([&] {
          answer(answer_descriptor(0));
          return get("SO_PEERPIDFD");
        }) == 0);
  CHECK(each_allocation([&] {
          answer(answer_zeros(100));
          return get("IP_OPTIONS");
        }) == 2);
  CHECK(each_allocation([&] {
          answer(answer_address());
          return get("SO_ORIGINAL_DST");
        }) == 1);
  CHECK(each_allocation([&] {
          answer(answer_sources<group_filter>(5));
          return error_of(socket.getsockopt(*find_option("MCAST_MSFILTER"),
                                            OptionValue::record().set("group", "224.0.0.1").set("interface", 1)));
        }) >= 8);
  CHECK(each_allocation([&] {
          answer(answer_subflows(2));
          return get("MPTCP_TCPINFO");
        }) >= 8);
}

TEST_CASE("a value that cannot be printed for want of memory") {
  const Fresh fresh;
  const OptionValue value(5);
  fake::malloc.fail(ENOMEM);
  CHECK_ERROR(value.printed(), ENOMEM, malloc);
}

TEST_CASE("a source filter is asked for with a group and an interface, of their kinds") {
  const Fresh fresh;
  const SocketRef socket(77);
  const OptionInfo &option = *find_option(IPPROTO_IP, "MCAST_MSFILTER");
  const auto ask = [&](OptionValue group, OptionValue interface) {
    return socket->getsockopt(
        option, OptionValue::record().set("group", std::move(group)).set("interface", std::move(interface)));
  };
  CHECK_ERROR(ask(5, 1), EINVAL, option_value);
  CHECK_ERROR(ask("224.0.0.1", OptionValue::list()), EINVAL, option_value);
  CHECK_ERROR(ask("224.0.0.1", -1), ERANGE, option_value);
  CHECK(fake::getsockopt.calls.empty());
}

TEST_CASE("a value for which there was no memory is ENOMEM when it is set, and no call is made") {
  const SocketRef socket(77);
  for (const OptionInfo &option : options()) {
    CAPTURE(std::string(option.name));
    const Fresh fresh;
    fake::setsockopt.answer(0);
    fake::getsockopt.answer(0);
    if (can_set(option.access)) {
      CHECK_ERROR(socket->setsockopt(option, OptionValue::failed()), ENOMEM, option_value);
      CHECK_ERROR(socket->setsockopt(option.level, option.number, OptionValue::failed()), ENOMEM, option_value);
    }
    if (can_query(option.access))
      CHECK_ERROR(socket->getsockopt(option, OptionValue::failed()), ENOMEM, option_value);
    CHECK(fake::journal().calls.empty());
  }
  const Fresh fresh;
  CHECK_ERROR(socket->setsockopt(SOL_SOCKET, 4711, OptionValue::failed()), ENOMEM, option_value);

  // Made while there was none: each allocation of a value that is set.
  fake::setsockopt.answer(0);
  const auto set = [&](const char *name, auto make) {
    return each_allocation([&] {
      fake::setsockopt.answer(0);
      const Error error = error_of(socket->setsockopt(*find_option(name), make()));
      CHECK(fake::setsockopt.calls.size() == (error ? 0 : 1));
      return error;
    });
  };
  CHECK(set("SO_LINGER", [] { return OptionValue::record().set("onoff", true).set("linger", Seconds(5)); }) >= 2);
  CHECK(set("TCP_CONGESTION", [] { return OptionValue("reno"); }) == 1);
  CHECK(set("IP_OPTIONS", [] { return OptionValue::bytes("1234"); }) == 1);
  CHECK(set("IP_ADD_MEMBERSHIP", [] {
          return OptionValue::record().set("multiaddr", "224.0.0.1").set("address", "127.0.0.1").set("ifindex", 1);
        }) >= 5);
  CHECK(set("CAN_RAW_FILTER", [] {
          return OptionValue::list()
              .append(OptionValue::record().set("id", 1).set("mask", 2))
              .append(OptionValue::record().set("id", 3).set("mask", 4));
        }) >= 7);
  CHECK(set("MCAST_MSFILTER", [] {
          return OptionValue::record()
              .set("group", "224.0.0.1")
              .set("interface", 1)
              .set("mode", 1)
              .set("sources", OptionValue::list().append("10.0.0.1"));
        }) >= 7);
}

TEST_CASE("options at run time: a value of the wrong kind reaches no call") {
  const SocketRef socket(77);
  for (const OptionInfo &option : options()) {
    CAPTURE(std::string(option.name));
    const Fresh fresh;
    fake::setsockopt.answer(0);
    OptionValue values[] = {{},
                            true,
                            5,
                            Seconds(5),
                            "text",
                            OptionValue::bytes("b"),
                            SocketAddress(Inet4Address{1, 2}),
                            OptionValue(FileDescriptor()),
                            OptionValue::record(),
                            OptionValue::list()};
    for (const OptionValue &value : values) {
      CAPTURE(static_cast<int>(value.kind()));
      if (!can_set(option.access)) {
        CHECK_ERROR(socket->setsockopt(option, value), ENOPROTOOPT, setsockopt);
        CHECK(fake::setsockopt.calls.empty());
        continue;
      }
      using Kind = OptionValue::Kind;
      const Kind wanted = option.argument->kind;
      const bool may = value.kind() == wanted || (wanted == Kind::boolean && value.kind() == Kind::integer) ||
                       (wanted == Kind::integer && value.kind() == Kind::text) || // an interface's name
                       (wanted == Kind::bytes && value.kind() == Kind::text) ||
                       (wanted == Kind::address && value.kind() == Kind::text);
      fake::setsockopt.calls.clear();
      auto set = socket->setsockopt(option, value);
      if (!may) {
        REQUIRE_FALSE(set.has_value());
        CHECK(set.error().operation() == Operation::option_value);
      }
      CHECK(fake::setsockopt.calls.size() == (set ? 1 : 0));
    }
  }
}

TEST_CASE("options at run time: what is not offered makes no call") {
  const SocketRef socket(77);
  for (const OptionInfo &option : options()) {
    CAPTURE(std::string(option.name));
    const Fresh fresh;
    if (!can_get(option.access))
      check_refused(socket->getsockopt(option), "getsockopt", can_query(option.access) ? EINVAL : ENOPROTOOPT);
    if (!can_query(option.access))
      check_refused(socket->getsockopt(option, OptionValue(1)), "getsockopt");
    if (!can_set(option.access))
      check_refused(socket->setsockopt(option, OptionValue(1)), "setsockopt", ENOPROTOOPT);
  }
}

TEST_CASE("MSG_TRUNC: the size is what is in the buffer, the length what the kernel counted") {
  const SocketRef socket(77);
  char buffer[16];
  const std::size_t sizes[] = {0, 3, 10};
  const ssize_t answers[] = {0, 1, 3, 9, 10, 11, 65535, SSIZE_MAX};
  for (std::size_t size : sizes)
    for (ssize_t answer : answers) {
      CAPTURE(size);
      CAPTURE(answer);
      const Fresh fresh;
      const auto length = static_cast<std::size_t>(answer);
      auto check = [&](std::size_t got_size, std::size_t got_length) {
        CHECK(got_size == std::min(size, length));
        CHECK(got_length == length);
      };
      fake::recv.answer(answer);
      fake::recvfrom.instead = [&](int, void *, std::size_t, int, sockaddr *, socklen_t *address_length) {
        *address_length = 0;
        return answer;
      };
      auto got = VALUE(socket->recv({buffer, size}, MSG_TRUNC));
      check(got.size, got.length);
      auto from = VALUE(socket->recvfrom({buffer, size}, MSG_TRUNC | MSG_PEEK));
      check(from.size, from.length);
      Bytes bytes = VALUE(socket->recv(size, MSG_TRUNC));
      check(bytes.size(), bytes.length());
      // TCP counts what it discards and stores nothing: those bytes are zero.
      CHECK(std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{}; }));
      auto bytes_from = VALUE(socket->recvfrom(size, MSG_TRUNC));
      check(bytes_from.data.size(), bytes_from.data.length());
      CHECK(std::ranges::all_of(bytes_from.data, [](std::byte b) { return b == std::byte{}; }));

      // In several parts.
      MutableBuffer parts[] = {{buffer, size / 2}, {buffer + size / 2, 0}, {buffer + size / 2, size - size / 2}};
      fake::recvmsg.instead = [&](int, msghdr *header, int) {
        header->msg_namelen = 0;
        header->msg_flags = length > size ? MSG_TRUNC : 0;
        return answer;
      };
      auto message = VALUE(socket->recvmsg(parts, MSG_TRUNC));
      check(message.size, message.length);
      CHECK(message.truncated() == (length > size));
      if (answer > UINT_MAX)
        continue;
      IncomingBatch<2> batch;
      batch.assign(1, parts);
      fake::recvmmsg.instead = [&](int, mmsghdr *headers, unsigned, int, timespec *) {
        headers[0].msg_hdr.msg_namelen = headers[1].msg_hdr.msg_namelen = 0;
        headers[1].msg_hdr.msg_flags = length > size ? MSG_TRUNC : 0;
        headers[0].msg_len = headers[1].msg_len = static_cast<unsigned>(answer);
        return 2;
      };
      CHECK(VALUE(socket->recvmmsg(batch, MSG_TRUNC)) == 2);
      check(batch[1].size, batch[1].length);
      CHECK(batch[1].truncated() == (length > size));
      CHECK(batch[0].size == 0); // was given no room
      CHECK(batch[0].length == length);
    }
}

TEST_CASE("without MSG_TRUNC size and length are what the kernel counted") {
  const Fresh fresh;
  const SocketRef socket(77);
  char buffer[16];
  MutableBuffer parts[] = {{buffer, 2}, {buffer + 2, 5}};
  fake::recvmsg.instead = [](int, msghdr *header, int) {
    header->msg_namelen = 0;
    header->msg_flags = MSG_TRUNC; // cut short
    return ssize_t{7};
  };
  auto message = VALUE(socket->recvmsg(parts));
  CHECK(message.size == 7);
  CHECK(message.length == 7);
  CHECK(message.truncated());

  IncomingBatch<3> batch;
  for (std::size_t i = 0; i < 3; ++i)
    batch.assign(i, parts);
  fake::recvmmsg.instead = [](int, mmsghdr *headers, unsigned, int, timespec *) {
    for (unsigned i = 0; i < 2; ++i) {
      headers[i].msg_len = 3 + i;
      headers[i].msg_hdr.msg_namelen = 0;
      headers[i].msg_hdr.msg_flags = i == 0 ? MSG_OOB : MSG_ERRQUEUE;
    }
    return 2;
  };
  CHECK(VALUE(socket->recvmmsg(batch)) == 2);
  CHECK(batch.size() == 2);
  CHECK(batch[0].size == 3);
  CHECK(batch[1].size == 4);
  CHECK(batch[1].length == 4);
  CHECK(batch[0].out_of_band());
  CHECK_FALSE(batch[0].error_queue());
  CHECK(batch[1].error_queue());
}

TEST_CASE("counts are the kernel's, the largest too") {
  const Fresh fresh;
  const SocketRef socket(77);
  for (ssize_t answer :
       {ssize_t{0}, ssize_t{1}, ssize_t{INT_MAX}, ssize_t{INT_MAX} + 1, ssize_t{SSIZE_MAX}, ssize_t{-2}}) {
    CAPTURE(answer);
    const auto count = static_cast<std::size_t>(answer);
    fake::send.answer(answer);
    CHECK(VALUE(socket->send("x")) == count);
    fake::sendto.answer(answer);
    CHECK(VALUE(socket->sendto("x", SocketAddress::unspec())) == count);
    fake::sendmsg.answer(answer);
    CHECK(VALUE(socket->sendmsg(OutgoingMessage())) == count);
    fake::sendfile.answer(answer);
    CHECK(VALUE(socket->sendfile(78, 0, 1)) == count);
  }
  CHECK(last_error() == Error());
}

// --- names ------------------------------------------------------------------------------------------------

namespace {

const int eai_codes[] = {EAI_BADFLAGS, EAI_NONAME,   EAI_AGAIN,      EAI_FAIL,      EAI_FAMILY,
                         EAI_SOCKTYPE, EAI_SERVICE,  EAI_MEMORY,     EAI_OVERFLOW,  EAI_NODATA,
                         EAI_INTR,     EAI_CANCELED, EAI_IDN_ENCODE, EAI_ADDRFAMILY};

/// Whoever asks the resolver for addresses.
const std::pair<const char *, Error (*)()> resolving[] = {
    {"getaddrinfo", [] { return error_of(baresock::getaddrinfo("a.example", "http")); }},
    {"connect_to", [] { return error_of(connect_to("a.example", "http")); }},
    {"listen_on", [] { return error_of(listen_on("a.example", "http")); }},
    {"listen_on(nullptr)", [] { return error_of(listen_on(nullptr, "http")); }},
};

/// A list as the resolver makes it, which freeaddrinfo(3) frees.
addrinfo *make_list(const std::vector<SocketAddress> &addresses) {
  addrinfo *first = nullptr;
  for (auto each = addresses.rbegin(); each != addresses.rend(); ++each) {
    auto *node = static_cast<addrinfo *>(std::calloc(1, sizeof(addrinfo) + each->size()));
    node->ai_family = each->family();
    node->ai_socktype = SOCK_STREAM;
    node->ai_addrlen = each->size();
    node->ai_addr = reinterpret_cast<sockaddr *>(node + 1);
    std::memcpy(node + 1, each->data(), each->size());
    node->ai_next = first;
    first = node;
  }
  return first;
}

void answer_addresses(const std::vector<SocketAddress> &addresses) {
  fake::getaddrinfo.instead = [=](const char *, const char *, const addrinfo *, addrinfo **list) {
    *list = make_list(addresses);
    return 0;
  };
}

/// So many, 127.0.0.1 to 127.0.0.n.
std::vector<SocketAddress> some_addresses(unsigned count, std::uint16_t port = 9) {
  std::vector<SocketAddress> addresses;
  for (unsigned i = 0; i < count; ++i)
    addresses.emplace_back(Inet4Address{INADDR_LOOPBACK + i, port});
  return addresses;
}

} // namespace

TEST_CASE("every EAI_ code is kept, of whoever asks the resolver") {
  for (int code : eai_codes)
    for (const auto &[name, ask] : resolving) {
      CAPTURE(name);
      CAPTURE(code);
      const NoLeak no_leak;
      const Fresh fresh;
      fake::getaddrinfo.fail(code);
      const Error error = ask();
      CHECK(error.code() == code);
      CHECK(error.domain() == ErrorDomain::getaddrinfo);
      CHECK(error.numeric() < 0);
      CHECK(error.operation() == Operation::getaddrinfo);
      CHECK(std::string(error.name()).starts_with("EAI_"));
      CHECK(last_error() == error);
      CHECK(fake::journal().calls == std::vector<std::string>{"getaddrinfo"});
      fake::reset();
      fake::getnameinfo.fail(code);
      const Error other = error_of(baresock::getnameinfo(Inet4Address{INADDR_LOOPBACK, 80}));
      CHECK(other.code() == code);
      CHECK(other.domain() == ErrorDomain::getaddrinfo);
      CHECK(other.operation() == Operation::getnameinfo);
      CHECK(last_error() == other);
      CHECK(fake::journal().calls == std::vector<std::string>{"getnameinfo"});
    }
}

TEST_CASE("EAI_SYSTEM is its errno (defect 27), EIO without one, and never one from before") {
  for (int code : {EMFILE, ENFILE, ENOMEM, ECONNREFUSED, EINTR, 0})
    for (const auto &[name, ask] : resolving) {
      CAPTURE(name);
      CAPTURE(code);
      const Fresh fresh;
      const auto system = [code] {
        if (code != 0)
          errno = code;
        return EAI_SYSTEM;
      };
      fake::getaddrinfo.instead = [=](auto...) { return system(); };
      fake::getnameinfo.instead = [=](auto...) { return system(); };
      errno = ENOTTY;
      const Error error = ask();
      CHECK(error == Error(code != 0 ? code : EIO, Operation::getaddrinfo));
      CHECK(last_error() == error);
      errno = ENOTTY;
      CHECK_ERROR(baresock::getnameinfo(Inet4Address{INADDR_LOOPBACK, 80}), code != 0 ? code : EIO, getnameinfo);
    }
}

TEST_CASE("getaddrinfo: what the resolver is given, once") {
  const Fresh fresh;
  addrinfo wanted = {};
  fake::getaddrinfo.instead = [&](const char *, const char *, const addrinfo *hints, addrinfo **list) {
    wanted = *hints;
    *list = make_list(some_addresses(1));
    return 0;
  };
  const AddressHints hints = {AI_CANONNAME | AI_NUMERICSERV, AF_INET6, SOCK_DGRAM, IPPROTO_UDP};
  struct {
    Host host;
    Service service;
    const char *host_text;
    const char *service_text;
  } const cases[] = {{"a.example", "http", "a.example", "http"},
                     {"[2001:db8::1]", 65535, "2001:db8::1", "65535"},
                     {"[fe80::1%lo]", 0, "fe80::1%lo", "0"},
                     {nullptr, "0", "(null)", "0"},
                     {"", nullptr, "", "(null)"}};
  for (const auto &[host, service, host_text, service_text] : cases) {
    fake::getaddrinfo.calls.clear();
    CHECK(VALUE(baresock::getaddrinfo(host, service, hints)).size() == 1);
    REQUIRE(fake::getaddrinfo.calls.size() == 1);
    CHECK(std::get<0>(fake::getaddrinfo.calls[0]) == host_text);
    CHECK(std::get<1>(fake::getaddrinfo.calls[0]) == service_text);
    CHECK(wanted.ai_flags == hints.flags);
    CHECK(wanted.ai_family == AF_INET6);
    CHECK(wanted.ai_socktype == SOCK_DGRAM);
    CHECK(wanted.ai_protocol == IPPROTO_UDP);
    CHECK(wanted.ai_addrlen == 0);
    CHECK(wanted.ai_addr == nullptr);
    CHECK(wanted.ai_canonname == nullptr);
    CHECK(wanted.ai_next == nullptr);
  }
}

TEST_CASE("a name is given to the resolver whole, or not at all (defects 12, 13 and 31)") {
  const Fresh fresh;
  answer_addresses(some_addresses(1));
  const std::string longest(1024, 'a');
  VALUE(baresock::getaddrinfo(longest, longest));
  CHECK(std::get<0>(fake::getaddrinfo.calls[0]) == longest);
  CHECK(std::get<1>(fake::getaddrinfo.calls[0]) == longest);
  fake::getaddrinfo.calls.clear();

  struct {
    std::string host, service;
    int code;
  } const cases[] = {{longest + "a", "80", ENAMETOOLONG},
                     {"a.example", longest + "a", ENAMETOOLONG},
                     {std::string("127.0.0.1\0.a.example", 20), "80", EINVAL},
                     {std::string("\0", 1), "80", EINVAL},
                     {"a.example", std::string("80\0", 3), EINVAL},
                     {"a.example", std::string("http\0x", 6), EINVAL},
                     {"a.example", "65536", ERANGE},
                     {"a.example", "70000", ERANGE},
                     {"a.example", "4294967296", ERANGE},
                     {"a.example", "18446744073709551696", ERANGE},
                     {"a.example", "+80", EINVAL},
                     {"a.example", "-1", EINVAL},
                     {"a.example", " 80", EINVAL},
                     {"a.example", "\t80", EINVAL},
                     {"a.example", "080", EINVAL},
                     {"a.example", "", EINVAL},
                     {"a.example", "*", EINVAL},
                     {"*", "80", EINVAL},
                     {"[127.0.0.1]", "80", EINVAL},
                     {"[::1", "80", EINVAL},
                     {"[]", "80", EINVAL}};
  for (const auto &[host, service, code] : cases) {
    CAPTURE(host);
    CAPTURE(service);
    CHECK_ERROR(baresock::getaddrinfo(host, service), code, getaddrinfo);
    CHECK_ERROR(connect_to(host, service), code, getaddrinfo);
    CHECK_ERROR(listen_on(host, service), code, getaddrinfo);
  }
  for (int port : {-1, 65536, INT_MAX, INT_MIN})
    CHECK_ERROR(baresock::getaddrinfo("a.example", port), ERANGE, getaddrinfo);
  CHECK(fake::journal().calls == std::vector<std::string>{"getaddrinfo"}); // the first
}

TEST_CASE("getaddrinfo: addresses of a family that nobody knows, and none at all, are in the list") {
  const NoLeak no_leak;
  const Fresh fresh;
  const char other[] = "\x2d\0abcdef";
  const SocketAddress unknown = VALUE(SocketAddress::from_bytes({other, 8}));
  const SocketAddress known = Inet4Address{INADDR_LOOPBACK, 9};
  fake::getaddrinfo.instead = [&](const char *, const char *, const addrinfo *, addrinfo **list) {
    *list = make_list({unknown, SocketAddress(), known});
    (*list)->ai_next->ai_addr = nullptr;
    (*list)->ai_canonname = ::strdup("b.example");
    return 0;
  };
  std::vector<AddressInfo> infos;
  auto list = VALUE(baresock::getaddrinfo("a.example"));
  for (AddressInfo info : list)
    infos.push_back(info);
  REQUIRE(infos.size() == 3);
  CHECK(infos[0].family == 45);
  CHECK(infos[0].address == unknown);
  CHECK(infos[0].canonical_name == "b.example");
  CHECK(infos[1].address.family() == AF_UNSPEC);
  CHECK(infos[1].canonical_name.empty());
  CHECK(infos[2].address == known);

  // Of what cannot be connected to, each is an attempt that failed; what can, is.
  fake::connect.answer(0);
  auto connected = connect_to("a.example", "9");
  CHECK(connected.has_value());
  REQUIRE(connected.attempts.size() == 3);
  for (const ConnectAttempt &attempt : connected.attempts)
    CHECK(attempt.error == (attempt.address == known ? Error() : Error(EAFNOSUPPORT, Operation::socket)));
  CHECK(fake::connect.calls.size() == 1);

  fake::bind.answer(0);
  fake::listen.answer(0);
  auto listening = listen_on("a.example", "9");
  CHECK(listening.has_value());
  REQUIRE(listening.attempts.size() == 2);
  for (const ListenAttempt &attempt : listening.attempts)
    CHECK(attempt.error == Error(EAFNOSUPPORT, Operation::socket));
}

TEST_CASE("services and protocols: what is asked, and what is found") {
  const Fresh fresh;
  answer_entries("sctp-thing", "sctp");
  auto service = VALUE(baresock::getservbyname("a", "b"));
  CHECK(service.name == "sctp-thing");
  CHECK(service.port == 4711);
  CHECK(service.protocol == "sctp");
  CHECK(std::get<0>(fake::getservbyname_r.calls[0]) == "a");
  CHECK(std::get<1>(fake::getservbyname_r.calls[0]) == "b");
  VALUE(baresock::getservbyname("a"));
  CHECK(std::get<1>(fake::getservbyname_r.calls[1]) == "(null)");
  CHECK(VALUE(baresock::getservbyport(0x1234, "b")).port == 4711);
  CHECK(std::get<0>(fake::getservbyport_r.calls[0]) == htons(0x1234));
  CHECK(std::get<1>(fake::getservbyport_r.calls[0]) == "b");
  VALUE(baresock::getservbyport(65535));
  CHECK(std::get<0>(fake::getservbyport_r.calls[1]) == 65535);
  CHECK(std::get<1>(fake::getservbyport_r.calls[1]) == "(null)");
  CHECK(VALUE(baresock::getprotobyname("a")).number == 132);
  CHECK(std::get<0>(fake::getprotobyname_r.calls[0]) == "a");
  CHECK(VALUE(baresock::getprotobynumber(-5)).name == "sctp-thing");
  CHECK(std::get<0>(fake::getprotobynumber_r.calls[0]) == -5);
}

TEST_CASE("services and protocols: none is ENOENT, one that does not fit EOVERFLOW, what is no name makes no call") {
  const Fresh fresh;
  const auto check_all = [](int code) {
    CAPTURE(code);
    CHECK_ERROR(baresock::getservbyname("a"), code, getservbyname_r);
    CHECK_ERROR(baresock::getservbyport(80), code, getservbyport_r);
    CHECK_ERROR(baresock::getprotobyname("a"), code, getprotobyname_r);
    CHECK_ERROR(baresock::getprotobynumber(6), code, getprotobynumber_r);
  };
  fake::getservbyname_r.answer(0);
  fake::getservbyport_r.answer(0);
  fake::getprotobyname_r.answer(0);
  fake::getprotobynumber_r.answer(0);
  check_all(ENOENT);
  const std::string longest(63, 'n');
  answer_entries(longest.c_str());
  CHECK(VALUE(baresock::getservbyname("a")).name == longest.c_str());
  CHECK(VALUE(baresock::getprotobynumber(6)).name == longest.c_str());
  const std::string longer = longest + "n";
  answer_entries(longer.c_str());
  check_all(EOVERFLOW);
  answer_entries("a", longer.c_str());
  CHECK_ERROR(baresock::getservbyname("a"), EOVERFLOW, getservbyname_r);
  CHECK_ERROR(baresock::getservbyport(80), EOVERFLOW, getservbyport_r);

  fake::journal().calls.clear();
  const std::string nul("a\0", 2), endless(256, 'a');
  CHECK_ERROR(baresock::getservbyname(nul), EINVAL, getservbyname_r);
  CHECK_ERROR(baresock::getservbyname("a", nul), EINVAL, getservbyname_r);
  CHECK_ERROR(baresock::getservbyname(endless), ENAMETOOLONG, getservbyname_r);
  CHECK_ERROR(baresock::getservbyname("a", endless), ENAMETOOLONG, getservbyname_r);
  CHECK_ERROR(baresock::getservbyport(80, nul), EINVAL, getservbyport_r);
  CHECK_ERROR(baresock::getservbyport(80, endless), ENAMETOOLONG, getservbyport_r);
  for (int port : {-1, 65536, INT_MAX, INT_MIN})
    CHECK_ERROR(baresock::getservbyport(port), ERANGE, getservbyport_r);
  CHECK_ERROR(baresock::getprotobyname(nul), EINVAL, getprotobyname_r);
  CHECK_ERROR(baresock::getprotobyname(endless), ENAMETOOLONG, getprotobyname_r);
  CHECK_ERROR(baresock::if_nametoindex(nul), EINVAL, if_nametoindex);
  CHECK(fake::journal().calls.empty());
}

TEST_CASE("if_nameindex: no interface is no failure") {
  const Fresh fresh;
  fake::if_nameindex.instead = [] {
    return static_cast<baresock::detail::NameIndex *>(std::calloc(1, sizeof(baresock::detail::NameIndex)));
  };
  CHECK(VALUE(baresock::if_nameindex()).empty());
  fake::getifaddrs.instead = [](ifaddrs **list) {
    *list = nullptr;
    return 0;
  };
  CHECK(VALUE(baresock::getifaddrs()).empty());
}

// --- above the calls: every call that a helper makes, every error that ends it -----------------------------

namespace {

/// ppoll: at once, all that is waited for; but nobody cancels.
void ready(int cancel = -1) {
  fake::ppoll.instead = [=](pollfd *items, nfds_t count, const timespec *, const sigset_t *) {
    int ready = 0;
    for (nfds_t i = 0; i < count; ++i)
      if (items[i].fd >= 0 && items[i].fd != cancel) {
        items[i].revents = static_cast<short>(items[i].events & ~POLLRDHUP);
        ++ready;
      }
    return ready;
  };
}

/// A call, the errors that end the helper, and what is called then.
struct Stage {
  fake::Any *call;
  Errors errors;
  std::string then = "";
};

struct Helper {
  std::string method;
  Scene (*scene)();
  Error (*run)(Scene &);
  std::vector<Stage> stages; // in order, but for allocations
  std::string then = "";     // what the destructor of the value calls
};

/// What is not tried again, nor waited for.
Errors ends(Errors errors) {
  for (int code : {EINTR, EAGAIN})
    errors = without(errors, code);
  return errors;
}

const Errors connect_ends = without(without(ends(of_connect), EINPROGRESS), EALREADY);
const Errors of_connect_tcp = connect_ends + Errors{EAGAIN}; // no port is left
// Of EOPNOTSUPP, a test case of its own.
const Errors of_accept_until = without(ends(of_accept4), EOPNOTSUPP);
// Streams.

/// peer has sent "hello", and that is all.
Scene ended() {
  Scene scene = pair();
  VALUE(scene.peer.send("hello"));
  VALUE(scene.peer.shutdown(SHUT_WR));
  return scene;
}

Scene stream() {
  Scene scene;
  scene.socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  return scene;
}

Error send_parts(const Socket &socket) {
  const ConstBuffer parts[] = {"hel", "", "lo"};
  const Transferred sent = baresock::send_all(socket, parts);
  CHECK(sent.size == (sent ? 5 : 0));
  return error_of(sent);
}

Error send_with_deadline(const Socket &socket, int cancel) {
  ready(cancel);
  fake::sendmsg.plan({EAGAIN});
  return error_of(baresock::send_all(socket, "hello", Deadline(20s).cancelled_by(cancel)));
}

Error receive_exactly(const Socket &socket) {
  char buffer[5];
  const Transferred received = recv_exact(socket, buffer);
  CHECK(received.size == (received ? 5 : 0));
  return error_of(received);
}

Error receive_all(const Socket &socket, std::size_t size) {
  char buffer[16];
  return error_of(recv_until_eof(socket, {buffer, size}));
}

/// Allocated, with no room left.
Error receive_limited(const Socket &socket) {
  auto received = recv_until_eof(socket, 5);
  CHECK((!received || received.data.text() == "hello"));
  return error_of(received);
}

Error finish_once(Scene &s) {
  const Transferred sent = finish(s.socket, "bye");
  CHECK(s.socket.fd() == -1);
  CHECK((!sent || sent.size == 3));
  return error_of(sent);
}

Error finish_waiting(Scene &s) {
  ready();
  fake::sendmsg.plan({EAGAIN});
  fake::recv.plan({EAGAIN, EINTR, 0, EAGAIN});
  return finish_once(s);
}

Error reset_once(Scene &s) {
  const int fd = s.socket.fd();
  auto reset = reset_and_close(s.socket);
  CHECK(s.socket.fd() == (reset ? -1 : fd)); // whose error was not that of close
  return error_of(reset);
}

Error keep_alive(const Socket &socket) {
  return error_of(set_keepalive(socket, {.idle = Seconds(5), .interval = Seconds(6), .count = 7}));
}

// Connecting. connect and ppoll are never real: no network is needed.

const SocketAddress nobody = Inet4Address{INADDR_LOOPBACK, 9};

Error connect_once(const ConnectOptions &options = {}) { return error_of(connect_to(nobody, options)); }

Error connect_at_once(int type) {
  fake::connect.answer(0);
  return connect_once({.type = type});
}

Error connect_later(int cancel = -1) {
  ready(cancel);
  fake::connect.plan({EINPROGRESS});
  return connect_once({.deadline = Deadline(20s).cancelled_by(cancel)});
}

Error connect_by_name() {
  fake::connect.answer(0);
  return error_of(connect_to("127.0.0.1", 9, {.flags = AI_NUMERICHOST}));
}

/// A call of the user's own: no connection is there to be shut down.
Result<void> shut(const Socket &socket, const SocketAddress &) {
  auto made = socket.shutdown(SHUT_RDWR);
  return !made && made.error().is(ENOTCONN) ? Result<void>() : made;
}

Error connect_with_all() {
  accept_set();
  fake::connect.answer(0);
  return connect_once({.type = SOCK_STREAM | SOCK_NONBLOCK,
                       .local = Inet4Address{INADDR_LOOPBACK, 0},
                       .interface = "lo",
                       .keep_alive = {.idle = Seconds(1), .interval = Seconds(2), .count = 3},
                       .no_delay = true,
                       .before_connect = shut});
}

Error connect_from_port() {
  fake::connect.answer(0);
  fake::bind.answer(0);
  return connect_once({.type = SOCK_STREAM | SOCK_NONBLOCK, .local_port = 4711});
}

Error connect_own(const Socket &socket) {
  ready();
  fake::connect.plan({EINPROGRESS});
  return error_of(connect_until(socket, nobody, 20s));
}

Error connect_own_nonblocking(const Socket &socket) {
  VALUE(socket.set_nonblocking(true));
  fake::journal().calls.clear();
  fake::connect.answer(0);
  return error_of(connect_until(socket, nobody));
}

// Listening.

Error listen_at(const SocketAddress &address, const ListenOptions &options = {}) {
  auto result = listen_on(address, options);
  CHECK(result.attempts.size() == !result);
  if (!result)
    CHECK(result.attempts[0].error == result.error());
  return error_of(result);
}

Error listen_tcp() { return listen_at(Inet4Address{INADDR_LOOPBACK, 0}); }

Error listen_by_name() { return error_of(listen_on("127.0.0.1", 0)); }

/// Where there may be no IPv6.
void answer_inet6_listener() {
  fake::socket.instead = [](int, int type, int protocol) { return ::socket(AF_INET, type, protocol); };
  accept_set();
  fake::bind.answer(0);
  fake::listen.answer(0);
}

Error listen_inet6_with_all() {
  answer_inet6_listener();
  return listen_at(
      Inet6Address{in6addr_loopback},
      {.reuse_port = true, .interface = "lo", .fast_open = 5, .defer_accept = Seconds(6), .before_bind = shut});
}

Error listen_datagrams() { return listen_at(Inet4Address{INADDR_LOOPBACK, 0}, {.type = SOCK_DGRAM}); }

/// Nothing stays behind at the path, whatever fails.
Error listen_path(const ListenOptions &options, bool stale = false) {
  const TemporaryDirectory directory;
  const SocketAddress address = VALUE(UnixAddress::path(directory / "x.sock"));
  if (stale) {
    const int old = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::bind(old, address.data(), address.size()) == 0);
    REQUIRE(::close(old) == 0);
  }
  const Error error = listen_at(address, options);
  if (!stale)
    CHECK_FALSE(std::filesystem::exists(directory / "x.sock"));
  return error;
}

Error listen_path_with_all() { return listen_path({.mode = 0600, .replace_stale = true}); }

Error replace_stale() { return listen_path({.replace_stale = true}, true); }

Error bound_path() {
  const TemporaryDirectory directory;
  const SocketAddress address = VALUE(UnixAddress::path(directory / "x.sock"));
  REQUIRE(::mknod((directory / "x.sock").c_str(), S_IFREG | 0600, 0) == 0);
  auto path = BoundPath::of(address);
  if (!path)
    return path.error();
  CHECK(path->path() == (directory / "x.sock").c_str());
  auto removed = path->remove();
  CHECK(path->path().empty());
  VALUE(path->remove()); // no second call
  return error_of(removed);
}

Error accept_with_deadline(const Socket &listener) {
  ready();
  return error_of(accept_until(listener, 20s));
}

Error accept_waiting(const Socket &listener) {
  ready();
  fake::accept4.plan({EAGAIN, EINTR});
  return error_of(accept_until(listener));
}

/// LISTEN_FDS, for as long as this lives.
struct Inheritance {
  explicit Inheritance(int count, const char *names = nullptr) {
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(count).c_str(), 1);
    if (names != nullptr)
      ::setenv("LISTEN_FDNAMES", names, 1);
  }
  Inheritance(const Inheritance &) = delete;
  Inheritance &operator=(const Inheritance &) = delete;
  ~Inheritance() {
    for (const char *name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
      ::unsetenv(name);
  }
  [[nodiscard]] static bool told() { return std::getenv("LISTEN_PID") && std::getenv("LISTEN_FDS"); }
};

/// Descriptors from 3 on, none of them real.
Error inherit_two() {
  const Inheritance inheritance(2, "one:two");
  answer(answer_zeros(4));
  fake::fcntl.answer(0);
  fake::close.answer(0);
  const Error error = error_of(inherited_sockets());
  CHECK(Inheritance::told() == (error != Error()));
  if (error)
    CHECK(fake::close.calls.empty()); // they stay whose they were
  return error;
}

#define HELPER(method, scene, expression, then, ...)                                                                 \
  Helper(method, scene, []([[maybe_unused]] Scene &s) { return error_of(expression); }, {__VA_ARGS__}, then)

std::vector<Helper> helpers() {
  return {
      HELPER("wait_for", pair, wait_for(s.socket, POLLOUT), "", {&fake::ppoll, of_ppoll}),
      HELPER("send_all", pair, baresock::send_all(s.socket, "hello"), "", {&fake::sendmsg, ends(of_sendmsg)}),
      HELPER("send_all, parts", pair, send_parts(s.socket), "", {&fake::sendmsg, ends(of_sendmsg)}),
      HELPER("send_all, that waits", pair, send_with_deadline(s.socket, -1), "", {&fake::sendmsg, {}},
             {&fake::ppoll, of_ppoll}, {&fake::sendmsg, ends(of_sendmsg)}),
      HELPER("send_all, that can be cancelled", pair, send_with_deadline(s.socket, s.peer.fd()), "",
             {&fake::ppoll, of_ppoll}, {&fake::sendmsg, {}}, {&fake::ppoll, of_ppoll}, {&fake::ppoll, of_ppoll},
             {&fake::sendmsg, ends(of_sendmsg)}),
      HELPER("recv_exact", ended, receive_exactly(s.socket), "", {&fake::recv, ends(of_recv)}),
      HELPER("recv_exact, that waits", ended, (ready(), fake::recv.plan({EAGAIN}), receive_exactly(s.socket)), "",
             {&fake::recv, {}}, {&fake::ppoll, of_ppoll}, {&fake::recv, ends(of_recv)}),
      HELPER("recv_until_eof", ended, receive_all(s.socket, 16), "", {&fake::recv, ends(of_recv)},
             {&fake::recv, ends(of_recv)}),
      HELPER("recv_until_eof, no room left", ended, receive_all(s.socket, 5), "", {&fake::recv, ends(of_recv)},
             {&fake::recv, ends(of_recv)}),
      HELPER("recv_until_eof, allocated", ended, receive_limited(s.socket), "", {&fake::recv, ends(of_recv)},
             {&fake::recv, ends(of_recv)}),
      HELPER("recv_until_eof, that waits", ended, (ready(), fake::recv.plan({0, EAGAIN}), receive_all(s.socket, 16)),
             "", {&fake::recv, ends(of_recv)}, {&fake::recv, {}}, {&fake::ppoll, of_ppoll},
             {&fake::recv, ends(of_recv)}),
      HELPER("finish", ended, finish_once(s), "", {&fake::sendmsg, ends(of_sendmsg), "close"},
             {&fake::shutdown, without(of_shutdown, ENOTCONN), "close"}, {&fake::recv, ends(of_recv), "close"},
             {&fake::recv, ends(of_recv), "close"}, {&fake::close, {}}),
      HELPER("finish, that waits", ended, finish_waiting(s), "", {&fake::sendmsg, {}},
             {&fake::ppoll, of_ppoll, "close"}, {&fake::sendmsg, ends(of_sendmsg), "close"},
             {&fake::shutdown, without(of_shutdown, ENOTCONN), "close"}, {&fake::recv, {}},
             {&fake::ppoll, of_ppoll, "close"}, {&fake::recv, {}}, {&fake::recv, ends(of_recv), "close"},
             {&fake::recv, {}}, {&fake::ppoll, of_ppoll, "close"}, {&fake::recv, ends(of_recv), "close"},
             {&fake::close, {}}),
      HELPER("reset_and_close", stream, reset_once(s), "", {&fake::getsockopt, of_getsockopt},
             {&fake::setsockopt, of_setsockopt}, {&fake::close, {}}),
      HELPER("set_keepalive", stream, keep_alive(s.socket), "", {&fake::setsockopt, of_setsockopt},
             {&fake::setsockopt, of_setsockopt}, {&fake::setsockopt, of_setsockopt},
             {&fake::setsockopt, of_setsockopt}),
      HELPER("set_timeouts", stream, set_timeouts(s.socket, Seconds(1), Seconds(2)), "",
             {&fake::setsockopt, of_setsockopt}, {&fake::setsockopt, of_setsockopt}),
      HELPER("set_traffic_class", stream, set_traffic_class(s.socket, 0x10), "", {&fake::getsockopt, of_getsockopt},
             {&fake::setsockopt, of_setsockopt}),
      HELPER("set_traffic_class, IPv6", stream,
             (answer_inet6(SOCK_STREAM), accept_set(), set_traffic_class(s.socket, 0x10)), "",
             {&fake::getsockopt, of_getsockopt}, {&fake::setsockopt, of_setsockopt},
             {&fake::getsockopt, of_getsockopt}, {&fake::setsockopt, of_setsockopt}),
      HELPER("set_traffic_class, IPv6 and raw", stream,
             (answer_inet6(SOCK_RAW), accept_set(), set_traffic_class(s.socket, 0x10)), "",
             {&fake::getsockopt, of_getsockopt}, {&fake::setsockopt, of_setsockopt},
             {&fake::getsockopt, of_getsockopt}),
      HELPER("traffic_class", stream, traffic_class(s.socket), "", {&fake::getsockopt, of_getsockopt},
             {&fake::getsockopt, of_getsockopt}),
      HELPER("traffic_class, IPv6", stream, (answer_inet6(SOCK_STREAM), traffic_class(s.socket)), "",
             {&fake::getsockopt, of_getsockopt}, {&fake::getsockopt, of_getsockopt}),
      HELPER("tcp_bytes", stream, (answer(answer_zeros(232)), tcp_bytes(s.socket)), "",
             {&fake::getsockopt, of_getsockopt}),
      HELPER("tcp_state", stream, tcp_state(s.socket), "", {&fake::getsockopt, of_getsockopt}),

      HELPER("connect_to, at once", nothing, connect_at_once(SOCK_STREAM), "close", {&fake::socket, of_socket},
             {&fake::connect, of_connect_tcp, "close"}, {&fake::fcntl, of_fcntl, "close"},
             {&fake::fcntl, of_fcntl, "close"}),
      HELPER("connect_to, nonblocking", nothing, connect_at_once(SOCK_STREAM | SOCK_NONBLOCK), "close",
             {&fake::socket, of_socket}, {&fake::connect, of_connect_tcp, "close"}),
      HELPER("connect_to", nothing, connect_later(), "close", {&fake::socket, of_socket}, {&fake::connect, {}},
             {&fake::ppoll, of_ppoll, "close"}, {&fake::getsockopt, of_getsockopt, "close"},
             {&fake::fcntl, of_fcntl, "close"}, {&fake::fcntl, of_fcntl, "close"}),
      HELPER("connect_to, that can be cancelled", pair, connect_later(s.peer.fd()), "close", {&fake::ppoll, of_ppoll},
             {&fake::ppoll, of_ppoll}, {&fake::socket, of_socket}, {&fake::connect, {}},
             {&fake::ppoll, of_ppoll, "close"}, {&fake::ppoll, of_ppoll, "close"},
             {&fake::getsockopt, of_getsockopt, "close"}, {&fake::fcntl, of_fcntl, "close"},
             {&fake::fcntl, of_fcntl, "close"}),
      HELPER("connect_to, by name", nothing, connect_by_name(), "close", {&fake::getaddrinfo, {}},
             {&fake::socket, of_socket}, {&fake::connect, of_connect_tcp, "close"}, {&fake::fcntl, of_fcntl, "close"},
             {&fake::fcntl, of_fcntl, "close"}),
      HELPER("connect_to, with all options", nothing, connect_with_all(), "close", {&fake::socket, of_socket},
             {&fake::setsockopt, of_setsockopt, "close"}, {&fake::setsockopt, of_setsockopt, "close"},
             {&fake::setsockopt, of_setsockopt, "close"}, {&fake::setsockopt, of_setsockopt, "close"},
             {&fake::setsockopt, of_setsockopt, "close"}, {&fake::setsockopt, of_setsockopt, "close"},
             {&fake::shutdown, without(of_shutdown, ENOTCONN), "close"}, {&fake::setsockopt, {}},
             {&fake::bind, of_bind, "close"}, {&fake::connect, of_connect_tcp, "close"}),
      HELPER("connect_to, from a port", nothing, connect_from_port(), "close", {&fake::socket, of_socket},
             {&fake::setsockopt, of_setsockopt, "close"}, {&fake::bind, of_bind, "close"},
             {&fake::connect, of_connect_tcp, "close"}),
      HELPER("connect_until", stream, connect_own(s.socket), "", {&fake::fcntl, of_fcntl}, {&fake::fcntl, of_fcntl},
             {&fake::fcntl, of_fcntl}, {&fake::connect, {}}, {&fake::ppoll, of_ppoll, "fcntl fcntl"},
             {&fake::getsockopt, of_getsockopt, "fcntl fcntl"}, {&fake::fcntl, of_fcntl}, {&fake::fcntl, of_fcntl}),
      HELPER("connect_until, at once", stream, (fake::connect.answer(0), connect_until(s.socket, nobody)), "",
             {&fake::fcntl, of_fcntl}, {&fake::fcntl, of_fcntl}, {&fake::fcntl, of_fcntl},
             {&fake::connect, of_connect_tcp, "fcntl fcntl"}, {&fake::fcntl, of_fcntl}, {&fake::fcntl, of_fcntl}),
      HELPER("connect_until, nonblocking", stream, connect_own_nonblocking(s.socket), "", {&fake::fcntl, {}},
             {&fake::connect, of_connect_tcp}),

      HELPER("listen_on", nothing, listen_tcp(), "close", {&fake::socket, of_socket},
             {&fake::setsockopt, of_setsockopt, "close"}, {&fake::bind, of_bind, "close"},
             {&fake::listen, of_listen, "close"}, {&fake::getsockname, of_getsockname, "close"}),
      HELPER("listen_on, datagrams", nothing, listen_datagrams(), "close", {&fake::socket, of_socket},
             {&fake::setsockopt, of_setsockopt, "close"}, {&fake::bind, of_bind, "close"},
             {&fake::getsockname, of_getsockname, "close"}),
      HELPER("listen_on, by name", nothing, listen_by_name(), "close", {&fake::getaddrinfo, {}},
             {&fake::socket, of_socket}, {&fake::setsockopt, of_setsockopt, "close"}, {&fake::bind, of_bind, "close"},
             {&fake::listen, of_listen, "close"}, {&fake::getsockname, of_getsockname, "close"}),
      HELPER("listen_on, IPv6 with all options", nothing, listen_inet6_with_all(), "close",
             {&fake::socket, of_socket}, {&fake::setsockopt, of_setsockopt, "close"},
             {&fake::setsockopt, of_setsockopt, "close"}, {&fake::setsockopt, of_setsockopt, "close"},
             {&fake::setsockopt, of_setsockopt, "close"}, {&fake::setsockopt, of_setsockopt, "close"},
             {&fake::setsockopt, of_setsockopt, "close"}, {&fake::shutdown, without(of_shutdown, ENOTCONN), "close"},
             {&fake::bind, of_bind, "close"}, {&fake::listen, of_listen, "close"},
             {&fake::getsockname, of_getsockname, "close"}),
      HELPER("listen_on, a path", nothing, listen_path({}), "lstat unlink close", {&fake::socket, of_socket},
             {&fake::bind, of_bind, "close"}, {&fake::lstat, {}}, {&fake::listen, of_listen, "lstat unlink close"},
             {&fake::getsockname, of_getsockname, "lstat unlink close"}),
      HELPER("listen_on, a path with all options", nothing, listen_path_with_all(), "lstat unlink close",
             {&fake::socket, of_socket}, {&fake::fchmod, of_chmod, "close"}, {&fake::open, of_open, "close"},
             {&fake::flock, of_flock, "close close"}, {&fake::bind, without(of_bind, EADDRINUSE), "close close"},
             {&fake::lstat, {}}, {&fake::chmod, of_chmod, "lstat unlink close close"},
             {&fake::listen, of_listen, "lstat unlink close close"},
             {&fake::getsockname, of_getsockname, "lstat unlink close close"}, {&fake::close, {}}),
      HELPER("listen_on, a stale path", nothing, replace_stale(), "lstat unlink close", {&fake::socket, of_socket},
             {&fake::open, of_open, "close"}, {&fake::flock, of_flock, "close close"},
             {&fake::bind, without(of_bind, EADDRINUSE), "close close"}, {&fake::lstat, {}}, {&fake::socket, {}},
             {&fake::connect, {}}, {&fake::close, {}}, {&fake::unlink, of_unlink, "close close"},
             {&fake::bind, of_bind, "close close"}, {&fake::lstat, {}},
             {&fake::listen, of_listen, "lstat unlink close close"},
             {&fake::getsockname, of_getsockname, "lstat unlink close close"}, {&fake::close, {}}),
      HELPER("BoundPath", nothing, bound_path(), "", {&fake::lstat, of_lstat}, {&fake::lstat, {}},
             {&fake::unlink, of_unlink}),
      HELPER("accept_until", listening, accept_until(s.socket), "close", {&fake::accept4, of_accept_until}),
      HELPER("accept_until, with a deadline", listening, accept_with_deadline(s.socket), "close",
             {&fake::getsockopt, of_getsockopt}, {&fake::ppoll, of_ppoll}, {&fake::accept4, of_accept_until}),
      HELPER("accept_until, that waits", listening, accept_waiting(s.socket), "close", {&fake::accept4, {}},
             {&fake::ppoll, of_ppoll}, {&fake::accept4, {}}, {&fake::ppoll, of_ppoll},
             {&fake::accept4, of_accept_until}),
      HELPER("inherited_sockets", nothing, inherit_two(), "close close", {&fake::getsockopt, of_getsockopt},
             {&fake::getsockopt, of_getsockopt}, {&fake::getsockopt, of_getsockopt}, {&fake::fcntl, of_fcntl},
             {&fake::fcntl, of_fcntl}, {&fake::getsockopt, of_getsockopt}, {&fake::fcntl, of_fcntl},
             {&fake::fcntl, of_fcntl}),
  };
}
#undef HELPER

/// What was called, but for allocations: "socket connect close".
std::string called_in_all() {
  std::string calls;
  for (const std::string &call : fake::journal().calls)
    if (call != "malloc" && call != "calloc")
      calls += (calls.empty() ? "" : " ") + call;
  return calls;
}

/// The first `count` stages, and then those calls.
std::string expected_calls(const Helper &helper, std::size_t count, const std::string &then) {
  std::string calls;
  for (std::size_t i = 0; i < count; ++i)
    calls += (calls.empty() ? "" : " ") + std::string(helper.stages[i].call->name());
  return calls + (then.empty() ? "" : " ") + then;
}

/// A descriptor that is closed twice, or is none, fails the test.
void watch_close() {
  fake::close.instead = [](int fd) {
    const int closed = ::close(fd);
    CHECK(closed == 0);
    return closed;
  };
}

/// The helper's stage `failing` fails with `code`.
void check_end(const Helper &helper, std::size_t failing, int code) {
  CAPTURE(helper.method);
  CAPTURE(failing);
  CAPTURE(code);
  const NoLeak no_leak;
  const Stage &stage = helper.stages[failing];
  Scene scene = helper.scene();
  const Fresh fresh;
  watch_close();
  std::size_t before = 0;
  for (std::size_t i = 0; i < failing; ++i)
    before += helper.stages[i].call == stage.call;
  stage.call->fail(code, before);
  const Error error = helper.run(scene);

  CHECK(error.code() == (code != 0 ? code : EIO));
  CHECK(error.domain() == ErrorDomain::system);
  CHECK(std::string(operation_name(error.operation())) == stage.call->name());
  CHECK(last_error() == error);
  CHECK(called_in_all() == expected_calls(helper, failing + 1, stage.then));
}

} // namespace

TEST_CASE("helpers: every call fails with every error of its manual page that ends it; what was made is undone") {
  for (const Helper &helper : helpers())
    for (std::size_t i = 0; i < helper.stages.size(); ++i)
      for (int code : helper.stages[i].errors)
        check_end(helper, i, code);
}

TEST_CASE("helpers: a failure without errno is EIO, an errno that nobody knows is kept") {
  for (const Helper &helper : helpers())
    for (std::size_t i = 0; i < helper.stages.size(); ++i)
      for (int code : {0, 512, 4095})
        if (!helper.stages[i].errors.empty())
          check_end(helper, i, code);
}

TEST_CASE("every operation of the system is in a table") {
  // Not in it: close and the resolver's functions, which have test cases of their own.
  std::set<std::string> covered = {"close", "getaddrinfo", "getnameinfo"};
  for (const Row &row : rows())
    for (const Step &step : row.steps)
      covered.insert(step.call->name());
  for (const Helper &helper : helpers())
    for (const Stage &stage : helper.stages)
      if (!stage.errors.empty())
        covered.insert(stage.call->name());
  std::set<std::string> operations;
#define OPERATION(token) operations.insert(#token);
#define BARESOCK_OPERATION(token, name)
#include <baresock/operations.def>
  CHECK(covered == operations);
}

TEST_CASE("helpers: the calls of a success, which leaves last_error()") {
  for (const Helper &helper : helpers()) {
    CAPTURE(helper.method);
    const NoLeak no_leak;
    Scene scene = helper.scene();
    const Fresh fresh;
    watch_close();
    CHECK(helper.run(scene) == Error());
    CHECK(called_in_all() == expected_calls(helper, helper.stages.size(), helper.then));
    CHECK(last_error() == Error());
  }
}

TEST_CASE("helpers: a descriptor over FD_SETSIZE is as good as another") {
  rlimit old = {};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &old) == 0);
  constexpr int high = 1500;
  if (old.rlim_max <= high + 10)
    SKIP("RLIMIT_NOFILE");
  const rlimit raised = {std::max<rlim_t>(old.rlim_cur, high + 10), old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &raised) == 0);
  for (const Helper &helper : helpers()) {
    if (!helper.scene().socket)
      continue;
    CAPTURE(helper.method);
    Scene scene = helper.scene();
    const Fresh fresh;
    scene.socket = Socket(::fcntl(scene.socket.fd(), F_DUPFD_CLOEXEC, high));
    REQUIRE(scene.socket.fd() >= high);
    CHECK(helper.run(scene) == Error());
  }
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &old) == 0);
}

TEST_CASE("helpers: an empty Socket is EBADF, and nothing is waited for") {
  char buffer[4];
  const Socket none;
  Socket closing;
  const std::function<Error()> calls[] = {
      [&] { return error_of(wait_for(none, POLLIN)); },
      [&] { return error_of(baresock::send_all(none, "hello")); },
      [&] { return error_of(recv_exact(none, buffer)); },
      [&] { return error_of(recv_until_eof(none, buffer)); },
      [&] { return error_of(recv_until_eof(none, 4)); },
      [&] { return error_of(finish(closing)); },
      [&] { return error_of(finish(closing, "hello")); },
      [&] { return error_of(reset_and_close(closing)); },
      [&] { return error_of(set_keepalive(none, {})); },
      [&] { return error_of(set_timeouts(none, Seconds(1), Seconds(1))); },
      [&] { return error_of(set_traffic_class(none, 0)); },
      [&] { return error_of(traffic_class(none)); },
      [&] { return error_of(tcp_bytes(none)); },
      [&] { return error_of(tcp_state(none)); },
      [&] { return error_of(connect_until(none, nobody)); },
      [&] { return error_of(accept_until(none)); },
      [&] { return error_of(accept_until(none, 20s)); },
  };
  for (const auto &call : calls) {
    const Fresh fresh;
    const Error error = call();
    CHECK(error.is(EBADF));
    CHECK(last_error() == error);
    CHECK(fake::ppoll.calls.empty());
  }
}

// --- waiting ----------------------------------------------------------------------------------------------

namespace {

/// What ppoll was given.
struct Wait {
  std::size_t number = 0;
  std::vector<pollfd> items;
  bool forever = true;
  long long time = 0; // nanoseconds
};

/// ppoll: what it is given is kept; `answer` says how many are ready, or an errno below zero.
class Waits {
public:
  std::vector<Wait> all;

  using Answer = std::function<int(const Wait &wait, pollfd *items, nfds_t count)>;
  explicit Waits(const Answer &answer) {
    fake::ppoll.instead = [this, answer](pollfd *items, nfds_t count, const timespec *timeout, const sigset_t *mask) {
      CHECK(mask == nullptr);
      Wait wait;
      wait.number = all.size();
      wait.items.assign(items, items + count);
      wait.forever = timeout == nullptr;
      if (timeout != nullptr) {
        CHECK(timeout->tv_sec >= 0);
        CHECK(timeout->tv_nsec >= 0);
        CHECK(timeout->tv_nsec < 1'000'000'000);
        wait.time = timeout->tv_sec * 1'000'000'000LL + timeout->tv_nsec;
      }
      for (const pollfd &item : wait.items)
        CHECK(item.revents == 0);
      all.push_back(wait);
      REQUIRE(all.size() < 1000); // in vain
      const int ready = answer(wait, items, count);
      if (ready < 0)
        errno = -ready;
      return std::max(ready, -1);
    };
  }
  Waits(const Waits &) = delete;
  Waits &operator=(const Waits &) = delete;
};

/// All that is waited for is ready.
int all_ready(pollfd *items, nfds_t count) {
  int ready = 0;
  for (nfds_t i = 0; i < count; ++i)
    if (items[i].fd >= 0 && items[i].events != 0) {
      items[i].revents = static_cast<short>(items[i].events & ~POLLRDHUP); // nobody hangs up
      ++ready;
    }
  return ready;
}

/// Lets some time pass.
void pass(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end)
    ;
}

/// As the kernel does if nothing happens.
int nothing_happens(const Wait &wait) {
  REQUIRE_FALSE(wait.forever);
  pass(std::chrono::nanoseconds(wait.time));
  return 0;
}

/// A system without a kernel: descriptors 77 and 78, on which everything works.
void answer_all() {
  fake::socket.answer(77);
  fake::accept4.answer(78);
  fake::getsockopt.instead = [](int, int, int name, void *value, socklen_t *length) {
    const int number = name == SO_ACCEPTCONN; // SO_ERROR: none
    std::memcpy(value, &number, sizeof number);
    *length = sizeof number;
    return 0;
  };
  fake::setsockopt.answer(0);
  for (auto *call : {&fake::close, &fake::sockatmark})
    call->answer(0);
  fake::fcntl.answer(0);
  fake::bind.answer(0);
  fake::connect.answer(0);
  fake::listen.answer(0);
  fake::shutdown.answer(0);
  fake::recv.answer(0);
  fake::sendmsg.instead = [](int, const msghdr *header, int) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < header->msg_iovlen; ++i)
      size += header->msg_iov[i].iov_len;
    return static_cast<ssize_t>(size);
  };
}

/// What waits for descriptor 77, once.
struct Waiter {
  std::string name;
  Operation operation;
  short events;
  Error (*run)(const Deadline &deadline);
  bool never = false; // accepts at once if there is no deadline
};

const Waiter waiters[] = {
    {"wait_for", Operation::wait_for, POLLIN | POLLPRI,
     [](const Deadline &deadline) { return error_of(wait_for(*SocketRef(77), POLLIN | POLLPRI, deadline)); }},
    {"send_all", Operation::send_all, POLLOUT,
     [](const Deadline &deadline) {
       fake::sendmsg.plan({EAGAIN});
       return error_of(baresock::send_all(*SocketRef(77), "hello", deadline));
     }},
    {"recv_exact", Operation::recv_exact, POLLIN,
     [](const Deadline &deadline) {
       char buffer[4];
       fake::recv.answer(4);
       fake::recv.plan({EAGAIN});
       return error_of(recv_exact(*SocketRef(77), buffer, deadline));
     }},
    {"recv_until_eof", Operation::recv_until_eof, POLLIN,
     [](const Deadline &deadline) {
       char buffer[4];
       fake::recv.plan({EAGAIN});
       return error_of(recv_until_eof(*SocketRef(77), buffer, deadline));
     }},
    {"recv_until_eof, allocated", Operation::recv_until_eof, POLLIN,
     [](const Deadline &deadline) {
       fake::recv.plan({EAGAIN});
       return error_of(recv_until_eof(*SocketRef(77), 4, deadline));
     }},
    {"finish, sending", Operation::finish, POLLOUT,
     [](const Deadline &deadline) {
       Socket socket(77);
       fake::sendmsg.plan({EAGAIN});
       return error_of(finish(socket, "hello", deadline));
     }},
    {"finish, draining", Operation::finish, POLLIN,
     [](const Deadline &deadline) {
       Socket socket(77);
       fake::recv.plan({EAGAIN});
       return error_of(finish(socket, {}, deadline));
     }},
    {"connect_until", Operation::connect_until, POLLOUT,
     [](const Deadline &deadline) {
       fake::connect.plan({EINPROGRESS});
       return error_of(connect_until(*SocketRef(77), nobody, deadline));
     }},
    {"connect_to", Operation::connect_to, POLLOUT,
     [](const Deadline &deadline) {
       fake::connect.plan({EINPROGRESS});
       return error_of(connect_to(nobody, {.deadline = deadline}));
     }},
    {"accept_until", Operation::accept_until, POLLIN | POLLRDHUP,
     [](const Deadline &deadline) { return error_of(accept_until(*SocketRef(77), deadline)); }, true},
};

bool waits_for(const Wait &wait, short events) {
  return std::ranges::any_of(wait.items, [&](const pollfd &item) { return item.fd == 77 && item.events == events; });
}

} // namespace

TEST_CASE("ppoll: again after EINTR, with what is left of the deadline, or NULL") {
  for (const Waiter &waiter : waiters)
    for (bool never : {false, true}) {
      if (never && waiter.never)
        continue;
      CAPTURE(waiter.name);
      CAPTURE(never);
      const Fresh fresh;
      answer_all();
      Waits waits([](const Wait &wait, pollfd *items, nfds_t count) {
        if (wait.number == 3)
          return all_ready(items, count);
        pass(2ms);
        return -EINTR;
      });
      CHECK(waiter.run(never ? Deadline() : Deadline(20s)) == Error());
      REQUIRE(waits.all.size() == 4);
      for (std::size_t i = 0; i < 4; ++i) {
        const Wait &wait = waits.all[i];
        CHECK(waits_for(wait, waiter.events));
        CHECK(wait.forever == never);
        if (!never) {
          CHECK(wait.time > 0);
          CHECK(wait.time <= 20'000'000'000 - 2'000'000 * static_cast<long long>(i));
        }
        if (!never && i > 0)
          CHECK(wait.time <= waits.all[i - 1].time - 2'000'000);
      }
      CHECK(last_error() == Error());
    }
}

TEST_CASE("ppoll is given whole nanoseconds, and never more than what is left") {
  bool fine = false;
  for (const Waiter &waiter : waiters)
    for (long long time : {999'999'500LL, 1'500'000'001LL, 1LL, 0LL}) {
      CAPTURE(waiter.name);
      CAPTURE(time);
      const Fresh fresh;
      answer_all();
      Waits waits([](const Wait &, pollfd *items, nfds_t count) { return all_ready(items, count); });
      // What is so short may have passed before anything is waited for, or called again.
      const Error error = waiter.run(Nanoseconds(time));
      CHECK((error == Error() || (time < 2 && error == Error(ETIMEDOUT, waiter.operation))));
      REQUIRE(waits.all.size() <= 1);
      if (waits.all.empty())
        continue;
      CHECK_FALSE(waits.all[0].forever);
      CHECK(waits.all[0].time <= time);
      fine = fine || waits.all[0].time % 1'000'000 != 0;
    }
  CHECK(fine);
}

TEST_CASE("a deadline that no clock reaches is NULL, and so is one beyond") {
  for (const Waiter &waiter : waiters)
    for (const Deadline &deadline : {Deadline(Nanoseconds::max()), Deadline(std::chrono::hours(24 * 365 * 300)),
                                     Deadline(Nanoseconds(INT64_MAX - 1))}) {
      if (waiter.never)
        continue;
      CAPTURE(waiter.name);
      const Fresh fresh;
      answer_all();
      Waits waits([](const Wait &, pollfd *items, nfds_t count) { return all_ready(items, count); });
      CHECK(waiter.run(deadline) == Error());
      REQUIRE(waits.all.size() == 1);
      CHECK(waits.all[0].forever);
    }
}

TEST_CASE("when ppoll says that the time is over: ETIMEDOUT of the helper") {
  for (const Waiter &waiter : waiters)
    for (long long time : {0LL, 3'000'000LL}) {
      CAPTURE(waiter.name);
      const Fresh fresh;
      answer_all();
      Waits waits([&](const Wait &wait, pollfd *, nfds_t) { return nothing_happens(wait); });
      const Error error = waiter.run(Nanoseconds(time));
      CHECK(error == Error(ETIMEDOUT, waiter.operation));
      CHECK(last_error() == error);
      CHECK(waits.all.size() <= 1);
    }
}

TEST_CASE("a deadline below zero is EINVAL of the helper, and nothing is called but close") {
  for (const Waiter &waiter : waiters) {
    CAPTURE(waiter.name);
    const Fresh fresh;
    answer_all();
    const Error error = waiter.run(Nanoseconds(-1));
    CHECK(error == Error(EINVAL, waiter.operation));
    CHECK(last_error() == error);
    const bool closes = waiter.operation == Operation::finish;
    CHECK(called_in_all() == std::string(closes ? "close" : ""));
  }
}

TEST_CASE("a deadline below zero is EINVAL even if there is nothing to do") {
  const Fresh fresh;
  const Deadline invalid = Nanoseconds(-1);
  CHECK_ERROR(baresock::send_all(*SocketRef(77), "", invalid), EINVAL, send_all);
  CHECK_ERROR(baresock::send_all(*SocketRef(77), Span<const ConstBuffer>(), invalid), EINVAL, send_all);
  CHECK_ERROR(recv_exact(*SocketRef(77), {}, invalid), EINVAL, recv_exact);
  CHECK_ERROR(baresock::poll({}, invalid), EINVAL, poll);
  CHECK(fake::journal().calls.empty());
}

TEST_CASE("what cancels: ECANCELED, or EBADF if it is no descriptor; before any call, and while it waits") {
  for (const Waiter &waiter : waiters)
    for (bool later : {false, true})
      for (short revents : std::initializer_list<short>{POLLIN, POLLHUP, POLLERR, POLLNVAL}) {
        CAPTURE(waiter.name);
        CAPTURE(later);
        CAPTURE(revents);
        const Fresh fresh;
        answer_all();
        Waits waits([&](const Wait &, pollfd *items, nfds_t count) {
          // While it waits for 77, which is as ready as what cancels.
          const bool waiting = std::any_of(items, items + count, [](const pollfd &item) { return item.fd == 77; });
          if (later && !waiting)
            return 0;
          int ready = all_ready(items, count);
          for (nfds_t i = 0; i < count; ++i)
            if (items[i].fd == 99) {
              CHECK(items[i].events == POLLIN);
              items[i].revents = revents;
            }
          return ready;
        });
        const Error error = waiter.run(Deadline(20s).cancelled_by(99));
        CHECK(error == Error(revents == POLLNVAL ? EBADF : ECANCELED, waiter.operation));
        CHECK(last_error() == error);
        const bool looks = waiter.operation != Operation::wait_for && waiter.operation != Operation::accept_until;
        if (!later && looks) {
          REQUIRE(waits.all.size() == 1);
          CHECK(waits.all[0].items.size() == 1);
          CHECK(waits.all[0].time == 0); // it is looked at, no more
          CHECK_FALSE(waits.all[0].forever);
          CHECK(called_in_all() == (waiter.name == "finish, draining"  ? "shutdown ppoll close"
                                    : waiter.name == "finish, sending" ? "ppoll close"
                                                                       : "ppoll"));
        }
      }
}

TEST_CASE("a look at what cancels goes on after EINTR") {
  const Fresh fresh;
  answer_all();
  Waits waits([](const Wait &wait, pollfd *, nfds_t) { return wait.number < 3 ? -EINTR : 0; });
  VALUE(baresock::send_all(*SocketRef(77), "hello", Deadline().cancelled_by(99)));
  CHECK(fake::journal().calls == std::vector<std::string>{"ppoll", "ppoll", "ppoll", "ppoll", "sendmsg"});
}

TEST_CASE("ppoll that wakes up for nothing: the helper waits on, or asks again") {
  for (const Waiter &waiter : waiters) {
    if (waiter.operation == Operation::wait_for) // says what ppoll says
      continue;
    CAPTURE(waiter.name);
    const Fresh fresh;
    answer_all();
    std::size_t spurious = 0;
    Waits waits([&](const Wait &wait, pollfd *items, nfds_t count) {
      if (wait.number < 3) {
        ++spurious;
        // What would block still does.
        fake::sendmsg.plan({EAGAIN});
        fake::recv.plan({EAGAIN});
        fake::accept4.plan({EAGAIN});
        return 1;
      }
      fake::sendmsg.plan({});
      fake::recv.plan({});
      fake::accept4.plan({});
      return all_ready(items, count);
    });
    CHECK(waiter.run(20s) == Error());
    CHECK(spurious == 3);
    CHECK(waits.all.size() == 4);
    for (std::size_t i = 1; i < waits.all.size(); ++i)
      CHECK(waits.all[i].time < waits.all[i - 1].time);
  }
}

TEST_CASE("ppoll: a descriptor that is none is EBADF, an error or a hang-up is for the call to tell") {
  for (const Waiter &waiter : waiters)
    for (short revents : std::initializer_list<short>{POLLNVAL, POLLERR, POLLHUP}) {
      CAPTURE(waiter.name);
      CAPTURE(revents);
      const bool asks = waiter.operation == Operation::connect_to || waiter.operation == Operation::connect_until;
      if (asks && revents == POLLNVAL) // which SO_ERROR tells of
        continue;
      const Fresh fresh;
      answer_all();
      Waits waits([&](const Wait &, pollfd *items, nfds_t count) {
        for (nfds_t i = 0; i < count; ++i)
          if (items[i].fd == 77)
            items[i].revents = revents;
        return 1;
      });
      CHECK(waiter.run(20s) == (revents == POLLNVAL ? Error(EBADF, waiter.operation) : Error()));
      CHECK(waits.all.size() == 1);
    }
}

TEST_CASE("after the deadline, what goes at once still goes, but not what has no end") {
  const Fresh fresh;
  answer_all();
  const Deadline past = 0s;
  fake::sendmsg.answer(1);
  auto sent = baresock::send_all(*SocketRef(77), "hello", past);
  CHECK(sent.has_value());
  CHECK(sent.size == 5);
  fake::recv.answer(1);
  char buffer[5] = {};
  CHECK(recv_exact(*SocketRef(77), buffer, past).has_value());
  fake::recv.instead = [n = 0](int, void *, std::size_t, int) mutable { return ssize_t{n++ % 5 == 4 ? 0 : 1}; };
  CHECK(recv_until_eof(*SocketRef(77), buffer, past).size == 4);
  CHECK(recv_until_eof(*SocketRef(77), std::size_t{5}, past).data.size() == 4);
  CHECK(fake::ppoll.calls.empty());

  // A peer that never ends: 5 of 20 milliseconds for each byte, and one more may be under way.
  fake::recv.calls.clear();
  fake::recv.instead = [](auto...) {
    pass(5ms);
    return ssize_t{1};
  };
  Socket socket(77);
  CHECK_ERROR(finish(socket, "bye", 20ms), ETIMEDOUT, finish);
  CHECK(fake::recv.calls.size() <= 5);
  CHECK(socket.fd() == -1);
  CHECK(fake::ppoll.calls.empty());
}

TEST_CASE("poll: one call with what it was given, whatever the answer") {
  const Fresh fresh;
  int answer = 0;
  pollfd items[] = {{77, POLLIN, 0x7fff}, {-1, POLLOUT, 0x7fff}, {78, POLLOUT | POLLRDHUP, 0x7fff}};
  Waits waits([&](const Wait &, pollfd *given, nfds_t count) {
    CHECK(given == items);
    CHECK(count == 3);
    if (answer > 0)
      given[2].revents = POLLHUP;
    return answer;
  });
  for (int each : {2, 0, -EINTR, -ENOMEM}) {
    answer = each;
    for (pollfd &item : items)
      item.revents = 0x7fff;
    const auto ready = baresock::poll(items, 20s);
    if (each < 0)
      CHECK_ERROR(ready, -each, ppoll);
    else
      CHECK(VALUE(Result<std::size_t>(ready)) == static_cast<std::size_t>(each));
    CHECK(items[0].revents == 0);
    CHECK(items[1].revents == 0);
    CHECK(items[2].revents == (each > 0 ? POLLHUP : 0));
    CHECK(items[0].events == POLLIN);
    CHECK(items[1].fd == -1);
    CHECK(items[2].events == (POLLOUT | POLLRDHUP));
  }
  REQUIRE(waits.all.size() == 4);
  for (const Wait &wait : waits.all) {
    CHECK(wait.time <= 20'000'000'000);
    CHECK(wait.time > 0);
  }
  answer = 0;
  VALUE(baresock::poll(items));
  CHECK(waits.all[4].forever);
  VALUE(baresock::poll(items, 0s));
  CHECK_FALSE(waits.all[5].forever);
  CHECK(waits.all[5].time == 0);
  fake::ppoll.instead = [](pollfd *, nfds_t count, const timespec *, const sigset_t *) {
    CHECK(count == 0);
    return 0;
  };
  CHECK(VALUE(baresock::poll({}, 0s)) == 0);
  fake::ppoll.calls.clear();
  items[0].revents = 0x7fff;
  CHECK_ERROR(baresock::poll(items, Deadline(5s).cancelled_by(3)), EINVAL, poll);
  CHECK(items[0].revents == 0);
  items[2].revents = 0x7fff;
  CHECK_ERROR(baresock::poll(items, Nanoseconds(-1)), EINVAL, poll);
  CHECK(items[2].revents == 0);
  CHECK(fake::ppoll.calls.empty());
}

// --- streams ----------------------------------------------------------------------------------------------

TEST_CASE("send_all: byte by byte, a signal between any two, and every byte goes once") {
  for (std::size_t count : {0u, 1u, 2u, 7u, 63u, 64u, 65u, 130u}) {
    CAPTURE(count);
    const Fresh fresh;
    std::string all, sent;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
      texts.emplace_back(i % 4, static_cast<char>('a' + i % 26)); // some of them empty
      all += texts.back();
    }
    std::vector<ConstBuffer> parts(texts.begin(), texts.end());
    bool signalled = false;
    fake::sendmsg.instead = [&](int fd, const msghdr *header, int flags) -> ssize_t {
      CHECK(fd == 77);
      CHECK(flags == (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE));
      CHECK(header->msg_name == nullptr);
      CHECK(header->msg_controllen == 0);
      CHECK(header->msg_iovlen > 0);
      CHECK(header->msg_iovlen <= IOV_MAX);
      signalled = !signalled;
      if (signalled) {
        errno = EINTR;
        return -1;
      }
      const iovec &first = header->msg_iov[0];
      REQUIRE(first.iov_len > 0);
      sent += *static_cast<const char *>(first.iov_base);
      return 1;
    };
    const Transferred result = baresock::send_all(*SocketRef(77), parts, {}, MSG_MORE);
    CHECK(result.has_value());
    CHECK(result.size == all.size());
    CHECK(sent == all);
    CHECK(fake::sendmsg.calls.size() == 2 * all.size());
    CHECK(fake::journal().calls.size() == 2 * all.size()); // and no other call
    CHECK(last_error() == Error());
  }
}

TEST_CASE("send_all: what one call takes of many parts, whatever it is") {
  for (std::size_t taken = 1; taken < 40; ++taken) {
    CAPTURE(taken);
    const Fresh fresh;
    std::string all, sent;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < 150; ++i) {
      texts.emplace_back(i % 3, static_cast<char>('a' + i % 26));
      all += texts.back();
    }
    std::vector<ConstBuffer> parts(texts.begin(), texts.end());
    fake::sendmsg.instead = [&](int, const msghdr *header, int) {
      std::string offered;
      for (std::size_t i = 0; i < header->msg_iovlen; ++i)
        offered.append(static_cast<const char *>(header->msg_iov[i].iov_base), header->msg_iov[i].iov_len);
      offered.resize(std::min(offered.size(), taken));
      sent += offered;
      return static_cast<ssize_t>(offered.size());
    };
    const Transferred result = baresock::send_all(*SocketRef(77), parts);
    CHECK(result.has_value());
    CHECK(result.size == all.size());
    CHECK(sent == all);
  }
}

TEST_CASE("recv_exact and recv_until_eof: byte by byte, a signal between any two") {
  const std::string text = "hello, world";
  for (int kind = 0; kind < 3; ++kind) {
    CAPTURE(kind);
    const Fresh fresh;
    std::size_t at = 0;
    bool signalled = false;
    fake::recv.instead = [&](int fd, void *buffer, std::size_t size, int flags) -> ssize_t {
      CHECK(fd == 77);
      CHECK((flags & MSG_DONTWAIT) != 0);
      REQUIRE(size > 0);
      signalled = !signalled;
      if (signalled) {
        errno = EINTR;
        return -1;
      }
      if (at == text.size())
        return 0;
      *static_cast<char *>(buffer) = text[at++];
      return 1;
    };
    char buffer[12] = {};
    if (kind == 0) {
      const Transferred got = recv_exact(*SocketRef(77), buffer);
      CHECK(got.has_value());
      CHECK(got.size == 12);
      CHECK(fake::recv.calls.size() == 24);
    } else if (kind == 1) {
      const Transferred got = recv_until_eof(*SocketRef(77), buffer);
      CHECK(got.has_value());
      CHECK(got.size == 12);
      CHECK(fake::recv.calls.size() == 26);
    } else {
      const ReceivedData got = recv_until_eof(*SocketRef(77), 100);
      CHECK(got.has_value());
      CHECK(got.data.text() == text);
      CHECK(fake::recv.calls.size() == 26);
      continue;
    }
    CHECK(std::string(buffer, 12) == text);
  }
}

TEST_CASE("what went before a failure is told") {
  for (int code : {ECONNRESET, ETIMEDOUT, EPIPE, ENOMEM}) {
    CAPTURE(code);
    const Fresh fresh;
    char buffer[8] = {};
    fake::sendmsg.answer(3);
    fake::sendmsg.fail(code, 2);
    auto sent = baresock::send_all(*SocketRef(77), "hello, world");
    CHECK_ERROR(sent, code, sendmsg);
    CHECK(sent.size == 6);
    Socket socket(77);
    fake::close.answer(0);
    fake::sendmsg.fail(code, 2);
    sent = finish(socket, "hello, world");
    CHECK_ERROR(sent, code, sendmsg);
    CHECK(sent.size == 6);
    CHECK(fake::close.calls == std::vector<std::tuple<int>>{77});
    fake::recv.instead = [](int, void *out, std::size_t, int) {
      std::memcpy(out, "abc", 3);
      return ssize_t{3};
    };
    fake::recv.fail(code, 2);
    auto received = recv_exact(*SocketRef(77), buffer);
    CHECK_ERROR(received, code, recv);
    CHECK(received.size == 6);
    fake::recv.fail(code, 1);
    received = recv_until_eof(*SocketRef(77), buffer);
    CHECK_ERROR(received, code, recv);
    CHECK(received.size == 3);
    fake::recv.fail(code, 2);
    auto data = recv_until_eof(*SocketRef(77), 100);
    CHECK_ERROR(data, code, recv);
    CHECK(data.data.text() == "abcabc");
  }
  const Fresh fresh;
  char buffer[8] = {};
  fake::recv.instead = [n = 0](int, void *out, std::size_t, int) mutable {
    std::memcpy(out, "abc", 3);
    return ssize_t{n++ == 0 ? 3 : 0};
  };
  auto received = recv_exact(*SocketRef(77), buffer);
  CHECK_ERROR(received, ENODATA, recv_exact);
  CHECK(received.size == 3);
}

TEST_CASE("recv_until_eof: what does not fit stays in the socket") {
  const Fresh fresh;
  auto scene = pair();
  VALUE(scene.peer.send("hello"));
  char buffer[5];
  auto received = recv_until_eof(scene.socket, MutableBuffer(buffer, 4));
  CHECK_ERROR(received, EMSGSIZE, recv_until_eof);
  CHECK(received.size == 4);
  CHECK(std::get<3>(fake::recv.calls.back()) == (MSG_DONTWAIT | MSG_PEEK));
  auto none = recv_until_eof(scene.socket, std::size_t{0});
  CHECK_ERROR(none, EMSGSIZE, recv_until_eof);
  CHECK(none.data.empty());
  CHECK(fake::malloc.calls.empty());
  CHECK(fake::calloc.calls.empty());
  CHECK(VALUE(scene.socket.recv(buffer)).size == 1);
}

TEST_CASE("finish: a connection that was reset says so, one that was never made says that") {
  struct {
    int shutdown, so_error, recv, close; // what each answers
    const char *calls;
    Error error;
  } const cases[] = {
      {0, 0, 0, 0, "shutdown recv close", Error()},
      {ENOTCONN, ECONNRESET, 0, 0, "shutdown getsockopt close", Error(ECONNRESET, Operation::shutdown)},
      {ENOTCONN, 0, 0, 0, "shutdown getsockopt recv close", Error()}, // both had ended
      {ENOTCONN, 0, ENOTCONN, 0, "shutdown getsockopt recv close", Error(ENOTCONN, Operation::recv)},
      {ENOTCONN, -1, 0, 0, "shutdown getsockopt close", Error(ENOTCONN, Operation::shutdown)},
      {EINVAL, ECONNRESET, 0, 0, "shutdown close", Error(EINVAL, Operation::shutdown)},
      {0, 0, ECONNRESET, 0, "shutdown recv close", Error(ECONNRESET, Operation::recv)},
      {0, 0, 0, EIO, "shutdown recv close", Error(EIO, Operation::close)},
      // Of two the first.
      {ENOTCONN, ECONNRESET, 0, EIO, "shutdown getsockopt close", Error(ECONNRESET, Operation::shutdown)},
      {EINVAL, 0, 0, EIO, "shutdown close", Error(EINVAL, Operation::shutdown)},
      {0, 0, ETIMEDOUT, EIO, "shutdown recv close", Error(ETIMEDOUT, Operation::recv)},
  };
  for (const auto &each : cases) {
    const Fresh fresh;
    answer_all();
    fake::shutdown.plan({each.shutdown});
    fake::recv.plan({each.recv});
    fake::close.plan({each.close});
    answer([&](void *value, socklen_t) {
      std::memcpy(value, &each.so_error, sizeof each.so_error);
      return socklen_t{sizeof each.so_error};
    });
    if (each.so_error < 0)
      fake::getsockopt.fail(ENOTSOCK);
    Socket socket(77);
    CHECK(error_of(finish(socket)) == each.error);
    CHECK(last_error() == each.error);
    CHECK(socket.fd() == -1);
    CHECK(called_in_all() == each.calls);
    CHECK(fake::close.calls == std::vector<std::tuple<int>>{77});
    CHECK(std::get<1>(fake::shutdown.calls[0]) == SHUT_WR);
    if (!fake::getsockopt.calls.empty())
      CHECK(std::get<2>(fake::getsockopt.calls[0]) == SO_ERROR);
  }
}

TEST_CASE("close fails within a helper: it is called once, whatever it answers") {
  for (int code : of_close) {
    CAPTURE(code);
    const Fresh fresh;
    answer_all();
    fake::close.fail(code, 0, SIZE_MAX);
    const std::vector<std::tuple<int>> once{77};
    Socket socket(77);
    CHECK_ERROR(finish(socket), code, close);
    CHECK(fake::close.calls == once);
    CHECK(socket.fd() == -1);

    fake::close.calls.clear();
    socket = Socket(77);
    answer([](void *value, socklen_t) {
      const int protocol = IPPROTO_TCP;
      std::memcpy(value, &protocol, sizeof protocol);
      return socklen_t{sizeof protocol};
    });
    CHECK_ERROR(reset_and_close(socket), code, close);
    CHECK(fake::close.calls == once);
    CHECK(socket.fd() == -1);

    // Of what is given up nobody is told.
    fake::close.calls.clear();
    fake::connect.fail(ECONNREFUSED);
    CHECK_ERROR(connect_to(nobody), ECONNREFUSED, connect);
    CHECK(fake::close.calls == once);
    fake::close.calls.clear();
    fake::bind.fail(EADDRINUSE);
    CHECK_ERROR(listen_on(nobody), EADDRINUSE, bind);
    CHECK(fake::close.calls == once);

    fake::close.calls.clear();
    Listener listener;
    listener.socket = Socket(77);
    CHECK_ERROR(listener.close(), code, close);
    CHECK(fake::close.calls == once);
  }
}

TEST_CASE("reset_and_close: no time to linger, of TCP alone") {
  const Fresh fresh;
  int protocol = IPPROTO_TCP;
  answer([&](void *value, socklen_t) {
    std::memcpy(value, &protocol, sizeof protocol);
    return socklen_t{sizeof protocol};
  });
  linger set = {};
  fake::setsockopt.instead = [&](int, int level, int name, const void *value, socklen_t length) {
    CHECK(level == SOL_SOCKET);
    CHECK(name == SO_LINGER);
    REQUIRE(length == sizeof set);
    std::memcpy(&set, value, sizeof set);
    return 0;
  };
  fake::close.answer(0);
  for (int each : {static_cast<int>(IPPROTO_TCP), 262}) { // IPPROTO_MPTCP
    protocol = each;
    set = {};
    Socket socket(77);
    VALUE(reset_and_close(socket));
    CHECK(set.l_onoff == 1);
    CHECK(set.l_linger == 0);
    CHECK(socket.fd() == -1);
  }
  CHECK(called_in_all() == "getsockopt setsockopt close getsockopt setsockopt close");
  fake::journal().calls.clear();
  for (int each : {0, static_cast<int>(IPPROTO_UDP), static_cast<int>(IPPROTO_SCTP)}) {
    protocol = each;
    Socket socket(77);
    CHECK_ERROR(reset_and_close(socket), EOPNOTSUPP, reset_and_close);
    CHECK(socket.fd() == 77);
    (void)socket.release();
  }
  CHECK(called_in_all() == "getsockopt getsockopt getsockopt");
}

TEST_CASE("TCP_INFO of an older kernel: EOPNOTSUPP, rather than nothing") {
  constexpr socklen_t old = offsetof(baresock::tcp_info, tcpi_bytes_retrans);
  for (socklen_t length : {0u, 1u, 104u, old, old + 7, old + 8, static_cast<socklen_t>(sizeof(baresock::tcp_info))}) {
    CAPTURE(length);
    const Fresh fresh;
    answer([=](void *value, socklen_t) {
      baresock::tcp_info info = {};
      info.tcpi_state = 7;
      info.tcpi_bytes_sent = 0x1000000005;
      info.tcpi_bytes_retrans = 5;
      info.tcpi_bytes_received = 0x2000000000;
      std::memcpy(value, &info, length);
      return length;
    });
    auto bytes = tcp_bytes(*SocketRef(77));
    if (length < old + 8) {
      CHECK_ERROR(bytes, EOPNOTSUPP, tcp_bytes);
    } else {
      CHECK(VALUE(Result<TcpBytes>(bytes)).sent == 0x1000000000);
      CHECK(bytes->received == 0x2000000000);
    }
    if (length > 0)
      CHECK(VALUE(tcp_state(*SocketRef(77))) == 7);
  }
}

TEST_CASE("tcp_bytes: the end that the peer sent is no byte, nor what was sent again") {
  enum : std::uint8_t { established = 1, close_wait = 8, last_ack = 9, closing = 11 };
  struct {
    std::uint8_t state;
    std::uint64_t told, received;
  } const cases[] = {{established, 6, 6}, {close_wait, 6, 5}, {last_ack, 6, 5},
                     {closing, 6, 5},     {close_wait, 1, 0}, {close_wait, 0, 0}};
  for (const auto &each : cases) {
    CAPTURE(each.state);
    const Fresh fresh;
    answer([&](void *value, socklen_t) {
      baresock::tcp_info info = {};
      info.tcpi_state = each.state;
      info.tcpi_bytes_sent = 9;
      info.tcpi_bytes_retrans = 2;
      info.tcpi_bytes_received = each.told;
      std::memcpy(value, &info, sizeof info);
      return socklen_t{sizeof info};
    });
    const auto bytes = VALUE(tcp_bytes(*SocketRef(77)));
    CHECK(bytes.sent == 7);
    CHECK(bytes.received == each.received);
  }
}

TEST_CASE("set_keepalive, set_timeouts, set_traffic_class: what is refused sets nothing") {
  const Fresh fresh;
  const SocketRef reference(77);
  const Socket &socket = *reference;
  for (const KeepAlive &refused :
       {KeepAlive{.idle = Seconds(-1)}, KeepAlive{.idle = Seconds(32768)}, KeepAlive{.interval = Seconds(-1)},
        KeepAlive{.interval = Seconds(32768)}, KeepAlive{.count = -1}, KeepAlive{.count = 128},
        KeepAlive{.idle = Seconds(5), .interval = Seconds(5), .count = 1000}, KeepAlive{.idle = Seconds::max()}})
    CHECK_ERROR(set_keepalive(socket, refused), EINVAL, set_keepalive);
  CHECK_ERROR(set_timeouts(socket, Seconds(-1), Seconds(1)), EINVAL, set_timeouts);
  CHECK_ERROR(set_timeouts(socket, Seconds(1), Microseconds(-1)), EINVAL, set_timeouts);
  CHECK_ERROR(set_timeouts(socket, Seconds(1), Microseconds::max()), EINVAL, set_timeouts);
  for (int refused : {-1, 256, INT_MAX, INT_MIN})
    CHECK_ERROR(set_traffic_class(socket, refused), ERANGE, set_traffic_class);
  CHECK(fake::journal().calls.empty());
  answer(answer_zeros(4)); // AF_UNSPEC
  CHECK_ERROR(set_traffic_class(socket, 0), EAFNOSUPPORT, set_traffic_class);
  CHECK_ERROR(traffic_class(socket), EAFNOSUPPORT, traffic_class);
  CHECK(called_in_all() == "getsockopt getsockopt");
}

namespace {

/// What setsockopt was given: level, name, value; -1 if it is no int.
struct Set {
  int level, name, value;
  friend bool operator==(const Set &, const Set &) = default;
};

/// setsockopt: takes everything, and tells `sets`.
void record_options(std::vector<Set> &sets) {
  fake::setsockopt.instead = [&](int, int level, int name, const void *value, socklen_t length) {
    int number = -1;
    if (length == sizeof number)
      std::memcpy(&number, value, sizeof number);
    sets.push_back({level, name, number});
    return 0;
  };
}

} // namespace

TEST_CASE("set_keepalive and set_traffic_class: what is set, and in which order") {
  const Fresh fresh;
  const SocketRef reference(77);
  const Socket &socket = *reference;
  std::vector<Set> sets;
  record_options(sets);
  VALUE(set_keepalive(socket, {.idle = Seconds(32767), .interval = Seconds(6), .count = 127}));
  CHECK((sets == std::vector<Set>{{IPPROTO_TCP, tcp::keepidle.number, 32767},
                                  {IPPROTO_TCP, tcp::keepintvl.number, 6},
                                  {IPPROTO_TCP, tcp::keepcnt.number, 127},
                                  {SOL_SOCKET, SO_KEEPALIVE, 1}}));
  sets.clear();
  VALUE(set_keepalive(socket, {.on = false}));
  CHECK((sets == std::vector<Set>{{SOL_SOCKET, SO_KEEPALIVE, 0}}));
  sets.clear();
  answer_inet6(SOCK_STREAM);
  VALUE(set_traffic_class(socket, 0xb8));
  CHECK((sets == std::vector<Set>{{IPPROTO_IPV6, IPV6_TCLASS, 0xb8}, {IPPROTO_IP, IP_TOS, 0xb8}}));
}

// --- connecting -------------------------------------------------------------------------------------------

namespace {

/// Descriptors from 100 on, in the order in which they are made; which of them were closed is in fake::close.calls.
void answer_numbers() {
  answer_all();
  fake::socket.instead = [next = 100](int, int type, int) mutable {
    CHECK((type & SOCK_CLOEXEC) != 0);
    CHECK((type & SOCK_NONBLOCK) != 0);
    return next++;
  };
}

std::vector<int> closed() {
  std::vector<int> fds;
  for (const auto &[fd] : fake::close.calls)
    fds.push_back(fd);
  return fds;
}

using Numbers = std::vector<int>;

/// ppoll, of the race between the first `count`: until so many are waited for, the time passes.
Waits::Answer once_there_are(std::size_t count, short revents = POLLOUT) {
  return [=](const Wait &wait, pollfd *items, nfds_t) {
    const auto racing = [](const pollfd &item) { return item.fd >= 100; };
    const auto waiting = static_cast<std::size_t>(std::ranges::count_if(wait.items, racing));
    if (waiting < count)
      return nothing_happens(wait);
    for (std::size_t i = 0; i < wait.items.size(); ++i)
      if (racing(items[i]))
        items[i].revents = revents;
    return static_cast<int>(waiting);
  };
}

/// SO_ERROR by descriptor; zero of those that are not named.
void answer_so_error(const std::vector<std::pair<int, int>> &errors) {
  fake::getsockopt.instead = [=](int fd, int level, int name, void *value, socklen_t *length) {
    CHECK(level == SOL_SOCKET);
    CHECK(name == SO_ERROR);
    int error = 0;
    for (const auto &[number, code] : errors)
      if (number == fd)
        error = code;
    std::memcpy(value, &error, sizeof error);
    *length = sizeof error;
    return 0;
  };
}

ConnectResult race(unsigned count, const ConnectOptions &options = {}) {
  answer_addresses(some_addresses(count));
  return connect_to("a.example", "9", options);
}

/// What became of each attempt.
std::vector<Error> errors_of(const ConnectResult &result) {
  std::vector<Error> errors;
  for (const ConnectAttempt &attempt : result.attempts)
    errors.push_back(attempt.error);
  return errors;
}

using ErrorList = std::vector<Error>;
const Error lost(ECANCELED, Operation::connect_to);

} // namespace

TEST_CASE("connect_to: of two that stand at the same time the earlier wins, the other is closed") {
  const Fresh fresh;
  answer_numbers();
  fake::connect.fail(EINPROGRESS, 0, SIZE_MAX);
  Waits waits(once_there_are(2));
  {
    auto result = race(3);
    CHECK(result.has_value());
    CHECK(result->fd() == 100);
    CHECK((errors_of(result) == ErrorList{Error(), lost}));
    CHECK(closed() == Numbers{101});
    CHECK(result.attempts[0].started < result.attempts[1].started);
    CHECK(result.attempts[0].ended >= result.attempts[1].started);
    CHECK(result.attempts[1].ended >= result.attempts[0].ended);
  }
  CHECK((closed() == Numbers{101, 100}));
  CHECK(last_error() == Error());
}

TEST_CASE("connect_to: of two that are ready, one failed: the other wins, at once") {
  for (bool first : {true, false}) {
    CAPTURE(first);
    const Fresh fresh;
    answer_numbers();
    fake::connect.fail(EINPROGRESS, 0, SIZE_MAX);
    answer_so_error({{first ? 100 : 101, ECONNREFUSED}});
    Waits waits(once_there_are(2));
    auto result = race(2);
    CHECK(result.has_value());
    CHECK(result->fd() == (first ? 101 : 100));
    const Error refused(ECONNREFUSED, Operation::connect);
    CHECK((errors_of(result) == (first ? ErrorList{refused, Error()} : ErrorList{Error(), lost})));
    CHECK(closed() == Numbers{first ? 100 : 101});
    CHECK(last_error() == Error());
  }
}

TEST_CASE("SO_ERROR after POLLOUT: the connection's error, of connect") {
  for (int code : {ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ECONNRESET, EPROTO, EACCES, EPIPE, EINTR,
                   EINPROGRESS, EAGAIN})
    for (short revents : std::initializer_list<short>{POLLOUT, POLLERR, POLLOUT | POLLERR | POLLHUP}) {
      CAPTURE(code);
      const Fresh fresh;
      answer_numbers();
      fake::connect.fail(EINPROGRESS, 0, SIZE_MAX);
      answer_so_error({{100, code}, {77, code}});
      Waits waits(once_there_are(1, revents));
      auto result = connect_to(nobody);
      CHECK_ERROR(result, code, connect);
      CHECK((errors_of(result) == ErrorList{Error(code, Operation::connect)}));
      CHECK(closed() == Numbers{100});
      CHECK(called_in_all() == "socket connect ppoll getsockopt close");

      fake::journal().calls.clear();
      Waits own([&](const Wait &, pollfd *items, nfds_t) {
        items[0].revents = revents;
        return 1;
      });
      CHECK_ERROR(connect_until(*SocketRef(77), nobody), code, connect);
      CHECK(called_in_all() == "fcntl fcntl fcntl connect ppoll getsockopt fcntl fcntl");
    }
}

TEST_CASE("connect_to: an attempt that fails starts the next without a wait") {
  const Fresh fresh;
  answer_numbers();
  fake::connect.plan({ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, 0});
  auto result = race(4);
  CHECK(result.has_value());
  CHECK(result->fd() == 103);
  CHECK(called_in_all() ==
        "getaddrinfo socket connect close socket connect close socket connect close socket connect fcntl fcntl");
  CHECK(
      (errors_of(result) == ErrorList{Error(ECONNREFUSED, Operation::connect), Error(ENETUNREACH, Operation::connect),
                                      Error(EHOSTUNREACH, Operation::connect), Error()}));
}

TEST_CASE("connect_to: an address that refuses while another is waited for starts the third at once") {
  const Fresh fresh;
  answer_numbers();
  fake::connect.plan({EINPROGRESS, EINPROGRESS, 0});
  answer_so_error({{101, ECONNREFUSED}});
  Waits waits([](const Wait &wait, pollfd *items, nfds_t count) {
    for (nfds_t i = 0; i < count; ++i)
      if (items[i].fd == 101) {
        items[i].revents = POLLERR;
        return 1;
      }
    return nothing_happens(wait);
  });
  auto result = race(3);
  CHECK(result.has_value());
  CHECK(result->fd() == 102);
  CHECK((errors_of(result) == ErrorList{lost, Error(ECONNREFUSED, Operation::connect), Error()}));
  CHECK((closed() == Numbers{101, 100}));
  CHECK(called_in_all() == "getaddrinfo socket connect ppoll socket connect ppoll getsockopt close socket connect "
                           "fcntl fcntl close");
}

TEST_CASE("connect_to: all fail, each with its own error, and the last one is returned") {
  const Fresh fresh;
  answer_numbers();
  fake::connect.plan({EACCES, EINPROGRESS, ENETUNREACH});
  answer_so_error({{101, ETIMEDOUT}});
  Waits waits(once_there_are(1));
  auto result = race(3);
  CHECK_ERROR(result, ENETUNREACH, connect);
  CHECK((errors_of(result) == ErrorList{Error(EACCES, Operation::connect), Error(ETIMEDOUT, Operation::connect),
                                        Error(ENETUNREACH, Operation::connect)}));
  CHECK((closed() == Numbers{100, 101, 102}));
}

TEST_CASE("connect_to: no socket for one address, but for the next") {
  const Fresh fresh;
  answer_numbers();
  fake::socket.fail(EAFNOSUPPORT);
  auto result = race(2);
  CHECK(result.has_value());
  CHECK((errors_of(result) == ErrorList{Error(EAFNOSUPPORT, Operation::socket), Error()}));
  CHECK(closed().empty());
}

TEST_CASE("connect_to: the winner that cannot be made blocking again is no winner") {
  for (std::size_t failing : {0u, 1u}) {
    const Fresh fresh;
    answer_numbers();
    fake::connect.fail(EINPROGRESS, 0, SIZE_MAX);
    fake::fcntl.fail(EPERM, failing);
    Waits waits(once_there_are(2));
    auto result = race(2);
    CHECK(result.has_value());
    CHECK(result->fd() == 101);
    CHECK((errors_of(result) == ErrorList{Error(EPERM, Operation::fcntl), Error()}));
    CHECK(closed() == Numbers{100});
  }
}

TEST_CASE("connect_to: how long it waits for the next, and for all") {
  for (long long delay : {0LL, 1LL, 10LL, 40LL, 250LL}) {
    CAPTURE(delay);
    const Fresh fresh;
    answer_numbers();
    fake::connect.fail(EINPROGRESS, 0, SIZE_MAX);
    const long long expected = std::max(delay, 10LL) * 1'000'000;
    Waits waits([&](const Wait &wait, pollfd *items, nfds_t count) {
      return count == 4 ? all_ready(items, count) : nothing_happens(wait);
    });
    auto result = race(3, {.attempt_delay = Milliseconds(delay)});
    CHECK(result.has_value());
    REQUIRE(result.attempts.size() == 3);
    for (const Wait &wait : waits.all)
      CHECK((wait.forever || (wait.time > 0 && wait.time <= expected)));
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(result.attempts[i + 1].started.count() - result.attempts[i].started.count() >= expected);
    const Wait &last = waits.all.back();
    CHECK(last.forever); // nothing more to start, no deadline
    REQUIRE(last.items.size() == 4);
    CHECK(last.items[0].fd == -1);
    for (int i = 0; i < 3; ++i) {
      CHECK(last.items[static_cast<std::size_t>(i) + 1].fd == 100 + i);
      CHECK(last.items[static_cast<std::size_t>(i) + 1].events == POLLOUT);
    }
  }
  const Fresh fresh;
  CHECK_ERROR(connect_to(nobody, {.attempt_delay = Milliseconds(-1)}), EINVAL, connect_to);
  CHECK(fake::journal().calls.empty());
}

TEST_CASE("connect_to: the deadline ends every attempt, and the race") {
  const Fresh fresh;
  answer_numbers();
  fake::connect.fail(EINPROGRESS, 0, SIZE_MAX);
  Waits waits([](const Wait &wait, pollfd *, nfds_t) { return nothing_happens(wait); });
  const auto begin = std::chrono::steady_clock::now();
  auto result = race(3, {.deadline = 250ms, .attempt_delay = Milliseconds(10)});
  CHECK(std::chrono::steady_clock::now() - begin >= 250ms);
  CHECK_ERROR(result, ETIMEDOUT, connect_to);
  CHECK(errors_of(result) == ErrorList(3, Error(ETIMEDOUT, Operation::connect_to)));
  CHECK((closed() == Numbers{100, 101, 102}));
  // A deadline before the next is to start.
  fake::close.calls.clear();
  waits.all.clear();
  fake::socket.instead = [](int, int, int) { return 100; };
  auto early = race(3, {.deadline = 200ms, .attempt_delay = Milliseconds(20'000)});
  CHECK_ERROR(early, ETIMEDOUT, connect_to);
  CHECK(errors_of(early) == ErrorList(1, Error(ETIMEDOUT, Operation::connect_to)));
  for (const Wait &wait : waits.all)
    CHECK(wait.time <= 200'000'000);
  CHECK(closed() == Numbers{100});
}

TEST_CASE("connect_to: after the deadline no attempt is started, and what all failed with is told") {
  const Fresh fresh;
  answer_numbers();
  fake::connect.instead = [](int, const sockaddr *, socklen_t) {
    pass(30ms);
    errno = ECONNREFUSED;
    return -1;
  };
  Waits waits([](const Wait &wait, pollfd *, nfds_t) { return nothing_happens(wait); });
  const Error refused(ECONNREFUSED, Operation::connect);
  auto two = race(2, {.deadline = 20ms});
  CHECK_ERROR(two, ETIMEDOUT, connect_to);
  CHECK((errors_of(two) == ErrorList{refused}));
  auto one = race(1, {.deadline = 20ms});
  CHECK_ERROR(one, ECONNREFUSED, connect);
  CHECK((errors_of(one) == ErrorList{refused}));

  fake::connect.instead = nullptr;
  fake::connect.fail(EINPROGRESS);
  answer_so_error({{102, ECONNREFUSED}});
  Waits late([](const Wait &wait, pollfd *items, nfds_t count) {
    (void)nothing_happens(wait);
    return all_ready(items, count);
  });
  CHECK_ERROR(race(1, {.deadline = 20ms}), ECONNREFUSED, connect);
  CHECK((closed() == Numbers{100, 101, 102}));
}

TEST_CASE("connect_to: a delay that no clock reaches: the next is tried when one has failed") {
  const Fresh fresh;
  answer_numbers();
  fake::connect.plan({EINPROGRESS, 0});
  answer_so_error({{100, ECONNREFUSED}});
  Waits waits([](const Wait &, pollfd *items, nfds_t count) { return all_ready(items, count); });
  auto result = race(2, {.attempt_delay = Milliseconds::max()});
  CHECK(result.has_value());
  CHECK((errors_of(result) == ErrorList{Error(ECONNREFUSED, Operation::connect), Error()}));
  REQUIRE(waits.all.size() == 1);
  CHECK(waits.all[0].forever);
}

TEST_CASE("connect: interrupted, or already being made: waited for, and not called again (defect 24, trap 14)") {
  for (int code : {EINTR, EINPROGRESS, EALREADY}) {
    CAPTURE(code);
    const Fresh fresh;
    answer_numbers();
    fake::connect.plan({code, EISCONN, EALREADY}); // what a second call would say
    Waits waits(once_there_are(1));
    CHECK(connect_to(nobody).has_value());
    CHECK(fake::connect.calls.size() == 1);
    CHECK(waits.all.size() == 1);
    fake::connect.plan({code, EISCONN, EALREADY});
    Waits own([](const Wait &, pollfd *items, nfds_t count) { return all_ready(items, count); });
    VALUE(connect_until(*SocketRef(77), nobody));
    CHECK(fake::connect.calls.size() == 2);
    CHECK(own.all.size() == 1);
    CHECK(last_error() == Error());
  }
}

TEST_CASE("connect_until: called again after the deadline, it waits for the same attempt") {
  const Fresh fresh;
  answer_all();
  bool late = false;
  Waits waits([&](const Wait &wait, pollfd *items, nfds_t count) {
    if (late)
      return all_ready(items, count);
    return nothing_happens(wait);
  });
  fake::connect.plan({EINPROGRESS, EALREADY});
  CHECK_ERROR(connect_until(*SocketRef(77), nobody, 3ms), ETIMEDOUT, connect_until);
  late = true;
  VALUE(connect_until(*SocketRef(77), nobody, 20s));
  CHECK(fake::connect.calls.size() == 2);
  CHECK(fake::close.calls.empty()); // it is the caller's
}

TEST_CASE("connect_until: O_NONBLOCK is left as it was found (trap 17)") {
  using Calls = std::vector<std::tuple<int, int, int>>;
  struct {
    int connect, ppoll, so_error;
    bool cancelled;
  } const cases[] = {{0, 0, 0, false},           {ECONNREFUSED, 0, 0, false},      {EINPROGRESS, 1, 0, false},
                     {EINPROGRESS, 0, 0, false}, {EINPROGRESS, -ENOMEM, 0, false}, {EINPROGRESS, 1, ETIMEDOUT, false},
                     {EINPROGRESS, 1, 0, true}};
  for (int flags : {O_RDWR, O_RDWR | O_NONBLOCK})
    for (const auto &each : cases) {
      const Fresh fresh;
      answer_all();
      int now = flags;
      fake::fcntl.instead = [&](int, int command, int argument) {
        if (command == F_SETFL)
          now = argument;
        return command == F_GETFL ? now : 0;
      };
      fake::connect.plan({each.connect});
      answer_so_error({{77, each.so_error}});
      Waits waits([&](const Wait &wait, pollfd *items, nfds_t) {
        if (items[0].fd == 99)
          return 0; // a look, before anything
        CHECK(now == (O_RDWR | O_NONBLOCK));
        if (each.ppoll == 0)
          return nothing_happens(wait);
        items[0].revents = each.ppoll == 1 ? POLLOUT : 0;
        items[1].revents = each.cancelled ? POLLIN : 0;
        return each.ppoll;
      });
      (void)connect_until(*SocketRef(77), nobody, Deadline(3ms).cancelled_by(each.cancelled ? 99 : -1));
      CHECK(now == flags);
      const Calls blocking = {{77, F_GETFL, 0},
                              {77, F_GETFL, 0},
                              {77, F_SETFL, O_RDWR | O_NONBLOCK},
                              {77, F_GETFL, 0},
                              {77, F_SETFL, O_RDWR}};
      CHECK(fake::fcntl.calls == (flags == O_RDWR ? blocking : Calls{{77, F_GETFL, 0}}));
    }
}

TEST_CASE("connect_until: of two errors the connection's") {
  for (std::size_t failing : {3u, 4u}) {
    const Fresh fresh;
    answer_all();
    fake::connect.fail(ECONNREFUSED);
    fake::fcntl.fail(EPERM, failing);
    CHECK_ERROR(connect_until(*SocketRef(77), nobody), ECONNREFUSED, connect);
    CHECK(fake::fcntl.calls.size() == failing + 1);
  }
}

TEST_CASE("a full backlog of AF_UNIX: connect is called again, in pauses, and poll is not believed (trap 16)") {
  const SocketAddress path = VALUE(UnixAddress::path("/run/x.sock"));
  for (int code : {EAGAIN, EINTR})
    for (bool own : {true, false}) {
      CAPTURE(code);
      CAPTURE(own);
      const Fresh fresh;
      answer_numbers();
      using Clock = std::chrono::steady_clock;
      std::vector<Clock::time_point> calls;
      fake::connect.instead = [&](int, const sockaddr *, socklen_t) {
        calls.push_back(Clock::now());
        errno = code;
        return calls.size() < 8 ? -1 : 0;
      };
      constexpr long long pauses[] = {1, 2, 4, 8, 16, 16, 16};
      Waits waits([&](const Wait &wait, pollfd *items, nfds_t count) {
        for (nfds_t i = 0; i < count; ++i)
          CHECK(items[i].fd == -1); // nothing to wait for but time
        CHECK(wait.time <= pauses[calls.size() - 1] * 1'000'000);
        return nothing_happens(wait);
      });
      if (own)
        VALUE(connect_until(*SocketRef(77), path, 20s));
      else
        CHECK(connect_to(path, {.deadline = 20s}).has_value());
      REQUIRE(calls.size() == 8);
      for (std::size_t i = 0; i < 7; ++i)
        CHECK(calls[i + 1] - calls[i] >= std::chrono::milliseconds(pauses[i]));
      CHECK(fake::getsockopt.calls.empty()); // SO_ERROR says nothing of that
      CHECK(last_error() == Error());
    }
}

TEST_CASE("a full backlog of AF_UNIX until the deadline") {
  const SocketAddress path = VALUE(UnixAddress::path("/run/x.sock"));
  for (bool own : {true, false}) {
    CAPTURE(own);
    const Fresh fresh;
    answer_numbers();
    fake::connect.fail(EAGAIN, 0, SIZE_MAX);
    long long total = 0;
    Waits waits([&](const Wait &wait, pollfd *, nfds_t) {
      total += wait.time;
      return nothing_happens(wait);
    });
    if (own) {
      CHECK_ERROR(connect_until(*SocketRef(77), path, 20ms), ETIMEDOUT, connect_until);
      CHECK(closed().empty());
    } else {
      CHECK_ERROR(connect_to(path, {.deadline = 20ms}), ETIMEDOUT, connect_to);
      CHECK(closed() == Numbers{100});
    }
    CHECK(total <= 20'000'000);
    CHECK(fake::connect.calls.size() <= 6); // 1 + 2 + 4 + 8 + 5
  }
}

TEST_CASE("EAGAIN of another family is the end: no port is left") {
  const Fresh fresh;
  answer_numbers();
  fake::connect.fail(EAGAIN);
  CHECK_ERROR(connect_to(nobody), EAGAIN, connect);
  fake::connect.fail(EAGAIN);
  CHECK_ERROR(connect_until(*SocketRef(77), nobody), EAGAIN, connect);
  CHECK(fake::ppoll.calls.empty());
}

TEST_CASE("connect_to: families alternate, the first one first; each address once; none of another family") {
  const auto inet6 = [](unsigned char last) {
    in6_addr address = in6addr_loopback;
    address.s6_addr[15] = last;
    return SocketAddress(Inet6Address{address, 9});
  };
  const auto inet4 = [](unsigned last) { return SocketAddress(Inet4Address{last, 9}); };
  using List = std::vector<SocketAddress>;
  struct {
    List found;
    int family;
    List tried;
  } const cases[] = {
      {{inet6(1), inet6(2), inet6(3), inet4(1), inet4(2)},
       AF_UNSPEC,
       {inet6(1), inet4(1), inet6(2), inet4(2), inet6(3)}},
      {{inet4(1), inet4(2), inet6(1), inet6(2), inet6(3), inet6(4)},
       AF_UNSPEC,
       {inet4(1), inet6(1), inet4(2), inet6(2), inet6(3), inet6(4)}},
      {{inet4(1), inet4(1), inet6(1), inet4(1), inet6(1)}, AF_UNSPEC, {inet4(1), inet6(1)}},
      {{inet6(1), inet4(1), inet4(2)}, AF_INET, {inet4(1), inet4(2)}},
      {{inet6(1), inet4(1), inet4(2)}, AF_INET6, {inet6(1)}},
  };
  for (const auto &each : cases) {
    const Fresh fresh;
    answer_numbers();
    fake::connect.fail(ECONNREFUSED, 0, SIZE_MAX);
    answer_addresses(each.found);
    auto result = connect_to("a.example", "9", {.family = each.family});
    CHECK_ERROR(result, ECONNREFUSED, connect);
    List tried;
    for (const ConnectAttempt &attempt : result.attempts)
      tried.push_back(attempt.address);
    CHECK((tried == each.tried));
    for (std::size_t i = 0; i < tried.size(); ++i)
      CHECK(std::get<0>(fake::socket.calls[i]) == tried[i].family());
  }
  const Fresh fresh;
  answer_numbers();
  answer_addresses({inet6(1)});
  CHECK_ERROR(connect_to("a.example", "9", {.family = AF_INET}), EAFNOSUPPORT, connect_to);
  CHECK_ERROR(connect_to("a.example", "9", {.local = Inet4Address{}}), EAFNOSUPPORT, connect_to);
  CHECK_ERROR(connect_to("a.example", "9", {.family = AF_INET6, .local = Inet4Address{}}), EAFNOSUPPORT, connect_to);
  CHECK(fake::socket.calls.empty());
}

TEST_CASE("connect_to: what is not connected to makes no socket; what the caller refuses is closed") {
  const Fresh fresh;
  answer_numbers();
  const SocketAddress blocked = some_addresses(1)[0];
  auto is_blocked = [&](const SocketAddress &address) { return address == blocked; };
  int asked = 0;
  auto refuses = [&](const Socket &socket, const SocketAddress &) -> Result<void> {
    CHECK(socket.fd() == 100 + asked);
    return ++asked == 1 ? Result<void>(std::unexpected(Error(EDOM, Operation::setsockopt))) : Result<void>();
  };
  auto result = race(3, {.blocked = is_blocked, .before_connect = refuses});
  CHECK(result.has_value());
  CHECK((errors_of(result) ==
         ErrorList{Error(EPERM, Operation::connect_to), Error(EDOM, Operation::setsockopt), Error()}));
  CHECK(called_in_all() == "getaddrinfo socket close socket connect fcntl fcntl");
}

TEST_CASE("connect_to: what is set on the socket, in which order, and nothing unasked") {
  const int reuse = SO_REUSEADDR, no_port = ip::bind_address_no_port.number;
  struct {
    ConnectOptions options;
    std::vector<Set> sets;
  } const cases[] = {
      {{}, {}},
      {{.local = Inet4Address{INADDR_LOOPBACK, 0}}, {{IPPROTO_IP, no_port, 1}}},
      {{.local = Inet4Address{INADDR_LOOPBACK, 4711}}, {{SOL_SOCKET, reuse, 1}}},
      {{.local_port = 4711}, {{SOL_SOCKET, reuse, 1}}},
      {{.no_delay = true}, {{IPPROTO_TCP, tcp::nodelay.number, 1}}},
      {{.local_port = 4711, .interface = "eth-one", .keep_alive = {.interval = Seconds(3)}, .no_delay = true},
       {{SOL_SOCKET, SO_BINDTODEVICE, -1}, // a text
        {IPPROTO_TCP, tcp::keepintvl.number, 3},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, tcp::nodelay.number, 1},
        {SOL_SOCKET, reuse, 1}}},
  };
  for (const auto &each : cases) {
    const Fresh fresh;
    answer_numbers();
    std::vector<Set> sets;
    record_options(sets);
    fake::bind.instead = [&](int fd, const sockaddr *address, socklen_t length) {
      CHECK(fd == 100);
      const auto local = VALUE(SocketAddress::from_bytes({address, length}));
      CHECK(local.port() == (each.options.local_port != 0 ? 4711 : each.options.local.port()));
      CHECK(fake::connect.calls.empty());
      return 0;
    };
    CHECK(connect_to(nobody, each.options).has_value());
    CHECK(sets == each.sets);
    const bool binds = each.options.local_port != 0 || each.options.local.family() != AF_UNSPEC;
    CHECK(fake::bind.calls.size() == binds);
    CHECK(std::get<1>(fake::socket.calls[0]) == (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC));
  }
}

TEST_CASE("connect_to: a kernel that does not know IP_BIND_ADDRESS_NO_PORT binds without it") {
  const Fresh fresh;
  answer_numbers();
  fake::setsockopt.fail(ENOPROTOOPT);
  CHECK(connect_to(nobody, {.local = Inet4Address{INADDR_LOOPBACK, 0}}).has_value());
  CHECK(called_in_all() == "socket setsockopt bind connect fcntl fcntl close");
  CHECK(last_error() == Error());
}

TEST_CASE("connect_to: what only TCP knows is not set on a socket of AF_UNIX") {
  const Fresh fresh;
  answer_numbers();
  const SocketAddress path = VALUE(UnixAddress::path("/run/x.sock"));
  CHECK(connect_to(path, {.local_port = 4711, .keep_alive = {}, .no_delay = true}).has_value());
  CHECK(called_in_all() == "socket connect fcntl fcntl close");
}

TEST_CASE("connect_to: a resolver of the caller's own is asked in place of the system's") {
  const Fresh fresh;
  answer_numbers();
  Error refused;
  auto resolver = [&](Host host, Service service, const AddressHints &hints) -> Result<List<SocketAddress>> {
    CHECK(host.text() == "b.example");
    CHECK(service.port() == 9);
    CHECK(hints.family == AF_INET6);
    CHECK(hints.type == SOCK_STREAM);
    CHECK(hints.flags == AI_ADDRCONFIG);
    if (refused)
      return std::unexpected(refused);
    return List<SocketAddress>();
  };
  const ConnectOptions options = {
      .family = AF_INET6, .type = SOCK_STREAM | SOCK_NONBLOCK, .flags = AI_ADDRCONFIG, .resolver = resolver};
  CHECK_ERROR(connect_to("b.example", 9, options), EAFNOSUPPORT, connect_to);
  refused = Error(ESRCH, Operation::recv);
  CHECK_ERROR(connect_to("b.example", 9, options), ESRCH, recv);
  CHECK(called_in_all().empty());
}

// --- listening --------------------------------------------------------------------------------------------

TEST_CASE("listen_on(port): IPv4 where there is no IPv6, and for no other reason") {
  struct {
    fake::Any *call;
    int code;
    bool falls_back;
  } const cases[] = {{&fake::socket, EAFNOSUPPORT, true},  {&fake::bind, EADDRNOTAVAIL, true},
                     {&fake::bind, EAFNOSUPPORT, true},    {&fake::bind, EADDRINUSE, false},
                     {&fake::bind, EACCES, false},         {&fake::socket, EMFILE, false},
                     {&fake::setsockopt, EPERM, false},    {&fake::listen, EADDRINUSE, false},
                     {&fake::getsockname, ENOBUFS, false}, {&fake::socket, EPERM, false}};
  const std::function<ListenResult()> forms[] = {[] { return listen_on(4711); },
                                                 [] { return listen_on(nullptr, 4711); },
                                                 [] { return listen_on(nullptr, "4711"); }};
  for (const auto &form : forms)
    for (const auto &[call, code, falls_back] : cases) {
      CAPTURE(std::string(call->name()));
      CAPTURE(code);
      const NoLeak no_leak;
      const Fresh fresh;
      answer_inet6_listener();
      std::vector<SocketAddress> bound;
      fake::bind.instead = [&](int, const sockaddr *address, socklen_t length) {
        bound.push_back(VALUE(SocketAddress::from_bytes({address, length})));
        return 0;
      };
      call->fail(code);
      auto result = form();
      const Error error(code, code == EADDRNOTAVAIL ? Operation::bind : result.attempts[0].error.operation());
      REQUIRE(result.attempts.size() == 1);
      CHECK((result.attempts[0].address == SocketAddress(Inet6Address{in6addr_any, 4711})));
      CHECK(result.attempts[0].error == error);
      CHECK(std::string(operation_name(error.operation())) == call->name());
      CHECK(error.is(code));
      CHECK(result.has_value() == falls_back);
      if (falls_back) {
        CHECK(last_error() == Error());
        CHECK((bound.back() == SocketAddress(Inet4Address{INADDR_ANY, 4711})));
        CHECK(std::get<0>(fake::socket.calls.back()) == AF_INET);
      } else {
        CHECK(result.error() == error);
        CHECK(last_error() == error);
        CHECK(fake::socket.calls.size() == 1);
      }
    }
}

TEST_CASE("listen_on(port): both families fail, and both are told of; a port that is none makes no call") {
  const Fresh fresh;
  answer_all();
  fake::socket.plan({EAFNOSUPPORT, EMFILE});
  auto result = listen_on(4711);
  CHECK_ERROR(result, EMFILE, socket);
  REQUIRE(result.attempts.size() == 2);
  CHECK(result.attempts[0].error == Error(EAFNOSUPPORT, Operation::socket));
  CHECK(result.attempts[1].error == Error(EMFILE, Operation::socket));
  CHECK((result.attempts[1].address == SocketAddress(Inet4Address{INADDR_ANY, 4711})));

  fake::journal().calls.clear();
  for (int port : {-1, 65536, INT_MAX, INT_MIN})
    CHECK_ERROR(listen_on(port), ERANGE, listen_on);
  CHECK(fake::journal().calls.empty());

  fake::socket.calls.clear();
  fake::socket.plan({EMFILE});
  CHECK_ERROR(listen_on(4711, {.family = AF_INET}), EMFILE, socket);
  CHECK(fake::socket.calls.size() == 1);
  CHECK(std::get<0>(fake::socket.calls[0]) == AF_INET);
  CHECK_ERROR(listen_on(4711, {.family = AF_UNIX}), EAFNOSUPPORT, listen_on);
  CHECK(fake::socket.calls.size() == 1);
  fake::socket.fail(EAFNOSUPPORT, 0, SIZE_MAX);
  CHECK_ERROR(listen_on(4711, {.ipv6_only = true}), EAFNOSUPPORT, socket); // which IPv4 is not
  CHECK(fake::socket.calls.size() == 2);
  CHECK_ERROR(listen_on(4711, {.family = AF_INET, .ipv6_only = true}), EAFNOSUPPORT, socket);
  CHECK(fake::socket.calls.size() == 3);
}

TEST_CASE("listen_on: every address of a host is tried, and each error told of") {
  const NoLeak no_leak;
  const Fresh fresh;
  answer_addresses(some_addresses(4, 0));
  fake::bind.plan({EADDRINUSE, EADDRNOTAVAIL, EACCES, 0});
  auto result = listen_on("a.example", 0);
  CHECK(result.has_value());
  REQUIRE(result.attempts.size() == 3);
  const int codes[] = {EADDRINUSE, EADDRNOTAVAIL, EACCES};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(result.attempts[i].error == Error(codes[i], Operation::bind));
    CHECK(result.attempts[i].address == some_addresses(4, 0)[i]);
  }
  CHECK(last_error() == Error());
  CHECK(result->address.get<Inet4Address>()->address == INADDR_LOOPBACK + 3);
  CHECK(fake::close.calls.size() == 3);

  fake::bind.fail(EADDRINUSE, 0, SIZE_MAX);
  auto failing = listen_on("a.example", 0);
  CHECK_ERROR(failing, EADDRINUSE, bind);
  CHECK(failing.attempts.size() == 4);
}

TEST_CASE("listen_on: what is set on the socket, in which order, and nothing unasked") {
  const Set reuse{SOL_SOCKET, SO_REUSEADDR, 1};
  const auto only = [](int value) { return Set{IPPROTO_IPV6, IPV6_V6ONLY, value}; };
  const SocketAddress inet4 = Inet4Address{INADDR_LOOPBACK, 0}, inet6 = Inet6Address{in6addr_loopback, 0},
                      local = UnixAddress::autobind();
  struct {
    SocketAddress address;
    ListenOptions options;
    std::vector<Set> sets;
  } const cases[] = {
      {inet4, {}, {reuse}},
      {inet6, {}, {reuse, only(0)}},
      {inet6, {.ipv6_only = true}, {reuse, only(1)}},
      {local, {}, {}},
      {inet4, {.reuse_address = false}, {}},
      {inet6, {.reuse_address = false}, {only(0)}},
      {inet4, {.reuse_address = false, .reuse_port = true}, {{SOL_SOCKET, SO_REUSEPORT, 1}}},
      {inet6,
       {.reuse_port = true, .interface = "eth-one", .fast_open = 5, .defer_accept = Seconds(6)},
       {reuse,
        {SOL_SOCKET, SO_REUSEPORT, 1},
        only(0),
        {SOL_SOCKET, SO_BINDTODEVICE, -1},
        {IPPROTO_TCP, tcp::fastopen.number, 5},
        {IPPROTO_TCP, tcp::defer_accept.number, 6}}},
  };
  for (const auto &[address, options, expected] : cases) {
    const Fresh fresh;
    answer_inet6_listener();
    std::vector<Set> sets;
    record_options(sets);
    bool asked = false;
    auto before_bind = [&](const Socket &, const SocketAddress &given) -> Result<void> {
      CHECK(given == address);
      CHECK(fake::bind.calls.empty());
      asked = true;
      return {};
    };
    ListenOptions with = options;
    with.backlog = 4711;
    with.before_bind = before_bind;
    CHECK(listen_on(address, with).has_value());
    CHECK(asked);
    CHECK(sets == expected);
    CHECK(std::get<1>(fake::listen.calls[0]) == 4711);
    CHECK(std::get<1>(fake::socket.calls[0]) == (SOCK_STREAM | SOCK_CLOEXEC));
  }
}

TEST_CASE("listen_on: datagrams are bound, connections that keep their order listened for") {
  const Fresh fresh;
  answer_inet6_listener();
  CHECK(listen_on(nobody, {.type = SOCK_DGRAM | SOCK_NONBLOCK}).has_value());
  CHECK(fake::listen.calls.empty());
  CHECK(std::get<1>(fake::socket.calls[0]) == (SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC));
  fake::socket.instead = [](int, int, int) { return ::socket(AF_UNIX, SOCK_SEQPACKET, 0); };
  CHECK(listen_on(nobody, {.type = SOCK_SEQPACKET}).has_value());
  CHECK(fake::listen.calls.size() == 1);
}

namespace {

/// stat: a file that is this one.
void answer_file(mode_t mode, ino_t inode = 5, dev_t device = 6) {
  fake::lstat.instead = [=](const char *, struct stat *there) {
    *there = {};
    there->st_mode = mode;
    there->st_ino = inode;
    there->st_dev = device;
    return 0;
  };
}

const SocketAddress &run_x() {
  static const SocketAddress address = VALUE(UnixAddress::path("/run/x.sock"));
  return address;
}

/// A system without a kernel, with files; a path is bound.
void answer_paths() {
  answer_numbers();
  fake::socket.instead = [next = 100](int, int type, int) mutable {
    CHECK((type & SOCK_CLOEXEC) != 0);
    return next++;
  };
  answer_file(S_IFSOCK);
  fake::open.answer(88);
  fake::flock.answer(0);
  fake::unlink.answer(0);
  fake::chmod.answer(0);
  fake::fchmod.answer(0);
  fake::getsockname.instead = [](int, sockaddr *address, socklen_t *length) {
    std::memcpy(address, run_x().data(), run_x().size());
    *length = run_x().size();
    return 0;
  };
}

} // namespace

TEST_CASE("listen_on: the mode of a path, before it is bound and before it is listened on") {
  const Fresh fresh;
  answer_paths();
  for (int mode : {0, 0600, 0660, 0666, 0777}) {
    fake::journal().calls.clear();
    fake::chmod.calls.clear();
    fake::fchmod.calls.clear();
    {
      CHECK(listen_on(run_x(), {.mode = mode}).has_value());
    }
    CHECK(called_in_all() == "socket fchmod bind lstat chmod listen getsockname lstat unlink close");
    CHECK(std::get<1>(fake::fchmod.calls[0]) == static_cast<mode_t>(mode));
    CHECK(std::get<0>(fake::chmod.calls[0]) == "/run/x.sock");
    CHECK(std::get<1>(fake::chmod.calls[0]) == static_cast<mode_t>(mode));
  }
  fake::journal().calls.clear();
  for (int mode : {-2, 01000, 04755, 010000, INT_MAX})
    CHECK_ERROR(listen_on(run_x(), {.mode = mode}), EINVAL, listen_on);
  CHECK_ERROR(listen_on(nobody, {.mode = 0600}), EINVAL, listen_on);
  CHECK_ERROR(listen_on(SocketAddress(UnixAddress::autobind()), {.mode = 0600}), EINVAL, listen_on);
  CHECK_ERROR(listen_on("@abstract", {.mode = 0600}), EINVAL, listen_on);
  CHECK(called_in_all().empty());
}

TEST_CASE("listen_on: which directory is locked, for replace_stale; again after EINTR") {
  struct {
    const char *path, *directory;
  } const cases[] = {{"/run/x.sock", "/run"}, {"/run/a/b/x.sock", "/run/a/b"}, {"/x.sock", "/"},
                     {"x.sock", "."},         {"./a/x.sock", "./a"},           {"//x.sock", "/"}};
  for (const auto &[path, directory] : cases) {
    CAPTURE(path);
    const Fresh fresh;
    answer_paths();
    fake::flock.plan({EINTR, EINTR, EINTR});
    {
      auto result = listen_on(VALUE(UnixAddress::path(path)), {.replace_stale = true});
      CHECK(result.has_value());
    }
    CHECK(called_in_all() ==
          "socket open flock flock flock flock bind lstat listen getsockname close lstat unlink close");
    CHECK((fake::open.calls == decltype(fake::open.calls){{directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC}}));
    for (const auto &call : fake::flock.calls)
      CHECK(call == std::tuple(88, LOCK_EX));
    CHECK((closed() == Numbers{88, 100})); // the lock first
    CHECK(std::get<0>(fake::unlink.calls[0]) == path);
    CHECK(last_error() == Error());
  }
  // Of what is no path there is no directory.
  const Fresh fresh;
  answer_paths();
  CHECK(listen_on("@abstract", {.replace_stale = true}).has_value());
  CHECK(fake::open.calls.empty());
}

TEST_CASE("listen_on: a path gives way only if a socket is there on which nobody listens") {
  struct {
    mode_t mode;
    int lstat, socket, connect;
    bool stale;
  } const cases[] = {{S_IFSOCK, 0, 0, ECONNREFUSED, true},
                     {S_IFSOCK, 0, 0, 0, false},
                     {S_IFSOCK, 0, 0, EAGAIN, false},
                     {S_IFSOCK, 0, 0, EPROTOTYPE, false},
                     {S_IFSOCK, 0, 0, EACCES, false},
                     {S_IFSOCK, 0, 0, EINTR, false},
                     {S_IFSOCK, 0, 0, ENOENT, false},
                     {S_IFSOCK, 0, EMFILE, ECONNREFUSED, false},
                     {S_IFSOCK, ENOENT, 0, ECONNREFUSED, false},
                     {S_IFSOCK, EACCES, 0, ECONNREFUSED, false},
                     {S_IFREG, 0, 0, ECONNREFUSED, false},
                     {S_IFLNK, 0, 0, ECONNREFUSED, false},
                     {S_IFDIR, 0, 0, ECONNREFUSED, false},
                     {S_IFIFO, 0, 0, ECONNREFUSED, false}};
  for (const auto &each : cases) {
    CAPTURE(each.mode);
    CAPTURE(each.connect);
    const Fresh fresh;
    answer_paths();
    answer_file(each.mode);
    fake::bind.plan({EADDRINUSE});
    fake::lstat.plan({each.lstat});
    fake::socket.plan({0, each.socket});
    fake::connect.plan({each.connect});
    auto result = listen_on(run_x(), {.type = SOCK_SEQPACKET, .replace_stale = true});
    CHECK(result.has_value() == each.stale);
    if (each.stale) {
      CHECK(called_in_all() == "socket open flock bind lstat socket connect close unlink bind lstat listen "
                               "getsockname close");
      CHECK(fake::unlink.calls[0] == std::tuple("/run/x.sock"));
      CHECK(last_error() == Error());
    } else {
      CHECK_ERROR(result, EADDRINUSE, bind); // whatever the probe said
      CHECK(fake::unlink.calls.empty());
      CHECK(fake::bind.calls.size() == 1);
    }
    if (fake::socket.calls.size() == 2) // the probe does not wait
      CHECK(fake::socket.calls[1] == std::tuple(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }
  // Without being asked, and for other errors, nothing is looked at.
  const Fresh fresh;
  answer_paths();
  fake::bind.plan({EADDRINUSE, EACCES});
  CHECK_ERROR(listen_on(run_x()), EADDRINUSE, bind);
  CHECK_ERROR(listen_on(run_x(), {.replace_stale = true}), EACCES, bind);
  CHECK(fake::lstat.calls.empty());
  CHECK(fake::unlink.calls.empty());
}

TEST_CASE("listen_on: lstat fails after bind: its error, and what is not known to be ours stays") {
  for (int code : of_lstat) {
    const Fresh fresh;
    answer_paths();
    fake::lstat.fail(code);
    CHECK_ERROR(listen_on(run_x()), code, lstat);
    CHECK(called_in_all() == "socket bind lstat close");
    CHECK(closed() == Numbers{100});
  }
}

TEST_CASE("BoundPath: removed once, if the same inode is still there, in the process that made it") {
  struct {
    ino_t inode;
    dev_t device;
    int lstat;
    bool ours;
  } const cases[] = {
      {5, 6, 0, true}, {7, 6, 0, false}, {5, 7, 0, false}, {5, 6, ENOENT, false}, {5, 6, EACCES, false}};
  for (const auto &each : cases)
    for (int how = 0; how < 4; ++how) {
      CAPTURE(how);
      const Fresh fresh;
      answer_paths();
      errno = ENOTTY;
      {
        BoundPath path = VALUE(BoundPath::of(run_x()));
        CHECK(path.path() == "/run/x.sock");
        answer_file(S_IFSOCK, each.inode, each.device);
        fake::lstat.plan({each.lstat});
        errno = ENOTTY;
        if (how == 0) {
          VALUE(path.remove());
          VALUE(path.remove());
          CHECK(path.path().empty());
        } else if (how == 1) {
          path = BoundPath();
        } else if (how == 2) {
          BoundPath other(std::move(path));
          BoundPath &same = other;
          other = std::move(same);
          CHECK(other.path() == "/run/x.sock");
          CHECK(fake::unlink.calls.empty());
        }
      }
      CHECK(fake::unlink.calls.size() == each.ours);
      if (each.ours)
        CHECK(std::get<0>(fake::unlink.calls[0]) == "/run/x.sock");
      if (how > 1)
        CHECK(errno == ENOTTY); // a destructor
      CHECK(last_error() == Error());
      CHECK(fake::lstat.calls.size() == 2);
    }
}

TEST_CASE("BoundPath: unlink fails: told by remove() and close(), silent in the destructor, and not tried again") {
  for (int code : of_unlink) {
    const Fresh fresh;
    answer_paths();
    fake::unlink.fail(code, 0, SIZE_MAX);
    {
      BoundPath path = VALUE(BoundPath::of(run_x()));
      CHECK_ERROR(path.remove(), code, unlink);
    }
    CHECK(fake::unlink.calls.size() == 1);
    clear_error();
    errno = ENOTTY;
    {
      const BoundPath path = VALUE(BoundPath::of(run_x()));
      errno = ENOTTY;
    }
    CHECK(errno == ENOTTY);
    CHECK(last_error() == Error());
    CHECK(fake::unlink.calls.size() == 2);

    auto listener = listen_on(run_x());
    REQUIRE(listener.has_value());
    fake::journal().calls.clear();
    fake::close.fail(EIO);
    CHECK_ERROR(listener->close(), code, unlink); // the first of two
    CHECK(called_in_all() == "lstat unlink close");
    CHECK(listener->socket.fd() == -1);
    VALUE(listener->path.remove());
    CHECK(fake::unlink.calls.size() == 3);
  }
}

TEST_CASE("BoundPath: what stays") {
  const Fresh fresh;
  answer_paths();
  {
    BoundPath path = VALUE(BoundPath::of(run_x()));
    path.release();
    CHECK(path.path().empty());
    auto listener = listen_on(run_x(), {.unlink = false});
    CHECK(listener->path.path().empty());
    fake::lstat.calls.clear();
    for (const SocketAddress &address :
         {SocketAddress(), nobody, SocketAddress(UnixAddress::autobind()), VALUE(SocketAddress::parse("@a"))})
      CHECK(VALUE(BoundPath::of(address)).path().empty());
    CHECK(fake::lstat.calls.empty());
  }
  CHECK(fake::unlink.calls.empty());
  // In a child it is not the one that made it.
  BoundPath path = VALUE(BoundPath::of(run_x()));
  const int status = in_child([&] {
    const bool fine = path.remove().has_value();
    return fine && fake::unlink.calls.empty() ? 0 : 1;
  });
  CHECK(status == 0);
  VALUE(path.remove());
  CHECK(fake::unlink.calls.size() == 1);
}

// --- accepting --------------------------------------------------------------------------------------------

TEST_CASE("accept: whose failure each error is (trap 20)") {
  using enum AcceptFailure;
  const std::pair<AcceptFailure, Errors> classes[] = {
      {peer,
       {ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
        ENETUNREACH}},
      {later, {EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN, EWOULDBLOCK, EINTR}},
      {listener, {EBADF, EINVAL, ENOTSOCK, EFAULT, ETIMEDOUT, ECANCELED, EIO, 4711}}};
  for (const auto &[failure, codes] : classes)
    for (int code : codes) {
      CAPTURE(code);
      CHECK(accept_failure(Error(code, Operation::accept4)) == failure);
    }
  CHECK(accept_failure(Error::from_gai(EAI_AGAIN, Operation::getaddrinfo, 0)) == listener);
}

TEST_CASE("accept_each goes on after the peer's failures and after a want, and ends with the listener's own") {
  for (bool deadline : {false, true})
    for (int last : {EINVAL, EBADF, ENOTSOCK}) {
      const Fresh fresh;
      answer_all();
      ready();
      Errors codes = {ECONNABORTED, EPROTO,       EPERM,  ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
                      ENETUNREACH,  ECONNABORTED, EMFILE, ENFILE,   ENOBUFS,     ENOMEM,    0,      EPERM};
      Errors plan = codes;
      plan.push_back(last);
      plan.push_back(0);                                 // never reached
      plan.insert(plan.begin(), {EINTR, EAGAIN, EINTR}); // of which nobody hears
      fake::accept4.plan(plan);
      codes.push_back(last);
      Errors seen;
      int fd = -1;
      const SocketRef listener(77);
      for (auto &accepted : accept_each(*listener, deadline ? Deadline(20s) : Deadline(), SOCK_NONBLOCK)) {
        seen.push_back(accepted ? 0 : accepted.error().code());
        if (accepted)
          fd = accepted->socket.release();
        else
          CHECK(last_error() == accepted.error());
      }
      CHECK(seen == codes);
      CHECK(fd == 78);
      CHECK(fake::accept4.calls.size() == plan.size() - 1);
      for (const auto &call : fake::accept4.calls)
        CHECK(std::get<3>(call) == (SOCK_NONBLOCK | SOCK_CLOEXEC));
      CHECK(fake::close.calls.empty());
    }
}

TEST_CASE("accept_each: ends with the deadline, and with what cancels") {
  for (bool cancelled : {false, true}) {
    const Fresh fresh;
    answer_all();
    Waits waits([&](const Wait &wait, pollfd *items, nfds_t count) {
      if (wait.number < 2)
        return all_ready(items, 1);
      REQUIRE(count == 2);
      items[1].revents = cancelled ? POLLIN : 0;
      return cancelled ? 1 : 0;
    });
    Errors seen;
    const SocketRef listener(77);
    for (auto &accepted : accept_each(*listener, Deadline(20s).cancelled_by(cancelled ? 99 : -1)))
      seen.push_back(accepted ? 0 : accepted.error().code());
    CHECK((seen == Errors{0, 0, cancelled ? ECANCELED : ETIMEDOUT}));
    CHECK(fake::close.calls.size() == 2);
  }
}

TEST_CASE("accept_until: EOPNOTSUPP of a socket that does not listen is EINVAL, of one that does the peer's") {
  for (int listens : {0, 1, -1}) {
    const Fresh fresh;
    fake::accept4.fail(EOPNOTSUPP);
    answer([=](void *value, socklen_t) {
      std::memcpy(value, &listens, sizeof listens);
      return socklen_t{sizeof listens};
    });
    if (listens < 0)
      fake::getsockopt.fail(ENOTSOCK);
    auto accepted = accept_until(*SocketRef(77));
    if (listens == 0)
      CHECK_ERROR(accepted, EINVAL, accept_until);
    else
      CHECK_ERROR(accepted, EOPNOTSUPP, accept4);
    CHECK(called_in_all() == "accept4 getsockopt");
    CHECK(std::get<2>(fake::getsockopt.calls[0]) == SO_ACCEPTCONN);
  }
}

TEST_CASE("accept_until: a socket that does not listen is EINVAL, and not waited for") {
  const Fresh fresh;
  answer(answer_zeros(4));
  CHECK_ERROR(accept_until(*SocketRef(77), 20s), EINVAL, accept_until);
  CHECK_ERROR(accept_until(*SocketRef(77), Deadline().cancelled_by(99)), EINVAL, accept_until);
  CHECK(called_in_all() == "getsockopt getsockopt");
  CHECK(std::get<2>(fake::getsockopt.calls[0]) == SO_ACCEPTCONN);
}

TEST_CASE("accept_until: a listener that was shut down has nothing, and is not asked for ever") {
  for (short revents : std::initializer_list<short>{POLLHUP, POLLIN | POLLRDHUP | POLLHUP, POLLIN}) {
    CAPTURE(revents);
    const Fresh fresh;
    answer_all();
    fake::accept4.fail(EAGAIN, 0, 5);
    Waits waits([&](const Wait &, pollfd *items, nfds_t) {
      items[0].revents = revents;
      return 1;
    });
    auto accepted = accept_until(*SocketRef(77), 20s);
    if (revents == POLLIN) { // another one took the connection
      CHECK(accepted.has_value());
      CHECK(fake::accept4.calls.size() == 6);
    } else {
      CHECK_ERROR(accepted, EINVAL, accept_until);
      CHECK(fake::accept4.calls.size() == 1);
    }
  }
}

TEST_CASE("accept_each: a connection that was not taken is closed before the wait for the next") {
  const Fresh fresh;
  answer_all();
  ready();
  fake::accept4.plan({0, 0, EINVAL});
  const SocketRef listener(77);
  for (auto &accepted : accept_each(*listener, 20s))
    CHECK((accepted || accepted.error().is(EINVAL)));
  CHECK(called_in_all() == "getsockopt ppoll accept4 close getsockopt ppoll accept4 close getsockopt ppoll accept4");
}

TEST_CASE("accept_until: which calls, with and without a deadline") {
  const Fresh fresh;
  answer_all();
  ready();
  const SocketRef listener(77);
  CHECK(accept_until(*listener).has_value());
  CHECK(called_in_all() == "accept4 close");
  fake::journal().calls.clear();
  CHECK(accept_until(*listener, 0s).has_value());
  CHECK(called_in_all() == "getsockopt ppoll accept4 close");
  fake::journal().calls.clear();
  fake::accept4.plan({EINTR, EINTR, EAGAIN, 0});
  CHECK(accept_until(*listener).has_value());
  // It does not wait before the first, but after that.
  CHECK(called_in_all() == "accept4 ppoll accept4 ppoll accept4 ppoll accept4 close");
}

// --- descriptors that are inherited -------------------------------------------------------------------------

namespace {

struct Variables {
  const char *process, *count, *names;
};

Result<List<InheritedSocket>> inherit(const Variables &variables) {
  const std::string own = std::to_string(::getpid());
  const std::pair<const char *, const char *> all[] = {
      {"LISTEN_PID", variables.process != nullptr && *variables.process == '=' ? own.c_str() : variables.process},
      {"LISTEN_FDS", variables.count},
      {"LISTEN_FDNAMES", variables.names}};
  for (const auto &[name, value] : all)
    value != nullptr ? ::setenv(name, value, 1) : ::unsetenv(name);
  return inherited_sockets();
}

} // namespace

TEST_CASE("inherited_sockets: what LISTEN_PID and LISTEN_FDS may say") {
  struct {
    Variables variables;
    int code;
    std::size_t count;
  } const cases[] = {{{nullptr, nullptr, nullptr}, 0, 0},
                     {{"=", nullptr, nullptr}, 0, 0},
                     {{nullptr, "1", nullptr}, 0, 0},
                     {{"=", "0", nullptr}, 0, 0},
                     {{"=", "1", nullptr}, 0, 1},
                     {{"=", "3", "a:b:c"}, 0, 3},
                     {{"1", "1", nullptr}, 0, 0},
                     {{"=", "-1", nullptr}, EINVAL, 0},
                     {{"=", "", nullptr}, EINVAL, 0},
                     {{"=", "1x", nullptr}, EINVAL, 0},
                     {{"=", " 1", nullptr}, EINVAL, 0},
                     {{"=", "+1", nullptr}, EINVAL, 0},
                     {{"=", "4294967297", nullptr}, EINVAL, 0},
                     {{"=", "2147483647", nullptr}, EINVAL, 0},
                     {{"", "1", nullptr}, EINVAL, 0},
                     {{"0", "1", nullptr}, EINVAL, 0},
                     {{"-5", "1", nullptr}, EINVAL, 0},
                     {{"1x", "1", nullptr}, EINVAL, 0},
                     {{"99999999999", "1", nullptr}, EINVAL, 0},
                     {{"1", "x", nullptr}, EINVAL, 0}};
  for (const auto &[variables, code, count] : cases) {
    CAPTURE(variables.process);
    CAPTURE(variables.count);
    const Fresh fresh;
    const Inheritance restored(0);
    answer_all();
    auto sockets = inherit(variables);
    if (code != 0) {
      CHECK_ERROR(sockets, code, inherited_sockets);
    } else {
      REQUIRE(sockets.has_value());
      CHECK(sockets->size() == count);
      for (std::size_t i = 0; i < sockets->size(); ++i)
        CHECK((*sockets)[i].socket.fd() == static_cast<int>(3 + i));
    }
    const bool ours = variables.process != nullptr && *variables.process == '=' && variables.count != nullptr;
    CHECK(Inheritance::told() == (variables.process && variables.count && !(ours && code == 0)));
    CHECK(called_in_all().empty() == (count == 0));
  }
}

TEST_CASE("inherited_sockets: names, what listens, and close-on-exec") {
  const Fresh fresh;
  answer_all();
  fake::getsockopt.instead = [](int fd, int, int name, void *value, socklen_t *length) {
    const int number = name == SO_ACCEPTCONN ? fd % 2 : SOCK_STREAM;
    std::memcpy(value, &number, sizeof number);
    *length = sizeof number;
    return 0;
  };
  struct {
    const char *names;
    std::vector<std::string> expected;
  } const cases[] = {{nullptr, {"unknown", "unknown", "unknown"}},
                     {"a:b:c", {"a", "b", "c"}},
                     {"a::c", {"a", "", "c"}},
                     {"a", {"a", "", ""}},
                     {"", {"", "", ""}},
                     {"a:b:c:d", {"a", "b", "c"}}};
  for (const auto &[names, expected] : cases) {
    const Inheritance restored(0);
    fake::fcntl.calls.clear();
    auto sockets = VALUE(inherit({"=", "3", names}));
    REQUIRE(sockets.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(sockets[i].name == expected[i].c_str());
      CHECK(sockets[i].listening == (i % 2 == 0)); // of descriptors 3, 4, 5
    }
    CHECK((fake::fcntl.calls == std::vector<std::tuple<int, int, int>>{{3, F_GETFD, 0},
                                                                       {3, F_SETFD, FD_CLOEXEC},
                                                                       {4, F_GETFD, 0},
                                                                       {4, F_SETFD, FD_CLOEXEC},
                                                                       {5, F_GETFD, 0},
                                                                       {5, F_SETFD, FD_CLOEXEC}}));
    CHECK(std::getenv("LISTEN_FDNAMES") == nullptr);
  }
}

TEST_CASE("inherited_sockets: one is no socket: none is taken, none is changed") {
  for (int code : {EBADF, ENOTSOCK})
    for (int which : {3, 4, 5}) {
      const Fresh fresh;
      const Inheritance restored(0);
      answer_all();
      fake::getsockopt.instead = [=](int fd, int, int, void *, socklen_t *) {
        errno = code;
        return fd == which ? -1 : 0;
      };
      CHECK_ERROR(inherit({"=", "3", nullptr}), code, getsockopt);
      CHECK(fake::close.calls.empty());
      CHECK(fake::fcntl.calls.empty());
      CHECK(Inheritance::told());
    }
}

// --- out of memory ----------------------------------------------------------------------------------------

namespace {

/// Lets each allocation fail, alone and with all that follow; how many there are.
template <class Run>
int each_and_all_allocations(const Run &run) {
  const int alone = each_allocation(run);
  CHECK(each_allocation(run, true) == alone);
  return alone;
}

/// Descriptors that are made and closed: each once.
class Ledger {
public:
  Ledger() {
    const auto make = [this] {
      const int fd = 100 + made_++;
      open_.insert(fd);
      return fd;
    };
    fake::socket.instead = [=](int, int, int) { return make(); };
    fake::close.instead = [this](int fd) {
      CHECK(open_.erase(fd) == 1);
      return 0;
    };
  }
  Ledger(const Ledger &) = delete;
  Ledger &operator=(const Ledger &) = delete;
  ~Ledger() { CHECK(open_.empty()); }

private:
  int made_ = 0;
  std::set<int> open_;
};

} // namespace

TEST_CASE("connect_to without memory: ENOMEM, and every socket is closed once") {
  const auto connect_all = [](unsigned fail, bool wait) {
    answer_all();
    const Ledger ledger;
    answer_addresses(some_addresses(10));
    std::size_t calls = 0;
    fake::connect.instead = [&](int, const sockaddr *, socklen_t) {
      errno = ++calls <= fail ? ECONNREFUSED : EINPROGRESS;
      return wait || calls <= fail ? -1 : 0;
    };
    const Waits waits(once_there_are(wait ? 10 : 1));
    return error_of(race(10, {.attempt_delay = Milliseconds(10)}));
  };
  // The list of the resolver, that of the candidates, and three of the race, of 4, 8 and 16.
  CHECK(each_and_all_allocations([&] { return connect_all(9, false); }) == 15);
  CHECK(each_and_all_allocations([&] { return connect_all(0, false); }) == 9);
  CHECK(each_and_all_allocations([&] { return connect_all(0, true); }) == 15);
  CHECK(each_and_all_allocations([&] {
          answer_all();
          const Ledger ledger;
          return error_of(connect_to(nobody));
        }) == 5);
}

TEST_CASE("listen_on without memory: ENOMEM, and every socket is closed once") {
  CHECK(each_and_all_allocations([&] {
          answer_all();
          const Ledger ledger;
          answer_addresses(some_addresses(10));
          fake::getsockname.instead = [](int, sockaddr *, socklen_t *length) {
            *length = 0;
            return 0;
          };
          fake::bind.fail(EADDRINUSE, 0, 9);
          return error_of(listen_on("a.example", 9));
        }) == 6);
  CHECK(each_and_all_allocations([&] {
          answer_all();
          const Ledger ledger;
          answer_file(S_IFSOCK);
          fake::unlink.answer(0);
          fake::getsockname.instead = [](int, sockaddr *, socklen_t *length) {
            *length = 0;
            return 0;
          };
          return error_of(listen_on(run_x()));
        }) == 0);
}

TEST_CASE("recv_until_eof without memory: ENOMEM, and what came is there") {
  const std::size_t size = 50'000;
  std::string text;
  for (std::size_t i = 0; i < size; ++i)
    text += static_cast<char>(i * 7 + i / 251);
  CHECK(each_and_all_allocations([&] {
          std::size_t at = 0;
          fake::recv.instead = [&](int, void *buffer, std::size_t wanted, int) {
            const std::size_t part = std::min(wanted, size - at);
            std::memcpy(buffer, text.data() + at, part);
            at += part;
            return static_cast<ssize_t>(part);
          };
          auto received = recv_until_eof(*SocketRef(77), std::size_t{1} << 20);
          CHECK(received.data.size() == at); // all that was taken from the socket
          CHECK(received.data.text() == TextView(text.data(), at));
          return error_of(received);
        }) == 5); // 4096, 8192, … 65536
}

TEST_CASE("inherited_sockets without memory: ENOMEM, none is taken, none is closed") {
  CHECK(each_and_all_allocations([&] {
          answer_all();
          const Inheritance inheritance(9);
          const auto sockets = inherited_sockets();
          if (!sockets) {
            CHECK(fake::close.calls.empty());
            CHECK(Inheritance::told());
          } else {
            CHECK(sockets->size() == 9);
          }
          return error_of(sockets);
        }) == 3);
}

// --- the last error --------------------------------------------------------------------------------------

TEST_CASE("last_error() is the thread's own") {
  const Fresh fresh;
  const SocketRef socket(77);
  auto fail_often = [&socket](fake::Any &call, int code, auto run, Error &last, bool &always) {
    call.fail(code, 0, SIZE_MAX);
    always = last_error() == Error();
    for (int i = 0; i < 1000; ++i)
      always = always && run(*socket).is(code) && last_error().is(code);
    last = last_error();
  };
  auto receive = [](const Socket &s) {
    char buffer[1];
    return error_of(s.recv(buffer));
  };
  auto send = [](const Socket &s) { return error_of(s.send("x")); };
  Error first, second;
  bool first_always = false, second_always = false;
  std::thread one([&] { fail_often(fake::recv, EINTR, receive, first, first_always); });
  std::thread two([&] { fail_often(fake::send, EPIPE, send, second, second_always); });
  one.join();
  two.join();
  CHECK(first_always);
  CHECK(second_always);
  CHECK(first == Error(EINTR, Operation::recv));
  CHECK(second == Error(EPIPE, Operation::send));
  CHECK(last_error() == Error());
}

TEST_CASE("last_error() stays until the next failure or clear_error()") {
  const Fresh fresh;
  const SocketRef socket(77);
  fake::listen.fail(EADDRINUSE);
  CHECK_FALSE(socket->listen().has_value());
  const Error first(EADDRINUSE, Operation::listen);
  CHECK(last_error() == first);
  fake::listen.answer(0);
  CHECK(socket->listen().has_value());
  CHECK(last_error() == first);
  errno = EPERM; // is not asked again
  CHECK(last_error() == first);
  fake::shutdown.fail(ENOTCONN);
  CHECK_FALSE(socket->shutdown(SHUT_WR).has_value());
  CHECK(last_error() == Error(ENOTCONN, Operation::shutdown));
  clear_error();
  CHECK(last_error() == Error());
  CHECK(last_error().code() == 0);
}

TEST_SUITE_END();
