// `docker_sd` stands before the stages of a job that reads containers found by docker_sd_configs:
//
//   {"log":"GET / 200\n","stream":"stdout","time":"2023-05-06T07:08:09.1Z"}
//
// becomes the entry that reading through Docker's API gives: the line without its end, the daemon's
// time, the labels that relabelling has found for its stream. Pieces of a long line (16 KiB each,
// no newline at the end, all with the same time) are joined. A line that is none of Docker's stays
// as it is.

#include "pipeline/stages/docker_source.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "pipeline/json/docker_line.h"
#include "pipeline/json/json_fields.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/partial_lines.h"
#include "pipeline/time/rfc3339.h"

namespace agent {
namespace {

// How long the last piece of a line is waited for. Docker writes it as soon as it has it, or when
// the container ends.
constexpr int64_t kMaxPieceWaitNs = 5 * kNanosPerSecond;

std::string_view WithoutLineEnd(std::string_view line) {
  const std::size_t last = line.find_last_not_of("\r\n");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

class DockerSourceStage final : public Stage {
 public:
  explicit DockerSourceStage(StageContext& context)
      : clock_(context.clock),
        unwanted_(context.drop_reasons.Intern("relabel", /*promtail_counts=*/false)),
        partials_(context, {.max_open = std::numeric_limits<int64_t>::max()}),
        malformed_(context, "malformed", "the line is none of Docker's json-file"),
        no_time_(context, "no_time", "the time is not RFC 3339") {
    for (const char* key : {"log", "stream", "time"}) {
      const std::string path(key);
      fields_.Add({&path, 1});
    }
  }

  void Process(Block& block) override {
    if (block.streams() == nullptr) return;
    for (const EntryIndex entry : block.live())
      ProcessEntry(block, entry, *block.streams());
    partials_.EndBlock(block);
  }

  [[nodiscard]] std::optional<int64_t> NextDeadline() const override {
    const std::optional<int64_t> kept = partials_.OldestKept();
    if (!kept) return std::nullopt;
    return *kept + kMaxPieceWaitNs;
  }
  void Flush(FlushReason reason, Block& block) override {
    if (reason == FlushReason::kDeadline) {
      partials_.EmitKept(clock_.MonotonicNanos() - kMaxPieceWaitNs, block);
    } else {
      partials_.EmitAll(block);
    }
  }
  void EndOfSource(const SourceProgress& progress, Block& block) override {
    partials_.EmitOf(progress, block);
  }
  void Abandon() override { partials_.Abandon(); }

 private:
  void ProcessEntry(Block& block, EntryIndex entry, const StreamLabelSets& streams) {
    DockerLine line;
    const bool ours = Unwrap(block, entry, line);
    const bool is_err = line.stream == "stderr";
    const std::optional<LabelSetId>& labels = is_err ? streams.err : streams.out;
    if (!labels) {
      block.Drop(entry, unwanted_);
      return;
    }
    block.StartWith(entry, *labels);
    if (!ours) {
      malformed_.Report(block, entry);
      return;
    }
    if (const std::optional<int64_t> time = time_.Parse(line.time)) {
      block.SetTimestamp(entry, *time);
    } else {
      no_time_.Report(block, entry);
    }
    // Lineages are odd numbers: the two streams of one never meet another's.
    const PartialLines::Key key = streams.lineage ^ (is_err ? 1U : 0U);
    partials_.EndOthers(block, entry, key);
    block.SetLine(entry, line.log);
    if (!line.log.ends_with('\n')) {
      partials_.Keep(block, entry, key, clock_.MonotonicNanos());
      return;
    }
    partials_.Complete(block, entry, key);
    block.SetLine(entry, WithoutLineEnd(block.Line(entry)));
  }

  // False when it is no line of Docker's.
  bool Unwrap(Block& block, EntryIndex entry, DockerLine& line) {
    if (unwrapper_.Unwrap(block.Line(entry), block.arena(), line)) return true;
    line = DockerLine();
    std::array<Value, 3> values;
    if (fields_.Read(block.Line(entry), block.arena(), values) &&
        values[0].type() == ValueType::kString) {
      line.log = values[0].text();
      line.stream = block.Text(values[1]).value_or("");
      line.time = block.Text(values[2]).value_or("");
      return true;
    }
    return false;
  }

  Clock& clock_;
  const DropReason unwanted_;
  DockerUnwrapper unwrapper_;
  JsonFields fields_;
  Rfc3339Parser time_;
  PartialLines partials_;
  StageFailure malformed_;
  StageFailure no_time_;
};

}  // namespace

std::unique_ptr<Stage> MakeDockerSourceStage(StageContext& context) {
  return std::make_unique<DockerSourceStage>(context);
}

}  // namespace agent
