// Pipelines, commands and operands of templates.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config/spelling.h"
#include "pipeline/template/literals.h"
#include "pipeline/template/parser_state.h"

namespace agent {

NodePtr TemplateParser::ParsePipe(std::string_view where, TokenKind end) {
  const Token start = PeekAfterSpace();
  NodePtr pipe = MakeNode(NodeKind::kPipe, start);
  if (++nesting_ > kMaxNesting) Fail(start, "too deeply nested");
  if (!error_) ParseDeclarations(*pipe, where);
  while (!error_) {
    SkipSpace();
    const Token token = Peek();
    if (token.kind == end) {
      Next();
      CheckPipe(*pipe, token, where);
      break;
    }
    const bool is_operand =
        (token.kind >= TokenKind::kIdentifier && token.kind <= TokenKind::kRawString) ||
        token.kind == TokenKind::kLeftParen;
    if (!is_operand || (token.kind == TokenKind::kKeyword && token.text != "nil")) {
      FailUnexpected(token, where);
      break;
    }
    NodePtr command = ParseCommand();
    if (!error_) ReadIndexOfData(*command, pipe->children.empty());
    pipe->children.push_back(std::move(command));
  }
  --nesting_;
  return pipe;
}

// "$x :=", "$x =", and in a range also "$i, $x :=".
void TemplateParser::ParseDeclarations(Node& pipe, std::string_view where) {
  std::vector<std::string> names;
  while (PeekAfterSpace().kind == TokenKind::kVariable) {
    const std::size_t start = next_;
    const Token variable = NextAfterSpace();
    const TokenKind after = PeekAfterSpace().kind;
    if (after != TokenKind::kDeclare && after != TokenKind::kAssign && after != TokenKind::kComma) {
      next_ = start;  // An operand.
      break;
    }
    NextAfterSpace();
    names.emplace_back(variable.text);
    pipe.assigns = after == TokenKind::kAssign;
    if (after != TokenKind::kComma) break;
    if (where != "range" || names.size() > 1) {
      return Fail(variable, "too many declarations in " + std::string(where));
    }
    if (PeekAfterSpace().kind != TokenKind::kVariable) {
      return Fail(PeekAfterSpace(), "range can only initialize variables");
    }
  }
  BindVariables(pipe, names);
}

// The names are known from here on, also in the pipe itself, as in Go.
void TemplateParser::BindVariables(Node& pipe, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::size_t index = kNoIndex;
    if (pipe.assigns) {
      const auto known = std::find_if(variables_.rbegin(), variables_.rend(),
                                      [&](const Variable& v) { return v.name == name; });
      if (known != variables_.rend()) index = known->index;
    } else {
      index = body_->frame_size++;
    }
    pipe.variables.push_back(index);
    variables_.push_back({name, index});
  }
}

void TemplateParser::CheckPipe(const Node& pipe, const Token& at, std::string_view where) {
  if (pipe.children.empty()) return Fail(at, "missing value for " + std::string(where));
  for (std::size_t i = 1; i < pipe.children.size(); ++i) {
    const Node& command = *pipe.children[i];
    const NodeKind kind = command.children.front()->kind;
    if (kind == NodeKind::kBool || kind == NodeKind::kDot || kind == NodeKind::kNil ||
        kind == NodeKind::kNumber || kind == NodeKind::kString) {
      return Fail({TokenKind::kPipe, command.offset, {}},
                  "stage " + std::to_string(i + 1) + " of the pipeline cannot take a value");
    }
  }
}

NodePtr TemplateParser::ParseCommand() {
  NodePtr command = MakeNode(NodeKind::kCommand, Peek());
  while (!error_) {
    SkipSpace();
    if (NodePtr operand = ParseOperand()) command->children.push_back(std::move(operand));
    if (error_) break;
    const Token& token = Peek();
    if (token.kind == TokenKind::kSpace) continue;
    if (token.kind == TokenKind::kPipe) {
      Next();  // Nothing has to follow: `{{ .x | }}` is `{{ .x }}`, as in Go.
    } else if (token.kind != TokenKind::kRightDelim && token.kind != TokenKind::kRightParen) {
      FailUnexpected(token, "operand");
    }
    break;
  }
  if (command->children.empty()) Fail(Peek(), "empty command");
  return command;
}

// `index . "name"` reads one name, not everything.
void TemplateParser::ReadIndexOfData(Node& command, bool first) {
  if (!first || command.children.size() != 3) return;
  const Node& function = *command.children[0];
  const Node& data = *command.children[1];
  const Node& name = *command.children[2];
  if (function.kind != NodeKind::kIdentifier || function.function->name != "index") return;
  const bool is_data = (data.kind == NodeKind::kDot && dot_is_data_) ||
                       (data.kind == NodeKind::kVariable && data.index == 0 &&
                        data.path.names.empty() && dollar_is_data_);
  if (!is_data || name.kind != NodeKind::kString) return;
  NodePtr field = std::make_unique<Node>();
  field->kind = data.kind == NodeKind::kDot ? NodeKind::kField : NodeKind::kVariable;
  field->offset = data.offset;
  field->path.names.push_back(name.text);
  field->path.data_index = DataIndex(name.text);
  command.children.clear();
  command.children.push_back(std::move(field));
}

