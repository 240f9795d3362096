// Redactor: takes known secrets out of what a check or a command reports.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/record/drill_record.h"

namespace lb::check {

inline constexpr std::string_view redacted_mark = "[secret]";

// True for names that usually hold a secret: token, password, secret, key, session, cookie ...
bool looks_secret(std::string_view name);

class Redactor {
 public:
  // Also in its JSON-escaped and percent-encoded forms. Very short secrets are taken out only where
  // they stand as a whole word, so that a report stays readable.
  void add(std::string_view secret);
  std::string clean(std::string text) const;
  // Of a text whose beginning is gone: what it begins with may be the rest of a secret.
  std::string clean_end(std::string text) const;
  void clean(record::CheckResult& result) const;

 private:
  void add_form(std::string form);
  std::vector<std::string> forms_;  // longest first: a secret may contain another
};

}  // namespace lb::check
