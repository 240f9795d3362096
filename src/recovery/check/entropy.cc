// entropy: the share of a restored store's content that looks encrypted.
#include <algorithm>
#include <cmath>

#include "foundation/base/text.h"
#include "recovery/check/encrypted_look.h"
#include "recovery/check/scope.h"
#include "recovery/check/session.h"
#include "stores/files/walker.h"

namespace lb::check {

namespace {

constexpr double rise_default = 0.1;
constexpr std::size_t sample_bytes = noise_bytes_min;

std::string percent(double share) { return cat(fixed(share * 100, 1), " %"); }

// What of one store was looked at.
struct Share {
  std::uint64_t examined = 0, encrypted = 0;
  double value() const {
    return examined == 0 ? 0 : static_cast<double>(encrypted) / static_cast<double>(examined);
  }
};

Result<Buffer> sample_at(File& file, std::uint64_t offset) {
  Buffer out(sample_bytes);
  auto got = LB_TRY(file.read_at(out, offset));
  out.resize(got);
  return out;
}

// Three samples at most: the beginning decides about formats, and two of three must be noise, for a
// database of pictures has noise in its middle too.
Result<bool> file_looks_encrypted(File& file, const std::string& name, std::uint64_t size) {
  auto beginning = LB_TRY(sample_at(file, 0));
  if (!known_format(beginning).empty()) return false;
  if (lost_its_format(name, beginning)) return true;
  if (size < 3 * sample_bytes) return bytes_look_encrypted(beginning);
  auto middle = LB_TRY(sample_at(file, size / 2));
  auto end = LB_TRY(sample_at(file, size - sample_bytes));
  int noise = 0;
  for (const auto* sample : {&beginning, &middle, &end}) noise += looks_like_noise(*sample) ? 1 : 0;
  return noise >= 2;
}

class Look {
 public:
  Look(const Scope& scope, Finding& out) : scope_(scope), out_(out) {}

  // A folder's path below the root of the store; empty: all of it.
  Result<Share> files(const CheckedStore& store, const std::string& below) {
    if (store.folder.empty()) {
      return Error(ErrorKind::invalid, cat("store ", store.name, " was not restored"));
    }
    auto root = below.empty() ? store.folder : path_join(store.folder, below);
    files::TreeWalker walker(scope_.context.world.files, root, {});
    Share share;
    for (;;) {
      LB_TRY(not_stopped(scope_.context));
      auto visit = LB_TRY(walker.next());
      if (!visit) return share;
      if (visit->unread) return Error(*visit->unread);
      if (visit->unlisted) return Error(*visit->unlisted);
      constexpr std::uint64_t bytes_min = 64;  // of less nothing can be said
      if (visit->info.kind != FileKind::regular || visit->info.size < bytes_min) continue;
      LB_TRY(one_file(store, *visit, share));
    }
  }

  Result<Share> database(const CheckedStore& store) {
    auto connection = LB_TRY(connect(scope_, store));
    auto columns = LB_TRY(connection->query(
        "SELECT n.nspname, c.relname, a.attname, t.typname = 'bytea', c.reltuples::bigint"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped"
        " AND t.typname IN ('text', 'varchar', 'bpchar', 'citext', 'bytea')"
        " AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
        " ORDER BY 1, 2, a.attnum"));
    Share share;
    for (const auto& row : columns.rows) {
      LB_TRY(not_stopped(scope_.context));
      LB_TRY(one_column(*connection, row, share));
    }
    return share;
  }

 private:
  Status one_file(const CheckedStore& store, const files::Visit& visit, Share& share) {
    auto file = scope_.context.world.files.open_read(visit.full);
    // What is live may be gone by now.
    if (!file.ok() && store.live && file.error().kind() == ErrorKind::not_found) return {};
    if (!file.ok()) return std::move(file).take_error();
    bool encrypted = LB_TRY(file_looks_encrypted(**file, visit.path, visit.info.size));
    ++share.examined;
    if (!encrypted) return {};
    ++share.encrypted;
    out_.evidence.problem(cat(store.name, "/", printable(visit.path), " looks encrypted"));
    return {};
  }

