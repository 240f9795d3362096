#include "foundation/sys/sandbox_wire.h"

#include <bit>

#include "foundation/base/text.h"

namespace lb {

namespace {

constexpr std::uint64_t items_max = 1 << 20;
constexpr std::uint64_t text_bytes_max = std::uint64_t{1} << 30;

void put_pairs(ByteWriter& out, const std::vector<std::pair<std::string, std::string>>& pairs) {
  out.varint(pairs.size());
  for (const auto& [name, value] : pairs) {
    out.text(name);
    out.text(value);
  }
}

Result<std::uint64_t> get_count(ByteReader& in) {
  auto count = LB_TRY(in.varint());
  if (count > items_max) return Error(ErrorKind::corrupt, "too many items in a message");
  return count;
}

Result<std::vector<std::pair<std::string, std::string>>> get_pairs(ByteReader& in) {
  auto count = LB_TRY(get_count(in));
  std::vector<std::pair<std::string, std::string>> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto name = LB_TRY(in.text(text_bytes_max));
    auto value = LB_TRY(in.text(text_bytes_max));
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

}  // namespace

void put_texts(ByteWriter& out, const std::vector<std::string>& texts) {
  out.varint(texts.size());
  for (const auto& text : texts) out.text(text);
}

Result<std::vector<std::string>> get_texts(ByteReader& in) {
  auto count = LB_TRY(get_count(in));
  std::vector<std::string> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto text = LB_TRY(in.text(text_bytes_max));
    out.push_back(std::move(text));
  }
  return out;
}

void put_spec(ByteWriter& out, const SandboxSpec& spec) {
  out.text(spec.folder);
  put_texts(out, spec.visible);
  put_texts(out, spec.readable);
  out.u32(spec.user.uid);
  out.u32(spec.user.gid);
  out.u64(spec.memory_bytes);
  out.u64(std::bit_cast<std::uint64_t>(spec.cpus));
}

Result<SandboxSpec> get_spec(ByteReader& in) {
  SandboxSpec spec;
  spec.folder = LB_TRY(in.text());
  spec.visible = LB_TRY(get_texts(in));
  spec.readable = LB_TRY(get_texts(in));
  spec.user.uid = LB_TRY(in.u32());
  spec.user.gid = LB_TRY(in.u32());
  spec.memory_bytes = LB_TRY(in.u64());
  auto cpus = LB_TRY(in.u64());
  spec.cpus = std::bit_cast<double>(cpus);
  return spec;
}

void put_command(ByteWriter& out, const Command& command) {
  put_texts(out, command.argv);
  put_pairs(out, command.environment);
  out.text(command.directory);
}

Result<Command> get_command(ByteReader& in) {
  Command command;
  command.argv = LB_TRY(get_texts(in));
  command.environment = LB_TRY(get_pairs(in));
  command.directory = LB_TRY(in.text());
  return command;
}

void put_request(ByteWriter& out, const HttpRequest& request) {
  out.text(request.method);
  out.text(request.url);
  put_pairs(out, request.headers);
  out.text(request.body);
  out.signed_varint(request.limit.count());
  out.varint(request.body_max);
}

Result<HttpRequest> get_request(ByteReader& in) {
  HttpRequest request;
  request.method = LB_TRY(in.text());
  request.url = LB_TRY(in.text());
  request.headers = LB_TRY(get_pairs(in));
  request.body = LB_TRY(in.text(text_bytes_max));
  auto limit = LB_TRY(in.signed_varint());
  request.limit = Micros(limit);
  request.body_max = LB_TRY(in.varint());
  return request;
}

void put_status(ByteWriter& out, const Status& status) {
  out.u8(status.ok() ? 0 : 1);
  if (status.ok()) return;
  out.u8(static_cast<std::uint8_t>(status.error().kind()));
  out.text(status.error().text());
  out.text(status.error().hint());
  out.text(status.error().native());
}

Status get_status(ByteReader& in) {
  auto failed = LB_TRY(in.u8());
  if (failed == 0) return {};
  auto kind = LB_TRY(in.u8());
  if (kind > static_cast<std::uint8_t>(ErrorKind::internal)) {
    return Error(ErrorKind::corrupt, "unknown kind of error in a message");
  }
  auto text = LB_TRY(in.text());
  auto hint = LB_TRY(in.text());
  auto native = LB_TRY(in.text());
  return Error(static_cast<ErrorKind>(kind), std::move(text))
      .with_hint(std::move(hint))
      .with_native(std::move(native));
}

void put_answer(ByteWriter& out, const Result<HttpAnswer>& answer) {
  put_status(out, answer.status());
  if (!answer.ok()) return;
  out.u32(static_cast<std::uint32_t>(answer->status));
  put_pairs(out, answer->headers);
  out.text(answer->body);
  out.signed_varint(answer->took.count());
}

Result<HttpAnswer> get_answer(ByteReader& in) {
  LB_TRY(get_status(in));
  HttpAnswer answer;
  auto code = LB_TRY(in.u32());
  answer.status = static_cast<int>(code);
  answer.headers = LB_TRY(get_pairs(in));
  answer.body = LB_TRY(in.text(text_bytes_max));
  auto took = LB_TRY(in.signed_varint());
  answer.took = Micros(took);
  return answer;
}

void put_blocked(ByteWriter& out, const BlockedAttempts& blocked) {
  out.u64(blocked.count);
  put_texts(out, blocked.destinations);
  out.text(blocked.method);
}

Result<BlockedAttempts> get_blocked(ByteReader& in) {
  BlockedAttempts blocked;
  blocked.count = LB_TRY(in.u64());
  blocked.destinations = LB_TRY(get_texts(in));
  blocked.method = LB_TRY(in.text());
  return blocked;
}

}  // namespace lb
