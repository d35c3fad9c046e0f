#include "agent/docs/search.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/config/spelling.h"

namespace agent::docs {
namespace {

constexpr std::size_t kMaxTexts = 20;
constexpr std::size_t kLeastForParts = 3;  // Letters: shorter ones are in everything.

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// "clients[].url" as "clients.url", so that nobody has to write brackets; - and _ are alike within
// a name.
std::string Path(std::string_view path) {
  std::string out = Lower(path);
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i] == '-') out[i] = '_';
  }
  for (std::size_t at = out.find("[]"); at != std::string::npos; at = out.find("[]", at))
    out.erase(at, 2);
  return out;
}

// Of a name in a table: a flag has a dash before it, which need not be written.
bool IsName(std::string_view name, std::string_view query) {
  return name == query || (name.starts_with('-') && name.substr(1) == query);
}

// The name by which the row is of this key: its name is the query, or the end of its path; empty
// when there is none.
std::string NameIn(const KeyRow& row, const std::string& query) {
  for (const std::string& each : row.names) {
    const std::string name = Path(each);
    if (IsName(name, query) || ("." + name).ends_with("." + query)) return each;
    for (const std::string& section : row.sections) {
      const std::string path = "." + Path(section) + "." + name;
      if (path.ends_with("." + query)) return each;
    }
  }
  return {};
}

std::string NameWithPart(const KeyRow& row, const std::string& query) {
  const auto found = std::find_if(
      row.names.begin(), row.names.end(),
      [&query](const std::string& name) { return Path(name).find(query) != std::string::npos; });
  return found == row.names.end() ? std::string() : *found;
}

// With all headings below it.
std::size_t SectionEnd(const std::vector<Block>& blocks, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < blocks.size() &&
         !(blocks[end].kind == BlockKind::kHeading && blocks[end].level <= blocks[begin].level)) {
    ++end;
  }
  return end;
}

std::string AllText(const Block& block) {
  std::string text = block.text;
  for (const auto& row : block.rows) {
    for (const std::string& cell : row)
      text += " " + cell;
    text += "\n";
  }
  return text;
}

// The line around `at`, without what stands far away from it.
std::string LineAround(const std::string& text, std::size_t at) {
  constexpr std::size_t kAround = 60;
  const std::size_t line = text.rfind('\n', at);
  std::size_t begin = line == std::string::npos ? 0 : line + 1;
  std::size_t end = std::min(text.find('\n', at), text.size());
  if (at > begin + kAround) begin = std::min(text.find(' ', at - kAround), at);
  if (end > at + kAround) end = std::max(text.rfind(' ', at + kAround), at);
  return text.substr(begin, end - begin);
}

void FindTexts(const OpenPage& page, const std::string& query, std::vector<TextHit>& texts) {
  std::string heading;
  for (const Block& block : page.blocks) {
    if (block.kind == BlockKind::kHeading) heading = PlainText(block.text);
    if (block.kind == BlockKind::kComment || texts.size() >= kMaxTexts) continue;
    const std::string text =
        block.kind == BlockKind::kCode ? block.text : PlainText(AllText(block));
    const std::size_t at = Lower(text).find(query);
    if (at != std::string::npos) texts.push_back({&page, heading, LineAround(text, at)});
  }
}

// What is called so goes to `exact`, what has it in its name to `parts`.
void FindSections(const OpenPage& page, const std::string& word, SearchResult& exact,
                  SearchResult& parts) {
  for (std::size_t i = 0; i < page.blocks.size(); ++i) {
    const Block& block = page.blocks[i];
    if (block.kind != BlockKind::kHeading || block.level < 2) continue;
    const std::string name = PlainText(block.text);
    const SectionHit hit{&page, name, i, SectionEnd(page.blocks, i)};
    const std::string heading = Lower(name);
    if (heading == word || HeadingAnchor(block.text) == word) {
      exact.sections.push_back(hit);
    } else if (heading.find(word) != std::string::npos) {
      parts.sections.push_back(hit);
    }
  }
}

