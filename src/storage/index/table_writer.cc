#include "storage/index/table_writer.h"

#include <algorithm>
#include <cstring>

#include "storage/index/table.h"

namespace lb::index {

namespace {

// Written in whole pieces of this size from the start of the file on, the page cache holds it in
// pieces as large, and finds them in less than half the time it takes to find single pages.
constexpr std::size_t out_bytes = 256 << 10;
static_assert(out_bytes % page_bytes == 0);

}  // namespace

TableWriter::TableWriter(std::unique_ptr<File> file, SharedSeal seal, const Salt& salt,
                         std::uint64_t homes)
    : file_(std::move(file)),
      seal_(std::move(seal)),
      page_seal_(std::make_unique<const PageSeal>(*seal_, salt)) {
  shape_.salt = salt;
  shape_.homes = homes;
  out_.reserve(out_bytes);
  out_.resize(page_bytes);  // the header, which comes last
}

Result<TableWriter> TableWriter::create(Files& files, const std::string& path, SharedSeal seal,
                                        const Salt& salt, std::uint64_t entries_expected) {
  auto file = LB_TRY(files.create(path, 0600));
  auto homes = std::max<std::uint64_t>(1, pages_for(entries_expected, entries_per_page_wanted));
  return TableWriter(std::move(file), std::move(seal), salt, homes);
}

Status TableWriter::write_out() {
  LB_TRY(file_->write_at(out_, written_));
  written_ += out_.size();
  out_.clear();
  return {};
}

Status TableWriter::close_page(bool continued) {
  if (!kind_) return {};
  set_head(page_, *kind_, records_, continued);
  page_seal_->seal(number_, page_);
  out_.insert(out_.end(), page_.begin(), page_.end());
  if (*kind_ == PageKind::entries) ++shape_.entry_pages;
  page_.fill(0);
  kind_.reset();
  records_ = 0;
  ++number_;
  return out_.size() >= out_bytes ? write_out() : Status();
}

Result<MutableBytes> TableWriter::record(PageKind kind, std::size_t bytes, std::size_t per_page) {
  LB_ASSERT(!kind_ || *kind_ <= kind);
  if (kind_ && (*kind_ != kind || records_ == per_page)) LB_TRY(close_page(false));
  kind_ = kind;
  return MutableBytes(page_).subspan(page_head_bytes + bytes * records_++, bytes);
}

Status TableWriter::add_pack(const Pack& pack) {
  LB_ASSERT(pack.name.size() <= pack_name_bytes_max && shape_.sources == 0);
  auto at = LB_TRY(record(PageKind::packs, pack_record_bytes, packs_per_page));
  at[0] = static_cast<std::uint8_t>(pack.name.size());
  std::copy(pack.name.begin(), pack.name.end(), at.begin() + 1);
  for (std::size_t i = 0; i < 8; ++i) at[40 + i] = static_cast<std::uint8_t>(pack.bytes >> (8 * i));
  std::copy(pack.sha256.begin(), pack.sha256.end(), at.begin() + 48);
  ++shape_.packs;
  return {};
}

Status TableWriter::add_source(const std::string& name) {
  LB_ASSERT(name.size() <= source_bytes_max && shape_.entries == 0);
  auto at = LB_TRY(record(PageKind::sources, source_record_bytes, sources_per_page));
  at[0] = static_cast<std::uint8_t>(name.size());
  std::copy(name.begin(), name.end(), at.begin() + 1);
  ++shape_.sources;
  return {};
}

Status TableWriter::next_entry_page(bool continued) {
  LB_TRY(close_page(continued));
  kind_ = PageKind::entries;
  return {};
}

Status TableWriter::add(const Entry& entry) {
  LB_ASSERT(shape_.entries == 0 || last_ < entry.id);
  if (kind_ != PageKind::entries) LB_TRY(next_entry_page(false));
  auto home = home_of(entry.id, shape_.homes);
  while (shape_.entry_pages < home) LB_TRY(next_entry_page(false));
  // A page that is full goes on in the next, which may be the home of later ids.
  if (records_ == entries_per_page) LB_TRY(next_entry_page(true));
  std::memcpy(page_.data() + page_head_bytes + sizeof(Entry) * records_++, &entry, sizeof entry);
  last_ = entry.id;
  ++shape_.entries;
  return {};
}

Status TableWriter::finish() {
  if (kind_ != PageKind::entries) LB_TRY(next_entry_page(false));
  while (shape_.entry_pages + 1 < shape_.homes) LB_TRY(next_entry_page(false));
  LB_TRY(close_page(false));
  LB_TRY(write_out());
  auto header = encode_shape(*seal_, shape_);
  LB_TRY(file_->write_at(header, 0));
  return file_->close();
}

}  // namespace lb::index
