// SPDX-License-Identifier: MIT

#include "wait.hpp"

#include <baresock/connect.hpp>
#include <baresock/option.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <netinet/in.h>
#include <utility>

namespace baresock {

namespace {

constexpr long long millisecond = 1'000'000;

/// A connection that a nonblocking socket is making.
class Connecting {
public:
  /// connect(2): true if it stands, false if it is being made.
  Result<bool> start(const Socket &socket, const SocketAddress &address) noexcept {
    again_ = detail::duration_max;
    auto made = socket.connect(address);
    if (made)
      return true;
    const Error error = made.error();
    if (address.family() == AF_UNIX && (error.would_block() || error.interrupted())) {
      // The backlog is full and nothing is in progress, whatever poll(2) says. Nothing tells when there is room, so
      // ask again, not too often.
      pause_ = std::clamp(2 * pause_, millisecond, 16 * millisecond);
      again_ = detail::now() + pause_;
      return false;
    }
    if (!error.in_progress() && !error.interrupted())
      return std::unexpected(error);
    return false;
  }

  /// What to wait for, and until when at most.
  [[nodiscard]] pollfd item(const Socket &socket) const noexcept {
    return {again_ == detail::duration_max ? socket.fd() : -1, POLLOUT, 0};
  }
  [[nodiscard]] long long again() const noexcept { return again_; }

  /// After that: as start().
  Result<bool> look(const Socket &socket, const SocketAddress &address, const pollfd &item) noexcept {
    if (again_ != detail::duration_max)
      return detail::now() >= again_ ? start(socket, address) : false;
    if (item.revents == 0)
      return false;
    auto code = socket.getsockopt(so::error);
    if (!code)
      return std::unexpected(code.error());
    if (*code != 0)
      return std::unexpected(detail::fail(Operation::connect, *code));
    return true;
  }

private:
  long long again_ = detail::duration_max; // when to call connect(2) again
  long long pause_ = 0;
};

/// RFC 8305, section 4: the first address, then one of the other family, and so on; each once.
Result<List<SocketAddress>> interleave(const List<SocketAddress> &found, int family) noexcept {
  List<SocketAddress> candidates;
  auto next = [&](std::size_t &at, bool like_first) -> const SocketAddress * {
    for (; at < found.size(); ++at) {
      const SocketAddress &address = found[at];
      if ((family == AF_UNSPEC || address.family() == family) &&
          (address.family() == found[0].family()) == like_first &&
          std::ranges::find(candidates, address) == candidates.end())
        return &found[at++];
    }
    return nullptr;
  };
  std::size_t first = 0, other = 0;
  for (bool more = true; more;) {
    more = false;
    for (const SocketAddress *address : {next(first, true), next(other, false)})
      if (address != nullptr) {
        more = true;
        if (auto added = candidates.append(*address); !added)
          return std::unexpected(added.error());
      }
  }
  return candidates;
}

/// The address that a candidate's socket is bound to; none if to none.
SocketAddress local_address(const ConnectOptions &options, int family) noexcept {
  SocketAddress local = options.local;
  if (local.family() == AF_UNSPEC && options.local_port != 0 && family == AF_INET)
    local = Inet4Address{};
  else if (local.family() == AF_UNSPEC && options.local_port != 0 && family == AF_INET6)
    local = Inet6Address{};
  return options.local_port != 0 ? local.with_port(options.local_port) : local;
}

Result<void> bind_local(const Socket &socket, const ConnectOptions &options, int family) noexcept {
  const SocketAddress local = local_address(options, family);
  if (local.family() == AF_UNSPEC)
    return {};
  if (family == AF_INET || family == AF_INET6) {
    // Without a port, the kernel chooses one that is free for this peer, not one that is free for all. With one, each
    // of several attempts is bound to it.
    if (local.port() == 0)
      (void)socket.setsockopt(ip::bind_address_no_port, true); // does without where the kernel does not know it
    else if (auto set = socket.setsockopt(so::reuseaddr, true); !set)
      return set;
  }
  return socket.bind(local);
}

Result<void> prepare(const Socket &socket, const ConnectOptions &options, const SocketAddress &address) noexcept {
  if (!options.interface.empty())
    if (auto set = socket.setsockopt(so::bindtodevice, options.interface); !set)
      return set;
  const bool inet = address.family() == AF_INET || address.family() == AF_INET6;
  if (inet && options.keep_alive.on)
    if (auto set = set_keepalive(socket, options.keep_alive); !set)
      return set;
  if (inet && options.no_delay)
    if (auto set = socket.setsockopt(tcp::nodelay, true); !set)
      return set;
  if (options.before_connect)
    if (auto run = options.before_connect(socket, address); !run)
      return run;
  return bind_local(socket, options, address.family());
}

/// The attempts, while they are made.
class Race {
public:
  Race(const ConnectOptions &options, long long begin) noexcept : options_(options), begin_(begin) {}

