// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <algorithm>
#include <climits>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <set>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <vector>

using namespace baresock;

namespace {

/// Two UDP sockets on loopback.
struct Udp {
  Socket a = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  Socket b = VALUE(Socket::socket(AF_INET, SOCK_DGRAM));
  SocketAddress a_name, b_name;

  Udp() {
    VALUE(a.bind(Inet4Address{INADDR_LOOPBACK, 0}));
    VALUE(b.bind(Inet4Address{INADDR_LOOPBACK, 0}));
    a_name = VALUE(a.getsockname());
    b_name = VALUE(b.getsockname());
  }
};

constexpr int unix_types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

std::pair<Socket, Socket> unix_pair(int type) { return VALUE(Socket::socketpair(AF_UNIX, type)); }

constexpr std::size_t header_size = CMSG_LEN(0);

struct Memory {
  Memory(std::size_t size, std::size_t offset)
      : space(size), bytes(std::make_unique<std::byte[]>(size + offset)), start(bytes.get() + offset) {}

  ControlSpace space;
  std::unique_ptr<std::byte[]> bytes; // not one more: a memory checker sees what is beyond
  std::byte *start;
};

/// A control buffer of a size that is known only at run time, and any alignment.
class Room : private Memory, public Control {
public:
  explicit Room(std::size_t size, std::size_t offset = 0) : Memory(size, offset), Control(start, space) {}
  ~Room() { clear(); }
};

using Fds = std::vector<int>; // in order

/// What /proc/self/fd has.
Fds open_fds() {
  Fds fds;
  DIR *directory = ::opendir("/proc/self/fd");
  REQUIRE(directory != nullptr);
  while (const dirent *entry = ::readdir(directory))
    if (entry->d_name[0] != '.' && std::atoi(entry->d_name) != ::dirfd(directory))
      fds.push_back(std::atoi(entry->d_name));
  ::closedir(directory);
  std::sort(fds.begin(), fds.end());
  return fds;
}

Fds without(const Fds &all, const Fds &some) {
  Fds rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(rest));
  return rest;
}

/// The descriptors that a buffer shows.
Fds shown(const Control &control) {
  Fds fds;
  for (ControlMessage message : control) {
    if (!message.is(cmsg::scm::rights) && !message.is(cmsg::scm::pidfd))
      continue;
    ReceivedDescriptors passed(message);
    for (std::size_t i = 0; i < passed.size(); ++i)
      if (passed[i] >= 0)
        fds.push_back(passed[i]);
  }
  std::sort(fds.begin(), fds.end());
  return fds;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

ino_t inode(int fd) {
  struct stat status;
  REQUIRE(::fstat(fd, &status) == 0);
  return status.st_ino;
}

/// Files of the test's own, to be passed.
struct Files {
  std::vector<FileDescriptor> files;
  std::vector<int> fds;

  explicit Files(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      files.emplace_back(::memfd_create("baresock", MFD_CLOEXEC));
      fds.push_back(files.back().fd());
      REQUIRE(fds.back() >= 0);
    }
  }
  [[nodiscard]] Span<const int> first(std::size_t count) const { return {fds.data(), count}; }
};

/// One sendmsg(2) with descriptors.
Result<std::size_t> pass(const Socket &socket, ConstBuffer data, Span<const int> fds, int flags = 0) {
  ControlBuffer<control_space(cmsg::scm::rights, detail::descriptors_max)> control;
  VALUE(control.append(cmsg::scm::rights, fds));
  const ConstBuffer parts[] = {data};
  return socket.sendmsg({parts, nullptr, control}, flags);
}

/// One message, wherever its bytes go.
Result<ReceivedMessage> receive(const Socket &socket, Control &control, int flags = 0) {
  static char room[64];
  const MutableBuffer in[] = {room};
  return socket.recvmsg(in, control, flags | MSG_DONTWAIT);
}

/// How the use of what was received ends. Each has to close what nobody took, once.
enum class End { clear, destruction, another_message, no_message, refused_flags, append };
constexpr End ends[] = {End::clear,      End::destruction,   End::another_message,
                        End::no_message, End::refused_flags, End::append};

/// Descriptors over many cases.
struct Tally {
  std::size_t cases = 0;
  std::size_t leaked = 0;       // neither shown, nor closed at the end
  std::size_t invented = 0;     // shown, but not open
  std::size_t closed_twice = 0; // what took the place of one that was closed

  ~Tally() {
    MESSAGE("descriptors leaked: " << leaked << " of " << cases << " cases");
    CHECK(cases > 0);
    CHECK(leaked == 0);
    CHECK(invented == 0);
    CHECK(closed_twice == 0);
  }
};

/// Receives a message that `a` was sent, of one byte, into `control` and ends it so; `look` sees it before.
/// `before`: what was open when it was received.
void receive_and_end(Tally &tally, const Socket &a, const Socket &b, std::unique_ptr<Room> control, End end,
                     const Fds &before, const std::function<void(const ReceivedMessage &)> &look) {
  ++tally.cases;
  ReceivedMessage got = VALUE(receive(b, *control));
  CHECK(got.control_truncated() == control->truncated());
  const Fds after = open_fds();
  const Fds passed = shown(*control);
  tally.leaked += without(without(after, before), passed).size();
  tally.invented += without(passed, without(after, before)).size();
  look(got);
  switch (end) {
  case End::clear:
    control->clear();
    break;
  case End::destruction:
    control.reset();
    break;
  case End::another_message:
    VALUE(a.send("y"));
    VALUE(receive(b, *control));
    CHECK(shown(*control).size() <= 1); // SCM_PIDFD again
    break;
  case End::no_message:
    CHECK_FALSE(receive(b, *control).has_value());
    CHECK(control->empty());
    break;
  case End::refused_flags:
    CHECK_ERROR(receive(b, *control, MSG_MORE), EINVAL, recvmsg);
    CHECK(control->empty());
    break;
  case End::append:
    if (control->append(1, 2, ConstBuffer("x")))
      CHECK(control->size() > 0);
    break;
  }
  const Fds kept = control ? shown(*control) : Fds();
  tally.leaked += without(without(open_fds(), before), kept).size();
  // Others where they were: nothing may close these.
  Fds guards;
  for (int fd : without(passed, kept))
    if (!is_open(fd))
      guards.push_back(::fcntl(a.fd(), F_DUPFD_CLOEXEC, fd));
  if (control)
    control->clear();
  control.reset();
  for (int fd : guards) {
    tally.closed_twice += !is_open(fd);
    ::close(fd);
  }
  tally.leaked += without(open_fds(), before).size();
}

/// Calls that fail with EFAULT, on a socket that has SO_PASSPIDFD, or not.
void fail_to_receive(bool with_pidfd) {
  for (int type : unix_types) {
    CAPTURE(type);
    NoLeak no_leak;
    auto [a, b] = unix_pair(type);
    VALUE(b.setsockopt(so::passcred, true));
    if (with_pidfd)
      VALUE(b.setsockopt(so::passpidfd, true));
    const Files files(2);
    const std::size_t count = with_pidfd ? 3 : 2;
    const MutableBuffer nowhere[] = {MutableBuffer(reinterpret_cast<void *>(8), 8)};
    char room[64];
    const MutableBuffer somewhere[] = {room};
    const Fds before = open_fds();
    {
      Room control(128);
      VALUE(pass(a, "x", files.fds));
      VALUE(receive(b, control));
      CHECK(shown(control).size() == count);
      // What it had is closed, too.
      VALUE(pass(a, "x", files.fds));
      CHECK_ERROR(b.recvmsg(nowhere, control), EFAULT, recvmsg);
      CHECK((open_fds() == before));
      CHECK(control.empty());
      CHECK(control.begin() == control.end());
      while (b.recv(room, MSG_DONTWAIT)) // a stream keeps the bytes
        ;
      VALUE(pass(a, "x", files.fds));
      IncomingBatch<2, 128> batch;
      batch.assign(0, nowhere);
      batch.assign(1, nowhere);
      CHECK_ERROR(b.recvmmsg(batch), EFAULT, recvmmsg);
      CHECK((open_fds() == before));
      while (b.recv(room, MSG_DONTWAIT))
        ;
      // The second of a batch fails: the first comes alone.
      batch.assign(0, somewhere);
      VALUE(pass(a, "x", files.fds));
      VALUE(pass(a, "y", files.fds));
      CHECK(VALUE(b.recvmmsg(batch, MSG_DONTWAIT)) == 1);
      const Fds passed = shown(batch[0].control);
      CHECK(passed.size() == count);
      CHECK((without(open_fds(), before) == passed));
    }
    CHECK((open_fds() == before));
  }
}

} // namespace

