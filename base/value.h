// A value that a stage has extracted from a line. A view: the text lies in the block or its arena.

#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace agent {

enum class ValueType : uint8_t {
  kAbsent,  // The key is not there.
  kNull,    // The key is there and holds nothing (a JSON null, or a JSON path that led nowhere).
  kString,
  kNumber,   // A double: the only kind of number that JSON and templates know.
  kInteger,  // All 64 bits of it are exact; made by grok and convert.
  kBool,
};

class Value {
 public:
  Value() = default;  // Absent.
  static Value Null() { return Value(ValueType::kNull, {}, 0); }
  // 64 bytes after the text must be readable, as in a block and in its arena.
  static Value String(std::string_view text) { return Value(ValueType::kString, text, 0); }
  // `literal` is what the number was read from, where somebody may want more digits than a double
  // has; to be kept like the text of a string.
  static Value Number(double number, std::string_view literal = {}) {
    return Value(ValueType::kNumber, literal, std::bit_cast<int64_t>(number));
  }
  static Value Integer(int64_t number) { return Value(ValueType::kInteger, {}, number); }
  static Value Bool(bool value) { return Value(ValueType::kBool, {}, value ? 1 : 0); }

  [[nodiscard]] ValueType type() const { return type_; }
  [[nodiscard]] bool present() const { return type_ != ValueType::kAbsent; }
  // Present and not null: has a text form.
  [[nodiscard]] bool usable() const { return type_ > ValueType::kNull; }
  [[nodiscard]] bool is_string() const { return type_ == ValueType::kString; }

  // Strings; of numbers what they were read from, if that is known.
  [[nodiscard]] std::string_view text() const { return {data_, size_}; }
  [[nodiscard]] bool has_text() const { return is_string() || size_ > 0; }
  // Numbers and integers, these rounded to a double; 0 or 1 for booleans.
  [[nodiscard]] double number() const {
    return type_ == ValueType::kNumber ? std::bit_cast<double>(bits_) : static_cast<double>(bits_);
  }
  // Integers only.
  [[nodiscard]] int64_t integer() const { return bits_; }
  [[nodiscard]] bool boolean() const { return bits_ != 0; }

  // The same value with its text elsewhere: `text` is a copy of text().
  [[nodiscard]] Value WithText(std::string_view text) const { return Value(type_, text, bits_); }

 private:
  Value(ValueType type, std::string_view text, int64_t bits)
      : data_(text.data()), size_(static_cast<uint32_t>(text.size())), type_(type), bits_(bits) {}

  const char* data_ = nullptr;
  uint32_t size_ = 0;
  ValueType type_ = ValueType::kAbsent;
  int64_t bits_ = 0;  // A number's double as bits, an integer, a boolean.
};

}  // namespace agent
