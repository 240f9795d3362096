#include "recovery/drill/bisect.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "recovery/drill/bisect_log.h"
#include "storage/state/bisect_log.h"

namespace lb::drill {

namespace {

std::string subject_of(const BisectRequest& request) {
  return request.group.empty() ? request.stores.front() : cat("group ", request.group);
}

record::BisectRecord head_of(const DrillTools& tools, const BisectRequest& request) {
  record::BisectRecord out;
  out.id = tools.repository.fresh_id();
  out.system = request.plan.system;
  out.started_by = request.started_by;
  out.host = request.host;
  out.version = request.version;
  out.run = request.run;
  out.subject = subject_of(request);
  out.check = request.check;
  out.stores = request.stores;
  out.started = tools.world.clock.now();
  out.warnings = request.warnings;
  return out;
}

bool same(const std::vector<restore::Choice>& one, const std::vector<restore::Choice>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](const restore::Choice& a, const restore::Choice& b) {
                      if (a.store != b.store || a.snapshot.id != b.snapshot.id) return false;
                      if (a.target.has_value() != b.target.has_value()) return false;
                      if (!a.target) return true;
                      const auto& left = a.target->last_commit;
                      const auto& right = b.target->last_commit;
                      if (!left || !right) return !left && !right;
                      return left->lsn == right->lsn && left->xid == right->xid;
                    });
}

class Bisect {
 public:
  Bisect(const DrillTools& tools, const BisectRequest& request)
      : tools_(tools),
        request_(request),
        record_(head_of(tools, request)),
        prober_(tools, request, points_, record_) {}

  Result<record::BisectRecord> run(std::stop_token stop) {
    LB_TRY(read_points());
    LB_TRY(prober_.recall());
    auto positions = LB_TRY(positions_of());
    auto edge = LB_TRY(narrow(prober_, positions, true, stop));
    warn_of(edge);
    record_.narrowed = edge.clean && !edge.out_of_probes && edge.unknown == 0;
    bool in_a_log = request_.group.empty() && edge.clean && edge.bad &&
                    points_.front().kind == plan::StoreKind::postgres;
    if (in_a_log) LB_TRY(go_into_log(edge, stop));
    if (edge.clean) LB_TRY(describe_clean(*edge.clean));
    if (edge.bad) record_.first_bad = *prober_.known(*edge.bad);
    conclude(edge);
    record_.ended = tools_.world.clock.now();
    return std::move(record_);
  }

 private:
  Status read_points() {
    for (const auto& name : request_.stores) {
      const auto* store = request_.plan.store(name);
      LB_ASSERT(store != nullptr);
      points_.push_back(LB_TRY(restore::read_points(tools_.repository, *store)));
      if (!points_.back().snapshots.empty()) continue;
      return Error(ErrorKind::not_found, cat("store ", name, " has no recovery point"))
          .with_exit(ExitCode::point_unreachable)
          .with_hint(cat("lifeboat backup ", name));
    }
    return {};
  }

  bool within(Timestamp at) const {
    return (!request_.from || at >= *request_.from) && (!request_.to || at <= *request_.to);
  }

  Result<std::vector<Position>> positions_of() {
    auto out = request_.group.empty() ? positions_of_store() : positions_of_group();
    if (!out.empty()) return out;
    return Error(ErrorKind::not_found,
                 cat(record_.subject, " has no recovery point in the time that was asked for"))
        .with_exit(ExitCode::point_unreachable)
        .with_hint("lifeboat ls shows the points; widen --from and --to");
  }

  std::vector<Position> positions_of_store() {
    std::vector<Position> out;
    for (const auto& snapshot : points_.front().snapshots) {
      if (!within(snapshot.meta.taken)) continue;
      Position position;
      position.wish.wanted.kind = pg::Wanted::Kind::snapshot;
      position.wish.snapshot = snapshot.id;
      position.words = point_words(snapshot.id);
      position.at = snapshot.meta.taken;
      out.push_back(std::move(position));
    }
    if (points_.front().kind == plan::StoreKind::postgres) add_end_of_log(out);
    return out;
  }