TEST_SUITE_BEGIN("message");

// --- parts, addresses, flags ------------------------------------------------------------------------------

TEST_CASE("gather and scatter") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  std::string dog = "dog";
  ConstBuffer out[] = {"the ", std::string_view("lazy "), dog, ConstBuffer()};
  CHECK(VALUE(a.sendmsg({out})) == 12);
  char first[6], second[20];
  MutableBuffer in[] = {first, MutableBuffer(), second};
  ReceivedMessage got = VALUE(b.recvmsg(in));
  CHECK(got.size == 12);
  CHECK(got.length == 12);
  CHECK((got.flags & ~MSG_CMSG_CLOEXEC) == 0); // which Linux gives back
  CHECK(std::string(first, 6) == "the la");
  CHECK(std::string(second, 6) == "zy dog");
  CHECK(got.address == SocketAddress());
  // A message is reusable, and a vector as good as an array.
  std::vector<ConstBuffer> parts(3, "ab");
  OutgoingMessage message(parts);
  CHECK(message.size() == 6);
  CHECK(VALUE(a.sendmsg(message)) == 6);
  CHECK(VALUE(a.sendmsg(message, MSG_DONTWAIT)) == 6);
  CHECK(VALUE(b.recv()).text() == "abababababab");
  CHECK(OutgoingMessage().size() == 0);
  CHECK(VALUE(a.sendmsg(OutgoingMessage())) == 0);
}

TEST_CASE("each part has its bytes, and no more") {
  Udp udp;
  char first[3], last[4];
  const MutableBuffer in[] = {MutableBuffer(), first, MutableBuffer(first, 0), last, MutableBuffer()};
  // Bytes sent; then how many of them the five parts have.
  const struct {
    std::string_view sent;
    std::size_t sizes[5];
  } cases[] = {{"", {}},
               {"a", {0, 1}},
               {"abc", {0, 3}},
               {"abcd", {0, 3, 0, 1}},
               {"abcdefg", {0, 3, 0, 4}},
               {"abcdefghij", {0, 3, 0, 4}}};
  for (std::size_t skipped : {0U, 1U}) // or without the empty part in front
    for (int flags : {0, static_cast<int>(MSG_TRUNC)})
      for (const auto &each : cases) {
        CAPTURE(each.sent);
        CAPTURE(flags);
        VALUE(udp.a.sendto(each.sent, udp.b_name));
        ReceivedMessage got = VALUE(udp.b.recvmsg({in + skipped, 5 - skipped}, flags));
        CHECK(got.parts.data() == in + skipped);
        REQUIRE(got.parts.size() == 5 - skipped);
        CHECK(got.size == std::min<std::size_t>(each.sent.size(), 7));
        CHECK(got.length == (flags != 0 ? each.sent.size() : got.size));
        CHECK(got.truncated() == (each.sent.size() > 7));
        std::string all;
        for (std::size_t i = skipped; i < 5; ++i) {
          const MutableBuffer part = got.part(i - skipped);
          CHECK(part.data() == in[i].data());
          CHECK(part.size() == each.sizes[i]);
          all.append(reinterpret_cast<const char *>(part.data()), part.size());
        }
        CHECK(all == each.sent.substr(0, 7));
      }
}

TEST_CASE("a message with an address, and where one came from") {
  Udp udp;
  ConstBuffer out[] = {"to ", "b"};
  CHECK(VALUE(udp.a.sendmsg({out, &udp.b_name})) == 4);
  char room[16];
  MutableBuffer in[] = {room};
  ReceivedMessage got = VALUE(udp.b.recvmsg(in));
  CHECK(std::string(room, got) == "to b");
  CHECK(got.address == udp.a_name);
  CHECK_ERROR(udp.a.sendmsg({out}), EDESTADDRREQ, sendmsg);

  Connection tcp;
  CHECK(VALUE(tcp.client.send("x")) == 1);
  CHECK(VALUE(tcp.server.recvmsg(in)).address == SocketAddress()); // a stream has none
}

TEST_CASE("each flag has its name, and no other's") {
  const struct {
    int flag;
    bool (MessageInfo::*named)() const noexcept;
  } flags[] = {{MSG_TRUNC, &MessageInfo::truncated},
               {MSG_CTRUNC, &MessageInfo::control_truncated},
               {MSG_EOR, &MessageInfo::end_of_record},
               {MSG_OOB, &MessageInfo::out_of_band},
               {MSG_ERRQUEUE, &MessageInfo::error_queue}};
  for (unsigned bit = 0; bit < 32; ++bit) {
    MessageInfo info;
    info.flags = static_cast<int>(1U << bit);
    for (const auto &each : flags)
      CHECK((info.*each.named)() == (each.flag == info.flags));
  }
}

TEST_CASE("what the kernel says of a message: cut short, out of band") {
  auto [a, b] = unix_pair(SOCK_SEQPACKET);
  char room[4];
  MutableBuffer in[] = {room};
  CHECK(VALUE(a.send("whole", MSG_EOR)) == 5);
  ReceivedMessage got = VALUE(b.recvmsg(in));
  CHECK((got.flags & ~MSG_CMSG_CLOEXEC) == MSG_TRUNC);
  CHECK(got.size == 4);
  CHECK(got.length == 4); // MSG_TRUNC was not asked
  CHECK(VALUE(a.send("part")) == 4);
  CHECK((VALUE(b.recvmsg(in)).flags & ~MSG_CMSG_CLOEXEC) == 0);

  Connection tcp;
  CHECK(VALUE(tcp.client.send("normal!", MSG_OOB)) == 7);
  got = VALUE(tcp.server.recvmsg(in));
  CHECK_FALSE(got.out_of_band());
  CHECK(got.size == 4);
  got = VALUE(tcp.server.recvmsg(in, MSG_OOB));
  CHECK(got.out_of_band());
  CHECK(got.size == 1);
  CHECK(room[0] == '!');
  CHECK_FALSE(got.truncated());
}

TEST_CASE("MSG_TRUNC tells the length of a message in several parts") {
  Udp udp;
  std::string datagram(5000, 'd');
  char first[6], second[4];
  MutableBuffer in[] = {first, second};
  CHECK(VALUE(udp.a.sendto(datagram, udp.b_name)) == 5000);
  ReceivedMessage got = VALUE(udp.b.recvmsg(in, MSG_TRUNC));
  CHECK(got.size == 10);
  CHECK(got.length == 5000);
  CHECK(got.truncated());
  CHECK(VALUE(udp.a.sendto("tiny", udp.b_name)) == 4);
  got = VALUE(udp.b.recvmsg(in, MSG_TRUNC));
  CHECK(got.size == 4);
  CHECK(got.length == 4);
  CHECK_FALSE(got.truncated());
}

TEST_CASE("how many parts there can be") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  std::vector<ConstBuffer> out(1025, "x");
  CHECK(VALUE(a.sendmsg({Span<const ConstBuffer>(out.data(), 0)})) == 0);
  CHECK(VALUE(a.sendmsg({Span<const ConstBuffer>(out.data(), 1)})) == 1);
  CHECK(VALUE(a.sendmsg({Span<const ConstBuffer>(out.data(), IOV_MAX)})) == IOV_MAX);
  CHECK_ERROR(a.sendmsg({out}), EMSGSIZE, sendmsg);
  std::vector<char> room(1025);
  std::vector<MutableBuffer> in;
  for (char &c : room)
    in.emplace_back(&c, 1);
  CHECK_ERROR(b.recvmsg(in), EMSGSIZE, recvmsg);
  CHECK(VALUE(b.recvmsg({in.data(), IOV_MAX})).size == IOV_MAX);
  CHECK(VALUE(b.recvmsg({in.data(), 1})).size == 1);
  CHECK_ERROR(b.recv(room, MSG_DONTWAIT), EAGAIN, recv); // and nothing more was sent
}

