// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <chrono>
#include <climits>
#include <limits>
#include <type_traits>

using namespace baresock;
using namespace std::chrono_literals;

namespace {

using Fraction = std::chrono::duration<double>;
using Float = std::chrono::duration<float>;
using Thirds = std::chrono::duration<int, std::ratio<1, 3>>;
using Weeks = std::chrono::weeks;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

} // namespace

TEST_SUITE_BEGIN("duration");

// --- which types ---------------------------------------------------------------------------------------

// A number is no time, nor a time a number, a bool or another's count.
static_assert(!std::is_convertible_v<int, Seconds>);
static_assert(!std::is_convertible_v<double, Seconds>);
static_assert(!std::is_convertible_v<Seconds, int>);
static_assert(!std::is_convertible_v<Seconds, double>);
static_assert(!std::is_constructible_v<bool, Seconds>);
static_assert(std::is_constructible_v<Seconds, int>);
static_assert(!std::is_convertible_v<const char *, Seconds>);
static_assert(!std::is_constructible_v<Seconds, std::chrono::system_clock::time_point>);

// Every chrono duration converts to ours, ours to each other.
static_assert(std::is_convertible_v<std::chrono::hours, Seconds>);
static_assert(std::is_convertible_v<std::chrono::nanoseconds, Seconds>);
static_assert(std::is_convertible_v<Fraction, Microseconds>);
static_assert(std::is_convertible_v<Thirds, Nanoseconds>);
static_assert(std::is_convertible_v<Nanoseconds, Seconds>);
static_assert(std::is_convertible_v<Seconds, Nanoseconds>);

// Ours convert to those that lose nothing, as chrono's own do.
static_assert(std::is_convertible_v<Seconds, std::chrono::seconds>);
static_assert(std::is_convertible_v<Seconds, std::chrono::nanoseconds>);
static_assert(std::is_convertible_v<Microseconds, std::chrono::microseconds>);
static_assert(std::is_convertible_v<Microseconds, Fraction>);
static_assert(std::is_convertible_v<Microseconds, Float>);
static_assert(std::is_convertible_v<Seconds, Thirds>);
static_assert(!std::is_convertible_v<Microseconds, std::chrono::seconds>);
static_assert(!std::is_convertible_v<Microseconds, std::chrono::milliseconds>);
static_assert(!std::is_convertible_v<Seconds, std::chrono::minutes>);
static_assert(!std::is_convertible_v<Seconds, std::chrono::hours>);
static_assert(!std::is_convertible_v<Milliseconds, Thirds>);

// A value, passed in a register.
static_assert(sizeof(Seconds) == 8);
static_assert(std::is_trivially_copyable_v<Seconds>);
static_assert(std::is_nothrow_constructible_v<Seconds, std::chrono::hours>);
static_assert(std::is_nothrow_convertible_v<Seconds, std::chrono::seconds>);

