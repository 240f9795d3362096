#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "foundation/codec/json_items.h"

namespace lb {

namespace {

constexpr std::size_t depth_max = 100;

// The text as the library reads it, byte by byte: how far it has come, because the library tells
// the place only for its own errors and we have three more (depth, duplicate members, NUL bytes).
class Bytes {
 public:
  explicit Bytes(const NextPiece& next) : next_(next) { fill(); }
  const char& now() const { return piece_[at_]; }
  bool ended() const { return at_ == piece_.size(); }
  void step() {
    ++at_;
    if (ended()) fill();
  }
  std::size_t read() const { return before_ + at_; }
  // Why the text ended early.
  const std::optional<Error>& failure() const { return failure_; }
  std::optional<std::size_t> nul() const { return nul_; }

 private:
  void fill() {
    before_ += piece_.size();
    piece_ = {};
    at_ = 0;
    if (nul_ || failure_) return;
    auto got = next_();
    if (!got.ok()) {
      failure_ = got.error();
      return;
    }
    piece_ = *got;
    // The library takes a NUL for the end and would accept whatever follows it.
    const auto nul = piece_.find('\0');
    if (nul == std::string_view::npos) return;
    nul_ = before_ + nul;
    piece_ = piece_.substr(0, nul);
  }

  const NextPiece& next_;
  std::string_view piece_;
  std::size_t at_ = 0, before_ = 0;
  std::optional<std::size_t> nul_;
  std::optional<Error> failure_;
};

// All copies stand at the same place. Without bytes: the end.
class BytesIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  explicit BytesIterator(Bytes* bytes) : bytes_(bytes) {}
  const char& operator*() const { return bytes_->now(); }
  BytesIterator& operator++() {
    bytes_->step();
    return *this;
  }
  bool operator==(const BytesIterator& other) const { return ended() == other.ended(); }
  bool operator!=(const BytesIterator& other) const { return !(*this == other); }

 private:
  bool ended() const { return bytes_ == nullptr || bytes_->ended(); }

