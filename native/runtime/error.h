#pragma once

#include <stdexcept>
#include <string>

namespace bdc {

/// What of the caller's input is at fault; the same words as the TypeScript side's BdcError kinds.
enum class ErrorKind { kModel, kCamera, kConfiguration };

/// A fault of what was handed in (never a defect of this program): a stable code, and a message for people.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, std::string code, const std::string& message)
      : std::runtime_error(message), kind_(kind), code_(std::move(code)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& code() const { return code_; }

 private:
  ErrorKind kind_;
  std::string code_;
};

/// A frame that was given up because the caller asked for it.
class AbortedError : public std::runtime_error {
 public:
  AbortedError() : std::runtime_error("the frame was aborted") {}
};

}  // namespace bdc
