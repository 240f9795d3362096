// BisectSearch: which of many positions, oldest first, is to be looked at next to find the newest
// good one before things went bad. Gallops back from the newest in growing steps until one is good,
// then halves what lies between. What could not be decided is neither good nor bad: its neighbours
// are asked instead. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace lb::drill {

enum class Answer { good, bad, undecided };

class BisectSearch {
 public:
  explicit BisectSearch(std::size_t count) : answers_(count) {}

  // nullopt: nothing more can be learned that matters.
  std::optional<std::size_t> next() const;
  void told(std::size_t position, Answer answer) { answers_.at(position) = answer; }
  std::optional<Answer> answer(std::size_t position) const { return answers_.at(position); }

  std::optional<std::size_t> clean() const;  // the newest good one
  // The oldest bad one newer than it; the oldest of all when none is good.
  std::optional<std::size_t> first_bad() const;
  // Between the clean one and the first bad one: those that were not tried, or in vain.
  std::size_t unknown_between() const;
  // A bad one that is older than a good one, the newest of these: the check does not tell a time
  // before from a time after.
  std::optional<std::size_t> bad_before_good() const;

 private:
  std::optional<std::size_t> gallop() const;
  std::optional<std::size_t> untried_in_middle(std::size_t begin, std::size_t end) const;

  std::vector<std::optional<Answer>> answers_;
};

}  // namespace lb::drill
