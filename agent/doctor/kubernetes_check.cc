// A Kubernetes API server: the way to it, the token, what one may see there, and this node.

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/doctor/clock_check.h"
#include "agent/doctor/fetch.h"
#include "agent/doctor/subject.h"
#include "agent/http/json_writer.h"
#include "agent/kubernetes_job.h"
#include "base/http/http_url.h"
#include "discovery/kubernetes/kube_access.h"

namespace agent::doctor {
namespace {

struct Right {
  std::string api_group;  // Empty: the core.
  std::string resource;
  std::string ns;  // Empty: all.
};

// What is listed and watched for a role, and for what is attached.
std::vector<Right> RightsOf(const KubernetesOptions& options, const std::string& own) {
  std::vector<std::string> namespaces = options.namespaces;
  if (options.own_namespace && !own.empty()) namespaces.push_back(own);
  if (namespaces.empty()) namespaces.emplace_back();
  std::vector<Right> rights;
  const auto add = [&](const char* group, const char* resource) {
    for (const std::string& ns : namespaces)
      rights.push_back({group, resource, ns});
  };
  switch (options.role) {
    case KubeRole::kPod:
      add("", "pods");
      break;
    case KubeRole::kNode:
      rights.push_back({"", "nodes", ""});
      break;
    case KubeRole::kService:
      add("", "services");
      break;
    case KubeRole::kEndpoints:
      add("", "endpoints");
      add("", "services");
      add("", "pods");
      break;
    case KubeRole::kEndpointSlice:
      add("discovery.k8s.io", "endpointslices");
      add("", "services");
      add("", "pods");
      break;
    case KubeRole::kIngress:
      add("networking.k8s.io", "ingresses");
      break;
  }
  if (options.attach.node) rights.push_back({"", "nodes", ""});
  if (options.attach.of_namespace) rights.push_back({"", "namespaces", ""});
  return rights;
}

// Asks whether we may; nothing is stored of it.
std::string ReviewBody(const Right& right, const std::string& verb) {
  JsonWriter json;
  json.BeginObject().Key("apiVersion").String("authorization.k8s.io/v1");
  json.Key("kind").String("SelfSubjectAccessReview").Key("spec").BeginObject();
  json.Key("resourceAttributes").BeginObject().Key("verb").String(verb);
  json.Key("group").String(right.api_group).Key("resource").String(right.resource);
  if (!right.ns.empty()) json.Key("namespace").String(right.ns);
  json.EndObject().EndObject().EndObject();
  return json.Take();
}

class KubernetesCheck {
 public:
  KubernetesCheck(const Subject& subject, const ScrapeConfig& job, const KubernetesSdConfig& config,
                  const Group& group)
      : subject_(subject),
        group_(group),
        job_("job " + job.job_name + ": "),
        options_(ToKubernetesOptions(config, job, subject.host)) {}

  void Run() {
    const Result<KubeAccess> access = FindKubeAccess(options_, KubernetesEnvironment());
    if (!access.ok()) return SayNoAccess(access.error());
    if (!CheckCredentialFiles(access->http, subject_.system, group_)) return;
    if (!ReachUrl(access->server, access->http, subject_.timeout, group_)) return;
    if (!Authenticated(*access)) return;
    CheckRights(*access);
    if (options_.role == KubeRole::kPod) CheckNode(*access);
  }

 private:
  // Pods' folders are found without the server.
  std::string Cost() const {
    if (options_.role != KubeRole::kPod) return "no target is found";
    return options_.needs_api ? "nothing is read without what the API server knows"
                              : "pods are read without their labels, as far as their folders tell";
  }

  void SayNoAccess(const Error& error) {
    const bool in_cluster = options_.api_server.empty() && options_.kubeconfig_file.empty();
    group_.Failure(
        "kubernetes.access", job_ + error.message,
        {Cost(), in_cluster
                     ? "run it in a pod with a service account (automountServiceAccountToken: "
                       "true), or give kubeconfig_file"
                     : "kubectl --kubeconfig " + Quoted(options_.kubeconfig_file) + " version"});
  }

