#include "recovery/archive/agent.h"

#include <atomic>

#include "foundation/base/text.h"
#include "foundation/sys/heap.h"

namespace lb::archive {

namespace {

constexpr unsigned desks = 4;  // clients at once; others wait at the socket
constexpr Micros order_limit = Seconds(5);
constexpr Micros answer_limit = Seconds(10);
constexpr Micros rests_after = Seconds(5);
constexpr Micros look_every = std::chrono::milliseconds(500);

class Agent {
 public:
  Agent(Clock& clock, LocalListener& listener, Desk& desk, const AgentOptions& options)
      : clock_(clock),
        listener_(listener),
        desk_(desk),
        options_(options),
        asked_(clock.steady().count()) {}

  Status run(const std::stop_token& stop) {
    TaskGroup group(stop);
    for (unsigned n = 0; n < desks; ++n)
      group.run([this, &group](const std::stop_token& token) { return attend(group, token); });
    auto ended = group.wait();
    if (!ended.ok() && ended.error().kind() == ErrorKind::cancelled) return {};
    return ended;
  }

 private:
  Status attend(TaskGroup& group, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto client = LB_TRY(listener_.accept(look_every, stop));
      if (client) {
        ++busy_;
        rested_ = false;
        serve(*client, group);
        asked_ = clock_.steady().count();
        --busy_;
      }
      const Micros idle = clock_.steady() - Micros(asked_.load());
      if (busy_ == 0 && idle > rests_after && !rested_.exchange(true)) give_back_pieces();
      if (options_.idle.count() > 0 && busy_ == 0 && idle > options_.idle) group.stop();
    }
    return {};
  }

  // What goes wrong between us and one client is the client's to notice.
  void serve(LocalSocket& client, TaskGroup& group) {
    const auto bytes = client.receive(message_bytes_max, order_limit);
    if (!bytes.ok()) return;
    const auto order = decode_order(*bytes);
    const bool foreign = !order.ok() || order->version != options_.version;
    Answer answer;
    if (foreign || (options_.outdated && options_.outdated())) {
      answer.outcome = Answer::Outcome::closing;
      group.stop();
    } else if (order->plan != options_.plan || order->store != options_.store) {
      answer = answer_of(Error(ErrorKind::conflict, cat("this is the agent of store ",
                                                        options_.store, " of ", options_.plan)));
    } else {
      answer = desk_.serve(*order);
    }
    (void)client.send(encode(answer), answer_limit);
  }

  Clock& clock_;
  LocalListener& listener_;
  Desk& desk_;
  const AgentOptions& options_;
  std::atomic<Micros::rep> asked_;
  std::atomic<int> busy_{0};
  std::atomic<bool> rested_{false};
};

}  // namespace

Status run_agent(Clock& clock, LocalListener& listener, Desk& desk, const AgentOptions& options,
                 std::stop_token stop) {
  return Agent(clock, listener, desk, options).run(stop);
}

Result<Answer> ask_agent(const std::string& path, const Order& order, Micros limit) {
  auto agent = LB_TRY(connect_local(path, std::min<Micros>(limit, Seconds(5))));
  LB_TRY(agent->send(encode(order), order_limit));
  const auto bytes = LB_TRY(agent->receive(message_bytes_max, limit));
  return decode_answer(bytes);
}

// FNV-1a: a name, not a proof; whose agent is meant is said in every order.
std::string agent_name(const std::string& plan_path, const std::string& store) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](std::string_view text) {
    for (const char c : text) {
      hash ^= static_cast<std::uint8_t>(c);
      hash *= 0x100000001b3;
    }
    hash *= 0x100000001b3;
  };
  add(plan_path);
  add(store);
  Buffer bytes;
  ByteWriter(bytes).u64(hash);
  return cat(to_hex(bytes), ".agent");
}

}  // namespace lb::archive
