// SPDX-License-Identifier: MIT
/// forwarder LISTEN TO [SECONDS]: connects whoever comes to LISTEN with TO, until SIGINT or SIGTERM. A connection on
/// which nothing moves for so long (60 seconds) is reset.
///
///   forwarder 127.0.0.1:8080 /run/server.sock      forwarder [::]:2222 192.0.2.1:22 3600
///
/// A thread for each connection. Each of the two directions ends by itself: a client that has no more to ask still
/// gets its answer.

#include <baresock/connect.hpp>
#include <baresock/deadline.hpp>
#include <baresock/error.hpp>
#include <baresock/listen.hpp>
#include <baresock/poll.hpp>
#include <baresock/socket.hpp>
#include <baresock/stream.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <list>
#include <sys/signalfd.h>
#include <thread>
#include <utility>

using baresock::Accepted;
using baresock::Deadline;
using baresock::Error;
using baresock::Operation;
using baresock::Result;
using baresock::Socket;
using baresock::SocketAddress;
using namespace std::chrono_literals;

namespace {

void complain(const char *who, Error error) {
  std::fprintf(stderr, "forwarder: %s: %s\n", who, error.describe().c_str());
}

/// One direction: what was received from one socket and is to be sent to the other.
class Flow {
public:
  Flow(const Socket &from, const Socket &to) : from_(from), to_(to) {}

  /// What to wait for, of either socket. While something is left to be sent, nothing is received: who sends faster
  /// than the other receives has to wait.
  [[nodiscard]] short of_from() const { return !ended_ && begin_ == end_ ? POLLIN : 0; }
  [[nodiscard]] short of_to() const { return begin_ != end_ ? POLLOUT : 0; }
  [[nodiscard]] bool done() const { return ended_ && begin_ == end_; }

  /// Does what can be done now, without waiting: has anything moved?
  Result<bool> move() {
    if (done())
      return false;
    if (begin_ == end_) {
      auto received = from_.recv(data_, MSG_DONTWAIT);
      if (!received)
        return nothing_yet(received.error());
      begin_ = 0;
      end_ = received->size;
      if (end_ == 0) {
        ended_ = true;
        if (auto shut = to_.shutdown(SHUT_WR); !shut) // passes the end on; the other direction stays
          return std::unexpected(shut.error());
        return true;
      }
    }
    auto sent = to_.send({data_ + begin_, end_ - begin_}, MSG_DONTWAIT);
    if (!sent)
      return nothing_yet(sent.error());
    begin_ += *sent;
    return true;
  }

private:
  static Result<bool> nothing_yet(Error error) {
    if (error.would_block() || error.interrupted())
      return false;
    return std::unexpected(error);
  }

  const Socket &from_;
  const Socket &to_;
  char data_[65536];
  std::size_t begin_ = 0, end_ = 0; // of data_, what is still to be sent
  bool ended_ = false;
};

/// Until both directions have ended, `stop` is readable, or nothing has moved for that time.
Result<void> forward(const Socket &client, const Socket &server, int stop, std::chrono::nanoseconds idle) {
  Flow request(client, server), answer(server, client);
  Deadline deadline = idle;
  while (!request.done() || !answer.done()) {
    const short of_client = static_cast<short>(request.of_from() | answer.of_to());
    const short of_server = static_cast<short>(answer.of_from() | request.of_to());
    // Of a socket from which nothing is wanted not even a hang-up is: poll(2) would tell of it again and again.
    pollfd items[] = {{of_client != 0 ? client.fd() : -1, of_client, 0},
                      {of_server != 0 ? server.fd() : -1, of_server, 0},
                      {stop, POLLIN, 0}};
    auto ready = baresock::poll(items, deadline);
    if (!ready && !ready.error().interrupted())
      return std::unexpected(ready.error());
    if (items[2].revents != 0)
      return std::unexpected(Error(ECANCELED, Operation::poll));
    if (ready && *ready == 0)
      return std::unexpected(Error(ETIMEDOUT, Operation::poll));
    for (Flow *flow : {&request, &answer}) {
      auto moved = flow->move();
      if (!moved)
        return std::unexpected(moved.error());
      if (*moved)
        deadline = idle;
    }
  }
  return {};
}

class Forwarder {
public:
  Forwarder(const char *to, int stop, std::chrono::nanoseconds idle) : to_(to), stop_(stop), idle_(idle) {}

