#include "storage/state/page_log.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"

namespace lb::state {

namespace {

constexpr const char* record_kind = "runbook-pages";
constexpr const char* schema = "lifeboat.runbook-pages/1";

Result<PageSet> decode(const Buffer& bytes) {
  auto json = parse_json(text_of(bytes));
  if (!json.ok()) return Error(ErrorKind::corrupt, json.error().text());
  if ((*json)["schema"].string() != schema)
    return Error(ErrorKind::corrupt, "the record holds no pages of runbooks");
  PageSet out;
  out.system = (*json)["system"].string();
  out.fingerprint = (*json)["fingerprint"].string();
  out.made = from_micros((*json)["made_us"].integer());
  for (const auto& page : (*json)["pages"].items()) {
    out.pages.push_back(
        {page["runbook"].string(), page["html"].string(), page["markdown"].string()});
  }
  return out;
}

}  // namespace

Status put_pages(repo::Repository& repository, const PageSet& pages) {
  Json list = Json::array();
  for (const auto& page : pages.pages) {
    list.push(Json::object()
                  .set("runbook", page.runbook)
                  .set("html", page.html)
                  .set("markdown", page.markdown));
  }
  auto text = Json::object()
                  .set("schema", schema)
                  .set("system", pages.system)
                  .set("fingerprint", pages.fingerprint)
                  .set("made_us", to_micros(pages.made))
                  .set("pages", std::move(list))
                  .dump();
  return repository.put_record(record_kind, repository.fresh_id(), view_of(text))
      .context("store the pages of the runbooks");
}

Result<std::optional<PageSet>> newest_pages(repo::Repository& repository) {
  auto ids = LB_TRY(repository.records(record_kind).context("look for pages of runbooks"));
  std::optional<Error> damage;
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    auto bytes = repository.get_record(record_kind, *id);
    auto pages = bytes.ok() ? decode(*bytes) : Result<PageSet>(bytes.error());
    if (pages.ok()) return std::optional(std::move(pages).take());
    if (pages.error().kind() != ErrorKind::corrupt)
      return std::move(pages).take_error().context("read the pages of the runbooks");
    if (!damage) damage = std::move(pages).take_error();
  }
  if (damage) return std::move(*damage).context("read the pages of the runbooks");
  return std::optional<PageSet>();
}

}  // namespace lb::state
