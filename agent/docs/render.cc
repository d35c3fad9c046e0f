#include "agent/docs/render.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "agent/docs/table.h"
#include "agent/docs/wrap.h"

namespace agent::docs {
namespace {

constexpr std::size_t kIndentation = 2;  // Below a heading, and for each list.
constexpr std::size_t kCodeIndentation = 4;
constexpr std::size_t kLeastWidth = 20;

constexpr std::string_view kReset = "\033[0m";
constexpr std::string_view kBold = "\033[1m";

std::string_view EscapeOf(SpanStyle style) {
  switch (style) {
    case SpanStyle::kCode:
      return "\033[36m";
    case SpanStyle::kBold:
      return kBold;
    case SpanStyle::kItalic:
      return "\033[3m";
    case SpanStyle::kLink:
      return "\033[4m";
    default:
      return {};
  }
}

bool IsOutside(std::string_view target) {
  return target.find("://") != std::string_view::npos;
}

// What the spans of a text are in this output: code in backticks without styles, addresses of other
// sites written out.
std::vector<Span> Shown(std::string_view text, const RenderOptions& options) {
  std::vector<Span> shown;
  for (Span& span : ParseSpans(text)) {
    const std::string target = span.target;
    if (span.style == SpanStyle::kCode && !options.styled) span.text = "`" + span.text + "`";
    shown.push_back(std::move(span));
    if (IsOutside(target) && target != shown.back().text)
      shown.push_back({SpanStyle::kPlain, " (" + target + ")", {}});
  }
  return shown;
}

std::vector<Span> AllOf(std::vector<Span> spans, SpanStyle style) {
  for (Span& span : spans)
    span.style = style;
  return spans;
}

class Renderer {
 public:
  explicit Renderer(const RenderOptions& options)
      : options_(options), width_(std::max(options.width, kLeastWidth)) {}

  void Add(const Block& block) {
    if (block.kind == BlockKind::kComment) return;
    const bool in_list = block.kind == BlockKind::kItem && last_ == BlockKind::kItem;
    if (!out_.empty() && !in_list) out_ += '\n';
    last_ = block.kind;
    switch (block.kind) {
      case BlockKind::kHeading:
        return AddHeading(block);
      case BlockKind::kItem:
        return AddItem(block);
      case BlockKind::kCode:
        return AddCode(block);
      case BlockKind::kTable:
        return AddTable(block.rows);
      case BlockKind::kRule:
        return Line(kIndentation, {{SpanStyle::kPlain, std::string(width_ / 2, '-'), {}}});
      case BlockKind::kQuote:
        return Paragraph(AllOf(Shown(block.text, options_), SpanStyle::kItalic), 2 * kIndentation);
      default:
        return Paragraph(Shown(block.text, options_), kIndentation * (block.level + 1));
    }
  }

  // Cells below one another.
  void AddStacked(const std::vector<std::string>& titles, const std::vector<std::string>& row) {
    if (row.empty()) return;
    Paragraph(AllOf(ParseSpans(row[0]), SpanStyle::kBold), kIndentation);
    std::string facts;
    for (std::size_t i = 1; i + 1 < row.size(); ++i) {
      const std::string title = i < titles.size() ? titles[i] : "";
      // Of keys: "boolean; default `false`", "text; required".
      if (row[i].empty() || (title == "default" && row[i] == "none")) continue;
      const bool clear = title.empty() || title == "type" || row[i] == "required";
      facts += (facts.empty() ? "" : "; ") + (clear ? "" : title + " ") + row[i];
    }
    if (!facts.empty()) Paragraph(Shown(facts, options_), 2 * kIndentation + 2);
    if (row.size() > 1 && !row.back().empty())
      Paragraph(Shown(row.back(), options_), 2 * kIndentation + 2);
  }

  std::string Take() { return std::move(out_); }

 private:
  void AddHeading(const Block& block) {
    const std::size_t indentation = block.level > 2 ? kIndentation / 2 : 0;
    Paragraph(AllOf(ParseSpans(block.text), SpanStyle::kBold), indentation);
  }

