#include "operations/incident/task_state.h"

#include "operations/incident/incident_testing.h"

namespace lb::incident {
namespace {

using std::chrono::hours;
using testing::fact;
using testing::start;

Json adding() {
  return Json::object()
      .set("text", "find out why")
      .set("owner", "dba")
      .set("run", "r1")
      .set("due", format_time(start + hours(24)));
}

TEST(TaskState, IsDueUntilItIsDone) {
  std::vector<record::Fact> facts = {fact(1, kind::added, hours(0), adding())};
  auto task = fold_task("t1", facts).take();
  EXPECT_EQ(task.owner, "dba");
  EXPECT_FALSE(task.overdue(start + hours(24)));
  EXPECT_TRUE(task.overdue(start + hours(25)));
  facts.push_back(fact(2, kind::done, hours(30)));
  facts.back().text = "a full disk";
  facts.push_back(fact(3, kind::done, hours(31)));
  facts.push_back(fact(4, kind::added, hours(32), adding()));
  task = fold_task("t1", facts).take();
  EXPECT_FALSE(task.overdue(start + hours(99)));
  EXPECT_EQ(task.done->at, start + hours(30));
  EXPECT_EQ(task.done_text, "a full disk");
}

TEST(TaskState, WithoutADateItIsNeverLateAndWithoutABeginningDamaged) {
  auto task = fold_task("t1", {fact(1, kind::added, hours(0), Json::object().set("text", "x"))});
  EXPECT_FALSE(task->overdue(start + hours(99'999)));
  EXPECT_EQ(fold_task("t1", {}).error().kind(), ErrorKind::corrupt);
  EXPECT_FALSE(fold_task("t1", {fact(1, kind::done, hours(0))}).ok());
}

TEST(TaskState, TheSameTaskOfARunHasTheSameId) {
  EXPECT_EQ(task_id("r1", "x"), task_id("r1", "x"));
  EXPECT_NE(task_id("r1", "x"), task_id("r1", "y"));
  EXPECT_NE(task_id("r1", "x"), task_id("r2", "x"));
}

}  // namespace
}  // namespace lb::incident
