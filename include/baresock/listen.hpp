// SPDX-License-Identifier: MIT
/// Listening and accepting.
///
///   auto listener = listen_on(8080);                            every address, IPv6 and IPv4
///   auto listener = listen_on("localhost", "http");
///   auto listener = listen_on("/run/x.sock", {.mode = 0660, .replace_stale = true});
///   for (auto &accepted : accept_each(listener->socket))        until the listener itself fails
///     if (accepted)
///       serve(std::move(accepted->socket));
///
/// None of it is one call.

#pragma once

#include <baresock/deadline.hpp>
#include <baresock/function.hpp>
#include <baresock/list.hpp>
#include <baresock/netdb.hpp>
#include <baresock/socket.hpp>

#include <cstddef>
#include <sys/types.h>
#include <type_traits>

namespace baresock {

/// How to listen. A plain struct: name what differs.
struct ListenOptions {
  int family = AF_UNSPEC; // AF_INET, AF_INET6: only addresses of it
  int type = SOCK_STREAM; // with SOCK_NONBLOCK, a nonblocking listener. SOCK_DGRAM is bound only
  int protocol = 0;
  int flags = 0;                     // AI_, to getaddrinfo(3), beside AI_PASSIVE
  int backlog = 128;                 // net.core.somaxconn is the most that the kernel takes
  bool reuse_address = true;         // SO_REUSEADDR, but of AF_UNIX
  bool reuse_port = false;           // SO_REUSEPORT
  bool ipv6_only = false;            // IPV6_V6ONLY, set either way
  TextView interface = {};           // SO_BINDTODEVICE
  int fast_open = 0;                 // TCP_FASTOPEN: how many; zero: none
  Seconds defer_accept = Seconds(0); // TCP_DEFER_ACCEPT; zero: not
  int mode = -1;                     // of a Unix path: 0600, 0660, 0666 …; -1: as umask(2) has it
  bool replace_stale = false;        // a Unix path on which nobody listens any more
  bool unlink = true;                // a Unix path, by the Listener's destructor
  /// Run on each socket before it is bound; its error is that of the address.
  Function<Result<void>(const Socket &socket, const SocketAddress &address)> before_bind = {};
};

/// A path that bind(2) made, to be removed: by remove() or the destructor, if the same inode is still there, and only
/// in the process that made it. Inode numbers are used again, so the socket has to be open until then. Move-only.
/// For one thread at a time.
class BoundPath {
public:
  constexpr BoundPath() noexcept = default;
  /// Of an address that was just bound; empty if it is no path. lstat(2).
  [[nodiscard]] static Result<BoundPath> of(const SocketAddress &address) noexcept;

  BoundPath(BoundPath &&other) noexcept;
  BoundPath &operator=(BoundPath &&other) noexcept;
  ~BoundPath();

  /// The path; empty if there is none, or no longer.
  [[nodiscard]] TextView path() const noexcept { return address_.name(); }
  /// unlink(2), once. Nothing, and no error, if another file is there, or none.
  [[nodiscard]] Result<void> remove() noexcept;
  /// Lets the path stay.
  void release() noexcept { address_ = {}; }

private:
  [[nodiscard]] bool ours() const noexcept;

  UnixAddress address_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  pid_t owner_ = 0;
};

/// A listening socket, where it listens, and what removes its path: before the socket is closed.
struct Listener {
  Listener() noexcept = default;
  Listener(Listener &&) noexcept = default;
  Listener &operator=(Listener &&other) noexcept;
  ~Listener() = default;

  Socket socket;
  SocketAddress address; // with the port that the kernel chose
  BoundPath path;        // the last member: goes first

  /// path.remove() and socket.close(): both, and the first error.
  [[nodiscard]] Result<void> close() noexcept;
};

/// An address that could not be listened on.
struct ListenAttempt {
  SocketAddress address;
  Error error;
};

/// The listener, or the last of the errors.
struct ListenResult : Result<Listener> {
  List<ListenAttempt> attempts; // those that failed, in order
};

namespace detail {

[[nodiscard]] ListenResult listen_on_port(int port, const ListenOptions &options) noexcept;

} // namespace detail

/// socket(2), the options, bind(2) and listen(2), for each of the host's addresses until one succeeds. No host: every
/// address, of IPv6 with IPv4 on one socket or, where there is no IPv6 and not `ipv6_only`, of IPv4.
[[nodiscard]] ListenResult listen_on(Host host, Service service, const ListenOptions &options = {}) noexcept;

/// The same without a host. ERANGE for a port above 65535 or below 0; 0: one of the kernel's choice.
template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>)
[[nodiscard]] ListenResult listen_on(T port, const ListenOptions &options = {}) noexcept {
  return detail::listen_on_port(Service(port).port(), options);
}

