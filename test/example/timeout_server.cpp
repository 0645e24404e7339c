// SPDX-License-Identifier: MIT
/// timeout_server ADDRESS SECONDS: answers requests in capitals, until SIGINT or SIGTERM; timeout_client asks.
///
///   timeout_server 127.0.0.1:7001 5      timeout_server /run/capitals.sock 0.5
///
/// A request is a text after its length, of 16 bits in network byte order; so is an answer. A peer that asks nothing
/// for so long is dropped; so is one that takes longer to ask and to take the answer, however busy it looks.

#include <baresock/deadline.hpp>
#include <baresock/error.hpp>
#include <baresock/listen.hpp>
#include <baresock/poll.hpp>
#include <baresock/socket.hpp>
#include <baresock/stream.hpp>

#include <atomic>
#include <cctype>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <list>
#include <string>
#include <sys/signalfd.h>
#include <thread>
#include <utility>

using baresock::Accepted;
using baresock::ConstBuffer;
using baresock::Deadline;
using baresock::Error;
using baresock::Result;
using baresock::Socket;
using namespace std::chrono_literals;

namespace {

/// How long an exchange may take, and what ends all waiting.
struct Patience {
  std::chrono::nanoseconds time;
  int stop;

  [[nodiscard]] Deadline deadline() const { return Deadline(time).cancelled_by(stop); }
};

/// Serves one connection to its end, and closes it.
Result<void> serve(Socket &peer, const Patience &patience) {
  for (;;) {
    // Up to its first byte a request is waited for so long; from there on one deadline is for the whole exchange.
    if (auto ready = wait_for(peer, POLLIN, patience.deadline()); !ready)
      return std::unexpected(ready.error());
    const Deadline deadline = patience.deadline();
    unsigned char length[2];
    if (auto asked = recv_exact(peer, length, deadline); !asked) {
      if (asked.error().is(ENODATA) && asked.size == 0) // no more requests
        return finish(peer, {}, deadline);
      return asked;
    }
    std::string text(std::size_t{length[0]} << 8 | length[1], '\0');
    if (auto asked = recv_exact(peer, text, deadline); !asked)
      return asked;
    for (char &c : text)
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const ConstBuffer answer[] = {length, text};
    if (auto answered = send_all(peer, answer, deadline); !answered)
      return answered;
  }
}

struct Connection {
  Accepted peer;
  std::atomic<bool> ended = false;
  std::jthread thread; // the last member, so that it is joined before the others go

  Connection(Accepted accepted, const Patience &patience) : peer(std::move(accepted)) {
    thread = std::jthread([this, patience] {
      if (auto served = serve(peer.socket, patience); !served && !served.error().is(ECANCELED))
        std::fprintf(stderr, "timeout_server: %s: %s\n", peer.address.text().c_str(),
                     served.error().describe().c_str());
      (void)peer.socket.close();
      ended = true;
    });
  }
};

Result<void> run(const Socket &listener, const Patience &patience) {
  std::list<Connection> connections; // a list, so that each stays where its thread knows it
  for (auto &accepted : accept_each(listener, Deadline().cancelled_by(patience.stop))) {
    // A thread that has ended keeps its stack until it is joined: ~jthread() does that.
    connections.remove_if([](const Connection &connection) { return connection.ended.load(); });
    if (accepted) {
      try {
        connections.emplace_back(std::move(*accepted), patience);
      } catch (const std::exception &error) { // no thread or no memory: this peer is out of luck
        std::fprintf(stderr, "timeout_server: %s\n", error.what());
      }
    } else if (accept_failure(accepted.error()) == baresock::AcceptFailure::later) {
      pollfd item = {patience.stop, POLLIN, 0}; // no descriptor or no memory: perhaps there will be
      (void)baresock::poll({&item, 1}, 100ms);
    } else if (accept_failure(accepted.error()) == baresock::AcceptFailure::listener) {
      if (!accepted.error().is(ECANCELED))
        return std::unexpected(accepted.error());
    }
  }
  return {};
}

} // namespace

int main(int argc, char **argv) {
  char *end = nullptr;
  const double seconds = argc == 3 ? std::strtod(argv[2], &end) : 0;
  if (argc != 3 || *end != '\0' || !(seconds > 0)) {
    std::fputs("usage: timeout_server ADDRESS SECONDS\n", stderr);
    return 2;
  }
  auto failed = [argv](Error error) {
    std::fprintf(stderr, "timeout_server: %s: %s\n", argv[1], error.describe().c_str());
    return 1;
  };

  // Blocked, in every thread since threads inherit the mask, the signals make this descriptor readable. Nobody reads
  // it, so everybody who waits sees that it is time to stop.
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const baresock::FileDescriptor stop(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (stop.fd() < 0) {
    std::perror("timeout_server: signalfd");
    return 1;
  }

  auto listener = baresock::listen_on(argv[1]);
  if (!listener)
    return failed(listener.error());
  std::printf("listening on %s\n", listener->address.text().c_str());
  std::fflush(stdout);
  // Of what no deadline can be, a year will do.
  const std::chrono::milliseconds time(std::llround(std::fmin(seconds, 3e7) * 1000));
  if (auto ran = run(listener->socket, {time, stop.fd()}); !ran)
    return failed(ran.error());
  std::puts("stopped");
  return 0;
}
