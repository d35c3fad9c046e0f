// A Loki: the way to it, whether it takes what is pushed, what it takes, and what it has.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/doctor/clock_check.h"
#include "agent/doctor/fetch.h"
#include "agent/doctor/loki_limits.h"
#include "agent/doctor/subject.h"
#include "agent/runtime/client_options.h"
#include "base/http/http_url.h"

namespace agent::doctor {
namespace {

constexpr std::string_view kPushPath = "/loki/api/v1/push";
// A push request without a stream: nothing is stored, and credentials and path are proven.
constexpr std::string_view kEmptyPush{"\0", 1};
// From here on, Loki's index and memory suffer.
constexpr double kManyStreams = 10'000;
constexpr int64_t kRecentSeconds = 300;
constexpr std::size_t kMaxJobsAsked = 8;

std::string BaseUrl(const std::string& url) {
  const std::string path = url.substr(0, url.find('?'));
  if (path.ends_with(kPushPath)) return path.substr(0, path.size() - kPushPath.size());
  const std::size_t scheme = path.find("://");
  const std::size_t slash = path.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  return path.substr(0, slash);
}

// The sum of a metric's samples; nullopt where there is none. `label`: only those with it.
std::optional<double> MetricSum(const std::string& text, std::string_view name) {
  std::optional<double> sum;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with(name)) continue;
    const char next = line.size() > name.size() ? line[name.size()] : '\0';
    if (next != '{' && next != ' ') continue;
    const std::size_t space = line.rfind(' ');
    sum = sum.value_or(0) + std::strtod(line.c_str() + space, nullptr);
  }
  return sum;
}

// "12 too_far_behind, 3 line_too_long" of loki_discarded_samples_total.
std::string Discarded(const std::string& text) {
  std::string found;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with("loki_discarded_samples_total{")) continue;
    const std::size_t reason = line.find("reason=\"");
    const double value = std::strtod(line.c_str() + line.rfind(' '), nullptr);
    if (reason == std::string::npos || value < 1) continue;
    const std::string name = line.substr(reason + 8, line.find('"', reason + 8) - reason - 8);
    AddWord(found, std::to_string(static_cast<uint64_t>(value)) + " " + name);
  }
  return found;
}

class LokiCheck {
 public:
  LokiCheck(const Subject& subject, const ClientConfig& client, const Group& group)
      : subject_(subject),
        client_(client),
        group_(group),
        options_(ToLokiOptions(client, subject.config.limits)),
        base_(BaseUrl(client.url)) {}

  void Run() {
    if (!CheckCredentialFiles(options_.http, subject_.system, group_)) return;
    if (!ReachUrl(client_.url, options_.http, subject_.timeout, group_)) return;
    const std::vector<HttpResponse> answers = Ask();
    const HttpResponse& push = answers[0];
    if (const auto date = push.headers.find("date"); date != push.headers.end()) {
      if (const auto theirs = ParseHttpDate(date->second))
        ReportSkew("Loki", std::time(nullptr), *theirs, group_);
    }
    const bool taken = SayPush(push);
    SayReady(answers[1]);
    SayVersion(answers[2]);
    if (answers[3].status == 200) {
      ReportLokiLimits(subject_, client_, ParseAnswer(answers[3].body), group_);
    } else if (taken) {
      group_.Note("loki.limits",
                  "its limits are not shown (/config: " + AnswerText(answers[3]) + ")");
    }
    if (answers[4].status == 200) SayMetrics(answers[4].body);
    if (taken) SayRecent();
  }

 private:
  HttpRequest Request(const std::string& url) const {
    HttpRequest request = GetRequest(url);
    if (!client_.tenant_id.empty())
      request.headers.emplace_back("X-Scope-OrgID", client_.tenant_id);
    return request;
  }

  std::vector<HttpResponse> Ask() const {
    HttpRequest push = Request(client_.url);
    push.method = "POST";
    push.headers.emplace_back("Content-Type", "application/x-protobuf");
    push.body = kEmptyPush;
    return FetchAll(
        options_.http,
        {push, Request(base_ + "/ready"), Request(base_ + "/loki/api/v1/status/buildinfo"),
         Request(base_ + "/config"), Request(base_ + "/metrics")},
        subject_.timeout);
  }

