// What GET /containers/{id}/logs answers with, taken apart: entries with stream, time and text.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace agent {

struct DockerLogEntry {
  bool err = false;        // Written to stderr.
  std::string_view time;   // RFC 3339, as the daemon wrote it; empty when there was none.
  std::string_view text;   // With its line end; a piece of a long line has none.
  bool ends_line = false;  // Its line end is missing in the text.
};

// Without a TTY every entry is a frame: stream, three zeros, length (big endian), "TIME TEXT". With
// one the entries stand one after the other.
class DockerFrames {
 public:
  // Of one piece of a line: what the daemon cuts lines into.
  static constexpr std::size_t kPieceBytes = 16384;
  // A longer frame is none: the stream is out of step.
  static constexpr std::size_t kMaxFrameBytes = std::size_t{16} << 20;

  explicit DockerFrames(bool tty) : tty_(tty) {}

  // Calls `visit` with every entry that `data` completes; what it gets is valid during the call.
  template <typename Visit>
  void Add(std::string_view data, Visit visit) {
    if (broken_) return;
    rest_ += data;
    std::size_t used = 0;
    DockerLogEntry entry;
    while (!broken_) {
      const std::size_t taken = tty_ ? TakeText(used, entry) : TakeFrame(used, entry);
      if (taken == 0) break;
      used += taken;
      visit(entry);
    }
    rest_.erase(0, used);
  }
  // What stands at the end of a TTY's stream without a line end.
  template <typename Visit>
  void Finish(Visit visit) {
    if (!tty_ || rest_.empty() || broken_) return;
    visit(Split(false, rest_));
    rest_.clear();
  }

  // It is out of step: nothing more comes out.
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  // How many bytes the next entry takes; 0: it is not complete.
  std::size_t TakeFrame(std::size_t from, DockerLogEntry& entry);
  std::size_t TakeText(std::size_t from, DockerLogEntry& entry);
  // The driver `local` leaves out the newline after the last piece of a line: of the carriage
  // return before it there is the next entry. How long the piece is; npos: it has its newline.
  static std::size_t EndOfLastPiece(std::string_view text);
  static DockerLogEntry Split(bool err, std::string_view text);

  bool tty_;
  std::string rest_;
  bool continues_ = false;  // The entry before was a piece of a line.
  bool broken_ = false;
};

// The entry as the json-file driver writes it, with a newline; appended to `out`.
void AppendAsJsonFile(const DockerLogEntry& entry, std::string& out);

}  // namespace agent
