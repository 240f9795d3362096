// Sandboxes with real processes. Skipped with the reason where the kernel does not permit
// isolation.
#include "foundation/sys/sandbox.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "foundation/base/text.h"
#include "foundation/sys/descriptor.h"
#include "foundation/sys/http_probe.h"
#include "foundation/sys/test_folder.h"
#include "foundation/sys/test_server.h"

namespace lb {
namespace {

constexpr Micros plenty = std::chrono::minutes(10);

std::string kind(const auto& result) {
  return result.ok() ? "ok" : std::string(name_of(result.error().kind()));
}

bool runs(std::int64_t pid) {
  auto files = real_files();
  auto status = read_file(*files, cat("/proc/", pid, "/stat"), 4096);
  return status.ok() && text_of(*status).find(") Z ") == std::string_view::npos;
}

void pause_briefly() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

// A Unix socket of the host on which somebody listens.
class HostSocket {
 public:
  explicit HostSocket(const std::string& path)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    good_ = ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
            ::chmod(path.c_str(), 0777) == 0 && ::listen(listener_.get(), 4) == 0;
  }
  bool good() const { return good_; }

 private:
  Descriptor listener_;
  bool good_ = false;
};

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_->set_mode(folder_.path(), 0755).ok());
    user_ = sandboxes_->unprivileged_user("nobody").take();
    spec_.folder = make_folder("box");
    spec_.user = user_;
  }

  std::string make_folder(const std::string& name) {
    auto path = folder_ / name;
    EXPECT_TRUE(files_->make_directory(path, 0700).ok());
    EXPECT_TRUE(files_->set_owner(path, user_.uid, user_.gid).ok());
    return path;
  }

  // Null after GTEST_SKIP-worthy refusals; any other failure is a failure of the test.
  bool create() {
    auto made = sandboxes_->create(spec_);
    if (!made.ok() && made.error().kind() == ErrorKind::unsupported) {
      skip_ = cat("isolation is not permitted here: ", made.error().text());
      return false;
    }
    EXPECT_TRUE(made.ok()) << made.error().text();
    if (made.ok()) box_ = std::move(made).take();
    return made.ok();
  }

  static Command script(const std::string& text) {
    Command command;
    command.argv = {"bash", "-c", text};
    command.environment = {{"PATH", "/usr/bin:/bin"}};
    return command;
  }

  std::string output(const std::string& text) {
    auto finished = box_->run(script(text), plenty, {});
    if (!finished.ok()) return "error: " + finished.error().text();
    return cat(finished->output, finished->errors.empty() ? "" : "stderr: ", finished->errors);
  }

  std::string said() const { return join(box_->isolation(), "\n"); }

  std::unique_ptr<Files> files_ = real_files();
  std::unique_ptr<Sandboxes> sandboxes_ = real_sandboxes(*files_);
  TestFolder folder_;
  SandboxSpec spec_;
  UserId user_;
  std::unique_ptr<Sandbox> box_;
  std::string skip_;
};

TEST_F(SandboxTest, RunsAsThePlainUserWithNothingButWhatIsGiven) {
  ::setenv("LIFEBOAT_SECRET_OF_THE_PARENT", "1", 1);
  if (!create()) GTEST_SKIP() << skip_;
  EXPECT_EQ(output("id -u; id -g"), cat(user_.uid, "\n", user_.gid, "\n"));
  if (::geteuid() == 0) {
    EXPECT_EQ(output("id -G"), cat(user_.gid, "\n"));
  }
  auto status = output("grep -E '^(Cap|NoNew)' /proc/self/status");
  for (std::string name : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_NE(status.find(cat(name, ":\t0000000000000000\n")), std::string::npos) << status;
  }
  EXPECT_NE(status.find("NoNewPrivs:\t1\n"), std::string::npos);
  Command environment;
  environment.argv = {"/usr/bin/env"};
  environment.environment = {{"A", "b"}};
  EXPECT_EQ(box_->run(environment, plenty, {}).value().output, "A=b\n");
  EXPECT_EQ(output("ls /proc/$$/fd; true"), "0\n1\n2\n");
  EXPECT_EQ(output("hostname"), "lifeboat-sandbox\n");
  // The first process inside and the shell; none of the host.
  EXPECT_EQ(output("set -- /proc/[0-9]*; echo $#"), "2\n");
}

