#include "model/plan/plan.h"

#include "foundation/base/text.h"

namespace lb::plan {

namespace {

template <typename T>
const T* named(const std::vector<T>& all, std::string_view name) {
  for (const auto& one : all) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

}  // namespace

std::string Place::text() const {
  return line == 0 ? file : cat(file, ":", line, ":", column);  // of the command line: no lines
}

std::string Reference::text() const {
  switch (kind) {
    case Kind::literal:
      return value;
    case Kind::env:
      return "env:" + value;
    case Kind::file:
      return "file:" + value;
    case Kind::command:
      return "command:" + value;
    case Kind::kms:
      break;
  }
  return "kms:" + value;
}

std::string_view name_of(StoreKind kind) {
  switch (kind) {
    case StoreKind::postgres:
      return "postgres";
    case StoreKind::redis:
      return "redis";
    case StoreKind::files:
      return "files";
    case StoreKind::bucket:
      return "bucket";
    case StoreKind::firestore:
      return "firestore";
    case StoreKind::command:
      break;
  }
  return "command";
}

const Store* Plan::store(std::string_view name) const { return named(stores, name); }
const Target* Plan::target(std::string_view name) const { return named(targets, name); }
const Suite* Plan::suite(std::string_view name) const { return named(suites, name); }
const Drill* Plan::drill(std::string_view name) const { return named(drills, name); }
const Group* Plan::group(std::string_view name) const { return named(groups, name); }
const Runbook* Plan::runbook(std::string_view name) const { return named(runbooks, name); }
const Person* Plan::person(std::string_view name) const { return named(people, name); }
const Channel* Plan::channel(std::string_view name) const { return named(channels, name); }
const Template* Plan::message(std::string_view name) const { return named(templates, name); }
const RaciTask* Plan::raci_task(std::string_view name) const { return named(raci, name); }
const Probe* Plan::probe(std::string_view name) const { return named(probes, name); }
const Task* Plan::task(std::string_view name) const { return named(tasks, name); }

std::vector<std::string> RaciTask::who(char letter) const {
  std::vector<std::string> out;
  for (const auto& [person, own] : letters) {
    if (own.find(letter) != std::string::npos) out.push_back(person);
  }
  return out;
}

}  // namespace lb::plan
