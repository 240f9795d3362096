// AttributeWriter: gives a restored file its owner, extended attributes, mode and time, in the
// order in which none undoes another. What the user may not do is counted and told once.
// Thread-safe.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "stores/files/store.h"

namespace lb::files {

struct OwnerPolicy {
  bool recorded = true;           // the recorded owners
  std::optional<UserId> instead;  // everything is this user's
};

class AttributeWriter {
 public:
  AttributeWriter(Files& files, OwnerPolicy policy);

  // `drop_inherited`: the folder it was made in hands down ACLs; what was not recorded goes again.
  // `open`: the file itself when the caller has it open anyway; that spares looking up the path.
  Status apply(const std::string& path, const Attributes& attributes, bool drop_inherited,
               File* open = nullptr);
  // One line for each kind of thing that could not be done.
  std::vector<std::string> warnings() const;

 private:
  Result<bool> give_owner(const std::string& path, const Attributes& attributes, File* open);
  Status unless_refused(Status done);
  Status give_xattrs(const std::string& path, const Attributes& attributes, bool drop_inherited);

  Files& files_;
  const OwnerPolicy policy_;
  std::atomic<std::uint64_t> owners_denied_ = 0, xattrs_refused_ = 0, set_id_dropped_ = 0,
                             modes_denied_ = 0;
};

}  // namespace lb::files
