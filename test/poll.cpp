// SPDX-License-Identifier: MIT

#include "network.hpp"
#include "support.hpp"
#include "waiting.hpp"

#include <chrono>
#include <fcntl.h>
#include <string>
#include <sys/resource.h>
#include <vector>

using namespace baresock;
using namespace std::chrono_literals;

namespace {

constexpr short stale = 0x7fff; // what an earlier call might have left in revents

/// Two ends, of which nothing has been sent.
struct Ends {
  Socket here;
  Socket there;
  explicit Ends(int type = SOCK_STREAM) {
    auto pair = VALUE(Socket::socketpair(AF_UNIX, type));
    here = std::move(pair.first);
    there = std::move(pair.second);
  }
};

} // namespace

TEST_SUITE_BEGIN("poll");

TEST_CASE("poll: says which are ready, and changes nothing else") {
  Ends quiet, readable, gone;
  VALUE(readable.there.send("x"));
  VALUE(gone.there.close());
  pollfd items[] = {{quiet.here.fd(), POLLIN, stale},
                    {readable.here.fd(), POLLIN, stale},
                    {readable.here.fd(), POLLIN | POLLOUT, 0},
                    {-1, POLLIN | POLLOUT, stale},
                    {gone.here.fd(), 0, 0},
                    {quiet.here.fd(), POLLOUT, 0}};
  std::vector<pollfd> before(std::begin(items), std::end(items));
  const Error error = fail_before();
  for (int again = 0; again < 3; ++again) { // of a request that is used again and again
    CHECK(VALUE(poll(items, 1h)) == 4);
    for (std::size_t i = 0; i < before.size(); ++i) {
      CHECK(items[i].fd == before[i].fd);
      CHECK(items[i].events == before[i].events);
    }
    CHECK(items[0].revents == 0);
    CHECK(items[1].revents == POLLIN);
    CHECK(items[2].revents == (POLLIN | POLLOUT));
    CHECK(items[3].revents == 0);
    CHECK(items[4].revents == POLLHUP);
    CHECK(items[5].revents == POLLOUT);
  }
  CHECK(last_error() == error);
}

TEST_CASE("poll: an item that was ready and is no more, and one that was not and is") {
  Ends a, b;
  pollfd items[] = {{a.here.fd(), POLLIN, 0}, {b.here.fd(), POLLIN, 0}};
  for (int i = 0; i < 10; ++i) {
    const bool first = i % 2 == 0;
    VALUE((first ? a : b).there.send("x"));
    CHECK(VALUE(poll(items, 1h)) == 1);
    CHECK(items[0].revents == (first ? POLLIN : 0));
    CHECK(items[1].revents == (first ? 0 : POLLIN));
    CHECK(VALUE((first ? a : b).here.recv()).size() == 1);
    CHECK(VALUE(poll(items, 0s)) == 0);
    CHECK(items[0].revents == 0);
    CHECK(items[1].revents == 0);
  }
}

TEST_CASE("poll: an invalid item is told of, and results line up with the items") {
  Ends ends;
  VALUE(ends.there.send("x"));
  const int closed = closed_number();
  pollfd items[] = {
      {closed, POLLIN, 0}, {-1, POLLIN, 0}, {ends.here.fd(), POLLIN, 0}, {-5, POLLIN, 0}, {closed, 0, 0}};
  CHECK(VALUE(poll(items)) == 3);
  CHECK(items[0].revents == POLLNVAL);
  CHECK(items[1].revents == 0);
  CHECK(items[2].revents == POLLIN);
  CHECK(items[3].revents == 0);
  CHECK(items[4].revents == POLLNVAL);
}

TEST_CASE("poll: no items, or only such as are passed over, is a pause") {
  Watch watch;
  CHECK(VALUE(poll({}, 20ms)) == 0);
  CHECK(watch.passed() >= 20ms);
  std::vector<pollfd> none(10, {-1, POLLIN, stale});
  CHECK(VALUE(poll(none, 20ms)) == 0);
  CHECK(watch.passed() >= 40ms);
  for (const pollfd &item : none)
    CHECK(item.revents == 0);
  CHECK(VALUE(poll({}, 0s)) == 0);
}

