// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <string>
#include <utility>

using namespace baresock;

namespace {

/// Counts how many there are, and how often one was moved from.
struct Counted {
  static inline int living = 0;
  static inline int destroyed = 0;
  int number;

  explicit Counted(int n) : number(n) { ++living; }
  Counted(Counted &&other) noexcept : number(std::exchange(other.number, -1)) { ++living; }
  Counted &operator=(Counted &&other) noexcept {
    number = std::exchange(other.number, -1);
    return *this;
  }
  ~Counted() {
    --living;
    destroyed += number >= 0;
  }
};

/// As strictly aligned as malloc(3) gives it.
struct alignas(std::max_align_t) Aligned {
  char value = 0;
};

List<int> numbers(int count) {
  List<int> list;
  for (int i = 0; i < count; ++i)
    VALUE(list.append(i));
  return list;
}

/// A receive of that text: what functions make lists of.
Bytes bytes_of(const std::string &text) {
  Bytes bytes = VALUE(Bytes::zeros(text.size()));
  std::ranges::copy(std::as_bytes(std::span(text)), bytes.begin());
  return bytes;
}

} // namespace

TEST_SUITE_BEGIN("list");

TEST_CASE("List: empty") {
  List<int> list;
  const List<int> &constant = list;
  CHECK(list.empty());
  CHECK(list.size() == 0);
  CHECK(list.data() == nullptr);
  CHECK(list.begin() == list.end());
  CHECK(constant.begin() == constant.end());
  for ([[maybe_unused]] int each : list)
    FAIL("there is one");
}

TEST_CASE("List: grows, and keeps what there is, in order") {
  for (int count : {1, 3, 4, 5, 8, 9, 1000}) {
    CAPTURE(count);
    const List<int> list = numbers(count);
    REQUIRE(list.size() == static_cast<std::size_t>(count));
    CHECK_FALSE(list.empty());
    CHECK(std::ranges::equal(list, std::views::iota(0, count)));
    CHECK(list[0] == 0);
    CHECK(&list[list.size() - 1] == list.end() - 1);
    CHECK(list.data() == list.begin());
  }
}

TEST_CASE("List: elements are changed in place") {
  List<int> list = numbers(5);
  for (int &each : list)
    each *= 2;
  list[1] = 7;
  list.data()[2] = 8;
  const List<int> &constant = list;
  CHECK(constant[1] == 7);
  CHECK(constant.data()[2] == 8);
  CHECK(constant.begin()[4] == 8);
}

TEST_CASE("List: of its own element") {
  List<int> list;
  VALUE(list.append(7));
  for (int i = 0; i < 20; ++i) // also when it grows
    VALUE(list.append(list[0]));
  CHECK(list.size() == 21);
  for (int each : list)
    CHECK(each == 7);
}

TEST_CASE("List: of its own element, which moves") {
  List<Counted> list;
  VALUE(list.append(Counted(0)));
  for (int i = 1; i < 20; ++i) { // it is full when there are four, eight …
    VALUE(list.append(Counted(i)));
    VALUE(list.append(std::move(list[list.size() - 1])));
    const std::size_t last = list.size() - 1;
    CHECK(list[last - 1].number == -1);
    CHECK(list[last].number == i);
  }
}

TEST_CASE("List: of what only moves") {
  List<std::unique_ptr<int>> list;
  for (int i = 0; i < 100; ++i)
    VALUE(list.append(std::make_unique<int>(i)));
  for (std::size_t i = 0; i < list.size(); ++i)
    CHECK(*list[i] == static_cast<int>(i));
  auto taken = std::move(list[7]);
  CHECK(*taken == 7);
  CHECK(list[7] == nullptr);
  List<Socket> sockets;
  {
    NoLeak no_leak;
    for (int i = 0; i < 10; ++i)
      VALUE(sockets.append(VALUE(Socket::socket(AF_UNIX, SOCK_STREAM))));
    for (const Socket &socket : sockets)
      CHECK(socket);
    sockets = {};
    CHECK(sockets.empty());
  }
}

