// SPDX-License-Identifier: MIT
/// preforked_server ADDRESS [PROCESSES]: processes, 4 of them unless told, that accept from one listener. Each tells
/// its peer which it is and ends the connection. One that a signal kills is replaced. Until SIGINT or SIGTERM, after
/// which each ends what it has begun.
///
///   preforked_server 127.0.0.1:7000      preforked_server /run/who.sock 8
///
/// The listener is nonblocking: a connection wakes several, and those that come too late wait for the next.

#include <baresock/error.hpp>
#include <baresock/listen.hpp>
#include <baresock/poll.hpp>
#include <baresock/stream.hpp>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <set>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using baresock::accept_until;
using baresock::AcceptFailure;
using baresock::Deadline;
using baresock::Error;
using baresock::Socket;

namespace {

int complain(const char *about, const char *what) {
  std::fprintf(stderr, "preforked_server: %s: %s\n", about, what);
  return 1;
}

/// What a child does, until `stop` is readable.
int serve(const Socket &listener, const Socket &stop) {
  const std::string greeting = "process " + std::to_string(::getpid()) + "\n";
  for (;;) {
    auto accepted = accept_until(listener, Deadline().cancelled_by(stop.fd()));
    if (accepted) {
      if (auto done = finish(accepted->socket, greeting, 10s); !done)
        complain(accepted->address.text().c_str(), done.error().describe().c_str());
      continue;
    }
    const Error error = accepted.error();
    if (error.is(ECANCELED))
      return 0;
    switch (accept_failure(error)) {
    case AcceptFailure::peer:
      break;
    case AcceptFailure::later: // the peer stays in the queue, and another of us may have what lacks here
      (void)wait_for(stop, POLLIN, 100ms);
      break;
    case AcceptFailure::listener:
      return complain("listener", error.describe().c_str());
    }
  }
}

class Processes {
public:
  Processes(const Socket &listener, const Socket &stop, Socket &go_on)
      : listener_(listener), stop_(stop), go_on_(go_on) {}

  bool start() {
    const pid_t child = ::fork();
    if (child == 0) {
      // Signals stay blocked, so only the parent answers them. Its end of the pair is the only one: once it is
      // closed, or the parent gone, `stop_` is readable.
      (void)go_on_.close();
      ::_exit(serve(listener_, stop_));
    }
    if (child > 0)
      children_.insert(child);
    return child > 0;
  }

  /// After SIGCHLD: starts another for each that a signal killed. False if one gave up, or none can be started.
  bool replace() {
    int status = 0;
    for (pid_t child; (child = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      children_.erase(child);
      if (!WIFSIGNALED(status))
        return false;
      std::printf("process %d: %s; another is started\n", static_cast<int>(child), ::strsignal(WTERMSIG(status)));
      std::fflush(stdout);
      if (!start())
        return complain("fork", std::strerror(errno)) == 0;
    }
    return true;
  }

  /// Lets all come to their end. False if one failed.
  bool end() {
    (void)go_on_.close();
    bool good = true;
    for (pid_t child : children_) {
      int status = 0;
      good = ::waitpid(child, &status, 0) == child && status == 0 && good;
    }
    return good;
  }

private:
  const Socket &listener_;
  const Socket &stop_;
  Socket &go_on_;
  std::set<pid_t> children_;
};

int run(const char *address, int count) {
  // Blocked, and waited for below: from the beginning, so that none leaves a path behind.
  sigset_t signals;
  ::sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGCHLD})
    ::sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);

  auto listener = baresock::listen_on(address, {.type = SOCK_STREAM | SOCK_NONBLOCK, .replace_stale = true});
  if (!listener)
    return complain(address, listener.error().describe().c_str());
  auto pair = Socket::socketpair(AF_UNIX, SOCK_STREAM);
  if (!pair)
    return complain(address, pair.error().describe().c_str());
  std::printf("listening on %s\n", listener->address.text().c_str());
  std::fflush(stdout);

  Processes processes(listener->socket, pair->first, pair->second);
  bool good = true;
  for (int i = 0; i < count && good; ++i)
    if (good = processes.start(); !good)
      complain("fork", std::strerror(errno));
  for (int signal = SIGCHLD; good && signal == SIGCHLD;) {
    ::sigwait(&signals, &signal);
    if (signal == SIGCHLD)
      good = processes.replace();
  }
  return processes.end() && good ? 0 : 1;
} // ~Listener removes a path: here, and not in the children

} // namespace

int main(int argc, char **argv) {
  int count = 4;
  if (argc == 3) {
    const char *end = argv[2] + std::strlen(argv[2]);
    if (auto read = std::from_chars(argv[2], end, count); read.ec != std::errc() || read.ptr != end)
      count = 0;
  }
  if (argc < 2 || argc > 3 || count < 1 || count > 1000) {
    std::fputs("usage: preforked_server ADDRESS [PROCESSES]\n", stderr);
    return 2;
  }
  const int status = run(argv[1], count);
  if (status == 0)
    std::puts("stopped");
  return status;
}