TEST_CASE("poll: a short time is not none, and none too early") {
  Ends ends;
  pollfd item = {ends.here.fd(), POLLIN, 0};
  for (std::chrono::nanoseconds time : {1ns, 999'999ns, 1'000'001ns, 1'999'999ns, 10'500'000ns}) {
    Watch watch;
    CHECK(VALUE(poll({&item, 1}, time)) == 0);
    CHECK(watch.passed() >= time);
    CHECK(watch.passed() < hung);
  }
  Watch watch;
  CHECK(VALUE(poll({&item, 1}, std::chrono::steady_clock::now() + 10ms)) == 0);
  CHECK(watch.passed() >= 10ms);
}

TEST_CASE("poll: for ever") {
  for (const Deadline &never : {Deadline(), Deadline(std::chrono::hours::max()), Deadline(250 * 8760h)}) {
    Ends ends;
    pollfd item = {ends.here.fd(), POLLIN, 0};
    Aside other([&] {
      std::this_thread::sleep_for(5ms);
      (void)ends.there.send("x");
    });
    CHECK(VALUE(poll({&item, 1}, never)) == 1);
    CHECK(item.revents == POLLIN);
  }
}

TEST_CASE("poll: an interrupted call is the caller's, and leaves no revents") {
  Ends ends;
  pollfd items[] = {{ends.here.fd(), POLLIN, stale}, {-1, 0, stale}};
  Alarms alarms;
  const Deadline deadline = 50ms;
  Watch watch;
  int interruptions = 0;
  for (;;) {
    items[0].revents = items[1].revents = stale;
    auto ready = poll(items, deadline);
    CHECK(items[0].revents == 0);
    CHECK(items[1].revents == 0);
    CHECK(items[0].events == POLLIN);
    if (ready) {
      CHECK(*ready == 0);
      break;
    }
    CHECK_ERROR(ready, EINTR, ppoll);
    ++interruptions;
  }
  CHECK(watch.passed() >= 50ms); // with the same deadline, the same time
  CHECK(watch.passed() < hung);
  CHECK(interruptions > 0);
}

TEST_CASE("poll: deadlines that it does not take") {
  Ends ends;
  Event event;
  VALUE(ends.there.send("x"));
  for (const Deadline &bad : {Deadline(-1ns), Deadline().cancelled_by(event.fd()), Deadline(0s).cancelled_by(0)}) {
    pollfd item = {ends.here.fd(), POLLIN, 0};
    CHECK_ERROR(poll({&item, 1}, bad), EINVAL, poll);
    CHECK(item.revents == 0);
    CHECK(item.events == POLLIN);
  }
}

TEST_CASE("poll: a deadline that it does not take leaves no revents either") {
  Ends ends;
  pollfd item = {ends.here.fd(), POLLIN, stale};
  CHECK_ERROR(poll({&item, 1}, -1ns), EINVAL, poll);
  CHECK(item.revents == 0);
}

TEST_CASE("poll: more items than there may be descriptors") {
  if (memory_is_checked())
    SKIP("a memory checker keeps the limit of descriptors itself");
  const int status = in_child([] {
    const rlimit limit = {20, 20};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
      return 1;
    std::vector<pollfd> items(21, {-1, 0, stale});
    auto ready = poll(items, 0s);
    if (ready || ready.error() != Error(EINVAL, Operation::ppoll) || items[20].revents != 0)
      return 2;
    return 0;
  });
  CHECK(status == 0);
}

TEST_CASE("poll and wait_for: descriptors over 1024") {
  rlimit limit;
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit before = limit;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4096);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  Ends ends;
  Event event;
  const Socket high(::fcntl(ends.here.fd(), F_DUPFD_CLOEXEC, 1500));
  const FileDescriptor cancels(::fcntl(event.fd(), F_DUPFD_CLOEXEC, 1600));
  ::setrlimit(RLIMIT_NOFILE, &before);
  if (!high || cancels.fd() < 0)
    SKIP("the limit of descriptors is lower");
  REQUIRE(high.fd() >= 1500);
  pollfd item = {high.fd(), POLLIN, 0};
  CHECK(VALUE(poll({&item, 1}, 0s)) == 0);
  CHECK_ERROR(wait_for(high, POLLIN, 1ms), ETIMEDOUT, wait_for);
  VALUE(ends.there.send("x"));
  CHECK(VALUE(poll({&item, 1}, 1h)) == 1);
  CHECK(VALUE(wait_for(high, POLLIN, Deadline(1h).cancelled_by(cancels.fd()))) == POLLIN);
  char room[8];
  CHECK(recv_exact(high, {room, 1}, Deadline(1h).cancelled_by(cancels.fd())).size == 1);
  event.set();
  CHECK_ERROR(recv_exact(high, room, Deadline(1h).cancelled_by(cancels.fd())), ECANCELED, recv_exact);
  CHECK_ERROR(wait_for(high, POLLOUT, Deadline(1h).cancelled_by(cancels.fd())), ECANCELED, wait_for);
}

TEST_CASE("wait_for: what happened") {
  Ends ends;
  const Error before = fail_before();
  CHECK(VALUE(wait_for(ends.here, POLLOUT)) == POLLOUT);
  CHECK(VALUE(wait_for(ends.here, POLLIN | POLLOUT, 0s)) == POLLOUT);
  VALUE(ends.there.send("x"));
  CHECK(VALUE(wait_for(ends.here, POLLIN)) == POLLIN);
  CHECK(VALUE(wait_for(ends.here, POLLIN | POLLOUT)) == (POLLIN | POLLOUT));
  CHECK(VALUE(ends.here.recv()).size() == 1);
  VALUE(ends.there.shutdown(SHUT_WR));
  CHECK(VALUE(wait_for(ends.here, POLLRDHUP)) == POLLRDHUP);
  VALUE(ends.there.close());
  CHECK((VALUE(wait_for(ends.here, 0)) & POLLHUP) != 0); // not asked for, told of
  CHECK(last_error() == before);
}

