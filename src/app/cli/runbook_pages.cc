#include "app/cli/runbook_pages.h"

#include <algorithm>

#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
#include "model/plan/front_matter.h"
#include "model/report/runbook_index.h"
#include "model/report/runbook_page.h"

namespace lb::cli {

namespace {

state::StoredPage page_of(const LoadedPlan& plan, const plan::Runbook& runbook, Timestamp made,
                          const AllTimes& times) {
  report::RunbookPage page{plan.plan, runbook, plan.fingerprint, cat("lifeboat ", program_version),
                           made};
  auto found = times.find(runbook.name);
  if (found != times.end()) {
    page.measured = found->second.steps;
    page.measured_whole = found->second.whole;
  }
  return {runbook.name, report::runbook_html(page), report::runbook_markdown(page),
          plan::page_lies_open(plan.plan, runbook)};
}

// What the pages say, whenever they are made.
std::string digest_of(const state::PageSet& pages) {
  Sha256 hash;
  auto take = [&](const std::string& text) {
    hash.update(view_of(cat(text.size(), ":")));
    hash.update(view_of(text));
  };
  for (const auto& page : pages.pages) {
    for (const auto& text : {page.runbook, page.html, page.markdown}) take(text);
    take(page.open ? "open" : "sealed");
  }
  take(pages.index_html);
  take(pages.index_markdown);
  return to_hex(hash.finish());
}

// All pages as the repository keeps them: the same bytes for the same plan and second.
Result<state::PageSet> pages_to_store(const LoadedPlan& plan, Timestamp made,
                                      const std::string& says) {
  auto out = LB_TRY(make_pages(plan, {}, made));
  out.says = says;
  out.id = state::set_id(made, says);
  const bool any_open =
      std::any_of(out.pages.begin(), out.pages.end(), [](const auto& page) { return page.open; });
  if (!any_open) return out;
  const report::RunbookIndex index{plan.plan, plan.fingerprint, cat("lifeboat ", program_version),
                                   made};
  out.index_html = report::runbook_index_html(index);
  out.index_markdown = report::runbook_index_markdown(index);
  return out;
}

// The moment of the set in the repository that says this; nothing when there is none that counts.
// One that others have put newer ones after counts only when this host put no other one since.
Result<std::optional<Timestamp>> stored_at(Session& session, const std::string& says,
                                           bool put_last_here) {
  auto ids = LB_TRY(session.repository->records(state::page_record_kind));
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    if (state::says_same(*id, says)) return state::made_of(*id);
    if (!put_last_here) break;
  }
  return std::optional<Timestamp>();
}

// Open pages that were lost are put there again, at the place that the record names. False: all of
// them are there.
Result<bool> complete(const LoadedPlan& plan, repo::Repository& repository, Timestamp made,
                      const std::string& says, bool& changed) {
  auto pages = LB_TRY(pages_to_store(plan, made, says));
  auto presence = LB_TRY(state::presence_of(repository, pages));
  changed = presence == state::Presence::changed;
  if (presence != state::Presence::lacking) return false;
  LB_TRY(state::put_open_pages(repository, pages));
  return true;
}

Timestamp whole_seconds(Timestamp time) {
  constexpr std::int64_t second = 1'000'000;
  return from_micros(to_micros(time) / second * second);
}

// Later than all that are there, also within one second and after a clock was set back: what is
// newest is told by it.
Result<Timestamp> moment_of_new(Session& session, Timestamp now) {
  auto out = whole_seconds(now);
  auto ids = LB_TRY(session.repository->records(state::page_record_kind));
  for (const auto& id : ids) {
    auto made = state::made_of(id);
    if (made) out = std::max<Timestamp>(out, *made + Seconds(1));
  }
  return out;
}

}  // namespace

