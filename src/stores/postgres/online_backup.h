// OnlineBackup: the server's own bracket around a copy of its files: between start and stop all
// pages that change are in its log whole. Non-exclusive, so that nothing is left behind when the
// connection ends. One thread. Private to stores/postgres.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "stores/postgres/connection.h"
#include "stores/postgres/lsn.h"

namespace lb::pg {

class OnlineBackup {
 public:
  // Waits for a checkpoint. denied: the role may not.
  static Result<std::unique_ptr<OnlineBackup>> start(const Secret& conninfo, bool fast_checkpoint);
  // Without stop(): the server forgets the backup when the connection goes.
  virtual ~OnlineBackup() = default;

  virtual Lsn start_lsn() const = 0;

  struct End {
    Lsn stop = 0;
    std::uint32_t timeline = 0;  // of the start
    std::string label, tablespace_map;
  };
  // The end is written to the log; the label tells a server to replay up to it.
  virtual Result<End> stop() = 0;
};

// "START TIMELINE: 3" of a backup label.
Result<std::uint32_t> timeline_of_label(std::string_view label);

}  // namespace lb::pg