  /// Accepts until `stop` is readable, or the listener fails.
  Result<void> run(const Socket &listener) {
    for (auto &accepted : baresock::accept_each(listener, Deadline().cancelled_by(stop_))) {
      // A thread that has ended keeps its stack until it is joined: ~jthread() does that.
      connections_.remove_if([](const Connection &connection) { return connection.ended.load(); });
      if (accepted) {
        start(std::move(*accepted));
        continue;
      }
      switch (baresock::accept_failure(accepted.error())) {
      case baresock::AcceptFailure::peer:
        break;
      case baresock::AcceptFailure::later: { // no descriptor or no memory: perhaps there will be
        pollfd item = {stop_, POLLIN, 0};
        (void)baresock::poll({&item, 1}, 100ms);
        break;
      }
      case baresock::AcceptFailure::listener:
        if (accepted.error().is(ECANCELED))
          return {};
        return std::unexpected(accepted.error());
      }
    }
    return {};
  }

private:
  struct Connection {
    Accepted client;
    std::atomic<bool> ended = false;
    std::jthread thread; // the last member, so that it is joined before the others go

    explicit Connection(Accepted accepted) : client(std::move(accepted)) {}
  };

  void start(Accepted client) {
    try {
      Connection &connection = connections_.emplace_back(std::move(client));
      connection.thread = std::jthread([this, &connection] { serve(connection); });
    } catch (const std::exception &error) { // no thread or no memory: this peer is out of luck
      std::fprintf(stderr, "forwarder: %s\n", error.what());
    }
  }

  void serve(Connection &connection) const {
    Socket &client = connection.client.socket;
    auto server = baresock::connect_to(to_, {.deadline = Deadline(10s).cancelled_by(stop_)});
    if (!server && !server.error().is(ECANCELED))
      complain(to_, server.error());
    Result<void> forwarded = server ? forward(client, *server, stop_, idle_) : std::unexpected(server.error());
    if (!forwarded) {
      // An end would say that all is there. AF_UNIX has no resets: its sockets are closed below.
      (void)baresock::reset_and_close(client);
      if (server) {
        (void)baresock::reset_and_close(*server);
        if (!forwarded.error().is(ECANCELED))
          complain(connection.client.address.text().c_str(), forwarded.error());
      }
    }
    (void)client.close();
    connection.ended = true;
  }

  const char *to_;
  int stop_;
  std::chrono::nanoseconds idle_;
  std::list<Connection> connections_; // a list, so that each stays where its thread knows it
};

int serve(const char *at, const char *to, std::chrono::nanoseconds idle) {
  // Blocked, in every thread since threads inherit the mask, the signals make this descriptor readable. Nobody reads
  // it, so everybody who waits sees that it is time to stop.
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const baresock::FileDescriptor stop(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (stop.fd() < 0) {
    std::perror("forwarder: signalfd");
    return 1;
  }

  auto listener = baresock::listen_on(at);
  if (!listener) {
    complain(at, listener.error());
    return 1;
  }
  std::printf("listening on %s\n", listener->address.text().c_str());
  std::fflush(stdout);
  if (auto ran = Forwarder(to, stop.fd(), idle).run(listener->socket); !ran) {
    complain(at, ran.error());
    return 1;
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  char *end = nullptr;
  const double seconds = argc == 4 ? std::strtod(argv[3], &end) : 60;
  if (argc < 3 || argc > 4 || (argc == 4 && (end == argv[3] || *end != '\0')) || !(seconds > 0)) {
    std::fputs("usage: forwarder LISTEN TO [SECONDS]\n", stderr);
    return 2;
  }
  if (auto address = SocketAddress::parse(argv[2]); !address) {
    complain(argv[2], address.error());
    return 1;
  }
  // Of what no deadline can be, a year will do.
  const int status = serve(argv[1], argv[2], std::chrono::milliseconds(std::llround(std::fmin(seconds, 3e7) * 1000)));
  if (status == 0)
    std::puts("stopped");
  return status;
}
