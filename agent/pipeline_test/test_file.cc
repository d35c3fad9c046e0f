#include "agent/pipeline_test/test_file.h"

#include <algorithm>
#include <map>
#include <utility>

#include "agent/stage_check.h"
#include "base/config/field_reader.h"
#include "base/config/spelling.h"
#include "base/read_file.h"
#include "pipeline/time/rfc3339.h"

namespace agent {
namespace {

constexpr int64_t kDefaultStartNs = 1'767'323'045 * kNanosPerSecond;  // 2026-01-02T03:04:05Z.

std::string Sibling(const std::string& file, const std::string& name) {
  const std::size_t slash = file.rfind('/');
  if (name.starts_with('/') || slash == std::string::npos) return name;
  return file.substr(0, slash + 1) + name;
}

// The labels of all of a job's static_configs, without those that never reach an entry.
Labels LabelsOfJob(const ScrapeConfig& job) {
  Labels labels;
  for (const StaticConfig& group : job.static_configs) {
    for (const Label& label : group.labels) {
      if (!label.name.starts_with("__")) labels.Set(label.name, label.value);
    }
  }
  return labels;
}

class TestFileReader {
 public:
  TestFileReader(PipelineTestFile& file, const Environment& environment)
      : file_(file), environment_(environment) {}

  void Read() {
    FieldReader fields(*file_.root, "", file_.problems);
    Defaults defaults;
    ReadDefaults(fields, defaults);
    bool any = false;
    fields.List("tests", [&](const ConfigNode& item, const std::string& path) {
      any = true;
      ReadTest(item, path, defaults);
    });
    if (!any) fields.Error("tests", "a file of tests needs at least one", "tests: [{name: ...}]");
    fields.Finish();
  }

 private:
  // What a test may say, and the file for all of them.
  struct Defaults {
    std::string config;
    std::string job;
    bool expand_env = false;
    Labels labels;
    int64_t start_ns = kDefaultStartNs;
  };

  void ReadDefaults(FieldReader& fields, Defaults& values) {
    values.config = fields.String("config", values.config);
    values.job = fields.String("job", values.job);
    values.expand_env = fields.Bool("expand_env", values.expand_env);
    for (const auto& [name, value] : fields.StringMap("labels", /*null_as_empty=*/true)) {
      values.labels.Set(name, value);
    }
    values.start_ns = ReadTime(fields, "time", values.start_ns);
  }

  static int64_t ReadTime(FieldReader& fields, std::string_view key, int64_t default_ns) {
    const std::string text = fields.String(key);
    if (text.empty()) return default_ns;
    if (const auto time = Rfc3339Parser().Parse(text)) return *time;
    fields.Error(key, "expected a time, got '" + text + "'", "such as 2026-01-02T03:04:05Z");
    return default_ns;
  }

  void ReadTest(const ConfigNode& node, const std::string& path, Defaults values) {
    FieldReader fields(node, path, file_.problems);
    PipelineTest test;
    test.node = &node;
    test.name = fields.RequiredString("name");
    // A test with stages of its own has nothing of the file's job.
    const ConfigNode* const stages = fields.Node("pipeline_stages");
    if (stages != nullptr && !fields.Has("config")) values.config.clear();
    ReadDefaults(fields, values);
    test.start_ns = values.start_ns;
    if (stages == nullptr) {
      ReadJob(fields, values, test);
    } else if (!values.config.empty()) {
      fields.Error("config", "a test has stages of its own, or those of a job, not both");
    } else {
      test.stages.list = std::shared_ptr<const ConfigNode>(file_.root, stages);
      test.stages.path = path + ".pipeline_stages";
    }
    for (const Label& label : values.labels)
      test.labels.Set(label.name, label.value);
    ReadInputs(fields, test);
    ReadEntries(fields, test);
    ReadMetrics(fields, test);
    test.errors = fields.StringList("errors");
    test.warnings = fields.StringList("warnings");
    if (!test.errors.empty() && (test.entries || test.metrics)) {
      fields.Error("errors", "nothing comes out of stages with errors",
                   "leave out 'entries' and 'metrics', or 'errors'");
    }
    fields.Finish();
    file_.tests.push_back(std::move(test));
  }

  void ReadJob(FieldReader& fields, const Defaults& values, PipelineTest& test) {
    if (values.config.empty()) {
      return fields.MapError("a test needs 'pipeline_stages', or a 'config' whose job it tests");
    }
    test.stages.config = Load(values, fields);
    if (test.stages.config == nullptr) return;
    const std::vector<ScrapeConfig>& jobs = test.stages.config->config.scrape_configs;
    if (values.job.empty() && jobs.size() == 1) return UseJob(jobs[0], test);
    for (const ScrapeConfig& job : jobs) {
      if (job.job_name == values.job) return UseJob(job, test);
    }
    // Of a file that is wrong there may be no jobs; that it is wrong is what the test is told.
    if (test.stages.config->problems.has_errors()) return;
    std::vector<std::string> names;
    names.reserve(jobs.size());
    for (const ScrapeConfig& job : jobs)
      names.push_back(job.job_name);
    const std::string near = NearestSpelling(values.job, names);
    fields.Error("job",
                 values.job.empty()
                     ? "which job? " + values.config + " has " + std::to_string(jobs.size())
                     : values.config + " has no job '" + values.job + "'",
                 near.empty() ? "" : "did you mean '" + near + "'?");
  }

