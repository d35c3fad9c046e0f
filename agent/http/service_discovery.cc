// `/service-discovery` shows what discovery found, what relabelling made of it, and what was
// dropped and why.

#include <algorithm>
#include <string>
#include <string_view>

#include "agent/http/endpoints.h"
#include "agent/http/html.h"
#include "agent/http/json_writer.h"

namespace agent {
namespace {

// Of each job; all are counted, and all are in the JSON.
constexpr std::size_t kMaxTargets = 500;
constexpr std::size_t kMaxDropped = 100;

ServerResponse DiscoveryJson(const std::vector<JobStatus>& jobs) {
  JsonWriter json;
  json.BeginObject().Key("jobs").BeginArray();
  for (const JobStatus& job : jobs) {
    json.BeginObject().Key("name").String(job.name).Key("targets").BeginArray();
    for (const TargetStatus& target : job.targets) {
      json.BeginObject().Key("discovered_labels").Object(target.discovered_labels);
      json.Key("labels").Object(target.labels).EndObject();
    }
    json.EndArray().Key("dropped_count").Number(uint64_t{job.dropped_count});
    json.Key("dropped").BeginArray();
    for (const DroppedTargetInfo& dropped : job.dropped) {
      json.BeginObject().Key("discovered_labels").Object(dropped.discovered_labels);
      json.Key("reason").String(dropped.reason);
      json.Key("rule").String(dropped.detail).EndObject();
    }
    json.EndArray().Key("problems").BeginArray();
    for (const std::string& problem : job.problems)
      json.String(problem);
    json.EndArray().EndObject();
  }
  json.EndArray().EndObject();
  return {.content_type = "application/json",
          .body = json.Take() + "\n",
          .headers = {{"Cache-Control", "no-store"}}};
}

void AppendTable(const JobStatus& job, HtmlPage& page) {
  page.Raw(
      "<div class=\"card\"><table class=\"halves\"><thead><tr><th>Discovered labels</th>"
      "<th>Target labels</th></tr></thead><tbody>\n");
  for (std::size_t i = 0; i < std::min(job.targets.size(), kMaxTargets); ++i) {
    const TargetStatus& target = job.targets[i];
    page.Raw("<tr>").Cell("Discovered").LabelList(target.discovered_labels).Raw("</td>");
    page.Cell("Target").LabelList(target.labels);
    if (!target.path_pattern.empty()) {
      page.Raw("<br><code class=\"faint pattern\">").Text(target.path_pattern).Raw("</code>");
    }
    page.Raw("</td></tr>\n");
  }
  for (std::size_t i = 0; i < std::min(job.dropped.size(), kMaxDropped); ++i) {
    const DroppedTargetInfo& dropped = job.dropped[i];
    page.Raw("<tr>").Cell("Discovered").LabelList(dropped.discovered_labels).Raw("</td>");
    page.Cell("Target").Raw("<span class=\"state bad\">not used</span> ");
    page.Text(dropped.reason).Raw("<small>").Text(dropped.detail).Raw("</small></td></tr>\n");
  }
  page.Raw("</tbody></table></div>\n");
}

void AppendJob(const JobStatus& job, HtmlPage& page) {
  page.Raw("<h2>").Text(job.name).Raw(" <small>");
  page.Text(Counted(job.targets.size(), "target")).Raw(", ");
  page.Text(std::to_string(job.dropped_count)).Raw(" dropped</small></h2>\n");
  for (const std::string& problem : job.problems) {
    page.Raw("<p><span class=\"state bad\">cannot be read</span> ").Text(problem).Raw("</p>\n");
  }
  if (job.targets.empty() && job.dropped.empty()) {
    page.Raw("<p class=\"faint\">Nothing was found.</p>\n");
    return;
  }
  AppendTable(job, page);
  const std::size_t shown =
      std::min(job.targets.size(), kMaxTargets) + std::min(job.dropped.size(), kMaxDropped);
  const std::size_t all = job.targets.size() + job.dropped_count;
  if (shown < all) {
    page.Raw("<p class=\"faint\">").Text(std::to_string(all - shown)).Raw(" more.</p>\n");
  }
}

}  // namespace

ServerResponse ServeServiceDiscovery(const ServerRequest& request, EndpointContext& context) {
  const std::string_view chosen = request.Query("job");
  const std::vector<JobStatus> jobs = context.view.Jobs(chosen);
  if (WantsJson(request)) return DiscoveryJson(jobs);
  HtmlPage page("Service discovery", "/service-discovery", context.view.Info());
  page.JobFilter("service-discovery", context.view.JobNames(), chosen);
  for (const JobStatus& job : jobs)
    AppendJob(job, page);
  if (jobs.empty()) {
    page.Raw(chosen.empty() ? "<p class=\"faint\">No job is configured.</p>\n"
                            : "<p class=\"faint\">There is no such job.</p>\n");
  }
  return page.Finish();
}

}  // namespace agent
