// The log of searches for last clean moments: records of kind "bisect" in the repository. Each
// probe that a run's step makes is a record of kind "bisect-probe" at once, so that the step goes
// on where it was killed, on any machine, instead of restoring everything anew.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/record/bisect_record.h"
#include "storage/repo/repository.h"

namespace lb::state {

Status put_bisect(repo::Repository& repository, const record::BisectRecord& record);
// Oldest first. One that cannot be read is an error: what was found clean or bad must not be
// forgotten silently.
Result<std::vector<record::BisectRecord>> bisects(repo::Repository& repository);

Status put_bisect_probe(repo::Repository& repository, const std::string& series,
                        const record::BisectProbe& probe);
// The probes of a series made since `since`, by their words.
Result<std::map<std::string, record::BisectProbe>> bisect_probes(repo::Repository& repository,
                                                                 const std::string& series,
                                                                 Timestamp since);

}  // namespace lb::state
