// SPDX-License-Identifier: MIT

#include "wait.hpp"

#include <baresock/descriptor.hpp>
#include <baresock/listen.hpp>
#include <baresock/option.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace baresock {

namespace {

/// The path of an address; empty if it has none.
UnixAddress path_of(const SocketAddress &address) noexcept {
  auto local = address.get<UnixAddress>();
  return local && local->kind() == UnixAddress::Kind::path ? *local : UnixAddress();
}

/// With its NUL, for calls that take paths.
Text<UnixAddress::capacity + 1> terminated(const UnixAddress &path) noexcept {
  return Text<UnixAddress::capacity + 1>().append(path.name());
}

/// The lock of the directory in which a path is, held as long as the descriptor is open.
Result<FileDescriptor> lock_directory(const UnixAddress &path) noexcept {
  const std::string_view name = path.name();
  const std::size_t slash = name.rfind('/');
  Text<UnixAddress::capacity + 1> directory;
  directory.append(slash == name.npos ? std::string_view(".") : name.substr(0, std::max<std::size_t>(slash, 1)));
  auto fd = BARESOCK_CALL(int, open, directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!fd)
    return std::unexpected(fd.error());
  FileDescriptor lock(*fd);
  for (;;) {
    auto locked = BARESOCK_CALL(void, flock, *fd, LOCK_EX);
    if (locked)
      return lock;
    if (!locked.error().interrupted())
      return std::unexpected(locked.error());
  }
}

/// Is there a socket at that path, of which the one that bound it is gone? It refuses connections then.
bool is_stale(const UnixAddress &path, int type) noexcept {
  struct stat there;
  if (!BARESOCK_CALL(void, lstat, terminated(path).c_str(), &there) || !S_ISSOCK(there.st_mode))
    return false;
  auto probe = Socket::socket(AF_UNIX, type | SOCK_NONBLOCK);
  if (!probe)
    return false;
  auto connected = probe->connect(path);
  return !connected && connected.error().refused();
}

/// bind(2), where a stale socket gives way if it may.
Result<void> bind_to(const Socket &socket, const SocketAddress &address, const UnixAddress &path,
                     const ListenOptions &options) noexcept {
  auto bound = socket.bind(address);
  if (bound || !options.replace_stale || path.name().empty() || !bound.error().is(EADDRINUSE) ||
      !is_stale(path, options.type))
    return bound;
  if (auto removed = BARESOCK_CALL(void, unlink, terminated(path).c_str()); !removed)
    return removed;
  return socket.bind(address);
}

Result<void> set_options(const Socket &socket, const SocketAddress &address, const ListenOptions &options) noexcept {
  Result<void> set;
  if (options.reuse_address && address.family() != AF_UNIX)
    set = socket.setsockopt(so::reuseaddr, true);
  if (set && options.reuse_port)
    set = socket.setsockopt(so::reuseport, true);
  if (set && address.family() == AF_INET6)
    set = socket.setsockopt(ipv6::v6only, options.ipv6_only);
  if (set && !options.interface.empty())
    set = socket.setsockopt(so::bindtodevice, options.interface);
  if (set && options.fast_open != 0)
    set = socket.setsockopt(tcp::fastopen, options.fast_open);
  if (set && options.defer_accept.count() != 0)
    set = socket.setsockopt(tcp::defer_accept, options.defer_accept);
  if (set && options.before_bind)
    set = options.before_bind(socket, address);
  return set;
}

Result<Listener> open(const SocketAddress &address, const ListenOptions &options) noexcept {
  const UnixAddress path = path_of(address);
  if (options.mode != -1 && (path.name().empty() || (options.mode & ~0777) != 0))
    return std::unexpected(detail::fail(Operation::listen_on, EINVAL));
  auto socket = Socket::socket(address.family(), options.type, options.protocol);
  if (!socket)
    return std::unexpected(socket.error());
  if (auto set = set_options(*socket, address, options); !set)
    return std::unexpected(set.error());

  // The inode that bind(2) makes has the mode of the socket's own, less the umask: never more than asked.
  const mode_t mode = static_cast<mode_t>(options.mode);
  if (options.mode != -1)
    if (auto set = BARESOCK_CALL(void, fchmod, socket->fd(), mode); !set)
      return std::unexpected(set.error());
  // Between bind(2) and listen(2) a socket refuses, too: for others that look for stale ones, until it listens.
  FileDescriptor lock;
  if (options.replace_stale && !path.name().empty()) {
    auto locked = lock_directory(path);
    if (!locked)
      return std::unexpected(locked.error());
    lock = std::move(*locked);
  }
  if (auto bound = bind_to(*socket, address, path, options); !bound)
    return std::unexpected(bound.error());

  Listener listener;
  listener.socket = std::move(*socket);
  auto bound_path = BoundPath::of(address);
  if (!bound_path)
    return std::unexpected(bound_path.error());
  listener.path = std::move(*bound_path);
  if (options.mode != -1)
    if (auto set = BARESOCK_CALL(void, chmod, terminated(path).c_str(), mode); !set)
      return std::unexpected(set.error());
  if ((options.type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_DGRAM)
    if (auto listening = listener.socket.listen(options.backlog); !listening)
      return std::unexpected(listening.error());
  auto local = listener.socket.getsockname();
  if (!local)
    return std::unexpected(local.error());
  listener.address = *local;
  if (!options.unlink)
    listener.path.release();
  return listener;
}

ListenResult failed(Error error) noexcept { return {std::unexpected(error), {}}; }

/// Tries one address after the other. `any`: they are all addresses, of which those of IPv4 are for where there is no
/// IPv6.
template <class Addresses>
ListenResult listen(const Addresses &addresses, const ListenOptions &options, bool any) noexcept {
  detail::Report report;
  ListenResult result{std::unexpected(Error(EAFNOSUPPORT, Operation::listen_on)), {}};
  for (const SocketAddress &address : addresses) {
    if (options.family != AF_UNSPEC && address.family() != options.family)
      continue;
    auto listener = open(address, options);
    if (listener) {
      static_cast<Result<Listener> &>(result) = std::move(listener);
      return result;
    }
    const Error error = listener.error();
    static_cast<Result<Listener> &>(result) = std::unexpected(error);
    if (auto added = result.attempts.append({address, error}); !added)
      return failed(report(added.error()).error());
    if (any && !error.is(EAFNOSUPPORT) && !error.is(EADDRNOTAVAIL))
      break;
  }
  report(result.error());
  return result;
}

/// A number in an environment variable; -1 if it is none.
int number(const char *text) noexcept {
  int value = -1;
  const char *end = text + std::strlen(text);
  const auto read = std::from_chars(text, end, value);
  return read.ec == std::errc() && read.ptr == end ? value : -1;
}

} // namespace

// --- listening -------------------------------------------------------------------------------------------

Result<BoundPath> BoundPath::of(const SocketAddress &address) noexcept {
  BoundPath bound;
  const UnixAddress path = path_of(address);
  if (path.name().empty())
    return bound;
  struct stat made;
  if (auto asked = BARESOCK_CALL(void, lstat, terminated(path).c_str(), &made); !asked)
    return std::unexpected(asked.error());
  bound.address_ = path;
  bound.device_ = made.st_dev;
  bound.inode_ = made.st_ino;
  bound.owner_ = ::getpid();
  return bound;
}

BoundPath::BoundPath(BoundPath &&other) noexcept
    : address_(std::exchange(other.address_, {})), device_(other.device_), inode_(other.inode_),
      owner_(other.owner_) {}

BoundPath &BoundPath::operator=(BoundPath &&other) noexcept {
  if (this != &other) {
    detail::Report report;
    (void)remove();
    address_ = std::exchange(other.address_, {});
    device_ = other.device_;
    inode_ = other.inode_;
    owner_ = other.owner_;
  }
  return *this;
}

BoundPath::~BoundPath() {
  if (address_.name().empty())
    return;
  const int saved = errno; // of an error path, perhaps
  detail::Report report;
  (void)remove();
  errno = saved;
}

bool BoundPath::ours() const noexcept {
  struct stat there;
  return owner_ == ::getpid() && BARESOCK_SYSTEM::lstat(terminated(address_).c_str(), &there) == 0 &&
         there.st_dev == device_ && there.st_ino == inode_;
}

Result<void> BoundPath::remove() noexcept {
  if (address_.name().empty())
    return {};
  const bool remove = ours();
  const auto path = terminated(std::exchange(address_, {}));
  return remove ? BARESOCK_CALL(void, unlink, path.c_str()) : Result<void>();
}

Listener &Listener::operator=(Listener &&other) noexcept {
  path = std::move(other.path);
  socket = std::move(other.socket);
  address = other.address;
  return *this;
}

Result<void> Listener::close() noexcept {
  auto removed = path.remove();
  auto closed = socket.close();
  if (!removed)
    detail::record(removed.error());
  return removed ? closed : removed;
}

ListenResult listen_on(const SocketAddress &address, const ListenOptions &options) noexcept {
  return listen(Span<const SocketAddress>(&address, 1), options, false);
}

ListenResult detail::listen_on_port(int port, const ListenOptions &options) noexcept {
  if (port < 0 || port > UINT16_MAX)
    return failed(detail::fail(Operation::listen_on, ERANGE));
  const auto number = static_cast<std::uint16_t>(port);
  const SocketAddress any[] = {Inet6Address{in6addr_any, number}, Inet4Address{INADDR_ANY, number}};
  const std::size_t count = options.ipv6_only && options.family != AF_INET ? 1 : 2;
  return listen(Span<const SocketAddress>(any, count), options, true);
}

ListenResult listen_on(Host host, Service service, const ListenOptions &options) noexcept {
  const AddressHints hints = {options.flags | AI_PASSIVE, options.family,
                              options.type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), 0};
  auto found = getaddrinfo(host, service, hints);
  if (!found)
    return failed(found.error());
  if (!host.present()) // whose addresses the resolver gives in the other order
    return detail::listen_on_port((*found->begin()).address.port(), options);
  List<SocketAddress> addresses;
  for (const AddressInfo &info : *found)
    if (auto added = addresses.append(info.address); !added)
      return failed(added.error());
  return listen(addresses, options, false);
}

