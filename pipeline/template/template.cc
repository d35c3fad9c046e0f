#include "pipeline/template/template.h"

#include <algorithm>
#include <utility>

#include "pipeline/template/ast.h"
#include "pipeline/template/exec.h"
#include "pipeline/template/functions.h"
#include "pipeline/template/parser.h"
#include "pipeline/template/program.h"

namespace agent {

struct Template::Impl {
  Impl(TemplateTree parsed, Clock& clock) : tree(std::move(parsed)), runtime(clock) {}

  TemplateTree tree;
  TemplateRuntime runtime;
  ExecutionMemory memory;
  std::optional<TemplateProgram> program;
  std::optional<std::string> constant;
};

namespace {

// The text of a template without actions.
std::optional<std::string> ConstantOf(const TemplateTree& tree) {
  std::string text;
  for (const auto& node : tree.main.nodes) {
    if (node->kind != NodeKind::kText) return std::nullopt;
    text += node->text;
  }
  return text;
}

}  // namespace

Template::Template(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Result<Template> Template::Compile(std::string_view text, Clock& clock) {
  Result<TemplateTree> tree = ParseTemplate(text);
  if (!tree.ok()) return std::move(tree).error();
  auto impl = std::make_unique<Impl>(std::move(tree).value(), clock);
  impl->constant = ConstantOf(impl->tree);
  impl->program = TemplateProgram::Compile(impl->tree);
  return Template(std::move(impl));
}

const std::vector<std::string>& Template::names() const {
  return impl_->tree.data_names;
}
bool Template::uses_everything() const {
  return impl_->tree.uses_everything;
}
bool Template::is_constant() const {
  return impl_->constant.has_value();
}
const std::string& Template::last_error() const {
  return impl_->runtime.error;
}

std::string_view Template::constant_text() const {
  if (!impl_->constant) return {};
  return *impl_->constant;
}

bool Template::Execute(TemplateData& data, std::string& out) {
  if (impl_->program) {
    impl_->runtime.error.clear();
    if (impl_->program->Run(data, out)) return true;
    impl_->runtime.error = "expected string, got no value";
    return false;
  }
  impl_->runtime.Begin();
  return Executor(impl_->tree, impl_->runtime, impl_->memory, data, out).Run();
}

}  // namespace agent
