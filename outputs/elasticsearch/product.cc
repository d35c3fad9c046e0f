#include "outputs/elasticsearch/product.h"

#include <charconv>

#include <simdjson.h>

namespace agent::elasticsearch {
namespace {

constexpr std::string_view kOpenSearch = "opensearch";
constexpr int kOpenSearchMajor = 2;  // Where none is named.

// Reads "8.17.0" from its front; false when there is no number.
bool ReadNumber(std::string_view text, Product& product) {
  const char* const end = text.data() + text.size();
  int major = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, major);
  if (error != std::errc()) return false;
  product.major = major;
  product.minor = 0;
  if (stop != end && *stop == '.') std::from_chars(stop + 1, end, product.minor);
  return true;
}

std::string_view TextAt(simdjson::simdjson_result<simdjson::dom::element> element) {
  std::string_view text;
  return element.get_string().get(text) == simdjson::SUCCESS ? text : std::string_view();
}

}  // namespace

bool IsProduct(std::string_view version) {
  Product ignored;
  if (!version.starts_with(kOpenSearch)) return ReadNumber(version, ignored);
  version.remove_prefix(kOpenSearch.size());
  while (!version.empty() && (version[0] == ' ' || version[0] == '-'))
    version.remove_prefix(1);
  return version.empty() || ReadNumber(version, ignored);
}

Product ProductOf(std::string_view version) {
  Product product;
  product.opensearch = version.starts_with(kOpenSearch);
  product.text = (product.opensearch ? "" : "Elasticsearch ") + std::string(version);
  if (!product.opensearch) {
    ReadNumber(version, product);
    return product;
  }
  product.major = kOpenSearchMajor;
  const std::size_t digit = version.find_first_of("0123456789");
  if (digit != std::string_view::npos) ReadNumber(version.substr(digit), product);
  return product;
}

Product ParseProduct(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  Product product;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) return product;
  const std::string_view number = TextAt(root["version"]["number"]);
  const std::string_view distribution = TextAt(root["version"]["distribution"]);
  // It can be told to give itself out for Elasticsearch 7.10, but for its motto.
  const bool motto = TextAt(root["tagline"]).find("OpenSearch") != std::string_view::npos;
  product.opensearch = distribution == kOpenSearch || motto;
  if (product.opensearch && distribution.empty()) {
    product.major = kOpenSearchMajor;
  } else if (!ReadNumber(number, product)) {
    return product;
  }
  product.text = (product.opensearch ? "OpenSearch " : "Elasticsearch ") + std::string(number);
  return product;
}

}  // namespace agent::elasticsearch