  ConnectResult run(const List<SocketAddress> &candidates) noexcept {
    Result<Socket> winner = compete(candidates);
    for (std::size_t i = 0; i < runners_.size(); ++i)
      if (runners_[i].socket)
        end(i, Error(winner ? ECANCELED : winner.error().code(), Operation::connect_to));
    return {std::move(winner), std::move(attempts_)};
  }

private:
  struct Runner {
    Socket socket; // none: the attempt has come to its end
    Connecting connecting;
  };

  Result<Socket> compete(const List<SocketAddress> &candidates) noexcept {
    const long long deadline = detail::end_of(options_.deadline);
    const long long delay = std::max(Nanoseconds(options_.attempt_delay).count(), 10 * millisecond);
    for (bool first = true; first || running_ != 0 || attempts_.size() < candidates.size(); first = false) {
      if (auto going = detail::go_on(options_.deadline, Operation::connect_to); !going)
        return std::unexpected(going.error());

      long long time = deadline;
      if (const std::size_t next = attempts_.size();
          next < candidates.size() && (first || !options_.deadline.passed())) {
        if (detail::now() >= next_start_) {
          if (__builtin_add_overflow(detail::now(), delay, &next_start_))
            next_start_ = detail::duration_max;
          if (auto entered = enter(candidates[next]); !entered)
            return std::unexpected(entered.error());
          if (arrived(next, start(next)))
            return std::move(runners_[next].socket);
          continue;
        }
        time = std::min(time, next_start_);
      }

      items_[0] = {options_.deadline.cancel_fd(), POLLIN, 0};
      for (std::size_t i = 0; i < runners_.size(); ++i) {
        const Runner &runner = runners_[i];
        items_[i + 1] = runner.connecting.item(runner.socket);
        if (runner.socket)
          time = std::min(time, runner.connecting.again());
      }
      if (auto ready = detail::wait_until(items_, time); !ready)
        return std::unexpected(ready.error());
      if (auto checked = detail::check_cancel(items_[0], Operation::connect_to); !checked)
        return std::unexpected(checked.error());
      for (std::size_t i = 0; i < runners_.size(); ++i)
        if (Runner &runner = runners_[i];
            runner.socket && arrived(i, runner.connecting.look(runner.socket, attempts_[i].address, items_[i + 1])))
          return std::move(runner.socket);
      if (options_.deadline.passed() && (running_ != 0 || attempts_.size() < candidates.size()))
        return std::unexpected(detail::fail(Operation::connect_to, ETIMEDOUT));
    }
    return std::unexpected(last_);
  }

  /// A place for an attempt.
  Result<void> enter(const SocketAddress &address) noexcept {
    const Nanoseconds now(detail::now() - begin_);
    if (items_.empty()) // the first is what cancels
      if (auto added = items_.append({}); !added)
        return added;
    if (auto added = items_.append({}); !added)
      return added;
    if (auto added = runners_.append({}); !added)
      return added;
    ++running_;
    return attempts_.append({address, Error(), now, now});
  }

  Result<bool> start(std::size_t i) noexcept {
    const SocketAddress &address = attempts_[i].address;
    if (options_.blocked && options_.blocked(address))
      return std::unexpected(detail::fail(Operation::connect_to, EPERM));
    auto socket = Socket::socket(address.family(), options_.type | SOCK_NONBLOCK, options_.protocol);
    if (!socket)
      return std::unexpected(socket.error());
    if (auto prepared = prepare(*socket, options_, address); !prepared)
      return std::unexpected(prepared.error());
    runners_[i].socket = std::move(*socket);
    return runners_[i].connecting.start(runners_[i].socket, address);
  }

  /// Does the connection stand? If it failed, the next is started at once.
  bool arrived(std::size_t i, Result<bool> connected) noexcept {
    if (connected && !*connected)
      return false;
    if (connected && (options_.type & SOCK_NONBLOCK) == 0)
      if (auto set = runners_[i].socket.set_nonblocking(false); !set)
        connected = std::unexpected(set.error());
    if (connected) {
      attempts_[i].ended = Nanoseconds(detail::now() - begin_);
      return true;
    }
    last_ = connected.error();
    next_start_ = 0;
    end(i, last_);
    return false;
  }

