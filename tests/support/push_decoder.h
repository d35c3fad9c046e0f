// Reads Loki's push requests for tests: a decoder of its own, so that it does not share the agent's
// mistakes.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agent {

struct PushedEntry {
  std::string tenant;  // Filled in by who knows it.
  std::string labels;
  int64_t timestamp_ns = 0;
  std::string line;
  std::vector<std::pair<std::string, std::string>> metadata;
};

// Entries in the order of the request, stream after stream. Nothing when `body` is not snappy, or
// what is in it is not a push request to the letter. `streams` gets the number of streams.
std::optional<std::vector<PushedEntry>> DecodePush(std::string_view body, int* streams = nullptr);

// The same without compression.
std::optional<std::vector<PushedEntry>> DecodePushProtobuf(std::string_view raw,
                                                           int* streams = nullptr);

}  // namespace agent
