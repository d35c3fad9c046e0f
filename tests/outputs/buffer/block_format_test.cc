#include "outputs/buffer/block_format.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/outputs/buffer/store_bed.h"

namespace agent {
namespace {

std::string Noise(std::size_t size) {
  std::string text;
  uint64_t state = 88172645463325252ULL;
  while (text.size() < size) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    text += static_cast<char>(state & 0xff);
  }
  return text;
}

TEST_CASE("buffer block: comes back as it was", "[buffer]") {
  BlockCodec codec;
  StoredBatch batch = MakeStored(42, std::string(5000, 'x') + "end", 3);
  batch.jobs = {"one", "two"};
  batch.origins[1].pin = 1;
  batch.origins[2].pin = EntryOrigin::kNoPin;
  batch.unsendable = {0, 2};
  batch.origins[2].offset = 3;  // Smaller than the one before.

  const std::string block(codec.Encode(batch, 7));
  const auto header = ParseBlockHeader(block);

  REQUIRE(header);
  CHECK(header->id == 42);
  CHECK(header->entries == 3);
  CHECK(header->number == 7);
  CHECK(header->size() == block.size());
  CHECK(header->compressed);
  CHECK(block.size() < 500);
  auto got = codec.Decode(*header, std::string_view(block).substr(kBlockHeaderBytes));
  REQUIRE(got.ok());
  CHECK(got->tenant == "tenant");
  CHECK(got->raw_size == batch.raw_size);
  CHECK(got->line_bytes == batch.line_bytes);
  CHECK(got->created_wall_ns == batch.created_wall_ns);
  CHECK(got->jobs == batch.jobs);
  CHECK(got->unsendable == batch.unsendable);
  CHECK(BodyText(*got) == BodyText(batch));
  REQUIRE(got->origins.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(got->origins[i].pin == batch.origins[i].pin);
    CHECK(got->origins[i].offset == batch.origins[i].offset);
    CHECK(got->origins[i].source_bytes == batch.origins[i].source_bytes);
  }
}

TEST_CASE("buffer block: a body that is compressed already stays as it is", "[buffer]") {
  BlockCodec codec;
  const StoredBatch batch = MakeStored(1, Noise(100'000));

  const std::string block(codec.Encode(batch, 0));

  const auto header = ParseBlockHeader(block);
  REQUIRE(header);
  CHECK_FALSE(header->compressed);
  CHECK(block.find(BodyText(batch)) != std::string::npos);
}

TEST_CASE("buffer block: no flipped bit is taken for data", "[buffer]") {
  BlockCodec codec;
  const std::string block(codec.Encode(MakeStored(1, "some body", 2), 0));
  for (std::size_t bit = 0; bit < block.size() * 8; ++bit) {
    std::string damaged = block;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto header = ParseBlockHeader(damaged);
    const bool whole =
        header && codec.Decode(*header, std::string_view(damaged).substr(kBlockHeaderBytes)).ok();
    CHECK_FALSE(whole);
  }
}

TEST_CASE("buffer segment: a header tells its kind, and damage is seen", "[buffer]") {
  const std::string bytes =
      EncodeSegmentHeader({.kind = "loki", .output_hash = 5, .first_id = 9, .created_wall_ns = 3});

  REQUIRE(bytes.size() == kSegmentHeaderBytes);
  const auto header = ParseSegmentHeader(bytes);
  REQUIRE(header);
  CHECK(header->kind == "loki");
  CHECK(header->output_hash == 5);
  CHECK(header->first_id == 9);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    CHECK_FALSE(ParseSegmentHeader(damaged));
  }
}

}  // namespace
}  // namespace agent
