// SPDX-License-Identifier: MIT
/// SocketAddress::from_bytes: any bytes are an address or an error; an address is of one type, compares equal to
/// itself made anew, and its text is read back.

#include "fuzz.hpp"

#include <string>
#include <sys/un.h>

using namespace baresock;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
  auto address = SocketAddress::from_bytes({data, size});
  if (!address) {
    require(address.error() == Error(EINVAL, Operation::from_bytes));
    return 0;
  }
  require(address->size() <= SocketAddress::capacity && address->size() <= size);
  require(address->family() != AF_UNIX || address->size() <= sizeof(sockaddr_un));
  address->visit([&]<class A>(const A &typed) {
    if constexpr (!std::is_same_v<A, OtherAddress> && !std::is_same_v<A, CanAddress>) {
      SocketAddress made = typed;
      require(made == *address && made.hash() == address->hash());
    }
  });
  SocketAddress copy = *address;
  require(copy == *address && (copy <=> *address) == 0 && copy.with_port(copy.port()) == *address);
  auto again = SocketAddress::parse(address->text());
  require(again.has_value() && *again == as_text(*address));
  return 0;
}
