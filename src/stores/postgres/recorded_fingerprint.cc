#include "stores/postgres/recorded_fingerprint.h"

#include "foundation/base/text.h"
#include "stores/postgres/snapshot_details.h"

namespace lb::pg {

Result<std::optional<Json>> read_fingerprint(repo::SnapshotReader& snapshot, const EachItem& each) {
  const std::unique_ptr<repo::AttachmentCursor> cursor =
      LB_TRY(snapshot.open_attachment(attachment_fingerprint));
  if (!cursor) return std::optional<Json>();
  const NextPiece next = [&]() -> Result<std::string_view> {
    const ByteView piece = LB_TRY(cursor->next());
    return text_of(piece);
  };
  Json document = LB_TRY(parse_json_items(next, "tables", each).context("fingerprint"));
  return std::optional<Json>(std::move(document));
}

Result<std::optional<Json>> read_fingerprint(repo::SnapshotReader& snapshot) {
  return read_fingerprint(snapshot, [](const Json::Object&, const Json&) { return Status(); });
}

}  // namespace lb::pg
