#include <array>

#include "model/plan/bind.h"

namespace lb::plan {

namespace {

constexpr std::array store_kinds = {StoreKind::postgres, StoreKind::redis,     StoreKind::files,
                                    StoreKind::bucket,   StoreKind::firestore, StoreKind::command};

S3Access bind_s3(const View& from) {
  S3Access out;
  out.endpoint = from.reference("endpoint");
  out.region = from.reference("region");
  out.style = from.text("style");
  out.access_key = from.reference("access_key");
  out.secret_key = from.reference("secret_key");
  out.session_token = from.reference("session_token");
  out.ca = from.reference("ca");
  out.lock = from.has("lock") ? from.text("lock") : "compliance";
  return out;
}

Retain bind_retain(const View& from) {
  Retain out;
  out.hourly = from.duration("hourly");
  out.daily = from.duration("daily");
  out.weekly = from.duration("weekly");
  out.monthly = from.duration("monthly");
  out.yearly = from.duration("yearly");
  out.pitr = from.duration("pitr");
  out.log = from.text("log");
  out.place = from.place();
  return out;
}

std::vector<Collection> bind_collections(const View& from) {
  std::vector<Collection> out;
  for (const char* key : {"collections", "tables"}) {
    for (const auto& [name, value] : from.at(key).entries()) {
      out.push_back({name, value.text("priority"), value.text("impact"), value.text("ttl")});
    }
  }
  return out;
}

Store bind_store(const std::string& name, const View& from) {
  Store out;
  out.name = name;
  out.place = from.place();
  for (auto kind : store_kinds) {
    if (!from.has(name_of(kind))) continue;
    out.kind = kind;
    out.address = from.reference(name_of(kind));
  }
  if (out.kind == StoreKind::command) {
    out.address = {Reference::Kind::command, from.text("command"), from.at("command").place()};
  }
  out.log_continuous = from.text("log") == "continuous";
  out.data = from.text("data");
  out.compare = from.integer("compare");
  auto spool = from.at("spool");
  out.spool = spool.node().is_mapping() ? spool.text("at") : from.text("spool");
  if (spool.node().is_mapping()) out.spool_bytes_max = spool.size("most");
  out.every = from.schedule("every");
  out.objective = from.objective("objective");
  out.include = from.texts("include");
  out.exclude = from.texts("exclude");
  out.only = from.texts("only");
  out.mode = from.text("mode");
  if (out.kind == StoreKind::bucket && out.mode.empty()) out.mode = "full";
  out.optional = from.boolean("optional", false);
  auto expect = from.at("expect");
  out.expect = {expect.text("bytes"), expect.duration("within"), expect.integer("errors")};
  out.collections = bind_collections(from);
  return out;
}

}  // namespace

RepositoryPlan bind_repository(const View& section) {
  RepositoryPlan out;
  out.at = section.reference("at");
  out.s3 = bind_s3(section.at("s3"));
  out.immutable = section.duration("immutable");
  out.key = section.reference("key");
  for (const auto& item : section.at("copies").items()) {
    out.copies.push_back({item.reference("at"), bind_s3(item.at("s3")), item.duration("within"),
                          item.duration("immutable"), item.reference("key"), item.place()});
  }
  out.retain = bind_retain(section.at("retain"));
  out.place = section.place();
  return out;
}

std::vector<Store> bind_stores(const View& section) {
  std::vector<Store> out;
  for (const auto& [name, value] : section.entries()) out.push_back(bind_store(name, value));
  return out;
}

std::vector<Group> bind_groups(const View& section) {
  std::vector<Group> out;
  for (const auto& [name, value] : section.entries()) {
    out.push_back({name, value.texts("stores"), value.text("authority"), value.place()});
  }
  return out;
}

std::vector<Target> bind_targets(const View& section) {
  std::vector<Target> out;
  for (const auto& [name, from] : section.entries()) {
    Target target;
    target.name = name;
    target.protect = from.boolean("protect", false);
    target.isolate_network = from.text("isolate") == "network";
    for (const auto& [service, command] : from.at("start").entries()) {
      target.start.push_back({service, command.text(), command.place()});
    }
    target.url = from.text("url");
    target.environment = from.reference_map("environment");
    target.memory_bytes = from.size("memory");
    target.cpus = from.number("cpus");
    target.folder = from.text("folder");
    target.addresses = from.reference_map("stores");
    for (auto kind : store_kinds) {
      if (!from.has(name_of(kind))) continue;
      target.addresses.emplace_back(std::string(name_of(kind)), from.reference(name_of(kind)));
    }
    target.wipe = from.boolean("wipe", false);
    target.mask = from.text("mask");
    target.first = from.text("first");
    target.migrate = from.reference("migrate");
    target.place = from.place();
    out.push_back(std::move(target));
  }
  return out;
}

}  // namespace lb::plan
