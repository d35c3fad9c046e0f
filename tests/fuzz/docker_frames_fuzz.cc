// What a daemon answers when asked for a container's log, from hostile bytes: entries come out the
// same wherever its pieces end, and each is one line of JSON that the pipeline can take apart
// again.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "discovery/docker/docker_frames.h"

namespace {

struct Entries {
  std::vector<std::string> lines;
  std::size_t bytes = 0;
  bool broken = false;
};

Entries Cut(std::string_view data, std::size_t piece, bool tty) {
  Entries cut;
  agent::DockerFrames frames(tty);
  const auto take = [&cut](const agent::DockerLogEntry& entry) {
    std::string line;
    AppendAsJsonFile(entry, line);
    // One line, and nothing in it that would end it.
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(std::none_of(line.begin(), line.end() - 1,
                       [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
    cut.bytes += entry.text.size();
    cut.lines.push_back(std::move(line));
  };
  for (std::size_t at = 0; at < data.size(); at += piece)
    frames.Add(data.substr(at, piece), take);
  frames.Finish(take);
  cut.broken = frames.broken();
  return cut;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool tty = data[0] % 2 == 0;
  const std::size_t piece = 1 + data[1];
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const Entries whole = Cut(text, std::max<std::size_t>(1, text.size()), tty);
  CHECK(whole.bytes <= text.size());
  if (tty) CHECK(!whole.broken);
  // Where a long line of a TTY is cut depends on what has come: only frames are told apart by
  // themselves.
  if (tty && text.size() > agent::DockerFrames::kPieceBytes) return 0;
  const Entries pieces = Cut(text, piece, tty);
  CHECK(pieces.lines == whole.lines);
  CHECK(pieces.broken == whole.broken);
  return 0;
}
