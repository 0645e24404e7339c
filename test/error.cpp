// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <clocale>
#include <cstring>
#include <netdb.h>
#include <set>
#include <thread>

using namespace baresock;

TEST_SUITE_BEGIN("error");

TEST_CASE("Error is eight bytes and travels in registers, as does Result") {
  static_assert(sizeof(Error) == 8);
  static_assert(std::is_trivially_copyable_v<Error>);
  static_assert(sizeof(Result<std::size_t>) == 16);
  static_assert(sizeof(Result<void>) <= 16);
  // What the ABI asks of a type that is returned in registers.
  static_assert(std::is_trivially_copy_constructible_v<Result<std::size_t>>);
  static_assert(std::is_trivially_destructible_v<Result<std::size_t>>);

  constexpr Error error(ECONNREFUSED, Operation::connect);
  CHECK(error.code() == ECONNREFUSED);
  CHECK(error.domain() == ErrorDomain::system);
  CHECK(error.operation() == Operation::connect);
  CHECK(error.numeric() == ECONNREFUSED);
  CHECK(error);
  CHECK(error == Error(ECONNREFUSED, Operation::connect));
  CHECK(error != Error(ECONNREFUSED, Operation::send));
  CHECK(error != Error(ECONNRESET, Operation::connect));
}

TEST_CASE("no error has code 0, and only it") {
  CHECK_FALSE(Error());
  CHECK(Error().code() == 0);
  CHECK(Error(0, Operation::send).code() == EIO);
  CHECK(Error::from_gai(0, Operation::getaddrinfo, 0).code() == EAI_FAIL);
  CHECK(Error::from_gai(EAI_SYSTEM, Operation::getaddrinfo, 0).code() == EIO);
}

TEST_CASE("EAI codes keep their domain, EAI_SYSTEM becomes its errno") {
  Error error = Error::from_gai(EAI_NONAME, Operation::getaddrinfo, EMFILE);
  CHECK(error.code() == EAI_NONAME);
  CHECK(error.domain() == ErrorDomain::getaddrinfo);
  CHECK(error.numeric() < 0);
  CHECK(std::string(error.name()) == "EAI_NONAME");
  CHECK(std::string(error.message()) == ::gai_strerror(EAI_NONAME));
  CHECK(error.describe() == (std::string("getaddrinfo: ") + ::gai_strerror(EAI_NONAME)).c_str());
  // The numbers of the two tables are not mixed up: EAI_NONAME is -2, ENOENT is 2.
  CHECK_FALSE(error.is(EAI_NONAME));
  CHECK_FALSE(Error::from_gai(EAI_AGAIN, Operation::getaddrinfo, 0).would_block());

  Error system = Error::from_gai(EAI_SYSTEM, Operation::getnameinfo, EMFILE);
  CHECK(system == Error(EMFILE, Operation::getnameinfo));
  CHECK(system.is(EMFILE));
}

TEST_CASE("describe says the call and the text") {
  CHECK(Error(ECONNREFUSED, Operation::connect).describe() == "connect: Connection refused");
  CHECK(Error(EINVAL, Operation::parse).describe() == "SocketAddress::parse: Invalid argument");
  CHECK(Error(EPIPE, Operation::none).describe() == "Broken pipe");
  CHECK(Error(12345, Operation::recv).describe() == "recv: Unknown error");
  CHECK(std::string(Error(12345, Operation::recv).name()) == "");
}

TEST_CASE("no description is cut short") {
  std::size_t longest_call = 0, longest_text = 0;
  for (int i = 0; i < 256; ++i)
    longest_call = std::max(longest_call, std::strlen(operation_name(static_cast<Operation>(i))));
  for (const ErrorName &row : error_names())
    longest_text = std::max(longest_text, std::strlen(row.number < 0 ? baresock::gai_strerror(row.number)
                                                                     : baresock::strerror(row.number)));
  CHECK(longest_call + 2 + longest_text < 96);
}

