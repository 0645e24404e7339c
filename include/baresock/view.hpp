// SPDX-License-Identifier: MIT
/// Views of objects in a row and of text, and a buffer in which short texts are returned.
/// Of our own because <span> and <string_view> would cost a program more to compile than the rest of this library.
/// They are made of the standard ones, and convert to them. As safe in several threads as an int.

#pragma once

#include <cstddef>
#include <type_traits>

namespace baresock {

/// A view of objects in a row, as std::span: made of an array, a std::vector, a std::span …
template <class T>
class Span {
public:
  constexpr Span() noexcept = default;
  constexpr Span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <std::size_t N>
  constexpr Span(T (&array)[N]) noexcept : data_(array), size_(N) {}
  template <class R>
    requires requires(R &range, T *&data, std::size_t &size) {
      requires std::is_same_v<std::remove_cvref_t<decltype(*range.data())>, std::remove_cv_t<T>>;
      data = range.data();
      size = range.size();
    }
  constexpr Span(R &&range) noexcept : data_(range.data()), size_(range.size()) {}

  [[nodiscard]] constexpr T *data() const noexcept { return data_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] constexpr T *begin() const noexcept { return data_; }
  [[nodiscard]] constexpr T *end() const noexcept { return data_ + size_; }
  [[nodiscard]] constexpr T &operator[](std::size_t index) const noexcept { return data_[index]; }

private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};

namespace detail {

/// std::string_view, told without its header.
template <class T>
concept StringView =
    requires { typename T::traits_type; } && // first: T may be incomplete, then it is none
    std::is_trivially_copyable_v<T> && requires(const char *data, std::size_t size) { T(data, size); };

} // namespace detail

/// A view of characters, as std::string_view: not NUL-terminated, may contain NULs. Made of a C string, a
/// std::string, a std::string_view or any other contiguous characters.
class TextView {
public:
  constexpr TextView() noexcept = default;
  constexpr TextView(const char *data, std::size_t size) noexcept : data_(data), size_(size) {}
  constexpr TextView(const char *text) noexcept : data_(text), size_(__builtin_strlen(text)) {}
  TextView(std::nullptr_t) = delete;
  template <class T>
    requires requires(const T &text, const char *&data, std::size_t &size) {
      data = text.data();
      size = text.size();
    }
  constexpr TextView(const T &text) noexcept : data_(text.data()), size_(text.size()) {}

  [[nodiscard]] constexpr const char *data() const noexcept { return data_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] constexpr const char *begin() const noexcept { return data_; }
  [[nodiscard]] constexpr const char *end() const noexcept { return data_ + size_; }

  template <detail::StringView T>
  constexpr operator T() const noexcept {
    return T(data_, size_);
  }

  friend constexpr bool operator==(TextView a, TextView b) noexcept {
    return a.size_ == b.size_ && (a.size_ == 0 || __builtin_memcmp(a.data_, b.data_, a.size_) == 0);
  }

private:
  const char *data_ = "";
  std::size_t size_ = 0;
};

/// At most N - 1 characters and a terminating NUL, in the object itself: nothing is allocated.
template <std::size_t N>
class Text {
public:
  constexpr Text() noexcept : data_{} {}

  /// Adds what fits of `text`.
  constexpr Text &append(TextView text) noexcept {
    for (std::size_t i = 0; i < text.size() && size_ + 1 < N; ++i)
      data_[size_++] = text.data()[i];
    data_[size_] = '\0';
    return *this;
  }

  [[nodiscard]] constexpr const char *c_str() const noexcept { return data_; }
  [[nodiscard]] constexpr const char *data() const noexcept { return data_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr const char *begin() const noexcept { return data_; }
  [[nodiscard]] constexpr const char *end() const noexcept { return data_ + size_; }

  template <detail::StringView T>
  constexpr operator T() const noexcept {
    return T(data_, size_);
  }

  friend constexpr bool operator==(const Text &a, TextView b) noexcept { return TextView(a) == b; }

private:
  char data_[N];
  std::size_t size_ = 0;
};

} // namespace baresock
