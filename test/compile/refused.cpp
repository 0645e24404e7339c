// SPDX-License-Identifier: MIT
/// What must not compile: test/compile.sh compiles this file once without CASE, which has to work, and once for
/// each case, which must not.

#include <baresock/baresock.hpp>

#include <string>
#include <vector>

using namespace baresock;

[[maybe_unused]] static Result<void> cases(Socket &socket, const std::string &fixed, long number) {
  char room[8];
  (void)socket.recv(room);
#if CASE == 1 // a descriptor has one owner
  Socket copy(socket);
#elif CASE == 2 // an int is not a socket unasked
  Socket implicit = 3;
#elif CASE == 3 // a lent descriptor is not closed
  (void)SocketRef(socket)->close();
#elif CASE == 4 // nor released
  (void)SocketRef(socket)->release();
#elif CASE == 5 // an option of 8 bytes where the kernel takes 4
  (void)socket.setsockopt(SOL_SOCKET, SO_RCVBUF, number);
#elif CASE == 6
  (void)socket.setsockopt(SOL_SOCKET, SO_RCVTIMEO, 0.5);
#elif CASE == 7 // receiving into what may not be written
  (void)socket.recv(fixed);
#elif CASE == 8
  (void)socket.recv("literal");
#elif CASE == 9  // sending no bytes
  (void)socket.send(nullptr);
#elif CASE == 10 // objects are not bytes
  (void)socket.send(std::vector<int>{1, 2});
#elif CASE == 11 // ports are 16 bits
  (void)socket.bind(Inet4Address{INADDR_LOOPBACK, 70000});
#elif CASE == 12 // a result is looked at
  socket.listen();
#elif CASE == 13
  socket.send("x");
#elif CASE == 14 // the kernel takes at most 1024 messages
  IncomingBatch<1025> batch;
#elif CASE == 15
  IncomingBatch<0> batch;
#elif CASE == 16 // headers point into the object
  IncomingBatch<2> batch, copy(batch);
#elif CASE == 17
  (void)SocketAddress::parse(nullptr);
#elif CASE == 18 // received bytes have one owner
  Bytes bytes, copy(bytes);
#elif CASE == 19 // an Error is not a number, nor compared with one
  (void)(last_error() == 5);
#elif CASE == 20 // text is not an address
  (void)socket.connect("127.0.0.1:80");
#endif
  return socket.setsockopt(SOL_SOCKET, SO_RCVBUF, static_cast<int>(number + static_cast<long>(fixed.size())));
}
