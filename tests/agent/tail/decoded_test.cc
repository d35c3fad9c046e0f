// Jobs whose files are compressed: the tailer with DecodedSource.

#include <bzlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <zlib.h>
#include <zstd.h>

#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

std::string Compressed(Compression compression, const std::string& text) {
  std::string out(text.size() + text.size() / 50 + 1000, '\0');
  auto size = static_cast<unsigned>(out.size());
  switch (compression) {
    case Compression::kGzip:
    case Compression::kZlib: {
      z_stream stream{};
      const int bits = compression == Compression::kGzip ? 15 + 16 : 15;
      REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
      stream.avail_in = static_cast<unsigned>(text.size());
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = size;
      REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
      out.resize(stream.total_out);
      deflateEnd(&stream);
      break;
    }
    case Compression::kBzip2:
      REQUIRE(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()),
                                       static_cast<unsigned>(text.size()), 9, 0, 0) == BZ_OK);
      out.resize(size);
      break;
    case Compression::kZstd:
      out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
      break;
    case Compression::kNone:
      return text;
  }
  return out;
}

class ArchiveBed : public TailBed {
 public:
  explicit ArchiveBed(Compression compression) : compression_(compression) { Use(compression); }

  void Use(Compression compression) {
    contents_ = {{"job", {compression, {}}}};
    tailer().SetContents(contents_);
    SetGlob("*.arc");
  }
  void Again() {
    Begin();
    tailer().SetContents(contents_);
    SetGlob("*.arc");
  }
  // Appends the compressed form of a text.
  void AppendMember(const std::string& name, const std::string& text) const {
    Append(name, Compressed(compression_, text));
  }

 private:
  const Compression compression_;
  FileContents contents_;
};

std::string Numbers(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i)
    text += "line " + std::to_string(i) + "\n";
  return text;
}

std::string Text(const std::vector<ReadLine>& lines) {
  std::string text;
  for (const ReadLine& line : lines)
    text += line.line;
  return text;
}

