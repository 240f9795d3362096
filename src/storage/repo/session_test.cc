// Sessions: several at once, many rows, stops, limits, and keys that may only write.
#include "storage/repo/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <thread>

#include "foundation/flow/task_group.h"
#include "foundation/sys/sim_files.h"
#include "storage/blob/fault_blob_store.h"
#include "storage/repo/format.h"
#include "storage/repo/keyring.h"
#include "storage/repo/row_sorter.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

class Sessions : public MemoryRepository {};

// However it is written, the same bytes are the same chunks, and come back in pieces.
TEST_F(Sessions, AttachmentsMayComeAndGoInPieces) {
  const auto text = noise(3, 700'001);
  auto whole = repository->begin("data", nullptr, {}).take();
  ASSERT_TRUE(whole->attach("note", view_of(text)).ok());
  (void)whole->commit({}).take();
  auto writer = repository->begin("data", nullptr, {}).take();
  auto stream = writer->open_attachment("note").take();
  for (std::size_t at = 0; at < text.size(); at += 7777) {
    ASSERT_TRUE(stream->write(view_of(std::string_view(text).substr(at, 7777))).ok());
  }
  ASSERT_TRUE(stream->finish().ok());
  auto empty = writer->open_attachment("empty").take();
  ASSERT_TRUE(empty->finish().ok());
  auto dropped = writer->open_attachment("dropped").take();
  ASSERT_TRUE(dropped->write(view_of("half")).ok());
  dropped.reset();
  const auto info = writer->commit({}).take();
  EXPECT_EQ(info.stored_bytes, 0u) << "it was there";
  auto snapshot = repository->snapshot(info.id).take();
  EXPECT_EQ(text_of(**snapshot->attachment("note")), text);
  EXPECT_EQ(snapshot->attachment("empty").take(), Buffer());
  EXPECT_EQ(snapshot->open_attachment("dropped").take(), nullptr);
  std::string read;
  auto cursor = snapshot->open_attachment("note").take();
  for (auto piece = cursor->next().take(); !piece.empty(); piece = cursor->next().take()) {
    EXPECT_LE(piece.size(), chunk_bytes_max);
    read += text_of(piece);
  }
  EXPECT_EQ(read, text);
  EXPECT_TRUE(verify().clean()) << describe(verify());
}

TEST_F(Sessions, TwoWritersAtOnceBothSucceed) {
  auto shared = noise(5, 2'000'000);
  auto other = open(blobs);
  std::array<std::string, 2> ids;
  auto status = for_each_parallel(2, 2, {}, [&](std::size_t i) -> Status {
    auto& repo = i == 0 ? *repository : *other;
    Content content{{"shared", shared}, {"own", noise(10 + i, 2'000'000)}};
    auto info = LB_TRY(write_snapshot(repo, "data", content, clock.now()));
    ids[i] = info.id;
    return {};
  });
  ASSERT_TRUE(status.ok()) << status.error().text();
  EXPECT_NE(ids[0], ids[1]);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read(ids[i]), (Content{{"shared", shared}, {"own", noise(10 + i, 2'000'000)}}));
  }
  EXPECT_TRUE(verify().clean()) << describe(verify());
}

// A store that is far away: the first puts of packs wait until several are on their way.
class FarStore {
 public:
  FarStore(BlobStore& inner, BlobFault fault, std::uint64_t nth)
      : faulty(inner, {.nth = nth,
                       .fault = fault,
                       .lasting = true,
                       .only = BlobCall::put,
                       .prefix = "p/",
                       .before = [this](const std::string&) { meet(); },
                       .requests_at_once = 4}) {}
  FaultBlobStore faulty;
  int most() {
    std::lock_guard lock(mutex_);
    return most_;
  }
  void let_go() {
    std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

 private:
  void meet() {
    std::unique_lock lock(mutex_);
    most_ = std::max(most_, ++waiting_);
    changed_.notify_all();
    // Whoever puts one after the other would wait here in vain.
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return released_ || most_ >= 4; });
    --waiting_;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0, most_ = 0;
  bool released_ = false;
};

TEST_F(Sessions, AStoreThatIsFarAwayGetsSeveralPacksAtOnce) {
  FarStore far(blobs, BlobFault::fail, ~0ull);
  auto repo = open(far.faulty);
  Content content{{"a", noise(1, 9'000'000)}, {"b", noise(2, 9'000'000)}};
  auto info = write_snapshot(*repo, "data", content, clock.now());
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(far.most(), 4) << "as many as the store takes, and no more";
  EXPECT_EQ(read(info->id), content);
  EXPECT_TRUE(verify().clean()) << describe(verify());
}

