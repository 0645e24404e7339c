// SPDX-License-Identifier: MIT

#include <baresock/descriptor.hpp>
#include <baresock/detail/call.hpp>

#include <cerrno>
#include <unistd.h>

namespace baresock {

Result<void> FileDescriptor::close() noexcept { return BARESOCK_CALL(void, close, release()); }

void FileDescriptor::drop() noexcept {
  // A destructor on an error path must not change the errno that its function returns with.
  int saved = errno;
  (void)BARESOCK_SYSTEM::close(fd_);
  errno = saved;
}

} // namespace baresock
