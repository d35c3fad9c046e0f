// One entry, pushed and asked back: the proof that lines can be found where they should be.

#include "agent/doctor/send_test.h"

#include <chrono>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "agent/doctor/fetch.h"
#include "agent/http/json_writer.h"
#include "agent/runtime/client_options.h"
#include "agent/runtime/output_options.h"
#include "base/clock.h"
#include "base/http/http_url.h"
#include "base/random.h"
#include "outputs/event_pattern.h"

namespace agent::doctor {
namespace {

using std::chrono::milliseconds;

constexpr int kAttempts = 10;
constexpr milliseconds kPause{500};
constexpr std::string_view kPushPath = "/loki/api/v1/push";

std::string TestLine(const std::string& host) {
  const auto now = static_cast<uint64_t>(SystemClock().WallNanos());
  return "test entry of agent doctor on " + host + ", number " + std::to_string(now);
}

// Asks until the line is there. The last answer.
template <typename Ask>
bool AskBack(const std::string& line, HttpResponse& answer, Ask ask) {
  for (int i = 0; i < kAttempts; ++i) {
    answer = ask();
    if (answer.status == 200 && answer.body.find(line) != std::string::npos) return true;
    if (answer.status == 401 || answer.status == 403) return false;
    std::this_thread::sleep_for(kPause);
  }
  return false;
}

void SayBack(const std::string& name, bool found, const HttpResponse& answer,
             const std::string& where, const Group& group) {
  if (found) {
    group.Ok("test.found", name + ": the test entry arrived and was found" + where);
  } else if (answer.status == 401 || answer.status == 403 || answer.status == 404) {
    group.Note("test.query", name + ": the test entry was taken, and may not be asked for: " +
                                 AnswerText(answer));
  } else {
    group.Warning("test.lost",
                  name + ": the test entry was taken, and is not found" + where + " (" +
                      AnswerText(answer) + ")",
                  {"entries may arrive late, or where nobody looks",
                   "ask again in a minute; the receiver's log"});
  }
}

std::string LokiBody(const std::string& host, const std::string& line) {
  JsonWriter json;
  json.BeginObject().Key("streams").BeginArray().BeginObject();
  json.Key("stream")
      .BeginObject()
      .Key("job")
      .String("agent-doctor")
      .Key("host")
      .String(host)
      .EndObject();
  json.Key("values").BeginArray().BeginArray();
  json.String(std::to_string(SystemClock().WallNanos())).String(line);
  json.EndArray().EndArray().EndObject().EndArray().EndObject();
  return json.Take();
}

void TestLoki(const Subject& subject, const ClientConfig& client, const Group& group) {
  const HttpOptions options = ToLokiOptions(client, subject.config.limits).http;
  const std::string line = TestLine(subject.host);
  const std::string body = LokiBody(subject.host, line);
  HttpRequest push;
  push.url = client.url;
  push.headers = {{"Content-Type", "application/json"}};
  if (!client.tenant_id.empty()) push.headers.emplace_back("X-Scope-OrgID", client.tenant_id);
  push.body = body;
  const HttpResponse taken = FetchAll(options, {push}, subject.timeout).front();
  if (taken.status / 100 != 2) {
    group.Failure("test.push",
                  OutputName(client) + ": the test entry is not taken: " + AnswerText(taken),
                  {"nothing is delivered", "what helps is said under " + OutputGroup(client)});
    return;
  }
  if (!client.url.ends_with(kPushPath)) {
    group.Note("test.query",
               OutputName(client) + ": the test entry was taken; where to ask for it is not known");
    return;
  }
  const std::string base = client.url.substr(0, client.url.size() - kPushPath.size());
  const std::string selector = R"({job="agent-doctor"} |= ")" + line + "\"";
  const std::string url = base +
                          "/loki/api/v1/query_range?limit=1&query=" + PercentEncoded(selector) +
                          "&start=" + std::to_string(std::time(nullptr) - 300) +
                          "000000000&end=" + std::to_string(std::time(nullptr) + 60) + "000000000";
  HttpResponse answer;
  const bool found = AskBack(line, answer, [&] {
    HttpRequest ask = GetRequest(url);
    if (!client.tenant_id.empty()) ask.headers.emplace_back("X-Scope-OrgID", client.tenant_id);
    return FetchAll(options, {ask}, subject.timeout).front();
  });
  SayBack(OutputName(client), found, answer, R"( as {job="agent-doctor"})", group);
}

// The index that an entry without labels goes to now.
std::string IndexNow(const ElasticsearchConfig& config) {
  if (config.data_stream) {
    return config.data_stream->type + "-" + config.data_stream->dataset + "-" +
           config.data_stream->name_space;
  }
  const Result<EventPattern> pattern = EventPattern::Parse(config.index);
  std::string name;
  Entry entry{};
  entry.timestamp_ns = SystemClock().WallNanos();
  if (pattern.ok() && pattern->Append(name, entry, Labels())) return name;
  return config.index_fallback;
}

void TestElasticsearch(const Subject& subject, const OutputConfig& output, const Group& group) {
  const ElasticsearchOptions options = ToElasticsearchOptions(output, subject.host);
  const std::string index = IndexNow(*output.elasticsearch);
  if (index.empty()) {
    group.Note("test.index", output.name + ": its index depends on labels: no test entry is sent");
    return;
  }
  const std::string line = TestLine(subject.host);
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char time[32] = {};  // NOLINT(modernize-avoid-c-arrays): strftime's.
  std::strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", &parts);
  JsonWriter json;
  json.BeginObject().Key("@timestamp").String(time).Key("message").String(line).EndObject();
  const std::string body = json.Take();
  // Of its own id, and found by it: no refresh is waited for.
  const std::string id = "agent-doctor-" + std::to_string(SystemClock().WallNanos());
  const std::string host = options.hosts.front() + "/";
  HttpRequest put;
  put.url = host + PercentEncoded(index) + "/_create/" + id;
  put.headers = {{"Content-Type", "application/json"}};
  put.body = body;
  const HttpResponse taken = FetchAll(options.http, {put}, subject.timeout).front();
  if (taken.status / 100 != 2) {
    group.Failure("test.push", output.name + ": the test entry is not taken: " + AnswerText(taken),
                  {"nothing is delivered", "what helps is said under Output " + output.name});
    return;
  }
  // Of a data stream it is a backing index that it went to.
  const std::string stored = TextAt(ParseAnswer(taken.body), {"_index"});
  const std::string url = host + PercentEncoded(stored.empty() ? index : stored) + "/_doc/" + id;
  HttpResponse answer;
  const bool found = AskBack(line, answer, [&] {
    return FetchAll(options.http, {GetRequest(url)}, subject.timeout).front();
  });
  SayBack(output.name, found, answer, " in " + index, group);
}

}  // namespace

void SendTestEntries(const Subject& subject, Findings& findings) {
  const Group group(findings, "Test entry");
  for (const ClientConfig& client : subject.config.clients)
    TestLoki(subject, client, group);
  for (const OutputConfig& output : subject.config.outputs) {
    if (output.elasticsearch) {
      TestElasticsearch(subject, output, group);
    } else {
      group.Note("test.kind",
                 output.name + ": what arrives there cannot be asked for: no test entry is sent");
    }
  }
}

}  // namespace agent::doctor
