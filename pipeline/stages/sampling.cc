// `sampling` keeps a share of the entries, picked by chance, and drops the rest.
//
//   - sampling: { rate: 0.1, drop_counter_reason: sampling_stage }
//
// Each entry is decided by itself. Without a rate nothing is kept, as Promtail has it.

#include <cstddef>
#include <memory>
#include <string>

#include "base/config/scalars.h"
#include "base/go_format.h"
#include "base/random.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

class SamplingStage final : public Stage {
 public:
  SamplingStage(double rate, DropReason reason, Random random)
      : rate_(rate), reason_(reason), random_(random) {}

  void Process(Block& block) override {
    if (rate_ >= 1) return;
    for (const EntryIndex entry : block.live()) {
      if (random_.Uniform() >= rate_) block.Drop(entry, reason_);
    }
  }

 private:
  const double rate_;
  const DropReason reason_;
  Random random_;
};

// "10%" is refused as in Promtail, with the number that was meant.
bool RefusePercentage(StageFields& fields) {
  const ConfigNode* const rate = fields.Node("rate");
  if (rate == nullptr || !rate->is_scalar() || !rate->text().ends_with('%')) return false;
  const auto percent = ParseYamlFloat(rate->text().substr(0, rate->text().size() - 1));
  if (!percent || !(*percent >= 0 && *percent <= 100)) return false;
  std::string share;
  AppendGoFloat(*percent / 100, share);
  fields.Error("rate", "expected 0 to 1, got '" + rate->text() + "'", "write " + share);
  return true;
}

}  // namespace

std::unique_ptr<Stage> MakeSamplingStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context, FieldReader::Typing::kWeak);
  const bool refused = RefusePercentage(fields);
  const double rate = refused ? 0 : fields.Float("rate", 0, 0, 1);
  const ConfigNode* const given = fields.Node("rate");
  if (given == nullptr || given->is_null()) {
    fields.Warning("rate", "without a rate every line is dropped",
                   "give the share of lines to keep: rate: 0.1");
  }
  std::string reason = fields.String("drop_counter_reason");
  if (reason.empty()) reason = "sampling_stage";
  if (!fields.Finish()) return nullptr;
  return std::make_unique<SamplingStage>(rate, context.drop_reasons.Intern(reason),
                                         Random(context.random.Next()));
}

}  // namespace agent
