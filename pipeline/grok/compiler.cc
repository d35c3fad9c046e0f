#include "pipeline/grok/compiler.h"

#include <algorithm>
#include <utility>

#include "base/regex/dialect.h"
#include "pipeline/grok/expander.h"
#include "pipeline/regex/syntax.h"

namespace agent {
namespace {

bool Contains(const RegexNode& node, std::size_t group) {
  if (node.kind == RegexNode::Kind::kCapture && node.group == group) return true;
  return std::ranges::any_of(node.children,
                             [group](const RegexNode& child) { return Contains(child, group); });
}

// False when the two groups are in different branches of an alternative.
bool CanBothTakePart(const RegexNode& root, std::size_t a, std::size_t b) {
  const RegexNode* node = &root;
  while (true) {
    const auto both = std::ranges::find_if(node->children, [a, b](const RegexNode& child) {
      return Contains(child, a) && Contains(child, b);
    });
    if (both == node->children.end()) return node->kind != RegexNode::Kind::kAlternate;
    node = &*both;
  }
}

class Compiler {
 public:
  Compiler(std::string_view text, const GrokPatterns& patterns, GrokProblem& problem)
      : text_(text), patterns_(patterns), problem_(problem), expander_(patterns, problem) {}

  std::optional<GrokExpression> Run() {
    if (!expander_.Run(text_)) return std::nullopt;
    GrokExpression expression;
    expression.regex = CompileRegex();
    if (expression.regex == nullptr || !FindCaptures(expression.captures)) return std::nullopt;
    if (!CheckNames(expression.captures)) return std::nullopt;
    return expression;
  }

 private:
  std::unique_ptr<Regex> CompileRegex() {
    RegexProblem wrong;
    Result<std::unique_ptr<Regex>> regex = Regex::Compile(expander_.result(), &wrong);
    if (regex.ok()) return std::move(regex).value();
    // If a pattern is wrong by itself, it is the one to show.
    for (const std::string& name : expander_.used()) {
      GrokProblem inner;
      if (CompileGrok(patterns_.Find(name)->text, patterns_, inner)) continue;
      problem_ = std::move(inner);
      if (problem_.pattern.empty()) problem_.pattern = name;
      return nullptr;
    }
    problem_ = {{}, std::move(wrong.message), std::move(wrong.hint), 0, 0};
    if (wrong.length > 0) {
      const GrokExpander::SourceSpan source = expander_.SourceOf(wrong.position);
      problem_.position = source.begin;
      problem_.length =
          std::max(source.length, std::min(wrong.length, text_.size() - source.begin));
    }
    return nullptr;
  }

  // The groups of the regular expression, by their numbers: those of references, and those that
  // have a name, `(?<name>...)`.
  bool FindCaptures(std::vector<GrokCapture>& captures) {
    GoPattern groups;
    RegexProblem unused;
    if (!ScanGoPattern(expander_.result(), groups, unused)) return false;
    std::size_t found = 0;
    for (std::size_t i = 0; i < groups.openers.size(); ++i) {
      const std::size_t opener = groups.openers[i].begin;
      const auto reference =
          std::ranges::find(expander_.references(), opener, &GrokExpander::Reference::opener);
      if (reference != expander_.references().end()) {
        captures.push_back({reference->field, reference->type, i + 1, reference->own});
        ++found;
      } else if (!groups.group_names[i + 1].empty()) {
        captures.push_back(
            {groups.group_names[i + 1], Conversion::kString, i + 1, !expander_.IsNested(opener)});
      }
    }
    if (found == expander_.references().size()) return true;
    problem_ = {{}, "a reference stands where no group can be", "", 0, 0};
    return false;
  }

  // An extracted value has room for one text.
  bool CheckNames(const std::vector<GrokCapture>& captures) {
    const std::optional<RegexNode> tree = ParseGoRegex(expander_.result());
    if (!tree) return true;
    for (const GrokCapture& capture : captures) {
      for (const GrokCapture& other : captures) {
        if (other.group <= capture.group || other.field != capture.field) continue;
        if (!capture.own || !other.own) continue;
        if (!CanBothTakePart(*tree, capture.group, other.group)) continue;
        return ReportTwice(other);
      }
    }
    return true;
  }

  bool ReportTwice(const GrokCapture& capture) {
    problem_ = {{},
                "field '" + capture.field + "' is captured twice",
                "give one of them another name",
                0,
                0};
    for (const GrokExpander::Reference& reference : expander_.references()) {
      if (!reference.own || reference.field != capture.field) continue;
      problem_.position = reference.source;
      problem_.length = reference.length;
    }
    return false;
  }

  const std::string_view text_;
  const GrokPatterns& patterns_;
  GrokProblem& problem_;
  GrokExpander expander_;
};

}  // namespace

std::optional<GrokExpression> CompileGrok(std::string_view text, const GrokPatterns& patterns,
                                          GrokProblem& problem) {
  return Compiler(text, patterns, problem).Run();
}

}  // namespace agent
