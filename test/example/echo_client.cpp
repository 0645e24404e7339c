// SPDX-License-Identifier: MIT
/// echo_client ADDRESS [TEXT…]: sends the words, or else its standard input, and prints what comes back.
///
///   echo_client 127.0.0.1:7000 Hello, world!
///   echo_client @echo <picture.png | cmp - picture.png

#include <baresock/connect.hpp>
#include <baresock/error.hpp>
#include <baresock/socket.hpp>
#include <baresock/stream.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <unistd.h>

using baresock::Error;
using baresock::Result;
using baresock::Socket;

namespace {

/// Standard input to its end. Line by line from a terminal: read(2) does not wait for a full buffer.
Result<void> send_input(const Socket &socket) {
  char buffer[16384];
  ssize_t size;
  while ((size = ::read(STDIN_FILENO, buffer, sizeof buffer)) > 0)
    if (auto sent = baresock::send_all(socket, {buffer, static_cast<std::size_t>(size)}); !sent)
      return sent;
  if (size < 0) {
    std::perror("echo_client: standard input");
    std::_Exit(1); // nothing is left to do, and the other thread would wait for it
  }
  return {};
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fputs("usage: echo_client ADDRESS [TEXT...]\n", stderr);
    return 2;
  }
  auto complain = [argv](Error error) {
    std::fprintf(stderr, "echo_client: %s: %s\n", argv[1], error.describe().c_str());
    return 1;
  };

  std::string text;
  for (int i = 2; i < argc; ++i)
    text.append(argv[i]).append(i + 1 < argc ? " " : "\n");

  auto socket = baresock::connect_to(argv[1]);
  if (!socket)
    return complain(socket.error());

  // Sending and receiving at the same time: a server that cannot send, because nobody receives, stops receiving too,
  // and a client that sends everything first would wait for it for ever. One socket serves both threads.
  Result<void> sent;
  std::atomic<bool> finished = false;
  std::thread sender([&] {
    sent = text.empty() ? send_input(*socket) : baresock::send_all(*socket, text);
    finished = true;
    (void)socket->shutdown(SHUT_WR); // the server sees the end, and its last words still reach us
  });

  Error error;
  char buffer[16384];
  for (;;) {
    auto received = socket->recv(buffer);
    if (received && received->size == 0)
      break;
    if (received) {
      std::fwrite(buffer, 1, received->size, stdout);
      std::fflush(stdout);
    } else if (!received.error().interrupted()) {
      error = received.error();
      break;
    }
  }

  if (error)
    complain(error);
  else if (!finished)
    std::fprintf(stderr, "echo_client: %s: closed by the server\n", argv[1]);
  // The sender may be waiting for input that never comes, and nothing can wake it from that. So end without it,
  // as if it had been the whole program.
  if (error || !finished)
    std::_Exit(1);
  sender.join();
  if (!sent)
    return complain(sent.error());
  return std::ferror(stdout) ? 1 : 0;
}
