#include "agent/modes/inspect/trace_text.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/modes/inspect/entry_line.h"
#include "agent/modes/inspect/shown_text.h"
#include "base/go_format.h"
#include "base/labels.h"

namespace agent {
namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kFaint = "\x1b[2m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kStrongRed = "\x1b[1;31m";
constexpr std::string_view kPlain = "\x1b[0m";

constexpr std::string_view kIndent = "   ";
constexpr std::size_t kStageColumns = 15;  // Most names fit; the others have a row of their own.
constexpr std::size_t kMinColumns = 70;
constexpr std::size_t kMaxLinesListed = 4;
constexpr std::size_t kAnyWidth = ~std::size_t{0} / 2;

// "12", "3-5", "1, 3", "1 to 9 (4 lines)"; empty when the lines are not known by number.
std::string LineNumbers(const std::vector<LineOrigin>& origins) {
  if (std::any_of(origins.begin(), origins.end(),
                  [](const LineOrigin& origin) { return !origin.line; })) {
    return {};
  }
  const uint64_t first = *origins.front().line;
  const uint64_t last = *origins.back().line;
  if (origins.size() == 1) return std::to_string(first);
  const bool consecutive =
      last - first == origins.size() - 1 &&
      std::is_sorted(origins.begin(), origins.end(),
                     [](const LineOrigin& a, const LineOrigin& b) { return *a.line < *b.line; });
  if (consecutive) return std::to_string(first) + "-" + std::to_string(last);
  if (origins.size() > kMaxLinesListed) {
    return std::to_string(first) + " to " + std::to_string(last) + " (" +
           std::to_string(origins.size()) + " lines)";
  }
  std::string list;
  for (const LineOrigin& origin : origins)
    list += (list.empty() ? "" : ", ") + std::to_string(*origin.line);
  return list;
}

std::string CountOf(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

class TraceWriter {
 public:
  TraceWriter(const EntryTrace& trace, const TraceTextOptions& options)
      : trace_(trace),
        options_(options),
        columns_(std::max(options.columns, kMinColumns)),
        line_(trace.first.line) {}

  std::string Write() {
    WriteHeader();
    const std::size_t room = columns_ - kIndent.size();
    Row(kIndent, {}, ShowText(trace_.first.line, room));
    Row(kIndent, kFaint, ShowText(FormatLabels(LabelsOf(trace_.first)), room));
    WriteSteps();
    if (trace_.end == EntryTrace::End::kRateLimited) {
      Row(kIndent, kStrongRed, "dropped: over limits_config.readline_rate");
    }
    if (options_.with_entry && trace_.end == EntryTrace::End::kSent) WriteEntry();
    return std::move(out_);
  }

 private:
  void Row(std::string_view before, std::string_view color, std::string_view text) {
    out_ += before;
    if (options_.color) out_ += color;
    out_ += text;
    if (options_.color && !color.empty()) out_ += kPlain;
    out_ += '\n';
  }

  void WriteHeader() {
    std::string where;
    std::string path;
    if (!trace_.origins.empty()) {
      const LineOrigin& first = trace_.origins.front();
      path = first.source;
      const std::string numbers = LineNumbers(trace_.origins);
      if (!numbers.empty()) where = ":" + numbers;
      if (path != "stdin") where += ", offset " + std::to_string(first.offset);
      if (numbers.empty() && trace_.origins.size() > 1) {
        where += ", " + CountOf(trace_.origins.size(), "line");
      }
    }
    where += " (job " + std::string(trace_.job) + ")";
    const std::size_t taken = 3 + ColumnsOf(where);
    out_ += '\n';
    Row({}, kBold, "== " + ShowEnd(path, columns_ > taken + 20 ? columns_ - taken : 20) + where);
  }

  void WriteSteps() {
    for (const TraceStep& step : trace_.steps) {
      if (HasRows(step)) {
        FlushQuiet();
        WriteStep(step);
      } else if (!HasInner(step)) {
        AddQuiet(step);
      }
    }
    FlushQuiet();
  }

  static bool HasRows(const TraceStep& step) {
    return step.outcome != TraceStep::Outcome::kPassed || !step.changes.empty() ||
           !step.joined.empty() || !step.failures.empty();
  }

  // A match whose stages have run needs no word of its own.
  [[nodiscard]] bool HasInner(const TraceStep& outer) const {
    const std::string prefix = outer.stage->index + " > ";
    return std::any_of(trace_.steps.begin(), trace_.steps.end(), [&](const TraceStep& step) {
      return step.stage->index.starts_with(prefix);
    });
  }

  // Stages that did nothing share a row.
  void AddQuiet(const TraceStep& step) {
    const std::string_view note = step.stage->name == "match" ? "not selected" : "unchanged";
    if (note != quiet_note_) FlushQuiet();
    quiet_note_ = note;
    quiet_.push_back(&step);
  }

  void FlushQuiet() {
    std::string row;
    for (const TraceStep* step : quiet_) {
      const std::string& name = step->stage->index;
      const bool last = step == quiet_.back();
      const std::size_t after = last ? 2 + quiet_note_.size() : 1;
      if (!row.empty() && kIndent.size() + row.size() + 1 + name.size() + after > columns_) {
        Row(kIndent, kFaint, row);
        row.clear();
      }
      row += (row.empty() ? "" : " ") + name + (last ? "" : ",");
    }
    if (!quiet_.empty()) Row(kIndent, kFaint, row + ": " + std::string(quiet_note_));
    quiet_.clear();
  }

  void WriteStep(const TraceStep& step) {
    stage_ = step.stage->index;
    for (const Change& change : step.changes) {
      if (change.what == Change::What::kLine) line_ = change.after.text();
    }
    if (step.outcome == TraceStep::Outcome::kEmerged) WriteEmerged();
    if (!step.joined.empty()) WriteJoined(step);
    for (const Change& change : step.changes)
      WriteChange(change);
    for (const std::string_view failure : step.failures)
      StepRow(kRed, "! " + ShowText(failure, Room() - 2));
    if (step.outcome == TraceStep::Outcome::kDropped) {
      StepRow(kStrongRed, "dropped (" + ShowText(step.reason, Room() - 10) + ")");
    } else if (step.outcome == TraceStep::Outcome::kKept) {
      StepRow(kYellow, "kept back: " + std::string(WaitsFor(step.stage->name)));
    } else if (step.outcome == TraceStep::Outcome::kAbsorbed) {
      const std::string number = step.into ? LineNumbers({*step.into}) : std::string();
      StepRow(kYellow,
              "becomes part of " + (number.empty() ? "the entry before" : "line " + number));
    }
  }

  static std::string_view WaitsFor(std::string_view stage) {
    if (stage == "dedup") return "waits for the end of the run";
    if (stage == "limit") return "waits for its time";
    if (stage == "multiline") return "waits for more lines of its entry";
    return "waits for the rest of the line";
  }

  // The stage's name stands in the first of its rows.
  void StepRow(std::string_view color, std::string_view text) {
    std::string before(kIndent);
    if (ColumnsOf(stage_) > kStageColumns) {
      Row(kIndent, {}, stage_);
      stage_.clear();
    }
    before += stage_;
    before.append(kStageColumns - stage_.size() + 2, ' ');
    stage_.clear();
    Row(before, color, text);
  }

  [[nodiscard]] std::size_t Room() const { return columns_ - kIndent.size() - kStageColumns - 2; }

  void WriteEmerged() {
    std::string text = "comes out";
    if (!trace_.origins.empty()) text += ", " + CountOf(trace_.origins.size(), "line");
    switch (trace_.cause) {
      case BlockCause::kLines:
        text += ": complete";
        break;
      case BlockCause::kDeadline:
        text += trace_.steps.front().stage->name == "limit" ? ": its time has come"
                                                            : ": no more came in time";
        break;
      case BlockCause::kEndOfInput:
        text += ": the input has ended";
        break;
      case BlockCause::kEndOfSource:
        text += ": the file has ended";
        break;
    }
    StepRow(kYellow, text);
  }

  void WriteJoined(const TraceStep& step) {
    std::string text = "joined with " + CountOf(step.joined.size(), "line");
    const std::vector<LineOrigin>& own = trace_.origins;
    if (own.empty() || step.joined.front().offset < own.front().offset ||
        step.joined.front().source != own.front().source) {
      text += " kept back before";
    }
    const std::string numbers = LineNumbers(step.joined);
    if (!numbers.empty()) text += ": " + numbers;
    StepRow(kYellow, text);
  }

  void WriteChange(const Change& change) {
    switch (change.what) {
      case Change::What::kLine:
        return WriteLine(change);
      case Change::What::kTimestamp:
        return WriteTime(change);
      case Change::What::kLabel:
        return WriteValue("label ", "=", change);
      case Change::What::kMetadata:
        return WriteValue("metadata ", "=", change);
      case Change::What::kExtracted:
        return WriteValue("extracted ", " ", change);
    }
  }

  void WriteLine(const Change& change) {
    const ShownPair shown = ShowDifference(change.before.text(), change.after.text(), Room() - 7);
    if (!shown.is_edit) {
      // The line before stands above.
      return StepRow(kGreen, "+ line " + ShowText(change.after.text(), Room() - 7));
    }
    StepRow(kRed, "- line " + shown.before);
    StepRow(kGreen, "+ line " + shown.after);
  }

  void WriteTime(const Change& change) {
    const std::string after = FormatEntryTime(change.after_ns);
    // When the line was read says nothing.
    if (change.before_ns == trace_.first.timestamp_ns) return StepRow(kGreen, "+ time " + after);
    WriteVersions("time ", FormatEntryTime(change.before_ns), after);
  }

  void WriteValue(const std::string& kind, const std::string& equals, const Change& change) {
    const std::string what = kind + ShowText(change.name, Room() / 3) + equals;
    const std::size_t taken = 2 + ColumnsOf(what);
    const std::size_t room = std::max<std::size_t>(27, Room() > taken ? Room() - taken : 0);
    if (IsTheLine(change)) {
      StepRow(kGreen, "+ " + what + "(the line)");
    } else if (!change.before.present()) {
      StepRow(kGreen, "+ " + what + ShowValue(change.after, room));
    } else if (!change.after.present()) {
      StepRow(kRed, "- " + what + ShowValue(change.before, room));
    } else {
      WriteVersions(what, ShowValue(change.before, kAnyWidth), ShowValue(change.after, kAnyWidth),
                    ShowValue(change.before, room), ShowValue(change.after, room));
    }
  }

  // It would be shown twice.
  [[nodiscard]] bool IsTheLine(const Change& change) const {
    constexpr std::size_t kShort = 24;
    return !change.before.present() && change.after.is_string() && line_.size() > kShort &&
           change.after.text() == line_;
  }

  void WriteVersions(const std::string& what, const std::string& before, const std::string& after) {
    WriteVersions(what, before, after, before, after);
  }
  // In one row, if they fit uncut.
  void WriteVersions(const std::string& what, const std::string& before, const std::string& after,
                     const std::string& short_before, const std::string& short_after) {
    const std::string one = "~ " + what + before + " -> " + after;
    if (ColumnsOf(one) <= Room()) return StepRow(kYellow, one);
    StepRow(kRed, "- " + what + short_before);
    StepRow(kGreen, "+ " + what + short_after);
  }

  static std::string ShowValue(const Value& value, std::size_t columns) {
    std::string text;
    switch (value.type()) {
      case ValueType::kString:
        return ShowQuoted(value.text(), columns);
      case ValueType::kNumber:
        AppendGoFloat(value.number(), text);
        return ShowText(text, columns);
      case ValueType::kInteger:
        return ShowText(std::to_string(value.integer()), columns);
      case ValueType::kBool:
        return value.boolean() ? "true" : "false";
      case ValueType::kNull:
      case ValueType::kAbsent:
        break;
    }
    return "null";
  }

  void WriteEntry() {
    AppendEntryLine(trace_.last.timestamp_ns, FormatLabels(LabelsOf(trace_.last)), trace_.last.line,
                    options_.color, out_);
  }

  static Labels LabelsOf(const EntryState& state) {
    Labels labels;
    for (const auto& [name, value] : state.labels)
      labels.Set(name, value);
    return labels;
  }

  const EntryTrace& trace_;
  const TraceTextOptions& options_;
  const std::size_t columns_;
  std::string_view line_;  // As it is behind the stage that is being told.
  std::string stage_;      // To be named in the next row.
  std::vector<const TraceStep*> quiet_;
  std::string_view quiet_note_;
  std::string out_;
};

}  // namespace

std::string FormatTraceText(const EntryTrace& trace, const TraceTextOptions& options) {
  return TraceWriter(trace, options).Write();
}

}  // namespace agent
