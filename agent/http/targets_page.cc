// `/targets` as a page.

#include <algorithm>

#include "agent/http/html.h"
#include "agent/http/outputs.h"
#include "agent/http/targets.h"

namespace agent {
namespace {

// Files that the page shows, over all jobs; all are in the JSON.
constexpr std::size_t kMaxFiles = 2000;

struct Sums {
  std::size_t targets = 0;
  std::size_t files = 0;     // And listeners.
  std::size_t followed = 0;  // Files alone.
  uint64_t lag_bytes = 0;
  double lag_seconds = 0;
};

Sums SumUp(const std::vector<JobStatus>& jobs) {
  Sums sums;
  for (const JobStatus& job : jobs) {
    sums.targets += job.targets.size();
    for (const TargetStatus& target : job.targets) {
      sums.files += target.files.size();
      sums.followed += static_cast<std::size_t>(
          std::count_if(target.files.begin(), target.files.end(),
                        [](const FileInfo& file) { return file.inode != 0; }));
      for (const FileInfo& file : target.files) {
        sums.lag_bytes += file.lag_bytes();
        sums.lag_seconds = std::max(sums.lag_seconds, file.lag_seconds);
      }
    }
  }
  return sums;
}

void AppendTiles(const Sums& sums, const std::vector<OutputView>& outputs,
                 const Readiness& readiness, const AgentInfo& info, HtmlPage& page) {
  page.Raw("<div class=\"tiles\">");
  page.Tile(readiness.ready ? "Ready" : "Not ready",
            readiness.ready
                ? "version " + info.version + ", up " + FormatSeconds(info.uptime_seconds)
                : readiness.reason,
            !readiness.ready);
  page.Tile(std::to_string(sums.followed), sums.followed == 1 ? "file followed" : "files followed");
  page.Tile(FormatBytes(sums.lag_bytes), "still to be delivered");
  page.Tile(FormatSeconds(sums.lag_seconds), "oldest undelivered line");
  AppendLanesTile(outputs, page);
  page.Raw("</div>\n");
}

void AppendLane(const OutputView& output, const LaneInfo& lane, HtmlPage& page) {
  page.Raw("<tr>").Cell("Output").Text(output.name).Raw("<small>").Text(output.receiver);
  page.Raw("</small></td>").TextCell("Tenant", lane.tenant, "keep");
  AppendLaneState(lane, page);
  page.TextCell("Oldest", FormatSeconds(lane.oldest_seconds), "number");
  page.TextCell("Last error", lane.last_error, "bad").Raw("</tr>\n");
}

void AppendOutputs(const std::vector<OutputView>& outputs, HtmlPage& page) {
  if (outputs.empty()) return;
  page.Raw(
      "<h2>Outputs <small><a href=\"outputs\">more</a></small></h2>\n"
      "<div class=\"card\"><table><thead><tr><th>Output</th><th>Tenant</th><th>State</th>"
      "<th class=\"number\">Oldest</th><th>Last error</th></tr></thead><tbody>\n");
  for (const OutputView& output : outputs) {
    for (const LaneInfo& lane : output.lanes)
      AppendLane(output, lane, page);
  }
  page.Raw("</tbody></table></div>\n");
}

void AppendFile(const FileInfo& file, HtmlPage& page) {
  page.Raw("<tr>").Cell("File").Raw("<span class=\"mono\">").Text(file.path);
  page.Raw("</span>");
  if (file.inode != 0) page.Raw("<small>").Text(IdentityText(file)).Raw("</small>");
  page.Raw("</td>");
  // Of a file it is a word or two; a listener says more.
  page.TextCell("State", file.state, file.inode != 0 ? "word" : "");
  const std::string offset = std::to_string(std::min(file.read_bytes, file.size_bytes));
  page.Cell("Read", "number").Raw("<span><progress value=\"").Text(offset).Raw("\" max=\"");
  page.Text(std::to_string(std::max<uint64_t>(file.size_bytes, 1))).Raw("\"></progress></span>");
  page.Raw("<small>").Text(FormatBytes(file.read_bytes)).Raw(" of ");
  page.Text(FormatBytes(file.size_bytes)).Raw("</small></td>");
  page.BytesCell("To deliver", file.lag_bytes());
  page.TextCell("Behind", FormatSeconds(file.lag_seconds), "number");
  page.TextCell("Last error", file.last_error, "bad").Raw("</tr>\n");
}

void AppendTarget(const TargetStatus& target, std::size_t& files_left, HtmlPage& page) {
  page.Raw("<section class=\"card\"><div>").LabelList(target.labels);
  if (!target.path_pattern.empty()) {
    page.Raw("<br><code class=\"faint pattern\">").Text(target.path_pattern).Raw("</code>");
  }
  if (!target.discovered_labels.empty()) {
    page.Details("before relabelling").LabelList(target.discovered_labels).Raw("</details>");
  }
  if (!target.waits_for.empty()) {
    page.Raw("<br><span class=\"faint\">Waits: ").Text(target.waits_for).Raw("</span>");
  }
  if (!target.last_error.empty()) {
    page.Raw("<br><span class=\"bad\">").Text(target.last_error).Raw("</span>");
  }
  page.Raw("</div>");
  if (target.files.empty()) {
    page.Raw("<p class=\"faint\">")
        .Text(target.ready ? "Nothing to list." : "No file matches yet.");
    page.Raw("</p></section>\n");
    return;
  }
  page.Raw(
      "<table><thead><tr><th>File</th><th>State</th><th class=\"number\">Read</th>"
      "<th class=\"number\">To deliver</th><th class=\"number\">Behind</th>"
      "<th>Last error</th></tr></thead><tbody>\n");
  for (const FileInfo& file : target.files) {
    if (files_left == 0) break;
    --files_left;
    AppendFile(file, page);
  }
  page.Raw("</tbody></table></section>\n");
}

void AppendLabels(const std::vector<LabelInfo>& labels, HtmlPage& page) {
  for (const LabelInfo& label : labels) {
    if (!label.too_many()) continue;
    page.Raw("<p><span class=\"state bad\">too many values</span> Label <code>").Text(label.name);
    page.Raw("</code> has about ").Text(std::to_string(label.values)).Raw(" values; the limit is ");
    page.Text(std::to_string(label.limit)).Raw(".");
    if (!label.sample.empty()) page.Raw(" One of them: <code>").Text(label.sample).Raw("</code>.");
    if (label.from_targets > label.limit) page.Raw(" Targets bring them.");
    page.Raw("</p>\n");
  }
}

void AppendJob(const JobStatus& job, std::size_t& files_left, HtmlPage& page) {
  std::size_t files = 0;
  for (const TargetStatus& target : job.targets)
    files += target.files.size();
  page.Raw("<h3>").Text(job.name).Raw(" <small>");
  page.Text(Counted(job.targets.size(), "target") + ", " + Counted(files, "file"));
  page.Raw("</small></h3>\n");
  AppendLabels(job.labels, page);
  if (job.targets.empty()) page.Raw("<p class=\"faint\">No target was found.</p>\n");
  for (const TargetStatus& target : job.targets) {
    if (files_left == 0) break;
    AppendTarget(target, files_left, page);
  }
}

}  // namespace

ServerResponse TargetsPage(const TargetsView& view, const Readiness& readiness,
                           const AgentInfo& info) {
  const Sums sums = SumUp(view.jobs);
  HtmlPage page("Targets", "/targets", info);
  AppendTiles(sums, view.outputs, readiness, info, page);
  AppendOutputs(view.outputs, page);
  page.Raw("<h2 id=\"jobs\">Jobs</h2>\n").JobFilter("targets", view.job_names, view.chosen_job);
  if (view.jobs.empty()) page.Raw("<p class=\"faint\">There is no such job.</p>\n");
  std::size_t files_left = kMaxFiles;
  for (const JobStatus& job : view.jobs)
    AppendJob(job, files_left, page);
  if (sums.files > kMaxFiles) {
    page.Raw("<p class=\"faint\">").Text(std::to_string(sums.files - kMaxFiles));
    page.Raw(" more files are in the <a href=\"targets?format=json\">JSON</a>.</p>\n");
  }
  return page.Finish();
}

}  // namespace agent
