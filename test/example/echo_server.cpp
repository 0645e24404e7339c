// SPDX-License-Identifier: MIT
/// echo_server ADDRESS: sends back what it receives, to any number of peers at once, until SIGINT or SIGTERM.
///
///   echo_server 127.0.0.1:7000      echo_server /run/echo.sock
///   echo_server [::1]:0             echo_server @echo
///
/// A thread for each connection, and blocking calls: the simplest server there is, and good for some hundred peers.

#include <baresock/address.hpp>
#include <baresock/error.hpp>
#include <baresock/listen.hpp>
#include <baresock/socket.hpp>
#include <baresock/stream.hpp>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <exception>
#include <list>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <utility>

using baresock::Accepted;
using baresock::AcceptFailure;
using baresock::Error;
using baresock::Listener;
using baresock::Result;
using baresock::Socket;
using baresock::SocketAddress;

namespace {

void complain(const SocketAddress &address, Error error) {
  std::fprintf(stderr, "echo_server: %s: %s\n", address.text().c_str(), error.describe().c_str());
}

/// Serves one connection to its end.
Result<void> echo(const Socket &peer) {
  char buffer[16384];
  for (;;) {
    auto received = peer.recv(buffer);
    if (!received) {
      if (received.error().interrupted())
        continue;
      return std::unexpected(received.error());
    }
    if (received->size == 0) // the peer has no more to say
      return {};
    if (auto sent = send_all(peer, {buffer, received->size}); !sent)
      return std::unexpected(sent.error());
  }
}

class Server {
public:
  explicit Server(Listener listener) : listener_(std::move(listener)) {}

  /// Accepts and serves until stop(), or until accepting fails for good.
  Result<void> run() {
    for (;;) {
      auto accepted = accept_until(listener_.socket);

      std::unique_lock lock(mutex_);
      // A thread that has ended keeps its stack until it is joined: ~jthread() does that.
      auto joined = connections_.remove_if([](const Connection &connection) { return connection.ended; });
      if (stopping_)
        return {};
      if (accepted) {
        start(std::move(*accepted));
        continue;
      }
      switch (accept_failure(accepted.error())) {
      case AcceptFailure::peer: // one that was gone before it was accepted
        break;
      case AcceptFailure::later:
        // No descriptor or no memory: the peer stays in the queue. Trying again at once would most likely fail
        // again, so wait until a connection ends; not for ever, for what lacks may be another process's to free.
        if (joined == 0)
          changed_.wait_for(lock, std::chrono::seconds(1));
        break;
      case AcceptFailure::listener:
        return std::unexpected(accepted.error());
      }
    }
  }

  /// From another thread: run() returns, and so does every call that waits in a connection. Closing a descriptor
  /// would not wake who waits on it, and its number might by then be another's; shutdown(2) has neither fault.
  void stop() {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
    (void)listener_.socket.shutdown(SHUT_RDWR);
    for (const Connection &connection : connections_)
      (void)connection.peer.socket.shutdown(SHUT_RDWR); // fails where the peer has left already
  }

private:
  struct Connection {
    Accepted peer;
    bool ended = false;
    std::jthread thread; // the last member, so that it is joined before the others go
  };

  void start(Accepted peer) {
    SocketAddress address = peer.address;
    try {
      std::list<Connection> added;
      Connection &connection = added.emplace_back(std::move(peer));
      connection.thread = std::jthread([this, &connection] { serve(connection); });
      connections_.splice(connections_.end(), added);
    } catch (const std::exception &error) { // no thread or no memory: this peer is out of luck, the others go on
      std::fprintf(stderr, "echo_server: %s: %s\n", address.text().c_str(), error.what());
    }
  }

  void serve(Connection &connection) {
    if (auto served = echo(connection.peer.socket); !served)
      complain(connection.peer.address, served.error());
    // The peer waits for the end of the connection, so close it now and not when the thread is joined; under the
    // lock, lest stop() should shut down what gets the same number next.
    std::lock_guard lock(mutex_);
    (void)connection.peer.socket.close();
    connection.ended = true;
    changed_.notify_one();
  }

  Listener listener_;
  std::mutex mutex_; // for all below
  std::condition_variable changed_;
  bool stopping_ = false;
  std::list<Connection> connections_; // a list, so that each stays where its thread knows it
};

int serve(const SocketAddress &address) {
  auto failed = [&address](Error error) {
    complain(address, error);
    return 1;
  };

  // No handler: a handler could do next to nothing safely, and would come too early for a call that is about to
  // wait. Instead the signals are blocked, in every thread since threads inherit the mask, and wait for
  // sigwait(); from the beginning, so that none leaves a path behind.
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto listener = listen_on(address);
  if (!listener)
    return failed(listener.error());
  std::printf("listening on %s\n", listener->address.text().c_str());
  std::fflush(stdout);

  Server server(std::move(*listener));
  Result<void> result;
  std::jthread acceptor([&server, &result] {
    result = server.run();
    if (!result)
      ::kill(::getpid(), SIGTERM); // ends the wait below
  });

  int signal = 0;
  ::sigwait(&signals, &signal);
  server.stop();
  acceptor.join();
  if (!result)
    return failed(result.error());
  return 0;
} // ~Server joins the threads of the connections, and removes a path

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fputs("usage: echo_server ADDRESS\n", stderr);
    return 2;
  }
  auto address = SocketAddress::parse(argv[1]);
  if (!address) {
    std::fprintf(stderr, "echo_server: %s: %s\n", argv[1], address.error().describe().c_str());
    return 1;
  }
  int status = serve(*address);
  if (status == 0)
    std::puts("stopped");
  return status;
}
