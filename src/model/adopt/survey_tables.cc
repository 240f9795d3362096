// Tables that runbooks carry: objectives, collections, RACI, contacts, severities, endpoints. What
// a table is about is told by its head and cells, never by the section it stands in.
#include <algorithm>

#include "foundation/base/text.h"
#include "model/adopt/draft.h"

namespace lb::adopt {

namespace {

struct Table {
  std::vector<std::string> head;               // plain, lower case
  std::vector<std::string> names;              // plain, as written
  std::vector<std::vector<std::string>> rows;  // plain
  std::vector<std::size_t> lines;
  std::size_t line = 0;

  std::size_t column(std::initializer_list<std::string_view> words) const {
    for (std::size_t i = 0; i < head.size(); ++i) {
      if (mentions(head[i], words)) return i;
    }
    return none;
  }
  std::string cell(std::size_t row, std::size_t column) const {
    return column < rows[row].size() ? rows[row][column] : "";
  }
};

Table table_of(const Outline& outline, std::size_t first, std::size_t end) {
  Table out;
  out.line = outline.blocks[first].line;
  for (std::size_t i = first; i < end; ++i) {
    std::vector<std::string> cells;
    for (const auto& cell : outline.blocks[i].cells) cells.push_back(plain(cell));
    if (i == first) {
      out.names = cells;
      for (const auto& cell : cells) out.head.push_back(lower(cell));
    } else {
      out.rows.push_back(std::move(cells));
      out.lines.push_back(outline.blocks[i].line);
    }
  }
  return out;
}

bool is_letters(std::string_view cell) {
  return std::all_of(cell.begin(), cell.end(), [](char c) {
    return std::string_view("RACI/,& -").find(c) != std::string_view::npos;
  });
}

bool is_raci(const Table& table) {
  if (table.head.size() < 3 || table.rows.empty()) return false;
  bool responsible = false;
  for (const auto& row : table.rows) {
    for (std::size_t i = 1; i < row.size(); ++i) {
      if (!is_letters(row[i])) return false;
      responsible = responsible || row[i].find('R') != std::string::npos;
    }
  }
  return responsible;
}

// Takes what it can of a table; says for each row whether it did.
using Taker = std::vector<std::string> (*)(Draft& draft, const Table& table);

std::vector<std::string> take_raci(Draft& draft, const Table& table) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    auto name =
        fresh_key(draft.raci, table.cell(i, 0).empty() ? "unnamed" : lower(table.cell(i, 0)));
    Tree row;
    row.line = table.lines[i];
    for (std::size_t j = 1; j < table.rows[i].size() && j < table.names.size(); ++j) {
      Tree letters = Tree::list();
      for (char c : table.rows[i][j]) {
        if (std::string_view("RACI").find(c) != std::string_view::npos)
          letters.items.push_back(Tree::of(std::string(1, c)));
      }
      if (letters.items.empty()) continue;
      auto person = draft.person(table.names[j], table.line);
      if (row.find(person) != nullptr) continue;
      row.set(person, letters.items.size() == 1 ? letters.items[0] : letters);
    }
    bool taken = !row.members.empty();
    if (taken) draft.raci.set(name, std::move(row));
    out.push_back(taken ? cat("raci ", name) : "");
  }
  return out;
}

// An address that nobody could take for more.
bool is_mail(const std::string& text) {
  constexpr std::size_t size_max = 254;
  auto plain_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("@._%+-").find(c) != std::string_view::npos;
  };
  auto at = text.find('@');
  return at != std::string::npos && at > 0 && at + 1 < text.size() && at == text.rfind('@') &&
         text.size() <= size_max && std::all_of(text.begin(), text.end(), plain_char) &&
         !holds_secret(text);
}

// One person of a cell: an address if it looks like one, else a name.
Tree contact(const std::string& cell, std::size_t line) {
  Tree out;
  bool mail = is_mail(cell);
  auto digits =
      std::count_if(cell.begin(), cell.end(), [](char c) { return c >= '0' && c <= '9'; });
  bool phone = digits >= 6 && static_cast<std::size_t>(digits) * 2 > cell.size();
  out.set(cell.starts_with('#') ? "slack"
          : mail                ? "email"
          : phone               ? "phone"
                                : "name",
          Tree::of(cell, line));
  return out;
}

