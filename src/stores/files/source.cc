// The files store as the engine sees it: diagnose and backup.
#include "foundation/base/text.h"
#include "stores/files/backup_run.h"

namespace lb::files {

namespace {

// The doctor looks at the beginning of the tree: it must answer soon, also on millions of files.
constexpr std::uint64_t entries_max = 100'000, opened_max = 1'000;

struct Sample {
  std::uint64_t files = 0, bytes = 0, unreadable = 0;
  bool whole = false;
  std::string example;
};

class FilesSource final : public Source {
 public:
  explicit FilesSource(SourceOptions options) : options_(std::move(options)) {}

  Result<std::vector<Diagnosis>> diagnose(World& world, std::stop_token stop) override {
    auto selection = Selection::make(options_.include, options_.exclude);
    if (!selection.ok()) {
      return std::vector<Diagnosis>{{false, "patterns", selection.error().text(),
                                     "correct include and exclude of this store"}};
    }
    TreeWalker walker(world.files, options_.root,
                      {&*selection, nullptr, {}, options_.one_filesystem});
    auto root = walker.next();
    if (!root.ok()) return unreachable(root.error());
    auto sample = look_around(world.files, walker, stop);
    return std::vector<Diagnosis>{
        {true, "root", cat(printable(options_.root), " is there and readable"), ""},
        describe_content(sample),
        describe_access(sample)};
  }

  Result<BackupOutcome> backup(const BackupContext& context) override {
    return BackupRun(options_, context).run();
  }

 private:
  Error unreachable(const Error& error) const {
    auto hint = error.kind() == ErrorKind::denied
                    ? "run Lifeboat as a user who may read it, or as root"
                    : "is the path right, and is its file system mounted?";
    return Error(error)
        .context(cat("root ", printable(options_.root)))
        .with_hint(hint)
        .with_exit(ExitCode::store_unreachable);
  }

  static Sample look_around(Files& files, TreeWalker& walker, std::stop_token stop) {
    Sample out;
    auto unreadable = [&](const Visit& visit) {
      if (out.unreadable++ == 0) out.example = visit.path;
    };
    for (std::uint64_t seen = 0; seen < entries_max && !stop.stop_requested(); ++seen) {
      auto visit = walker.next();
      if (!visit.ok() || !*visit) {
        out.whole = visit.ok();
        return out;
      }
      const auto& entry = **visit;
      if (entry.unread || entry.unlisted) unreadable(entry);
      if (entry.unread || entry.info.kind != FileKind::regular) continue;
      out.bytes += entry.info.size;
      if (out.files++ < opened_max && !files.open_read(entry.full).ok()) unreadable(entry);
    }
    return out;
  }

  static Diagnosis describe_content(const Sample& sample) {
    if (sample.files == 0 && sample.whole) {
      return {false, "content", "no file is selected below the root",
              "check the path, the mounts, and include and exclude"};
    }
    return {true, "content",
            cat(sample.whole ? "" : "more than ", human_count(sample.files), " files, ",
                human_size(sample.bytes)),
            ""};
  }

  static Diagnosis describe_access(const Sample& sample) {
    if (sample.unreadable == 0) return {true, "access", "what was looked at is readable", ""};
    return {
        false, "access",
        cat(sample.unreadable, " entries cannot be read, for example ", printable(sample.example)),
        "backups would end with exit 3; run Lifeboat as a user who may read them"};
  }

  const SourceOptions options_;
};

}  // namespace

std::unique_ptr<Source> make_source(SourceOptions options) {
  return std::make_unique<FilesSource>(std::move(options));
}

}  // namespace lb::files
