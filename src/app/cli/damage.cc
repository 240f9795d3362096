#include "app/cli/damage.h"

#include <algorithm>

#include "app/cli/point_view.h"
#include "foundation/base/text.h"

namespace lb::cli {

namespace {

constexpr std::size_t examples_max = 20;
constexpr std::size_t suspects_told_max = 3;
constexpr std::size_t suspects_kept_max = 20;
constexpr std::size_t deeds_max = 5;  // of one transaction

// "1 table is missing", "2 tables are missing"; "" for none.
std::string counted(std::uint64_t count, const char* one, const char* many) {
  if (count == 0) return {};
  return cat(human_count(count), " ", count == 1 ? one : many);
}

std::string joined(std::vector<std::string> parts) {
  std::erase(parts, "");
  return join(parts, ", ");
}

// What a step keeps of many differences.
class Examples {
 public:
  explicit Examples(const EachDifference& each) : each_(each) {}

  Status take(Difference difference) {
    if (kept_.items().size() < examples_max)
      kept_.push(std::string(trim(difference.text)));
    else
      ++left_out_;
    return each_ ? each_(std::move(difference)) : Status();
  }
  void put_into(Json& data) {
    data.set("differences", std::move(kept_));
    if (left_out_ > 0) data.set("differences_left_out", left_out_);
  }

