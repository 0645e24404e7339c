// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <array>
#include <span>
#include <string_view>
#include <vector>

using namespace baresock;

TEST_SUITE_BEGIN("view");

TEST_CASE("Span is made of what holds objects in a row") {
  int array[] = {1, 2, 3};
  std::vector<int> vector = {4, 5};
  const std::vector<int> fixed = {6};
  CHECK(Span<int>(array).size() == 3);
  CHECK(Span<const int>(array)[2] == 3);
  CHECK(Span<int>(vector).data() == vector.data());
  CHECK(Span<const int>(fixed).size() == 1);
  CHECK(Span<int>(std::span(array)).size() == 3);
  CHECK(Span<int>(array, 2).size() == 2);
  CHECK(Span<int>().empty());
  int sum = 0;
  for (int i : Span<const int>(array))
    sum += i;
  CHECK(sum == 6);
  // Neither writes through const nor steps through objects of another size.
  static_assert(!std::is_constructible_v<Span<int>, const std::vector<int> &>);
  struct Wider : iovec {
    int more;
  };
  static_assert(!std::is_constructible_v<Span<iovec>, std::vector<Wider> &>);
}

TEST_CASE("views convert to std::span") {
  int array[] = {1, 2, 3};
  Span<int> ints = array;
  std::span<int> back = ints;
  CHECK(back.data() == array);
  CHECK(back.size() == 3);
  ConstBuffer bytes("abc", 3);
  std::span<const std::byte> read = bytes;
  CHECK(read.size() == 3);
  MutableBuffer room(array, sizeof array);
  std::span<std::byte> written = room;
  CHECK(written.size() == sizeof array);
  static_assert(std::is_convertible_v<ConstBuffer, std::span<const std::byte>>);
  static_assert(std::is_convertible_v<const Bytes &, std::span<const std::byte>>);
}

TEST_CASE("TextView is made of text, and converts to std::string_view") {
  std::string string("a\0b", 3);
  std::string_view view = "view";
  CHECK(TextView("text").size() == 4);
  CHECK(TextView(string).size() == 3);
  CHECK(TextView(view).data() == view.data());
  CHECK(TextView(std::vector<char>{'x'}) == "x");
  CHECK(TextView(Text<8>().append("abc")) == "abc");
  CHECK(TextView() == "");
  CHECK(TextView().empty());
  CHECK(TextView("ab", 1) == "a");
  CHECK_FALSE(TextView("ab") == TextView("abc"));
  CHECK_FALSE(TextView("abc") == TextView("abd"));
  std::string_view back = TextView(string);
  CHECK(back == std::string_view("a\0b", 3));
  CHECK(std::string(TextView("range").begin(), TextView("range").end()).size() == 5);
  static_assert(!std::is_constructible_v<TextView, std::nullptr_t>);
}

TEST_CASE("Text holds what fits, and a NUL") {
  Text<6> text;
  CHECK(text.size() == 0);
  CHECK(std::string(text.c_str()) == "");
  text.append("abc").append("defg");
  CHECK(text.size() == 5);
  CHECK(std::string(text.c_str()) == "abcde");
  CHECK(text == "abcde");
  CHECK(std::string(text.begin(), text.end()) == text.data());
  std::string_view view = text;
  CHECK(view == "abcde");
}

TEST_CASE("ConstBuffer is made of bytes; a C string counts without its NUL") {
  std::string string = "string";
  std::vector<unsigned char> vector(7);
  const std::byte bytes[8] = {};
  unsigned char octets[9] = {};
  char characters[10] = "chars";
  CHECK(ConstBuffer("text").size() == 4);
  CHECK(ConstBuffer(characters).size() == 5);
  const char unterminated[3] = {'a', 'b', 'c'}; // and no NUL behind it is looked for
  CHECK(ConstBuffer(unterminated).size() == 3);
  const char *pointer = characters;
  char *writable = characters;
  CHECK(ConstBuffer(pointer).size() == 5);
  CHECK(ConstBuffer(writable).size() == 5);
  CHECK(ConstBuffer(string).size() == 6);
  CHECK(ConstBuffer(std::string_view("view")).size() == 4);
  CHECK(ConstBuffer(vector).size() == 7);
  CHECK(ConstBuffer(bytes).size() == 8);
  CHECK(ConstBuffer(octets).size() == 9);
  CHECK(ConstBuffer(std::array<signed char, 3>()).size() == 3);
  CHECK(ConstBuffer(std::as_bytes(std::span(vector))).data() == reinterpret_cast<std::byte *>(vector.data()));
  CHECK(ConstBuffer(MutableBuffer(vector)).size() == 7);
  CHECK(ConstBuffer(&string, sizeof string).size() == sizeof string);
  CHECK(ConstBuffer().empty());
  std::size_t count = 0;
  for ([[maybe_unused]] std::byte byte : ConstBuffer("abc"))
    ++count;
  CHECK(count == 3);
  static_assert(!std::is_constructible_v<ConstBuffer, std::nullptr_t>);
  static_assert(!std::is_constructible_v<ConstBuffer, std::vector<int> &>);
  static_assert(!std::is_constructible_v<ConstBuffer, std::wstring &>);
}

