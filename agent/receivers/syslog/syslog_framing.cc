#include "agent/receivers/syslog/syslog_framing.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace agent {
namespace {

// Longer lengths are no lengths.
constexpr std::size_t kMaxLengthDigits = 10;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Where the line that begins a message ends: after the newline that has `<` behind it; npos: not in
// these bytes.
std::size_t FindNextMessage(std::string_view bytes) {
  std::size_t at = bytes.find('\n');
  while (at != std::string_view::npos && at + 1 < bytes.size()) {
    if (bytes[at + 1] == '<') return at + 1;
    at = bytes.find('\n', at + 1);
  }
  return std::string_view::npos;
}

}  // namespace

SyslogFraming::Status SyslogFraming::Add(std::string_view bytes, const MessageSink& sink) {
  if (bytes.empty()) return Status::kGoOn;
  if (kind_ == Kind::kNotKnown) {
    if (bytes.front() == '<') {
      kind_ = Kind::kNewline;
    } else if (IsDigit(bytes.front())) {
      kind_ = Kind::kOctetCount;
    } else {
      return Status::kUnknown;
    }
  }
  return kind_ == Kind::kNewline ? AddLines(bytes, sink) : AddCounted(bytes, sink);
}

void SyslogFraming::Flush(const MessageSink& sink) {
  if (!waits()) return;
  line_ended_ = false;
  if (!pending_.empty()) pending_.pop_back();
  EmitPending(sink);
}

bool SyslogFraming::End(const MessageSink& sink) {
  Flush(sink);
  const bool whole = !counted_ && length_.empty();
  EmitPending(sink);
  return whole;
}

SyslogFraming::Status SyslogFraming::AddLines(std::string_view bytes, const MessageSink& sink) {
  if (line_ended_ && bytes.front() == '<') Flush(sink);
  while (!bytes.empty()) {
    const std::size_t next = FindNextMessage(bytes);
    if (next == std::string_view::npos) {
      line_ended_ = bytes.back() == '\n';
      Keep(bytes, limits_.line_bytes + 1);
      break;
    }
    const std::string_view message = bytes.substr(0, next - 1);
    bytes.remove_prefix(next);
    if (pending_.empty() && message.size() <= limits_.line_bytes) {
      if (!message.empty()) sink(message);
      continue;
    }
    Keep(message, limits_.line_bytes);
    EmitPending(sink);
  }
  return Status::kGoOn;
}

SyslogFraming::Status SyslogFraming::AddCounted(std::string_view bytes, const MessageSink& sink) {
  while (!bytes.empty()) {
    if (!counted_ && !TakeLength(bytes)) return Status::kBadLength;
    if (!counted_) break;
    if (pending_.empty() && missing_ <= bytes.size() && missing_ <= limits_.counted_bytes) {
      counted_ = false;
      if (missing_ > 0) sink(bytes.substr(0, missing_));
      bytes.remove_prefix(missing_);
      continue;
    }
    const std::size_t size = std::min(missing_, bytes.size());
    Keep(bytes.substr(0, size), limits_.counted_bytes);
    bytes.remove_prefix(size);
    missing_ -= size;
    if (missing_ > 0) break;
    counted_ = false;
    EmitPending(sink);
  }
  return Status::kGoOn;
}

bool SyslogFraming::TakeLength(std::string_view& bytes) {
  while (!bytes.empty()) {
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (c == ' ' && !length_.empty()) {
      missing_ = 0;
      std::from_chars(length_.data(), length_.data() + length_.size(), missing_);
      length_.clear();
      counted_ = true;
      return true;
    }
    // Some senders end a counted message with a newline that they do not count.
    if (c == '\n' && length_.empty()) continue;
    if (!IsDigit(c) || length_.size() == kMaxLengthDigits) {
      length_.clear();
      return false;
    }
    length_ += c;
  }
  return true;
}

void SyslogFraming::Keep(std::string_view bytes, std::size_t limit) {
  const std::size_t room = pending_.size() < limit ? limit - pending_.size() : 0;
  cut_ = cut_ || bytes.size() > room;
  pending_.append(bytes.substr(0, room));
}

void SyslogFraming::EmitPending(const MessageSink& sink) {
  // Of lines one byte more is kept, which may be the newline.
  if (kind_ == Kind::kNewline && pending_.size() > limits_.line_bytes) {
    pending_.resize(limits_.line_bytes);
    cut_ = true;
  }
  if (cut_) ++cut_messages_;
  cut_ = false;
  if (pending_.empty()) return;
  sink(pending_);
  pending_.clear();
}

}  // namespace agent
