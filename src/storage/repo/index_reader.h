// Reads the index objects of a repository, each that is not known yet, leaving out those that a
// merged one stands for.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "storage/repo/core.h"
#include "storage/repo/index_object.h"

namespace lb::repo {

class IndexTaker {
 public:
  virtual ~IndexTaker() = default;
  virtual bool covers(const std::string& name) const = 0;  // need not be read
  // A merged index all of whose parts are covered: so is it.
  virtual Status cover(const std::string& name) = 0;
  virtual Status take(const std::string& name, const IndexObject& object) = 0;
};

// What is damaged costs deduplication, never data: it is passed over with a warning.
Status read_indexes(const Core& core, IndexTaker& taker, std::vector<std::string>& warnings,
                    const std::stop_token& stop);

}  // namespace lb::repo
