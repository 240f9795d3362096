// What a retention decides over, read from the repository: points with what is known of them,
// holds, drills, logs. And the decision put into effect.
#pragma once

#include "recovery/retain/retain.h"
#include "storage/collect/forget.h"
#include "storage/repo/repository.h"

namespace lb::retain {

// What the base backups of databases need of their logs, and what is stored.
struct LogFacts {
  struct Base {
    std::string point;
    BaseLog log;
  };
  std::vector<Base> bases;
  std::map<std::string, std::vector<std::uint64_t>> stored;  // log id -> segments, sorted
  std::set<std::string> current;  // log ids the newest base of a store is on
};

struct Facts {
  std::vector<Point> points;
  LogFacts logs;
  repo::Ledger ledger;
};
Result<Facts> read_facts(repo::Repository& repository, const plan::Plan& plan, Timestamp now);

// The log that goes when these decisions are carried out.
std::map<std::string, std::vector<repo::LogRange>> removable_log(const LogFacts& facts,
                                                                 const RetentionPlan& decided,
                                                                 const plan::Retain& policy);

}  // namespace lb::retain
