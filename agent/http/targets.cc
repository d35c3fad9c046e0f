// `/targets` answers "what is read, how far, and where does it go": for people as a page, for
// programs as JSON.

#include "agent/http/targets.h"

#include <array>
#include <cstdio>

#include "agent/http/endpoints.h"
#include "agent/http/html.h"
#include "agent/http/json_writer.h"
#include "agent/http/outputs.h"

namespace agent {
namespace {

std::string SourceText(const FileInfo& file) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%016llx.%u",
                static_cast<unsigned long long>(file.source_id), file.generation);
  return text.data();
}

void AppendFile(const FileInfo& file, JsonWriter& json) {
  json.BeginObject().Key("path").String(file.path).Key("identity").String(IdentityText(file));
  json.Key("device").Number(file.device).Key("inode").Number(file.inode);
  json.Key("source_id").String(SourceText(file)).Key("state").String(file.state);
  json.Key("size_bytes").Number(file.size_bytes).Key("read_bytes").Number(file.read_bytes);
  json.Key("settled_bytes").Number(file.settled_bytes);
  json.Key("lag_bytes").Number(file.lag_bytes()).Key("lag_seconds").Number(file.lag_seconds);
  json.Key("last_error").String(file.last_error).EndObject();
}

void AppendTarget(const TargetStatus& target, JsonWriter& json) {
  json.BeginObject().Key("labels").Object(target.labels);
  json.Key("discovered_labels").Object(target.discovered_labels);
  json.Key("path").String(target.path_pattern).Key("ready").Bool(target.ready);
  json.Key("last_error").String(target.last_error);
  json.Key("waits_for").String(target.waits_for).Key("files").BeginArray();
  for (const FileInfo& file : target.files)
    AppendFile(file, json);
  json.EndArray().EndObject();
}

void AppendLabel(const LabelInfo& label, JsonWriter& json) {
  json.BeginObject().Key("name").String(label.name).Key("values").Number(label.values);
  json.Key("from_targets").Number(label.from_targets).Key("limit").Number(label.limit);
  json.Key("exceeded").Number(label.exceeded).Key("sample").String(label.sample).EndObject();
}

void AppendOutput(const OutputView& output, JsonWriter& json) {
  for (const LaneInfo& lane : output.lanes) {
    json.BeginObject().Key("output").String(output.name).Key("kind").String(output.kind);
    json.Key("receiver").String(output.receiver);
    AppendLaneMembers(lane, json);
    json.EndObject();
  }
}

}  // namespace

std::string IdentityText(const FileInfo& file) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "dev %u:%u inode %llu, id ",
                static_cast<unsigned>(file.device >> 8U & 0xfffU),
                static_cast<unsigned>((file.device & 0xffU) | (file.device >> 12U & 0xfff00U)),
                static_cast<unsigned long long>(file.inode));
  return text.data() + SourceText(file);
}

ServerResponse TargetsJson(const TargetsView& view) {
  JsonWriter json;
  json.BeginObject().Key("jobs").BeginArray();
  for (const JobStatus& job : view.jobs) {
    json.BeginObject().Key("name").String(job.name).Key("targets").BeginArray();
    for (const TargetStatus& target : job.targets)
      AppendTarget(target, json);
    json.EndArray().Key("labels").BeginArray();
    for (const LabelInfo& label : job.labels)
      AppendLabel(label, json);
    json.EndArray().Key("dropped_count").Number(uint64_t{job.dropped_count}).EndObject();
  }
  json.EndArray().Key("outputs").BeginArray();
  for (const OutputView& output : view.outputs)
    AppendOutput(output, json);
  json.EndArray().EndObject();
  return {.content_type = "application/json",
          .body = json.Take() + "\n",
          .headers = {{"Cache-Control", "no-store"}}};
}

ServerResponse ServeTargets(const ServerRequest& request, EndpointContext& context) {
  const std::string_view job = request.Query("job");
  const TargetsView view{context.view.Jobs(job), context.view.Outputs(), context.view.JobNames(),
                         job};
  if (WantsJson(request)) return TargetsJson(view);
  return TargetsPage(view, context.view.Ready(), context.view.Info());
}

}  // namespace agent
