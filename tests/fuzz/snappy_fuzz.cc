// Whatever is compressed must come back from the library's decoder, with every kernel, in one part
// or in two.

#include <snappy.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "outputs/snappy_encoder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using agent::SnappyEncoder;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string_view whole = text;
  for (int kernel = 0; kernel <= static_cast<int>(SnappyEncoder::BestKernel()); ++kernel) {
    SnappyEncoder encoder(static_cast<SnappyEncoder::Kernel>(kernel));
    const std::string_view parts[] = {whole.substr(0, size / 3), whole.substr(size / 3)};
    std::string packed(SnappyEncoder::MaxCompressedSize(size), '\0');
    packed.resize(encoder.Compress(parts, packed.data()));
    std::string raw;
    CHECK(snappy::Uncompress(packed.data(), packed.size(), &raw));
    CHECK(raw == text);
  }
  return 0;
}
