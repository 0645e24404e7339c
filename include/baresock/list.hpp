// SPDX-License-Identifier: MIT
/// List: objects in a row on the heap. What functions return of which there may be any number.
/// Of our own because <vector> throws where this library returns ENOMEM.

#pragma once

#include <baresock/buffer.hpp>
#include <baresock/error.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace baresock {

namespace detail {

/// malloc(3) and free(3).
[[nodiscard]] Result<void *> allocate(std::size_t size) noexcept;
void deallocate(void *memory) noexcept;

} // namespace detail

/// Move-only; moved-from is empty. Several threads may read, or one write.
template <class T>
class List {
  static_assert(std::is_nothrow_move_constructible_v<T> && alignof(T) <= alignof(std::max_align_t));

public:
  constexpr List() noexcept = default;
  /// `bytes` as objects; what is left over of the last one does not count.
  explicit List(Bytes bytes) noexcept
    requires std::is_trivially_copyable_v<T>
      : data_(reinterpret_cast<T *>(std::exchange(bytes.data_, nullptr))), size_(bytes.size_ / sizeof(T)),
        capacity_(size_) {
    bytes.received(0, 0);
  }
  List(List &&other) noexcept { swap(other); }
  List &operator=(List &&other) noexcept {
    List(std::move(other)).swap(*this);
    return *this;
  }
  ~List() {
    for (T &each : *this)
      each.~T();
    detail::deallocate(data_);
  }
  void swap(List &other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  /// Adds one at the end. ENOMEM, and then nothing has changed, `value` neither.
  [[nodiscard]] Result<void> append(const T &value) noexcept
    requires std::is_nothrow_copy_constructible_v<T>
  {
    return append(T(value));
  }
  [[nodiscard]] Result<void> append(T &&value) noexcept {
    if (size_ == capacity_) {
      const std::size_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
      auto memory = detail::allocate(capacity * sizeof(T));
      if (!memory)
        return std::unexpected(memory.error());
      T *data = static_cast<T *>(*memory);
      ::new (data + size_) T(std::move(value)); // before the others move: it may be one of them
      for (std::size_t i = 0; i < size_; ++i) {
        ::new (data + i) T(std::move(data_[i]));
        data_[i].~T();
      }
      detail::deallocate(data_);
      data_ = data;
      capacity_ = capacity;
    } else {
      ::new (data_ + size_) T(std::move(value));
    }
    ++size_;
    return {};
  }

  [[nodiscard]] T *data() noexcept { return data_; }
  [[nodiscard]] const T *data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] T *begin() noexcept { return data_; }
  [[nodiscard]] T *end() noexcept { return data_ + size_; }
  [[nodiscard]] const T *begin() const noexcept { return data_; }
  [[nodiscard]] const T *end() const noexcept { return data_ + size_; }
  [[nodiscard]] T &operator[](std::size_t index) noexcept { return data_[index]; }
  [[nodiscard]] const T &operator[](std::size_t index) const noexcept { return data_[index]; }

private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace baresock
