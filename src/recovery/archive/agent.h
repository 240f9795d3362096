// The agent: one process that keeps a repository open and serves the clients of one store over a
// local socket, until nobody has asked for a while, a stop, or a change of the plan or the program.
#pragma once

#include <functional>
#include <string>

#include "foundation/sys/local_socket.h"
#include "recovery/archive/desk.h"

namespace lb::archive {

struct AgentOptions {
  std::string version;             // who comes with another one ends it
  std::string plan, store;         // who means another one is turned away
  Micros idle{0};                  // ends after so long without an order; 0: never
  std::function<bool()> outdated;  // true when what it was started with is no longer so
};

// ok after an idle end, a stop or being outdated.
Status run_agent(Clock& clock, LocalListener& listener, Desk& desk, const AgentOptions& options,
                 std::stop_token stop);

// One question to the agent at `path`. not_found when there is none.
Result<Answer> ask_agent(const std::string& path, const Order& order, Micros limit);

// Where the agent of a plan and a store listens, below the folder of all agents; the same for every
// client, without reading the plan.
std::string agent_name(const std::string& plan_path, const std::string& store);

}  // namespace lb::archive
