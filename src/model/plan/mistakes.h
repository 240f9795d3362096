// MistakeList: collects what is wrong in a plan, from every pass, and turns it into the Mistakes of
// reader.h, in file order, with the offending line. Secrets never get into a line that is shown.
#pragma once

#include <string>
#include <vector>

#include "foundation/codec/yaml.h"
#include "model/plan/reader.h"

namespace lb::plan {

struct SourceFile {
  std::string name, text;
};

class MistakeList {
 public:
  void add(const YamlNode& at, std::string text, std::string suggestion = {});
  void add(int source, std::size_t line, std::size_t column, std::string text,
           std::string suggestion);
  void add(const YamlNode& at, const Error& error, const std::string& label = {});
  // A literal at this place is a secret: whatever else is wrong in its line, the rest is not shown.
  void hide(const YamlNode& secret);
  std::vector<Mistake> take(const std::vector<SourceFile>& sources);

 private:
  struct Found {
    int source;
    std::size_t line, column;
    std::string text, suggestion;
  };
  std::string without_secrets(std::string_view line, const Found& found) const;

  std::vector<Found> found_;
  std::vector<Found> hidden_;  // places only
  std::size_t dropped_ = 0;
};

}  // namespace lb::plan
