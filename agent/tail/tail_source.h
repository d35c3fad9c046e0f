// What the tailer needs of a source that reads a file, beside what the worker needs: how far it is,
// and to tell it what has happened to its file.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/tail/file_identity.h"
#include "agent/tail/first_reads.h"
#include "agent/tail/journal.h"
#include "agent/tail/open_files.h"
#include "agent/tail/source.h"
#include "base/labels.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/source_progress.h"
#include "base/unique_fd.h"

namespace agent {

// Counted by sources on any thread, since the start.
struct SourceCounters {
  std::atomic<uint64_t> read_bytes{0};
  std::atomic<uint64_t> read_lines_too_long{0};
  std::atomic<uint64_t> bytes_too_long{0};
  std::atomic<uint64_t> read_errors{0};
  std::atomic<uint64_t> truncations{0};
  std::atomic<uint64_t> lost_bytes{0};  // Known to have been written, gone before they were read.
};

// What all sources of a tailer share. Shared, because a worker may hold a source for longer than
// the tailer lives. Thread-safe.
struct SourceContext {
  SourceContext(Logger& log, std::size_t max_open, std::size_t max_line)
      : logger(log), open_files(max_open), max_line_bytes(max_line) {}

  Logger& logger;
  OpenFiles open_files;
  const std::size_t max_line_bytes;  // A longer line is skipped, and counted as dropped.
  SourceCounters counters;
  FirstReads first_reads;
};

// A moment of a source, for the tailer and for pages.
struct SourceSnapshot {
  uint64_t read_offset = 0;
  uint64_t size_bytes = 0;  // As last seen by the source.
  FileIdentity identity;    // The head grows with the file.
  bool open = false;
  bool caught_up = false;        // The last read met the end of the file.
  bool ended = false;            // Said kEnded.
  uint64_t raw_bytes = 0;        // Compressed bytes that were decoded.
  bool incomplete = false;       // Ended before the end: compressed data that may go on.
  bool missing = false;          // The path names another file or none, and no descriptor is held.
  bool needs_restart = false;    // The content is a new one; waits for Restart().
  uint64_t content_changes = 0;  // How often that has happened; tells one from the next.
  HeadHash old_head;             // How the content began before that.
  int64_t modified_ns = 0;       // When the content was last changed before, as seen at its end.
  uint64_t restart_at = 0;       // Where the new content begins: behind a hole of NULs, else 0.
  uint64_t unread_bytes = 0;     // Of the old content: lost unless there is a copy.
  uint64_t partial_bytes = 0;    // Of a line at the end that has no newline yet.
  std::string error;             // Of the last attempt; empty when all is well.
};

class TailSource;

// What a new source starts with.
struct TailSourceInit {
  std::string place;  // Where the file is.
  std::string name;   // For logs: the path where it was found first.
  std::string job;
  Labels labels;
  std::optional<ContainerStreams> streams;  // As in Target.
  std::string encoding;                     // Empty: UTF-8.
  uint64_t lineage = 0;
  FileIdentity identity;                     // Of the file that is meant; an empty head fits all.
  std::shared_ptr<SourceProgress> progress;  // Reading starts at its smallest start.
  std::shared_ptr<TailSource> predecessor;   // May be null.
  UniqueFd fd;                               // May be invalid: then `place` is opened.
  // Something happened that the tailer must look at. Any thread; cheap.
  std::function<void()> changed;
};

class TailSource : public Source {
 public:
  TailSource(std::shared_ptr<SourceContext> context, TailSourceInit& init);

  [[nodiscard]] const Labels& labels() const override { return labels_; }
  [[nodiscard]] const std::string& job() const override { return job_; }
  [[nodiscard]] const std::shared_ptr<SourceProgress>& progress() const override {
    return progress_;
  }
  [[nodiscard]] const ContainerStreams* streams() const override {
    return streams_ ? &*streams_ : nullptr;
  }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] uint64_t lineage() const override { return lineage_; }
  [[nodiscard]] TextEncoding* encoding() override { return encoding_.get(); }
  // None once that one is drained.
  [[nodiscard]] const Source* predecessor() const override;

  // The rest is the loop's to call, any time.

  [[nodiscard]] SourceSnapshot Snapshot() const;

  // True once there is no need to read this before its successor: it was rotated, and its end has
  // been met since; or it has ended.
  [[nodiscard]] bool drained() const { return drained_.load(); }
  // It will not be read any more.
  void SetDrained() { drained_.store(true); }

  // The file is at another path now; empty: at none that is known.
  virtual void SetPlace(const std::string& path) = 0;
  // Something else stands at its path, or will: what is unread must not be lost, so the descriptor
  // stays open; and drained() begins to matter.
  virtual void SetRotated() = 0;
  // Read to the end, a line without a newline included, then end.
  virtual void Finish() = 0;
  // Read what is there now, whole lines only, then end: the target is gone.
  virtual void FinishAtCurrentEnd() = 0;

  // Answers needs_restart: go on with a new progress, from its start; after `predecessor` (may be
  // null).
  virtual void Restart(std::shared_ptr<SourceProgress> progress,
                       std::shared_ptr<TailSource> predecessor) = 0;

  // Another descriptor of the same open file; invalid when there is none open.
  [[nodiscard]] virtual UniqueFd DuplicateFd() = 0;

 protected:
  // Something happened that the tailer must look at. Any thread.
  void Changed() const { changed_(); }
  [[nodiscard]] SourceContext& context() const { return *context_; }
  // Behind the last or first line break; 0: there is none.
  [[nodiscard]] std::size_t EndOfLastLine(const char* data, std::size_t bytes) const;
  [[nodiscard]] std::size_t EndOfFirstLine(const char* data, std::size_t bytes) const;

  // The worker's alone.
  const std::unique_ptr<TextEncoding> encoding_;  // Null: UTF-8.
  std::shared_ptr<SourceProgress> progress_;
  std::shared_ptr<TailSource> predecessor_;
  const std::string name_;

  mutable Mutex mutex_;
  SourceSnapshot snapshot_ GUARDED_BY(mutex_);

 private:
  const std::shared_ptr<SourceContext> context_;
  const std::string job_;
  const Labels labels_;
  const std::optional<ContainerStreams> streams_;
  const uint64_t lineage_;
  const std::function<void()> changed_;
  std::atomic<bool> drained_{false};
};

}  // namespace agent
