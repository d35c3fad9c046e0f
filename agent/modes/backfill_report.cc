#include "agent/modes/backfill_report.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "agent/http/html.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

constexpr int kBarColumns = 24;
constexpr int kUsualWidth = 80;
// To the start of the line, and what was there goes.
constexpr const char* kClearLine = "\r\033[K";

int TerminalWidth() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualWidth;
  return size.ws_col;
}

double Fraction(const BackfillStatus& status) {
  if (status.size_bytes == 0) return status.complete ? 1 : 0;
  return std::min(
      1.0, static_cast<double>(status.delivered_bytes) / static_cast<double>(status.size_bytes));
}

uint64_t OfThisRun(const BackfillStatus& status) {
  return status.delivered_bytes - std::min(status.delivered_bytes, status.start_bytes);
}

uint64_t PerSecond(uint64_t count, double seconds) {
  return seconds <= 0 ? 0
                      : static_cast<uint64_t>(std::llround(static_cast<double>(count) / seconds));
}

// At the rate so far; empty while nobody can tell.
std::string Remaining(const BackfillStatus& status, double seconds) {
  const uint64_t done = OfThisRun(status);
  if (done == 0 || status.delivered_bytes >= status.size_bytes) return "";
  const double left = static_cast<double>(status.size_bytes - status.delivered_bytes);
  return FormatSeconds(left / static_cast<double>(done) * seconds);
}

}  // namespace

std::string BackfillBar(const BackfillStatus& status, double seconds, int width) {
  const double fraction = Fraction(status);
  const auto filled = static_cast<std::size_t>(std::lround(fraction * kBarColumns));
  std::string text = "[" + std::string(filled, '#') + std::string(kBarColumns - filled, '-') + "] ";
  text += std::to_string(static_cast<int>(std::floor(fraction * 100))) + "%  ";
  text += FormatBytes(status.delivered_bytes) + " of " + FormatBytes(status.size_bytes);
  text += "  " + Grouped(PerSecond(status.lines, seconds)) + " lines/s";
  const std::string remaining = Remaining(status, seconds);
  if (!remaining.empty()) text += "  ETA " + remaining;
  if (status.retried_entries > 0) text += "  retries " + Grouped(status.retried_entries);
  if (status.refused_entries > 0) text += "  refused " + Grouped(status.refused_entries);
  if (!status.last_error.empty()) text += "  " + status.last_error;
  // A longer line would wrap, and could not be drawn over.
  const auto columns = static_cast<std::size_t>(std::max(width - 1, 1));
  if (text.size() > columns) text.resize(columns);
  return text;
}

std::string BackfillSentence(const BackfillStatus& status, double seconds) {
  std::string text =
      "delivered " + Grouped(status.lines) + (status.lines == 1 ? " line" : " lines");
  text += " (" + FormatBytes(OfThisRun(status)) + ") of " + Counted(status.files, "file");
  return text + " in " + FormatSeconds(std::max(seconds, 0.1));
}

BackfillReport::BackfillReport(bool terminal, const Clock& clock, Logger& logger)
    : terminal_(terminal), clock_(clock), logger_(logger), started_ns_(clock.MonotonicNanos()) {}

milliseconds BackfillReport::interval() const {
  return terminal_ ? milliseconds(200) : milliseconds(5000);
}

double BackfillReport::Seconds() const {
  return static_cast<double>(clock_.MonotonicNanos() - started_ns_) /
         static_cast<double>(kNanosPerSecond);
}

void BackfillReport::Show(const BackfillStatus& status) {
  const double seconds = Seconds();
  if (terminal_) {
    // Back to the start, where a record of the log may be written over it.
    std::fprintf(stderr, "%s%s\r", kClearLine,
                 BackfillBar(status, seconds, TerminalWidth()).c_str());
    return;
  }
  logger_.Info("backfill", "under way",
               {{"percent", static_cast<int>(std::floor(Fraction(status) * 100))},
                {"delivered_bytes", status.delivered_bytes},
                {"total_bytes", status.size_bytes},
                {"files_done", status.files_done},
                {"files", status.files},
                {"lines_per_second", PerSecond(status.lines, seconds)},
                {"eta", Remaining(status, seconds)},
                {"retried_entries", status.retried_entries},
                {"error", status.last_error}});
}

bool BackfillReport::Finish(const BackfillStatus& status) {
  if (terminal_) std::fputs(kClearLine, stderr);
  const bool all = status.complete && status.refused_entries == 0 && status.unread.empty();
  if (status.files == 0) {
    std::fputs("no file matches: check __path__ and permissions\n", stderr);
    return false;
  }
  const std::string sentence = BackfillSentence(status, Seconds());
  std::fprintf(stderr, "%s%s\n", all ? "" : "NOT COMPLETE: ", sentence.c_str());
  if (status.refused_entries > 0) {
    std::fprintf(stderr, "%s entries were refused for good: they are in the dead letter\n",
                 Grouped(status.refused_entries).c_str());
  }
  if (!status.unread.empty())
    std::fprintf(stderr, "not read to its end: %s\n", status.unread.c_str());
  if (!status.complete) {
    if (!status.last_error.empty()) std::fprintf(stderr, "%s\n", status.last_error.c_str());
    std::fputs("run it again: it goes on where it was\n", stderr);
  }
  return all;
}

}  // namespace agent
