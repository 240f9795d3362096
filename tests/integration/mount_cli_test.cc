// The program as a file system: what a mounted point shows, compared by tools that are not ours,
// and what it does when the repository is damaged or the program is killed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <thread>

#include "tests/harness/lifeboat_run.h"
#include "tests/harness/postgres_server.h"

namespace lb::test {
namespace {

namespace fs = std::filesystem;

// The output of a shell command; its failure is the test's.
std::string sh(const std::string& command) {
  auto* pipe = ::popen(("exec 2>&1; " + command).c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed");
  std::string out;
  char piece[4096];
  for (std::size_t size = 0; (size = ::fread(piece, 1, sizeof piece, pipe)) > 0;)
    out.append(piece, size);
  auto status = ::pclose(pipe);
  if (status != 0) throw std::runtime_error(command + " failed:\n" + out.substr(0, 2000));
  return out;
}

std::string noise(unsigned seed, std::size_t size) {
  std::string out(size, '\0');
  std::uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (auto& c : out) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(state >> 56);
  }
  return out;
}

dev_t device_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_dev : 0;
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1200; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

// Everything `find` can say of a tree. Folders have no size of their own.
std::string facts_of(const std::string& folder) {
  return sh("cd '" + folder + "' && LC_ALL=C find . -type d -printf '%P %y %m %U %G %T@\\n' -o " +
            "-printf '%P %y %m %U %G %T@ %s %n %l\\n' | LC_ALL=C sort");
}

class MountCli : public testing::Test {
 protected:
  MountCli() : boat(LIFEBOAT_BINARY) {}
  void SetUp() override {
    int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device < 0) GTEST_SKIP() << "/dev/fuse cannot be opened here";
    ::close(device);
    boat.write_plan("stores:\n  data: {files: ./data, every: hourly, objective: {rpo: 2h}}\n");
    fs::create_directory(boat / "data");
    fs::create_directory(folder());
    plain_device = device_of(folder());
    boat.must({"init"});
  }
  ~MountCli() override {
    if (mounted()) ::umount2(folder().c_str(), MNT_DETACH);
  }
  std::string folder() const { return boat / "mnt"; }
  bool mounted() const { return device_of(folder()) != plain_device; }
  std::string back_up() {
    boat.must({"backup"});
    auto points = boat.must({"ls", "--json"}).summary()["points"].items();
    return points.back()["id"].string();
  }
  std::unique_ptr<Running> mount(const std::string& what) {
    auto running = boat.start({"mount", what, folder(), "--foreground"});
    while (!mounted()) {
      if (!running->alive()) throw std::runtime_error("no mount: " + running->err_so_far());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return running;
  }
  // Asks it to end, which is no failure.
  void end(Running& running) {
    running.signal(SIGTERM);
    auto ran = running.wait();
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_FALSE(mounted());
  }

  Lifeboat boat;
  dev_t plain_device = 0;
};

TEST_F(MountCli, ShowsTheTreeAsItWas) {
  auto data = boat / "data";
  for (int i = 0; i < 300; ++i)
    write_text(data + "/dir" + std::to_string(i % 7) + "/sub/file" + std::to_string(i),
               noise(static_cast<unsigned>(i), static_cast<std::size_t>(i) * 700));
  write_text(data + "/dir", "neighbours of a");
  write_text(data + "/dir0.txt", "folder in the sorted table");
  write_text(data + "/with\nline and \xff byte", "odd");
  write_text(data + "/big", noise(7, 9'000'000));
  sh("cd '" + data +
     "' && ln big big2 && ln big dir3/big3 && ln -s nowhere broken && "
     "ln -s dir1/sub link && mkfifo pipe && mkdir -m 1777 empty && "
     "truncate -s 50M sparse && printf x | dd of=sparse bs=1 seek=20M conv=notrunc status=none && "
     "setfattr -n user.colour -v blue big && setfattr -n user.depth -v 7 dir2 && "
     "setfacl -m u:1234:r dir4/sub/file4 && setfacl -d -m g:77:rx dir5 && "
     "chmod 4711 dir1/sub/file1 && touch -d '1969-12-31T23:59:58.25Z' dir1/sub/file1");
  if (::geteuid() == 0) sh("chown -h 1234:77 '" + data + "/link' '" + data + "/dir6'");
  auto running = mount(back_up());
  sh("diff -r --no-dereference -x pipe '" + data + "' '" + folder() + "'");
  EXPECT_EQ(facts_of(folder()), facts_of(data));
  auto xattrs = [](const std::string& of) {
    return sh("cd '" + of +
              "' && find . -print0 | LC_ALL=C sort -z | xargs -0 getfattr -h -d -m -");
  };
  EXPECT_EQ(xattrs(folder()), xattrs(data));
  EXPECT_NE(xattrs(folder()).find("posix_acl"), std::string::npos) << "nothing was compared";
  EXPECT_EQ(sh("cd '" + folder() + "' && getfacl -pn dir4/sub/file4 dir5"),
            sh("cd '" + data + "' && getfacl -pn dir4/sub/file4 dir5"));
  EXPECT_EQ(sh("stat -c %i '" + folder() + "/big'"), sh("stat -c %i '" + folder() + "/dir3/big3'"));
  struct stat sparse {};
  ASSERT_EQ(::stat((folder() + "/sparse").c_str(), &sparse), 0);
  EXPECT_LT(sparse.st_blocks * 512, 1 << 20);
  sh("cp -a '" + folder() + "' '" + (boat / "copy") + "' && test $(du -k '" + (boat / "copy") +
     "/sparse' | cut -f1) -lt 1024");
  EXPECT_EQ(facts_of(boat / "copy"), facts_of(data));
  // Nothing can be changed.
  EXPECT_LT(::open((folder() + "/new").c_str(), O_CREAT | O_WRONLY, 0600), 0);
  EXPECT_EQ(errno, EROFS);
  EXPECT_NE(::unlink((folder() + "/big").c_str()), 0);
  end(*running);
}

TEST_F(MountCli, AStoreShowsItsPoints) {
  write_text(boat / "data/file", "first");
  back_up();
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  write_text(boat / "data/file", "second");
  auto last = back_up();
  auto running = mount("data");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder()))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  ASSERT_EQ(names.size(), 3u);
  EXPECT_EQ(names[2], "latest");
  EXPECT_EQ(fs::read_symlink(folder() + "/latest").string(), names[1]);
  EXPECT_EQ(read_text(folder() + "/" + names[0] + "/file"), "first");
  EXPECT_EQ(read_text(folder() + "/latest/file"), "second");
  auto shown = boat.must({"show", last, "--json"}).summary();
  EXPECT_EQ(shown["taken"].string().substr(0, 19) + "Z", names[1]);
  end(*running);
}

