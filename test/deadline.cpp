// SPDX-License-Identifier: MIT

#include "support.hpp"
#include "waiting.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>

using namespace baresock;
using namespace std::chrono_literals;
namespace chrono = std::chrono;

namespace {

/// A clock of the test's own, which says what it is told to.
template <class Rep, class Period>
struct Clock {
  using rep = Rep;
  using period = Period;
  using duration = chrono::duration<Rep, Period>;
  using time_point = chrono::time_point<Clock>;
  static constexpr bool is_steady = false;
  static inline duration time = {};
  static time_point now() { return time_point(time); }
};

void check_never(const Deadline &deadline) {
  CHECK(deadline.never());
  CHECK(deadline.valid());
  CHECK_FALSE(deadline.passed());
  CHECK(deadline.remaining() == Nanoseconds::max());
}

void check_invalid(const Deadline &deadline) {
  CHECK_FALSE(deadline.valid());
  CHECK_FALSE(deadline.never());
  CHECK_ERROR(poll({}, deadline), EINVAL, poll);
}

void check_passed(const Deadline &deadline) {
  CHECK(deadline.passed());
  CHECK(deadline.valid());
  CHECK_FALSE(deadline.never());
  CHECK(deadline.remaining().count() == 0);
}

/// `make` gives a deadline that is so far away: no less when it is made, no more when it is looked at.
template <class Make>
void check_left(chrono::nanoseconds expected, Make &&make) {
  Watch outer;
  const Deadline deadline = make();
  Watch inner;
  const chrono::nanoseconds left = deadline.remaining();
  CHECK(left >= expected - outer.passed());
  CHECK(left <= expected);
  CHECK(deadline.valid());
  CHECK_FALSE(deadline.passed());
  CHECK_FALSE(deadline.never());
}

} // namespace

TEST_SUITE_BEGIN("deadline");

TEST_CASE("Deadline: unless something else is said, never") {
  check_never({});
  check_never(Deadline());
  constexpr Deadline fixed;
  static_assert(fixed.never() && fixed.valid() && fixed.cancel_fd() == -1);
  static_assert(sizeof(Deadline) <= 16);
}

