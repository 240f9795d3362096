// Finding: what one check found, before it becomes a CheckResult. Internal to this folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/record/drill_record.h"

namespace lb::check {

// Lines a person can follow up, what is wrong before what is right. Bounded while they are
// collected, so that a million violations cost no memory; the last line says how many were left
// out.
class Evidence {
 public:
  static constexpr std::size_t lines_max = 50;
  static constexpr std::size_t line_bytes_max = 300;

  void problem(std::string line);
  void add(std::string line);
  std::vector<std::string> lines() const;

 private:
  struct Lines {
    std::vector<std::string> kept;
    std::uint64_t count = 0;
    void add(std::string line);
  };
  Lines problems_, others_;
};

// At most `bytes_max` bytes, cut at a UTF-8 boundary and marked with "…".
std::string shortened(std::string text, std::size_t bytes_max);

struct Finding {
  record::CheckState state = record::CheckState::pass;
  std::string expected, got, reason;
  Evidence evidence;
  std::uint64_t examined = 0;
  std::optional<Timestamp> newest;

  // Keeps the worst of several outcomes: fail over error over pass. The first reason of that state
  // stays.
  void fail(std::string why);
  void error(std::string why);
};

}  // namespace lb::check
