#include "agent/convert/filebeat.h"

#include <utility>
#include <vector>

#include "agent/convert/beat_node.h"
#include "agent/convert/filebeat_job.h"
#include "agent/convert/yaml_out.h"
#include "base/config/yaml.h"

namespace agent::convert {
namespace {

YamlOut JobYaml(Job& job) {
  YamlOut out = YamlOut::Map({{"job_name", YamlOut::Text(job.name)}});
  if (!job.outputs.empty()) out.Put("outputs", YamlOut::Texts(job.outputs));
  if (!job.encoding.empty()) out.Put("encoding", YamlOut::Text(job.encoding));
  out.Put(job.source_key, std::move(job.source));
  if (!job.relabel.empty()) out.Put("relabel_configs", std::move(job.relabel));
  if (!job.stages.empty()) out.Put("pipeline_stages", std::move(job.stages));
  return out;
}

}  // namespace

Conversion ConvertFilebeat(const std::string& file, const std::string& text) {
  Conversion conversion;
  Problems problems(file, text);
  const ConfigNode tree = LoadYaml(text, problems);
  if (!problems.has_errors() && !tree.is_map() && !tree.is_null()) {
    problems.Error(tree.place(), "", "expected a map of settings");
  }
  if (problems.has_errors()) {
    conversion.error = problems.Format(/*color=*/false);
    return conversion;
  }
  Findings findings;
  const BeatNode root = BeatNode::From(tree, findings);
  Beat beat{root, findings, {}, ""};
  ConvertInputs(beat);
  ConvertAutodiscover(beat);
  YamlOut out;
  ConvertSettings(beat, out);
  YamlOut outputs = ConvertOutputs(beat);
  if (outputs.empty()) {
    findings.Add(FindingKind::kNoEquivalent, {}, "output",
                 "none is left: name a receiver in outputs");
  }
  out.Put("outputs", std::move(outputs));
  YamlOut jobs = YamlOut::List();
  for (Job& job : beat.jobs)
    jobs.Add(JobYaml(job));
  out.Put("scrape_configs", std::move(jobs));
  root.ReportUnused(findings);
  const bool expanded = out.HasVariables();
  out.Comment("Made from " + file.substr(file.rfind('/') + 1) + " of Filebeat.");
  if (expanded) out.Comment("Start with -config.expand-env=true.");
  conversion.text = out.Print(expanded);
  conversion.findings = findings.Sorted();
  return conversion;
}

}  // namespace agent::convert
