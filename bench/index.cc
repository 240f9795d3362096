// Measures the index cache with made-up chunks: how fast it is built, opened and asked, and in how
// much memory. Not shipped.
//   bench_index FOLDER [ENTRIES]     FOLDER must not exist; it is removed at the end
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>

#include "foundation/base/text.h"
#include "foundation/sys/clock.h"
#include "foundation/sys/files.h"
#include "storage/index/cache.h"

namespace lb::index {
namespace {

constexpr std::uint64_t chunks_per_pack = 1000;
constexpr std::uint64_t lookups = 1'000'000, parts = 10;

// The output of a keyed hash looks no different.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15u;
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
  value = (value ^ value >> 27) * 0x94D049BB133111EBu;
  return value ^ value >> 31;
}

Id id_of(std::uint64_t number) {
  Id out;
  auto high = mix(number), low = mix(~number);
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    out[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  return out;
}

std::string pack_name(std::uint64_t number) {
  char out[64];
  std::snprintf(out, sizeof out, "p/0000000000000000000000bench/%08llx",
                static_cast<unsigned long long>(number));
  return std::string(out).substr(0, pack_name_bytes_max);
}

// The process' own account: "VmHWM", the most memory it ever held; "RssAnon" its own now, "RssFile"
// what it sees of files.
std::string memory(Files& files, std::string_view what) {
  Buffer bytes(16 << 10);
  auto file = files.open_read("/proc/self/status");
  auto got = file.ok() ? (*file)->read_at(bytes, 0) : Result<std::size_t>(file.error());
  bytes.resize(got.ok() ? *got : 0);
  auto text = std::string(text_of(bytes));
  auto at = text.find(std::string(what) + ":");
  if (at == std::string::npos) return "unknown";
  at += what.size() + 1;
  return text.substr(at, text.find('\n', at) - at);
}

class Stopwatch {
 public:
  explicit Stopwatch(const Clock& clock)
      : clock_(clock), wall_(clock.steady()), cpu_(std::clock()) {}
  double cpu() const { return static_cast<double>(std::clock() - cpu_) / CLOCKS_PER_SEC; }
  double wall() const { return static_cast<double>((clock_.steady() - wall_).count()) / 1e6; }

 private:
  const Clock& clock_;
  const Micros wall_;
  const std::clock_t cpu_;
};

class Bench {
 public:
  Bench(std::string folder, std::uint64_t entries)
      : entries_(entries),
        place_{*files_, std::move(folder),
               std::make_shared<const Seal>(Seal{Hmac(Buffer(32, 1)), "bench"}), *random_} {}

  Status run() {
    LB_TRY(build());
    auto cache = LB_TRY(open());
    for (const char* round : {"first", "again"}) LB_TRY(ask(cache, round, true));
    LB_TRY(ask(cache, "again", false));
    std::printf("memory at most  %s (now %s of its own, %s mapped)\n",
                memory(*files_, "VmHWM").c_str(), memory(*files_, "RssAnon").c_str(),
                memory(*files_, "RssFile").c_str());
    return remove_tree(*files_, place_.folder);
  }

 private:
  Status build() {
    Stopwatch watch(*clock_);
    auto cache = LB_TRY(Cache::open(place_, Timestamp{}));
    NewTable news;
    std::uint32_t pack = 0;
    for (std::uint64_t number = 0; number < entries_; ++number) {
      auto frame = static_cast<std::uint32_t>(number % chunks_per_pack);
      if (frame == 0 && news.full()) LB_TRY(cache.add(std::exchange(news, {})));
      if (frame == 0) {
        pack = news.add_pack({pack_name(number / chunks_per_pack), 32 << 20, {}});
        news.add_source(cat("x/", number / chunks_per_pack / 16));
      }
      news.add(id_of(number), {pack, frame, 8 + frame * 30'000, 30'000, 0, 65536});
    }
    LB_TRY(cache.add(std::move(news)));
    std::set<std::string> listed;
    for (std::uint64_t i = 0; i <= entries_ / chunks_per_pack / 16; ++i)
      listed.insert(cat("x/", i));
    LB_TRY(cache.merge([](const Pack&) { return true; }, listed, {}));
    std::uint64_t bytes = 0;
    for (const auto& table : cache.tables()) bytes += table->file_bytes();
    std::printf(
        "built           %llu entries, %.1f s CPU (%.1f s), %.2f M/s, %zu tables, %.0f MB\n",
        static_cast<unsigned long long>(entries_), watch.cpu(), watch.wall(),
        static_cast<double>(entries_) / watch.cpu() / 1e6, cache.tables().size(),
        static_cast<double>(bytes) / 1e6);
    std::printf("memory at most  %s, to build\n", memory(*files_, "VmHWM").c_str());
    return {};
  }

  Result<Cache> open() {
    Stopwatch watch(*clock_);
    auto cache = LB_TRY(Cache::open(place_, Timestamp{}));
    std::printf("opened          %.2f ms CPU (%.2f ms)\n", watch.cpu() * 1e3, watch.wall() * 1e3);
    return cache;
  }

  // The best tenth shows what others on the machine, who share its caches, leave of the rest.
  Status ask(const Cache& cache, const char* round, bool known) {
    double cpu = 0, wall = 0, best = 1e9;
    for (std::uint64_t part = 0; part < parts; ++part) {
      Stopwatch watch(*clock_);
      LB_TRY(ask(cache, part * lookups / parts, (part + 1) * lookups / parts, known));
      cpu += watch.cpu();
      wall += watch.wall();
      best = std::min(best, watch.cpu());
    }
    std::printf("asked, %s    %.0f ns CPU (%.0f ns; best tenth %.0f ns CPU) for %s chunk\n", round,
                cpu * 1e9 / lookups, wall * 1e9 / lookups, best * 1e9 * parts / lookups,
                known ? "a known" : "an unknown");
    return {};
  }

  Status ask(const Cache& cache, std::uint64_t first, std::uint64_t end, bool known) {
    std::uint64_t found = 0;
    for (std::uint64_t i = first; i < end; ++i) {
      auto id = id_of(mix(i) % entries_ + (known ? 0 : entries_));
      for (const auto& table : cache.tables()) {
        auto place = LB_TRY(table->find(id));
        if (!place) continue;
        ++found;
        break;
      }
    }
    bool right = found == (known ? end - first : 0);
    return right ? Status() : Error(ErrorKind::internal, "a chunk was not found");
  }

  const std::uint64_t entries_;
  const std::unique_ptr<Files> files_ = real_files();
  const std::unique_ptr<Random> random_ = real_random();
  const std::unique_ptr<Clock> clock_ = real_clock();
  const CachePlace place_;
};

}  // namespace
}  // namespace lb::index

int main(int count, char** arguments) {
  if (count < 2) {
    std::printf("usage: bench_index FOLDER [ENTRIES]\n");
    return 2;
  }
  auto entries = count > 2 ? std::stoull(arguments[2]) : 10'000'000;
  auto status = lb::index::Bench(arguments[1], entries).run();
  if (!status.ok()) std::printf("%s\n", status.error().text().c_str());
  return status.ok() ? 0 : 1;
}
