#include "discovery/target_files.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/unique_fd.h"
#include "discovery/target_groups_text.h"

namespace agent {
namespace {

constexpr std::string_view kAddressLabel = "__address__";
constexpr std::string_view kFileLabel = "__meta_filepath";
constexpr std::string_view kWildcards = "*?[\\";

// "." for a name without a slash.
std::string DirectoryOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<std::size_t>(slash, 1)));
}

std::string_view NameOf(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0.
}

bool HasWildcard(std::string_view text) {
  return text.find_first_of(kWildcards) != std::string_view::npos;
}

std::string WithoutBackslashes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

bool IsDirectory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string NearestDirectory(std::string path) {
  while (!IsDirectory(path) && path != "/" && path != ".")
    path = DirectoryOf(path);
  return path;
}

// Opens without waiting for the other end of a FIFO.
Result<std::string> ReadText(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoError(errno, "open");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoError(errno, "stat");
  if (!S_ISREG(info.st_mode)) return Error{ErrorCode::kInvalid, "not a regular file"};
  std::string text;
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t count = ::read(fd.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, "read");
    if (count == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
    if (text.size() > TargetFiles::kMaxFileBytes) {
      return Error{ErrorCode::kInvalid, "larger than 16 MiB; split it into several files"};
    }
  }
}

}  // namespace

std::string WhatIsWrongWithFilePattern(std::string_view pattern) {
  const std::string_view name = NameOf(pattern);
  const std::size_t dot = name.rfind('.');
  const std::string_view end = dot == std::string_view::npos ? "" : name.substr(dot + 1);
  constexpr std::array<std::string_view, 6> kEnds = {"json", "yml", "yaml", "JSON", "YML", "YAML"};
  if (std::find(kEnds.begin(), kEnds.end(), end) == kEnds.end()) {
    return "the name must end in .json, .yml or .yaml";
  }
  if (HasWildcard(pattern.substr(0, pattern.size() - name.size()))) {
    return "wildcards are for the part after the last '/' alone";
  }
  return {};
}

bool MatchesFilePattern(std::string_view pattern, std::string_view path) {
  if (DirectoryOf(pattern) != DirectoryOf(path)) return false;
  const std::string wanted(NameOf(pattern));
  const std::string name(NameOf(path));
  return ::fnmatch(wanted.c_str(), name.c_str(), 0) == 0;
}

TargetFiles::TargetFiles(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

bool TargetFiles::Read() {
  problems_.clear();
  remarks_.clear();
  places_.clear();
  std::set<std::string> found;
  for (const std::string& pattern : patterns_)
    List(pattern, found);
  bool changed = std::exchange(first_, false);
  for (auto at = files_.begin(); at != files_.end();) {
    const bool gone = !found.contains(at->first);
    changed = changed || (gone && !at->second.targets.empty());
    at = gone ? files_.erase(at) : std::next(at);
  }
  for (const std::string& path : found)
    changed = ReadFile(path, files_[path]) || changed;
  return changed;
}

void TargetFiles::List(const std::string& pattern, std::set<std::string>& found) {
  const std::string name(NameOf(pattern));
  const std::string prefix = pattern.substr(0, pattern.size() - name.size());
  if (!HasWildcard(name) || name.find_first_of("*?[") == std::string::npos) {
    const std::string path = prefix + WithoutBackslashes(name);
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0 || (errno != ENOENT && errno != ENOTDIR)) {
      found.insert(path);
    } else {
      remarks_.push_back({path, "no such file"});
    }
    return;
  }
  const std::string directory = DirectoryOf(pattern);
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  bool any = false;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string entry = entries->path().filename().string();
    if (::fnmatch(name.c_str(), entry.c_str(), 0) != 0) continue;
    found.insert(prefix + entry);
    any = true;
  }
  const bool absent =
      error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
  if (error && !absent) {
    problems_.push_back({directory, "list: " + error.message()});
    KeepFilesOf(pattern, found);
  } else if (!any) {
    remarks_.push_back({pattern, "no file matches"});
  }
}

// What cannot be listed may still be there.
void TargetFiles::KeepFilesOf(const std::string& pattern, std::set<std::string>& found) const {
  for (const auto& [path, file] : files_) {
    if (MatchesFilePattern(pattern, path)) found.insert(path);
  }
}

bool TargetFiles::ReadFile(const std::string& path, File& file) {
  const std::unique_ptr<char, decltype(&std::free)> place(::realpath(path.c_str(), nullptr),
                                                          &std::free);
  if (place != nullptr) places_.insert(place.get());
  const Result<std::string> text = ReadText(path);
  if (!text.ok()) {
    file.read = false;
    problems_.push_back({path, path + ": " + text.error().message});
    return false;
  }
  const bool changed = TakeText(path, *text, file);
  if (!file.problem.empty()) problems_.push_back({path, file.problem});
  if (file.without_targets) {
    remarks_.push_back({path,
                        "a group has no targets: nothing is read for it; write targets: "
                        "[localhost]"});
  }
  return changed;
}

bool TargetFiles::TakeText(const std::string& path, const std::string& text, File& file) {
  const uint64_t hash = XXH3_64bits(text.data(), text.size());
  if (file.read && file.text_hash == hash) return false;
  file.read = true;
  file.text_hash = hash;
  file.problem.clear();
  const Result<std::vector<TargetGroupText>> groups = ParseTargetGroups(path, text);
  if (!groups.ok()) {
    file.problem = groups.error().message;
    return false;
  }
  std::vector<Labels> targets;
  file.without_targets = false;
  for (const TargetGroupText& group : *groups) {
    file.without_targets = file.without_targets || group.addresses.empty();
    for (const std::string& address : group.addresses) {
      Labels labels = group.labels;
      labels.Set(kFileLabel, path);
      labels.Set(kAddressLabel, address);
      targets.push_back(std::move(labels));
    }
  }
  if (targets == file.targets) return false;
  file.targets = std::move(targets);
  return true;
}

void TargetFiles::ForEachTarget(const std::function<void(const Labels&)>& visit) const {
  for (const auto& [path, file] : files_) {
    for (const Labels& labels : file.targets)
      visit(labels);
  }
}

std::vector<std::string> TargetFiles::Directories() const {
  std::set<std::string> directories;
  for (const std::string& pattern : patterns_)
    directories.insert(NearestDirectory(DirectoryOf(pattern)));
  for (const std::string& place : places_)
    directories.insert(NearestDirectory(DirectoryOf(place)));
  return {directories.begin(), directories.end()};
}

}  // namespace agent
