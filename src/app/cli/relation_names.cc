#include "app/cli/relation_names.h"

#include "foundation/base/text.h"
#include "stores/postgres/recorded_fingerprint.h"

namespace lb::cli {

EachItem RelationNames::adder() {
  return [this](const Json::Object& around, const Json& table) -> Status {
    std::string database, oid;
    for (const auto& [key, value] : around) {
      if (key == "name") database = value.string();
      if (key == "oid") oid = cat(value.integer());
    }
    auto file = cat("base/", oid, "/", table["filenode"].integer());
    tables_[file] = cat(database, " ", table["schema"].string(), ".", table["name"].string());
    return {};
  };
}

RelationNames RelationNames::of(repo::SnapshotReader& point) {
  RelationNames out;
  const auto read = pg::read_fingerprint(point, out.adder());
  return read.ok() ? std::move(out) : RelationNames();
}

RelationNames RelationNames::parse(ByteView fingerprint) {
  RelationNames out;
  const auto read = parse_json_items(text_of(fingerprint), "tables", out.adder());
  return read.ok() ? std::move(out) : RelationNames();
}

std::string RelationNames::table_of(const std::string& path) const {
  // "16385", "16385.1", "16385_vm", "16385_vm.1"
  auto name = path.rfind('/') + 1;
  auto end = path.find_first_of("._", name);
  auto found = tables_.find(path.substr(0, end));
  return found == tables_.end() ? std::string() : found->second;
}

std::string RelationNames::file_of(const std::string& table) const {
  for (const auto& [file, name] : tables_) {
    auto in_schema = name.substr(name.find(' ') + 1);
    auto alone = in_schema.substr(in_schema.find('.') + 1);
    if (table == name || table == in_schema || table == alone) return file;
  }
  return {};
}

}  // namespace lb::cli
