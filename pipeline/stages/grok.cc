// `grok` takes a text apart by named patterns, as Logstash's filter does.
//
//   - grok: { pattern: '%{TIMESTAMP_ISO8601:time} %{LOGLEVEL:level} %{GREEDYDATA:message}' }
//   - grok:
//       match: ['%{COMBINEDAPACHELOG}', '%{COMMONAPACHELOG}']   # The first one that matches.
//       source: log                        # Default: the line.
//       patterns: { JOB: '[a-z]+-\d+' }    # Used as %{JOB} and %{JOB:name}.
//       pattern_files: [/etc/log-agent/grok/*.grok]
//       tag_on_failure: grok_failed        # An extracted value, true where nothing matched.
//
// Empty captures set nothing. Without a match nothing changes but the tag, and the entry is
// counted.

#include <glob.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/grok/compiler.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

class GrokStage final : public Stage {
 public:
  struct Target {
    std::size_t group = 0;
    Slot slot = 0;
    Conversion type = Conversion::kString;
  };
  struct Expression {
    std::unique_ptr<Regex> regex;
    std::vector<Target> targets;  // Later ones win.
  };
  struct Settings {
    std::optional<Slot> source;
    std::vector<Slot> failure_tags;
    bool keep_empty = false;
  };

  GrokStage(std::vector<Expression> expressions, Settings settings, StageContext& context)
      : expressions_(std::move(expressions)),
        settings_(std::move(settings)),
        no_match_(context, "no_match", "no expression matches"),
        not_converted_(context, "type", "a text is not of the type that the expression wants") {}

  void Prepare(const SlotTable& slots) override {
    std::erase_if(settings_.failure_tags, [&slots](Slot slot) { return !slots.IsRead(slot); });
    std::size_t most = 0;
    for (Expression& expression : expressions_) {
      std::erase_if(expression.targets,
                    [&slots](const Target& target) { return !slots.IsRead(target.slot); });
      std::vector<std::size_t> groups;
      groups.reserve(expression.targets.size());
      for (const Target& target : expression.targets)
        groups.push_back(target.group);
      expression.regex->Capture(std::move(groups));
      most = std::max(most, expression.targets.size());
    }
    found_.assign(most, {});
  }

  void Process(Block& block) override {
    if (found_.empty() && settings_.failure_tags.empty()) return;  // Nobody reads what it writes.
    for (const EntryIndex entry : block.live()) {
      const std::optional<std::string_view> text =
          settings_.source ? block.ExtractedText(entry, *settings_.source) : block.Line(entry);
      if (text && MatchFirst(block, entry, *text)) continue;
      no_match_.Report(block, entry);
      for (const Slot tag : settings_.failure_tags)
        block.SetExtracted(entry, tag, Value::Bool(true));
    }
  }

 private:
  bool MatchFirst(Block& block, EntryIndex entry, std::string_view text) {
    for (const Expression& expression : expressions_) {
      const std::span<TextSpan> found = std::span(found_).first(expression.targets.size());
      if (!expression.regex->Search(text, found)) continue;
      for (std::size_t i = 0; i < found.size(); ++i)
        Store(block, entry, expression.targets[i], found[i], text);
      return true;
    }
    return false;
  }

  void Store(Block& block, EntryIndex entry, const Target& target, const TextSpan& span,
             std::string_view text) {
    // Also what is empty lies in the block.
    const std::string_view captured = span.matched() ? span.In(text) : text.substr(0, 0);
    if (captured.empty()) {
      if (!settings_.keep_empty) return;
      const Value nothing = span.matched() ? Value::String(captured) : Value::Null();
      return block.SetExtracted(entry, target.slot, nothing);
    }
    if (target.type == Conversion::kString) {
      return block.SetExtracted(entry, target.slot, Value::String(captured));
    }
    const std::optional<Value> converted = ConvertText(captured, target.type);
    if (!converted) not_converted_.Report(block, entry);
    block.SetExtracted(entry, target.slot, converted.value_or(Value::String(captured)));
  }

  std::vector<Expression> expressions_;
  Settings settings_;
  std::vector<TextSpan> found_;
  StageFailure no_match_;
  StageFailure not_converted_;
};

// The files that a path or glob names, sorted.
std::vector<std::string> FilesOf(const std::string& path) {
  glob_t found{};
  std::vector<std::string> files;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): only the expansion of ~ and the locale make it so.
  if (glob(path.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    const std::span<char* const> paths(found.gl_pathv, found.gl_pathc);
    files.assign(paths.begin(), paths.end());
  }
  globfree(&found);
  std::ranges::sort(files);
  return files;
}

class GrokReader {
 public:
  GrokReader(const ConfigNode& node, StageContext& context)
      : errors_(context.problems.error_count()), fields_(node, context), context_(context) {}

  std::unique_ptr<Stage> Read() {
    ReadPatterns();
    GrokStage::Settings settings;
    settings.source = fields_.OptionalSource();
    settings.keep_empty = fields_.Bool("keep_empty_captures", false);
    settings.failure_tags = ReadTags();
    std::vector<GrokStage::Expression> expressions = ReadExpressions();
    if (!fields_.Finish() || context_.problems.error_count() > errors_) return nullptr;
    return std::make_unique<GrokStage>(std::move(expressions), std::move(settings), context_);
  }

