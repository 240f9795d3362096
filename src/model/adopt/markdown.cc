#include "model/adopt/markdown.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::adopt {

namespace {

bool blank(std::string_view line) { return trim(line).empty(); }

// Columns of white space before the text; a tab goes on to the next multiple of four.
std::size_t indent_of(std::string_view line) {
  std::size_t columns = 0;
  for (char c : line) {
    if (c == ' ') {
      ++columns;
    } else if (c == '\t') {
      columns += 4 - columns % 4;
    } else {
      break;
    }
  }
  return columns;
}

bool is_rule(std::string_view text) {
  if (text.empty() || std::string_view("-*_").find(text[0]) == std::string_view::npos) return false;
  std::size_t marks = 0;
  for (char c : text) {
    if (c != text[0] && c != ' ') return false;
    if (c == text[0]) ++marks;
  }
  return marks >= 3;
}

// Level of an ATX heading, 0 if it is none.
int heading_level(std::string_view text) {
  std::size_t marks = 0;
  while (marks < text.size() && text[marks] == '#') ++marks;
  bool spaced = marks == text.size() || text[marks] == ' ' || text[marks] == '\t';
  return marks >= 1 && marks <= 6 && spaced ? static_cast<int>(marks) : 0;
}

struct Marker {
  std::size_t size = 0;  // of the marker with the space behind it; 0: no item
  bool ordered = false;
};

Marker item_marker(std::string_view text) {
  std::size_t end = 0;
  bool ordered = false;
  if (!text.empty() && std::string_view("-*+").find(text[0]) != std::string_view::npos) {
    end = 1;
  } else {
    while (end < text.size() && end < 9 && text[end] >= '0' && text[end] <= '9') ++end;
    bool closed = end > 0 && end < text.size() && (text[end] == '.' || text[end] == ')');
    if (!closed) return {};
    ordered = true;
    ++end;
  }
  if (end < text.size() && text[end] != ' ' && text[end] != '\t') return {};
  return {std::min(end + 1, text.size()), ordered};
}

bool is_delimiter_row(std::string_view line) {
  auto text = trim(line);
  bool dashes = false;
  for (char c : text) {
    if (c != '|' && c != '-' && c != ':' && c != ' ') return false;
    dashes = dashes || c == '-';
  }
  return dashes && text.find('|') != std::string_view::npos;
}

// Cells of a row: a bar behind a backslash or inside `code` does not part them.
std::vector<std::string> cells_of(std::string_view line) {
  auto text = trim(line);
  if (text.starts_with('|')) text.remove_prefix(1);
  std::vector<std::string> out(1);
  bool code = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '|') {
      out.back() += text[++i];
      continue;
    }
    if (text[i] == '`') code = !code;
    if (text[i] == '|' && !code) {
      out.emplace_back();
    } else {
      out.back() += text[i];
    }
  }
  if (out.size() > 1 && blank(out.back())) out.pop_back();
  for (auto& cell : out) cell = std::string(trim(cell));
  return out;
}

class Parser {
 public:
  Parser(std::string_view text, std::size_t line_first) : first_(line_first) {
    lines_ = split(text, '\n');
    for (auto& line : lines_) {
      if (line.ends_with('\r')) line.pop_back();
    }
    if (!lines_.empty() && lines_.back().empty()) lines_.pop_back();
  }

  std::vector<Block> run() {
    for (at_ = 0; at_ < lines_.size(); ++at_) {
      std::string_view line = lines_[at_];
      if (blank(line)) {
        open_ = false;
        in_table_ = false;
        after_blank_ = true;
        continue;
      }
      auto indent = indent_of(line);
      auto text = trim(line);
      while (text.starts_with('>')) text = trim(text.substr(1));  // a quotation is read as its text
      take(indent, text);
      after_blank_ = false;
    }
    return std::move(out_);
  }

 private:
  void take(std::size_t indent, std::string_view text) {
    if (in_table_ && text.find('|') != std::string_view::npos) return row(text, false);
    in_table_ = false;
    auto marker = item_marker(text);
    if (open_fence(indent, text)) return;
    if (underline(text)) return;
    if (is_rule(text)) {
      open_ = false;
      leave_items(indent);
    } else if (int level = heading_level(text); level > 0) {
      leave_items(indent);
      heading(level, text);
    } else if (marker.size > 0) {
      item(indent, text, marker);
    } else if (at_ + 1 < lines_.size() && text.find('|') != std::string_view::npos &&
               is_delimiter_row(lines_[at_ + 1])) {
      leave_items(indent);
      ++tables_;
      row(text, true);
      ++at_;
      in_table_ = true;
    } else {
      words(indent, text);
    }
  }

  Block& add(Block::Kind kind, std::string text) {
    Block block;
    block.kind = kind;
    block.line = block.line_last = first_ + at_;
    block.level = static_cast<int>(items_.size());
    block.text = std::move(text);
    out_.push_back(std::move(block));
    open_ = false;
    return out_.back();
  }

