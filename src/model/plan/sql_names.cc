#include "model/plan/sql_names.h"

#include "foundation/base/text.h"

namespace lb::plan {

namespace {

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
// PostgreSQL takes bytes beyond ASCII for letters.
bool in_word(char c) {
  return begins_name(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80;
}

class Reading {
 public:
  explicit Reading(std::string_view sql) : sql_(sql) {}

  Result<SqlNames> go() {
    while (at_ < sql_.size()) {
      const char c = sql_[at_];
      if (c == '\'' || c == '"') {
        quotes(c);
      } else if (starts("--")) {
        copy_to(sql_.find('\n', at_));
      } else if (starts("/*")) {
        comment();
      } else if (in_word(c)) {
        word();
      } else if (c == '$') {
        LB_TRY(dollar());
      } else {
        copy_to(at_ + 1);
      }
    }
    if (numbers_ && !out_.names.empty())
      return Error(ErrorKind::invalid, "sql has numbers ($1) beside names")
          .with_hint("write a name for each value");
    return std::move(out_);
  }

 private:
  bool starts(std::string_view word) const { return sql_.substr(at_).starts_with(word); }

  void copy_to(std::size_t end) {
    end = std::min(end, sql_.size());
    out_.sql += sql_.substr(at_, end - at_);
    at_ = end;
  }

  // An identifier may hold dollars: no name begins in it.
  void word() {
    auto end = at_;
    while (end < sql_.size() && (in_word(sql_[end]) || sql_[end] == '$')) ++end;
    const bool escapes = end - at_ == 1 && (sql_[at_] == 'e' || sql_[at_] == 'E');
    copy_to(end);
    if (escapes && starts("'")) quotes('\'', true);
  }

  void quotes(char mark, bool escapes = false) {
    auto end = at_ + 1;
    for (; end < sql_.size(); ++end) {
      if (escapes && sql_[end] == '\\') {
        ++end;
      } else if (sql_[end] == mark) {
        if (end + 1 >= sql_.size() || sql_[end + 1] != mark) break;
        ++end;
      }
    }
    note_quoted(at_, std::min(end, sql_.size()));
    copy_to(end + 1);
  }

  // They nest.
  void comment() {
    std::size_t depth = 0, end = at_;
    do {
      const auto rest = sql_.substr(end);
      const bool opens = rest.starts_with("/*"), closes = rest.starts_with("*/");
      if (opens) ++depth;
      if (closes) --depth;
      end += opens || closes ? 2 : 1;
    } while (depth > 0 && end < sql_.size());
    copy_to(end);
  }

  Status dollar() {
    auto end = at_ + 1;
    const bool braces = end < sql_.size() && sql_[end] == '{';
    if (braces) ++end;
    const auto begin = end;
    while (end < sql_.size() && in_word(sql_[end])) ++end;
    const auto name = sql_.substr(begin, end - begin);
    if (!braces && end < sql_.size() && sql_[end] == '$' &&
        (name.empty() || !is_digit(name.front()))) {
      dollar_quotes(end + 1);
      return {};
    }
    if (name.empty() || !begins_name(name.front())) {
      if (braces) return Error(ErrorKind::invalid, "sql has '${' without a name");
      numbers_ = numbers_ || (!name.empty() && is_digit(name.front()));
      copy_to(end);
      return {};
    }
    if (braces && (end >= sql_.size() || sql_[end] != '}'))
      return Error(ErrorKind::invalid, cat("sql has '${", printable(name), "' without '}'"));
    if (braces) ++end;
    out_.names.emplace_back(name);
    out_.sql += cat("$", out_.names.size());
    at_ = end;
    // What follows must not become a part of the number.
    if (at_ < sql_.size() && in_word(sql_[at_])) out_.sql += ' ';
    return {};
  }

  void dollar_quotes(std::size_t begin) {
    const auto tag = sql_.substr(at_, begin - at_);
    const auto end = sql_.find(tag, begin);
    note_quoted(begin, std::min(end, sql_.size()));
    copy_to(end == std::string_view::npos ? end : end + tag.size());
  }

  void note_quoted(std::size_t begin, std::size_t end) {
    for (auto i = begin; i < end; ++i) {
      if (sql_[i] != '$') continue;
      auto first = i + 1;
      if (first < end && sql_[first] == '{') ++first;
      auto last = first;
      while (last < end && in_word(sql_[last])) ++last;
      if (last > first && begins_name(sql_[first]))
        out_.quoted.emplace_back(sql_.substr(first, last - first));
    }
  }

  const std::string_view sql_;
  std::size_t at_ = 0;
  bool numbers_ = false;
  SqlNames out_;
};

}  // namespace

Result<SqlNames> names_in_sql(std::string_view sql) { return Reading(sql).go(); }

}  // namespace lb::plan
