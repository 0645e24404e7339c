// SPDX-License-Identifier: MIT
/// limited_server ADDRESS LIMIT: sends back what it receives, to at most so many peers at once. The next one is
/// dropped: accepted, told of, and reset. Until SIGINT or SIGTERM.
///
///   limited_server 127.0.0.1:7000 2
///
/// A peer over the limit that were left in the queue would wait without a word; one that is reset knows at once.
/// One thread and poll(2), so that the counter is simply how many there are.

#include <baresock/error.hpp>
#include <baresock/listen.hpp>
#include <baresock/poll.hpp>
#include <baresock/stream.hpp>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <sys/signalfd.h>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using baresock::Accepted;
using baresock::AcceptFailure;
using baresock::Deadline;
using baresock::Error;
using baresock::FileDescriptor;
using baresock::Result;
using baresock::Socket;

namespace {

int complain(const char *about, Error error) {
  std::fprintf(stderr, "limited_server: %s: %s\n", about, error.describe().c_str());
  return 1;
}

/// Sends back what is there; false at the end of the connection.
bool echo(const Accepted &peer) {
  char buffer[16384];
  auto received = peer.socket.recv(buffer, MSG_DONTWAIT);
  if (!received)
    return received.error().would_block() || received.error().interrupted();
  if (received->size == 0)
    return false;
  // The others wait as long as this one does not read: not for long.
  return send_all(peer.socket, {buffer, received->size}, 1s).has_value();
}

class Server {
public:
  Server(const Socket &listener, std::size_t limit) : listener_(listener), limit_(limit) {}

  /// Until `stop` is readable, or accepting fails for good.
  Result<void> run(int stop) {
    std::vector<pollfd> items;
    for (;;) {
      items = {{stop, POLLIN, 0}, {exhausted_ ? -1 : listener_.fd(), POLLIN, 0}};
      for (const Accepted &peer : peers_)
        items.push_back({peer.socket.fd(), POLLIN, 0});
      auto ready = baresock::poll(items, exhausted_ ? Deadline(100ms) : Deadline());
      if (!ready && !ready.error().interrupted())
        return std::unexpected(ready.error());
      exhausted_ = false;
      if (items[0].revents != 0)
        return {};
      for (std::size_t i = peers_.size(); i-- > 0;) // from the last on: one that leaves moves those after it
        if (items[i + 2].revents != 0 && !echo(peers_[i])) {
          say("left", peers_[i]);
          peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(i));
        }
      if (items[1].revents != 0)
        if (auto accepted = accept(); !accepted)
          return accepted;
    }
  }

private:
  Result<void> accept() {
    auto accepted = accept_until(listener_, 0s);
    if (!accepted) {
      const Error error = accepted.error();
      if (error.timed_out()) // it has left, or another process was first
        return {};
      // Without a descriptor the peer stays in the queue, and the listener ready: look again in a while.
      exhausted_ = accept_failure(error) == AcceptFailure::later;
      return accept_failure(error) == AcceptFailure::listener ? Result<void>(std::unexpected(error)) : Result<void>();
    }
    if (peers_.size() < limit_) {
      peers_.push_back(std::move(*accepted));
      say("serving", peers_.back());
      return {};
    }
    say("dropped", *accepted);
    (void)reset_and_close(accepted->socket); // of AF_UNIX there is no reset: then the destructor closes it
    return {};
  }

  void say(const char *what, const Accepted &peer) const {
    std::printf("%s %s, %zu of %zu\n", what, peer.address.text().c_str(), peers_.size(), limit_);
    std::fflush(stdout);
  }

  const Socket &listener_;
  std::size_t limit_;
  bool exhausted_ = false;
  std::vector<Accepted> peers_;
};

int serve(const char *address, std::size_t limit) {
  // Blocked, and read from a descriptor instead: one more that poll(2) waits for.
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const FileDescriptor stop(::signalfd(-1, &signals, SFD_CLOEXEC));

  auto listener = baresock::listen_on(address, {.type = SOCK_STREAM | SOCK_NONBLOCK, .replace_stale = true});
  if (!listener)
    return complain(address, listener.error());
  std::printf("listening on %s\n", listener->address.text().c_str());
  std::fflush(stdout);
  Server server(listener->socket, limit);
  if (auto result = server.run(stop.fd()); !result)
    return complain(address, result.error());
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  std::size_t limit = 0;
  if (argc == 3) {
    const char *end = argv[2] + std::strlen(argv[2]);
    if (auto read = std::from_chars(argv[2], end, limit); read.ec != std::errc() || read.ptr != end)
      argc = 0;
  }
  if (argc != 3) {
    std::fputs("usage: limited_server ADDRESS LIMIT\n", stderr);
    return 2;
  }
  const int status = serve(argv[1], limit);
  if (status == 0)
    std::puts("stopped");
  return status;
}
