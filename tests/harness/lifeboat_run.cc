#include "tests/harness/lifeboat_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>

namespace lb::test {

namespace fs = std::filesystem;

std::vector<Json> Ran::lines() const {
  std::vector<Json> parsed;
  std::istringstream text(out);
  for (std::string line; std::getline(text, line);) {
    auto json = parse_json(line);
    if (!json.ok()) throw std::runtime_error("not a JSON line: " + line);
    parsed.push_back(std::move(json).take());
  }
  return parsed;
}

Json Ran::summary() const {
  auto all = lines();
  if (all.empty()) throw std::runtime_error("no JSON output; stderr: " + err);
  return all.back();
}

Running::Running(pid_t pid, std::string out_path, std::string err_path)
    : pid_(pid), out_path_(std::move(out_path)), err_path_(std::move(err_path)) {}

Running::~Running() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Running::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Running::alive() {
  if (pid_ <= 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  status_ = status;
  pid_ = -1;
  return false;
}

Ran Running::wait() {
  if (pid_ > 0) {
    ::waitpid(pid_, &status_, 0);
    pid_ = -1;
  }
  Ran ran;
  ran.exit_code = WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
  ran.out = read_text(out_path_);
  ran.err = read_text(err_path_);
  return ran;
}

std::string Running::err_so_far() const { return read_text(err_path_); }

Lifeboat::Lifeboat(std::string binary) : binary_(std::move(binary)) {
  // Restored services run as another user and must be able to pass through.
  fs::permissions(folder_.path(), fs::perms(0755));
  environment_ = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                  {"HOME", folder_.path()},
                  {"LANG", "C.UTF-8"},
                  {"LIFEBOAT_KEY", "correct horse battery"},
                  {"LIFEBOAT_STATE", folder_ / "state"}};
}

void Lifeboat::write_plan(const std::string& stores_and_more, const std::string& repository) {
  write_text(folder_ / "lifeboat.yaml", "version: 1\nsystem: test\nrepository: {at: \"" +
                                            repository + "\", key: env:LIFEBOAT_KEY}\n" +
                                            stores_and_more);
}

std::unique_ptr<Running> Lifeboat::start(const std::vector<std::string>& words) {
  auto out_path = folder_ / ("out." + std::to_string(++runs_));
  auto err_path = folder_ / ("err." + std::to_string(runs_));
  std::vector<std::string> argv = {binary_}, env;
  argv.insert(argv.end(), words.begin(), words.end());
  for (const auto& [name, value] : environment_) env.push_back(name + "=" + value);
  std::vector<char*> argv_raw, env_raw;
  for (auto& word : argv) argv_raw.push_back(word.data());
  for (auto& entry : env) env_raw.push_back(entry.data());
  argv_raw.push_back(nullptr);
  env_raw.push_back(nullptr);
  pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int out = ::open(out_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int err = ::open(err_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int in = ::open("/dev/null", O_RDONLY);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    if (::chdir(folder_.path().c_str()) != 0) ::_exit(126);
    ::execve(binary_.c_str(), argv_raw.data(), env_raw.data());
    ::_exit(127);
  }
  return std::make_unique<Running>(pid, out_path, err_path);
}

Ran Lifeboat::run(const std::vector<std::string>& words) { return start(words)->wait(); }

Ran Lifeboat::must(const std::vector<std::string>& words) {
  auto ran = run(words);
  if (ran.exit_code == 0) return ran;
  std::string line = "lifeboat";
  for (const auto& word : words) line += " " + word;
  throw std::runtime_error(line + " ended with " + std::to_string(ran.exit_code) + "\n" + ran.out +
                           ran.err);
}

std::map<std::string, std::string> tree_of(const std::string& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    struct stat info {};
    if (::lstat(entry.path().c_str(), &info) != 0) continue;
    std::string text = std::to_string(info.st_mode) + " " + std::to_string(info.st_mtim.tv_sec) +
                       "." + std::to_string(info.st_mtim.tv_nsec);
    if (entry.is_symlink()) {
      text += " -> " + fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      text += " " + std::to_string(info.st_size) + " " +
              std::to_string(std::hash<std::string>{}(read_text(entry.path())));
    }
    out[fs::relative(entry.path(), folder).string()] = text;
  }
  return out;
}

void write_text(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> out;
  if (!fs::exists(folder)) return out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<pid_t> processes_with(const std::string& word) {
  std::vector<pid_t> out;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    auto pid = static_cast<pid_t>(std::stol(name));
    if (pid == ::getpid()) continue;
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    // Words are ended by zeros there.
    auto line = text.str();
    std::replace(line.begin(), line.end(), '\0', ' ');
    if (line.find(word) != std::string::npos) out.push_back(pid);
  }
  return out;
}

}  // namespace lb::test
