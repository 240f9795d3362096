#include "model/adopt/shell_text.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::adopt {

namespace {

// Follows quotes and here-documents from line to line.
class ShellState {
 public:
  // Whether the next line begins something new.
  bool between() const { return quote_ == 0 && !continued_ && here_.empty(); }

  // Where a comment begins in the line, npos without one. Call once a line, in order.
  std::size_t follow(std::string_view line) {
    continued_ = false;
    if (!here_.empty()) {
      if (trim(line) == here_) here_.clear();
      return std::string_view::npos;
    }
    for (std::size_t i = 0; i < line.size(); ++i) {
      char c = line[i];
      if (c == '\\' && quote_ != '\'') {
        continued_ = i + 1 == line.size();
        ++i;
      } else if (quote_ != 0) {
        if (c == quote_) quote_ = 0;
      } else if (c == '\'' || c == '"') {
        quote_ = c;
      } else if (c == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
        return i;
      } else if (line.substr(i).starts_with("<<") && !line.substr(i).starts_with("<<<")) {
        here_document(line.substr(i + 2));
        ++i;
      }
    }
    return std::string_view::npos;
  }

 private:
  void here_document(std::string_view rest) {
    if (rest.starts_with('-')) rest.remove_prefix(1);
    rest = trim(rest);
    auto end = std::min(rest.find_first_of(" \t;|&>)"), rest.size());
    for (char c : rest.substr(0, end)) {
      if (c != '\'' && c != '"' && c != '\\') here_ += c;
    }
  }

  char quote_ = 0;
  bool continued_ = false;
  std::string here_;  // the word that ends the here-document we are in
};

// The quoted text behind "step:" or "\"step\":" in a line of program text.
std::string quoted_after(std::string_view line, std::string_view key) {
  auto low = lower(line);
  for (auto at = low.find(key); at != std::string::npos; at = low.find(key, at + 1)) {
    auto colon = at + key.size();
    bool begins =
        at == 0 || std::string_view(" \t{,\"'").find(low[at - 1]) != std::string_view::npos;
    if (colon < low.size() && (low[colon] == '"' || low[colon] == '\'')) ++colon;
    if (!begins || colon >= low.size() || low[colon] != ':') continue;
    auto open = low.find_first_not_of(" \t", colon + 1);
    if (open == std::string::npos || (low[open] != '\'' && low[open] != '"' && low[open] != '`'))
      continue;
    auto close = line.find(line[open], open + 1);
    if (close != std::string_view::npos)
      return std::string(line.substr(open + 1, close - open - 1));
  }
  return "";
}

std::string comment_text(std::string_view comment) {
  while (comment.starts_with('#')) comment.remove_prefix(1);
  auto text = trim(comment);
  if (text.ends_with(':')) text.remove_suffix(1);
  return std::string(text);
}

class Cutter {
 public:
  std::vector<Command> run(std::string_view fence) {
    auto lines = split(fence, '\n');
    for (std::size_t i = 0; i < lines.size(); ++i) {
      bool fresh = state_.between();
      auto comment = state_.follow(lines[i]);
      bool whole = comment != std::string::npos && trim(lines[i].substr(0, comment)).empty();
      if (fresh && trim(lines[i]).empty()) {
        blank_ = true;
      } else if (fresh && whole) {
        note(i, comment_text(lines[i].substr(comment)));
      } else {
        code(i, lines[i], fresh ? comment : std::string::npos);
      }
    }
    // A quotation that never ends: cutting it would be guessing.
    if (!state_.between()) return {{0, "", std::string(trim(fence))}};
    for (auto& command : out_) command.text = std::string(trim(command.text));
    return std::move(out_);
  }

 private:
  // A comment begins a command; what stood before it without one is something to be done by hand.
  void note(std::size_t line, std::string text) {
    if (text.empty()) return;
    out_.push_back({line, std::move(text), ""});
    blank_ = false;
    closed_ = false;
  }

  void code(std::size_t number, const std::string& line, std::size_t comment) {
    std::string title = comment == std::string::npos ? "" : comment_text(line.substr(comment));
    if (!title.empty()) {
      out_.push_back({number, title, std::string(trim(line.substr(0, comment)))});
      closed_ = true;
    } else if (out_.empty() || closed_) {
      out_.push_back({number, "", line});
      closed_ = false;
    } else {
      auto& text = out_.back().text;
      if (!text.empty()) text += blank_ ? "\n\n" : "\n";
      text += line;
    }
    blank_ = false;
  }

  ShellState state_;
  std::vector<Command> out_;
  bool blank_ = false;   // an empty line came before
  bool closed_ = false;  // the last command is whole: it had its comment behind it
};

}  // namespace

std::vector<Command> commands_of(std::string_view fence) { return Cutter().run(fence); }

std::vector<ListedStep> listed_steps(std::string_view fence) {
  std::vector<ListedStep> out;
  auto lines = split(fence, '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string text;
    for (std::string_view key : {"step", "task", "title"}) {
      if (text.empty()) text = quoted_after(lines[i], key);
    }
    if (text.empty()) continue;
    auto at = lower(lines[i]).find("critical");
    bool critical = at != std::string::npos && lines[i].find("true", at) != std::string::npos;
    out.push_back({i, text, critical});
  }
  if (out.size() < 2) out.clear();
  return out;
}

bool is_shell(const std::string& language, std::string_view fence) {
  static const std::vector<std::string> names = {"bash", "sh",  "shell",        "console",
                                                 "zsh",  "ksh", "shell-session"};
  if (!language.empty()) return std::find(names.begin(), names.end(), language) != names.end();
  // Words of prose, headings and fields of a form are no commands.
  static const std::vector<std::string> programs = {
      "aws",    "bash",   "cd",      "cp",     "curl",      "docker",  "gcloud",   "git",
      "gsutil", "helm",   "kubectl", "make",   "mysql",     "npm",     "npx",      "pg_dump",
      "psql",   "python", "rsync",   "scp",    "sh",        "ssh",     "sudo",     "systemctl",
      "tar",    "ls",     "rclone",  "restic", "terraform", "ansible", "supabase", "pg_restore"};
  for (const auto& line : split(fence, '\n')) {
    auto text = trim(line);
    if (text.starts_with("$ ") || text.starts_with("./")) return true;
    auto word = std::string(text.substr(0, std::min(text.find(' '), text.size())));
    if (std::find(programs.begin(), programs.end(), word) != programs.end()) return true;
  }
  return false;
}

}  // namespace lb::adopt
