#include "base/http/http_tls.h"

#include <sys/stat.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/read_file.h"

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

}  // namespace

HttpTls::HttpTls(HttpTlsOptions options) : options_(std::move(options)) {
  ca_.file = options_.ca_file;
  ca_.text = options_.ca;
  cert_.file = options_.cert_file;
  cert_.text = options_.cert;
  key_.file = options_.key_file;
  key_.text = options_.key;
}

Status HttpTls::Refresh(Source& source) {
  if (source.file.empty()) return {};
  struct stat info {};
  if (::stat(source.file.c_str(), &info) != 0) return ErrnoError(errno, source.file);
  const int64_t mtime_ns = info.st_mtim.tv_sec * kNanosPerSecond + info.st_mtim.tv_nsec;
  if (mtime_ns == source.seen_mtime_ns && info.st_size == source.seen_size &&
      info.st_ino == source.seen_inode) {
    return {};
  }
  Result<std::string> text = ReadSmallFile(source.file);
  if (!text.ok()) return std::move(text).error();
  source.text = std::move(text).value();
  source.seen_mtime_ns = mtime_ns;
  source.seen_size = info.st_size;
  source.seen_inode = info.st_ino;
  return {};
}

// Everything goes to libcurl as text in memory: it then compares contents, and does not use a
// connection again that was made with other certificates.
Status HttpTls::Apply(CURL* easy) {
  for (Source* source : {&ca_, &cert_, &key_}) {
    Status refreshed = Refresh(*source);
    if (!refreshed.ok()) return refreshed;
  }
  const Version* min = FindVersion(options_.min_version);
  const Version* max = FindVersion(options_.max_version);
  if (min == nullptr || max == nullptr) {
    return Error{ErrorCode::kInvalid, "unknown TLS version: expected TLS10, TLS11, TLS12 or TLS13"};
  }
  SetBlob(easy, CURLOPT_CAINFO_BLOB, ca_.text);
  SetBlob(easy, CURLOPT_SSLCERT_BLOB, cert_.text);
  SetBlob(easy, CURLOPT_SSLKEY_BLOB, key_.text);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, min->min | max->max);
  const long verify = options_.insecure_skip_verify ? 0 : 1;
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify * 2);
  return {};
}

}  // namespace agent
