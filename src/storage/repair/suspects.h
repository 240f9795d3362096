// Which objects are damaged or missing, and who has them whole. The reading half of a repair.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "storage/repair/repair.h"
#include "storage/repo/chunk_map.h"
#include "storage/repo/core.h"

namespace lb::repair {

enum class Condition { whole, damaged, missing };

struct Suspect {
  std::string problem;
  std::vector<std::string> affected;
};

// The verdicts that count, as far as they can be read.
struct Verdicts {
  std::map<std::string, repo::StoredPack> packs;  // that some snapshot needs, by name
  std::set<std::string> sessions;                 // with a verdict of either kind
};
// With `sources`: as it will be when those that are damaged or missing here came back from there.
Result<Verdicts> read_verdicts(const repo::Core& core, std::stop_token stop,
                               const std::vector<Source>& sources = {});

// Gets the object and proves it. An error only when the store does not answer.
Result<Condition> condition_of(const repo::Core& core, const std::string& key);

// The object as it lies there. nullopt: it is damaged so that it cannot even be read, by a bad
// sector for example. not_found: it is missing. Other errors: the store does not answer.
Result<std::optional<Buffer>> read_here(BlobStore& store, const std::string& key);

// The bytes as the first source has them whole, and its place in the list. nullopt: none has.
struct Found {
  std::size_t source = 0;
  Buffer bytes;
};
std::optional<Found> find_whole(const repo::Core& core, const std::string& key,
                                const std::vector<Source>& sources);

// The packs a verdict needs that are not here whole: with the verdict they must come back.
void add_packs(const repo::Core& core, const std::string& verdict_key, ByteView verdict,
               std::map<std::string, Suspect>& out);

// Objects that a source has and the repository has not, and that were not removed on purpose:
// verdicts, the packs these need, logs, records.
Result<std::map<std::string, Suspect>> lost_here(const repo::Core& core, const Verdicts& verdicts,
                                                 const std::vector<Source>& sources,
                                                 std::vector<std::string>& sources_unread);

}  // namespace lb::repair
