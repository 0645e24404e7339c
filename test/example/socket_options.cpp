// SPDX-License-Identifier: MIT
/// socket_options [-acij] [FAMILY [TYPE [PROTOCOL]]]: every option of such a socket, as this kernel answers.
///
///   socket_options                       socket_options -c inet6 stream
///   socket_options unix seqpacket        socket_options -j netlink raw route
///
/// The run-time half of the library, as the author of a language runtime uses it: options() are the rows,
/// getsockopt() of a row gives an OptionValue, and one loop makes whatever one likes of any of them. Nothing here
/// knows an option.

#include <baresock/address.hpp>
#include <baresock/constant.hpp>
#include <baresock/option.hpp>
#include <baresock/option_info.hpp>
#include <baresock/option_value.hpp>
#include <baresock/socket.hpp>
#include <baresock/system_error.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <getopt.h>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/utsname.h>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace baresock;

namespace {

constexpr const char *usage = "usage: socket_options [-acj] [FAMILY [TYPE [PROTOCOL]]]\n"
                              "       socket_options [-aj] -i\n";
constexpr const char *help = R"(
Prints every option of a socket with its value; then the options that the kernel
refuses to tell, each with the error, and those that can only be set, or answer a
question.

FAMILY, TYPE and PROTOCOL are constants, in either case, with or without their
prefix, or numbers: inet, AF_INET6, unix; stream, SOCK_DGRAM; tcp, IPPROTO_MPTCP,
136; of netlink, NETLINK_ROUTE; of can, CAN_RAW. By default inet; the first of
stream, dgram, raw and seqpacket that the family has; and 0.
A Unix socket is one of a pair, so that it has a peer.

  -a  also the options that belong to other sockets; "!" marks those that this
      one answers all the same
  -c  of a connected socket, over loopback: inet and inet6
  -i  of the socket that is the standard input
  -j  JSON: {"family": …, "type": …, "protocol": …, "kernel": …, "options": [
      {"level": …, "name": …, "number": …, "access": ["get", "set", "query"],
      "accepts": …, "value": … or "error": …}, …]}
      accepts is false of what belongs to other sockets. What can only be set or
      queried has neither a value nor an error. Numbers beyond 2^53 are strings
      of digits; durations, "1s", "250ms"; bytes, "0x0aff"; in a text, a byte
      that is not ASCII is \u0080 to \u00ff.

The exit status is 1 if there is no such socket, and 2 for wrong arguments.
)";

/// What a socket is, and what it answers.
struct Answers {
  struct Row {
    const OptionInfo *option;
    bool accepted;
    Result<OptionValue> value;
  };
  std::string family, type, protocol, kernel;
  std::vector<Row> rows;
};

// --- names ----------------------------------------------------------------------------------------------

/// The prefix of the protocols' names; empty where they are only numbers.
const char *protocol_prefix(int family) {
  switch (family) {
  case AF_INET:
  case AF_INET6:
    return "IPPROTO_";
  case AF_NETLINK:
    return "NETLINK_";
  case AF_CAN:
    return "CAN_";
  case AF_BLUETOOTH:
    return "BTPROTO_";
  default:
    return "";
  }
}

/// "inet6", "AF_INET6" and "10" are 10.
int number_of(std::string_view prefix, const std::string &word) {
  int number = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error == std::errc() && end == word.data() + word.size())
    return number;
  std::string name;
  for (char c : word)
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (!name.starts_with(prefix))
    name.insert(0, prefix);
  const Constant *constant = prefix.empty() ? nullptr : find_constant(name);
  if (constant == nullptr)
    throw std::invalid_argument(word + ": unknown");
  return static_cast<int>(constant->value);
}

/// 10 is "AF_INET6"; what has no name under any of the prefixes stays a number.
std::string name_of(std::initializer_list<const char *> prefixes, int number) {
  for (const char *prefix : prefixes)
    if (std::string name = constant_name(prefix, number); !name.empty())
      return name;
  return std::to_string(number);
}

std::string level_name(int level) { return name_of({"SOL_", "IPPROTO_", "AF_"}, level); }

// --- values ---------------------------------------------------------------------------------------------

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

/// Can a reader of JSON take it for a double?
bool is_exact(const OptionValue &integer) {
  constexpr std::int64_t limit = INT64_C(1) << 53;
  auto value = integer.integer();
  return value && *value >= -limit && *value <= limit;
}

