#include "recovery/drill/bisect_search.h"

#include <algorithm>

namespace lb::drill {

std::optional<std::size_t> BisectSearch::clean() const {
  for (auto i = answers_.size(); i > 0; --i) {
    if (answers_[i - 1] == Answer::good) return i - 1;
  }
  return std::nullopt;
}

std::optional<std::size_t> BisectSearch::first_bad() const {
  auto good = clean();
  for (auto i = good ? *good + 1 : 0; i < answers_.size(); ++i) {
    if (answers_[i] == Answer::bad) return i;
  }
  return std::nullopt;
}

std::size_t BisectSearch::unknown_between() const {
  auto good = clean();
  if (!good) return 0;
  // All between are neither: the first bad one is the oldest behind it.
  return first_bad().value_or(answers_.size()) - *good - 1;
}

std::optional<std::size_t> BisectSearch::bad_before_good() const {
  for (auto i = clean().value_or(0); i > 0; --i) {
    if (answers_[i - 1] == Answer::bad) return i - 1;
  }
  return std::nullopt;
}

std::optional<std::size_t> BisectSearch::untried_in_middle(std::size_t begin,
                                                           std::size_t end) const {
  std::optional<std::size_t> best;
  auto middle = begin + (end - begin) / 2;
  auto distance = [&](std::size_t i) { return i < middle ? middle - i : i - middle; };
  for (auto i = begin; i < end; ++i) {
    if (!answers_[i] && (!best || distance(i) < distance(*best))) best = i;
  }
  return best;
}

// Back from the oldest tried, by a step for each bad one that doubles; one that could not be
// decided costs a single step. When the oldest is reached, what was jumped over and may still be
// good is tried, newest first.
std::optional<std::size_t> BisectSearch::gallop() const {
  auto tried = std::find_if(answers_.begin(), answers_.end(), [](const auto& a) { return !!a; });
  if (tried == answers_.end()) {
    if (answers_.empty()) return std::nullopt;
    return answers_.size() - 1;
  }
  auto oldest = static_cast<std::size_t>(tried - answers_.begin());
  auto bads = std::count(answers_.begin(), answers_.end(), Answer::bad);
  if (oldest > 0) {
    constexpr int doublings_max = 40;
    std::size_t step = 1;
    if (*tried == Answer::bad && bads > 0)
      step = std::size_t{1} << std::min<std::size_t>(static_cast<std::size_t>(bads) - 1,
                                                     doublings_max);
    return oldest > step ? oldest - step : 0;
  }
  for (auto i = first_bad().value_or(answers_.size()); i > 0; --i) {
    if (!answers_[i - 1]) return i - 1;
  }
  return std::nullopt;
}

std::optional<std::size_t> BisectSearch::next() const {
  auto good = clean();
  if (!good) return gallop();
  return untried_in_middle(*good + 1, first_bad().value_or(answers_.size()));
}

}  // namespace lb::drill
