// `pack` puts extracted values and the line into one JSON object, which becomes the line: for
// labels that are worth keeping but would make too many streams.
//
//   - pack: { labels: [pod, container], ingest_timestamp: true }
//
//   {"container":"web","pod":"web-1","_entry":"the line"}
//
// A value that is absent or null is left out; labels with a name that was packed are removed. The
// time of the entry becomes the present one, unless `ingest_timestamp` is false.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "pipeline/json/json_writer.h"
#include "pipeline/stages/label_cache.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

// What is kept for the next block; a huge line must not cost memory for ever.
constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

// A name that is packed.
struct PackedName {
  PackedName(const std::string& name, StageContext& context)
      : slot(context.slots.Read(name)),
        without_label(context.label_sets,
                      [name](LabelSets& sets, LabelSetId id) { return sets.Without(id, name); }) {
    AppendJsonString(name, key);
    key += ':';
  }

  Slot slot;
  std::string key;  // As it stands in the object: `"pod":`.
  LabelCache without_label;
};

class PackStage final : public Stage {
 public:
  PackStage(std::vector<PackedName> names, bool ingest_timestamp, const Clock& clock)
      : names_(std::move(names)), ingest_timestamp_(ingest_timestamp), clock_(clock) {}

  void Process(Block& block) override {
    int64_t now = ingest_timestamp_ ? clock_.WallNanos() : 0;
    for (const EntryIndex entry : block.live()) {
      Pack(block, entry);
      // Entries keep their order: a nanosecond apart, as lines are when they are read.
      if (ingest_timestamp_) block.SetTimestamp(entry, now++);
    }
    if (packed_.capacity() > kKeptBytes) packed_ = std::string();
  }

 private:
  void Pack(Block& block, EntryIndex entry) {
    const LabelSetId before = block.LabelsOf(entry);
    LabelSetId after = before;
    packed_ = '{';
    for (PackedName& name : names_) {
      const std::optional<std::string_view> value = block.ExtractedText(entry, name.slot);
      if (!value) continue;
      packed_ += name.key;
      AppendJsonString(*value, packed_);
      packed_ += ',';
      after = name.without_label.Apply(after);
    }
    packed_ += "\"_entry\":";
    AppendJsonString(block.Line(entry), packed_);
    packed_ += '}';
    block.SetLine(entry, block.arena().Copy(packed_));
    if (after != before) block.SetLabels(entry, after);
  }

  std::vector<PackedName> names_;  // Sorted, each once.
  const bool ingest_timestamp_;
  const Clock& clock_;
  std::string packed_;
};

}  // namespace

std::unique_ptr<Stage> MakePackStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context, FieldReader::Typing::kWeak);
  std::vector<std::string> labels = fields.StringList("labels");
  const bool ingest_timestamp = fields.Bool("ingest_timestamp", true);
  if (!fields.Finish()) return nullptr;

  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  std::vector<PackedName> names;
  names.reserve(labels.size());
  for (const std::string& label : labels)
    names.emplace_back(label, context);
  return std::make_unique<PackStage>(std::move(names), ingest_timestamp, context.clock);
}

}  // namespace agent
