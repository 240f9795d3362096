// What a plan asks for and this program cannot do yet, listed with its place before anything is
// done. A verb that acts calls this first and refuses when the list is not empty; nothing is ever
// ignored.
#pragma once

#include <string>
#include <vector>

#include "model/plan/plan.h"
#include "model/plan/reader.h"

namespace lb::plan {

// `stores`: names that are backed up; empty means all. Text: "not supported yet: a redis store
// (cache)".
std::vector<Mistake> unsupported_for_backup(const Plan& plan,
                                            const std::vector<std::string>& stores);
std::vector<Mistake> unsupported_for_drill(const Plan& plan, const Drill& drill);
// What a restore into the target would have to do and nothing does: "mask:, wipe:"; empty: nothing.
// Data that was to be masked must never arrive there as it is.
std::string unsupported_of_target(const Plan& plan, const Target& target);
// The same of a restore: step of a runbook, which would do another thing than it says; empty: none.
std::string unsupported_of_restore(const YamlNode& step, const Store& store);

}  // namespace lb::plan
