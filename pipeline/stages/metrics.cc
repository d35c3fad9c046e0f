// `metrics` derives Prometheus metrics from entries, with the labels that they have here.
//
//   - metrics:
//       lines: { type: Counter, config: { match_all: true, action: inc } }
//       errors: { type: Counter, source: level, config: { value: error, action: inc } }
//       slow_errors: { type: Counter, source: took, config: { action: inc, filter: 'level ==
//       "error"' } } took: { type: Histogram, description: seconds, config: { buckets: [0.1, 1] } }
//
// `filter` is ours: it selects entries by any extracted value, and takes the place of `value`.

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/config/scalars.h"
#include "base/go_format.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/metric_filter.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

constexpr std::array<double, 11> kDefaultBuckets = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                    0.5,   1,    2.5,   5,    10};

enum class Action : uint8_t { kInc, kDec, kAdd, kSub, kSet, kObserve };

struct MetricRule {
  std::shared_ptr<CustomMetric>
      metric;  // Shared with the stages of other workers and with scrapes.
  Slot source = 0;
  Action action = Action::kInc;
  std::optional<std::string> value;
  std::optional<MetricFilter> filter;
  bool match_all = false;
  bool count_bytes = false;
};

// A number, also as text: a float in Go's forms or a duration, in seconds.
std::optional<double> NumberOf(const Value& value) {
  switch (value.type()) {
    case ValueType::kNumber:
    case ValueType::kInteger:
    case ValueType::kBool:
      return value.number();
    case ValueType::kString:
      break;
    default:
      return std::nullopt;
  }
  if (const Result<double> number = ParseGoFloat(value.text()); number.ok()) return *number;
  const Result<std::chrono::nanoseconds> duration = ParseGoDuration(value.text());
  if (!duration.ok()) return std::nullopt;
  return static_cast<double>(duration->count()) / static_cast<double>(kNanosPerSecond);
}

// Sums up what a block adds to the series of one metric, so that the metric, which all workers
// share, is touched once for each label set.
class BlockSums {
 public:
  struct Sum {
    LabelSetId labels = kEmptyLabelSet;
    double value = 0;
    std::vector<uint64_t> bucket_counts;
  };

  Sum& Of(LabelSetId labels) {
    if (last_ < sums_.size() && sums_[last_].labels == labels) return sums_[last_];
    const auto [at, inserted] = index_.try_emplace(labels, sums_.size());
    if (inserted) {
      Sum sum;
      sum.labels = labels;
      sums_.push_back(std::move(sum));
    }
    last_ = at->second;
    return sums_[last_];
  }
  void Clear() {
    sums_.clear();
    index_.clear();
    last_ = 0;
  }
  [[nodiscard]] const std::vector<Sum>& all() const { return sums_; }

 private:
  std::vector<Sum> sums_;
  std::unordered_map<LabelSetId, std::size_t> index_;
  std::size_t last_ = 0;
};

class MetricsStage final : public Stage {
 public:
  MetricsStage(std::vector<MetricRule> rules, StageContext& context)
      : rules_(std::move(rules)),
        clock_(context.clock),
        logger_(context.logger),
        job_(context.job),
        no_number_(context, "no_number", "a value is no number and no duration") {}

  void Process(Block& block) override {
    if (block.live().empty()) return;
    if (epoch_ != block.label_sets().epoch()) {
      series_labels_.clear();
      epoch_ = block.label_sets().epoch();
    }
    for (const MetricRule& rule : rules_) {
      sums_.Clear();
      uint64_t rejected = 0;
      for (const EntryIndex entry : block.live()) {
        if (Selected(rule, block, entry) && !Count(rule, block, entry)) ++rejected;
      }
      Store(rule, block.label_sets());
      if (rejected > 0) ReportRejected(rule, rejected);
    }
  }

 private:
  static bool Selected(const MetricRule& rule, Block& block, EntryIndex entry) {
    if (!rule.match_all && !block.Extracted(entry, rule.source).present()) return false;
    if (rule.filter) return rule.filter->Selects(block, entry);
    if (rule.value) {
      const std::optional<std::string_view> text = block.ExtractedText(entry, rule.source);
      return text && *text == *rule.value;
    }
    return true;
  }

  // False for a number that a counter cannot take.
  bool Count(const MetricRule& rule, Block& block, EntryIndex entry) {
    const LabelSetId labels = block.LabelsOf(entry);
    if (rule.action == Action::kInc || rule.action == Action::kDec) {
      sums_.Of(labels).value += rule.action == Action::kInc ? 1 : -1;
      return true;
    }
    if (rule.count_bytes) {
      sums_.Of(labels).value += static_cast<double>(block.Line(entry).size());
      return true;
    }
    if (rule.match_all) return true;  // There is no value to add.
    const std::optional<double> number = NumberOf(block.Extracted(entry, rule.source));
    if (!number) {
      no_number_.Report(block, entry);
      return true;
    }
    const bool is_counter = rule.metric->definition().type == CustomMetricType::kCounter;
    if (is_counter && *number < 0) return false;
    BlockSums::Sum& sum = sums_.Of(labels);
    if (rule.action == Action::kSet) {
      sum.value = *number;
      return true;
    }
    sum.value += rule.action == Action::kSub ? -*number : *number;
    if (rule.action == Action::kObserve) {
      sum.bucket_counts.resize(rule.metric->definition().buckets.size() + 1);
      ++sum.bucket_counts[rule.metric->BucketOf(*number)];
    }
    return true;
  }

