// Template, lifecycle policy and alias of an Elasticsearch output: what to ask the receiver, one
// call after the other, and what its answers mean. What is there already stays as it is, so that it
// can be done again and by several agents at once. Decides, and sends nothing itself.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/http_client.h"
#include "outputs/elasticsearch/product.h"
#include "outputs/elasticsearch/setup_options.h"

namespace agent::elasticsearch {

struct SetupCall {
  std::string method;
  std::string path;  // Behind the host's URL, with its query.
  std::string body;  // Empty: none.
};

// What became of one thing.
struct SetupNote {
  enum class Outcome : uint8_t {
    kMade,
    kReplaced,
    kExists,
    kSkipped,    // The receiver has nothing of the kind, or is not asked.
    kForbidden,  // For want of a privilege.
    kRefused,    // For what it is.
  };
  std::string_view what;  // "policy", "template" or "alias".
  std::string name;
  Outcome outcome = Outcome::kMade;
  std::string detail;  // Why it was skipped or refused.
};

std::string_view OutcomeName(SetupNote::Outcome outcome);
// Neither made nor there.
bool IsFailure(SetupNote::Outcome outcome);

class Setup {
 public:
  explicit Setup(SetupOptions options);

  [[nodiscard]] bool done() const { return step_ == Step::kDone; }
  // What to ask now; not when it is done.
  [[nodiscard]] SetupCall Call() const;
  // False: the answer says nothing, and the receiver is to be asked again later.
  bool OnAnswer(const HttpResponse& response);

  // So far.
  [[nodiscard]] const std::vector<SetupNote>& notes() const { return notes_; }
  // Whether another try may do better once somebody has given privileges.
  [[nodiscard]] bool anything_forbidden() const;
  [[nodiscard]] bool anything_failed() const;
  // "OpenSearch 2.19.1".
  [[nodiscard]] const std::string& receiver() const { return product_.text; }

 private:
  enum class Step : uint8_t {
    kProduct,
    kFindPolicy,
    kPutPolicy,
    kFindTemplate,
    kPutTemplate,
    kFindAlias,
    kPutAlias,
    kDone,
  };
  using Outcome = SetupNote::Outcome;

  void BeginPolicy();
  void BeginTemplate();
  void BeginAlias();
  void OnPolicyFound(const HttpResponse& response);
  void OnPolicyPut(const HttpResponse& response);
  void OnTemplateFound(const HttpResponse& response);
  void OnTemplatePut(const HttpResponse& response);
  void OnAliasFound(const HttpResponse& response);
  void OnAliasPut(const HttpResponse& response);
  void NoPolicies(const HttpResponse& response);
  void Note(std::string_view what, const std::string& name, Outcome outcome,
            std::string detail = {});
  void NoteRefusal(std::string_view what, const std::string& name, const HttpResponse& response);
  [[nodiscard]] std::string PolicyPath() const;
  [[nodiscard]] std::string FirstIndex() const;

  const SetupOptions options_;
  Product product_;
  Step step_ = Step::kProduct;
  bool with_policy_ = false;   // There is one, as far as is known.
  bool policy_there_ = false;  // And was before.
  bool template_there_ = false;
  bool alias_missed_ = false;   // The first index was there, when the alias was not.
  std::string policy_version_;  // Of what is overwritten, as OpenSearch wants it named.
  std::vector<SetupNote> notes_;
};

}  // namespace agent::elasticsearch
