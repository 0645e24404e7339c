// SPDX-License-Identifier: MIT
/// Duration: a count of seconds, milliseconds, microseconds or nanoseconds.
///
///   socket.setsockopt(so::rcvtimeo, 250ms);                              any std::chrono duration in
///   std::chrono::microseconds time = *socket.getsockopt(so::rcvtimeo);   and out
///
/// Of our own because <chrono> would cost a program more to compile than the rest of this library. A value; as
/// safe in several threads as an int.

#pragma once

#include <compare>
#include <type_traits>

namespace baresock {

namespace detail {

/// std::chrono::duration, told without its header.
template <class T>
concept ChronoDuration = requires(const T &duration) {
  typename T::rep;
  duration.count();
  T::period::num;
  T::period::den;
};

constexpr long long gcd(long long a, long long b) noexcept { return b == 0 ? a : gcd(b, a % b); }

inline constexpr long long duration_max = __LONG_LONG_MAX__;

/// count * factor / divisor, rounded up; the greatest or least number if that is greater or less.
template <class Count>
constexpr long long scale(Count count, long long factor, long long divisor) noexcept {
  if constexpr (std::is_floating_point_v<Count>) {
    const long double exact =
        static_cast<long double>(count) * static_cast<long double>(factor) / static_cast<long double>(divisor);
    if (!(exact > -static_cast<long double>(duration_max))) // not a number, too
      return -duration_max - 1;
    if (exact >= static_cast<long double>(duration_max))
      return duration_max;
    const auto whole = static_cast<long long>(exact);
    return static_cast<long double>(whole) < exact ? whole + 1 : whole;
  } else {
    long long product = 0;
    if (__builtin_mul_overflow(count, factor, &product))
      return count < 0 ? -duration_max - 1 : duration_max;
    return product / divisor + (product % divisor > 0);
  }
}

/// a * factor against b * divisor.
template <class Count>
constexpr auto compare(long long a, long long factor, Count b, long long divisor) noexcept {
  if constexpr (!std::is_floating_point_v<Count>) {
    long long left = 0;
    long long right = 0;
    if (!__builtin_mul_overflow(a, factor, &left) && !__builtin_mul_overflow(b, divisor, &right))
      return left <=> right;
    const auto order = static_cast<long double>(a) * static_cast<long double>(factor) <=>
                       static_cast<long double>(b) * static_cast<long double>(divisor);
    return order < 0   ? std::strong_ordering::less
           : order > 0 ? std::strong_ordering::greater
                       : std::strong_ordering::equal;
  } else {
    return static_cast<long double>(a) * static_cast<long double>(factor) <=>
           static_cast<long double>(b) * static_cast<long double>(divisor);
  }
}

} // namespace detail

/// A count of parts of a second, PerSecond to one. Made of finer or odd units it rounds up: "short" never becomes
/// "none". What does not fit becomes max(), which no option accepts.
template <long long PerSecond>
class Duration {
public:
  constexpr Duration() noexcept = default;
  constexpr explicit Duration(long long count) noexcept : count_(count) {}
  template <detail::ChronoDuration D>
  constexpr Duration(const D &duration) noexcept
      : Duration(detail::scale(duration.count(), factor(D::period::num, D::period::den),
                               divisor(D::period::num, D::period::den))) {}
  template <long long Other>
    requires(Other != PerSecond)
  constexpr Duration(Duration<Other> duration) noexcept
      : Duration(detail::scale(duration.count(), factor(1, Other), divisor(1, Other))) {}

  [[nodiscard]] static constexpr Duration max() noexcept { return Duration(detail::duration_max); }

  [[nodiscard]] constexpr long long count() const noexcept { return count_; }

  /// The std::chrono duration, where it is as fine as this one or has a floating-point count.
  template <detail::ChronoDuration D>
    requires(std::is_floating_point_v<typename D::rep> || D::period::den % (D::period::num * PerSecond) == 0)
  constexpr operator D() const noexcept {
    if constexpr (std::is_floating_point_v<typename D::rep>)
      return D(static_cast<typename D::rep>(count_) * static_cast<typename D::rep>(D::period::den) /
               static_cast<typename D::rep>(D::period::num * PerSecond));
    else
      return D(static_cast<typename D::rep>(detail::scale(count_, D::period::den / (D::period::num * PerSecond), 1)));
  }

  friend constexpr auto operator<=>(Duration, Duration) noexcept = default;
  friend constexpr bool operator==(Duration, Duration) noexcept = default;

  // With other units: nothing is rounded.
  template <long long Other>
    requires(Other != PerSecond)
  friend constexpr auto operator<=>(Duration a, Duration<Other> b) noexcept {
    return detail::compare(a.count_, Other, b.count(), PerSecond);
  }
  template <long long Other>
    requires(Other != PerSecond)
  friend constexpr bool operator==(Duration a, Duration<Other> b) noexcept {
    return (a <=> b) == 0;
  }
  template <detail::ChronoDuration D>
  friend constexpr auto operator<=>(Duration a, const D &b) noexcept {
    return detail::compare(a.count_, D::period::den, b.count(), D::period::num * PerSecond);
  }
  template <detail::ChronoDuration D>
  friend constexpr bool operator==(Duration a, const D &b) noexcept {
    return (a <=> b) == 0;
  }

private:
  // count * num / den seconds are count * factor / divisor of ours.
  static constexpr long long factor(long long num, long long den) noexcept {
    return num * PerSecond / detail::gcd(num * PerSecond, den);
  }
  static constexpr long long divisor(long long num, long long den) noexcept {
    return den / detail::gcd(num * PerSecond, den);
  }

  long long count_ = 0;
};

using Seconds = Duration<1>;
using Milliseconds = Duration<1000>;
using Microseconds = Duration<1'000'000>;
using Nanoseconds = Duration<1'000'000'000>;

} // namespace baresock
