#include "app/cli/point_view.h"

#include "foundation/base/text.h"
#include "stores/postgres/source.h"

namespace lb::cli {

namespace {

Error no_point(const std::string& name, const std::string& hint) {
  return Error(ErrorKind::not_found, cat("there is no recovery point '", printable(name), "'"))
      .with_hint(hint)
      .with_exit(ExitCode::point_unreachable);
}

bool is_damaged(const repo::SnapshotInfo& snapshot) { return snapshot.meta.kind == "damaged"; }

Error a_folder(const PointView& point, const std::string& path) {
  return Error(ErrorKind::invalid, cat("'", printable(path), "' is a folder"))
      .with_hint(
          cat("lifeboat find ", point.info.id, " '", printable(path), "/**' lists what is in it"));
}

Error no_path(const PointView& point, const std::string& path) {
  auto file = point.relations.file_of(path);
  if (!file.empty()) {
    return Error(ErrorKind::not_found,
                 cat("point ", point.info.id, " holds the files of a database"))
        .with_hint(cat("table ", printable(path), " lies in ", file, "; lifeboat restore ",
                       point.info.meta.store, " --to FOLDER brings it back as a table"));
  }
  return Error(ErrorKind::not_found,
               cat("point ", point.info.id, " has no '", printable(path), "'"))
      .with_hint(cat("lifeboat find ", point.info.id, " NAME looks for it"));
}

}  // namespace

std::string PointView::key_of(const std::string& path) const {
  std::vector<std::string> parts;
  for (const auto& part : split(path, '/')) {
    if (!part.empty() && part != ".") parts.push_back(part);
  }
  auto plain = join(parts, "/");
  return is_files() ? files::key_of(plain) : plain;
}

std::string PointView::path_of(const std::string& key) const {
  if (!is_files()) return key;
  return key.empty() ? "." : files::path_of(key);
}

Result<std::vector<repo::SnapshotInfo>> named_points(Session& session, const std::string& name) {
  std::vector<repo::SnapshotInfo> of_store, by_id;
  for (auto& snapshot : LB_TRY(session.repository->snapshots())) {
    if (is_damaged(snapshot)) continue;
    if (snapshot.meta.store == name) of_store.push_back(snapshot);
    if (!name.empty() && snapshot.id.starts_with(name)) by_id.push_back(snapshot);
  }
  if (!of_store.empty()) return of_store;
  if (by_id.size() == 1) return by_id;
  if (by_id.size() > 1) {
    return no_point(name, cat("it is the beginning of ", by_id.size(), " ids: give more of it"));
  }
  for (const auto& store : session.plan.plan.stores) {
    if (store.name == name) return no_point(name, cat("take one: lifeboat backup ", name));
  }
  return no_point(name, "name a store, or the beginning of an id; lifeboat ls lists both");
}

Result<PointView> open_point(Session& session, const repo::SnapshotInfo& info) {
  PointView out{info, nullptr, {}};
  out.reader = LB_TRY(session.repository->snapshot(info.id));
  if (out.is_database()) out.relations = RelationNames::of(*out.reader);
  return out;
}

Result<PathFacts> facts_of(const PointView& point, const repo::Row& row) {
  if (point.is_files()) {
    auto attributes = LB_TRY(files::decode_attributes(row.attributes));
    return PathFacts{attributes.kind == FileKind::directory,
                     from_micros(attributes.mtime_ns / 1000)};
  }
  auto attributes = LB_TRY(pg::decode_attributes(row.attributes));
  return PathFacts{attributes.kind == pg::FileAttributes::Kind::directory,
                   from_micros(attributes.mtime * 1'000'000)};
}

Result<PointView> open_point(Session& session, const std::string& name,
                             const std::optional<Timestamp>& at) {
  auto points = LB_TRY(named_points(session, name));
  while (at && !points.empty() && points.back().meta.taken > *at) points.pop_back();
  if (points.empty()) {
    return no_point(name, cat("its oldest point is later than ", format_time(*at)));
  }
  return open_point(session, points.back());
}

Result<repo::Row> find_row(PointView& point, const std::string& path) {
  auto row = LB_TRY(point.reader->find(point.key_of(path)));
  if (!row) return no_path(point, path);
  if (!point.is_files()) {
    auto facts = LB_TRY(facts_of(point, *row));
    if (facts.is_folder) return a_folder(point, path);
    return std::move(*row);
  }
  auto attributes = LB_TRY(files::decode_attributes(row->attributes));
  if (attributes.kind == FileKind::directory) return a_folder(point, path);
  if (attributes.kind == FileKind::symlink) {
    return Error(ErrorKind::invalid, cat("'", printable(path), "' is a link to '",
                                         printable(attributes.link_target), "'"));
  }
  if (attributes.kind != FileKind::regular)
    return Error(ErrorKind::invalid, cat("'", printable(path), "' is no file"));
  if (attributes.hard_link_to.empty()) return std::move(*row);
  auto first = LB_TRY(point.reader->find(files::key_of(attributes.hard_link_to)));
  if (!first) return no_path(point, attributes.hard_link_to);
  return std::move(*first);
}

void set_path(Json& json, const std::string& path) {
  json.set("path", printable(path));
  if (!valid_utf8(path)) json.set("path_hex", to_hex(view_of(path)));
}

}  // namespace lb::cli