TEST_CASE("decompression: every format is read, and the members that are appended", "[tail]") {
  const Compression compression =
      GENERATE(Compression::kGzip, Compression::kZlib, Compression::kBzip2, Compression::kZstd);
  INFO(CompressionName(compression));
  ArchiveBed bed(compression);
  const std::string first = Numbers(0, 50'000);
  bed.AppendMember("a.arc", first);
  bed.ScanAndRead();
  CHECK(Text(bed.host().lines) == first);
  CHECK(bed.host().lines.back().offset == first.size() - std::string("line 49999\n").size());

  bed.AppendMember("a.arc", Numbers(50'000, 50'010));
  bed.ScanAndRead();
  CHECK(Text(bed.host().lines) == Numbers(0, 50'010));

  bed.ScanAndRead();
  CHECK(bed.host().lines.size() == 50'010);
  CHECK(bed.tailer().Positions().empty());
}

TEST_CASE("decompression: goes on at the decoded offset after a restart", "[tail]") {
  ArchiveBed bed(Compression::kGzip);
  bed.AppendMember("a.arc", Numbers(0, 1000));
  bed.ScanAndRead();
  REQUIRE(bed.host().lines.size() == 1000);
  bed.Crash();
  bed.AppendMember("a.arc", Numbers(1000, 1005));
  bed.Again();
  bed.ScanAndRead();

  CHECK(Text(bed.host().lines) == Numbers(1000, 1005));
}

TEST_CASE("decompression: a file that is being written is read as far as it is whole", "[tail]") {
  ArchiveBed bed(Compression::kGzip);
  const std::string bytes = Compressed(Compression::kGzip, Numbers(0, 20'000));
  bed.Append("a.arc", bytes.substr(0, bytes.size() / 2));
  bed.ScanAndRead();
  const std::size_t so_far = bed.host().lines.size();
  CHECK(so_far > 1000);
  CHECK(so_far < 20'000);
  CHECK(bed.tailer().Status().at(0).error == "ends in the middle of compressed data");
  CHECK(bed.tailer().counters().read_errors == 1);

  bed.Append("a.arc", bytes.substr(bytes.size() / 2));
  bed.ScanAndRead();
  bed.Pass(std::chrono::seconds(60));
  bed.ScanAndRead();

  CHECK(Text(bed.host().lines) == Numbers(0, 20'000));
  CHECK(bed.tailer().Status().at(0).error.empty());
}

TEST_CASE("decompression: a damaged file is read as far as it goes, counted and told", "[tail]") {
  ArchiveBed bed(Compression::kGzip);
  std::string bytes = Compressed(Compression::kGzip, Numbers(0, 20'000));
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 64; ++i)
    bytes[i] = static_cast<char>(bytes[i] ^ 0x5a);
  bed.Append("a.arc", bytes);
  bed.AppendMember("b.arc", Numbers(0, 3));
  bed.Append("c.arc", "no gzip at all\n");
  bed.ScanAndRead();

  CHECK(bed.tailer().counters().read_errors == 2);
  std::size_t errors = 0;
  for (const FileStatus& file : bed.tailer().Status())
    if (!file.error.empty()) ++errors;
  CHECK(errors == 2);
  const auto of_b =
      std::count_if(bed.host().lines.begin(), bed.host().lines.end(),
                    [&bed](const ReadLine& line) { return line.filename == bed.Path("b.arc"); });
  CHECK(of_b == 3);
  // What is before the damage is right; what is behind it may not be, until that is noticed.
  std::string of_a;
  for (const ReadLine& line : bed.host().lines) {
    if (line.filename == bed.Path("a.arc")) of_a += line.line;
  }
  CHECK(of_a.starts_with(Numbers(0, 5000)));
}

TEST_CASE("decompression: empty files, lines without an end, NULs behind the end", "[tail]") {
  ArchiveBed bed(Compression::kGzip);
  bed.Append("empty.arc", "");
  bed.AppendMember("last.arc", "one\ntwo");
  bed.AppendMember("padded.arc", "three\n");
  bed.Append("padded.arc", std::string(1000, '\0'));
  bed.ScanAndRead();
  bed.AppendMember("empty.arc", "four\n");
  bed.ScanAndRead();

  std::vector<std::string> lines;
  for (const ReadLine& line : bed.host().lines)
    lines.push_back(line.line);
  std::sort(lines.begin(), lines.end());
  CHECK(lines == std::vector<std::string>{"four\n", "one\n", "three\n", "two"});
  CHECK(bed.tailer().counters().read_errors == 0);
}

TEST_CASE("decompression: renamed files are not read again, nor are they one another's rest",
          "[tail]") {
  ArchiveBed bed(Compression::kGzip);
  bed.AppendMember("app.log.1.arc", Numbers(0, 10));
  bed.ScanAndRead();
  bed.Rename("app.log.1.arc", "app.log.2.arc");
  bed.AppendMember("app.log.1.arc", Numbers(10, 20));
  bed.ScanAndRead();
  CHECK(bed.host().lines.size() == 20);
  bed.Crash();
  bed.Rename("app.log.2.arc", "app.log.3.arc");
  bed.Rename("app.log.1.arc", "app.log.2.arc");
  bed.AppendMember("app.log.1.arc", Numbers(20, 30));
  bed.Again();
  bed.ScanAndRead();

  CHECK(Text(bed.host().lines) == Numbers(20, 30));
}

TEST_CASE("decompression: switched on or off, the files are read from their beginning", "[tail]") {
  ArchiveBed bed(Compression::kGzip);
  bed.AppendMember("a.arc", Numbers(0, 100));
  bed.Use(Compression::kNone);
  bed.ScanAndRead();
  bed.Crash();
  bed.Again();
  bed.Use(Compression::kGzip);
  bed.ScanAndRead();

  CHECK(Text(bed.host().lines) == Numbers(0, 100));
}

TEST_CASE("decompression: waits for initial_delay", "[tail]") {
  ArchiveBed bed(Compression::kGzip);
  bed.tailer().SetContents({{"job", {Compression::kGzip, std::chrono::seconds(30)}}});
  bed.AppendMember("a.arc", Numbers(0, 10));
  bed.ScanAndRead();
  CHECK(bed.host().lines.empty());

  bed.Pass(std::chrono::seconds(31));
  bed.ScanAndRead();

  CHECK(bed.host().lines.size() == 10);
}

TEST_CASE("decompression: more files than are decoded at a time are all read", "[tail]") {
  ArchiveBed bed(Compression::kGzip);
  for (int i = 0; i < 20; ++i)
    bed.AppendMember(std::to_string(i) + ".arc", Numbers(i, i + 1));
  for (int i = 0; i < 10; ++i)
    bed.ScanAndRead();

  CHECK(bed.host().lines.size() == 20);
}

}  // namespace
}  // namespace agent
