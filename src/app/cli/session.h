// Session: what a verb works with: the plan, the opened repository, the journal. Opened in one
// place so that every verb refuses the same things with the same words.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "app/cli/args.h"
#include "app/cli/console.h"
#include "app/cli/place.h"
#include "foundation/sys/world.h"
#include "model/plan/reader.h"
#include "storage/blob/healing_blob_store.h"
#include "storage/state/journal.h"
#include "stores/seam/references.h"

namespace lb::cli {

// What main hands to a verb. The verb owns nothing of it.
struct Shell {
  World& world;
  Console& console;
  const std::map<std::string, std::string>& environment;
  std::string folder;  // working directory
  std::string host, user;
  std::uint32_t uid = 0;
  std::stop_token stop;
};

struct LoadedPlan {
  plan::Plan plan;
  std::string path, folder;  // of the file
  std::string fingerprint;   // hex SHA-256 of the plan's canonical text
};

// usage (exit 2) with every mistake printed, when the plan has any.
Result<LoadedPlan> load_plan(const Shell& shell, const Args& args);
// The outcome with its mistakes, for `plan check`.
Result<plan::ReadOutcome> read_plan_file(const Shell& shell, const std::string& path);
std::string plan_path(const Shell& shell, const Args& args);

// healing: what is missing or damaged in the repository is read from the plan's copies; --from COPY
// reads that copy instead of the repository.
enum class Reading { plain, healing };
// What a verb does with the repository. Keys of hosts that only back up suffice for `write`.
enum class Access { read, write };

class Session {
 public:
  // wrong_key (exit 12) when the plan's key gives less access than the verb needs.
  static Result<std::unique_ptr<Session>> open(const Shell& shell, const Args& args,
                                               Reading reading = Reading::plain,
                                               Access access = Access::read);
  // A copy of `own`'s plan, by number or address, in the place of the repository: opened by its own
  // objects and key, healed from the other copies. conflict when it is a copy of something else.
  static Result<std::unique_ptr<Session>> open_copy(const Shell& shell, const Session& own,
                                                    const std::string& copy);

  LoadedPlan plan;
  std::unique_ptr<References> references;
  std::string copy;               // the one that is read; empty: the repository itself
  std::string repository_folder;  // empty when the repository is no directory
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<HealingBlobStore> healing;  // over `blobs`; null when reading is plain
  std::unique_ptr<repo::Repository> repository;
  std::unique_ptr<state::Journal> journal;
  std::string state_folder;  // journal and reports of this system on this machine
  std::string sandbox_root;
};

// A part of Session::open, for verbs that need less; the other one is open_place.
std::string state_folder(const Shell& shell, const std::string& system);
std::string state_folder(const std::map<std::string, std::string>& environment, std::uint32_t uid,
                         const std::string& system);
// Where repositories may keep what they can make again; one folder for all systems.
std::string cache_folder(const Shell& shell);

// Refuses what the plan asks for and nothing acts on yet: every such thing with its place (exit 2).
Status refuse_unsupported(const Shell& shell, const std::vector<plan::Mistake>& unsupported);

// The plan's stores named on the command line, or all; unknown names are usage errors with a
// suggestion.
Result<std::vector<const plan::Store*>> pick_stores(const plan::Plan& plan,
                                                    const std::vector<std::string>& names);

}  // namespace lb::cli
