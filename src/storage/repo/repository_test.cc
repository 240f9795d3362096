#include "storage/repo/repository.h"

#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "foundation/base/text.h"
#include "foundation/sys/clock.h"
#include "storage/blob/memory_blob_store.h"
#include "storage/keys/text_object.h"
#include "storage/repo/core.h"
#include "storage/repo/format.h"

namespace lb::repo {
namespace {

std::string noise(std::uint64_t seed, std::size_t size) {
  auto random = seeded_random(seed);
  auto bytes = random->bytes(size);
  return std::string(text_of(bytes));
}

class RepositoryTest : public testing::Test {
 protected:
  RepositoryTest() : clock(parse_time("2026-01-13T02:00:00Z").take()), random(seeded_random(1)) {
    auto made = init_repository(blobs, clock, *random, key, cheap);
    EXPECT_TRUE(made.ok()) << made.error().text();
    repository = reopen();
  }
  std::unique_ptr<Repository> reopen() {
    auto opened = open_repository(blobs, clock, *random, key, small);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return std::move(opened).take();
  }
  SnapshotInfo back_up(const std::map<std::string, std::string>& content,
                       SnapshotReader* parent = nullptr, Cut cut = Cut::content) {
    clock.advance(Seconds(1));
    auto writer = repository->begin("data", parent, {}).take();
    for (auto row = content.rbegin(); row != content.rend(); ++row) {  // not in key order
      auto stream = writer->open(row->first, cut).take();
      for (std::size_t at = 0; at < row->second.size(); at += 100000) {
        EXPECT_TRUE(stream->write(view_of(std::string_view(row->second).substr(at, 100000))).ok());
      }
      EXPECT_TRUE(stream->finish(Buffer{1, 2, 3}).ok());
    }
    EXPECT_TRUE(writer->attach("note", view_of("attached")).ok());
    SnapshotMeta meta;
    meta.store = "data";
    meta.kind = "files";
    meta.taken = clock.now();
    meta.details = "{}";
    auto info = writer->commit(meta);
    EXPECT_TRUE(info.ok()) << info.error().text();
    return *info;
  }
  std::map<std::string, std::string> read_all(const std::string& id) {
    auto snapshot = repository->snapshot(id).take();
    std::vector<Row> rows;
    auto cursor = snapshot->rows({}).take();
    for (;;) {
      auto row = cursor->next();
      EXPECT_TRUE(row.ok()) << row.error().text();
      if (!row.ok() || !*row) break;
      EXPECT_EQ((*row)->attributes, (Buffer{1, 2, 3}));
      rows.push_back(std::move(**row));
    }
    struct Sink final : FetchSink {
      explicit Sink(const std::vector<Row>& rows) : content(rows.size()), finished(rows.size()) {
        for (std::size_t i = 0; i < rows.size(); ++i) content[i].resize(rows[i].size);
      }
      Status data(std::size_t row, std::uint64_t offset, ByteView bytes) override {
        std::lock_guard lock(mutex);
        std::copy(bytes.begin(), bytes.end(),
                  content[row].begin() + static_cast<std::ptrdiff_t>(offset));
        return {};
      }
      Status done(std::size_t row) override {
        std::lock_guard lock(mutex);
        ++finished[row];
        return {};
      }
      std::mutex mutex;
      std::vector<std::string> content;
      std::vector<int> finished;
    } sink(rows);
    auto fetched = snapshot->fetch(rows, sink, 3, {});
    EXPECT_TRUE(fetched.ok()) << fetched.error().text();
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(sink.finished[i], 1) << rows[i].key;
      out[rows[i].key] = sink.content[i];
    }
    return out;
  }

