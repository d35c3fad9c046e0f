#include "pipeline/grok/patterns.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/config/spelling.h"
#include "pipeline/grok/builtin.h"

namespace agent {
namespace {

constexpr std::size_t kMaxFileBytes = 4 << 20;
constexpr std::string_view kBlanks = " \t";

struct CloseFile {
  void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
};

Result<std::string> ReadPatternFile(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return ErrnoError(errno, path);
  std::string text(kMaxFileBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return ErrnoError(errno, path);
  if (text.size() > kMaxFileBytes) {
    return Error{ErrorCode::kInvalid, path + ": larger than 4 MiB: not a file of patterns"};
  }
  return text;
}

const BuiltinPattern* FindIn(std::span<const BuiltinPattern> patterns, std::string_view name) {
  const auto at = std::ranges::lower_bound(patterns, name, {}, &BuiltinPattern::name);
  return at != patterns.end() && at->name == name ? &*at : nullptr;
}

const BuiltinPattern* FindBuiltin(std::string_view name) {
  const BuiltinPattern* const basic = FindIn(BasicPatterns(), name);
  return basic != nullptr ? basic : FindIn(FormatPatterns(), name);
}

}  // namespace

bool IsGrokPatternName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool GrokPatterns::Add(std::string_view name, std::string_view text) {
  return own_.try_emplace(std::string(name), Definition{std::string(text), {}}).second;
}

Status GrokPatterns::AddFile(const std::string& path) {
  Result<std::string> read = ReadPatternFile(path);
  if (!read.ok()) return std::move(read).error();
  std::string_view rest = *read;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    Status added = AddLine(rest.substr(0, end), path + ":" + std::to_string(number));
    if (!added.ok()) return added;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

Status GrokPatterns::AddLine(std::string_view line, const std::string& origin) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos || line[begin] == '#') return {};
  line.remove_prefix(begin);
  const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
  const std::string name(line.substr(0, end));
  const std::size_t text = line.find_first_not_of(kBlanks, end);
  if (!IsGrokPatternName(name) || text == std::string_view::npos) {
    return Error{ErrorCode::kInvalid,
                 origin + ": expected the name of a pattern and its expression"};
  }
  const auto [at, added] =
      from_files_.try_emplace(name, Definition{std::string(line.substr(text)), origin});
  if (added) return {};
  return Error{ErrorCode::kInvalid,
               origin + ": pattern '" + name + "' is defined before, at " + at->second.origin};
}

std::optional<GrokPattern> GrokPatterns::Find(std::string_view name) const {
  for (const Definitions* definitions : {&own_, &from_files_}) {
    const auto at = definitions->find(std::string(name));
    if (at != definitions->end()) return GrokPattern{at->first, at->second.text, {}, false};
  }
  const BuiltinPattern* const builtin = FindBuiltin(name);
  if (builtin == nullptr) return std::nullopt;
  return GrokPattern{builtin->name, builtin->text, builtin->not_after, true};
}

std::string_view GrokPatterns::OriginOf(std::string_view name) const {
  const std::string key(name);
  if (own_.contains(key)) return {};
  const auto at = from_files_.find(key);
  if (at == from_files_.end()) return {};
  return at->second.origin;
}

std::string GrokPatterns::Nearest(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& [known, definition] : own_)
    names.push_back(known);
  for (const auto& [known, definition] : from_files_)
    names.push_back(known);
  for (const BuiltinPattern& pattern : BasicPatterns())
    names.emplace_back(pattern.name);
  for (const BuiltinPattern& pattern : FormatPatterns())
    names.emplace_back(pattern.name);
  std::ranges::sort(names);  // The same answer in every run.
  return NearestSpelling(name, names);
}

}  // namespace agent
