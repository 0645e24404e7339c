// SPDX-License-Identifier: MIT
/// What disturbs those who wait: events, signals, another thread.

#pragma once

#include "support.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>
#include <utility>

/// eventfd(2).
class Event {
public:
  Event() : fd_(::eventfd(0, EFD_CLOEXEC)) { REQUIRE(fd() >= 0); }
  [[nodiscard]] int fd() const { return fd_.fd(); }
  void set() const { (void)::eventfd_write(fd(), 1); }
  [[nodiscard]] bool is_set() const {
    pollfd item = {fd(), POLLIN, 0};
    return ::poll(&item, 1, 0) == 1 && item.revents == POLLIN;
  }

private:
  baresock::FileDescriptor fd_;
};

/// The number of a descriptor that is not open.
inline int closed_number() {
  Event event;
  return event.fd();
}

/// SIGALRM every 5 ms, with a handler that interrupts calls.
class Alarms {
public:
  Alarms() : before_(count) {
    struct sigaction action = {};
    action.sa_handler = [](int) { ++count; }; // without SA_RESTART
    REQUIRE(::sigaction(SIGALRM, &action, nullptr) == 0);
    const itimerval timer = {{0, 5000}, {0, 5000}};
    REQUIRE(::setitimer(ITIMER_REAL, &timer, nullptr) == 0);
  }
  /// The handler stays: one that is still under way may come later, under valgrind.
  ~Alarms() {
    const itimerval none = {};
    ::setitimer(ITIMER_REAL, &none, nullptr);
  }
  Alarms(const Alarms &) = delete;
  Alarms &operator=(const Alarms &) = delete;
  /// How many came.
  [[nodiscard]] int came() const { return count - before_; }
  /// Waits for so many more of them.
  static void wait(int more) {
    const int until = count + more;
    while (count < until)
      std::this_thread::yield();
  }

private:
  static inline std::atomic<int> count = 0;
  int before_;
};

/// A thread to which no signals go, joined in the end. It must not wait for ever.
class Aside {
public:
  explicit Aside(std::function<void()> body) {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread(std::move(body));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Aside() { join(); }
  Aside(const Aside &) = delete;
  Aside &operator=(const Aside &) = delete;
  void join() {
    if (thread_.joinable())
      thread_.join();
  }

private:
  std::thread thread_;
};

/// Time since it was made.
class Watch {
public:
  [[nodiscard]] std::chrono::nanoseconds passed() const { return std::chrono::steady_clock::now() - begin_; }

private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

constexpr std::chrono::seconds hung{20}; // longer than anything here takes that does not hang

/// Looks again and again; false if it does not become true.
inline bool until(const std::function<bool()> &condition) {
  for (Watch watch; watch.passed() < hung; std::this_thread::sleep_for(std::chrono::milliseconds(1)))
    if (condition())
      return true;
  return false;
}

/// Makes last_error() that, by a call that fails.
inline baresock::Error fail_before() { return baresock::Socket().listen().error(); }
