// Lifeboat: runs the real program as a user would, in a folder of its own with its own plan, state
// and key. Outputs are captured; a started run is killed with the test. Failures of the harness
// itself throw.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "foundation/codec/json.h"
#include "tests/harness/temp_dir.h"

namespace lb::test {

struct Ran {
  int exit_code = -1;  // 128 + number when a signal ended it
  std::string out, err;
  std::vector<Json> lines() const;  // of JSON Lines output
  Json summary() const;             // the last JSON line
};

// A run in the background.
class Running {
 public:
  explicit Running(pid_t pid, std::string out_path, std::string err_path);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  void signal(int number) const;
  bool alive();
  Ran wait();
  std::string err_so_far() const;

 private:
  pid_t pid_;
  std::string out_path_, err_path_;
  int status_ = -1;
};

class Lifeboat {
 public:
  explicit Lifeboat(std::string binary);

  const std::string& folder() const { return folder_.path(); }
  std::string operator/(const std::string& name) const { return folder_ / name; }
  std::string repository() const { return folder_ / "repository"; }
  std::map<std::string, std::string>& environment() { return environment_; }

  // `stores_and_more`: the plan below its head; the head names system "test" and ./repository.
  void write_plan(const std::string& stores_and_more,
                  const std::string& repository = "./repository");
  Ran run(const std::vector<std::string>& words);
  std::unique_ptr<Running> start(const std::vector<std::string>& words);
  // Runs and expects exit 0; the message has the outputs otherwise.
  Ran must(const std::vector<std::string>& words);

 private:
  TempDir folder_;
  std::string binary_;
  std::map<std::string, std::string> environment_;
  int runs_ = 0;
};

// Files of a folder tree, for comparing: relative path -> kind, mode, size, content hash or link
// target.
std::map<std::string, std::string> tree_of(const std::string& folder);
void write_text(const std::string& path, const std::string& text);
std::string read_text(const std::string& path);
std::vector<std::string> files_below(const std::string& folder);  // absolute paths, sorted
// True while any process has `word` in its command line (other than this one).
std::vector<pid_t> processes_with(const std::string& word);

}  // namespace lb::test
