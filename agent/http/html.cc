#include "agent/http/html.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/utf8.h"

namespace agent {
namespace {

struct Link {
  std::string_view path;
  std::string_view href;  // Relative, so that it holds under any prefix and behind any proxy.
  std::string_view text;
};

constexpr std::array<Link, 6> kLinks = {{
    {"/targets", "targets", "Targets"},
    {"/service-discovery", "service-discovery", "Discovery"},
    {"/outputs", "outputs", "Outputs"},
    {"/ledger", "ledger", "Ledger"},
    {"/config", "config", "Config"},
    {"/metrics", "metrics", "Metrics"},
}};

std::string WithDecimals(double value, int decimals) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

// "2 h 10 min".
std::string TwoUnits(uint64_t large, const char* large_name, uint64_t small,
                     const char* small_name) {
  std::string out = std::to_string(large) + " " + large_name;
  if (small > 0) out += " " + std::to_string(small) + " " + small_name;
  return out;
}

}  // namespace

void AppendHtmlEscaped(std::string_view text, std::string& out) {
  std::string clean;
  AppendSanitized(text, clean);
  for (const char c : clean) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

std::string FormatBytes(uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < kUnits.size(); ++unit)
    value /= 1024;
  return WithDecimals(value, value < 10 ? 2 : 1) + " " + kUnits[unit];
}

std::string FormatSeconds(double seconds) {
  if (seconds < 0.05) return "0 s";
  if (seconds < 9.95) return WithDecimals(seconds, 1) + " s";
  const auto whole = static_cast<uint64_t>(std::llround(seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return TwoUnits(whole / 60, "min", whole < 600 ? whole % 60 : 0, "s");
  if (whole < 86400) return TwoUnits(whole / 3600, "h", whole / 60 % 60, "min");
  return TwoUnits(whole / 86400, "d", whole / 3600 % 24, "h");
}

std::string Grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3)
    text.insert(at - 3, ",");
  return text;
}

std::string Counted(std::size_t count, std::string_view what) {
  std::string out = std::to_string(count) + " ";
  out += what;
  if (count != 1) out += what.ends_with("ch") ? "es" : "s";
  return out;
}

HtmlPage::HtmlPage(std::string_view title, std::string_view path, const AgentInfo& info) {
  Raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\"><title>");
  Text(title).Raw(" · ").Text(info.hostname);
  Raw("</title><link rel=\"stylesheet\" href=\"static/style.css\"></head>\n<body><header>"
      "<p class=\"brand\"><b>Log Agent</b> <span>");
  Text(info.hostname).Raw("</span></p><nav>");
  for (const Link& link : kLinks) {
    Raw("<a href=\"").Raw(link.href).Raw("\"");
    if (link.path == path) Raw(" aria-current=\"page\"");
    Raw(">").Raw(link.text).Raw("</a>");
  }
  Raw("</nav></header>\n<main><h1>").Text(title).Raw("</h1>\n");
}

HtmlPage& HtmlPage::Raw(std::string_view markup) {
  html_ += markup;
  return *this;
}

HtmlPage& HtmlPage::Text(std::string_view text) {
  AppendHtmlEscaped(text, html_);
  return *this;
}

HtmlPage& HtmlPage::Tile(std::string_view value, std::string_view caption, bool alarming) {
  Raw(alarming ? "<p class=\"tile bad\"><b>" : "<p class=\"tile\"><b>");
  return Text(value).Raw("</b> <span>").Text(caption).Raw("</span></p>");
}

HtmlPage& HtmlPage::Cell(std::string_view column, std::string_view css_class) {
  Raw("<td data-label=\"").Text(column);
  if (!css_class.empty()) Raw("\" class=\"").Raw(css_class);
  return Raw("\">");
}

HtmlPage& HtmlPage::TextCell(std::string_view column, std::string_view text,
                             std::string_view css_class) {
  return Cell(column, css_class).Text(text).Raw("</td>");
}

HtmlPage& HtmlPage::BytesCell(std::string_view column, uint64_t bytes) {
  Cell(column, "number").Raw("<span title=\"").Text(std::to_string(bytes)).Raw(" bytes\">");
  return Text(FormatBytes(bytes)).Raw("</span></td>");
}

HtmlPage& HtmlPage::LabelList(const Labels& labels) {
  if (labels.empty()) return Raw("<span class=\"faint\">no labels</span>");
  Raw("<span class=\"labels\">");
  for (const Label& label : labels) {
    Raw("<code><i>").Text(label.name).Raw("</i>=").Text(label.value).Raw("</code> ");
  }
  return Raw("</span>");
}

HtmlPage& HtmlPage::Details(std::string_view summary) {
  return Raw("<details><summary>").Text(summary).Raw("</summary>");
}

HtmlPage& HtmlPage::JobFilter(std::string_view action, const std::vector<std::string>& jobs,
                              std::string_view chosen) {
  if (jobs.size() < 2 && chosen.empty()) return *this;
  Raw("<form class=\"filter\" method=\"get\" action=\"").Text(action);
  Raw("\"><label for=\"job\">Job</label><select id=\"job\" name=\"job\">"
      "<option value=\"\">all</option>");
  for (const std::string& job : jobs) {
    Raw("<option value=\"").Text(job).Raw(job == chosen ? "\" selected>" : "\">");
    Text(job).Raw("</option>");
  }
  return Raw("</select><button>Show</button></form>\n");
}

ServerResponse HtmlPage::Finish() {
  Raw("</main></body></html>\n");
  ServerResponse response;
  response.content_type = "text/html; charset=utf-8";
  response.body = std::move(html_);
  // Nothing may run in these pages, whatever a log line or a label says.
  response.headers = {{"Content-Security-Policy",
                       "default-src 'none'; style-src 'self'; frame-ancestors 'none'; "
                       "base-uri 'none'; form-action 'self'"},
                      {"Cache-Control", "no-store"}};
  return response;
}

bool WantsJson(const ServerRequest& request) {
  if (const std::string_view format = request.Query("format"); !format.empty()) {
    return format == "json";
  }
  return request.accept.find("application/json") != std::string::npos &&
         request.accept.find("text/html") == std::string::npos;
}

}  // namespace agent
