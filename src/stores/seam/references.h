// References: turns "env:NAME", "file:PATH", "command:…" of a plan into the value, at the moment it
// is needed. Values are Secrets; errors name the reference and its place, never the value.
// Thread-safe.
#pragma once

#include <map>
#include <string>

#include "foundation/base/secret.h"
#include "foundation/sys/world.h"
#include "model/plan/plan.h"

namespace lb {

class References {
 public:
  // `environment`: the program's own, handed down from main. `folder`: the plan's, for relative
  // paths.
  References(World& world, std::map<std::string, std::string> environment, std::string folder);

  // denied with the place and a hint when it cannot be had; unsupported for kms: references.
  Result<Secret> secret(const plan::Reference& reference) const;
  // A path of the plan, made absolute against the plan's folder.
  Result<std::string> path(const plan::Reference& reference) const;
  std::string absolute(const std::string& path) const;

  const std::map<std::string, std::string>& environment() const { return environment_; }
  const std::string& folder() const { return folder_; }

 private:
  Result<Secret> from_file(const plan::Reference& reference) const;
  Result<Secret> from_command(const plan::Reference& reference) const;

  World& world_;
  std::map<std::string, std::string> environment_;
  std::string folder_;
};

}  // namespace lb
