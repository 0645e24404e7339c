// SPDX-License-Identifier: MIT
/// FileDescriptor: a descriptor of any kind, owned.

#pragma once

#include <baresock/error.hpp>

#include <utility>

namespace baresock {

/// Closes its descriptor in the destructor. Move-only; empty (-1) when default-constructed, moved from, released or
/// closed. Several threads may read fd(); the rest only when no other thread uses this object.
class FileDescriptor {
public:
  constexpr FileDescriptor() noexcept = default;

  /// Takes over `fd`.
  constexpr explicit FileDescriptor(int fd) noexcept : fd_(fd) {}

  FileDescriptor(FileDescriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor &operator=(FileDescriptor &&other) noexcept {
    FileDescriptor(std::move(other)).swap(*this);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0)
      drop();
  }
  void swap(FileDescriptor &other) noexcept { std::swap(fd_, other.fd_); }

  /// The descriptor; -1 if there is none. Still owned by this object.
  [[nodiscard]] constexpr int fd() const noexcept { return fd_; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Gives the descriptor up to the caller, who closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  /// close(2), once: whatever it answers, EINTR included, the descriptor is gone.
  [[nodiscard]] Result<void> close() noexcept;

private:
  void drop() noexcept;

  int fd_ = -1;
};

} // namespace baresock
