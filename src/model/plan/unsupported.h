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

}  // namespace lb::plan
