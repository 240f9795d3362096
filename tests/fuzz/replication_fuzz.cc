// Fuzz target of what a replication connection brings: messages of the log stream, those of a base
// backup with the archives in them, timeline histories; and of the spool that log lies in. The
// first byte picks the door; the rest is cut into messages.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "foundation/base/assert.h"
#include "foundation/base/text.h"
#include "foundation/sys/sim_files.h"
#include "stores/postgres/base_backup.h"
#include "stores/postgres/log_receiver.h"
#include "stores/postgres/log_spool.h"
#include "stores/postgres/timeline_history.h"

namespace {

using lb::ByteView;
using lb::Result;
using lb::Status;

// A server that sends what it is told; never an empty message, as libpq drops those.
class Script final : public lb::pg::ReplicationLink {
 public:
  Script(ByteView input, int version) : input_(input), version_(version) {}

  Result<lb::pg::SystemIdentity> identify() override { return lb::pg::SystemIdentity{}; }
  int server_version() const override { return version_; }
  Result<lb::pg::QueryResult> command(const std::string&) override { return answer(); }
  Result<lb::pg::SlotInfo> slot(const std::string&) override { return lb::pg::SlotInfo{}; }
  Status create_slot(const std::string&, bool) override { return {}; }
  Result<lb::Buffer> history(std::uint32_t) override { return lb::Buffer(); }
  Status send(const std::string&) override { return {}; }
  // Every other time a copy begins, or all is over.
  Result<std::optional<lb::pg::QueryResult>> next_result(std::stop_token) override {
    const auto piece = take();
    if (piece.empty() || piece[0] % 4 == 0) return std::optional<lb::pg::QueryResult>();
    return std::optional(answer_of(piece));
  }
  Result<lb::pg::CopyEvent> next_copy(ByteView& bytes, lb::Micros, std::stop_token) override {
    bytes = take();
    return bytes.empty() ? lb::pg::CopyEvent::ended : lb::pg::CopyEvent::data;
  }
  Status start_log(const std::string&, std::uint32_t, lb::pg::Lsn) override { return {}; }
  Status send_status(lb::pg::Lsn, lb::pg::Lsn, lb::Timestamp) override { return {}; }
  Result<std::optional<lb::pg::NextTimeline>> end_log(std::stop_token) override {
    return std::optional<lb::pg::NextTimeline>();
  }
  void finish_log() override {}

 private:
  ByteView take() {
    if (input_.empty()) return {};
    const auto size = std::min<std::size_t>(input_[0] * std::size_t{4}, input_.size() - 1);
    const auto out = input_.subspan(1, size);
    input_ = input_.subspan(1 + size);
    return out;
  }
  // Rows of as many columns as the first byte says, parted by line ends.
  static lb::pg::QueryResult answer_of(ByteView piece) {
    lb::pg::QueryResult out;
    const std::size_t columns = piece.empty() ? 1 : piece[0] % 4;
    for (const auto& text : lb::split(std::string(lb::text_of(piece)), '\n')) {
      if (out.rows.empty() || out.rows.back().size() >= columns) out.rows.emplace_back();
      out.rows.back().push_back(text == "-" ? std::nullopt : std::optional(text));
    }
    return out;
  }
  lb::pg::QueryResult answer() { return answer_of(take()); }

  ByteView input_;
  int version_;
};

class Received final : public lb::pg::LogSink {
 public:
  Status settle(std::stop_token) override { return {}; }
  Status begin(std::uint32_t, lb::pg::Lsn) override { return {}; }
  Status append(lb::pg::Lsn at, ByteView bytes) override {
    if (at != received_) return lb::Error(lb::ErrorKind::corrupt, "a gap");
    received_ += bytes.size();
    return {};
  }
  Status flush() override { return {}; }
  std::uint32_t timeline() const override { return 1; }
  lb::pg::Lsn received() const override { return received_; }
  lb::pg::Lsn durable() const override { return received_; }
  lb::pg::LogPlace stored() const override { return {1, received_}; }
  std::optional<lb::Timestamp> last_commit() const override { return std::nullopt; }
  Result<bool> full() const override { return false; }

 private:
  lb::pg::Lsn received_ = 0;
};

void receive(ByteView input) {
  Script link(input, 150000);
  Received sink;
  const auto clock = lb::real_clock();
  lb::pg::LogReceiver receiver(link, sink, *clock, 0);
  for (;;) {
    const auto event = receiver.step({}, {});
    if (!event.ok() || *event == lb::pg::CopyEvent::ended) return;
  }
}

// What is begun has a name that stays within the data directory, and ends before the next.
class Entries final : public lb::pg::BaseBackupSink {
 public:
  Status started(const lb::pg::BaseBackupStart&) override { return {}; }
  void progress(std::uint64_t) override {}
  Status manifest(ByteView) override { return {}; }
  Status begin(const lb::pg::TarEntry& entry) override {
    LB_ASSERT(!open_ && !entry.name.starts_with('/'));
    for (const auto& part : lb::split(entry.name, '/')) LB_ASSERT(part != "..");
    open_ = true;
    left_ = entry.size;
    return {};
  }
  Status data(ByteView bytes) override {
    LB_ASSERT(open_ && bytes.size() <= left_);
    left_ -= bytes.size();
    return {};
  }
  Status end() override {
    LB_ASSERT(open_ && left_ == 0);
    open_ = false;
    return {};
  }

 private:
  bool open_ = false;
  std::uint64_t left_ = 0;
};

void base_backup(ByteView input, int version) {
  Script link(input, version);
  Entries entries;
  (void)lb::pg::run_base_backup(link, true, entries, {}).ok();
}

void archive(ByteView input, std::size_t slice) {
  Entries entries;
  lb::pg::TarReader reader(entries);
  for (; !input.empty(); input = input.subspan(std::min(slice, input.size()))) {
    if (!reader.feed(input.first(std::min(slice, input.size()))).ok()) return;
  }
  (void)reader.finish().ok();
}

void spool(ByteView input) {
  constexpr std::uint64_t segment = 1 << 20;
  lb::SimFiles files;
  (void)files.make_directory("/s", 0700).ok();
  auto file = files.create("/s/00000001-0000000000000001.spool", 0600);
  LB_ASSERT(file.ok() && (*file)->append(input).ok());
  (void)lb::pg::LogSpool::segment_bytes_in(files, "/s").ok();
  const auto opened = lb::pg::LogSpool::open(files, "/s", segment, [](const std::string&) {});
  LB_ASSERT(opened.ok());
  auto at = segment;
  for (;;) {
    const auto part = (*opened)->next();
    LB_ASSERT(part.ok());
    if (!*part) return;
    LB_ASSERT((*part)->place.at == at);
    at += (*part)->bytes.size();
    LB_ASSERT(at <= 2 * segment);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView input(data + 2, size - 2);
  switch (data[0] % 5) {
    case 0:
      receive(input);
      break;
    case 1:
      base_backup(input, data[1] % 2 == 0 ? 150000 : 140000);
      break;
    case 2:
      archive(input, std::size_t{data[1]} * 7 + 1);
      break;
    case 3:
      (void)lb::pg::parse_history(data[1], lb::text_of(input)).ok();
      break;
    default:
      spool(input);
  }
  return 0;
}
