// Facts that were said under a person's key: signed where they are written, checked whenever they
// are read. Pure.
//
// One whose signature is wrong has been changed, or is somebody else's: it does not count, and is
// named. An opening counts all the same: better told of nothing than not told. One that was signed
// with a key that the plan does not have now counts, because people change keys and incidents of
// old must not open again; it says so.
#pragma once

#include <string>
#include <vector>

#include "model/plan/plan.h"
#include "model/record/fact.h"

namespace lb::incident {

// What is signed: all of the fact, and whom it is about. `family`: "incident", "task".
std::string signed_text(const std::string& family, const std::string& member,
                        const record::Fact& fact);
// Puts who signs, under which public key, into the fact, before it is signed; and the proof.
void name_signer(record::Fact& fact, const std::string& person, const std::string& public_key);
void add_signature(record::Fact& fact, const std::string& signature);

struct Proven {
  std::vector<record::Fact> facts;   // that count
  std::vector<std::string> refused;  // the others, a line each
};
Proven prove(const plan::Plan& plan, const std::string& family, const std::string& member,
             const std::vector<record::Fact>& facts);

}  // namespace lb::incident