void FindRows(const OpenPage& page, const std::string& path, SearchResult& exact,
              SearchResult& parts) {
  for (const KeyRow& row : page.rows) {
    std::string name = NameIn(row, path);
    if (!name.empty()) {
      exact.rows.push_back({&page, &row, std::move(name)});
      continue;
    }
    name = NameWithPart(row, path);
    if (!name.empty()) parts.rows.push_back({&page, &row, std::move(name)});
  }
}

}  // namespace

Library::Library(std::span<const Page> pages) {
  for (const Page& page : pages) {
    OpenPage& open = pages_.emplace_back();
    open.page = page;
    open.blocks = ParseMarkdown(page.text);
    open.rows = KeyRows(open.blocks);
  }
}

const OpenPage* Library::PageNamed(std::string_view name) const {
  const auto found = std::find_if(pages_.begin(), pages_.end(), [name](const OpenPage& open) {
    return open.page.name == name || Lower(open.page.path) == name;
  });
  return found == pages_.end() ? nullptr : &*found;
}

SearchResult Library::FindIn(std::string_view query, const OpenPage* only) const {
  SearchResult exact;
  SearchResult parts;
  exact.exact = true;
  for (const OpenPage& open : pages_) {
    if (only != nullptr && only != &open) continue;
    FindSections(open, Lower(query), exact, parts);
    FindRows(open, Path(query), exact, parts);
  }
  if (exact.found() || query.size() < kLeastForParts) return exact;
  if (parts.found()) return parts;
  for (const OpenPage& open : pages_) {
    if (only == nullptr || only == &open) FindTexts(open, Lower(query), parts.texts);
  }
  return parts;
}

SearchResult Library::Find(std::string_view query) const {
  const std::size_t blank = query.find(' ');
  if (blank != std::string_view::npos) {
    const OpenPage* const within = PageNamed(Lower(query.substr(0, blank)));
    if (within != nullptr) {
      SearchResult result = FindIn(query.substr(blank + 1), within);
      if (result.found()) return result;
    }
  }
  const OpenPage* const page = PageNamed(Lower(query));
  SearchResult result = FindIn(query, nullptr);
  if (page != nullptr) {
    // What only looks like the name of the page is not what was asked for.
    if (!result.exact) result = {};
    result.page = page;
    result.exact = true;
  } else if (!result.found() || !result.exact) {
    result.nearest = Nearest(query);
  }
  return result;
}

std::string Library::Nearest(std::string_view query) const {
  std::vector<std::string> names;
  for (const OpenPage& open : pages_) {
    names.emplace_back(open.page.name);
    for (const Block& block : open.blocks) {
      if (block.kind == BlockKind::kHeading) names.push_back(Lower(PlainText(block.text)));
    }
    for (const KeyRow& row : open.rows) {
      for (const std::string& name : row.names)
        names.push_back(name.starts_with('-') ? name.substr(1) : name);
    }
  }
  return NearestSpelling(Lower(query), names);
}

const OpenPage* Library::PageAt(std::string_view path) const {
  const auto found = std::find_if(pages_.begin(), pages_.end(),
                                  [path](const OpenPage& open) { return open.page.path == path; });
  return found == pages_.end() ? nullptr : &*found;
}

LinkEnd Follow(const Library& library, const OpenPage& from, std::string_view target) {
  const std::size_t hash = target.find('#');
  const std::string file(target.substr(0, hash));
  LinkEnd end;
  if (hash != std::string_view::npos) end.anchor = target.substr(hash + 1);
  if (file.empty()) {
    end.page = &from;
  } else {
    const std::filesystem::path folder = std::filesystem::path(from.page.path).parent_path();
    end.page = library.PageAt((folder / file).lexically_normal().string());
  }
  return end;
}

}  // namespace agent::docs
