// Acts: what the steps of a runbook do to the world, as the driver of a run sees it. The real ones
// are put together in app/cli; tests and drills have others. Called from several threads, for
// different steps.
#pragma once

#include <atomic>
#include <optional>
#include <stop_token>
#include <string>

#include "operations/runbook/judge.h"

namespace lb::runbook {

// One step that is to be done.
struct Act {
  const plan::Plan& plan;
  const Script& script;
  const ScriptStep& own;
  std::string run;
  std::string mode;  // of the run
  std::uint64_t attempt = 1;
  Timestamp began{};      // of this attempt, by the wall clock; before a crash perhaps
  Variables variables;    // all that the step sees
  Variables pinned = {};  // what Acts::pin said when this attempt began
  // The effect sets it while only people can end it; the driver's, which outlives the effect.
  std::atomic<bool>* waits_for_people = nullptr;
  const plan::Step& step() const { return *own.step; }
  const std::string& verb() const { return own.step->verb; }
  // $names in a text of the step.
  Result<std::string> expand(const std::string& text) const;
};

struct ActEnd {
  bool ok = false;
  std::string text;            // one sentence, no secrets
  Json data = Json::object();  // code, output, took_us, evidence …
  Variables set;               // new values of variables
};

// Of `assess` in a drill, which never looks at what is live; $damage has a value all the same.
ActEnd held_assessment();

// What is known of a step whose end nobody wrote down.
struct Trace {
  std::optional<bool> happened;  // nullopt: cannot be told
  Variables set;                 // what the step would have set, when it happened
};

class Acts {
 public:
  virtual ~Acts() = default;
  // The effect. Returns when it ended, failed, or was stopped.
  virtual ActEnd act(const Act& act, std::stop_token stop) = 0;
  // After a crash: did it happen?
  virtual Result<Trace> happened(const Act& act, std::stop_token stop) = 0;
  // Before an attempt begins: what must stay as it is now when the attempt is gone on with after a
  // crash, like the point that "latest" means. Written down with the intent.
  virtual Result<Variables> pin(const Act&) { return Variables{}; }
  // Of an earlier driver on this machine, which is gone: what still works on the step is ended.
  virtual void end_left_running(const Act&) {}
  // Whether doing it once more does no harm, because it goes on, looks only, or is recognised.
  virtual bool repeats_safely(const Act& act) const = 0;
  virtual ActEnd undo(const Act& act, std::stop_token stop) = 0;
  // What people are shown before a decision or a confirmation. The same facts give the same
  // document; it names moments, not spans that grow while it is looked at.
  virtual Result<Json> show(const Act& act) = 0;
  // Before a destructive step: the word that must be typed; empty: none.
  virtual std::string word_to_type(const Act& act) = 0;
  // Somebody is asked to decide; `token` makes the link that proves who decides.
  virtual Status invite(const Act& act, const std::string& person, const std::string& token,
                        const Json& shown) = 0;
  // Somebody is told of a decision: before it, when they are to be asked for their view, or after.
  virtual Status inform(const Act& act, const std::string& person, const std::string& text) = 0;
  // The same so that it wakes people.
  virtual Status alarm(const Act& act, const std::string& person, const std::string& text) {
    return inform(act, person, text);
  }
  // Whether a question with this link has been put on its way to that person; a step that was
  // interrupted between asking and telling asks anew.
  virtual bool invited_before(const Act&, const std::string&, const std::string&) { return true; }
  // Something that somebody has to look at when the run is over. Said twice it is kept once.
  virtual Status review_later(const Act&, const std::string&) { return {}; }
};

}  // namespace lb::runbook
