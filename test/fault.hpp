// SPDX-License-Identifier: MIT
/// The system's calls as the fault tests want them. The library is compiled again with this header in front and
/// BARESOCK_SYSTEM=fake: BARESOCK_CALL(T, send, …) then calls fake::send.
///
/// A fake makes the real call, unless a test says otherwise:
///   fake::recv.fail(EINTR);                   the next call fails; fail(code, 1, 3): the second to the fourth one
///   fake::recv.plan({EINTR, 0, EAGAIN});      the next fails, one does not, one fails
///   fake::getaddrinfo.fail(EAI_AGAIN);        the same of what returns its error
///   fake::recv.answer(5);                     every call returns this
///   fake::recv.instead = [&](int, void *, …   every call does this
///   fake::recv.calls, fake::journal().calls   what was called, with which arguments, in which order
/// All of it belongs to the calling thread.

#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <string>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <tuple>
#include <type_traits>
#include <unistd.h>
#include <vector>

namespace fake {

class Any;

/// The names of the calls made, in order, and the fakes there are.
struct Journal {
  std::vector<std::string> calls;
  std::vector<Any *> fakes;
};

inline Journal &journal() {
  thread_local Journal journal;
  return journal;
}

/// What the fakes have in common.
class Any {
public:
  explicit Any(const char *name) : name_(name) { journal().fakes.push_back(this); }
  Any(const Any &) = delete;
  Any &operator=(const Any &) = delete;
  virtual ~Any() = default;

  [[nodiscard]] const char *name() const { return name_; }

  /// Lets `after` calls pass, then `times` fail with this errno.
  void fail(int code, std::size_t after = 0, std::size_t times = 1) {
    code_ = code;
    after_ = after;
    times_ = times;
  }

  /// The next calls fail with these; zero: that one does not.
  void plan(std::vector<int> codes) { plan_.assign(codes.rbegin(), codes.rend()); }

  virtual void reset() {
    times_ = 0;
    plan_.clear();
  }

  /// Does it return what went wrong, rather than -1?
  [[nodiscard]] virtual bool returns_code() const { return false; }

protected:
  /// Is this call to fail? If so errno, or code(), says how.
  bool fails() {
    int code = 0;
    bool failing = false;
    if (!plan_.empty()) {
      code = plan_.back();
      failing = code != 0;
      plan_.pop_back();
    }
    if (times_ != 0 && after_ != 0) {
      --after_;
    } else if (times_ != 0) {
      --times_;
      code = code_;
      failing = true;
    }
    if (failing) {
      failed_with_ = code;
      errno = returns_code() ? EXDEV : code; // which is not the one to be told then
    }
    return failing;
  }
  [[nodiscard]] int code() const { return failed_with_; }

private:
  const char *name_;
  int code_ = 0;
  std::size_t after_ = 0;
  std::size_t times_ = 0;
  std::vector<int> plan_; // the last is the next
  int failed_with_ = 0;
};

/// What is kept of an argument: of text, which is gone after the call, a copy.
template <class T>
struct Kept {
  using Type = T;
  static T of(T value) { return value; }
};
template <>
struct Kept<const char *> {
  using Type = std::string;
  static std::string of(const char *text) { return text != nullptr ? text : "(null)"; }
};

template <class R, class... A>
class Fake : public Any {
public:
  Fake(const char *name, R (*real)(A...)) : Any(name), real_(real) {}

  using Call = std::tuple<typename Kept<A>::Type...>;
  std::function<R(A...)> instead;
  std::vector<Call> calls;

  void answer(R value) {
    instead = [value](A...) { return value; };
  }

  R operator()(A... arguments) {
    journal().calls.emplace_back(name());
    calls.emplace_back(Kept<A>::of(arguments)...);
    if (fails())
      return failed();
    return instead ? instead(arguments...) : real_(arguments...);
  }

  /// Was this the only call made, once, with these arguments?
  [[nodiscard]] bool called_with(A... arguments) const {
    return journal().calls.size() == 1 && calls.size() == 1 && calls[0] == Call(Kept<A>::of(arguments)...);
  }

  void reset() override {
    Any::reset();
    instead = nullptr;
    calls.clear();
  }

protected:
  [[nodiscard]] virtual R failed() const {
    if constexpr (std::is_signed_v<R>)
      return -1;
    else
      return {};
  }

private:
  R (*real_)(A...);
};

/// Of a function that returns what went wrong: an EAI_ code, an errno.
template <class... A>
class FakeCode : public Fake<int, A...> {
public:
  FakeCode(const char *name, int (*real)(A...)) : Fake<int, A...>(name, real) {}

  [[nodiscard]] bool returns_code() const override { return true; }

protected:
  [[nodiscard]] int failed() const override { return this->code(); }
};

/// Forgets what was planned and what was called.
inline void reset() {
  for (Any *fake : journal().fakes)
    fake->reset();
  journal().calls.clear();
}

#define FAKE(call) inline thread_local Fake call(#call, &::call)
FAKE(accept4);
FAKE(bind);
FAKE(calloc);
FAKE(chmod);
FAKE(close);
FAKE(connect);
FAKE(fchmod);
FAKE(flock);
FAKE(getifaddrs);
FAKE(getpeername);
FAKE(getsockname);
FAKE(getsockopt);
FAKE(if_indextoname);
FAKE(if_nameindex);
FAKE(if_nametoindex);
FAKE(listen);
FAKE(lstat);
FAKE(malloc);
FAKE(ppoll);
FAKE(recv);
FAKE(recvfrom);
FAKE(recvmmsg);
FAKE(recvmsg);
FAKE(send);
FAKE(sendfile);
FAKE(sendmmsg);
FAKE(sendmsg);
FAKE(sendto);
FAKE(setsockopt);
FAKE(shutdown);
FAKE(sockatmark);
FAKE(socket);
FAKE(socketpair);
FAKE(unlink);
#undef FAKE

#define FAKE_CODE(call) inline thread_local FakeCode call(#call, &::call)
FAKE_CODE(getaddrinfo);
FAKE_CODE(getnameinfo);
FAKE_CODE(getprotobyname_r);
FAKE_CODE(getprotobynumber_r);
FAKE_CODE(getservbyname_r);
FAKE_CODE(getservbyport_r);
#undef FAKE_CODE

// Of variable arguments the library passes one, of open's none.
inline thread_local Fake
    fcntl("fcntl", +[](int fd, int command, int argument) { return ::fcntl(fd, command, argument); });
inline thread_local Fake
    ioctl("ioctl", +[](int fd, unsigned long request, void *argument) { return ::ioctl(fd, request, argument); });
inline thread_local Fake open("open", +[](const char *path, int flags) { return ::open(path, flags); });

} // namespace fake