  static constexpr InitOptions cheap{1, 8192};
  static constexpr OpenOptions small{.workers = 2, .memory_bytes = 4 << 20};  // packs of 1.3 MB
  Secret key{std::string_view("correct horse battery staple")};
  MemoryBlobStore blobs;
  SimClock clock;
  std::unique_ptr<Random> random;
  std::unique_ptr<Repository> repository;
};

std::map<std::string, std::string> sample() {
  std::map<std::string, std::string> content;
  for (int i = 0; i < 500; ++i)
    content[cat("small/", i)] =
        noise(static_cast<std::uint64_t>(i), static_cast<std::size_t>(i) * 7);
  content["empty"] = "";
  content["large"] = noise(77, 5'000'000);
  content["text"] = std::string(1'000'000, 'x');
  return content;
}

TEST_F(RepositoryTest, GivesBackWhatItWasGiven) {
  auto content = sample();
  auto info = back_up(content);
  EXPECT_EQ(info.rows, content.size());
  repository = reopen();
  auto all = repository->snapshots();
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ(all->front().id, info.id);
  EXPECT_EQ(read_all(info.id), content);
  auto snapshot = repository->snapshot(info.id).take();
  EXPECT_EQ(text_of(**snapshot->attachment("note")), "attached");
  auto row = snapshot->find("large").take();
  ASSERT_TRUE(row.has_value());
  auto piece = snapshot->read(*row, 1'234'567, 300'000).take();
  EXPECT_EQ(text_of(piece), std::string_view(content["large"]).substr(1'234'567, 300'000));
  EXPECT_FALSE(snapshot->find("nothing").take().has_value());
  auto same = [&](const std::string& bytes) {
    return snapshot
        ->same_content(*row,
                       [&](MutableBytes out, std::uint64_t offset) -> Result<std::size_t> {
                         if (offset >= bytes.size()) return std::size_t{0};
                         auto size = std::min<std::size_t>(out.size(), bytes.size() - offset);
                         std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), size,
                                     out.begin());
                         return size;
                       })
        .take();
  };
  EXPECT_TRUE(same(content["large"]));
  auto changed = content["large"];
  changed[4'000'000] = static_cast<char>(changed[4'000'000] ^ 1);
  EXPECT_FALSE(same(changed));
  EXPECT_FALSE(same(content["large"] + "x"));
}

TEST_F(RepositoryTest, StoresNothingTwice) {
  auto content = sample();
  back_up(content);
  auto again = back_up(content);
  EXPECT_EQ(again.new_bytes, 0u);
  EXPECT_LT(again.stored_bytes, 20'000u) << "an unchanged table costs next to nothing";
  content["large"].insert(2'000'000, "a few bytes in the middle");
  auto changed = back_up(content);
  EXPECT_GT(changed.new_bytes, 0u);
  EXPECT_LT(changed.new_bytes, 600'000u) << "an insertion moves few borders";
  EXPECT_EQ(read_all(changed.id), content);
}

TEST_F(RepositoryTest, ReusesTheParentsContentUnread) {
  auto content = sample();
  auto first = back_up(content);
  auto parent = repository->snapshot(first.id).take();
  auto writer = repository->begin("data", parent.get(), {}).take();
  auto cursor = parent->rows({}).take();
  while (auto row = cursor->next().take()) ASSERT_TRUE(writer->reuse(*row, Buffer{1, 2, 3}).ok());
  SnapshotMeta meta;
  meta.store = "data";
  auto info = writer->commit(meta).take();
  EXPECT_EQ(info.new_bytes, 0u);
  EXPECT_EQ(info.meta.parent, first.id);
  EXPECT_EQ(read_all(info.id), content);
}

TEST_F(RepositoryTest, TheOutlineCountsTheRowsOfEveryBlock) {
  std::map<std::string, std::string> content;
  for (std::uint64_t i = 0; i < 3000; ++i) content[cat("file ", 10000 + i)] = cat("content ", i);
  auto snapshot = repository->snapshot(back_up(content).id).take();
  auto outline = snapshot->outline();
  ASSERT_GT(outline.size(), 2u);
  auto expected = content.begin();
  for (std::size_t i = 0; i < outline.size(); ++i) {
    auto rows = snapshot->block_rows(i).take();
    ASSERT_EQ(rows.size(), outline[i].rows);
    EXPECT_EQ(rows.front().key, outline[i].first_key);
    for (const auto& row : rows) EXPECT_EQ(row.key, (expected++)->first);
  }
  EXPECT_EQ(expected, content.end());
  EXPECT_EQ(snapshot->block_rows(outline.size()).error().kind(), ErrorKind::invalid);
}

TEST_F(RepositoryTest, PagesAndHoles) {
  auto content = std::map<std::string, std::string>{{"base/1", noise(5, 1'000'000)}};
  EXPECT_EQ(read_all(back_up(content, nullptr, Cut::pages).id), content);
  auto writer = repository->begin("data", nullptr, {}).take();
  auto stream = writer->open("sparse", Cut::content).take();
  ASSERT_TRUE(stream->hole(1 << 20).ok());
  ASSERT_TRUE(stream->write(view_of("in the middle")).ok());
  ASSERT_TRUE(stream->hole(1 << 20).ok());
  ASSERT_TRUE(stream->finish({1, 2, 3}).ok());
  auto info = writer->commit({}).take();
  EXPECT_EQ(info.logical_bytes, 13u);
  auto expected = std::string(1 << 20, '\0') + "in the middle" + std::string(1 << 20, '\0');
  EXPECT_EQ(read_all(info.id).at("sparse"), expected);
}

TEST_F(RepositoryTest, UncommittedSessionsAreInvisibleAndTheirChunksReused) {
  auto content = sample();
  {
    auto writer = repository->begin("data", nullptr, {}).take();
    for (std::uint64_t i = 0; i < 30; ++i) {
      auto stream = writer->open(cat("x", i), Cut::content).take();
      ASSERT_TRUE(stream->write(view_of(noise(1000 + i, 1'000'000))).ok());
      ASSERT_TRUE(stream->finish({}).ok());
    }
  }
  EXPECT_TRUE(repository->snapshots()->empty());
  auto writer = repository->begin("data", nullptr, {}).take();
  auto stream = writer->open("x0", Cut::content).take();
  ASSERT_TRUE(stream->write(view_of(noise(1000, 1'000'000))).ok());
  ASSERT_TRUE(stream->finish({}).ok());
  auto info = writer->commit({}).take();
  EXPECT_EQ(info.new_bytes, 0u) << "an interrupted first backup goes on by deduplication";
}

TEST_F(RepositoryTest, LogsTailsAndRecords) {
  LogName name{"db-7123", 1, 5};
  auto segment = noise(9, 3'000'000);
  auto part = std::string_view(segment);
  ASSERT_TRUE(repository->put_log_tail(name, 0, view_of(part.substr(0, 1000)), view_of("s1")).ok());
  ASSERT_TRUE(
      repository->put_log_tail(name, 1000, view_of(part.substr(1000, 500)), view_of("s2")).ok());
  auto listed = repository->logs("db-7123").take();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_FALSE(listed[0].complete);
  EXPECT_EQ(listed[0].durable_bytes, 1500u);
  EXPECT_EQ(text_of(*repository->get_log(name)), part.substr(0, 1500));
  EXPECT_EQ(text_of(*repository->get_log_summary(name)), "s2");
  ASSERT_TRUE(repository->put_log(name, view_of(segment), view_of("whole")).ok());
  EXPECT_TRUE(repository->put_log(name, view_of(segment), view_of("whole")).ok())
      << "the same again is fine";
  auto other = repository->put_log(name, view_of("something else"), {});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().kind(), ErrorKind::conflict);
  listed = repository->logs("db-7123").take();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_TRUE(listed[0].complete);
  EXPECT_EQ(text_of(*repository->get_log(name)), segment);
  EXPECT_EQ(text_of(*repository->get_log_summary(name)), "whole");
  EXPECT_EQ(repository->log_ids().take(), std::vector<std::string>{"db-7123"});
  EXPECT_FALSE(repository->get_history("db-7123", 2)->has_value());
  ASSERT_TRUE(repository->put_history("db-7123", 2, view_of("1\t0/5000\twhy\n")).ok());
  EXPECT_EQ(text_of(**repository->get_history("db-7123", 2)), "1\t0/5000\twhy\n");

  ASSERT_TRUE(repository->put_record("drill", "a1", view_of("one")).ok());
  ASSERT_TRUE(repository->put_record("drill", "a2", view_of("two")).ok());
  EXPECT_EQ(repository->records("drill").take(), (std::vector<std::string>{"a1", "a2"}));
  EXPECT_EQ(text_of(*repository->get_record("drill", "a2")), "two");
  EXPECT_TRUE(repository->verify({}, {}, {})->clean());
}

TEST_F(RepositoryTest, WrongKeyAndNoRepository) {
  Secret wrong{std::string_view("incorrect horse")};
  auto opened = open_repository(blobs, clock, *random, wrong);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().exit_code(), ExitCode::wrong_key);
  MemoryBlobStore empty;
  auto none = open_repository(empty, clock, *random, key);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().exit_code(), ExitCode::no_repository);
  auto twice = init_repository(blobs, clock, *random, key, cheap);
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().kind(), ErrorKind::conflict);
}

