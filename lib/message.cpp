// SPDX-License-Identifier: MIT

#include <baresock/message.hpp>

#include <type_traits>

namespace baresock {

// The kernel reads arrays of iovec and mmsghdr; ours are arrays of these.
static_assert(sizeof(ConstBuffer) == sizeof(iovec) && std::is_standard_layout_v<ConstBuffer>);
static_assert(sizeof(MutableBuffer) == sizeof(iovec) && std::is_standard_layout_v<MutableBuffer>);
static_assert(sizeof(OutgoingMessage) == sizeof(mmsghdr) && std::is_standard_layout_v<OutgoingMessage>);

std::size_t detail::stored(const msghdr &header, std::size_t length) noexcept {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < header.msg_iovlen && sum < length; ++i)
    sum += header.msg_iov[i].iov_len;
  return sum < length ? sum : length;
}

void IncomingMessages::prepare(int flags) noexcept {
  size_ = 0;
  flags_ = flags;
  for (std::size_t i = 0; i < capacity_; ++i) {
    msghdr &header = headers_[i].msg_hdr;
    header.msg_name = addresses_[i].data();
    header.msg_namelen = SocketAddress::capacity;
    header.msg_control = controls_[i].data();
    header.msg_controllen = controls_[i].size();
    header.msg_flags = 0;
  }
}

void IncomingMessages::finish(std::size_t size) noexcept {
  size_ = size;
  for (std::size_t i = 0; i < size; ++i)
    addresses_[i].resize(headers_[i].msg_hdr.msg_namelen);
}

} // namespace baresock
