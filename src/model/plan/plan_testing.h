// What the tests of this folder share: reading a plan without files, and mistakes as short lines.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "foundation/base/text.h"
#include "model/plan/reader.h"

namespace lb::plan::testing {

using FileMap = std::map<std::string, std::string>;

inline ReadOutcome read(const std::string& text, const FileMap& files = {}) {
  return read_plan("plan.yaml", text, [&](const std::string& path) -> Result<std::string> {
    auto found = files.find(path);
    if (found == files.end()) return Error(ErrorKind::not_found, cat("cannot read ", path));
    return found->second;
  });
}

// "line:column: text" of each; a file other than plan.yaml stands before it.
inline std::vector<std::string> lines(const std::vector<Mistake>& mistakes) {
  std::vector<std::string> out;
  for (const auto& mistake : mistakes) {
    auto place = mistake.place.text();
    if (place.starts_with("plan.yaml:")) place = place.substr(10);
    out.push_back(cat(place, ": ", mistake.text));
  }
  return out;
}

// A plan that is right, for tests that add to it. 12 lines.
inline const std::string small_plan = R"(version: 1
system: shop
repository: {at: /backups, key: env:KEY}
stores:
  db: {postgres: env:DATABASE_URL, every: hourly}
  media: {files: /srv/media, every: hourly}
targets:
  production: {protect: true}
  sandbox: {isolate: network, url: "http://localhost:8000"}
checks:
  db: [{tables: [users]}]
  files: [{files: {count: recorded}}]
)";

}  // namespace lb::plan::testing
