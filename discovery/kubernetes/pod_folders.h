// The folders in which the kubelet keeps the logs of pods: NAMESPACE_POD_UID/CONTAINER/N.log. They
// are there before any program can have asked the API server, and tell what a target needs most.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/loop.h"
#include "base/watcher.h"

namespace agent {

struct PodFolder {
  std::string ns;
  std::string pod;
  std::string uid;                      // Of a static pod the hash of its manifest.
  std::vector<std::string> containers;  // Sorted.
  // "CONTAINER/0.log", …: sorted; only of folders that nobody else tells of.
  std::vector<std::string> files;

  bool operator==(const PodFolder&) const = default;
};

// By name.
using PodFolders = std::map<std::string, PodFolder>;

// What a folder's name says, without containers; nothing when the kubelet would not have given it.
std::optional<PodFolder> ParsePodFolder(std::string_view name);
std::string PodFolderName(std::string_view ns, std::string_view pod, std::string_view uid);
// Whether Kubernetes lets a container, a pod or a namespace have this name: nothing in it can lead
// out of a folder or mean something in a glob.
bool IsPodPathName(std::string_view name);

struct PodFolderScan {
  PodFolders folders;
  uint64_t ignored = 0;      // Names that are not the kubelet's, links in the place of folders.
  std::string ignored_name;  // One of them.
  bool complete = true;      // False: there are more than kMaxFolders.
  std::string error;         // Why the root cannot be read; empty: it was.
};

constexpr std::size_t kMaxPodFolders = 20'000;
constexpr std::size_t kMaxPodContainers = 1'000;
constexpr std::size_t kMaxPodFiles = 1'000;  // Of one container.

// Looks. Blocks; any thread. Folders that are symbolic links are left out. The files in `known`
// folders are not looked at.
PodFolderScan ScanPodFolders(const std::string& root, const std::set<std::string>& known);

// Looks again and again, soon after something has changed. Loop thread.
class PodFolderWatch {
 public:
  PodFolderWatch(Loop& loop, Logger& logger, std::string root);
  PodFolderWatch(const PodFolderWatch&) = delete;
  PodFolderWatch& operator=(const PodFolderWatch&) = delete;
  ~PodFolderWatch();

  // Calls `looked` after each look.
  void Start(std::function<void(PodFolderScan)> looked);
  void Stop();
  // From the next look on.
  void SetKnown(std::set<std::string> known);

 private:
  void Look();
  void LookSoon();
  void Looked(PodFolderScan scan);
  void Watch(const PodFolderScan& scan);

  Loop& loop_;
  Logger& logger_;
  const std::string root_;
  std::function<void(PodFolderScan)> looked_;
  std::unique_ptr<Watcher> watcher_;
  std::vector<std::string> watched_;
  std::shared_ptr<const std::set<std::string>> known_;  // With looks under way.
  Timer timer_;
  bool looking_ = false;
  bool again_ = false;
  bool due_soon_ = false;
  std::chrono::milliseconds last_cost_{0};
  std::shared_ptr<PodFolderWatch*> alive_;  // Work in the background holds a weak reference.
};

}  // namespace agent
