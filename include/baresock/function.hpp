// SPDX-License-Identifier: MIT
/// Function: something to call, in an option.
///
///   ConnectOptions options;
///   options.before_connect = [&](const Socket &socket, const SocketAddress &) { return socket.setsockopt(…); };
///
/// It holds a copy of the callable and never allocates, so that can be a function, or a lambda that captures up to
/// four references or pointers. Of anything larger, std::ref(callable), which has to outlive this.

#pragma once

#include <cstddef>
#include <new>
#include <type_traits>

namespace baresock {

template <class Signature>
class Function;

/// As safe in several threads as what it calls. What is called must not throw out of the helpers that call it: they
/// are noexcept.
template <class R, class... A>
class Function<R(A...)> {
public:
  constexpr Function() noexcept = default;
  constexpr Function(std::nullptr_t) noexcept {}
  template <class F, class C = std::decay_t<F>>
    requires(!std::is_same_v<C, Function> && std::is_invocable_r_v<R, C &, A...>)
  Function(F &&callable) noexcept {
    static_assert(std::is_trivially_copyable_v<C> && sizeof(C) <= sizeof storage_ && alignof(C) <= alignof(void *),
                  "capture up to four references or pointers, or pass std::ref(callable)");
    if constexpr (std::is_pointer_v<std::remove_cvref_t<F>>) // not of a function, which is not null
      if (callable == static_cast<C>(nullptr))
        return;
    ::new (static_cast<void *>(storage_)) C(callable);
    call_ = [](std::byte *storage, A... arguments) -> R {
      C &held = *std::launder(reinterpret_cast<C *>(storage));
      if constexpr (std::is_void_v<R>)
        static_cast<void>(held(static_cast<A &&>(arguments)...));
      else
        return held(static_cast<A &&>(arguments)...);
    };
  }

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return call_ != nullptr; }

  R operator()(A... arguments) const { return call_(storage_, static_cast<A &&>(arguments)...); }

private:
  R (*call_)(std::byte *storage, A... arguments) = nullptr;
  alignas(void *) mutable std::byte storage_[4 * sizeof(void *)] = {};
};

} // namespace baresock
