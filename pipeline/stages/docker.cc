// `docker` takes the wrapper off lines of Docker's json-file log.
//
//   - docker: {}
//
//   {"log":"GET / 200\n","stream":"stdout","time":"2023-05-06T07:08:09.1Z"}
//
// `log` becomes the line (its newline stays), `stream` a label, `time` the time of the entry; they
// are extracted as output, stream and timestamp. A line that is not a JSON object stays as it is;
// so does the line of an object without `log`.

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/json/docker_line.h"
#include "pipeline/json/json_fields.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/stages.h"
#include "pipeline/stages/unwrap.h"

namespace agent {
namespace {

class DockerStage final : public Stage {
 public:
  explicit DockerStage(StageContext& context)
      : output_(context.slots, "output"),
        stream_(context.slots, "stream"),
        timestamp_(context.slots, "timestamp"),
        time_(context.label_sets),
        malformed_(context, "malformed", "the line is no JSON object") {
    for (const char* key : {"log", "stream", "time"}) {
      const std::string path(key);
      fields_.Add({&path, 1});
    }
  }

  void Prepare(const SlotTable& slots) override {
    output_.Prepare(slots);
    stream_.Prepare(slots);
    timestamp_.Prepare(slots);
  }

  void Process(Block& block) override {
    block.SeedExtractedFromLabels();
    for (const EntryIndex entry : block.live())
      ProcessEntry(block, entry);
  }

 private:
  // The texts of the three fields, where there are any.
  struct Texts {
    std::optional<std::string_view> output;
    std::optional<std::string_view> stream;
    std::optional<std::string_view> timestamp;
  };

  void ProcessEntry(Block& block, EntryIndex entry) {
    const Texts texts = Extract(block, entry);
    if (texts.stream) {
      block.SetLabels(entry,
                      label_.Apply(block.label_sets(), block.LabelsOf(entry), *texts.stream));
    }
    time_.Apply(block, entry, texts.timestamp ? time_.Parse(*texts.timestamp) : std::nullopt);
    if (texts.output) block.SetLine(entry, *texts.output);
  }

  Texts Extract(Block& block, EntryIndex entry) {
    DockerLine line;
    if (unwrapper_.Unwrap(block.Line(entry), block.arena(), line)) {
      output_.Set(block, entry, Value::String(line.log));
      stream_.Set(block, entry, Value::String(line.stream));
      timestamp_.Set(block, entry, Value::String(line.time));
      return {line.log, line.stream, line.time};
    }
    std::array<Value, 3> values;
    if (fields_.Read(block.Line(entry), block.arena(), values)) {
      output_.Set(block, entry, values[0]);
      stream_.Set(block, entry, values[1]);
      timestamp_.Set(block, entry, values[2]);
      return {block.Text(values[0]), block.Text(values[1]), block.Text(values[2])};
    }
    // Of a container that docker_sd has found the wrapper is off already.
    if (block.streams() == nullptr) malformed_.Report(block, entry);
    const LabelSetId labels = block.LabelsOf(entry);
    return {output_.Before(block, entry, labels), stream_.Before(block, entry, labels),
            timestamp_.Before(block, entry, labels)};
  }

  UnwrappedField output_;
  UnwrappedField stream_;
  UnwrappedField timestamp_;
  DockerUnwrapper unwrapper_;
  JsonFields fields_;
  StreamLabel label_;
  WrapperTime time_;
  StageFailure malformed_;
};

}  // namespace

std::unique_ptr<Stage> MakeDockerStage(const ConfigNode& node, StageContext& context) {
  if (node.is_map()) {
    StageFields fields(node, context);
    fields.Finish();  // There are none; anything given is ignored, with a warning.
  }
  return std::make_unique<DockerStage>(context);
}

}  // namespace agent
