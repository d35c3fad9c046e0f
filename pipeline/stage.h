// One step of a pipeline, and what it is built with.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/config/field_reader.h"
#include "base/config/yaml.h"
#include "base/label_sets.h"
#include "base/log.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "pipeline/block.h"
#include "pipeline/custom_metrics.h"
#include "pipeline/drop_reason.h"
#include "pipeline/shared_states.h"
#include "pipeline/slots.h"
#include "pipeline/stage_counters.h"

namespace agent {

class GeoDatabases;
class StageObserver;

enum class FlushReason : uint8_t {
  kDeadline,  // NextDeadline() has come.
  kEnd,       // The input has ended and cannot be read again (standard input): emit what waits for
              // more of it.
  kStop,      // The agent stops, and the input cannot be read again: emit everything.
};

// Each worker builds its own, so a stage needs no locks; what must be shared between workers (a
// rate limit, a metric) comes in through StageContext.
class Stage {
 public:
  virtual ~Stage() = default;

  // Called once when the whole pipeline has been built, before the first block: slots that nobody
  // reads
  // (`!slots.IsRead(slot)`) need not be filled.
  virtual void Prepare(const SlotTable& /*slots*/) {}

  // Runs over the live entries of `block`, in order. Never fails: an entry that the stage cannot
  // handle goes on all the same, and is reported (StageFailure).
  virtual void Process(Block& block) = 0;

  // Stages that keep entries back (Block::Detach):

  // When Flush(kDeadline) should be called, in Clock::MonotonicNanos(); nullopt: nothing waits for
  // time.
  [[nodiscard]] virtual std::optional<int64_t> NextDeadline() const { return std::nullopt; }
  // Inserts what is due into `block`, which has no other live entries.
  virtual void Flush(FlushReason /*reason*/, Block& /*block*/) {}
  // Entries wait here for their time to go on (a rate limit): nothing more of the job's sources is
  // read until Flush() has let them out.
  [[nodiscard]] virtual bool full() const { return false; }
  // It may be full() at times: the worker reads little at once, so that it is little that waits.
  [[nodiscard]] virtual bool limits_reading() const { return false; }
  // The source that had these labels has ended (its file is finished, deleted, or no longer a
  // target): fragments of it that can never be completed come out now.
  virtual void EndOfSource(const SourceProgress& /*progress*/, Block& /*block*/) {}
  // Forget what is kept back without emitting it; it will be read again (reload, shutdown). Holds
  // are abandoned.
  virtual void Abandon() {}
};

// What a stage is built with. One per pipeline and worker; outlives the stages.
struct StageContext {
  Problems& problems;
  SlotTable& slots;
  DropReasons& drop_reasons;
  LabelSets& label_sets;
  Clock& clock;
  Logger& logger;
  CustomMetrics&
      metrics;     // Metrics that the `metrics` stage defines; shared by all workers of a job.
  Random& random;  // What a stage seeds its own generator from; used while building only.
  GeoDatabases& geo_databases;  // Shared by all workers.
  SharedStates& shared;         // What else a stage shares with its copies in other workers.
  MemoryBudget& held_memory;    // For what stages keep back; a part of the budget for everything.
  StageCounters& counters;
  std::string job;
  std::string path;  // Of the stage's body in the configuration, for problems: "…stages[2].regex".
  // For stages that have stages inside: who watches these (null: nobody), and where the outer one
  // stands (StagePlace).
  StageObserver* observer = nullptr;
  std::string place = {};
  // Of the stage in its list, for metrics: "2", or "2.0" for the first stage inside a match.
  std::string index = {};
  // Of the stage: "json".
  std::string name = {};

  // Of this stage and its copies in all workers.
  [[nodiscard]] std::string Owner() const { return job + "/" + path; }
};

// Reads a stage's body: keys in any case, unknown keys are warnings, as Promtail has it.
class StageFields : public FieldReader {
 public:
  StageFields(const ConfigNode& node, StageContext& context,
              FieldReader::Typing typing = FieldReader::Typing::kStrict)
      : FieldReader(node, context.path, context.problems, Unknown::kWarning, typing, KeyCase::kAny),
        context_(context) {}

  // `source`, where absent means the line: nullopt. An empty text is a problem ("empty source").
  std::optional<Slot> OptionalSource();
  // A required extracted key to read.
  Slot RequiredSource(std::string_view key = "source");

 private:
  StageContext& context_;
};

// Builds a stage; null after a problem, which has been reported.
using StageFactory = std::unique_ptr<Stage> (*)(const ConfigNode& node, StageContext& context);

}  // namespace agent