  // About a thousand values of each column, wherever in the table they stand. What is not empty
  // counts: too short for a cipher's block is an answer too.
  Status one_column(pg::Connection& connection,
                    const std::vector<std::optional<std::string>>& column, Share& share) {
    constexpr std::int64_t values_wanted = 1000, values_max = 3000;
    TableName table{column.at(0).value_or(""), column.at(1).value_or("")};
    auto name = quoted_part(column.at(2).value_or(""));
    bool bytes = column.at(3).value_or("") == "t";
    auto rows = LB_TRY(number_of(column.at(4)));
    auto value = bytes ? cat("encode(substring(", name, " from 1 for 512), 'hex')")
                       : cat("left(", name, "::text, 512)");
    auto values_from = [&](const std::string& sample) {
      return connection.query(cat("SELECT ", value, " FROM ONLY ", table.quoted(), sample,
                                  " WHERE ", name, " IS NOT NULL AND ", name, " <> '' LIMIT ",
                                  values_max));
    };
    std::string sample;
    if (rows > values_max) {
      auto part = 100.0 * static_cast<double>(values_wanted) / static_cast<double>(rows);
      sample = cat(" TABLESAMPLE SYSTEM (", fixed(std::max(part, 0.0001), 4), ")");
    }
    auto answer = LB_TRY(values_from(sample));
    // The few pages drawn may hold none.
    if (answer.rows.empty() && !sample.empty()) answer = LB_TRY(values_from(""));
    std::uint64_t encrypted = 0;
    for (const auto& row : answer.rows) encrypted += is_encrypted(row.at(0), bytes) ? 1U : 0U;
    share.examined += answer.rows.size();
    share.encrypted += encrypted;
    if (encrypted == 0) return {};
    out_.evidence.problem(cat(table.text(), ".", column.at(2).value_or(""), ": ", encrypted, " of ",
                              answer.rows.size(), " values look encrypted"));
    return {};
  }

  static bool is_encrypted(const std::optional<std::string>& value, bool bytes) {
    if (!value) return false;
    if (!bytes) return text_looks_encrypted(*value);
    auto raw = from_hex(*value);
    return raw.ok() && bytes_look_encrypted(*raw);
  }

  const Scope& scope_;
  Finding& out_;
};

// A store of the drill, and for files perhaps a folder of it.
struct Part {
  const CheckedStore* store = nullptr;
  std::string below;
  std::string name() const { return below.empty() ? store->name : cat(store->name, "/", below); }
};

Result<std::vector<Part>> parts_of(const plan::CheckEntropy& what, const Scope& scope) {
  const auto& stores = scope.context.stores;
  std::vector<Part> out;
  for (const auto& name : what.of) {
    auto named = std::find_if(stores.begin(), stores.end(),
                              [&](const auto& store) { return store.name == name; });
    if (named != stores.end()) {
      out.push_back({&*named, ""});
    } else {
      const auto* store =
          LB_TRY(store_of(scope.context, scope.check.store, plan::StoreKind::files));
      out.push_back({store, name});
    }
  }
  if (!what.of.empty()) return out;
  for (const auto& store : stores) {
    bool asked = scope.check.store.empty() || store.name == scope.check.store;
    if (asked) out.push_back({&store, ""});
  }
  if (out.empty()) return Error(ErrorKind::invalid, "nothing that the check asks was restored");
  return out;
}

}  // namespace

Result<Finding> check_entropy(const plan::CheckEntropy& what, const Scope& scope) {
  LB_TRY(not_stopped(scope.context));
  auto most = what.rise.value_or(rise_default);
  Finding out;
  out.expected = cat("at most ", percent(most), " that looks encrypted");
  auto parts = LB_TRY(parts_of(what, scope));
  Look look(scope, out);
  for (const auto& part : parts) {
    bool files = part.store->kind == plan::StoreKind::files;
    auto share = LB_TRY(files ? look.files(*part.store, part.below) : look.database(*part.store));
    auto line = cat(part.name(), ": ", share.encrypted, " of ", share.examined,
                    files ? " files" : " values", " (", percent(share.value()), ")");
    out.got += cat(out.got.empty() ? "" : "; ", line);
    out.examined += share.examined;
    if (share.examined == 0) out.fail(cat("nothing of ", part.name(), " could be examined"));
    if (share.value() > most) {
      out.fail(cat(percent(share.value()), " of ", part.name(), " looks encrypted, at most ",
                   percent(most), " may"));
    }
  }
  return out;
}

}  // namespace lb::check