 private:
  void ReadPatterns() {
    for (const std::string& path : fields_.StringList("pattern_files")) {
      const std::vector<std::string> files = FilesOf(path);
      if (files.empty()) fields_.Error("pattern_files", path + ": there is no such file");
      for (const std::string& file : files) {
        const Status added = patterns_.AddFile(file);
        if (!added.ok()) fields_.Error("pattern_files", added.error().message);
      }
    }
    for (const auto& [name, text] : fields_.StringMap("patterns", /*null_as_empty=*/false)) {
      if (!IsGrokPatternName(name)) {
        fields_.Error("patterns", "'" + name + "' is no name of a pattern",
                      "letters, digits and '_' make a name");
      } else if (!patterns_.Add(name, text)) {
        fields_.Error("patterns", "pattern '" + name + "' is defined twice");
      }
    }
  }

  // One name or a list of them; an empty list is none.
  std::vector<Slot> ReadTags() {
    const ConfigNode* const node = fields_.Node("tag_on_failure");
    std::vector<std::string> names;
    if (node != nullptr && node->is_scalar()) {
      names.push_back(fields_.String("tag_on_failure"));
    } else {
      names = fields_.StringList("tag_on_failure");
    }
    std::vector<Slot> slots;
    slots.reserve(names.size());
    for (const std::string& name : names)
      slots.push_back(context_.slots.Write(name));
    return slots;
  }

  std::vector<GrokStage::Expression> ReadExpressions() {
    const ConfigNode* const pattern = fields_.Node("pattern");
    const ConfigNode* const match = fields_.Node("match");
    if (pattern != nullptr && match != nullptr) {
      fields_.Error("match", "'pattern' and 'match' exclude each other",
                    "put all expressions in 'match'");
      return {};
    }
    if (match != nullptr && match->is_map()) {
      fields_.Error("match", "expected an expression or a list of them, got a map",
                    "name the extracted value in 'source', and put its expressions here");
      return {};
    }
    std::vector<GrokStage::Expression> expressions;
    if (match != nullptr && match->is_sequence()) {
      for (std::size_t i = 0; i < match->items().size(); ++i) {
        AddExpression("match[" + std::to_string(i) + "]", match->items()[i], expressions);
      }
    } else if (match != nullptr || pattern != nullptr) {
      const ConfigNode& only = match != nullptr ? *match : *pattern;
      AddExpression(match != nullptr ? "match" : "pattern", only, expressions);
    }
    if (expressions.empty() && context_.problems.error_count() == errors_) {
      fields_.MapError("needs an expression", "pattern: '%{LOGLEVEL:level} %{GREEDYDATA:message}'");
    }
    return expressions;
  }

  void AddExpression(const std::string& key, const ConfigNode& node,
                     std::vector<GrokStage::Expression>& expressions) {
    if (!node.is_scalar() || node.IsBool() || node.IsNumber() || node.text().empty()) {
      const std::string got =
          node.is_scalar() && node.text().empty() ? "an empty text" : std::string(node.KindName());
      context_.problems.Error(node.place(), fields_.PathOf(key),
                              "expected an expression, got " + got);
      return;
    }
    GrokProblem problem;
    std::optional<GrokExpression> compiled = CompileGrok(node.text(), patterns_, problem);
    if (!compiled) return Report(key, node, problem);
    GrokStage::Expression& expression = expressions.emplace_back();
    expression.regex = std::move(compiled->regex);
    for (const bool own : {false, true}) {
      for (const GrokCapture& capture : compiled->captures) {
        if (capture.own != own) continue;
        expression.targets.push_back(
            {capture.group, context_.slots.Write(capture.field), capture.type});
      }
    }
  }

  void Report(const std::string& key, const ConfigNode& node, const GrokProblem& problem) {
    const std::string_view origin = patterns_.OriginOf(problem.pattern);
    const ConfigNode* const own = fields_.Node("patterns");
    const ConfigNode* const text =
        own != nullptr && origin.empty() ? own->Find(problem.pattern) : nullptr;
    if (problem.pattern.empty()) {
      context_.problems.Error(node.PlaceWithin(problem.position, problem.length),
                              fields_.PathOf(key), problem.message, problem.hint);
    } else if (text != nullptr) {
      context_.problems.Error(text->PlaceWithin(problem.position, problem.length),
                              fields_.PathOf("patterns." + problem.pattern), problem.message,
                              problem.hint);
    } else {
      const std::string where = origin.empty() ? "" : std::string(origin) + ": ";
      context_.problems.Error(node.place(), fields_.PathOf(key),
                              where + "pattern '" + problem.pattern + "': " + problem.message,
                              problem.hint);
    }
  }

  const std::size_t errors_;
  StageFields fields_;
  StageContext& context_;
  GrokPatterns patterns_;
};

}  // namespace

std::unique_ptr<Stage> MakeGrokStage(const ConfigNode& node, StageContext& context) {
  return GrokReader(node, context).Read();
}

}  // namespace agent