TEST_CASE("predicates") {
  auto error = [](int code) { return Error(code, Operation::recv); };
  CHECK(error(EAGAIN).would_block());
  CHECK(error(EWOULDBLOCK).would_block());
  CHECK_FALSE(error(EINTR).would_block());
  CHECK(error(EINTR).interrupted());
  CHECK_FALSE(error(EAGAIN).interrupted());
  CHECK(error(EINPROGRESS).in_progress());
  CHECK(error(EALREADY).in_progress());
  CHECK_FALSE(error(EAGAIN).in_progress());
  CHECK(error(ETIMEDOUT).timed_out());
  CHECK_FALSE(error(EAGAIN).timed_out());
  CHECK(error(ECONNREFUSED).refused());
  CHECK_FALSE(error(ECONNRESET).refused());
  CHECK(error(ECONNRESET).disconnected());
  CHECK(error(ECONNABORTED).disconnected());
  CHECK(error(EPIPE).disconnected());
  CHECK_FALSE(error(ENOTCONN).disconnected());
  for (int code : {EMFILE, ENFILE, ENOBUFS, ENOMEM})
    CHECK(error(code).exhausted());
  CHECK_FALSE(error(EAGAIN).exhausted());
}

TEST_CASE("every errno of the C library has its name and text") {
  for (int code = 1; code < 4096; ++code) {
    CAPTURE(code);
    const char *name = ::strerrorname_np(code);
    if (name == nullptr) {
      CHECK(std::string(error_name(code)) == "");
      CHECK(std::string(baresock::strerror(code)) == "Unknown error");
      continue;
    }
    // The C library's choice of two names is ENOTSUP for EOPNOTSUPP.
    CHECK(error_number(name) == code);
    if (code != EOPNOTSUPP)
      CHECK(std::string(error_name(code)) == name);
    CHECK(std::string(baresock::strerror(code)) == ::strerrordesc_np(code));
  }
  CHECK(std::string(error_name(0)) == "");
}

TEST_CASE("every EAI code has its name and text") {
  struct {
    const char *name;
    int code;
  } rows[] = {{"EAI_AGAIN", EAI_AGAIN},       {"EAI_BADFLAGS", EAI_BADFLAGS},    {"EAI_FAIL", EAI_FAIL},
              {"EAI_FAMILY", EAI_FAMILY},     {"EAI_MEMORY", EAI_MEMORY},        {"EAI_NONAME", EAI_NONAME},
              {"EAI_OVERFLOW", EAI_OVERFLOW}, {"EAI_SERVICE", EAI_SERVICE},      {"EAI_SOCKTYPE", EAI_SOCKTYPE},
              {"EAI_SYSTEM", EAI_SYSTEM},
#ifdef EAI_NODATA
              {"EAI_NODATA", EAI_NODATA},     {"EAI_ADDRFAMILY", EAI_ADDRFAMILY}
#endif
  };
  for (auto [name, code] : rows) {
    CAPTURE(name);
    int number = code < 0 ? code : -code;
    CHECK(error_number(name) == number);
    CHECK(std::string(error_name(number)) == name);
    CHECK(std::string(baresock::gai_strerror(code)) == ::gai_strerror(code));
  }
}

TEST_CASE("of two names for one number one is canonical") {
  struct {
    const char *canonical;
    const char *other;
    int number;
  } rows[] = {
      {"EAGAIN", "EWOULDBLOCK", EAGAIN}, {"EOPNOTSUPP", "ENOTSUP", EOPNOTSUPP}, {"EDEADLK", "EDEADLOCK", EDEADLK}};
  for (auto [canonical, other, number] : rows) {
    CHECK(std::string(error_name(number)) == canonical);
    CHECK(error_number(canonical) == number);
    CHECK(error_number(other) == number);
  }
}

TEST_CASE("names that are none") {
  for (const char *name : {"", "E", "ECONN", "ECONNREFUSEDX", "econnrefused", "ZZZ", "0"})
    CHECK(error_number(name) == 0);
  CHECK(error_number(TextView("ECONNREFUSED junk", 12)) == ECONNREFUSED);
}

TEST_CASE("the table is complete, sorted and has one canonical name a number") {
  std::set<int> canonical;
  std::string previous;
  std::size_t rows = 0;
  for (const ErrorName &row : error_names()) {
    CAPTURE(row.name);
    CHECK(previous < row.name);
    previous = row.name;
    CHECK(error_number(row.name) == row.number);
    if (row.canonical)
      CHECK(canonical.insert(row.number).second);
    ++rows;
  }
  for (const ErrorName &row : error_names())
    CHECK(canonical.count(row.number) == 1);
  CHECK(rows > 140); // 134 errno names of Linux, and the EAI_ codes
}

