#include "stores/files/selection.h"

#include <algorithm>

namespace lb::files {

namespace {

constexpr std::uint8_t format = 1;

void put(ByteWriter& out, const std::vector<std::string>& texts) {
  out.varint(texts.size());
  for (const auto& text : texts) out.text(text);
}

Result<std::vector<std::string>> get(ByteReader& in) {
  std::vector<std::string> out;
  auto count = LB_TRY(in.varint());
  for (std::uint64_t n = 0; n < count; ++n) out.push_back(LB_TRY(in.text()));
  return out;
}

}  // namespace

Result<Selection> Selection::make(std::vector<std::string> include,
                                  std::vector<std::string> exclude) {
  Selection out;
  out.include_ = LB_TRY(Patterns::parse(include).context("include"));
  out.exclude_ = LB_TRY(Patterns::parse(exclude).context("exclude"));
  out.include_texts_ = std::move(include);
  out.exclude_texts_ = std::move(exclude);
  return out;
}

Choice Selection::choose(std::string_view path, bool is_folder, bool parent_included) const {
  if (std::find(skipped.begin(), skipped.end(), path) != skipped.end()) return {};
  if (!exclude_.empty() && exclude_.match(path, is_folder).value_or(false)) return {};
  if (include_.empty()) return {true, is_folder};
  bool included = include_.match(path, is_folder).value_or(parent_included);
  return {included, is_folder && (included || include_.may_match_below(path))};
}

Buffer Selection::encode() const {
  Buffer bytes;
  ByteWriter out(bytes);
  out.u8(format);
  put(out, include_texts_);
  put(out, exclude_texts_);
  put(out, skipped);
  return bytes;
}

Result<Selection> Selection::decode(ByteView bytes) {
  ByteReader in(bytes);
  auto version = LB_TRY(in.u8());
  if (version != format) return Error(ErrorKind::corrupt, "selection: unknown format");
  auto include = LB_TRY(get(in));
  auto exclude = LB_TRY(get(in));
  auto out = LB_TRY(make(std::move(include), std::move(exclude)));
  out.skipped = LB_TRY(get(in));
  if (!in.done()) return Error(ErrorKind::corrupt, "selection: bytes are left over");
  return out;
}

}  // namespace lb::files
