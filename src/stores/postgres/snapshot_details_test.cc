#include "stores/postgres/snapshot_details.h"

#include "stores/postgres/source.h"

namespace lb::pg {
namespace {

SnapshotDetails sample() {
  SnapshotDetails details;
  details.system_identifier = "7234567890123456789";
  details.server_version = 150018;
  details.timeline = 3;
  details.start_lsn = 0x100000028;
  details.stop_lsn = 0x1FFFFFFFF;
  details.segment_bytes = 1 << 20;
  details.checksums = details.hints_logged = true;
  details.log_id = "db-7234567890123456789";
  details.data_bytes = 12345678901;
  details.tablespaces = {{16500, "fast \"ssd\"", "/mnt/fast ssd"}};
  details.bad_pages = {"base/5/16384 block 12"};
  return details;
}

TEST(SnapshotDetails, RoundTrip) {
  const auto back = decode_details(encode(sample()).dump());
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(encode(back.value()), encode(sample()));
  EXPECT_EQ(back->start_lsn, 0x100000028u);
  EXPECT_EQ(back->tablespaces[0].location, "/mnt/fast ssd");
}

TEST(SnapshotDetails, RefusesWhatCannotBe) {
  const auto broken = [](const char* name, Json value) {
    return decode_details(encode(sample()).set(name, std::move(value)).dump()).ok();
  };
  EXPECT_FALSE(broken("start_lsn", "nonsense"));
  EXPECT_FALSE(broken("timeline", -1));
  EXPECT_FALSE(broken("segment_bytes", 5000000));
  EXPECT_FALSE(broken("segment_bytes", 4096));
  EXPECT_FALSE(broken("system_identifier", ""));
  EXPECT_FALSE(decode_details("{").ok());
  EXPECT_TRUE(broken("unknown", "ignored"));
}

TEST(FileAttributes, RoundTripAndEveryCut) {
  const FileAttributes link{FileAttributes::Kind::symlink, 0777, -5, "/mnt/x"};
  const Buffer bytes = encode(link);
  const auto back = decode_attributes(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->kind, link.kind);
  EXPECT_EQ(back->mode, 0777u);
  EXPECT_EQ(back->mtime, -5);
  EXPECT_EQ(back->link_target, "/mnt/x");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_attributes(ByteView(bytes).first(size)).ok()) << size;
  }
  Buffer unknown = bytes;
  unknown[0] = 9;
  EXPECT_FALSE(decode_attributes(unknown).ok());
}

}  // namespace
}  // namespace lb::pg
