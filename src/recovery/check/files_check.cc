// files: a restored tree against what its snapshot recorded.
#include "foundation/base/text.h"
#include "recovery/check/comparison.h"
#include "recovery/check/scope.h"
#include "stores/files/compare.h"

namespace lb::check {

namespace {

using Op = plan::Comparison::Op;

bool recorded(const std::optional<plan::Comparison>& expect) {
  return expect && expect->op == Op::recorded;
}

Status check_supported(const plan::CheckFiles& what) {
  if (!what.count && !what.zero_bytes && !what.modes && !what.hashes) {
    return Error(ErrorKind::invalid, "the check expects nothing of the files");
  }
  for (const auto* expect : {&what.modes, &what.hashes}) {
    if (*expect && !recorded(*expect)) {
      return Error(ErrorKind::invalid, cat("modes and hashes can only be compared with 'recorded', "
                                           "not with '",
                                           text_of(**expect), "'"));
    }
  }
  return {};
}

std::string expected_text(const plan::CheckFiles& what) {
  std::vector<std::string> out;
  if (what.count) out.push_back(cat("count ", text_of(*what.count)));
  if (what.zero_bytes) out.push_back(cat("zero bytes ", text_of(*what.zero_bytes)));
  if (what.modes) out.push_back("modes recorded");
  if (what.hashes) out.push_back("hashes recorded");
  return join(out, ", ");
}

// A number against the plan's number, or against the recorded one.
Result<bool> number_holds(const plan::Comparison& expect, std::uint64_t got,
                          std::uint64_t in_snapshot) {
  if (expect.op == Op::recorded) return got == in_snapshot;
  return holds(expect, std::to_string(got));
}

class TreeJudge {
 public:
  TreeJudge(const plan::CheckFiles& what, const files::TreeComparison& tree)
      : what_(what), tree_(tree) {}

  Result<Finding> judge() {
    out_.examined = tree_.files;
    out_.expected = expected_text(what_);
    out_.got = cat(tree_.files, " files (", tree_.recorded_files, " recorded), ", tree_.zero_bytes,
                   " empty, ", tree_.missing, " missing, ", tree_.extra, " extra, ",
                   tree_.mode_mismatches, " modes and ", tree_.content_mismatches,
                   what_.hashes ? " contents" : " sizes", " differ");
    LB_TRY(judge_counts());
    LB_TRY(judge_zero_bytes());
    judge_recorded();
    for (const auto& example : tree_.examples) out_.evidence.problem(printable(example));
    return std::move(out_);
  }

 private:
  Status judge_count(const std::string& folder, std::uint64_t got, std::uint64_t in_snapshot) {
    bool meets = LB_TRY(number_holds(*what_.count, got, in_snapshot));
    auto place = folder.empty() ? std::string("all") : printable(folder);
    out_.evidence.add(cat(place, ": ", got, " files, ", in_snapshot, " recorded"));
    if (meets) return {};
    auto wanted = recorded(what_.count) ? std::to_string(in_snapshot) : text_of(*what_.count);
    out_.fail(cat(place, ": ", got, " files, expected ", wanted));
    return {};
  }

  Status judge_counts() {
    if (!what_.count) return {};
    for (const auto& folder : tree_.folders) {
      LB_TRY(judge_count(folder.folder, folder.files, folder.recorded_files));
    }
    if (tree_.folders.empty()) LB_TRY(judge_count("", tree_.files, tree_.recorded_files));
    return {};
  }

  Status judge_zero_bytes() {
    if (!what_.zero_bytes) return {};
    bool meets =
        LB_TRY(number_holds(*what_.zero_bytes, tree_.zero_bytes, tree_.recorded_zero_bytes));
    if (!meets) {
      out_.fail(cat(tree_.zero_bytes, " files of zero bytes, expected ",
                    recorded(what_.zero_bytes) ? std::to_string(tree_.recorded_zero_bytes)
                                               : text_of(*what_.zero_bytes)));
    }
    return {};
  }

  void judge_recorded() {
    if (what_.modes && tree_.mode_mismatches > 0) {
      out_.fail(cat(tree_.mode_mismatches, " modes differ from the recorded ones"));
    }
    if (what_.hashes && tree_.content_mismatches > 0) {
      out_.fail(cat(tree_.content_mismatches, " files differ from the recorded content"));
    }
    if (what_.hashes && tree_.hashed == 0) out_.fail("the content of no file was compared");
    // Equal numbers may hide one file lost and another one new.
    bool names_matter = recorded(what_.count) || what_.modes || what_.hashes;
    if (names_matter && tree_.missing > 0) {
      out_.fail(cat(tree_.missing, " recorded files or folders are missing"));
    }
  }

  const plan::CheckFiles& what_;
  const files::TreeComparison& tree_;
  Finding out_;
};

}  // namespace

Result<Finding> check_files(const plan::CheckFiles& what, const Scope& scope) {
  LB_TRY(not_stopped(scope.context));
  LB_TRY(check_supported(what));
  const auto& name = what.store.empty() ? scope.check.store : what.store;
  const auto* store = LB_TRY(store_of(scope.context, name, plan::StoreKind::files));
  if (store->snapshot == nullptr || store->folder.empty()) {
    return Error(ErrorKind::invalid,
                 cat("store ", store->name, " was not restored from a snapshot"));
  }
  auto tree = LB_TRY(files::compare_tree(scope.context.world, *store->snapshot, store->folder,
                                         what.in, what.hashes.has_value(), scope.context.stop));
  return TreeJudge(what, tree).judge();
}

}  // namespace lb::check
