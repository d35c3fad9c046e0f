// `timestamp` makes an extracted value the time of the entry.
//
//   - timestamp:
//       source: ts
//       format: RFC3339                      # or a Go layout, or Unix, UnixMs, UnixUs, UnixNs
//       fallback_formats: [UnixMs]           # tried in order when `format` does not fit
//       location: Europe/Berlin              # of layouts without an offset; default UTC
//       action_on_failure: fudge             # or skip
//
// A value that no format fits leaves the time as it is (skip), or takes the last good one of the
// same label set plus a nanosecond (fudge).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/block.h"
#include "pipeline/stage.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/stages.h"
#include "pipeline/time/fudge.h"
#include "pipeline/time/location.h"
#include "pipeline/time/time_format.h"

namespace agent {
namespace {

class TimestampStage final : public Stage {
 public:
  struct Options {
    Slot source = 0;
    std::vector<std::string> formats;
    std::unique_ptr<Location> location;  // Null: none given.
    bool fudge = true;
  };

  TimestampStage(Options options, StageContext& context)
      : source_(options.source),
        location_(std::move(options.location)),
        local_(Location::Local()),
        fudge_(options.fudge),
        missing_(context, "missing", "there is no value to read the time from"),
        unparsed_(context, "unparsed", "the value fits no format") {
    formats_.reserve(options.formats.size());
    for (const std::string& format : options.formats) {
      formats_.emplace_back(format, location_.get(), *local_, context.clock);
    }
    if (fudge_) last_.emplace(context.label_sets);
  }

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      const std::optional<std::string_view> text = block.ExtractedText(entry, source_);
      const std::optional<int64_t> time = text ? Parse(*text) : std::nullopt;
      if (time) {
        block.SetTimestamp(entry, *time);
      } else {
        (text ? unparsed_ : missing_).Report(block, entry);
      }
      if (!fudge_) continue;
      if (time) {
        last_->Remember(block.LabelsOf(entry), *time);
      } else if (const auto next = last_->Next(block.LabelsOf(entry))) {
        block.SetTimestamp(entry, *next);
      }
    }
  }

  [[nodiscard]] const std::vector<TimeFormat>& formats() const { return formats_; }

 private:
  std::optional<int64_t> Parse(std::string_view text) {
    for (TimeFormat& format : formats_) {
      if (const auto time = format.Parse(text)) return time;
    }
    return std::nullopt;
  }

  const Slot source_;
  const std::unique_ptr<Location> location_;
  const std::unique_ptr<Location> local_;
  const bool fudge_;
  StageFailure missing_;
  StageFailure unparsed_;
  std::vector<TimeFormat> formats_;
  std::optional<FudgeTable> last_;  // Only with fudge.
};

}  // namespace

std::unique_ptr<Stage> MakeTimestampStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context);
  TimestampStage::Options options;
  options.source = fields.RequiredSource();
  options.formats.push_back(fields.RequiredString("format"));
  for (std::string& format : fields.StringList("fallback_formats")) {
    options.formats.push_back(std::move(format));
  }
  const std::string location = fields.String("location");
  if (!location.empty()) {
    Result<std::unique_ptr<Location>> loaded = Location::Load(location);
    if (loaded.ok()) {
      options.location = std::move(loaded).value();
    } else {
      fields.Error("location", loaded.error().message);
    }
  }
  options.fudge = fields.Choice("action_on_failure", "fudge", {"fudge", "skip"}) == "fudge";
  if (!fields.Finish()) return nullptr;

  auto stage = std::make_unique<TimestampStage>(std::move(options), context);
  for (std::size_t i = 0; i < stage->formats().size(); ++i) {
    if (stage->formats()[i].has_elements()) continue;
    fields.Warning(i == 0 ? "format" : "fallback_formats",
                   "no part of this layout stands for a piece of a time",
                   "write the reference time, as in '2006-01-02 15:04:05'");
  }
  return stage;
}

}  // namespace agent
