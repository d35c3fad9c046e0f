#include "agent/modes/inspect/trace_json.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/modes/inspect/story_teller.h"

namespace agent {

TEST_CASE("inspect json: an object for each stage, and one for the entry", "[inspect]") {
  StoryTeller teller(
      "- json: {expressions: {level: , code: , ok: , gone: }}\n"
      "- match: {selector: '{job=\"web\"}', stages: [{drop: {source: level, value: debug}}]}\n",
      FormatTraceJson);

  teller.Read("{\"level\":\"debug\",\"code\":1.5,\"ok\":true}\n");

  CHECK(teller.Told() ==
        R"({"inspect":"stage","entry":1,"job":"web","stage":"0.json","name":"json",)"
        R"("path":"stages[0].json","outcome":"passed","changes":[)"
        R"({"what":"extracted","name":"code","after":1.5},)"
        R"({"what":"extracted","name":"gone","after":null},)"
        R"({"what":"extracted","name":"level","after":"debug"},)"
        R"({"what":"extracted","name":"ok","after":true}]})"
        "\n"
        R"({"inspect":"stage","entry":1,"job":"web","stage":"1.match","name":"match",)"
        R"("path":"stages[1].match","outcome":"passed","changes":[]})"
        "\n"
        R"({"inspect":"stage","entry":1,"job":"web","stage":"1.match > 0.drop","name":"drop",)"
        R"("path":"stages[1].match.stages[0].drop","outcome":"dropped","reason":"drop_stage",)"
        R"("changes":[]})"
        "\n"
        R"({"inspect":"entry","entry":1,"job":"web","lines":[{"source":"/var/log/app.log",)"
        R"("line":1,"offset":0}],"cause":"lines","outcome":"dropped",)"
        R"("read":"{\"level\":\"debug\",\"code\":1.5,\"ok\":true}",)"
        R"("line":"{\"level\":\"debug\",\"code\":1.5,\"ok\":true}",)"
        R"("timestamp":"2026-01-02T03:04:05Z","labels":{"job":"web"},"structured_metadata":{},)"
        R"("extracted":{"level":"debug","code":1.5,"ok":true,"gone":null,"job":"web"}})"
        "\n");
}

TEST_CASE("inspect json: joined lines, times and changed values", "[inspect]") {
  StoryTeller teller("- cri: {}\n- labels: {stream: flags}\n", FormatTraceJson);

  teller.Read("2023-05-06T00:00:01Z stdout P a\n2023-05-06T00:00:02.5Z stdout F b\n");

  const std::string told = teller.Told();
  CHECK(told.find(R"("outcome":"kept_back","changes":[{"what":"line")") != std::string::npos);
  CHECK(told.find(R"({"what":"timestamp","before":"2026-01-02T03:04:05Z",)"
                  R"("after":"2023-05-06T00:00:02.5Z"})") != std::string::npos);
  CHECK(told.find(R"("joined":[{"source":"/var/log/app.log","line":1,"offset":0}])") !=
        std::string::npos);
  CHECK(told.find(R"({"what":"label","name":"stream","before":"stdout","after":"F"})") !=
        std::string::npos);
  CHECK(told.find(R"("outcome":"sent","read":"2023-05-06T00:00:02.5Z stdout F b","line":"ab")") !=
        std::string::npos);
}

TEST_CASE("inspect json: integers have all their digits", "[inspect]") {
  StoryTeller teller(
      "- json: {expressions: {id: }}\n- convert: {id: int}\n"
      "- grok: {pattern: '%{INT:id:int}'}\n",
      FormatTraceJson);

  teller.Read("{\"id\":9007199254740993}\n");

  const std::string told = teller.Told();
  CHECK(told.find(R"("before":9007199254740992,"after":9007199254740993)") != std::string::npos);
  CHECK(told.find(R"("name":"grok","path":"stages[2].grok","outcome":"passed","changes":[]})") !=
        std::string::npos);
}

TEST_CASE("inspect json: what a stage cannot handle", "[inspect]") {
  StoryTeller teller("- json: {expressions: {id: }}\n", FormatTraceJson);

  teller.Read("no json\n");

  CHECK(teller.Told().find(R"("changes":[],"failures":["the text is no JSON object"]})") !=
        std::string::npos);
}

}  // namespace agent