  bool Authenticated(const KubeAccess& access) {
    const HttpResponse answer =
        FetchAll(access.http, {GetRequest(access.server + "/version")}, subject_.timeout).front();
    if (const auto date = answer.headers.find("date"); date != answer.headers.end()) {
      if (const auto theirs = ParseHttpDate(date->second))
        ReportSkew("the API server", std::time(nullptr), *theirs, group_);
    }
    if (answer.status == 200 || answer.status == 403) {
      const std::string version = TextAt(ParseAnswer(answer.body), {"gitVersion"});
      group_.Ok("kubernetes.version", job_ + access.server + " (" + access.from + ")" +
                                          (version.empty() ? "" : ", " + version));
      return true;
    }
    const std::string text = job_ + access.server + ": " + AnswerText(answer);
    if (answer.status == 401) {
      group_.Failure(
          "kubernetes.token", text,
          {Cost(),
           "kubectl create token log-agent   # the token is no longer known: start the pod anew"});
    } else {
      group_.Failure("kubernetes.answer", text, {Cost(), "kubectl get --raw /readyz?verbose"});
    }
    return false;
  }

  void CheckRights(const KubeAccess& access) {
    const std::vector<Right> rights = RightsOf(options_, access.ns);
    std::vector<std::string> bodies;
    for (const Right& right : rights) {
      bodies.push_back(ReviewBody(right, "list"));
      bodies.push_back(ReviewBody(right, "watch"));
    }
    std::vector<HttpRequest> requests;
    for (const std::string& body : bodies) {
      HttpRequest request;
      request.url = access.server + "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
      request.headers.emplace_back("Content-Type", "application/json");
      request.body = body;
      requests.push_back(std::move(request));
    }
    const std::vector<HttpResponse> answers =
        FetchAll(access.http, std::move(requests), subject_.timeout);
    std::string granted;
    for (std::size_t i = 0; i < rights.size(); ++i) {
      std::string missing;
      for (std::size_t v = 0; v < 2; ++v) {
        const HttpResponse& answer = answers[2 * i + v];
        if (answer.status / 100 != 2) return SayUnknown(answer);
        if (TextAt(ParseAnswer(answer.body), {"status", "allowed"}) != "true")
          AddWord(missing, v == 0 ? "list" : "watch", ",");
      }
      if (missing.empty()) {
        AddWord(granted, rights[i].resource);
      } else {
        SayMissing(rights[i], missing);
      }
    }
    if (!granted.empty()) group_.Ok("kubernetes.rights", job_ + "may list and watch " + granted);
  }

  void SayUnknown(const HttpResponse& answer) {
    group_.Note("kubernetes.rights",
                job_ + "what it may see cannot be asked: " + AnswerText(answer));
  }

  void SayMissing(const Right& right, const std::string& missing) {
    const std::string where = right.ns.empty() ? "" : " in namespace " + right.ns;
    const std::string kind = right.ns.empty() ? "clusterrole" : "role";
    const std::string resource =
        right.resource + (right.api_group.empty() ? "" : "." + right.api_group);
    const std::string in = right.ns.empty() ? "" : " -n " + right.ns;
    group_.Failure("kubernetes.rights", job_ + "may not " + missing + " " + right.resource + where,
                   {Cost(), "kubectl create " + kind +
                                " log-agent --verb=get,list,watch --resource=" + resource + in +
                                " && kubectl create " + kind + "binding log-agent --" + kind +
                                "=log-agent --serviceaccount=NAMESPACE:NAME" + in});
  }

  // A wrong node name leaves no pod to be read, without a word.
  void CheckNode(const KubeAccess& access) {
    const std::string ns =
        options_.namespaces.empty() ? "" : "/namespaces/" + options_.namespaces.front();
    const std::string url = access.server + "/api/v1" + ns + "/pods?limit=1&fieldSelector=" +
                            PercentEncoded("spec.nodeName=" + options_.node_name);
    const HttpResponse answer = FetchAll(access.http, {GetRequest(url)}, subject_.timeout).front();
    const ConfigNode pods = ParseAnswer(answer.body);
    const ConfigNode* const items = pods.Find("items");
    if (answer.status != 200) return;  // Said already.
    if (items != nullptr && !items->items().empty()) {
      group_.Ok("kubernetes.node", job_ + "this node is " + options_.node_name);
      return;
    }
    group_.Warning("kubernetes.node",
                   job_ + "the API server knows no pod on a node called " + options_.node_name,
                   {"only pods of this node are read",
                    "env: [{name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]   "
                    "# in the DaemonSet"});
  }

  const Subject& subject_;
  const Group& group_;
  const std::string job_;
  const KubernetesOptions options_;
};

}  // namespace

void CheckKubernetes(const Subject& subject, const ScrapeConfig& job,
                     const KubernetesSdConfig& config, Findings& findings) {
  const Group group(findings, "Kubernetes");
  KubernetesCheck(subject, job, config, group).Run();
}

}  // namespace agent::doctor