TEST_F(MountCli, DamageIsAnErrorOfItsFileAndNamed) {
  write_text(boat / "data/old", noise(1, 3'000'000));
  back_up();
  std::vector<std::string> packs;
  for (const auto& path : files_below(boat.repository())) {
    if (path.find("/p/") != std::string::npos) packs.push_back(path);
  }
  ASSERT_EQ(packs.size(), 1u);
  write_text(boat / "data/new", noise(2, 3'000'000));
  auto point = back_up();
  auto good = read_text(packs[0]);
  auto bad = good;
  bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 4);
  fs::permissions(packs[0], fs::perms(0600));
  for (bool missing : {false, true}) {
    if (missing) fs::remove(packs[0]);
    if (!missing) write_text(packs[0], bad);
    auto running = mount(point);
    auto read = "cat '" + folder() + "/old' > '" + (boat / "got") + "'";
    EXPECT_THROW(sh(read), std::runtime_error) << "damage was read as if it were good";
    auto original = read_text(boat / "data/old"), got = read_text(boat / "got");
    EXPECT_TRUE(original.starts_with(got)) << "wrong bytes";
    EXPECT_LT(got.size(), original.size());
    EXPECT_TRUE(read_text(folder() + "/new") == read_text(boat / "data/new"));
    EXPECT_EQ(sh("ls '" + folder() + "'"), "new\nold\n");
    auto err = running->err_so_far();
    EXPECT_NE(err.find("old cannot be read"), std::string::npos) << err;
    EXPECT_NE(err.find("object p/"), std::string::npos) << err;
    EXPECT_EQ(err.find("new cannot"), std::string::npos) << err;
    // What is mended can be read without a new mount.
    write_text(packs[0], good);
    EXPECT_TRUE(read_text(folder() + "/old") == original);
    end(*running);
  }
}

TEST_F(MountCli, ReadersInParallelGetTheSame) {
  for (unsigned i = 0; i < 3; ++i)
    write_text(boat / ("data/file" + std::to_string(i)), noise(i + 5, 12'000'000));
  auto running = mount(back_up());
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < 6; ++i) {
    threads.emplace_back([this, i] {
      auto name = "/file" + std::to_string(i % 3);
      EXPECT_TRUE(read_text(folder() + name) == read_text(boat / ("data" + name)));
    });
  }
  threads.clear();
  end(*running);
}

