// bind_…: validated sections into the structs of plan.h. One function per section; none reports
// anything, because the validator and the rules have the last word on what is wrong.
#pragma once

#include "model/plan/view.h"

namespace lb::plan {

RepositoryPlan bind_repository(const View& section);
std::vector<Store> bind_stores(const View& section);
std::vector<Group> bind_groups(const View& section);
std::vector<Target> bind_targets(const View& section);
std::vector<Suite> bind_checks(const View& section);
std::vector<Drill> bind_drills(const View& section, const std::vector<Group>& groups,
                               const std::vector<Store>& stores);
std::vector<Runbook> bind_runbooks(const View& section);
std::vector<Person> bind_people(const View& section);
std::vector<Channel> bind_channels(const View& section);
// `zone`: of the plan, for hours without one.
BusinessHours bind_hours(const View& section, const std::string& zone);
std::vector<Template> bind_templates(const View& section);
std::vector<AlertRule> bind_alerts(const View& section);
std::vector<EscalationLevel> bind_escalation(const View& section);
std::vector<RaciTask> bind_raci(const View& section);
std::vector<Probe> bind_probes(const View& section);
std::vector<Task> bind_tasks(const View& section);
Evidence bind_evidence(const View& section);

}  // namespace lb::plan
