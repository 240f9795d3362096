// Building the request of an http check, and telling its secrets to the redactor. Internal.
#pragma once

#include <set>
#include <string>

#include "recovery/check/placeholders.h"
#include "recovery/check/scope.h"

namespace lb::check {

// Fills in env: references and $names. Secrets met on the way are made known to the redactor.
Result<HttpRequest> build_request(const plan::CheckHttp& what, const Scope& scope,
                                  const Placeholders& values);

// The URL without user, password and the values of secret parameters.
std::string shown_url(const std::string& url);

// Names whose saved value is used as a credential somewhere in the suite.
std::set<std::string> credential_names(const plan::Suite& suite);

// Makes every secret that http checks of this suite refer to known before the first check runs, so
// that none of them can show it, whatever their order.
void learn_secrets(const plan::Suite& suite, const CheckContext& context,
                   const std::map<std::string, std::string>& saved, Redactor& redactor);

}  // namespace lb::check