  static void UseJob(const ScrapeConfig& job, PipelineTest& test) {
    test.stages.list = job.pipeline_stages;
    test.stages.path = job.pipeline_path;
    test.stages.job = job.job_name;
    test.labels = LabelsOfJob(job);
  }

  // Each configuration once. Null when there is no such file, which is reported.
  std::shared_ptr<const LoadedConfig> Load(const Defaults& values, FieldReader& fields) {
    auto& loaded = configs_[{values.config, values.expand_env}];
    if (loaded != nullptr) return loaded;
    const std::string path = Sibling(file_.path, values.config);
    const Result<std::string> text = ReadSmallFile(path);
    if (!text.ok()) {
      fields.Error("config", "cannot be read: " + text.error().message,
                   "a path from the folder of this file");
      return nullptr;
    }
    Flags flags;
    flags.expand_env = values.expand_env;
    loaded = std::make_shared<const LoadedConfig>(
        LoadConfigText(path, *text, flags, CheckStages, environment_));
    return loaded;
  }

  void ReadInputs(FieldReader& fields, PipelineTest& test) {
    fields.List("lines", [&](const ConfigNode& item, const std::string& path) {
      TestInput input;
      if (item.is_map()) {
        FieldReader step(item, path, file_.problems);
        input.advance_ns = step.Duration("advance", {}).count();
        if (input.advance_ns == 0) {
          step.MapError("expected a line, or time that passes: {advance: 4s}");
        }
        step.Finish();
      } else if (item.is_scalar()) {
        input.line = item.text();
      } else {
        file_.problems.Error(item.place(), path,
                             "expected a line, got " + std::string(item.KindName()));
      }
      test.inputs.push_back(std::move(input));
    });
  }

  void ReadEntries(FieldReader& fields, PipelineTest& test) {
    if (!fields.Has("entries")) return;
    test.entries.emplace();
    fields.List("entries", [&](const ConfigNode& item, const std::string& path) {
      FieldReader entry(item, path, file_.problems);
      ExpectedEntry expected;
      expected.place = item.place();
      if (!entry.Has("line")) entry.MapError("an entry needs its 'line'");
      expected.entry.line = entry.String("line");
      expected.entry.timestamp_ns = ReadTime(entry, "timestamp", test.start_ns);
      expected.entry.labels = Texts(entry, "labels");
      expected.entry.structured_metadata = Texts(entry, "structured_metadata");
      expected.has_extracted = entry.Has("extracted");
      expected.entry.extracted = Values(entry, "extracted");
      entry.Finish();
      test.entries->push_back(std::move(expected));
    });
  }

  void ReadMetrics(FieldReader& fields, PipelineTest& test) {
    if (!fields.Has("metrics")) return;
    test.metrics = Values(fields, "metrics");
    const ConfigNode* const node = fields.Node("metrics");
    for (const auto& [name, value] : node->pairs()) {
      if (value.IsNumber()) continue;
      file_.problems.Error(value.place(), fields.PathOf("metrics"),
                           "expected a number, got " + std::string(value.KindName()));
    }
  }

  // Labels and metadata are always texts.
  static YamlValues Texts(FieldReader& fields, std::string_view key) {
    YamlValues texts;
    for (const auto& [name, value] : fields.StringMap(key, /*null_as_empty=*/true)) {
      texts[name] = YamlQuoted(value);
    }
    return texts;
  }

  static YamlValues Values(FieldReader& fields, std::string_view key) {
    YamlValues values;
    const ConfigNode* const node = fields.Node(key);
    if (node == nullptr || node->is_null()) return values;
    if (!node->is_map()) {
      fields.Error(key, "expected a map, got " + std::string(node->KindName()));
      return values;
    }
    for (const auto& [name, value] : node->pairs())
      values[name.text()] = YamlValueOf(value);
    return values;
  }

  PipelineTestFile& file_;
  const Environment& environment_;
  std::map<std::pair<std::string, bool>, std::shared_ptr<const LoadedConfig>> configs_;
};

}  // namespace

PipelineTestFile ParsePipelineTests(const std::string& path, const std::string& text,
                                    const Environment& environment) {
  PipelineTestFile file;
  file.path = path;
  file.text = text;
  file.problems = Problems(path, text);
  file.root = std::make_shared<const ConfigNode>(LoadYaml(text, file.problems));
  if (!file.problems.has_errors()) TestFileReader(file, environment).Read();
  return file;
}

PipelineTestFile LoadPipelineTests(const std::string& path, const Environment& environment) {
  const Result<std::string> text = ReadSmallFile(path);
  if (text.ok()) return ParsePipelineTests(path, *text, environment);
  PipelineTestFile file;
  file.path = path;
  file.problems.Error({}, {}, text.error().message);
  return file;
}

}  // namespace agent
