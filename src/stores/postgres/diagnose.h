// Everything a backup of a server needs, tested without changing anything. Private to
// stores/postgres.
#pragma once

#include <vector>

#include "foundation/base/secret.h"
#include "stores/postgres/server_facts.h"
#include "stores/postgres/source.h"

namespace lb::pg {

// What the facts say, without asking the server again. Pure.
std::vector<Diagnosis> judge_facts(const ServerFacts& facts, const SourceOptions& options);

Result<std::vector<Diagnosis>> diagnose_server(Files& files, const Secret& conninfo,
                                               const SourceOptions& options);

}  // namespace lb::pg
