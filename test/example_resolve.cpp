// SPDX-License-Identifier: MIT
/// Runs test/example/resolve, as a user would.

#include "dns.hpp"

#include <string>
#include <vector>

using namespace baresock;

namespace {

const Files names = {
    {"hosts", "192.0.2.1 host.test alias\n2001:db8::1 host.test alias\n192.0.2.9 od\"d\\\xff\x1b[1m\x7f\n"},
    {"services", "web 8000/tcp\nshared 512/tcp\nof-udp 512/udp\n"},
    {"nsswitch.conf", "hosts: files\nservices: files\n"},
};

/// It ends with that status, with one line about the error, or with how it is used.
void check_failure(const std::vector<std::string> &arguments, int status, const std::string &errors) {
  INFO(errors);
  const Said said("resolve", arguments);
  CHECK(said.status == status);
  CHECK(said.output == "");
  CHECK(said.errors == errors);
}

const std::string usage = "usage: resolve [-46j] [-t stream|dgram|raw] HOST [SERVICE]\n"
                          "       resolve -x [-j] [-t stream|dgram] ADDRESS\n";

} // namespace

TEST_SUITE_BEGIN("example");

TEST_CASE("resolve: addresses, without asking anybody") {
  NoLeak no_leak;
  Said said("resolve", {"127.0.0.1", "80"});
  CHECK(said.status == 0);
  CHECK(said.errors == "");
  CHECK(said.output == "AF_INET   SOCK_STREAM  IPPROTO_TCP  127.0.0.1:80  127.0.0.1\n"
                       "AF_INET   SOCK_DGRAM   IPPROTO_UDP  127.0.0.1:80\n"
                       "AF_INET   SOCK_RAW     IPPROTO_IP   127.0.0.1:80\n");
  said = Said("resolve", {"-6", "-t", "stream", "[2001:db8::1]", "443"});
  CHECK(said.status == 0);
  CHECK(said.output == "AF_INET6  SOCK_STREAM  IPPROTO_TCP  [2001:db8::1]:443  2001:db8::1\n");
  said = Said("resolve", {"-t", "dgram", "::1"});
  CHECK(said.output == "AF_INET6  SOCK_DGRAM   IPPROTO_UDP  ::1  ::1\n");
  said = Said("resolve", {"-t", "raw", "::1"});
  CHECK(said.output == "AF_INET6  SOCK_RAW     IPPROTO_IP   ::1  ::1\n");
}

TEST_CASE("resolve --json: addresses") {
  for (const char *option : {"--json", "-j"}) {
    const Said said("resolve", {option, "[::1]", "80"});
    CHECK(said.status == 0);
    CHECK(said.errors == "");
    const Json json = Json::parse(said.output);
    CHECK(json.names == std::vector<std::string>{"host", "service", "canonical_name", "addresses"});
    CHECK(json["host"].text == "[::1]");
    CHECK(json["service"].text == "80");
    CHECK(json["service"].kind == Json::Kind::string);
    CHECK(json["canonical_name"].text == "::1");
    REQUIRE(json["addresses"].elements.size() == 3);
    const char *kinds[][2] = {
        {"SOCK_STREAM", "IPPROTO_TCP"}, {"SOCK_DGRAM", "IPPROTO_UDP"}, {"SOCK_RAW", "IPPROTO_IP"}};
    for (std::size_t i = 0; i < 3; ++i) {
      const Json &address = json["addresses"].elements[i];
      CHECK(address["family"].text == "AF_INET6");
      CHECK(address["type"].text == kinds[i][0]);
      CHECK(address["protocol"].text == kinds[i][1]);
      CHECK(address["address"].text == "[::1]:80");
    }
  }
  const Json json = Json::parse(Said("resolve", {"-j", "-t", "stream", "127.0.0.1"}).output);
  CHECK(json["service"].kind == Json::Kind::null);
  CHECK(json["addresses"].elements.size() == 1);
}

TEST_CASE("resolve: names, in both directions, and the canonical one") {
  auto own = [] {
    Said said("resolve", {"-t", "stream", "alias", "web"});
    CHECK(said.status == 0);
    CHECK(said.errors == "");
    const bool inet6_first = said.output.starts_with("AF_INET6");
    const std::string lines[] = {"AF_INET   SOCK_STREAM  IPPROTO_TCP  192.0.2.1:8000",
                                 "AF_INET6  SOCK_STREAM  IPPROTO_TCP  [2001:db8::1]:8000"};
    CHECK(said.output == lines[inet6_first] + "  host.test\n" + lines[!inet6_first] + "\n");
    CHECK(Said("resolve", {"-4", "-t", "stream", "alias", "web"}).output == lines[0] + "  host.test\n");
    CHECK(Said("resolve", {"-6", "-t", "stream", "alias", "web"}).output == lines[1] + "  host.test\n");

    CHECK(Said("resolve", {"-x", "192.0.2.1"}).output == "host.test\n");
    CHECK(Said("resolve", {"-x", "192.0.2.1:8000"}).output == "host.test  web\n");
    CHECK(Said("resolve", {"-x", "[2001:db8::1]:512"}).output == "host.test  shared\n");
    CHECK(Said("resolve", {"-x", "-t", "dgram", "[2001:db8::1]:512"}).output == "host.test  of-udp\n");
    CHECK(Said("resolve", {"-x", "192.0.2.1:7"}).output == "host.test  7\n");
    said = Said("resolve", {"-xj", "192.0.2.1:8000"});
    CHECK(said.status == 0);
    CHECK(said.errors == "");
    Json json = Json::parse(said.output);
    CHECK(json.names == std::vector<std::string>{"address", "host", "service"});
    CHECK(json["address"].text == "192.0.2.1:8000");
    CHECK(json["host"].text == "host.test");
    CHECK(json["service"].text == "web");
    CHECK(Json::parse(Said("resolve", {"-xj", "192.0.2.1"}).output)["service"].kind == Json::Kind::null);

    check_failure({"-x", "192.0.2.77"}, 1,
                  "resolve: 192.0.2.77: getnameinfo: Name or service not known (EAI_NONAME)\n");
    check_failure({"none.test"}, 1, "resolve: none.test: getaddrinfo: Name or service not known (EAI_NONAME)\n");
  };
  OWN_ETC_OR_SKIP(own, names);
}

