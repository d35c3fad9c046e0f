// Any bytes as compressed data of every format, in pieces: nothing may crash, and it comes to an
// end.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "agent/tail/stream_decoder.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using agent::Compression;
  constexpr std::size_t kMaxOutput = std::size_t{1} << 20;
  if (size < 2) return 0;
  constexpr std::array<Compression, 4> kFormats = {Compression::kGzip, Compression::kZlib,
                                                   Compression::kBzip2, Compression::kZstd};
  const auto decoder = agent::StreamDecoder::Make(kFormats[data[0] % kFormats.size()]);
  const std::size_t piece = std::size_t{data[1]} + 1;
  std::string_view rest(reinterpret_cast<const char*>(data + 2), size - 2);
  std::array<char, 4096> output{};
  std::string_view input;
  for (std::size_t total = 0; total < kMaxOutput;) {
    if (input.empty()) {
      input = rest.substr(0, piece);
      rest.remove_prefix(input.size());
    }
    const std::size_t before = input.size();
    std::size_t written = 0;
    if (!decoder->Decode(input, output.data(), std::min(output.size(), piece), written)) {
      CHECK(!decoder->error().empty());
      return 0;
    }
    CHECK(written <= piece && input.size() <= before);
    total += written;
    if (written == 0 && input.size() == before && rest.empty()) return 0;
  }
  return 0;
}
