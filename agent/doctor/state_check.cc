// Folders of the agent's own: whether it can keep there what it must not forget.

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/doctor/folder_probe.h"
#include "agent/doctor/subject.h"
#include "agent/runtime/output_buffer.h"
#include "agent/tail/glob.h"
#include "outputs/buffer/buffer_folder.h"

namespace agent::doctor {
namespace {

constexpr std::chrono::milliseconds kSlowSync{500};
constexpr uint64_t kDefaultReserve = uint64_t{1} << 30U;

// What is to be kept where.
struct Place {
  std::string what;  // "positions", "buffer of search".
  std::string check;
  std::string folder;
  bool must_last = true;  // Its loss repeats or loses lines.
  bool required = false;  // Without it there is no state at all.
  uint64_t wants_bytes = 0;
  uint64_t reserve_bytes = 0;  // To be left free; 0: what the agent leaves by itself.
};

// A folder of the whole machine's.
bool IsShared(const std::string& folder) {
  constexpr std::array<std::string_view, 9> kShared = {
      "/", "/var", "/var/log", "/var/lib", "/etc", "/run", "/tmp", "/opt", "/home"};
  return std::find(kShared.begin(), kShared.end(), folder) != kShared.end();
}

// Of places that fail for one reason, the first; `others` are the rest.
void SayRefused(const Subject& subject, const Place& place, const FolderProbe& probe,
                const std::string& others, const Group& group) {
  const Refusal& refusal = *probe.refusal;
  std::string text = place.what + others + ": ";
  if (!probe.exists) text += place.folder + " cannot be made: ";
  text += refusal.Text(probe.folder);
  const std::string why =
      place.required ? "after a restart all files are read again" : "nothing can be kept there";
  std::string fix = AccessFix(refusal, Want::kReplace, subject.system);
  if (!probe.exists && refusal.error == EACCES) {
    fix = "install -d -m 0750 -o " + Quoted(subject.system.user) + " " + Quoted(place.folder);
  } else if (refusal.error == EACCES && IsShared(probe.folder)) {
    // Nobody should be given that as a whole.
    const std::string user = Quoted(subject.system.user);
    fix = "install -d -m 0750 -o " + user +
          " /var/lib/log-agent   # and positions: { filename: /var/lib/log-agent/positions.yaml }";
  } else if (refusal.error == ENOTDIR) {
    fix = "give it another place, or move " + Quoted(probe.folder) + " out of the way";
  }
  group.Failure(place.check, text, {why, fix});
}

// What is lost with the file system; of places on one file system, all at once. `names`: theirs.
void SayLasting(const Subject& subject, const Place& place, const FolderProbe& probe,
                const std::string& names, const Group& group) {
  const std::string where = names + ": on ";
  if (probe.file_system == "tmpfs" || probe.file_system == "ramfs") {
    group.Warning(place.check + ".lasting", where + probe.file_system + ", in memory",
                  {"a reboot forgets it: lines are sent again, and what waits in a buffer is lost",
                   "put it on a disk, say below /var/lib/log-agent"});
  } else if (probe.file_system == "overlay" && subject.system.container) {
    group.Warning(
        place.check + ".lasting", where + "the container's own layer",
        {"a new container begins anew: lines are sent again, what waits in a buffer is lost",
         "docker run -v log-agent:" + Quoted(place.folder) +
             " …   # a hostPath volume of the pod"});
  } else if (!probe.file_system.empty() && probe.file_system != "overlay") {
    group.Warning(
        place.check + ".lasting", where + probe.file_system + ", a network file system",
        {"locks and fsync may not mean there what they should", "put it on a local disk"});
  }
}

void CheckLasting(const Subject& subject, const std::vector<Place>& places,
                  const std::vector<FolderProbe>& probes, const Group& group) {
  std::set<uint64_t> said;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!places[i].must_last || probes[i].refusal || !said.insert(probes[i].device).second)
      continue;
    std::string names = places[i].what;
    for (std::size_t other = i + 1; other < places.size(); ++other) {
      const bool there = places[other].must_last && probes[other].device == probes[i].device;
      if (there && !probes[other].refusal) AddWord(names, places[other].what);
    }
    SayLasting(subject, places[i], probes[i], names, group);
  }
}

