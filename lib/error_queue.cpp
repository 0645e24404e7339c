// SPDX-License-Identifier: MIT

#include <baresock/error_queue.hpp>

namespace baresock {

namespace {

// SO_EE_ORIGIN_; linux/errqueue.h cannot be included beside our struct.
enum class Origin : std::uint8_t { local = 1, icmp = 2, icmp6 = 3, timestamping = 4, zero_copy = 5, txtime = 6 };

Origin origin(const sock_extended_err &error) noexcept { return static_cast<Origin>(error.ee_origin); }

constexpr std::uint8_t zero_copy_copied = 1; // SO_EE_CODE_ZEROCOPY_COPIED

// The errors of families that tell no offender.
constexpr ControlKind<sock_extended_err, Direction::receive> bare_errors[] = {
    cmsg::packet::tx_timestamp, cmsg::vsock::recverr, cmsg::scm::can_raw_errqueue, cmsg::scm::j1939_errqueue,
    cmsg::bt::scm_error};

} // namespace

bool QueuedError::decode(IcmpError &entry) const noexcept {
  const sock_extended_err &error = received_.error;
  if (origin(error) != Origin::icmp && origin(error) != Origin::icmp6)
    return false;
  entry = {static_cast<int>(error.ee_errno), error.ee_type,      error.ee_code, error.ee_info,
           origin(error) == Origin::icmp6,   received_.offender, destination_};
  return true;
}

bool QueuedError::decode(LocalError &entry) const noexcept {
  const sock_extended_err &error = received_.error;
  if (origin(error) != Origin::local)
    return false;
  entry = {static_cast<int>(error.ee_errno), error.ee_info, destination_};
  return true;
}

bool QueuedError::decode(ZeroCopyCompletion &entry) const noexcept {
  const sock_extended_err &error = received_.error;
  if (origin(error) != Origin::zero_copy)
    return false;
  entry = {error.ee_info, error.ee_data, (error.ee_code & zero_copy_copied) != 0};
  return true;
}

bool QueuedError::decode(TransmitTimestamp &entry) const noexcept {
  const sock_extended_err &error = received_.error;
  if (origin(error) != Origin::timestamping || wireless_)
    return false;
  entry = {static_cast<TransmitTimestamp::Point>(error.ee_info), error.ee_data, time_};
  return true;
}

bool QueuedError::decode(TransmitDrop &entry) const noexcept {
  const sock_extended_err &error = received_.error;
  if (origin(error) != Origin::txtime)
    return false;
  const std::uint64_t time = static_cast<std::uint64_t>(error.ee_data) << 32 | error.ee_info;
  entry = {static_cast<int>(error.ee_errno), static_cast<TransmitDrop::Reason>(error.ee_code),
           Nanoseconds(static_cast<long long>(time))};
  return true;
}

bool QueuedError::decode(OtherEntry &entry) const noexcept {
  if (const Origin known = origin(received_.error); known >= Origin::local && known <= Origin::txtime && !wireless_)
    return false;
  entry = {received_.error, received_.offender, destination_};
  return true;
}

Result<QueuedError> queued_error(const MessageInfo &message, const SocketAddress &address,
                                 const Control &control) noexcept {
  QueuedError entry;
  entry.destination_ = address;
  entry.packet_ = message;
  entry.truncated_ = message.truncated();
  bool found = false;
  for (ControlMessage each : control) {
    if (auto inet = each.as(cmsg::ip::recverr)) {
      entry.received_ = *inet;
      found = true;
    } else if (auto inet6 = each.as(cmsg::ipv6::recverr)) {
      entry.received_ = *inet6;
      found = true;
    }
    for (const auto &kind : bare_errors)
      if (auto bare = each.as(kind)) {
        entry.received_.error = *bare;
        found = true;
      }
    if (auto time = each.as(cmsg::so::timestamping_old))
      entry.time_ = *time;
    else if (auto time64 = each.as(cmsg::so::timestamping_new))
      entry.time_ = *time64;
    else if (each.is(cmsg::scm::wifi_status))
      entry.wireless_ = true;
  }
  if (!found)
    return std::unexpected(detail::fail(Operation::as, control.truncated() ? ENOBUFS : ENOMSG));
  return entry;
}

Result<QueuedError> recv_error(const Socket &socket, MutableBuffer packet, int flags) noexcept {
  ControlBuffer<error_queue_space> control;
  const MutableBuffer parts[] = {packet};
  auto message = socket.recvmsg(parts, control, flags | MSG_ERRQUEUE | MSG_DONTWAIT);
  if (!message)
    return std::unexpected(message.error());
  return queued_error(*message, control);
}

} // namespace baresock
