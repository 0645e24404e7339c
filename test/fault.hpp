// SPDX-License-Identifier: MIT
/// The system's calls as the fault tests want them. The library is compiled again with this header in front and
/// BARESOCK_SYSTEM=fake: BARESOCK_CALL(T, send, …) then calls fake::send.
///
/// A fake makes the real call, unless a test says otherwise:
///   fake::recv.fail(EINTR);                   the next call fails; fail(code, 1, 3): the second to the fourth one
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
#include <net/if.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
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

  virtual void reset() { times_ = 0; }

protected:
  /// Is this call to fail? If so errno says how.
  bool fails() {
    if (times_ == 0)
      return false;
    if (after_ != 0) {
      --after_;
      return false;
    }
    --times_;
    errno = code_;
    return true;
  }

private:
  const char *name_;
  int code_ = 0;
  std::size_t after_ = 0;
  std::size_t times_ = 0;
};

template <class R, class... A>
class Fake : public Any {
public:
  Fake(const char *name, R (*real)(A...)) : Any(name), real_(real) {}

  std::function<R(A...)> instead;
  std::vector<std::tuple<A...>> calls;

  void answer(R value) {
    instead = [value](A...) { return value; };
  }

  R operator()(A... arguments) {
    journal().calls.emplace_back(name());
    calls.emplace_back(arguments...);
    if (fails()) {
      if constexpr (std::is_signed_v<R>)
        return -1;
      else
        return {};
    }
    return instead ? instead(arguments...) : real_(arguments...);
  }

  /// Was this the only call made, once, with these arguments?
  [[nodiscard]] bool called_with(A... arguments) const {
    return journal().calls.size() == 1 && calls.size() == 1 && calls[0] == std::tuple<A...>(arguments...);
  }

  void reset() override {
    Any::reset();
    instead = nullptr;
    calls.clear();
  }

private:
  R (*real_)(A...);
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
FAKE(close);
FAKE(connect);
FAKE(getpeername);
FAKE(getsockname);
FAKE(getsockopt);
FAKE(if_indextoname);
FAKE(if_nametoindex);
FAKE(listen);
FAKE(malloc);
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
#undef FAKE

// Of variable arguments the library passes one.
inline thread_local Fake
    fcntl("fcntl", +[](int fd, int command, int argument) { return ::fcntl(fd, command, argument); });
inline thread_local Fake
    ioctl("ioctl", +[](int fd, unsigned long request, void *argument) { return ::ioctl(fd, request, argument); });

} // namespace fake
