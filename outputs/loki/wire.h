// The few pieces of protobuf that a Loki push request is made of.
//
//   PushRequest { 1: Stream }   Stream { 1: labels, 2: Entry }
//   Entry { 1: Timestamp { 1: seconds, 2: nanos }, 2: line, 3: LabelPair { 1: name, 2: value } }

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace agent::loki {

constexpr char kKeyField1 = 0x0a;   // Field 1, with a length: streams, labels, timestamp, name.
constexpr char kKeyField2 = 0x12;   // Field 2, with a length: entries, line, value.
constexpr char kKeyField3 = 0x1a;   // Field 3, with a length: structured metadata.
constexpr char kKeySeconds = 0x08;  // Field 1, a number.
constexpr char kKeyNanos = 0x10;    // Field 2, a number.
constexpr std::size_t kMaxVarint = 10;

inline std::size_t VarintSize(uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7)
    ++size;
  return size;
}

// Returns the place after it.
inline char* PutVarint(char* to, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

inline char* PutBytes(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

// Key, length and bytes; nothing for an empty text, as proto3 has it.
inline std::size_t TextFieldSize(std::string_view text) {
  return text.empty() ? 0 : 1 + VarintSize(text.size()) + text.size();
}
inline char* PutTextField(char* to, char key, std::string_view text) {
  if (text.empty()) return to;
  *to++ = key;
  return PutBytes(PutVarint(to, text.size()), text);
}

// The head of a stream of which `entries_size` bytes of entries follow.
inline std::size_t StreamHeadSize(std::string_view labels, std::size_t entries_size) {
  const std::size_t inner = TextFieldSize(labels) + entries_size;
  return 1 + VarintSize(inner) + TextFieldSize(labels);
}
inline char* PutStreamHead(char* to, std::string_view labels, std::size_t entries_size) {
  *to++ = kKeyField1;
  to = PutVarint(to, TextFieldSize(labels) + entries_size);
  return PutTextField(to, kKeyField1, labels);
}

}  // namespace agent::loki
