#include "agent/modes/buffer_tool.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "agent/modes/buffer_entries.h"
#include "base/clock.h"
#include "outputs/buffer/block_format.h"
#include "outputs/buffer/buffer_folder.h"
#include "outputs/buffer/segment_file.h"

namespace agent {
namespace {

constexpr int kOk = 0;
constexpr int kDamaged = 1;
constexpr int kUsage = 2;

constexpr std::string_view kHelp =
    "Usage: agent buffer ls|verify|cat DIR\n"
    "\n"
    "  ls      what is in the disk buffer of an output: segments, batches, entries, age, cursor\n"
    "  verify  reads everything; exits with 1 and says where, when something is damaged\n"
    "  cat     its entries that are not delivered, as NDJSON\n"
    "\n"
    "DIR is the folder of an output, such as buffer/NAME beside the positions file.\n";

void Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

std::string Age(int64_t since_wall_ns) {
  if (since_wall_ns == 0) return "-";
  const int64_t age = SystemClock().WallNanos() - since_wall_ns;
  return std::to_string(std::max<int64_t>(0, age) / kNanosPerSecond) + "s";
}

int List(const std::vector<std::string>& lanes) {
  std::printf("%-24s %-14s %8s %12s %10s %10s %10s %12s\n", "TENANT", "KIND", "SEGMENTS", "BYTES",
              "BATCHES", "ENTRIES", "OLDEST", "CURSOR");
  for (const std::string& lane : lanes) {
    if (!IsInUse(lane)) continue;
    const FolderSummary summary = Summarize(lane, /*check_payloads=*/false);
    const std::string tenant = TenantIn(lane);
    std::printf(
        "%-24s %-14s %8llu %12llu %10llu %10llu %10s %12llu\n",
        tenant.empty() ? "-" : tenant.c_str(), summary.kind.empty() ? "-" : summary.kind.c_str(),
        static_cast<unsigned long long>(summary.segments),
        static_cast<unsigned long long>(summary.bytes),
        static_cast<unsigned long long>(summary.batches),
        static_cast<unsigned long long>(summary.entries), Age(summary.oldest_wall_ns).c_str(),
        static_cast<unsigned long long>(summary.cursor));
  }
  return kOk;
}

int Verify(const std::vector<std::string>& lanes) {
  uint64_t damaged = 0;
  uint64_t batches = 0;
  for (const std::string& lane : lanes) {
    for (const std::string& path : ListSegments(lane)) {
      auto file = SegmentFile::Open(path);
      if (!file) {
        Print(path + ": " + file.error().message + "\n");
        ++damaged;
        continue;
      }
      if (!file->Header()) {
        Print(path + ": the header is damaged\n");
        ++damaged;
      }
      file->Walk(/*check_payloads=*/true, [&](const SegmentFile::Visit& visit) {
        if (visit.header) return void(++batches);
        Print(path + ": " + std::to_string(visit.size) + " bytes are damaged at offset " +
              std::to_string(visit.offset) + "\n");
        ++damaged;
      });
    }
  }
  Print(std::to_string(batches) + " whole batches, " + std::to_string(damaged) +
        " damaged places\n");
  return damaged == 0 ? kOk : kDamaged;
}

int Cat(const std::vector<std::string>& lanes) {
  bool damaged = false;
  BlockCodec codec;
  for (const std::string& lane : lanes) {
    const uint64_t cursor = Summarize(lane, /*check_payloads=*/false).cursor;
    for (const std::string& path : ListSegments(lane)) {
      auto file = SegmentFile::Open(path);
      if (!file) continue;
      const auto header = file->Header();
      const BatchPrinter print = PrinterOf(header ? header->kind : "");
      file->Walk(/*check_payloads=*/false, [&](const SegmentFile::Visit& visit) {
        if (visit.header && visit.header->id <= cursor) return;
        auto batch = visit.header
                         ? codec.Decode(*visit.header, file->Payload(visit.offset, *visit.header))
                         : Result<StoredBatch>(Error{ErrorCode::kInvalid, ""});
        if (batch.ok()) return print(*batch);
        damaged = true;
        std::fprintf(stderr, "%s: damaged at offset %llu\n", path.c_str(),
                     static_cast<unsigned long long>(visit.offset));
      });
    }
  }
  return damaged ? kDamaged : kOk;
}

}  // namespace

int RunBufferTool(std::span<const char* const> arguments) {
  const std::string_view what = arguments.empty() ? "" : arguments[0];
  if (what == "-h" || what == "-help" || what == "--help") {
    Print(std::string(kHelp));
    return kOk;
  }
  const bool known = what == "ls" || what == "verify" || what == "cat";
  if (!known || arguments.size() != 2) {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stderr);
    return kUsage;
  }
  const std::string folder = arguments[1];
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    std::fprintf(stderr, "%s: %s\n", folder.c_str(),
                 error ? error.message().c_str() : "not a folder");
    return kUsage;
  }
  const std::vector<std::string> lanes = LaneFolders(folder);
  if (what == "ls") return List(lanes);
  return what == "verify" ? Verify(lanes) : Cat(lanes);
}

}  // namespace agent