  void end(std::size_t i, Error error) noexcept {
    attempts_[i].error = error;
    attempts_[i].ended = Nanoseconds(detail::now() - begin_);
    runners_[i].socket = Socket();
    --running_;
  }

  const ConnectOptions &options_;
  long long begin_;
  long long next_start_ = 0;
  Error last_;
  std::size_t running_ = 0;
  List<ConnectAttempt> attempts_;
  List<Runner> runners_; // one for each of attempts_
  List<pollfd> items_;   // likewise, after that of the descriptor that cancels
};

Result<List<SocketAddress>> resolve(Host host, Service service, const AddressHints &hints) noexcept {
  auto found = getaddrinfo(host, service, hints);
  if (!found)
    return std::unexpected(found.error());
  List<SocketAddress> addresses;
  for (const AddressInfo &info : *found)
    if (auto added = addresses.append(info.address); !added)
      return std::unexpected(added.error());
  return addresses;
}

ConnectResult failed(detail::Report &report, Error error) noexcept { return {Result<Socket>(report(error)), {}}; }

/// The race between what `find` gives.
template <class Find>
ConnectResult connect(const ConnectOptions &options, Find &&find) noexcept {
  const long long begin = detail::now();
  detail::Report report;
  if (options.attempt_delay.count() < 0)
    return failed(report, Error(EINVAL, Operation::connect_to));
  if (auto going = detail::go_on(options.deadline, Operation::connect_to); !going)
    return failed(report, going.error());
  Result<List<SocketAddress>> found = find();
  if (!found)
    return failed(report, found.error());
  const int family = options.local.family();
  if (family != AF_UNSPEC && options.family != AF_UNSPEC && family != options.family)
    return failed(report, Error(EAFNOSUPPORT, Operation::connect_to));
  auto candidates = interleave(*found, family != AF_UNSPEC ? family : options.family);
  if (!candidates)
    return failed(report, candidates.error());
  if (candidates->empty())
    return failed(report, Error(EAFNOSUPPORT, Operation::connect_to));
  ConnectResult result = Race(options, begin).run(*candidates);
  if (!result)
    static_cast<Result<Socket> &>(result) = report(result.error());
  return result;
}

} // namespace

ConnectResult connect_to(Host host, Service service, const ConnectOptions &options) noexcept {
  return connect(options, [&] {
    const AddressHints hints = {options.flags, options.family, options.type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), 0};
    return options.resolver ? options.resolver(host, service, hints) : resolve(host, service, hints);
  });
}

ConnectResult connect_to(const SocketAddress &address, const ConnectOptions &options) noexcept {
  return connect(options, [&]() -> Result<List<SocketAddress>> {
    List<SocketAddress> found;
    if (auto added = found.append(address); !added)
      return std::unexpected(added.error());
    return found;
  });
}

Result<void> connect_until(const Socket &socket, const SocketAddress &address, const Deadline &deadline) noexcept {
  detail::Report report;
  if (auto going = detail::go_on(deadline, Operation::connect_until); !going)
    return report(going.error());
  auto nonblocking = socket.nonblocking();
  if (!nonblocking)
    return report(nonblocking.error());
  if (!*nonblocking)
    if (auto set = socket.set_nonblocking(true); !set)
      return report(set.error());

  Connecting connecting;
  auto connected = connecting.start(socket, address);
  while (connected && !*connected) {
    pollfd items[] = {connecting.item(socket), {deadline.cancel_fd(), POLLIN, 0}};
    auto ready = detail::wait_until(items, std::min(detail::end_of(deadline), connecting.again()));
    if (!ready)
      connected = std::unexpected(ready.error());
    else if (auto checked = detail::check_cancel(items[1], Operation::connect_until); !checked)
      connected = std::unexpected(checked.error());
    else if (connected = connecting.look(socket, address, items[0]); connected && !*connected && deadline.passed())
      connected = std::unexpected(detail::fail(Operation::connect_until, ETIMEDOUT));
  }

  if (!*nonblocking)
    if (auto set = socket.set_nonblocking(false); !set && connected)
      return report(set.error());
  if (!connected)
    return report(connected.error());
  return {};
}

} // namespace baresock
