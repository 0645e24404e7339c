// SPDX-License-Identifier: MIT
/// resolve [-46j] [-t TYPE] HOST [SERVICE]: every address that getaddrinfo(3) finds.
/// resolve -x [-j] [-t TYPE] ADDRESS: the name of an address, and that of its port if it has one.
///
///   resolve example.org https            resolve -4 -t stream localhost 80
///   resolve --json [::1]                 resolve -x 127.0.0.1:22
///
/// Unlike tools that ask a name server themselves it says what programs are told: it asks as nsswitch.conf(5) says,
/// /etc/hosts too.

#include <baresock/address.hpp>
#include <baresock/constant.hpp>
#include <baresock/error.hpp>
#include <baresock/netdb.hpp>

#include <cstdio>
#include <getopt.h>
#include <string>
#include <string_view>

using namespace baresock;

namespace {

constexpr const char *usage = "usage: resolve [-46j] [-t stream|dgram|raw] HOST [SERVICE]\n"
                              "       resolve -x [-j] [-t stream|dgram] ADDRESS\n";
constexpr const char *help = R"(
Prints what getaddrinfo(3) finds, a line for each address: family, type, protocol
and the address; after the first one, the canonical name of the host.

  -4          only IPv4
  -6          only IPv6
  -j, --json  {"host": …, "service": … or null, "canonical_name": … or null,
              "addresses": [{"family": …, "type": …, "protocol": …, "address": …}, …]};
              of -x, {"address": …, "host": …, "service": … or null}. In a text a
              byte that is not ASCII is \u0080 to \u00ff.
  -t TYPE     only sockets of that type; of -x, whose name of the port it is
  -x          the name of an address, from getnameinfo(3)

HOST is a name or an address, which may stand in brackets; SERVICE, a name or a
port. The exit status is 1 if nothing is found, and 2 for wrong arguments.
)";

struct Arguments {
  AddressHints hints = {.flags = AI_CANONNAME};
  bool reverse = false;
  bool json = false;
};

/// Also for a terminal, to which what others chose must not go as it is.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c < ' ' || c > '~') {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned char>(c));
      result += escape;
      continue;
    }
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + '"';
}

/// The same without the quotation marks.
std::string printable(std::string_view text) {
  const std::string result = quoted(text);
  return result.substr(1, result.size() - 2);
}

/// 2 of "AF_" is "AF_INET"; what has no name stays a number.
std::string name_of(const char *group, int number) {
  const std::string name = constant_name(group, number);
  return name.empty() ? std::to_string(number) : name;
}

int fail(const char *what, Error error) {
  std::fprintf(stderr, "resolve: %s: %s (%s)\n", printable(what).c_str(), error.describe().c_str(), error.name());
  return 1;
}

int forward(const char *host, const char *service, const Arguments &arguments) {
  const auto found = getaddrinfo(host, service != nullptr ? Service(service) : nullptr, arguments.hints);
  if (!found)
    return fail(host, found.error());
  const std::string_view canonical = (*found->begin()).canonical_name;
  if (arguments.json)
    std::printf("{\"host\": %s, \"service\": %s, \"canonical_name\": %s, \"addresses\": [", quoted(host).c_str(),
                service != nullptr ? quoted(service).c_str() : "null",
                canonical.empty() ? "null" : quoted(canonical).c_str());
  const char *separator = "";
  for (const AddressInfo &info : *found) {
    const std::string family = name_of("AF_", info.family);
    const std::string type = name_of("SOCK_", info.type);
    const std::string protocol = name_of("IPPROTO_", info.protocol);
    const std::string address = quoted(info.address.text());
    if (arguments.json)
      std::printf("%s\n  {\"family\": \"%s\", \"type\": \"%s\", \"protocol\": \"%s\", \"address\": %s}", separator,
                  family.c_str(), type.c_str(), protocol.c_str(), address.c_str());
    else
      std::printf("%-8s  %-11s  %-11s  %s%s%s\n", family.c_str(), type.c_str(), protocol.c_str(),
                  printable(info.address.text()).c_str(), info.canonical_name.empty() ? "" : "  ",
                  printable(info.canonical_name).c_str());
    separator = ",";
  }
  if (arguments.json)
    std::puts("\n]}");
  return 0;
}

int reverse(const char *text, const Arguments &arguments) {
  auto address = SocketAddress::parse(text);
  if (!address)
    return fail(text, address.error());
  const bool port = address->port() != 0;
  const auto found = getnameinfo(*address, NI_NAMEREQD | (arguments.hints.type == SOCK_DGRAM ? NI_DGRAM : 0));
  if (!found)
    return fail(text, found.error());
  if (arguments.json)
    std::printf("{\"address\": %s, \"host\": %s, \"service\": %s}\n", quoted(address->text()).c_str(),
                quoted(found->host).c_str(), port ? quoted(found->service).c_str() : "null");
  else
    std::printf("%s%s%s\n", printable(found->host).c_str(), port ? "  " : "",
                port ? printable(found->service).c_str() : "");
  return 0;
}

int wrong_arguments() {
  std::fputs(usage, stderr);
  return 2;
}

} // namespace

int main(int argc, char **argv) {
  const option long_options[] = {{"json", no_argument, nullptr, 'j'}, {"help", no_argument, nullptr, 'h'}, {}};
  Arguments arguments;
  for (int letter; (letter = ::getopt_long(argc, argv, "46jt:xh", long_options, nullptr)) != -1;)
    switch (letter) {
    case '4':
      arguments.hints.family = AF_INET;
      break;
    case '6':
      arguments.hints.family = AF_INET6;
      break;
    case 'j':
      arguments.json = true;
      break;
    case 't':
      if (std::string_view type = optarg; type == "stream")
        arguments.hints.type = SOCK_STREAM;
      else if (type == "dgram")
        arguments.hints.type = SOCK_DGRAM;
      else if (type == "raw")
        arguments.hints.type = SOCK_RAW;
      else
        return wrong_arguments();
      break;
    case 'x':
      arguments.reverse = true;
      break;
    case 'h':
      std::printf("%s%s", usage, help);
      return 0;
    default:
      return wrong_arguments();
    }
  const int words = argc - optind;
  if (words < 1 || words > (arguments.reverse ? 1 : 2))
    return wrong_arguments();
  if (arguments.reverse && (arguments.hints.family != AF_UNSPEC || arguments.hints.type == SOCK_RAW))
    return wrong_arguments();
  const int status = arguments.reverse ? reverse(argv[optind], arguments)
                                       : forward(argv[optind], words == 2 ? argv[optind + 1] : nullptr, arguments);
  return std::fflush(stdout) != 0 || std::ferror(stdout) != 0 ? 1 : status;
}
