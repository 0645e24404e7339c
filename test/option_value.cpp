// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <chrono>
#include <climits>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <span>
#include <string_view>
#include <sys/eventfd.h>
#include <vector>

using namespace baresock;
using namespace std::chrono_literals;

namespace {

using Value = OptionValue;
using Kind = Value::Kind;

std::string text_of(TextView text) { return {text.data(), text.size()}; }

std::string printed(const Value &value) {
  const Bytes text = VALUE(value.printed());
  return text_of(text.text());
}

Value descriptor() { return Value(FileDescriptor(::eventfd(0, EFD_CLOEXEC))); }

/// One value of each kind.
std::vector<Value> one_of_each() {
  std::vector<Value> values;
  values.emplace_back();
  values.emplace_back(true);
  values.emplace_back(5);
  values.emplace_back(Seconds(5));
  values.emplace_back("text");
  values.push_back(Value::bytes("bytes"));
  values.emplace_back(SocketAddress(Inet4Address{INADDR_LOOPBACK, 7}));
  values.push_back(Value(FileDescriptor()));
  values.push_back(Value::record().set("name", 1));
  values.push_back(Value::list().append(1));
  values.push_back(Value::failed());
  return values;
}

/// Of every kind but these the accessor gives EINVAL; of failed, ENOMEM.
template <class Accessor>
void check_refusals(std::initializer_list<Kind> accepted, Accessor accessor) {
  for (Value &value : one_of_each()) {
    CAPTURE(printed(value));
    bool fits = false;
    for (Kind kind : accepted)
      fits = fits || kind == value.kind();
    if (fits)
      continue;
    if (value.kind() == Kind::failed)
      CHECK_ERROR(accessor(value), ENOMEM, option_value);
    else
      CHECK_ERROR(accessor(value), EINVAL, option_value);
  }
}

} // namespace

TEST_SUITE_BEGIN("option_value");

// --- kinds ----------------------------------------------------------------------------------------------

TEST_CASE("nothing") {
  static_assert(sizeof(Value) <= 16);
  static_assert(!std::is_copy_constructible_v<Value> && !std::is_copy_assignable_v<Value>);
  static_assert(std::is_nothrow_move_constructible_v<Value> && std::is_nothrow_move_assignable_v<Value>);
  const Value value;
  CHECK(value.kind() == Kind::none);
  CHECK_FALSE(value.negative());
  CHECK(value.size() == 0);
  CHECK(value.find("") == nullptr);
}

TEST_CASE("what a value is made of") {
  // Neither a pointer nor a fraction is a number, and a foreign descriptor does not become owned by the way.
  static_assert(!std::is_constructible_v<Value, const void *>);
  static_assert(!std::is_constructible_v<Value, int *>);
  static_assert(!std::is_constructible_v<Value, double>);
  static_assert(!std::is_constructible_v<Value, std::nullptr_t>);
  static_assert(!std::is_convertible_v<FileDescriptor, Value>);
  static_assert(std::is_constructible_v<Value, FileDescriptor>);
  CHECK(Value("text").kind() == Kind::text);
  CHECK(Value(std::string("text")).kind() == Kind::text);
  CHECK(Value(std::string_view("text")).kind() == Kind::text);
  CHECK(Value(TextView("text")).kind() == Kind::text);
  CHECK(Value(Text<16>().append("text")).kind() == Kind::text);
  CHECK(Value('a').kind() == Kind::integer);
  CHECK(Value(std::uint8_t{1}).kind() == Kind::integer);
  CHECK(Value(5ULL).kind() == Kind::integer);
  CHECK(Value(5s).kind() == Kind::duration);
  CHECK(Value(1.5s).kind() == Kind::duration);
  CHECK(Value(Milliseconds(5)).kind() == Kind::duration);
  CHECK(Value(SocketAddress()).kind() == Kind::address);
  CHECK(Value(SocketAddress(UnixAddress())).kind() == Kind::address);
  CHECK(Value::bytes(std::vector<std::byte>(3)).kind() == Kind::bytes);
  CHECK(Value::record().kind() == Kind::record);
  CHECK(Value::list().kind() == Kind::list);
  CHECK(Value::failed().kind() == Kind::failed);
}