TEST_CASE("parts that are no memory are the kernel's to refuse") {
  if (memory_is_checked())
    SKIP("a memory checker reports what this passes");
  auto [a, b] = unix_pair(SOCK_STREAM);
  char room[8];
  // Parts that together are more than the kernel can count.
  ConstBuffer huge[] = {{room, SIZE_MAX}, {room, 1}};
  CHECK_ERROR(a.sendmsg({huge}), EINVAL, sendmsg);
  MutableBuffer vast[] = {{room, SIZE_MAX}, {room, 1}};
  CHECK_ERROR(b.recvmsg(vast), EINVAL, recvmsg);
  // A null array that claims to have parts.
  CHECK_ERROR(a.sendmsg({Span<const ConstBuffer>(nullptr, 1)}), EFAULT, sendmsg);
  CHECK_ERROR(b.recvmsg({nullptr, 1}), EFAULT, recvmsg);
  CHECK_ERROR(b.recv(room, MSG_DONTWAIT), EAGAIN, recv); // and nothing was sent
}

TEST_CASE("the error queue") {
  Udp udp;
  VALUE(udp.a.setsockopt(ip::recverr, true));
  SocketAddress nobody;
  {
    Udp gone;
    nobody = gone.b_name;
  }
  CHECK(VALUE(udp.a.sendto("lost", nobody)) == 4);
  char room[16];
  MutableBuffer in[] = {room};
  ControlBuffer<control_space(cmsg::ip::recverr)> control;
  ReceivedMessage got = VALUE(udp.a.recvmsg(in, control, MSG_ERRQUEUE));
  CHECK(got.error_queue());
  CHECK_FALSE(got.control_truncated());
  CHECK(got.address == nobody); // where it was sent to
  CHECK(std::string(room, got) == "lost");
  ReceivedError error = VALUE(control.get(cmsg::ip::recverr));
  CHECK(error.error.ee_errno == ECONNREFUSED);
  CHECK(error.offender == nobody.with_port(0));
  CHECK_ERROR(udp.a.recvmsg(in, control, MSG_ERRQUEUE), EAGAIN, recvmsg);
  CHECK(control.empty());
}

// --- a buffer of control messages ------------------------------------------------------------------------

TEST_CASE("append lays messages out as the CMSG_ macros do, at every capacity") {
  const std::size_t sizes[] = {0, 1, 3, 4, 7, 8, 9, 16, 20, 28};
  std::size_t cases = 0, refused = 0;
  for (std::size_t capacity = 0; capacity <= 3 * CMSG_SPACE(28) + 1; ++capacity)
    for (std::size_t first : sizes)
      for (std::size_t second : sizes) {
        Room control(capacity, capacity % 3);
        std::vector<std::byte> expected;
        std::size_t messages = 0;
        for (std::size_t size : {first, second, first}) {
          ++cases;
          const std::vector<std::byte> payload(size, static_cast<std::byte>(0xa0 + messages));
          const bool fits = expected.size() + CMSG_LEN(size) <= capacity;
          clear_error();
          auto added = control.append(static_cast<int>(size), static_cast<int>(messages), ConstBuffer(payload));
          if (added.has_value() != fits)
            FAIL("capacity " << capacity << ", " << expected.size() << " used, payload of " << size);
          if (!fits) {
            ++refused;
            REQUIRE(added.error() == Error(ENOBUFS, Operation::append));
            REQUIRE(last_error() == added.error());
          } else {
            ++messages;
            const std::size_t at = expected.size();
            expected.resize(at + CMSG_SPACE(size));
            cmsghdr header = {};
            header.cmsg_len = CMSG_LEN(size);
            header.cmsg_level = static_cast<int>(size);
            header.cmsg_type = static_cast<int>(messages - 1);
            std::memcpy(&expected[at], &header, sizeof header);
            if (size != 0)
              std::memcpy(&expected[at + header_size], payload.data(), size);
            expected.resize(std::min(expected.size(), capacity)); // the last one's padding need not fit
          }
          REQUIRE(control.size() == expected.size());
          REQUIRE((expected.empty() || std::memcmp(control.data(), expected.data(), expected.size()) == 0));
        }
        // And both walks see these messages.
        expected.resize(CMSG_ALIGN(expected.size()));
        msghdr header = {};
        header.msg_control = expected.data();
        header.msg_controllen = expected.size();
        cmsghdr *message = CMSG_FIRSTHDR(&header);
        for (ControlMessage each : control) {
          REQUIRE(message != nullptr);
          REQUIRE(each.level() == message->cmsg_level);
          REQUIRE(each.type() == message->cmsg_type);
          REQUIRE(CMSG_LEN(each.bytes().size()) == message->cmsg_len);
          REQUIRE(std::memcmp(each.bytes().data(), CMSG_DATA(message), each.bytes().size()) == 0);
          message = CMSG_NXTHDR(&header, message);
          --messages;
        }
        REQUIRE(message == nullptr);
        REQUIRE(messages == 0);
      }
  CHECK(cases == 300 * (3 * CMSG_SPACE(28) + 2));
  CHECK(refused > cases / 4);
  CHECK(refused < cases / 2);
}

TEST_CASE("a message of no bytes ends no buffer") {
  ControlBuffer<2 * CMSG_SPACE(0) + CMSG_SPACE(4)> control;
  VALUE(control.append(1, 2, {}));
  VALUE(control.append(3, 4, ConstBuffer("four")));
  VALUE(control.append(5, 6, {}));
  std::vector<std::size_t> sizes;
  for (ControlMessage message : control)
    sizes.push_back(message.bytes().size());
  CHECK(sizes == std::vector<std::size_t>{0, 4, 0});
  CHECK_ERROR(control.append(7, 8, {}), ENOBUFS, append);
}

TEST_CASE("sizes that no buffer holds are refused, and not read") {
  Room control(64);
  const char byte = 'x';
  for (std::size_t size :
       {std::size_t{64}, SIZE_MAX / 2, SIZE_MAX - header_size, SIZE_MAX - header_size + 1, SIZE_MAX}) {
    CAPTURE(size);
    CHECK_ERROR(control.append(1, 2, {&byte, size}), ENOBUFS, append);
    CHECK(control.empty());
  }
  CHECK_ERROR(control.append(SOL_SOCKET, SCM_RIGHTS, {&byte, SIZE_MAX}), EINVAL, append);
  CHECK_ERROR(control.append(cmsg::alg::set_iv, ConstBuffer(&byte, SIZE_MAX)), EINVAL, append);
  CHECK(control.empty());
}

TEST_CASE("buffers are of the size that was summed, aligned, and empty at first") {
  constexpr ControlSpace space =
      control_space(cmsg::ip::ttl) + control_space(cmsg::scm::credentials) + control_space(cmsg::scm::rights, 3) + 5;
  CHECK(space.size == CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(3 * sizeof(int)) + 5);
  CHECK(space.descriptor_kinds == 0); // known anyway
  ControlBuffer<space> control;
  ControlBuffer<0> none;
  CHECK(control.capacity() == space.size);
  CHECK(none.capacity() == 0);
  for (const Control *each : {static_cast<const Control *>(&control), static_cast<const Control *>(&none)}) {
    CHECK(reinterpret_cast<std::uintptr_t>(each->data()) % alignof(cmsghdr) == 0);
    CHECK(each->empty());
    CHECK(each->size() == 0);
    CHECK_FALSE(each->truncated());
    CHECK(each->begin() == each->end());
  }
  CHECK_ERROR(none.append(1, 2, {}), ENOBUFS, append);
  // One that carries descriptors, of one's own.
  constexpr ControlKind<stored::Descriptors> own{SOL_SOCKET, 99, "SCM_OWN"};
  constexpr ControlSpace two = control_space(own, 2) + control_space(cmsg::scm::rights, 1);
  CHECK(two.descriptor_kinds == 1);
  CHECK(two.descriptors[0].level == SOL_SOCKET);
  CHECK(two.descriptors[0].type == 99);
}

