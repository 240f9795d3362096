#include "stores/files/attribute_writer.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::files {

namespace {

constexpr std::uint32_t set_id_bits = 06000;
constexpr char acl_access[] = "system.posix_acl_access";
constexpr char acl_default[] = "system.posix_acl_default";

// An ACL without entries, as the kernel reads it: setting it removes the ACL.
constexpr std::uint8_t no_acl[] = {2, 0, 0, 0};

bool is_refusal(const Error& error) {
  return error.kind() == ErrorKind::denied || error.kind() == ErrorKind::unsupported;
}

bool has(const Attributes& attributes, std::string_view name) {
  return std::any_of(attributes.xattrs.begin(), attributes.xattrs.end(),
                     [&](const auto& xattr) { return xattr.first == name; });
}

}  // namespace

AttributeWriter::AttributeWriter(Files& files, OwnerPolicy policy)
    : files_(files), policy_(policy) {}

Status AttributeWriter::apply(const std::string& path, const Attributes& attributes,
                              bool drop_inherited, File* open) {
  // The owner first: changing it clears set-id bits and file capabilities.
  auto owned = LB_TRY(give_owner(path, attributes, open));
  LB_TRY(give_xattrs(path, attributes, drop_inherited));
  if (attributes.kind != FileKind::symlink) {
    auto mode = attributes.mode;
    if (!owned && (mode & set_id_bits) != 0) {
      // A program that ran as its recorded owner must not run as whoever restores it.
      mode &= ~set_id_bits;
      ++set_id_dropped_;
    }
    LB_TRY(unless_refused(open != nullptr ? open->set_mode(mode) : files_.set_mode(path, mode)));
  }
  auto mtime = attributes.mtime_ns;
  return unless_refused(open != nullptr ? open->set_mtime(mtime) : files_.set_mtime(path, mtime));
}

// A folder that was there may be another user's: its mode and time are his.
Status AttributeWriter::unless_refused(Status done) {
  if (done.ok() || !is_refusal(done.error())) return done;
  ++modes_denied_;
  return {};
}

// True when the file has the owner it is meant to have.
Result<bool> AttributeWriter::give_owner(const std::string& path, const Attributes& attributes,
                                         File* open) {
  if (!policy_.instead && !policy_.recorded) {
    if ((attributes.mode & set_id_bits) == 0) return true;
    auto now = LB_TRY(files_.info(path));
    return now.uid == attributes.uid && now.gid == attributes.gid;
  }
  auto wanted = policy_.instead.value_or(UserId{attributes.uid, attributes.gid});
  auto done = open != nullptr ? open->set_owner(wanted.uid, wanted.gid)
                              : files_.set_owner(path, wanted.uid, wanted.gid);
  if (done.ok()) return true;
  if (!is_refusal(done.error())) return std::move(done).take_error();
  ++owners_denied_;
  return false;
}

Status AttributeWriter::give_xattrs(const std::string& path, const Attributes& attributes,
                                    bool drop_inherited) {
  auto set = [&](const std::string& name, ByteView value) -> Status {
    auto done = files_.set_xattr(path, name, value);
    if (done.ok()) return done;
    if (!is_refusal(done.error()) && done.error().kind() != ErrorKind::invalid) return done;
    ++xattrs_refused_;
    return {};
  };
  for (const auto& [name, value] : attributes.xattrs) LB_TRY(set(name, value));
  if (!drop_inherited || attributes.kind == FileKind::symlink) return {};
  if (!has(attributes, acl_access)) LB_TRY(set(acl_access, no_acl));
  if (attributes.kind == FileKind::directory && !has(attributes, acl_default)) {
    LB_TRY(set(acl_default, no_acl));
  }
  return {};
}

std::vector<std::string> AttributeWriter::warnings() const {
  std::vector<std::string> out;
  if (owners_denied_ > 0) {
    out.push_back(cat("owners of ", human_count(owners_denied_),
                      " items could not be restored: not permitted (run as root)"));
  }
  if (modes_denied_ > 0) {
    out.push_back(cat(human_count(modes_denied_),
                      " modes or times could not be restored: not permitted (run as root)"));
  }
  if (set_id_dropped_ > 0) {
    out.push_back(cat("set-user-id and set-group-id bits of ", human_count(set_id_dropped_),
                      " files were left out, since their owner is another"));
  }
  if (xattrs_refused_ > 0) {
    out.push_back(
        cat(human_count(xattrs_refused_),
            " extended attributes could not be restored: not permitted or not supported"));
  }
  return out;
}

}  // namespace lb::files