TEST_CASE("operation names are the tokens") {
  CHECK(std::string(operation_name(Operation::none)) == "");
  CHECK(std::string(operation_name(Operation::accept4)) == "accept4");
  CHECK(std::string(operation_name(Operation::socketpair)) == "socketpair");
  CHECK(std::string(operation_name(Operation::to_chars)) == "SocketAddress::to_chars");
  CHECK(std::string(operation_name(static_cast<Operation>(255))) == "");
}

TEST_CASE("texts are English in every locale") {
  std::string saved = std::setlocale(LC_ALL, nullptr);
  (void)std::setlocale(LC_ALL, "de_DE.UTF-8");
  std::string libc = ::strerror(EPIPE);
  std::string ours = Error(EPIPE, Operation::none).message();
  (void)std::setlocale(LC_ALL, saved.c_str());
  if (libc == "Broken pipe")
    SKIP("the C library has no German here");
  CHECK(ours == "Broken pipe");
}

TEST_CASE("last_error is of this thread and of failures only") {
  clear_error();
  CHECK(last_error() == Error());
  CHECK_ERROR(Socket().listen(), EBADF, listen);
  CHECK(last_error() == Error(EBADF, Operation::listen));

  std::thread([] {
    CHECK(last_error() == Error());
    CHECK_ERROR(SocketAddress::parse("?"), EINVAL, parse);
  }).join();
  CHECK(last_error() == Error(EBADF, Operation::listen));

  { // neither success nor a destructor changes it
    Socket socket = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  }
  CHECK(last_error() == Error(EBADF, Operation::listen));
  CHECK_FALSE(SocketAddress().get<Inet4Address>().has_value()); // a question, not a failure
  CHECK(last_error() == Error(EBADF, Operation::listen));

  clear_error();
  CHECK(last_error() == Error());
}

TEST_CASE("std::error_code, std::errc and exceptions") {
  Error refused(ECONNREFUSED, Operation::connect);
  CHECK(to_error_code(refused) == std::error_code(ECONNREFUSED, std::system_category()));
  CHECK(to_error_code(refused) == std::errc::connection_refused);
  CHECK(refused == std::errc::connection_refused);
  CHECK(refused != std::errc::connection_reset);

  auto gai = [](int code) { return Error::from_gai(code, Operation::getaddrinfo, 0); };
  CHECK(std::string(getaddrinfo_category().name()) == "getaddrinfo");
  CHECK(to_error_code(gai(EAI_NONAME)).category() == getaddrinfo_category());
  CHECK(to_error_code(gai(EAI_NONAME)).value() == EAI_NONAME);
  CHECK(to_error_code(gai(EAI_NONAME)).message() == ::gai_strerror(EAI_NONAME));
  CHECK(gai(EAI_MEMORY) == std::errc::not_enough_memory);
  CHECK(gai(EAI_AGAIN) == std::errc::resource_unavailable_try_again);
  CHECK(gai(EAI_FAMILY) == std::errc::address_family_not_supported);
  CHECK(gai(EAI_BADFLAGS) == std::errc::invalid_argument);
  CHECK(gai(EAI_SOCKTYPE) == std::errc::wrong_protocol_type);
  CHECK(to_error_code(gai(EAI_NONAME)).default_error_condition() ==
        std::error_condition(EAI_NONAME, getaddrinfo_category()));

  CHECK(or_throw(Result<int>(3)) == 3);
  const Result<int> four(4);
  CHECK(or_throw(four) == 4);
  or_throw(Result<void>());
  bool thrown = false;
  try {
    or_throw(Socket().listen());
  } catch (const std::system_error &error) {
    thrown = true;
    CHECK(error.code() == std::errc::bad_file_descriptor);
    CHECK(std::string(error.what()) == "listen: Bad file descriptor");
  }
  CHECK(thrown);
  CHECK_THROWS_WITH_AS(throw_error(Error(EPIPE, Operation::none)), "Broken pipe", std::system_error);
}

TEST_CASE("to_string") { CHECK(to_string(Error(EPIPE, Operation::send)) == "send: Broken pipe"); }

TEST_SUITE_END();
