// The scriptable sink as a program, for tests of the whole agent.
//
//   scriptable_sink [--port N] [--certificate F --key F [--client-ca F]]
//
// Prints "listening on PORT" and runs until it is killed. Control, over the same port:
//
//   POST /__script   {"answers": [ANSWER…], "default": ANSWER, "routes": {"/token": ANSWER}}; any
//   part
//                    ANSWER: {"status": 503, "headers": {"Retry-After": "3"}, "body": "…", "way":
//                    WAY,
//                             "delay_ms": 100, "read_bytes": 1000, "read_bytes_per_second": 4096,
//                             "times": 5}
//                    WAY: answer hang_up reset_in_body half_answer cut_body stall answer_and_close
//   GET  /__stats    {"requests": N, "accepted_entries": N, "connections": N}
//   GET  /__dump     accepted entries, a JSON object a line: tenant, labels, ts (nanoseconds,
//   text),
//                    line, metadata
//   GET  /__requests requests, a JSON object a line: method, path, tenant, status, entries,
//   streams,
//                    bytes, connection, ms (since the first), headers
//   POST /__clear    forgets all
//   POST /__hang_up  closes all connections

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "tests/support/scriptable_sink.h"

namespace agent {
namespace {

using simdjson::dom::element;

SinkAnswer::Way WayOf(std::string_view name) {
  using Way = SinkAnswer::Way;
  static const std::map<std::string_view, Way> kWays = {{"answer", Way::kAnswer},
                                                        {"hang_up", Way::kHangUp},
                                                        {"reset_in_body", Way::kResetInBody},
                                                        {"half_answer", Way::kHalfAnswer},
                                                        {"cut_body", Way::kCutBody},
                                                        {"stall", Way::kStall},
                                                        {"answer_and_close", Way::kAnswerAndClose}};
  const auto found = kWays.find(name);
  return found == kWays.end() ? Way::kAnswer : found->second;
}

uint64_t NumberIn(element object, const char* key, uint64_t otherwise) {
  uint64_t value = 0;
  return object[key].get(value) == simdjson::SUCCESS ? value : otherwise;
}

SinkAnswer ReadAnswer(element object) {
  SinkAnswer answer;
  answer.status = static_cast<int>(NumberIn(object, "status", 204));
  answer.delay = std::chrono::milliseconds(NumberIn(object, "delay_ms", 0));
  answer.read_bytes = NumberIn(object, "read_bytes", answer.read_bytes);
  answer.read_bytes_per_second = NumberIn(object, "read_bytes_per_second", 0);
  std::string_view text;
  if (object["body"].get(text) == simdjson::SUCCESS) answer.body = text;
  if (object["way"].get(text) == simdjson::SUCCESS) answer.way = WayOf(text);
  simdjson::dom::object headers;
  if (object["headers"].get(headers) == simdjson::SUCCESS) {
    for (const auto header : headers)
      if (header.value.get(text) == simdjson::SUCCESS)
        answer.headers[std::string(header.key)] = text;
  }
  return answer;
}

bool RunScript(ScriptableSink& sink, const std::string& json) {
  simdjson::dom::parser parser;
  element script;
  if (parser.parse(simdjson::padded_string(json)).get(script) != simdjson::SUCCESS) return false;
  simdjson::dom::array answers;
  if (script["answers"].get(answers) == simdjson::SUCCESS) {
    std::vector<SinkAnswer> list;
    for (const element answer : answers)
      list.insert(list.end(), NumberIn(answer, "times", 1), ReadAnswer(answer));
    sink.Script(std::move(list));
  }
  element other;
  if (script["default"].get(other) == simdjson::SUCCESS) sink.SetDefault(ReadAnswer(other));
  simdjson::dom::object routes;
  if (script["routes"].get(routes) == simdjson::SUCCESS) {
    for (const auto route : routes)
      sink.SetRoute(std::string(route.key), ReadAnswer(route.value));
  }
  return true;
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

template <typename Pairs>
std::string QuotedPairs(const Pairs& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    out += out.empty() ? "{" : ",";
    out += Quoted(name) + ":" + Quoted(value);
  }
  return out.empty() ? "{}" : out + "}";
}

std::string Dump(const ScriptableSink& sink) {
  std::string out;
  for (const PushedEntry& entry : sink.accepted()) {
    out += "{\"tenant\":" + Quoted(entry.tenant) + ",\"labels\":" + Quoted(entry.labels) +
           ",\"ts\":\"" + std::to_string(entry.timestamp_ns) + "\",\"line\":" + Quoted(entry.line) +
           ",\"metadata\":" + QuotedPairs(entry.metadata) + "}\n";
  }
  return out;
}

std::string DumpRequests(const ScriptableSink& sink) {
  std::string out;
  const std::vector<SinkRequest> requests = sink.requests();
  for (const SinkRequest& request : requests) {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(
        request.arrived - requests.front().arrived);
    out += "{\"method\":" + Quoted(request.method) + ",\"path\":" + Quoted(request.path) +
           ",\"tenant\":" + Quoted(request.tenant) +
           ",\"status\":" + std::to_string(request.status) +
           ",\"decoded\":" + (request.decoded ? "true" : "false") +
           ",\"entries\":" + std::to_string(request.entries.size()) +
           ",\"streams\":" + std::to_string(request.streams) +
           ",\"bytes\":" + std::to_string(request.body_bytes) +
           ",\"connection\":" + std::to_string(request.connection) +
           ",\"ms\":" + std::to_string(since.count()) +
           ",\"headers\":" + QuotedPairs(request.headers) + "}\n";
  }
  return out;
}

SinkAnswer Control(ScriptableSink& sink, const SinkRequest& request) {
  SinkAnswer answer;
  answer.status = 200;
  answer.headers["Content-Type"] = "application/json";
  if (request.path == "/__script") {
    if (!RunScript(sink, request.body)) answer.status = 400;
  } else if (request.path == "/__stats") {
    answer.body = "{\"requests\":" + std::to_string(sink.request_count()) +
                  ",\"accepted_entries\":" + std::to_string(sink.accepted_entries()) +
                  ",\"connections\":" + std::to_string(sink.connections()) + "}\n";
  } else if (request.path == "/__dump") {
    answer.body = Dump(sink);
  } else if (request.path == "/__requests") {
    answer.body = DumpRequests(sink);
  } else if (request.path == "/__clear") {
    sink.Clear();
  } else if (request.path == "/__hang_up") {
    sink.HangUp();
  } else {
    answer.status = 404;
  }
  return answer;
}

}  // namespace
}  // namespace agent

int main(int argc, char** argv) {
  agent::ScriptableSink::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--port") options.port = static_cast<uint16_t>(std::stoi(value));
    if (name == "--certificate") options.certificate = value;
    if (name == "--key") options.key = value;
    if (name == "--client-ca") options.client_ca = value;
  }
  agent::ScriptableSink* sink_pointer = nullptr;
  options.control = [&sink_pointer](const agent::SinkRequest& request) {
    return agent::Control(*sink_pointer, request);
  };
  agent::ScriptableSink sink(options);
  sink_pointer = &sink;
  std::printf("listening on %u\n", unsigned{sink.port()});
  std::fflush(stdout);
  for (;;)
    ::pause();
}
