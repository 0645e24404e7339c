// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

using namespace baresock;

namespace {

int twice(int n) { return 2 * n; }
int thrice(int n) noexcept { return 3 * n; }

/// More than a Function holds.
struct Large {
  std::array<int, 100> numbers{};
  int calls = 0;
  int operator()(int n) { return numbers[0] + n + ++calls; }
};

struct Base {
  int number = 1;
};
struct Derived : Base {};

/// As an option is: the callable is a temporary that is gone before the call.
struct Options {
  Function<int(int)> function = {};
};

int call(const Function<int(int)> &function, int n) { return function(n); }

/// Overwrites what the stack held.
[[gnu::noinline]] void scribble() {
  volatile char room[4096];
  for (volatile char &each : room)
    each = 0x55;
}

[[gnu::noinline]] Function<int(int)> made_of_locals(int a, int *b) {
  void *p = &a;
  return [a, b, p](int n) { return n + a + *b + (p == nullptr); };
}

} // namespace

TEST_SUITE_BEGIN("function");

TEST_CASE("Function: empty, and not") {
  constexpr Function<int(int)> none, null = nullptr;
  CHECK_FALSE(none);
  CHECK_FALSE(null);
  CHECK_FALSE(Options().function);
  Function<int(int)> some = twice;
  CHECK(some);
  some = nullptr;
  CHECK_FALSE(some);
  some = thrice;
  CHECK(some);
  CHECK(some(2) == 6);
  some = {};
  CHECK_FALSE(some);
}

TEST_CASE("Function: a null pointer to a function is none") {
  int (*pointer)(int) = nullptr;
  Function<int(int)> none = pointer;
  CHECK_FALSE(none);
}

TEST_CASE("Function: a function") {
  Function<int(int)> function = twice;
  CHECK(function(4) == 8);
  function = &thrice;
  CHECK(function(4) == 12);
  CHECK(call(twice, 5) == 10);
}

TEST_CASE("Function: a lambda that captures references") {
  int a = 1, b = 2, c = 3;
  std::string d = "x";
  Options options = {.function = [&](int n) {
    a += n;
    d += 'y';
    return a + b + c;
  }};
  CHECK(options.function(10) == 16);
  b = 20;
  CHECK(options.function(10) == 44);
  CHECK(a == 21);
  CHECK(d == "xyy");
  CHECK(call([](int n) { return n; }, 7) == 7); // and one that captures nothing
}

TEST_CASE("Function: four pointers fit, of any kind") {
  int a = 1, b = 2, c = 3, d = 4;
  int *pa = &a, *pb = &b, *pc = &c, *pd = &d;
  const Function<int()> function = [pa, pb, pc, pd] { return *pa + *pb + *pc + *pd; };
  CHECK(function() == 10);
  const std::array<std::byte, 4 * sizeof(void *)> whole = {std::byte{9}};
  const Function<int()> bytes = [whole] { return static_cast<int>(whole[0]); };
  CHECK(bytes() == 9);
}

TEST_CASE("Function: std::ref of what is larger") {
  Large large;
  large.numbers[0] = 100;
  const Function<int(int)> function = std::ref(large);
  CHECK(function(1) == 102);
  large.numbers[0] = 200;
  CHECK(function(1) == 203);
  CHECK(large.calls == 2); // the same object
  const auto captures = [text = std::string(100, 'x')](int n) { return static_cast<int>(text.size()) + n; };
  CHECK(call(std::ref(captures), 1) == 101);
  CHECK(call(std::cref(captures), 2) == 102);
}

TEST_CASE("Function: copies are independent") {
  const Function<int()> first = [n = 0]() mutable { return ++n; };
  CHECK(first() == 1);
  CHECK(first() == 2);
  Function<int()> second = first; // as it is by now
  CHECK(second() == 3);
  CHECK(second() == 4);
  CHECK(first() == 3);
  Function<int()> third;
  third = second;
  second = [] { return -1; };
  CHECK(third() == 5);
  CHECK(second() == -1);
  Function<int()> moved = std::move(third);
  CHECK(moved() == 6);
  static_assert(std::is_trivially_copyable_v<Function<int()>>);
}

TEST_CASE("Function: what it was made of is gone") {
  int b = 30;
  Function<int(int)> function = made_of_locals(200, &b);
  scribble();
  CHECK(function(1) == 231);
  auto lambda = [n = 5](int m) { return n + m; };
  auto on_heap = std::make_unique<decltype(lambda)>(lambda);
  function = *on_heap;
  on_heap.reset();
  scribble();
  CHECK(function(2) == 7);
}

TEST_CASE("Function: arguments go as they are") {
  // by reference
  int target = 0;
  const Function<void(int &, int)> set = [](int &to, int from) { to = from; };
  set(target, 5);
  CHECK(target == 5);
  const Function<const int *(const int &)> address = [](const int &n) { return &n; };
  CHECK(address(target) == &target);
  // what only moves
  const Function<int(std::unique_ptr<int>)> take = [](std::unique_ptr<int> p) { return *p; };
  CHECK(take(std::make_unique<int>(6)) == 6);
  const Function<int(std::unique_ptr<int> &&)> look = [](std::unique_ptr<int> &&p) { return *p; };
  CHECK(look(std::make_unique<int>(7)) == 7);
  // converted
  const Function<long(short)> wider = [](long n) { return n * 1'000'000'000; };
  CHECK(wider(5) == 5'000'000'000);
}

TEST_CASE("Function: what is returned is converted") {
  Derived derived;
  const Function<Base *()> base = [&] { return &derived; };
  CHECK(base() == &derived);
  const Function<std::string()> text = [] { return "text"; };
  CHECK(text() == "text");
  const Function<Result<void>()> failed = [] { return std::unexpected(Error(EPERM, Operation::none)); };
  CHECK(failed().error().is(EPERM));
  const Function<Result<void>()> done = []() -> Result<void> { return {}; };
  CHECK(done().has_value());
  const Function<std::unique_ptr<int>(int)> made = [](int n) { return std::make_unique<int>(n); };
  CHECK(*made(8) == 8);
  int reference = 0;
  const Function<int &()> same = [&]() -> int & { return reference; };
  CHECK(&same() == &reference);
}

TEST_CASE("Function: what returns nothing calls what returns something") {
  int calls = 0;
  const Function<void()> dropped = [&] { return ++calls; };
  dropped();
  CHECK(calls == 1);
  static_assert(std::is_constructible_v<Function<void(int)>, int (*)(int)>);
}

TEST_CASE("Function: what does not fit the signature is no argument") {
  static_assert(!std::is_constructible_v<Function<int(int)>, int>);
  static_assert(!std::is_constructible_v<Function<int(int)>, void (*)(int)>);
  static_assert(!std::is_constructible_v<Function<int(int)>, int (*)(std::string)>);
  static_assert(!std::is_constructible_v<Function<int(int)>, int (*)()>);
  static_assert(std::is_constructible_v<Function<int(int)>, int (*)(int)>);
}

TEST_SUITE_END();