std::vector<std::string> take_contacts(Draft& draft, const Table& table) {
  auto primary = table.column({"primary", "contact", "name", "email"});
  struct Next {
    std::size_t column;
    const char* key;
    const char* suffix;
  };
  const Next next[] = {{table.column({"secondary", "backup", "deputy"}), "deputy", "secondary"},
                       {table.column({"escalation", "escalate"}), "escalate", "escalation"}};
  std::vector<std::string> out;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    auto role = draft.person(table.cell(i, 0), table.lines[i]);
    auto found = table.cell(i, primary);
    if (!found.empty()) {
      for (auto& [key, value] : contact(found, table.lines[i]).members)
        draft.people.at(role).set(key, std::move(value));
    }
    for (const auto& [column, key, suffix] : next) {
      auto cell = table.cell(i, column);
      if (column == none || cell.empty()) continue;
      auto other = fresh_key(draft.people, slug(cat(role, " ", suffix)));
      draft.people.set(other, contact(cell, table.lines[i]));
      draft.people.at(role).set(key, Tree::of(other, table.lines[i]));
    }
    out.push_back(cat("person ", role));
  }
  return out;
}

std::string level_of(std::string_view cell) {
  auto words = words_of(cell);
  if (words.empty()) return "";
  for (const char* level : {"p0", "p1", "p2", "p3"}) {
    if (words[0] == level) return cat("P", level[1]);
  }
  for (const char* level : {"sev0", "sev1", "sev2", "sev3"}) {
    if (words[0] == level) return cat("P", level[3]);
  }
  return "";
}

// "On-call engineer + team lead"
std::vector<std::string> people_in(Draft& draft, std::string cell, std::size_t line) {
  for (const char* mark : {" and ", ",", "&", "/", ";"}) cell = replace_all(cell, mark, "+");
  std::vector<std::string> out;
  for (const auto& part : split(cell, '+')) {
    if (!trim(part).empty()) out.push_back(draft.person(trim(part), line));
  }
  return out;
}

std::vector<std::string> take_severities(Draft& draft, const Table& table) {
  auto who = table.column({"contact", "who", "notify", "owner", "escalat"});
  auto within = table.column({"sla", "response", "within", "time"});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    auto level = level_of(table.cell(i, 0));
    auto span = find_span(table.cell(i, within));
    if (level.empty() || !span || draft.escalation.find(level) != nullptr) {
      out.emplace_back();
      continue;
    }
    Tree entry;
    entry.set("within", Tree::of(span->text, table.lines[i]));
    bool later = mentions(table.cell(i, who), {"next business day"});
    Tree to = Tree::list();
    if (!later) {
      for (auto& person : people_in(draft, table.cell(i, who), table.lines[i]))
        to.items.push_back(Tree::of(person));
    }
    entry.set("to", to.items.empty() ? Tree::of("all") : to);
    if (later) entry.set("from", Tree::of("next-business-day"));
    auto means = table.cell(i, 0).substr(table.cell(i, 0).find(' ') + 1);
    if (means.starts_with('(') && means.ends_with(')')) means = means.substr(1, means.size() - 2);
    if (level_of(means).empty()) entry.set("means", Tree::of(means, table.lines[i]));
    draft.escalation.set(level, std::move(entry));
    out.push_back(cat("escalation ", level));
  }
  return out;
}

std::string request_of(const std::string& cell) {
  auto words = split(cell, ' ');
  static const std::vector<std::string> methods = {"GET",   "HEAD",   "POST",   "PUT",
                                                   "PATCH", "DELETE", "OPTIONS"};
  bool method =
      words.size() == 2 && std::find(methods.begin(), methods.end(), words[0]) != methods.end();
  const auto& path = method ? words[1] : words[0];
  bool fits = (method || words.size() == 1) && path.size() > 1 &&
              (path[0] == '/' || path.starts_with("http://") || path.starts_with("https://"));
  return fits ? cat(method ? words[0] : "GET", " ", path) : "";
}

