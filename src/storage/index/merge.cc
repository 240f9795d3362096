#include "storage/index/merge.h"

#include <algorithm>

namespace lb::index {

namespace {

constexpr std::uint32_t dropped = 0xFFFFFFFF;
constexpr std::uint64_t entries_between_looks = 1 << 16;
using PackNumbers = std::vector<std::uint32_t>;  // input's number -> output's, or dropped

// Puts the packs that are kept, by name, and says for each input what became of its numbers.
Result<std::vector<PackNumbers>> merge_packs(const Tables& tables, const PackFilter& keep,
                                             TableWriter& out) {
  struct Input {
    TableReader reader;
    Pack head;
    bool more = false;
  };
  std::vector<PackNumbers> numbers(tables.size());
  std::vector<Input> inputs;
  for (const auto& table : tables) inputs.push_back({TableReader(table), {}, false});
  for (auto& input : inputs) input.more = LB_TRY(input.reader.next(input.head));
  std::uint32_t count = 0;
  for (;;) {
    const Pack* first = nullptr;
    for (const auto& input : inputs) {
      if (input.more && (first == nullptr || input.head.name < first->name)) first = &input.head;
    }
    if (first == nullptr) return numbers;
    auto pack = *first;
    // Two that speak of one pack in different ways cannot both be right; what `keep` wants is.
    bool kept = false;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      auto& input = inputs[i];
      if (!input.more || input.head.name != pack.name) continue;
      bool wanted = keep(input.head);
      if (wanted && !kept) LB_TRY(out.add_pack(input.head));
      kept = kept || wanted;
      numbers[i].push_back(wanted ? count : dropped);
      input.more = LB_TRY(input.reader.next(input.head));
    }
    count += kept ? 1 : 0;
  }
}

// The entries of several tables by rising id; of equal ids, those of earlier tables first.
class EntryMerge {
  struct Input {
    TableReader reader;
    Entry head;
  };
  struct Later {
    const std::vector<Input>& inputs;
    bool operator()(std::uint32_t a, std::uint32_t b) const {
      const auto& x = inputs[a].head.id;
      const auto& y = inputs[b].head.id;
      return x != y ? x > y : a > b;
    }
  };

 public:
  explicit EntryMerge(const Tables& tables) {
    for (const auto& table : tables) inputs_.push_back({TableReader(table), {}});
  }

  Status start() {
    for (std::uint32_t i = 0; i < inputs_.size(); ++i) {
      if (LB_TRY(inputs_[i].reader.next(inputs_[i].head))) order_.push_back(i);
    }
    std::make_heap(order_.begin(), order_.end(), Later{inputs_});
    return {};
  }
  bool done() const { return order_.empty(); }
  std::uint32_t input() const { return order_.front(); }
  const Entry& head() const { return inputs_[order_.front()].head; }
  Status advance() {
    std::pop_heap(order_.begin(), order_.end(), Later{inputs_});
    auto& input = inputs_[order_.back()];
    bool more = LB_TRY(input.reader.next(input.head));
    if (!more) {
      order_.pop_back();
    } else {
      std::push_heap(order_.begin(), order_.end(), Later{inputs_});
    }
    return {};
  }

 private:
  std::vector<Input> inputs_;
  std::vector<std::uint32_t> order_;  // a heap of those that are not at their end
};

// `numbers` empty: packs keep theirs.
Status merge_entries(const Tables& tables, const std::vector<PackNumbers>& numbers,
                     TableWriter& out, const std::stop_token& stop) {
  EntryMerge merge(tables);
  LB_TRY(merge.start());
  std::optional<Id> last;
  for (std::uint64_t count = 0; !merge.done(); ++count) {
    if (count % entries_between_looks == 0 && stop.stop_requested()) {
      return Error(ErrorKind::cancelled, "stopped");
    }
    auto entry = merge.head();
    auto input = merge.input();
    LB_TRY(merge.advance());
    if (last && *last == entry.id) continue;
    if (!numbers.empty()) {
      auto place = unpack(entry.place);
      if (place.pack >= numbers[input].size()) return Error(ErrorKind::corrupt, "no such pack");
      place.pack = numbers[input][place.pack];
      if (place.pack == dropped) continue;
      entry.place = pack(place);
    }
    last = entry.id;
    LB_TRY(out.add(entry));
  }
  return {};
}

}  // namespace

Status merge_tables(const Tables& tables, const PackFilter& keep,
                    const std::set<std::string>& sources, TableWriter& out,
                    const std::stop_token& stop) {
  auto numbers = LB_TRY(merge_packs(tables, keep, out));
  for (const auto& source : sources) LB_TRY(out.add_source(source));
  LB_TRY(merge_entries(tables, numbers, out, stop));
  return out.finish();
}

Status merge_runs(const Tables& tables, TableWriter& out, const std::stop_token& stop) {
  LB_TRY(merge_entries(tables, {}, out, stop));
  return out.finish();
}

}  // namespace lb::index
