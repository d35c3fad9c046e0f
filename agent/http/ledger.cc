// `/ledger` is the proof that nothing gets lost: for each source and output, bytes read = settled +
// dropped + in flight. JSON, or a page for a browser.

#include "agent/http/endpoints.h"
#include "agent/http/html.h"
#include "agent/http/json_writer.h"

namespace agent {
namespace {

// Rows that a page shows; all are in the JSON.
constexpr std::size_t kMaxRows = 2000;

struct Sums {
  uint64_t settled = 0;
  uint64_t dropped = 0;
  uint64_t in_flight = 0;
  bool balanced = true;
};

Sums SumUp(const std::vector<LedgerRow>& rows) {
  Sums sums;
  for (const LedgerRow& row : rows) {
    sums.settled += row.settled;
    sums.dropped += row.dropped;
    sums.in_flight += row.in_flight;
    sums.balanced = sums.balanced && row.balanced();
  }
  return sums;
}

ServerResponse LedgerJson(const std::vector<LedgerRow>& rows) {
  JsonWriter json;
  json.BeginObject().Key("balanced").Bool(SumUp(rows).balanced).Key("sources").BeginArray();
  for (const LedgerRow& row : rows) {
    json.BeginObject();
    json.Key("job").String(row.job).Key("source").String(row.source);
    json.Key("output").String(row.output);
    json.Key("read").Number(row.read).Key("settled").Number(row.settled);
    json.Key("dropped").Number(row.dropped).Key("in_flight").Number(row.in_flight);
    json.Key("balanced").Bool(row.balanced()).EndObject();
  }
  json.EndArray().EndObject();
  return {.content_type = "application/json",
          .body = json.Take() + "\n",
          .headers = {{"Cache-Control", "no-store"}}};
}

void AppendRow(const LedgerRow& row, HtmlPage& page) {
  page.Raw("<tr>").Cell("Source").Text(row.source).Raw("<small>");
  page.Text(row.job).Raw("</small></td>").TextCell("Output", row.output);
  page.BytesCell("Read", row.read).BytesCell("Settled", row.settled);
  page.BytesCell("Dropped", row.dropped).BytesCell("In flight", row.in_flight);
  page.Cell("Balance").Raw(row.balanced() ? "<span class=\"state good\">balanced"
                                          : "<span class=\"state bad\">differs");
  page.Raw("</span></td></tr>\n");
}

ServerResponse LedgerPage(const std::vector<LedgerRow>& rows, const AgentInfo& info) {
  const Sums sums = SumUp(rows);
  HtmlPage page("Ledger", "/ledger", info);
  page.Raw("<div class=\"tiles\">")
      .Tile(sums.balanced ? "Balanced" : "Differs", "read = settled + dropped + in flight",
            !sums.balanced)
      .Tile(FormatBytes(sums.settled), "settled at outputs")
      .Tile(FormatBytes(sums.dropped), "dropped")
      .Tile(FormatBytes(sums.in_flight), "in flight")
      .Raw(
          "</div>\n<h2>Sources and outputs</h2>\n<div class=\"card\"><table><thead><tr>"
          "<th>Source</th><th>Output</th><th class=\"number\">Read</th>"
          "<th class=\"number\">Settled</th><th class=\"number\">Dropped</th>"
          "<th class=\"number\">In flight</th><th>Balance</th></tr></thead><tbody>\n");
  for (std::size_t i = 0; i < rows.size() && i < kMaxRows; ++i)
    AppendRow(rows[i], page);
  page.Raw("</tbody></table></div>\n");
  if (rows.empty()) page.Raw("<p class=\"faint\">Nothing has been read yet.</p>\n");
  if (rows.size() > kMaxRows) {
    page.Raw("<p class=\"faint\">").Text(std::to_string(rows.size() - kMaxRows));
    page.Raw(" more are in the <a href=\"ledger?format=json\">JSON</a>.</p>\n");
  }
  return page.Finish();
}

}  // namespace

ServerResponse ServeLedger(const ServerRequest& request, EndpointContext& context) {
  const std::vector<LedgerRow> rows = context.view.Ledger();
  const bool browser = request.accept.find("text/html") != std::string::npos;
  if (!browser || WantsJson(request)) return LedgerJson(rows);
  return LedgerPage(rows, context.view.Info());
}

}  // namespace agent
