// fresh: the newest row of a table, and how far it lies behind the moment of loss.
#include "foundation/base/text.h"
#include "recovery/check/session.h"

namespace lb::check {

namespace {

void judge_age(const plan::CheckFresh& what, Timestamp moment, Finding& out) {
  auto age = moment - *out.newest;
  if (age < Micros(0)) {
    out.evidence.add(cat("the newest row is ", human_duration(-age), " after the moment ",
                         format_time(moment), ": the clocks differ, or rows came later"));
    return;
  }
  out.evidence.add(cat(human_duration(age), " before ", format_time(moment)));
  if (what.within && age > *what.within) {
    out.fail(cat("the newest row is ", human_duration(age), " old, allowed are ",
                 format_duration(*what.within)));
  }
}

}  // namespace

Result<Finding> check_fresh(const plan::CheckFresh& what, const Scope& scope) {
  auto connection = LB_TRY(connect(scope));
  auto name = parse_table(what.table);
  Finding out;
  out.expected = what.within ? cat("a row within ", format_duration(*what.within)) : "a row";
  auto table = LB_TRY(find_table(*connection, name));
  if (!table) {
    out.examined = 1;
    out.got = "no such table";
    out.fail(cat(name.text(), " is not in the restored copy"));
    return out;
  }
  auto answer = LB_TRY(connection->query(
      cat("SELECT (extract(epoch FROM m) * 1000000)::bigint FROM (SELECT max(",
          quoted_part(what.column), ") AS m FROM ", name.quoted(), ") AS newest")));
  const auto& value = answer.rows.at(0).at(0);
  if (!value) {
    out.got = "no row";
    out.fail(cat(name.text(), " has no row with a ", what.column));
    return out;
  }
  out.examined = 1;
  out.newest = from_micros(LB_TRY(number_of(value)));
  out.got = format_time(*out.newest);
  out.evidence.add(cat("newest ", name.text(), ".", what.column, ": ", out.got));
  judge_age(what, scope.context.loss_moment.value_or(scope.context.world.clock.now()), out);
  return out;
}

}  // namespace lb::check
