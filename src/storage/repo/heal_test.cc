// What is damaged here and whole in a copy is read from the copy, and told.
#include <gtest/gtest.h>

#include "storage/blob/fault_blob_store.h"
#include "storage/blob/healing_blob_store.h"
#include "storage/repo/test_repository.h"

namespace lb::repo {
namespace {

// Hands out a store that belongs to the test.
class Borrowed final : public BlobStore {
 public:
  explicit Borrowed(BlobStore& inner) : inner_(inner) {}
  Status put(const std::string& key, ByteView bytes) override { return inner_.put(key, bytes); }
  Status flush() override { return inner_.flush(); }
  Result<Buffer> get(const std::string& key) override { return inner_.get(key); }
  Result<Buffer> get_range(const std::string& key, std::uint64_t offset,
                           std::uint64_t size) override {
    return inner_.get_range(key, offset, size);
  }
  Result<BlobInfo> info(const std::string& key) override { return inner_.info(key); }
  Result<std::vector<BlobInfo>> list(const std::string& prefix, const std::string& after) override {
    return inner_.list(prefix, after);
  }
  Status remove(const std::string& key) override { return inner_.remove(key); }
  std::string describe() const override { return inner_.describe(); }

 private:
  BlobStore& inner_;
};

class Healing : public MemoryRepository {
 protected:
  Healing() {
    content = {{"a", noise(1, 300'000)}, {"b", noise(2, 1000)}};
    id = back_up(content).id;
    for (std::uint64_t n = 4; n < 7; ++n) {
      EXPECT_TRUE(repository->put_log({"db", 1, n}, view_of(noise(n, 3000)), {}).ok());
    }
    EXPECT_TRUE(repository->put_history("db", 2, view_of("1\t0/1\n")).ok());
    EXPECT_TRUE(repository->put_record("drill", "r1", view_of("record one")).ok());
    for (const auto& name : keys()) {
      for (auto* copy : {&near, &far}) EXPECT_TRUE(copy->put(name, blobs.get(name).take()).ok());
    }
  }

  CopySource source(const std::string& name, BlobStore& store) {
    return {name, [&store]() -> Result<std::unique_ptr<BlobStore>> {
              return std::unique_ptr<BlobStore>(std::make_unique<Borrowed>(store));
            }};
  }
  HealingBlobStore healing() {
    return HealingBlobStore(blobs, {source("near", near), source("far", far)}, {});
  }

  void spoil(MemoryBlobStore& store, const std::string& object, int how, std::size_t at) {
    auto bytes = store.get(object).take();
    if (how == 0) bytes[at] ^= 1;
    if (how == 1) bytes.resize(bytes.size() / 2);
    if (how < 2) store.tamper(object, bytes);
    if (how == 2) {
      EXPECT_TRUE(store.remove(object).ok());
    }
  }

  void expect_all_there(HealingBlobStore& store, const std::string& where) {
    auto repo = open(store);
    ASSERT_NE(repo, nullptr) << where;
    auto got = read_snapshot(*repo, id);
    ASSERT_TRUE(got.ok()) << where << got.error().text();
    EXPECT_EQ(*got, content) << where;
    for (std::uint64_t n = 4; n < 7; ++n) {
      EXPECT_EQ(text_of(repo->get_log({"db", 1, n}).value()), noise(n, 3000)) << where;
    }
    EXPECT_EQ(repo->logs("db")->size(), 3u) << where;
    EXPECT_EQ(text_of(repo->get_history("db", 2).value().value()), "1\t0/1\n") << where;
    EXPECT_EQ(text_of(repo->get_record("drill", "r1").value()), "record one") << where;
  }

  MemoryBlobStore near, far;
  Content content;
  std::string id;
};

TEST_F(Healing, EveryDamageIsHealedAndTold) {
  for (const auto& object : keys()) {
    if (object.starts_with("i/") || object.starts_with("x/")) continue;  // no read needs them
    auto good = blobs.get(object).take();
    for (int how = 0; how < 3; ++how) {
      auto where = cat(object, " way ", how, ": ");
      spoil(blobs, object, how, good.size() / 2);
      auto store = healing();
      expect_all_there(store, where);
      auto healed = store.all_healed();
      bool slot = object.starts_with("k/");  // opening is healed as a whole
      ASSERT_EQ(healed.size(), 1u) << where;
      EXPECT_EQ(healed.begin()->first, slot ? "repo" : object) << where;
      EXPECT_EQ(healed.begin()->second, "near") << where;
      if (how == 2) {
        EXPECT_TRUE(blobs.put(object, good).ok());
      }
      blobs.tamper(object, good);
      if (HasFailure()) return;
    }
  }
  auto store = healing();
  expect_all_there(store, "whole: ");
  EXPECT_TRUE(store.all_healed().empty());
}

// Different frames of one pack are damaged in each place, the trailer in another: what is whole
// anywhere is found.
TEST_F(Healing, DamageInSeveralPlacesIsHealedFrameByFrame) {
  auto pack = keys("p/").front();
  auto size = blobs.get(pack)->size();
  spoil(blobs, pack, 0, 100);
  spoil(blobs, pack, 0, size - 100);
  spoil(near, pack, 1, 0);
  auto store = healing();
  expect_all_there(store, "apart: ");
  EXPECT_EQ(store.all_healed(), (std::map<std::string, std::string>{{pack, "far"}}));
}

TEST_F(Healing, WhatIsDamagedEverywhereIsStillDamaged) {
  auto pack = keys("p/").front();
  for (auto* place : {&blobs, &near, &far}) spoil(*place, pack, 0, 100);
  auto store = healing();
  auto got = read_snapshot(*open(store), id);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().exit_code(), ExitCode::damaged);
  EXPECT_TRUE(store.all_healed().empty());
}

TEST_F(Healing, AStoreThatFailsIsHealedToo) {
  FaultBlobStore failing(blobs, {.lasting = true, .prefix = "p/"});
  HealingBlobStore store(failing, {source("near", near)}, {});
  EXPECT_EQ(read_snapshot(*open(store), id).value(), content);
}

TEST_F(Healing, ACopyThatCannotBeOpenedIsToldOnceAndPassedOver) {
  spoil(blobs, keys("p/").front(), 0, 100);
  std::vector<std::string> told;
  CopySource broken{"broken", []() -> Result<std::unique_ptr<BlobStore>> {
                      return Error(ErrorKind::unavailable, "no route");
                    }};
  HealingBlobStore store(blobs, {broken, source("far", far)},
                         [&](const std::string& line) { told.push_back(line); });
  expect_all_there(store, "one broken: ");
  EXPECT_EQ(told, std::vector<std::string>{"the copy broken cannot be asked: no route"});
  EXPECT_EQ(store.all_healed().begin()->second, "far");
}

TEST_F(Healing, ACopyIsNotOpenedWithoutNeed) {
  CopySource never{"never", []() -> Result<std::unique_ptr<BlobStore>> {
                     ADD_FAILURE() << "opened";
                     return Error(ErrorKind::unavailable, "no route");
                   }};
  HealingBlobStore store(blobs, {never}, {});
  EXPECT_EQ(read_snapshot(*open(store), id).value(), content);
}

}  // namespace
}  // namespace lb::repo
