#include "storage/blob/s3_blob_store.h"

#include <algorithm>

#include "foundation/base/text.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/md5.h"
#include "storage/blob/blob_key.h"
#include "storage/blob/s3_listing.h"

namespace lb {

namespace {

constexpr std::uint64_t object_bytes_max = 1ull << 32;
// Names the put that made an object, so that a put whose answer was lost is known again.
constexpr const char* mark_header = "x-amz-meta-lifeboat-put";

Error missing(const std::string& key, const std::string& where) {
  return Error(ErrorKind::not_found, cat("object ", key, " is not in ", where));
}

Error too_short(const std::string& key) {
  return Error(ErrorKind::corrupt, cat("object ", key, " is shorter than it must be"));
}

Error taken(const std::string& key) {
  return Error(ErrorKind::conflict, cat("object ", key, " exists already"));
}

// Whether an answer holds the last `size` bytes of an object ("bytes 5-9/10"), or all of a small
// one.
bool is_end(const S3Answer& answer, std::uint64_t size) {
  auto got = answer.body.size();
  if (answer.status == 200) return got <= size;
  auto where = answer.header("content-range");
  auto slash = where.rfind('/');
  auto total = parse_uint(slash == std::string::npos ? "" : where.substr(slash + 1));
  return answer.status == 206 && total.ok() && got == std::min(size, *total) &&
         where.starts_with(cat("bytes ", *total - got, "-"));
}

// A bucket that is missing is another matter than an object that is.
bool is_missing(const S3Answer& answer) {
  return answer.status == 404 && answer.code != "NoSuchBucket";
}

}  // namespace

S3BlobStore::S3BlobStore(Http& http, Clock& clock, Random& random, S3Settings settings)
    : clock_(clock), random_(random), client_(http, clock, random, std::move(settings)) {}

Status S3BlobStore::put(const std::string& key, ByteView bytes) {
  LB_TRY(check_blob_key(key));
  const auto& immutable = client_.settings().immutable;
  // What a self-test puts is to be removed again at once.
  bool locked = immutable && !key.starts_with("probe/");
  return put_once(key, bytes, locked ? lock_headers(client_.now() + *immutable) : NamedTexts());
}

Status S3BlobStore::put_once(const std::string& key, ByteView bytes, const NamedTexts& lock) {
  auto mark = to_hex(random_.bytes(16));
  NamedTexts headers = {{"if-none-match", "*"}, {mark_header, mark}};
  headers.insert(headers.end(), lock.begin(), lock.end());
  // Services want proof of the bytes with a lock, and not all of them take the SHA-256 for it.
  if (!lock.empty()) {
    auto proof = LB_TRY(md5(bytes));
    headers.emplace_back("content-md5", to_base64(proof));
  }
  auto answer =
      LB_TRY(client_.call({.method = "PUT", .key = key, .headers = headers, .body = bytes}));
  if (answer.good()) return {};
  if (!lock.empty() && answer.status == 400 && answer.code == "InvalidRequest") {
    return Error(ErrorKind::unsupported,
                 cat(describe(), ": the bucket was made without object lock"))
        .with_hint("make a bucket with object lock, or leave immutable: out");
  }
  if (answer.status != 412) {
    auto error = refused(answer, cat("put ", key));
    if (answer.status != 501) return error;
    return std::move(error).with_hint(
        "this service cannot create an object only if it is absent (If-None-Match: *), without "
        "which two hosts could overwrite each other's backups: use another service");
  }
  // An earlier try may have made it, its answer lost on the way (also below us, when a kept
  // connection broke): then the object carries our mark.
  auto ours = LB_TRY(is_ours(key, bytes.size(), mark));
  return ours ? Status() : Status(taken(key));
}

Result<bool> S3BlobStore::is_ours(const std::string& key, std::size_t size,
                                  const std::string& mark) {
  auto answer = LB_TRY(client_.call({.method = "HEAD", .key = key}));
  if (is_missing(answer)) return false;
  // Who may write and not read cannot tell; then it counts as another's.
  if (answer.status == 403) return false;
  if (!answer.good()) return refused(answer, cat("look at ", key));
  auto length = parse_uint(answer.header("content-length"));
  return answer.header(mark_header) == mark && length.ok() && *length == size;
}

Result<Buffer> S3BlobStore::get(const std::string& key) {
  LB_TRY(check_blob_key(key));
  auto answer = LB_TRY(client_.call({.method = "GET", .key = key, .body_max = object_bytes_max}));
  if (is_missing(answer)) return missing(key, describe());
  if (answer.status != 200) return refused(answer, cat("get ", key));
  return std::move(answer.body);
}

Result<Buffer> S3BlobStore::get_range(const std::string& key, std::uint64_t offset,
                                      std::uint64_t size) {
  auto answer = LB_TRY(get_part(key, offset, size, {}));
  return std::move(answer.body);
}

Status S3BlobStore::get_range_into(const std::string& key, std::uint64_t offset, MutableBytes out) {
  auto answer = LB_TRY(get_part(key, offset, out.size(), out));
  if (answer.in_room == 0) std::copy(answer.body.begin(), answer.body.end(), out.begin());
  return {};
}

// All of the part, in the body or in `room`.
Result<S3Answer> S3BlobStore::get_part(const std::string& key, std::uint64_t offset,
                                       std::uint64_t size, MutableBytes room) {
  LB_TRY(check_blob_key(key));
  if (size == 0 || offset > ~0ull - size) {
    // No range says "nothing": only the size of the object decides.
    auto there = LB_TRY(info(key));
    if (offset > there.size || size > there.size - offset) return too_short(key);
    return S3Answer();
  }
  auto range = cat("bytes=", offset, "-", offset + size - 1);
  auto answer = LB_TRY(client_.call({.method = "GET",
                                     .key = key,
                                     .headers = {{"range", range}},
                                     .body_max = size,
                                     .room = room}));
  if (is_missing(answer)) return missing(key, describe());
  if (answer.status == 416) return too_short(key);
  bool whole = answer.body.size() + answer.in_room == size;
  if (answer.status == 200 && offset == 0 && whole) return answer;  // the range was the whole
  if (answer.status == 200) {
    return Error(ErrorKind::unsupported,
                 cat(describe(), " gives whole objects when a part is asked for"));
  }
  if (answer.status != 206) return refused(answer, cat("get a part of ", key));
  auto where = answer.header("content-range");
  if (!where.empty() && !where.starts_with(cat("bytes ", offset, "-"))) {
    return Error(ErrorKind::corrupt, cat("object ", key, ": another part came than was asked for"));
  }
  if (!whole) return too_short(key);
  return answer;
}

Result<Buffer> S3BlobStore::get_tail(const std::string& key, std::uint64_t size) {
  LB_TRY(check_blob_key(key));
  if (size == 0) return BlobStore::get_tail(key, size);
  auto answer = client_.call({.method = "GET",
                              .key = key,
                              .headers = {{"range", cat("bytes=-", size)}},
                              .body_max = size});
  if (answer.ok() && is_missing(*answer)) return missing(key, describe());
  if (answer.ok() && is_end(*answer, size)) return std::move(answer->body);
  bool too_much = !answer.ok() && answer.error().kind() == ErrorKind::invalid;
  if (!answer.ok() && !too_much) return std::move(answer).take_error();
  // A service that knows no ranges from the end: the size first, then the range.
  return BlobStore::get_tail(key, size);
}

Result<S3Answer> S3BlobStore::head(const std::string& key, const std::string& what) {
  LB_TRY(check_blob_key(key));
  auto answer = LB_TRY(client_.call({.method = "HEAD", .key = key}));
  // A HEAD has no words: a missing bucket looks like a missing object, and is met by list().
  if (answer.status == 404) return missing(key, describe());
  if (!answer.good()) return refused(answer, cat(what, " ", key));
  return answer;
}

Result<BlobInfo> S3BlobStore::info(const std::string& key) {
  auto answer = LB_TRY(head(key, "look at"));
  auto length = parse_uint(answer.header("content-length"));
  if (!length.ok()) return Error(ErrorKind::corrupt, cat("object ", key, " came without a size"));
  return BlobInfo{key, *length};
}

Result<bool> S3BlobStore::list_page(const std::string& prefix, NamedTexts& query,
                                    std::vector<BlobInfo>& out) {
  constexpr std::uint64_t page_bytes_max = 8 << 20;  // 1000 keys of the longest, with room
  auto answer = LB_TRY(client_.call({.method = "GET", .query = query, .body_max = page_bytes_max}));
  if (answer.status != 200) return refused(answer, "list");
  auto page = LB_TRY(read_listing(text_of(answer.body)).context(cat("list ", describe())));
  auto base = client_.settings().prefix.empty() ? "" : cat(client_.settings().prefix, "/");
  for (const auto& [key, size, modified] : page.objects) {
    if (!key.starts_with(cat(base, prefix))) {
      return Error(ErrorKind::corrupt, cat("list ", describe(), ": a key that was not asked for"));
    }
    auto name = key.substr(base.size());
    if (!out.empty() && name <= out.back().key) {
      return Error(ErrorKind::corrupt, cat("list ", describe(), ": the keys are not in order"));
    }
    if (!check_blob_key(name).ok()) continue;  // somebody else's: no key of ours looks so
    out.push_back({std::move(name), size, modified});
  }
  if (!page.more) return false;
  if (page.objects.empty() && page.token.empty()) {
    return Error(ErrorKind::corrupt, cat("list ", describe(), ": a page that leads nowhere"));
  }
  auto next = page.token.empty()
                  ? std::pair<std::string, std::string>("start-after", page.last)
                  : std::pair<std::string, std::string>("continuation-token", page.token);
  if (query.back() == next) {
    return Error(ErrorKind::corrupt, cat("list ", describe(), ": the same page again"));
  }
  query.back() = std::move(next);
  return true;
}

Result<std::vector<BlobInfo>> S3BlobStore::list(const std::string& prefix,
                                                const std::string& after) {
  const auto& own = client_.settings().prefix;
  auto base = own.empty() ? std::string() : cat(own, "/");
  NamedTexts query = {{"list-type", "2"}, {"prefix", base + prefix}};
  query.emplace_back("start-after", after.empty() ? std::string() : base + after);
  std::vector<BlobInfo> out;
  for (bool more = true; more;) more = LB_TRY(list_page(prefix, query, out));
  return out;
}

Status S3BlobStore::remove(const std::string& key) {
  if (client_.settings().immutable) {
    // Without the version a locked object would only be hidden, and its space never freed.
    auto there = head(key, "look at");
    if (!there.ok() && there.error().kind() == ErrorKind::not_found) return {};
    if (!there.ok()) return there.status();
    auto until = LB_TRY(lock_now(key, *there, Micros(0)));
    if (until) {
      return Error(ErrorKind::denied,
                   cat("object ", key, " is locked until ", format_time_seconds(*until)));
    }
    return remove_version(key, there->header("x-amz-version-id"));
  }
  LB_TRY(check_blob_key(key));
  return remove_version(key, {});
}

Status S3BlobStore::remove_version(const std::string& key, const std::string& version) {
  NamedTexts query;
  if (!version.empty()) query.emplace_back("versionId", version);
  auto answer = LB_TRY(client_.call({.method = "DELETE", .key = key, .query = query}));
  if (answer.good() || is_missing(answer)) return {};
  return refused(answer, cat("remove ", key));
}

Result<S3Address> parse_s3_address(std::string_view text) {
  Error bad(ErrorKind::invalid, cat("'", printable(text), "' is not s3://bucket/prefix"));
  if (!text.starts_with("s3://")) return bad;
  text.remove_prefix(5);
  auto slash = std::min(text.find('/'), text.size());
  S3Address out{std::string(text.substr(0, slash)), {}};
  auto prefix = text.substr(slash);
  while (prefix.starts_with('/')) prefix.remove_prefix(1);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  out.prefix = prefix;
  bool good = out.bucket.size() >= 3 && out.bucket.size() <= 63 && out.prefix.size() <= 100;
  for (char c : out.bucket) {
    good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                    c == '_' || (c >= 'A' && c <= 'Z'));
  }
  for (const auto& part : split(out.prefix, '/')) {
    good = good && part != "." && part != ".." && (!part.empty() || out.prefix.empty());
  }
  for (char c : out.prefix) good = good && static_cast<unsigned char>(c) >= ' ' && c != '\x7f';
  good = good && valid_utf8(out.prefix);
  if (!good) return bad;
  return out;
}

Result<std::string> parse_s3_endpoint(std::string_view text) {
  Error bad(ErrorKind::invalid, cat("'", printable(text), "' is not the address of an S3 service"));
  std::string out(text);
  if (out.find("://") == std::string::npos) out = cat("https://", out);
  while (out.ends_with('/')) out.pop_back();
  auto scheme_end = out.find("://");
  auto scheme = lower(out.substr(0, scheme_end));
  auto host = out.substr(scheme_end + 3);
  bool good = (scheme == "https" || scheme == "http") && !host.empty() &&
              host.find_first_of("/?#@ \t\r\n\\%") == std::string::npos;
  if (!good) return std::move(bad).with_hint("write https://host or https://host:port, no path");
  return cat(scheme, "://", lower(host));
}

}  // namespace lb
