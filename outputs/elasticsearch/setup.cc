#include "outputs/elasticsearch/setup.h"

#include <algorithm>
#include <utility>

#include <simdjson.h>

#include "base/http/http_url.h"
#include "outputs/elasticsearch/setup_bodies.h"
#include "outputs/http_answer.h"

namespace agent::elasticsearch {
namespace {

constexpr std::size_t kMaxDetailBytes = 400;

bool IsSuccess(const HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

// Of the moment, and of nothing that was asked.
bool SaysNothing(const HttpResponse& response) {
  const int status = response.status;
  return status == 0 || status == 408 || status == 429 || (status >= 500 && status != 501);
}

bool Mentions(const HttpResponse& response, std::string_view text) {
  return response.body.find(text) != std::string::npos;
}

// The receiver has no such call: a distribution without the plugin, a service that hides it,
// another product. A 404 that is not of an API says the same, and an Elasticsearch without its
// X-Pack, which takes what it does not know for the name of an index.
bool HasNoSuchCall(const HttpResponse& response) {
  switch (response.status) {
    case 405:
    case 410:
    case 501:
      return true;
    case 400:
      return Mentions(response, "no handler found") || Mentions(response, "invalid_index_name");
    case 404:
      return !Mentions(response, "\"error\"");
    default:
      return false;
  }
}

bool IsForbidden(const HttpResponse& response) {
  return response.status == 401 || response.status == 403;
}

// Two agents at once: the other one was first.
bool WasThereAlready(const HttpResponse& response) {
  return response.status == 409 || (response.status == 400 && Mentions(response, "already exists"));
}

// "type: reason" of an error.
std::string ReasonOf(const HttpResponse& response) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view type;
  std::string_view reason;
  const std::string_view body = response.body;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
      root["error"]["reason"].get_string().get(reason) != simdjson::SUCCESS) {
    return Describe(response).substr(0, kMaxDetailBytes);
  }
  std::string text = std::to_string(response.status);
  if (root["error"]["type"].get_string().get(type) == simdjson::SUCCESS)
    text += " " + std::string(type);
  text += ": " + std::string(reason);
  std::string_view cause;
  if (root["error"]["caused_by"]["reason"].get_string().get(cause) == simdjson::SUCCESS)
    text += " (" + std::string(cause) + ")";
  return text.substr(0, kMaxDetailBytes);
}

// What OpenSearch wants to hear of the policy that is to be overwritten.
std::string VersionQuery(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  int64_t number = 0;
  int64_t term = 0;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
      root["_seq_no"].get_int64().get(number) != simdjson::SUCCESS ||
      root["_primary_term"].get_int64().get(term) != simdjson::SUCCESS) {
    return {};
  }
  return "?if_seq_no=" + std::to_string(number) + "&if_primary_term=" + std::to_string(term);
}

}  // namespace

std::string_view OutcomeName(SetupNote::Outcome outcome) {
  switch (outcome) {
    case SetupNote::Outcome::kMade:
      return "made";
    case SetupNote::Outcome::kReplaced:
      return "replaced";
    case SetupNote::Outcome::kExists:
      return "exists";
    case SetupNote::Outcome::kSkipped:
      return "skipped";
    case SetupNote::Outcome::kForbidden:
      return "forbidden";
    case SetupNote::Outcome::kRefused:
      break;
  }
  return "refused";
}

bool IsFailure(SetupNote::Outcome outcome) {
  return outcome >= SetupNote::Outcome::kForbidden;
}

Setup::Setup(SetupOptions options) : options_(std::move(options)) {
  if (options_.version.empty()) return;
  product_ = ProductOf(options_.version);
  BeginPolicy();
}

