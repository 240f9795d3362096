#include "storage/index/table.h"

#include <algorithm>
#include <cstring>

#include "foundation/base/text.h"

namespace lb::index {

namespace {

constexpr std::string_view magic = "lifeboat index 2";
constexpr std::size_t pages_at_once = 64;

Error damaged(const std::string& path, std::string_view what) {
  return Error(ErrorKind::corrupt, cat("index cache ", printable(path), ": ", what));
}

Entry entry_at(const Page& page, std::size_t position) {
  Entry out;
  std::memcpy(&out, page.data() + page_head_bytes + position * sizeof out, sizeof out);
  return out;
}

// The position where the id is or would be. Ids are spread evenly over the page's share, so the
// search starts where it should lie.
std::size_t position_in(const Page& page, const Id& id, std::size_t guess) {
  auto count = records_of(page);
  auto at = std::min(guess, count);
  while (at > 0 && entry_at(page, at - 1).id >= id) --at;
  while (at < count && entry_at(page, at).id < id) ++at;
  return at;
}

std::size_t guess_of(const Id& id, std::uint64_t homes, std::size_t count) {
  __extension__ using Wide = unsigned __int128;
  auto share = static_cast<std::uint64_t>(Wide{prefix(id)} * homes);  // of the page, in 2^-64
  return static_cast<std::size_t>(Wide{share} * count >> 64);
}

Pack pack_of(const std::uint8_t* at) {
  Pack out;
  auto name = ByteView(at + 1, std::min<std::size_t>(at[0], pack_name_bytes_max));
  out.name = std::string(text_of(name));
  for (std::size_t i = 0; i < 8; ++i) out.bytes |= std::uint64_t{at[40 + i]} << (8 * i);
  std::copy_n(at + 48, out.sha256.size(), out.sha256.begin());
  return out;
}

}  // namespace

Page encode_shape(const Seal& seal, const TableShape& shape) {
  Page page{};
  Buffer body;
  ByteWriter writer(body);
  writer.text(magic);
  writer.text(seal.owner);
  writer.raw(shape.salt);
  for (auto value : {shape.entries, shape.homes, shape.entry_pages, shape.packs, shape.sources}) {
    writer.u64(value);
  }
  LB_ASSERT(body.size() <= page_bytes - page_head_bytes);
  set_head(page, PageKind::header, 1, false);
  std::copy(body.begin(), body.end(), page.begin() + page_head_bytes);
  seal_header(seal, page);
  return page;
}

Result<TableShape> decode_shape(const Seal& seal, const Page& page) {
  auto bad = Error(ErrorKind::corrupt, "no header of a table");
  if (!header_is_good(seal, page) || !is_kind(page, PageKind::header)) return bad;
  ByteReader in(ByteView(page).subspan(page_head_bytes));
  TableShape out;
  auto kind = LB_TRY(in.text(64));
  auto owner = LB_TRY(in.text(256));
  if (kind != magic || owner != seal.owner) return bad;
  auto salt = LB_TRY(in.raw(out.salt.size()));
  std::copy(salt.begin(), salt.end(), out.salt.begin());
  for (auto* value : {&out.entries, &out.homes, &out.entry_pages, &out.packs, &out.sources}) {
    *value = LB_TRY(in.u64());
  }
  if (out.homes == 0 || out.entry_pages < out.homes || out.packs > packs_max) return bad;
  return out;
}

Table::Table(Files& files, std::unique_ptr<File> file, std::string path, const Seal& seal,
             const TableShape& shape)
    : files_(files),
      file_(std::move(file)),
      path_(std::move(path)),
      seal_(seal, shape.salt),
      shape_(shape) {}

Result<std::shared_ptr<Table>> Table::open(Files& files, const std::string& path,
                                           const SharedSeal& seal, std::uint64_t mapped_from) {
  auto file = LB_TRY(files.open_read(path));
  Page page;
  auto got = LB_TRY(file->read_at(page, 0));
  if (got != page.size()) return damaged(path, "is cut short");
  auto shape = decode_shape(*seal, page);
  if (!shape.ok()) return damaged(path, shape.error().message());
  auto bytes = LB_TRY(file->info()).size;
  std::shared_ptr<Table> out(new Table(files, std::move(file), path, *seal, *shape));
  if (bytes != out->file_bytes()) return damaged(path, "has not the size it should have");
  if (bytes >= mapped_from) out->mapped_ = out->file_->map();
  return out;
}

// One that cannot be removed now is found damaged again.
void Table::discard() const { (void)files_.remove(path_).ok(); }

Status Table::check_page(std::uint64_t number, PageKind kind, const Page& page) const {
  auto limit = kind == PageKind::entries ? entries_per_page
               : kind == PageKind::packs ? packs_per_page
                                         : sources_per_page;
  bool good = is_kind(page, kind) && records_of(page) <= limit && seal_.is_good(number, page);
  return good ? Status() : damaged(path_, cat("page ", number, " is damaged"));
}

Status Table::read_page(std::uint64_t number, PageKind kind, Page& page) const {
  if (mapped_ && (number + 1) * page_bytes <= mapped_->view().size()) {
    std::memcpy(page.data(), mapped_->view().data() + number * page_bytes, page_bytes);
    if (check_page(number, kind, page).ok()) return {};
    // What is wrong with it, the file tells.
  }
  // Somebody may rest on what was read a while ago: a disk that fails once is asked again.
  auto read = file_->read_at(page, number * page_bytes);
  if (!read.ok()) read = file_->read_at(page, number * page_bytes);
  auto got = LB_TRY(std::move(read));
  if (got != page.size()) return damaged(path_, "is cut short");
  return check_page(number, kind, page);
}

Result<std::optional<Place>> Table::find(const Id& id) const {
  Page page;
  auto home = home_of(id, shape_.homes);
  for (auto number = home; number < shape_.entry_pages; ++number) {
    LB_TRY(read_page(first_entry_page() + number, PageKind::entries, page));
    auto count = records_of(page);
    auto at = position_in(page, id, number == home ? guess_of(id, shape_.homes, count) : 0);
    auto entry = at < count ? entry_at(page, at) : Entry{};
    if (at < count && entry.id == id) return std::optional(unpack(entry.place));
    if (at < count || !is_continued(page)) break;
  }
  return std::optional<Place>();
}

Result<Pack> Table::pack(std::uint32_t number) const {
  LB_ASSERT(number < shape_.packs);
  Page page;
  LB_TRY(read_page(1 + number / packs_per_page, PageKind::packs, page));
  auto at = page_head_bytes + number % packs_per_page * pack_record_bytes;
  return pack_of(page.data() + at);
}

Status Table::each_source(const std::function<Status(std::string)>& take) const {
  Page page;
  for (auto number = first_source_page(); number < first_entry_page(); ++number) {
    LB_TRY(read_page(number, PageKind::sources, page));
    for (std::size_t i = 0; i < records_of(page); ++i) {
      const auto* at = page.data() + page_head_bytes + i * source_record_bytes;
      auto size = std::min<std::size_t>(at[0], source_bytes_max);
      LB_TRY(take(std::string(text_of(ByteView(at + 1, size)))));
    }
  }
  return {};
}

TableReader::TableReader(std::shared_ptr<const Table> table) : table_(std::move(table)) {}

Status TableReader::fill(std::uint64_t end) {
  auto count = std::min<std::uint64_t>(pages_at_once, end - next_page_);
  pages_.resize(count);
  page_ = record_ = 0;
  MutableBytes bytes(pages_.data()->data(), count * page_bytes);
  auto got = LB_TRY(table_->file_->read_at(bytes, next_page_ * page_bytes));
  if (got != bytes.size()) return damaged(table_->path_, "is cut short");
  next_page_ += count;
  return {};
}

Result<const std::uint8_t*> TableReader::record(PageKind kind, std::size_t bytes,
                                                std::uint64_t end) {
  for (;;) {
    if (page_ == pages_.size()) {
      if (next_page_ >= end) return static_cast<const std::uint8_t*>(nullptr);
      LB_TRY(fill(end));
    }
    const auto& page = pages_[page_];
    if (record_ == 0) {
      LB_TRY(table_->check_page(next_page_ - pages_.size() + page_, kind, page));
    }
    if (record_ < records_of(page)) return page.data() + page_head_bytes + bytes * record_++;
    ++page_;
    record_ = 0;
  }
}

Result<bool> TableReader::next(Pack& out) {
  if (next_page_ == 0) next_page_ = 1;
  const auto* at = LB_TRY(record(PageKind::packs, pack_record_bytes, table_->first_source_page()));
  if (at != nullptr) out = pack_of(at);
  return at != nullptr;
}

Result<bool> TableReader::next(Entry& out) {
  auto first = table_->first_entry_page();
  if (next_page_ < first) {  // packs that were not asked for are passed over
    pages_.clear();
    page_ = record_ = 0;
    next_page_ = first;
  }
  const auto* at = LB_TRY(record(PageKind::entries, sizeof(Entry), table_->pages()));
  if (at != nullptr) std::memcpy(&out, at, sizeof out);
  return at != nullptr;
}

}  // namespace lb::index
