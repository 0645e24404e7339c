// SPDX-License-Identifier: MIT
/// Programs of test/example, run as a user would.

#pragma once

#include "support.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

constexpr unsigned deadline = 60; // seconds; only a program that hangs gets there

/// A descriptor that is no socket.
class File {
public:
  explicit File(int fd) : fd_(fd) { REQUIRE(fd >= 0); }
  File(File &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File &operator=(File &&other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

private:
  int fd_;
};

inline File nothing() { return File(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

/// A file without a name, that holds `content` and is at its beginning.
inline File file_of(std::string_view content) {
  File file(::memfd_create("test", MFD_CLOEXEC));
  while (!content.empty()) {
    ssize_t size = ::write(file.fd(), content.data(), content.size());
    REQUIRE(size > 0);
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  REQUIRE(::lseek(file.fd(), 0, SEEK_SET) == 0);
  return file;
}

inline std::pair<File, File> make_pipe() {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  return {File(ends[0]), File(ends[1])};
}

/// To the end of the file, or to and with the end of a line. Ends when the programs that write have.
inline std::string read_all(const File &file, bool line = false) {
  std::string all;
  char room[65536];
  while (!line || !all.ends_with('\n')) {
    ssize_t size = ::read(file.fd(), room, line ? 1 : sizeof room);
    REQUIRE(size >= 0);
    if (size == 0)
      break;
    all.append(room, static_cast<std::size_t>(size));
  }
  return all;
}

/// Starts a program. The kernel ends it after the deadline: alarm(2) outlives exec(2). So nothing that waits for the
/// program, or for the end of what it writes, waits for ever.
inline pid_t start(const std::vector<std::string> &arguments, int input, int output, int error) {
  std::vector<char *> argv;
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    for (int signal : {SIGALRM, SIGINT, SIGTERM, SIGPIPE})
      ::signal(signal, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::alarm(deadline);
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); // also what this program was started with
    // None of the three is 0, 1 or 2: those are open in the test.
    if (::dup2(input, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(error, 2) == 2)
      ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  return pid;
}

inline std::string example(const std::string &name) {
  const char *directory = std::getenv("EXAMPLES");
  return std::string(directory != nullptr ? directory : "build/example") + "/" + name;
}

/// A program of test/example that runs; killed if it still does at the end of the test.
class Process {
public:
  explicit Process(const std::string &name, const std::vector<std::string> &arguments = {}, File input = nothing())
      : error_(file_of("")) {
    std::vector<std::string> command = {example(name)};
    command.insert(command.end(), arguments.begin(), arguments.end());
    auto [ours, theirs] = make_pipe();
    pid_ = start(command, input.fd(), theirs.fd(), error_.fd());
    output_ = std::move(ours);
  }
  Process(const Process &) = delete;
  Process &operator=(const Process &) = delete;
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      (void)wait();
    }
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const { CHECK(::kill(pid_, number) == 0); }

  /// The next line that it prints, with its end; what there is if the program ends.
  [[nodiscard]] std::string line() const { return read_all(output_, true); }

  /// What else it prints until it closes its output.
  [[nodiscard]] std::string output() const { return read_all(output_); }

  /// Its exit status, or the negative number of the signal that ended it.
  [[nodiscard]] int wait() {
    int status = 0;
    pid_t ended;
    while ((ended = ::waitpid(pid_, &status, 0)) < 0 && errno == EINTR)
      ;
    CHECK(ended == pid_);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// What it wrote to its standard error, once it has ended.
  [[nodiscard]] std::string errors() const {
    REQUIRE(::lseek(error_.fd(), 0, SEEK_SET) == 0);
    return read_all(error_);
  }

private:
  pid_t pid_ = -1;
  File output_ = nothing();
  File error_;
};

/// A server that has said where it listens.
struct Server : Process {
  std::string address;

  explicit Server(const std::string &name, const std::vector<std::string> &arguments = {})
      : Process(name, arguments) {
    address = line();
    constexpr std::string_view prefix = "listening on ";
    REQUIRE(address.starts_with(prefix));
    REQUIRE(address.ends_with('\n'));
    address = address.substr(prefix.size(), address.size() - prefix.size() - 1);
  }
};

/// A socket without an end of file or data would hang the test: waits until there is one of them.
inline void await(const baresock::Socket &socket) {
  pollfd waiting = {socket.fd(), POLLIN, 0};
  REQUIRE(::poll(&waiting, 1, deadline * 1000) == 1);
}

inline baresock::Socket accept_soon(const baresock::Socket &listener) {
  await(listener);
  return VALUE(listener.accept());
}

/// Receives until `end` has come.
inline std::string receive_until(const baresock::Socket &socket, std::string_view end) {
  std::string all;
  while (!all.ends_with(end)) {
    await(socket);
    auto bytes = VALUE(socket.recv());
    REQUIRE_FALSE(bytes.empty());
    all += std::string_view(bytes.text());
  }
  return all;
}

inline bool has_ipv6() {
  auto socket = baresock::Socket::socket(AF_INET6, SOCK_STREAM);
  return socket && socket->bind(baresock::Inet6Address{in6addr_loopback});
}

/// What a program that ends by itself says.
struct Said {
  int status = 0;
  std::string output;
  std::string errors;

  explicit Said(const std::string &name, const std::vector<std::string> &arguments = {})
      : Said(Process(name, arguments)) {}
  explicit Said(Process &&program) {
    output = program.output();
    status = program.wait();
    errors = program.errors();
  }
};

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// What a program made of a JSON text. Strict, and stricter than RFC 8259 in that all has to be printable ASCII;
/// throws at anything else.
struct Json {
  enum class Kind { null, boolean, number, string, array, object };

  Kind kind = Kind::null;
  std::string text;               // as written; of a string, what it says, a byte for each \u00…
  std::vector<std::string> names; // of an object's elements
  std::vector<Json> elements;

  static Json parse(std::string_view text) {
    Json json = value(text);
    blanks(text);
    require(text.empty());
    return json;
  }
  [[nodiscard]] const Json *find(std::string_view name) const {
    auto found = std::find(names.begin(), names.end(), name);
    return found != names.end() ? &elements[static_cast<std::size_t>(found - names.begin())] : nullptr;
  }
  [[nodiscard]] const Json &operator[](std::string_view name) const {
    const Json *found = find(name);
    require(found != nullptr);
    return *found;
  }

private:
  static void require(bool condition) {
    if (!condition)
      throw std::runtime_error("not what JSON should be");
  }
  static void blanks(std::string_view &rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
  }
  static bool take(std::string_view &rest, std::string_view token) {
    blanks(rest);
    const bool there = rest.starts_with(token);
    rest.remove_prefix(there ? token.size() : 0);
    return there;
  }
  static Json value(std::string_view &rest) {
    for (std::string_view word : {"null", "true", "false"})
      if (take(rest, word))
        return {word == "null" ? Kind::null : Kind::boolean, std::string(word), {}, {}};
    if (take(rest, "\""))
      return {Kind::string, string(rest), {}, {}};
    const bool object = take(rest, "{");
    if (!object && !take(rest, "["))
      return {Kind::number, number(rest), {}, {}};
    Json json = {object ? Kind::object : Kind::array, "", {}, {}};
    const std::string_view end = object ? "}" : "]";
    for (bool first = true; !take(rest, end); first = false) {
      require(first || take(rest, ","));
      if (object) {
        require(take(rest, "\""));
        std::string name = string(rest);
        require(json.find(name) == nullptr && take(rest, ":"));
        json.names.push_back(name);
      }
      json.elements.push_back(value(rest));
    }
    return json;
  }
  static std::string string(std::string_view &rest) {
    std::string result;
    for (;;) {
      require(!rest.empty() && rest[0] >= ' ' && rest[0] <= '~');
      char c = rest[0];
      rest.remove_prefix(1);
      if (c == '"')
        return result;
      if (c == '\\') {
        require(!rest.empty());
        c = rest[0];
        rest.remove_prefix(1);
        if (c == 'u') {
          unsigned code = 0;
          require(rest.size() >= 4 && std::from_chars(rest.data(), rest.data() + 4, code, 16).ptr == rest.data() + 4);
          require(code <= 255);
          rest.remove_prefix(4);
          c = static_cast<char>(code);
        } else {
          require(c == '"' || c == '\\' || c == '/');
        }
      }
      result += c;
    }
  }
  static std::string number(std::string_view &rest) {
    std::size_t size = rest.starts_with('-') ? 1 : 0;
    const std::size_t digits = rest.substr(size).find_first_not_of("0123456789");
    size += digits == rest.npos ? rest.size() - size : digits;
    std::string result(rest.substr(0, size));
    require(!result.empty() && result.back() != '-' &&
            std::to_string(std::stoll(result)) == result); // no zeros first
    rest.remove_prefix(size);
    return result;
  }
};
