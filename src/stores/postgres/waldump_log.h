// WaldumpLog: the log a real server of a test wrote, as bytes and as pg_waldump tells it. For tests
// only.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "foundation/base/text.h"
#include "foundation/sys/process.h"
#include "stores/postgres/lsn.h"
#include "tests/harness/postgres_server.h"

namespace lb::pg {

// Segments [first, last] of one timeline, one behind the other.
inline Buffer whole_log(const test::PostgresServer& server, std::uint64_t first, std::uint64_t last,
                        std::uint64_t segment_bytes, std::uint32_t timeline = 1) {
  Buffer log;
  for (auto number = first; number <= last; ++number) {
    const auto path = cat(server.data(), "/pg_wal/", segment_name(timeline, number, segment_bytes));
    std::ifstream file(path, std::ios::binary);
    log.insert(log.end(), std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return log;
}

// The lines of pg_waldump, one a record, from the start of segment `first` of timeline 1 on. Files
// are named: by itself pg_waldump takes the size of segments from any file of the folder, which
// may be one that the server keeps ready and has not written.
inline std::vector<std::string> dump_log(const test::PostgresServer& server, std::uint64_t first,
                                         Lsn until, std::uint64_t segment_bytes) {
  Command command;
  command.argv = {test::PostgresServer::binaries() + "/pg_waldump",
                  "-p",
                  server.data() + "/pg_wal",
                  "-s",
                  format_lsn(first * segment_bytes),
                  "-e",
                  format_lsn(until),
                  segment_name(1, first, segment_bytes),
                  segment_name(1, (until - 1) / segment_bytes, segment_bytes)};
  command.environment = {{"PATH", "/usr/bin:/bin"}};
  command.output_max = 512 << 20;
  auto finished = real_processes()->run(command, Seconds(300), {}).take();
  if (!finished.ok()) throw std::runtime_error("pg_waldump: " + finished.errors);
  std::vector<std::string> lines;
  for (auto& line : split(finished.output, '\n')) {
    if (line.starts_with("rmgr:")) lines.emplace_back(line);
  }
  return lines;
}

}  // namespace lb::pg
