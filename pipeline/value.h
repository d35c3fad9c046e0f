// A value that a stage has extracted from a line. A view: the text lies in the block or its arena.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace agent {

enum class ValueType : uint8_t {
  kAbsent,  // The key is not there.
  kNull,    // The key is there and holds nothing (a JSON null, or a JSON path that led nowhere).
  kString,
  kNumber,
  kBool,
};

class Value {
 public:
  Value() = default;  // Absent.
  static Value Null() { return Value(ValueType::kNull, {}, 0); }
  // 64 bytes after the text must be readable, as in a block and in its arena.
  static Value String(std::string_view text) { return Value(ValueType::kString, text, 0); }
  static Value Number(double number) { return Value(ValueType::kNumber, {}, number); }
  static Value Bool(bool value) { return Value(ValueType::kBool, {}, value ? 1 : 0); }

  [[nodiscard]] ValueType type() const { return type_; }
  [[nodiscard]] bool present() const { return type_ != ValueType::kAbsent; }
  // Present and not null: has a text form.
  [[nodiscard]] bool usable() const { return type_ > ValueType::kNull; }
  [[nodiscard]] bool is_string() const { return type_ == ValueType::kString; }

  // Strings only.
  [[nodiscard]] std::string_view text() const { return {data_, size_}; }
  // Numbers only; 0 or 1 for booleans.
  [[nodiscard]] double number() const { return number_; }
  [[nodiscard]] bool boolean() const { return number_ != 0; }

 private:
  Value(ValueType type, std::string_view text, double number)
      : data_(text.data()),
        size_(static_cast<uint32_t>(text.size())),
        type_(type),
        number_(number) {}

  const char* data_ = nullptr;
  uint32_t size_ = 0;
  ValueType type_ = ValueType::kAbsent;
  double number_ = 0;
};

}  // namespace agent
