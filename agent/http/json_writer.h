// Writes JSON for the endpoints: values in order, commas where they belong.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/labels.h"

namespace agent {

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  // Before each value in an object.
  JsonWriter& Key(std::string_view name);

  JsonWriter& String(std::string_view text);  // Invalid UTF-8 becomes U+FFFD.
  JsonWriter& Number(uint64_t value);
  JsonWriter& Number(int64_t value);
  JsonWriter& Number(double value);  // Finite.
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // An object of names and values.
  JsonWriter& Object(const Labels& labels);

  [[nodiscard]] std::string Take() { return std::exchange(text_, {}); }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();

  std::string text_;
  bool first_ = true;  // Nothing stands before in this object or array.
};

}  // namespace agent