Result<List<InheritedSocket>> inherited_sockets() noexcept {
  constexpr int first = 3; // SD_LISTEN_FDS_START
  detail::Report report;
  List<InheritedSocket> sockets;
  const char *process = std::getenv("LISTEN_PID");
  const char *count_text = std::getenv("LISTEN_FDS");
  if (process == nullptr || count_text == nullptr)
    return sockets;
  const int owner = number(process);
  const int count = number(count_text);
  if (owner <= 0 || count < 0 || count > INT_MAX - first)
    return report(Operation::inherited_sockets, EINVAL);
  if (owner != ::getpid())
    return sockets;

  const char *names_text = std::getenv("LISTEN_FDNAMES");
  std::string_view names = names_text != nullptr ? names_text : "";
  auto take = [&](int fd) -> Result<void> {
    const SocketRef socket(fd);
    auto listening = socket->getsockopt(so::acceptconn);
    if (!listening)
      return std::unexpected(listening.error());
    if (auto set = socket->set_close_on_exec(true); !set)
      return set;
    if (auto added = sockets.append(InheritedSocket()); !added)
      return added;
    InheritedSocket &inherited = sockets[sockets.size() - 1];
    inherited.listening = *listening;
    inherited.name.append(names_text != nullptr ? TextView(names.substr(0, names.find(':'))) : "unknown");
    names.remove_prefix(std::min(names.size(), names.find(':') == names.npos ? names.size() : names.find(':') + 1));
    inherited.socket = Socket(fd);
    return {};
  };
  for (int fd = first; fd < first + count; ++fd)
    if (auto type = SocketRef(fd)->getsockopt(so::type); !type)
      return report(type.error());
  for (int fd = first; fd < first + count; ++fd)
    if (auto taken = take(fd); !taken) {
      for (InheritedSocket &each : sockets)
        (void)each.socket.release(); // they stay whose they were
      return report(taken.error());
    }
  for (const char *name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
    ::unsetenv(name);
  return sockets;
}

// --- accepting -------------------------------------------------------------------------------------------

AcceptFailure accept_failure(Error error) noexcept {
  if (error.would_block() || error.interrupted() || error.exhausted())
    return AcceptFailure::later;
  // Of Linux's TCP, a connection's own pending error, accept(2); EPERM is a firewall's.
  for (int code :
       {ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH})
    if (error.is(code))
      return AcceptFailure::peer;
  return AcceptFailure::listener;
}

Result<Accepted> accept_until(const Socket &listener, const Deadline &deadline, int flags) noexcept {
  detail::Report report;
  if (!deadline.valid())
    return report(Operation::accept_until, EINVAL);
  bool wait = !deadline.never() || deadline.cancel_fd() >= 0;
  if (wait) { // which of a socket that does not listen would be in vain
    auto listening = listener.getsockopt(so::acceptconn);
    if (!listening)
      return report(listening.error());
    if (!*listening)
      return report(Operation::accept_until, EINVAL);
  }
  for (;;) {
    bool ended = false;
    if (wait) {
      auto ready = detail::wait_for(listener.fd(), POLLIN | POLLRDHUP, deadline, Operation::accept_until);
      if (!ready)
        return report(ready.error());
      ended = (*ready & (POLLHUP | POLLRDHUP)) != 0;
    }
    auto accepted = listener.accept_from(flags);
    // Of the two meanings of this error, the peer's and "no such call for this socket", say the other as TCP does.
    if (!accepted && accepted.error().is(EOPNOTSUPP))
      if (auto listening = listener.getsockopt(so::acceptconn); listening && !*listening)
        return report(Operation::accept_until, EINVAL);
    // Of a nonblocking listener of AF_UNIX that was shut down nothing is to be had but this, without end.
    if (ended && !accepted && accepted.error().would_block())
      return report(Operation::accept_until, EINVAL);
    if (accepted || (!accepted.error().interrupted() && !accepted.error().would_block()))
      return report(std::move(accepted));
    wait = true;
  }
}

void AcceptRange::next() noexcept {
  over_ = last_;
  if (over_)
    return;
  current_ = std::unexpected(Error()); // a connection that was not taken is closed before the wait
  current_ = accept_until(*listener_, deadline_, flags_);
  last_ = !current_ && accept_failure(current_.error()) == AcceptFailure::listener;
}

} // namespace baresock
