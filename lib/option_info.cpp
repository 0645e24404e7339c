// SPDX-License-Identifier: MIT

#include <baresock/option_info.hpp>

#include <iterator>
#include <linux/filter.h>

namespace baresock {

namespace {

constexpr OptionInfo rows[] = {
#define OPTION(ns, identifier, ...) OptionInfo(ns::identifier),
#include <baresock/options.def>
};

std::unexpected<Error> refused(Operation operation, int code) noexcept {
  return std::unexpected(detail::fail(operation, code));
}

} // namespace

Span<const OptionInfo> options() noexcept { return rows; }

const OptionInfo *find_option(TextView name) noexcept {
  for (const OptionInfo &row : rows)
    if (name == row.name)
      return &row;
  return nullptr;
}

const OptionInfo *find_option(int level, TextView name) noexcept {
  for (const OptionInfo &row : rows)
    if (row.level == level && name == row.name)
      return &row;
  return nullptr;
}

const OptionInfo *find_option(int level, int number, Access access) noexcept {
  const OptionInfo *found = nullptr;
  for (const OptionInfo &row : rows)
    if (row.level == level && row.number == number) {
      if ((static_cast<unsigned>(row.access) & static_cast<unsigned>(access)) != 0)
        return &row;
      if (found == nullptr)
        found = &row;
    }
  return found;
}

Result<OptionValue> Socket::getsockopt(const OptionInfo &option) const noexcept {
  if (option.get_ == nullptr)
    return refused(Operation::getsockopt, option.query_ != nullptr ? EINVAL : ENOPROTOOPT);
  return option.get_(*this, option.level, option.number);
}

Result<OptionValue> Socket::getsockopt(const OptionInfo &option, const OptionValue &question) const noexcept {
  if (option.query_ == nullptr)
    return refused(Operation::getsockopt, EINVAL);
  return option.query_(*this, option.level, option.number, question);
}

Result<void> Socket::setsockopt(const OptionInfo &option, const OptionValue &value) const noexcept {
  if (option.set_ == nullptr)
    return refused(Operation::setsockopt, ENOPROTOOPT);
  return option.set_(*this, option.level, option.number, value);
}

Result<OptionValue> Socket::getsockopt(int level, int name) const noexcept {
  if (const OptionInfo *option = find_option(level, name))
    return getsockopt(*option);
  return getsockopt(OptionInfo(Option<Bytes>{level, name, ""}));
}

Result<void> Socket::setsockopt(int level, int name, const OptionValue &value) const noexcept {
  if (const OptionInfo *option = find_option(level, name, Access::set))
    return setsockopt(*option, value);
  if (value.kind() == OptionValue::Kind::boolean)
    return setsockopt(level, name, *value.boolean());
  if (value.kind() == OptionValue::Kind::integer)
    return setsockopt(OptionInfo(Option<int>{level, name, ""}), value);
  return setsockopt(OptionInfo(Option<Bytes>{level, name, ""}), value);
}

} // namespace baresock
