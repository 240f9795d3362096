// What the tests of this folder share: a world of real files, processes and network on loopback,
// plans from text, letters.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "foundation/base/text.h"
#include "foundation/sys/test_folder.h"
#include "foundation/sys/world.h"
#include "model/plan/reader.h"
#include "operations/notify/letter.h"
#include "stores/seam/references.h"

namespace lb::notify {

struct NoSandboxes final : Sandboxes {
  Result<std::unique_ptr<Sandbox>> create(const SandboxSpec&) override { return none(); }
  Result<UserId> unprivileged_user(const std::string&) override { return none(); }
  Result<std::vector<std::string>> sweep(const std::string&) override { return none(); }
  static Error none() { return Error(ErrorKind::unsupported, "no sandboxes in this test"); }
};

struct RealWorld {
  TestFolder folder;
  std::unique_ptr<Clock> clock = real_clock();
  std::unique_ptr<Random> random = real_random();
  std::unique_ptr<Files> files = real_files();
  std::unique_ptr<Http> http = real_http();
  std::unique_ptr<Processes> processes = real_processes();
  NoSandboxes sandboxes;
  World world{*clock, *random, *files, *http, *processes, sandboxes};
};

inline plan::Plan plan_of(const std::string& people_and_more) {
  auto out = plan::read_plan("plan.yaml",
                             "version: 1\nsystem: shop\nrepository: {at: /backups, key: env:KEY}\n"
                             "stores: {media: {files: /srv/media}}\n" +
                                 people_and_more,
                             [](const std::string& path) -> Result<std::string> {
                               return Error(ErrorKind::not_found, path);
                             });
  EXPECT_EQ(plan::format_mistakes(out.mistakes, false), "");
  return out.plan;
}

inline Letter letter(const std::string& key) {
  Letter out;
  out.key = key;
  out.system = "shop";
  out.shareable = true;
  out.subject = "shop: recovery started";
  out.text = "No orders since 02:14.\nNext message 03:00.\n";
  out.at = from_micros(1'768'269'600'000'000);
  return out;
}

}  // namespace lb::notify
