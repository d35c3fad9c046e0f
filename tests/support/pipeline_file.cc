#include "tests/support/pipeline_file.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/check.h"
#include "base/config/yaml.h"
#include "base/go_format.h"
#include "base/log.h"
#include "base/metrics/metrics.h"
#include "pipeline/pipeline.h"
#include "tests/support/fake_clock.h"

namespace agent {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendGoQuoted(text, out);
  return out;
}

std::string FormatTime(int64_t ns) {
  const auto seconds = static_cast<time_t>(
      (ns - ((ns % kNanosPerSecond) + kNanosPerSecond) % kNanosPerSecond) / kNanosPerSecond);
  const int64_t nanos = ns - static_cast<int64_t>(seconds) * kNanosPerSecond;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::string out(text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc));
  if (nanos > 0) {
    std::string fraction = std::to_string(nanos + kNanosPerSecond).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += "." + fraction;
  }
  return out + "Z";
}

using Texts = std::map<std::string, std::string>;

std::string Join(const Texts& texts) {
  std::string out = "{";
  for (const auto& [name, value] : texts) {
    if (out.size() > 1) out += ", ";
    out += name + "=" + value;
  }
  return out + "}";
}

std::string ValueText(Block& block, const Value& value) {
  if (value.type() == ValueType::kNull) return "null";
  const std::string text(*block.Text(value));
  return value.is_string() ? Quoted(text) : text;
}

// Metrics as text: "name{label="value"} number".
class MetricTexts final : public MetricSink {
 public:
  explicit MetricTexts(std::set<std::string>& all) : all_(all) {}

  void Add(std::string_view name, std::initializer_list<std::string_view> label_values,
           double value) override {
    const MetricInfo* const info = FindMetric(name);
    CHECK(info != nullptr && info->labels.size() == label_values.size());
    std::string text = std::string(name) + "{";
    std::size_t i = 0;
    for (const std::string_view label_value : label_values) {
      if (i > 0) text += ",";
      text += std::string(info->labels[i++]) + "=" + Quoted(label_value);
    }
    text += "} ";
    AppendGoFloat(value, text);
    all_.insert(text);
  }
  void AddHistogram(std::string_view /*name*/,
                    std::initializer_list<std::string_view> /*label_values*/,
                    const HistogramSnapshot& /*histogram*/) override {}

 private:
  std::set<std::string>& all_;
};

// One test of a file, as it runs.
class Case {
 public:
  explicit Case(const ConfigNode& node) : node_(node) {}

  std::string Run() {
    Problems problems;
    const ConfigNode* stages = node_.Find("pipeline_stages");
    CHECK(stages != nullptr);
    pipeline_ = Pipeline::Build(*stages, "pipeline_stages", "test", problems,
                                {.label_sets = sets_,
                                 .clock = clock_,
                                 .logger = logger_,
                                 .metrics = metrics_,
                                 .keep_everything = true,
                                 .shared = &shared_});
    if (pipeline_ == nullptr) return problems.Format(/*color=*/false);
    RunLines();
    pipeline_->Flush(FlushReason::kEnd, [this](Block& block) { Collect(block); });
    return Compare("entries", Wanted(), actual_) + Compare("metrics", WantedMetrics(), Metrics());
  }

 private:
  void RunLines() {
    if (const ConfigNode* labels = node_.Find("labels")) {
      for (const auto& [name, value] : labels->pairs())
        start_.Set(name.text(), value.text());
    }
    // Texts of a block have readable bytes after them.
    for (const ConfigNode& line : node_.Find("lines")->items()) {
      lines_.push_back(line.text() + std::string(kTextPadding, '\0'));
    }
    Block& block = pipeline_->block();
    block.Reset(sets_.Intern(start_), nullptr);
    for (const std::string& line : lines_) {
      const std::string_view text(line.data(), line.size() - kTextPadding);
      block.Add(text, FakeClock::kStart, 0, static_cast<uint32_t>(text.size() + 1));
    }
    pipeline_->Run();
    Collect(block);
  }

  void Collect(Block& block) {
    for (const EntryIndex entry : block.live()) {
      const Entry view = block.View(entry);
      std::string text =
          "line=" + Quoted(view.line) + " labels=" + LabelText(sets_.Get(view.labels));
      if (view.timestamp_ns != FakeClock::kStart) {
        text += " timestamp=" + FormatTime(view.timestamp_ns);
      }
      if (!view.metadata.empty()) {
        Texts metadata;
        for (const Metadata& pair : view.metadata) {
          metadata[std::string(pair.name)] = Quoted(pair.value);
        }
        text += " metadata=" + Join(metadata);
      }
      actual_.push_back(text + " extracted=" + Join(ExtractedOf(block, entry)));
    }
  }

  Texts ExtractedOf(Block& block, EntryIndex entry) const {
    Texts extracted;
    block.ForEachExtracted(entry, [&](std::string_view name, const Value& value) {
      const std::string text = ValueText(block, value);
      const std::string* label = start_.Find(name);
      if (label == nullptr || Quoted(*label) != text) extracted[std::string(name)] = text;
    });
    return extracted;
  }

