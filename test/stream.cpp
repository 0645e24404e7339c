// SPDX-License-Identifier: MIT
/// stream.hpp over TCP and AF_UNIX, with what gets in the way: deadlines, cancellation, signals, peers that leave.

#include "network.hpp"
#include "support.hpp"
#include "waiting.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <initializer_list>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <vector>

using namespace baresock;
using namespace std::chrono_literals;

namespace {

constexpr int protocol_mptcp = 262; // IPPROTO_MPTCP

/// The two ends of a connection; the functions under test get `here`.
struct Ends {
  Socket here;
  Socket there;
};

Ends over_tcp() {
  Connection connection;
  return {std::move(connection.client), std::move(connection.server)};
}

Ends over_tcp6() {
  Connection connection(loopback6);
  return {std::move(connection.client), std::move(connection.server)};
}

Ends over_unix() {
  auto [here, there] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  return {std::move(here), std::move(there)};
}

/// With little room on the way, and O_NONBLOCK off and on, which has to stay so.
void with_each(const std::function<void(Ends &)> &body) {
  constexpr struct {
    const char *name;
    Ends (*make)();
    bool nonblocking;
  } kinds[] = {{"TCP", over_tcp, false},
               {"TCP, nonblocking", over_tcp, true},
               {"AF_UNIX", over_unix, false},
               {"AF_UNIX, nonblocking", over_unix, true}};
  for (const auto &kind : kinds) {
    INFO(std::string(kind.name));
    NoLeak no_leak;
    Ends ends = kind.make();
    VALUE(ends.here.setsockopt(so::sndbuf, 16384));
    VALUE(ends.there.setsockopt(so::rcvbuf, 16384));
    VALUE(ends.here.set_nonblocking(kind.nonblocking));
    body(ends);
    if (ends.here)
      CHECK(VALUE(ends.here.nonblocking()) == kind.nonblocking);
  }
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>(i * 31 % 251);
  return text;
}

/// More than fits on the way.
const std::string &much() {
  static const std::string text = pattern(8 << 20);
  return text;
}

/// To the end of the stream, or an error.
std::string receive_all(const Socket &socket) {
  std::string all;
  char room[65536];
  for (;;) {
    wait(socket, POLLIN);
    auto received = socket.recv(room, MSG_DONTWAIT);
    if (!received && received.error().interrupted())
      continue;
    if (!received || received->size == 0)
      return all;
    all.append(room, received->size);
  }
}

std::size_t readable(const Socket &socket) { return VALUE(socket.bytes_readable()); }

/// More than fits into the small room of with_each(). (Of much more, valgrind finishes no call between two signals.)
ConstBuffer enough() { return {much().data(), std::size_t{1} << 20}; }

struct Outcome {
  Error error;
  std::size_t size = 0;
};

Outcome outcome(const Transferred &result) { return {result ? Error() : result.error(), result.size}; }
Outcome outcome(const ReceivedData &result) { return {result ? Error() : result.error(), result.data.size()}; }

void check_failed(const Outcome &ended, int code, Operation operation) {
  CHECK(ended.error == Error(code, operation));
  CHECK(last_error() == ended.error);
}

/// What waits, and for what: the peer's reading, or its writing.
struct Helper {
  const char *name;
  Operation operation;
  bool sends;
  Outcome (*run)(Socket &socket, const Deadline &deadline);
};

const Helper helpers[] = {
    {"send_all", Operation::send_all, true,
     [](Socket &socket, const Deadline &deadline) { return outcome(send_all(socket, enough(), deadline)); }},
    {"send_all of parts", Operation::send_all, true,
     [](Socket &socket, const Deadline &deadline) {
       const std::vector<ConstBuffer> parts(100'000, ConstBuffer("part"));
       return outcome(send_all(socket, parts, deadline));
     }},
    {"finish, sending", Operation::finish, true,
     [](Socket &socket, const Deadline &deadline) { return outcome(finish(socket, enough(), deadline)); }},
    {"recv_exact", Operation::recv_exact, false,
     [](Socket &socket, const Deadline &deadline) {
       char room[100];
       return outcome(recv_exact(socket, room, deadline));
     }},
    {"recv_until_eof into a buffer", Operation::recv_until_eof, false,
     [](Socket &socket, const Deadline &deadline) {
       char room[100];
       return outcome(recv_until_eof(socket, room, deadline));
     }},
    {"recv_until_eof into as much as comes", Operation::recv_until_eof, false,
     [](Socket &socket, const Deadline &deadline) { return outcome(recv_until_eof(socket, 100, deadline)); }},
    {"finish, receiving", Operation::finish, false,
     [](Socket &socket, const Deadline &deadline) { return outcome(finish(socket, {}, deadline)); }},
};

/// Every helper over every connection. The peer of one that receives has sent "abc".
void with_each_helper(const std::function<void(const Helper &, Ends &)> &body) {
  for (const Helper &helper : helpers) {
    INFO(std::string(helper.name));
    with_each([&](Ends &ends) {
      if (!helper.sends) {
        VALUE(ends.there.send("abc"));
        wait(ends.here, POLLIN);
      }
      body(helper, ends);
    });
  }
}

/// What went, by what the peer gets of it; before that, as much as `before`.
void check_size(const Helper &helper, Ends &ends, const Outcome &ended, std::size_t before = 0) {
  if (helper.operation == Operation::finish)
    CHECK_FALSE(ends.here);
  if (helper.sends) {
    CHECK(ended.size > 0);
    ends.here = Socket();
    CHECK(before + receive_all(ends.there).size() == ended.size);
  } else {
    CHECK(ended.size == (helper.operation == Operation::finish ? 0 : 3));
    if (ends.here)
      CHECK(readable(ends.here) == 0);
  }
}

/// Nothing went, and nothing was taken.
void check_untouched(const Helper &helper, Ends &ends, const Outcome &ended) {
  CHECK(ended.size == 0);
  if (helper.operation == Operation::finish)
    CHECK_FALSE(ends.here);
  else if (!helper.sends)
    CHECK(readable(ends.here) == 3);
  ends.here = Socket();
  CHECK(receive_all(ends.there).empty());
}

/// The peer of a helper that waits for it: moves a byte or so now and then, until told to stop.
class Trickle {
public:
  Trickle(const Socket &socket, bool reads)
      : thread_([this, &socket, reads] {
          char room[2048];
          for (Watch watch; !stop_ && watch.passed() < hung; std::this_thread::sleep_for(2ms)) {
            if (!reads)
              (void)socket.send("x", MSG_DONTWAIT);
            else if (auto received = socket.recv(room, MSG_DONTWAIT))
              taken_ += received->size;
          }
        }) {}
  ~Trickle() { stop(); }
  std::size_t stop() {
    stop_ = true;
    thread_.join();
    return taken_;
  }

private:
  std::atomic<bool> stop_ = false;
  std::size_t taken_ = 0;
  Aside thread_;
};

} // namespace

TEST_SUITE_BEGIN("stream");

// --- waiting: what all have in common --------------------------------------------------------------------

TEST_CASE("streams: a deadline ends the wait, not early, and says how much went") {
  with_each_helper([](const Helper &helper, Ends &ends) {
    fail_before();
    Watch watch;
    const Outcome ended = helper.run(ends.here, 50ms);
    CHECK(watch.passed() >= 50ms);
    CHECK(watch.passed() < hung);
    check_failed(ended, ETIMEDOUT, helper.operation);
    check_size(helper, ends, ended);
  });
}

TEST_CASE("streams: a deadline is for the whole, whatever a slow peer does") {
  with_each_helper([](const Helper &helper, Ends &ends) {
    if (!helper.sends) // a byte is 2 ms: these would be at it for longer
      VALUE(ends.here.setsockopt(so::rcvbuf, 4096));
    Trickle peer(ends.there, helper.sends);
    Watch watch;
    const Outcome ended = helper.run(ends.here, 60ms);
    CHECK(watch.passed() >= 60ms);
    check_failed(ended, ETIMEDOUT, helper.operation);
    const std::size_t taken = peer.stop();
    if (helper.sends)
      check_size(helper, ends, ended, taken);
    else if (helper.operation != Operation::finish)
      CHECK(ended.size >= 3);
  });
}

TEST_CASE("streams: a deadline that is zero, or past, takes what is there") {
  for (const Deadline &deadline : {Deadline(0s), Deadline(std::chrono::steady_clock::now() - 1h)})
    with_each_helper([&](const Helper &helper, Ends &ends) {
      const Outcome ended = helper.run(ends.here, deadline);
      check_failed(ended, ETIMEDOUT, helper.operation);
      check_size(helper, ends, ended);
    });
  with_each([](Ends &ends) {
    const Error before = fail_before();
    char room[3];
    VALUE(ends.there.send("abc"));
    wait(ends.here, POLLIN);
    CHECK(recv_exact(ends.here, room, 0s).size == 3);
    CHECK(std::string_view(room, 3) == "abc");
    CHECK(send_all(ends.here, "abc", 0s).size == 3);
    VALUE(ends.there.shutdown(SHUT_WR));
    wait(ends.here, POLLRDHUP);
    auto done = finish(ends.here, "def", 0s);
    VALUE(std::move(done));
    CHECK(done.size == 3);
    CHECK(last_error() == before);
    CHECK(receive_all(ends.there) == "abcdef");
  });
}

TEST_CASE("streams: a deadline that is zero takes all of what is there, in as many calls as that needs") {
  with_each([](Ends &ends) {
    VALUE(ends.there.send("abc"));
    VALUE(ends.there.shutdown(SHUT_WR));
    wait(ends.here, POLLRDHUP);
    auto received = recv_until_eof(ends.here, 100, 0s);
    VALUE(std::move(received));
    CHECK(received.data.text() == "abc");
    // and gives what there is room for
    const std::vector<ConstBuffer> parts(100, ConstBuffer("x"));
    auto sent = send_all(ends.here, parts, 0s);
    VALUE(std::move(sent));
    CHECK(sent.size == 100);
  });
}

TEST_CASE("streams: a deadline below zero is refused, and nothing goes") {
  for (const Deadline &deadline : {Deadline(-1ns), Deadline(-1h), Deadline(Nanoseconds(-1))})
    with_each_helper([&](const Helper &helper, Ends &ends) {
      const Outcome ended = helper.run(ends.here, deadline);
      check_failed(ended, EINVAL, helper.operation);
      check_untouched(helper, ends, ended);
    });
  // even if there is nothing to do
  with_each([](Ends &ends) {
    CHECK_ERROR(send_all(ends.here, "", -1s), EINVAL, send_all);
    CHECK_ERROR(send_all(ends.here, Span<const ConstBuffer>(), -1s), EINVAL, send_all);
    CHECK_ERROR(recv_exact(ends.here, MutableBuffer(), -1s), EINVAL, recv_exact);
    VALUE(ends.there.close());
    CHECK_ERROR(recv_until_eof(ends.here, MutableBuffer(), -1s), EINVAL, recv_until_eof);
    CHECK_ERROR(recv_until_eof(ends.here, 0, -1s), EINVAL, recv_until_eof);
    CHECK_ERROR(finish(ends.here, {}, -1s), EINVAL, finish);
    CHECK_FALSE(ends.here);
  });
}

TEST_CASE("streams: cancelled before, nothing is done") {
  Event event;
  event.set();
  for (const Deadline &deadline : {Deadline(), Deadline(1h), Deadline(0s)})
    with_each_helper([&](const Helper &helper, Ends &ends) {
      const Outcome ended = helper.run(ends.here, deadline.cancelled_by(event.fd()));
      check_failed(ended, ECANCELED, helper.operation);
      check_untouched(helper, ends, ended);
    });
  CHECK(event.is_set()); // nothing was read from it
}

TEST_CASE("streams: cancelled by another thread") {
  with_each_helper([](const Helper &helper, Ends &ends) {
    Event event;
    Socket watched = VALUE((helper.sends ? ends.there : ends.here).dup()); // finish() closes the other
    Aside other([&] {
      // As soon as something went: of what is sent, the peer sees it.
      (void)until([&] { return (*watched.bytes_readable() != 0) == helper.sends; });
      event.set();
    });
    const Outcome ended = helper.run(ends.here, Deadline().cancelled_by(event.fd()));
    check_failed(ended, ECANCELED, helper.operation);
    other.join();
    watched = Socket();
    check_size(helper, ends, ended);
    CHECK(event.is_set());
  });
}

TEST_CASE("streams: who cancels may be a pipe, and closing it cancels") {
  with_each_helper([](const Helper &helper, Ends &ends) {
    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
    FileDescriptor reader(pipe[0]);
    {
      FileDescriptor writer(pipe[1]);
      check_failed(helper.run(ends.here, Deadline(1ms).cancelled_by(reader.fd())), ETIMEDOUT, helper.operation);
    }
    if (ends.here)
      check_failed(helper.run(ends.here, Deadline().cancelled_by(reader.fd())), ECANCELED, helper.operation);
    else
      CHECK(helper.operation == Operation::finish);
  });
  with_each([](Ends &ends) { // once more, as finish() left nothing
    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
    FileDescriptor reader(pipe[0]);
    ::close(pipe[1]);
    CHECK_ERROR(finish(ends.here, "x", Deadline().cancelled_by(reader.fd())), ECANCELED, finish);
    CHECK(receive_all(ends.there).empty());
  });
}

TEST_CASE("streams: who cancels is not open") {
  with_each_helper([](const Helper &helper, Ends &ends) {
    const Outcome ended = helper.run(ends.here, Deadline(1h).cancelled_by(closed_number()));
    check_failed(ended, EBADF, helper.operation);
    check_untouched(helper, ends, ended);
  });
}

TEST_CASE("streams: signals extend no deadline") {
  with_each_helper([](const Helper &helper, Ends &ends) {
    Outcome ended;
    {
      Alarms alarms;
      Watch watch;
      ended = helper.run(ends.here, 50ms);
      CHECK(watch.passed() >= 50ms);
      CHECK(watch.passed() < hung);
      CHECK(alarms.came() > 0);
    }
    check_failed(ended, ETIMEDOUT, helper.operation);
    check_size(helper, ends, ended);
  });
}

TEST_CASE("streams: signals lose nothing") {
  const std::string data = pattern(300'000);
  with_each([&](Ends &ends) {
    Alarms alarms;
    const Error before = fail_before();
    Outcome read;
    std::string there(data.size(), '\0');
    Aside peer([&] { // reads all, then answers in pieces, slower than the signals come
      read = outcome(recv_exact(ends.there, there, hung));
      for (std::size_t at = 0; at < data.size(); at += 30'000) {
        std::this_thread::sleep_for(6ms);
        (void)send_all(ends.there, std::string_view(data).substr(at, 30'000), hung);
      }
      std::this_thread::sleep_for(6ms);
      (void)ends.there.shutdown(SHUT_WR);
    });
    const std::size_t half = data.size() / 2;
    const ConstBuffer parts[] = {{data.data(), half}, {data.data() + half, data.size() - half}};
    CHECK(outcome(send_all(ends.here, parts)).size == data.size());
    std::string here(100'000, '\0');
    VALUE(recv_exact(ends.here, here));
    auto rest = recv_until_eof(ends.here, data.size());
    VALUE(std::move(rest));
    peer.join();
    CHECK((read.error == Error() && there == data));
    CHECK((here + std::string(std::string_view(rest.data.text())) == data));
    CHECK(last_error() == before);
    CHECK(alarms.came() > 0);

    Aside closes([&] {
      (void)recv_until_eof(ends.there, there, hung);
      std::this_thread::sleep_for(20ms);
      (void)ends.there.close();
    });
    auto done = finish(ends.here, "bye");
    VALUE(std::move(done));
    CHECK(done.size == 3);
    closes.join();
    CHECK(there.starts_with("bye"));
    CHECK(last_error() == before);
  });
}

TEST_CASE("streams: SO_RCVTIMEO and SO_SNDTIMEO do not count") {
  with_each_helper([](const Helper &helper, Ends &ends) {
    VALUE(set_timeouts(ends.here, 1ms, 1ms));
    Watch watch;
    check_failed(helper.run(ends.here, 50ms), ETIMEDOUT, helper.operation);
    CHECK(watch.passed() >= 50ms);
  });
}

TEST_CASE("streams: no socket, and one that is not connected") {
  for (const Helper &helper : helpers) {
    INFO(std::string(helper.name));
    Socket none;
    Outcome ended = helper.run(none, 1h);
    CHECK(ended.error.is(EBADF));
    CHECK(ended.size == 0);
    CHECK(last_error() == ended.error);
    Socket fresh = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
    ended = helper.run(fresh, 1h);
    CHECK((ended.error.is(ENOTCONN) || ended.error.is(EPIPE)));
    CHECK(ended.size == 0);
    CHECK(last_error() == ended.error);
    CHECK(static_cast<bool>(fresh) == (helper.operation != Operation::finish));
  }
}

// --- sending ---------------------------------------------------------------------------------------------

TEST_CASE("send_all: all of it, in order") {
  const std::string data = pattern(1'000'000);
  with_each([&](Ends &ends) {
    std::string got;
    Aside peer([&] {
      std::string room(data.size(), '\0');
      (void)recv_exact(ends.there, room, hung);
      got = std::move(room);
    });
    const Error before = fail_before();
    auto sent = send_all(ends.here, data);
    VALUE(std::move(sent));
    CHECK(sent.size == data.size());
    CHECK(last_error() == before);
    peer.join();
    CHECK((got == data));
  });
}

TEST_CASE("send_all: nothing is no call") {
  with_each([](Ends &ends) {
    VALUE(ends.there.close()); // so that any call would fail
    const std::vector<ConstBuffer> empty(100);
    for (Transferred sent : {send_all(ends.here, ""), send_all(ends.here, ConstBuffer()),
                             send_all(ends.here, Span<const ConstBuffer>()), send_all(ends.here, empty)}) {
      VALUE(std::move(sent));
      CHECK(sent.size == 0);
    }
  });
}

TEST_CASE("send_all: any number of parts, of any size") {
  const std::string data = pattern(100'000);
  with_each([&](Ends &ends) {
    for (std::size_t count :
         std::initializer_list<std::size_t>{0, 1, 2, 63, 64, 65, 128, 129, 1023, 1024, 1025, 3000})
      for (bool gaps : {false, true}) { // parts that are empty between
        CAPTURE(count);
        CAPTURE(gaps);
        std::vector<ConstBuffer> parts;
        std::string expected;
        for (std::size_t i = 0; i < count; ++i) {
          const std::size_t size = gaps && i % 3 != 1 ? 0 : 1 + i * 7 % 50;
          parts.push_back({data.data() + i, size});
          expected.append(data, i, size);
        }
        std::string got(expected.size(), '\0');
        Aside peer([&] { (void)recv_exact(ends.there, got, hung); });
        auto sent = send_all(ends.here, parts);
        VALUE(std::move(sent));
        CHECK(sent.size == expected.size());
        peer.join();
        CHECK((got == expected));
        CHECK(readable(ends.there) == 0);
      }
  });
}

TEST_CASE("send_all: parts larger than fits at once") {
  const std::string data = pattern(200'000);
  with_each([&](Ends &ends) {
    const ConstBuffer parts[] = {data, "", "x", data, {}, data};
    std::string got(3 * data.size() + 1, '\0');
    Aside peer([&] { (void)recv_exact(ends.there, got, hung); });
    CHECK(send_all(ends.here, parts).size == got.size());
    peer.join();
    CHECK((got == data + "x" + data + data));
    CHECK(parts[0].size() == data.size()); // the caller's, as they were
  });
}

TEST_CASE("send_all: more than 2 GiB is a matter of time") {
  constexpr std::size_t size = std::size_t{5} << 30;
  void *memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    SKIP("no 5 GiB of addresses");
  with_each([&](Ends &ends) {
    const ConstBuffer huge(memory, size);
    const ConstBuffer parts[] = {huge, huge, huge};
    std::size_t sent = 0;
    for (Transferred tried : {send_all(ends.here, huge, 0s), send_all(ends.here, parts, 0s)}) {
      CHECK(tried.error().is(ETIMEDOUT));
      sent += tried.size;
    }
    CHECK(sent > 0);
    ends.here = Socket();
    CHECK(receive_all(ends.there).size() == sent);
  });
  ::munmap(memory, size);
}

TEST_CASE("send_all: what the kernel cannot read") {
  if (memory_is_checked())
    SKIP("a memory checker complains of it");
  with_each([](Ends &ends) {
    auto sent = send_all(ends.here, ConstBuffer(nullptr, 8));
    CHECK_ERROR(sent, EFAULT, sendmsg);
    CHECK(sent.size == 0);
  });
}

TEST_CASE("send_all: flags are passed on") {
  // A datagram is not sent before the flag is gone.
  Socket receiver = bound(loopback);
  Socket sender = dgram(AF_INET);
  VALUE(sender.connect(VALUE(receiver.getsockname())));
  CHECK(send_all(sender, "to", {}, MSG_MORE).size == 2);
  const ConstBuffer parts[] = {"get", "her"};
  CHECK(send_all(sender, parts, {}, MSG_MORE).size == 6);
  CHECK(readable(receiver) == 0);
  CHECK(send_all(sender, "!").size == 1);
  CHECK(VALUE(receiver.recv()).text() == "together!");

  Ends ends = over_tcp();
  CHECK(send_all(ends.here, "u", {}, MSG_OOB).size == 1);
  wait(ends.there, POLLPRI);
  CHECK(VALUE(ends.there.recv(1, MSG_OOB)).text() == "u");
}

TEST_CASE("send_all: flags that are none are refused, and nothing is sent") {
  with_each([](Ends &ends) {
    for (int flags : {int{MSG_PEEK}, int{MSG_TRUNC}, 1 << 30, -1}) {
      const ConstBuffer part("x"), parts[] = {part};
      for (const Transferred &sent : {send_all(ends.here, part, {}, flags), send_all(ends.here, parts, 1h, flags)}) {
        CHECK_ERROR(sent, EINVAL, sendmsg);
        CHECK(sent.size == 0);
      }
    }
    CHECK(readable(ends.there) == 0);
  });
}

TEST_CASE("send_all: of a peer that takes no more, EPIPE, and how much it got") {
  for (bool nonblocking : {false, true}) {
    Ends ends = over_unix();
    VALUE(ends.here.set_nonblocking(nonblocking));
    std::string got(10'000, '\0');
    Aside peer([&] {
      (void)recv_exact(ends.there, got, hung);
      (void)ends.there.shutdown(SHUT_RD);
      got += receive_all(ends.there); // what has come by then can still be read
    });
    auto sent = send_all(ends.here, much());
    CHECK_ERROR(sent, EPIPE, sendmsg);
    peer.join();
    CHECK(got.size() == sent.size);
    CHECK((much().compare(0, got.size(), got) == 0));
  }
}

TEST_CASE("streams: no SIGPIPE") {
  for (auto make : {over_tcp, over_unix}) {
    const int status = in_child([make] {
      ::signal(SIGPIPE, SIG_DFL);
      for (bool finishes : {false, true}) {
        Ends ends = make();
        const pid_t peer = ::fork(); // no thread: a checker of threads wants none after a fork
        if (peer == 0) {
          ends.here = Socket();
          char room[10'000];
          ::_exit(recv_exact(ends.there, room, hung) ? 0 : 1);
        }
        ends.there = Socket();
        const Transferred sent = finishes ? finish(ends.here, much()) : send_all(ends.here, much());
        if (peer < 0 || ::waitpid(peer, nullptr, 0) != peer)
          return 1;
        if (sent || !sent.error().disconnected() || sent.size < 10'000 || sent.size >= much().size())
          return 2;
        if (static_cast<bool>(ends.here) == finishes)
          return 3;
        // and once more, when that is known
        const ConstBuffer parts[] = {"x"};
        if (!finishes && (!send_all(ends.here, "x").error().is(EPIPE) ||
                          !send_all(ends.here, parts).error().is(EPIPE) || !finish(ends.here, "x").error().is(EPIPE)))
          return 4;
      }
      return 0;
    });
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}

// --- receiving -------------------------------------------------------------------------------------------

TEST_CASE("recv_exact: that many, and no more") {
  with_each([](Ends &ends) {
    VALUE(ends.there.send("abcdef"));
    wait(ends.here, POLLIN);
    const Error before = fail_before();
    std::array<char, 4> room;
    auto none = recv_exact(ends.here, MutableBuffer());
    VALUE(std::move(none));
    CHECK(none.size == 0);
    auto received = recv_exact(ends.here, room);
    VALUE(std::move(received));
    CHECK(received.size == 4);
    CHECK(std::string_view(room.data(), 4) == "abcd");
    CHECK(last_error() == before);
    CHECK(readable(ends.here) == 2);
  });
}

TEST_CASE("recv_exact: in pieces") {
  const std::string data = pattern(100'000);
  with_each([&](Ends &ends) {
    const Error before = fail_before();
    std::string got(data.size(), '\0');
    Aside peer([&] {
      for (std::size_t at = 0; at < data.size(); at += 10'000) {
        (void)send_all(ends.there, std::string_view(data).substr(at, 10'000), hung);
        (void)until([&] { return *ends.here.bytes_readable() == 0; }); // so that it finds nothing
      }
    });
    CHECK(recv_exact(ends.here, got).size == data.size());
    CHECK((got == data));
    CHECK(last_error() == before);
  });
}

TEST_CASE("recv_exact: a stream that ends before") {
  with_each([](Ends &ends) {
    VALUE(ends.there.send("abc"));
    VALUE(ends.there.shutdown(SHUT_WR));
    char room[4] = {};
    auto received = recv_exact(ends.here, room);
    CHECK_ERROR(received, ENODATA, recv_exact);
    CHECK(received.size == 3);
    CHECK(std::string_view(room, 3) == "abc");
    received = recv_exact(ends.here, room, 0s);
    CHECK_ERROR(received, ENODATA, recv_exact);
    CHECK(received.size == 0);
    CHECK(recv_exact(ends.here, MutableBuffer()).has_value()); // which needs nothing of it
  });
}

TEST_CASE("recv_until_eof: all, if there is no more than fits") {
  for (std::size_t size : std::initializer_list<std::size_t>{0, 1, 2, 4095, 4096, 4097, 8192, 8193, 12'289, 70'000}) {
    CAPTURE(size);
    const std::string data = pattern(size);
    for (std::size_t limit : {size, size + 1, size + 5000, 2 * size, std::size_t{1} << 30, SIZE_MAX})
      with_each([&](Ends &ends) {
        CAPTURE(limit);
        const Error before = fail_before();
        Aside peer([&] {
          (void)send_all(ends.there, data, hung);
          (void)ends.there.shutdown(SHUT_WR);
        });
        if (limit <= 2 * size + 5000) {
          std::string room(limit + 1, '#');
          auto received = recv_until_eof(ends.here, {room.data(), limit});
          VALUE(std::move(received));
          CHECK(received.size == size);
          CHECK((room.compare(0, size, data) == 0));
          CHECK(room[limit] == '#');
          CHECK(recv_until_eof(ends.here, limit).data.empty()); // once more it is the end
        } else {
          auto received = recv_until_eof(ends.here, limit);
          VALUE(std::move(received));
          CHECK((std::string_view(received.data.text()) == data));
          CHECK(received.data.length() == size);
        }
        CHECK(last_error() == before);
      });
  }
}

TEST_CASE("recv_until_eof: the excess stays in the socket") {
  for (std::size_t limit : std::initializer_list<std::size_t>{0, 1, 2, 4095, 4096, 4097, 8192, 20'000}) {
    CAPTURE(limit);
    const std::string data = pattern(limit + 1);
    for (bool allocates : {false, true})
      for (bool ended : {false, true})
        with_each([&](Ends &ends) {
          Aside peer([&] {
            (void)send_all(ends.there, data, hung);
            if (ended)
              (void)ends.there.shutdown(SHUT_WR);
          });
          std::string got;
          if (allocates) {
            auto received = recv_until_eof(ends.here, limit);
            CHECK_ERROR(received, EMSGSIZE, recv_until_eof);
            got = std::string_view(received.data.text());
          } else {
            got.assign(limit, '\0');
            auto received = recv_until_eof(ends.here, got);
            CHECK_ERROR(received, EMSGSIZE, recv_until_eof);
            CHECK(received.size == limit);
          }
          CHECK((got == data.substr(0, limit)));
          peer.join();
          CHECK(readable(ends.here) == 1);
          CHECK(VALUE(ends.here.recv(10)).text() == data.substr(limit));
        });
  }
}

TEST_CASE("recv_until_eof: as it comes") {
  const std::string data = pattern(50'000);
  with_each([&](Ends &ends) {
    Aside peer([&] {
      for (std::size_t at = 0; at < data.size(); at += 5000) {
        (void)send_all(ends.there, std::string_view(data).substr(at, 5000), hung);
        (void)until([&] { return *ends.here.bytes_readable() == 0; });
      }
      (void)ends.there.close();
    });
    auto received = recv_until_eof(ends.here, 1 << 20, hung);
    VALUE(std::move(received));
    CHECK((std::string_view(received.data.text()) == data));
  });
}

TEST_CASE("streams: what came before a reset is there") {
  for (const Helper &helper : helpers) {
    if (helper.sends)
      continue;
    INFO(std::string(helper.name));
    for (bool nonblocking : {false, true}) {
      Ends ends = over_tcp();
      VALUE(ends.here.set_nonblocking(nonblocking));
      const Socket watched = VALUE(ends.here.dup()); // finish() closes the other
      Aside peer([&] {
        (void)ends.there.send("abc");
        (void)until([&] { return tcp_bytes(watched)->received == 3 && *watched.bytes_readable() == 0; });
        (void)reset_and_close(ends.there);
      });
      const Outcome ended = helper.run(ends.here, hung);
      check_failed(ended, ECONNRESET, Operation::recv);
      CHECK(ended.size == (helper.operation == Operation::finish ? 0 : 3));
    }
  }
}

// --- ending ----------------------------------------------------------------------------------------------

TEST_CASE("finish: the peer gets the rest and the end, and is heard to its own") {
  const std::string words = pattern(200'000);
  with_each([&](Ends &ends) {
    const Error before = fail_before();
    std::string got;
    Outcome said;
    Error after;
    Aside peer([&] {
      std::string room(words.size() + 1, '\0');
      const auto received = recv_until_eof(ends.there, room, hung);
      got = room.substr(0, received.size);
      // It goes on after that, and is not told that nobody listens.
      said = outcome(send_all(ends.there, words, hung));
      (void)until([&] { return *ends.there.bytes_unsent() == 0; });
      after = Error(*ends.there.getsockopt(so::error) != 0 ? ECONNRESET : 0, Operation::recv);
      (void)ends.there.close();
    });
    auto done = finish(ends.here, words);
    peer.join();
    VALUE(std::move(done));
    CHECK(done.size == words.size());
    CHECK_FALSE(ends.here);
    CHECK(last_error() == before);
    CHECK((got == words));
    CHECK(said.error == Error());
    CHECK(said.size == words.size());
  });
}

TEST_CASE("finish: what was not read does not make a reset") {
  with_each([](Ends &ends) {
    VALUE(ends.there.send("not read by anyone"));
    VALUE(ends.there.shutdown(SHUT_WR));
    wait(ends.here, POLLIN);
    VALUE(finish(ends.here, "bye"));
    CHECK(VALUE(ends.there.recv()).text() == "bye");
    CHECK(VALUE(ends.there.recv()).empty()); // the end, and not ECONNRESET
  });
}

TEST_CASE("finish: closes the socket in any case") {
  struct {
    const char *name;
    int code;
    std::function<void(Ends &)> before;
    Deadline deadline;
  } const cases[] = {
      {"the peer has closed", 0, [](Ends &ends) { VALUE(ends.there.close()); }, {}},
      {"the peer never ends", ETIMEDOUT, [](Ends &) {}, 10ms},
      {"no time", ETIMEDOUT, [](Ends &) {}, 0s},
      {"no deadline", EINVAL, [](Ends &) {}, -1s},
  };
  for (const auto &each : cases) {
    INFO(std::string(each.name));
    with_each([&](Ends &ends) {
      each.before(ends);
      const int fd = ends.here.fd();
      const Error before = fail_before();
      auto done = finish(ends.here, {}, each.deadline);
      CHECK(last_error() == (each.code == 0 ? before : done.error()));
      CHECK((done ? 0 : done.error().code()) == each.code);
      CHECK_FALSE(ends.here);
      CHECK(::fcntl(fd, F_GETFD) == -1);
    });
  }
}

TEST_CASE("finish: of a stream that has ended both ways already") {
  with_each([](Ends &ends) {
    const Error before = fail_before();
    VALUE(ends.here.shutdown(SHUT_WR));
    CHECK(receive_all(ends.there).empty());
    VALUE(ends.there.shutdown(SHUT_WR));
    wait(ends.here, POLLRDHUP);
    VALUE(finish(ends.here));
    CHECK_FALSE(ends.here);
    CHECK(last_error() == before);
  });
}

TEST_CASE("finish: of a connection that was reset") {
  for (ConstBuffer data : {ConstBuffer(), ConstBuffer("bye")}) {
    Ends ends = over_tcp();
    VALUE(reset_and_close(ends.there));
    wait(ends.here, POLLIN);
    auto done = finish(ends.here, data);
    REQUIRE_FALSE(done);
    CHECK(done.error().is(ECONNRESET));
    CHECK(done.size == 0);
    CHECK(last_error() == done.error());
    CHECK_FALSE(ends.here);
  }
}

TEST_CASE("reset_and_close: the peer sees a reset, and not what was not sent") {
  std::vector<std::pair<const char *, std::function<Ends()>>> kinds = {{"TCP", over_tcp}};
  if (has_inet6())
    kinds.emplace_back("TCP over IPv6", over_tcp6);
  for (const auto &[name, make] : kinds) {
    INFO(std::string(name));
    NoLeak no_leak;
    Ends ends = make();
    VALUE(ends.there.setsockopt(so::rcvbuf, 4096));
    const Transferred sent = send_all(ends.here, much(), 0s);
    const int fd = ends.here.fd();
    VALUE(reset_and_close(ends.here));
    CHECK_FALSE(ends.here);
    CHECK(::fcntl(fd, F_GETFD) == -1);
    std::size_t got = 0;
    for (;;) {
      wait(ends.there, POLLIN);
      auto received = ends.there.recv();
      if (!received) {
        CHECK_ERROR(received, ECONNRESET, recv);
        break;
      }
      REQUIRE_FALSE(received->empty());
      got += received->size();
    }
    CHECK(got < sent.size);
  }
}

TEST_CASE("reset_and_close: MPTCP") {
  NoLeak no_leak;
  auto listener = Socket::socket(AF_INET, SOCK_STREAM, protocol_mptcp);
  auto here = Socket::socket(AF_INET, SOCK_STREAM, protocol_mptcp);
  if (!listener || !here)
    SKIP("no MPTCP");
  VALUE(listener->bind(loopback));
  VALUE(listener->listen());
  VALUE(here->connect(VALUE(listener->getsockname())));
  Socket there = VALUE(listener->accept());
  VALUE(reset_and_close(*here));
  CHECK_FALSE(*here);
  wait(there, POLLIN);
  CHECK_ERROR(there.recv(), ECONNRESET, recv);
}

TEST_CASE("reset_and_close: a socket that listens") {
  TcpListener listener;
  VALUE(reset_and_close(listener.socket));
  CHECK_FALSE(listener.socket);
}

TEST_CASE("reset_and_close: of another protocol, refused, and still open") {
  Socket udp = bound(loopback);
  Ends ends = over_unix();
  for (Socket *socket : {&udp, &ends.here}) {
    CHECK_ERROR(reset_and_close(*socket), EOPNOTSUPP, reset_and_close);
    CHECK(*socket);
    CHECK_FALSE(VALUE(socket->getsockopt(so::linger)).on);
  }
  VALUE(ends.here.send("x"));
  CHECK(VALUE(ends.there.recv()).text() == "x");
  Socket none;
  CHECK_ERROR(reset_and_close(none), EBADF, getsockopt);
}

// --- settings --------------------------------------------------------------------------------------------

TEST_CASE("set_keepalive: what is not zero is set, and the rest stays") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  auto check = [&](bool on, int idle, int interval, int count) {
    CHECK(VALUE(socket.getsockopt(so::keepalive)) == on);
    CHECK(VALUE(socket.getsockopt(tcp::keepidle)) == Seconds(idle));
    CHECK(VALUE(socket.getsockopt(tcp::keepintvl)) == Seconds(interval));
    CHECK(VALUE(socket.getsockopt(tcp::keepcnt)) == count);
  };
  VALUE(socket.setsockopt(tcp::keepidle, 1000s));
  VALUE(socket.setsockopt(tcp::keepintvl, 100s));
  VALUE(socket.setsockopt(tcp::keepcnt, 10));
  VALUE(set_keepalive(socket, {}));
  check(true, 1000, 100, 10);
  VALUE(set_keepalive(socket, {.idle = 61s}));
  check(true, 61, 100, 10);
  VALUE(set_keepalive(socket, {.interval = 7s}));
  check(true, 61, 7, 10);
  VALUE(set_keepalive(socket, {.count = 3}));
  check(true, 61, 7, 3);
  VALUE(set_keepalive(socket, {.on = false}));
  check(false, 61, 7, 3);
  VALUE(set_keepalive(socket, {.on = true, .idle = 32767s, .interval = 32767s, .count = 127}));
  check(true, 32767, 32767, 127);
  VALUE(set_keepalive(socket, {.on = false, .idle = 1ms, .interval = 1500ms, .count = 1}));
  check(false, 1, 2, 1); // rounded up
}

TEST_CASE("set_keepalive: what the options do not hold is refused before any is set") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  const Seconds idle = VALUE(socket.getsockopt(tcp::keepidle));
  const Seconds interval = VALUE(socket.getsockopt(tcp::keepintvl));
  const int count = VALUE(socket.getsockopt(tcp::keepcnt));
  for (const KeepAlive &bad :
       {KeepAlive{.idle = 32768s, .interval = 2s, .count = 2}, KeepAlive{.idle = 2s, .interval = 32768s, .count = 2},
        KeepAlive{.idle = 2s, .interval = 2s, .count = 128}, KeepAlive{.idle = -1s, .interval = 2s, .count = 2},
        KeepAlive{.idle = 2s, .interval = -1s, .count = 2}, KeepAlive{.idle = 2s, .interval = 2s, .count = -1},
        KeepAlive{.idle = Seconds::max(), .interval = 2s, .count = 2},
        KeepAlive{.on = false, .idle = 2s, .interval = 2s, .count = 1 << 30}}) {
    CHECK_ERROR(set_keepalive(socket, bad), EINVAL, set_keepalive);
    CHECK_FALSE(VALUE(socket.getsockopt(so::keepalive)));
    CHECK(VALUE(socket.getsockopt(tcp::keepidle)) == idle);
    CHECK(VALUE(socket.getsockopt(tcp::keepintvl)) == interval);
    CHECK(VALUE(socket.getsockopt(tcp::keepcnt)) == count);
  }
}

TEST_CASE("set_keepalive: sockets without TCP's options") {
  Socket udp = dgram(AF_INET);
  Ends ends = over_unix();
  for (Socket *socket : {&udp, &ends.here}) {
    auto set = set_keepalive(*socket, {.idle = 5s});
    REQUIRE_FALSE(set);
    CHECK(set.error().operation() == Operation::setsockopt);
    CHECK((set.error().is(ENOPROTOOPT) || set.error().is(EOPNOTSUPP)));
    CHECK_FALSE(VALUE(socket->getsockopt(so::keepalive))); // which comes last
  }
  VALUE(set_keepalive(ends.here, {})); // a flag that they all have
  CHECK(VALUE(ends.here.getsockopt(so::keepalive)));
  CHECK_ERROR(set_keepalive(Socket(), {}), EBADF, setsockopt);
}

TEST_CASE("set_timeouts: both, each its own") {
  with_each([](Ends &ends) {
    VALUE(set_timeouts(ends.here, 2s, 3s));
    CHECK(VALUE(ends.here.getsockopt(so::rcvtimeo)) == 2s);
    CHECK(VALUE(ends.here.getsockopt(so::sndtimeo)) == 3s);
    VALUE(set_timeouts(ends.here, 1ns, 0s)); // short does not become none
    CHECK(VALUE(ends.here.getsockopt(so::rcvtimeo)) > 0s);
    CHECK(VALUE(ends.here.getsockopt(so::sndtimeo)) == 0s);
    VALUE(set_timeouts(ends.here, 20ms, 20ms));
    VALUE(ends.here.set_nonblocking(false));
    char room[8];
    CHECK_ERROR(ends.here.recv(room), EAGAIN, recv);
    VALUE(set_timeouts(ends.here, 0s, 0s));
    CHECK(VALUE(ends.here.getsockopt(so::rcvtimeo)) == 0s);
    ends.here = Socket();
  });
}

TEST_CASE("set_timeouts: what the options do not hold is refused before any is set") {
  Socket socket = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  VALUE(set_timeouts(socket, 2s, 3s));
  const Microseconds bad[] = {-1us, Microseconds(-1), Microseconds::max(), std::chrono::hours::max(),
                              std::chrono::hours::min()};
  for (Microseconds time : bad) {
    CHECK_ERROR(set_timeouts(socket, time, 5s), EINVAL, set_timeouts);
    CHECK_ERROR(set_timeouts(socket, 5s, time), EINVAL, set_timeouts);
    CHECK(VALUE(socket.getsockopt(so::rcvtimeo)) == 2s);
    CHECK(VALUE(socket.getsockopt(so::sndtimeo)) == 3s);
  }
  CHECK_ERROR(set_timeouts(Socket(), 1s, 1s), EBADF, setsockopt);
}

TEST_CASE("set_traffic_class: the datagrams have it, of either family") {
  constexpr int classes[] = {0x28, 0xb8, 0xff, 1, 0};
  Socket receiver4 = bound(loopback);
  VALUE(receiver4.setsockopt(ip::recvtos, true));
  const SocketAddress to4 = VALUE(receiver4.getsockname());
  auto check4 = [&](const Socket &sender, int expected) {
    VALUE(sender.send("x"));
    wait(receiver4, POLLIN);
    char room[8];
    const MutableBuffer parts[] = {room};
    ControlBuffer<64> control;
    VALUE(receiver4.recvmsg(parts, control));
    CHECK(VALUE(control.get(cmsg::ip::tos)) == expected);
  };
  Socket sender4 = dgram(AF_INET);
  VALUE(sender4.connect(to4));
  CHECK(VALUE(traffic_class(sender4)) == 0);
  for (int each : classes) {
    VALUE(set_traffic_class(sender4, each));
    CHECK(VALUE(traffic_class(sender4)) == each);
    check4(sender4, each);
  }

  if (!has_inet6())
    SKIP("no IPv6");
  Socket receiver6 = bound(loopback6);
  VALUE(receiver6.setsockopt(ipv6::recvtclass, true));
  Socket sender6 = dgram(AF_INET6);
  VALUE(sender6.connect(VALUE(receiver6.getsockname())));
  Socket dual = dgram(AF_INET6);
  VALUE(dual.setsockopt(ipv6::v6only, false));
  VALUE(dual.connect(at("[::ffff:127.0.0.1]:" + std::to_string(to4.port()))));
  for (int each : classes) {
    VALUE(set_traffic_class(sender6, each));
    CHECK(VALUE(traffic_class(sender6)) == each);
    VALUE(sender6.send("x"));
    wait(receiver6, POLLIN);
    char room[8];
    const MutableBuffer parts[] = {room};
    ControlBuffer<64> control;
    VALUE(receiver6.recvmsg(parts, control));
    CHECK(VALUE(control.get(cmsg::ipv6::tclass)) == each);
    // What a socket of IPv6 sends to IPv4 has the other option's.
    VALUE(set_traffic_class(dual, each));
    CHECK(VALUE(traffic_class(dual)) == each);
    CHECK(VALUE(dual.getsockopt(ip::tos)) == each);
    check4(dual, each);
  }
}

TEST_CASE("set_traffic_class: of TCP without ECN's bits") {
  Ends ends = over_tcp();
  VALUE(set_traffic_class(ends.here, 0xff));
  CHECK((VALUE(traffic_class(ends.here)) & ~3) == 0xfc);
  CHECK((VALUE(ends.here.getsockopt(ip::tos)) & ~3) == 0xfc);
}

TEST_CASE("set_traffic_class: what is no byte, and what has none") {
  std::vector<Socket> sockets;
  sockets.push_back(dgram(AF_INET));
  if (has_inet6())
    sockets.push_back(dgram(AF_INET6));
  for (const Socket &socket : sockets) {
    VALUE(set_traffic_class(socket, 0x20));
    for (int bad : {-1, 256, 257, 1 << 30, -256}) {
      CHECK_ERROR(set_traffic_class(socket, bad), ERANGE, set_traffic_class);
      CHECK(VALUE(traffic_class(socket)) == 0x20);
    }
  }
  Ends ends = over_unix();
  CHECK_ERROR(set_traffic_class(ends.here, 0), EAFNOSUPPORT, set_traffic_class);
  CHECK_ERROR(traffic_class(ends.here), EAFNOSUPPORT, traffic_class);
  CHECK_ERROR(set_traffic_class(Socket(), 0), EBADF, getsockopt);
  CHECK_ERROR(traffic_class(Socket()), EBADF, getsockopt);
}

// --- what TCP says ---------------------------------------------------------------------------------------

TEST_CASE("tcp_bytes: as many as went, either way") {
  Ends ends = over_tcp();
  auto check = [&](std::size_t sent, std::size_t received) {
    // The last acknowledgement may be on its way; what counts has been received.
    const TcpBytes here = VALUE(tcp_bytes(ends.here));
    const TcpBytes there = VALUE(tcp_bytes(ends.there));
    CHECK(here.sent == sent);
    CHECK(there.received == sent);
    CHECK(there.sent == received);
    CHECK(here.received == received);
  };
  check(0, 0);
  std::string room(100'000, '\0');
  const std::string data = pattern(100'000);
  Aside peer([&] { (void)recv_exact(ends.there, room, hung); });
  VALUE(send_all(ends.here, data));
  peer.join();
  check(100'000, 0);
  VALUE(ends.there.send("four"));
  wait(ends.here, POLLIN);
  check(100'000, 4);
}

TEST_CASE("tcp_bytes: the end of a stream is no byte") {
  Ends ends = over_tcp();
  VALUE(ends.here.send("abc"));
  VALUE(ends.here.shutdown(SHUT_WR));
  wait(ends.there, POLLRDHUP);
  CHECK(VALUE(tcp_bytes(ends.here)).sent == 3);
  CHECK(VALUE(tcp_bytes(ends.there)).received == 3);
  CHECK(VALUE(tcp_bytes(ends.there)).sent == 0);
}

TEST_CASE("tcp_state: of a connection's life") {
  auto named = [](const Socket &socket) { return std::string(constant_name("TCP_", VALUE(tcp_state(socket)))); };
  Socket fresh = VALUE(Socket::socket(AF_INET, SOCK_STREAM));
  CHECK(VALUE(tcp_state(fresh)) == TCP_CLOSE);
  TcpListener listener;
  CHECK(VALUE(tcp_state(listener.socket)) == TCP_LISTEN);
  CHECK(named(listener.socket) == "TCP_LISTEN");
  Ends ends = over_tcp();
  CHECK(VALUE(tcp_state(ends.here)) == TCP_ESTABLISHED);
  CHECK(VALUE(tcp_state(ends.there)) == TCP_ESTABLISHED);
  CHECK(named(ends.here) == "TCP_ESTABLISHED");
  VALUE(ends.here.shutdown(SHUT_WR));
  wait(ends.there, POLLRDHUP);
  CHECK(VALUE(tcp_state(ends.there)) == TCP_CLOSE_WAIT);
  CHECK(until([&] { return *tcp_state(ends.here) == TCP_FIN_WAIT2; }));
  VALUE(ends.there.shutdown(SHUT_WR));
  wait(ends.here, POLLRDHUP);
  CHECK(until([&] { return *tcp_state(ends.there) == TCP_CLOSE; }));
  CHECK(named(ends.there) == "TCP_CLOSE");
}

TEST_CASE("tcp_bytes, tcp_state: sockets of other protocols") {
  Socket udp = dgram(AF_INET);
  Ends ends = over_unix();
  Socket none;
  for (const Socket *socket : {&udp, &ends.here, &none}) {
    auto bytes = tcp_bytes(*socket);
    REQUIRE_FALSE(bytes);
    CHECK(last_error() == bytes.error());
    auto state = tcp_state(*socket);
    REQUIRE_FALSE(state);
    for (Error error : {bytes.error(), state.error()}) {
      CHECK(error.operation() == Operation::getsockopt);
      CHECK((error.is(ENOPROTOOPT) || error.is(EOPNOTSUPP) || error.is(EBADF)));
    }
  }
}

TEST_SUITE_END();
