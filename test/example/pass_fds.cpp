// SPDX-License-Identifier: MIT
/// pass_fds: passes files to another process over a Unix socket, SCM_RIGHTS, unix(7).
///
/// A child copies what it is given to read to what it is given to write, and answers. It asks for two descriptors; of
/// the requests here some have fewer or more.

#include <baresock/control.hpp>
#include <baresock/descriptor.hpp>
#include <baresock/error.hpp>
#include <baresock/socket.hpp>

#include <cstdio>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using baresock::Error;
using baresock::FileDescriptor;
using baresock::Result;
using baresock::Socket;
using baresock::Span;

namespace {

int complain(Error error) {
  std::fprintf(stderr, "pass_fds: %s\n", error.describe().c_str());
  return 1;
}

/// The answer to a request: sends the file to the socket.
std::string copy(const FileDescriptor &file, const Socket &to) {
  auto sent = to.sendfile(file.fd(), 0, 4096);
  return sent ? "copied " + std::to_string(*sent) + " bytes" : sent.error().describe().c_str();
}

/// Answers requests until the other end is closed.
Result<void> serve(const Socket &client) {
  for (;;) {
    char request[16];
    FileDescriptor fds[2]; // closed in the end, whatever happens
    auto got = recv_fds(client, request, fds);
    if (!got)
      return std::unexpected(got.error());
    if (got->size == 0)
      return {};
    // How many come is for the sender to choose. What there is no room for, recv_fds() has closed.
    std::string answer;
    if (got->control_truncated)
      answer = "refused: more than 2";
    else if (got->fds != 2)
      answer = "refused: " + std::to_string(got->fds) + ", not 2";
    else
      answer = copy(fds[0], Socket(std::move(fds[1])));
    if (auto sent = client.send(answer); !sent)
      return std::unexpected(sent.error());
  }
}

/// A request, and its answer.
Result<void> ask(const Socket &server, Span<const int> fds) {
  if (auto sent = send_fds(server, "copy", fds); !sent) // they stay ours
    return std::unexpected(sent.error());
  auto answer = server.recv();
  if (!answer)
    return std::unexpected(answer.error());
  std::printf("%zu descriptors: %s\n", fds.size(), std::string(std::string_view(answer->text())).c_str());
  return {};
}

} // namespace

int main(int argc, char **) {
  if (argc != 1) {
    std::fputs("usage: pass_fds\n", stderr);
    return 2;
  }

  // Of SOCK_SEQPACKET, so that a request is received as it was sent, with its own descriptors and no others.
  auto pair = Socket::socketpair(AF_UNIX, SOCK_SEQPACKET);
  if (!pair)
    return complain(pair.error());
  auto &[server, client] = *pair;
  const pid_t child = ::fork();
  if (child < 0) {
    std::perror("pass_fds: fork");
    return 1;
  }
  if (child == 0) {
    server = Socket(); // the parent's: otherwise its closing would not be noticed here
    auto served = serve(client);
    return served ? 0 : complain(served.error());
  }
  client = Socket();

  FileDescriptor file(::memfd_create("greeting", MFD_CLOEXEC));
  if (::write(file.fd(), "Hello, world!\n", 14) != 14) {
    std::perror("pass_fds: memfd");
    return 1;
  }
  auto copies = Socket::socketpair(AF_UNIX, SOCK_STREAM);
  if (!copies)
    return complain(copies.error());
  const int fds[] = {file.fd(), copies->second.fd(), STDERR_FILENO};
  for (std::size_t count : {2u, 0u, 1u, 3u, 2u})
    if (auto asked = ask(server, {fds, count}); !asked)
      return complain(asked.error());

  // The child has closed what it was given, so this was the last descriptor of that end.
  copies->second = Socket();
  for (;;) {
    auto copy = copies->first.recv();
    if (!copy)
      return complain(copy.error());
    if (copy->empty())
      break;
    std::fwrite(copy->data(), 1, copy->size(), stdout);
  }

  server = Socket();
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0 ? 0 : 1;
}
