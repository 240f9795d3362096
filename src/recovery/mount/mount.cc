#include "recovery/mount/mount.h"

#include <array>
#include <condition_variable>
#include <thread>

#include "foundation/base/text.h"
#include "recovery/mount/fuse_operations.h"

namespace lb::mount {

namespace {

struct SessionEnd {
  void operator()(fuse_session* session) const { fuse_session_destroy(session); }
};
struct ConfigEnd {
  void operator()(fuse_loop_config* config) const { fuse_loop_cfg_destroy(config); }
};

std::string mount_options(const ServeOptions& options) {
  std::string out = "ro,nosuid,nodev,fsname=lifeboat,subtype=lifeboat,auto_unmount";
  if (options.allow_other) out += ",allow_other,default_permissions";
  return out;
}

// The loop only looks up from its wait when a request comes. So one is made: asking for the free
// space goes through to the loop every time. Not in the thread that asks for the stop, which must
// never wait for us. Destroyed after the mount is gone, so that the question has an answer.
class LoopEnder {
 public:
  LoopEnder(fuse_session* session, Files& files, std::string folder, std::stop_token stop)
      : session_(session),
        files_(files),
        folder_(std::move(folder)),
        forward_(std::move(stop), Forward{wake_}),
        thread_([this] { wait(); }) {}
  ~LoopEnder() {
    over_ = true;
    wake_.request_stop();
  }
  LoopEnder(const LoopEnder&) = delete;
  LoopEnder& operator=(const LoopEnder&) = delete;

 private:
  struct Forward {
    std::stop_source& wake;
    void operator()() const { wake.request_stop(); }
  };

  void wait() {
    {
      std::unique_lock lock(mutex_);
      static_cast<void>(woken_.wait(lock, wake_.get_token(), [] { return false; }));
    }
    if (over_) return;
    fuse_session_exit(session_);
    static_cast<void>(files_.space(folder_).ok());
  }

  fuse_session* const session_;
  Files& files_;
  const std::string folder_;
  std::atomic<bool> over_{false};
  std::stop_source wake_;
  std::stop_callback<Forward> forward_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::jthread thread_;
};

Status run_loop(fuse_session* session) {
  std::unique_ptr<fuse_loop_config, ConfigEnd> config(fuse_loop_cfg_create());
  fuse_loop_cfg_set_max_threads(config.get(), 16);
  auto ended = fuse_session_loop_mt(session, config.get());
  if (ended >= 0) return {};
  return system_error(-ended, "serve the mount");
}

}  // namespace

Status serve(World& world, Log& log, MountTree& tree, const ServeOptions& options,
             std::stop_token stop, const std::function<void()>& ready) {
  TroubleLog trouble(log);
  ContentReader reader(options.limits);
  FuseOperations operations(tree, reader, trouble, options.allow_other);
  auto table = FuseOperations::table();
  std::string program = "lifeboat", flag = "-o", wishes = mount_options(options);
  std::array<char*, 3> words = {program.data(), flag.data(), wishes.data()};
  fuse_args arguments{static_cast<int>(words.size()), words.data(), 0};
  std::unique_ptr<fuse_session, SessionEnd> session(
      fuse_session_new(&arguments, &table, sizeof table, &operations));
  fuse_opt_free_args(&arguments);  // the library has put copies in its place
  if (!session) return Error(ErrorKind::internal, "the FUSE library takes no session");
  if (fuse_session_mount(session.get(), options.folder.c_str()) != 0) {
    return Error(ErrorKind::denied, cat("cannot mount on ", options.folder))
        .with_hint(
            "the line before says why; it needs /dev/fuse and the "
            "package fuse3")
        .with_exit(ExitCode::target_unreachable);
  }
  LoopEnder ender(session.get(), world.files, options.folder, std::move(stop));
  ready();
  auto ended = run_loop(session.get());
  fuse_session_unmount(session.get());
  return ended;
}

}  // namespace lb::mount
