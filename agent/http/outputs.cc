// `/outputs` answers "does it arrive, and what is in the way": what each output has delivered,
// what waits in memory and on the disk, and what was refused and why.

#include "agent/http/outputs.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "agent/http/endpoints.h"

namespace agent {
namespace {

// Lanes that the page shows of one output; all are in the JSON.
constexpr std::size_t kMaxLanes = 200;

struct Sums {
  uint64_t sent_entries = 0;
  uint64_t memory_bytes = 0;
  uint64_t disk_bytes = 0;
  uint64_t refused = 0;
  double oldest_seconds = 0;
};

Sums SumUp(const std::vector<OutputView>& outputs) {
  Sums sums;
  for (const OutputView& output : outputs) {
    sums.sent_entries += output.sent_entries;
    for (const auto& [reason, entries] : output.refused)
      sums.refused += entries;
    for (const LaneInfo& lane : output.lanes) {
      sums.memory_bytes += lane.queued_bytes;
      sums.disk_bytes += lane.buffer ? lane.buffer->bytes : 0;
      sums.oldest_seconds = std::max(sums.oldest_seconds, lane.oldest_seconds);
    }
  }
  return sums;
}

void AppendBuffer(const LaneInfo& lane, HtmlPage& page) {
  page.Cell("On disk", "number");
  if (lane.buffer) {
    page.Text(FormatBytes(lane.buffer->batches == 0 ? 0 : lane.buffer->bytes)).Raw("<small>");
    page.Text(Grouped(lane.buffer->entries) + (lane.buffer->entries == 1 ? " entry" : " entries"));
    page.Raw("</small>");
    if (lane.buffer->full) page.Raw("<span class=\"state bad\">full</span>");
  } else {
    page.Raw("<span class=\"faint\">no buffer</span>");
  }
  page.Raw("</td>");
}

void AppendLane(const LaneInfo& lane, bool with_tenant, HtmlPage& page) {
  page.Raw("<tr>");
  if (with_tenant) page.TextCell("Tenant", lane.tenant.empty() ? "none" : lane.tenant);
  AppendLaneState(lane, page);
  page.Cell("In memory", "number").Text(FormatBytes(lane.queued_bytes)).Raw("<small>");
  page.Text(Counted(lane.queued_batches, "batch")).Raw("</small></td>");
  AppendBuffer(lane, page);
  page.TextCell("Oldest", FormatSeconds(lane.oldest_seconds), "number");
  page.TextCell("Last error", lane.last_error, "bad").Raw("</tr>\n");
}

void AppendLanes(const OutputView& output, HtmlPage& page) {
  if (output.lanes.empty()) return;
  const bool with_tenant = output.lanes.size() > 1 || !output.lanes.front().tenant.empty();
  page.Raw("<table class=\"lanes\"><thead><tr>");
  if (with_tenant) page.Raw("<th>Tenant</th>");
  page.Raw(
      "<th>State</th><th class=\"number\">In memory</th><th class=\"number\">On disk</th>"
      "<th class=\"number\">Oldest</th><th>Last error</th></tr></thead><tbody>\n");
  for (std::size_t i = 0; i < output.lanes.size() && i < kMaxLanes; ++i)
    AppendLane(output.lanes[i], with_tenant, page);
  page.Raw("</tbody></table>\n");
  if (output.lanes.size() > kMaxLanes) {
    page.Raw("<p class=\"faint\">").Text(std::to_string(output.lanes.size() - kMaxLanes));
    page.Raw(" more are in the <a href=\"outputs?format=json\">JSON</a>.</p>\n");
  }
}

void AppendTotals(const OutputView& output, HtmlPage& page) {
  const auto fact = [&page](uint64_t count, std::string_view what, bool always = false) {
    if (count == 0 && !always) return;
    page.Raw("<li><b>").Text(Grouped(count)).Raw("</b> ").Text(what).Raw("</li>");
  };
  page.Raw("<ul class=\"facts\">");
  fact(output.sent_entries, "entries acknowledged", /*always=*/true);
  page.Raw("<li><b>").Text(FormatBytes(output.sent_bytes)).Raw("</b> sent</li>");
  fact(output.requests, "requests");
  fact(output.failed_requests, "of them failed");
  fact(output.retried_entries, "entries sent again");
  fact(output.duplicates, "entries were there already");
  fact(output.repaired_entries, "entries repaired");
  for (const auto& [reason, entries] : output.refused) {
    page.Raw("<li class=\"bad\"><b>").Text(Grouped(entries)).Raw("</b> refused: ");
    page.Text(reason).Raw("</li>");
  }
  page.Raw("</ul>");
}

void AppendOutput(const OutputView& output, HtmlPage& page) {
  page.Raw("<section class=\"card\"><div><h2>").Text(output.name).Raw(" <small>");
  page.Text(output.kind).Raw("</small></h2><code class=\"faint pattern\">");
  page.Text(output.receiver).Raw("</code>");
  AppendTotals(output, page);
  page.Raw("</div>");
  AppendLanes(output, page);
  page.Raw("</section>\n");
}

void AppendJson(const OutputView& output, JsonWriter& json) {
  json.BeginObject().Key("name").String(output.name).Key("kind").String(output.kind);
  json.Key("receiver").String(output.receiver);
  json.Key("sent_entries").Number(output.sent_entries);
  json.Key("sent_bytes").Number(output.sent_bytes).Key("requests").Number(output.requests);
  json.Key("failed_requests").Number(output.failed_requests);
  json.Key("retried_entries").Number(output.retried_entries);
  json.Key("duplicate_entries").Number(output.duplicates);
  json.Key("repaired_entries").Number(output.repaired_entries);
  json.Key("refused_entries").BeginObject();
  for (const auto& [reason, entries] : output.refused)
    json.Key(reason).Number(entries);
  json.EndObject().Key("lanes").BeginArray();
  for (const LaneInfo& lane : output.lanes) {
    json.BeginObject();
    AppendLaneMembers(lane, json);
    json.EndObject();
  }
  json.EndArray().EndObject();
}

ServerResponse OutputsJson(const std::vector<OutputView>& outputs) {
  JsonWriter json;
  json.BeginObject().Key("outputs").BeginArray();
  for (const OutputView& output : outputs)
    AppendJson(output, json);
  json.EndArray().EndObject();
  return {.content_type = "application/json",
          .body = json.Take() + "\n",
          .headers = {{"Cache-Control", "no-store"}}};
}

ServerResponse OutputsPage(const std::vector<OutputView>& outputs, const AgentInfo& info) {
  const Sums sums = SumUp(outputs);
  HtmlPage page("Outputs", "/outputs", info);
  page.Raw("<div class=\"tiles\">");
  AppendLanesTile(outputs, page);
  page.Tile(Grouped(sums.sent_entries), "entries acknowledged");
  page.Tile(FormatBytes(sums.memory_bytes), "wait in memory");
  page.Tile(FormatBytes(sums.disk_bytes), "in disk buffers");
  page.Tile(FormatSeconds(sums.oldest_seconds), "oldest unacknowledged entry");
  page.Tile(Grouped(sums.refused), "entries refused for good", sums.refused > 0);
  page.Raw("</div>\n<p></p>\n");
  for (const OutputView& output : outputs)
    AppendOutput(output, page);
  if (outputs.empty()) page.Raw("<p class=\"faint\">There is no output.</p>\n");
  return page.Finish();
}

}  // namespace

void AppendLanesTile(const std::vector<OutputView>& outputs, HtmlPage& page) {
  std::size_t lanes = 0;
  std::size_t waiting = 0;
  for (const OutputView& output : outputs) {
    lanes += output.lanes.size();
    waiting += static_cast<std::size_t>(std::count_if(output.lanes.begin(), output.lanes.end(),
                                                      [](const LaneInfo& l) { return !l.well(); }));
  }
  page.Tile(waiting == 0 ? "All well" : std::to_string(waiting) + " waiting",
            Counted(lanes, "output lane"), waiting != 0);
}

void AppendLaneState(const LaneInfo& lane, HtmlPage& page) {
  page.Cell("State").Raw(lane.well() ? "<span class=\"state good\">"
                                     : "<span class=\"state bad\">");
  page.Text(lane.state).Raw("</span>");
  if (lane.attempts > 1)
    page.Raw("<small>attempt ").Text(std::to_string(lane.attempts)).Raw("</small>");
  page.Raw("</td>");
}

void AppendLaneMembers(const LaneInfo& lane, JsonWriter& json) {
  json.Key("tenant").String(lane.tenant);
  json.Key("state").String(lane.state).Key("attempts").Number(uint64_t{lane.attempts});
  json.Key("queued_batches").Number(uint64_t{lane.queued_batches});
  json.Key("queued_bytes").Number(lane.queued_bytes);
  json.Key("oldest_seconds").Number(lane.oldest_seconds);
  json.Key("last_error").String(lane.last_error);
  if (!lane.buffer) return;
  json.Key("buffer").BeginObject().Key("bytes").Number(lane.buffer->bytes);
  json.Key("batches").Number(lane.buffer->batches).Key("entries").Number(lane.buffer->entries);
  json.Key("full").Bool(lane.buffer->full).EndObject();
}

ServerResponse ServeOutputs(const ServerRequest& request, EndpointContext& context) {
  const std::vector<OutputView> outputs = context.view.Outputs();
  if (WantsJson(request)) return OutputsJson(outputs);
  return OutputsPage(outputs, context.view.Info());
}

}  // namespace agent
