// `outputs`: receivers beside `clients`.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/sections.h"

namespace agent {
namespace {

constexpr std::string_view kKinds = "elasticsearch, file, logstash or stdout";

OutputConfig ReadOutput(const ConfigNode& item, const std::string& path, Problems& problems) {
  FieldReader fields(item, path, problems);
  OutputConfig output;
  output.name = fields.RequiredString("name");
  output.buffer = ReadBuffer(fields);
  output.required = fields.Bool("required", true);
  std::vector<std::string_view> kinds;
  if (fields.Node("elasticsearch") != nullptr) {
    kinds.emplace_back("elasticsearch");
    output.elasticsearch = ReadElasticsearch(fields);
  }
  if (fields.Node("file") != nullptr) {
    kinds.emplace_back("file");
    output.file = ReadFile(fields);
  }
  if (fields.Node("logstash") != nullptr) {
    kinds.emplace_back("logstash");
    output.logstash = ReadLogstash(fields);
  }
  if (fields.Has("stdout")) {
    kinds.emplace_back("stdout");
    output.to_stdout = ReadStdout(fields);
  }
  if (kinds.empty() && item.is_map())
    fields.MapError("an output needs its kind: " + std::string(kKinds));
  if (kinds.size() > 1) fields.Error(kinds[1], "an output is of one kind", "make two of it");
  fields.Finish();
  return output;
}

// A folder with batches of one kind is of no use to another output.
void CheckBufferPath(const OutputConfig& output, const std::vector<ClientConfig>& clients,
                     const std::vector<OutputConfig>& before, const ConfigNode& item,
                     const std::string& path, Problems& problems) {
  const std::string folder = NormalFolder(output.buffer.path);
  const auto takes_it = [&folder](const auto& other) {
    return NormalFolder(other.buffer.path) == folder;
  };
  if (folder.empty()) return;
  const auto client = std::find_if(clients.begin(), clients.end(), takes_it);
  const auto other = std::find_if(before.begin(), before.end(), takes_it);
  if (client == clients.end() && other == before.end()) return;
  problems.Error(item.Find("buffer")->Find("path")->place(), path + ".buffer.path",
                 "a buffer is for one output: " + output.buffer.path + " is taken",
                 "by '" + (client != clients.end() ? client->name : other->name) + "'");
}

// Filebeat's configurations have them beside the output.
void RefuseSetupAtTop(FieldReader& top) {
  for (const auto& [key, value] : top.node().pairs()) {
    if (key.text() != "setup" && !key.text().starts_with("setup.")) continue;
    top.Node(key.text());
    top.Error(key.text(), "is of an output", "put it, as it is, under outputs: elasticsearch");
  }
}

// Their names are what jobs and positions know them by.
void CheckName(const OutputConfig& output, const std::vector<ClientConfig>& clients,
               const std::vector<OutputConfig>& before, const ConfigNode& item,
               const std::string& path, Problems& problems) {
  const auto same = [&output](const auto& other) { return other.name == output.name; };
  const bool taken = std::any_of(clients.begin(), clients.end(), same) ||
                     std::any_of(before.begin(), before.end(), same);
  if (!taken || output.name.empty()) return;
  problems.Error(item.Find("name")->place(), path + ".name",
                 "there is an output called '" + output.name + "' already");
}

// Two that write to one place would write into each other's lines.
void CheckPlace(const OutputConfig& output, const std::vector<OutputConfig>& before,
                const ConfigNode& item, const std::string& path, Problems& problems) {
  for (const OutputConfig& other : before) {
    const bool same_file = output.file && other.file && output.file->path == other.file->path;
    if (same_file && !output.file->path.empty()) {
      problems.Error(item.Find("file")->Find("path")->place(), path + ".file.path",
                     "the output '" + other.name + "' writes to this path already");
    }
    if (output.to_stdout && other.to_stdout) {
      problems.Error(item.Find("stdout")->place(), path + ".stdout",
                     "the output '" + other.name + "' writes to standard output already");
    }
  }
}

}  // namespace

std::vector<OutputConfig> ReadOutputs(FieldReader& top, const std::vector<ClientConfig>& clients) {
  std::vector<OutputConfig> outputs;
  RefuseSetupAtTop(top);
  top.List("outputs", [&](const ConfigNode& item, const std::string& path) {
    OutputConfig output = ReadOutput(item, path, top.problems());
    CheckName(output, clients, outputs, item, path, top.problems());
    CheckBufferPath(output, clients, outputs, item, path, top.problems());
    CheckPlace(output, outputs, item, path, top.problems());
    outputs.push_back(std::move(output));
  });
  return outputs;
}

}  // namespace agent
