#include "pipeline/template/lexer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/unicode.h"
#include "base/utf8.h"

namespace agent {
namespace {

constexpr std::string_view kLeft = "{{";
constexpr std::string_view kRight = "}}";
constexpr std::string_view kKeywords[] = {"block", "break", "continue", "define",   "else", "end",
                                          "if",    "nil",   "range",    "template", "with"};

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t TrimmedEnd(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0 && IsSpace(text[end - 1]))
    --end;
  return end;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Result<std::vector<Token>> Run() {
    while (!error_ && LexText()) {
    }
    if (error_) return std::move(*error_);
    tokens_.push_back({TokenKind::kEnd, source_.size(), {}});
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] std::string_view Rest() const { return source_.substr(pos_); }
  [[nodiscard]] char Peek(std::size_t ahead = 0) const {
    return pos_ + ahead < source_.size() ? source_[pos_ + ahead] : '\0';
  }
  [[nodiscard]] bool AtEnd() const { return pos_ >= source_.size(); }

  void Fail(std::size_t offset, std::string message) {
    if (!error_) error_ = TemplateError(source_, offset, std::move(message));
  }
  void Emit(TokenKind kind, std::size_t size) {
    tokens_.push_back({kind, pos_, source_.substr(pos_, size)});
    pos_ += size;
  }
  bool Accept(std::string_view chars) {
    if (AtEnd() || chars.find(Peek()) == std::string_view::npos) return false;
    ++pos_;
    return true;
  }
  void AcceptRun(std::string_view chars) {
    while (Accept(chars)) {
    }
  }

  bool LexText();
  bool LexComment(std::size_t start);
  void LexAction();
  bool LexRightDelim();
  void LexInside();
  void LexPunctuation();
  void LexName(TokenKind kind, std::size_t prefix);
  void LexQuoted(char quote, TokenKind kind);
  void LexRawString();
  void LexNumber();
  bool ScanNumber();
  [[nodiscard]] std::size_t NameLength(std::size_t from) const;
  [[nodiscard]] bool AtTerminator() const;

