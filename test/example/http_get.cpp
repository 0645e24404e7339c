// SPDX-License-Identifier: MIT
/// http_get ADDRESS [HOST [PATH]], http_get http://ADDRESS/PATH: prints a page; its headers go to standard error.
/// The exit status is 0 if the server's was 2xx.
///
///   http_get http://127.0.0.1:8080/index.html
///   http_get /run/docker.sock localhost /version
///
/// Addresses are numeric, or paths. A failing call becomes an exception here: or_throw().

#include <baresock/address.hpp>
#include <baresock/socket.hpp>
#include <baresock/system_error.hpp>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

using baresock::ConstBuffer;
using baresock::or_throw;
using baresock::Socket;
using baresock::SocketAddress;

namespace {

constexpr std::size_t header_limit = 65536; // a server must not make us store without end

struct Request {
  std::string address;
  std::string host; // empty: the address
  std::string path;
};

/// "http://127.0.0.1:8080/a?b#c": its address, and "/a?b" to ask for.
Request parse_url(std::string_view url) {
  url.remove_prefix(std::string_view("http://").size());
  url = url.substr(0, url.find('#'));
  auto address = url.substr(0, url.find_first_of("/?"));
  auto path = std::string(url.substr(address.size()));
  return {std::string(address), "", path.starts_with('/') ? path : "/" + path};
}

/// A blank or a line end in the host or path would make another request of it.
void check(std::string_view part) {
  for (char c : part)
    if (c <= ' ' || c > '~')
      throw std::invalid_argument("the host or path has a character that needs %-encoding");
}

void send_all(const Socket &socket, ConstBuffer data) {
  while (!data.empty()) {
    auto sent = socket.send(data);
    if (sent)
      data = {data.data() + *sent, data.size() - *sent};
    else if (!sent.error().interrupted())
      throw_error(sent.error());
  }
}

/// What has arrived, at most `room.size()`; empty at the end.
std::string_view receive(const Socket &socket, std::string &room) {
  for (;;) {
    auto received = socket.recv(room);
    if (received)
      return std::string_view(room).substr(0, received->size);
    if (!received.error().interrupted())
      throw_error(received.error());
  }
}

/// "HTTP/1.1 200 OK": 200.
int parse_status(std::string_view header) {
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!header.starts_with("HTTP/1.") || header.size() < 12 || header[8] != ' ' || !digit(header[9]) ||
      !digit(header[10]) || !digit(header[11]))
    throw std::runtime_error("not an HTTP answer");
  return (header[9] - '0') * 100 + (header[10] - '0') * 10 + (header[11] - '0');
}

/// Asks and prints; the status of the answer.
int get(const Request &request) {
  auto address = or_throw(SocketAddress::parse(request.address));
  if (address.port() == 0)
    address = address.with_port(80); // Unix addresses, which have no ports, stay as they are
  std::string host = request.host;
  if (host.empty())
    host = address.family() == AF_UNIX ? "localhost" : address.text().c_str();
  check(host);
  check(request.path);

  auto socket = or_throw(Socket::socket(address.family(), SOCK_STREAM));
  or_throw(socket.connect(address));
  // Of HTTP/1.0, because then the body is simply all that follows the header, to the end of the connection.
  send_all(socket, "GET " + request.path + " HTTP/1.0\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");

  std::string room(16384, '\0');
  std::string header;
  std::size_t end;
  while ((end = header.find("\r\n\r\n")) == header.npos) {
    if (header.size() > header_limit)
      throw std::runtime_error("the header is too long");
    auto data = receive(socket, room);
    if (data.empty())
      throw std::runtime_error("the connection ended before the header did");
    header += data;
  }
  int status = parse_status(header);
  std::fwrite(header.data(), 1, end + 2, stderr);

  auto body = std::string_view(header).substr(end + 4); // its first part may have come with the header
  do
    std::fwrite(body.data(), 1, body.size(), stdout);
  while (!(body = receive(socket, room)).empty());
  return status;
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 2 || argc > 4) {
    std::fputs("usage: http_get ADDRESS [HOST [PATH]]\n       http_get http://ADDRESS/PATH\n", stderr);
    return 2;
  }
  try {
    Request request;
    if (std::string_view(argv[1]).starts_with("http://"))
      request = parse_url(argv[1]);
    else
      request = {argv[1], argc > 2 ? argv[2] : "", argc > 3 ? argv[3] : "/"};
    int status = get(request);
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
      throw std::runtime_error("cannot write standard output");
    return status >= 200 && status <= 299 ? 0 : 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "http_get: %s: %s\n", argv[1], error.what());
    return 1;
  }
}