TEST_CASE("resolve: text of any bytes") {
  auto own = [] {
    const std::string name = "od\"d\\\xff\x1b[1m\x7f";
    const std::string shown = R"(od\"d\\\u00ff\u001b[1m\u007f)";
    CHECK(Said("resolve", {"-x", "192.0.2.9"}).output == shown + "\n");
    CHECK(Said("resolve", {"-t", "stream", name}).output ==
          "AF_INET   SOCK_STREAM  IPPROTO_TCP  192.0.2.9  " + shown + "\n");
    CHECK(Json::parse(Said("resolve", {"-xj", "192.0.2.9"}).output)["host"].text == name);
    const Json json = Json::parse(Said("resolve", {"-j", name}).output);
    CHECK(json["host"].text == name);
    CHECK(json["canonical_name"].text == name);
    check_failure({"\x1b\xc3\xa9"}, 1,
                  "resolve: \\u001b\\u00c3\\u00a9: getaddrinfo: Name or service not known (EAI_NONAME)\n");
  };
  OWN_ETC_OR_SKIP(own, names);
}

TEST_CASE("resolve: of a name server, the canonical name of an alias, and what it refuses") {
  if (!Dnsmasq::installed())
    SKIP("no dnsmasq");
  OWN_ETC_OR_SKIP([] {
    const Dnsmasq server("host-record=both.test,192.0.2.2\ncname=alias.test,both.test\n");
    CHECK(Said("resolve", {"-t", "stream", "alias.test", "80"}).output ==
          "AF_INET   SOCK_STREAM  IPPROTO_TCP  192.0.2.2:80  both.test\n");
    CHECK(Said("resolve", {"-x", "192.0.2.2"}).output == "both.test\n");
    check_failure({"-6", "both.test"}, 1,
                  "resolve: both.test: getaddrinfo: No address associated with hostname (EAI_NODATA)\n");
    check_failure({"elsewhere.example"}, 1,
                  "resolve: elsewhere.example: getaddrinfo: Temporary failure in name resolution (EAI_AGAIN)\n");
  });
}

TEST_CASE("resolve: errors and wrong arguments") {
  check_failure({"127.0.0.1", "65536"}, 1,
                "resolve: 127.0.0.1: getaddrinfo: Numerical result out of range (ERANGE)\n");
  check_failure({"127.0.0.1", "080"}, 1, "resolve: 127.0.0.1: getaddrinfo: Invalid argument (EINVAL)\n");
  check_failure({"[127.0.0.1]"}, 1, "resolve: [127.0.0.1]: getaddrinfo: Invalid argument (EINVAL)\n");
  check_failure({"-6", "127.0.0.1"}, 1,
                "resolve: 127.0.0.1: getaddrinfo: Address family for hostname not supported (EAI_ADDRFAMILY)\n");
  check_failure({"--json", "-4", "::1"}, 1,
                "resolve: ::1: getaddrinfo: Address family for hostname not supported (EAI_ADDRFAMILY)\n");
  check_failure({"-x", "localhost"}, 1, "resolve: localhost: SocketAddress::parse: Invalid argument (EINVAL)\n");
  check_failure({"-x", "127.1"}, 1, "resolve: 127.1: SocketAddress::parse: Invalid argument (EINVAL)\n");

  check_failure({}, 2, usage);
  check_failure({"-x"}, 2, usage);
  check_failure({"-t", "seqpacket", "::1"}, 2, usage);
  check_failure({"::1", "80", "tcp"}, 2, usage);
  check_failure({"-x", "::1", "80"}, 2, usage);
  check_failure({"-4x", "::1"}, 2, usage);
  check_failure({"-x", "-t", "raw", "::1"}, 2, usage);
  const Said unknown("resolve", {"-q", "::1"}); // of which getopt(3) says something, too
  CHECK(unknown.status == 2);
  CHECK(unknown.output == "");
  CHECK(unknown.errors.ends_with(usage));
}

TEST_CASE("resolve --help") {
  const Said said("resolve", {"--help"});
  CHECK(said.status == 0);
  CHECK(said.errors == "");
  CHECK(said.output.starts_with(usage));
  for (std::string letter : {"\n  -4 ", "\n  -6 ", "\n  -j, --json ", "\n  -t TYPE ", "\n  -x "})
    CHECK(contains(said.output, letter));
}

TEST_CASE("resolve: an output that takes nothing") {
  const File full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const File errors = file_of("");
  const pid_t pid = start({example("resolve"), "127.0.0.1"}, nothing().fd(), full.fd(), errors.fd());
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
}

TEST_SUITE_END();