void TemplateParser::AddField(FieldPath& path, const Token& token) {
  path.names.emplace_back(token.text);
  if (path.names.size() == 1) path.data_index = DataIndex(path.names.front());
}

std::size_t TemplateParser::DataIndex(const std::string& name) {
  auto& names = tree_.data_names;
  const auto known = std::find(names.begin(), names.end(), name);
  if (known != names.end()) return static_cast<std::size_t>(known - names.begin());
  names.push_back(name);
  return names.size() - 1;
}

NodePtr TemplateParser::ParseOperand() {
  NodePtr node = ParseTerm();
  if (!node || Peek().kind != TokenKind::kField) return node;
  switch (node->kind) {
    case NodeKind::kField:
    case NodeKind::kVariable:
      break;
    case NodeKind::kBool:
    case NodeKind::kString:
    case NodeKind::kNumber:
    case NodeKind::kNil:
    case NodeKind::kDot:
      FailUnexpected(Peek(), "operand: a constant has no fields");
      return node;
    default: {
      NodePtr chain = MakeNode(NodeKind::kChain, Peek());
      chain->children.push_back(std::move(node));
      node = std::move(chain);
    }
  }
  while (Peek().kind == TokenKind::kField)
    AddField(node->path, Next());
  return node;
}

// Null where no operand begins.
NodePtr TemplateParser::ParseTerm() {
  const Token token = Peek();
  switch (token.kind) {
    case TokenKind::kIdentifier:
      Next();
      return ParseFunctionName(token);
    case TokenKind::kDot:
      Next();
      return MakeNode(NodeKind::kDot, token);
    case TokenKind::kVariable:
      Next();
      return ParseVariable(token);
    case TokenKind::kField: {
      NodePtr node = MakeNode(NodeKind::kField, token);
      AddField(node->path, Next());
      return node;
    }
    case TokenKind::kLeftParen:
      Next();
      return ParsePipe("parenthesized pipeline", TokenKind::kRightParen);
    case TokenKind::kKeyword:
      if (token.text != "nil") return nullptr;
      Next();
      return MakeNode(NodeKind::kNil, token);
    case TokenKind::kBool:
    case TokenKind::kNumber:
    case TokenKind::kCharConstant:
    case TokenKind::kString:
    case TokenKind::kRawString:
      Next();
      return ParseConstant(token);
    default:
      return nullptr;
  }
}

NodePtr TemplateParser::ParseFunctionName(const Token& token) {
  NodePtr node = MakeNode(NodeKind::kIdentifier, token);
  node->text = token.text;
  node->function = FindFunction(token.text);
  if (node->function != nullptr) return node;
  const std::string quoted = "function '" + std::string(token.text) + "' ";
  const std::string_view refused = WhyRefused(token.text);
  if (!refused.empty()) {
    Fail(token, quoted + std::string(refused));
    return node;
  }
  const std::string nearest = NearestSpelling(token.text, FunctionNames());
  Fail(token,
       quoted + "not defined" + (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
  return node;
}

NodePtr TemplateParser::ParseVariable(const Token& token) {
  NodePtr node = MakeNode(NodeKind::kVariable, token);
  const auto known = std::find_if(variables_.rbegin(), variables_.rend(),
                                  [&](const Variable& v) { return v.name == token.text; });
  if (known == variables_.rend()) {
    Fail(token, "undefined variable '" + std::string(token.text) + "'");
  } else {
    node->index = known->index;
  }
  return node;
}

NodePtr TemplateParser::ParseConstant(const Token& token) {
  if (token.kind == TokenKind::kBool) {
    NodePtr node = MakeNode(NodeKind::kBool, token);
    node->integer = token.text == "true" ? 1 : 0;
    return node;
  }
  if (token.kind == TokenKind::kString || token.kind == TokenKind::kRawString) {
    NodePtr node = MakeNode(NodeKind::kString, token);
    auto text = ParseStringLiteral(token.text);
    if (!text) Fail(token, "invalid string " + std::string(token.text));
    node->text = std::move(text).value_or("");
    return node;
  }
  NodePtr node = MakeNode(NodeKind::kNumber, token);
  const bool ok = token.kind == TokenKind::kNumber ? ParseNumberLiteral(token.text, *node)
                                                   : ParseCharLiteral(token.text, *node);
  if (!ok) Fail(token, "invalid number " + std::string(token.text));
  return node;
}

}  // namespace agent
