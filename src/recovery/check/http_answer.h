// Judging the answer of an http check. Internal to this folder, pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "foundation/sys/http.h"
#include "model/plan/plan.h"

namespace lb::check {

// What the check expects, in words: "status 200, within 2s, $.ok = true".
std::string expected_text(const plan::CheckHttp& what);
// "status 200 in 12 ms, 345 bytes".
std::string answer_text(const HttpAnswer& answer);

// The expectations the answer does not meet, one sentence each; empty: all met. An error: an
// expectation that cannot be compared.
Result<std::vector<std::string>> unmet(const plan::CheckHttp& what, const HttpAnswer& answer);

// The values to save. not_found when the answer lacks one.
Result<std::map<std::string, std::string>> values_to_save(const plan::CheckHttp& what,
                                                          const HttpAnswer& answer);

// The start of the body for evidence: values of members that look secret are taken out of JSON.
std::string shown_body(const std::string& body);

}  // namespace lb::check
