#include "agent/receivers/push/pushed_streams.h"

#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/receivers/push/push_text.h"

namespace agent {
namespace {

using Parse = Status (*)(const std::string&, PushedStreams&);

Status ParseProtobuf(const std::string& text, PushedStreams& streams) {
  return ParsePushProtobuf(text, streams);
}
Status ParseJson(const std::string& text, PushedStreams& streams) {
  return ParsePushJson(text, streams);
}

// `{a="1"} 5 line k=v` for each entry, one a line; or what is wrong.
std::string Show(Parse parse, const std::string& text, std::size_t max_bytes = 1U << 20U) {
  PushedStreams streams(max_bytes);
  const Status parsed = parse(text, streams);
  if (!parsed.ok()) {
    return (parsed.error().code == ErrorCode::kNoSpace ? "too much: " : "wrong: ") +
           parsed.error().message;
  }
  std::string out;
  for (const PushedStream& stream : streams.streams()) {
    if (stream.entries.empty()) out += FormatLabels(stream.labels) + " without entries\n";
    for (const ReceivedEntry& entry : stream.entries) {
      out += FormatLabels(stream.labels) + " " +
             (entry.timestamp_ns ? std::to_string(*entry.timestamp_ns) : "now") + " " + entry.line;
      for (const auto& [name, value] : entry.metadata)
        out += " " + name + "=" + value;
      out += "\n";
    }
  }
  return out;
}

std::string JsonStream(const std::string& values) {
  return R"({"streams":[{"stream":{"a":"1"},"values":[)" + values + "]}]}";
}

}  // namespace

TEST_CASE("push as protobuf: streams, entries, metadata", "[push]") {
  const std::string pair = ProtoBytes(3, ProtoBytes(1, "k") + ProtoBytes(2, "v"));
  const std::string two =
      ProtoStream(R"({a="1"})", ProtoEntry(1, 5, "one", pair + pair) + ProtoEntry(-1, 5, "")) +
      ProtoStream("", ProtoEntry(2, 0, "x\ny"));

  CHECK(Show(ParseProtobuf, two) ==
        "{a=\"1\"} 1000000005 one k=v k=v\n{a=\"1\"} -999999995 \n{} 2000000000 x\ny\n");
  CHECK(Show(ParseProtobuf, "").empty());
  CHECK(Show(ParseProtobuf, ProtoStream("{b='2'}", "")) == "{b=\"2\"} without entries\n");
  CHECK(Show(ParseProtobuf, ProtoStream("", ProtoBytes(2, ProtoBytes(2, "x")))) == "{} now x\n");
}

TEST_CASE("push as protobuf: what is unknown is skipped, what is damaged refused", "[push]") {
  const std::string unknown = ProtoBytes(9, "z") + ProtoNumber(15, 5) +
                              ProtoVarint(15U << 3U | 1U) + "12345678" +
                              ProtoVarint(15U << 3U | 5U) + "1234";
  const std::string entry =
      ProtoBytes(2, ProtoTime(1, 0) + ProtoBytes(2, "line") + unknown + ProtoBytes(4, "parsed"));
  const std::string whole = unknown + ProtoStream("{a='1'}", entry + ProtoNumber(3, 7));
  CHECK(Show(ParseProtobuf, whole) == "{a=\"1\"} 1000000000 line\n");

  const std::string damaged = "wrong: the protobuf message is damaged";
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const std::string cut = Show(ParseProtobuf, whole.substr(0, size));
    // Between fields of the request the end of the message is a proper one.
    CHECK((cut == damaged || cut.empty()));
  }
  CHECK(Show(ParseProtobuf, ProtoNumber(1, 1)) == damaged);
  CHECK(Show(ParseProtobuf, std::string("\x0b")) == damaged);  // A group.
  CHECK(Show(ParseProtobuf, std::string(1, '\0')) == damaged);
  CHECK(Show(ParseProtobuf, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x") == damaged);
  CHECK(Show(ParseProtobuf, ProtoStream("", ProtoEntry(1, 1'000'000'000, "x"))) == damaged);
  CHECK(Show(ParseProtobuf, ProtoStream("{a=", ProtoEntry(1, 0, "x"))) ==
        "wrong: couldn't parse labels: 1:4: expected a value in quotes, found the end");
}

TEST_CASE("push as protobuf: times out of range are the nearest that there is", "[push]") {
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max();
  CHECK(Show(ParseProtobuf, ProtoStream("", ProtoEntry(kFar, 0, "x"))) ==
        "{} 9223372036854775807 x\n");
  CHECK(Show(ParseProtobuf, ProtoStream("", ProtoEntry(-kFar, 0, "x"))) ==
        "{} -9223372036854775808 x\n");
}

TEST_CASE("push as JSON: as Promtail takes it", "[push]") {
  struct Case {
    std::string text;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {JsonStream(R"(["5","one"],["-5","two",{"k":"v","e":""}])"),
       "{a=\"1\"} 5 one\n{a=\"1\"} -5 two k=v e=\n"},
      {JsonStream(""), "{a=\"1\"} without entries\n"},
      {JsonStream(R"(["5"])"), "{a=\"1\"} 5 \n"},
      {JsonStream(R"(["5","x",{},1])"), "{a=\"1\"} 5 x\n"},
      {JsonStream(R"(["5","\u00e9\ud83d\ude00\/\n"])"), "{a=\"1\"} 5 \u00e9\U0001F600/\n\n"},
      {JsonStream("[\"5\",\"bad\xff\"]"), "{a=\"1\"} 5 bad\uFFFD\n"},
      {JsonStream(R"(["5","x"])") + "\n", "{a=\"1\"} 5 x\n"},
      {"{}", ""},
      {"null", ""},
      {R"({"streams":null})", ""},
      {R"({"streams":[],"more":{"x":[1]}})", ""},
      {R"({"STREAMS":[{"Values":[1],"values":[["5","x"]]}]})", "{} 5 x\n"},
      {R"({"streams":[{"values":[["5","x"]],"stream":{"b":"2"}}]})", "{b=\"2\"} 5 x\n"},
      {R"({"streams":[{"values":[["5","x"]]}]})", "{} 5 x\n"},
      {R"({"streams":[{"stream":{"a":"1","a":"2","e":"","n":1.50,"t":true},"values":[["5","x"]]}]})",
       "{a=\"2\", n=\"1.50\", t=\"true\"} 5 x\n"},
  }));
  INFO(c.text);

  CHECK(Show(ParseJson, c.text) == c.want);
}

TEST_CASE("push as JSON: what Promtail refuses", "[push]") {
  struct Case {
    std::string text;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"", "wrong: the body is empty"},
      {" \n", "wrong: the body is empty"},
      {"[]", "wrong: expected an object with \"streams\""},
      {R"({"streams":{}})", "wrong: \"streams\" must be a list"},
      {R"({"streams":[1]})", "wrong: a stream must be an object"},
      {R"({"streams":[{"stream":null}]})", "wrong: \"stream\" must be an object of labels"},
      {R"({"streams":[{"stream":{"a.b":"1"}}]})", "wrong: a label has a name that is none"},
      {R"({"streams":[{"values":5}]})", "wrong: \"values\" must be a list"},
      {JsonStream("5"), "wrong: an entry must be a list: time, line, structured metadata"},
      {JsonStream(R"([5,"x"])"), "wrong: a time must be a text of nanoseconds since 1970"},
      {JsonStream(R"(["1.5","x"])"), "wrong: a time must be a text of nanoseconds since 1970"},
      {JsonStream(R"(["+5","x"])"), "wrong: a time must be a text of nanoseconds since 1970"},
      {JsonStream(R"(["","x"])"), "wrong: a time must be a text of nanoseconds since 1970"},
      {JsonStream(R"(["99999999999999999999","x"])"),
       "wrong: a time must be a text of nanoseconds since 1970"},
      {JsonStream(R"(["5",null])"), "wrong: a line must be a text"},
      {JsonStream(R"(["5","x",null])"), "wrong: structured metadata must be an object of texts"},
      {JsonStream(R"(["5","x",{"k":1}])"), "wrong: structured metadata must be an object of texts"},
      {JsonStream(R"(["5","\ud800"])"), "wrong: a line must be a text"},
      {JsonStream("[\"5\",\"raw\x01\"]"), "wrong: the JSON is damaged"},
      {R"({"streams":[)", "wrong: "},
      {"{\"streams\":" + std::string(5000, '['), "wrong: "},
  }));
  INFO(c.text);

  const std::string got = Show(ParseJson, c.text);

  CHECK(got.substr(0, std::string_view(c.want).size()) == c.want);
}

TEST_CASE("push: many tiny entries are too much for one request", "[push]") {
  std::string entries;
  std::string values = R"(["1",""])";
  for (int i = 0; i < 5000; ++i) {
    entries += std::string("\x12\x00", 2);
    values += R"(,["1",""])";
  }
  const std::string want = "too much: too much for one request: send fewer entries at once";
  PushedStreams lines(100'000);

  CHECK(Show(ParseProtobuf, ProtoStream("", entries), 100'000) == want);
  CHECK(Show(ParseJson, JsonStream(values), 100'000) == want);
  CHECK_FALSE(
      ParsePushText(std::string(10'000, 'x') + std::string(90'000, '\n') + std::string(90'000, 'y'),
                    lines)
          .ok());
}

TEST_CASE("push as text: an entry a line, without ends and empty lines", "[push]") {
  PushedStreams streams(1U << 20U);

  REQUIRE(ParsePushText("one\n\n  two \r\n\r\na\r\r\n\rb\nlast", streams).ok());

  REQUIRE(streams.streams().size() == 1);
  std::string got;
  for (const ReceivedEntry& entry : streams.streams()[0].entries)
    got += "[" + entry.line + "]";
  CHECK(got == "[one][  two ][a][\rb][last]");
}

}  // namespace agent
