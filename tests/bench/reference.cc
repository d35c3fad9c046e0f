// The straight line that the agent is compared with: reads a file, splits it into lines, copies
// them into 1 MiB batches and compresses those, as every way of sending to a Loki must. No parsing,
// no request, no positions. CPU time over the same file on the same machine makes figures of
// different machines comparable.
//
//   bench_reference FILE

#include <fcntl.h>
#include <snappy.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kBatchBytes = 1 << 20;
constexpr std::size_t kReadBytes = 256 << 10;

// Batches of lines, each with a few bytes of framing before it.
class Batches {
 public:
  Batches() : compressed_(snappy::MaxCompressedLength(2 * kBatchBytes)) {
    batch_.reserve(2 * kBatchBytes);
  }

  void Add(const char* line, std::size_t size) {
    static constexpr std::array<char, 16> kFraming{};
    batch_.append(kFraming.data(), kFraming.size());
    batch_.append(line, size);
    ++lines_;
    if (batch_.size() >= kBatchBytes) Flush();
  }

  void Flush() {
    std::size_t size = 0;
    snappy::RawCompress(batch_.data(), batch_.size(), compressed_.data(), &size);
    sent_bytes_ += size;
    batch_.clear();
  }

  [[nodiscard]] uint64_t lines() const { return lines_; }
  [[nodiscard]] uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  std::string batch_;
  std::vector<char> compressed_;
  uint64_t lines_ = 0;
  uint64_t sent_bytes_ = 0;
};

bool Run(int fd, Batches& batches) {
  std::vector<char> buffer(2 * kReadBytes);
  std::size_t kept = 0;  // The beginning of a line whose end is not read yet.
  while (true) {
    const ssize_t got = read(fd, buffer.data() + kept, buffer.size() - kept);
    if (got <= 0) return got == 0;
    const char* at = buffer.data();
    const char* const end = at + kept + got;
    while (const void* newline = std::memchr(at, '\n', static_cast<std::size_t>(end - at))) {
      const char* const stop = static_cast<const char*>(newline);
      batches.Add(at, static_cast<std::size_t>(stop - at));
      at = stop + 1;
    }
    kept = static_cast<std::size_t>(end - at);
    std::memmove(buffer.data(), at, kept);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) {
    std::cerr << "usage: bench_reference FILE\n";
    return 2;
  }
  Batches batches;
  const bool read_all = Run(fd, batches);
  batches.Flush();
  close(fd);
  std::cout << R"({"lines": )" << batches.lines() << R"(, "bytes": )" << batches.sent_bytes()
            << "}\n";
  return read_all ? 0 : 1;
}
