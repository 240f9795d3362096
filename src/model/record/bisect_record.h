// BisectRecord: what one search for the last clean moment of a store or a group found, with every
// restore that was tried for it. Plain values, encoded as versioned JSON (schema
// "lifeboat.bisect/1").
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/codec/json.h"

namespace lb::record {

// Where one store stood.
struct BisectStore {
  std::string store, kind;
  std::string point;  // the base: a snapshot id
  Timestamp point_taken{};
  std::string lsn;                   // postgres: what was replayed up to
  std::optional<Timestamp> reached;  // the newest commit, or the state of the files
};

// One position, restored and checked. An undecided one says nothing about the data.
struct BisectProbe {
  std::string words;   // "point 06FQ0KZ4", "LSN 0/5A3F28", a time
  std::string answer;  // "good", "bad", "undecided"
  std::string reason;
  Timestamp at{};  // the moment it stands for
  Timestamp started{};
  Micros took{0};
  std::vector<BisectStore> stores;
};

struct BisectRecord {
  std::string id, system, started_by, host, version;
  std::string run;      // of the runbook that asked; empty: a person did
  std::string subject;  // "db", "group app"
  std::string check;    // as it was asked for
  std::vector<std::string> stores;
  Timestamp started{}, ended{};
  // A probe passed at that very point. `clean_words` bring it back: a time, "point ID", "lsn X".
  std::optional<BisectProbe> clean, first_bad;
  std::string clean_words;
  std::string transaction;  // between the two, when it was found
  bool narrowed = false;    // nothing that could be decided is left between the two
  std::string reason;       // the result, in one sentence
  std::vector<std::string> warnings;
  std::vector<BisectProbe> probes;  // in the order they were made
};

Json encode(const BisectRecord& record);
Result<BisectRecord> decode_bisect(const Json& json);  // corrupt on a wrong schema
Json encode(const BisectProbe& probe);
Result<BisectProbe> decode_bisect_probe(const Json& json);

}  // namespace lb::record