TEST_CASE("appended by kind is appended raw") {
  const int ttl = 33;
  in_pktinfo packet = {};
  packet.ipi_ifindex = 1;
  packet.ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK);
  const int fds[] = {5, 6, 7};
  const std::uint8_t tos = 0x2e;
  const std::uint16_t segment = 1200;
  ControlBuffer<512> typed, raw;
  VALUE(typed.append(cmsg::ip::ttl, ttl));
  VALUE(raw.append(IPPROTO_IP, IP_TTL, {&ttl, sizeof ttl}));
  VALUE(typed.append(cmsg::ip::tos, 0x2e));
  VALUE(raw.append(IPPROTO_IP, IP_TOS, {&tos, sizeof tos}));
  VALUE(typed.append(cmsg::ip::pktinfo, packet));
  VALUE(raw.append(IPPROTO_IP, IP_PKTINFO, {&packet, sizeof packet}));
  VALUE(typed.append(cmsg::udp::segment, 1200));
  VALUE(raw.append(IPPROTO_UDP, 103, {&segment, sizeof segment}));
  VALUE(typed.append(cmsg::scm::rights, fds));
  VALUE(typed.append(cmsg::scm::rights, {5, 6, 7}));
  VALUE(raw.append(SOL_SOCKET, SCM_RIGHTS, {fds, sizeof fds}));
  VALUE(raw.append(SOL_SOCKET, SCM_RIGHTS, {fds, sizeof fds}));
  VALUE(typed.append(cmsg::ipv6::hopopts, "12345678"));
  VALUE(raw.append(IPPROTO_IPV6, 54, "12345678"));
  REQUIRE(typed.size() == raw.size());
  CHECK(std::memcmp(typed.data(), raw.data(), raw.size()) == 0);
  CHECK(VALUE(typed.get(cmsg::ip::ttl)) == 33);
  CHECK(VALUE(typed.get(cmsg::ip::tos)) == 0x2e);
  CHECK(VALUE(typed.get(cmsg::ipv6::hopopts)).size() == 8);

  // A number that the kind's does not hold.
  typed.clear();
  CHECK_ERROR(typed.append(cmsg::ip::tos, 256), ERANGE, append);
  CHECK_ERROR(typed.append(cmsg::ip::tos, -1), ERANGE, append);
  CHECK_ERROR(typed.append(cmsg::udp::segment, 65536), ERANGE, append);
  CHECK_ERROR(typed.append(cmsg::ip::ttl, INT_MAX + 1L), ERANGE, append);
  CHECK_ERROR(typed.append(cmsg::scm::txtime, Nanoseconds(-1)), EDOM, append);
  CHECK(typed.empty()); // nor half a message
}

TEST_CASE("what is not there, or too short, is an error that last_error() does not see") {
  Room control(256);
  const auto check = [](auto &&result, int code) {
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error() == Error(code, Operation::as));
    CHECK(last_error() == Error());
  };
  clear_error();
  check(control.get(cmsg::ip::ttl), ENOMSG);
  VALUE(control.append(cmsg::ip::tos, 4));
  check(control.get(cmsg::ip::ttl), ENOMSG);
  check((*control.begin()).as(cmsg::ip::ttl), ENOMSG);
  // The same number at another level is another kind.
  VALUE(control.append(IPPROTO_IPV6, IP_TTL, ConstBuffer("four")));
  check(control.get(cmsg::ip::ttl), ENOMSG);

  // Of every size that is too small, and of some that are not.
  constexpr in6_pktinfo from = {IN6ADDR_LOOPBACK_INIT, 7};
  for (std::size_t size = 0; size <= sizeof from + 9; ++size) {
    CAPTURE(size);
    std::byte payload[sizeof from + 9] = {};
    std::memcpy(payload, &from, sizeof from);
    control.clear();
    VALUE(control.append(IPPROTO_IPV6, IPV6_PKTINFO, {payload, size}));
    auto got = control.get(cmsg::ipv6::pktinfo);
    if (size < sizeof from)
      check(got, EINVAL);
    else
      CHECK(VALUE(std::move(got)).ipi6_ifindex == 7);
  }
  // The first of two counts, even if it is the short one.
  control.clear();
  VALUE(control.append(IPPROTO_IP, IP_TTL, ConstBuffer("2")));
  VALUE(control.append(cmsg::ip::ttl, 64));
  check(control.get(cmsg::ip::ttl), EINVAL);
}

TEST_CASE("payloads are read where they are, aligned or not") {
  for (std::size_t offset = 0; offset < 8; ++offset) {
    Room control(256, offset);
    VALUE(control.append(cmsg::scm::txtime, Nanoseconds(0x0102030405060708)));
    VALUE(control.append(cmsg::ip::ttl, 64));
    CHECK(VALUE(control.get(ControlKind<Nanoseconds>{SOL_SOCKET, SCM_TXTIME, ""})).count() == 0x0102030405060708);
    CHECK(VALUE(control.get(cmsg::ip::ttl)) == 64);
  }
}

TEST_CASE("raw control data goes out as it is") {
  Udp udp;
  VALUE(udp.b.setsockopt(ip::recvttl, true));
  ConstBuffer out[] = {"x"};
  alignas(cmsghdr) std::byte raw[CMSG_SPACE(sizeof(int))] = {};
  const cmsghdr header = {CMSG_LEN(sizeof(int)), IPPROTO_IP, IP_TTL};
  const int ttl = 33;
  std::memcpy(raw, &header, sizeof header);
  std::memcpy(raw + header_size, &ttl, sizeof ttl);
  CHECK(VALUE(udp.a.sendmsg({out, &udp.b_name, raw})) == 1);
  ControlBuffer<control_space(cmsg::ip::ttl)> control;
  VALUE(receive(udp.b, control));
  CHECK(VALUE(control.get(cmsg::ip::ttl)) == 33);
  // A message views the control data that there is when it is made.
  VALUE(control.append(cmsg::ip::ttl, 44));
  const OutgoingMessage message(out, &udp.b_name, control);
  CHECK(VALUE(udp.a.sendmsg(message)) == 1);
  CHECK(VALUE(udp.a.sendmsg(message)) == 1);
  for (int i = 0; i < 2; ++i) {
    VALUE(receive(udp.b, control));
    CHECK(VALUE(control.get(cmsg::ip::ttl)) == 44);
  }
  // What the kernel does not take, it says.
  VALUE(control.append(IPPROTO_IP, IP_TTL, ConstBuffer("1")));
  CHECK_ERROR(udp.a.sendmsg({out, &udp.b_name, control}), EINVAL, sendmsg);
  control.clear();
  VALUE(control.append(SOL_SOCKET, 9999, {}));
  CHECK_ERROR(udp.a.sendmsg({out, &udp.b_name, control}), EINVAL, sendmsg);
}

TEST_CASE("plain control data cut at every byte: a prefix, and said so") {
  Udp udp;
  for (const auto &option : {ip::pktinfo, ip::recvttl, ip::recvtos})
    VALUE(udp.b.setsockopt(option, true));
  VALUE(udp.b.setsockopt(so::timestampns, true));
  VALUE(udp.a.setsockopt(ip::tos, 0x20));
  VALUE(udp.a.setsockopt(ip::ttl, 33));
  VALUE(udp.a.connect(udp.b_name));
  // All of it.
  Room whole(512);
  VALUE(udp.a.send("x"));
  VALUE(receive(udp.b, whole));
  CHECK_FALSE(whole.truncated());
  REQUIRE(whole.size() ==
          CMSG_SPACE(sizeof(timespec)) + CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(1));
  Tally tally;
  for (std::size_t capacity = 0; capacity <= whole.size() + 8; ++capacity)
    for (End end : ends) {
      CAPTURE(capacity);
      VALUE(udp.a.send("x"));
      auto control = std::make_unique<Room>(capacity, capacity % 2);
      Room &room = *control;
      receive_and_end(tally, udp.a, udp.b, std::move(control), end, open_fds(), [&](const ReceivedMessage &got) {
        const bool all = capacity >= whole.size() - (CMSG_SPACE(1) - CMSG_LEN(1));
        REQUIRE(got.control_truncated() != all);
        REQUIRE(room.size() <= capacity);
        // The same bytes, but for lengths, times and padding; of the last message what there was room for.
        Control::Iterator message = room.begin();
        std::size_t at = 0;
        for (ControlMessage complete : whole) {
          const std::size_t length = CMSG_LEN(complete.bytes().size());
          if (capacity < at + header_size) {
            REQUIRE(message == room.end());
            break;
          }
          REQUIRE_FALSE(message == room.end());
          REQUIRE((*message).is(complete.level(), complete.type()));
          const std::size_t size = std::min(length, capacity - at) - header_size;
          REQUIRE((*message).bytes().size() == size);
          if (!(*message).is(cmsg::scm::timestampns))
            REQUIRE(std::memcmp((*message).bytes().data(), complete.bytes().data(), size) == 0);
          at += CMSG_ALIGN(length);
          ++message;
        }
        // And whole values or none.
        clear_error();
        at = 0;
        const auto check = [&](const auto &kind, std::size_t size) {
          auto value = room.get(kind);
          REQUIRE(value.has_value() == (capacity >= at + CMSG_LEN(size)));
          if (!value)
            REQUIRE(value.error() == Error(ENOBUFS, Operation::as)); // cut, or missing: nobody knows
          at += CMSG_SPACE(size);
        };
        check(cmsg::scm::timestampns, sizeof(timespec));
        check(cmsg::ip::pktinfo, sizeof(in_pktinfo));
        check(cmsg::ip::ttl, sizeof(int));
        check(cmsg::ip::tos, 1);
        CHECK(room.get(cmsg::udp::gro).error().code() == (got.control_truncated() ? ENOBUFS : ENOMSG));
        CHECK(last_error() == Error());
      });
    }
}

