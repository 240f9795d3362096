// For tests: a fingerprint as the text that is recorded.
#pragma once

#include <string>

#include "stores/postgres/fingerprint.h"

namespace lb::pg {

// Of a fingerprint, or of the tables of one of its databases.
template <typename Written>
std::string text_of(const Written& print) {
  std::string out;
  const Status written = print.write_to([&](std::string_view text) -> Status {
    out += text;
    return {};
  });
  return written.ok() ? out : written.error().text();
}

}  // namespace lb::pg
