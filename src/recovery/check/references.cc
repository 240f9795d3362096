// references: keys that rows hold must exist in a files store.
#include "foundation/base/text.h"
#include "recovery/check/comparison.h"
#include "recovery/check/session.h"
#include "stores/files/compare.h"

namespace lb::check {

namespace {

constexpr std::size_t batch_rows = 5000;
constexpr std::uint64_t keys_shown = 20;

class KeyChecker {
 public:
  KeyChecker(const plan::CheckReferences& what, files::KeyLookup& lookup)
      : what_(what), lookup_(lookup) {}

  Status check(const std::optional<std::string>& value) {
    if (!value) {
      ++nulls_;
      return {};
    }
    auto key = *value;
    if (key.starts_with(what_.strip_prefix)) key.erase(0, what_.strip_prefix.size());
    ++out_.examined;
    bool there = LB_TRY(lookup_.contains(key).context(printable(key)));
    if (there) return {};
    if (++missing_ <= keys_shown) out_.evidence.problem(cat("missing: ", shown(value)));
    return {};
  }

  Result<Finding> finish() {
    auto expect = what_.missing;
    if (expect.value.empty() && expect.op == plan::Comparison::Op::equal) expect.value = "0";
    out_.expected = cat("missing ", text_of(expect));
    out_.got = cat(missing_, " of ", out_.examined, " keys missing in ", what_.to);
    if (missing_ > keys_shown) out_.evidence.add(cat("and ", missing_ - keys_shown, " more"));
    if (nulls_ > 0) out_.evidence.add(cat(nulls_, " rows without a key"));
    bool meets = LB_TRY(holds(expect, std::to_string(missing_)));
    if (!meets) out_.fail(out_.got);
    if (out_.examined == 0) out_.fail("the query gave no key: nothing was examined");
    return std::move(out_);
  }

 private:
  const plan::CheckReferences& what_;
  files::KeyLookup& lookup_;
  Finding out_;
  std::uint64_t missing_ = 0, nulls_ = 0;
};

}  // namespace

Result<Finding> check_references(const plan::CheckReferences& what, const Scope& scope) {
  const auto& context = scope.context;
  const auto* to = LB_TRY(store_of(context, what.to, plan::StoreKind::files));
  // Without a folder every key would be looked up in the working directory.
  auto info =
      LB_TRY(context.world.files.info(to->folder).context(cat("restored store ", to->name)));
  if (info.kind != FileKind::directory) {
    return Error(ErrorKind::invalid, cat("restored store ", to->name, " is no folder"));
  }
  const auto* from = LB_TRY(store_of(context, what.from_store, plan::StoreKind::postgres));
  auto connection = LB_TRY(connect(scope, *from));
  LB_TRY(begin_snapshot(*connection));
  auto reader =
      LB_TRY(RowReader::open(*connection, "lifeboat_keys", bare_statement(what.sql), batch_rows));
  files::KeyLookup lookup(context.world.files, to->folder);
  KeyChecker checker(what, lookup);
  while (true) {
    LB_TRY(not_stopped(context));
    auto rows = LB_TRY(reader.next());
    if (rows.empty()) return checker.finish();
    for (const auto& row : rows) LB_TRY(checker.check(row.at(0)));
  }
}

}  // namespace lb::check
