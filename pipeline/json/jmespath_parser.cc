#include "pipeline/json/jmespath_parser.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "pipeline/json/jmespath_lexer.h"

namespace agent {
namespace {

using NodePtr = std::unique_ptr<JmesNode>;

// How strongly an operator ties what stands left of it. An expression goes on to the right as long
// as the next operator binds more strongly than the one it is an operand of.
enum Binding : int {
  kBindNothing = 0,
  kBindPipe = 1,
  kBindOr = 2,
  kBindAnd = 3,
  kBindCompare = 5,
  kBindFlatten = 9,
  kBindProjectionEnds = 10,  // Operators below this end a projection.
  kBindStar = 20,
  kBindFilter = 21,
  kBindDot = 40,
  kBindNot = 45,
  kBindBracket = 55,
  kBindCall = 60,
};

int BindingOf(JmesToken token) {
  switch (token) {
    case JmesToken::kPipe:
      return kBindPipe;
    case JmesToken::kOr:
      return kBindOr;
    case JmesToken::kAnd:
      return kBindAnd;
    case JmesToken::kEqual:
    case JmesToken::kNotEqual:
    case JmesToken::kLess:
    case JmesToken::kLessEqual:
    case JmesToken::kGreater:
    case JmesToken::kGreaterEqual:
      return kBindCompare;
    case JmesToken::kFlatten:
      return kBindFlatten;
    case JmesToken::kStar:
      return kBindStar;
    case JmesToken::kFilter:
      return kBindFilter;
    case JmesToken::kDot:
      return kBindDot;
    case JmesToken::kNot:
      return kBindNot;
    case JmesToken::kLeftBrace:
    case JmesToken::kLeftBracket:
      return kBindBracket;
    case JmesToken::kLeftParen:
      return kBindCall;
    default:
      return kBindNothing;
  }
}

std::optional<JmesComparison> ComparisonOf(JmesToken token) {
  switch (token) {
    case JmesToken::kEqual:
      return JmesComparison::kEqual;
    case JmesToken::kNotEqual:
      return JmesComparison::kNotEqual;
    case JmesToken::kLess:
      return JmesComparison::kLess;
    case JmesToken::kLessEqual:
      return JmesComparison::kLessEqual;
    case JmesToken::kGreater:
      return JmesComparison::kGreater;
    case JmesToken::kGreaterEqual:
      return JmesComparison::kGreaterEqual;
    default:
      return std::nullopt;
  }
}

NodePtr MakeNode(JmesKind kind) {
  return std::make_unique<JmesNode>(kind);
}

// Every function returns null after an error, which has been noted then.
class Parser {
 public:
  Parser(std::vector<JmesLexeme> tokens, JsonDocument& literals, JmesPath::SyntaxError& error)
      : tokens_(std::move(tokens)), literals_(literals), error_(error) {}

  NodePtr ParseAll() {
    NodePtr root = Expression(kBindNothing);
    if (root != nullptr && Current() != JmesToken::kEnd) return Unexpected();
    return root;
  }

 private:
  [[nodiscard]] JmesToken Current() const { return tokens_[at_].token; }
  // The one after it; kEnd at the end.
  [[nodiscard]] JmesToken Following() const {
    return at_ + 1 < tokens_.size() ? tokens_[at_ + 1].token : JmesToken::kEnd;
  }
  const JmesLexeme& Take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool TakeIf(JmesToken token) {
    if (Current() != token) return false;
    Take();
    return true;
  }

  NodePtr Fail(std::string message, std::size_t offset) {
    if (error_.message.empty()) {
      error_.message = std::move(message);
      error_.offset = offset;
    }
    return nullptr;
  }
  NodePtr UnexpectedAt(const JmesLexeme& lexeme) {
    if (lexeme.token == JmesToken::kEnd) return Fail("incomplete expression", lexeme.offset);
    return Fail("unexpected '" + lexeme.text + "'", lexeme.offset);
  }
  NodePtr Unexpected() { return UnexpectedAt(tokens_[at_]); }

