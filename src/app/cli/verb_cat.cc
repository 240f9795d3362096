#include <algorithm>

#include "app/cli/point_view.h"
#include "app/cli/verbs.h"
#include "foundation/base/text.h"
#include "foundation/crypto/hash.h"

namespace lb::cli {

namespace {

constexpr std::uint64_t piece_bytes = 4 << 20;

struct Wanted {
  std::string point, path;
  std::optional<Timestamp> at;
};

Result<Wanted> read_wanted(const Args& args) {
  auto text = args.positionals.empty() ? std::string() : args.positionals[0];
  auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    return Error(ErrorKind::invalid, "cat needs a point and a path: POINT:PATH")
        .with_hint("POINT is a store's name (its newest point) or the beginning of an id")
        .with_exit(ExitCode::usage);
  }
  Wanted wanted{text.substr(0, colon), text.substr(colon + 1), {}};
  if (args.has("at")) wanted.at = LB_TRY(parse_time(args.get("at")).exit_as(ExitCode::usage));
  return wanted;
}

// Piece by piece: memory does not grow with the file.
Status stream_content(const Shell& shell, PointView& point, const repo::Row& row, Sha256* digest) {
  for (std::uint64_t at = 0; at < row.size; at += piece_bytes) {
    if (shell.stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    auto size = std::min(piece_bytes, row.size - at);
    auto bytes = LB_TRY(point.reader->read(row, at, size));
    if (digest != nullptr) {
      digest->update(bytes);
    } else {
      LB_TRY(shell.console.raw(bytes));
    }
  }
  return {};
}

Result<ExitCode> run(const Shell& shell, const Args& args) {
  auto wanted = LB_TRY(read_wanted(args));
  auto session = LB_TRY(Session::open(shell, args));
  auto point = LB_TRY(open_point(*session, wanted.point, wanted.at));
  auto row = LB_TRY(find_row(point, wanted.path));
  if (point.is_database()) {
    shell.console.note(
        cat("a file of a database as it was while the server wrote: lifeboat restore ",
            point.info.meta.store, " makes them agree"));
  }
  if (!shell.console.options().json) {
    LB_TRY(stream_content(shell, point, row, nullptr));
    return ExitCode::ok;
  }
  Sha256 digest;
  LB_TRY(stream_content(shell, point, row, &digest));
  auto line = Json::object().set("point", point.info.id).set("size", row.size);
  set_path(line, point.path_of(row.key));
  shell.console.event("lifeboat.content/1", line.set("sha256", to_hex(digest.finish())));
  return ExitCode::ok;
}

}  // namespace

Verb cat_verb() {
  return {{"cat",
           "Writes one file of a recovery point to standard output; with --json its size and "
           "SHA-256 instead.",
           {"lifeboat cat media:voiceovers/intro.ogg > intro.ogg      # from the newest point",
            "lifeboat cat 06FQ0KZ4:etc/app.conf | diff - /etc/app.conf"},
           "cat POINT:PATH [--at TIME]",
           {{"at", 0, "TIME", "the newest point of the store not later than this time", false}},
           1},
          run};
}

}  // namespace lb::cli
