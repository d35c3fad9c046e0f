#include "outputs/logstash/frames.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "outputs/deflate.h"

namespace agent::logstash {
namespace {

constexpr char kVersion = '2';
constexpr char kWindow = 'W';
constexpr char kEvent = 'J';
constexpr char kCompressed = 'C';
constexpr char kAck = 'A';

void PutNumber(char* to, uint32_t number) {
  for (int i = 3; i >= 0; --i) {
    to[i] = static_cast<char>(number & 0xFF);
    number >>= 8;
  }
}

uint32_t GetNumber(const char* from) {
  uint32_t number = 0;
  for (int i = 0; i < 4; ++i)
    number = number << 8 | static_cast<unsigned char>(from[i]);
  return number;
}

}  // namespace

void PutEventHeader(char* to, uint32_t sequence, uint32_t size) {
  to[0] = kVersion;
  to[1] = kEvent;
  PutNumber(to + 2, sequence);
  PutNumber(to + 6, size);
}

bool IsCompressed(const Bytes& body) {
  return body.size > 0 && body.data[0] != kVersion;
}

WindowHeader::WindowHeader(uint32_t events, const Bytes& body) {
  bytes_[0] = kVersion;
  bytes_[1] = kWindow;
  PutNumber(&bytes_[2], events);
  size_ = 6;
  if (!IsCompressed(body)) return;
  bytes_[6] = kVersion;
  bytes_[7] = kCompressed;
  PutNumber(&bytes_[8], static_cast<uint32_t>(body.size));
  size_ = 12;
}

Result<FrameList> FrameList::Parse(const Bytes& body, std::size_t raw_size) {
  FrameList list;
  const std::string_view bytes(body.data.get(), body.size);
  if (IsCompressed(body)) {
    auto raw = Inflate(bytes, raw_size);
    if (!raw.ok()) return std::move(raw).error();
    list.raw_ = std::make_unique<std::string>(std::move(*raw));
  } else {
    list.raw_ = std::make_unique<std::string>(bytes);
  }
  const std::string& raw = *list.raw_;
  std::size_t at = 0;
  while (at < raw.size()) {
    const bool whole = raw.size() - at >= kEventHeaderBytes && raw[at] == kVersion &&
                       raw[at + 1] == kEvent && GetNumber(&raw[at + 2]) == list.events_.size() + 1;
    const std::size_t size = whole ? GetNumber(&raw[at + 6]) : 0;
    at += kEventHeaderBytes;
    if (!whole || size > raw.size() - at) return Error{ErrorCode::kInvalid, "no frames of ours"};
    list.events_.push_back({at, size});
    at += size;
  }
  return list;
}

std::string_view FrameList::At(std::size_t entry) const {
  return {raw_->data() + events_[entry].begin, events_[entry].size};
}

Bytes FrameList::Encode(std::size_t first, std::size_t count, Compressor* compressor) const {
  CHECK(count > 0 && first + count <= events_.size());
  const std::size_t begin = events_[first].begin - kEventHeaderBytes;
  const Event& last = events_[first + count - 1];
  const std::size_t size = last.begin + last.size - begin;
  Bytes plain{std::make_unique_for_overwrite<char[]>(size), size};
  std::memcpy(plain.data.get(), raw_->data() + begin, size);
  for (std::size_t i = 0; i < count; ++i) {
    const Event& event = events_[first + i];
    PutEventHeader(plain.data.get() + (event.begin - kEventHeaderBytes - begin),
                   static_cast<uint32_t>(i + 1), static_cast<uint32_t>(event.size));
  }
  if (compressor == nullptr) return plain;
  compressor->Add({plain.data.get(), plain.size});
  return compressor->Finish();
}

std::vector<uint32_t> AckReader::Read(std::string_view bytes) {
  std::vector<uint32_t> sequences;
  while (!bytes.empty() && !failed_) {
    const std::size_t taken = std::min(bytes.size(), kFrameBytes - have_);
    std::memcpy(&frame_[have_], bytes.data(), taken);
    have_ += taken;
    bytes.remove_prefix(taken);
    failed_ = frame_[0] != kVersion || (have_ > 1 && frame_[1] != kAck);
    if (failed_ || have_ < kFrameBytes) continue;
    sequences.push_back(GetNumber(&frame_[2]));
    have_ = 0;
  }
  return sequences;
}

}  // namespace agent::logstash
