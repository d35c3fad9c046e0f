// The files of `file_sd_configs`: which there are, what stands in them, and what stood there when
// they were last in order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/labels.h"
#include "base/result.h"

namespace agent {

// Why a pattern of `files` will not do: wildcards stand in the part after the last slash alone, and
// the name ends in .json, .yml or .yaml. Empty when it is in order.
std::string WhatIsWrongWithFilePattern(std::string_view pattern);

// The path is one that a pattern means.
bool MatchesFilePattern(std::string_view pattern, std::string_view path);

// Blocking; used by one thread at a time.
class TargetFiles {
 public:
  struct Problem {
    std::string path;  // The file's or directory's.
    std::string message;
  };
  static constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;

  // Patterns that pass WhatIsWrongWithFilePattern.
  explicit TargetFiles(std::vector<std::string> patterns);

  // Looks at all files. True when the targets are others than before, and the first time. A file
  // that cannot be read, or whose content is wrong, keeps what it said before; one that is gone
  // does not.
  bool Read();

  // The rest is about what the last Read() saw.

  // The labels of every target, `__address__` and `__meta_filepath` among them; by file, in order.
  void ForEachTarget(const std::function<void(const Labels&)>& visit) const;
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }
  // What is odd, but no problem.
  [[nodiscard]] const std::vector<Problem>& remarks() const { return remarks_; }
  // Those to watch; they exist. Where a file is a link, also those on its way.
  [[nodiscard]] std::vector<std::string> Directories() const;
  // Where the files really are.
  [[nodiscard]] const std::set<std::string>& places() const { return places_; }
  [[nodiscard]] std::size_t files() const { return files_.size(); }

 private:
  struct File {
    uint64_t text_hash = 0;
    bool read = false;  // `targets` are what the text of that hash says.
    std::string problem;
    bool without_targets = false;  // A group has none.
    std::vector<Labels> targets;
  };

  void List(const std::string& pattern, std::set<std::string>& found);
  void KeepFilesOf(const std::string& pattern, std::set<std::string>& found) const;
  // True when its targets have changed.
  bool ReadFile(const std::string& path, File& file);
  bool TakeText(const std::string& path, const std::string& text, File& file);

  const std::vector<std::string> patterns_;
  bool first_ = true;
  std::map<std::string, File> files_;
  std::vector<Problem> problems_;
  std::vector<Problem> remarks_;
  std::set<std::string> places_;
};

}  // namespace agent