TEST_F(MountCli, AKilledProgramLeavesNothing) {
  write_text(boat / "data/file", noise(1, 5'000'000));
  auto point = back_up();
  auto running = mount(point);
  int open_file = ::open((folder() + "/file").c_str(), O_RDONLY | O_CLOEXEC);
  char byte = 0;
  ASSERT_EQ(::pread(open_file, &byte, 1, 0), 1);
  running->signal(SIGKILL);
  running->wait();
  EXPECT_LT(::pread(open_file, &byte, 1, 4'000'000), 0) << "an error, and no hang";
  ::close(open_file);
  EXPECT_TRUE(eventually([&] { return processes_with(folder()).empty(); }));
  // Where fusermount3 watches over it the mount goes by itself, else so.
  if (!eventually([&] { return device_of(folder()) == plain_device; }))
    sh("umount -l '" + folder() + "'");
  EXPECT_TRUE(fs::is_empty(folder()));
  auto again = mount(point);
  EXPECT_TRUE(read_text(folder() + "/file") == read_text(boat / "data/file"));
  end(*again);
}

TEST_F(MountCli, EndsWhenItIsUnmountedAndWhenItIsAskedInTheMidstOfReading) {
  write_text(boat / "data/file", noise(1, 20'000'000));
  auto point = back_up();
  auto unmounted = mount(point);
  sh("umount '" + folder() + "'");
  EXPECT_EQ(unmounted->wait().exit_code, 0);
  for (int i = 0; i < 5; ++i) {
    auto running = mount(point);
    int open_file = ::open((folder() + "/file").c_str(), O_RDONLY | O_CLOEXEC);
    std::jthread reader([&] {
      std::string buffer(1 << 20, '\0');
      while (::read(open_file, buffer.data(), buffer.size()) > 0) continue;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(i * 10));
    end(*running);
    reader.join();
    ::close(open_file);
  }
}

TEST_F(MountCli, GoesToTheBackgroundAndEndsByUnmounting) {
  write_text(boat / "data/file", "content");
  back_up();
  boat.must({"mount", "data", "mnt"});
  EXPECT_TRUE(mounted());
  EXPECT_EQ(read_text(folder() + "/latest/file"), "content");
  sh("umount '" + folder() + "'");
  EXPECT_TRUE(eventually([&] { return processes_with(folder()).empty(); }));
  auto unknown = boat.run({"mount", "zzzz", "mnt"});
  EXPECT_EQ(unknown.exit_code, 14) << unknown.err;
}

TEST_F(MountCli, SaysWhatIsWrong) {
  EXPECT_EQ(boat.run({"mount", "data", "mnt", "-f"}).exit_code, 14) << "no points yet";
  write_text(boat / "data/file", "content");
  auto point = back_up();
  auto folder_missing = boat.run({"mount", point, "nowhere"});
  EXPECT_EQ(folder_missing.exit_code, 21) << folder_missing.err;
  EXPECT_EQ(boat.run({"mount", point}).exit_code, 2);
  EXPECT_TRUE(boat.must({"mount", "--help"}).out.starts_with("Examples:\n"));
}

TEST_F(MountCli, ADatabaseShowsItsFiles) {
  if (const auto reason = PostgresServer::missing()) GTEST_SKIP() << *reason;
  auto server = PostgresServer::start({});
  server->sql(
      "CREATE TABLE notes AS SELECT n, repeat('x', 100) t FROM generate_series(1, 20000) n");
  server->sql("VACUUM FREEZE notes");
  server->sql("CHECKPOINT");
  boat.environment()["DB"] = server->conninfo();
  boat.write_plan("stores:\n  db: {postgres: env:DB, every: hourly, objective: {rpo: 2h}}\n");
  auto running = mount(back_up());
  auto path = "/" + server->value("SELECT pg_relation_filepath('notes')");
  EXPECT_GT(fs::file_size(server->data() + path), 1u << 20);
  EXPECT_TRUE(read_text(folder() + path) == read_text(server->data() + path));
  EXPECT_EQ(read_text(folder() + "/PG_VERSION"), read_text(server->data() + "/PG_VERSION"));
  EXPECT_TRUE(fs::is_directory(folder() + "/pg_wal"));
  end(*running);
}

}  // namespace
}  // namespace lb::test
