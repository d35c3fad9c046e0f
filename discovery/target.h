// Where to read, and what to call it: what discovery hands to the tailers.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/labels.h"

namespace agent {

// Labels of a container's entries, by the stream that they were written to. Nullopt: relabelling
// dropped that one.
struct ContainerStreams {
  std::optional<Labels> out;
  std::optional<Labels> err;

  bool operator==(const ContainerStreams&) const = default;
};

struct Target {
  std::string job;
  Labels discovered;         // Before relabelling, for pages.
  Labels labels;             // After relabelling; no name begins with "__".
  std::string path;          // __path__: a glob, or a file's name taken literally.
  std::string path_exclude;  // __path_exclude__; may be empty.
  // Folders: a file is read only if it really is below one of them, once links are followed. Empty:
  // it may be anywhere.
  std::vector<std::string> roots{};
  // A container whose log is Docker's json-file, with that literal path. Its entries have these
  // labels, and no `filename`; `labels` are those of a stream that is kept.
  std::optional<ContainerStreams> streams = std::nullopt;
  // The file is about to come, and may be gone soon after: it is opened as it appears, and read
  // when this is false. Needs a literal path.
  bool awaited = false;
  std::string waits_for{};  // Why it is not read yet, one sentence, for pages.

  bool operator==(const Target&) const = default;
};

// A target that was found and is not read, and why.
struct DroppedTarget {
  std::string job;
  Labels discovered;
  std::string reason;  // "dropped", "wrong_host", "no_path", "exists", "error" as in Promtail.
  std::string detail;  // The rule that dropped it: "relabel_configs[2] (action keep)".
};

}  // namespace agent
