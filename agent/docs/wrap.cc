#include "agent/docs/wrap.h"

#include <algorithm>
#include <utility>

namespace agent::docs {
namespace {

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// How many bytes the first `columns` characters have.
std::size_t BytesOf(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  while (at < text.size() && columns > 0) {
    ++at;
    while (at < text.size() && IsContinuation(text[at]))
      ++at;
    --columns;
  }
  return at;
}

// Fills lines word by word. A word may have pieces of several styles: `json`,
class Filler {
 public:
  explicit Filler(std::size_t width) : width_(std::max<std::size_t>(width, 1)) {}

  void Add(const Span& span) {
    std::string_view rest = span.text;
    while (!rest.empty()) {
      const std::size_t blank = std::min(rest.find(' '), rest.size());
      if (blank > 0) {
        word_.push_back({span.style, std::string(rest.substr(0, blank)), span.target});
      }
      if (blank == rest.size()) return;
      EndWord();
      blank_before_ = true;
      blank_style_ = span.style;
      rest.remove_prefix(blank + 1);
    }
  }

  std::vector<TextLine> Finish() {
    EndWord();
    return std::move(lines_);
  }

 private:
  void EndWord() {
    if (word_.empty()) return;
    std::size_t size = Columns(word_);
    const std::size_t used = Columns(lines_.back());
    const bool gap = blank_before_ && used > 0;
    if (used > 0 && used + (gap ? 1 : 0) + size > width_) {
      lines_.emplace_back();
    } else if (gap) {
      AppendBlank();
    }
    for (Span& piece : word_)
      AppendPiece(std::move(piece));
    word_.clear();
    blank_before_ = false;
  }

  // Of the style around it, where both sides have it: an underlined link of two words.
  void AppendBlank() {
    TextLine& line = lines_.back();
    const bool inside = line.back().style == blank_style_ && word_.front().style == blank_style_;
    if (inside) {
      line.back().text += ' ';
    } else {
      line.push_back({SpanStyle::kPlain, " ", {}});
    }
  }

  void AppendPiece(Span piece) {
    for (std::size_t room = width_ - Columns(lines_.back()); Columns(piece.text) > room;
         room = width_) {
      const std::size_t bytes = BytesOf(piece.text, room);
      lines_.back().push_back({piece.style, piece.text.substr(0, bytes), piece.target});
      piece.text.erase(0, bytes);
      lines_.emplace_back();
    }
    lines_.back().push_back(std::move(piece));
  }

  const std::size_t width_;
  std::vector<TextLine> lines_{1};
  TextLine word_;
  bool blank_before_ = false;
  SpanStyle blank_style_ = SpanStyle::kPlain;
};

}  // namespace

std::size_t Columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

std::size_t Columns(const TextLine& line) {
  std::size_t columns = 0;
  for (const Span& span : line)
    columns += Columns(span.text);
  return columns;
}

std::vector<TextLine> Wrap(const std::vector<Span>& spans, std::size_t width) {
  Filler filler(width);
  for (const Span& span : spans)
    filler.Add(span);
  return filler.Finish();
}

}  // namespace agent::docs