Result<state::PageSet> make_pages(const LoadedPlan& plan, const std::vector<std::string>& names,
                                  Timestamp made, const AllTimes& times) {
  state::PageSet out{plan.plan.system, plan.fingerprint, made, {}, {}, {}};
  std::vector<std::string> known;
  for (const auto& runbook : plan.plan.runbooks) {
    known.push_back(runbook.name);
    if (names.empty()) out.pages.push_back(page_of(plan, runbook, made, times));
  }
  for (const auto& name : names) {
    const auto* runbook = plan.plan.runbook(name);
    if (runbook == nullptr) {
      auto near = nearest(name, known);
      return Error(ErrorKind::invalid, cat("the plan has no runbook '", printable(name), "'"))
          .with_hint(!near.empty()   ? cat("did you mean ", near, "?")
                     : known.empty() ? std::string("the plan has no runbooks: section")
                                     : cat("runbooks: ", join(known, ", ")))
          .with_exit(ExitCode::usage);
    }
    out.pages.push_back(page_of(plan, *runbook, made, times));
  }
  return out;
}

Status write_pages(const Shell& shell, const std::string& folder, const state::PageSet& pages) {
  auto& files = shell.world.files;
  LB_TRY(make_directories(files, folder, 0755));
  for (const auto& page : pages.pages) {
    auto stem = path_join(folder, page.runbook);
    LB_TRY(write_durably(files, cat(stem, ".html"), view_of(page.html), 0644));
    LB_TRY(write_durably(files, cat(stem, ".md"), view_of(page.markdown), 0644));
  }
  return {};
}

Result<bool> store_pages(const Shell& shell, Session& session) {
  if (session.plan.plan.runbooks.empty()) return false;
  auto& repository = *session.repository;
  // Made as of one fixed moment: what differs then is what they say.
  const auto says = digest_of(LB_TRY(pages_to_store(session.plan, from_micros(0), "")));
  auto& files = shell.world.files;
  const auto path = path_join(session.state_folder, "runbook-pages");
  const auto note = cat(repository.id(), " ", says, "\n");
  constexpr std::uint64_t note_bytes_max = 4096;
  auto before = read_file(files, path, note_bytes_max);
  const bool here = before.ok() && std::string(before->begin(), before->end()) == note;
  auto there = LB_TRY(stored_at(session, says, here));
  bool changed = false, completed = false;
  if (there) completed = LB_TRY(complete(session.plan, repository, *there, says, changed));
  if (changed) {
    shell.console.warn(cat("open pages of runbooks under ", state::open_pages_prefix,
                           " were changed: do not follow them; lifeboat verify says which. The "
                           "pages are put anew"));
  }
  if (there && !changed) return completed;
  const auto made = LB_TRY(moment_of_new(session, shell.world.clock.now()));
  auto pages = LB_TRY(pages_to_store(session.plan, made, says));
  // The record first: what lies open without one is nobody's.
  LB_TRY(state::put_pages(repository, pages));
  LB_TRY(state::put_open_pages(repository, pages));
  if (pages.open()) {
    shell.console.note(cat("the runbooks lie in ", state::open_pages_prefix, pages.id,
                           " of the repository, to be read without a key; pages: sealed under "
                           "repository: keeps them sealed"));
  }
  LB_TRY(write_durably(files, path, view_of(note)));
  return true;
}

std::string text_of(const state::PageCheck& check) {
  std::string out;
  for (const auto& trouble : check.troubles) {
    out += cat(trouble.mended ? "mended: " : "open page: ", printable(trouble.object), " ",
               trouble.problem, "\n");
  }
  if (!check.mended())
    out += "lifeboat verify --heal puts back from the sealed record what was changed or lost\n";
  return out;
}

Json json_of(const state::PageCheck& check) {
  Json troubles = Json::array();
  for (const auto& trouble : check.troubles) {
    troubles.push(Json::object()
                      .set("object", trouble.object)
                      .set("problem", trouble.problem)
                      .set("mended", trouble.mended));
  }
  return Json::object()
      .set("sets", static_cast<std::uint64_t>(check.sets))
      .set("objects", static_cast<std::uint64_t>(check.objects))
      .set("troubles", std::move(troubles));
}

}  // namespace lb::cli