TEST_F(Sessions, APutThatFailsAmongOthersEndsTheSession) {
  for (std::uint64_t nth : {0u, 3u, 7u}) {
    FarStore far(blobs, BlobFault::full, nth);
    auto repo = open(far.faulty);
    Content content{{"a", noise(100 + nth, 14'000'000)}};
    auto info = write_snapshot(*repo, "data", content, clock.now());
    ASSERT_FALSE(info.ok()) << nth;
    EXPECT_EQ(info.error().exit_code(), ExitCode::no_space) << info.error().text();
  }
  EXPECT_TRUE(repository->snapshots()->empty());
}

// Left without a commit while every buffer is full and its packs are on their way.
TEST_F(Sessions, OneThatIsLeftDoesNotWaitForItsPacks) {
  std::stop_source stop;
  FarStore far(blobs, BlobFault::fail, ~0ull);
  auto repo = open(far.faulty);
  auto writer = repo->begin("data", nullptr, stop.get_token()).take();
  std::jthread filler([&] {
    auto written = write_row(*writer, "a", noise(5, 30'000'000));
    EXPECT_TRUE(written.ok() || written.error().kind() == ErrorKind::cancelled);
  });
  while (far.most() < 2) std::this_thread::yield();
  stop.request_stop();
  filler.join();
  far.let_go();
  writer.reset();
  EXPECT_TRUE(repository->snapshots()->empty());
}

