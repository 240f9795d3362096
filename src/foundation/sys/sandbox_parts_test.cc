// The pure parts of the sandbox: packets, sockets to hide, control groups, the marker.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foundation/base/text.h"
#include "foundation/sys/sandbox.h"
#include "foundation/sys/sandbox_cgroup.h"
#include "foundation/sys/sandbox_marker.h"
#include "foundation/sys/sandbox_mounts.h"
#include "foundation/sys/sandbox_packet.h"
#include "foundation/sys/test_folder.h"

namespace lb {
namespace {

// A SYN from 192.0.2.2:4660 to 10.1.2.3:443 with sequence number 0x01020304.
Buffer syn() {
  return from_hex(
             "4500002800004000400600000c00020210010203"
             "123401bb01020304000000005002ffff00000000")
      .take();
}

Buffer four(std::string_view protocol, std::string_view body) {
  return from_hex(cat("450000280000400040", protocol, "0000c00002020a010203", body)).take();
}

unsigned sum(ByteView bytes) {
  unsigned total = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) total += bytes[i] * 256U + bytes[i + 1];
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return total;
}

TEST(SandboxPacket, NamesDestinations) {
  EXPECT_EQ(outbound_destination(syn()), "16.1.2.3:443 tcp");
  EXPECT_EQ(outbound_destination(four("11", "1234003500080000")), "10.1.2.3:53 udp");
  EXPECT_EQ(outbound_destination(four("01", "0800000000000000")), "10.1.2.3 icmp");
  EXPECT_EQ(outbound_destination(four("84", "00")), "10.1.2.3 protocol 132");
  auto six = from_hex(
                 "6000000000081140"
                 "20010db8000000000000000000000002"
                 "20010db8000000000000000000000009"
                 "1234003500080000")
                 .take();
  EXPECT_EQ(outbound_destination(six), "[2001:db8::9]:53 udp");
}

TEST(SandboxPacket, PassesOverWhatIsNoAttempt) {
  EXPECT_FALSE(outbound_destination({}));
  EXPECT_FALSE(outbound_destination(Buffer(19, 0x45)));
  EXPECT_FALSE(outbound_destination(Buffer(60, 0x00)));
  EXPECT_FALSE(outbound_destination(four("02", "16000000")));  // multicast membership
  EXPECT_FALSE(outbound_destination(four("11", "12")));        // cut off
  auto answer = syn();
  answer[33] = 0x12;  // SYN and ACK
  EXPECT_FALSE(outbound_destination(answer));
  auto header_beyond_end = syn();
  header_beyond_end[0] = 0x4f;
  header_beyond_end.resize(40);
  EXPECT_FALSE(outbound_destination(header_beyond_end));
  EXPECT_TRUE(refusal_of({}).empty());
  EXPECT_TRUE(refusal_of(four("01", "0301000000000000")).empty());  // an error is not answered
}

TEST(SandboxPacket, ResetAnswersTheSyn) {
  auto reset = refusal_of(syn());
  ASSERT_EQ(reset.size(), 40u);
  EXPECT_EQ(to_hex(ByteView(reset).subspan(12, 8)), "100102030c000202");
  EXPECT_EQ(to_hex(ByteView(reset).subspan(20, 4)), "01bb1234");
  EXPECT_EQ(to_hex(ByteView(reset).subspan(28, 6)), "010203055014");
  EXPECT_EQ(sum(ByteView(reset).first(20)), 0xffffu);
  Buffer pseudo(reset.begin() + 12, reset.begin() + 20);
  auto rest = from_hex("00060014").take();
  pseudo.insert(pseudo.end(), rest.begin(), rest.end());
  pseudo.insert(pseudo.end(), reset.begin() + 20, reset.end());
  EXPECT_EQ(sum(pseudo), 0xffffu);
}

TEST(SandboxPacket, UdpIsAnsweredWithPortUnreachable) {
  auto question = four("11", "1234003500080000");
  auto refusal = refusal_of(question);
  ASSERT_EQ(refusal.size(), 20 + 8 + question.size());
  EXPECT_EQ(refusal[9], 1);
  EXPECT_EQ(to_hex(ByteView(refusal).subspan(20, 2)), "0303");
  EXPECT_EQ(sum(ByteView(refusal).subspan(20)), 0xffffu);
  EXPECT_EQ(Buffer(refusal.begin() + 28, refusal.end()), question);
}

TEST(SandboxMounts, FindsListeningSocketsWithPaths) {
  auto sockets = listening_sockets(
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 16170 /run/a b.sock\n"
      "0000000000000000: 00000003 00000000 00000000 0001 03 16171 /run/connected\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 16172 @abstract\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 16173\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 16174 /run/a b.sock\n");
  EXPECT_EQ(sockets, std::vector<std::string>{"/run/a b.sock"});
}

TEST(SandboxMounts, HidesTheFolderUnlessProgramsNeedIt) {
  EXPECT_TRUE(cover_for("/var/lib/mysql/mysql.sock").folder);
  EXPECT_EQ(cover_for("/var/lib/mysql/mysql.sock").path, "/var/lib/mysql");
  for (std::string socket : {"/dev/log", "/x.sock", "/srv/x.sock", "/var/lib/x.sock",
                             "/usr/lib/app/x.sock", "/etc/x.sock", "/dev/app/x.sock"}) {
    EXPECT_FALSE(cover_for(socket).folder) << socket;
    EXPECT_EQ(cover_for(socket).path, socket);
  }
}

TEST(SandboxCgroup, FindsPlacesOfBothVersions) {
  auto places = cgroup_places(
      "31 23 0:28 / /sys/fs/cgroup rw shared:4 - tmpfs tmpfs rw\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw\n",
      "5:cpu,cpuacct:/\n4:memory:/docker/abc/job\n0::/user.slice\n");
  ASSERT_EQ(places.size(), 3u);
  EXPECT_EQ(places[0].own, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(places[0].controllers, (std::vector<std::string>{"cpu", "cpuacct"}));
  EXPECT_EQ(places[1].own, "/sys/fs/cgroup/memory/job");
  EXPECT_TRUE(places[2].two);
  EXPECT_EQ(places[2].own, "/sys/fs/cgroup/uni fied/user.slice");
  EXPECT_TRUE(cgroup_places("", "").empty());
}

TEST(SandboxMarker, TellsLiveOwnersFromGoneOnes) {
  auto files = real_files();
  TestFolder folder;
  auto owner = this_owner(*files).take();
  EXPECT_EQ(owner.pid, ::getpid());
  ASSERT_TRUE(write_marker(*files, folder.path(), owner).ok());
  auto back = read_marker(*files, folder.path()).take();
  EXPECT_EQ(back.pid, owner.pid);
  EXPECT_EQ(back.started, owner.started);
  EXPECT_EQ(back.boot, owner.boot);
  EXPECT_EQ(back.pids, owner.pids);
  EXPECT_FALSE(owner_gone(*files, owner));
  auto later_process_same_number = owner;
  --later_process_same_number.started;
  EXPECT_TRUE(owner_gone(*files, later_process_same_number));
  auto other_container = later_process_same_number;
  other_container.pids = "pid:[1]";
  EXPECT_FALSE(owner_gone(*files, other_container));
  auto before_reboot = other_container;
  before_reboot.boot = "another";
  EXPECT_TRUE(owner_gone(*files, before_reboot));
}

// Killed at any moment, whoever claims a folder leaves nothing that a sweep does not remove; what a
// live one is about to mark stays.
TEST(SandboxMarker, AClaimCutShortIsSwept) {
  if (!forked_child_may_have_threads) GTEST_SKIP() << "forks an owner";
  auto files = real_files();
  auto sandboxes = real_sandboxes(*files);
  TestFolder folder;
  auto left = folder / claim_name(this_owner(*files).take(), "mine");
  ASSERT_TRUE(files->make_directory(left, 0755).ok());
  int claims = 0;
  for (int turn = 0; turn < 60; ++turn) {
    auto owner = ::fork();
    if (owner == 0) {
      for (int n = 0;; ++n) (void)claim_sandbox_folder(*files, folder.path(), cat("c", n)).ok();
    }
    ::usleep(static_cast<useconds_t>(1000 + 137 * turn));
    ::kill(owner, SIGKILL);
    ::waitpid(owner, nullptr, 0);
    auto found = files->list(folder.path()).take();
    for (const auto& entry : found) claims += entry.name.starts_with(claim_prefix) ? 1 : 0;
    ASSERT_TRUE(sandboxes->sweep(folder.path()).ok());
    auto rest = files->list(folder.path()).take();
    ASSERT_EQ(rest.size(), 1u) << rest.back().name;
  }
  EXPECT_GT(claims, 60) << "some were cut short, besides the one that is in use";
  // As a kill between the two names of the marker leaves it.
  auto gone = this_owner(*files).take();
  --gone.started;
  auto half = folder / claim_name(gone, "half");
  ASSERT_TRUE(files->make_directory(half, 0755).ok());
  ASSERT_TRUE(write_durably(*files, cat(half, "/.tmp"), view_of("x")).ok());
  EXPECT_EQ(sandboxes->sweep(folder.path()).value(), std::vector<std::string>{half});
  EXPECT_TRUE(path_exists(*files, left).value()) << "its owner lives";
}

TEST(SandboxMarker, DamagedMarkersAreRefused) {
  auto files = real_files();
  TestFolder folder;
  EXPECT_FALSE(read_marker(*files, folder.path()).ok());
  for (std::string text : {"", "lifeboat sandbox 1\n1\n", "lifeboat sandbox 1\nx\n1\nb\np\n",
                           "lifeboat sandbox 2\n1\n1\nb\np\n"}) {
    ASSERT_TRUE(write_durably(*files, folder / std::string(marker_name), view_of(text)).ok());
    EXPECT_FALSE(read_marker(*files, folder.path()).ok()) << text;
  }
}

}  // namespace
}  // namespace lb
