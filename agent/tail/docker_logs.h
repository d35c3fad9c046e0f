// Reads the logs of containers through the daemon, where they are no files that can be read: keeps
// a stream open for each, hands what comes to a source, and remembers how far each has settled.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/tail/dirty_files.h"
#include "agent/tail/docker_log_source.h"
#include "agent/tail/position_store.h"
#include "agent/tail/source.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "discovery/docker/container_log.h"
#include "discovery/docker/docker_client.h"
#include "discovery/docker/docker_cursor.h"
#include "discovery/docker/docker_frames.h"
#include "pipeline/time/rfc3339.h"

namespace agent {

// One log, for pages.
struct DockerLogStatus {
  std::string name;  // "docker:ID".
  std::string job;
  uint64_t received_bytes = 0;
  std::string error;  // Empty when all is well.
  std::shared_ptr<const SourceProgress> progress;
};

// Loop thread.
class DockerLogs {
 public:
  // All of it outlives this.
  struct Dependencies {
    Loop& loop;
    const Clock& clock;
    Logger& logger;
    PositionStore& positions;
    SourceHost& host;
  };
  // `outputs`: how many SourceProgress counts.
  DockerLogs(const Dependencies& dependencies, Random random, std::size_t outputs);
  DockerLogs(const DockerLogs&) = delete;
  DockerLogs& operator=(const DockerLogs&) = delete;
  ~DockerLogs();

  // Replaces the logs to read: new ones are begun where they have settled, those that are gone are
  // read to the end of what has come.
  void Set(const std::vector<std::shared_ptr<const ContainerLog>>& logs);
  // The host's: nothing is read of it any more. Sources of others are ignored.
  void OnEnded(const std::shared_ptr<Source>& source);

  // For a reload and a stop: every stream is closed, every source stopped.
  void Pause();
  // After Pause(). Everything begins anew, where it has settled, with the next Set().
  void Resume(SourceHost& host, std::size_t outputs);
  // Notes what has settled.
  void Stop();

  [[nodiscard]] std::vector<DockerLogStatus> Status() const;
  [[nodiscard]] uint64_t entries() const { return entries_; }
  [[nodiscard]] uint64_t parsing_errors() const { return parsing_errors_; }

 private:
  // An entry on its way: when all up to `end` has settled, the cursor has passed it.
  struct Mark {
    uint64_t end = 0;
    int64_t time_ns = 0;
    bool err = false;
  };
  struct Log {
    explicit Log(Loop& loop, Backoff wait) : backoff(wait), retry(loop) {}

    uint64_t number = 0;
    std::shared_ptr<const ContainerLog> wanted;
    std::shared_ptr<const ContainerLog> next;  // Takes over when this one has settled; or null.
    bool leaving = false;
    std::shared_ptr<SourceProgress> progress;
    std::shared_ptr<DockerLogSource> source;  // Null once it has ended.
    DockerCursor received;
    DockerCursor settled;
    std::deque<Mark> marks;
    uint64_t received_bytes = 0;
    std::string error;

    std::optional<DockerClient::Id> stream;
    DockerFrames frames{false};
    DockerSkip skip{DockerCursor()};
    std::string lines;  // What the present data has become.
    bool paused = false;
    bool read_whole = false;  // The stream of a container that does not run has ended.
    Backoff backoff;
    Timer retry;
  };
  using Logs = std::map<std::string, std::unique_ptr<Log>>;  // By job and container.

  void Begin(const std::string& key, std::shared_ptr<const ContainerLog> wanted);
  void Leave(Log& log);
  void Follow(Log& log);
  void CloseStream(Log& log);
  void OnData(Log& log, std::string_view data);
  void OnEntry(Log& log, const DockerLogEntry& entry);
  void OnStreamEnd(Log& log, const Error& error);
  void RunDirty();
  void NoteSettled(Log& log);
  void Forget(const std::string& key);
  DockerClient& ClientOf(const std::shared_ptr<const DockerOptions>& daemon);
  [[nodiscard]] DockerCursor StoredCursor(const ContainerLog& wanted) const;
  [[nodiscard]] Log* Find(uint64_t number);
  // How much of one log may wait for its worker.
  [[nodiscard]] std::size_t Limit() const;

  Loop& loop_;
  const Clock& clock_;
  Logger& logger_;
  PositionStore& positions_;
  SourceHost* host_;
  Random random_;
  std::size_t outputs_;
  const std::shared_ptr<DirtyFiles> dirty_;
  std::map<std::shared_ptr<const DockerOptions>, std::unique_ptr<DockerClient>> clients_;
  Logs logs_;
  uint64_t next_number_ = 1;
  Rfc3339Parser time_;
  uint64_t entries_ = 0;
  uint64_t parsing_errors_ = 0;
  bool running_ = true;
};

}  // namespace agent
