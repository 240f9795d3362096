// What a restored server says when the machine it runs on lacks something: a library, a locale,
// memory, room. Such an end says nothing about the backup. Pure; the texts are PostgreSQL's.
#pragma once

#include <optional>
#include <string_view>

#include "foundation/base/error.h"

namespace lb::pg {

// `said`: the last lines of the server's log, or the message of a refused connection. An error of
// kind unsupported (exit 21) with what is missing; none when the words tell of anything else.
std::optional<Error> lack_told_by(std::string_view said);

}  // namespace lb::pg
