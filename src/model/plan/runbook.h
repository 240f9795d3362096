// Runbooks of a plan: ordered steps, each one act. Part of plan.h; read by bind_runbooks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "foundation/base/time.h"
#include "foundation/codec/yaml.h"
#include "model/plan/value_types.h"

namespace lb::plan {

// What follows when a step fails.
struct OnFailure {
  enum class Way { stop, go_on, ask, retry, jump };
  Way way = Way::stop;
  unsigned retries = 0;  // retry: how often, after the first time
  Micros wait{0};        // retry: between two tries
  std::string jump;      // jump: the name of the step that follows
};

struct Step {
  std::string verb;  // "run", "gate", ...
  std::string name;  // what `goto` refers to; may be empty
  std::string by;    // person or role; empty: whoever runs the runbook
  std::optional<Micros> limit;
  std::string undo, probe;  // commands
  std::string when;         // "$x == y" is decided, other words are asked
  OnFailure fail;
  bool critical = false;
  bool review = false;     // `review: required`: not done before a person read it
  bool gives_key = false;  // `key: true`: its commands are given what opens the repository
  std::vector<std::pair<std::string, std::string>> with;  // use: parameter -> text
  std::vector<std::pair<std::string, std::string>> save;  // variable -> where it is found
  std::vector<Step> parallel;                             // parallel: done side by side
  YamlNode what;                                          // the checked value of the verb
  Place place;
};

struct Parameter {
  std::string name, kind;  // kind: text, time, number, boolean
};

struct Runbook {
  std::string name;
  std::vector<std::string> symptoms, prevention;
  Objective objective;
  std::vector<Parameter> parameters;
  std::vector<Step> steps;
  // Of the document: who answers for it, how often it is to be read again.
  std::string owner;
  std::optional<Schedule> review;
  Place place;
};

}  // namespace lb::plan