TEST_CASE("Deadline: of any duration") {
  check_left(100s, [] { return Deadline(100s); });
  check_left(100s, [] { return Deadline(100'000ms); });
  check_left(100s, [] { return Deadline(100'000'000us); });
  check_left(100s, [] { return Deadline(100'000'000'000ns); });
  check_left(120s, [] { return Deadline(2min); });
  check_left(3600s, [] { return Deadline(1h); });
  check_left(86400s, [] { return Deadline(chrono::days(1)); });
  check_left(100s, [] { return Deadline(chrono::duration<double>(100)); });
  check_left(1500ms * 100, [] { return Deadline(chrono::duration<float>(150.0f)); });
  check_left(90s, [] { return Deadline(chrono::duration<double, std::ratio<60>>(1.5)); });
  check_left(100s, [] { return Deadline(chrono::duration<unsigned>(100)); });
  check_left(100s, [] { return Deadline(chrono::duration<std::uint8_t>(std::uint8_t{100})); });
  check_left(20s, [] { return Deadline(chrono::duration<int, std::ratio<1, 3>>(60)); });
  check_left(100s, [] { return Deadline(Seconds(100)); });
  check_left(100s, [] { return Deadline(Milliseconds(100'000)); });
  check_left(100s, [] { return Deadline(Microseconds(100'000'000)); });
  check_left(100s, [] { return Deadline(Nanoseconds(100'000'000'000)); });
  // Short does not become none.
  Watch watch;
  const Deadline soon = chrono::duration<double, std::pico>(1);
  CHECK(soon.valid());
  CHECK(until([&] { return soon.passed(); }));
  CHECK(watch.passed() >= 1ns);
}

TEST_CASE("Deadline: of no time at all") {
  check_passed(0s);
  check_passed(0h);
  check_passed(chrono::duration<double>(0));
  check_passed(chrono::duration<double>(-0.0));
  check_passed(Seconds(0));
  check_passed(Nanoseconds(0));
}

TEST_CASE("Deadline: what does not fit is never") {
  check_never(chrono::nanoseconds::max());
  check_never(chrono::microseconds::max());
  check_never(chrono::milliseconds::max());
  check_never(chrono::seconds::max());
  check_never(chrono::minutes::max());
  check_never(chrono::hours::max());
  check_never(chrono::years::max());
  check_never(chrono::duration<double>::max());
  check_never(chrono::duration<float>::max());
  check_never(chrono::duration<double>(std::numeric_limits<double>::infinity()));
  check_never(chrono::duration<double>(1e10));
  check_never(chrono::duration<std::uint64_t>::max());
  check_never(chrono::duration<std::uint64_t, std::nano>::max());
  check_never(chrono::hours(24 * 366 * 300)); // 292 years are the limit
  check_never(Nanoseconds::max());
  check_never(Microseconds::max());
  check_never(Milliseconds::max());
  check_never(Seconds::max());
  check_never(Nanoseconds(Nanoseconds::max().count() - 1)); // from now on
  // and what does fit is not
  check_left(chrono::hours(24 * 365 * 250), [] { return Deadline(chrono::hours(24 * 365 * 250)); });
}

TEST_CASE("Deadline: below zero is invalid, and refused") {
  check_invalid(-1ns);
  check_invalid(-1us);
  check_invalid(-1s);
  check_invalid(-1h);
  check_invalid(chrono::nanoseconds::min());
  check_invalid(chrono::seconds::min());
  check_invalid(chrono::hours::min());
  check_invalid(chrono::years::min());
  check_invalid(chrono::duration<double>(-1.5));
  check_invalid(chrono::duration<double>::min());
  check_invalid(chrono::duration<double>(-std::numeric_limits<double>::infinity()));
  check_invalid(chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()));
  check_invalid(Seconds(-1));
  check_invalid(Nanoseconds(-1));
  check_invalid(Seconds(std::numeric_limits<long long>::min()));
  check_invalid(Nanoseconds(std::numeric_limits<long long>::min()));
}

TEST_CASE("Deadline: of a point in time, of any clock") {
  check_left(100s, [] { return Deadline(chrono::steady_clock::now() + 100s); });
  check_left(3600s, [] { return Deadline(chrono::steady_clock::now() + 1h); });
  // May be set meanwhile, by somebody else: leave room.
  const Deadline system = chrono::system_clock::now() + 1h;
  CHECK(system.remaining() > 30min);
  CHECK(system.remaining() < 90min);
  const Deadline coarse = chrono::time_point_cast<chrono::minutes>(chrono::system_clock::now()) + 60min;
  CHECK(coarse.remaining() > 29min);
  CHECK(coarse.remaining() < 90min);
  check_passed(chrono::steady_clock::now());
  check_passed(chrono::steady_clock::now() - 1ns);
  check_passed(chrono::steady_clock::now() - 1h);
  check_passed(chrono::system_clock::now() - 1h);
  check_passed(chrono::system_clock::time_point());
  check_passed(chrono::steady_clock::time_point());
}

TEST_CASE("Deadline: the ends of time") {
  check_never(chrono::steady_clock::time_point::max());
  check_never(chrono::system_clock::time_point::max());
  check_never(chrono::time_point<chrono::system_clock, chrono::seconds>::max());
  check_never(chrono::time_point<chrono::system_clock, chrono::hours>::max());
  check_never(chrono::time_point<chrono::steady_clock, chrono::duration<double>>::max());
  check_passed(chrono::steady_clock::time_point::min());
  check_passed(chrono::system_clock::time_point::min());
  check_passed(chrono::time_point<chrono::system_clock, chrono::seconds>::min());
  check_passed(chrono::time_point<chrono::system_clock, chrono::hours>::min());
  check_passed(chrono::time_point<chrono::steady_clock, chrono::duration<double>>::min());
  // beyond what nanoseconds hold, but no end
  check_never(chrono::sys_days(chrono::year(9999) / 1 / 1));
  check_passed(chrono::sys_days(chrono::year(1000) / 1 / 1));
}

TEST_CASE("Deadline: a clock of one's own") {
  using Nanos = Clock<long long, std::nano>;
  using Hours = Clock<int, std::ratio<3600>>;
  using Real = Clock<double, std::ratio<1>>;
  for (auto now : {0ns, 5ns, -5ns, chrono::nanoseconds(1'000'000h), -chrono::nanoseconds(1'000'000h)}) {
    Nanos::time = now;
    check_passed(Nanos::now());
    check_passed(Nanos::now() - 1ns);
    check_passed(Nanos::now() - 10h);
    check_left(10h, [] { return Deadline(Nanos::now() + 10h); });
    check_never(Nanos::time_point::max());
    check_passed(Nanos::time_point::min());
  }
  Nanos::time = chrono::nanoseconds::min();
  check_never(Nanos::time_point(1h)); // more than 292 years away
  check_passed(Nanos::time_point::min());
  check_never(Nanos::time_point::max());
  check_left(1h, [] { return Deadline(Nanos::now() + 1h); });
  Nanos::time = chrono::nanoseconds::max() - 1h;
  check_passed(Nanos::time_point(-1h));
  check_left(30min, [] { return Deadline(Nanos::now() + 30min); });
  check_passed(Nanos::time_point::min());

  Hours::time = Hours::duration(-7);
  check_left(2h, [] { return Deadline(Hours::now() + Hours::duration(2)); });
  check_passed(Hours::now());
  check_passed(Hours::now() - Hours::duration(1));
  check_never(Hours::time_point::max());
  check_passed(Hours::time_point::min());

  Real::time = Real::duration(0.5);
  check_left(1h, [] { return Deadline(Real::now() + chrono::duration<double>(3600)); });
  check_passed(Real::now() - chrono::duration<double>(0.25));
}

TEST_CASE("Deadline: a clock that is set later does not move it") {
  using Nanos = Clock<long long, std::nano>;
  Nanos::time = 1h;
  const Deadline deadline = Nanos::now() + 1h;
  Nanos::time = 10h;
  CHECK_FALSE(deadline.passed());
  CHECK(deadline.remaining() <= 1h);
  CHECK(deadline.remaining() > 50min);
}

TEST_CASE("Deadline: what is left shrinks, from call to call") {
  const Deadline deadline = 30ms;
  Watch watch;
  Nanoseconds before = deadline.remaining();
  CHECK(before <= 30ms);
  int calls = 0;
  for (; !deadline.passed(); ++calls) {
    REQUIRE(watch.passed() < hung);
    CHECK(VALUE(poll({}, Deadline(1ms))) == 0);
    const Nanoseconds now = deadline.remaining();
    CHECK(now < before);
    before = now;
  }
  CHECK(watch.passed() >= 29ms);
  CHECK(calls <= 30);
  CHECK(VALUE(poll({}, deadline)) == 0); // at once, from here on
  check_passed(deadline);
}

TEST_CASE("Deadline: cancelled_by makes another, that ends then as well") {
  const Deadline plain = 1h;
  const Deadline cancelled = plain.cancelled_by(7);
  CHECK(plain.cancel_fd() == -1);
  CHECK(cancelled.cancel_fd() == 7);
  CHECK(cancelled.remaining() > 30min);
  CHECK(cancelled.remaining() <= 1h);
  CHECK(cancelled.cancelled_by(8).cancel_fd() == 8);
  CHECK(cancelled.cancelled_by(-1).cancel_fd() == -1);
  constexpr Deadline never = Deadline().cancelled_by(3);
  static_assert(never.never() && never.cancel_fd() == 3);
  CHECK_FALSE(Deadline(-1s).cancelled_by(3).valid());
  CHECK(Deadline(0s).cancelled_by(3).passed());
}

TEST_SUITE_END();
