#include "app/cli/runbook_pages.h"

#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"
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
  return {runbook.name, report::runbook_html(page), report::runbook_markdown(page)};
}

// What the pages say, whenever they are made, and where they are kept.
std::string digest_of(const state::PageSet& pages, const std::string& repository) {
  Sha256 hash;
  for (const auto& page : pages.pages) {
    for (const auto& text : {page.runbook, page.html, page.markdown}) {
      hash.update(view_of(cat(text.size(), ":")));
      hash.update(view_of(text));
    }
  }
  return cat(repository, " ", to_hex(hash.finish()), "\n");
}

}  // namespace

Result<state::PageSet> make_pages(const LoadedPlan& plan, const std::vector<std::string>& names,
                                  Timestamp made, const AllTimes& times) {
  state::PageSet out{plan.plan.system, plan.fingerprint, made, {}};
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
  // Made as of one fixed moment: what differs then is what they say.
  auto same = LB_TRY(make_pages(session.plan, {}, from_micros(0)));
  auto digest = digest_of(same, session.repository->id());
  auto& files = shell.world.files;
  auto path = path_join(session.state_folder, "runbook-pages");
  constexpr std::uint64_t note_bytes_max = 4096;
  auto before = read_file(files, path, note_bytes_max);
  if (before.ok() && std::string(before->begin(), before->end()) == digest) return false;
  auto pages = LB_TRY(make_pages(session.plan, {}, shell.world.clock.now()));
  LB_TRY(state::put_pages(*session.repository, pages));
  // Only a note that spares the next backup the work: without it the pages are put once more.
  LB_TRY(write_durably(files, path, view_of(digest)));
  return true;
}

}  // namespace lb::cli
