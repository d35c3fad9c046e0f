#include "pipeline/time/location.h"

#include <absl/time/time.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "base/config/spelling.h"

namespace agent {
namespace {

constexpr int64_t kForever = std::numeric_limits<int64_t>::max();
constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

// Zones live in folders named for continents; what else lies beside them ("posix", "right") does
// not count.
std::vector<std::string> KnownZoneNames() {
  namespace fs = std::filesystem;
  std::vector<std::string> names = {"UTC", "Local"};
  std::error_code ignored;
  const fs::path root = "/usr/share/zoneinfo";
  fs::recursive_directory_iterator walk(root, ignored);
  for (; walk != fs::recursive_directory_iterator(); walk.increment(ignored)) {
    const std::string name = fs::relative(walk->path(), root, ignored).string();
    const bool is_zone = !name.empty() && std::isupper(static_cast<unsigned char>(name[0])) != 0;
    if (walk->is_directory(ignored)) {
      if (!is_zone) walk.disable_recursion_pending();
    } else if (is_zone) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The library also takes paths and names of its own making, which are no zones.
bool IsPlainZoneName(std::string_view name) {
  return name.find("..") == std::string_view::npos && name.front() != '/' &&
         name.find_first_of("\\:") == std::string_view::npos && !name.starts_with("Fixed/");
}

int64_t Instant(const absl::TimeZone& zone, const absl::CivilSecond& local) {
  return absl::ToUnixSeconds(zone.At(local).trans);
}

}  // namespace

struct Location::Zone {
  absl::TimeZone zone;
};

Location::Location(std::unique_ptr<Zone> zone) : zone_(std::move(zone)) {
  if (is_utc()) period_ = {kNever, kForever, 0, "UTC"};
}

Location::~Location() = default;

std::unique_ptr<Location> Location::Utc() {
  return std::unique_ptr<Location>(new Location(nullptr));
}

std::unique_ptr<Location> Location::Local() {
  auto zone = std::make_unique<Zone>();
  zone->zone = absl::LocalTimeZone();
  if (zone->zone == absl::UTCTimeZone()) return Utc();
  return std::unique_ptr<Location>(new Location(std::move(zone)));
}

Result<std::unique_ptr<Location>> Location::Load(std::string_view name) {
  if (name.empty() || name == "UTC") return Utc();
  if (name == "Local") return Local();
  auto zone = std::make_unique<Zone>();
  if (!IsPlainZoneName(name) ||
      !absl::LoadTimeZone(absl::string_view(name.data(), name.size()), &zone->zone)) {
    std::string message = "unknown time zone '" + std::string(name) + "'";
    const std::string nearest = NearestSpelling(name, KnownZoneNames());
    if (!nearest.empty()) message += "; did you mean '" + nearest + "'?";
    return Error{ErrorCode::kInvalid, std::move(message)};
  }
  return std::unique_ptr<Location>(new Location(std::move(zone)));
}

Location::Period Location::Find(int64_t unix_seconds) const {
  const absl::Time time = absl::FromUnixSeconds(unix_seconds);
  const absl::TimeZone::CivilInfo info = zone_->zone.At(time);
  Period period{kNever, kForever, info.offset, info.zone_abbr};
  absl::TimeZone::CivilTransition transition;
  if (zone_->zone.NextTransition(time, &transition)) {
    period.end = Instant(zone_->zone, transition.to);
  }
  // The previous one before the next second: a period includes its begin.
  if (zone_->zone.PrevTransition(time + absl::Seconds(1), &transition)) {
    period.begin = Instant(zone_->zone, transition.to);
  }
  return period;
}

const Location::Period& Location::At(int64_t unix_seconds) {
  if (unix_seconds < period_.begin || unix_seconds >= period_.end) period_ = Find(unix_seconds);
  return period_;
}

int64_t Location::FromLocal(int64_t local_seconds) {
  if (is_utc()) return local_seconds;
  // The offset at the instant that has these digits in UTC is right unless a transition is near;
  // then the one at the instant found with it is taken.
  const Period& guess = At(local_seconds);
  const int64_t instant = local_seconds - guess.offset_seconds;
  if (instant >= guess.begin && instant < guess.end) return instant;
  return local_seconds - Find(instant).offset_seconds;
}

std::optional<int32_t> Location::OffsetOf(std::string_view abbreviation, int64_t local_seconds) {
  if (is_utc()) return abbreviation == "UTC" ? std::optional<int32_t>(0) : std::nullopt;
  if (abbreviations_.empty()) ListAbbreviations();
  // One abbreviation may have had several offsets: the one that was in force counts, else one under
  // which the zone at least had that name, else any.
  std::optional<int32_t> same_name;
  std::optional<int32_t> any;
  for (const Abbreviation& known : abbreviations_) {
    if (known.name != abbreviation) continue;
    const Period& period = At(local_seconds - known.offset_seconds);
    if (period.abbreviation == abbreviation) {
      if (period.offset_seconds == known.offset_seconds) return known.offset_seconds;
      if (!same_name) same_name = known.offset_seconds;
    }
    if (!any) any = known.offset_seconds;
  }
  return same_name ? same_name : any;
}

void Location::ListAbbreviations() {
  // Rules go on for ever; all their names have been seen long before the year 2100.
  constexpr int64_t kLast = 4'102'444'800;
  int64_t instant = -(int64_t{1} << 40);
  while (instant < kLast) {
    const Period period = Find(instant);
    const auto same = [&](const Abbreviation& known) {
      return known.name == period.abbreviation && known.offset_seconds == period.offset_seconds;
    };
    if (std::none_of(abbreviations_.begin(), abbreviations_.end(), same)) {
      abbreviations_.push_back({period.abbreviation, period.offset_seconds});
    }
    instant = period.end;
  }
}

}  // namespace agent
