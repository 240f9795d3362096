#include "storage/state/page_log.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"

namespace lb::state {

namespace {

constexpr const char* schema = "lifeboat.runbook-pages/1";
constexpr std::size_t date_digits = 8, time_digits = 6, says_digits = 16;
constexpr std::size_t id_length = date_digits + 1 + time_digits + 1 + says_digits;

Result<PageSet> decode(const Buffer& bytes) {
  auto json = parse_json(text_of(bytes));
  if (!json.ok()) return Error(ErrorKind::corrupt, json.error().text());
  if ((*json)["schema"].string() != schema)
    return Error(ErrorKind::corrupt, "the record holds no pages of runbooks");
  PageSet out;
  out.system = (*json)["system"].string();
  out.fingerprint = (*json)["fingerprint"].string();
  out.made = from_micros((*json)["made_us"].integer());
  out.says = (*json)["says"].string();
  out.index_html = (*json)["index_html"].string();
  out.index_markdown = (*json)["index_markdown"].string();
  for (const auto& page : (*json)["pages"].items()) {
    out.pages.push_back({page["runbook"].string(), page["html"].string(), page["markdown"].string(),
                         page["open"].boolean()});
  }
  return out;
}

bool all_of_kind(std::string_view text, std::string_view kind) {
  return text.find_first_not_of(kind) == std::string_view::npos;
}

}  // namespace

std::string set_id(Timestamp made, const std::string& says) {
  auto time = format_time_seconds(made);  // "2026-11-28T02:14:07Z"
  std::erase_if(time, [](char c) { return c < '0' || c > '9'; });
  return cat(time.substr(0, date_digits), "-", time.substr(date_digits, time_digits), "-",
             says.substr(0, says_digits));
}

std::optional<Timestamp> made_of(const std::string& id) {
  auto part = [&](std::size_t from, std::size_t size) { return id.substr(from, size); };
  if (id.size() != id_length || id[8] != '-' || id[15] != '-') return std::nullopt;
  if (!all_of_kind(part(16, says_digits), "0123456789abcdef")) return std::nullopt;
  auto time = parse_time(cat(part(0, 4), "-", part(4, 2), "-", part(6, 2), "T", part(9, 2), ":",
                             part(11, 2), ":", part(13, 2), "Z"));
  if (!time.ok()) return std::nullopt;
  return *time;
}

bool says_same(const std::string& id, const std::string& says) {
  return made_of(id).has_value() && id.ends_with(cat("-", says.substr(0, says_digits)));
}

Status put_pages(repo::Repository& repository, PageSet& pages) {
  Json list = Json::array();
  for (const auto& page : pages.pages) {
    list.push(Json::object()
                  .set("runbook", page.runbook)
                  .set("html", page.html)
                  .set("markdown", page.markdown)
                  .set("open", page.open));
  }
  auto text = Json::object()
                  .set("schema", schema)
                  .set("system", pages.system)
                  .set("fingerprint", pages.fingerprint)
                  .set("made_us", to_micros(pages.made))
                  .set("says", pages.says)
                  .set("index_html", pages.index_html)
                  .set("index_markdown", pages.index_markdown)
                  .set("pages", std::move(list))
                  .dump();
  pages.id = set_id(pages.made, pages.says);
  auto put = repository.put_record(page_record_kind, pages.id, view_of(text));
  // Another host put the same pages in the same second. Who may only write cannot read that, but
  // the name says what stands in it.
  bool same = !put.ok() && put.error().kind() == ErrorKind::conflict && !repository.may_read();
  if (same) return {};
  return std::move(put).context("store the pages of the runbooks");
}

Result<PageSet> pages_of(repo::Repository& repository, const std::string& id) {
  auto bytes = LB_TRY(repository.get_record(page_record_kind, id));
  auto out = LB_TRY(decode(bytes));
  out.id = id;
  return out;
}

Result<std::optional<PageSet>> newest_pages(repo::Repository& repository) {
  auto ids = LB_TRY(repository.records(page_record_kind).context("look for pages of runbooks"));
  std::optional<Error> damage;
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    auto pages = pages_of(repository, *id);
    if (pages.ok()) return std::optional(std::move(pages).take());
    if (pages.error().kind() != ErrorKind::corrupt)
      return std::move(pages).take_error().context("read the pages of the runbooks");
    if (!damage) damage = std::move(pages).take_error();
  }
  if (damage) return std::move(*damage).context("read the pages of the runbooks");
  return std::optional<PageSet>();
}

}  // namespace lb::state
