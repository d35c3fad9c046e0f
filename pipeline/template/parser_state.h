// The parser of templates while it runs. Statements are in parser.cc, pipelines and operands in
// parser_operands.cc.

#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "pipeline/template/ast.h"
#include "pipeline/template/lexer.h"

namespace agent {

using NodePtr = std::unique_ptr<Node>;

// How a list of statements ended.
enum class ListEnd : uint8_t { kEnd, kElse, kText };

// Errors are kept and make every function return at once; the result then means nothing.
class TemplateParser {
 public:
  TemplateParser(std::string_view source, std::vector<Token> tokens)
      : source_(source), tokens_(std::move(tokens)) {}

  Result<TemplateTree> Run() {
    body_ = &tree_.main;
    const ListEnd end = ParseList(tree_.main.nodes);
    if (end != ListEnd::kText) {
      Fail(list_end_, "unexpected {{" + std::string(list_end_.text) + "}}");
    }
    if (error_) return std::move(*error_);
    return std::move(tree_);
  }

 private:
  static constexpr int kMaxNesting = 100;

  struct Variable {
    std::string name;
    std::size_t index = 0;
  };

  [[nodiscard]] const Token& Peek() const { return tokens_[next_]; }
  [[nodiscard]] const Token& PeekAfterSpace() const {
    return Peek().kind == TokenKind::kSpace ? tokens_[next_ + 1] : Peek();
  }
  [[nodiscard]] const Token& Previous() const { return tokens_[next_ > 0 ? next_ - 1 : 0]; }
  [[nodiscard]] std::string Word() const { return std::string(Previous().text); }
  const Token& Next() { return tokens_[next_ + 1 < tokens_.size() ? next_++ : next_]; }
  void SkipSpace() {
    if (Peek().kind == TokenKind::kSpace) Next();
  }
  const Token& NextAfterSpace() {
    SkipSpace();
    return Next();
  }
  static bool IsKeyword(const Token& token, std::string_view word) {
    return token.kind == TokenKind::kKeyword && token.text == word;
  }

  void Fail(const Token& token, std::string message) {
    if (!error_) error_ = TemplateError(source_, token.offset, std::move(message));
  }
  void FailUnexpected(const Token& token, std::string_view where) {
    const std::string text(token.text.substr(0, 30));
    Fail(token, "unexpected " + (text.empty() ? "end of the template" : "'" + text + "'") + " in " +
                    std::string(where));
  }
  bool ExpectRightDelim(std::string_view where) {
    const Token& token = NextAfterSpace();
    if (token.kind == TokenKind::kRightDelim) return true;
    FailUnexpected(token, where);
    return false;
  }
  static NodePtr MakeNode(NodeKind kind, const Token& token) {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->offset = token.offset;
    return node;
  }

  ListEnd ParseList(NodeList& nodes);
  std::optional<ListEnd> ParseAction(NodeList& nodes);
  ListEnd ParseListEnd(const Token& token);
  void ParseStatement(const Token& token, NodeList& nodes);
  void ParseControl(NodeKind kind, NodeList& nodes);
  void ParseElse(NodeKind kind, Node& node);
  void ParseLoopControl(NodeKind kind, NodeList& nodes);
  void ParseTemplateCall(NodeList& nodes);
  void ParseDefine();
  void ParseBlock(NodeList& nodes);
  void ParseBody(std::string name);
  std::optional<std::string> ParseTemplateName(std::string_view where);

  NodePtr ParsePipe(std::string_view where, TokenKind end);
  void ParseDeclarations(Node& pipe, std::string_view where);
  void BindVariables(Node& pipe, const std::vector<std::string>& names);
  void CheckPipe(const Node& pipe, const Token& at, std::string_view where);
  NodePtr ParseCommand();
  void ReadIndexOfData(Node& command, bool first);
  NodePtr ParseOperand();
  NodePtr ParseTerm();
  NodePtr ParseFunctionName(const Token& token);
  NodePtr ParseVariable(const Token& token);
  NodePtr ParseConstant(const Token& token);
  void AddField(FieldPath& path, const Token& token);
  std::size_t DataIndex(const std::string& name);

  std::string_view source_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  std::optional<Error> error_;
  TemplateTree tree_;
  TemplateBody* body_ = nullptr;                  // What is being filled.
  std::vector<Variable> variables_ = {{"$", 0}};  // In scope.
  Token list_end_;                                // The latest `end` or `else`.
  int range_depth_ = 0;
  int nesting_ = 0;
  bool dot_is_data_ = true;     // `.` is the template's data here.
  bool dollar_is_data_ = true;  // So is `$`.
};

}  // namespace agent