TEST_F(Sessions, ManyStreamsOfOneWriter) {
  auto writer = repository->begin("data", nullptr, {}).take();
  auto status = for_each_parallel(200, 4, {}, [&](std::size_t i) {
    return write_row(*writer, cat("row ", i), noise(i % 50, 10'000 + i % 50));
  });
  ASSERT_TRUE(status.ok()) << status.error().text();
  auto info = writer->commit({}).take();
  auto got = read(info.id);
  ASSERT_EQ(got.size(), 200u);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(got[cat("row ", i)], noise(i % 50, 10'000 + i % 50)) << i;
  }
  EXPECT_EQ(info.rows, 200u);
  EXPECT_LT(info.new_bytes, 50 * 10'100u) << "the same content is stored once";
}

// Rows given whole are the rows that streams would have made.
TEST_F(Sessions, WholeRowsAreStoredAsStreamsStoreThem) {
  Content content{{"empty", ""}, {"one byte", "x"}, {"again", noise(3, 70'000)}};
  for (std::size_t i = 0; i < 20; ++i) content[cat("row ", i)] = noise(i % 15, 1 + i * 13'000);
  auto streamed = write_snapshot(*repository, "data", content, clock.now()).take();
  auto writer = repository->begin("data", nullptr, {}).take();
  std::vector<WholeRow> rows;
  for (const auto& [name, bytes] : content) rows.push_back({name, view_of(bytes), Buffer{7}});
  ASSERT_TRUE(writer->add_whole({}).ok());
  ASSERT_TRUE(writer->add_whole(rows).ok());
  auto whole = writer->commit({}).take();
  EXPECT_EQ(read(whole.id), content);
  EXPECT_EQ(whole.new_bytes, 0u);
  EXPECT_EQ(whole.logical_bytes, streamed.logical_bytes);
  auto snapshot = repository->snapshot(whole.id).take();
  auto before = repository->snapshot(streamed.id).take();
  for (const auto& row : all_rows(*snapshot).take()) {
    auto then = before->find(row.key).take();
    ASSERT_TRUE(then.has_value());
    EXPECT_EQ(row.attributes, then->attributes);
    ASSERT_EQ(row.extents.size(), then->extents.size()) << row.key;
    for (std::size_t i = 0; i < row.extents.size(); ++i) {
      EXPECT_EQ(row.extents[i].id, then->extents[i].id) << row.key;
    }
  }
  EXPECT_FALSE(writer->add_whole(rows).ok()) << "the session has ended";
}

// However the caller slices it, the same content has the same extents.
TEST_F(Sessions, WhereContentIsCutDoesNotDependOnTheWrites) {
  auto content = noise(77, 3'000'000);
  auto extents_of = [&](Cut cut, const std::function<std::size_t()>& slice, bool last) {
    auto writer = repository->begin("data", nullptr, {}).take();
    auto stream = writer->open("row", cut).take();
    auto rest = view_of(content);
    while (!rest.empty()) {
      auto piece = rest.first(std::min(rest.size(), slice()));
      rest = rest.subspan(piece.size());
      EXPECT_TRUE((rest.empty() && last ? stream->write_last(piece) : stream->write(piece)).ok());
    }
    EXPECT_TRUE(stream->finish({}).ok());
    auto id = writer->commit({}).take().id;
    EXPECT_EQ(read(id), (Content{{"row", content}}));
    auto row = repository->snapshot(id).take()->find("row").take();
    std::vector<ChunkId> ids;
    for (const auto& extent : row->extents) ids.push_back(extent.id);
    return ids;
  };
  for (auto cut : {Cut::content, Cut::pages}) {
    auto expected = extents_of(
        cut, [&] { return content.size(); }, true);
    EXPECT_GT(expected.size(), 20u);
    for (std::size_t slice : {4096u, 100'000u, 131'072u, 262'144u, 262'145u, 1'000'000u}) {
      EXPECT_EQ(extents_of(
                    cut, [&] { return slice; }, slice % 2 == 0),
                expected)
          << slice;
    }
    std::size_t turn = 0;
    auto mixed = [&] { return std::array{1u, 300'000u, 17u, 250'000u, 65'536u}[turn++ % 5]; };
    EXPECT_EQ(extents_of(cut, mixed, true), expected);
  }
}

// Packs in memory are few: who needs one waits for another to be put, and never for ever.
TEST_F(Sessions, AnyNumberOfWorkersAndStreamsShareThePackBuffers) {
  for (unsigned workers : {1u, 2u, 5u}) {
    OpenOptions tiny{.workers = workers, .memory_bytes = 1 << 20};
    auto repo = open_repository(blobs, clock, *random, key, tiny).take();
    auto writer = repo->begin("data", nullptr, {}).take();
    auto status = for_each_parallel(24, 6, {}, [&](std::size_t i) {
      return write_row(*writer, cat("row ", i), noise(1000 * workers + i, 1'000'000));
    });
    ASSERT_TRUE(status.ok()) << status.error().text();
    auto info = writer->commit({}).take();
    EXPECT_GE(info.packs, 15u) << "packs of a mebibyte";
    auto got = read(info.id);
    for (std::size_t i = 0; i < 24; ++i) {
      EXPECT_EQ(got[cat("row ", i)], noise(1000 * workers + i, 1'000'000)) << workers << " " << i;
    }
  }
  EXPECT_TRUE(verify().clean()) << describe(verify());
}

class ManyRows : public Sessions {
 protected:
  // Writes far more rows than fit the memory and expects all of them in order.
  // `full_at`: the row at which the host's disk is full.
  SnapshotInfo write_and_check(OpenOptions options, std::size_t full_at = count) {
    options.memory_bytes = 256 << 10;  // 64 KiB of rows
    auto repo = open_repository(blobs, clock, *random, key, options).take();
    auto writer = repo->begin("data", nullptr, {}).take();
    auto status = for_each_parallel(count, 3, {}, [&](std::size_t i) {
      if (i == full_at) files.set_space(0);
      auto scattered = (i * 7919) % count;
      return writer->add(cat("row ", fixed(static_cast<double>(scattered) / 1e6, 6)),
                         Buffer(20, 1));
    });
    EXPECT_TRUE(status.ok()) << status.error().text();
    auto long_row = writer->add("row x", Buffer(400'000, 3));  // longer than a piece of a run
    EXPECT_TRUE(long_row.ok());
    auto info = writer->commit({});
    EXPECT_TRUE(info.ok()) << info.error().text();
    auto rows = all_rows(*repo->snapshot(info->id).take()).take();
    EXPECT_EQ(rows.size(), count + 1);
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(),
                               [](const Row& a, const Row& b) { return a.key < b.key; }));
    EXPECT_EQ(rows.back().attributes, Buffer(400'000, 3));
    EXPECT_TRUE(verify().clean()) << describe(verify());
    return *info;
  }
  OpenOptions with_cache() {
    OpenOptions out{.workers = 2};
    out.cache_folder = "/cache";
    out.files = &files;
    return out;
  }

  static constexpr std::size_t count = 6000;
  SimFiles files;
};

TEST_F(ManyRows, AreSortedThroughTheRepositoryWhereThereIsNoOtherPlace) {
  (void)write_and_check({.workers = 2});
}

TEST_F(ManyRows, AreSortedThroughAFileOfTheHost) {
  auto through_packs = write_and_check({.workers = 2});
  auto through_file = write_and_check(with_cache());
  EXPECT_TRUE(through_file.meta.warnings.empty());
  EXPECT_LT(through_file.stored_bytes, through_packs.stored_bytes);
  for (const auto& folder : files.list("/cache").take()) {
    for (const auto& entry : files.list("/cache/" + folder.name).take()) {
      EXPECT_TRUE(entry.name.starts_with("table-")) << entry.name;
    }
  }
}

TEST_F(ManyRows, GoThroughTheRepositoryOnceTheHostHasNoSpaceLeft) {
  for (std::size_t full_at : {0u, 1000u, 3000u, 5000u}) {
    SCOPED_TRACE(full_at);
    files.set_space(1ull << 40);
    auto info = write_and_check(with_cache(), full_at);
    auto told = std::count_if(
        info.meta.warnings.begin(), info.meta.warnings.end(),
        [](const std::string& line) { return line.find("set aside") != std::string::npos; });
    EXPECT_EQ(told, 1) << join(info.meta.warnings, "\n");
  }
}

// A list of blocks that is too long for the verdict is cut into blocks itself.
TEST_F(Sessions, TablesOfManyBlocksHaveLevels) {
  auto write = [&](StoredSnapshot* parent, char last) {
    auto writer = repository->begin("data", parent, {}).take();
    for (int i = 0; i < 20'000; ++i) {
      auto attributes = noise(static_cast<std::uint64_t>(i), 1100);
      if (i == 19'999) attributes[0] = last;
      auto row = writer->add(cat("a folder with a long name/", 100'000 + i),
                             Buffer(attributes.begin(), attributes.end()));
      EXPECT_TRUE(row.ok());
    }
    auto info = writer->commit({});
    EXPECT_TRUE(info.ok()) << info.error().text();
    return *info;
  };
  auto first = write(nullptr, 'a');
  std::vector<Buffer> frames;
  auto object = blobs.get(verdict_key(first.id)).value();
  ASSERT_TRUE(open_verdict(repository->core()->keys, first.id, object, &frames).ok());
  auto top = decode_upper(frames[2]).take();
  EXPECT_EQ(top.levels, 2u);
  EXPECT_LT(frames[2].size(), upper_bytes_max);
  auto snapshot = repository->snapshot(first.id).take();
  EXPECT_EQ(all_rows(*snapshot)->size(), 20'000u);
  EXPECT_TRUE(snapshot->find("a folder with a long name/119999")->has_value());
  auto* stored = dynamic_cast<StoredSnapshot*>(snapshot.get());
  EXPECT_GT(stored->blocks().size(), 1500u);
  auto second = write(stored, 'b');
  EXPECT_LT(second.stored_bytes, 100'000u) << "one block of each level is new";
  EXPECT_TRUE(verify().clean()) << describe(verify());
}

TEST_F(Sessions, FindsRowsAndPrefixesAcrossBlocks) {
  auto writer = repository->begin("data", nullptr, {}).take();
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(writer->add(cat(i % 10, "/", i), Buffer(100, 1)).ok());
  }
  auto info = writer->commit({}).take();
  auto snapshot = repository->snapshot(info.id).take();
  for (int i = 0; i < 5000; i += 37) {
    EXPECT_TRUE(snapshot->find(cat(i % 10, "/", i))->has_value()) << i;
    EXPECT_FALSE(snapshot->find(cat(i % 10, "/", i, "x"))->has_value()) << i;
  }
  EXPECT_EQ(all_rows(*snapshot, "3/")->size(), 500u);
  EXPECT_EQ(all_rows(*snapshot, "3/1")->size(), 111u);
  EXPECT_TRUE(all_rows(*snapshot, "a")->empty());
  EXPECT_TRUE(all_rows(*snapshot, "")->size() == 5000u);
}

TEST_F(Sessions, TwoRowsOfOneNameAreRefused) {
  auto writer = repository->begin("data", nullptr, {}).take();
  ASSERT_TRUE(writer->add("same", {}).ok());
  ASSERT_TRUE(writer->add("same", {}).ok());
  auto info = writer->commit({});
  ASSERT_FALSE(info.ok());
  EXPECT_EQ(info.error().kind(), ErrorKind::invalid);
  EXPECT_TRUE(repository->snapshots()->empty());
}

TEST_F(Sessions, AStopEndsTheSessionWithoutASnapshot) {
  std::stop_source stop;
  auto writer = repository->begin("data", nullptr, stop.get_token()).take();
  ASSERT_TRUE(write_row(*writer, "a", noise(1, 100'000)).ok());
  stop.request_stop();
  auto late = write_row(*writer, "b", noise(2, 5'000'000));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().kind(), ErrorKind::cancelled);
  auto info = writer->commit({});
  ASSERT_FALSE(info.ok());
  EXPECT_EQ(info.error().kind(), ErrorKind::cancelled);
  writer.reset();
  EXPECT_TRUE(repository->snapshots()->empty());
  EXPECT_TRUE(verify().clean()) << describe(verify());
}

TEST_F(Sessions, WhatAReaderWouldRefuseIsNotWritten) {
  auto writer = repository->begin("data", nullptr, {}).take();
  EXPECT_EQ(writer->add(std::string(100'000, 'x'), {}).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(writer->add("x", Buffer(20 << 20, 0)).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(writer->reuse({}, {}).error().kind(), ErrorKind::invalid) << "there is no parent";
  SnapshotMeta meta;
  meta.details = std::string(100'000, 'x');
  EXPECT_EQ(writer->commit(meta).error().kind(), ErrorKind::invalid);
  meta.details = "{}";
  meta.warnings.assign(3000, "unread");
  meta.warnings[7] = std::string(200'000, 'w');
  auto info = writer->commit(meta);
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(info->meta.warnings.size(), 1001u);
  EXPECT_EQ(info->meta.warnings.back(), "and 2000 more");
  EXPECT_EQ(writer->commit(meta).error().kind(), ErrorKind::invalid) << "once";
  EXPECT_EQ(open(blobs)->snapshots()->front().meta.warnings, info->meta.warnings);
}

TEST_F(Sessions, ADroppedStreamLeavesNoRowAndHarmsNoOther) {
  auto content = noise(4, 500'000);
  auto writer = repository->begin("data", nullptr, {}).take();
  {
    auto dropped = writer->open("dropped", Cut::content).take();
    ASSERT_TRUE(dropped->write(view_of(content)).ok());
  }
  ASSERT_TRUE(write_row(*writer, "kept", content).ok());
  auto info = writer->commit({}).take();
  EXPECT_EQ(read(info.id), (Content{{"kept", content}}));
}

TEST_F(Sessions, IdsSortInTheOrderTheyWereMade) {
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(repository->fresh_id());
  clock.set_wall(parse_time("2020-01-01T00:00:00Z").take());
  for (int i = 0; i < 100; ++i) ids.push_back(repository->fresh_id());
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  EXPECT_EQ(ids[0].size(), 26u);
}

TEST_F(Sessions, AnUnchangedLongTableIsStoredOnce) {
  Content content;
  for (int i = 0; i < 4000; ++i) content[cat("file ", i)] = cat("small content ", i);
  auto first = back_up(content);
  auto parent = repository->snapshot(first.id).take();
  content["file 1500"] = "changed, and longer than before";
  auto second = back_up(content, parent.get());
  EXPECT_LT(second.stored_bytes, first.stored_bytes / 10);
  EXPECT_EQ(read(second.id), content);
}

TEST_F(Sessions, AKeyThatMayOnlyWriteBacksUpAndReadsNothing) {
  Secret writer_key{std::string_view("for the host that backs up")};
  auto keys_of_owner = open_keyring(blobs, key).take();
  auto slot = make_slot(keys_of_owner, {"writer", keys::Grant::write, clock.now()}, writer_key,
                        {.passes = 1, .memory_bytes = 8192}, *random)
                  .take();
  ASSERT_TRUE(blobs.put(slot_key(slot.id), keys::write_slot(slot)).ok());
  auto old = back_up({{"a", "seen by the owner alone"}});
  auto writer = open_repository(blobs, clock, *random, writer_key, small_budget);
  ASSERT_TRUE(writer.ok()) << writer.error().text();
  EXPECT_EQ((*writer)->snapshot(old.id).error().kind(), ErrorKind::denied);
  clock.advance(Seconds(1));
  auto content = Content{{"a", "seen by the owner alone"}, {"b", noise(1, 300'000)}};
  auto info = write_snapshot(**writer, "data", content, clock.now());
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(info->new_bytes, 300'000u) << "it deduplicates all the same";
  ASSERT_TRUE((*writer)->put_log({"db", 1, 1}, view_of("log"), {}).ok());
  EXPECT_EQ((*writer)->get_log({"db", 1, 1}).error().kind(), ErrorKind::denied);
  EXPECT_EQ(read(info->id), content);
  EXPECT_TRUE(verify().clean()) << describe(verify());
}

}  // namespace
}  // namespace lb::repo