SetupCall Setup::Call() const {
  const std::string template_path =
      "/_index_template/" + PercentEncoded(options_.index_template.name);
  const std::string& alias = options_.lifecycle.rollover_alias;
  switch (step_) {
    case Step::kProduct:
      return {"GET", "/", ""};
    case Step::kFindPolicy:
      return {"GET", PolicyPath(), ""};
    case Step::kPutPolicy:
      return {"PUT", PolicyPath() + policy_version_, PolicyBody(options_, product_)};
    case Step::kFindTemplate:
      return {"GET", template_path + "?filter_path=index_templates.name,error,status", ""};
    case Step::kPutTemplate:
      return {"PUT", template_path + (template_there_ ? "" : "?create=true"),
              TemplateBody(options_, product_, with_policy_)};
    case Step::kFindAlias:
      return {"GET", "/_alias/" + PercentEncoded(alias), ""};
    case Step::kPutAlias:
      return {"PUT", "/" + PercentEncoded(FirstIndex()), FirstIndexBody(alias)};
    case Step::kDone:
      break;
  }
  return {};
}

bool Setup::OnAnswer(const HttpResponse& response) {
  if (SaysNothing(response)) {
    // Whether it was done all the same is to be seen first.
    if (step_ == Step::kPutTemplate) step_ = Step::kFindTemplate;
    if (step_ == Step::kPutAlias) step_ = Step::kFindAlias;
    return false;
  }
  switch (step_) {
    case Step::kProduct:
      // Not allowed, or not known: a recent Elasticsearch is assumed.
      if (IsSuccess(response)) product_ = ParseProduct(response.body);
      BeginPolicy();
      break;
    case Step::kFindPolicy:
      OnPolicyFound(response);
      break;
    case Step::kPutPolicy:
      OnPolicyPut(response);
      break;
    case Step::kFindTemplate:
      OnTemplateFound(response);
      break;
    case Step::kPutTemplate:
      OnTemplatePut(response);
      break;
    case Step::kFindAlias:
      OnAliasFound(response);
      break;
    case Step::kPutAlias:
      OnAliasPut(response);
      break;
    case Step::kDone:
      break;
  }
  return true;
}

std::string Setup::PolicyPath() const {
  return (product_.opensearch ? "/_plugins/_ism/policies/" : "/_ilm/policy/") +
         PercentEncoded(options_.lifecycle.policy_name);
}

// With a date in it the name has to stand in brackets.
std::string Setup::FirstIndex() const {
  const LifecycleOptions& lifecycle = options_.lifecycle;
  const std::string name = lifecycle.rollover_alias + "-" + lifecycle.pattern;
  return name.find('{') == std::string::npos ? name : "<" + name + ">";
}

void Setup::BeginPolicy() {
  const LifecycleOptions& lifecycle = options_.lifecycle;
  if (lifecycle.mode == LifecycleMode::kOff) return BeginTemplate();
  with_policy_ = true;
  if (lifecycle.check_exists) {
    step_ = Step::kFindPolicy;
  } else if (lifecycle.overwrite) {
    step_ = Step::kPutPolicy;
  } else {
    Note("policy", lifecycle.policy_name, Outcome::kSkipped, "check_exists is false");
    BeginTemplate();
  }
}

void Setup::OnPolicyFound(const HttpResponse& response) {
  const LifecycleOptions& lifecycle = options_.lifecycle;
  if (HasNoSuchCall(response)) return NoPolicies(response);
  if (response.status == 404) {
    step_ = Step::kPutPolicy;
  } else if (!IsSuccess(response)) {
    NoteRefusal("policy", lifecycle.policy_name, response);
    BeginTemplate();
  } else if (lifecycle.overwrite) {
    policy_there_ = true;
    if (product_.opensearch) policy_version_ = VersionQuery(response.body);
    step_ = Step::kPutPolicy;
  } else {
    Note("policy", lifecycle.policy_name, Outcome::kExists);
    BeginTemplate();
  }
}

