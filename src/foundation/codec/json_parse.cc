#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "foundation/base/text.h"
#include "foundation/codec/json.h"
#include "foundation/codec/json_items.h"

namespace lb {

namespace {

constexpr std::size_t depth_max = 100;

// Hands the text to the library byte by byte and remembers how far it has read, because the library
// tells the place only for its own errors and we have two more (depth, duplicate members).
class CountingIterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char* start, std::size_t* read)
      : at_(at), start_(start), read_(read) {}
  const char& operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    *read_ = static_cast<std::size_t>(at_ - start_);
    return *this;
  }
  CountingIterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char* start_;
  std::size_t* read_;
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
  Builder(const std::size_t* read, std::string_view member, const EachItem* each)
      : read_(read), member_(member), each_(each) {}

  Json take() { return std::move(root_); }
  const std::optional<Error>& refused() const { return refused_; }
  const std::string& failure() const { return failure_; }
  std::size_t failed_at() const { return failed_at_; }

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
    failure_ = plain_reason(error.what());
    failed_at_ = position == 0 ? 0 : position - 1;
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
    failure_ = std::move(why);
    failed_at_ = *read_ == 0 ? 0 : *read_ - 1;
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

  const std::size_t* read_;
  const std::string_view member_;
  const EachItem* each_;
  std::optional<Error> refused_;
  Json root_;
  std::vector<Frame> frames_;
  std::string failure_;
  std::size_t failed_at_ = 0;
};

Result<Json> parse(std::string_view text, std::string_view member, const EachItem* each) {
  // The library takes a NUL for the end and would accept whatever follows it.
  if (auto nul = text.find('\0'); nul != std::string_view::npos) {
    return error_at(text, nul, "a NUL byte is not JSON");
  }
  std::size_t read = 0;
  Builder builder(&read, member, each);
  try {
    CountingIterator first(text.data(), text.data(), &read);
    CountingIterator last(text.data() + text.size(), text.data(), &read);
    if (nlohmann::json::sax_parse(first, last, &builder)) return builder.take();
  } catch (const std::exception& error) {
    return error_at(text, read, printable(error.what()));
  }
  if (builder.refused()) return *builder.refused();
  return error_at(text, builder.failed_at(), builder.failure());
}

}  // namespace

Result<Json> parse_json(std::string_view text) { return parse(text, {}, nullptr); }

Result<Json> parse_json_items(std::string_view text, std::string_view member,
                              const EachItem& each) {
  return parse(text, member, &each);
}

}  // namespace lb