TEST_CASE("a boolean") {
  CHECK(VALUE(Value(true).boolean()));
  CHECK_FALSE(VALUE(Value(false).boolean()));
  CHECK(Value(true).kind() == Kind::boolean);
  CHECK_FALSE(Value(true).negative());
  // An integer is one, too.
  CHECK(VALUE(Value(2).boolean()));
  CHECK(VALUE(Value(-1).boolean()));
  CHECK(VALUE(Value(INT64_MIN).boolean()));
  CHECK(VALUE(Value(1LL << 32).boolean()));
  CHECK_FALSE(VALUE(Value(0).boolean()));
  check_refusals({Kind::boolean, Kind::integer}, [](const Value &of) { return of.boolean(); });
}

TEST_CASE("an integer, signed and unsigned") {
  struct {
    Value value;
    bool negative;
    bool fits_signed;
    bool fits_unsigned;
    std::uint64_t bits;
  } cases[] = {
      {0, false, true, true, 0},
      {-1, true, true, false, UINT64_MAX},
      {INT_MIN, true, true, false, static_cast<std::uint64_t>(std::int64_t{INT_MIN})},
      {UINT_MAX, false, true, true, UINT_MAX},
      {INT64_MIN, true, true, false, std::uint64_t{1} << 63},
      {INT64_MAX, false, true, true, INT64_MAX},
      {std::uint64_t{1} << 63, false, false, true, std::uint64_t{1} << 63},
      {UINT64_MAX, false, false, true, UINT64_MAX},
      {std::int8_t{-128}, true, true, false, static_cast<std::uint64_t>(std::int64_t{-128})},
      {std::uint8_t{255}, false, true, true, 255},
      {static_cast<signed char>(-1), true, true, false, UINT64_MAX},
  };
  for (const auto &[value, negative, fits_signed, fits_unsigned, bits] : cases) {
    CAPTURE(printed(value));
    CHECK(value.kind() == Kind::integer);
    CHECK(value.negative() == negative);
    if (fits_signed)
      CHECK(VALUE(value.integer()) == static_cast<std::int64_t>(bits));
    else
      CHECK_ERROR(value.integer(), ERANGE, option_value);
    if (fits_unsigned)
      CHECK(VALUE(value.unsigned_integer()) == bits);
    else
      CHECK_ERROR(value.unsigned_integer(), ERANGE, option_value);
  }
  check_refusals({Kind::integer}, [](const Value &of) { return of.integer(); });
  check_refusals({Kind::integer}, [](const Value &of) { return of.unsigned_integer(); });
}