TEST_F(SandboxTest, CommandsReportLikeOthers) {
  if (!create()) GTEST_SKIP() << skip_;
  auto finished = box_->run(script("echo out; echo err >&2; exit 3"), plenty, {}).take();
  EXPECT_EQ(finished.output, "out\n");
  EXPECT_EQ(finished.errors, "err\n");
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_EQ(box_->run(script("kill -TERM $$"), plenty, {}).value().signal, SIGTERM);
  Command missing;
  missing.argv = {"/no/such/program"};
  EXPECT_EQ(kind(box_->run(missing, plenty, {})), "not found");
  EXPECT_EQ(kind(box_->run(script("sleep 1000"), Micros(200000), {})), "timeout");
  Command cat_input = script("wc -c");
  cat_input.input = std::string(200000, 'x');
  EXPECT_EQ(trim(box_->run(cat_input, plenty, {}).value().output), "200000");
}

TEST_F(SandboxTest, StartedChildIsWatchedSignalledAndKilled) {
  if (!create()) GTEST_SKIP() << skip_;
  Command command = script(
      "exec 2>/dev/null; trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done");
  command.log_path = folder_ / "log";
  auto child = box_->start(command).take();
  auto log = [&] {
    auto bytes = read_file(*files_, command.log_path, 4096);
    return bytes.ok() ? std::string(text_of(*bytes)) : std::string();
  };
  while (log() != "up\n") pause_briefly();
  EXPECT_TRUE(runs(child->pid()));  // its number as the host calls it
  EXPECT_FALSE(child->poll().value().has_value());
  ASSERT_TRUE(child->signal(SIGTERM).ok());
  EXPECT_EQ(child->wait({}).value().exit_code, 7);
  EXPECT_EQ(log(), "up\nbye\n");
  auto stubborn = box_->start(script("trap '' TERM; while :; do sleep 0.01; done")).take();
  auto pid = stubborn->pid();
  stubborn.reset();
  EXPECT_FALSE(runs(pid));
}

TEST_F(SandboxTest, HostFilesAreReadOnlyAndSocketFoldersHidden) {
  auto visible = make_folder("visible");
  auto readable = make_folder("readable");
  ASSERT_TRUE(write_durably(*files_, path_join(readable, "r"), view_of("r"), 0644).ok());
  TestFolder hidden_root;
  spec_.visible = {visible};
  spec_.readable = {readable};
  if (!create()) GTEST_SKIP() << skip_;
  EXPECT_EQ(output("ls -A /run /home /root | grep -v : | tr -d '\\n'"), "");
  EXPECT_EQ(output("ls -A /tmp | grep -v systemd"), "");
  EXPECT_EQ(output("echo x > /tmp/x && cat /tmp/x"), "x\n");
  EXPECT_EQ(output(cat("echo x > ", visible, "/x && cat ", visible, "/x")), "x\n");
  EXPECT_EQ(output(cat("echo y > ", spec_.folder, "/y && cat ", spec_.folder, "/y")), "y\n");
  EXPECT_EQ(output(cat("cat ", readable, "/r")), "r");
  EXPECT_NE(output(cat("echo z > ", readable, "/z")).find("Read-only"), std::string::npos);
  EXPECT_EQ(text_of(read_file(*files_, path_join(visible, "x"), 10).value()), "x\n");
  EXPECT_FALSE(path_exists(*files_, "/tmp/x").value());
}

TEST_F(SandboxTest, VisibleFoldersBelowHiddenOnesStay) {
  std::string name = "/tmp/lifeboat-sandbox-test-XXXXXX";
  std::string below_tmp = ::mkdtemp(name.data());
  ASSERT_TRUE(files_->set_owner(below_tmp, user_.uid, user_.gid).ok());
  spec_.visible = {below_tmp};
  bool made = create();
  if (made) {
    EXPECT_EQ(output(cat("ls /tmp; echo x > ", below_tmp, "/x")), path_name(below_tmp) + "\n");
  }
  bool arrived = path_exists(*files_, path_join(below_tmp, "x")).value();
  box_.reset();
  EXPECT_TRUE(remove_tree(*files_, below_tmp).ok());
  if (!made) GTEST_SKIP() << skip_;
  EXPECT_TRUE(arrived);
}

