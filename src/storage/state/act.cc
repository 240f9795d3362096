#include "foundation/base/text.h"
#include "storage/state/journal.h"

namespace lb::state {

using record::JournalEntry;

namespace {

class JournalledAct final : public Act {
 public:
  JournalledAct(Journal& journal, JournalEntry frame)
      : journal_(journal), frame_(std::move(frame)) {}

  ~JournalledAct() override {
    if (finished_) return;
    // Without this line the intent stands alone and the run counts as interrupted: the same
    // warning.
    (void)write(JournalEntry::Phase::outcome, false, "abandoned", Json()).ok();
  }

  const std::string& run() const override { return frame_.run; }

  Status note(const std::string& text) override {
    return write(JournalEntry::Phase::note, true, text, Json());
  }

  Status finish(bool ok, const std::string& text, Json details) override {
    if (finished_)
      return Error(ErrorKind::internal, cat("act ", frame_.act, " is finished already"));
    LB_TRY(write(JournalEntry::Phase::outcome, ok, text, std::move(details)));
    finished_ = true;
    return {};
  }

 private:
  Status write(JournalEntry::Phase phase, bool ok, const std::string& text, Json details) {
    JournalEntry entry = frame_;
    entry.phase = phase;
    entry.ok = ok;
    entry.text = text;
    entry.details = std::move(details);
    return journal_.add(std::move(entry));
  }

  Journal& journal_;
  const JournalEntry frame_;  // what all entries of the run share
  bool finished_ = false;
};

}  // namespace

Result<std::unique_ptr<Act>> Act::begin(World& world, Journal& journal, const std::string& act,
                                        const std::string& store, const std::string& text,
                                        Json details) {
  JournalEntry intent;
  intent.run = journal.fresh_id();
  intent.act = act;
  intent.store = store;
  const JournalEntry frame = intent;
  intent.at = world.clock.now();
  intent.phase = JournalEntry::Phase::intent;
  intent.text = text;
  intent.details = std::move(details);
  LB_TRY(journal.add(std::move(intent)).context(cat("begin ", act)));
  return std::unique_ptr<Act>(std::make_unique<JournalledAct>(journal, frame));
}

}  // namespace lb::state
