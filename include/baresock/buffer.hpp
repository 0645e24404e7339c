// SPDX-License-Identifier: MIT
/// Buffers: views of the bytes that calls send and receive, and Bytes, which owns some.
/// A buffer is made of whatever holds bytes in a row: std::span, std::vector, std::array, an array, a
/// std::string, a pointer and a size. Views are as safe in several threads as an int.

#pragma once

#include <baresock/error.hpp>
#include <baresock/view.hpp>

#include <cstddef>
#include <sys/uio.h>
#include <type_traits>
#include <utility>

namespace baresock {

template <class T>
struct Codec;
template <class T>
class List;

namespace detail {

template <class T>
inline constexpr bool is_byte = std::is_same_v<T, std::byte> || std::is_same_v<T, char> ||
                                std::is_same_v<T, unsigned char> || std::is_same_v<T, signed char>;

/// strnlen(3).
inline std::size_t length(const char *text, std::size_t room) noexcept {
  const void *end = __builtin_memchr(text, '\0', room);
  return end != nullptr ? static_cast<std::size_t>(static_cast<const char *>(end) - text) : room;
}

/// Has data(), a pointer to bytes, and size().
template <class T>
concept ByteRange = requires(T &range, std::size_t &size) {
  requires is_byte<std::remove_cvref_t<decltype(*range.data())>>;
  size = range.size();
};

/// And the bytes may be written.
template <class T>
concept MutableByteRange =
    ByteRange<T> && !std::is_const_v<std::remove_reference_t<decltype(*std::declval<T &>().data())>>;

} // namespace detail

/// iovec(3type): bytes to send. A C string counts without its NUL, an array of char up to its first NUL.
class ConstBuffer {
public:
  constexpr ConstBuffer() noexcept : part_{} {}
  ConstBuffer(const void *data, std::size_t size) noexcept : part_{const_cast<void *>(data), size} {}
  template <class T>
    requires std::is_same_v<T, const char *> || std::is_same_v<T, char *>
  ConstBuffer(const T &text) noexcept : ConstBuffer(text, __builtin_strlen(text)) {}
  template <std::size_t N>
  ConstBuffer(const char (&text)[N]) noexcept : ConstBuffer(text, detail::length(text, N)) {}
  ConstBuffer(std::nullptr_t) = delete;
  template <detail::ByteRange T>
  ConstBuffer(const T &range) noexcept : ConstBuffer(range.data(), range.size()) {}
  template <class T, std::size_t N>
    requires(detail::is_byte<std::remove_const_t<T>> && !std::is_same_v<std::remove_const_t<T>, char>)
  ConstBuffer(T (&array)[N]) noexcept : ConstBuffer(array, N) {}

  [[nodiscard]] const std::byte *data() const noexcept { return static_cast<const std::byte *>(part_.iov_base); }
  [[nodiscard]] std::size_t size() const noexcept { return part_.iov_len; }
  [[nodiscard]] bool empty() const noexcept { return part_.iov_len == 0; }
  [[nodiscard]] const std::byte *begin() const noexcept { return data(); }
  [[nodiscard]] const std::byte *end() const noexcept { return data() + size(); }

private:
  iovec part_;
};

/// iovec(3type): room for received bytes.
class MutableBuffer {
public:
  constexpr MutableBuffer() noexcept : part_{} {}
  MutableBuffer(void *data, std::size_t size) noexcept : part_{data, size} {}
  template <detail::MutableByteRange T>
  MutableBuffer(T &&range) noexcept : MutableBuffer(range.data(), range.size()) {}
  template <class T, std::size_t N>
    requires detail::is_byte<T>
  MutableBuffer(T (&array)[N]) noexcept : MutableBuffer(array, N) {}

  [[nodiscard]] std::byte *data() const noexcept { return static_cast<std::byte *>(part_.iov_base); }
  [[nodiscard]] std::size_t size() const noexcept { return part_.iov_len; }
  [[nodiscard]] bool empty() const noexcept { return part_.iov_len == 0; }
  [[nodiscard]] std::byte *begin() const noexcept { return data(); }
  [[nodiscard]] std::byte *end() const noexcept { return data() + size(); }

private:
  iovec part_;
};

/// Received bytes on the heap, owned. Move-only; moved-from is empty. Several threads may read, or one write.
class Bytes {
public:
  constexpr Bytes() noexcept = default;
  /// `size` zeros; ENOMEM.
  [[nodiscard]] static Result<Bytes> zeros(std::size_t size) noexcept;

  Bytes(Bytes &&other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)),
        length_(std::exchange(other.length_, 0)) {}
  Bytes &operator=(Bytes &&other) noexcept {
    Bytes(std::move(other)).swap(*this);
    return *this;
  }
  ~Bytes();
  void swap(Bytes &other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(length_, other.length_);
  }

  /// Zeros are added at the end, or bytes taken from there. ENOMEM, and then nothing has changed.
  [[nodiscard]] Result<void> resize(std::size_t size) noexcept;

  [[nodiscard]] std::byte *data() noexcept { return data_; }
  [[nodiscard]] const std::byte *data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::byte *begin() noexcept { return data_; }
  [[nodiscard]] std::byte *end() noexcept { return data_ + size_; }
  [[nodiscard]] const std::byte *begin() const noexcept { return data_; }
  [[nodiscard]] const std::byte *end() const noexcept { return data_ + size_; }

  /// The same bytes as text; valid as long as this object is neither changed nor destroyed.
  [[nodiscard]] TextView text() const noexcept { return {reinterpret_cast<const char *>(data_), size_}; }

  /// What the kernel counted: more than size() for a datagram cut short under MSG_TRUNC.
  [[nodiscard]] std::size_t length() const noexcept { return length_; }

private:
  friend class Socket;
  template <class T>
  friend struct Codec;
  friend class OptionValue;
  template <class T>
  friend class List;
  /// Room for `capacity` bytes; ENOMEM. All zero if the kernel may count bytes that it does not store.
  [[nodiscard]] static Result<Bytes> allocate(std::size_t capacity, bool zeroed) noexcept;
  void received(std::size_t size, std::size_t length) noexcept {
    size_ = size;
    length_ = length;
  }

  std::byte *data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t length_ = 0;
};

} // namespace baresock