TEST_CASE("a duration") {
  CHECK(VALUE(Value(5s).duration()) == Nanoseconds(5'000'000'000));
  CHECK(VALUE(Value(1ns).duration()) == Nanoseconds(1));
  CHECK(VALUE(Value(0s).duration()) == Nanoseconds(0));
  CHECK(VALUE(Value(-1500ms).duration()) == Nanoseconds(-1'500'000'000));
  CHECK(VALUE(Value(0.25s).duration()) == Nanoseconds(250'000'000));
  CHECK(VALUE(Value(Microseconds(3)).duration()) == Nanoseconds(3000));
  CHECK(VALUE(Value(std::chrono::duration<double, std::nano>(1.5)).duration()) == Nanoseconds(2)); // rounded up
  CHECK(VALUE(Value(std::chrono::years(1000)).duration()) == Nanoseconds::max());
  CHECK(Value(-1s).negative());
  CHECK_FALSE(Value(1s).negative());
  CHECK_FALSE(Value(0s).negative());
  check_refusals({Kind::duration}, [](const Value &of) { return of.duration(); });
}

TEST_CASE("a text") {
  std::string source = "text";
  const Value value = source;
  source = "else"; // the value has a copy
  CHECK(VALUE(value.text()) == TextView("text"));
  CHECK(VALUE(value.text()).data()[4] == '\0');
  CHECK(VALUE(value.bytes()).size() == 4);
  CHECK(VALUE(value.bytes()).data() == static_cast<const void *>(VALUE(value.text()).data()));

  const Value empty = "";
  CHECK(empty.kind() == Kind::text);
  CHECK(VALUE(empty.text()).empty());
  REQUIRE(VALUE(empty.text()).data() != nullptr);
  CHECK(*VALUE(empty.text()).data() == '\0');
  CHECK(VALUE(Value(TextView()).text()).empty());

  const Value nul = TextView("a\0b", 3);
  CHECK(VALUE(nul.text()).size() == 3);
  CHECK(std::memcmp(VALUE(nul.text()).data(), "a\0b", 4) == 0);

  const std::string longer(100'000, 'x');
  CHECK(VALUE(Value(longer).text()) == TextView(longer));
  check_refusals({Kind::text}, [](const Value &of) { return of.text(); });
}

TEST_CASE("bytes") {
  const Value value = Value::bytes({"\0\xff\1", 3});
  CHECK(value.kind() == Kind::bytes);
  REQUIRE(VALUE(value.bytes()).size() == 3);
  CHECK(std::memcmp(VALUE(value.bytes()).data(), "\0\xff\1", 3) == 0);
  const Value empty = Value::bytes({});
  CHECK(empty.kind() == Kind::bytes);
  CHECK(VALUE(empty.bytes()).size() == 0);
  check_refusals({Kind::bytes, Kind::text}, [](const Value &of) { return of.bytes(); });
  CHECK_ERROR(Value::bytes("text").text(), EINVAL, option_value); // bytes are no text
}

TEST_CASE("an address, or the text of one") {
  const SocketAddress address = Inet4Address{INADDR_LOOPBACK, 80};
  CHECK(VALUE(Value(address).address()) == address);
  CHECK(VALUE(Value("127.0.0.1:80").address()) == address);
  CHECK(VALUE(Value(SocketAddress()).address()) == SocketAddress());
  const SocketAddress longest = VALUE(UnixAddress::path(std::string(108, 'p')));
  CHECK(VALUE(Value(longest).address()) == longest);
  CHECK_ERROR(Value("nonsense").address(), EINVAL, parse);
  CHECK_ERROR(Value(TextView("127.0.0.1\0", 10)).address(), EINVAL, parse);
  check_refusals({Kind::address, Kind::text}, [](const Value &of) { return of.address(); });
}

TEST_CASE("a descriptor is owned until it is taken") {
  NoLeak no_leak;
  FileDescriptor open(::eventfd(0, EFD_CLOEXEC));
  const int fd = open.fd();
  Value value(std::move(open));
  CHECK(value.kind() == Kind::descriptor);
  CHECK(::fcntl(fd, F_GETFD) >= 0);
  Value moved = std::move(value);
  CHECK(value.kind() == Kind::none);
  CHECK_ERROR(value.take_descriptor(), EINVAL, option_value);
  {
    FileDescriptor taken = VALUE(moved.take_descriptor());
    CHECK(taken.fd() == fd);
    CHECK(moved.kind() == Kind::none);
    CHECK_ERROR(moved.take_descriptor(), EINVAL, option_value); // once
  }
  CHECK(::fcntl(fd, F_GETFD) == -1);

  // Closed with the value: dropped, replaced, in a record, in a list that grows.
  {
    Value dropped = descriptor();
  }
  Value replaced = descriptor();
  replaced = Value(1);
  replaced = descriptor();
  replaced = descriptor();
  Value record = Value::record().set("fd", descriptor()).set("fd", descriptor()).set("other", descriptor());
  record.set("fd", 1);
  Value list = Value::list();
  for (int i = 0; i < 20; ++i)
    list.append(descriptor());
  CHECK(list.size() == 20);
  list.append(Value::failed()); // takes the others with it
  CHECK(list.kind() == Kind::failed);

  Value none = Value(FileDescriptor());
  CHECK(VALUE(none.take_descriptor()).fd() == -1);
  for (Value &other : one_of_each())
    if (other.kind() != Kind::descriptor) {
      const Kind kind = other.kind();
      CAPTURE(printed(other));
      CHECK_ERROR(other.take_descriptor(), kind == Kind::failed ? ENOMEM : EINVAL, option_value);
      CHECK(other.kind() == kind);
    }
}

// --- records and lists ----------------------------------------------------------------------------------

TEST_CASE("a record keeps its values in order, by name") {
  Value record = Value::record();
  CHECK(record.size() == 0);
  CHECK(record.find("a") == nullptr);
  record.set("b", 1).set("a", "two").set("", 3s);
  REQUIRE(record.size() == 3);
  CHECK(record.name(0) == TextView("b"));
  CHECK(record.name(1) == TextView("a"));
  CHECK(record.name(2) == TextView(""));
  CHECK(record.name(1).data()[1] == '\0');
  CHECK(record[0] == Value(1));
  CHECK(record[1] == Value("two"));
  CHECK(record[2] == Value(3s));
  REQUIRE(record.find("a") != nullptr);
  CHECK(record.find("a") == &record[1]);
  CHECK(record.find("") == &record[2]);
  CHECK(record.find("c") == nullptr);
  CHECK(record.find("aa") == nullptr);
  CHECK(record.find(TextView("a\0", 2)) == nullptr);
  // Replaced in its place.
  record.set("a", false);
  CHECK(record.size() == 3);
  CHECK(record[1] == Value(false));
  CHECK(record[2] == Value(3s));
  for (const Value &value : one_of_each())
    if (value.kind() != Kind::record)
      CHECK(value.find("name") == nullptr);
}

TEST_CASE("a name of 47 bytes is a name, and of 48 none") {
  const std::string longest(47, 'n');
  Value record = Value::record().set(longest, 1);
  REQUIRE(record.kind() == Kind::record);
  CHECK(record.name(0) == TextView(longest));
  CHECK(record.find(longest) != nullptr);
  CHECK(record.find(longest + "n") == nullptr);
  CHECK(record.find(std::string(46, 'n')) == nullptr);
  record.set(longest + "n", 2);
  CHECK(record.kind() == Kind::none);
  CHECK(record.size() == 0);
  CHECK(record.find(longest) == nullptr);
}

TEST_CASE("records and lists grow over every power of two") {
  Value record = Value::record();
  Value list = Value::list();
  for (int count = 1; count <= 130; ++count) {
    record.set("n" + std::to_string(count), count);
    list.append("e" + std::to_string(count));
    REQUIRE(record.size() == static_cast<std::size_t>(count));
    REQUIRE(list.size() == static_cast<std::size_t>(count));
    bool whole = true;
    for (int i = 1; i <= count; ++i) {
      const auto at = static_cast<std::size_t>(i - 1);
      const Value *found = record.find("n" + std::to_string(i));
      whole = whole && found == &record[at] && *found == Value(i) && list[at] == Value("e" + std::to_string(i));
    }
    CHECK(whole);
  }
}

TEST_CASE("records and lists in each other") {
  Value deep = 1;
  for (int i = 0; i < 100; ++i)
    deep = i % 2 == 0 ? Value::list().append(std::move(deep)) : Value::record().set("in", std::move(deep));
  const Value *at = &deep;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(at->size() == 1);
    at = i % 2 == 0 ? at->find("in") : &(*at)[0];
    REQUIRE(at != nullptr);
  }
  CHECK(*at == Value(1));
  CHECK(printed(deep).size() == 1 + 50 * 2 + 50 * 5);
}

TEST_CASE("set and append of what is no record, no list") {
  for (Value &value : one_of_each()) {
    CAPTURE(printed(value));
    const Kind kind = value.kind();
    value.set("other", 5);
    if (kind == Kind::record)
      CHECK(value.size() == 2);
    else
      CHECK(value.kind() == (kind == Kind::failed ? Kind::failed : Kind::none));
  }
  for (Value &value : one_of_each()) {
    CAPTURE(printed(value));
    const Kind kind = value.kind();
    value.append(5);
    if (kind == Kind::list)
      CHECK(value.size() == 2);
    else
      CHECK(value.kind() == (kind == Kind::failed ? Kind::failed : Kind::none));
  }
}

TEST_CASE("what is given a failed value is failed, and stays so") {
  Value record = Value::record().set("a", 1);
  record.set("b", Value::failed());
  CHECK(record.kind() == Kind::failed);
  CHECK(record.size() == 0);
  record.set("c", 1);
  CHECK(record.kind() == Kind::failed);
  CHECK(Value::record().set("a", 1).set("a", Value::failed()).kind() == Kind::failed); // replaced, too
  Value list = Value::list().append(1).append(Value::failed()).append(2);
  CHECK(list.kind() == Kind::failed);
  CHECK(Value::record().set("list", std::move(list)).kind() == Kind::failed);
  Socket socket;
  CHECK_ERROR(socket.setsockopt(*find_option("SO_KEEPALIVE"), Value::failed()), ENOMEM, option_value);
}

// --- moves ------------------------------------------------------------------------------------------------

TEST_CASE("a moved value is none") {
  for (Value &value : one_of_each()) {
    const std::string text = printed(value);
    CAPTURE(text);
    const Kind kind = value.kind();
    Value moved = std::move(value);
    CHECK(value.kind() == Kind::none);
    CHECK_FALSE(value.negative());
    CHECK(value.size() == 0);
    CHECK(moved.kind() == kind);
    CHECK(printed(moved) == text);
    value = std::move(moved);
    CHECK(moved.kind() == Kind::none);
    CHECK(printed(value) == text);
    Value &self = value;
    value = std::move(self);
    CHECK(value.kind() == kind);
    CHECK(printed(value) == text);
    Value other = "other";
    other.swap(value);
    CHECK(printed(other) == text);
    CHECK(value == Value("other"));
  }
  Value negative = -5;
  Value moved = std::move(negative);
  CHECK(moved.negative());
  CHECK_FALSE(negative.negative());
}

TEST_CASE("a record in itself") {
  Value record = Value::record().set("a", 1);
  record.set("self", std::move(record)); // what was moved from is no record
  CHECK(record.kind() == Kind::none);
  Value list = Value::list().append("x");
  list.append(std::move(list));
  CHECK(list.kind() == Kind::none);
}

// --- equality -----------------------------------------------------------------------------------------------

TEST_CASE("values are equal if they are of one kind and the same") {
  const std::vector<Value> values = one_of_each();
  const std::vector<Value> again = one_of_each();
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = 0; j < again.size(); ++j) {
      CAPTURE(printed(values[i]));
      CAPTURE(printed(again[j]));
      const bool comparable = values[i].kind() != Kind::descriptor && values[i].kind() != Kind::failed;
      CHECK((values[i] == again[j]) == (i == j && comparable));
    }
  CHECK_FALSE(Value(1) == Value(2));
  CHECK(Value(1) == Value(1ULL));
  CHECK(Value(std::int8_t{-1}) == Value(-1LL));
  CHECK_FALSE(Value(-1) == Value(UINT64_MAX)); // the same bits
  CHECK_FALSE(Value(INT64_MIN) == Value(std::uint64_t{1} << 63));
  CHECK_FALSE(Value(1) == Value(true));
  CHECK(Value(1s) == Value(1000ms));
  CHECK_FALSE(Value(1s) == Value(-1s));
  CHECK_FALSE(Value(1ns) == Value(1));
  CHECK_FALSE(Value("a") == Value("b"));
  CHECK_FALSE(Value("a") == Value("ab"));
  CHECK_FALSE(Value("a") == Value(TextView("a\0", 2)));
  CHECK_FALSE(Value("a") == Value::bytes("a"));
  CHECK_FALSE(Value::bytes("a") == Value::bytes("b"));
  CHECK(Value("") == Value(TextView()));
  CHECK(Value::bytes({}) == Value::bytes(""));
  CHECK_FALSE(Value(SocketAddress(Inet4Address{1})) == Value(SocketAddress(Inet4Address{2})));
  CHECK(Value::record() == Value::record());
  CHECK_FALSE(Value::record() == Value::list());
  CHECK_FALSE(Value::record() == Value::record().set("a", 1));
  CHECK_FALSE(Value::record().set("a", 1) == Value::record().set("a", 2));
  CHECK_FALSE(Value::record().set("a", 1) == Value::record().set("b", 1));
  CHECK_FALSE(Value::record().set("a", 1).set("b", 2) == Value::record().set("b", 2).set("a", 1)); // in order
  CHECK_FALSE(Value::list().append(1) == Value::list().append(1).append(2));
  CHECK_FALSE(Value::list().append(1).append(2) == Value::list().append(2).append(1));
  CHECK(Value::list().append(Value::list().append("x")) == Value::list().append(Value::list().append("x")));
  CHECK_FALSE(Value::list().append(Value(FileDescriptor())) == Value::list().append(Value(FileDescriptor())));
}

// --- printed --------------------------------------------------------------------------------------------------

TEST_CASE("how values are printed, at every length") {
  struct {
    Value value;
    std::string text;
  } cases[] = {
      {{}, "none"},
      {true, "true"},
      {false, "false"},
      {0, "0"},
      {-1, "-1"},
      {INT64_MIN, "-9223372036854775808"},
      {UINT64_MAX, "18446744073709551615"},
      {0s, "0s"},
      {5s, "5s"},
      {90min, "5400s"},
      {1500ms, "1500ms"},
      {250us, "250us"},
      {1ns, "1ns"},
      {1'000'000'001ns, "1000000001ns"},
      {-2s, "-2s"},
      {-1ns, "-1ns"},
      {Nanoseconds::max(), "9223372036854775807ns"},
      {"", "\"\""},
      {"text", "\"text\""},
      {TextView("a\0b", 3), "\"a\\x00b\""},
      {"\"\\\n\x7f\xc3\xa9~ ", R"("\"\\\x0a\x7f\xc3\xa9~ ")"},
      {Value::bytes({}), "0x"},
      {Value::bytes({"\0\x0f\xf0\xff", 4}), "0x000ff0ff"},
      {SocketAddress(Inet4Address{INADDR_LOOPBACK, 80}), "127.0.0.1:80"},
      {SocketAddress(Inet4Address{INADDR_LOOPBACK}), text_of(SocketAddress(Inet4Address{INADDR_LOOPBACK}).text())},
      {SocketAddress(), text_of(SocketAddress().text())},
      {Value(FileDescriptor()), "descriptor"},
      {Value::record(), "{}"},
      {Value::list(), "[]"},
      {Value::record().set("onoff", true).set("linger", 5s), "{onoff=true, linger=5s}"},
      {Value::list().append(1).append("two").append(Value()), "[1, \"two\", none]"},
      {Value::record().set("in", Value::list().append(Value::record().set("a", 1)).append(Value::list())),
       "{in=[{a=1}, []]}"},
      {Value::failed(), "out of memory"},
  };
  for (const auto &[value, text] : cases) {
    CAPTURE(text);
    CHECK(printed(value) == text);
    // Room for it and no more; and for less nothing is written beyond.
    for (std::size_t room = 0; room <= text.size() + 1; ++room) {
      std::vector<char> out(room + 1, '#');
      auto length = value.to_chars({out.data(), room});
      CHECK(out[room] == '#');
      if (room < text.size()) {
        CHECK_ERROR(std::move(length), EOVERFLOW, option_value);
      } else {
        CHECK(VALUE(std::move(length)) == text.size());
        CHECK(std::string(out.data(), text.size()) == text);
        for (std::size_t i = text.size(); i < room; ++i)
          CHECK(out[i] == '#');
      }
    }
  }
}

TEST_SUITE_END();
