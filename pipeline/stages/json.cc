// `json` extracts values from a JSON object: the line, or a value extracted before.
//
//   - json:
//       expressions: { level: , code: response.code, first: "errors[0].msg", id: '"request-id"' }
//       source: payload        # Default: the line.
//       drop_malformed: false  # True: an entry whose text is not a JSON object is dropped.
//
// Every key gets the result of its JMESPath expression, null where there is nothing, also where an
// earlier stage had set it. A text that is malformed sets nothing.

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "pipeline/json/jmespath.h"
#include "pipeline/json/json_fields.h"
#include "pipeline/json/json_writer.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

struct Expression {
  Slot slot;
  JmesPath path;
};

class JsonStage final : public Stage {
 public:
  JsonStage(std::vector<Expression> expressions, std::optional<Slot> source,
            std::optional<DropReason> drop_malformed, StageContext& context)
      : expressions_(std::move(expressions)),
        source_(source),
        drop_malformed_(drop_malformed),
        malformed_(context, "malformed", "the text is no JSON object"),
        not_evaluated_(context, "expression", "an expression cannot be evaluated on it") {}

  // What is only a path of keys is read in one pass; the rest needs the whole text as a tree.
  void Prepare(const SlotTable& slots) override {
    for (const Expression& expression : expressions_) {
      if (!slots.IsRead(expression.slot)) continue;
      if (const auto path = expression.path.SimplePath()) {
        paths_.push_back({expression.slot, fields_.Add(*path)});
      } else {
        searches_.push_back(&expression);
      }
    }
    values_.resize(fields_.size());
  }

  void Process(Block& block) override {
    if (paths_.empty() && searches_.empty() && !drop_malformed_) return;
    for (const EntryIndex entry : block.live()) {
      const std::optional<std::string_view> text =
          source_ ? block.ExtractedText(entry, *source_) : block.Line(entry);
      if (!text) continue;
      if (Extract(block, entry, *text)) continue;
      malformed_.Report(block, entry);
      if (drop_malformed_) block.Drop(entry, *drop_malformed_);
    }
  }

 private:
  struct Path {
    Slot slot;
    std::size_t field;
  };

  // False when the text is malformed.
  bool Extract(Block& block, EntryIndex entry, std::string_view text) {
    if (paths_.empty() && searches_.empty()) return fields_.Check(text);
    const JsonNode* data = nullptr;
    if (!searches_.empty()) {
      document_.Clear();
      data = document_.ParseObject(text);
      if (data == nullptr) return false;
    }
    if (!paths_.empty() && !fields_.Read(text, block.arena(), values_)) return false;
    for (const Path& path : paths_)
      block.SetExtracted(entry, path.slot, values_[path.field]);
    for (const Expression* expression : searches_)
      Search(block, entry, *expression, *data);
    return true;
  }

  // An error of the evaluation leaves the key alone.
  void Search(Block& block, EntryIndex entry, const Expression& expression, const JsonNode& data) {
    const Result<const JsonNode*> result = expression.path.Search(data, document_);
    if (!result.ok()) return not_evaluated_.Report(block, entry);
    const JsonNode& node = **result;
    switch (node.type) {
      case JsonType::kNull:
        return block.SetExtracted(entry, expression.slot, Value::Null());
      case JsonType::kBool:
        return block.SetExtracted(entry, expression.slot, Value::Bool(node.boolean));
      case JsonType::kNumber:
        return block.SetExtracted(entry, expression.slot, Value::Number(node.number));
      case JsonType::kString:
        return block.SetExtracted(entry, expression.slot,
                                  Value::String(block.arena().Copy(node.text)));
      case JsonType::kArray:
      case JsonType::kObject:
        break;
    }
    std::string text;
    constexpr std::size_t kMaxBytes = std::numeric_limits<uint32_t>::max() / 4;
    if (!AppendJson(node, ExponentForm::kTwoDigits, kMaxBytes, text)) {
      return not_evaluated_.Report(block, entry);
    }
    block.SetExtracted(entry, expression.slot, Value::String(block.arena().Copy(text)));
  }

  const std::vector<Expression> expressions_;
  const std::optional<Slot> source_;
  const std::optional<DropReason> drop_malformed_;
  StageFailure malformed_;
  StageFailure not_evaluated_;
  std::vector<Path> paths_;
  std::vector<const Expression*> searches_;
  JsonFields fields_;
  JsonDocument document_;
  std::vector<Value> values_;
};

// Where an offset in the expression of that key stands in the file, if that can be told.
Place PlaceInExpression(const ConfigNode& expressions, const std::string& key, std::size_t offset) {
  for (const auto& [name, value] : expressions.pairs()) {
    if (name.text() != key) continue;
    const std::string& text = value.text();
    Place place = text.empty() ? name.place() : value.place();
    const bool as_written =
        !value.quoted() || (value.single_quoted() && text.find('\'') == std::string::npos);
    if (!text.empty() && as_written && text.find('\n') == std::string::npos) {
      place.column += static_cast<uint32_t>(offset + (value.quoted() ? 1 : 0));
      place.length = 1;
    }
    return place;
  }
  return expressions.place();
}

std::vector<Expression> ReadExpressions(StageFields& fields, StageContext& context) {
  std::vector<Expression> expressions;
  const auto pairs = fields.StringMap("expressions", /*null_as_empty=*/true);
  const ConfigNode* node = fields.Node("expressions");
  const bool has_any = node != nullptr && (!node->is_map() || !node->pairs().empty());
  if (!has_any || node->is_null()) {
    fields.Error("expressions", "JMES expression is required", "expressions: { key: path }");
    return expressions;
  }
  for (const auto& [key, text] : pairs) {
    JmesPath::SyntaxError where;
    Result<JmesPath> path = JmesPath::Compile(text.empty() ? key : text, &where);
    const std::string at = fields.PathOf("expressions") + "." + key;
    if (!path.ok()) {
      context.problems.Error(
          PlaceInExpression(*node, key, where.offset), at,
          "could not compile JMES expression: SyntaxError: " + path.error().message,
          text.empty() ? "write an expression for this key, with the name in double quotes" : "");
      continue;
    }
    if (!path->warning().empty()) {
      context.problems.Warning(PlaceInExpression(*node, key, 0), at,
                               path->warning() + ": the key will never be set");
    }
    expressions.push_back({context.slots.Write(key), std::move(path).value()});
  }
  return expressions;
}

}  // namespace

std::unique_ptr<Stage> MakeJsonStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  StageFields fields(node, context);
  const std::optional<Slot> source = fields.OptionalSource();
  std::vector<Expression> expressions = ReadExpressions(fields, context);
  std::optional<DropReason> drop_malformed;
  if (fields.Bool("drop_malformed", false)) {
    // Promtail does not count these; our ledger does.
    drop_malformed = context.drop_reasons.Intern("json_malformed", /*promtail_counts=*/false);
  }
  if (!fields.Finish() || context.problems.error_count() > errors) return nullptr;
  return std::make_unique<JsonStage>(std::move(expressions), source, drop_malformed, context);
}

}  // namespace agent
