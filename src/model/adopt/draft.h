// What is found in a document while it is read, before it becomes the tree of a plan. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/adopt/outline.h"
#include "model/adopt/tree.h"
#include "model/adopt/words.h"

namespace lb::adopt {

// Gives each name once; the second gets " (2)", or what the marks say, behind it.
class FreshNames {
 public:
  FreshNames(std::string open, std::string close)
      : open_(std::move(open)), close_(std::move(close)) {}
  std::string fresh(const std::string& name);

 private:
  std::string open_, close_;
  std::map<std::string, int> count_;  // of those given, by name
};

struct RunbookDraft {
  std::string name, title;
  std::size_t line = 0;
  std::vector<std::string> above;  // comments
  std::vector<Tree> symptoms, prevention, steps;
  std::optional<Tree> rto;
  bool scenario = false;  // answers a failure, as against a routine
};

// What became of a block.
struct Placed {
  bool understood = false;
  std::string became;  // "step of runbook database-loss"
};

// An objective with the words around it, for the rules that look for contradictions.
struct ObjectiveFound {
  bool rpo = false;  // else RTO
  Span span;
  std::string component, text;  // what it speaks of; the whole statement
  std::size_t line = 0;
};

struct Draft {
  Draft(const Outline& from, std::string source) : outline(from), file(std::move(source)) {
    placed.resize(from.blocks.size());
    runbook_of_block.resize(from.blocks.size(), none);
  }

  const Outline& outline;
  std::string file;  // name of the source, in comments
  std::vector<RunbookDraft> runbooks;
  std::vector<std::size_t> runbook_of;        // section -> runbook; none
  std::vector<std::size_t> runbook_of_block;  // in lists whose items are runbooks; none
  Tree objectives, stores, people, raci, escalation, checks, tasks, links, retain, alerts;
  std::optional<Tree> owner, review, version, updated, classification;  // of the document
  FreshNames check_names{" (", ")"};
  bool manifests_only = false;  // buckets: their content stays where it is
  std::vector<ObjectiveFound> found_objectives;
  std::vector<Placed> placed;        // of each block
  std::vector<std::string> prose;    // paragraphs that became nothing else
  std::vector<std::size_t> secrets;  // lines of the source that were not copied

  // "FILE:LINE"
  std::string at(std::size_t line) const { return file + ":" + std::to_string(line); }
  void place(std::size_t block, std::string became) { placed[block] = {true, std::move(became)}; }
  // The name of a person, who is declared if need be.
  std::string person(std::string_view name, std::size_t line);
  // The store of this kind; declared if need be.
  Tree& store(const std::string& kind, std::size_t line);
};

// A key that the map has not: `name`, or with -2, -3 … behind it; never what looks like a secret.
std::string fresh_key(const Tree& map, const std::string& name);
// More are not read: nobody has so many, and each is held against every runbook.
inline constexpr std::size_t objectives_max = 100;

// Puts an objective where it belongs: the store of its component, else the whole system. False when
// there is one already, or no store is of that kind.
bool put_objective(Draft& draft, const ObjectiveFound& found, const std::string& why);

// Declares the stores that the document speaks of.
void find_stores(Draft& draft);

// Readers of one kind of block each; false: not understood. `block` is an index of the outline.
bool take_table(Draft& draft, std::size_t first, std::size_t end);  // all rows of one table
bool take_fact(Draft& draft, std::size_t block, const std::string& label);
bool take_field(Draft& draft, std::string_view text, std::size_t line, const Section& section);
bool take_fence(Draft& draft, std::size_t block, const std::string& label, RunbookDraft* runbook);

}  // namespace lb::adopt