  static std::string LabelText(const Labels& labels) {
    Texts texts;
    for (const Label& label : labels)
      texts[label.name] = Quoted(label.value);
    return Join(texts);
  }

  static Texts MapTexts(const ConfigNode* node) {
    Texts texts;
    if (node == nullptr) return texts;
    for (const auto& [name, value] : node->pairs()) {
      texts[name.text()] = value.is_null()  ? "null"
                           : value.quoted() ? Quoted(value.text())
                                            : NumberText(value.text());
    }
    return texts;
  }

  // As Block::Text() writes it. What is an integer stays as it is, with all its digits.
  static std::string NumberText(const std::string& text) {
    if (text.find_first_not_of("-0123456789") == std::string::npos) return text;
    const Result<double> number = ParseGoFloat(text);
    if (!number) return text;
    std::string out;
    AppendGoFloat(*number, out);
    return out;
  }

  std::vector<std::string> Wanted() const {
    std::vector<std::string> wanted;
    for (const ConfigNode& entry : node_.Find("entries")->items()) {
      std::string text = "line=" + Quoted(entry.Find("line")->text()) +
                         " labels=" + Join(MapTexts(entry.Find("labels")));
      if (const ConfigNode* time = entry.Find("timestamp")) text += " timestamp=" + time->text();
      if (const ConfigNode* metadata = entry.Find("structured_metadata")) {
        text += " metadata=" + Join(MapTexts(metadata));
      }
      wanted.push_back(text + " extracted=" + Join(MapTexts(entry.Find("extracted"))));
    }
    return wanted;
  }

  std::vector<std::string> WantedMetrics() const {
    std::set<std::string> wanted;
    if (const ConfigNode* metrics = node_.Find("metrics")) {
      for (const auto& [name, value] : metrics->pairs()) {
        wanted.insert(name.text() + " " + NumberText(value.text()));
      }
    }
    return {wanted.begin(), wanted.end()};
  }

  std::vector<std::string> Metrics() {
    std::set<std::string> all;
    for (const auto& drop : pipeline_->drops()) {
      if (!drop->promtail_counts || drop->lines.value() == 0) continue;
      all.insert("logentry_dropped_lines_total{reason=\"" + drop->reason + "\"} " +
                 std::to_string(drop->lines.value()));
    }
    for (const auto& metric : metrics_.all()) {
      for (const auto& series : metric->Scrape(clock_.MonotonicNanos())) {
        AddSeries(metric->definition(), series, all);
      }
    }
    MetricTexts texts(all);
    shared_.CollectMetrics(texts);
    return {all.begin(), all.end()};
  }

  static void AddSeries(const CustomMetricDefinition& definition,
                        const CustomMetric::Series& series, std::set<std::string>& all) {
    std::string labels;
    for (const Label& label : series.labels) {
      labels += (labels.empty() ? "" : ",") + label.name + "=" + Quoted(label.value);
    }
    const auto add = [&](const std::string& suffix, const std::string& own, double value) {
      std::string both = own + (own.empty() || labels.empty() ? "" : ",") + labels;
      if (!both.empty()) both = "{" + both + "}";
      std::string text = definition.name + suffix + both + " ";
      AppendGoFloat(value, text);
      all.insert(text);
    };
    if (definition.type != CustomMetricType::kHistogram) return add("", "", series.value);
    uint64_t below = 0;
    for (std::size_t i = 0; i < series.bucket_counts.size(); ++i) {
      below += series.bucket_counts[i];
      std::string bound = "+Inf";
      if (i < definition.buckets.size()) {
        bound.clear();
        AppendGoFloat(definition.buckets[i], bound);
      }
      add("_bucket", "le=\"" + bound + "\"", static_cast<double>(below));
    }
    add("_sum", "", series.value);
    add("_count", "", static_cast<double>(series.count));
  }

  static std::string Compare(const std::string& what, const std::vector<std::string>& wanted,
                             const std::vector<std::string>& actual) {
    if (wanted == actual) return {};
    std::string text = what + " differ\n";
    for (const std::string& line : wanted)
      text += "  wanted " + line + "\n";
    for (const std::string& line : actual)
      text += "  got    " + line + "\n";
    return text;
  }

  const ConfigNode& node_;
  LabelSets sets_;
  FakeClock clock_;
  Logger logger_{2, LogLevel::kError, LogFormat::kLogfmt};
  CustomMetrics metrics_;
  SharedStates shared_;
  std::unique_ptr<Pipeline> pipeline_;
  Labels start_;
  std::vector<std::string> lines_;
  std::vector<std::string> actual_;
};

}  // namespace

std::string RunPipelineTest(const ConfigNode& test) {
  return Case(test).Run();
}

std::vector<PipelineTestOutcome> RunPipelineTestFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  Problems problems(path, text.str());
  const ConfigNode root = LoadYaml(text.str(), problems);
  std::vector<PipelineTestOutcome> outcomes;
  const ConfigNode* tests = root.Find("tests");
  if (problems.has_errors() || tests == nullptr) {
    return {{path, "cannot be read: " + problems.Format(/*color=*/false)}};
  }
  for (const ConfigNode& test : tests->items()) {
    outcomes.push_back({test.Find("name")->text(), Case(test).Run()});
  }
  return outcomes;
}

}  // namespace agent
