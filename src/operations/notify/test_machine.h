// TestMachine: what each machine has of its own: a clock, a journal and an outbox, whose messages
// go nowhere. For tests only.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "operations/notify/notify_testing.h"
#include "operations/notify/postman.h"

namespace lb::notify {

struct TestMachine {
  TestMachine(const plan::Plan& plan, std::string its_name, Timestamp now)
      : name(std::move(its_name)),
        clock(now),
        postman{world, plan, references, *journal, *outbox} {}

  std::string name;
  TestFolder folder;
  SimClock clock;
  std::unique_ptr<Random> random = real_random();
  std::unique_ptr<Files> files = real_files();
  std::unique_ptr<Http> http = real_http();
  std::unique_ptr<Processes> processes = real_processes();
  NoSandboxes sandboxes;
  World world{clock, *random, *files, *http, *processes, sandboxes};
  std::string path = folder / "state/journal.sqlite";
  std::unique_ptr<state::Journal> journal = state::Journal::open(world, path).take();
  std::unique_ptr<state::Outbox> outbox = state::Outbox::open(world, *journal, path).take();
  References references{world, {{"PATH", "/usr/bin:/bin"}}, "/"};
  Postman postman;
};

}  // namespace lb::notify
