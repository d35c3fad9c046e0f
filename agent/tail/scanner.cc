#include "agent/tail/scanner.h"

#include <sys/stat.h>

#include <algorithm>
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

bool IsBelow(const std::string& real, const std::string& folder) {
  if (folder.empty()) return false;
  return folder == "/" ||
         (real.size() > folder.size() && real.starts_with(folder) && real[folder.size()] == '/');
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
    result_.refused.assign(refused_.begin(), refused_.end());
    return std::move(result_);
  }

 private:
  void Match(const ScanPattern& pattern, const std::string& path) {
    if (pattern.exclude && pattern.exclude->Match(path)) return;
    if (!seen_[pattern.group].insert(path).second) return;
    if (!pattern.roots.empty()) return MatchConfined(pattern, path);
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

  // What is looked at, and known by its inode from then on, is the file that was found to be
  // inside, not whatever `path` leads to by then.
  void MatchConfined(const ScanPattern& pattern, const std::string& path) {
    bool is_link = false;
    Result<FileStat> info = StatPath(path, is_link);
    if (!info.ok()) return;  // A dangling link, or gone already.
    std::string real;
    if (is_link) {
      real = RealPath(path);
      info = StatPath(real);
    } else {
      const std::string& folder = Real(std::string(DirName(path)));
      if (!folder.empty()) real = folder + "/" + std::string(BaseName(path));
    }
    if (real.empty() || !info.ok()) return;
    if (!IsInside(real, pattern.roots)) {
      refused_.insert(path);
      return;
    }
    if (!info->regular) return;
    ScannedFile file;
    file.group = pattern.group;
    file.path = path;
    file.info = *info;
    if (real != path) {
      file.target = real;
      Directory(std::string(DirName(real)));
    }
    if (!known_.contains(info->key)) file.head = ReadHeadAt(real);
    result_.files.push_back(std::move(file));
  }

  bool IsInside(const std::string& real, const std::vector<std::string>& roots) {
    return std::any_of(roots.begin(), roots.end(),
                       [&](const std::string& root) { return IsBelow(real, Real(root)); });
  }

  // Where a directory really is; asked once in a scan.
  const std::string& Real(const std::string& directory) {
    const auto [at, fresh] = real_.try_emplace(directory);
    if (fresh) at->second = RealPath(directory);
    return at->second;
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
  std::set<std::string> refused_;
  std::unordered_map<std::string, std::string> real_;
};

}  // namespace

bool IsBelowAny(const std::string& real, const std::vector<std::string>& roots) {
  return std::any_of(roots.begin(), roots.end(),
                     [&real](const std::string& root) { return IsBelow(real, RealPath(root)); });
}

ScanResult RunScan(const ScanPatterns& patterns, const KnownFiles& known) {
  Scan scan(known);
  for (const std::shared_ptr<const ScanPattern>& pattern : patterns)
    scan.Expand(*pattern);
  return scan.Finish();
}

}  // namespace agent
