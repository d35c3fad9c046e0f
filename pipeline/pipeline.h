// The stages of one job, as one worker runs them: lines in, entries out.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/counter.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "pipeline/block.h"
#include "pipeline/shared_states.h"
#include "pipeline/stage.h"
#include "pipeline/stage_list.h"
#include "pipeline/stage_observer.h"

namespace agent {

class GeoDatabases;

// What every pipeline of a process needs; all of it outlives the pipeline.
struct PipelineDependencies {
  LabelSets& label_sets;
  Clock& clock;
  Logger& logger;
  CustomMetrics& metrics;
  // Extract also what no stage reads: somebody looks at everything.
  bool keep_everything = false;
  // Extracted values that outputs want for their documents; "*": all of them.
  std::vector<std::string> wanted_fields = {};
  // What stages draw from (sampling).
  Random random = Random::FromSystem();
  // Where geoip finds its databases; null: the pipeline opens its own.
  GeoDatabases* geo_databases = nullptr;
  // Null: the pipeline shares with no other.
  SharedStates* shared = nullptr;
  // For what stages keep back. Null: as much as they like.
  MemoryBudget* held_memory = nullptr;
  // Watches every block and stage; null: nobody does.
  StageObserver* observer = nullptr;
  // The job's sources may be logs of containers: the stage `docker_sd` goes before its own.
  bool unwraps_docker = false;
};

// What a stage has done; read by any thread.
struct StageStatistics {
  std::string name;
  Counter nanoseconds;
  Counter lines_in;
  Counter lines_out;
  Counter lines_dropped;  // The others are kept back, or have become part of one that came out.
};

// Lines that left through a drop, by reason; read by any thread.
struct DropStatistics {
  std::string reason;
  bool promtail_counts = true;
  Counter lines;
  Counter bytes;  // Of the source.
};

// Used by one thread; statistics may be read by others.
class Pipeline {
 public:
  // Builds from the value of `pipeline_stages` (null: no stages), reporting every problem. Null
  // when there was an error. `path` is where the stages stand: "scrape_configs[0].pipeline_stages".
  static std::unique_ptr<Pipeline> Build(const ConfigNode& stages, const std::string& path,
                                         const std::string& job, Problems& problems,
                                         const PipelineDependencies& dependencies);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline();

  // To be filled (Reset, Add), run, and emptied (live, View).
  Block& block() { return *block_; }
  // Runs every stage over the block, in order.
  void Run();

  // Entries that stages have kept back: those that are due (kDeadline), or all (kEnd). They run
  // through the rest of the stages; `emit` gets the block each time there is something in it.
  void Flush(FlushReason reason, const std::function<void(Block&)>& emit);
  // Fragments of a source that has ended and that can never be completed.
  void EndOfSource(const SourceProgress& progress, const std::function<void(Block&)>& emit);
  // When Flush(kDeadline) is due next, monotonic.
  [[nodiscard]] std::optional<int64_t> NextDeadline() const;
  // Entries wait for their time: read nothing more for this pipeline until Flush(kDeadline) has let
  // them out.
  [[nodiscard]] bool full() const;
  // It may be full at times: read little at once.
  [[nodiscard]] bool limits_reading() const;
  // Forgets what stages keep back; it stays unsettled and is read again.
  void Abandon();

  [[nodiscard]] const std::vector<std::unique_ptr<StageStatistics>>& stages() const {
    return statistics_;
  }
  // How many of them, the first ones, are not the job's own: 0 or 1.
  [[nodiscard]] std::size_t built_in_stages() const { return dependencies_.unwraps_docker ? 1 : 0; }
  [[nodiscard]] const std::vector<std::unique_ptr<DropStatistics>>& drops() const { return drops_; }
  // Who has to be told where a block's lines are from, and how many of its entries went on; may be
  // null.
  [[nodiscard]] StageObserver* observer() const { return dependencies_.observer; }
  // Read by any thread.
  [[nodiscard]] const StageCounters& counters() const { return counters_; }

 private:
  Pipeline(std::string job, const PipelineDependencies& dependencies);

  void AddStage(NamedStage named);
  // Runs the stages from `first` on.
  void RunFrom(std::size_t first);
  void ObserveBlock(BlockCause cause);
  void CountEmitted(std::size_t stage);
  void EmitFrom(std::size_t first, const std::function<void(Block&)>& emit);
  void CountDrops();

  const std::string job_;
  PipelineDependencies dependencies_;
  std::unique_ptr<GeoDatabases> own_geo_databases_;
  SharedStates own_shared_;  // Where the dependencies have none.
  MemoryBudget own_held_memory_{std::numeric_limits<std::size_t>::max()};
  SlotTable slots_;
  DropReasons drop_reasons_;
  StageCounters counters_;
  std::vector<NamedStage> stages_;
  std::vector<std::unique_ptr<StageStatistics>> statistics_;
  std::vector<std::unique_ptr<DropStatistics>> drops_;
  std::unique_ptr<Block> block_;
};

}  // namespace agent
