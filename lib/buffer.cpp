// SPDX-License-Identifier: MIT

#include <baresock/buffer.hpp>
#include <baresock/detail/call.hpp>

#include <algorithm>
#include <cstdlib>

namespace baresock {

Bytes::~Bytes() { std::free(data_); }

Result<Bytes> Bytes::zeros(std::size_t size) noexcept {
  auto bytes = allocate(size, true);
  if (bytes)
    bytes->received(size, size);
  return bytes;
}

Result<void> Bytes::resize(std::size_t size) noexcept {
  if (size > size_) {
    auto larger = zeros(size);
    if (!larger)
      return std::unexpected(larger.error());
    std::copy(begin(), end(), larger->begin());
    swap(*larger);
  }
  received(size, size);
  return {};
}

Result<Bytes> Bytes::allocate(std::size_t capacity, bool zeroed) noexcept {
  Bytes bytes;
  if (capacity == 0) // whose answer from malloc may be null
    return bytes;
  auto memory =
      zeroed ? BARESOCK_CALL(void *, calloc, capacity, std::size_t{1}) : BARESOCK_CALL(void *, malloc, capacity);
  if (!memory)
    return std::unexpected(memory.error());
  bytes.data_ = static_cast<std::byte *>(*memory);
  return bytes;
}

} // namespace baresock