  // False when nothing can be delivered.
  bool SayPush(const HttpResponse& push) {
    const std::string text = MaskedUrl(client_.url) + ": " + AnswerText(push);
    const std::string held = "nothing is delivered; batches are held";
    const bool no_tenant = push.body.find("no org id") != std::string::npos;
    if (push.status == 401 && no_tenant) {
      group_.Failure("loki.tenant", text,
                     {held, "tenant_id: NAME   # in the client; Loki has auth_enabled"});
    } else if (push.status == 401 || push.status == 403) {
      group_.Failure(
          "loki.auth", text,
          {held, "basic_auth, bearer_token_file or oauth2 of the client: " +
                     std::string(push.status == 401 ? "who one is" : "what one may do")});
    } else if (push.status == 404 || push.status == 405) {
      group_.Failure("loki.path", text,
                     {held, client_.url.ends_with(kPushPath)
                                ? "curl " + Quoted(base_ + "/ready") +
                                      "   # is it a Loki, or is a path in between?"
                                : "url: " + base_ + std::string(kPushPath)});
    } else if (push.status == 0) {
      const bool slow = push.error.find("imed out") != std::string::npos;
      group_.Failure("loki.push", text,
                     {held, slow ? "curl -v --max-time 10 " + Quoted(base_ + "/ready") +
                                       "   # it takes the connection and does not answer"
                                 : "curl -v " + Quoted(base_ + "/ready")});
    } else if (push.status >= 300 && push.status < 400) {
      group_.Failure("loki.redirect", text, {held, "url: the address that it redirects to"});
    } else if (push.status == 429) {
      group_.Warning(
          "loki.rate", text,
          {"entries wait",
           "in Loki: limits_config: { ingestion_rate_mb: …, ingestion_burst_size_mb: … }"});
      return true;
    } else if (push.status >= 500) {
      group_.Failure("loki.push", text,
                     {held, "its log: docker logs loki, kubectl logs, journalctl -u loki"});
    } else {
      // An empty request is answered 2xx, or 4xx because it is empty: both come from who stores.
      group_.Ok("loki.push",
                MaskedUrl(client_.url) + " takes what is pushed" +
                    (client_.tenant_id.empty() ? "" : " for tenant " + client_.tenant_id));
      return true;
    }
    return false;
  }

  void SayReady(const HttpResponse& ready) {
    if (ready.status == 200) {
      group_.Ok("loki.ready", "it is ready");
    } else if (ready.status == 503) {
      group_.Warning("loki.ready", "it is not ready: " + AnswerText(ready),
                     {"it may refuse what is pushed until then",
                      "curl " + Quoted(base_ + "/ready") + "   # again in a minute; then its log"});
    } else if (ready.status != 0) {
      group_.Note("loki.ready",
                  "whether it is ready is not shown (/ready: " + ready.status_text + ")");
    }
  }

  void SayVersion(const HttpResponse& build) {
    if (build.status != 200) return;
    const std::string version = TextAt(ParseAnswer(build.body), {"version"});
    if (!version.empty()) group_.Ok("loki.version", "version " + version);
  }

  void SayMetrics(const std::string& text) {
    if (const auto received = MetricSum(text, "loki_distributor_bytes_received_total")) {
      group_.Ok("loki.received", "it has taken " + Bytes(static_cast<uint64_t>(*received)) +
                                     " since it was started");
    }
    const std::string discarded = Discarded(text);
    if (!discarded.empty()) {
      group_.Note(
          "loki.discarded",
          "it has refused entries since it was started, of whomever: " + discarded,
          {"", "curl -s " + Quoted(base_ + "/metrics") + " | grep loki_discarded_samples_total"});
    }
    const auto streams = MetricSum(text, "loki_ingester_memory_streams");
    if (!streams) return;
    const auto number = static_cast<uint64_t>(*streams);
    const std::string text_of =
        Count(number, "stream") + (number == 1 ? " is" : " are") + " active in it";
    if (*streams > kManyStreams) {
      group_.Warning("loki.streams", text_of,
                     {"that many make it slow, and take its memory",
                      "agent: /targets shows the labels with many values; structured_metadata in "
                      "place of labels"});
    } else {
      group_.Ok("loki.streams", text_of);
    }
  }

  // Streams of the last minutes, by what targets are called here.
  void SayRecent() {
    std::vector<std::string> jobs;
    std::vector<HttpRequest> requests;
    const int64_t now = std::time(nullptr);
    for (const KnownTargets::Job& job : subject_.targets.jobs) {
      if (job.targets.empty() || jobs.size() == kMaxJobsAsked) continue;
      Labels labels = job.targets.front()->labels;
      for (const Label& label : client_.external_labels)
        labels.Set(label.name, label.value);
      if (labels.empty()) continue;
      jobs.push_back(job.name);
      requests.push_back(
          Request(base_ + "/loki/api/v1/series?match[]=" + PercentEncoded(FormatLabels(labels)) +
                  "&start=" + std::to_string(now - kRecentSeconds) +
                  "000000000&end=" + std::to_string(now + 60) + "000000000"));
    }
    const std::vector<HttpResponse> answers =
        FetchAll(options_.http, std::move(requests), subject_.timeout);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const ConfigNode found = ParseAnswer(answers[i].body);
      const ConfigNode* const data = found.Find("data");
      if (answers[i].status != 200 || data == nullptr) continue;  // It may push, and not ask.
      const std::size_t streams = data->items().size();
      const std::string text = "job " + jobs[i] + ": " +
                               (streams == 0 ? "no" : std::to_string(streams)) +
                               (streams == 1 ? " stream" : " streams") + " in the last 5 minutes";
      if (streams > 0) {
        group_.Ok("loki.recent", text);
      } else {
        group_.Note("loki.recent", text);
      }
    }
  }

  const Subject& subject_;
  const ClientConfig& client_;
  const Group& group_;
  const LokiOptions options_;
  const std::string base_;
};

}  // namespace

void CheckLoki(const Subject& subject, const ClientConfig& client, Findings& findings) {
  const Group group(findings, OutputGroup(client));
  LokiCheck(subject, client, group).Run();
}

}  // namespace agent::doctor
