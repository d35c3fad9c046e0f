#include "outputs/file/file_tail.h"

#include <fcntl.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"
#include "outputs/file/frame_compressor.h"
#include "tests/outputs/file/file_bed.h"
#include "tests/support/temp_dir.h"

namespace agent::file {
namespace {

using State = FileTail::State;

class Bed {
 public:
  FileTail Judge(std::string_view text, FileCompression compression,
                 FileFormat format = FileFormat::kNdjson) {
    const std::string path = folder_.path() + "/f";
    WriteAll(path, text);
    const UniqueFd fd(::open(path.c_str(), O_RDONLY));
    const auto tail = JudgeTail(fd.get(), text.size(), compression, format);
    REQUIRE(tail.ok());
    return *tail;
  }

 private:
  TempDir folder_{TempDir::InMemory()};
};

// Where it ends when it is cut at any byte: what is whole, and nothing else.
void CheckEveryCut(const std::vector<std::string>& parts, FileCompression compression,
                   FileFormat format) {
  Bed bed;
  std::string whole;
  for (const std::string& part : parts) {
    const std::size_t begin = whole.size();
    whole += part;
    for (std::size_t cut = begin; cut <= whole.size(); ++cut) {
      const FileTail tail = bed.Judge(std::string_view(whole).substr(0, cut), compression, format);
      const bool is_whole = cut == begin || cut == whole.size();
      INFO("cut at " << cut << " of " << whole.size());
      REQUIRE(tail.state == (is_whole ? State::kWhole : State::kTorn));
      REQUIRE(tail.whole_bytes == (cut == whole.size() ? cut : begin));
    }
  }
}

}  // namespace

TEST_CASE("file tail: text is cut behind its last newline, at every byte", "[file]") {
  CheckEveryCut({"{\"a\":1}\n", "{\"b\":2}\n", "{}\n"}, FileCompression::kNone,
                FileFormat::kNdjson);
  CheckEveryCut({"time=1 line=x\n", "time=2 line=y\n"}, FileCompression::kNone,
                FileFormat::kLogfmt);
}

TEST_CASE("file tail: members and frames are cut where they begin, at every byte", "[file]") {
  const auto compression = GENERATE(FileCompression::kGzip, FileCompression::kZstd);
  FrameCodec codec(compression, 0);
  std::vector<std::string> parts;
  for (int i = 0; i < 3; ++i) {
    const std::string text = "line " + std::to_string(i) + " of something\n";
    const Bytes frame = codec.Compress(text);
    parts.emplace_back(frame.data.get(), frame.size);
    CHECK(*Decompress(parts.back(), 1000) == text);
  }

  CheckEveryCut(parts, compression, FileFormat::kNdjson);
}

TEST_CASE("file tail: a frame of many blocks is walked through", "[file]") {
  FrameCodec codec(FileCompression::kZstd, 1);
  std::string text;
  for (uint32_t i = 0; text.size() < 400'000; ++i)
    text += std::to_string(i * 2654435761U) + "\n";
  const Bytes frame = codec.Compress(text);
  const std::string bytes(frame.data.get(), frame.size);
  Bed bed;

  const FileTail two = bed.Judge(bytes + bytes, FileCompression::kZstd);
  const FileTail torn =
      bed.Judge(bytes + bytes.substr(0, bytes.size() - 1), FileCompression::kZstd);

  CHECK((two.state == State::kWhole && two.whole_bytes == 2 * bytes.size()));
  CHECK((torn.state == State::kTorn && torn.whole_bytes == bytes.size()));
}

TEST_CASE("file tail: a hole that a power loss has left is cut off", "[file]") {
  Bed bed;
  const auto compression = GENERATE(FileCompression::kGzip, FileCompression::kZstd);
  FrameCodec codec(compression, 0);
  const Bytes frame = codec.Compress("some text that is long enough to have a middle\n");
  const std::string good(frame.data.get(), frame.size);
  std::string bad = good;
  bad.replace(bad.size() - 20, 15, 15, '\0');

  const FileTail tail = bed.Judge(good + bad + good, compression);
  const FileTail text = bed.Judge(std::string("{}\n{\"a\0\0\0\n", 11), FileCompression::kNone);

  CHECK((tail.state == State::kTorn && tail.whole_bytes == good.size()));
  CHECK((text.state == State::kTorn && text.whole_bytes == 3));
}

TEST_CASE("file tail: what is not of this output is left alone", "[file]") {
  Bed bed;
  CHECK(bed.Judge("plain", FileCompression::kGzip).state == State::kUnknown);
  CHECK(bed.Judge("plain text", FileCompression::kZstd).state == State::kUnknown);
  CHECK(bed.Judge("no newline", FileCompression::kNone).state == State::kUnknown);
  CHECK(bed.Judge("{half", FileCompression::kNone, FileFormat::kRaw).state == State::kUnknown);
  CHECK(bed.Judge("", FileCompression::kZstd).state == State::kWhole);
  // A member that another program has made says nothing of its length.
  CHECK(bed.Judge(std::string("\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0", 20),
                  FileCompression::kGzip)
            .state == State::kUnknown);
}

}  // namespace agent::file
