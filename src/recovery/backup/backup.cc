#include "recovery/backup/backup.h"

#include "foundation/base/text.h"
#include "stores/files/store.h"
#include "stores/postgres/source.h"

namespace lb::backup {

namespace {

constexpr std::size_t details_unread_max = 100;

// "> 100MiB" against a number of bytes. The plan reader has checked the form.
bool compare_bytes(const std::string& comparison, std::uint64_t bytes) {
  auto at = comparison.find_first_not_of("<>=! ");
  if (at == std::string::npos) return false;
  auto op = trim(std::string_view(comparison).substr(0, at));
  auto wanted = parse_size(trim(std::string_view(comparison).substr(at)));
  if (!wanted.ok()) return false;
  if (op == ">") return bytes > *wanted;
  if (op == ">=") return bytes >= *wanted;
  if (op == "<") return bytes < *wanted;
  if (op == "<=") return bytes <= *wanted;
  if (op == "!=") return bytes != *wanted;
  return bytes == *wanted;
}

Json figures(const StoreBackup& done) {
  Json details = Json::object();
  details.set("snapshot", done.snapshot.id);
  details.set("rows", done.snapshot.rows);
  details.set("logical_bytes", done.snapshot.logical_bytes);
  details.set("new_bytes", done.snapshot.new_bytes);
  details.set("stored_bytes", done.snapshot.stored_bytes);
  details.set("took_us", static_cast<std::int64_t>(done.took.count()));
  Json unread = Json::array();
  for (const auto& item : done.unread) {
    if (unread.items().size() == details_unread_max) break;
    unread.push(item);
  }
  details.set("unread", std::move(unread));
  details.set("unread_count", static_cast<std::uint64_t>(done.unread.size()));
  return details;
}

Result<StoreBackup> take(const Engine& engine, const plan::Store& store,
                         const std::string& repository_folder, const ProgressSink& progress,
                         std::stop_token stop) {
  auto source = LB_TRY(make_source(store, engine.references, repository_folder));
  auto parent_id = LB_TRY(newest_snapshot(engine.repository, store.name));
  std::unique_ptr<repo::SnapshotReader> parent;
  if (!parent_id.empty()) parent = LB_TRY(engine.repository.snapshot(parent_id));

  BackupContext context{engine.world, engine.repository, parent.get(), stop,
                        progress,     engine.workers,    engine.host};
  auto started = engine.world.clock.steady();
  auto outcome = LB_TRY(source->backup(context));
  StoreBackup done;
  done.took = engine.world.clock.steady() - started;
  done.snapshot = outcome.snapshot;
  done.unread = std::move(outcome.unread);
  done.unmet = unmet_expectations(store, done.snapshot, done.took, done.unread.size());
  return done;
}

}  // namespace

Result<std::unique_ptr<Source>> make_source(const plan::Store& store, const References& references,
                                            const std::string& repository_folder) {
  switch (store.kind) {
    case plan::StoreKind::postgres: {
      auto conninfo = LB_TRY(references.secret(store.address));
      pg::SourceOptions options;
      options.store = store.name;
      options.log_continuous = store.log_continuous;
      if (!store.data.empty()) options.data_folder = references.absolute(store.data);
      if (store.compare) options.compare_every = static_cast<std::uint32_t>(*store.compare);
      return pg::make_source(std::move(conninfo), std::move(options));
    }
    case plan::StoreKind::files: {
      files::SourceOptions options;
      options.store = store.name;
      options.root = LB_TRY(references.path(store.address));
      options.include = store.include;
      options.exclude = store.exclude;
      if (!repository_folder.empty()) options.skip = {repository_folder};
      return files::make_source(std::move(options));
    }
    default:
      return Error(ErrorKind::unsupported,
                   cat("not supported yet: ", plan::name_of(store.kind), " store '", store.name,
                       "' at ", store.place.text()));
  }
}

Result<std::string> newest_snapshot(repo::Repository& repository, const std::string& store) {
  if (!repository.may_read()) return std::string();
  auto all = LB_TRY(repository.snapshots());
  for (auto snapshot = all.rbegin(); snapshot != all.rend(); ++snapshot) {
    if (snapshot->meta.store == store) return snapshot->id;
  }
  return std::string();
}

std::vector<std::string> unmet_expectations(const plan::Store& store,
                                            const repo::SnapshotInfo& snapshot, Micros took,
                                            std::size_t errors) {
  std::vector<std::string> unmet;
  const auto& expect = store.expect;
  if (!expect.bytes.empty() && !compare_bytes(expect.bytes, snapshot.logical_bytes)) {
    unmet.push_back(
        cat("expected bytes ", expect.bytes, ", got ", human_size(snapshot.logical_bytes)));
  }
  if (expect.within && took > *expect.within) {
    unmet.push_back(
        cat("expected within ", format_duration(*expect.within), ", took ", human_duration(took)));
  }
  if (expect.errors && errors > static_cast<std::uint64_t>(*expect.errors)) {
    unmet.push_back(cat("expected at most ", *expect.errors, " errors, got ", errors));
  }
  return unmet;
}

Result<StoreBackup> back_up(const Engine& engine, const plan::Store& store,
                            const std::string& repository_folder, const ProgressSink& progress,
                            std::stop_token stop) {
  auto act = LB_TRY(state::Act::begin(engine.world, engine.journal, cat("backup ", store.name),
                                      store.name, cat("Backing up ", store.name), Json::object()));
  auto done = take(engine, store, repository_folder, progress, stop);
  if (!done.ok()) {
    auto error = std::move(done).take_error();
    LB_TRY(act->finish(false, error.text(), Json::object().set("kind", name_of(error.kind()))));
    return std::move(error).context(cat("back up ", store.name));
  }
  auto text = cat("Snapshot ", done->snapshot.id, ": ", human_size(done->snapshot.logical_bytes),
                  ", ", human_size(done->snapshot.stored_bytes), " stored");
  if (!done->unmet.empty()) text += cat("; not as expected: ", join(done->unmet, "; "));
  LB_TRY(act->finish(done->unmet.empty(), text, figures(*done)));
  return done;
}

}  // namespace lb::backup
