// An agent that runs with this configuration: whether it is ready, what it reads, what arrives.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/doctor/fetch.h"
#include "agent/doctor/running.h"
#include "agent/doctor/subject.h"
#include "base/read_file.h"

namespace agent::doctor {
namespace {

constexpr std::chrono::milliseconds kPatience{1'500};
// A file that is so far behind is not just being read.
constexpr double kLateSeconds = 60;
constexpr std::size_t kMaxErrors = 8;

std::string BaseUrl(const ServerConfig& server) {
  std::string host = server.http_listen_address;
  if (host.empty() || host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return (server.http_tls.enabled() ? "https://" : "http://") + host + ":" +
         std::to_string(server.http_listen_port) + server.http_path_prefix;
}

// It is this machine: whom its certificate is for does not matter.
HttpOptions OwnOptions() {
  HttpOptions options;
  options.tls.insecure_skip_verify = true;
  return options;
}

HttpRequest Request(const ServerConfig& server, const std::string& path) {
  HttpRequest request = GetRequest(BaseUrl(server) + path);
  std::string token = server.data_pages_token;
  if (!server.data_pages_token_file.empty()) {
    if (Result<std::string> read = ReadSecretFile(server.data_pages_token_file); read.ok())
      token = std::move(read).value();
  }
  if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
  return request;
}

RunningKind KindOf(const HttpResponse& metrics) {
  if (metrics.status == 0) return RunningKind::kNone;
  if (metrics.body.find("\nagent_build_info{") != std::string::npos) return RunningKind::kAgent;
  if (metrics.body.find("\npromtail_build_info{") != std::string::npos)
    return RunningKind::kPromtail;
  return RunningKind::kOther;
}

// Sums by the value of a label.
std::map<std::string, double> SumsBy(const std::string& text, std::string_view name,
                                     std::string_view label) {
  std::map<std::string, double> sums;
  const std::string key = std::string(label) + "=\"";
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != '{') continue;
    const std::size_t at = line.find(key);
    if (at == std::string::npos) continue;
    const std::size_t begin = at + key.size();
    const double value = std::strtod(line.c_str() + line.rfind(' '), nullptr);
    if (value > 0) sums[line.substr(begin, line.find('"', begin) - begin)] += value;
  }
  return sums;
}

std::string Seconds(double seconds) {
  std::array<char, 32> text{};
  if (seconds < 120) {
    std::snprintf(text.data(), text.size(), "%.0f s", seconds);
  } else {
    std::snprintf(text.data(), text.size(), "%.0f min", seconds / 60);
  }
  return text.data();
}

double NumberOf(const ConfigNode& node, const std::string& key) {
  return std::strtod(TextAt(node, {key}).c_str(), nullptr);
}

const std::vector<ConfigNode>& ItemsAt(const ConfigNode& node, const std::string& key) {
  static const std::vector<ConfigNode> kNone;
  const ConfigNode* const found = node.Find(key);
  return found == nullptr ? kNone : found->items();
}

class RunningCheck {
 public:
  RunningCheck(const Subject& subject, const Group& group) : subject_(subject), group_(group) {}

  void Run() {
    const ServerConfig& server = subject_.config.server;
    const std::vector<HttpResponse> answers =
        FetchAll(OwnOptions(),
                 {Request(server, "/metrics"), Request(server, "/ready"),
                  Request(server, "/targets?format=json"), Request(server, "/outputs?format=json")},
                 kPatience);
    if (KindOf(answers[0]) != RunningKind::kAgent) {
      group_.Note("running.none", "no agent answers at " + BaseUrl(server));
      return;
    }
    SayReady(answers[1]);
    if (answers[2].status == 200) {
      SayTargets(ParseAnswer(answers[2].body));
      SayOutputs(ParseAnswer(answers[3].body));
    } else {
      group_.Note("running.pages", "its pages are not shown: " + AnswerText(answers[2]));
    }
    SayDropped(answers[0].body);
  }

 private:
  void SayReady(const HttpResponse& answer) {
    const std::string where = BaseUrl(subject_.config.server);
    if (answer.status == 200) {
      group_.Ok("running.ready", where + ": it is ready");
    } else {
      group_.Failure("running.ready", where + "/ready: " + AnswerText(answer),
                     {"it has nothing to follow",
                      "look at what is said under Files, and at " + where + "/service-discovery"});
    }
  }

