// What a repair would do and did, for people and programs. Used by repair and verify.
#pragma once

#include <string>
#include <vector>

#include "app/cli/copies.h"
#include "foundation/codec/json.h"
#include "storage/repair/repair.h"

namespace lb::cli {

std::vector<repair::Source> sources_of(const std::vector<CopyPlace>& places);

// Nothing is left damaged.
bool all_mended(const repair::RepairReport& report);
Json json_of(const std::vector<repair::Step>& steps);
// Sets healed, indexed, set_aside, removed, failed and lost.
void add_repair(Json& json, const repair::RepairReport& report);
std::string line_of(const repair::Step& step);
std::string text_of(const repair::RepairReport& report);
// What these steps come to when each succeeds, and how that is said before any is taken.
repair::RepairReport promised(const std::vector<repair::Step>& steps);
std::string promise_of(const repair::RepairReport& report);

}  // namespace lb::cli
