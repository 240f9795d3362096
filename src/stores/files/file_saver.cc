#include "stores/files/file_saver.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::files {

namespace {

constexpr std::size_t read_bytes = 1 << 20;
// Below this a file has too few chunks of its own to be hashed side by side.
constexpr std::uint64_t small_bytes_max = 256 << 10;
constexpr std::size_t gathered_bytes_max = 1 << 20;
constexpr std::size_t gathered_files_max = 256;

bool is_small(const FileInfo& info) {
  bool has_holes = info.allocated < info.size;
  return info.size <= small_bytes_max && !has_holes;
}

bool same_state(const FileInfo& a, const FileInfo& b) {
  return a.size == b.size && a.mtime_ns == b.mtime_ns && a.ctime_ns == b.ctime_ns;
}

// Too many open files or no memory is our trouble, not the file's: going on would lose every file.
bool is_ours(const Error& error) { return error.kind() == ErrorKind::exhausted; }

}  // namespace

Attributes attributes_of(const FileInfo& info, const OwnerNames& names) {
  Attributes out;
  out.kind = info.kind;
  out.mode = info.mode;
  out.uid = info.uid;
  out.gid = info.gid;
  out.user = names.user(info.uid);
  out.group = names.group(info.gid);
  out.mtime_ns = info.mtime_ns;
  out.ctime_ns = info.ctime_ns;
  out.inode = info.inode;
  out.device = info.device;
  if (info.kind != FileKind::directory) out.links = std::max<std::uint64_t>(info.links, 1);
  bool is_device = info.kind == FileKind::block || info.kind == FileKind::character;
  if (is_device) out.special = info.special;
  return out;
}

void read_xattrs(SaveContext& context, const std::string& path, const std::string& full,
                 Attributes& out) {
  auto names = context.files.list_xattrs(full);
  if (!names.ok()) {
    context.findings.note(path, cat("extended attributes not saved: ", reason(names.error())));
    return;
  }
  for (auto& name : *names) {
    auto value = context.files.get_xattr(full, name);
    if (value.ok()) {
      out.xattrs.emplace_back(std::move(name), std::move(value).take());
    } else if (value.error().kind() != ErrorKind::not_found) {
      context.findings.note(
          path, cat("extended attribute ", printable(name), " not saved: ", reason(value.error())));
    }
  }
}

FileSaver::FileSaver(SaveContext& context)
    : context_(context), buffer_(read_bytes), small_(gathered_bytes_max) {}

Status FileSaver::flush() {
  LB_TRY(context_.writer.add_whole(gathered_));
  gathered_.clear();
  small_used_ = 0;
  return {};
}

Status FileSaver::save(const FileJob& job) {
  auto tried = attempt(job, false);
  if (tried.ok() && *tried == Outcome::changed) tried = attempt(job, true);
  if (!tried.ok()) return std::move(tried).take_error().context(printable(job.path));
  auto outcome = *tried;
  // Other names of the file walked past must not become links to the one that took this name.
  if (job.first) context_.links.resolve(job.first, outcome == Outcome::saved);
  context_.read_files.fetch_add(1, std::memory_order_relaxed);
  context_.meter.item(job.path);
  return {};
}

