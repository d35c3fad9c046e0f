// `replace` rewrites what the groups of an expression capture, in the line or in an extracted
// value.
//
//   - replace: { expression: 'password=(\S+)', replace: '****' }
//   - replace: { source: ip, expression: '(\d+)$', replace: '{{ .Value | len }}' }
//
// Every match, every group that took part, named or not. What lies in a group that was already
// written (nested groups) is not written again. A named group also stores its rendering as an
// extracted value.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/regex/regex.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/stages.h"
#include "pipeline/template/template.h"

namespace agent {
namespace {

// What the template sees: the extracted values in text form, and the captured text as `Value`.
class CapturedData final : public TemplateData {
 public:
  // `slots`: of each name that the template reads; nullopt for `Value`.
  explicit CapturedData(std::vector<std::optional<Slot>> slots) : slots_(std::move(slots)) {}

  void SetEntry(Block& block, EntryIndex entry) {
    block_ = &block;
    entry_ = entry;
  }
  void SetValue(std::string_view value) { value_ = value; }

  std::optional<std::string_view> Lookup(std::size_t index) override {
    if (!slots_[index]) return value_;
    return block_->ExtractedText(entry_, *slots_[index]);
  }

  void ForEach(
      const std::function<void(std::string_view name, std::string_view value)>& visit) override {
    block_->ForEachExtracted(entry_, [&](std::string_view name, const Value& value) {
      const std::optional<std::string_view> text = block_->Text(value);
      if (text && name != "Value") visit(name, *text);
    });
    visit("Value", value_);
  }

 private:
  const std::vector<std::optional<Slot>> slots_;
  Block* block_ = nullptr;
  EntryIndex entry_ = 0;
  std::string_view value_;
};

// What stands in place of a captured text: a constant, or a template for each of them.
class Replacement {
 public:
  explicit Replacement(std::string constant) : constant_(std::move(constant)) {}
  Replacement(Template compiled, std::vector<std::optional<Slot>> slots)
      : template_(std::move(compiled)), data_(std::make_unique<CapturedData>(std::move(slots))) {}

  void SetEntry(Block& block, EntryIndex entry) {
    if (data_) data_->SetEntry(block, entry);
  }
  // Appends the rendering; false when it failed.
  bool Render(std::string_view captured, std::string& out) {
    if (!template_) {
      out += constant_;
      return true;
    }
    data_->SetValue(captured);
    return template_->Execute(*data_, out);
  }

 private:
  std::string constant_;
  std::optional<Template> template_;
  std::unique_ptr<CapturedData> data_;
};

class ReplaceStage final : public Stage {
 public:
  struct NamedGroup {
    std::size_t group = 0;
    Slot slot = 0;
  };

  ReplaceStage(std::unique_ptr<Regex> regex, std::optional<Slot> source, Replacement replacement,
               std::vector<NamedGroup> named, StageContext& context)
      : regex_(std::move(regex)),
        source_(source),
        replacement_(std::move(replacement)),
        named_(std::move(named)),
        failed_(context, "template", "the template cannot be run on it") {
    groups_.resize(regex_->captured());
  }

  void Prepare(const SlotTable& slots) override {
    std::erase_if(named_, [&slots](const NamedGroup& named) { return !slots.IsRead(named.slot); });
    renderings_.resize(named_.size());
  }

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      const std::optional<std::string_view> text =
          source_ ? block.ExtractedText(entry, *source_) : block.Line(entry);
      if (text) ReplaceIn(block, entry, *text);
    }
  }

 private:
  // What is to be stored for a named group: the last rendering of the text that the group captured
  // in the first match, whichever group that was a rendering for.
  struct Rendering {
    std::string_view captured;
    std::string text;
    bool found = false;
  };

  void ReplaceIn(Block& block, EntryIndex entry, std::string_view text) {
    regex_->Begin(text);
    if (!regex_->Next(groups_)) return;
    for (std::size_t i = 0; i < named_.size(); ++i) {
      renderings_[i].captured = groups_[named_[i].group].In(text);
      renderings_[i].found = false;
    }
    replacement_.SetEntry(block, entry);
    result_.clear();
    std::size_t written = 0;  // Up to here `text` has gone into the result.
    do {
      if (!WriteMatch(text, written)) return failed_.Report(block, entry);
    } while (regex_->Next(groups_));
    result_ += text.substr(written);
    const std::string_view result = block.arena().Copy(result_);
    if (source_) {
      block.SetExtracted(entry, *source_, Value::String(result));
    } else {
      block.SetLine(entry, result);
    }
    StoreNamed(block, entry);
  }

