#include "stores/postgres/log_receiver.h"

#include <algorithm>

#include "foundation/base/text.h"

namespace lb::pg {
namespace {

constexpr std::size_t data_header_bytes = 25;  // 'w', start, server's end, time
constexpr std::size_t keepalive_bytes = 18;    // 'k', server's end, time, reply wanted

std::uint64_t be64(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t n = 0; n < 8; ++n) value = value << 8 | bytes[n];
  return value;
}

}  // namespace

Result<CopyEvent> LogReceiver::step(Micros limit, std::stop_token stop) {
  ByteView message;
  const CopyEvent event = LB_TRY(link_.next_copy(message, limit, std::move(stop)));
  if (event == CopyEvent::data) LB_TRY(take(message));
  return event;
}

Status LogReceiver::take(ByteView message) {
  if (message[0] == 'w' && message.size() >= data_header_bytes) {
    server_end_ = std::max(server_end_, be64(message.subspan(9)));
    return sink_.append(be64(message.subspan(1)), message.subspan(data_header_bytes));
  }
  if (message[0] == 'k' && message.size() >= keepalive_bytes) {
    server_end_ = std::max(server_end_, be64(message.subspan(1)));
    return message[17] != 0 ? report() : Status();
  }
  return Error(ErrorKind::corrupt, cat("unknown message ", int{message[0]}, " in the log stream"));
}

Status LogReceiver::report() {
  const Lsn flushed = sink_.durable() >= keeps_from_ ? sink_.durable() : 0;
  return link_.send_status(sink_.received(), flushed, clock_.now());
}

}  // namespace lb::pg
