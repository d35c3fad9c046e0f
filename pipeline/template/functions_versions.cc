// Semantic versions and the constraints that they may satisfy.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "pipeline/template/functions.h"

namespace agent {
namespace {

bool IsIdentifierChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

// Dot-separated identifiers, none of them empty.
bool IsIdentifierList(std::string_view text) {
  bool empty = true;
  for (const char c : text) {
    if (c == '.' ? empty : !IsIdentifierChar(c)) return false;
    empty = c == '.';
  }
  return !empty;
}

std::string_view TakePart(std::string_view& text) {
  const std::size_t dot = text.find('.');
  const std::string_view part = text.substr(0, dot);
  text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  return part;
}

// Numbers have no zeros in front.
bool HasLeadingZero(std::string_view part) {
  return part.size() > 1 && part[0] == '0' &&
         part.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<int64_t> NumberOf(std::string_view text) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || text[0] == '-' || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// A version in which parts may be missing, or "x" in constraints.
struct PartialVersion {
  DatumVersion version;
  int parts = 0;  // How many of major, minor and patch it gives.
};

enum class Wildcards : uint8_t { kNo, kYes };

bool IsWildcard(std::string_view part) {
  return part == "x" || part == "X" || part == "*";
}

std::optional<PartialVersion> ParseVersion(std::string_view text, Wildcards wildcards) {
  PartialVersion result;
  result.version.original = text;
  if (text.starts_with('v')) text.remove_prefix(1);
  const std::size_t plus = text.find('+');
  if (plus != std::string_view::npos) {
    result.version.metadata = text.substr(plus + 1);
    if (!IsIdentifierList(result.version.metadata)) return std::nullopt;
    text = text.substr(0, plus);
  }
  const std::size_t dash = text.find('-');
  if (dash != std::string_view::npos) {
    result.version.prerelease = text.substr(dash + 1);
    if (!IsIdentifierList(result.version.prerelease)) return std::nullopt;
    for (std::string_view rest = result.version.prerelease; !rest.empty();) {
      if (HasLeadingZero(TakePart(rest))) return std::nullopt;
    }
    text = text.substr(0, dash);
  }
  int64_t* const fields[] = {&result.version.major, &result.version.minor, &result.version.patch};
  bool wild = false;
  for (int64_t* const field : fields) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    wild = wild || (wildcards == Wildcards::kYes && IsWildcard(part));
    const auto number = HasLeadingZero(part) ? std::nullopt : NumberOf(part);
    if (!number && !(wildcards == Wildcards::kYes && IsWildcard(part))) return std::nullopt;
    if (!wild) {
      *field = *number;
      ++result.parts;
    }
    if (dot == std::string_view::npos) return result;
    text.remove_prefix(dot + 1);
  }
  return std::nullopt;  // A fourth part.
}

// Each comparison is negative, 0 or positive.
int Order(int64_t a, int64_t b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

// Numbers come before words and compare as numbers; nothing comes before everything.
int ComparePart(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return Order(a.empty() ? 0 : 1, b.empty() ? 0 : 1);
  const auto x = NumberOf(a);
  const auto y = NumberOf(b);
  if (x && y) return Order(*x, *y);
  if (x || y) return x ? -1 : 1;
  return a.compare(b);
}

// A release comes after its prereleases.
int ComparePrerelease(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return Order(a.empty() ? 1 : 0, b.empty() ? 1 : 0);
  int order = 0;
  while (order == 0 && (!a.empty() || !b.empty()))
    order = ComparePart(TakePart(a), TakePart(b));
  return order;
}

int Compare(const DatumVersion& a, const DatumVersion& b) {
  if (a.major != b.major) return Order(a.major, b.major);
  if (a.minor != b.minor) return Order(a.minor, b.minor);
  if (a.patch != b.patch) return Order(a.patch, b.patch);
  return ComparePrerelease(a.prerelease, b.prerelease);
}

struct Constraint {
  std::string_view operation;
  PartialVersion limit;

  [[nodiscard]] bool Holds(const DatumVersion& version) const;

 private:
  [[nodiscard]] bool SameAsFarAsGiven(const DatumVersion& version) const {
    const DatumVersion& given = limit.version;
    return (limit.parts < 1 || version.major == given.major) &&
           (limit.parts < 2 || version.minor == given.minor) &&
           (limit.parts < 3 || version.patch == given.patch);
  }
  [[nodiscard]] bool HoldsTilde(const DatumVersion& version) const;
  [[nodiscard]] bool HoldsCaret(const DatumVersion& version) const;
  [[nodiscard]] bool HoldsNotEqual(const DatumVersion& version) const;
  [[nodiscard]] bool HoldsGreater(const DatumVersion& version) const;
  [[nodiscard]] bool HoldsLessOrEqual(const DatumVersion& version) const;
};

// "~1.2": at least that, and the same minor version as far as it is given.
bool Constraint::HoldsTilde(const DatumVersion& version) const {
  if (Compare(version, limit.version) < 0) return false;
  const DatumVersion& given = limit.version;
  if (given.major == 0 && given.minor == 0 && given.patch == 0 &&
      (limit.parts == 3 || limit.parts == 0)) {
    return true;
  }
  return version.major == given.major && (limit.parts < 2 || version.minor == given.minor);
}

// "^1.2": at least that, without a change of the first number that is not 0.
bool Constraint::HoldsCaret(const DatumVersion& version) const {
  const DatumVersion& given = limit.version;
  if (Compare(version, given) < 0) return false;
  if (given.major > 0 || limit.parts == 1) return version.major == given.major;
  if (version.major > 0) return false;
  if (given.minor > 0 || limit.parts == 2) return version.minor == given.minor;
  return version.minor == 0 && version.patch == given.patch;
}

bool Constraint::HoldsNotEqual(const DatumVersion& version) const {
  const DatumVersion& given = limit.version;
  if (limit.parts == 3) return Compare(version, given) != 0;
  if (!version.prerelease.empty() && given.prerelease.empty()) return false;
  if (!SameAsFarAsGiven(version)) return true;
  if (limit.parts != 2) return false;
  return ComparePrerelease(version.prerelease, given.prerelease) != 0;
}

bool Constraint::HoldsGreater(const DatumVersion& version) const {
  const DatumVersion& given = limit.version;
  if (limit.parts == 3) return Compare(version, given) > 0;
  if (version.major != given.major) return version.major > given.major;
  return limit.parts == 2 && version.minor > given.minor;
}

bool Constraint::HoldsLessOrEqual(const DatumVersion& version) const {
  const DatumVersion& given = limit.version;
  if (limit.parts == 3) return Compare(version, given) <= 0;
  if (version.major != given.major) return version.major < given.major;
  return limit.parts < 2 || version.minor <= given.minor;
}

bool Constraint::Holds(const DatumVersion& version) const {
  const DatumVersion& given = limit.version;
  if (operation == "!=") return HoldsNotEqual(version);
  if (!version.prerelease.empty() && given.prerelease.empty()) return false;
  if (operation.empty() || operation == "=") {
    return limit.parts == 3 ? Compare(version, given) == 0 : HoldsTilde(version);
  }
  if (operation[0] == '~') return HoldsTilde(version);
  if (operation == "^") return HoldsCaret(version);
  if (operation == "<") return Compare(version, given) < 0;
  if (operation == ">") return HoldsGreater(version);
  if (operation == "<=" || operation == "=<") return HoldsLessOrEqual(version);
  return Compare(version, given) >= 0;
}

constexpr std::string_view kOperations[] = {"!=", ">=", "=>", "<=", "=<", "~>",
                                            "=",  ">",  "<",  "~",  "^"};

void SkipSpace(std::string_view& text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  text.remove_prefix(start == std::string_view::npos ? text.size() : start);
}

std::string_view TakeVersionText(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && (IsIdentifierChar(text[end]) || text[end] == '.' ||
                               text[end] == '*' || text[end] == '+')) {
    ++end;
  }
  const std::string_view version = text.substr(0, end);
  text.remove_prefix(end);
  return version;
}

std::optional<Constraint> TakeConstraint(std::string_view& text) {
  Constraint constraint;
  SkipSpace(text);
  for (const std::string_view operation : kOperations) {
    if (!text.starts_with(operation)) continue;
    constraint.operation = operation;
    text.remove_prefix(operation.size());
    break;
  }
  SkipSpace(text);
  const auto limit = ParseVersion(TakeVersionText(text), Wildcards::kYes);
  if (!limit) return std::nullopt;
  constraint.limit = *limit;
  return constraint;
}

// Constraints that must all hold, apart by commas or spaces; "1.2 - 1.4" is a range.
std::optional<std::vector<Constraint>> ParseConstraints(std::string_view text) {
  std::vector<Constraint> all;
  SkipSpace(text);
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    auto constraint = TakeConstraint(text);
    if (!constraint) return std::nullopt;
    SkipSpace(text);
    if (text.starts_with("- ")) {
      text.remove_prefix(1);
      auto upper = TakeConstraint(text);
      if (!upper || !constraint->operation.empty() || !upper->operation.empty()) {
        return std::nullopt;
      }
      constraint->operation = ">=";
      upper->operation = "<=";
      all.push_back(std::move(*upper));
      SkipSpace(text);
    }
    all.push_back(std::move(*constraint));
    if (text.starts_with(',')) {
      text.remove_prefix(1);
      SkipSpace(text);
      if (text.empty()) return std::nullopt;
    }
  }
  return all;
}

bool AllHold(const std::vector<Constraint>& constraints, const DatumVersion& version) {
  for (const Constraint& constraint : constraints) {
    if (!constraint.Holds(version)) return false;
  }
  return true;
}

Datum SemverCompare(Call& call) {
  const auto version = ParseVersion(call.Text(1), Wildcards::kNo);
  bool holds = false;
  for (std::string_view rest = call.Text(0); true;) {
    const std::size_t end = rest.find("||");
    const auto constraints = ParseConstraints(rest.substr(0, end));
    if (!constraints) return call.Fail("improper constraint: " + std::string(call.Text(0)));
    if (!version) return call.Fail("invalid semantic version");
    holds = holds || AllHold(*constraints, version->version);
    if (end == std::string_view::npos) return Datum::Bool(holds);
    rest.remove_prefix(end + 2);
  }
}

Datum Semver(Call& call) {
  auto version = ParseVersion(call.Text(0), Wildcards::kNo);
  if (!version) return call.Fail("invalid semantic version");
  return Datum::Version(call.runtime().pool.Keep(std::move(version->version)));
}

constexpr TemplateFunction kFunctions[] = {
    {"semver", "s", Semver},
    {"semverCompare", "ss", SemverCompare},
};

}  // namespace

std::span<const TemplateFunction> VersionFunctions() {
  return kFunctions;
}

}  // namespace agent
