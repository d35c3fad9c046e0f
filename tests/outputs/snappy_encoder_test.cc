#include "outputs/snappy_encoder.h"

#include <snappy.h>

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "base/random.h"

namespace agent {
namespace {

using Kernel = SnappyEncoder::Kernel;

std::vector<Kernel> KernelsHere() {
  std::vector<Kernel> kernels = {Kernel::kPortable};
  const Kernel best = SnappyEncoder::BestKernel();
  if (best != Kernel::kPortable) kernels.push_back(Kernel::kAvx2);
  if (best == Kernel::kAvx512) kernels.push_back(Kernel::kAvx512);
  return kernels;
}

// Text like that of logs: lines that differ in short fields.
std::string LogText(std::size_t size, Random& random) {
  std::string text;
  while (text.size() < size) {
    text += R"({"time":"2026-05-04T09:12:03.)" + std::to_string(100000 + random.Next() % 900000) +
            R"(Z","level":")" + (random.Next() % 5 == 0 ? "error" : "info") +
            R"(","msg":"request served","path":"/api/v1/users/)" +
            std::to_string(random.Next() % 100000) + R"(","took_ms":)" +
            std::to_string(random.Next() % 3000) + R"(,"request_id":")" +
            std::to_string(random.Next() % 10000) + "\"}\n";
  }
  text.resize(size);
  return text;
}

std::string Noise(std::size_t size, Random& random, unsigned alphabet) {
  std::string text(size, '\0');
  for (char& c : text)
    c = static_cast<char>(random.Next() % alphabet);
  return text;
}

std::string CompressParts(SnappyEncoder& encoder, const std::vector<std::string_view>& parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts)
    size += part.size();
  std::string out(SnappyEncoder::MaxCompressedSize(size), '\0');
  out.resize(encoder.Compress(parts, out.data()));
  return out;
}

std::string Uncompressed(const std::string& packed) {
  std::string raw;
  CHECK(snappy::Uncompress(packed.data(), packed.size(), &raw));
  return raw;
}

TEST_CASE("snappy: every kernel's output is read back by the library", "[snappy]") {
  Random random(7);
  for (const Kernel kernel : KernelsHere()) {
    SnappyEncoder encoder(kernel);
    constexpr std::size_t kSizes[] = {0,    1,     2,     59,    60,    61,     63,    64,  65,
                                      79,   80,    81,    82,    100,   255,    256,   257, 300,
                                      4095, 65535, 65536, 65537, 65616, 131072, 300000};
    for (const std::size_t size : kSizes) {
      for (const std::string& text :
           {LogText(size, random), Noise(size, random, 256), Noise(size, random, 2),
            std::string(size, 'a'), Noise(size, random, 5)}) {
        INFO("kernel " << static_cast<int>(kernel) << " size " << size);
        REQUIRE(Uncompressed(CompressParts(encoder, {text})) == text);
      }
    }
  }
}

TEST_CASE("snappy: parts give what their concatenation gives", "[snappy]") {
  Random random(11);
  const std::string text = LogText(400000, random);
  for (const Kernel kernel : KernelsHere()) {
    SnappyEncoder encoder(kernel);
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size =
          random.Next() % 4 == 0 ? random.Next() % 150000 : random.Next() % 300;
      parts.push_back(std::string_view(text).substr(at, size));
      at += parts.back().size();
    }

    const std::string packed = CompressParts(encoder, parts);

    CHECK(Uncompressed(packed) == text);
    CHECK(packed == CompressParts(encoder, {text}));
  }
}

TEST_CASE("snappy: the ratio is within a fifth of the library's", "[snappy]") {
  Random random(3);
  const std::string text = LogText(1 << 20, random);
  std::string reference;
  snappy::Compress(text.data(), text.size(), &reference);
  for (const Kernel kernel : KernelsHere()) {
    SnappyEncoder encoder(kernel);
    const std::string packed = CompressParts(encoder, {text});
    CHECK(static_cast<double>(packed.size()) * 0.8 < static_cast<double>(reference.size()));
  }
}

TEST_CASE("snappy: random structures survive, at any size", "[snappy]") {
  Random random(99);
  for (const Kernel kernel : KernelsHere()) {
    SnappyEncoder encoder(kernel);
    for (int round = 0; round < 300; ++round) {
      std::string text;
      while (text.size() < random.Next() % 3000 + 10) {
        if (text.size() > 20 && random.Next() % 2 == 0) {
          const std::size_t from = random.Next() % text.size();
          const std::size_t size = random.Next() % 200;
          for (std::size_t i = 0; i < size; ++i)
            text += text[from + i];  // May overlap what it writes.
        } else {
          text += Noise(random.Next() % 60, random, 256);
        }
      }
      REQUIRE(Uncompressed(CompressParts(encoder, {text})) == text);
    }
  }
}

}  // namespace
}  // namespace agent
