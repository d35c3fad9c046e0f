// The API server's answers: lists, and the events of a watch. What comes from outside is bounded
// and never trusted; an object that makes no sense is left out and counted, the others are taken.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "discovery/kubernetes/objects.h"

namespace agent {

struct KubeListPage {
  std::vector<KubeObject> objects;
  std::string resource_version;
  std::string next;      // What asks for the next page; empty: this is the last.
  uint64_t ignored = 0;  // Items without a name, and what is no object.
};

enum class KubeEventType : uint8_t { kAdded, kModified, kDeleted, kBookmark, kError };

struct KubeEvent {
  KubeEventType type = KubeEventType::kError;
  KubeObject object;  // Of a bookmark only its resource_version; of an error nothing.
  int code = 0;       // Of an error: the status, 410 for a version that is too old.
  std::string message;
};

// Parses with one buffer that is used again.
class KubeParser {
 public:
  // Bounds of one object; what is beyond is cut away.
  static constexpr std::size_t kMaxPairs = 1000;  // Labels, or annotations.
  static constexpr std::size_t kMaxValueBytes = 256 << 10;
  static constexpr std::size_t kMaxContainers = 1000;
  static constexpr std::size_t kMaxPorts = 1000;  // Of a container, a service or a subset.
  static constexpr std::size_t kMaxEndpoints = 20'000;

  KubeParser();
  KubeParser(const KubeParser&) = delete;
  KubeParser& operator=(const KubeParser&) = delete;
  ~KubeParser();

  // kInvalid when it is no JSON, or no list.
  Result<KubeListPage> ParseList(KubeKind kind, std::string_view json);
  // One line of a watch.
  Result<KubeEvent> ParseEvent(KubeKind kind, std::string_view json);
  // The `message` of a Status, which is what an error has for a body; empty: it is none.
  std::string StatusMessage(std::string_view json);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Cuts the stream of a watch into lines.
class KubeLines {
 public:
  static constexpr std::size_t kMaxLineBytes = std::size_t{16} << 20;

  // Calls `line` for each that is complete. False: a line is too long, and the stream is of no more
  // use. `line` may return false to end it as well.
  bool Feed(std::string_view bytes, const std::function<bool(std::string_view)>& line);
  // What came after the last newline.
  [[nodiscard]] bool has_rest() const { return !rest_.empty(); }

 private:
  std::string rest_;
};

}  // namespace agent