  // What was committed behind the newest point counts too.
  void add_end_of_log(std::vector<Position>& out) {
    restore::Wish wish;
    if (request_.to) {
      wish.wanted.kind = pg::Wanted::Kind::time;
      wish.wanted.time = *request_.to;
    }
    auto end = prober_.choose_freely(wish);
    if (!end.ok() && request_.to) end = prober_.choose_freely({});
    if (!end.ok()) {
      record_.warnings.push_back(cat("only points are looked at: ", end.error().text()));
      return;
    }
    const auto& choice = end->front();
    const auto& last = choice.target->last_commit;
    if (!last || last->end_lsn <= choice.details->stop_lsn || !within(last->time)) return;
    auto words = point_words(choice.snapshot.id);
    if (!out.empty() && out.back().words != words) return;
    out.push_back(place_in_log(last->end_lsn, choice.snapshot.id, last->time));
  }

  // A group stands where its files do; without files, where any of its points was taken.
  std::vector<Position> positions_of_group() const {
    bool files = std::any_of(points_.begin(), points_.end(), [](const auto& points) {
      return points.kind != plan::StoreKind::postgres;
    });
    std::vector<Timestamp> moments;
    for (const auto& points : points_) {
      if (files && points.kind == plan::StoreKind::postgres) continue;
      for (const auto& snapshot : points.snapshots) {
        if (within(snapshot.meta.taken)) moments.push_back(snapshot.meta.taken);
      }
    }
    std::sort(moments.begin(), moments.end());
    moments.erase(std::unique(moments.begin(), moments.end()), moments.end());
    std::vector<Position> out;
    for (auto moment : moments) {
      Position position;
      position.wish.wanted.kind = pg::Wanted::Kind::time;
      position.wish.wanted.time = moment;
      position.words = format_time(moment);
      position.at = moment;
      out.push_back(std::move(position));
    }
    return out;
  }

  void warn_of(const Edge& edge) {
    if (edge.bad_before_good) {
      record_.warnings.push_back(cat(
          "the check does not tell a time before from a time after: ", edge.bad_before_good->words,
          " is bad and older than ", edge.clean->words,
          ", which is good. Look at both before you trust either"));
    }
    if (edge.unknown > 0 && !edge.out_of_probes) {
      record_.warnings.push_back(cat(edge.unknown, " positions behind ", edge.clean->words,
                                     " could not be decided: they are neither clean nor bad"));
    }
    if (edge.out_of_probes) {
      record_.warnings.push_back(cat("stopped after ", prober_.made(),
                                     " probes, as many as were allowed: more would say more "
                                     "(--probes)"));
    }
  }

  Status go_into_log(Edge& edge, std::stop_token stop) {
    auto found = LB_TRY(
        search_log(tools_, request_, prober_, points_.front(), *edge.clean, *edge.bad, stop));
    if (!found.trouble.empty()) record_.warnings.push_back(found.trouble);
    record_.transaction = found.transaction;
    bool warned = edge.out_of_probes;
    edge.out_of_probes = found.edge.out_of_probes;
    edge.unknown = found.edge.unknown;
    edge.bad_before_good.reset();
    if (found.edge.clean) {
      edge.clean = found.edge.clean;
      edge.bad = found.edge.bad;
    }
    if (!warned) warn_of(edge);
    record_.narrowed = !found.transaction.empty();
    return {};
  }

