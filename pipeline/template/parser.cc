#include "pipeline/template/parser.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/template/lexer.h"
#include "pipeline/template/literals.h"
#include "pipeline/template/parser_state.h"

namespace agent {

ListEnd TemplateParser::ParseList(NodeList& nodes) {
  while (!error_) {
    const Token& token = Next();
    switch (token.kind) {
      case TokenKind::kText: {
        NodePtr node = MakeNode(NodeKind::kText, token);
        node->text = token.text;
        nodes.push_back(std::move(node));
        break;
      }
      case TokenKind::kLeftDelim:
        if (const auto end = ParseAction(nodes)) return *end;
        break;
      case TokenKind::kEnd:
        return ListEnd::kText;
      default:
        FailUnexpected(token, "the template");
    }
  }
  return ListEnd::kText;
}

// A value when the action ends the list.
std::optional<ListEnd> TemplateParser::ParseAction(NodeList& nodes) {
  SkipSpace();
  const Token token = Peek();
  if (token.kind == TokenKind::kKeyword && token.text != "nil") {
    Next();
    list_end_ = token;
    if (token.text == "end" || token.text == "else") return ParseListEnd(token);
    ParseStatement(token, nodes);
    return std::nullopt;
  }
  NodePtr node = MakeNode(NodeKind::kAction, token);
  node->pipe = ParsePipe("command", TokenKind::kRightDelim);
  nodes.push_back(std::move(node));
  return std::nullopt;
}

ListEnd TemplateParser::ParseListEnd(const Token& token) {
  if (token.text == "end") {
    ExpectRightDelim("end");
    return ListEnd::kEnd;
  }
  // "else if" and "else with" leave their keyword for the caller.
  const Token& after = PeekAfterSpace();
  if (!IsKeyword(after, "if") && !IsKeyword(after, "with")) ExpectRightDelim("else");
  return ListEnd::kElse;
}

void TemplateParser::ParseStatement(const Token& token, NodeList& nodes) {
  if (token.text == "if") ParseControl(NodeKind::kIf, nodes);
  if (token.text == "with") ParseControl(NodeKind::kWith, nodes);
  if (token.text == "range") ParseControl(NodeKind::kRange, nodes);
  if (token.text == "template") ParseTemplateCall(nodes);
  if (token.text == "block") ParseBlock(nodes);
  if (token.text == "define") ParseDefine();
  if (token.text == "break") ParseLoopControl(NodeKind::kBreak, nodes);
  if (token.text == "continue") ParseLoopControl(NodeKind::kContinue, nodes);
}

void TemplateParser::ParseControl(NodeKind kind, NodeList& nodes) {
  const Token token = Previous();
  if (++nesting_ > kMaxNesting) return Fail(token, "too deeply nested");
  const std::size_t scope = variables_.size();
  const bool dot_was_data = dot_is_data_;
  NodePtr node = MakeNode(kind, token);
  node->pipe = ParsePipe(token.text, TokenKind::kRightDelim);
  if (kind != NodeKind::kIf) dot_is_data_ = false;
  if (kind == NodeKind::kRange) ++range_depth_;
  const ListEnd end = error_ ? ListEnd::kEnd : ParseList(node->body);
  if (kind == NodeKind::kRange) --range_depth_;
  dot_is_data_ = dot_was_data;
  if (end == ListEnd::kElse) ParseElse(kind, *node);
  if (end == ListEnd::kText) Fail(token, "'" + std::string(token.text) + "' without 'end'");
  variables_.resize(scope);
  --nesting_;
  nodes.push_back(std::move(node));
}

void TemplateParser::ParseElse(NodeKind kind, Node& node) {
  const Token token = PeekAfterSpace();
  if (kind == NodeKind::kIf && IsKeyword(token, "if")) {
    NextAfterSpace();
    return ParseControl(NodeKind::kIf, node.otherwise);  // Its end is ours.
  }
  if (kind == NodeKind::kWith && IsKeyword(token, "with")) {
    NextAfterSpace();
    return ParseControl(NodeKind::kWith, node.otherwise);
  }
  if (Previous().kind != TokenKind::kRightDelim) return FailUnexpected(token, "else");
  if (ParseList(node.otherwise) != ListEnd::kEnd) Fail(token, "expected 'end' after 'else'");
}

void TemplateParser::ParseLoopControl(NodeKind kind, NodeList& nodes) {
  const Token token = Previous();
  if (range_depth_ == 0) return Fail(token, "'" + Word() + "' outside of 'range'");
  if (ExpectRightDelim(token.text)) nodes.push_back(MakeNode(kind, token));
}

std::optional<std::string> TemplateParser::ParseTemplateName(std::string_view where) {
  const Token& token = NextAfterSpace();
  if (token.kind == TokenKind::kString || token.kind == TokenKind::kRawString) {
    if (auto name = ParseStringLiteral(token.text)) return name;
  }
  FailUnexpected(token, where);
  return std::nullopt;
}

void TemplateParser::ParseTemplateCall(NodeList& nodes) {
  NodePtr node = MakeNode(NodeKind::kTemplate, Previous());
  const auto name = ParseTemplateName("template clause");
  if (!name) return;
  node->text = *name;
  if (PeekAfterSpace().kind == TokenKind::kRightDelim) {
    NextAfterSpace();
  } else {
    node->pipe = ParsePipe("template clause", TokenKind::kRightDelim);
  }
  nodes.push_back(std::move(node));
}

void TemplateParser::ParseDefine() {
  const Token token = Previous();
  if (body_ != &tree_.main || nesting_ > 0) return Fail(token, "'define' inside of another action");
  const auto name = ParseTemplateName("define clause");
  if (name && ExpectRightDelim("define clause")) ParseBody(*name);
}

// A block is a definition and a call of it.
void TemplateParser::ParseBlock(NodeList& nodes) {
  const Token token = Previous();
  const auto name = ParseTemplateName("block clause");
  if (!name) return;
  NodePtr node = MakeNode(NodeKind::kTemplate, token);
  node->text = *name;
  node->pipe = ParsePipe("block clause", TokenKind::kRightDelim);
  if (!error_) ParseBody(*name);
  nodes.push_back(std::move(node));
}

// What a definition consists of, up to its end. Of one name there may be several only if all but
// one are blank; that one counts.
void TemplateParser::ParseBody(std::string name) {
  const Token token = Previous();
  if (++nesting_ > kMaxNesting) return Fail(token, "too deeply nested");
  TemplateBody body;
  TemplateBody* const outer_body = std::exchange(body_, &body);
  auto outer_variables = std::exchange(variables_, {{"$", 0}});
  const int outer_ranges = std::exchange(range_depth_, 0);
  // Whoever passes the data as a whole has been noted where it does so.
  const bool outer_dot = std::exchange(dot_is_data_, false);
  const bool outer_dollar = std::exchange(dollar_is_data_, false);
  if (ParseList(body.nodes) != ListEnd::kEnd) Fail(token, "'define' or 'block' without 'end'");
  body_ = outer_body;
  variables_ = std::move(outer_variables);
  range_depth_ = outer_ranges;
  dot_is_data_ = outer_dot;
  dollar_is_data_ = outer_dollar;
  --nesting_;

  const auto is_blank = [](const NodePtr& node) {
    return node->kind == NodeKind::kText &&
           node->text.find_first_not_of(" \t\r\n") == std::string::npos;
  };
  const auto all_blank = [&](const NodeList& nodes) {
    return std::all_of(nodes.begin(), nodes.end(), is_blank);
  };
  const auto earlier = tree_.defined.find(name);
  if (earlier != tree_.defined.end() && !all_blank(earlier->second.nodes)) {
    if (!all_blank(body.nodes)) Fail(token, "multiple definition of template '" + name + "'");
    return;
  }
  tree_.defined[std::move(name)] = std::move(body);
}

namespace {

// Whether anything evaluates the template's data as a whole. Field access does not: it has names.
class WholeDataSearch {
 public:
  static bool Found(const TemplateTree& tree) {
    return InList(tree.main.nodes, /*dot_is_data=*/true);
  }

 private:
  static bool InList(const NodeList& nodes, bool dot_is_data) {
    return std::any_of(nodes.begin(), nodes.end(),
                       [&](const NodePtr& node) { return In(*node, dot_is_data); });
  }
  static bool In(const Node& node, bool dot_is_data) {
    if (node.kind == NodeKind::kDot) return dot_is_data;
    if (node.kind == NodeKind::kVariable) return node.index == 0 && node.path.names.empty();
    const bool rebinds = node.kind == NodeKind::kWith || node.kind == NodeKind::kRange;
    return (node.pipe && In(*node.pipe, dot_is_data)) || InList(node.children, dot_is_data) ||
           InList(node.body, dot_is_data && !rebinds) || InList(node.otherwise, dot_is_data);
  }
};

}  // namespace

Result<TemplateTree> ParseTemplate(std::string_view source) {
  Result<std::vector<Token>> tokens = LexTemplate(source);
  if (!tokens.ok()) return std::move(tokens).error();
  Result<TemplateTree> tree = TemplateParser(source, std::move(tokens).value()).Run();
  if (tree.ok()) tree->uses_everything = WholeDataSearch::Found(*tree);
  return tree;
}

}  // namespace agent
