// Postman: puts letters into the outbox and carries them to people. Whoever runs calls
// deliver_due() now and then: the driver of a run, `alert test`, the daemon; several processes may.
//
// At least once: a message whose sender was killed between the answer of the service and its own
// note is sent again, with the same Message-ID or Idempotency-Key. Undelivered is itself an alert:
// the next person is told, each at most once, and the journal says so.
// Thread-safe as far as the world, the journal and the outbox are.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "operations/notify/delivery.h"
#include "operations/notify/letter.h"
#include "operations/notify/routes.h"
#include "storage/state/outbox.h"
#include "stores/seam/references.h"

namespace lb::notify {

struct Posted {
  std::vector<std::string> people;  // for whom it was stored now
  std::size_t known = 0;            // who have it already, or had it before
};

struct Carried {
  std::size_t delivered = 0, failed = 0, undelivered = 0;  // failed: will be tried again
};

class Postman {
 public:
  // All outlive the postman.
  Postman(World& world, const plan::Plan& plan, const References& references,
          state::Journal& journal, state::Outbox& outbox)
      : world_(world), plan_(plan), references_(references), journal_(journal), outbox_(outbox) {}

  // Durable when it returns; nothing is sent yet. `to`: people, teams, "all". invalid when that is
  // nobody.
  Result<Posted> post(Letter letter, const std::vector<std::string>& to);
  // The rows that post() would store, for who puts them with something else.
  Result<std::vector<state::OutboxItem>> items_for(Letter letter,
                                                   const std::vector<std::string>& to) const;
  Status note_posted(const Letter& letter, const std::vector<state::OutboxItem>& stored);

  // Tries what is due now, each channel at most once or twice; returns when nothing is due.
  // `stop`: takes up no other one. `cut`: ends the sending itself, which counts as a failed try;
  // who ends only soon had better let it come to its end.
  Result<Carried> deliver_due(std::stop_token stop, std::stop_token cut);
  Result<Carried> deliver_due(std::stop_token stop) { return deliver_due(stop, stop); }
  // Goes on until nothing waits, or for `limit`.
  Result<Carried> drain(Micros limit, std::stop_token stop);

 private:
  Status work(Carried& carried, std::stop_token stop, std::stop_token cut);
  Status carry(state::OutboxItem item, Carried& carried, std::stop_token stop);
  After attempt(const state::OutboxItem& item, const Letter& letter, std::stop_token stop,
                std::string* channel);
  Status finish(state::OutboxItem item, const Letter& letter, const After& after,
                const std::string& channel);
  std::vector<state::OutboxItem> alert_about(const state::OutboxItem& item, const Letter& letter,
                                             const Progress& progress) const;
  state::OutboxItem item_for(const Letter& letter, const std::string& person) const;
  Micros lease() const;

  World& world_;
  const plan::Plan& plan_;
  const References& references_;
  state::Journal& journal_;
  state::Outbox& outbox_;
};

}  // namespace lb::notify
