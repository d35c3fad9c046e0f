#include "agent/runtime/output_buffer.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "outputs/buffer/buffer_folder.h"
#include "outputs/buffer/buffered_output.h"

namespace agent {
namespace {

// The part of the memory for data in flight that outputs may have in their queues; the rest is for
// what is read, and on its way to the disk.
constexpr std::size_t kMemoryPart = 4;

WhenFull ToWhenFull(BufferWhenFull when_full) {
  if (when_full == BufferWhenFull::kDropOldest) return WhenFull::kDropOldest;
  return when_full == BufferWhenFull::kDropNewest ? WhenFull::kDropNewest : WhenFull::kBlock;
}

SyncPolicy ToSyncPolicy(BufferSync sync) {
  if (sync == BufferSync::kAlways) return SyncPolicy::kAlways;
  return sync == BufferSync::kNever ? SyncPolicy::kNever : SyncPolicy::kInterval;
}

bool WantsDisk(const BufferConfig& config, const std::string& folder, const BufferPlace& place) {
  if (config.type != BufferType::kDefault) return config.type == BufferType::kDisk;
  if (place.positions_file.empty()) return false;
  // What was left when there were more outputs than now is delivered all the same.
  return place.outputs > 1 || SummarizeAll(folder).batches > 0;
}

}  // namespace

std::string BuffersFolder(const std::string& positions_file) {
  const std::size_t slash = positions_file.rfind('/');
  return (slash == std::string::npos ? "" : positions_file.substr(0, slash + 1)) + "buffer";
}

std::unique_ptr<Output> WrapWithBuffer(std::unique_ptr<Output> output, const BufferConfig& config,
                                       bool required, const BufferPlace& place) {
  const std::string folder =
      config.path.empty() ? BuffersFolder(place.positions_file) + "/" + FileNameOf(output->name())
                          : config.path;
  const bool disk = WantsDisk(config, folder, place);
  if (!disk && required) return output;
  BufferedOptions options;
  if (disk) options.folder = folder;
  options.kind = place.kind;
  options.output_index = place.output_index;
  options.max_bytes = config.max_size_bytes;
  options.min_free_bytes = config.min_free_bytes;
  options.when_full = ToWhenFull(config.when_full);
  options.sync = ToSyncPolicy(config.sync);
  options.required = required;
  options.window_bytes =
      place.budget.limit() / kMemoryPart / std::max<std::size_t>(1, place.outputs);
  return std::make_unique<BufferedOutput>(
      std::move(output), std::move(options),
      BufferedOutput::Dependencies{place.loop, place.budget, place.clock, place.logger});
}

void WarnOfOrphanBuffers(const std::string& positions_file,
                         const std::vector<std::string>& output_names, Logger& logger) {
  if (positions_file.empty()) return;
  std::error_code error;
  const std::string folder = BuffersFolder(positions_file);
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    const bool known =
        std::any_of(output_names.begin(), output_names.end(),
                    [&](const std::string& output) { return FileNameOf(output) == name; });
    if (known) continue;
    const FolderSummary left = SummarizeAll(at->path().string());
    if (left.batches == 0) continue;
    logger.Warn("buffer", "a disk buffer belongs to no output: what is in it is not delivered",
                {{"folder", at->path().string()},
                 {"batches", left.batches},
                 {"entries", left.entries},
                 {"bytes", left.bytes},
                 {"hint", "name an output so (clients[].name), or remove the folder"}});
  }
}

}  // namespace agent