  // False when rendering failed: then nothing at all changes.
  bool WriteMatch(std::string_view text, std::size_t& written) {
    for (std::size_t group = 1; group < groups_.size(); ++group) {
      const TextSpan& span = groups_[group];
      if (!span.matched()) continue;
      const bool writes = span.begin >= written;
      if (!writes && named_.empty()) {
        if (!RenderUnused(span.In(text))) return false;
        continue;
      }
      if (writes) result_ += text.substr(written, span.begin - written);
      const std::size_t begin = result_.size();
      if (!replacement_.Render(span.In(text), result_)) return false;
      Remember(span.In(text), begin);
      if (writes) {
        written = span.end;
      } else {
        result_.resize(begin);
      }
    }
    return true;
  }

  // A nested group is rendered for nothing but to see whether that fails.
  bool RenderUnused(std::string_view captured) {
    const std::size_t size = result_.size();
    const bool rendered = replacement_.Render(captured, result_);
    result_.resize(size);
    return rendered;
  }

  void Remember(std::string_view captured, std::size_t begin) {
    for (Rendering& rendering : renderings_) {
      if (rendering.captured != captured) continue;
      rendering.text.assign(result_, begin);
      rendering.found = true;
    }
  }

  void StoreNamed(Block& block, EntryIndex entry) {
    for (std::size_t i = 0; i < named_.size(); ++i) {
      if (!renderings_[i].found) continue;
      const std::string_view text = block.arena().Copy(renderings_[i].text);
      block.SetExtracted(entry, named_[i].slot, Value::String(text));
    }
  }

  const std::unique_ptr<Regex> regex_;
  const std::optional<Slot> source_;
  Replacement replacement_;
  std::vector<NamedGroup> named_;
  std::vector<TextSpan> groups_;
  std::vector<Rendering> renderings_;  // Of each named group.
  std::string result_;
  StageFailure failed_;
};

// Leaves everything as it is.
class NoChangeStage final : public Stage {
 public:
  void Process(Block& /*block*/) override {}
};

// nullopt, after a warning, when the text is no template: then the stage does nothing, as in
// Promtail.
std::optional<Replacement> ReadReplacement(StageFields& fields, StageContext& context) {
  std::string text = fields.String("replace");
  if (text.find("{{") == std::string::npos) return Replacement(std::move(text));
  Result<Template> compiled = Template::Compile(text, context.clock);
  if (!compiled.ok()) {
    fields.Warning("replace",
                   "not a valid template, so the stage does nothing: " + compiled.error().message);
    return std::nullopt;
  }
  if (compiled->is_constant()) return Replacement(std::string(compiled->constant_text()));
  if (compiled->uses_everything()) context.slots.ReadEverything();
  std::vector<std::optional<Slot>> slots;
  for (const std::string& name : compiled->names()) {
    slots.push_back(name == "Value" ? std::nullopt : std::optional(context.slots.Read(name)));
  }
  return Replacement(std::move(compiled).value(), std::move(slots));
}

}  // namespace

std::unique_ptr<Stage> MakeReplaceStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  StageFields fields(node, context);
  std::unique_ptr<Regex> regex = ReadRequiredRegex(fields, "expression");
  const std::optional<Slot> source = fields.OptionalSource();
  std::optional<Replacement> replacement = ReadReplacement(fields, context);
  if (!fields.Finish() || context.problems.error_count() > errors) return nullptr;
  if (regex->group_count() == 0) {
    fields.Warning("expression", "has no group, so nothing is replaced",
                   "put what shall be replaced in parentheses");
    if (!source) return std::make_unique<NoChangeStage>();
  }
  if (!replacement) return std::make_unique<NoChangeStage>();
  std::vector<ReplaceStage::NamedGroup> named;
  for (std::size_t group = 1; group <= regex->group_count(); ++group) {
    const std::string& name = regex->group_names()[group];
    if (!name.empty()) named.push_back({.group = group, .slot = context.slots.Write(name)});
  }
  return std::make_unique<ReplaceStage>(std::move(regex), source, *std::move(replacement),
                                        std::move(named), context);
}

}  // namespace agent
