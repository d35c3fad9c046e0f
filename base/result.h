// A value or the reason why there is none. Operations that can fail return Result<T>; an operation
// without a value returns Status.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace agent {

// What a caller may want to act on; everything else is in the message.
enum class ErrorCode : uint8_t {
  kInvalid,      // The input is wrong and stays wrong.
  kNotFound,     // It is not there (any more).
  kPermission,   // It is there, but not for us.
  kUnavailable,  // It may work later.
  kNoSpace,      // The disk or a quota is full.
  kIo,           // The operating system says no.
};

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kIo;
  std::string message;

  // Puts "context: " in front of the message.
  [[nodiscard]] Error Wrap(std::string_view context) && {
    message = std::string(context) + ": " + message;
    return std::move(*this);
  }
};

// The error of a failed system call: "context: strerror(error_number)", with the code that fits.
Error ErrnoError(int error_number, std::string_view context);

template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that a function returns a value or an Error as it is.
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  // Only when ok().
  [[nodiscard]] T& value() & { return Checked(); }
  [[nodiscard]] const T& value() const& {
    AGENT_CHECK(ok());
    return *std::get_if<T>(&state_);
  }
  [[nodiscard]] T&& value() && { return std::move(Checked()); }
  T& operator*() & { return Checked(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &Checked(); }
  const T* operator->() const { return &value(); }

  // Only when !ok().
  [[nodiscard]] const Error& error() const& {
    AGENT_CHECK(!ok());
    return *std::get_if<Error>(&state_);
  }
  [[nodiscard]] Error&& error() && {
    AGENT_CHECK(!ok());
    return std::move(*std::get_if<Error>(&state_));
  }

 private:
  T& Checked() {
    AGENT_CHECK(ok());
    return *std::get_if<T>(&state_);
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): so that an Error can be returned.
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }

  // Only when !ok().
  [[nodiscard]] const Error& error() const& {
    AGENT_CHECK(!ok_);
    return error_;
  }
  [[nodiscard]] Error&& error() && {
    AGENT_CHECK(!ok_);
    return std::move(error_);
  }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace agent
