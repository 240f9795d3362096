// Measures snapshots of very many small rows: writing, writing again unchanged, reading through,
// comparing; and in how much memory. Not shipped.
//   bench_table FOLDER [ROWS]     FOLDER must not exist; it is removed at the end
#include <cstdio>
#include <ctime>
#include <string>

#include "foundation/base/text.h"
#include "foundation/sys/clock.h"
#include "foundation/sys/files.h"
#include "storage/blob/directory_blob_store.h"
#include "storage/repo/diff.h"
#include "storage/repo/snapshot_reader.h"

namespace lb::repo {
namespace {

constexpr std::uint64_t contents = 1000;  // different ones; rows share them

std::string memory(Files& files, std::string_view what) {
  Buffer bytes(16 << 10);
  auto file = files.open_read("/proc/self/status");
  auto got = file.ok() ? (*file)->read_at(bytes, 0) : Result<std::size_t>(file.error());
  bytes.resize(got.ok() ? *got : 0);
  auto text = std::string(text_of(bytes));
  auto at = text.find(std::string(what) + ":");
  if (at == std::string::npos) return "unknown";
  at += what.size() + 1;
  return text.substr(at, text.find('\n', at) - at);
}

std::string key_of(std::uint64_t number) {
  char out[96];
  std::snprintf(out, sizeof out, "home/user%03llu/projects/build-%05llu/file-%08llu.txt",
                static_cast<unsigned long long>(number / 100'000),
                static_cast<unsigned long long>(number / 1000),
                static_cast<unsigned long long>(number));
  return out;
}

class Bench {
 public:
  Bench(std::string folder, std::uint64_t rows) : folder_(std::move(folder)), rows_(rows) {}

  Status run() {
    LB_TRY(make_directories(*files_, folder_, 0700));
    blobs_ = LB_TRY(open_directory_blobs(*files_, *clock_, *random_, path_join(folder_, "repo"),
                                         MissingFolder::create));
    Secret key{std::string_view("bench")};
    LB_TRY(init_repository(*blobs_, *clock_, *random_, key, {1, 8192}));
    OpenOptions options;
    options.cache_folder = path_join(folder_, "cache");
    options.files = files_.get();
    repository_ = LB_TRY(open_repository(*blobs_, *clock_, *random_, key, options));
    auto first = LB_TRY(write(nullptr));
    auto parent = LB_TRY(repository_->snapshot(first));
    auto second = LB_TRY(write(parent.get()));
    auto after = LB_TRY(repository_->snapshot(second));
    LB_TRY(compare(*parent, *after));
    LB_TRY(read(*after));
    return remove_tree(*files_, folder_);
  }

 private:
  void say(const char* what, std::clock_t since) {
    auto cpu = static_cast<double>(std::clock() - since) / CLOCKS_PER_SEC;
    std::printf("%-28s %6.1f s CPU, %4.1f us a row, memory at most %s\n", what, cpu,
                cpu * 1e6 / static_cast<double>(rows_), memory(*files_, "VmHWM").c_str());
  }

  // With a parent: every row but one in a thousand is reused.
  Result<std::string> write(SnapshotReader* parent) {
    auto since = std::clock();
    auto writer = LB_TRY(repository_->begin("bench", parent, {}));
    std::unique_ptr<RowCursor> cursor;
    if (parent != nullptr) cursor = LB_TRY(parent->rows());
    for (std::uint64_t number = 0; number < rows_; ++number) {
      Buffer attributes(40, static_cast<std::uint8_t>(number % 7));
      std::optional<Row> row;
      if (cursor) row = LB_TRY(cursor->next());
      if (row && number % 1000 != 0) {
        LB_TRY(writer->reuse(*row, attributes));
        continue;
      }
      auto stream = LB_TRY(writer->open(key_of(number), Cut::content));
      auto content = cat("content ", number % contents, parent != nullptr ? " changed" : "");
      LB_TRY(stream->write(view_of(content)));
      LB_TRY(stream->finish(attributes));
    }
    SnapshotMeta meta;
    meta.store = "bench";
    meta.kind = "files";
    auto info = LB_TRY(writer->commit(meta));
    say(parent == nullptr ? "first snapshot" : "1 row of 1000 changed", since);
    std::printf("%-28s %.1f MB\n", "stored", static_cast<double>(info.stored_bytes) / 1e6);
    return info.id;
  }

  Status compare(SnapshotReader& before, SnapshotReader& after) {
    auto since = std::clock();
    std::uint64_t changed = 0;
    auto count = [&](const Row*, const Row*) -> Status {
      ++changed;
      return {};
    };
    LB_TRY(diff_snapshots(before, after, count, {}));
    say("difference", since);
    std::printf("%-28s %llu\n", "rows that differ", static_cast<unsigned long long>(changed));
    return {};
  }

  Status read(SnapshotReader& snapshot) {
    auto since = std::clock();
    auto cursor = LB_TRY(snapshot.rows());
    std::uint64_t count = 0;
    while (LB_TRY(cursor->next())) ++count;
    if (count != rows_) return Error(ErrorKind::internal, "rows are missing");
    say("read through", since);
    if (auto* stored = dynamic_cast<StoredSnapshot*>(&snapshot)) {
      std::printf("%-28s %zu\n", "blocks", stored->blocks().size());
    }
    return {};
  }

  const std::string folder_;
  const std::uint64_t rows_;
  const std::unique_ptr<Files> files_ = real_files();
  const std::unique_ptr<Random> random_ = real_random();
  const std::unique_ptr<Clock> clock_ = real_clock();
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<Repository> repository_;
};

}  // namespace
}  // namespace lb::repo

int main(int count, char** arguments) {
  if (count < 2) {
    std::printf("usage: bench_table FOLDER [ROWS]\n");
    return 2;
  }
  auto rows = count > 2 ? std::stoull(arguments[2]) : 1'000'000;
  auto status = lb::repo::Bench(arguments[1], rows).run();
  if (!status.ok()) std::printf("%s\n", status.error().text().c_str());
  return status.ok() ? 0 : 1;
}
