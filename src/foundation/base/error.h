// Error: the one failure value of the product. It says what failed (message), where (context chain,
// outermost first when printed), what was left behind, and what to do next (hint). Errors never
// hold secrets: whoever builds one leaves out passwords, keys and connection strings with
// passwords.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/exit_code.h"

namespace lb {

// Closed set. Adding a kind means deciding its retry class and default exit code in error.cc.
enum class ErrorKind {
  not_found,
  conflict,     // create-if-absent lost, or state changed under us
  denied,       // permission, privilege, guard
  invalid,      // the caller's or user's input is wrong
  corrupt,      // bytes from outside are not what they must be
  unavailable,  // a service does not answer
  timeout,      // no answer in time; the act may have happened
  exhausted,    // disk, memory, quota
  cancelled,    // stop was requested
  unsupported,  // known, not built yet
  internal,     // our own mistake
};

enum class RetryClass { never, again, look_first, ask_operator };

RetryClass retry_class(ErrorKind kind);
std::string_view name_of(ErrorKind kind);

class Error {
 public:
  Error(ErrorKind kind, std::string message);
  Error(const Error& other);
  Error& operator=(const Error& other);
  Error(Error&&) noexcept = default;
  Error& operator=(Error&&) noexcept = default;
  ~Error() = default;

  ErrorKind kind() const;
  const std::string& message() const;  // the innermost message alone
  const std::string& hint() const;     // what to do next; may be empty
  const std::string& left() const;     // what was left behind; may be empty
  const std::string& native() const;   // "errno 28", "SQLSTATE 28P01", "HTTP 403"; may be empty
  ExitCode exit_code() const;          // set explicitly or derived from the kind

  // Each adds one fact and returns the error, to be chained in a return statement.
  Error context(std::string frame) &&;   // the frame nearest to the user is added last
  Error with_hint(std::string text) &&;  // keeps an existing hint
  Error with_left(std::string text) &&;
  Error with_native(std::string code) &&;
  Error with_exit(ExitCode code) &&;  // replaces

  // "restore db: read pack x: digest differs". One line, without hint.
  std::string text() const;

 private:
  struct Body {
    ErrorKind kind;
    std::string message, hint, left, native;
    std::vector<std::string> frames;  // innermost first
    std::optional<ExitCode> exit;
  };
  std::unique_ptr<Body> body_;  // one pointer, so that Result<T> stays small on the success path
};

// The error of a failed system call: kind from errno, native "errno N", message "what: strerror".
Error system_error(int errno_value, std::string_view what);

}  // namespace lb