  // Ends the items that a line with this indent no longer belongs to.
  void leave_items(std::size_t indent) {
    while (!items_.empty() && indent < items_.back() + 2) items_.pop_back();
  }

  void heading(int level, std::string_view text) {
    text.remove_prefix(static_cast<std::size_t>(level));
    text = trim(text);
    auto end = text.find_last_not_of('#');
    bool closed = end != std::string_view::npos && end + 1 < text.size() && text[end] == ' ';
    if (closed) text = trim(text.substr(0, end));
    items_.clear();
    add(Block::Kind::heading, std::string(text)).level = level;
  }

  // "=====" or "-----" below a line of text makes it a heading.
  bool underline(std::string_view text) {
    bool all = text.find_first_not_of(text[0]) == std::string_view::npos;
    bool below = open_ && !out_.empty() && out_.back().kind == Block::Kind::paragraph;
    if (!below || !all || text.size() < 2 || (text[0] != '=' && text[0] != '-')) return false;
    auto& block = out_.back();
    block.kind = Block::Kind::heading;
    block.level = text[0] == '=' ? 1 : 2;
    block.line_last = first_ + at_;
    open_ = false;
    items_.clear();
    return true;
  }

  void item(std::size_t indent, std::string_view text, Marker marker) {
    leave_items(indent);
    items_.push_back(indent);
    text = trim(text.substr(marker.size));
    bool box = text.starts_with("[ ]") || text.starts_with("[x]") || text.starts_with("[X]");
    bool task = box && (text.size() == 3 || text[3] == ' ' || text[3] == '\t');
    if (task) text = trim(text.substr(3));
    auto& block = add(Block::Kind::item, std::string(text));
    block.ordered = marker.ordered;
    block.task = task;
    bool code = text.starts_with("```") || text.starts_with("~~~");
    if (code) block.text.clear();
    if (!code || !open_fence(indent + 2, text)) open_ = true;
  }

  void row(std::string_view text, bool head) {
    auto& block = add(Block::Kind::row, std::string(text));
    block.head = head;
    block.table = tables_ - 1;
    block.cells = cells_of(text);
  }

  bool open_fence(std::size_t indent, std::string_view text) {
    if (!text.starts_with("```") && !text.starts_with("~~~")) {
      bool code = indent >= 4 && after_blank_ && items_.empty();
      if (code) indented_code();
      return code;
    }
    char mark = text[0];
    std::size_t size = std::min(text.find_first_not_of(mark), text.size());
    auto info = trim(text.substr(size));
    if (mark == '`' && info.find('`') != std::string_view::npos) return false;
    leave_items(indent);
    auto& block = add(Block::Kind::fence, "");
    block.language = lower(info.substr(0, std::min(info.find_first_of(" \t{,"), info.size())));
    std::vector<std::string> body;
    for (++at_; at_ < lines_.size(); ++at_) {
      auto end = trim(lines_[at_]);
      bool closes = end.size() >= size && end.find_first_not_of(mark) == std::string_view::npos;
      if (closes) break;
      body.push_back(without_indent(lines_[at_], indent));
    }
    block.line_last = first_ + std::min(at_, lines_.size() - 1);
    block.text = join(body, "\n");
    return true;
  }

  void indented_code() {
    auto& block = add(Block::Kind::fence, "");
    std::vector<std::string> body;
    for (; at_ < lines_.size() && (blank(lines_[at_]) || indent_of(lines_[at_]) >= 4); ++at_)
      body.push_back(without_indent(lines_[at_], 4));
    while (!body.empty() && blank(body.back())) {
      body.pop_back();
      --at_;
    }
    --at_;  // the loop of run() goes on with the next line
    block.line_last = first_ + at_;
    block.text = join(body, "\n");
  }

  static std::string without_indent(std::string_view line, std::size_t indent) {
    std::size_t removed = 0;
    while (removed < indent && removed < line.size() && line[removed] == ' ') ++removed;
    if (removed == 0 && indent > 0 && line.starts_with('\t')) removed = 1;
    return std::string(line.substr(removed));
  }

  // Text goes on with the item or paragraph above it, or begins a paragraph.
  void words(std::size_t indent, std::string_view text) {
    if (open_) {
      out_.back().text += '\n';
      out_.back().text += text;
      out_.back().line_last = first_ + at_;
      return;
    }
    leave_items(indent);
    add(Block::Kind::paragraph, std::string(text));
    open_ = true;
  }

  std::vector<std::string> lines_;
  std::size_t first_, at_ = 0, tables_ = 0;
  std::vector<std::size_t> items_;  // indents of the markers of the items we stand in
  bool open_ = false;               // the next line of text belongs to the last block
  bool in_table_ = false, after_blank_ = true;
  std::vector<Block> out_;
};

}  // namespace

std::vector<Block> parse_markdown(std::string_view text, std::size_t line_first) {
  return Parser(text, line_first).run();
}

}  // namespace lb::adopt
