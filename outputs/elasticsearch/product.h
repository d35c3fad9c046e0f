// Which product a receiver is, as far as the calls differ by which templates and policies are made.

#pragma once

#include <string>
#include <string_view>

namespace agent::elasticsearch {

struct Product {
  bool opensearch = false;
  int major = 8;
  int minor = 0;
  std::string text = "Elasticsearch 8 (assumed)";  // For logs.
};

// Of the `version` in a configuration: "8", "7.17.3", "opensearch", "opensearch 2.19".
Product ProductOf(std::string_view version);
// Whether that is one.
bool IsProduct(std::string_view version);

// Of the answer to `GET /`. What says nothing, as where that is not allowed, is a recent
// Elasticsearch.
Product ParseProduct(std::string_view body);

}  // namespace agent::elasticsearch