// "200 + `{ok:true}`", "401/403", "200 + CSV headers"
Tree expectation(const std::string& cell, std::size_t line) {
  Tree expect, status = Tree::list();
  for (const auto& word : words_of(cell)) {
    auto code =
        word.size() == 3 ? parse_uint(word) : Result<std::uint64_t>(Error(ErrorKind::invalid, ""));
    if (code.ok() && *code >= 100 && *code < 600) status.items.push_back(Tree::raw(word));
  }
  if (status.items.size() == 1) expect.set("status", Tree::raw(status.items[0].text, line));
  if (status.items.size() > 1) expect.set("status", status).line = line;
  auto open = cell.find('{'), close = cell.find('}');
  if (open != std::string::npos && close != std::string::npos && open < close) {
    auto pair = split(cell.substr(open + 1, close - open - 1), ':');
    auto key = replace_all(replace_all(pair[0], "\"", ""), "'", "");
    bool simple = pair.size() == 2 && words_of(key).size() == 1 && !trim(pair[1]).empty();
    if (simple) {
      Tree json;
      json.set(cat("$.", trim(key)), Tree::of(std::string(trim(replace_all(pair[1], "\"", "")))));
      expect.set("json", std::move(json));
    }
  }
  if (mentions(cell, {"csv"})) {
    Tree headers;
    headers.set("content-type", Tree::of("text/csv"));
    expect.set("headers", std::move(headers));
  }
  return expect;
}

std::vector<std::string> take_endpoints(Draft& draft, const Table& table) {
  auto expected = table.column({"expect", "result", "status", "response"});
  auto says = table.column({"validation", "description", "purpose", "check", "notes"});
  auto& suite = draft.checks.at("endpoints");
  suite.kind = Tree::Kind::list;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    auto request = request_of(table.cell(i, 0));
    if (request.empty()) {
      out.emplace_back();
      continue;
    }
    Tree check;
    check.set("http", Tree::of(request, table.lines[i]));
    auto name = says == 0 ? "" : table.cell(i, says);
    check.set("name", Tree::of(draft.check_names.fresh(name.empty() ? request : name)));
    auto expect = expectation(table.cell(i, expected), table.lines[i]);
    if (!expect.members.empty()) check.set("expect", std::move(expect));
    // What the words ask beyond the status is for a person to write.
    if (expected != none) check.above.push_back(cat("expected: ", table.cell(i, expected)));
    suite.items.push_back(std::move(check));
    out.push_back("check of suite endpoints");
  }
  return out;
}

std::vector<std::string> take_collections(Draft& draft, const Table& table) {
  auto priority = table.column({"priority", "severity", "tier"});
  auto impact = table.column({"impact", "if lost", "notes", "description"});
  bool postgres = table.head[0] == "table" && draft.stores.find("documents") == nullptr;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    auto name = table.cell(i, 0);
    auto level = level_of(table.cell(i, priority));
    auto kind = postgres ? "postgres" : "firestore";
    if (name.empty() || level.empty()) {
      out.emplace_back();
      continue;
    }
    auto& all = draft.store(kind, table.lines[i]).at(postgres ? "tables" : "collections");
    name = fresh_key(all, name);
    Tree entry;
    entry.line = table.lines[i];
    entry.set("priority", Tree::of(level));
    if (!table.cell(i, impact).empty()) entry.set("impact", Tree::of(table.cell(i, impact)));
    all.set(name, std::move(entry));
    out.push_back(cat(postgres ? "table " : "collection ", name));
  }
  return out;
}

}  // namespace

// "1 hour (hourly backups + WAL)": what is planned for the objective, where it can meet it.
static void note_means(Draft& draft, const ObjectiveFound& found) {
  bool database = found.component.empty() || store_kind(found.component) == "postgres";
  if (!found.rpo || !database || draft.stores.find("db") == nullptr) return;
  auto& store = draft.stores.at("db");
  bool log = mentions(found.text, {"wal", "continuous archiving", "log shipping"});
  if (log && store.find("log") == nullptr) store.set("log", Tree::of("continuous", found.line));
  auto every = find_cadence(found.text);
  bool fits = every && (log || every->length < found.span.length);
  if (fits && store.find("every") == nullptr) store.set("every", Tree::of(every->text, found.line));
}