 private:
  const EachDifference& each_;
  Json kept_ = Json::array();
  std::uint64_t left_out_ = 0;
};

Difference of_tree(const files::TreeDifference& one) {
  using Kind = files::TreeDifference::Kind;
  struct Word {
    const char *mark, *word;
  };
  static constexpr Word words[] = {
      {"-", "removed"}, {"M", "content"}, {"+", "added"}, {"a", "attributes"}, {"?", "unseen"}};
  const auto& [mark, word] = words[static_cast<std::size_t>(one.kind)];
  auto path = one.path.empty() ? std::string(".") : one.path;
  Difference out;
  out.schema = "lifeboat.difference/1";
  out.text = cat(mark, " ", printable(path), one.why.empty() ? "" : "  (", one.why,
                 one.why.empty() ? "" : ")", "\n");
  out.json.set("change", word);
  set_path(out.json, path);
  if (one.kind != Kind::extra) out.json.set("size_before", one.recorded_bytes);
  if (one.kind != Kind::missing && one.kind != Kind::unseen) out.json.set("size_after", one.bytes);
  if (!one.why.empty()) out.json.set("why", one.why);
  return out;
}

std::string rows_in_words(const pg::TableDifference& one) {
  using Kind = pg::TableDifference::Kind;
  auto number = [](std::int64_t rows) { return human_count(static_cast<std::uint64_t>(rows)); };
  const auto then = one.recorded ? cat(number(*one.recorded), " rows at the point") : "";
  switch (one.kind) {
    case Kind::missing:
    case Kind::database_missing:
      return then;
    case Kind::extra:
      return one.rows ? cat("about ", number(*one.rows), " rows") : "";
    case Kind::fewer:
    case Kind::more:
      return cat(then, ", ", number(*one.rows), " now", one.rewritten ? ", rewritten" : "");
    case Kind::estimated:
      return cat(then, ", ", one.rows ? cat("about ", number(*one.rows), " now") : "unknown now",
                 ": ", one.why);
    case Kind::unseen:
    case Kind::catalog:
    case Kind::database_extra:
      break;
  }
  return one.why;
}

Difference of_table(const pg::TableDifference& one) {
  struct Word {
    const char *mark, *word;
  };
  static constexpr Word words[] = {
      {"-", "missing"}, {"+", "extra"},   {"<", "fewer"}, {">", "more"},    {"~", "estimated"},
      {"?", "unseen"},  {"-", "missing"}, {"+", "extra"}, {"M", "catalog"},
  };
  const auto& [mark, word] = words[static_cast<std::size_t>(one.kind)];
  const auto rows = rows_in_words(one);
  Difference out;
  out.schema = "lifeboat.table_difference/1";
  out.text = cat(mark, one.name.empty() ? " database " : " ", printable(one.table()),
                 rows.empty() ? "" : "  (", rows, rows.empty() ? "" : ")", "\n");
  out.json.set("change", word).set("database", printable(one.database));
  if (!one.name.empty()) out.json.set("table", printable(cat(one.schema, ".", one.name)));
  if (one.recorded) out.json.set("rows_before", *one.recorded);
  if (one.rows) out.json.set("rows_after", *one.rows);
  bool guessed = one.kind == pg::TableDifference::Kind::estimated ||
                 one.kind == pg::TableDifference::Kind::extra;
  if (one.rows && guessed) out.json.set("rows_are_estimated", true);
  if (one.rewritten) out.json.set("rewritten", true);
  if (!one.why.empty()) out.json.set("why", one.why);
  return out;
}

Json as_json(const files::TreeDamage& damage) {
  return Json::object()
      .set("removed", damage.missing)
      .set("removed_bytes", damage.missing_bytes)
      .set("content", damage.changed)
      .set("content_bytes", damage.changed_bytes)
      .set("added", damage.extra)
      .set("added_bytes", damage.extra_bytes)
      .set("attributes", damage.attributes)
      .set("unseen", damage.unseen)
      .set("equal", damage.equal);
}

Json as_json(const pg::ServerDamage& damage) {
  return Json::object()
      .set("missing", damage.missing)
      .set("fewer", damage.fewer)
      .set("rows_missing", damage.rows_missing)
      .set("extra", damage.extra)
      .set("more", damage.more)
      .set("equal", damage.equal)
      .set("estimated", damage.estimated)
      .set("unseen", damage.unseen)
      .set("catalog", damage.catalog)
      .set("databases_missing", damage.databases_missing)
      .set("databases_extra", damage.databases_extra)
      .set("other_system", damage.other_system);
}

Result<StoreDamage> assess_files(const Shell& shell, repo::SnapshotReader& reader,
                                 const std::string& folder, Examples& examples,
                                 std::stop_token stop) {
  auto sink = [&](const files::TreeDifference& one) { return examples.take(of_tree(one)); };
  auto damage = LB_TRY(files::assess_tree(shell.world, reader, folder, sink, std::move(stop)));
  StoreDamage out;
  out.unseen = damage.unseen > 0;
  out.any = damage.missing + damage.changed + damage.extra + damage.attributes > 0 || out.unseen;
  out.text = text_of(damage);
  out.data = as_json(damage);
  return out;
}

// The first of what a transaction did; one may have touched every table.
std::vector<std::string> first_deeds(const Suspicion& suspicion) {
  auto out = suspicion.deeds;
  if (out.size() <= deeds_max) return out;
  auto more = out.size() - deeds_max;
  out.resize(deeds_max);
  out.push_back(cat(human_count(more), " deeds more"));
  return out;
}

// What is stored of the log since the point.
Status look_into_log(Session& session, const plan::Store& store, const repo::SnapshotInfo& point,
                     StoreDamage& out) {
  auto details = LB_TRY(pg::decode_details(point.meta.details));
  auto points = LB_TRY(restore::read_points(*session.repository, store));
  for (const auto& log : points.logs) {
    if (log.log_id != details.log_id) continue;
    out.suspicions = LB_TRY(find_suspicious(*session.repository, points, log, point.meta.taken));
  }
  if (!out.suspicions) out.suspicions = Suspicions();
  return {};
}

Json first_suspects(Suspicions suspicions) {
  auto count = suspicions.found.size();
  if (count > suspects_kept_max) suspicions.found.resize(suspects_kept_max);
  for (auto& each : suspicions.found) each.deeds = first_deeds(each);
  return to_json(suspicions).set("suspicious_count", static_cast<std::uint64_t>(count));
}

Result<StoreDamage> assess_database(const Shell& shell, Session& session, const plan::Store& store,
                                    repo::SnapshotReader& reader, const RestorePlace& place,
                                    bool own_log, Examples& examples, std::stop_token stop) {
  if (!place.folder.empty()) {
    return Error(ErrorKind::unsupported,
                 cat("not supported yet: looking into the data directory ", place.folder))
        .with_hint("a server that runs can be asked: start it, or look by hand");
  }
  auto secret = LB_TRY(session.references->secret(place.server));
  auto sink = [&](const pg::TableDifference& one) { return examples.take(of_table(one)); };
  const pg::CountLimits limits;
  auto damage =
      LB_TRY(pg::assess_server(reader, secret, shell.world.clock, limits, sink, std::move(stop)));
  StoreDamage out;
  out.text = text_of(damage);
  out.data = as_json(damage);
  out.unseen = damage.unseen > 0;
  auto differ = damage.missing + damage.fewer + damage.extra + damage.catalog +
                damage.databases_missing + damage.databases_extra + damage.estimated;
  out.any = differ > 0 || out.unseen || damage.other_system;
  if (!own_log) {
    out.text += "; rows were counted, changed values are not seen";
    out.any = true;
    return out;
  }
  auto looked = look_into_log(session, store, reader.info(), out);
  if (!looked.ok()) {
    out.text += cat("; the log could not be looked through: ", looked.error().text());
    out.any = out.unseen = true;
    return out;
  }
  out.text += text_of(*out.suspicions);
  // Counts do not show values that changed: without the log nobody can say that none did.
  bool log_tells = out.suspicions->looked_at > 0 && out.suspicions->unknown == 0;
  out.any = out.any || !out.suspicions->found.empty() || !log_tells;
  out.data.set("log", first_suspects(*out.suspicions));
  return out;
}

}  // namespace

std::string text_of(const files::TreeDamage& damage) {
  auto more = joined({counted(damage.attributes, "with other attributes", "with other attributes"),
                      counted(damage.unseen, "could not be looked at", "could not be looked at")});
  auto bytes = [](std::uint64_t count, std::uint64_t size) {
    return count == 0 ? std::string() : cat(" (", human_size(size), ")");
  };
  return cat(damage.no_root ? "the folder is not there, " : "", human_count(damage.missing),
             " missing", bytes(damage.missing, damage.missing_bytes), ", ",
             human_count(damage.changed), " changed", bytes(damage.changed, damage.changed_bytes),
             ", ", human_count(damage.extra), " extra", bytes(damage.extra, damage.extra_bytes),
             more.empty() ? "" : ", ", more);
}

std::string text_of(const pg::ServerDamage& damage) {
  auto lost = counted(damage.databases_missing, "database is missing", "databases are missing");
  auto text =
      joined({lost, counted(damage.missing, "table is missing", "tables are missing"),
              counted(damage.fewer, "table has fewer rows", "tables have fewer rows"),
              counted(damage.databases_extra, "database is extra", "databases are extra"),
              counted(damage.extra, "table is extra", "tables are extra"),
              counted(damage.catalog, "database has other functions, indexes or the like",
                      "databases have other functions, indexes or the like"),
              counted(damage.more, "table has more rows", "tables have more rows"),
              counted(damage.estimated, "table is only estimated", "tables are only estimated"),
              counted(damage.unseen, "could not be looked at", "could not be looked at")});
  if (text.empty()) {
    text = damage.equal == 0 ? "there are no tables, as at the point"
                             : cat("as many rows as at the point in all ",
                                   counted(damage.equal, "table", "tables"));
  }
  if (damage.rows_missing > 0) text += cat(" (", human_count(damage.rows_missing), " rows less)");
  if (damage.other_system) text += "; this is not the server that the point was taken from";
  return text;
}

std::string text_of(const Suspicions& suspicions) {
  std::string out;
  const auto& found = suspicions.found;
  for (std::size_t n = 0; n < std::min(found.size(), suspects_told_max); ++n) {
    out += cat("; at ", format_time_seconds(found[n].suspect.time), " ",
               join(first_deeds(found[n]), " and "));
  }
  if (found.size() > suspects_told_max) {
    out += cat("; and ", human_count(found.size() - suspects_told_max),
               " more transactions like that (lifeboat wal ls --suspicious)");
  }
  if (suspicions.looked_at == 0) out += "; no commit since is in the log that is stored";
  if (suspicions.unknown > 0) {
    out += cat("; of ", counted(suspicions.unknown, "segment", "segments"),
               " of the log it is not fully known");
  }
  return out;
}

Result<RestorePlace> live_place(const Session& session, const plan::Store& store) {
  RestorePlace out;
  out.original = true;
  if (store.kind == plan::StoreKind::postgres)
    out.server = store.address;
  else
    out.folder = LB_TRY(session.references->path(store.address));
  return out;
}

Result<StoreDamage> assess_store(const Shell& shell, Session& session, const plan::Store& store,
                                 const repo::SnapshotInfo& point, const RestorePlace& place,
                                 bool own_log, const EachDifference& each, std::stop_token stop) {
  if (point.meta.kind != plan::name_of(store.kind)) {
    return Error(ErrorKind::invalid, cat("point ", point.id, " is of kind ", point.meta.kind,
                                         ", store ", store.name, " is not"))
        .with_exit(ExitCode::usage);
  }
  auto reader = LB_TRY(session.repository->snapshot(point.id));
  Examples examples(each);
  auto out = LB_TRY(store.kind == plan::StoreKind::files
                        ? assess_files(shell, *reader, place.folder, examples, std::move(stop))
                        : assess_database(shell, session, store, *reader, place, own_log, examples,
                                          std::move(stop)));
  out.data.set("point", point.id).set("taken", format_time(point.meta.taken));
  examples.put_into(out.data);
  return out;
}

}  // namespace lb::cli
