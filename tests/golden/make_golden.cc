// Makes the golden repositories below a new folder:
//
//   make_golden FOLDER
//
//   whole/            one directory repository
//   broken/NAME/      objects that lie over those of the whole one; `removed` names those it lacks
//   moved/            the same of a repository whose packs were rewritten: whole/, broken/NAME/
//   shares/           three pages of a recovery kit, of which any two suffice
//
// Run once for each format version; the outcome is committed and never made again.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "foundation/base/text.h"
#include "foundation/sys/files.h"
#include "storage/blob/directory_blob_store.h"
#include "storage/collect/collector.h"
#include "storage/collect/forget.h"
#include "storage/collect/repack.h"
#include "storage/keys/key_file.h"
#include "storage/repo/core.h"
#include "storage/repo/key_slots.h"
#include "storage/repo/verdict.h"
#include "tests/golden/golden.h"

namespace lb::golden {
namespace {

namespace fs = std::filesystem;
constexpr PasswordCost cheap{1, 8192};

// A maker has nobody to return an error to.
template <typename T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).take();
  std::cerr << result.error().text() << "\n";
  std::exit(1);
}
void must(const Status& status) {
  if (status.ok()) return;
  std::cerr << status.error().text() << "\n";
  std::exit(1);
}

Secret text(std::string_view value) { return Secret(value); }

class Maker {
 public:
  explicit Maker(std::string folder) : folder_(std::move(folder)) {
    blobs_ = must(
        open_directory_blobs(*files_, clock_, *random_, folder_ + "/whole", MissingFolder::create));
    must(repo::init_repository(*blobs_, clock_, *random_, text(passphrase),
                               {cheap.passes, cheap.memory_bytes}));
    repository_ = must(repo::open_repository(*blobs_, clock_, *random_, text(passphrase), {}));
  }

  void make() {
    add_keys();
    auto first = back_up(first_content(), nullptr);
    auto parent = must(repository_->snapshot(first));
    auto second = back_up(second_content(), parent.get());
    add_logs();
    must(repository_->put_record("drill", "06FQ0KZ4", view_of(record)));
    break_them(first, second);
    fs::remove_all(folder_ + "/whole/tmp");
  }

  // The old point is forgotten, and what the new one needs is moved out of its packs.
  void make_moved() {
    auto old = back_up(large_content(), nullptr);
    back_up(thinned_content(), nullptr);
    const auto& core = *repository_->core();
    clock_.advance(Seconds(60));
    must(repo::forget(core, {old}, clock_.now()));
    must(repo::Collector(core, {}, {}).run());
    if (must(repo::Repacker(core, {.below = 1.0, .budget_share = 1}, {}, {}).run({})).packs == 0) {
      must(Status(Error(ErrorKind::internal, "nothing was moved")));
    }
    must(repo::Collector(core, {}, {}).run());
    auto move = must(blobs_->list("e/")).back().key;
    require_both_kinds(move);
    auto pack = cat("p/", move.substr(2), "/00000000");
    lay_over("flipped-move", move, [](std::string& bytes) { bytes[bytes.size() / 2] ^= 1; });
    remove("missing-move", move);
    lay_over("flipped-pack", pack, [](std::string& bytes) { bytes[200] ^= 1; });
    fs::remove_all(folder_ + "/whole/tmp");
  }

 private:
  // Frames that were moved whole, and such of which a part was.
  void require_both_kinds(const std::string& move) {
    auto bytes = must(blobs_->get(move));
    auto verdict = must(repo::open_verdict(repository_->core()->keys, move.substr(2), bytes));
    std::size_t whole = 0, opened = 0;
    for (const auto& pack : verdict.moved->from) {
      for (const auto& frame : pack.frames) ++(frame.whole() ? whole : opened);
    }
    if (whole > 0 && opened > 0) return;
    must(Status(Error(ErrorKind::internal, "frames of one kind only were moved")));
  }