bool put_objective(Draft& draft, const ObjectiveFound& found, const std::string& why) {
  auto value = Tree::of(found.span.text, found.line);
  if (draft.found_objectives.size() >= objectives_max) return false;
  draft.found_objectives.push_back(found);
  note_means(draft, found);
  if (found.component.empty()) {
    auto key = found.rpo ? "rpo" : "rto";
    if (draft.objectives.find(key) != nullptr) return false;
    draft.objectives.set(key, std::move(value));
    return true;
  }
  auto kind = store_kind(found.component);
  if (found.rpo && !kind.empty()) {
    auto& objective = draft.store(kind, found.line).at("objective");
    auto key = objective.find("rpo") == nullptr ? "rpo" : "goal";
    if (objective.find(key) != nullptr) return false;
    // A second figure is a goal only when it asks for more.
    const auto* target = objective.find("rpo");
    auto known = target != nullptr ? find_span(target->text) : std::nullopt;
    if (known && known->length <= found.span.length) return false;
    objective.set(key, std::move(value));
    if (!why.empty() && objective.find("why") == nullptr) objective.set("why", Tree::of(why));
    return true;
  }
  return false;
}

namespace {

std::vector<std::string> take_objectives(Draft& draft, const Table& table) {
  auto rpo = table.column({"rpo", "recovery point"});
  auto rto = table.column({"rto", "recovery time"});
  auto why = table.column({"rationale", "why", "notes", "reason"});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    std::string became, all = join(table.rows[i], " | ");
    auto first = table.cell(i, 0);
    auto take = [&](bool is_rpo, std::size_t column, const std::string& component) {
      auto span = column == none ? std::nullopt : find_span(table.cell(i, column));
      if (!span || draft.found_objectives.size() >= objectives_max) return;
      ObjectiveFound found{is_rpo, *span, component, all, table.lines[i]};
      if (!is_rpo && !component.empty()) {
        // Matched with the runbooks when all of them are known.
        draft.found_objectives.push_back(found);
        became = cat("objective of ", component);
      } else if (put_objective(draft, found, table.cell(i, why))) {
        became = "objective";
      }
    };
    bool metric = mentions(first, {"rpo", "rto", "recovery point", "recovery time"});
    if (metric) take(mentions(first, {"rpo", "recovery point"}), 1, "");
    if (!metric) take(true, rpo, first);
    if (!metric) take(false, rto, first);
    out.push_back(became);
  }
  return out;
}

bool has_metric_rows(const Table& table) {
  return std::any_of(table.rows.begin(), table.rows.end(), [](const auto& row) {
    return !row.empty() && mentions(row[0], {"rpo", "rto", "recovery point", "recovery time"});
  });
}

Taker taker_of(const Table& table) {
  if (table.head.size() < 2 || table.rows.empty()) return nullptr;
  if (is_raci(table)) return take_raci;
  if (has_metric_rows(table) || table.column({"rpo", "rto"}) != none) return take_objectives;
  bool levels = std::any_of(table.rows.begin(), table.rows.end(), [](const auto& row) {
    return !row.empty() && !level_of(row[0]).empty();
  });
  if (levels && table.column({"sla", "response", "within", "time"}) != none) return take_severities;
  bool endpoints = std::any_of(table.rows.begin(), table.rows.end(), [](const auto& row) {
    return !row.empty() && !request_of(row[0]).empty();
  });
  if (endpoints) return take_endpoints;
  if (mentions(table.head[0], {"collection", "table"}) &&
      table.column({"priority", "tier"}) != none)
    return take_collections;
  bool contacts = mentions(table.head[0], {"role", "team", "contact", "name", "person"}) &&
                  table.column({"primary", "contact", "email", "phone"}) != none;
  return contacts ? take_contacts : nullptr;
}

}  // namespace

bool take_table(Draft& draft, std::size_t first, std::size_t end) {
  auto table = table_of(draft.outline, first, end);
  auto taker = taker_of(table);
  if (taker == nullptr) return false;
  auto became = taker(draft, table);
  bool any = false;
  for (std::size_t i = 0; i < became.size(); ++i) {
    if (became[i].empty()) continue;
    draft.place(first + 1 + i, became[i]);
    draft.prose.push_back(cat(draft.at(table.lines[i]), ": ", join(table.rows[i], " | ")));
    any = true;
  }
  if (!any) return false;
  draft.place(first, "head of a table");
  // In the order of the source: before its rows.
  auto rows = static_cast<std::ptrdiff_t>(std::count_if(
      became.begin(), became.end(), [](const std::string& one) { return !one.empty(); }));
  draft.prose.insert(draft.prose.end() - rows,
                     cat(draft.at(table.line), ": ", join(table.names, " | ")));
  return true;
}

}  // namespace lb::adopt
