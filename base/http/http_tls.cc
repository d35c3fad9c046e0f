#include "base/http/http_tls.h"

#include <string_view>
#include <utility>

#include <curl/curl.h>

#include "base/net/trusted_fingerprint.h"

namespace agent {
namespace {

struct Version {
  std::string_view name;
  long min;
  long max;
};
constexpr Version kVersions[] = {
    {"", CURL_SSLVERSION_DEFAULT, CURL_SSLVERSION_MAX_DEFAULT},
    {"TLS10", CURL_SSLVERSION_TLSv1_0, CURL_SSLVERSION_MAX_TLSv1_0},
    {"TLS11", CURL_SSLVERSION_TLSv1_1, CURL_SSLVERSION_MAX_TLSv1_1},
    {"TLS12", CURL_SSLVERSION_TLSv1_2, CURL_SSLVERSION_MAX_TLSv1_2},
    {"TLS13", CURL_SSLVERSION_TLSv1_3, CURL_SSLVERSION_MAX_TLSv1_3},
};

const Version* FindVersion(std::string_view name) {
  for (const Version& version : kVersions) {
    if (version.name == name) return &version;
  }
  return nullptr;
}

void SetBlob(CURL* easy, CURLoption option, const std::string& text) {
  if (text.empty()) return;
  // libcurl only reads it, and copies: its structure has no const.
  curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, option, &blob);
}

// libcurl's callback, before each handshake.
CURLcode AddTrust(CURL* /*easy*/, void* context, void* fingerprint) {
  TrustFingerprint(static_cast<SSL_CTX*>(context), *static_cast<const std::string*>(fingerprint));
  return CURLE_OK;
}

}  // namespace

HttpTls::HttpTls(TlsOptions options)
    : options_(std::move(options)),
      ca_(options_.ca, options_.ca_file),
      cert_(options_.cert, options_.cert_file),
      key_(options_.key, options_.key_file) {}

// Everything goes to libcurl as text in memory: it then compares contents, and does not use a
// connection again that was made with other certificates.
Status HttpTls::Apply(CURL* easy) {
  for (FileText* source : {&ca_, &cert_, &key_}) {
    Result<bool> refreshed = source->Refresh();
    if (!refreshed.ok()) return std::move(refreshed).error();
  }
  const Version* min = FindVersion(options_.min_version);
  const Version* max = FindVersion(options_.max_version);
  if (min == nullptr || max == nullptr) {
    return Error{ErrorCode::kInvalid, "unknown TLS version: expected TLS10, TLS11, TLS12 or TLS13"};
  }
  SetBlob(easy, CURLOPT_CAINFO_BLOB, ca_.text());
  SetBlob(easy, CURLOPT_SSLCERT_BLOB, cert_.text());
  SetBlob(easy, CURLOPT_SSLKEY_BLOB, key_.text());
  if (!options_.trusted_fingerprint.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, AddTrust);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, &options_.trusted_fingerprint);
  }
  if (!options_.key_passphrase.empty()) {
    curl_easy_setopt(easy, CURLOPT_KEYPASSWD, options_.key_passphrase.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, min->min | max->max);
  const long verify = options_.insecure_skip_verify ? 0 : 1;
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options_.any_server_name ? 0 : verify * 2);
  return {};
}

}  // namespace agent
