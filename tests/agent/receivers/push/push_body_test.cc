#include "agent/receivers/push/push_body.h"

#include <snappy.h>

#include <string>

#include <catch2/catch.hpp>
#include <zlib.h>

#include "tests/agent/receivers/push/push_text.h"

namespace agent {
namespace {

constexpr int kZlib = 15;
constexpr int kGzip = 31;
constexpr int kRaw = -15;
constexpr std::size_t kMaxBytes = 1U << 20U;

std::string Deflate(std::string text, int form) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, form, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<unsigned>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<unsigned>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string Snappy(const std::string& text) {
  std::string out;
  snappy::Compress(text.data(), text.size(), &out);
  return out;
}

// The lines of a request; or the code and what is wrong.
std::string Lines(const std::string& type, const std::string& encoding, const std::string& body) {
  PushedStreams streams(kMaxBytes);
  ServerRequest request;
  request.content_type = type;
  request.content_encoding = encoding;
  request.body = body;
  const Status parsed = ParsePushBody(std::move(request), kMaxBytes, streams);
  if (!parsed.ok()) {
    return (parsed.error().code == ErrorCode::kNoSpace ? "too large: " : "wrong: ") +
           parsed.error().message;
  }
  std::string out;
  for (const PushedStream& stream : streams.streams()) {
    for (const ReceivedEntry& entry : stream.entries)
      out += entry.line + "\n";
  }
  return out;
}

const std::string kJson = R"({"streams":[{"stream":{"a":"1"},"values":[["5","line"]]}]})";
const std::string kProtobuf = ProtoStream("{a='1'}", ProtoEntry(1, 0, "line"));
const std::string kJsonType = "application/json";
const std::string kProtobufType = "application/x-protobuf";

}  // namespace

TEST_CASE("push body: by the type of its content", "[push]") {
  CHECK(Lines(kJsonType, "", kJson) == "line\n");
  CHECK(Lines("Application/JSON ; charset=utf-8", "", kJson) == "line\n");
  CHECK(Lines(kProtobufType, "", Snappy(kProtobuf)) == "line\n");
  CHECK(Lines("text/plain", "", Snappy(kProtobuf)) == "line\n");
  CHECK_THAT(Lines("", "", kJson), Catch::StartsWith("wrong: no Content-Type"));
  CHECK_THAT(Lines(kProtobufType, "", kJson), Catch::StartsWith("wrong: the body is damaged"));
  CHECK_THAT(Lines(kProtobufType, "", ""), Catch::StartsWith("wrong: the body is damaged"));
}

TEST_CASE("push body: by its encoding", "[push]") {
  CHECK(Lines(kJsonType, "gzip", Deflate(kJson, kGzip)) == "line\n");
  CHECK(Lines(kJsonType, "deflate", Deflate(kJson, kRaw)) == "line\n");
  CHECK(Lines(kJsonType, "deflate", Deflate(kJson, kZlib)) == "line\n");
  CHECK(Lines(kProtobufType, "gzip", Deflate(Snappy(kProtobuf), kGzip)) == "line\n");
  CHECK(Lines(kProtobufType, "snappy", Snappy(kProtobuf)) == "line\n");
  // A file of several members is one text.
  CHECK(Lines(kJsonType, "gzip",
              Deflate(kJson.substr(0, 9), kGzip) + Deflate(kJson.substr(9), kGzip)) == "line\n");
  CHECK_THAT(Lines(kJsonType, "snappy", Snappy(kJson)),
             Catch::Contains("\"snappy\" not supported"));
  CHECK_THAT(Lines(kJsonType, "zstd", kJson), Catch::Contains("\"zstd\" not supported"));
  CHECK_THAT(Lines(kJsonType, "identity", kJson), Catch::Contains("not supported"));
}

TEST_CASE("push body: what is cut short or goes on is damaged", "[push]") {
  const std::string gzip = Deflate(kJson, kGzip);
  const std::string block = Snappy(kProtobuf);
  for (std::size_t size = 0; size < gzip.size(); ++size)
    CHECK_THAT(Lines(kJsonType, "gzip", gzip.substr(0, size)), Catch::StartsWith("wrong: "));
  for (std::size_t size = 0; size < block.size(); ++size)
    CHECK_THAT(Lines(kProtobufType, "", block.substr(0, size)), Catch::StartsWith("wrong: "));
  CHECK_THAT(Lines(kJsonType, "gzip", gzip + "x"), Catch::StartsWith("wrong: "));
  CHECK_THAT(Lines(kJsonType, "deflate", "x"), Catch::StartsWith("wrong: "));
}

TEST_CASE("push body: what is too large when unpacked is refused", "[push]") {
  const std::string zeros(8 * kMaxBytes, ' ');
  CHECK_THAT(Lines(kJsonType, "gzip", Deflate(zeros, kGzip)), Catch::StartsWith("too large: "));
  CHECK_THAT(Lines(kJsonType, "deflate", Deflate(zeros, kZlib)), Catch::StartsWith("too large: "));
  CHECK_THAT(Lines(kProtobufType, "", Snappy(zeros)), Catch::StartsWith("too large: "));
  // 4 GiB, says the head, and nothing follows.
  CHECK_THAT(Lines(kProtobufType, "", "\xff\xff\xff\xff\x0f"), Catch::StartsWith("too large: "));
}

}  // namespace agent
