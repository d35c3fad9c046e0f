// What a Docker daemon answers, from hostile bytes: no crash, label names that can be labels, and a
// stream of events that is cut the same way wherever its pieces end.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/labels.h"
#include "discovery/docker/docker_labels.h"
#include "discovery/docker/docker_objects.h"

namespace {

std::vector<std::string> Cut(std::string_view text, std::size_t piece) {
  agent::DockerLines lines;
  std::vector<std::string> cut;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    lines.Add(text.substr(at, piece), [&](std::string_view line) { cut.emplace_back(line); });
  }
  return cut;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto networks = agent::ParseDockerNetworks(text);
  static_cast<void>(agent::ParseDockerList(text));
  static_cast<void>(agent::ParseDockerEvent(text));
  static_cast<void>(agent::ParseDockerRoot(text));
  const auto container = agent::ParseDockerContainer(text);
  if (container.ok()) {
    agent::DockerOptions options;
    options.match_first_network = size % 2 == 0;
    const auto itself = [&](std::string_view) { return &*container; };
    const auto sets = agent::DockerLabels(
        *container, networks.ok() ? *networks : agent::DockerNetworks(), options, itself);
    CHECK(!sets.empty());
    for (const agent::Labels& labels : sets) {
      for (const agent::Label& label : labels)
        CHECK(agent::IsValidLabelName(label.name));
    }
  }
  const std::vector<std::string> whole = Cut(text, std::max<std::size_t>(1, size));
  CHECK(Cut(text, 1) == whole);
  CHECK(Cut(text, 7) == whole);
  return 0;
}