// `repo` is text that anybody may write who may write to the store.
TEST_F(RepositoryTest, AnExchangedRepoObjectIsRefused) {
  auto object = blobs.get(repo_key).take();
  auto text = keys::read_text_object(object)->dump();
  auto open_with = [&](const std::string& before, const std::string& after) {
    auto at = text.find(before);
    EXPECT_NE(at, std::string::npos) << text;
    auto changed = text;
    blobs.tamper(repo_key, keys::write_text_object(changed.replace(at, before.size(), after)));
    auto opened = open_repository(blobs, clock, *random, key, {});
    EXPECT_FALSE(opened.ok());
    return opened.ok() ? Error(ErrorKind::internal, "opened") : opened.error();
  };
  auto public_key = to_hex(repository->core()->keys.public_key);
  auto other = public_key;
  other[0] = other[0] == '0' ? '1' : '0';
  for (const auto& error :
       {open_with("\"version\":2", "\"version\":1"), open_with(public_key, other)}) {
    EXPECT_EQ(error.exit_code(), ExitCode::damaged) << error.text();
    EXPECT_NE(error.text().find("it was exchanged"), std::string::npos) << error.text();
  }
  auto newer = open_with("\"version\":2", "\"version\":3");
  EXPECT_EQ(newer.kind(), ErrorKind::unsupported);
  EXPECT_EQ(newer.hint(), "use a newer lifeboat");
  blobs.tamper(repo_key, object);
  EXPECT_TRUE(open_repository(blobs, clock, *random, key, {}).ok());
}

