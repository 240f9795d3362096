// Driver: carries a run on. It alone writes events; it takes up what people say, begins steps whose
// turn it is, and writes each intent before its effect. Killed at any moment, another one goes on
// where it was. One thread drives; effects run on threads of their own, joined before it returns.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "foundation/base/log.h"
#include "operations/runbook/acts.h"
#include "storage/state/run_log.h"

namespace lb::runbook {

struct DriverTools {
  World& world;
  state::RunLog& log;
  Acts& acts;
  Log& console;
};

struct DriverOptions {
  std::string user, host;
  bool attended = true;  // drills that nobody attends answer by themselves
  Variables answers;     // to ask: in a drill that nobody attends
  bool wait = true;      // false: leave the run as soon as it waits for people
  // Called after each change, by the thread that drives.
  std::function<void(const RunState&)> changed;
  // Called while the run waits for people, a few times a second, by that thread: what was typed.
  std::function<std::optional<record::RunInput>(const RunState&)> typed;
};

struct NewRun {
  std::string plan_text, plan_file, plan_folder, plan_fingerprint, version;
  std::map<std::string, std::string> given;
  std::string mode = "earnest", incident;
};

class Driver {
 public:
  // `plan` and `script` outlive it.
  Driver(const DriverTools& tools, const DriverOptions& options, const plan::Plan& plan,
         const Script& script, std::string run);
  ~Driver();

  Status open(const NewRun& fresh);
  // Reads what is there, and says that this program drives from now on. denied: the run is one of a
  // drill. That restored into a sandbox which is gone; here its steps would reach what is live.
  Status take_up();
  // Closes what cannot be gone on with.
  Status give_up(const std::string& text);
  enum class End { closed, waits_for_people, stopped };
  // Until the run is closed, only people can carry it on (and options.wait is false), or `stop`.
  Result<End> drive(std::stop_token stop);
  const RunState& state() const { return state_; }

 private:
  struct Effect {
    std::atomic<bool> waits_for_people = false;  // outlives the thread
    std::jthread thread;
    bool undo = false;
    Micros begun{0};         // by the steady clock
    std::string cut = {};    // why it was told to end; empty: it was not, or the run is left
    std::size_t cut_by = 0;  // the group whose limit was over; 0: another reason
  };
  struct Ended {
    std::size_t step = 0;
    bool undo = false;
    bool stopped = false;  // cut short: whether it happened its end does not say
    ActEnd end;
  };

  Result<bool> pass(std::stop_token stop);  // true: something changed
  Result<bool> take_inputs(std::stop_token stop);
  Status take(record::RunInput input, std::stop_token stop);
  Result<bool> take_ended();
  void cut_short(Effect& effect, const std::string& why);
  void end_what_is_late();
  bool is_late(std::size_t group);
  std::size_t late_around(std::size_t number);
  Micros spent_since(std::size_t number, Timestamp began);
  bool was_cut(std::size_t group) const;
  bool is_at_work(std::size_t group) const;
  std::string why_late(std::size_t group) const;
  Status give_up(std::size_t number, std::size_t group, const std::string& text);
  Result<bool> end_late_groups();
  Result<bool> carry_on(std::stop_token stop);
  Result<bool> step_up(std::size_t number, std::stop_token stop);
  Result<bool> begin(std::size_t number, std::stop_token stop);
  Result<bool> answered(std::size_t number, std::stop_token stop);
  Result<bool> recover(std::size_t number, std::stop_token stop);
  Result<bool> end_group(std::size_t number);
  Result<bool> ask(std::size_t number, Need need, Json data);
  Result<bool> ask_decision(std::size_t number);
  void inform(std::size_t gate, const std::set<std::string>& people, const std::string& text,
              bool loud = false);
  void tell_of_decision(const record::RunEvent& event);
  Status tell_what_was_left(const record::RunEvent& last);
  Result<bool> ask_of_step(std::size_t number);
  Result<bool> hold(std::size_t number);  // of a drill that nobody attends
  Result<bool> decide_condition(std::size_t number);
  // False: a gate before it has to be asked again, and is, or said no.
  Result<bool> still_approved(std::size_t number);
  Status finish(std::size_t number, const ActEnd& end);
  void follow_failure(std::size_t number, Json& data) const;
  bool tries_again(std::size_t number) const;
  Micros wait_before_retry(std::size_t number) const;
  void jump_to(std::size_t failed, std::size_t whose, const std::string& name, Json& data) const;
  bool may_be_at_work_elsewhere(std::size_t number);
  void look_at_who_drove(const std::vector<record::RunEvent>& events);
  Status close(const std::string& result, const std::string& text);
  Status append(record::RunEvent event);
  void launch(std::size_t number, bool undo, Timestamp began);
  Act act_of(std::size_t number) const;
  bool only_people_can_go_on();

  const DriverTools tools_;
  const DriverOptions options_;
  const plan::Plan& plan_;
  const Script& script_;
  const std::string run_, act_;
  RunState state_;
  std::map<std::size_t, Effect> effects_;
  struct Since {
    std::uint64_t attempt = 0;
    Timestamp written{};
    Micros began{0};  // the same by the steady clock
  };
  std::map<std::size_t, Since> since_;  // of groups and people that have a limit
  std::mutex mutex_;
  std::vector<Ended> ended_;
  Micros looked_far_{0};
  bool looked_ = false;
  // Taken over from a machine that did not say it left: what it has at work may go on until then.
  std::optional<Micros> quiet_until_;
  std::string former_;
};

}  // namespace lb::runbook
