// Frames of the lumberjack protocol, version 2: `2J` events, in a window that `2W` announces, as
// they are or all in one `2C` that is compressed. A batch's body is its `2J` frames, numbered from
// 1, or those as one zlib stream.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "outputs/batch.h"
#include "outputs/compressor.h"

namespace agent::logstash {

// Of a `2J` frame, before its JSON.
constexpr std::size_t kEventHeaderBytes = 10;
void PutEventHeader(char* to, uint32_t sequence, uint32_t size);

// zlib's first byte cannot be that of a frame.
bool IsCompressed(const Bytes& body);

// What goes on the wire before a body.
class WindowHeader {
 public:
  WindowHeader(uint32_t events, const Bytes& body);
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, 12> bytes_{};
  std::size_t size_ = 0;
};

// A body taken apart: for sending a part of it, and for the dead letter.
class FrameList {
 public:
  // Fails only for what LumberjackEncoder has not made.
  static Result<FrameList> Parse(const Bytes& body, std::size_t raw_size);

  [[nodiscard]] std::size_t size() const { return events_.size(); }
  // What it takes.
  [[nodiscard]] std::size_t memory_bytes() const {
    return raw_->size() + events_.size() * sizeof(Event);
  }
  [[nodiscard]] std::string_view At(std::size_t entry) const;
  // With its header.
  [[nodiscard]] std::size_t FrameSize(std::size_t entry) const {
    return At(entry).size() + kEventHeaderBytes;
  }
  // Some of them as a body of their own, numbered from 1; `compressor` null: as they are.
  [[nodiscard]] Bytes Encode(std::size_t first, std::size_t count, Compressor* compressor) const;

 private:
  struct Event {
    std::size_t begin = 0;  // Of the JSON.
    std::size_t size = 0;
  };

  std::unique_ptr<std::string> raw_;  // Stays where it is when this is moved.
  std::vector<Event> events_;
};

// Reads what a server sends: `2A` frames, in whatever pieces they come. Once it has refused
// something it takes nothing more.
class AckReader {
 public:
  // The sequences of the frames that are whole now, up to what is none.
  std::vector<uint32_t> Read(std::string_view bytes);
  // There was something that is no acknowledgement.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  static constexpr std::size_t kFrameBytes = 6;
  std::array<char, kFrameBytes> frame_{};
  std::size_t have_ = 0;
  bool failed_ = false;
};

}  // namespace agent::logstash