  void Store(const MetricRule& rule, const LabelSets& sets) {
    const int64_t now = clock_.MonotonicNanos();
    const Labels* beyond_limit = nullptr;
    for (const BlockSums::Sum& sum : sums_.all()) {
      const Labels& labels = SeriesLabels(sets, sum.labels);
      bool fits = true;
      if (rule.action == Action::kSet) {
        fits = rule.metric->Set(labels, sum.value, now);
      } else if (rule.action == Action::kObserve) {
        fits = rule.metric->Observe(labels, sum.value, sum.bucket_counts, now);
      } else {
        fits = rule.metric->Add(labels, sum.value, now);
      }
      if (!fits) beyond_limit = &labels;
    }
    if (beyond_limit != nullptr) ReportTooMany(*rule.metric, *beyond_limit);
  }

  void ReportTooMany(const CustomMetric& metric, const Labels& labels) {
    const std::string& name = metric.definition().name;
    logger_.WriteLimited(
        LogLevel::kWarn, "series:" + name, "pipeline", "a metric has too many series",
        {{"metric", name},
         {"job", job_},
         {"limit", metric.limit().max_series},
         {"series", metric.series()},
         {"sample", FormatLabels(labels).substr(0, 256)},
         {"hint", metric.limit().refuses ? "new series are not made; put the stage in front of the "
                                           "labels that it does not need"
                                         : "put the stage in front of the labels that it does not "
                                           "need, or set limits_config.on_excess"}});
  }

  const Labels& SeriesLabels(const LabelSets& sets, LabelSetId id) {
    const auto [at, inserted] = series_labels_.try_emplace(id);
    if (inserted) {
      for (const Label& label : sets.Get(id)) {
        if (!label.name.starts_with("__")) at->second.Set(label.name, label.value);
      }
    }
    return at->second;
  }

  void ReportRejected(const MetricRule& rule, uint64_t values) {
    rule.metric->AddRejected(values);
    const std::string& name = rule.metric->definition().name;
    logger_.WriteLimited(LogLevel::kWarn, "metrics:" + name, "pipeline",
                         "negative value for a counter: not added",
                         {{"metric", name},
                          {"job", job_},
                          {"values", values},
                          {"hint", "use a gauge for what can go down"}});
  }

  const std::vector<MetricRule> rules_;
  Clock& clock_;
  Logger& logger_;
  const std::string job_;
  StageFailure no_number_;
  BlockSums sums_;
  uint64_t epoch_ = 0;
  std::unordered_map<LabelSetId, Labels> series_labels_;
};

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

bool IsMetricName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:") ==
         std::string_view::npos;
}

// Reads one entry of the map of metrics.
class RuleReader {
 public:
  RuleReader(const std::string& name, const ConfigNode& node, StageContext& context)
      : context_(context),
        name_(name),
        fields_(node, context.path + "." + name, context.problems, FieldReader::Unknown::kWarning,
                FieldReader::Typing::kStrict, FieldReader::KeyCase::kAny),
        config_node_(fields_.Node("config")),
        config_(config_node_ != nullptr ? *config_node_ : kNoConfig, fields_.PathOf("config"),
                context.problems, FieldReader::Unknown::kWarning, FieldReader::Typing::kStrict,
                FieldReader::KeyCase::kAny) {}

  std::optional<MetricRule> Read() {
    const std::size_t errors = context_.problems.error_count();
    CustomMetricDefinition definition;
    definition.name = fields_.String("prefix");
    if (definition.name.empty()) definition.name = "promtail_custom_";
    definition.name += name_;
    definition.help = fields_.String("description");
    if (!IsMetricName(definition.name)) {
      fields_.MapError("'" + definition.name + "' is not a metric name",
                       "letters, digits, '_' and ':' make one");
    }
    ReadType(definition.type);
    ReadIdle(definition);
    MetricRule rule;
    ReadConfig(definition, rule);
    const ConfigNode* const source = fields_.Node("source");
    const bool given = source != nullptr && !source->is_null();
    const std::string name = given ? fields_.String("source") : name_;
    if (!rule.match_all) rule.source = context_.slots.Read(name);
    fields_.Finish();
    config_.Finish();
    if (context_.problems.error_count() > errors) return std::nullopt;
    rule.metric = context_.metrics.Define(context_.job + "/" + context_.path, definition);
    return rule;
  }

