// The containers that are known, and the targets that they are.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "discovery/discoverer.h"
#include "discovery/docker/docker_objects.h"
#include "discovery/docker/docker_options.h"
#include "discovery/relabel.h"
#include "discovery/target.h"

namespace agent {

// Loop thread.
class DockerTable {
 public:
  // `clock` outlives the table.
  DockerTable(std::string job, std::shared_ptr<const Relabeling> relabeling,
              std::shared_ptr<const DockerOptions> options, const Clock& clock);

  void SetNetworks(DockerNetworks networks);
  // Where the daemon keeps everything; until then it is where it usually is.
  void SetRoot(const std::string& root);

  // What an inspection has said. Of a container that has ended the networks and ports that it had
  // while it ran are kept, or its labels would change at the end.
  void Put(DockerContainer container);
  // A container that was gone before it could be inspected, as far as its event has told: a target
  // if its log is held. False when it is not.
  bool PutVanished(DockerContainer container);
  // The main process has ended.
  void Ended(const std::string& id);
  // The container is no more. It stays a target for a moment: its log is read to its end.
  void Gone(const std::string& id);
  // Lets go of what has ended or is gone for long enough.
  void Expire();

  [[nodiscard]] bool Has(const std::string& id) const { return entries_.contains(id); }
  // As far as is known.
  [[nodiscard]] bool IsRunning(const std::string& id) const;
  // The whole list: what is not in it is gone. Returns what has to be looked at: new, or not as it
  // was listed the last time.
  std::vector<std::string> Keep(const std::vector<DockerListed>& listed);
  // Everything has to be looked at again.
  void ForgetListed() { listed_.clear(); }

  // The targets have changed since the last Result().
  [[nodiscard]] bool changed() const { return changed_; }
  DiscoveryResult Result();
  // Some container waits for Expire().
  [[nodiscard]] bool expires() const;

 private:
  struct Entry {
    DockerContainer container;
    int64_t gone_ns = 0;  // Monotonic; 0: it is there.
    // Where its log could be read once. It stays: the folder may be gone before the container's
    // last events have come, and the log is open by then.
    std::string path;
    // Null, or the same object as long as nothing of it changes.
    std::shared_ptr<const Target> target;
    std::shared_ptr<const DroppedTarget> dropped;
    std::shared_ptr<const ContainerLog> log;
  };

  [[nodiscard]] const DockerContainer* Find(std::string_view id_or_name) const;
  void Evaluate(Entry& entry);
  void WorkOut(Entry& entry) const;
  void EvaluateAll();
  // False when relabelling has dropped both streams.
  bool Relabel(const Labels& discovered, Target& target, std::string& rule) const;
  // Where the log is; empty when it is not in a file that can be read.
  [[nodiscard]] std::string LogPath(const DockerContainer& container) const;
  [[nodiscard]] bool IsHeld(const std::string& path) const;
  [[nodiscard]] bool TooOld(const Entry& entry) const;

  const std::string job_;
  const std::shared_ptr<const Relabeling> relabeling_;
  const std::shared_ptr<const DockerOptions> options_;
  const Clock& clock_;
  std::string root_ = "/var/lib/docker";
  DockerNetworks networks_;
  std::map<std::string, Entry> entries_;    // By id.
  std::map<std::string, uint64_t> listed_;  // Fingerprints, by id.
  bool changed_ = true;                     // Nothing has been said yet.
};

}  // namespace agent
