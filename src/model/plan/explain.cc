#include <algorithm>

#include "foundation/base/text.h"
#include "model/plan/explain_yaml.h"
#include "model/plan/reader.h"

namespace lb::plan {

namespace {

// What the product itself promises, and what is assumed as long as nothing has been measured.
constexpr Micros log_interval = std::chrono::seconds(5);
constexpr Micros backup_assumed = std::chrono::minutes(10);
constexpr Micros upload_assumed = std::chrono::minutes(1);

// "1 h 10 min", "30 d": exact, for people.
std::string words(Micros duration) {
  struct Unit {
    std::string_view short_name, name;
  };
  static constexpr Unit units[] = {{"ms", " ms "}, {"us", " us "}, {"d", " d "},
                                   {"h", " h "},   {"m", " min "}, {"s", " s "}};
  auto text = format_duration(duration);
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    auto unit = std::find_if(std::begin(units), std::end(units), [&](const Unit& one) {
      return text.substr(i).starts_with(one.short_name);
    });
    if (unit == std::end(units)) {
      out += text[i++];
    } else {
      out += unit->name;
      i += unit->short_name.size();
    }
  }
  return std::string(trim(out));
}

bool far_away(const RepositoryPlan& repository) {
  return repository.at.value.find("://") != std::string::npos;
}

const Measured* measured_of(const std::vector<Measured>& all, const std::string& store) {
  for (const auto& one : all) {
    if (one.store == store) return &one;
  }
  return nullptr;
}

// Own target first; else the strictest drill that restores the store.
std::optional<Micros> target_rto(const Plan& plan, const Store& store) {
  auto out = store.objective.rto;
  if (out) return out;
  for (const auto& drill : plan.drills) {
    bool restores =
        std::find(drill.restore.begin(), drill.restore.end(), store.name) != drill.restore.end();
    if (restores && drill.objective.rto && (!out || *drill.objective.rto < *out))
      out = drill.objective.rto;
  }
  return out;
}

class StoreLine {
 public:
  StoreLine(const Plan& plan, const Store& store, const Measured* measured, Timestamp now)
      : plan_(plan), store_(store), measured_(measured), now_(now) {}

  Explanation::Line make() {
    line_.store = store_.name;
    line_.target_rpo = store_.objective.rpo;
    line_.goal = store_.objective.goal;
    line_.target_rto = target_rto(plan_, store_);
    if (measured_ != nullptr) line_.predicted_restore = measured_->restore_took;
    if (store_.log_continuous && store_.kind == StoreKind::postgres) {
      lose_with_log();
    } else if (store_.every) {
      lose_with_snapshots();
    } else {
      remark("no schedule: nothing is backed up unless someone asks for it");
    }
    judge();
    return std::move(line_);
  }

 private:
  void lose_with_log() {
    line_.worst_loss = log_interval;
    line_.worst_loss_why = cat("log made durable every ", words(log_interval));
    add_upload();
  }

  void lose_with_snapshots() {
    gap_ = longest_gap(*store_.every, now_);
    bool known = measured_ != nullptr && measured_->backup_took.has_value();
    auto took = known ? *measured_->backup_took : backup_assumed;
    line_.worst_loss = gap_ + took;
    // A snapshot shows the moment it began and protects only once it is complete.
    line_.worst_loss_why = cat("longest gap ", words(gap_), " + backup ", words(took),
                               known ? " (measured)" : " (assumed)");
    add_upload();
  }

  void add_upload() {
    if (!far_away(plan_.repository)) {
      line_.worst_loss_why += ", stored while it is read";
      return;
    }
    *line_.worst_loss += upload_assumed;
    line_.worst_loss_why += cat(" + upload ", words(upload_assumed), " (assumed)");
  }

  void judge() {
    const auto& rpo = line_.target_rpo;
    line_.meets_rpo = rpo && line_.worst_loss && *line_.worst_loss <= *rpo;
    if (rpo && line_.worst_loss && !line_.meets_rpo) {
      if (gap_ >= *rpo) {
        remark(cat(store_.every->text, " snapshots cannot meet an RPO of ", words(*rpo)));
      } else {
        remark(
            cat("worst-case loss ", words(*line_.worst_loss), " is over the RPO of ", words(*rpo)));
      }
    }
    if (line_.goal && line_.worst_loss && *line_.worst_loss > *line_.goal) {
      remark(cat("the goal of ", words(*line_.goal), " is out of reach with this schedule"));
    }
    const auto& restore = line_.predicted_restore;
    if (restore && line_.target_rto && *restore > *line_.target_rto) {
      remark(cat("the restore took ", words(*restore), ", over the RTO of ",
                 words(*line_.target_rto)));
    }
    if (store_.mode == "manifest") remark("manifest only: content not recoverable");
  }

  void remark(const std::string& text) {
    if (!line_.remark.empty()) line_.remark += "; ";
    line_.remark += text;
  }

  const Plan& plan_;
  const Store& store_;
  const Measured* measured_;
  Timestamp now_;
  Micros gap_{0};
  Explanation::Line line_;
};

// What a lock and retention mean together.
std::vector<std::string> lock_remarks(const RepositoryPlan& repository) {
  std::vector<std::string> out;
  if (repository.immutable) {
    auto period = *repository.immutable;
    out.push_back(cat("immutable: nobody can delete an object for ", words(period),
                      " after it was put; prune extends the locks of what kept points need when ",
                      words(period / 2), " are left, so it has to run more often than that"));
    out.push_back(cat("immutable: what retain: forgets takes space until its lock ends, ",
                      words(period), " later at most"));
  }
  for (const auto& copy : repository.copies) {
    if (!copy.immutable) continue;
    out.push_back(cat(copy.at.text(), ": immutable: copy sync extends the locks of what the ",
                      "repository still has when ", words(*copy.immutable / 2),
                      " are left, so it has to run more often than that"));
  }
  return out;
}

}  // namespace

Explanation explain(const Plan& plan, const std::vector<Measured>& measured, Timestamp now) {
  Explanation out;
  out.yaml = yaml_with_defaults(plan.tree);
  out.remarks = lock_remarks(plan.repository);
  for (const auto& store : plan.stores) {
    out.lines.push_back(StoreLine(plan, store, measured_of(measured, store.name), now).make());
  }
  return out;
}

}  // namespace lb::plan
