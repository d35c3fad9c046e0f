#include "outputs/deflate.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/random.h"

namespace agent {
namespace {

std::string Text(const Bytes& bytes) {
  return {bytes.data.get(), bytes.size};
}

}  // namespace

TEST_CASE("deflate: streams of both formats and all levels come back", "[outputs]") {
  std::string text;
  for (int i = 0; i < 20'000; ++i)
    text += "line " + std::to_string(i * i) + " of a log\n";
  for (const DeflateFormat format : {DeflateFormat::kGzip, DeflateFormat::kZlib}) {
    for (int level = 1; level <= 9; ++level) {
      Deflater deflater(format, level);
      deflater.Add(std::string_view(text).substr(0, 1000));
      deflater.Add(std::string_view(text).substr(1000));
      const std::string packed = Text(deflater.Finish());
      CHECK(packed.size() < text.size() / 3);
      CHECK(packed.substr(0, 1) == (format == DeflateFormat::kGzip ? "\x1f" : "\x78"));
      const auto back = Inflate(packed, text.size());
      REQUIRE(back.ok());
      CHECK(*back == text);
    }
  }
}

TEST_CASE("deflate: one stream follows another, also one that is empty or was given up",
          "[outputs]") {
  Deflater deflater(DeflateFormat::kGzip, 1);
  CHECK(*Inflate(Text(deflater.Finish()), 0) == "");
  deflater.Add("given up");
  deflater.Reset();
  deflater.Add("kept");
  CHECK(*Inflate(Text(deflater.Finish()), 4) == "kept");
}

TEST_CASE("deflate: what does not compress is larger, and whole", "[outputs]") {
  Random random(1);
  std::string noise(300'000, '\0');
  for (char& c : noise)
    c = static_cast<char>(random.Next());
  Deflater deflater(DeflateFormat::kZlib, 1);
  deflater.Add(noise);
  CHECK(*Inflate(Text(deflater.Finish()), noise.size()) == noise);
}

TEST_CASE("deflate: damaged streams and wrong sizes are errors", "[outputs]") {
  Deflater deflater(DeflateFormat::kGzip, 1);
  deflater.Add("some text");
  std::string packed = Text(deflater.Finish());
  CHECK_FALSE(Inflate(packed, 8).ok());
  CHECK_FALSE(Inflate(packed, 10).ok());
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  CHECK_FALSE(Inflate(packed, 9).ok());
  CHECK_FALSE(Inflate("", 9).ok());
}

}  // namespace agent
