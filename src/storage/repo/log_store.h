// LogStore: the log objects of a repository: whole segments, tails of a segment that is still being
// written, timeline histories. docs/format.md, "Logs". Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/repo/core.h"
#include "storage/repo/types.h"

namespace lb::repo {

// The beginning of a log object's first frame; the summary follows it.
struct LogHead {
  std::uint64_t offset = 0;  // where the data starts in the segment
  std::uint64_t bytes = 0;   // of data
  bool follows = false;      // the segment before was in the repository when this one came
  Buffer summary;
  bool has_detail = false;  // the frame behind this one is not data yet
};
Buffer encode_log_head(const LogHead& head);
Result<LogHead> decode_log_head(ByteView bytes);

// What a key below w/ names.
struct LogKey {
  enum class Kind { segment, tail, history };
  LogName name;
  Kind kind = Kind::segment;
  std::uint64_t offset = 0;  // of a tail
};
std::optional<LogKey> parse_log_key(std::string_view key);

class LogStore {
 public:
  explicit LogStore(const Core& core) : core_(core) {}

  // `detail` may be large; empty: none, and one above 64 MiB is left out. It is not looked at when
  // the segment is there already. conflict: it is there with other content; a key that may only
  // write cannot tell, and puts it beside as a tail.
  Status put(const LogName& name, ByteView bytes, ByteView summary, ByteView detail);
  Status put_tail(const LogName& name, std::uint64_t offset, ByteView bytes, ByteView summary);
  Result<std::vector<LogInfo>> list(const std::string& log_id);
  Result<std::vector<std::string>> ids();
  Result<Buffer> get(const LogName& name);
  Result<Buffer> summary(const LogName& name);
  // Of a whole segment, read without its data. nullopt: it was put without, or is not whole yet.
  Result<std::optional<Buffer>> detail(const LogName& name);
  Status put_history(const std::string& log_id, std::uint32_t timeline, ByteView bytes);
  Result<std::optional<Buffer>> history(const std::string& log_id, std::uint32_t timeline);

 private:
  struct Tail {
    std::string key;
    LogHead head;
    std::uint64_t end() const { return head.offset + head.bytes; }
  };
  Status put_sealed(const std::string& key, const LogHead& head, ByteView bytes,
                    ByteView detail = {});
  Result<Buffer> open_data(const std::string& key);
  Result<LogHead> open_head(const std::string& key);
  // Those that extend the segment from its start without a gap, in order.
  Result<std::vector<Tail>> chain(const LogName& name);
  void remember_tail(const LogName& name, const std::string& key);
  bool look_for_tails(const LogName& name);
  void remove_tails(const LogName& name);

  const Core& core_;
  std::mutex mutex_;
  // Keys of the tails of a timeline: what was there at the first look, and what was put here since.
  // Whoever puts tails beside us removes them too; a timeline of years is not listed each time.
  std::map<std::string, std::set<std::string>> tails_;
};

// Head and data of an opened object; corrupt when they contradict each other.
struct LogObject {
  LogHead head;
  Buffer data;
};
Result<LogObject> open_log_object(const Keyring& keys, const std::string& key, ByteView object);

}  // namespace lb::repo
