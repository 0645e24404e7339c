// SPDX-License-Identifier: MIT
/// What the tests share.

#pragma once

#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include <baresock/baresock.hpp>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

/// Ends a test case that cannot run here; counted, with the reason.
void skip(const char *reason);
#define SKIP(reason)                                                                                                 \
  do {                                                                                                               \
    skip(reason);                                                                                                    \
    return;                                                                                                          \
  } while (false)

/// The value of a Result; fails the test, with the error's text, if there is none.
#define VALUE(...) value_of(__VA_ARGS__, __FILE__, __LINE__)
template <class T>
T value_of(baresock::Result<T> &&result, const char *file, int line) {
  if (!result)
    DOCTEST_ADD_FAIL_AT(file, line, std::string(result.error().describe().c_str()));
  if constexpr (!std::is_void_v<T>)
    return std::move(*result);
}

/// A Result that has to be this error of this call; last_error() has to agree.
#define CHECK_ERROR(result_, code_, operation_)                                                                      \
  do {                                                                                                               \
    auto &&checked_result = (result_);                                                                               \
    REQUIRE_FALSE(checked_result.has_value());                                                                       \
    CHECK(std::string(checked_result.error().name()) == std::string(baresock::error_name(code_)));                   \
    CHECK(std::string(baresock::operation_name(checked_result.error().operation())) ==                               \
          std::string(baresock::operation_name(baresock::Operation::operation_)));                                   \
    CHECK(baresock::last_error() == checked_result.error());                                                         \
  } while (false)

namespace doctest {
template <>
struct StringMaker<baresock::SocketAddress> {
  static String convert(const baresock::SocketAddress &address) { return address.text().c_str(); }
};
template <>
struct StringMaker<baresock::TextView> {
  static String convert(baresock::TextView text) { return std::string(text.data(), text.size()).c_str(); }
};
template <std::size_t N>
struct StringMaker<baresock::Text<N>> {
  static String convert(const baresock::Text<N> &text) { return text.c_str(); }
};
template <>
struct StringMaker<baresock::Error> {
  static String convert(baresock::Error error) { return error.describe().c_str(); }
};
template <>
struct StringMaker<baresock::OptionValue> {
  static String convert(const baresock::OptionValue &value) { return to_string(value).c_str(); }
};
template <long long PerSecond>
struct StringMaker<baresock::Duration<PerSecond>> {
  static String convert(baresock::Duration<PerSecond> duration) {
    return (std::to_string(duration.count()) + " of " + std::to_string(PerSecond) + " a second").c_str();
  }
};
} // namespace doctest

/// Does a memory checker (a sanitizer, or the valgrind of test/run's WRAP) look at what calls are given?
inline bool memory_is_checked() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return true;
#endif
#endif
  return std::getenv("WRAP") != nullptr;
}

/// How many descriptors this process has open.
inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

/// Fails the test case if it leaves more or fewer descriptors open than it found.
class NoLeak {
public:
  NoLeak() : before_(open_descriptors()) {}
  ~NoLeak() { CHECK(open_descriptors() == before_); }

private:
  std::size_t before_;
};

/// A directory of the test's own, removed with what is in it.
class TemporaryDirectory {
public:
  TemporaryDirectory() {
    char name[] = "/tmp/baresock-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(const std::string &name) const { return path_ + "/" + name; }

private:
  std::string path_;
};

/// Runs `body` in a child process; the wait status, as waitpid(2) gives it. The child exits with body's answer.
inline int in_child(const std::function<int()> &body) {
  ::fflush(nullptr);
  pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0)
    ::_exit(body());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

/// A bound and listening TCP socket on loopback, with a port of the kernel's choice, and its address.
struct TcpListener {
  baresock::Socket socket;
  baresock::SocketAddress address;

  explicit TcpListener(const baresock::SocketAddress &at = baresock::Inet4Address{INADDR_LOOPBACK, 0},
                       int backlog = 128) {
    socket = VALUE(baresock::Socket::socket(at.family(), SOCK_STREAM));
    VALUE(socket.bind(at));
    VALUE(socket.listen(backlog));
    address = VALUE(socket.getsockname());
  }
};

/// The two ends of a TCP connection on loopback.
struct Connection {
  baresock::Socket client;
  baresock::Socket server;

  explicit Connection(const baresock::SocketAddress &at = baresock::Inet4Address{INADDR_LOOPBACK, 0}) {
    TcpListener listener(at);
    client = VALUE(baresock::Socket::socket(at.family(), SOCK_STREAM));
    VALUE(client.connect(listener.address));
    server = VALUE(listener.socket.accept());
  }
};
