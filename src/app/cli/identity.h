// Who speaks, where a system user does not say it: --key FILE --as PERSON, of the verbs by which
// people decide and say something. Anything that is said so is signed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/cli/verbs.h"
#include "foundation/base/secret.h"
#include "model/record/fact.h"
#include "operations/runbook/actor.h"

namespace lb::cli {

struct Signer {
  std::string person;
  Secret key;
};

// --key and --as.
std::vector<Flag> identity_flags();
// Nothing when neither is given. invalid: one without the other, or a file that holds no key.
Result<std::optional<Signer>> signer_of(const Shell& shell, const Args& args);
// Hex.
std::string signature_of(const Signer& signer, const std::string& text);

// Fills in who says the fact, and signs it when there is a signer. denied (exit 5) when the plan
// does not know that key of that person. `fact`: all else is there already.
Status say_who(const Shell& shell, const plan::Plan& plan, const Signer* signer,
               const std::string& family, const std::string& member, record::Fact& fact);

}  // namespace lb::cli
