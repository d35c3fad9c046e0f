// The marks within a line of Markdown.

#include <array>
#include <utility>

#include "agent/docs/markdown.h"

namespace agent::docs {
namespace {

struct Entity {
  std::string_view written;
  std::string_view meant;
};
constexpr std::array kEntities = std::to_array<Entity>({
    {"&#124;", "|"},
    {"&amp;", "&"},
    {"&gt;", ">"},
    {"&lt;", "<"},
    {"<br>", " "},
});

class SpanReader {
 public:
  explicit SpanReader(std::string_view text) : rest_(text) {}

  std::vector<Span> Read() {
    while (!rest_.empty()) {
      if (!ReadMark()) Plain(1);
    }
    return std::move(spans_);
  }

 private:
  bool ReadMark() {
    if (rest_[0] == '\\' && rest_.size() > 1 &&
        std::string_view("\\`*_[]|<>#").find(rest_[1]) != std::string_view::npos) {
      rest_.remove_prefix(1);
      return Plain(1);
    }
    if (rest_.starts_with("``")) return Between("``", "``", SpanStyle::kCode);
    if (rest_[0] == '`') return Between("`", "`", SpanStyle::kCode);
    if (rest_.starts_with("<code>")) return Between("<code>", "</code>", SpanStyle::kCode);
    if (rest_.starts_with("**")) return Between("**", "**", SpanStyle::kBold);
    if (rest_[0] == '*' && rest_.size() > 1 && rest_[1] != ' ')
      return Between("*", "*", SpanStyle::kItalic);
    if (rest_[0] == '[') return ReadLink();
    for (const Entity& entity : kEntities) {
      if (!rest_.starts_with(entity.written)) continue;
      rest_.remove_prefix(entity.written.size());
      Append(entity.meant);
      return true;
    }
    return false;
  }

  bool Plain(std::size_t size) {
    Append(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return true;
  }

  void Append(std::string_view text) {
    if (spans_.empty() || spans_.back().style != SpanStyle::kPlain) spans_.emplace_back();
    spans_.back().text += text;
  }

  bool Between(std::string_view begin, std::string_view end, SpanStyle style) {
    const std::size_t at = rest_.find(end, begin.size());
    if (at == std::string_view::npos || at == begin.size()) return false;
    const std::string_view inner = rest_.substr(begin.size(), at - begin.size());
    if (style == SpanStyle::kCode) {
      spans_.push_back({style, begin[0] == '<' ? PlainText(inner) : std::string(inner), {}});
    } else {
      for (Span& span : SpanReader(inner).Read()) {
        if (span.style == SpanStyle::kPlain) span.style = style;
        spans_.push_back(std::move(span));
      }
    }
    rest_.remove_prefix(at + end.size());
    return true;
  }

  bool ReadLink() {
    const std::size_t middle = rest_.find("](");
    if (middle == std::string_view::npos ||
        rest_.substr(1, middle - 1).find('[') != std::string_view::npos) {
      return false;
    }
    const std::size_t end = rest_.find(')', middle);
    if (end == std::string_view::npos) return false;
    spans_.push_back({SpanStyle::kLink, PlainText(rest_.substr(1, middle - 1)),
                      std::string(rest_.substr(middle + 2, end - middle - 2))});
    rest_.remove_prefix(end + 1);
    return true;
  }

  std::string_view rest_;
  std::vector<Span> spans_;
};

}  // namespace

std::vector<Span> ParseSpans(std::string_view text) {
  return SpanReader(text).Read();
}

std::string PlainText(std::string_view text) {
  std::string plain;
  for (const Span& span : ParseSpans(text))
    plain += span.text;
  return plain;
}

std::vector<std::string> CodeSpans(std::string_view text) {
  std::vector<std::string> codes;
  for (Span& span : ParseSpans(text)) {
    if (span.style == SpanStyle::kCode) codes.push_back(std::move(span.text));
  }
  return codes;
}

}  // namespace agent::docs