 private:
  void ReadType(CustomMetricType& type) {
    const std::string text = Lower(fields_.RequiredString("type"));
    if (text == "counter") {
      type = CustomMetricType::kCounter;
    } else if (text == "gauge") {
      type = CustomMetricType::kGauge;
    } else if (text == "histogram") {
      type = CustomMetricType::kHistogram;
    } else if (!text.empty()) {
      fields_.Error("type", "unknown metric type '" + text + "'", "Counter, Gauge or Histogram");
    }
  }

  void ReadIdle(CustomMetricDefinition& definition) {
    const std::chrono::nanoseconds idle =
        fields_.Duration("max_idle_duration", std::chrono::minutes(5));
    if (idle < std::chrono::seconds(1)) {
      fields_.Error("max_idle_duration", "expected at least 1s, got " + FormatGoDuration(idle));
    }
    definition.max_idle_ns = idle.count();
  }

  void ReadConfig(CustomMetricDefinition& definition, MetricRule& rule) {
    const ConfigNode* const value = config_.Node("value");
    if (value != nullptr && !value->is_null()) rule.value = config_.String("value");
    ReadFilter(rule);
    const std::string action = Lower(config_.String("action"));
    switch (definition.type) {
      case CustomMetricType::kCounter:
        ReadAction(action, {{"inc", Action::kInc}, {"add", Action::kAdd}}, rule.action);
        ReadCounter(rule);
        return;
      case CustomMetricType::kGauge:
        ReadAction(action,
                   {{"set", Action::kSet},
                    {"inc", Action::kInc},
                    {"dec", Action::kDec},
                    {"add", Action::kAdd},
                    {"sub", Action::kSub}},
                   rule.action);
        return;
      default:
        rule.action = Action::kObserve;
        ReadBuckets(definition.buckets);
    }
  }

  void ReadFilter(MetricRule& rule) {
    const std::string text = config_.String("filter");
    if (text.empty()) return;
    Result<MetricFilter> filter = MetricFilter::Parse(text, context_.slots);
    if (filter.ok()) {
      rule.filter.emplace(std::move(filter).value());
    } else {
      config_.Error("filter", filter.error().message);
    }
  }

  void ReadAction(const std::string& text, const std::vector<std::pair<std::string, Action>>& known,
                  Action& action) {
    std::string names;
    for (const auto& [name, meaning] : known) {
      if (name == text) {
        action = meaning;
        return;
      }
      names += names.empty() ? name : ", " + name;
    }
    config_.Error("action",
                  text.empty() ? "an action is required" : "unknown action '" + text + "'",
                  "one of " + names);
  }

  void ReadCounter(MetricRule& rule) {
    rule.match_all = config_.Bool("match_all", false);
    rule.count_bytes = config_.Bool("count_entry_bytes", false);
    if (rule.match_all && rule.value && !rule.filter) {
      config_.Error("match_all", "'match_all' and 'value' exclude one another",
                    "without 'match_all' the value is looked for in 'source'");
    }
    if (rule.count_bytes && (!rule.match_all || rule.action != Action::kAdd)) {
      config_.Error("count_entry_bytes", "needs 'match_all: true' and 'action: add'");
    }
  }

  void ReadBuckets(std::vector<double>& buckets) {
    const ConfigNode* const node = config_.Node("buckets");
    if (node != nullptr && !node->is_null() && !node->is_sequence()) {
      config_.Error("buckets", "expected a list of numbers, got " + std::string(node->KindName()));
      return;
    }
    if (node != nullptr) {
      for (const ConfigNode& item : node->items()) {
        const std::optional<double> bound =
            item.IsNumber() ? ParseYamlFloat(item.text()) : std::nullopt;
        if (!bound || std::isnan(*bound) || (!buckets.empty() && *bound <= buckets.back())) {
          context_.problems.Error(item.place(), config_.PathOf("buckets"),
                                  bound ? "bounds must rise" : "expected a number");
          return;
        }
        buckets.push_back(*bound);
      }
    }
    // The last bound is there anyway.
    if (!buckets.empty() && buckets.back() == std::numeric_limits<double>::infinity()) {
      buckets.pop_back();
    }
    if (buckets.empty()) buckets.assign(kDefaultBuckets.begin(), kDefaultBuckets.end());
  }

  static const ConfigNode kNoConfig;

  StageContext& context_;
  const std::string& name_;
  FieldReader fields_;
  const ConfigNode* config_node_;
  FieldReader config_;
};

const ConfigNode RuleReader::kNoConfig;

}  // namespace

std::unique_ptr<Stage> MakeMetricsStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  if (!node.is_map()) {
    context.problems.Error(node.place(), context.path,
                           "expected a map of metrics, got " + std::string(node.KindName()));
    return nullptr;
  }
  std::vector<MetricRule> rules;
  for (const auto& [name, body] : node.pairs()) {
    std::optional<MetricRule> rule = RuleReader(name.text(), body, context).Read();
    if (rule) rules.push_back(*std::move(rule));
  }
  if (context.problems.error_count() > errors) return nullptr;
  return std::make_unique<MetricsStage>(std::move(rules), context);
}

}  // namespace agent
