#include "pipeline/json/jmespath_lexer.h"

#include <array>
#include <cstring>
#include <optional>

#include "pipeline/arena.h"
#include "pipeline/json/json_dom.h"

namespace agent {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsIdentifierStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

struct Operator {
  std::string_view text;
  JmesToken token;
};
// Of those with the same beginning the longer ones come first.
constexpr std::array<Operator, 24> kOperators = {{
    {"[]", JmesToken::kFlatten},      {"[?", JmesToken::kFilter},
    {"[", JmesToken::kLeftBracket},   {"]", JmesToken::kRightBracket},
    {"{", JmesToken::kLeftBrace},     {"}", JmesToken::kRightBrace},
    {"(", JmesToken::kLeftParen},     {")", JmesToken::kRightParen},
    {".", JmesToken::kDot},           {"*", JmesToken::kStar},
    {",", JmesToken::kComma},         {":", JmesToken::kColon},
    {"@", JmesToken::kCurrent},       {"||", JmesToken::kOr},
    {"|", JmesToken::kPipe},          {"&&", JmesToken::kAnd},
    {"&", JmesToken::kReference},     {"==", JmesToken::kEqual},
    {"!=", JmesToken::kNotEqual},     {"!", JmesToken::kNot},
    {"<=", JmesToken::kLessEqual},    {"<", JmesToken::kLess},
    {">=", JmesToken::kGreaterEqual}, {">", JmesToken::kGreater},
}};

class Lexer {
 public:
  Lexer(std::string_view text, JmesPath::SyntaxError& error) : text_(text), error_(error) {}

  bool Next(JmesLexeme& out) {
    while (at_ < text_.size() && std::strchr(" \t\n\r", text_[at_]) != nullptr && text_[at_] != 0)
      ++at_;
    out.text.clear();
    out.offset = at_;
    if (at_ == text_.size()) {
      out.token = JmesToken::kEnd;
      return true;
    }
    const char c = text_[at_];
    if (IsIdentifierStart(c)) return Identifier(out);
    if (IsDigit(c) || c == '-') return Number(out);
    if (c == '"') return QuotedIdentifier(out);
    if (c == '\'') return RawString(out);
    if (c == '`') return Literal(out);
    return FindOperator(out);
  }

 private:
  bool Fail(std::string message, std::size_t offset) {
    error_.message = std::move(message);
    error_.offset = offset;
    return false;
  }

  bool Identifier(JmesLexeme& out) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (IsIdentifierStart(text_[at_]) || IsDigit(text_[at_])))
      ++at_;
    out.token = JmesToken::kIdentifier;
    out.text = text_.substr(begin, at_ - begin);
    return true;
  }

  bool Number(JmesLexeme& out) {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && IsDigit(text_[at_]))
      ++at_;
    out.token = JmesToken::kNumber;
    out.text = text_.substr(begin, at_ - begin);
    if (out.text == "-") {
      return Fail("unexpected '-': a name with a '-' in it must be in double quotes", begin);
    }
    return true;
  }

  // What stands between two delimiters, backslashes kept; moves behind the second.
  std::optional<std::string_view> Delimited(char delimiter) {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != delimiter)
      at_ += text_[at_] == '\\' ? std::size_t{2} : std::size_t{1};
    if (at_ >= text_.size()) {
      Fail(std::string("missing ") + delimiter + " at the end", begin - 1);
      return std::nullopt;
    }
    return text_.substr(begin, at_++ - begin);
  }

  bool QuotedIdentifier(JmesLexeme& out) {
    const auto inside = Delimited('"');
    if (!inside) return false;
    // It is a JSON string.
    JsonDocument document;
    const JsonNode* name = document.ParseCopy("\"" + std::string(*inside) + "\"");
    if (name == nullptr) return Fail("a name in double quotes must be a JSON string", out.offset);
    out.token = JmesToken::kQuotedIdentifier;
    out.text = name->text;
    return true;
  }

  bool RawString(JmesLexeme& out) {
    const auto inside = Delimited('\'');
    if (!inside) return false;
    out.token = JmesToken::kRawString;
    Unescape(*inside, '\'', out.text);
    return true;
  }

  bool Literal(JmesLexeme& out) {
    const auto inside = Delimited('`');
    if (!inside) return false;
    out.token = JmesToken::kLiteral;
    Unescape(*inside, '`', out.text);
    return true;
  }

  // Takes the backslash from before the delimiter, and from nowhere else.
  static void Unescape(std::string_view text, char delimiter, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) {
        if (text[i + 1] != delimiter) out += '\\';
        ++i;
      }
      out += text[i];
    }
  }

  bool FindOperator(JmesLexeme& out) {
    for (const Operator& candidate : kOperators) {
      if (!text_.substr(at_).starts_with(candidate.text)) continue;
      out.token = candidate.token;
      out.text = candidate.text;
      at_ += candidate.text.size();
      return true;
    }
    if (text_[at_] == '=') return Fail("unexpected '=': to compare write '=='", at_);
    const auto c = static_cast<unsigned char>(text_[at_]);
    return Fail(c < 0x80
                    ? std::string("unexpected '") + text_[at_] + "'"
                    : "a name with other characters than A-Z, a-z, 0-9 and _ must be in double "
                      "quotes",
                at_);
  }

  const std::string_view text_;
  JmesPath::SyntaxError& error_;
  std::size_t at_ = 0;
};

}  // namespace

bool TokenizeJmesPath(std::string_view expression, std::vector<JmesLexeme>& tokens,
                      JmesPath::SyntaxError& error) {
  Lexer lexer(expression, error);
  do {
    if (!lexer.Next(tokens.emplace_back())) return false;
  } while (tokens.back().token != JmesToken::kEnd);
  return true;
}

}  // namespace agent
