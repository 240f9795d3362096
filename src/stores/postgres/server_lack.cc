#include "stores/postgres/server_lack.h"

#include "foundation/base/text.h"

namespace lb::pg {

namespace {

struct Lack {
  std::string_view words, what, hint;
};

constexpr std::string_view install = "install the extension's package for this major version here";
constexpr std::string_view build =
    "use the same PostgreSQL packages as production (block size, segment size, libraries)";

constexpr Lack lacks[] = {
    {"could not access file \"", "a library that the server loads is not installed here", install},
    {"could not load library", "a library that the server loads does not fit here", install},
    {"incompatible library", "a library was built for another server", install},
    {"resource manager with ID",
     "the log holds records of an extension whose library is not loaded here", install},
    {"database locale is incompatible with operating system",
     "a locale of the database is not installed here",
     "make the locale (Debian: dpkg-reconfigure locales) and run again"},
    {"database files are incompatible with server", "the server here was built differently", build},
    {"No space left on device", "the sandbox has no room left",
     "free space, or name a roomier place with folder: in the target"},
    {"could not map anonymous shared memory", "the sandbox has too little memory",
     "give the target more memory"},
    {"could not create shared memory segment", "the sandbox has too little memory",
     "give the target more memory"},
    {"Cannot allocate memory", "the sandbox has too little memory", "give the target more memory"},
};

}  // namespace

std::optional<Error> lack_told_by(std::string_view said) {
  for (const auto& lack : lacks) {
    if (said.find(lack.words) == std::string_view::npos) continue;
    return Error(ErrorKind::unsupported, cat(lack.what, ": ", said))
        .with_hint(std::string(lack.hint))
        .with_exit(ExitCode::target_unreachable);
  }
  return std::nullopt;
}

}  // namespace lb::pg