TEST_F(SandboxTest, HostLoopbackIsOutOfReachAndItsOwnWorks) {
  TestServer host([](const std::string&) { return "HTTP/1.1 200 OK\r\n\r\nhost"; });
  if (!create()) GTEST_SKIP() << skip_;
  HttpRequest outside;
  outside.url = host.url("/");
  EXPECT_TRUE(real_http()->send(outside).ok());
  EXPECT_NE(output(cat("exec 3<>/dev/tcp/127.0.0.1/", host.port())).find("refused"),
            std::string::npos);
  HttpRequest request;
  request.url = host.url("/");
  EXPECT_EQ(kind(box_->http()->send(request)), "unavailable");
  // Loopback is no way out: nothing was blocked.
  EXPECT_EQ(box_->blocked().value().count, 0u);
}

TEST_F(SandboxTest, HttpReachesServicesInside) {
  if (!create()) GTEST_SKIP() << skip_;
  auto log = folder_ / "log";
  Command command = script(
      "exec perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, LocalAddr => "
      "\"127.0.0.1\", LocalPort => 8080, ReuseAddr => 1) or die; $| = 1; print \"up\\n\"; "
      "while ($c = $s->accept) { <$c>; print $c \"HTTP/1.1 200 OK\\r\\nX-A: b\\r\\n\\r\\ninside\"; "
      "close $c }'");
  command.log_path = log;
  auto server = box_->start(command).take();
  while (read_file(*files_, log, 100).value().empty()) pause_briefly();
  HttpRequest request;
  request.url = "http://127.0.0.1:8080/";
  auto http = box_->http();
  auto answer = http->send(request);
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "inside");
  EXPECT_EQ(answer->headers.at(0).first, "x-a");
  EXPECT_EQ(kind(real_http()->send(request)), "unavailable");  // and not from outside
  EXPECT_TRUE(http->send(probe_of("127.0.0.1", 8080, Seconds(10))).ok());
  auto refused = http->send(probe_of("127.0.0.1", 8081, Seconds(10)));
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused_by_network(refused.error())) << refused.error().native();
  request.body_max = 3;
  EXPECT_EQ(kind(http->send(request)), "invalid");
  server.reset();
  EXPECT_EQ(kind(http->send(request)), "unavailable");
  ASSERT_TRUE(box_->stop().ok());
  EXPECT_EQ(kind(http->send(request)), "unavailable");
  EXPECT_FALSE(refused_by_network(http->send(request).error())) << "nobody was asked";
}

TEST_F(SandboxTest, OutboundAttemptsFailAtOnceAndAreCounted) {
  if (!create()) GTEST_SKIP() << skip_;
  auto refused = output("exec 3<>/dev/tcp/10.1.2.3/443");
  EXPECT_NE(refused.find("10.1.2.3"), std::string::npos);
  output("exec 3<>/dev/tcp/10.1.2.3/443");
  output("echo question > /dev/udp/192.168.7.7/53");
  auto blocked = box_->blocked().take();
  EXPECT_GE(blocked.count, 2u);
  EXPECT_FALSE(blocked.method.empty());
  if (blocked.method.find("tunnel device that") == std::string::npos) {
    GTEST_SKIP() << "no tunnel device here: " << blocked.method;
  }
  EXPECT_EQ(blocked.count, 3u);
  EXPECT_EQ(blocked.destinations,
            (std::vector<std::string>{"10.1.2.3:443 tcp", "192.168.7.7:53 udp"}));
}

TEST_F(SandboxTest, SocketsThatNoNamespaceHoldsAreRefused) {
  if (!create()) GTEST_SKIP() << skip_;
  auto open = [&](int family) {
    return output(cat("perl -e 'socket(S, ", family, ", 1, 0) ? print \"open\" : print $!'"));
  };
  EXPECT_EQ(open(AF_INET), "open");
  EXPECT_EQ(open(AF_UNIX), "open");
  EXPECT_EQ(open(AF_VSOCK), "Address family not supported by protocol");
  EXPECT_EQ(open(AF_ALG), "Address family not supported by protocol");
  EXPECT_NE(said().find("system call filter"), std::string::npos);
  EXPECT_EQ(output("grep ^Seccomp: /proc/self/status"), "Seccomp:\t2\n");
}