TEST_CASE("wait_for: an error of the connection") {
  Connection connection;
  VALUE(reset_and_close(connection.server));
  CHECK((VALUE(wait_for(connection.client, 0, hung)) & POLLERR) != 0);
  CHECK(VALUE(connection.client.getsockopt(so::error)) == ECONNRESET);
}

TEST_CASE("wait_for: another thread's sending ends it") {
  for (int type : {int{SOCK_STREAM}, int{SOCK_DGRAM}, int{SOCK_SEQPACKET}}) {
    Ends ends(type);
    Aside other([&] {
      std::this_thread::sleep_for(5ms);
      (void)ends.there.send("x");
    });
    CHECK(VALUE(wait_for(ends.here, POLLIN, hung)) == POLLIN);
  }
}

TEST_CASE("wait_for: nothing happened") {
  Ends ends;
  for (short events : {short{0}, short{POLLIN}, short{POLLPRI}}) {
    Watch watch;
    CHECK_ERROR(wait_for(ends.here, events, 10ms), ETIMEDOUT, wait_for);
    CHECK(watch.passed() >= 10ms);
  }
  CHECK_ERROR(wait_for(ends.here, POLLIN, 0s), ETIMEDOUT, wait_for);
  CHECK_ERROR(wait_for(ends.here, POLLIN, std::chrono::steady_clock::now() - 1h), ETIMEDOUT, wait_for);
}

TEST_CASE("wait_for: no such descriptor") {
  CHECK_ERROR(wait_for(Socket(), POLLIN), EBADF, wait_for);
  CHECK_ERROR(wait_for(Socket(), POLLIN, 0s), EBADF, wait_for);
  const SocketRef closed(closed_number());
  CHECK_ERROR(wait_for(*closed, POLLIN), EBADF, wait_for);
  CHECK_ERROR(wait_for(*closed, 0, 1h), EBADF, wait_for);
}

TEST_CASE("wait_for: a deadline below zero, even if there is something") {
  Ends ends;
  CHECK_ERROR(wait_for(ends.here, POLLOUT, -1ns), EINVAL, wait_for);
  CHECK_ERROR(wait_for(Socket(), POLLOUT, -1ns), EINVAL, wait_for);
}

TEST_CASE("wait_for: signals do not end it, nor extend it") {
  Ends ends;
  Alarms alarms;
  Watch watch;
  CHECK_ERROR(wait_for(ends.here, POLLIN, 50ms), ETIMEDOUT, wait_for);
  CHECK(watch.passed() >= 50ms);
  CHECK(watch.passed() < hung);
  CHECK(alarms.came() > 0);
  const Error before = fail_before();
  Aside other([&] {
    (void)until([&, seen = alarms.came()] { return alarms.came() > seen + 2; });
    (void)ends.there.send("x");
  });
  CHECK(VALUE(wait_for(ends.here, POLLIN)) == POLLIN);
  CHECK(last_error() == before); // which is not EINTR
}

TEST_CASE("wait_for: cancelled") {
  Ends ends;
  Event event;
  const Deadline deadline = Deadline().cancelled_by(event.fd());
  CHECK(VALUE(wait_for(ends.here, POLLOUT, deadline)) == POLLOUT);
  CHECK_ERROR(wait_for(ends.here, POLLIN, Deadline(10ms).cancelled_by(event.fd())), ETIMEDOUT, wait_for);
  {
    Aside other([&] {
      std::this_thread::sleep_for(5ms);
      event.set();
    });
    CHECK_ERROR(wait_for(ends.here, POLLIN, deadline), ECANCELED, wait_for);
  }
  for (const Deadline &again : {deadline, Deadline(0s).cancelled_by(event.fd())}) // for it is not read
    CHECK_ERROR(wait_for(ends.here, POLLOUT, again), ECANCELED, wait_for);
  CHECK(event.is_set());
  CHECK_ERROR(wait_for(ends.here, POLLOUT, Deadline(1h).cancelled_by(closed_number())), EBADF, wait_for);
}

TEST_CASE("wait_for: cancelled by a socket, or the end of a pipe") {
  Ends ends, other;
  const Deadline deadline = Deadline().cancelled_by(other.here.fd());
  CHECK(VALUE(wait_for(ends.here, POLLOUT, deadline)) == POLLOUT);
  VALUE(other.there.close());
  CHECK_ERROR(wait_for(ends.here, POLLOUT, deadline), ECANCELED, wait_for);
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  const FileDescriptor reader(pipe[0]);
  ::close(pipe[1]);
  CHECK_ERROR(wait_for(ends.here, POLLIN, Deadline(1h).cancelled_by(reader.fd())), ECANCELED, wait_for);
}

TEST_SUITE_END();