/// Any value, on one line: {onoff=false, linger=0s} or, as JSON, {"onoff": false, "linger": "0s"}.
std::string shown(const OptionValue &value, bool json) {
  using Kind = OptionValue::Kind;
  const Kind kind = value.kind();
  if (kind == Kind::text)
    return quoted(*value.text());
  if (kind != Kind::record && kind != Kind::list) {
    auto printed = or_throw(value.printed());
    const bool bare = !json || kind == Kind::boolean || (kind == Kind::integer && is_exact(value));
    return bare ? std::string(std::string_view(printed.text())) : quoted(printed.text());
  }
  std::string all;
  for (std::size_t i = 0; i < value.size(); ++i) {
    all += i > 0 ? ", " : "";
    if (kind == Kind::record)
      all += json ? quoted(value.name(i)) + ": " : std::string(std::string_view(value.name(i))) + "=";
    all += shown(value[i], json);
  }
  return kind == Kind::record ? "{" + all + "}" : "[" + all + "]";
}

/// For people: what is too long for a line goes below it, a field or an element to a line.
void print_value(const std::string &name, const OptionValue &value, int indent) {
  const std::string line = name + shown(value, false);
  if (value.size() == 0 || line.size() <= 100) {
    std::printf("%*s%s\n", indent, "", line.c_str());
    return;
  }
  std::printf("%*s%s\n", indent, "", name.substr(0, name.find_last_not_of(" =") + 1).c_str());
  for (std::size_t i = 0; i < value.size(); ++i)
    print_value(value.kind() == OptionValue::Kind::record ? std::string(value.name(i).data()) + "=" : "- ", value[i],
                indent + 4);
}

std::vector<std::string> access_names(Access access) {
  std::vector<std::string> names;
  if (can_get(access))
    names.emplace_back("get");
  if (can_set(access))
    names.emplace_back("set");
  if (can_query(access))
    names.emplace_back("query");
  return names;
}

// --- a socket, and what it answers ----------------------------------------------------------------------

/// The socket, and its peer if it has one.
std::pair<Socket, Socket> make_socket(int family, std::optional<int> wanted_type, int protocol, bool connected) {
  int type = wanted_type.value_or(SOCK_STREAM);
  if (!wanted_type)
    for (int possible : {SOCK_SEQPACKET, SOCK_RAW, SOCK_DGRAM, SOCK_STREAM}) // the last one is preferred
      if (Socket::socket(family, possible, protocol))
        type = possible;
  if (family == AF_UNIX)
    return or_throw(Socket::socketpair(family, type, protocol));
  auto socket = or_throw(Socket::socket(family, type, protocol));
  if (!connected)
    return {std::move(socket), Socket()};

  auto peer = or_throw(Socket::socket(family, type, protocol));
  SocketAddress loopback = Inet4Address{INADDR_LOOPBACK};
  if (family == AF_INET6)
    loopback = Inet6Address{in6addr_loopback};
  or_throw(peer.bind(loopback));
  if (type == SOCK_STREAM)
    or_throw(peer.listen());
  or_throw(socket.connect(or_throw(peer.getsockname())));
  return {std::move(socket), std::move(peer)};
}

Answers ask(const Socket &socket, bool all) {
  // An option that is known when the program is written has a value of its own type: these are ints.
  const int family = or_throw(socket.getsockopt(so::domain));
  const int type = or_throw(socket.getsockopt(so::type));
  const int protocol = or_throw(socket.getsockopt(so::protocol));
  utsname kernel = {};
  (void)::uname(&kernel);
  Answers answers = {name_of({"AF_"}, family),
                     name_of({"SOCK_"}, type),
                     name_of({protocol_prefix(family)}, protocol),
                     std::string(kernel.sysname) + " " + kernel.release + " " + kernel.machine,
                     {}};
  for (const OptionInfo &option : options()) {
    const bool accepted = accepts(option.sockets, family, type, protocol);
    if (accepted || all)
      answers.rows.push_back({&option, accepted, socket.getsockopt(option)});
  }
  return answers;
}

// --- output ---------------------------------------------------------------------------------------------

