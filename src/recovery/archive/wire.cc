#include "recovery/archive/wire.h"

#include <utility>

namespace lb::archive {

namespace {

constexpr std::uint64_t text_bytes_max = 64 << 10;
constexpr std::uint64_t notices_max = 100;

void put(ByteWriter& out, const FileSeen& seen) {
  out.u64(seen.device);
  out.u64(seen.inode);
}

Result<FileSeen> get_seen(ByteReader& in) {
  FileSeen seen;
  seen.device = LB_TRY(in.u64());
  seen.inode = LB_TRY(in.u64());
  return seen;
}

}  // namespace

Buffer encode(const Order& order) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.text(order.version);
  out.text(order.plan);
  out.text(order.store);
  out.u8(static_cast<std::uint8_t>(order.act));
  out.text(order.name);
  out.text(order.path);
  out.text(order.data_folder);
  put(out, order.file);
  put(out, order.folder);
  return bytes;
}

Result<Order> decode_order(ByteView bytes) {
  ByteReader in(bytes);
  Order order;
  order.version = LB_TRY(in.text(text_bytes_max));
  order.plan = LB_TRY(in.text(text_bytes_max));
  order.store = LB_TRY(in.text(text_bytes_max));
  const auto act = LB_TRY(in.u8());
  if (act > static_cast<std::uint8_t>(Order::Act::look))
    return Error(ErrorKind::corrupt, "unknown order to the agent");
  order.act = static_cast<Order::Act>(act);
  order.name = LB_TRY(in.text(text_bytes_max));
  order.path = LB_TRY(in.text(text_bytes_max));
  order.data_folder = LB_TRY(in.text(text_bytes_max));
  order.file = LB_TRY(get_seen(in));
  order.folder = LB_TRY(get_seen(in));
  return order;
}

Buffer encode(const Answer& answer) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(answer.outcome));
  out.varint(static_cast<std::uint64_t>(answer.code));
  out.text(answer.message);
  out.text(answer.hint);
  out.varint(answer.notices.size());
  for (const auto& notice : answer.notices) out.text(notice);
  out.text(answer.details);
  return bytes;
}

Result<Answer> decode_answer(ByteView bytes) {
  ByteReader in(bytes);
  Answer answer;
  const auto outcome = LB_TRY(in.u8());
  if (outcome > static_cast<std::uint8_t>(Answer::Outcome::closing))
    return Error(ErrorKind::corrupt, "unknown answer of the agent");
  answer.outcome = static_cast<Answer::Outcome>(outcome);
  const auto code = LB_TRY(in.varint());
  if (code > 255) return Error(ErrorKind::corrupt, "impossible exit code of the agent");
  answer.code = static_cast<ExitCode>(code);
  answer.message = LB_TRY(in.text(text_bytes_max));
  answer.hint = LB_TRY(in.text(text_bytes_max));
  const auto notices = LB_TRY(in.varint());
  if (notices > notices_max) return Error(ErrorKind::corrupt, "too many notices of the agent");
  for (std::uint64_t i = 0; i < notices; ++i) {
    auto notice = LB_TRY(in.text(text_bytes_max));
    answer.notices.push_back(std::move(notice));
  }
  answer.details = LB_TRY(in.text(message_bytes_max));
  return answer;
}

Answer answer_of(const Error& error) {
  Answer answer;
  answer.outcome = Answer::Outcome::failed;
  answer.code = error.exit_code();
  answer.message = error.text();
  answer.hint = error.hint();
  return answer;
}

}  // namespace lb::archive
