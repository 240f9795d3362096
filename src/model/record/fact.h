// Fact: one thing said about something that many look after at once: an incident, a task. Facts
// exclude nothing and anybody adds them, on any machine; folding all that are known in their order
// gives the state. What the kinds mean is the folder's that folds them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/codec/json.h"

namespace lb::record {

struct Fact {
  std::string id;  // sorts by time
  // One more than that of every fact its writer knew: an answer follows what it answers, also when
  // the clocks of the two machines disagree.
  std::uint64_t order = 0;
  Timestamp at{};
  std::string host, by;  // by: "ada (lead)"
  std::string kind;      // "opened", "acknowledged"; unknown ones are of a newer program
  std::string text;      // one sentence for people, no secrets
  Json data;             // an object or null
};

Json encode(const Fact& fact);
Result<Fact> decode_fact(const Json& json);  // corrupt on a wrong schema

// By order, then time, then id: the same everywhere.
void sort_facts(std::vector<Fact>& facts);
// Of the next one.
std::uint64_t next_order(const std::vector<Fact>& known);

}  // namespace lb::record
