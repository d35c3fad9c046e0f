// `template` renders a text from the extracted values and stores it as one of them.
//
//   - template:
//       source: level                        # the key to write; its value so far is .Value
//       template: '{{ ToLower .Value }}'     # Go's text/template
//
// Every extracted value is there as text under its name, the line as .Entry. An empty result
// deletes the key; a template that fails on an entry changes nothing.

#include "pipeline/template/template.h"

#include <cstddef>
#include <cstdint>
#include <functional>
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

namespace agent {
namespace {

// What the template sees of one entry.
class EntryData final : public TemplateData {
 public:
  // `names` are those of the template.
  EntryData(const std::vector<std::string>& names, Slot source, SlotTable& slots)
      : source_(source) {
    for (const std::string& name : names) {
      const Kind kind = name == "Value"   ? Kind::kValue
                        : name == "Entry" ? Kind::kEntry
                                          : Kind::kExtracted;
      if (kind == Kind::kValue) slots.Read(slots.name(source));
      fields_.push_back({kind, kind == Kind::kEntry ? source : slots.Read(name)});
    }
  }

  void Set(Block& block, EntryIndex entry) {
    block_ = &block;
    entry_ = entry;
  }

  std::optional<std::string_view> Lookup(std::size_t index) override {
    const Field& field = fields_[index];
    if (field.kind == Kind::kEntry) return block_->Line(entry_);
    if (field.kind == Kind::kValue) {
      if (const auto value = block_->ExtractedText(entry_, source_)) return value;
    }
    return block_->ExtractedText(entry_, field.slot);
  }

  void ForEach(const std::function<void(std::string_view, std::string_view)>& visit) override {
    block_->ForEachExtracted(entry_, [&](std::string_view name, const Value& value) {
      if (const auto text = block_->Text(value)) visit(name, *text);
    });
    if (const auto value = block_->ExtractedText(entry_, source_)) visit("Value", *value);
    visit("Entry", block_->Line(entry_));
  }

 private:
  enum class Kind : uint8_t { kExtracted, kValue, kEntry };
  struct Field {
    Kind kind;
    Slot slot;  // Of kValue: what an extracted value of that very name has.
  };

  const Slot source_;
  std::vector<Field> fields_;
  Block* block_ = nullptr;
  EntryIndex entry_ = 0;
};

class TemplateStage final : public Stage {
 public:
  TemplateStage(Slot source, Template compiled, StageContext& context)
      : source_(source),
        template_(std::move(compiled)),
        data_(template_.names(), source, context.slots),
        failed_(context, "failed", "the template cannot be run on it") {}

  void Prepare(const SlotTable& slots) override { wanted_ = slots.IsRead(source_); }

  void Process(Block& block) override {
    if (!wanted_) return;
    if (template_.is_constant()) {
      const Value value = Rendered(block, template_.constant_text());
      for (const EntryIndex entry : block.live())
        block.SetExtracted(entry, source_, value);
      return;
    }
    for (const EntryIndex entry : block.live()) {
      data_.Set(block, entry);
      out_.clear();
      if (template_.Execute(data_, out_)) {
        block.SetExtracted(entry, source_, Rendered(block, out_));
      } else {
        failed_.Report(block, entry);
      }
    }
  }

 private:
  static Value Rendered(Block& block, std::string_view text) {
    return text.empty() ? Value() : Value::String(block.arena().Copy(text));
  }

  const Slot source_;
  Template template_;
  EntryData data_;
  StageFailure failed_;
  bool wanted_ = true;
  std::string out_;
};

}  // namespace

std::unique_ptr<Stage> MakeTemplateStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context);
  const std::string source = fields.RequiredString("source");
  const std::string text = fields.String("template");
  Result<Template> compiled = Template::Compile(text, context.clock);
  if (!compiled.ok()) {
    fields.Error("template", "template:" + compiled.error().message);
  }
  if (!fields.Finish() || !compiled.ok()) return nullptr;
  if (compiled->uses_everything()) context.slots.ReadEverything();
  return std::make_unique<TemplateStage>(context.slots.Write(source), std::move(compiled).value(),
                                         context);
}

}  // namespace agent
