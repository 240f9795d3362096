// Which runbooks answer to what people see: their `symptoms`, compared by words. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/plan/plan.h"

namespace lb::incident {

struct Suggestion {
  std::string runbook;
  double score = 0;                // of one plan and one question only
  std::vector<std::string> words;  // of the question, as they were written, that matched
  std::string symptom;             // the one that fits best, as the plan has it
};

// The words that mean something, brought to one form: small letters, without endings, the usual
// short forms spelled out. "Queries failed" → {"query", "fail"}.
std::vector<std::string> stems_of(const std::string& text);

// Best first; runbooks of which no word matches are left out. A word that few runbooks have says
// more than one that all have; at equal words the symptom wins that is matched more wholly, then
// the order of the plan.
std::vector<Suggestion> suggest(const plan::Plan& plan, const std::vector<std::string>& seen);

}  // namespace lb::incident
