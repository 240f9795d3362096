// What the tests of this folder share: plans from text, facts of an incident.
#pragma once

#include <gtest/gtest.h>

#include "foundation/base/text.h"
#include "model/plan/reader.h"
#include "operations/incident/incident_state.h"

namespace lb::incident::testing {

inline const Timestamp start = from_micros(1'768'269'600'000'000);

inline plan::Plan plan_of(const std::string& rest) {
  auto out = plan::read_plan("plan.yaml",
                             "version: 1\nsystem: shop\nrepository: {at: /backups, key: env:KEY}\n"
                             "stores: {media: {files: /srv/media}}\n" +
                                 rest,
                             nullptr);
  EXPECT_EQ(plan::format_mistakes(out.mistakes, false), "");
  return out.plan;
}

inline record::Fact fact(std::uint64_t order, const char* kind, Micros after, Json data = {}) {
  record::Fact out;
  out.id = cat("f", order);
  out.order = order;
  out.at = start + after;
  out.host = "a";
  out.by = "ada (lead)";
  out.kind = kind;
  out.data = std::move(data);
  return out;
}

inline Json opening(const char* severity) {
  Json symptoms = Json::array();
  symptoms.push("queries return errors");
  return Json::object()
      .set("severity", severity)
      .set("title", "no orders")
      .set("symptoms", std::move(symptoms))
      .set("affected", "all customers")
      .set("failed_at", format_time(start - std::chrono::minutes(10)));
}

inline Json change(const char* from, const char* to) {
  return Json::object().set("from", from).set("to", to);
}

}  // namespace lb::incident::testing
