// Tabletop: a runbook walked without any effect, to find what could not work: unknown names, people
// nobody can be recognised as, commands that are not there, parts that are not built. Pure but for
// the looks the caller lends.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "operations/runbook/variables.h"

namespace lb::runbook {

struct TabletopLooks {
  // Why a command cannot be run here ("docker: not found"); empty: its program is there.
  std::function<std::string(const std::string& command)> command_missing;
  // Why the store cannot be restored into the target; empty: it can.
  std::function<std::string(const plan::Store& store, const plan::Target& target)> place_missing;
  // Why nobody is reached there; empty: there is a way.
  std::function<std::string(const std::string& person)> unreachable;
};

struct TabletopFinding {
  enum class Weight { fails, warns } weight = Weight::fails;  // fails: the step cannot work
  std::size_t step = 0;
  plan::Place place;
  std::string text;
};

struct TabletopStep {
  std::size_t number = 0;
  std::string title, by, phase;
  bool by_people = false, destructive = false, conditional = false;
};

struct Tabletop {
  std::vector<TabletopStep> steps;
  std::vector<TabletopFinding> findings;
  bool works() const;
};
Tabletop walk(const plan::Plan& plan, const Script& script, const TabletopLooks& looks);

}  // namespace lb::runbook
