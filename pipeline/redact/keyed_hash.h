// A value's hash under a secret key: equal values stay equal, and nobody without the key can try
// out which value it was.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace agent::redact {

// HMAC-SHA256, cut to 64 bits. Used by one thread.
class KeyedHash {
 public:
  // Fewer bytes could be guessed.
  static constexpr std::size_t kMinKeyBytes = 16;
  static constexpr std::size_t kHexDigits = 16;

  explicit KeyedHash(std::string_view key);
  KeyedHash(const KeyedHash&) = delete;
  KeyedHash& operator=(const KeyedHash&) = delete;
  ~KeyedHash();

  // Appends kHexDigits lower-case digits.
  void AppendHex(std::string_view value, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a file with a key says, without space around it.
struct KeyFile {
  std::string key;
  bool others_may_read = false;  // By its permissions.
};
// kInvalid for one that everybody may write to, or that is no regular file.
Result<KeyFile> ReadKeyFile(const std::string& path);

}  // namespace agent::redact
