// The text of a share: lines "word rest"; those that begin with # are for people. The key stands in
// four lines of 16 digits, each followed by a check over kit, number and line.
#include <array>

#include "foundation/base/text.h"
#include "storage/keys/recovery_kit.h"

namespace lb::keys {

namespace {

constexpr std::size_t lines = 4, line_digits = 16, line_check_digits = 4, id_digits = 32;
constexpr std::size_t page_bytes_max = 64 << 10;

std::string place_of(const KitShare& share) {
  return cat(share.repository, " ", share.kit, " ", int{share.share.number}, " ", share.count, " ",
             share.need);
}

std::string line_check(const KitShare& share, std::size_t line, std::string_view digits) {
  auto bound = cat("lifeboat share line ", line, " ", place_of(share), " ", digits);
  return to_hex(sha256(view_of(bound))).substr(0, line_check_digits);
}

std::string in_fours(std::string_view digits) {
  std::string out;
  for (std::size_t at = 0; at < digits.size(); at += 4) {
    out += cat(at == 0 ? "" : " ", digits.substr(at, 4));
  }
  return out;
}

// Digits as people type them: with blanks anywhere, in either case.
std::string joined_digits(std::string_view typed) {
  std::string out;
  for (char c : lower(typed)) {
    if (c != ' ' && c != '\t' && c != '\r') out += c;
  }
  return out;
}

bool hex_digits(std::string_view text, std::size_t count) {
  return text.size() == count && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string explanation(const KitShare& share, const std::string& place) {
  return cat(
      "# LIFEBOAT RECOVERY KIT: share ", int{share.share.number}, " of ", share.count, "\n#\n",
      "# Any ", share.need, " of these ", share.count,
      " shares together open the backup repository named below when every\n"
      "# passphrase and key file is lost. Fewer say nothing. Print this page, give each share to\n"
      "# another person or place, and remove the file. Whoever has enough shares and the\n"
      "# repository reads everything in it. It was in ",
      printable(place),
      ".\n#\n"
      "# To use it: type or copy the lines below into a file for each share, then\n"
      "#   lifeboat key recover SHARE-FILE... --passphrase ask\n"
      "# which adds a new passphrase. A typing error is found and named by its line.\n\n");
}

// What has been read of a page so far.
struct Draft {
  KitShare share;
  std::array<std::string, lines> digits;
  bool numbers = false;
};

Status take_numbers(std::string_view rest, Draft& draft) {
  auto words = split(rest, ' ');
  bool form = words.size() == 5 && words[1] == "of" && words[3] == "need";
  auto number = parse_uint(form ? words[0] : ""), count = parse_uint(form ? words[2] : "");
  auto need = parse_uint(form ? words[4] : "");
  bool fits = number.ok() && count.ok() && need.ok() && *count <= 255 && *number >= 1 &&
              *number <= *count && *need >= 1 && *need <= *count;
  if (!fits) return Error(ErrorKind::invalid, "line 'share' must read like 'share 2 of 5 need 3'");
  draft.share.share.number = static_cast<std::uint8_t>(*number);
  draft.share.count = static_cast<unsigned>(*count);
  draft.share.need = static_cast<unsigned>(*need);
  draft.numbers = true;
  return {};
}

Status take_id(const std::string& word, std::string_view rest, std::string& id) {
  id = joined_digits(rest);
  if (hex_digits(id, id_digits)) return {};
  return Error(ErrorKind::invalid, cat("line '", word, "' needs 32 hexadecimal digits"));
}

Status take_key_line(const std::string& word, std::string_view rest, Draft& draft) {
  auto digits = joined_digits(rest);
  auto line = static_cast<std::size_t>(word[3] - '1');
  if (!hex_digits(digits, line_digits + line_check_digits))
    return Error(ErrorKind::invalid, cat("line '", word, "' needs 20 hexadecimal digits"));
  draft.digits[line] = digits;
  return {};
}

Status take_line(std::string_view text, Draft& draft) {
  auto line = trim(text);
  if (line.empty() || line[0] == '#') return {};
  auto space = line.find(' ');
  auto word = lower(line.substr(0, space));
  auto rest = space == std::string_view::npos ? std::string_view() : trim(line.substr(space));
  if (word == "repository") return take_id(word, rest, draft.share.repository);
  if (word == "kit") return take_id(word, rest, draft.share.kit);
  if (word == "share") return take_numbers(rest, draft);
  bool key = word.size() == 4 && word.starts_with("key") && word[3] >= '1' && word[3] <= '4';
  if (key) return take_key_line(word, rest, draft);
  return Error(ErrorKind::invalid, cat("line '", printable(word.substr(0, 20)), "' is unknown"));
}

Result<KitShare> finish(Draft& draft) {
  auto& share = draft.share;
  if (share.repository.empty() || share.kit.empty() || !draft.numbers)
    return Error(ErrorKind::invalid, "one of the lines 'repository', 'kit' and 'share' is missing");
  std::string whole;
  for (std::size_t line = 0; line < lines; ++line) {
    const auto& digits = draft.digits[line];
    if (digits.empty())
      return Error(ErrorKind::invalid, cat("line 'key", line + 1, "' is missing"));
    auto key = std::string_view(digits).substr(0, line_digits);
    if (line_check(share, line + 1, key) != digits.substr(line_digits))
      return Error(ErrorKind::invalid,
                   cat("line 'key", line + 1, "' (or one above the key) has a typing error"));
    whole += key;
  }
  auto bytes = LB_TRY(from_hex(whole));
  share.share.value = Secret(ByteView(bytes));
  wipe(bytes);
  return std::move(share);
}

}  // namespace

Secret write_share(const KitShare& share, const std::string& place) {
  auto page = cat(explanation(share, place), "repository ", in_fours(share.repository), "\nkit ",
                  in_fours(share.kit), "\nshare ", int{share.share.number}, " of ", share.count,
                  " need ", share.need, "\n");
  auto hex = to_hex(share.share.value.bytes());
  for (std::size_t line = 0; line < lines; ++line) {
    auto digits = std::string_view(hex).substr(line * line_digits, line_digits);
    page += cat("key", line + 1, " ", in_fours(digits), "  ", line_check(share, line + 1, digits),
                "\n");
  }
  Secret out{std::string_view(page)};
  for (auto* text : {&page, &hex})
    wipe({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
  return out;
}

Result<KitShare> read_share(const Secret& page, const std::string& source) {
  auto read = [&]() -> Result<KitShare> {
    if (page.size() > page_bytes_max) return Error(ErrorKind::invalid, "it is too long");
    Draft draft;
    for (const auto& line : split(page.reveal(), '\n')) LB_TRY(take_line(line, draft));
    return finish(draft);
  };
  auto share = read();
  if (!share.ok()) {
    return std::move(share)
        .take_error()
        .context(cat("share ", source))
        .with_exit(ExitCode::wrong_key);
  }
  share->source = source;
  return share;
}

}  // namespace lb::keys
