// SPDX-License-Identifier: MIT
/// poll(2), and waiting for one socket.
///
///   pollfd items[] = {{a.fd(), POLLIN, 0}, {b.fd(), POLLIN | POLLOUT, 0}};
///   auto ready = poll(items, 250ms);                 Result<std::size_t>; 0: nothing within that time
///   auto events = wait_for(socket, POLLIN, 5s);      Result<short>; ETIMEDOUT

#pragma once

#include <baresock/deadline.hpp>
#include <baresock/error.hpp>
#include <baresock/view.hpp>

#include <cstddef>
#include <poll.h>

namespace baresock {

class Socket;

/// ppoll(2), once, without a signal mask: how many of `items` have revents; zero if none had before the deadline.
/// Each `events` stays as it is, each `revents` is zero if the call fails. An item whose descriptor is negative is
/// passed over. After EINTR call again with the same deadline. EINVAL for a deadline that can be cancelled: here, the
/// descriptor for that is one more item.
[[nodiscard]] Result<std::size_t> poll(Span<pollfd> items, const Deadline &deadline = {}) noexcept;

/// Not one call: waits with ppoll(2), past signals, for one of `events`, an error or a hang-up; the revents.
/// ETIMEDOUT, ECANCELED, EINVAL for a deadline below zero; EBADF if there is no such descriptor.
[[nodiscard]] Result<short> wait_for(const Socket &socket, short events, const Deadline &deadline = {}) noexcept;

} // namespace baresock
