// Finds what somebody wants to read: a page, a section of one, a key, a flag, a metric, a word.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/docs/keys.h"
#include "agent/docs/markdown.h"
#include "agent/docs/pages.h"

namespace agent::docs {

// A page, taken apart.
struct OpenPage {
  Page page;
  std::vector<Block> blocks;
  std::vector<KeyRow> rows;
};

struct SectionHit {
  const OpenPage* page = nullptr;
  std::string heading;
  std::size_t begin = 0;  // Its blocks, the heading first.
  std::size_t end = 0;
};

struct RowHit {
  const OpenPage* page = nullptr;
  const KeyRow* row = nullptr;
  std::string name;  // Of those that the row has, the one that was found.
};

struct TextHit {
  const OpenPage* page = nullptr;
  std::string heading;  // Under which it stands.
  std::string line;
};

// Views into the library.
struct SearchResult {
  const OpenPage* page = nullptr;
  std::vector<SectionHit> sections;
  std::vector<RowHit> rows;
  // Whether what was asked for is the name of these, or only a part of it.
  bool exact = false;
  std::vector<TextHit> texts;  // Only where there is nothing else.
  std::string nearest;         // A name like it, where there is nothing at all.

  [[nodiscard]] bool found() const {
    return page != nullptr || !sections.empty() || !rows.empty() || !texts.empty();
  }
};

class Library {
 public:
  explicit Library(std::span<const Page> pages);

  [[nodiscard]] const std::vector<OpenPage>& pages() const { return pages_; }
  // By its path: "outputs/README.md". Null when there is none.
  [[nodiscard]] const OpenPage* PageAt(std::string_view path) const;

  // In any case of letters. What comes in two words may be a page and what is in it: "outputs ssl".
  [[nodiscard]] SearchResult Find(std::string_view query) const;

 private:
  [[nodiscard]] const OpenPage* PageNamed(std::string_view name) const;
  [[nodiscard]] SearchResult FindIn(std::string_view query, const OpenPage* only) const;
  [[nodiscard]] std::string Nearest(std::string_view query) const;

  std::vector<OpenPage> pages_;
};

// Where a link of the page leads, if that is in the library: a page, or with a heading behind # a
// section of one.
struct LinkEnd {
  const OpenPage* page = nullptr;  // Null: elsewhere.
  std::string anchor;
};
LinkEnd Follow(const Library& library, const OpenPage& from, std::string_view target);

}  // namespace agent::docs
