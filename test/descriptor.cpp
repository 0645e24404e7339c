// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <cerrno>
#include <fcntl.h>
#include <type_traits>
#include <utility>

using namespace baresock;

namespace {

int open_null() {
  int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  REQUIRE(fd >= 0);
  return fd;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

} // namespace

TEST_SUITE_BEGIN("descriptor");

static_assert(sizeof(FileDescriptor) == sizeof(int));
static_assert(!std::is_copy_constructible_v<FileDescriptor>);
static_assert(!std::is_copy_assignable_v<FileDescriptor>);
static_assert(std::is_nothrow_move_constructible_v<FileDescriptor>);
static_assert(std::is_nothrow_move_assignable_v<FileDescriptor>);
static_assert(!std::is_convertible_v<int, FileDescriptor>);
static_assert(!std::is_convertible_v<FileDescriptor, int>);
static_assert(!std::is_convertible_v<FileDescriptor, bool>);

TEST_CASE("a descriptor of any kind is owned, and closed") {
  const NoLeak no_leak;
  int fd = open_null();
  {
    FileDescriptor owner(fd);
    CHECK(owner.fd() == fd);
    CHECK(owner);
    CHECK(is_open(fd));
  }
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("without a descriptor there is none, and nothing is closed") {
  const NoLeak no_leak;
  errno = ENOTTY;
  {
    FileDescriptor none;
    CHECK(none.fd() == -1);
    CHECK_FALSE(none);
    CHECK(none.release() == -1);
    FileDescriptor other(std::move(none));
    other = FileDescriptor();
    CHECK_FALSE(other);
  }
  CHECK(errno == ENOTTY);
  FileDescriptor none;
  CHECK_ERROR(none.close(), EBADF, close);
}

TEST_CASE("close closes once, and the object is empty") {
  const NoLeak no_leak;
  FileDescriptor owner(open_null());
  const int fd = owner.fd();
  VALUE(owner.close());
  CHECK_FALSE(owner);
  CHECK(owner.fd() == -1);
  CHECK_FALSE(is_open(fd));
  // Its number is somebody else's now.
  FileDescriptor other(open_null());
  REQUIRE(other.fd() == fd);
  CHECK_ERROR(owner.close(), EBADF, close);
  owner = FileDescriptor();
  CHECK(is_open(fd));
}

TEST_CASE("close tells an error, and the object is empty all the same") {
  FileDescriptor owner(0x7ffffff0);
  CHECK_ERROR(owner.close(), EBADF, close);
  CHECK(owner.fd() == -1);
}

TEST_CASE("moved, the descriptor has one owner") {
  const NoLeak no_leak;
  FileDescriptor first(open_null());
  const int fd = first.fd();
  FileDescriptor second(std::move(first));
  CHECK(second.fd() == fd);
  CHECK(first.fd() == -1);
  CHECK(is_open(fd));
  // What the target had is closed.
  FileDescriptor third(open_null());
  const int other = third.fd();
  third = std::move(second);
  CHECK(third.fd() == fd);
  CHECK_FALSE(is_open(other));
  CHECK(is_open(fd));
  // Of itself: nothing changes.
  FileDescriptor &self = third;
  third = std::move(self);
  CHECK(third.fd() == fd);
  CHECK(is_open(fd));
}

TEST_CASE("swap and release") {
  const NoLeak no_leak;
  FileDescriptor a(open_null()), b;
  const int fd = a.fd();
  a.swap(b);
  CHECK(b.fd() == fd);
  CHECK_FALSE(a);
  b.swap(b);
  CHECK(b.fd() == fd);
  const int released = b.release();
  CHECK(released == fd);
  CHECK_FALSE(b);
  b = FileDescriptor();
  CHECK(is_open(released));
  CHECK(::close(released) == 0);
}

TEST_CASE("a destructor leaves errno and last_error() as they are") {
  CHECK_ERROR(Socket().listen(), EBADF, listen);
  const Error before = last_error();
  errno = ENOTTY;
  {
    FileDescriptor bad(0x7ffffff0);
  }
  CHECK(errno == ENOTTY);
  CHECK(last_error() == before);
  {
    FileDescriptor good(open_null());
  }
  CHECK(last_error() == before);
}

TEST_CASE("descriptor 0 is one") {
  const int status = in_child([] {
    (void)::close(0);
    FileDescriptor owner(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (owner.fd() != 0 || !owner)
      return 1;
    owner = FileDescriptor();
    return is_open(0) ? 2 : 0;
  });
  CHECK(status == 0);
}

TEST_SUITE_END();
