#include "app/cli/point_view.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "stores/files/patterns.h"

namespace lb::cli {

namespace {

struct Looking {
  files::Patterns patterns;
  std::string folder;  // everything that can match lies in it; empty: anywhere
  bool raw = false;
  std::uint64_t found = 0, bytes = 0;
};

// The folders a pattern begins with, as far as they are plain: only their rows need be read.
std::string plain_folder(std::string_view pattern) {
  if (pattern.starts_with('!') || pattern.find('/') == std::string_view::npos) return {};
  auto special = pattern.find_first_of("*?[\\");
  auto slash = pattern.substr(0, special).rfind('/');
  auto folder = slash == std::string_view::npos ? std::string_view() : pattern.substr(0, slash);
  while (folder.starts_with('/')) folder.remove_prefix(1);
  // A pattern that ends in its only slash is a name at any depth.
  return special == std::string_view::npos && slash + 1 == pattern.size() ? std::string()
                                                                          : std::string(folder);
}

Status print(const Shell& shell, const PointView& point, const std::string& path,
             const repo::Row& row, const Looking& looking) {
  auto facts = LB_TRY(facts_of(point, row));
  auto table = point.relations.table_of(path);
  if (shell.console.options().json) {
    auto line = Json::object().set("point", point.info.id);
    set_path(line, path);
    line.set("size", row.size).set("changed", format_time(facts.changed));
    if (!table.empty()) line.set("table", table);
    shell.console.event("lifeboat.found/1", std::move(line));
    return {};
  }
  if (looking.raw) return shell.console.raw(view_of(path + '\0'));
  auto size = human_size(row.size);
  auto text = cat(point.info.id, "  ", std::string(size.size() < 10 ? 10 - size.size() : 0, ' '),
                  size, "  ", format_time_seconds(facts.changed), "  ", printable(path),
                  table.empty() ? std::string() : cat("  (", printable(table), ")"), "\n");
  return shell.console.raw(view_of(text));
}

Status look_in(const Shell& shell, PointView& point, Looking& looking) {
  auto rows = LB_TRY(point.reader->rows(point.key_of(looking.folder)));
  for (;;) {
    if (shell.stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    auto row = LB_TRY(rows->next());
    if (!row) return {};
    auto path = point.path_of(row->key);
    auto facts = LB_TRY(facts_of(point, *row));
    if (!looking.patterns.match(path, facts.is_folder).value_or(false)) continue;
    ++looking.found;
    looking.bytes += row->size;
    LB_TRY(print(shell, point, path, *row, looking));
  }
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  if (args.positionals.size() != 2) {
    return Error(ErrorKind::invalid, "find needs a store or point, and a pattern")
        .with_hint("lifeboat find media '*.ogg'")
        .with_exit(ExitCode::usage);
  }
  const auto& pattern = args.positionals[1];
  Looking looking;
  looking.patterns = LB_TRY(files::Patterns::parse({pattern}).exit_as(ExitCode::usage));
  looking.folder = plain_folder(pattern);
  looking.raw = args.has("null");
  auto session = LB_TRY(Session::open(shell, args));
  auto points = LB_TRY(named_points(*session, args.positionals[0]));
  if (!args.has("all")) points.erase(points.begin(), points.end() - 1);
  for (const auto& info : points) {
    auto point = LB_TRY(open_point(*session, info));
    LB_TRY(look_in(shell, point, looking));
  }
  shell.console.event("lifeboat.summary/1",
                      Json::object()
                          .set("verb", "find")
                          .set("ok", true)
                          .set("exit", 0)
                          .set("points", static_cast<std::uint64_t>(points.size()))
                          .set("found", looking.found)
                          .set("bytes", looking.bytes));
  if (looking.found == 0)
    shell.console.note(cat("nothing matches '", printable(pattern), "' in ", points.size(),
                           points.size() == 1 ? " point" : " points"));
  return ExitCode::ok;
}

}  // namespace

Verb find_verb() {
  return {{"find",
           "Looks for names in the newest point of a store, in one point, or in all of them.",
           {"lifeboat find media '*.ogg'                     # anywhere in the newest point",
            "lifeboat find media 'invoices/2026-*' --all     # in every point of the store",
            "lifeboat find media '*.tmp' -0 | xargs -0 ...   # exact names, for a script",
            "lifeboat find db 'base/**'                      # files of a database, and whose"},
           "find STORE|POINT PATTERN [--all] [-0]",
           {{"all", 'a', "", "every point of the store, oldest first", false},
            {"null", '0', "", "names alone, as they are, each ended by a NUL", false}},
           2},
          run};
}

}  // namespace lb::cli