TEST_CASE("MutableBuffer is made of bytes that may be written") {
  std::string string = "string";
  std::vector<std::byte> vector(7);
  char characters[10] = {};
  std::byte bytes[8] = {};
  CHECK(MutableBuffer(string).size() == 6);
  CHECK(MutableBuffer(vector).size() == 7);
  CHECK(MutableBuffer(characters).size() == 10);
  CHECK(MutableBuffer(bytes).size() == 8);
  CHECK(MutableBuffer(std::span(vector)).data() == vector.data());
  CHECK(MutableBuffer(&bytes, 3).size() == 3);
  CHECK(MutableBuffer().empty());
  for (std::byte &byte : MutableBuffer(bytes))
    byte = std::byte{5};
  CHECK(bytes[7] == std::byte{5});
  static_assert(!std::is_constructible_v<MutableBuffer, const std::string &>);
  static_assert(!std::is_constructible_v<MutableBuffer, const char(&)[3]>);
  static_assert(!std::is_constructible_v<MutableBuffer, std::span<const std::byte>>);
  static_assert(!std::is_constructible_v<MutableBuffer, std::vector<int> &>);
}

TEST_CASE("Bytes moves and swaps") {
  auto [sender, receiver] = VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
  CHECK(VALUE(sender.send("first")) == 5);
  CHECK(VALUE(sender.send("second")) == 6);
  Bytes first = VALUE(receiver.recv());
  Bytes second = VALUE(receiver.recv());
  first.swap(second);
  CHECK(first.text() == "second");
  CHECK(second.text() == "first");
  first = std::move(second);
  CHECK(first.text() == "first");
  CHECK(second.empty());
  CHECK(second.length() == 0);
  Bytes moved(std::move(first));
  CHECK(moved.size() == 5);
  CHECK(moved.length() == 5);
  CHECK(first.size() == 0);
  CHECK(first.data() == nullptr);
  Bytes &self = moved;
  moved = std::move(self);
  CHECK(moved.text() == "first");
  *moved.begin() = std::byte{'F'};
  CHECK(std::string(reinterpret_cast<const char *>(std::as_const(moved).data()), moved.size()) == "First");
  CHECK(std::as_const(moved).end() - std::as_const(moved).begin() == 5);
  CHECK(moved.end() - moved.begin() == 5);
}

TEST_CASE("Bytes grow by zeros, and shrink from the end") {
  Bytes bytes;
  VALUE(bytes.resize(0));
  CHECK(bytes.empty());
  VALUE(bytes.resize(3));
  CHECK(bytes.text() == std::string(3, '\0'));
  CHECK(bytes.length() == 3);
  for (std::size_t i = 0; i < 3; ++i)
    bytes.data()[i] = static_cast<std::byte>('a' + i);
  VALUE(bytes.resize(3));
  CHECK(bytes.text() == "abc");
  VALUE(bytes.resize(1000));
  CHECK(bytes.size() == 1000);
  CHECK(bytes.length() == 1000);
  CHECK(bytes.text() == "abc" + std::string(997, '\0'));
  VALUE(bytes.resize(2));
  CHECK(bytes.text() == "ab");
  CHECK(bytes.length() == 2);
  VALUE(bytes.resize(4)); // the "c" of before is gone
  CHECK(bytes.text() == std::string("ab\0\0", 4));
  VALUE(bytes.resize(0));
  CHECK(bytes.empty());
  CHECK(bytes.length() == 0);
  VALUE(bytes.resize(1));
  CHECK(bytes.text() == std::string(1, '\0'));
}

TEST_CASE("Bytes that were received, resized") {
  auto [sender, receiver] = VALUE(Socket::socketpair(AF_UNIX, SOCK_DGRAM));
  CHECK(VALUE(sender.send("a datagram")) == 10);
  Bytes bytes = VALUE(receiver.recv(4, MSG_TRUNC));
  CHECK(bytes.size() == 4);
  CHECK(bytes.length() == 10); // of the datagram
  VALUE(bytes.resize(8));
  CHECK(bytes.text() == std::string("a da\0\0\0\0", 8));
  CHECK(bytes.length() == 8); // of no datagram any more
}

TEST_CASE("Bytes: more than there is memory is ENOMEM, and changes nothing") {
  if (memory_is_checked())
    SKIP("a memory checker complains of it");
  auto [sender, receiver] = VALUE(Socket::socketpair(AF_UNIX, SOCK_STREAM));
  CHECK(VALUE(sender.send("abc")) == 3);
  Bytes bytes = VALUE(receiver.recv());
  const std::byte *data = bytes.data();
  CHECK_ERROR(bytes.resize(SIZE_MAX / 2), ENOMEM, calloc);
  CHECK(bytes.data() == data);
  CHECK(bytes.text() == "abc");
}

TEST_SUITE_END();