  // Every node with children is finished here.
  NodePtr Checked(NodePtr node) {
    for (const NodePtr& child : node->children) {
      if (child == nullptr) return nullptr;
      node->height = std::max(node->height, child->height + 1);
    }
    if (node->height > kMaxJmesDepth) return TooDeep();
    return node;
  }
  NodePtr TooDeep() {
    return Fail("the expression nests more than " + std::to_string(kMaxJmesDepth) + " levels deep",
                tokens_[at_].offset);
  }
  NodePtr Make(JmesKind kind, NodePtr first, NodePtr second = nullptr) {
    if (first == nullptr) return nullptr;
    NodePtr node = MakeNode(kind);
    node->children.push_back(std::move(first));
    if (second != nullptr) node->children.push_back(std::move(second));
    return Checked(std::move(node));
  }
  NodePtr MakePair(JmesKind kind, NodePtr first, NodePtr second) {
    if (second == nullptr) return nullptr;
    return Make(kind, std::move(first), std::move(second));
  }

  NodePtr Expression(int binding) {
    if (++depth_ > kMaxJmesDepth) return TooDeep();
    NodePtr left = Prefix();
    while (left != nullptr && binding < BindingOf(Current()))
      left = Infix(std::move(left));
    --depth_;
    return left;
  }

  NodePtr Prefix();
  NodePtr PrefixBracket();
  NodePtr Infix(NodePtr left);
  NodePtr InfixBracket(NodePtr left);
  NodePtr Literal(const JmesLexeme& lexeme);
  NodePtr Field(const JmesLexeme& lexeme);
  NodePtr Call(NodePtr name);
  NodePtr Filter(NodePtr left);
  NodePtr Flatten(NodePtr left);
  NodePtr Dot(NodePtr left);
  NodePtr DotRight(int binding);
  NodePtr ProjectionRight(int binding);
  NodePtr IndexOrSlice(NodePtr left);
  NodePtr MultiSelectList();
  NodePtr MultiSelectHash();

