#include "agent/docs/library_text.h"

#include <algorithm>
#include <span>
#include <utility>

#include "agent/docs/wrap.h"

namespace agent::docs {
namespace {

constexpr std::string_view kStages = "pipeline/stages/";
constexpr std::size_t kMaxListed = 40;

// "outputs, Files": where something stands.
std::string Where(const OpenPage& page, const std::string& heading) {
  const bool is_title = !page.blocks.empty() && PlainText(page.blocks.front().text) == heading;
  return std::string(page.page.name) + (heading.empty() || is_title ? "" : ", " + heading);
}

std::string Shortened(const std::string& text, std::size_t columns) {
  if (Columns(text) <= columns) return text;
  std::string out = text;
  while (!out.empty() && Columns(out) + 1 > columns)
    out.erase(std::min(out.find_last_of(' '), out.size() - 1));
  return out + "…";
}

// What the overview of stages says of each, and other pages of themselves: <!-- about: … -->; else
// their title.
std::string About(const Library& library, const OpenPage& open) {
  constexpr std::string_view kAbout = "about: ";
  for (const Block& block : open.blocks) {
    if (block.kind == BlockKind::kComment && block.text.starts_with(kAbout))
      return block.text.substr(kAbout.size());
  }
  const OpenPage* const overview = library.PageAt("pipeline/README.md");
  std::string title = open.blocks.empty() ? std::string() : PlainText(open.blocks.front().text);
  if (overview == nullptr) return title;
  for (const Block& block : overview->blocks) {
    for (const auto& row : block.rows) {
      for (const std::string& cell : row) {
        const std::vector<Span> spans = ParseSpans(cell);
        if (spans.size() == 1 && Follow(library, *overview, spans[0].target).page == &open)
          return PlainText(row.back());
      }
    }
  }
  return title;
}

std::string PageList(const Library& library, bool stages, const RenderOptions& options) {
  std::size_t widest = 0;
  for (const OpenPage& open : library.pages())
    widest = std::max(widest, open.page.name.size());
  std::string out;
  for (const OpenPage& open : library.pages()) {
    if (open.page.path.starts_with(kStages) != stages) continue;
    const std::string name(open.page.name);
    const std::size_t room = options.width > widest + 6 ? options.width - widest - 6 : 20;
    out += "  " + Emphasized(name, options) + std::string(widest - name.size() + 2, ' ') +
           Shortened(About(library, open), room) + "\n";
  }
  return out;
}

std::string SectionText(const SectionHit& hit, const RenderOptions& options) {
  const std::span<const Block> blocks(hit.page->blocks);
  return Render(blocks.subspan(hit.begin, hit.end - hit.begin), options);
}

// The paths of the key in the configuration; nothing for what is no key.
std::string Paths(const KeyRow& row, const std::string& name, const RenderOptions& options) {
  Block block;
  block.level = 2;  // As far to the right as what the row says.
  for (const std::string& section : row.sections) {
    block.text += block.text.empty() ? "In: " : ", ";
    block.text += '`';
    block.text += section;
    block.text += section.empty() ? "" : ".";
    block.text += name;
    block.text += '`';
  }
  return block.text.empty() ? "" : Render({&block, 1}, options);
}

// How to get at it.
std::string Command(const OpenPage& page, std::string_view anchor) {
  std::string command = "agent docs " + std::string(page.page.name);
  if (!anchor.empty()) command += " " + std::string(anchor);
  return command;
}

// What the links of a row lead to.
std::string Links(const Library& library, const RowHit& hit) {
  std::string out;
  for (const std::string& cell : hit.row->cells) {
    for (const Span& span : ParseSpans(cell)) {
      if (span.style != SpanStyle::kLink) continue;
      const LinkEnd end = Follow(library, *hit.page, span.target);
      const std::string line =
          end.page == nullptr ? "" : "      " + Command(*end.page, end.anchor) + "\n";
      if (out.find(line) == std::string::npos) out += line;
    }
  }
  return out;
}

std::string RowsText(const Library& library, const std::vector<RowHit>& rows,
                     const RenderOptions& options) {
  std::string out;
  for (const RowHit& hit : rows) {
    if (!out.empty()) out += "\n";
    out += Emphasized(Where(*hit.page, hit.row->heading), options) + "\n";
    out += RenderRow(*hit.row, options) + Paths(*hit.row, hit.name, options) + Links(library, hit);
  }
  return out;
}

// Sections and keys that have the name of the page, too.
std::string SeeAlso(const SearchResult& result, const RenderOptions& options) {
  std::string list;
  const auto add = [&list](const std::string& what, const std::string& command) {
    const std::string line = "- " + what + ": `" + command + "`\n";
    if (list.find(line) == std::string::npos) list += line;
  };
  for (const SectionHit& hit : result.sections) {
    if (hit.page == result.page) continue;
    add("section of " + std::string(hit.page->page.name),
        Command(*hit.page, HeadingAnchor(hit.heading)));
  }
  for (const RowHit& hit : result.rows) {
    if (hit.page == result.page || !hit.row->is_key) continue;
    const std::string& section = hit.row->sections.front();
    const std::string last = section.substr(section.rfind('.') + 1);
    add("key in " + Where(*hit.page, hit.row->heading),
        "agent docs " + last.substr(0, last.find('[')) + (last.empty() ? "" : ".") + hit.name);
  }
  if (list.empty()) return list;
  return "\n" + Render(ParseMarkdown("**Also called so:**\n" + list), options);
}

// A page ends with a link to where it belongs.
std::string PageText(const Library& library, const OpenPage& open, const RenderOptions& options) {
  std::span<const Block> blocks(open.blocks);
  const std::vector<Span> last =
      blocks.empty() ? std::vector<Span>() : ParseSpans(blocks.back().text);
  const bool is_link = last.size() == 1 && last[0].style == SpanStyle::kLink;
  const LinkEnd end = is_link ? Follow(library, open, last[0].target) : LinkEnd();
  if (end.page == nullptr) return Render(blocks, options);
  return Render(blocks.first(blocks.size() - 1), options) + "\n" + last[0].text + ": " +
         Command(*end.page, end.anchor) + "\n";
}

std::string NamesList(const SearchResult& result, const RenderOptions& options) {
  std::vector<std::pair<std::string, std::string>> names;  // And where they are.
  for (const SectionHit& hit : result.sections)
    names.emplace_back(hit.heading, std::string(hit.page->page.name));
  for (const RowHit& hit : result.rows)
    names.emplace_back(hit.name, Where(*hit.page, hit.row->heading));
  const bool more = names.size() > kMaxListed;
  if (more) names.resize(kMaxListed);
  std::size_t widest = 0;
  for (const auto& [name, where] : names)
    widest = std::max(widest, Columns(name));
  std::string out;
  for (const auto& [name, where] : names) {
    out += "  " + Emphasized(name, options) + std::string(widest - Columns(name) + 2, ' ') + where +
           "\n";
  }
  return out + (more ? "  …\n" : "");
}

std::string TextsList(const std::vector<TextHit>& texts, const RenderOptions& options) {
  std::string out;
  for (const TextHit& hit : texts) {
    out += Emphasized(Where(*hit.page, hit.heading), options) + "\n    " +
           Shortened(hit.line, options.width > 24 ? options.width - 4 : 20) + "\n";
  }
  return out;
}

}  // namespace

std::string ListText(const Library& library, const RenderOptions& options) {
  return Emphasized("Pages", options) + "\n" + PageList(library, /*stages=*/false, options) + "\n" +
         Emphasized("Stages of a pipeline", options) + "\n" +
         PageList(library, /*stages=*/true, options) +
         "\nagent docs NAME shows a page, and finds sections, keys, flags and metrics by their "
         "names:\n"
         "agent docs multiline, agent docs syslog, agent docs batchwait, agent docs "
         "http-endpoints\n";
}

std::string ResultText(const Library& library, const SearchResult& result, std::string_view query,
                       const RenderOptions& options) {
  if (result.page != nullptr)
    return PageText(library, *result.page, options) + SeeAlso(result, options);
  if (result.exact || result.sections.size() + result.rows.size() == 1) {
    std::string out;
    for (const SectionHit& hit : result.sections)
      out += (out.empty() ? "" : "\n") + SectionText(hit, options);
    if (!out.empty() && !result.rows.empty()) out += "\n";
    return out + RowsText(library, result.rows, options);
  }
  if (!result.texts.empty()) {
    return "Nothing is called '" + std::string(query) + "'. It is spoken of in:\n\n" +
           TextsList(result.texts, options);
  }
  return "Nothing is called '" + std::string(query) + "'. Like it are:\n\n" +
         NamesList(result, options);
}

}  // namespace agent::docs
