// Cuts a byte stream into syslog messages (RFC 6587): each begins a line with `<`, or begins with
// its length ("12 <13>1 …"). Which of the two is told by the first byte of the stream.
//
// Lines that do not begin with `<` belong to the message before, as in Promtail. So the end of a
// message is known when the next one begins, when the stream ends, or, by Flush(), when nothing
// more has come for a while.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace agent {

class SyslogFraming {
 public:
  struct Limits {
    std::size_t counted_bytes = 8192;  // Of a message with its length.
    std::size_t line_bytes = 8192;     // Of one without.
  };
  // A longer message comes out cut; the rest is skipped, and counted.
  explicit SyslogFraming(Limits limits) : limits_(limits) {}

  enum class Status : uint8_t {
    kGoOn,
    kUnknown,    // The stream begins with neither `<` nor a digit: there is no telling messages.
    kBadLength,  // A length is malformed: there is no finding the next message.
  };
  using MessageSink = std::function<void(std::string_view message)>;

  // Takes the next bytes, and calls `sink` for every message that they complete. After anything but
  // kGoOn the stream is of no more use, but for End().
  Status Add(std::string_view bytes, const MessageSink& sink);
  // What waits is whole lines, and nothing more has come for a while: it is a message.
  void Flush(const MessageSink& sink);
  // The stream has ended: what is left is a message. False: its length says that a part is missing.
  bool End(const MessageSink& sink);

  // Flush() would give a message.
  [[nodiscard]] bool waits() const { return kind_ == Kind::kNewline && line_ended_; }
  // Of a message that is not complete. Bounded by the limits and a few.
  [[nodiscard]] std::size_t pending_bytes() const { return pending_.size(); }
  [[nodiscard]] uint64_t cut_messages() const { return cut_messages_; }

 private:
  enum class Kind : uint8_t { kNotKnown, kNewline, kOctetCount };

  Status AddLines(std::string_view bytes, const MessageSink& sink);
  Status AddCounted(std::string_view bytes, const MessageSink& sink);
  // Of the next message; false: it is malformed. It may need more bytes: `counted_` stays false.
  bool TakeLength(std::string_view& bytes);
  void Keep(std::string_view bytes, std::size_t limit);
  void EmitPending(const MessageSink& sink);

  const Limits limits_;
  Kind kind_ = Kind::kNotKnown;
  std::string pending_;      // Of the present message.
  bool cut_ = false;         // It was longer.
  bool line_ended_ = false;  // The last byte was a newline.
  std::string length_;       // Digits of a length that is not complete.
  bool counted_ = false;     // A length was read: `missing_` bytes of its message are to come.
  std::size_t missing_ = 0;
  uint64_t cut_messages_ = 0;
};

}  // namespace agent
