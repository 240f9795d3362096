// What is written down of a run: one execution of a runbook. Events are numbered from 1 without
// gaps and written by the one program that drives the run; what people say to it are inputs,
// written by anybody, which count once an event takes them up. Folding the events in order gives
// the state of the run, on any machine.
#pragma once

#include <cstdint>
#include <string>

#include "foundation/base/result.h"
#include "foundation/base/time.h"
#include "foundation/codec/json.h"

namespace lb::record {

enum class RunEventKind {
  opened,      // data: runbook, plan, arguments, who asked
  driver,      // a program took the run up, or left it; text says which
  asks,        // the step waits for people; data: what is asked and shown
  began,       // intent: the effect of the step is about to happen
  ended,       // data.result: done, failed, skipped
  undo_began,  // intent of taking a step back
  undone,
  refused,  // an input that does not count; text says why
  noted,    // a note of a person
  closed,   // data.result: done, failed, aborted
};
std::string_view name_of(RunEventKind kind);

struct RunEvent {
  std::uint64_t number = 0;
  Timestamp at{};
  std::string host, by;  // by: who caused it, a user or a person of the plan
  RunEventKind kind = RunEventKind::noted;
  std::uint64_t step = 0;  // its number in the run, from 1; 0: the run as a whole
  std::uint64_t attempt = 0;
  std::string text;  // one sentence for people, no secrets
  Json data;         // an object or null
};

enum class RunInputKind {
  answer,   // data: the values
  done,     // a person did it
  tick,     // data.item, data.ticked
  confirm,  // data.word: the name that was typed
  approve,  // data.hash: of what was shown
  deny,
  report,  // of a responsible role, before the decision
  skip,    // data.reason
  retry,
  undo,
  note,
  abort,  // data.reason
};
std::string_view name_of(RunInputKind kind);

struct RunInput {
  std::string id;  // sorts by time
  Timestamp at{};
  std::string host, user;
  RunInputKind kind = RunInputKind::note;
  std::uint64_t step = 0;  // 0: whatever the run waits for
  std::string text;        // what the person wrote
  Json data;
};

Json encode(const RunEvent& event);
Json encode(const RunInput& input);
Result<RunEvent> decode_run_event(const Json& json);  // corrupt on a wrong schema
Result<RunInput> decode_run_input(const Json& json);

}  // namespace lb::record
