// discovery/README.md has every label that is there for relabelling.

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "agent/docs/keys.h"
#include "agent/docs/pages.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

// A source that makes labels, and how it calls what sets one: the name behind it stands in quotes,
// without the prefix.
struct Source {
  std::string_view file;
  std::string_view call;
  std::string_view prefix;
};
constexpr std::array kSources = std::to_array<Source>({
    {"discovery/docker/docker_labels.cc", "Set(common, \"", "__meta_docker_"},
    {"discovery/docker/docker_labels.cc", "Set(labels, \"", "__meta_docker_"},
    {"discovery/kubernetes/object_labels.cc", "Set(common, \"", "__meta_kubernetes_"},
    {"discovery/kubernetes/object_labels.cc", "Set(common_, \"", "__meta_kubernetes_"},
    {"discovery/kubernetes/object_labels.cc", "Set(labels, \"", "__meta_kubernetes_"},
    {"discovery/kubernetes/object_labels.cc", " set(\"", "__meta_kubernetes_endpointslice_"},
    {"agent/receivers/syslog/syslog_labels.cc", "\"__syslog_", "__syslog_"},
});

std::set<std::string> LabelsIn(const Source& source) {
  std::ifstream file(std::string(AGENT_SOURCE_DIR) + "/" + std::string(source.file));
  const std::string text(std::istreambuf_iterator<char>(file), {});
  std::set<std::string> labels;
  for (std::size_t at = text.find(source.call); at != std::string::npos;
       at = text.find(source.call, at + 1)) {
    const std::size_t begin = at + source.call.size();
    std::string name(source.prefix);
    name += text.substr(begin, text.find('"', begin) - begin);
    const bool goes_on = std::any_of(kSources.begin(), kSources.end(),
                                     [&name](const Source& one) { return one.prefix == name; });
    if (goes_on) continue;
    // What follows is a name from outside.
    if (name.ends_with('_')) name += "NAME";
    labels.insert(name);
  }
  return labels;
}

std::set<std::string> Documented() {
  std::set<std::string> labels;
  for (const docs::Page& page : docs::AllPages()) {
    if (page.path != "discovery/README.md") continue;
    for (const docs::KeyRow& row : docs::KeyRows(docs::ParseMarkdown(page.text))) {
      if (row.titles.front() == "label") labels.insert(row.names.begin(), row.names.end());
    }
  }
  return labels;
}

}  // namespace

TEST_CASE("reference: every label for relabelling is documented", "[docs]") {
  const std::set<std::string> documented = Documented();
  for (const Source& source : kSources) {
    const std::set<std::string> labels = LabelsIn(source);
    INFO(source.file << " " << source.call);
    CHECK_FALSE(labels.empty());
    for (const std::string& label : labels) {
      INFO(label);
      const bool known =
          documented.contains(label) || (label == "__syslog_message_sd_NAME" &&
                                         documented.contains("__syslog_message_sd_ID_NAME"));
      CHECK(known);
    }
  }
}

}  // namespace agent
