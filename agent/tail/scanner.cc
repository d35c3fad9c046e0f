#include "agent/tail/scanner.h"

#include <sys/stat.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace agent {
namespace {

std::string RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real == nullptr ? std::string() : std::string(real.get());
}

// One scan under way.
class Scan {
 public:
  explicit Scan(const KnownFiles& known) : known_(known) {}

  void Expand(const ScanPattern& pattern) {
    Glob::Visitor visitor;
    visitor.match = [this, &pattern](const std::string& path) { Match(pattern, path); };
    visitor.directory = [this](const std::string& path) { Directory(path); };
    if (!pattern.glob.Expand(visitor, tree_)) result_.complete = false;
  }

  ScanResult Finish() {
    result_.directories.assign(directories_.begin(), directories_.end());
    result_.not_files.assign(not_files_.begin(), not_files_.end());
    return std::move(result_);
  }

 private:
  void Match(const ScanPattern& pattern, const std::string& path) {
    if (pattern.exclude && pattern.exclude->Match(path)) return;
    if (!seen_[pattern.group].insert(path).second) return;
    bool is_link = false;
    const Result<FileStat> info = StatPath(path, is_link);
    if (!info.ok()) return;  // A dangling link, or gone already.
    if (!info->regular) {
      struct stat special {};
      const bool directory = ::stat(path.c_str(), &special) == 0 && S_ISDIR(special.st_mode);
      if (!directory) not_files_.insert(path);
      return;
    }
    ScannedFile file;
    file.group = pattern.group;
    file.path = path;
    file.info = *info;
    if (is_link) FollowLink(path, file);
    if (!known_.contains(info->key)) file.head = ReadHeadAt(path);
    result_.files.push_back(std::move(file));
  }

  void FollowLink(const std::string& path, ScannedFile& file) {
    file.target = RealPath(path);
    if (!file.target.empty()) Directory(std::string(DirName(file.target)));
  }

  // The nearest directory that exists.
  void Directory(std::string path) {
    struct stat info {};
    while (!directories_.contains(path)) {
      if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
        directories_.insert(path);
        return;
      }
      if (path == "/") return;
      path = std::string(DirName(path));
    }
  }

  const KnownFiles& known_;
  DiskTree tree_;
  ScanResult result_;
  std::unordered_map<uint32_t, std::unordered_set<std::string>> seen_;
  std::set<std::string> directories_;
  std::set<std::string> not_files_;
};

}  // namespace

ScanResult RunScan(const ScanPatterns& patterns, const KnownFiles& known) {
  Scan scan(known);
  for (const std::shared_ptr<const ScanPattern>& pattern : patterns)
    scan.Expand(*pattern);
  return scan.Finish();
}

}  // namespace agent