TEST_F(RepositoryTest, VerifyIsCleanAndNamesWhatAFlippedByteHits) {
  auto content = sample();
  back_up(content);
  ASSERT_TRUE(repository->put_log({"db", 1, 1}, view_of("log"), view_of("s")).ok());
  ASSERT_TRUE(repository->put_record("drill", "a", view_of("r")).ok());
  auto clean = repository->verify({}, {}, {}).take();
  EXPECT_TRUE(clean.clean());
  EXPECT_GT(clean.chunks, 500u);
  for (const auto& object : blobs.list("", "").take()) {
    if (object.key == "repo" || object.key.starts_with("k/")) continue;
    auto good = blobs.get(object.key).take();
    for (auto at :
         {std::size_t{0}, good.size() / 3, good.size() / 2, good.size() - 60, good.size() - 1}) {
      auto bad = good;
      bad[at] ^= 0x10;
      blobs.tamper(object.key, bad);
      auto report = reopen()->verify({}, {}, {});
      ASSERT_TRUE(report.ok()) << report.error().text();
      EXPECT_FALSE(report->clean()) << object.key << " byte " << at;
      bool named = false;
      for (const auto& finding : report->findings) named = named || finding.object == object.key;
      EXPECT_TRUE(named) << object.key;
    }
    blobs.tamper(object.key, good);
  }
  EXPECT_TRUE(reopen()->verify({}, {}, {})->clean());
}

}  // namespace
}  // namespace lb::repo
