// The sections of a document and what each is: a runbook, a phase of one, or about something. Made
// once from the blocks; what follows asks it where a block stands. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/adopt/markdown.h"

namespace lb::adopt {

inline constexpr std::size_t none = static_cast<std::size_t>(-1);

struct Section {
  // about: tables and lists of facts. phase: a part of the runbook `runbook`.
  enum class Role { about, runbook, phase };
  Role role = Role::about;
  int level = 0;                   // 0: the whole document
  std::size_t heading = none;      // its block; none for the document
  std::size_t first = 0, end = 0;  // blocks of it and of all sections below it
  std::size_t own_end = 0;         // blocks before its first subsection
  std::size_t parent = none;
  std::size_t runbook = none;       // the section whose runbook this belongs to, itself included
  bool items_are_runbooks = false;  // a list of scenarios: each numbered item is a runbook
  std::string title;                // plain
};

struct Outline {
  std::vector<Block> blocks;  // embedded documents follow the fence they stand in
  std::vector<Section> sections;
  std::vector<std::size_t> section_of;  // of each block; a heading belongs to its own section
  std::vector<bool> embeds;             // fence: a document whose blocks follow
};

Outline outline_of(std::string_view text);
// Whether this block tells somebody to do something: numbered, with a box, or commands.
bool is_procedural(const Block& block);

}  // namespace lb::adopt