// Without the privilege and without user namespaces (root has none to fall back on here) the answer
// is a refusal, never a sandbox that is none.
TEST_F(SandboxTest, MissingPrivilegeIsSaidNotIgnored) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs a privilege to lose";
  if (!forked_child_may_have_threads) GTEST_SKIP() << "the thread sanitizer forbids it";
  pid_t child = ::fork();
  if (child == 0) {
    constexpr unsigned long sys_admin = 21;
    ::prctl(PR_CAPBSET_DROP, sys_admin, 0, 0, 0);
    auto files = real_files();
    auto made = real_sandboxes(*files)->create(spec_);
    bool said_so =
        !made.ok() && made.error().kind() == ErrorKind::unsupported && !made.error().hint().empty();
    ::_exit(said_so ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(SandboxTest, SixthVersionIsBlockedToo) {
  if (!create()) GTEST_SKIP() << skip_;
  if (box_->blocked().value().method.find("tunnel device that") == std::string::npos) GTEST_SKIP();
  if (output("cat /proc/net/if_inet6").find("out0") == std::string::npos) GTEST_SKIP() << "no IPv6";
  output("exec 3<>/dev/tcp/2606:4700::1/443");
  EXPECT_EQ(box_->blocked().value().destinations,
            std::vector<std::string>{"[2606:4700::1]:443 tcp"});
}

TEST_F(SandboxTest, SocketsInVisibleFoldersReachAcrossOthersAreHidden) {
  auto visible = make_folder("visible");
  auto elsewhere = make_folder("elsewhere");
  HostSocket open_to_box(path_join(visible, "host.sock"));
  HostSocket hidden(path_join(elsewhere, "host.sock"));
  ASSERT_TRUE(open_to_box.good() && hidden.good());
  spec_.visible = {visible};
  if (!create()) GTEST_SKIP() << skip_;
  auto connect = [&](const std::string& path) {
    return output(cat("perl -MIO::Socket::UNIX -e 'print IO::Socket::UNIX->new(Peer => \"", path,
                      "\") ? \"yes\" : \"no\"'"));
  };
  EXPECT_EQ(connect(path_join(visible, "host.sock")), "yes");
  EXPECT_EQ(connect(path_join(elsewhere, "host.sock")), "no");
}

TEST_F(SandboxTest, OutsideReachesSocketsInside) {
  auto visible = make_folder("visible");
  spec_.visible = {visible};
  if (!create()) GTEST_SKIP() << skip_;
  auto path = path_join(visible, "inside.sock");
  auto server = box_->start(script(
      cat("exec perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Local => \"", path,
          "\", Listen => 5) or die; while ($c = $s->accept) { print $c \"inside\"; close $c }'")));
  ASSERT_TRUE(server.ok());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  while (::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ASSERT_FALSE((*server)->poll().value().has_value());
    pause_briefly();
  }
  char text[16] = "";
  EXPECT_EQ(::recv(client.get(), text, sizeof text, MSG_WAITALL), 6);
  EXPECT_STREQ(text, "inside");
}

TEST_F(SandboxTest, MemoryLimitHolds) {
  spec_.memory_bytes = 256 << 20;
  spec_.cpus = 0.5;
  if (!create()) GTEST_SKIP() << skip_;
  if (said().find("memory limit 256.0 MiB") == std::string::npos ||
      said().find("missing: memory") != std::string::npos) {
    GTEST_SKIP() << said();
  }
  auto eaten =
      box_->run(script("exec perl -e '$x = \"a\" x (1 << 30); print length $x'"), plenty, {});
  ASSERT_TRUE(eaten.ok()) << eaten.error().text();
  EXPECT_EQ(eaten->signal, SIGKILL);
  EXPECT_EQ(output("echo still here"), "still here\n");
}

TEST_F(SandboxTest, StopKillsEverythingAndMayBeCalledAgain) {
  if (!create()) GTEST_SKIP() << skip_;
  auto child = box_->start(script("setsid sleep 1000 & exec sleep 1000")).take();
  auto pid = child->pid();
  EXPECT_TRUE(runs(pid));
  ASSERT_TRUE(box_->stop().ok());
  EXPECT_FALSE(runs(pid));
  EXPECT_EQ(child->wait({}).value().signal, SIGKILL);
  EXPECT_TRUE(box_->stop().ok());
  EXPECT_EQ(kind(box_->run(script("true"), plenty, {})), "unavailable");
  EXPECT_EQ(kind(box_->blocked()), "unavailable");
}

TEST_F(SandboxTest, RefusesWhatCannotBeSafe) {
  spec_.user = UserId{0, 0};
  EXPECT_EQ(kind(sandboxes_->create(spec_)), "invalid");
  spec_.user = user_;
  auto folder = spec_.folder;
  spec_.folder = "relative";
  EXPECT_EQ(kind(sandboxes_->create(spec_)), "invalid");
  spec_.folder = folder;
  spec_.visible = {folder_ / "none"};
  auto made = sandboxes_->create(spec_);
  ASSERT_FALSE(made.ok());
  if (made.error().kind() == ErrorKind::unsupported) GTEST_SKIP() << made.error().text();
  EXPECT_EQ(kind(made), "not found");
}

TEST_F(SandboxTest, SaysWhenTheUserCannotReachItsFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs two users";
  auto locked = folder_ / "locked";
  ASSERT_TRUE(files_->make_directory(locked, 0700).ok());
  spec_.folder = make_folder("locked/box");
  auto made = sandboxes_->create(spec_);
  EXPECT_EQ(kind(made), "denied");
  EXPECT_NE(made.error().text().find("cannot enter"), std::string::npos);
}

TEST_F(SandboxTest, UnprivilegedUserIsNeverRoot) {
  EXPECT_NE(sandboxes_->unprivileged_user("root").value().uid, 0u);
  EXPECT_NE(sandboxes_->unprivileged_user("no-such-user").value().uid, 0u);
}

TEST_F(SandboxTest, KilledOwnerLeavesNothingThatSweepDoesNotRemove) {
  if (!forked_child_may_have_threads) GTEST_SKIP() << "the thread sanitizer forbids it";
  if (!create()) GTEST_SKIP() << skip_;
  auto alive_folder = spec_.folder;
  auto other = folder_ / "plain";
  ASSERT_TRUE(files_->make_directory(other, 0700).ok());
  spec_.folder = make_folder("killed");
  spec_.memory_bytes = 64 << 20;
  auto note = folder_ / "pid";
  pid_t owner = ::fork();
  if (owner == 0) {
    auto files = real_files();
    auto sandboxes = real_sandboxes(*files);
    auto box = sandboxes->create(spec_);
    auto child = (*box)->start(script("sleep 1000 & exec sleep 1000"));
    (void)write_durably(*files, note, view_of(cat((*child)->pid())));
    for (;;) ::pause();
  }
  while (!path_exists(*files_, note).value()) {
    ASSERT_EQ(::waitpid(owner, nullptr, WNOHANG), 0);
    pause_briefly();
  }
  auto inside = parse_int(text_of(read_file(*files_, note, 100).value())).value();
  EXPECT_TRUE(runs(inside));
  EXPECT_TRUE(sandboxes_->sweep(folder_.path()).value().empty());  // its owner lives
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  while (runs(inside)) pause_briefly();
  EXPECT_EQ(sandboxes_->sweep(folder_.path()).value(), std::vector<std::string>{spec_.folder});
  EXPECT_FALSE(path_exists(*files_, spec_.folder).value());
  EXPECT_TRUE(path_exists(*files_, alive_folder).value());
  EXPECT_TRUE(path_exists(*files_, other).value());
  EXPECT_TRUE(sandboxes_->sweep(folder_ / "none").value().empty());
  EXPECT_EQ(output("echo alive"), "alive\n");
}

}  // namespace
}  // namespace lb
