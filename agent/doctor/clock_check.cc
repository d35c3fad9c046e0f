#include "agent/doctor/clock_check.h"

#include <sys/timex.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include "agent/doctor/access.h"
#include "agent/doctor/subject.h"

namespace agent::doctor {
namespace {

// A Date header has whole seconds, and has been on its way.
constexpr int64_t kUsualSkewSeconds = 5;
// What Loki takes of entries from the future (creation_grace_period), by default.
constexpr int64_t kMaxFutureSeconds = 600;

std::string Offset(long seconds) {
  const long minutes = std::labs(seconds) / 60;
  std::string text = seconds < 0 ? "-" : "+";
  text += (minutes / 60 < 10 ? "0" : "") + std::to_string(minutes / 60) + ":";
  return text + (minutes % 60 < 10 ? "0" : "") + std::to_string(minutes % 60);
}

// Whether a layout of Go's, or a name for one, says which zone its times are of.
bool NamesZone(std::string_view format) {
  for (const char* const part :
       {"MST", "-07", "Z07", "RFC", "Unix", "UnixDate", "RubyDate", "+07"}) {
    if (format.find(part) != std::string_view::npos) return true;
  }
  // A literal Z in the text stands for UTC.
  return format.ends_with("Z") || format.find("Z'") != std::string_view::npos;
}

struct ZonelessStage {
  std::string job;
  std::string format;
};

// Looks at `timestamp` stages at any depth.
void FindZoneless(const ConfigNode& node, const std::string& job,
                  std::vector<ZonelessStage>& found) {
  for (const ConfigNode& item : node.items())
    FindZoneless(item, job, found);
  for (const auto& [key, value] : node.pairs()) {
    if (key.text() == "timestamp" && value.is_map()) {
      const ConfigNode* const format = value.Find("format");
      const ConfigNode* const location = value.Find("location");
      const bool located = location != nullptr && !location->text().empty();
      if (format != nullptr && !located && !NamesZone(format->text()))
        found.push_back({job, format->text()});
    } else {
      FindZoneless(value, job, found);
    }
  }
}

// "Europe/Berlin" of /etc/localtime; "" where it is not known.
std::string ZoneName(const System& system) {
  if (const char* const zone = std::getenv("TZ"); zone != nullptr)  // NOLINT(concurrency-mt-unsafe)
    return zone[0] == ':' ? zone + 1 : zone;
  char target[256] = {};  // NOLINT(modernize-avoid-c-arrays): readlink's.
  const ssize_t size =
      ::readlink(system.Path("/etc/localtime").c_str(), target, sizeof(target) - 1);
  const std::string_view text(target, static_cast<std::size_t>(size > 0 ? size : 0));
  const std::size_t at = text.find("zoneinfo/");
  return at == std::string_view::npos ? "" : std::string(text.substr(at + 9));
}

void CheckZone(const Subject& subject, const Group& group) {
  const std::time_t now = ::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  const std::string zone = ZoneName(subject.system);
  const std::string here =
      (zone.empty() ? std::string("this machine") : zone) + " (" + Offset(local.tm_gmtoff) + ")";
  const bool named = !zone.empty() && zone.find('/') != std::string::npos;
  if (named && zone[0] != '/' &&
      WhyRefused(subject.system.Path("/usr/share/zoneinfo/" + zone), Want::kRead)) {
    group.Warning("clock.zone",
                  "time zone " + zone + " is not installed: local time is taken for UTC",
                  {"`location` of a timestamp stage needs it as well", "apt-get install tzdata"});
  }
  std::vector<ZonelessStage> zoneless;
  for (const ScrapeConfig& job : subject.config.scrape_configs) {
    if (job.pipeline_stages != nullptr) FindZoneless(*job.pipeline_stages, job.job_name, zoneless);
  }
  if (zoneless.empty()) return;
  const ZonelessStage& first = zoneless.front();
  const std::string text =
      "job " + first.job + ": times like '" + first.format + "' name no zone and are read as UTC";
  if (local.tm_gmtoff == 0) {
    group.Note("clock.zoneless", text + ", which is the zone of this machine");
    return;
  }
  group.Warning(
      "clock.zoneless", text + "; the zone of this machine is " + here,
      {"programs that write local time have entries that are " + Offset(local.tm_gmtoff) + " off",
       "location: " + (zone.empty() ? std::string("Europe/Berlin") : zone) +
           "   # in the timestamp stage, if the times are local"});
}

}  // namespace

std::optional<int64_t> ParseHttpDate(const std::string& text) {
  std::tm time{};
  const char* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time);
  if (end == nullptr) return std::nullopt;
  return ::timegm(&time);
}

void ReportSkew(const std::string& receiver, int64_t our_s, int64_t their_s, const Group& group) {
  const int64_t ahead = our_s - their_s;
  if (std::abs(ahead) <= kUsualSkewSeconds) {
    group.Ok("clock.skew", "the clocks here and of " + receiver + " agree");
    return;
  }
  const std::string text = "this machine's clock is " +
                           Count(static_cast<uint64_t>(std::abs(ahead)), "second") +
                           (ahead > 0 ? " ahead of" : " behind") + " that of " + receiver;
  const Advice advice{
      ahead > kMaxFutureSeconds
          ? "entries from the future are refused by Loki (creation_grace_period, 10m)"
          : "entries of this machine stand in the wrong place among others",
      "timedatectl set-ntp true   # or chronyc makestep; on the machine whose clock is wrong"};
  if (ahead > kMaxFutureSeconds) {
    group.Failure("clock.skew", text, advice);
  } else {
    group.Warning("clock.skew", text, advice);
  }
}

void CheckClock(const Subject& subject, Findings& findings) {
  const Group group(findings, "Clock");
  timex state{};  // Only asked: nothing is set.
  const int status = ::adjtimex(&state);
  if (::time(nullptr) < 1'700'000'000) {
    group.Failure("clock.time", "the clock of this machine says a time before 2023",
                  {"entries without a time of their own get it, and are refused as too old",
                   "timedatectl set-ntp true"});
  } else if (status < 0) {
    group.Note("clock.sync", "whether the clock is synchronised cannot be seen from here");
  } else if (status == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
    group.Note("clock.sync", "the kernel does not know of the clock being synchronised",
               {"a clock that drifts puts entries in the wrong place",
                "timedatectl set-ntp true   # unless the host of this virtual machine does it"});
  } else {
    group.Ok("clock.sync", "the clock is synchronised");
  }
  CheckZone(subject, group);
}

}  // namespace agent::doctor
