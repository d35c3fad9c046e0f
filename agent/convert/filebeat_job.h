// What an input of Filebeat's becomes while it is converted: a job, and what the documents of its
// lines look like.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/convert/beat_node.h"
#include "agent/convert/finding.h"
#include "agent/convert/yaml_out.h"

namespace agent::convert {

// `document.json`.
struct LineJson {
  bool under_root = false;
  bool overwrite = false;
  bool add_error = false;
  bool drop_line = false;

  friend bool operator==(const LineJson& a, const LineJson& b) = default;
};

// What belongs to an output: inputs that differ in it get outputs of their own.
struct Document {
  std::optional<LineJson> json;
  std::vector<std::string> tags;
  std::vector<std::string> remove;
  std::vector<std::pair<std::string, std::string>> rename;
  std::string max_message_size;
  std::string index;     // Of an input that names its own.
  std::string pipeline;  // The same.

  friend bool operator==(const Document& a, const Document& b) = default;
};

// A value that all lines of a job have in their documents.
struct Constant {
  std::string path;  // "fields.service"
  std::string text;
  std::string type;  // "": a text; else "int", "float" or "bool".

  friend bool operator==(const Constant& a, const Constant& b) = default;
};

// Where the constants of a job can be written as labels.
enum class LabelHome : uint8_t { kTargets, kSource, kStage };

struct Job {
  std::string name;
  std::string source_key;  // "static_configs", "journal", …
  YamlOut source;
  LabelHome label_home = LabelHome::kTargets;
  YamlOut relabel = YamlOut::List();
  YamlOut stages = YamlOut::List();
  std::string encoding;
  std::vector<std::string> outputs;  // Names; empty: all.

  std::vector<Constant> constants;
  // Labels, and where they stand in a document; with an empty path they are there already, under
  // the name that Beats give them.
  std::vector<std::pair<std::string, std::string>> label_paths;
  std::vector<std::string> fields;  // Extracted values that belong into the document.
  Document document;

  // Names of values that stages have extracted so far.
  std::vector<std::string> extracted;
  // Lines are JSON: under which name their members stand in a document; "" is the root.
  std::optional<std::string> json_target;

  void AddStage(std::string_view stage, YamlOut body) {
    stages.Add(YamlOut::Map({{std::string(stage), std::move(body)}}));
  }
  void AddRelabel(YamlOut rule) { relabel.Add(std::move(rule)); }
  // A label, and where it belongs in a document.
  void AddLabelPath(std::string label, std::string path) {
    label_paths.emplace_back(std::move(label), std::move(path));
  }
  [[nodiscard]] bool Extracts(std::string_view field) const;
};

// Everything that the parts of a conversion share.
struct Beat {
  const BeatNode& root;
  Findings& findings;
  std::vector<Job> jobs;
  std::string sync_period;  // The shortest `scan_frequency`.

  void Say(FindingKind kind, const BeatNode& node, std::string message) const {
    findings.Add(kind, node.place(), node.path(), std::move(message));
  }
};

// A name that a label may have.
std::string LabelName(std::string_view text);
// So that an expression means the text itself.
std::string QuoteExpression(std::string_view text);
// Go's way to write a text in double quotes: in templates and selectors.
std::string GoQuoted(std::string_view text);
// A scalar as a constant.
Constant ToConstant(std::string path, const BeatNode& value);

// `base`, with a number behind it when a job is called that already.
std::string UnusedJobName(const Beat& beat, const std::string& base);

// The value of a field of Filebeat's event, as stages know it.
struct FieldValue {
  bool is_line = false;
  std::string extracted;                // The name of an extracted value.
  std::optional<std::string> constant;  // What it always is.
};
// Adds what is needed to extract it. Nullopt when nothing is known of such a field.
std::optional<FieldValue> ExtractField(Job& job, const std::string& field);

// filebeat_lines.cc: what an input says of its lines, whatever it reads: encoding, JSON, multiline,
// filters, parsers.
void ConvertLines(Beat& beat, const BeatNode& input, Job& job);
// Takes the wrapper of Docker or CRI off, whichever it is.
void UnwrapContainerLines(Job& job);
// `json`, `ndjson` and decode_json_fields.
void DecodeLines(Job& job, const LineJson& json, const std::string& target);

// filebeat_inputs.cc: `filebeat.inputs`.
void ConvertInputs(Beat& beat);
// One input; none is made of what is not known or not enabled.
void ConvertInput(Beat& beat, const BeatNode& input, std::string_view name);
// `exclude_files` as a glob where that is possible; else lines of such files are dropped.
std::string ExcludedFiles(Beat& beat, const BeatNode& input, Job& job);
// Fields, tags and processors, of an input and of the whole.
void ConvertEvent(Beat& beat, const BeatNode& input, Job& job);

// filebeat_containers.cc: containers of a Docker daemon, of a Kubernetes node, of files.
void ReadDockerContainers(Job& job);
void ReadKubernetesPods(Job& job);
void ConvertContainerInput(Beat& beat, const BeatNode& input, Job& job);
// Whether a processor of this name is there, of the input or of the whole.
bool HasProcessor(const Beat& beat, const BeatNode& input, std::string_view name);

// filebeat_autodiscover.cc: `filebeat.autodiscover`.
void ConvertAutodiscover(Beat& beat);

// filebeat_processors.cc: a list of processors.
void ConvertProcessors(Beat& beat, const BeatNode& list, Job& job);

// filebeat_conditions.cc: `when` of a processor. As a condition in a template: "eq .level "debug"";
// nullopt when something in it is not known, which was said.
std::optional<std::string> TemplateCondition(Beat& beat, const BeatNode& condition, Job& job);
// Drops what fits.
void ConvertDropEvent(Beat& beat, const BeatNode& condition, Job& job);

// filebeat_dissect.cc: a tokenizer as an expression of grok; empty when it has what grok has not.
std::string GrokOfDissect(std::string_view tokenizer, std::string_view prefix,
                          std::vector<std::string>& fields);

// filebeat_outputs.cc: `output`, one for each kind of document, and `outputs` of the jobs.
YamlOut ConvertOutputs(Beat& beat);

// filebeat_settings.cc: everything else at the top.
void ConvertSettings(Beat& beat, YamlOut& out);

}  // namespace agent::convert
