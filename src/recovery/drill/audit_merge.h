// AuditMerge: the records of an audit's moments become one record: each moment a line, each check
// once over all moments. Pure.
#pragma once

#include <vector>

#include "model/record/drill_record.h"
#include "recovery/drill/moments.h"

namespace lb::drill {

class AuditMerge {
 public:
  explicit AuditMerge(record::DrillRecord& audit) : audit_(audit) {}
  // `sample`: the record of one restore, judged.
  void add(record::DrillRecord sample, Timestamp moment);
  // After the last moment. Gaps in which a moment was tried in vain are named.
  void finish(const std::vector<record::AuditGap>& gaps);

 private:
  struct Merged {
    record::CheckResult result;
    std::size_t ran = 0, passed = 0;
  };
  void add_check(const record::CheckResult& check, Timestamp moment);

  record::DrillRecord& audit_;
  std::vector<Merged> checks_;
};

}  // namespace lb::drill