// All of it at compile time.
static_assert(Seconds().count() == 0);
static_assert(Seconds(5s).count() == 5);
static_assert(Seconds(1ms).count() == 1);
static_assert(Microseconds(Fraction(0.5)).count() == 500'000);
static_assert(std::chrono::milliseconds(Seconds(2)) == 2000ms);
static_assert(Seconds(1) < Seconds(2));
static_assert(Seconds::max().count() == LLONG_MAX);

// --- in ------------------------------------------------------------------------------------------------

TEST_CASE("coarser units are exact") {
  CHECK(Seconds(2min).count() == 120);
  CHECK(Seconds(3h).count() == 10800);
  CHECK(Seconds(Weeks(1)).count() == 604'800);
  CHECK(Milliseconds(5s).count() == 5000);
  CHECK(Microseconds(5s).count() == 5'000'000);
  CHECK(Nanoseconds(1h).count() == 3'600'000'000'000);
  CHECK(Nanoseconds(Seconds(7)).count() == 7'000'000'000);
  CHECK(Milliseconds(Seconds(-7)).count() == -7000);
  CHECK(Milliseconds(Milliseconds(9)).count() == 9);
}

TEST_CASE("finer and odd units round up, never to none") {
  struct {
    long long got, wanted;
  } const cases[] = {
      {Seconds(1ns).count(), 1},
      {Seconds(999'999'999ns).count(), 1},
      {Seconds(1'000'000'000ns).count(), 1},
      {Seconds(1'000'000'001ns).count(), 2},
      {Milliseconds(999'999'500ns).count(), 1000},
      {Milliseconds(999'000'001ns).count(), 1000}, // with carry
      {Microseconds(999'999'500ns).count(), 1'000'000},
      {Microseconds(999'999'000ns).count(), 999'999},
      {Seconds(Milliseconds(1)).count(), 1},
      {Seconds(Milliseconds(1000)).count(), 1},
      {Seconds(Milliseconds(1001)).count(), 2},
      {Milliseconds(Thirds(1)).count(), 334},
      {Milliseconds(Thirds(3)).count(), 1000},
      {Seconds(Thirds(1)).count(), 1},
      {Seconds(std::chrono::duration<int, std::ratio<7, 2>>(1)).count(), 4},
      {Seconds(0ns).count(), 0},
      {Seconds(LLONG_MAX * 1ns).count(), 9'223'372'037},
  };
  for (const auto &row : cases)
    CHECK(row.got == row.wanted);
}

TEST_CASE("negative times round up, too: towards none, but stay negative where a whole unit is") {
  CHECK(Seconds(-1ns).count() == 0);
  CHECK(Seconds(-999'999'999ns).count() == 0);
  CHECK(Seconds(-1s).count() == -1);
  CHECK(Seconds(-1500ms).count() == -1);
  CHECK(Seconds(-2min).count() == -120);
}

TEST_CASE("what does not fit is the greatest, or the least") {
  CHECK(Seconds(std::chrono::hours::max()) == Seconds::max());
  CHECK(Seconds(std::chrono::duration<long long, std::ratio<60>>::max()) == Seconds::max());
  CHECK(Microseconds(std::chrono::seconds::max()) == Microseconds::max());
  CHECK(Microseconds(std::chrono::seconds::min()).count() == LLONG_MIN);
  CHECK(Nanoseconds(Seconds::max()) == Nanoseconds::max());
  CHECK(Nanoseconds(Seconds(LLONG_MIN)).count() == LLONG_MIN);
  CHECK(Milliseconds(Seconds(LLONG_MAX / 1000)).count() == LLONG_MAX / 1000 * 1000);
  CHECK(Milliseconds(Seconds(LLONG_MAX / 1000 + 1)) == Milliseconds::max());
  CHECK(Nanoseconds(std::chrono::nanoseconds::max()) == Nanoseconds::max());
  CHECK(Nanoseconds(std::chrono::nanoseconds::min()).count() == LLONG_MIN);
  // Counts of other types than ours.
  using Unsigned = std::chrono::duration<unsigned long long>;
  CHECK(Seconds(Unsigned(ULLONG_MAX)) == Seconds::max());
  CHECK(Seconds(Unsigned(LLONG_MAX)).count() == LLONG_MAX);
  CHECK(Milliseconds(Unsigned(5)).count() == 5000);
  CHECK(Seconds(std::chrono::duration<unsigned, std::nano>(UINT_MAX)).count() == 5);
  CHECK(Seconds(std::chrono::duration<short>(-3)).count() == -3);
}

TEST_CASE("fractions round up, and NaN is no time") {
  CHECK(Microseconds(Fraction(0.25)).count() == 250'000);
  CHECK(Microseconds(Fraction(1e-12)).count() == 1);
  CHECK(Microseconds(Fraction(5e-324)).count() == 1);
  CHECK(Seconds(Fraction(1.0)).count() == 1);
  CHECK(Seconds(Fraction(1.0000001)).count() == 2);
  CHECK(Seconds(Float(0.5f)).count() == 1);
  CHECK(Milliseconds(std::chrono::duration<float, std::milli>(1.5f)).count() == 2);
  CHECK(Milliseconds(std::chrono::duration<long double>(0.001L)).count() <= 2);
  CHECK(Seconds(Fraction(0.0)).count() == 0);
  CHECK(Seconds(Fraction(-0.0)).count() == 0);
  CHECK(Seconds(Fraction(-0.5)).count() == 0);
  CHECK(Seconds(Fraction(-1.0)).count() == -1);
  CHECK(Seconds(Fraction(infinity)) == Seconds::max());
  CHECK(Seconds(Fraction(1e19)) == Seconds::max());
  CHECK(Seconds(Fraction(9223372036854775808.0)) == Seconds::max());
  CHECK(Seconds(Fraction(-infinity)).count() == LLONG_MIN);
  CHECK(Seconds(Fraction(-1e30)).count() == LLONG_MIN);
  CHECK(Seconds(Fraction(nan)).count() == LLONG_MIN); // which no option takes
  CHECK(Microseconds(std::chrono::duration<double, std::ratio<3600>>(1e300)) == Microseconds::max());
}

TEST_CASE("a fraction that is a whole number of units in decimals stays that number") {
  // 0.1 s in a double is a little more than a tenth: it is not to become 100,001 us.
  for (int i = 1; i <= 1000; ++i) {
    CAPTURE(i);
    const long long exact = Microseconds(Fraction(i / 1000.0)).count();
    CHECK(exact >= i * 1000LL);
    CHECK(exact <= i * 1000LL + 1);
  }
}

// --- out -----------------------------------------------------------------------------------------------

TEST_CASE("to chrono and back") {
  std::chrono::seconds seconds = Seconds(90);
  CHECK(seconds == 90s);
  std::chrono::nanoseconds nanoseconds = Microseconds(1'500'000);
  CHECK(nanoseconds == 1500ms);
  Fraction fraction = Milliseconds(1500);
  CHECK(fraction.count() == 1.5);
  std::chrono::duration<double, std::ratio<3600>> hours = Seconds(5400);
  CHECK(hours.count() == 1.5);
  std::chrono::duration<float, std::milli> milliseconds = Microseconds(1500);
  CHECK(milliseconds.count() == 1.5f);
  Thirds thirds = Seconds(2);
  CHECK(thirds.count() == 6);
  for (long long count : {0LL, 1LL, -1LL, LLONG_MAX, LLONG_MIN}) {
    CAPTURE(count);
    CHECK(Nanoseconds(std::chrono::nanoseconds(Nanoseconds(count))).count() == count);
    CHECK(Seconds(std::chrono::seconds(Seconds(count))).count() == count);
  }
  // What does not fit there.
  CHECK(std::chrono::nanoseconds(Seconds::max()) == std::chrono::nanoseconds::max());
  CHECK(std::chrono::nanoseconds(Seconds(LLONG_MIN)) == std::chrono::nanoseconds::min());
}

TEST_CASE("compared") {
  CHECK(Seconds(-5) < Seconds(5));
  CHECK(Milliseconds(2) > Milliseconds(1));
  CHECK((Seconds(1) <=> Seconds(1)) == 0);
  CHECK(Seconds(5) == 5s);
  CHECK(5s == Seconds(5));
  CHECK(Seconds(120) == 2min);
  CHECK(Milliseconds(250) == 250ms);
  CHECK(Milliseconds(250) < 1s);
  CHECK(Seconds(1) <= 1s);
  CHECK(Seconds(1) != 2s);
}

TEST_CASE("compared with finer units, nothing is rounded") {
  CHECK(Seconds(5) != 4001ms);
  CHECK(Seconds(5) > 4001ms);
  CHECK(Seconds(5) < 5001ms);
  CHECK(Seconds(5) == 5000ms);
  CHECK_FALSE(Seconds(1) == 1ns);
  CHECK(Seconds(1) == Milliseconds(1000));
  CHECK(Seconds(1) < Milliseconds(1001));
  CHECK(Milliseconds(1999) < Seconds(2));
  CHECK(Seconds::max() > Nanoseconds::max()); // whose products are none of long long
  CHECK(Seconds(LLONG_MIN) < Nanoseconds(LLONG_MIN));
  CHECK(4001ms < Seconds(5));
  CHECK(Milliseconds(333) < Thirds(1));
  CHECK(Milliseconds(334) > Thirds(1));
  CHECK(Seconds(1) == Fraction(1.0));
  CHECK(Milliseconds(1) < Fraction(0.0015));
}

TEST_SUITE_END();
