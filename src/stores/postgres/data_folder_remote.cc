// The data directory through pg_ls_dir, pg_stat_file and pg_read_binary_file: superusers may use
// them, and roles in pg_read_server_files that were granted EXECUTE.
#include <algorithm>
#include <mutex>

#include "foundation/base/text.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/data_folder.h"

namespace lb::pg {
namespace {

constexpr std::uint64_t bytes_at_once = 2 << 20;  // in one answer
constexpr std::size_t ranges_at_once = 512;

constexpr const char* sql_list =
    "SELECT f.name, s.size, s.isdir, extract(epoch FROM s.modification)::bigint "
    "FROM pg_catalog.pg_ls_dir($1, true, false) AS f(name), "
    "LATERAL pg_catalog.pg_stat_file($1 || '/' || f.name, true) AS s WHERE s.size IS NOT NULL";

constexpr const char* sql_read =
    "SELECT pg_catalog.pg_read_binary_file($1, r.o, r.l, true) "
    "FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS r(o, l, n) ORDER BY r.n";

// Connections that are not in use; each thread takes one while it reads.
class Pool {
 public:
  explicit Pool(Secret conninfo) : conninfo_(std::move(conninfo)) {}

  Result<std::unique_ptr<Connection>> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    return Connection::open(conninfo_);
  }
  void give_back(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }

 private:
  const Secret conninfo_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

std::string array_of(std::span<const DataRange> ranges, std::uint64_t DataRange::*field) {
  std::string out = "{";
  for (const DataRange& range : ranges) {
    if (out.size() > 1) out += ',';
    out += std::to_string(range.*field);
  }
  return out + "}";
}

class RemoteFile final : public DataFile {
 public:
  RemoteFile(Pool& pool, std::string path) : pool_(pool), path_(std::move(path)) {}

  Status read(std::span<const DataRange> ranges, const Take& take) override {
    while (!ranges.empty()) {
      std::size_t count = 0;
      std::uint64_t bytes = 0;
      while (count < std::min(ranges.size(), ranges_at_once) &&
             (count == 0 || bytes + ranges[count].length <= bytes_at_once)) {
        bytes += ranges[count++].length;
      }
      LB_TRY(read_some(ranges.first(count), take));
      ranges = ranges.subspan(count);
    }
    return {};
  }

 private:
  Status read_some(std::span<const DataRange> ranges, const Take& take) {
    std::unique_ptr<Connection> connection = LB_TRY(pool_.take());
    auto asked = connection->query_binary(sql_read, {path_, array_of(ranges, &DataRange::offset),
                                                     array_of(ranges, &DataRange::length)});
    pool_.give_back(std::move(connection));
    QueryResult got = LB_TRY(std::move(asked));
    if (got.rows.size() != ranges.size())
      return Error(ErrorKind::internal, "the server answered with other ranges than asked for");
    for (std::size_t n = 0; n < ranges.size(); ++n) {
      std::optional<std::string>& bytes = got.rows[n][0];
      if (!bytes) return Error(ErrorKind::not_found, cat(printable(path_), " is gone"));
      if (bytes->size() > ranges[n].length)
        return Error(ErrorKind::internal, "the server answered with more than asked for");
      LB_TRY(take(ranges[n], bytes_of(*bytes)));
    }
    return {};
  }

  static MutableBytes bytes_of(std::string& text) {
    return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
  }

  Pool& pool_;
  const std::string path_;
};

class RemoteFolder final : public DataFolder {
 public:
  explicit RemoteFolder(Secret conninfo) : pool_(std::move(conninfo)) {}

  Result<std::vector<DataEntry>> list(const std::string& path) override {
    std::unique_ptr<Connection> connection = LB_TRY(pool_.take());
    std::vector<DataEntry> out;
    const auto take = [&](const QueryRow& row) -> Status {
      DataEntry entry;
      entry.name = row[0].value_or("");
      entry.size = LB_TRY(parse_uint(row[1].value_or("0")));
      const bool folder = row[2] == "t";
      // The server follows links. In pg_tblspc there is nothing else.
      entry.kind = folder ? FileAttributes::Kind::directory : FileAttributes::Kind::file;
      if (folder && path == "pg_tblspc") entry.kind = FileAttributes::Kind::symlink;
      entry.mode = folder ? 0700 : 0600;
      entry.mtime = LB_TRY(parse_int(row[3].value_or("0")));
      out.push_back(std::move(entry));
      return {};
    };
    // Row by row: a folder of relations may have any number of files.
    const Status listed = connection->each_row(sql_list, {path.empty() ? "." : path}, take);
    pool_.give_back(std::move(connection));
    LB_TRY(Status(listed));
    std::sort(out.begin(), out.end(),
              [](const DataEntry& a, const DataEntry& b) { return a.name < b.name; });
    return out;
  }

  // Whether it is there shows when it is read.
  Result<std::unique_ptr<DataFile>> open(const std::string& path) override {
    return std::unique_ptr<DataFile>(std::make_unique<RemoteFile>(pool_, path));
  }

 private:
  Pool pool_;
};

}  // namespace

std::unique_ptr<DataFolder> remote_data_folder(const Secret& conninfo) {
  return std::make_unique<RemoteFolder>(conninfo.clone());
}

}  // namespace lb::pg