  Bytes* bytes_;
};

// What went wrong, and at which byte.
struct Misread {
  std::size_t at = 0;
  std::string what;
};

Error error_at(std::string_view text, std::size_t offset, std::string_view what) {
  std::size_t line = 1, column = 1;
  for (std::size_t i = 0; i < std::min(offset, text.size()); ++i) {
    ++column;
    if (text[i] != '\n') continue;
    ++line;
    column = 1;
  }
  return Error(ErrorKind::invalid, cat("line ", line, " column ", column, ": ", what));
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." → the end of
// it.
std::string plain_reason(std::string_view what) {
  if (auto end = what.find("] "); what.starts_with("[") && end != std::string_view::npos) {
    what.remove_prefix(end + 2);
  }
  if (auto end = what.find(": ");
      what.starts_with("parse error") && end != std::string_view::npos) {
    what.remove_prefix(end + 2);
  }
  return printable(what);
}

class Builder {
 public:
  // Without `each` every item is kept.
  Builder(const Bytes& bytes, std::string_view member, const EachItem* each)
      : bytes_(bytes), member_(member), each_(each) {}

  Json take() { return std::move(root_); }
  const std::optional<Error>& refused() const { return refused_; }
  const Misread& failure() const { return failure_; }

  // The callbacks of the library; each answers whether to go on.
  bool null() { return add(Json()); }
  bool boolean(bool value) { return add(Json(value)); }
  bool number_integer(std::int64_t value) { return add(Json(value)); }
  bool number_unsigned(std::uint64_t value) { return add(Json(value)); }
  bool number_float(double value, const std::string&) { return add(Json(value)); }
  bool string(std::string& value) { return add(Json(std::move(value))); }
  bool binary(nlohmann::json::binary_t&) { return fail("binary value"); }
  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    auto& frame = frames_.back();
    if (!frame.names.insert(name).second)
      return fail(cat("duplicate member '", printable(name), "'"));
    frame.key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const std::exception& error) {
    failure_ = {position == 0 ? 0 : position - 1, plain_reason(error.what())};
    return false;
  }

 private:
  struct Frame {
    bool is_object = false;
    bool handed_over = false;  // its items are
    Json::Object object;
    Json::Array array;
    std::string key;
    std::set<std::string> names;
  };

  bool fail(std::string why) {
    const std::size_t read = bytes_.read();
    failure_ = {read == 0 ? 0 : read - 1, std::move(why)};
    return false;
  }
  bool open(bool is_object) {
    if (frames_.size() == depth_max) return fail(cat("nested deeper than ", depth_max));
    const bool handed_over = each_ != nullptr && !is_object && !frames_.empty() &&
                             frames_.back().is_object && frames_.back().key == member_;
    auto& frame = frames_.emplace_back();
    frame.is_object = is_object;
    frame.handed_over = handed_over;
    return true;
  }
  bool close() {
    auto frame = std::move(frames_.back());
    frames_.pop_back();
    return add(frame.is_object ? Json(std::move(frame.object)) : Json(std::move(frame.array)));
  }
  bool add(Json value) {
    if (frames_.empty()) {
      root_ = std::move(value);
    } else if (auto& frame = frames_.back(); frame.is_object) {
      frame.object.emplace_back(std::move(frame.key), std::move(value));
    } else if (frame.handed_over) {
      return hand_over(std::move(value));
    } else {
      frame.array.push_back(std::move(value));
    }
    return true;
  }
  bool hand_over(Json item) {
    const Json::Object& around = frames_[frames_.size() - 2].object;
    auto given = (*each_)(around, std::move(item));
    if (!given.ok()) refused_ = given.error();
    return given.ok();
  }

  const Bytes& bytes_;
  const std::string_view member_;
  const EachItem* each_;
  std::optional<Error> refused_;
  Json root_;
  std::vector<Frame> frames_;
  Misread failure_;
};

// `misread` is set when the text is no JSON; other errors are those of `next` and `each`.
Result<Json> parse(const NextPiece& next, std::string_view member, const EachItem* each,
                   std::optional<Misread>& misread) {
  Bytes bytes(next);
  Builder builder(bytes, member, each);
  std::optional<Misread> wrong;
  try {
    const BytesIterator first(&bytes), last(nullptr);
    if (!nlohmann::json::sax_parse(first, last, &builder)) wrong = builder.failure();
  } catch (const std::exception& error) {
    wrong = {bytes.read(), printable(error.what())};
  }
  if (builder.refused()) return *builder.refused();
  if (bytes.failure()) return *bytes.failure();
  if (bytes.nul()) wrong = {*bytes.nul(), "a NUL byte is not JSON"};
  if (!wrong) return builder.take();
  misread = wrong;
  return Error(ErrorKind::invalid, cat("byte ", wrong->at, ": ", wrong->what));
}

Result<Json> parse(std::string_view text, std::string_view member, const EachItem* each) {
  // First of all: items must not be handed over of what cannot be read to its end.
  if (auto nul = text.find('\0'); nul != std::string_view::npos) {
    return error_at(text, nul, "a NUL byte is not JSON");
  }
  const NextPiece whole = [rest = text]() mutable -> Result<std::string_view> {
    return std::exchange(rest, {});
  };
  std::optional<Misread> misread;
  auto json = parse(whole, member, each, misread);
  return misread ? error_at(text, misread->at, misread->what) : json;
}

}  // namespace

Result<Json> parse_json(std::string_view text) { return parse(text, {}, nullptr); }

Result<Json> parse_json_items(std::string_view text, std::string_view member,
                              const EachItem& each) {
  return parse(text, member, &each);
}

Result<Json> parse_json_items(const NextPiece& next, std::string_view member,
                              const EachItem& each) {
  std::optional<Misread> misread;
  return parse(next, member, &each, misread);
}

}  // namespace lb
