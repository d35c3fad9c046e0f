#include "pipeline/template/program.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/unicode.h"

namespace agent {
namespace {

bool IsPlainField(const Node& node) {
  return (node.kind == NodeKind::kField || (node.kind == NodeKind::kVariable && node.index == 0)) &&
         node.path.names.size() == 1;
}

}  // namespace

std::optional<TemplateProgram> TemplateProgram::Compile(const TemplateTree& tree) {
  TemplateProgram program;
  for (const auto& node : tree.main.nodes) {
    Step step;
    if (node->kind == NodeKind::kText) {
      step.text = node->text;
    } else if (node->kind != NodeKind::kAction || !AddPipe(*node->pipe, step)) {
      return std::nullopt;
    }
    program.steps_.push_back(std::move(step));
  }
  return program;
}

// ".x", "ToLower .x" or ".x | ToLower".
bool TemplateProgram::AddPipe(const Node& pipe, Step& step) {
  if (!pipe.variables.empty() || pipe.children.size() > 2) return false;
  const NodeList& operands = pipe.children.front()->children;
  const bool is_call = operands.size() == 2 && pipe.children.size() == 1;
  if (operands.size() != 1 && !is_call) return false;
  const Node& field = *operands.back();
  if (!IsPlainField(field)) return false;
  step.data_index = field.path.data_index;
  if (is_call) return AddFunction(*operands.front(), step);
  if (pipe.children.size() == 1) return true;
  const NodeList& second = pipe.children.back()->children;
  return second.size() == 1 && AddFunction(*second.front(), step);
}

bool TemplateProgram::AddFunction(const Node& name, Step& step) {
  if (name.kind != NodeKind::kIdentifier) return false;
  if (name.text == "ToLower" || name.text == "lower") {
    step.change = Change::kLower;
  } else if (name.text == "ToUpper" || name.text == "upper") {
    step.change = Change::kUpper;
  } else if (name.text == "TrimSpace" || name.text == "trim") {
    step.change = Change::kTrimSpace;
  }
  return step.change != Change::kNone;
}

bool TemplateProgram::Run(TemplateData& data, std::string& out) const {
  for (const Step& step : steps_) {
    if (step.data_index == kNoIndex) {
      out += step.text;
      continue;
    }
    const std::optional<std::string_view> value = data.Lookup(step.data_index);
    if (!value && step.change != Change::kNone) return false;
    switch (step.change) {
      case Change::kNone:
        out += value.value_or("<no value>");
        break;
      case Change::kLower:
        AppendLower(*value, out);
        break;
      case Change::kUpper:
        AppendUpper(*value, out);
        break;
      case Change::kTrimSpace:
        out += TrimUnicodeSpace(*value);
        break;
    }
  }
  return true;
}

}  // namespace agent
