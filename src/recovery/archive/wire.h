// What the clients of the agent say to it, and what it answers: one message each way. Client and
// agent are the same program; one of another version is told so and ends. Pure.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/exit_code.h"

namespace lb::archive {

// A file as its opener sees it: how the agent knows that it looks at the same one.
struct FileSeen {
  std::uint64_t device = 0, inode = 0;
  bool operator==(const FileSeen&) const = default;
};

struct Order {
  enum class Act : std::uint8_t {
    push,   // store the file `path`, whose name is `name`
    fetch,  // write the log file `name` into the empty file `path`
    look,   // say what is on its way
  };
  std::string version;
  std::string plan, store;  // whose agent is meant
  Act act = Act::look;
  std::string name, path, data_folder;
  FileSeen file, folder;
};
Buffer encode(const Order& order);
Result<Order> decode_order(ByteView bytes);

struct Answer {
  enum class Outcome : std::uint8_t {
    done,     // push: durable in the repository; fetch: the file is whole
    missing,  // fetch: the repository does not have it
    failed,
    closing,  // this agent ends now, ask another one: it is of another version, or too old a plan's
  };
  Outcome outcome = Outcome::done;
  ExitCode code = ExitCode::ok;
  std::string message, hint;
  std::vector<std::string> notices;  // for people: holes, log that cannot be read
  std::string details;               // of look: JSON
};
Buffer encode(const Answer& answer);
Result<Answer> decode_answer(ByteView bytes);
Answer answer_of(const Error& error);

inline constexpr std::uint64_t message_bytes_max = 1 << 20;

}  // namespace lb::archive
