#include "pipeline/stages/hold_bounds.h"

#include <string_view>

namespace agent {
namespace {

struct BoundText {
  std::string_view name;
  std::string_view message;
  std::string_view hint;
};

constexpr BoundText kTexts[] = {
    {"length", "an entry is too long to be collected any further: it comes out in pieces",
     "look for a line that never ends, or raise limits_config.memory_budget"},
    {"memory", "what stages keep back takes too much memory: the oldest comes out before its time",
     "fewer label sets, shorter waits, or a larger limits_config.memory_budget"},
    {"label_sets", "too many label sets: the one that was silent for longest is forgotten",
     "do not make a label of a value that is different on every line"},
};

}  // namespace

std::shared_ptr<HoldBounds> HoldBounds::Of(const StageContext& context) {
  return context.shared.Get<HoldBounds>(context.Owner() + "#bounds", [&] {
    return std::make_shared<HoldBounds>(context.logger, context.job, context.path);
  });
}

void HoldBounds::Hit(HoldBound bound) {
  const auto index = static_cast<std::size_t>(bound);
  hits_[index].fetch_add(1, std::memory_order_relaxed);
  const BoundText& text = kTexts[index];
  logger_.WriteLimited(LogLevel::kWarn, std::string(text.name) + " " + job_ + " " + stage_,
                       "pipeline", text.message,
                       {{"job", job_}, {"stage", stage_}, {"hint", text.hint}});
}

void HoldBounds::CollectMetrics(MetricSink& sink) const {
  for (std::size_t i = 0; i < kBounds; ++i) {
    const uint64_t hits = hits_[i].load(std::memory_order_relaxed);
    if (hits == 0) continue;
    sink.Add("agent_stage_bounds_reached_total", {job_, stage_, kTexts[i].name},
             static_cast<double>(hits));
  }
}

}  // namespace agent
