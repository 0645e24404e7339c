// SPDX-License-Identifier: MIT

#include <baresock/control_info.hpp>

namespace baresock {

namespace {

constexpr ControlInfo rows[] = {
#define CONTROL(ns, identifier, ...) ControlInfo(cmsg::ns::identifier),
#include <baresock/controls.def>
};

} // namespace

Span<const ControlInfo> controls() noexcept { return rows; }

const ControlInfo *find_control(TextView name) noexcept {
  for (const ControlInfo &row : rows)
    if (name == row.name)
      return &row;
  return nullptr;
}

const ControlInfo *find_control(int level, int type, Direction direction) noexcept {
  for (const ControlInfo &row : rows)
    if (row.level == level && row.type == type &&
        (static_cast<unsigned>(row.direction) & static_cast<unsigned>(direction)) != 0)
      return &row;
  return nullptr;
}

ControlInfo control_info(int level, int type, Direction direction) noexcept {
  const ControlInfo *found = find_control(level, type, direction);
  return found != nullptr ? *found : ControlInfo(ControlKind<ConstBuffer>{level, type, ""});
}

Result<OptionValue> ControlInfo::value(const ControlMessage &message) const noexcept {
  if (value_ == nullptr)
    return std::unexpected(detail::fail(Operation::as, EINVAL));
  return value_(message, level, type);
}

Result<void> ControlInfo::append(Control &control, const OptionValue &value) const noexcept {
  if (append_ == nullptr)
    return std::unexpected(detail::fail(Operation::append, EINVAL));
  return append_(control, level, type, value);
}

OptionValue detail::ControlMarshal<stored::Descriptors>::to_value(const ReceivedDescriptors &value) noexcept {
  OptionValue list = OptionValue::list();
  for (std::size_t i = 0; i < value.size(); ++i)
    list.append(OptionValue(value.take(i)));
  return list;
}

} // namespace baresock