// --- descriptors -----------------------------------------------------------------------------------------

TEST_CASE("descriptors cut at every byte of the control data: as many as are shown, and none is left") {
  Tally tally;
  const Files files(5);
  for (int type : unix_types) {
    auto [a, b] = unix_pair(type);
    for (std::size_t count : {1U, 2U, 3U, 5U})
      for (std::size_t capacity = 0; capacity <= CMSG_SPACE(count * sizeof(int)) + 8; ++capacity)
        for (End end : ends) {
          CAPTURE(type);
          CAPTURE(count);
          CAPTURE(capacity);
          const Fds before = open_fds();
          VALUE(pass(a, "x", files.first(count)));
          auto control = std::make_unique<Room>(capacity, capacity % 3);
          Room &room = *control;
          receive_and_end(tally, a, b, std::move(control), end, before, [&](const ReceivedMessage &got) {
            // There is room for a descriptor in four bytes, whatever the padding was meant for.
            const std::size_t fit =
                capacity < header_size ? 0 : std::min(count, (capacity - header_size) / sizeof(int));
            REQUIRE(shown(room).size() == fit);
            REQUIRE(got.control_truncated() == (fit < count));
            if (auto passed = room.get(cmsg::scm::rights)) {
              for (std::size_t i = 0; i < passed->size(); ++i)
                REQUIRE(inode((*passed)[i]) == inode(files.fds[i]));
            } else {
              REQUIRE(passed.error().code() == ENOBUFS);
              REQUIRE(fit == 0);
            }
          });
        }
  }
}

TEST_CASE("credentials, descriptors and a pidfd cut at every byte of the control data") {
  if (!unix_pair(SOCK_STREAM).first.setsockopt(so::passpidfd, true))
    SKIP("SO_PASSPIDFD is of Linux 6.5");
  Tally tally;
  const Files files(3);
  const std::size_t all = CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(3 * sizeof(int)) + CMSG_SPACE(sizeof(int));
  for (int type : unix_types) {
    auto [a, b] = unix_pair(type);
    VALUE(b.setsockopt(so::passcred, true));
    VALUE(b.setsockopt(so::passpidfd, true));
    std::set<std::size_t> counts;
    for (std::size_t capacity = 0; capacity <= all + 8; ++capacity)
      for (End end : ends) {
        CAPTURE(type);
        CAPTURE(capacity);
        const Fds before = open_fds();
        VALUE(pass(a, "x", files.first(3)));
        auto control = std::make_unique<Room>(capacity, capacity % 3);
        Room &room = *control;
        receive_and_end(tally, a, b, std::move(control), end, before, [&](const ReceivedMessage &got) {
          counts.insert(shown(room).size());
          REQUIRE(got.control_truncated() == (capacity < all - (CMSG_SPACE(sizeof(int)) - CMSG_LEN(sizeof(int)))));
          if (auto peer = room.get(cmsg::scm::credentials))
            REQUIRE(peer->pid == ::getpid());
          else
            REQUIRE(capacity < CMSG_LEN(sizeof(ucred)));
        });
      }
    CHECK(counts == std::set<std::size_t>{0, 1, 2, 3, 4});
  }
}

TEST_CASE("three descriptors into room for one: two come, and both are owned") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_STREAM);
  const Files files(3);
  ControlBuffer<control_space(cmsg::scm::rights, 1)> control;
  VALUE(pass(a, "x", files.fds));
  CHECK(VALUE(receive(b, control)).control_truncated());
  CHECK(control.truncated());
  CHECK(VALUE(control.get(cmsg::scm::rights)).size() == 2);
  // Two are no surprise to the kernel either: nothing is said.
  VALUE(pass(a, "x", files.first(2)));
  CHECK_FALSE(VALUE(receive(b, control)).control_truncated());
  ReceivedDescriptors both = VALUE(control.get(cmsg::scm::rights));
  REQUIRE(both.size() == 2);
  FileDescriptor wanted = both.take(0); // and the one that was not asked for goes with the buffer
  const int other = both[1];
  control.clear();
  CHECK_FALSE(is_open(other));
  CHECK(inode(wanted.fd()) == inode(files.fds[0]));
}

TEST_CASE("descriptors are taken as FileDescriptor and as Socket, each once") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_DGRAM);
  FileDescriptor file(::memfd_create("baresock", MFD_CLOEXEC));
  VALUE(pass(a, "x", Fds{a.fd(), file.fd(), b.fd()}));
  FileDescriptor kept;
  {
    ControlBuffer<control_space(cmsg::scm::rights, 3)> control;
    VALUE(receive(b, control));
    ReceivedDescriptors passed = VALUE(control.get(cmsg::scm::rights));
    REQUIRE(passed.size() == 3);
    CHECK_FALSE(passed.empty());
    const int third = passed[2];
    Socket socket(passed.take(0));
    kept = passed.take(1);
    CHECK(passed[0] == -1);
    CHECK(passed[1] == -1);
    CHECK(passed[2] == third);
    CHECK_FALSE(passed.take(0));
    // Through another view, too.
    CHECK_FALSE(VALUE(control.get(cmsg::scm::rights)).take(1));
    CHECK(VALUE(control.get(cmsg::scm::rights)).size() == 3);
    CHECK(VALUE(socket.close_on_exec()));
    CHECK(VALUE(socket.send("y")) == 1);
    CHECK(VALUE(b.recv()).text() == "y");
  }
  CHECK(inode(kept.fd()) == inode(file.fd()));
}

TEST_CASE("descriptors that are to be sent stay the caller's") {
  NoLeak no_leak;
  const Files files(2);
  {
    ControlBuffer<control_space(cmsg::scm::rights, 2)> control;
    VALUE(control.append(cmsg::scm::rights, files.fds));
    ReceivedDescriptors own = VALUE(control.get(cmsg::scm::rights));
    CHECK(own[0] == files.fds[0]);
    CHECK_FALSE(own.take(0));
    CHECK(own[0] == files.fds[0]);
    control.clear();
    VALUE(control.append(cmsg::scm::rights, files.fds));
  }
  CHECK(is_open(files.fds[0]));
  CHECK(is_open(files.fds[1]));
  CHECK(ReceivedDescriptors().empty());
}

TEST_CASE("append to what was received closes it and begins anew") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_STREAM);
  const Files files(4);
  ControlBuffer<control_space(cmsg::scm::rights, 2)> control;
  VALUE(pass(a, "x", files.first(4)));
  VALUE(receive(b, control));
  REQUIRE(control.truncated());
  const Fds received = shown(control);
  REQUIRE(received.size() == 2);
  VALUE(control.append(cmsg::scm::rights, files.first(1)));
  CHECK_FALSE(is_open(received[0]));
  CHECK_FALSE(is_open(received[1]));
  CHECK_FALSE(control.truncated());
  CHECK(shown(control) == Fds{files.fds[0]});
  CHECK_ERROR(control.append(cmsg::scm::rights, files.first(1)), ENOBUFS, append); // and now it is full
  control.clear();
  CHECK(is_open(files.fds[0]));
  // What was received does not count among the 253 that are sent.
  VALUE(pass(a, "x", files.first(1)));
  ControlBuffer<control_space(cmsg::scm::rights, 253)> large;
  VALUE(receive(b, large));
  VALUE(large.append(cmsg::scm::rights, std::vector<int>(253, a.fd())));
}

