// SPDX-License-Identifier: MIT

#include <baresock/zero_copy.hpp>

namespace baresock {

Result<void> ZeroCopySends::ready(const Socket &socket, Operation operation, bool empty) noexcept {
  if (empty)
    return std::unexpected(detail::fail(operation, EINVAL));
  if (full())
    return std::unexpected(detail::fail(operation, ENOBUFS));
  if (!asked_) {
    auto on = socket.getsockopt(so::zerocopy);
    if (!on)
      return std::unexpected(on.error());
    if (!*on)
      return std::unexpected(detail::fail(operation, EINVAL));
    asked_ = true;
  }
  return {};
}

Result<ZeroCopySent> ZeroCopySends::count(Result<std::size_t> size) noexcept {
  if (!size)
    return std::unexpected(size.error());
  ZeroCopySent result{*size};
  if (auto id = sent())
    result.id = *id;
  return result;
}

Result<ZeroCopySent> ZeroCopySends::send(const Socket &socket, ConstBuffer data, int flags) noexcept {
  if (auto checked = ready(socket, Operation::send, data.empty()); !checked)
    return std::unexpected(checked.error());
  return count(socket.send(data, flags | MSG_ZEROCOPY));
}

Result<ZeroCopySent> ZeroCopySends::sendmsg(const Socket &socket, const OutgoingMessage &message,
                                            int flags) noexcept {
  if (auto checked = ready(socket, Operation::sendmsg, message.size() == 0); !checked)
    return std::unexpected(checked.error());
  return count(socket.sendmsg(message, flags | MSG_ZEROCOPY));
}

Result<QueuedError> ZeroCopySends::receive(const Socket &socket) noexcept {
  auto entry = recv_error(socket);
  if (entry)
    if (auto completion = entry->get<ZeroCopyCompletion>())
      completed(*completion);
  return entry;
}

Result<std::uint32_t> ZeroCopySends::sent() noexcept {
  if (full())
    return std::unexpected(detail::fail(Operation::sendmsg, ENOBUFS));
  done(next_) = false;
  ++pending_;
  return next_++;
}

void ZeroCopySends::completed(const ZeroCopyCompletion &completion) noexcept {
  // Numbers wrap: what counts is how far they are from others. Those from next_ on are of sends that failed.
  if (completion.last - next_ < UINT32_MAX / 2) {
    for (; next_ != completion.last + 1 && !full(); ++next_)
      done(next_) = true;
    next_ = completion.last + 1;
  }
  for (std::uint32_t id = first_; id != next_ && id - first_ < capacity_; ++id)
    if (id - completion.first <= completion.last - completion.first && !done(id)) {
      done(id) = true;
      --pending_;
    }
  while (first_ != next_ && done(first_)) {
    ++first_;
    head_ = head_ + 1 < capacity_ ? head_ + 1 : 0;
  }
}

bool ZeroCopySends::in_flight(std::uint32_t id) const noexcept {
  return id - first_ < next_ - first_ && id - first_ < capacity_ && !done(id);
}

} // namespace baresock
