#include "agent/docs/table.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "agent/docs/markdown.h"
#include "agent/docs/wrap.h"

namespace agent::docs {
namespace {

// Text in fewer columns is torn to pieces.
constexpr std::size_t kLeastText = 30;
// Beyond that the other columns may have more.
constexpr std::size_t kGoodText = 56;
// A column that is not the last gets no more while there are others to wrap.
constexpr std::size_t kMostOfOthers = 32;
constexpr std::size_t kLeastOfOthers = 12;

std::size_t Total(const std::vector<std::size_t>& widths) {
  const std::size_t gaps = widths.empty() ? 0 : (widths.size() - 1) * kColumnGap;
  return std::accumulate(widths.begin(), widths.end(), gaps);
}

// What nothing can make narrower: the longest word.
std::size_t LongestWord(std::string_view text) {
  std::size_t longest = 0;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    longest = std::max(longest, Columns(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return longest;
}

}  // namespace

std::optional<std::vector<std::size_t>> ColumnWidths(
    const std::vector<std::vector<std::string>>& rows, std::size_t width) {
  std::size_t count = 0;
  for (const auto& row : rows)
    count = std::max(count, row.size());
  std::vector<std::size_t> natural(count);
  std::vector<std::size_t> words(count);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string text = PlainText(row[i]);
      natural[i] = std::max(natural[i], Columns(text));
      words[i] = std::max(words[i], LongestWord(text));
    }
  }
  if (Total(natural) <= width) return natural;
  const std::vector<std::size_t> wanted = natural;
  // The last column is the one with text; the others are what it is about, and wrap where they are
  // long, between words.
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const std::size_t least = std::max(std::min(words[i], kMostOfOthers), kLeastOfOthers);
    natural[i] = std::min(natural[i], std::max(least, i == 0 ? kMostOfOthers : kLeastOfOthers));
    if (natural[i] < words[i]) return std::nullopt;
  }
  const std::size_t others = Total(natural) - natural.back();
  if (others + kLeastText > width) return std::nullopt;
  natural.back() = std::min(natural.back(), width - others);
  // What there is room for.
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const std::size_t room = natural.back() - std::min(natural.back(), kGoodText);
    const std::size_t more = std::min(room, wanted[i] - natural[i]);
    natural[i] += more;
    natural.back() -= more;
  }
  return natural;
}

}  // namespace agent::docs
