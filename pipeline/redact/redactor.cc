#include "pipeline/redact/redactor.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "pipeline/arena.h"

namespace agent::redact {
namespace {

// A text that is made for it could bring new values to light again and again.
constexpr int kMaxRounds = 8;

void ReplaceAll(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

Replacement Replacement::Parse(std::string_view text, const Detector& detector) {
  std::string named(text);
  std::string upper(detector.name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  ReplaceAll(named, "{detector}", detector.name);
  ReplaceAll(named, "{DETECTOR}", upper);
  constexpr std::string_view kHash = "{hash}";
  Replacement replacement;
  std::size_t begin = 0;
  for (std::size_t at = named.find(kHash); at != std::string::npos; at = named.find(kHash, begin)) {
    replacement.parts.back() = named.substr(begin, at - begin);
    replacement.parts.emplace_back();
    begin = at + kHash.size();
  }
  replacement.parts.back() = named.substr(begin);
  return replacement;
}

Redactor::Redactor(RedactorOptions options)
    : options_(std::move(options)), scanner_(options_.detectors) {
  CHECK(options_.replacements.size() == options_.detectors.size());
  if (!options_.key.empty()) hash_ = std::make_unique<KeyedHash>(options_.key);
}

// Also what has been replaced already, where a detector would take the mask for a value.
bool Redactor::Stays(const Match& match, std::string_view value) const {
  const std::vector<std::string>& parts = options_.replacements[match.detector].parts;
  if (parts.size() == 1 && parts.front() == value) return true;
  const auto& texts = options_.allowed;
  if (std::find(texts.begin(), texts.end(), value) != texts.end()) return true;
  const auto& patterns = options_.allowed_patterns;
  return std::any_of(patterns.begin(), patterns.end(),
                     [value](const auto& pattern) { return pattern->Matches(value); });
}

std::span<const Match> Redactor::Find(std::string_view text) {
  candidates_.clear();
  scanner_.Scan(text, candidates_);
  matches_.clear();
  for (const Candidate& candidate : candidates_) {
    const auto found = options_.detectors[candidate.detector]->find(text, candidate.at);
    if (found) matches_.push_back({found->begin, found->end, candidate.detector});
  }
  if (matches_.empty()) return matches_;
  Resolve();
  std::erase_if(matches_, [&](const Match& match) {
    return Stays(match, text.substr(match.begin, match.end - match.begin));
  });
  return matches_;
}

// Also takes out what several triggers have led to.
void Redactor::Resolve() {
  const auto order = [](const Match& a, const Match& b) {
    return std::tuple(a.begin, b.end, a.detector) < std::tuple(b.begin, a.end, b.detector);
  };
  std::sort(matches_.begin(), matches_.end(), order);
  std::size_t kept = 1;
  for (std::size_t i = 1; i < matches_.size(); ++i) {
    if (matches_[i].begin >= matches_[kept - 1].end) matches_[kept++] = matches_[i];
  }
  matches_.resize(kept);
}

bool Redactor::Redact(std::string_view text, std::string& out) {
  replaced_.clear();
  if (Find(text).empty()) return false;
  out.clear();
  Replace(text, out);
  for (int round = 1; round < kMaxRounds; ++round) {
    const std::size_t size = out.size();
    out.append(kTextPadding, '\0');
    before_.swap(out);
    const std::string_view view = std::string_view(before_).substr(0, size);
    const bool more = !Find(view).empty();
    if (!more) {
      before_.resize(size);
      before_.swap(out);
      return true;
    }
    out.clear();
    Replace(view, out);
  }
  return true;
}

void Redactor::Replace(std::string_view text, std::string& out) {
  std::size_t written = 0;
  for (const Match& match : matches_) {
    replaced_.push_back(match.detector);
    out += text.substr(written, match.begin - written);
    written = match.end;
    const std::vector<std::string>& parts = options_.replacements[match.detector].parts;
    out += parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i) {
      normalized_.clear();
      options_.detectors[match.detector]->normalize(
          text.substr(match.begin, match.end - match.begin), normalized_);
      hash_->AppendHex(normalized_, out);
      out += parts[i];
    }
  }
  out += text.substr(written);
}

const Detector* FirstUnstable(RedactorOptions& options) {
  Redactor redactor(std::move(options));
  const auto redact = [&redactor](std::string text) {
    const std::size_t size = text.size();
    text.append(kTextPadding, ' ');
    std::string out;
    if (!redactor.Redact(std::string_view(text).substr(0, size), out)) out = text.substr(0, size);
    return out;
  };
  const Detector* unstable = nullptr;
  for (const Detector* const detector : redactor.options().detectors) {
    const std::string once = redact(std::string(detector->example));
    if (unstable == nullptr && redact(once) != once) unstable = detector;
  }
  options = std::move(redactor).Release();
  return unstable;
}

}  // namespace agent::redact
