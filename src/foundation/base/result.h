// Result<T> and Status: a value or an Error. Both are [[nodiscard]] as classes, so a dropped
// failure does not compile. LB_TRY stands alone on its statement or initialises one variable.
#pragma once

#include <optional>
#include <utility>

#include "foundation/base/assert.h"
#include "foundation/base/error.h"

namespace lb {

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  const Error& error() const {
    LB_ASSERT(error_.has_value());
    return *error_;
  }
  Error take_error() && {
    LB_ASSERT(error_.has_value());
    return std::move(*error_);
  }
  void take() && { LB_ASSERT(ok()); }

  Status context(std::string frame) && {
    if (error_) error_ = std::move(*error_).context(std::move(frame));
    return std::move(*this);
  }
  Status hint(std::string text) && {
    if (error_) error_ = std::move(*error_).with_hint(std::move(text));
    return std::move(*this);
  }
  Status exit_as(ExitCode code) && {
    if (error_) error_ = std::move(*error_).with_exit(code);
    return std::move(*this);
  }

 private:
  std::optional<Error> error_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Error& error() const {
    LB_ASSERT(error_.has_value());
    return *error_;
  }
  Error take_error() && {
    LB_ASSERT(error_.has_value());
    return std::move(*error_);
  }
  T take() && {
    LB_ASSERT(ok());
    return std::move(*value_);
  }
  const T& value() const& {
    LB_ASSERT(ok());
    return *value_;
  }
  T& value() & {
    LB_ASSERT(ok());
    return *value_;
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  Result context(std::string frame) && {
    if (error_) error_ = std::move(*error_).context(std::move(frame));
    return std::move(*this);
  }
  Result hint(std::string text) && {
    if (error_) error_ = std::move(*error_).with_hint(std::move(text));
    return std::move(*this);
  }
  Result exit_as(ExitCode code) && {
    if (error_) error_ = std::move(*error_).with_exit(code);
    return std::move(*this);
  }
  // The outcome without the value.
  Status status() const { return ok() ? Status() : Status(*error_); }

 private:
  std::optional<T> value_;
  std::optional<Error> error_;
};

}  // namespace lb

// Yields the value, or returns the error from the enclosing function.
#define LB_TRY(expression)                                         \
  __extension__({                                                  \
    auto lb_result = (expression);                                 \
    if (!lb_result.ok()) return std::move(lb_result).take_error(); \
    std::move(lb_result).take();                                   \
  })
