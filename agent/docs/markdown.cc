#include "agent/docs/markdown.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace agent::docs {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kFence = "```";

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::size_t Indentation(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// "-" or "12." at the beginning of an item; empty when it is none.
std::string_view ItemMarker(std::string_view trimmed) {
  if (trimmed.starts_with("- ") || trimmed.starts_with("* ")) return trimmed.substr(0, 1);
  const std::size_t digits = trimmed.find_first_not_of("0123456789");
  if (digits == std::string_view::npos || digits == 0) return {};
  return trimmed.substr(digits).starts_with(". ") ? trimmed.substr(0, digits + 1)
                                                  : std::string_view();
}

// The cells of "| a | b |". A bar in code or behind a backslash is none.
std::vector<std::string> Cells(std::string_view line) {
  std::vector<std::string> cells(1);
  bool in_code = false;
  line = Trimmed(line);
  line.remove_prefix(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '`') in_code = !in_code;
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
      cells.back() += line[++i];
    } else if (line[i] == '|' && !in_code) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  if (Trimmed(cells.back()).empty()) cells.pop_back();
  for (std::string& cell : cells)
    cell = std::string(Trimmed(cell));
  return cells;
}

bool IsTableRuler(std::string_view line) {
  return line.find_first_not_of("|-: ") == std::string_view::npos &&
         line.find('-') != std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : lines_(Lines(text)) {}

  std::vector<Block> Read() {
    for (at_ = 0; at_ < lines_.size(); ++at_)
      ReadLine(lines_[at_]);
    return std::move(blocks_);
  }

 private:
  void ReadLine(std::string_view line) {
    const std::string_view text = Trimmed(line);
    const std::size_t indentation = Indentation(line);
    if (text.empty()) {
      open_ = false;
    } else if (text.starts_with(kFence)) {
      ReadCode(indentation);
    } else if (text[0] == '#' && indentation == 0) {
      ReadHeading(text);
    } else if (text.starts_with("<!--") && text.ends_with("-->")) {
      Add(BlockKind::kComment).text = std::string(Trimmed(text.substr(4, text.size() - 7)));
      open_ = false;
    } else if (text[0] == '|') {
      ReadTableRow(text);
    } else if (!ItemMarker(text).empty()) {
      ReadItem(text, indentation);
    } else if (text == "---" && !open_) {
      Add(BlockKind::kRule);
    } else {
      ReadText(text, indentation);
    }
  }

  Block& Add(BlockKind kind) {
    Block& block = blocks_.emplace_back();
    block.kind = kind;
    block.line = at_ + 1;
    return block;
  }

  // How many items a block with this indentation is in.
  std::size_t LevelOf(std::size_t indentation) {
    while (!items_.empty() && indentation <= items_.back())
      items_.pop_back();
    return items_.size();
  }

  void ReadHeading(std::string_view text) {
    const std::size_t level = text.find_first_not_of('#');
    items_.clear();
    Block& block = Add(BlockKind::kHeading);
    block.level = std::min(level, text.size());
    block.text = std::string(Trimmed(text.substr(block.level)));
    open_ = false;
  }

  void ReadItem(std::string_view text, std::size_t indentation) {
    const std::string_view marker = ItemMarker(text);
    const std::size_t level = LevelOf(indentation);
    items_.push_back(indentation);
    Block& block = Add(BlockKind::kItem);
    block.level = level + 1;
    block.marker = std::string(marker);
    block.text = std::string(Trimmed(text.substr(marker.size())));
    open_ = true;
  }

  void ReadText(std::string_view text, std::size_t indentation) {
    if (open_) {
      blocks_.back().text += " " + std::string(text);
      return;
    }
    const bool quote = text.starts_with("> ");
    Block& block = Add(quote ? BlockKind::kQuote : BlockKind::kParagraph);
    block.level = LevelOf(indentation);
    block.text = std::string(quote ? text.substr(2) : text);
    open_ = true;
  }

  void ReadTableRow(std::string_view text) {
    const bool follows = !blocks_.empty() && blocks_.back().kind == BlockKind::kTable && at_ > 0 &&
                         Trimmed(lines_[at_ - 1]).starts_with('|');
    Block& table = follows ? blocks_.back() : Add(BlockKind::kTable);
    open_ = false;
    if (IsTableRuler(text)) return;
    table.rows.push_back(Cells(text));
  }

  void ReadCode(std::size_t indentation) {
    Block& block = Add(BlockKind::kCode);
    block.level = LevelOf(indentation);
    block.language = std::string(Trimmed(Trimmed(lines_[at_]).substr(kFence.size())));
    while (++at_ < lines_.size() && !Trimmed(lines_[at_]).starts_with(kFence)) {
      std::string_view line = lines_[at_];
      line.remove_prefix(std::min(Indentation(line), indentation));
      block.text += std::string(line) + "\n";
    }
    open_ = false;
  }

  const std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  std::vector<Block> blocks_;
  std::vector<std::size_t> items_;  // Indentation of the items that are open, outermost first.
  bool open_ = false;               // Text that comes belongs to the last block.
};

}  // namespace

std::vector<Block> ParseMarkdown(std::string_view text) {
  return Reader(text).Read();
}

std::string HeadingAnchor(std::string_view heading) {
  std::string anchor;
  for (const char c : PlainText(heading)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '_' || c == '-' || byte >= 0x80) {
      anchor += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

}  // namespace agent::docs