/// The same on one address. Of a Unix path: fchmod(2), and chmod(2) before it is listened on. With replace_stale, a
/// socket at the path that refuses connections is removed: under a flock(2) of its directory, so that of two that do
/// this one gets EADDRINUSE.
[[nodiscard]] ListenResult listen_on(const SocketAddress &address, const ListenOptions &options = {}) noexcept;

/// The same on one address as SocketAddress::parse() reads it: "127.0.0.1:80", "[::1]:80", "/run/x.sock",
/// "@abstract".
template <class T>
  requires std::is_convertible_v<const T &, TextView>
[[nodiscard]] ListenResult listen_on(const T &text, const ListenOptions &options = {}) noexcept {
  auto address = SocketAddress::parse(text);
  if (!address)
    return {Result<Listener>(std::unexpected(address.error())), {}};
  return listen_on(*address, options);
}

/// A socket that this process was started with.
struct InheritedSocket {
  Socket socket;
  Text<256> name;         // of LISTEN_FDNAMES; "unknown" without
  bool listening = false; // SO_ACCEPTCONN
};

/// sd_listen_fds(3): the sockets from descriptor 3 on that LISTEN_FDS tells of, if LISTEN_PID is this process; then
/// close-on-exec, and the variables are gone: call it before there are threads. EINVAL for what is no number; EBADF
/// or ENOTSOCK if one of them is no socket: none is taken then, and the variables stay.
[[nodiscard]] Result<List<InheritedSocket>> inherited_sockets() noexcept;

/// What an error of accept(2) is about.
enum class AcceptFailure : std::uint8_t {
  peer,     // a connection that is gone (ECONNABORTED, EPROTO, ENETDOWN …): accept the next
  later,    // what lacks may come: EMFILE, ENFILE, ENOBUFS, ENOMEM (wait, the peer stays in the queue); EAGAIN, EINTR
  listener, // anything else: there is nothing more to accept
};
[[nodiscard]] AcceptFailure accept_failure(Error error) noexcept;

/// accept4(2), past signals, with a deadline. Then it asks SO_ACCEPTCONN and waits with ppoll(2) before: if others
/// accept from the same listener, set it nonblocking, or else it may wait longer for a connection that another took.
/// `flags`: SOCK_NONBLOCK. EINVAL for a socket that does not listen, of any type.
[[nodiscard]] Result<Accepted> accept_until(const Socket &listener, const Deadline &deadline = {},
                                            int flags = 0) noexcept;

/// An input range over accept_until(): every connection and every error, the last of which is the listener's own, or
/// ETIMEDOUT or ECANCELED. After one that says "later", wait before the next. For one thread at a time.
class AcceptRange {
public:
  AcceptRange(const Socket &listener, const Deadline &deadline, int flags) noexcept
      : listener_(&listener), deadline_(deadline), flags_(flags) {}

  struct End {};
  class Iterator {
  public:
    using value_type = Result<Accepted>;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(AcceptRange &range) noexcept : range_(&range) {}
    [[nodiscard]] Result<Accepted> &operator*() const noexcept { return range_->current_; }
    Iterator &operator++() noexcept {
      range_->next();
      return *this;
    }
    void operator++(int) noexcept { range_->next(); }
    [[nodiscard]] bool operator==(End) const noexcept { return range_->over_; }

  private:
    AcceptRange *range_;
  };

  /// Accepts the first.
  [[nodiscard]] Iterator begin() noexcept {
    next();
    return Iterator(*this);
  }
  [[nodiscard]] static End end() noexcept { return {}; }

private:
  void next() noexcept;

  const Socket *listener_;
  Deadline deadline_;
  int flags_;
  bool last_ = false; // current_ is
  bool over_ = false;
  Result<Accepted> current_ = std::unexpected(Error());
};

/// See AcceptRange. The deadline is for the whole.
[[nodiscard]] inline AcceptRange accept_each(const Socket &listener, const Deadline &deadline = {},
                                             int flags = 0) noexcept {
  return {listener, deadline, flags};
}
AcceptRange accept_each(Socket &&listener, const Deadline &deadline = {}, int flags = 0) = delete;

} // namespace baresock