void Setup::OnPolicyPut(const HttpResponse& response) {
  const std::string& name = options_.lifecycle.policy_name;
  if (HasNoSuchCall(response)) return NoPolicies(response);
  if (IsSuccess(response)) {
    Note("policy", name, policy_there_ ? Outcome::kReplaced : Outcome::kMade);
  } else if (WasThereAlready(response)) {
    Note("policy", name, Outcome::kExists);
  } else {
    NoteRefusal("policy", name, response);
  }
  BeginTemplate();
}

// Where nobody insists on one, it goes without.
void Setup::NoPolicies(const HttpResponse& response) {
  with_policy_ = false;
  const bool insists = options_.lifecycle.mode == LifecycleMode::kOn;
  Note("policy", options_.lifecycle.policy_name, insists ? Outcome::kRefused : Outcome::kSkipped,
       "the receiver has no lifecycle policies: " + ReasonOf(response));
  BeginTemplate();
}

void Setup::BeginTemplate() {
  if (!options_.index_template.enabled) return BeginAlias();
  step_ = Step::kFindTemplate;
}

void Setup::OnTemplateFound(const HttpResponse& response) {
  const TemplateOptions& index_template = options_.index_template;
  template_there_ = IsSuccess(response);
  if (response.status == 404 || (template_there_ && index_template.overwrite)) {
    step_ = Step::kPutTemplate;
    return;
  }
  if (template_there_) {
    Note("template", index_template.name, Outcome::kExists);
  } else {
    NoteRefusal("template", index_template.name, response);
  }
  BeginAlias();
}

void Setup::OnTemplatePut(const HttpResponse& response) {
  const std::string& name = options_.index_template.name;
  if (IsSuccess(response)) {
    Note("template", name, template_there_ ? Outcome::kReplaced : Outcome::kMade);
  } else if (WasThereAlready(response)) {
    Note("template", name, Outcome::kExists);
  } else {
    NoteRefusal("template", name, response);
  }
  BeginAlias();
}

void Setup::BeginAlias() {
  step_ = options_.lifecycle.rollover_alias.empty() ? Step::kDone : Step::kFindAlias;
}

void Setup::OnAliasFound(const HttpResponse& response) {
  const std::string& alias = options_.lifecycle.rollover_alias;
  if (response.status == 404 && !alias_missed_) {
    step_ = Step::kPutAlias;
    return;
  }
  if (IsSuccess(response)) {
    Note("alias", alias, Outcome::kExists);
  } else if (alias_missed_) {
    Note("alias", alias, Outcome::kRefused,
         FirstIndex() + " exists, but is not behind the alias: add it to it, or delete it");
  } else {
    NoteRefusal("alias", alias, response);
  }
  step_ = Step::kDone;
}

void Setup::OnAliasPut(const HttpResponse& response) {
  const std::string& alias = options_.lifecycle.rollover_alias;
  if (WasThereAlready(response) && Mentions(response, "resource_already_exists")) {
    // Then it has the alias, too; if not, it is somebody else's.
    alias_missed_ = true;
    step_ = Step::kFindAlias;
    return;
  }
  if (IsSuccess(response)) {
    Note("alias", alias, Outcome::kMade);
  } else {
    NoteRefusal("alias", alias, response);
  }
  step_ = Step::kDone;
}

void Setup::Note(std::string_view what, const std::string& name, Outcome outcome,
                 std::string detail) {
  notes_.push_back({what, name, outcome, std::move(detail)});
}

void Setup::NoteRefusal(std::string_view what, const std::string& name,
                        const HttpResponse& response) {
  Note(what, name, IsForbidden(response) ? Outcome::kForbidden : Outcome::kRefused,
       ReasonOf(response));
}

bool Setup::anything_forbidden() const {
  return std::any_of(notes_.begin(), notes_.end(),
                     [](const SetupNote& note) { return note.outcome == Outcome::kForbidden; });
}

bool Setup::anything_failed() const {
  return std::any_of(notes_.begin(), notes_.end(),
                     [](const SetupNote& note) { return IsFailure(note.outcome); });
}

}  // namespace agent::elasticsearch
