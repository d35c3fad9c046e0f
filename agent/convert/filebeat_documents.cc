#include "agent/convert/filebeat_documents.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace agent::convert {
namespace {

void AddOnce(std::vector<std::string>& all, const std::string& one) {
  if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
}

// Puts the constants of the jobs into labels, where they are not of all of them, and says in the
// document where they belong.
class DocumentWriter {
 public:
  DocumentWriter(Beat& beat, const Profile& profile) : beat_(beat), profile_(profile) {}

  YamlOut Write() {
    for (const std::size_t index : profile_.jobs) {
      Job& job = beat_.jobs[index];
      for (const Constant& constant : job.constants)
        AddConstant(job, constant);
      for (const auto& [label, path] : job.label_paths) {
        if (path.empty()) {
          AddOnce(remove_, "labels." + label);
        } else {
          rename_.Put("labels." + label, YamlOut::Text(path));
        }
      }
      if (job.source_key == "static_configs") AddOnce(remove_, "labels.filename");
      for (const std::string& field : job.fields)
        AddOnce(fields_, field);
    }
    return Put();
  }

 private:
  void AddConstant(Job& job, const Constant& constant) {
    if (!constant.type.empty()) {
      job.AddStage("template", YamlOut::Map({{"source", YamlOut::Text(constant.path)},
                                             {"template", YamlOut::Text(constant.text)}}));
      AddOnce(fields_, constant.path + ':' + constant.type);
      return;
    }
    if (AllHave(beat_, profile_, constant)) {
      add_.Put(constant.path, YamlOut::Text(constant.text));
      return;
    }
    constexpr std::string_view kLabels = "labels.";
    const bool is_label =
        constant.path.starts_with(kLabels) &&
        constant.path.substr(kLabels.size()) == LabelName(constant.path.substr(kLabels.size()));
    const std::string label =
        is_label ? constant.path.substr(kLabels.size()) : LabelName(constant.path);
    if (!is_label) rename_.Put("labels." + label, YamlOut::Text(constant.path));
    if (job.label_home == LabelHome::kTargets) {
      for (YamlOut& target : job.source.items())
        target["labels"].Put(label, YamlOut::Text(constant.text));
    } else if (job.label_home == LabelHome::kSource) {
      job.source["labels"].Put(label, YamlOut::Text(constant.text));
    } else {
      labels_of_stage_[job.name].Put(label, YamlOut::Text(constant.text));
    }
  }

  YamlOut Put() {
    for (const std::size_t index : profile_.jobs) {
      Job& job = beat_.jobs[index];
      if (labels_of_stage_.Has(job.name)) job.AddStage("static_labels", labels_of_stage_[job.name]);
    }
    YamlOut out;
    const Document& document = profile_.document;
    if (document.json) {
      YamlOut json;
      if (document.json->under_root) json.Put("keys_under_root", YamlOut::Bool(true));
      if (document.json->overwrite) json.Put("overwrite_keys", YamlOut::Bool(true));
      if (document.json->add_error) json.Put("add_error_key", YamlOut::Bool(true));
      if (document.json->drop_line) json.Put("drop_line", YamlOut::Bool(true));
      out.Put("json", std::move(json));
    }
    if (!document.tags.empty()) out.Put("tags", YamlOut::Texts(document.tags));
    if (!add_.empty()) out.Put("add", std::move(add_));
    if (!fields_.empty()) out.Put("fields", YamlOut::Texts(fields_));
    for (const std::string& path : document.remove)
      AddOnce(remove_, path);
    if (!remove_.empty()) out.Put("remove", YamlOut::Texts(remove_));
    for (const auto& [from, to] : document.rename)
      rename_.Put(from, YamlOut::Text(to));
    if (!rename_.empty()) out.Put("rename", std::move(rename_));
    if (!document.max_message_size.empty()) {
      out.Put("max_message_size", YamlOut::Word(document.max_message_size));
    }
    return out;
  }

  Beat& beat_;
  const Profile& profile_;
  YamlOut add_;
  YamlOut rename_;
  YamlOut labels_of_stage_;
  std::vector<std::string> fields_;
  std::vector<std::string> remove_;
};

}  // namespace

std::vector<Profile> ProfilesOf(const std::vector<Job>& jobs) {
  std::vector<Profile> profiles;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto known = std::find_if(profiles.begin(), profiles.end(), [&](const Profile& profile) {
      return profile.document == jobs[i].document;
    });
    if (known != profiles.end()) {
      known->jobs.push_back(i);
    } else {
      profiles.push_back({jobs[i].document, {i}});
    }
  }
  if (profiles.empty()) profiles.push_back({});
  return profiles;
}

bool AllHave(const Beat& beat, const Profile& profile, const Constant& constant) {
  return std::all_of(profile.jobs.begin(), profile.jobs.end(), [&](std::size_t index) {
    const std::vector<Constant>& constants = beat.jobs[index].constants;
    return std::find(constants.begin(), constants.end(), constant) != constants.end();
  });
}

YamlOut WriteDocument(Beat& beat, const Profile& profile) {
  return DocumentWriter(beat, profile).Write();
}

}  // namespace agent::convert