  void add_keys() {
    repo::KeySlots slots(*blobs_, clock_, *random_, repository_->core()->keys);
    auto file = keys::write_key_file(Secret(ByteView(Buffer(32, key_file_byte))));
    must(slots.add("file", keys::Grant::read_and_write, file, cheap));
    must(slots.add("writer", keys::Grant::write, text(write_passphrase), cheap));
    auto shares = must(slots.add_kit("kit", 2, 3));
    fs::create_directories(folder_ + "/shares");
    for (const auto& share : shares) {
      auto page = keys::write_share(share, "a test");
      write(cat("shares/", int{share.share.number}, ".txt"), std::string(page.reveal()));
    }
  }

  std::string back_up(const Content& content, repo::SnapshotReader* parent) {
    clock_.advance(Seconds(60));
    auto writer = must(repository_->begin("data", parent, {}));
    for (const auto& [key, bytes] : content) {
      if (bytes.empty()) {
        must(writer->add(key, Buffer{1}));
        continue;
      }
      auto stream = must(writer->open(key, repo::Cut::content));
      must(stream->write(view_of(bytes)));
      must(stream->finish(Buffer{2, 3}));
    }
    must(writer->attach("note", view_of("attached")));
    repo::SnapshotMeta meta;
    meta.store = "data";
    meta.kind = "files";
    meta.host = "golden";
    meta.details = "{}";
    meta.taken = clock_.now();
    meta.warnings = {"a warning"};
    return must(writer->commit(meta)).id;
  }

  void add_logs() {
    auto tails = log_tails();
    auto bytes = view_of(tails);
    must(repository_->put_log({"db", 1, 2}, view_of(log_segment()), view_of("summary")));
    must(repository_->put_log_tail({"db", 1, 3}, 0, bytes.first(1000), view_of("one")));
    must(repository_->put_log_tail({"db", 1, 3}, 1000, bytes.subspan(1000), view_of("two")));
    must(repository_->put_history("db", 2, view_of(history)));
  }

  void break_them(const std::string& first, const std::string& second) {
    auto pack = cat("p/", first, "/00000000"), verdict = cat("e/", second);
    lay_over("flipped-pack", pack, [](std::string& bytes) { bytes[200] ^= 1; });
    remove("missing-pack", pack);
    remove("missing-index", cat("x/", first, ".00000000"));
    lay_over("cut-verdict", verdict, [](std::string& bytes) { bytes.resize(bytes.size() / 2); });
    auto slot = must(blobs_->list("k/")).front().key;
    for (const auto& line : must(repo::list_slots(*blobs_, repository_->id()))) {
      if (line.slot.name == "first") slot = repo::slot_key(line.slot.id);
    }
    lay_over("damaged-slot", slot, [](std::string& bytes) { bytes[30] ^= 1; });
  }

  template <typename Change>
  void lay_over(const std::string& name, const std::string& object, const Change& change) {
    auto bytes = must(blobs_->get(object));
    std::string text(text_of(bytes));
    change(text);
    write(cat("broken/", name, "/", object), text);
  }
  void remove(const std::string& name, const std::string& object) {
    must(blobs_->info(object));
    write(cat("broken/", name, "/removed"), object + "\n");
  }
  void write(const std::string& name, const std::string& text) {
    auto path = fs::path(folder_) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  std::string folder_;
  std::unique_ptr<Files> files_ = real_files();
  SimClock clock_{parse_time("2026-01-13T02:00:00Z").take()};
  std::unique_ptr<Random> random_ = seeded_random(1);
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<repo::Repository> repository_;
};

}  // namespace
}  // namespace lb::golden

int main(int argc, char** argv) {
  if (argc != 2 || std::filesystem::exists(argv[1])) {
    std::cerr << "usage: make_golden NEW-FOLDER\n";
    return 2;
  }
  lb::golden::Maker(argv[1]).make();
  lb::golden::Maker(std::string(argv[1]) + "/moved").make_moved();
  return 0;
}
