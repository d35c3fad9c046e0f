#include "pipeline/regex/literal.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace agent {
namespace {

using Kind = RegexNode::Kind;

// How much a byte narrows a line down: a guess from what logs are made of.
int Rarity(char c) {
  constexpr std::string_view kEverywhere = " \"':,-./=etaoinsr0123456789";
  if (kEverywhere.find(c) != std::string_view::npos) return 1;
  if (c >= 'a' && c <= 'z') return 2;
  if (c >= 'A' && c <= 'Z') return 3;
  return 4;
}

int Worth(std::string_view literal) {
  int worth = 0;
  for (const char c : literal.substr(0, 16))
    worth += Rarity(c);
  return worth;
}

class Collector {
 public:
  void Visit(const RegexNode& node) {
    switch (node.kind) {
      case Kind::kLiteral:
        // U+FFFD stands for bytes that are not there in the text itself.
        if (node.fold || node.rune == 0xFFFD) return Break();
        AppendUtf8(node.rune, run_);
        return;
      case Kind::kClass:
      case Kind::kOpaque:
      case Kind::kAlternate:
        return Break();
      case Kind::kCapture:
        return Visit(node.children[0]);
      case Kind::kConcat:
        for (const RegexNode& child : node.children)
          Visit(child);
        return;
      case Kind::kRepeat:
        Break();
        if (node.min > 0) Visit(node.children[0]);
        return Break();
      default:
        return;  // Matches between characters.
    }
  }

  std::string Best() {
    Break();
    return best_;
  }

 private:
  void Break() {
    if (Worth(run_) > Worth(best_)) best_ = run_;
    run_.clear();
  }

  std::string run_;
  std::string best_;
};

}  // namespace

std::string RequiredLiteral(const RegexNode& root) {
  constexpr int kWorthLooking = 3;
  Collector collector;
  collector.Visit(root);
  std::string best = collector.Best();
  if (Worth(best) < kWorthLooking) best.clear();
  return best;
}

LiteralFinder::LiteralFinder(std::string literal) : literal_(std::move(literal)) {
  for (std::size_t i = 1; i < literal_.size(); ++i) {
    if (Rarity(literal_[i]) > Rarity(literal_[first_])) first_ = i;
  }
  second_ = first_ == 0 ? literal_.size() - 1 : 0;
  for (std::size_t i = 0; i < literal_.size(); ++i) {
    if (i != first_ && Rarity(literal_[i]) > Rarity(literal_[second_])) second_ = i;
  }
}

bool LiteralFinder::In(std::string_view text) const {
  if (text.size() < literal_.size()) return false;
  if (literal_.size() == 1) {
    return std::memchr(text.data(), literal_[0], text.size()) != nullptr;
  }
  return ScanPairs(text);
}

// Compares two bytes of the literal at 16 places at once, and the whole of it where both fit.
bool LiteralFinder::ScanPairs(std::string_view text) const {
  std::size_t at = 0;
#if defined(__SSE2__)
  const std::size_t places = text.size() - literal_.size() + 1;
  const __m128i first = _mm_set1_epi8(literal_[first_]);
  const __m128i second = _mm_set1_epi8(literal_[second_]);
  const auto load = [&text](std::size_t offset) {
    __m128i bytes;
    std::memcpy(&bytes, text.data() + offset, sizeof bytes);
    return bytes;
  };
  for (; at + 16 <= places; at += 16) {
    const __m128i fits = _mm_and_si128(_mm_cmpeq_epi8(load(at + first_), first),
                                       _mm_cmpeq_epi8(load(at + second_), second));
    auto mask = static_cast<unsigned>(_mm_movemask_epi8(fits));
    while (mask != 0) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(mask));
      if (std::memcmp(text.data() + at + bit, literal_.data(), literal_.size()) == 0) return true;
      mask &= mask - 1;
    }
  }
#endif
  return memmem(text.data() + at, text.size() - at, literal_.data(), literal_.size()) != nullptr;
}

}  // namespace agent
