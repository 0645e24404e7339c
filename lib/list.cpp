// SPDX-License-Identifier: MIT

#include <baresock/detail/call.hpp>
#include <baresock/list.hpp>

#include <cstdlib>

namespace baresock::detail {

Result<void *> allocate(std::size_t size) noexcept { return BARESOCK_CALL(void *, malloc, size); }

void deallocate(void *memory) noexcept { std::free(memory); }

} // namespace baresock::detail
