#include "app/cli/copy_standing.h"

#include "app/cli/copies.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

constexpr const char* not_known = "what it lacks is not known: ";

std::string counted(std::uint64_t count, const char* what) {
  return cat(count, " ", what, count == 1 ? "" : "s");
}

std::string text_of(const CopyLag& lag) {
  if (!lag.since) return "lacks nothing that the repository has";
  std::vector<std::string> what;
  if (lag.snapshots > 0) what.push_back(cat("the newest ", counted(lag.snapshots, "point")));
  if (lag.log_segments > 0) what.push_back(counted(lag.log_segments, "log segment"));
  return cat("lacks ", join(what, " and "), " of the repository: what came since ",
             format_time_seconds(*lag.since));
}

// As the copy is opened: it may be anywhere, and is asked for its points alone.
Result<std::unique_ptr<repo::Repository>> open_own(const Shell& shell, const Session& from,
                                                   std::unique_ptr<BlobStore>& blobs) {
  const auto& repository = from.plan.plan.repository;
  auto place = LB_TRY(open_place(shell, *from.references, repository));
  blobs = std::move(place.blobs);
  auto key = LB_TRY(from.references->secret(repository.key));
  return repo::open_repository(*blobs, shell.world.clock, shell.world.random, key);
}

}  // namespace

std::string standing_of_copy(repo::Repository* own, repo::Repository& copy) {
  if (own == nullptr) return cat(not_known, "the repository cannot be reached");
  if (own->id() != copy.id()) return cat("is a copy of ", copy.id(), ", not of ", own->id());
  auto lag = lag_of(*own, copy);
  return lag.ok() ? text_of(*lag) : cat(not_known, lag.error().text());
}

void tell_standing(const Shell& shell, const Session& from) {
  std::unique_ptr<BlobStore> blobs;
  auto own = open_own(shell, from, blobs);
  auto text = own.ok() ? standing_of_copy(own->get(), *from.repository)
                       : cat(not_known, own.error().text());
  shell.console.note(cat("from     ", from.copy, ", a copy: ", text));
}

}  // namespace lb::cli
