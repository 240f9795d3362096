#include "model/adopt/draft.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::adopt {

std::string FreshNames::fresh(const std::string& name) {
  int& used = count_[name];
  if (++used == 1) return name;
  for (;; ++used) {
    auto out = cat(name, open_, used, close_);
    if (count_.emplace(out, 1).second) return out;
  }
}

std::string fresh_key(const Tree& map, const std::string& name) {
  auto base = holds_secret(name) ? std::string("unnamed") : name;
  // Most are found at once; of many equal ones the size of the map is a number not yet given.
  auto out = base;
  for (std::size_t i = 2; map.find(out) != nullptr; i = i < 10 ? i + 1 : map.members.size() + i)
    out = cat(base, "-", i);
  return out;
}

std::string Draft::person(std::string_view name, std::size_t line) {
  auto key = slug(name);
  if (key == "all") key = "everybody";  // the plan has its own meaning for that word
  if (people.find(key) == nullptr)
    people.at(key).set("name", Tree::of(std::string(trim(name)), line));
  return key;
}

namespace {

struct Kind {
  const char* kind;
  const char* name;     // of the store in the plan
  const char* address;  // to be set by whoever uses the plan
};
constexpr Kind kinds[] = {{"postgres", "db", "env:DATABASE_URL"},
                          {"redis", "cache", "env:REDIS_URL"},
                          {"files", "files", "env:FILES_FOLDER"},
                          {"bucket", "bucket", "env:BUCKET_URL"},
                          {"firestore", "documents", "${PROJECT_ID}"}};

bool name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

// The first bucket of an address that is no place of backups.
std::string live_bucket(std::string_view text) {
  for (std::string_view scheme : {"s3://", "gs://"}) {
    for (auto at = text.find(scheme); at != std::string_view::npos;
         at = text.find(scheme, at + 5)) {
      auto end = at + scheme.size();
      while (end < text.size() && name_char(text[end])) ++end;
      auto name = text.substr(at + scheme.size(), end - at - scheme.size());
      bool whole = end == text.size() ||
                   std::string_view("/ \n'\"`)").find(text[end]) != std::string_view::npos;
      if (whole && !name.empty() && lower(name).find("backup") == std::string::npos)
        return cat(scheme, name);
    }
  }
  return "";
}

// The folder that a command looks through: "find ./storage -type f".
std::string folder_in(std::string_view text) {
  constexpr std::string_view find = "find ";
  for (auto at = text.find(find); at != std::string_view::npos; at = text.find(find, at + 5)) {
    auto rest = text.substr(at + find.size());
    auto end = std::min(rest.find_first_of(" \n|;"), rest.size());
    bool path = rest.starts_with("./") || rest.starts_with("/");
    if (path && end > 2) return std::string(rest.substr(0, end));
  }
  return "";
}

std::string address_of(const Draft& draft, const Kind& kind) {
  std::string_view name = kind.kind;
  if (name != "bucket" && name != "files") return kind.address;
  for (const auto& block : draft.outline.blocks) {
    auto found = name == "bucket" ? live_bucket(block.text) : folder_in(block.text);
    if (!found.empty()) return found;
  }
  return kind.address;
}

}  // namespace

Tree& Draft::store(const std::string& kind, std::size_t line) {
  const auto* known = std::find_if(std::begin(kinds), std::end(kinds),
                                   [&](const Kind& one) { return kind == one.kind; });
  if (known == std::end(kinds)) known = std::begin(kinds);
  auto* found = stores.find(known->name) != nullptr ? &stores.at(known->name) : nullptr;
  if (found != nullptr) return *found;
  auto& store = stores.at(known->name);
  store.line = line;
  auto address = address_of(*this, *known);
  bool set_later = address == known->address;
  auto value = Tree::of(address);
  value.remark =
      set_later ? "not in the source: set it where Lifeboat runs" : "as the source names it";
  store.set(known->kind, std::move(value));
  return store;
}

void find_stores(Draft& draft) {
  bool database = false;
  std::size_t line = 0;
  for (const auto& block : draft.outline.blocks) {
    const auto& text = block.text;
    if (mentions(text, {"firestore"})) draft.store("firestore", block.line);
    if (mentions(text, {"postgres", "psql", "pg restore", "pg dump", "wal"}))
      draft.store("postgres", block.line);
    if (mentions(text, {"redis"})) draft.store("redis", block.line);
    if (!live_bucket(text).empty()) draft.store("bucket", block.line);
    if (mentions(text, {"file storage"}) || !folder_in(text).empty())
      draft.store("files", block.line);
    if (!database && mentions(text, {"database"})) line = block.line;
    database = database || line > 0;
    bool stay = mentions(text, {"manifest"}) && mentions(text, {"remain", "only", "not copied"});
    draft.manifests_only = draft.manifests_only || stay;
  }
  bool any = draft.stores.find("db") != nullptr || draft.stores.find("documents") != nullptr;
  if (database && !any) draft.store("postgres", line);
}

}  // namespace lb::adopt
