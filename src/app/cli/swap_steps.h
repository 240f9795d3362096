// What the commands that exchange something live do alike: its name is typed, the exchange goes on
// from wherever it stands, and who is left in its midst hears what there is and how to go on.
#pragma once

#include <functional>
#include <string>

#include "app/cli/restore_request.h"
#include "recovery/swap/destructive_act.h"

namespace lb::cli {

// Takes the target's name for what was shown: `confirmed`, or asked for when that is empty.
Status confirm_swap(const Shell& shell, const std::string& confirmed,
                    const swap::DestructiveAct& act);

// Of folders: the id of --run, else a new one; refused (exit 5) while another one is under way.
Status choose_swap_run(const Shell& shell, const Session& session, const Request& request,
                       swap::FolderWish& wish);
// Whether the swap that --run names has filled what takes the place: its point, and what the
// target asks for first, were looked at before that. A run that nobody began has not.
bool is_under_way(const Shell& shell, const Session& session, const Request& request);

inline bool is_to_fill(const swap::FolderState& state) {
  return state.stage == swap::FolderStage::none || state.stage == swap::FolderStage::unfinished;
}

// A folder that is exchanged, in the words of what it holds.
struct FolderExchange {
  const Shell& shell;
  swap::FolderSwap folder;
  std::string noun, user;      // "tree", "what uses it"
  bool with_commands = false;  // undo takes --stop and --start once it is exchanged
  // Whether what was stopped is still down; without: it is.
  std::function<bool()> is_down = {};
};
// Until it is done, or `stop` between two steps. Says each stage; errors say what was left behind.
Status carry_out(const FolderExchange& exchange, const swap::FolderActs& acts,
                 swap::FolderState& state, std::stop_token stop);

}  // namespace lb::cli
