#include "model/plan/compose.h"

#include <algorithm>
#include <set>

#include "foundation/base/text.h"
#include "model/plan/language.h"
#include "model/plan/scalar_form.h"

namespace lb::plan {

namespace {

constexpr std::size_t files_max = 64;
constexpr std::size_t bytes_max = 10'000'000;

// `path` as seen from the folder of `from`, without "." and inner "..", so that one file has one
// name.
std::string resolve(const std::string& from, const std::string& path) {
  auto slash = from.rfind('/');
  auto whole =
      path.starts_with('/') || slash == std::string::npos ? path : from.substr(0, slash + 1) + path;
  std::vector<std::string> parts;
  for (auto& part : split(whole, '/')) {
    if (part == "." || (part.empty() && !parts.empty())) continue;
    if (part == ".." && !parts.empty() && parts.back() != ".." && !parts.back().empty()) {
      parts.pop_back();
    } else {
      parts.push_back(std::move(part));
    }
  }
  return join(parts, "/");
}

class Composer {
 public:
  Composer(const Loader& loader, MistakeList& mistakes) : loader_(loader), mistakes_(mistakes) {}

  Composed run(const std::string& file_name, const std::string& text) {
    out_.root = read(file_name, text, resolve("", file_name));
    return std::move(out_);
  }

 private:
  YamlNode read(const std::string& shown_name, const std::string& text, const std::string& path) {
    auto source = static_cast<int>(out_.sources.size());
    out_.sources.push_back({shown_name, text});
    bytes_ += text.size();
    stack_.push_back(path);
    seen_.insert(path);
    auto document = parse_yaml(text, source);
    for (auto& fault : document.faults) {
      mistakes_.add(source, fault.line, fault.column, std::move(fault.text),
                    std::move(fault.suggestion));
    }
    if (!document.readable) out_.readable = false;
    if (document.root.is_mapping()) include_all(document.root, path);
    stack_.pop_back();
    return std::move(document.root);
  }

  void include_all(YamlNode& root, const std::string& path) {
    const auto* found = root.find("include");
    if (found == nullptr) return;
    YamlNode asked = *found;  // the root changes below
    if (asked.is_scalar()) return include(root, asked, path);
    for (const auto& item : asked.items) {
      if (item.is_scalar()) include(root, item, path);
    }
  }

  void include(YamlNode& root, const YamlNode& asked, const std::string& path) {
    auto wanted = resolve(path, asked.text);
    if (std::find(stack_.begin(), stack_.end(), wanted) != stack_.end()) {
      mistakes_.add(asked, cat("include: '", shown(asked.text), "' includes itself"),
                    cat("the circle is ", shown(join(stack_, " → ")), " → ", shown(wanted)));
      return;
    }
    if (seen_.contains(wanted)) return;
    if (out_.sources.size() >= files_max) {
      return mistakes_.add(asked, cat("include: more than ", files_max, " files"));
    }
    if (!loader_) return mistakes_.add(asked, "include: no further file can be read here");
    auto text = loader_(wanted);
    if (!text.ok()) return mistakes_.add(asked, text.error(), "include");
    if (bytes_ + text->size() > bytes_max) {
      return mistakes_.add(asked, "include: the files have more than 10 MB together");
    }
    auto part = read(wanted, *text, wanted);
    if (part.is_mapping()) {
      join_into(root, std::move(part));
    } else if (!part.is_null()) {
      mistakes_.add(part, "an included file must be a map of sections");
    }
  }

  void join_into(YamlNode& root, YamlNode part) {
    for (auto& fresh : part.entries) {
      auto& key = fresh.key;
      auto& value = fresh.value;
      if (key.text == "include") continue;
      auto same = std::find_if(root.entries.begin(), root.entries.end(),
                               [&](const auto& entry) { return entry.key.text == key.text; });
      if (same == root.entries.end()) {
        root.entries.push_back({std::move(key), std::move(value)});
      } else if (is_named(key.text) && value.is_mapping() && same->value.is_mapping()) {
        join_names(same->value, std::move(value));
      } else if (key.text != "version") {
        given_twice(key, same->key);
      }
    }
  }

  void join_names(YamlNode& section, YamlNode part) {
    std::map<std::string, const YamlNode*> known;
    for (const auto& entry : section.entries) known.emplace(entry.key.text, &entry.key);
    std::vector<YamlNode::Entry> fresh;
    for (auto& entry : part.entries) {
      auto found = known.find(entry.key.text);
      if (found != known.end()) {
        given_twice(entry.key, *found->second);
      } else {
        fresh.push_back(std::move(entry));
      }
    }
    for (auto& entry : fresh) section.entries.push_back(std::move(entry));
  }

  void given_twice(const YamlNode& key, const YamlNode& first) {
    const auto& file = out_.sources[static_cast<std::size_t>(first.source)].name;
    mistakes_.add(key, cat("'", shown(key.text), "' is given twice"),
                  cat("it is already given in ", file, ":", first.line));
  }

  static bool is_named(const std::string& section) {
    const auto& all = named_sections();
    return std::find(all.begin(), all.end(), section) != all.end();
  }

  const Loader& loader_;
  MistakeList& mistakes_;
  Composed out_;
  std::vector<std::string> stack_;
  std::set<std::string> seen_;
  std::size_t bytes_ = 0;
};

}  // namespace

Composed compose(const std::string& file_name, const std::string& text, const Loader& loader,
                 MistakeList& mistakes) {
  return Composer(loader, mistakes).run(file_name, text);
}

}  // namespace lb::plan