void print_text(const Answers &answers) {
  std::printf("%s %s %s, %s\n", answers.family.c_str(), answers.type.c_str(), answers.protocol.c_str(),
              answers.kernel.c_str());
  std::size_t width = 0;
  for (const auto &row : answers.rows)
    width = std::max(width, std::string_view(row.option->name).size());

  int told = 0;
  int strange = 0;
  int level = -1;
  for (const auto &[option, accepted, value] : answers.rows) {
    if (!can_get(option->access) || !value)
      continue;
    if (std::exchange(level, option->level) != option->level)
      std::printf("\n%s\n", level_name(level).c_str());
    std::string name = (accepted ? "  " : "! ") + std::string(option->name);
    name.resize(width + 3, ' ');
    print_value(name, *value, 0);
    ++told;
    strange += !accepted;
  }

  // The others, with a word for each.
  const auto list = [&](const char *title, auto word) {
    int count = 0;
    for (const auto &row : answers.rows)
      if (std::string text = word(row); !text.empty()) {
        if (count++ == 0)
          std::printf("\n%s\n", title);
        std::printf("  %-13s %-*s %s\n", level_name(row.option->level).c_str(), static_cast<int>(width),
                    row.option->name, text.c_str());
      }
    return count;
  };
  const int refused = list("refused", [](const Answers::Row &row) {
    return can_get(row.option->access) && !row.value ? std::string(row.value.error().name()) : "";
  });
  const int silent = list("only to be set, or with a question", [](const Answers::Row &row) {
    std::string text;
    for (const std::string &name : access_names(row.option->access))
      text += (text.empty() ? "" : ", ") + name;
    return can_get(row.option->access) ? "" : text;
  });
  std::printf("\n%d options: %d with a value, %d refused, %d only to be set or with a question\n",
              told + refused + silent, told, refused, silent);
  if (strange > 0)
    std::printf("%d with a value belong to other sockets: !\n", strange);
}

void print_json(const Answers &answers) {
  auto open = [](const OptionValue &record) { // without the brace at its end
    std::string text = shown(record, true);
    text.pop_back();
    return text;
  };
  const std::string head = open(OptionValue::record()
                                    .set("family", answers.family)
                                    .set("type", answers.type)
                                    .set("protocol", answers.protocol)
                                    .set("kernel", answers.kernel));
  std::printf("%s, \"options\": [", head.c_str());
  const char *separator = "\n";
  for (const auto &[option, accepted, value] : answers.rows) {
    auto access = OptionValue::list();
    for (const std::string &name : access_names(option->access))
      access.append(name);
    std::string row = open(OptionValue::record()
                               .set("level", level_name(option->level))
                               .set("name", option->name)
                               .set("number", option->number)
                               .set("access", std::move(access))
                               .set("accepts", accepted));
    if (can_get(option->access))
      row += value ? ", \"value\": " + shown(*value, true) : ", \"error\": " + quoted(value.error().name());
    std::printf("%s%s}", std::exchange(separator, ",\n"), row.c_str());
  }
  std::puts("\n]}");
}

} // namespace

int main(int argc, char **argv) try {
  const option long_options[] = {{"help", no_argument, nullptr, 'h'}, {}};
  bool all = false, connected = false, inherited = false, json = false;
  for (int letter; (letter = ::getopt_long(argc, argv, "acijh", long_options, nullptr)) != -1;) {
    if (letter == 'h')
      return std::printf("%s%s", usage, help) < 0;
    if (letter == '?') {
      std::fputs(usage, stderr);
      return 2;
    }
    (letter == 'a' ? all : letter == 'c' ? connected : letter == 'i' ? inherited : json) = true;
  }
  const std::vector<std::string> words(argv + optind, argv + argc);
  const int family = !words.empty() ? number_of("AF_", words[0]) : AF_INET;
  const std::optional<int> type = words.size() > 1 ? std::optional(number_of("SOCK_", words[1])) : std::nullopt;
  const int protocol = words.size() > 2 ? number_of(protocol_prefix(family), words[2]) : 0;
  if (words.size() > 3 || (inherited && (connected || !words.empty())))
    throw std::invalid_argument("too many arguments");
  if (connected && family != AF_INET && family != AF_INET6)
    throw std::invalid_argument("-c: only inet and inet6");

  auto [socket, peer] = inherited ? std::pair(or_throw(Socket::from_fd(STDIN_FILENO)), Socket())
                                  : make_socket(family, type, protocol, connected);
  const Answers answers = ask(socket, all);
  json ? print_json(answers) : print_text(answers);
  return std::fflush(stdout) != 0 || std::ferror(stdout);
} catch (const std::invalid_argument &wrong) {
  std::fprintf(stderr, "socket_options: %s\n%s", wrong.what(), usage);
  return 2;
} catch (const std::exception &error) {
  std::fprintf(stderr, "socket_options: %s\n", error.what());
  return 1;
}
