#include "operations/notify/messages.h"

#include "operations/notify/notify_testing.h"

namespace lb::notify {
namespace {

const std::string plan_text = R"(channels: {hook: {command: "cat > /dev/null"}}
people:
  lead:      {via: hook, deputy: second}
  second:    {via: hook}
  press:     {members: [lead, writer]}
  writer:    {via: hook}
  customers: {via: hook}
templates:
  customers: {subject: "{impact}", body: "Loss: {data_loss}.", approve: lead}
  short:     "{impact} since {since}"
  public:    {body: "{impact}", approve: press}
)";

struct Bench {
  RealWorld real;
  std::string path = real.folder / "state/journal.sqlite";
  std::unique_ptr<state::Journal> journal = state::Journal::open(real.world, path).take();
  std::unique_ptr<state::Outbox> outbox = state::Outbox::open(real.world, *journal, path).take();
  plan::Plan plan = plan_of(plan_text);
  References references{real.world, {{"PATH", "/usr/bin:/bin"}}, "/"};
  Postman postman{real.world, plan, references, *journal, *outbox};

  Result<Told> say(const std::string& name, const plan::TemplateValues& values,
                   const std::string& key = "k") {
    Notice notice;
    notice.template_name = name;
    notice.to = {"customers"};
    notice.values = values;
    notice.letter.key = key;
    return tell(postman, plan, *journal, *outbox, notice);
  }
  Status approve(const std::string& id, const std::string& hash, const std::string& by) {
    return approve_draft(plan, *journal, *outbox, id, hash, by);
  }
  Result<Posted> send(const std::string& id, Micros later = Micros(0)) {
    return send_draft({postman, plan, *journal, *outbox}, id, real.clock->now() + later);
  }
};

TEST(Messages, AreSentAtOnceWhenNobodyHasToApprove) {
  Bench bench;
  auto told = bench.say("short", {{"impact", "no orders"}, {"since", "02:14"}}).take();
  EXPECT_EQ(told.posted.people, (std::vector<std::string>{"customers"}));
  EXPECT_EQ(told.draft, "");
  auto letter = decode_letter(bench.outbox->items(1).take().at(0).letter).take();
  EXPECT_EQ(letter.subject, "shop: message");
  EXPECT_EQ(letter.text, "no orders since 02:14");
  // One that every plan has, with its own subject.
  told = bench
             .say("stakeholders",
                  {{"impact", "down"},
                   {"since", "a"},
                   {"affected", "all"},
                   {"data_loss", "none"},
                   {"predicted_end", "b"},
                   {"next_update", "c"}},
                  "l")
             .take();
  EXPECT_EQ(decode_letter(bench.outbox->items(1).take().at(0).letter).take().subject, "shop: down");
}

TEST(Messages, AGapOrAnUnknownTemplateSendsNothing) {
  Bench bench;
  auto gap = bench.say("short", {{"impact", "no orders"}});
  ASSERT_FALSE(gap.ok());
  EXPECT_EQ(gap.error().text(), "template short: the message has no value for {since}");
  EXPECT_EQ(bench.say("hello", {}).error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(bench.outbox->items(10).take().empty());
  EXPECT_TRUE(bench.outbox->drafts(10).take().empty());
}

TEST(Messages, ADraftIsSentOnceAsApproved) {
  Bench bench;
  const plan::TemplateValues values = {{"impact", "Down\nBcc: x"}, {"data_loss", "none"}};
  auto told = bench.say("customers", values).take();
  EXPECT_EQ(told.approve, "lead");
  EXPECT_TRUE(told.posted.people.empty());
  EXPECT_EQ(bench.say("customers", values).take().draft, told.draft);  // the same key: one draft
  auto shown = show_draft(*bench.outbox, told.draft).take();
  EXPECT_EQ(shown.subject, "Down Bcc: x");
  EXPECT_EQ(shown.text, "Loss: none.");
  EXPECT_EQ(shown.to, (std::vector<std::string>{"customers"}));

  EXPECT_FALSE(bench.send(told.draft).ok());
  EXPECT_EQ(bench.approve(told.draft, shown.hash, "customers").error().exit_code(),
            ExitCode::refused);
  EXPECT_EQ(bench.approve(told.draft, std::string(64, '0'), "lead").error().kind(),
            ErrorKind::conflict);
  ASSERT_TRUE(bench.approve(told.draft, shown.hash, "lead").ok());
  auto sent = bench.send(told.draft).take();
  EXPECT_EQ(sent.people, (std::vector<std::string>{"customers"}));
  EXPECT_FALSE(bench.send(told.draft).ok());
  EXPECT_EQ(bench.outbox->items(10).take().size(), 1U);
  auto last = bench.journal->entries(10).take().back();
  EXPECT_EQ(last.text, "Draft \"Down Bcc: x\" sent");
}

TEST(Messages, AChangeAfterTheApprovalVoidsIt) {
  Bench bench;
  auto told = bench.say("customers", {{"impact", "Down"}, {"data_loss", "none"}}).take();
  auto shown = show_draft(*bench.outbox, told.draft).take();
  ASSERT_TRUE(bench.approve(told.draft, shown.hash, "second").ok());  // the deputy
  auto body = shown.draft.body;
  auto letter = body["letter"];
  letter.set("text", "Loss: everything.");
  body.set("letter", letter);
  ASSERT_TRUE(bench.outbox->rewrite_draft(told.draft, body).ok());
  EXPECT_FALSE(bench.send(told.draft).ok());
  EXPECT_NE(show_draft(*bench.outbox, told.draft).take().hash, shown.hash);
  EXPECT_EQ(bench.approve(told.draft, shown.hash, "lead").error().kind(), ErrorKind::conflict);
}

TEST(Messages, AnApprovalEndsWithItsTimeAndIsAskedForAnew) {
  Bench bench;
  auto told = bench.say("customers", {{"impact", "Down"}, {"data_loss", "none"}}).take();
  const auto hash = show_draft(*bench.outbox, told.draft).take().hash;
  ASSERT_TRUE(bench.approve(told.draft, hash, "lead").ok());
  const auto late = bench.send(told.draft, approval_holds + Seconds(60));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().exit_code(), ExitCode::refused);
  EXPECT_FALSE(bench.send(told.draft).ok()) << "it is void, whatever the clock says then";
  EXPECT_TRUE(bench.outbox->items(10).take().empty());
  ASSERT_TRUE(bench.approve(told.draft, hash, "lead").ok());
  EXPECT_TRUE(bench.send(told.draft, approval_holds - Seconds(60)).ok());
}

TEST(Messages, WhoOfSomePeopleMayApprove) {
  auto plan = plan_of(plan_text);
  EXPECT_EQ(approver_among(plan, "lead", {"writer", "second"}), "second");
  EXPECT_EQ(approver_among(plan, "lead", {"lead", "second"}), "lead");
  EXPECT_EQ(approver_among(plan, "press", {"writer"}), "writer");
  EXPECT_EQ(approver_among(plan, "press", {"press", "writer"}), "press");
  EXPECT_EQ(approver_among(plan, "lead", {"writer"}), "");
  EXPECT_EQ(approver_among(plan, "lead", {}), "");
}

TEST(Messages, AnyMemberOfATeamMayApprove) {
  Bench bench;
  auto told = bench.say("public", {{"impact", "Down"}}).take();
  auto shown = show_draft(*bench.outbox, told.draft).take();
  EXPECT_FALSE(bench.approve(told.draft, shown.hash, "second").ok());
  EXPECT_TRUE(bench.approve(told.draft, shown.hash, "writer").ok());
}

}  // namespace
}  // namespace lb::notify
