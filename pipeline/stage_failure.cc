#include "pipeline/stage_failure.h"

namespace agent {

StageFailure::StageFailure(StageContext& context, std::string_view reason, std::string_view message)
    : count_(context.counters.Add("agent_stage_failures_total", context.name, context.index,
                                  std::string(reason))),
      logger_(context.logger),
      observer_(context.observer),
      reason_(reason),
      message_(message),
      job_(context.job),
      place_(context.place) {}

void StageFailure::Log(Block& block, EntryIndex entry) {
  --logs_left_;
  const LabelSetId labels = block.LabelsOf(entry);
  const Entry view = block.View(entry);
  // What was kept back comes from an earlier block.
  const bool was_held = view.source_bytes == 0 && !view.holds.empty();
  const uint64_t offset = was_held ? view.holds.front()->offset() : view.offset;
  const std::string* const file = block.label_sets().Get(labels).Find("filename");
  logger_.Warn(
      "pipeline", "a stage cannot handle an entry: it goes on",
      {{"job", job_},
       {"stage", place_},
       {"reason", reason_},
       {"error", message_},
       file != nullptr ? LogField("file", *file)
                       : LogField("labels", block.label_sets().Text(labels)),
       {"offset", offset},
       {"hint", logs_left_ > 0 ? "run with --dry-run --inspect to see the entry"
                               : "more of them are only counted, in agent_stage_failures_total"}});
}

}  // namespace agent
