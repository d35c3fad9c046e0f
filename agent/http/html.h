// The frame of the HTML pages and how values look in them. No scripts; every value is escaped.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/http/request.h"
#include "agent/http/state.h"
#include "base/labels.h"

namespace agent {

void AppendHtmlEscaped(std::string_view text, std::string& out);

// "0 B", "812 B", "12.3 MiB".
std::string FormatBytes(uint64_t bytes);
// "0 s", "3.2 s", "5 min", "2 h 10 min", "3 d 4 h".
std::string FormatSeconds(double seconds);

// "1,234,567".
std::string Grouped(uint64_t number);
// "1 file", "3 files".
std::string Counted(std::size_t count, std::string_view what);

class HtmlPage {
 public:
  // `path` is the endpoint's, "/targets": its link is marked in the navigation.
  HtmlPage(std::string_view title, std::string_view path, const AgentInfo& info);

  // Markup of our own, as it is.
  HtmlPage& Raw(std::string_view markup);
  // Anything else.
  HtmlPage& Text(std::string_view text);

  // A number with what it counts: one of the boxes at the top of a page.
  HtmlPage& Tile(std::string_view value, std::string_view caption, bool alarming = false);
  // A table's cell, which shows its column's name on a narrow screen. The caller closes it with
  // Raw("</td>").
  HtmlPage& Cell(std::string_view column, std::string_view css_class = {});
  // A whole cell with a text.
  HtmlPage& TextCell(std::string_view column, std::string_view text,
                     std::string_view css_class = {});
  // A whole cell with a size; the exact number is its tool tip.
  HtmlPage& BytesCell(std::string_view column, uint64_t bytes);
  HtmlPage& LabelList(const Labels& labels);
  // What can be opened: shut at first. The caller closes it with Raw("</details>").
  HtmlPage& Details(std::string_view summary);
  // A form that asks for the same page (`action` is relative) with one job alone. Nothing for a
  // single job.
  HtmlPage& JobFilter(std::string_view action, const std::vector<std::string>& jobs,
                      std::string_view chosen);

  [[nodiscard]] ServerResponse Finish();

 private:
  std::string html_;
};

// The client wants JSON: ?format=json, or it accepts JSON and not HTML.
bool WantsJson(const ServerRequest& request);

}  // namespace agent
