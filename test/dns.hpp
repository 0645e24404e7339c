// SPDX-License-Identifier: MIT
/// Name servers, and networks of a test's own in which they answer.

#pragma once

#include "example.hpp"
#include "network.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/mount.h>
#include <thread>
#include <utility>
#include <vector>

using Files = std::map<std::string, std::string>; // by name in /etc

/// The resolver asks hosts(5), and then the name server on loopback, once, for a second.
inline const Files etc = {
    {"host.conf", "multi on\n"}, // hosts(5) may say several addresses; read once by a process
    {"hosts", "127.0.0.1 localhost\n"},
    {"nsswitch.conf", "hosts: files dns\nservices: files\nprotocols: files\n"},
    {"resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"},
};

/// Runs `body` in a thread with a network of its own, in which only lo is, and in whose /etc are only these files, of
/// `etc` those that are not among them, and what programs need to run. False if that is not permitted.
/// A thread rather than a process: its checks count, and what it leaks is seen.
inline bool in_own_etc(const std::function<void()> &body, Files files = {}) {
  files.insert(etc.begin(), etc.end());
  TemporaryDirectory directory;
  for (const auto &[name, content] : files)
    std::ofstream(directory / name) << content;
  for (const std::string name : {"passwd", "group", "ld.so.cache"})
    if (std::filesystem::exists("/etc/" + name))
      std::filesystem::copy_file("/etc/" + name, directory / name);
  bool permitted = false;
  return in_own_network([&] {
           if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", "none", MS_REC | MS_PRIVATE, nullptr) != 0 ||
               ::mount((directory / "").c_str(), "/etc", "none", MS_BIND, nullptr) != 0)
             return;
           permitted = true;
           body();
         }) &&
         permitted;
}
#define OWN_ETC_OR_SKIP(...)                                                                                         \
  do {                                                                                                               \
    if (!in_own_etc(__VA_ARGS__))                                                                                    \
      SKIP("no network or no mount namespace can be made here");                                                     \
  } while (false)

/// dnsmasq(8) at port 53 of loopback, which knows what these lines of its configuration say, and of *.test and
/// 192.0.2.* that there is nothing else. Whatever is neither, it refuses.
class Dnsmasq {
public:
  static bool installed() { return std::filesystem::exists(program); }

  explicit Dnsmasq(const std::string &configuration) {
    const std::string path = directory_ / "conf";
    std::ofstream(path) << "port=53\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\n"
                           "user=root\ngroup=root\nlocal=/test/\nlocal=/2.0.192.in-addr.arpa/\n"
                        << configuration;
    auto [ours, theirs] = make_pipe();
    const File null = nothing();
    pid_ = start({program, "--keep-in-foreground", "--pid-file", "--log-facility=-", "--conf-file=" + path},
                 null.fd(), null.fd(), theirs.fd());
    theirs = nothing();
    std::string line;
    while (!contains(line, ": started, ") && !(line = read_all(ours, true)).empty())
      errors_ += line;
    INFO(errors_);
    REQUIRE_FALSE(line.empty()); // it listens now
    log_ = std::move(ours);
  }
  Dnsmasq(const Dnsmasq &) = delete;
  Dnsmasq &operator=(const Dnsmasq &) = delete;
  ~Dnsmasq() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

private:
  static constexpr const char *program = "/usr/sbin/dnsmasq";
  TemporaryDirectory directory_;
  std::string errors_;
  File log_ = nothing(); // lest it should have nobody to write to
  pid_t pid_ = -1;
};

/// A name server at port 53 of loopback, over UDP only, that answers what a test says: also what no good one would.
class NameServer {
public:
  enum Type { a = 1, cname = 5, aaaa = 28 };
  struct Question {
    std::string name; // "host.test"
    int type = 0;
    std::string packet;
  };
  struct Record {
    int type;
    std::string data;
  };
  /// A packet; nothing to keep silent.
  using Answer = std::function<std::string(const Question &question)>;

  /// `rcode`: RFC 1035, 4.1.1. All records are of the name that is asked for.
  static std::string reply(const Question &question, int rcode, const std::vector<Record> &records = {}) {
    std::string packet = question.packet;
    packet[2] = static_cast<char>(0x84 | (packet[2] & 1)); // an answer, authoritative
    packet[3] = static_cast<char>(0x80 | rcode);
    packet.replace(6, 6, number(records.size()) + number(0) + number(0));
    for (const Record &record : records)
      packet += "\xc0\x0c" + number(static_cast<std::size_t>(record.type)) + number(1) + number(0) + number(0) +
                number(record.data.size()) + record.data;
    return packet;
  }
  /// A name as it stands in a packet.
  static std::string encoded(std::string_view name) {
    std::string result;
    while (!name.empty()) {
      const std::string_view label = name.substr(0, name.find('.'));
      result += static_cast<char>(label.size()) + std::string(label);
      name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    return result + '\0';
  }

  explicit NameServer(Answer answer) : answer_(std::move(answer)), socket_(dgram(AF_INET)) {
    VALUE(socket_.bind(at("127.0.0.1:53")));
    thread_ = std::thread([this] { serve(); });
  }
  NameServer(const NameServer &) = delete;
  NameServer &operator=(const NameServer &) = delete;
  ~NameServer() {
    over_ = true;
    VALUE(dgram(AF_INET).sendto("", at("127.0.0.1:53")));
    thread_.join();
  }

  /// What it was asked since the last time, as "host.test 28", in order.
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }

private:
  static std::string number(std::size_t value) {
    return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
  }
  void serve() {
    for (;;) {
      auto [data, address] = VALUE(socket_.recvfrom(512));
      if (over_)
        return;
      Question question = {"", 0, std::string(std::string_view(data.text()))};
      std::size_t place = 12; // after the header: the name, its type and its class
      while (place < question.packet.size() && question.packet[place] != 0) {
        const auto size = static_cast<std::size_t>(question.packet[place]);
        question.name += (question.name.empty() ? "" : ".") + question.packet.substr(place + 1, size);
        place += 1 + size;
      }
      if (place + 5 > question.packet.size()) // no question
        continue;
      question.type = question.packet[place + 2];
      question.packet.resize(place + 5); // without EDNS
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(question.name + " " + std::to_string(question.type));
      }
      if (const std::string packet = answer_(question); !packet.empty())
        VALUE(socket_.sendto(packet, address));
    }
  }

  Answer answer_;
  baresock::Socket socket_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};