TEST_CASE("MSG_PEEK installs descriptors again and again, and each buffer owns its own") {
  for (int type : unix_types) {
    CAPTURE(type);
    NoLeak no_leak;
    auto [a, b] = unix_pair(type);
    const Files files(2);
    const Fds before = open_fds();
    VALUE(pass(a, "x", files.fds));
    Room first(64), second(64), third(64);
    VALUE(receive(b, first, MSG_PEEK));
    VALUE(receive(b, second, MSG_PEEK));
    VALUE(receive(b, third));
    Fds all;
    for (const Room *control : {&first, &second, &third}) {
      CHECK(shown(*control).size() == 2);
      for (int fd : shown(*control))
        all.push_back(fd);
    }
    std::sort(all.begin(), all.end());
    CHECK(without(open_fds(), before) == all);
    second.clear();
    CHECK(without(open_fds(), before).size() == 4);
    VALUE(pass(a, "x", files.fds));
    VALUE(receive(b, first, MSG_PEEK)); // closes those that it had
    CHECK(without(open_fds(), before).size() == 4);
    CHECK(inode(shown(first)[1]) == inode(files.fds[1]));
  }
}

TEST_CASE("without room for them descriptors are dropped, by every call that receives") {
  for (int type : unix_types) {
    CAPTURE(type);
    NoLeak no_leak;
    auto [a, b] = unix_pair(type);
    const Files files(2);
    const Fds before = open_fds();
    char room[8];
    const MutableBuffer in[] = {room};
    VALUE(pass(a, "x", files.fds));
    CHECK(VALUE(b.recv(room, MSG_PEEK)) == 1);
    CHECK(VALUE(b.recv(room)) == 1);
    VALUE(pass(a, "x", files.fds));
    CHECK(VALUE(b.recvfrom(room)) == 1);
    VALUE(pass(a, "x", files.fds));
    CHECK(VALUE(b.recv(8)).size() == 1);
    VALUE(pass(a, "x", files.fds));
    ReceivedMessage got = VALUE(b.recvmsg(in));
    CHECK(got.size == 1);
    CHECK(got.control_truncated());
    ControlBuffer<0> none;
    VALUE(pass(a, "x", files.fds));
    CHECK(VALUE(receive(b, none)).control_truncated());
    CHECK(none.truncated());
    VALUE(pass(a, "x", files.fds));
    IncomingBatch<1> batch;
    batch.assign(0, in);
    CHECK(VALUE(b.recvmmsg(batch)) == 1);
    CHECK(batch[0].control_truncated());
    CHECK(open_fds() == before);
  }
}

TEST_CASE("a call that fails leaves no descriptors") {
  if (memory_is_checked())
    SKIP("a memory checker reports what this passes");
  fail_to_receive(false);
}

TEST_CASE("a call that fails leaves no pidfd, which a stream installs before it fails") {
  if (memory_is_checked())
    SKIP("a memory checker reports what this passes");
  if (!unix_pair(SOCK_STREAM).first.setsockopt(so::passpidfd, true))
    SKIP("SO_PASSPIDFD is of Linux 6.5");
  fail_to_receive(true);
}

TEST_CASE("a call that finds nothing leaves no descriptors") {
  for (int type : unix_types) {
    CAPTURE(type);
    NoLeak no_leak;
    auto [a, b] = unix_pair(type);
    VALUE(b.setsockopt(so::passcred, true));
    (void)b.setsockopt(so::passpidfd, true);
    const Files files(2);
    const Fds before = open_fds();
    Room control(128);
    VALUE(pass(a, "x", files.fds));
    VALUE(receive(b, control));
    CHECK(shown(control).size() >= 2);
    CHECK_ERROR(receive(b, control), EAGAIN, recvmsg);
    CHECK(open_fds() == before);
    CHECK(control.empty());
    if (type == SOCK_DGRAM)
      continue;
    // At the end of the stream the kernel speaks of nobody.
    VALUE(a.shutdown(SHUT_WR));
    CHECK(VALUE(receive(b, control)).size == 0);
    CHECK(open_fds() == before);
    CHECK(shown(control).empty());
  }
}