Result<FileSaver::Outcome> FileSaver::attempt(const FileJob& job, bool last) {
  auto file = context_.files.open_read(job.full);
  if (!file.ok()) return unread(job, std::move(file).take_error());
  auto before = (*file)->info();
  if (!before.ok()) return unread(job, std::move(before).take_error());
  if (before->kind != FileKind::regular) {
    return unread(job, Error(ErrorKind::invalid, "it is no longer a regular file"));
  }
  std::unique_ptr<repo::ContentStream> stream;  // none: gathered
  std::optional<Error> trouble;
  std::uint64_t size = 0;
  if (is_small(*before)) {
    size = LB_TRY(read_small(**file, before->size, trouble));
  } else {
    stream = LB_TRY(context_.writer.open(key_of(job.path), repo::Cut::content));
    size = LB_TRY(copy(**file, *before, *stream, trouble));
  }
  if (trouble) return unread(job, std::move(*trouble));
  auto after = (*file)->info();
  if (!after.ok()) return unread(job, std::move(after).take_error());
  bool changed = size != before->size || !same_state(*before, *after);
  if (changed && !last) return Outcome::changed;
  auto attributes = attributes_of(*before, context_.names);
  read_xattrs(context_, job.path, job.full, attributes);
  if (stream) {
    LB_TRY(stream->finish(encode(attributes)));
  } else {
    auto content = ByteView(small_).subspan(small_used_, size);
    gathered_.push_back({key_of(job.path), content, encode(attributes)});
    small_used_ += size;
  }
  if (changed) context_.findings.unread(job.path, "changed while it was read; saved as read");
  bool same_file = before->inode == job.info.inode && before->device == job.info.device;
  return same_file ? Outcome::saved : Outcome::another;
}

// A row without content stays for what is there but cannot be read, so that an exact restore does
// not take the file for a foreign one and delete it.
Result<FileSaver::Outcome> FileSaver::unread(const FileJob& job, Error error) {
  if (is_ours(error)) return error;
  if (error.kind() != ErrorKind::not_found) {
    auto attributes = attributes_of(job.info, context_.names);
    attributes.complete = false;
    LB_TRY(context_.writer.add(key_of(job.path), encode(attributes)));
  }
  context_.findings.unread(job.path, error);
  return Outcome::unread;
}

Result<std::uint64_t> FileSaver::read_small(File& file, std::uint64_t size,
                                            std::optional<Error>& trouble) {
  if (context_.stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
  bool full = small_.size() - small_used_ < size || gathered_.size() == gathered_files_max;
  if (full) LB_TRY(flush());
  auto got = file.read_at(MutableBytes(small_).subspan(small_used_, size), 0);
  if (!got.ok()) {
    trouble = std::move(got).take_error();
    return std::uint64_t{0};
  }
  context_.meter.bytes(*got);
  return std::uint64_t{*got};
}

Result<std::uint64_t> FileSaver::copy(File& file, const FileInfo& before,
                                      repo::ContentStream& stream, std::optional<Error>& trouble) {
  std::vector<DataRange> ranges = {{0, before.size}};
  if (before.allocated < before.size) {
    auto found = file.data_ranges();
    if (!found.ok()) {
      trouble = std::move(found).take_error();
      return std::uint64_t{0};
    }
    ranges = std::move(found).take();
  }
  // What was appended after the size was taken is left to the next backup.
  std::uint64_t at = 0;
  for (const auto& range : ranges) {
    if (range.offset >= before.size) break;
    if (range.offset > at) LB_TRY(stream.hole(range.offset - at));
    at = std::max(at, range.offset);
    DataRange kept{range.offset, std::min(range.length, before.size - range.offset)};
    auto whole = LB_TRY(copy_range(file, kept, stream, at, trouble));
    if (!whole) return at;
  }
  if (at < before.size) LB_TRY(stream.hole(before.size - at));
  return before.size;
}

Result<bool> FileSaver::copy_range(File& file, DataRange range, repo::ContentStream& stream,
                                   std::uint64_t& at, std::optional<Error>& trouble) {
  auto end = range.offset + range.length;
  while (at < end) {
    if (context_.stop.stop_requested()) return Error(ErrorKind::cancelled, "stopped");
    auto wanted = std::min<std::uint64_t>(buffer_.size(), end - at);
    auto got = file.read_at(MutableBytes(buffer_).first(wanted), at);
    if (!got.ok()) {
      trouble = std::move(got).take_error();
      return false;
    }
    auto bytes = ByteView(buffer_).first(*got);
    LB_TRY(at + *got == end ? stream.write_last(bytes) : stream.write(bytes));
    context_.meter.bytes(*got);
    at += *got;
    if (*got < wanted) return false;  // it became shorter
  }
  return true;
}

}  // namespace lb::files