TEST_CASE("List: each element is destroyed once") {
  Counted::living = Counted::destroyed = 0;
  {
    List<Counted> list;
    for (int i = 0; i < 100; ++i) {
      VALUE(list.append(Counted(i)));
      CHECK(Counted::living == i + 1);
    }
    for (int i = 0; i < 100; ++i)
      CHECK(list[static_cast<std::size_t>(i)].number == i);
    CHECK(Counted::destroyed == 0);
    List<Counted> moved(std::move(list));
    CHECK(Counted::living == 100);
    CHECK(Counted::destroyed == 0);
    List<Counted> other;
    VALUE(other.append(Counted(5)));
    other = std::move(moved);
    CHECK(Counted::living == 100);
    CHECK(Counted::destroyed == 1); // what it had
  }
  CHECK(Counted::living == 0);
  CHECK(Counted::destroyed == 101);
}

TEST_CASE("List: moved-from is empty, and goes on") {
  List<int> list = numbers(10);
  const int *data = list.data();
  List<int> moved(std::move(list));
  CHECK(moved.data() == data);
  CHECK(moved.size() == 10);
  CHECK(list.empty());
  CHECK(list.data() == nullptr);
  VALUE(list.append(1));
  CHECK(list.size() == 1);
  CHECK(list[0] == 1);
  list = std::move(moved);
  CHECK(list.size() == 10);
  CHECK(moved.empty());
  List<int> &self = list;
  list = std::move(self);
  CHECK(list.size() == 10);
  CHECK(list[9] == 9);
  List<int> other = numbers(3);
  list.swap(other);
  CHECK(list.size() == 3);
  CHECK(other.size() == 10);
  VALUE(other.append(10)); // with the room that goes with it
  VALUE(list.append(3));
  CHECK(other[10] == 10);
  CHECK(list[3] == 3);
}

TEST_CASE("List: of bytes that were received, without what is left over") {
  const std::uint32_t values[] = {0x01020304, 0x05060708, 0x090a0b0c};
  std::string raw(reinterpret_cast<const char *>(values), sizeof values);
  for (std::size_t left_over : std::initializer_list<std::size_t>{0, 1, 2, 3}) {
    CAPTURE(left_over);
    Bytes bytes = bytes_of(raw + std::string(left_over, 'x'));
    const std::byte *data = bytes.data();
    List<std::uint32_t> list(std::move(bytes));
    CHECK(bytes.empty());
    CHECK(bytes.data() == nullptr);
    CHECK(reinterpret_cast<const std::byte *>(list.data()) == data); // not copied
    CHECK(std::ranges::equal(list, values));
    for (std::uint32_t i = 0; i < 20; ++i) // there is no more room than that
      VALUE(list.append(i));
    CHECK(list.size() == 23);
    CHECK(list[2] == 0x090a0b0c);
    CHECK(list[3] == 0);
    CHECK(list[22] == 19);
  }
}

TEST_CASE("List: of fewer bytes than an object has") {
  for (std::size_t size : std::initializer_list<std::size_t>{0, 1, 7}) {
    CAPTURE(size);
    List<std::uint64_t> list(bytes_of(std::string(size, 'x')));
    CHECK(list.empty());
    CHECK(list.begin() == list.end());
    VALUE(list.append(5));
    CHECK(list.size() == 1);
    CHECK(list[0] == 5);
  }
  CHECK(List<int>(Bytes()).empty());
}

TEST_CASE("List: elements lie where they may") {
  List<Aligned> list;
  for (int i = 0; i < 20; ++i) {
    VALUE(list.append(Aligned{static_cast<char>(i)}));
    for (const Aligned &each : list)
      CHECK(reinterpret_cast<std::uintptr_t>(&each) % alignof(Aligned) == 0);
  }
  CHECK(list[19].value == 19);
}

TEST_CASE("List: made of by spans and ranges") {
  const List<int> list = numbers(4);
  static_assert(std::ranges::contiguous_range<List<int>>);
  const Span<const int> span(list);
  CHECK(span.data() == list.data());
  CHECK(span.size() == 4);
  CHECK(std::ranges::find(list, 2) == list.begin() + 2);
  static_assert(!std::is_copy_constructible_v<List<int>> && !std::is_copy_assignable_v<List<int>>);
  static_assert(std::is_nothrow_move_constructible_v<List<int>> && std::is_nothrow_move_assignable_v<List<int>>);
  static_assert(!std::is_constructible_v<List<std::string>, Bytes>); // which are no strings
}

TEST_SUITE_END();