  const std::vector<JmesLexeme> tokens_;
  JsonDocument& literals_;
  JmesPath::SyntaxError& error_;
  std::size_t at_ = 0;
  uint32_t depth_ = 0;
};

// An expression begins here.
NodePtr Parser::Prefix() {
  const JmesLexeme& lexeme = Take();
  switch (lexeme.token) {
    case JmesToken::kLiteral:
    case JmesToken::kRawString:
      return Literal(lexeme);
    case JmesToken::kIdentifier:
    case JmesToken::kQuotedIdentifier:
      return Field(lexeme);
    case JmesToken::kCurrent:
      return MakeNode(JmesKind::kCurrent);
    case JmesToken::kStar:
      return MakePair(JmesKind::kValueProjection, MakeNode(JmesKind::kCurrent),
                      Current() == JmesToken::kRightBracket ? MakeNode(JmesKind::kCurrent)
                                                            : ProjectionRight(kBindStar));
    case JmesToken::kFilter:
      return Filter(MakeNode(JmesKind::kCurrent));
    case JmesToken::kFlatten:
      return Flatten(MakeNode(JmesKind::kCurrent));
    case JmesToken::kLeftBrace:
      return MultiSelectHash();
    case JmesToken::kLeftBracket:
      return PrefixBracket();
    case JmesToken::kReference:
      return Make(JmesKind::kExpressionRef, Expression(kBindNothing));
    case JmesToken::kNot:
      return Make(JmesKind::kNot, Expression(kBindNot));
    case JmesToken::kLeftParen: {
      NodePtr inside = Expression(kBindNothing);
      if (inside != nullptr && !TakeIf(JmesToken::kRightParen)) return Unexpected();
      return inside;
    }
    default:
      return UnexpectedAt(lexeme);
  }
}

NodePtr Parser::Literal(const JmesLexeme& lexeme) {
  NodePtr node = MakeNode(JmesKind::kLiteral);
  if (lexeme.token == JmesToken::kRawString) {
    node->literal = literals_.CopyString(lexeme.text);
    return node;
  }
  node->literal = literals_.ParseCopy(lexeme.text);
  if (node->literal == nullptr) return Fail("what is in backticks must be JSON", lexeme.offset);
  return node;
}

NodePtr Parser::Field(const JmesLexeme& lexeme) {
  if (lexeme.token == JmesToken::kQuotedIdentifier && Current() == JmesToken::kLeftParen) {
    return Fail("the name of a function must not be in quotes", lexeme.offset);
  }
  NodePtr node = MakeNode(JmesKind::kField);
  node->text = lexeme.text;
  return node;
}

// After a '[' that begins an expression.
NodePtr Parser::PrefixBracket() {
  if (Current() == JmesToken::kNumber || Current() == JmesToken::kColon) {
    return IndexOrSlice(MakeNode(JmesKind::kCurrent));
  }
  if (Current() == JmesToken::kStar && Following() == JmesToken::kRightBracket) {
    Take();
    Take();
    return MakePair(JmesKind::kProjection, MakeNode(JmesKind::kCurrent),
                    ProjectionRight(kBindStar));
  }
  return MultiSelectList();
}

// `left` goes on with the operator that comes next.
NodePtr Parser::Infix(NodePtr left) {
  const JmesLexeme& lexeme = Take();
  if (const auto comparison = ComparisonOf(lexeme.token)) {
    NodePtr node = MakePair(JmesKind::kCompare, std::move(left), Expression(kBindCompare));
    if (node != nullptr) node->comparison = *comparison;
    return node;
  }
  switch (lexeme.token) {
    case JmesToken::kDot:
      return Dot(std::move(left));
    case JmesToken::kPipe:
      return MakePair(JmesKind::kSequence, std::move(left), Expression(kBindPipe));
    case JmesToken::kOr:
      return MakePair(JmesKind::kOr, std::move(left), Expression(kBindOr));
    case JmesToken::kAnd:
      return MakePair(JmesKind::kAnd, std::move(left), Expression(kBindAnd));
    case JmesToken::kLeftParen:
      if (left->kind != JmesKind::kField) return UnexpectedAt(lexeme);
      return Call(std::move(left));
    case JmesToken::kFilter:
      return Filter(std::move(left));
    case JmesToken::kFlatten:
      return Flatten(std::move(left));
    case JmesToken::kLeftBracket:
      return InfixBracket(std::move(left));
    default:
      return UnexpectedAt(lexeme);
  }
}

// After the '['.
NodePtr Parser::InfixBracket(NodePtr left) {
  if (Current() == JmesToken::kNumber || Current() == JmesToken::kColon) {
    return IndexOrSlice(std::move(left));
  }
  if (!TakeIf(JmesToken::kStar) || !TakeIf(JmesToken::kRightBracket)) return Unexpected();
  return MakePair(JmesKind::kProjection, std::move(left), ProjectionRight(kBindStar));
}

// After the name and its '('. The commas between arguments may be missing: so Promtail has it.
NodePtr Parser::Call(NodePtr name) {
  NodePtr node = MakeNode(JmesKind::kFunction);
  node->text = name->text;
  while (Current() != JmesToken::kRightParen) {
    NodePtr argument = Expression(kBindNothing);
    if (argument == nullptr) return nullptr;
    TakeIf(JmesToken::kComma);
    node->children.push_back(std::move(argument));
  }
  Take();
  return Checked(std::move(node));
}

// After the "[?".
NodePtr Parser::Filter(NodePtr left) {
  NodePtr condition = Expression(kBindNothing);
  if (condition == nullptr) return nullptr;
  if (!TakeIf(JmesToken::kRightBracket)) return Unexpected();
  NodePtr right = Current() == JmesToken::kFlatten ? MakeNode(JmesKind::kCurrent)
                                                   : ProjectionRight(kBindFilter);
  NodePtr node = MakeNode(JmesKind::kFilterProjection);
  node->children.push_back(std::move(left));
  node->children.push_back(std::move(right));
  node->children.push_back(std::move(condition));
  return Checked(std::move(node));
}

// After the "[]".
NodePtr Parser::Flatten(NodePtr left) {
  return MakePair(JmesKind::kProjection, Make(JmesKind::kFlatten, std::move(left)),
                  ProjectionRight(kBindFlatten));
}

// After the '.'.
NodePtr Parser::Dot(NodePtr left) {
  if (TakeIf(JmesToken::kStar)) {
    return MakePair(JmesKind::kValueProjection, std::move(left), ProjectionRight(kBindDot));
  }
  return MakePair(JmesKind::kSequence, std::move(left), DotRight(kBindDot));
}

NodePtr Parser::DotRight(int binding) {
  switch (Current()) {
    case JmesToken::kIdentifier:
    case JmesToken::kQuotedIdentifier:
    case JmesToken::kStar:
      return Expression(binding);
    case JmesToken::kLeftBracket:
      Take();
      return MultiSelectList();
    case JmesToken::kLeftBrace:
      Take();
      return MultiSelectHash();
    default:
      return Unexpected();
  }
}

// What is applied to each value of a projection.
NodePtr Parser::ProjectionRight(int binding) {
  if (BindingOf(Current()) < kBindProjectionEnds) return MakeNode(JmesKind::kCurrent);
  if (Current() == JmesToken::kLeftBracket || Current() == JmesToken::kFilter) {
    return Expression(binding);
  }
  if (TakeIf(JmesToken::kDot)) return DotRight(binding);
  return Unexpected();
}

// After a '[' that is followed by a number or a colon.
NodePtr Parser::IndexOrSlice(NodePtr left) {
  const bool is_slice = Current() == JmesToken::kColon || Following() == JmesToken::kColon;
  NodePtr node = MakeNode(is_slice ? JmesKind::kSlice : JmesKind::kIndex);
  std::size_t part = 0;
  while (Current() != JmesToken::kRightBracket) {
    const JmesLexeme& lexeme = Take();
    if (is_slice && lexeme.token == JmesToken::kColon && part < 2) {
      ++part;
      continue;
    }
    // A number follows a '[' or a colon, never another number.
    if (lexeme.token != JmesToken::kNumber || node->slice[part]) return UnexpectedAt(lexeme);
    int64_t number = 0;
    const char* end = lexeme.text.data() + lexeme.text.size();
    if (std::from_chars(lexeme.text.data(), end, number).ec != std::errc()) {
      return Fail("the number is too large", lexeme.offset);
    }
    node->slice[part] = number;
  }
  Take();
  if (is_slice) {
    NodePtr list = MakePair(JmesKind::kSequence, std::move(left), std::move(node));
    return MakePair(JmesKind::kProjection, std::move(list), ProjectionRight(kBindStar));
  }
  node->index = node->slice[0].value_or(0);
  return MakePair(JmesKind::kSequence, std::move(left), std::move(node));
}

// After the '['.
NodePtr Parser::MultiSelectList() {
  NodePtr node = MakeNode(JmesKind::kMultiSelectList);
  do {
    NodePtr item = Expression(kBindNothing);
    if (item == nullptr) return nullptr;
    node->children.push_back(std::move(item));
  } while (TakeIf(JmesToken::kComma));
  if (!TakeIf(JmesToken::kRightBracket)) return Unexpected();
  return Checked(std::move(node));
}

// After the '{'.
NodePtr Parser::MultiSelectHash() {
  NodePtr node = MakeNode(JmesKind::kMultiSelectHash);
  do {
    const JmesLexeme& key = Take();
    if (key.token != JmesToken::kIdentifier && key.token != JmesToken::kQuotedIdentifier) {
      return UnexpectedAt(key);
    }
    if (!TakeIf(JmesToken::kColon)) return Unexpected();
    NodePtr value = Expression(kBindNothing);
    if (value == nullptr) return nullptr;
    node->keys.push_back(key.text);
    node->children.push_back(std::move(value));
  } while (TakeIf(JmesToken::kComma));
  if (!TakeIf(JmesToken::kRightBrace)) return Unexpected();
  return Checked(std::move(node));
}

}  // namespace

std::unique_ptr<JmesNode> ParseJmesPath(std::string_view expression, JsonDocument& literals,
                                        JmesPath::SyntaxError& error) {
  std::vector<JmesLexeme> tokens;
  if (!TokenizeJmesPath(expression, tokens, error)) return nullptr;
  return Parser(std::move(tokens), literals, error).ParseAll();
}

}  // namespace agent
