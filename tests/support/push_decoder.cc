#include "tests/support/push_decoder.h"

#include <snappy.h>

namespace agent {
namespace {

// A cursor over protobuf; `bad` sticks.
struct Cursor {
  const char* at;
  const char* end;
  bool bad = false;

  [[nodiscard]] bool done() const { return bad || at == end; }

  uint64_t Varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (at == end) break;
      const auto byte = static_cast<unsigned char>(*at++);
      if (shift == 63 && byte > 1) break;
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 128) return value;
    }
    bad = true;
    return 0;
  }
  std::string_view Bytes() {
    const uint64_t size = Varint();
    if (bad || size > static_cast<uint64_t>(end - at)) {
      bad = true;
      return {};
    }
    const std::string_view bytes(at, size);
    at += size;
    return bytes;
  }
};

Cursor Over(std::string_view bytes) {
  return {bytes.data(), bytes.data() + bytes.size()};
}

bool ReadTime(std::string_view bytes, int64_t& timestamp_ns) {
  uint64_t seconds = 0;
  uint64_t nanos = 0;
  Cursor cursor = Over(bytes);
  while (!cursor.done()) {
    const uint64_t key = cursor.Varint();
    if (key == 8) {
      seconds = cursor.Varint();
    } else if (key == 16) {
      nanos = cursor.Varint();
    } else {
      return false;
    }
  }
  timestamp_ns = static_cast<int64_t>(seconds * 1'000'000'000 + nanos);
  return !cursor.bad && nanos < 1'000'000'000;
}

bool ReadPair(std::string_view bytes, std::pair<std::string, std::string>& pair) {
  Cursor cursor = Over(bytes);
  while (!cursor.done()) {
    const uint64_t key = cursor.Varint();
    if (key != 10 && key != 18) return false;
    (key == 10 ? pair.first : pair.second) = cursor.Bytes();
  }
  return !cursor.bad;
}

bool ReadEntry(std::string_view bytes, PushedEntry& entry) {
  bool has_time = false;
  Cursor cursor = Over(bytes);
  while (!cursor.done()) {
    const uint64_t key = cursor.Varint();
    if (key == 10) {
      has_time = ReadTime(cursor.Bytes(), entry.timestamp_ns);
    } else if (key == 18) {
      entry.line = cursor.Bytes();
    } else if (key == 26) {
      if (!ReadPair(cursor.Bytes(), entry.metadata.emplace_back())) return false;
    } else {
      return false;
    }
  }
  return !cursor.bad && has_time;
}

bool ReadStream(std::string_view bytes, std::vector<PushedEntry>& entries) {
  std::string labels;
  Cursor cursor = Over(bytes);
  while (!cursor.done()) {
    const uint64_t key = cursor.Varint();
    if (key == 10) {
      labels = cursor.Bytes();
    } else if (key == 18) {
      PushedEntry& entry = entries.emplace_back();
      entry.labels = labels;
      if (!ReadEntry(cursor.Bytes(), entry)) return false;
    } else {
      return false;
    }
  }
  return !cursor.bad;
}

}  // namespace

std::optional<std::vector<PushedEntry>> DecodePushProtobuf(std::string_view raw, int* streams) {
  std::vector<PushedEntry> entries;
  int count = 0;
  Cursor cursor = Over(raw);
  while (!cursor.done()) {
    if (cursor.Varint() != 10 || !ReadStream(cursor.Bytes(), entries)) return std::nullopt;
    ++count;
  }
  if (cursor.bad) return std::nullopt;
  if (streams != nullptr) *streams = count;
  return entries;
}

std::optional<std::vector<PushedEntry>> DecodePush(std::string_view body, int* streams) {
  std::string raw;
  if (!snappy::Uncompress(body.data(), body.size(), &raw)) return std::nullopt;
  return DecodePushProtobuf(raw, streams);
}

}  // namespace agent
