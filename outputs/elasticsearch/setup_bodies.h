// What is put into the receiver, as JSON.

#pragma once

#include <string>

#include "outputs/elasticsearch/product.h"
#include "outputs/elasticsearch/setup_options.h"

namespace agent::elasticsearch {

// The index template; `with_policy`: its indices have the lifecycle policy.
std::string TemplateBody(const SetupOptions& options, const Product& product, bool with_policy);
// The policy of ILM, or of ISM on OpenSearch: the configured one or ours, which rolls over at 50 GB
// or 30 days and deletes nothing.
std::string PolicyBody(const SetupOptions& options, const Product& product);
// The first index behind the alias.
std::string FirstIndexBody(const std::string& alias);

}  // namespace agent::elasticsearch