  // Words that bring back exactly what was probed, base and last commit.
  std::string words_for(const Position& clean, const std::vector<restore::Choice>& chosen) const {
    const auto& first = chosen.front();
    auto time = clean.at;
    if (request_.group.empty() && first.target && first.target->last_commit)
      time = first.target->last_commit->time;
    restore::Wish wish;
    wish.wanted.kind = pg::Wanted::Kind::time;
    wish.wanted.time = time;
    auto again = prober_.choose_freely(wish);
    if (again.ok() && same(*again, chosen)) return format_time(time);
    if (clean.wish.wanted.kind != pg::Wanted::Kind::lsn) return clean.words;
    again = prober_.choose_freely(clean.wish);
    if (again.ok() && same(*again, chosen)) return cat("lsn ", pg::format_lsn(clean.lsn));
    return "";
  }

  Status describe_clean(const Position& clean) {
    auto chosen = LB_TRY(prober_.choose(clean));
    record_.clean = *prober_.known(clean);
    // Just before a transaction stands no moment of its own: the newest commit's is told.
    const auto& target = chosen.front().target;
    bool in_log = clean.wish.wanted.kind == pg::Wanted::Kind::lsn;
    if (in_log && target->last_commit) record_.clean->at = target->last_commit->time;
    record_.clean_words = words_for(clean, chosen);
    if (!record_.clean_words.empty()) return {};
    // A base between the two could not be decided; the good point itself is beyond doubt.
    record_.clean_words = point_words(chosen.front().snapshot.id);
    record_.warnings.push_back(cat("no restore by time brings back exactly ", clean.words, ": use ",
                                   record_.clean_words, ", which passed too"));
    return {};
  }

  std::string moment_text(const record::BisectProbe& probe) const {
    auto out = format_time(probe.at);
    bool alone = probe.stores.size() == 1;
    if (alone && !probe.stores.front().lsn.empty())
      out += cat(" (LSN ", probe.stores.front().lsn, ")");
    if (alone) out += cat(", point ", probe.stores.front().point);
    return out;
  }

  void conclude(const Edge& edge) {
    auto count = [&](const char* answer) {
      return std::count_if(record_.probes.begin(), record_.probes.end(),
                           [&](const auto& probe) { return probe.answer == answer; });
    };
    if (!record_.clean) {
      record_.reason =
          cat("nothing clean was found: of ", record_.probes.size(), " probes ", count("bad"),
              " are bad and ", count("undecided"), " could not be decided");
      return;
    }
    record_.reason = cat("clean at ", moment_text(*record_.clean));
    if (!edge.bad) {
      record_.reason +=
          edge.unknown == 0 ? ", the newest that there is" : ", nothing bad was found";
      return;
    }
    record_.reason += cat("; bad at ", moment_text(*record_.first_bad));
    if (!record_.transaction.empty()) record_.reason += cat("; between them ", record_.transaction);
  }

  const DrillTools& tools_;
  const BisectRequest& request_;
  std::vector<restore::StorePoints> points_;
  record::BisectRecord record_;
  Prober prober_;
};

Json summary_of(const record::BisectRecord& record) {
  Json out = Json::object();
  out.set("bisect", record.id);
  out.set("probes", std::int64_t(record.probes.size()));
  out.set("reason", record.reason);
  if (record.clean) out.set("clean", record.clean_words);
  return out;
}

}  // namespace

Result<record::BisectRecord> run_bisect(const DrillTools& tools, const BisectRequest& request,
                                        std::stop_token stop) {
  LB_ASSERT(!request.stores.empty());
  auto subject = subject_of(request);
  auto act = LB_TRY(state::Act::begin(
      tools.world, tools.journal, cat("bisect ", subject),
      request.group.empty() ? subject : std::string(),
      cat("Look for the last moment at which ", subject, " passes ", request.check),
      Json::object()
          .set("check", request.check)
          .set("probes_max", std::int64_t(request.probes_max))));
  auto record = Bisect(tools, request).run(stop);
  if (!record.ok()) {
    LB_TRY(act->finish(false, record.error().text(), Json::object()));
    return std::move(record).take_error();
  }
  LB_TRY(act->finish(record->clean.has_value(), record->reason, summary_of(*record)));
  LB_TRY(state::put_bisect(tools.repository, *record));
  return record;
}

}  // namespace lb::drill
