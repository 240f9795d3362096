// SlotWatch: looks at a replication slot from time to time over an ordinary connection and says
// what its state means. Private to stores/postgres.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "foundation/sys/clock.h"
#include "stores/postgres/connection.h"

namespace lb::pg {

class SlotWatch {
 public:
  using Trouble = std::function<void(const std::string&)>;
  SlotWatch(Clock& clock, const Secret& conninfo, std::string slot, Trouble on_trouble);

  void look_if_due();                                  // every ten seconds
  void look();                                         // now
  const std::string& state() const { return state_; }  // empty: unknown
  // Commits wait for whoever streams from the slot (synchronous_standby_names names it).
  bool synchronous() const { return synchronous_; }

 private:
  Result<QueryResult> ask();

  Clock& clock_;
  const Secret& conninfo_;
  std::string slot_;
  Trouble on_trouble_;
  std::unique_ptr<Connection> connection_;
  Micros looked_{-1};
  std::string state_;
  bool told_blind_ = false, synchronous_ = false;
};

}  // namespace lb::pg
