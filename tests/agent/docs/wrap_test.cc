#include "agent/docs/wrap.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent::docs {
namespace {

std::vector<std::string> Lines(const std::string& markdown, std::size_t width) {
  std::vector<std::string> lines;
  for (const TextLine& line : Wrap(ParseSpans(markdown), width)) {
    lines.emplace_back();
    for (const Span& span : line)
      lines.back() += span.text;
  }
  return lines;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("wrap: breaks between words, and not before a comma behind code", "[docs]") {
  CHECK(Lines("one `two`, three", 9) == Texts{"one two,", "three"});
  CHECK(Lines("one `two`, three", 7) == Texts{"one", "two,", "three"});
}

TEST_CASE("wrap: what is exactly as wide as the line fits", "[docs]") {
  CHECK(Lines("abc def", 7) == Texts{"abc def"});
  CHECK(Lines("abc def", 6) == Texts{"abc", "def"});
}

TEST_CASE("wrap: a word that is longer than a line is cut", "[docs]") {
  CHECK(Lines("ab abcdefgh", 3) == Texts{"ab", "abc", "def", "gh"});
  CHECK(Lines("x`yyyy`z", 3) == Texts{"xyy", "yyz"});
}

TEST_CASE("wrap: letters of several bytes are one column, and stay whole", "[docs]") {
  CHECK(Columns(std::string_view("é…—")) == 3);
  CHECK(Lines("ééé…", 2) == Texts{"éé", "é…"});
}

TEST_CASE("wrap: nothing is one empty line", "[docs]") {
  CHECK(Lines("", 10) == Texts{""});
}

}  // namespace agent::docs
