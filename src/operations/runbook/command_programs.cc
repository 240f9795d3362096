#include "operations/runbook/command_programs.h"

#include <algorithm>
#include <set>

namespace lb::runbook {

namespace {

struct Word {
  std::string text;
  bool computed = false;  // holds $ or `: what it becomes is not in the text
};

// After these another command begins.
bool leads_on(const std::string& word) {
  static const std::set<std::string> words = {"if",    "then",  "else", "elif", "fi", "do",  "done",
                                              "while", "until", "!",    "{",    "}",  "time"};
  return words.contains(word);
}

bool is_own_command(const std::string& word) {
  static const std::set<std::string> words = {
      "alias",  "bg",       "break",   "cd",     "continue", "echo",    "exit", "export",
      "false",  "fg",       "getopts", "hash",   "jobs",     "kill",    "let",  "local",
      "printf", "pwd",      "read",    "return", "set",      "shift",   "test", "times",
      "trap",   "true",     "type",    "ulimit", "umask",    "unalias", "for",  "unset",
      "wait",   "readonly", "[",       ":",      "]"};
  return words.contains(word);
}

// They run what they are given, which is the next word when that is no option.
bool runs_next(const std::string& word) {
  static const std::set<std::string> words = {"exec", "command", "nohup", "sudo", "env", "setsid"};
  return words.contains(word);
}

// They run what they are given, in forms too many to read.
bool runs_anything(const std::string& word) {
  static const std::set<std::string> words = {"eval", ".",    "source", "sh",    "bash",
                                              "dash", "zsh",  "ksh",    "xargs", "timeout",
                                              "nice", "find", "watch",  "flock", "parallel"};
  return words.contains(word);
}

bool is_assignment(const std::string& word) {
  auto equals = word.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  return std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals), [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) {}

  CommandPrograms go() {
    while (at_ < text_.size() && !given_up_) {
      char c = text_[at_];
      if (c == ' ' || c == '\t') {
        ++at_;
      } else if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '<' || c == '>') {
        redirection();
      } else if (std::string_view("\n;&|()").find(c) != std::string_view::npos) {
        // "case x in a)", "name() {": words before a bracket are no commands.
        if ((c == '(' && !begins_) || (c == ')' && open_ == 0)) give_up();
        if (c == '(') ++open_;
        if (c == ')') --open_;
        begins_ = true;
        option_may_follow_ = false;
        ++at_;
      } else {
        word(next());
      }
    }
    return std::move(out_);
  }

 private:
  void give_up() {
    out_.whole = false;
    given_up_ = true;
  }

  // What follows is a file, not a command; the text of a here-document is neither.
  void redirection() {
    if (text_.compare(at_, 2, "<<") == 0) return give_up();
    while (at_ < text_.size() &&
           std::string_view("<>&|").find(text_[at_]) != std::string_view::npos)
      ++at_;
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    (void)next();
  }

  Word next() {
    Word out;
    char quote = 0;
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (quote == 0 && std::string_view(" \t\n;&|()<>").find(c) != std::string_view::npos) break;
      bool opens = quote == 0 && (c == '\'' || c == '"');
      if (opens) {
        quote = c;
      } else if (quote != 0 && c == quote) {
        quote = 0;
      } else if (c == '\\' && quote != '\'' && at_ + 1 < text_.size()) {
        out.text += text_[++at_];
      } else {
        if (quote != '\'' && (c == '`' || (c == '$' && text_.compare(at_, 2, "$(") == 0)))
          give_up();
        if (quote != '\'' && (c == '$' || c == '`')) out.computed = true;
        out.text += c;
      }
    }
    if (quote != 0) give_up();
    return out;
  }

  void word(const Word& word) {
    // "2>log": the number belongs to the redirection.
    bool number =
        !word.text.empty() && word.text.find_first_not_of("0123456789") == std::string::npos;
    bool redirects = at_ < text_.size() && (text_[at_] == '<' || text_[at_] == '>');
    if (number && redirects) return;
    if (word.text.starts_with("PATH=")) own_path_ = true;
    if (!begins_) return;
    if (is_assignment(word.text)) return;
    if (option_may_follow_ && word.text.starts_with('-')) return give_up();
    if (leads_on(word.text)) return;
    if (word.text == "case" || word.text == "function") return give_up();
    begins_ = option_may_follow_ = false;
    if (word.computed) {
      out_.whole = false;
      return;
    }
    command(word.text);
  }

  void command(const std::string& name) {
    if (name == "cd") moved_ = true;
    if (name == "eval" || name == "." || name == "source") out_.whole = false;
    if (runs_next(name)) begins_ = option_may_follow_ = true;
    if (runs_anything(name)) out_.whole = false;
    bool shells = is_own_command(name) || name == "exec" || name == "command" || name == "eval" ||
                  name == "." || name == "source";
    if (shells || name.empty()) return;
    bool path = name.find('/') != std::string::npos;
    // Where the command went, or set its PATH to, it is looked up anew.
    bool elsewhere = path ? moved_ && name[0] != '/' : own_path_;
    if (elsewhere || name[0] == '~') {
      out_.whole = false;
      return;
    }
    if (std::find(out_.names.begin(), out_.names.end(), name) == out_.names.end())
      out_.names.push_back(name);
  }

  const std::string& text_;
  std::size_t at_ = 0;
  int open_ = 0;
  bool begins_ = true;  // the next word is a command
  bool option_may_follow_ = false, given_up_ = false;
  bool moved_ = false, own_path_ = false;
  CommandPrograms out_;
};

}  // namespace

CommandPrograms programs_of(const std::string& command) { return Reader(command).go(); }

}  // namespace lb::runbook
