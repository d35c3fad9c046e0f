#include "outputs/logstash/frames.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "outputs/deflate.h"

namespace agent::logstash {
namespace {

using Sequences = std::vector<uint32_t>;

std::string Frame(uint32_t sequence, const std::string& json) {
  std::string frame(kEventHeaderBytes, '\0');
  PutEventHeader(frame.data(), sequence, static_cast<uint32_t>(json.size()));
  return frame + json;
}

Bytes ToBytes(std::string_view text) {
  Bytes bytes{std::make_unique_for_overwrite<char[]>(text.size()), text.size()};
  std::memcpy(bytes.data.get(), text.data(), text.size());
  return bytes;
}

std::string TextOf(const Bytes& bytes) {
  return {bytes.data.get(), bytes.size};
}

}  // namespace

TEST_CASE("frames: as they stand on the wire", "[lumberjack]") {
  const std::string frame = Frame(1, "{}");
  CHECK(frame == std::string("2J\0\0\0\1\0\0\0\2{}", 12));
  CHECK(Frame(0x01020304, "").substr(2, 4) == "\1\2\3\4");

  const Bytes bare = ToBytes(frame);
  CHECK_FALSE(IsCompressed(bare));
  CHECK(WindowHeader(1, bare).view() == std::string_view("2W\0\0\0\1", 6));

  Deflater deflater(DeflateFormat::kZlib, 3);
  deflater.Add(frame);
  const Bytes compressed = deflater.Finish();
  CHECK(IsCompressed(compressed));
  const std::string want = std::string(
      "2W\0\0\1\2"
      "2C\0\0\0",
      11);
  CHECK(WindowHeader(258, compressed).view() == want + static_cast<char>(compressed.size));
}

TEST_CASE("frames: a part of a body is numbered from 1", "[lumberjack]") {
  const int level = GENERATE(0, 1, 9);
  const std::string raw = Frame(1, "{\"a\":1}") + Frame(2, "{\"b\":22}") + Frame(3, "{}");
  std::unique_ptr<Deflater> deflater;
  Bytes body = ToBytes(raw);
  if (level > 0) {
    deflater = std::make_unique<Deflater>(DeflateFormat::kZlib, level);
    deflater->Add(raw);
    body = deflater->Finish();
  }

  const auto list = FrameList::Parse(body, raw.size());

  REQUIRE(list.ok());
  REQUIRE(list->size() == 3);
  CHECK(list->At(1) == "{\"b\":22}");
  const Bytes part = list->Encode(1, 2, deflater.get());
  CHECK(IsCompressed(part) == (level > 0));
  const std::string want = Frame(1, "{\"b\":22}") + Frame(2, "{}");
  CHECK((level > 0 ? Inflate(TextOf(part), want.size()).value() : TextOf(part)) == want);
}

TEST_CASE("frames: what is none of ours is refused", "[lumberjack]") {
  const std::string good = Frame(1, "{}");
  for (const std::string& bad : {good.substr(0, 5), good.substr(0, 11), Frame(2, "{}"), good + good,
                                 good + "2", std::string("2W\0\0\0\1\0\0\0\0", 10)}) {
    INFO(bad);
    CHECK_FALSE(FrameList::Parse(ToBytes(bad), bad.size()).ok());
  }
  CHECK_FALSE(FrameList::Parse(ToBytes("xyz"), 10).ok());
}

TEST_CASE("acknowledgements: read in whatever pieces they come", "[lumberjack]") {
  const std::string bytes(
      "2A\0\0\0\0"
      "2A\0\0\1\0"
      "2A\xFF\xFF\xFF\xFF",
      18);
  const std::size_t step = GENERATE(as<std::size_t>(), 1, 2, 5, 6, 7, 18);
  const std::string_view view = bytes;
  AckReader reader;
  Sequences got;

  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const Sequences some = reader.Read(view.substr(at, step));
    got.insert(got.end(), some.begin(), some.end());
  }

  CHECK(got == Sequences{0, 256, 0xFFFFFFFF});
  CHECK_FALSE(reader.failed());
}

TEST_CASE("acknowledgements: anything else is refused, after what came before it", "[lumberjack]") {
  const std::string ack("2A\0\0\0\7", 6);
  const std::string bad = GENERATE("1A", "2W", "HTTP/1.1 400", "x", "2J");
  AckReader reader;

  CHECK(reader.Read(ack + bad) == Sequences{7});
  CHECK(reader.failed());
  CHECK(reader.Read(ack).empty());
}

}  // namespace agent::logstash