void CheckSpace(const Place& place, const FolderProbe& probe, const Group& group) {
  if (probe.total_inodes > 0 && probe.free_inodes < 100) {
    group.Failure(place.check + ".inodes",
                  place.what + ": " + probe.folder + " has " + std::to_string(probe.free_inodes) +
                      " inodes left",
                  {"no file can be made there", "df -i " + Quoted(probe.folder)});
  }
  if (place.wants_bytes == 0) return;
  const uint64_t reserve = place.reserve_bytes > 0
                               ? place.reserve_bytes
                               : std::max(probe.total_bytes / 20, kDefaultReserve);
  if (probe.free_bytes >= place.wants_bytes + reserve) return;
  const uint64_t usable = probe.free_bytes - std::min(probe.free_bytes, reserve);
  group.Warning(place.check + ".space",
                place.what + " may grow to " + Bytes(place.wants_bytes) + ", but " + probe.folder +
                    " has " + Bytes(probe.free_bytes) + " free, of which " + Bytes(reserve) +
                    " are left alone",
                {"it is full after " + Bytes(usable) + " of an outage",
                 "buffer: { max_size: " + std::to_string(usable >> 20U) +
                     "MiB }, or make room: du -xh " + Quoted(probe.folder) + " | sort -h | tail"});
}

void CheckPlace(const Place& place, const FolderProbe& probe, const Group& group) {
  if (probe.write_error != 0) {
    const bool full = probe.write_error == ENOSPC || probe.write_error == EDQUOT;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's is safe for known numbers.
    const std::string reason = std::strerror(probe.write_error);
    group.Failure(
        place.check, place.what + ": " + probe.folder + " takes no bytes: " + reason,
        {place.required ? "after a restart lines are sent again" : "nothing can be kept there",
         full ? "df -h " + Quoted(probe.folder) + "; du -xh " + Quoted(probe.folder) +
                    " | sort -h | tail"
              : "dmesg | tail; findmnt -T " + Quoted(probe.folder)});
    return;
  }
  if (probe.sync_time > kSlowSync) {
    group.Warning(
        place.check + ".slow",
        place.what + ": " + probe.folder + " takes " + std::to_string(probe.sync_time.count()) +
            " ms to write 4 KiB to the disk",
        {"a power loss repeats what was sent meanwhile; buffers are slow", "iostat -x 1"});
  }
  CheckSpace(place, probe, group);
  group.Ok(place.check, place.what + ": " + place.folder +
                            (probe.exists ? " can be written, " : " can be made, ") +
                            Bytes(probe.free_bytes) + " free");
}

std::string FolderOf(const std::string& path) {
  return std::string(DirName(AbsolutePath(path)));
}

// A pattern's folder, as far as it is the same for all entries.
std::string FixedFolderOf(const std::string& pattern) {
  const std::size_t variable = pattern.find("%{");
  return FolderOf(variable == std::string::npos ? pattern : pattern.substr(0, variable) + "x");
}

std::optional<Place> BufferPlaceOf(const Config& config, const std::string& name,
                                   const BufferConfig& buffer) {
  const std::size_t outputs = config.clients.size() + config.outputs.size();
  const bool wanted =
      buffer.type == BufferType::kDisk ||
      (buffer.type == BufferType::kDefault && outputs > 1 && !config.positions.filename.empty());
  if (!wanted) return std::nullopt;
  Place place;
  place.what = "buffer of " + name;
  place.check = "state.buffer";
  place.folder = AbsolutePath(buffer.path.empty() ? BuffersFolder(config.positions.filename) + "/" +
                                                        FileNameOf(name)
                                                  : buffer.path);
  place.wants_bytes = buffer.max_size_bytes;
  place.reserve_bytes = buffer.min_free_bytes.value_or(0);
  return place;
}

std::vector<Place> PlacesOf(const Config& config) {
  std::vector<Place> places;
  if (!config.positions.filename.empty()) {
    Place positions{"positions", "state.positions", FolderOf(config.positions.filename)};
    positions.required = true;
    places.push_back(positions);
  }
  for (const ClientConfig& client : config.clients) {
    if (auto place = BufferPlaceOf(config, client.name, client.buffer)) places.push_back(*place);
  }
  for (const OutputConfig& output : config.outputs) {
    if (auto place = BufferPlaceOf(config, output.name, output.buffer)) places.push_back(*place);
    if (output.file && !output.file->path.empty()) {
      Place files{"files of " + output.name, "state.file", FixedFolderOf(output.file->path)};
      files.must_last = false;
      places.push_back(files);
    }
  }
  if (!config.dead_letter.path.empty() && config.dead_letter.max_size_bytes > 0) {
    places.push_back({"dead letter", "state.dead_letter", AbsolutePath(config.dead_letter.path)});
  }
  return places;
}