TEST_CASE("as few descriptors as RLIMIT_NOFILE allows: fewer come, and it is said") {
  if (std::getenv("WRAP") != nullptr)
    SKIP("valgrind keeps RLIMIT_NOFILE to itself");
  const int status = in_child([] {
    auto [a, b] = unix_pair(SOCK_STREAM);
    const Files files(5);
    if (!pass(a, "x", files.fds))
      return 1;
    Room control(64);
    rlimit limit, tight;
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
      return 2;
    tight = limit;
    tight.rlim_cur = static_cast<rlim_t>(::fcntl(a.fd(), F_DUPFD, 0)) + 2; // that one's place, and one more
    ::close(static_cast<int>(tight.rlim_cur) - 2);
    const Fds before = open_fds();
    if (::setrlimit(RLIMIT_NOFILE, &tight) != 0)
      return 3;
    auto got = receive(b, control);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
      return 4;
    if (!got || !got->control_truncated() || shown(control).size() != 2)
      return 5;
    if (without(open_fds(), before) != shown(control))
      return 6;
    control.clear();
    return open_fds() == before ? 0 : 7;
  });
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("in the place of a pidfd that the kernel could not make is an errno, which nobody closes") {
  if (std::getenv("WRAP") != nullptr)
    SKIP("valgrind keeps RLIMIT_NOFILE to itself");
  if (!unix_pair(SOCK_STREAM).first.setsockopt(so::passpidfd, true))
    SKIP("SO_PASSPIDFD is of Linux 6.5");
  const int status = in_child([] {
    auto [a, b] = unix_pair(SOCK_STREAM);
    if (!b.setsockopt(so::passpidfd, true) || !a.send("x"))
      return 1;
    ControlBuffer<control_space(cmsg::scm::pidfd, 1)> control;
    const Fds before = open_fds();
    rlimit limit, tight;
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
      return 2;
    tight = limit;
    tight.rlim_cur = 0;
    if (::setrlimit(RLIMIT_NOFILE, &tight) != 0)
      return 3;
    auto got = receive(b, control);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
      return 4;
    auto pidfd = control.get(cmsg::scm::pidfd);
    if (!got || !pidfd || pidfd->size() != 1 || (*pidfd)[0] != -EMFILE)
      return 5;
    if (pidfd->take(0) || (*pidfd)[0] != -EMFILE)
      return 6;
    control.clear();
    if (open_fds() != before)
      return 7;
    // And one that it could make.
    if (!a.send("x") || !receive(b, control) || shown(control).size() != 1)
      return 8;
    FileDescriptor made = control.get(cmsg::scm::pidfd)->take(0);
    control.clear();
    return open_fds().size() == before.size() + 1 && is_open(made.fd()) ? 0 : 9;
  });
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("received descriptors are not for the programs that are executed") {
  for (bool batched : {false, true}) {
    CAPTURE(batched);
    NoLeak no_leak;
    auto [a, b] = unix_pair(SOCK_STREAM);
    const Files files(2);
    VALUE(pass(a, "x", files.fds));
    Room control(64);
    IncomingBatch<1, 64> batch;
    char room[8];
    const MutableBuffer in[] = {room};
    batch.assign(0, in);
    if (batched)
      CHECK(VALUE(b.recvmmsg(batch)) == 1);
    else
      VALUE(receive(b, control));
    const Fds passed = shown(batched ? batch[0].control : control);
    REQUIRE(passed.size() == 2);
    const FileDescriptor inherited(::dup(files.fds[0])); // so that the program can tell
    const std::string numbers[] = {std::to_string(inherited.fd()), std::to_string(passed[0]),
                                   std::to_string(passed[1])};
    const int status = in_child([&] {
      ::execl("/bin/sh", "sh", "-c",
              "[ -e /proc/self/fd/$1 ] && ! [ -e /proc/self/fd/$2 ] && ! [ -e /proc/self/fd/$3 ]", "sh",
              numbers[0].c_str(), numbers[1].c_str(), numbers[2].c_str(), nullptr);
      return 2;
    });
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}

TEST_CASE("descriptors without a byte of data: refused on a stream, where they would be lost") {
  NoLeak no_leak;
  const Files files(1);
  const ConstBuffer empty[] = {ConstBuffer(), ConstBuffer(), ConstBuffer()}, late[] = {ConstBuffer(), "x"};
  const ucred self = {::getpid(), ::getuid(), ::getgid()};
  ControlBuffer<control_space(cmsg::scm::rights, 1) + 2 * control_space(cmsg::scm::credentials).size> control, other;
  VALUE(control.append(cmsg::scm::credentials, self));
  VALUE(control.append(cmsg::scm::rights, files.fds)); // neither the first nor the last
  VALUE(control.append(cmsg::scm::credentials, self));
  VALUE(other.append(cmsg::scm::credentials, self));
  for (int type : unix_types) {
    CAPTURE(type);
    auto [a, b] = unix_pair(type);
    Room received(64);
    for (std::size_t parts = 0; parts <= 3; ++parts) {
      CAPTURE(parts);
      OutgoingMessage message(Span<const ConstBuffer>(empty, parts), nullptr, control);
      if (type == SOCK_STREAM) {
        CHECK_ERROR(a.sendmsg(message), EINVAL, sendmsg);
        const ConstBuffer some[] = {"first"};
        OutgoingMessage messages[] = {OutgoingMessage(some), message};
        CHECK_ERROR(a.sendmmsg(messages), EINVAL, sendmmsg);
        CHECK_ERROR(receive(b, received), EAGAIN, recvmsg); // none of them was sent
        // No descriptors, nothing to lose.
        CHECK(VALUE(a.sendmsg({Span<const ConstBuffer>(empty, parts), nullptr, other})) == 0);
      } else {
        CHECK(VALUE(a.sendmsg(message)) == 0);
        CHECK(VALUE(a.sendmmsg({&message, 1})) == 1);
        for (int i = 0; i < 2; ++i) {
          CHECK(VALUE(receive(b, received)).size == 0);
          CHECK(shown(received).size() == 1);
        }
      }
    }
    // A byte is enough, wherever it is.
    CHECK(VALUE(a.sendmsg({late, nullptr, control})) == 1);
    CHECK(VALUE(receive(b, received)) == 1);
    CHECK(shown(received).size() == 1);
  }
  CHECK_ERROR(Socket().sendmsg({{}, nullptr, control}), EBADF, sendmsg);
}

TEST_CASE("253 descriptors pass, 254 are refused by append") {
  NoLeak no_leak;
  for (int type : unix_types) {
    CAPTURE(type);
    auto [a, b] = unix_pair(type);
    const std::vector<int> fds(254, a.fd());
    ControlBuffer<control_space(cmsg::scm::rights, 300)> control, received;
    CHECK_ERROR(control.append(cmsg::scm::rights, fds), EINVAL, append);
    CHECK_ERROR(control.append(SOL_SOCKET, SCM_RIGHTS, {fds.data(), 254 * sizeof(int)}), EINVAL, append);
    CHECK(control.empty());
    VALUE(control.append(cmsg::scm::rights, {fds.data(), 253}));
    const ConstBuffer out[] = {"x"};
    CHECK(VALUE(a.sendmsg({out, nullptr, control})) == 1);
    CHECK_FALSE(VALUE(receive(b, received)).control_truncated());
    CHECK(VALUE(received.get(cmsg::scm::rights)).size() == 253);
    CHECK(shown(received).size() == 253);
    CHECK_ERROR(control.append(cmsg::scm::rights, {fds.data(), 1}), EINVAL, append);
    // The kernel agrees: it counts all the messages of a call, and delivers one.
    control.clear();
    VALUE(control.append(cmsg::scm::rights, {fds.data(), 200}));
    VALUE(control.append(cmsg::scm::rights, Span<const int>()));
    CHECK_ERROR(control.append(cmsg::scm::rights, {fds.data(), 54}), EINVAL, append);
    VALUE(control.append(cmsg::scm::rights, {fds.data(), 53}));
    CHECK(VALUE(a.sendmsg({out, nullptr, control})) == 1);
    VALUE(receive(b, received));
    std::size_t messages = 0;
    for (ControlMessage message : received)
      messages += message.is(cmsg::scm::rights);
    CHECK(messages == 1);
    CHECK(shown(received).size() == 253);
  }
}

TEST_CASE("descriptors mark no place in a stream") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_STREAM);
  const Files files(2);
  VALUE(a.send("BB"));
  VALUE(pass(a, "CC", files.first(1)));
  VALUE(pass(a, "DD", {files.fds.data() + 1, 1}));
  VALUE(a.send("EE"));
  char room[16];
  const MutableBuffer in[] = {room};
  Room control(64);
  // What came before is read with them, what came after is not.
  CHECK(VALUE(b.recvmsg(in, control)) == 4);
  CHECK(std::string(room, 4) == "BBCC");
  REQUIRE(shown(control).size() == 1);
  CHECK(inode(shown(control)[0]) == inode(files.fds[0]));
  CHECK(VALUE(b.recvmsg(in, control)) == 2);
  REQUIRE(shown(control).size() == 1);
  CHECK(inode(shown(control)[0]) == inode(files.fds[1]));
  CHECK(VALUE(b.recvmsg(in, control)) == 2);
  CHECK(shown(control).empty());
}

TEST_CASE("a partial send has passed the descriptors: the rest goes without") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_STREAM);
  VALUE(a.set_nonblocking(true));
  const Files files(2);
  const std::string data(4 << 20, 'd');
  std::size_t sent = VALUE(pass(a, data, files.fds));
  REQUIRE(sent > 0);
  REQUIRE(sent < data.size());
  std::vector<char> room(1 << 16);
  const MutableBuffer in[] = {room};
  Room control(64);
  std::size_t received = 0, passed = 0;
  while (received < data.size()) {
    if (auto more = a.send({data.data() + sent, data.size() - sent}); more)
      sent += *more;
    auto got = VALUE(b.recvmsg(in, control, MSG_DONTWAIT));
    if (!shown(control).empty())
      CHECK(received == 0);
    passed += shown(control).size();
    received += got;
  }
  CHECK(received == data.size());
  CHECK(passed == 2);
}

// --- batches ---------------------------------------------------------------------------------------------

TEST_CASE("sendmmsg sends each message whole, to its own address") {
  Udp udp;
  ConstBuffer one[] = {"one"}, two[] = {"tw", "o!"};
  ControlBuffer<control_space(cmsg::ip::ttl)> ttl;
  VALUE(ttl.append(cmsg::ip::ttl, 9));
  VALUE(udp.b.setsockopt(ip::recvttl, true));
  OutgoingMessage messages[] = {{one, &udp.b_name}, {two, &udp.b_name, ttl}, {one, &udp.a_name}};
  CHECK(VALUE(udp.a.sendmmsg(messages)) == 3);
  CHECK(messages[0].sent() == 3);
  CHECK(messages[1].sent() == 4);
  CHECK(messages[2].sent() == 3);
  CHECK(VALUE(udp.b.recv()).text() == "one");
  CHECK(VALUE(receive(udp.b, ttl)) == 4);
  CHECK(VALUE(ttl.get(cmsg::ip::ttl)) == 9);
  CHECK(VALUE(udp.a.recv()).text() == "one");
  CHECK(VALUE(udp.a.sendmmsg({})) == 0);
}

TEST_CASE("a short sendmmsg: the next message failed, and says so when it is sent again") {
  Udp udp;
  ConstBuffer part[] = {"x"};
  SocketAddress broadcast = Inet4Address{INADDR_BROADCAST, 9};
  OutgoingMessage messages[] = {{part, &udp.b_name}, {part, &broadcast}, {part, &udp.b_name}};
  clear_error();
  CHECK(VALUE(udp.a.sendmmsg(messages)) == 1);
  CHECK(last_error() == Error()); // a success
  CHECK(messages[0].sent() == 1);
  CHECK(messages[2].sent() == 0);
  CHECK_ERROR(udp.a.sendmmsg({messages + 1, 2}), EACCES, sendmmsg);
  CHECK(VALUE(udp.a.sendmmsg({messages + 2, 1})) == 1);
  CHECK(messages[2].sent() == 1);
  CHECK_ERROR(udp.a.sendmmsg({messages + 1, 2}), EACCES, sendmmsg);
  CHECK(messages[2].sent() == 0); // this time it was not
}

