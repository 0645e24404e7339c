// SPDX-License-Identifier: MIT
/// timeout_client ADDRESS SECONDS TEXT…: asks a timeout_server each of the texts, and prints its answers. Connecting
/// may take so long, and then each exchange. SIGINT or SIGTERM cancels.
///
///   timeout_client 127.0.0.1:7001 0.5 hello world      timeout_client /run/capitals.sock 3 hello

#include <baresock/connect.hpp>
#include <baresock/deadline.hpp>
#include <baresock/error.hpp>
#include <baresock/socket.hpp>
#include <baresock/stream.hpp>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/signalfd.h>

using baresock::ConstBuffer;
using baresock::Deadline;
using baresock::Error;
using baresock::Operation;
using baresock::Result;
using baresock::Socket;

namespace {

/// A request and its answer, within one deadline.
Result<std::string> ask(const Socket &server, const std::string &text, const Deadline &deadline) {
  if (text.size() > UINT16_MAX)
    return std::unexpected(Error(EMSGSIZE, Operation::send_all));
  unsigned char length[] = {static_cast<unsigned char>(text.size() >> 8), static_cast<unsigned char>(text.size())};
  const ConstBuffer request[] = {length, text};
  if (auto sent = send_all(server, request, deadline); !sent)
    return std::unexpected(sent.error());
  if (auto received = recv_exact(server, length, deadline); !received)
    return std::unexpected(received.error());
  std::string answer(std::size_t{length[0]} << 8 | length[1], '\0');
  if (auto received = recv_exact(server, answer, deadline); !received)
    return std::unexpected(received.error());
  return answer;
}

} // namespace

int main(int argc, char **argv) {
  char *end = nullptr;
  const double seconds = argc > 3 ? std::strtod(argv[2], &end) : 0;
  if (argc < 4 || *end != '\0' || !(seconds > 0)) {
    std::fputs("usage: timeout_client ADDRESS SECONDS TEXT...\n", stderr);
    return 2;
  }
  auto failed = [argv](Error error) {
    std::fprintf(stderr, "timeout_client: %s: %s\n", argv[1], error.describe().c_str());
    return 1;
  };

  // Blocked, the signals make this descriptor readable, which ends every wait.
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const baresock::FileDescriptor cancel(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (cancel.fd() < 0) {
    std::perror("timeout_client: signalfd");
    return 1;
  }
  // Of what no deadline can be, a year will do.
  const std::chrono::milliseconds time(std::llround(std::fmin(seconds, 3e7) * 1000));
  auto deadline = [&] { return Deadline(time).cancelled_by(cancel.fd()); };

  auto server = baresock::connect_to(argv[1], {.deadline = deadline()});
  if (!server)
    return failed(server.error());
  for (int i = 3; i < argc; ++i) {
    auto answer = ask(*server, argv[i], deadline());
    if (!answer)
      return failed(answer.error());
    std::printf("%s\n", answer->c_str());
    std::fflush(stdout);
  }
  if (auto ended = finish(*server, {}, deadline()); !ended)
    return failed(ended.error());
  return std::ferror(stdout) ? 1 : 0;
}