  void SayTargets(const ConfigNode& page) {
    std::size_t targets = 0;
    std::size_t files = 0;
    double bytes = 0;
    const ConfigNode* latest = nullptr;
    for (const ConfigNode& job : ItemsAt(page, "jobs")) {
      for (const ConfigNode& target : ItemsAt(job, "targets")) {
        ++targets;
        SayError(job, target, TextAt(target, {"path"}));
        for (const ConfigNode& file : ItemsAt(target, "files")) {
          ++files;
          bytes += NumberOf(file, "lag_bytes");
          if (latest == nullptr || NumberOf(file, "lag_seconds") > NumberOf(*latest, "lag_seconds"))
            latest = &file;
          SayError(job, file, TextAt(file, {"path"}));
        }
      }
      SayLabels(job);
    }
    const double lag = latest == nullptr ? 0 : NumberOf(*latest, "lag_seconds");
    const std::string text = Count(targets, "target") + ", " + Count(files, "source") + ", " +
                             Bytes(static_cast<uint64_t>(bytes)) + " to be delivered";
    if (lag > kLateSeconds) {
      group_.Warning(
          "running.lag",
          text + ", the oldest since " + Seconds(lag) + ": " + TextAt(*latest, {"path"}),
          {"its entries are late", "look at the outputs below; " + BaseUrl(subject_.config.server) +
                                       "/targets has all of them"});
    } else {
      group_.Ok("running.lag", text);
    }
  }

  void SayError(const ConfigNode& job, const ConfigNode& of, const std::string& name) {
    const std::string error = TextAt(of, {"last_error"});
    if (error.empty() || ++errors_ > kMaxErrors) return;
    group_.Warning(
        "running.error", "job " + TextAt(job, {"name"}) + ": " + name + ": " + error,
        {"it is not read, or not all of it", "what helps is said under Files, Docker or Journal"});
  }

  void SayLabels(const ConfigNode& job) {
    for (const ConfigNode& label : ItemsAt(job, "labels")) {
      if (NumberOf(label, "exceeded") <= 0) continue;
      group_.Warning("running.labels",
                     "job " + TextAt(job, {"name"}) + ": label " + TextAt(label, {"name"}) +
                         " has " + TextAt(label, {"values"}) + " values",
                     {"each makes streams: Loki becomes slow, and takes more memory",
                      "structured_metadata in place of labels for it, or limits_config: { "
                      "on_excess: structured_metadata }"});
    }
  }

  void SayOutputs(const ConfigNode& page) {
    for (const ConfigNode& output : ItemsAt(page, "outputs")) {
      const std::string name = TextAt(output, {"name"});
      group_.Ok("running.sent", name + ": " + TextAt(output, {"sent_entries"}) +
                                    " entries acknowledged since the start");
      const ConfigNode* const refused = output.Find("refused_entries");
      for (const auto& [reason, entries] :
           refused == nullptr ? std::vector<ConfigNode::Pair>() : refused->pairs()) {
        if (entries.text() == "0") continue;
        group_.Warning("running.refused",
                       name + ": " + entries.text() + " entries refused for good: " + reason.text(),
                       {"they are in the dead letter",
                        "agent replay " + Quoted(subject_.config.dead_letter.path) +
                            "   # when the reason is gone: agent replay -help"});
      }
      for (const ConfigNode& lane : ItemsAt(output, "lanes")) {
        const std::string error = TextAt(lane, {"last_error"});
        const std::string state = TextAt(lane, {"state"});
        if (state == "idle" || state == "sending" || state == "draining") continue;
        const std::string tenant = TextAt(lane, {"tenant"});
        group_.Failure(
            "running.output",
            name + (tenant.empty() ? "" : " (tenant " + tenant + ")") + " is " + state +
                (error.empty() ? "" : ": " + error),
            {"its entries wait, the oldest for " + Seconds(NumberOf(lane, "oldest_seconds")),
             "what helps is said under Output " + name});
      }
    }
  }

  void SayDropped(const std::string& metrics) {
    for (const auto& [reason, entries] :
         SumsBy(metrics, "promtail_dropped_entries_total", "reason")) {
      group_.Warning("running.dropped",
                     std::to_string(static_cast<uint64_t>(entries)) +
                         " entries dropped since the start: " + reason,
                     {"they did not arrive",
                      "its log says which: journalctl -u log-agent, docker logs, kubectl logs"});
    }
    for (const auto& [reason, lines] : SumsBy(metrics, "logentry_dropped_lines_total", "reason")) {
      group_.Note("running.pipeline", std::to_string(static_cast<uint64_t>(lines)) +
                                          " lines dropped by the pipeline: " + reason);
    }
  }

  const Subject& subject_;
  const Group& group_;
  std::size_t errors_ = 0;
};

}  // namespace

RunningKind WhoRuns(const Subject& subject) {
  const ServerConfig& server = subject.config.server;
  if (server.disable) return RunningKind::kNone;
  return KindOf(FetchAll(OwnOptions(), {Request(server, "/metrics")}, kPatience).front());
}

void CheckRunning(const Subject& subject, Findings& findings) {
  if (subject.config.server.disable || subject.config.server.http_listen_port == 0) return;
  const Group group(findings, "Running agent");
  RunningCheck(subject, group).Run();
}

}  // namespace agent::doctor