TEST_CASE("a batch is filled again and again: control data of one call does not shrink the next one's room") {
  Udp udp;
  char rooms[4][8];
  MutableBuffer parts[4] = {rooms[0], rooms[1], rooms[2], rooms[3]};
  IncomingBatch<4, control_space(cmsg::ip::ttl) + control_space(cmsg::ip::tos) + control_space(cmsg::ip::pktinfo)>
      batch;
  CHECK(batch.capacity() == 4);
  CHECK(batch.size() == 0);
  for (std::size_t i = 0; i < 4; ++i)
    batch.assign(i, {&parts[i], 1});
  VALUE(udp.a.setsockopt(ip::tos, 0x20));
  // What the socket receives beside the bytes, and of how many messages.
  const struct {
    bool ttl, tos, pktinfo;
    std::size_t messages;
  } rounds[] = {{true, false, false, 2}, {false, false, false, 4}, {true, true, true, 3},
                {false, true, false, 1}, {true, true, true, 4},    {false, false, true, 2}};
  for (const auto &round : rounds) {
    const int ttl = 10 + static_cast<int>(&round - rounds);
    CAPTURE(ttl);
    VALUE(udp.b.setsockopt(ip::recvttl, round.ttl));
    VALUE(udp.b.setsockopt(ip::recvtos, round.tos));
    VALUE(udp.b.setsockopt(ip::pktinfo, round.pktinfo));
    VALUE(udp.a.setsockopt(ip::ttl, ttl));
    for (std::size_t i = 0; i < round.messages; ++i)
      VALUE((i % 2 != 0 ? udp.b : udp.a).sendto({"abcd", i}, udp.b_name));
    CHECK(VALUE(udp.b.recvmmsg(batch, MSG_WAITFORONE)) == round.messages);
    REQUIRE(batch.size() == round.messages);
    for (std::size_t i = 0; i < round.messages; ++i) {
      CAPTURE(i);
      IncomingMessages::Message message = batch[i];
      CHECK(message.size == i);
      CHECK(message.length == i);
      CHECK(message.part(0).size() == i);
      CHECK(std::string(rooms[i], i) == std::string("abcd", i));
      CHECK(message.address == (i % 2 != 0 ? udp.b_name : udp.a_name));
      CHECK_FALSE(message.truncated());
      CHECK_FALSE(message.control_truncated());
      CHECK_FALSE(message.control.truncated());
      CHECK(message.control.empty() == !(round.ttl || round.tos || round.pktinfo));
      if (auto got = message.control.get(cmsg::ip::ttl); round.ttl)
        CHECK(got.value_or(-1) == (i % 2 != 0 ? 64 : ttl));
      else
        CHECK(got.error().code() == ENOMSG);
      if (auto got = message.control.get(cmsg::ip::tos); round.tos)
        CHECK(got.value_or(-1) == (i % 2 != 0 ? 0 : 0x20));
      else
        CHECK(got.error().code() == ENOMSG);
      CHECK(message.control.get(cmsg::ip::pktinfo).has_value() == round.pktinfo);
    }
  }
  CHECK_ERROR(udp.b.recvmmsg(batch, MSG_DONTWAIT), EAGAIN, recvmmsg);
  CHECK(batch.size() == 0);
}

TEST_CASE("a batch owns the descriptors of its messages until the next call") {
  NoLeak no_leak;
  auto [a, b] = unix_pair(SOCK_DGRAM);
  const Files files(4);
  const Fds before = open_fds();
  char rooms[3][8];
  const MutableBuffer parts[] = {rooms[0], rooms[1], rooms[2]};
  FileDescriptor kept;
  {
    IncomingBatch<3, control_space(cmsg::scm::rights, 2)> batch;
    for (std::size_t i = 0; i < 3; ++i)
      batch.assign(i, {&parts[i], 1});
    VALUE(pass(a, "1", files.first(1)));
    VALUE(pass(a, "2", files.first(2)));
    VALUE(a.send("none"));
    CHECK(VALUE(b.recvmmsg(batch)) == 3);
    CHECK(shown(batch[0].control).size() == 1);
    CHECK(shown(batch[1].control).size() == 2);
    CHECK(batch[2].control.empty());
    CHECK(without(open_fds(), before).size() == 3);
    kept = VALUE(batch[1].control.get(cmsg::scm::rights)).take(1);
    CHECK(inode(kept.fd()) == inode(files.fds[1]));
    CHECK(VALUE(batch[1].control.get(cmsg::scm::rights))[1] == -1);
    // The next call receives two: of the third message of the one before nothing stays, either.
    VALUE(pass(a, "cut", files.fds));
    VALUE(a.send("x"));
    CHECK(VALUE(b.recvmmsg(batch, MSG_WAITFORONE)) == 2);
    CHECK(batch[0].control_truncated());
    CHECK(batch[0].control.truncated());
    CHECK(shown(batch[0].control).size() == 2);
    CHECK(inode(shown(batch[0].control)[0]) == inode(files.fds[0]));
    CHECK(batch[1].control.empty());
    CHECK_FALSE(batch[1].control_truncated());
    CHECK(without(open_fds(), before).size() == 3);
    // One that fails closes all of them, one with flags that are refused does too.
    CHECK_ERROR(b.recvmmsg(batch, MSG_DONTWAIT), EAGAIN, recvmmsg);
    CHECK(batch.size() == 0);
    CHECK(without(open_fds(), before) == Fds{kept.fd()});
    VALUE(pass(a, "1", files.first(2)));
    CHECK(VALUE(b.recvmmsg(batch, MSG_WAITFORONE)) == 1);
    CHECK_ERROR(b.recvmmsg(batch, MSG_MORE), EINVAL, recvmmsg);
    CHECK(batch.size() == 0);
    CHECK(without(open_fds(), before) == Fds{kept.fd()});
    // And so does its end.
    VALUE(pass(a, "1", files.first(2)));
    CHECK(VALUE(b.recvmmsg(batch, MSG_WAITFORONE)) == 1);
    CHECK(without(open_fds(), before).size() == 3);
  }
  CHECK(without(open_fds(), before) == Fds{kept.fd()});
}

TEST_CASE("recvmmsg: the real lengths, no room, no address") {
  Udp udp;
  char room[4];
  MutableBuffer part[] = {room};
  IncomingBatch<2> batch;
  batch.assign(0, part); // the second has no room
  CHECK(VALUE(udp.a.sendto("longer", udp.b_name)) == 6);
  CHECK(VALUE(udp.a.sendto("dropped", udp.b_name)) == 7);
  CHECK(VALUE(udp.b.recvmmsg(batch, MSG_TRUNC)) == 2);
  CHECK(batch[0].size == 4);
  CHECK(batch[0].length == 6);
  CHECK(batch[0].part(0).size() == 4);
  CHECK(batch[0].truncated());
  CHECK(batch[1].size == 0);
  CHECK(batch[1].length == 7);
  CHECK(batch[1].parts.empty());
  CHECK(batch[1].truncated());
  // Addresses of the call before do not shine through.
  auto [a, b] = unix_pair(SOCK_STREAM);
  CHECK(VALUE(a.send("x")) == 1);
  CHECK(VALUE(b.recvmmsg(batch, MSG_WAITFORONE)) == 1);
  CHECK(batch[0].address.family() == AF_UNSPEC);
}

TEST_CASE("recvmmsg has no timeout of its own, SO_RCVTIMEO ends it") {
  Udp udp;
  VALUE(udp.b.setsockopt(so::rcvtimeo, Milliseconds(20)));
  char rooms[2][8];
  MutableBuffer parts[] = {rooms[0], rooms[1]};
  IncomingBatch<2> batch;
  batch.assign(0, {&parts[0], 1});
  batch.assign(1, {&parts[1], 1});
  CHECK_ERROR(udp.b.recvmmsg(batch), EAGAIN, recvmmsg);
  CHECK(VALUE(udp.a.sendto("x", udp.b_name)) == 1);
  CHECK(VALUE(udp.b.recvmmsg(batch, MSG_WAITFORONE)) == 1); // it does not wait for the second
  CHECK(VALUE(udp.a.sendto("x", udp.b_name)) == 1);
  CHECK(VALUE(udp.b.recvmmsg(batch)) == 1); // it waited for it in vain
}

TEST_SUITE_END();
