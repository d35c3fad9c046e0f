// Several requests at once, waited for.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/doctor/finding.h"
#include "agent/doctor/reach.h"
#include "agent/doctor/system.h"
#include "base/config/yaml.h"
#include "base/http/http_client.h"
#include "base/http/http_options.h"

namespace agent::doctor {

// All at the same time, each with this limit; answers in the order of the requests.
std::vector<HttpResponse> FetchAll(const HttpOptions& options, std::vector<HttpRequest> requests,
                                   std::chrono::milliseconds timeout);

HttpRequest GetRequest(const std::string& url);

// An answer in JSON or YAML as a tree; null where it is neither.
ConfigNode ParseAnswer(const std::string& body);
// The value below a path of keys; null when there is none.
const ConfigNode* FindPath(const ConfigNode& node, const std::vector<std::string>& keys);
std::string TextAt(const ConfigNode& node, const std::vector<std::string>& keys);
// "400 Bad Request: first line of the body", or why there is no answer. At most one line.
std::string AnswerText(const HttpResponse& answer);

// Where a URL leads: to the host in it, or to the proxy before it.
struct UrlWay {
  Endpoint endpoint;
  bool proxied = false;
};
std::optional<UrlWay> WayTo(const std::string& url, const HttpOptions& options);

// The way to a URL's host, or to its proxy, reported; false when nothing can be asked there.
bool ReachUrl(const std::string& url, const HttpOptions& options, std::chrono::milliseconds timeout,
              const Group& group);

// Credentials that stand in files: those that cannot be read are reported. False then.
bool CheckCredentialFiles(const HttpOptions& options, const System& system, const Group& group);

}  // namespace agent::doctor
