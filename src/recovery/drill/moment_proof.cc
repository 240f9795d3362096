#include "recovery/drill/moment_proof.h"

#include "foundation/base/text.h"

namespace lb::drill {

namespace {

using record::CheckState;

std::string reached_text(const MomentEvidence& evidence) {
  const auto& reached = evidence.reached;
  auto place = cat("LSN ", pg::format_lsn(reached.lsn), " on timeline ", reached.timeline);
  return reached.last_commit ? cat("commit of ", format_time(*reached.last_commit), ", ", place)
                             : cat("no commit behind the base, ", place);
}

std::string next_text(const pg::Commit& next) {
  return cat("transaction ", next.xid, " of ", format_time(next.time), " (LSN ",
             pg::format_lsn(next.end_lsn), ")");
}

// Why the copy does not stand at the moment; empty when it does.
std::string objection(const MomentEvidence& evidence) {
  auto moment = format_time(evidence.moment);
  const auto& last = evidence.reached.last_commit;
  if (evidence.base_taken > evidence.moment) {
    return cat("the base is of ", format_time(evidence.base_taken), ", later than ", moment);
  }
  if (last && *last > evidence.moment)
    return cat("the copy holds a commit of ", format_time(*last), ", later than ", moment);
  if (evidence.next && evidence.next->time <= evidence.moment)
    return cat("the copy lacks ", next_text(*evidence.next), ", which is not later than ", moment);
  if (!evidence.next && (!evidence.log_until || *evidence.log_until < evidence.moment))
    return cat("the log ends before ", moment, ": what was committed up to it is not known");
  return {};
}

}  // namespace

record::CheckResult judge_moment(const MomentEvidence& evidence) {
  record::CheckResult out;
  out.name = "the last commit at or before the moment";
  out.kind = "moment";
  out.expected = cat("stands at ", format_time(evidence.moment));
  out.got = reached_text(evidence);
  out.evidence = {cat("reached: ", out.got),
                  evidence.next ? cat("next in the log: ", next_text(*evidence.next))
                                : std::string("next in the log: no commit")};
  out.examined = 1;
  out.reason = objection(evidence);
  out.state = out.reason.empty() ? CheckState::pass : CheckState::fail;
  return out;
}

}  // namespace lb::drill
