#include "outputs/file/path_namer.h"

#include <algorithm>
#include <string_view>

#include "base/clock.h"

namespace agent::file {
namespace {

constexpr std::size_t kMaxValueBytes = 128;
// Of 255 that a file system allows: the rest is for the time in the name of a rotated file.
constexpr std::size_t kMaxNameBytes = 220;
// Of PATH_MAX.
constexpr std::size_t kMaxPathBytes = 3800;

bool IsDots(std::string_view name) {
  return name == "." || name == "..";
}

}  // namespace

void MakeNamePart(std::string& text, std::size_t begin) {
  if (text.size() - begin > kMaxValueBytes) text.resize(begin + kMaxValueBytes);
  const auto from = text.begin() + static_cast<std::ptrdiff_t>(begin);
  std::replace_if(
      from, text.end(),
      [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '_');
  // Neither hidden nor a way up.
  const std::size_t first = std::min(text.find_first_not_of('.', begin), text.size());
  std::fill(from, text.begin() + static_cast<std::ptrdiff_t>(first), '_');
  if (text.size() == begin) text += '_';
}

void RepairPath(std::string& path) {
  std::string repaired;
  std::string_view rest = path;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    if (IsDots(name)) {
      repaired.append(name.size(), '_');
    } else {
      repaired += name.substr(0, kMaxNameBytes);
    }
    if (slash == std::string_view::npos) break;
    repaired += '/';
    rest.remove_prefix(slash + 1);
  }
  if (repaired.size() > kMaxPathBytes) repaired.resize(kMaxPathBytes);
  path = std::move(repaired);
}

PathNamer::PathNamer(const EventPattern& pattern)
    : pattern_(pattern), has_values_(!pattern.references().empty()) {
  pattern_.SetOtherwise("_");
}

bool PathNamer::Name(const Entry& entry, const LabelSets& sets) {
  if (!has_values_) {
    const int64_t second = entry.timestamp_ns / kNanosPerSecond;
    if (named_ && second == second_) return false;
    second_ = second;
  }
  next_.clear();
  pattern_.Append(next_, entry, sets.Get(entry.labels), MakeNamePart);
  RepairPath(next_);
  if (named_ && next_ == path_) return false;
  named_ = true;
  path_.swap(next_);
  return true;
}

}  // namespace agent::file