void CheckPlaces(const Subject& subject, const std::vector<Place>& places, const Group& group) {
  std::vector<FolderProbe> probes;
  probes.reserve(places.size());
  for (const Place& place : places)
    probes.push_back(ProbeFolder(place.folder));
  std::vector<std::string> refused;  // Folders that have been spoken of.
  for (std::size_t i = 0; i < places.size(); ++i) {
    const FolderProbe& probe = probes[i];
    if (!probe.refusal) {
      CheckPlace(places[i], probe, group);
      continue;
    }
    if (std::find(refused.begin(), refused.end(), probe.folder) != refused.end()) continue;
    refused.push_back(probe.folder);
    std::string others;
    for (std::size_t other = i + 1; other < places.size(); ++other) {
      if (probes[other].refusal && probes[other].folder == probe.folder)
        others.append(", ").append(places[other].what);
    }
    SayRefused(subject, places[i], probe, others, group);
  }
  CheckLasting(subject, places, probes, group);
}

// Each buffer may fit where it is alone, and not all of them together.
void CheckTogether(const std::vector<Place>& places, const Group& group) {
  struct Disk {
    uint64_t wants = 0;
    uint64_t largest = 0;
    std::size_t buffers = 0;
    FolderProbe probe;
  };
  std::map<uint64_t, Disk> disks;
  for (const Place& place : places) {
    if (place.wants_bytes == 0) continue;
    FolderProbe probe = ProbeFolder(place.folder);
    Disk& disk = disks[probe.device];
    disk.wants += place.wants_bytes;
    disk.largest = std::max(disk.largest, place.wants_bytes);
    ++disk.buffers;
    disk.probe = std::move(probe);
  }
  for (const auto& [device, disk] : disks) {
    if (disk.buffers < 2 || disk.wants <= disk.probe.free_bytes) continue;
    if (disk.largest > disk.probe.free_bytes) continue;  // Said already.
    group.Warning("state.buffer.space",
                  Count(disk.buffers, "buffer") + " may grow to " + Bytes(disk.wants) +
                      " together, but " + disk.probe.folder + " has " +
                      Bytes(disk.probe.free_bytes) + " free",
                  {"they take it from one another when several receivers are away",
                   "buffer: { max_size: … } of each so that the sum fits"});
  }
}

void CheckPositionsFile(const Subject& subject, const Group& group) {
  const std::string& path = subject.config.positions.filename;
  struct stat info {};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return;
  if (const auto refusal = WhyRefused(path, Want::kRead)) {
    group.Failure("state.positions", refusal->Text(path),
                  {"after a restart all files are read again",
                   "chown " + Quoted(subject.system.user) + " " + Quoted(path)});
  }
}

void CheckLock(const Subject& subject, const Group& group) {
  const std::string& positions = subject.config.positions.filename;
  if (positions.empty()) return;
  const std::string lock = AbsolutePath(positions) + ".lock";
  const std::optional<int64_t> holder = LockHolder(lock, subject.system.Path("/proc/locks"));
  if (!holder) return;
  std::string pid = *holder > 0 ? std::to_string(*holder) : "";
  std::ifstream file(lock);
  if (pid.empty()) file >> pid;
  group.Note("state.lock",
             "an agent" + (pid.empty() ? "" : " (pid " + pid + ")") + " runs with " + positions +
                 ": a second one does not start with it",
             {"", pid.empty() ? "systemctl stop log-agent, before another is started"
                              : "kill " + pid + "   # before another is started"});
}

}  // namespace

void CheckState(const Subject& subject, Findings& findings) {
  const Group group(findings, "State");
  const std::vector<Place> places = PlacesOf(subject.config);
  CheckPlaces(subject, places, group);
  CheckTogether(places, group);
  CheckPositionsFile(subject, group);
  CheckLock(subject, group);
}

}  // namespace agent::doctor