  void AddItem(const Block& block) {
    const std::size_t indentation = kIndentation * block.level;
    const std::string marker =
        block.marker == "-" || block.marker == "*" ? (options_.styled ? "•" : "-") : block.marker;
    Paragraph(Shown(block.text, options_), indentation + Columns(marker) + 1, marker + " ");
  }

  void AddCode(const Block& block) {
    std::string_view rest = block.text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string line(rest.substr(0, end));
      if (!line.empty()) {
        Line(kCodeIndentation + kIndentation * block.level, {{SpanStyle::kCode, line, {}}});
      } else {
        out_ += '\n';
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  void AddTable(const std::vector<std::vector<std::string>>& rows) {
    const auto widths = ColumnWidths(rows, width_ - kIndentation);
    if (rows.empty()) return;
    if (!widths) {
      for (std::size_t i = 1; i < rows.size(); ++i) {
        if (i > 1) out_ += '\n';
        AddStacked(rows.front(), rows[i]);
      }
      return;
    }
    const bool has_head = std::any_of(rows[0].begin(), rows[0].end(),
                                      [](const std::string& cell) { return !cell.empty(); });
    if (has_head) AddRow(rows[0], *widths, /*head=*/true);
    for (std::size_t i = 1; i < rows.size(); ++i)
      AddRow(rows[i], *widths, /*head=*/false);
  }

  void AddRow(const std::vector<std::string>& row, const std::vector<std::size_t>& widths,
              bool head) {
    std::vector<std::vector<TextLine>> cells;
    std::size_t height = 1;
    for (std::size_t i = 0; i < row.size(); ++i) {
      // In columns code is clear without backticks; they would not fit either.
      std::vector<Span> spans = ParseSpans(row[i]);
      if (head) spans = AllOf(std::move(spans), SpanStyle::kBold);
      cells.push_back(Wrap(spans, std::max<std::size_t>(widths[i], 1)));
      height = std::max(height, cells.back().size());
    }
    for (std::size_t y = 0; y < height; ++y) {
      TextLine line;
      std::size_t column = 0;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (y < cells[i].size()) {
          line.push_back({SpanStyle::kPlain, std::string(column - Columns(line), ' '), {}});
          line.insert(line.end(), cells[i][y].begin(), cells[i][y].end());
        }
        column += widths[i] + kColumnGap;
      }
      Line(kIndentation, line);
    }
  }

  // Wrapped, all lines indented; `first` stands before the first one, within the indentation.
  void Paragraph(const std::vector<Span>& spans, std::size_t indentation,
                 std::string_view first = {}) {
    const std::size_t width =
        width_ > indentation + kLeastWidth ? width_ - indentation : kLeastWidth;
    for (const TextLine& line : Wrap(spans, width)) {
      TextLine whole;
      if (!first.empty()) whole.push_back({SpanStyle::kPlain, std::string(first), {}});
      whole.insert(whole.end(), line.begin(), line.end());
      Line(indentation - Columns(first), whole);
      first = {};
    }
  }

  void Line(std::size_t indentation, const TextLine& line) {
    std::string text(indentation, ' ');
    for (const Span& span : line) {
      const std::string_view escape = options_.styled ? EscapeOf(span.style) : std::string_view();
      text += escape;
      text += span.text;
      if (!escape.empty()) text += kReset;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out_ += text + '\n';
  }

  const RenderOptions& options_;
  const std::size_t width_;
  std::string out_;
  BlockKind last_ = BlockKind::kHeading;
};

}  // namespace

std::string Render(std::span<const Block> blocks, const RenderOptions& options) {
  Renderer renderer(options);
  for (const Block& block : blocks)
    renderer.Add(block);
  return renderer.Take();
}

std::string RenderRow(const KeyRow& row, const RenderOptions& options) {
  Renderer renderer(options);
  renderer.AddStacked(row.titles, row.cells);
  return renderer.Take();
}

std::string Emphasized(const std::string& text, const RenderOptions& options) {
  return options.styled ? std::string(kBold) + text + std::string(kReset) : text;
}

}  // namespace agent::docs
