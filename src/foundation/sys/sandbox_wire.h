// What Lifeboat, the supervisor of a sandbox and the first process inside say to each other:
// messages over Unix sockets, with descriptors. The bytes travel in a memory file, so that no
// message is too large for the socket and no sender blocks on a slow reader. Private to
// foundation/sys.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/sys/descriptor.h"
#include "foundation/sys/http.h"
#include "foundation/sys/process.h"
#include "foundation/sys/sandbox.h"

namespace lb {

struct Message {
  Buffer bytes;
  std::vector<Descriptor> descriptors;
  int sender = 0;  // process id of the sender as seen here; needs credentials switched on
};

struct SocketPair {
  Descriptor ours, theirs;
};

// Request codes, first byte of a message.
enum class ToSupervisor : std::uint8_t { set_up, blocked, http, stop };
enum class ToInit : std::uint8_t { start, signal };

Result<SocketPair> make_socket_pair();
Status send_message(int socket, ByteView bytes, const std::vector<int>& descriptors = {});
// nullopt when the other side is gone. Blocks.
Result<std::optional<Message>> receive_message(int socket, std::uint64_t bytes_max);

void put_spec(ByteWriter& out, const SandboxSpec& spec);
Result<SandboxSpec> get_spec(ByteReader& in);
void put_command(ByteWriter& out, const Command& command);  // argv, environment, directory
Result<Command> get_command(ByteReader& in);
void put_request(ByteWriter& out, const HttpRequest& request);
Result<HttpRequest> get_request(ByteReader& in);
void put_answer(ByteWriter& out, const Result<HttpAnswer>& answer);
Result<HttpAnswer> get_answer(ByteReader& in);
void put_blocked(ByteWriter& out, const BlockedAttempts& blocked);
Result<BlockedAttempts> get_blocked(ByteReader& in);
void put_texts(ByteWriter& out, const std::vector<std::string>& texts);
Result<std::vector<std::string>> get_texts(ByteReader& in);
void put_status(ByteWriter& out, const Status& status);
Status get_status(ByteReader& in);

}  // namespace lb
