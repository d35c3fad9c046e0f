// An Elasticsearch or OpenSearch: the way to each host, what it is, how it is, what one may do
// there.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/doctor/clock_check.h"
#include "agent/doctor/elasticsearch_facts.h"
#include "agent/doctor/fetch.h"
#include "agent/doctor/subject.h"
#include "agent/http/json_writer.h"
#include "agent/runtime/output_options.h"
#include "base/http/http_url.h"
#include "outputs/elasticsearch/product.h"

namespace agent::doctor {
namespace {

class ElasticsearchCheck {
 public:
  ElasticsearchCheck(const Subject& subject, const OutputConfig& output, const Group& group)
      : subject_(subject),
        config_(*output.elasticsearch),
        group_(group),
        options_(ToElasticsearchOptions(output, subject.host)) {}

  void Run() {
    if (!CheckCredentialFiles(options_.http, subject_.system, group_)) return;
    std::optional<std::string> usable;
    for (const std::string& host : options_.hosts) {
      if (ReachUrl(host, options_.http, subject_.timeout, group_) && SayHost(host) && !usable)
        usable = host;
    }
    if (usable) AskMore(*usable);
  }

 private:
  // Who answers. False when it is of no use.
  bool SayHost(const std::string& host) {
    const HttpResponse answer =
        FetchAll(options_.http, {GetRequest(host + "/")}, subject_.timeout).front();
    if (const auto date = answer.headers.find("date"); date != answer.headers.end()) {
      if (const auto theirs = ParseHttpDate(date->second))
        ReportSkew(MaskedUrl(host), std::time(nullptr), *theirs, group_);
    }
    const std::string text = MaskedUrl(host) + ": " + AnswerText(answer);
    if (answer.status == 200) {
      group_.Ok("elasticsearch.version",
                MaskedUrl(host) + ": " + elasticsearch::ParseProduct(answer.body).text);
      return true;
    }
    if (answer.status == 401) {
      group_.Failure(
          "elasticsearch.auth", text,
          {"nothing is delivered; batches are held",
           "basic_auth, or authorization: { type: ApiKey, credentials_file: … } in the output"});
      return false;
    }
    if (answer.status == 403) {  // A role for writing alone does not see this.
      group_.Note("elasticsearch.version", MaskedUrl(host) + " does not say what it is (403)");
      return true;
    }
    const bool tls = answer.error.find("Empty reply") != std::string::npos ||
                     answer.body.find("plain HTTP") != std::string::npos;
    group_.Failure("elasticsearch.answer", text,
                   {"nothing is delivered",
                    tls ? "https:// in place of http://" : "curl -v " + Quoted(MaskedUrl(host))});
    return false;
  }

  void AskMore(const std::string& host) {
    const std::vector<std::string> indices = IndexPatterns(config_);
    std::string list;
    for (const std::string& index : indices)
      AddWord(list, PercentEncoded(index), ",");
    const std::string privileges = PrivilegesBody(config_, indices);
    HttpRequest may = GetRequest(host + "/_security/user/_has_privileges");
    may.method = "POST";
    may.headers.emplace_back("Content-Type", "application/json");
    may.body = privileges;
    std::vector<HttpRequest> requests = {
        GetRequest(host + "/_cluster/health"), may,
        GetRequest(host + "/_cluster/settings?include_defaults=true&flat_settings=true"),
        GetRequest(host +
                   "/_nodes/stats/fs?filter_path=nodes.*.name,nodes.*.roles,nodes.*.fs.total"),
        GetRequest(host + "/" + list +
                   "/_settings?flat_settings=true&ignore_unavailable=true&allow_no_indices=true&"
                   "expand_wildcards=all")};
    if (!config_.pipeline.empty()) {
      requests.push_back(
          GetRequest(host + "/_ingest/pipeline/" + PercentEncoded(config_.pipeline)));
    }
    const std::vector<HttpResponse> answers =
        FetchAll(options_.http, std::move(requests), subject_.timeout);
    const auto parsed = [&answers](std::size_t i) {
      return answers[i].status == 200 ? ParseAnswer(answers[i].body) : ConfigNode();
    };
    const ConfigNode settings = parsed(2);
    ReportHealth(parsed(0), settings, group_);
    ReportPrivileges(parsed(1), group_);
    ReportDisks(parsed(3), settings, group_);
    ReportBlocks(parsed(4), group_);
    ReportAutoCreate(settings, config_, indices, parsed(4), group_);
    if (answers.size() > 5 && answers[5].status == 404) {
      group_.Failure("elasticsearch.pipeline", "there is no ingest pipeline " + config_.pipeline,
                     {"every document is refused", "PUT " + MaskedUrl(host) + "/_ingest/pipeline/" +
                                                       config_.pipeline +
                                                       ", or take `pipeline` out of the output"});
    }
  }

  const Subject& subject_;
  const ElasticsearchConfig& config_;
  const Group& group_;
  const ElasticsearchOptions options_;
};

}  // namespace

void CheckElasticsearch(const Subject& subject, const OutputConfig& output, Findings& findings) {
  const Group group(findings, "Output " + output.name + " (elasticsearch)");
  ElasticsearchCheck(subject, output, group).Run();
}

}  // namespace agent::doctor
