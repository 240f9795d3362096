#include "foundation/base/error.h"

#include <cerrno>
#include <cstring>

#include "foundation/base/assert.h"

namespace lb {

namespace {

struct KindFacts {
  ErrorKind kind;
  const char* name;
  RetryClass retry;
  ExitCode exit;
};

constexpr KindFacts kind_facts[] = {
    {ErrorKind::not_found, "not found", RetryClass::never, ExitCode::failed},
    {ErrorKind::conflict, "conflict", RetryClass::never, ExitCode::failed},
    {ErrorKind::denied, "denied", RetryClass::ask_operator, ExitCode::failed},
    {ErrorKind::invalid, "invalid", RetryClass::never, ExitCode::usage},
    {ErrorKind::corrupt, "corrupt", RetryClass::ask_operator, ExitCode::damaged},
    {ErrorKind::unavailable, "unavailable", RetryClass::again, ExitCode::failed},
    {ErrorKind::timeout, "timeout", RetryClass::look_first, ExitCode::failed},
    {ErrorKind::exhausted, "exhausted", RetryClass::ask_operator, ExitCode::no_space},
    {ErrorKind::cancelled, "cancelled", RetryClass::never, ExitCode::interrupted},
    {ErrorKind::unsupported, "unsupported", RetryClass::never, ExitCode::usage},
    {ErrorKind::internal, "internal", RetryClass::never, ExitCode::failed},
};

const KindFacts& facts(ErrorKind kind) {
  for (const auto& row : kind_facts) {
    if (row.kind == kind) return row;
  }
  assert_failed("ErrorKind has facts", __FILE__, __LINE__);
}

ErrorKind kind_of_errno(int value) {
  switch (value) {
    case ENOENT:
    case ENOTDIR:
    case ENODATA:
      return ErrorKind::not_found;
    case EEXIST:
    case ENOTEMPTY:
      return ErrorKind::conflict;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::denied;
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case EMLINK:
      return ErrorKind::exhausted;
    case ETIMEDOUT:
      return ErrorKind::timeout;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
    case EISDIR:
    case EXDEV:
      return ErrorKind::invalid;
    case ENOTSUP:
    case ENOSYS:
      return ErrorKind::unsupported;
    default:
      return ErrorKind::unavailable;
  }
}

}  // namespace

RetryClass retry_class(ErrorKind kind) { return facts(kind).retry; }
std::string_view name_of(ErrorKind kind) { return facts(kind).name; }

Error::Error(ErrorKind kind, std::string message)
    : body_(std::make_unique<Body>(Body{kind, std::move(message), {}, {}, {}, {}, {}})) {}
Error::Error(const Error& other) : body_(std::make_unique<Body>(*other.body_)) {}
Error& Error::operator=(const Error& other) {
  if (this != &other) body_ = std::make_unique<Body>(*other.body_);
  return *this;
}

ErrorKind Error::kind() const { return body_->kind; }
const std::string& Error::message() const { return body_->message; }
const std::string& Error::hint() const { return body_->hint; }
const std::string& Error::left() const { return body_->left; }
const std::string& Error::native() const { return body_->native; }
ExitCode Error::exit_code() const { return body_->exit ? *body_->exit : facts(body_->kind).exit; }

Error Error::context(std::string frame) && {
  body_->frames.push_back(std::move(frame));
  return std::move(*this);
}
Error Error::with_hint(std::string text) && {
  if (body_->hint.empty()) body_->hint = std::move(text);
  return std::move(*this);
}
Error Error::with_left(std::string text) && {
  if (body_->left.empty()) body_->left = std::move(text);
  return std::move(*this);
}
Error Error::with_native(std::string code) && {
  body_->native = std::move(code);
  return std::move(*this);
}
Error Error::with_exit(ExitCode code) && {
  body_->exit = code;
  return std::move(*this);
}

std::string Error::text() const {
  std::string out;
  for (auto frame = body_->frames.rbegin(); frame != body_->frames.rend(); ++frame) {
    out += *frame;
    out += ": ";
  }
  return out + body_->message;
}

Error system_error(int errno_value, std::string_view what) {
  std::string message(what);
  message += ": ";
  message += std::strerror(errno_value);
  return Error(kind_of_errno(errno_value), std::move(message))
      .with_native("errno " + std::to_string(errno_value));
}

}  // namespace lb
