// Rows streamed from one server into another by COPY; nothing is kept. Both connections can be used
// afterwards when it went well; after a failure their transactions are to be given up.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "stores/postgres/connection.h"

namespace lb::pg {

struct CopiedRows {
  std::uint64_t rows = 0, bytes = 0;
};
// `out`: "COPY … TO STDOUT", `in`: "COPY … FROM STDIN", of one format. `progress` is called with
// the bytes so far.
Result<CopiedRows> copy_rows(Connection& from, const std::string& out, Connection& to,
                             const std::string& in, const std::stop_token& stop,
                             const std::function<void(std::uint64_t)>& progress);

}  // namespace lb::pg