  std::string_view source_;
  std::size_t pos_ = 0;
  bool trim_text_ = false;  // The last action ended in " -}}".
  int parens_ = 0;
  std::vector<Token> tokens_;
  std::optional<Error> error_;
};

// Text up to the next action, and that action. False at the end.
bool Lexer::LexText() {
  if (trim_text_) AcceptRun(" \t\r\n");
  trim_text_ = false;
  const std::size_t delim = std::min(source_.find(kLeft, pos_), source_.size());
  std::size_t end = delim;
  const bool trim =
      source_.size() > delim + 3 && source_[delim + 2] == '-' && IsSpace(source_[delim + 3]);
  if (trim) end = pos_ + TrimmedEnd(source_.substr(pos_, delim - pos_));
  if (end > pos_) Emit(TokenKind::kText, end - pos_);
  pos_ = delim;
  if (AtEnd()) return false;
  const std::size_t inside = delim + kLeft.size() + (trim ? 2 : 0);
  if (source_.substr(inside).starts_with("/*")) return LexComment(inside);
  tokens_.push_back({TokenKind::kLeftDelim, pos_, source_.substr(pos_, kLeft.size())});
  pos_ = inside;
  LexAction();
  return true;
}

bool Lexer::LexComment(std::size_t start) {
  const std::size_t end = source_.find("*/", start + 2);
  if (end == std::string_view::npos) {
    Fail(pos_, "unclosed comment");
    return false;
  }
  pos_ = end + 2;
  if (IsSpace(Peek()) && Peek(1) == '-' && source_.substr(pos_ + 2).starts_with(kRight)) {
    pos_ += 2;
    trim_text_ = true;
  }
  if (!Rest().starts_with(kRight)) {
    Fail(pos_, "comment ends before closing delimiter");
    return false;
  }
  pos_ += kRight.size();
  return true;
}

bool Lexer::LexRightDelim() {
  if (IsSpace(Peek()) && Peek(1) == '-' && pos_ + 2 <= source_.size() &&
      source_.substr(pos_ + 2).starts_with(kRight)) {
    pos_ += 2;
    trim_text_ = true;
  } else if (!Rest().starts_with(kRight)) {
    return false;
  }
  if (parens_ > 0) Fail(pos_, "unclosed left paren");
  Emit(TokenKind::kRightDelim, kRight.size());
  return true;
}

void Lexer::LexAction() {
  parens_ = 0;
  while (!error_ && !LexRightDelim()) {
    if (AtEnd()) {
      Fail(pos_, "unclosed action");
    } else {
      LexInside();
    }
  }
}

void Lexer::LexInside() {
  const char c = Peek();
  if (IsSpace(c)) {
    std::size_t size = 0;
    // A space before "-}}" belongs to it.
    while (IsSpace(Peek(size)) &&
           !(Peek(size + 1) == '-' && source_.substr(pos_ + size + 2).starts_with(kRight))) {
      ++size;
    }
    if (size > 0) Emit(TokenKind::kSpace, size);
  } else if (c == '"') {
    LexQuoted('"', TokenKind::kString);
  } else if (c == '\'') {
    LexQuoted('\'', TokenKind::kCharConstant);
  } else if (c == '`') {
    LexRawString();
  } else if (c == '$') {
    LexName(TokenKind::kVariable, 1);
  } else if (c == '.' && !IsDigit(Peek(1))) {
    LexName(TokenKind::kField, 1);
  } else if (c == '.' || c == '+' || c == '-' || IsDigit(c)) {
    LexNumber();
  } else if (NameLength(pos_) > 0) {
    LexName(TokenKind::kIdentifier, 0);
  } else {
    LexPunctuation();
  }
}

void Lexer::LexPunctuation() {
  if (Rest().starts_with(":=")) return Emit(TokenKind::kDeclare, 2);
  switch (Peek()) {
    case '=':
      return Emit(TokenKind::kAssign, 1);
    case '|':
      return Emit(TokenKind::kPipe, 1);
    case ',':
      return Emit(TokenKind::kComma, 1);
    case '(':
      ++parens_;
      return Emit(TokenKind::kLeftParen, 1);
    case ')':
      if (--parens_ < 0) return Fail(pos_, "unexpected right paren");
      return Emit(TokenKind::kRightParen, 1);
    case ':':
      return Fail(pos_, "expected :=");
    default:
      return Fail(pos_, "unexpected '" + std::string(Rest().substr(0, DecodeRune(Rest()).size)) +
                            "' in an action");
  }
}

// Letters, digits and underscores; other scripts count as letters.
std::size_t Lexer::NameLength(std::size_t from) const {
  std::size_t end = from;
  while (end < source_.size()) {
    const char c = source_[end];
    if (c == '_' || IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      ++end;
      continue;
    }
    const DecodedRune decoded = DecodeRune(source_.substr(end));
    if (decoded.rune < 0x80 || !decoded.valid || IsUnicodeSpace(decoded.rune)) break;
    end += decoded.size;
  }
  return end - from;
}

bool Lexer::AtTerminator() const {
  if (AtEnd() || IsSpace(Peek())) return true;
  return std::string_view(".,|:)(").find(Peek()) != std::string_view::npos ||
         Rest().starts_with(kRight);
}

void Lexer::LexName(TokenKind kind, std::size_t prefix) {
  const std::size_t start = pos_;
  const std::size_t length = NameLength(pos_ + prefix);
  pos_ += prefix + length;
  const std::string_view text = source_.substr(start, pos_ - start);
  if (!AtTerminator()) {
    return Fail(pos_, "unexpected '" + std::string(Rest().substr(0, DecodeRune(Rest()).size)) +
                          "' after '" + std::string(text) + "'");
  }
  if (kind == TokenKind::kField) {
    const TokenKind found = length == 0 ? TokenKind::kDot : kind;
    tokens_.push_back({found, start, length == 0 ? text : text.substr(1)});
    return;
  }
  if (kind == TokenKind::kIdentifier) {
    if (text == "true" || text == "false") {
      kind = TokenKind::kBool;
    } else if (std::find(std::begin(kKeywords), std::end(kKeywords), text) != std::end(kKeywords)) {
      kind = TokenKind::kKeyword;
    }
  }
  tokens_.push_back({kind, start, text});
}

void Lexer::LexQuoted(char quote, TokenKind kind) {
  std::size_t size = 1;
  while (pos_ + size < source_.size() && Peek(size) != quote && Peek(size) != '\n') {
    size += Peek(size) == '\\' && Peek(size + 1) != '\n' ? std::size_t{2} : std::size_t{1};
  }
  if (Peek(size) != quote) {
    return Fail(pos_,
                quote == '"' ? "unterminated quoted string" : "unterminated character constant");
  }
  Emit(kind, size + 1);
}

void Lexer::LexRawString() {
  const std::size_t end = source_.find('`', pos_ + 1);
  if (end == std::string_view::npos) return Fail(pos_, "unterminated raw quoted string");
  Emit(TokenKind::kRawString, end + 1 - pos_);
}

bool Lexer::ScanNumber() {
  Accept("+-");
  std::string_view digits = "0123456789_";
  bool decimal = true;
  bool hexadecimal = false;
  if (Accept("0")) {
    if (Accept("xX")) {
      digits = "0123456789abcdefABCDEF_";
      decimal = false;
      hexadecimal = true;
    } else if (Accept("oO")) {
      digits = "01234567_";
      decimal = false;
    } else if (Accept("bB")) {
      digits = "01_";
      decimal = false;
    }
  }
  AcceptRun(digits);
  if (Accept(".")) AcceptRun(digits);
  if ((decimal && Accept("eE")) || (hexadecimal && Accept("pP"))) {
    Accept("+-");
    AcceptRun("0123456789_");
  }
  return NameLength(pos_) == 0 && Peek() != '+' && Peek() != '-';
}

void Lexer::LexNumber() {
  const std::size_t start = pos_;
  if (!ScanNumber()) {
    return Fail(
        start, "bad number syntax: '" + std::string(source_.substr(start, pos_ + 1 - start)) + "'");
  }
  const std::size_t size = pos_ - start;
  pos_ = start;
  Emit(TokenKind::kNumber, size);
}

}  // namespace

Error TemplateError(std::string_view source, std::size_t offset, std::string message) {
  const std::string_view before = source.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 when there is none.
  return {ErrorCode::kInvalid, std::to_string(line) + ":" +
                                   std::to_string(offset - line_start + 1) + ": " +
                                   std::move(message)};
}

Result<std::vector<Token>> LexTemplate(std::string_view source) {
  return Lexer(source).Run();
}

}  // namespace agent
