// Something that yields lines in order: a followed file, standard input, a journal, a socket. A
// source belongs to one worker, which reads it; discovery, the tailer and the receivers keep it
// going from the loop.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/tail/block_buffer.h"
#include "base/entry.h"
#include "base/labels.h"
#include "base/source_progress.h"
#include "base/text_encoding.h"
#include "discovery/target.h"

namespace agent {

enum class ReadStatus : uint8_t {
  kData,       // `chunk` has whole lines.
  kIdle,       // Nothing to read now; the worker comes back when it is woken.
  kRestarted,  // The content is a new one (truncated, replaced): progress() has changed. Read
               // again.
  kEnded,      // Nothing more will ever come; the source is done.
};

// A line that brings more along than a file's does: of a journal, or from a receiver.
struct ChunkLine {
  std::string_view text;           // May have '\n' in it.
  const Labels* labels = nullptr;  // That its entry starts with; null: those of the source.
  std::optional<int64_t> timestamp_ns = {};  // Nothing: when it is read.
  std::span<const Metadata> metadata = {};
};

// What Read() yields: whole lines, in the caller's buffer.
struct Chunk {
  // Lines with their '\n'. Only the last line of an ended source may lack it. kTextPadding readable
  // bytes follow.
  std::string_view data;
  uint64_t offset = 0;  // Of the first byte in the source.
  // Not empty: the lines of `data`, in order, each followed by one byte. Valid, with all that it
  // points to, until the next Read().
  std::span<const ChunkLine> lines = {};
};

class Source {
 public:
  virtual ~Source() = default;

  // Reads the next whole lines, about `max_bytes` or one line that is longer. Worker's thread.
  // Never blocks for long. Errors are logged and counted by the source, and look like kIdle or
  // kEnded.
  virtual ReadStatus Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) = 0;

  // Labels that every entry starts with, `filename` included where it has one. Constant.
  [[nodiscard]] virtual const Labels& labels() const = 0;
  [[nodiscard]] virtual const std::string& job() const = 0;
  // The present generation's. Worker's thread.
  [[nodiscard]] virtual const std::shared_ptr<SourceProgress>& progress() const = 0;
  // Sources of one lineage (a file and its rotated predecessors) go to the same worker.
  [[nodiscard]] virtual uint64_t lineage() const = 0;
  // To be read to its end before this one is begun; null: none. Worker's thread.
  [[nodiscard]] virtual const Source* predecessor() const = 0;
  // For logs: the path.
  [[nodiscard]] virtual std::string name() const = 0;

  // Can be read again after a restart. If not (standard input), what stages keep back comes out
  // when the source ends or the agent stops, complete or not.
  [[nodiscard]] virtual bool rereadable() const { return true; }
  // What waits in it was taken from a sender who counts on it: it is read before a stop. There is
  // little of it.
  [[nodiscard]] virtual bool received() const { return false; }
  // Lines are wrapped as Docker does it, and start with labels by stream rather than with labels();
  // null: neither. Constant.
  [[nodiscard]] virtual const ContainerStreams* streams() const { return nullptr; }
  // How the lines of the chunks are written; null: UTF-8. Worker's thread.
  [[nodiscard]] virtual TextEncoding* encoding() { return nullptr; }
  // Lines lose a trailing '\r', and empty ones are skipped: Promtail's way with standard input.
  [[nodiscard]] virtual bool trims_lines() const { return false; }
};

// Who reads sources: implemented by the runtime. Loop thread.
class SourceHost {
 public:
  virtual ~SourceHost() = default;

  // Read this from now on. It is woken once at once.
  virtual void Start(std::shared_ptr<Source> source) = 0;
  // There may be something to read. Cheap; may be called often and for sources that are gone.
  virtual void Wake(const std::shared_ptr<Source>& source) = 0;
  // Read no more of it (its target is gone). What was read goes its way.
  virtual void Stop(const std::shared_ptr<Source>& source) = 0;
  // The host calls TailerEvents::OnEnded when a source said kEnded or was stopped; see tailer.h.
};

}  // namespace agent
